-- Ways out: accounts and contacts that are disqualified, and suppressed domains. Numbers stand in the ledgers that every tracked table has, whoever
-- disqualifies them; see 4_disqualification.sql.

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
    'internal: whom an entry means: an account also by its name and domain, a contact by his address, which outlive the row';

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
        -- Of a source, the longest stands: so an entry that says the same, and lasts as long, is enough. That against another row, which holds
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
        -- Where somebody has entered one of them meanwhile, his may be the shorter: look again.
    END LOOP;
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
    'internal: disqualifies an account or a contact, or suppresses domains or numbers, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_contacts(rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    -- before it is
    is_truncated constant boolean := rows = 'null';
BEGIN
    IF is_truncated THEN
        -- all that are out
        SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') INTO rows FROM contacts AS c
         WHERE EXISTS (SELECT FROM contact_disqualifications AS d WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id AND d.blocks = 'lead');
    END IF;
    -- What kept a person out as he was, keeps him out as he is, and if he comes again as either: in the campaign where he was, or is.
    WITH people AS MATERIALIZED (
        SELECT o.campaign_id AS old_campaign_id, o.email AS old_email, c.campaign_id AS new_campaign_id, c.email AS new_email, w.of_row,
               -- by what the person was known, and is, whatever row he has
               @extschema@.lead_phones_subjects(o.campaign_id, NULL::bigint, o.email, o.name, n.old_phone, n.old_mobile, NULL::bigint, NULL, NULL) AS known_by,
               @extschema@.lead_phones_subjects(NULL::bigint, NULL::bigint, o.email, o.name, n.old_phone, n.old_mobile, NULL::bigint, NULL, NULL) AS old_subjects,
               CASE WHEN c.contact_id IS NOT NULL THEN
                   @extschema@.lead_phones_subjects(c.campaign_id, NULL::bigint, c.email, c.name, n.new_phone, n.new_mobile, NULL::bigint, NULL, NULL) END AS is_known_by,
               CASE WHEN c.contact_id IS NOT NULL THEN
                   @extschema@.lead_phones_subjects(NULL::bigint, c.contact_id, c.email, c.name, n.new_phone, n.new_mobile, NULL::bigint, NULL, NULL) ELSE '{}' END AS new_subjects,
               c.contact_id IS NULL OR (c.campaign_id, c.contact_id) <> (o.campaign_id, o.contact_id) OR c.account_id IS DISTINCT FROM o.account_id AS has_moved
          FROM jsonb_to_recordset(rows) AS o (campaign_id bigint, contact_id bigint, account_id bigint, email text, name text, phone text, mobile text, region text,
                new_campaign_id bigint, new_contact_id bigint)
          LEFT JOIN accounts AS a ON a.campaign_id = o.campaign_id AND a.account_id = o.account_id
          LEFT JOIN contacts AS c ON c.campaign_id = coalesce(o.new_campaign_id, o.campaign_id) AND c.contact_id = coalesce(o.new_contact_id, o.contact_id) AND NOT is_truncated
         -- of an account that goes with him, lead_phones_keep_out_of_account() has seen to its row
         CROSS JOIN LATERAL (
            SELECT @extschema@.lead_phones_subjects(o.campaign_id, o.contact_id, NULL, NULL, NULL, NULL, o.account_id, a.name_key, a.domain) AS of_row) AS w
         CROSS JOIN LATERAL (
            SELECT @extschema@.try_normalize_phone(o.phone, o.region) AS old_phone, @extschema@.try_normalize_phone(o.mobile, o.region) AS old_mobile,
                   @extschema@.try_normalize_phone(c.phone, c.region) AS new_phone, @extschema@.try_normalize_phone(c.mobile, c.region) AS new_mobile OFFSET 0) AS n),
    held AS MATERIALIZED (
        SELECT p.*, k.* FROM people AS p
         CROSS JOIN LATERAL (
            SELECT k.entry, bool_or(k.subject = ANY (p.known_by || p.of_row)) AS was_out,
                   bool_or(k.subject = ANY (p.known_by) AND k.subject NOT LIKE 'person %') AS knows_old,
                   bool_or(k.subject = ANY (p.is_known_by) AND k.subject NOT LIKE 'person %') AS knows_new
              FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (p.known_by || p.of_row || p.is_known_by) GROUP BY k.entry) AS k
         WHERE k.was_out AND (p.has_moved OR p.known_by <> p.is_known_by))
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, s.subject || CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || s.campaign_id ELSE '' END
      FROM held AS h
      JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = h.old_campaign_id)
     CROSS JOIN LATERAL (
        SELECT h.old_campaign_id AS campaign_id, w.subject FROM unnest(h.old_subjects) AS w (subject)
         WHERE CASE WHEN w.subject LIKE 'person %' THEN @extschema@.lead_phones_email_key(h.old_email) IS NULL ELSE h.knows_old IS NOT TRUE END
         UNION
        SELECT h.new_campaign_id, w.subject FROM unnest(h.new_subjects) AS w (subject)
         WHERE CASE WHEN w.subject LIKE 'person %' THEN @extschema@.lead_phones_email_key(h.new_email) IS NULL ELSE h.knows_new IS NOT TRUE END) AS s
     WHERE s.subject NOT LIKE 'domain %' AND (d.campaign_id IS NULL OR d.campaign_id = s.campaign_id)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
    PERFORM @extschema@.lead_phones_keep_out_of_new_contacts(rows);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_contacts(jsonb) IS
    'internal: adds to the entries that kept contacts out whom they mean, since their rows have changed or gone';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_new_contacts(rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaigns bigint[];
    entries bigint[];
BEGIN
    -- Step by step, and not in another order: Postgres does not know how few these are.
    WITH people AS MATERIALIZED (
        SELECT c.campaign_id, @extschema@.lead_phones_subjects(c.campaign_id, NULL::bigint, NULL, c.name, @extschema@.try_normalize_phone(c.phone, c.region),
                   @extschema@.try_normalize_phone(c.mobile, c.region), NULL::bigint, NULL, NULL) AS subjects
          FROM jsonb_to_recordset(rows) AS o (campaign_id bigint, contact_id bigint, new_campaign_id bigint, new_contact_id bigint)
          JOIN contacts AS c ON c.campaign_id = coalesce(o.new_campaign_id, o.campaign_id) AND c.contact_id = coalesce(o.new_contact_id, o.contact_id)
         WHERE @extschema@.lead_phones_email_key(c.email) IS NULL AND c.phone IS NOT NULL AND c.mobile IS NOT NULL),
    held AS MATERIALIZED (
        SELECT DISTINCT p.campaign_id, k.entry FROM people AS p JOIN lead_disqualification_subjects AS k ON k.subject = ANY (p.subjects))
    SELECT array_agg(f.campaign_id), array_agg(f.entry) INTO campaigns, entries
      FROM (SELECT h.campaign_id, h.entry FROM held AS h
              JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = h.campaign_id)) AS f;
    PERFORM @extschema@.lead_phones_hold_for_numbers(f.campaign, array_agg(f.entry))
       FROM unnest(campaigns, entries) AS f (campaign, entry) GROUP BY f.campaign;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_new_contacts(jsonb) IS
    'internal: adds to the entries that keep contacts out by name and number their other numbers';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_accounts(rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- An entry against the company holds for its new name and domain too; one against a domain, for the company that had it.
    WITH held AS MATERIALIZED (
        SELECT o.campaign_id AS old_campaign_id, coalesce(o.new_campaign_id, o.campaign_id) AS campaign_id, coalesce(o.new_account_id, o.account_id) AS account_id, k.entry
          FROM jsonb_to_recordset(rows) AS o (campaign_id bigint, account_id bigint, name text, domain text, new_campaign_id bigint, new_account_id bigint)
         CROSS JOIN LATERAL (
            SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (@extschema@.lead_phones_subjects(
                o.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, o.account_id, @extschema@.lead_phones_company_key(o.name), o.domain))) AS k)
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, s.subject
      FROM held AS n JOIN lead_disqualifications AS d ON d.entry = n.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = n.old_campaign_id)
     CROSS JOIN LATERAL unnest(CASE
            WHEN d.account_id IS NOT NULL THEN @extschema@.lead_phones_holds_for('account', n.campaign_id, n.account_id::text)
            WHEN d.campaign_id IS NULL THEN ARRAY[format('account %s in campaign %s', n.account_id, n.campaign_id)]
            ELSE ARRAY['account ' || n.account_id] END) AS s (subject)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_accounts(jsonb) IS
    'internal: adds to the entries that kept companies out whom they mean, since their rows have changed';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_account(account jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- Before its row is changed or goes: whatever kept the company out holds for its row, by which its people are found.
    WITH held AS MATERIALIZED (
        SELECT o.campaign_id, o.account_id, k.entry
          FROM jsonb_to_record(account) AS o (campaign_id bigint, account_id bigint, name text, domain text)
         CROSS JOIN LATERAL (
            SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (@extschema@.lead_phones_subjects(
                o.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, o.account_id, @extschema@.lead_phones_company_key(o.name), o.domain))) AS k)
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, 'account ' || h.account_id || CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || h.campaign_id ELSE '' END
      FROM held AS h JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = h.campaign_id)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_account(jsonb) IS
    'internal: adds to the entries that kept a company out its row, before that is changed or gone';

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
    'internal: lifts what lead_phones_suppress did, as whoever calls';

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

