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
       (s.settings OPERATOR(pg_catalog.->>) 'phone_column')::pg_catalog.name AS phone_column,
       (s.settings OPERATOR(pg_catalog.->>) 'mobile_column')::pg_catalog.name AS mobile_column,
       s.settings OPERATOR(pg_catalog.->>) 'region' AS region,
       (s.settings OPERATOR(pg_catalog.->>) 'region_column')::pg_catalog.name AS region_column,
       s.settings OPERATOR(pg_catalog.->>) 'on_invalid' AS on_invalid,
       s.settings OPERATOR(pg_catalog.->>) 'count_at' AS count_at,
       counts.oid::pg_catalog.regclass AS counts,
       disqualifications.oid::pg_catalog.regclass AS disqualifications
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
 WHERE t.tgfoid OPERATOR(pg_catalog.=) '@extschema@.lead_phones_normalize()'::pg_catalog.regprocedure
   AND t.tgname OPERATOR(pg_catalog.=) 'zz_lead_phones_normalize_insert'
   AND t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
   AND NOT (s.settings OPERATOR(pg_catalog.->>) 'member')::pg_catalog.bool;
COMMENT ON VIEW @extschema@.lead_phone_tables IS 'the tracked tables and their settings';
COMMENT ON COLUMN @extschema@.lead_phone_tables.leads IS 'the tracked table';
COMMENT ON COLUMN @extschema@.lead_phone_tables.campaign_column IS 'its column of campaigns';
COMMENT ON COLUMN @extschema@.lead_phone_tables.phone_column IS 'its first column of numbers';
COMMENT ON COLUMN @extschema@.lead_phone_tables.mobile_column IS 'its second column of numbers';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region IS 'region of numbers written without a country code';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region_column IS 'its column with a region of each lead, if it has one';
COMMENT ON COLUMN @extschema@.lead_phone_tables.on_invalid IS 'what becomes of a value that is no valid number: keep, null or reject';
COMMENT ON COLUMN @extschema@.lead_phone_tables.count_at IS 'when a transaction counts what it writes: read (or commit, if it does not read the counts) or commit';
COMMENT ON COLUMN @extschema@.lead_phone_tables.counts IS 'its campaign_phone_counts';
COMMENT ON COLUMN @extschema@.lead_phone_tables.disqualifications IS 'its campaign_phone_disqualifications';

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

