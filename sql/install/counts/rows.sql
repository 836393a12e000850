-- Reading the rows of a tracked table: regions, numbers, recounts.

CREATE FUNCTION @extschema@.lead_phones_collate(collation_id oid) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN coalesce((SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation AS c
                       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace WHERE c.oid = collation_id), '');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_collate(oid) IS
    'internal: the clause that names a collation; empty where there is none';

CREATE FUNCTION @extschema@.lead_phones_region_table(
    tracked @extschema@.lead_phone_tables, OUT relation regclass, OUT key_column name, OUT operator text, OUT key_collation oid)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- as in src/triggers/region.rs
    SELECT c.confrelid, k.attname, format('OPERATOR(%I.%s)', n.nspname, o.oprname), k.attcollation INTO relation, key_column, operator, key_collation
      FROM pg_catalog.pg_constraint AS c
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = tracked.region_column AND c.conkey = ARRAY[a.attnum]
      JOIN pg_catalog.pg_attribute AS k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1]
      JOIN pg_catalog.pg_attribute AS r ON r.attrelid = c.confrelid AND r.attname = tracked.region_code AND r.attnum > 0 AND NOT r.attisdropped
      JOIN pg_catalog.pg_operator AS o ON o.oid = c.conpfeqop[1]
      JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
     WHERE c.conrelid = tracked.leads AND c.contype = 'f'
       AND @extschema@.lead_phones_admits(@extschema@.lead_phones_base_type_of(r.atttypid), 'text')
       -- A key to a partitioned table is one to each partition as well.
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS w WHERE w.oid = c.conparentid AND w.conrelid = c.conrelid)
     ORDER BY c.conname LIMIT 1;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_region_table(@extschema@.lead_phone_tables) IS
    'internal: the table of regions that a tracked table references, its key and how that is compared; NULL where there is none';

CREATE FUNCTION @extschema@.lead_phones_check_region(tracked @extschema@.lead_phone_tables) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    regions regclass;
    owner constant oid := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.leads);
BEGIN
    IF tracked.region_code IS NULL THEN
        RETURN;
    END IF;
    regions := (SELECT r.relation FROM @extschema@.lead_phones_region_table(tracked) AS r);
    IF regions IS NULL THEN
        RAISE EXCEPTION 'column "%" of table "%" references no table with a column "%"', tracked.region_column, tracked.leads, tracked.region_code
            USING ERRCODE = 'undefined_object',
                  DETAIL = 'A path of region_column leads over a foreign key of one column, to a column of text.',
                  HINT = format('Run ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES ... before.', tracked.leads, tracked.region_column);
    END IF;
    IF (SELECT r.relowner FROM pg_catalog.pg_class AS r WHERE r.oid = regions) <> owner THEN
        RAISE EXCEPTION 'table "%" belongs to another owner than "%"', regions, tracked.leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Regions are looked up as the owner of the leads: what hangs on their table would run as that role.',
                  HINT = format('Run ALTER TABLE %s OWNER TO %s, or keep the region in a column of the leads.', regions, owner::regrole);
    END IF;
    IF (SELECT r.relrowsecurity AND r.relforcerowsecurity FROM pg_catalog.pg_class AS r WHERE r.oid = regions) THEN
        RAISE EXCEPTION 'table "%" has row-level security that holds for its owner', regions
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('Regions of table "%s" are looked up as its owner, and which row a writer may see must not decide what a number is.', tracked.leads),
                  HINT = format('Run ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, or keep the region in a column of the leads.', regions);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_region(@extschema@.lead_phone_tables) IS
    'internal: an error where the table of regions is not there, or cannot be read';

