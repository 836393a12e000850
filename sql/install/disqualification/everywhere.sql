-- Numbers that are disqualified in every campaign.

CREATE FUNCTION @extschema@.lead_phones_check_everywhere(tracked @extschema@.lead_phone_tables) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF @extschema@.lead_phones_is_distributed(tracked.leads) THEN
        RAISE EXCEPTION 'no number of table "%" can be disqualified in every campaign at once', tracked.leads
            USING ERRCODE = 'feature_not_supported', DETAIL = 'Citus distributes it by campaign, and a trigger looks at the tables of its own campaign alone.',
                  HINT = 'Disqualify the number in each campaign.';
    END IF;
    IF @extschema@.lead_phones_out_everywhere(tracked) IS NULL THEN
        RAISE EXCEPTION 'table "%" has no ledger of numbers that are disqualified in every campaign', tracked.leads
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'phone_suppressions and suppressed_phones are missing.',
                  HINT = format('Run track_lead_phones(%L, ...) with the settings that it has.', tracked.leads);
    END IF;
    -- Rows of the counts are looked for after their numbers were locked.
    PERFORM @extschema@.lead_phones_check_isolation();
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_everywhere(@extschema@.lead_phone_tables) IS
    'internal: an error where numbers of a tracked table cannot be disqualified in every campaign';

CREATE FUNCTION @extschema@.lead_phones_take_turns(tracked @extschema@.lead_phone_tables, keys bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_hold_to_write(tracked.leads),
            -- beside the slots: who writes counts is not waited for with these
            @extschema@.lead_phones_lock_slot(tracked.suppressed, 64 + s, false, true)
       FROM unnest(@extschema@.lead_phones_slots(keys)) AS s;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_take_turns(@extschema@.lead_phone_tables, bigint[]) IS
    'internal: lets calls for every campaign that share numbers come one after the other, before they write the ledger';

CREATE FUNCTION @extschema@.lead_phones_wait_everywhere(
    tracked @extschema@.lead_phone_tables, campaigns text[], phones @extschema@.e164[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    ordered record;
BEGIN
    FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
        PERFORM @extschema@.lead_phones_wait_for_lead(tracked, ordered.literal, ordered.numbers);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_wait_everywhere(@extschema@.lead_phone_tables, text[], @extschema@.e164[]) IS
    'internal: waits for those who hold leads of numbers, and keeps no lock: where Postgres sees a deadlock, and ends it';

CREATE FUNCTION @extschema@.lead_phones_apply_everywhere(tracked @extschema@.lead_phone_tables, keys bigint[], waits boolean DEFAULT true) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_any_hashed constant boolean := EXISTS (SELECT FROM unnest(keys) AS k WHERE k < 0);
    campaign constant text := @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'c'));
    few constant int := 1000;
    tries constant int := 20;
    started_at constant timestamptz := clock_timestamp();
    lock_timeout constant interval := current_setting('lock_timeout')::interval;
    campaigns text[];
    phones @extschema@.e164[];
    ordered record;
    changed bigint := 0;
BEGIN
    FOR attempt IN 1 .. 10000 LOOP
        BEGIN
            -- Who is just writing counts holds these. At first nobody waits for that in line: others would have to wait behind. Later it is the turn of
            -- those in line, who keep what they get.
            IF NOT (SELECT bool_and(@extschema@.lead_phones_lock_slot(tracked.suppressed, s, false, waits AND attempt > tries))
                      FROM unnest(@extschema@.lead_phones_slots(keys)) AS s) THEN
                RAISE lock_not_available USING MESSAGE = format('the numbers are being written to the phone counts "%s"', tracked.counts),
                    DETAIL = 'Other transactions hold them until they end.', HINT = 'Try again. pg_blocking_pids() says which sessions they are.';
            END IF;
            EXECUTE format(CASE WHEN is_any_hashed
                THEN 'SELECT array_agg(%2$s), array_agg(c.phone) FROM %1$s AS c
                       CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(c.phone)) AS k JOIN unnest($1) AS n ON n = k'
                WHEN cardinality(keys) <= few
                THEN 'SELECT array_agg(%2$s), array_agg(c.phone) FROM %1$s AS c
                       WHERE %3$s AND c.phone = ANY (ARRAY(SELECT ''+'' || n FROM unnest($1) AS n))'
                ELSE 'SELECT array_agg(%2$s), array_agg(c.phone) FROM %1$s AS c
                        JOIN unnest($1) AS n ON n = substr(c.phone, 2)::bigint' END,
                tracked.counts, campaign, @extschema@.lead_phones_is_of(tracked, 'c', @extschema@.lead_phones_campaigns_of(tracked))) INTO campaigns, phones USING keys;
            IF phones IS NOT NULL THEN
                PERFORM @extschema@.lead_phones_lock_numbers(tracked, campaigns, phones, false, 1);
            END IF;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt >= 10000 OR attempt > 50 AND NOT waits OR lock_timeout > '0' AND clock_timestamp() - started_at >= lock_timeout THEN
                RAISE;
            END IF;
        END;
        IF attempt <= tries OR NOT waits THEN
            PERFORM pg_sleep(attempt * 0.001);
        ELSE
            PERFORM @extschema@.lead_phones_wait_everywhere(tracked, campaigns, phones);
        END IF;
    END LOOP;
    FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
        changed := changed + @extschema@.lead_phones_apply_ledger(tracked, ordered.literal, ordered.numbers);
    END LOOP;
    RETURN changed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_everywhere(@extschema@.lead_phone_tables, bigint[], boolean) IS
    'internal: brings counts and leads of numbers in every campaign in line with the ledgers; returns the leads changed';

