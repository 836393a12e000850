-- Recounting a table, and comparing its counts with a recount.

CREATE FUNCTION @extschema@.rebuild_phone_counts(leads regclass) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    unique_numbers bigint;
BEGIN
    leads := @extschema@.lead_phones_meant(leads);
    -- before a weaker lock is taken: with that, it would be waited for by one who tracks the table
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = leads AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')) THEN
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', leads);
    END IF;
    tracked := @extschema@.lead_phones_tracked(leads);
    -- What its owner hangs on the table runs as himself, not as a superuser who puts it right.
    IF (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)
       AND (SELECT pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c WHERE c.oid = leads) <> current_user THEN
        RETURN @extschema@.lead_phones_as_owner(leads, 'rebuild', '{}'::jsonb) ->> 'numbers';
    END IF;
    PERFORM @extschema@.lead_phones_check_table(leads);
    PERFORM @extschema@.lead_phones_check_isolation();
    PERFORM @extschema@.lead_phones_check_detached(leads);
    PERFORM @extschema@.lead_phones_normalize_rows(tracked, leads::text);
    unique_numbers := @extschema@.lead_phones_count_rows(tracked);
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    RETURN unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.rebuild_phone_counts(regclass) IS
    'normalizes, counts and marks the leads of a tracked table again; disqualifications are kept; returns the number of unique numbers. Example: SELECT rebuild_phone_counts(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_rebuild(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT jsonb_build_object('numbers', @extschema@.rebuild_phone_counts(leads))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rebuild(regclass, jsonb) IS 'internal: rebuild_phone_counts as the owner of the table';

CREATE FUNCTION @extschema@.lead_phones_report(leads regclass, name text, arguments jsonb) RETURNS SETOF record
    STABLE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_report_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_report(regclass, text, jsonb) IS
    'internal: the rows of a report on a tracked table, read as its owner, for a role that may read it';

CREATE FUNCTION @extschema@.lead_phones_read_by_reports(leads regclass) RETURNS TABLE (relation regclass, is_ledger boolean)
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT leads, false
     UNION ALL
    SELECT r.relation, r.is_ledger FROM @extschema@.lead_phone_tables AS t
     CROSS JOIN LATERAL (VALUES (t.counts, false), (t.disqualifications, true), (t.suppressions, true), (t.suppressed, true)) AS r (relation, is_ledger)
     WHERE t.leads = lead_phones_read_by_reports.leads AND r.relation IS NOT NULL
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_read_by_reports(regclass) IS
    'internal: the tables on which the caller of a report needs SELECT, and the ledgers, on which to see reasons';

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
        wrongly_marked_leads bigint,
        column_counts jsonb,
        expected_column_counts jsonb)
    VOLATILE ROWS 10 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    equals constant text := @extschema@.lead_phones_operator(tracked, 3::smallint);
