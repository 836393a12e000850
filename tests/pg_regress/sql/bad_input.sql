-- Bad input: the right SQLSTATE, a message that names the thing, and a hint. Nothing is half done.
\set SHOW_CONTEXT never
CREATE TABLE leads (id integer, campaign_id integer, phone text, mobile text, age integer, tel varchar(10),
                    upper_phone text GENERATED ALWAYS AS (upper(phone)) STORED, dialings timestamptz[]);
CREATE TABLE campaigns (id integer);
CREATE VIEW leads_view AS SELECT * FROM leads;
CREATE MATERIALIZED VIEW leads_matview AS SELECT * FROM leads;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nothing FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE leads_foreign (campaign_id integer, phone text, mobile text) SERVER nothing;
CREATE TABLE leads_partitioned (campaign_id integer, phone text, mobile text) PARTITION BY LIST (campaign_id);
CREATE TABLE leads_partition PARTITION OF leads_partitioned DEFAULT;
INSERT INTO leads (id, campaign_id, phone) VALUES (1, 1, '678 999 8212');

SELECT track_lead_phones(NULL);
\echo :SQLSTATE
SELECT track_lead_phones('leads', in_place => NULL);
\echo :SQLSTATE
SELECT track_lead_phones('leads', on_invalid => NULL);
\echo :SQLSTATE
SELECT track_lead_phones('no_such_table');
\echo :SQLSTATE
SELECT track_lead_phones('leads', region => 'UK');
\echo :SQLSTATE
SELECT track_lead_phones('leads', region => '');
\echo :SQLSTATE
SELECT track_lead_phones('leads', on_invalid => 'ignore');
\echo :SQLSTATE
SELECT track_lead_phones('campaigns');
\echo :SQLSTATE
SELECT track_lead_phones('leads', phone_columns => '{telephone,mobile}');
\echo :SQLSTATE
SELECT track_lead_phones('leads', region_column => 'country');
\echo :SQLSTATE
SELECT track_lead_phones('leads', phone_columns => '{age,mobile}');
\echo :SQLSTATE
SELECT track_lead_phones('leads', campaign_column => 'dialings');
\echo :SQLSTATE
SELECT track_lead_phones('leads', phone_columns => '{tel,mobile}');
\echo :SQLSTATE
SELECT track_lead_phones('leads', phone_columns => '{upper_phone,mobile}');
\echo :SQLSTATE
SELECT track_lead_phones('leads', phone_columns => '{mobile,mobile}');
\echo :SQLSTATE
SELECT track_lead_phones('leads_view');
\echo :SQLSTATE
SELECT track_lead_phones('leads_matview');
\echo :SQLSTATE
SELECT track_lead_phones('leads_foreign');
\echo :SQLSTATE
SELECT track_lead_phones('leads_partition');
\echo :SQLSTATE
SELECT track_lead_phones(999999::oid::regclass);
\echo :SQLSTATE
SELECT verify_phone_counts('leads');
\echo :SQLSTATE
SELECT rebuild_phone_counts('leads');
\echo :SQLSTATE
SELECT verify_phone_counts(NULL);
\echo :SQLSTATE
SELECT untrack_lead_phones(NULL);
\echo :SQLSTATE
CALL disqualify_phone(1, '678 999 8212');
\echo :SQLSTATE

-- not one of them left anything behind
\d leads
SELECT phone FROM leads;
SELECT to_regclass('campaign_phone_counts');

-- a table of the same name, in another shape
CREATE TABLE campaign_phone_counts (id integer);
SELECT track_lead_phones('leads');
\echo :SQLSTATE
DROP TABLE campaign_phone_counts;