CREATE FUNCTION @extschema@.lead_phones_columns_of(tracked @extschema@.lead_phone_tables)
    RETURNS TABLE (relation regclass, column_name name, types oid[])
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- What is read and written, and of which types it is: of no others, whose casts and operators are somebody's code.
    RETURN QUERY
    WITH campaign AS (
        SELECT CASE t.typtype WHEN 'd' THEN @extschema@.lead_phones_base_type_of(t.oid) ELSE t.oid END AS type
          FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
         WHERE a.attrelid = (tracked).leads AND a.attname = (tracked).campaign_column AND NOT a.attisdropped)
    SELECT (tracked).leads, c.name, c.types FROM (VALUES
        ((tracked).campaign_column, '{int2,int4,int8,uuid,text,varchar}'::regtype[]::oid[]),
        ((tracked).phone_column, '{text,varchar}'::regtype[]::oid[]),
        ((tracked).mobile_column, '{text,varchar}'::regtype[]::oid[]),
        ((tracked).region_column, '{text,varchar,bpchar}'::regtype[]::oid[]),
        (((tracked).phone_column || '_disqualified')::name, '{bool}'::regtype[]::oid[]),
        (((tracked).mobile_column || '_disqualified')::name, '{bool}'::regtype[]::oid[])) AS c (name, types)
     WHERE c.name IS NOT NULL
     UNION ALL
    SELECT (tracked).counts, c.name, c.types FROM (VALUES
        ((tracked).campaign_column, ARRAY(SELECT type FROM campaign)),
        ('phone', '{text}'::regtype[]::oid[]),
        ('lead_count', '{int8}'::regtype[]::oid[]),
        ('phone_count', '{int8}'::regtype[]::oid[]),
        ('mobile_count', '{int8}'::regtype[]::oid[]),
        ('disqualified', '{bool}'::regtype[]::oid[])) AS c (name, types)
     UNION ALL
    SELECT (tracked).disqualifications, c.name, c.types FROM (VALUES
        ((tracked).campaign_column, ARRAY(SELECT type FROM campaign)),
        ('phone', '{text}'::regtype[]::oid[]),
        ('entry', '{int4}'::regtype[]::oid[]),
        ('source', '{text}'::regtype[]::oid[]),
        ('reason', '{text}'::regtype[]::oid[]),
        ('disqualified_by', '{text}'::regtype[]::oid[]),
        ('disqualified_at', '{timestamptz}'::regtype[]::oid[]),
        ('expires_at', '{timestamptz}'::regtype[]::oid[]),
        ('lifted_by', '{text}'::regtype[]::oid[]),
        ('lifted_at', '{timestamptz}'::regtype[]::oid[]),
        ('lift_reason', '{text}'::regtype[]::oid[])) AS c (name, types)
     UNION ALL
    SELECT t.relation, c.name, c.types FROM (SELECT @extschema@.lead_phones_ledger(tracked, 'phone_suppressions') AS relation OFFSET 0) AS t CROSS JOIN (VALUES
        ('entry'::name, '{int4}'::regtype[]::oid[]),
        ('source', '{text}'::regtype[]::oid[]),
        ('reason', '{text}'::regtype[]::oid[]),
        ('disqualified_by', '{text}'::regtype[]::oid[]),
        ('disqualified_at', '{timestamptz}'::regtype[]::oid[]),
        ('expires_at', '{timestamptz}'::regtype[]::oid[]),
        ('lifted_by', '{text}'::regtype[]::oid[]),
        ('lifted_at', '{timestamptz}'::regtype[]::oid[]),
        ('lift_reason', '{text}'::regtype[]::oid[])) AS c (name, types)
     UNION ALL
    SELECT t.relation, c.name, c.types FROM (SELECT @extschema@.lead_phones_ledger(tracked, 'suppressed_phones') AS relation OFFSET 0) AS t CROSS JOIN (VALUES
        ('number'::name, '{int8}'::regtype[]::oid[]),
        ('entry', '{int4}'::regtype[]::oid[]),
        ('lifted_by', '{text}'::regtype[]::oid[]),
        ('lifted_at', '{timestamptz}'::regtype[]::oid[]),
        ('lift_reason', '{text}'::regtype[]::oid[])) AS c (name, types);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_columns_of(@extschema@.lead_phone_tables) IS
    'internal: the columns of a tracked table, its counts and its ledger, and of which types they can be';

CREATE FUNCTION @extschema@.lead_phones_missing_column(
    tracked @extschema@.lead_phone_tables, OUT relation regclass, OUT column_name name, OUT has_other_type boolean)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    SELECT w.relation, w.column_name, t.oid IS NOT NULL INTO relation, column_name, has_other_type
      FROM @extschema@.lead_phones_columns_of(tracked) AS w
      LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = w.relation AND a.attname = w.column_name AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
     WHERE CASE t.typtype WHEN 'd' THEN @extschema@.lead_phones_base_type_of(t.oid) ELSE t.oid END <> ALL (w.types) IS NOT FALSE
     LIMIT 1;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_missing_column(@extschema@.lead_phone_tables) IS
    'internal: a column that a tracked table, its counts or its ledger need, and do not have, or have in another type';

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
    -- What hangs on these tables runs as the owner of the leads: they must be his own.
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS l ON l.oid = tracked.leads
                WHERE c.oid IN (tracked.counts, tracked.disqualifications, @extschema@.lead_phones_ledger(tracked, 'phone_suppressions'),
                                @extschema@.lead_phones_ledger(tracked, 'suppressed_phones'))
                  AND (c.relowner <> l.relowner OR c.relkind NOT IN ('r', 'p'))) THEN
        RAISE EXCEPTION 'the phone counts or disqualifications of table "%" belong to another owner', leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'A leads table, its counts and its disqualifications have one owner.',
                  HINT = format('Run ALTER TABLE ... OWNER TO on %s and %s, and on phone_suppressions and suppressed_phones beside them.', tracked.counts, tracked.disqualifications);
    END IF;
    -- Anybody can make a table look tracked. Whoever asks about it must not run what its owner put there: views, foreign tables, types.
    PERFORM @extschema@.lead_phones_check_kind(leads, m) FROM @extschema@.lead_phones_members(leads) AS m;
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

