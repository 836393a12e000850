-- Calls: the gate that a call passes before it is dialed.
--
-- The procedures are for callers who were granted EXECUTE on them and have nothing else; see disqualification/callers.sql. What is done runs as the
-- owner of the lead tables. Of a number, one of these runs at a time: each takes its lock first, then the rows of people, as others lock them.

CREATE FUNCTION @extschema@.lead_phones_lock_calls(subjects text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'calls are made at READ COMMITTED'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'This transaction would not see who has been disqualified since it began.',
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
    'internal: who is called by a lead: the person and all numbers; an error where there is no such lead';

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
            -- Sessions that are just changing the person, or disqualifying a number, are waited for: they lock the contact's row, which has the mark.
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
