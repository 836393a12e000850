-- The leads that a caller calls next: claimed for the caller, so that nobody else gets the same person or number.
--
-- Leads are looked at in the order of due_at: when that is past, a lead can be called, as far as was known when it was last looked at. What may not be
-- called now is put off until it may, and costs nothing before.

CREATE FUNCTION @extschema@.lead_phones_due_leads(campaign bigint, pass text, seen bigint[], how_many integer) RETURNS bigint[]
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- Those that others hold are skipped.
    RETURN CASE pass
        WHEN 'callbacks' THEN ARRAY(
            SELECT l.lead_id FROM call_outcomes AS o JOIN leads AS l ON l.campaign_id = o.campaign_id AND l.lead_id = o.lead_id
             WHERE o.campaign_id = campaign AND o.corrected_at IS NULL AND o.callback_at <= clock AND o.called_back_at IS NULL
               AND l.due_at <= clock AND l.lead_id <> ALL (seen)
             ORDER BY o.callback_at LIMIT how_many FOR NO KEY UPDATE OF l SKIP LOCKED)
        WHEN 'due' THEN ARRAY(
            SELECT l.lead_id FROM leads AS l WHERE l.campaign_id = campaign AND l.due_at <= clock AND l.lead_id <> ALL (seen)
             ORDER BY l.campaign_id, l.due_at, l.lead_id LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED)
        WHEN 'retries' THEN ARRAY(
            SELECT l.lead_id FROM leads AS l WHERE l.campaign_id = campaign AND l.due_at > '-infinity' AND l.due_at <= clock AND l.lead_id <> ALL (seen)
             ORDER BY l.campaign_id, l.due_at, l.lead_id LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED)
        ELSE ARRAY(
            SELECT l.lead_id FROM leads AS l WHERE l.campaign_id = campaign AND l.due_at = '-infinity' AND l.lead_id <> ALL (seen)
             ORDER BY l.campaign_id DESC, l.due_at DESC, l.lead_id DESC LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_due_leads(bigint, text, bigint[], integer) IS
    'internal: leads that can be called, as far as was known when they were last looked at, locked';

CREATE FUNCTION @extschema@.lead_phones_put_off(campaign bigint, some_leads bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- Until the first of its numbers may be called. What has no end is asked about once a day: somebody may requalify it.
    UPDATE leads AS l SET due_at = greatest(least(coalesce(f.until, '-infinity'), clock + interval '1 day'), clock + interval '1 second')
      FROM unnest(some_leads) AS p (lead_id)
      LEFT JOIN (
        SELECT n.lead_id, min(n.until) AS until
          -- a call ends when it does
          FROM (SELECT r.lead_id, max(CASE WHEN r.kind = 'on_call' THEN least(r.expires_at, clock + interval '5 minutes') ELSE coalesce(r.expires_at, 'infinity') END) AS until
                  FROM (VALUES ('phone'), ('mobile')) AS c (name)
                  JOIN lead_reasons AS r ON r.blocks IN ('lead', c.name)
                 WHERE r.campaign_id = campaign AND r.lead_id = ANY (some_leads)
                 GROUP BY r.lead_id, c.name) AS n
         GROUP BY n.lead_id) AS f ON f.lead_id = p.lead_id
     WHERE l.campaign_id = campaign AND l.lead_id = p.lead_id;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_put_off(bigint, bigint[]) IS
    'internal: says when leads that may not be called now are looked at again';

CREATE FUNCTION @extschema@.lead_phones_claim_lead(campaign bigint, lead bigint, caller text, claim_for interval) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    person record;
    subjects text[];
    one text;
    free_at timestamptz;
    clock timestamptz;
BEGIN
    SELECT format('contact %s/%s', l.campaign_id, l.contact_id) AS contact, @extschema@.try_normalize_phone(c.phone, c.region)::text AS phone,
           @extschema@.try_normalize_phone(c.mobile, c.region)::text AS mobile INTO person
      FROM leads AS l LEFT JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE l.campaign_id = campaign AND l.lead_id = lead;
    subjects := array_remove(ARRAY[person.contact, person.phone, nullif(person.mobile, person.phone)], NULL);
    FOREACH one IN ARRAY subjects LOOP
        IF NOT pg_try_advisory_xact_lock(@extschema@.lead_phones_call_key(one)) THEN
            RETURN NULL;
        END IF;
    END LOOP;
    -- Under the lock, each statement sees what others have committed.
    SELECT to_jsonb(k) INTO person FROM callable_leads AS k WHERE k.campaign_id = campaign AND k.lead_id = lead;
    clock := @extschema@.lead_phones_clock();
    IF NOT FOUND THEN
        PERFORM @extschema@.lead_phones_put_off(campaign, ARRAY[lead]);
        RETURN NULL;
    END IF;
    subjects := array_remove(ARRAY[subjects[1], person.to_jsonb ->> 'phone', person.to_jsonb ->> 'mobile'], NULL);
    free_at := (SELECT CASE WHEN count(*) > 0 THEN least(max(k.claimed_until), clock + interval '5 minutes') END FROM lead_claims AS k WHERE k.subject = ANY (subjects) AND k.claimed_until > clock);
    IF free_at IS NOT NULL THEN
        UPDATE leads AS l SET due_at = free_at WHERE l.campaign_id = campaign AND l.lead_id = lead;
        RETURN NULL;
    END IF;
    INSERT INTO lead_claims AS k (subject, campaign_id, lead_id, caller, claimed_until)
    SELECT DISTINCT s, campaign, lead, caller, clock + claim_for FROM unnest(subjects) AS s
    ON CONFLICT (subject) DO UPDATE
       SET campaign_id = EXCLUDED.campaign_id, lead_id = EXCLUDED.lead_id, caller = EXCLUDED.caller, claimed_until = EXCLUDED.claimed_until;
    UPDATE leads AS l SET due_at = clock + claim_for WHERE l.campaign_id = campaign AND l.lead_id = lead;
    RETURN person.to_jsonb || jsonb_build_object('claimed_until', clock + claim_for);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_claim_lead(bigint, bigint, text, interval) IS
    'internal: claims a lead for a caller, and returns its row of callable_leads; NULL where it may not be called, or somebody else has it';

CREATE FUNCTION @extschema@.lead_phones_next_leads(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaign constant bigint := arguments ->> 'campaign';
    how_many constant integer := arguments ->> 'how_many';
    -- Where most of a campaign may not be called, as at night, the next call goes on.
    most constant integer := 3000;
    settings record;
    pass text;
    lead bigint;
    due bigint[];
    callable bigint[];
    seen bigint[] := '{}';
    looked_at integer := 0;
    claimed jsonb;
    answer jsonb := '[]';
BEGIN
    PERFORM @extschema@.lead_phones_lock_calls('{}'::text[]), @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    SELECT m.claim_for, CASE m.call_order WHEN 'newest' THEN '{callbacks,newest,retries}' WHEN 'retries' THEN '{callbacks,retries,due}'
               ELSE '{callbacks,due}' END::text[] AS passes INTO settings
      FROM campaigns AS m WHERE m.campaign_id = campaign;
    FOREACH pass IN ARRAY settings.passes LOOP
        LOOP
            EXIT WHEN jsonb_array_length(answer) >= how_many OR looked_at >= most;
            -- as many as are missing, then more and more
            due := @extschema@.lead_phones_due_leads(campaign, pass, seen, greatest(how_many - jsonb_array_length(answer), least(looked_at, most / 4)));
            EXIT WHEN due = '{}';
            looked_at := looked_at + cardinality(due);
            callable := ARRAY(SELECT k.lead_id FROM callable_leads AS k WHERE k.campaign_id = campaign AND k.lead_id = ANY (due));
            PERFORM @extschema@.lead_phones_put_off(campaign, ARRAY(SELECT d FROM unnest(due) AS d WHERE d <> ALL (callable)));
            FOREACH lead IN ARRAY due LOOP
                CONTINUE WHEN lead <> ALL (callable);
                EXIT WHEN jsonb_array_length(answer) >= how_many;
                claimed := @extschema@.lead_phones_claim_lead(campaign, lead, arguments ->> 'caller', settings.claim_for);
                IF claimed IS NULL THEN
                    seen := seen || lead;
                ELSE
                    answer := answer || claimed;
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_next_leads(regclass, jsonb) IS
    'internal: claims leads for a caller';

CREATE FUNCTION @extschema@.next_leads(
    campaign bigint,
    caller text DEFAULT NULL,
    how_many integer DEFAULT 1,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads())
    RETURNS TABLE (
        campaign_id bigint,
        lead_id bigint,
        contact_id bigint,
        account_id bigint,
        upload_id bigint,
        email text,
        name text,
        title text,
        phone @extschema@.e164,
        mobile @extschema@.e164,
        phone_extension text,
        mobile_extension text,
        claimed_until timestamptz)
    VOLATILE ROWS 1 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF how_many IS NULL OR how_many NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'how_many is %', coalesce(how_many::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A caller gets 1 to 100 leads at a time.', HINT = 'Leave it out for one.';
    END IF;
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(@extschema@.lead_phones_run(leads, 'next_leads', jsonb_build_object(
            'campaign', campaign, 'caller', caller, 'how_many', how_many))) AS r (
        campaign_id bigint, lead_id bigint, contact_id bigint, account_id bigint, upload_id bigint, email text, name text, title text,
        phone @extschema@.e164, mobile @extschema@.e164, phone_extension text, mobile_extension text, claimed_until timestamptz);
END
$function$;
COMMENT ON FUNCTION @extschema@.next_leads(bigint, text, integer, regclass) IS
    'leads to call now, claimed for a caller: due callbacks first, then the order that the campaign names. Example: SELECT * FROM next_leads(42, ''ann'', 5)';