CREATE FUNCTION @extschema@.lead_phones_check_column(leads regclass, column_name name, parameter text, wanted text)
    RETURNS pg_attribute
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    attribute pg_catalog.pg_attribute;
    base oid;
    modifier integer;
    allowed oid[] := CASE wanted
        WHEN 'campaign' THEN '{int2,int4,int8,uuid,text,varchar}'::regtype[]::oid[]
        WHEN 'number' THEN '{text,varchar}'::regtype[]::oid[]
        WHEN 'region' THEN '{text,varchar,bpchar}'::regtype[]::oid[]
        WHEN 'mark' THEN '{bool}'::regtype[]::oid[]
    END;
BEGIN
    SELECT * INTO attribute FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = leads AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table "%" has no column "%"', leads, column_name
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('The column is named by %s.', parameter),
                  HINT = format('Name one of its columns with %s => ''...'': %s.', parameter,
                      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                         FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped));
    END IF;
    SELECT b.base_type, b.type_modifier INTO base, modifier
      FROM @extschema@.lead_phones_base_type(attribute.atttypid, attribute.atttypmod) AS b;
    IF base <> ALL (allowed) THEN
        RAISE EXCEPTION 'column "%" of table "%" is of type %', column_name, leads,
                format_type(attribute.atttypid, attribute.atttypmod)
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('The column named by %s must be %s, or a domain over one of these.', parameter,
                      (SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.place) FROM unnest(allowed) WITH ORDINALITY AS a (type, place))),
                  HINT = format('Change its type, or name another column with %s => ''...''.', parameter);
    END IF;
    IF attribute.attgenerated <> '' THEN
        RAISE EXCEPTION 'column "%" of table "%" is generated', column_name, leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'The triggers of lead_phones must be able to write it, or to see it before the row is written.',
                  HINT = format('Name the column it is generated from with %s => ''...''.', parameter);
    END IF;
    -- "+" and 15 digits; a length counts 4 bytes of header in the modifier
    IF wanted = 'number' AND modifier - 4 BETWEEN 0 AND 15 THEN
        RAISE EXCEPTION 'column "%" of table "%" is too short for a phone number', column_name, leads
            USING ERRCODE = 'string_data_right_truncation',
                  DETAIL = format('It is of type %s; a number in E.164 has up to 16 characters.',
                      format_type(attribute.atttypid, attribute.atttypmod)),
                  HINT = format('Run ALTER TABLE %s ALTER COLUMN %I TYPE text.', leads, column_name);
    END IF;
    IF wanted = 'number' AND octet_length(column_name::text || '_disqualified') > 63 THEN
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
    'internal: an error where a column cannot serve as campaign, number, region or mark';

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

CREATE FUNCTION @extschema@.lead_phones_create_tables(leads regclass, schema name, campaign pg_attribute) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owner regrole := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = leads);
    campaign_definition text := format('%I %s', campaign.attname, format_type(campaign.atttypid, campaign.atttypmod));
    collation_name text;
    found record;
    found_tracked @extschema@.lead_phone_tables;
