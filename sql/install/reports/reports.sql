-- Reports: the quality of the phone data of a tracked table; and metrics of all of them.

CREATE FUNCTION @extschema@.lead_phones_report_quality(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        lead_count bigint,
        filled bigint,
        valid bigint,
        invalid bigint,
        invalid_by_reason jsonb,
        unique_numbers bigint,
        shared_numbers bigint,
        disqualified_numbers bigint,
        callable_leads bigint)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    -- Of lead tables, who may be called is what callable_leads says.
    callable constant text := (
        SELECT format('SELECT k.campaign_id AS campaign, count(*) AS callable FROM %s.callable_leads AS k GROUP BY k.campaign_id',
                   d.relnamespace::regnamespace)
          FROM pg_catalog.pg_class AS d WHERE d.oid = @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name));
BEGIN
    -- One scan of the leads: they are grouped by what is wrong with them, of which there are few kinds.
    RETURN QUERY EXECUTE format($query$
        WITH kinds AS (
            SELECT n.campaign, %1$s, count(*) AS leads, %2$s AS filled, %3$s AS valid, count(*) FILTER (WHERE %4$s) AS callable
              FROM (SELECT v.*, %5$s
                      FROM (SELECT %6$s AS campaign, %7$s, %8$s AS region FROM %9$s AS l) AS v) AS n
             GROUP BY n.campaign, %1$s),
        reasons AS (
            SELECT r.campaign, jsonb_object_agg(r.reason, r.values ORDER BY r.reason) AS by_reason, sum(r.values)::bigint AS invalid
              FROM (SELECT k.campaign, p.reason, sum(k.leads)::bigint AS values FROM kinds AS k
                     CROSS JOIN LATERAL (VALUES %10$s) AS p (reason)
                     WHERE p.reason IS NOT NULL GROUP BY k.campaign, p.reason) AS r
             GROUP BY r.campaign),
        numbers AS (
            SELECT c.campaign, count(*) FILTER (WHERE c.lead_count > 0) AS unique_numbers,
                   count(*) FILTER (WHERE c.lead_count > 1) AS shared_numbers, count(*) FILTER (WHERE c.disqualified) AS disqualified
              FROM (SELECT %11$s AS campaign, c.lead_count, c.disqualified FROM %12$s AS c) AS c GROUP BY c.campaign),
        leads AS (
            SELECT k.campaign, sum(k.leads)::bigint AS leads, sum(k.filled)::bigint AS filled, sum(k.valid)::bigint AS valid,
                   sum(k.callable)::bigint AS callable
              FROM kinds AS k GROUP BY k.campaign)
        SELECT %13$s, coalesce(l.leads, 0), coalesce(l.filled, 0), coalesce(l.valid, 0),
               coalesce(r.invalid, 0), coalesce(r.by_reason, '{}'), coalesce(n.unique_numbers, 0), coalesce(n.shared_numbers, 0),
               coalesce(n.disqualified, 0), coalesce(k.callable, 0)
          FROM leads AS l FULL JOIN numbers AS n ON n.campaign %14$s l.campaign
          LEFT JOIN reasons AS r ON r.campaign %14$s l.campaign OR r.campaign IS NULL AND l.campaign IS NULL AND l.leads IS NOT NULL
          LEFT JOIN (%15$s) AS k ON k.campaign %14$s l.campaign OR k.campaign IS NULL AND l.campaign IS NULL AND l.leads IS NOT NULL
         ORDER BY coalesce(l.campaign, n.campaign)$query$,
        @extschema@.lead_phones_each(tracked, 'n.problem%5$s', ', '),
        @extschema@.lead_phones_each(tracked, 'count(*) FILTER (WHERE n.number%5$s IS NOT NULL OR n.problem%5$s IS NOT NULL)', ' + '),
        @extschema@.lead_phones_each(tracked, 'count(n.number%5$s)', ' + '),
        @extschema@.lead_phones_each(tracked, 'n.number%5$s IS NOT NULL AND NOT n.out%5$s', ' OR '),
        @extschema@.lead_phones_each(tracked, 'CASE WHEN v.number%5$s IS NULL THEN nullif(@extschema@.phone_problem(v.spelled%5$s, v.region), ''empty'') END AS problem%5$s', ', '),
        @extschema@.lead_phones_campaign(tracked, 'l'),
        (SELECT string_agg(format('%1$s AS spelled%2$s, %3$s AS number%2$s, l.%4$I AS out%2$s', @extschema@.lead_phones_spelled(tracked, c.name), c.place,
                    @extschema@.lead_phones_number(tracked, c.name), c.name || '_disqualified'), ', ') FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)),
        @extschema@.lead_phones_region(tracked), tracked.leads,
        @extschema@.lead_phones_each(tracked, '(k.problem%5$s)', ', '),
        @extschema@.lead_phones_campaign(tracked, 'c'), tracked.counts,
        @extschema@.lead_phones_campaign_text(tracked, '(coalesce(l.campaign, n.campaign))'), @extschema@.lead_phones_operator(tracked, 3::smallint),
        coalesce(callable, 'SELECT o.campaign, o.callable FROM leads AS o'));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_quality(regclass, jsonb) IS
    'internal: the rows of lead_phone_quality, as its owner';

