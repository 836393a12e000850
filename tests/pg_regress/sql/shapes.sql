-- Shapes of tables: one to eight columns of numbers, of any type that has a text form; with campaigns of any type that has an order, or without.
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE SCHEMA shapes;
SET search_path = shapes, public;
CREATE EXTENSION citext SCHEMA public;

-- One column, no campaign: one call.
CREATE TABLE contacts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, phone varchar(32) NOT NULL DEFAULT '');
INSERT INTO contacts (name, phone) VALUES ('Ann', '(678) 999-8212'), ('Bob', '678.999.8212'), ('Cid', ''), ('Dan', 'n/a');
SELECT * FROM track_lead_phones('contacts', campaign_column => NULL);
INSERT INTO contacts (name, phone) VALUES ('Eve', '650 253 0000'), ('Fay', '  ');
TABLE contacts;
SELECT * FROM campaign_phone_counts;
\d campaign_phone_counts
-- A blank text is no number, and nothing invalid.
SELECT column_name, raw_value, reason FROM invalid_lead_phones('contacts');
CALL disqualify_phone(NULL, '678 999 8212', 'asked us to stop');
INSERT INTO contacts (name, phone) VALUES ('Gil', '1 678 999 8212');
SELECT name, phone, phone_disqualified FROM contacts WHERE phone_disqualified ORDER BY name;
SELECT * FROM shared_lead_phones('contacts');
SELECT campaign, phone, column_name, disqualified, reason FROM find_phone('8212');
SELECT * FROM lead_phone_quality('contacts');
CALL disqualify_phone(7, '678 999 8212');
CALL disqualify_phone('summer', '678 999 8212');
CALL requalify_phone(NULL, '678 999 8212');
SELECT count(*) FROM contacts WHERE phone_disqualified;
SELECT count(*) FROM verify_phone_counts('contacts');
SELECT rebuild_phone_counts('contacts');
-- A second table of the schema has counts and ledger of its own.
CREATE TABLE people (id int PRIMARY KEY, campaign_id int, "Tel. 1" text, "Tel. 2" citext, "Fax" char(20), mobile text);
SELECT * FROM track_lead_phones('people', phone_columns => '{"Tel. 1","Tel. 2","Fax",mobile}');
INSERT INTO people VALUES (1, 1, '678 999 8212', '6789998212', '+1 678-999-8212', '650 253 0000'), (2, 1, NULL, '650 253 0000', 'none', NULL);
SELECT * FROM people;
SELECT * FROM people_phone_counts;
SELECT leads, phone_columns, counts, disqualifications, suppressions, suppressed FROM lead_phone_tables ORDER BY leads::text;
-- With two, one is named.
CALL disqualify_phone(1, '678 999 8212');
CALL disqualify_phone(1, '678 999 8212', leads => 'people');
CALL disqualify_phone(NULL, '650 253 0000', leads => 'people');
SELECT * FROM people;
SELECT count(*) FROM contacts WHERE phone_disqualified;
UPDATE people SET "Fax" = NULL WHERE id = 1;
UPDATE people SET "Tel. 2" = NULL WHERE id = 2;
SELECT * FROM people_phone_counts ORDER BY phone;
CALL requalify_phone(NULL, '650 253 0000', leads => 'people');
DELETE FROM people WHERE id = 2;
SELECT * FROM people_phone_counts ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('people');
-- Every column has its index, one, also where its type compares in its own way.
SELECT indexdef FROM pg_indexes WHERE tablename = 'people' ORDER BY indexdef COLLATE "C";
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT FROM people AS l WHERE l.campaign_id = 1 AND (l."Fax"::text = ANY (ARRAY['+16789998212']));
EXPLAIN (COSTS OFF) SELECT FROM people AS l WHERE l.campaign_id = 1 AND (l."Tel. 2"::text = ANY (ARRAY['+16789998212']));
RESET enable_seqscan;
-- Tracked again, with the same settings, nothing changes; with others, it is an error.
SELECT * FROM track_lead_phones('people', phone_columns => '{"Tel. 1","Tel. 2","Fax",mobile}');
SELECT * FROM track_lead_phones('people', phone_columns => '{"Tel. 1","Tel. 2"}');
SELECT count(*) FROM pg_indexes WHERE tablename = 'people';
-- Names of one's own.
CREATE TABLE numbers (contact int, phone text);
SELECT * FROM track_lead_phones('numbers', campaign_column => NULL, counts => 'number_counts', disqualifications => 'do not call');
INSERT INTO numbers SELECT i % 3, '650 253 000' || i % 5 FROM generate_series(1, 20) AS i;
CALL disqualify_phone(NULL, '650 253 0001', leads => 'numbers');
SELECT * FROM number_counts ORDER BY phone;
SELECT phone, entry, source FROM "do not call";
-- Of another number of columns, what is there goes on; a column that counts is added.
SELECT untrack_lead_phones('numbers');
ALTER TABLE numbers ADD COLUMN other text;
UPDATE numbers SET other = '650 253 0009' WHERE contact = 1;
SELECT * FROM track_lead_phones('numbers', campaign_column => NULL, phone_columns => '{phone,other}', counts => 'number_counts', disqualifications => 'do not call');
SELECT * FROM number_counts ORDER BY phone;
SELECT count(*) FROM verify_phone_counts('numbers');
-- TRUNCATE and DROP.
TRUNCATE numbers;
SELECT * FROM number_counts;
DROP TABLE number_counts;
SELECT untrack_lead_phones('numbers');
DROP TABLE numbers, number_counts, "do not call";

