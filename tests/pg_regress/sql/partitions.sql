-- Partitioned tables and inheritance: a tracked table is tracked with every table below it, whenever that comes or goes.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE SCHEMA partitions;
SET search_path = partitions, public;
SET check_function_bodies = off;
CREATE FUNCTION state(OUT leads bigint, OUT counts text, OUT wrong bigint) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM partitions.leads),
           (SELECT string_agg(format('%s:%s %s/%s/%s%s', campaign_id, right(phone, 4), lead_count, phone_count, mobile_count,
                                     CASE WHEN disqualified THEN ' out' ELSE '' END), ', ' ORDER BY campaign_id, phone)
              FROM partitions.campaign_phone_counts),
           (SELECT count(*) FROM verify_phone_counts('partitions.leads'))
$$;

-- By campaign, with a level of partitions in between, filled before it is tracked.
CREATE TABLE leads (campaign_id int NOT NULL, id int NOT NULL, phone text, mobile text, PRIMARY KEY (campaign_id, id)) PARTITION BY LIST (campaign_id);
CREATE TABLE leads_1 PARTITION OF leads FOR VALUES IN (1);
CREATE TABLE leads_2 PARTITION OF leads FOR VALUES IN (2) PARTITION BY HASH (id);
CREATE TABLE leads_2a PARTITION OF leads_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE leads_2b PARTITION OF leads_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO leads VALUES (1, 1, '678 999 1001', NULL), (2, 2, '678 999 1001', '678-999-1002'), (2, 3, 'n/a', '678 999 1002');
SELECT * FROM track_lead_phones('leads');
SELECT * FROM track_lead_phones('leads');
SELECT leads, counts FROM lead_phone_tables;
SELECT * FROM state();

-- To the partitioned table, straight to a partition, to the level in between.
INSERT INTO leads VALUES (1, 4, '678 999 1002', '(678) 999-1002'), (2, 5, '678 999 1003', NULL);
INSERT INTO leads_1 VALUES (1, 5, '678 999 1003', NULL);
INSERT INTO leads_2 VALUES (2, 6, '678 999 1003', NULL), (2, 7, '678 999 1004', NULL);
INSERT INTO leads_2a SELECT 2, i, '678 999 1005' FROM generate_series(8, 20) AS i WHERE satisfies_hash_partition('leads_2'::regclass, 2, 0, i);
SELECT * FROM state();
UPDATE leads_2 SET mobile = phone WHERE id = 7;
UPDATE leads_2a SET phone = '678 999 1006' WHERE phone = '+16789991005';
DELETE FROM leads_2 WHERE id = 6;
DELETE FROM leads_1 WHERE id = 5;
COPY leads_1 (campaign_id, id, phone) FROM stdin;
1	9	678.999.1007
\.
SELECT * FROM state();
-- from partition to partition
UPDATE leads SET campaign_id = 1, phone = '678 999 1008' WHERE id IN (3, 7);
UPDATE leads SET campaign_id = 3 - campaign_id;
SELECT * FROM state();
UPDATE leads SET campaign_id = 3 - campaign_id;
-- a trigger of one partition suppresses rows that move there
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER a_suppress BEFORE INSERT ON leads_2b FOR EACH ROW EXECUTE FUNCTION suppress();
UPDATE leads SET campaign_id = 2, id = id + 100 WHERE campaign_id = 1;
SELECT leads < 15 AS some_suppressed, wrong FROM state();
DROP TRIGGER a_suppress ON leads_2b;

-- Disqualified: in every partition, and arriving later in any.
CALL disqualify_phone(2, '678 999 1001');
INSERT INTO leads_2 VALUES (2, 300, '678 999 1001', NULL), (2, 301, '678 999 1001', NULL);
SELECT count(*) FILTER (WHERE phone_disqualified), count(*) FROM leads WHERE phone = '+16789991001';
SELECT wrong FROM state();

