-- What keeps a number from being called now.

CREATE FUNCTION @extschema@.lead_phones_create_call_views() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- What keeps a number from being called now, and ends by itself, is here and nowhere else. Times are those of the clock: who has waited for a
    -- lock asks late.
    CREATE OR REPLACE VIEW call_refusals AS
    SELECT c.campaign_id, c.contact_id, n.blocks, n.number, r.kind, r.source, r.reason, r.by_whom, r.since, r.until, r.call_id, r.rule
      FROM contacts AS c
     CROSS JOIN LATERAL (VALUES ('phone'::text, @extschema@.try_normalize_phone(c.phone, c.region)::text),
                                ('mobile', @extschema@.try_normalize_phone(c.mobile, c.region)::text)) AS n (blocks, number)
     CROSS JOIN LATERAL (
        SELECT 'on_call'::text AS kind, NULL::text AS source, k.caller || ' is on the line' AS reason, k.caller AS by_whom, k.started_at AS since,
               k.started_at + coalesce(m.longest_call, '2 hours') AS until, k.call_id, NULL::bigint AS rule
          FROM calls AS k LEFT JOIN campaigns AS m ON m.campaign_id = k.campaign_id
         WHERE k.number = n.number AND k.ended_at IS NULL AND k.started_at + coalesce(m.longest_call, '2 hours') > @extschema@.lead_phones_clock()
         UNION ALL
        -- by another number of the person
        SELECT 'on_call', NULL, k.caller || ' is on the line', k.caller, k.started_at, k.started_at + coalesce(m.longest_call, '2 hours'), k.call_id, NULL
          FROM calls AS k LEFT JOIN campaigns AS m ON m.campaign_id = k.campaign_id
         WHERE k.campaign_id = c.campaign_id AND k.contact_id = c.contact_id AND k.number <> n.number AND k.ended_at IS NULL
           AND k.started_at + coalesce(m.longest_call, '2 hours') > @extschema@.lead_phones_clock()
         UNION ALL
        SELECT 'resting', 'disposition', concat_ws(': ', o.disposition, o.note), o.recorded_by, o.recorded_at, o.rests_until, o.call_id, NULL
          FROM call_outcomes AS o
         WHERE o.number = n.number AND o.corrected_at IS NULL AND o.rests_until > @extschema@.lead_phones_clock()
           AND (o.everywhere OR o.campaign_id = c.campaign_id)
         UNION ALL
        SELECT f.kind, coalesce(r.source, 'call rule ' || r.rule), f.reason, NULL, NULL, f.until, NULL, r.rule
          FROM (
            SELECT @extschema@.lead_phones_call_regions(n.number) AS regions, @extschema@.lead_phones_states(n.number, c.state, c.region) AS states,
                   @extschema@.lead_phones_zones(n.number, c.state, c.time_zone) AS zones,
                   CASE WHEN num_nonnulls(c.state, c.time_zone) > 0 THEN upper(c.region) END AS own_region
             WHERE EXISTS (SELECT FROM call_rules AS u WHERE u.is_on) OFFSET 0) AS p
          JOIN call_rules AS r ON r.is_on AND (r.campaign_id IS NULL OR r.campaign_id = c.campaign_id)
           -- where a number of no region is, or one of no state, nobody knows: all apply
           AND (r.region IS NULL OR p.regions = '{}' OR r.region = ANY (p.regions) OR r.region = p.own_region)
           AND (r.state IS NULL OR p.states = '{}' OR coalesce(@extschema@.lead_phones_state_code(r.state), upper(r.state)) = ANY (p.states))
         CROSS JOIN LATERAL (
            SELECT 'attempts' AS kind, format('%s attempts in 24 hours', r.attempts_in_24_hours) AS reason, k.started_at + interval '24 hours' AS until
              FROM (SELECT k.started_at FROM calls AS k
                     WHERE k.number = n.number AND k.is_attempt AND k.started_at > @extschema@.lead_phones_clock() - interval '24 hours'
                       AND k.campaign_id = coalesce(r.campaign_id, k.campaign_id)
                     ORDER BY k.started_at DESC OFFSET r.attempts_in_24_hours - 1 LIMIT 1) AS k
             WHERE r.attempts_in_24_hours IS NOT NULL
             UNION ALL
            SELECT 'attempts', format('%s attempts in all', r.attempts_in_all), NULL
              FROM (SELECT k.started_at FROM calls AS k
                     WHERE k.number = n.number AND k.is_attempt AND k.campaign_id = coalesce(r.campaign_id, k.campaign_id)
                     ORDER BY k.started_at DESC OFFSET r.attempts_in_all - 1 LIMIT 1) AS k
             WHERE r.attempts_in_all IS NOT NULL
             UNION ALL
            SELECT 'resting', 'rest of ' || r.rest || ' after an attempt', k.ended_at + r.rest
              FROM (SELECT coalesce(k.ended_at, k.started_at + coalesce((SELECT m.longest_call FROM campaigns AS m WHERE m.campaign_id = k.campaign_id), '2 hours')) AS ended_at
                      FROM calls AS k
                     WHERE k.number = n.number AND k.is_attempt AND k.campaign_id = coalesce(r.campaign_id, k.campaign_id)
                     ORDER BY k.started_at DESC LIMIT 1) AS k
             WHERE k.ended_at + r.rest > @extschema@.lead_phones_clock()
             UNION ALL
            SELECT 'hours', CASE WHEN h.is_open IS NULL THEN 'a time zone is not known' ELSE 'not at this hour in ' || replace(p.zones, ',', ', ') END,
                   CASE WHEN NOT h.is_open THEN
                       @extschema@.lead_phones_opens_at(p.zones, r.weekdays, r.opens, r.closes, r.holidays, @extschema@.lead_phones_clock()) END
              FROM (SELECT @extschema@.lead_phones_is_open(p.zones, r.weekdays, r.opens, r.closes, r.holidays, @extschema@.lead_phones_clock()) AS is_open OFFSET 0) AS h
             WHERE (r.opens IS NOT NULL OR r.holidays <> '{}') AND h.is_open IS NOT TRUE) AS f) AS r
     WHERE n.number IS NOT NULL;
    COMMENT ON VIEW call_refusals IS 'what keeps a number of a contact from being called now, and until when';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_call_views() IS 'internal: creates the view of what keeps numbers from being called now';
