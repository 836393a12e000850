-- Calls: the gate that a call passes before it is dialed, and what comes of it.
--
-- The procedures are for callers who were granted EXECUTE on them and have nothing else; see 4_disqualification.sql. What is done runs as the owner
-- of the lead tables. Of a number, one of these runs at a time: each takes its lock first, then a row of the counts, as disqualify_phone() does.

CREATE FUNCTION @extschema@.lead_phones_lock_calls(numbers text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'calls are made at READ COMMITTED'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'This transaction would not see who has been put out since it began.',
                  HINT = 'Run BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED.';
    END IF;
    PERFORM pg_advisory_xact_lock(@extschema@.lead_phones_call_key(n.number)) FROM (SELECT DISTINCT k AS number FROM unnest(numbers) AS k ORDER BY 1) AS n;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lock_calls(text[]) IS
    'internal: one lock on each number, in one order; an error in a transaction that would not see what others have committed';

CREATE FUNCTION @extschema@.lead_phones_call_key(subject text) RETURNS bigint
    STABLE LANGUAGE sql
AS $function$
    SELECT hashtextextended(format('lead_phones call %I %s', current_schema(), subject), 0)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_key(text) IS
    'internal: the lock of a number, or of a person, of these lead tables';

CREATE FUNCTION @extschema@.lead_phones_number_of(raw text, region text, phone text, mobile text) RETURNS text[]
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    wanted text;
BEGIN
    IF raw IS NULL THEN
        RETURN array_remove(ARRAY[phone, nullif(mobile, phone)], NULL);
    END IF;
    wanted := CASE lower(raw) WHEN 'phone' THEN phone WHEN 'mobile' THEN mobile ELSE @extschema@.try_normalize_phone(raw, region)::text END;
    IF lower(raw) NOT IN ('phone', 'mobile') AND (wanted IN (phone, mobile)) IS NOT TRUE THEN
        RAISE EXCEPTION '"%" is no number of the lead', left(raw, 64)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It has %s.', coalesce(nullif(concat_ws(' and ', phone, mobile), ''), 'none')),
                  HINT = 'Pass phone, mobile, one of its numbers, or NULL for the first that may be called.';
    END IF;
    RETURN array_remove(ARRAY[wanted], NULL);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_number_of(text, text, text, text) IS
    'internal: the numbers of a lead that are meant by an argument';

CREATE FUNCTION @extschema@.lead_phones_refusals(campaign bigint, lead bigint, number text, caller text) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    -- of the lead, of the columns that hold the number, and of others who are about to call it
    RETURN (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(r)) ORDER BY r.kind, r.until, r.source)
              FROM (SELECT $3 AS number, r.kind, r.subject, r.source, r.reason, r.disqualified_by AS by, r.disqualified_at AS since, r.expires_at AS until, r.lift
                      FROM lead_reasons AS r
                     WHERE r.lead_id = $2 AND r.campaign_id = $1 AND (r.blocks = 'lead' OR $3 = (
                        SELECT CASE r.blocks WHEN 'phone' THEN @extschema@.try_normalize_phone(c.phone, c.region) ELSE @extschema@.try_normalize_phone(c.mobile, c.region) END
                          FROM leads AS l JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
                         WHERE l.campaign_id = $1 AND l.lead_id = $2))
                     UNION
                    SELECT $3, 'claimed', $3, NULL, k.caller || ' is about to call', k.caller, NULL::timestamptz, max(k.claimed_until), NULL
                      FROM lead_claims AS k
                     WHERE k.subject IN (SELECT $3 UNION ALL SELECT format('contact %s/%s', l.campaign_id, l.contact_id) FROM leads AS l WHERE l.campaign_id = $1 AND l.lead_id = $2)
                       AND k.caller <> $4 AND k.claimed_until > @extschema@.lead_phones_clock()
                     GROUP BY k.caller) AS r);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_refusals(bigint, bigint, text, text) IS
    'internal: every reason why a number of a lead may not be called by somebody now; NULL where there is none';

