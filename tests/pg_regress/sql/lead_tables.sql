-- Lead tables: from a file to the answer to "may I call this lead, and if not, why?"
\set SHOW_CONTEXT never
\pset null -
CREATE SCHEMA crm;
SET search_path = crm, public;
SET timezone = 'UTC';
SELECT create_lead_tables();
SELECT create_lead_tables();
SELECT leads, region_column, counts FROM lead_phone_tables;
SELECT c.relname, c.relkind, regexp_replace(obj_description(c.oid), '\d+/\d+/\d+', '...') AS obj_description FROM pg_class AS c
 WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname;
SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND classid = 'pg_class'::regclass
   AND objid IN (SELECT oid FROM pg_class WHERE relnamespace = 'crm'::regnamespace);
INSERT INTO campaigns (campaign_id, name) VALUES (42, 'Spring'), (43, 'Autumn');

-- A file, as it comes: its own names of columns, spellings, repeated people, an empty row.
CREATE TEMPORARY TABLE staging ("Full Name" text, "E-Mail" text, "Company" text, "Web Site" text, "Phone Number" text, "Cell" text, "Hair Colour" text);
COPY staging FROM STDIN WITH (FORMAT csv);
John Smith,john@kw.example,Keller Williams,,+1-212-761-2846,1 678-999-8212,grey
John R. Smith,jrs@kwrealty.example,KW Realty,,,(678)-999 8212,
Jane Doe,jane@kw.example,Keller Williams,https://www.kw.example/agents,212.761.2846,+1 (832) 723-4097,brown
Jane's husband,hi@petshop.example,Petshop Supply,,832 723 4097,n/a,
Joan,joan@gmail.com,petshop  supply,,,,
Jim,,PETSHOP supply,,267 519 0001,,
Jim,,,,267 519 0001,,
,,,,,,
JOHN SMITH,John@KW.example,,,,404 555,white
Nobody,nobody at home,,,267 519 0002,,
\.
CALL upload_leads(42, 'staging', 'spring.csv') \gx
SELECT row_number, column_name, raw_value, reason FROM lead_upload_problems ORDER BY row_number, column_name;
SELECT a.name AS account, a.domain, c.name, c.email, c.phone, c.mobile FROM contacts AS c LEFT JOIN accounts AS a USING (campaign_id, account_id)
 ORDER BY c.contact_id;
SELECT row_number, name, email, phone, mobile, custom FROM leads ORDER BY lead_id;
SELECT phone, lead_count, phone_count, mobile_count FROM campaign_phone_counts ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('contacts');
SELECT columns FROM lead_uploads;
-- every row is accounted for
SELECT rows_in_file = created + updated + duplicates_in_file + refused AS adds_up FROM lead_uploads;
SELECT lead_id, name, phone, mobile FROM callable_leads ORDER BY lead_id;

-- John retires. Disqualifying the account or the contact is not enough: the number is.
CALL disqualify_phone(42, '678 999 8212', reason => 'retired', leads => 'leads');
SELECT lead_id, name, phone, mobile FROM callable_leads ORDER BY lead_id;
SELECT blocks, kind, subject, source, reason, disqualified_by = current_user AS by_me, lift FROM lead_status(1);
SELECT blocks, kind, subject, source, reason, lift FROM lead_status(2);
SELECT * FROM lead_status(3);
SELECT blocks, kind, subject, reason, lift FROM lead_status(5);
SELECT blocks, kind, subject, reason FROM lead_status(8) ORDER BY 1, 2;
SELECT * FROM lead_status(99);

-- The same file again: nobody is new, nothing changes, and who came first stays.
CALL upload_leads(42, 'staging', 'spring again.csv') \gx
SELECT count(*), count(DISTINCT contact_id) FROM leads WHERE row_number <> 6 AND row_number <> 7;
SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('contacts');
-- In another campaign they are other people, and nothing is disqualified.
CALL upload_leads(43, 'staging') \gx

-- Later lists: the latest value that says something, and no invalid number for a valid one.
TRUNCATE staging;
INSERT INTO staging ("Full Name", "E-Mail", "Company", "Phone Number", "Cell") VALUES
    ('John Smith jr.', ' JOHN@kw.example ', NULL, '', '267 519 0100'),
    ('', 'jane@kw.example', 'KW  realty', '---', '678 999 8212');
CALL upload_leads(42, 'staging') \gx
SELECT c.name, c.email, a.name AS account, c.phone, c.mobile, c.mobile_disqualified FROM contacts AS c JOIN accounts AS a USING (campaign_id, account_id)
 WHERE campaign_id = 42 AND email LIKE '%@kw.example' ORDER BY contact_id;
