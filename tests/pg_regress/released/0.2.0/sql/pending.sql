-- What a transaction has changed is written when it ends, and is there when it looks.
\set SHOW_CONTEXT never
SET search_path = public;
CREATE TABLE leads (id integer PRIMARY KEY, campaign_id integer, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('leads');
CREATE VIEW counted AS SELECT phone, lead_count, phone_count, mobile_count FROM campaign_phone_counts;

-- a transaction sees its own leads in the counts, whichever way it looks
BEGIN;
INSERT INTO leads VALUES (1, 1, '678 999 8212', NULL);
SELECT * FROM counted;
INSERT INTO leads VALUES (2, 1, NULL, '678 999 8212');
SELECT sum(lead_count) FROM campaign_phone_counts;
INSERT INTO leads VALUES (3, 1, '212 761 2846', NULL);
COPY campaign_phone_counts TO STDOUT;
DELETE FROM leads WHERE id = 3;
SELECT count(*) FROM verify_phone_counts('leads');
UPDATE leads SET campaign_id = 2;
SELECT l.id, c.lead_count FROM leads AS l JOIN campaign_phone_counts AS c USING (campaign_id) ORDER BY id;
COMMIT;
SELECT * FROM campaign_phone_counts;

-- in functions, with cursors and prepared statements
CREATE FUNCTION unique_numbers() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM campaign_phone_counts';
CREATE FUNCTION unique_numbers_plpgsql() RETURNS bigint STABLE LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM campaign_phone_counts); END';
PREPARE numbers AS SELECT count(*) FROM campaign_phone_counts;
EXECUTE numbers;
BEGIN;
INSERT INTO leads VALUES (4, 1, '212 761 2846', NULL);
EXECUTE numbers;
INSERT INTO leads VALUES (5, 1, '832 723 4097', NULL);
SELECT unique_numbers();
INSERT INTO leads VALUES (6, 1, '267 519 0001', NULL);
SELECT unique_numbers_plpgsql();
INSERT INTO leads VALUES (7, 1, '267 519 0002', NULL);
DECLARE numbers_cursor CURSOR FOR SELECT phone FROM campaign_phone_counts ORDER BY phone;
INSERT INTO leads VALUES (8, 1, '267 519 0003', NULL);
FETCH ALL FROM numbers_cursor;
ROLLBACK;
SELECT unique_numbers(), unique_numbers_plpgsql();
DO $$
BEGIN
    INSERT INTO leads VALUES (9, 1, '212 761 2846', NULL);
    IF unique_numbers_plpgsql() <> 2 THEN RAISE EXCEPTION '%', unique_numbers_plpgsql(); END IF;
    DELETE FROM leads WHERE id = 9;
END $$;
SELECT count(*) FROM verify_phone_counts('leads');

-- savepoints: what is rolled back is not counted, also when it was looked at before
TRUNCATE leads;
BEGIN;
INSERT INTO leads VALUES (1, 1, '678 999 8212', NULL);
SAVEPOINT a;
INSERT INTO leads VALUES (2, 1, '678 999 8212', NULL);
ROLLBACK TO a;
SELECT lead_count FROM campaign_phone_counts;
INSERT INTO leads VALUES (3, 1, '678 999 8212', NULL);
SAVEPOINT b;
INSERT INTO leads VALUES (4, 1, '678 999 8212', NULL);
SELECT lead_count FROM campaign_phone_counts;
SAVEPOINT c;
INSERT INTO leads VALUES (5, 1, '678 999 8212', NULL);
SELECT lead_count FROM campaign_phone_counts;
RELEASE c;
ROLLBACK TO b;
SELECT lead_count FROM campaign_phone_counts;
INSERT INTO leads VALUES (6, 1, '678 999 8212', NULL);
RELEASE b;
COMMIT;
SELECT lead_count FROM campaign_phone_counts;
SELECT count(*) FROM verify_phone_counts('leads');
DO $$
BEGIN
    INSERT INTO leads VALUES (11, 1, '212 761 2846', NULL);
    BEGIN
        INSERT INTO leads VALUES (12, 1, '832 723 4097', NULL);
        PERFORM count(*) FROM campaign_phone_counts;
        INSERT INTO leads VALUES (11, 1, '832 723 4097', NULL);
    EXCEPTION WHEN unique_violation THEN
        INSERT INTO leads VALUES (13, 1, '267 519 0001', NULL);
    END;
END $$;
SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('leads');

-- TRUNCATE, and changes to the tables, in the same transaction
BEGIN;
INSERT INTO leads VALUES (21, 1, '267 519 0002', NULL);
TRUNCATE leads;
INSERT INTO leads VALUES (22, 1, '267 519 0003', NULL);
COMMIT;
SELECT phone, lead_count FROM campaign_phone_counts;
BEGIN;
INSERT INTO leads VALUES (23, 1, '267 519 0004', NULL);
ALTER TABLE leads RENAME TO people;
INSERT INTO people VALUES (24, 1, '267 519 0005', NULL);
COMMIT;
SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone;
BEGIN;
INSERT INTO people VALUES (25, 1, '267 519 0006', NULL);
DROP TABLE people;
COMMIT;
SELECT count(*) FROM campaign_phone_counts;

