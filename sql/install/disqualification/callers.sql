-- Who calls a procedure, and which table is meant.
--
-- The procedures are for roles that may act as the owner of a leads table, and for callers who were granted EXECUTE on them and have nothing else. They hand
-- over to lead_phones_run (src/actions/procedures.rs), and that to lead_phones_as_owner, which looks at the caller, and runs one function of a fixed list as the
-- owner of the leads table: a caller reaches that table's leads, counts and ledger, and no other table.

CREATE FUNCTION @extschema@.lead_phones_run(leads regclass, procedure text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_run_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_run(regclass, text, jsonb) IS
    'internal: runs a procedure for its caller';

CREATE FUNCTION @extschema@.lead_phones_refusal(procedure name, caller oid) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- and none that somebody has put beside them, to be granted it
    own constant oid[] := ARRAY(
        SELECT p.oid FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_catalog.pg_extension AS e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'lead_phones'
         WHERE p.pronamespace = '@extschema@'::regnamespace AND p.proname = procedure
         ORDER BY p.oid);
BEGIN
    -- Every role is PUBLIC: what that may do says nothing.
    IF EXISTS (SELECT FROM pg_catalog.pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
                WHERE p.oid = ANY (own) AND a.privilege_type = 'EXECUTE' AND a.grantee <> 0 AND pg_has_role(caller, a.grantee, 'USAGE')) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT format('Run GRANT EXECUTE ON %s %s TO %I.', CASE WHEN bool_and(p.prokind = 'p') THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                string_agg(p.oid::regprocedure::text, ', ' ORDER BY p.oid), pg_get_userbyid(caller))
              FROM pg_catalog.pg_proc AS p WHERE p.oid = ANY (own));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_refusal(name, oid) IS
    'internal: what to do where a procedure was not granted to a role; NULL where it was';

CREATE FUNCTION @extschema@.lead_phones_as_owner(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_as_owner_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb) IS
    'internal: runs an action on a tracked table as the owner of the table';

CREATE FUNCTION @extschema@.lead_phones_caller() RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_caller() IS
    'internal: the role of the session, seen through SECURITY DEFINER';

CREATE FUNCTION @extschema@.lead_phones_only(tables regclass[], what text) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF cardinality(tables) = 0 THEN
        RAISE EXCEPTION '% in the schemas of search_path', CASE what WHEN 'contacts' THEN 'there are no lead tables' ELSE 'no table is tracked' END
            USING ERRCODE = CASE what WHEN 'contacts' THEN 'undefined_table' ELSE 'object_not_in_prerequisite_state' END,
                  DETAIL = 'Where leads is left out, the one that search_path sees is meant.',
                  HINT = CASE what WHEN 'contacts' THEN 'Run create_lead_tables(), or name the leads table with leads => ''schema.leads''.'
                      ELSE 'Run track_lead_phones() on the leads table, or name it with leads => ''schema.table''.' END;
    END IF;
    IF cardinality(tables) > 1 THEN
        RAISE EXCEPTION '%', CASE what WHEN 'contacts' THEN 'more than one schema has lead tables' ELSE 'more than one table is tracked' END
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('search_path sees %s.', array_to_string(tables, ', ')),
                  HINT = format('Name the table with leads => %L.', @extschema@.lead_phones_table_name(tables[1]));
    END IF;
    RETURN tables[1];
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_only(regclass[], text) IS
    'internal: the one table that was found; an error where there is none, or more';

CREATE FUNCTION @extschema@.lead_phones_visible(tables regclass[], schemas name[]) RETURNS regclass[]
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- As a name is resolved. But temporary tables neither are meant nor hide others: they are made by the way.
    SELECT coalesce(array_agg(c.oid::regclass ORDER BY p.place, c.oid), '{}')
      FROM unnest(schemas) WITH ORDINALITY AS p (schema, place)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schema
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.oid = ANY (tables) AND c.relpersistence = 'p'
     WHERE NOT EXISTS (SELECT FROM unnest(schemas) WITH ORDINALITY AS e (schema, place)
                         JOIN pg_catalog.pg_namespace AS m ON m.nspname = e.schema
                         JOIN pg_catalog.pg_class AS h ON h.relnamespace = m.oid AND h.relname = c.relname AND h.relpersistence <> 't'
                        WHERE e.place < p.place)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible(regclass[], name[]) IS
    'internal: those of some tables that a search_path sees';

-- The default of a parameter, which is evaluated as the caller: the caller's search_path says which table is meant. So it sets none, and hands it on.
CREATE FUNCTION @extschema@.lead_phones_visible_table() RETURNS regclass
    STABLE LANGUAGE sql
AS $function$
    SELECT @extschema@.lead_phones_only(@extschema@.lead_phones_visible(
        ARRAY(SELECT t.leads FROM @extschema@.lead_phone_tables AS t), pg_catalog.current_schemas(false)), 'table'::pg_catalog.text)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_table() IS
    'internal: the one tracked table that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_meant(leads regclass) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Name the tracked table, or leave it out for the one that search_path sees; the view lead_phone_tables lists all.';
    END IF;
    -- of lead tables, contacts have the numbers
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
        leads := format('%I.contacts', @extschema@.lead_phones_model(leads))::regclass;
    END IF;
    RETURN leads;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_meant(regclass) IS
    'internal: the table named, and of lead tables the one that has the numbers';

CREATE FUNCTION @extschema@.lead_phones_resolve(leads regclass) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (@extschema@.lead_phones_tracked(@extschema@.lead_phones_meant(leads))).leads;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_resolve(regclass) IS
    'internal: the tracked table that is meant by the one named';
