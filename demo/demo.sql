\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null ''
SET client_min_messages = warning;

\echo
\echo '== 1. Tables for campaigns, accounts, contacts and leads:  SELECT create_lead_tables();'
CREATE EXTENSION IF NOT EXISTS lead_phones;
SELECT create_lead_tables() \g /dev/null
INSERT INTO campaigns (campaign_id, name) VALUES (42, 'Spring homes'), (43, 'Autumn homes'), (44, 'Suppliers');

\echo '== 2. A list, as it comes: demo/leads.csv, copied into a staging table. Some of its spellings:'
CREATE TEMPORARY TABLE file (campaign_id bigint, "Full Name" text, "E-Mail" text, "Company" text, "Phone Number" text, "Cell" text);
\copy file FROM 'demo/leads.csv' (FORMAT csv, HEADER)
CREATE TEMPORARY TABLE staging AS SELECT "Full Name", "E-Mail", "Company", "Phone Number", "Cell" FROM file WHERE campaign_id = 42;
SELECT * FROM staging LIMIT 8;

\echo '== 3. One call uploads it, and returns a receipt:  CALL upload_leads(42, ''staging'', ''leads.csv'');'
\x on
CALL upload_leads(42, 'staging', 'leads.csv');
\x off
\echo '   Every row is created, updated, a duplicate or refused. What could not be used:'
SELECT reason, count(*) AS values, min(row_number) AS "first row", min(raw_value) AS "for example"
  FROM lead_upload_problems GROUP BY reason ORDER BY 2 DESC, 1;

\echo '== 4. Leads became people at companies, and every number is counted once for each campaign:'
SELECT c.name, c.email, a.name AS account, c.phone, c.mobile FROM contacts AS c LEFT JOIN accounts AS a USING (campaign_id, account_id)
 ORDER BY c.contact_id LIMIT 4;
SELECT phone, format_phone(phone) AS written, lead_count, phone_count, mobile_count
  FROM campaign_phone_counts ORDER BY lead_count DESC, phone LIMIT 4;

\echo '== 5. John retires. There are two contacts, at two accounts, and one number:'
\echo '   CALL disqualify_phone(42, ''678 999 8212'', reason => ''retired'', leads => ''leads'');'
CALL disqualify_phone(42, '678 999 8212', reason => 'retired', leads => 'leads');
SELECT l.lead_id, l.name, k.phone, k.mobile, CASE WHEN k.lead_id IS NULL THEN 'no' ELSE 'yes' END AS callable
  FROM leads AS l LEFT JOIN callable_leads AS k USING (lead_id) WHERE l.lead_id <= 4 ORDER BY 1;

\echo '== 6. May I call lead 2, and if not, why?  SELECT * FROM lead_status(2);'
SELECT blocks, kind, subject, reason, lift FROM lead_status(2);

\echo '== 7. Next week, other lists. Known people are updated; disqualified ones arrive disqualified:'
CREATE TEMPORARY TABLE next_week (email text, first_name text, last_name text, company text, mobile text);
INSERT INTO next_week VALUES
    ('JANE@kw.example', 'Jane', 'Doe-Miller', NULL, NULL),
    ('j.smith@home.example', 'J.', 'Smith', NULL, '+1 678.999.8212'),
    ('sue@rival.example', 'Sue', 'Rival', 'Rival Inc.', '(832) 555-0143');
CALL suppress_domains(ARRAY['rival.example'], reason => 'competitor');
\x on
CALL upload_leads(42, 'next_week');
\x off
SELECT c.name, k.blocks, k.kind, k.subject, k.reason FROM contacts AS c JOIN leads AS l USING (campaign_id, contact_id)
  LEFT JOIN LATERAL lead_status(l.lead_id) AS k ON true WHERE l.upload_id = 2 ORDER BY l.lead_id;

\echo '== 8. It was a mistake:  CALL requalify_phone(42, ''678 999 8212'', reason => ''back from retirement'', leads => ''leads'');'
CALL requalify_phone(42, '678 999 8212', reason => 'back from retirement', leads => 'leads');
SELECT kind, subject, reason, disqualified_at::timestamp(0), lifted_at::timestamp(0), lift_reason, stands FROM lead_ledger ORDER BY 4;

\echo '== 9. A caller has a minute. Whom to call?  SELECT * FROM next_leads(42, ''ann'');'
SELECT lead_id AS lead, name, phone, mobile FROM next_leads(42, 'ann') \gset next_
SELECT :next_lead AS lead_id, :'next_name' AS name, :'next_phone' AS phone, :'next_mobile' AS mobile, 'ann' AS claimed_by;
\echo '   CALL start_call(1, ''mobile'', ''ann'');'
CALL start_call(:next_lead, 'mobile', 'ann');
\echo '   It is voicemail. The number rests for everybody who shares it:  CALL end_call(1, ''voicemail'', ''no beep'');'
CALL end_call(1, 'voicemail', 'no beep');
\echo '   So another caller, who has the other contact, is refused:  CALL start_call(2, NULL, ''bob'');'
CALL start_call(2, NULL, 'bob', call_id => NULL, allowed => NULL, number => NULL, refusals => NULL) \gset refused_
SELECT l.name, a.name AS account, :'refused_allowed'::boolean AS allowed, r ->> 'number' AS number, r ->> 'kind' AS kind, r ->> 'reason' AS reason,
       (r ->> 'until')::timestamptz(0) AS until
  FROM leads AS l JOIN contacts AS c USING (campaign_id, contact_id) JOIN accounts AS a USING (campaign_id, account_id)
 CROSS JOIN LATERAL jsonb_array_elements(:'refused_refusals'::jsonb) AS r WHERE l.lead_id = 2;

\echo '== 10. A recount of everything finds no difference:  SELECT * FROM verify_phone_counts(''contacts'');'
SELECT count(*) AS differences FROM verify_phone_counts('contacts');
