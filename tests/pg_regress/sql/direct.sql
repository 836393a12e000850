-- Counts that are written without statements, and every reason for which statements write them. However it is done, it comes to the same.
SET client_min_messages = warning;
CREATE EXTENSION amcheck;
CREATE TABLE leads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, campaign_id int, phone text, mobile text);
SELECT track_lead_phones('leads') \g /dev/null

-- What differs between the counts and a recount, and between the counts and their indexes: nothing.
CREATE FUNCTION wrong(leads text DEFAULT 'leads', counts text DEFAULT 'campaign_phone_counts') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bt_index_check(i.indexrelid, true) FROM pg_index AS i WHERE i.indrelid = counts::regclass;
    RETURN QUERY SELECT v::text FROM verify_phone_counts(leads::regclass) AS v;
END $$;
-- The daily writes, a transaction each.
CREATE PROCEDURE write() LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO leads (campaign_id, phone, mobile) VALUES (1, '(678) 999-1000', '(678) 999-1001');
    COMMIT;
    INSERT INTO leads (campaign_id, phone, mobile) VALUES (1, '(678) 999-1000', '(678) 999-1002');
    COMMIT;
    UPDATE leads SET mobile = '(678) 999-1003' WHERE mobile = '+16789991001';
    COMMIT;
    DELETE FROM leads WHERE mobile = '+16789991002';
    COMMIT;
END $$;

CALL write();
TABLE campaign_phone_counts ORDER BY campaign_id, phone;
SELECT wrong();
SET lead_phones.direct_counts = off;
CALL write();
TABLE campaign_phone_counts ORDER BY campaign_id, phone;
SELECT wrong();
RESET lead_phones.direct_counts;

-- One number so often that its row moves from page to page, disqualified and not: each version is found.
DO $$ BEGIN FOR n IN 1 .. 400 LOOP INSERT INTO leads (campaign_id, phone) VALUES (2, '(678) 999-2000'); COMMIT; END LOOP; END $$;
CALL disqualify_phone(2, '(678) 999-2000', leads => 'leads');
DO $$ BEGIN FOR n IN 1 .. 400 LOOP INSERT INTO leads (campaign_id, phone) VALUES (2, '(678) 999-2000'); COMMIT; END LOOP; END $$;
TABLE campaign_phone_counts ORDER BY campaign_id, phone;
SELECT count(*) FROM leads WHERE phone_disqualified;
SELECT wrong();

-- Disqualified by what comes before in the same statement, and in the same transaction.
BEGIN;
WITH d AS (UPDATE campaign_phone_counts SET disqualified = true WHERE phone = '+16789991003' RETURNING 1)
INSERT INTO leads (campaign_id, phone) SELECT 1, '(678) 999-1003' FROM d RETURNING phone_disqualified;
ROLLBACK;
BEGIN;
CALL disqualify_phone(1, '(678) 999-1003', leads => 'leads');
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1003') RETURNING phone_disqualified;
ROLLBACK;

-- Not on a snapshot that the transaction keeps.
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1004');
SELECT * FROM campaign_phone_counts WHERE phone = '+16789991004';
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1004');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1004');
COMMIT;
SELECT * FROM campaign_phone_counts WHERE phone = '+16789991004';
BEGIN;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1005');
SAVEPOINT s;
SELECT * FROM campaign_phone_counts WHERE phone = '+16789991005';
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1005');
SELECT * FROM campaign_phone_counts WHERE phone = '+16789991005';
ROLLBACK TO s;
SELECT * FROM campaign_phone_counts WHERE phone = '+16789991005';
COMMIT;
SELECT wrong();

