-- What comes of a call.

CREATE FUNCTION @extschema@.lead_phones_disposition(wanted text, callback_at timestamptz) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    found jsonb := (SELECT to_jsonb(d) FROM dispositions AS d WHERE d.name = wanted OR lower(d.name) = lower(btrim(wanted)) ORDER BY d.name = wanted DESC LIMIT 1);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION '%', CASE WHEN wanted IS NULL THEN 'disposition must not be NULL' ELSE format('there is no disposition "%s"', left(wanted, 64)) END
            USING ERRCODE = CASE WHEN wanted IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
                  DETAIL = format('There are %s.', coalesce((SELECT string_agg(d.name, ', ' ORDER BY d.name) FROM dispositions AS d), 'none')),
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

CREATE FUNCTION @extschema@.lead_phones_entry_of_calls(kind text, campaign bigint, subject text) RETURNS bigint
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    RETURN CASE WHEN kind <> 'phone' THEN (
                    SELECT d.entry FROM lead_disqualifications AS d
                     WHERE d.lifted_at IS NULL AND d.source = 'disposition' AND d.campaign_id = campaign AND d.expires_at IS NULL
                       AND CASE kind WHEN 'account' THEN d.account_id ELSE d.contact_id END = subject::bigint)
                WHEN campaign IS NULL THEN (
                    SELECT d.entry FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
                     WHERE s.number = substr(subject, 2)::bigint AND d.source = 'disposition' AND d.expires_at IS NULL AND s.lifted_at IS NULL AND d.lifted_at IS NULL)
                ELSE (
                    SELECT d.entry FROM campaign_phone_disqualifications AS d
                     WHERE d.campaign_id = campaign AND d.phone = subject::@extschema@.e164 AND d.source = 'disposition' AND d.expires_at IS NULL
                       AND d.lifted_at IS NULL) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_entry_of_calls(text, bigint, text) IS
    'internal: the entry of source disposition by which a number, a contact or an account is disqualified without end';

CREATE FUNCTION @extschema@.lead_phones_disqualify_by_call(kind text, campaign bigint, subject text, reason text, by_whom text) RETURNS bigint
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    standing bigint := @extschema@.lead_phones_entry_of_calls(kind, campaign, subject);
BEGIN
    IF standing IS NULL THEN
        PERFORM @extschema@.lead_phones_suppress('contacts'::regclass, jsonb_build_object('kind', kind, 'campaign', campaign, 'subjects', jsonb_build_array(subject),
            'source', 'disposition', 'reason', reason, 'by', by_whom));
        RETURN @extschema@.lead_phones_entry_of_calls(kind, campaign, subject);
    END IF;
    -- One that somebody has made by hand is left alone.
    RETURN CASE WHEN EXISTS (
        SELECT FROM call_outcomes AS o
         WHERE o.disqualified = kind AND o.entry = standing AND o.subject = lead_phones_disqualify_by_call.subject AND o.everywhere = (campaign IS NULL)
           AND o.campaign_id = coalesce(campaign, o.campaign_id)) THEN standing END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify_by_call(text, bigint, text, text, text) IS
    'internal: enters what a call disqualifies into the ledgers; the entry in force, where it is of calls';

