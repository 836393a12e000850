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

-- Lead tables, filled beside Citus and then distributed: what was said of them before holds, and their rules run on their node.
CREATE SCHEMA crm;
REVOKE CREATE ON SCHEMA crm FROM PUBLIC;
SELECT create_lead_tables('crm') \g /dev/null
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'spring'), (2, 'autumn');
INSERT INTO crm.leads (campaign_id, name, email, company, phone)
SELECT c, 'Person ' || i, 'p' || i || '@company' || i % 5 || '.example', 'Company ' || i % 5, '678 999 ' || 1000 + i % 40
  FROM generate_series(1, 2) AS c, generate_series(1, 50) AS i;
CALL disqualify_phone(1, '678 999 1001', leads => 'crm.contacts') \g /dev/null
CALL suppress_phones('{678 999 1002}'::text[], leads => 'crm.leads') \g /dev/null
CALL suppress_domains('{company3.example}'::text[], leads => 'crm.leads') \g /dev/null
CREATE PROCEDURE callable_are(expected bigint, what text) LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    SELECT count(*) INTO found FROM crm.callable_leads;
    IF found <> expected THEN RAISE EXCEPTION '%: % leads are callable, not %', what, found, expected; END IF;
END $$;
-- of 100: two and one by the first number, four by the second, twenty of company 3
CALL callable_are(74, 'before');
SET client_min_messages = warning;
SELECT distribute_lead_tables('crm') \g /dev/null
SET client_min_messages = notice;
CALL callable_are(74, 'distributed');
CALL exact('crm.contacts', 'lead tables, distributed');
DO $$ BEGIN
    IF (SELECT count(*) FROM pg_dist_shard WHERE logicalrelid::text LIKE 'crm.%') <> 20 THEN RAISE EXCEPTION 'not all tables are distributed'; END IF;
END $$;
CALL refused($$SELECT create_distributed_table('crm.leads', 'campaign_id')$$, '%already distributed%');
-- written through Citus: the triggers of the shards split, mark and count
INSERT INTO crm.leads (campaign_id, name, email, phone) VALUES (1, 'Out', 'out@x.example', '678 999 1001'), (2, 'Out', 'out@x.example', '(678) 999-1002'), (1, 'New', 'new@x.example', '678 999 8212');
CALL callable_are(75, 'inserted');
UPDATE crm.contacts SET phone = '678 999 1002' WHERE campaign_id = 1 AND email = 'new@x.example';
CALL callable_are(74, 'edited');
CALL exact('crm.contacts', 'lead tables, written');
-- the procedures run on the node, and within this transaction
CREATE TABLE public.file (email text, full_name text, phone text, company text);
INSERT INTO public.file SELECT 'q' || i || '@y' || i % 3 || '.example', 'Q ' || i, '678 999 ' || 2000 + i, 'Y' || i % 3 FROM generate_series(1, 12000) AS i;
BEGIN;
CALL upload_leads(2, 'public.file', 'march.csv', leads => 'crm.leads') \g /dev/null
ROLLBACK;
CALL callable_are(74, 'rolled back');
DO $$
DECLARE
    person constant bigint := (SELECT contact_id FROM crm.contacts WHERE campaign_id = 1 AND email = 'p4@company4.example');
    marked bigint;
BEGIN
    CALL disqualify_contact(1, person, leads => 'crm.leads', leads_out => marked);
    RAISE EXCEPTION 'rolled back';
EXCEPTION WHEN raise_exception THEN
END $$;
CALL callable_are(74, 'a block rolled back');
CALL upload_leads(2, 'public.file', 'march.csv', leads => 'crm.leads') \gset
DO $$ BEGIN
    IF (SELECT (rows_in_file, created, invalid_phone) FROM crm.lead_uploads) <> (12000::bigint, 12000::bigint, 4001::bigint) THEN RAISE EXCEPTION 'a receipt: %', (SELECT u FROM crm.lead_uploads AS u); END IF;
    IF (SELECT count(*) FROM crm.leads WHERE upload_id IS NOT NULL AND row_number = contact_id - (SELECT min(contact_id) - 1 FROM crm.leads WHERE upload_id IS NOT NULL)) <> 12000
        THEN RAISE EXCEPTION 'rows out of order'; END IF;
END $$;
CALL exact('crm.contacts', 'lead tables, uploaded');
SELECT lead_id AS lead FROM crm.leads WHERE email = 'p4@company4.example' AND campaign_id = 1 \gset
CALL start_call(:lead, leads => 'crm.leads') \gset
DO $$ BEGIN
    IF (SELECT count(*) FROM crm.calls WHERE ended_at IS NULL) <> 1 THEN RAISE EXCEPTION 'no call'; END IF;
    IF (SELECT kind FROM lead_status((SELECT lead_id FROM crm.calls), leads => 'crm.leads', campaign => 1)) <> 'on_call' THEN RAISE EXCEPTION 'not on the line'; END IF;
