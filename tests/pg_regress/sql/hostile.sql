-- A role that may create tables, triggers or schemas gets nowhere that it could not go without the extension, and crashes nothing.
\set SHOW_CONTEXT never
CREATE ROLE regress_alice;
CREATE ROLE regress_bob;
CREATE SCHEMA shared;
GRANT ALL ON SCHEMA shared TO regress_alice, regress_bob;
CREATE TABLE shared.secrets (secret text);
INSERT INTO shared.secrets VALUES ('of alice');
ALTER TABLE shared.secrets OWNER TO regress_alice;

-- A trigger of ours, created by hand on columns of other types.
SET ROLE regress_bob;
CREATE TABLE shared.campaign_phone_counts (campaign_id bigint, phone e164, lead_count bigint, phone_count bigint,
    mobile_count bigint, disqualified boolean, PRIMARY KEY (campaign_id, phone));
CREATE TABLE shared.forged (campaign_id bigint, phone bigint, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
CREATE TRIGGER forged BEFORE INSERT ON shared.forged FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize(
    'campaign_column=campaign_id', 'phone_column=phone', 'mobile_column=mobile', 'region=US', 'on_invalid=keep',
    'schema=shared', 'counts=campaign_phone_counts', 'disqualifications=none');
INSERT INTO shared.forged VALUES (1, 6789998212, NULL);
ALTER TABLE shared.forged ALTER phone TYPE text, ALTER campaign_id TYPE float8;
INSERT INTO shared.forged VALUES (1, '678 999 8212', NULL);
ALTER TABLE shared.forged ALTER campaign_id TYPE text;
INSERT INTO shared.forged VALUES ('1', '678 999 8212', NULL);
DROP TABLE shared.forged;

-- A planted table of counts, with a trigger: it would run as the owner of the leads.
CREATE FUNCTION shared.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE WARNING '% reads %', current_user, (SELECT secret FROM shared.secrets); RETURN NEW;
END $$;
CREATE TRIGGER evil BEFORE INSERT ON shared.campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION shared.evil();
GRANT ALL ON shared.campaign_phone_counts TO PUBLIC;
SET ROLE regress_alice;
CREATE TABLE shared.leads (campaign_id bigint, phone text, mobile text);
SELECT track_lead_phones('shared.leads');
\echo :SQLSTATE
RESET ROLE;
DROP TABLE shared.campaign_phone_counts;
SET ROLE regress_alice;
SELECT track_lead_phones('shared.leads');
-- swapped afterwards
RESET ROLE;
ALTER TABLE shared.campaign_phone_counts RENAME TO hidden;
\echo :SQLSTATE
SET session_replication_role = replica;
ALTER TABLE shared.campaign_phone_counts RENAME TO hidden;
RESET session_replication_role;
SET ROLE regress_bob;
CREATE TABLE shared.campaign_phone_counts (campaign_id bigint, phone e164, lead_count bigint, phone_count bigint,
    mobile_count bigint, disqualified boolean, PRIMARY KEY (campaign_id, phone));
CREATE TRIGGER evil BEFORE INSERT ON shared.campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION shared.evil();
GRANT ALL ON shared.campaign_phone_counts TO PUBLIC;
SET ROLE regress_alice;
INSERT INTO shared.leads VALUES (1, '678 999 8212', NULL);
\echo :SQLSTATE
RESET ROLE;
CALL disqualify_phone(1, '678 999 8212', leads => 'shared.leads');
\echo :SQLSTATE
DROP TABLE shared.campaign_phone_counts;
ALTER TABLE shared.hidden RENAME TO campaign_phone_counts;

-- A name before pg_catalog in the search_path of the writer.
CREATE SCHEMA trap;
CREATE FUNCTION trap.equals(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equals);
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
SET search_path = trap, pg_catalog, public, shared;
INSERT INTO shared.leads VALUES (1, '678 999 8212', NULL);
UPDATE shared.leads SET phone = '212 761 2846';
CALL disqualify_phone(1, '212 761 2846');
SELECT count(*) FROM verify_phone_counts('shared.leads');
RESET search_path;
DROP SCHEMA trap CASCADE;

-- What someone tracks for himself neither stops others from tracking nor from the short CALL.
CREATE SCHEMA private AUTHORIZATION regress_bob;
SET ROLE regress_bob;
CREATE TABLE private.leads (campaign_id bigint, phone text, mobile text);
SELECT track_lead_phones('private.leads');
CREATE TEMPORARY TABLE leads (campaign_id bigint, phone text, mobile text);
SELECT track_lead_phones('leads');
RESET ROLE;
GRANT EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) TO regress_alice;
SET ROLE regress_alice;
SELECT leads, counts FROM lead_phone_tables ORDER BY leads::text;
SET search_path = public, shared;
CALL disqualify_phone(1, '678 999 8212');
RESET search_path;
RESET ROLE;