SELECT track_lead_phones('leads');
\echo :SQLSTATE
SELECT track_lead_phones('leads', region => 'GB');
\echo :SQLSTATE
SELECT track_lead_phones('leads', on_invalid => 'null');
\echo :SQLSTATE
CREATE TABLE other_leads (campaign_id integer, phone text, mobile text);
SELECT track_lead_phones('other_leads', counts => 'campaign_phone_counts');
\echo :SQLSTATE
-- NULL is every campaign
CALL disqualify_phone(NULL::bigint, '678 999 8212');
CALL requalify_phone(NULL, '678 999 8212');
CALL disqualify_phone(1, NULL);
\echo :SQLSTATE
CALL disqualify_phone(1, '678 999 8212', source => NULL);
\echo :SQLSTATE
CALL disqualify_phone(1, 'not a number');
\echo :SQLSTATE
CALL disqualify_phone('abc', '678 999 8212');
\echo :SQLSTATE
CALL disqualify_phone(999, '678 999 8212');
\echo :SQLSTATE
CALL requalify_phone(999, '678 999 8212');
\echo :SQLSTATE
CALL disqualify_phone(1, '678 999 8212', leads => 'other_leads');
\echo :SQLSTATE
SELECT count(*) FROM campaign_phone_disqualifications;
SELECT lead_phones_as_owner('leads', 'drop', '{}');
\echo :SQLSTATE

-- two tracked tables: say which
CREATE SCHEMA second;
ALTER TABLE other_leads SET SCHEMA second;
SELECT track_lead_phones('second.other_leads');
SET search_path = public, second;
\echo :SQLSTATE
CALL disqualify_phone(1, '678 999 8212');
\echo :SQLSTATE
CALL disqualify_phone(1, '678 999 8212', leads => 'leads');
\echo :SQLSTATE
RESET search_path;
DROP SCHEMA second CASCADE;

-- renamed or dropped afterwards: an error that says what to do
SET session_replication_role = replica;
ALTER TABLE leads RENAME mobile TO cell;
RESET session_replication_role;
INSERT INTO leads (campaign_id, phone) VALUES (1, '678 999 8212');
\echo :SQLSTATE
SET session_replication_role = replica;
ALTER TABLE leads RENAME cell TO mobile;
RESET session_replication_role;
ALTER TABLE campaign_phone_counts RENAME TO elsewhere;
\echo :SQLSTATE
-- with the event triggers disabled
SET session_replication_role = replica;
ALTER TABLE campaign_phone_counts RENAME TO elsewhere;
RESET session_replication_role;
INSERT INTO leads (campaign_id, phone) VALUES (1, '678 999 8212');
\echo :SQLSTATE
SELECT verify_phone_counts('leads');
\echo :SQLSTATE
ALTER TABLE elsewhere RENAME TO campaign_phone_counts;
INSERT INTO leads (campaign_id, phone) VALUES (1, '678 999 8212');
\echo :SQLSTATE
SELECT * FROM verify_phone_counts('leads');

-- the trigger functions, called by hand or by a trigger of another kind
SELECT lead_phones_normalize();
\echo :SQLSTATE
CREATE TABLE wrong (campaign_id integer, phone text);
CREATE TRIGGER wrong AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize();
INSERT INTO wrong VALUES (1);
\echo :SQLSTATE
DROP TRIGGER wrong ON wrong;
CREATE TRIGGER wrong AFTER INSERT ON wrong FOR EACH STATEMENT EXECUTE FUNCTION lead_phones_count('campaign_column=campaign_id');
INSERT INTO wrong VALUES (1);
\echo :SQLSTATE

-- only the owner
CREATE ROLE regress_stranger;
GRANT USAGE, CREATE ON SCHEMA public TO regress_stranger;
GRANT ALL ON leads TO regress_stranger;
SET ROLE regress_stranger;
SELECT track_lead_phones('leads');
\echo :SQLSTATE
SELECT untrack_lead_phones('leads');
\echo :SQLSTATE
RESET ROLE;
REVOKE ALL ON SCHEMA public FROM regress_stranger;
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications CASCADE;
DROP ROLE regress_stranger;
DROP TABLE campaigns, leads_partitioned, wrong;
DROP FOREIGN DATA WRAPPER nothing CASCADE;

-- a text that makes the engine panic: an answer or a plain error, and the backend lives on
SELECT pg_backend_pid() AS backend \gset
SELECT try_normalize_phone(';phone-context=+1;tel:678-999-8212') IS NULL AS answered, phone_problem(';phone-context=+1;tel:678-999-8212');
SELECT normalize_phone(';phone-context=+1;tel:678-999-8212');
SELECT count(try_normalize_phone(';phone-context=+1;tel:' || n)), count(try_normalize_phone('678 999 ' || 1000 + n)) FROM generate_series(1, 1000) AS n;
SELECT pg_backend_pid() = :backend AS same_backend;
