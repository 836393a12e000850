-- Tracking: which tables are under care, and by which settings.

CREATE FUNCTION @extschema@.lead_phones_normalize() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_normalize_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_normalize() IS
    'trigger of tracked tables: writes numbers in E.164 and marks the disqualified ones';

CREATE FUNCTION @extschema@.lead_phones_count() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_count_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_count() IS
    'trigger of tracked tables: keeps campaign_phone_counts';

CREATE FUNCTION @extschema@.lead_phones_write_counts() RETURNS void
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_write_counts_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_write_counts() IS
    'internal: writes what the transaction has changed in counts, and holds their rows from then on';

CREATE FUNCTION @extschema@.lead_phones_settings(trigger_args bytea) RETURNS jsonb
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_settings_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_settings(bytea) IS
    'internal: the settings in the arguments of a trigger of lead_phones';

CREATE FUNCTION @extschema@.lead_phones_hold(tables regclass[]) RETURNS void
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_hold_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_hold(regclass[]) IS
    'internal: keeps tables from being altered or dropped until the transaction ends; an error where one is gone';

CREATE FUNCTION @extschema@.lead_phones_table_name(relation regclass) RETURNS text
    STABLE STRICT PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_table_name(regclass) IS
    'internal: the name of a table, qualified and quoted, whatever search_path is';

CREATE VIEW @extschema@.lead_phone_tables AS
SELECT t.tgrelid::pg_catalog.regclass AS leads,
       (s.settings OPERATOR(pg_catalog.->>) 'campaign_column')::pg_catalog.name AS campaign_column,
       (s.settings OPERATOR(pg_catalog.->) 'phone_columns' OPERATOR(pg_catalog.->>) 0)::pg_catalog.name AS phone_column,
       (s.settings OPERATOR(pg_catalog.->) 'phone_columns' OPERATOR(pg_catalog.->>) 1)::pg_catalog.name AS mobile_column,
       s.settings OPERATOR(pg_catalog.->>) 'region' AS region,
       (s.settings OPERATOR(pg_catalog.->>) 'region_column')::pg_catalog.name AS region_column,
       s.settings OPERATOR(pg_catalog.->>) 'on_invalid' AS on_invalid,
       s.settings OPERATOR(pg_catalog.->>) 'count_at' AS count_at,
       counts.oid::pg_catalog.regclass AS counts,
       disqualifications.oid::pg_catalog.regclass AS disqualifications,
       ARRAY(SELECT c.name FROM pg_catalog.jsonb_array_elements_text(s.settings OPERATOR(pg_catalog.->) 'phone_columns') AS c (name))::pg_catalog.name[]
           AS phone_columns,
       (s.settings OPERATOR(pg_catalog.->>) 'region_code')::pg_catalog.name AS region_code,
       (s.settings OPERATOR(pg_catalog.->>) 'in_place')::pg_catalog.bool AS in_place,
       (s.settings OPERATOR(pg_catalog.->>) 'keep_extensions')::pg_catalog.bool AS keep_extensions,
       suppressions.oid::pg_catalog.regclass AS suppressions,
       suppressed.oid::pg_catalog.regclass AS suppressed
  FROM pg_catalog.pg_trigger AS t
 -- OFFSET: once for each trigger, not for each use
 CROSS JOIN LATERAL (SELECT @extschema@.lead_phones_settings(t.tgargs) OFFSET 0) AS s (settings)
  -- by name, not to_regclass(): that fails on schemas that the reader has no USAGE on
  LEFT JOIN pg_catalog.pg_namespace AS n
         ON n.nspname OPERATOR(pg_catalog.=) (s.settings OPERATOR(pg_catalog.->>) 'schema')::pg_catalog.name
  LEFT JOIN pg_catalog.pg_class AS counts
         ON counts.relnamespace OPERATOR(pg_catalog.=) n.oid
        AND counts.relname OPERATOR(pg_catalog.=) (s.settings OPERATOR(pg_catalog.->>) 'counts')::pg_catalog.name
  LEFT JOIN pg_catalog.pg_class AS disqualifications
         ON disqualifications.relnamespace OPERATOR(pg_catalog.=) n.oid
        AND disqualifications.relname
            OPERATOR(pg_catalog.=) (s.settings OPERATOR(pg_catalog.->>) 'disqualifications')::pg_catalog.name
  -- none where the table was tracked before there were such
  LEFT JOIN pg_catalog.pg_class AS suppressions
         ON suppressions.relnamespace OPERATOR(pg_catalog.=) n.oid AND suppressions.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
        AND suppressions.relname OPERATOR(pg_catalog.=) (s.settings OPERATOR(pg_catalog.->>) 'suppressions')::pg_catalog.name
  LEFT JOIN pg_catalog.pg_class AS suppressed
         ON suppressed.relnamespace OPERATOR(pg_catalog.=) n.oid AND suppressed.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
        AND suppressed.relname OPERATOR(pg_catalog.=) (s.settings OPERATOR(pg_catalog.->>) 'suppressed')::pg_catalog.name
 WHERE t.tgfoid OPERATOR(pg_catalog.=) '@extschema@.lead_phones_normalize()'::pg_catalog.regprocedure
   AND t.tgname OPERATOR(pg_catalog.=) 'zz_lead_phones_normalize_insert'
   AND t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
   AND NOT (s.settings OPERATOR(pg_catalog.->>) 'member')::pg_catalog.bool;
COMMENT ON VIEW @extschema@.lead_phone_tables IS
    'the tracked tables and their settings. Example: SELECT leads, phone_columns, counts FROM lead_phone_tables';
COMMENT ON COLUMN @extschema@.lead_phone_tables.leads IS 'the tracked table';
COMMENT ON COLUMN @extschema@.lead_phone_tables.campaign_column IS 'its column of campaigns; NULL where the whole table is one campaign';
COMMENT ON COLUMN @extschema@.lead_phone_tables.phone_column IS 'the first of phone_columns';
COMMENT ON COLUMN @extschema@.lead_phone_tables.mobile_column IS 'the second of phone_columns, if there is one';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region IS 'region of numbers written without a country code';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region_column IS 'its column with a region of each lead, or with a reference to it, if it has one';
COMMENT ON COLUMN @extschema@.lead_phone_tables.on_invalid IS 'what becomes of a value that is no valid number: keep, null or reject';
COMMENT ON COLUMN @extschema@.lead_phone_tables.count_at IS 'when a transaction counts what it writes: read (or commit, if it does not read the counts) or commit';
COMMENT ON COLUMN @extschema@.lead_phone_tables.counts IS 'its campaign_phone_counts';
COMMENT ON COLUMN @extschema@.lead_phone_tables.disqualifications IS 'its campaign_phone_disqualifications';
COMMENT ON COLUMN @extschema@.lead_phone_tables.phone_columns IS 'its columns of numbers';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region_code IS 'the column of regions in the table that region_column references';
COMMENT ON COLUMN @extschema@.lead_phone_tables.in_place IS 'whether numbers are written into their own columns, and not beside them';
COMMENT ON COLUMN @extschema@.lead_phone_tables.keep_extensions IS 'whether extensions are kept beside the numbers';
COMMENT ON COLUMN @extschema@.lead_phone_tables.suppressions IS 'its phone_suppressions: what was said of numbers that are out in every campaign';
COMMENT ON COLUMN @extschema@.lead_phone_tables.suppressed IS 'its suppressed_phones: the numbers that are out in every campaign';

CREATE FUNCTION @extschema@.lead_phones_base_type(type_id oid, INOUT type_modifier integer, OUT base_type oid)
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    type pg_catalog.pg_type;
BEGIN
    base_type := type_id;
    LOOP
        SELECT * INTO type FROM pg_catalog.pg_type AS t WHERE t.oid = base_type;
        EXIT WHEN NOT FOUND OR type.typtype <> 'd';
        base_type := type.typbasetype;
        type_modifier := type.typtypmod;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_base_type(oid, integer) IS
    'internal: the type under a domain, with its modifier';

CREATE FUNCTION @extschema@.lead_phones_base_type_of(type_id oid) RETURNS oid
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (SELECT b.base_type FROM @extschema@.lead_phones_base_type(type_id, -1) AS b);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_base_type_of(oid) IS 'internal: the type under a domain';

