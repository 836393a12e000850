-- Databases of other encodings, and of none: no bytes are too strange.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_latin1;
DROP DATABASE IF EXISTS regress_ascii;
DROP DATABASE IF EXISTS regress_eucjp;
CREATE DATABASE regress_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_eucjp ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;

\c regress_latin1
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
CREATE EXTENSION lead_phones;
SELECT normalize_phone(U&'678\00a0999\00a08212'), phone_info(U&'678\00a0999\00a08212') ->> 'national' AS national;
SELECT normalize_phone(U&'caf\00e9 12');
-- long texts: only their start is converted
SELECT phone_problem(repeat(U&'\00e9', 1000000)), phone_problem(repeat(' ', 5000) || U&'\00e9'), phone_problem(repeat(' ', 5000) || U&'\00a0');
DO $$ BEGIN
    EXECUTE format('CREATE TABLE leads (%I text, %I text, mobile text)', U&'campa\00f1a', U&'t\00e9l');
    PERFORM track_lead_phones('leads', U&'campa\00f1a', ARRAY[U&'t\00e9l', 'mobile']);
    EXECUTE format('INSERT INTO leads VALUES (%L, %L, NULL)', U&'oto\00f1o', U&'678\00a0999 8212');
    EXECUTE format('CALL disqualify_phone(%L::text, %L)', U&'oto\00f1o', '678 999 8212');
END $$;
SELECT * FROM leads;
SELECT count(*) FROM verify_phone_counts('leads');
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, U&'\00f1');
INSERT INTO crm.leads (campaign_id, email, company) VALUES (1, U&'Jos\00e9@Caf\00e9.example', U&'Caf\00e9'), (1, U&'Jos\00e9@CAF\00c9.example', U&'CAF\00c9');
SELECT c.email, a.name, a.name_key, a.domain FROM crm.contacts AS c JOIN crm.accounts AS a USING (campaign_id, account_id) ORDER BY 1;

\c regress_ascii
SET client_min_messages = warning;
CREATE EXTENSION lead_phones;
SELECT try_normalize_phone(E'678\377\376 999 8212') AS invalid_bytes, try_normalize_phone(E'678\302\240999\302\2408212') AS utf8,
       phone_problem(E'\377\376');
SELECT normalize_phone(E'\377\376');
CREATE TABLE leads (campaign_id text, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('leads');
INSERT INTO leads VALUES (E'\377', E'678\377 999', '678 999 8212');
SELECT campaign_id = E'\377' AS campaign, phone, lead_count FROM campaign_phone_counts;
SELECT count(*) FROM verify_phone_counts('leads');
-- what has bytes that are no characters is kept, and matches nothing
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, E'\377');
CREATE TABLE staging (email text, name text, company text, phone text);
INSERT INTO staging VALUES (E'a\377@x.example', E'J\374rg', E'B\374cher', '678 999 8212'), (E'a\376@x.example', 'b', E'B\374cher', E'\376');
CALL upload_leads(1, 'staging', leads => 'crm.leads') \gx
SELECT email = E'a\377@x.example' AS kept, name = E'J\374rg' AS name FROM crm.leads WHERE row_number = 1;
SELECT count(*), count(email), count(account_id) FROM crm.contacts;
SELECT column_name, reason FROM crm.lead_upload_problems ORDER BY row_number, column_name;
-- what is UTF-8 is told apart by its letters
INSERT INTO crm.leads (campaign_id, email, name, phone) VALUES (1, E'jos\303\251@kw.example', 'with accent', '678 999 8212'), (1, 'jose9@kw.example', 'without', '404 200 0001');
SELECT email = E'jos\303\251@kw.example' AS is_kept, name FROM crm.contacts WHERE email LIKE '%kw.example' ORDER BY name;

\c regress_eucjp
SET client_min_messages = warning;
CREATE EXTENSION lead_phones;
-- full-width digits
SELECT normalize_phone(E'\243\266\243\267\243\270 999 8212');
-- the same behind a character that UTF-8 does not have
SELECT normalize_phone(E'\251\241 \243\266\243\267\243\270 999 8212');
SELECT normalize_phone(E'\251\241\244\242');

\c postgres
DROP DATABASE regress_latin1;
DROP DATABASE regress_ascii;
DROP DATABASE regress_eucjp;
