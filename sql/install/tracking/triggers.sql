-- The triggers of a tracked table, and the view of all tracked tables.

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
COMMENT ON COLUMN @extschema@.lead_phone_tables.suppressions IS 'its phone_suppressions: what was said of numbers that are disqualified in every campaign';
COMMENT ON COLUMN @extschema@.lead_phone_tables.suppressed IS 'its suppressed_phones: the numbers that are disqualified in every campaign';
