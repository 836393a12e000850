-- 0.2.0 to 0.3.0: drafted by tools/draft_upgrade.py; what replacing does not do is at both ends.

DROP EVENT TRIGGER lead_phones_after_ddl;
DROP EVENT TRIGGER lead_phones_before_drop;
DROP FUNCTION @extschema@.lead_phones_lock_number(@extschema@.lead_phone_tables, text, @extschema@.e164);
DROP FUNCTION @extschema@.lead_phones_set_marks(@extschema@.lead_phone_tables, text, @extschema@.e164, boolean);
DROP FUNCTION @extschema@.lead_phones_apply_ledger(@extschema@.lead_phone_tables, text, @extschema@.e164, boolean);
DROP FUNCTION @extschema@.lead_phones_expire_others(regclass, text);
DROP FUNCTION @extschema@.lead_phones_key(text);
DROP FUNCTION @extschema@.lead_phones_out_on_arrival(name);
DROP FUNCTION @extschema@.lead_phones_standing();
DROP FUNCTION @extschema@.lead_phones_known_campaign(name, bigint, text);
DROP FUNCTION @extschema@.lead_phones_create_views(name);
DROP FUNCTION @extschema@.lead_phones_split_accounts(name, bigint, text, jsonb);
DROP FUNCTION @extschema@.lead_phones_with_account(name, text, text);
DROP FUNCTION @extschema@.lead_phones_cleaned(name, text, text);
DROP FUNCTION @extschema@.lead_phones_merged(text);
DROP FUNCTION @extschema@.lead_phones_update_of_contact(text);
DROP FUNCTION @extschema@.lead_phones_reasons(regclass, bigint);
DROP FUNCTION @extschema@.lead_phones_campaign_order(@extschema@.lead_phone_tables);
DROP FUNCTION @extschema@.lead_phones_create_index(regclass, name, name);
DROP FUNCTION @extschema@.lead_phones_create_tables(regclass, name, pg_attribute);
DROP FUNCTION @extschema@.lead_phones_has_index(regclass, name, name);
DROP FUNCTION @extschema@.lead_phones_recount_query(@extschema@.lead_phone_tables, text);

-- What has another signature now keeps its grants.
CREATE TEMPORARY TABLE lead_phones_grants ON COMMIT DROP AS
SELECT p.proname, p.proargtypes[0]::pg_catalog.regtype AS first_type, a.grantee, a.is_grantable
  FROM pg_catalog.pg_proc AS p CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) AS a
 WHERE p.pronamespace OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace AND a.grantee OPERATOR(pg_catalog.<>) p.proowner
   AND p.proname OPERATOR(pg_catalog.=) ANY ('{disqualify_phone,requalify_phone,lead_status,lead_phone_metrics,suppress_phones,unsuppress_phones,track_lead_phones,verify_phone_counts,shared_lead_phones,
       expire_disqualifications,disqualify_account,requalify_account,disqualify_contact,requalify_contact,suppress_domains,unsuppress_domains}'::pg_catalog.name[]);
DROP PROCEDURE @extschema@.disqualify_phone(bigint, text, text, text, timestamptz, regclass, @extschema@.e164, bigint);
DROP PROCEDURE @extschema@.disqualify_phone(uuid, text, text, text, timestamptz, regclass, @extschema@.e164, bigint);
DROP PROCEDURE @extschema@.disqualify_phone(text, text, text, text, timestamptz, regclass, @extschema@.e164, bigint);
DROP PROCEDURE @extschema@.requalify_phone(bigint, text, text, text, regclass, @extschema@.e164, bigint);
DROP PROCEDURE @extschema@.requalify_phone(uuid, text, text, text, regclass, @extschema@.e164, bigint);
DROP PROCEDURE @extschema@.requalify_phone(text, text, text, text, regclass, @extschema@.e164, bigint);
-- These are for PUBLIC now, and look at their callers themselves.
DROP PROCEDURE @extschema@.expire_disqualifications(regclass, bigint, bigint);
DROP PROCEDURE @extschema@.disqualify_account(bigint, bigint, text, text, timestamptz, regclass, bigint);
DROP PROCEDURE @extschema@.requalify_account(bigint, bigint, text, text, regclass, bigint);
DROP PROCEDURE @extschema@.disqualify_contact(bigint, bigint, text, text, timestamptz, regclass, bigint);
DROP PROCEDURE @extschema@.requalify_contact(bigint, bigint, text, text, regclass, bigint);
DROP PROCEDURE @extschema@.suppress_domains(text[], bigint, text, text, timestamptz, regclass, bigint, bigint);
DROP PROCEDURE @extschema@.unsuppress_domains(text[], bigint, text, text, regclass, bigint);
DROP FUNCTION @extschema@.lead_status(bigint, regclass);
DROP FUNCTION @extschema@.track_lead_phones(regclass, name, name, name, text, name, text, boolean, text);
DROP FUNCTION @extschema@.lead_phone_metrics();
DROP FUNCTION @extschema@.verify_phone_counts(regclass);
DROP FUNCTION @extschema@.shared_lead_phones(regclass, bigint);
DROP PROCEDURE @extschema@.suppress_phones(text[], bigint, text, text, timestamptz, text, regclass, bigint, bigint);
DROP PROCEDURE @extschema@.suppress_phones(regclass, name, bigint, text, text, timestamptz, text, regclass, bigint, bigint);
DROP PROCEDURE @extschema@.unsuppress_phones(text[], bigint, text, text, text, regclass, bigint);
DROP PROCEDURE @extschema@.unsuppress_phones(regclass, name, bigint, text, text, text, regclass, bigint);

COMMENT ON DOMAIN @extschema@.e164 IS
    'a phone number in E.164: + and 2 to 15 digits, the first not 0. It checks the shape, not whether the number is valid. Example: SELECT ''+16789998212''::e164';
COMMENT ON FUNCTION @extschema@.normalize_phone(text, text) IS
    'the valid number that a text spells, in E.164; an error (22023) where there is none. Example: SELECT normalize_phone(''(678) 999-8212'')';
COMMENT ON FUNCTION @extschema@.try_normalize_phone(text, text) IS
    'the valid number that a text spells, in E.164; NULL where there is none. Example: SELECT try_normalize_phone(''020 7946 0018'', ''GB'')';
COMMENT ON FUNCTION @extschema@.phone_problem(text, text) IS
    'why a text is not a valid phone number, as a code; NULL where it is one. Example: SELECT phone_problem(''678 999 821'')';

CREATE FUNCTION @extschema@.phone_extension(raw text, region text DEFAULT 'US') RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 5
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_extension_wrapper';
COMMENT ON FUNCTION @extschema@.phone_extension(text, text) IS
    'the extension beside the number that a text spells, for which E.164 has no room; NULL where there is none. Example: SELECT phone_extension(''678 999 8212 ext. 5'')';
COMMENT ON FUNCTION @extschema@.phone_info(text, text) IS
    'everything known of the number that a text spells. Example: SELECT phone_info(''678 999 8212'')';
COMMENT ON FUNCTION @extschema@.format_phone(@extschema@.e164, text) IS
    'a number as people write it: e164, international, national or rfc3966. Example: SELECT format_phone(''+16789998212'', ''national'')';
COMMENT ON FUNCTION @extschema@.phone_region(@extschema@.e164) IS
    'the region of a number: ISO 3166-1 alpha-2, or 001 for a number of no country; NULL where it is not valid. Example: SELECT phone_region(''+16789998212'')';
COMMENT ON FUNCTION @extschema@.phone_type(@extschema@.e164) IS
    'the type of a number: mobile, fixed_line, fixed_line_or_mobile, toll_free, ...; NULL where it is not valid. Example: SELECT phone_type(''+18005550100'')';
COMMENT ON FUNCTION @extschema@.phone_time_zones(@extschema@.e164) IS
    'the time zones in which a number may ring, by their IANA names; NULL where none is known. Example: SELECT phone_time_zones(''+16789998212'')';
COMMENT ON FUNCTION @extschema@.callable_now(@extschema@.e164, timestamptz, time, time) IS
    'whether it is between two times of day wherever a number may ring; NULL where its time zone is not known. Example: SELECT callable_now(''+16789998212'', now(), ''09:00'', ''20:00'')';
COMMENT ON FUNCTION @extschema@.lead_phones_version() IS
    'the version of the library and of its phone metadata. Example: SELECT lead_phones_version()';

CREATE FUNCTION @extschema@.lead_phones_keys(phone text) RETURNS bigint[]
    IMMUTABLE STRICT PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keys_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keys(text) IS
    'internal: what a number is entered as in suppressed_phones: itself, or its hash';

CREATE FUNCTION @extschema@.lead_phones_key_from_hex(hash text) RETURNS bigint
    IMMUTABLE STRICT PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_key_from_hex_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_key_from_hex(text) IS
    'internal: what a number is entered as in suppressed_phones of which a list has the SHA-256; NULL where that is none';

CREATE FUNCTION @extschema@.lead_phones_clock() RETURNS timestamptz
    STABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_clock_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_clock() IS
    'internal: the time now, and not when the statement began';

CREATE FUNCTION @extschema@.lead_phones_state_code(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 5 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_state_code_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_state_code(text) IS
    'internal: the code of a state of the United States or Canada that is written as its code or its name';

CREATE FUNCTION @extschema@.lead_phones_call_regions(phone text) RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 5 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_call_regions_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_call_regions(text) IS
    'internal: the region of a number, and the country that it belongs to; none where that is not known';

CREATE FUNCTION @extschema@.lead_phones_states(phone text, state text, region text) RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 5 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_states_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_states(text, text, text) IS
    'internal: the state of the area of a number, and that of who has it; none where nobody knows';

CREATE FUNCTION @extschema@.lead_phones_zones(phone text, state text, time_zone text) RETURNS text
    IMMUTABLE PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_zones_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_zones(text, text, text) IS
    'internal: the time zones of a number and of who has it, with commas between; empty where none is known';

CREATE FUNCTION @extschema@.lead_phones_is_open(
    zones text, weekdays integer[], opens time, closes time, holidays date[], at timestamptz) RETURNS boolean
    STABLE PARALLEL SAFE COST 20 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_open_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_open(text, integer[], time, time, date[], timestamptz) IS
    'internal: whether the hours of a rule allow a call in all of the time zones; NULL where one is not known';

CREATE FUNCTION @extschema@.lead_phones_opens_at(
    zones text, weekdays integer[], opens time, closes time, holidays date[], at timestamptz) RETURNS timestamptz
    STABLE PARALLEL SAFE COST 1000 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_opens_at_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_opens_at(text, integer[], time, time, date[], timestamptz) IS
    'internal: when the hours of a rule allow a call next; NULL where they do not, or a time zone is not known';

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

CREATE OR REPLACE VIEW @extschema@.lead_phone_tables AS
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
COMMENT ON COLUMN @extschema@.lead_phone_tables.campaign_column IS 'its column of campaigns; NULL where the whole table is one campaign';
COMMENT ON COLUMN @extschema@.lead_phone_tables.phone_column IS 'the first of phone_columns';
COMMENT ON COLUMN @extschema@.lead_phone_tables.mobile_column IS 'the second of phone_columns, if there is one';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region_column IS 'its column with a region of each lead, or with a reference to it, if it has one';
COMMENT ON COLUMN @extschema@.lead_phone_tables.phone_columns IS 'its columns of numbers';
COMMENT ON COLUMN @extschema@.lead_phone_tables.region_code IS 'the column of regions in the table that region_column references';
COMMENT ON COLUMN @extschema@.lead_phone_tables.in_place IS 'whether numbers are written into their own columns, and not beside them';
COMMENT ON COLUMN @extschema@.lead_phone_tables.keep_extensions IS 'whether extensions are kept beside the numbers';
COMMENT ON COLUMN @extschema@.lead_phone_tables.suppressions IS 'its phone_suppressions: what was said of numbers that are disqualified in every campaign';
COMMENT ON COLUMN @extschema@.lead_phone_tables.suppressed IS 'its suppressed_phones: the numbers that are disqualified in every campaign';

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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_key(tracked @extschema@.lead_phone_tables) RETURNS text
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_tracked(leads regclass) RETURNS @extschema@.lead_phone_tables
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_beside(leads regclass, table_name name) RETURNS regclass
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

CREATE FUNCTION @extschema@.lead_phones_note(relation regclass, purpose text, leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- Of which table it is: under whichever names both go, and wherever they are restored, it is taken up again, and by no other.
    EXECUTE format('COMMENT ON TABLE %s IS %L', relation, format('%s [%s of %s, %s/%s/%s]', CASE purpose
            WHEN 'counts' THEN 'every unique phone number of each campaign, kept by the triggers of lead_phones'
            WHEN 'disqualifications' THEN 'ledger of disqualified and requalified phone numbers; nothing is ever deleted from it'
            WHEN 'suppressions' THEN 'ledger of numbers that are disqualified in every campaign: what was said of them, by one call'
            ELSE 'ledger of numbers that are disqualified in every campaign; nothing is ever deleted from it' END,
        purpose, @extschema@.lead_phones_table_name(leads), leads::oid,
        (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()), (SELECT s.system_identifier FROM pg_control_system() AS s)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_note(regclass, text, regclass) IS
    'internal: says in the comment on counts or a ledger of which table it is';

CREATE FUNCTION @extschema@.lead_phones_of(relation regclass, OUT leads regclass, OUT purpose text, OUT leads_name text)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    parts constant text[] := regexp_match(obj_description(relation, 'pg_class'), '\[(counts|disqualifications|suppressions|suppressed) of (.*), (\d+)/(\d+)/(\d+)\]$');
    names text[];
BEGIN
    purpose := parts[1];
    leads_name := parts[2];
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
    'internal: the table of which counts or a ledger is, as its comment says, and as it was called; NULL where that is gone, or it does not say';

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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_check_column(leads regclass, column_name name, parameter text, wanted text)
    RETURNS pg_attribute
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_kept constant boolean := wanted IN ('mark', 'extension', 'e164');
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
            USING ERRCODE = CASE WHEN is_kept THEN 'duplicate_column' ELSE 'datatype_mismatch' END,
                  DETAIL = format(CASE WHEN is_kept THEN 'A column of that name is kept beside a column of numbers; it must be of %2$s.'
                      ELSE 'The column named by %1$s must be of %2$s, or of a domain over such a type.' END, parameter, CASE wanted
                      WHEN 'campaign' THEN 'a type with an order of its own, by a default B-tree operator class: no array, no composite type'
                      WHEN 'text' THEN 'a type of text'
                      WHEN 'number' THEN 'a type of text, or of numbers of 15 digits'
                      WHEN 'mark' THEN 'type boolean'
                      WHEN 'extension' THEN 'type text'
                      ELSE 'type e164' END),
                  HINT = CASE WHEN wanted = 'text' AND parameter = 'phone_columns' AND @extschema@.lead_phones_admits(base, 'number')
                      THEN 'Use in_place => false: the column stays as it is, and the number goes beside it.'
                      WHEN is_kept THEN 'Rename it.'
                      ELSE format('Change its type, or name another column with %s.', parameter) END;
    END IF;
    IF attribute.attgenerated <> '' THEN
        RAISE EXCEPTION 'column "%" of table "%" is generated', column_name, leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'The triggers of lead_phones must be able to write it, or to see it before the row is written.',
                  HINT = format('Name a column that is written, such as the one it is generated from, with %s.', parameter);
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
    IF campaign_column = ANY (phone_columns) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be the campaign and a number', campaign_column, leads
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Numbers are written in E.164, and would be other campaigns then.',
                  HINT = 'Leave it out of phone_columns, or use campaign_column => NULL.';
    END IF;
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_check_table(leads regclass) RETURNS void
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
    IF NOT has_schema_privilege(class.relowner, '@extschema@'::regnamespace::oid, 'USAGE') THEN
        RAISE EXCEPTION 'the owner of table "%", "%", may not use schema "%"', leads, class.relowner::regrole, '@extschema@'::regnamespace
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'The functions of lead_phones are there, and what they do for the table runs as its owner.',
                  HINT = format('Run GRANT USAGE ON SCHEMA %s TO %s.', '@extschema@'::regnamespace, class.relowner::regrole);
    END IF;
    IF (SELECT o.purpose FROM @extschema@.lead_phones_of(leads) AS o) IS NOT NULL
       OR EXISTS (SELECT FROM @extschema@.lead_phone_tables AS t WHERE lead_phones_check_table.leads IN (t.counts, t.disqualifications, t.suppressions, t.suppressed)) THEN
        RAISE EXCEPTION 'table "%" is kept by lead_phones, and cannot be tracked', leads
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It holds the counts, or a ledger, of a leads table.', HINT = hint;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_create_tables(
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_drop_triggers(leads regclass) RETURNS integer
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    trigger_name name;
    dropped integer := 0;
BEGIN
    PERFORM @extschema@.lead_phones_allow_triggers(leads);
    -- DROP TRIGGER locks the trigger, then the table, and of two one would not end well.
    IF NOT @extschema@.lead_phones_is_distributed(leads) AND (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_catalog.pg_class AS c WHERE c.oid = leads) THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', leads);
    END IF;
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_create_triggers(leads regclass, settings jsonb) RETURNS void
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_has_index(tracked @extschema@.lead_phone_tables, member regclass, number_column name) RETURNS boolean
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
                      HINT = 'Create a policy that follows that of the leads: see docs/security.md.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_follow_row_security(@extschema@.lead_phone_tables) IS
    'internal: closes counts and ledger by row-level security, where the leads have it';

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
    settings jsonb;
    current_settings jsonb;
    region_code name;
BEGIN
    PERFORM @extschema@.lead_phones_check_options(leads, region, on_invalid, backfill, count_at, in_place, keep_extensions);
    PERFORM @extschema@.lead_phones_check_table(leads);
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
        RAISE EXCEPTION 'table "%" belongs to lead tables, and cannot be tracked', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Its values stay as they were uploaded. The numbers of lead tables are tracked in contacts.',
                  HINT = 'Nothing is left to do: create_lead_tables() has tracked contacts.';
    END IF;
    IF phone_columns IS NULL THEN
        phone_columns := ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = leads AND a.attname IN ('phone', 'mobile') AND NOT a.attisdropped ORDER BY a.attname = 'mobile');
    END IF;
    PERFORM @extschema@.lead_phones_check_columns(leads, campaign_column, phone_columns, on_invalid, in_place);
    PERFORM @extschema@.lead_phones_check_names(leads, campaign_column, phone_columns, in_place, keep_extensions);
    IF region_column IS NOT NULL THEN
        -- A column can have a dot in its name.
        IF strpos(region_column, '.') > 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = leads AND a.attname::text = region_column AND a.attnum > 0 AND NOT a.attisdropped) THEN
            region_code := substr(region_column, strpos(region_column, '.') + 1);
            region_column := split_part(region_column, '.', 1);
        END IF;
        PERFORM @extschema@.lead_phones_check_column(leads, region_column::name, 'region_column', CASE WHEN region_code IS NULL THEN 'text' ELSE 'reference' END);
        IF region_column = ANY (phone_columns) THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be the region and a number', region_column, leads
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the column of regions, or leave region_column out.';
        END IF;
    END IF;
    SELECT @extschema@.lead_phones_settings(g.tgargs) - '{phone_column,mobile_column}'::text[] INTO current_settings
      FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.leads AND g.tgname = 'zz_lead_phones_normalize_insert'
     WHERE t.leads = lead_phones_settings_for.leads;
    settings := jsonb_build_object(
        'campaign_column', campaign_column, 'phone_columns', phone_columns,
        'region', coalesce(upper(region), CASE WHEN region_code IS NULL THEN 'US' ELSE 'ZZ' END), 'region_column', region_column, 'region_code', region_code,
        'on_invalid', on_invalid, 'in_place', in_place, 'keep_extensions', keep_extensions, 'count_at', count_at,
        'member', false) || @extschema@.lead_phones_names_for(leads, campaign_column, counts, disqualifications, current_settings);
    -- What create_lead_tables() created reads these columns.
    IF @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name) IS NOT NULL AND @extschema@.lead_phones_beside(leads, 'lead_uploads'::name) IS NOT NULL
       AND (campaign_column IS DISTINCT FROM 'campaign_id' OR phone_columns <> '{phone,mobile}' OR NOT in_place OR region_code IS NOT NULL
            OR region_column IS DISTINCT FROM 'region' OR NOT keep_extensions OR on_invalid <> 'keep') THEN
        RAISE EXCEPTION 'table "%" belongs to lead tables, and cannot be tracked so', leads
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Their functions read column campaign_id, numbers and extensions of columns phone and mobile, and the region of each contact.',
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
    PERFORM @extschema@.lead_phones_check_unowned(leads, settings);
    RETURN settings;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_settings_for(
    regclass, name, name[], text, text, text, boolean, text, boolean, boolean, name, name) IS
    'internal: the settings of a table that is to be tracked; an error where it cannot';

CREATE FUNCTION @extschema@.lead_phones_check_region_code(region text) RETURNS void
    IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF upper(btrim(region)) <> 'ZZ' AND @extschema@.phone_problem('123', region) = 'unknown_region' THEN
        RAISE EXCEPTION 'region "%" does not exist', left(region, 64)
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The phone metadata knows no such region.',
                  HINT = 'Use a code of ISO 3166-1 alpha-2, such as US or GB, or ZZ for none.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_region_code(text) IS
    'internal: an error where a region is named that there is not';

CREATE FUNCTION @extschema@.lead_phones_check_options(
    leads regclass, region text, on_invalid text, backfill boolean, count_at text, in_place boolean, keep_extensions boolean) RETURNS void
    IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
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
                  HINT = CASE WHEN leads IS NULL THEN 'Name the table that holds the leads.' ELSE 'Leave it out for its default.' END;
    END IF;
    PERFORM @extschema@.lead_phones_check_region_code(region);
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
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_options(regclass, text, text, boolean, text, boolean, boolean) IS
    'internal: an error where an argument of track_lead_phones() is none, whatever the table';

CREATE FUNCTION @extschema@.lead_phones_check_columns(leads regclass, campaign_column name, phone_columns name[], on_invalid text, in_place boolean) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    number_column name;
BEGIN
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
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_columns(regclass, name, name[], text, boolean) IS
    'internal: an error where a table cannot be tracked by these columns';

CREATE FUNCTION @extschema@.lead_phones_names_for(
    leads regclass, campaign_column name, counts name, disqualifications name, current_settings jsonb) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    own_counts constant regclass := @extschema@.lead_phones_own(leads, 'counts');
    own_ledger constant regclass := @extschema@.lead_phones_own(leads, 'disqualifications');
    -- the table may have been moved since it was tracked
    schema constant name := coalesce(current_settings ->> 'schema',
        (SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = coalesce(own_ledger, leads)));
    is_first boolean;
    names jsonb;
BEGIN
    IF current_settings IS NULL AND own_ledger IS NOT NULL AND disqualifications <> (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = own_ledger) THEN
        RAISE EXCEPTION 'the disqualifications of table "%" are in "%"', leads, own_ledger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'An earlier tracking has left them, and their disqualifications hold.',
                  HINT = format('Leave out disqualifications, or run ALTER TABLE %s RENAME TO %I before.', own_ledger, disqualifications);
    END IF;
    is_first := NOT EXISTS (
        SELECT FROM unnest('{campaign_phone_counts,campaign_phone_disqualifications}'::name[]) AS n (name)
         CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', schema, n.name)) AS relation) AS r
         CROSS JOIN LATERAL @extschema@.lead_phones_of(r.relation) AS o
         WHERE o.leads <> lead_phones_names_for.leads
            -- what a table that is gone has left, if its campaigns are the same
            OR EXISTS (SELECT FROM pg_catalog.pg_index AS i
                        WHERE i.indrelid = r.relation AND i.indisprimary AND o.leads IS DISTINCT FROM lead_phones_names_for.leads
                          AND (i.indnatts <> num_nonnulls(campaign_column, 'phone', CASE n.name WHEN 'campaign_phone_disqualifications' THEN 'entry' END)
                               OR campaign_column IS NOT NULL AND @extschema@.lead_phones_type_of(i.indrelid, campaign_column)
                                  IS DISTINCT FROM @extschema@.lead_phones_type_of(lead_phones_names_for.leads, campaign_column))));
    counts := coalesce(counts, current_settings ->> 'counts', @extschema@.lead_phones_name_in(own_counts, schema),
        CASE WHEN is_first THEN 'campaign_phone_counts' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_counts') END);
    disqualifications := coalesce(disqualifications, current_settings ->> 'disqualifications', @extschema@.lead_phones_name_in(own_ledger, schema),
        CASE WHEN is_first THEN 'campaign_phone_disqualifications' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_disqualifications') END);
    -- those of every campaign: what is in force already, and else as the ledger is called
    is_first := disqualifications = 'campaign_phone_disqualifications';
    names := jsonb_build_object(
        'schema', schema, 'counts', counts, 'disqualifications', disqualifications,
        'suppressions', coalesce(current_settings ->> 'suppressions', @extschema@.lead_phones_name_in(@extschema@.lead_phones_own(leads, 'suppressions'), schema),
            CASE WHEN is_first THEN 'phone_suppressions' ELSE @extschema@.lead_phones_name_beside(leads, '_phone_suppressions') END),
        'suppressed', coalesce(current_settings ->> 'suppressed', @extschema@.lead_phones_name_in(@extschema@.lead_phones_own(leads, 'suppressed'), schema),
            CASE WHEN is_first THEN 'suppressed_phones' ELSE @extschema@.lead_phones_name_beside(leads, '_suppressed_phones') END));
    IF EXISTS (SELECT FROM jsonb_each_text(names) AS s WHERE s.key <> 'schema' GROUP BY s.value
                HAVING count(*) > 1 OR s.value IN ('', (SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.oid = leads))) THEN
        RAISE EXCEPTION 'counts "%" and disqualifications "%" cannot be called so', names ->> 'counts', names ->> 'disqualifications'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Beside table "%s" there are also "%s" and "%s", and all have different names.', leads, names ->> 'suppressions', names ->> 'suppressed'),
                  HINT = 'Name others, or leave them out.';
    END IF;
    RETURN names;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_names_for(regclass, name, name, name, jsonb) IS
    'internal: the schema and the names of the counts and ledgers of a table that is to be tracked';

CREATE FUNCTION @extschema@.lead_phones_name_in(relation regclass, schema name) RETURNS name
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation AND n.nspname = schema
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_name_in(regclass, name) IS
    'internal: the name of a table, if it is in the schema';

CREATE FUNCTION @extschema@.lead_phones_check_unowned(leads regclass, settings jsonb) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    other record;
BEGIN
    SELECT c.oid::regclass AS relation, coalesce(t.leads, o.leads) AS leads INTO other
      FROM unnest('{counts,disqualifications,suppressions,suppressed}'::text[]) AS k (purpose)
      JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass(format('%I.%I', settings ->> 'schema', settings ->> k.purpose))
     CROSS JOIN LATERAL @extschema@.lead_phones_of(c.oid::regclass) AS o
      LEFT JOIN (SELECT t.*, l.relowner FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS l ON l.oid = t.leads) AS t
        ON c.oid IN (t.counts, t.disqualifications) AND t.relowner = c.relowner AND t.leads <> lead_phones_check_unowned.leads
     WHERE t.leads IS NOT NULL OR o.leads <> lead_phones_check_unowned.leads
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" is that of another leads table: "%"', other.relation, other.leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and ledgers are of one table, also while that is not tracked.',
                  HINT = format('Name others with counts => ''...'' and disqualifications => ''...'', or leave these out; or run COMMENT ON TABLE %s IS NULL, if it is to be taken over.', other.relation);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_unowned(regclass, jsonb) IS
    'internal: an error where counts or ledgers are those of another table';

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

CREATE OR REPLACE FUNCTION @extschema@.track_lead_phones(
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
    -- at once the lock that dropping triggers takes
    EXECUTE format('LOCK TABLE %s IN %s MODE', leads, CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = leads AND t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure) THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
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
COMMENT ON FUNCTION @extschema@.untrack_lead_phones(regclass) IS
    'stops tracking a table; its data, counts and disqualifications are kept. Example: SELECT untrack_lead_phones(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_collate(collation_id oid) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN coalesce((SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation AS c
                       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace WHERE c.oid = collation_id), '');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_collate(oid) IS
    'internal: the clause that names a collation; empty where there is none';

CREATE FUNCTION @extschema@.lead_phones_region_table(
    tracked @extschema@.lead_phone_tables, OUT relation regclass, OUT key_column name, OUT operator text, OUT key_collation oid)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- as in src/triggers/region.rs
    SELECT c.confrelid, k.attname, format('OPERATOR(%I.%s)', n.nspname, o.oprname), k.attcollation INTO relation, key_column, operator, key_collation
      FROM pg_catalog.pg_constraint AS c
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = tracked.region_column AND c.conkey = ARRAY[a.attnum]
      JOIN pg_catalog.pg_attribute AS k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1]
      JOIN pg_catalog.pg_attribute AS r ON r.attrelid = c.confrelid AND r.attname = tracked.region_code AND r.attnum > 0 AND NOT r.attisdropped
      JOIN pg_catalog.pg_operator AS o ON o.oid = c.conpfeqop[1]
      JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
     WHERE c.conrelid = tracked.leads AND c.contype = 'f'
       AND @extschema@.lead_phones_admits(@extschema@.lead_phones_base_type_of(r.atttypid), 'text')
       -- A key to a partitioned table is one to each partition as well.
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS w WHERE w.oid = c.conparentid AND w.conrelid = c.conrelid)
     ORDER BY c.conname LIMIT 1;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_region_table(@extschema@.lead_phone_tables) IS
    'internal: the table of regions that a tracked table references, its key and how that is compared; NULL where there is none';

CREATE FUNCTION @extschema@.lead_phones_check_region(tracked @extschema@.lead_phone_tables) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    regions regclass;
    owner constant oid := (SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid = tracked.leads);
BEGIN
    IF tracked.region_code IS NULL THEN
        RETURN;
    END IF;
    regions := (SELECT r.relation FROM @extschema@.lead_phones_region_table(tracked) AS r);
    IF regions IS NULL THEN
        RAISE EXCEPTION 'column "%" of table "%" references no table with a column "%"', tracked.region_column, tracked.leads, tracked.region_code
            USING ERRCODE = 'undefined_object',
                  DETAIL = 'A path of region_column leads over a foreign key of one column, to a column of text.',
                  HINT = format('Run ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES ... before.', tracked.leads, tracked.region_column);
    END IF;
    IF (SELECT r.relowner FROM pg_catalog.pg_class AS r WHERE r.oid = regions) <> owner THEN
        RAISE EXCEPTION 'table "%" belongs to another owner than "%"', regions, tracked.leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Regions are looked up as the owner of the leads: what hangs on their table would run as that role.',
                  HINT = format('Run ALTER TABLE %s OWNER TO %s, or keep the region in a column of the leads.', regions, owner::regrole);
    END IF;
    IF (SELECT r.relrowsecurity AND r.relforcerowsecurity FROM pg_catalog.pg_class AS r WHERE r.oid = regions) THEN
        RAISE EXCEPTION 'table "%" has row-level security that holds for its owner', regions
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('Regions of table "%s" are looked up as its owner, and which row a writer may see must not decide what a number is.', tracked.leads),
                  HINT = format('Run ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, or keep the region in a column of the leads.', regions);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_region(@extschema@.lead_phone_tables) IS
    'internal: an error where the table of regions is not there, or cannot be read';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_region(tracked @extschema@.lead_phone_tables) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    own text;
BEGIN
    IF tracked.region_column IS NULL THEN
        RETURN quote_literal(tracked.region);
    END IF;
    IF tracked.region_code IS NULL THEN
        own := @extschema@.lead_phones_text(@extschema@.lead_phones_type_of(tracked.leads, tracked.region_column), format('l.%I', tracked.region_column));
    ELSE
        own := (SELECT format('(SELECT r.%I::pg_catalog.text FROM %s AS r WHERE r.%I %s l.%I%s)',
                    tracked.region_code, t.relation, t.key_column, t.operator, tracked.region_column, @extschema@.lead_phones_collate(t.key_collation))
                  FROM @extschema@.lead_phones_region_table(tracked) AS t WHERE t.relation IS NOT NULL);
    END IF;
    RETURN format('coalesce(nullif(pg_catalog.btrim(%s), ''''), %L)', own, tracked.region);
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_raw(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN format('(%s) COLLATE pg_catalog."C"', @extschema@.lead_phones_plain(@extschema@.lead_phones_type_of(tracked.leads, number_column), format('l.%I', number_column)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_raw(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of what is in a column of numbers of a lead "l", as text';

CREATE FUNCTION @extschema@.lead_phones_spelled(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    raw constant text := @extschema@.lead_phones_raw(tracked, number_column);
BEGIN
    -- -1 and 0.5 have a text, but their digits are no number.
    RETURN CASE (SELECT t.typcategory FROM pg_catalog.pg_type AS t WHERE t.oid = @extschema@.lead_phones_type_of(tracked.leads, number_column))
        WHEN 'N' THEN format('CASE WHEN (%1$s) ~ ''^[0-9]+$'' THEN (%1$s) WHEN l.%2$I IS NOT NULL THEN ''-'' END', raw, number_column)
        ELSE raw END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_spelled(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the text from which the number in a column of a lead "l" is read';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_number(tracked @extschema@.lead_phone_tables, number_column name) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN format('@extschema@.try_normalize_phone(%s, %s)', @extschema@.lead_phones_spelled(tracked, number_column), @extschema@.lead_phones_region(tracked));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_number(@extschema@.lead_phone_tables, name) IS
    'internal: SQL of the valid number that a column of a lead "l" spells';

CREATE FUNCTION @extschema@.lead_phones_counted(tracked @extschema@.lead_phone_tables, number_column name, as_stored boolean) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- What another table says may have changed since a lead was written: then, what was written counts.
    RETURN CASE WHEN NOT tracked.in_place AND (as_stored OR tracked.region_code IS NOT NULL) THEN @extschema@.lead_phones_stored(tracked, number_column)
                WHEN tracked.region_code IS NOT NULL THEN format('@extschema@.try_normalize_phone(%s, ''ZZ'')', @extschema@.lead_phones_raw(tracked, number_column))
                ELSE @extschema@.lead_phones_number(tracked, number_column) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_counted(@extschema@.lead_phone_tables, name, boolean) IS
    'internal: SQL of the number of a lead "l" that is counted: as it is stored, or, to verify that, as the column spells it';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_recount_query(tracked @extschema@.lead_phone_tables, source text, as_stored boolean DEFAULT true) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    places constant int[] := ARRAY(SELECT generate_subscripts(tracked.phone_columns, 1));
    leads constant text := format('SELECT %s AS campaign, %s FROM %s AS l WHERE l.%I IS NOT NULL', @extschema@.lead_phones_campaign(tracked, 'l'),
        (SELECT string_agg(format('%s AS number%s', @extschema@.lead_phones_counted(tracked, tracked.phone_columns[i], as_stored), i), ', ' ORDER BY i) FROM unnest(places) AS i),
        source, tracked.phone_columns[1] || '_disqualified');
BEGIN
    -- A number that a lead has in several columns is found in the first of them.
    RETURN format('SELECT u.campaign, u.phone, count(*) AS lead_count, %s FROM (%s) AS u GROUP BY u.campaign, u.phone',
        (SELECT string_agg(format('sum(u.in%s)::bigint AS count%1$s', i), ', ' ORDER BY i) FROM unnest(places) AS i),
        (SELECT string_agg(format('SELECT n.campaign, n.number%1$s AS phone, %2$s FROM (%3$s) AS n WHERE n.campaign IS NOT NULL AND n.number%1$s IS NOT NULL%4$s', i,
                    (SELECT string_agg(CASE WHEN j < i THEN '0' WHEN j = i THEN '1' ELSE format('(n.number%s IS NOT DISTINCT FROM n.number%s)::integer', j, i) END
                                || format(' AS in%s', j), ', ' ORDER BY j) FROM unnest(places) AS j),
                    leads,
                    (SELECT string_agg(format(' AND n.number%s IS DISTINCT FROM n.number%s', i, j), '') FROM unnest(places) AS j WHERE j < i)), ' UNION ALL ' ORDER BY i)
           FROM unnest(places) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount_query(@extschema@.lead_phone_tables, text, boolean) IS
    'internal: SQL of the counts, from leads: count1, count2 ... by column; a lead without a mark is left to backfill_lead_phones';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_normalize_rows(
    tracked @extschema@.lead_phone_tables,
    source text,
    OUT total_leads bigint,
    OUT numbers_normalized bigint,
    OUT left_invalid bigint)
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    columns constant name[] := tracked.phone_columns;
    places constant int[] := ARRAY(SELECT generate_subscripts(columns, 1));
    unmarked constant text := @extschema@.lead_phones_each(tracked, 'l.%2$I IS NULL', ' OR ');
    read text[];
    changed text[];
    set_to text[];
    rewritten bigint;
    invalid bigint[];
    example text[];
    detail text;
BEGIN
    FOR i IN 1 .. cardinality(columns) LOOP
        DECLARE
            raw constant text := @extschema@.lead_phones_raw(tracked, columns[i]);
            number constant text := @extschema@.lead_phones_number(tracked, columns[i]);
            -- blanks are no number, and nothing invalid
            spelled constant text := @extschema@.lead_phones_spelled(tracked, columns[i]);
            is_invalid constant text := format('(%1$s) IS NOT NULL AND (%2$s) IS NULL AND @extschema@.phone_problem(%1$s, ''ZZ'') <> ''empty''', spelled, number);
            extension constant text := format('@extschema@.phone_extension(%s, %s)', spelled, @extschema@.lead_phones_region(tracked));
            is_changed text;
        BEGIN
            IF tracked.in_place THEN
                is_changed := format('(%s) <> (%s)', raw, number) || CASE tracked.on_invalid WHEN 'null' THEN format(' OR (%s)', is_invalid) ELSE '' END;
                set_to := set_to || format('%I = %s', columns[i], CASE tracked.on_invalid
                    WHEN 'null' THEN format('CASE WHEN %s THEN NULL ELSE coalesce(%s, %s) END', is_invalid, number, raw)
                    ELSE format('coalesce(%s, %s)', number, raw) END);
                IF tracked.keep_extensions THEN
                    set_to := set_to || format('%1$I = coalesce(%2$s, l.%1$I)', columns[i] || '_extension', extension);
                END IF;
            ELSE
                is_changed := format('(l.%I) IS DISTINCT FROM (%s)', columns[i] || '_e164', number);
                set_to := set_to || format('%I = %s', columns[i] || '_e164', number);
                IF tracked.keep_extensions THEN
                    is_changed := is_changed || format(' OR l.%I IS DISTINCT FROM (%s)', columns[i] || '_extension', extension);
                    set_to := set_to || format('%I = %s', columns[i] || '_extension', extension);
                END IF;
            END IF;
            set_to := set_to || format('%1$I = coalesce(l.%1$I, false)', columns[i] || '_disqualified');
            changed := changed || is_changed;
            read := read || format('%1$s AS raw%2$s, (%3$s) AS invalid%2$s, (%4$s) AS changed%2$s, (%5$s) IS NOT NULL AS valid%2$s', raw, i, is_invalid, is_changed, number);
        END;
    END LOOP;
    EXECUTE format($query$
        SELECT count(*), %s, count(*) FILTER (WHERE n.unmarked OR %s), ARRAY[%s], ARRAY[%s]
          FROM (SELECT %s, %s AS unmarked FROM %s AS l) AS n$query$,
        (SELECT string_agg(format('count(*) FILTER (WHERE n.changed%s AND n.valid%1$s)', i), ' + ') FROM unnest(places) AS i),
        (SELECT string_agg(format('n.changed%s', i), ' OR ') FROM unnest(places) AS i),
        (SELECT string_agg(format('count(*) FILTER (WHERE n.invalid%s)', i), ', ' ORDER BY i) FROM unnest(places) AS i),
        (SELECT string_agg(format('min(n.raw%s) FILTER (WHERE n.invalid%1$s)', i), ', ' ORDER BY i) FROM unnest(places) AS i),
        array_to_string(read, ', '), unmarked, source)
       INTO total_leads, numbers_normalized, rewritten, invalid, example;
    FOR i IN 1 .. cardinality(columns) LOOP
        IF invalid[i] > 0 AND tracked.on_invalid = 'reject' THEN
            RAISE EXCEPTION 'column "%" of table "%" holds values that are not valid phone numbers', columns[i], tracked.leads
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = format('There are %s; one of them is "%s".', invalid[i], left(example[i], 64)),
                      HINT = format('Correct them first, or use on_invalid => ''keep''%s.', CASE WHEN tracked.in_place THEN ' or ''null''' ELSE '' END);
        END IF;
    END LOOP;
    left_invalid := CASE tracked.on_invalid WHEN 'null' THEN 0 ELSE (SELECT sum(i) FROM unnest(invalid) AS i) END;
    -- Where there are triggers they see the same number on both sides, or one that was not counted.
    IF rewritten > 0 THEN
        BEGIN
            PERFORM set_config('search_path', @extschema@.lead_phones_path_for_triggers(tracked.leads), true);
            EXECUTE format('UPDATE %s AS l SET %s WHERE %s OR %s',
                source, array_to_string(set_to, ', '), unmarked, array_to_string(changed, ' OR '));
            PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        EXCEPTION WHEN integrity_constraint_violation THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION '%', SQLERRM
                USING ERRCODE = SQLSTATE, DETAIL = detail,
                      HINT = CASE WHEN tracked.in_place THEN 'Use in_place => false, which leaves the columns as they are, or change the constraint: it must admit numbers in E.164.'
                          ELSE 'Correct these leads first.' END;
        END;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_normalize_rows(@extschema@.lead_phone_tables, text) IS
    'internal: writes the numbers of leads in E.164, with what is kept beside them, and a mark where there is none';

CREATE FUNCTION @extschema@.lead_phones_path_for_triggers(leads regclass) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    pinned constant text := 'pg_catalog, pg_temp';
    class record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
                    WHERE t.tgrelid IN (SELECT m FROM @extschema@.lead_phones_members(leads) AS m) AND NOT t.tgisinternal
                      AND NOT (p.pronamespace = '@extschema@'::regnamespace AND p.proname LIKE 'lead\_phones\_%')) THEN
        RETURN pinned;
    END IF;
    SELECT n.nspname AS schema, c.relowner AS owner INTO class FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = leads;
    -- In an open schema others could put what the owner's code then runs.
    BEGIN
        PERFORM @extschema@.lead_phones_check_schema(class.schema, class.owner);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        RETURN pinned;
    END;
    RETURN format('pg_catalog, %I, pg_temp', class.schema);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_path_for_triggers(regclass) IS
    'internal: the search_path while leads are updated as their owner: with their schema, for triggers of the application, where nobody else can create in it';

CREATE FUNCTION @extschema@.lead_phones_interferers(relation regclass, event text) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT string_agg(i.what, ', ' ORDER BY i.what)
      FROM (SELECT DISTINCT format('trigger "%s"', t.tgname) FROM pg_catalog.pg_trigger AS t
             WHERE t.tgrelid IN (SELECT m FROM @extschema@.lead_phones_members(relation) AS m) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
               AND t.tgtype & 1 = 1 AND t.tgtype & 2 = 2 AND t.tgtype & CASE event WHEN 'INSERT' THEN 4 ELSE 16 END <> 0 -- BEFORE ROW
               AND t.tgname NOT IN ('zz_lead_phones_normalize_insert', 'zz_lead_phones_normalize_update')
             UNION ALL
            SELECT format('rule "%s"', r.rulename) FROM pg_catalog.pg_rewrite AS r
             WHERE r.ev_class = relation AND r.ev_type = CASE event WHEN 'INSERT' THEN '3' ELSE '2' END AND r.ev_enabled <> 'D') AS i (what)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_interferers(regclass, text) IS
    'internal: the triggers and rules of the application that can keep an INSERT or UPDATE from a row; NULL where there are none';

CREATE FUNCTION @extschema@.lead_phones_check_marked(leads regclass, unmarked bigint) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF unmarked > 0 THEN
        RAISE EXCEPTION 'marks of table "%" cannot be written', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Leads that did not take theirs: %s. The UPDATE is suppressed or undone by one of: %s.', unmarked,
                      @extschema@.lead_phones_interferers(leads, 'UPDATE')),
                  HINT = 'Let it pass what changes the columns of marks alone.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_marked(regclass, bigint) IS
    'internal: an error where leads did not take their marks';

CREATE FUNCTION @extschema@.lead_phones_check_written(relation regclass, unwritten bigint) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF unwritten > 0 THEN
        RAISE EXCEPTION 'disqualifications cannot be written to table "%"', relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Rows that are missing, or not as they were written: %s. They are suppressed or changed by one of: %s.', unwritten,
                      concat_ws(', ', @extschema@.lead_phones_interferers(relation, 'INSERT'), @extschema@.lead_phones_interferers(relation, 'UPDATE'))),
                  HINT = 'Let it pass what lead_phones writes.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_written(regclass, bigint) IS
    'internal: an error where counts or a ledger did not take what was written to them';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_mark_rows(tracked @extschema@.lead_phone_tables, source text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_checked constant boolean := @extschema@.lead_phones_interferers(tracked.leads, 'UPDATE') IS NOT NULL;
    number_column name;
    unmarked text;
    how_many bigint;
BEGIN
    FOREACH number_column IN ARRAY tracked.phone_columns LOOP
        unmarked := format('l.%1$I IS DISTINCT FROM EXISTS (SELECT FROM %2$s AS c WHERE %3$s AND c.phone = (%4$s)::pg_catalog.text COLLATE "C" AND c.disqualified)',
            number_column || '_disqualified', tracked.counts, @extschema@.lead_phones_is_of(tracked, 'c', @extschema@.lead_phones_campaign(tracked, 'l')),
            @extschema@.lead_phones_stored(tracked, number_column));
        PERFORM set_config('search_path', @extschema@.lead_phones_path_for_triggers(tracked.leads), true);
        EXECUTE format('UPDATE %1$s AS l SET %2$I = NOT coalesce(l.%2$I, true) WHERE %3$s', source, number_column || '_disqualified', unmarked);
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        IF is_checked THEN
            EXECUTE format('SELECT count(*) FROM %s AS l WHERE %s', source, unmarked) INTO how_many;
            PERFORM @extschema@.lead_phones_check_marked(tracked.leads, how_many);
        END IF;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_apply_standing(tracked @extschema@.lead_phone_tables) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    out_here constant text := @extschema@.lead_phones_out_here(tracked);
BEGIN
    EXECUTE format($dml$
        INSERT INTO %1$s AS c (%2$s, disqualified)
        SELECT DISTINCT %3$s, true FROM (%4$s) AS d
        ON CONFLICT (%2$s) DO UPDATE SET disqualified = true WHERE NOT c.disqualified$dml$,
        tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, 'd.campaign', 'd.phone'), out_here);
    EXECUTE format($dml$
        UPDATE %1$s AS c SET disqualified = false
         WHERE c.disqualified AND NOT EXISTS (SELECT FROM (%2$s) AS d WHERE %3$s AND d.phone = c.phone)$dml$,
        tracked.counts, out_here, @extschema@.lead_phones_is_of(tracked, 'c', 'd.campaign'));
    EXECUTE format('DELETE FROM %1$s AS c WHERE c.lead_count = 0 AND NOT c.disqualified', tracked.counts);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_apply_standing(@extschema@.lead_phone_tables) IS
    'internal: lets the counts say what is in force in the ledger, and no more than they need to';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_count_rows(tracked @extschema@.lead_phone_tables) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    recount constant text := @extschema@.lead_phones_recount_query(tracked, tracked.leads::text);
    unique_numbers bigint;
BEGIN
    PERFORM @extschema@.lead_phones_write_counts();
    -- Two statements, not one with two data-modifying CTEs: Citus would not distribute that.
    EXECUTE format($dml$
        UPDATE %1$s AS c SET lead_count = 0, %2$s
         WHERE (c.lead_count <> 0 OR %3$s)
           AND NOT EXISTS (SELECT FROM (%4$s) AS r WHERE %5$s AND r.phone = c.phone)$dml$,
        tracked.counts, @extschema@.lead_phones_each(tracked, '%3$I = 0', ', '), @extschema@.lead_phones_each(tracked, 'c.%3$I <> 0', ' OR '),
        recount, @extschema@.lead_phones_is_of(tracked, 'c', 'r.campaign'));
    EXECUTE format($dml$
        INSERT INTO %1$s AS c (%2$s, lead_count, %3$s)
        SELECT %4$s, r.lead_count, %5$s FROM (%6$s) AS r
        ON CONFLICT (%2$s) DO UPDATE SET lead_count = EXCLUDED.lead_count, %7$s
         WHERE c.lead_count <> EXCLUDED.lead_count OR %8$s$dml$,
        tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_each(tracked, '%3$I', ', '),
        @extschema@.lead_phones_with_campaign(tracked, 'r.campaign', 'r.phone'), @extschema@.lead_phones_each(tracked, 'r.count%5$s', ', '), recount,
        @extschema@.lead_phones_each(tracked, '%3$I = EXCLUDED.%3$I', ', '), @extschema@.lead_phones_each(tracked, 'c.%3$I <> EXCLUDED.%3$I', ' OR '));
    PERFORM @extschema@.lead_phones_apply_standing(tracked);
    EXECUTE format('SELECT count(*) FROM %s AS c WHERE c.lead_count > 0', tracked.counts) INTO unique_numbers;
    RETURN unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_count_rows(@extschema@.lead_phone_tables) IS
    'internal: counts the leads of a tracked table again; returns the unique numbers';

CREATE OR REPLACE FUNCTION @extschema@.rebuild_phone_counts(leads regclass) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    unique_numbers bigint;
BEGIN
    leads := @extschema@.lead_phones_meant(leads);
    -- before a weaker lock is taken: with that, it would be waited for by one who tracks the table
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = leads AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')) THEN
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', leads);
    END IF;
    tracked := @extschema@.lead_phones_tracked(leads);
    -- What its owner hangs on the table runs as himself, not as a superuser who puts it right.
    IF (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)
       AND (SELECT pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c WHERE c.oid = leads) <> current_user THEN
        RETURN @extschema@.lead_phones_as_owner(leads, 'rebuild', '{}'::jsonb) ->> 'numbers';
    END IF;
    PERFORM @extschema@.lead_phones_check_table(leads);
    PERFORM @extschema@.lead_phones_check_isolation();
    PERFORM @extschema@.lead_phones_check_detached(leads);
    PERFORM @extschema@.lead_phones_normalize_rows(tracked, leads::text);
    unique_numbers := @extschema@.lead_phones_count_rows(tracked);
    PERFORM @extschema@.lead_phones_mark_rows(tracked, leads::text);
    RETURN unique_numbers;
END
$function$;
COMMENT ON FUNCTION @extschema@.rebuild_phone_counts(regclass) IS
    'normalizes, counts and marks the leads of a tracked table again; disqualifications are kept; returns the number of unique numbers. Example: SELECT rebuild_phone_counts(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_rebuild(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT jsonb_build_object('numbers', @extschema@.rebuild_phone_counts(leads))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rebuild(regclass, jsonb) IS 'internal: rebuild_phone_counts as the owner of the table';

CREATE FUNCTION @extschema@.lead_phones_report(leads regclass, name text, arguments jsonb) RETURNS SETOF record
    STABLE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_report_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_report(regclass, text, jsonb) IS
    'internal: the rows of a report on a tracked table, read as its owner, for a role that may read it';

CREATE FUNCTION @extschema@.lead_phones_read_by_reports(leads regclass) RETURNS TABLE (relation regclass, is_ledger boolean)
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT leads, false
     UNION ALL
    SELECT r.relation, r.is_ledger FROM @extschema@.lead_phone_tables AS t
     CROSS JOIN LATERAL (VALUES (t.counts, false), (t.disqualifications, true), (t.suppressions, true), (t.suppressed, true)) AS r (relation, is_ledger)
     WHERE t.leads = lead_phones_read_by_reports.leads AND r.relation IS NOT NULL
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_read_by_reports(regclass) IS
    'internal: the tables on which the caller of a report needs SELECT, and the ledgers, on which to see reasons';

CREATE FUNCTION @extschema@.lead_phones_report_verify(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        expected_lead_count bigint,
        phone_count bigint,
        expected_phone_count bigint,
        mobile_count bigint,
        expected_mobile_count bigint,
        disqualified boolean,
        expected_disqualified boolean,
        wrongly_marked_leads bigint,
        column_counts jsonb,
        expected_column_counts jsonb)
    VOLATILE ROWS 10 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    equals constant text := @extschema@.lead_phones_operator(tracked, 3::smallint);
BEGIN
    -- One statement, so that leads, counts and ledger are seen at one moment.
    RETURN QUERY EXECUTE format($query$
        WITH recount AS (%1$s),
        standing AS (SELECT DISTINCT d.campaign, d.phone FROM (%2$s) AS d),
        marks AS (%3$s),
        wrong_marks AS (
            SELECT m.campaign, m.phone, count(*) AS leads
              FROM marks AS m LEFT JOIN standing AS s ON s.campaign %4$s m.campaign AND s.phone = m.phone
             WHERE m.marked IS DISTINCT FROM (s.phone IS NOT NULL) OR m.is_stored_wrong
             GROUP BY m.campaign, m.phone),
        stored_and_expected AS (
            SELECT coalesce(c.campaign, r.campaign) AS campaign, coalesce(c.phone, r.phone) AS phone, c.lead_count, coalesce(r.lead_count, 0) AS expected_lead_count,
                   %5$s, c.disqualified
              FROM (SELECT %6$s AS campaign, c.phone, c.lead_count, %14$s, c.disqualified FROM %7$s AS c) AS c FULL JOIN recount AS r ON r.campaign %4$s c.campaign AND r.phone = c.phone),
        counts_and_ledger AS (
            SELECT coalesce(e.campaign, s.campaign) AS campaign, coalesce(e.phone, s.phone) AS phone, e.lead_count, coalesce(e.expected_lead_count, 0) AS expected_lead_count,
                   %8$s, e.disqualified, s.phone IS NOT NULL AS expected_disqualified
              FROM stored_and_expected AS e FULL JOIN standing AS s ON s.campaign %4$s e.campaign AND s.phone = e.phone)
        SELECT %9$s, coalesce(a.phone, w.phone), a.lead_count, a.expected_lead_count, a.count1, a.expected1, %10$s, a.disqualified, a.expected_disqualified,
               coalesce(w.leads, 0), jsonb_build_object(%11$s), jsonb_build_object(%12$s)
          FROM counts_and_ledger AS a
          FULL JOIN wrong_marks AS w ON w.campaign %4$s a.campaign AND w.phone = a.phone
         WHERE w.leads IS NOT NULL
            OR a.lead_count IS NULL
            OR a.lead_count <> a.expected_lead_count OR %13$s OR a.disqualified <> a.expected_disqualified
            OR a.lead_count = 0 AND NOT a.disqualified
         ORDER BY 1, 2$query$,
        @extschema@.lead_phones_recount_query(tracked, tracked.leads::text, false), @extschema@.lead_phones_out_here(tracked),
        (SELECT string_agg(format('SELECT %1$s AS campaign, %2$s AS phone, l.%3$I AS marked, %4$s AS is_stored_wrong FROM %5$s AS l WHERE l.%6$I IS NOT NULL',
                    @extschema@.lead_phones_campaign(tracked, 'l'), @extschema@.lead_phones_counted(tracked, c.name, false), c.name || '_disqualified',
                    CASE WHEN tracked.in_place THEN 'false'
                         ELSE format('(%s) IS DISTINCT FROM l.%I', @extschema@.lead_phones_counted(tracked, c.name, false), c.name || '_e164') END,
                    tracked.leads, tracked.phone_columns[1] || '_disqualified'), ' UNION ALL ' ORDER BY c.place)
           FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)),
        equals,
        @extschema@.lead_phones_each(tracked, 'c.count%5$s, coalesce(r.count%5$s, 0) AS expected%5$s', ', '),
        @extschema@.lead_phones_campaign(tracked, 'c'), tracked.counts,
        @extschema@.lead_phones_each(tracked, 'e.count%5$s, coalesce(e.expected%5$s, 0) AS expected%5$s', ', '),
        @extschema@.lead_phones_campaign_text(tracked, '(coalesce(a.campaign, w.campaign))'),
        CASE WHEN cardinality(tracked.phone_columns) > 1 THEN 'a.count2, a.expected2' ELSE 'NULL::bigint, NULL::bigint' END,
        @extschema@.lead_phones_each(tracked, '%1$L, a.count%5$s', ', '), @extschema@.lead_phones_each(tracked, '%1$L, a.expected%5$s', ', '),
        @extschema@.lead_phones_each(tracked, 'a.count%5$s <> a.expected%5$s', ' OR '),
        @extschema@.lead_phones_each(tracked, 'c.%3$I AS count%5$s', ', '));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_verify(regclass, jsonb) IS
    'internal: the rows of verify_phone_counts, as its owner';

CREATE OR REPLACE FUNCTION @extschema@.verify_phone_counts(leads regclass)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        expected_lead_count bigint,
        phone_count bigint,
        expected_phone_count bigint,
        mobile_count bigint,
        expected_mobile_count bigint,
        disqualified boolean,
        expected_disqualified boolean,
        wrongly_marked_leads bigint,
        column_counts jsonb,
        expected_column_counts jsonb)
    VOLATILE ROWS 10 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    PERFORM @extschema@.lead_phones_write_counts();
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'verify', '{}'::jsonb) AS r (campaign text, phone @extschema@.e164, lead_count bigint, expected_lead_count bigint, phone_count bigint, expected_phone_count bigint, mobile_count bigint, expected_mobile_count bigint, disqualified boolean, expected_disqualified boolean, wrongly_marked_leads bigint, column_counts jsonb, expected_column_counts jsonb);
END
$function$;
COMMENT ON FUNCTION @extschema@.verify_phone_counts(regclass) IS
    'compares counts and marks of a tracked table with a recount; returns a row for each difference. Example: SELECT * FROM verify_phone_counts(''donors'')';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_backfill_batch(leads regclass, member regclass, behind tid, batch_size integer,
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_finish_backfill(leads regclass, step integer) RETURNS void
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
COMMENT ON PROCEDURE @extschema@.backfill_lead_phones(regclass, integer, bigint) IS
    'counts the leads of a table that was tracked with backfill => false, in batches with a commit each. Example: CALL backfill_lead_phones(''donors'')';

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
    SELECT coalesce(array_agg(c.oid::regclass ORDER BY p.place, c.oid), '{}')
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

CREATE FUNCTION @extschema@.lead_phones_visible_table() RETURNS regclass
    STABLE LANGUAGE sql
AS $function$
    SELECT @extschema@.lead_phones_only(@extschema@.lead_phones_visible(
        ARRAY(SELECT t.leads FROM @extschema@.lead_phone_tables AS t), pg_catalog.current_schemas(false)), 'table'::pg_catalog.text)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_table() IS
    'internal: the one tracked table that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_meant(leads regclass) RETURNS regclass
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
    RETURN leads;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_meant(regclass) IS
    'internal: the table named, and of lead tables the one that has the numbers';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_resolve(leads regclass) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (@extschema@.lead_phones_tracked(@extschema@.lead_phones_meant(leads))).leads;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_resolve(regclass) IS
    'internal: the tracked table that is meant by the one named';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_campaign_literal(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_check_campaign(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_campaign_order(tracked @extschema@.lead_phone_tables, campaign text) RETURNS text
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_apply_ledger(
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
    detail text;
BEGIN
    -- of a list, which was read already
    IF arguments ? 'subjects' THEN
        -- The checks of a domain cost more than reading a number.
        RETURN ARRAY(SELECT coalesce(@extschema@.try_normalize_phone(s), s::@extschema@.e164) FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    END IF;
    PERFORM @extschema@.lead_phones_check_region_code(arguments ->> 'region');
    SELECT max(r.number) FILTER (WHERE r.by_region IS NULL), array_agg(DISTINCT r.number) FILTER (WHERE r.by_region IS NOT NULL),
           string_agg(DISTINCT format('%s in %s', r.number, r.by_region), ', ') FILTER (WHERE r.by_region IS NOT NULL)
      INTO main, others, readings
      FROM @extschema@.lead_phones_read(tracked, literal, ARRAY[raw], arguments ->> 'region') AS r;
    IF main IS NULL AND others IS NULL THEN
        BEGIN
            RETURN ARRAY[@extschema@.normalize_phone(raw, coalesce(arguments ->> 'region', @extschema@.lead_phones_region_of(tracked, literal)))];
        EXCEPTION WHEN data_exception THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION '%', SQLERRM
                USING ERRCODE = SQLSTATE, DETAIL = detail, HINT = 'Write it with its country code, or name its region with region => ''...''.';
        END;
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
        RAISE EXCEPTION 'no number of table "%" can be disqualified in every campaign at once', tracked.leads
            USING ERRCODE = 'feature_not_supported', DETAIL = 'Citus distributes it by campaign, and a trigger looks at the tables of its own campaign alone.',
                  HINT = 'Disqualify the number in each campaign.';
    END IF;
    IF @extschema@.lead_phones_out_everywhere(tracked) IS NULL THEN
        RAISE EXCEPTION 'table "%" has no ledger of numbers that are disqualified in every campaign', tracked.leads
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'phone_suppressions and suppressed_phones are missing.',
                  HINT = format('Run track_lead_phones(%L, ...) with the settings that it has.', tracked.leads);
    END IF;
    -- Rows of the counts are looked for after their numbers were locked.
    PERFORM @extschema@.lead_phones_check_isolation();
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_everywhere(@extschema@.lead_phone_tables) IS
    'internal: an error where numbers of a tracked table cannot be disqualified in every campaign';

CREATE FUNCTION @extschema@.lead_phones_take_turns(tracked @extschema@.lead_phone_tables, keys bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_hold_to_write(tracked.leads),
            -- beside the slots: who writes counts is not waited for with these
            @extschema@.lead_phones_lock_slot(tracked.suppressed, 64 + s, false, true)
       FROM unnest(@extschema@.lead_phones_slots(keys)) AS s;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_take_turns(@extschema@.lead_phone_tables, bigint[]) IS
    'internal: lets calls for every campaign that share numbers come one after the other, before they write the ledger';

CREATE FUNCTION @extschema@.lead_phones_wait_everywhere(
    tracked @extschema@.lead_phone_tables, campaigns text[], phones @extschema@.e164[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    ordered record;
BEGIN
    FOR ordered IN SELECT * FROM @extschema@.lead_phones_in_order(tracked, campaigns, phones) LOOP
        PERFORM @extschema@.lead_phones_wait_for_lead(tracked, ordered.literal, ordered.numbers);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_wait_everywhere(@extschema@.lead_phone_tables, text[], @extschema@.e164[]) IS
    'internal: waits for those who hold leads of numbers, and keeps no lock: where Postgres sees a deadlock, and ends it';

CREATE FUNCTION @extschema@.lead_phones_apply_everywhere(tracked @extschema@.lead_phone_tables, keys bigint[], waits boolean DEFAULT true) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_any_hashed constant boolean := EXISTS (SELECT FROM unnest(keys) AS k WHERE k < 0);
    campaign constant text := @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'c'));
    few constant int := 1000;
    tries constant int := 20;
    started_at constant timestamptz := clock_timestamp();
    lock_timeout constant interval := current_setting('lock_timeout')::interval;
    campaigns text[];
    phones @extschema@.e164[];
    ordered record;
    changed bigint := 0;
BEGIN
    FOR attempt IN 1 .. 10000 LOOP
        BEGIN
            -- Who is just writing counts holds these. At first nobody waits for that in line: others would have to wait behind. Later it is the turn of
            -- those in line, who keep what they get.
            IF NOT (SELECT bool_and(@extschema@.lead_phones_lock_slot(tracked.suppressed, s, false, waits AND attempt > tries))
                      FROM unnest(@extschema@.lead_phones_slots(keys)) AS s) THEN
                RAISE lock_not_available USING MESSAGE = format('the numbers are being written to the phone counts "%s"', tracked.counts),
                    DETAIL = 'Other transactions hold them until they end.', HINT = 'Try again. pg_blocking_pids() says which sessions they are.';
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
        IF attempt <= tries OR NOT waits THEN
            PERFORM pg_sleep(attempt * 0.001);
        ELSE
            PERFORM @extschema@.lead_phones_wait_everywhere(tracked, campaigns, phones);
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
    written bigint;
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
    PERFORM @extschema@.lead_phones_take_turns(tracked, keys);
    -- Of a source, the longest is in force: so an entry that says the same, and lasts as long, is enough; and none that lasts longer is replaced.
    EXECUTE format('SELECT array_agg(DISTINCT n.number ORDER BY n.number) FROM unnest($1) AS n (number)
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
        PERFORM @extschema@.lead_phones_check_written(tracked.suppressions, 1::bigint - num_nonnulls(entry));
        EXECUTE format('INSERT INTO %s (number, entry) SELECT n, $2 FROM unnest($1) AS n ORDER BY n', tracked.suppressed)
          USING missing, entry;
        GET DIAGNOSTICS written = ROW_COUNT;
        PERFORM @extschema@.lead_phones_check_written(tracked.suppressed, cardinality(missing) - written);
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
    'internal: disqualifies numbers in every campaign, as the caller';

CREATE FUNCTION @extschema@.lead_phones_requalify_everywhere(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    phones @extschema@.e164[];
    keys bigint[];
    -- Of numbers that are known, their own keys find the rows of the counts; by a hash, every row would be looked at.
    applied bigint[];
    entries bigint;
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    IF arguments ? 'keys' THEN
        keys := ARRAY(SELECT k::bigint FROM jsonb_array_elements_text(arguments -> 'keys') AS k ORDER BY 1);
        applied := keys;
    ELSE
        phones := @extschema@.lead_phones_numbers_of(tracked, NULL, arguments);
        -- Of one that was spelled, no other reading is brought back.
        IF NOT arguments ? 'subjects' THEN
            phones := phones[1:1];
        END IF;
        keys := ARRAY(SELECT k FROM unnest(phones) AS n CROSS JOIN LATERAL unnest(@extschema@.lead_phones_keys(n)) AS k ORDER BY 1);
        applied := ARRAY(SELECT substr(n, 2)::bigint FROM unnest(phones) AS n ORDER BY 1);
    END IF;
    PERFORM @extschema@.lead_phones_take_turns(tracked, applied);
    EXECUTE format('UPDATE %s AS s SET lifted_by = $3, lifted_at = $5, lift_reason = $4 FROM %s AS p, unnest($1) AS n (number)
                     WHERE p.entry = s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL AND s.number = n.number AND p.source = coalesce($2, p.source)',
        tracked.suppressed, tracked.suppressions)
      USING keys, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason', clock_timestamp();
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN jsonb_build_object('number', phones[1], 'entries', entries, 'leads', @extschema@.lead_phones_apply_everywhere(tracked, applied));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_requalify_everywhere(regclass, jsonb) IS
    'internal: lifts disqualifications of numbers in every campaign, as the caller';

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
    PERFORM @extschema@.lead_phones_take_turns(tracked, keys);
    EXECUTE format('UPDATE %s AS p SET lifted_by = $2, lifted_at = $3, lift_reason = ''expired'' WHERE p.entry = ANY ($1) AND p.lifted_at IS NULL',
        tracked.suppressions) USING expired, arguments ->> 'by', expired_at;
    IF keys IS NOT NULL THEN
        unmarked := @extschema@.lead_phones_apply_everywhere(tracked, keys, NOT arguments ? 'all');
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire_everywhere(@extschema@.lead_phone_tables, jsonb) IS
    'internal: lifts the entries of every campaign that are past their time';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_disqualify(leads regclass, arguments jsonb) RETURNS jsonb
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
    -- Of a source, the longest is in force: an entry that says something else, or ends before, is replaced. The time is an argument: Citus
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
                      LEFT JOIN (SELECT d.phone, max(d.entry) AS entry, bool_or(d.source = $2 AND d.lifted_at IS NULL) AS in_force,
                                        max(coalesce(d.expires_at, ''infinity'')) FILTER (
                                            WHERE d.source = $2 AND d.lifted_at = $6 AND d.lift_reason = ''replaced'') AS until
                                   FROM %1$s AS d WHERE %4$s AND d.phone = ANY ($1) GROUP BY d.phone) AS e ON e.phone = k.phone
                     WHERE e.in_force IS NOT TRUE',
        tracked.disqualifications, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_with_campaign(tracked, literal, 'k.phone'),
        @extschema@.lead_phones_is_of(tracked, 'd', literal))
      USING numbers, source, reason, arguments ->> 'by', expires_at, entered_at;
    RETURN jsonb_build_object('number', numbers[1], 'leads', @extschema@.lead_phones_apply_ledger(tracked, literal, numbers, are_out => true));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify(regclass, jsonb) IS
    'internal: disqualifies numbers of a campaign, as the caller';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_requalify(leads regclass, arguments jsonb) RETURNS jsonb
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
    'internal: lifts disqualifications of numbers of a campaign, as the caller';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_expire(leads regclass, arguments jsonb) RETURNS jsonb
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
    'internal: lifts the disqualifications that are past their time, as the caller';

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
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A call that is corrected lifts what it entered.', HINT = 'Name another source.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_not_of_calls(text) IS
    'internal: an error where an entry is made by hand under the name of those of calls';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_call(leads regclass, action text, arguments jsonb) RETURNS jsonb
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
                      HINT = CASE required WHEN 'source' THEN 'Name who or what asks for it, or leave it out for "manual".'
                          ELSE 'Name the campaign and its number, as in CALL disqualify_phone(42, ''678 999 8212''); NULL is every campaign.' END;
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_check_source(arguments ->> 'source');
    arguments := arguments || jsonb_build_object('by', @extschema@.lead_phones_caller());
    -- From the start: with a weaker lock, it would wait for one who tracks the table, and be waited for.
    PERFORM @extschema@.lead_phones_hold_to_write(@extschema@.lead_phones_meant(leads));
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

CREATE OR REPLACE PROCEDURE @extschema@.disqualify_phone(
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

CREATE OR REPLACE PROCEDURE @extschema@.disqualify_phone(
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

CREATE OR REPLACE PROCEDURE @extschema@.disqualify_phone(
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

CREATE OR REPLACE PROCEDURE @extschema@.requalify_phone(
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

CREATE OR REPLACE PROCEDURE @extschema@.requalify_phone(
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

CREATE OR REPLACE PROCEDURE @extschema@.requalify_phone(
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

CREATE OR REPLACE PROCEDURE @extschema@.expire_disqualifications(
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_members(leads regclass) RETURNS SETOF regclass
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_check_member(leads regclass, member regclass, settings jsonb) RETURNS void
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_root_left(relation regclass, parent regclass, altering_user oid) RETURNS regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT r FROM @extschema@.lead_phones_root(parent) AS r
     WHERE r <> ALL (ARRAY(SELECT @extschema@.lead_phones_roots(relation)))
       AND relation <> ALL (ARRAY(SELECT @extschema@.lead_phones_roots(relation)))
       -- The names of a command can mean other tables when it is over: a role that owns neither has not altered them.
       AND EXISTS (SELECT FROM pg_catalog.pg_class AS c
                    WHERE c.oid IN (relation, parent) AND pg_has_role(altering_user, c.relowner, 'USAGE'))
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_dropped_members(named regclass[], dropping_user oid)
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_join(leads regclass, arguments jsonb) RETURNS jsonb
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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_take_off(tracked @extschema@.lead_phone_tables, tables regclass[]) RETURNS void
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

CREATE FUNCTION @extschema@.lead_phones_is_local() RETURNS boolean
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_local_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_local() IS
    'internal: whether statements are planned for the shards of this node, and see no distributed table';

CREATE FUNCTION @extschema@.lead_phones_is_elsewhere(leads regclass) RETURNS boolean
    STABLE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_elsewhere_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_elsewhere(regclass) IS
    'internal: whether lead tables are on another node of Citus';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_is_distributed(leads regclass) RETURNS boolean
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_distributed_wrapper';

CREATE FUNCTION @extschema@.lead_phones_is_sent() RETURNS boolean
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_sent_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_sent() IS 'internal: whether Citus sent what runs from another node';

CREATE FUNCTION @extschema@.lead_phones_is_local_part(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- truncate_local_data_after_distributing_table() switches propagation off while it truncates.
    RETURN @extschema@.lead_phones_is_shard(relation)
        OR @extschema@.lead_phones_is_distributed(relation) AND NOT current_setting('citus.enable_ddl_propagation')::boolean;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_local_part(regclass) IS
    'internal: whether what is truncated is a shard, or what distributing a table has left on the coordinator: not the table itself';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_check_citus(leads regclass, campaign_column name) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    table_type text;
    distribution_column text;
    node_group integer;
BEGIN
    IF @extschema@.lead_phones_is_shard(leads) THEN
        RAISE EXCEPTION 'cannot track "%": it is a shard', leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'Citus keeps the triggers of shards in line with those of their distributed table.',
                  HINT = 'Track the distributed table, on the coordinator.';
    END IF;
    IF NOT @extschema@.lead_phones_is_distributed(leads) THEN
        RETURN;
    END IF;
    EXECUTE 'SELECT CASE WHEN p.partmethod = ''h'' THEN ''hash'' WHEN p.partmethod = ''n'' AND p.repmodel = ''t'' THEN ''reference''
                         WHEN p.partmethod = ''n'' THEN ''single shard'' ELSE ''other'' END,
                    CASE WHEN p.partkey IS NOT NULL THEN pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) END
               FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $1'
       INTO table_type, distribution_column USING leads;
    EXECUTE 'SELECT g.groupid FROM pg_catalog.pg_dist_local_group AS g' INTO node_group;
    IF node_group <> 0 THEN
        RAISE EXCEPTION 'cannot track distributed table "%" on a worker', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'The coordinator creates the triggers of all nodes.',
                  HINT = 'Run track_lead_phones() on the coordinator.';
    END IF;
    IF table_type NOT IN ('hash', 'single shard') OR campaign_column IS NULL OR table_type = 'hash' AND distribution_column <> campaign_column THEN
        RAISE EXCEPTION 'cannot track "%": Citus does not distribute it by its campaign column', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = CASE table_type WHEN 'hash' THEN format('It is distributed by column %I.', distribution_column)
                      WHEN 'reference' THEN 'It is a reference table.' ELSE 'It is not distributed by hash.' END,
                  HINT = CASE WHEN campaign_column IS NULL THEN 'Track it by a column of campaigns: counts and leads of a campaign must be on one node.'
                      ELSE format('Distribute it with create_distributed_table(%L, %L): counts and leads of a campaign must be on one node.',
                          leads, campaign_column) END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE leads IN (i.inhparent, i.inhrelid)) THEN
        RAISE EXCEPTION 'cannot track "%": it is distributed and has partitions', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'On a worker a shard of a partition is not known to belong to the shard above it.',
                  HINT = 'Distribute a table without partitions.';
    END IF;
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_count_shard(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    numbers jsonb;
BEGIN
    -- Citus gives the triggers of shards new names; the settings are the same.
    SELECT t.* INTO tracked FROM pg_catalog.pg_trigger AS g
     CROSS JOIN LATERAL @extschema@.lead_phones_tracked_by(g.tgrelid::regclass, @extschema@.lead_phones_settings(g.tgargs)) AS t
     WHERE g.tgrelid = lead_phones_count_shard.leads AND g.tgfoid = '@extschema@.lead_phones_count()'::regprocedure LIMIT 1;
    -- What is counted is written, whatever the counts said: their rows may have come along. One campaign a statement, which goes to one
    -- shard, and no more of it than a jsonb can hold.
    FOR numbers IN EXECUTE format('SELECT jsonb_agg(to_jsonb(r)) FROM (SELECT q.*, row_number() OVER (PARTITION BY q.campaign) / 100000 AS part FROM (%s) AS q) AS r
             GROUP BY r.campaign, r.part', @extschema@.lead_phones_recount_query(tracked, leads::text)) LOOP
        EXECUTE format($dml$
            INSERT INTO %1$s AS c (%2$s, lead_count, %3$s)
            SELECT %8$s, r.lead_count, %4$s FROM jsonb_to_recordset($1) AS r (campaign %5$s, phone @extschema@.e164, lead_count bigint, %6$s)
            ON CONFLICT (%2$s) DO UPDATE SET lead_count = EXCLUDED.lead_count, %7$s$dml$,
            tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_each(tracked, '%3$I', ', '),
            @extschema@.lead_phones_each(tracked, 'r.count%5$s', ', '),
            coalesce((SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = tracked.leads AND a.attname = tracked.campaign_column), 'boolean'),
            @extschema@.lead_phones_each(tracked, 'count%5$s bigint', ', '), @extschema@.lead_phones_each(tracked, '%3$I = EXCLUDED.%3$I', ', '),
            @extschema@.lead_phones_with_campaign(tracked, 'r.campaign', 'r.phone')) USING numbers;
    END LOOP;
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_count_shard(regclass, jsonb) IS
    'internal: counts a shard that Citus fills as it distributes a table, whose counts may have come along';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_colocate(leads regclass, beside regclass, campaign_column name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    same boolean;
BEGIN
    IF NOT @extschema@.lead_phones_is_distributed(leads) THEN
        RETURN;
    END IF;
    IF NOT @extschema@.lead_phones_is_distributed(beside) THEN
        -- beside a table of one shard, and in a schema that is distributed as a whole, there is no column
        EXECUTE 'SELECT pg_catalog.create_distributed_table($1, CASE WHEN p.partkey IS NOT NULL THEN $2 END, colocate_with => $3)
                   FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $4'
          USING beside, campaign_column::text, leads::text, leads;
    END IF;
    EXECUTE 'SELECT l.colocationid = b.colocationid FROM pg_catalog.pg_dist_partition AS l, pg_catalog.pg_dist_partition AS b
              WHERE l.logicalrelid = $1 AND b.logicalrelid = $2' INTO same USING leads, beside;
    IF NOT same THEN
        RAISE EXCEPTION 'tables "%" and "%" are not colocated', leads, beside
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and leads of a campaign must be on one node.',
                  HINT = format('Run undistribute_table(%L), then create_distributed_table(%1$L, %L, colocate_with => %L).',
                      beside, campaign_column, leads);
    END IF;
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_is_distributed_schema(schema name) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    distributed boolean;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_schema') IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_schema AS s WHERE s.schemaid = pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)))'
       INTO distributed USING schema;
    RETURN distributed;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_distributed_schema(name) IS
    'internal: whether Citus distributes a schema as a whole';

CREATE FUNCTION @extschema@.lead_phones_check_placement(schema name) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT @extschema@.lead_phones_is_distributed_schema(schema) AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind IN ('r', 'p')
           AND c.relname IN ('leads', 'contacts', 'accounts', 'campaigns', 'lead_disqualifications', 'campaign_phone_counts', 'campaign_phone_disqualifications')
           AND @extschema@.lead_phones_is_distributed(c.oid::regclass)) THEN
        RAISE EXCEPTION 'Citus distributes tables of the lead tables of schema "%"', schema
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Their rules look at many of them at once: all are on one node.',
                  HINT = format('Dump their data, run DROP SCHEMA %I CASCADE, create the lead tables again, and distribute them with distribute_lead_tables(%L).', schema, schema);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_placement(name) IS
    'internal: an error where lead tables are distributed, and not all of them as a schema';

CREATE FUNCTION @extschema@.lead_phones_has_node(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN @extschema@.lead_phones_is_distributed(relation) AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS n ON n.relnamespace = c.relnamespace
         WHERE c.oid = relation AND n.relname = 'lead_node' AND n.relkind = 'r');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_has_node(regclass) IS
    'internal: whether a table belongs to lead tables that distribute_lead_tables() has distributed';

CREATE FUNCTION @extschema@.lead_phones_lost_a_column(relation regclass) RETURNS boolean
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute AS d WHERE d.attrelid = relation AND d.attisdropped
                      AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > d.attnum AND NOT a.attisdropped))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lost_a_column(regclass) IS
    'internal: whether a column was dropped before others of a table';

CREATE FUNCTION @extschema@.lead_phones_add_node(leads regclass) RETURNS void
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_add_node_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_add_node(regclass) IS
    'internal: creates the table by which statements are sent to the node of lead tables, for their owner';

CREATE FUNCTION @extschema@.distribute_lead_tables(schema name DEFAULT current_schema()) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    leads constant regclass := CASE WHEN schema IS NOT NULL THEN to_regclass(format('%I.leads', schema)) END;
    is_on_coordinator boolean;
    relation regclass;
BEGIN
    IF schema IS NULL OR leads IS NULL THEN
        RAISE EXCEPTION 'schema "%" has no lead tables', coalesce(schema, '')
            USING ERRCODE = 'undefined_table', HINT = 'Run create_lead_tables() before.';
    END IF;
    PERFORM @extschema@.lead_phones_hold(ARRAY[leads::oid]);
    IF to_regclass('pg_catalog.pg_dist_schema') IS NULL THEN
        RAISE EXCEPTION 'lead tables cannot be distributed: this database has no Citus'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Schemas are distributed by Citus from version 12.0 on.',
                  HINT = 'Run CREATE EXTENSION citus on every node, and add the nodes.';
    END IF;
    EXECUTE 'SELECT g.groupid = 0 FROM pg_catalog.pg_dist_local_group AS g' INTO is_on_coordinator;
    IF NOT is_on_coordinator THEN
        RAISE EXCEPTION 'lead tables cannot be distributed from a worker'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'The coordinator places the tables of all nodes.',
                  HINT = 'Run distribute_lead_tables() on the coordinator.';
    END IF;
    IF to_regclass(format('%I.lead_node', schema)) IS NOT NULL THEN
        IF NOT @extschema@.lead_phones_is_distributed(to_regclass(format('%I.lead_node', schema))) THEN
            RAISE EXCEPTION 'table "%.lead_node" is not one that distribute_lead_tables() creates', schema
                USING ERRCODE = 'duplicate_table', DETAIL = 'A dump of distributed lead tables restores it as an ordinary table.',
                      HINT = format('Run DROP TABLE %I.lead_node, then SELECT distribute_lead_tables(%L).', schema, schema);
        END IF;
        RAISE NOTICE 'the lead tables of schema "%" are distributed already', schema;
        RETURN;
    END IF;
    SELECT c.oid INTO relation FROM pg_catalog.pg_class AS c
     WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind = 'r' AND @extschema@.lead_phones_lost_a_column(c.oid::regclass) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table "%" cannot be distributed: a column of it was dropped', relation
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Citus creates its shard without it: the columns after it would be in other places.',
                  HINT = 'Dump the data of the lead tables, drop the schema, create them again, restore the data, and distribute them.';
    END IF;
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', true), set_config('citus.multi_shard_modify_mode', 'sequential', true);
    IF NOT @extschema@.lead_phones_is_distributed_schema(schema) THEN
        PERFORM @extschema@.lead_phones_model(leads);
        EXECUTE 'SELECT pg_catalog.citus_schema_distribute($1)' USING to_regnamespace(quote_ident(schema));
    ELSIF NOT @extschema@.lead_phones_is_distributed(leads) THEN
        RAISE EXCEPTION 'schema "%" is distributed already, and its lead tables are not', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Citus distributes a schema with the tables that are in it then.',
                  HINT = format('Run SELECT citus_schema_undistribute(%L), then distribute_lead_tables(%1$L).', schema);
    END IF;
    PERFORM @extschema@.lead_phones_add_node(leads);
    -- what was copied to the node
    FOR relation IN SELECT c.oid FROM pg_catalog.pg_class AS c
                     WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
                       AND @extschema@.lead_phones_is_distributed(c.oid::regclass) ORDER BY c.relname LOOP
        EXECUTE 'SELECT pg_catalog.truncate_local_data_after_distributing_table($1)' USING relation;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.distribute_lead_tables(name) IS
    'has Citus place lead tables on a node, all of a schema together. Example: SELECT distribute_lead_tables(''crm'')';

CREATE FUNCTION @extschema@.lead_phones_domains_above(raw text) RETURNS text[]
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_domains_above_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_domains_above(text) IS
    'internal: the domains in a website or an e-mail address, and those that they are below';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_email(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_email_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_email(text) IS
    'internal: the e-mail address in a text, NULL where there is none';

CREATE FUNCTION @extschema@.lead_phones_email_key(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_email_key_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_email_key(text) IS
    'internal: the e-mail address in a text as it is compared';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_company_key(name text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_company_key_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_company_key(text) IS
    'internal: the name of a company as it is compared: its letters and digits in lower case';

CREATE FUNCTION @extschema@.lead_phones_trimmed(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_trimmed_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_trimmed(text) IS
    'internal: a value without the blanks and invisible characters around it, NULL where there is nothing else';

CREATE FUNCTION @extschema@.lead_phones_subjects(
    campaign bigint, contact bigint, email text, name text, phone text, mobile text, account bigint, company_key text, domain text) RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 20
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_subjects_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_subjects(bigint, bigint, text, text, text, text, bigint, text, text) IS
    'internal: by what a person, or a company, is meant in the ledger of lead tables';

CREATE FUNCTION @extschema@.lead_phones_keep_out() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keep_out_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out() IS
    'trigger of contacts and accounts: who is disqualified stays so when the row is changed or deleted';

CREATE FUNCTION @extschema@.lead_phones_keep_out_before() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keep_out_before_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_before() IS
    'trigger of accounts: what kept a company out outlives its row';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_keep_uploaded() RETURNS trigger
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RAISE EXCEPTION 'lead % says what was uploaded, and cannot be edited', OLD.lead_id
        USING ERRCODE = 'feature_not_supported',
              DETAIL = 'Who a lead is about, and by which numbers, is in contacts.',
              HINT = format('UPDATE %I.contacts SET ... WHERE campaign_id = %s AND contact_id = %s.',
                  TG_TABLE_SCHEMA, OLD.campaign_id, OLD.contact_id);
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_upload_step(leads regclass, step text, arguments jsonb) RETURNS jsonb
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_upload_step_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_upload_step(regclass, text, jsonb) IS
    'internal: runs a step of an upload as the owner of the lead tables, for a role that may insert leads';

CREATE FUNCTION @extschema@.lead_phones_write_domain() RETURNS trigger
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    NEW.domain := coalesce(@extschema@.lead_phones_domain(NEW.domain), NEW.domain);
    RETURN NEW;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_write_domain() IS
    'trigger of accounts: writes a domain in the one form in which it is compared';

CREATE FUNCTION @extschema@.lead_phones_visible_leads() RETURNS pg_catalog.regclass
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    known constant pg_catalog.regclass[] := ARRAY(
        SELECT t.tgrelid::pg_catalog.regclass FROM pg_catalog.pg_trigger AS t
         -- and not of a shard, whose triggers have other names
         WHERE t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND t.tgname OPERATOR(pg_catalog.=) 'lead_phones_split' AND t.tgfoid
               OPERATOR(pg_catalog.=) '@extschema@.lead_phones_split()'::pg_catalog.regprocedure::pg_catalog.oid);
    seen pg_catalog.regclass[] := @extschema@.lead_phones_visible(known, pg_catalog.current_schemas(false));
BEGIN
    -- What Citus sends to a node comes without the search_path.
    IF pg_catalog.cardinality(seen) OPERATOR(pg_catalog.=) 0
       AND @extschema@.lead_phones_is_sent() THEN
        seen := known;
    END IF;
    RETURN @extschema@.lead_phones_only(seen, 'contacts'::pg_catalog.text);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_leads() IS
    'internal: the leads of the one set of lead tables that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_check_schema(schema name, owner oid) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    stranger text;
    planted text;
BEGIN
    -- The rules of lead tables run as their owner, and look functions and operators up in this schema. A role that can put one there, or has,
    -- would run code as that owner.
    SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END INTO stranger
      FROM pg_catalog.pg_namespace AS n
      LEFT JOIN pg_catalog.pg_database AS b ON b.datname = current_database()
     CROSS JOIN LATERAL (
        SELECT n.nspowner AS grantee
         UNION ALL
        SELECT a.grantee FROM aclexplode(n.nspacl) AS a WHERE a.privilege_type = 'CREATE') AS g
     WHERE n.nspname = schema
       AND (g.grantee = 0 OR NOT pg_has_role(CASE pg_get_userbyid(g.grantee) WHEN 'pg_database_owner' THEN b.datdba ELSE g.grantee END, owner, 'MEMBER'))
     LIMIT 1;
    IF stranger IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" of lead tables is open to %', schema, stranger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Who may create objects there could run them as %s, the owner of the tables.', pg_get_userbyid(owner)),
                  HINT = format('Run REVOKE CREATE ON SCHEMA %I FROM %s, or let one role own schema and tables.', schema,
                      CASE stranger WHEN 'PUBLIC' THEN stranger ELSE quote_ident(stranger) END);
    END IF;
    SELECT pg_describe_object(d.classid, d.objid, 0) INTO planted
      FROM pg_catalog.pg_namespace AS n
      JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
      LEFT JOIN pg_catalog.pg_proc AS p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
      LEFT JOIN pg_catalog.pg_operator AS o ON d.classid = 'pg_catalog.pg_operator'::regclass AND o.oid = d.objid
     WHERE n.nspname = schema AND NOT pg_has_role(coalesce(p.proowner, o.oprowner), owner, 'MEMBER')
     LIMIT 1;
    IF planted IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" of lead tables has a % of somebody else', schema, planted
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It could be run as %s, the owner of the tables.', pg_get_userbyid(owner)),
                  HINT = 'Drop it, or let one role own what is in the schema.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_schema(name, oid) IS
    'internal: an error where somebody but the owner of lead tables can put functions into their schema, or has';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_model(leads regclass) RETURNS name
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name;
    foreign_table text;
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name one of the lead tables, or leave it out for those that search_path sees.';
    END IF;
    SELECT n.nspname INTO schema
      FROM pg_catalog.pg_class AS r
      JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'leads'
      JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure AND t.tgparentid = 0
     WHERE r.oid = lead_phones_model.leads;
    IF schema IS NULL THEN
        RAISE EXCEPTION 'there are no lead tables beside "%"', leads
            USING ERRCODE = 'undefined_table',
                  HINT = 'Run create_lead_tables(), or name the leads table with leads => ''schema.leads''.';
    END IF;
    PERFORM @extschema@.lead_phones_check_placement(schema);
    -- What is done to one of these tables runs as its owner, who must own all that it touches.
    SELECT string_agg(w.name, ', ') INTO foreign_table
      FROM unnest('{leads,campaigns,accounts,contacts,free_mail_domains,lead_uploads,lead_upload_problems,
                    lead_disqualifications,lead_disqualification_subjects,campaign_phone_counts,campaign_phone_disqualifications,
                    phone_suppressions,suppressed_phones,suppression_syncs,dispositions,calls,call_outcomes,lead_claims,call_rules,
                    account_disqualifications,contact_disqualifications,call_refusals,callable_leads,lead_reasons,lead_ledger}'::text[]) AS w (name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname = schema AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v')
                          AND c.relowner = (SELECT l.relowner FROM pg_catalog.pg_class AS l
                                             WHERE l.relname = 'leads' AND l.relnamespace = n.oid));
    IF foreign_table IS NOT NULL THEN
        RAISE EXCEPTION 'the lead tables of schema "%" are not complete', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Missing, or of another owner than leads: %s.', foreign_table),
                  HINT = 'The tables that create_lead_tables() creates keep their names and have one owner.';
    END IF;
    PERFORM @extschema@.lead_phones_check_schema(schema, (SELECT l.relowner FROM pg_catalog.pg_class AS l WHERE l.oid = leads));
    RETURN schema;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_known_campaign(campaign bigint, otherwise text) RETURNS void
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM campaigns AS c WHERE c.campaign_id = campaign) THEN
        RAISE EXCEPTION 'campaign % does not exist', campaign
            USING ERRCODE = otherwise, DETAIL = format('Table "%I.campaigns" has no such campaign_id.', current_schema()),
                  HINT = 'Insert the campaign before its leads.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_campaign(bigint, text) IS
    'internal: raises an error by a name of its SQLSTATE unless the campaign exists';

CREATE OR REPLACE FUNCTION @extschema@.create_lead_tables(schema name DEFAULT current_schema()) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    existing text;
    propagates constant text := current_setting('citus.enable_ddl_propagation', true);
BEGIN
    IF schema IS NULL THEN
        RAISE EXCEPTION 'no schema has been selected to create lead tables in'
            USING ERRCODE = 'invalid_schema_name', DETAIL = 'None was named, and search_path names none that exists.',
                  HINT = 'Name one, as in create_lead_tables(''crm'').';
    END IF;
    IF schema LIKE 'pg\_%' OR schema = 'information_schema' THEN
        RAISE EXCEPTION 'lead tables cannot be created in schema "%"', schema
            USING ERRCODE = 'reserved_name', DETAIL = 'It is a schema of Postgres: a dump would not have them.',
                  HINT = 'Run CREATE SCHEMA before, and name that.';
    END IF;
    IF to_regnamespace(quote_ident(schema)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema
            USING ERRCODE = 'invalid_schema_name', HINT = 'Run CREATE SCHEMA before, or set search_path.';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = to_regclass(format('%I.leads', schema))
                  AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
        RAISE NOTICE 'schema "%" has lead tables already', schema;
        RETURN;
    END IF;
    SELECT string_agg(quote_ident(c.relname), ', ' ORDER BY c.relname) INTO existing FROM pg_catalog.pg_class AS c
     WHERE c.relnamespace = to_regnamespace(quote_ident(schema))
       AND c.relname IN ('campaigns', 'free_mail_domains', 'accounts', 'contacts', 'lead_uploads', 'lead_upload_problems', 'leads',
                         'lead_disqualifications', 'lead_disqualification_subjects', 'suppression_syncs', 'lead_ledger', 'lead_reasons', 'callable_leads',
                         'account_disqualifications', 'contact_disqualifications', 'dispositions', 'calls', 'call_outcomes', 'lead_claims',
                         'call_rules', 'call_refusals',
                         'campaign_phone_counts', 'campaign_phone_disqualifications');
    IF existing IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" has relations of the names that lead tables need', schema
            USING ERRCODE = 'duplicate_table',
                  DETAIL = format('They are %s.', existing),
                  HINT = 'Create the lead tables in a schema of their own.';
    END IF;
    PERFORM @extschema@.lead_phones_check_schema(schema, (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user));
    -- pg_catalog comes first where it is not named; objects are created in the schema that is.
    PERFORM set_config('search_path', format('%I, pg_temp', schema), true);
    CREATE TABLE campaigns (
        campaign_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        region text NOT NULL DEFAULT 'US',
        created_at timestamptz NOT NULL DEFAULT now());

    CREATE TABLE free_mail_domains (domain text COLLATE "C" PRIMARY KEY CHECK (domain = lower(domain)));

    CREATE TABLE accounts (
        campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
        account_id bigint GENERATED BY DEFAULT AS IDENTITY,
        name text,
        name_key text COLLATE "C" GENERATED ALWAYS AS (@extschema@.lead_phones_company_key(name)) STORED,
        domain text COLLATE "C",
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (campaign_id, account_id));
    -- partial, so that the domain is no key: who gives an account its domain does not wait for those who add contacts to it
    CREATE UNIQUE INDEX accounts_domain_idx ON accounts (campaign_id, domain) WHERE domain IS NOT NULL;
    CREATE UNIQUE INDEX accounts_name_without_domain_idx ON accounts (campaign_id, name_key) WHERE domain IS NULL;
    CREATE INDEX accounts_name_idx ON accounts (campaign_id, name_key);

    CREATE TABLE contacts (
        campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
        contact_id bigint GENERATED BY DEFAULT AS IDENTITY,
        account_id bigint,
        email text COLLATE "C",
        name text,
        title text,
        phone text,
        mobile text,
        region text NOT NULL DEFAULT 'US',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (campaign_id, contact_id),
        FOREIGN KEY (campaign_id, account_id) REFERENCES accounts);
    CREATE INDEX contacts_account_idx ON contacts (campaign_id, account_id);

    CREATE TABLE lead_uploads (
        campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
        upload_id bigint GENERATED BY DEFAULT AS IDENTITY,
        file_name text,
        uploaded_by text NOT NULL DEFAULT current_user,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz,
        columns jsonb,
        rows_in_file bigint,
        created bigint,
        updated bigint,
        duplicates_in_file bigint,
        refused bigint,
        invalid_phone bigint,
        invalid_mobile bigint,
        without_valid_number bigint,
        disqualified_on_arrival bigint,
        PRIMARY KEY (campaign_id, upload_id),
        CHECK (rows_in_file = created + updated + duplicates_in_file + refused));

    CREATE TABLE lead_upload_problems (
        campaign_id bigint NOT NULL,
        upload_id bigint NOT NULL,
        row_number bigint NOT NULL,
        column_name text NOT NULL,
        raw_value text,
        reason text NOT NULL,
        PRIMARY KEY (campaign_id, upload_id, row_number, column_name),
        FOREIGN KEY (campaign_id, upload_id) REFERENCES lead_uploads ON DELETE CASCADE);

    CREATE TABLE leads (
        campaign_id bigint NOT NULL,
        lead_id bigint GENERATED BY DEFAULT AS IDENTITY,
        contact_id bigint,
        upload_id bigint,
        row_number bigint,
        email text,
        name text,
        title text,
        company text,
        website text,
        phone text,
        mobile text,
        custom jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (campaign_id, lead_id),
        FOREIGN KEY (campaign_id, contact_id) REFERENCES contacts ON DELETE CASCADE);
    CREATE INDEX leads_contact_idx ON leads (campaign_id, contact_id, lead_id);
    CREATE INDEX leads_lead_idx ON leads (lead_id);

    CREATE TABLE lead_disqualifications (
        entry bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        campaign_id bigint,
        account_id bigint,
        contact_id bigint,
        domain text COLLATE "C",
        source text NOT NULL,
        reason text,
        disqualified_by text NOT NULL,
        disqualified_at timestamptz NOT NULL,
        expires_at timestamptz,
        lifted_by text,
        lifted_at timestamptz,
        lift_reason text,
        CONSTRAINT lead_disqualifications_one_subject CHECK (num_nonnulls(account_id, contact_id, domain) = 1),
        CONSTRAINT lead_disqualifications_campaign CHECK (campaign_id IS NOT NULL OR domain IS NOT NULL));
    CREATE UNIQUE INDEX lead_disqualifications_account_idx ON lead_disqualifications (campaign_id, account_id, source)
        WHERE lifted_at IS NULL AND account_id IS NOT NULL;
    CREATE UNIQUE INDEX lead_disqualifications_contact_idx ON lead_disqualifications (campaign_id, contact_id, source)
        WHERE lifted_at IS NULL AND contact_id IS NOT NULL;
    CREATE INDEX lead_disqualifications_expires_at_idx ON lead_disqualifications (expires_at)
        WHERE lifted_at IS NULL AND expires_at IS NOT NULL;

    PERFORM @extschema@.track_lead_phones('contacts'::regclass, region_column => 'region', keep_extensions => true);
    CREATE TRIGGER lead_phones_split AFTER INSERT ON leads REFERENCING NEW TABLE AS new_leads
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_split();
    CREATE TRIGGER lead_phones_keep_uploaded BEFORE UPDATE ON leads FOR EACH ROW
        WHEN ((OLD.campaign_id, OLD.lead_id, OLD.email, OLD.name, OLD.title, OLD.company, OLD.website, OLD.phone, OLD.mobile)
              IS DISTINCT FROM
              (NEW.campaign_id, NEW.lead_id, NEW.email, NEW.name, NEW.title, NEW.company, NEW.website, NEW.phone, NEW.mobile))
        EXECUTE FUNCTION @extschema@.lead_phones_keep_uploaded();
    -- Citus would say of each view that it is not on the workers: neither are the tables, as yet.
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    END IF;
    PERFORM @extschema@.lead_phones_create_rules();
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        PERFORM set_config('citus.enable_ddl_propagation', propagates, true);
    END IF;
    COMMENT ON TABLE campaigns IS 'campaigns, and the region of numbers that are written without a country code in them';
    COMMENT ON TABLE free_mail_domains IS 'domains of e-mail providers and others that say nothing of a company; edit it as you need';
    COMMENT ON TABLE accounts IS 'companies: one row for each in a campaign';
    COMMENT ON COLUMN accounts.name_key IS 'the name as it is compared: its letters and digits, in lower case';
    COMMENT ON COLUMN accounts.domain IS 'the Internet domain that the company is known by';
    COMMENT ON TABLE contacts IS 'people: one row for each e-mail address in a campaign, or for a lead without one; tracked by lead_phones';
    COMMENT ON COLUMN contacts.region IS 'region of its numbers, where they are written without a country code';
    COMMENT ON TABLE leads IS 'what was uploaded, row by row, and which contact it is about';
    COMMENT ON COLUMN leads.contact_id IS 'the person; left NULL it is found, or made, by the e-mail address';
    COMMENT ON COLUMN leads.upload_id IS 'the upload that brought it, NULL for a lead that was inserted';
    COMMENT ON COLUMN leads.row_number IS 'its row in the file';
    COMMENT ON COLUMN leads.custom IS 'columns of the file that mean nothing to lead_phones';
    COMMENT ON TABLE lead_uploads IS 'receipts of uploads';
    COMMENT ON COLUMN lead_uploads.columns IS 'which column of the file was taken for which';
    COMMENT ON COLUMN lead_uploads.created IS 'rows that brought a new contact';
    COMMENT ON COLUMN lead_uploads.updated IS 'rows whose e-mail address was in the campaign already';
    COMMENT ON COLUMN lead_uploads.duplicates_in_file IS 'rows whose e-mail address came in an earlier row of the file';
    COMMENT ON COLUMN lead_uploads.refused IS 'rows that say nothing, and were left out';
    COMMENT ON COLUMN lead_uploads.disqualified_on_arrival IS 'rows with a number of which none may be called';
    COMMENT ON TABLE lead_upload_problems IS 'values of uploads that could not be used, and why';
    COMMENT ON TABLE lead_disqualifications IS 'ledger of disqualified accounts and contacts, and suppressed domains';
    COMMENT ON COLUMN lead_disqualifications.campaign_id IS 'NULL for all campaigns';
END
$function$;
COMMENT ON FUNCTION @extschema@.create_lead_tables(name) IS
    'creates tables of campaigns, accounts, contacts, leads, uploads and calls in a schema, and tracks the numbers of the contacts. Example: SELECT create_lead_tables(''crm'')';

CREATE FUNCTION @extschema@.lead_phones_create_rules() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- What version 0.3.0 added to the lead tables of 0.2.0: new ones get it here as well.
    CREATE UNIQUE INDEX contacts_email_idx ON contacts (campaign_id, @extschema@.lead_phones_email_key(email));
    CREATE UNIQUE INDEX lead_disqualifications_domain_idx ON lead_disqualifications (domain, source)
        WHERE lifted_at IS NULL AND domain IS NOT NULL AND campaign_id IS NULL;
    CREATE UNIQUE INDEX lead_disqualifications_campaign_domain_idx ON lead_disqualifications (campaign_id, domain, source)
        WHERE lifted_at IS NULL AND domain IS NOT NULL;
    CREATE TABLE lead_disqualification_subjects (
        subject text COLLATE "C" NOT NULL,
        entry bigint NOT NULL REFERENCES lead_disqualifications ON DELETE CASCADE,
        PRIMARY KEY (subject, entry));
    CREATE INDEX lead_disqualification_subjects_entry_idx ON lead_disqualification_subjects (entry);
    CREATE TABLE suppression_syncs (
        sync bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        source text NOT NULL,
        list text NOT NULL,
        synced_by text NOT NULL,
        synced_at timestamptz NOT NULL,
        added bigint NOT NULL,
        kept bigint NOT NULL,
        lifted bigint NOT NULL,
        invalid bigint NOT NULL);
    COMMENT ON TABLE suppression_syncs IS 'receipts of lists that were taken over: when, by whom, and what changed';
    COMMENT ON TABLE lead_disqualification_subjects IS 'whom an entry of lead_disqualifications holds for: it means people and companies, and outlives their rows';
    COMMENT ON COLUMN lead_disqualification_subjects.subject IS 'account, contact, company, domain, email or person, and which';
    INSERT INTO free_mail_domains (domain)
    SELECT unnest('{gmail.com,googlemail.com,yahoo.com,yahoo.co.uk,yahoo.ca,yahoo.fr,yahoo.de,yahoo.co.in,yahoo.com.br,ymail.com,
        rocketmail.com,hotmail.com,hotmail.co.uk,hotmail.fr,hotmail.de,outlook.com,outlook.de,outlook.fr,live.com,live.co.uk,msn.com,
        aol.com,aim.com,icloud.com,me.com,mac.com,proton.me,protonmail.com,pm.me,gmx.com,gmx.de,gmx.net,gmx.at,gmx.ch,web.de,
        t-online.de,freenet.de,mail.com,mail.ru,bk.ru,inbox.ru,list.ru,yandex.ru,yandex.com,qq.com,163.com,126.com,sina.com,foxmail.com,
        naver.com,hanmail.net,daum.net,orange.fr,wanadoo.fr,free.fr,laposte.net,sfr.fr,libero.it,virgilio.it,tiscali.it,alice.it,
        uol.com.br,bol.com.br,terra.com.br,rediffmail.com,zoho.com,fastmail.com,hey.com,tutanota.com,tuta.io,comcast.net,xfinity.com,
        verizon.net,att.net,sbcglobal.net,bellsouth.net,cox.net,charter.net,spectrum.net,earthlink.net,juno.com,optonline.net,
        btinternet.com,sky.com,virginmedia.com,ntlworld.com,talktalk.net,rogers.com,shaw.ca,sympatico.ca,telus.net,bigpond.com,
        optusnet.com.au,seznam.cz,wp.pl,o2.pl,onet.pl,interia.pl,ukr.net,telenet.be,skynet.be,ziggo.nl,kpnmail.nl,planet.nl,bluewin.ch,
        facebook.com,fb.com,instagram.com,linkedin.com,lnkd.in,twitter.com,x.com,t.co,youtube.com,youtu.be,tiktok.com,pinterest.com,pin.it,snapchat.com,
        threads.net,bsky.app,mastodon.social,reddit.com,vk.com,ok.ru,weibo.com,xing.com,whatsapp.com,wa.me,t.me,telegram.me,telegram.org,line.me,skype.com,
        discord.com,discord.gg,medium.com,substack.com,tumblr.com,quora.com,github.com,gitlab.com,yelp.com,tripadvisor.com,google.com,goo.gl,g.page,g.co,bing.com,
        apple.com,apps.apple.com,wikipedia.org,crunchbase.com,angel.co,glassdoor.com,indeed.com,zoominfo.com,calendly.com,eventbrite.com,meetup.com,etsy.com,
        ebay.com,amazon.com,bit.ly,tinyurl.com,ow.ly,buff.ly,is.gd,rebrand.ly,lnk.bio,linktr.ee,beacons.ai,about.me,carrd.co,wixsite.com,wordpress.com,
        blogspot.com,weebly.com,squarespace.com,godaddysites.com,webflow.io,notion.site,sites.google.com,herokuapp.com,netlify.app,vercel.app,github.io}'::text[])
    ON CONFLICT DO NOTHING;
    CREATE TRIGGER lead_phones_keep_out_insert AFTER INSERT ON contacts REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_keep_out_update AFTER UPDATE ON contacts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_keep_out_delete AFTER DELETE ON contacts REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_keep_out_truncate BEFORE TRUNCATE ON contacts
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_write_domain BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW
        WHEN (NEW.domain IS NOT NULL) EXECUTE FUNCTION @extschema@.lead_phones_write_domain();
    CREATE TRIGGER lead_phones_keep_out_before BEFORE UPDATE OR DELETE ON accounts
        FOR EACH ROW EXECUTE FUNCTION @extschema@.lead_phones_keep_out_before();
    CREATE TRIGGER lead_phones_keep_out_update AFTER UPDATE ON accounts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    PERFORM @extschema@.lead_phones_create_calls();
    PERFORM @extschema@.lead_phones_create_call_views();
    PERFORM @extschema@.lead_phones_create_views();
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_rules() IS 'internal: creates the rules of lead tables: their indexes, triggers and views';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_create_views() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    CREATE OR REPLACE VIEW lead_ledger AS
    SELECT 'phone'::text AS kind, d.campaign_id, d.phone::text AS subject, d.source, d.reason, d.disqualified_by, d.disqualified_at,
           d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now()) AS stands
      FROM campaign_phone_disqualifications AS d
     UNION ALL
    -- of a number that is known by its hash, the start of that
    SELECT 'phone', NULL, CASE WHEN s.number > 0 THEN '+' || s.number ELSE 'sha256 ' || lpad(to_hex(~s.number >> 3), 15, '0') END, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at, coalesce(s.lifted_by, d.lifted_by),
           coalesce(s.lifted_at, d.lifted_at), coalesce(s.lift_reason, d.lift_reason), s.lifted_at IS NULL AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
      FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
     UNION ALL
    SELECT CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact' ELSE 'domain' END,
           d.campaign_id, coalesce(d.account_id::text, d.contact_id::text, d.domain), d.source, d.reason,
           d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
      FROM lead_disqualifications AS d;

    -- What blocks a company, and what blocks a person or a number, is here and nowhere else. An entry is in force until it is lifted, or past its
    -- time; the marks of contacts follow when they are brought in line.
    CREATE OR REPLACE VIEW account_disqualifications AS
    SELECT a.campaign_id, a.account_id, d.entry, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
      FROM accounts AS a
     CROSS JOIN LATERAL (
        SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k
         WHERE k.subject = ANY (@extschema@.lead_phones_subjects(a.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, a.account_id, a.name_key, a.domain))) AS k
      JOIN lead_disqualifications AS d ON d.entry = k.entry AND (d.campaign_id IS NULL OR d.campaign_id = a.campaign_id) AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now());

    CREATE OR REPLACE VIEW contact_disqualifications AS
    SELECT c.campaign_id, c.contact_id, 'lead'::text AS blocks,
           CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact' ELSE 'domain' END AS kind,
           coalesce(d.account_id::text, d.contact_id::text, d.domain) AS subject, d.campaign_id AS in_campaign, d.entry, d.source, d.reason,
           d.disqualified_by, d.disqualified_at, d.expires_at
      FROM contacts AS c
      LEFT JOIN accounts AS a ON a.campaign_id = c.campaign_id AND a.account_id = c.account_id
     CROSS JOIN LATERAL (
        SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k
         WHERE k.subject = ANY (@extschema@.lead_phones_subjects(c.campaign_id, c.contact_id, c.email, c.name,
            @extschema@.try_normalize_phone(c.phone, c.region), @extschema@.try_normalize_phone(c.mobile, c.region), a.account_id, a.name_key, a.domain))) AS k
      JOIN lead_disqualifications AS d ON d.entry = k.entry AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
     UNION ALL
    SELECT c.campaign_id, c.contact_id, n.blocks, 'phone', n.number::text, d.campaign_id, NULL, d.source, d.reason, d.disqualified_by, d.disqualified_at,
           d.expires_at
      FROM contacts AS c
     CROSS JOIN LATERAL (VALUES ('phone', @extschema@.try_normalize_phone(c.phone, c.region), c.phone_disqualified),
                                ('mobile', @extschema@.try_normalize_phone(c.mobile, c.region), c.mobile_disqualified)) AS n (blocks, number, is_marked)
     CROSS JOIN LATERAL (
        SELECT d.campaign_id, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
          FROM campaign_phone_disqualifications AS d
         WHERE d.campaign_id = c.campaign_id AND d.phone = n.number AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
         UNION ALL
        SELECT NULL, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
          FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
         WHERE s.number = ANY (@extschema@.lead_phones_keys(n.number)) AND s.lifted_at IS NULL AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
         UNION ALL
        -- The mark of an entry that was made since this transaction began to read: out, where it is not one that has expired.
        SELECT c.campaign_id, NULL, 'it is marked, by an entry that this transaction does not see', NULL, NULL, NULL
         WHERE n.is_marked AND n.number IS NOT NULL
           AND NOT EXISTS (SELECT FROM campaign_phone_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.phone = n.number AND d.lifted_at IS NULL)
           AND NOT EXISTS (SELECT FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
                            WHERE s.number = ANY (@extschema@.lead_phones_keys(n.number)) AND s.lifted_at IS NULL AND d.lifted_at IS NULL)) AS d;

    CREATE OR REPLACE VIEW callable_leads AS
    SELECT l.campaign_id, l.lead_id, l.contact_id, c.account_id, l.upload_id, c.email, c.name, c.title, n.phone, n.mobile,
           CASE WHEN n.phone IS NOT NULL THEN c.phone_extension END AS phone_extension,
           CASE WHEN n.mobile IS NOT NULL THEN c.mobile_extension END AS mobile_extension
      FROM leads AS l
      JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(d.blocks = 'lead'), false) AS lead, coalesce(bool_or(d.blocks = 'phone'), false) AS phone,
               coalesce(bool_or(d.blocks = 'mobile'), false) AS mobile
          FROM (SELECT d.blocks FROM contact_disqualifications AS d WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id
                 UNION ALL
                SELECT r.blocks FROM call_refusals AS r WHERE r.campaign_id = c.campaign_id AND r.contact_id = c.contact_id) AS d) AS is_out
     CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT is_out.phone THEN @extschema@.try_normalize_phone(c.phone, c.region) END AS phone,
               CASE WHEN NOT is_out.mobile THEN @extschema@.try_normalize_phone(c.mobile, c.region) END AS mobile) AS n
     WHERE (n.phone IS NOT NULL OR n.mobile IS NOT NULL) AND NOT is_out.lead
       AND NOT EXISTS (SELECT FROM leads AS earlier
                        WHERE earlier.campaign_id = l.campaign_id AND earlier.contact_id = l.contact_id AND earlier.lead_id < l.lead_id);

    -- "leads" of a call are those of this schema, by the name that it has when it is asked: what lifts an entry is to be pasted.
    CREATE OR REPLACE VIEW lead_reasons AS
    SELECT l.lead_id, l.campaign_id, d.blocks, d.kind, d.subject, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
           CASE WHEN d.source IS NOT NULL THEN format(CASE
               WHEN d.kind = 'phone' AND d.in_campaign IS NOT NULL THEN
                   'CALL @extschema@.requalify_phone(%1$s, %2$L, source => %3$L, leads => %4$L)'
               WHEN d.kind = 'phone' THEN 'CALL @extschema@.unsuppress_phones(ARRAY[%2$L], source => %3$L, leads => %4$L)'
               WHEN d.kind = 'domain' AND d.in_campaign IS NOT NULL THEN
                   'CALL @extschema@.unsuppress_domains(ARRAY[%2$L], campaign => %1$s, source => %3$L, leads => %4$L)'
               WHEN d.kind = 'domain' THEN 'CALL @extschema@.unsuppress_domains(ARRAY[%2$L], source => %3$L, leads => %4$L)'
               WHEN d.kind = 'account' THEN 'CALL @extschema@.requalify_account(%1$s, %2$s, source => %3$L, leads => %4$L)'
               ELSE 'CALL @extschema@.requalify_contact(%1$s, %2$s, source => %3$L, leads => %4$L)' END,
               d.in_campaign, d.subject, d.source, @extschema@.lead_phones_table_name('leads'::regclass)) END AS lift
      FROM leads AS l
     CROSS JOIN LATERAL (
        SELECT d.* FROM contact_disqualifications AS d WHERE d.campaign_id = l.campaign_id AND d.contact_id = l.contact_id OFFSET 0) AS d
     UNION ALL
    -- corrected, an outcome no longer holds; a call is ended
    SELECT l.lead_id, l.campaign_id, r.blocks, r.kind, r.number, r.source, r.reason, r.by_whom, r.since, r.until,
           CASE WHEN r.call_id IS NOT NULL THEN format('CALL @extschema@.end_call(%s, %L, leads => %L)', r.call_id,
                    (SELECT min(d.name) FROM dispositions AS d WHERE d.disqualifies IS NULL AND d.rests IS NULL AND NOT d.calls_back),
                    @extschema@.lead_phones_table_name('leads'::regclass))
                WHEN r.kind = 'hours' AND r.until IS NULL THEN format('UPDATE %s SET time_zone = ... WHERE campaign_id = %s AND contact_id = %s',
                    @extschema@.lead_phones_table_name('contacts'::regclass), r.campaign_id, r.contact_id)
                ELSE format('UPDATE %s SET is_on = false WHERE rule = %s', @extschema@.lead_phones_table_name('call_rules'::regclass), r.rule) END
      FROM leads AS l
     CROSS JOIN LATERAL (
        SELECT r.* FROM call_refusals AS r WHERE r.campaign_id = l.campaign_id AND r.contact_id = l.contact_id OFFSET 0) AS r
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'number', NULL, NULL, 'there is no valid number', NULL, NULL, NULL,
           format('UPDATE %s SET phone = ... WHERE campaign_id = %s AND contact_id = %s', @extschema@.lead_phones_table_name('contacts'::regclass),
               c.campaign_id, c.contact_id)
      FROM leads AS l
      JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE @extschema@.try_normalize_phone(c.phone, c.region) IS NULL AND @extschema@.try_normalize_phone(c.mobile, c.region) IS NULL
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'repeat', e.lead_id::text, NULL, 'the same person is called by an earlier lead',
           NULL, NULL, NULL, NULL
      FROM leads AS l
     CROSS JOIN LATERAL (SELECT e.lead_id FROM leads AS e
                          WHERE e.campaign_id = l.campaign_id AND e.contact_id = l.contact_id AND e.lead_id < l.lead_id
                          ORDER BY e.lead_id LIMIT 1) AS e
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'contact', NULL, NULL, 'it was written while triggers were disabled, and has no contact',
           NULL, NULL, NULL,
           format('SELECT @extschema@.lead_phones_upload_step(%L::regclass, ''split_late'', ''{"campaign": %s, "lead": %s}''::jsonb)',
               @extschema@.lead_phones_table_name('leads'::regclass), l.campaign_id, l.lead_id)
      FROM leads AS l WHERE l.contact_id IS NULL;

    COMMENT ON VIEW account_disqualifications IS 'every entry that keeps the people of an account from being called';
    COMMENT ON VIEW contact_disqualifications IS 'every entry that keeps a contact, or one of its numbers, from being called';
    COMMENT ON VIEW lead_ledger IS 'all disqualifications and suppressions, of numbers too, that are or were in force';
    COMMENT ON VIEW lead_reasons IS 'every reason why a lead may not be called now';
    COMMENT ON VIEW callable_leads IS 'the leads that may be called now, and by which numbers; each person once';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_views() IS 'internal: creates the views of lead tables';

CREATE FUNCTION @extschema@.lead_phones_reasons_of(leads regclass, lead bigint, campaign bigint) RETURNS jsonb
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_reasons_of_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_reasons_of(regclass, bigint, bigint) IS
    'internal: the rows of lead_reasons for a lead, and its campaign';

CREATE OR REPLACE FUNCTION @extschema@.lead_status(
    lead bigint, leads regclass DEFAULT @extschema@.lead_phones_visible_leads(), campaign bigint DEFAULT NULL)
    RETURNS TABLE (
        blocks text,
        kind text,
        subject text,
        source text,
        reason text,
        disqualified_by text,
        disqualified_at timestamptz,
        expires_at timestamptz,
        lift text)
    STABLE ROWS 2 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    answer jsonb;
    campaigns bigint;
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_model(leads);
    END IF;
    IF lead IS NULL THEN
        RAISE EXCEPTION 'lead must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Name its lead_id.';
    END IF;
    answer := @extschema@.lead_phones_reasons_of(leads, lead, campaign);
    campaigns := coalesce(jsonb_array_length(nullif(answer -> 'campaigns', 'null')), 0);
    IF campaigns = 0 THEN
        RAISE EXCEPTION 'lead % does not exist', lead
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.leads" has no such lead_id%s.', @extschema@.lead_phones_model(leads), ' in campaign ' || campaign),
                  HINT = 'Name the lead_id of a lead.';
    ELSIF campaigns > 1 THEN
        RAISE EXCEPTION 'there is a lead % in % campaigns', lead, campaigns
            USING ERRCODE = 'cardinality_violation', DETAIL = format('They are %s.', answer -> 'campaigns'),
                  HINT = format('Name the campaign, as in lead_status(%s, campaign => %s).', lead, answer -> 'campaigns' -> 0);
    END IF;
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(coalesce(nullif(answer -> 'reasons', 'null'), '[]')) AS r (
        blocks text, kind text, subject text, source text, reason text, disqualified_by text, disqualified_at timestamptz,
        expires_at timestamptz, lift text);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_status(bigint, regclass, bigint) IS
    'every reason why a lead, or one of its numbers, may not be called; none when it may be. Example: SELECT blocks, kind, reason, lift FROM lead_status(1)';

CREATE TYPE @extschema@.lead_phones_person AS (
    place bigint, contact_id bigint, account_id bigint, is_held boolean, email text, email_key text, name text, title text, company text, name_key text,
    domain text, region text, raw_phone text, raw_mobile text, valid_phone text, valid_mobile text, phone_extension text, mobile_extension text);
COMMENT ON TYPE @extschema@.lead_phones_person IS
    'internal: a lead as it is split: trimmed, numbers normalized, with the keys that it is matched by';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_cleaned(
    campaign bigint, email text, name text, title text, company text, website text, phone text, mobile text, country text)
    RETURNS TABLE (email text, email_key text, raw_email text, name text, title text, company text, name_key text, website text, domain text,
        region text, raw_phone text, raw_mobile text, valid_phone text, valid_mobile text, phone_extension text, mobile_extension text)
    STABLE ROWS 1 LANGUAGE sql
AS $function$
    -- The domain of the website, else that of the e-mail address, where it is the company's: neither it nor one above is a free mail domain.
    -- (Without SET, so that it can be inlined. Domains of one or two levels are asked one by one: of many rows, that is a look into a hash table.)
    SELECT s.email, @extschema@.lead_phones_email_key(s.email), s.raw_email, s.name, s.title, s.company, @extschema@.lead_phones_company_key(s.company), s.website,
           CASE WHEN s.website_domain IS NOT NULL
                     AND NOT EXISTS (SELECT FROM free_mail_domains AS f WHERE f.domain = s.website_domains[1])
                     AND NOT EXISTS (SELECT FROM free_mail_domains AS f WHERE f.domain = s.website_domains[2])
                     AND (cardinality(s.website_domains) <= 2 OR NOT EXISTS (
                         SELECT FROM free_mail_domains AS f JOIN unnest(s.website_domains) AS u (domain) ON u.domain = f.domain))
                THEN s.website_domain
                WHEN NOT EXISTS (SELECT FROM free_mail_domains AS f WHERE f.domain = s.email_domains[1])
                     AND NOT EXISTS (SELECT FROM free_mail_domains AS f WHERE f.domain = s.email_domains[2])
                     AND (cardinality(s.email_domains) <= 2 OR NOT EXISTS (
                         SELECT FROM free_mail_domains AS f JOIN unnest(s.email_domains) AS u (domain) ON u.domain = f.domain))
                THEN s.email_domain END,
           n.region, s.raw_phone, s.raw_mobile,
           @extschema@.try_normalize_phone(s.raw_phone, n.region), @extschema@.try_normalize_phone(s.raw_mobile, n.region),
           @extschema@.phone_extension(s.raw_phone, n.region), @extschema@.phone_extension(s.raw_mobile, n.region)
      FROM (SELECT e.email COLLATE "C" AS email, @extschema@.lead_phones_trimmed($2) AS raw_email, @extschema@.lead_phones_trimmed($3) AS name,
                   @extschema@.lead_phones_trimmed($4) AS title, @extschema@.lead_phones_trimmed($5) AS company, @extschema@.lead_phones_trimmed($6) AS website,
                   @extschema@.lead_phones_trimmed($7) AS raw_phone, @extschema@.lead_phones_trimmed($8) AS raw_mobile, upper(@extschema@.lead_phones_trimmed($9)) AS country,
                   d.website_domain, d.email_domain, @extschema@.lead_phones_domains_above(d.website_domain) AS website_domains,
                   @extschema@.lead_phones_domains_above(d.email_domain) AS email_domains
              FROM (SELECT @extschema@.lead_phones_email($2) AS email OFFSET 0) AS e
             CROSS JOIN LATERAL (
                SELECT @extschema@.lead_phones_domain($6) AS website_domain, @extschema@.lead_phones_domain(e.email) AS email_domain OFFSET 0) AS d
            OFFSET 0) AS s
     CROSS JOIN LATERAL (SELECT CASE
            WHEN s.country IS NULL OR @extschema@.phone_problem('123', s.country) = 'unknown_region' THEN
                (SELECT coalesce(upper(@extschema@.lead_phones_trimmed(c.region)), 'US') FROM campaigns AS c WHERE c.campaign_id = $1)
            ELSE s.country END AS region OFFSET 0) AS n
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_cleaned(bigint, text, text, text, text, text, text, text, text) IS
    'internal: a lead as it is split: trimmed, numbers normalized, with the keys that it is matched by';

CREATE FUNCTION @extschema@.lead_phones_is_account_out(campaign bigint, account bigint) RETURNS boolean
    STABLE LANGUAGE sql
AS $function$
    SELECT EXISTS (SELECT FROM account_disqualifications AS d WHERE d.campaign_id = $1 AND d.account_id = $2)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_account_out(bigint, bigint) IS 'internal: whether the people of an account may not be called';

CREATE FUNCTION @extschema@.lead_phones_account_of(campaign bigint, domain text, name_key text)
    RETURNS TABLE (account_id bigint, is_out boolean)
    STABLE ROWS 1 LANGUAGE sql
AS $function$
    -- By the domain of the company, else by its name. A row that names two companies, one of them disqualified, belongs to that one.
    SELECT f.account_id, f.is_out
      FROM (SELECT a.account_id, a.domain = $2 AS is_by_domain, EXISTS (
                       SELECT FROM account_disqualifications AS d WHERE d.campaign_id = $1 AND d.account_id = a.account_id) AS is_out
              FROM accounts AS a WHERE a.campaign_id = $1 AND (a.domain = $2 OR a.name_key = $3)) AS f
     WHERE $2 IS NULL OR f.is_by_domain OR f.is_out
     ORDER BY f.is_out DESC, f.is_by_domain DESC NULLS LAST, f.account_id
     LIMIT 1
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_account_of(bigint, text, text) IS 'internal: the account of a lead, and whether it is disqualified';

CREATE FUNCTION @extschema@.lead_phones_give_domains(campaign bigint, domains text[], name_keys text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    known bigint[];
    given text[];
BEGIN
    FOR attempt IN 1 .. 10 LOOP
        SELECT array_agg(a.account_id ORDER BY a.account_id), array_agg(w.domain ORDER BY a.account_id) INTO known, given
          FROM (SELECT DISTINCT ON (s.domain) s.domain, s.name_key FROM (
                    SELECT DISTINCT ON (s.name_key) s.domain COLLATE "C" AS domain, s.name_key COLLATE "C" AS name_key
                      FROM ROWS FROM (unnest(domains), unnest(name_keys)) WITH ORDINALITY AS s (domain, name_key, place)
                     WHERE s.domain IS NOT NULL AND s.name_key IS NOT NULL ORDER BY s.name_key, s.place) AS s
                 ORDER BY s.domain, s.name_key) AS w
          JOIN accounts AS a ON a.campaign_id = campaign AND a.name_key = w.name_key AND a.domain IS NULL
         WHERE NOT EXISTS (SELECT FROM accounts AS o WHERE o.campaign_id = campaign AND o.domain = w.domain);
        EXIT WHEN known IS NULL;
        BEGIN
            -- in one order with others who do this
            PERFORM FROM accounts AS a WHERE a.campaign_id = campaign AND a.account_id = ANY (known) ORDER BY a.account_id FOR NO KEY UPDATE;
            UPDATE accounts AS a SET domain = w.domain FROM ROWS FROM (unnest(known), unnest(given)) AS w (account_id, domain)
             WHERE a.campaign_id = campaign AND a.account_id = w.account_id AND a.domain IS NULL;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            -- Somebody has just given one of the domains to another account: look again.
            IF attempt = 10 OR current_setting('transaction_isolation') <> 'read committed' THEN
                RAISE EXCEPTION 'could not serialize access due to concurrent update of accounts'
                    USING ERRCODE = 'serialization_failure', DETAIL = SQLERRM || '.', HINT = 'Try the transaction again.';
            END IF;
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_give_domains(bigint, text[], text[]) IS
    'internal: gives companies that were known by their names alone the domains that they come with';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_split_accounts(campaign bigint, domains text[], name_keys text[], names text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    IF domains IS NULL THEN
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_give_domains(campaign, domains, name_keys);
    INSERT INTO accounts (campaign_id, name, domain)
    SELECT DISTINCT ON (s.domain) campaign, s.name, s.domain
      FROM ROWS FROM (unnest(domains), unnest(names)) WITH ORDINALITY AS s (domain, name, place)
     WHERE s.domain IS NOT NULL
       AND NOT EXISTS (SELECT FROM accounts AS a WHERE a.campaign_id = campaign AND a.domain = s.domain)
     ORDER BY s.domain, s.name IS NULL, s.place
    ON CONFLICT DO NOTHING;
    INSERT INTO accounts (campaign_id, name)
    SELECT DISTINCT ON (s.name_key) campaign, s.name
      FROM ROWS FROM (unnest(domains), unnest(name_keys), unnest(names)) WITH ORDINALITY AS s (domain, name_key, name, place)
     WHERE s.name_key IS NOT NULL
       -- of a company that is disqualified by its name, there is an account, whatever domain comes with it
       AND (s.domain IS NULL OR EXISTS (SELECT FROM lead_disqualification_subjects AS k JOIN lead_disqualifications AS d ON d.entry = k.entry
                                         WHERE k.subject = 'company ' || s.name_key AND d.lifted_at IS NULL AND d.campaign_id = campaign))
       AND NOT EXISTS (SELECT FROM accounts AS a WHERE a.campaign_id = campaign AND a.name_key = s.name_key)
     ORDER BY s.name_key, s.place
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_split_accounts(bigint, text[], text[], text[]) IS
    'internal: creates the accounts of leads that there are not yet, from companies in the order of their leads';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_merged(people @extschema@.lead_phones_person[]) RETURNS @extschema@.lead_phones_person
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- The latest value that is not empty; of numbers the latest valid one, if there is one; of companies a disqualified one, if there is one.
    SELECT (p.first).place, (p.first).contact_id, coalesce(p.held_account_id, p.account_id), p.held_account_id IS NOT NULL, (p.first).email, (p.first).email_key, p.name, p.title, (p.first).company,
           (p.first).name_key, (p.first).domain, (p.first).region,
           CASE WHEN @extschema@.try_normalize_phone(p.raw_phone, (p.first).region) IS NULL THEN p.raw_phone END,
           CASE WHEN @extschema@.try_normalize_phone(p.raw_mobile, (p.first).region) IS NULL THEN p.raw_mobile END, p.valid_phone, p.valid_mobile,
           p.phone_extension, p.mobile_extension
      FROM (SELECT (array_agg(q ORDER BY q.place))[1] AS first,
                   (array_agg(q.account_id ORDER BY q.place DESC) FILTER (WHERE q.account_id IS NOT NULL))[1] AS account_id,
                   (array_agg(q.account_id ORDER BY q.place) FILTER (WHERE q.is_held))[1] AS held_account_id,
                   (array_agg(q.name ORDER BY q.place DESC) FILTER (WHERE q.name IS NOT NULL))[1] AS name,
                   (array_agg(q.title ORDER BY q.place DESC) FILTER (WHERE q.title IS NOT NULL))[1] AS title,
                   (array_agg(q.raw_phone ORDER BY q.place DESC) FILTER (WHERE q.raw_phone IS NOT NULL))[1] AS raw_phone,
                   (array_agg(q.raw_mobile ORDER BY q.place DESC) FILTER (WHERE q.raw_mobile IS NOT NULL))[1] AS raw_mobile,
                   (array_agg(q.valid_phone ORDER BY q.place DESC) FILTER (WHERE q.valid_phone IS NOT NULL))[1] AS valid_phone,
                   (array_agg(q.valid_mobile ORDER BY q.place DESC) FILTER (WHERE q.valid_mobile IS NOT NULL))[1] AS valid_mobile,
                   -- of that number
                   (array_agg(q.phone_extension ORDER BY q.place DESC) FILTER (WHERE q.valid_phone IS NOT NULL))[1] AS phone_extension,
                   (array_agg(q.mobile_extension ORDER BY q.place DESC) FILTER (WHERE q.valid_mobile IS NOT NULL))[1] AS mobile_extension
              FROM unnest(people) AS q) AS p
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_merged(@extschema@.lead_phones_person[]) IS
    'internal: one person, of whom several leads tell';

CREATE FUNCTION @extschema@.lead_phones_best_number(valid_number text, raw_number text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $function$
    -- What is too long for an index is in the lead alone.
    SELECT coalesce($1, CASE WHEN octet_length($2) <= 1000 THEN $2 END)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_best_number(text, text) IS
    'internal: a number as a contact has it: normalized, else as it was written';

CREATE FUNCTION @extschema@.lead_phones_better_number(new_number text, new_region text, old_number text, old_region text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $function$
    -- What its own region calls invalid is not read by another.
    SELECT CASE WHEN new_number IS NULL OR @extschema@.try_normalize_phone(new_number, new_region) IS NULL
                                           AND (@extschema@.try_normalize_phone(old_number, old_region) IS NOT NULL
                                                OR @extschema@.try_normalize_phone(new_number, old_region) IS NOT NULL)
                THEN old_number ELSE new_number END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_better_number(text, text, text, text) IS
    'internal: the number of somebody who comes again: the latest, but no invalid one for a valid one';

CREATE FUNCTION @extschema@.lead_phones_with_extension(number text, new_number text, new_extension text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $function$
    SELECT CASE WHEN number = new_number AND new_extension <> '' THEN number || ';ext=' || new_extension ELSE number END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_with_extension(text, text, text) IS
    'internal: a number of somebody who comes again, with the extension that comes with it';

CREATE FUNCTION @extschema@.lead_phones_tells_more(
    person @extschema@.lead_phones_person, account_id bigint, name text, title text, phone text, mobile text, region text, phone_extension text,
    mobile_extension text) RETURNS boolean
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $function$
    SELECT $1.account_id IS NOT NULL AND $1.account_id IS DISTINCT FROM $2 OR $1.name <> coalesce($3, '') OR $1.title <> coalesce($4, '')
        OR @extschema@.lead_phones_better_number(@extschema@.lead_phones_best_number($1.valid_phone, $1.raw_phone), $1.region, $5, $7) IS DISTINCT FROM $5
        OR @extschema@.lead_phones_better_number(@extschema@.lead_phones_best_number($1.valid_mobile, $1.raw_mobile), $1.region, $6, $7) IS DISTINCT FROM $6
        OR $1.phone_extension <> coalesce($8, '') OR $1.mobile_extension <> coalesce($9, '')
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_tells_more(@extschema@.lead_phones_person, bigint, text, text, text, text, text, text, text) IS
    'internal: whether somebody who comes again brings what the contact does not have';

CREATE FUNCTION @extschema@.lead_phones_write_people(campaign bigint, people @extschema@.lead_phones_person[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    contact_ids constant regclass := pg_get_serial_sequence('contacts', 'contact_id');
BEGIN
    -- Those of whom nothing new is said are left alone. In the order of the addresses, in which everybody writes people.
    INSERT INTO contacts AS c (campaign_id, contact_id, account_id, email, name, title, phone, mobile, region, phone_extension, mobile_extension)
    SELECT campaign, coalesce(p.contact_id, nextval(contact_ids)), p.account_id, p.email, p.name, p.title,
           @extschema@.lead_phones_best_number(p.valid_phone, p.raw_phone), @extschema@.lead_phones_best_number(p.valid_mobile, p.raw_mobile), p.region,
           p.phone_extension, p.mobile_extension
      FROM unnest(people) AS p
      LEFT JOIN contacts AS k ON k.campaign_id = campaign AND @extschema@.lead_phones_email_key(k.email) = p.email_key
     WHERE k.contact_id IS NULL
        OR @extschema@.lead_phones_tells_more(p, k.account_id, k.name, k.title, k.phone, k.mobile, k.region, k.phone_extension, k.mobile_extension)
     ORDER BY p.email_key
    ON CONFLICT (campaign_id, @extschema@.lead_phones_email_key(email)) DO UPDATE
       -- Nobody leaves a disqualified company by coming again with another.
       SET account_id = CASE WHEN c.account_id IS NULL THEN EXCLUDED.account_id
                             WHEN EXCLUDED.account_id IS NULL OR EXCLUDED.account_id = c.account_id
                                  OR @extschema@.lead_phones_is_account_out(c.campaign_id, c.account_id) THEN c.account_id
                             ELSE EXCLUDED.account_id END,
           name = coalesce(EXCLUDED.name, c.name),
           title = coalesce(EXCLUDED.title, c.title), updated_at = now(),
           -- with its extension, which the trigger takes from the text
           phone = @extschema@.lead_phones_with_extension(@extschema@.lead_phones_better_number(EXCLUDED.phone, EXCLUDED.region, c.phone, c.region),
               EXCLUDED.phone, EXCLUDED.phone_extension),
           mobile = @extschema@.lead_phones_with_extension(@extschema@.lead_phones_better_number(EXCLUDED.mobile, EXCLUDED.region, c.mobile, c.region),
               EXCLUDED.mobile, EXCLUDED.mobile_extension);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_write_people(bigint, @extschema@.lead_phones_person[]) IS
    'internal: writes people, each once, where there may be some of them already';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_split_leads(leads regclass, campaigns bigint[], ids bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaign bigint;
    people @extschema@.lead_phones_person[];
    contact_ids constant regclass := pg_get_serial_sequence('contacts', 'contact_id');
BEGIN
    FOR campaign IN SELECT DISTINCT k.campaign FROM unnest(campaigns) AS k (campaign) ORDER BY 1 LOOP
        PERFORM @extschema@.lead_phones_known_campaign(campaign, 'foreign_key_violation');
        people := ARRAY(
            SELECT ROW(l.lead_id, CASE WHEN s.email_key IS NULL THEN nextval(contact_ids) END, NULL, NULL, s.email,
                       s.email_key, s.name, s.title, s.company, s.name_key, s.domain, s.region, s.raw_phone, s.raw_mobile, s.valid_phone,
                       s.valid_mobile, s.phone_extension, s.mobile_extension)::@extschema@.lead_phones_person
              FROM leads AS l
             CROSS JOIN LATERAL @extschema@.lead_phones_cleaned(campaign, l.email, l.name, l.title, l.company, l.website, l.phone, l.mobile, NULL) AS s
             WHERE l.campaign_id = campaign AND l.lead_id = ANY (ids) AND l.contact_id IS NULL
             ORDER BY l.lead_id);
        CONTINUE WHEN people = '{}';
        IF @extschema@.lead_phones_is_anybody_held() THEN
            PERFORM @extschema@.lead_phones_hold_for_addresses(campaign, array_agg(p.email_key), array_agg(p.name), array_agg(p.valid_phone), array_agg(p.valid_mobile))
               FROM unnest(people) AS p WHERE p.email_key IS NOT NULL;
        END IF;
        PERFORM @extschema@.lead_phones_split_accounts(campaign, array_agg(p.domain ORDER BY p.place), array_agg(p.name_key ORDER BY p.place),
                    array_agg(p.company ORDER BY p.place))
           FROM unnest(people) AS p WHERE p.domain IS NOT NULL OR p.name_key IS NOT NULL;
        PERFORM @extschema@.lead_phones_write_people(campaign, array_agg(m.person))
           FROM (SELECT CASE count(*) WHEN 1 THEN (array_agg(p.person))[1] ELSE @extschema@.lead_phones_merged(array_agg(p.person)) END AS person
                   FROM (SELECT ROW(q.place, q.contact_id, a.account_id, a.is_out, q.email, q.email_key, q.name, q.title, q.company, q.name_key, q.domain,
                                    q.region, q.raw_phone, q.raw_mobile, q.valid_phone, q.valid_mobile, q.phone_extension, q.mobile_extension)::@extschema@.lead_phones_person AS person,
                                q.email_key, q.contact_id
                           FROM unnest(people) AS q
                          LEFT JOIN LATERAL @extschema@.lead_phones_account_of(campaign, q.domain, q.name_key) AS a ON true) AS p
                  GROUP BY p.email_key, p.contact_id) AS m;
        UPDATE leads AS l SET contact_id = coalesce(p.contact_id, c.contact_id)
          FROM unnest(people) AS p LEFT JOIN contacts AS c ON c.campaign_id = campaign AND @extschema@.lead_phones_email_key(c.email) = p.email_key
         WHERE l.campaign_id = campaign AND l.lead_id = p.place AND l.lead_id = ANY (ids);
    END LOOP;
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_split_late(arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_split_leads('leads'::regclass, ARRAY[arguments ->> 'campaign']::bigint[], ARRAY[arguments ->> 'lead']::bigint[]);
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_split_late(jsonb) IS
    'internal: splits a lead that was written while triggers were disabled';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_staging_columns(source regclass, named jsonb) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- The names that a column may have, best first; compared in lower case, letters and digits only.
    known constant jsonb := '{
        "email": ["email", "emailaddress", "mail", "workemail", "businessemail", "contactemail", "primaryemail", "emailwork"],
        "name": ["name", "fullname", "contactname", "contact", "leadname", "personname"],
        "first_name": ["firstname", "first", "givenname", "forename"],
        "last_name": ["lastname", "last", "surname", "familyname"],
        "title": ["title", "jobtitle", "position", "role", "job"],
        "company": ["company", "companyname", "account", "accountname", "organization", "organisation", "employer", "business",
                    "businessname", "firm"],
        "website": ["website", "companywebsite", "web", "url", "domain", "companydomain", "homepage", "companyurl", "site"],
        "phone": ["phone", "phonenumber", "telephone", "tel", "workphone", "officephone", "businessphone", "companyphone", "directphone",
                  "directdial", "landline", "phone1", "primaryphone", "homephone"],
        "mobile": ["mobile", "mobilephone", "mobilenumber", "cell", "cellphone", "cellular", "cellnumber", "phone2", "secondaryphone"],
        "country": ["country", "countrycode"],
        "state": ["state", "statecode", "stateprovince", "province", "statename"],
        "time_zone": ["timezone", "tz", "timezonename"],
        "row_number": ["rownumber", "rownum", "line", "linenumber"]}';
    field text;
    column_name text;
    columns text[];
    candidates text[];
    mapping jsonb := '{}';
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = source AND c.relnamespace = pg_my_temp_schema()
                  AND c.relname IN ('lead_phones_uploaded', 'lead_phones_staged', 'lead_phones_placed')) THEN
        RAISE EXCEPTION '"%" cannot be uploaded', source
            USING ERRCODE = 'invalid_table_definition', DETAIL = 'Uploads go through a table of this name.', HINT = 'Fill a table of another name by COPY, and name that.';
    END IF;
    IF jsonb_typeof(named) <> 'object' THEN
        RAISE EXCEPTION 'columns is %, not an object', named
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name columns by field, as in columns => ''{"phone": "Tel. 1"}''.';
    END IF;
    SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO columns FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped;
    FOR field, column_name IN SELECT e.key, e.value FROM jsonb_each_text(coalesce(named, '{}')) AS e LOOP
        IF NOT known ? field THEN
            RAISE EXCEPTION 'leads have no field "%"', field
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = format('The fields are %s.', (SELECT string_agg(k, ', ') FROM jsonb_object_keys(known) AS k));
        END IF;
        IF column_name <> ALL (columns) IS NOT FALSE THEN
            RAISE EXCEPTION 'table "%" has no column "%"', source, coalesce(column_name, 'null')
                USING ERRCODE = 'undefined_column',
                      DETAIL = format('Its columns are %s.', array_to_string(columns, ', ')),
                      HINT = format('Correct columns => ''{"%s": "..."}''.', field);
        END IF;
        mapping := mapping || jsonb_build_object(field, column_name);
    END LOOP;
    FOR field IN SELECT k FROM jsonb_object_keys(known) AS k WHERE NOT mapping ? k LOOP
        SELECT array_agg(c.name ORDER BY c.name) INTO candidates FROM (
            SELECT c.name, k.place, min(k.place) OVER () AS best
              FROM unnest(columns) AS c (name)
              JOIN jsonb_array_elements_text(known -> field) WITH ORDINALITY AS k (name, place)
                ON k.name = regexp_replace(lower(c.name), '[^[:alnum:]]+', '', 'g')
             WHERE NOT EXISTS (SELECT FROM jsonb_each_text(coalesce(named, '{}')) AS e WHERE e.value = c.name)
               -- "line" can be a kind of number as well
               AND (field <> 'row_number' OR @extschema@.lead_phones_type_of(source, c.name::name) IN ('integer'::regtype, 'bigint'::regtype))) AS c
         WHERE c.place = c.best;
        IF cardinality(candidates) > 1 THEN
            RAISE EXCEPTION 'table "%" has more than one column for "%"', source, field
                USING ERRCODE = 'ambiguous_column',
                      DETAIL = format('They are %s.', array_to_string(candidates, ', ')),
                      HINT = format('Say which with columns => %L.', jsonb_build_object(field, candidates[1]));
        END IF;
        IF candidates IS NOT NULL THEN
            mapping := mapping || jsonb_build_object(field, candidates[1]);
        END IF;
    END LOOP;
    IF NOT mapping ?| '{email,name,first_name,last_name,phone,mobile}' THEN
        RAISE EXCEPTION 'table "%" has no column of people or numbers', source
            USING ERRCODE = 'undefined_column',
                  DETAIL = coalesce(format('Its columns are %s.', array_to_string(columns, ', ')), 'It has no columns.'),
                  HINT = 'Columns such as email, full_name, phone, mobile are known; name others with columns => ''{"phone": "Tel. 1"}''.';
    END IF;
    SELECT format('column "%s" of table "%s" is of type %s', a.attname, source, format_type(a.atttypid, a.atttypmod)) INTO field
      FROM jsonb_each_text(mapping) AS m JOIN pg_catalog.pg_attribute AS a ON a.attrelid = source AND a.attname = m.value
      CROSS JOIN LATERAL @extschema@.lead_phones_base_type(a.atttypid, a.atttypmod) AS b
     WHERE CASE m.key WHEN 'row_number' THEN b.base_type NOT IN ('integer'::regtype, 'bigint'::regtype)
                ELSE b.base_type NOT IN (SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typcategory IN ('S', 'N') AND t.typtype = 'b') END
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', field
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = 'Values of a file are text or numbers, and row numbers integers.',
                  HINT = 'Let row numbers be integers, and all other columns text.';
    END IF;
    RETURN mapping;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_staged(source regclass, mapping jsonb) RETURNS text
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    place text;
    name text;
    custom text;
BEGIN
    IF (SELECT c.relkind NOT IN ('r', 'p', 'v', 'm', 'f') FROM pg_catalog.pg_class AS c WHERE c.oid = source) THEN
        RAISE EXCEPTION '"%" cannot be uploaded', source
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It is not a table.', HINT = 'Fill a table by COPY, and name that.';
    END IF;
    place := CASE
        WHEN mapping ? 'row_number' THEN format('t.%I::bigint', mapping ->> 'row_number')
        ELSE 'row_number() OVER ()' END;
    name := CASE
        WHEN mapping ? 'name' THEN format('t.%I::text', mapping ->> 'name')
        WHEN mapping ?| '{first_name,last_name}' THEN format('concat_ws('' '', %s)', concat_ws(', ',
            format('@extschema@.lead_phones_trimmed(t.%I::text)', mapping ->> 'first_name'),
            CASE WHEN mapping ? 'last_name' THEN format('@extschema@.lead_phones_trimmed(t.%I::text)', mapping ->> 'last_name') END))
        ELSE 'NULL::text' END;
    IF NOT mapping ? 'name' AND mapping ? 'last_name' AND NOT mapping ? 'first_name' THEN
        name := format('t.%I::text', mapping ->> 'last_name');
    END IF;
    -- A function takes 100 arguments at most.
    SELECT string_agg(format('jsonb_build_object(%s)', c.pairs), ' || ' ORDER BY c.part) INTO custom
      FROM (SELECT o.place / 40 AS part, string_agg(format('%L, t.%I', o.attname, o.attname), ', ' ORDER BY o.place) AS pairs
              FROM (SELECT a.attname, row_number() OVER (ORDER BY a.attnum) - 1 AS place FROM pg_catalog.pg_attribute AS a
                     WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
                       AND NOT EXISTS (SELECT FROM jsonb_each_text(mapping) AS m WHERE m.value = a.attname AND m.key NOT IN ('country', 'state', 'time_zone'))) AS o
             GROUP BY o.place / 40) AS c;
    RETURN format('SELECT %s AS place, %s, %s AS name, %s AS custom FROM %s AS t', place,
        (SELECT string_agg(CASE WHEN mapping ? f THEN format('%s AS %I', @extschema@.lead_phones_plain(
                    @extschema@.lead_phones_type_of(source, (mapping ->> f)::name), format('t.%I', mapping ->> f)), f) ELSE format('NULL::text AS %I', f) END, ', ')
           FROM unnest('{email,title,company,website,phone,mobile,country,state,time_zone}'::text[]) AS f),
        name, CASE
            WHEN custom IS NULL THEN '''{}''::jsonb'
            -- nulls inside a value are the value's own
            WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS y ON y.oid = @extschema@.lead_phones_base_type_of(a.atttypid)
                          WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
                            AND (y.oid IN ('jsonb'::regtype, 'json'::regtype) OR y.typcategory IN ('C', 'A')))
            THEN format('(SELECT coalesce(jsonb_object_agg(e.key, e.value), ''{}'') FROM jsonb_each(%s) AS e WHERE e.value <> ''null'')', custom)
            ELSE format('jsonb_strip_nulls(%s)', custom) END, source);
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_upload_progress(total bigint, doing text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    message text := format('lead_phones: %s of %s rows', doing, total);
BEGIN
    -- What takes no time needs no telling. The name that the session had comes back with the end of the transaction.
    IF total >= 50000 THEN
        -- Citus tells its own sessions by their name.
        IF NOT @extschema@.lead_phones_is_sent() THEN
            PERFORM set_config('application_name', left(message, 63), true);
        END IF;
        RAISE NOTICE '%', message;
    END IF;
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_open_upload(arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- Left by an earlier upload of the transaction. At the end of this one they stay: DROP would have the counts written at once, and
    -- their rows locked until the commit.
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = pg_my_temp_schema() AND c.relname IN ('lead_phones_uploaded', 'lead_phones_staged', 'lead_phones_placed')
                  AND (c.relowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user)
                       -- that of an upload is beside the others
                       OR to_regclass('pg_temp.lead_phones_uploaded') IS NULL OR to_regclass('pg_temp.lead_phones_staged') IS NULL
                       OR to_regclass('pg_temp.lead_phones_placed') IS NULL)) THEN
        RAISE EXCEPTION 'a temporary table has the name of one that an upload needs'
            USING ERRCODE = 'duplicate_table', DETAIL = 'They are lead_phones_uploaded, lead_phones_staged and lead_phones_placed.',
                  HINT = 'Rename it, or drop it.';
    END IF;
    IF to_regclass('pg_temp.lead_phones_uploaded') IS NOT NULL THEN
        DROP TABLE pg_temp.lead_phones_uploaded, pg_temp.lead_phones_staged, pg_temp.lead_phones_placed;
    END IF;
    CREATE TEMPORARY TABLE lead_phones_uploaded (
        place bigint, email text, title text, company text, website text, phone text, mobile text, country text, state text, time_zone text, name text,
        custom jsonb)
        ON COMMIT DROP;
    CREATE TEMPORARY TABLE lead_phones_staged (
        place bigint, email text COLLATE "C", email_key text COLLATE "C", raw_email text, name text, title text, company text,
        name_key text COLLATE "C", website text, domain text COLLATE "C", region text, raw_phone text, raw_mobile text, valid_phone text,
        valid_mobile text, phone_extension text, mobile_extension text, state text, time_zone text, custom jsonb)
        ON COMMIT DROP;
    CREATE TEMPORARY TABLE lead_phones_placed (
        place bigint, account_id bigint, is_held boolean, left_account_id bigint, contact_id bigint, is_repeated boolean, outcome text)
        ON COMMIT DROP;
    -- a temporary table is seen by its session alone
    GRANT INSERT ON pg_temp.lead_phones_uploaded TO PUBLIC;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_open_upload(jsonb) IS
    'internal: creates the temporary tables that an upload goes through';

CREATE FUNCTION @extschema@.lead_phones_check_opened() RETURNS void
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    -- What hangs on these tables runs as the owner of the lead tables: they are those that the owner has just created, and nobody else can alter.
    IF (SELECT count(*) FROM pg_class AS c
         WHERE c.relnamespace = pg_my_temp_schema() AND c.relname IN ('lead_phones_uploaded', 'lead_phones_staged', 'lead_phones_placed')
           AND c.relowner = (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user) AND c.relkind = 'r'
           AND NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity AND NOT c.relhasindex AND NOT c.relhassubclass) <> 3 THEN
        RAISE EXCEPTION 'no upload has been opened'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'The temporary tables lead_phones_uploaded, lead_phones_staged and lead_phones_placed are missing, or somebody else''s.',
                  HINT = 'Use upload_leads().';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_opened() IS
    'internal: an error where the temporary tables of an upload are not those of the owner of the lead tables';

CREATE FUNCTION @extschema@.lead_phones_take_rows(arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_check_opened();
    INSERT INTO pg_temp.lead_phones_uploaded (place, email, title, company, website, phone, mobile, country, state, time_zone, name, custom)
    SELECT r.place, r.email, r.title, r.company, r.website, r.phone, r.mobile, r.country, r.state, r.time_zone, r.name, r.custom
      FROM jsonb_to_recordset(arguments -> 'rows') AS r (place bigint, email text, title text, company text, website text, phone text, mobile text,
           country text, state text, time_zone text, name text, custom jsonb);
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_take_rows(jsonb) IS
    'internal: takes rows of an upload that come from another node';

CREATE FUNCTION @extschema@.lead_phones_clean_rows(campaign bigint) RETURNS bigint
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    cleaned bigint;
BEGIN
    INSERT INTO pg_temp.lead_phones_staged (place, email, email_key, raw_email, name, title, company, name_key, website, domain, region, raw_phone,
        raw_mobile, valid_phone, valid_mobile, phone_extension, mobile_extension, state, time_zone, custom)
    SELECT u.place, s.email, s.email_key, s.raw_email, s.name, s.title, s.company, s.name_key, s.website, s.domain, s.region, s.raw_phone,
           s.raw_mobile, s.valid_phone, s.valid_mobile, s.phone_extension, s.mobile_extension, @extschema@.lead_phones_trimmed(u.state),
           @extschema@.lead_phones_trimmed(u.time_zone), u.custom
      FROM pg_temp.lead_phones_uploaded AS u
     CROSS JOIN LATERAL @extschema@.lead_phones_cleaned(campaign, u.email, u.name, u.title, u.company, u.website, u.phone, u.mobile, u.country) AS s;
    GET DIAGNOSTICS cleaned = ROW_COUNT;
    ANALYZE pg_temp.lead_phones_staged (place, email_key, domain, name_key);
    RETURN cleaned;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_clean_rows(bigint) IS
    'internal: the rows of an upload as they are split';

CREATE FUNCTION @extschema@.lead_phones_place_rows(campaign bigint) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    contact_ids constant regclass := pg_get_serial_sequence('contacts', 'contact_id');
BEGIN
    -- Where each row goes. A new person gets a number here, in the order of the file.
    INSERT INTO pg_temp.lead_phones_placed (place, account_id, is_held, left_account_id, is_repeated, outcome, contact_id)
    SELECT p.place, p.account_id, p.is_held, p.left_account_id, p.is_repeated, p.outcome, coalesce(p.known_id, CASE WHEN p.outcome = 'created' THEN
               nextval(contact_ids) END)
      FROM (SELECT s.place, o.account_id, o.is_out AS is_held, CASE WHEN o.account_id <> c.account_id THEN c.account_id END AS left_account_id,
                   c.contact_id AS known_id, d.first_place IS NOT NULL AS is_repeated, CASE
                WHEN num_nonnulls(s.raw_email, s.name, s.raw_phone, s.raw_mobile, s.company) = 0 THEN 'refused'
                WHEN s.email_key IS NULL THEN 'created'
                WHEN d.first_place < s.place THEN 'duplicate'
                WHEN c.contact_id IS NOT NULL THEN 'updated'
                ELSE 'created' END AS outcome
              FROM pg_temp.lead_phones_staged AS s
              LEFT JOIN (SELECT k.domain, k.name_key, a.account_id, a.is_out
                           FROM (SELECT DISTINCT coalesce(q.domain, '') AS domain, coalesce(q.name_key, '') AS name_key
                                   FROM pg_temp.lead_phones_staged AS q) AS k
                          CROSS JOIN LATERAL @extschema@.lead_phones_account_of(campaign, nullif(k.domain, ''), nullif(k.name_key, '')) AS a) AS o
                ON o.domain = coalesce(s.domain, '') AND o.name_key = coalesce(s.name_key, '')
              LEFT JOIN contacts AS c ON c.campaign_id = campaign AND @extschema@.lead_phones_email_key(c.email) = s.email_key
              LEFT JOIN (SELECT q.email_key, min(q.place) AS first_place FROM pg_temp.lead_phones_staged AS q
                          WHERE q.email_key IS NOT NULL GROUP BY q.email_key HAVING count(*) > 1) AS d ON d.email_key = s.email_key
             ORDER BY s.place) AS p;
    ANALYZE pg_temp.lead_phones_placed (place, outcome, is_repeated);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_place_rows(bigint) IS
    'internal: decides for each row of an upload whom it is about';

CREATE FUNCTION @extschema@.lead_phones_people_of_file() RETURNS SETOF @extschema@.lead_phones_person
    STABLE LANGUAGE sql
AS $function$
    SELECT s.place, p.contact_id, p.account_id, p.is_held, s.email, s.email_key, s.name, s.title, s.company, s.name_key, s.domain, s.region,
           s.raw_phone, s.raw_mobile, s.valid_phone, s.valid_mobile, s.phone_extension, s.mobile_extension
      FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
     WHERE s.email_key IS NOT NULL AND NOT p.is_repeated
     UNION ALL
    SELECT (m.person).*
      FROM (SELECT @extschema@.lead_phones_merged(array_agg(
                       ROW(s.place, p.contact_id, p.account_id, p.is_held, s.email, s.email_key, s.name, s.title, s.company, s.name_key, s.domain,
                           s.region, s.raw_phone, s.raw_mobile, s.valid_phone, s.valid_mobile, s.phone_extension,
                           s.mobile_extension)::@extschema@.lead_phones_person)) AS person
              FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
             WHERE p.is_repeated
             GROUP BY s.email_key) AS m
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_people_of_file() IS
    'internal: the people of an upload who have addresses, each once';

CREATE FUNCTION @extschema@.lead_phones_upload_people(campaign bigint) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    batch_size constant bigint := 10000;
    person @extschema@.lead_phones_person;
    people @extschema@.lead_phones_person[] := '{}';
    is_known boolean := EXISTS (SELECT FROM pg_temp.lead_phones_placed AS p WHERE p.outcome = 'updated');
BEGIN
    -- People who are all new are inserted plainly: ON CONFLICT costs a look-up more in each index.
    IF NOT is_known THEN
        BEGIN
            INSERT INTO contacts (campaign_id, contact_id, account_id, email, name, title, phone, mobile, region, phone_extension, mobile_extension)
            SELECT campaign, f.contact_id, f.account_id, f.email, f.name, f.title, @extschema@.lead_phones_best_number(f.valid_phone, f.raw_phone),
                   @extschema@.lead_phones_best_number(f.valid_mobile, f.raw_mobile), f.region, f.phone_extension, f.mobile_extension
              FROM @extschema@.lead_phones_people_of_file() AS f
             ORDER BY f.email_key;
        EXCEPTION WHEN unique_violation THEN
            -- Somebody has inserted one of them meanwhile.
            is_known := true;
        END;
    END IF;
    IF is_known THEN
        -- Those of whom nothing new is said are not looked at again.
        FOR person IN
            SELECT f.* FROM @extschema@.lead_phones_people_of_file() AS f
              LEFT JOIN contacts AS k ON k.campaign_id = campaign AND @extschema@.lead_phones_email_key(k.email) = f.email_key
             WHERE k.contact_id IS NULL
                OR @extschema@.lead_phones_tells_more(f, k.account_id, k.name, k.title, k.phone, k.mobile, k.region, k.phone_extension, k.mobile_extension)
             ORDER BY f.email_key LOOP
            people := people || person;
            IF cardinality(people) = batch_size THEN
                PERFORM @extschema@.lead_phones_write_people(campaign, people);
                people := '{}';
            END IF;
        END LOOP;
        PERFORM @extschema@.lead_phones_write_people(campaign, people);
    END IF;
    INSERT INTO contacts (campaign_id, contact_id, account_id, name, title, phone, mobile, region, phone_extension, mobile_extension)
    SELECT campaign, p.contact_id, p.account_id, s.name, s.title, @extschema@.lead_phones_best_number(s.valid_phone, s.raw_phone),
           @extschema@.lead_phones_best_number(s.valid_mobile, s.raw_mobile), s.region, s.phone_extension, s.mobile_extension
      FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
     WHERE p.outcome = 'created' AND s.email_key IS NULL;
    -- Of rows of one person, that who was written; also of people whom somebody has inserted meanwhile.
    IF is_known OR EXISTS (SELECT FROM pg_temp.lead_phones_placed AS p WHERE p.is_repeated) THEN
        UPDATE pg_temp.lead_phones_placed AS p
           SET contact_id = c.contact_id, outcome = CASE p.outcome WHEN 'created' THEN 'updated' ELSE p.outcome END
          FROM pg_temp.lead_phones_staged AS s JOIN contacts AS c ON c.campaign_id = campaign AND @extschema@.lead_phones_email_key(c.email) = s.email_key
         WHERE p.place = s.place AND p.outcome <> 'refused' AND p.contact_id IS DISTINCT FROM c.contact_id;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_upload_people(bigint) IS
    'internal: writes the people of an upload';

CREATE FUNCTION @extschema@.lead_phones_upload_places(campaign bigint) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- the latest that the file says of each
    UPDATE contacts AS c SET state = coalesce(f.state, c.state), time_zone = coalesce(f.time_zone, c.time_zone)
      FROM (SELECT DISTINCT ON (p.contact_id) p.contact_id, s.state, s.time_zone
              FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
             WHERE num_nonnulls(s.state, s.time_zone) > 0 AND p.contact_id IS NOT NULL
             ORDER BY p.contact_id, s.place DESC) AS f
     WHERE c.campaign_id = campaign AND c.contact_id = f.contact_id
       AND (coalesce(f.state, c.state), coalesce(f.time_zone, c.time_zone)) IS DISTINCT FROM (c.state, c.time_zone);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_upload_places(bigint) IS
    'internal: writes where the people of an upload are, as far as the file says';

CREATE FUNCTION @extschema@.lead_phones_upload_rows(campaign bigint, upload bigint, row_count bigint) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    violated text;
BEGIN
    -- Somebody may insert the same people, name the same companies or delete a contact at the same time: then again, from what is there.
    FOR attempt IN 1 .. 10 LOOP
        BEGIN
            PERFORM @extschema@.lead_phones_upload_progress(row_count, 'accounts');
            PERFORM @extschema@.lead_phones_split_accounts(campaign, array_agg(k.domain ORDER BY k.place), array_agg(k.name_key ORDER BY k.place),
                        array_agg(k.company ORDER BY k.place))
               FROM (SELECT s.domain, s.name_key, s.company, min(s.place) AS place FROM pg_temp.lead_phones_staged AS s
                      WHERE s.domain IS NOT NULL OR s.name_key IS NOT NULL GROUP BY s.domain, s.name_key, s.company) AS k;
            PERFORM @extschema@.lead_phones_upload_progress(row_count, 'people');
            IF @extschema@.lead_phones_is_anybody_held() THEN
                PERFORM @extschema@.lead_phones_hold_for_addresses(campaign, array_agg(s.email_key), array_agg(s.name), array_agg(s.valid_phone), array_agg(s.valid_mobile))
                   FROM pg_temp.lead_phones_staged AS s WHERE s.email_key IS NOT NULL;
            END IF;
            PERFORM @extschema@.lead_phones_place_rows(campaign);
            PERFORM @extschema@.lead_phones_upload_people(campaign);
            PERFORM @extschema@.lead_phones_upload_places(campaign);
            PERFORM @extschema@.lead_phones_upload_progress(row_count, 'leads');
            INSERT INTO leads (campaign_id, contact_id, upload_id, row_number, email, name, title, company, website, phone, mobile, custom)
            SELECT campaign, p.contact_id, upload, s.place, s.raw_email, s.name, s.title, s.company, s.website, s.raw_phone, s.raw_mobile, s.custom
              FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
             WHERE p.outcome <> 'refused' ORDER BY s.place;
            RETURN;
        EXCEPTION WHEN deadlock_detected OR unique_violation OR foreign_key_violation THEN
            GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
            -- of a shard it ends in a number
            violated := regexp_replace(violated, '_\d+$', '');
            IF SQLSTATE <> '40P01' AND violated NOT IN ('accounts_domain_idx', 'accounts_name_without_domain_idx', 'contacts_email_idx',
                    'contacts_pkey', 'contacts_campaign_id_account_id_fkey', 'leads_campaign_id_contact_id_fkey') THEN
                -- a constraint of the owner's own
                RAISE;
            END IF;
            IF attempt = 10 OR current_setting('transaction_isolation') <> 'read committed' THEN
                RAISE EXCEPTION 'could not serialize access due to concurrent update of contacts'
                    USING ERRCODE = 'serialization_failure', DETAIL = SQLERRM || '.', HINT = 'Try the transaction again.';
            END IF;
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_upload_rows(bigint, bigint, bigint) IS
    'internal: writes the accounts, people and leads of an upload';

CREATE FUNCTION @extschema@.lead_phones_record_problems(campaign bigint, upload bigint) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    INSERT INTO lead_upload_problems (campaign_id, upload_id, row_number, column_name, raw_value, reason)
    SELECT campaign, upload, s.place, v.name, v.raw, v.reason
      FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
     CROSS JOIN LATERAL (
        SELECT 'phone' AS name, s.raw_phone AS raw, @extschema@.phone_problem(s.raw_phone, s.region) AS reason
         UNION ALL SELECT 'mobile', s.raw_mobile, @extschema@.phone_problem(s.raw_mobile, s.region)
         UNION ALL SELECT 'email', s.raw_email, CASE WHEN s.email IS NULL AND s.raw_email IS NOT NULL THEN 'invalid_email'
                                                     WHEN p.outcome = 'duplicate' THEN 'duplicate_in_file' END
         UNION ALL SELECT 'company', coalesce(s.company, s.website), CASE WHEN p.left_account_id IS NOT NULL
                              AND @extschema@.lead_phones_is_account_out(campaign, p.left_account_id) THEN 'account_held' END
         UNION ALL SELECT '', (s.custom || jsonb_strip_nulls(jsonb_build_object('title', s.title, 'website', s.website)))::text,
                          CASE WHEN p.outcome = 'refused' THEN 'empty_row' END) AS v
     WHERE v.reason IS NOT NULL
       AND (s.raw_phone IS NOT NULL AND s.valid_phone IS NULL OR s.raw_mobile IS NOT NULL AND s.valid_mobile IS NULL
            OR s.raw_email IS NOT NULL AND s.email IS NULL OR p.outcome IN ('duplicate', 'refused') OR p.left_account_id IS NOT NULL)
     ORDER BY s.place, v.name;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_record_problems(bigint, bigint) IS
    'internal: records what of an upload could not be used';

CREATE FUNCTION @extschema@.lead_phones_write_receipt(campaign bigint, upload bigint) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    is_anybody_out constant boolean := EXISTS (SELECT FROM lead_disqualifications AS d WHERE d.lifted_at IS NULL)
        -- and not the counts: to read them is to have them written, and their rows locked
        OR EXISTS (SELECT FROM campaign_phone_disqualifications AS d WHERE d.campaign_id = campaign AND d.lifted_at IS NULL)
        OR EXISTS (SELECT FROM contacts AS c WHERE c.campaign_id = campaign AND (c.phone_disqualified OR c.mobile_disqualified));
BEGIN
    UPDATE lead_uploads AS u
       SET finished_at = clock_timestamp(), rows_in_file = o.rows_in_file, created = o.created, updated = o.updated,
           duplicates_in_file = o.duplicates_in_file, refused = o.refused, without_valid_number = o.without_valid_number,
           disqualified_on_arrival = o.disqualified_on_arrival, invalid_phone = w.invalid_phone, invalid_mobile = w.invalid_mobile
      FROM (SELECT count(*) AS rows_in_file, count(*) FILTER (WHERE p.outcome = 'created') AS created,
                   count(*) FILTER (WHERE p.outcome = 'updated') AS updated, count(*) FILTER (WHERE p.outcome = 'duplicate') AS duplicates_in_file,
                   count(*) FILTER (WHERE p.outcome = 'refused') AS refused,
                   count(*) FILTER (WHERE p.outcome <> 'refused' AND num_nonnulls(s.valid_phone, s.valid_mobile) = 0) AS without_valid_number,
                   count(*) FILTER (WHERE p.outcome <> 'refused' AND num_nonnulls(s.valid_phone, s.valid_mobile) > 0
AND (d.lead OR (s.valid_phone IS NULL OR d.phone) AND (s.valid_mobile IS NULL OR d.mobile))) AS disqualified_on_arrival
              FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
             CROSS JOIN LATERAL (
                SELECT coalesce(bool_or(q.blocks = 'lead'), false) AS lead, coalesce(bool_or(q.blocks = 'phone'), false) AS phone,
                       coalesce(bool_or(q.blocks = 'mobile'), false) AS mobile
                  FROM contact_disqualifications AS q
                 WHERE is_anybody_out AND q.campaign_id = campaign AND q.contact_id = p.contact_id) AS d) AS o,
           (SELECT count(*) FILTER (WHERE q.column_name = 'phone') AS invalid_phone, count(*) FILTER (WHERE q.column_name = 'mobile') AS invalid_mobile
              FROM lead_upload_problems AS q WHERE q.campaign_id = campaign AND q.upload_id = upload) AS w
     WHERE u.campaign_id = campaign AND u.upload_id = upload;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_write_receipt(bigint, bigint) IS
    'internal: counts what became of the rows of an upload';

CREATE FUNCTION @extschema@.lead_phones_write_upload(arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaign constant bigint := arguments ->> 'campaign';
    upload bigint;
    row_count bigint;
    receipt jsonb;
BEGIN
    PERFORM @extschema@.lead_phones_check_opened(), @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    -- Uploads of one campaign wait for each other; those of others do not.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones upload %I %s', current_schema(), campaign), 0));
    INSERT INTO lead_uploads AS u (campaign_id, file_name, uploaded_by, started_at, columns)
    VALUES (campaign, arguments ->> 'file_name', @extschema@.lead_phones_caller(), (arguments ->> 'started_at')::timestamptz, arguments -> 'columns')
    RETURNING u.upload_id INTO upload;
    row_count := @extschema@.lead_phones_clean_rows(campaign);
    IF EXISTS (SELECT FROM pg_temp.lead_phones_staged AS s WHERE s.place IS NULL) OR arguments -> 'columns' ? 'row_number' AND EXISTS (
            SELECT FROM pg_temp.lead_phones_staged AS s GROUP BY s.place HAVING count(*) > 1) THEN
        RAISE EXCEPTION 'column "%" of table "%" does not number its rows', arguments -> 'columns' ->> 'row_number', arguments ->> 'source'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Some rows have none, or the same number.',
                  HINT = 'Number each row, or drop the column: rows are numbered in the order in which they were copied.';
    END IF;
    PERFORM @extschema@.lead_phones_upload_rows(campaign, upload, row_count);
    PERFORM @extschema@.lead_phones_record_problems(campaign, upload);
    PERFORM @extschema@.lead_phones_write_receipt(campaign, upload);
    SELECT to_jsonb(u) INTO receipt FROM lead_uploads AS u WHERE u.campaign_id = campaign AND u.upload_id = upload;
    RETURN receipt;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_write_upload(jsonb) IS
    'internal: writes an upload, whose rows are in lead_phones_uploaded';

CREATE OR REPLACE PROCEDURE @extschema@.upload_leads(
    campaign bigint,
    source regclass,
    file_name text DEFAULT NULL,
    columns jsonb DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT upload_id bigint DEFAULT NULL,
    INOUT rows_in_file bigint DEFAULT NULL,
    INOUT created bigint DEFAULT NULL,
    INOUT updated bigint DEFAULT NULL,
    INOUT duplicates_in_file bigint DEFAULT NULL,
    INOUT refused bigint DEFAULT NULL,
    INOUT invalid_phone bigint DEFAULT NULL,
    INOUT invalid_mobile bigint DEFAULT NULL,
    INOUT without_valid_number bigint DEFAULT NULL,
    INOUT disqualified_on_arrival bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    mapping jsonb;
    part jsonb;
    receipt jsonb;
    started_at constant timestamptz := clock_timestamp();
    parallel_workers constant text := current_setting('max_parallel_workers_per_gather');
    synchronized constant text := current_setting('synchronize_seqscans');
BEGIN
    leads := format('%I.leads', @extschema@.lead_phones_model(leads))::regclass;
    IF campaign IS NULL OR source IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN campaign IS NULL THEN 'campaign' ELSE 'source' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the campaign and the staging table, as in CALL upload_leads(42, ''staging'').';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = source) THEN
        RAISE EXCEPTION 'table with OID % does not exist', source::oid
            USING ERRCODE = 'undefined_table', HINT = 'Name the staging table, as in CALL upload_leads(42, ''staging'').';
    END IF;
    mapping := @extschema@.lead_phones_staging_columns(source, columns);
    PERFORM @extschema@.lead_phones_upload_step(leads, 'open_upload', jsonb_build_object('campaign', campaign));
    -- Rows are numbered as a scan by one process from the table's start finds them: in the order in which they were copied.
    PERFORM set_config('max_parallel_workers_per_gather', '0', true), set_config('synchronize_seqscans', 'off', true);
    IF @extschema@.lead_phones_is_elsewhere(leads) THEN
        FOR part IN EXECUTE format('SELECT jsonb_build_object(''rows'', jsonb_agg(to_jsonb(r) - ''part'')) FROM (
                SELECT q.*, (row_number() OVER () - 1) / 10000 AS part FROM (%s) AS q) AS r GROUP BY r.part ORDER BY r.part',
            @extschema@.lead_phones_staged(source, mapping)) LOOP
            PERFORM @extschema@.lead_phones_upload_step(leads, 'take_rows', part);
        END LOOP;
    ELSE
        EXECUTE format('INSERT INTO pg_temp.lead_phones_uploaded (place, email, title, company, website, phone, mobile, country, state, time_zone, name, custom) %s',
            @extschema@.lead_phones_staged(source, mapping));
    END IF;
    PERFORM set_config('max_parallel_workers_per_gather', parallel_workers, true), set_config('synchronize_seqscans', synchronized, true);
    receipt := @extschema@.lead_phones_upload_step(leads, 'write_upload', jsonb_build_object('campaign', campaign, 'file_name', file_name,
        'columns', mapping, 'source', source::text, 'started_at', started_at));
    upload_id := receipt ->> 'upload_id';
    rows_in_file := receipt ->> 'rows_in_file';
    created := receipt ->> 'created';
    updated := receipt ->> 'updated';
    duplicates_in_file := receipt ->> 'duplicates_in_file';
    refused := receipt ->> 'refused';
    invalid_phone := receipt ->> 'invalid_phone';
    invalid_mobile := receipt ->> 'invalid_mobile';
    without_valid_number := receipt ->> 'without_valid_number';
    disqualified_on_arrival := receipt ->> 'disqualified_on_arrival';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.upload_leads(bigint, regclass, text, jsonb, regclass, bigint, bigint, bigint, bigint, bigint, bigint,
    bigint, bigint, bigint, bigint) IS
    'uploads the rows of a staging table into a campaign, and returns a receipt. Example: CALL upload_leads(42, ''staging'', ''march.csv'')';

CREATE FUNCTION @extschema@.lead_phones_holds_for(kind text, campaign bigint, subject text) RETURNS text[]
    STABLE LANGUAGE sql
AS $function$
    SELECT ($1 || ' ' || $3) || CASE $1
        WHEN 'account' THEN (
            SELECT array_remove(ARRAY['company ' || a.name_key, CASE WHEN NOT EXISTS (
                       SELECT FROM free_mail_domains AS f WHERE f.domain = ANY (@extschema@.lead_phones_domains_above(a.domain))) THEN 'domain ' || a.domain END], NULL)
              FROM accounts AS a WHERE a.campaign_id = $2 AND a.account_id = $3::bigint)
        WHEN 'contact' THEN (
            SELECT ARRAY(SELECT s.subject FROM unnest(@extschema@.lead_phones_subjects(NULL::bigint, NULL::bigint, c.email, c.name,
                             @extschema@.try_normalize_phone(c.phone, c.region), @extschema@.try_normalize_phone(c.mobile, c.region), NULL::bigint, NULL, NULL)) AS s (subject)
                          WHERE s.subject NOT LIKE 'domain %' AND (@extschema@.lead_phones_email_key(c.email) IS NULL OR s.subject NOT LIKE 'person %'))
              FROM contacts AS c WHERE c.campaign_id = $2 AND c.contact_id = $3::bigint) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_holds_for(text, bigint, text) IS
    'internal: whom an entry means: an account also by its name and domain, a contact by its address, which outlive the row';

CREATE FUNCTION @extschema@.lead_phones_enter(
    kind text, campaign bigint, subjects text[], source text, reason text, by_whom text, expires_at timestamptz) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
#variable_conflict use_variable
DECLARE
    missing text[];
    replaced bigint[];
BEGIN
    FOR attempt IN 1 .. 10 LOOP
        -- Of a source, the longest is in force: so an entry that says the same, and lasts as long, is enough. That against another row, which holds
        -- for this one too, stays beside it.
        missing := ARRAY(
            SELECT s.subject FROM unnest(subjects) AS s (subject)
             EXCEPT
            SELECT substr(d.subject, length(kind) + 2)
              FROM @extschema@.lead_phones_standing(kind, campaign, ARRAY(SELECT kind || ' ' || s FROM unnest(subjects) AS s), source) AS d
             WHERE d.is_own AND d.reason IS NOT DISTINCT FROM reason AND coalesce(d.expires_at, 'infinity') >= coalesce(expires_at, 'infinity')
             ORDER BY 1);
        IF missing = '{}' THEN
            RETURN;
        END IF;
        WITH lifted AS (
            UPDATE lead_disqualifications AS d SET lifted_by = by_whom, lifted_at = clock_timestamp(), lift_reason = 'replaced'
             WHERE d.lifted_at IS NULL AND d.entry IN (SELECT o.entry FROM @extschema@.lead_phones_standing(kind, campaign, ARRAY(SELECT kind || ' ' || m FROM unnest(missing) AS m), source) AS o WHERE o.is_own)
            RETURNING d.entry)
        SELECT coalesce(array_agg(l.entry), '{}') INTO replaced FROM lifted AS l;
        -- What the replaced entry held for, the new one does.
        WITH added AS (
            INSERT INTO lead_disqualifications AS d (campaign_id, account_id, contact_id, domain, source, reason, disqualified_by, disqualified_at, expires_at)
            SELECT campaign, CASE kind WHEN 'account' THEN s.subject::bigint END, CASE kind WHEN 'contact' THEN s.subject::bigint END,
                   CASE kind WHEN 'domain' THEN s.subject END, source,
                   reason, by_whom, clock_timestamp(), CASE
                       WHEN expires_at IS NULL OR o.entry IS NOT NULL AND o.expires_at IS NULL THEN NULL
                       ELSE greatest(o.expires_at, expires_at) END
              FROM unnest(missing) AS s (subject)
              LEFT JOIN lead_disqualifications AS o ON o.entry = ANY (replaced)
                   AND coalesce(o.account_id::text, o.contact_id::text, o.domain) = s.subject
             ORDER BY s.subject
            ON CONFLICT DO NOTHING
            RETURNING d.entry, coalesce(d.account_id::text, d.contact_id::text, d.domain) AS subject)
        INSERT INTO lead_disqualification_subjects (entry, subject)
        SELECT a.entry, h.subject FROM added AS a CROSS JOIN LATERAL unnest(@extschema@.lead_phones_holds_for(kind, campaign, a.subject)) AS h (subject)
         UNION
        SELECT a.entry, k.subject FROM added AS a
          JOIN lead_disqualifications AS o ON o.entry = ANY (replaced)
               AND coalesce(o.account_id::text, o.contact_id::text, o.domain) = a.subject
          JOIN lead_disqualification_subjects AS k ON k.entry = o.entry;
        IF kind = 'contact' THEN
            PERFORM @extschema@.lead_phones_hold_for_numbers(campaign, ARRAY(
                SELECT o.entry FROM @extschema@.lead_phones_standing(kind, campaign, ARRAY(SELECT kind || ' ' || m FROM unnest(missing) AS m), source) AS o));
        END IF;
        -- Where somebody has entered one of them meanwhile, that may be the shorter: look again.
    END LOOP;
    PERFORM @extschema@.lead_phones_check_written(l.relation, cardinality(missing)::bigint)
       FROM unnest('{lead_disqualifications,lead_disqualification_subjects}'::regclass[]) AS l (relation)
      WHERE @extschema@.lead_phones_interferers(l.relation, 'INSERT') IS NOT NULL;
    RAISE EXCEPTION 'could not serialize access due to concurrent update of lead_disqualifications'
        USING ERRCODE = 'serialization_failure', DETAIL = 'Others enter the same subjects of the same source.', HINT = 'Try the transaction again.';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_enter(text, bigint, text[], text, text, text, timestamptz) IS
    'internal: enters subjects into the ledger of lead tables';

CREATE FUNCTION @extschema@.lead_phones_hold_for_numbers(campaign bigint, entries bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- From number to number. Of an entry of all campaigns, what is said of this one.
    WITH RECURSIVE held (entry, in_campaign, subject) AS (
        SELECT d.entry, c.suffix, replace(k.subject, c.suffix, '') FROM lead_disqualifications AS d
         CROSS JOIN LATERAL (SELECT CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || campaign ELSE '' END AS suffix OFFSET 0) AS c
          JOIN lead_disqualification_subjects AS k ON k.entry = d.entry
         WHERE d.entry = ANY (entries) AND k.subject LIKE 'person %' || c.suffix
         UNION
        SELECT h.entry, h.in_campaign, s.subject FROM held AS h
         CROSS JOIN LATERAL (SELECT substring(h.subject FROM '[+]\d+$') AS number OFFSET 0) AS n
         CROSS JOIN LATERAL (
            SELECT c.email, c.name, c.phone, c.mobile, c.region FROM contacts AS c WHERE c.campaign_id = campaign AND c.phone = n.number
             UNION ALL
            SELECT c.email, c.name, c.phone, c.mobile, c.region FROM contacts AS c WHERE c.campaign_id = campaign AND c.mobile = n.number) AS c
         CROSS JOIN LATERAL (
            SELECT @extschema@.lead_phones_subjects(NULL::bigint, NULL::bigint, NULL, c.name, @extschema@.try_normalize_phone(c.phone, c.region),
                @extschema@.try_normalize_phone(c.mobile, c.region), NULL::bigint, NULL, NULL) AS subjects OFFSET 0) AS known
         CROSS JOIN LATERAL unnest(known.subjects) AS s (subject)
         WHERE @extschema@.lead_phones_email_key(c.email) IS NULL AND h.subject = ANY (known.subjects))
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT h.entry, h.subject || h.in_campaign FROM held AS h ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_for_numbers(bigint, bigint[]) IS
    'internal: has entries that hold for people by name and number hold for the other numbers of these people too';

CREATE FUNCTION @extschema@.lead_phones_hold_for_addresses(campaign bigint, emails text[], names text[], phones text[], mobiles text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- Several rows become one person, of whom some of the numbers are then forgotten.
    WITH held AS MATERIALIZED (
        SELECT r.email, k.entry
          FROM ROWS FROM (unnest(emails), unnest(names), unnest(phones), unnest(mobiles)) AS r (email, name, phone, mobile)
         CROSS JOIN LATERAL (
            SELECT k.entry FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (
                @extschema@.lead_phones_subjects(campaign, NULL::bigint, NULL, r.name, r.phone, r.mobile, NULL::bigint, NULL, NULL)) OFFSET 0) AS k)
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, 'email ' || h.email || CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || campaign ELSE '' END
      FROM held AS h JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = campaign)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_for_addresses(bigint, text[], text[], text[], text[]) IS
    'internal: has entries that hold for people by name and number hold for the addresses that these come with';

CREATE FUNCTION @extschema@.lead_phones_is_anybody_held() RETURNS boolean
    STABLE LANGUAGE sql
AS $function$
    SELECT EXISTS (SELECT FROM lead_disqualification_subjects AS k WHERE k.subject >= 'person ' AND k.subject < 'person!')
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_anybody_held() IS
    'internal: whether there are entries that hold for people by name and number';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_standing(kind text, campaign bigint, held_for text[], source text)
    RETURNS TABLE (entry bigint, subject text, is_own boolean, reason text, expires_at timestamptz)
    STABLE LANGUAGE sql
AS $function$
    SELECT d.entry, k.subject, k.subject = $1 || ' ' || coalesce(d.account_id::text, d.contact_id::text, d.domain), d.reason, d.expires_at
      FROM unnest($3) AS h (subject)
      JOIN lead_disqualification_subjects AS k ON k.subject = h.subject
      JOIN lead_disqualifications AS d ON d.entry = k.entry
     WHERE d.lifted_at IS NULL AND d.campaign_id IS NOT DISTINCT FROM $2
       AND d.source = coalesce($4, d.source)
       AND CASE $1 WHEN 'account' THEN d.account_id IS NOT NULL WHEN 'contact' THEN d.contact_id IS NOT NULL ELSE d.domain IS NOT NULL END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_standing(text, bigint, text[], text) IS
    'internal: the entries of a kind that hold for some subjects, of a source or all, and are not lifted';

CREATE FUNCTION @extschema@.lead_phones_read_subjects(leads regclass, arguments jsonb, OUT subjects text[], OUT invalid text[])
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    kind constant text := arguments ->> 'kind';
    raw text[] := ARRAY(SELECT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    tracked @extschema@.lead_phone_tables;
BEGIN
    IF kind IN ('account', 'contact') THEN
        subjects := raw;
        RETURN;
    END IF;
    PERFORM @extschema@.lead_phones_check_region_code(arguments ->> 'region');
    -- Registries write area code and number with a comma between, which otherwise begins an extension.
    raw := array_remove(ARRAY(SELECT DISTINCT CASE WHEN kind = 'phone' THEN regexp_replace(@extschema@.lead_phones_trimmed(r), '^(\d{3}),\s*(\d{7})$', '\1 \2')
                                                   ELSE @extschema@.lead_phones_trimmed(r) END FROM unnest(raw) AS r), NULL);
    IF kind = 'domain' THEN
        SELECT array_agg(DISTINCT n.subject ORDER BY n.subject) FILTER (WHERE n.subject IS NOT NULL), array_agg(n.raw) FILTER (WHERE n.subject IS NULL)
          INTO subjects, invalid
          FROM (SELECT r AS raw, @extschema@.lead_phones_domain(r) AS subject FROM unnest(raw) AS r) AS n;
    ELSIF arguments ->> 'hashed' IS NOT NULL THEN
        SELECT array_agg(DISTINCT n.subject) FILTER (WHERE n.subject IS NOT NULL), array_agg(n.raw) FILTER (WHERE n.subject IS NULL)
          INTO subjects, invalid
          FROM (SELECT r AS raw, @extschema@.lead_phones_key_from_hex(r)::text AS subject FROM unnest(raw) AS r) AS n;
    ELSE
        tracked := @extschema@.lead_phones_tracked(leads);
        SELECT array_agg(DISTINCT n.number::text) FILTER (WHERE n.number IS NOT NULL),
               array_agg(n.raw_value) FILTER (WHERE n.number IS NULL AND n.readings = 1)
          INTO subjects, invalid
          FROM (SELECT r.raw_value, r.number, count(*) OVER (PARTITION BY r.raw_value) AS readings
                  FROM @extschema@.lead_phones_read(tracked, arguments ->> 'campaign', raw, arguments ->> 'region') AS r) AS n;
    END IF;
    subjects := coalesce(subjects, '{}');
    invalid := coalesce(invalid, '{}');
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_read_subjects(regclass, jsonb) IS
    'internal: whom the arguments of a procedure name, of hashes their keys; and what of them could not be read';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_suppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    kind constant text := arguments ->> 'kind';
    campaign constant bigint := arguments ->> 'campaign';
    subjects text[];
    invalid text[];
    leads_out bigint;
BEGIN
    IF campaign IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    END IF;
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    arguments := arguments || jsonb_build_object(CASE WHEN arguments ->> 'hashed' IS NULL THEN 'subjects' ELSE 'keys' END, subjects);
    IF kind IN ('account', 'contact') THEN
        PERFORM @extschema@.lead_phones_known_subject(kind, campaign, subjects[1]::bigint);
        -- Who is just renaming the company, or changing or moving somebody away, is waited for; who does so next sees the entry.
        PERFORM FROM accounts AS a WHERE kind = 'account' AND a.campaign_id = campaign AND a.account_id = subjects[1]::bigint FOR NO KEY UPDATE;
        PERFORM FROM contacts AS c
          WHERE c.campaign_id = campaign AND CASE kind WHEN 'account' THEN c.account_id = subjects[1]::bigint ELSE c.contact_id = subjects[1]::bigint END
          ORDER BY @extschema@.lead_phones_email_key(c.email), c.contact_id FOR NO KEY UPDATE;
    END IF;
    IF kind = 'phone' THEN
        IF cardinality(subjects) > 0 THEN
            PERFORM @extschema@.lead_phones_disqualify(leads, arguments);
        END IF;
    ELSE
        PERFORM @extschema@.lead_phones_enter(kind, campaign, subjects, arguments ->> 'source', arguments ->> 'reason', arguments ->> 'by',
            (arguments ->> 'expires_at')::timestamptz);
    END IF;
    IF kind IN ('account', 'contact') THEN
        SELECT count(*) INTO leads_out
          FROM contacts AS c JOIN leads AS l ON l.campaign_id = c.campaign_id AND l.contact_id = c.contact_id
         WHERE c.campaign_id = campaign AND CASE kind WHEN 'account' THEN c.account_id = subjects[1]::bigint ELSE c.contact_id = subjects[1]::bigint END;
    END IF;
    RETURN jsonb_build_object('subjects', cardinality(subjects), 'leads', leads_out, 'invalid', coalesce(cardinality(invalid), 0), 'one_invalid', (SELECT min(i) FROM unnest(invalid) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_suppress(regclass, jsonb) IS
    'internal: disqualifies an account or a contact, or suppresses domains or numbers, as the caller';

CREATE FUNCTION @extschema@.lead_phones_known_subject(kind text, campaign bigint, subject bigint) RETURNS void
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    is_known constant boolean := CASE kind
        WHEN 'account' THEN EXISTS (SELECT FROM accounts AS a WHERE a.campaign_id = campaign AND a.account_id = subject)
        ELSE EXISTS (SELECT FROM contacts AS c WHERE c.campaign_id = campaign AND c.contact_id = subject) END;
BEGIN
    IF NOT is_known THEN
        RAISE EXCEPTION '% % of campaign % does not exist', kind, subject, campaign
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.%ss" has no such row.', current_schema(), kind),
                  HINT = format('Name the campaign, and the %s_id of the %s.', kind, kind);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_subject(text, bigint, bigint) IS
    'internal: an error unless there is such an account or contact';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_unsuppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    kind constant text := arguments ->> 'kind';
    campaign constant bigint := arguments ->> 'campaign';
    subjects text[];
    invalid text[];
    held_for text[];
    lifted bigint := 0;
BEGIN
    IF campaign IS NOT NULL THEN
        PERFORM @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    END IF;
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    arguments := arguments || jsonb_build_object(CASE WHEN arguments ->> 'hashed' IS NULL THEN 'subjects' ELSE 'keys' END, subjects);
    IF kind = 'phone' THEN
        IF cardinality(subjects) > 0 THEN
            lifted := @extschema@.lead_phones_requalify(leads, arguments) ->> 'entries';
        END IF;
    ELSE
        -- also an entry against an earlier row of the same person or company
        held_for := ARRAY(SELECT DISTINCT h.subject FROM unnest(subjects) AS s
                           CROSS JOIN LATERAL unnest(@extschema@.lead_phones_holds_for(kind, campaign, s)) AS h (subject));
        UPDATE lead_disqualifications AS d SET lifted_by = arguments ->> 'by', lifted_at = clock_timestamp(), lift_reason = arguments ->> 'reason'
         WHERE d.lifted_at IS NULL AND d.entry IN (
            SELECT o.entry FROM @extschema@.lead_phones_standing(kind, campaign, held_for, arguments ->> 'source') AS o);
        GET DIAGNOSTICS lifted = ROW_COUNT;
        IF kind IN ('account', 'contact') THEN
            PERFORM @extschema@.lead_phones_due_again(campaign, CASE kind WHEN 'contact' THEN subjects::bigint[] ELSE ARRAY(
                SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = campaign AND c.account_id = subjects[1]::bigint) END);
        END IF;
    END IF;
    RETURN jsonb_build_object('entries', lifted, 'invalid', coalesce(cardinality(invalid), 0), 'one_invalid', (SELECT min(i) FROM unnest(invalid) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_unsuppress(regclass, jsonb) IS
    'internal: lifts what lead_phones_suppress did, as the caller';

CREATE FUNCTION @extschema@.lead_phones_expire_entries(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    expired_at constant timestamptz := clock_timestamp();
    lifted bigint;
BEGIN
    UPDATE lead_disqualifications AS d SET lifted_by = arguments ->> 'by', lifted_at = expired_at, lift_reason = 'expired'
     WHERE d.lifted_at IS NULL AND d.expires_at <= expired_at;
    GET DIAGNOSTICS lifted = ROW_COUNT;
    RETURN jsonb_build_object('entries', lifted);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire_entries(regclass, jsonb) IS
    'internal: lifts the entries of lead_disqualifications that are past their time';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_contacts(rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    -- before it is
    is_truncated constant boolean := rows = 'null';
BEGIN
    IF is_truncated THEN
        -- all that are out
        SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') INTO rows FROM contacts AS c
         WHERE EXISTS (SELECT FROM contact_disqualifications AS d WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id AND d.blocks = 'lead');
    END IF;
    -- What held for a person as known before, holds as known now, and if the person comes again as either: in the campaign of before, or of now.
    WITH people AS MATERIALIZED (
        SELECT o.campaign_id AS old_campaign_id, o.email AS old_email, c.campaign_id AS new_campaign_id, c.email AS new_email, w.of_row,
               -- by what the person was known, and is, whatever the row
               @extschema@.lead_phones_subjects(o.campaign_id, NULL::bigint, o.email, o.name, n.old_phone, n.old_mobile, NULL::bigint, NULL, NULL) AS known_by,
               @extschema@.lead_phones_subjects(NULL::bigint, NULL::bigint, o.email, o.name, n.old_phone, n.old_mobile, NULL::bigint, NULL, NULL) AS old_subjects,
               CASE WHEN c.contact_id IS NOT NULL THEN
                   @extschema@.lead_phones_subjects(c.campaign_id, NULL::bigint, c.email, c.name, n.new_phone, n.new_mobile, NULL::bigint, NULL, NULL) END AS is_known_by,
               CASE WHEN c.contact_id IS NOT NULL THEN
                   @extschema@.lead_phones_subjects(NULL::bigint, c.contact_id, c.email, c.name, n.new_phone, n.new_mobile, NULL::bigint, NULL, NULL) ELSE '{}' END AS new_subjects,
               c.contact_id IS NULL OR (c.campaign_id, c.contact_id) <> (o.campaign_id, o.contact_id) OR c.account_id IS DISTINCT FROM o.account_id AS has_moved
          FROM jsonb_to_recordset(rows) AS o (campaign_id bigint, contact_id bigint, account_id bigint, email text, name text, phone text, mobile text, region text,
                new_campaign_id bigint, new_contact_id bigint)
          LEFT JOIN accounts AS a ON a.campaign_id = o.campaign_id AND a.account_id = o.account_id
          LEFT JOIN contacts AS c ON c.campaign_id = coalesce(o.new_campaign_id, o.campaign_id) AND c.contact_id = coalesce(o.new_contact_id, o.contact_id) AND NOT is_truncated
         -- of an account that is deleted with it, lead_phones_keep_out_of_account() has seen to its row
         CROSS JOIN LATERAL (
            SELECT @extschema@.lead_phones_subjects(o.campaign_id, o.contact_id, NULL, NULL, NULL, NULL, o.account_id, a.name_key, a.domain) AS of_row) AS w
         CROSS JOIN LATERAL (
            SELECT @extschema@.try_normalize_phone(o.phone, o.region) AS old_phone, @extschema@.try_normalize_phone(o.mobile, o.region) AS old_mobile,
                   @extschema@.try_normalize_phone(c.phone, c.region) AS new_phone, @extschema@.try_normalize_phone(c.mobile, c.region) AS new_mobile OFFSET 0) AS n),
    held AS MATERIALIZED (
        SELECT p.*, k.* FROM people AS p
         CROSS JOIN LATERAL (
            SELECT k.entry, bool_or(k.subject = ANY (p.known_by || p.of_row)) AS was_out,
                   bool_or(k.subject = ANY (p.known_by) AND k.subject NOT LIKE 'person %') AS knows_old,
                   bool_or(k.subject = ANY (p.is_known_by) AND k.subject NOT LIKE 'person %') AS knows_new
              FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (p.known_by || p.of_row || p.is_known_by) GROUP BY k.entry) AS k
         WHERE k.was_out AND (p.has_moved OR p.known_by <> p.is_known_by))
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, s.subject || CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || s.campaign_id ELSE '' END
      FROM held AS h
      JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = h.old_campaign_id)
     CROSS JOIN LATERAL (
        SELECT h.old_campaign_id AS campaign_id, w.subject FROM unnest(h.old_subjects) AS w (subject)
         WHERE CASE WHEN w.subject LIKE 'person %' THEN @extschema@.lead_phones_email_key(h.old_email) IS NULL ELSE h.knows_old IS NOT TRUE END
         UNION
        SELECT h.new_campaign_id, w.subject FROM unnest(h.new_subjects) AS w (subject)
         WHERE CASE WHEN w.subject LIKE 'person %' THEN @extschema@.lead_phones_email_key(h.new_email) IS NULL ELSE h.knows_new IS NOT TRUE END) AS s
     WHERE s.subject NOT LIKE 'domain %' AND (d.campaign_id IS NULL OR d.campaign_id = s.campaign_id)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
    PERFORM @extschema@.lead_phones_keep_out_of_new_contacts(rows);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_contacts(jsonb) IS
    'internal: adds to the entries that kept contacts out whom they mean, since their rows have changed or gone';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_new_contacts(rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaigns bigint[];
    entries bigint[];
BEGIN
    -- Step by step, and not in another order: Postgres does not know how few these are.
    WITH people AS MATERIALIZED (
        SELECT c.campaign_id, @extschema@.lead_phones_subjects(c.campaign_id, NULL::bigint, NULL, c.name, @extschema@.try_normalize_phone(c.phone, c.region),
                   @extschema@.try_normalize_phone(c.mobile, c.region), NULL::bigint, NULL, NULL) AS subjects
          FROM jsonb_to_recordset(rows) AS o (campaign_id bigint, contact_id bigint, new_campaign_id bigint, new_contact_id bigint)
          JOIN contacts AS c ON c.campaign_id = coalesce(o.new_campaign_id, o.campaign_id) AND c.contact_id = coalesce(o.new_contact_id, o.contact_id)
         WHERE @extschema@.lead_phones_email_key(c.email) IS NULL AND c.phone IS NOT NULL AND c.mobile IS NOT NULL),
    held AS MATERIALIZED (
        SELECT DISTINCT p.campaign_id, k.entry FROM people AS p JOIN lead_disqualification_subjects AS k ON k.subject = ANY (p.subjects))
    SELECT array_agg(f.campaign_id), array_agg(f.entry) INTO campaigns, entries
      FROM (SELECT h.campaign_id, h.entry FROM held AS h
              JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = h.campaign_id)) AS f;
    PERFORM @extschema@.lead_phones_hold_for_numbers(f.campaign, array_agg(f.entry))
       FROM unnest(campaigns, entries) AS f (campaign, entry) GROUP BY f.campaign;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_new_contacts(jsonb) IS
    'internal: adds to the entries that keep contacts out by name and number their other numbers';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_accounts(rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- An entry against the company holds for its new name and domain too; one against a domain, for the company that had it.
    WITH held AS MATERIALIZED (
        SELECT o.campaign_id AS old_campaign_id, coalesce(o.new_campaign_id, o.campaign_id) AS campaign_id, coalesce(o.new_account_id, o.account_id) AS account_id, k.entry
          FROM jsonb_to_recordset(rows) AS o (campaign_id bigint, account_id bigint, name text, domain text, new_campaign_id bigint, new_account_id bigint)
         CROSS JOIN LATERAL (
            SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (@extschema@.lead_phones_subjects(
                o.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, o.account_id, @extschema@.lead_phones_company_key(o.name), o.domain))) AS k)
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, s.subject
      FROM held AS n JOIN lead_disqualifications AS d ON d.entry = n.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = n.old_campaign_id)
     CROSS JOIN LATERAL unnest(CASE
            WHEN d.account_id IS NOT NULL THEN @extschema@.lead_phones_holds_for('account', n.campaign_id, n.account_id::text)
            WHEN d.campaign_id IS NULL THEN ARRAY[format('account %s in campaign %s', n.account_id, n.campaign_id)]
            ELSE ARRAY['account ' || n.account_id] END) AS s (subject)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_accounts(jsonb) IS
    'internal: adds to the entries that kept companies out whom they mean, since their rows have changed';

CREATE FUNCTION @extschema@.lead_phones_keep_out_of_account(account jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- Before its row is changed or goes: whatever kept the company out holds for its row, by which its people are found.
    WITH held AS MATERIALIZED (
        SELECT o.campaign_id, o.account_id, k.entry
          FROM jsonb_to_record(account) AS o (campaign_id bigint, account_id bigint, name text, domain text)
         CROSS JOIN LATERAL (
            SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k WHERE k.subject = ANY (@extschema@.lead_phones_subjects(
                o.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, o.account_id, @extschema@.lead_phones_company_key(o.name), o.domain))) AS k)
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, 'account ' || h.account_id || CASE WHEN d.campaign_id IS NULL THEN ' in campaign ' || h.campaign_id ELSE '' END
      FROM held AS h JOIN lead_disqualifications AS d ON d.entry = h.entry AND d.lifted_at IS NULL AND (d.campaign_id IS NULL OR d.campaign_id = h.campaign_id)
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_of_account(jsonb) IS
    'internal: adds to the entries that kept a company out its row, before that is changed or gone';

CREATE FUNCTION @extschema@.lead_phones_check_shrinking(source text, before bigint, now bigint, force boolean) RETURNS void
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF now * 2 <= before AND before > 0 AND NOT force THEN
        RAISE EXCEPTION 'the list of source "%" is half as long as it was, or shorter', source
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It had %s entries, and has %s.', before, now),
                  HINT = 'Make sure that it is whole: what is not on it is lifted. Then call again with force => true.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_shrinking(text, bigint, bigint, boolean) IS
    'internal: an error where a list has lost so much that it may be cut off';

CREATE FUNCTION @extschema@.lead_phones_sync_phones(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    source_name constant text := arguments ->> 'source';
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    on_list bigint[];
    standing bigint[];
    lasting bigint[];
    added bigint[];
    gone bigint[];
    subjects text[];
    invalid text[];
BEGIN
    PERFORM @extschema@.lead_phones_check_everywhere(tracked);
    -- Files of a source are taken one after the other.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones sync %I %s', current_schema(), source_name), 0));
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    on_list := ARRAY(SELECT ltrim(s, '+')::bigint FROM unnest(subjects) AS s);
    SELECT coalesce(array_agg(g.number), '{}'), coalesce(array_agg(g.number) FILTER (WHERE g.lasts), '{}') INTO standing, lasting
      FROM (SELECT s.number, bool_or(p.expires_at IS NULL) AS lasts FROM suppressed_phones AS s JOIN phone_suppressions AS p ON p.entry = s.entry
             WHERE s.lifted_at IS NULL AND p.lifted_at IS NULL AND p.source = source_name GROUP BY s.number) AS g;
    PERFORM @extschema@.lead_phones_check_shrinking(source_name, cardinality(standing), cardinality(on_list), (arguments ->> 'force')::boolean);
    -- what the list names is disqualified for as long as it does
    added := ARRAY(SELECT n FROM unnest(on_list) AS n EXCEPT SELECT n FROM unnest(lasting) AS n);
    gone := ARRAY(SELECT n FROM unnest(standing) AS n EXCEPT SELECT n FROM unnest(on_list) AS n);
    PERFORM @extschema@.lead_phones_take_turns(tracked, added || gone);
    IF added <> '{}' THEN
        PERFORM @extschema@.lead_phones_enter_everywhere(tracked, arguments || jsonb_build_object('keys', added));
    END IF;
    IF gone <> '{}' THEN
        UPDATE suppressed_phones AS s SET lifted_by = arguments ->> 'by', lifted_at = clock_timestamp(), lift_reason = 'not on the list any more'
          FROM unnest(gone) AS g (number), phone_suppressions AS p
         WHERE s.number = g.number AND s.lifted_at IS NULL AND p.entry = s.entry AND p.lifted_at IS NULL AND p.source = source_name;
    END IF;
    -- all numbers in one order
    IF added || gone <> '{}' THEN
        PERFORM @extschema@.lead_phones_apply_everywhere(tracked, added || gone);
    END IF;
    RETURN @extschema@.lead_phones_record_sync('phone', arguments, cardinality(added), cardinality(on_list) - cardinality(added), cardinality(gone), invalid);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_sync_phones(regclass, jsonb) IS
    'internal: disqualifies the numbers of a source that are on its list today, and lifts those that are not, as the caller';

CREATE FUNCTION @extschema@.lead_phones_sync_domains(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    source_name constant text := arguments ->> 'source';
    standing text[];
    lasting text[];
    added text[];
    gone text[];
    subjects text[];
    invalid text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones sync %I %s', current_schema(), source_name), 0));
    SELECT * INTO subjects, invalid FROM @extschema@.lead_phones_read_subjects(leads, arguments);
    SELECT coalesce(array_agg(d.domain), '{}'), coalesce(array_agg(d.domain) FILTER (WHERE d.expires_at IS NULL), '{}') INTO standing, lasting
      FROM lead_disqualifications AS d
     WHERE d.domain IS NOT NULL AND d.campaign_id IS NULL AND d.lifted_at IS NULL AND d.source = source_name;
    PERFORM @extschema@.lead_phones_check_shrinking(source_name, cardinality(standing), cardinality(subjects), (arguments ->> 'force')::boolean);
    added := ARRAY(SELECT n FROM unnest(subjects) AS n EXCEPT SELECT n FROM unnest(lasting) AS n);
    gone := ARRAY(SELECT n FROM unnest(standing) AS n EXCEPT SELECT n FROM unnest(subjects) AS n);
    PERFORM @extschema@.lead_phones_enter('domain', NULL::bigint, added, source_name, arguments ->> 'reason', arguments ->> 'by', NULL::timestamptz);
    UPDATE lead_disqualifications AS d SET lifted_by = arguments ->> 'by', lifted_at = clock_timestamp(), lift_reason = 'not on the list any more'
      FROM unnest(gone) AS g (domain)
     WHERE d.domain = g.domain AND d.campaign_id IS NULL AND d.lifted_at IS NULL AND d.source = source_name;
    RETURN @extschema@.lead_phones_record_sync('domain', arguments, cardinality(added), cardinality(subjects) - cardinality(added), cardinality(gone), invalid);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_sync_domains(regclass, jsonb) IS
    'internal: suppresses the domains of a source that are on its list today, and lifts those that are not, as the caller';

CREATE FUNCTION @extschema@.lead_phones_record_sync(kind text, arguments jsonb, added bigint, kept bigint, lifted bigint, invalid text[]) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    INSERT INTO suppression_syncs (kind, source, list, synced_by, synced_at, added, kept, lifted, invalid)
    VALUES ($1, arguments ->> 'source', arguments ->> 'list', arguments ->> 'by', clock_timestamp(), $3, $4, $5, cardinality($6));
    RETURN jsonb_build_object('added', $3, 'kept', $4, 'lifted', $5, 'invalid', cardinality($6), 'one_invalid', (SELECT min(i) FROM unnest($6) AS i));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_record_sync(text, jsonb, bigint, bigint, bigint, text[]) IS
    'internal: the receipt of a list that was taken over';

CREATE FUNCTION @extschema@.lead_phones_check_hashed(hashed text, campaign text) RETURNS void
    IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF hashed <> 'sha256' THEN
        RAISE EXCEPTION 'hashes "%" are not known', left(hashed, 64)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A list has numbers, or their hashes by hashed => ''sha256''.';
    END IF;
    IF hashed IS NOT NULL AND campaign IS NOT NULL THEN
        RAISE EXCEPTION 'hashed numbers cannot be disqualified in one campaign'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'The ledger of a campaign names numbers, and of these only the hashes are known.',
                  HINT = 'Leave campaign out: they are disqualified in every campaign.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_hashed(text, text) IS
    'internal: an error where a list of hashes cannot be taken';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_call_suppression(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kind text := arguments ->> 'kind';
    answer jsonb;
BEGIN
    IF jsonb_typeof(arguments -> 'subjects') IS DISTINCT FROM 'array' OR arguments -> 'subjects' = '[null]'
       OR kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL
       OR action <> 'unsuppress' AND arguments ->> 'source' IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN action <> 'unsuppress' AND arguments ->> 'source' IS NULL THEN 'source'
                WHEN kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL THEN 'campaign'
                WHEN kind IN ('account', 'contact') THEN kind ELSE kind || 's' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'See the reference of the procedure for what it needs.';
    END IF;
    PERFORM @extschema@.lead_phones_check_source(arguments ->> 'source'),
            @extschema@.lead_phones_check_hashed(arguments ->> 'hashed', arguments ->> 'campaign');
    IF action <> 'unsuppress' THEN
        PERFORM @extschema@.lead_phones_check_not_of_calls(arguments ->> 'source');
    END IF;
    leads := format('%I.contacts', @extschema@.lead_phones_model(leads))::regclass;
    PERFORM @extschema@.lead_phones_hold_to_write(leads);
    answer := @extschema@.lead_phones_as_owner(leads, action, arguments || jsonb_build_object('by', @extschema@.lead_phones_caller()));
    IF (answer ->> 'invalid')::bigint > 0 THEN
        RAISE WARNING '% of the %s are not valid, and left out', answer ->> 'invalid', kind
            USING DETAIL = format('One is "%s".', left(answer ->> 'one_invalid', 64)),
                  HINT = CASE WHEN arguments ->> 'hashed' IS NOT NULL THEN 'Each is the SHA-256 of a number in E.164, as 64 hexadecimal digits.'
                      WHEN kind = 'phone' THEN 'Write numbers with their country code, or name their region with region => ''...''.'
                      ELSE 'Write domains as in kw.example; of public suffixes such as co.uk, name those below.' END;
    END IF;
    RETURN answer;
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_elements(list text[]) RETURNS jsonb
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN list IS NULL THEN 'null'::jsonb ELSE to_jsonb(ARRAY(SELECT e FROM unnest(list) AS e)) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_elements(text[]) IS 'internal: the elements of a list, of however many dimensions';

CREATE FUNCTION @extschema@.lead_phones_check_list(list regclass, column_name name) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kind "char" := (SELECT c.relkind FROM pg_catalog.pg_class AS c WHERE c.oid = list);
BEGIN
    IF kind IS NULL OR kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '%', CASE WHEN kind IS NULL THEN format('table with OID %s does not exist', list::oid) ELSE format('"%s" is no list', list) END
            USING ERRCODE = CASE WHEN kind IS NULL THEN 'undefined_table' ELSE 'wrong_object_type' END,
                  HINT = 'Name a table, or a view, and its column of numbers or domains.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = list AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'table "%" has no column "%"', list, column_name
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('Its columns are %s.', (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
                                                           WHERE a.attrelid = list AND a.attnum > 0 AND NOT a.attisdropped)),
                  HINT = 'Name its column of numbers or domains with column_name => ''...''.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_list(regclass, name) IS
    'internal: an error where a list, or a column of it, cannot be read';

CREATE FUNCTION @extschema@.lead_phones_value_of(list regclass, column_name name) RETURNS text
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT @extschema@.lead_phones_plain(@extschema@.lead_phones_type_of(list, column_name), format('l.%I', column_name))
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_value_of(regclass, name) IS
    'internal: SQL of what a column of a list "l" says, as text';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_values(list regclass, column_name name) RETURNS text[]
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    known text[];
BEGIN
    IF list IS NULL OR column_name IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN list IS NULL THEN 'list' ELSE 'column_name' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a table, and its column of numbers or domains.';
    END IF;
    PERFORM @extschema@.lead_phones_check_list(list, column_name);
    EXECUTE format('SELECT coalesce(array_agg(%s), ''{}'') FROM %s AS l WHERE l.%I IS NOT NULL', @extschema@.lead_phones_value_of(list, column_name), list, column_name) INTO known;
    RETURN known;
END
$function$;

CREATE PROCEDURE @extschema@.sync_suppressed_values(
    kind text,
    subjects text[],
    source text,
    list text,
    reason text,
    region text,
    force boolean,
    hashed text,
    leads regclass,
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, CASE kind WHEN 'phone' THEN 'sync_phones' ELSE 'sync_domains' END, jsonb_build_object(
        'subjects', @extschema@.lead_phones_elements(subjects), 'reason', reason, 'source', source, 'list', list, 'region', region,
        'force', coalesce(force, false), 'hashed', hashed));
BEGIN
    added := answer ->> 'added';
    kept := answer ->> 'kept';
    lifted := answer ->> 'lifted';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_values(text, text[], text, text, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint) IS
    'internal: takes a list over, whose values were read with the rights of the caller';

CREATE PROCEDURE @extschema@.sync_suppressed_phones(
    list regclass,
    source text,
    column_name name DEFAULT 'phone',
    area_code_column name DEFAULT NULL,
    reason text DEFAULT NULL,
    region text DEFAULT NULL,
    force boolean DEFAULT false,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    phones text[];
BEGIN
    IF area_code_column IS NULL THEN
        phones := @extschema@.lead_phones_values(list, column_name);
    ELSE
        PERFORM @extschema@.lead_phones_values(list, column_name) WHERE list IS NULL;
        PERFORM @extschema@.lead_phones_check_list(list, c) FROM unnest(ARRAY[column_name, area_code_column]) AS c;
        EXECUTE format('SELECT coalesce(array_agg(concat_ws('' '', %s, %s)), ''{}'') FROM %s AS l WHERE l.%I IS NOT NULL',
            @extschema@.lead_phones_value_of(list, area_code_column), @extschema@.lead_phones_value_of(list, column_name), list, column_name) INTO phones;
    END IF;
    CALL @extschema@.sync_suppressed_values('phone', phones, source, list::text, reason, region, force, hashed, leads, added, kept, lifted, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_phones(regclass, text, name, name, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint) IS
    'disqualifies, in every campaign, the numbers of a list as it is today: adds what is new in it, lifts what is gone from it; entries of other sources are kept. Example: CALL sync_suppressed_phones(''do_not_call'', ''national registry'')';

CREATE PROCEDURE @extschema@.sync_suppressed_domains(
    list regclass,
    source text,
    column_name name DEFAULT 'domain',
    reason text DEFAULT NULL,
    force boolean DEFAULT false,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.sync_suppressed_values('domain', @extschema@.lead_phones_values(list, column_name), source, list::text, reason, NULL, force, NULL, leads,
        added, kept, lifted, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_domains(regclass, text, name, text, boolean, regclass, bigint, bigint, bigint, bigint) IS
    'disqualifies, in every campaign, the domains of a list as it is today: adds what is new in it, lifts what is gone from it; entries of other sources are kept. Example: CALL sync_suppressed_domains(''competitors'', ''sales'')';

CREATE OR REPLACE PROCEDURE @extschema@.disqualify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_account', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_account(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'disqualifies a company: no lead of the account may be called, now or later; other people who share the numbers may. Example: CALL disqualify_account(42, 1, reason => ''is a customer'')';

CREATE OR REPLACE PROCEDURE @extschema@.requalify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_account', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_account(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of an account by a source, or by all. Example: CALL requalify_account(42, 1)';

CREATE OR REPLACE PROCEDURE @extschema@.disqualify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_contact', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_contact(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'disqualifies a person: no lead of the contact may be called, now or later; other people who share the numbers may. Example: CALL disqualify_contact(42, 1, reason => ''asked not to be called'')';

CREATE OR REPLACE PROCEDURE @extschema@.requalify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_contact', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_contact(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of a contact by a source, or by all. Example: CALL requalify_contact(42, 1)';

CREATE OR REPLACE PROCEDURE @extschema@.suppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'suppress_phones', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source,
        'expires_at', expires_at, 'region', region, 'hashed', hashed));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(text[], bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) IS
    'disqualifies a list of numbers in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_phones(''{678 999 8212, 212 761 2846}''::text[], reason => ''do not call'')';

CREATE OR REPLACE PROCEDURE @extschema@.suppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, region, hashed, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(regclass, name, bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) IS
    'disqualifies the numbers in a column of a table in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_phones(''do_not_call'', ''phone'', 42)';

CREATE OR REPLACE PROCEDURE @extschema@.unsuppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'unsuppress_phones', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source, 'region', region, 'hashed', hashed));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(text[], bigint, text, text, text, text, regclass, bigint) IS
    'lifts the suppression of a list of numbers in a campaign, or that in every campaign. Example: CALL unsuppress_phones(''{678 999 8212}''::text[])';

CREATE OR REPLACE PROCEDURE @extschema@.suppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'suppress_domains', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(text[], bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'disqualifies the companies and e-mail addresses of a list of domains in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_domains(''{kw.example}''::text[], 42)';

CREATE OR REPLACE PROCEDURE @extschema@.suppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(regclass, name, bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'disqualifies the companies and e-mail addresses of the domains in a column of a table, in a campaign, or in every campaign. Example: CALL suppress_domains(''competitors''::regclass, ''domain'')';

CREATE OR REPLACE PROCEDURE @extschema@.unsuppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'unsuppress_domains', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(text[], bigint, text, text, regclass, bigint) IS
    'lifts the suppression of a list of domains in a campaign, or that in every campaign. Example: CALL unsuppress_domains(''{kw.example}''::text[], 42)';

CREATE OR REPLACE PROCEDURE @extschema@.unsuppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, region, hashed, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(regclass, name, bigint, text, text, text, text, regclass, bigint) IS
    'lifts the suppression of the numbers in a column of a table, in a campaign, or that in every campaign. Example: CALL unsuppress_phones(''do_not_call'', ''phone'', 42)';

CREATE OR REPLACE PROCEDURE @extschema@.unsuppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(regclass, name, bigint, text, text, regclass, bigint) IS
    'lifts the suppression of the domains in a column of a table, in a campaign, or that in every campaign. Example: CALL unsuppress_domains(''competitors''::regclass, ''domain'')';

CREATE FUNCTION @extschema@.lead_phones_create_calls() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    ALTER TABLE campaigns
        ADD COLUMN call_order text NOT NULL DEFAULT 'oldest',
        ADD COLUMN claim_for interval NOT NULL DEFAULT '10 minutes',
        ADD COLUMN longest_call interval NOT NULL DEFAULT '2 hours',
        ADD CONSTRAINT campaigns_call_order CHECK (call_order IN ('oldest', 'newest', 'retries')),
        ADD CONSTRAINT campaigns_claim_for CHECK (claim_for > '0' AND claim_for <= '1 day'),
        ADD CONSTRAINT campaigns_longest_call CHECK (longest_call > '0' AND longest_call <= '1 day');
    ALTER TABLE contacts ADD COLUMN state text, ADD COLUMN time_zone text;
    ALTER TABLE leads ADD COLUMN due_at timestamptz NOT NULL DEFAULT '-infinity';
    CREATE INDEX leads_due_idx ON leads (campaign_id, due_at, lead_id);

    CREATE TABLE dispositions (
        name text PRIMARY KEY,
        disqualifies text,
        rests interval,
        everywhere boolean NOT NULL DEFAULT false,
        calls_back boolean NOT NULL DEFAULT false,
        is_attempt boolean NOT NULL DEFAULT true,
        description text,
        CONSTRAINT dispositions_disqualifies CHECK (disqualifies IN ('phone', 'contact', 'account')),
        CONSTRAINT dispositions_rests CHECK (rests > '0' AND rests <= '100 years'),
        CONSTRAINT dispositions_everywhere CHECK (NOT everywhere OR disqualifies IS NULL OR disqualifies = 'phone'));
    INSERT INTO dispositions (name, disqualifies, rests, everywhere, calls_back, is_attempt, description) VALUES
        ('connected', NULL, NULL, false, false, true, 'somebody was reached, and nothing follows'),
        ('voicemail', NULL, '1 day', false, false, true, 'a message was left'),
        ('no answer', NULL, '4 hours', false, false, true, 'it rang'),
        ('busy', NULL, '30 minutes', false, false, true, 'the line was engaged'),
        ('call back', NULL, NULL, false, true, true, 'asked to be called at a time: until then the number rests'),
        ('wrong number', 'phone', NULL, false, false, true, 'somebody else has the number'),
        ('not interested', 'phone', NULL, false, false, true, 'said no, for this campaign'),
        ('retired', 'phone', NULL, false, false, true, 'has left the trade'),
        ('do not call', 'phone', NULL, true, false, true, 'asked never to be called: disqualified in every campaign'),
        ('meeting booked', NULL, '30 days', false, false, true, 'the aim was reached'),
        ('not dialed', NULL, NULL, false, false, false, 'the call was started by mistake: no attempt');

    CREATE TABLE calls (
        campaign_id bigint NOT NULL,
        call_id bigint GENERATED BY DEFAULT AS IDENTITY,
        lead_id bigint NOT NULL,
        contact_id bigint NOT NULL,
        number @extschema@.e164 NOT NULL,
        caller text NOT NULL,
        started_by text NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        disposition text,
        note text,
        callback_at timestamptz,
        is_attempt boolean NOT NULL DEFAULT true,
        PRIMARY KEY (campaign_id, call_id));
    CREATE INDEX calls_call_idx ON calls (call_id);
    CREATE INDEX calls_number_idx ON calls (number, started_at);
    CREATE INDEX calls_lead_idx ON calls (campaign_id, lead_id);
    -- whatever happens, two do not talk on one line
    CREATE UNIQUE INDEX calls_open_idx ON calls (number) WHERE ended_at IS NULL;
    CREATE INDEX calls_open_contact_idx ON calls (campaign_id, contact_id) WHERE ended_at IS NULL;

    CREATE TABLE call_outcomes (
        campaign_id bigint NOT NULL,
        outcome bigint GENERATED BY DEFAULT AS IDENTITY,
        call_id bigint NOT NULL,
        lead_id bigint NOT NULL,
        number @extschema@.e164 NOT NULL,
        disposition text NOT NULL,
        note text,
        callback_at timestamptz,
        called_back_at timestamptz,
        rests_until timestamptz,
        everywhere boolean NOT NULL,
        disqualified text,
        subject text,
        entry bigint,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        corrected_by text,
        corrected_at timestamptz,
        PRIMARY KEY (campaign_id, outcome));
    CREATE UNIQUE INDEX call_outcomes_call_idx ON call_outcomes (call_id, campaign_id) WHERE corrected_at IS NULL;
    CREATE INDEX call_outcomes_rests_idx ON call_outcomes (number, rests_until) WHERE corrected_at IS NULL AND rests_until IS NOT NULL;
    CREATE INDEX call_outcomes_subject_idx ON call_outcomes (subject) WHERE entry IS NOT NULL;
    CREATE INDEX call_outcomes_callback_idx ON call_outcomes (campaign_id, callback_at)
        WHERE corrected_at IS NULL AND callback_at IS NOT NULL AND called_back_at IS NULL;

    CREATE TABLE lead_claims (
        subject text COLLATE "C" PRIMARY KEY,
        campaign_id bigint NOT NULL,
        lead_id bigint NOT NULL,
        caller text NOT NULL,
        claimed_until timestamptz NOT NULL);

    CREATE TABLE call_rules (
        rule bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        campaign_id bigint REFERENCES campaigns ON DELETE CASCADE,
        region text,
        state text,
        attempts_in_24_hours integer,
        attempts_in_all integer,
        rest interval,
        weekdays integer[] NOT NULL DEFAULT '{1,2,3,4,5,6,7}',
        opens time,
        closes time,
        holidays date[] NOT NULL DEFAULT '{}',
        is_on boolean NOT NULL DEFAULT true,
        source text,
        CONSTRAINT call_rules_region CHECK (region IS NULL OR region = upper(region) AND @extschema@.phone_problem('123', region) <> 'unknown_region'),
        -- of these countries, states are known by code and name
        CONSTRAINT call_rules_state CHECK (state IS NULL OR region IS NOT NULL AND state <> ''
            AND (region NOT IN ('US', 'CA') OR @extschema@.lead_phones_state_code(state) IS NOT NULL)),
        CONSTRAINT call_rules_attempts_in_24_hours CHECK (attempts_in_24_hours > 0),
        CONSTRAINT call_rules_attempts_in_all CHECK (attempts_in_all > 0),
        CONSTRAINT call_rules_rest CHECK (rest > '0' AND rest <= '100 years'),
        CONSTRAINT call_rules_weekdays CHECK (weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(weekdays) > 0),
        CONSTRAINT call_rules_hours CHECK (num_nonnulls(opens, closes) <> 1 AND opens <= closes));
    -- No legal advice: a start for those who call in the United States, of what was known when this was written. Read the law, or ask a lawyer;
    -- then switch on what applies.
    INSERT INTO call_rules (region, state, attempts_in_24_hours, weekdays, opens, closes, is_on, source) VALUES
        ('US', NULL, NULL, '{1,2,3,4,5,6,7}', '08:00', '21:00', false, '47 CFR 64.1200(c)(1); 16 CFR 310.4(c)'),
        ('US', 'CT', NULL, '{1,2,3,4,5,6,7}', '09:00', '20:00', false, 'Conn. Gen. Stat. § 42-288a'),
        ('US', 'FL', 3, '{1,2,3,4,5,6,7}', '08:00', '20:00', false, 'Fla. Stat. § 501.616(6)'),
        ('US', 'MD', 3, '{1,2,3,4,5,6,7}', '08:00', '20:00', false, 'Md. Code, Com. Law § 14-4502'),
        ('US', 'OK', 3, '{1,2,3,4,5,6,7}', '08:00', '20:00', false, 'Okla. Stat. tit. 15, § 775C.4'),
        ('US', 'TX', NULL, '{1,2,3,4,5,6}', '09:00', '21:00', false, 'Tex. Bus. & Com. Code § 301.051'),
        ('US', 'TX', NULL, '{7}', '12:00', '21:00', false, 'Tex. Bus. & Com. Code § 301.051'),
        ('US', 'WA', NULL, '{1,2,3,4,5,6,7}', '08:00', '20:00', false, 'RCW 80.36.390');
    PERFORM @extschema@.lead_phones_comment_on_calls();
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_calls() IS 'internal: creates the tables of calls beside lead tables';

CREATE FUNCTION @extschema@.lead_phones_comment_on_calls() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    COMMENT ON COLUMN campaigns.call_order IS 'which leads next_leads() gives first: oldest, newest, or retries before those that were never called';
    COMMENT ON COLUMN campaigns.claim_for IS 'for how long a lead is claimed by who got it from next_leads()';
    COMMENT ON COLUMN campaigns.longest_call IS 'after this time a call that nobody has ended no longer keeps its number';
    COMMENT ON COLUMN contacts.state IS 'where the person is, by the code or name of a state of the country in region; NULL where that is not known';
    COMMENT ON COLUMN contacts.time_zone IS 'where the person is, by a name such as America/New_York; NULL where that is not known';
    COMMENT ON COLUMN leads.due_at IS 'next_leads() does not look at it before';
    COMMENT ON TABLE dispositions IS 'outcomes of calls, and what each means; edit it as you need';
    COMMENT ON COLUMN dispositions.disqualifies IS 'what it disqualifies: phone, contact, account, or NULL for nothing';
    COMMENT ON COLUMN dispositions.rests IS 'for how long nobody calls the number, counted from the end of the call';
    COMMENT ON COLUMN dispositions.everywhere IS 'whether the number is disqualified, or rests, in every campaign';
    COMMENT ON COLUMN dispositions.calls_back IS 'whether end_call() has to say when to call back';
    COMMENT ON COLUMN dispositions.is_attempt IS 'whether the call counts as an attempt';
    COMMENT ON TABLE calls IS 'the log of calls: who called whom by which number, and what came of it';
    COMMENT ON COLUMN calls.caller IS 'who called, by the name that the application gives';
    COMMENT ON COLUMN calls.started_by IS 'the role of the session that called start_call()';
    COMMENT ON TABLE call_outcomes IS 'what end_call() said of each call, also what was corrected';
    COMMENT ON COLUMN call_outcomes.called_back_at IS 'when the lead was called again after callback_at';
    COMMENT ON COLUMN call_outcomes.disqualified IS 'what the outcome disqualified: phone, contact or account';
    COMMENT ON COLUMN call_outcomes.entry IS 'the entry of the ledger that disqualifies it, where that is of calls; correcting the last outcome of an entry lifts it';
    COMMENT ON TABLE lead_claims IS 'who got which number and person from next_leads(), and until when';
    COMMENT ON TABLE call_rules IS 'limits of calls: whatever applies to a number must allow it. Those that come with the extension are off, and no legal advice';
    COMMENT ON COLUMN call_rules.campaign_id IS 'the campaign that it is about, whose calls alone it counts; NULL for all together';
    COMMENT ON COLUMN call_rules.region IS 'the region of the number, or of the person; NULL for all';
    COMMENT ON COLUMN call_rules.state IS 'the state of the area code, or of the person; NULL for all. Where neither is known, the rules of all states of the region apply';
    COMMENT ON COLUMN call_rules.attempts_in_24_hours IS 'calls of a number in any 24 hours, at most';
    COMMENT ON COLUMN call_rules.attempts_in_all IS 'calls of a number, at most';
    COMMENT ON COLUMN call_rules.rest IS 'time between a call of a number and the next';
    COMMENT ON COLUMN call_rules.weekdays IS 'days of the week for which opens and closes are said, Monday is 1';
    COMMENT ON COLUMN call_rules.opens IS 'time of day from which it may be called, wherever it may ring; the same as closes on days without calls';
    COMMENT ON COLUMN call_rules.holidays IS 'days on which it may not be called';
    COMMENT ON COLUMN call_rules.source IS 'whose rule it is: a law, a policy';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_comment_on_calls() IS 'internal: says what the tables of calls are for';

CREATE FUNCTION @extschema@.lead_phones_create_call_views() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- What keeps a number from being called now, and ends by itself, is here and nowhere else. Times are those of the clock: who has waited for a
    -- lock asks late.
    CREATE OR REPLACE VIEW call_refusals AS
    SELECT c.campaign_id, c.contact_id, n.blocks, n.number, r.kind, r.source, r.reason, r.by_whom, r.since, r.until, r.call_id, r.rule
      FROM contacts AS c
     CROSS JOIN LATERAL (VALUES ('phone'::text, @extschema@.try_normalize_phone(c.phone, c.region)::text),
                                ('mobile', @extschema@.try_normalize_phone(c.mobile, c.region)::text)) AS n (blocks, number)
     CROSS JOIN LATERAL (
        SELECT 'on_call'::text AS kind, NULL::text AS source, k.caller || ' is on the line' AS reason, k.caller AS by_whom, k.started_at AS since,
               k.started_at + coalesce(m.longest_call, '2 hours') AS until, k.call_id, NULL::bigint AS rule
          FROM calls AS k LEFT JOIN campaigns AS m ON m.campaign_id = k.campaign_id
         WHERE k.number = n.number AND k.ended_at IS NULL AND k.started_at + coalesce(m.longest_call, '2 hours') > @extschema@.lead_phones_clock()
         UNION ALL
        -- by another number of the person
        SELECT 'on_call', NULL, k.caller || ' is on the line', k.caller, k.started_at, k.started_at + coalesce(m.longest_call, '2 hours'), k.call_id, NULL
          FROM calls AS k LEFT JOIN campaigns AS m ON m.campaign_id = k.campaign_id
         WHERE k.campaign_id = c.campaign_id AND k.contact_id = c.contact_id AND k.number <> n.number AND k.ended_at IS NULL
           AND k.started_at + coalesce(m.longest_call, '2 hours') > @extschema@.lead_phones_clock()
         UNION ALL
        SELECT 'resting', 'disposition', concat_ws(': ', o.disposition, o.note), o.recorded_by, o.recorded_at, o.rests_until, o.call_id, NULL
          FROM call_outcomes AS o
         WHERE o.number = n.number AND o.corrected_at IS NULL AND o.rests_until > @extschema@.lead_phones_clock()
           AND (o.everywhere OR o.campaign_id = c.campaign_id)
         UNION ALL
        SELECT f.kind, coalesce(r.source, 'call rule ' || r.rule), f.reason, NULL, NULL, f.until, NULL, r.rule
          FROM (
            SELECT @extschema@.lead_phones_call_regions(n.number) AS regions, @extschema@.lead_phones_states(n.number, c.state, c.region) AS states,
                   @extschema@.lead_phones_zones(n.number, c.state, c.time_zone) AS zones,
                   CASE WHEN num_nonnulls(c.state, c.time_zone) > 0 THEN upper(c.region) END AS own_region
             WHERE EXISTS (SELECT FROM call_rules AS u WHERE u.is_on) OFFSET 0) AS p
          JOIN call_rules AS r ON r.is_on AND (r.campaign_id IS NULL OR r.campaign_id = c.campaign_id)
           -- where a number of no region is, or one of no state, nobody knows: all apply
           AND (r.region IS NULL OR p.regions = '{}' OR r.region = ANY (p.regions) OR r.region = p.own_region)
           AND (r.state IS NULL OR p.states = '{}' OR coalesce(@extschema@.lead_phones_state_code(r.state), upper(r.state)) = ANY (p.states))
         CROSS JOIN LATERAL (
            SELECT 'attempts' AS kind, format('%s attempts in 24 hours', r.attempts_in_24_hours) AS reason, k.started_at + interval '24 hours' AS until
              FROM (SELECT k.started_at FROM calls AS k
                     WHERE k.number = n.number AND k.is_attempt AND k.started_at > @extschema@.lead_phones_clock() - interval '24 hours'
                       AND k.campaign_id = coalesce(r.campaign_id, k.campaign_id)
                     ORDER BY k.started_at DESC OFFSET r.attempts_in_24_hours - 1 LIMIT 1) AS k
             WHERE r.attempts_in_24_hours IS NOT NULL
             UNION ALL
            SELECT 'attempts', format('%s attempts in all', r.attempts_in_all), NULL
              FROM (SELECT k.started_at FROM calls AS k
                     WHERE k.number = n.number AND k.is_attempt AND k.campaign_id = coalesce(r.campaign_id, k.campaign_id)
                     ORDER BY k.started_at DESC OFFSET r.attempts_in_all - 1 LIMIT 1) AS k
             WHERE r.attempts_in_all IS NOT NULL
             UNION ALL
            SELECT 'resting', 'rest of ' || r.rest || ' after an attempt', k.ended_at + r.rest
              FROM (SELECT coalesce(k.ended_at, k.started_at + coalesce((SELECT m.longest_call FROM campaigns AS m WHERE m.campaign_id = k.campaign_id), '2 hours')) AS ended_at
                      FROM calls AS k
                     WHERE k.number = n.number AND k.is_attempt AND k.campaign_id = coalesce(r.campaign_id, k.campaign_id)
                     ORDER BY k.started_at DESC LIMIT 1) AS k
             WHERE k.ended_at + r.rest > @extschema@.lead_phones_clock()
             UNION ALL
            SELECT 'hours', CASE WHEN h.is_open IS NULL THEN 'a time zone is not known' ELSE 'not at this hour in ' || replace(p.zones, ',', ', ') END,
                   CASE WHEN NOT h.is_open THEN
                       @extschema@.lead_phones_opens_at(p.zones, r.weekdays, r.opens, r.closes, r.holidays, @extschema@.lead_phones_clock()) END
              FROM (SELECT @extschema@.lead_phones_is_open(p.zones, r.weekdays, r.opens, r.closes, r.holidays, @extschema@.lead_phones_clock()) AS is_open OFFSET 0) AS h
             WHERE (r.opens IS NOT NULL OR r.holidays <> '{}') AND h.is_open IS NOT TRUE) AS f) AS r
     WHERE n.number IS NOT NULL;
    COMMENT ON VIEW call_refusals IS 'what keeps a number of a contact from being called now, and until when';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_call_views() IS 'internal: creates the view of what keeps numbers from being called now';

CREATE FUNCTION @extschema@.lead_phones_lock_calls(subjects text[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'calls are made at READ COMMITTED'
            USING ERRCODE = 'feature_not_supported', DETAIL = 'This transaction would not see who has been disqualified since it began.',
                  HINT = 'Run BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED.';
    END IF;
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'calls are not made in a read-only transaction'
            USING ERRCODE = 'read_only_sql_transaction', DETAIL = 'Each is written to the log.', HINT = 'Run BEGIN READ WRITE, on the primary server.';
    END IF;
    PERFORM pg_advisory_xact_lock(@extschema@.lead_phones_call_key(n.subject)) FROM (SELECT DISTINCT k COLLATE "C" AS subject FROM unnest(subjects) AS k ORDER BY 1) AS n;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lock_calls(text[]) IS
    'internal: one lock on each number and person, in one order; an error in a transaction that would not see what others have committed';

CREATE FUNCTION @extschema@.lead_phones_call_key(subject text) RETURNS bigint
    STABLE LANGUAGE sql
AS $function$
    SELECT hashtextextended(format('lead_phones call %I %s', current_schema(), subject), 0)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_key(text) IS
    'internal: the lock of a number, or of a person, of these lead tables';

CREATE FUNCTION @extschema@.lead_phones_number_of(raw text, region text, phone text, mobile text) RETURNS text[]
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    wanted text;
BEGIN
    IF raw IS NULL THEN
        RETURN array_remove(ARRAY[phone, nullif(mobile, phone)], NULL);
    END IF;
    wanted := CASE lower(raw) WHEN 'phone' THEN phone WHEN 'mobile' THEN mobile ELSE @extschema@.try_normalize_phone(raw, region)::text END;
    IF lower(raw) NOT IN ('phone', 'mobile') AND (wanted IN (phone, mobile)) IS NOT TRUE THEN
        RAISE EXCEPTION '"%" is no number of the lead', left(raw, 64)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It has %s.', coalesce(nullif(concat_ws(' and ', phone, mobile), ''), 'none')),
                  HINT = 'Pass phone, mobile, one of its numbers, or NULL for the first that may be called.';
    END IF;
    RETURN array_remove(ARRAY[wanted], NULL);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_number_of(text, text, text, text) IS
    'internal: the numbers of a lead that are meant by an argument';

CREATE FUNCTION @extschema@.lead_phones_refusals(campaign bigint, lead bigint, number text, caller text) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    -- of the lead, of the columns that hold the number, and of others who are about to call it
    RETURN (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(r)) ORDER BY r.kind, r.until, r.source)
              FROM (SELECT $3 AS number, r.kind, r.subject, r.source, r.reason, r.disqualified_by AS by, r.disqualified_at AS since, r.expires_at AS until, r.lift
                      FROM lead_reasons AS r
                     WHERE r.lead_id = $2 AND r.campaign_id = $1 AND (r.blocks = 'lead' OR $3 = (
                        SELECT CASE r.blocks WHEN 'phone' THEN @extschema@.try_normalize_phone(c.phone, c.region) ELSE @extschema@.try_normalize_phone(c.mobile, c.region) END
                          FROM leads AS l JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
                         WHERE l.campaign_id = $1 AND l.lead_id = $2))
                     UNION
                    SELECT $3, 'claimed', $3, NULL, k.caller || ' is about to call', k.caller, NULL::timestamptz, max(k.claimed_until), NULL
                      FROM lead_claims AS k
                     WHERE k.subject IN (SELECT $3 UNION ALL SELECT format('contact %s/%s', l.campaign_id, l.contact_id) FROM leads AS l WHERE l.campaign_id = $1 AND l.lead_id = $2)
                       AND k.caller <> $4 AND k.claimed_until > @extschema@.lead_phones_clock()
                     GROUP BY k.caller) AS r);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_refusals(bigint, bigint, text, text) IS
    'internal: every reason why a number of a lead may not be called by somebody now; NULL where there is none';

CREATE FUNCTION @extschema@.lead_phones_person_called(lead bigint) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    person record;
BEGIN
    SELECT l.campaign_id, l.contact_id, @extschema@.try_normalize_phone(c.phone, c.region)::text AS phone,
           @extschema@.try_normalize_phone(c.mobile, c.region)::text AS mobile, c.region, count(*) OVER () AS campaigns INTO person
      FROM leads AS l LEFT JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE l.lead_id = lead;
    IF NOT FOUND OR person.campaigns > 1 THEN
        RAISE EXCEPTION 'lead % %', lead, CASE WHEN person.campaigns > 1 THEN format('is in %s campaigns', person.campaigns) ELSE 'does not exist' END
            USING ERRCODE = CASE WHEN person.campaigns > 1 THEN 'cardinality_violation' ELSE 'no_data_found' END,
                  DETAIL = format('Table "%I.leads" has %s such lead_id.', current_schema(), CASE WHEN person.campaigns > 1 THEN 'more than one' ELSE 'no' END),
                  HINT = CASE WHEN person.campaigns > 1 THEN 'Let lead_id number the leads of all campaigns, as it does by default.' ELSE 'Name the lead_id of a lead.' END;
    END IF;
    RETURN to_jsonb(person);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_person_called(bigint) IS
    'internal: who is called by a lead: the person and all numbers; an error where there is no such lead';

CREATE FUNCTION @extschema@.lead_phones_hold_person(lead bigint, phone text) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    person jsonb;
    numbers text[];
BEGIN
    LOOP
        person := @extschema@.lead_phones_person_called(lead);
        numbers := @extschema@.lead_phones_number_of(phone, person ->> 'region', person ->> 'phone', person ->> 'mobile');
        BEGIN
            PERFORM @extschema@.lead_phones_lock_calls(array_remove(ARRAY[person ->> 'phone', person ->> 'mobile',
                format('contact %s/%s', person ->> 'campaign_id', person ->> 'contact_id')], NULL));
            -- Sessions that are just changing the person, or disqualifying a number, are waited for: they lock the contact's row, which has the mark.
            PERFORM FROM contacts AS c WHERE c.campaign_id = (person ->> 'campaign_id')::bigint AND c.contact_id = (person ->> 'contact_id')::bigint FOR SHARE;
            PERFORM FROM leads AS l WHERE l.campaign_id = (person ->> 'campaign_id')::bigint AND l.lead_id = lead FOR KEY SHARE;
            IF @extschema@.lead_phones_person_called(lead) <> person THEN
                -- somebody else by now: again, without the locks of this look
                RAISE SQLSTATE 'LP001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'LP001' THEN
            person := NULL;
        END;
        EXIT WHEN person IS NOT NULL;
    END LOOP;
    RETURN person || jsonb_build_object('numbers', numbers);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_hold_person(bigint, text) IS
    'internal: who is called by a lead, and the numbers that are meant; nobody changes or calls them until the transaction ends';

CREATE FUNCTION @extschema@.lead_phones_start_call(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    lead constant bigint := arguments ->> 'lead';
    caller constant text := arguments ->> 'caller';
    person constant jsonb := @extschema@.lead_phones_hold_person(lead, arguments ->> 'phone');
    campaign constant bigint := person ->> 'campaign_id';
    contact constant bigint := person ->> 'contact_id';
    numbers constant text[] := ARRAY(SELECT n FROM jsonb_array_elements_text(person -> 'numbers') AS n);
    dialed text;
    refused jsonb;
    refusals jsonb := '[]';
    new_call bigint;
    clock timestamptz;
BEGIN
    IF numbers = '{}' THEN
        refusals := coalesce(@extschema@.lead_phones_refusals(campaign, lead, NULL::text, caller), '[]');
        RETURN jsonb_build_object('allowed', false, 'refusals', CASE WHEN refusals <> '[]' THEN refusals
            ELSE jsonb_build_array(jsonb_build_object('kind', 'number', 'reason', 'there is no valid number in ' || (arguments ->> 'phone'))) END);
    END IF;
    FOREACH dialed IN ARRAY numbers LOOP
        refused := @extschema@.lead_phones_refusals(campaign, lead, dialed, caller);
        EXIT WHEN refused IS NULL;
        refusals := refusals || refused;
    END LOOP;
    IF refused IS NOT NULL THEN
        RETURN jsonb_build_object('allowed', false, 'number', numbers[1], 'refusals', refusals);
    END IF;
    clock := @extschema@.lead_phones_clock();
    -- one that nobody has ended, and that is longer than any
    UPDATE calls AS k SET ended_at = k.started_at + l.longest
      FROM (SELECT o.campaign_id, o.call_id, coalesce(m.longest_call, '2 hours') AS longest FROM calls AS o LEFT JOIN campaigns AS m ON m.campaign_id = o.campaign_id
             WHERE o.number = dialed::@extschema@.e164 AND o.ended_at IS NULL) AS l
     WHERE k.campaign_id = l.campaign_id AND k.call_id = l.call_id AND k.started_at + l.longest <= clock;
    INSERT INTO calls (campaign_id, lead_id, contact_id, number, caller, started_by, started_at)
    VALUES (campaign, lead, contact, dialed, caller, arguments ->> 'by', clock)
    RETURNING call_id INTO new_call;
    UPDATE call_outcomes AS o SET called_back_at = clock
     WHERE o.campaign_id = campaign AND o.lead_id = lead AND o.corrected_at IS NULL AND o.callback_at <= clock
       AND o.called_back_at IS NULL;
    DELETE FROM lead_claims AS k
     WHERE k.subject IN (dialed, person ->> 'phone', person ->> 'mobile', format('contact %s/%s', campaign, contact))
       AND (k.subject = dialed OR k.campaign_id = campaign AND k.lead_id = lead);
    RETURN jsonb_build_object('allowed', true, 'call_id', new_call, 'number', dialed, 'refusals', '[]'::jsonb);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_start_call(regclass, jsonb) IS
    'internal: logs a call of a lead, or says why it may not be called';

CREATE FUNCTION @extschema@.lead_phones_disposition(wanted text, callback_at timestamptz) RETURNS jsonb
    STABLE LANGUAGE plpgsql
AS $function$
DECLARE
    found jsonb := (SELECT to_jsonb(d) FROM dispositions AS d WHERE d.name = wanted OR lower(d.name) = lower(btrim(wanted)) ORDER BY d.name = wanted DESC LIMIT 1);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION '%', CASE WHEN wanted IS NULL THEN 'disposition must not be NULL' ELSE format('there is no disposition "%s"', left(wanted, 64)) END
            USING ERRCODE = CASE WHEN wanted IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
                  DETAIL = format('There are %s.', coalesce((SELECT string_agg(d.name, ', ' ORDER BY d.name) FROM dispositions AS d), 'none')),
                  HINT = format('Name one of them, or add a row to "%I.dispositions".', current_schema());
    END IF;
    IF (found ->> 'calls_back')::boolean AND callback_at IS NULL THEN
        RAISE EXCEPTION 'callback_at must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = format('Disposition "%s" is about another call.', found ->> 'name'),
                  HINT = 'Say when to call back, as in callback_at => now() + ''1 month''.';
    END IF;
    IF callback_at IS NOT NULL AND (NOT (found ->> 'calls_back')::boolean OR NOT isfinite(callback_at)) THEN
        RAISE EXCEPTION 'callback_at is %', callback_at
            USING ERRCODE = 'invalid_parameter_value', DETAIL = CASE WHEN isfinite(callback_at) THEN format('Disposition "%s" calls nobody back.', found ->> 'name') ELSE 'It is no time.' END,
                  HINT = 'Leave it out, or name a disposition that calls back, and a time.';
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disposition(text, timestamptz) IS
    'internal: what a disposition means; an error where there is none of the name, or the time does not go with it';

CREATE FUNCTION @extschema@.lead_phones_entry_of_calls(kind text, campaign bigint, subject text) RETURNS bigint
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    RETURN CASE WHEN kind <> 'phone' THEN (
                    SELECT d.entry FROM lead_disqualifications AS d
                     WHERE d.lifted_at IS NULL AND d.source = 'disposition' AND d.campaign_id = campaign AND d.expires_at IS NULL
                       AND CASE kind WHEN 'account' THEN d.account_id ELSE d.contact_id END = subject::bigint)
                WHEN campaign IS NULL THEN (
                    SELECT d.entry FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
                     WHERE s.number = substr(subject, 2)::bigint AND d.source = 'disposition' AND d.expires_at IS NULL AND s.lifted_at IS NULL AND d.lifted_at IS NULL)
                ELSE (
                    SELECT d.entry FROM campaign_phone_disqualifications AS d
                     WHERE d.campaign_id = campaign AND d.phone = subject::@extschema@.e164 AND d.source = 'disposition' AND d.expires_at IS NULL
                       AND d.lifted_at IS NULL) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_entry_of_calls(text, bigint, text) IS
    'internal: the entry of source disposition by which a number, a contact or an account is disqualified without end';

CREATE FUNCTION @extschema@.lead_phones_disqualify_by_call(kind text, campaign bigint, subject text, reason text, by_whom text) RETURNS bigint
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    standing bigint := @extschema@.lead_phones_entry_of_calls(kind, campaign, subject);
BEGIN
    IF standing IS NULL THEN
        PERFORM @extschema@.lead_phones_suppress('contacts'::regclass, jsonb_build_object('kind', kind, 'campaign', campaign, 'subjects', jsonb_build_array(subject),
            'source', 'disposition', 'reason', reason, 'by', by_whom));
        RETURN @extschema@.lead_phones_entry_of_calls(kind, campaign, subject);
    END IF;
    -- One that somebody has made by hand is left alone.
    RETURN CASE WHEN EXISTS (
        SELECT FROM call_outcomes AS o
         WHERE o.disqualified = kind AND o.entry = standing AND o.subject = lead_phones_disqualify_by_call.subject AND o.everywhere = (campaign IS NULL)
           AND o.campaign_id = coalesce(campaign, o.campaign_id)) THEN standing END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_disqualify_by_call(text, bigint, text, text, text) IS
    'internal: enters what a call disqualifies into the ledgers; the entry in force, where it is of calls';

CREATE FUNCTION @extschema@.lead_phones_due_again(campaign bigint, contacts bigint[], spared bigint DEFAULT NULL) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- The first of those that were put off: of a switchboard's many, the others are asked about anyway. A session that holds one looks at it itself;
    -- waiting for that while rows of the counts are held would end in a deadlock.
    UPDATE leads AS l SET due_at = clock
     WHERE l.campaign_id = campaign AND l.lead_id = ANY (ARRAY(
        SELECT w.lead_id FROM leads AS w
         WHERE w.campaign_id = campaign AND w.contact_id = ANY (contacts) AND w.due_at > clock AND w.lead_id IS DISTINCT FROM spared
           AND NOT EXISTS (SELECT FROM lead_claims AS k WHERE k.subject = format('contact %s/%s', campaign, w.contact_id) AND k.claimed_until > clock)
           AND NOT EXISTS (SELECT FROM calls AS k WHERE k.campaign_id = campaign AND k.lead_id = w.lead_id AND k.ended_at IS NULL)
         ORDER BY w.lead_id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_due_again(bigint, bigint[], bigint) IS
    'internal: leads of people whom nothing may keep from being called any more are looked at again, but for one';

CREATE FUNCTION @extschema@.lead_phones_contacts_of(campaign bigint, number text) RETURNS bigint[]
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    RETURN ARRAY(SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = campaign AND c.phone = number
                  UNION
                 SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = campaign AND c.mobile = number);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_contacts_of(bigint, text) IS 'internal: the people of a campaign who have a number';

CREATE FUNCTION @extschema@.lead_phones_call_again(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaign constant bigint := arguments ->> 'campaign';
BEGIN
    PERFORM @extschema@.lead_phones_due_again(campaign, @extschema@.lead_phones_contacts_of(campaign, arguments ->> 'number'));
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_again(regclass, jsonb) IS
    'internal: leads of a number that was requalified are looked at again by next_leads()';

CREATE FUNCTION @extschema@.lead_phones_lift_outcome(undone jsonb, by_whom text, clock timestamptz) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    of_campaign constant bigint := undone ->> 'campaign_id';
    is_everywhere constant boolean := undone ->> 'everywhere';
    campaign constant bigint := CASE WHEN NOT is_everywhere THEN of_campaign END;
    kind constant text := undone ->> 'disqualified';
    whom constant text := undone ->> 'subject';
    lifted constant bigint := undone ->> 'entry';
BEGIN
    -- Lifted is the entry of this outcome, where it is still in force, and no other call says the same.
    IF lifted IS NULL OR lifted IS DISTINCT FROM @extschema@.lead_phones_entry_of_calls(kind, campaign, whom)
       OR EXISTS (SELECT FROM call_outcomes AS o
                   WHERE o.disqualified = kind AND o.entry = lifted AND o.subject = whom AND o.everywhere = is_everywhere
                     AND (o.everywhere OR o.campaign_id = of_campaign) AND o.corrected_at IS NULL) THEN
        RETURN;
    END IF;
    IF kind <> 'phone' THEN
        UPDATE lead_disqualifications AS d SET lifted_by = by_whom, lifted_at = clock, lift_reason = 'corrected' WHERE d.entry = lifted;
        PERFORM @extschema@.lead_phones_due_again(of_campaign, CASE kind WHEN 'contact' THEN ARRAY[whom::bigint] ELSE ARRAY(
            SELECT c.contact_id FROM contacts AS c WHERE c.campaign_id = of_campaign AND c.account_id = whom::bigint) END);
    ELSIF is_everywhere OR EXISTS (SELECT FROM campaigns AS m WHERE m.campaign_id = of_campaign) THEN
        PERFORM @extschema@.lead_phones_requalify('contacts'::regclass, jsonb_build_object('campaign', campaign, 'subjects', jsonb_build_array(whom),
            'source', 'disposition', 'reason', 'corrected', 'by', by_whom));
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_lift_outcome(jsonb, text, timestamptz) IS
    'internal: lifts what an outcome of a call alone has disqualified, once it is corrected';

CREATE FUNCTION @extschema@.lead_phones_end_call(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    call_back_at constant timestamptz := arguments ->> 'callback_at';
    by_whom constant text := arguments ->> 'by';
    outcome constant jsonb := @extschema@.lead_phones_disposition(arguments ->> 'disposition', call_back_at);
    is_everywhere constant boolean := outcome ->> 'everywhere';
    counts constant boolean := outcome ->> 'is_attempt';
    disqualified text := outcome ->> 'disqualifies';
    whom text;
    entry bigint;
    undone jsonb;
    call record;
    person record;
    clock timestamptz;
    ended timestamptz;
    rests_until timestamptz;
BEGIN
    SELECT k.campaign_id, k.call_id, k.lead_id, k.contact_id, k.number, count(*) OVER () AS campaigns INTO call
      FROM calls AS k WHERE k.call_id = (arguments ->> 'call')::bigint;
    IF NOT FOUND OR call.campaigns > 1 THEN
        RAISE EXCEPTION 'call % %', arguments ->> 'call', CASE WHEN call.campaigns > 1 THEN format('is in %s campaigns', call.campaigns) ELSE 'does not exist' END
            USING ERRCODE = CASE WHEN call.campaigns > 1 THEN 'cardinality_violation' ELSE 'no_data_found' END,
                  DETAIL = format('Table "%I.calls" has %s such call_id.', current_schema(), CASE WHEN call.campaigns > 1 THEN 'more than one' ELSE 'no' END),
                  HINT = 'Name the call_id that start_call() returned.';
    END IF;
    -- The number first, then who else is meant: others who say something of the same person or company wait.
    PERFORM @extschema@.lead_phones_lock_calls(ARRAY[call.number::text]);
    SELECT c.account_id, c.contact_id INTO person FROM contacts AS c WHERE c.campaign_id = call.campaign_id AND c.contact_id = call.contact_id;
    -- a person without a company, or without a row, is disqualified by what is left
    disqualified := CASE WHEN disqualified IS NULL OR disqualified = 'phone' THEN disqualified
                         WHEN disqualified = 'account' AND person.account_id IS NOT NULL THEN 'account'
                         WHEN person.contact_id IS NOT NULL THEN 'contact' ELSE 'phone' END;
    whom := CASE disqualified WHEN 'account' THEN person.account_id::text WHEN 'contact' THEN person.contact_id::text WHEN 'phone' THEN call.number END;
    PERFORM pg_advisory_xact_lock(@extschema@.lead_phones_call_key(w.subject)) FROM (
        SELECT DISTINCT format('%s %s/%s', o.disqualified, o.campaign_id, o.subject) COLLATE "C" AS subject
          FROM (SELECT o.disqualified, o.campaign_id, o.subject FROM call_outcomes AS o
                 WHERE o.campaign_id = call.campaign_id AND o.call_id = call.call_id AND o.corrected_at IS NULL
                 UNION ALL SELECT disqualified, call.campaign_id, whom
                 -- of a person, also his company, whose people are locked together
                 UNION ALL SELECT 'account', call.campaign_id, person.account_id::text WHERE disqualified = 'contact' AND person.account_id IS NOT NULL)
               AS o (disqualified, campaign_id, subject)
         WHERE o.disqualified <> 'phone' ORDER BY 1) AS w;
    SELECT k.* INTO call FROM calls AS k WHERE k.campaign_id = call.campaign_id AND k.call_id = call.call_id FOR UPDATE;
    clock := @extschema@.lead_phones_clock();
    ended := coalesce(call.ended_at, clock);
    rests_until := greatest(ended + (outcome ->> 'rests')::interval, call_back_at);
    UPDATE call_outcomes AS o SET corrected_at = clock, corrected_by = by_whom
     WHERE o.campaign_id = call.campaign_id AND o.call_id = call.call_id AND o.corrected_at IS NULL
    RETURNING to_jsonb(o) INTO undone;
    -- Rows of people and companies are waited for before rows of the counts are held, and not the other way round.
    IF disqualified IS NULL OR disqualified = 'phone' THEN
        PERFORM @extschema@.lead_phones_lift_outcome(undone, by_whom, clock);
    END IF;
    -- of a campaign that is gone, nobody is called
    IF disqualified IS NOT NULL AND (is_everywhere OR EXISTS (SELECT FROM campaigns AS m WHERE m.campaign_id = call.campaign_id)) THEN
        entry := @extschema@.lead_phones_disqualify_by_call(disqualified, CASE WHEN NOT is_everywhere THEN call.campaign_id END, whom,
            concat_ws(': ', outcome ->> 'name', arguments ->> 'note'), by_whom);
    END IF;
    INSERT INTO call_outcomes (campaign_id, call_id, lead_id, number, disposition, note, callback_at, rests_until, everywhere, disqualified, subject, entry,
        recorded_by, recorded_at)
    VALUES (call.campaign_id, call.call_id, call.lead_id, call.number, outcome ->> 'name', arguments ->> 'note', call_back_at, rests_until,
        is_everywhere, disqualified, whom, entry, by_whom, clock);
    IF disqualified <> 'phone' THEN
        PERFORM @extschema@.lead_phones_lift_outcome(undone, by_whom, clock);
    END IF;
    UPDATE calls AS k
       SET ended_at = ended, disposition = outcome ->> 'name', note = arguments ->> 'note', callback_at = call_back_at,
           is_attempt = counts
     WHERE k.campaign_id = call.campaign_id AND k.call_id = call.call_id;
    -- what was no attempt has called nobody back
    UPDATE call_outcomes AS o SET called_back_at = CASE WHEN counts THEN call.started_at END
     WHERE o.campaign_id = call.campaign_id AND o.lead_id = call.lead_id AND o.call_id <> call.call_id AND o.corrected_at IS NULL
       AND o.callback_at <= call.started_at AND (o.called_back_at IS NULL OR o.called_back_at = call.started_at);
    UPDATE leads AS l SET due_at = coalesce(rests_until, clock) WHERE l.campaign_id = call.campaign_id AND l.lead_id = call.lead_id;
    IF call.ended_at IS NOT NULL THEN
        -- this lead rests as the new outcome says
        PERFORM @extschema@.lead_phones_due_again(call.campaign_id, @extschema@.lead_phones_contacts_of(call.campaign_id, call.number::text), call.lead_id);
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_end_call(regclass, jsonb) IS
    'internal: records the outcome of a call, or corrects it, and what follows from it';

CREATE FUNCTION @extschema@.lead_phones_call_step(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    required constant text := CASE action WHEN 'start_call' THEN 'lead' WHEN 'end_call' THEN 'call' ELSE 'campaign' END;
BEGIN
    IF arguments ->> required IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE required WHEN 'call' THEN 'call_id' ELSE required END
            USING ERRCODE = 'null_value_not_allowed', HINT = CASE required WHEN 'lead' THEN 'Name its lead_id, as callable_leads and next_leads() have it.'
                WHEN 'call' THEN 'Name the call_id that start_call() returned.' ELSE 'Name the campaign whose leads are to be called.' END;
    END IF;
    -- whether they are complete, and closed to others, is remembered where they are used (src/actions/lead_tables.rs)
    leads := coalesce((SELECT l.oid FROM pg_catalog.pg_class AS n JOIN pg_catalog.pg_class AS l ON l.relnamespace = n.relnamespace AND l.relname = 'leads'
                        WHERE n.oid = lead_phones_call_step.leads), format('%I.leads', @extschema@.lead_phones_model(leads))::regclass);
    RETURN @extschema@.lead_phones_as_owner(leads, action, arguments || jsonb_build_object('by', @extschema@.lead_phones_caller(),
        'caller', coalesce(nullif(btrim(arguments ->> 'caller'), ''), @extschema@.lead_phones_caller())));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_step(regclass, text, jsonb) IS
    'internal: checks the arguments of what callers do and runs it';

CREATE PROCEDURE @extschema@.start_call(
    lead bigint,
    phone text DEFAULT NULL,
    caller text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT call_id bigint DEFAULT NULL,
    INOUT allowed boolean DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT refusals jsonb DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'start_call', jsonb_build_object('lead', lead, 'phone', phone, 'caller', caller));
BEGIN
    call_id := answer ->> 'call_id';
    allowed := answer ->> 'allowed';
    number := answer ->> 'number';
    refusals := answer -> 'refusals';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.start_call(bigint, text, text, regclass, bigint, boolean, @extschema@.e164, jsonb) IS
    'asks whether a lead may be called now, and logs the call; otherwise returns every reason why not, and when it ends. Example: CALL start_call(1, caller => ''ann'')';

CREATE PROCEDURE @extschema@.end_call(
    call_id bigint,
    disposition text DEFAULT NULL,
    note text DEFAULT NULL,
    callback_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads())
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    PERFORM @extschema@.lead_phones_run(leads, 'end_call', jsonb_build_object('call', call_id, 'disposition', disposition, 'note', note,
        'callback_at', callback_at));
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.end_call(bigint, text, text, timestamptz, regclass) IS
    'records the outcome of a call, with its effect on the number, the contact or the account; called again, it corrects the outcome. Example: CALL end_call(1, ''voicemail'')';

CREATE FUNCTION @extschema@.lead_phones_due_leads(campaign bigint, pass text, seen bigint[], how_many integer) RETURNS bigint[]
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- Those that others hold are skipped.
    RETURN CASE pass
        WHEN 'callbacks' THEN ARRAY(
            SELECT l.lead_id FROM call_outcomes AS o JOIN leads AS l ON l.campaign_id = o.campaign_id AND l.lead_id = o.lead_id
             WHERE o.campaign_id = campaign AND o.corrected_at IS NULL AND o.callback_at <= clock AND o.called_back_at IS NULL
               AND l.due_at <= clock AND l.lead_id <> ALL (seen)
             ORDER BY o.callback_at LIMIT how_many FOR NO KEY UPDATE OF l SKIP LOCKED)
        WHEN 'due' THEN ARRAY(
            SELECT l.lead_id FROM leads AS l WHERE l.campaign_id = campaign AND l.due_at <= clock AND l.lead_id <> ALL (seen)
             ORDER BY l.campaign_id, l.due_at, l.lead_id LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED)
        WHEN 'retries' THEN ARRAY(
            SELECT l.lead_id FROM leads AS l WHERE l.campaign_id = campaign AND l.due_at > '-infinity' AND l.due_at <= clock AND l.lead_id <> ALL (seen)
             ORDER BY l.campaign_id, l.due_at, l.lead_id LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED)
        ELSE ARRAY(
            SELECT l.lead_id FROM leads AS l WHERE l.campaign_id = campaign AND l.due_at = '-infinity' AND l.lead_id <> ALL (seen)
             ORDER BY l.campaign_id DESC, l.due_at DESC, l.lead_id DESC LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED) END;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_due_leads(bigint, text, bigint[], integer) IS
    'internal: leads that can be called, as far as was known when they were last looked at, locked';

CREATE FUNCTION @extschema@.lead_phones_put_off(campaign bigint, some_leads bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    clock constant timestamptz := @extschema@.lead_phones_clock();
BEGIN
    -- Until the first of its numbers may be called. What has no end is asked about once a day: somebody may requalify it.
    UPDATE leads AS l SET due_at = greatest(least(coalesce(f.until, '-infinity'), clock + interval '1 day'), clock + interval '1 second')
      FROM unnest(some_leads) AS p (lead_id)
      LEFT JOIN (
        SELECT n.lead_id, min(n.until) AS until
          -- a call ends when it does
          FROM (SELECT r.lead_id, max(CASE WHEN r.kind = 'on_call' THEN least(r.expires_at, clock + interval '5 minutes') ELSE coalesce(r.expires_at, 'infinity') END) AS until
                  FROM (VALUES ('phone'), ('mobile')) AS c (name)
                  JOIN lead_reasons AS r ON r.blocks IN ('lead', c.name)
                 WHERE r.campaign_id = campaign AND r.lead_id = ANY (some_leads)
                 GROUP BY r.lead_id, c.name) AS n
         GROUP BY n.lead_id) AS f ON f.lead_id = p.lead_id
     WHERE l.campaign_id = campaign AND l.lead_id = p.lead_id;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_put_off(bigint, bigint[]) IS
    'internal: says when leads that may not be called now are looked at again';

CREATE FUNCTION @extschema@.lead_phones_claim_lead(campaign bigint, lead bigint, caller text, claim_for interval) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    person record;
    subjects text[];
    one text;
    free_at timestamptz;
    clock timestamptz;
BEGIN
    SELECT format('contact %s/%s', l.campaign_id, l.contact_id) AS contact, @extschema@.try_normalize_phone(c.phone, c.region)::text AS phone,
           @extschema@.try_normalize_phone(c.mobile, c.region)::text AS mobile INTO person
      FROM leads AS l LEFT JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE l.campaign_id = campaign AND l.lead_id = lead;
    subjects := array_remove(ARRAY[person.contact, person.phone, nullif(person.mobile, person.phone)], NULL);
    FOREACH one IN ARRAY subjects LOOP
        IF NOT pg_try_advisory_xact_lock(@extschema@.lead_phones_call_key(one)) THEN
            RETURN NULL;
        END IF;
    END LOOP;
    -- Under the lock, each statement sees what others have committed.
    SELECT to_jsonb(k) INTO person FROM callable_leads AS k WHERE k.campaign_id = campaign AND k.lead_id = lead;
    clock := @extschema@.lead_phones_clock();
    IF NOT FOUND THEN
        PERFORM @extschema@.lead_phones_put_off(campaign, ARRAY[lead]);
        RETURN NULL;
    END IF;
    subjects := array_remove(ARRAY[subjects[1], person.to_jsonb ->> 'phone', person.to_jsonb ->> 'mobile'], NULL);
    free_at := (SELECT CASE WHEN count(*) > 0 THEN least(max(k.claimed_until), clock + interval '5 minutes') END FROM lead_claims AS k WHERE k.subject = ANY (subjects) AND k.claimed_until > clock);
    IF free_at IS NOT NULL THEN
        UPDATE leads AS l SET due_at = free_at WHERE l.campaign_id = campaign AND l.lead_id = lead;
        RETURN NULL;
    END IF;
    INSERT INTO lead_claims AS k (subject, campaign_id, lead_id, caller, claimed_until)
    SELECT DISTINCT s, campaign, lead, caller, clock + claim_for FROM unnest(subjects) AS s
    ON CONFLICT (subject) DO UPDATE
       SET campaign_id = EXCLUDED.campaign_id, lead_id = EXCLUDED.lead_id, caller = EXCLUDED.caller, claimed_until = EXCLUDED.claimed_until;
    UPDATE leads AS l SET due_at = clock + claim_for WHERE l.campaign_id = campaign AND l.lead_id = lead;
    RETURN person.to_jsonb || jsonb_build_object('claimed_until', clock + claim_for);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_claim_lead(bigint, bigint, text, interval) IS
    'internal: claims a lead for a caller, and returns its row of callable_leads; NULL where it may not be called, or somebody else has it';

CREATE FUNCTION @extschema@.lead_phones_next_leads(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
DECLARE
    campaign constant bigint := arguments ->> 'campaign';
    how_many constant integer := arguments ->> 'how_many';
    -- Where most of a campaign may not be called, as at night, the next call goes on.
    most constant integer := 3000;
    settings record;
    pass text;
    lead bigint;
    due bigint[];
    callable bigint[];
    seen bigint[] := '{}';
    looked_at integer := 0;
    claimed jsonb;
    answer jsonb := '[]';
BEGIN
    PERFORM @extschema@.lead_phones_lock_calls('{}'::text[]), @extschema@.lead_phones_known_campaign(campaign, 'no_data_found');
    SELECT m.claim_for, CASE m.call_order WHEN 'newest' THEN '{callbacks,newest,retries}' WHEN 'retries' THEN '{callbacks,retries,due}'
               ELSE '{callbacks,due}' END::text[] AS passes INTO settings
      FROM campaigns AS m WHERE m.campaign_id = campaign;
    FOREACH pass IN ARRAY settings.passes LOOP
        LOOP
            EXIT WHEN jsonb_array_length(answer) >= how_many OR looked_at >= most;
            -- as many as are missing, then more and more
            due := @extschema@.lead_phones_due_leads(campaign, pass, seen, greatest(how_many - jsonb_array_length(answer), least(looked_at, most / 4)));
            EXIT WHEN due = '{}';
            looked_at := looked_at + cardinality(due);
            callable := ARRAY(SELECT k.lead_id FROM callable_leads AS k WHERE k.campaign_id = campaign AND k.lead_id = ANY (due));
            PERFORM @extschema@.lead_phones_put_off(campaign, ARRAY(SELECT d FROM unnest(due) AS d WHERE d <> ALL (callable)));
            FOREACH lead IN ARRAY due LOOP
                CONTINUE WHEN lead <> ALL (callable);
                EXIT WHEN jsonb_array_length(answer) >= how_many;
                claimed := @extschema@.lead_phones_claim_lead(campaign, lead, arguments ->> 'caller', settings.claim_for);
                IF claimed IS NULL THEN
                    seen := seen || lead;
                ELSE
                    answer := answer || claimed;
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_next_leads(regclass, jsonb) IS
    'internal: claims leads for a caller';

CREATE FUNCTION @extschema@.next_leads(
    campaign bigint,
    caller text DEFAULT NULL,
    how_many integer DEFAULT 1,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads())
    RETURNS TABLE (
        campaign_id bigint,
        lead_id bigint,
        contact_id bigint,
        account_id bigint,
        upload_id bigint,
        email text,
        name text,
        title text,
        phone @extschema@.e164,
        mobile @extschema@.e164,
        phone_extension text,
        mobile_extension text,
        claimed_until timestamptz)
    VOLATILE ROWS 1 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF how_many IS NULL OR how_many NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'how_many is %', coalesce(how_many::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'A caller gets 1 to 100 leads at a time.', HINT = 'Leave it out for one.';
    END IF;
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(@extschema@.lead_phones_run(leads, 'next_leads', jsonb_build_object(
            'campaign', campaign, 'caller', caller, 'how_many', how_many))) AS r (
        campaign_id bigint, lead_id bigint, contact_id bigint, account_id bigint, upload_id bigint, email text, name text, title text,
        phone @extschema@.e164, mobile @extschema@.e164, phone_extension text, mobile_extension text, claimed_until timestamptz);
END
$function$;
COMMENT ON FUNCTION @extschema@.next_leads(bigint, text, integer, regclass) IS
    'leads to call now, claimed for a caller: due callbacks first, then the order that the campaign names. Example: SELECT * FROM next_leads(42, ''ann'', 5)';

CREATE FUNCTION @extschema@.lead_phones_report_quality(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        lead_count bigint,
        filled bigint,
        valid bigint,
        invalid bigint,
        invalid_by_reason jsonb,
        unique_numbers bigint,
        shared_numbers bigint,
        disqualified_numbers bigint,
        callable_leads bigint)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    -- Of lead tables, who may be called is what callable_leads says.
    callable constant text := (
        SELECT format('SELECT k.campaign_id AS campaign, count(*) AS callable FROM %s.callable_leads AS k GROUP BY k.campaign_id',
                   d.relnamespace::regnamespace)
          FROM pg_catalog.pg_class AS d WHERE d.oid = @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name));
BEGIN
    -- One scan of the leads: they are grouped by what is wrong with them, of which there are few kinds.
    RETURN QUERY EXECUTE format($query$
        WITH kinds AS (
            SELECT n.campaign, %1$s, count(*) AS leads, %2$s AS filled, %3$s AS valid, count(*) FILTER (WHERE %4$s) AS callable
              FROM (SELECT v.*, %5$s
                      FROM (SELECT %6$s AS campaign, %7$s, %8$s AS region FROM %9$s AS l) AS v) AS n
             GROUP BY n.campaign, %1$s),
        reasons AS (
            SELECT r.campaign, jsonb_object_agg(r.reason, r.values ORDER BY r.reason) AS by_reason, sum(r.values)::bigint AS invalid
              FROM (SELECT k.campaign, p.reason, sum(k.leads)::bigint AS values FROM kinds AS k
                     CROSS JOIN LATERAL (VALUES %10$s) AS p (reason)
                     WHERE p.reason IS NOT NULL GROUP BY k.campaign, p.reason) AS r
             GROUP BY r.campaign),
        numbers AS (
            SELECT c.campaign, count(*) FILTER (WHERE c.lead_count > 0) AS unique_numbers,
                   count(*) FILTER (WHERE c.lead_count > 1) AS shared_numbers, count(*) FILTER (WHERE c.disqualified) AS disqualified
              FROM (SELECT %11$s AS campaign, c.lead_count, c.disqualified FROM %12$s AS c) AS c GROUP BY c.campaign),
        leads AS (
            SELECT k.campaign, sum(k.leads)::bigint AS leads, sum(k.filled)::bigint AS filled, sum(k.valid)::bigint AS valid,
                   sum(k.callable)::bigint AS callable
              FROM kinds AS k GROUP BY k.campaign)
        SELECT %13$s, coalesce(l.leads, 0), coalesce(l.filled, 0), coalesce(l.valid, 0),
               coalesce(r.invalid, 0), coalesce(r.by_reason, '{}'), coalesce(n.unique_numbers, 0), coalesce(n.shared_numbers, 0),
               coalesce(n.disqualified, 0), coalesce(k.callable, 0)
          FROM leads AS l FULL JOIN numbers AS n ON n.campaign %14$s l.campaign
          LEFT JOIN reasons AS r ON r.campaign %14$s l.campaign OR r.campaign IS NULL AND l.campaign IS NULL AND l.leads IS NOT NULL
          LEFT JOIN (%15$s) AS k ON k.campaign %14$s l.campaign OR k.campaign IS NULL AND l.campaign IS NULL AND l.leads IS NOT NULL
         ORDER BY coalesce(l.campaign, n.campaign)$query$,
        @extschema@.lead_phones_each(tracked, 'n.problem%5$s', ', '),
        @extschema@.lead_phones_each(tracked, 'count(*) FILTER (WHERE n.number%5$s IS NOT NULL OR n.problem%5$s IS NOT NULL)', ' + '),
        @extschema@.lead_phones_each(tracked, 'count(n.number%5$s)', ' + '),
        @extschema@.lead_phones_each(tracked, 'n.number%5$s IS NOT NULL AND NOT n.out%5$s', ' OR '),
        @extschema@.lead_phones_each(tracked, 'CASE WHEN v.number%5$s IS NULL THEN nullif(@extschema@.phone_problem(v.spelled%5$s, v.region), ''empty'') END AS problem%5$s', ', '),
        @extschema@.lead_phones_campaign(tracked, 'l'),
        (SELECT string_agg(format('%1$s AS spelled%2$s, %3$s AS number%2$s, l.%4$I AS out%2$s', @extschema@.lead_phones_spelled(tracked, c.name), c.place,
                    @extschema@.lead_phones_number(tracked, c.name), c.name || '_disqualified'), ', ') FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)),
        @extschema@.lead_phones_region(tracked), tracked.leads,
        @extschema@.lead_phones_each(tracked, '(k.problem%5$s)', ', '),
        @extschema@.lead_phones_campaign(tracked, 'c'), tracked.counts,
        @extschema@.lead_phones_campaign_text(tracked, '(coalesce(l.campaign, n.campaign))'), @extschema@.lead_phones_operator(tracked, 3::smallint),
        coalesce(callable, 'SELECT o.campaign, o.callable FROM leads AS o'));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_quality(regclass, jsonb) IS
    'internal: the rows of lead_phone_quality, as its owner';

CREATE OR REPLACE FUNCTION @extschema@.lead_phone_quality(leads regclass)
    RETURNS TABLE (
        campaign text,
        lead_count bigint,
        filled bigint,
        valid bigint,
        invalid bigint,
        invalid_by_reason jsonb,
        unique_numbers bigint,
        shared_numbers bigint,
        disqualified_numbers bigint,
        callable_leads bigint)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'quality', '{}'::jsonb) AS r (campaign text, lead_count bigint, filled bigint, valid bigint, invalid bigint, invalid_by_reason jsonb, unique_numbers bigint, shared_numbers bigint, disqualified_numbers bigint, callable_leads bigint);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phone_quality(regclass) IS
    'for each campaign of a tracked table: how many numbers are filled in, valid, invalid and why, shared, disqualified. Example: SELECT * FROM lead_phone_quality(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_report_shared(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        phone_count bigint,
        mobile_count bigint,
        disqualified boolean,
        column_counts jsonb)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
BEGIN
    RETURN QUERY EXECUTE format('SELECT %s, c.phone, c.lead_count, c.%I, %s, c.disqualified, jsonb_build_object(%s)
                                   FROM %s AS c WHERE c.lead_count >= $1 ORDER BY c.lead_count DESC, %s',
        @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'c')),
        tracked.phone_columns[1] || '_count', coalesce('c.' || quote_ident(tracked.phone_columns[2] || '_count'), 'NULL::bigint'),
        @extschema@.lead_phones_each(tracked, '%1$L, c.%3$I', ', '), tracked.counts,
        concat_ws(', ', 'c.' || quote_ident(tracked.campaign_column), 'c.phone')) USING (arguments ->> 'min_leads')::bigint;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_shared(regclass, jsonb) IS
    'internal: the rows of shared_lead_phones, as its owner';

CREATE OR REPLACE FUNCTION @extschema@.shared_lead_phones(leads regclass, min_leads bigint DEFAULT 2)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead_count bigint,
        phone_count bigint,
        mobile_count bigint,
        disqualified boolean,
        column_counts jsonb)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'shared', jsonb_build_object('min_leads', min_leads)) AS r (campaign text, phone @extschema@.e164, lead_count bigint, phone_count bigint, mobile_count bigint, disqualified boolean, column_counts jsonb);
END
$function$;
COMMENT ON FUNCTION @extschema@.shared_lead_phones(regclass, bigint) IS
    'the numbers that several leads of a campaign have, the most shared first. Example: SELECT phone, lead_count, column_counts FROM shared_lead_phones(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_report_invalid(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        lead jsonb,
        column_name name,
        raw_value text,
        reason text)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    key text;
BEGIN
    SELECT string_agg(format('%L, l.%I', a.attname, a.attname), ', ' ORDER BY k.place) INTO key
      FROM pg_catalog.pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = leads AND i.indisprimary;
    RETURN QUERY EXECUTE format($query$
        SELECT %2$s, jsonb_build_object(%3$s), v.name, v.raw, p.problem
          FROM %1$s AS l
         CROSS JOIN LATERAL (VALUES %5$s) AS v (name, raw, spelled, number)
         CROSS JOIN LATERAL (SELECT @extschema@.phone_problem(v.spelled, %4$s)) AS p (problem)
         WHERE v.number IS NULL AND p.problem <> 'empty'$query$,
        tracked.leads, @extschema@.lead_phones_campaign_text(tracked, @extschema@.lead_phones_campaign(tracked, 'l')),
        coalesce(key, '''ctid'', l.ctid::pg_catalog.text'), @extschema@.lead_phones_region(tracked),
        (SELECT string_agg(format('(%L::pg_catalog.name, %s, %s, %s)', c.name, @extschema@.lead_phones_raw(tracked, c.name), @extschema@.lead_phones_spelled(tracked, c.name), @extschema@.lead_phones_number(tracked, c.name)), ', '
                    ORDER BY c.place) FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_invalid(regclass, jsonb) IS
    'internal: the rows of invalid_lead_phones, as its owner';

CREATE OR REPLACE FUNCTION @extschema@.invalid_lead_phones(leads regclass)
    RETURNS TABLE (
        campaign text,
        lead jsonb,
        column_name name,
        raw_value text,
        reason text)
    STABLE ROWS 1000 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_tracked(leads);
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'invalid', '{}'::jsonb) AS r (campaign text, lead jsonb, column_name name, raw_value text, reason text);
END
$function$;
COMMENT ON FUNCTION @extschema@.invalid_lead_phones(regclass) IS
    'the values of a tracked table that are not valid numbers: row, column, value, reason. Example: SELECT * FROM invalid_lead_phones(''donors'')';

CREATE FUNCTION @extschema@.lead_phones_report_find(leads regclass, arguments jsonb)
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead jsonb,
        column_name name,
        disqualified boolean,
        reason text)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    fragment constant text := arguments ->> 'fragment';
    digits constant text := regexp_replace(fragment, '[^0-9]+', '', 'g');
    numbers @extschema@.e164[];
    key text;
BEGIN
    IF length(digits) < 4 THEN
        RAISE EXCEPTION '"%" has not enough digits to look for', left(fragment, 64)
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Four of them, at least, tell numbers apart.', HINT = 'Give the last digits, or the whole number in any spelling.';
    END IF;
    numbers := ARRAY(SELECT DISTINCT r.number FROM unnest(@extschema@.lead_phones_regions()) AS g (region)
                      CROSS JOIN LATERAL @extschema@.try_normalize_phone(fragment, g.region) AS r (number) WHERE r.number IS NOT NULL);
    SELECT string_agg(format('%L, l.%I', a.attname, a.attname), ', ' ORDER BY k.place) INTO key
      FROM pg_catalog.pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = leads AND i.indisprimary;
    -- The digits are a literal: by a parameter, no index of reversed numbers would be read. The number is compared by the collation of the column,
    -- and so by its index.
    RETURN QUERY EXECUTE format($query$
        WITH found AS MATERIALIZED (
            (SELECT %2$s AS campaign, c.phone, c.disqualified, to_jsonb(c.phone) #>> '{}' AS number
               FROM %1$s AS c WHERE reverse(c.phone::pg_catalog.text) LIKE %3$L AND c.lead_count > 0 LIMIT 1000)
             UNION
            SELECT %2$s, c.phone, c.disqualified, to_jsonb(c.phone) #>> '{}' FROM %1$s AS c WHERE %4$s AND c.phone = ANY ($1) AND c.lead_count > 0)
        SELECT %7$s, f.phone, h.lead, h.name, f.disqualified,
               CASE WHEN f.disqualified AND $2 THEN (SELECT string_agg(concat_ws(': ', d.source, d.reason), '; ' ORDER BY d.disqualified_at) FROM (
                   SELECT d.source, d.reason, d.disqualified_at FROM %5$s AS d WHERE %8$s AND d.phone = f.phone AND d.lifted_at IS NULL
                   %6$s) AS d) END
          FROM found AS f
         CROSS JOIN LATERAL (%9$s) AS h
         ORDER BY f.campaign, f.phone, h.lead LIMIT 1000$query$,
        tracked.counts, @extschema@.lead_phones_campaign(tracked, 'c'), reverse(digits) || '%',
        @extschema@.lead_phones_is_of(tracked, 'c', @extschema@.lead_phones_campaigns_of(tracked)), tracked.disqualifications,
        coalesce((SELECT format('UNION ALL SELECT p.source, p.reason, p.disqualified_at FROM %s WHERE s.number = ANY (@extschema@.lead_phones_keys(f.phone))', e)
                    FROM @extschema@.lead_phones_out_everywhere(tracked) AS e WHERE e IS NOT NULL), ''),
        @extschema@.lead_phones_campaign_text(tracked, 'f.campaign'), @extschema@.lead_phones_is_of(tracked, 'd', 'f.campaign'),
        (SELECT string_agg(format('SELECT jsonb_build_object(%s) AS lead, %L::pg_catalog.name AS name FROM %s AS l WHERE %s AND %s = f.number',
                    coalesce(key, '''ctid'', l.ctid::pg_catalog.text'), c.name, tracked.leads, @extschema@.lead_phones_is_of(tracked, 'l', 'f.campaign'),
                    @extschema@.lead_phones_stored(tracked, c.name)), ' UNION ALL ' ORDER BY c.place) FROM unnest(tracked.phone_columns) WITH ORDINALITY AS c (name, place)))
      USING numbers, (arguments ->> 'may_read_ledgers')::boolean;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_report_find(regclass, jsonb) IS
    'internal: the rows of find_phone, as its owner';

CREATE FUNCTION @extschema@.find_phone(fragment text, leads regclass DEFAULT @extschema@.lead_phones_visible_table())
    RETURNS TABLE (
        campaign text,
        phone @extschema@.e164,
        lead jsonb,
        column_name name,
        disqualified boolean,
        reason text)
    STABLE ROWS 100 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF fragment IS NULL THEN
        RAISE EXCEPTION 'fragment must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Give the last digits of a number, or the whole number in any spelling.';
    END IF;
    RETURN QUERY SELECT r.* FROM @extschema@.lead_phones_report(@extschema@.lead_phones_meant(leads), 'find', jsonb_build_object('fragment', fragment)) AS r (campaign text, phone @extschema@.e164, lead jsonb, column_name name, disqualified boolean, reason text);
END
$function$;
COMMENT ON FUNCTION @extschema@.find_phone(text, regclass) IS
    'who has a number like this, by its last digits or any spelling, and why it may not be called. Example: SELECT * FROM find_phone(''8212'')';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_metrics(leads regclass, arguments jsonb) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    others constant regclass := @extschema@.lead_phones_beside(leads, 'lead_disqualifications'::name);
    uploads constant regclass := @extschema@.lead_phones_beside(leads, 'lead_uploads'::name);
    calls constant regclass := @extschema@.lead_phones_beside(leads, 'call_outcomes'::name);
    metrics jsonb;
    part jsonb;
BEGIN
    EXECUTE format($query$
        SELECT jsonb_build_object('numbers', count(*) FILTER (WHERE c.lead_count > 0), 'shared', count(*) FILTER (WHERE c.lead_count > 1),
                                  'disqualified', count(*) FILTER (WHERE c.disqualified AND c.lead_count > 0)) FROM %s AS c$query$, tracked.counts)
       INTO metrics;
    EXECUTE format($query$
        SELECT jsonb_build_object('standing', count(*), 'overdue', count(*) FILTER (WHERE d.expires_at <= now())) FROM (%s) AS d$query$,
        (SELECT string_agg(format('SELECT l.expires_at FROM %s AS l WHERE l.lifted_at IS NULL', ledger), ' UNION ALL ')
           FROM unnest(ARRAY[tracked.disqualifications, others]) AS ledger WHERE ledger IS NOT NULL)
        || coalesce(' UNION ALL SELECT p.expires_at FROM ' || @extschema@.lead_phones_out_everywhere(tracked), '')) INTO part;
    metrics := metrics || part;
    IF uploads IS NOT NULL THEN
        EXECUTE format($query$
            SELECT jsonb_build_object('uploads', count(*), 'uploaded_rows', coalesce(sum(u.rows_in_file), 0),
                                      'refused_rows', coalesce(sum(u.refused), 0),
                                      'invalid_numbers', coalesce(sum(u.invalid_phone + u.invalid_mobile), 0),
                                      'last_upload_at', max(u.finished_at))
              FROM %s AS u WHERE u.finished_at IS NOT NULL$query$, uploads) INTO part;
        metrics := metrics || part;
    END IF;
    IF calls IS NOT NULL THEN
        -- Of numbers at a cap, who was called tells: those that were called as often as the least of the rules says, at least.
        EXECUTE format($query$
            SELECT jsonb_build_object(
                'calls', (SELECT coalesce(jsonb_object_agg(k.disposition, k.calls), '{}') FROM (
                    SELECT coalesce(k.disposition, CASE WHEN k.ended_at IS NULL THEN 'on the line' ELSE 'no outcome' END) AS disposition, count(*) AS calls
                      FROM %1$s.calls AS k GROUP BY 1) AS k),
                'resting', (SELECT count(DISTINCT o.number) FROM %1$s.call_outcomes AS o WHERE o.corrected_at IS NULL AND o.rests_until > now()),
                'capped', (SELECT count(DISTINCT r.number) FROM (
                    SELECT DISTINCT k.campaign_id, k.contact_id FROM %1$s.calls AS k JOIN (
                        SELECT a.number FROM %1$s.calls AS a WHERE a.is_attempt GROUP BY a.number
                        HAVING count(*) >= (SELECT min(least(u.attempts_in_24_hours, u.attempts_in_all)) FROM %1$s.call_rules AS u WHERE u.is_on)) AS often
                        ON often.number = k.number) AS k
                  JOIN %1$s.call_refusals AS r ON r.campaign_id = k.campaign_id AND r.contact_id = k.contact_id AND r.kind = 'attempts'))$query$,
            (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = calls)) INTO part;
        metrics := metrics || part;
    END IF;
    RETURN metrics;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phone_metrics()
    RETURNS TABLE (
        schema_name name,
        table_name name,
        estimated_leads bigint,
        unique_numbers bigint,
        shared_numbers bigint,
        disqualified_numbers bigint,
        standing_entries bigint,
        overdue_entries bigint,
        uploads bigint,
        uploaded_rows bigint,
        refused_rows bigint,
        invalid_numbers bigint,
        last_upload_at timestamptz,
        calls_by_disposition jsonb,
        resting_numbers bigint,
        numbers_at_cap bigint)
    STABLE ROWS 10 LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- for all waiting together: a session that locks a table must not keep the others from being watched
    patience constant interval := '2 s';
    asked_at constant timestamptz := clock_timestamp();
    own_lock_timeout constant text := current_setting('lock_timeout');
    leads regclass;
    metrics jsonb;
BEGIN
    FOR leads, schema_name, table_name, estimated_leads IN
        SELECT t.leads, n.nspname, c.relname, (SELECT sum(nullif(m.reltuples, -1)) FROM pg_catalog.pg_class AS m
                 WHERE m.oid IN (SELECT @extschema@.lead_phones_members(t.leads)) AND m.relkind <> 'p')
          FROM @extschema@.lead_phone_tables AS t
          JOIN pg_catalog.pg_class AS c ON c.oid = t.leads JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         ORDER BY n.nspname, c.relname
    LOOP
        -- One table that cannot be read must not hide the others.
        BEGIN
            PERFORM set_config('lock_timeout', greatest(1,
                ceil(extract(epoch FROM patience - (clock_timestamp() - asked_at)) * 1000))::text || 'ms', true);
            metrics := @extschema@.lead_phones_as_owner(leads, 'metrics', '{}'::jsonb);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'no metrics of table "%": %', leads, SQLERRM USING ERRCODE = SQLSTATE;
            metrics := '{}';
        END;
        unique_numbers := metrics ->> 'numbers';
        shared_numbers := metrics ->> 'shared';
        disqualified_numbers := metrics ->> 'disqualified';
        standing_entries := metrics ->> 'standing';
        overdue_entries := metrics ->> 'overdue';
        uploads := metrics ->> 'uploads';
        uploaded_rows := metrics ->> 'uploaded_rows';
        refused_rows := metrics ->> 'refused_rows';
        invalid_numbers := metrics ->> 'invalid_numbers';
        last_upload_at := metrics ->> 'last_upload_at';
        calls_by_disposition := metrics -> 'calls';
        resting_numbers := metrics ->> 'resting';
        numbers_at_cap := metrics ->> 'capped';
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('lock_timeout', own_lock_timeout, true);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phone_metrics() IS
    'what monitoring watches of each tracked table; for roles of pg_monitor. Example: SELECT table_name, unique_numbers, disqualified_numbers FROM lead_phone_metrics()';

CREATE FUNCTION @extschema@.lead_phones_missing(relation name, owner oid) RETURNS regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- of one owner: what a stranger's own trigger says is of no account
    SELECT t.tgrelid::regclass FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.tgrelid AND l.relowner = owner AND l.relkind IN ('r', 'p') AND l.relpersistence = 'p'
     CROSS JOIN LATERAL (SELECT @extschema@.lead_phones_settings(t.tgargs) OFFSET 0) AS s (settings)
     WHERE t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure
       AND t.tgname = 'zz_lead_phones_normalize_insert' AND t.tgparentid = 0
       AND relation::text IN (s.settings ->> 'counts', s.settings ->> 'disqualifications', s.settings ->> 'suppressions', s.settings ->> 'suppressed')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname = s.settings ->> 'schema' AND c.relname = relation AND c.relkind IN ('r', 'p'))
     UNION ALL
    -- the other ledger of lead tables
    SELECT l.oid::regclass FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.tgrelid AND l.relowner = owner AND l.relname = 'leads' AND l.relpersistence = 'p'
     WHERE relation IN ('lead_disqualifications', 'lead_disqualification_subjects') AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = l.relnamespace AND c.relname = relation AND c.relkind IN ('r', 'p'))
     LIMIT 1
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_missing(name, oid) IS
    'internal: a tracked table of an owner whose counts or ledger are of this name, and gone';

CREATE FUNCTION @extschema@.lead_phones_kept_for(relation regclass) RETURNS SETOF regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t.leads FROM @extschema@.lead_phone_tables AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.leads
      JOIN pg_catalog.pg_class AS c ON c.oid = relation AND c.relowner = l.relowner
     WHERE relation IN (t.counts, t.disqualifications, t.suppressions, t.suppressed)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_kept_for(regclass) IS
    'internal: the tracked table of which a table is the counts or the ledger';

CREATE FUNCTION @extschema@.lead_phones_untracked_settings(leads regclass) RETURNS @extschema@.lead_phone_tables
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t FROM @extschema@.lead_phone_tables AS t WHERE t.leads = lead_phones_untracked_settings.leads
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_untracked_settings(regclass) IS
    'internal: the settings of a tracked table, unchecked: DDL may just have made them wrong';

CREATE FUNCTION @extschema@.lead_phones_kept_of(tracked @extschema@.lead_phone_tables)
    RETURNS TABLE (number_column name, purpose text, column_name name)
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT n, k.* FROM unnest((tracked).phone_columns) AS n
     CROSS JOIN LATERAL @extschema@.lead_phones_kept_columns(n, (tracked).in_place, (tracked).keep_extensions) AS k
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_kept_of(@extschema@.lead_phone_tables) IS
    'internal: the columns that are kept beside the columns of numbers of a tracked table';

CREATE FUNCTION @extschema@.lead_phones_reads_regions(relation regclass, column_name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- by its name: the column is gone, or has another one, by now
    RETURN (
        SELECT r FROM pg_catalog.pg_constraint AS c
         CROSS JOIN LATERAL @extschema@.lead_phones_root(c.conrelid::regclass) AS r
         CROSS JOIN LATERAL @extschema@.lead_phones_untracked_settings(r) AS t
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = t.region_column AND c.conkey = ARRAY[a.attnum]
         WHERE c.confrelid = relation AND c.contype = 'f' AND t.region_code = coalesce(lead_phones_reads_regions.column_name, t.region_code)
           -- of one owner: what a stranger's own trigger says is of no account
           AND (SELECT k.relowner FROM pg_catalog.pg_class AS k WHERE k.oid = r) = (SELECT k.relowner FROM pg_catalog.pg_class AS k WHERE k.oid = relation)
         LIMIT 1);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_reads_regions(regclass, name) IS
    'internal: a tracked table that references a table, and reads regions in a column of it';

CREATE FUNCTION @extschema@.lead_phones_check_path(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    root constant regclass := @extschema@.lead_phones_root(relation);
    tracked constant @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(root);
BEGIN
    IF tracked.region_code IS NOT NULL AND (SELECT r.relation IS NULL FROM @extschema@.lead_phones_region_table(tracked) AS r)
       AND EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS l ON l.oid = root AND l.relowner = c.relowner WHERE c.oid = tracked.counts) THEN
        RAISE EXCEPTION 'the foreign key on column "%" of table "%" cannot be dropped', tracked.region_column, root
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('The table is tracked with it: by region_column => ''%s.%s''.', tracked.region_column, tracked.region_code),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_path(regclass) IS
    'internal: an error where a table lost a foreign key by which it is tracked';

CREATE FUNCTION @extschema@.lead_phones_check_dropped(relation regclass, dropped name) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    root regclass;
BEGIN
    -- by its name: another column of that name may be there by now
    SELECT t.r INTO root
      FROM (SELECT r, r AS of_table FROM @extschema@.lead_phones_roots(relation) AS r
             UNION ALL SELECT k, relation FROM @extschema@.lead_phones_kept_for(relation) AS k) AS t (r, of_table)
     CROSS JOIN LATERAL @extschema@.lead_phones_columns_of(@extschema@.lead_phones_untracked_settings(t.r)) AS w
     WHERE w.relation = t.of_table AND w.column_name = dropped
     LIMIT 1;
    root := coalesce(root, @extschema@.lead_phones_reads_regions(relation, dropped::name));
    IF root IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be dropped', dropped, relation
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('Table "%s" is tracked with it.', root),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    IF @extschema@.lead_phones_has_node(relation) AND @extschema@.lead_phones_lost_a_column(relation) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be dropped', dropped, relation
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Citus distributes the lead tables, and creates the shards that it moves without it: the columns after it would be in other places.',
                  HINT = 'Set it to NULL, and leave it there.';
    END IF;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_dropped(regclass, name) IS
    'internal: an error where a table that lost a column is, or serves, a tracked one that needs it';

CREATE FUNCTION @extschema@.lead_phones_altered_root(relation regclass, computed text[]) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kept_for constant regclass := (SELECT k FROM @extschema@.lead_phones_kept_for(relation) AS k LIMIT 1);
    root constant regclass := coalesce(kept_for, @extschema@.lead_phones_root(relation));
    tracked constant @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(root);
    kept name;
BEGIN
    PERFORM @extschema@.lead_phones_check_region(@extschema@.lead_phones_untracked_settings(r))
       FROM @extschema@.lead_phones_reads_regions(relation, NULL::name) AS r WHERE r IS NOT NULL;
    -- USING says what the values become: of what lead_phones keeps, nobody does.
    kept := (SELECT w.column_name FROM @extschema@.lead_phones_columns_of(tracked) AS w
              WHERE w.column_name::text = ANY (computed)
                AND (kept_for IS NOT NULL AND w.relation = lead_phones_altered_root.relation
                     OR kept_for IS NULL AND w.relation = tracked.leads AND w.column_name IN (SELECT k.column_name FROM @extschema@.lead_phones_kept_of(tracked) AS k))
              LIMIT 1);
    IF kept IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be computed', kept, relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('What it says is kept by lead_phones, for tracked table "%s".', root),
                  HINT = format('Leave out USING, or run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    IF kept_for IS NULL THEN
        RETURN root;
    END IF;
    IF relation = tracked.counts AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = relation AND i.indisprimary AND i.indnatts = num_nonnulls(tracked.campaign_column, 'phone')) THEN
        RAISE EXCEPTION 'table "%" needs its primary key', relation
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('The triggers of tracked table "%s" write counts by it.', root),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    IF (SELECT c.relpersistence FROM pg_catalog.pg_class AS c WHERE c.oid = relation) <> 'p' THEN
        RAISE EXCEPTION 'table "%" cannot be unlogged', relation
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Tracked table "%s" needs it after a crash too.', root),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(root));
    END IF;
    PERFORM @extschema@.lead_phones_check_shape(root);
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_altered_root(regclass, text[]) IS
    'internal: the tracked table that an altered table is or belongs to; an error where it is counts or ledger, and no longer serves';

CREATE FUNCTION @extschema@.lead_phones_check_shape(leads regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing record;
BEGIN
    SELECT m.relation, m.column_name INTO missing
      FROM @extschema@.lead_phones_missing_column(@extschema@.lead_phones_untracked_settings(leads)) AS m WHERE m.relation IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be of that type', missing.column_name, missing.relation
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('Table "%s" is tracked with it.', leads),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(leads));
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_shape(regclass) IS
    'internal: an error where a column of a tracked table, its counts or its ledger is of a type that it cannot have';

CREATE FUNCTION @extschema@.lead_phones_renamed_root(relation regclass, old_name name) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kept_for regclass := (SELECT k FROM @extschema@.lead_phones_kept_for(relation) AS k LIMIT 1);
    reads_regions constant regclass := @extschema@.lead_phones_reads_regions(relation, old_name);
    tracked @extschema@.lead_phone_tables;
BEGIN
    tracked := @extschema@.lead_phones_untracked_settings(coalesce(kept_for, reads_regions, @extschema@.lead_phones_root(relation)));
    IF kept_for IS NOT NULL AND EXISTS (SELECT FROM @extschema@.lead_phones_columns_of(tracked) AS w
                                         WHERE w.relation = lead_phones_renamed_root.relation AND w.column_name = old_name)
       OR reads_regions IS NOT NULL
       OR kept_for IS NULL AND old_name IN (SELECT k.column_name FROM @extschema@.lead_phones_kept_of(tracked) AS k) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be renamed', old_name, relation
            USING ERRCODE = 'dependent_objects_still_exist',
                  DETAIL = format('Table "%s" is tracked with it, by that name.', tracked.leads),
                  HINT = format('Run untrack_lead_phones(%L) before.', @extschema@.lead_phones_table_name(tracked.leads));
    END IF;
    IF kept_for IS NULL AND old_name = ANY (tracked.phone_columns || tracked.campaign_column || tracked.region_column) THEN
        IF @extschema@.lead_phones_beside(tracked.leads, 'lead_disqualifications'::name) IS NOT NULL THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be renamed', old_name, relation
                USING ERRCODE = 'dependent_objects_still_exist', DETAIL = 'The tables that create_lead_tables() creates keep their columns.',
                      HINT = 'Give it another name in a view.';
        END IF;
        RETURN tracked.leads;
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_renamed_root(regclass, name) IS
    'internal: the tracked table of which a tracked column was renamed; an error where it must not be';

CREATE FUNCTION @extschema@.lead_phones_roots_in(old_schema name, new_schema name) RETURNS SETOF regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT t.tgrelid::regclass FROM pg_catalog.pg_trigger AS t
      JOIN pg_catalog.pg_class AS l ON l.oid = t.tgrelid
     CROSS JOIN LATERAL (SELECT @extschema@.lead_phones_settings(t.tgargs) OFFSET 0) AS s (settings)
     WHERE t.tgfoid = '@extschema@.lead_phones_normalize()'::regprocedure
       AND t.tgname = 'zz_lead_phones_normalize_insert' AND t.tgparentid = 0
       AND NOT (s.settings ->> 'member')::boolean AND s.settings ->> 'schema' = old_schema::text
       -- of one owner: what a stranger's own trigger says is of no account
       AND EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE n.nspname = new_schema AND c.relname = s.settings ->> 'counts' AND c.relowner = l.relowner)
     ORDER BY t.tgrelid
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_roots_in(name, name) IS
    'internal: the tracked tables whose counts are in a schema that was renamed';

CREATE FUNCTION @extschema@.lead_phones_set_settings(leads regclass, changed jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    settings jsonb := (SELECT @extschema@.lead_phones_settings(t.tgargs) || changed FROM pg_catalog.pg_trigger AS t
                        WHERE t.tgrelid = leads AND t.tgname = 'zz_lead_phones_normalize_insert');
    -- a trigger that is replaced fires as one that is new
    firing constant jsonb := (SELECT jsonb_agg(jsonb_build_array(t.tgrelid, t.tgname, t.tgenabled)) FROM pg_catalog.pg_trigger AS t
                               WHERE t.tgrelid IN (SELECT m FROM @extschema@.lead_phones_members(leads) AS m) AND t.tgenabled <> 'O'
                                 AND t.tgfoid IN ('@extschema@.lead_phones_normalize()'::regprocedure, '@extschema@.lead_phones_count()'::regprocedure));
    other jsonb;
BEGIN
    PERFORM @extschema@.lead_phones_create_triggers(m, CASE WHEN m = leads THEN settings - 'member' ELSE settings || '{"member": true}' END)
       FROM @extschema@.lead_phones_members(leads) AS m;
    FOR other IN SELECT f FROM jsonb_array_elements(firing) AS f LOOP
        EXECUTE format('ALTER TABLE ONLY %s %s TRIGGER %I', (other ->> 0)::oid::regclass,
            CASE other ->> 2 WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, other ->> 1);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_set_settings(regclass, jsonb) IS
    'internal: changes settings of a tracked table, in the triggers of all its tables';

CREATE FUNCTION @extschema@.lead_phones_rename_column(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(leads);
    old_name constant name := arguments ->> 'old';
    new_name constant name := arguments ->> 'new';
    renamed @extschema@.lead_phone_tables := tracked;
    moved record;
BEGIN
    renamed.phone_columns := array_replace(tracked.phone_columns, old_name, new_name);
    renamed.campaign_column := CASE tracked.campaign_column WHEN old_name THEN new_name ELSE tracked.campaign_column END;
    renamed.region_column := CASE tracked.region_column WHEN old_name THEN new_name ELSE tracked.region_column END;
    IF old_name = ANY (tracked.phone_columns) THEN
        PERFORM @extschema@.lead_phones_check_column(leads, new_name, 'phone_columns', CASE WHEN tracked.in_place THEN 'text' ELSE 'number' END);
    END IF;
    PERFORM @extschema@.lead_phones_check_names(leads, renamed.campaign_column, renamed.phone_columns, tracked.in_place, tracked.keep_extensions);
    FOR moved IN
        SELECT t.relation, old_name AS old, new_name AS new, NULL AS meaning FROM unnest(ARRAY[tracked.counts, tracked.disqualifications]) AS t (relation)
         WHERE old_name = tracked.campaign_column
         UNION ALL
        SELECT leads, o.column_name, n.column_name, CASE o.purpose WHEN 'mark' THEN 'marks' ELSE 'is of' END
          FROM @extschema@.lead_phones_kept_of(tracked) AS o
          JOIN @extschema@.lead_phones_kept_of(renamed) AS n ON n.number_column = new_name AND n.purpose = o.purpose
         WHERE o.number_column = old_name
         UNION ALL
        SELECT tracked.counts, old_name || '_count', new_name || '_count', NULL WHERE old_name = ANY (tracked.phone_columns)
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', moved.relation, moved.old, moved.new);
        EXCEPTION WHEN duplicate_column THEN
            RAISE EXCEPTION 'column "%" of table "%" cannot be renamed to "%"', old_name, leads, new_name
                USING ERRCODE = 'duplicate_column', DETAIL = format('Column "%s" of table "%s" is renamed with it, and there is another of that name.', moved.old, moved.relation),
                      HINT = 'Choose another name.';
        END;
        IF moved.meaning IS NOT NULL THEN
            RAISE NOTICE 'column "%" is now "%"', moved.old, moved.new
                USING DETAIL = format('It %s the numbers of column "%s" of table "%s".', moved.meaning, new_name, leads);
        END IF;
    END LOOP;
    FOR moved IN SELECT k.* FROM @extschema@.lead_phones_kept_of(renamed) AS k WHERE k.number_column = new_name LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', leads, moved.column_name, @extschema@.lead_phones_meaning(new_name, moved.purpose));
    END LOOP;
    PERFORM @extschema@.lead_phones_set_settings(leads, jsonb_build_object('campaign_column', renamed.campaign_column, 'phone_columns', renamed.phone_columns,
        'region_column', renamed.region_column));
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rename_column(regclass, jsonb) IS
    'internal: follows the rename of a tracked column';

CREATE FUNCTION @extschema@.lead_phones_rename_schema(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM @extschema@.lead_phones_set_settings(leads, jsonb_build_object('schema', arguments ->> 'new'));
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_rename_schema(regclass, jsonb) IS
    'internal: follows the rename of the schema of counts and ledger';

CREATE FUNCTION @extschema@.lead_phones_keeps_campaigns(from_type oid, to_type oid) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- equal values of these are the same bytes, and the session does not say how they are written
    of_one_spelling constant oid[] := '{int2,int4,int8,uuid,text,varchar,bpchar,bool}'::regtype[];
    of_numbers constant oid[] := '{int2,int4,int8,numeric,float4,float8}'::regtype[];
    of_time constant oid[] := '{date,timestamp,timestamptz}'::regtype[];
BEGIN
    RETURN from_type = to_type OR from_type = ANY (of_one_spelling) OR (SELECT t.typtype FROM pg_catalog.pg_type AS t WHERE t.oid = from_type) = 'e'
        OR from_type = ANY (of_numbers) AND to_type = ANY (of_numbers)
        OR from_type = ANY (of_time) AND to_type = ANY (of_time);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keeps_campaigns(oid, oid) IS
    'internal: whether equal campaigns of a type are equal campaigns of another one too';

CREATE FUNCTION @extschema@.lead_phones_alter(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_untracked_settings(leads);
    beside regclass;
    campaign pg_catalog.pg_attribute;
    campaign_type text;
    has_other_numbers boolean := false;
    is_read_anew boolean := false;
    is_rekeyed boolean := false;
    retyped record;
BEGIN
    PERFORM @extschema@.lead_phones_check_table(leads),
            @extschema@.lead_phones_check_kind(leads, m) FROM @extschema@.lead_phones_members(leads) AS m;
    PERFORM @extschema@.lead_phones_follow_row_security(tracked);
    FOR retyped IN SELECT * FROM jsonb_to_recordset(arguments -> 'columns') AS c (name name, computed boolean) LOOP
        IF retyped.name = ANY (tracked.phone_columns) THEN
            PERFORM @extschema@.lead_phones_check_column(leads, retyped.name, 'phone_columns', CASE WHEN tracked.in_place THEN 'text' ELSE 'number' END);
            has_other_numbers := true;
            -- Where it is left as it is, a type can say it in another way, or cut it.
            is_read_anew := is_read_anew OR retyped.computed OR NOT tracked.in_place;
        ELSIF retyped.name = tracked.region_column THEN
            PERFORM @extschema@.lead_phones_check_column(leads, retyped.name, 'region_column', CASE WHEN tracked.region_code IS NULL THEN 'text' ELSE 'reference' END);
            is_read_anew := is_read_anew OR retyped.computed;
        ELSIF retyped.name = tracked.campaign_column THEN
            campaign := @extschema@.lead_phones_check_column(leads, retyped.name, 'campaign_column', 'campaign');
            campaign_type := format_type(campaign.atttypid, campaign.atttypmod) || @extschema@.lead_phones_collate(campaign.attcollation);
            -- Of a type that writes one value in several ways, entries of the ledger could come to mean other leads.
            IF NOT @extschema@.lead_phones_keeps_campaigns(@extschema@.lead_phones_type_of(tracked.disqualifications, retyped.name), @extschema@.lead_phones_base_type_of(campaign.atttypid)) THEN
                RAISE EXCEPTION 'campaigns of table "%" cannot become %', leads, format_type(campaign.atttypid, campaign.atttypmod)
                    USING ERRCODE = 'feature_not_supported',
                          DETAIL = format('They are of type %s, in which one value can be written in several ways.', format_type(@extschema@.lead_phones_type_of(tracked.disqualifications, retyped.name), -1)),
                          HINT = format('Run untrack_lead_phones(%L), and alter the tables by hand.', @extschema@.lead_phones_table_name(leads));
            END IF;
            FOREACH beside IN ARRAY ARRAY[tracked.counts, tracked.disqualifications] LOOP
                BEGIN
                    BEGIN
                        -- by the cast that the leads had: an explicit one would cut a text
                        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', beside, retyped.name, campaign_type);
                    EXCEPTION WHEN datatype_mismatch THEN
                        EXECUTE format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%4$s', beside, retyped.name, campaign_type,
                            format_type(campaign.atttypid, campaign.atttypmod));
                    END;
                EXCEPTION WHEN data_exception OR unique_violation THEN
                    RAISE EXCEPTION 'column "%" of table "%" cannot become %', retyped.name, beside, format_type(campaign.atttypid, campaign.atttypmod)
                        USING ERRCODE = SQLSTATE, DETAIL = SQLERRM || '.',
                              HINT = format('Run untrack_lead_phones(%L), and alter the tables by hand.', @extschema@.lead_phones_table_name(leads));
                END;
            END LOOP;
            is_rekeyed := true;
        END IF;
    END LOOP;
    PERFORM @extschema@.lead_phones_check_shape(leads);
    PERFORM @extschema@.lead_phones_check_region(tracked);
    -- of another type, a column can need another index; a backfill leaves them to its owner
    IF has_other_numbers AND (SELECT a.attnotnull FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = leads AND a.attname = tracked.phone_columns[1] || '_disqualified') THEN
        PERFORM @extschema@.lead_phones_create_indexes(tracked, m) FROM @extschema@.lead_phones_members(leads) AS m;
    END IF;
    -- The ledger must go on to mean the same leads: it was cast, and the leads computed.
    IF is_rekeyed AND is_read_anew THEN
        RAISE EXCEPTION 'campaigns and numbers of table "%" cannot be altered together', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Whether the campaigns are the same as before is seen by the numbers of their leads.',
                  HINT = format('Alter column %I in a statement of its own.', tracked.campaign_column);
    END IF;
    IF is_rekeyed AND EXISTS (SELECT FROM @extschema@.lead_phones_report_verify(leads, '{}'::jsonb)) THEN
        RAISE EXCEPTION 'campaigns of table "%" cannot be computed again', leads
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and disqualifications are of the campaigns as they were, and not of those that USING makes.',
                  HINT = format('Run untrack_lead_phones(%L), and alter the tables by hand.', @extschema@.lead_phones_table_name(leads));
    END IF;
    IF is_read_anew THEN
        PERFORM @extschema@.lead_phones_recount(leads, '{}'::jsonb);
    END IF;
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_alter(regclass, jsonb) IS
    'internal: follows what ALTER TABLE did to a tracked table, or refuses it';

CREATE FUNCTION @extschema@.lead_phones_recount(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
BEGIN
    PERFORM @extschema@.rebuild_phone_counts(leads);
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_recount(regclass, jsonb) IS
    'internal: counts the leads of a tracked table again, where DDL has changed them';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_after_ddl() RETURNS event_trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_follow_ddl_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_after_ddl() IS
    'event trigger: follows what DDL does to tracked tables and to those below them';

CREATE FUNCTION @extschema@.lead_phones_after_drop() RETURNS event_trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_after_drop_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_after_drop() IS
    'event trigger: refuses to drop what a tracked table needs, and recounts what lost a partition';

CREATE EVENT TRIGGER lead_phones_after_ddl ON ddl_command_end
    -- other words than TABLE do for a table too, where it is renamed
    WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'ALTER FOREIGN TABLE', 'CREATE FOREIGN TABLE', 'CREATE SCHEMA', 'ALTER SCHEMA',
                 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER INDEX', 'ALTER SEQUENCE', 'ALTER TYPE')
    EXECUTE FUNCTION @extschema@.lead_phones_after_ddl();
COMMENT ON EVENT TRIGGER lead_phones_after_ddl IS 'keeps tracked tables exact when they, or those below them, are altered';

CREATE EVENT TRIGGER lead_phones_before_drop ON ddl_command_start
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP DOMAIN', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE',
                 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP OPERATOR CLASS', 'DROP OPERATOR FAMILY', 'DROP COLLATION', 'DROP EXTENSION',
                 'DROP LANGUAGE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP ACCESS METHOD', 'ALTER TABLE')
    EXECUTE FUNCTION @extschema@.lead_phones_before_drop();
COMMENT ON EVENT TRIGGER lead_phones_before_drop IS 'keeps the counts of tracked tables exact when partitions are dropped, and watches what else goes';

CREATE EVENT TRIGGER lead_phones_after_drop ON sql_drop
    EXECUTE FUNCTION @extschema@.lead_phones_after_drop();
COMMENT ON EVENT TRIGGER lead_phones_after_drop IS 'keeps the counts and ledgers of tracked tables from being dropped';

-- Tables of users: new triggers, and what keeps those out who are. What a script of an extension creates is the extension's, and it replaces no
-- view but its own: so for a moment they are, and then not.
CREATE FUNCTION @extschema@.lead_phones_upgrade_lead_tables(schema name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owner constant name := (SELECT pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c WHERE c.oid = format('%I.leads', schema)::regclass);
    relation name;
    same text;
BEGIN
    PERFORM @extschema@.lead_phones_check_schema(schema, owner::regrole);
    PERFORM set_config('search_path', format('%I, pg_temp', schema), true);
    SELECT string_agg(k.ids, '; ') INTO same
      FROM (SELECT format('campaign %s: contacts %s', c.campaign_id, string_agg(c.contact_id::text, ', ' ORDER BY c.contact_id)) AS ids
              FROM contacts AS c WHERE c.email IS NOT NULL
             GROUP BY c.campaign_id, @extschema@.lead_phones_email_key(c.email)
            HAVING count(*) > 1 AND @extschema@.lead_phones_email_key(min(c.email)) IS NOT NULL LIMIT 5) AS k;
    IF same IS NOT NULL THEN
        RAISE EXCEPTION 'some contacts of schema "%" have one e-mail address in several spellings', schema
            USING ERRCODE = 'unique_violation', DETAIL = format('Such as %s.', same), HINT = 'Delete one of each, or correct its address; then run ALTER EXTENSION lead_phones UPDATE again.';
    END IF;
    -- Companies that are one now, by their names: the first stays.
    DROP INDEX contacts_email_idx, lead_disqualifications_domain_idx, accounts_domain_idx, accounts_name_without_domain_idx;
    UPDATE accounts AS a SET name = a.name WHERE a.name IS NOT NULL;
    CREATE TEMPORARY TABLE lead_phones_same ON COMMIT DROP AS
        SELECT a.campaign_id, a.account_id, k.first FROM accounts AS a
          JOIN (SELECT o.campaign_id, o.name_key, min(o.account_id) AS first FROM accounts AS o WHERE o.domain IS NULL AND o.name_key IS NOT NULL
                 GROUP BY o.campaign_id, o.name_key) AS k ON k.campaign_id = a.campaign_id AND k.name_key = a.name_key AND k.first <> a.account_id
         WHERE a.domain IS NULL;
    UPDATE contacts AS c SET account_id = s.first FROM pg_temp.lead_phones_same AS s WHERE s.campaign_id = c.campaign_id AND s.account_id = c.account_id;
    UPDATE lead_disqualifications AS d SET account_id = s.first FROM pg_temp.lead_phones_same AS s
     WHERE s.campaign_id = d.campaign_id AND s.account_id = d.account_id
       AND NOT EXISTS (SELECT FROM lead_disqualifications AS o WHERE o.campaign_id = s.campaign_id AND o.account_id = s.first AND o.source = d.source AND o.lifted_at IS NULL);
    DELETE FROM accounts AS a USING pg_temp.lead_phones_same AS s WHERE s.campaign_id = a.campaign_id AND s.account_id = a.account_id;
    DROP TABLE pg_temp.lead_phones_same;
    -- Numbers of all campaigns have a ledger of their own, for every tracked table.
    INSERT INTO phone_suppressions (source, reason, disqualified_by, disqualified_at, expires_at, lifted_by, lifted_at, lift_reason)
    SELECT DISTINCT d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason
      FROM lead_disqualifications AS d WHERE d.phone IS NOT NULL ORDER BY d.disqualified_at;
    INSERT INTO suppressed_phones (number, entry)
    SELECT substr(d.phone, 2)::bigint, p.entry FROM lead_disqualifications AS d
      JOIN phone_suppressions AS p ON (p.source, p.reason, p.disqualified_by, p.disqualified_at, p.expires_at, p.lifted_by, p.lifted_at, p.lift_reason)
           IS NOT DISTINCT FROM (d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason)
     WHERE d.phone IS NOT NULL;
    DELETE FROM lead_disqualifications AS d WHERE d.phone IS NOT NULL;
    DROP VIEW callable_leads, lead_reasons, lead_ledger;
    ALTER TABLE lead_disqualifications DROP COLUMN phone;
    ALTER TABLE lead_disqualifications ADD CONSTRAINT lead_disqualifications_one_subject CHECK (num_nonnulls(account_id, contact_id, domain) = 1),
        ADD CONSTRAINT lead_disqualifications_campaign CHECK (campaign_id IS NOT NULL OR domain IS NOT NULL);
    UPDATE accounts AS a SET domain = @extschema@.lead_phones_domain(a.domain)
     WHERE a.domain <> @extschema@.lead_phones_domain(a.domain)
       AND NOT EXISTS (SELECT FROM accounts AS o WHERE o.campaign_id = a.campaign_id AND o.domain = @extschema@.lead_phones_domain(a.domain));
    CREATE UNIQUE INDEX accounts_domain_idx ON accounts (campaign_id, domain) WHERE domain IS NOT NULL;
    CREATE UNIQUE INDEX accounts_name_without_domain_idx ON accounts (campaign_id, name_key) WHERE domain IS NULL;
    PERFORM @extschema@.lead_phones_create_rules();
    UPDATE lead_disqualifications AS d SET domain = @extschema@.lead_phones_domain(d.domain)
     WHERE d.lifted_at IS NULL AND d.domain <> @extschema@.lead_phones_domain(d.domain)
       AND NOT EXISTS (SELECT FROM lead_disqualifications AS o WHERE o.lifted_at IS NULL AND o.domain = @extschema@.lead_phones_domain(d.domain)
                          AND o.source = d.source AND o.campaign_id IS NOT DISTINCT FROM d.campaign_id);
    INSERT INTO lead_disqualification_subjects (entry, subject)
    SELECT d.entry, h.subject
      FROM lead_disqualifications AS d
     CROSS JOIN LATERAL (SELECT CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact'
                                     ELSE 'domain' END AS kind,
                                coalesce(d.account_id::text, d.contact_id::text, d.domain) AS subject) AS s
     CROSS JOIN LATERAL unnest(@extschema@.lead_phones_holds_for(s.kind, d.campaign_id, s.subject)) AS h (subject)
     WHERE d.lifted_at IS NULL;
    COMMENT ON TABLE lead_disqualifications IS 'ledger of disqualified accounts and contacts, and suppressed domains';
    COMMENT ON COLUMN accounts.name_key IS 'the name as it is compared: its letters and digits, in lower case';
    EXECUTE format('ALTER EXTENSION lead_phones DROP TABLE lead_disqualification_subjects; ALTER TABLE lead_disqualification_subjects OWNER TO %1$I;
                    ALTER EXTENSION lead_phones DROP TABLE suppression_syncs; ALTER EXTENSION lead_phones DROP SEQUENCE suppression_syncs_sync_seq;
                    ALTER TABLE suppression_syncs OWNER TO %1$I', owner);
    FOREACH relation IN ARRAY '{calls_call_id_seq,call_outcomes_outcome_seq,call_rules_rule_seq}'::name[] LOOP
        EXECUTE format('ALTER EXTENSION lead_phones DROP SEQUENCE %I', relation);
    END LOOP;
    FOREACH relation IN ARRAY '{dispositions,calls,call_outcomes,lead_claims,call_rules}'::name[] LOOP
        EXECUTE format('ALTER EXTENSION lead_phones DROP TABLE %1$I; ALTER TABLE %1$I OWNER TO %2$I', relation, owner);
    END LOOP;
    FOREACH relation IN ARRAY '{lead_ledger,callable_leads,lead_reasons,account_disqualifications,contact_disqualifications,call_refusals}'::name[] LOOP
        EXECUTE format('ALTER EXTENSION lead_phones DROP VIEW %1$I; ALTER VIEW %1$I OWNER TO %2$I', relation, owner);
    END LOOP;
END
$function$;

-- New triggers, and row security as the leads have it. What cannot be brought over is named, and stops no other.
DO $upgrade$
DECLARE
    tracked @extschema@.lead_phone_tables;
    schema name;
    beside regclass;
    renamed record;
    is_of_lead_tables boolean;
    granted record;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR tracked IN
        SELECT t.* FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS l ON l.oid = t.leads
          JOIN pg_catalog.pg_class AS c ON c.oid = t.counts AND c.relowner = l.relowner
         WHERE l.relkind IN ('r', 'p') AND l.relpersistence = 'p'
    LOOP
        BEGIN
            -- Counts were called always the same, and are now after the columns that they count. Nobody else may rename them.
            ALTER EVENT TRIGGER lead_phones_after_ddl DISABLE;
            FOR renamed IN
                SELECT tracked.phone_column AS of_column, tracked.phone_column || '_count' AS new_name, 1 AS place
                 UNION ALL SELECT tracked.mobile_column, tracked.mobile_column || '_count', 2
            LOOP
                -- by way of another name: one may be called as the other is to be
                IF renamed.place = 1 THEN
                    EXECUTE format('ALTER TABLE %s RENAME COLUMN phone_count TO "lead_phones 1"', tracked.counts);
                    EXECUTE format('ALTER TABLE %s RENAME COLUMN mobile_count TO "lead_phones 2"', tracked.counts);
                END IF;
                EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', tracked.counts, 'lead_phones ' || renamed.place, renamed.new_name);
                EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', tracked.counts, renamed.new_name, format('leads that have the number in column %I', renamed.of_column));
                -- from Postgres 18 on, that a column is NOT NULL is a constraint with a name
                EXECUTE coalesce((SELECT format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', tracked.counts, k.conname, r.relname || '_' || renamed.new_name || '_not_null')
                                    FROM pg_catalog.pg_constraint AS k
                                    JOIN pg_catalog.pg_class AS r ON r.oid = k.conrelid
                                    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attname = renamed.new_name AND k.conkey = ARRAY[a.attnum]
                                   WHERE r.oid = tracked.counts AND k.contype = 'n' AND k.conname <> r.relname || '_' || renamed.new_name || '_not_null'), 'SELECT');
                IF EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = tracked.leads
                              AND c.conname = CASE renamed.place WHEN 1 THEN 'lead_phones_phone_is_backfilled' ELSE 'lead_phones_mobile_is_backfilled' END) THEN
                    EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT lead_phones_%s_is_backfilled TO lead_phones_column_%s_is_backfilled', tracked.leads,
                        CASE renamed.place WHEN 1 THEN 'phone' ELSE 'mobile' END, renamed.place);
                END IF;
                EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', tracked.leads, renamed.of_column || '_disqualified', @extschema@.lead_phones_meaning(renamed.of_column, 'mark'));
            END LOOP;
            ALTER EVENT TRIGGER lead_phones_after_ddl ENABLE;
            EXECUTE format('COMMENT ON COLUMN %s.lead_count IS %L', tracked.counts, 'leads that have the number in any column');
            EXECUTE format('COMMENT ON COLUMN %s.source IS %L', tracked.disqualifications, 'who or what asks for it; entries of different sources are in force, and are lifted, on their own');
            EXECUTE format('COMMENT ON COLUMN %s.lifted_at IS %L', tracked.disqualifications, 'when the entry was lifted; NULL while it is in force');
            PERFORM @extschema@.lead_phones_note(tracked.counts, 'counts', tracked.leads), @extschema@.lead_phones_note(tracked.disqualifications, 'disqualifications', tracked.leads);
            is_of_lead_tables := @extschema@.lead_phones_beside(tracked.leads, 'lead_disqualifications') IS NOT NULL;
            IF is_of_lead_tables THEN
                tracked.keep_extensions := true;
                PERFORM @extschema@.lead_phones_add_columns(tracked, true);
            END IF;
            PERFORM @extschema@.lead_phones_set_settings(tracked.leads, jsonb_build_object('keep_extensions', is_of_lead_tables)),
                    @extschema@.lead_phones_create_suppressions(tracked.leads,
                        (SELECT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = tracked.counts),
                        'phone_suppressions', 'suppressed_phones');
            SELECT t.* INTO tracked FROM @extschema@.lead_phone_tables AS t WHERE t.leads = tracked.leads;
            FOREACH beside IN ARRAY ARRAY[tracked.suppressions, tracked.suppressed] LOOP
                EXECUTE format('ALTER EXTENSION lead_phones DROP TABLE %s', beside);
            END LOOP;
            EXECUTE format('ALTER EXTENSION lead_phones DROP SEQUENCE %s', pg_get_serial_sequence(tracked.suppressions::text, 'entry'));
            PERFORM @extschema@.lead_phones_follow_row_security(tracked);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'table "%" has the triggers of 0.2.0: %', tracked.leads, SQLERRM
                USING HINT = format('Run untrack_lead_phones(%L), then track_lead_phones(%L, ...).', tracked.leads, tracked.leads);
        END;
    END LOOP;
    FOR schema IN
        SELECT n.nspname FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid AND c.relname = 'leads'
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure AND c.relpersistence = 'p'
    LOOP
        -- An error leaves everything at 0.2.0.
        PERFORM @extschema@.lead_phones_upgrade_lead_tables(schema);
    END LOOP;
    FOR granted IN
        SELECT p.oid::regprocedure AS procedure, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
               CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS grantee,
               CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
          FROM pg_temp.lead_phones_grants AS g
          JOIN pg_catalog.pg_proc AS p ON p.proname = g.proname AND p.pronamespace = '@extschema@'::regnamespace AND p.proargtypes[0] IS NOT DISTINCT FROM g.first_type
         WHERE g.grantee <> 0
    LOOP
        EXECUTE format('GRANT EXECUTE ON %s %s TO %s%s', granted.kind, granted.procedure, granted.grantee, granted.option);
    END LOOP;
END
$upgrade$;
DROP FUNCTION @extschema@.lead_phones_upgrade_lead_tables(name);
DROP TABLE pg_temp.lead_phones_grants;
REVOKE ALL ON FUNCTION @extschema@.lead_phone_metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.lead_phone_metrics() TO pg_monitor;