CREATE FUNCTION @extschema@.lead_phones_region(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    own text;
BEGIN
    IF tracked.region_column IS NULL THEN
        RETURN quote_literal(tracked.region);
    END IF;
    IF tracked.region_code IS NULL THEN
        own := @extschema@.lead_phones_text(@extschema@.lead_phones_type_of(tracked.leads, tracked.region_column), format('l.%I', tracked.region_column));
    ELSE
        own := (SELECT format('(SELECT r.%I::pg_catalog.text FROM %s AS r WHERE r.%I %s l.%I%s)',
                    tracked.region_code, t.relation, t.key_column, t.operator, tracked.region_column, @extschema@.lead_phones_collate(t.key_collation))
                  FROM @extschema@.lead_phones_region_table(tracked) AS t WHERE t.relation IS NOT NULL);
    END IF;
    RETURN format('coalesce(nullif(pg_catalog.btrim(%s), ''''), %L)', own, tracked.region);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_region(@extschema@.lead_phone_tables) IS
    'internal: SQL of the region of a lead "l"';

CREATE FUNCTION @extschema@.lead_phones_raw(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN format('(%s) COLLATE pg_catalog."C"', @extschema@.lead_phones_plain(@extschema@.lead_phones_type_of(tracked.leads, number_column), format('l.%I', number_column)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_raw(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of what is in a column of numbers of a lead "l", as text';

CREATE FUNCTION @extschema@.lead_phones_spelled(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    raw constant text := @extschema@.lead_phones_raw(tracked, number_column);
BEGIN
    -- -1 and 0.5 have a text, but their digits are no number.
    RETURN CASE (SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = @extschema@.lead_phones_type_of(tracked.leads, number_column))
        WHEN 'N' THEN format('CASE WHEN (%1$s) ~ ''^[0-9]+$'' THEN (%1$s) WHEN l.%2$I IS NOT NULL THEN ''-'' END', raw, number_column)
        ELSE raw END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_spelled(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the text from which the number in a column of a lead "l" is read';

CREATE FUNCTION @extschema@.lead_phones_number(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN format('@extschema@.try_normalize_phone(%s, %s)', @extschema@.lead_phones_spelled(tracked, number_column), @extschema@.lead_phones_region(tracked));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_number(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the valid number that a column of a lead "l" spells';

CREATE FUNCTION @extschema@.lead_phones_counted(tracked @extschema@.lead_phone_tables, number_column name, as_stored boolean) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- What another table says may have changed since a lead was written: then, what was written counts.
    RETURN CASE WHEN NOT tracked.in_place AND (as_stored OR tracked.region_code IS NOT NULL) THEN @extschema@.lead_phones_stored(tracked, number_column)
                WHEN tracked.region_code IS NOT NULL THEN format('@extschema@.try_normalize_phone(%s, ''ZZ'')', @extschema@.lead_phones_raw(tracked, number_column))
                ELSE @extschema@.lead_phones_number(tracked, number_column) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_counted(@extschema@.lead_phone_tables, name, boolean) IS
    'internal: SQL of the number of a lead "l" that is counted: as it is stored, or, to verify that, as the column spells it';

CREATE FUNCTION @extschema@.lead_phones_recount_query(tracked @extschema@.lead_phone_tables, source text, as_stored boolean DEFAULT true) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    places constant int[] := ARRAY(SELECT generate_subscripts(tracked.phone_columns, 1));
    leads constant text := format('SELECT %s AS campaign, %s FROM %s AS l WHERE l.%I IS NOT NULL', @extschema@.lead_phones_campaign(tracked, 'l'),
        (SELECT string_agg(format('%s AS number%s', @extschema@.lead_phones_counted(tracked, tracked.phone_columns[i], as_stored), i), ', ' ORDER BY i) FROM unnest(places) AS i),
        source, tracked.phone_columns[1] || '_disqualified');
BEGIN
    -- A number that a lead has in several columns is found in the first of them.
    RETURN format('SELECT u.campaign, u.phone, count(*) AS lead_count, %s FROM (%s) AS u GROUP BY u.campaign, u.phone',
        (SELECT string_agg(format('sum(u.in%s)::bigint AS count%1$s', i), ', ' ORDER BY i) FROM unnest(places) AS i),
        (SELECT string_agg(format('SELECT n.campaign, n.number%1$s AS phone, %2$s FROM (%3$s) AS n WHERE n.campaign IS NOT NULL AND n.number%1$s IS NOT NULL%4$s', i,
                    (SELECT string_agg(CASE WHEN j < i THEN '0' WHEN j = i THEN '1' ELSE format('(n.number%s IS NOT DISTINCT FROM n.number%s)::integer', j, i) END
                                || format(' AS in%s', j), ', ' ORDER BY j) FROM unnest(places) AS j),
                    leads,
                    (SELECT string_agg(format(' AND n.number%s IS DISTINCT FROM n.number%s', i, j), '') FROM unnest(places) AS j WHERE j < i)), ' UNION ALL ' ORDER BY i)
           FROM unnest(places) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount_query(@extschema@.lead_phone_tables, text, boolean) IS
    'internal: SQL of the counts, from leads: count1, count2 ... by column; a lead without a mark is left to backfill_lead_phones';

CREATE FUNCTION @extschema@.lead_phones_normalize_rows(
    tracked @extschema@.lead_phone_tables,
    source text,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    columns constant name[] := tracked.phone_columns;
    places constant int[] := ARRAY(SELECT generate_subscripts(columns, 1));
    unmarked constant text := @extschema@.lead_phones_each(tracked, 'l.%2$I IS NULL', ' OR ');
    read text[];
    changed text[];
    set_to text[];
    rewritten bigint;
    invalid bigint[];
    example text[];
    detail text;
BEGIN
    FOR i IN 1 .. cardinality(columns) LOOP
        DECLARE
            raw constant text := @extschema@.lead_phones_raw(tracked, columns[i]);
            number constant text := @extschema@.lead_phones_number(tracked, columns[i]);
            -- blanks are no number, and nothing invalid
            spelled constant text := @extschema@.lead_phones_spelled(tracked, columns[i]);
            is_invalid constant text := format('(%1$s) IS NOT NULL AND (%2$s) IS NULL AND @extschema@.phone_problem(%1$s, ''ZZ'') <> ''empty''', spelled, number);
            extension constant text := format('@extschema@.phone_extension(%s, %s)', spelled, @extschema@.lead_phones_region(tracked));
            is_changed text;
        BEGIN
            IF tracked.in_place THEN
                is_changed := format('(%s) <> (%s)', raw, number) || CASE tracked.on_invalid WHEN 'null' THEN format(' OR (%s)', is_invalid) ELSE '' END;
                set_to := set_to || format('%I = %s', columns[i], CASE tracked.on_invalid
                    WHEN 'null' THEN format('CASE WHEN %s THEN NULL ELSE coalesce(%s, %s) END', is_invalid, number, raw)
                    ELSE format('coalesce(%s, %s)', number, raw) END);
                IF tracked.keep_extensions THEN
                    set_to := set_to || format('%1$I = coalesce(%2$s, l.%1$I)', columns[i] || '_extension', extension);
                END IF;
            ELSE
                is_changed := format('(l.%I) IS DISTINCT FROM (%s)', columns[i] || '_e164', number);
                set_to := set_to || format('%I = %s', columns[i] || '_e164', number);
                IF tracked.keep_extensions THEN
                    is_changed := is_changed || format(' OR l.%I IS DISTINCT FROM (%s)', columns[i] || '_extension', extension);
                    set_to := set_to || format('%I = %s', columns[i] || '_extension', extension);
                END IF;
            END IF;
            set_to := set_to || format('%1$I = coalesce(l.%1$I, false)', columns[i] || '_disqualified');
            changed := changed || is_changed;
            read := read || format('%1$s AS raw%2$s, (%3$s) AS invalid%2$s, (%4$s) AS changed%2$s, (%5$s) IS NOT NULL AS valid%2$s', raw, i, is_invalid, is_changed, number);
        END;
    END LOOP;
    EXECUTE format($query$
        SELECT count(*), %s, count(*) FILTER (WHERE n.unmarked OR %s), ARRAY[%s], ARRAY[%s]
          FROM (SELECT %s, %s AS unmarked FROM %s AS l) AS n$query$,
        (SELECT string_agg(format('count(*) FILTER (WHERE n.changed%s AND n.valid%1$s)', i), ' + ') FROM unnest(places) AS i),
        (SELECT string_agg(format('n.changed%s', i), ' OR ') FROM unnest(places) AS i),
        (SELECT string_agg(format('count(*) FILTER (WHERE n.invalid%s)', i), ', ' ORDER BY i) FROM unnest(places) AS i),
        (SELECT string_agg(format('min(n.raw%s) FILTER (WHERE n.invalid%1$s)', i), ', ' ORDER BY i) FROM unnest(places) AS i),
        array_to_string(read, ', '), unmarked, source)
       INTO total_leads, numbers_normalized, rewritten, invalid, example;
    FOR i IN 1 .. cardinality(columns) LOOP
        IF invalid[i] > 0 AND tracked.on_invalid = 'reject' THEN
            RAISE EXCEPTION 'column "%" of table "%" holds values that are not valid phone numbers', columns[i], tracked.leads
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('There are %s; one of them is "%s".', invalid[i], left(example[i], 64)),
                      HINT = format('Correct them first, or use on_invalid => ''keep''%s.', CASE WHEN tracked.in_place THEN ' or ''null''' ELSE '' END);
        END IF;
    END LOOP;
    left_invalid := CASE tracked.on_invalid WHEN 'null' THEN 0 ELSE (SELECT sum(i) FROM unnest(invalid) AS i) END;
    -- Where there are triggers they see the same number on both sides, or one that was not counted.
    IF rewritten > 0 THEN
        BEGIN
            PERFORM set_config('search_path', @extschema@.lead_phones_path_for_triggers(tracked.leads), true);
            EXECUTE format('UPDATE %s AS l SET %s WHERE %s OR %s',
                source, array_to_string(set_to, ', '), unmarked, array_to_string(changed, ' OR '));
            PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        EXCEPTION WHEN integrity_constraint_violation THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION '%', SQLERRM
                USING ERRCODE = SQLSTATE, DETAIL = detail,
                      HINT = CASE WHEN tracked.in_place THEN 'Use in_place => false, which leaves the columns as they are, or change the constraint: it must admit numbers in E.164.'
                          ELSE 'Correct these leads first.' END;
        END;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_normalize_rows(@extschema@.lead_phone_tables, text) IS
    'internal: writes the numbers of leads in E.164, with what is kept beside them, and a mark where there is none';

CREATE FUNCTION @extschema@.lead_phones_path_for_triggers(leads regclass) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    pinned constant text := 'pg_catalog, pg_temp';
    class record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
                    WHERE t.tgrelid IN (SELECT m FROM @extschema@.lead_phones_members(leads) AS m) AND NOT t.tgisinternal
                      AND NOT (p.pronamespace = '@extschema@'::regnamespace AND p.proname LIKE 'lead\_phones\_%')) THEN
        RETURN pinned;
    END IF;
    SELECT n.nspname AS schema, c.relowner AS owner INTO class FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = leads;
    -- In an open schema others could put what the owner's code then runs.
    BEGIN
        PERFORM @extschema@.lead_phones_check_schema(class.schema, class.owner);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        RETURN pinned;
    END;
    RETURN format('pg_catalog, %I, pg_temp', class.schema);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_path_for_triggers(regclass) IS
    'internal: the search_path while leads are updated as their owner: with their schema, for triggers of the application, where nobody else can create in it';