CREATE FUNCTION @extschema@.lead_phones_start_call(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    lead constant bigint := arguments ->> 'lead';
    caller constant text := arguments ->> 'caller';
    person record;
    numbers text[];
    dialed text;
    refused jsonb;
    refusals jsonb := '[]';
    new_call bigint;
    clock timestamptz;
BEGIN
    SELECT l.campaign_id, l.contact_id, @extschema@.try_normalize_phone(c.phone, c.region)::text AS phone,
           @extschema@.try_normalize_phone(c.mobile, c.region)::text AS mobile, c.region, count(*) OVER () AS campaigns INTO person
      FROM leads AS l LEFT JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE l.lead_id = lead;
    IF NOT FOUND OR person.campaigns > 1 THEN
        RAISE EXCEPTION 'lead % %', lead, CASE WHEN person.campaigns > 1 THEN format('is in %s campaigns', person.campaigns) ELSE 'does not exist' END
            USING ERRCODE = CASE WHEN person.campaigns > 1 THEN 'cardinality_violation' ELSE 'no_data_found' END,
                  DETAIL = format('Table "%I.leads" has %s such lead_id.', current_schema(), CASE WHEN person.campaigns > 1 THEN 'more than one' ELSE 'no' END),
                  HINT = 'Name the lead_id of a lead.';
    END IF;
    numbers := @extschema@.lead_phones_number_of(arguments ->> 'phone', person.region, person.phone, person.mobile);
    PERFORM @extschema@.lead_phones_lock_calls(numbers);
    -- whoever is just putting the number out is waited for
    PERFORM FROM campaign_phone_counts AS c WHERE c.campaign_id = person.campaign_id AND c.phone = ANY (numbers::@extschema@.e164[]) ORDER BY c.phone FOR SHARE;
    IF numbers = '{}' THEN
        refusals := coalesce(@extschema@.lead_phones_refusals(person.campaign_id, lead, NULL, caller), '[]');
        RETURN jsonb_build_object('allowed', false, 'refusals', CASE WHEN refusals <> '[]' THEN refusals
            ELSE jsonb_build_array(jsonb_build_object('kind', 'number', 'reason', 'there is no valid number in ' || (arguments ->> 'phone'))) END);
    END IF;
    FOREACH dialed IN ARRAY numbers LOOP
        refused := @extschema@.lead_phones_refusals(person.campaign_id, lead, dialed, caller);
        EXIT WHEN refused IS NULL;
        refusals := refusals || refused;
    END LOOP;
    IF refused IS NOT NULL THEN
        RETURN jsonb_build_object('allowed', false, 'number', numbers[1], 'refusals', refusals);
    END IF;
    clock := @extschema@.lead_phones_clock();
    -- one that nobody has ended, and that is longer than any
    UPDATE calls AS k SET ended_at = k.started_at + coalesce((SELECT m.longest_call FROM campaigns AS m WHERE m.campaign_id = k.campaign_id), '2 hours')
     WHERE k.number = dialed::@extschema@.e164 AND k.ended_at IS NULL;
    INSERT INTO calls (campaign_id, lead_id, contact_id, number, caller, started_by, started_at)
    VALUES (person.campaign_id, lead, person.contact_id, dialed, caller, arguments ->> 'by', clock)
    RETURNING call_id INTO new_call;
    UPDATE call_outcomes AS o SET called_back_at = clock
     WHERE o.campaign_id = person.campaign_id AND o.lead_id = lead AND o.corrected_at IS NULL AND o.callback_at IS NOT NULL AND o.called_back_at IS NULL;
    DELETE FROM lead_claims AS k WHERE k.subject IN (dialed, format('contact %s/%s', person.campaign_id, person.contact_id));
    UPDATE leads AS l SET due_at = clock + (SELECT m.longest_call FROM campaigns AS m WHERE m.campaign_id = person.campaign_id)
     WHERE l.campaign_id = person.campaign_id AND l.lead_id = lead;
    RETURN jsonb_build_object('allowed', true, 'call_id', new_call, 'number', dialed, 'refusals', '[]'::jsonb);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_start_call(regclass, jsonb) IS
    'internal: logs a call of a lead, or says why it may not be called';

CREATE FUNCTION @extschema@.lead_phones_disposition(wanted text, callback_at timestamptz) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    found jsonb := (SELECT to_jsonb(d) FROM dispositions AS d WHERE d.name = wanted OR lower(d.name) = lower(btrim(wanted)) ORDER BY d.name = wanted DESC LIMIT 1);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION '%', CASE WHEN wanted IS NULL THEN 'disposition must not be NULL' ELSE format('there is no disposition "%s"', left(wanted, 64)) END
            USING ERRCODE = CASE WHEN wanted IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
                  DETAIL = format('There are %s.', (SELECT string_agg(d.name, ', ' ORDER BY d.name) FROM dispositions AS d)),
                  HINT = format('Name one of them, or add a row to "%I.dispositions".', current_schema());
    END IF;
    IF (found ->> 'calls_back')::boolean AND callback_at IS NULL THEN
        RAISE EXCEPTION 'callback_at must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = format('Disposition "%s" is about another call.', found ->> 'name'),
                  HINT = 'Say when to call back, as in callback_at => now() + ''1 month''.';
    END IF;
    IF callback_at IS NOT NULL AND (NOT (found ->> 'calls_back')::boolean OR NOT isfinite(callback_at)) THEN
        RAISE EXCEPTION 'callback_at is %', callback_at
            USING ERRCODE = 'invalid_parameter_value', DETAIL = CASE WHEN isfinite(callback_at) THEN format('Disposition "%s" calls nobody back.', found ->> 'name') ELSE 'It is no time.' END,
                  HINT = 'Leave it out, or name a disposition that calls back, and a time.';
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disposition(text, timestamptz) IS
    'internal: what a disposition means; an error where there is none of the name, or the time does not go with it';

CREATE FUNCTION @extschema@.lead_phones_is_out_by_calls(kind text, campaign bigint, subject text) RETURNS boolean
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    RETURN (SELECT CASE WHEN $1 <> 'phone' THEN EXISTS (
                            SELECT FROM lead_disqualifications AS d
                             WHERE d.lifted_at IS NULL AND d.source = 'disposition' AND d.campaign_id = $2 AND CASE $1 WHEN 'account' THEN d.account_id ELSE d.contact_id END = $3::bigint)
                        WHEN $2 IS NULL THEN EXISTS (
                            SELECT FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
                             WHERE s.number = ANY (@extschema@.lead_phones_keys($3)) AND d.source = 'disposition' AND s.lifted_at IS NULL AND d.lifted_at IS NULL)
                        ELSE EXISTS (
                            SELECT FROM campaign_phone_disqualifications AS d
                             WHERE d.campaign_id = $2 AND d.phone = $3::@extschema@.e164 AND d.source = 'disposition' AND d.lifted_at IS NULL) END);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_out_by_calls(text, bigint, text) IS
    'internal: whether there is an entry of source disposition that stands';

CREATE FUNCTION @extschema@.lead_phones_disqualify_by_call(kind text, campaign bigint, subject text, reason text, by_whom text, lifts boolean)
    RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    arguments constant jsonb := jsonb_build_object('kind', kind, 'campaign', campaign, 'subjects', jsonb_build_array(subject),
        'source', 'disposition', 'reason', reason, 'by', by_whom);
BEGIN
    IF lifts THEN
        PERFORM @extschema@.lead_phones_unsuppress('contacts'::regclass, arguments);
    ELSE
        PERFORM @extschema@.lead_phones_suppress('contacts'::regclass, arguments);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify_by_call(text, bigint, text, text, text, boolean) IS
    'internal: enters what a call disqualifies into the ledgers, or lifts it';

CREATE FUNCTION @extschema@.lead_phones_undo_outcome(undone bigint, of_campaign bigint, by_whom text) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    earlier record;
BEGIN
    SELECT o.* INTO earlier FROM call_outcomes AS o WHERE o.outcome = undone AND o.campaign_id = of_campaign;
    IF earlier.disqualified IS NULL THEN
        RETURN;
    END IF;
    -- What other calls say of the same stands. What was out before all of them stays so.
    UPDATE call_outcomes AS o SET was_out = o.was_out AND earlier.was_out
     WHERE o.disqualified = earlier.disqualified AND o.subject = earlier.subject AND o.corrected_at IS NULL
       AND o.everywhere = earlier.everywhere AND (o.everywhere OR o.campaign_id = earlier.campaign_id);
    IF NOT FOUND AND NOT earlier.was_out THEN
        PERFORM @extschema@.lead_phones_disqualify_by_call(earlier.disqualified, CASE WHEN NOT earlier.everywhere THEN earlier.campaign_id END,
            earlier.subject, 'corrected', by_whom, true);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_undo_outcome(bigint, bigint, text) IS
    'internal: lifts what a corrected outcome of a call has disqualified, and nothing else';

CREATE FUNCTION @extschema@.lead_phones_end_call(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    call_back_at constant timestamptz := arguments ->> 'callback_at';
    by_whom constant text := arguments ->> 'by';
    clock timestamptz;
    call record;
    outcome constant jsonb := @extschema@.lead_phones_disposition(arguments ->> 'disposition', call_back_at);
    is_everywhere constant boolean := outcome ->> 'everywhere';
    ended timestamptz;
    rests_until timestamptz;
    disqualified text := outcome ->> 'disqualifies';
    subject text;
    was_out boolean;
    campaign bigint;
    earlier bigint;
BEGIN
    SELECT k.* INTO call FROM calls AS k WHERE k.call_id = (arguments ->> 'call')::bigint;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'call % does not exist', arguments ->> 'call'
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.calls" has no such call_id.', current_schema()),
                  HINT = 'Name the call_id that start_call() returned.';
    END IF;
    PERFORM @extschema@.lead_phones_lock_calls(ARRAY[call.number::text]);
    SELECT k.* INTO call FROM calls AS k WHERE k.campaign_id = call.campaign_id AND k.call_id = call.call_id FOR UPDATE;
    clock := @extschema@.lead_phones_clock();
    ended := coalesce(call.ended_at, clock);
    campaign := CASE WHEN NOT is_everywhere THEN call.campaign_id END;
    rests_until := greatest(ended + (outcome ->> 'rests')::interval, call_back_at);
    IF disqualified <> 'phone' THEN
        SELECT CASE WHEN disqualified = 'account' AND c.account_id IS NOT NULL THEN 'account' ELSE 'contact' END,
               CASE WHEN disqualified = 'account' AND c.account_id IS NOT NULL THEN c.account_id ELSE c.contact_id END::text
          INTO disqualified, subject
          FROM contacts AS c WHERE c.campaign_id = call.campaign_id AND c.contact_id = call.contact_id;
    END IF;
    IF outcome ->> 'disqualifies' IS NOT NULL THEN
        -- who has no company any more, or no row, is out by what is left of him
        disqualified := CASE WHEN subject IS NULL THEN 'phone' ELSE disqualified END;
        subject := coalesce(subject, call.number);
        was_out := @extschema@.lead_phones_is_out_by_calls(disqualified, campaign, subject);
        PERFORM @extschema@.lead_phones_disqualify_by_call(disqualified, campaign, subject,
            concat_ws(': ', outcome ->> 'name', arguments ->> 'note'), by_whom, false);
    END IF;
    UPDATE call_outcomes AS o SET corrected_at = clock, corrected_by = by_whom
     WHERE o.campaign_id = call.campaign_id AND o.call_id = call.call_id AND o.corrected_at IS NULL
    RETURNING o.outcome INTO earlier;
    INSERT INTO call_outcomes (campaign_id, call_id, lead_id, number, disposition, note, callback_at, rests_until, everywhere, disqualified, subject, was_out,
        recorded_by, recorded_at)
    VALUES (call.campaign_id, call.call_id, call.lead_id, call.number, outcome ->> 'name', arguments ->> 'note', call_back_at, rests_until,
        is_everywhere, disqualified, subject, was_out, by_whom, clock);
    PERFORM @extschema@.lead_phones_undo_outcome(earlier, call.campaign_id, by_whom);
    UPDATE calls AS k
       SET ended_at = ended, disposition = outcome ->> 'name', note = arguments ->> 'note',
           callback_at = call_back_at, is_attempt = (outcome ->> 'is_attempt')::boolean
     WHERE k.campaign_id = call.campaign_id AND k.call_id = call.call_id;
    UPDATE leads AS l SET due_at = coalesce(rests_until, clock) WHERE l.campaign_id = call.campaign_id AND l.lead_id = call.lead_id;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_end_call(regclass, jsonb) IS
    'internal: records the outcome of a call, or corrects it, and what follows from it';

CREATE FUNCTION @extschema@.lead_phones_call_step(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    required constant text := CASE action WHEN 'start_call' THEN 'lead' WHEN 'end_call' THEN 'call' ELSE 'campaign' END;
BEGIN
    IF arguments ->> required IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE required WHEN 'call' THEN 'call_id' ELSE required END
            USING ERRCODE = 'null_value_not_allowed', HINT = CASE required WHEN 'lead' THEN 'Name its lead_id, as callable_leads and next_leads() have it.'
                WHEN 'call' THEN 'Name the call_id that start_call() returned.' ELSE 'Name the campaign whose leads are to be called.' END;
    END IF;
    -- whether they are complete, and closed to others, is remembered where they are used (src/lead_tables.rs)
    leads := coalesce((SELECT l.oid FROM pg_catalog.pg_class AS n JOIN pg_catalog.pg_class AS l ON l.relnamespace = n.relnamespace AND l.relname = 'leads'
                        WHERE n.oid = lead_phones_call_step.leads), format('%I.leads', @extschema@.lead_phones_model(leads))::regclass);
    RETURN @extschema@.lead_phones_as_owner(leads, action, arguments || jsonb_build_object('by', @extschema@.lead_phones_caller(),
        'caller', coalesce(nullif(btrim(arguments ->> 'caller'), ''), @extschema@.lead_phones_caller())));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_step(regclass, text, jsonb) IS
    'internal: checks the arguments of what callers do and runs it';

CREATE PROCEDURE @extschema@.start_call(
    lead bigint,
    phone text DEFAULT NULL,
    caller text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT call_id bigint DEFAULT NULL,
    INOUT allowed boolean DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT refusals jsonb DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'start_call', jsonb_build_object('lead', lead, 'phone', phone, 'caller', caller));
BEGIN
    call_id := answer ->> 'call_id';
    allowed := answer ->> 'allowed';
    number := answer ->> 'number';
    refusals := answer -> 'refusals';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.start_call(bigint, text, text, regclass, bigint, boolean, @extschema@.e164, jsonb) IS
    'asks whether a lead may be called now, and logs the call; otherwise says every reason why not, and when it ends';

CREATE PROCEDURE @extschema@.end_call(
    call_id bigint,
    disposition text DEFAULT NULL,
    note text DEFAULT NULL,
    callback_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads())
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    PERFORM @extschema@.lead_phones_run(leads, 'end_call', jsonb_build_object('call', call_id, 'disposition', disposition, 'note', note,
        'callback_at', callback_at));
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.end_call(bigint, text, text, timestamptz, regclass) IS
    'says what came of a call, with what that means for the number, the contact or the account; called again, corrects it';
