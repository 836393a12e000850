-- Citus: lead tables that are placed on one node; docs/scale-out.md.

CREATE FUNCTION @extschema@.lead_phones_is_distributed_schema(schema name) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    distributed boolean;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_schema') IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_schema AS s WHERE s.schemaid = pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)))'
       INTO distributed USING schema;
    RETURN distributed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_distributed_schema(name) IS
    'internal: whether Citus distributes a schema as a whole';

CREATE FUNCTION @extschema@.lead_phones_check_placement(schema name) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT @extschema@.lead_phones_is_distributed_schema(schema) AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind IN ('r', 'p')
           AND c.relname IN ('leads', 'contacts', 'accounts', 'campaigns', 'lead_disqualifications', 'campaign_phone_counts', 'campaign_phone_disqualifications')
           AND @extschema@.lead_phones_is_distributed(c.oid::regclass)) THEN
        RAISE EXCEPTION 'Citus distributes tables of the lead tables of schema "%"', schema
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Their rules look at many of them at once: all are on one node.',
                  HINT = format('Dump their data, run DROP SCHEMA %I CASCADE, create the lead tables again, and distribute them with distribute_lead_tables(%L).', schema, schema);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_placement(name) IS
    'internal: an error where lead tables are distributed, and not all of them as a schema';

CREATE FUNCTION @extschema@.lead_phones_has_node(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN @extschema@.lead_phones_is_distributed(relation) AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS n ON n.relnamespace = c.relnamespace
         WHERE c.oid = relation AND n.relname = 'lead_node' AND n.relkind = 'r');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_has_node(regclass) IS
    'internal: whether a table belongs to lead tables that distribute_lead_tables() has distributed';

CREATE FUNCTION @extschema@.lead_phones_lost_a_column(relation regclass) RETURNS boolean
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute AS d WHERE d.attrelid = relation AND d.attisdropped
                      AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > d.attnum AND NOT a.attisdropped))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lost_a_column(regclass) IS
    'internal: whether a column was dropped before others of a table';

CREATE FUNCTION @extschema@.lead_phones_add_node(leads regclass) RETURNS void
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_add_node_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_add_node(regclass) IS
    'internal: creates the table by which statements are sent to the node of lead tables, for their owner';

CREATE FUNCTION @extschema@.distribute_lead_tables(schema name DEFAULT current_schema()) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    leads constant regclass := CASE WHEN schema IS NOT NULL THEN to_regclass(format('%I.leads', schema)) END;
    is_on_coordinator boolean;
    relation regclass;
BEGIN
    IF schema IS NULL OR leads IS NULL THEN
        RAISE EXCEPTION 'schema "%" has no lead tables', coalesce(schema, '')
            USING ERRCODE = 'undefined_table', HINT = 'Run create_lead_tables() before.';
    END IF;
    PERFORM @extschema@.lead_phones_hold(ARRAY[leads::oid]);
    IF to_regclass('pg_catalog.pg_dist_schema') IS NULL THEN
        RAISE EXCEPTION 'lead tables cannot be distributed: this database has no Citus'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Schemas are distributed by Citus from version 12.0 on.',
                  HINT = 'Run CREATE EXTENSION citus on every node, and add the nodes.';
    END IF;
    EXECUTE 'SELECT g.groupid = 0 FROM pg_catalog.pg_dist_local_group AS g' INTO is_on_coordinator;
    IF NOT is_on_coordinator THEN
        RAISE EXCEPTION 'lead tables cannot be distributed from a worker'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'The coordinator places the tables of all nodes.',
                  HINT = 'Run distribute_lead_tables() on the coordinator.';
    END IF;
    IF to_regclass(format('%I.lead_node', schema)) IS NOT NULL THEN
        IF NOT @extschema@.lead_phones_is_distributed(to_regclass(format('%I.lead_node', schema))) THEN
            RAISE EXCEPTION 'table "%.lead_node" is not one that distribute_lead_tables() creates', schema
                USING ERRCODE = 'duplicate_table', DETAIL = 'A dump of distributed lead tables restores it as an ordinary table.',
                      HINT = format('Run DROP TABLE %I.lead_node, then SELECT distribute_lead_tables(%L).', schema, schema);
        END IF;
        RAISE NOTICE 'the lead tables of schema "%" are distributed already', schema;
        RETURN;
    END IF;
    SELECT c.oid INTO relation FROM pg_catalog.pg_class AS c
     WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind = 'r' AND @extschema@.lead_phones_lost_a_column(c.oid::regclass) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" cannot be distributed: a column of it was dropped', relation
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Citus creates its shard without it: the columns after it would be in other places.',
                  HINT = 'Dump the data of the lead tables, drop the schema, create them again, restore the data, and distribute them.';
    END IF;
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', true), set_config('citus.multi_shard_modify_mode', 'sequential', true);
    IF NOT @extschema@.lead_phones_is_distributed_schema(schema) THEN
        PERFORM @extschema@.lead_phones_model(leads);
        EXECUTE 'SELECT pg_catalog.citus_schema_distribute($1)' USING to_regnamespace(quote_ident(schema));
    ELSIF NOT @extschema@.lead_phones_is_distributed(leads) THEN
        RAISE EXCEPTION 'schema "%" is distributed already, and its lead tables are not', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Citus distributes a schema with the tables that are in it then.',
                  HINT = format('Run SELECT citus_schema_undistribute(%L), then distribute_lead_tables(%1$L).', schema);
    END IF;
    PERFORM @extschema@.lead_phones_add_node(leads);
    -- what was copied to the node
    FOR relation IN SELECT c.oid FROM pg_catalog.pg_class AS c
                     WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
                       AND @extschema@.lead_phones_is_distributed(c.oid::regclass) ORDER BY c.relname LOOP
        EXECUTE 'SELECT pg_catalog.truncate_local_data_after_distributing_table($1)' USING relation;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.distribute_lead_tables(name) IS
    'has Citus place lead tables on a node, all of a schema together. Example: SELECT distribute_lead_tables(''crm'')';
