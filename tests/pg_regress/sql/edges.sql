-- At the edges: readers who are not the owner, settings of the session, triggers of the application, publications.
\set SHOW_CONTEXT never
CREATE ROLE regress_reader;
CREATE SCHEMA edges;
SET search_path = edges, public;
SET client_min_messages = warning;
CREATE TABLE leads (id int PRIMARY KEY, campaign_id int, phone text, mobile text, archived boolean NOT NULL DEFAULT false);
SELECT FROM track_lead_phones('leads');
INSERT INTO leads VALUES (1, 1, '678 999 8212', NULL), (2, 1, NULL, '678 999 8213');
CALL disqualify_phone(1, '678 999 8212', reason => 'retired');
GRANT USAGE ON SCHEMA edges TO regress_reader;
GRANT SELECT ON leads TO regress_reader;

-- find_phone is for a role that may read leads and counts; reasons are for one that may read the ledgers, too.
SET ROLE regress_reader;
SELECT * FROM find_phone('8212', 'leads');
RESET ROLE;
GRANT SELECT ON campaign_phone_counts TO regress_reader;
SET ROLE regress_reader;
SELECT * FROM find_phone('8212', 'leads');
-- whatever the caller says of that
SELECT * FROM lead_phones_report('leads', 'find', '{"fragment": "8212", "may_read_ledgers": true}') AS r (campaign text, phone e164, lead jsonb, column_name name, disqualified boolean, reason text);
RESET ROLE;
GRANT SELECT ON campaign_phone_disqualifications, phone_suppressions, suppressed_phones TO regress_reader;
SET ROLE regress_reader;
SELECT * FROM find_phone('8212');
-- the numbers of a table are locked by nobody else
SELECT lead_phones_lock_slot('suppressed_phones', 1, false, true);
RESET ROLE;

-- A trigger, or a rule, of the application that keeps marks from leads is named: no call says that it marked what it did not.
CREATE FUNCTION frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.archived AND NEW.archived THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION frozen();
CALL disqualify_phone(1, '678 999 8213');
UPDATE leads SET archived = true WHERE id = 2;
CALL disqualify_phone(1, '678 999 8213', reason => 'again');
CALL requalify_phone(1, '678 999 8213');
SELECT id, phone_disqualified, mobile_disqualified FROM leads ORDER BY id;
SELECT * FROM verify_phone_counts('leads');
DROP TRIGGER frozen ON leads;
CALL requalify_phone(1, '678 999 8213');
CREATE RULE frozen AS ON UPDATE TO leads WHERE OLD.archived DO INSTEAD NOTHING;
CALL disqualify_phone(1, '678 999 8213');
CALL disqualify_phone(NULL, '678 999 8213');
DROP RULE frozen ON leads;
CREATE FUNCTION undone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.mobile_disqualified := OLD.mobile_disqualified; RETURN NEW; END $$;
CREATE TRIGGER zzz_undone BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION undone();
CALL disqualify_phone(1, '678 999 8213');
DROP TRIGGER zzz_undone ON leads;
CALL disqualify_phone(1, '678 999 8213');
SELECT * FROM verify_phone_counts('leads');

-- Nor does a write that leaves leads unmarked, whose marks such a trigger undoes.
CREATE FUNCTION cleared() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.mobile_disqualified := false; NEW.phone_disqualified := false; RETURN NEW; END $$;
CREATE TRIGGER zzz_cleared BEFORE INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION cleared();
INSERT INTO leads (id, campaign_id, phone) VALUES (90, 1, '678 999 8213');
UPDATE leads SET archived = false WHERE id = 2;
-- what it lets stand is no matter
INSERT INTO leads (id, campaign_id, phone) VALUES (90, 1, '678 999 8299');
DROP TRIGGER zzz_cleared ON leads;
DELETE FROM leads WHERE id = 90;
SELECT * FROM verify_phone_counts('leads');

