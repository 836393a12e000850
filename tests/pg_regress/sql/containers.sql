-- Numbers inside everything that holds values: arrays, composite types, JSON, generated columns, indexes, partition keys, COPY.
\set SHOW_CONTEXT never
SET search_path = public;

-- arrays, and a domain over the domain
SELECT array_agg(try_normalize_phone(raw) ORDER BY n) AS numbers
FROM unnest(ARRAY['678 999 8212', 'n/a', '+44 7400 123456']) WITH ORDINALITY AS texts (raw, n);
SELECT '{+16789998212,+447400123456}'::e164[] AS numbers, '{+16789998212,NULL}'::e164[] @> ARRAY['+16789998212'::e164] AS contained;
SELECT '{+16789998212,678}'::e164[];
CREATE DOMAIN mobile_phone AS e164 CHECK (phone_type(VALUE) IN ('mobile', 'fixed_line_or_mobile'));
SELECT normalize_phone('678 999 8212')::mobile_phone;
SELECT normalize_phone('800 234 5678')::mobile_phone;

-- composite types
CREATE TYPE person AS (name text, phone e164);
SELECT (ROW('Ada', normalize_phone('678 999 8212'))::person).phone, '(Ada,678)'::person;
SELECT array_agg(ROW(name, try_normalize_phone(raw))::person ORDER BY name) FROM (VALUES ('Ada', '678 999 8212'), ('Bob', '')) AS v (name, raw);

-- JSON
SELECT * FROM jsonb_to_recordset('[{"name": "Ada", "phone": "+16789998212"}, {"name": "Bob", "phone": null}]') AS people (name text, phone e164);
SELECT * FROM jsonb_to_recordset('[{"name": "Ada", "phone": "678 999 8212"}]') AS people (name text, phone e164);
SELECT to_jsonb(ROW('Ada', normalize_phone('678 999 8212'))::person), jsonb_populate_record(NULL::person, '{"phone": "+16789998212"}');

-- generated columns, CHECK, expression indexes, statistics
CREATE TABLE people (
    id int PRIMARY KEY,
    raw text,
    region text DEFAULT 'US',
    phone e164 GENERATED ALWAYS AS (try_normalize_phone(raw, region)) STORED,
    CHECK (raw IS NULL OR phone_problem(raw, region) IS DISTINCT FROM 'empty')
);
INSERT INTO people (id, raw) SELECT n, format('(678) 999-%s', 1000 + n % 9000) FROM generate_series(1, 20000) AS n;
INSERT INTO people VALUES (20001, '030 123456', 'DE'), (20002, 'n/a', 'GB'), (20003, NULL, NULL);
INSERT INTO people VALUES (20004, ' ');
CREATE INDEX people_raw ON people (try_normalize_phone(raw, region));
CREATE INDEX people_phone ON people (phone) INCLUDE (id);
CREATE STATISTICS people_problem ON (phone_problem(raw, region)) FROM people;
ANALYZE people;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM people WHERE try_normalize_phone(raw, region) = normalize_phone('+49 30 123456');
SELECT id FROM people WHERE try_normalize_phone(raw, region) = normalize_phone('+49 30 123456');
EXPLAIN (COSTS OFF) SELECT id FROM people WHERE phone LIKE '+49%';
SELECT id FROM people WHERE phone LIKE '+49%';
RESET enable_seqscan;
RESET enable_bitmapscan;
UPDATE people SET raw = '+44 7400 123456' WHERE id = 20002 RETURNING phone;

-- parallel plans give the same answers
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(try_normalize_phone(raw, region)) FROM people;
SELECT count(try_normalize_phone(raw, region)), count(DISTINCT phone), count(*) FILTER (WHERE phone_problem(raw, region) IS NULL) AS valid FROM people;
RESET max_parallel_workers_per_gather;

-- partition keys: by number, and by an expression of it
CREATE TABLE calls (phone e164 NOT NULL, seconds int) PARTITION BY LIST (phone_region(phone));
CREATE TABLE calls_us PARTITION OF calls FOR VALUES IN ('US', 'CA');
CREATE TABLE calls_rest PARTITION OF calls DEFAULT;
INSERT INTO calls SELECT try_normalize_phone(raw), n FROM (VALUES (1, '678 999 8212'), (2, '+1 416 555 0123'), (3, '+49 30 123456')) AS v (n, raw);
SELECT tableoid::regclass, phone FROM calls ORDER BY phone;
CREATE TABLE numbers_by_hash (phone e164 PRIMARY KEY) PARTITION BY HASH (phone);
CREATE TABLE numbers_by_hash_0 PARTITION OF numbers_by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE numbers_by_hash_1 PARTITION OF numbers_by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO numbers_by_hash SELECT DISTINCT phone FROM people WHERE phone IS NOT NULL;
SELECT count(*), count(DISTINCT tableoid) FROM numbers_by_hash;
CREATE TABLE numbers_by_range (phone e164) PARTITION BY RANGE (phone);
CREATE TABLE numbers_america PARTITION OF numbers_by_range FOR VALUES FROM ('+10') TO ('+20');
INSERT INTO numbers_by_range VALUES ('+16789998212');
INSERT INTO numbers_by_range VALUES ('+4930123456');

-- COPY, text and binary
CREATE TABLE copied (LIKE calls);
SELECT format('/tmp/lead_phones_copy.%s', pg_backend_pid()) AS file \gset
COPY (SELECT * FROM calls) TO :'file' (FORMAT binary);
COPY copied FROM :'file' (FORMAT binary);
COPY (SELECT '678'::text, 1) TO :'file' (FORMAT binary);
COPY copied FROM :'file' (FORMAT binary);
SELECT format('rm %s', :'file') AS remove \gset
COPY (SELECT 1) TO PROGRAM :'remove';
COPY copied FROM stdin;
+447400123456	4
\.
COPY copied FROM stdin;
07400 123456	5
\.
SELECT * FROM copied ORDER BY seconds;

-- a prepared statement with a generic plan
PREPARE normalized(text, text) AS SELECT try_normalize_phone($1, $2);
SET plan_cache_mode = force_generic_plan;
EXECUTE normalized('030 123456', 'DE');
EXECUTE normalized('030 123456', NULL);

-- toasted and compressed texts, 1 MB and more
CREATE TABLE long_texts (raw text);
ALTER TABLE long_texts ALTER raw SET STORAGE EXTERNAL;
INSERT INTO long_texts VALUES (repeat('6', 1048576)), (repeat(' ', 200) || '678 999 8212');
ALTER TABLE long_texts ALTER raw SET STORAGE EXTENDED;
INSERT INTO long_texts VALUES (repeat('678 999 8212, ', 100000));
SELECT length(raw), try_normalize_phone(raw), phone_problem(raw) FROM long_texts ORDER BY 1;

DROP TABLE people, calls, numbers_by_hash, numbers_by_range, copied, long_texts;
DROP TYPE person;
DROP DOMAIN mobile_phone;
