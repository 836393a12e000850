-- A tracked table on Citus. Connected to the coordinator, on :PORT; :worker is the port of a worker, :other that of another.
-- What must hold fails with an error.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION lead_phones;
CREATE PROCEDURE exact(leads regclass, what text) LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM verify_phone_counts(leads)) THEN RAISE EXCEPTION 'wrong counts: %', what; END IF;
    RAISE NOTICE 'exact: %', what;
END $$;
CREATE PROCEDURE refused(statement text, message text) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        IF SQLERRM LIKE message THEN RAISE NOTICE 'refused: %', SQLERRM; RETURN; END IF;
        RAISE EXCEPTION 'refused otherwise: %', SQLERRM;
    END;
    RAISE EXCEPTION 'not refused: %', statement;
END $$;
SET client_min_messages = notice;

-- filled, then tracked
CREATE TABLE leads (campaign_id int, id bigint, phone text, mobile text, note text, PRIMARY KEY (campaign_id, id));
SELECT create_distributed_table('leads', 'campaign_id') \g /dev/null
INSERT INTO leads SELECT i % 10, i, '678 999 ' || 1000 + i % 50, CASE WHEN i % 2 = 0 THEN '404 555 ' || 1000 + i % 70 END FROM generate_series(1, 300) AS i;
SELECT * FROM track_lead_phones('leads') \g /dev/null
CALL exact('leads', 'a filled table, tracked');

-- writes of every kind
INSERT INTO leads VALUES (1, 1000, '(678) 999-2000', '678 999 2001');
INSERT INTO leads SELECT i % 10, 2000 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
COPY leads (campaign_id, id, phone, mobile) FROM stdin;
1	5001	678 999 3000	678 999 3001
2	5002	678 999 3000	678 999 3001
\.
UPDATE leads SET phone = '678 999 4000' WHERE id % 7 = 0;
UPDATE leads SET mobile = NULL WHERE campaign_id = 3;
DELETE FROM leads WHERE id % 5 = 0;
INSERT INTO leads VALUES (1, 1001, '678 999 8888', NULL) ON CONFLICT (campaign_id, id) DO UPDATE SET phone = EXCLUDED.phone;
BEGIN;
INSERT INTO leads VALUES (1, 7777, '678 999 7777', NULL);
ROLLBACK;
BEGIN;
INSERT INTO leads VALUES (1, 1102, '(678) 999-5000', '678 999 5001');
INSERT INTO leads VALUES (2, 1102, '(678) 999-5000', '678 999 5001');
DELETE FROM leads WHERE campaign_id = 2 AND id = 1102;
COMMIT;
PREPARE upload (int, bigint, text) AS INSERT INTO leads VALUES ($1, $2, $3);
EXECUTE upload (1, 9001, '678 999 1111'); EXECUTE upload (2, 9002, '678 999 1111'); EXECUTE upload (3, 9003, '678 999 1111');
EXECUTE upload (1, 9004, '678 999 1111'); EXECUTE upload (1, 9005, '678 999 1111'); EXECUTE upload (1, 9006, '678 999 1111');
CALL exact('leads', 'writes from the coordinator');

-- disqualification
CALL disqualify_phone(1, '678 999 2000', leads => 'leads') \g /dev/null
INSERT INTO leads VALUES (1, 1201, '(678) 999-2000', '678 999 2001');
CALL exact('leads', 'disqualified, and uploaded after');
CALL requalify_phone(1, '678 999 2000', leads => 'leads') \g /dev/null
CALL disqualify_phone(9, '678 999 1009', expires_at => now() - interval '1 day', leads => 'leads') \g /dev/null
CALL expire_disqualifications('leads') \g /dev/null
CALL disqualify_phone(8, '678 999 2000', leads => 'leads') \g /dev/null
CALL exact('leads', 'requalified, expired');
SELECT rebuild_phone_counts('leads') \g /dev/null
CALL exact('leads', 'rebuilt');

-- shards that move, a tenant of its own
SELECT citus_move_shard_placement(shardid, '127.0.0.1', :worker, '127.0.0.1', :other, 'block_writes')
  FROM citus_shards WHERE table_name = 'leads'::regclass AND nodeport = :worker LIMIT 1 \g /dev/null