BEGIN
    SELECT format(' COLLATE %I.%I', n.nspname, c.collname) INTO collation_name
      FROM pg_catalog.pg_collation AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
     WHERE c.oid = campaign.attcollation;
    campaign_definition := campaign_definition || coalesce(collation_name, '') || ' NOT NULL';

    -- Tables that are there: left by an earlier tracking, or someone else's?
    found_tracked.leads := leads;
    found_tracked.campaign_column := campaign.attname;
    found_tracked.counts := to_regclass(format('%I.campaign_phone_counts', schema));
    found_tracked.disqualifications := to_regclass(format('%I.campaign_phone_disqualifications', schema));
    FOR found IN
        SELECT c.oid, c.relname, c.relkind, c.relowner FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = schema AND c.relname IN ('campaign_phone_counts', 'campaign_phone_disqualifications')
    LOOP
        IF found.relkind NOT IN ('r', 'p') OR EXISTS (
            SELECT FROM @extschema@.lead_phones_columns_of(found_tracked) AS w
              LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = found.oid AND NOT a.attisdropped AND a.attname = w.column_name
             WHERE w.relation = found.oid AND a.atttypid IS DISTINCT FROM CASE w.column_name
                   WHEN campaign.attname THEN campaign.atttypid WHEN 'phone' THEN '@extschema@.e164'::regtype::oid ELSE w.types[1] END) THEN
            RAISE EXCEPTION 'table "%.%" exists already, in another shape', schema, found.relname
                USING ERRCODE = 'duplicate_table',
                      DETAIL = format('Tracking "%s" needs the name, with a column %I of type %s.',
                          leads, campaign.attname, format_type(campaign.atttypid, NULL)),
                      HINT = 'Rename it, or move the leads table into a schema of its own.';
        END IF;
        IF found.relowner <> owner::oid THEN
            RAISE EXCEPTION 'table "%.%" exists already, and belongs to "%"', schema, found.relname, found.relowner::regrole
                USING ERRCODE = 'insufficient_privilege',
                      DETAIL = format('Table "%s" belongs to "%s". A leads table, its counts and its disqualifications have one owner.',
                          leads, owner),
                      HINT = format('If you trust the table, run ALTER TABLE %I.%I OWNER TO %s.', schema, found.relname, owner);
        END IF;
    END LOOP;

    IF to_regclass(format('%I.campaign_phone_counts', schema)) IS NULL THEN
        EXECUTE format($ddl$
            CREATE TABLE %1$I.campaign_phone_counts (
                %2$s,
                phone @extschema@.e164 NOT NULL,
                lead_count bigint NOT NULL DEFAULT 0,
                phone_count bigint NOT NULL DEFAULT 0,
                mobile_count bigint NOT NULL DEFAULT 0,
                disqualified boolean NOT NULL DEFAULT false,
                PRIMARY KEY (%3$I, phone)
            ) WITH (fillfactor = 50)
        $ddl$, schema, campaign_definition, campaign.attname);
        EXECUTE format('CREATE INDEX campaign_phone_counts_disqualified_idx ON %I.campaign_phone_counts (%I, phone)
                        WHERE disqualified', schema, campaign.attname);
        EXECUTE format('ALTER TABLE %I.campaign_phone_counts OWNER TO %s', schema, owner);
        EXECUTE format('COMMENT ON TABLE %I.campaign_phone_counts IS %L', schema,
            'every unique phone number of each campaign, kept by the triggers of lead_phones');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_counts.phone IS %L', schema, 'the number, in E.164');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_counts.lead_count IS %L', schema,
            'leads that have the number in either column');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_counts.phone_count IS %L', schema,
            'leads that have the number in the first column of numbers');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_counts.mobile_count IS %L', schema,
            'leads that have the number in the second column of numbers');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_counts.disqualified IS %L', schema,
            'the number is not to be called in this campaign');
    END IF;

    IF to_regclass(format('%I.campaign_phone_disqualifications', schema)) IS NULL THEN
        EXECUTE format($ddl$
            CREATE TABLE %1$I.campaign_phone_disqualifications (
                %2$s,
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
                PRIMARY KEY (%3$I, phone, entry)
            )
        $ddl$, schema, campaign_definition, campaign.attname);
        EXECUTE format('CREATE UNIQUE INDEX campaign_phone_disqualifications_standing_idx
                        ON %I.campaign_phone_disqualifications (%I, phone, source) WHERE lifted_at IS NULL',
                        schema, campaign.attname);
        EXECUTE format('CREATE INDEX campaign_phone_disqualifications_expires_at_idx
                        ON %I.campaign_phone_disqualifications (expires_at)
                        WHERE lifted_at IS NULL AND expires_at IS NOT NULL', schema);
        EXECUTE format('ALTER TABLE %I.campaign_phone_disqualifications OWNER TO %s', schema, owner);
        EXECUTE format('COMMENT ON TABLE %I.campaign_phone_disqualifications IS %L', schema,
            'ledger of disqualified and requalified phone numbers; nothing is ever deleted from it');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_disqualifications.entry IS %L', schema,
            'running number of the entry, for its campaign and number');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_disqualifications.source IS %L', schema,
            'who or what asks for it; entries of different sources stand and are lifted on their own');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_disqualifications.expires_at IS %L', schema,
            'from when expire_disqualifications() lifts the entry');
        EXECUTE format('COMMENT ON COLUMN %I.campaign_phone_disqualifications.lifted_at IS %L', schema,
            'when the entry was lifted; NULL while it stands');
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_tables(regclass, name, pg_attribute) IS
    'internal: creates campaign_phone_counts and campaign_phone_disqualifications beside the leads table';

