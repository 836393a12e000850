-- A live table: tracked at once, its leads counted later, in batches.
\set SHOW_CONTEXT never
CREATE SCHEMA backfill;
SET search_path = backfill, public;
CREATE TABLE leads (id int PRIMARY KEY, campaign_id int, phone text, mobile text, note text);
INSERT INTO leads SELECT i, i % 3, '(678) 999-' || 1000 + i % 50, CASE WHEN i % 2 = 0 THEN '678 999 ' || 1000 + i % 7 END, 'old'
  FROM generate_series(1, 1000) AS i;
INSERT INTO leads VALUES (1001, 1, 'n/a', NULL, 'old');
SELECT * FROM track_lead_phones('leads', backfill => false);
CREATE VIEW progress AS SELECT count(*) AS leads, count(phone_disqualified) AS counted FROM leads;
SELECT * FROM progress;
SELECT count(*) FROM campaign_phone_counts;
SELECT count(*) FROM verify_phone_counts('leads');

-- New leads count at once; of the old ones, those that are written to.
INSERT INTO leads VALUES (2001, 1, '678 999 1001', NULL, 'new');
UPDATE leads SET note = 'seen' WHERE id < 10;
SELECT * FROM progress;
UPDATE leads SET mobile = '678 999 2000' WHERE id < 10;
UPDATE leads SET phone = '678 999 2001' WHERE id BETWEEN 10 AND 12;
DELETE FROM leads WHERE id BETWEEN 5 AND 20;
SELECT * FROM progress;
SELECT sum(lead_count) FROM campaign_phone_counts;
SELECT count(*) FROM verify_phone_counts('leads');
-- Disqualified: those that are not counted yet are marked too, and later ones as they are counted.
CALL disqualify_phone(1, '678 999 1003');
SELECT count(*) FILTER (WHERE phone_disqualified OR mobile_disqualified), count(*) FROM leads WHERE campaign_id = 1 AND phone LIKE '%1003' OR mobile LIKE '%1003' AND campaign_id = 1;
SELECT count(*) FROM verify_phone_counts('leads');

-- Interrupted, and taken up again.
SELECT seen, counted FROM lead_phones_backfill_batch('leads', 'leads', '(0,0)', 100);
SELECT count(*) FROM verify_phone_counts('leads');
BEGIN;
SELECT seen, counted FROM lead_phones_backfill_batch('leads', 'leads', '(0,0)', 100);
SELECT count(*) FROM verify_phone_counts('leads');
ROLLBACK;
SELECT count(*) FROM verify_phone_counts('leads');
CALL backfill_lead_phones('leads', 64);
SELECT * FROM progress;
SELECT count(*) FROM verify_phone_counts('leads');
SELECT count(*) FILTER (WHERE phone_disqualified OR mobile_disqualified), count(*) FROM leads WHERE campaign_id = 1 AND '+16789991003' IN (phone, mobile);
SELECT attname, attnotnull, atthasdef FROM pg_attribute WHERE attrelid = 'leads'::regclass AND attname LIKE '%disqualified';
SELECT conname FROM pg_constraint WHERE conrelid = 'leads'::regclass AND contype <> 'n';
CREATE INDEX CONCURRENTLY ON leads (campaign_id, phone);
CREATE INDEX CONCURRENTLY ON leads (campaign_id, mobile);
-- Again, it has nothing to do.
CALL backfill_lead_phones('leads');
-- Recounted from scratch, the same comes out.
CREATE TABLE counted AS TABLE campaign_phone_counts;
SELECT untrack_lead_phones('leads');
SELECT * FROM track_lead_phones('leads');
SELECT count(*) FROM (TABLE counted EXCEPT TABLE campaign_phone_counts) AS different;

-- Not without marks of its own, not of what is not tracked, not inside a transaction.
SELECT untrack_lead_phones('leads');
SELECT track_lead_phones('leads', backfill => false);
SELECT track_lead_phones('leads', backfill => NULL);
CALL backfill_lead_phones('leads');
SELECT FROM track_lead_phones('leads');
CALL backfill_lead_phones('leads', 0);
CALL backfill_lead_phones(NULL);
ALTER TABLE leads ALTER phone_disqualified DROP NOT NULL;
SET session_replication_role = replica;
UPDATE leads SET phone_disqualified = NULL WHERE id < 100;
RESET session_replication_role;
BEGIN;
CALL backfill_lead_phones('leads');
ROLLBACK;
SELECT rebuild_phone_counts('leads') > 0 AS rebuilt;
SELECT count(*) FROM verify_phone_counts('leads');
SELECT count(*) FROM (TABLE counted EXCEPT TABLE campaign_phone_counts) AS different;

-- Partitions.
SET client_min_messages = warning;
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications, counted CASCADE;
CREATE TABLE leads (id int, campaign_id int, phone text, mobile text) PARTITION BY HASH (id);
CREATE TABLE leads_0 PARTITION OF leads FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE leads_1 PARTITION OF leads FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO leads SELECT i, 1, '678 999 ' || 1000 + i, '678 999 1000' FROM generate_series(1, 100) AS i;
SELECT FROM track_lead_phones('leads', backfill => false);
UPDATE leads SET id = id + 1000 WHERE id < 10;
-- a trigger of the application that lets some leads not be written to: an error, not a call without end
CREATE FUNCTION locked() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER a_locked BEFORE UPDATE ON leads FOR EACH ROW WHEN (OLD.id = 50) EXECUTE FUNCTION locked();
CALL backfill_lead_phones('leads', 7);
DROP TRIGGER a_locked ON leads;
CALL backfill_lead_phones('leads', 7);
SELECT count(*), sum(lead_count), max(lead_count) FROM campaign_phone_counts;
SELECT count(*) FROM verify_phone_counts('leads');

-- A table that was left to a backfill, and is then tracked in one go.
SELECT untrack_lead_phones('leads');
ALTER TABLE leads DROP phone_disqualified, DROP mobile_disqualified;
SELECT FROM track_lead_phones('leads', backfill => false);
SELECT total_leads, unique_numbers FROM track_lead_phones('leads');
SELECT attname, attnotnull, atthasdef FROM pg_attribute WHERE attrelid = 'leads'::regclass AND attname LIKE '%\_disqualified';
SELECT count(*) FROM verify_phone_counts('leads');
DROP SCHEMA backfill CASCADE;