SELECT phone, lead_count, disqualified FROM campaign_phone_counts WHERE campaign_id = 42 ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('contacts');
SELECT upload_id, count(*) FROM leads AS l WHERE campaign_id = 42
   AND NOT EXISTS (SELECT FROM leads AS e WHERE e.campaign_id = 42 AND e.contact_id = l.contact_id AND e.lead_id < l.lead_id)
 GROUP BY upload_id ORDER BY upload_id;

-- Leads that applications insert, one by one and by COPY, are split as well.
INSERT INTO leads (campaign_id, name, email, company, phone, custom) VALUES
    (42, 'Ann', 'ann@acme.example', 'Acme', '(415) 555-2671', '{"size": 3}'),
    (42, 'Ann B.', 'ANN@acme.example', '', '415 555 2672', '{}'),
    (42, 'Abe', NULL, 'acme', '415 555 2673', '{}'),
    (43, 'Ann', 'ann@acme.example', 'Acme', '415 555 2671', '{}');
COPY leads (campaign_id, name, email, company, website, mobile) FROM STDIN WITH (FORMAT csv);
42,Amy,amy@yahoo.com,Acme,,415 555 2674
42,Amos,amos@mail.example,,WWW.Acme.example/about,415 555 2675
\.
SELECT l.campaign_id, l.name AS lead, c.name, a.name AS account, a.domain, c.phone, c.mobile FROM leads AS l
  JOIN contacts AS c USING (campaign_id, contact_id) LEFT JOIN accounts AS a USING (campaign_id, account_id)
 WHERE l.upload_id IS NULL ORDER BY l.lead_id;
INSERT INTO leads (campaign_id, name) VALUES (44, 'Zoe');
UPDATE leads SET phone = '1' WHERE name = 'Abe';
UPDATE leads SET custom = '{"ok": true}' WHERE name = 'Abe';
SELECT count(*) FROM leads WHERE contact_id IS NULL;
SELECT count(*) FROM verify_phone_counts('contacts');
-- who wrote only leads needs no right on the rest
CREATE ROLE regress_writer;
GRANT USAGE ON SCHEMA crm TO regress_writer;
GRANT INSERT ON leads TO regress_writer;
SET ROLE regress_writer;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (42, 'Uma', 'uma@writer.example', '415 555 2676');
SELECT count(*) FROM contacts;
RESET ROLE;
SELECT count(*) FROM contacts WHERE email = 'uma@writer.example';

-- Companies: by the domain of the website, else of the address, else by name.
CREATE TEMPORARY TABLE companies (name text, email text, company text, website text);
INSERT INTO companies VALUES
    ('a', NULL, 'Blue  Sky', NULL), ('b', NULL, 'BLUESKY', NULL), ('c', NULL, 'Blue Sky', 'blue-sky.example'),
    ('d', 'd@blue-sky.example', NULL, NULL), ('e', 'e@gmail.com', 'blue sky', 'http://gmail.com'),
    ('f', 'f@red.example', 'Blue Sky', NULL), ('g', 'g@red.example', 'Red', 'www.blue-sky.example'), ('h', 'h@gmail.com', NULL, NULL),
    ('i', NULL, NULL, NULL);
INSERT INTO campaigns (campaign_id, name) VALUES (50, 'companies');
CALL upload_leads(50, 'companies') \gx
SELECT string_agg(c.name, ' ' ORDER BY c.name) AS people, a.name, a.domain FROM contacts AS c LEFT JOIN accounts AS a USING (campaign_id, account_id)
 WHERE campaign_id = 50 GROUP BY a.account_id, a.name, a.domain ORDER BY 1;
-- the list of free mail domains is the user's
INSERT INTO free_mail_domains VALUES ('red.example');
INSERT INTO campaigns (campaign_id, name) VALUES (51, 'companies');
CALL upload_leads(51, 'companies') \gx
SELECT string_agg(c.name, ' ' ORDER BY c.name) AS people, a.name, a.domain FROM contacts AS c LEFT JOIN accounts AS a USING (campaign_id, account_id)
 WHERE campaign_id = 51 GROUP BY a.account_id, a.name, a.domain ORDER BY 1;