INSERT INTO leads SELECT i % 10, 100000 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL exact('leads', 'a shard moved');
SELECT isolate_tenant_to_new_shard('leads', 8, 'CASCADE', shard_transfer_mode => 'block_writes') \g /dev/null
INSERT INTO leads SELECT i % 10, 200000 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL exact('leads', 'a tenant isolated');

-- from a worker
\c - - - :worker
INSERT INTO leads SELECT i % 10, 300000 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL disqualify_phone(7, '678 999 1017', leads => 'leads') \g /dev/null
CALL exact('leads', 'writes from a worker');
CALL refused($$SELECT track_lead_phones('leads')$$, 'cannot track distributed table % on a worker');
TRUNCATE leads;
\c - - - :coordinator
CALL exact('leads', 'truncated from a worker');
INSERT INTO leads SELECT i % 10, 300000 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
TRUNCATE leads;
CALL exact('leads', 'truncated');
SELECT untrack_lead_phones('leads') \g /dev/null
SELECT * FROM track_lead_phones('leads') \g /dev/null
CALL exact('leads', 'untracked and tracked again');

-- what cannot be
CREATE SCHEMA reference;
CREATE TABLE reference.leads (campaign_id int, phone text, mobile text);
SELECT create_reference_table('reference.leads') \g /dev/null
CALL refused($$SELECT track_lead_phones('reference.leads')$$, '%does not distribute it by its campaign column');
CREATE SCHEMA by_id;
CREATE TABLE by_id.leads (id int, campaign_id int, phone text, mobile text);
SELECT create_distributed_table('by_id.leads', 'id') \g /dev/null
CALL refused($$SELECT track_lead_phones('by_id.leads')$$, '%does not distribute it by its campaign column');

-- tracked and filled, then distributed, as docs/scale-out.md says
CREATE SCHEMA filled;
CREATE TABLE filled.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT * FROM track_lead_phones('filled.leads') \g /dev/null
INSERT INTO filled.leads SELECT i % 10, i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL disqualify_phone(7, '678 999 1017', leads => 'filled.leads') \g /dev/null
SET client_min_messages = warning;
SET search_path = filled, public;
BEGIN;
SET LOCAL citus.enable_unsafe_triggers = on;
ALTER TABLE leads DISABLE TRIGGER USER;
SELECT create_distributed_table('campaign_phone_counts', 'campaign_id', colocate_with => 'none') \g /dev/null
SELECT create_distributed_table('campaign_phone_disqualifications', 'campaign_id', colocate_with => 'campaign_phone_counts') \g /dev/null
SELECT create_distributed_table('leads', 'campaign_id', colocate_with => 'campaign_phone_counts') \g /dev/null
ALTER TABLE leads ENABLE TRIGGER USER;
COMMIT;
SET client_min_messages = notice;
CALL exact('filled.leads', 'tracked, then distributed');
INSERT INTO leads SELECT i % 10, 1000 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL exact('filled.leads', 'and written to');

