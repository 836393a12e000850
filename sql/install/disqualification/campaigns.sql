-- Campaigns in arguments, and the order in which campaigns and numbers are locked.

CREATE FUNCTION @extschema@.lead_phones_campaign_literal(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF tracked.campaign_column IS NULL THEN
        RETURN 'true';
    END IF;
    -- without the type's length: a cast to varchar(n) would cut one campaign down to another
    RETURN format('%L::%s', campaign, @extschema@.lead_phones_campaign_type(tracked));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaign_literal(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of a campaign, in the type of the campaign column';

CREATE FUNCTION @extschema@.lead_phones_campaign_type(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- with no length: bpchar, not character, which is char(1)
    RETURN format_type(@extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column), -1);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaign_type(@extschema@.lead_phone_tables) IS
    'internal: SQL of the type of the campaign column, or of that under its domain';

CREATE FUNCTION @extschema@.lead_phones_check_campaign(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    literal text := @extschema@.lead_phones_campaign_literal(tracked, campaign);
    referenced record;
    known boolean;
BEGIN
    IF tracked.campaign_column IS NULL THEN
        IF campaign IS NOT NULL THEN
            RAISE EXCEPTION 'table "%" has no campaigns', tracked.leads
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('It is tracked with campaign_column => NULL, and campaign is "%s".', left(campaign, 64)),
                      HINT = 'Pass NULL for the campaign.';
        END IF;
        RETURN literal;
    END IF;
    IF literal IS NULL THEN
        RAISE EXCEPTION 'table "%" is tracked by a column "%" that it does not have', tracked.leads, tracked.campaign_column
            USING ERRCODE = 'undefined_column',
                  DETAIL = 'The column was renamed or dropped after track_lead_phones().',
                  HINT = format('Run untrack_lead_phones(%L), then track_lead_phones(%L, ...).', tracked.leads, tracked.leads);
    END IF;
    -- The session may write dates in another order, and 02/01/03 be another day.
    IF @extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column) IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
       AND campaign !~ '^\s*(-?infinity|(\d{4,}-\d\d?-\d\d?|\d{8})\M.*)\s*$' THEN
        RAISE EXCEPTION 'campaign "%" of table "%" is not written as a date of ISO 8601', left(campaign, 64), tracked.leads
            USING ERRCODE = 'invalid_datetime_format', DETAIL = 'Of days and months in another order, it could be another one.',
                  HINT = 'Write year, month and day, as in 2026-11-29; in SQL, to_char(..., ''YYYY-MM-DD'').';
    END IF;
    BEGIN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS l WHERE %s) OR EXISTS (SELECT FROM %s AS c WHERE %s)',
            tracked.leads, @extschema@.lead_phones_is_of(tracked, 'l', literal), tracked.counts, @extschema@.lead_phones_is_of(tracked, 'c', literal)) INTO known;
    -- some types have codes of their own for what they cannot read
    EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
        RAISE EXCEPTION 'campaign "%" is not a value of column "%" of table "%"', left(campaign, 64),
                tracked.campaign_column, tracked.leads
            USING ERRCODE = 'invalid_text_representation',
                  DETAIL = SQLERRM || '.',
                  HINT = 'Pass the campaign as that column has it.';
    END;
    IF known THEN
        RETURN literal;
    END IF;
    -- A campaign without leads is known where the column references the table of campaigns.
    FOR referenced IN
        SELECT c.confrelid::regclass AS campaigns, f.attname AS key_column, format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS equals
          FROM pg_catalog.pg_constraint AS c
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = tracked.campaign_column
          JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
          JOIN pg_catalog.pg_operator AS o ON o.oid = c.conpfeqop[1]
          JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
         WHERE c.conrelid = tracked.leads AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum]
           -- what hangs on a table of somebody else would run as the owner of the leads
           AND (SELECT r.relowner FROM pg_catalog.pg_class AS r WHERE r.oid = c.confrelid) = (SELECT l.relowner FROM pg_catalog.pg_class AS l WHERE l.oid = tracked.leads)
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS r WHERE r.%I %s %s)',
            referenced.campaigns, referenced.key_column, referenced.equals, literal) INTO known;
        IF known THEN
            RETURN literal;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'campaign "%" of table "%" does not exist', left(campaign, 64), tracked.leads
        USING ERRCODE = 'no_data_found',
              DETAIL = 'No lead has it, and no table that the campaign column references.',
              HINT = format('Correct the campaign, upload its leads first, or let column %I reference your table of campaigns.',
                  tracked.campaign_column);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_campaign(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of a campaign, in the type of the campaign column; an error where there is no such campaign';

CREATE FUNCTION @extschema@.lead_phones_campaign_order(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- text by its bytes, as the triggers do
    RETURN campaign || coalesce((
        SELECT CASE WHEN @extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column) IN ('text'::regtype, 'varchar'::regtype) THEN ' COLLATE pg_catalog."C"'
                    ELSE format(' COLLATE %I.%I', n.nspname, c.collname) END
          FROM pg_catalog.pg_attribute AS a
          JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
         WHERE a.attrelid = tracked.leads AND a.attname = tracked.campaign_column), '');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaign_order(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of the order of campaigns in which rows of the counts are locked';

CREATE FUNCTION @extschema@.lead_phones_in_order(
    tracked @extschema@.lead_phone_tables, campaigns text[], phones @extschema@.e164[], OUT literal text, OUT numbers @extschema@.e164[])
    RETURNS SETOF record
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    campaign_type constant text := @extschema@.lead_phones_campaign_type(tracked);
BEGIN
    IF tracked.campaign_column IS NULL THEN
        RETURN QUERY SELECT 'true', array_agg(DISTINCT n ORDER BY n) FROM unnest(phones) AS n HAVING count(*) > 0;
        RETURN;
    END IF;
    -- The one order in which rows of the counts are locked: campaign, then number, texts by their bytes. The triggers have it from
    -- Campaign and Delta in src/triggers.
    RETURN QUERY EXECUTE format($query$
        SELECT format(%1$L, k.campaign), array_agg(DISTINCT k.phone ORDER BY k.phone)
          FROM unnest($1, $2) AS k (campaign, phone)
         GROUP BY k.campaign ORDER BY %2$s$query$,
        '%L::' || replace(campaign_type, '%', '%%'), @extschema@.lead_phones_campaign_order(tracked, 'k.campaign::' || campaign_type))
      USING campaigns, phones;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_in_order(@extschema@.lead_phone_tables, text[], @extschema@.e164[]) IS
    'internal: numbers by campaign, in the order in which rows of the counts are locked; campaigns as SQL';
