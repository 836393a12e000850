-- What an attacker plants: tables that look tracked, types and casts, temporary tables, locks. Nobody runs it but himself.
\set SHOW_CONTEXT never
CREATE ROLE regress_mallory;
CREATE ROLE regress_victim SUPERUSER;
CREATE SCHEMA planted AUTHORIZATION regress_mallory;
CREATE SCHEMA good;
GRANT USAGE ON SCHEMA planted, good TO PUBLIC;
CREATE TABLE good.leads (campaign_id bigint, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('good.leads');
INSERT INTO good.leads VALUES (1, '678 999 8212', NULL);

-- A type with a cast to text, in each place that is read: columns of leads, counts and ledger.
SET ROLE regress_mallory;
CREATE TYPE planted.evil AS (t text);
CREATE FUNCTION planted.spy(planted.evil) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'runs as %', current_user; RETURN ($1).t; END $$;
CREATE CAST (planted.evil AS text) WITH FUNCTION planted.spy(planted.evil) AS IMPLICIT;
CREATE FUNCTION planted.forge(leads text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format($t$CREATE TRIGGER zz_lead_phones_normalize_insert BEFORE INSERT ON planted.%I FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize(
        'campaign_column=campaign_id', 'phone_column=phone', 'mobile_column=mobile', 'region=US', 'on_invalid=keep', 'schema=planted',
        'counts=counts', 'disqualifications=ledger')$t$, leads); END $$;
CREATE TABLE planted.counts (campaign_id bigint, phone e164, lead_count bigint, phone_count bigint, mobile_count bigint, disqualified boolean);
CREATE TABLE planted.ledger (campaign_id bigint, phone e164, entry integer, source text, reason text, disqualified_by text,
    disqualified_at timestamptz, expires_at timestamptz, lifted_by text, lifted_at timestamptz, lift_reason text);
CREATE TABLE planted.number (campaign_id bigint, phone planted.evil, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
INSERT INTO planted.number VALUES (1, ROW('x'), NULL, false, false);
SELECT planted.forge('number');
CREATE TABLE planted.campaign (campaign_id planted.evil, phone text, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
INSERT INTO planted.campaign VALUES (ROW('x'), 'x', NULL, false, false);
SELECT planted.forge('campaign');
CREATE TABLE planted.mark (campaign_id bigint, phone text, mobile text, phone_disqualified planted.evil, mobile_disqualified boolean);
INSERT INTO planted.mark VALUES (1, 'x', NULL, ROW('x'), false);
SELECT planted.forge('mark');
-- an INSTEAD OF trigger makes a view look tracked
CREATE VIEW planted.of_rows AS SELECT 1::bigint AS campaign_id, planted.spy(ROW('x')::planted.evil) AS phone, NULL::text AS mobile, false AS phone_disqualified, false AS mobile_disqualified;
CREATE TRIGGER zz_lead_phones_normalize_insert INSTEAD OF INSERT ON planted.of_rows FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize(
    'campaign_column=campaign_id', 'phone_column=phone', 'mobile_column=mobile', 'region=US', 'on_invalid=keep', 'schema=planted', 'counts=counts', 'disqualifications=ledger');
SET ROLE regress_victim;
SELECT * FROM verify_phone_counts('planted.number');
\echo :SQLSTATE
SELECT * FROM lead_phone_quality('planted.number');
SELECT * FROM invalid_lead_phones('planted.number');
SELECT * FROM shared_lead_phones('planted.number');
SELECT rebuild_phone_counts('planted.number');
SELECT * FROM verify_phone_counts('planted.campaign');
SELECT * FROM invalid_lead_phones('planted.campaign');
SELECT * FROM verify_phone_counts('planted.mark');
SELECT * FROM lead_phone_quality('planted.mark');
SELECT * FROM verify_phone_counts('planted.of_rows');
\echo :SQLSTATE
SELECT * FROM invalid_lead_phones('planted.of_rows');
-- in counts and ledger
SET ROLE regress_mallory;
CREATE TABLE planted.plain (campaign_id bigint, phone text, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
DROP TABLE planted.number, planted.campaign, planted.mark;
DROP VIEW planted.of_rows;
ALTER TABLE planted.counts ALTER lead_count TYPE planted.evil USING NULL;
SELECT planted.forge('plain');
SET ROLE regress_victim;
SELECT * FROM verify_phone_counts('planted.plain');
SELECT * FROM shared_lead_phones('planted.plain');
SET ROLE regress_mallory;
DROP TRIGGER zz_lead_phones_normalize_insert ON planted.plain;
ALTER TABLE planted.counts ALTER lead_count TYPE bigint USING 0;
ALTER TABLE planted.ledger ALTER lifted_at TYPE planted.evil USING NULL;
SELECT planted.forge('plain');
SET ROLE regress_victim;
SELECT * FROM verify_phone_counts('planted.plain');
RESET ROLE;

-- What the owner of a tracked table hangs on it neither runs as who asks about it, nor stays in force in what called it.
SET ROLE regress_mallory;
DROP TABLE planted.plain, planted.counts, planted.ledger;
CREATE TABLE planted.leads (id int PRIMARY KEY, campaign_id int, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('planted.leads');
INSERT INTO planted.leads VALUES (1, 1, '678 999 8212', 'n/a');
CREATE FUNCTION planted.ran() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF current_user <> 'regress_mallory' THEN RAISE WARNING 'runs as %', current_user; END IF; RETURN true; END $$;
CREATE FUNCTION planted.predicate(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN planted.ran(); END $$;
CREATE INDEX ON planted.leads (id) WHERE planted.predicate(1);
CREATE INDEX ON planted.campaign_phone_counts (phone) WHERE planted.predicate(1);
CREATE FUNCTION planted.arrow(j jsonb, t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    PERFORM planted.ran(); RETURN pg_catalog.jsonb_object_field_text(j, t); END $$;
CREATE OPERATOR planted.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = planted.arrow);
CREATE FUNCTION planted.leave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM planted.ran(), pg_catalog.set_config('search_path', 'planted, pg_catalog', false); RETURN NULL; END $$;
CREATE TRIGGER leave AFTER UPDATE ON planted.leads FOR EACH ROW EXECUTE FUNCTION planted.leave();
CREATE TRIGGER leave AFTER INSERT OR UPDATE ON planted.campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION planted.leave();
RESET ROLE;
GRANT EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) TO regress_mallory;
GRANT pg_monitor TO regress_mallory;
SET ROLE regress_mallory;
CALL disqualify_phone(1, '678 999 8212', leads => 'planted.leads');
SHOW search_path;
SELECT table_name, unique_numbers FROM lead_phone_metrics() WHERE schema_name = 'planted';
SET ROLE regress_victim;
SELECT count(*) FROM verify_phone_counts('planted.leads');
SELECT campaign, lead_count FROM lead_phone_quality('planted.leads');
SELECT column_name, reason FROM invalid_lead_phones('planted.leads');
SELECT phone FROM shared_lead_phones('planted.leads', 1);
SELECT rebuild_phone_counts('planted.leads');
SET ROLE regress_mallory;
DROP TABLE planted.leads;
DROP TABLE planted.campaign_phone_counts, planted.campaign_phone_disqualifications;
RESET ROLE;
REVOKE pg_monitor FROM regress_mallory;

-- The short CALL: what search_path sees, and no temporary table.
GRANT EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint), expire_disqualifications TO regress_mallory;
SET ROLE regress_mallory;
CREATE TEMPORARY TABLE leads (campaign_id bigint, phone text, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
CREATE TRIGGER zz_lead_phones_normalize_insert BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize(
    'campaign_column=campaign_id', 'phone_column=phone', 'mobile_column=mobile', 'region=US', 'on_invalid=keep', 'schema=planted', 'counts=counts', 'disqualifications=ledger');
RESET ROLE;
SET search_path = good, public;
CALL disqualify_phone(1, '678 999 8212');
SET search_path = public;
CALL disqualify_phone(1, '678 999 8212');
\echo :SQLSTATE
SET search_path = planted, good, public;
CALL disqualify_phone(1, '678 999 8212');
\echo :SQLSTATE
CALL disqualify_phone(1, '678 999 8212', leads => NULL);
\echo :SQLSTATE
SET search_path = public;
-- all tables, each as its owner: one that is broken stops no other
INSERT INTO good.leads VALUES (1, '212 761 2846', NULL);
CALL disqualify_phone(1, '212 761 2846', expires_at => now() - interval '1 s', leads => 'good.leads');
SET client_min_messages = error;
CALL expire_disqualifications();
RESET client_min_messages;
SELECT phone, phone_disqualified FROM good.leads ORDER BY phone;

-- A planted schema of lead tables: not the one that is meant.
SET ROLE regress_mallory;
SELECT create_lead_tables('planted');
INSERT INTO planted.campaigns (campaign_id, name) VALUES (1, 'one');
INSERT INTO planted.leads (campaign_id, name) VALUES (1, 'x');
CREATE OR REPLACE FUNCTION planted.warn() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'runs as %', current_user; RETURN ''; END $$;
CREATE OR REPLACE VIEW planted.lead_reasons AS SELECT 1::bigint AS lead_id, 1::bigint AS campaign_id, planted.warn() AS blocks, ''::text AS kind, ''::text COLLATE "C" AS subject, ''::text AS source,
    ''::text AS reason, ''::text AS disqualified_by, now() AS disqualified_at, now() AS expires_at, ''::text COLLATE "C" AS lift;
RESET ROLE;
SELECT * FROM lead_status(1);
\echo :SQLSTATE
-- asked for by name, it runs as its owner
SELECT blocks, kind FROM lead_status(1, 'planted.leads');
CALL suppress_phones(ARRAY['678 999 8212']);
\echo :SQLSTATE
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'one');
INSERT INTO crm.leads (campaign_id, name) VALUES (1, 'nobody');
SET search_path = crm, public;
SELECT kind, lift FROM lead_status(1);
ALTER SCHEMA crm RENAME TO customers;
SET search_path = customers, public;
SELECT kind, lift FROM lead_status(1);
RESET search_path;

-- Somebody else's counts and ledger are no reason to refuse what is done to one's own.
SET ROLE regress_mallory;
CREATE TABLE planted.claims (campaign_id bigint, phone text, mobile text);
CREATE TRIGGER zz_lead_phones_normalize_insert BEFORE INSERT ON planted.claims FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize(
    'campaign_column=campaign_id', 'phone_column=phone', 'mobile_column=mobile', 'region=US', 'on_invalid=keep', 'schema=good', 'counts=mine', 'disqualifications=mine');
RESET ROLE;
CREATE TABLE good.mine (phone e164);
ALTER TABLE good.mine RENAME COLUMN phone TO number;
ALTER TABLE good.mine RENAME COLUMN number TO phone;
ALTER TABLE good.mine RENAME TO yours;
ALTER TABLE good.yours RENAME TO mine;
DROP TABLE good.mine;

-- other messages than Postgres's own
SET quote_all_identifiers = on;
CREATE SCHEMA quoted;
CREATE TABLE quoted.leads (campaign_id uuid, phone text, mobile varchar(40), region char(2));
SELECT unique_numbers FROM track_lead_phones('quoted.leads', region_column => 'region');
INSERT INTO quoted.leads VALUES ('00000000-0000-0000-0000-00000000000a', '678 999 8212', NULL, NULL);
CALL disqualify_phone('00000000-0000-0000-0000-00000000000a'::uuid, '678 999 8212', leads => 'quoted.leads');
CALL requalify_phone('00000000-0000-0000-0000-00000000000a'::uuid, '678 999 8212', leads => 'quoted.leads');
SELECT * FROM verify_phone_counts('quoted.leads');
SELECT campaign, lead_count FROM lead_phone_quality('quoted.leads');
ALTER TABLE quoted.leads RENAME COLUMN phone TO tel;
INSERT INTO quoted.leads VALUES ('00000000-0000-0000-0000-00000000000a', '678 999 8212', NULL, NULL);
CREATE TABLE quoted.staging (email text, phone text);
INSERT INTO quoted.staging VALUES ('a@x.example', '678 999 8212');
CALL upload_leads(1, 'quoted.staging', leads => 'customers.leads');
CALL suppress_domains(ARRAY['kw.example'], leads => 'customers.leads');
RESET quote_all_identifiers;
CALL upload_leads(1, 'quoted.staging', columns => '[]', leads => 'customers.leads');
\echo :SQLSTATE
CALL upload_leads(1, 'quoted.staging', columns => '"phone"', leads => 'customers.leads');
\echo :SQLSTATE
CALL upload_leads(1, 'quoted.staging', columns => '{"phone": null}', leads => 'customers.leads');
\echo :SQLSTATE
CALL upload_leads(1, 999999::oid::regclass, leads => 'customers.leads');
\echo :SQLSTATE
CALL suppress_phones(NULL::regclass, 'x', leads => 'customers.leads');
\echo :SQLSTATE
CALL suppress_phones(ARRAY[[' 678 999 8214 ', '678 999 8215'], ['x', NULL]], leads => 'customers.leads');
-- temporary tables that were there before an upload run nothing as the owner of the lead tables
CREATE ROLE regress_low;
GRANT USAGE ON SCHEMA customers TO regress_low;
GRANT INSERT ON customers.leads TO regress_low;
GRANT TEMPORARY ON DATABASE lead_phones_regress TO regress_low;
SET ROLE regress_low;
CREATE TEMPORARY TABLE lead_phones_uploaded (place bigint, email text, title text, company text, website text, phone text, mobile text, country text, name text, custom jsonb);
CREATE TEMPORARY TABLE lead_phones_staged (place bigint, email text COLLATE "C", email_key text COLLATE "C", raw_email text, name text, title text, company text,
    name_key text COLLATE "C", website text, domain text COLLATE "C", region text, raw_phone text, raw_mobile text, valid_phone text, valid_mobile text, custom jsonb);
CREATE TEMPORARY TABLE lead_phones_placed (place bigint, account_id bigint, is_held boolean, left_account_id bigint, contact_id bigint, is_repeated boolean, outcome text);
GRANT ALL ON lead_phones_uploaded, lead_phones_staged, lead_phones_placed TO PUBLIC;
INSERT INTO lead_phones_uploaded (place, name, custom) VALUES (1, 'x', '{}');
CREATE FUNCTION pg_temp.planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'planted, as %', current_user; RETURN NEW; END $$;
CREATE TRIGGER planted BEFORE INSERT ON lead_phones_staged FOR EACH ROW EXECUTE FUNCTION pg_temp.planted();
SELECT lead_phones_upload_step('customers.leads', 'write_upload', '{"campaign": 1, "columns": {}, "started_at": "2026-01-01"}');
SELECT lead_phones_upload_step('customers.leads', 'open_upload', '{}');
DROP TABLE lead_phones_uploaded, lead_phones_staged, lead_phones_placed;
DROP FUNCTION pg_temp.planted;
CREATE TEMPORARY TABLE low (name text, phone text);
INSERT INTO low VALUES ('low', '678 999 8299');
CALL upload_leads(1, 'low', leads => 'customers.leads') \gx
RESET ROLE;
REVOKE ALL ON DATABASE lead_phones_regress FROM regress_low;
DELETE FROM customers.contacts WHERE name = 'low';
DELETE FROM customers.lead_uploads WHERE uploaded_by = 'regress_low';
DROP TABLE pg_temp.low;
REVOKE ALL ON customers.leads FROM regress_low;
REVOKE ALL ON SCHEMA customers FROM regress_low;
DROP ROLE regress_low;
DROP TABLE customers.lead_disqualifications CASCADE;
\echo :SQLSTATE
ALTER TABLE customers.contacts RENAME COLUMN phone TO tel;
\echo :SQLSTATE
-- longer than an entry of an index can be
INSERT INTO customers.leads (campaign_id, name, company, email)
VALUES (1, 'long', repeat('Ünited ', 1000), repeat('a', 3000) || '@x.example'), (1, 'again', repeat('ünited ', 1000), NULL);
INSERT INTO quoted.staging SELECT string_agg(md5(i::text), '') || '@x.example', '678 999 8213' FROM generate_series(1, 500) AS i;
ALTER TABLE quoted.staging ADD COLUMN company text;
UPDATE quoted.staging SET company = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 500) AS i);
CALL upload_leads(1, 'quoted.staging', leads => 'customers.leads');
SELECT count(*), min(length(name)), min(octet_length(name_key)) FROM customers.accounts WHERE length(name) > 100;
SELECT column_name, length(raw_value), reason FROM customers.lead_upload_problems ORDER BY upload_id, row_number;

SET client_min_messages = warning;
DROP OWNED BY regress_mallory, regress_victim CASCADE;
DROP SCHEMA good, quoted, customers CASCADE;
DROP ROLE regress_mallory, regress_victim;