CREATE FUNCTION @extschema@.lead_phone_quality(leads regclass)
    RETURNS TABLE (
        campaign text,
        lead_count bigint,
        filled bigint,
        valid bigint,
        invalid bigint,
        invalid_by_reason jsonb,
        unique_numbers bigint,
        shared_numbers bigint,
        disqualified_numbers bigint,
        callable_leads bigint)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'quality', '{}'::jsonb) AS r (campaign text, lead_count bigint, filled bigint, valid bigint, invalid bigint, invalid_by_reason jsonb, unique_numbers bigint, shared_numbers bigint, disqualified_numbers bigint, callable_leads bigint);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phone_quality(regclass) IS
    'for each campaign of a tracked table: how many numbers are filled in, valid, invalid and why, shared, disqualified. Example: SELECT * FROM lead_phone_quality(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_report_shared(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        phone_count bigint,
        mobile_count bigint,
        disqualified boolean,
        column_counts jsonb)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
BEGIN
    RETURN QUERY EXECUTE format('SELECT %s, c.phone, c.lead_count, c.%I, %s, c.disqualified, jsonb_build_object(%s)
                                   FROM %s AS c WHERE c.lead_count >= $1 ORDER BY c.lead_count DESC, %s',
        @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'c')),
        tracked.phone_columns[1] || '_count', coalesce('c.' || quote_ident(tracked.phone_columns[2] || '_count'), 'NULL::bigint'),
        @extschema@.lead_phones_each(tracked, '%1$L, c.%3$I', ', '), tracked.counts,
        concat_ws(', ', 'c.' || quote_ident(tracked.campaign_column), 'c.phone')) USING (arguments ->> 'min_leads')::bigint;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_shared(regclass, jsonb) IS
    'internal: the rows of shared_lead_phones, as its owner';

CREATE FUNCTION @extschema@.shared_lead_phones(leads regclass, min_leads bigint DEFAULT 2)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        phone_count bigint,
        mobile_count bigint,
        disqualified boolean,
        column_counts jsonb)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'shared', jsonb_build_object('min_leads', min_leads)) AS r (campaign text, phone @extschema@.e164, lead_count bigint, phone_count bigint, mobile_count bigint, disqualified boolean, column_counts jsonb);
END
$function$;
COMMENT ON FUNCTION @extschema@.shared_lead_phones(regclass, bigint) IS
    'the numbers that several leads of a campaign have, the most shared first. Example: SELECT phone, lead_count, column_counts FROM shared_lead_phones(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_report_invalid(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        lead jsonb,
        column_name name,
        raw_value text,
        reason text)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    key text;