CREATE FUNCTION @extschema@.lead_phones_enter_everywhere(
    tracked @extschema@.lead_phone_tables, arguments jsonb, OUT phone @extschema@.e164, OUT keys bigint[])
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    everywhere constant text := @extschema@.lead_phones_out_everywhere(tracked);
    phones @extschema@.e164[];
    missing bigint[];
    entry bigint;
    written bigint;
    source constant text := arguments ->> 'source';
    reason constant text := arguments ->> 'reason';
    expires_at constant timestamptz := (arguments ->> 'expires_at')::timestamptz;
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    IF arguments ? 'keys' THEN
        keys := ARRAY(SELECT k::bigint FROM jsonb_array_elements_text(arguments -> 'keys') AS k ORDER BY 1);
    ELSE
        phones := @extschema@.lead_phones_numbers_of(tracked, NULL, arguments);
        keys := ARRAY(SELECT substr(n, 2)::bigint FROM unnest(phones) AS n ORDER BY 1);
    END IF;
    PERFORM @extschema@.lead_phones_take_turns(tracked, keys);
    -- Of a source, the longest is in force: so an entry that says the same, and lasts as long, is enough; and none that lasts longer is replaced.
    EXECUTE format('SELECT array_agg(DISTINCT n.number ORDER BY n.number) FROM unnest($1) AS n (number)
                     WHERE NOT EXISTS (SELECT FROM %s WHERE s.number = n.number AND p.source = $2 AND p.reason IS NOT DISTINCT FROM $3
                                          AND coalesce(p.expires_at, ''infinity'') >= coalesce($4, ''infinity''))', everywhere)
       INTO missing USING keys, source, reason, expires_at;
    IF missing IS NOT NULL THEN
        EXECUTE format('UPDATE %s AS s SET lifted_by = $3, lifted_at = $4, lift_reason = ''replaced'' FROM %s AS p, unnest($1) AS n (number)
                         WHERE p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL AND s.number = n.number AND p.source = $2
                           AND coalesce(p.expires_at, ''infinity'') <= coalesce($5, ''infinity'')',
            tracked.suppressed, tracked.suppressions)
          USING missing, source, arguments ->> 'by', clock_timestamp(), expires_at;
        EXECUTE format('INSERT INTO %s AS p (source, reason, disqualified_by, disqualified_at, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING p.entry',
            tracked.suppressions)
           INTO entry USING source, reason, arguments ->> 'by', clock_timestamp(), expires_at;
        PERFORM @extschema@.lead_phones_check_written(tracked.suppressions, 1::bigint - num_nonnulls(entry));
        EXECUTE format('INSERT INTO %s (number, entry) SELECT n, $2 FROM unnest($1) AS n ORDER BY n', tracked.suppressed)
          USING missing, entry;
        GET DIAGNOSTICS written = ROW_COUNT;
        PERFORM @extschema@.lead_phones_check_written(tracked.suppressed, cardinality(missing) - written);
    END IF;
    phone := phones[1];
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_enter_everywhere(@extschema@.lead_phone_tables, jsonb) IS
    'internal: enters numbers into the ledger of every campaign; counts and leads are yet to be brought in line';

CREATE FUNCTION @extschema@.lead_phones_disqualify_everywhere(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    entered record;
BEGIN
    SELECT * INTO entered FROM @extschema@.lead_phones_enter_everywhere(tracked, arguments);
    RETURN jsonb_build_object('number', entered.phone, 'leads', @extschema@.lead_phones_apply_everywhere(tracked, entered.keys));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify_everywhere(regclass, jsonb) IS
    'internal: disqualifies numbers in every campaign, as the caller';

CREATE FUNCTION @extschema@.lead_phones_requalify_everywhere(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    phones @extschema@.e164[];
    keys bigint[];
    -- Of numbers that are known, their own keys find the rows of the counts; by a hash, every row would be looked at.
    applied bigint[];
    entries bigint;
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    IF arguments ? 'keys' THEN
        keys := ARRAY(SELECT k::bigint FROM jsonb_array_elements_text(arguments -> 'keys') AS k ORDER BY 1);
        applied := keys;
    ELSE
        phones := @extschema@.lead_phones_numbers_of(tracked, NULL, arguments);
        -- Of one that was spelled, no other reading is brought back.
        IF NOT arguments ? 'subjects' THEN
            phones := phones[1:1];
        END IF;
        keys := ARRAY(SELECT k FROM unnest(phones) AS n CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(n)) AS k ORDER BY 1);
        applied := ARRAY(SELECT substr(n, 2)::bigint FROM unnest(phones) AS n ORDER BY 1);
    END IF;
    PERFORM @extschema@.lead_phones_take_turns(tracked, applied);
    EXECUTE format('UPDATE %s AS s SET lifted_by = $3, lifted_at = $5, lift_reason = $4 FROM %s AS p, unnest($1) AS n (number)
                     WHERE p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL AND s.number = n.number AND p.source = coalesce($2, p.source)',
        tracked.suppressed, tracked.suppressions)
      USING keys, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason', clock_timestamp();
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN jsonb_build_object('number', phones[1], 'entries', entries, 'leads', @extschema@.lead_phones_apply_everywhere(tracked, applied));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_requalify_everywhere(regclass, jsonb) IS
    'internal: lifts disqualifications of numbers in every campaign, as the caller';

CREATE FUNCTION @extschema@.lead_phones_expire_everywhere(
    tracked @extschema@.lead_phone_tables, arguments jsonb, OUT entries bigint, OUT unmarked bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    expired_at constant timestamptz := clock_timestamp();
    expired int[];
    keys bigint[];
BEGIN
    entries := 0;
    unmarked := 0;
    IF @extschema@.lead_phones_out_everywhere(tracked) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT array_agg(p.entry) FROM %s AS p WHERE p.lifted_at IS NULL AND p.expires_at <= $1',
        tracked.suppressions) INTO expired USING expired_at;
    IF expired IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_check_isolation();
    EXECUTE format('SELECT array_agg(DISTINCT s.number), count(*) FROM %s WHERE s.entry = ANY ($1)', @extschema@.lead_phones_out_everywhere(tracked))
       INTO keys, entries USING expired;
    PERFORM @extschema@.lead_phones_take_turns(tracked, keys);
    EXECUTE format('UPDATE %s AS p SET lifted_by = $2, lifted_at = $3, lift_reason = ''expired'' WHERE p.entry = ANY ($1) AND p.lifted_at IS NULL',
        tracked.suppressions) USING expired, arguments ->> 'by', expired_at;
    IF keys IS NOT NULL THEN
        unmarked := @extschema@.lead_phones_apply_everywhere(tracked, keys, NOT arguments ? 'all');
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire_everywhere(@extschema@.lead_phone_tables, jsonb) IS
    'internal: lifts the entries of every campaign that are past their time';