-- Other shapes and modes: a second table of the schema, one column, campaigns of text; numbers beside, with extensions, and regions of a reference table.
RESET search_path;
CREATE TABLE people (tenant text, id int, "Tel." text NOT NULL DEFAULT '', PRIMARY KEY (tenant, id));
SELECT create_distributed_table('people', 'tenant') \g /dev/null
INSERT INTO people SELECT 'tenant ' || i % 5, i, '678 999 ' || 1000 + i % 50 FROM generate_series(1, 300) AS i;
SELECT * FROM track_lead_phones('people', campaign_column => 'tenant', phone_columns => '{Tel.}') \g /dev/null
INSERT INTO people SELECT 'tenant ' || i % 5, 1000 + i, '678 999 ' || 1000 + i % 70 FROM generate_series(1, 300) AS i;
CALL disqualify_phone('tenant 1', '678 999 1006', leads => 'people') \g /dev/null
INSERT INTO people VALUES ('tenant 1', 5000, '(678) 999-1006'), ('tenant 2', 5000, '(678) 999-1006');
DELETE FROM people WHERE id % 7 = 0;
CALL exact('people', 'campaigns of text, one column');
SELECT rebuild_phone_counts('people') \g /dev/null
CALL exact('people', 'campaigns of text, rebuilt');
CREATE TABLE countries (id int PRIMARY KEY, code text);
INSERT INTO countries VALUES (1, 'GB'), (2, 'DE'), (3, NULL);
SELECT create_reference_table('countries') \g /dev/null
CREATE TABLE placed (campaign_id int, id int, country_id int, phone varchar(20), mobile numeric, fax text, PRIMARY KEY (campaign_id, id));
SELECT create_distributed_table('placed', 'campaign_id') \g /dev/null
ALTER TABLE placed ADD FOREIGN KEY (country_id) REFERENCES countries;
INSERT INTO placed SELECT i % 10, i, 1 + i % 3, CASE i % 3 WHEN 0 THEN '020 7946 0' || 100 + i % 50 || ' x1' ELSE '030 12345' || i % 9 END, 6789991000 + i % 20, 'n/a' FROM generate_series(1, 300) AS i;
SELECT * FROM track_lead_phones('placed', phone_columns => '{phone,mobile,fax}', in_place => false, keep_extensions => true, region_column => 'country_id.code', region => 'US') \g /dev/null
CALL exact('placed', 'beside, filled, then tracked');
INSERT INTO placed SELECT i % 10, 1000 + i, 1 + i % 3, CASE i % 3 WHEN 0 THEN '020 7946 0' || 100 + i % 50 || ' x1' ELSE '030 12345' || i % 9 END, 6789991000 + i % 20, '020 7946 0' || 100 + i % 50 FROM generate_series(1, 300) AS i;
UPDATE placed SET fax = '030 123456', country_id = 2 WHERE id % 4 = 0;
CALL disqualify_phone(6, '+49 30 123456', leads => 'placed') \g /dev/null
INSERT INTO placed VALUES (6, 9000, 2, '(030) 123456 x77');
DELETE FROM placed WHERE id % 5 = 1;
CALL exact('placed', 'beside, written to');
DO $$ BEGIN
    IF (SELECT (phone, phone_e164, phone_extension, phone_disqualified) <> ('(030) 123456 x77', '+4930123456', '77', true) FROM placed WHERE id = 9000) IS NOT FALSE THEN
        RAISE EXCEPTION 'beside: %', (SELECT row_to_json(p) FROM placed AS p WHERE id = 9000);
    END IF;
END $$;
SELECT rebuild_phone_counts('placed') \g /dev/null
CALL exact('placed', 'beside, rebuilt');
SELECT sum(filled) > 0 AND sum(valid) > 0 FROM lead_phone_quality('placed') \g /dev/null
\c - - - :worker
INSERT INTO placed SELECT i % 10, 300000 + i, 1 + i % 2, '030 12345' || i % 9, 6789991000 + i % 20, NULL FROM generate_series(1, 300) AS i;
CALL exact('placed', 'beside, from a worker');
\c - - - :coordinator
CREATE TABLE whole (id int PRIMARY KEY, phone text);
SELECT create_distributed_table('whole', 'id') \g /dev/null
CALL refused($$SELECT track_lead_phones('whole', campaign_column => NULL)$$, '%does not distribute it by its campaign column');

-- What distributing a table has left on the coordinator can be truncated, as Citus says: no count goes with it.
CREATE SCHEMA left_over;
CREATE TABLE left_over.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
INSERT INTO left_over.leads SELECT i % 10, i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
SET client_min_messages = warning;
SELECT create_distributed_table('left_over.leads', 'campaign_id') \g /dev/null
SELECT track_lead_phones('left_over.leads') \g /dev/null
SET client_min_messages = notice;
SELECT truncate_local_data_after_distributing_table('left_over.leads') \g /dev/null
CALL exact('left_over.leads', 'the rows left on the coordinator truncated');

-- Batches are refused: all at once it is.
CREATE SCHEMA in_batches;
CREATE TABLE in_batches.leads (LIKE left_over.leads);
SELECT create_distributed_table('in_batches.leads', 'campaign_id') \g /dev/null
CALL refused($$SELECT track_lead_phones('in_batches.leads', backfill => false)$$, 'cannot track % with backfill => false: Citus distributes it');

