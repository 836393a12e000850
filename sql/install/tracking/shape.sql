-- A tracked table: which columns it has, of which types, and SQL that names them.

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
    STABLE STRICT PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_base_type_of_wrapper';
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
    -- once, and not for each operator class
    campaign_type constant oid := @extschema@.lead_phones_type_of(tracked.leads, tracked.campaign_column);
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
         WHERE c.opcdefault AND c.opcintype = campaign_type), plain);
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

CREATE FUNCTION @extschema@.lead_phones_plain(type_id oid, value text) RETURNS text
    STABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- as in src/triggers/columns.rs
    RETURN CASE type_id
        -- 6502530000.00 is 6502530000
        WHEN 'numeric'::regtype THEN format('pg_catalog.trim_scale(%s)::pg_catalog.text', value)
        -- exact up to 15 digits, whatever extra_float_digits says
        WHEN 'float8'::regtype THEN format('CASE WHEN pg_catalog.abs(%1$s) < 1e15 AND pg_catalog.trunc(%1$s) = %1$s THEN %1$s::pg_catalog.numeric::pg_catalog.text ELSE %1$s::pg_catalog.text END', value)
        -- whatever bytea_output says
        WHEN 'bytea'::regtype THEN format('pg_catalog.encode(%s, ''hex'')', value)
        ELSE @extschema@.lead_phones_text(type_id, value) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_plain(oid, text) IS
    'internal: SQL of a value as the text from which a number or a hash is read, whatever the session has set';

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
    -- What hangs on these tables runs as the owner of the leads, who must own them.
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS l ON l.oid = tracked.leads
                WHERE c.oid IN (tracked.counts, tracked.disqualifications, tracked.suppressions, tracked.suppressed)
                  AND (c.relowner <> l.relowner OR c.relkind NOT IN ('r', 'p'))) THEN
        RAISE EXCEPTION 'the phone counts or disqualifications of table "%" belong to another owner', leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'A leads table, its counts and its disqualifications have one owner.',
                  HINT = format('Run ALTER TABLE ... OWNER TO on %s.', concat_ws(', ', tracked.counts, tracked.disqualifications, tracked.suppressions, tracked.suppressed));
    END IF;
    -- Anybody can make a table look tracked. Asking about it must not run what its owner put there: views, foreign tables, types.
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

CREATE FUNCTION @extschema@.lead_phones_beside(leads regclass, table_name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT d.oid::regclass FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS d ON d.relnamespace = c.relnamespace
         WHERE c.oid = leads AND c.relname = 'contacts' AND d.relname = table_name AND d.relkind IN ('r', 'p') AND d.relowner = c.relowner);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_beside(regclass, name) IS
    'internal: the table of lead tables that is beside tracked contacts; NULL beside another table';
