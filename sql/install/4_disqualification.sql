-- Disqualification: numbers that are not to be called, and the ledger of why.
--
-- The procedures are for whoever may act as the owner of a leads table, and for callers who were granted EXECUTE on them and have nothing else. They hand
-- over to lead_phones_run (src/procedures.rs), and that to lead_phones_as_owner, which looks at the caller, and runs one function of a fixed list as the
-- owner of the leads table: a caller reaches that table's leads, counts and ledger, and no other table.

CREATE FUNCTION @extschema@.lead_phones_run(leads regclass, procedure text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_run_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_run(regclass, text, jsonb) IS
    'internal: runs a procedure for its caller';

CREATE FUNCTION @extschema@.lead_phones_refusal(procedure name, caller oid) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- and none that somebody has put beside them, to be granted it
    own constant oid[] := ARRAY(
        SELECT p.oid FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_catalog.pg_extension AS e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'lead_phones'
         WHERE p.pronamespace = '@extschema@'::regnamespace AND p.proname = procedure
         ORDER BY p.oid);
BEGIN
    -- Every role is PUBLIC: what that may do says nothing.
    IF EXISTS (SELECT FROM pg_catalog.pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
                WHERE p.oid = ANY (own) AND a.privilege_type = 'EXECUTE' AND a.grantee <> 0 AND pg_has_role(caller, a.grantee, 'USAGE')) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT format('Run GRANT EXECUTE ON %s %s TO %I.', CASE WHEN bool_and(p.prokind = 'p') THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                string_agg(p.oid::regprocedure::text, ', ' ORDER BY p.oid), pg_get_userbyid(caller))
              FROM pg_catalog.pg_proc AS p WHERE p.oid = ANY (own));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_refusal(name, oid) IS
    'internal: what to do where a procedure was not granted to a role; NULL where it was';

CREATE FUNCTION @extschema@.lead_phones_as_owner(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_as_owner_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb) IS
    'internal: runs an action on a tracked table as the owner of the table';

CREATE FUNCTION @extschema@.lead_phones_caller() RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_caller() IS
    'internal: the role of the session, seen through SECURITY DEFINER';

CREATE FUNCTION @extschema@.lead_phones_only(tables regclass[], what text) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF cardinality(tables) = 0 THEN
        RAISE EXCEPTION '% in the schemas of search_path', CASE what WHEN 'contacts' THEN 'there are no lead tables' ELSE 'no table is tracked' END
            USING ERRCODE = CASE what WHEN 'contacts' THEN 'undefined_table' ELSE 'object_not_in_prerequisite_state' END,
                  DETAIL = 'Where leads is left out, the one that search_path sees is meant.',
                  HINT = CASE what WHEN 'contacts' THEN 'Run create_lead_tables(), or name the leads table with leads => ''schema.leads''.'
                      ELSE 'Run track_lead_phones() on the leads table, or name it with leads => ''schema.table''.' END;
    END IF;
    IF cardinality(tables) > 1 THEN
        RAISE EXCEPTION '%', CASE what WHEN 'contacts' THEN 'more than one schema has lead tables' ELSE 'more than one table is tracked' END
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('search_path sees %s.', array_to_string(tables, ', ')),
                  HINT = format('Name the table with leads => %L.', @extschema@.lead_phones_table_name(tables[1]));
    END IF;
    RETURN tables[1];
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_only(regclass[], text) IS
    'internal: the one table that was found; an error where there is none, or more';

CREATE FUNCTION @extschema@.lead_phones_visible(tables regclass[], schemas name[]) RETURNS regclass[]
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- As a name is resolved. But temporary tables neither are meant nor hide others: they are made by the way.
    SELECT coalesce(array_agg(c.oid::regclass ORDER BY p.place), '{}')
      FROM unnest(schemas) WITH ORDINALITY AS p (schema, place)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schema
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.oid = ANY (tables) AND c.relpersistence = 'p'
     WHERE NOT EXISTS (SELECT FROM unnest(schemas) WITH ORDINALITY AS e (schema, place)
                         JOIN pg_catalog.pg_namespace AS m ON m.nspname = e.schema
                         JOIN pg_catalog.pg_class AS h ON h.relnamespace = m.oid AND h.relname = c.relname AND h.relpersistence <> 't'
                        WHERE e.place < p.place)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible(regclass[], name[]) IS
    'internal: those of some tables that a search_path sees';

-- The default of a parameter, which is evaluated as the caller: by his search_path a table is meant. So it sets none, and hands it on.
CREATE FUNCTION @extschema@.lead_phones_visible_table() RETURNS regclass
    STABLE LANGUAGE sql
