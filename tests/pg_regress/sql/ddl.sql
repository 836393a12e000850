-- DDL on tracked tables: what tools do goes through and is followed; what would lose the ledger is refused.
\set SHOW_CONTEXT never
CREATE SCHEMA ddl;
SET search_path = ddl, public;
CREATE TABLE leads (id integer PRIMARY KEY, campaign_id integer, phone text, mobile text, country text, note text);
SELECT unique_numbers FROM track_lead_phones('leads', region_column => 'country');
INSERT INTO leads VALUES (1, 1, '678 999 8212', '030 123456', 'DE'), (2, 1, '212 761 2846', NULL, NULL);
CALL disqualify_phone(1, '212 761 2846');

-- counts and ledger are not let go, whichever way
DROP TABLE campaign_phone_counts;
\echo :SQLSTATE
DROP TABLE campaign_phone_disqualifications CASCADE;
\echo :SQLSTATE
DROP TABLE campaign_phone_counts, campaign_phone_disqualifications;
ALTER TABLE campaign_phone_disqualifications RENAME TO old_ledger;
\echo :SQLSTATE
ALTER TABLE campaign_phone_counts SET SCHEMA public;
\echo :SQLSTATE
ALTER TABLE campaign_phone_counts DROP COLUMN phone_count;
\echo :SQLSTATE
ALTER TABLE campaign_phone_disqualifications DROP COLUMN lift_reason CASCADE;
ALTER TABLE campaign_phone_disqualifications RENAME COLUMN source TO origin;
\echo :SQLSTATE
ALTER TABLE campaign_phone_counts ALTER COLUMN lead_count TYPE text;
\echo :SQLSTATE
ALTER TABLE campaign_phone_counts SET UNLOGGED;
\echo :SQLSTATE
CREATE SCHEMA elsewhere;
ALTER TABLE leads SET SCHEMA elsewhere;
DROP TABLE campaign_phone_counts;
DROP SCHEMA ddl CASCADE;
\echo :SQLSTATE
ALTER TABLE elsewhere.leads SET SCHEMA ddl;
SELECT * FROM verify_phone_counts('leads');
-- columns of one's own may come and go
ALTER TABLE campaign_phone_counts ADD COLUMN colour text;
ALTER TABLE campaign_phone_counts RENAME COLUMN colour TO color;
ALTER TABLE campaign_phone_counts DROP COLUMN color;
CREATE INDEX ON campaign_phone_counts (phone);
-- a table of the same name that nobody needs
CREATE TABLE elsewhere.campaign_phone_counts (phone e164);
DROP TABLE elsewhere.campaign_phone_counts;

-- nor by words that are of other things
ALTER INDEX campaign_phone_disqualifications RENAME TO old_ledger;
\echo :SQLSTATE
ALTER VIEW campaign_phone_disqualifications RENAME COLUMN lifted_at TO gone_at;
\echo :SQLSTATE
ALTER TYPE leads RENAME ATTRIBUTE phone_disqualified TO blocked;
\echo :SQLSTATE
-- nor by another column in its place, or a value that somebody computes
ALTER TABLE campaign_phone_disqualifications DROP COLUMN lifted_at, ADD COLUMN lifted_at timestamptz DEFAULT now();
\echo :SQLSTATE
ALTER TABLE leads DROP COLUMN phone_disqualified, ADD COLUMN phone_disqualified boolean NOT NULL DEFAULT false;
\echo :SQLSTATE
ALTER TABLE leads ALTER COLUMN phone_disqualified TYPE boolean USING false;
\echo :SQLSTATE
ALTER TABLE campaign_phone_counts ALTER COLUMN disqualified TYPE boolean USING false;
\echo :SQLSTATE
ALTER TABLE campaign_phone_counts DROP CONSTRAINT campaign_phone_counts_pkey;
\echo :SQLSTATE
ALTER TABLE leads RENAME COLUMN campaign_id TO lead_count;
\echo :SQLSTATE
SELECT * FROM verify_phone_counts('leads');

