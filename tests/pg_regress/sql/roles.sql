-- Who may do what: an owner, an uploader, a caller, an analyst; row-level security; column grants.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_owner;
CREATE ROLE regress_uploader;
CREATE ROLE regress_caller;
CREATE ROLE regress_analyst;
CREATE SCHEMA crm AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA crm TO regress_uploader, regress_caller, regress_analyst;

SET ROLE regress_owner;
CREATE TABLE crm.leads (id int DEFAULT 0, campaign_id int, phone text, mobile text, secret text DEFAULT 'secret') PARTITION BY LIST (campaign_id);
CREATE TABLE crm.leads_1 PARTITION OF crm.leads FOR VALUES IN (1);
CREATE TABLE crm.leads_2 PARTITION OF crm.leads FOR VALUES IN (2);
CREATE TABLE crm.secrets (secret text);
SELECT FROM track_lead_phones('crm.leads');
-- an owner needs no superuser to have partitions come and go
CREATE TABLE crm.leads_3 PARTITION OF crm.leads FOR VALUES IN (3);
INSERT INTO crm.leads_3 (campaign_id, phone) VALUES (3, '678 999 3001');
DROP TABLE crm.leads_3;
SELECT count(*) FROM crm.campaign_phone_counts;
GRANT INSERT (campaign_id, phone, mobile) ON crm.leads TO regress_uploader;
GRANT INSERT ON crm.leads_2 TO regress_uploader;
GRANT SELECT ON crm.leads, crm.campaign_phone_counts, crm.campaign_phone_disqualifications TO regress_analyst;
RESET ROLE;
GRANT EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint),
    requalify_phone(bigint, text, text, text, regclass, text, e164, bigint) TO regress_caller;

-- An uploader writes leads, into columns and a partition that were granted, and reads nothing.
SET ROLE regress_uploader;
INSERT INTO crm.leads (campaign_id, phone, mobile) VALUES (1, '678 999 1001', '678 999 1002'), (2, '678 999 1001', NULL);
INSERT INTO crm.leads_2 (id, campaign_id, phone) OVERRIDING SYSTEM VALUE VALUES (50, 2, '678 999 1003');
COPY crm.leads (campaign_id, phone, mobile) FROM stdin;
1	678.999.1004	n/a
\.
INSERT INTO crm.leads (campaign_id, phone, secret) VALUES (1, '678 999 1001', 'x');
INSERT INTO crm.leads (campaign_id, phone, phone_disqualified) VALUES (1, '678 999 1001', true);
INSERT INTO crm.leads_1 (campaign_id, phone) VALUES (1, '678 999 1001');
SELECT * FROM crm.leads;
SELECT * FROM crm.campaign_phone_counts;
UPDATE crm.campaign_phone_counts SET lead_count = 0;
DELETE FROM crm.campaign_phone_disqualifications;
CALL disqualify_phone(1, '678 999 1001');
SELECT verify_phone_counts('crm.leads');
SELECT rebuild_phone_counts('crm.leads');
SELECT untrack_lead_phones('crm.leads');
CALL backfill_lead_phones('crm.leads');
SELECT lead_phones_as_owner('crm.leads', 'recount', '{}');
SELECT lead_phones_truncate('crm.leads', jsonb_build_object('tables', jsonb_build_array('crm.leads_1'::regclass::oid)));
SELECT lead_phones_take_off(t, '{crm.leads_1}') FROM lead_phone_tables AS t WHERE leads = 'crm.leads'::regclass;
DROP TABLE crm.leads_1;
ALTER TABLE crm.leads DETACH PARTITION crm.leads_1;

-- A caller disqualifies, and does nothing else.
SET ROLE regress_caller;
CALL disqualify_phone(1, '678 999 1001', reason => 'retired', leads => 'crm.leads');
CALL requalify_phone(1, '678 999 1001', leads => 'crm.leads');
CALL disqualify_phone(1, '678 999 1001', leads => 'crm.leads');
CALL disqualify_phone(1, '678 999 1001', leads => 'crm.secrets');
CALL expire_disqualifications('crm.leads');
SELECT * FROM crm.leads;
SELECT * FROM crm.campaign_phone_disqualifications;

-- An analyst reads, and checks.
SET ROLE regress_analyst;
SELECT campaign_id, phone, phone_disqualified FROM crm.leads ORDER BY 1, 2;
SELECT campaign_id, phone, source, disqualified_by, lifted_by FROM crm.campaign_phone_disqualifications ORDER BY entry;
SELECT count(*) FROM verify_phone_counts('crm.leads');
CALL disqualify_phone(1, '678 999 1002');
RESET ROLE;

