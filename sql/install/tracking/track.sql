-- Tracking a table, and ending it.

CREATE FUNCTION @extschema@.track_lead_phones(
    leads regclass,
    campaign_column name DEFAULT 'campaign_id',
    phone_columns name[] DEFAULT NULL,
    region text DEFAULT NULL,
    region_column text DEFAULT NULL,
    on_invalid text DEFAULT 'keep',
    backfill boolean DEFAULT true,
    count_at text DEFAULT 'read',
    in_place boolean DEFAULT true,
    keep_extensions boolean DEFAULT false,
    counts name DEFAULT NULL,
    disqualifications name DEFAULT NULL,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint,
    OUT unique_numbers bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    settings jsonb;
    tracked @extschema@.lead_phone_tables;
    campaign pg_catalog.pg_attribute;
    number_column name;
BEGIN
    settings := @extschema@.lead_phones_settings_for(leads, campaign_column, phone_columns, region, region_column, on_invalid, backfill, count_at,
        in_place, keep_extensions, counts, disqualifications);
    tracked := @extschema@.lead_phones_tracked_by(leads, settings);
    IF tracked.campaign_column IS NOT NULL THEN
        campaign := @extschema@.lead_phones_check_column(leads, tracked.campaign_column, 'campaign_column', 'campaign');
    END IF;
    PERFORM @extschema@.lead_phones_check_isolation();
    IF @extschema@.lead_phones_is_distributed(leads) THEN
        -- Citus reads no reference table after it has altered in parallel a table that references it; and what follows in the transaction is
        -- done by one connection to a node, which knows of the counts.
        PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
    END IF;
    IF backfill THEN
        PERFORM @extschema@.lead_phones_warn_of_lock(tracked);
    END IF;
    PERFORM @extschema@.lead_phones_create_tables(tracked, (settings ->> 'schema')::name, (settings ->> 'counts')::name, (settings ->> 'disqualifications')::name, campaign);
    PERFORM @extschema@.lead_phones_add_columns(tracked, backfill);
    -- at once the lock that dropping triggers takes
    EXECUTE format('LOCK TABLE %s IN %s MODE', leads, CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure) THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
    PERFORM @extschema@.lead_phones_create_suppressions(leads, (settings ->> 'schema')::name, (settings ->> 'suppressions')::name, (settings ->> 'suppressed')::name);
    tracked := @extschema@.lead_phones_tracked_by(leads, settings);
    PERFORM @extschema@.lead_phones_follow_row_security(tracked);
    PERFORM @extschema@.lead_phones_colocate(leads, tracked.counts, tracked.campaign_column),
            @extschema@.lead_phones_colocate(leads, tracked.disqualifications, tracked.campaign_column);

    PERFORM @extschema@.lead_phones_drop_triggers(m) FROM @extschema@.lead_phones_members(leads) AS m;
    IF backfill THEN
        -- before there are triggers, which would look at every row again
        PERFORM @extschema@.lead_phones_progress(leads, 'normalizing');
        SELECT f.total_leads, f.numbers_normalized, f.left_invalid INTO total_leads, numbers_normalized, left_invalid
          FROM @extschema@.lead_phones_normalize_rows(tracked, leads::text) AS f;
    END IF;
    PERFORM @extschema@.lead_phones_create_triggers(m,
                CASE WHEN m = leads THEN settings ELSE settings || '{"member": true}' END)
       FROM @extschema@.lead_phones_members(leads) AS m;
    IF NOT backfill THEN
        EXECUTE format('DELETE FROM %s AS c WHERE NOT c.disqualified', tracked.counts);
        EXECUTE format('UPDATE %s AS c SET lead_count = 0, %s WHERE c.lead_count <> 0', tracked.counts,
            @extschema@.lead_phones_each(tracked, '%3$I = 0', ', '));
        PERFORM @extschema@.lead_phones_apply_standing(tracked);
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_adopt(tracked);
    PERFORM @extschema@.lead_phones_progress(leads, 'counting');
    unique_numbers := @extschema@.lead_phones_count_rows(tracked);
    PERFORM @extschema@.lead_phones_progress(leads, 'marking');
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    -- where an earlier call left them to a backfill
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        IF NOT (SELECT a.attnotnull FROM pg_catalog.pg_attribute AS a
                 WHERE a.attrelid = leads AND a.attname = number_column || '_disqualified') THEN
            EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I SET DEFAULT false, ALTER COLUMN %2$I SET NOT NULL',
                leads, number_column || '_disqualified');
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_progress(leads, 'indexing');
    PERFORM @extschema@.lead_phones_create_indexes(tracked, m) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_progress(leads, NULL);
END
$function$;
COMMENT ON FUNCTION @extschema@.track_lead_phones(regclass, name, name[], text, text, text, boolean, text, boolean, boolean, name, name) IS
    'starts tracking a table: normalizes, counts and marks its numbers, now and at every write. Example: SELECT * FROM track_lead_phones(''customers'', campaign_column => NULL)';

CREATE FUNCTION @extschema@.untrack_lead_phones(leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    root regclass := @extschema@.lead_phones_root(leads);
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the tracked table.';
    END IF;
    IF root <> leads THEN
        RAISE EXCEPTION 'table "%" belongs to tracked table "%"', leads, root
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Its leads are counted with those of that table.',
                  HINT = format('Detach it, or run untrack_lead_phones(%L).', root);
    END IF;
    IF (SELECT sum(@extschema@.lead_phones_drop_triggers(m)) FROM @extschema@.lead_phones_members(leads) AS m) = 0 THEN
        RAISE NOTICE 'table "%" is not tracked', leads;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.untrack_lead_phones(regclass) IS
    'stops tracking a table; its data, counts and disqualifications are kept. Example: SELECT untrack_lead_phones(''donors'')';