-- Row-level security on leads and counts does not make the triggers miscount.
ALTER TABLE shared.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE shared.campaign_phone_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shared.leads TO regress_bob USING (campaign_id = 0) WITH CHECK (true);
GRANT SELECT, INSERT ON shared.leads TO regress_bob;
SET ROLE regress_bob;
INSERT INTO shared.leads VALUES (1, '678 999 8212', '650 253 0000');
SELECT count(*) FROM shared.leads;
RESET ROLE;
SELECT count(*) FROM verify_phone_counts('shared.leads');

-- What a stranger writes into the arguments of triggers of his own makes nobody's DDL touch his tables, nor his the counts of
-- others. Alice's tree; Bob's tables claim to belong to it.
CREATE SCHEMA alices AUTHORIZATION regress_alice;
CREATE SCHEMA bobs AUTHORIZATION regress_bob;
GRANT USAGE ON SCHEMA alices, bobs TO PUBLIC;
SET ROLE regress_alice;
CREATE TABLE alices.leads (campaign_id int, phone text, mobile text) PARTITION BY LIST (campaign_id);
CREATE TABLE alices.leads_1 PARTITION OF alices.leads FOR VALUES IN (1);
SELECT FROM track_lead_phones('alices.leads');
INSERT INTO alices.leads VALUES (1, '678 999 1001', NULL), (1, '678 999 1001', NULL);
SET ROLE regress_bob;
CREATE TYPE bobs.evil AS (x text);
CREATE FUNCTION bobs.evil_text(bobs.evil) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'running as %', current_user;
    RETURN NULL;
END $$;
CREATE CAST (bobs.evil AS text) WITH FUNCTION bobs.evil_text(bobs.evil);
CREATE TABLE bobs.trap (campaign_id int, phone bobs.evil, mobile bobs.evil, phone_disqualified boolean, mobile_disqualified boolean);
INSERT INTO bobs.trap VALUES (1, ROW('a'), ROW('b'), false, false);
CREATE TABLE bobs.leads (campaign_id int, phone text, mobile text, phone_disqualified boolean, mobile_disqualified boolean);
INSERT INTO bobs.leads SELECT 1, '+16789991001', NULL, false, false FROM generate_series(1, 1000);
SELECT format('CREATE TRIGGER %I BEFORE INSERT ON bobs.%I FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize(%s)',
              'zz_lead_phones_normalize_insert', t, arguments),
       format('CREATE TRIGGER lead_phones_count_truncate AFTER INSERT ON bobs.%I EXECUTE FUNCTION lead_phones_count(%s, ''member=true'')', t, arguments)
  FROM (VALUES ('trap'), ('leads')) AS tables (t),
       (SELECT string_agg(quote_literal(a), ', ') FROM unnest(ARRAY['campaign_column=campaign_id', 'phone_column=phone', 'mobile_column=mobile',
            'region=US', 'on_invalid=keep', 'schema=alices', 'counts=campaign_phone_counts',
            'disqualifications=campaign_phone_disqualifications']) AS a) AS a (arguments) \gexec
