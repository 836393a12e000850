-- The rows of an upload: taken, cleaned, and placed with people.

CREATE FUNCTION @extschema@.lead_phones_upload_progress(total bigint, doing text) RETURNS void
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
