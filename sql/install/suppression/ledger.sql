-- The ledger of lead tables: entries, and whom they mean.

CREATE FUNCTION @extschema@.lead_phones_holds_for(kind text, campaign bigint, subject text) RETURNS text[]
    STABLE LANGUAGE sql
AS $function$
    SELECT ($1 || ' ' || $3) || CASE $1
        WHEN 'account' THEN (
            SELECT array_remove(ARRAY['company ' || a.name_key, CASE WHEN NOT EXISTS (
                       SELECT FROM free_mail_domains AS f WHERE f.domain = ANY (@extschema@.lead_phones_domains_above(a.domain))) THEN 'domain ' || a.domain END], NULL)
              FROM accounts AS a WHERE a.campaign_id = $2 AND a.account_id = $3::bigint)
        WHEN 'contact' THEN (
            SELECT ARRAY(SELECT s.subject FROM unnest(@extschema@.lead_phones_subjects(NULL::bigint, NULL::bigint, c.email, c.name,
                             @extschema@.try_normalize_phone(c.phone, c.region), @extschema@.try_normalize_phone(c.mobile, c.region), NULL::bigint, NULL, NULL)) AS s (subject)
                          WHERE s.subject NOT LIKE 'domain %' AND (@extschema@.lead_phones_email_key(c.email) IS NULL OR s.subject NOT LIKE 'person %'))
              FROM contacts AS c WHERE c.campaign_id = $2 AND c.contact_id = $3::bigint) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_holds_for(text, bigint, text) IS
    'internal: whom an entry means: an account also by its name and domain, a contact by its address, which outlive the row';

CREATE FUNCTION @extschema@.lead_phones_enter(
    kind text, campaign bigint, subjects text[], source text, reason text, by_whom text, expires_at timestamptz) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
#variable_conflict use_variable
DECLARE
    missing text[];
    replaced bigint[];
BEGIN
    FOR attempt IN 1 .. 10 LOOP
        -- Of a source, the longest is in force: so an entry that says the same, and lasts as long, is enough. That against another row, which holds
        -- for this one too, stays beside it.
        missing := ARRAY(
            SELECT s.subject FROM unnest(subjects) AS s (subject)
             EXCEPT
            SELECT substr(d.subject, length(kind) + 2)
              FROM @extschema@.lead_phones_standing(kind, campaign, ARRAY(SELECT kind || ' ' || s FROM unnest(subjects) AS s), source) AS d
             WHERE d.is_own AND d.reason IS NOT DISTINCT FROM reason AND coalesce(d.expires_at, 'infinity') >= coalesce(expires_at, 'infinity')
             ORDER BY 1);
        IF missing = '{}' THEN
            RETURN;
        END IF;
        WITH lifted AS (
            UPDATE lead_disqualifications AS d SET lifted_by = by_whom, lifted_at = clock_timestamp(), lift_reason = 'replaced'
             WHERE d.lifted_at IS NULL AND d.entry IN (SELECT o.entry FROM @extschema@.lead_phones_standing(kind, campaign, ARRAY(SELECT kind || ' ' || m FROM unnest(missing) AS m), source) AS o WHERE o.is_own)
            RETURNING d.entry)
        SELECT coalesce(array_agg(l.entry), '{}') INTO replaced FROM lifted AS l;
        -- What the replaced entry held for, the new one does.
        WITH added AS (
            INSERT INTO lead_disqualifications AS d (campaign_id, account_id, contact_id, domain, source, reason, disqualified_by, disqualified_at, expires_at)
            SELECT campaign, CASE kind WHEN 'account' THEN s.subject::bigint END, CASE kind WHEN 'contact' THEN s.subject::bigint END,
                   CASE kind WHEN 'domain' THEN s.subject END, source,
                   reason, by_whom, clock_timestamp(), CASE
                       WHEN expires_at IS NULL OR o.entry IS NOT NULL AND o.expires_at IS NULL THEN NULL
                       ELSE greatest(o.expires_at, expires_at) END
              FROM unnest(missing) AS s (subject)
              LEFT JOIN lead_disqualifications AS o ON o.entry = ANY (replaced)
                   AND coalesce(o.account_id::text, o.contact_id::text, o.domain) = s.subject
             ORDER BY s.subject
            ON CONFLICT DO NOTHING
            RETURNING d.entry, coalesce(d.account_id::text, d.contact_id::text, d.domain) AS subject)
        INSERT INTO lead_disqualification_subjects (entry, subject)
        SELECT a.entry, h.subject FROM added AS a CROSS JOIN LATERAL unnest(@extschema@.lead_phones_holds_for(kind, campaign, a.subject)) AS h (subject)
         UNION
        SELECT a.entry, k.subject FROM added AS a
          JOIN lead_disqualifications AS o ON o.entry = ANY (replaced)
               AND coalesce(o.account_id::text, o.contact_id::text, o.domain) = a.subject
          JOIN lead_disqualification_subjects AS k ON k.entry = o.entry;
        IF kind = 'contact' THEN
            PERFORM @extschema@.lead_phones_hold_for_numbers(campaign, ARRAY(
                SELECT o.entry FROM @extschema@.lead_phones_standing(kind, campaign, ARRAY(SELECT kind || ' ' || m FROM unnest(missing) AS m), source) AS o));
        END IF;
        -- Where somebody has entered one of them meanwhile, that may be the shorter: look again.
    END LOOP;
    PERFORM @extschema@.lead_phones_check_written(l.relation, cardinality(missing)::bigint)
       FROM unnest('{lead_disqualifications,lead_disqualification_subjects}'::regclass[]) AS l (relation)
      WHERE @extschema@.lead_phones_interferers(l.relation, 'INSERT') IS NOT NULL;
    RAISE EXCEPTION 'could not serialize access due to concurrent update of lead_disqualifications'
        USING ERRCODE = 'serialization_failure', DETAIL = 'Others enter the same subjects of the same source.', HINT = 'Try the transaction again.';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_enter(text, bigint, text[], text, text, text, timestamptz) IS
    'internal: enters subjects into the ledger of lead tables';

