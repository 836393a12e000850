-- What the procedures do, as the owner of the table.

CREATE FUNCTION @extschema@.lead_phones_disqualify(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    campaign text := arguments ->> 'campaign';
    source text := arguments ->> 'source';
    reason text := arguments ->> 'reason';
    expires_at timestamptz := arguments ->> 'expires_at';
    literal text;
    numbers @extschema@.e164[];
    entered_at timestamptz;
BEGIN
    IF campaign IS NULL AND tracked.campaign_column IS NOT NULL THEN
        RETURN @extschema@.lead_phones_disqualify_everywhere(leads, arguments);
    END IF;
    literal := @extschema@.lead_phones_check_campaign(tracked, campaign);
    numbers := @extschema@.lead_phones_numbers_of(tracked, literal, arguments);
    PERFORM @extschema@.lead_phones_lock_numbers(tracked, array_fill(campaign, ARRAY[cardinality(numbers)]), numbers, are_out => true);
    -- Of a source, the longest is in force: an entry that says something else, or ends before, is replaced. The time is an argument: Citus
    -- distributes no UPDATE that calls a volatile function.
    entered_at := clock_timestamp();
    EXECUTE format('UPDATE %s AS d SET lifted_by = $3, lifted_at = $4, lift_reason = ''replaced''
                     WHERE %s AND d.phone = ANY ($1) AND d.source = $2 AND d.lifted_at IS NULL
                       AND (d.reason IS DISTINCT FROM $5 OR d.expires_at < coalesce($6, ''infinity''))',
        tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, source, arguments ->> 'by', entered_at, reason, expires_at;
    EXECUTE format('INSERT INTO %1$s (%2$s, entry, source, reason, disqualified_by, disqualified_at, expires_at)
                    SELECT %3$s, coalesce(e.entry, 0) + 1, $2, $3, $4, $6, nullif(greatest(e.until, coalesce($5, ''infinity'')), ''infinity'')
                      FROM unnest($1) AS k (phone)
                      LEFT JOIN (SELECT d.phone, max(d.entry) AS entry, bool_or(d.source = $2 AND d.lifted_at IS NULL) AS in_force,
                                        max(coalesce(d.expires_at, ''infinity'')) FILTER (
                                            WHERE d.source = $2 AND d.lifted_at = $6 AND d.lift_reason = ''replaced'') AS until
                                   FROM %1$s AS d WHERE %4$s AND d.phone = ANY ($1) GROUP BY d.phone) AS e ON e.phone = k.phone
                     WHERE e.in_force IS NOT TRUE',
        tracked.disqualifications, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, literal, 'k.phone'),
        @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, source, reason, arguments ->> 'by', expires_at, entered_at;
    RETURN jsonb_build_object('number', numbers[1], 'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, numbers, are_out => true));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify(regclass, jsonb) IS
    'internal: disqualifies numbers of a campaign, as the caller';

CREATE FUNCTION @extschema@.lead_phones_requalify(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    campaign text := arguments ->> 'campaign';
    literal text;
    numbers @extschema@.e164[];
    entries bigint;
BEGIN
    IF campaign IS NULL AND tracked.campaign_column IS NOT NULL THEN
        RETURN @extschema@.lead_phones_requalify_everywhere(leads, arguments);
    END IF;
    literal := @extschema@.lead_phones_check_campaign(tracked, campaign);
    numbers := @extschema@.lead_phones_numbers_of(tracked, literal, arguments);
    -- Of one that was spelled, no other reading is brought back.
    IF NOT arguments ? 'subjects' THEN
        numbers := numbers[1:1];
    END IF;
    PERFORM @extschema@.lead_phones_lock_numbers(tracked, array_fill(campaign, ARRAY[cardinality(numbers)]), numbers);
    EXECUTE format('UPDATE %s AS d SET lifted_by = $3, lifted_at = $5, lift_reason = $4
                     WHERE %s AND d.phone = ANY ($1) AND d.lifted_at IS NULL AND d.source = coalesce($2, d.source)',
        tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason', clock_timestamp();
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN jsonb_build_object('number', numbers[1], 'entries', entries,
        'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, numbers));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_requalify(regclass, jsonb) IS
    'internal: lifts disqualifications of numbers of a campaign, as the caller';

CREATE FUNCTION @extschema@.lead_phones_expire(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    expired_at constant timestamptz := clock_timestamp();
    campaigns text[];
    phones @extschema@.e164[];
    ordered record;
    lifted bigint;
    lifted_here bigint := 0;
    unmarked_here bigint := 0;
BEGIN
    EXECUTE format('SELECT array_agg(%s), array_agg(d.phone) FROM %s AS d WHERE d.lifted_at IS NULL AND d.expires_at <= $1',
        @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'd')), tracked.disqualifications)
       INTO campaigns, phones USING expired_at;
    IF phones IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_lock_numbers(tracked, campaigns, phones, NOT arguments ? 'all');
        FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
            EXECUTE format('UPDATE %s AS d SET lifted_by = $2, lifted_at = $3, lift_reason = ''expired''
                             WHERE %s AND d.phone = ANY ($1) AND d.lifted_at IS NULL AND d.expires_at <= $3',
                tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', ordered.literal))
              USING ordered.numbers, arguments ->> 'by', expired_at;
            GET DIAGNOSTICS lifted = ROW_COUNT;
            lifted_here := lifted_here + lifted;
            unmarked_here := unmarked_here + @extschema@.lead_phones_apply_ledger(tracked, ordered.literal, ordered.numbers);
        END LOOP;
    END IF;
    RETURN (SELECT jsonb_build_object('leads', unmarked_here + e.unmarked, 'entries', lifted_here + e.entries)
              FROM @extschema@.lead_phones_expire_everywhere(tracked, arguments) AS e);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire(regclass, jsonb) IS
    'internal: lifts the disqualifications that are past their time, as the caller';

CREATE FUNCTION @extschema@.lead_phones_check_source(source text) RETURNS void
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF octet_length(source) > 1000 THEN
        RAISE EXCEPTION 'source "%..." is too long', left(source, 64)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Entries are found by it, and a key has 1000 bytes at most.',
                  HINT = 'Name the source in a few words, and tell the rest in reason.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_source(text) IS 'internal: an error where a source is too long for an index';

CREATE FUNCTION @extschema@.lead_phones_check_not_of_calls(source text) RETURNS void
    IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF source = 'disposition' THEN
        RAISE EXCEPTION 'source "disposition" is that of end_call()'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A call that is corrected lifts what it entered.', HINT = 'Name another source.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_not_of_calls(text) IS
    'internal: an error where an entry is made by hand under the name of those of calls';

CREATE FUNCTION @extschema@.lead_phones_call(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    required text;
    tracked regclass;
    answer jsonb;
BEGIN
    FOREACH required IN ARRAY CASE action
        WHEN 'disqualify' THEN '{phone,source}'::text[]
        WHEN 'requalify' THEN '{phone}'::text[]
        ELSE '{}'::text[] END
    LOOP
        IF arguments ->> required IS NULL THEN
            RAISE EXCEPTION '% must not be NULL', required
                USING ERRCODE = 'null_value_not_allowed',
                      HINT = CASE required WHEN 'source' THEN 'Name who or what asks for it, or leave it out for "manual".'
                          ELSE 'Name the campaign and its number, as in CALL disqualify_phone(42, ''678 999 8212''); NULL is every campaign.' END;
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_check_source(arguments ->> 'source');
    arguments := arguments || jsonb_build_object('by', @extschema@.lead_phones_caller());
    -- From the start: with a weaker lock, it would wait for one who tracks the table, and be waited for.
    PERFORM @extschema@.lead_phones_hold_to_write(@extschema@.lead_phones_meant(leads));
    tracked := @extschema@.lead_phones_resolve(leads);
    IF action = 'disqualify' AND @extschema@.lead_phones_beside(tracked, 'lead_claims'::name) IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_check_not_of_calls(arguments ->> 'source');
    END IF;
    answer := @extschema@.lead_phones_as_owner(tracked, action, arguments);
    IF action = 'requalify' AND arguments ->> 'campaign' IS NOT NULL AND @extschema@.lead_phones_beside(tracked, 'lead_claims'::name) IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_as_owner(tracked, 'call_again', jsonb_build_object('campaign', arguments -> 'campaign', 'number', answer -> 'number'));
    END IF;
    IF action = 'expire' AND @extschema@.lead_phones_beside(tracked, 'lead_disqualifications'::name) IS NOT NULL THEN
        answer := answer || jsonb_build_object('entries', (answer ->> 'entries')::bigint
            + (@extschema@.lead_phones_as_owner(tracked, 'expire_entries', arguments) ->> 'entries')::bigint);
    END IF;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call(regclass, text, jsonb) IS
    'internal: checks the arguments of a procedure and runs it';
