-- Tracking: an ordinary table comes under care, with its rows.
\set SHOW_CONTEXT never
CREATE SCHEMA app;
CREATE TABLE app.leads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, campaign_id integer NOT NULL, name text, phone text, mobile text);
INSERT INTO app.leads (campaign_id, name, phone, mobile) VALUES
    (1, 'John Smith', '1 212-761-2846', '1 678-999-8212'),
    (1, 'John R. Smith', NULL, '(678)-999 8212'),
    (1, 'Jane Doe', '212.761.2846', '+1 832 723 4097'),
    (1, 'Jane''s husband', '832 723 4097', ''),
    (2, 'Both the same', '678 999 8212', '+16789998212'),
    (2, 'Junk', 'n/a', '12');
SELECT * FROM track_lead_phones('app.leads');
SELECT * FROM app.leads ORDER BY id;
SELECT * FROM app.campaign_phone_counts ORDER BY campaign_id, phone;
SELECT * FROM lead_phone_tables;
\d app.campaign_phone_counts
\d app.campaign_phone_disqualifications
SELECT indexdef FROM pg_indexes WHERE schemaname = 'app' AND tablename = 'leads' ORDER BY 1;
SELECT tgname, pg_get_triggerdef(oid) ~ 'EXECUTE FUNCTION' AS def FROM pg_trigger WHERE tgrelid = 'app.leads'::regclass ORDER BY 1;

-- Idempotent: nothing more to do, nothing twice.
SELECT * FROM track_lead_phones('app.leads');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'app.leads'::regclass;
SELECT count(*) FROM pg_indexes WHERE schemaname = 'app' AND tablename = 'leads';
SELECT * FROM verify_phone_counts('app.leads');

-- A missing trigger is put back.
DROP TRIGGER lead_phones_count_insert ON app.leads;
INSERT INTO app.leads (campaign_id, phone) VALUES (3, '650 253 0000');
SELECT campaign, phone, lead_count, expected_lead_count FROM verify_phone_counts('app.leads');
SELECT * FROM track_lead_phones('app.leads');
SELECT * FROM verify_phone_counts('app.leads');

-- Untracked: the data stays, and nothing is kept any more. Tracked again: all is counted.
SELECT untrack_lead_phones('app.leads');
SELECT untrack_lead_phones('app.leads');
SELECT * FROM lead_phone_tables;
INSERT INTO app.leads (campaign_id, phone) VALUES (3, '(650) 253-0001');
DELETE FROM app.leads WHERE name = 'Junk';
SELECT * FROM track_lead_phones('app.leads');
SELECT * FROM verify_phone_counts('app.leads');

-- DISABLE TRIGGER, and what brings all in line again.
ALTER TABLE app.leads DISABLE TRIGGER USER;
INSERT INTO app.leads (campaign_id, phone) VALUES (3, '650.253.0002');
UPDATE app.leads SET mobile_disqualified = true WHERE name = 'John Smith';
ALTER TABLE app.leads ENABLE TRIGGER USER;
SELECT campaign, phone, lead_count, expected_lead_count, wrongly_marked_leads FROM verify_phone_counts('app.leads');
SELECT rebuild_phone_counts('app.leads');
SELECT * FROM verify_phone_counts('app.leads');
SELECT phone FROM app.leads WHERE campaign_id = 3 ORDER BY 1;
DROP SCHEMA app CASCADE;

-- Other names, hostile ones among them; campaigns of each type; a region for each lead.
CREATE SCHEMA "My ""App""";
CREATE TABLE "My ""App"""."the leads" (
    "Campaign" uuid, "tel's" varchar(40), "cell=1" varchar(16), country character(2), "O\x" text);
INSERT INTO "My ""App"""."the leads" VALUES
    ('00000000-0000-0000-0000-00000000000a', '030 123456', '678 999 8212', 'de', ''),
    ('00000000-0000-0000-0000-00000000000b', '678 999 8212', NULL, NULL, '');
SELECT * FROM track_lead_phones('"My ""App"""."the leads"', 'Campaign', ARRAY['tel''s', 'cell=1'], 'us', 'country');
INSERT INTO "My ""App"""."the leads" VALUES ('00000000-0000-0000-0000-00000000000a', '020 7946 0958', '030 123456', 'GB', '');
SELECT * FROM "My ""App"""."the leads" ORDER BY 1, 2;
CALL disqualify_phone('00000000-0000-0000-0000-00000000000a'::uuid, '678 999 8212', leads => '"My ""App"""."the leads"');
SELECT * FROM "My ""App""".campaign_phone_counts ORDER BY 1, 2;
-- The region of a row decides; when it changes, the numbers are read again.
UPDATE "My ""App"""."the leads" SET country = 'DE' WHERE country = 'GB';
SELECT * FROM "My ""App"""."the leads" ORDER BY 1, 2;
SELECT * FROM verify_phone_counts('"My ""App"""."the leads"');
SELECT region, region_column, on_invalid FROM lead_phone_tables;
DROP SCHEMA "My ""App""" CASCADE;

CREATE TABLE leads (campaign_id text COLLATE "C", phone text, mobile text);
INSERT INTO leads VALUES ('spring', '678 999 8212', NULL), ('Ünïcödé', '678 999 8212', NULL), (NULL, '650 253 0000', NULL);
SELECT * FROM track_lead_phones('leads');
CALL disqualify_phone('spring', '678 999 8212');
INSERT INTO leads VALUES ('spring', '(678) 999-8212', '650 253 0000') RETURNING *;
SELECT * FROM campaign_phone_counts ORDER BY 1, 2;
SELECT * FROM verify_phone_counts('leads');
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications;

CREATE DOMAIN campaign_key AS bigint CHECK (VALUE > 0);
CREATE DOMAIN contact_number AS text CHECK (VALUE <> 'forbidden');
CREATE TABLE leads (campaign_id campaign_key, phone contact_number, mobile e164);
SELECT * FROM track_lead_phones('leads');
INSERT INTO leads VALUES (7, '678 999 8212', '+16502530000');
SELECT * FROM leads;
CALL disqualify_phone(7, '+1 650 253 0000');
SELECT * FROM campaign_phone_counts ORDER BY 1, 2;
SELECT * FROM verify_phone_counts('leads');
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications;
DROP DOMAIN campaign_key, contact_number;

-- What becomes of values that are no numbers.
CREATE TABLE leads (campaign_id smallint, phone text, mobile text);
INSERT INTO leads VALUES (1, 'n/a', '678 999 8212');
SELECT * FROM track_lead_phones('leads', on_invalid => 'reject');
SELECT * FROM lead_phone_tables;
SELECT * FROM track_lead_phones('leads', on_invalid => 'null');
INSERT INTO leads VALUES (1, '650 253 0000', '123');
SELECT * FROM leads ORDER BY phone;
SELECT * FROM verify_phone_counts('leads');
SELECT untrack_lead_phones('leads');
SELECT * FROM track_lead_phones('leads', on_invalid => 'reject');
INSERT INTO leads VALUES (1, '650 253 0000', '123');
\echo :SQLSTATE
COPY leads (campaign_id, phone) FROM stdin;
1	650 253 0001
1	what?
\.
SELECT count(*) FROM leads;
SELECT untrack_lead_phones('leads');
SELECT * FROM track_lead_phones('leads');
INSERT INTO leads VALUES (1, ' junk ', '+19999999999');
SELECT * FROM leads WHERE phone = ' junk ';
SELECT * FROM verify_phone_counts('leads');
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications;