CREATE FUNCTION @extschema@.lead_phones_hold_for_numbers(campaign bigint, entries bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- From number to number. Of an entry of all campaigns, what is said of this one.
    WITH RECURSIVE held (entry, in_campaign, subject) AS (
        SELECT d.entry, c.suffix, replace(k.subject, c.suffix, '') FROM lead_disqualifications AS d
         CROSS JOIN LATERAL (SELECT CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || campaign ELSE '' END AS suffix OFFSET 0) AS c
          JOIN lead_disqualification_subjects AS k ON k.entry = d.entry
         WHERE d.entry = ANY (entries) AND k.subject LIKE 'person %' || c.suffix
         UNION
        SELECT h.entry, h.in_campaign, s.subject FROM held AS h
         CROSS JOIN LATERAL (SELECT substring(h.subject FROM '[+]\d+$') AS number OFFSET 0) AS n
         CROSS JOIN LATERAL (
            SELECT c.email, c.name, c.phone, c.mobile, c.region FROM contacts AS c WHERE c.campaign_id = campaign AND c.phone = n.number
             UNION ALL
            SELECT c.email, c.name, c.phone, c.mobile, c.region FROM contacts AS c WHERE c.campaign_id = campaign AND c.mobile = n.number) AS c
         CROSS JOIN LATERAL (
            SELECT @extschema@.lead_phones_subjects(NULL::bigint, NULL::bigint, NULL, c.name, @extschema@.try_normalize_phone(c.phone, c.region),
                @extschema@.try_normalize_phone(c.mobile, c.region), NULL::bigint, NULL, NULL) AS subjects OFFSET 0) AS known
         CROSS JOIN LATERAL unnest(known.subjects) AS s (subject)
         WHERE @extschema@.lead_phones_email_key(c.email) IS NULL AND h.subject = ANY (known.subjects))
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT h.entry, h.subject || h.in_campaign FROM held AS h ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_for_numbers(bigint, bigint[]) IS
    'internal: has entries that hold for people by name and number hold for the other numbers of these people too';

CREATE FUNCTION @extschema@.lead_phones_hold_for_addresses(campaign bigint, emails text[], names text[], phones text[], mobiles text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- Several rows become one person, of whom some of the numbers are then forgotten.
    WITH held AS MATERIALIZED (
        SELECT r.email, k.entry
          FROM ROWS FROM (unnest(emails), unnest(names), unnest(phones), unnest(mobiles)) AS r (email, name, phone, mobile)
         CROSS JOIN LATERAL (
            SELECT k.entry FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (
                @extschema@.lead_phones_subjects(campaign, NULL::bigint, NULL, r.name, r.phone, r.mobile, NULL::bigint, NULL, NULL)) OFFSET 0) AS k)
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, 'email ' || h.email || CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || campaign ELSE '' END
      FROM held AS h JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = campaign)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_for_addresses(bigint, text[], text[], text[], text[]) IS
    'internal: has entries that hold for people by name and number hold for the addresses that these come with';

CREATE FUNCTION @extschema@.lead_phones_is_anybody_held() RETURNS boolean
    STABLE LANGUAGE sql
AS $function$
    SELECT EXISTS (SELECT FROM lead_disqualification_subjects AS k WHERE k.subject >= 'person ' AND k.subject < 'person!')
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_anybody_held() IS
    'internal: whether there are entries that hold for people by name and number';

CREATE FUNCTION @extschema@.lead_phones_standing(kind text, campaign bigint, held_for text[], source text)
    RETURNS TABLE (entry bigint, subject text, is_own boolean, reason text, expires_at timestamptz)
    STABLE LANGUAGE sql
AS $function$
    SELECT d.entry, k.subject, k.subject = $1 || ' ' || coalesce(d.account_id::text, d.contact_id::text, d.domain), d.reason, d.expires_at
      FROM unnest($3) AS h (subject)
      JOIN lead_disqualification_subjects AS k ON k.subject = h.subject
      JOIN lead_disqualifications AS d ON d.entry = k.entry
     WHERE d.lifted_at IS NULL AND d.campaign_id IS NOT DISTINCT FROM $2
       AND d.source = coalesce($4, d.source)
       AND CASE $1 WHEN 'account' THEN d.account_id IS NOT NULL WHEN 'contact' THEN d.contact_id IS NOT NULL ELSE d.domain IS NOT NULL END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_standing(text, bigint, text[], text) IS
    'internal: the entries of a kind that hold for some subjects, of a source or all, and are not lifted';
