-- Splitting: a lead becomes its contact and its account. Inserted leads are split by a trigger, in batches; uploads by uploads/.
--
-- These functions run as the owner of the lead tables, and name the tables as they are called: src/actions/lead_tables.rs sets search_path.

CREATE TYPE @extschema@.lead_phones_person AS (
    place bigint, contact_id bigint, account_id bigint, is_held boolean, email text, email_key text, name text, title text, company text, name_key text,
    domain text, region text, raw_phone text, raw_mobile text, valid_phone text, valid_mobile text, phone_extension text, mobile_extension text);
COMMENT ON TYPE @extschema@.lead_phones_person IS
    'internal: a lead as it is split: trimmed, numbers normalized, with the keys that it is matched by';

CREATE FUNCTION @extschema@.lead_phones_cleaned(
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

CREATE FUNCTION @extschema@.lead_phones_split_accounts(campaign bigint, domains text[], name_keys text[], names text[]) RETURNS void
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

CREATE FUNCTION @extschema@.lead_phones_merged(people @extschema@.lead_phones_person[]) RETURNS @extschema@.lead_phones_person
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

CREATE FUNCTION @extschema@.lead_phones_split_leads(leads regclass, campaigns bigint[], ids bigint[]) RETURNS void
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
COMMENT ON FUNCTION @extschema@.lead_phones_split_leads(regclass, bigint[], bigint[]) IS
    'internal: splits inserted leads out into contacts and accounts';

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
