-- Splitting: a lead becomes its contact and its account. Inserted leads are split by a trigger, in batches; uploads by
-- 10_upload.sql, all at once. Both find accounts by the function below.

CREATE FUNCTION @extschema@.lead_phones_split_accounts(schema name, campaign bigint, source text, rows jsonb) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    named bigint[];
    domains text[];
BEGIN
    -- Companies are fewer than people.
    source := format('(SELECT s.domain, s.name_key, s.company, min(s.place) AS place FROM %s AS s
                        WHERE s.domain IS NOT NULL OR s.name_key IS NOT NULL GROUP BY s.domain, s.name_key, s.company)', source);
    FOR attempt IN 1 .. 10 LOOP
        -- Companies that were known by their names alone, and now have domains.
        EXECUTE format($query$
            SELECT array_agg(a.account_id), array_agg(w.domain)
              FROM (SELECT DISTINCT ON (s.domain) s.domain, s.name_key FROM (
                        SELECT DISTINCT ON (s.name_key) s.domain, s.name_key FROM %2$s AS s
                         WHERE s.domain IS NOT NULL AND s.name_key IS NOT NULL ORDER BY s.name_key, s.place) AS s
                     ORDER BY s.domain, s.name_key) AS w
              JOIN %1$I.accounts AS a ON a.campaign_id = $1 AND a.name_key = w.name_key AND a.domain IS NULL
             WHERE NOT EXISTS (SELECT FROM %1$I.accounts AS known WHERE known.campaign_id = $1 AND known.domain = w.domain)$query$,
            schema, source) INTO named, domains USING campaign, rows;
        EXIT WHEN named IS NULL;
        BEGIN
            -- in one order with others who do this
            EXECUTE format('SELECT FROM %I.accounts AS a WHERE a.campaign_id = $1 AND a.account_id = ANY ($2)
                             ORDER BY a.account_id FOR NO KEY UPDATE', schema) USING campaign, named;
            EXECUTE format('UPDATE %I.accounts AS a SET domain = w.domain FROM unnest($2, $3) AS w (account_id, domain)
                             WHERE a.campaign_id = $1 AND a.account_id = w.account_id AND a.domain IS NULL', schema)
              USING campaign, named, domains;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            -- Somebody has just given one of the domains to another account: look again.
            IF attempt = 10 OR current_setting('transaction_isolation') <> 'read committed' THEN
                RAISE EXCEPTION 'could not serialize access due to concurrent update of accounts'
                    USING ERRCODE = 'serialization_failure', DETAIL = SQLERRM || '.', HINT = 'Try the transaction again.';
            END IF;
        END;
    END LOOP;
    EXECUTE format($dml$
        INSERT INTO %1$I.accounts (campaign_id, name, domain)
        SELECT DISTINCT ON (s.domain) $1, s.company, s.domain FROM %2$s AS s
         WHERE s.domain IS NOT NULL
           AND NOT EXISTS (SELECT FROM %1$I.accounts AS known WHERE known.campaign_id = $1 AND known.domain = s.domain)
         ORDER BY s.domain, s.company IS NULL, s.place
        ON CONFLICT DO NOTHING$dml$, schema, source) USING campaign, rows;
    EXECUTE format($dml$
        INSERT INTO %1$I.accounts (campaign_id, name)
        SELECT DISTINCT ON (s.name_key) $1, s.company FROM %2$s AS s
         WHERE s.domain IS NULL AND s.name_key IS NOT NULL
           AND NOT EXISTS (SELECT FROM %1$I.accounts AS known WHERE known.campaign_id = $1 AND known.name_key = s.name_key)
         ORDER BY s.name_key, s.place
        ON CONFLICT DO NOTHING$dml$, schema, source) USING campaign, rows;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_split_accounts(name, bigint, text, jsonb) IS
    'internal: creates the accounts of leads that there are not yet';

CREATE FUNCTION @extschema@.lead_phones_with_account(schema name, source text, campaign text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT format($query$(
        SELECT s.*, coalesce(a.account_id, CASE WHEN s.domain IS NULL AND s.name_key IS NOT NULL THEN
                   (SELECT n.account_id FROM %1$I.accounts AS n WHERE n.campaign_id = %3$s AND n.name_key = s.name_key
                     ORDER BY n.account_id LIMIT 1) END) AS account_id
          FROM %2$s AS s LEFT JOIN %1$I.accounts AS a ON a.campaign_id = %3$s AND a.domain = s.domain)$query$,
        schema, source, campaign)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_with_account(name, text, text) IS
    'internal: SQL of leads with their accounts: by the domain of the company, else by its name';

CREATE FUNCTION @extschema@.lead_phones_cleaned(schema name, source text, campaign text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- The domain of the website, else that of the e-mail address, where it is the company's.
    SELECT format($query$(
        SELECT s.*, n.region, v.phone AS valid_phone, v.mobile AS valid_mobile,
               coalesce(v.phone, s.raw_phone) AS phone, coalesce(v.mobile, s.raw_mobile) AS mobile,
               lower(s.email) AS email_key, @extschema@.lead_phones_company_key(s.company) AS name_key,
               coalesce(CASE WHEN free_website.domain IS NULL THEN s.website_domain END,
                        CASE WHEN s.email IS NOT NULL AND free_email.domain IS NULL THEN s.email_domain END) AS domain
          FROM (SELECT r.place, @extschema@.lead_phones_email(r.email) COLLATE "C" AS email,
                       nullif(btrim(r.email), '') AS raw_email, nullif(btrim(r.name), '') AS name,
                       nullif(btrim(r.title), '') AS title, nullif(btrim(r.company), '') AS company,
                       nullif(btrim(r.website), '') AS website, nullif(btrim(r.phone), '') AS raw_phone,
                       nullif(btrim(r.mobile), '') AS raw_mobile, r.country, r.custom,
                       @extschema@.lead_phones_domain(r.website) AS website_domain,
                       @extschema@.lead_phones_domain(r.email) AS email_domain
                  FROM %2$s AS r OFFSET 0) AS s
         CROSS JOIN (SELECT c.region FROM %1$I.campaigns AS c WHERE c.campaign_id = %3$s) AS campaign
         CROSS JOIN LATERAL (SELECT CASE
                WHEN s.country IS NULL OR @extschema@.phone_problem('123', btrim(s.country)) = 'unknown_region' THEN campaign.region
                ELSE upper(btrim(s.country)) END AS region OFFSET 0) AS n
         CROSS JOIN LATERAL (
            SELECT @extschema@.try_normalize_phone(s.raw_phone, n.region) AS phone,
                   @extschema@.try_normalize_phone(s.raw_mobile, n.region) AS mobile OFFSET 0) AS v
          LEFT JOIN %1$I.free_mail_domains AS free_website ON free_website.domain = s.website_domain
          LEFT JOIN %1$I.free_mail_domains AS free_email ON free_email.domain = s.email_domain)$query$, schema, source, campaign)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_cleaned(name, text, text) IS
    'internal: SQL of leads as they are split: trimmed, numbers normalized, with the keys that they are matched by';

CREATE FUNCTION @extschema@.lead_phones_merged(source text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- Of one person, the latest value that is not empty; of numbers the latest valid one, if there is one.
    SELECT format($query$
        SELECT s.email_key, (array_agg(s.email ORDER BY s.place))[1] AS email, (array_agg(s.region ORDER BY s.place))[1] AS region, %s
          FROM %s AS s WHERE s.email_key IS NOT NULL GROUP BY s.email_key$query$,
        (SELECT string_agg(CASE
                WHEN c.name IN ('phone', 'mobile') THEN format('coalesce(
                    (array_agg(s.%1$s ORDER BY s.place DESC) FILTER (WHERE @extschema@.try_normalize_phone(s.%1$s, s.region) IS NOT NULL))[1],
                    (array_agg(s.%1$s ORDER BY s.place DESC) FILTER (WHERE s.%1$s IS NOT NULL))[1]) AS %1$s', c.name)
                ELSE format('(array_agg(s.%1$s ORDER BY s.place DESC) FILTER (WHERE s.%1$s IS NOT NULL))[1] AS %1$s', c.name) END, ', ')
           FROM unnest('{account_id,name,title,phone,mobile}'::text[]) AS c (name)), source)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_merged(text) IS
    'internal: SQL of people, from leads with e-mail addresses: one row for each address';

CREATE FUNCTION @extschema@.lead_phones_update_of_contact(new text, OUT assignments text, OUT differs text)
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT string_agg(format('%s = %s', v.name, v.value), ', ') || ', updated_at = now()',
           format('(%s) IS DISTINCT FROM (%s)', string_agg('c.' || v.name, ', '), string_agg(v.value, ', '))
      FROM (SELECT c.name, CASE
                WHEN c.name IN ('phone', 'mobile') THEN format('CASE
                    WHEN %2$s.%1$s IS NULL OR (@extschema@.try_normalize_phone(%2$s.%1$s, %2$s.region) IS NULL
                                               AND @extschema@.try_normalize_phone(c.%1$s, c.region) IS NOT NULL)
                    THEN c.%1$s ELSE %2$s.%1$s END', c.name, new)
                ELSE format('coalesce(%2$s.%1$s, c.%1$s)', c.name, new) END AS value
              FROM unnest('{account_id,name,title,phone,mobile}'::text[]) AS c (name)) AS v
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_update_of_contact(text) IS
    'internal: SQL of what becomes of a contact "c" that comes again: the latest values; no invalid number for a valid one';

CREATE FUNCTION @extschema@.lead_phones_split_leads(leads regclass, campaigns bigint[], ids bigint[]) RETURNS void
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
COMMENT ON FUNCTION @extschema@.lead_phones_split_leads(regclass, bigint[], bigint[]) IS
    'internal: splits inserted leads out into contacts and accounts';
