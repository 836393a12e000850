-- What triggers add to the ledger when people and companies change: entries outlive rows.

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
    -- What held for a person as known before, holds as known now, and if the person comes again as either: in the campaign of before, or of now.
    WITH people AS MATERIALIZED (
        SELECT o.campaign_id AS old_campaign_id, o.email AS old_email, c.campaign_id AS new_campaign_id, c.email AS new_email, w.of_row,
               -- by what the person was known, and is, whatever the row
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
         -- of an account that is deleted with it, lead_phones_keep_out_of_account() has seen to its row
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
