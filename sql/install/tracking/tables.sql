-- Counts and ledgers: the tables beside a tracked one.

CREATE FUNCTION @extschema@.lead_phones_create_tables(
    tracked @extschema@.lead_phone_tables, schema name, counts name, disqualifications name, campaign pg_attribute) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owner regrole := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.leads);
    key constant text := @extschema@.lead_phones_key(tracked);
    campaign_definition text := '';
    -- a name that is too long, or taken, is left to Postgres
    names constant text[] := ARRAY(SELECT CASE WHEN octet_length(n) <= 63 AND to_regclass(format('%I.%I', schema, n)) IS NULL THEN quote_ident(n) ELSE '' END
        FROM unnest(ARRAY[counts || '_disqualified_idx', disqualifications || '_standing_idx', disqualifications || '_expires_at_idx'])
        WITH ORDINALITY AS n (n, place) ORDER BY place);
    number_column name;
    type_name name;
    found record;
BEGIN
    IF tracked.campaign_column IS NOT NULL THEN
        campaign_definition := format('%I %s%s NOT NULL,', campaign.attname, format_type(campaign.atttypid, campaign.atttypmod),
            (SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace WHERE c.oid = campaign.attcollation));
    END IF;

    SELECT t.typname INTO type_name FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
     WHERE n.nspname = schema AND t.typname IN (counts, disqualifications) AND t.typrelid = 0 AND t.typcategory <> 'A'
       AND to_regclass(format('%I.%I', schema, t.typname)) IS NULL;
    IF type_name IS NOT NULL THEN
        RAISE EXCEPTION 'type "%.%" exists already', schema, type_name
            USING ERRCODE = 'duplicate_object',
                  DETAIL = format('Tracking "%s" needs the name: a table is a type too.', tracked.leads),
                  HINT = 'Name others with counts => ''...'' and disqualifications => ''...''.';
    END IF;
    -- Tables that are there: left by an earlier tracking, or someone else's?
    tracked.counts := to_regclass(format('%I.%I', schema, counts));
    tracked.disqualifications := to_regclass(format('%I.%I', schema, disqualifications));
    FOR found IN
        SELECT c.oid, c.relname, c.relkind, c.relowner FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = schema AND c.relname IN (counts, disqualifications)
    LOOP
        IF found.relowner <> owner::oid THEN
            RAISE EXCEPTION 'table "%.%" exists already, and belongs to "%"', schema, found.relname, found.relowner::regrole
                USING ERRCODE = 'insufficient_privilege',
                      DETAIL = format('Table "%s" belongs to "%s". A leads table, its counts and its disqualifications have one owner.',
                          tracked.leads, owner),
                      HINT = format('If you trust the table, run ALTER TABLE %I.%I OWNER TO %s.', schema, found.relname, owner);
        END IF;
        IF found.relkind NOT IN ('r', 'p') OR EXISTS (
            SELECT FROM @extschema@.lead_phones_columns_of(tracked) AS w
              LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = found.oid AND NOT a.attisdropped AND a.attname = w.column_name
             WHERE w.relation = found.oid
               -- those that only count are added
               AND (a.attname IS NOT NULL OR w.column_name <> ALL (ARRAY(SELECT n || '_count' FROM unnest(tracked.phone_columns) AS n)))
               AND (a.atttypid IS DISTINCT FROM CASE w.column_name
                       WHEN tracked.campaign_column THEN campaign.atttypid WHEN 'phone' THEN '@extschema@.e164'::regtype::oid ELSE w.types[1] END
                    OR found.relname = counts AND NOT a.attnotnull))
           OR (SELECT i.indnkeyatts FROM pg_catalog.pg_index AS i WHERE i.indrelid = found.oid AND i.indisprimary)
              IS DISTINCT FROM num_nonnulls(tracked.campaign_column, 'phone', CASE found.relname WHEN disqualifications THEN 'entry' END) THEN
            RAISE EXCEPTION 'table "%.%" exists already, in another shape', schema, found.relname
                USING ERRCODE = 'duplicate_table',
                      DETAIL = format('Tracking "%s" needs the name, %s.', tracked.leads,
                          CASE WHEN tracked.campaign_column IS NULL THEN 'without a column of campaigns' ELSE format('with a column %I of type %s', campaign.attname, format_type(campaign.atttypid, NULL)) END),
                      HINT = CASE WHEN (SELECT o.leads FROM @extschema@.lead_phones_of(found.oid) AS o) = tracked.leads
                          THEN 'It has disqualifications: give it that shape; or drop it, if they are not to hold any more.'
                          ELSE 'Name others with counts => ''...'' and disqualifications => ''...'', or rename it.' END;
        END IF;
    END LOOP;

    IF (SELECT o.leads IS NULL AND o.leads_name <> @extschema@.lead_phones_table_name(tracked.leads)
          FROM @extschema@.lead_phones_of(tracked.disqualifications) AS o) THEN
        RAISE NOTICE 'the disqualifications in "%" hold for table "%" now', tracked.disqualifications, tracked.leads
            USING DETAIL = 'They are those of another leads table, that is gone.',
                  HINT = 'If they are not to, name others with counts => ''...'' and disqualifications => ''...''.';
    END IF;
    IF tracked.counts IS NULL THEN
        EXECUTE format($ddl$
            CREATE TABLE %1$I.%2$I (
                %3$s
                phone @extschema@.e164 NOT NULL,
                lead_count bigint NOT NULL DEFAULT 0,
                %4$s,
                disqualified boolean NOT NULL DEFAULT false,
                PRIMARY KEY (%5$s)
            ) WITH (fillfactor = 50);
            CREATE INDEX %6$s ON %1$I.%2$I (%5$s) WHERE disqualified;
            ALTER TABLE %1$I.%2$I OWNER TO %7$s;
            COMMENT ON COLUMN %1$I.%2$I.phone IS 'the number, in E.164';
            COMMENT ON COLUMN %1$I.%2$I.lead_count IS 'leads that have the number in any column';
            COMMENT ON COLUMN %1$I.%2$I.disqualified IS 'the number is not to be called in this campaign'
        $ddl$, schema, counts, campaign_definition, @extschema@.lead_phones_each(tracked, '%3$I bigint NOT NULL DEFAULT 0', ', '), key, names[1], owner);
    END IF;
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = format('%I.%I', schema, counts)::regclass
                          AND a.attname = number_column || '_count' AND NOT a.attisdropped) THEN
            EXECUTE format('ALTER TABLE %I.%I ADD COLUMN %I bigint NOT NULL DEFAULT 0', schema, counts, number_column || '_count');
        END IF;
        EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', schema, counts, number_column || '_count',
            format('leads that have the number in column %I', number_column));
    END LOOP;

    IF tracked.disqualifications IS NULL THEN
        EXECUTE format($ddl$
            CREATE TABLE %1$I.%2$I (
                %3$s
                phone @extschema@.e164 NOT NULL,
                entry integer NOT NULL,
                source text NOT NULL,
                reason text,
                disqualified_by text NOT NULL,
                disqualified_at timestamptz NOT NULL,
                expires_at timestamptz,
                lifted_by text,
                lifted_at timestamptz,
                lift_reason text,
                PRIMARY KEY (%4$s, entry)
            );
            CREATE UNIQUE INDEX %5$s ON %1$I.%2$I (%4$s, source) WHERE lifted_at IS NULL;
            CREATE INDEX %6$s ON %1$I.%2$I (expires_at) WHERE lifted_at IS NULL AND expires_at IS NOT NULL;
            ALTER TABLE %1$I.%2$I OWNER TO %7$s;
            COMMENT ON COLUMN %1$I.%2$I.entry IS 'running number of the entry, for its campaign and number';
            COMMENT ON COLUMN %1$I.%2$I.source IS 'who or what asks for it; entries of different sources are in force, and are lifted, on their own';
            COMMENT ON COLUMN %1$I.%2$I.expires_at IS 'from when expire_disqualifications() lifts the entry';
            COMMENT ON COLUMN %1$I.%2$I.lifted_at IS 'when the entry was lifted; NULL while it is in force'
        $ddl$, schema, disqualifications, campaign_definition, key, names[2], names[3], owner);
    END IF;
    PERFORM @extschema@.lead_phones_note(format('%I.%I', schema, counts)::regclass, 'counts', tracked.leads),
            @extschema@.lead_phones_note(format('%I.%I', schema, disqualifications)::regclass, 'disqualifications', tracked.leads);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_tables(@extschema@.lead_phone_tables, name, name, name, pg_attribute) IS
    'internal: creates campaign_phone_counts and campaign_phone_disqualifications beside the leads table, under these names';

