-- The settings of a tracked table, from the arguments of track_lead_phones().

CREATE FUNCTION @extschema@.lead_phones_tracked_by(leads regclass, settings jsonb) RETURNS @extschema@.lead_phone_tables
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    schema constant name := settings ->> 'schema';
BEGIN
    tracked := jsonb_populate_record(tracked, settings - '{counts,disqualifications,suppressions,suppressed}'::text[]);
    tracked.leads := leads;
    tracked.phone_column := tracked.phone_columns[1];
    tracked.mobile_column := tracked.phone_columns[2];
    tracked.counts := to_regclass(format('%I.%I', schema, settings ->> 'counts'));
    tracked.disqualifications := to_regclass(format('%I.%I', schema, settings ->> 'disqualifications'));
    tracked.suppressions := to_regclass(format('%I.%I', schema, settings ->> 'suppressions'));
    tracked.suppressed := to_regclass(format('%I.%I', schema, settings ->> 'suppressed'));
    RETURN tracked;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_tracked_by(regclass, jsonb) IS
    'internal: a table as lead_phone_tables will show it, once it is tracked by these settings';

CREATE FUNCTION @extschema@.lead_phones_settings_for(
    leads regclass, campaign_column name, phone_columns name[], region text, region_column text, on_invalid text, backfill boolean, count_at text,
    in_place boolean, keep_extensions boolean, counts name, disqualifications name) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    settings jsonb;
    current_settings jsonb;
    region_code name;
BEGIN
    PERFORM @extschema@.lead_phones_check_options(leads, region, on_invalid, backfill, count_at, in_place, keep_extensions);
    PERFORM @extschema@.lead_phones_check_table(leads);
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
        RAISE EXCEPTION 'table "%" belongs to lead tables, and cannot be tracked', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Its values stay as they were uploaded. The numbers of lead tables are tracked in contacts.',
                  HINT = 'Nothing is left to do: create_lead_tables() has tracked contacts.';
    END IF;
    IF phone_columns IS NULL THEN
        phone_columns := ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = leads AND a.attname IN ('phone', 'mobile') AND NOT a.attisdropped ORDER BY a.attname = 'mobile');
    END IF;
    PERFORM @extschema@.lead_phones_check_columns(leads, campaign_column, phone_columns, on_invalid, in_place);
    PERFORM @extschema@.lead_phones_check_names(leads, campaign_column, phone_columns, in_place, keep_extensions);
    IF region_column IS NOT NULL THEN
        -- A column can have a dot in its name.
        IF strpos(region_column, '.') > 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = leads AND a.attname::text = region_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
            region_code := substr(region_column, strpos(region_column, '.') + 1);
            region_column := split_part(region_column, '.', 1);
        END IF;
        PERFORM @extschema@.lead_phones_check_column(leads, region_column::name, 'region_column', CASE WHEN region_code IS NULL THEN 'text' ELSE 'reference' END);
        IF region_column = ANY (phone_columns) THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be the region and a number', region_column, leads
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the column of regions, or leave region_column out.';
        END IF;
    END IF;
    SELECT @extschema@.lead_phones_settings(g.tgargs) - '{phone_column,mobile_column}'::text[] INTO current_settings
      FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.leads AND g.tgname = 'zz_lead_phones_normalize_insert'
     WHERE t.leads = lead_phones_settings_for.leads;
    settings := jsonb_build_object(
        'campaign_column', campaign_column, 'phone_columns', phone_columns,
        'region', coalesce(upper(region), CASE WHEN region_code IS NULL THEN 'US' ELSE 'ZZ' END), 'region_column', region_column, 'region_code', region_code,
        'on_invalid', on_invalid, 'in_place', in_place, 'keep_extensions', keep_extensions, 'count_at', count_at,
        'member', false) || @extschema@.lead_phones_names_for(leads, campaign_column, counts, disqualifications, current_settings);
    -- What create_lead_tables() created reads these columns.
    IF @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name) IS NOT NULL AND @extschema@.lead_phones_beside(leads, 'lead_uploads'::name) IS NOT NULL
       AND (campaign_column IS DISTINCT FROM 'campaign_id' OR phone_columns <> '{phone,mobile}' OR NOT in_place OR region_code IS NOT NULL
            OR region_column IS DISTINCT FROM 'region' OR NOT keep_extensions OR on_invalid <> 'keep') THEN
        RAISE EXCEPTION 'table "%" belongs to lead tables, and cannot be tracked so', leads
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Their functions read column campaign_id, numbers and extensions of columns phone and mobile, and the region of each contact.',
                  HINT = format('Run track_lead_phones(%L, region_column => ''region'', keep_extensions => true).', @extschema@.lead_phones_table_name(leads));
    END IF;
    IF current_settings <> settings THEN
        RAISE EXCEPTION 'table "%" is tracked already, with other settings', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It is tracked with %s.', (
                      SELECT string_agg(format('%s %s', k.key, coalesce(current_settings ->> k.key, 'NULL')), ', ' ORDER BY k.place)
                        FROM jsonb_object_keys(settings) WITH ORDINALITY AS k (key, place)
                       WHERE current_settings -> k.key <> settings -> k.key)),
                  HINT = format('Run untrack_lead_phones(%L) first; data and disqualifications stay.', leads);
    END IF;
    PERFORM @extschema@.lead_phones_check_region(@extschema@.lead_phones_tracked_by(leads, settings));
    PERFORM @extschema@.lead_phones_check_detached(leads);
    PERFORM @extschema@.lead_phones_check_member(leads, m, settings) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_check_citus(leads, campaign_column);
    IF NOT backfill AND @extschema@.lead_phones_is_distributed(leads) THEN
        RAISE EXCEPTION 'cannot track "%" with backfill => false: Citus distributes it', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Batches lock rows that have no mark yet, and Citus locks rows of one shard alone.',
                  HINT = 'Leave it out: the leads are normalized and counted on their shards, all at once.';
    END IF;
    PERFORM @extschema@.lead_phones_check_unowned(leads, settings);
    RETURN settings;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_settings_for(
    regclass, name, name[], text, text, text, boolean, text, boolean, boolean, name, name) IS
    'internal: the settings of a table that is to be tracked; an error where it cannot';