AS $function$
    SELECT @extschema@.lead_phones_only(@extschema@.lead_phones_visible(
        ARRAY(SELECT t.leads FROM @extschema@.lead_phone_tables AS t), pg_catalog.current_schemas(false)), 'table'::pg_catalog.text)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_table() IS
    'internal: the one tracked table that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_resolve(leads regclass) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Name the tracked table, or leave it out for the one that search_path sees; the view lead_phone_tables lists all.';
    END IF;
    -- of lead tables, contacts have the numbers
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
        leads := format('%I.contacts', @extschema@.lead_phones_model(leads))::regclass;
    END IF;
    RETURN (@extschema@.lead_phones_tracked(leads)).leads;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_resolve(regclass) IS
    'internal: the tracked table that is meant by the one named';

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
    BEGIN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS l WHERE %s) OR EXISTS (SELECT FROM %s AS c WHERE %s)',
            tracked.leads, @extschema@.lead_phones_is_of(tracked, 'l', literal), tracked.counts, @extschema@.lead_phones_is_of(tracked, 'c', literal)) INTO known;
    -- some types have codes of their own for what they cannot read
    EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
        RAISE EXCEPTION 'campaign "%" is not a value of column "%" of table "%"', left(campaign, 64),
                tracked.campaign_column, tracked.leads
            USING ERRCODE = 'invalid_text_representation',
                  DETAIL = SQLERRM || '.',
                  HINT = 'Pass the campaign as it stands in that column.';
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

