-- From 0.1.0: metrics for monitoring, and rules of lead tables that stood in several places and now stand in one.
\echo Use "ALTER EXTENSION lead_phones UPDATE" to load this file. \quit

CREATE FUNCTION @extschema@.lead_phones_standing() RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- An entry stands until it is lifted, or past its time; the marks of contacts follow when they are brought in line.
    SELECT 'd.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())'
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_standing() IS
    'internal: SQL of whether an entry "d" of a ledger stands';

CREATE FUNCTION @extschema@.lead_phones_known_campaign(schema name, campaign bigint, otherwise text) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    known boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.campaigns AS c WHERE c.campaign_id = $1)', schema) INTO known USING campaign;
    IF NOT known THEN
        RAISE EXCEPTION 'campaign % does not exist', campaign
            USING ERRCODE = otherwise, DETAIL = format('Table "%I.campaigns" has no such campaign_id.', schema),
                  HINT = 'Insert the campaign before its leads.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_campaign(name, bigint, text) IS
    'internal: raises an error by a name of its SQLSTATE unless the campaign exists';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_create_views(schema name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    standing constant text := @extschema@.lead_phones_standing();
BEGIN
    EXECUTE format($ddl$
        CREATE VIEW %1$I.lead_ledger AS
        SELECT 'phone'::text AS kind, d.campaign_id, d.phone::text AS subject, d.source, d.reason, d.disqualified_by, d.disqualified_at,
               d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, %2$s AS stands
          FROM %1$I.campaign_phone_disqualifications AS d
         UNION ALL
        SELECT CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact'
                    WHEN d.domain IS NOT NULL THEN 'domain' ELSE 'phone' END,
               d.campaign_id, coalesce(d.account_id::text, d.contact_id::text, d.domain, d.phone::text), d.source, d.reason,
               d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, %2$s
          FROM %1$I.lead_disqualifications AS d
        $ddl$, schema, standing);

    EXECUTE format($ddl$
        CREATE VIEW %1$I.callable_leads AS
        SELECT l.campaign_id, l.lead_id, l.contact_id, c.account_id, l.upload_id, c.email, c.name, c.title, n.phone, n.mobile
          FROM %1$I.leads AS l
          JOIN %1$I.contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
         CROSS JOIN LATERAL (
            SELECT @extschema@.try_normalize_phone(c.phone, c.region) AS phone,
                   @extschema@.try_normalize_phone(c.mobile, c.region) AS mobile) AS v
         CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT (c.phone_disqualified AND EXISTS (
                                SELECT FROM %1$I.campaign_phone_disqualifications AS d
                                 WHERE d.campaign_id = c.campaign_id AND d.phone = v.phone AND %2$s))
                         AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.phone = v.phone AND %2$s)
                        THEN v.phone END AS phone,
                   CASE WHEN NOT (c.mobile_disqualified AND EXISTS (
                                SELECT FROM %1$I.campaign_phone_disqualifications AS d
                                 WHERE d.campaign_id = c.campaign_id AND d.phone = v.mobile AND %2$s))
                         AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.phone = v.mobile AND %2$s)
                        THEN v.mobile END AS mobile) AS n
         WHERE (n.phone IS NOT NULL OR n.mobile IS NOT NULL)
           AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.account_id = c.account_id AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d
                            WHERE d.domain = @extschema@.lead_phones_domain(c.email)
                              AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.accounts AS a JOIN %1$I.lead_disqualifications AS d ON d.domain = a.domain
                            WHERE a.campaign_id = c.campaign_id AND a.account_id = c.account_id
                              AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.leads AS earlier
                            WHERE earlier.campaign_id = l.campaign_id AND earlier.contact_id = l.contact_id
                              AND earlier.lead_id < l.lead_id)
        $ddl$, schema, standing);

    -- "leads" of a call are those of this schema: what lifts an entry is to be pasted.
    EXECUTE format($ddl$
        CREATE VIEW %1$I.lead_reasons AS
        WITH people AS NOT MATERIALIZED (
            SELECT l.lead_id, l.campaign_id, l.contact_id, c.account_id, a.domain AS account_domain,
                   @extschema@.lead_phones_domain(c.email) AS email_domain,
                   @extschema@.try_normalize_phone(c.phone, c.region) AS phone,
                   @extschema@.try_normalize_phone(c.mobile, c.region) AS mobile
              FROM %1$I.leads AS l
              JOIN %1$I.contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
              LEFT JOIN %1$I.accounts AS a ON a.campaign_id = c.campaign_id AND a.account_id = c.account_id)
        SELECT p.lead_id, p.campaign_id, n.number AS blocks, 'phone'::text AS kind, d.phone::text AS subject, d.source, d.reason,
               d.disqualified_by, d.disqualified_at, d.expires_at,
               format('CALL @extschema@.requalify_phone(%%s, %%L, source => %%L, leads => %%L)', p.campaign_id, d.phone, d.source, %3$L) AS lift
          FROM people AS p
         CROSS JOIN LATERAL (VALUES ('phone', p.phone), ('mobile', p.mobile)) AS n (number, value)
          JOIN %1$I.campaign_phone_disqualifications AS d ON d.campaign_id = p.campaign_id AND d.phone = n.value AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, n.number, 'phone', d.phone, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
               format('CALL @extschema@.unsuppress_phones(ARRAY[%%L], source => %%L, leads => %%L)', d.phone, d.source, %3$L)
          FROM people AS p
         CROSS JOIN LATERAL (VALUES ('phone', p.phone), ('mobile', p.mobile)) AS n (number, value)
          JOIN %1$I.lead_disqualifications AS d ON d.phone = n.value AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'contact', d.contact_id::text, d.source, d.reason, d.disqualified_by, d.disqualified_at,
               d.expires_at, format('CALL @extschema@.requalify_contact(%%s, %%s, source => %%L, leads => %%L)', d.campaign_id, d.contact_id, d.source, %3$L)
          FROM people AS p JOIN %1$I.lead_disqualifications AS d ON d.campaign_id = p.campaign_id AND d.contact_id = p.contact_id AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'account', d.account_id::text, d.source, d.reason, d.disqualified_by, d.disqualified_at,
               d.expires_at, format('CALL @extschema@.requalify_account(%%s, %%s, source => %%L, leads => %%L)', d.campaign_id, d.account_id, d.source, %3$L)
          FROM people AS p JOIN %1$I.lead_disqualifications AS d ON d.campaign_id = p.campaign_id AND d.account_id = p.account_id AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'domain', d.domain, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
               format('CALL @extschema@.unsuppress_domains(ARRAY[%%L]%%s, source => %%L, leads => %%L)', d.domain,
                   coalesce(', campaign => ' || d.campaign_id, ''), d.source, %3$L)
          FROM people AS p
         CROSS JOIN LATERAL (SELECT p.email_domain UNION SELECT p.account_domain) AS o (domain)
          JOIN %1$I.lead_disqualifications AS d ON d.domain = o.domain
               AND (d.campaign_id IS NULL OR d.campaign_id = p.campaign_id) AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'number', NULL, NULL, 'there is no valid number', NULL, NULL, NULL,
               format('UPDATE %%s SET phone = ... WHERE campaign_id = %%s AND contact_id = %%s', %4$L, p.campaign_id, p.contact_id)
          FROM people AS p WHERE p.phone IS NULL AND p.mobile IS NULL
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'repeat', e.lead_id::text, NULL, 'the same person is called by an earlier lead',
               NULL, NULL, NULL, NULL
          FROM people AS p
         CROSS JOIN LATERAL (SELECT e.lead_id FROM %1$I.leads AS e
                              WHERE e.campaign_id = p.campaign_id AND e.contact_id = p.contact_id AND e.lead_id < p.lead_id
                              ORDER BY e.lead_id LIMIT 1) AS e
         UNION ALL
        SELECT l.lead_id, l.campaign_id, 'lead', 'contact', NULL, NULL, 'it was written while triggers were disabled, and has no contact',
               NULL, NULL, NULL,
               format('SELECT @extschema@.lead_phones_split_leads(%%L, ARRAY[%%s], ARRAY[%%s])', %3$L, l.campaign_id, l.lead_id)
          FROM %1$I.leads AS l WHERE l.contact_id IS NULL
        $ddl$, schema, standing, format('%I.leads', schema), format('%I.contacts', schema));
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_split_leads(leads regclass, campaigns bigint[], ids bigint[]) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name := @extschema@.lead_phones_model(leads);
    inserted constant text := @extschema@.lead_phones_cleaned(schema, format('(
        SELECT l.lead_id AS place, l.email, l.name, l.title, l.company, l.website, l.phone, l.mobile, NULL::text AS country, NULL::jsonb AS custom
          FROM %I.leads AS l WHERE l.campaign_id = $1 AND l.lead_id = ANY ($2) AND l.contact_id IS NULL)', schema), '$1');
    source text;
    with_account text;
    update_of_contact record := @extschema@.lead_phones_update_of_contact('EXCLUDED');
    campaign bigint;
    rows jsonb;
BEGIN
    FOR campaign IN SELECT DISTINCT c FROM unnest(campaigns) AS c ORDER BY c LOOP
        PERFORM @extschema@.lead_phones_known_campaign(schema, campaign, 'foreign_key_violation');
        EXECUTE format('SELECT jsonb_agg(to_jsonb(s)) FROM %s AS s', inserted) INTO rows USING campaign, ids;
        CONTINUE WHEN rows IS NULL;
        -- Read once, whatever asks for it. The limit tells the planner how few they are.
        source := format('(SELECT r.* FROM jsonb_to_recordset($2) AS r (place bigint, email text COLLATE "C", email_key text COLLATE "C", name text,
            title text, company text, name_key text, domain text, region text, phone text, mobile text) LIMIT %s)', jsonb_array_length(rows));
        with_account := @extschema@.lead_phones_with_account(schema, source, '$1');
        IF jsonb_path_exists(rows, '$[*] ? (@.domain != null || @.name_key != null)') THEN
            PERFORM @extschema@.lead_phones_split_accounts(schema, campaign, source, rows);
        END IF;
        IF jsonb_path_exists(rows, '$[*] ? (@.email_key != null)') THEN
            EXECUTE format($dml$
                INSERT INTO %1$I.contacts AS c (campaign_id, account_id, email, name, title, phone, mobile, region)
                SELECT $1, m.account_id, m.email, m.name, m.title, m.phone, m.mobile, m.region FROM (%2$s) AS m ORDER BY m.email_key
                ON CONFLICT (campaign_id, lower(email)) DO UPDATE SET %3$s WHERE %4$s$dml$,
                schema, @extschema@.lead_phones_merged(with_account), update_of_contact.assignments, update_of_contact.differs)
              USING campaign, rows;
            EXECUTE format($dml$
                UPDATE %1$I.leads AS l SET contact_id = c.contact_id
                  FROM %2$s AS s JOIN %1$I.contacts AS c ON c.campaign_id = $1 AND lower(c.email) = s.email_key
                 WHERE l.campaign_id = $1 AND l.lead_id = s.place AND l.lead_id = ANY ($3)$dml$, schema, source) USING campaign, rows, ids;
        END IF;
        -- Without an e-mail address, each is a person of his own.
        IF jsonb_path_exists(rows, '$[*] ? (@.email_key == null)') THEN
            EXECUTE format($dml$
                WITH alone AS MATERIALIZED (
                    SELECT s.*, nextval(%3$s) AS contact_id FROM %2$s AS s WHERE s.email_key IS NULL),
                added AS (
                    INSERT INTO %1$I.contacts (campaign_id, contact_id, account_id, name, title, phone, mobile, region)
                    SELECT $1, a.contact_id, a.account_id, a.name, a.title, a.phone, a.mobile, a.region FROM alone AS a)
                UPDATE %1$I.leads AS l SET contact_id = a.contact_id FROM alone AS a
                 WHERE l.campaign_id = $1 AND l.lead_id = a.place$dml$,
                schema, with_account, pg_get_serial_sequence(format('%I.contacts', schema), 'contact_id')::regclass::oid) USING campaign, rows;
        END IF;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_out_on_arrival(schema name) RETURNS text
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