CREATE FUNCTION @extschema@.lead_phones_interferers(relation regclass, event text) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT string_agg(i.what, ', ' ORDER BY i.what)
      FROM (SELECT DISTINCT format('trigger "%s"', t.tgname) FROM pg_catalog.pg_trigger AS t
             WHERE t.tgrelid IN (SELECT m FROM @extschema@.lead_phones_members(relation) AS m) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
               AND t.tgtype & 1 = 1 AND t.tgtype & 2 = 2 AND t.tgtype & CASE event WHEN 'INSERT' THEN 4 ELSE 16 END <> 0 -- BEFORE ROW
               AND t.tgname NOT IN ('zz_lead_phones_normalize_insert', 'zz_lead_phones_normalize_update')
             UNION ALL
            SELECT format('rule "%s"', r.rulename) FROM pg_catalog.pg_rewrite AS r
             WHERE r.ev_class = relation AND r.ev_type = CASE event WHEN 'INSERT' THEN '3' ELSE '2' END AND r.ev_enabled <> 'D') AS i (what)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_interferers(regclass, text) IS
    'internal: the triggers and rules of the application that can keep an INSERT or UPDATE from a row; NULL where there are none';

CREATE FUNCTION @extschema@.lead_phones_check_marked(leads regclass, unmarked bigint) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF unmarked > 0 THEN
        RAISE EXCEPTION 'marks of table "%" cannot be written', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Leads that did not take theirs: %s. The UPDATE is suppressed or undone by one of: %s.', unmarked,
                      @extschema@.lead_phones_interferers(leads, 'UPDATE')),
                  HINT = 'Let it pass what changes the columns of marks alone.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_marked(regclass, bigint) IS
    'internal: an error where leads did not take their marks';

