-- Locks on numbers, and marks of leads.

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
    'internal: waits for those who hold a lead of a number, and keeps no lock: where Postgres sees a deadlock, and ends it';

CREATE FUNCTION @extschema@.lead_phones_hold_to_write(leads regclass) RETURNS void
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_hold_to_write_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_hold_to_write(regclass) IS
    'internal: locks a table as a write does, as its owner';

CREATE FUNCTION @extschema@.lead_phones_lock_slot(suppressed regclass, slot integer, shared boolean, waits boolean) RETURNS boolean
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_lock_slot_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_lock_slot(regclass, integer, boolean, boolean) IS
    'internal: locks the numbers of a slot until the transaction ends, as the owner of the table; whether it did';

CREATE FUNCTION @extschema@.lead_phones_slots(keys bigint[]) RETURNS int[]
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $function$
    -- as in src/triggers/counts/everywhere.rs; the number of a hash is not known
    SELECT CASE WHEN EXISTS (SELECT FROM unnest(keys) AS k WHERE k < 0) THEN ARRAY(SELECT generate_series(0, 63))
                ELSE ARRAY(SELECT DISTINCT (k % 64)::int FROM unnest(keys) AS k ORDER BY 1) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_slots(bigint[]) IS
    'internal: the slots of the locks that numbers fall into, in order';

CREATE FUNCTION @extschema@.lead_phones_hold_slots(tracked @extschema@.lead_phone_tables, phones @extschema@.e164[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF @extschema@.lead_phones_out_everywhere(tracked) IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_lock_slot(tracked.suppressed, s, true, true)
           FROM unnest(@extschema@.lead_phones_slots(ARRAY(SELECT substr(n, 2)::bigint FROM unnest(phones) AS n))) AS s;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_slots(@extschema@.lead_phone_tables, @extschema@.e164[]) IS
    'internal: keeps numbers from being disqualified in every campaign until the transaction ends';

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
    PERFORM @extschema@.lead_phones_hold_to_write(tracked.leads);
    -- A session that holds a lead may be about to commit, and wait for rows of the counts: none of those is kept while waiting for a lead.
    FOR attempt IN 1 .. attempts LOOP
        held := NULL;
        BEGIN
            -- Before any row: who disqualifies one of them in every campaign holds its slot, and waits for rows.
            PERFORM @extschema@.lead_phones_hold_slots(tracked, phones);
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
    'internal: which of some numbers are disqualified in every campaign';

CREATE FUNCTION @extschema@.lead_phones_apply_ledger(
    tracked @extschema@.lead_phone_tables, literal text, numbers @extschema@.e164[], are_out boolean DEFAULT false) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    few constant int := 100;
    of_counts constant text := @extschema@.lead_phones_is_of(tracked, 'c', literal);
    of_leads constant text := @extschema@.lead_phones_is_of(tracked, 'l', literal);
    wrongly_marked constant text := @extschema@.lead_phones_each(tracked, '%4$s = ANY ($1) AND l.%2$I IS NOT TRUE OR %4$s = ANY ($2) AND l.%2$I IS NOT FALSE', ' OR ');
    standing @extschema@.e164[];
    lifted @extschema@.e164[];
    changed bigint;
    unmarked bigint;
    unflagged bigint;
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT d.phone), ''{}'') FROM %s AS d WHERE %s AND d.phone = ANY ($1) AND d.lifted_at IS NULL',
        tracked.disqualifications, @extschema@.lead_phones_is_of(tracked, 'd', literal)) INTO standing USING numbers;
    standing := standing || @extschema@.lead_phones_among_everywhere(tracked, numbers);
    lifted := ARRAY(SELECT n FROM unnest(numbers) AS n EXCEPT SELECT s FROM unnest(standing) AS s);
    IF are_out THEN
        PERFORM @extschema@.lead_phones_check_written(tracked.disqualifications, cardinality(lifted)::bigint);
    END IF;
    IF lifted <> '{}' THEN
        EXECUTE format('DELETE FROM %s AS c WHERE %s AND c.phone = ANY ($1) AND c.lead_count = 0 AND %s',
            tracked.counts, of_counts, @extschema@.lead_phones_each(tracked, 'c.%3$I = 0', ' AND ')) USING lifted;
    END IF;
    EXECUTE format('UPDATE %s AS c SET disqualified = NOT c.disqualified
                     WHERE %s AND (c.phone = ANY ($1) AND NOT c.disqualified OR c.phone = ANY ($2) AND c.disqualified)',
        tracked.counts, of_counts) USING standing, lifted;
    -- as a rule, nothing hangs on the counts
    IF (SELECT c.relhastriggers OR c.relhasrules OR c.relhassubclass FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.counts) THEN
        EXECUTE format('SELECT (SELECT count(*) FROM unnest($1) AS n WHERE NOT EXISTS (SELECT FROM %1$s AS c WHERE %2$s AND c.phone = n AND c.disqualified))
                             + (SELECT count(*) FROM %1$s AS c WHERE %2$s AND c.phone = ANY ($2) AND c.disqualified)', tracked.counts, of_counts)
           INTO unflagged USING standing, lifted;
        PERFORM @extschema@.lead_phones_check_written(tracked.counts, unflagged);
    END IF;
    PERFORM set_config('search_path', @extschema@.lead_phones_path_for_triggers(tracked.leads), true);
    IF cardinality(numbers) <= few OR @extschema@.lead_phones_is_distributed(tracked.leads) THEN
        EXECUTE format('UPDATE %s AS l SET %s WHERE %s AND (%s)',
            tracked.leads,
            @extschema@.lead_phones_each(tracked, '%2$I = CASE WHEN %4$s = ANY ($1) THEN true WHEN %4$s = ANY ($2) THEN false ELSE l.%2$I END', ', '),
            of_leads,
            wrongly_marked)
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
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    IF @extschema@.lead_phones_interferers(tracked.leads, 'UPDATE') IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM %s AS l WHERE %s AND (%s)', tracked.leads, of_leads,
            wrongly_marked)
           INTO unmarked USING standing::text[], lifted::text[];
        PERFORM @extschema@.lead_phones_check_marked(tracked.leads, unmarked);
    END IF;
    RETURN changed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_ledger(@extschema@.lead_phone_tables, text, @extschema@.e164[], boolean) IS
    'internal: brings counts and leads of locked numbers in line with the ledger; returns the leads changed';