BEGIN
    SELECT string_agg(format('%L, l.%I', a.attname, a.attname), ', ' ORDER BY k.place) INTO key
      FROM pg_catalog.pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = leads AND i.indisprimary;
    RETURN QUERY EXECUTE format($query$
        SELECT %2$s, jsonb_build_object(%3$s), v.name, v.raw, p.problem
          FROM %1$s AS l
         CROSS JOIN LATERAL (VALUES %5$s) AS v (name, raw, spelled, number)
         CROSS JOIN LATERAL (SELECT @extschema@.phone_problem(v.spelled, %4$s)) AS p (problem)
         WHERE v.number IS NULL AND p.problem <> 'empty'$query$,
        tracked.leads, @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'l')),
        coalesce(key, '''ctid'', l.ctid::pg_catalog.text'), @extschema@.lead_phones_region(tracked),
        (SELECT string_agg(format('(%L::pg_catalog.name, %s, %s, %s)', c.name, @extschema@.lead_phones_raw(tracked, c.name), @extschema@.lead_phones_spelled(tracked, c.name), @extschema@.lead_phones_number(tracked, c.name)), ', '
                    ORDER BY c.place) FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_invalid(regclass, jsonb) IS
    'internal: the rows of invalid_lead_phones, as its owner';

CREATE FUNCTION @extschema@.invalid_lead_phones(leads regclass)
    RETURNS TABLE (
        campaign text,
        lead jsonb,
        column_name name,
        raw_value text,
        reason text)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'invalid', '{}'::jsonb) AS r (campaign text, lead jsonb, column_name name, raw_value text, reason text);
END
$function$;
COMMENT ON FUNCTION @extschema@.invalid_lead_phones(regclass) IS
    'the values of a tracked table that are not valid numbers: row, column, value, reason. Example: SELECT * FROM invalid_lead_phones(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_report_find(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead jsonb,
        column_name name,
        disqualified boolean,
        reason text)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    fragment constant text := arguments ->> 'fragment';
    digits constant text := regexp_replace(fragment, '[^0-9]+', '', 'g');
    numbers @extschema@.e164[];
    key text;
BEGIN
    IF length(digits) < 4 THEN
        RAISE EXCEPTION '"%" has not enough digits to look for', left(fragment, 64)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Four of them, at least, tell numbers apart.', HINT = 'Give the last digits, or the whole number in any spelling.';
    END IF;
    numbers := ARRAY(SELECT DISTINCT r.number FROM unnest(@extschema@.lead_phones_regions()) AS g (region)
                      CROSS JOIN LATERAL @extschema@.try_normalize_phone(fragment, g.region) AS r (number) WHERE r.number IS NOT NULL);
    SELECT string_agg(format('%L, l.%I', a.attname, a.attname), ', ' ORDER BY k.place) INTO key
      FROM pg_catalog.pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = leads AND i.indisprimary;
    -- The digits are a literal: by a parameter, no index of reversed numbers would be read. The number is compared by the collation of the column,
    -- and so by its index.
    RETURN QUERY EXECUTE format($query$
        WITH found AS MATERIALIZED (
            (SELECT %2$s AS campaign, c.phone, c.disqualified, to_jsonb(c.phone) #>> '{}' AS number
               FROM %1$s AS c WHERE reverse(c.phone::pg_catalog.text) LIKE %3$L AND c.lead_count > 0 LIMIT 1000)
             UNION
            SELECT %2$s, c.phone, c.disqualified, to_jsonb(c.phone) #>> '{}' FROM %1$s AS c WHERE %4$s AND c.phone = ANY ($1) AND c.lead_count > 0)
        SELECT %7$s, f.phone, h.lead, h.name, f.disqualified,
               CASE WHEN f.disqualified AND $2 THEN (SELECT string_agg(concat_ws(': ', d.source, d.reason), '; ' ORDER BY d.disqualified_at) FROM (
                   SELECT d.source, d.reason, d.disqualified_at FROM %5$s AS d WHERE %8$s AND d.phone = f.phone AND d.lifted_at IS NULL
                   %6$s) AS d) END
          FROM found AS f
         CROSS JOIN LATERAL (%9$s) AS h
         ORDER BY f.campaign, f.phone, h.lead LIMIT 1000$query$,
        tracked.counts, @extschema@.lead_phones_campaign(tracked, 'c'), reverse(digits) || '%',
        @extschema@.lead_phones_is_of(tracked, 'c', @extschema@.lead_phones_campaigns_of(tracked)), tracked.disqualifications,
        coalesce((SELECT format('UNION ALL SELECT p.source, p.reason, p.disqualified_at FROM %s WHERE s.number = ANY (@extschema@.lead_phones_keys(f.phone))', e)
                    FROM @extschema@.lead_phones_out_everywhere(tracked) AS e WHERE e IS NOT NULL), ''),
        @extschema@.lead_phones_campaign_text(tracked, 'f.campaign'), @extschema@.lead_phones_is_of(tracked, 'd', 'f.campaign'),
        (SELECT string_agg(format('SELECT jsonb_build_object(%s) AS lead, %L::pg_catalog.name AS name FROM %s AS l WHERE %s AND %s = f.number',
                    coalesce(key, '''ctid'', l.ctid::pg_catalog.text'), c.name, tracked.leads, @extschema@.lead_phones_is_of(tracked, 'l', 'f.campaign'),
                    @extschema@.lead_phones_stored(tracked, c.name)), ' UNION ALL ' ORDER BY c.place) FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)))
      USING numbers, (arguments ->> 'may_read_ledgers')::boolean;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_find(regclass, jsonb) IS
    'internal: the rows of find_phone, as its owner';