-- tracked columns are not dropped, whichever way
ALTER TABLE leads DROP COLUMN phone;
\echo :SQLSTATE
ALTER TABLE leads DROP COLUMN mobile CASCADE;
\echo :SQLSTATE
ALTER TABLE leads DROP COLUMN mobile_disqualified;
\echo :SQLSTATE
ALTER TABLE leads DROP COLUMN country;
CREATE DOMAIN mine AS text;
ALTER TABLE leads ALTER COLUMN mobile TYPE mine;
DROP DOMAIN mine CASCADE;
\echo :SQLSTATE
ALTER TABLE leads ALTER COLUMN mobile TYPE text;
ALTER TABLE leads DROP COLUMN note;
ALTER TABLE leads RENAME COLUMN phone_disqualified TO blocked;
\echo :SQLSTATE

-- renames are followed: of columns, of the table, of its schema
ALTER TABLE leads RENAME COLUMN phone TO work_phone;
ALTER TABLE leads RENAME COLUMN country TO land;
ALTER TABLE leads RENAME COLUMN campaign_id TO campaign;
INSERT INTO leads (id, campaign, work_phone, mobile, land) VALUES (3, 1, '212 761 2846', '030 123457', 'DE')
    RETURNING work_phone, work_phone_disqualified, mobile;
SELECT campaign_column, phone_column, mobile_column, region_column, counts FROM lead_phone_tables WHERE leads = 'leads'::regclass;
SELECT campaign, phone, lead_count, disqualified FROM campaign_phone_counts ORDER BY phone;
ALTER TABLE leads RENAME TO prospects;
ALTER SCHEMA ddl RENAME TO renamed;
SET search_path = renamed, public;
INSERT INTO prospects (id, campaign, work_phone) VALUES (4, 1, '212 761 2846') RETURNING work_phone_disqualified;
CALL disqualify_phone(1, '678 999 8212');
CALL requalify_phone(1, '678 999 8212', leads => 'renamed.prospects');
SELECT * FROM verify_phone_counts('prospects');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'prospects'::regclass ORDER BY tgname LIMIT 1;
ALTER SCHEMA renamed RENAME TO ddl;
SET search_path = ddl, public;
ALTER TABLE prospects RENAME TO leads;
ALTER TABLE leads RENAME COLUMN work_phone TO phone;
ALTER TABLE leads RENAME COLUMN land TO country;
ALTER TABLE leads RENAME COLUMN campaign TO campaign_id;
ALTER TABLE leads DISABLE TRIGGER lead_phones_count_truncate;
ALTER VIEW leads RENAME COLUMN phone TO tel;
ALTER TABLE leads RENAME COLUMN tel TO phone;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'leads'::regclass AND tgenabled = 'D';
ALTER TABLE leads ENABLE TRIGGER lead_phones_count_truncate;
-- in the transaction that wrote
BEGIN;
INSERT INTO leads (id, campaign_id, phone) VALUES (5, 1, '212 761 2846');
ALTER TABLE leads RENAME COLUMN phone TO tel;
INSERT INTO leads (id, campaign_id, tel) VALUES (6, 1, '212 761 2846');
ALTER TABLE leads RENAME COLUMN tel TO phone;
COMMIT;
SELECT * FROM verify_phone_counts('leads');

-- types
ALTER TABLE leads ALTER COLUMN phone TYPE varchar(40);
ALTER TABLE leads ALTER COLUMN phone TYPE varchar(10);
\echo :SQLSTATE
ALTER TABLE leads ALTER COLUMN phone TYPE bytea USING NULL;
\echo :SQLSTATE
ALTER TABLE leads ALTER COLUMN campaign_id TYPE bigint;
INSERT INTO leads (id, campaign_id, phone) VALUES (7, 5000000000, '678 999 8212');
SELECT attrelid::regclass, atttypid::regtype FROM pg_attribute WHERE attname = 'campaign_id'
   AND attrelid IN ('leads'::regclass, 'campaign_phone_counts'::regclass, 'campaign_phone_disqualifications'::regclass) ORDER BY 1;
