-- Turkish databases: letters whose lower case they lack, and DDL on names in their encodings.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_latin5;
DROP DATABASE IF EXISTS regress_win1254;
CREATE DATABASE regress_latin5 ENCODING 'LATIN5' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_win1254 ENCODING 'WIN1254' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;

\c regress_latin5
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
CREATE EXTENSION lead_phones;
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, U&'\0130stanbul');
INSERT INTO crm.leads (campaign_id, name, company) VALUES (1, 'A', U&'\0130\015f Bankas\0131'), (1, 'B', U&'i\015eBANKAS\0131'), (1, 'C', U&'I\011e\0130'), (1, 'D', U&'\00ff\00df');
SELECT name, name_key FROM crm.accounts ORDER BY account_id;
CREATE SCHEMA app;
DO $$ BEGIN
    EXECUTE format('CREATE TABLE app.leads (id int, campaign_id int, %I text, mobile text)', U&'tel\015f');
    PERFORM track_lead_phones('app.leads', phone_columns => ARRAY[U&'tel\015f', 'mobile']);
    EXECUTE format('ALTER TABLE app.leads RENAME COLUMN %I TO %I', U&'tel\015f', U&'telefon\011f');
    EXECUTE format('ALTER SCHEMA app RENAME TO %I', U&'uygulama\015f');
    EXECUTE format('INSERT INTO %I.leads VALUES (1, 1, %L, NULL)', U&'uygulama\015f', '678 999 8212');
END $$;
SELECT phone_column, counts FROM lead_phone_tables WHERE phone_column <> 'phone';
DO $$ BEGIN
    EXECUTE format('ALTER TABLE %I.leads RENAME COLUMN %I TO x', U&'uygulama\015f', U&'telefon\011f_disqualified');
EXCEPTION WHEN dependent_objects_still_exist THEN RAISE WARNING 'refused';
END $$;
DO $$ BEGIN
    EXECUTE format('DROP TABLE %I.campaign_phone_counts', U&'uygulama\015f');
EXCEPTION WHEN dependent_objects_still_exist THEN RAISE WARNING 'refused';
END $$;

\c regress_win1254
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
CREATE EXTENSION lead_phones;
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, U&'\0130zmir');
CREATE TABLE staging (name text, company text);
INSERT INTO staging VALUES ('A', U&'\0130\015f Bankas\0131'), ('B', U&'\0178ves \0130LE');
CALL upload_leads(1, 'staging', leads => 'crm.leads') \gx
SELECT name, name_key FROM crm.accounts ORDER BY account_id;

\c postgres
DROP DATABASE regress_latin5;
DROP DATABASE regress_win1254;
