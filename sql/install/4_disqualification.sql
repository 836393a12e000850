-- Disqualification: numbers that are not to be called, and the ledger of why.
--
-- The procedures are for callers who have EXECUTE on them and nothing else. They run as the extension's owner only to
-- hand over to lead_phones_as_owner, which runs one function of a fixed list as the owner of the leads table: a caller
-- reaches that table's leads, counts and ledger, and no other table.

CREATE FUNCTION @extschema@.lead_phones_as_owner(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_as_owner_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb) IS
    'internal: runs an action on a tracked table as the owner of the table';

CREATE FUNCTION @extschema@.lead_phones_caller() RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_caller() IS
    'internal: the role of the session, seen through SECURITY DEFINER';

CREATE FUNCTION @extschema@.lead_phones_resolve(leads regclass) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked regclass[];
BEGIN
    IF leads IS NOT NULL THEN
        -- of lead tables, contacts have the numbers
        IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                    WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
            leads := format('%I.contacts', @extschema@.lead_phones_model(leads))::regclass;
        END IF;
        RETURN (@extschema@.lead_phones_tracked(leads)).leads;
    END IF;
    -- Of schemas that the caller can use: a table that someone else tracks for himself makes no difference.
    SELECT array_agg(t.leads ORDER BY t.leads::text) INTO tracked FROM @extschema@.lead_phone_tables AS t
      JOIN pg_catalog.pg_class AS c ON c.oid = t.leads
     WHERE has_schema_privilege(@extschema@.lead_phones_caller(), c.relnamespace, 'USAGE');
    IF tracked IS NULL THEN
        RAISE EXCEPTION 'no table is tracked'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run track_lead_phones() on the leads table.';
    END IF;
    IF cardinality(tracked) > 1 THEN
        RAISE EXCEPTION 'more than one table is tracked'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Tracked are %s.', array_to_string(tracked, ', ')),
                  HINT = format('Name the table with leads => %L.', tracked[1]);
    END IF;
    RETURN (@extschema@.lead_phones_tracked(tracked[1])).leads;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_resolve(regclass) IS
    'internal: the tracked table that is meant: the one named, or the only one';