CREATE FUNCTION @extschema@.lead_phones_create_suppressions(leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema constant name := (SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = leads);
    owner constant regrole := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = leads);
    found record;
BEGIN
    FOR found IN
        SELECT c.relname, c.relkind, c.relowner FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = schema AND c.relname IN ('phone_suppressions', 'suppressed_phones')
    LOOP
        IF found.relkind NOT IN ('r', 'p') OR found.relowner <> owner THEN
            RAISE EXCEPTION 'table "%.%" exists already, %', schema, found.relname,
                    CASE WHEN found.relowner <> owner THEN format('and belongs to "%s"', found.relowner::regrole) ELSE 'in another shape' END
                USING ERRCODE = CASE WHEN found.relowner <> owner THEN 'insufficient_privilege' ELSE 'duplicate_table' END,
                      DETAIL = format('Tracking "%s" needs the name, for numbers that are out in every campaign.', leads),
                      HINT = 'Rename it, or move the leads table into a schema of its own.';
        END IF;
    END LOOP;
    IF to_regclass(format('%I.phone_suppressions', schema)) IS NULL THEN
        EXECUTE format($ddl$
            CREATE TABLE %1$I.phone_suppressions (
                entry integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                source text NOT NULL,
                reason text,
                disqualified_by text NOT NULL,
                disqualified_at timestamptz NOT NULL,
                expires_at timestamptz,
                lifted_by text,
                lifted_at timestamptz,
                lift_reason text);
            ALTER TABLE %1$I.phone_suppressions OWNER TO %2$s;
            COMMENT ON TABLE %1$I.phone_suppressions IS 'ledger of numbers that are out in every campaign: what was said of them, by one call';
            COMMENT ON COLUMN %1$I.phone_suppressions.lifted_at IS 'when all of its numbers were lifted together; NULL while it stands'$ddl$, schema, owner);
    END IF;
    IF to_regclass(format('%I.suppressed_phones', schema)) IS NULL THEN
        -- Small rows: of a registry there are millions.
        EXECUTE format($ddl$
            CREATE TABLE %1$I.suppressed_phones (
                number bigint NOT NULL,
                entry integer NOT NULL,
                lifted_by text,
                lifted_at timestamptz,
                lift_reason text);
            CREATE INDEX suppressed_phones_number_idx ON %1$I.suppressed_phones (number) WHERE lifted_at IS NULL;
            CREATE INDEX suppressed_phones_entry_idx ON %1$I.suppressed_phones USING brin (entry);
            ALTER TABLE %1$I.suppressed_phones OWNER TO %2$s;
            COMMENT ON TABLE %1$I.suppressed_phones IS 'ledger of numbers that are out in every campaign; nothing is ever deleted from it';
            COMMENT ON COLUMN %1$I.suppressed_phones.number IS 'the digits of the number in E.164; negative: the first 63 bits of its hash';
            COMMENT ON COLUMN %1$I.suppressed_phones.entry IS 'what was said of it, in phone_suppressions';
            COMMENT ON COLUMN %1$I.suppressed_phones.lifted_at IS 'when the number was lifted on its own; NULL while it stands'$ddl$, schema, owner);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_suppressions(regclass) IS
    'internal: creates phone_suppressions and suppressed_phones beside the leads table';

CREATE FUNCTION @extschema@.lead_phones_ledger(tracked @extschema@.lead_phone_tables, name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT c.oid::regclass FROM pg_catalog.pg_class AS d
          JOIN pg_catalog.pg_class AS c ON c.relnamespace = d.relnamespace AND c.relname = name AND c.relkind IN ('r', 'p')
         WHERE d.oid = (tracked).disqualifications);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_ledger(@extschema@.lead_phone_tables, name) IS
    'internal: phone_suppressions or suppressed_phones of a tracked table; NULL where it was tracked before there were such';