CREATE FUNCTION @extschema@.lead_phones_type_of(relation regclass, column_name name) RETURNS oid
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (SELECT @extschema@.lead_phones_base_type_of(a.atttypid) FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_type_of(regclass, name) IS
    'internal: the type of a column, or the one under its domain; NULL where there is no such column';

CREATE FUNCTION @extschema@.lead_phones_kept_columns(number_column name, in_place boolean, keep_extensions boolean)
    RETURNS TABLE (purpose text, column_name name)
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- As text: what is too long for a name must not be cut to one of somebody else's.
    VALUES ('mark', (number_column::text || '_disqualified')::name)
     UNION ALL SELECT 'e164', (number_column::text || '_e164')::name WHERE NOT in_place
     UNION ALL SELECT 'extension', (number_column::text || '_extension')::name WHERE keep_extensions
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_kept_columns(name, boolean, boolean) IS
    'internal: the columns that are kept beside a column of numbers';

CREATE FUNCTION @extschema@.lead_phones_campaign(tracked @extschema@.lead_phone_tables, relation text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN (tracked).campaign_column IS NULL THEN 'true' ELSE format('%s.%I', relation, (tracked).campaign_column) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaign(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of the campaign of a row of leads, counts or ledger; where the whole table is one campaign, that is true';

CREATE FUNCTION @extschema@.lead_phones_operator(tracked @extschema@.lead_phone_tables, strategy smallint) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    plain constant text := CASE strategy WHEN 3 THEN 'OPERATOR(pg_catalog.=)' ELSE 'OPERATOR(pg_catalog.>)' END;
BEGIN
    IF tracked.campaign_column IS NULL THEN
        RETURN plain;
    END IF;
    -- Of the default operator class: by its name, another could be found.
    RETURN coalesce((
        SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
          FROM pg_catalog.pg_opclass AS c
          JOIN pg_catalog.pg_am AS m ON m.oid = c.opcmethod AND m.amname = 'btree'
          JOIN pg_catalog.pg_amop AS a ON a.amopfamily = c.opcfamily AND a.amopstrategy = strategy
               AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
          JOIN pg_catalog.pg_operator AS o ON o.oid = a.amopopr
          JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
         WHERE c.opcdefault AND c.opcintype = @extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column)), plain);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_operator(@extschema@.lead_phone_tables, smallint) IS
    'internal: SQL of the operator by which campaigns are told apart (3) or ordered (5)';

CREATE FUNCTION @extschema@.lead_phones_is_of(tracked @extschema@.lead_phone_tables, relation text, campaign text) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN format('%s %s %s', @extschema@.lead_phones_campaign(tracked, relation), @extschema@.lead_phones_operator(tracked, 3::smallint), campaign);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_of(@extschema@.lead_phone_tables, text, text) IS
    'internal: SQL that says whether a row of leads, counts or ledger is of a campaign';

CREATE FUNCTION @extschema@.lead_phones_key(tracked @extschema@.lead_phone_tables) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN (tracked).campaign_column IS NULL THEN 'phone' ELSE format('%I, phone', (tracked).campaign_column) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_key(@extschema@.lead_phone_tables) IS
    'internal: the columns of the primary key of the counts, with which that of the ledger begins';

CREATE FUNCTION @extschema@.lead_phones_with_campaign(tracked @extschema@.lead_phone_tables, campaign text, others text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN (tracked).campaign_column IS NULL THEN others ELSE campaign || ', ' || others END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_with_campaign(@extschema@.lead_phone_tables, text, text) IS
    'internal: SQL of what is inserted into counts or ledger: the campaign, if there are campaigns, and the rest';

CREATE FUNCTION @extschema@.lead_phones_text(type_id oid, value text) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF type_id = ANY ('{text,varchar,bpchar,int2,int4,int8,uuid,bool}'::regtype[]::oid[]) THEN
        RETURN value || '::pg_catalog.text';
    END IF;
    -- A cast could be somebody's own.
    RETURN (SELECT format('pg_catalog.textin(%I.%I(%s))', n.nspname, p.proname, value) FROM pg_catalog.pg_type AS t
              JOIN pg_catalog.pg_proc AS p ON p.oid = t.typoutput JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace WHERE t.oid = type_id);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_text(oid, text) IS
    'internal: SQL of a value as text, by the output function of its type';

CREATE FUNCTION @extschema@.lead_phones_campaign_text(tracked @extschema@.lead_phone_tables, value text) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN CASE WHEN tracked.campaign_column IS NULL THEN 'NULL::pg_catalog.text'
                ELSE @extschema@.lead_phones_text(@extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column), value) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_campaign_text(@extschema@.lead_phone_tables, text) IS
    'internal: SQL of a campaign as text; NULL where the whole table is one';

CREATE FUNCTION @extschema@.lead_phones_stored(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN CASE WHEN NOT tracked.in_place THEN format('l.%I', number_column || '_e164')
                WHEN @extschema@.lead_phones_type_of(tracked.leads, number_column) IN ('text'::regtype, 'varchar'::regtype) THEN format('l.%I', number_column)
                ELSE format('l.%I::pg_catalog.text', number_column) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_stored(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the number in a column of a lead "l", as it is stored and found by an index';

CREATE FUNCTION @extschema@.lead_phones_each(tracked @extschema@.lead_phone_tables, template text, glue text) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT string_agg(format(template, c.name, c.name || '_disqualified', c.name || '_count', @extschema@.lead_phones_stored(tracked, c.name), c.place),
                   glue ORDER BY c.place)
          FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_each(@extschema@.lead_phone_tables, text, text) IS
    'internal: SQL of each column of numbers, by a template: %1$I the column, %2$I its mark, %3$I its count, %4$s the number as it is stored, %5$s its place';

CREATE FUNCTION @extschema@.lead_phones_columns_of(tracked @extschema@.lead_phone_tables)
    RETURNS TABLE (relation regclass, column_name name, types oid[], is_text boolean)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    campaign constant oid[] := ARRAY[@extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column)];
BEGIN
    -- What is read and written, and of which types it is: of no others, whose casts and operators are somebody's code. Where types is NULL,
    -- lead_phones_admits() says.
    RETURN QUERY
    SELECT tracked.leads, c.name, c.types, c.is_text FROM (
        SELECT tracked.campaign_column, NULL::oid[], NULL::boolean WHERE tracked.campaign_column IS NOT NULL
         UNION ALL SELECT n, NULL, tracked.in_place FROM unnest(tracked.phone_columns) AS n
         UNION ALL SELECT tracked.region_column, NULL, true WHERE tracked.region_column IS NOT NULL AND tracked.region_code IS NULL
         UNION ALL SELECT k.column_name, CASE k.purpose WHEN 'mark' THEN '{bool}' ELSE '{text,varchar}' END::regtype[]::oid[], NULL
                     FROM unnest(tracked.phone_columns) AS n
                    CROSS JOIN LATERAL @extschema@.lead_phones_kept_columns(n, tracked.in_place, tracked.keep_extensions) AS k) AS c (name, types, is_text)
     UNION ALL
    SELECT t.relation, c.name, c.types, NULL FROM (VALUES (tracked.counts), (tracked.disqualifications)) AS t (relation) CROSS JOIN (VALUES
        (tracked.campaign_column, campaign),
        ('phone', '{text}'::regtype[]::oid[])) AS c (name, types)
     WHERE c.name IS NOT NULL
     UNION ALL
    SELECT tracked.counts, c.name, c.types, NULL FROM (VALUES
        ('lead_count'::name, '{int8}'::regtype[]::oid[]),
        ('disqualified', '{bool}'::regtype[]::oid[])) AS c (name, types)
     UNION ALL
    SELECT tracked.counts, (n || '_count')::name, '{int8}'::regtype[]::oid[], NULL FROM unnest(tracked.phone_columns) AS n
     UNION ALL
    SELECT t.relation, c.name, c.types, NULL
      FROM (VALUES (tracked.disqualifications, '{int4}'::regtype[]::oid[]), (tracked.suppressions, '{int8}'::regtype[]::oid[])) AS t (relation, entry) CROSS JOIN LATERAL (VALUES
        ('entry'::name, t.entry),
        ('source', '{text}'::regtype[]::oid[]),
        ('reason', '{text}'::regtype[]::oid[]),
        ('disqualified_by', '{text}'::regtype[]::oid[]),
        ('disqualified_at', '{timestamptz}'::regtype[]::oid[]),
        ('expires_at', '{timestamptz}'::regtype[]::oid[])) AS c (name, types)
     UNION ALL
    SELECT tracked.suppressed, c.name, c.types, NULL FROM (VALUES
        ('number'::name, '{int8}'::regtype[]::oid[]),
        ('entry', '{int8}'::regtype[]::oid[])) AS c (name, types)
     UNION ALL
    SELECT t.relation, c.name, c.types, NULL FROM (VALUES (tracked.disqualifications), (tracked.suppressions), (tracked.suppressed)) AS t (relation) CROSS JOIN (VALUES
        ('lifted_by'::name, '{text}'::regtype[]::oid[]),
        ('lifted_at', '{timestamptz}'::regtype[]::oid[]),
        ('lift_reason', '{text}'::regtype[]::oid[])) AS c (name, types);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_columns_of(@extschema@.lead_phone_tables) IS
    'internal: the columns of a tracked table, its counts and its ledgers, and of which types they can be';

CREATE FUNCTION @extschema@.lead_phones_admits(type_id oid, wanted text) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- as Column and CampaignColumn in src/triggers
    RETURN (
        SELECT CASE wanted
                   WHEN 'text' THEN t.typcategory = 'S' AND t.oid <> '"char"'::regtype
                   -- float4 has 6 digits, and how money is written is the session's
                   WHEN 'number' THEN t.typcategory IN ('S', 'N') AND t.oid <> ALL (ARRAY['"char"', 'float4', 'money']::regtype[]::oid[])
                   WHEN 'campaign' THEN t.typtype IN ('b', 'e') AND t.typcategory <> 'A' AND (t.typtype = 'e' OR EXISTS (
                       SELECT FROM pg_catalog.pg_opclass AS c JOIN pg_catalog.pg_am AS m ON m.oid = c.opcmethod AND m.amname = 'btree'
                        WHERE c.opcdefault AND c.opcintype = CASE t.oid WHEN 'varchar'::regtype THEN 'text'::regtype ELSE t.oid END))
               END
          FROM pg_catalog.pg_type AS t WHERE t.oid = type_id AND t.typtype IN ('b', 'e'));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_admits(oid, text) IS
    'internal: whether a type can be that of a campaign, of a text, or of a column of numbers that is left as it is';

CREATE FUNCTION @extschema@.lead_phones_missing_column(
    tracked @extschema@.lead_phone_tables, OUT relation regclass, OUT column_name name, OUT has_other_type boolean)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    SELECT w.relation, w.column_name, t.type IS NOT NULL INTO relation, column_name, has_other_type
      FROM @extschema@.lead_phones_columns_of(tracked) AS w
      LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = w.relation AND a.attname = w.column_name AND a.attnum > 0 AND NOT a.attisdropped
     CROSS JOIN LATERAL (SELECT @extschema@.lead_phones_base_type_of(a.atttypid) OFFSET 0) AS t (type)
     CROSS JOIN LATERAL (SELECT m.type_modifier FROM @extschema@.lead_phones_base_type(a.atttypid, a.atttypmod) AS m OFFSET 0) AS m (type_modifier)
     WHERE w.relation IS NOT NULL
       AND CASE WHEN t.type IS NULL THEN true WHEN w.types IS NOT NULL THEN t.type <> ALL (w.types)
                     -- What is kept beside a number is written as it is: it must have room there. A length counts 4 bytes of header.
                     OR w.relation = tracked.leads AND t.type <> 'bool'::regtype
                        AND (m.type_modifier - 4 BETWEEN 0 AND CASE WHEN w.column_name LIKE '%\_e164' THEN 15 ELSE 19 END OR a.atttypid NOT IN (t.type, '@extschema@.e164'::regtype))
                ELSE NOT @extschema@.lead_phones_admits(t.type, CASE w.is_text WHEN true THEN 'text' WHEN false THEN 'number' ELSE 'campaign' END) END IS NOT FALSE
     LIMIT 1;
    IF NOT FOUND AND tracked.region_code IS NOT NULL AND @extschema@.lead_phones_region_table(tracked) IS NULL THEN
        relation := tracked.leads;
        column_name := tracked.region_column;
        has_other_type := false;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_missing_column(@extschema@.lead_phone_tables) IS
    'internal: a column that a tracked table, its counts or its ledgers need, and do not have, or have in another type';

CREATE FUNCTION @extschema@.lead_phones_tracked(leads regclass) RETURNS @extschema@.lead_phone_tables
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    root regclass;
    missing record;
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Name the tracked table; the view lead_phone_tables lists them.';
    END IF;
    SELECT * INTO tracked FROM @extschema@.lead_phone_tables AS t WHERE t.leads = lead_phones_tracked.leads;
    IF FOUND THEN
        -- What is found below, which is why this is volatile, holds until the transaction ends.
        PERFORM @extschema@.lead_phones_hold(ARRAY(
            SELECT c.oid::regclass FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS l ON l.oid = tracked.leads AND l.relowner = c.relowner
             WHERE c.oid IN (tracked.leads, tracked.counts, tracked.disqualifications) ORDER BY c.oid <> tracked.leads, c.oid));
        SELECT * INTO tracked FROM @extschema@.lead_phone_tables AS t WHERE t.leads = lead_phones_tracked.leads;
    END IF;
    IF NOT FOUND THEN
        root := @extschema@.lead_phones_root(leads);
        RAISE EXCEPTION 'table "%" is not tracked', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = CASE WHEN root IS NULL THEN 'It has no triggers of lead_phones.'
                      ELSE format('It belongs to the tracked table "%s".', root) END,
                  HINT = CASE WHEN root IS NULL THEN format('Run track_lead_phones(%L).', leads) ELSE 'Name that table.' END;
    END IF;
    IF tracked.counts IS NULL OR tracked.disqualifications IS NULL THEN
        RAISE EXCEPTION 'the phone counts or disqualifications of table "%" do not exist', leads
            USING ERRCODE = 'undefined_table',
                  DETAIL = 'They or their schema were renamed, moved or dropped after track_lead_phones().',
                  HINT = format('Run untrack_lead_phones(%L), then track_lead_phones(%L, ...).', leads, leads);
    END IF;
    IF @extschema@.lead_phones_is_distributed(leads) <> @extschema@.lead_phones_is_distributed(tracked.counts) THEN
        RAISE EXCEPTION 'tables "%" and "%" are not colocated', leads, tracked.counts
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Citus distributes one of them and not the other.',
                  HINT = 'Distribute both, with the ledger, or neither; docs/scale-out.md has the statements.';
    END IF;
    -- What hangs on these tables runs as the owner of the leads: they must be his own.
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS l ON l.oid = tracked.leads
                WHERE c.oid IN (tracked.counts, tracked.disqualifications, tracked.suppressions, tracked.suppressed)
                  AND (c.relowner <> l.relowner OR c.relkind NOT IN ('r', 'p'))) THEN
        RAISE EXCEPTION 'the phone counts or disqualifications of table "%" belong to another owner', leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'A leads table, its counts and its disqualifications have one owner.',
                  HINT = format('Run ALTER TABLE ... OWNER TO on %s.', concat_ws(', ', tracked.counts, tracked.disqualifications, tracked.suppressions, tracked.suppressed));
    END IF;
    -- Anybody can make a table look tracked. Whoever asks about it must not run what its owner put there: views, foreign tables, types.
    PERFORM @extschema@.lead_phones_check_kind(leads, m), @extschema@.lead_phones_check_owner(leads, m) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_check_region(tracked);
    SELECT m.relation, m.column_name, m.has_other_type INTO missing FROM @extschema@.lead_phones_missing_column(tracked) AS m
     WHERE m.relation IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION '%', format(CASE WHEN missing.has_other_type THEN 'column "%s" of table "%s" is of a type that cannot be tracked'
                                         ELSE 'table "%2$s" has no column "%1$s"' END, missing.column_name, missing.relation)
            USING ERRCODE = CASE WHEN missing.has_other_type THEN 'datatype_mismatch' ELSE 'undefined_column' END,
                  DETAIL = format('Table "%s" is tracked with it; it was altered while the event triggers of lead_phones were disabled.', leads),
                  HINT = format('Run untrack_lead_phones(%L), then track_lead_phones(%L, ...).', leads, leads);
    END IF;
    RETURN tracked;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_tracked(regclass) IS
    'internal: the settings of a tracked table; an error where it is not tracked';

CREATE FUNCTION @extschema@.lead_phones_note(relation regclass, purpose text, leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- Of which table it is: under whichever names both go, and wherever they are restored, it is taken up again, and by no other.
    EXECUTE format('COMMENT ON TABLE %s IS %L', relation, format('%s [%s of %s, %s/%s/%s]', CASE purpose
            WHEN 'counts' THEN 'every unique phone number of each campaign, kept by the triggers of lead_phones'
            WHEN 'disqualifications' THEN 'ledger of disqualified and requalified phone numbers; nothing is ever deleted from it'
            WHEN 'suppressions' THEN 'ledger of numbers that are out in every campaign: what was said of them, by one call'
            ELSE 'ledger of numbers that are out in every campaign; nothing is ever deleted from it' END,
        purpose, @extschema@.lead_phones_table_name(leads), leads::oid,
        (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()), (SELECT s.system_identifier FROM pg_control_system() AS s)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_note(regclass, text, regclass) IS
    'internal: says in the comment on counts or a ledger of which table it is';

CREATE FUNCTION @extschema@.lead_phones_of(relation regclass, OUT leads regclass, OUT purpose text)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    parts constant text[] := regexp_match(obj_description(relation, 'pg_class'), '\[(counts|disqualifications|suppressions|suppressed) of (.*), (\d+)/(\d+)/(\d+)\]$');
    names text[];
BEGIN
    purpose := parts[1];
    IF parts[4] = (SELECT d.oid::text FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
       AND parts[5] = (SELECT s.system_identifier::text FROM pg_control_system() AS s) THEN
        leads := (SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.oid::text = parts[3]);
        RETURN;
    END IF;
    -- Of a database that was restored, the name is left.
    names := parse_ident(parts[2]);
    leads := (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = names[1] AND c.relname = names[2]);
EXCEPTION WHEN invalid_parameter_value THEN
    -- a comment of somebody's own
    leads := NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_of(regclass) IS
    'internal: the table of which counts or a ledger is, as its comment says; NULL where that is gone, or it does not say';

CREATE FUNCTION @extschema@.lead_phones_own(leads regclass, wanted text) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT c.oid::regclass FROM pg_catalog.pg_description AS d
          JOIN pg_catalog.pg_class AS c ON c.oid = d.objoid AND c.relkind IN ('r', 'p')
          JOIN pg_catalog.pg_class AS l ON l.oid = lead_phones_own.leads AND l.relowner = c.relowner
         CROSS JOIN LATERAL @extschema@.lead_phones_of(c.oid::regclass) AS o
         WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0 AND d.description LIKE '%]' AND strpos(d.description, format('[%s of ', wanted)) > 0
           AND o.leads = lead_phones_own.leads AND o.purpose = wanted
         ORDER BY c.oid LIMIT 1);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_own(regclass, text) IS
    'internal: the counts or a ledger that an earlier tracking of a table has left';

CREATE FUNCTION @extschema@.lead_phones_check_column(leads regclass, column_name name, parameter text, wanted text)
    RETURNS pg_attribute
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    attribute pg_catalog.pg_attribute;
    base oid;
    modifier integer;
BEGIN
    SELECT * INTO attribute FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = leads AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table "%" has no column "%"', leads, column_name
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('The column is named by %s.', parameter),
                  HINT = format('Name one of its columns with %s => ''%s'': %s.', parameter, CASE parameter WHEN 'phone_columns' THEN '{...}' ELSE '...' END,
                      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                         FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped));
    END IF;
    SELECT b.base_type, b.type_modifier INTO base, modifier
      FROM @extschema@.lead_phones_base_type(attribute.atttypid, attribute.atttypmod) AS b;
    IF (CASE wanted
           WHEN 'mark' THEN base <> 'bool'::regtype
           WHEN 'extension' THEN base <> 'text'::regtype
           WHEN 'e164' THEN attribute.atttypid <> '@extschema@.e164'::regtype
           WHEN 'reference' THEN false
           ELSE @extschema@.lead_phones_admits(base, wanted) IS NOT TRUE END) THEN
        RAISE EXCEPTION 'column "%" of table "%" is of type %', column_name, leads,
                format_type(attribute.atttypid, attribute.atttypmod)
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('The column named by %s must be of %s, or of a domain over such a type.', parameter, CASE wanted
                      WHEN 'campaign' THEN 'a type with an order of its own, by a default B-tree operator class: no array, no composite type'
                      WHEN 'text' THEN 'a type of text'
                      WHEN 'number' THEN 'a type of text, or of numbers of 15 digits'
                      WHEN 'mark' THEN 'type boolean'
                      WHEN 'extension' THEN 'type text'
                      ELSE 'type e164' END),
                  HINT = CASE WHEN wanted = 'text' AND parameter = 'phone_columns' AND @extschema@.lead_phones_admits(base, 'number')
                      THEN 'Use in_place => false: the column stays as it is, and the number stands beside it.'
                      ELSE format('Change its type, or name another column with %s.', parameter) END;
    END IF;
    IF attribute.attgenerated <> '' THEN
        RAISE EXCEPTION 'column "%" of table "%" is generated', column_name, leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'The triggers of lead_phones must be able to write it, or to see it before the row is written.',
                  HINT = format('Name the column it is generated from with %s.', parameter);
    END IF;
    -- "+" and 15 digits; a length counts 4 bytes of header in the modifier
    IF wanted = 'text' AND parameter = 'phone_columns' AND modifier - 4 BETWEEN 0 AND 15 THEN
        RAISE EXCEPTION 'column "%" of table "%" is too short for a phone number', column_name, leads
            USING ERRCODE = 'string_data_right_truncation',
                  DETAIL = format('It is of type %s; a number in E.164 has up to 16 characters.',
                      format_type(attribute.atttypid, attribute.atttypmod)),
                  HINT = format('Use in_place => false, which leaves the column as it is, or run ALTER TABLE %s ALTER COLUMN %I TYPE text.', leads, column_name);
    END IF;
    IF parameter = 'phone_columns' AND wanted IN ('text', 'number') AND octet_length(column_name::text || '_disqualified') > 63 THEN
        RAISE EXCEPTION 'the name of column "%" of table "%" is too long', column_name, leads
            USING ERRCODE = 'name_too_long',
                  DETAIL = 'A second column is named after it, with _disqualified at the end.',
                  HINT = 'Rename it to at most 50 bytes.';
    END IF;
    IF wanted = 'campaign'
       AND EXISTS (SELECT FROM pg_catalog.pg_collation AS c
                    WHERE c.oid = attribute.attcollation AND NOT c.collisdeterministic) THEN
        RAISE EXCEPTION 'column "%" of table "%" has a nondeterministic collation', column_name, leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Campaigns are told apart by their bytes.',
                  HINT = 'Give the column a deterministic collation.';
    END IF;
    RETURN attribute;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_column(regclass, name, text, text) IS
    'internal: an error where a column cannot serve as campaign, number (text where it is written, else number), region (text) or what is kept beside';

CREATE FUNCTION @extschema@.lead_phones_check_names(leads regclass, campaign_column name, phone_columns name[], in_place boolean, keep_extensions boolean)
    RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    of_counts constant name[] := '{phone,lead_count,disqualified,entry,source,reason,disqualified_by,disqualified_at,expires_at,lifted_by,lifted_at,lift_reason}';
    taken record;
BEGIN
    IF campaign_column = ANY (of_counts) OR EXISTS (SELECT FROM unnest(phone_columns) AS n WHERE n || '_count' = campaign_column) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be the campaign', campaign_column, leads
            USING ERRCODE = 'duplicate_column',
                  DETAIL = 'Counts and ledger have the campaign under its name, beside a column of their own that is called so.',
                  HINT = 'Give the column another name.';
    END IF;
    SELECT n.name, k.column_name INTO taken FROM unnest(phone_columns) AS n (name)
     CROSS JOIN LATERAL (
        SELECT k.column_name FROM @extschema@.lead_phones_kept_columns(n.name, in_place, keep_extensions) AS k
         WHERE k.column_name = ANY (phone_columns || campaign_column)
         UNION ALL SELECT n.name || '_count' WHERE n.name || '_count' = ANY (of_counts)) AS k
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be tracked', taken.name, leads
            USING ERRCODE = 'duplicate_column',
                  DETAIL = format('A column "%s" would be kept for it, and there is one of that name with another meaning.', taken.column_name),
                  HINT = 'Give one of them another name.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_names(regclass, name, name[], boolean, boolean) IS
    'internal: an error where names of columns of a table and of what is kept for them are the same';

CREATE FUNCTION @extschema@.lead_phones_check_table(leads regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    class pg_catalog.pg_class;
    kind text;
    hint constant text := 'Track the table that holds the leads.';
BEGIN
    SELECT * INTO class FROM pg_catalog.pg_class AS c WHERE c.oid = leads;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table with OID % does not exist', leads::oid USING ERRCODE = 'undefined_table', HINT = hint;
    END IF;
    kind := CASE
        WHEN class.relkind = 'v' THEN 'a view'
        WHEN class.relkind = 'm' THEN 'a materialized view'
        WHEN class.relkind = 'f' THEN 'a foreign table'
        WHEN class.relkind = 'S' THEN 'a sequence'
        WHEN class.relkind = 'c' THEN 'a composite type'
        WHEN class.relkind IN ('i', 'I') THEN 'an index'
        WHEN class.relkind = 't' THEN 'a TOAST table'
        WHEN class.relpersistence = 't' THEN 'a temporary table'
        WHEN class.relpersistence = 'u' THEN 'an unlogged table'
    END;
    IF kind IS NOT NULL THEN
        RAISE EXCEPTION 'cannot track "%": it is %', leads, kind
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = CASE class.relpersistence WHEN 'u' THEN 'After a crash its leads would be gone, and their counts would not.'
                      ELSE 'Only tables can be tracked.' END,
                  HINT = CASE class.relpersistence WHEN 'u' THEN format('Run ALTER TABLE %s SET LOGGED before.', leads) ELSE hint END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = leads) THEN
        RAISE EXCEPTION 'cannot track "%": it is %', leads,
                CASE WHEN class.relispartition THEN 'a partition' ELSE 'a table that inherits from another' END
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'Writes to the table above it would not be counted.',
                  HINT = format('Track %s: that covers every table below it.',
                      (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                         FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = leads));
    END IF;
    IF NOT pg_has_role(class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table "%"', leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Tracking, recounting and backfilling write to the table and its triggers.',
                  HINT = 'Let its owner or a superuser do it.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_table(regclass) IS
    'internal: an error where a relation cannot be tracked';

CREATE FUNCTION @extschema@.lead_phones_check_isolation() RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'leads cannot be counted at isolation level %', current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state',
                  DETAIL = 'The snapshot of the transaction may miss leads that are committed.',
                  HINT = 'Run it at READ COMMITTED, as in BEGIN ISOLATION LEVEL READ COMMITTED.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_isolation() IS
    'internal: an error where the transaction cannot see every committed lead';

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
                          THEN 'It says who is out: give it that shape; or drop it, if that is not to hold any more.'
                          ELSE 'Name others with counts => ''...'' and disqualifications => ''...'', or rename it.' END;
        END IF;
    END LOOP;

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
            COMMENT ON COLUMN %1$I.%2$I.source IS 'who or what asks for it; entries of different sources stand and are lifted on their own';
            COMMENT ON COLUMN %1$I.%2$I.expires_at IS 'from when expire_disqualifications() lifts the entry';
            COMMENT ON COLUMN %1$I.%2$I.lifted_at IS 'when the entry was lifted; NULL while it stands'
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
                      DETAIL = format('Tracking "%s" needs the name, for numbers that are out in every campaign.', leads),
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
            COMMENT ON COLUMN %1$I.%2$I.lifted_at IS 'when all of its numbers were lifted together; NULL while it stands'$ddl$, schema, suppressions, owner);
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
            ALTER TABLE %1$I.%2$I OWNER TO %3$s;
            COMMENT ON COLUMN %1$I.%2$I.number IS 'the digits of the number in E.164; negative: the first 63 bits of its hash';
            COMMENT ON COLUMN %1$I.%2$I.entry IS 'what was said of it, in %4$s';
            COMMENT ON COLUMN %1$I.%2$I.lifted_at IS 'when the number was lifted on its own; NULL while it stands'$ddl$, schema, suppressed, owner,
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
    IF NOT @extschema@.lead_phones_is_distributed(tracked.leads) OR @extschema@.lead_phones_beside(tracked.leads, 'lead_node'::name) IS NOT NULL THEN
        RETURN standing;
    END IF;
    -- Shards do not see the tables of the coordinator.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', standing) INTO has_any;
    IF has_any THEN
        RAISE EXCEPTION 'table "%" is distributed, and numbers are out in every campaign of it', tracked.leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('They stand in "%s", which the shards do not see.', tracked.suppressed),
                  HINT = 'Before the table is distributed, disqualify them in each campaign, and lift these entries.';
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_out_everywhere(@extschema@.lead_phone_tables) IS
    'internal: SQL of the numbers "s" that are out in every campaign, and their entries "p"; NULL where there can be none: tracked before there were such, or distributed';

CREATE FUNCTION @extschema@.lead_phones_out_here(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('SELECT %1$s AS campaign, d.phone FROM %2$s AS d WHERE d.lifted_at IS NULL', @extschema@.lead_phones_campaign(tracked, 'd'), (tracked).disqualifications)
        || coalesce((SELECT format(' UNION SELECT %1$s, o.phone FROM %2$s AS o CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(o.phone)) AS k WHERE EXISTS (SELECT FROM %3$s WHERE s.number = k)',
                                @extschema@.lead_phones_campaign(tracked, 'o'), (tracked).counts, e)
                       FROM @extschema@.lead_phones_out_everywhere(tracked) AS e WHERE e IS NOT NULL), '')
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_out_here(@extschema@.lead_phone_tables) IS
    'internal: SQL of campaigns and numbers that are out by an entry of either ledger';

CREATE FUNCTION @extschema@.lead_phones_drop_triggers(leads regclass) RETURNS integer
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    trigger_name name;
    dropped integer := 0;
BEGIN
    PERFORM @extschema@.lead_phones_allow_triggers(leads);
    FOR trigger_name IN
        SELECT t.tgname FROM pg_catalog.pg_trigger AS t
         WHERE t.tgrelid = leads AND t.tgparentid = 0
           AND t.tgfoid IN ('@extschema@.lead_phones_normalize()'::regprocedure,
                            '@extschema@.lead_phones_count()'::regprocedure)
         ORDER BY t.tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, leads);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_drop_triggers(regclass) IS
    'internal: drops the triggers of lead_phones from a table';

CREATE FUNCTION @extschema@.lead_phones_create_triggers(leads regclass, settings jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    arguments text;
BEGIN
    PERFORM @extschema@.lead_phones_allow_triggers(leads);
    -- what is not said has its default, but for the columns of numbers: one argument for each
    SELECT string_agg(quote_literal(k.key || '=' || coalesce(c.name, settings ->> k.key)), ', ' ORDER BY k.place, c.place) INTO arguments
      FROM unnest('{campaign_column,phone_column,region,region_column,region_code,on_invalid,in_place,keep_extensions,count_at,
                    schema,counts,disqualifications,suppressions,suppressed,member}'::text[]) WITH ORDINALITY AS k (key, place)
      LEFT JOIN jsonb_array_elements_text(settings -> 'phone_columns') WITH ORDINALITY AS c (name, place) ON k.key = 'phone_column'
     WHERE coalesce(c.name, settings ->> k.key) IS NOT NULL AND (k.key, settings ->> k.key) IS DISTINCT FROM ('member', 'false');
    -- BEFORE ROW triggers fire by name: "zz", so that what the application's own triggers write is normalized too.
    -- A partition has them from its partitioned table.
    -- No WHEN clause and no list of columns: Postgres would tie the columns to it, and let nobody alter their types.
    IF NOT (SELECT c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = leads) THEN
        EXECUTE format('CREATE OR REPLACE TRIGGER zz_lead_phones_normalize_insert BEFORE INSERT ON %s FOR EACH ROW
                        EXECUTE FUNCTION @extschema@.lead_phones_normalize(%s)', leads, arguments);
        EXECUTE format('CREATE OR REPLACE TRIGGER zz_lead_phones_normalize_update BEFORE UPDATE ON %s FOR EACH ROW
                        EXECUTE FUNCTION @extschema@.lead_phones_normalize(%s)', leads, arguments);
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_insert AFTER INSERT ON %s
                    REFERENCING NEW TABLE AS new_leads FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_update AFTER UPDATE ON %s
                    REFERENCING OLD TABLE AS old_leads NEW TABLE AS new_leads FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_delete AFTER DELETE ON %s
                    REFERENCING OLD TABLE AS old_leads FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER lead_phones_count_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT
                    EXECUTE FUNCTION @extschema@.lead_phones_count(%s)', leads, arguments);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_triggers(regclass, jsonb) IS
    'internal: creates the triggers of lead_phones on a table';

CREATE FUNCTION @extschema@.lead_phones_has_index(tracked @extschema@.lead_phone_tables, member regclass, number_column name) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    keyed constant name := CASE WHEN tracked.in_place THEN number_column ELSE number_column || '_e164' END;
    is_plain constant boolean := @extschema@.lead_phones_stored(tracked, number_column) = format('l.%I', keyed);
    place constant int := CASE WHEN tracked.campaign_column IS NULL THEN 0 ELSE 1 END;
BEGIN
    -- A partition has it from its partitioned table.
    RETURN (SELECT c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = member) OR EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
          JOIN pg_catalog.pg_attribute AS n ON n.attrelid = member AND n.attname = keyed
         WHERE i.indrelid = member AND i.indisvalid AND i.indpred IS NULL AND i.indcollation[place] = n.attcollation
           AND (place = 0 OR i.indkey[0] = (SELECT a.attnum FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = member AND a.attname = tracked.campaign_column))
           AND CASE WHEN is_plain THEN i.indkey[place] = n.attnum
                    ELSE i.indkey[place] = 0 AND pg_get_indexdef(i.indexrelid, place + 1, false) IN (format('(%I)::text', keyed), format('((%I)::text)', keyed)) END);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_has_index(@extschema@.lead_phone_tables, regclass, name) IS
    'internal: whether a table has an index on campaign and number';

CREATE FUNCTION @extschema@.lead_phones_index_columns(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    stored constant text := substr(@extschema@.lead_phones_stored(tracked, number_column), 3);
BEGIN
    RETURN concat_ws(', ', quote_ident(tracked.campaign_column), CASE WHEN stored LIKE '%::pg\_catalog.text' THEN format('(%s)', stored) ELSE stored END);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_index_columns(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the columns of the index on campaign and number';

CREATE FUNCTION @extschema@.lead_phones_create_indexes(tracked @extschema@.lead_phone_tables, member regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    number_column name;
BEGIN
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        IF NOT @extschema@.lead_phones_has_index(tracked, member, number_column) THEN
            EXECUTE format('CREATE INDEX ON %s (%s)', member, @extschema@.lead_phones_index_columns(tracked, number_column));
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_indexes(@extschema@.lead_phone_tables, regclass) IS
    'internal: creates the indexes on campaign and number, where there are none';

CREATE FUNCTION @extschema@.lead_phones_progress(leads regclass, doing text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    own_name constant text := coalesce(current_setting('lead_phones.application_name', true), '');
    message text := format('lead_phones: %s %s', doing, leads);
BEGIN
    -- The name that the session had comes back when there is nothing more to do.
    IF doing IS NULL THEN
        IF own_name <> '' THEN
            PERFORM set_config('application_name', substr(own_name, 2), true),
                    set_config('lead_phones.application_name', '', true);
        END IF;
    -- What takes no time needs no telling.
    ELSIF (SELECT sum(pg_relation_size(m)) FROM @extschema@.lead_phones_members(leads) AS m) > 64 * 1024 * 1024 THEN
        IF own_name = '' THEN
            PERFORM set_config('lead_phones.application_name', '=' || current_setting('application_name'), true);
        END IF;
        PERFORM set_config('application_name', left(message, 63), true);
        RAISE NOTICE '%', message;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_progress(regclass, text) IS
    'internal: says what a long call is at, in a NOTICE and in pg_stat_activity.application_name';

CREATE FUNCTION @extschema@.lead_phones_follow_row_security(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beside regclass;
BEGIN
    IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.leads) THEN
        RETURN;
    END IF;
    FOREACH beside IN ARRAY array_remove(ARRAY[tracked.counts, tracked.disqualifications, tracked.suppressions, tracked.suppressed], NULL) LOOP
        IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c WHERE c.oid = beside) THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', beside);
            RAISE NOTICE 'table "%" has row-level security now, as the leads have', beside
                USING DETAIL = 'Its owner alone sees rows of it.',
                      HINT = 'Create a policy that follows the one of the leads: see docs/security.md.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_follow_row_security(@extschema@.lead_phone_tables) IS
    'internal: closes counts and ledger by row-level security, where the leads have it';

CREATE FUNCTION @extschema@.lead_phones_adopt(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    adopted bigint;
BEGIN
    -- Of a ledger that was lost the marks are left: who is out stays out.
    EXECUTE format($dml$
        INSERT INTO %1$s (%2$s, entry, source, reason, disqualified_by, disqualified_at)
        SELECT %3$s, coalesce(e.entry, 0) + 1, 'adopted', 'was marked when the table was tracked', $1, $2
          FROM (%4$s) AS m
          LEFT JOIN (SELECT %5$s AS campaign, d.phone, max(d.entry) AS entry, bool_or(d.lifted_at IS NULL) AS stands
                       FROM %1$s AS d GROUP BY 1, d.phone) AS e ON e.campaign %6$s m.campaign AND e.phone = m.phone
         WHERE m.campaign IS NOT NULL AND m.phone IS NOT NULL AND e.stands IS NOT TRUE%7$s$dml$,
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
            USING DETAIL = format('COPY %s FROM without a list of columns expects values for them. INSERT INTO %1$s VALUES (...) goes on as it is, and SELECT * returns them.', tracked.leads),
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

CREATE FUNCTION @extschema@.lead_phones_tracked_by(leads regclass, settings jsonb) RETURNS @extschema@.lead_phone_tables
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    schema constant name := settings ->> 'schema';
BEGIN
    tracked := jsonb_populate_record(tracked, settings - '{counts,disqualifications,suppressions,suppressed}'::text[]);
    tracked.leads := leads;
    tracked.phone_column := tracked.phone_columns[1];
    tracked.mobile_column := tracked.phone_columns[2];
    tracked.counts := to_regclass(format('%I.%I', schema, settings ->> 'counts'));
    tracked.disqualifications := to_regclass(format('%I.%I', schema, settings ->> 'disqualifications'));
    tracked.suppressions := to_regclass(format('%I.%I', schema, settings ->> 'suppressions'));
    tracked.suppressed := to_regclass(format('%I.%I', schema, settings ->> 'suppressed'));
    RETURN tracked;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_tracked_by(regclass, jsonb) IS
    'internal: a table as lead_phone_tables will show it, once it is tracked by these settings';

CREATE FUNCTION @extschema@.lead_phones_settings_for(
    leads regclass, campaign_column name, phone_columns name[], region text, region_column text, on_invalid text, backfill boolean, count_at text,
    in_place boolean, keep_extensions boolean, counts name, disqualifications name) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name;
    settings jsonb;
    tracked @extschema@.lead_phone_tables;
    current_settings jsonb;
    own_counts regclass;
    own_ledger regclass;
    is_first boolean;
    region_code name;
    number_column name;
    other record;
BEGIN
    IF leads IS NULL OR on_invalid IS NULL OR backfill IS NULL OR count_at IS NULL OR in_place IS NULL OR keep_extensions IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN leads IS NULL THEN 'leads'
                WHEN on_invalid IS NULL THEN 'on_invalid'
                WHEN backfill IS NULL THEN 'backfill'
                WHEN count_at IS NULL THEN 'count_at'
                WHEN in_place IS NULL THEN 'in_place'
                ELSE 'keep_extensions' END
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Leave it out for its default.';
    END IF;
    IF upper(region) <> 'ZZ' AND @extschema@.phone_problem('123', region) = 'unknown_region' THEN
        RAISE EXCEPTION 'region "%" does not exist', region
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The phone metadata knows no such region.',
                  HINT = 'Use a code of ISO 3166-1 alpha-2, such as US or GB, or ZZ for none.';
    END IF;
    IF on_invalid NOT IN ('keep', 'null', 'reject') THEN
        RAISE EXCEPTION 'on_invalid cannot be "%"', on_invalid
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use keep, null or reject.';
    END IF;
    IF on_invalid = 'null' AND NOT in_place THEN
        RAISE EXCEPTION 'on_invalid cannot be "null" with in_place => false'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The columns of the application stay as they are.', HINT = 'Use keep or reject.';
    END IF;
    IF count_at NOT IN ('read', 'commit') THEN
        RAISE EXCEPTION 'count_at cannot be "%"', count_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use read or commit.';
    END IF;
    PERFORM @extschema@.lead_phones_check_table(leads);
    SELECT n.nspname INTO schema FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = leads;
    IF phone_columns IS NULL THEN
        phone_columns := ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = leads AND a.attname IN ('phone', 'mobile') AND NOT a.attisdropped ORDER BY a.attname = 'mobile');
    END IF;
    IF array_ndims(phone_columns) > 1 THEN
        RAISE EXCEPTION 'phone_columns must be a list of names'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is an array of %s dimensions: %s.', array_ndims(phone_columns), phone_columns),
                  HINT = format('Write phone_columns => %L.', ARRAY(SELECT unnest(phone_columns)));
    END IF;
    IF cardinality(phone_columns) NOT BETWEEN 1 AND 8 OR array_position(phone_columns, NULL) IS NOT NULL
       OR cardinality(phone_columns) <> (SELECT count(DISTINCT n) FROM unnest(phone_columns) AS n)
       OR campaign_column IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = leads AND a.attname = campaign_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
        PERFORM @extschema@.lead_phones_suggest(leads, campaign_column, phone_columns);
    END IF;
    IF campaign_column IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_check_column(leads, campaign_column, 'campaign_column', 'campaign');
    END IF;
    FOREACH number_column IN ARRAY phone_columns LOOP
        PERFORM @extschema@.lead_phones_check_column(leads, number_column, 'phone_columns', CASE WHEN in_place THEN 'text' ELSE 'number' END);
        IF on_invalid = 'null' AND (
            WITH RECURSIVE types (oid, is_not_null) AS (
                SELECT a.atttypid, a.attnotnull FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = leads AND a.attname = number_column
                 UNION ALL SELECT t.typbasetype, t.typnotnull FROM types AS d JOIN pg_catalog.pg_type AS t ON t.oid = d.oid AND t.typtype = 'd')
            SELECT bool_or(t.is_not_null) FROM types AS t) THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be NULL', number_column, leads
                USING ERRCODE = 'not_null_violation', DETAIL = 'With on_invalid => ''null'', what is no valid number becomes NULL.',
                      HINT = 'Use keep or reject.';
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_check_names(leads, campaign_column, phone_columns, in_place, keep_extensions);
    IF region_column IS NOT NULL THEN
        -- A column can have a dot in its name.
        IF strpos(region_column, '.') > 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = leads AND a.attname::text = region_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
            region_code := substr(region_column, strpos(region_column, '.') + 1);
            region_column := split_part(region_column, '.', 1);
        END IF;
        PERFORM @extschema@.lead_phones_check_column(leads, region_column::name, 'region_column', CASE WHEN region_code IS NULL THEN 'text' ELSE 'reference' END);
    END IF;

    SELECT * INTO tracked FROM @extschema@.lead_phone_tables AS t WHERE t.leads = lead_phones_settings_for.leads;
    SELECT @extschema@.lead_phones_settings(t.tgargs) - '{phone_column,mobile_column}'::text[] INTO current_settings FROM pg_catalog.pg_trigger AS t
     WHERE t.tgrelid = leads AND t.tgname = 'zz_lead_phones_normalize_insert' AND tracked.leads IS NOT NULL;
    own_counts := @extschema@.lead_phones_own(leads, 'counts');
    own_ledger := @extschema@.lead_phones_own(leads, 'disqualifications');
    IF current_settings IS NULL AND own_ledger IS NOT NULL AND disqualifications <> (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = own_ledger) THEN
        RAISE EXCEPTION 'the disqualifications of table "%" are in "%"', leads, own_ledger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'An earlier tracking has left them. Who is out stays out.',
                  HINT = format('Leave out disqualifications, or run ALTER TABLE %s RENAME TO %I before.', own_ledger, disqualifications);
    END IF;
    -- the table may have been moved since
    schema := coalesce(current_settings ->> 'schema',
        (SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = own_ledger), schema);
    is_first := NOT EXISTS (
        SELECT FROM unnest('{campaign_phone_counts,campaign_phone_disqualifications}'::name[]) AS n (name)
         CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', schema, n.name)) AS relation) AS r
         CROSS JOIN LATERAL @extschema@.lead_phones_of(r.relation) AS o
         WHERE o.leads <> lead_phones_settings_for.leads
            -- what a table that is gone has left, if its campaigns are the same
            OR EXISTS (SELECT FROM pg_catalog.pg_index AS i
                        WHERE i.indrelid = r.relation AND i.indisprimary AND o.leads IS DISTINCT FROM lead_phones_settings_for.leads
                          AND (i.indnatts <> num_nonnulls(campaign_column, 'phone', CASE n.name WHEN 'campaign_phone_disqualifications' THEN 'entry' END)
                               OR campaign_column IS NOT NULL AND @extschema@.lead_phones_type_of(i.indrelid, campaign_column)
                                  IS DISTINCT FROM @extschema@.lead_phones_type_of(lead_phones_settings_for.leads, campaign_column))));
    counts := coalesce(counts, current_settings ->> 'counts', (SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                                                                WHERE c.oid = own_counts AND n.nspname = schema),
        CASE WHEN is_first THEN 'campaign_phone_counts' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_counts') END);
    disqualifications := coalesce(disqualifications, current_settings ->> 'disqualifications', (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = own_ledger),
        CASE WHEN is_first THEN 'campaign_phone_disqualifications' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_disqualifications') END);
    -- what is in force already, and else as the ledger is called
    settings := jsonb_build_object(
        'campaign_column', campaign_column, 'phone_columns', phone_columns,
        'region', coalesce(upper(region), CASE WHEN region_code IS NULL THEN 'US' ELSE 'ZZ' END), 'region_column', region_column, 'region_code', region_code,
        'on_invalid', on_invalid, 'in_place', in_place, 'keep_extensions', keep_extensions, 'count_at', count_at,
        'schema', schema, 'counts', counts, 'disqualifications', disqualifications,
        'suppressions', coalesce(current_settings ->> 'suppressions', (SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = @extschema@.lead_phones_own(leads, 'suppressions') AND n.nspname = schema), CASE disqualifications WHEN 'campaign_phone_disqualifications' THEN 'phone_suppressions'
            ELSE @extschema@.lead_phones_name_beside(leads, '_phone_suppressions') END),
        'suppressed', coalesce(current_settings ->> 'suppressed', (SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = @extschema@.lead_phones_own(leads, 'suppressed') AND n.nspname = schema), CASE disqualifications WHEN 'campaign_phone_disqualifications' THEN 'suppressed_phones'
            ELSE @extschema@.lead_phones_name_beside(leads, '_suppressed_phones') END),
        'member', false);
    IF EXISTS (SELECT FROM jsonb_each_text(settings) AS s WHERE s.key IN ('counts', 'disqualifications', 'suppressions', 'suppressed') GROUP BY s.value
                HAVING count(*) > 1 OR s.value IN ('', (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = leads))) THEN
        RAISE EXCEPTION 'counts "%" and disqualifications "%" cannot be called so', settings ->> 'counts', settings ->> 'disqualifications'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Beside table "%s" there are also "%s" and "%s", and all have different names.', leads, settings ->> 'suppressions', settings ->> 'suppressed'),
                  HINT = 'Name others, or leave them out.';
    END IF;
    -- What create_lead_tables() created reads these columns.
    IF @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name) IS NOT NULL AND @extschema@.lead_phones_beside(leads, 'lead_uploads'::name) IS NOT NULL
       AND (campaign_column IS DISTINCT FROM 'campaign_id' OR phone_columns <> '{phone,mobile}' OR NOT in_place OR region_code IS NOT NULL) THEN
        RAISE EXCEPTION 'table "%" belongs to lead tables, and cannot be tracked so', leads
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Their functions read column campaign_id, and numbers in columns phone and mobile.',
                  HINT = format('Run track_lead_phones(%L, region_column => ''region'', keep_extensions => true).', @extschema@.lead_phones_table_name(leads));
    END IF;
    IF current_settings <> settings THEN
        RAISE EXCEPTION 'table "%" is tracked already, with other settings', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It is tracked with %s.', (
                      SELECT string_agg(format('%s %s', k.key, coalesce(current_settings ->> k.key, 'NULL')), ', ' ORDER BY k.place)
                        FROM jsonb_object_keys(settings) WITH ORDINALITY AS k (key, place)
                       WHERE current_settings -> k.key <> settings -> k.key)),
                  HINT = format('Run untrack_lead_phones(%L) first; data and disqualifications stay.', leads);
    END IF;
    PERFORM @extschema@.lead_phones_check_region(@extschema@.lead_phones_tracked_by(leads, settings));
    PERFORM @extschema@.lead_phones_check_detached(leads);
    PERFORM @extschema@.lead_phones_check_member(leads, m, settings) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_check_citus(leads, campaign_column);
    IF NOT backfill AND @extschema@.lead_phones_is_distributed(leads) THEN
        RAISE EXCEPTION 'cannot track "%" with backfill => false: Citus distributes it', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Batches lock rows that have no mark yet, and Citus locks rows of one shard alone.',
                  HINT = 'Leave it out: the leads are normalized and counted on their shards, all at once.';
    END IF;
    SELECT c.oid::regclass AS relation, coalesce(t.leads, o.leads) AS leads INTO other
      FROM unnest('{counts,disqualifications,suppressions,suppressed}'::text[]) AS k (purpose)
      JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass(format('%I.%I', schema, settings ->> k.purpose))
     CROSS JOIN LATERAL @extschema@.lead_phones_of(c.oid::regclass) AS o
      LEFT JOIN (SELECT t.*, l.relowner FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS l ON l.oid = t.leads) AS t
        ON c.oid IN (t.counts, t.disqualifications) AND t.relowner = c.relowner AND t.leads <> lead_phones_settings_for.leads
     WHERE t.leads IS NOT NULL OR o.leads <> lead_phones_settings_for.leads
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" is that of another leads table: "%"', other.relation, other.leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and ledgers are of one table, also while that is not tracked.',
                  HINT = format('Name others with counts => ''...'' and disqualifications => ''...'', or leave these out; or run COMMENT ON TABLE %s IS NULL, if it is to be taken over.', other.relation);
    END IF;
    RETURN settings;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_settings_for(
    regclass, name, name[], text, text, text, boolean, text, boolean, boolean, name, name) IS
    'internal: the settings of a table that is to be tracked; an error where it cannot';

CREATE FUNCTION @extschema@.lead_phones_name_beside(leads regclass, ending text) RETURNS name
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beside constant text := (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = leads) || ending;
BEGIN
    IF octet_length(beside) > 63 THEN
        RAISE EXCEPTION 'the name of table "%" is too long', leads
            USING ERRCODE = 'name_too_long',
                  DETAIL = format('One of the tables that are kept beside it would be called after it, with %s at the end.', ending),
                  HINT = 'Rename it to at most 39 bytes.';
    END IF;
    RETURN beside;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_name_beside(regclass, text) IS
    'internal: the name of a table that is called after a leads table';

CREATE FUNCTION @extschema@.lead_phones_suggest(leads regclass, campaign_column name, phone_columns name[]) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    columns constant text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped);
    has_campaign constant boolean := EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = leads AND a.attname = campaign_column AND a.attnum > 0 AND NOT a.attisdropped);
    -- by their names
    numbers name[];
    call text;
BEGIN
    SELECT array_agg(a.attname ORDER BY a.attnum) INTO numbers FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND @extschema@.lead_phones_admits(@extschema@.lead_phones_base_type_of(a.atttypid), 'number')
       AND a.attname ~* '(phone|mobile|cell|tel(efon|$|_)|^fax|_fax)' AND a.attname !~ '_(e164|extension|count|disqualified)$';
    IF cardinality(phone_columns) BETWEEN 1 AND 8 AND array_position(phone_columns, NULL) IS NULL
       AND cardinality(phone_columns) = (SELECT count(DISTINCT n) FROM unnest(phone_columns) AS n)
       AND NOT EXISTS (SELECT FROM unnest(phone_columns) AS n WHERE n NOT IN (SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = leads)) THEN
        numbers := phone_columns;
    END IF;
    call := format('SELECT * FROM track_lead_phones(%s)', concat_ws(', ', quote_literal(leads),
        CASE WHEN campaign_column IS NULL OR NOT has_campaign THEN 'campaign_column => NULL'
             WHEN campaign_column <> 'campaign_id' THEN format('campaign_column => %L', campaign_column) END,
        CASE WHEN numbers IS DISTINCT FROM '{phone,mobile}' THEN format('phone_columns => %L', coalesce(numbers[1:8]::text, '{...}')) END,
        CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute AS a CROSS JOIN LATERAL @extschema@.lead_phones_base_type(a.atttypid, a.atttypmod) AS b
                           WHERE a.attrelid = leads AND a.attname = ANY (numbers[1:8])
                             AND (b.type_modifier - 4 BETWEEN 0 AND 15 OR NOT @extschema@.lead_phones_admits(b.base_type, 'text'))) THEN 'in_place => false' END));
    IF campaign_column IS NOT NULL AND NOT has_campaign THEN
        RAISE EXCEPTION 'table "%" has no column "%"', leads, campaign_column
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('The column is named by campaign_column. The table has %s.', columns),
                  HINT = format('Without campaigns, the whole table is one: %s. Or name another column with campaign_column => ''...''.', call);
    END IF;
    RAISE EXCEPTION '%', CASE
            WHEN cardinality(phone_columns) = 0 THEN format('table "%s" has no column "phone" or "mobile"', leads)
            WHEN cardinality(phone_columns) > 8 THEN format('%s columns of numbers are too many', cardinality(phone_columns))
            ELSE 'phone_columns names a column twice, or NULL' END
        USING ERRCODE = CASE WHEN cardinality(phone_columns) = 0 THEN 'undefined_column' ELSE 'invalid_parameter_value' END,
              DETAIL = format('A table is tracked by one to eight columns of numbers. The table has %s.', columns),
              HINT = format('Name them: %s.', call);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_suggest(regclass, name, name[]) IS
    'internal: an error that names the call by which a table can be tracked';

CREATE FUNCTION @extschema@.track_lead_phones(
    leads regclass,
    campaign_column name DEFAULT 'campaign_id',
    phone_columns name[] DEFAULT NULL,
    region text DEFAULT NULL,
    region_column text DEFAULT NULL,
    on_invalid text DEFAULT 'keep',
    backfill boolean DEFAULT true,
    count_at text DEFAULT 'read',
    in_place boolean DEFAULT true,
    keep_extensions boolean DEFAULT false,
    counts name DEFAULT NULL,
    disqualifications name DEFAULT NULL,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint,
    OUT unique_numbers bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    settings jsonb;
    tracked @extschema@.lead_phone_tables;
    campaign pg_catalog.pg_attribute;
    number_column name;
BEGIN
    settings := @extschema@.lead_phones_settings_for(leads, campaign_column, phone_columns, region, region_column, on_invalid, backfill, count_at,
        in_place, keep_extensions, counts, disqualifications);
    tracked := @extschema@.lead_phones_tracked_by(leads, settings);
    IF tracked.campaign_column IS NOT NULL THEN
        campaign := @extschema@.lead_phones_check_column(leads, tracked.campaign_column, 'campaign_column', 'campaign');
    END IF;
    PERFORM @extschema@.lead_phones_check_isolation();
    IF @extschema@.lead_phones_is_distributed(leads) THEN
        -- Citus reads no reference table after it has altered in parallel a table that references it; and what follows in the transaction is
        -- done by one connection to a node, which knows of the counts.
        PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
    END IF;
    IF backfill THEN
        PERFORM @extschema@.lead_phones_warn_of_lock(tracked);
    END IF;
    PERFORM @extschema@.lead_phones_create_tables(tracked, (settings ->> 'schema')::name, (settings ->> 'counts')::name, (settings ->> 'disqualifications')::name, campaign);
    PERFORM @extschema@.lead_phones_add_columns(tracked, backfill);
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', leads);
    PERFORM @extschema@.lead_phones_create_suppressions(leads, (settings ->> 'schema')::name, (settings ->> 'suppressions')::name, (settings ->> 'suppressed')::name);
    tracked := @extschema@.lead_phones_tracked_by(leads, settings);
    PERFORM @extschema@.lead_phones_follow_row_security(tracked);
    PERFORM @extschema@.lead_phones_colocate(leads, tracked.counts, tracked.campaign_column),
            @extschema@.lead_phones_colocate(leads, tracked.disqualifications, tracked.campaign_column);

    PERFORM @extschema@.lead_phones_drop_triggers(m) FROM @extschema@.lead_phones_members(leads) AS m;
    IF backfill THEN
        -- before there are triggers, which would look at every row again
        PERFORM @extschema@.lead_phones_progress(leads, 'normalizing');
        SELECT f.total_leads, f.numbers_normalized, f.left_invalid INTO total_leads, numbers_normalized, left_invalid
          FROM @extschema@.lead_phones_normalize_rows(tracked, leads::text) AS f;
    END IF;
    PERFORM @extschema@.lead_phones_create_triggers(m,
                CASE WHEN m = leads THEN settings ELSE settings || '{"member": true}' END)
       FROM @extschema@.lead_phones_members(leads) AS m;
    IF NOT backfill THEN
        EXECUTE format('DELETE FROM %s AS c WHERE NOT c.disqualified', tracked.counts);
        EXECUTE format('UPDATE %s AS c SET lead_count = 0, %s WHERE c.lead_count <> 0', tracked.counts,
            @extschema@.lead_phones_each(tracked, '%3$I = 0', ', '));
        PERFORM @extschema@.lead_phones_apply_standing(tracked);
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_adopt(tracked);
    PERFORM @extschema@.lead_phones_progress(leads, 'counting');
    unique_numbers := @extschema@.lead_phones_count_rows(tracked);
    PERFORM @extschema@.lead_phones_progress(leads, 'marking');
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    -- where an earlier call left them to a backfill
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        IF NOT (SELECT a.attnotnull FROM pg_catalog.pg_attribute AS a
                 WHERE a.attrelid = leads AND a.attname = number_column || '_disqualified') THEN
            EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I SET DEFAULT false, ALTER COLUMN %2$I SET NOT NULL',
                leads, number_column || '_disqualified');
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_progress(leads, 'indexing');
    PERFORM @extschema@.lead_phones_create_indexes(tracked, m) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_progress(leads, NULL);
END
$function$;
COMMENT ON FUNCTION @extschema@.track_lead_phones(regclass, name, name[], text, text, text, boolean, text, boolean, boolean, name, name) IS
    'starts tracking a table: normalizes, counts and marks its numbers, now and at every write. Example: SELECT * FROM track_lead_phones(''customers'', campaign_column => NULL)';

CREATE FUNCTION @extschema@.untrack_lead_phones(leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    root regclass := @extschema@.lead_phones_root(leads);
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the tracked table.';
    END IF;
    IF root <> leads THEN
        RAISE EXCEPTION 'table "%" belongs to tracked table "%"', leads, root
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Its leads are counted with those of that table.',
                  HINT = format('Detach it, or run untrack_lead_phones(%L).', root);
    END IF;
    IF (SELECT sum(@extschema@.lead_phones_drop_triggers(m)) FROM @extschema@.lead_phones_members(leads) AS m) = 0 THEN
        RAISE NOTICE 'table "%" is not tracked', leads;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.untrack_lead_phones(regclass) IS
    'stops tracking a table; its data, counts and disqualifications are kept. Example: SELECT untrack_lead_phones(''donors'')';
