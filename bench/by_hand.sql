-- A leads table of one of several kinds: tracked, untracked with the same columns and indexes, or with triggers as a user writes them by hand.
SET check_function_bodies = off;

CREATE FUNCTION normalized(raw text) RETURNS text IMMUTABLE STRICT LANGUAGE plpgsql AS $$
DECLARE digits text := regexp_replace(raw, '[^0-9]', '', 'g');
BEGIN RETURN CASE length(digits) WHEN 10 THEN '+1' || digits WHEN 11 THEN '+' || digits END; END $$;
CREATE FUNCTION by_hand_normalize() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.phone := normalized(NEW.phone); NEW.mobile := normalized(NEW.mobile); RETURN NEW; END $$;
-- The same with the C++ libphonenumber, by pg-libphonenumber.
CREATE FUNCTION by_libphonenumber() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.phone := parse_packed_phone_number(NEW.phone, 'US')::text;
    NEW.mobile := parse_packed_phone_number(NEW.mobile, 'US')::text;
    RETURN NEW;
END $$;
CREATE FUNCTION by_hand_count(campaign int, number text, change int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO by_hand_counts AS c VALUES (campaign, number, change)
    ON CONFLICT (campaign_id, phone) DO UPDATE SET lead_count = c.lead_count + EXCLUDED.lead_count $$;
CREATE FUNCTION by_hand_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF OLD.phone IS NOT NULL THEN PERFORM by_hand_count(OLD.campaign_id, OLD.phone, -1); END IF;
        IF OLD.mobile IS NOT NULL AND OLD.mobile IS DISTINCT FROM OLD.phone THEN PERFORM by_hand_count(OLD.campaign_id, OLD.mobile, -1); END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF NEW.phone IS NOT NULL THEN PERFORM by_hand_count(NEW.campaign_id, NEW.phone, 1); END IF;
        IF NEW.mobile IS NOT NULL AND NEW.mobile IS DISTINCT FROM NEW.phone THEN PERFORM by_hand_count(NEW.campaign_id, NEW.mobile, 1); END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION by_hand_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE by_hand_counts AS c SET lead_count = c.lead_count - d.n
        FROM (SELECT campaign_id, number, count(DISTINCT id) AS n FROM old_rows CROSS JOIN LATERAL (VALUES (phone), (mobile)) AS v (number)
               WHERE number IS NOT NULL GROUP BY 1, 2) AS d
        WHERE (c.campaign_id, c.phone) = (d.campaign_id, d.number);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO by_hand_counts AS c
        SELECT campaign_id, number, count(DISTINCT id) FROM new_rows CROSS JOIN LATERAL (VALUES (phone), (mobile)) AS v (number)
         WHERE number IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (campaign_id, phone) DO UPDATE SET lead_count = c.lead_count + EXCLUDED.lead_count;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION tracked_kinds() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$ SELECT ARRAY['tracked', 'beside', 'one column'] $$;
CREATE PROCEDURE prepare(kind text) LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS leads, campaign_phone_counts, campaign_phone_disqualifications, by_hand_counts;
    CREATE TABLE leads (id int PRIMARY KEY, campaign_id int, phone text, mobile text, note text);
    IF kind = ANY (tracked_kinds()) THEN
        PERFORM CASE kind WHEN 'tracked' THEN track_lead_phones('leads')
                          WHEN 'beside' THEN track_lead_phones('leads', in_place => false)
                          ELSE track_lead_phones('leads', campaign_column => NULL, phone_columns => '{phone}') END;
        RETURN;
    END IF;
    -- what tracking adds besides its triggers
    ALTER TABLE leads ADD phone_disqualified boolean NOT NULL DEFAULT false, ADD mobile_disqualified boolean NOT NULL DEFAULT false;
    CREATE INDEX ON leads (campaign_id, phone);
    CREATE INDEX ON leads (campaign_id, mobile);
    CREATE TABLE by_hand_counts (campaign_id int, phone text COLLATE "C", lead_count bigint, PRIMARY KEY (campaign_id, phone));
    IF kind IN ('row triggers', 'statement triggers', 'pg_ivm') THEN
        CREATE TRIGGER normalize BEFORE INSERT OR UPDATE OF phone, mobile ON leads FOR EACH ROW EXECUTE FUNCTION by_hand_normalize();
    END IF;
    IF kind = 'libphonenumber' THEN
        CREATE TRIGGER normalize BEFORE INSERT OR UPDATE OF phone, mobile ON leads FOR EACH ROW EXECUTE FUNCTION by_libphonenumber();
    ELSIF kind = 'pg_ivm' THEN
        -- it maintains no UNION: a view for each column, and none of unique numbers over both
        PERFORM pgivm.create_immv('by_ivm_phones', 'SELECT campaign_id, phone, count(*) AS lead_count FROM leads WHERE phone IS NOT NULL GROUP BY campaign_id, phone');
        PERFORM pgivm.create_immv('by_ivm_mobiles', 'SELECT campaign_id, mobile, count(*) AS lead_count FROM leads WHERE mobile IS NOT NULL GROUP BY campaign_id, mobile');
    END IF;
    IF kind IN ('row triggers', 'libphonenumber') THEN
        CREATE TRIGGER count AFTER INSERT OR UPDATE OF phone, mobile, campaign_id OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION by_hand_row();
    ELSIF kind = 'statement triggers' THEN
        CREATE TRIGGER inserted AFTER INSERT ON leads REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION by_hand_statement();
        CREATE TRIGGER updated AFTER UPDATE ON leads REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION by_hand_statement();
        CREATE TRIGGER deleted AFTER DELETE ON leads REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION by_hand_statement();
    END IF;
END $$;