ALTER TABLE leads ALTER COLUMN campaign_id TYPE integer;
\echo :SQLSTATE
ALTER TABLE leads ALTER COLUMN campaign_id TYPE bigint USING campaign_id + 100;
\echo :SQLSTATE
ALTER TABLE leads ALTER COLUMN campaign_id TYPE text USING campaign_id::text;
INSERT INTO leads (id, campaign_id, phone) VALUES (8, 'summer', '678 999 8212');
CALL disqualify_phone('summer', '678 999 8212');
SELECT * FROM verify_phone_counts('leads');
-- with values that change
ALTER TABLE leads ALTER COLUMN phone TYPE text USING replace(phone, '+1678', '(678) ');
SELECT id, phone, phone_disqualified FROM leads WHERE phone LIKE '%678%' ORDER BY id;
ALTER TABLE leads ALTER COLUMN phone TYPE text USING replace(phone, '+1678', '+1404');
SELECT campaign_id, phone, lead_count, disqualified FROM campaign_phone_counts ORDER BY campaign_id, phone;
SELECT * FROM verify_phone_counts('leads');

-- unlogged tables: after a crash leads would be gone, and counts would not
ALTER TABLE leads SET UNLOGGED;
\echo :SQLSTATE
CREATE UNLOGGED TABLE heir () INHERITS (leads);
\echo :SQLSTATE
CREATE UNLOGGED TABLE fleeting (campaign_id integer, phone text, mobile text);
SELECT track_lead_phones('fleeting');
\echo :SQLSTATE

-- marks whose ledger is gone are entries again
SELECT untrack_lead_phones('leads');
DROP TABLE campaign_phone_counts, campaign_phone_disqualifications;
SELECT unique_numbers FROM track_lead_phones('leads', region_column => 'country');
SELECT campaign_id, phone, source, reason, lifted_at FROM campaign_phone_disqualifications ORDER BY campaign_id, phone;
SELECT id, phone_disqualified FROM leads WHERE phone_disqualified ORDER BY id;
SELECT * FROM verify_phone_counts('leads');
CALL requalify_phone('1', '212 761 2846', source => 'adopted');
SELECT untrack_lead_phones('leads');
SELECT unique_numbers FROM track_lead_phones('leads', region_column => 'country');
DROP TABLE leads;
DROP TABLE campaign_phone_counts, campaign_phone_disqualifications;