-- Campaigns of every type that has an order: told apart by the operators of that type, whatever search_path is.
CREATE TYPE season AS ENUM ('spring', 'summer', 'autumn');
CREATE DOMAIN budget AS numeric(10, 2) CHECK (VALUE >= 0);
CREATE FUNCTION shapes_of(type text, one text, same text, other text) RETURNS TABLE (what text, campaign text, phone text, lead_count bigint, is_out boolean)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE shapes.typed (id int GENERATED ALWAYS AS IDENTITY, campaign_id %s, phone text, mobile text)', type);
    PERFORM track_lead_phones('shapes.typed', counts => 'typed_counts', disqualifications => 'typed_ledger');
    EXECUTE format('INSERT INTO shapes.typed (campaign_id, phone, mobile) SELECT CASE i %% 3 WHEN 0 THEN %1$L::%2$s WHEN 1 THEN %3$L::%2$s ELSE %4$L::%2$s END,
        ''650 253 000'' || i %% 4, ''650 253 000'' || i %% 5 FROM generate_series(1, 40) AS i', one, type, same, other);
    EXECUTE format('CALL disqualify_phone(%L, ''650 253 0001'', leads => ''shapes.typed'')', same);
    EXECUTE 'CALL disqualify_phone(NULL, ''650 253 0002'', leads => ''shapes.typed'')';
    EXECUTE format('INSERT INTO shapes.typed (campaign_id, phone) VALUES (%L, ''650 253 0001''), (%L, ''650 253 0001'')', one, other);
    EXECUTE 'UPDATE shapes.typed SET campaign_id = (SELECT campaign_id FROM shapes.typed ORDER BY 1 LIMIT 1) WHERE id % 7 = 0';
    EXECUTE 'DELETE FROM shapes.typed WHERE id % 5 = 0';
    RETURN QUERY EXECUTE 'SELECT $1, c.campaign_id::text, c.phone::text, c.lead_count, c.disqualified FROM shapes.typed_counts AS c WHERE c.phone ~ ''[12]$'' ORDER BY c.campaign_id, c.phone' USING type;
    RETURN QUERY SELECT 'wrong', v.campaign, v.phone::text, v.lead_count, v.disqualified FROM verify_phone_counts('shapes.typed') AS v;
    EXECUTE format('CALL requalify_phone(%L, ''650 253 0001'', leads => ''shapes.typed'')', same);
    RETURN QUERY SELECT 'quality', q.campaign, NULL, q.lead_count, q.disqualified_numbers > 1 FROM lead_phone_quality('shapes.typed') AS q;
    PERFORM rebuild_phone_counts('shapes.typed');
    RETURN QUERY SELECT 'wrong', v.campaign, v.phone::text, v.lead_count, v.disqualified FROM verify_phone_counts('shapes.typed') AS v;
    PERFORM untrack_lead_phones('shapes.typed');
    DROP TABLE shapes.typed, shapes.typed_counts, shapes.typed_ledger, shapes.typed_phone_suppressions, shapes.typed_suppressed_phones;
END
$$;
SELECT * FROM shapes_of('shapes.season', 'summer', 'summer', 'autumn');
SELECT * FROM shapes_of('citext', 'Summer', 'SUMMER', 'Autumn');
SELECT * FROM shapes_of('date', '2026-07-01', '2026-7-1', '2026-10-01');
SELECT * FROM shapes_of('numeric', '1.0', '1.00', '-2.5');
SELECT * FROM shapes_of('shapes.budget', '1', '1.0', '2.5');
SELECT * FROM shapes_of('char(8)', 'a', 'a  ', 'b');
-- no campaign for its first letter
SELECT * FROM shapes_of('char(8)', 'spring', 'spring ', 's');
CREATE DOMAIN code AS char(8);
SELECT * FROM shapes_of('shapes.code', 'spring', 'spring ', 's');
SELECT * FROM shapes_of('bit(4)', '1010', '1010', '1011');
SELECT * FROM shapes_of('timestamptz', '2026-07-01 00:00+00', '2026-07-01 02:00+02', '2026-10-01 00:00+00');
SELECT * FROM shapes_of('boolean', 'true', 'yes', 'false');
SELECT * FROM shapes_of('inet', '10.0.0.1', '10.0.0.1/32', '10.0.0.0/8');

-- The type of campaigns is altered as Postgres alters that of the leads: the ledger goes on to mean the same ones.
CREATE FUNCTION retyped(one text, other text, first text, now text) RETURNS TABLE (what text, campaign text, phone_disqualified boolean)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE shapes.typed (id int GENERATED ALWAYS AS IDENTITY, campaign_id %s, phone text)', one);
    PERFORM track_lead_phones('shapes.typed', counts => 'typed_counts', disqualifications => 'typed_ledger');
    EXECUTE format('INSERT INTO shapes.typed (campaign_id, phone) VALUES (%L, ''650 253 0001'')', first);
    EXECUTE format('CALL disqualify_phone(%L, ''650 253 0001'', leads => ''shapes.typed'')', first);
    BEGIN
        EXECUTE format('ALTER TABLE shapes.typed ALTER campaign_id TYPE %s', other);
    EXCEPTION WHEN OTHERS THEN
        RETURN QUERY SELECT 'refused', SQLSTATE || ' ' || SQLERRM, NULL::boolean;
    END;
    EXECUTE format('INSERT INTO shapes.typed (campaign_id, phone) VALUES (%L, ''650 253 0001'')', now);
    RETURN QUERY EXECUTE 'SELECT $1, l.campaign_id::text, l.phone_disqualified FROM shapes.typed AS l ORDER BY l.id' USING other;
    PERFORM rebuild_phone_counts('shapes.typed');
    RETURN QUERY EXECUTE 'SELECT ''rebuilt'', l.campaign_id::text, l.phone_disqualified FROM shapes.typed AS l ORDER BY l.id';
    RETURN QUERY SELECT 'wrong', v.campaign, v.disqualified FROM verify_phone_counts('shapes.typed') AS v;
    PERFORM untrack_lead_phones('shapes.typed');
    DROP TABLE shapes.typed, shapes.typed_counts, shapes.typed_ledger, shapes.typed_phone_suppressions, shapes.typed_suppressed_phones;
END
$$;
SELECT * FROM retyped('float4', 'float8', '0.1', '0.1'::float4::float8::text);
SELECT * FROM retyped('numeric(10,2)', 'int', '1.00', '1');
SELECT * FROM retyped('char(8)', 'text', 'spring', 'spring');
SELECT * FROM retyped('shapes.season', 'text', 'spring', 'spring');
SELECT * FROM retyped('timestamptz', 'date', '2026-07-01 12:00', '2026-07-01');
-- one value is written in several ways
SELECT * FROM retyped('citext', 'text', 'Spring', 'sPRING');
SELECT * FROM retyped('numeric', 'text', '1.0', '1.00');
-- nothing is cut
CREATE TABLE cut (campaign_id text, phone text);
SELECT FROM track_lead_phones('cut');
INSERT INTO cut VALUES ('spring', '650 253 0001');
CALL disqualify_phone('spring', '650 253 0001', leads => 'cut');
DELETE FROM cut;
ALTER TABLE cut ALTER campaign_id TYPE varchar(2);
INSERT INTO cut VALUES ('sp', '650 253 0001'), ('spring', '650 253 0001');
TABLE cut;
-- whether campaigns are the same is seen by their numbers
ALTER TABLE cut ALTER campaign_id TYPE varchar(9), ALTER phone TYPE text USING phone || '';

-- What cannot be.
CREATE TABLE bad (id int, campaign_id int[], lead text, phone text, phone_disqualified text, entry int, pair season[], ext text, phone_extension text);
SELECT track_lead_phones('bad');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{lead}');
SELECT track_lead_phones('bad', campaign_column => 'entry', phone_columns => '{ext}');
SELECT track_lead_phones('bad', campaign_column => 'phone', phone_columns => '{ext}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{phone}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{phone,phone_disqualified}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{pair}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{a,b,c,d,e,f,g,h,i}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{{phone},{ext}}');
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{id}');
ALTER TABLE bad DROP COLUMN phone_disqualified;
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{phone}', keep_extensions => true);
SELECT track_lead_phones('bad', campaign_column => NULL, phone_columns => '{phone}', in_place => false, on_invalid => 'null');
CREATE DOMAIN filled AS text NOT NULL;
CREATE TABLE strict (phone filled, short varchar(5) CHECK (short !~ '[+]'), alike text UNIQUE);
SELECT track_lead_phones('strict', campaign_column => NULL, on_invalid => 'null');
SELECT track_lead_phones('strict', campaign_column => NULL, phone_columns => '{short}');
INSERT INTO strict VALUES ('', NULL, '650 253 0001'), ('', NULL, '650-253-0001');
SELECT track_lead_phones('strict', campaign_column => NULL, phone_columns => '{alike}');
ALTER TABLE strict ALTER short TYPE text;
UPDATE strict SET short = '650 253 0001';
SELECT track_lead_phones('strict', campaign_column => NULL, phone_columns => '{short}');
-- Blanks of every kind are no number, and nothing invalid.
CREATE TABLE blank (phone text);
INSERT INTO blank VALUES (''), (' '), (E'\t\n'), (U&'\00a0'), (U&'\200b'), ('x');
SELECT left_invalid FROM track_lead_phones('blank', campaign_column => NULL);
SELECT column_name, raw_value, reason FROM invalid_lead_phones('blank');
SELECT filled, valid, invalid, invalid_by_reason FROM lead_phone_quality('blank');
-- A newcomer gets the call that works.
CREATE TABLE customers (id int PRIMARY KEY, name text, home_phone varchar(12), work_phone text, mobile_number text);
SELECT track_lead_phones('customers');
SELECT track_lead_phones('customers', campaign_column => NULL);
SELECT track_lead_phones('customers', campaign_column => NULL, phone_columns => '{home_phone,work_phone,mobile_number}', in_place => false);

RESET search_path;
DROP SCHEMA shapes CASCADE;
DROP EXTENSION citext;