CREATE FUNCTION @extschema@.lead_phones_check_written(relation regclass, unwritten bigint) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF unwritten > 0 THEN
        RAISE EXCEPTION 'disqualifications cannot be written to table "%"', relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Rows that are missing, or not as they were written: %s. They are suppressed or changed by one of: %s.', unwritten,
                      concat_ws(', ', @extschema@.lead_phones_interferers(relation, 'INSERT'), @extschema@.lead_phones_interferers(relation, 'UPDATE'))),
                  HINT = 'Let it pass what lead_phones writes.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_written(regclass, bigint) IS
    'internal: an error where counts or a ledger did not take what was written to them';

CREATE FUNCTION @extschema@.lead_phones_mark_rows(tracked @extschema@.lead_phone_tables, source text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_checked constant boolean := @extschema@.lead_phones_interferers(tracked.leads, 'UPDATE') IS NOT NULL;
    number_column name;
    unmarked text;
    how_many bigint;
BEGIN
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        unmarked := format('l.%1$I IS DISTINCT FROM EXISTS (SELECT FROM %2$s AS c WHERE %3$s AND c.phone = (%4$s)::pg_catalog.text COLLATE "C" AND c.disqualified)',
            number_column || '_disqualified', tracked.counts, @extschema@.lead_phones_is_of(tracked, 'c', @extschema@.lead_phones_campaign(tracked, 'l')),
            @extschema@.lead_phones_stored(tracked, number_column));
        PERFORM set_config('search_path', @extschema@.lead_phones_path_for_triggers(tracked.leads), true);
        EXECUTE format('UPDATE %1$s AS l SET %2$I = NOT coalesce(l.%2$I, true) WHERE %3$s', source, number_column || '_disqualified', unmarked);
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        IF is_checked THEN
            EXECUTE format('SELECT count(*) FROM %s AS l WHERE %s', source, unmarked) INTO how_many;
            PERFORM @extschema@.lead_phones_check_marked(tracked.leads, how_many);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_mark_rows(@extschema@.lead_phone_tables, text) IS
    'internal: marks leads as the counts say';

CREATE FUNCTION @extschema@.lead_phones_apply_standing(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    out_here constant text := @extschema@.lead_phones_out_here(tracked);
BEGIN
    EXECUTE format($dml$
        INSERT INTO %1$s AS c (%2$s, disqualified)
        SELECT DISTINCT %3$s, true FROM (%4$s) AS d
        ON CONFLICT (%2$s) DO UPDATE SET disqualified = true WHERE NOT c.disqualified$dml$,
        tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, 'd.campaign', 'd.phone'), out_here);
    EXECUTE format($dml$
        UPDATE %1$s AS c SET disqualified = false
         WHERE c.disqualified AND NOT EXISTS (SELECT FROM (%2$s) AS d WHERE %3$s AND d.phone = c.phone)$dml$,
        tracked.counts, out_here, @extschema@.lead_phones_is_of(tracked, 'c', 'd.campaign'));
    EXECUTE format('DELETE FROM %1$s AS c WHERE c.lead_count = 0 AND NOT c.disqualified', tracked.counts);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_standing(@extschema@.lead_phone_tables) IS
    'internal: lets the counts say what is in force in the ledger, and no more than they need to';

CREATE FUNCTION @extschema@.lead_phones_count_rows(tracked @extschema@.lead_phone_tables) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    recount constant text := @extschema@.lead_phones_recount_query(tracked, tracked.leads::text);
    unique_numbers bigint;
BEGIN
    PERFORM @extschema@.lead_phones_write_counts();
    -- Two statements, not one with two data-modifying CTEs: Citus would not distribute that.
    EXECUTE format($dml$
        UPDATE %1$s AS c SET lead_count = 0, %2$s
         WHERE (c.lead_count <> 0 OR %3$s)
           AND NOT EXISTS (SELECT FROM (%4$s) AS r WHERE %5$s AND r.phone = c.phone)$dml$,
        tracked.counts, @extschema@.lead_phones_each(tracked, '%3$I = 0', ', '), @extschema@.lead_phones_each(tracked, 'c.%3$I <> 0', ' OR '),
        recount, @extschema@.lead_phones_is_of(tracked, 'c', 'r.campaign'));
    EXECUTE format($dml$
        INSERT INTO %1$s AS c (%2$s, lead_count, %3$s)
        SELECT %4$s, r.lead_count, %5$s FROM (%6$s) AS r
        ON CONFLICT (%2$s) DO UPDATE SET lead_count = EXCLUDED.lead_count, %7$s
         WHERE c.lead_count <> EXCLUDED.lead_count OR %8$s$dml$,
        tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_each(tracked, '%3$I', ', '),
        @extschema@.lead_phones_with_campaign(tracked, 'r.campaign', 'r.phone'), @extschema@.lead_phones_each(tracked, 'r.count%5$s', ', '), recount,
        @extschema@.lead_phones_each(tracked, '%3$I = EXCLUDED.%3$I', ', '), @extschema@.lead_phones_each(tracked, 'c.%3$I <> EXCLUDED.%3$I', ' OR '));
    PERFORM @extschema@.lead_phones_apply_standing(tracked);
    EXECUTE format('SELECT count(*) FROM %s AS c WHERE c.lead_count > 0', tracked.counts) INTO unique_numbers;
    RETURN unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_count_rows(@extschema@.lead_phone_tables) IS
    'internal: counts the leads of a tracked table again; returns the unique numbers';
