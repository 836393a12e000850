-- Partitions and inheritance: the tables below a tracked one are kept with it, as they come and go.
--
-- A statement on a table fires the statement triggers of that table alone, so every table of the tree has them. Event
-- triggers see to tables that are attached, created, detached or dropped later. They run what they do on data as the
-- owner of the tracked table.

CREATE FUNCTION @extschema@.lead_phones_roots(relation regclass) RETURNS SETOF regclass
    STABLE STRICT PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH RECURSIVE ancestors AS (
        SELECT relation::oid AS oid
         UNION
        SELECT i.inhparent FROM pg_catalog.pg_inherits AS i JOIN ancestors AS a ON i.inhrelid = a.oid)
    SELECT t.tgrelid::regclass FROM ancestors AS a JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = a.oid
     WHERE t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure
       AND t.tgname = 'zz_lead_phones_normalize_insert' AND t.tgparentid = 0
       AND NOT (@extschema@.lead_phones_settings(t.tgargs) ->> 'member')::boolean
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_roots(regclass) IS
    'internal: the tracked tables that a table is or belongs to, as partition or by inheritance';

CREATE FUNCTION @extschema@.lead_phones_root(relation regclass) RETURNS regclass
    STABLE STRICT PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT r FROM @extschema@.lead_phones_roots(relation) AS r LIMIT 1
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_root(regclass) IS
    'internal: the tracked table that a table is or belongs to';

CREATE FUNCTION @extschema@.lead_phones_members(leads regclass) RETURNS SETOF regclass
    STABLE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    WITH RECURSIVE members AS (
        SELECT leads::oid AS oid
         UNION
        SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN members AS m ON i.inhparent = m.oid)
    SELECT m.oid::regclass FROM members AS m;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_members(regclass) IS
    'internal: a table, its partitions and the tables that inherit from it';

