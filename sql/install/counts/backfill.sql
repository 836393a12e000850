-- Backfill: a table that is in use is normalized and counted in batches.

CREATE FUNCTION @extschema@.lead_phones_backfill_batch(leads regclass, member regclass, behind tid, batch_size integer,
    OUT last tid, OUT counted bigint, OUT seen bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    mark name := tracked.phone_column || '_disqualified';
    rows tid[];
BEGIN
    -- What others hold is left to another pass. The triggers normalize, count and mark.
    EXECUTE format('SELECT array_agg(b.ctid) FROM (SELECT l.ctid FROM ONLY %s AS l WHERE l.ctid > $1 AND l.%I IS NULL
                     LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) AS b', member, mark)
       INTO rows USING behind, batch_size;
    seen := coalesce(cardinality(rows), 0);
    last := (SELECT max(r) FROM unnest(rows) AS r);
    PERFORM set_config('search_path', @extschema@.lead_phones_path_for_triggers(tracked.leads), true);
    EXECUTE format('UPDATE ONLY %s AS l SET %I = false WHERE l.ctid = ANY ($1) AND l.%2$I IS NULL', member, mark) USING rows;
    GET DIAGNOSTICS counted = ROW_COUNT;
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_backfill_batch(regclass, regclass, tid, integer) IS
    'internal: counts some leads of a table that were there before it was tracked';

CREATE FUNCTION @extschema@.lead_phones_backfilled(leads regclass) RETURNS boolean
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    unfinished boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS l WHERE l.%I IS NULL)', leads, tracked.phone_column || '_disqualified')
       INTO unfinished;
    RETURN NOT unfinished;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_backfilled(regclass) IS 'internal: whether every lead of a tracked table is counted';

CREATE FUNCTION @extschema@.lead_phones_finish_backfill(leads regclass, step integer) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    mark name;
    proof name;
    member regclass;
    number_column name;
BEGIN
    -- SET NOT NULL takes a validated constraint for proof, and so holds its lock for no longer than it takes to say so.
    FOR mark, proof IN
        SELECT a.attname, format('lead_phones_column_%s_is_backfilled', c.place) FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = leads AND a.attname = c.name || '_disqualified' AND NOT a.attnotnull
    LOOP
        CASE step
            WHEN 1 THEN
                -- not again where it was interrupted
                IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = leads AND c.conname = proof) THEN
                    EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I SET DEFAULT false,
                                    ADD CONSTRAINT %3$I CHECK (%2$I IS NOT NULL) NOT VALID', leads, mark, proof);
                END IF;
            WHEN 2 THEN
                EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', leads, proof);
            WHEN 3 THEN
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL, DROP CONSTRAINT %I', leads, mark, proof);
        END CASE;
    END LOOP;
    IF step = 3 THEN
        FOR member, number_column IN
            SELECT m, c FROM @extschema@.lead_phones_members(leads) AS m
             CROSS JOIN unnest(tracked.phone_columns) AS c
             WHERE NOT @extschema@.lead_phones_has_index(tracked, m, c)
        LOOP
            RAISE NOTICE 'table "%" has no index on (%)', member, @extschema@.lead_phones_index_columns(tracked, number_column)
                USING HINT = format('disqualify_phone() needs it: CREATE INDEX%s ON %s (%s)',
                    -- Postgres creates none concurrently on a partitioned table; see the reference
                    CASE WHEN (SELECT c.relkind FROM pg_catalog.pg_class AS c WHERE c.oid = member) <> 'p' THEN ' CONCURRENTLY' END,
                    member, @extschema@.lead_phones_index_columns(tracked, number_column));
        END LOOP;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_finish_backfill(regclass, integer) IS
    'internal: makes the mark columns NOT NULL, in three steps that lock the table for a moment each';

-- Commits as it goes, so it can have no SET clause: it calls functions that do, by their full names.
CREATE PROCEDURE @extschema@.backfill_lead_phones(
    leads regclass,
    batch_size integer DEFAULT 10000,
    INOUT leads_counted bigint DEFAULT NULL)
    LANGUAGE plpgsql
AS $procedure$
DECLARE
    member pg_catalog.regclass;
    batch pg_catalog.record;
    behind pg_catalog.tid;
    told pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    counted_before pg_catalog.int8;
    stuck pg_catalog.regclass;
BEGIN
    leads_counted := 0;
    PERFORM @extschema@.lead_phones_tracked(leads);
    PERFORM @extschema@.lead_phones_check_table(leads);
    IF batch_size IS NULL OR batch_size OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'batch_size must be at least 1'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of leads that are counted by each commit.';
    END IF;
    LOOP
        counted_before := leads_counted;
        stuck := NULL;
        FOR member IN SELECT m FROM @extschema@.lead_phones_members(leads) AS m LOOP
            behind := '(0,0)';
            LOOP
                SELECT b.* INTO batch FROM @extschema@.lead_phones_backfill_batch(leads, member, behind, batch_size) AS b;
                leads_counted := leads_counted OPERATOR(pg_catalog.+) batch.counted;
                IF batch.seen OPERATOR(pg_catalog.>) batch.counted THEN
                    stuck := member;
                END IF;
                IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) told OPERATOR(pg_catalog.>) '10 s'::pg_catalog.interval THEN
                    told := pg_catalog.clock_timestamp();
                    PERFORM @extschema@.lead_phones_progress(leads, pg_catalog.format('%s leads counted of', leads_counted));
                END IF;
                COMMIT;
                EXIT WHEN batch.last IS NULL;
                behind := batch.last;
            END LOOP;
        END LOOP;
        EXIT WHEN @extschema@.lead_phones_backfilled(leads);
        IF stuck IS NOT NULL AND leads_counted OPERATOR(pg_catalog.=) counted_before THEN
            RAISE EXCEPTION 'leads of table "%" cannot be counted', stuck
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = 'They have no marks, and an UPDATE that sets them is suppressed: by a trigger of the application, or a rule.',
                      HINT = 'Let it pass, then call backfill_lead_phones() again: what is counted stays so.';
        END IF;
        -- Someone holds a lead that is not counted: wait a moment.
        PERFORM pg_catalog.pg_sleep(0.1);
        COMMIT;
    END LOOP;
    FOR step IN 1..3 LOOP
        PERFORM @extschema@.lead_phones_finish_backfill(leads, step);
        COMMIT;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.backfill_lead_phones(regclass, integer, bigint) IS
    'counts the leads of a table that was tracked with backfill => false, in batches with a commit each. Example: CALL backfill_lead_phones(''donors'')';
