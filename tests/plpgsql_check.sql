-- plpgsql_check on every function of the extension in PL/pgSQL: names of tables, columns, variables and functions, and their types. Functions that name
-- the lead tables as they are called are checked with the search_path that src/actions/lead_tables.rs gives them. No line is expected.
SET client_min_messages = warning;
CREATE EXTENSION plpgsql_check;
CREATE SCHEMA crm;
SELECT create_lead_tables('crm') \g /dev/null
-- the temporary tables of an upload
SET search_path = crm, pg_temp;
BEGIN;
SELECT public.lead_phones_open_upload('{}') \g /dev/null
SELECT p.oid::regprocedure AS function, c.lineno, c.statement, c.message, c.detail, c.hint
  FROM (SELECT f.oid, CASE f.proname WHEN 'lead_phones_write_domain' THEN 'crm.accounts'::regclass
                                     WHEN 'lead_phones_keep_uploaded' THEN 'crm.leads'::regclass ELSE 0 END AS relation
          FROM pg_proc AS f JOIN pg_language AS l ON l.oid = f.prolang AND l.lanname = 'plpgsql'
          JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'
          JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'lead_phones'
         -- those that ask Citus need it; create_lead_tables() goes on with what it has created
         WHERE f.prorettype <> 'event_trigger'::regtype
           AND f.proname NOT IN ('lead_phones_is_shard', 'lead_phones_check_citus', 'lead_phones_colocate', 'lead_phones_is_distributed_schema', 'distribute_lead_tables', 'create_lead_tables')) AS p
 CROSS JOIN LATERAL public.plpgsql_check_function_tb(p.oid, p.relation, performance_warnings => false, extra_warnings => false) AS c
 -- what is warned of are casts by the text form, and records of dynamic SQL
 WHERE c.level = 'error' ORDER BY 1, 2;
ROLLBACK;