-- procedures that commit, and errors that end a transaction
CREATE TABLE leads (id integer PRIMARY KEY, campaign_id integer, phone text, mobile text);
DROP VIEW counted;
DROP TABLE campaign_phone_counts, campaign_phone_disqualifications;
SELECT unique_numbers FROM track_lead_phones('leads');
CREATE PROCEDURE upload_in_parts() LANGUAGE plpgsql AS $$
BEGIN
    FOR part IN 1 .. 3 LOOP
        INSERT INTO leads SELECT part * 10 + n, part, format('678 999 %s%s00', part, n), NULL FROM generate_series(1, 3) AS n;
        COMMIT;
    END LOOP;
    INSERT INTO leads VALUES (99, 9, '267 519 0006', NULL);
    ROLLBACK;
END $$;
CALL upload_in_parts();
SELECT campaign_id, count(*) FROM campaign_phone_counts GROUP BY 1 ORDER BY 1;
BEGIN;
INSERT INTO leads VALUES (50, 1, '267 519 0006', NULL);
SELECT 1 / 0;
COMMIT;
SELECT count(*) FROM verify_phone_counts('leads');

-- disqualification in the transaction of the upload
BEGIN;
INSERT INTO leads VALUES (60, 1, '267 519 0006', NULL);
CALL disqualify_phone(1, '267 519 0006');
INSERT INTO leads VALUES (61, 1, '267 519 0006', '267 519 0006');
SELECT id, phone_disqualified, mobile_disqualified FROM leads WHERE id >= 60 ORDER BY id;
COMMIT;
SELECT lead_count, disqualified FROM campaign_phone_counts WHERE disqualified;
SELECT count(*) FROM verify_phone_counts('leads');

-- two-phase commit
BEGIN;
INSERT INTO leads VALUES (65, 6, '267 519 0006', NULL);
PREPARE TRANSACTION 'lead_phones';
SELECT count(*) FROM campaign_phone_counts WHERE campaign_id = 6;
COMMIT PREPARED 'lead_phones';
SELECT count(*) FROM campaign_phone_counts WHERE campaign_id = 6;

-- other isolation levels
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO leads VALUES (70, 7, '267 519 0006', NULL);
SELECT lead_count FROM campaign_phone_counts WHERE campaign_id = 7;
INSERT INTO leads VALUES (71, 7, '267 519 0006', NULL);
SELECT lead_count FROM campaign_phone_counts WHERE campaign_id = 7;
COMMIT;
SELECT lead_count FROM campaign_phone_counts WHERE campaign_id = 7;

-- an application's own triggers on the counts see each number once, deferred ones too
CREATE TABLE log (at text, phone e164);
CREATE FUNCTION log_count() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.log VALUES (TG_NAME, NEW.phone); RETURN NULL; END';
CREATE TRIGGER counted AFTER INSERT OR UPDATE ON campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION log_count();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON campaign_phone_counts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_count();
BEGIN;
INSERT INTO leads VALUES (80, 8, '267 519 0006', NULL);
INSERT INTO leads VALUES (81, 8, '267 519 0006', NULL);
COMMIT;
SELECT * FROM log ORDER BY at;

-- also one that writes leads when it fires at the end
CREATE FUNCTION add_lead() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.leads VALUES (90, 8, ''267 519 0009'', NULL) ON CONFLICT DO NOTHING; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER add_lead AFTER INSERT ON campaign_phone_counts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION add_lead();
INSERT INTO leads VALUES (82, 8, '267 519 0007', NULL);
SELECT phone, lead_count FROM campaign_phone_counts WHERE campaign_id = 8 ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('leads');

DROP FUNCTION unique_numbers(), unique_numbers_plpgsql();
DROP PROCEDURE upload_in_parts();
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications, log;
DROP FUNCTION log_count(), add_lead();

-- Tracked with count_at => 'commit', a transaction sees the counts of others until it ends, and holds none of their rows.
CREATE SCHEMA later;
CREATE SCHEMA sooner;
CREATE TABLE sooner.leads (id integer PRIMARY KEY, campaign_id integer, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('sooner.leads');
SET search_path = later, public;
CREATE TABLE later.leads (id integer PRIMARY KEY, campaign_id integer, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('later.leads', count_at => 'commit');
SELECT leads, count_at FROM lead_phone_tables ORDER BY leads::text COLLATE "C";
INSERT INTO leads VALUES (1, 1, '678 999 8212', NULL);
BEGIN;
INSERT INTO leads VALUES (2, 1, '678 999 8212', '212 761 2846');
SELECT phone, lead_count FROM campaign_phone_counts;
COPY campaign_phone_counts TO STDOUT;
-- two tables of different settings in one transaction
INSERT INTO sooner.leads VALUES (901, 9, '678 999 8212', NULL);
SELECT lead_count FROM sooner.campaign_phone_counts WHERE campaign_id = 9;
SELECT phone, lead_count FROM campaign_phone_counts;
CALL disqualify_phone(1, '212 761 2846', leads => 'later.leads');
SELECT id, mobile_disqualified FROM leads ORDER BY id;
CALL requalify_phone(1, '212 761 2846', leads => 'later.leads');
COMMIT;
SELECT phone, lead_count, disqualified FROM campaign_phone_counts ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('leads');
-- what compares counts with leads has them written
BEGIN;
INSERT INTO leads VALUES (3, 1, '678 999 8212', NULL);
SELECT count(*) FROM verify_phone_counts('leads');
INSERT INTO leads VALUES (4, 1, '678 999 8212', NULL);
SELECT rebuild_phone_counts('leads');
ROLLBACK;
SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone;
SELECT track_lead_phones('leads');
SELECT track_lead_phones('leads', count_at => 'never');
SET client_min_messages = warning;
DROP SCHEMA later, sooner CASCADE;