-- A trigger of the owner's sees every row, from the moment it is there.
CREATE TABLE seen (what text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.seen VALUES (TG_OP || ' ' || coalesce(NEW.phone, OLD.phone)); RETURN NULL; END $$;
CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON campaign_phone_counts FOR EACH ROW EXECUTE FUNCTION see();
TRUNCATE leads;
TRUNCATE seen;
CALL write();
TABLE seen;
DROP TRIGGER see ON campaign_phone_counts;
SELECT wrong();

-- A rule, which a statement refuses
CREATE RULE see AS ON UPDATE TO campaign_phone_counts DO ALSO INSERT INTO public.seen VALUES ('rule');
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1000');
DROP RULE see ON campaign_phone_counts;

-- A constraint
ALTER TABLE campaign_phone_counts ADD CONSTRAINT few CHECK (lead_count < 2);
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1000');
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1008');
-- an application gets its name
DO $$
DECLARE
    name text;
BEGIN
    INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1000');
    PERFORM FROM campaign_phone_counts;
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    RAISE WARNING 'constraint: %', name;
END $$;
ALTER TABLE campaign_phone_counts DROP CONSTRAINT few;

-- Another index, another column, one that is generated
CREATE INDEX ON campaign_phone_counts (lead_count);
CALL write();
SELECT wrong();
ALTER TABLE campaign_phone_counts ADD COLUMN added text DEFAULT 'by the owner';
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1006');
SELECT phone, added FROM campaign_phone_counts WHERE phone = '+16789991006';
ALTER TABLE campaign_phone_counts DROP COLUMN added;
CALL write();
SELECT wrong();
ALTER TABLE campaign_phone_counts ADD COLUMN twice bigint GENERATED ALWAYS AS (2 * lead_count) STORED;
CALL write();
SELECT phone FROM campaign_phone_counts WHERE twice <> 2 * lead_count;
SELECT wrong();

-- What cannot be: the statement says it.
SELECT untrack_lead_phones('leads') \g /dev/null
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications, phone_suppressions, suppressed_phones;
CREATE TABLE leads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, campaign_id int, phone text, mobile text);
SELECT track_lead_phones('leads') \g /dev/null
CALL write();
UPDATE campaign_phone_counts SET lead_count = 9223372036854775807 WHERE phone = '+16789991000';
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1000');
-- A number that is not in the counts, and goes
DELETE FROM campaign_phone_counts;
DELETE FROM leads;
TABLE campaign_phone_counts;
TRUNCATE leads;
SELECT wrong();

-- An owner who may not write the counts
CREATE ROLE regress_direct_owner;
GRANT CREATE ON SCHEMA public TO regress_direct_owner;
ALTER TABLE leads OWNER TO regress_direct_owner;
ALTER TABLE campaign_phone_counts OWNER TO regress_direct_owner;
ALTER TABLE campaign_phone_disqualifications OWNER TO regress_direct_owner;
ALTER TABLE phone_suppressions OWNER TO regress_direct_owner;
ALTER TABLE suppressed_phones OWNER TO regress_direct_owner;
CALL write();
REVOKE INSERT ON campaign_phone_counts FROM regress_direct_owner;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1007');
GRANT INSERT ON campaign_phone_counts TO regress_direct_owner;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1007');
TABLE campaign_phone_counts ORDER BY campaign_id, phone;
SELECT wrong();

