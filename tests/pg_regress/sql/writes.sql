-- Counts under each kind of write. After every one, verify_phone_counts('leads') is empty.
\set SHOW_CONTEXT never
CREATE TABLE campaigns (id integer PRIMARY KEY);
INSERT INTO campaigns VALUES (1), (2), (3);
CREATE TABLE leads (
    id integer PRIMARY KEY,
    campaign_id integer REFERENCES campaigns ON DELETE CASCADE ON UPDATE CASCADE,
    note text, phone text, mobile text);
SELECT * FROM track_lead_phones('leads');
CREATE VIEW counts AS SELECT * FROM campaign_phone_counts ORDER BY campaign_id, phone;

-- INSERT, of one row and of several; both columns the same is one lead
INSERT INTO leads VALUES (1, 1, '', '678 999 8212', '212 761 2846');
INSERT INTO leads VALUES (2, 1, '', '(678) 999-8212', NULL), (3, 1, '', '678.999.8212', '+1 678 999 8212'),
                         (4, 2, '', '678 999 8212', 'junk'), (5, NULL, '', '650 253 0000', NULL);
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- UPDATE of a number, of the campaign, of the primary key, of another column; of no row
UPDATE leads SET mobile = '832 723 4097' WHERE id = 1;
UPDATE leads SET campaign_id = 2 WHERE id = 2;
UPDATE leads SET campaign_id = 3 WHERE id = 5;
UPDATE leads SET id = id + 10 WHERE id = 3;
UPDATE leads SET note = 'called';
UPDATE leads SET phone = '650 253 0000' WHERE false;
TABLE counts;
SELECT * FROM verify_phone_counts('leads');
-- a swap of the columns
UPDATE leads SET phone = mobile, mobile = phone WHERE id = 1;
-- all numbers at once
UPDATE leads SET phone = '650 253 00' || to_char(id, 'FM00'), mobile = NULL;
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- DELETE: the last lead of a number takes it along
DELETE FROM leads WHERE id IN (1, 4);
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- COPY
COPY leads (id, campaign_id, note, phone, mobile) FROM stdin (DELIMITER ',');
20,1,,678 999 8212,678 999 8212
21,1,,1-678-999-8212,
22,3,,n/a,650 253 0002
\.
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- INSERT ... ON CONFLICT
INSERT INTO leads VALUES (20, 1, '', '212 761 2846', NULL), (23, 1, '', '212 761 2846', NULL)
    ON CONFLICT (id) DO UPDATE SET phone = EXCLUDED.phone;
INSERT INTO leads VALUES (20, 1, '', '415 555 2671', NULL), (24, 1, '', '415 555 2671', NULL)
    ON CONFLICT DO NOTHING;
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- MERGE, with all three actions
MERGE INTO leads USING (VALUES (20, '415 555 2672'), (21, NULL), (25, '415 555 2673')) AS s (id, phone) ON leads.id = s.id
    WHEN MATCHED AND s.phone IS NULL THEN DELETE
    WHEN MATCHED THEN UPDATE SET phone = s.phone
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, 2, '', s.phone, NULL);
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- data-modifying CTEs that write the table twice
WITH gone AS (DELETE FROM leads WHERE id = 25 RETURNING *)
INSERT INTO leads SELECT 26, 3, '', phone, mobile FROM gone;
SELECT * FROM verify_phone_counts('leads');

-- foreign keys that cascade
UPDATE campaigns SET id = 30 WHERE id = 3;
SELECT campaign_id, count(*) FROM counts GROUP BY 1 ORDER BY 1;
SELECT * FROM verify_phone_counts('leads');
DELETE FROM campaigns WHERE id = 30;
SELECT campaign_id, count(*) FROM counts GROUP BY 1 ORDER BY 1;
SELECT * FROM verify_phone_counts('leads');

-- savepoints and exceptions
BEGIN;
INSERT INTO leads VALUES (40, 1, '', '202 456 1111', NULL);
SAVEPOINT s;
INSERT INTO leads VALUES (41, 1, '', '202 456 1111', '202 456 1414');
SELECT phone, lead_count FROM counts WHERE phone LIKE '+1202%';
ROLLBACK TO s;
SELECT phone, lead_count FROM counts WHERE phone LIKE '+1202%';
DO $$ BEGIN
    INSERT INTO leads VALUES (42, 1, '', '202 456 1414', NULL);
    RAISE 'back';