CREATE FUNCTION @extschema@.lead_phones_check_kind(leads regclass, member regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    class pg_catalog.pg_class;
BEGIN
    SELECT * INTO class FROM pg_catalog.pg_class AS c WHERE c.oid = member;
    IF class.relkind NOT IN ('r', 'p') OR class.relpersistence <> 'p' THEN
        RAISE EXCEPTION 'table "%" cannot belong to tracked table "%"', member, leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = CASE WHEN class.relkind = 'f' THEN 'It is a foreign table, on which writes cannot be counted.'
                      WHEN class.relkind NOT IN ('r', 'p') THEN 'It is not a table.'
                      WHEN class.relpersistence = 'u' THEN 'It is an unlogged table: after a crash its leads would be gone, and their counts would not.'
                      ELSE 'It is a temporary table, on which writes cannot be counted.' END,
                  HINT = format('Detach it, or untrack "%s".', leads);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_kind(regclass, regclass) IS
    'internal: an error where a relation of a tree is not a permanent table';

CREATE FUNCTION @extschema@.lead_phones_check_owner(leads regclass, member regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owner constant oid := (SELECT l.relowner FROM pg_catalog.pg_class AS l WHERE l.oid = leads);
BEGIN
    IF (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = member) <> owner THEN
        RAISE EXCEPTION 'table "%" belongs to another owner than tracked table "%"', member, leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'A leads table and every table below it have one owner.',
                  HINT = format('Create it as %1$s (SET ROLE), or run ALTER TABLE %2$s OWNER TO %1$s before it is attached.',
                      owner::regrole, member);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_owner(regclass, regclass) IS
    'internal: an error where a table of a tree belongs to another owner';

CREATE FUNCTION @extschema@.lead_phones_check_member(leads regclass, member regclass, settings jsonb) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- columns that are left as they are can be of a key
    written name[] := ARRAY(
        SELECT w.name FROM jsonb_array_elements_text(settings -> 'phone_columns') AS c (name)
         CROSS JOIN LATERAL (
            SELECT c.name::name WHERE (settings ->> 'in_place')::boolean
             UNION ALL SELECT k.column_name FROM @extschema@.lead_phones_kept_columns(c.name::name, (settings ->> 'in_place')::boolean,
                                                     (settings ->> 'keep_extensions')::boolean) AS k) AS w (name));
    class pg_catalog.pg_class;
    outside regclass;
    key_column name;
    later_trigger name;
BEGIN
    SELECT * INTO class FROM pg_catalog.pg_class AS c WHERE c.oid = member;
    PERFORM @extschema@.lead_phones_check_kind(leads, member);
    PERFORM @extschema@.lead_phones_check_owner(leads, member);
    IF member <> leads THEN
        SELECT i.inhparent::regclass INTO outside FROM pg_catalog.pg_inherits AS i
         WHERE i.inhrelid = member AND i.inhparent NOT IN (SELECT m FROM @extschema@.lead_phones_members(leads) AS m)
         ORDER BY i.inhseqno LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'table "%" inherits from "%", which is not tracked', member, outside
                USING ERRCODE = 'feature_not_supported',
                      DETAIL = format('It belongs to tracked table "%s"; writes to "%s" would not be counted.', leads, outside),
                      HINT = format('Run ALTER TABLE %s NO INHERIT %s before.', member, outside);
        END IF;
    END IF;
    -- The columns of a partition key, also those in expressions, depend on the table as a whole.
    SELECT a.attname INTO key_column FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.objid AND a.attnum = d.objsubid
     WHERE d.classid = 'pg_class'::regclass AND d.objid = member AND d.refclassid = 'pg_class'::regclass
       AND d.refobjid = member AND d.refobjsubid = 0 AND d.deptype = 'i' AND a.attname = ANY (written)
     ORDER BY a.attnum LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" is partitioned by column "%"', member, key_column
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'The triggers of lead_phones write the column, and a BEFORE ROW trigger must not move a row to another partition.',
                  HINT = 'Partition it by another column, such as the campaign.';
    END IF;
    SELECT t.tgname INTO later_trigger FROM pg_catalog.pg_trigger AS t
     WHERE t.tgrelid = member AND NOT t.tgisinternal
       AND t.tgtype & 1 = 1 AND t.tgtype & 2 = 2 AND t.tgtype & (4 | 16) <> 0 -- BEFORE ROW, on INSERT or UPDATE
       AND t.tgname COLLATE "C" > 'zz_lead_phones_normalize_update'
     ORDER BY t.tgname LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'trigger "%" of table "%" fires after numbers are normalized', later_trigger, member
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'BEFORE ROW triggers fire in the order of their names; it sorts after zz_lead_phones_normalize_update.',
                  HINT = format('Run ALTER TRIGGER %I ON %s RENAME TO ... with a name that sorts first.', later_trigger, member);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_member(regclass, regclass, jsonb) IS
    'internal: an error where a table, a partition of it or one that inherits from it cannot be kept by triggers';

CREATE FUNCTION @extschema@.lead_phones_check_detached(leads regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    half record;
BEGIN
    SELECT i.inhparent::regclass AS parent, i.inhrelid::regclass AS partition INTO half
      FROM pg_catalog.pg_inherits AS i WHERE i.inhdetachpending AND i.inhparent IN (SELECT m FROM @extschema@.lead_phones_members(leads) AS m)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'partition "%" of table "%" is half detached', half.partition, half.parent
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Its leads are still counted, and are taken off when it is detached.',
                  HINT = format('Run ALTER TABLE %s DETACH PARTITION %s FINALIZE before.', half.parent, half.partition);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_detached(regclass) IS
    'internal: an error where DETACH PARTITION ... CONCURRENTLY of a tree is not finished';

CREATE FUNCTION @extschema@.lead_phones_root_to_join(relation regclass, parent regclass) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    below regclass;
    roots regclass[];
    other_roots regclass[];
BEGIN
    SELECT array_agg(DISTINCT r ORDER BY r), array_agg(DISTINCT r ORDER BY r) FILTER (WHERE i.inhparent <> parent) INTO roots, other_roots
      FROM pg_catalog.pg_inherits AS i CROSS JOIN LATERAL @extschema@.lead_phones_roots(i.inhparent::regclass) AS r
     WHERE i.inhrelid = relation;
    IF cardinality(roots) > 1 THEN
        RAISE EXCEPTION 'table "%" cannot belong to more than one tracked table', relation
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('It would belong to %s.', array_to_string(roots, ' and ')),
                  HINT = 'Let it inherit from one of them.';
    END IF;
    SELECT t.tgrelid INTO below FROM @extschema@.lead_phones_members(relation) AS m
      JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = m
     WHERE t.tgfoid = '@extschema@.lead_phones_count()'::regprocedure LIMIT 1;
    IF NOT FOUND THEN
        RETURN roots[1];
    END IF;
    -- It may belong to this tree by another way already.
    IF roots = other_roots AND EXISTS (SELECT FROM @extschema@.lead_phones_roots(parent)) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'tracked table "%" cannot belong to another table', below
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'Writes to the table above it would not be counted.',
              HINT = format('Run untrack_lead_phones(%L) before, and track the table above it.', below);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_root_to_join(regclass, regclass) IS
    'internal: the tracked table that a new table belongs to; an error where it cannot';

CREATE FUNCTION @extschema@.lead_phones_root_left(relation regclass, parent regclass, altering_user oid) RETURNS regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT r FROM @extschema@.lead_phones_root(parent) AS r
     WHERE r <> ALL (ARRAY(SELECT @extschema@.lead_phones_roots(relation)))
       AND relation <> ALL (ARRAY(SELECT @extschema@.lead_phones_roots(relation)))
       -- The names of a command can mean other tables when it is over: a role that owns neither has not altered them.
       AND EXISTS (SELECT FROM pg_catalog.pg_class AS c
                    WHERE c.oid IN (relation, parent) AND pg_has_role(altering_user, c.relowner, 'USAGE'))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_root_left(regclass, regclass, oid) IS
    'internal: the tracked table that a table no longer belongs to';

CREATE FUNCTION @extschema@.lead_phones_dropped_members(named regclass[], dropping_user oid)
    RETURNS TABLE (root regclass, member regclass)
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    WITH dropped AS (
        -- in the order in which DROP TABLE locks them
        SELECT m.m AS member, min(n.place) AS place FROM unnest(named) WITH ORDINALITY AS n (relation, place)
         CROSS JOIN LATERAL @extschema@.lead_phones_members(n.relation) AS m
         GROUP BY m.m)
    SELECT r.root, d.member FROM dropped AS d CROSS JOIN LATERAL @extschema@.lead_phones_root(d.member) AS r (root)
     WHERE r.root <> d.member AND r.root NOT IN (SELECT o.member FROM dropped AS o)
       -- where someone may not drop what the command names, nothing is dropped
       AND NOT EXISTS (
            SELECT FROM unnest(named) AS o (relation)
              JOIN pg_catalog.pg_class AS c ON c.oid = o.relation
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE NOT pg_has_role(dropping_user, c.relowner, 'USAGE') AND NOT pg_has_role(dropping_user, n.nspowner, 'USAGE'))
     ORDER BY r.root, d.place, d.member
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_dropped_members(regclass[], oid) IS
    'internal: the tables of trees that stay which go with the named ones';

CREATE FUNCTION @extschema@.lead_phones_tables(arguments jsonb) RETURNS SETOF regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- Some may be gone by now.
    SELECT c.oid::regclass FROM jsonb_array_elements_text(arguments -> 'tables') WITH ORDINALITY AS t (oid, place)
      JOIN pg_catalog.pg_class AS c ON c.oid = t.oid::oid
     ORDER BY t.place
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_tables(jsonb) IS 'internal: the tables that an action is about';

CREATE FUNCTION @extschema@.lead_phones_join(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    settings jsonb;
    member regclass;
    is_filled boolean;
BEGIN
    PERFORM @extschema@.lead_phones_check_citus(leads, tracked.campaign_column);
    IF NOT (arguments ->> 'created')::boolean THEN
        -- it may hold leads that the snapshot of the transaction does not
        PERFORM @extschema@.lead_phones_check_isolation();
    END IF;
    SELECT @extschema@.lead_phones_settings(t.tgargs) || '{"member": true}' INTO settings FROM pg_catalog.pg_trigger AS t
     WHERE t.tgrelid = leads AND t.tgname = 'zz_lead_phones_normalize_insert';
    FOR member IN
        SELECT m FROM @extschema@.lead_phones_tables(arguments) AS t CROSS JOIN LATERAL @extschema@.lead_phones_members(t) AS m
    LOOP
        PERFORM @extschema@.lead_phones_check_member(leads, member, settings);
        PERFORM @extschema@.lead_phones_create_triggers(member, settings);
        PERFORM @extschema@.lead_phones_create_indexes(tracked, member);
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s)', member) INTO is_filled;
        IF is_filled THEN
            -- in the order in which the triggers lock rows of the counts
            EXECUTE format($dml$
                INSERT INTO %1$s AS c (%2$s, lead_count, %3$s)
                SELECT %4$s, r.lead_count, %5$s FROM (%6$s) AS r ORDER BY %7$s, r.phone
                ON CONFLICT (%2$s) DO UPDATE SET lead_count = c.lead_count + EXCLUDED.lead_count, %8$s$dml$,
                tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_each(tracked, '%3$I', ', '),
                @extschema@.lead_phones_with_campaign(tracked, 'r.campaign', 'r.phone'), @extschema@.lead_phones_each(tracked, 'r.count%5$s', ', '),
                @extschema@.lead_phones_recount_query(tracked, format('ONLY %s', member)), @extschema@.lead_phones_campaign_order(tracked, 'r.campaign'),
                @extschema@.lead_phones_each(tracked, '%3$I = c.%3$I + EXCLUDED.%3$I', ', '));
            PERFORM @extschema@.lead_phones_normalize_rows(tracked, format('ONLY %s', member));
            PERFORM @extschema@.lead_phones_mark_rows(tracked, format('ONLY %s', member));
        END IF;
    END LOOP;
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_join(regclass, jsonb) IS
    'internal: takes tables that have come below a tracked one into its counts';

CREATE FUNCTION @extschema@.lead_phones_take_off(tracked @extschema@.lead_phone_tables, tables regclass[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    member regclass;
    anything boolean;
BEGIN
    PERFORM @extschema@.lead_phones_check_isolation();
    PERFORM @extschema@.lead_phones_write_counts();
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS c WHERE c.lead_count > 0)', tracked.counts) INTO anything;
    IF NOT anything THEN
        RETURN;
    END IF;
    FOREACH member IN ARRAY tables LOOP
        -- Rows are locked in the order in which the triggers do. What is not there cannot be taken off: where a trigger of the
        -- application writes leads while all are truncated.
        EXECUTE format($dml$
            WITH r AS MATERIALIZED (
                SELECT r.* FROM (%1$s) AS r JOIN %2$s AS c ON %3$s AND c.phone = r.phone
                 ORDER BY %4$s, r.phone FOR UPDATE OF c)
            UPDATE %2$s AS c SET lead_count = greatest(c.lead_count - r.lead_count, 0), %5$s
              FROM r WHERE %3$s AND c.phone = r.phone$dml$,
            @extschema@.lead_phones_recount_query(tracked, format('ONLY %s', member)), tracked.counts,
            @extschema@.lead_phones_is_of(tracked, 'c', 'r.campaign'), @extschema@.lead_phones_campaign_order(tracked, 'r.campaign'),
            @extschema@.lead_phones_each(tracked, '%3$I = greatest(c.%3$I - r.count%5$s, 0)', ', '));
    END LOOP;
    EXECUTE format('DELETE FROM %1$s AS c WHERE c.lead_count = 0 AND NOT c.disqualified', tracked.counts);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_take_off(@extschema@.lead_phone_tables, regclass[]) IS
    'internal: takes the leads of tables off the counts of their tree';

CREATE FUNCTION @extschema@.lead_phones_part(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    settings jsonb;
    member regclass;
    tables regclass[] := '{}';
BEGIN
    -- What still belongs to the tree by another way has not left it.
    FOR member IN
        SELECT DISTINCT m FROM @extschema@.lead_phones_tables(arguments) AS t CROSS JOIN LATERAL @extschema@.lead_phones_members(t) AS m
         WHERE m NOT IN (SELECT s FROM @extschema@.lead_phones_members(leads) AS s)
    LOOP
        -- takes the lock that keeps other writers out; what has no triggers is not counted, or no longer
        IF @extschema@.lead_phones_drop_triggers(member) > 0 THEN
            tables := tables || member;
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_take_off(@extschema@.lead_phones_tracked(leads), tables);
    -- What belongs to the tree by another way may now be written to through a table outside.
    SELECT @extschema@.lead_phones_settings(t.tgargs) INTO settings FROM pg_catalog.pg_trigger AS t
     WHERE t.tgrelid = leads AND t.tgname = 'zz_lead_phones_normalize_insert';
    PERFORM @extschema@.lead_phones_check_member(leads, m, settings)
       FROM @extschema@.lead_phones_tables(arguments) AS t CROSS JOIN LATERAL @extschema@.lead_phones_members(t) AS m
      WHERE m IN (SELECT s FROM @extschema@.lead_phones_members(leads) AS s);
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_part(regclass, jsonb) IS
    'internal: takes tables that are no longer below a tracked one out of its counts';

CREATE FUNCTION @extschema@.lead_phones_drop(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    relation regclass;
    parent regclass;
    tables regclass[];
BEGIN
    -- All locks before any count is written, in the order of DROP TABLE: the table above, then the table.
    FOR relation IN SELECT t FROM @extschema@.lead_phones_tables(arguments) AS t LOOP
        FOR parent IN SELECT i.inhparent::regclass FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = relation LOOP
            EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', parent);
        END LOOP;
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', relation);
    END LOOP;
    -- Someone may have detached or dropped it meanwhile.
    SELECT array_agg(t) INTO tables FROM @extschema@.lead_phones_tables(arguments) AS t
     WHERE @extschema@.lead_phones_root(t) = leads;
    PERFORM @extschema@.lead_phones_take_off(@extschema@.lead_phones_tracked(leads), coalesce(tables, '{}'));
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_drop(regclass, jsonb) IS
    'internal: takes tables that are about to be dropped out of the counts of their tree';

CREATE FUNCTION @extschema@.lead_phones_truncate(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_check_detached(leads);
    PERFORM @extschema@.lead_phones_take_off(@extschema@.lead_phones_tracked(leads),
        ARRAY(SELECT t FROM @extschema@.lead_phones_tables(arguments) AS t));
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_truncate(regclass, jsonb) IS
    'internal: takes a table that is about to be truncated out of the counts of its tree';