-- Partitions that come later: new, and with leads.
CREATE TABLE leads_3 PARTITION OF leads FOR VALUES IN (3);
INSERT INTO leads_3 VALUES (3, 1, '678 999 1001', NULL);
CREATE TABLE more (LIKE leads INCLUDING ALL);
INSERT INTO more VALUES (4, 1, '678 999 1001', 'n/a'), (4, 2, '+16789991002', '678 999 1001');
SET client_min_messages = warning;
CALL disqualify_phone(3, '678 999 1001');
INSERT INTO campaign_phone_disqualifications (campaign_id, phone, entry, source, disqualified_by, disqualified_at)
VALUES (4, '+16789991001', 1, 'test', 'test', now());
SELECT rebuild_phone_counts('leads') > 0 AS rebuilt;
RESET client_min_messages;
ALTER TABLE leads ATTACH PARTITION more FOR VALUES IN (4);
SELECT * FROM more ORDER BY id;
SELECT * FROM campaign_phone_counts WHERE campaign_id > 2 ORDER BY campaign_id, phone;
INSERT INTO more VALUES (4, 3, '678 999 1002', NULL);
SELECT wrong FROM state();
BEGIN;
CREATE TABLE rolled_back PARTITION OF leads FOR VALUES IN (5);
INSERT INTO rolled_back VALUES (5, 1, '678 999 1001', NULL);
SELECT wrong FROM state();
ROLLBACK;
SELECT wrong FROM state();

-- And go: truncated, detached, dropped.
TRUNCATE leads_2a;
SELECT * FROM state();
ALTER TABLE leads DETACH PARTITION more;
SELECT count(*) FROM campaign_phone_counts WHERE campaign_id = 4 AND lead_count > 0;
INSERT INTO more (campaign_id, id, phone) VALUES (4, 9, '678 999 1009');
SELECT phone FROM more WHERE id = 9;
SELECT wrong FROM state();
SELECT tgname FROM pg_trigger WHERE tgrelid = 'more'::regclass;
ALTER TABLE leads ATTACH PARTITION more FOR VALUES IN (4);
SELECT wrong FROM state();
ALTER TABLE leads DETACH PARTITION more CONCURRENTLY;
SELECT wrong FROM state();
DROP TABLE leads_3, more;
SELECT * FROM state();
DROP TABLE IF EXISTS leads_2, no_such_table;
SELECT * FROM state();
CREATE SCHEMA attic;
CREATE TABLE attic.leads_2 PARTITION OF leads FOR VALUES IN (2);
INSERT INTO leads VALUES (2, 1, '678 999 1001', NULL), (1, 50, '678 999 1009', NULL);
SELECT * FROM state();
DROP SCHEMA attic CASCADE;
SELECT * FROM state();
TRUNCATE leads;
SELECT * FROM state();
INSERT INTO leads VALUES (1, 1, '678 999 1001', NULL);
TRUNCATE leads_1, leads;
SELECT * FROM state();

-- Dropped and truncated by ways that cross.
CREATE TABLE leads_2 PARTITION OF leads FOR VALUES IN (2) PARTITION BY HASH (id);
CREATE TABLE leads_2a PARTITION OF leads_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE leads_2b PARTITION OF leads_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO leads SELECT 1 + i % 2, 100 + i, '678 999 ' || 1001 + i % 3, NULL FROM generate_series(1, 20) AS i;
CREATE TABLE leads_0 PARTITION OF leads DEFAULT;
INSERT INTO leads VALUES (9, 1, '678 999 1001', NULL);
SELECT * FROM state();
DROP TABLE leads_2, leads_2a, leads_0, leads_0;
SELECT * FROM state();
-- a trigger of the application that writes while leads are truncated, and one that stops it
CREATE TABLE log (at timestamptz);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (now()); RETURN NULL; END';
CREATE TRIGGER zz_log BEFORE TRUNCATE ON leads EXECUTE FUNCTION log_it();
TRUNCATE leads;
SELECT * FROM state();
INSERT INTO leads VALUES (1, 1, '678 999 1001', NULL);
CREATE OR REPLACE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''stop''; END';
BEGIN;
SAVEPOINT s;
TRUNCATE leads;
ROLLBACK TO s;
TRUNCATE leads_1;
COMMIT;
SELECT * FROM state();
DROP TRIGGER zz_log ON leads;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM state();
TRUNCATE leads;
COMMIT;
-- by the owner of the schema, in which a partition of someone else's is
CREATE ROLE regress_schema_owner;
CREATE SCHEMA attic AUTHORIZATION regress_schema_owner;
CREATE TABLE attic.leads_5 PARTITION OF leads FOR VALUES IN (5);
INSERT INTO leads VALUES (5, 1, '678 999 1001', NULL);
SET ROLE regress_schema_owner;
DROP TABLE attic.leads_5;
RESET ROLE;
SELECT * FROM state();
DROP SCHEMA attic;
DROP ROLE regress_schema_owner;
-- with its schema, in one statement
CREATE SCHEMA attic CREATE TABLE leads_5 PARTITION OF partitions.leads FOR VALUES IN (5);
INSERT INTO attic.leads_5 VALUES (5, 1, '678 999 1001', NULL);
SELECT * FROM state();
DROP SCHEMA attic CASCADE;
-- a table moved, renamed, of another owner
CREATE SCHEMA attic;
CREATE TABLE leads_5 PARTITION OF leads FOR VALUES IN (5);
ALTER TABLE leads_5 SET SCHEMA attic;
ALTER TABLE attic.leads_5 RENAME TO "Leads Five";
INSERT INTO attic."Leads Five" VALUES (5, 1, '678 999 1001', NULL);
SELECT * FROM state();
DROP SCHEMA attic CASCADE;
SELECT * FROM state();
CREATE ROLE regress_next_owner;
ALTER TABLE leads OWNER TO regress_next_owner;
ALTER TABLE leads_1 OWNER TO regress_next_owner;
INSERT INTO leads VALUES (1, 1, '678 999 1001', NULL);
ALTER TABLE campaign_phone_counts OWNER TO regress_next_owner;
ALTER TABLE campaign_phone_disqualifications OWNER TO regress_next_owner;
ALTER TABLE phone_suppressions OWNER TO regress_next_owner;
ALTER TABLE suppressed_phones OWNER TO regress_next_owner;
GRANT USAGE ON SCHEMA partitions TO regress_next_owner;
INSERT INTO leads VALUES (1, 1, '678 999 1001', NULL);
SELECT * FROM state();
REASSIGN OWNED BY regress_next_owner TO CURRENT_USER;
DROP OWNED BY regress_next_owner;
DROP ROLE regress_next_owner;

