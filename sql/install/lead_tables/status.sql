-- Why a lead may not be called.

CREATE FUNCTION @extschema@.lead_phones_reasons_of(leads regclass, lead bigint, campaign bigint) RETURNS jsonb
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_reasons_of_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_reasons_of(regclass, bigint, bigint) IS
    'internal: the rows of lead_reasons for a lead, and its campaign';

CREATE FUNCTION @extschema@.lead_status(
    lead bigint, leads regclass DEFAULT @extschema@.lead_phones_visible_leads(), campaign bigint DEFAULT NULL)
    RETURNS TABLE (
        blocks text,
        kind text,
        subject text,
        source text,
        reason text,
        disqualified_by text,
        disqualified_at timestamptz,
        expires_at timestamptz,
        lift text)
    STABLE ROWS 2 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    answer jsonb;
    campaigns bigint;
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_model(leads);
    END IF;
    IF lead IS NULL THEN
        RAISE EXCEPTION 'lead must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Name its lead_id.';
    END IF;
    answer := @extschema@.lead_phones_reasons_of(leads, lead, campaign);
    campaigns := coalesce(jsonb_array_length(nullif(answer -> 'campaigns', 'null')), 0);
    IF campaigns = 0 THEN
        RAISE EXCEPTION 'lead % does not exist', lead
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.leads" has no such lead_id%s.', @extschema@.lead_phones_model(leads), ' in campaign ' || campaign),
                  HINT = 'Name the lead_id of a lead.';
    ELSIF campaigns > 1 THEN
        RAISE EXCEPTION 'there is a lead % in % campaigns', lead, campaigns
            USING ERRCODE = 'cardinality_violation', DETAIL = format('They are %s.', answer -> 'campaigns'),
                  HINT = format('Name the campaign, as in lead_status(%s, campaign => %s).', lead, answer -> 'campaigns' -> 0);
    END IF;
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(coalesce(nullif(answer -> 'reasons', 'null'), '[]')) AS r (
        blocks text, kind text, subject text, source text, reason text, disqualified_by text, disqualified_at timestamptz,
        expires_at timestamptz, lift text);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_status(bigint, regclass, bigint) IS
    'every reason why a lead, or one of its numbers, may not be called; none when it may be. Example: SELECT blocks, kind, reason, lift FROM lead_status(1)';