-- Entries are independent: each is lifted by the call that lead_status names.
INSERT INTO campaigns (campaign_id, name) VALUES (60, 'ways out');
INSERT INTO leads (lead_id, campaign_id, name, email, phone) VALUES (6001, 60, 'Otto', 'otto@out.example', '415 555 2680');
SELECT contact_id AS contact, account_id AS account FROM contacts WHERE campaign_id = 60 \gset
CALL disqualify_contact(60, :contact, 'asked not to be called');
CALL disqualify_contact(60, :contact, 'asked not to be called');
CALL disqualify_account(60, :account, reason => 'competitor', source => 'sales');
CALL disqualify_phone(60, '415 555 2680', leads => 'leads');
CALL suppress_phones(ARRAY['(415) 555-2680', '+1 415 555 2681', 'n/a'], source => 'national list');
CALL suppress_domains(ARRAY['https://OUT.example'], campaign => 60, reason => 'legal');
CALL suppress_domains(ARRAY['out.example'], reason => 'legal');
SELECT blocks, kind, subject, source, reason, lift FROM lead_status(6001) ORDER BY lift COLLATE "C";
SELECT kind, campaign_id, source, reason, stands FROM lead_ledger WHERE campaign_id = 60 OR campaign_id IS NULL ORDER BY kind, campaign_id, subject;
SELECT count(*) FROM callable_leads WHERE lead_id = 6001;
SELECT lift FROM lead_status(6001) ORDER BY lift COLLATE "C" \gexec
SELECT * FROM lead_status(6001);
SELECT phone FROM callable_leads WHERE lead_id = 6001;
SELECT kind, campaign_id, source, lifted_by = current_user AS by_me, stands FROM lead_ledger
 WHERE campaign_id = 60 OR campaign_id IS NULL ORDER BY kind, campaign_id, subject;
-- another source, another reason
CALL disqualify_contact(60, :contact, 'one', 'a');
CALL disqualify_contact(60, :contact, 'two', 'a');
CALL disqualify_contact(60, :contact, 'three', 'b');
SELECT source, reason FROM lead_status(6001) ORDER BY 1;
CALL requalify_contact(60, :contact, source => 'a');
SELECT source, reason FROM lead_status(6001) ORDER BY 1;
CALL requalify_contact(60, :contact);
SELECT * FROM lead_status(6001);

-- Suppressions bind what was uploaded before, and after; in one campaign or in all.
CREATE TABLE dnc (number text);
INSERT INTO dnc VALUES ('415-555-2690'), ('415-555-2691'), (NULL);
CALL suppress_phones('dnc'::regclass, 'number', campaign => 60);
CALL suppress_phones('dnc'::regclass, 'number');
INSERT INTO leads (lead_id, campaign_id, name, email, phone, mobile) VALUES
    (6002, 60, 'Pia', 'pia@after.example', '415 555 2690', '415 555 2692'), (6003, 60, 'Pim', 'pim@after.example', '415 555 2691', NULL),
    (6004, 43, 'Pit', 'pit@after.example', NULL, '415 555 2690');
SELECT lead_id, phone, mobile FROM callable_leads WHERE lead_id BETWEEN 6002 AND 6004;
SELECT contact_id, phone_disqualified, mobile_disqualified FROM contacts WHERE email LIKE '%@after.example' ORDER BY email;
CREATE TEMPORARY TABLE late (email text, phone text, mobile text);
INSERT INTO late VALUES ('pat@after.example', '415 555 2690', ''), ('pam@after.example', '415 555 2690', '415 555 2699'), ('x@y.example', '', '');
CALL upload_leads(60, 'late') \gx
CALL unsuppress_phones('dnc'::regclass, 'number');
CALL unsuppress_phones('dnc'::regclass, 'number', campaign => 60);
SELECT lead_id, phone, mobile FROM callable_leads WHERE lead_id BETWEEN 6002 AND 6004 ORDER BY lead_id;
SELECT count(*) FROM verify_phone_counts('contacts');

-- Expiry: past its time an entry is not in force for readers, and expire_disqualifications() brings the marks in line.
CALL disqualify_phone(60, '415 555 2691', expires_at => now() + interval '1 hour', leads => 'leads');
CALL suppress_domains(ARRAY['after.example'], expires_at => now() + interval '1 hour');
SELECT kind, expires_at > now() AS later FROM lead_status(6003) ORDER BY kind;
UPDATE campaign_phone_disqualifications SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL AND lifted_at IS NULL;
UPDATE lead_disqualifications SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL AND lifted_at IS NULL;
SELECT * FROM lead_status(6003);
SELECT phone FROM callable_leads WHERE lead_id = 6003;
SELECT phone_disqualified FROM contacts WHERE email = 'pim@after.example';
CALL expire_disqualifications('leads');
SELECT phone_disqualified FROM contacts WHERE email = 'pim@after.example';
SELECT count(*) FILTER (WHERE lift_reason = 'expired') FROM lead_ledger;

