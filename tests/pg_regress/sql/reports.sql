-- Reports on the quality of phone data.
\set SHOW_CONTEXT never
\pset null -
CREATE SCHEMA reports;
SET search_path = reports, public;
CREATE TABLE leads (id int PRIMARY KEY, campaign_id int, phone text, "Mobile #" text, country text);
SELECT unique_numbers FROM track_lead_phones('leads', phone_columns => '{phone,"Mobile #"}', region_column => 'country');
SELECT * FROM lead_phone_quality('leads');
INSERT INTO leads VALUES
    (1, 1, '(678) 999-8212', '212 761 2846', NULL), (2, 1, '678 999 8212', NULL, NULL), (3, 1, 'n/a', '678-999-8212', NULL),
    (4, 1, '999 8212', 'none', NULL), (5, 1, '', '   ', NULL), (6, 1, NULL, NULL, NULL),
    (7, 2, '020 7946 0958', '+49 30 123456', 'GB'), (8, 2, '020 7946 0958', '000', 'US'), (9, NULL, '212 761 2846', 'x', NULL);
CALL disqualify_phone(1, '678 999 8212', leads => 'leads');
CALL disqualify_phone(2, '212 761 2846', leads => 'leads');
SELECT campaign, lead_count, filled, valid, invalid, invalid_by_reason, unique_numbers, shared_numbers, disqualified_numbers, callable_leads
  FROM lead_phone_quality('leads');
-- the figures are those of the other reports
SELECT q.campaign, q.invalid = count(i.reason) AS invalid, q.unique_numbers = (SELECT count(*) FROM campaign_phone_counts AS c WHERE c.campaign_id::text = q.campaign AND lead_count > 0) AS unique_numbers
  FROM lead_phone_quality('leads') AS q LEFT JOIN invalid_lead_phones('leads') AS i ON i.campaign IS NOT DISTINCT FROM q.campaign
 GROUP BY q.campaign, q.invalid, q.unique_numbers ORDER BY q.campaign;
SELECT * FROM shared_lead_phones('leads');
SELECT * FROM shared_lead_phones('leads', 1) ORDER BY campaign, phone;
SELECT * FROM invalid_lead_phones('leads') ORDER BY lead, column_name;
-- without a primary key
ALTER TABLE leads DROP CONSTRAINT leads_pkey;
SELECT lead ? 'ctid' AS by_place, raw_value FROM invalid_lead_phones('leads') ORDER BY raw_value;
SELECT * FROM lead_phone_quality('campaign_phone_counts');
SELECT * FROM lead_phone_quality(NULL);
-- row-level security is not gone round
CREATE ROLE regress_analyst;
GRANT USAGE ON SCHEMA reports TO regress_analyst;
SET ROLE regress_analyst;
SELECT * FROM lead_phone_quality('leads');
RESET ROLE;
GRANT SELECT ON leads, campaign_phone_counts TO regress_analyst;
SET ROLE regress_analyst;
SELECT campaign, lead_count FROM lead_phone_quality('leads');
RESET ROLE;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SET ROLE regress_analyst;
SELECT campaign, lead_count FROM lead_phone_quality('leads');
SELECT * FROM invalid_lead_phones('leads');
RESET ROLE;
-- Metrics of all tracked tables are for monitoring alone, which needs no right on any of them.
CREATE SCHEMA reports2;
SELECT create_lead_tables('reports2');
INSERT INTO reports2.campaigns (campaign_id, name) VALUES (1, 'one');
CREATE TABLE staging (email text, phone text, mobile text);
INSERT INTO staging VALUES ('a@reports.example', '678 999 8212', 'n/a'), ('b@reports.example', '678 999 8212', '404 200 0001'), (NULL, NULL, NULL);
CALL upload_leads(1, 'staging', leads => 'reports2.leads');
CALL suppress_domains(ARRAY['reports.example'], leads => 'reports2.leads');
CALL disqualify_phone(1, '404 200 0001', expires_at => now() - interval '1 day', leads => 'reports2.contacts');
ANALYZE leads, reports2.contacts;
CREATE ROLE regress_monitor IN ROLE pg_monitor;
SET ROLE regress_analyst;
SELECT * FROM lead_phone_metrics();
SET ROLE regress_monitor;
SELECT schema_name, table_name, estimated_leads, unique_numbers, shared_numbers, disqualified_numbers, standing_entries, overdue_entries FROM lead_phone_metrics();
SELECT table_name, uploads, uploaded_rows, refused_rows, invalid_numbers, last_upload_at > now() - interval '1 minute' AS now FROM lead_phone_metrics();
SELECT FROM reports2.contacts;
RESET ROLE;
-- Monitoring reads tables of the owner, and no view that the owner puts in their place.
CREATE SCHEMA hers AUTHORIZATION regress_analyst;
SET ROLE regress_analyst;
CREATE TABLE hers.leads (campaign_id int, phone text, mobile text);
SELECT FROM track_lead_phones('hers.leads');
INSERT INTO hers.leads VALUES (1, '678 999 1001', NULL);
RESET ROLE;
SET session_replication_role = replica;
ALTER TABLE hers.campaign_phone_disqualifications RENAME TO kept;
RESET session_replication_role;
SET ROLE regress_analyst;
CREATE FUNCTION hers.spy(timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'runs as %', current_user; RETURN $1; END $$;
INSERT INTO hers.kept (campaign_id, phone, entry, source, disqualified_by, disqualified_at) VALUES (1, '+16789991001', 1, 'x', 'her', now());
CREATE VIEW hers.campaign_phone_disqualifications AS SELECT campaign_id, phone, entry, source, reason, disqualified_by, disqualified_at, expires_at,
    lifted_by, hers.spy(lifted_at) AS lifted_at, lift_reason FROM hers.kept;
RESET ROLE;
SELECT table_name, unique_numbers, standing_entries FROM lead_phone_metrics() WHERE schema_name = 'hers';
DROP SCHEMA hers CASCADE;
-- a table that cannot be read hides no other
SET session_replication_role = replica;
DROP TABLE campaign_phone_disqualifications;
RESET session_replication_role;
SELECT table_name, unique_numbers FROM lead_phone_metrics();
SET client_min_messages = warning;
DROP SCHEMA reports, reports2 CASCADE;
DROP ROLE regress_analyst, regress_monitor;
