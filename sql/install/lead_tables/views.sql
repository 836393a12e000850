-- The views of lead tables: who may be called, and why not.

CREATE FUNCTION @extschema@.lead_phones_create_views() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    CREATE OR REPLACE VIEW lead_ledger AS
    SELECT 'phone'::text AS kind, d.campaign_id, d.phone::text AS subject, d.source, d.reason, d.disqualified_by, d.disqualified_at,
           d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now()) AS stands
      FROM campaign_phone_disqualifications AS d
     UNION ALL
    -- of a number that is known by its hash, the start of that
    SELECT 'phone', NULL, CASE WHEN s.number > 0 THEN '+' || s.number ELSE 'sha256 ' || lpad(to_hex(~s.number >> 3), 15, '0') END, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at, coalesce(s.lifted_by, d.lifted_by),
           coalesce(s.lifted_at, d.lifted_at), coalesce(s.lift_reason, d.lift_reason), s.lifted_at IS NULL AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
      FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
     UNION ALL
    SELECT CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact' ELSE 'domain' END,
           d.campaign_id, coalesce(d.account_id::text, d.contact_id::text, d.domain), d.source, d.reason,
           d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
      FROM lead_disqualifications AS d;

    -- What blocks a company, and what blocks a person or a number, is here and nowhere else. An entry is in force until it is lifted, or past its
    -- time; the marks of contacts follow when they are brought in line.
    CREATE OR REPLACE VIEW account_disqualifications AS
    SELECT a.campaign_id, a.account_id, d.entry, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
      FROM accounts AS a
     CROSS JOIN LATERAL (
        SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k
         WHERE k.subject = ANY (@extschema@.lead_phones_subjects(a.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, a.account_id, a.name_key, a.domain))) AS k
      JOIN lead_disqualifications AS d ON d.entry = k.entry AND (d.campaign_id IS NULL OR d.campaign_id = a.campaign_id) AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now());

    CREATE OR REPLACE VIEW contact_disqualifications AS
    SELECT c.campaign_id, c.contact_id, 'lead'::text AS blocks,
           CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact' ELSE 'domain' END AS kind,
           coalesce(d.account_id::text, d.contact_id::text, d.domain) AS subject, d.campaign_id AS in_campaign, d.entry, d.source, d.reason,
           d.disqualified_by, d.disqualified_at, d.expires_at
      FROM contacts AS c
      LEFT JOIN accounts AS a ON a.campaign_id = c.campaign_id AND a.account_id = c.account_id
     CROSS JOIN LATERAL (
        SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k
         WHERE k.subject = ANY (@extschema@.lead_phones_subjects(c.campaign_id, c.contact_id, c.email, c.name,
            @extschema@.try_normalize_phone(c.phone, c.region), @extschema@.try_normalize_phone(c.mobile, c.region), a.account_id, a.name_key, a.domain))) AS k
      JOIN lead_disqualifications AS d ON d.entry = k.entry AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
     UNION ALL
    SELECT c.campaign_id, c.contact_id, n.blocks, 'phone', n.number::text, d.campaign_id, NULL, d.source, d.reason, d.disqualified_by, d.disqualified_at,
           d.expires_at
      FROM contacts AS c
     CROSS JOIN LATERAL (VALUES ('phone', @extschema@.try_normalize_phone(c.phone, c.region), c.phone_disqualified),
                                ('mobile', @extschema@.try_normalize_phone(c.mobile, c.region), c.mobile_disqualified)) AS n (blocks, number, is_marked)
     CROSS JOIN LATERAL (
        SELECT d.campaign_id, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
          FROM campaign_phone_disqualifications AS d
         WHERE d.campaign_id = c.campaign_id AND d.phone = n.number AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
         UNION ALL
        SELECT NULL, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
          FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
         WHERE s.number = ANY (@extschema@.lead_phones_keys(n.number)) AND s.lifted_at IS NULL AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
         UNION ALL
        -- The mark of an entry that was made since this transaction began to read: out, where it is not one that has expired.
        SELECT c.campaign_id, NULL, 'it is marked, by an entry that this transaction does not see', NULL, NULL, NULL
         WHERE n.is_marked AND n.number IS NOT NULL
           AND NOT EXISTS (SELECT FROM campaign_phone_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.phone = n.number AND d.lifted_at IS NULL)
           AND NOT EXISTS (SELECT FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
                            WHERE s.number = ANY (@extschema@.lead_phones_keys(n.number)) AND s.lifted_at IS NULL AND d.lifted_at IS NULL)) AS d;

    CREATE OR REPLACE VIEW callable_leads AS
    SELECT l.campaign_id, l.lead_id, l.contact_id, c.account_id, l.upload_id, c.email, c.name, c.title, n.phone, n.mobile,
           CASE WHEN n.phone IS NOT NULL THEN c.phone_extension END AS phone_extension,
           CASE WHEN n.mobile IS NOT NULL THEN c.mobile_extension END AS mobile_extension
      FROM leads AS l
      JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(d.blocks = 'lead'), false) AS lead, coalesce(bool_or(d.blocks = 'phone'), false) AS phone,
               coalesce(bool_or(d.blocks = 'mobile'), false) AS mobile
          FROM (SELECT d.blocks FROM contact_disqualifications AS d WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id
                 UNION ALL
                SELECT r.blocks FROM call_refusals AS r WHERE r.campaign_id = c.campaign_id AND r.contact_id = c.contact_id) AS d) AS is_out
     CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT is_out.phone THEN @extschema@.try_normalize_phone(c.phone, c.region) END AS phone,
               CASE WHEN NOT is_out.mobile THEN @extschema@.try_normalize_phone(c.mobile, c.region) END AS mobile) AS n
     WHERE (n.phone IS NOT NULL OR n.mobile IS NOT NULL) AND NOT is_out.lead
       AND NOT EXISTS (SELECT FROM leads AS earlier
                        WHERE earlier.campaign_id = l.campaign_id AND earlier.contact_id = l.contact_id AND earlier.lead_id < l.lead_id);

    -- "leads" of a call are those of this schema, by the name that it has when it is asked: what lifts an entry is to be pasted.
    CREATE OR REPLACE VIEW lead_reasons AS
    SELECT l.lead_id, l.campaign_id, d.blocks, d.kind, d.subject, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
           CASE WHEN d.source IS NOT NULL THEN format(CASE
               WHEN d.kind = 'phone' AND d.in_campaign IS NOT NULL THEN
                   'CALL @extschema@.requalify_phone(%1$s, %2$L, source => %3$L, leads => %4$L)'
               WHEN d.kind = 'phone' THEN 'CALL @extschema@.unsuppress_phones(ARRAY[%2$L], source => %3$L, leads => %4$L)'
               WHEN d.kind = 'domain' AND d.in_campaign IS NOT NULL THEN
                   'CALL @extschema@.unsuppress_domains(ARRAY[%2$L], campaign => %1$s, source => %3$L, leads => %4$L)'
               WHEN d.kind = 'domain' THEN 'CALL @extschema@.unsuppress_domains(ARRAY[%2$L], source => %3$L, leads => %4$L)'
               WHEN d.kind = 'account' THEN 'CALL @extschema@.requalify_account(%1$s, %2$s, source => %3$L, leads => %4$L)'
               ELSE 'CALL @extschema@.requalify_contact(%1$s, %2$s, source => %3$L, leads => %4$L)' END,
               d.in_campaign, d.subject, d.source, @extschema@.lead_phones_table_name('leads'::regclass)) END AS lift
      FROM leads AS l
     CROSS JOIN LATERAL (
        SELECT d.* FROM contact_disqualifications AS d WHERE d.campaign_id = l.campaign_id AND d.contact_id = l.contact_id OFFSET 0) AS d
     UNION ALL
    -- corrected, an outcome no longer holds; a call is ended
    SELECT l.lead_id, l.campaign_id, r.blocks, r.kind, r.number, r.source, r.reason, r.by_whom, r.since, r.until,
           CASE WHEN r.call_id IS NOT NULL THEN format('CALL @extschema@.end_call(%s, %L, leads => %L)', r.call_id,
                    (SELECT min(d.name) FROM dispositions AS d WHERE d.disqualifies IS NULL AND d.rests IS NULL AND NOT d.calls_back),
                    @extschema@.lead_phones_table_name('leads'::regclass))
                WHEN r.kind = 'hours' AND r.until IS NULL THEN format('UPDATE %s SET time_zone = ... WHERE campaign_id = %s AND contact_id = %s',
                    @extschema@.lead_phones_table_name('contacts'::regclass), r.campaign_id, r.contact_id)
                ELSE format('UPDATE %s SET is_on = false WHERE rule = %s', @extschema@.lead_phones_table_name('call_rules'::regclass), r.rule) END
      FROM leads AS l
     CROSS JOIN LATERAL (
        SELECT r.* FROM call_refusals AS r WHERE r.campaign_id = l.campaign_id AND r.contact_id = l.contact_id OFFSET 0) AS r
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'number', NULL, NULL, 'there is no valid number', NULL, NULL, NULL,
           format('UPDATE %s SET phone = ... WHERE campaign_id = %s AND contact_id = %s', @extschema@.lead_phones_table_name('contacts'::regclass),
               c.campaign_id, c.contact_id)
      FROM leads AS l
      JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE @extschema@.try_normalize_phone(c.phone, c.region) IS NULL AND @extschema@.try_normalize_phone(c.mobile, c.region) IS NULL
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'repeat', e.lead_id::text, NULL, 'the same person is called by an earlier lead',
           NULL, NULL, NULL, NULL
      FROM leads AS l
     CROSS JOIN LATERAL (SELECT e.lead_id FROM leads AS e
                          WHERE e.campaign_id = l.campaign_id AND e.contact_id = l.contact_id AND e.lead_id < l.lead_id
                          ORDER BY e.lead_id LIMIT 1) AS e
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'contact', NULL, NULL, 'it was written while triggers were disabled, and has no contact',
           NULL, NULL, NULL,
           format('SELECT @extschema@.lead_phones_upload_step(%L::regclass, ''split_late'', ''{"campaign": %s, "lead": %s}''::jsonb)',
               @extschema@.lead_phones_table_name('leads'::regclass), l.campaign_id, l.lead_id)
      FROM leads AS l WHERE l.contact_id IS NULL;

    COMMENT ON VIEW account_disqualifications IS 'every entry that keeps the people of an account from being called';
    COMMENT ON VIEW contact_disqualifications IS 'every entry that keeps a contact, or one of its numbers, from being called';
    COMMENT ON VIEW lead_ledger IS 'all disqualifications and suppressions, of numbers too, that are or were in force';
    COMMENT ON VIEW lead_reasons IS 'every reason why a lead may not be called now';
    COMMENT ON VIEW callable_leads IS 'the leads that may be called now, and by which numbers; each person once';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_views() IS 'internal: creates the views of lead tables';
