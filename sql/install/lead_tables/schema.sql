-- Which lead tables are meant, and what their schema must be.

-- A default as lead_phones_visible_table().
CREATE FUNCTION @extschema@.lead_phones_visible_leads() RETURNS pg_catalog.regclass
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    known constant pg_catalog.regclass[] := ARRAY(
        SELECT t.tgrelid::pg_catalog.regclass FROM pg_catalog.pg_trigger AS t
         -- and not of a shard, whose triggers have other names
         WHERE t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND t.tgname OPERATOR(pg_catalog.=) 'lead_phones_split' AND t.tgfoid
               OPERATOR(pg_catalog.=) '@extschema@.lead_phones_split()'::pg_catalog.regprocedure::pg_catalog.oid);
    seen pg_catalog.regclass[] := @extschema@.lead_phones_visible(known, pg_catalog.current_schemas(false));
BEGIN
    -- What Citus sends to a node comes without the search_path.
    IF pg_catalog.cardinality(seen) OPERATOR(pg_catalog.=) 0
       AND @extschema@.lead_phones_is_sent() THEN
        seen := known;
    END IF;
    RETURN @extschema@.lead_phones_only(seen, 'contacts'::pg_catalog.text);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_leads() IS
    'internal: the leads of the one set of lead tables that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_check_schema(schema name, owner oid) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    stranger text;
    planted text;
BEGIN
    -- The rules of lead tables run as their owner, and look functions and operators up in this schema. A role that can put one there, or has,
    -- would run code as that owner.
    SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END INTO stranger
      FROM pg_catalog.pg_namespace AS n
      LEFT JOIN pg_catalog.pg_database AS b ON b.datname = current_database()
     CROSS JOIN LATERAL (
        SELECT n.nspowner AS grantee
         UNION ALL
        SELECT a.grantee FROM aclexplode(n.nspacl) AS a WHERE a.privilege_type = 'CREATE') AS g
     WHERE n.nspname = schema
       AND (g.grantee = 0 OR NOT pg_has_role(CASE pg_get_userbyid(g.grantee) WHEN 'pg_database_owner' THEN b.datdba ELSE g.grantee END, owner, 'MEMBER'))
     LIMIT 1;
    IF stranger IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" of lead tables is open to %', schema, stranger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Who may create objects there could run them as %s, the owner of the tables.', pg_get_userbyid(owner)),
                  HINT = format('Run REVOKE CREATE ON SCHEMA %I FROM %s, or let one role own schema and tables.', schema,
                      CASE stranger WHEN 'PUBLIC' THEN stranger ELSE quote_ident(stranger) END);
    END IF;
    SELECT pg_describe_object(d.classid, d.objid, 0) INTO planted
      FROM pg_catalog.pg_namespace AS n
      JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
      LEFT JOIN pg_catalog.pg_proc AS p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
      LEFT JOIN pg_catalog.pg_operator AS o ON d.classid = 'pg_catalog.pg_operator'::regclass AND o.oid = d.objid
     WHERE n.nspname = schema AND NOT pg_has_role(coalesce(p.proowner, o.oprowner), owner, 'MEMBER')
     LIMIT 1;
    IF planted IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" of lead tables has a % of somebody else', schema, planted
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It could be run as %s, the owner of the tables.', pg_get_userbyid(owner)),
                  HINT = 'Drop it, or let one role own what is in the schema.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_schema(name, oid) IS
    'internal: an error where somebody but the owner of lead tables can put functions into their schema, or has';

CREATE FUNCTION @extschema@.lead_phones_model(leads regclass) RETURNS name
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name;
    foreign_table text;
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name one of the lead tables, or leave it out for those that search_path sees.';
    END IF;
    SELECT n.nspname INTO schema
      FROM pg_catalog.pg_class AS r
      JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'leads'
      JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure AND t.tgparentid = 0
     WHERE r.oid = lead_phones_model.leads;
    IF schema IS NULL THEN
        RAISE EXCEPTION 'there are no lead tables beside "%"', leads
            USING ERRCODE = 'undefined_table',
                  HINT = 'Run create_lead_tables(), or name the leads table with leads => ''schema.leads''.';
    END IF;
    PERFORM @extschema@.lead_phones_check_placement(schema);
    -- What is done to one of these tables runs as its owner, who must own all that it touches.
    SELECT string_agg(w.name, ', ') INTO foreign_table
      FROM unnest('{leads,campaigns,accounts,contacts,free_mail_domains,lead_uploads,lead_upload_problems,
                    lead_disqualifications,lead_disqualification_subjects,campaign_phone_counts,campaign_phone_disqualifications,
                    phone_suppressions,suppressed_phones,suppression_syncs,dispositions,calls,call_outcomes,lead_claims,call_rules,
                    account_disqualifications,contact_disqualifications,call_refusals,callable_leads,lead_reasons,lead_ledger}'::text[]) AS w (name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname = schema AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v')
                          AND c.relowner = (SELECT l.relowner FROM pg_catalog.pg_class AS l
                                             WHERE l.relname = 'leads' AND l.relnamespace = n.oid));
    IF foreign_table IS NOT NULL THEN
        RAISE EXCEPTION 'the lead tables of schema "%" are not complete', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Missing, or of another owner than leads: %s.', foreign_table),
                  HINT = 'The tables that create_lead_tables() creates keep their names and have one owner.';
    END IF;
    PERFORM @extschema@.lead_phones_check_schema(schema, (SELECT l.relowner FROM pg_catalog.pg_class AS l WHERE l.oid = leads));
    RETURN schema;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_model(regclass) IS
    'internal: the schema of the lead tables that are meant: those beside a table, or the only ones';

CREATE FUNCTION @extschema@.lead_phones_known_campaign(campaign bigint, otherwise text) RETURNS void
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM campaigns AS c WHERE c.campaign_id = campaign) THEN
        RAISE EXCEPTION 'campaign % does not exist', campaign
            USING ERRCODE = otherwise, DETAIL = format('Table "%I.campaigns" has no such campaign_id.', current_schema()),
                  HINT = 'Insert the campaign before its leads.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_campaign(bigint, text) IS
    'internal: raises an error by a name of its SQLSTATE unless the campaign exists';