CREATE FUNCTION @extschema@.lead_phones_check_region_code(region text) RETURNS void
    IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF upper(btrim(region)) <> 'ZZ' AND @extschema@.phone_problem('123', region) = 'unknown_region' THEN
        RAISE EXCEPTION 'region "%" does not exist', left(region, 64)
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The phone metadata knows no such region.',
                  HINT = 'Use a code of ISO 3166-1 alpha-2, such as US or GB, or ZZ for none.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_region_code(text) IS
    'internal: an error where a region is named that there is not';

CREATE FUNCTION @extschema@.lead_phones_check_options(
    leads regclass, region text, on_invalid text, backfill boolean, count_at text, in_place boolean, keep_extensions boolean) RETURNS void
    IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL OR on_invalid IS NULL OR backfill IS NULL OR count_at IS NULL OR in_place IS NULL OR keep_extensions IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN leads IS NULL THEN 'leads'
                WHEN on_invalid IS NULL THEN 'on_invalid'
                WHEN backfill IS NULL THEN 'backfill'
                WHEN count_at IS NULL THEN 'count_at'
                WHEN in_place IS NULL THEN 'in_place'
                ELSE 'keep_extensions' END
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = CASE WHEN leads IS NULL THEN 'Name the table that holds the leads.' ELSE 'Leave it out for its default.' END;
    END IF;
    PERFORM @extschema@.lead_phones_check_region_code(region);
    IF on_invalid NOT IN ('keep', 'null', 'reject') THEN
        RAISE EXCEPTION 'on_invalid cannot be "%"', on_invalid
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use keep, null or reject.';
    END IF;
    IF on_invalid = 'null' AND NOT in_place THEN
        RAISE EXCEPTION 'on_invalid cannot be "null" with in_place => false'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The columns of the application stay as they are.', HINT = 'Use keep or reject.';
    END IF;
    IF count_at NOT IN ('read', 'commit') THEN
        RAISE EXCEPTION 'count_at cannot be "%"', count_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use read or commit.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_options(regclass, text, text, boolean, text, boolean, boolean) IS
    'internal: an error where an argument of track_lead_phones() is none, whatever the table';