CREATE FUNCTION @extschema@.lead_phones_campaign_literal(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- without the type's length: a cast to varchar(n) would cut one campaign down to another
    SELECT format('%L::%s', campaign, format_type(b.base_type, NULL))
      FROM pg_catalog.pg_attribute AS a
     CROSS JOIN LATERAL @extschema@.lead_phones_base_type(a.atttypid, a.atttypmod) AS b
     WHERE a.attrelid = (tracked).leads AND a.attname = (tracked).campaign_column
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaign_literal(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of a campaign, in the type of the campaign column';

CREATE FUNCTION @extschema@.lead_phones_check_campaign(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    literal text := @extschema@.lead_phones_campaign_literal(tracked, campaign);
    referenced record;
    known boolean;
BEGIN
    IF literal IS NULL THEN
        RAISE EXCEPTION 'table "%" is tracked by a column "%" that it does not have', tracked.leads, tracked.campaign_column
            USING ERRCODE = 'undefined_column',
                  DETAIL = 'The column was renamed or dropped after track_lead_phones().',
                  HINT = format('Run untrack_lead_phones(%L), then track_lead_phones(%L, ...).', tracked.leads, tracked.leads);
    END IF;
    BEGIN
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$s AS l WHERE l.%2$I = %3$s)
                            OR EXISTS (SELECT FROM %4$s AS c WHERE c.%2$I = %3$s)',
            tracked.leads, tracked.campaign_column, literal, tracked.counts) INTO known;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'campaign "%" is not a value of column "%" of table "%"', left(campaign, 64),
                tracked.campaign_column, tracked.leads
            USING ERRCODE = 'invalid_text_representation',
                  DETAIL = SQLERRM || '.',
                  HINT = 'Pass the campaign as it stands in that column.';
    END;
    IF known THEN
        RETURN literal;
    END IF;
    -- A campaign without leads is known where the column references the table of campaigns.
    FOR referenced IN
        SELECT c.confrelid::regclass AS campaigns, f.attname AS key_column
          FROM pg_catalog.pg_constraint AS c
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = tracked.campaign_column
          JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
         WHERE c.conrelid = tracked.leads AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum]
           AND has_table_privilege(c.confrelid, 'SELECT')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS r WHERE r.%I = %s)',
            referenced.campaigns, referenced.key_column, literal) INTO known;
        IF known THEN
            RETURN literal;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'campaign "%" of table "%" does not exist', left(campaign, 64), tracked.leads
        USING ERRCODE = 'no_data_found',
              DETAIL = 'No lead has it, and no table that the campaign column references.',
              HINT = format('Correct the campaign, upload its leads first, or let column %I reference your table of campaigns.',
                  tracked.campaign_column);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_campaign(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of a campaign, in the type of the campaign column; an error where there is no such campaign';

CREATE FUNCTION @extschema@.lead_phones_set_marks(
    tracked @extschema@.lead_phone_tables, literal text, phone @extschema@.e164, mark boolean) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    changed bigint;
BEGIN
    EXECUTE format($dml$
        UPDATE %1$s AS l
           SET %4$I = CASE WHEN l.%3$I = $1 THEN $2 ELSE l.%4$I END,
               %6$I = CASE WHEN l.%5$I = $1 THEN $2 ELSE l.%6$I END
         WHERE l.%2$I = %7$s
           AND (l.%3$I = $1 AND l.%4$I IS DISTINCT FROM $2 OR l.%5$I = $1 AND l.%6$I IS DISTINCT FROM $2)$dml$,
        tracked.leads, tracked.campaign_column,
        tracked.phone_column, tracked.phone_column || '_disqualified',
        tracked.mobile_column, tracked.mobile_column || '_disqualified',
        literal)
       USING phone::text, mark;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_set_marks(@extschema@.lead_phone_tables, text, @extschema@.e164, boolean) IS
    'internal: sets the marks of the leads that hold a number; returns how many changed';

CREATE FUNCTION @extschema@.lead_phones_lock_number(
    tracked @extschema@.lead_phone_tables, literal text, phone @extschema@.e164) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    lock_counts text := format('INSERT INTO %1$s AS c (%2$I, phone) VALUES (%3$s, $1)
                                ON CONFLICT (%2$I, phone) DO UPDATE SET disqualified = c.disqualified',
                               tracked.counts, tracked.campaign_column, literal);
    lock_leads text := format('SELECT FROM %1$s AS l WHERE l.%2$I = %5$s AND (l.%3$I = $1 OR l.%4$I = $1) FOR NO KEY UPDATE',
                              tracked.leads, tracked.campaign_column, tracked.phone_column, tracked.mobile_column, literal);
BEGIN
    -- Whoever holds a lead may be about to commit, and wait for the row of the counts: that row is never kept while waiting
    -- for a lead.
    FOR attempt IN 1 .. 100 LOOP
        BEGIN
            EXECUTE lock_counts USING phone;
            EXECUTE lock_leads || ' NOWAIT' USING phone::text;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            -- and again, without the locks of this attempt
        END;
        PERFORM pg_sleep(least(attempt, 50) * 0.001);
    END LOOP;
    -- Someone holds a lead for seconds: wait in line for him, where Postgres sees a deadlock.
    EXECUTE lock_leads USING phone::text;
    EXECUTE lock_counts USING phone;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lock_number(@extschema@.lead_phone_tables, text, @extschema@.e164) IS
    'internal: locks a number of a campaign, its row of the counts made where there was none';

CREATE FUNCTION @extschema@.lead_phones_apply_ledger(
    tracked @extschema@.lead_phone_tables, literal text, phone @extschema@.e164, standing boolean) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    changed bigint;
BEGIN
    EXECUTE format('UPDATE %1$s AS c SET disqualified = $2 WHERE c.%2$I = %3$s AND c.phone = $1 AND c.disqualified <> $2',
        tracked.counts, tracked.campaign_column, literal) USING phone, standing;
    changed := @extschema@.lead_phones_set_marks(tracked, literal, phone, standing);
    IF NOT standing THEN
        EXECUTE format('DELETE FROM %1$s AS c WHERE c.%2$I = %3$s AND c.phone = $1 AND NOT c.disqualified
                           AND c.lead_count = 0 AND c.phone_count = 0 AND c.mobile_count = 0',
            tracked.counts, tracked.campaign_column, literal) USING phone;
    END IF;
    RETURN changed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_ledger(@extschema@.lead_phone_tables, text, @extschema@.e164, boolean) IS
    'internal: brings counts and leads of a number in line with whether an entry stands; returns the leads changed';

CREATE FUNCTION @extschema@.lead_phones_disqualify(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    campaign text := arguments ->> 'campaign';
    phone @extschema@.e164 := @extschema@.normalize_phone(arguments ->> 'phone', tracked.region);
    source text := arguments ->> 'source';
    reason text := arguments ->> 'reason';
    expires_at timestamptz := arguments ->> 'expires_at';
    literal text := @extschema@.lead_phones_check_campaign(tracked, campaign);
    is_same boolean;
BEGIN
    PERFORM @extschema@.lead_phones_lock_number(tracked, literal, phone);
    -- no row where none of the source stands
    EXECUTE format('SELECT d.reason IS NOT DISTINCT FROM $3 AND d.expires_at IS NOT DISTINCT FROM $4 FROM %1$s AS d
                     WHERE d.%2$I = %3$s AND d.phone = $1 AND d.source = $2 AND d.lifted_at IS NULL',
        tracked.disqualifications, tracked.campaign_column, literal) INTO is_same
      USING phone, source, reason, expires_at;
    IF NOT is_same THEN
        -- The time is an argument: Citus distributes no UPDATE that calls a volatile function.
        EXECUTE format('UPDATE %1$s AS d SET lifted_by = $3, lifted_at = $4, lift_reason = ''replaced''
                         WHERE d.%2$I = %3$s AND d.phone = $1 AND d.source = $2 AND d.lifted_at IS NULL',
            tracked.disqualifications, tracked.campaign_column, literal)
          USING phone, source, arguments ->> 'by', clock_timestamp();
    END IF;
    IF is_same IS NOT TRUE THEN
        EXECUTE format('INSERT INTO %1$s (%2$I, phone, entry, source, reason, disqualified_by, disqualified_at, expires_at)
                        SELECT %3$s, $1, coalesce(max(d.entry), 0) + 1, $2, $3, $4, $6, $5
                          FROM %1$s AS d WHERE d.%2$I = %3$s AND d.phone = $1',
            tracked.disqualifications, tracked.campaign_column, literal)
          USING phone, source, reason, arguments ->> 'by', expires_at, clock_timestamp();
    END IF;
    RETURN jsonb_build_object('number', phone,
        'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, phone, true));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify(regclass, jsonb) IS
    'internal: disqualifies a number, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_requalify(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    campaign text := arguments ->> 'campaign';
    phone @extschema@.e164 := @extschema@.normalize_phone(arguments ->> 'phone', tracked.region);
    literal text := @extschema@.lead_phones_check_campaign(tracked, campaign);
    lifted bigint;
    standing boolean;
BEGIN
    PERFORM @extschema@.lead_phones_lock_number(tracked, literal, phone);
    EXECUTE format('UPDATE %1$s AS d SET lifted_by = $3, lifted_at = $6, lift_reason = $4
                     WHERE d.%2$I = %3$s AND d.phone = $1 AND d.lifted_at IS NULL AND d.source = coalesce($2, d.source)
                       AND (NOT $5 OR d.expires_at <= $6)',
        tracked.disqualifications, tracked.campaign_column, literal)
      USING phone, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason',
            coalesce((arguments ->> 'expired')::boolean, false), clock_timestamp();
    GET DIAGNOSTICS lifted = ROW_COUNT;
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$s AS d WHERE d.%2$I = %3$s AND d.phone = $1 AND d.lifted_at IS NULL)',
        tracked.disqualifications, tracked.campaign_column, literal) INTO standing USING phone;
    RETURN jsonb_build_object('number', phone, 'entries', lifted,
        'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, phone, standing));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_requalify(regclass, jsonb) IS
    'internal: lifts disqualifications of a number, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_expire(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    expired record;
    answer jsonb;
    entries bigint := 0;
    unmarked bigint := 0;
BEGIN
    FOR expired IN EXECUTE format(
        'SELECT d.%2$I::pg_catalog.text AS campaign, d.phone FROM %1$s AS d
          WHERE d.lifted_at IS NULL AND d.expires_at <= $1
          GROUP BY d.%2$I, d.phone ORDER BY d.%2$I, d.phone', tracked.disqualifications, tracked.campaign_column)
        USING clock_timestamp()
    LOOP
        answer := @extschema@.lead_phones_requalify(leads, arguments || jsonb_build_object(
            'campaign', expired.campaign, 'phone', expired.phone, 'reason', 'expired', 'expired', true));
        entries := entries + (answer ->> 'entries')::bigint;
        unmarked := unmarked + (answer ->> 'leads')::bigint;
    END LOOP;
    RETURN jsonb_build_object('leads', unmarked, 'entries', entries
        + @extschema@.lead_phones_expire_others(leads, arguments ->> 'by'));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire(regclass, jsonb) IS
    'internal: lifts the disqualifications that are past their time, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_call(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    required text;
BEGIN
    FOREACH required IN ARRAY CASE action
        WHEN 'disqualify' THEN '{campaign,phone,source}'::text[]
        WHEN 'requalify' THEN '{campaign,phone}'::text[]
        ELSE '{}'::text[] END
    LOOP
        IF arguments ->> required IS NULL THEN
            RAISE EXCEPTION '% must not be NULL', required
                USING ERRCODE = 'null_value_not_allowed',
                      HINT = 'Name the campaign and its number, as in CALL disqualify_phone(42, ''678 999 8212'').';
        END IF;
    END LOOP;
    RETURN @extschema@.lead_phones_as_owner(@extschema@.lead_phones_resolve(leads), action,
        arguments || jsonb_build_object('by', @extschema@.lead_phones_caller()));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call(regclass, text, jsonb) IS
    'internal: checks the arguments of a procedure and runs it';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign bigint,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'disqualify', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(bigint, text, text, text, timestamptz, regclass, @extschema@.e164, bigint) IS
    'marks every lead of a campaign that holds the number, in either column, now and at later uploads';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign uuid,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'disqualify', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(uuid, text, text, text, timestamptz, regclass, @extschema@.e164, bigint) IS
    'marks every lead of a campaign that holds the number, in either column, now and at later uploads';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign text,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'disqualify', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(text, text, text, text, timestamptz, regclass, @extschema@.e164, bigint) IS
    'marks every lead of a campaign that holds the number, in either column, now and at later uploads';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign bigint,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'requalify', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(bigint, text, text, text, regclass, @extschema@.e164, bigint) IS
    'lifts the disqualification of a source, or of all; the leads are unmarked when no other stands';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign uuid,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'requalify', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(uuid, text, text, text, regclass, @extschema@.e164, bigint) IS
    'lifts the disqualification of a source, or of all; the leads are unmarked when no other stands';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign text,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'requalify', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(text, text, text, text, regclass, @extschema@.e164, bigint) IS
    'lifts the disqualification of a source, or of all; the leads are unmarked when no other stands';

CREATE PROCEDURE @extschema@.expire_disqualifications(
    leads regclass DEFAULT NULL,
    INOUT entries_lifted bigint DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call(leads, 'expire', '{}'::jsonb);
BEGIN
    entries_lifted := answer ->> 'entries';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.expire_disqualifications(regclass, bigint, bigint) IS
    'lifts the disqualifications past their expires_at, and unmarks the leads that no other holds';