CREATE FUNCTION @extschema@.lead_phones_beside(leads regclass, table_name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT d.oid::regclass FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS d ON d.relnamespace = c.relnamespace
         WHERE c.oid = leads AND c.relname = 'contacts' AND d.relname = table_name AND d.relkind IN ('r', 'p') AND d.relowner = c.relowner);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_beside(regclass, name) IS
    'internal: the table of lead tables that stands beside tracked contacts; NULL beside another table';

CREATE FUNCTION @extschema@.lead_phones_check_shrinking(source text, before bigint, now bigint, force boolean) RETURNS void
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF now * 2 <= before AND before > 0 AND NOT force THEN
        RAISE EXCEPTION 'the list of source "%" is half as long as it was, or shorter', source
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It had %s entries, and has %s.', before, now),
                  HINT = 'Make sure that it is whole: what is not on it is lifted. Then call again with force => true.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_shrinking(text, bigint, bigint, boolean) IS
    'internal: an error where a list has lost so much that it may be cut off';

CREATE FUNCTION @extschema@.lead_phones_sync_phones(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    source_name constant text := arguments ->> 'source';
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    on_list bigint[];
    standing bigint[];
    lasting bigint[];
    added bigint[];
    gone bigint[];
    subjects text[];
    invalid text[];
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    -- Files of a source are taken one after the other.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones sync %I %s', current_schema(), source_name), 0));
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    on_list := ARRAY(SELECT ltrim(s, '+')::bigint FROM unnest(subjects) AS s);
    SELECT coalesce(array_agg(g.number), '{}'), coalesce(array_agg(g.number) FILTER (WHERE g.lasts), '{}') INTO standing, lasting
      FROM (SELECT s.number, bool_or(p.expires_at IS NULL) AS lasts FROM suppressed_phones AS s JOIN phone_suppressions AS p ON p.entry = s.entry
             WHERE s.lifted_at IS NULL AND p.lifted_at IS NULL AND p.source = source_name GROUP BY s.number) AS g;
    PERFORM @extschema@.lead_phones_check_shrinking(source_name, cardinality(standing), cardinality(on_list), (arguments ->> 'force')::boolean);
    -- what the list names is out for as long as it does
    added := ARRAY(SELECT n FROM unnest(on_list) AS n EXCEPT SELECT n FROM unnest(lasting) AS n);
    gone := ARRAY(SELECT n FROM unnest(standing) AS n EXCEPT SELECT n FROM unnest(on_list) AS n);
    IF added <> '{}' THEN
        PERFORM @extschema@.lead_phones_enter_everywhere(tracked, arguments || jsonb_build_object('keys', added));
    END IF;
    IF gone <> '{}' THEN
        UPDATE suppressed_phones AS s SET lifted_by = arguments ->> 'by', lifted_at = clock_timestamp(), lift_reason = 'not on the list any more'
          FROM unnest(gone) AS g (number), phone_suppressions AS p
         WHERE s.number = g.number AND s.lifted_at IS NULL AND p.entry = s.entry AND p.lifted_at IS NULL AND p.source = source_name;
    END IF;
    -- all numbers in one order
    IF added || gone <> '{}' THEN
        PERFORM @extschema@.lead_phones_apply_everywhere(tracked, added || gone);
    END IF;
    RETURN @extschema@.lead_phones_record_sync('phone', arguments, cardinality(added), cardinality(on_list) - cardinality(added), cardinality(gone), invalid);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_sync_phones(regclass, jsonb) IS
    'internal: puts the numbers of a source out that are on its list today, and lifts those that are not, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_sync_domains(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    source_name constant text := arguments ->> 'source';
    standing text[];
    lasting text[];
    added text[];
    gone text[];
    subjects text[];
    invalid text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones sync %I %s', current_schema(), source_name), 0));
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    SELECT coalesce(array_agg(d.domain), '{}'), coalesce(array_agg(d.domain) FILTER (WHERE d.expires_at IS NULL), '{}') INTO standing, lasting
      FROM lead_disqualifications AS d
     WHERE d.domain IS NOT NULL AND d.campaign_id IS NULL AND d.lifted_at IS NULL AND d.source = source_name;
    PERFORM @extschema@.lead_phones_check_shrinking(source_name, cardinality(standing), cardinality(subjects), (arguments ->> 'force')::boolean);
    added := ARRAY(SELECT n FROM unnest(subjects) AS n EXCEPT SELECT n FROM unnest(lasting) AS n);
    gone := ARRAY(SELECT n FROM unnest(standing) AS n EXCEPT SELECT n FROM unnest(subjects) AS n);
    PERFORM @extschema@.lead_phones_enter('domain', NULL::bigint, added, source_name, arguments ->> 'reason', arguments ->> 'by', NULL::timestamptz);
    UPDATE lead_disqualifications AS d SET lifted_by = arguments ->> 'by', lifted_at = clock_timestamp(), lift_reason = 'not on the list any more'
      FROM unnest(gone) AS g (domain)
     WHERE d.domain = g.domain AND d.campaign_id IS NULL AND d.lifted_at IS NULL AND d.source = source_name;
    RETURN @extschema@.lead_phones_record_sync('domain', arguments, cardinality(added), cardinality(subjects) - cardinality(added), cardinality(gone), invalid);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_sync_domains(regclass, jsonb) IS
    'internal: suppresses the domains of a source that are on its list today, and lifts those that are not, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_record_sync(kind text, arguments jsonb, added bigint, kept bigint, lifted bigint, invalid text[]) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    INSERT INTO suppression_syncs (kind, source, list, synced_by, synced_at, added, kept, lifted, invalid)
    VALUES ($1, arguments ->> 'source', arguments ->> 'list', arguments ->> 'by', clock_timestamp(), $3, $4, $5, cardinality($6));
    RETURN jsonb_build_object('added', $3, 'kept', $4, 'lifted', $5, 'invalid', cardinality($6), 'one_invalid', (SELECT min(i) FROM unnest($6) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_record_sync(text, jsonb, bigint, bigint, bigint, text[]) IS
    'internal: the receipt of a list that was taken over';

CREATE FUNCTION @extschema@.lead_phones_check_hashed(hashed text, campaign text) RETURNS void
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF hashed <> 'sha256' THEN
        RAISE EXCEPTION 'hashes "%" are not known', left(hashed, 64)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A list has numbers, or their hashes by hashed => ''sha256''.';
    END IF;
    IF hashed IS NOT NULL AND campaign IS NOT NULL THEN
        RAISE EXCEPTION 'hashed numbers cannot be put out in one campaign'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'The ledger of a campaign names numbers, and of these only the hashes are known.',
                  HINT = 'Leave campaign out: they are out in every campaign.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_hashed(text, text) IS
    'internal: an error where a list of hashes cannot be taken';

CREATE FUNCTION @extschema@.lead_phones_call_suppression(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kind text := arguments ->> 'kind';
    answer jsonb;
BEGIN
    IF jsonb_typeof(arguments -> 'subjects') IS DISTINCT FROM 'array' OR arguments -> 'subjects' = '[null]'
       OR kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL
       OR action <> 'unsuppress' AND arguments ->> 'source' IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN action <> 'unsuppress' AND arguments ->> 'source' IS NULL THEN 'source'
                WHEN kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL THEN 'campaign'
                WHEN kind IN ('account', 'contact') THEN kind ELSE kind || 's' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'See the reference of the procedure for what it needs.';
    END IF;
    PERFORM @extschema@.lead_phones_check_source(arguments ->> 'source'),
            @extschema@.lead_phones_check_hashed(arguments ->> 'hashed', arguments ->> 'campaign');
    IF action <> 'unsuppress' THEN
        PERFORM @extschema@.lead_phones_check_not_of_calls(arguments ->> 'source');
    END IF;
    leads := format('%I.contacts', @extschema@.lead_phones_model(leads))::regclass;
    answer := @extschema@.lead_phones_as_owner(leads, action, arguments || jsonb_build_object('by', @extschema@.lead_phones_caller()));
    IF (answer ->> 'invalid')::bigint > 0 THEN
        RAISE WARNING '% of the %s are not valid, and left out', answer ->> 'invalid', kind
            USING DETAIL = format('One is "%s".', left(answer ->> 'one_invalid', 64)),
                  HINT = CASE WHEN arguments ->> 'hashed' IS NOT NULL THEN 'Each is the SHA-256 of a number in E.164, as 64 hexadecimal digits.'
                      WHEN kind = 'phone' THEN 'Write numbers with their country code, or name their region with region => ''...''.'
                      ELSE 'Write domains as in kw.example; of public suffixes such as co.uk, name those below.' END;
    END IF;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_suppression(regclass, text, jsonb) IS
    'internal: checks the arguments of a procedure of lead tables and runs it';

CREATE FUNCTION @extschema@.lead_phones_elements(list text[]) RETURNS jsonb
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN list IS NULL THEN 'null'::jsonb ELSE to_jsonb(ARRAY(SELECT e FROM unnest(list) AS e)) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_elements(text[]) IS 'internal: the elements of a list, of however many dimensions';

CREATE FUNCTION @extschema@.lead_phones_check_list(list regclass, column_name name) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kind "char" := (SELECT c.relkind FROM pg_catalog.pg_class AS c WHERE c.oid = list);
BEGIN
    IF kind IS NULL OR kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '%', CASE WHEN kind IS NULL THEN format('table with OID %s does not exist', list::oid) ELSE format('"%s" is no list', list) END
            USING ERRCODE = CASE WHEN kind IS NULL THEN 'undefined_table' ELSE 'wrong_object_type' END,
                  HINT = 'Name a table, or a view, and its column of numbers or domains.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = list AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'table "%" has no column "%"', list, column_name
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('Its columns are %s.', (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
                                                           WHERE a.attrelid = list AND a.attnum > 0 AND NOT a.attisdropped)),
                  HINT = 'Name its column of numbers or domains with column_name => ''...''.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_list(regclass, name) IS
    'internal: an error where a list, or a column of it, cannot be read';

CREATE FUNCTION @extschema@.lead_phones_values(list regclass, column_name name) RETURNS text[]
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    known text[];
BEGIN
    IF list IS NULL OR column_name IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN list IS NULL THEN 'list' ELSE 'column_name' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a table, and its column of numbers or domains.';
    END IF;
    PERFORM @extschema@.lead_phones_check_list(list, column_name);
    EXECUTE format('SELECT coalesce(array_agg(l.%I::text), ''{}'') FROM %s AS l WHERE l.%1$I IS NOT NULL', column_name, list) INTO known;
    RETURN known;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_values(regclass, name) IS
    'internal: what a column of a list says, with the rights of the caller';

CREATE PROCEDURE @extschema@.sync_suppressed_values(
    kind text,
    subjects text[],
    source text,
    list text,
    reason text,
    region text,
    force boolean,
    hashed text,
    leads regclass,
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, CASE kind WHEN 'phone' THEN 'sync_phones' ELSE 'sync_domains' END, jsonb_build_object(
        'subjects', @extschema@.lead_phones_elements(subjects), 'reason', reason, 'source', source, 'list', list, 'region', region,
        'force', coalesce(force, false), 'hashed', hashed));
BEGIN
    added := answer ->> 'added';
    kept := answer ->> 'kept';
    lifted := answer ->> 'lifted';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_values(text, text[], text, text, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint) IS
    'internal: takes a list over, whose values were read with the rights of the caller';

CREATE PROCEDURE @extschema@.sync_suppressed_phones(
    list regclass,
    source text,
    column_name name DEFAULT 'phone',
    area_code_column name DEFAULT NULL,
    reason text DEFAULT NULL,
    region text DEFAULT NULL,
    force boolean DEFAULT false,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    phones text[];
BEGIN
    IF area_code_column IS NULL THEN
        phones := @extschema@.lead_phones_values(list, column_name);
    ELSE
        PERFORM @extschema@.lead_phones_values(list, column_name) WHERE list IS NULL;
        PERFORM @extschema@.lead_phones_check_list(list, c) FROM unnest(ARRAY[column_name, area_code_column]) AS c;
        EXECUTE format('SELECT coalesce(array_agg(concat_ws('' '', l.%I::text, l.%I::text)), ''{}'') FROM %s AS l WHERE l.%2$I IS NOT NULL',
            area_code_column, column_name, list) INTO phones;
    END IF;
    CALL @extschema@.sync_suppressed_values('phone', phones, source, list::text, reason, region, force, hashed, leads, added, kept, lifted, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_phones(regclass, text, name, name, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint) IS
    'disqualifies, in every campaign, the numbers of a list as it is today: adds what is new in it, lifts what is gone from it; entries of other sources are kept. Example: CALL sync_suppressed_phones(''do_not_call'', ''national registry'')';

CREATE PROCEDURE @extschema@.sync_suppressed_domains(
    list regclass,
    source text,
    column_name name DEFAULT 'domain',
    reason text DEFAULT NULL,
    force boolean DEFAULT false,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.sync_suppressed_values('domain', @extschema@.lead_phones_values(list, column_name), source, list::text, reason, NULL, force, NULL, leads,
        added, kept, lifted, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_domains(regclass, text, name, text, boolean, regclass, bigint, bigint, bigint, bigint) IS
    'disqualifies, in every campaign, the domains of a list as it is today: adds what is new in it, lifts what is gone from it; entries of other sources are kept. Example: CALL sync_suppressed_domains(''competitors'', ''sales'')';

CREATE PROCEDURE @extschema@.disqualify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_account', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_account(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'disqualifies a company: no lead of the account may be called, now or later; other people who share the numbers may. Example: CALL disqualify_account(42, 1, reason => ''is a customer'')';

CREATE PROCEDURE @extschema@.requalify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_account', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_account(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of an account by a source, or by all. Example: CALL requalify_account(42, 1)';

CREATE PROCEDURE @extschema@.disqualify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_contact', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_contact(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'disqualifies a person: no lead of the contact may be called, now or later; other people who share the numbers may. Example: CALL disqualify_contact(42, 1, reason => ''asked not to be called'')';

CREATE PROCEDURE @extschema@.requalify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_contact', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_contact(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of a contact by a source, or by all. Example: CALL requalify_contact(42, 1)';

CREATE PROCEDURE @extschema@.suppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'suppress_phones', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source,
        'expires_at', expires_at, 'region', region, 'hashed', hashed));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(text[], bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) IS
    'disqualifies a list of numbers in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_phones(''{678 999 8212, 212 761 2846}''::text[], reason => ''do not call'')';

CREATE PROCEDURE @extschema@.suppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, region, hashed, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(regclass, name, bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) IS
    'disqualifies the numbers in a column of a table in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_phones(''do_not_call'', ''phone'', 42)';

CREATE PROCEDURE @extschema@.unsuppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'unsuppress_phones', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source, 'region', region, 'hashed', hashed));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(text[], bigint, text, text, text, text, regclass, bigint) IS
    'lifts the suppression of a list of numbers in a campaign, or that in every campaign. Example: CALL unsuppress_phones(''{678 999 8212}''::text[])';

CREATE PROCEDURE @extschema@.suppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'suppress_domains', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(text[], bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'disqualifies the companies and e-mail addresses of a list of domains in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_domains(''{kw.example}''::text[], 42)';

CREATE PROCEDURE @extschema@.suppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(regclass, name, bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'disqualifies the companies and e-mail addresses of the domains in a column of a table, in a campaign, or in every campaign. Example: CALL suppress_domains(''competitors''::regclass, ''domain'')';

CREATE PROCEDURE @extschema@.unsuppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'unsuppress_domains', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(text[], bigint, text, text, regclass, bigint) IS
    'lifts the suppression of a list of domains in a campaign, or that in every campaign. Example: CALL unsuppress_domains(''{kw.example}''::text[], 42)';

CREATE PROCEDURE @extschema@.unsuppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, region, hashed, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(regclass, name, bigint, text, text, text, text, regclass, bigint) IS
    'lifts the suppression of the numbers in a column of a table, in a campaign, or that in every campaign. Example: CALL unsuppress_phones(''do_not_call'', ''phone'', 42)';

CREATE PROCEDURE @extschema@.unsuppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(regclass, name, bigint, text, text, regclass, bigint) IS
    'lifts the suppression of the domains in a column of a table, in a campaign, or that in every campaign. Example: CALL unsuppress_domains(''competitors''::regclass, ''domain'')';
