-- Following DDL: settings that change with names, and the event triggers.

CREATE FUNCTION @extschema@.lead_phones_set_settings(leads regclass, changed jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    settings jsonb := (SELECT @extschema@.lead_phones_settings(t.tgargs) || changed FROM pg_catalog.pg_trigger AS t
                        WHERE t.tgrelid = leads AND t.tgname = 'zz_lead_phones_normalize_insert');
    -- a trigger that is replaced fires as one that is new
    firing constant jsonb := (SELECT jsonb_agg(jsonb_build_array(t.tgrelid, t.tgname, t.tgenabled)) FROM pg_catalog.pg_trigger AS t
                               WHERE t.tgrelid IN (SELECT m FROM @extschema@.lead_phones_members(leads) AS m) AND t.tgenabled <> 'O'
                                 AND t.tgfoid IN ('@extschema@.lead_phones_normalize()'::regprocedure, '@extschema@.lead_phones_count()'::regprocedure));
    other jsonb;
BEGIN
    PERFORM @extschema@.lead_phones_create_triggers(m, CASE WHEN m = leads THEN settings - 'member' ELSE settings || '{"member": true}' END)
       FROM @extschema@.lead_phones_members(leads) AS m;
    FOR other IN SELECT f FROM jsonb_array_elements(firing) AS f LOOP
        EXECUTE format('ALTER TABLE ONLY %s %s TRIGGER %I', (other ->> 0)::oid::regclass,
            CASE other ->> 2 WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, other ->> 1);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_set_settings(regclass, jsonb) IS
    'internal: changes settings of a tracked table, in the triggers of all its tables';

CREATE FUNCTION @extschema@.lead_phones_rename_column(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(leads);
    old_name constant name := arguments ->> 'old';
    new_name constant name := arguments ->> 'new';
    renamed @extschema@.lead_phone_tables := tracked;
    moved record;
BEGIN
    renamed.phone_columns := array_replace(tracked.phone_columns, old_name, new_name);
    renamed.campaign_column := CASE tracked.campaign_column WHEN old_name THEN new_name ELSE tracked.campaign_column END;
    renamed.region_column := CASE tracked.region_column WHEN old_name THEN new_name ELSE tracked.region_column END;
    IF old_name = ANY (tracked.phone_columns) THEN
        PERFORM @extschema@.lead_phones_check_column(leads, new_name, 'phone_columns', CASE WHEN tracked.in_place THEN 'text' ELSE 'number' END);
    END IF;
    PERFORM @extschema@.lead_phones_check_names(leads, renamed.campaign_column, renamed.phone_columns, tracked.in_place, tracked.keep_extensions);
    FOR moved IN
        SELECT t.relation, old_name AS old, new_name AS new, NULL AS meaning FROM unnest(ARRAY[tracked.counts, tracked.disqualifications]) AS t (relation)
         WHERE old_name = tracked.campaign_column
         UNION ALL
        SELECT leads, o.column_name, n.column_name, CASE o.purpose WHEN 'mark' THEN 'marks' ELSE 'is of' END
          FROM @extschema@.lead_phones_kept_of(tracked) AS o
          JOIN @extschema@.lead_phones_kept_of(renamed) AS n ON n.number_column = new_name AND n.purpose = o.purpose
         WHERE o.number_column = old_name
         UNION ALL
        SELECT tracked.counts, old_name || '_count', new_name || '_count', NULL WHERE old_name = ANY (tracked.phone_columns)
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', moved.relation, moved.old, moved.new);
        EXCEPTION WHEN duplicate_column THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be renamed to "%"', old_name, leads, new_name
                USING ERRCODE = 'duplicate_column', DETAIL = format('Column "%s" of table "%s" is renamed with it, and there is another of that name.', moved.old, moved.relation),
                      HINT = 'Choose another name.';
        END;
        IF moved.meaning IS NOT NULL THEN
            RAISE NOTICE 'column "%" is now "%"', moved.old, moved.new
                USING DETAIL = format('It %s the numbers of column "%s" of table "%s".', moved.meaning, new_name, leads);
        END IF;
    END LOOP;
    FOR moved IN SELECT k.* FROM @extschema@.lead_phones_kept_of(renamed) AS k WHERE k.number_column = new_name LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', leads, moved.column_name, @extschema@.lead_phones_meaning(new_name, moved.purpose));
    END LOOP;
    PERFORM @extschema@.lead_phones_set_settings(leads, jsonb_build_object('campaign_column', renamed.campaign_column, 'phone_columns', renamed.phone_columns,
        'region_column', renamed.region_column));
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rename_column(regclass, jsonb) IS
    'internal: follows the rename of a tracked column';

CREATE FUNCTION @extschema@.lead_phones_rename_schema(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_set_settings(leads, jsonb_build_object('schema', arguments ->> 'new'));
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rename_schema(regclass, jsonb) IS
    'internal: follows the rename of the schema of counts and ledger';

CREATE FUNCTION @extschema@.lead_phones_keeps_campaigns(from_type oid, to_type oid) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- equal values of these are the same bytes, and the session does not say how they are written
    of_one_spelling constant oid[] := '{int2,int4,int8,uuid,text,varchar,bpchar,bool}'::regtype[];
    of_numbers constant oid[] := '{int2,int4,int8,numeric,float4,float8}'::regtype[];
    of_time constant oid[] := '{date,timestamp,timestamptz}'::regtype[];
BEGIN
    RETURN from_type = to_type OR from_type = ANY (of_one_spelling) OR (SELECT t.typtype FROM pg_catalog.pg_type AS t WHERE t.oid = from_type) = 'e'
        OR from_type = ANY (of_numbers) AND to_type = ANY (of_numbers)
        OR from_type = ANY (of_time) AND to_type = ANY (of_time);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keeps_campaigns(oid, oid) IS
    'internal: whether equal campaigns of a type are equal campaigns of another one too';

CREATE FUNCTION @extschema@.lead_phones_alter(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(leads);
    beside regclass;
    campaign pg_catalog.pg_attribute;
    campaign_type text;
    has_other_numbers boolean := false;
    is_read_anew boolean := false;
    is_rekeyed boolean := false;
    retyped record;
BEGIN
    PERFORM @extschema@.lead_phones_check_table(leads),
            @extschema@.lead_phones_check_kind(leads, m) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_follow_row_security(tracked);
    FOR retyped IN SELECT * FROM jsonb_to_recordset(arguments -> 'columns') AS c (name name, computed boolean) LOOP
        IF retyped.name = ANY (tracked.phone_columns) THEN
            PERFORM @extschema@.lead_phones_check_column(leads, retyped.name, 'phone_columns', CASE WHEN tracked.in_place THEN 'text' ELSE 'number' END);
            has_other_numbers := true;
            -- Where it is left as it is, a type can say it in another way, or cut it.
            is_read_anew := is_read_anew OR retyped.computed OR NOT tracked.in_place;
        ELSIF retyped.name = tracked.region_column THEN
            PERFORM @extschema@.lead_phones_check_column(leads, retyped.name, 'region_column', CASE WHEN tracked.region_code IS NULL THEN 'text' ELSE 'reference' END);
            is_read_anew := is_read_anew OR retyped.computed;
        ELSIF retyped.name = tracked.campaign_column THEN
            campaign := @extschema@.lead_phones_check_column(leads, retyped.name, 'campaign_column', 'campaign');
            campaign_type := format_type(campaign.atttypid, campaign.atttypmod) || @extschema@.lead_phones_collate(campaign.attcollation);
            -- Of a type that writes one value in several ways, entries of the ledger could come to mean other leads.
            IF NOT @extschema@.lead_phones_keeps_campaigns(@extschema@.lead_phones_type_of(tracked.disqualifications, retyped.name), @extschema@.lead_phones_base_type_of(campaign.atttypid)) THEN
                RAISE EXCEPTION 'campaigns of table "%" cannot become %', leads, format_type(campaign.atttypid, campaign.atttypmod)
                    USING ERRCODE = 'feature_not_supported',
                          DETAIL = format('They are of type %s, in which one value can be written in several ways.', format_type(@extschema@.lead_phones_type_of(tracked.disqualifications, retyped.name), -1)),
                          HINT = format('Run untrack_lead_phones(%L), and alter the tables by hand.', @extschema@.lead_phones_table_name(leads));
            END IF;
            FOREACH beside IN ARRAY ARRAY[tracked.counts, tracked.disqualifications] LOOP
                BEGIN
                    BEGIN
                        -- by the cast that the leads had: an explicit one would cut a text
                        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', beside, retyped.name, campaign_type);
                    EXCEPTION WHEN datatype_mismatch THEN
                        EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%4$s', beside, retyped.name, campaign_type,
                            format_type(campaign.atttypid, campaign.atttypmod));
                    END;
                EXCEPTION WHEN data_exception OR unique_violation THEN
                    RAISE EXCEPTION 'column "%" of table "%" cannot become %', retyped.name, beside, format_type(campaign.atttypid, campaign.atttypmod)
                        USING ERRCODE = SQLSTATE, DETAIL = SQLERRM || '.',
                              HINT = format('Run untrack_lead_phones(%L), and alter the tables by hand.', @extschema@.lead_phones_table_name(leads));
                END;
            END LOOP;
            is_rekeyed := true;
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_check_shape(leads);
    PERFORM @extschema@.lead_phones_check_region(tracked);
    -- of another type, a column can need another index; a backfill leaves them to its owner
    IF has_other_numbers AND (SELECT a.attnotnull FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = leads AND a.attname = tracked.phone_columns[1] || '_disqualified') THEN
        PERFORM @extschema@.lead_phones_create_indexes(tracked, m) FROM @extschema@.lead_phones_members(leads) AS m;
    END IF;
    -- The ledger must go on to mean the same leads: it was cast, and the leads computed.
    IF is_rekeyed AND is_read_anew THEN
        RAISE EXCEPTION 'campaigns and numbers of table "%" cannot be altered together', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Whether the campaigns are the same as before is seen by the numbers of their leads.',
                  HINT = format('Alter column %I in a statement of its own.', tracked.campaign_column);
    END IF;
    IF is_rekeyed AND EXISTS (SELECT FROM @extschema@.lead_phones_report_verify(leads, '{}'::jsonb)) THEN
        RAISE EXCEPTION 'campaigns of table "%" cannot be computed again', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and disqualifications are of the campaigns as they were, and not of those that USING makes.',
                  HINT = format('Run untrack_lead_phones(%L), and alter the tables by hand.', @extschema@.lead_phones_table_name(leads));
    END IF;
    IF is_read_anew THEN
        PERFORM @extschema@.lead_phones_recount(leads, '{}'::jsonb);
    END IF;
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_alter(regclass, jsonb) IS
    'internal: follows what ALTER TABLE did to a tracked table, or refuses it';

CREATE FUNCTION @extschema@.lead_phones_recount(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
BEGIN
    PERFORM @extschema@.rebuild_phone_counts(leads);
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount(regclass, jsonb) IS
    'internal: counts the leads of a tracked table again, where DDL has changed them';

CREATE FUNCTION @extschema@.lead_phones_after_ddl() RETURNS event_trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_follow_ddl_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_after_ddl() IS
    'event trigger: follows what DDL does to tracked tables and to those below them';

CREATE FUNCTION @extschema@.lead_phones_before_drop() RETURNS event_trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_before_drop_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_before_drop() IS
    'event trigger: takes partitions and heirs out of the counts of a tracked table before they are dropped';

CREATE FUNCTION @extschema@.lead_phones_after_drop() RETURNS event_trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_after_drop_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_after_drop() IS
    'event trigger: refuses to drop what a tracked table needs, and recounts what lost a partition';

CREATE EVENT TRIGGER lead_phones_after_ddl ON ddl_command_end
    -- other words than TABLE do for a table too, where it is renamed
    WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'ALTER FOREIGN TABLE', 'CREATE FOREIGN TABLE', 'CREATE SCHEMA', 'ALTER SCHEMA',
                 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER INDEX', 'ALTER SEQUENCE', 'ALTER TYPE')
    EXECUTE FUNCTION @extschema@.lead_phones_after_ddl();
COMMENT ON EVENT TRIGGER lead_phones_after_ddl IS 'keeps tracked tables exact when they, or those below them, are altered';

-- Of every command, so that the library is there, and its hook sees what is dropped.
CREATE EVENT TRIGGER lead_phones_before_drop ON ddl_command_start
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP DOMAIN', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE',
                 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP OPERATOR CLASS', 'DROP OPERATOR FAMILY', 'DROP COLLATION', 'DROP EXTENSION',
                 'DROP LANGUAGE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP ACCESS METHOD', 'ALTER TABLE')
    EXECUTE FUNCTION @extschema@.lead_phones_before_drop();
COMMENT ON EVENT TRIGGER lead_phones_before_drop IS 'keeps the counts of tracked tables exact when partitions are dropped, and watches what else goes';

CREATE EVENT TRIGGER lead_phones_after_drop ON sql_drop
    EXECUTE FUNCTION @extschema@.lead_phones_after_drop();
COMMENT ON EVENT TRIGGER lead_phones_after_drop IS 'keeps the counts and ledgers of tracked tables from being dropped';
