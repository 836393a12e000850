-- Calls: the gate that a call passes before it is dialed, and what comes of it.
--
-- The procedures are for callers who were granted EXECUTE on them and have nothing else; see 4_disqualification.sql. What is done runs as the owner
-- of the lead tables. Of a number, one of these runs at a time: each takes its lock first, then the rows of people, as others lock them.

CREATE FUNCTION @extschema@.lead_phones_lock_calls(subjects text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'calls are made at READ COMMITTED'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'This transaction would not see who has been put out since it began.',
                  HINT = 'Run BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED.';
    END IF;
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'calls are not made in a read-only transaction'
            USING ERRCODE = 'read_only_sql_transaction', DETAIL = 'Each is written to the log.', HINT = 'Run BEGIN READ WRITE, on the primary server.';
    END IF;
    PERFORM pg_advisory_xact_lock(@extschema@.lead_phones_call_key(n.subject)) FROM (SELECT DISTINCT k COLLATE "C" AS subject FROM unnest(subjects) AS k ORDER BY 1) AS n;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lock_calls(text[]) IS
    'internal: one lock on each number and person, in one order; an error in a transaction that would not see what others have committed';

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

CREATE FUNCTION @extschema@.lead_phones_person_called(lead bigint) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    person record;
BEGIN
    SELECT l.campaign_id, l.contact_id, @extschema@.try_normalize_phone(c.phone, c.region)::text AS phone,
           @extschema@.try_normalize_phone(c.mobile, c.region)::text AS mobile, c.region, count(*) OVER () AS campaigns INTO person
      FROM leads AS l LEFT JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE l.lead_id = lead;
    IF NOT FOUND OR person.campaigns > 1 THEN
        RAISE EXCEPTION 'lead % %', lead, CASE WHEN person.campaigns > 1 THEN format('is in %s campaigns', person.campaigns) ELSE 'does not exist' END
            USING ERRCODE = CASE WHEN person.campaigns > 1 THEN 'cardinality_violation' ELSE 'no_data_found' END,
                  DETAIL = format('Table "%I.leads" has %s such lead_id.', current_schema(), CASE WHEN person.campaigns > 1 THEN 'more than one' ELSE 'no' END),
                  HINT = CASE WHEN person.campaigns > 1 THEN 'Let lead_id number the leads of all campaigns, as it does by default.' ELSE 'Name the lead_id of a lead.' END;
    END IF;
    RETURN to_jsonb(person);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_person_called(bigint) IS
    'internal: who is called by a lead: the person and his numbers; an error where there is no such lead';

CREATE FUNCTION @extschema@.lead_phones_hold_person(lead bigint, phone text) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    person jsonb;
    numbers text[];
BEGIN
    LOOP
        person := @extschema@.lead_phones_person_called(lead);
        numbers := @extschema@.lead_phones_number_of(phone, person ->> 'region', person ->> 'phone', person ->> 'mobile');
        BEGIN
            PERFORM @extschema@.lead_phones_lock_calls(array_remove(ARRAY[person ->> 'phone', person ->> 'mobile',
                format('contact %s/%s', person ->> 'campaign_id', person ->> 'contact_id')], NULL));
            -- Whoever is just changing him is waited for, and whoever is just putting his number out: they lock his row, which has the mark.
            PERFORM FROM contacts AS c WHERE c.campaign_id = (person ->> 'campaign_id')::bigint AND c.contact_id = (person ->> 'contact_id')::bigint FOR SHARE;
            PERFORM FROM leads AS l WHERE l.campaign_id = (person ->> 'campaign_id')::bigint AND l.lead_id = lead FOR KEY SHARE;
            IF @extschema@.lead_phones_person_called(lead) <> person THEN
                -- somebody else by now: again, without the locks of this look
                RAISE SQLSTATE 'LP001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'LP001' THEN
            person := NULL;
        END;
        EXIT WHEN person IS NOT NULL;
    END LOOP;
    RETURN person || jsonb_build_object('numbers', numbers);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_person(bigint, text) IS
    'internal: who is called by a lead, and the numbers that are meant; nobody changes or calls them until the transaction ends';

CREATE FUNCTION @extschema@.lead_phones_start_call(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    lead constant bigint := arguments ->> 'lead';
    caller constant text := arguments ->> 'caller';
    person constant jsonb := @extschema@.lead_phones_hold_person(lead, arguments ->> 'phone');
    campaign constant bigint := person ->> 'campaign_id';
    contact constant bigint := person ->> 'contact_id';
    numbers constant text[] := ARRAY(SELECT n FROM jsonb_array_elements_text(person -> 'numbers') AS n);
    dialed text;
    refused jsonb;
    refusals jsonb := '[]';
    new_call bigint;
    clock timestamptz;
BEGIN
    IF numbers = '{}' THEN
        refusals := coalesce(@extschema@.lead_phones_refusals(campaign, lead, NULL::text, caller), '[]');
        RETURN jsonb_build_object('allowed', false, 'refusals', CASE WHEN refusals <> '[]' THEN refusals
            ELSE jsonb_build_array(jsonb_build_object('kind', 'number', 'reason', 'there is no valid number in ' || (arguments ->> 'phone'))) END);
    END IF;
    FOREACH dialed IN ARRAY numbers LOOP
        refused := @extschema@.lead_phones_refusals(campaign, lead, dialed, caller);
        EXIT WHEN refused IS NULL;
        refusals := refusals || refused;
    END LOOP;
    IF refused IS NOT NULL THEN
        RETURN jsonb_build_object('allowed', false, 'number', numbers[1], 'refusals', refusals);
    END IF;
    clock := @extschema@.lead_phones_clock();
    -- one that nobody has ended, and that is longer than any
    UPDATE calls AS k SET ended_at = k.started_at + l.longest
      FROM (SELECT o.campaign_id, o.call_id, coalesce(m.longest_call, '2 hours') AS longest FROM calls AS o LEFT JOIN campaigns AS m ON m.campaign_id = o.campaign_id
             WHERE o.number = dialed::@extschema@.e164 AND o.ended_at IS NULL) AS l
     WHERE k.campaign_id = l.campaign_id AND k.call_id = l.call_id AND k.started_at + l.longest <= clock;
    INSERT INTO calls (campaign_id, lead_id, contact_id, number, caller, started_by, started_at)
    VALUES (campaign, lead, contact, dialed, caller, arguments ->> 'by', clock)
    RETURNING call_id INTO new_call;
    UPDATE call_outcomes AS o SET called_back_at = clock
     WHERE o.campaign_id = campaign AND o.lead_id = lead AND o.corrected_at IS NULL AND o.callback_at <= clock
       AND o.called_back_at IS NULL;
    DELETE FROM lead_claims AS k
     WHERE k.subject IN (dialed, person ->> 'phone', person ->> 'mobile', format('contact %s/%s', campaign, contact))
       AND (k.subject = dialed OR k.campaign_id = campaign AND k.lead_id = lead);
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
    'internal: the entry of source disposition by which a number, a contact or an account is out without end';

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
    -- One that somebody has made by hand is his.
    RETURN CASE WHEN EXISTS (
        SELECT FROM call_outcomes AS o
         WHERE o.disqualified = kind AND o.entry = standing AND o.subject = lead_phones_disqualify_by_call.subject AND o.everywhere = (campaign IS NULL)
           AND o.campaign_id = coalesce(campaign, o.campaign_id)) THEN standing END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify_by_call(text, bigint, text, text, text) IS
    'internal: enters what a call disqualifies into the ledgers; the entry that stands, where it is of calls';

CREATE FUNCTION @extschema@.lead_phones_due_again(campaign bigint, contacts bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- The first of those that were put off: of a switchboard's many, the others are asked about anyway. Who holds one looks at it himself; to wait for
    -- him while rows of the counts are held would end in a deadlock.
    UPDATE leads AS l SET due_at = clock
     WHERE l.campaign_id = campaign AND l.lead_id = ANY (ARRAY(
        SELECT w.lead_id FROM leads AS w
         WHERE w.campaign_id = campaign AND w.contact_id = ANY (contacts) AND w.due_at > clock
           AND NOT EXISTS (SELECT FROM lead_claims AS k WHERE k.subject = format('contact %s/%s', campaign, w.contact_id) AND k.claimed_until > clock)
           AND NOT EXISTS (SELECT FROM calls AS k WHERE k.campaign_id = campaign AND k.lead_id = w.lead_id AND k.ended_at IS NULL)
         ORDER BY w.lead_id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_due_again(bigint, bigint[]) IS
    'internal: leads of people whom nothing may keep from being called any more are looked at again';

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
    -- Lifted is the entry of this outcome, where it still stands, and no other call says the same.
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
    -- who has no company any more, or no row, is out by what is left of him
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
        PERFORM @extschema@.lead_phones_due_again(call.campaign_id, @extschema@.lead_phones_contacts_of(call.campaign_id, call.number::text));
    END IF;
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
    'asks whether a lead may be called now, and logs the call; otherwise returns every reason why not, and when it ends. Example: CALL start_call(1, caller => ''ann'')';

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
    'records the outcome of a call, with its effect on the number, the contact or the account; called again, it corrects the outcome. Example: CALL end_call(1, ''voicemail'')';
