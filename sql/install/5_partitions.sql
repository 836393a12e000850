-- Partitions and inheritance: the tables below a tracked one are kept with it, as they come and go.
--
-- A statement on a table fires the statement triggers of that table alone, so every table of the tree has them. Event
-- triggers see to tables that are attached, created, detached or dropped later. They run what they do on data as the
-- owner of the tracked table.

CREATE FUNCTION @extschema@.lead_phones_add_rows(tracked @extschema@.lead_phone_tables, member regclass, sign integer) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- in the order in which the triggers lock rows of the counts: text by its bytes
    EXECUTE format($dml$
        INSERT INTO %2$s AS c (%3$I, phone, lead_count, phone_count, mobile_count)
        SELECT r.campaign, r.phone, $1 * r.lead_count, $1 * r.phone_count, $1 * r.mobile_count FROM (%1$s) AS r
         ORDER BY r.campaign%4$s, r.phone
        ON CONFLICT (%3$I, phone) DO UPDATE
           SET lead_count = c.lead_count + EXCLUDED.lead_count,
               phone_count = c.phone_count + EXCLUDED.phone_count,
               mobile_count = c.mobile_count + EXCLUDED.mobile_count$dml$,
        @extschema@.lead_phones_recount_query(tracked, format('ONLY %s', member)), tracked.counts, tracked.campaign_column,
        (SELECT CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = tracked.leads AND a.attname = tracked.campaign_column))
      USING sign;
    EXECUTE format('DELETE FROM %1$s AS c WHERE c.lead_count = 0 AND NOT c.disqualified', tracked.counts);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_add_rows(@extschema@.lead_phone_tables, regclass, integer) IS
    'internal: adds the leads of one table of a tree to the counts, or with -1 takes them off';

CREATE FUNCTION @extschema@.lead_phones_sync(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    settings jsonb;
    member regclass;
    joined regclass[] := '{}';
    parted regclass[] := '{}';
    is_filled boolean;
BEGIN
    SELECT @extschema@.lead_phones_settings(t.tgargs) || '{"member": true}' INTO settings FROM pg_catalog.pg_trigger AS t
     WHERE t.tgrelid = leads AND t.tgname = 'zz_lead_phones_normalize_insert';
    PERFORM @extschema@.lead_phones_check_members(leads, settings);
    FOR member IN
        SELECT m FROM @extschema@.lead_phones_members(leads) AS m
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = m AND t.tgfoid = '@extschema@.lead_phones_count()'::regprocedure)
    LOOP
        PERFORM @extschema@.lead_phones_create_triggers(member, settings);
        PERFORM @extschema@.lead_phones_create_index(member, tracked.campaign_column, tracked.phone_column),
                @extschema@.lead_phones_create_index(member, tracked.campaign_column, tracked.mobile_column);
        joined := joined || member;
    END LOOP;
    FOREACH member IN ARRAY joined LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s)', member) INTO is_filled;
        IF is_filled THEN
            PERFORM @extschema@.lead_phones_check_isolation();
            PERFORM @extschema@.lead_phones_add_rows(tracked, member, 1);
            PERFORM @extschema@.lead_phones_normalize_rows(tracked, format('ONLY %s', member));
            PERFORM @extschema@.lead_phones_mark_rows(tracked, format('ONLY %s', member));
        END IF;
    END LOOP;

    FOR member IN
        SELECT DISTINCT t.tgrelid::regclass FROM pg_catalog.pg_trigger AS t
         WHERE t.tgfoid = '@extschema@.lead_phones_count()'::regprocedure
           AND @extschema@.lead_phones_settings(t.tgargs) = settings
           AND t.tgrelid NOT IN (SELECT m.oid FROM @extschema@.lead_phones_members(leads) AS m (oid))
    LOOP
        PERFORM @extschema@.lead_phones_check_isolation();
        -- takes the lock that keeps other writers out
        PERFORM @extschema@.lead_phones_drop_triggers(member);
        PERFORM @extschema@.lead_phones_add_rows(tracked, member, -1);
        parted := parted || member;
    END LOOP;
    RETURN jsonb_build_object('joined', cardinality(joined), 'parted', cardinality(parted));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_sync(regclass, jsonb) IS
    'internal: takes new partitions and heirs of a tracked table into its counts, and those that left it out of them';