-- Campaigns of other types, with operators of Postgres's own and of somebody else's
CREATE EXTENSION citext;
CREATE TYPE season AS ENUM ('spring', 'summer');
CREATE DOMAIN name_of_campaign AS text CHECK (VALUE <> '');
CREATE TABLE results (place int, type text, campaign text, phone text, lead_count bigint);
CREATE PROCEDURE try(place int, type text, one text, other text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA direct_%s', place);
    EXECUTE format('CREATE TABLE direct_%s.leads (campaign_id %s, phone text)', place, type);
    PERFORM track_lead_phones(format('direct_%s.leads', place)::regclass);
    COMMIT;
    FOR n IN 1 .. 3 LOOP
        EXECUTE format('INSERT INTO direct_%s.leads VALUES (%L, %L), (%L, %L)', place, one, '(678) 999-1000', other, '(678) 999-100' || n);
        COMMIT;
    END LOOP;
    EXECUTE format('DELETE FROM direct_%s.leads WHERE phone = %L', place, '+16789991003');
    COMMIT;
    INSERT INTO results SELECT place, 'wrong', w FROM wrong(format('direct_%s.leads', place), format('direct_%s.campaign_phone_counts', place)) AS w;
    EXECUTE format('INSERT INTO results SELECT $1, $2, campaign_id::text, phone, lead_count FROM direct_%s.campaign_phone_counts', place) USING place, type;
    EXECUTE format('DROP SCHEMA direct_%s CASCADE', place);
    COMMIT;
END $$;
CALL try(1, 'smallint', '1', '2');
CALL try(2, 'bigint', '1', '-5000000000');
CALL try(3, 'uuid', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002');
CALL try(4, 'text', 'a', 'A');
CALL try(5, 'varchar(8)', 'a', 'abcdefgh');
CALL try(6, 'char(4)', 'a', 'b');
CALL try(7, 'date', '2026-01-01', '2026-02-01');
CALL try(8, 'numeric', '1.0', '1.00');
CALL try(9, 'season', 'spring', 'summer');
CALL try(10, 'citext', 'Spring', 'SPRING');
CALL try(11, 'name_of_campaign', 'a', 'b');
CALL try(12, 'inet', '10.0.0.1', '10.0.0.2');
SELECT type, campaign, phone, lead_count FROM results ORDER BY place, campaign COLLATE "C", phone;

-- Two indexes of the same kind, of which one goes again: in one transaction, so that no version of the row is pruned.
CALL disqualify_phone(1, '(678) 999-1007', leads => 'leads');
CREATE INDEX rebuilt ON campaign_phone_counts (campaign_id, phone) WHERE disqualified;
BEGIN;
DO $$ BEGIN FOR n IN 1 .. 300 LOOP INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1007'); PERFORM FROM campaign_phone_counts; END LOOP; END $$;
COMMIT;
SELECT wrong();
DROP INDEX rebuilt;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1007') RETURNING phone_disqualified;
BEGIN;
DO $$ BEGIN FOR n IN 1 .. 300 LOOP INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1007'); PERFORM FROM campaign_phone_counts; END LOOP; END $$;
COMMIT;
SELECT wrong();

-- An index of another shape in the place of that of disqualified numbers
DROP INDEX campaign_phone_counts_disqualified_idx;
CREATE INDEX campaign_phone_counts_disqualified_idx ON campaign_phone_counts (phone, phone) WHERE disqualified;
INSERT INTO leads (campaign_id, phone) VALUES (2, '(678) 999-1007') RETURNING phone_disqualified;
DROP INDEX campaign_phone_counts_disqualified_idx;
CREATE INDEX campaign_phone_counts_disqualified_idx ON campaign_phone_counts (campaign_id, phone) WHERE disqualified;
SELECT wrong();

-- What the owner has made the default
ALTER TABLE campaign_phone_counts ALTER disqualified SET DEFAULT true;
INSERT INTO leads (campaign_id, phone) VALUES (1, '(678) 999-1009');
SELECT phone_disqualified FROM leads WHERE phone = '+16789991009';
ALTER TABLE campaign_phone_counts ALTER disqualified SET DEFAULT false;
DELETE FROM leads WHERE phone = '+16789991009';
DELETE FROM campaign_phone_counts WHERE phone = '+16789991009';
SELECT wrong();

-- Out in every campaign: one number on a list, and all the others are looked for without a statement.
CALL disqualify_phone(NULL::bigint, '(678) 999-1010', leads => 'leads');
INSERT INTO leads (campaign_id, phone) VALUES (3, '(678) 999-1010'), (3, '(678) 999-1011') RETURNING phone_disqualified;
CALL requalify_phone(NULL::bigint, '(678) 999-1010', leads => 'leads');
INSERT INTO leads (campaign_id, phone) VALUES (4, '(678) 999-1010'), (4, '(678) 999-1011') RETURNING phone_disqualified;
SELECT wrong();

-- An owner who may not go to the schema any more
CREATE SCHEMA direct_away;
GRANT USAGE ON SCHEMA direct_away TO regress_direct_owner;
CREATE TABLE direct_away.leads (campaign_id int, phone text);
ALTER TABLE direct_away.leads OWNER TO regress_direct_owner;
GRANT CREATE ON SCHEMA direct_away TO regress_direct_owner;
SELECT track_lead_phones('direct_away.leads') \g /dev/null
INSERT INTO direct_away.leads VALUES (1, '(678) 999-1000');
REVOKE ALL ON SCHEMA direct_away FROM regress_direct_owner;
INSERT INTO direct_away.leads VALUES (1, '(678) 999-1000');
DROP SCHEMA direct_away CASCADE;

-- Settings by hand, of a table with as many columns: what is named twice is not taken for another.
SET ROLE regress_direct_owner;
CREATE TABLE by_hand (campaign_id int, phone text, phone_disqualified boolean);
CREATE TABLE by_hand_counts (campaign_id int, phone e164 NOT NULL, lead_count bigint NOT NULL DEFAULT 0, phone_count bigint NOT NULL DEFAULT 0,
    disqualified boolean NOT NULL DEFAULT false, extra text, PRIMARY KEY (campaign_id, phone));
CREATE INDEX ON by_hand_counts (campaign_id, phone) WHERE disqualified;
CREATE TRIGGER a BEFORE INSERT ON by_hand FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize('campaign_column=campaign_id', 'phone_column=phone',
    'phone_column=phone', 'region=US', 'on_invalid=keep', 'schema=public', 'counts=by_hand_counts', 'disqualifications=ledger');
CREATE TRIGGER b AFTER INSERT ON by_hand REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION lead_phones_count('campaign_column=campaign_id', 'phone_column=phone',
    'phone_column=phone', 'region=US', 'on_invalid=keep', 'schema=public', 'counts=by_hand_counts', 'disqualifications=ledger');
INSERT INTO by_hand VALUES (1, '(678) 999-1000');
DROP TABLE by_hand, by_hand_counts;
CREATE TABLE by_hand (disqualified boolean, phone text, phone_disqualified boolean);
CREATE TABLE by_hand_counts (disqualified boolean NOT NULL DEFAULT false, phone e164 NOT NULL, lead_count bigint NOT NULL DEFAULT 0, phone_count bigint NOT NULL DEFAULT 0,
    extra text, PRIMARY KEY (disqualified, phone));
CREATE INDEX ON by_hand_counts (disqualified, phone) WHERE disqualified;
CREATE TRIGGER a BEFORE INSERT ON by_hand FOR EACH ROW EXECUTE FUNCTION lead_phones_normalize('campaign_column=disqualified', 'phone_column=phone',
    'region=US', 'on_invalid=keep', 'schema=public', 'counts=by_hand_counts', 'disqualifications=ledger');
CREATE TRIGGER b AFTER INSERT ON by_hand REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION lead_phones_count('campaign_column=disqualified', 'phone_column=phone',
    'region=US', 'on_invalid=keep', 'schema=public', 'counts=by_hand_counts', 'disqualifications=ledger');
INSERT INTO by_hand VALUES (false, '(678) 999-1000');
TABLE by_hand_counts;
DROP TABLE by_hand, by_hand_counts;
RESET ROLE;

-- An operator that moves to another schema goes with its type: nobody's operator of the old name is taken for it.
CREATE SCHEMA direct_citext;
GRANT USAGE ON SCHEMA direct_citext TO PUBLIC;
CREATE SCHEMA direct_moved AUTHORIZATION regress_direct_owner;
CREATE TABLE direct_moved.leads (campaign_id citext, phone text);
ALTER TABLE direct_moved.leads OWNER TO regress_direct_owner;
SELECT track_lead_phones('direct_moved.leads') \g /dev/null
INSERT INTO direct_moved.leads VALUES ('a', '(678) 999-1000');
CALL disqualify_phone('a', '(678) 999-1000', leads => 'direct_moved.leads');
INSERT INTO direct_moved.leads VALUES ('A', '(678) 999-1000') RETURNING phone_disqualified;
ALTER EXTENSION citext SET SCHEMA direct_citext;
CREATE FUNCTION planted(direct_citext.citext, direct_citext.citext) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
CREATE OPERATOR public.= (LEFTARG = direct_citext.citext, RIGHTARG = direct_citext.citext, FUNCTION = planted);
INSERT INTO direct_moved.leads VALUES ('A', '(678) 999-1000') RETURNING phone_disqualified;
DROP OPERATOR public.= (direct_citext.citext, direct_citext.citext);
DROP FUNCTION planted;
DROP SCHEMA direct_moved CASCADE;

SELECT untrack_lead_phones('leads') \g /dev/null
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications, phone_suppressions, suppressed_phones, seen, results;
DROP PROCEDURE try, write;
DROP FUNCTION see, wrong;
DROP TYPE season;
DROP DOMAIN name_of_campaign;
REVOKE CREATE ON SCHEMA public FROM regress_direct_owner;
DROP ROLE regress_direct_owner;
DROP EXTENSION amcheck;
DROP EXTENSION citext;
DROP SCHEMA direct_citext;