ALTER TABLE bobs.trap ADD boom int;
ALTER TABLE bobs.leads ADD boom int;
CREATE TABLE bobs.below () INHERITS (bobs.trap);
CREATE TABLE bobs.above (LIKE bobs.trap);
ALTER TABLE bobs.trap INHERIT bobs.above;
ALTER TABLE bobs.below NO INHERIT bobs.trap;
DROP TABLE bobs.below;
INSERT INTO bobs.leads VALUES (1, '678 999 1001', NULL, false, false);
TRUNCATE bobs.leads;
SET ROLE regress_alice;
SELECT * FROM alices.campaign_phone_counts;
CREATE TABLE alices.leads_2 PARTITION OF alices.leads FOR VALUES IN (2);
ALTER TABLE alices.leads DETACH PARTITION alices.leads_2;
SELECT FROM track_lead_phones('alices.leads');
DROP TABLE alices.leads_2;
SELECT count(*) FROM verify_phone_counts('alices.leads');
SET ROLE regress_bob;
BEGIN;
SET LOCAL client_min_messages = warning;
DROP SCHEMA bobs CASCADE;
SELECT relation::regclass, mode FROM pg_locks WHERE relation IN ('alices.leads'::regclass, 'alices.campaign_phone_counts'::regclass);
COMMIT;
RESET ROLE;
-- Functions of nearly the same signature in the extension's schema: none is the better match for a call of ours.
SET client_min_messages = warning;
GRANT CREATE ON SCHEMA public TO regress_bob;
CREATE SCHEMA bobs AUTHORIZATION regress_bob;
GRANT EXECUTE ON PROCEDURE expire_disqualifications(regclass, bigint, bigint) TO regress_bob;
GRANT EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) TO regress_bob;
SET ROLE regress_bob;
SELECT format('CREATE FUNCTION public.%s LANGUAGE plpgsql AS %L', f, 'BEGIN RAISE WARNING ''planted, as %'', current_user; RETURN NULL; END')
  FROM unnest(ARRAY['lead_phones_root(oid) RETURNS regclass', 'lead_phones_members(oid) RETURNS regclass', 'lead_phones_roots(oid) RETURNS regclass',
                    'lead_phones_is_shard(oid) RETURNS boolean', 'lead_phones_root_to_join(oid, oid) RETURNS regclass',
                    'lead_phones_root_left(oid, oid, oid) RETURNS regclass', 'lead_phones_call(regclass, text, text) RETURNS jsonb',
                    'lead_phones_tracked(oid) RETURNS lead_phone_tables']) AS f \gexec
CREATE TABLE bobs.u (a int);
CREATE TABLE bobs.v () INHERITS (bobs.u);
ALTER TABLE bobs.v NO INHERIT bobs.u;
ALTER TABLE bobs.v INHERIT bobs.u;
DROP TABLE bobs.v;
CALL disqualify_phone(1, '678 999 1001', leads => 'bobs.u');
CALL expire_disqualifications('alices.leads');
SET ROLE regress_alice;
CREATE TABLE alices.leads_3 PARTITION OF alices.leads FOR VALUES IN (3);
INSERT INTO alices.leads_3 VALUES (3, '678 999 1001', NULL);
ALTER TABLE alices.leads DETACH PARTITION alices.leads_3;
DROP TABLE alices.leads_3;
SET ROLE regress_bob;
DO $$
DECLARE planted regprocedure;
BEGIN
    FOR planted IN SELECT p.oid FROM pg_proc AS p WHERE p.proowner = 'regress_bob'::regrole AND p.pronamespace = 'public'::regnamespace LOOP
        EXECUTE 'DROP FUNCTION ' || planted;
    END LOOP;
END $$;
-- What a table's owner defers, or sets, does not come to a role that runs DDL or calls a procedure.
SET ROLE regress_alice;
CREATE TABLE alices.leads_3 PARTITION OF alices.leads FOR VALUES IN (3);
INSERT INTO alices.leads VALUES (3, '678 999 1001', NULL), (1, '678 999 1002', NULL);
CREATE FUNCTION alices.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'trigger of alice, as %', current_user;
    PERFORM set_config('search_path', 'alices', false);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON alices.campaign_phone_counts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION alices.tell();