EXCEPTION WHEN raise_exception THEN NULL; END $$;
COMMIT;
SELECT phone, lead_count FROM counts WHERE phone LIKE '+1202%';
SELECT * FROM verify_phone_counts('leads');

-- the application's own triggers, before and after ours by name
CREATE FUNCTION app_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.note = 'skip' THEN RETURN NULL; END IF;
    IF NEW.note = 'change' THEN NEW.phone := '(415) 555-2680'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER app_trigger BEFORE INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION app_trigger();
INSERT INTO leads VALUES (50, 1, 'skip', '415 555 2681', NULL), (51, 1, 'change', '415 555 2682', NULL) RETURNING id, phone;
UPDATE leads SET note = 'change' WHERE id = 40 RETURNING phone;
SELECT * FROM verify_phone_counts('leads');

-- TRUNCATE
CALL disqualify_phone(1, '415 555 2680');
TRUNCATE leads;
TABLE counts;
SELECT * FROM verify_phone_counts('leads');

-- many rows, many campaigns: more disqualified numbers than are looked up one by one
INSERT INTO campaigns SELECT generate_series(100, 104);
INSERT INTO leads SELECT i, 100 + i % 5, '', '650 253 ' || to_char(i % 400, 'FM0000'), '(650) 253-' || to_char(i % 300, 'FM0000')
    FROM generate_series(1000, 2999) AS i;
SELECT count(*), sum(lead_count), sum(phone_count), sum(mobile_count) FROM counts;
DO $$ DECLARE n text; BEGIN
    FOR n IN SELECT phone FROM counts WHERE campaign_id = 100 LOOP
        EXECUTE format('CALL disqualify_phone(100, %L)', n);
    END LOOP;
END $$;
SELECT count(*) FROM leads WHERE phone_disqualified OR mobile_disqualified;
INSERT INTO leads SELECT i, 100 + i % 5, '', '650 253 ' || to_char(i % 400, 'FM0000'), NULL
    FROM generate_series(3000, 3999) AS i;
SELECT campaign_id, count(*) FILTER (WHERE phone_disqualified) AS marked, count(*) FROM leads WHERE id >= 3000 GROUP BY 1 ORDER BY 1;
SELECT * FROM verify_phone_counts('leads');
DELETE FROM leads WHERE id % 2 = 0;
SELECT * FROM verify_phone_counts('leads');
DROP TABLE leads, campaigns, campaign_phone_counts, campaign_phone_disqualifications CASCADE;
DROP FUNCTION app_trigger;

-- many numbers in one statement: of a new campaign, of old ones, of both; more than one statement on the counts takes
CREATE TABLE many_leads (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, campaign_id integer, phone text, mobile text);
CREATE SCHEMA many;
ALTER TABLE many_leads SET SCHEMA many;
SELECT unique_numbers FROM track_lead_phones('many.many_leads');
CREATE FUNCTION many.check() RETURNS TABLE (campaign_id int, numbers bigint, leads numeric, wrong bigint) LANGUAGE sql AS $$
    SELECT campaign_id, count(*), sum(lead_count), (SELECT count(*) FROM verify_phone_counts('many.many_leads'))
    FROM many.campaign_phone_counts GROUP BY 1 ORDER BY 1
$$;
INSERT INTO many.many_leads (campaign_id, phone) SELECT 1 + n % 2, format('(678) 9%s-%s', lpad((n / 10000)::text, 2, '0'), lpad((n % 10000)::text, 4, '0'))
FROM generate_series(1, 40000) AS n;
SELECT * FROM many.check();
INSERT INTO many.many_leads (campaign_id, phone, mobile) SELECT 1 + n % 4, format('(678) 9%s-%s', lpad((n / 10000)::text, 2, '0'), lpad((n % 10000)::text, 4, '0')), '212 761 2846'
FROM generate_series(20001, 60000) AS n;
SELECT * FROM many.check();
UPDATE many.many_leads SET phone = mobile, mobile = phone;
SELECT * FROM many.check();
DELETE FROM many.many_leads WHERE id % 2 = 0;
SELECT * FROM many.check();
DROP SCHEMA many CASCADE;