-- Counts and ledgers that do not take what is written to them: no call says that it disqualified what it did not.
CREATE FUNCTION forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forgotten BEFORE INSERT ON campaign_phone_disqualifications FOR EACH ROW EXECUTE FUNCTION forgotten();
CALL disqualify_phone(1, '678 999 8214');
DROP TRIGGER forgotten ON campaign_phone_disqualifications;
CREATE RULE forgotten AS ON INSERT TO suppressed_phones DO INSTEAD NOTHING;
CALL disqualify_phone(NULL, '678 999 8214');
DROP RULE forgotten ON suppressed_phones;
CREATE TRIGGER forgotten BEFORE INSERT ON phone_suppressions FOR EACH ROW EXECUTE FUNCTION forgotten();
CALL disqualify_phone(NULL, '678 999 8214');
DROP TRIGGER forgotten ON phone_suppressions;
CREATE TRIGGER forgotten BEFORE UPDATE ON campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION forgotten();
CALL disqualify_phone(1, '678 999 8214');
CALL requalify_phone(1, '678 999 8213');
DROP TRIGGER forgotten ON campaign_phone_counts;
SELECT phone, source, lifted_at IS NULL AS is_in_force FROM campaign_phone_disqualifications ORDER BY phone, entry;
SELECT * FROM verify_phone_counts('leads');

-- What tracking cannot do.
SELECT track_lead_phones('campaign_phone_counts');
SELECT track_lead_phones('suppressed_phones', NULL, '{number}', in_place => false);
CREATE TABLE odd (id int, campaign_id int, phone text, region text, day date);
SELECT track_lead_phones('odd', campaign_column => 'phone', phone_columns => '{phone}');
SELECT track_lead_phones('odd', region_column => 'phone');
-- days that other sessions write in another order
SELECT FROM track_lead_phones('odd', campaign_column => 'day');
INSERT INTO odd (day, phone) VALUES ('2003-01-02', '678 999 8212'), ('2002-01-03', '678 999 8212');
SET datestyle = 'ISO, DMY';
CALL disqualify_phone('02/01/03', '678 999 8212', leads => 'odd');
CALL disqualify_phone('2003-01-02', '678 999 8212', leads => 'odd');
SELECT day FROM odd WHERE phone_disqualified;
RESET datestyle;
-- a region that there is not
CALL disqualify_phone('2002-01-03', '020 7946 0958', region => 'UK', leads => 'odd');
SELECT normalize_phone('020 7946 0958', 'UK');
-- the ledger of a table that is gone
DROP TABLE odd;
CREATE TABLE other (day date, phone text);
INSERT INTO other VALUES ('2003-01-02', '678 999 8212');
SET client_min_messages = notice;
SELECT FROM track_lead_phones('other', campaign_column => 'day', counts => 'odd_phone_counts', disqualifications => 'odd_phone_disqualifications');
SET client_min_messages = warning;
SELECT * FROM other;
DROP TABLE other;

-- Triggers of the application see the schema of the table; but not where others could put what they call.
CREATE TABLE audit (id int, was text, becomes text);
CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.id, OLD.phone_disqualified, NEW.phone_disqualified); RETURN NULL; END $$;
CREATE TRIGGER audited AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION audited();
CALL requalify_phone(1, '678 999 8212');
CALL disqualify_phone(1, '678 999 8212', reason => 'audited');
SELECT * FROM audit;
CREATE TABLE beside (id int PRIMARY KEY, campaign_id int, phone text);
INSERT INTO beside VALUES (3, 1, '678 999 8214');
CREATE TRIGGER audited AFTER UPDATE ON beside FOR EACH ROW EXECUTE FUNCTION audited();
CREATE OR REPLACE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.id, OLD.phone, NEW.phone); RETURN NULL; END $$;
SELECT FROM track_lead_phones('beside');
SELECT * FROM audit WHERE id = 3;
DROP TABLE beside;
GRANT CREATE ON SCHEMA edges TO regress_reader;
CALL requalify_phone(1, '678 999 8212');
REVOKE CREATE ON SCHEMA edges FROM regress_reader;
CALL requalify_phone(1, '678 999 8212');
DROP TRIGGER audited ON leads;

-- All tables that are published can be written: for CDC tools, and as docs/operations.md says.
CREATE PUBLICATION regress_edges FOR TABLE leads, campaign_phone_counts, campaign_phone_disqualifications, phone_suppressions, suppressed_phones;
CALL disqualify_phone(NULL, '678 999 8212');
CALL disqualify_phone(NULL, '678 999 8212', reason => 'again');
CALL requalify_phone(NULL, '678 999 8212');
DELETE FROM leads;
DROP PUBLICATION regress_edges;

