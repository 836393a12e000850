-- What Citus does to a tracked table, as far as one server can show it.
\set SHOW_CONTEXT never
CREATE SCHEMA scale_out;
SET search_path = scale_out, public;
CREATE TABLE leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT FROM track_lead_phones('leads');
-- A shard: the same columns and triggers under another name. It counts where the table it comes from does.
CREATE TABLE leads_102040 (LIKE leads INCLUDING ALL);
SELECT format('%s', replace(pg_get_triggerdef(oid), ' ON scale_out.leads ', ' ON scale_out.leads_102040 ')) FROM pg_trigger WHERE tgrelid = 'leads'::regclass ORDER BY tgname \gexec
INSERT INTO leads_102040 VALUES (1, 1, '678 999 1001', '(678) 999-1002'), (1, 2, '678 999 1002', NULL);
UPDATE leads_102040 SET mobile = '678 999 1003' WHERE id = 2;
SELECT * FROM campaign_phone_counts ORDER BY phone;
ALTER TABLE leads ADD COLUMN note text;
DELETE FROM leads_102040;
SELECT count(*) FROM campaign_phone_counts;
DROP TABLE leads_102040;

-- With Citus loaded, counts are written as each statement ends, by plans that are made for it, campaign by campaign.
\c -
SET citus.enable_unsafe_triggers = on;
SET search_path = scale_out, public;
BEGIN;
INSERT INTO leads SELECT i % 20, i, '678 999 ' || 1000 + i % 50, '678 999 ' || 1000 + i % 70 FROM generate_series(1, 3000) AS i;
SELECT count(*), sum(lead_count) FROM campaign_phone_counts;
SAVEPOINT s;
DELETE FROM leads WHERE campaign_id < 10;
UPDATE leads SET mobile = NULL WHERE campaign_id = 11;
SELECT count(*) FROM verify_phone_counts('leads');
ROLLBACK TO s;
SELECT count(*) FROM verify_phone_counts('leads');
COMMIT;
CALL disqualify_phone(3, '678 999 1003');
INSERT INTO leads VALUES (3, 5001, '678 999 1003', NULL), (4, 5002, '678 999 1003', NULL) RETURNING campaign_id, phone_disqualified;
UPDATE leads SET campaign_id = 3, id = id + 10000 WHERE phone = '+16789991003';
SELECT count(*) FILTER (WHERE phone_disqualified), count(*) FROM leads WHERE campaign_id = 3 AND phone = '+16789991003';
CALL requalify_phone(3, '678 999 1003');
SELECT count(*) FROM verify_phone_counts('leads');
TRUNCATE leads;
SELECT count(*) FROM campaign_phone_counts;
-- A local table with partitions: one that comes is tracked with them.
CREATE SCHEMA parts;
CREATE TABLE parts.leads (campaign_id int, phone text, mobile text) PARTITION BY LIST (campaign_id);
SELECT FROM track_lead_phones('parts.leads');
CREATE TABLE parts.leads_1 (LIKE parts.leads INCLUDING DEFAULTS);
INSERT INTO parts.leads_1 (campaign_id, phone) VALUES (1, '+16789991001');
ALTER TABLE parts.leads ATTACH PARTITION parts.leads_1 FOR VALUES IN (1);
INSERT INTO parts.leads (campaign_id, phone) VALUES (1, '678 999 1001');
SELECT * FROM parts.campaign_phone_counts;
SET client_min_messages = warning;
DROP SCHEMA scale_out, parts CASCADE;

-- Lead tables are distributed by Citus: without it they say so.
CREATE SCHEMA crm;
REVOKE CREATE ON SCHEMA crm FROM PUBLIC;
SELECT distribute_lead_tables('crm');
SELECT create_lead_tables('crm');
SELECT distribute_lead_tables('crm');
SELECT distribute_lead_tables('nowhere');
SELECT distribute_lead_tables(NULL);
DROP SCHEMA crm CASCADE;
