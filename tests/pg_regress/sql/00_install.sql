-- The extension installs into the schema that the DBA names, and works from any search_path.
CREATE SCHEMA "Phone Tools";
CREATE EXTENSION lead_phones SCHEMA "Phone Tools";

-- Exactly these objects, each with a comment.
SELECT o.object, o.comment FROM (
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object,
       coalesce(obj_description(d.objid, (SELECT c.relname FROM pg_class AS c WHERE c.oid = d.classid)::name),
                '** no comment **') AS comment
  FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'lead_phones'
   AND d.classid <> 'pg_type'::regclass
 UNION ALL
SELECT pg_describe_object('pg_type'::regclass, t.oid, 0), coalesce(obj_description(t.oid, 'pg_type'), '** no comment **')
  FROM pg_type AS t WHERE t.typnamespace = '"Phone Tools"'::regnamespace AND t.typtype = 'd'
 ) AS o ORDER BY o.object COLLATE "C";

-- What it promises the planner.
SELECT p.proname, p.provolatile AS volatile, p.proparallel AS parallel, p.proisstrict AS strict, p.procost AS cost
  FROM pg_proc AS p
 WHERE p.pronamespace = '"Phone Tools"'::regnamespace AND p.prolang = (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'c')
   AND p.prorettype <> 'trigger'::regtype
 ORDER BY p.proname COLLATE "C";

-- Every function that runs SQL pins its search_path, but the procedure that commits, which cannot; SECURITY DEFINER is for the
-- procedures and the event triggers alone.
-- What counts leads must see all of them, and fails where a policy would hide some.
SELECT p.proname, p.prosecdef
  FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
 WHERE p.pronamespace = '"Phone Tools"'::regnamespace AND l.lanname <> 'c'
   AND p.proconfig[1] IS DISTINCT FROM 'search_path=pg_catalog, pg_temp'
 ORDER BY p.proname COLLATE "C";
SELECT p.proname, p.proconfig[2:] FROM pg_proc AS p
 WHERE p.pronamespace = '"Phone Tools"'::regnamespace AND cardinality(p.proconfig) > 1 ORDER BY p.proname COLLATE "C";
SELECT p.oid::regprocedure AS security_definer
  FROM pg_proc AS p WHERE p.pronamespace = '"Phone Tools"'::regnamespace AND p.prosecdef ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Who has no right on its schema can create and drop tables as before.
CREATE ROLE regress_nobody;
CREATE SCHEMA own AUTHORIZATION regress_nobody;
SET ROLE regress_nobody;
CREATE TABLE own.plain (i int);
CREATE TABLE own.heir () INHERITS (own.plain);
ALTER TABLE own.heir NO INHERIT own.plain;
ALTER TABLE own.heir INHERIT own.plain;
DROP TABLE own.heir, own.plain;
RESET ROLE;
DROP SCHEMA own;
DROP ROLE regress_nobody;

-- From an empty search_path.
SET search_path = '';
SELECT "Phone Tools".normalize_phone('678 999 8212');
CREATE TABLE public.leads (id bigint PRIMARY KEY, campaign_id bigint NOT NULL, phone text, mobile text);
SELECT * FROM "Phone Tools".track_lead_phones('public.leads');
INSERT INTO public.leads VALUES (1, 1, '678 999 8212', NULL);
ALTER SCHEMA "Phone Tools" RENAME TO tools;
CALL "Phone Tools".disqualify_phone(1, '678 999 8212', leads => 'public.leads');
SELECT * FROM public.leads;
SELECT * FROM "Phone Tools".verify_phone_counts('public.leads');
SELECT leads, counts FROM "Phone Tools".lead_phone_tables;
RESET search_path;
DROP TABLE public.leads, public.campaign_phone_counts, public.campaign_phone_disqualifications;
DROP EXTENSION lead_phones;
DROP SCHEMA "Phone Tools";
CREATE EXTENSION lead_phones;
