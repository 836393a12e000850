-- What a DBA may do to a tracked table later: it goes on working, or stops with an error that says what to do.
\set SHOW_CONTEXT never
CREATE TABLE leads (dropped integer, id serial PRIMARY KEY, campaign_id varchar(5), phone text, mobile text, region text,
                    phone_disqualified boolean);
ALTER TABLE leads DROP COLUMN dropped;
INSERT INTO leads (campaign_id, phone, region) VALUES ('abcde', '020 7946 0958', E'GB\r'), ('abcde', '678 999 8212', ' us ');
SELECT * FROM track_lead_phones('leads', region_column => 'region');
-- A mark column that was there, with NULLs; white space around a region.
SELECT id, phone, phone_disqualified FROM leads ORDER BY id;
UPDATE leads SET phone_disqualified = NULL;
CALL disqualify_phone('abcde', '678 999 8212');
SELECT * FROM verify_phone_counts('leads');
-- A campaign that is too long for the column is another campaign.
CALL disqualify_phone('abcdefgh', '678 999 8212');
DELETE FROM leads WHERE id = 1;
SELECT * FROM verify_phone_counts('leads');

-- Columns added later; long texts.
ALTER TABLE leads ADD COLUMN note text DEFAULT 'n', ADD COLUMN extra integer DEFAULT 7;
UPDATE leads SET mobile = '650 253 0000' RETURNING id, phone, mobile, note, extra;
UPDATE leads SET note = repeat('x', 1000000), mobile = repeat('9', 2000);
SELECT * FROM verify_phone_counts('leads');

-- A tracked column is not altered under the triggers; it is after untracking.
ALTER TABLE leads ALTER COLUMN phone TYPE varchar(40);
SELECT untrack_lead_phones('leads');
ALTER TABLE leads ALTER COLUMN phone TYPE varchar(40);
SELECT unique_numbers FROM track_lead_phones('leads', region_column => 'region');
-- Dropped, and one of the same name and another type in its place.
ALTER TABLE leads DROP COLUMN phone CASCADE;
\echo :SQLSTATE
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE leads DROP COLUMN phone CASCADE;
ALTER TABLE leads ADD COLUMN phone bigint;
SET LOCAL session_replication_role = origin;
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', 6789998212);
ROLLBACK;
-- Counts altered by hand.
ALTER TABLE campaign_phone_counts ALTER COLUMN phone TYPE bytea USING phone::text::bytea;
\echo :SQLSTATE
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE campaign_phone_counts ALTER COLUMN phone TYPE bytea USING phone::text::bytea;
SET LOCAL session_replication_role = origin;
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', '678 999 8212');
ROLLBACK;

-- Another owner: the counts go along, or every write says so.
CREATE ROLE regress_owner;
GRANT CREATE, USAGE ON SCHEMA public TO regress_owner;
ALTER TABLE leads OWNER TO regress_owner;
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', '678 999 8212');
\echo :SQLSTATE
SELECT track_lead_phones('leads', region_column => 'region');
ALTER TABLE campaign_phone_counts OWNER TO regress_owner;
ALTER TABLE campaign_phone_disqualifications OWNER TO regress_owner;
ALTER TABLE phone_suppressions OWNER TO regress_owner;
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', '678 999 8212');
ALTER TABLE suppressed_phones OWNER TO regress_owner;
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', '678 999 8212') RETURNING phone_disqualified;
SELECT * FROM verify_phone_counts('leads');

-- The table renamed, and moved with its schema's tables.
ALTER TABLE leads RENAME TO prospects;
INSERT INTO prospects (campaign_id, phone) VALUES ('abcde', '678 999 8212') RETURNING phone_disqualified;
SELECT * FROM verify_phone_counts('prospects');
ALTER TABLE prospects RENAME TO leads;

-- A trigger that fires after ours and writes a raw number.
CREATE FUNCTION raw_number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.phone := '(650) 253-0001'; RETURN NEW; END $$;
CREATE TRIGGER zzz BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION raw_number();
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', '678 999 8212');
\echo :SQLSTATE
SELECT track_lead_phones('leads', region_column => 'region');
\echo :SQLSTATE
ALTER TRIGGER zzz ON leads RENAME TO aaa;
INSERT INTO leads (campaign_id, phone) VALUES ('abcde', '678 999 8212') RETURNING phone;
DROP TRIGGER aaa ON leads;

-- Made a partition.
CREATE TABLE parent (LIKE leads) PARTITION BY LIST (campaign_id);
ALTER TABLE parent ATTACH PARTITION leads FOR VALUES IN ('abcde');
\echo :SQLSTATE
-- with the event triggers disabled
SET session_replication_role = replica;
ALTER TABLE parent ATTACH PARTITION leads FOR VALUES IN ('abcde');
RESET session_replication_role;
INSERT INTO parent (id, campaign_id, phone) VALUES (99, 'abcde', '678 999 8212');
\echo :SQLSTATE
ALTER TABLE parent DETACH PARTITION leads;
SELECT * FROM verify_phone_counts('leads');

-- Counting needs to see every committed lead.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT rebuild_phone_counts('leads');
\echo :SQLSTATE
ROLLBACK;

-- Triggers that write the table again.
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.campaign_id = 'one' THEN
        INSERT INTO leads (campaign_id, phone) VALUES ('two', NEW.phone);
        UPDATE leads SET mobile = '202 456 1111' WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER again AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION again();
INSERT INTO leads (campaign_id, phone) SELECT 'one', '650 253 000' || i FROM generate_series(0, 9) AS i;
SELECT campaign_id, count(*), sum(lead_count) FROM campaign_phone_counts GROUP BY 1 ORDER BY 1;
SELECT * FROM verify_phone_counts('leads');

-- Dropped: nothing is left broken.
DROP TABLE leads;
SELECT * FROM lead_phone_tables;
DROP TABLE parent, campaign_phone_counts, campaign_phone_disqualifications, phone_suppressions, suppressed_phones;
DROP FUNCTION raw_number, again;
REVOKE ALL ON SCHEMA public FROM regress_owner;
DROP ROLE regress_owner;