-- Lists and uploads are read the same way, whatever the session has set.
CREATE SCHEMA edges_crm;
SELECT create_lead_tables('edges_crm');
SET search_path = edges_crm, public;
INSERT INTO campaigns (campaign_id, name) VALUES (1, 'one');
INSERT INTO leads (campaign_id, name, phone) VALUES (1, 'John', '678 999 8212'), (1, 'Jane', '678 999 8213'), (1, 'Jim', '678 999 8214');
CREATE TABLE hashes (phone bytea);
INSERT INTO hashes VALUES (sha256('+16789998212'));
SET bytea_output = escape;
CALL sync_suppressed_phones('hashes', 'hashed', hashed => 'sha256');
SET bytea_output = hex;
CALL sync_suppressed_phones('hashes', 'hashed', hashed => 'sha256');
CREATE TABLE numbers (phone numeric(20, 2), area smallint, rest double precision);
INSERT INTO numbers VALUES (6789998213, 678, 9998214);
SET extra_float_digits = -15;
CALL suppress_phones('numbers'::regclass, 'phone');
CALL sync_suppressed_phones('numbers', 'areas', 'rest', 'area');
SELECT name FROM callable_leads ORDER BY 1;
CREATE TABLE staging (name text, phone numeric, cell double precision);
INSERT INTO staging VALUES ('Joe', 6789998215.0, 6789998216);
CALL upload_leads(1, 'staging') \gx
SELECT name, phone, mobile FROM contacts WHERE name = 'Joe';
RESET extra_float_digits;

-- "Line" of a file whose columns are text says what kind of number it is, and numbers no rows; one that is named has to.
CREATE TABLE lines ("Line" text, name text, phone text);
INSERT INTO lines VALUES ('landline', 'Liz', '678 999 8217'), ('landline', 'Lou', '678 999 8218');
CALL upload_leads(1, 'lines') \gx
SELECT row_number, name, custom FROM leads WHERE name LIKE 'L%' ORDER BY row_number;
CALL upload_leads(1, 'lines', columns => '{"row_number": "Line"}');
DROP TABLE lines;
CREATE TABLE lines (line int, name text, phone text);
INSERT INTO lines VALUES (20, 'Lea', '678 999 8219'), (10, 'Lyn', '678 999 8220');
CALL upload_leads(1, 'lines') \gx
SELECT row_number, name, custom FROM leads WHERE name IN ('Lea', 'Lyn') ORDER BY row_number;

-- Numbers of lead tables are tracked in contacts: what was uploaded stays as it was.
SELECT lead_count, valid FROM lead_phone_quality('leads') LIMIT 1;
SELECT count(*) FROM verify_phone_counts('leads');
SELECT rebuild_phone_counts('leads') > 0;
SELECT untrack_lead_phones('contacts');
SELECT FROM track_lead_phones('contacts');
SELECT FROM track_lead_phones('contacts', region_column => 'region', keep_extensions => true);
CALL suppress_phones(ARRAY['020 7946 0958'], region => 'UK');
CREATE FUNCTION forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forgotten BEFORE INSERT ON lead_disqualifications FOR EACH ROW EXECUTE FUNCTION forgotten();
CALL suppress_domains(ARRAY['kw.example']);
DROP TRIGGER forgotten ON lead_disqualifications;
SELECT FROM track_lead_phones('leads');
-- an internal function that anybody may call
SELECT lead_phones_reasons_of(NULL, 1, 1) IS NULL, lead_phones_reasons_of('leads', NULL, 1) IS NULL;

RESET search_path;

-- What is done for a table is done as its owner, by functions of the extension's schema.
CREATE ROLE regress_shut_out;
CREATE SCHEMA edges_shut AUTHORIZATION regress_shut_out;
CREATE TABLE edges_shut.leads (campaign_id int, phone text);
ALTER TABLE edges_shut.leads OWNER TO regress_shut_out;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
SELECT track_lead_phones('edges_shut.leads');
GRANT USAGE ON SCHEMA public TO regress_shut_out;
SELECT FROM track_lead_phones('edges_shut.leads');
REVOKE USAGE ON SCHEMA public FROM regress_shut_out;
GRANT USAGE ON SCHEMA public TO PUBLIC;

DROP SCHEMA edges, edges_crm, edges_shut CASCADE;
DROP ROLE regress_reader, regress_shut_out;