CREATE FUNCTION @extschema@.lead_phones_check_columns(leads regclass, campaign_column name, phone_columns name[], on_invalid text, in_place boolean) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    number_column name;
BEGIN
    IF array_ndims(phone_columns) > 1 THEN
        RAISE EXCEPTION 'phone_columns must be a list of names'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is an array of %s dimensions: %s.', array_ndims(phone_columns), phone_columns),
                  HINT = format('Write phone_columns => %L.', ARRAY(SELECT unnest(phone_columns)));
    END IF;
    IF cardinality(phone_columns) NOT BETWEEN 1 AND 8 OR array_position(phone_columns, NULL) IS NOT NULL
       OR cardinality(phone_columns) <> (SELECT count(DISTINCT n) FROM unnest(phone_columns) AS n)
       OR campaign_column IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = leads AND a.attname = campaign_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
        PERFORM @extschema@.lead_phones_suggest(leads, campaign_column, phone_columns);
    END IF;
    IF campaign_column IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_check_column(leads, campaign_column, 'campaign_column', 'campaign');
    END IF;
    FOREACH number_column IN ARRAY phone_columns LOOP
        PERFORM @extschema@.lead_phones_check_column(leads, number_column, 'phone_columns', CASE WHEN in_place THEN 'text' ELSE 'number' END);
        IF on_invalid = 'null' AND (
            WITH RECURSIVE types (oid, is_not_null) AS (
                SELECT a.atttypid, a.attnotnull FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = leads AND a.attname = number_column
                 UNION ALL SELECT t.typbasetype, t.typnotnull FROM types AS d JOIN pg_catalog.pg_type AS t ON t.oid = d.oid AND t.typtype = 'd')
            SELECT bool_or(t.is_not_null) FROM types AS t) THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be NULL', number_column, leads
                USING ERRCODE = 'not_null_violation', DETAIL = 'With on_invalid => ''null'', what is no valid number becomes NULL.',
                      HINT = 'Use keep or reject.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_columns(regclass, name, name[], text, boolean) IS
    'internal: an error where a table cannot be tracked by these columns';

CREATE FUNCTION @extschema@.lead_phones_names_for(
    leads regclass, campaign_column name, counts name, disqualifications name, current_settings jsonb) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    own_counts constant regclass := @extschema@.lead_phones_own(leads, 'counts');
    own_ledger constant regclass := @extschema@.lead_phones_own(leads, 'disqualifications');
    -- the table may have been moved since it was tracked
    schema constant name := coalesce(current_settings ->> 'schema',
        (SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = coalesce(own_ledger, leads)));
    is_first boolean;
    names jsonb;