RESET ROLE;
DROP TABLE alices.leads_3;
SET ROLE regress_bob;
CALL disqualify_phone(1, '678 999 1002', leads => 'alices.leads');
SET ROLE regress_alice;
ALTER TABLE alices.campaign_phone_counts DISABLE TRIGGER later;
CREATE TRIGGER now AFTER UPDATE ON alices.campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION alices.tell();
RESET ROLE;
DROP TABLE alices.leads_3;
SHOW search_path;
SET ROLE regress_alice;
DROP TRIGGER now ON alices.campaign_phone_counts;
-- A command whose names mean other tables when it is over: what its user does not own stays as it is.
RESET ROLE;
CREATE SCHEMA alices_too AUTHORIZATION regress_alice;
GRANT USAGE ON SCHEMA alices_too TO PUBLIC;
SET ROLE regress_alice;
CREATE TABLE alices_too.heirs (campaign_id int, phone text, mobile text);
SELECT FROM track_lead_phones('alices_too.heirs');
INSERT INTO alices_too.heirs VALUES (1, '678 999 1001', NULL);
SET ROLE regress_bob;
DROP TABLE pg_temp.leads;
CREATE TABLE bobs.leads (campaign_id int);
CREATE TABLE bobs.heirs () INHERITS (bobs.leads);
INSERT INTO bobs.heirs VALUES (1);
CREATE FUNCTION bobs.switch() RETURNS boolean LANGUAGE sql AS $$ SELECT set_config('search_path', 'alices, alices_too, public', false) IS NOT NULL $$;
SET search_path = bobs, public;
ALTER TABLE heirs NO INHERIT leads, ADD CHECK (bobs.switch());
RESET search_path;
RESET ROLE;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'alices_too.heirs'::regclass;
SELECT count(*) AS wrong FROM verify_phone_counts('alices.leads');
DROP SCHEMA alices_too, bobs CASCADE;

-- Names that are SQL, patterns of format() and parameters.
CREATE SCHEMA "$1; DROP TABLE shared.secrets; --";
CREATE TABLE "$1; DROP TABLE shared.secrets; --"."%I %s"" ' \ leads" ("id%1$s" int PRIMARY KEY, "campaign""; --" text, "'||$2||'" text, "%L" text, "$3 region" text);
SET search_path = "$1; DROP TABLE shared.secrets; --", public;
SELECT * FROM track_lead_phones('"%I %s"" '' \ leads"', 'campaign"; --', ARRAY['''||$2||''', '%L'], region_column => '$3 region');
INSERT INTO "%I %s"" ' \ leads" VALUES (1, '%s; $1''', '678 999 1001', 'n/a', NULL), (2, '%s; $1''', NULL, '020 7946 0958', 'GB');
CALL disqualify_phone('%s; $1''', '678 999 1001', leads => '"%I %s"" '' \ leads"');
UPDATE "%I %s"" ' \ leads" SET "%L" = "'||$2||'" WHERE "'||$2||'" IS NOT NULL;
SELECT * FROM "%I %s"" ' \ leads";
SELECT campaign, lead_count, valid, callable_leads FROM lead_phone_quality('"%I %s"" '' \ leads"');
SELECT phone, lead_count FROM shared_lead_phones('"%I %s"" '' \ leads"', 1) ORDER BY phone;
SELECT lead, column_name FROM invalid_lead_phones('"%I %s"" '' \ leads"');
SELECT rebuild_phone_counts('"%I %s"" '' \ leads"');
SELECT count(*) FROM verify_phone_counts('"%I %s"" '' \ leads"');
CALL requalify_phone('%s; $1''', '678 999 1001', leads => '"%I %s"" '' \ leads"');
SELECT untrack_lead_phones('"%I %s"" '' \ leads"');
RESET search_path;
DROP SCHEMA "$1; DROP TABLE shared.secrets; --" CASCADE;
CREATE SCHEMA "%1$I; '' "" $2";
SELECT create_lead_tables('%1$I; '''' " $2');
SET search_path = "%1$I; '' "" $2", public;
INSERT INTO campaigns (campaign_id, name) VALUES (1, '%s');
CREATE TEMPORARY TABLE "%s staging" ("Phone" text, "E-Mail" text, "%I'"";$1" text);
INSERT INTO "%s staging" VALUES ('678 999 1001', 'a@b.example', '%L');
CALL upload_leads(1, '"%s staging"', leads => 'leads') \gx
SELECT custom FROM leads;
CALL suppress_phones('"%s staging"'::regclass, 'Phone', leads => 'leads');
SELECT kind, subject FROM lead_status(1, 'leads');
SELECT count(*) FROM callable_leads;
DROP TABLE "%s staging";
DROP SCHEMA "%1$I; '' "" $2" CASCADE;
RESET search_path;
REVOKE EXECUTE ON PROCEDURE expire_disqualifications(regclass, bigint, bigint) FROM regress_bob;
REVOKE EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) FROM regress_bob;
REVOKE CREATE ON SCHEMA public FROM regress_bob;
RESET client_min_messages;

REVOKE EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) FROM regress_alice;
DROP SCHEMA alices CASCADE;
DROP SCHEMA shared, private CASCADE;
DROP TABLE IF EXISTS leads;
DROP ROLE regress_alice, regress_bob;