-- An owner administers what is the owner's, and needs no superuser for it; nothing else.
SET ROLE regress_owner;
SELECT count(*) FROM verify_phone_counts('crm.leads');
SELECT campaign, lead_count FROM lead_phone_quality('crm.leads');
SELECT untrack_lead_phones('crm.leads');
SELECT total_leads, numbers_normalized FROM track_lead_phones('crm.leads');
-- what is the owner's, and nothing else
CALL disqualify_phone(1, '678 999 1001', leads => 'crm.leads');
SELECT lead_phones_as_owner('crm.leads', 'expire', '{}');
UPDATE pg_catalog.pg_proc SET prosecdef = false WHERE proname = 'disqualify_phone';
DROP EXTENSION lead_phones;
RESET ROLE;
CREATE TABLE leads_of_others (campaign_id int, phone text, mobile text);
SELECT FROM track_lead_phones('leads_of_others');
SET ROLE regress_owner;
SELECT rebuild_phone_counts('leads_of_others');
SELECT untrack_lead_phones('leads_of_others');
SELECT count(*) FROM verify_phone_counts('leads_of_others');
RESET ROLE;
DROP TABLE leads_of_others, campaign_phone_counts, campaign_phone_disqualifications;

-- Row-level security: triggers and procedures see every lead, whatever role calls; a reader from whom a policy hides some gets an error.
SET ROLE regress_owner;
ALTER TABLE crm.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE crm.leads FORCE ROW LEVEL SECURITY;
CREATE POLICY first_only ON crm.leads USING (campaign_id = 1) WITH CHECK (true);
SET ROLE regress_uploader;
INSERT INTO crm.leads (campaign_id, phone) VALUES (2, '678 999 1001'), (1, '678 999 1001');
SET ROLE regress_caller;
CALL disqualify_phone(2, '678 999 1001', leads => 'crm.leads');
SET ROLE regress_analyst;
SELECT count(*) FROM crm.leads;
SELECT count(*) FROM verify_phone_counts('crm.leads');
SET ROLE regress_owner;
SELECT rebuild_phone_counts('crm.leads');
RESET ROLE;
SELECT count(*) FROM verify_phone_counts('crm.leads');
SELECT campaign_id, phone, phone_disqualified FROM crm.leads ORDER BY 1, 2;
SELECT rebuild_phone_counts('crm.leads');
-- What a procedure was not granted for, its inner function does not do either; and nobody reaches the tables of another owner by own ones.
CREATE ROLE regress_neighbor;
CREATE SCHEMA next AUTHORIZATION regress_neighbor;
GRANT CREATE, USAGE ON SCHEMA crm TO regress_neighbor;
SET ROLE regress_neighbor;
CREATE TABLE next.leads (campaign_id int, phone text);
SELECT unique_numbers FROM track_lead_phones('next.leads');
INSERT INTO next.leads VALUES (1, '678 999 1001');
CALL disqualify_phone(1, '678 999 1001', leads => 'next.leads');
CALL disqualify_phone(1, '678 999 1001', leads => 'crm.leads');
CALL requalify_phone(1, '678 999 1001', leads => 'crm.leads');
SELECT lead_phones_run('crm.leads', 'requalify_phone', '{"campaign": "1", "phone": "678 999 1001", "by": "nobody"}');
SELECT lead_phones_run('crm.leads', 'rebuild', '{}');
SELECT lead_phones_run('next.leads', 'metrics', '{}');
SELECT lead_phones_run(NULL, NULL, NULL);
SELECT lead_phones_run('next.leads', 'disqualify_phone', NULL);
SELECT lead_phones_run('next.leads', 'disqualify_phone', '{"campaign": "1", "phone": "678 999 1002", "source": "a list", "by": "somebody else"}');
SELECT source, disqualified_by FROM next.campaign_phone_disqualifications ORDER BY disqualified_at;
-- own ones alone
CALL expire_disqualifications();
SET ROLE regress_analyst;
CALL expire_disqualifications();
RESET ROLE;
-- by way of a function of somebody who may
GRANT EXECUTE ON PROCEDURE requalify_phone(text, text, text, text, regclass, text, e164, bigint) TO regress_caller;
CREATE FUNCTION wrapped() RETURNS void SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CALL public.requalify_phone(''1'', ''678 999 1001'', leads => ''next.leads'')'; END $$;
ALTER FUNCTION wrapped() OWNER TO regress_caller;
GRANT USAGE ON SCHEMA next TO regress_caller;
SET ROLE regress_analyst;
SELECT wrapped();
RESET ROLE;
SELECT phone, phone_disqualified FROM next.leads;
DROP FUNCTION wrapped();
REVOKE ALL ON PROCEDURE requalify_phone(text, text, text, text, regclass, text, e164, bigint) FROM regress_caller;
REVOKE ALL ON SCHEMA next FROM regress_caller;
DROP SCHEMA next CASCADE;
REVOKE ALL ON SCHEMA crm FROM regress_neighbor;
DROP ROLE regress_neighbor;
DROP SCHEMA crm CASCADE;
REVOKE ALL ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint),
    requalify_phone(bigint, text, text, text, regclass, text, e164, bigint) FROM regress_caller;
DROP ROLE regress_owner, regress_uploader, regress_caller, regress_analyst;
