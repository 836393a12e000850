-- Triggers, indexes and policies that tracking creates.

CREATE FUNCTION @extschema@.lead_phones_drop_triggers(leads regclass) RETURNS integer
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    trigger_name name;
    dropped integer := 0;
BEGIN
    PERFORM @extschema@.lead_phones_allow_triggers(leads);
    -- DROP TRIGGER locks the trigger, then the table, and of two one would not end well.
    IF NOT @extschema@.lead_phones_is_distributed(leads) AND (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_catalog.pg_class AS c WHERE c.oid = leads) THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', leads);
    END IF;
    FOR trigger_name IN
        SELECT t.tgname FROM pg_catalog.pg_trigger AS t
         WHERE t.tgrelid = leads AND t.tgparentid = 0
           AND t.tgfoid IN ('@extschema@.lead_phones_normalize()'::regprocedure,
                            '@extschema@.lead_phones_count()'::regprocedure)
         ORDER BY t.tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, leads);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_drop_triggers(regclass) IS
    'internal: drops the triggers of lead_phones from a table';

CREATE FUNCTION @extschema@.lead_phones_create_triggers(leads regclass, settings jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    arguments text;
BEGIN
    PERFORM @extschema@.lead_phones_allow_triggers(leads);
    -- what is not said has its default, but for the columns of numbers: one argument for each
    SELECT string_agg(quote_literal(k.key || '=' || coalesce(c.name, settings ->> k.key)), ', ' ORDER BY k.place, c.place) INTO arguments
      FROM unnest('{campaign_column,phone_column,region,region_column,region_code,on_invalid,in_place,keep_extensions,count_at,
                    schema,counts,disqualifications,suppressions,suppressed,member}'::text[]) WITH ORDINALITY AS k (key, place)
      LEFT JOIN jsonb_array_elements_text(settings -> 'phone_columns') WITH ORDINALITY AS c (name, place) ON k.key = 'phone_column'
     WHERE coalesce(c.name, settings ->> k.key) IS NOT NULL AND (k.key, settings ->> k.key) IS DISTINCT FROM ('member', 'false');
    -- BEFORE ROW triggers fire by name: "zz", so that what the application's own triggers write is normalized too.
    -- A partition has them from its partitioned table.
    -- No WHEN clause and no list of columns: Postgres would tie the columns to it, and let nobody alter their types.
    IF NOT (SELECT c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = leads) THEN
        EXECUTE format('CREATE OR REPLACE TRIGGER zz_lead_phones_normalize_insert BEFORE INSERT ON %s FOR EACH ROW
                        EXECUTE FUNCTION @extschema@.lead_phones_normalize(%s)', leads, arguments);
        EXECUTE format('CREATE OR REPLACE TRIGGER zz_lead_phones_normalize_update BEFORE UPDATE ON %s FOR EACH ROW
                        EXECUTE FUNCTION @extschema@.lead_phones_normalize(%s)', leads, arguments);
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_insert AFTER INSERT ON %s
                    REFERENCING NEW TABLE AS new_leads FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_update AFTER UPDATE ON %s
                    REFERENCING OLD TABLE AS old_leads NEW TABLE AS new_leads FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_delete AFTER DELETE ON %s
                    REFERENCING OLD TABLE AS old_leads FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_triggers(regclass, jsonb) IS
    'internal: creates the triggers of lead_phones on a table';

CREATE FUNCTION @extschema@.lead_phones_has_index(tracked @extschema@.lead_phone_tables, member regclass, number_column name) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    keyed constant name := CASE WHEN tracked.in_place THEN number_column ELSE number_column || '_e164' END;
    is_plain constant boolean := @extschema@.lead_phones_stored(tracked, number_column) = format('l.%I', keyed);
    place constant int := CASE WHEN tracked.campaign_column IS NULL THEN 0 ELSE 1 END;
BEGIN
    -- A partition has it from its partitioned table.
    RETURN (SELECT c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = member) OR EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
          JOIN pg_catalog.pg_attribute AS n ON n.attrelid = member AND n.attname = keyed
         WHERE i.indrelid = member AND i.indisvalid AND i.indpred IS NULL AND i.indcollation[place] = n.attcollation
           AND (place = 0 OR i.indkey[0] = (SELECT a.attnum FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = member AND a.attname = tracked.campaign_column))
           AND CASE WHEN is_plain THEN i.indkey[place] = n.attnum
                    ELSE i.indkey[place] = 0 AND pg_get_indexdef(i.indexrelid, place + 1, false) IN (format('(%I)::text', keyed), format('((%I)::text)', keyed)) END);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_has_index(@extschema@.lead_phone_tables, regclass, name) IS
    'internal: whether a table has an index on campaign and number';

CREATE FUNCTION @extschema@.lead_phones_index_columns(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    stored constant text := substr(@extschema@.lead_phones_stored(tracked, number_column), 3);
BEGIN
    RETURN concat_ws(', ', quote_ident(tracked.campaign_column), CASE WHEN stored LIKE '%::pg\_catalog.text' THEN format('(%s)', stored) ELSE stored END);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_index_columns(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the columns of the index on campaign and number';

CREATE FUNCTION @extschema@.lead_phones_create_indexes(tracked @extschema@.lead_phone_tables, member regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    number_column name;
BEGIN
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        IF NOT @extschema@.lead_phones_has_index(tracked, member, number_column) THEN
            EXECUTE format('CREATE INDEX ON %s (%s)', member, @extschema@.lead_phones_index_columns(tracked, number_column));
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_indexes(@extschema@.lead_phone_tables, regclass) IS
    'internal: creates the indexes on campaign and number, where there are none';

CREATE FUNCTION @extschema@.lead_phones_progress(leads regclass, doing text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    own_name constant text := coalesce(current_setting('lead_phones.application_name', true), '');
    message text := format('lead_phones: %s %s', doing, leads);
BEGIN
    -- The name that the session had comes back when there is nothing more to do.
    IF doing IS NULL THEN
        IF own_name <> '' THEN
            PERFORM set_config('application_name', substr(own_name, 2), true),
                    set_config('lead_phones.application_name', '', true);
        END IF;
    -- What takes no time needs no telling.
    ELSIF (SELECT sum(pg_relation_size(m)) FROM @extschema@.lead_phones_members(leads) AS m) > 64 * 1024 * 1024 THEN
        IF own_name = '' THEN
            PERFORM set_config('lead_phones.application_name', '=' || current_setting('application_name'), true);
        END IF;
        PERFORM set_config('application_name', left(message, 63), true);
        RAISE NOTICE '%', message;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_progress(regclass, text) IS
    'internal: says what a long call is at, in a NOTICE and in pg_stat_activity.application_name';

CREATE FUNCTION @extschema@.lead_phones_follow_row_security(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beside regclass;
BEGIN
    IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.leads) THEN
        RETURN;
    END IF;
    FOREACH beside IN ARRAY array_remove(ARRAY[tracked.counts, tracked.disqualifications, tracked.suppressions, tracked.suppressed], NULL) LOOP
        IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = beside) THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', beside);
            RAISE NOTICE 'table "%" has row-level security now, as the leads have', beside
                USING DETAIL = 'Its owner alone sees rows of it.',
                      HINT = 'Create a policy that follows that of the leads: see docs/security.md.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_follow_row_security(@extschema@.lead_phone_tables) IS
    'internal: closes counts and ledger by row-level security, where the leads have it';
