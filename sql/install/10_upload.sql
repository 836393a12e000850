-- Uploads: a staging table becomes leads, contacts and accounts at once, and leaves a receipt.
--
-- The staging table is read with the rights of the caller. What follows runs as the owner of the lead tables (src/lead_tables.rs), which it
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
             WHERE NOT EXISTS (SELECT FROM jsonb_each_text(coalesce(named, '{}')) AS e WHERE e.value = c.name)) AS c
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
                  DETAIL = format('Its columns are %s.', coalesce(array_to_string(columns, ', '), 'none')),
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
                  HINT = 'Create the staging table with columns of type text.';
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
        (SELECT string_agg(CASE WHEN mapping ? f THEN format('t.%I::text AS %I', mapping ->> f, f) ELSE format('NULL::text AS %I', f) END, ', ')
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

CREATE FUNCTION @extschema@.lead_phones_upload_progress(total bigint, doing text) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    message text := format('lead_phones: %s of %s rows', doing, total);
BEGIN
    -- What takes no time needs no telling. The name that the session had comes back with the end of the transaction.
    IF total >= 50000 THEN
        -- Citus tells its own sessions by their name.
        IF current_setting('application_name') NOT LIKE 'citus%' THEN
            PERFORM set_config('application_name', left(message, 63), true);
        END IF;
        RAISE NOTICE '%', message;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_upload_progress(bigint, text) IS
    'internal: says what an upload is at, in a NOTICE and in pg_stat_activity.application_name';

CREATE FUNCTION @extschema@.lead_phones_open_upload(arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- Left by an earlier upload of the transaction. At the end of this one they stay: DROP would have the counts written at once, and
    -- their rows locked until the commit.
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = pg_my_temp_schema() AND c.relname IN ('lead_phones_uploaded', 'lead_phones_staged', 'lead_phones_placed')
                  AND (c.relowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user)
                       -- that of an upload stands beside the others
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
    -- What hangs on these tables runs as the owner of the lead tables: they are those that he has just created, and nobody else can alter.
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
    -- Where each row goes. A person who is new gets his number here, in the order of the file.
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

CREATE PROCEDURE @extschema@.upload_leads(
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
