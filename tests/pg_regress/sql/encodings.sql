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
    PERFORM track_lead_phones('leads', U&'campa\00f1a', U&'t\00e9l');
    EXECUTE format('INSERT INTO leads VALUES (%L, %L, NULL)', U&'oto\00f1o', U&'678\00a0999 8212');
    EXECUTE format('CALL disqualify_phone(%L::text, %L)', U&'oto\00f1o', '678 999 8212');
END $$;
SELECT * FROM leads;
SELECT count(*) FROM verify_phone_counts('leads');

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