BEGIN
    IF current_settings IS NULL AND own_ledger IS NOT NULL AND disqualifications <> (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = own_ledger) THEN
        RAISE EXCEPTION 'the disqualifications of table "%" are in "%"', leads, own_ledger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'An earlier tracking has left them, and their disqualifications hold.',
                  HINT = format('Leave out disqualifications, or run ALTER TABLE %s RENAME TO %I before.', own_ledger, disqualifications);
    END IF;
    is_first := NOT EXISTS (
        SELECT FROM unnest('{campaign_phone_counts,campaign_phone_disqualifications}'::name[]) AS n (name)
         CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', schema, n.name)) AS relation) AS r
         CROSS JOIN LATERAL @extschema@.lead_phones_of(r.relation) AS o
         WHERE o.leads <> lead_phones_names_for.leads
            -- what a table that is gone has left, if its campaigns are the same
            OR EXISTS (SELECT FROM pg_catalog.pg_index AS i
                        WHERE i.indrelid = r.relation AND i.indisprimary AND o.leads IS DISTINCT FROM lead_phones_names_for.leads
                          AND (i.indnatts <> num_nonnulls(campaign_column, 'phone', CASE n.name WHEN 'campaign_phone_disqualifications' THEN 'entry' END)
                               OR campaign_column IS NOT NULL AND @extschema@.lead_phones_type_of(i.indrelid, campaign_column)
                                  IS DISTINCT FROM @extschema@.lead_phones_type_of(lead_phones_names_for.leads, campaign_column))));
    counts := coalesce(counts, current_settings ->> 'counts', @extschema@.lead_phones_name_in(own_counts, schema),
        CASE WHEN is_first THEN 'campaign_phone_counts' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_counts') END);
    disqualifications := coalesce(disqualifications, current_settings ->> 'disqualifications', @extschema@.lead_phones_name_in(own_ledger, schema),
        CASE WHEN is_first THEN 'campaign_phone_disqualifications' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_disqualifications') END);
    -- those of every campaign: what is in force already, and else as the ledger is called
    is_first := disqualifications = 'campaign_phone_disqualifications';
    names := jsonb_build_object(
        'schema', schema, 'counts', counts, 'disqualifications', disqualifications,
        'suppressions', coalesce(current_settings ->> 'suppressions', @extschema@.lead_phones_name_in(@extschema@.lead_phones_own(leads, 'suppressions'), schema),
            CASE WHEN is_first THEN 'phone_suppressions' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_suppressions') END),
        'suppressed', coalesce(current_settings ->> 'suppressed', @extschema@.lead_phones_name_in(@extschema@.lead_phones_own(leads, 'suppressed'), schema),
            CASE WHEN is_first THEN 'suppressed_phones' ELSE @extschema@.lead_phones_name_beside(leads, '_suppressed_phones') END));
    IF EXISTS (SELECT FROM jsonb_each_text(names) AS s WHERE s.key <> 'schema' GROUP BY s.value
                HAVING count(*) > 1 OR s.value IN ('', (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = leads))) THEN
        RAISE EXCEPTION 'counts "%" and disqualifications "%" cannot be called so', names ->> 'counts', names ->> 'disqualifications'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Beside table "%s" there are also "%s" and "%s", and all have different names.', leads, names ->> 'suppressions', names ->> 'suppressed'),
                  HINT = 'Name others, or leave them out.';
    END IF;
    RETURN names;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_names_for(regclass, name, name, name, jsonb) IS
    'internal: the schema and the names of the counts and ledgers of a table that is to be tracked';

CREATE FUNCTION @extschema@.lead_phones_name_in(relation regclass, schema name) RETURNS name
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation AND n.nspname = schema
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_name_in(regclass, name) IS
    'internal: the name of a table, if it is in the schema';

CREATE FUNCTION @extschema@.lead_phones_check_unowned(leads regclass, settings jsonb) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    other record;
BEGIN
    SELECT c.oid::regclass AS relation, coalesce(t.leads, o.leads) AS leads INTO other
      FROM unnest('{counts,disqualifications,suppressions,suppressed}'::text[]) AS k (purpose)
      JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass(format('%I.%I', settings ->> 'schema', settings ->> k.purpose))
     CROSS JOIN LATERAL @extschema@.lead_phones_of(c.oid::regclass) AS o
      LEFT JOIN (SELECT t.*, l.relowner FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS l ON l.oid = t.leads) AS t
        ON c.oid IN (t.counts, t.disqualifications) AND t.relowner = c.relowner AND t.leads <> lead_phones_check_unowned.leads
     WHERE t.leads IS NOT NULL OR o.leads <> lead_phones_check_unowned.leads
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" is that of another leads table: "%"', other.relation, other.leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and ledgers are of one table, also while that is not tracked.',
                  HINT = format('Name others with counts => ''...'' and disqualifications => ''...'', or leave these out; or run COMMENT ON TABLE %s IS NULL, if it is to be taken over.', other.relation);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_unowned(regclass, jsonb) IS
    'internal: an error where counts or ledgers are those of another table';

CREATE FUNCTION @extschema@.lead_phones_name_beside(leads regclass, ending text) RETURNS name
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beside constant text := (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = leads) || ending;
BEGIN
    IF octet_length(beside) > 63 THEN
        RAISE EXCEPTION 'the name of table "%" is too long', leads
            USING ERRCODE = 'name_too_long',
                  DETAIL = format('One of the tables that are kept beside it would be called after it, with %s at the end.', ending),
                  HINT = 'Rename it to at most 39 bytes.';
    END IF;
    RETURN beside;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_name_beside(regclass, text) IS
    'internal: the name of a table that is called after a leads table';

CREATE FUNCTION @extschema@.lead_phones_suggest(leads regclass, campaign_column name, phone_columns name[]) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    columns constant text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped);
    has_campaign constant boolean := EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = leads AND a.attname = campaign_column AND a.attnum > 0 AND NOT a.attisdropped);
    -- by their names
    numbers name[];
    call text;
BEGIN
    SELECT array_agg(a.attname ORDER BY a.attnum) INTO numbers FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND @extschema@.lead_phones_admits(@extschema@.lead_phones_base_type_of(a.atttypid), 'number')
       AND a.attname ~* '(phone|mobile|cell|tel(efon|$|_)|^fax|_fax)' AND a.attname !~ '_(e164|extension|count|disqualified)$';
    IF cardinality(phone_columns) BETWEEN 1 AND 8 AND array_position(phone_columns, NULL) IS NULL
       AND cardinality(phone_columns) = (SELECT count(DISTINCT n) FROM unnest(phone_columns) AS n)
       AND NOT EXISTS (SELECT FROM unnest(phone_columns) AS n WHERE n NOT IN (SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = leads)) THEN
        numbers := phone_columns;
    END IF;
    call := format('SELECT * FROM track_lead_phones(%s)', concat_ws(', ', quote_literal(leads),
        CASE WHEN campaign_column IS NULL OR NOT has_campaign THEN 'campaign_column => NULL'
             WHEN campaign_column <> 'campaign_id' THEN format('campaign_column => %L', campaign_column) END,
        CASE WHEN numbers IS DISTINCT FROM '{phone,mobile}' THEN format('phone_columns => %L', coalesce(numbers[1:8]::text, '{...}')) END,
        CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute AS a CROSS JOIN LATERAL @extschema@.lead_phones_base_type(a.atttypid, a.atttypmod) AS b
                           WHERE a.attrelid = leads AND a.attname = ANY (numbers[1:8])
                             AND (b.type_modifier - 4 BETWEEN 0 AND 15 OR NOT @extschema@.lead_phones_admits(b.base_type, 'text'))) THEN 'in_place => false' END));
    IF campaign_column IS NOT NULL AND NOT has_campaign THEN
        RAISE EXCEPTION 'table "%" has no column "%"', leads, campaign_column
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('The column is named by campaign_column. The table has %s.', columns),
                  HINT = format('Without campaigns, the whole table is one: %s. Or name another column with campaign_column => ''...''.', call);
    END IF;
    RAISE EXCEPTION '%', CASE
            WHEN cardinality(phone_columns) = 0 THEN format('table "%s" has no column "phone" or "mobile"', leads)
            WHEN cardinality(phone_columns) > 8 THEN format('%s columns of numbers are too many', cardinality(phone_columns))
            ELSE 'phone_columns names a column twice, or NULL' END
        USING ERRCODE = CASE WHEN cardinality(phone_columns) = 0 THEN 'undefined_column' ELSE 'invalid_parameter_value' END,
              DETAIL = format('A table is tracked by one to eight columns of numbers. The table has %s.', columns),
              HINT = format('Name them: %s.', call);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_suggest(regclass, name, name[]) IS
    'internal: an error that names the call by which a table can be tracked';
