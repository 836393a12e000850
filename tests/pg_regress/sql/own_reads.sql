-- In a transaction that wrote, each way of looking at the counts gives the same figure.
\set SHOW_CONTEXT never
CREATE SCHEMA own_reads;
SET search_path = own_reads, public;
CREATE TABLE leads (id integer PRIMARY KEY, campaign_id integer, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('leads');
CREATE FUNCTION stable_sql() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT sum(lead_count)::bigint FROM campaign_phone_counts';
CREATE FUNCTION stable_plpgsql() RETURNS bigint STABLE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT sum(lead_count)::bigint FROM campaign_phone_counts); END';
CREATE FUNCTION volatile_plpgsql() RETURNS bigint VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT sum(lead_count)::bigint FROM campaign_phone_counts); END';
CREATE FUNCTION parallel_safe() RETURNS bigint STABLE PARALLEL SAFE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT sum(lead_count)::bigint FROM campaign_phone_counts); END';
-- the plan as JSON: its text is not the same on each major version
CREATE FUNCTION explained(options text, query text) RETURNS jsonb LANGUAGE plpgsql AS $$ DECLARE plan jsonb; BEGIN
    EXECUTE format('EXPLAIN (%s, FORMAT json) %s', options, query) INTO plan; RETURN plan->0->'Plan'; END $$;
CREATE MATERIALIZED VIEW as_view AS SELECT sum(lead_count) AS leads FROM campaign_phone_counts WITH NO DATA;
CREATE TABLE many AS SELECT i FROM generate_series(1, 20000) AS i;
ANALYZE many;
PREPARE prepared AS SELECT sum(lead_count) FROM campaign_phone_counts;

-- several times in one statement
BEGIN;
INSERT INTO leads VALUES (1, 1, '678 999 8212', NULL), (2, 1, '678 999 8212', NULL);
SELECT stable_sql() FROM generate_series(1, 3);
INSERT INTO leads VALUES (3, 1, '678 999 8212', NULL);
SELECT stable_plpgsql() FROM generate_series(1, 3);
INSERT INTO leads VALUES (4, 1, '678 999 8212', NULL);
SELECT volatile_plpgsql() FROM generate_series(1, 3);
INSERT INTO leads VALUES (5, 1, '678 999 8212', NULL);
SELECT lead_count, stable_sql(), stable_plpgsql(), volatile_plpgsql() FROM campaign_phone_counts;
INSERT INTO leads VALUES (6, 1, '678 999 8212', NULL);
SELECT stable_sql(), lead_count, (SELECT sum(lead_count) FROM campaign_phone_counts) FROM campaign_phone_counts WHERE stable_plpgsql() = 6;
-- functions that nest, and an exception block around
CREATE FUNCTION nested() RETURNS bigint STABLE LANGUAGE plpgsql AS $$ BEGIN
    BEGIN RETURN stable_sql() + 0 * stable_plpgsql(); EXCEPTION WHEN division_by_zero THEN RETURN -1; END; END $$;
INSERT INTO leads VALUES (7, 1, '678 999 8212', NULL);
SELECT nested(), nested() FROM generate_series(1, 2);
DO $$ BEGIN
    INSERT INTO leads VALUES (8, 1, '678 999 8212', NULL);
    RAISE NOTICE '% % %', stable_sql(), stable_plpgsql(), (SELECT lead_count FROM campaign_phone_counts);
END $$;
COMMIT;

-- COPY, CREATE TABLE AS, SELECT INTO, REFRESH, cursors, EXPLAIN ANALYZE, prepared statements
BEGIN;
INSERT INTO leads VALUES (9, 1, '678 999 8212', NULL);
COPY campaign_phone_counts TO STDOUT;
INSERT INTO leads VALUES (10, 1, '678 999 8212', NULL);
COPY (SELECT lead_count, stable_sql() FROM campaign_phone_counts) TO STDOUT;
INSERT INTO leads VALUES (11, 1, '678 999 8212', NULL);
CREATE TABLE as_table AS SELECT lead_count, stable_sql() FROM campaign_phone_counts;
TABLE as_table;
INSERT INTO leads VALUES (12, 1, '678 999 8212', NULL);
SELECT lead_count, stable_plpgsql() INTO into_table FROM campaign_phone_counts;
TABLE into_table;
INSERT INTO leads VALUES (13, 1, '678 999 8212', NULL);
REFRESH MATERIALIZED VIEW as_view;
TABLE as_view;
INSERT INTO leads VALUES (14, 1, '678 999 8212', NULL);
DECLARE as_cursor CURSOR FOR SELECT lead_count, stable_sql() FROM campaign_phone_counts;
FETCH as_cursor;
INSERT INTO leads VALUES (15, 1, '678 999 8212', NULL);
SELECT plan->>'Actual Rows' ~ '^1(\.0+)?$' AS found FROM explained('ANALYZE', 'SELECT 1 FROM campaign_phone_counts WHERE lead_count = 15 AND stable_sql() = 15') AS plan;
INSERT INTO leads VALUES (16, 1, '678 999 8212', NULL);
EXECUTE prepared;
COPY campaign_phone_counts TO STDOUT;
COMMIT;