-- What cannot be.
SELECT track_lead_phones('leads_1');
SELECT untrack_lead_phones('leads_1');
SELECT verify_phone_counts('leads_1');
CREATE ROLE regress_stranger;
CREATE TABLE foreign_to_us (LIKE leads);
ALTER TABLE foreign_to_us OWNER TO regress_stranger;
ALTER TABLE leads ATTACH PARTITION foreign_to_us FOR VALUES IN (8);
DROP TABLE foreign_to_us;
DROP ROLE regress_stranger;
CREATE SCHEMA by_phone;
CREATE TABLE by_phone.leads (campaign_id int, phone text, mobile text) PARTITION BY LIST (phone);
SELECT track_lead_phones('by_phone.leads');
CREATE TABLE by_phone.tracked (campaign_id int, phone text, mobile text);
SELECT track_lead_phones('by_phone.tracked');
CREATE TABLE by_phone.above (LIKE by_phone.tracked) PARTITION BY LIST (campaign_id);
ALTER TABLE by_phone.above ATTACH PARTITION by_phone.tracked FOR VALUES IN (1);
SET client_min_messages = warning;
DROP SCHEMA by_phone CASCADE;

-- Untracked, it is an ordinary table again, with all below it.
SELECT untrack_lead_phones('leads');
SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'partitions'::regnamespace AND NOT tgisinternal;
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications;