CREATE FUNCTION @extschema@.lead_phones_part(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    relation regclass := (arguments ->> 'table')::oid::regclass;
    parent regclass;
BEGIN
    PERFORM @extschema@.lead_phones_check_isolation();
    IF (arguments ->> 'dropped')::boolean THEN
        -- the locks of DROP TABLE, in its order
        FOR parent IN SELECT i.inhparent::regclass FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = relation LOOP
            EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', parent);
        END LOOP;
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
        PERFORM @extschema@.lead_phones_add_rows(tracked, m, -1) FROM @extschema@.lead_phones_members(relation) AS m;
    ELSE
        PERFORM @extschema@.lead_phones_add_rows(tracked, relation, -1);
    END IF;
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_part(regclass, jsonb) IS
    'internal: takes the leads of a table that is about to be truncated or dropped out of the counts of its tree';

CREATE FUNCTION @extschema@.lead_phones_recount(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT jsonb_build_object('numbers', @extschema@.rebuild_phone_counts(leads))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount(regclass, jsonb) IS
    'internal: rebuild_phone_counts, after a drop that did not name the partitions it took';

CREATE FUNCTION @extschema@.lead_phones_after_ddl() RETURNS event_trigger
    VOLATILE LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    relation oid;
    root regclass;
    tracked_below regclass;
BEGIN
    -- On a Citus worker a shard is not below the table that it is a shard of.
    IF current_setting('citus.enable_unsafe_triggers', true) IS NOT NULL THEN
        RETURN;
    END IF;
    FOR relation IN
        SELECT DISTINCT d.objid FROM pg_event_trigger_ddl_commands() AS d
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.object_type IN ('table', 'foreign table')
    LOOP
        SELECT m INTO tracked_below FROM @extschema@.lead_phones_members(relation) AS m
          JOIN @extschema@.lead_phone_tables AS l ON l.leads = m
         WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = m) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'tracked table "%" cannot belong to another table', tracked_below
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = 'Writes to the table above it would not be counted.',
                      HINT = format('Run untrack_lead_phones(%L) before, and track the table above it.', tracked_below);
        END IF;
        -- its tree, or the one that it has just left
        root := coalesce(@extschema@.lead_phones_root(relation),
            (SELECT l.leads FROM pg_catalog.pg_trigger AS t
               JOIN @extschema@.lead_phone_tables AS l
                 ON l.counts = to_regclass(format('%I.%I', @extschema@.lead_phones_settings(t.tgargs) ->> 'schema',
                                                           @extschema@.lead_phones_settings(t.tgargs) ->> 'counts'))
              WHERE t.tgrelid = relation AND t.tgfoid = '@extschema@.lead_phones_count()'::regprocedure
              LIMIT 1));
        PERFORM @extschema@.lead_phones_as_owner(root, 'sync', '{}')
          FROM @extschema@.lead_phone_tables AS l
          JOIN pg_catalog.pg_class AS c ON c.oid = l.leads
         WHERE l.leads = root AND (c.relhassubclass OR c.relkind = 'p')
           AND l.counts IS NOT NULL AND l.disqualifications IS NOT NULL;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_after_ddl() IS
    'event trigger: keeps the counts of tracked tables exact when partitions are attached, created or detached';

CREATE FUNCTION @extschema@.lead_phones_after_drop() RETURNS event_trigger
    VOLATILE LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_setting('citus.enable_unsafe_triggers', true) IS NULL
       AND EXISTS (SELECT FROM pg_event_trigger_dropped_objects() AS d
                    WHERE d.object_type = 'trigger' AND d.address_names[3] = 'lead_phones_count_truncate') THEN
        PERFORM @extschema@.lead_phones_as_owner(l.leads, 'recount', '{}')
           FROM @extschema@.lead_phone_tables AS l
           JOIN pg_catalog.pg_class AS c ON c.oid = l.leads
          WHERE (c.relhassubclass OR c.relkind = 'p') AND l.counts IS NOT NULL AND l.disqualifications IS NOT NULL;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_after_drop() IS
    'event trigger: counts tracked trees anew when a schema or the objects of a role were dropped, and partitions with them';

CREATE FUNCTION @extschema@.lead_phones_before_drop() RETURNS event_trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_before_drop_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_before_drop() IS
    'event trigger: takes the leads of a partition out of the counts before it is dropped';

CREATE EVENT TRIGGER lead_phones_after_ddl ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'ALTER FOREIGN TABLE', 'CREATE FOREIGN TABLE')
    EXECUTE FUNCTION @extschema@.lead_phones_after_ddl();
COMMENT ON EVENT TRIGGER lead_phones_after_ddl IS 'keeps the counts of tracked tables exact when partitions come and go';
CREATE EVENT TRIGGER lead_phones_before_drop ON ddl_command_start
    WHEN TAG IN ('DROP TABLE')
    EXECUTE FUNCTION @extschema@.lead_phones_before_drop();
COMMENT ON EVENT TRIGGER lead_phones_before_drop IS 'keeps the counts of tracked tables exact when a partition is dropped';
CREATE EVENT TRIGGER lead_phones_after_drop ON sql_drop
    WHEN TAG IN ('DROP SCHEMA', 'DROP OWNED')
    EXECUTE FUNCTION @extschema@.lead_phones_after_drop();
COMMENT ON EVENT TRIGGER lead_phones_after_drop IS 'keeps the counts of tracked tables exact when partitions are dropped with a schema';
