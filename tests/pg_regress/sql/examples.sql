-- Every object that is meant for users has a comment that ends with an example, and the example runs.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA examples_crm;
SET search_path = examples_crm, public;
SELECT create_lead_tables();
INSERT INTO campaigns (campaign_id, name) VALUES (42, 'spring');
INSERT INTO leads (campaign_id, email, name, company, phone, mobile)
VALUES (42, 'john@kw.example', 'John Smith', 'Keller Williams', '212-761-2846', '678-999-8212');
CREATE TABLE staging (email text, phone text);
INSERT INTO staging VALUES ('jane@kw.example', '832 723 4097');
CREATE TABLE do_not_call (phone text);
INSERT INTO do_not_call VALUES ('404 200 0001');
CREATE TABLE competitors (domain text);
INSERT INTO competitors VALUES ('rival.example');
CALL start_call(1, caller => 'ann');
CREATE SCHEMA examples_own;
SET search_path = examples_own, public;
CREATE TABLE donors (id int PRIMARY KEY, campaign_id text, phone text, mobile text);
INSERT INTO donors VALUES (1, 'spring', '678 999 8212', 'n/a'), (2, 'spring', '678-999-8212', NULL);
SELECT FROM track_lead_phones('donors');
CREATE TABLE patients (id int PRIMARY KEY, campaign_id uuid, phone text);
INSERT INTO patients VALUES (1, '6b3e6f0a-0d3c-4a9e-9a53-2a52a0f0c1de', '678 999 8212');
SELECT FROM track_lead_phones('patients');
CREATE TABLE customers (id int PRIMARY KEY, phone text);
CREATE SCHEMA crm;
RESET search_path;

-- What the extension has for users: not what it keeps for itself, by name or by comment, and no triggers.
CREATE TABLE commented AS
SELECT o.object, obj_description(o.id, o.class::name) AS comment FROM (
    SELECT p.oid AS id, 'pg_proc' AS class, p.oid::regprocedure::text AS object, p.proname::text AS name, p.prorettype::regtype::text AS type FROM pg_proc AS p
     UNION ALL SELECT t.oid, 'pg_type', t.oid::regtype::text, t.typname, '' FROM pg_type AS t WHERE t.typtype = 'd'
     UNION ALL SELECT c.oid, 'pg_class', c.oid::regclass::text, c.relname, '' FROM pg_class AS c WHERE c.relkind = 'v') AS o
  JOIN pg_depend AS d ON d.classid = o.class::regclass AND d.objid = o.id AND d.deptype = 'e'
  JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'lead_phones'
 WHERE coalesce(obj_description(o.id, o.class::name), '') NOT LIKE 'internal:%' AND o.type NOT IN ('trigger', 'event_trigger');
SELECT count(*) > 40 AS are_there FROM commented;
SELECT object AS without_example FROM commented WHERE comment !~ '\. Example: .' OR comment IS NULL;

-- Each is undone. What it names is in one of the two schemas.
DO $$
DECLARE
    example record;
    state text;
    problem text;
BEGIN
    FOR example IN SELECT c.object, substring(c.comment, 'Example: (.*)$') AS statement FROM commented AS c ORDER BY c.object LOOP
        CONTINUE WHEN example.object LIKE 'backfill_lead_phones%' -- commits
                   OR example.object LIKE 'distribute_lead_tables%'; -- needs Citus
        FOR path IN 1..2 LOOP
            PERFORM set_config('search_path', CASE path WHEN 1 THEN 'examples_crm, public' ELSE 'examples_own, public' END, true);
            BEGIN
                EXECUTE example.statement;
                RAISE EXCEPTION 'undone' USING ERRCODE = 'P0999';
            EXCEPTION WHEN OTHERS THEN
                state := SQLSTATE;
                problem := SQLERRM;
            END;
            EXIT WHEN state = 'P0999' OR problem !~ 'does not exist|not tracked|no lead tables';
        END LOOP;
        IF state <> 'P0999' THEN
            RAISE WARNING '%: % does not run: %', example.object, example.statement, problem;
        END IF;
    END LOOP;
END $$;
SET search_path = examples_own, public;
CALL backfill_lead_phones('donors');
RESET search_path;

DROP TABLE commented;
DROP SCHEMA examples_crm, examples_own, crm CASCADE;