CREATE FUNCTION @extschema@.lead_phones_leads_of(tracked @extschema@.lead_phone_tables, literal text) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN format('%s AS l WHERE %s AND (%s)', tracked.leads, @extschema@.lead_phones_is_of(tracked, 'l', literal),
        @extschema@.lead_phones_each(tracked, '%4$s = ANY ($1)', ' OR '));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_leads_of(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of the leads of a campaign that hold one of the numbers $1';

CREATE FUNCTION @extschema@.lead_phones_wait_for_lead(tracked @extschema@.lead_phone_tables, literal text, numbers @extschema@.e164[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    leads constant text := @extschema@.lead_phones_leads_of(tracked, literal);
    held_table oid;
    held_row tid;
BEGIN
    BEGIN
        EXECUTE format('WITH free AS MATERIALIZED (SELECT l.tableoid, l.ctid FROM %1$s FOR NO KEY UPDATE SKIP LOCKED)
                        SELECT l.tableoid, l.ctid FROM %1$s AND NOT EXISTS (
                            SELECT FROM free AS f WHERE f.tableoid = l.tableoid AND f.ctid = l.ctid) LIMIT 1', leads)
           INTO held_table, held_row USING numbers::text[];
        -- the locks of this look
        RAISE SQLSTATE 'LP001';
    EXCEPTION WHEN SQLSTATE 'LP001' THEN
    END;
    BEGIN
        EXECUTE format('SELECT FROM %s AS l WHERE l.tableoid = $1 AND l.ctid = $2 FOR NO KEY UPDATE', tracked.leads)
          USING held_table, held_row;
        RAISE SQLSTATE 'LP001';
    EXCEPTION WHEN SQLSTATE 'LP001' THEN
    END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_wait_for_lead(@extschema@.lead_phone_tables, text, @extschema@.e164[]) IS
    'internal: waits for whoever holds a lead of a number, and keeps no lock: where Postgres sees a deadlock, and ends it';

CREATE FUNCTION @extschema@.lead_phones_lock_numbers(
    tracked @extschema@.lead_phone_tables, campaigns text[], phones @extschema@.e164[], waits boolean DEFAULT true, attempts int DEFAULT 1000,
    are_out boolean DEFAULT false) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    started_at constant timestamptz := clock_timestamp();
    lock_timeout constant interval := current_setting('lock_timeout')::interval;
    ordered record;
    held record;
BEGIN
    -- Whoever holds a lead may be about to commit, and wait for rows of the counts: none of those is kept while waiting for a lead.
    FOR attempt IN 1 .. attempts LOOP
        held := NULL;
        BEGIN
            FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
                -- of what is there, locks the row
                EXECUTE format('INSERT INTO %1$s AS c (%2$s, disqualified) SELECT %3$s, $2 FROM unnest($1) AS k (phone) ORDER BY k.phone
                                ON CONFLICT (%2$s) DO UPDATE SET disqualified = c.disqualified WHERE false',
                    tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, ordered.literal, 'k.phone'))
                  USING ordered.numbers, are_out;
            END LOOP;
            FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
                held := ordered;
                EXECUTE format('SELECT FROM %s FOR NO KEY UPDATE NOWAIT', @extschema@.lead_phones_leads_of(tracked, ordered.literal))
                  USING ordered.numbers::text[];
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            -- of the counts: lock_timeout means what it says
            IF held IS NULL OR attempt >= attempts OR attempt > 50 AND NOT waits
               OR lock_timeout > '0' AND clock_timestamp() - started_at >= lock_timeout THEN
                RAISE;
            END IF;
            -- and again, without the locks of this attempt
        END;
        IF attempt <= 20 OR NOT waits THEN
            PERFORM pg_sleep(attempt * 0.001);
        ELSE
            PERFORM @extschema@.lead_phones_wait_for_lead(tracked, held.literal, held.numbers);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lock_numbers(@extschema@.lead_phone_tables, text[], @extschema@.e164[], boolean, int, boolean) IS
    'internal: locks numbers of campaigns, their rows of the counts made where there were none, and the leads that hold them';

CREATE FUNCTION @extschema@.lead_phones_among_everywhere(tracked @extschema@.lead_phone_tables, numbers @extschema@.e164[]) RETURNS @extschema@.e164[]
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    everywhere constant text := @extschema@.lead_phones_out_everywhere(tracked);
    standing @extschema@.e164[];
BEGIN
    IF everywhere IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(DISTINCT n.phone) FROM unnest($1) AS n (phone) CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(n.phone)) AS k
                         JOIN %s ON s.number = k', everywhere)
           INTO standing USING numbers;
    END IF;
    RETURN coalesce(standing, '{}');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_among_everywhere(@extschema@.lead_phone_tables, @extschema@.e164[]) IS
    'internal: which of some numbers are out in every campaign';

CREATE FUNCTION @extschema@.lead_phones_apply_ledger(
    tracked @extschema@.lead_phone_tables, literal text, numbers @extschema@.e164[]) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    few constant int := 100;
    of_counts constant text := @extschema@.lead_phones_is_of(tracked, 'c', literal);
    of_leads constant text := @extschema@.lead_phones_is_of(tracked, 'l', literal);
    standing @extschema@.e164[];
    lifted @extschema@.e164[];
    changed bigint;
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT d.phone), ''{}'') FROM %s AS d WHERE %s AND d.phone = ANY ($1) AND d.lifted_at IS NULL',
        tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', literal)) INTO standing USING numbers;
    standing := standing || @extschema@.lead_phones_among_everywhere(tracked, numbers);
    lifted := ARRAY(SELECT n FROM unnest(numbers) AS n EXCEPT SELECT s FROM unnest(standing) AS s);
    IF lifted <> '{}' THEN
        EXECUTE format('DELETE FROM %s AS c WHERE %s AND c.phone = ANY ($1) AND c.lead_count = 0 AND %s',
            tracked.counts, of_counts, @extschema@.lead_phones_each(tracked, 'c.%3$I = 0', ' AND ')) USING lifted;
    END IF;
    EXECUTE format('UPDATE %s AS c SET disqualified = NOT c.disqualified
                     WHERE %s AND (c.phone = ANY ($1) AND NOT c.disqualified OR c.phone = ANY ($2) AND c.disqualified)',
        tracked.counts, of_counts) USING standing, lifted;
    IF cardinality(numbers) <= few OR @extschema@.lead_phones_is_distributed(tracked.leads) THEN
        EXECUTE format('UPDATE %s AS l SET %s WHERE %s AND (%s)',
            tracked.leads,
            @extschema@.lead_phones_each(tracked, '%2$I = CASE WHEN %4$s = ANY ($1) THEN true WHEN %4$s = ANY ($2) THEN false ELSE l.%2$I END', ', '),
            of_leads,
            @extschema@.lead_phones_each(tracked, '%4$s = ANY ($1) AND l.%2$I IS NOT TRUE OR %4$s = ANY ($2) AND l.%2$I IS NOT FALSE', ' OR '))
          USING standing::text[], lifted::text[];
    ELSE
        -- Of many, no row is compared with each. The rows are locked, and stay where they are.
        EXECUTE format($dml$
            WITH n AS MATERIALIZED (SELECT s AS number, true AS is_out FROM unnest($1) AS s UNION ALL SELECT l, false FROM unnest($2) AS l)
            UPDATE %1$s AS l SET %2$s
              FROM (SELECT k.tableoid, k.ctid, %3$s FROM (%4$s) AS k GROUP BY k.tableoid, k.ctid) AS h
             WHERE l.ctid = h.ctid AND l.tableoid = h.tableoid$dml$,
            tracked.leads,
            @extschema@.lead_phones_each(tracked, '%2$I = coalesce(h.is_out%5$s, l.%2$I)', ', '),
            @extschema@.lead_phones_each(tracked, 'bool_or(k.is_out) FILTER (WHERE k.place = %5$s) AS is_out%5$s', ', '),
            @extschema@.lead_phones_each(tracked, format('SELECT l.tableoid, l.ctid, n.is_out, %%5$s AS place FROM n JOIN %s AS l ON %s AND %%4$s = n.number
                                                           WHERE l.%%2$I IS DISTINCT FROM n.is_out', replace(tracked.leads::text, '%', '%%'), replace(of_leads, '%', '%%')), ' UNION ALL '))
          USING standing::text[], lifted::text[];
    END IF;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_ledger(@extschema@.lead_phone_tables, text, @extschema@.e164[]) IS
    'internal: brings counts and leads of locked numbers in line with the ledger; returns the leads changed';

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
BEGIN
    -- of a list, which was read already
    IF arguments ? 'subjects' THEN
        -- The checks of a domain cost more than reading a number.
        RETURN ARRAY(SELECT coalesce(@extschema@.try_normalize_phone(s), s::@extschema@.e164) FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    END IF;
    SELECT max(r.number) FILTER (WHERE r.by_region IS NULL), array_agg(DISTINCT r.number) FILTER (WHERE r.by_region IS NOT NULL),
           string_agg(DISTINCT format('%s in %s', r.number, r.by_region), ', ') FILTER (WHERE r.by_region IS NOT NULL)
      INTO main, others, readings
      FROM @extschema@.lead_phones_read(tracked, literal, ARRAY[raw], arguments ->> 'region') AS r;
    IF main IS NULL AND others IS NULL THEN
        RETURN ARRAY[@extschema@.normalize_phone(raw, coalesce(arguments ->> 'region', @extschema@.lead_phones_region_of(tracked, literal)))];
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

CREATE FUNCTION @extschema@.lead_phones_check_everywhere(tracked @extschema@.lead_phone_tables) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF @extschema@.lead_phones_is_distributed(tracked.leads) THEN
        RAISE EXCEPTION 'no number of table "%" can be put out in every campaign at once', tracked.leads
            USING ERRCODE = 'feature_not_supported', DETAIL = 'Citus distributes it by campaign, and a trigger looks at the tables of its own campaign alone.',
                  HINT = 'Disqualify the number in each campaign.';
    END IF;
    IF @extschema@.lead_phones_out_everywhere(tracked) IS NULL THEN
        RAISE EXCEPTION 'table "%" has no ledger of numbers that are out in every campaign', tracked.leads
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'phone_suppressions and suppressed_phones are missing.',
                  HINT = format('Run track_lead_phones(%L, ...) with the settings that it has.', tracked.leads);
    END IF;
    -- Rows of the counts are looked for after their numbers were locked.
    PERFORM @extschema@.lead_phones_check_isolation();
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_everywhere(@extschema@.lead_phone_tables) IS
    'internal: an error where numbers of a tracked table cannot be put out in every campaign';

CREATE FUNCTION @extschema@.lead_phones_wait_everywhere(
    tracked @extschema@.lead_phone_tables, slots_of int, slots int[], campaigns text[], phones @extschema@.e164[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    ordered record;
BEGIN
    BEGIN
        PERFORM pg_advisory_xact_lock(slots_of, l.slot) FROM (SELECT s FROM unnest(slots) AS s ORDER BY 1) AS l (slot);
        -- the locks of this look
        RAISE SQLSTATE 'LP001';
    EXCEPTION WHEN SQLSTATE 'LP001' THEN
    END;
    FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
        PERFORM @extschema@.lead_phones_wait_for_lead(tracked, ordered.literal, ordered.numbers);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_wait_everywhere(@extschema@.lead_phone_tables, int, int[], text[], @extschema@.e164[]) IS
    'internal: waits for whoever writes numbers of every campaign, and keeps no lock: where Postgres sees a deadlock, and ends it';

CREATE FUNCTION @extschema@.lead_phones_apply_everywhere(tracked @extschema@.lead_phone_tables, keys bigint[], waits boolean DEFAULT true) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- as in src/triggers/counts/everywhere.rs
    is_any_hashed constant boolean := EXISTS (SELECT FROM unnest(keys) AS k WHERE k < 0);
    slots constant int[] := CASE WHEN is_any_hashed THEN ARRAY(SELECT generate_series(0, 63))
                                 ELSE ARRAY(SELECT DISTINCT (k % 64)::int FROM unnest(keys) AS k ORDER BY 1) END;
    slots_of constant int := tracked.suppressed::oid::bigint::bit(32)::int;
    campaign constant text := @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'c'));
    few constant int := 1000;
    started_at constant timestamptz := clock_timestamp();
    lock_timeout constant interval := current_setting('lock_timeout')::interval;
    campaigns text[];
    phones @extschema@.e164[];
    ordered record;
    changed bigint := 0;
BEGIN
    FOR attempt IN 1 .. 10000 LOOP
        BEGIN
            -- Who is just writing counts holds these. He is not waited for in line: others would have to wait behind.
            IF NOT (SELECT bool_and(pg_try_advisory_xact_lock(slots_of, l.slot)) FROM unnest(slots) AS l (slot)) THEN
                RAISE lock_not_available USING MESSAGE = 'somebody is writing the numbers to the phone counts';
            END IF;
            EXECUTE format(CASE WHEN is_any_hashed
                THEN 'SELECT array_agg(%2$s), array_agg(c.phone) FROM %1$s AS c
                       CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(c.phone)) AS k JOIN unnest($1) AS n ON n = k'
                WHEN cardinality(keys) <= few
                THEN 'SELECT array_agg(%2$s), array_agg(c.phone) FROM %1$s AS c
                       WHERE %3$s AND c.phone = ANY (ARRAY(SELECT ''+'' || n FROM unnest($1) AS n))'
                ELSE 'SELECT array_agg(%2$s), array_agg(c.phone) FROM %1$s AS c
                        JOIN unnest($1) AS n ON n = substr(c.phone, 2)::bigint' END,
                tracked.counts, campaign, @extschema@.lead_phones_is_of(tracked, 'c', @extschema@.lead_phones_campaigns_of(tracked))) INTO campaigns, phones USING keys;
            IF phones IS NOT NULL THEN
                PERFORM @extschema@.lead_phones_lock_numbers(tracked, campaigns, phones, false, 1);
            END IF;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt >= 10000 OR attempt > 50 AND NOT waits OR lock_timeout > '0' AND clock_timestamp() - started_at >= lock_timeout THEN
                RAISE;
            END IF;
        END;
        IF attempt <= 20 OR NOT waits THEN
            PERFORM pg_sleep(attempt * 0.001);
        ELSE
            PERFORM @extschema@.lead_phones_wait_everywhere(tracked, slots_of, slots, campaigns, phones);
        END IF;
    END LOOP;
    FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
        changed := changed + @extschema@.lead_phones_apply_ledger(tracked, ordered.literal, ordered.numbers);
    END LOOP;
    RETURN changed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_everywhere(@extschema@.lead_phone_tables, bigint[], boolean) IS
    'internal: brings counts and leads of numbers in every campaign in line with the ledgers; returns the leads changed';

CREATE FUNCTION @extschema@.lead_phones_enter_everywhere(
    tracked @extschema@.lead_phone_tables, arguments jsonb, OUT phone @extschema@.e164, OUT keys bigint[])
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    everywhere constant text := @extschema@.lead_phones_out_everywhere(tracked);
    phones @extschema@.e164[];
    missing bigint[];
    entry bigint;
    source constant text := arguments ->> 'source';
    reason constant text := arguments ->> 'reason';
    expires_at constant timestamptz := (arguments ->> 'expires_at')::timestamptz;
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    IF arguments ? 'keys' THEN
        keys := ARRAY(SELECT k::bigint FROM jsonb_array_elements_text(arguments -> 'keys') AS k ORDER BY 1);
    ELSE
        phones := @extschema@.lead_phones_numbers_of(tracked, NULL, arguments);
        keys := ARRAY(SELECT substr(n, 2)::bigint FROM unnest(phones) AS n ORDER BY 1);
    END IF;
    -- Of a source, the longest stands: so an entry that says the same, and lasts as long, is enough; and none that lasts longer is replaced.
    EXECUTE format('SELECT array_agg(n.number ORDER BY n.number) FROM unnest($1) AS n (number)
                     WHERE NOT EXISTS (SELECT FROM %s WHERE s.number = n.number AND p.source = $2 AND p.reason IS NOT DISTINCT FROM $3
                                          AND coalesce(p.expires_at, ''infinity'') >= coalesce($4, ''infinity''))', everywhere)
       INTO missing USING keys, source, reason, expires_at;
    IF missing IS NOT NULL THEN
        EXECUTE format('UPDATE %s AS s SET lifted_by = $3, lifted_at = $4, lift_reason = ''replaced'' FROM %s AS p, unnest($1) AS n (number)
                         WHERE p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL AND s.number = n.number AND p.source = $2
                           AND coalesce(p.expires_at, ''infinity'') <= coalesce($5, ''infinity'')',
            tracked.suppressed, tracked.suppressions)
          USING missing, source, arguments ->> 'by', clock_timestamp(), expires_at;
        EXECUTE format('INSERT INTO %s AS p (source, reason, disqualified_by, disqualified_at, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING p.entry',
            tracked.suppressions)
           INTO entry USING source, reason, arguments ->> 'by', clock_timestamp(), expires_at;
        EXECUTE format('INSERT INTO %s (number, entry) SELECT n, $2 FROM unnest($1) AS n', tracked.suppressed)
          USING missing, entry;
    END IF;
    phone := phones[1];
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_enter_everywhere(@extschema@.lead_phone_tables, jsonb) IS
    'internal: enters numbers into the ledger of every campaign; counts and leads are yet to be brought in line';

CREATE FUNCTION @extschema@.lead_phones_disqualify_everywhere(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    entered record;
BEGIN
    SELECT * INTO entered FROM @extschema@.lead_phones_enter_everywhere(tracked, arguments);
    RETURN jsonb_build_object('number', entered.phone, 'leads', @extschema@.lead_phones_apply_everywhere(tracked, entered.keys));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify_everywhere(regclass, jsonb) IS
    'internal: disqualifies numbers in every campaign, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_requalify_everywhere(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    phones @extschema@.e164[];
    keys bigint[];
    entries bigint;
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    IF arguments ? 'keys' THEN
        keys := ARRAY(SELECT k::bigint FROM jsonb_array_elements_text(arguments -> 'keys') AS k ORDER BY 1);
    ELSE
        phones := @extschema@.lead_phones_numbers_of(tracked, NULL, arguments);
        -- Of one that was spelled, no other reading is brought back.
        IF NOT arguments ? 'subjects' THEN
            phones := phones[1:1];
        END IF;
        keys := ARRAY(SELECT k FROM unnest(phones) AS n CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(n)) AS k ORDER BY 1);
    END IF;
    EXECUTE format('UPDATE %s AS s SET lifted_by = $3, lifted_at = $5, lift_reason = $4 FROM %s AS p, unnest($1) AS n (number)
                     WHERE p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL AND s.number = n.number AND p.source = coalesce($2, p.source)',
        tracked.suppressed, tracked.suppressions)
      USING keys, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason', clock_timestamp();
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN jsonb_build_object('number', phones[1], 'entries', entries, 'leads', @extschema@.lead_phones_apply_everywhere(tracked, keys));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_requalify_everywhere(regclass, jsonb) IS
    'internal: lifts disqualifications of numbers in every campaign, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_expire_everywhere(
    tracked @extschema@.lead_phone_tables, arguments jsonb, OUT entries bigint, OUT unmarked bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    expired_at constant timestamptz := clock_timestamp();
    expired int[];
    keys bigint[];
BEGIN
    entries := 0;
    unmarked := 0;
    IF @extschema@.lead_phones_out_everywhere(tracked) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT array_agg(p.entry) FROM %s AS p WHERE p.lifted_at IS NULL AND p.expires_at <= $1',
        tracked.suppressions) INTO expired USING expired_at;
    IF expired IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_check_isolation();
    EXECUTE format('SELECT array_agg(DISTINCT s.number), count(*) FROM %s WHERE s.entry = ANY ($1)', @extschema@.lead_phones_out_everywhere(tracked))
       INTO keys, entries USING expired;
    EXECUTE format('UPDATE %s AS p SET lifted_by = $2, lifted_at = $3, lift_reason = ''expired'' WHERE p.entry = ANY ($1) AND p.lifted_at IS NULL',
        tracked.suppressions) USING expired, arguments ->> 'by', expired_at;
    IF keys IS NOT NULL THEN
        unmarked := @extschema@.lead_phones_apply_everywhere(tracked, keys, NOT arguments ? 'all');
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire_everywhere(@extschema@.lead_phone_tables, jsonb) IS
    'internal: lifts the entries of every campaign that are past their time';

CREATE FUNCTION @extschema@.lead_phones_disqualify(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    campaign text := arguments ->> 'campaign';
    source text := arguments ->> 'source';
    reason text := arguments ->> 'reason';
    expires_at timestamptz := arguments ->> 'expires_at';
    literal text;
    numbers @extschema@.e164[];
    entered_at timestamptz;
BEGIN
    IF campaign IS NULL AND tracked.campaign_column IS NOT NULL THEN
        RETURN @extschema@.lead_phones_disqualify_everywhere(leads, arguments);
    END IF;
    literal := @extschema@.lead_phones_check_campaign(tracked, campaign);
    numbers := @extschema@.lead_phones_numbers_of(tracked, literal, arguments);
    PERFORM @extschema@.lead_phones_lock_numbers(tracked, array_fill(campaign, ARRAY[cardinality(numbers)]), numbers, are_out => true);
    -- Of a source, the longest stands: an entry that says something else, or ends before, is replaced. The time is an argument: Citus
    -- distributes no UPDATE that calls a volatile function.
    entered_at := clock_timestamp();
    EXECUTE format('UPDATE %s AS d SET lifted_by = $3, lifted_at = $4, lift_reason = ''replaced''
                     WHERE %s AND d.phone = ANY ($1) AND d.source = $2 AND d.lifted_at IS NULL
                       AND (d.reason IS DISTINCT FROM $5 OR d.expires_at < coalesce($6, ''infinity''))',
        tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, source, arguments ->> 'by', entered_at, reason, expires_at;
    EXECUTE format('INSERT INTO %1$s (%2$s, entry, source, reason, disqualified_by, disqualified_at, expires_at)
                    SELECT %3$s, coalesce(e.entry, 0) + 1, $2, $3, $4, $6, nullif(greatest(e.until, coalesce($5, ''infinity'')), ''infinity'')
                      FROM unnest($1) AS k (phone)
                      LEFT JOIN (SELECT d.phone, max(d.entry) AS entry, bool_or(d.source = $2 AND d.lifted_at IS NULL) AS stands,
                                        max(coalesce(d.expires_at, ''infinity'')) FILTER (
                                            WHERE d.source = $2 AND d.lifted_at = $6 AND d.lift_reason = ''replaced'') AS until
                                   FROM %1$s AS d WHERE %4$s AND d.phone = ANY ($1) GROUP BY d.phone) AS e ON e.phone = k.phone
                     WHERE e.stands IS NOT TRUE',
        tracked.disqualifications, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, literal, 'k.phone'),
        @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, source, reason, arguments ->> 'by', expires_at, entered_at;
    RETURN jsonb_build_object('number', numbers[1], 'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, numbers));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify(regclass, jsonb) IS
    'internal: disqualifies numbers of a campaign, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_requalify(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    campaign text := arguments ->> 'campaign';
    literal text;
    numbers @extschema@.e164[];
    entries bigint;
BEGIN
    IF campaign IS NULL AND tracked.campaign_column IS NOT NULL THEN
        RETURN @extschema@.lead_phones_requalify_everywhere(leads, arguments);
    END IF;
    literal := @extschema@.lead_phones_check_campaign(tracked, campaign);
    numbers := @extschema@.lead_phones_numbers_of(tracked, literal, arguments);
    -- Of one that was spelled, no other reading is brought back.
    IF NOT arguments ? 'subjects' THEN
        numbers := numbers[1:1];
    END IF;
    PERFORM @extschema@.lead_phones_lock_numbers(tracked, array_fill(campaign, ARRAY[cardinality(numbers)]), numbers);
    EXECUTE format('UPDATE %s AS d SET lifted_by = $3, lifted_at = $5, lift_reason = $4
                     WHERE %s AND d.phone = ANY ($1) AND d.lifted_at IS NULL AND d.source = coalesce($2, d.source)',
        tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason', clock_timestamp();
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN jsonb_build_object('number', numbers[1], 'entries', entries,
        'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, numbers));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_requalify(regclass, jsonb) IS
    'internal: lifts disqualifications of numbers of a campaign, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_expire(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    expired_at constant timestamptz := clock_timestamp();
    campaigns text[];
    phones @extschema@.e164[];
    ordered record;
    lifted bigint;
    lifted_here bigint := 0;
    unmarked_here bigint := 0;
BEGIN
    EXECUTE format('SELECT array_agg(%s), array_agg(d.phone) FROM %s AS d WHERE d.lifted_at IS NULL AND d.expires_at <= $1',
        @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'd')), tracked.disqualifications)
       INTO campaigns, phones USING expired_at;
    IF phones IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_lock_numbers(tracked, campaigns, phones, NOT arguments ? 'all');
        FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
            EXECUTE format('UPDATE %s AS d SET lifted_by = $2, lifted_at = $3, lift_reason = ''expired''
                             WHERE %s AND d.phone = ANY ($1) AND d.lifted_at IS NULL AND d.expires_at <= $3',
                tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', ordered.literal))
              USING ordered.numbers, arguments ->> 'by', expired_at;
            GET DIAGNOSTICS lifted = ROW_COUNT;
            lifted_here := lifted_here + lifted;
            unmarked_here := unmarked_here + @extschema@.lead_phones_apply_ledger(tracked, ordered.literal, ordered.numbers);
        END LOOP;
    END IF;
    RETURN (SELECT jsonb_build_object('leads', unmarked_here + e.unmarked, 'entries', lifted_here + e.entries)
              FROM @extschema@.lead_phones_expire_everywhere(tracked, arguments) AS e);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire(regclass, jsonb) IS
    'internal: lifts the disqualifications that are past their time, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_check_source(source text) RETURNS void
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF octet_length(source) > 1000 THEN
        RAISE EXCEPTION 'source "%..." is too long', left(source, 64)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Entries are found by it, and a key has 1000 bytes at most.',
                  HINT = 'Name the source in a few words, and tell the rest in reason.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_source(text) IS 'internal: an error where a source is too long for an index';

CREATE FUNCTION @extschema@.lead_phones_check_not_of_calls(source text) RETURNS void
    IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF source = 'disposition' THEN
        RAISE EXCEPTION 'source "disposition" is that of end_call()'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A call that is corrected lifts what stands by it.', HINT = 'Name another source.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_not_of_calls(text) IS
    'internal: an error where an entry is made by hand under the name of those of calls';

CREATE FUNCTION @extschema@.lead_phones_call(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    required text;
    tracked regclass;
    answer jsonb;
BEGIN
    FOREACH required IN ARRAY CASE action
        WHEN 'disqualify' THEN '{phone,source}'::text[]
        WHEN 'requalify' THEN '{phone}'::text[]
        ELSE '{}'::text[] END
    LOOP
        IF arguments ->> required IS NULL THEN
            RAISE EXCEPTION '% must not be NULL', required
                USING ERRCODE = 'null_value_not_allowed',
                      HINT = 'Name the campaign and its number, as in CALL disqualify_phone(42, ''678 999 8212''); NULL is every campaign.';
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_check_source(arguments ->> 'source');
    arguments := arguments || jsonb_build_object('by', @extschema@.lead_phones_caller());
    tracked := @extschema@.lead_phones_resolve(leads);
    IF action = 'disqualify' AND @extschema@.lead_phones_beside(tracked, 'lead_claims'::name) IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_check_not_of_calls(arguments ->> 'source');
    END IF;
    answer := @extschema@.lead_phones_as_owner(tracked, action, arguments);
    IF action = 'requalify' AND arguments ->> 'campaign' IS NOT NULL AND @extschema@.lead_phones_beside(tracked, 'lead_claims'::name) IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_as_owner(tracked, 'call_again', jsonb_build_object('campaign', arguments -> 'campaign', 'number', answer -> 'number'));
    END IF;
    IF action = 'expire' AND @extschema@.lead_phones_beside(tracked, 'lead_disqualifications'::name) IS NOT NULL THEN
        answer := answer || jsonb_build_object('entries', (answer ->> 'entries')::bigint
            + (@extschema@.lead_phones_as_owner(tracked, 'expire_entries', arguments) ->> 'entries')::bigint);
    END IF;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call(regclass, text, jsonb) IS
    'internal: checks the arguments of a procedure and runs it';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign bigint,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint) IS
    'disqualifies a number: marks every lead of a campaign, or of every campaign (NULL), that has it in any column, now and at later writes. Example: CALL disqualify_phone(42, ''678 999 8212'', reason => ''retired'')';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign uuid,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(uuid, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint) IS
    'disqualifies a number where campaigns are UUIDs: marks every lead of a campaign that has it in any column, now and at later writes. Example: CALL disqualify_phone(''6b3e6f0a-0d3c-4a9e-9a53-2a52a0f0c1de''::uuid, ''678 999 8212'', leads => ''patients'')';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign text,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(text, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint) IS
    'disqualifies a number where campaigns are texts: marks every lead of a campaign that has it in any column, now and at later writes. Example: CALL disqualify_phone(''spring''::text, ''678 999 8212'', leads => ''donors'')';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign bigint,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(bigint, text, text, text, regclass, text, @extschema@.e164, bigint) IS
    'lifts the disqualification of a number by a source, or by all; leads are unmarked when no other is in force. Example: CALL requalify_phone(42, ''678 999 8212'')';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign uuid,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(uuid, text, text, text, regclass, text, @extschema@.e164, bigint) IS
    'lifts the disqualification of a number where campaigns are UUIDs, by a source, or by all; leads are unmarked when no other is in force. Example: CALL requalify_phone(''6b3e6f0a-0d3c-4a9e-9a53-2a52a0f0c1de''::uuid, ''678 999 8212'', leads => ''patients'')';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign text,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(text, text, text, text, regclass, text, @extschema@.e164, bigint) IS
    'lifts the disqualification of a number where campaigns are texts, by a source, or by all; leads are unmarked when no other is in force. Example: CALL requalify_phone(''spring''::text, ''678 999 8212'', leads => ''donors'')';

CREATE PROCEDURE @extschema@.expire_disqualifications(
    leads regclass DEFAULT NULL,
    INOUT entries_lifted bigint DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    own_lock_timeout constant text := current_setting('lock_timeout');
    refusal text;
    tracked regclass;
    answer jsonb;
BEGIN
    IF leads IS NOT NULL THEN
        answer := @extschema@.lead_phones_run(leads, 'expire_disqualifications', '{}'::jsonb);
        entries_lifted := answer ->> 'entries';
        leads_unmarked := answer ->> 'leads';
        RETURN;
    END IF;
    entries_lifted := 0;
    leads_unmarked := 0;
    -- Without a grant, one's own.
    refusal := CASE WHEN (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user) THEN NULL
                    ELSE @extschema@.lead_phones_refusal('expire_disqualifications'::name, (SELECT u.oid FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)) END;
    IF refusal IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.leads
                                            WHERE pg_has_role(c.relowner, 'USAGE')) THEN
        RAISE EXCEPTION 'permission denied for procedure expire_disqualifications'
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'No tracked table is the caller''s, and the procedure was not granted.', HINT = refusal;
    END IF;
    FOR tracked IN
        SELECT t.leads FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.leads
         WHERE refusal IS NULL OR pg_has_role(c.relowner, 'USAGE') ORDER BY t.leads::oid
    LOOP
        -- One table that is broken, or locked, must not keep the others from it.
        BEGIN
            IF own_lock_timeout = '0' THEN
                PERFORM set_config('lock_timeout', '10s', true);
            END IF;
            -- Without waiting for leads: the numbers of the tables before are locked by now.
            answer := @extschema@.lead_phones_run(tracked, 'expire_disqualifications', '{"all": true}'::jsonb);
            PERFORM set_config('lock_timeout', own_lock_timeout, true);
            entries_lifted := entries_lifted + (answer ->> 'entries')::bigint;
            leads_unmarked := leads_unmarked + (answer ->> 'leads')::bigint;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'disqualifications of table "%" were not expired: %', tracked, SQLERRM USING ERRCODE = SQLSTATE;
        END;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.expire_disqualifications(regclass, bigint, bigint) IS
    'lifts the disqualifications past their expires_at and unmarks the leads that no other holds; of all tracked tables, unless one is named. Example: CALL expire_disqualifications()';
