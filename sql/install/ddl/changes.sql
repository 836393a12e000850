-- What DDL changed: which tracked table it concerns, and whether it may.

CREATE FUNCTION @extschema@.lead_phones_missing(relation name, owner oid) RETURNS regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- of one owner: what a stranger's own trigger says is of no account
    SELECT t.tgrelid::regclass FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.tgrelid AND l.relowner = owner AND l.relkind IN ('r', 'p') AND l.relpersistence = 'p'
     CROSS JOIN LATERAL (SELECT @extschema@.lead_phones_settings(t.tgargs) OFFSET 0) AS s (settings)
     WHERE t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure
       AND t.tgname = 'zz_lead_phones_normalize_insert' AND t.tgparentid = 0
       AND relation::text IN (s.settings ->> 'counts', s.settings ->> 'disqualifications', s.settings ->> 'suppressions', s.settings ->> 'suppressed')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname = s.settings ->> 'schema' AND c.relname = relation AND c.relkind IN ('r', 'p'))
     UNION ALL
    -- the other ledger of lead tables
    SELECT l.oid::regclass FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.tgrelid AND l.relowner = owner AND l.relname = 'leads' AND l.relpersistence = 'p'
     WHERE relation IN ('lead_disqualifications', 'lead_disqualification_subjects') AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = l.relnamespace AND c.relname = relation AND c.relkind IN ('r', 'p'))
     LIMIT 1
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_missing(name, oid) IS
    'internal: a tracked table of an owner whose counts or ledger are of this name, and gone';

CREATE FUNCTION @extschema@.lead_phones_kept_for(relation regclass) RETURNS SETOF regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t.leads FROM @extschema@.lead_phone_tables AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.leads
      JOIN pg_catalog.pg_class AS c ON c.oid = relation AND c.relowner = l.relowner
     WHERE relation IN (t.counts, t.disqualifications, t.suppressions, t.suppressed)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_kept_for(regclass) IS
    'internal: the tracked table of which a table is the counts or the ledger';

CREATE FUNCTION @extschema@.lead_phones_untracked_settings(leads regclass) RETURNS @extschema@.lead_phone_tables
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t FROM @extschema@.lead_phone_tables AS t WHERE t.leads = lead_phones_untracked_settings.leads
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_untracked_settings(regclass) IS
    'internal: the settings of a tracked table, unchecked: DDL may just have made them wrong';

CREATE FUNCTION @extschema@.lead_phones_kept_of(tracked @extschema@.lead_phone_tables)
    RETURNS TABLE (number_column name, purpose text, column_name name)
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT n, k.* FROM unnest((tracked).phone_columns) AS n
     CROSS JOIN LATERAL @extschema@.lead_phones_kept_columns(n, (tracked).in_place, (tracked).keep_extensions) AS k
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_kept_of(@extschema@.lead_phone_tables) IS
    'internal: the columns that are kept beside the columns of numbers of a tracked table';

