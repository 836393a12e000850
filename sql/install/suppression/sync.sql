-- Suppression lists that are synchronized with a registry.

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
    -- what the list names is disqualified for as long as it does
    added := ARRAY(SELECT n FROM unnest(on_list) AS n EXCEPT SELECT n FROM unnest(lasting) AS n);
    gone := ARRAY(SELECT n FROM unnest(standing) AS n EXCEPT SELECT n FROM unnest(on_list) AS n);
    PERFORM @extschema@.lead_phones_take_turns(tracked, added || gone);
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
    'internal: disqualifies the numbers of a source that are on its list today, and lifts those that are not, as the caller';

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
    'internal: suppresses the domains of a source that are on its list today, and lifts those that are not, as the caller';

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
        RAISE EXCEPTION 'hashed numbers cannot be disqualified in one campaign'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'The ledger of a campaign names numbers, and of these only the hashes are known.',
                  HINT = 'Leave campaign out: they are disqualified in every campaign.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_hashed(text, text) IS
    'internal: an error where a list of hashes cannot be taken';