-- a partition that is taken along by something else is taken off the counts
CREATE FUNCTION part_of(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 % 2';
CREATE TABLE leads (id integer, campaign_id integer, phone text, mobile text) PARTITION BY LIST (campaign_id);
CREATE TABLE leads_1 PARTITION OF leads FOR VALUES IN (1);
CREATE TABLE leads_2 PARTITION OF leads FOR VALUES IN (2) PARTITION BY LIST (part_of(id));
CREATE TABLE leads_2a PARTITION OF leads_2 DEFAULT;
SELECT unique_numbers FROM track_lead_phones('leads');
INSERT INTO leads SELECT i, 1 + i % 2, '212 761 000' || i, '678 999 8212' FROM generate_series(1, 6) AS i;
SELECT campaign_id, phone, lead_count FROM campaign_phone_counts WHERE lead_count > 1 ORDER BY 1;
DROP FUNCTION part_of CASCADE;
SELECT campaign_id, count(*), sum(lead_count) FROM campaign_phone_counts GROUP BY 1;
SELECT * FROM verify_phone_counts('leads');
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications;
CREATE TYPE person AS (id integer, campaign_id integer, phone text, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
CREATE ROLE regress_other;
ALTER TYPE person OWNER TO regress_other;
CREATE TABLE leads (id integer, campaign_id integer, phone text, mobile text);
SELECT unique_numbers FROM track_lead_phones('leads');
CREATE TABLE people OF person (phone_disqualified DEFAULT false NOT NULL, mobile_disqualified DEFAULT false NOT NULL);
ALTER TABLE people INHERIT leads;
ALTER TABLE people NOT OF;
INSERT INTO people VALUES (1, 1, '678 999 8212', NULL);
CREATE TABLE keyed (CHECK (campaign_id > 0)) INHERITS (leads);
INSERT INTO keyed VALUES (2, 2, '212 761 2846', NULL);
SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone;
DROP OWNED BY regress_other CASCADE;
SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone;
SELECT * FROM verify_phone_counts('leads');
CREATE FUNCTION part_of(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 % 2';
ALTER FUNCTION part_of OWNER TO regress_other;
DROP TABLE leads, people, keyed, campaign_phone_counts, campaign_phone_disqualifications;
CREATE TABLE leads (id integer, campaign_id integer, phone text, mobile text) PARTITION BY LIST (campaign_id);
CREATE TABLE leads_1 PARTITION OF leads FOR VALUES IN (1);
CREATE TABLE leads_2 PARTITION OF leads FOR VALUES IN (2) PARTITION BY LIST (part_of(id));
CREATE TABLE leads_2a PARTITION OF leads_2 DEFAULT;
SELECT unique_numbers FROM track_lead_phones('leads');
INSERT INTO leads SELECT i, 1 + i % 2, '212 761 000' || i, '678 999 8212' FROM generate_series(1, 6) AS i;
DROP OWNED BY regress_other CASCADE;
SELECT campaign_id, count(*), sum(lead_count) FROM campaign_phone_counts GROUP BY 1;
SELECT * FROM verify_phone_counts('leads');
DROP ROLE regress_other;

-- row-level security comes to counts and ledger with that of the leads
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'ddl'::regnamespace AND relname LIKE 'campaign_phone%' AND relkind = 'r' ORDER BY 1;
CREATE ROLE regress_tenant;
GRANT USAGE ON SCHEMA ddl TO regress_tenant;
GRANT SELECT, INSERT ON leads, campaign_phone_counts, campaign_phone_disqualifications TO regress_tenant;
INSERT INTO leads VALUES (1, 1, '678 999 8212', NULL), (2, 2, '212 761 2846', NULL);
CREATE POLICY tenant ON leads TO regress_tenant USING (campaign_id = 1);
SET ROLE regress_tenant;
SELECT * FROM campaign_phone_counts;
INSERT INTO leads VALUES (3, 1, '202 456 1111', NULL);
RESET ROLE;
CREATE POLICY tenant ON campaign_phone_counts FOR SELECT TO regress_tenant
    USING (EXISTS (SELECT FROM leads AS l WHERE l.campaign_id = campaign_phone_counts.campaign_id));
SET ROLE regress_tenant;
SELECT campaign_id, phone FROM campaign_phone_counts ORDER BY phone;
RESET ROLE;
SELECT * FROM verify_phone_counts('leads');
CREATE SCHEMA secured;
CREATE TABLE secured.leads (campaign_id integer, phone text, mobile text);
ALTER TABLE secured.leads ENABLE ROW LEVEL SECURITY;
SELECT unique_numbers FROM track_lead_phones('secured.leads');

-- A collation that takes two spellings for the same: rows are compared by their bytes. Where there is ICU: without it, initdb imports none.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') THEN
        CREATE COLLATION no_punctuation (provider = icu, locale = 'und-u-ka-shifted', deterministic = false);
        CREATE SCHEMA spelled;
        CREATE TABLE spelled.leads (campaign_id integer, phone text COLLATE no_punctuation, mobile text);
        PERFORM track_lead_phones('spelled.leads');
        INSERT INTO spelled.leads VALUES (1, '+1 678 999 8212', NULL);
        UPDATE spelled.leads SET phone = '+1 (678) 999-8212';
        IF (SELECT phone COLLATE "C" FROM spelled.leads) <> '+16789998212' THEN RAISE EXCEPTION 'not normalized'; END IF;
        EXECUTE $c$CALL disqualify_phone(1, '678 999 8212', leads => 'spelled.leads')$c$;
        IF NOT (SELECT phone_disqualified FROM spelled.leads) THEN RAISE EXCEPTION 'not marked'; END IF;
        IF EXISTS (SELECT FROM verify_phone_counts('spelled.leads')) THEN RAISE EXCEPTION 'miscounted'; END IF;
        SET LOCAL client_min_messages = warning;
        DROP SCHEMA spelled CASCADE;
        DROP COLLATION no_punctuation;
    END IF;
END $$;
SET client_min_messages = warning;
DROP SCHEMA ddl, secured, elsewhere CASCADE;
DROP ROLE regress_tenant;