-- Domains are compared as they are read: in lower case, without www.
INSERT INTO leads (lead_id, campaign_id, email, phone) VALUES (6005, 60, 'Zoë@WWW.Étoile.example', '415 555 2695');
SELECT count(*) FROM callable_leads WHERE lead_id = 6005;
CALL suppress_domains(ARRAY['étoile.example']);
SELECT kind, subject FROM lead_status(6005);
SELECT count(*) FROM callable_leads WHERE lead_id = 6005;

-- A lead that was written while triggers were disabled has no contact, and is not called.
SET session_replication_role = replica;
INSERT INTO leads (lead_id, campaign_id, email, phone) VALUES (6006, 60, 'late@writer.example', '415 555 2696');
RESET session_replication_role;
SELECT blocks, reason, lift FROM lead_status(6006);
SELECT lift FROM lead_status(6006) \gexec
SELECT * FROM lead_status(6006);
SELECT phone FROM callable_leads WHERE lead_id = 6006;

-- In a transaction, what it wrote holds at once.
BEGIN;
CALL disqualify_phone(60, '415 555 2691', leads => 'leads');
SELECT count(*) FROM callable_leads WHERE lead_id = 6003;
ROLLBACK;
SELECT count(*) FROM callable_leads WHERE lead_id = 6003;

-- Roles: an uploader, a caller with procedures and nothing else, an application that dials.
CREATE ROLE regress_uploader;
CREATE ROLE regress_caller;
CREATE ROLE regress_dialer;
GRANT USAGE ON SCHEMA crm TO regress_uploader, regress_caller, regress_dialer;
GRANT INSERT ON leads TO regress_uploader;
GRANT EXECUTE ON PROCEDURE disqualify_contact, requalify_contact, suppress_phones(text[], bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) TO regress_caller;
GRANT SELECT ON leads, lead_reasons, callable_leads TO regress_dialer;
SET ROLE regress_uploader;
CREATE TEMPORARY TABLE own (email text, phone text, company text);
INSERT INTO own VALUES ('u1@upload.example', '415 555 2701', 'Upload'), ('pim@after.example', '415 555 2702', NULL);
CALL upload_leads(60, 'own') \gx
CALL disqualify_contact(60, :contact);
UPDATE campaign_phone_counts SET lead_count = 0;
SET ROLE regress_caller;
CALL disqualify_contact(60, :contact, 'asked');
CALL suppress_phones(ARRAY['415 555 2701'], campaign => 60);
SELECT count(*) FROM contacts;
SELECT * FROM lead_status(6001);
SET ROLE regress_dialer;
SELECT kind, reason, disqualified_by FROM lead_status(6001);
SELECT count(*) FROM callable_leads WHERE lead_id = 6001;
SELECT count(*) FROM contacts;
RESET ROLE;
CALL requalify_contact(60, :contact);
SELECT count(*) FROM verify_phone_counts('contacts');

-- Bad staging tables.
CREATE TEMPORARY TABLE bad (note text, colour text);
CALL upload_leads(60, 'bad');
DROP TABLE bad;
CREATE TEMPORARY TABLE bad ("Phone" text, "phone" text, email text);
CALL upload_leads(60, 'bad');
CALL upload_leads(60, 'bad', columns => '{"phone": "Phone"}') \gx
CALL upload_leads(60, 'bad', columns => '{"phone": "fone"}');
CALL upload_leads(60, 'bad', columns => '{"fone": "Phone"}');
DROP TABLE bad;
CREATE TEMPORARY TABLE bad (email bytea, phone text);
CALL upload_leads(60, 'bad');
DROP TABLE bad;
CREATE TEMPORARY TABLE bad (row_number int, first_name varchar(20), last_name text, phone bigint, country text);
INSERT INTO bad VALUES (7, 'Ida', 'B. ', 4155552695, 'us'), (9, NULL, 'Wells', 2079460958, 'GB'), (12, 'Eve', NULL, 7400123456, 'United Kingdom');
CALL upload_leads(60, 'bad') \gx
SELECT l.row_number, c.name, c.phone, c.region, l.custom FROM leads AS l JOIN contacts AS c USING (campaign_id, contact_id)
 WHERE l.upload_id = (SELECT max(upload_id) FROM lead_uploads) ORDER BY 1;
DO $$
BEGIN
    EXECUTE 'CREATE TABLE crm.wide (email text, "it''s %d $1 wide" text, website text' || (SELECT string_agg(format(', c%s int DEFAULT %1$s', i), '') FROM generate_series(1, 120) AS i) || ')';
