-- The people of an upload.

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
