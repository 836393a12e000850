-- Tracked again: under other names, in another schema, of another shape, a table finds its own ledger and no other's. Who is out stays out.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA retracked; CREATE SCHEMA elsewhere;
SET search_path = retracked, public;
-- +14806521111 is out in every campaign, +16789998212 in campaign 1; the leads are gone.
CREATE PROCEDURE track(leads regclass) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM track_lead_phones(leads);
    EXECUTE format('INSERT INTO %s VALUES (1, 1, ''+16789998212'')', leads);
    EXECUTE format('CALL disqualify_phone(NULL::bigint, ''+14806521111'', leads => %L)', leads);
    EXECUTE format('CALL disqualify_phone(1, ''+16789998212'', leads => %L)', leads);
    EXECUTE format('DELETE FROM %s', leads);
END $$;
CREATE FUNCTION marks(leads regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    marks text;
BEGIN
    EXECUTE format('INSERT INTO %s VALUES (1, 1, ''480 652 1111''), (2, 1, ''678 999 8212''), (3, 1, ''650 253 0000'')', leads);
    EXECUTE format('SELECT string_agg(phone_disqualified::text, '' '' ORDER BY id) FROM %s', leads) INTO marks;
    RETURN marks;
END $$;

CREATE TABLE renamed (id int, campaign_id int, phone text);
CALL track('renamed');
ALTER TABLE renamed RENAME TO renamed_since;
SELECT untrack_lead_phones('renamed_since');
ALTER TABLE renamed_since RENAME TO renamed_twice;
-- A second one does not find what the first has left.
CREATE TABLE second (id int, campaign_id int, phone text);
CALL track('second');
SELECT FROM track_lead_phones('renamed_twice');
SELECT marks('renamed_twice'), marks('second');
SELECT leads, counts, disqualifications, suppressions, suppressed FROM lead_phone_tables WHERE counts::text ~ 'second|campaign_phone' AND leads::text ~ 'second|renamed' ORDER BY leads::text;

-- By names of its own.
SELECT untrack_lead_phones('second');
DELETE FROM second;
SELECT track_lead_phones('second', disqualifications => 'others');
SELECT track_lead_phones('second', disqualifications => 'campaign_phone_disqualifications');
SELECT FROM track_lead_phones('second', counts => 'other_counts');
SELECT marks('second');
SELECT untrack_lead_phones('second');
DELETE FROM second;
ALTER TABLE second_phone_disqualifications RENAME TO others;
SELECT FROM track_lead_phones('second', disqualifications => 'others');
SELECT marks('second');
-- What another one has is not taken, tracked or not.
SELECT track_lead_phones('renamed_twice', counts => 'other_counts');
SELECT untrack_lead_phones('second');
CREATE TABLE third (id int, campaign_id int, phone text);
SELECT track_lead_phones('third', counts => 'thirds', disqualifications => 'others');
COMMENT ON TABLE others IS NULL;
SELECT FROM track_lead_phones('third', counts => 'thirds', disqualifications => 'others');
INSERT INTO third VALUES (1, 1, '678 999 8212');
TABLE third;

-- Moved, it finds its ledger where that is.
CREATE TABLE moved (id int, campaign_id int, phone text);
CALL track('moved');
ALTER TABLE moved SET SCHEMA elsewhere;
SELECT untrack_lead_phones('elsewhere.moved');
SELECT FROM track_lead_phones('elsewhere.moved');
SELECT marks('elsewhere.moved');
SELECT leads, disqualifications FROM lead_phone_tables WHERE leads = 'elsewhere.moved'::regclass;

-- Of another shape, the ledger would not mean the same.
CREATE TABLE shaped (id int, campaign_id int, phone text);
CALL track('shaped');
SELECT untrack_lead_phones('shaped');
SELECT track_lead_phones('shaped', campaign_column => NULL);
ALTER TABLE shaped RENAME campaign_id TO cid;
SELECT track_lead_phones('shaped', campaign_column => 'cid');
ALTER TABLE shaped_phone_counts RENAME campaign_id TO cid;
ALTER TABLE shaped_phone_disqualifications RENAME campaign_id TO cid;
SELECT FROM track_lead_phones('shaped', campaign_column => 'cid');
SELECT marks('shaped');

-- The table of an everywhere that is gone is missed.
ALTER TABLE shaped_suppressed_phones RENAME TO hidden;
SET session_replication_role = replica;
ALTER TABLE shaped_suppressed_phones RENAME TO hidden;
RESET session_replication_role;
INSERT INTO shaped VALUES (4, 1, '480 652 1111');
SET session_replication_role = replica;
ALTER TABLE hidden RENAME TO shaped_suppressed_phones;
RESET session_replication_role;

-- Names that are taken.
CREATE TABLE named (id int, phone text);
CREATE TYPE an_enum AS ENUM ('a');
SELECT track_lead_phones('named', campaign_column => NULL, counts => '');
SELECT track_lead_phones('named', campaign_column => NULL, counts => 'x', disqualifications => 'x');
SELECT track_lead_phones('named', campaign_column => NULL, counts => 'named');
SELECT track_lead_phones('named', campaign_column => NULL, counts => 'named_phone_suppressions');
SELECT track_lead_phones('named', campaign_column => NULL, counts => 'an_enum');
CREATE TABLE named_phone_suppressions (entry text);
SELECT track_lead_phones('named', campaign_column => NULL);
DROP TABLE named_phone_suppressions;
CREATE TABLE named_suppressed_phones (number bigint, entry int, lifted_by text, lifted_at timestamptz, lift_reason text) PARTITION BY LIST (entry);
SELECT track_lead_phones('named', campaign_column => NULL);
DROP TABLE named_suppressed_phones;
CREATE TABLE named_phone_counts (phone e164 PRIMARY KEY, lead_count bigint, phone_count bigint, disqualified boolean NOT NULL);
SELECT track_lead_phones('named', campaign_column => NULL);
DROP TABLE named_phone_counts;
-- Names of indexes are found for them.
CREATE INDEX named_phone_counts_disqualified_idx ON named (id);
SELECT FROM track_lead_phones('named', campaign_column => NULL);
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'named_phone_counts'::regclass ORDER BY 1;

-- Roles that need quotes.
CREATE ROLE "Regress Bob";
GRANT ALL ON SCHEMA retracked TO "Regress Bob";
SET ROLE "Regress Bob";
CREATE TABLE bobs (id int, campaign_id int, phone text);
CALL track('bobs');
SELECT marks('bobs'), rebuild_phone_counts('bobs');
CALL expire_disqualifications();
RESET ROLE;
SELECT rebuild_phone_counts('bobs');

DROP SCHEMA retracked, elsewhere CASCADE;
DROP ROLE "Regress Bob";