END $$;
INSERT INTO wide (email, "it's %d $1 wide") VALUES ('wide@after.example', 'yes');
INSERT INTO wide (website, c1) VALUES ('wide.example', NULL);
CALL upload_leads(60, 'wide') \gx
SELECT custom ->> 'it''s %d $1 wide' AS wide, custom -> 'c119' AS c119, (SELECT count(*) FROM jsonb_object_keys(custom)) FROM leads WHERE email = 'wide@after.example';
SELECT left(raw_value, 20) AS raw, raw_value::jsonb ->> 'website' AS website, reason FROM lead_upload_problems WHERE reason = 'empty_row' AND raw_value <> '{}';
UPDATE bad SET row_number = 7;
CALL upload_leads(60, 'bad');
CALL upload_leads(61, 'bad');
CALL upload_leads(NULL, 'bad');
CALL upload_leads(60, 'pg_class_oid_index');
CALL disqualify_contact(60, 0);
CALL disqualify_account(60, NULL);
CALL suppress_phones(NULL::text[]);
CALL suppress_phones('{}'::text[]);
CALL upload_leads(60, 'bad', leads => 'pg_class');
-- what is too long for any index is in the lead, and in the list of problems
CREATE TABLE long AS SELECT 'long' AS name, string_agg(md5(i::text), '') AS phone, string_agg(md5(i::text), '') AS company, string_agg(md5(i::text), '') || '@x.example' AS email FROM generate_series(1, 500) AS i;
INSERT INTO long VALUES ('short', '678 999 8212', NULL, 'long@x.example'), ('again', (SELECT phone FROM long), NULL, 'long@x.example');
CALL upload_leads(60, 'long') \gx
INSERT INTO leads (campaign_id, name, email, company, phone) SELECT 60, name, email, company, phone FROM long WHERE name = 'long';
SELECT c.name, c.phone, length(c.email), length(l.phone) AS written FROM contacts AS c JOIN leads AS l USING (campaign_id, contact_id) WHERE c.name IN ('again', 'long') ORDER BY lead_id;
SELECT p.row_number, p.column_name, length(p.raw_value), p.reason FROM lead_upload_problems AS p ORDER BY upload_id DESC, row_number, column_name LIMIT 4;
DROP TABLE long;
-- a region that is blank; tables of the names that an upload needs; a column that was renamed
UPDATE campaigns SET region = ' ' WHERE campaign_id = 60;
INSERT INTO leads (campaign_id, name, phone) VALUES (60, 'blank', '678 999 8213');
SELECT phone, region FROM contacts WHERE name = 'blank';
UPDATE campaigns SET region = 'US' WHERE campaign_id = 60;
CREATE TEMPORARY TABLE few AS SELECT 'few' AS name;
BEGIN;
CALL upload_leads(60, 'few') \gx
CALL upload_leads(60, 'lead_phones_uploaded');
ROLLBACK;
CREATE TEMPORARY TABLE lead_phones_placed (x int);
CALL upload_leads(60, 'few');
DROP TABLE lead_phones_placed, few;
BEGIN;
ALTER TABLE contacts RENAME COLUMN name TO full_name;
UPDATE contacts SET full_name = 'f';
ROLLBACK;
SELECT create_lead_tables('nowhere');
SELECT create_lead_tables(NULL);
SELECT create_lead_tables('pg_catalog');
CREATE SCHEMA taken;
CREATE TABLE taken.accounts ();
SELECT create_lead_tables('taken');
-- a table of another owner in the place of one of them
CREATE ROLE regress_stranger;
ALTER TABLE accounts OWNER TO regress_stranger;
INSERT INTO leads (campaign_id, name) VALUES (42, 'Zed');
ALTER TABLE accounts OWNER TO current_user;
-- people go with their campaign, or one by one
DELETE FROM contacts WHERE campaign_id = 60 AND email = 'pia@after.example';
SELECT count(*) FROM leads WHERE lead_id = 6002;
DELETE FROM campaigns WHERE campaign_id <> 42;
SELECT DISTINCT campaign_id FROM campaign_phone_counts WHERE lead_count > 0;
SELECT count(*) FROM verify_phone_counts('contacts');
SET client_min_messages = warning;
DROP SCHEMA crm, taken CASCADE;
DROP TABLE own;
DROP ROLE regress_writer, regress_stranger, regress_uploader, regress_dialer;
REVOKE ALL ON PROCEDURE disqualify_contact, requalify_contact, suppress_phones(text[], bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) FROM regress_caller;
DROP ROLE regress_caller;