CREATE OR REPLACE PROCEDURE @extschema@.upload_leads(
    campaign bigint,
    source regclass,
    file_name text DEFAULT NULL,
    columns jsonb DEFAULT NULL,
    leads regclass DEFAULT NULL,
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
    insert_contacts text;
    update_of_contact record := @extschema@.lead_phones_update_of_contact('m');
    started_at timestamptz := clock_timestamp();
    parallel_workers constant text := current_setting('max_parallel_workers_per_gather');
    synchronized constant text := current_setting('synchronize_seqscans');
BEGIN
    IF campaign IS NULL OR source IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN campaign IS NULL THEN 'campaign' ELSE 'source' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the campaign and the staging table, as in CALL upload_leads(42, ''staging'').';
    END IF;
    PERFORM @extschema@.lead_phones_known_campaign(schema, campaign, 'no_data_found');
    mapping := @extschema@.lead_phones_staging_columns(source, columns);
    -- Uploads of one campaign wait for each other; those of others do not.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('lead_phones upload %I %s', schema, campaign), 0));
    EXECUTE format('INSERT INTO %I.lead_uploads (campaign_id, file_name, uploaded_by, started_at, columns) VALUES ($1, $2, $3, $4, $5)
                    RETURNING upload_id', schema)
       INTO upload_id USING campaign, file_name, @extschema@.lead_phones_caller(), started_at, mapping;

    -- Left by an earlier upload of the transaction. At the end of this one they stay: DROP would have the counts written at once, and
    -- their rows locked until the commit.
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
    -- In the order of one of the indexes; and without ON CONFLICT, which costs a look-up more in each, unless somebody has inserted one
    -- of them meanwhile.
    insert_contacts := format($dml$
        INSERT INTO %1$I.contacts (campaign_id, contact_id, account_id, email, name, title, phone, mobile, region)
        SELECT $1, p.contact_id, p.account_id, s.email, s.name, s.title, s.phone, s.mobile, s.region
          FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
         WHERE p.outcome = 'created' ORDER BY s.email_key$dml$, schema);
    BEGIN
        EXECUTE insert_contacts USING campaign;
        GET DIAGNOSTICS created = ROW_COUNT;
    EXCEPTION WHEN unique_violation THEN
        EXECUTE insert_contacts || ' ON CONFLICT DO NOTHING' USING campaign;
        GET DIAGNOSTICS created = ROW_COUNT;
    END;
    SELECT count(*) FILTER (WHERE p.outcome = 'created') - created, count(*) FILTER (WHERE p.outcome = 'updated'),
           count(*) FILTER (WHERE p.outcome = 'duplicate'), count(*) FILTER (WHERE p.outcome = 'refused')
      INTO missed, updated, duplicates_in_file, refused
      FROM pg_temp.lead_phones_placed AS p;
    IF missed > 0 THEN
        -- Somebody has inserted them meanwhile.
        EXECUTE format($dml$
            UPDATE pg_temp.lead_phones_placed AS p SET contact_id = c.contact_id, outcome = 'updated'
              FROM pg_temp.lead_phones_staged AS s JOIN %1$I.contacts AS c ON c.campaign_id = $1 AND lower(c.email) = s.email_key
             WHERE p.place = s.place AND p.outcome = 'created' AND p.contact_id <> c.contact_id$dml$, schema) USING campaign;
        updated := updated + missed;
    END IF;
    IF updated + duplicates_in_file > 0 THEN
        EXECUTE format($dml$
            UPDATE pg_temp.lead_phones_placed AS p SET contact_id = c.contact_id
              FROM pg_temp.lead_phones_staged AS s JOIN %1$I.contacts AS c ON c.campaign_id = $1 AND lower(c.email) = s.email_key
             WHERE p.place = s.place AND p.outcome = 'duplicate'$dml$, schema) USING campaign;
        EXECUTE format($dml$
            UPDATE %1$I.contacts AS c SET %3$s
              FROM (SELECT s.contact_id, s.account_id, s.name, s.title, s.phone, s.mobile, s.region
                      FROM (SELECT s.*, p.contact_id, p.account_id, p.outcome, d.contact_id IS NOT NULL AS repeats
                              FROM pg_temp.lead_phones_staged AS s
                              JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
                              LEFT JOIN (SELECT DISTINCT r.contact_id FROM pg_temp.lead_phones_placed AS r
                                          WHERE r.outcome = 'duplicate') AS d ON d.contact_id = p.contact_id) AS s
                     WHERE s.outcome = 'updated' AND NOT s.repeats
                     UNION ALL
                    SELECT k.contact_id, m.account_id, m.name, m.title, m.phone, m.mobile, m.region
                      FROM (%2$s) AS m JOIN %1$I.contacts AS k ON k.campaign_id = $1 AND lower(k.email) = m.email_key) AS m
             WHERE c.campaign_id = $1 AND c.contact_id = m.contact_id AND %4$s$dml$,
            schema,
            @extschema@.lead_phones_merged('(SELECT s.*, p.account_id FROM pg_temp.lead_phones_staged AS s
                JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
                WHERE p.contact_id IN (SELECT d.contact_id FROM pg_temp.lead_phones_placed AS d WHERE d.outcome = ''duplicate''))'),
            update_of_contact.assignments, update_of_contact.differs) USING campaign;
    END IF;

    PERFORM @extschema@.lead_phones_upload_progress(rows_in_file, 'leads');
    EXECUTE format($dml$
        INSERT INTO %1$I.leads (campaign_id, contact_id, upload_id, row_number, email, name, title, company, website, phone, mobile, custom)
        SELECT $1, p.contact_id, $2, s.place, s.raw_email, s.name, s.title, s.company, s.website, s.raw_phone, s.raw_mobile, s.custom
          FROM pg_temp.lead_phones_staged AS s JOIN pg_temp.lead_phones_placed AS p ON p.place = s.place
         WHERE p.outcome <> 'refused' ORDER BY s.place$dml$, schema) USING campaign, upload_id;

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

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_suppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name := @extschema@.lead_phones_model(leads);
    kind text := arguments ->> 'kind';
    campaign bigint := arguments ->> 'campaign';
    subjects text[] := ARRAY(SELECT DISTINCT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s ORDER BY s);
    expires_at timestamptz := arguments ->> 'expires_at';
    key constant text := @extschema@.lead_phones_key(kind);
    subject text;
    known boolean;
    out_now bigint;
BEGIN
    IF kind IN ('account', 'contact') THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.%2$ss AS k WHERE k.campaign_id = $1 AND k.%2$s_id = $2)', schema, kind)
           INTO known USING campaign, subjects[1]::bigint;
        IF NOT known THEN
            RAISE EXCEPTION '% % of campaign % does not exist', kind, subjects[1], campaign
                USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.%ss" has no such row.', schema, kind),
                      HINT = format('Name the campaign, and the %s_id of the %s.', kind, kind);
        END IF;
    END IF;
    IF kind = 'phone' AND campaign IS NOT NULL THEN
        FOREACH subject IN ARRAY subjects LOOP
            PERFORM @extschema@.lead_phones_disqualify(leads, arguments || jsonb_build_object('phone', subject));
        END LOOP;
        RETURN jsonb_build_object('subjects', cardinality(subjects));
    END IF;
    EXECUTE format($dml$
        UPDATE %1$I.lead_disqualifications AS d SET lifted_by = $5, lifted_at = clock_timestamp(), lift_reason = 'replaced'
          FROM unnest($2) AS k (subject)
         WHERE %2$s AND d.lifted_at IS NULL AND d.source = $3 AND (d.reason, d.expires_at) IS DISTINCT FROM ($4, $6)$dml$, schema, key)
      USING campaign, subjects, arguments ->> 'source', arguments ->> 'reason', arguments ->> 'by', expires_at;
    EXECUTE format($dml$
        INSERT INTO %1$I.lead_disqualifications AS d (campaign_id, %3$s, source, reason, disqualified_by, disqualified_at, expires_at)
        SELECT $1, k.subject::%4$s, $3, $4, $5, clock_timestamp(), $6 FROM unnest($2) AS k (subject)
         WHERE NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE %2$s AND d.lifted_at IS NULL AND d.source = $3)
         ORDER BY k.subject
        ON CONFLICT DO NOTHING$dml$, schema, key,
        CASE WHEN kind IN ('account', 'contact') THEN kind || '_id' ELSE kind END,
        CASE kind WHEN 'phone' THEN '@extschema@.e164' WHEN 'domain' THEN 'text' ELSE 'bigint' END)
      USING campaign, subjects, arguments ->> 'source', arguments ->> 'reason', arguments ->> 'by', expires_at;
    IF kind IN ('account', 'contact') THEN
        EXECUTE format('SELECT count(*) FROM %1$I.leads AS l JOIN %1$I.contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
                         WHERE c.campaign_id = $1 AND c.%2$s_id = $2', schema, kind)
           INTO out_now USING campaign, subjects[1]::bigint;
    END IF;
    RETURN jsonb_build_object('subjects', cardinality(subjects), 'leads', out_now);
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_beside(leads regclass, table_name name) RETURNS regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT d.oid::regclass FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS d ON d.relnamespace = c.relnamespace
     WHERE c.oid = leads AND c.relname = 'contacts' AND d.relname = table_name AND d.relkind IN ('r', 'p') AND d.relowner = c.relowner
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_beside(regclass, name) IS
    'internal: the table of lead tables that stands beside tracked contacts; NULL beside another table';

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_expire_others(leads regclass, by_whom text) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    others constant regclass := @extschema@.lead_phones_beside(leads, 'lead_disqualifications');
    lifted bigint;
BEGIN
    IF others IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('UPDATE %s AS d SET lifted_by = $1, lifted_at = $2, lift_reason = ''expired'' WHERE d.lifted_at IS NULL AND d.expires_at <= $2',
        others) USING by_whom, clock_timestamp();
    GET DIAGNOSTICS lifted = ROW_COUNT;
    RETURN lifted;
END
$function$;

CREATE OR REPLACE FUNCTION @extschema@.lead_phones_call_suppression(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kind text := arguments ->> 'kind';
    raw text[];
    subjects text[];
    schema name;
BEGIN
    IF jsonb_typeof(arguments -> 'subjects') IS DISTINCT FROM 'array' OR arguments -> 'subjects' = '[null]'
       OR kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL
       OR action = 'suppress' AND arguments ->> 'source' IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN action = 'suppress' AND arguments ->> 'source' IS NULL THEN 'source'
                WHEN kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL THEN 'campaign'
                WHEN kind IN ('account', 'contact') THEN kind ELSE kind || 's' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'See the reference of the procedure for what it needs.';
    END IF;
    schema := @extschema@.lead_phones_model(leads);
    leads := format('%I.contacts', schema)::regclass;
    IF kind IN ('phone', 'domain') THEN
        raw := ARRAY(SELECT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s WHERE btrim(s) <> '');
        SELECT array_agg(n.subject) FILTER (WHERE n.subject IS NOT NULL), array_agg(n.raw) FILTER (WHERE n.subject IS NULL)
          INTO subjects, raw
          FROM (SELECT r AS raw, CASE kind
                    WHEN 'phone' THEN @extschema@.try_normalize_phone(r, arguments ->> 'region')::text
                    ELSE @extschema@.lead_phones_domain(r) END AS subject FROM unnest(raw) AS r) AS n;
        IF raw IS NOT NULL THEN
            RAISE WARNING '% of the %s are not valid, and left out', cardinality(raw), kind
                USING DETAIL = format('One is "%s".', left(raw[1], 64)),
                      HINT = CASE kind WHEN 'phone' THEN 'Write numbers with their country code, or name their region with region => ''...''.'
                          ELSE 'Write domains as in kw.example.' END;
        END IF;
    ELSE
        subjects := ARRAY(SELECT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    END IF;
    RETURN jsonb_build_object('invalid', coalesce(cardinality(raw), 0)) || @extschema@.lead_phones_as_owner(leads, action,
        arguments || jsonb_build_object('subjects', coalesce(subjects, '{}'), 'by', @extschema@.lead_phones_caller()));
END
$function$;

CREATE FUNCTION @extschema@.lead_phones_values(list regclass, column_name name) RETURNS text[]
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    known text[];
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(l.%I::text), ''{}'') FROM %s AS l WHERE l.%1$I IS NOT NULL', column_name, list) INTO known;
    RETURN known;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_values(regclass, name) IS
    'internal: what a column of a list says, with the rights of the caller';

CREATE OR REPLACE PROCEDURE @extschema@.suppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT 'US',
    leads regclass DEFAULT NULL,
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, region, leads, suppressed, invalid);
END
$procedure$;

CREATE OR REPLACE PROCEDURE @extschema@.suppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, leads, suppressed, invalid);
END
$procedure$;