BEGIN
    -- One statement, so that leads, counts and ledger are seen at one moment.
    RETURN QUERY EXECUTE format($query$
        WITH recount AS (%1$s),
        standing AS (SELECT DISTINCT d.campaign, d.phone FROM (%2$s) AS d),
        marks AS (%3$s),
        wrong_marks AS (
            SELECT m.campaign, m.phone, count(*) AS leads
              FROM marks AS m LEFT JOIN standing AS s ON s.campaign %4$s m.campaign AND s.phone = m.phone
             WHERE m.marked IS DISTINCT FROM (s.phone IS NOT NULL) OR m.is_stored_wrong
             GROUP BY m.campaign, m.phone),
        stored_and_expected AS (
            SELECT coalesce(c.campaign, r.campaign) AS campaign, coalesce(c.phone, r.phone) AS phone, c.lead_count, coalesce(r.lead_count, 0) AS expected_lead_count,
                   %5$s, c.disqualified
              FROM (SELECT %6$s AS campaign, c.phone, c.lead_count, %14$s, c.disqualified FROM %7$s AS c) AS c FULL JOIN recount AS r ON r.campaign %4$s c.campaign AND r.phone = c.phone),
        counts_and_ledger AS (
            SELECT coalesce(e.campaign, s.campaign) AS campaign, coalesce(e.phone, s.phone) AS phone, e.lead_count, coalesce(e.expected_lead_count, 0) AS expected_lead_count,
                   %8$s, e.disqualified, s.phone IS NOT NULL AS expected_disqualified
              FROM stored_and_expected AS e FULL JOIN standing AS s ON s.campaign %4$s e.campaign AND s.phone = e.phone)
        SELECT %9$s, coalesce(a.phone, w.phone), a.lead_count, a.expected_lead_count, a.count1, a.expected1, %10$s, a.disqualified, a.expected_disqualified,
               coalesce(w.leads, 0), jsonb_build_object(%11$s), jsonb_build_object(%12$s)
          FROM counts_and_ledger AS a
          FULL JOIN wrong_marks AS w ON w.campaign %4$s a.campaign AND w.phone = a.phone
         WHERE w.leads IS NOT NULL
            OR a.lead_count IS NULL
            OR a.lead_count <> a.expected_lead_count OR %13$s OR a.disqualified <> a.expected_disqualified
            OR a.lead_count = 0 AND NOT a.disqualified
         ORDER BY 1, 2$query$,
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text, false), @extschema@.lead_phones_out_here(tracked),
        (SELECT string_agg(format('SELECT %1$s AS campaign, %2$s AS phone, l.%3$I AS marked, %4$s AS is_stored_wrong FROM %5$s AS l WHERE l.%6$I IS NOT NULL',
                    @extschema@.lead_phones_campaign(tracked, 'l'), @extschema@.lead_phones_counted(tracked, c.name, false), c.name || '_disqualified',
                    CASE WHEN tracked.in_place THEN 'false'
                         ELSE format('(%s) IS DISTINCT FROM l.%I', @extschema@.lead_phones_counted(tracked, c.name, false), c.name || '_e164') END,
                    tracked.leads, tracked.phone_columns[1] || '_disqualified'), ' UNION ALL ' ORDER BY c.place)
           FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)),
        equals,
        @extschema@.lead_phones_each(tracked, 'c.count%5$s, coalesce(r.count%5$s, 0) AS expected%5$s', ', '),
        @extschema@.lead_phones_campaign(tracked, 'c'), tracked.counts,
        @extschema@.lead_phones_each(tracked, 'e.count%5$s, coalesce(e.expected%5$s, 0) AS expected%5$s', ', '),
        @extschema@.lead_phones_campaign_text(tracked, '(coalesce(a.campaign, w.campaign))'),
        CASE WHEN cardinality(tracked.phone_columns) > 1 THEN 'a.count2, a.expected2' ELSE 'NULL::bigint, NULL::bigint' END,
        @extschema@.lead_phones_each(tracked, '%1$L, a.count%5$s', ', '), @extschema@.lead_phones_each(tracked, '%1$L, a.expected%5$s', ', '),
        @extschema@.lead_phones_each(tracked, 'a.count%5$s <> a.expected%5$s', ' OR '),
        @extschema@.lead_phones_each(tracked, 'c.%3$I AS count%5$s', ', '));
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
        wrongly_marked_leads bigint,
        column_counts jsonb,
        expected_column_counts jsonb)
    VOLATILE ROWS 10 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    PERFORM @extschema@.lead_phones_write_counts();
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'verify', '{}'::jsonb) AS r (campaign text, phone @extschema@.e164, lead_count bigint, expected_lead_count bigint, phone_count bigint, expected_phone_count bigint, mobile_count bigint, expected_mobile_count bigint, disqualified boolean, expected_disqualified boolean, wrongly_marked_leads bigint, column_counts jsonb, expected_column_counts jsonb);
END
$function$;
COMMENT ON FUNCTION @extschema@.verify_phone_counts(regclass) IS
    'compares counts and marks of a tracked table with a recount; returns a row for each difference. Example: SELECT * FROM verify_phone_counts(''donors'')';
