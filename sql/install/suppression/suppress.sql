-- Accounts, contacts and domains that are disqualified or suppressed, and lifted.

CREATE FUNCTION @extschema@.lead_phones_read_subjects(leads regclass, arguments jsonb, OUT subjects text[], OUT invalid text[])
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    kind constant text := arguments ->> 'kind';
    raw text[] := ARRAY(SELECT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    tracked @extschema@.lead_phone_tables;
BEGIN
    IF kind IN ('account', 'contact') THEN
        subjects := raw;
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_check_region_code(arguments ->> 'region');
    -- Registries write area code and number with a comma between, which otherwise begins an extension.
    raw := array_remove(ARRAY(SELECT DISTINCT CASE WHEN kind = 'phone' THEN regexp_replace(@extschema@.lead_phones_trimmed(r), '^(\d{3}),\s*(\d{7})$', '\1 \2')
                                                   ELSE @extschema@.lead_phones_trimmed(r) END FROM unnest(raw) AS r), NULL);
    IF kind = 'domain' THEN
        SELECT array_agg(DISTINCT n.subject ORDER BY n.subject) FILTER (WHERE n.subject IS NOT NULL), array_agg(n.raw) FILTER (WHERE n.subject IS NULL)
          INTO subjects, invalid
          FROM (SELECT r AS raw, @extschema@.lead_phones_domain(r) AS subject FROM unnest(raw) AS r) AS n;
    ELSIF arguments ->> 'hashed' IS NOT NULL THEN
        SELECT array_agg(DISTINCT n.subject) FILTER (WHERE n.subject IS NOT NULL), array_agg(n.raw) FILTER (WHERE n.subject IS NULL)
          INTO subjects, invalid
          FROM (SELECT r AS raw, @extschema@.lead_phones_key_from_hex(r)::text AS subject FROM unnest(raw) AS r) AS n;
    ELSE
        tracked := @extschema@.lead_phones_tracked(leads);
        SELECT array_agg(DISTINCT n.number::text) FILTER (WHERE n.number IS NOT NULL),
               array_agg(n.raw_value) FILTER (WHERE n.number IS NULL AND n.readings = 1)
          INTO subjects, invalid
          FROM (SELECT r.raw_value, r.number, count(*) OVER (PARTITION BY r.raw_value) AS readings
                  FROM @extschema@.lead_phones_read(tracked, arguments ->> 'campaign', raw, arguments ->> 'region') AS r) AS n;
    END IF;
    subjects := coalesce(subjects, '{}');
    invalid := coalesce(invalid, '{}');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_read_subjects(regclass, jsonb) IS
    'internal: whom the arguments of a procedure name, of hashes their keys; and what of them could not be read';

CREATE FUNCTION @extschema@.lead_phones_suppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    kind constant text := arguments ->> 'kind';
    campaign constant bigint := arguments ->> 'campaign';
    subjects text[];
    invalid text[];
    leads_out bigint;
BEGIN
    IF campaign IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    END IF;
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    arguments := arguments || jsonb_build_object(CASE WHEN arguments ->> 'hashed' IS NULL THEN 'subjects' ELSE 'keys' END, subjects);
    IF kind IN ('account', 'contact') THEN
        PERFORM @extschema@.lead_phones_known_subject(kind, campaign, subjects[1]::bigint);
        -- Who is just renaming the company, or changing or moving somebody away, is waited for; who does so next sees the entry.
        PERFORM FROM accounts AS a WHERE kind = 'account' AND a.campaign_id = campaign AND a.account_id = subjects[1]::bigint FOR NO KEY UPDATE;
        PERFORM FROM contacts AS c
          WHERE c.campaign_id = campaign AND CASE kind WHEN 'account' THEN c.account_id = subjects[1]::bigint ELSE c.contact_id = subjects[1]::bigint END
          ORDER BY @extschema@.lead_phones_email_key(c.email), c.contact_id FOR NO KEY UPDATE;
    END IF;
    IF kind = 'phone' THEN
        IF cardinality(subjects) > 0 THEN
            PERFORM @extschema@.lead_phones_disqualify(leads, arguments);
        END IF;
    ELSE
        PERFORM @extschema@.lead_phones_enter(kind, campaign, subjects, arguments ->> 'source', arguments ->> 'reason', arguments ->> 'by',
            (arguments ->> 'expires_at')::timestamptz);
    END IF;
    IF kind IN ('account', 'contact') THEN
        SELECT count(*) INTO leads_out
          FROM contacts AS c JOIN leads AS l ON l.campaign_id = c.campaign_id AND l.contact_id = c.contact_id
         WHERE c.campaign_id = campaign AND CASE kind WHEN 'account' THEN c.account_id = subjects[1]::bigint ELSE c.contact_id = subjects[1]::bigint END;
    END IF;
    RETURN jsonb_build_object('subjects', cardinality(subjects), 'leads', leads_out, 'invalid', coalesce(cardinality(invalid), 0), 'one_invalid', (SELECT min(i) FROM unnest(invalid) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_suppress(regclass, jsonb) IS
    'internal: disqualifies an account or a contact, or suppresses domains or numbers, as the caller';

CREATE FUNCTION @extschema@.lead_phones_known_subject(kind text, campaign bigint, subject bigint) RETURNS void
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    is_known constant boolean := CASE kind
        WHEN 'account' THEN EXISTS (SELECT FROM accounts AS a WHERE a.campaign_id = campaign AND a.account_id = subject)
        ELSE EXISTS (SELECT FROM contacts AS c WHERE c.campaign_id = campaign AND c.contact_id = subject) END;
BEGIN
    IF NOT is_known THEN
        RAISE EXCEPTION '% % of campaign % does not exist', kind, subject, campaign
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.%ss" has no such row.', current_schema(), kind),
                  HINT = format('Name the campaign, and the %s_id of the %s.', kind, kind);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_subject(text, bigint, bigint) IS
    'internal: an error unless there is such an account or contact';

CREATE FUNCTION @extschema@.lead_phones_unsuppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    kind constant text := arguments ->> 'kind';
    campaign constant bigint := arguments ->> 'campaign';
    subjects text[];
    invalid text[];
    held_for text[];
    lifted bigint := 0;
BEGIN
    IF campaign IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    END IF;
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    arguments := arguments || jsonb_build_object(CASE WHEN arguments ->> 'hashed' IS NULL THEN 'subjects' ELSE 'keys' END, subjects);
    IF kind = 'phone' THEN
        IF cardinality(subjects) > 0 THEN
            lifted := @extschema@.lead_phones_requalify(leads, arguments) ->> 'entries';
        END IF;
    ELSE
        -- also an entry against an earlier row of the same person or company
        held_for := ARRAY(SELECT DISTINCT h.subject FROM unnest(subjects) AS s
                           CROSS JOIN LATERAL unnest(@extschema@.lead_phones_holds_for(kind, campaign, s)) AS h (subject));
        UPDATE lead_disqualifications AS d SET lifted_by = arguments ->> 'by', lifted_at = clock_timestamp(), lift_reason = arguments ->> 'reason'
         WHERE d.lifted_at IS NULL AND d.entry IN (
            SELECT o.entry FROM @extschema@.lead_phones_standing(kind, campaign, held_for, arguments ->> 'source') AS o);
        GET DIAGNOSTICS lifted = ROW_COUNT;
        IF kind IN ('account', 'contact') THEN
            PERFORM @extschema@.lead_phones_due_again(campaign, CASE kind WHEN 'contact' THEN subjects::bigint[] ELSE ARRAY(
                SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = campaign AND c.account_id = subjects[1]::bigint) END);
        END IF;
    END IF;
    RETURN jsonb_build_object('entries', lifted, 'invalid', coalesce(cardinality(invalid), 0), 'one_invalid', (SELECT min(i) FROM unnest(invalid) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_unsuppress(regclass, jsonb) IS
    'internal: lifts what lead_phones_suppress did, as the caller';

CREATE FUNCTION @extschema@.lead_phones_expire_entries(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    expired_at constant timestamptz := clock_timestamp();
    lifted bigint;
BEGIN
    UPDATE lead_disqualifications AS d SET lifted_by = arguments ->> 'by', lifted_at = expired_at, lift_reason = 'expired'
     WHERE d.lifted_at IS NULL AND d.expires_at <= expired_at;
    GET DIAGNOSTICS lifted = ROW_COUNT;
    RETURN jsonb_build_object('entries', lifted);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire_entries(regclass, jsonb) IS
    'internal: lifts the entries of lead_disqualifications that are past their time';