CREATE FUNCTION @extschema@.find_phone(fragment text, leads regclass DEFAULT @extschema@.lead_phones_visible_table())
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead jsonb,
        column_name name,
        disqualified boolean,
        reason text)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF fragment IS NULL THEN
        RAISE EXCEPTION 'fragment must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Give the last digits of a number, or the whole number in any spelling.';
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'find', jsonb_build_object('fragment', fragment)) AS r (campaign text, phone @extschema@.e164, lead jsonb, column_name name, disqualified boolean, reason text);
END
$function$;
COMMENT ON FUNCTION @extschema@.find_phone(text, regclass) IS
    'who has a number like this, by its last digits or any spelling, and why it may not be called. Example: SELECT * FROM find_phone(''8212'')';

CREATE FUNCTION @extschema@.lead_phones_metrics(leads regclass, arguments jsonb) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    others constant regclass := @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name);
    uploads constant regclass := @extschema@.lead_phones_beside(leads, 'lead_uploads'::name);
    calls constant regclass := @extschema@.lead_phones_beside(leads, 'call_outcomes'::name);
    metrics jsonb;
    part jsonb;
BEGIN
    EXECUTE format($query$
        SELECT jsonb_build_object('numbers', count(*) FILTER (WHERE c.lead_count > 0), 'shared', count(*) FILTER (WHERE c.lead_count > 1),
                                  'disqualified', count(*) FILTER (WHERE c.disqualified AND c.lead_count > 0)) FROM %s AS c$query$, tracked.counts)
       INTO metrics;
    EXECUTE format($query$
        SELECT jsonb_build_object('standing', count(*), 'overdue', count(*) FILTER (WHERE d.expires_at <= now())) FROM (%s) AS d$query$,
        (SELECT string_agg(format('SELECT l.expires_at FROM %s AS l WHERE l.lifted_at IS NULL', ledger), ' UNION ALL ')
           FROM unnest(ARRAY[tracked.disqualifications, others]) AS ledger WHERE ledger IS NOT NULL)
        || coalesce(' UNION ALL SELECT p.expires_at FROM ' || @extschema@.lead_phones_out_everywhere(tracked), '')) INTO part;
    metrics := metrics || part;
    IF uploads IS NOT NULL THEN
        EXECUTE format($query$
            SELECT jsonb_build_object('uploads', count(*), 'uploaded_rows', coalesce(sum(u.rows_in_file), 0),
                                      'refused_rows', coalesce(sum(u.refused), 0),
                                      'invalid_numbers', coalesce(sum(u.invalid_phone + u.invalid_mobile), 0),
                                      'last_upload_at', max(u.finished_at))
              FROM %s AS u WHERE u.finished_at IS NOT NULL$query$, uploads) INTO part;
        metrics := metrics || part;
    END IF;
    IF calls IS NOT NULL THEN
        -- Of numbers at a cap, who was called tells: those that were called as often as the least of the rules says, at least.
        EXECUTE format($query$
            SELECT jsonb_build_object(
                'calls', (SELECT coalesce(jsonb_object_agg(k.disposition, k.calls), '{}') FROM (
                    SELECT coalesce(k.disposition, CASE WHEN k.ended_at IS NULL THEN 'on the line' ELSE 'no outcome' END) AS disposition, count(*) AS calls
                      FROM %1$s.calls AS k GROUP BY 1) AS k),
                'resting', (SELECT count(DISTINCT o.number) FROM %1$s.call_outcomes AS o WHERE o.corrected_at IS NULL AND o.rests_until > now()),
                'capped', (SELECT count(DISTINCT r.number) FROM (
                    SELECT DISTINCT k.campaign_id, k.contact_id FROM %1$s.calls AS k JOIN (
                        SELECT a.number FROM %1$s.calls AS a WHERE a.is_attempt GROUP BY a.number
                        HAVING count(*) >= (SELECT min(least(u.attempts_in_24_hours, u.attempts_in_all)) FROM %1$s.call_rules AS u WHERE u.is_on)) AS often
                        ON often.number = k.number) AS k
                  JOIN %1$s.call_refusals AS r ON r.campaign_id = k.campaign_id AND r.contact_id = k.contact_id AND r.kind = 'attempts'))$query$,
            (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = calls)) INTO part;
        metrics := metrics || part;
    END IF;
    RETURN metrics;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_metrics(regclass, jsonb) IS
    'internal: the metrics of a tracked table that its owner may read';