CREATE OR REPLACE PROCEDURE @extschema@.unsuppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT 'US',
    leads regclass DEFAULT NULL,
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, region, leads, entries_lifted);
END
$procedure$;

CREATE OR REPLACE PROCEDURE @extschema@.unsuppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT NULL,
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, leads, entries_lifted);
END
$procedure$;

CREATE FUNCTION @extschema@.lead_phones_metrics(leads regclass, arguments jsonb) RETURNS jsonb
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables := @extschema@.lead_phones_tracked(leads);
    others constant regclass := @extschema@.lead_phones_beside(leads, 'lead_disqualifications');
    uploads constant regclass := @extschema@.lead_phones_beside(leads, 'lead_uploads');
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
           FROM unnest(ARRAY[tracked.disqualifications, others]) AS ledger WHERE ledger IS NOT NULL)) INTO part;
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
    RETURN metrics;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_metrics(regclass, jsonb) IS
    'internal: the metrics of a tracked table that its owner may read';

CREATE FUNCTION @extschema@.lead_phone_metrics()
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
        last_upload_at timestamptz)
    STABLE ROWS 10 LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
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
            metrics := @extschema@.lead_phones_as_owner(leads, 'metrics', '{}');
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
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phone_metrics() IS
    'what monitoring watches of each tracked table; for roles of pg_monitor';

REVOKE ALL ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb), @extschema@.lead_phone_metrics() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION @extschema@.lead_phone_metrics() TO pg_monitor;