CREATE FUNCTION @extschema@.lead_phones_reads_regions(relation regclass, column_name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- by its name: the column is gone, or has another one, by now
    RETURN (
        SELECT r FROM pg_catalog.pg_constraint AS c
         CROSS JOIN LATERAL @extschema@.lead_phones_root(c.conrelid::regclass) AS r
         CROSS JOIN LATERAL @extschema@.lead_phones_untracked_settings(r) AS t
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = t.region_column AND c.conkey = ARRAY[a.attnum]
         WHERE c.confrelid = relation AND c.contype = 'f' AND t.region_code = coalesce(lead_phones_reads_regions.column_name, t.region_code)
           -- of one owner: what a stranger's own trigger says is of no account
           AND (SELECT k.relowner FROM pg_catalog.pg_class AS k WHERE k.oid = r) = (SELECT k.relowner FROM pg_catalog.pg_class AS k WHERE k.oid = relation)
         LIMIT 1);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_reads_regions(regclass, name) IS
    'internal: a tracked table that references a table, and reads regions in a column of it';

CREATE FUNCTION @extschema@.lead_phones_check_path(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    root constant regclass := @extschema@.lead_phones_root(relation);
    tracked constant @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(root);
BEGIN
    IF tracked.region_code IS NOT NULL AND (SELECT r.relation IS NULL FROM @extschema@.lead_phones_region_table(tracked) AS r)
       AND EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS l ON l.oid = root AND l.relowner = c.relowner WHERE c.oid = tracked.counts) THEN
        RAISE EXCEPTION 'the foreign key on column "%" of table "%" cannot be dropped', tracked.region_column, root
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('The table is tracked with it: by region_column => ''%s.%s''.', tracked.region_column, tracked.region_code),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_path(regclass) IS
    'internal: an error where a table lost a foreign key by which it is tracked';

CREATE FUNCTION @extschema@.lead_phones_check_dropped(relation regclass, dropped name) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    root regclass;
BEGIN
    -- by its name: another column of that name may be there by now
    SELECT t.r INTO root
      FROM (SELECT r, r AS of_table FROM @extschema@.lead_phones_roots(relation) AS r
             UNION ALL SELECT k, relation FROM @extschema@.lead_phones_kept_for(relation) AS k) AS t (r, of_table)
     CROSS JOIN LATERAL @extschema@.lead_phones_columns_of(@extschema@.lead_phones_untracked_settings(t.r)) AS w
     WHERE w.relation = t.of_table AND w.column_name = dropped
     LIMIT 1;
    root := coalesce(root, @extschema@.lead_phones_reads_regions(relation, dropped::name));
    IF root IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be dropped', dropped, relation
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('Table "%s" is tracked with it.', root),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    IF @extschema@.lead_phones_has_node(relation) AND @extschema@.lead_phones_lost_a_column(relation) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be dropped', dropped, relation
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Citus distributes the lead tables, and creates the shards that it moves without it: the columns after it would be in other places.',
                  HINT = 'Set it to NULL, and leave it there.';
    END IF;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_dropped(regclass, name) IS
    'internal: an error where a table that lost a column is, or serves, a tracked one that needs it';

CREATE FUNCTION @extschema@.lead_phones_altered_root(relation regclass, computed text[]) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kept_for constant regclass := (SELECT k FROM @extschema@.lead_phones_kept_for(relation) AS k LIMIT 1);
    root constant regclass := coalesce(kept_for, @extschema@.lead_phones_root(relation));
    tracked constant @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(root);
    kept name;
BEGIN
    PERFORM @extschema@.lead_phones_check_region(@extschema@.lead_phones_untracked_settings(r))
       FROM @extschema@.lead_phones_reads_regions(relation, NULL::name) AS r WHERE r IS NOT NULL;
    -- USING says what the values become: of what lead_phones keeps, nobody does.
    kept := (SELECT w.column_name FROM @extschema@.lead_phones_columns_of(tracked) AS w
              WHERE w.column_name::text = ANY (computed)
                AND (kept_for IS NOT NULL AND w.relation = lead_phones_altered_root.relation
                     OR kept_for IS NULL AND w.relation = tracked.leads AND w.column_name IN (SELECT k.column_name FROM @extschema@.lead_phones_kept_of(tracked) AS k))
              LIMIT 1);
    IF kept IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be computed', kept, relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('What it says is kept by lead_phones, for tracked table "%s".', root),
                  HINT = format('Leave out USING, or run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    IF kept_for IS NULL THEN
        RETURN root;
    END IF;
    IF relation = tracked.counts AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = relation AND i.indisprimary AND i.indnatts = num_nonnulls(tracked.campaign_column, 'phone')) THEN
        RAISE EXCEPTION 'table "%" needs its primary key', relation
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('The triggers of tracked table "%s" write counts by it.', root),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    IF (SELECT c.relpersistence FROM pg_catalog.pg_class AS c WHERE c.oid = relation) <> 'p' THEN
        RAISE EXCEPTION 'table "%" cannot be unlogged', relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Tracked table "%s" needs it after a crash too.', root),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    PERFORM @extschema@.lead_phones_check_shape(root);
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_altered_root(regclass, text[]) IS
    'internal: the tracked table that an altered table is or belongs to; an error where it is counts or ledger, and no longer serves';

CREATE FUNCTION @extschema@.lead_phones_check_shape(leads regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing record;
BEGIN
    SELECT m.relation, m.column_name INTO missing
      FROM @extschema@.lead_phones_missing_column(@extschema@.lead_phones_untracked_settings(leads)) AS m WHERE m.relation IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be of that type', missing.column_name, missing.relation
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('Table "%s" is tracked with it.', leads),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(leads));
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_shape(regclass) IS
    'internal: an error where a column of a tracked table, its counts or its ledger is of a type that it cannot have';

CREATE FUNCTION @extschema@.lead_phones_renamed_root(relation regclass, old_name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kept_for regclass := (SELECT k FROM @extschema@.lead_phones_kept_for(relation) AS k LIMIT 1);
    reads_regions constant regclass := @extschema@.lead_phones_reads_regions(relation, old_name);
    tracked @extschema@.lead_phone_tables;
BEGIN
    tracked := @extschema@.lead_phones_untracked_settings(coalesce(kept_for, reads_regions, @extschema@.lead_phones_root(relation)));
    IF kept_for IS NOT NULL AND EXISTS (SELECT FROM @extschema@.lead_phones_columns_of(tracked) AS w
                                         WHERE w.relation = lead_phones_renamed_root.relation AND w.column_name = old_name)
       OR reads_regions IS NOT NULL
       OR kept_for IS NULL AND old_name IN (SELECT k.column_name FROM @extschema@.lead_phones_kept_of(tracked) AS k) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be renamed', old_name, relation
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('Table "%s" is tracked with it, by that name.', tracked.leads),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(tracked.leads));
    END IF;
    IF kept_for IS NULL AND old_name = ANY (tracked.phone_columns || tracked.campaign_column || tracked.region_column) THEN
        IF @extschema@.lead_phones_beside(tracked.leads, 'lead_disqualifications'::name) IS NOT NULL THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be renamed', old_name, relation
                USING ERRCODE = 'dependent_objects_still_exist', DETAIL = 'The tables that create_lead_tables() creates keep their columns.',
                      HINT = 'Give it another name in a view.';
        END IF;
        RETURN tracked.leads;
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_renamed_root(regclass, name) IS
    'internal: the tracked table of which a tracked column was renamed; an error where it must not be';

CREATE FUNCTION @extschema@.lead_phones_roots_in(old_schema name, new_schema name) RETURNS SETOF regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t.tgrelid::regclass FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.tgrelid
     CROSS JOIN LATERAL (SELECT @extschema@.lead_phones_settings(t.tgargs) OFFSET 0) AS s (settings)
     WHERE t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure
       AND t.tgname = 'zz_lead_phones_normalize_insert' AND t.tgparentid = 0
       AND NOT (s.settings ->> 'member')::boolean AND s.settings ->> 'schema' = old_schema::text
       -- of one owner: what a stranger's own trigger says is of no account
       AND EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE n.nspname = new_schema AND c.relname = s.settings ->> 'counts' AND c.relowner = l.relowner)
     ORDER BY t.tgrelid
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_roots_in(name, name) IS
    'internal: the tracked tables whose counts are in a schema that was renamed';