CREATE FUNCTION @extschema@.lead_phones_due_again(campaign bigint, contacts bigint[], spared bigint DEFAULT NULL) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- The first of those that were put off: of a switchboard's many, the others are asked about anyway. A session that holds one looks at it itself;
    -- waiting for that while rows of the counts are held would end in a deadlock.
    UPDATE leads AS l SET due_at = clock
     WHERE l.campaign_id = campaign AND l.lead_id = ANY (ARRAY(
        SELECT w.lead_id FROM leads AS w
         WHERE w.campaign_id = campaign AND w.contact_id = ANY (contacts) AND w.due_at > clock AND w.lead_id IS DISTINCT FROM spared
           AND NOT EXISTS (SELECT FROM lead_claims AS k WHERE k.subject = format('contact %s/%s', campaign, w.contact_id) AND k.claimed_until > clock)
           AND NOT EXISTS (SELECT FROM calls AS k WHERE k.campaign_id = campaign AND k.lead_id = w.lead_id AND k.ended_at IS NULL)
         ORDER BY w.lead_id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_due_again(bigint, bigint[], bigint) IS
    'internal: leads of people whom nothing may keep from being called any more are looked at again, but for one';

CREATE FUNCTION @extschema@.lead_phones_contacts_of(campaign bigint, number text) RETURNS bigint[]
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    RETURN ARRAY(SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = campaign AND c.phone = number
                  UNION
                 SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = campaign AND c.mobile = number);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_contacts_of(bigint, text) IS 'internal: the people of a campaign who have a number';

CREATE FUNCTION @extschema@.lead_phones_call_again(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaign constant bigint := arguments ->> 'campaign';
BEGIN
    PERFORM @extschema@.lead_phones_due_again(campaign, @extschema@.lead_phones_contacts_of(campaign, arguments ->> 'number'));
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_again(regclass, jsonb) IS
    'internal: leads of a number that was requalified are looked at again by next_leads()';

CREATE FUNCTION @extschema@.lead_phones_lift_outcome(undone jsonb, by_whom text, clock timestamptz) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    of_campaign constant bigint := undone ->> 'campaign_id';
    is_everywhere constant boolean := undone ->> 'everywhere';
    campaign constant bigint := CASE WHEN NOT is_everywhere THEN of_campaign END;
    kind constant text := undone ->> 'disqualified';
    whom constant text := undone ->> 'subject';
    lifted constant bigint := undone ->> 'entry';
BEGIN
    -- Lifted is the entry of this outcome, where it is still in force, and no other call says the same.
    IF lifted IS NULL OR lifted IS DISTINCT FROM @extschema@.lead_phones_entry_of_calls(kind, campaign, whom)
       OR EXISTS (SELECT FROM call_outcomes AS o
                   WHERE o.disqualified = kind AND o.entry = lifted AND o.subject = whom AND o.everywhere = is_everywhere
                     AND (o.everywhere OR o.campaign_id = of_campaign) AND o.corrected_at IS NULL) THEN
        RETURN;
    END IF;
    IF kind <> 'phone' THEN
        UPDATE lead_disqualifications AS d SET lifted_by = by_whom, lifted_at = clock, lift_reason = 'corrected' WHERE d.entry = lifted;
        PERFORM @extschema@.lead_phones_due_again(of_campaign, CASE kind WHEN 'contact' THEN ARRAY[whom::bigint] ELSE ARRAY(
            SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = of_campaign AND c.account_id = whom::bigint) END);
    ELSIF is_everywhere OR EXISTS (SELECT FROM campaigns AS m WHERE m.campaign_id = of_campaign) THEN
        PERFORM @extschema@.lead_phones_requalify('contacts'::regclass, jsonb_build_object('campaign', campaign, 'subjects', jsonb_build_array(whom),
            'source', 'disposition', 'reason', 'corrected', 'by', by_whom));
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lift_outcome(jsonb, text, timestamptz) IS
    'internal: lifts what an outcome of a call alone has disqualified, once it is corrected';

CREATE FUNCTION @extschema@.lead_phones_end_call(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    call_back_at constant timestamptz := arguments ->> 'callback_at';
    by_whom constant text := arguments ->> 'by';
    outcome constant jsonb := @extschema@.lead_phones_disposition(arguments ->> 'disposition', call_back_at);
    is_everywhere constant boolean := outcome ->> 'everywhere';
    counts constant boolean := outcome ->> 'is_attempt';
    disqualified text := outcome ->> 'disqualifies';
    whom text;
    entry bigint;
    undone jsonb;
    call record;
    person record;
    clock timestamptz;
    ended timestamptz;
    rests_until timestamptz;
BEGIN
    SELECT k.campaign_id, k.call_id, k.lead_id, k.contact_id, k.number, count(*) OVER () AS campaigns INTO call
      FROM calls AS k WHERE k.call_id = (arguments ->> 'call')::bigint;
    IF NOT FOUND OR call.campaigns > 1 THEN
        RAISE EXCEPTION 'call % %', arguments ->> 'call', CASE WHEN call.campaigns > 1 THEN format('is in %s campaigns', call.campaigns) ELSE 'does not exist' END
            USING ERRCODE = CASE WHEN call.campaigns > 1 THEN 'cardinality_violation' ELSE 'no_data_found' END,
                  DETAIL = format('Table "%I.calls" has %s such call_id.', current_schema(), CASE WHEN call.campaigns > 1 THEN 'more than one' ELSE 'no' END),
                  HINT = 'Name the call_id that start_call() returned.';
    END IF;
    -- The number first, then who else is meant: others who say something of the same person or company wait.
    PERFORM @extschema@.lead_phones_lock_calls(ARRAY[call.number::text]);
    SELECT c.account_id, c.contact_id INTO person FROM contacts AS c WHERE c.campaign_id = call.campaign_id AND c.contact_id = call.contact_id;
    -- a person without a company, or without a row, is disqualified by what is left
    disqualified := CASE WHEN disqualified IS NULL OR disqualified = 'phone' THEN disqualified
                         WHEN disqualified = 'account' AND person.account_id IS NOT NULL THEN 'account'
                         WHEN person.contact_id IS NOT NULL THEN 'contact' ELSE 'phone' END;
    whom := CASE disqualified WHEN 'account' THEN person.account_id::text WHEN 'contact' THEN person.contact_id::text WHEN 'phone' THEN call.number END;
    PERFORM pg_advisory_xact_lock(@extschema@.lead_phones_call_key(w.subject)) FROM (
        SELECT DISTINCT format('%s %s/%s', o.disqualified, o.campaign_id, o.subject) COLLATE "C" AS subject
          FROM (SELECT o.disqualified, o.campaign_id, o.subject FROM call_outcomes AS o
                 WHERE o.campaign_id = call.campaign_id AND o.call_id = call.call_id AND o.corrected_at IS NULL
                 UNION ALL SELECT disqualified, call.campaign_id, whom
                 -- of a person, also his company, whose people are locked together
                 UNION ALL SELECT 'account', call.campaign_id, person.account_id::text WHERE disqualified = 'contact' AND person.account_id IS NOT NULL)
               AS o (disqualified, campaign_id, subject)
         WHERE o.disqualified <> 'phone' ORDER BY 1) AS w;
    SELECT k.* INTO call FROM calls AS k WHERE k.campaign_id = call.campaign_id AND k.call_id = call.call_id FOR UPDATE;
    clock := @extschema@.lead_phones_clock();
    ended := coalesce(call.ended_at, clock);
    rests_until := greatest(ended + (outcome ->> 'rests')::interval, call_back_at);
    UPDATE call_outcomes AS o SET corrected_at = clock, corrected_by = by_whom
     WHERE o.campaign_id = call.campaign_id AND o.call_id = call.call_id AND o.corrected_at IS NULL
    RETURNING to_jsonb(o) INTO undone;
    -- Rows of people and companies are waited for before rows of the counts are held, and not the other way round.
    IF disqualified IS NULL OR disqualified = 'phone' THEN
        PERFORM @extschema@.lead_phones_lift_outcome(undone, by_whom, clock);
    END IF;
    -- of a campaign that is gone, nobody is called
    IF disqualified IS NOT NULL AND (is_everywhere OR EXISTS (SELECT FROM campaigns AS m WHERE m.campaign_id = call.campaign_id)) THEN
        entry := @extschema@.lead_phones_disqualify_by_call(disqualified, CASE WHEN NOT is_everywhere THEN call.campaign_id END, whom,
            concat_ws(': ', outcome ->> 'name', arguments ->> 'note'), by_whom);
    END IF;
    INSERT INTO call_outcomes (campaign_id, call_id, lead_id, number, disposition, note, callback_at, rests_until, everywhere, disqualified, subject, entry,
        recorded_by, recorded_at)
    VALUES (call.campaign_id, call.call_id, call.lead_id, call.number, outcome ->> 'name', arguments ->> 'note', call_back_at, rests_until,
        is_everywhere, disqualified, whom, entry, by_whom, clock);
    IF disqualified <> 'phone' THEN
        PERFORM @extschema@.lead_phones_lift_outcome(undone, by_whom, clock);
    END IF;
    UPDATE calls AS k
       SET ended_at = ended, disposition = outcome ->> 'name', note = arguments ->> 'note', callback_at = call_back_at,
           is_attempt = counts
     WHERE k.campaign_id = call.campaign_id AND k.call_id = call.call_id;
    -- what was no attempt has called nobody back
    UPDATE call_outcomes AS o SET called_back_at = CASE WHEN counts THEN call.started_at END
     WHERE o.campaign_id = call.campaign_id AND o.lead_id = call.lead_id AND o.call_id <> call.call_id AND o.corrected_at IS NULL
       AND o.callback_at <= call.started_at AND (o.called_back_at IS NULL OR o.called_back_at = call.started_at);
    UPDATE leads AS l SET due_at = coalesce(rests_until, clock) WHERE l.campaign_id = call.campaign_id AND l.lead_id = call.lead_id;
    IF call.ended_at IS NOT NULL THEN
        -- this lead rests as the new outcome says
        PERFORM @extschema@.lead_phones_due_again(call.campaign_id, @extschema@.lead_phones_contacts_of(call.campaign_id, call.number::text), call.lead_id);
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_end_call(regclass, jsonb) IS
    'internal: records the outcome of a call, or corrects it, and what follows from it';