-- A table of one shard; a table of a schema that is distributed as a whole, tracked before and after.
CREATE SCHEMA one_shard;
CREATE TABLE one_shard.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT create_distributed_table('one_shard.leads', NULL) \g /dev/null
INSERT INTO one_shard.leads SELECT i % 10, i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
SELECT track_lead_phones('one_shard.leads') \g /dev/null
CALL exact('one_shard.leads', 'a table of one shard, filled, then tracked');
SET citus.enable_schema_based_sharding = on;
CREATE SCHEMA tenant;
RESET citus.enable_schema_based_sharding;
CREATE TABLE tenant.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT track_lead_phones('tenant.leads') \g /dev/null
CREATE SCHEMA moved;
CREATE TABLE moved.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT track_lead_phones('moved.leads') \g /dev/null
INSERT INTO moved.leads SELECT i % 10, i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL disqualify_phone(7, '678 999 1017', leads => 'moved.leads') \g /dev/null
SET client_min_messages = warning;
SET citus.enable_unsafe_triggers = on;
SELECT citus_schema_distribute('moved') \g /dev/null
RESET citus.enable_unsafe_triggers;
SET client_min_messages = notice;
CALL exact('moved.leads', 'tracked and filled, and its schema distributed');
SELECT truncate_local_data_after_distributing_table(format('moved.%I', t)) FROM unnest('{leads,campaign_phone_counts,campaign_phone_disqualifications}'::text[]) AS t \g /dev/null
CALL exact('moved.leads', 'and the rows left on the coordinator truncated');
CREATE PROCEDURE written_to(leads regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($q$INSERT INTO %s SELECT i %% 10, 1000 + i, '678 999 ' || 1000 + i %% 50, '678 999 2001' FROM generate_series(1, 300) AS i$q$, leads);
    EXECUTE format($q$UPDATE %s SET phone = '678 999 4000' WHERE id %% 7 = 0$q$, leads);
    EXECUTE format($q$DELETE FROM %s WHERE id %% 5 = 0$q$, leads);
    EXECUTE format($q$CALL disqualify_phone(3, '678 999 1003', leads => %L)$q$, leads);
    EXECUTE format($q$INSERT INTO %s VALUES (3, 5000, '(678) 999-1003', NULL)$q$, leads);
END $$;
CALL written_to('one_shard.leads');
CALL exact('one_shard.leads', 'written to');
CALL written_to('tenant.leads');
CALL exact('tenant.leads', 'written to');
CALL written_to('moved.leads');
CALL exact('moved.leads', 'written to');

-- Distributed with its triggers on: its counts first, and nothing is counted twice; itself first, and it is refused.
CREATE SCHEMA with_triggers;
CREATE TABLE with_triggers.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT track_lead_phones('with_triggers.leads') \g /dev/null
INSERT INTO with_triggers.leads SELECT i % 10, i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
CALL disqualify_phone(7, '678 999 1017', leads => 'with_triggers.leads') \g /dev/null
SET client_min_messages = warning;
SET citus.enable_unsafe_triggers = on;
CALL refused($$SELECT create_distributed_table('with_triggers.leads', 'campaign_id')$$, 'the phone counts % do not exist');
SELECT create_distributed_table('with_triggers.campaign_phone_counts', 'campaign_id', colocate_with => 'none') \g /dev/null
CALL refused($$SELECT * FROM verify_phone_counts('with_triggers.leads')$$, 'tables % and % are not colocated');
SELECT create_distributed_table('with_triggers.campaign_phone_disqualifications', 'campaign_id', colocate_with => 'with_triggers.campaign_phone_counts') \g /dev/null
SELECT create_distributed_table('with_triggers.leads', 'campaign_id', colocate_with => 'with_triggers.campaign_phone_counts') \g /dev/null
RESET citus.enable_unsafe_triggers;
SET client_min_messages = notice;
CALL exact('with_triggers.leads', 'distributed with its triggers on');
CALL written_to('with_triggers.leads');
CALL exact('with_triggers.leads', 'written to');

-- All of it in one transaction, rows by COPY and by INSERT.
BEGIN;
CREATE SCHEMA at_once;
CREATE TABLE at_once.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT create_distributed_table('at_once.leads', 'campaign_id') \g /dev/null
SELECT track_lead_phones('at_once.leads') \g /dev/null
COPY at_once.leads (campaign_id, id, phone, mobile) FROM stdin;
1	1	678 999 3000	678 999 3001
2	2	678 999 3000	678 999 3001
1	3	678 999 3000	\N
\.
INSERT INTO at_once.leads VALUES (1, 4, '678 999 3000', NULL), (2, 4, '678 999 3002', NULL);
INSERT INTO at_once.leads SELECT i % 40, 100 + i, '678 999 ' || 1000 + i % 50, '678 999 2000' FROM generate_series(1, 300) AS i;
COPY at_once.leads (campaign_id, id, phone, mobile) FROM stdin;
1	5	678 999 3000	678 999 3001
\.
COMMIT;
CALL exact('at_once.leads', 'created, distributed, tracked and filled in one transaction');

-- Lead tables beside Citus work as without it; distributed they are refused, whatever is done, and nothing is half done.
CREATE SCHEMA crm;
REVOKE CREATE ON SCHEMA crm FROM PUBLIC;
SET client_min_messages = warning;
SELECT create_lead_tables('crm') \g /dev/null
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'spring');
INSERT INTO crm.leads (campaign_id, name, email, company, phone) VALUES (1, 'John Smith', 'john@kw.example', 'Keller Williams', '212 761 2846');
SET citus.enable_unsafe_triggers = on;
CALL refused($$SELECT citus_schema_distribute('crm')$$, 'the lead tables of schema "crm" are distributed by Citus');
DO $$ BEGIN
    IF (SELECT count(*) FROM crm.callable_leads) <> 1 THEN RAISE EXCEPTION 'lead tables beside Citus'; END IF;
