-- Columns that tracking adds.

CREATE FUNCTION @extschema@.lead_phones_meaning(number_column name, purpose text) RETURNS text
    IMMUTABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('%s; kept by lead_phones', CASE purpose
        WHEN 'mark' THEN 'the number is not to be called in this campaign'
        WHEN 'e164' THEN format('the number in column %I, in E.164', number_column)
        ELSE format('the extension of the number in column %I', number_column) END)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_meaning(name, text) IS
    'internal: the comment on a column that is kept beside a column of numbers';

CREATE FUNCTION @extschema@.lead_phones_add_column(
    leads regclass, number_column name, kept name, purpose text, backfill boolean) RETURNS boolean
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    meaning constant text := @extschema@.lead_phones_meaning(number_column, purpose);
    there constant pg_catalog.pg_attribute := (SELECT a FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = leads AND a.attname = kept AND NOT a.attisdropped);
BEGIN
    IF there.attname IS NULL THEN
        -- A lead without a mark is not counted yet.
        EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', leads, kept, CASE purpose
            WHEN 'mark' THEN 'boolean' || CASE WHEN backfill THEN ' NOT NULL DEFAULT false' ELSE '' END
            WHEN 'e164' THEN '@extschema@.e164'
            ELSE 'text' END);
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', leads, kept, meaning);
        RETURN true;
    END IF;
    IF purpose = 'mark' AND NOT backfill THEN
        RAISE EXCEPTION 'table "%" has a column "%" already', leads, kept
            USING ERRCODE = 'duplicate_column',
                  DETAIL = 'Without backfill, leads that are there are told from later ones by that column, which is added.',
                  HINT = format('Run ALTER TABLE %s DROP COLUMN %I, or track the table with backfill => true.', leads, kept);
    END IF;
    IF purpose = 'extension' AND col_description(leads, there.attnum) IS DISTINCT FROM meaning THEN
        RAISE EXCEPTION 'table "%" has a column "%" already', leads, kept
            USING ERRCODE = 'duplicate_column',
                  DETAIL = format('The extensions of column "%s" would be written there.', number_column),
                  HINT = format('Rename it, or, if they are to be, run COMMENT ON COLUMN %s.%I IS %L.', leads, kept, meaning);
    END IF;
    PERFORM @extschema@.lead_phones_check_column(leads, kept, 'phone_columns', purpose);
    RETURN false;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_add_column(regclass, name, name, text, boolean) IS
    'internal: adds a column that is kept beside a column of numbers, where there is none; whether it did';

CREATE FUNCTION @extschema@.lead_phones_add_columns(tracked @extschema@.lead_phone_tables, backfill boolean) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- what nobody else has seen yet, nobody writes to
    is_new constant boolean := (SELECT c.xmin = pg_current_xact_id()::xid FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.leads);
    own_columns constant text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = tracked.leads AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '');
    added text[] := '{}';
    kept record;
BEGIN
    FOR kept IN
        SELECT n.name, k.column_name, k.purpose FROM unnest(tracked.phone_columns) WITH ORDINALITY AS n (name, place)
         CROSS JOIN LATERAL @extschema@.lead_phones_kept_columns(n.name, tracked.in_place, tracked.keep_extensions) AS k
         ORDER BY array_position('{mark,e164,extension}', k.purpose), n.place
    LOOP
        IF @extschema@.lead_phones_add_column(tracked.leads, kept.name, kept.column_name, kept.purpose, backfill) THEN
            added := added || quote_ident(kept.column_name);
        END IF;
    END LOOP;
    IF added <> '{}' AND NOT is_new THEN
        RAISE NOTICE 'table "%" has new columns: %', tracked.leads, array_to_string(added, ', ')
            USING DETAIL = format('COPY %s FROM without a list of columns expects values for them. INSERT INTO %1$s VALUES (...) still works, and SELECT * returns them.', tracked.leads),
                  HINT = format('Name the columns: COPY %s (%s) FROM ...', tracked.leads, own_columns);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_add_columns(@extschema@.lead_phone_tables, boolean) IS
    'internal: adds the columns that are kept beside the columns of numbers, and says what that changes';

CREATE FUNCTION @extschema@.lead_phones_warn_of_lock(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_large constant boolean := (SELECT sum(pg_relation_size(m)) FROM @extschema@.lead_phones_members(tracked.leads) AS m) > 1024 * 1024;
    is_used constant boolean := EXISTS (
        SELECT FROM pg_catalog.pg_locks AS l WHERE l.relation IN (SELECT m FROM @extschema@.lead_phones_members(tracked.leads) AS m)
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()) AND l.pid <> pg_backend_pid());
    adds_columns constant boolean := EXISTS (
        SELECT FROM unnest(tracked.phone_columns) AS n
         CROSS JOIN LATERAL @extschema@.lead_phones_kept_columns(n, tracked.in_place, tracked.keep_extensions) AS k
         WHERE k.column_name NOT IN (SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = tracked.leads AND NOT a.attisdropped));
BEGIN
    IF is_large OR is_used THEN
        RAISE NOTICE 'table "%" is locked until its leads are counted, and the transaction ends', tracked.leads
            USING DETAIL = format('Nobody else can %s it before: some 20 seconds for each million leads.', CASE WHEN adds_columns THEN 'read or write' ELSE 'write to' END),
                  HINT = format('On a table in use, track it with backfill => false, and then CALL backfill_lead_phones(%L).', tracked.leads);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_warn_of_lock(@extschema@.lead_phone_tables) IS
    'internal: says at once that a table in use is locked for long, and how it is not';
