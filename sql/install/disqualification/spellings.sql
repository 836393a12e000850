-- Which numbers a spelling means, in the regions of a campaign.

CREATE FUNCTION @extschema@.lead_phones_regions() RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_regions_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_regions() IS 'internal: the regions that the phone metadata knows';

CREATE FUNCTION @extschema@.lead_phones_region_of(tracked @extschema@.lead_phone_tables, literal text) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    campaigns constant regclass := @extschema@.lead_phones_beside(tracked.leads, 'campaigns'::name);
    region text;
BEGIN
    IF campaigns IS NOT NULL THEN
        EXECUTE format('SELECT CASE WHEN count(DISTINCT upper(@extschema@.lead_phones_trimmed(c.region))) = 1 THEN min(c.region) END FROM %s AS c WHERE %s', campaigns,
            coalesce('c.campaign_id = ' || literal, 'true')) INTO region;
    END IF;
    RETURN coalesce(region, tracked.region);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_region_of(@extschema@.lead_phone_tables, text) IS
    'internal: the region of a campaign, or of all that have one: of lead tables their own, else that of the tracked table';

CREATE FUNCTION @extschema@.lead_phones_campaigns_of(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    campaigns text;
BEGIN
    IF tracked.campaign_column IS NULL THEN
        RETURN 'true';
    END IF;
    -- From one to the next by the primary key: there are few of them, and many numbers.
    EXECUTE format($query$
        WITH RECURSIVE k AS (
            (SELECT c.%2$I AS campaign FROM %1$s AS c ORDER BY c.%2$I LIMIT 1)
             UNION ALL
            SELECT (SELECT c.%2$I FROM %1$s AS c WHERE c.%2$I %3$s k.campaign ORDER BY c.%2$I LIMIT 1) FROM k WHERE k.campaign IS NOT NULL)
        SELECT coalesce(array_agg(k.campaign) FILTER (WHERE k.campaign IS NOT NULL), '{}')::text FROM k$query$,
        tracked.counts, tracked.campaign_column, @extschema@.lead_phones_operator(tracked, 5::smallint)) INTO campaigns;
    RETURN format('ANY (%L::%s[])', campaigns, @extschema@.lead_phones_campaign_type(tracked));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaigns_of(@extschema@.lead_phone_tables) IS
    'internal: SQL of all campaigns that have counts';

CREATE FUNCTION @extschema@.lead_phones_read(tracked @extschema@.lead_phone_tables, literal text, raw text[], region text)
    RETURNS TABLE (raw_value text, number @extschema@.e164, by_region text)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    few constant int := 20;
    base constant text := coalesce(region, @extschema@.lead_phones_region_of(tracked, literal));
    -- By the index on campaign and number, also in all campaigns.
    campaigns constant text := coalesce(literal, @extschema@.lead_phones_campaigns_of(tracked));
    regions text[] := @extschema@.lead_phones_regions();
    unclear text[];
BEGIN
    RETURN QUERY SELECT r.raw_value, @extschema@.try_normalize_phone(r.raw_value, base), NULL::text FROM unnest(raw) AS r (raw_value);
    -- Without a country code, a number is also what it is to a lead of another region that holds it.
    unclear := ARRAY(SELECT r.raw_value FROM unnest(raw) AS r (raw_value) WHERE @extschema@.try_normalize_phone(r.raw_value, 'ZZ') IS NULL);
    IF region IS NOT NULL OR tracked.region_column IS NULL OR unclear = '{}' THEN
        RETURN;
    END IF;
    IF cardinality(unclear) > few THEN
        EXECUTE format('SELECT array_agg(DISTINCT upper(@extschema@.lead_phones_trimmed(%s))) FROM %s AS l WHERE %s',
            @extschema@.lead_phones_region(tracked), tracked.leads, @extschema@.lead_phones_is_of(tracked, 'l', campaigns)) INTO regions;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH readings AS MATERIALIZED (
            SELECT u.raw_value, g.region, n.number::text AS number
              FROM unnest($1) AS u (raw_value) CROSS JOIN unnest($2) AS g (region)
             CROSS JOIN LATERAL @extschema@.try_normalize_phone(u.raw_value, g.region) AS n (number)
             WHERE n.number IS NOT NULL AND n.number IS DISTINCT FROM @extschema@.try_normalize_phone(u.raw_value, $3)),
        held AS (%s)
        SELECT DISTINCT r.raw_value, r.number::@extschema@.e164, r.region
          FROM readings AS r JOIN held AS h ON h.number = r.number AND upper(@extschema@.lead_phones_trimmed(h.region)) = r.region$query$,
        (SELECT string_agg(format('SELECT %s::text AS number, %s AS region FROM %s AS l WHERE %s AND %1$s = ANY (ARRAY(SELECT r.number FROM readings AS r))',
                    @extschema@.lead_phones_stored(tracked, n), @extschema@.lead_phones_region(tracked), tracked.leads,
                    @extschema@.lead_phones_is_of(tracked, 'l', campaigns)), ' UNION ')
           FROM unnest(tracked.phone_columns) AS n))
      USING unclear, regions, base;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_read(@extschema@.lead_phone_tables, text, text[], text) IS
    'internal: the numbers that texts spell in a campaign: by the region that is named, or its own; and as leads of other regions hold them';

CREATE FUNCTION @extschema@.lead_phones_numbers_of(tracked @extschema@.lead_phone_tables, literal text, arguments jsonb) RETURNS @extschema@.e164[]
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    raw constant text := arguments ->> 'phone';
    main @extschema@.e164;
    others @extschema@.e164[];
    readings text;
    detail text;
BEGIN
    -- of a list, which was read already
    IF arguments ? 'subjects' THEN
        -- The checks of a domain cost more than reading a number.
        RETURN ARRAY(SELECT coalesce(@extschema@.try_normalize_phone(s), s::@extschema@.e164) FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    END IF;
    PERFORM @extschema@.lead_phones_check_region_code(arguments ->> 'region');
    SELECT max(r.number) FILTER (WHERE r.by_region IS NULL), array_agg(DISTINCT r.number) FILTER (WHERE r.by_region IS NOT NULL),
           string_agg(DISTINCT format('%s in %s', r.number, r.by_region), ', ') FILTER (WHERE r.by_region IS NOT NULL)
      INTO main, others, readings
      FROM @extschema@.lead_phones_read(tracked, literal, ARRAY[raw], arguments ->> 'region') AS r;
    IF main IS NULL AND others IS NULL THEN
        BEGIN
            RETURN ARRAY[@extschema@.normalize_phone(raw, coalesce(arguments ->> 'region', @extschema@.lead_phones_region_of(tracked, literal)))];
        EXCEPTION WHEN data_exception THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION '%', SQLERRM
                USING ERRCODE = SQLSTATE, DETAIL = detail, HINT = 'Write it with its country code, or name its region with region => ''...''.';
        END;
    END IF;
    IF others IS NOT NULL THEN
        RAISE NOTICE '"%" is also %', left(raw, 64), readings
            USING DETAIL = 'Leads of the campaign hold it as a number of another region.',
                  HINT = 'Write it with its country code, or name its region with region => ''...''.';
    END IF;
    RETURN array_remove(ARRAY[main] || others, NULL);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_numbers_of(@extschema@.lead_phone_tables, text, jsonb) IS
    'internal: the numbers that a call is about: of a list, or as the one was spelled';
