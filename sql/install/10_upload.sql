-- Uploads: a staging table becomes leads, contacts and accounts at once, and leaves a receipt. Runs with the rights of the caller.

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
        "country": ["country", "countrycode", "region"],
        "row_number": ["rownumber", "rownum", "line", "linenumber"]}';
    field text;
    column_name text;
    columns text[];
    candidates text[];
    mapping jsonb := '{}';
BEGIN
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
            format('nullif(btrim(t.%I::text), '''')', mapping ->> 'first_name'),
            CASE WHEN mapping ? 'last_name' THEN format('nullif(btrim(t.%I::text), '''')', mapping ->> 'last_name') END))
        ELSE 'NULL::text' END;
    IF NOT mapping ? 'name' AND mapping ? 'last_name' AND NOT mapping ? 'first_name' THEN
        name := format('t.%I::text', mapping ->> 'last_name');
    END IF;
    -- A function takes 100 arguments at most.
    SELECT string_agg(format('jsonb_build_object(%s)', c.pairs), ' || ' ORDER BY c.part) INTO custom
      FROM (SELECT o.place / 40 AS part, string_agg(format('%L, t.%I', o.attname, o.attname), ', ' ORDER BY o.place) AS pairs
              FROM (SELECT a.attname, row_number() OVER (ORDER BY a.attnum) - 1 AS place FROM pg_catalog.pg_attribute AS a
                     WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
                       AND NOT EXISTS (SELECT FROM jsonb_each_text(mapping) AS m WHERE m.value = a.attname AND m.key <> 'country')) AS o
             GROUP BY o.place / 40) AS c;
    RETURN format('(SELECT %s AS place, %s, %s AS name, %s AS custom FROM %s AS t)', place,
        (SELECT string_agg(CASE WHEN mapping ? f THEN format('t.%I::text AS %I', mapping ->> f, f) ELSE format('NULL::text AS %I', f) END, ', ')
           FROM unnest('{email,title,company,website,phone,mobile,country}'::text[]) AS f),
        name, coalesce('jsonb_strip_nulls(' || custom || ')', '''{}''::jsonb'), source);
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
        PERFORM set_config('application_name', left(message, 63), true);
        RAISE NOTICE '%', message;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_upload_progress(bigint, text) IS
    'internal: says what an upload is at, in a NOTICE and in pg_stat_activity.application_name';

CREATE FUNCTION @extschema@.lead_phones_out_on_arrival(schema name) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- By anything that stands against the person, or against each of the numbers of the row.
    SELECT format($query$(
        EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.campaign_id = $1 AND d.contact_id = p.contact_id AND %2$s)
        OR EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.campaign_id = $1 AND d.account_id = p.account_id AND %2$s)
        OR EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.domain = @extschema@.lead_phones_domain(s.email)
                      AND coalesce(d.campaign_id, $1) = $1 AND %2$s)
        OR EXISTS (SELECT FROM %1$I.lead_disqualifications AS d JOIN %1$I.accounts AS a ON a.domain = d.domain
                    WHERE a.campaign_id = $1 AND a.account_id = p.account_id AND coalesce(d.campaign_id, $1) = $1 AND %2$s)
        OR (%3$s) AND (%4$s))$query$,
        schema, standing,
        format(number_out, schema, 'phone', standing), format(number_out, schema, 'mobile', standing))
      FROM (VALUES (@extschema@.lead_phones_standing(),
                    $query$n.%2$s IS NULL
                      OR EXISTS (SELECT FROM %1$I.campaign_phone_disqualifications AS d WHERE d.campaign_id = $1 AND d.phone = n.%2$s AND %3$s)
                      OR EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.phone = n.%2$s AND %3$s)$query$)) AS q (standing, number_out)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_out_on_arrival(name) IS
    'internal: SQL of whether an uploaded row may not be called';

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
    schema name := @extschema@.lead_phones_model(leads);
    mapping jsonb;
    missed bigint;
    violated text;
    is_known boolean;
    repeats boolean;
    update_of_contact constant record := @extschema@.lead_phones_update_of_contact('excluded');
    with_account constant text := '(SELECT s.*, p.account_id FROM pg_temp.lead_phones_staged AS s
                                      JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place AND p.outcome <> ''refused'')';
    started_at timestamptz := clock_timestamp();
    parallel_workers constant text := current_setting('max_parallel_workers_per_gather');
    synchronized constant text := current_setting('synchronize_seqscans');
BEGIN
    IF campaign IS NULL OR source IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN campaign IS NULL THEN 'campaign' ELSE 'source' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the campaign and the staging table, as in CALL upload_leads(42, ''staging'').';
    END IF;
    PERFORM @extschema@.lead_phones_known_campaign(schema, campaign, 'no_data_found');
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = source) THEN
        RAISE EXCEPTION 'table with OID % does not exist', source::oid
            USING ERRCODE = 'undefined_table', HINT = 'Name the staging table, as in CALL upload_leads(42, ''staging'').';
    END IF;
    mapping := @extschema@.lead_phones_staging_columns(source, columns);
    -- Uploads of one campaign wait for each other; those of others do not.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones upload %I %s', schema, campaign), 0));
    EXECUTE format('INSERT INTO %I.lead_uploads (campaign_id, file_name, uploaded_by, started_at, columns) VALUES ($1, $2, $3, $4, $5)
                    RETURNING upload_id', schema)
       INTO upload_id USING campaign, file_name, @extschema@.lead_phones_caller(), started_at, mapping;

    -- Left by an earlier upload of the transaction. At the end of this one they stay: DROP would have the counts written at once, and
    -- their rows locked until the commit.
    IF (to_regclass('pg_temp.lead_phones_staged') IS NULL) <> (to_regclass('pg_temp.lead_phones_placed') IS NULL) THEN
        RAISE EXCEPTION 'a temporary table has the name of one that an upload needs'
            USING ERRCODE = 'duplicate_table', DETAIL = 'They are lead_phones_staged and lead_phones_placed.', HINT = 'Rename it, or drop it.';
    END IF;
    IF to_regclass('pg_temp.lead_phones_staged') IS NOT NULL THEN
        DROP TABLE pg_temp.lead_phones_staged, pg_temp.lead_phones_placed;
    END IF;
    -- Rows are numbered as a scan by one process from the table's start finds them: in the order in which they were copied.
    PERFORM set_config('max_parallel_workers_per_gather', '0', true), set_config('synchronize_seqscans', 'off', true);
    EXECUTE format('CREATE TEMPORARY TABLE lead_phones_staged ON COMMIT DROP AS SELECT s.* FROM %s AS s',
                @extschema@.lead_phones_cleaned(schema, @extschema@.lead_phones_staged(source, mapping), campaign::text));
    GET DIAGNOSTICS rows_in_file = ROW_COUNT;
    PERFORM set_config('max_parallel_workers_per_gather', parallel_workers, true), set_config('synchronize_seqscans', synchronized, true);
    ANALYZE pg_temp.lead_phones_staged;
    SELECT count(*) INTO missed FROM pg_temp.lead_phones_staged AS s WHERE s.place IS NULL;
    IF missed > 0 OR mapping ? 'row_number' AND EXISTS (
            SELECT FROM pg_temp.lead_phones_staged AS s GROUP BY s.place HAVING count(*) > 1) THEN
        RAISE EXCEPTION 'column "%" of table "%" does not number its rows', mapping ->> 'row_number', source
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Some rows have none, or the same number.',
                  HINT = 'Number each row, or drop the column: rows are numbered in the order in which they were copied.';
    END IF;
    -- Somebody may insert the same people, name the same companies or delete a contact at the same time: then again, from what is there.
    FOR attempt IN 1 .. 10 LOOP
        BEGIN
            PERFORM @extschema@.lead_phones_upload_progress(rows_in_file, 'accounts');
            PERFORM @extschema@.lead_phones_split_accounts(schema, campaign, 'pg_temp.lead_phones_staged', NULL);

            -- Where each row goes. A person who is new gets his number here.
            PERFORM @extschema@.lead_phones_upload_progress(rows_in_file, 'people');
            EXECUTE format($ddl$
                CREATE TEMPORARY TABLE lead_phones_placed ON COMMIT DROP AS
                SELECT p.place, p.account_id, p.outcome, coalesce(p.known_id, CASE WHEN p.outcome = 'created' THEN
                           nextval(%4$s) END) AS contact_id
                  FROM (SELECT s.place, s.account_id, c.contact_id AS known_id, CASE
                            WHEN num_nonnulls(s.raw_email, s.name, s.raw_phone, s.raw_mobile, s.company) = 0 THEN 'refused'
                            WHEN s.email_key IS NULL THEN 'created'
                            WHEN d.first_place < s.place THEN 'duplicate'
                            WHEN c.contact_id IS NOT NULL THEN 'updated'
                            ELSE 'created' END AS outcome
                          FROM %2$s AS s
                          LEFT JOIN %1$I.contacts AS c ON c.campaign_id = %3$s AND lower(c.email) = s.email_key
                          LEFT JOIN (SELECT o.email_key, min(o.place) AS first_place FROM pg_temp.lead_phones_staged AS o
                                      WHERE o.email_key IS NOT NULL GROUP BY o.email_key HAVING count(*) > 1) AS d ON d.email_key = s.email_key
                         ORDER BY s.place) AS p$ddl$,
                schema, @extschema@.lead_phones_with_account(schema, 'pg_temp.lead_phones_staged', campaign::text), campaign,
                pg_get_serial_sequence(format('%I.contacts', schema), 'contact_id')::regclass::oid);
            ANALYZE pg_temp.lead_phones_placed;
            SELECT count(*) FILTER (WHERE p.outcome = 'updated') > 0, count(*) FILTER (WHERE p.outcome = 'duplicate') > 0 INTO is_known, repeats
              FROM pg_temp.lead_phones_placed AS p;
            -- People who are all new are inserted plainly: ON CONFLICT costs a look-up more in each index. In the order of the addresses, in which
            -- everybody inserts and updates people.
            IF NOT is_known THEN
                BEGIN
                    EXECUTE format($dml$
                        INSERT INTO %1$I.contacts (campaign_id, contact_id, account_id, email, name, title, phone, mobile, region)
                        SELECT $1, p.contact_id, p.account_id, s.email, s.name, s.title, s.phone, s.mobile, s.region
                          FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
                         WHERE p.outcome = 'created' ORDER BY s.email_key$dml$, schema) USING campaign;
                EXCEPTION WHEN unique_violation THEN
                    -- Somebody has inserted one of them meanwhile.
                    is_known := true;
                END;
            END IF;
            IF is_known THEN
                EXECUTE format($dml$
                    INSERT INTO %1$I.contacts AS c (campaign_id, contact_id, account_id, email, name, title, phone, mobile, region)
                    SELECT $1, i.contact_id, excluded.account_id, excluded.email, excluded.name, excluded.title, excluded.phone, excluded.mobile,
                           excluded.region
                      FROM (%2$s) AS excluded
                      JOIN (SELECT s.email_key, max(p.contact_id) AS contact_id FROM pg_temp.lead_phones_staged AS s
                              JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place GROUP BY s.email_key) AS i ON i.email_key = excluded.email_key
                      LEFT JOIN %1$I.contacts AS c ON c.campaign_id = $1 AND lower(c.email) = excluded.email_key
                     -- those of whom nothing new is said are left alone
                     WHERE c.contact_id IS NULL OR %4$s
                     ORDER BY excluded.email_key
                    ON CONFLICT (campaign_id, lower(email)) DO UPDATE SET %3$s WHERE %4$s$dml$,
                    schema, @extschema@.lead_phones_merged(with_account), update_of_contact.assignments, update_of_contact.differs) USING campaign;
                EXECUTE format($dml$
                    INSERT INTO %1$I.contacts (campaign_id, contact_id, account_id, name, title, phone, mobile, region)
                    SELECT $1, p.contact_id, p.account_id, s.name, s.title, s.phone, s.mobile, s.region
                      FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
                     WHERE p.outcome = 'created' AND s.email_key IS NULL$dml$, schema) USING campaign;
            ELSIF repeats THEN
                EXECUTE format('UPDATE %1$I.contacts AS c SET %3$s
                                  FROM (%2$s) AS excluded WHERE c.campaign_id = $1 AND lower(c.email) = excluded.email_key AND %4$s', schema,
                    @extschema@.lead_phones_merged(format('(SELECT s.* FROM %s AS s WHERE s.email_key IN (
                        SELECT r.email_key FROM pg_temp.lead_phones_staged AS r GROUP BY r.email_key HAVING count(*) > 1))', with_account)),
                    update_of_contact.assignments, update_of_contact.differs) USING campaign;
            END IF;
            IF is_known OR repeats THEN
                EXECUTE format($dml$
                    UPDATE pg_temp.lead_phones_placed AS p
                       SET contact_id = c.contact_id, outcome = CASE p.outcome WHEN 'created' THEN 'updated' ELSE p.outcome END
                      FROM pg_temp.lead_phones_staged AS s JOIN %1$I.contacts AS c ON c.campaign_id = $1 AND lower(c.email) = s.email_key
                     WHERE p.place = s.place AND p.outcome <> 'refused' AND p.contact_id IS DISTINCT FROM c.contact_id$dml$, schema) USING campaign;
            END IF;
            SELECT count(*) FILTER (WHERE p.outcome = 'created'), count(*) FILTER (WHERE p.outcome = 'updated'),
                   count(*) FILTER (WHERE p.outcome = 'duplicate'), count(*) FILTER (WHERE p.outcome = 'refused')
              INTO created, updated, duplicates_in_file, refused
              FROM pg_temp.lead_phones_placed AS p;

            PERFORM @extschema@.lead_phones_upload_progress(rows_in_file, 'leads');
            EXECUTE format($dml$
                INSERT INTO %1$I.leads (campaign_id, contact_id, upload_id, row_number, email, name, title, company, website, phone, mobile, custom)
                SELECT $1, p.contact_id, $2, s.place, s.raw_email, s.name, s.title, s.company, s.website, s.raw_phone, s.raw_mobile, s.custom
                  FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
                 WHERE p.outcome <> 'refused' ORDER BY s.place$dml$, schema) USING campaign, upload_id;
            EXIT;
        EXCEPTION WHEN deadlock_detected OR unique_violation OR foreign_key_violation THEN
            GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
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

    EXECUTE format($dml$
        INSERT INTO %1$I.lead_upload_problems (campaign_id, upload_id, row_number, column_name, raw_value, reason)
        SELECT $1, $2, s.place, v.name, v.raw, v.reason
          FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
         CROSS JOIN LATERAL (
            SELECT 'phone' AS name, s.raw_phone AS raw, @extschema@.phone_problem(s.raw_phone, s.region) AS reason
             UNION ALL SELECT 'mobile', s.raw_mobile, @extschema@.phone_problem(s.raw_mobile, s.region)
             UNION ALL SELECT 'email', s.raw_email, CASE WHEN s.email IS NULL AND s.raw_email IS NOT NULL THEN 'invalid_email'
                                                         WHEN p.outcome = 'duplicate' THEN 'duplicate_in_file' END
             UNION ALL SELECT '', (s.custom || jsonb_strip_nulls(jsonb_build_object('title', s.title, 'website', s.website)))::text, CASE WHEN p.outcome = 'refused' THEN 'empty_row' END) AS v
         WHERE v.reason IS NOT NULL
           AND (s.raw_phone IS NOT NULL AND s.valid_phone IS NULL OR s.raw_mobile IS NOT NULL AND s.valid_mobile IS NULL
                OR s.raw_email IS NOT NULL AND s.email IS NULL OR p.outcome IN ('duplicate', 'refused'))
         ORDER BY s.place, v.name$dml$, schema) USING campaign, upload_id;
    EXECUTE format('SELECT count(*) FILTER (WHERE p.column_name = ''phone''), count(*) FILTER (WHERE p.column_name = ''mobile'')
                      FROM %I.lead_upload_problems AS p WHERE p.campaign_id = $1 AND p.upload_id = $2', schema)
       INTO invalid_phone, invalid_mobile USING campaign, upload_id;
    EXECUTE format($query$
        SELECT count(*) FILTER (WHERE n.phone IS NULL AND n.mobile IS NULL),
               count(*) FILTER (WHERE (n.phone IS NOT NULL OR n.mobile IS NOT NULL) AND %2$s)
          FROM pg_temp.lead_phones_staged AS s
          JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
         CROSS JOIN LATERAL (SELECT s.valid_phone AS phone, s.valid_mobile AS mobile) AS n
         WHERE p.outcome <> 'refused'$query$, schema,
        @extschema@.lead_phones_out_on_arrival(schema))
       INTO without_valid_number, disqualified_on_arrival USING campaign;
    EXECUTE format('UPDATE %I.lead_uploads AS u SET finished_at = clock_timestamp(), rows_in_file = $3, created = $4, updated = $5,
                           duplicates_in_file = $6, refused = $7, invalid_phone = $8, invalid_mobile = $9, without_valid_number = $10,
                           disqualified_on_arrival = $11
                     WHERE u.campaign_id = $1 AND u.upload_id = $2', schema)
      USING campaign, upload_id, rows_in_file, created, updated, duplicates_in_file, refused, invalid_phone, invalid_mobile,
            without_valid_number, disqualified_on_arrival;
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.upload_leads(bigint, regclass, text, jsonb, regclass, bigint, bigint, bigint, bigint, bigint, bigint,
    bigint, bigint, bigint, bigint) IS
    'uploads the rows of a staging table into a campaign, and returns a receipt';
