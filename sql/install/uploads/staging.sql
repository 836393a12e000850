-- Uploads: a staging table becomes leads, contacts and accounts at once, and leaves a receipt. Here: its columns, and SQL that reads them.
--
-- The staging table is read with the rights of the caller. What follows runs as the owner of the lead tables (src/actions/lead_tables.rs), which it
-- names as they are called, and needs no more of the caller than INSERT on leads.

CREATE FUNCTION @extschema@.lead_phones_staging_columns(source regclass, named jsonb) RETURNS jsonb
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
COMMENT ON FUNCTION @extschema@.lead_phones_staging_columns(regclass, jsonb) IS
    'internal: which column of a staging table is taken for which field of a lead';

CREATE FUNCTION @extschema@.lead_phones_staged(source regclass, mapping jsonb) RETURNS text
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
COMMENT ON FUNCTION @extschema@.lead_phones_staged(regclass, jsonb) IS
    'internal: SQL of the rows of a staging table, by fields of a lead';
