\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null ''
SET client_min_messages = warning;

\echo
\echo '== 1. An ordinary application: campaigns, and a table of leads.'
CREATE EXTENSION IF NOT EXISTS lead_phones;
CREATE TABLE campaigns (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO campaigns VALUES (42, 'Spring homes'), (43, 'Autumn homes'), (44, 'Suppliers');
CREATE TABLE leads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id integer NOT NULL REFERENCES campaigns,
    name text, email text, account text, phone text, mobile text);

\echo '== 2. One call puts it under care:  SELECT * FROM track_lead_phones(''leads'');'
SELECT * FROM track_lead_phones('leads');

\echo '== 3. The application goes on as it is: COPY of demo/leads.csv. Before (the file), and after (the table):'
CREATE TEMPORARY TABLE file (LIKE leads);
ALTER TABLE file DROP COLUMN id, DROP COLUMN phone_disqualified, DROP COLUMN mobile_disqualified;
ALTER TABLE file ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
\copy file (campaign_id, name, email, account, phone, mobile) FROM 'demo/leads.csv' (FORMAT csv, HEADER)
\copy leads (campaign_id, name, email, account, phone, mobile) FROM 'demo/leads.csv' (FORMAT csv, HEADER)
SELECT f.name, f.phone AS "phone in the file", l.phone, f.mobile AS "mobile in the file", l.mobile
  FROM file AS f JOIN leads AS l USING (id) WHERE f.id <= 16 ORDER BY f.id;

\echo '== 4. What the spellings became:'
SELECT count(*) AS leads, count(phone) + count(mobile) AS filled,
       count(try_normalize_phone(phone)) + count(try_normalize_phone(mobile)) AS valid,
       (SELECT count(*) FROM campaign_phone_counts) AS "unique numbers" FROM leads;
SELECT phone_problem(raw) AS problem, count(*) AS values, min(raw) AS "for example"
  FROM (SELECT phone AS raw FROM leads UNION ALL SELECT mobile FROM leads) AS n
 WHERE phone_problem(raw) IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1;

\echo '== 5. campaign_phone_counts: every unique number of a campaign, over both columns'
SELECT campaign_id, count(*) AS "unique numbers", count(*) FILTER (WHERE lead_count > 1) AS shared,
       max(lead_count) AS "most leads on one number" FROM campaign_phone_counts GROUP BY 1 ORDER BY 1;
SELECT c.phone, format_phone(c.phone) AS written, c.lead_count, c.phone_count, c.mobile_count
  FROM campaign_phone_counts AS c WHERE c.campaign_id = 42 AND c.lead_count > 1 ORDER BY c.lead_count DESC, c.phone LIMIT 6;

\echo '== 6. John retires:  CALL disqualify_phone(42, ''678 999 8212'', reason => ''retired'');'
CALL disqualify_phone(42, '678 999 8212', reason => 'retired');
\echo '   Both of his leads are marked, at two accounts; Jane and her husband are not.'
SELECT name, account, phone, phone_disqualified AS out, mobile, mobile_disqualified AS out
  FROM leads WHERE id <= 4 ORDER BY id;

\echo '== 7. Next week, another list brings him back. He arrives marked:'
INSERT INTO leads (campaign_id, name, account, phone) VALUES (42, 'J. Smith', 'Smith Family', '+1 678.999.8212')
RETURNING name, phone, phone_disqualified;

\echo '== 8. It was a mistake:  CALL requalify_phone(42, ''1 (678) 999-8212'', reason => ''back from retirement'');'
CALL requalify_phone(42, '1 (678) 999-8212', reason => 'back from retirement');
SELECT phone, source, reason, disqualified_at::timestamp(0), lifted_at::timestamp(0), lift_reason
  FROM campaign_phone_disqualifications;

\echo '== 9. A recount of everything finds no difference:  SELECT * FROM verify_phone_counts(''leads'');'
SELECT count(*) AS differences FROM verify_phone_counts('leads');