-- a parallel plan: workers know nothing of what is kept
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT plan::text ~ '"Node Type": "Gather"' AS parallel FROM explained('COSTS off', 'SELECT DISTINCT parallel_safe() FROM many') AS plan;
BEGIN;
INSERT INTO leads VALUES (17, 1, '678 999 8212', NULL);
SELECT parallel_safe(), count(*) FROM many GROUP BY 1;
INSERT INTO leads VALUES (18, 1, '678 999 8212', NULL);
SELECT c.lead_count, parallel_safe(), count(*) FROM many CROSS JOIN campaign_phone_counts AS c GROUP BY 1, 2;
COMMIT;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;

-- savepoints: what was written before one is rolled back with it, and comes again
BEGIN;
INSERT INTO leads VALUES (19, 1, '678 999 8212', NULL);
SAVEPOINT a;
INSERT INTO leads VALUES (20, 1, '678 999 8212', NULL);
SELECT stable_sql(), lead_count FROM campaign_phone_counts;
SAVEPOINT b;
INSERT INTO leads VALUES (21, 1, '678 999 8212', NULL);
SELECT stable_sql(), lead_count FROM campaign_phone_counts;
RELEASE b;
ROLLBACK TO a;
SELECT stable_sql(), lead_count FROM campaign_phone_counts;
SAVEPOINT a;
COPY campaign_phone_counts TO STDOUT;
ROLLBACK TO a;
RELEASE a;
COMMIT;
SELECT lead_count FROM campaign_phone_counts;

-- one snapshot for the whole transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO leads VALUES (31, 1, '678 999 8212', NULL);
SELECT lead_count, stable_sql() FROM campaign_phone_counts;
INSERT INTO leads VALUES (32, 1, '678 999 8212', NULL);
COPY campaign_phone_counts TO STDOUT;
INSERT INTO leads VALUES (33, 1, '678 999 8212', NULL);
CREATE TABLE as_table_too AS SELECT lead_count, stable_plpgsql() FROM campaign_phone_counts;
TABLE as_table_too;
COMMIT;

-- READ ONLY after a write: the leads were written before
BEGIN;
INSERT INTO leads VALUES (41, 1, '678 999 8212', NULL);
SET TRANSACTION READ ONLY;
INSERT INTO leads VALUES (42, 1, '678 999 8212', NULL);
ROLLBACK;
BEGIN;
INSERT INTO leads VALUES (41, 1, '678 999 8212', NULL);
SET TRANSACTION READ ONLY;
SELECT stable_sql(), current_setting('transaction_read_only');
COMMIT;
BEGIN;
INSERT INTO leads VALUES (42, 1, '678 999 8212', NULL);
SET TRANSACTION READ ONLY;
COMMIT;
SELECT lead_count FROM campaign_phone_counts;
SELECT * FROM verify_phone_counts('leads');

-- A trigger of the owner on the counts that suppresses rows: the flags of the others stay with their numbers.
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.phone = '+12125550001' THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER suppress BEFORE INSERT ON campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION suppress();
INSERT INTO leads VALUES (50, 2, '202 456 1111', NULL);
CALL disqualify_phone(2, '212 555 0003');
CALL disqualify_phone(2, '212 555 0012');
INSERT INTO leads SELECT 51 + i, 2, '212 555 000' || i, '212 555 001' || i FROM generate_series(0, 4) AS i;
SELECT phone, phone_disqualified, mobile, mobile_disqualified FROM leads WHERE campaign_id = 2 ORDER BY id;
SELECT phone, disqualified FROM campaign_phone_counts WHERE campaign_id = 2 ORDER BY phone;
DROP TRIGGER suppress ON campaign_phone_counts;

-- A trigger that fires after ours, and marks a lead that has no number there.
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.mobile_disqualified := true; RETURN NEW; END $$;
CREATE TRIGGER zzz BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION mark();
INSERT INTO leads VALUES (70, 1, '678 999 8212', NULL);
\echo :SQLSTATE
INSERT INTO leads VALUES (70, 1, '678 999 8212', 'n/a');
\echo :SQLSTATE
-- one that has is corrected
INSERT INTO leads VALUES (70, 1, '678 999 8212', '212 761 2846');
SELECT mobile_disqualified FROM leads WHERE id = 70;
DROP TRIGGER zzz ON leads;

SET client_min_messages = warning;
DROP SCHEMA own_reads CASCADE;
