-- Arguments of the procedures below, and lists in tables.

CREATE FUNCTION @extschema@.lead_phones_call_suppression(leads regclass, action text, arguments jsonb) RETURNS jsonb
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
COMMENT ON FUNCTION @extschema@.lead_phones_call_suppression(regclass, text, jsonb) IS
    'internal: checks the arguments of a procedure of lead tables and runs it';

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

CREATE FUNCTION @extschema@.lead_phones_values(list regclass, column_name name) RETURNS text[]
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
COMMENT ON FUNCTION @extschema@.lead_phones_values(regclass, name) IS
    'internal: what a column of a list says, with the rights of the caller';