CREATE FUNCTION @extschema@.lead_phones_create_suppressions(leads regclass, schema name, suppressions name, suppressed name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owner constant regrole := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = leads);
    shape @extschema@.lead_phone_tables;
    found record;
BEGIN
    shape.suppressions := to_regclass(format('%I.%I', schema, suppressions));
    shape.suppressed := to_regclass(format('%I.%I', schema, suppressed));
    FOR found IN
        SELECT c.oid, c.relname, c.relkind, c.relowner FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = schema AND c.relname IN (suppressions, suppressed)
    LOOP
        -- The triggers look at the file of the table itself, which of a partitioned one is none.
        IF found.relkind <> 'r' OR found.relowner <> owner OR EXISTS (
            SELECT FROM @extschema@.lead_phones_columns_of(shape) AS w
              LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = found.oid AND NOT a.attisdropped AND a.attname = w.column_name
             WHERE w.relation = found.oid AND a.atttypid IS DISTINCT FROM w.types[1]) THEN
            RAISE EXCEPTION 'table "%.%" exists already, %', schema, found.relname,
                    CASE WHEN found.relowner <> owner THEN format('and belongs to "%s"', found.relowner::regrole) ELSE 'in another shape' END
                USING ERRCODE = CASE WHEN found.relowner <> owner THEN 'insufficient_privilege' ELSE 'duplicate_table' END,
                      DETAIL = format('Tracking "%s" needs the name, for numbers that are disqualified in every campaign.', leads),
                      HINT = 'Rename it, or move the leads table into a schema of its own.';
        END IF;
    END LOOP;
    IF to_regclass(format('%I.%I', schema, suppressions)) IS NULL THEN
        EXECUTE format($ddl$
            CREATE TABLE %1$I.%2$I (
                entry bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                source text NOT NULL,
                reason text,
                disqualified_by text NOT NULL,
                disqualified_at timestamptz NOT NULL,
                expires_at timestamptz,
                lifted_by text,
                lifted_at timestamptz,
                lift_reason text);
            ALTER TABLE %1$I.%2$I OWNER TO %3$s;
            COMMENT ON COLUMN %1$I.%2$I.lifted_at IS 'when all of its numbers were lifted together; NULL while it is in force'$ddl$, schema, suppressions, owner);
    END IF;
    IF to_regclass(format('%I.%I', schema, suppressed)) IS NULL THEN
        -- Small rows: of a registry there are millions.
        EXECUTE format($ddl$
            CREATE TABLE %1$I.%2$I (
                number bigint NOT NULL,
                entry bigint NOT NULL,
                lifted_by text,
                lifted_at timestamptz,
                lift_reason text);
            CREATE INDEX ON %1$I.%2$I (number) WHERE lifted_at IS NULL;
            CREATE INDEX ON %1$I.%2$I USING brin (entry);
            -- What is published for logical replication needs one; with a primary key, bench/lists takes nine times as long.
            ALTER TABLE %1$I.%2$I REPLICA IDENTITY FULL;
            ALTER TABLE %1$I.%2$I OWNER TO %3$s;
            COMMENT ON COLUMN %1$I.%2$I.number IS 'the digits of the number in E.164; negative: the first 63 bits of its hash';
            COMMENT ON COLUMN %1$I.%2$I.entry IS 'what was said of it, in %4$s';
            COMMENT ON COLUMN %1$I.%2$I.lifted_at IS 'when the number was lifted on its own; NULL while it is in force'$ddl$, schema, suppressed, owner,
            replace(suppressions, '''', ''''''));
    END IF;
    PERFORM @extschema@.lead_phones_note(format('%I.%I', schema, suppressions)::regclass, 'suppressions', leads),
            @extschema@.lead_phones_note(format('%I.%I', schema, suppressed)::regclass, 'suppressed', leads);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_suppressions(regclass, name, name, name) IS
    'internal: creates phone_suppressions and suppressed_phones beside the leads table, under these names';

CREATE FUNCTION @extschema@.lead_phones_out_everywhere(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    standing constant text := format('%s AS s JOIN %s AS p ON p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL', tracked.suppressed, tracked.suppressions);
    has_any boolean;
BEGIN
    IF num_nulls(tracked.suppressed, tracked.suppressions) > 0 THEN
        RETURN NULL;
    END IF;
    -- Lead tables are on one node, with this table.
    IF NOT @extschema@.lead_phones_is_distributed(tracked.leads) OR @extschema@.lead_phones_has_node(tracked.leads) THEN
        RETURN standing;
    END IF;
    -- Shards do not see the tables of the coordinator.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', standing) INTO has_any;
    IF has_any THEN
        RAISE EXCEPTION 'table "%" is distributed, and numbers are disqualified in every campaign of it', tracked.leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('They are in "%s", which the shards do not see.', tracked.suppressed),
                  HINT = 'Before the table is distributed, disqualify them in each campaign, and lift these entries.';
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_out_everywhere(@extschema@.lead_phone_tables) IS
    'internal: SQL of the numbers "s" that are disqualified in every campaign, and their entries "p"; NULL where there can be none: tracked before there were such, or distributed';

CREATE FUNCTION @extschema@.lead_phones_out_here(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('SELECT %1$s AS campaign, d.phone FROM %2$s AS d WHERE d.lifted_at IS NULL', @extschema@.lead_phones_campaign(tracked, 'd'), (tracked).disqualifications)
        || coalesce((SELECT format(' UNION SELECT %1$s, o.phone FROM %2$s AS o CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(o.phone)) AS k WHERE EXISTS (SELECT FROM %3$s WHERE s.number = k)',
                                @extschema@.lead_phones_campaign(tracked, 'o'), (tracked).counts, e)
                       FROM @extschema@.lead_phones_out_everywhere(tracked) AS e WHERE e IS NOT NULL), '')
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_out_here(@extschema@.lead_phone_tables) IS
    'internal: SQL of campaigns and numbers that an entry of either ledger disqualifies';

CREATE FUNCTION @extschema@.lead_phones_adopt(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    adopted bigint;
BEGIN
    -- Of a ledger that was lost the marks are left: they still hold.
    EXECUTE format($dml$
        INSERT INTO %1$s (%2$s, entry, source, reason, disqualified_by, disqualified_at)
        SELECT %3$s, coalesce(e.entry, 0) + 1, 'adopted', 'was marked when the table was tracked', $1, $2
          FROM (%4$s) AS m
          LEFT JOIN (SELECT %5$s AS campaign, d.phone, max(d.entry) AS entry, bool_or(d.lifted_at IS NULL) AS in_force
                       FROM %1$s AS d GROUP BY 1, d.phone) AS e ON e.campaign %6$s m.campaign AND e.phone = m.phone
         WHERE m.campaign IS NOT NULL AND m.phone IS NOT NULL AND e.in_force IS NOT TRUE%7$s$dml$,
        tracked.disqualifications, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, 'm.campaign', 'm.phone'),
        (SELECT string_agg(format('SELECT %s AS campaign, %s AS phone FROM %s AS l WHERE l.%I', @extschema@.lead_phones_campaign(tracked, 'l'),
                    @extschema@.lead_phones_counted(tracked, n, true), tracked.leads, n || '_disqualified'), ' UNION ')
           FROM unnest(tracked.phone_columns) AS n),
        @extschema@.lead_phones_campaign(tracked, 'd'), @extschema@.lead_phones_operator(tracked, 3::smallint),
        (SELECT format(' AND NOT EXISTS (SELECT FROM %s WHERE s.number = ANY (@extschema@.lead_phones_keys(m.phone)))', e)
           FROM @extschema@.lead_phones_out_everywhere(tracked) AS e WHERE e IS NOT NULL))
      USING @extschema@.lead_phones_caller(), clock_timestamp();
    GET DIAGNOSTICS adopted = ROW_COUNT;
    IF adopted > 0 THEN
        RAISE NOTICE 'table "%" has marks of disqualified numbers that no entry explains: %', tracked.leads, adopted
            USING DETAIL = 'They are entries of the source "adopted" now, and stay disqualified.',
                  HINT = 'Those that may be called: CALL requalify_phone(..., source => ''adopted'').';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_adopt(@extschema@.lead_phone_tables) IS
    'internal: makes entries of marks that have none';
