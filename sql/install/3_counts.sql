-- Counts: recount and compare.

CREATE FUNCTION @extschema@.lead_phones_region(tracked @extschema@.lead_phone_tables) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN (tracked).region_column IS NULL THEN quote_literal((tracked).region)
             ELSE format('coalesce(nullif(pg_catalog.btrim(l.%I::pg_catalog.text), ''''), %L)',
                         (tracked).region_column, (tracked).region) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_region(@extschema@.lead_phone_tables) IS
    'internal: SQL of the region of a lead "l"';

CREATE FUNCTION @extschema@.lead_phones_number(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('@extschema@.try_normalize_phone(l.%I::pg_catalog.text COLLATE pg_catalog."C", %s)', number_column, @extschema@.lead_phones_region(tracked))
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
                  FROM (SELECT l.%1$I AS campaign, %2$s AS phone, %3$s AS mobile FROM %4$s AS l WHERE l.%5$I IS NOT NULL) AS n
                 WHERE n.campaign IS NOT NULL AND n.phone IS NOT NULL
                 UNION ALL
                SELECT n.campaign, n.mobile, 0, 1
                  FROM (SELECT l.%1$I AS campaign, %2$s AS phone, %3$s AS mobile FROM %4$s AS l WHERE l.%5$I IS NOT NULL) AS n
                 WHERE n.campaign IS NOT NULL AND n.mobile IS NOT NULL AND n.mobile IS DISTINCT FROM n.phone) AS u
         GROUP BY u.campaign, u.phone$query$,
        (tracked).campaign_column,
        @extschema@.lead_phones_number(tracked, (tracked).phone_column),
        @extschema@.lead_phones_number(tracked, (tracked).mobile_column),
        source,
        (tracked).phone_column || '_disqualified')
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount_query(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of the counts, from leads; a lead without a mark is left to backfill_lead_phones';

CREATE FUNCTION @extschema@.lead_phones_normalize_rows(
    tracked @extschema@.lead_phone_tables,
    source text,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    columns name[] := ARRAY[tracked.phone_column, tracked.mobile_column];
    raw text[];
    number text[];
    written text[];
    invalid bigint[];
    rewritten bigint;
    example text[];
    unmarked text := format('(l.%I IS NULL OR l.%I IS NULL)', columns[1] || '_disqualified', columns[2] || '_disqualified');
BEGIN
    FOR i IN 1..2 LOOP
        raw[i] := format('l.%I::pg_catalog.text COLLATE "C"', columns[i]);
        number[i] := @extschema@.lead_phones_number(tracked, columns[i]);
        written[i] := CASE tracked.on_invalid WHEN 'null' THEN number[i] ELSE format('coalesce(%s, %s)', number[i], raw[i]) END;
    END LOOP;
    EXECUTE format($query$
        SELECT count(*), count(*) FILTER (WHERE n.raw1 <> n.number1) + count(*) FILTER (WHERE n.raw2 <> n.number2),
               count(*) FILTER (WHERE n.raw1 <> n.number1 OR n.raw2 <> n.number2 OR n.unmarked),
               ARRAY[count(*) FILTER (WHERE n.raw1 IS NOT NULL AND n.number1 IS NULL),
                     count(*) FILTER (WHERE n.raw2 IS NOT NULL AND n.number2 IS NULL)],
               ARRAY[min(n.raw1) FILTER (WHERE n.number1 IS NULL), min(n.raw2) FILTER (WHERE n.number2 IS NULL)]
          FROM (SELECT %s AS raw1, %s AS number1, %s AS raw2, %s AS number2, %s AS unmarked FROM %s AS l) AS n$query$,
        raw[1], number[1], raw[2], number[2], unmarked, source)
       INTO total_leads, numbers_normalized, rewritten, invalid, example;
    FOR i IN 1..2 LOOP
        IF invalid[i] > 0 AND tracked.on_invalid = 'reject' THEN
            RAISE EXCEPTION 'column "%" of table "%" holds values that are not valid phone numbers', columns[i], tracked.leads
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('There are %s; one of them is "%s".', invalid[i], left(example[i], 64)),
                      HINT = 'Correct them first, or use on_invalid => ''keep'' or ''null''.';
        END IF;
    END LOOP;
    left_invalid := CASE tracked.on_invalid WHEN 'null' THEN 0 ELSE invalid[1] + invalid[2] END;
    -- Where there are triggers they see the same number on both sides, or one that was not counted.
    IF rewritten > 0 OR tracked.on_invalid = 'null' AND invalid[1] + invalid[2] > 0 THEN
        EXECUTE format('UPDATE %1$s AS l SET %2$I = %4$s, %3$I = %5$s, %8$I = coalesce(l.%8$I, false), %9$I = coalesce(l.%9$I, false)
                         WHERE %6$s IS DISTINCT FROM %4$s OR %7$s IS DISTINCT FROM %5$s OR %10$s',
            source, columns[1], columns[2], written[1], written[2], raw[1], raw[2],
            columns[1] || '_disqualified', columns[2] || '_disqualified', unmarked);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_normalize_rows(@extschema@.lead_phone_tables, text) IS
    'internal: writes the numbers of leads in E.164, and a mark where there is none';

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

CREATE FUNCTION @extschema@.lead_phones_apply_standing(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    EXECUTE format($dml$
        INSERT INTO %1$s AS c (%2$I, phone, disqualified)
        SELECT DISTINCT d.campaign, d.phone, true FROM (%3$s) AS d
        ON CONFLICT (%2$I, phone) DO UPDATE SET disqualified = true WHERE NOT c.disqualified$dml$,
        tracked.counts, tracked.campaign_column, @extschema@.lead_phones_out_here(tracked));
    EXECUTE format($dml$
        UPDATE %1$s AS c SET disqualified = false
         WHERE c.disqualified AND NOT EXISTS (SELECT FROM (%3$s) AS d
                WHERE d.campaign = c.%2$I AND d.phone = c.phone)$dml$,
        tracked.counts, tracked.campaign_column, @extschema@.lead_phones_out_here(tracked));
    EXECUTE format('DELETE FROM %1$s AS c WHERE c.lead_count = 0 AND NOT c.disqualified', tracked.counts);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_standing(@extschema@.lead_phone_tables) IS
    'internal: lets the counts say what stands in the ledger, and no more than they need to';

CREATE FUNCTION @extschema@.lead_phones_count_rows(tracked @extschema@.lead_phone_tables) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    unique_numbers bigint;
BEGIN
    PERFORM @extschema@.lead_phones_write_counts();
    -- Two statements, not one with two data-modifying CTEs: Citus would not distribute that.
    EXECUTE format($dml$
        UPDATE %2$s AS c SET lead_count = 0, phone_count = 0, mobile_count = 0
         WHERE (c.lead_count, c.phone_count, c.mobile_count) <> (0, 0, 0)
           AND NOT EXISTS (SELECT FROM (%1$s) AS r WHERE r.campaign = c.%3$I AND r.phone = c.phone)$dml$,
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text), tracked.counts, tracked.campaign_column);
    EXECUTE format($dml$
        INSERT INTO %2$s AS c (%3$I, phone, lead_count, phone_count, mobile_count)
        SELECT r.campaign, r.phone, r.lead_count, r.phone_count, r.mobile_count FROM (%1$s) AS r
        ON CONFLICT (%3$I, phone) DO UPDATE
           SET lead_count = EXCLUDED.lead_count, phone_count = EXCLUDED.phone_count, mobile_count = EXCLUDED.mobile_count
         WHERE (c.lead_count, c.phone_count, c.mobile_count)
               <> (EXCLUDED.lead_count, EXCLUDED.phone_count, EXCLUDED.mobile_count)$dml$,
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text), tracked.counts, tracked.campaign_column);
    PERFORM @extschema@.lead_phones_apply_standing(tracked);
    EXECUTE format('SELECT count(*) FROM %s AS c WHERE c.lead_count > 0', tracked.counts) INTO unique_numbers;
    RETURN unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_count_rows(@extschema@.lead_phone_tables) IS
    'internal: counts the leads of a tracked table anew; returns the unique numbers';

CREATE FUNCTION @extschema@.rebuild_phone_counts(leads regclass) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    unique_numbers bigint;
BEGIN
    -- What its owner hangs on the table runs as himself, not as a superuser who puts it right.
    IF (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)
       AND (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = leads) <> current_user::regrole THEN
        RETURN @extschema@.lead_phones_as_owner(leads, 'rebuild', '{}') ->> 'numbers';
    END IF;
    PERFORM @extschema@.lead_phones_check_table(leads);
    PERFORM @extschema@.lead_phones_check_isolation();
    PERFORM @extschema@.lead_phones_check_detached(leads);
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', leads);
    PERFORM @extschema@.lead_phones_normalize_rows(tracked, leads::text);
    unique_numbers := @extschema@.lead_phones_count_rows(tracked);
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    RETURN unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.rebuild_phone_counts(regclass) IS
    'normalizes, counts and marks the leads of a tracked table anew; disqualifications are kept; returns the unique numbers';

CREATE FUNCTION @extschema@.lead_phones_rebuild(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT jsonb_build_object('numbers', @extschema@.rebuild_phone_counts(leads))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rebuild(regclass, jsonb) IS 'internal: rebuild_phone_counts as the owner of the table';

CREATE FUNCTION @extschema@.lead_phones_report(leads regclass, name text, arguments jsonb) RETURNS SETOF record
    STABLE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_report_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_report(regclass, text, jsonb) IS
    'internal: the rows of a report on a tracked table, read as its owner, for whoever may read it';

CREATE FUNCTION @extschema@.lead_phones_read_by_reports(leads regclass) RETURNS SETOF regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT leads UNION SELECT t.counts FROM @extschema@.lead_phone_tables AS t WHERE t.leads = lead_phones_read_by_reports.leads AND t.counts IS NOT NULL
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_read_by_reports(regclass) IS
    'internal: the tables on which the caller of a report needs SELECT';

CREATE FUNCTION @extschema@.lead_phones_report_verify(leads regclass, arguments jsonb)
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
    VOLATILE ROWS 10 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
BEGIN
    -- One statement, so that leads, counts and ledger are seen at one moment.
    RETURN QUERY EXECUTE format($query$
        WITH recount AS (%1$s),
        standing AS (SELECT DISTINCT d.campaign, d.phone FROM (%3$s) AS d),
        marks AS (
            SELECT l.%2$I AS campaign, %6$s AS phone, l.%7$I AS marked FROM %5$s AS l WHERE l.%7$I IS NOT NULL
             UNION ALL
            SELECT l.%2$I, %8$s, l.%9$I FROM %5$s AS l WHERE l.%7$I IS NOT NULL),
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
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text), tracked.campaign_column, @extschema@.lead_phones_out_here(tracked),
        tracked.counts, leads,
        @extschema@.lead_phones_number(tracked, tracked.phone_column), tracked.phone_column || '_disqualified',
        @extschema@.lead_phones_number(tracked, tracked.mobile_column), tracked.mobile_column || '_disqualified');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_verify(regclass, jsonb) IS
    'internal: the rows of verify_phone_counts, as its owner';

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
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    PERFORM @extschema@.lead_phones_write_counts();
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(leads, 'verify', '{}') AS r (campaign text, phone @extschema@.e164, lead_count bigint, expected_lead_count bigint, phone_count bigint, expected_phone_count bigint, mobile_count bigint, expected_mobile_count bigint, disqualified boolean, expected_disqualified boolean, wrongly_marked_leads bigint);
END
$function$;
COMMENT ON FUNCTION @extschema@.verify_phone_counts(regclass) IS
    'the rows in which counts or marks of a tracked table differ from a recount; none when all is well';