END $$;
DROP SCHEMA crm CASCADE;
CREATE SCHEMA empty;
SELECT create_lead_tables('empty') \g /dev/null
SELECT citus_schema_distribute('empty') \g /dev/null
RESET citus.enable_unsafe_triggers;
SET client_min_messages = notice;
INSERT INTO empty.campaigns (campaign_id, name) VALUES (1, 'spring');
CALL refused($$INSERT INTO empty.leads (campaign_id, name, phone) VALUES (1, 'John Smith', '212 761 2846')$$, 'the lead tables of schema "empty" are distributed by Citus');
CALL refused($$SELECT * FROM lead_status(1, leads => 'empty.leads')$$, 'the lead tables of schema "empty" are distributed by Citus');
CALL refused($$CALL suppress_phones('{212 761 2846}'::text[], leads => 'empty.leads')$$, 'the lead tables of schema "empty" are distributed by Citus');

-- A whole table that is one campaign, of one shard.
CREATE SCHEMA whole;
CREATE TABLE whole.donors (id int PRIMARY KEY, phone text);
SELECT track_lead_phones('whole.donors', campaign_column => NULL) \g /dev/null
INSERT INTO whole.donors SELECT i, '678 999 ' || 1000 + i % 50 FROM generate_series(1, 300) AS i;
CALL disqualify_phone(NULL::bigint, '678 999 1017', leads => 'whole.donors') \g /dev/null
SET client_min_messages = warning;
SET citus.enable_unsafe_triggers = on;
SELECT citus_schema_distribute('whole') \g /dev/null
RESET citus.enable_unsafe_triggers;
SET client_min_messages = notice;
CALL exact('whole.donors', 'a whole table, its schema distributed');
INSERT INTO whole.donors VALUES (1000, '(678) 999-1017'), (1001, '(678) 999-1018');
CALL exact('whole.donors', 'written to');

-- Local tables are tracked as without Citus, also numbers that are disqualified in every campaign; and such that Citus knows of for a reference table's sake.
CREATE SCHEMA beside;
CREATE TABLE beside.leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT track_lead_phones('beside.leads') \g /dev/null
CALL disqualify_phone(NULL, '678 999 8212', leads => 'beside.leads') \g /dev/null
INSERT INTO beside.leads VALUES (1, 1, '(678) 999-8212', NULL);
DO $$ BEGIN
    IF (SELECT phone_disqualified FROM beside.leads) IS NOT TRUE THEN RAISE EXCEPTION 'not marked'; END IF;
END $$;
CALL exact('beside.leads', 'a local table, a number in every campaign');
SET application_name = 'citus_internal';
CALL refused('DROP TABLE beside.campaign_phone_disqualifications', '%cannot be dropped: tracked table "beside.leads" needs it');
RESET application_name;
CREATE TABLE beside.known (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SET client_min_messages = warning;
SELECT citus_add_local_table_to_metadata('beside.known') \g /dev/null
SELECT track_lead_phones('beside.known') \g /dev/null
SET client_min_messages = notice;
CALL written_to('beside.known');
CALL exact('beside.known', 'a local table in the metadata');