-- Inheritance.
CREATE TABLE leads (id int PRIMARY KEY, campaign_id int, phone text, mobile text);
CREATE TABLE hot_leads (heat int) INHERITS (leads);
INSERT INTO hot_leads VALUES (1, 1, '678 999 1001', NULL, 9);
SELECT * FROM track_lead_phones('leads');
SELECT leads FROM lead_phone_tables;
INSERT INTO leads VALUES (2, 1, '678 999 1001', '678 999 1002');
INSERT INTO hot_leads VALUES (3, 1, '678 999 1003', NULL, 9);
UPDATE leads SET mobile = '678 999 1003';
SELECT * FROM state();
CREATE TABLE cold_leads (LIKE leads INCLUDING DEFAULTS);
INSERT INTO cold_leads VALUES (4, 1, '678 999 1004', NULL);
ALTER TABLE cold_leads INHERIT leads;
SELECT * FROM state();
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'partitions' AND tablename = 'cold_leads' ORDER BY indexname;
DELETE FROM cold_leads;
INSERT INTO cold_leads VALUES (5, 1, '678 999 1005', NULL);
CALL disqualify_phone(1, '678 999 1005');
SELECT phone, phone_disqualified FROM cold_leads;
TRUNCATE ONLY leads;
SELECT * FROM state();
TRUNCATE hot_leads;
SELECT * FROM state();
ALTER TABLE cold_leads NO INHERIT leads;
SELECT * FROM state();
ALTER TABLE cold_leads INHERIT leads;
INSERT INTO leads VALUES (2, 1, '678 999 1001', '678 999 1002');
DROP TABLE cold_leads;
SELECT * FROM state();
INSERT INTO hot_leads VALUES (6, 1, '678 999 1006', NULL, 1);
TRUNCATE leads;
SELECT * FROM state();
-- A diamond, and a table that goes over from one tree to another.
CREATE TABLE a () INHERITS (leads);
CREATE TABLE b () INHERITS (leads);
CREATE TABLE c () INHERITS (a, b);
INSERT INTO c VALUES (7, 1, '678 999 1007', NULL);
SELECT * FROM state();
ALTER TABLE c NO INHERIT a;
SELECT * FROM state();
ALTER TABLE c INHERIT a;
-- both parents at once: taken off once
INSERT INTO leads VALUES (7, 1, '678 999 1007', NULL);
ALTER TABLE c NO INHERIT a, NO INHERIT b;
SELECT * FROM state();
ALTER TABLE c INHERIT a;
ALTER TABLE c INHERIT b;
SELECT * FROM state();
DELETE FROM ONLY leads;
DROP TABLE a, b CASCADE;
SELECT * FROM state();
CREATE TABLE other_leads (LIKE leads);
ALTER TABLE hot_leads INHERIT other_leads;
CREATE SCHEMA second;
CREATE TABLE second.leads (id int, campaign_id int, phone text, mobile text);
SELECT FROM track_lead_phones('second.leads');
INSERT INTO hot_leads VALUES (8, 1, '678 999 1008', NULL, 1);
ALTER TABLE hot_leads NO INHERIT leads, INHERIT second.leads;
SELECT * FROM state();
SELECT phone, lead_count FROM second.campaign_phone_counts;
SELECT count(*) FROM verify_phone_counts('second.leads');
ALTER TABLE hot_leads NO INHERIT second.leads, INHERIT leads;
SELECT * FROM state();
SELECT phone, lead_count FROM second.campaign_phone_counts;
CREATE TABLE both_leads () INHERITS (leads, second.leads);
SET client_min_messages = warning;
DROP SCHEMA second CASCADE;
RESET client_min_messages;

-- A table outside the tree must not be above one inside: writes through it would not be counted.
CREATE TABLE outside (phone text);
CREATE TABLE doubtful_leads () INHERITS (leads, outside);
CREATE TABLE doubtful_leads () INHERITS (leads);
ALTER TABLE doubtful_leads INHERIT outside;
DROP TABLE doubtful_leads;
SELECT untrack_lead_phones('leads');
CREATE TABLE doubtful_leads () INHERITS (leads, outside);
SELECT track_lead_phones('leads');
DROP TABLE doubtful_leads, outside;
SELECT unique_numbers FROM track_lead_phones('leads');
SELECT * FROM state();

-- At REPEATABLE READ, what comes and goes is read as it is now, or refused.
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE TABLE young_leads () INHERITS (leads);
INSERT INTO young_leads VALUES (7, 1, '678 999 1009', NULL);
SELECT count(*) FROM verify_phone_counts('leads');
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
ALTER TABLE young_leads NO INHERIT leads;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
DROP TABLE young_leads;
COMMIT;
DROP TABLE young_leads;
SELECT * FROM state();

CREATE TABLE raw_leads (campaign_id int, phone text, mobile text) PARTITION BY HASH (lower(phone));
SELECT track_lead_phones('raw_leads');
DROP TABLE raw_leads;

CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE elsewhere () INHERITS (leads) SERVER nowhere;
DROP FOREIGN DATA WRAPPER nowhere CASCADE;
CREATE SCHEMA other;
CREATE TABLE other.leads (LIKE leads);
SELECT track_lead_phones('other.leads');
ALTER TABLE other.leads INHERIT leads;
-- with event triggers disabled: a detached table stops at its next write
SET session_replication_role = replica;
ALTER TABLE hot_leads NO INHERIT leads;
RESET session_replication_role;
INSERT INTO hot_leads VALUES (7, 1, '678 999 1006', NULL, 1);
SELECT untrack_lead_phones('hot_leads');
INSERT INTO hot_leads VALUES (7, 1, '678 999 1006', NULL, 1);
SET client_min_messages = warning;
DROP SCHEMA other, partitions CASCADE;