CREATE FUNCTION @extschema@.lead_phone_metrics()
    RETURNS TABLE (
        schema_name name,
        table_name name,
        estimated_leads bigint,
        unique_numbers bigint,
        shared_numbers bigint,
        disqualified_numbers bigint,
        standing_entries bigint,
        overdue_entries bigint,
        uploads bigint,
        uploaded_rows bigint,
        refused_rows bigint,
        invalid_numbers bigint,
        last_upload_at timestamptz,
        calls_by_disposition jsonb,
        resting_numbers bigint,
        numbers_at_cap bigint)
    STABLE ROWS 10 LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- for all waiting together: a session that locks a table must not keep the others from being watched
    patience constant interval := '2 s';
    asked_at constant timestamptz := clock_timestamp();
    own_lock_timeout constant text := current_setting('lock_timeout');
    leads regclass;
    metrics jsonb;
BEGIN
    FOR leads, schema_name, table_name, estimated_leads IN
        SELECT t.leads, n.nspname, c.relname, (SELECT sum(nullif(m.reltuples, -1)) FROM pg_catalog.pg_class AS m
                 WHERE m.oid IN (SELECT @extschema@.lead_phones_members(t.leads)) AND m.relkind <> 'p')
          FROM @extschema@.lead_phone_tables AS t
          JOIN pg_catalog.pg_class AS c ON c.oid = t.leads JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         ORDER BY n.nspname, c.relname
    LOOP
        -- One table that cannot be read must not hide the others.
        BEGIN
            PERFORM set_config('lock_timeout', greatest(1,
                ceil(extract(epoch FROM patience - (clock_timestamp() - asked_at)) * 1000))::text || 'ms', true);
            metrics := @extschema@.lead_phones_as_owner(leads, 'metrics', '{}'::jsonb);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'no metrics of table "%": %', leads, SQLERRM USING ERRCODE = SQLSTATE;
            metrics := '{}';
        END;
        unique_numbers := metrics ->> 'numbers';
        shared_numbers := metrics ->> 'shared';
        disqualified_numbers := metrics ->> 'disqualified';
        standing_entries := metrics ->> 'standing';
        overdue_entries := metrics ->> 'overdue';
        uploads := metrics ->> 'uploads';
        uploaded_rows := metrics ->> 'uploaded_rows';
        refused_rows := metrics ->> 'refused_rows';
        invalid_numbers := metrics ->> 'invalid_numbers';
        last_upload_at := metrics ->> 'last_upload_at';
        calls_by_disposition := metrics -> 'calls';
        resting_numbers := metrics ->> 'resting';
        numbers_at_cap := metrics ->> 'capped';
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('lock_timeout', own_lock_timeout, true);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phone_metrics() IS
    'what monitoring watches of each tracked table; for roles of pg_monitor. Example: SELECT table_name, unique_numbers, disqualified_numbers FROM lead_phone_metrics()';
