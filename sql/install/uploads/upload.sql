-- An upload, from its rows to its receipt.

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