CREATE FUNCTION @extschema@.lead_phones_out_everywhere(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    numbers constant regclass := @extschema@.lead_phones_ledger(tracked, 'suppressed_phones');
    entries constant regclass := @extschema@.lead_phones_ledger(tracked, 'phone_suppressions');
BEGIN
    IF num_nulls(numbers, entries) = 0 THEN
        RETURN format('%s AS s JOIN %s AS p ON p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL', numbers, entries);
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_out_everywhere(@extschema@.lead_phone_tables) IS
    'internal: SQL of the numbers "s" that are out in every campaign, and their entries "p"';

CREATE FUNCTION @extschema@.lead_phones_out_here(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format('SELECT d.%1$I AS campaign, d.phone FROM %2$s AS d WHERE d.lifted_at IS NULL', (tracked).campaign_column, (tracked).disqualifications)
        || coalesce((SELECT format(' UNION SELECT o.%1$I, o.phone FROM %2$s AS o CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(o.phone)) AS k WHERE EXISTS (SELECT FROM %3$s WHERE s.number = k)',
                                (tracked).campaign_column, (tracked).counts, e)
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
    SELECT string_agg(quote_literal(k.key || '=' || (settings ->> k.key)), ', ' ORDER BY k.place) INTO arguments
      FROM unnest('{campaign_column,phone_column,mobile_column,region,region_column,on_invalid,count_at,
                    schema,counts,disqualifications,member}'::text[]) WITH ORDINALITY AS k (key, place)
     WHERE settings ->> k.key IS NOT NULL;
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

CREATE FUNCTION @extschema@.lead_phones_has_index(leads regclass, campaign_column name, number_column name) RETURNS boolean
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- A partition has it from its partitioned table.
    SELECT (SELECT c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = leads) OR EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = leads AND a.attname = campaign_column AND a.attnum = i.indkey[0]
          JOIN pg_catalog.pg_attribute AS n ON n.attrelid = leads AND n.attname = number_column AND n.attnum = i.indkey[1]
         WHERE i.indrelid = leads AND i.indisvalid AND i.indpred IS NULL AND i.indcollation[1] = n.attcollation)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_has_index(regclass, name, name) IS
    'internal: whether a table has an index on campaign and number';

CREATE FUNCTION @extschema@.lead_phones_create_index(leads regclass, campaign_column name, number_column name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT @extschema@.lead_phones_has_index(leads, campaign_column, number_column) THEN
        EXECUTE format('CREATE INDEX ON %s (%I, %I)', leads, campaign_column, number_column);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_index(regclass, name, name) IS
    'internal: creates the index on campaign and number, where there is none';

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
    FOREACH beside IN ARRAY array_remove(ARRAY[tracked.counts, tracked.disqualifications, @extschema@.lead_phones_ledger(tracked, 'phone_suppressions'),
            @extschema@.lead_phones_ledger(tracked, 'suppressed_phones')], NULL) LOOP
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
        INSERT INTO %1$s (%2$I, phone, entry, source, reason, disqualified_by, disqualified_at)
        SELECT m.campaign, m.phone, coalesce(e.entry, 0) + 1, 'adopted', 'was marked when the table was tracked', $1, $2
          FROM (SELECT l.%2$I AS campaign, %3$s AS phone FROM %4$s AS l WHERE l.%5$I
                 UNION
                SELECT l.%2$I, %6$s FROM %4$s AS l WHERE l.%7$I) AS m
          LEFT JOIN (SELECT d.%2$I AS campaign, d.phone, max(d.entry) AS entry, bool_or(d.lifted_at IS NULL) AS stands
                       FROM %1$s AS d GROUP BY d.%2$I, d.phone) AS e ON e.campaign = m.campaign AND e.phone = m.phone
         WHERE m.campaign IS NOT NULL AND m.phone IS NOT NULL AND e.stands IS NOT TRUE
           AND NOT EXISTS (SELECT FROM %8$s WHERE s.number = ANY (@extschema@.lead_phones_keys(m.phone)))$dml$,
        tracked.disqualifications, tracked.campaign_column,
        @extschema@.lead_phones_number(tracked, tracked.phone_column), tracked.leads, tracked.phone_column || '_disqualified',
        @extschema@.lead_phones_number(tracked, tracked.mobile_column), tracked.mobile_column || '_disqualified',
        @extschema@.lead_phones_out_everywhere(tracked))
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

CREATE FUNCTION @extschema@.track_lead_phones(
    leads regclass,
    campaign_column name DEFAULT 'campaign_id',
    phone_column name DEFAULT 'phone',
    mobile_column name DEFAULT 'mobile',
    region text DEFAULT 'US',
    region_column name DEFAULT NULL,
    on_invalid text DEFAULT 'keep',
    backfill boolean DEFAULT true,
    count_at text DEFAULT 'read',
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint,
    OUT unique_numbers bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    schema name;
    campaign pg_catalog.pg_attribute;
    number_column name;
    other regclass;
    settings jsonb;
    tracked @extschema@.lead_phone_tables;
BEGIN
    IF leads IS NULL OR campaign_column IS NULL OR phone_column IS NULL OR mobile_column IS NULL
       OR region IS NULL OR on_invalid IS NULL OR backfill IS NULL OR count_at IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN leads IS NULL THEN 'leads'
                WHEN campaign_column IS NULL THEN 'campaign_column'
                WHEN phone_column IS NULL THEN 'phone_column'
                WHEN mobile_column IS NULL THEN 'mobile_column'
                WHEN region IS NULL THEN 'region'
                WHEN on_invalid IS NULL THEN 'on_invalid'
                WHEN backfill IS NULL THEN 'backfill'
                ELSE 'count_at' END
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Of the parameters of track_lead_phones, only region_column can be NULL.';
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
    IF count_at NOT IN ('read', 'commit') THEN
        RAISE EXCEPTION 'count_at cannot be "%"', count_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use read or commit.';
    END IF;
    PERFORM @extschema@.lead_phones_check_table(leads);
    IF phone_column = mobile_column THEN
        RAISE EXCEPTION 'phone_column and mobile_column are both "%"', phone_column
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name two different columns.';
    END IF;
    campaign := @extschema@.lead_phones_check_column(leads, campaign_column, 'campaign_column', 'campaign');
    PERFORM @extschema@.lead_phones_check_column(leads, phone_column, 'phone_column', 'number');
    PERFORM @extschema@.lead_phones_check_column(leads, mobile_column, 'mobile_column', 'number');
    IF region_column IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_check_column(leads, region_column, 'region_column', 'region');
    END IF;

    schema := (SELECT n.nspname FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = leads);
    settings := jsonb_build_object(
        'campaign_column', campaign_column, 'phone_column', phone_column, 'mobile_column', mobile_column,
        'region', upper(region), 'region_column', region_column, 'on_invalid', on_invalid, 'count_at', count_at,
        'schema', schema, 'counts', 'campaign_phone_counts', 'disqualifications', 'campaign_phone_disqualifications');
    PERFORM @extschema@.lead_phones_check_detached(leads);
    PERFORM @extschema@.lead_phones_check_member(leads, m, settings) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_check_citus(leads, campaign_column);

    SELECT * INTO tracked FROM @extschema@.lead_phone_tables AS t WHERE t.leads = track_lead_phones.leads;
    IF FOUND AND (tracked.campaign_column, tracked.phone_column, tracked.mobile_column, tracked.region,
                  tracked.region_column, tracked.on_invalid, tracked.count_at)
            IS DISTINCT FROM (campaign_column, phone_column, mobile_column, upper(region), region_column, on_invalid, count_at) THEN
        RAISE EXCEPTION 'table "%" is tracked already, with other settings', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It is tracked with campaign_column %s, phone_column %s, mobile_column %s, region %s, region_column %s, on_invalid %s, count_at %s.',
                      tracked.campaign_column, tracked.phone_column, tracked.mobile_column, tracked.region,
                      coalesce(tracked.region_column, 'NULL'), tracked.on_invalid, tracked.count_at),
                  HINT = format('Run untrack_lead_phones(%L) first; data and disqualifications stay.', leads);
    END IF;
    SELECT t.leads INTO other FROM @extschema@.lead_phone_tables AS t
     WHERE t.leads <> track_lead_phones.leads
       -- what a stranger's own trigger says is of no account
       AND (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = t.leads)
           = (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = t.counts)
       AND t.counts = (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname = schema AND c.relname = 'campaign_phone_counts');
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%" has a tracked table already: "%"', schema, other
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'campaign_phone_counts belongs to one leads table.',
                  HINT = format('Move "%s" into a schema of its own, or untrack "%s".', leads, other);
    END IF;

    PERFORM @extschema@.lead_phones_check_isolation();
    PERFORM @extschema@.lead_phones_create_tables(leads, schema, campaign);
    FOREACH number_column IN ARRAY ARRAY[phone_column, mobile_column] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = leads AND a.attname = number_column || '_disqualified' AND NOT a.attisdropped) THEN
            -- A lead without a mark is not counted yet.
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I boolean %s',
                leads, number_column || '_disqualified', CASE WHEN backfill THEN 'NOT NULL DEFAULT false' ELSE '' END);
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', leads, number_column || '_disqualified',
                'the number is not to be called in this campaign; kept by lead_phones');
        ELSIF NOT backfill THEN
            RAISE EXCEPTION 'table "%" has a column "%" already', leads, number_column || '_disqualified'
                USING ERRCODE = 'duplicate_column',
                      DETAIL = 'Without backfill, leads that are there are told from later ones by that column, which is added.',
                      HINT = format('Run ALTER TABLE %s DROP COLUMN %I, or track the table with backfill => true.',
                          leads, number_column || '_disqualified');
        END IF;
        PERFORM @extschema@.lead_phones_check_column(leads, (number_column || '_disqualified')::name,
            CASE number_column WHEN phone_column THEN 'phone_column' ELSE 'mobile_column' END, 'mark');
    END LOOP;
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', leads);
    tracked.leads := leads;
    tracked.campaign_column := campaign_column;
    tracked.phone_column := phone_column;
    tracked.mobile_column := mobile_column;
    tracked.region := upper(region);
    tracked.region_column := region_column;
    tracked.on_invalid := on_invalid;
    tracked.count_at := count_at;
    tracked.counts := format('%I.campaign_phone_counts', schema)::regclass;
    tracked.disqualifications := format('%I.campaign_phone_disqualifications', schema)::regclass;
    PERFORM @extschema@.lead_phones_create_suppressions(leads);
    PERFORM @extschema@.lead_phones_follow_row_security(tracked);
    PERFORM @extschema@.lead_phones_colocate(leads, tracked.counts, campaign_column),
            @extschema@.lead_phones_colocate(leads, tracked.disqualifications, campaign_column);

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
        EXECUTE format('UPDATE %s AS c SET lead_count = 0, phone_count = 0, mobile_count = 0 WHERE c.lead_count <> 0', tracked.counts);
        PERFORM @extschema@.lead_phones_apply_standing(tracked);
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_adopt(tracked);
    PERFORM @extschema@.lead_phones_progress(leads, 'counting');
    unique_numbers := @extschema@.lead_phones_count_rows(tracked);
    PERFORM @extschema@.lead_phones_progress(leads, 'marking');
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    -- where an earlier call left them to a backfill
    FOREACH number_column IN ARRAY ARRAY[phone_column, mobile_column] LOOP
        IF NOT (SELECT a.attnotnull FROM pg_catalog.pg_attribute AS a
                 WHERE a.attrelid = leads AND a.attname = number_column || '_disqualified') THEN
            EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I SET DEFAULT false, ALTER COLUMN %2$I SET NOT NULL',
                leads, number_column || '_disqualified');
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_progress(leads, 'indexing');
    PERFORM @extschema@.lead_phones_create_index(m, campaign_column, phone_column),
            @extschema@.lead_phones_create_index(m, campaign_column, mobile_column)
       FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_progress(leads, NULL);
END
$function$;
COMMENT ON FUNCTION @extschema@.track_lead_phones(regclass, name, name, name, text, name, text, boolean, text) IS
    'puts a table of leads under care: normalizes and counts its numbers, now and at every write';

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
    'takes the triggers of lead_phones off a table; its data, counts and disqualifications stay';