END $$;
CALL end_call(:call_id, 'do not call', leads => 'crm.leads');
DO $$ BEGIN
    IF (SELECT count(*) FROM crm.callable_leads WHERE phone = '+16789991004') <> 0 THEN RAISE EXCEPTION 'is called again'; END IF;
    IF (SELECT count(*) FROM next_leads(2, how_many => 5, leads => 'crm.leads')) <> 5 THEN RAISE EXCEPTION 'no next leads'; END IF;
END $$;
TRUNCATE crm.leads;
CALL callable_are(0, 'truncated');
DROP TABLE public.file;
-- who may not use a procedure may not by way of another node
CREATE ROLE dialer LOGIN;
GRANT USAGE ON SCHEMA crm TO dialer;
SET ROLE dialer;
CALL refused($$CALL suppress_phones('{678 999 1003}'::text[], leads => 'crm.leads')$$, 'permission denied for procedure suppress_phones');
CALL refused($$SELECT lead_phones_upload_step('crm.leads', 'open_upload', '{}')$$, 'permission denied for table leads%');
RESET ROLE;

-- Distributed by Citus alone, their rules run, and other nodes say what is missing.
CREATE SCHEMA empty;
SELECT create_lead_tables('empty') \g /dev/null
SET client_min_messages = warning;
SET citus.enable_unsafe_triggers = on;
SELECT citus_schema_distribute('empty') \g /dev/null
RESET citus.enable_unsafe_triggers;
SET client_min_messages = notice;
INSERT INTO empty.campaigns (campaign_id, name) VALUES (1, 'spring');
INSERT INTO empty.leads (campaign_id, lead_id, name, phone) VALUES (1, 100, 'Jane Doe', '212 761 2847');
CALL refused($$SELECT * FROM lead_status(1, leads => 'empty.leads')$$, 'nothing says on which node the lead tables of empty.leads are');
SELECT distribute_lead_tables('empty') \g /dev/null
INSERT INTO empty.leads (campaign_id, name, phone) VALUES (1, 'John Smith', '212 761 2846');
CALL exact('empty.contacts', 'completed');
SELECT distribute_lead_tables('empty');
-- a column that goes would be missing in a shard that is moved, and those after it in other places
ALTER TABLE empty.accounts ADD COLUMN last_one text;
ALTER TABLE empty.accounts DROP COLUMN last_one;
ALTER TABLE empty.accounts ADD COLUMN score int, ADD COLUMN rank int;
CALL refused('ALTER TABLE empty.accounts DROP COLUMN score', 'column "score" of table "empty.accounts" cannot be dropped');
CREATE SCHEMA lost;
SELECT create_lead_tables('lost') \g /dev/null
ALTER TABLE lost.leads ADD COLUMN score int, ADD COLUMN rank int;
ALTER TABLE lost.leads DROP COLUMN score;
CALL refused($$SELECT distribute_lead_tables('lost')$$, 'table "lost.leads" cannot be distributed: a column of it was dropped');
DROP SCHEMA lost CASCADE;
-- the owner cannot have others plan what hangs on the table by which they reach the node
CREATE ROLE mallory LOGIN;
CREATE SCHEMA evil AUTHORIZATION mallory;
SET ROLE mallory;
SELECT create_lead_tables('evil') \g /dev/null
RESET ROLE;
SELECT distribute_lead_tables('evil') \g /dev/null
SET ROLE mallory;
CALL refused('CREATE INDEX ON evil.lead_node (note)', 'must be owner of table lead_node');
CALL refused('DROP TABLE evil.lead_node', 'must be owner of table lead_node');
INSERT INTO evil.campaigns (campaign_id, name) VALUES (1, 'spring');
INSERT INTO evil.leads (campaign_id, lead_id, email, phone) VALUES (1, 1, 'john@kw.example', '678 999 8212');
CALL suppress_phones('{678 999 8213}'::text[], leads => 'evil.leads') \g /dev/null
CALL start_call(1, leads => 'evil.leads') \g /dev/null
CALL exact('evil.contacts', 'lead tables of a plain role');
RESET ROLE;
CALL refused($$SELECT distribute_lead_tables('public')$$, 'there are no lead tables beside "public.leads"');
CALL refused($$SELECT distribute_lead_tables('tenant_of_none')$$, 'schema "tenant_of_none" has no lead tables');

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
