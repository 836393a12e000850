-- Counts: recount and compare.

CREATE FUNCTION @extschema@.lead_phones_number(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('@extschema@.try_normalize_phone(l.%I::pg_catalog.text, %s)', number_column,
        CASE WHEN (tracked).region_column IS NULL THEN quote_literal((tracked).region)
             ELSE format('coalesce(nullif(pg_catalog.btrim(l.%I::pg_catalog.text), ''''), %L)',
                         (tracked).region_column, (tracked).region) END)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_number(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the valid number in a column of a lead "l"';

CREATE FUNCTION @extschema@.lead_phones_recount_query(tracked @extschema@.lead_phone_tables, source text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format($query$
        SELECT u.campaign, u.phone, count(*) AS lead_count, sum(u.in_phone)::bigint AS phone_count,
               sum(u.in_mobile)::bigint AS mobile_count
          FROM (SELECT n.campaign, n.phone, 1 AS in_phone, (n.mobile IS NOT DISTINCT FROM n.phone)::integer AS in_mobile
                  FROM (SELECT l.%1$I AS campaign, %2$s AS phone, %3$s AS mobile FROM %4$s AS l) AS n
                 WHERE n.campaign IS NOT NULL AND n.phone IS NOT NULL
                 UNION ALL
                SELECT n.campaign, n.mobile, 0, 1
                  FROM (SELECT l.%1$I AS campaign, %2$s AS phone, %3$s AS mobile FROM %4$s AS l) AS n
                 WHERE n.campaign IS NOT NULL AND n.mobile IS NOT NULL AND n.mobile IS DISTINCT FROM n.phone) AS u
         GROUP BY u.campaign, u.phone$query$,
        (tracked).campaign_column,
        @extschema@.lead_phones_number(tracked, (tracked).phone_column),
        @extschema@.lead_phones_number(tracked, (tracked).mobile_column),
        source)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount_query(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of the counts, from leads';

CREATE FUNCTION @extschema@.lead_phones_normalize_rows(
    tracked @extschema@.lead_phone_tables,
    source text,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    number_column name;
    number text;
    raw text;
    figures bigint[];
    example text;
BEGIN
    numbers_normalized := 0;
    left_invalid := 0;
    FOREACH number_column IN ARRAY ARRAY[tracked.phone_column, tracked.mobile_column] LOOP
        number := @extschema@.lead_phones_number(tracked, number_column);
        raw := format('l.%I::pg_catalog.text COLLATE "C"', number_column);
        EXECUTE format($query$
            SELECT ARRAY[count(*), count(*) FILTER (WHERE n.raw <> n.number),
                         count(*) FILTER (WHERE n.raw IS NOT NULL AND n.number IS NULL)],
                   min(n.raw) FILTER (WHERE n.number IS NULL)
              FROM (SELECT %s AS raw, %s AS number FROM %s AS l) AS n$query$, raw, number, source)
           INTO figures, example;
        total_leads := figures[1];
        numbers_normalized := numbers_normalized + figures[2];
        IF figures[3] > 0 AND tracked.on_invalid = 'reject' THEN
            RAISE EXCEPTION 'column "%" of table "%" holds values that are not valid phone numbers', number_column, tracked.leads
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('There are %s; one of them is "%s".', figures[3], left(example, 64)),
                      HINT = 'Correct them first, or use on_invalid => ''keep'' or ''null''.';
        END IF;
        IF tracked.on_invalid = 'null' THEN
            figures[2] := figures[2] + figures[3];
        ELSE
            left_invalid := left_invalid + figures[3];
        END IF;
        -- The triggers do the rest: they see the same number on both sides, or one that was not counted.
        IF figures[2] > 0 THEN
            EXECUTE format('UPDATE %1$s AS l SET %2$I = %3$s WHERE %4$s IS DISTINCT FROM %3$s',
                source, number_column,
                CASE tracked.on_invalid WHEN 'null' THEN number ELSE format('coalesce(%s, %s)', number, raw) END,
                raw);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_normalize_rows(@extschema@.lead_phone_tables, text) IS
    'internal: writes the numbers of leads in E.164';

CREATE FUNCTION @extschema@.lead_phones_mark_rows(tracked @extschema@.lead_phone_tables, source text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    number_column name;
BEGIN
    FOREACH number_column IN ARRAY ARRAY[tracked.phone_column, tracked.mobile_column] LOOP
        EXECUTE format($dml$
            UPDATE %1$s AS l SET %3$I = NOT coalesce(l.%3$I, true)
             WHERE l.%3$I IS DISTINCT FROM EXISTS (SELECT FROM %4$s AS c
                    WHERE c.%5$I = l.%5$I AND c.phone = l.%2$I::pg_catalog.text COLLATE "C" AND c.disqualified)$dml$,
            source, number_column, number_column || '_disqualified', tracked.counts, tracked.campaign_column);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_mark_rows(@extschema@.lead_phone_tables, text) IS
    'internal: marks leads as the counts say';

CREATE FUNCTION @extschema@.lead_phones_rebuild(
    leads regclass,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint,
    OUT unique_numbers bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
BEGIN
    PERFORM @extschema@.lead_phones_check_table(leads);
    PERFORM @extschema@.lead_phones_check_isolation();
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', leads);
    SELECT f.total_leads, f.numbers_normalized, f.left_invalid INTO total_leads, numbers_normalized, left_invalid
      FROM @extschema@.lead_phones_normalize_rows(tracked, leads::text) AS f;

    EXECUTE format($dml$
        WITH recount AS MATERIALIZED (%1$s),
        gone AS (DELETE FROM %2$s AS c
                  WHERE NOT c.disqualified
                    AND NOT EXISTS (SELECT FROM recount AS r WHERE r.campaign = c.%3$I AND r.phone = c.phone)),
        emptied AS (UPDATE %2$s AS c SET lead_count = 0, phone_count = 0, mobile_count = 0
                     WHERE c.disqualified AND (c.lead_count, c.phone_count, c.mobile_count) <> (0, 0, 0)
                       AND NOT EXISTS (SELECT FROM recount AS r WHERE r.campaign = c.%3$I AND r.phone = c.phone))
        INSERT INTO %2$s AS c (%3$I, phone, lead_count, phone_count, mobile_count)
        SELECT r.campaign, r.phone, r.lead_count, r.phone_count, r.mobile_count FROM recount AS r
         ORDER BY r.campaign, r.phone
        ON CONFLICT (%3$I, phone) DO UPDATE
           SET lead_count = EXCLUDED.lead_count, phone_count = EXCLUDED.phone_count, mobile_count = EXCLUDED.mobile_count
         WHERE (c.lead_count, c.phone_count, c.mobile_count)
               <> (EXCLUDED.lead_count, EXCLUDED.phone_count, EXCLUDED.mobile_count)$dml$,
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text), tracked.counts, tracked.campaign_column);
    -- What stands in the ledger is disqualified.
    EXECUTE format($dml$
        INSERT INTO %1$s AS c (%2$I, phone, disqualified)
        SELECT DISTINCT d.%2$I, d.phone, true FROM %3$s AS d WHERE d.lifted_at IS NULL
        ON CONFLICT (%2$I, phone) DO UPDATE SET disqualified = true WHERE NOT c.disqualified$dml$,
        tracked.counts, tracked.campaign_column, tracked.disqualifications);
    EXECUTE format($dml$
        UPDATE %1$s AS c SET disqualified = false
         WHERE c.disqualified AND NOT EXISTS (SELECT FROM %3$s AS d
                WHERE d.%2$I = c.%2$I AND d.phone = c.phone AND d.lifted_at IS NULL)$dml$,
        tracked.counts, tracked.campaign_column, tracked.disqualifications);
    EXECUTE format('DELETE FROM %1$s AS c WHERE c.lead_count = 0 AND NOT c.disqualified', tracked.counts);
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    EXECUTE format('SELECT count(*) FROM %s AS c WHERE c.lead_count > 0', tracked.counts) INTO unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rebuild(regclass) IS
    'internal: normalizes the leads of a tracked table, and counts and marks them anew';

CREATE FUNCTION @extschema@.rebuild_phone_counts(leads regclass) RETURNS bigint
    VOLATILE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT f.unique_numbers FROM @extschema@.lead_phones_rebuild(leads) AS f
$function$;
COMMENT ON FUNCTION @extschema@.rebuild_phone_counts(regclass) IS
    'normalizes, counts and marks the leads of a tracked table anew; disqualifications are kept; returns the unique numbers';

CREATE FUNCTION @extschema@.verify_phone_counts(leads regclass)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        expected_lead_count bigint,
        phone_count bigint,
        expected_phone_count bigint,
        mobile_count bigint,
        expected_mobile_count bigint,
        disqualified boolean,
        expected_disqualified boolean,
        wrongly_marked_leads bigint)
    VOLATILE ROWS 10 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
BEGIN
    -- One statement, so that leads, counts and ledger are seen at one moment.
    RETURN QUERY EXECUTE format($query$
        WITH recount AS (%1$s),
        standing AS (SELECT DISTINCT d.%2$I AS campaign, d.phone FROM %3$s AS d WHERE d.lifted_at IS NULL),
        marks AS (
            SELECT l.%2$I AS campaign, %6$s AS phone, l.%7$I AS marked FROM %5$s AS l
             UNION ALL
            SELECT l.%2$I, %8$s, l.%9$I FROM %5$s AS l),
        wrong_marks AS (
            SELECT m.campaign, m.phone, count(*) AS leads
              FROM marks AS m LEFT JOIN standing AS s ON s.campaign = m.campaign AND s.phone = m.phone
             WHERE m.marked IS DISTINCT FROM (s.phone IS NOT NULL)
             GROUP BY m.campaign, m.phone),
        stored_and_expected AS (
            SELECT coalesce(c.%2$I, r.campaign) AS campaign, coalesce(c.phone, r.phone) AS phone,
                   c.lead_count, coalesce(r.lead_count, 0) AS expected_lead_count,
                   c.phone_count, coalesce(r.phone_count, 0) AS expected_phone_count,
                   c.mobile_count, coalesce(r.mobile_count, 0) AS expected_mobile_count,
                   c.disqualified
              FROM %4$s AS c FULL JOIN recount AS r ON r.campaign = c.%2$I AND r.phone = c.phone),
        counts_and_ledger AS (
            SELECT coalesce(e.campaign, s.campaign) AS campaign, coalesce(e.phone, s.phone) AS phone,
                   e.lead_count, coalesce(e.expected_lead_count, 0) AS expected_lead_count,
                   e.phone_count, coalesce(e.expected_phone_count, 0) AS expected_phone_count,
                   e.mobile_count, coalesce(e.expected_mobile_count, 0) AS expected_mobile_count,
                   e.disqualified, s.phone IS NOT NULL AS expected_disqualified
              FROM stored_and_expected AS e FULL JOIN standing AS s ON s.campaign = e.campaign AND s.phone = e.phone)
        SELECT coalesce(a.campaign, w.campaign)::pg_catalog.text, coalesce(a.phone, w.phone),
               a.lead_count, a.expected_lead_count, a.phone_count, a.expected_phone_count,
               a.mobile_count, a.expected_mobile_count, a.disqualified, a.expected_disqualified,
               coalesce(w.leads, 0)
          FROM counts_and_ledger AS a
          FULL JOIN wrong_marks AS w ON w.campaign = a.campaign AND w.phone = a.phone
         WHERE w.leads IS NOT NULL
            OR a.lead_count IS NULL
            OR (a.lead_count, a.phone_count, a.mobile_count, a.disqualified)
               <> (a.expected_lead_count, a.expected_phone_count, a.expected_mobile_count, a.expected_disqualified)
            OR a.lead_count = 0 AND NOT a.disqualified
         ORDER BY 1, 2$query$,
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text), tracked.campaign_column, tracked.disqualifications,
        tracked.counts, leads,
        @extschema@.lead_phones_number(tracked, tracked.phone_column), tracked.phone_column || '_disqualified',
        @extschema@.lead_phones_number(tracked, tracked.mobile_column), tracked.mobile_column || '_disqualified');
END
$function$;
COMMENT ON FUNCTION @extschema@.verify_phone_counts(regclass) IS
    'the rows in which counts or marks of a tracked table differ from a recount; none when all is well';
