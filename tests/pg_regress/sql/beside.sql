-- in_place => false: what the application wrote stays as it was typed, and the number is beside it. Extensions, and regions of another table.
\set SHOW_CONTEXT never
CREATE SCHEMA beside;
SET search_path = beside, public;
CREATE TABLE countries (id int PRIMARY KEY, code varchar(2), name text);
INSERT INTO countries VALUES (1, 'GB', 'United Kingdom'), (2, 'de', 'Germany'), (3, NULL, 'Nowhere'), (4, 'XX', 'Elsewhere');
CREATE TABLE crm_lead (id int PRIMARY KEY, country_id int REFERENCES countries, phone varchar(20) NOT NULL DEFAULT '', fax numeric, mobile char(16));
INSERT INTO crm_lead VALUES (1, 1, '020 7946 0958 x12', 2079460958, NULL), (2, 2, '030 123456', NULL, '(030) 123456'), (3, NULL, '+1 678-999-8212', 6789998212, '678 999 8212'), (4, 3, '', NULL, 'call me');
SELECT * FROM track_lead_phones('crm_lead', campaign_column => NULL, phone_columns => '{phone,fax,mobile}', region_column => 'country_id.code', in_place => false, keep_extensions => true);
SELECT * FROM crm_lead;
SELECT * FROM campaign_phone_counts ORDER BY phone;
SELECT region, region_column, region_code, in_place, keep_extensions FROM lead_phone_tables;
INSERT INTO crm_lead VALUES (5, 1, '020 7946 0958 ext. 7', 2079460958, '+49 30 123456'), (6, 4, '030 123456', NULL, NULL), (7, 2, '  ', NULL, NULL);
UPDATE crm_lead SET country_id = 2 WHERE id = 6;
-- What is kept beside is not the application's to write.
UPDATE crm_lead SET phone_e164 = '+16502530000', phone_extension = '99' WHERE id = 5;
INSERT INTO crm_lead (id, phone, phone_e164, mobile_disqualified) VALUES (8, '+1 650 253 0000', '+442079460958', true);
SELECT id, phone, phone_e164, phone_extension, fax_e164, mobile_e164 FROM crm_lead ORDER BY id;
CALL disqualify_phone(NULL, '+44 20 7946 0958', region => 'ZZ');
CALL disqualify_phone(NULL, '030 123456');
CALL disqualify_phone(NULL, '030 123456', region => 'DE');
SELECT id, phone, phone_disqualified, fax_disqualified, mobile_disqualified FROM crm_lead ORDER BY id;
INSERT INTO crm_lead (id, country_id, phone) VALUES (9, 1, '(020) 79460958');
SELECT phone, phone_e164, phone_disqualified FROM crm_lead WHERE id = 9;
SELECT * FROM lead_phone_quality('crm_lead');
SELECT lead, column_name, raw_value, reason FROM invalid_lead_phones('crm_lead') ORDER BY lead, column_name;
SELECT phone, lead, column_name FROM find_phone('0958');
SELECT count(*) FROM verify_phone_counts('crm_lead');
-- Numbers that are wrong beside are found, and mended.
SET session_replication_role = replica;
UPDATE crm_lead SET phone_e164 = '+442079460000' WHERE id = 9;
UPDATE crm_lead SET phone = '030 7654321' WHERE id = 2;
RESET session_replication_role;
SELECT campaign, phone, lead_count, expected_lead_count, column_counts, expected_column_counts, wrongly_marked_leads FROM verify_phone_counts('crm_lead');
SELECT rebuild_phone_counts('crm_lead');
SELECT id, phone, phone_e164, phone_disqualified FROM crm_lead WHERE id IN (2, 9) ORDER BY id;
SELECT count(*) FROM verify_phone_counts('crm_lead');
-- A code that changes holds for what is written from then on; rebuild_phone_counts() reads all again.
UPDATE countries SET code = 'DE' WHERE id = 1;
SELECT count(*) FROM verify_phone_counts('crm_lead');
UPDATE crm_lead SET phone = '030 123456' WHERE id = 9;
DELETE FROM crm_lead WHERE id = 5;
SELECT count(*) FROM verify_phone_counts('crm_lead');
UPDATE countries SET code = 'GB' WHERE id = 1;
SELECT rebuild_phone_counts('crm_lead');
SELECT id, phone, phone_e164 FROM crm_lead WHERE id IN (1, 9) ORDER BY id;
SELECT count(*) FROM verify_phone_counts('crm_lead');
-- DDL: what the path and the columns beside need stays; the application's own columns are free.
ALTER TABLE crm_lead ALTER COLUMN phone TYPE varchar(40);
ALTER TABLE crm_lead ALTER COLUMN fax TYPE text;
ALTER TABLE crm_lead ADD COLUMN note text;
ALTER TABLE crm_lead RENAME COLUMN fax TO "fax no";
SELECT id, "fax no", "fax no_e164", "fax no_extension", "fax no_disqualified" FROM crm_lead WHERE "fax no" IS NOT NULL ORDER BY id;
SELECT phone, lead_count, "fax no_count" FROM campaign_phone_counts WHERE "fax no_count" > 0 ORDER BY phone;
ALTER TABLE crm_lead RENAME COLUMN phone_e164 TO number;
ALTER TABLE crm_lead DROP COLUMN phone_e164;
ALTER TABLE crm_lead DROP COLUMN phone_extension;
ALTER TABLE crm_lead ALTER COLUMN phone_e164 TYPE text USING 'x';
ALTER TABLE crm_lead DROP CONSTRAINT crm_lead_country_id_fkey;
ALTER TABLE countries DROP COLUMN code;
ALTER TABLE countries RENAME COLUMN code TO iso;
DROP TABLE countries CASCADE;
ALTER TABLE crm_lead RENAME COLUMN country_id TO country;
INSERT INTO crm_lead (id, country, phone) VALUES (10, 2, '030 7654321');
SELECT id, country, phone, phone_e164 FROM crm_lead WHERE id = 10;
SELECT count(*) FROM verify_phone_counts('crm_lead');
-- Tracked again, what is beside is reused; untracked, it stays.
SELECT untrack_lead_phones('crm_lead');
UPDATE crm_lead SET phone = '030 999999' WHERE id = 10;
SELECT id, phone, phone_e164 FROM crm_lead WHERE id = 10;
SELECT * FROM track_lead_phones('crm_lead', campaign_column => NULL, phone_columns => '{phone,"fax no",mobile}', region_column => 'country.code', in_place => false, keep_extensions => true);
SELECT id, phone, phone_e164 FROM crm_lead WHERE id = 10;
SELECT count(*) FROM verify_phone_counts('crm_lead');
SELECT untrack_lead_phones('crm_lead');
-- A path leads somewhere.
SELECT track_lead_phones('crm_lead', campaign_column => NULL, phone_columns => '{phone}', region_column => 'country.iso', in_place => false);
SELECT track_lead_phones('crm_lead', campaign_column => NULL, phone_columns => '{phone}', region_column => 'id.code', in_place => false);
SELECT track_lead_phones('crm_lead', campaign_column => NULL, phone_columns => '{phone}', region_column => 'nowhere.code', in_place => false);
-- on_invalid => 'reject' rejects, and blanks are nothing to reject.
CREATE TABLE strict (id int, campaign_id text, phone text);
SELECT * FROM track_lead_phones('strict', in_place => false, on_invalid => 'reject');
INSERT INTO strict VALUES (1, 'a', ''), (2, 'a', ' '), (3, 'a', '(678) 999-8212');
INSERT INTO strict VALUES (4, 'a', 'n/a');
TABLE strict;
-- Without a path, what the column spells is compared with the counts.
SET session_replication_role = replica;
UPDATE strict SET phone = '650 253 0000' WHERE id = 3;
RESET session_replication_role;
SELECT campaign, phone, lead_count, expected_lead_count, column_counts, wrongly_marked_leads FROM verify_phone_counts('strict');
SELECT rebuild_phone_counts('strict');
TABLE strict;
SELECT count(*) FROM verify_phone_counts('strict');

-- In place: nobody's number is rewritten into that of another country.
CREATE TABLE placed (id int PRIMARY KEY, campaign_id int, country_id int REFERENCES countries, phone text, mobile text);
INSERT INTO placed VALUES (1, 1, NULL, '207 946 0958', NULL), (2, 1, 3, '207 946 0958', NULL), (3, 1, 4, '207 946 0958', NULL), (4, 1, 1, '020 7946 0958', '+1 678 999 8212 ext 5');
SELECT * FROM track_lead_phones('placed', region_column => 'country_id.code', keep_extensions => true);
TABLE placed;
INSERT INTO placed VALUES (5, 1, NULL, '207 946 0958', NULL), (6, 1, 2, '030 123456 x77', '0301234567');
UPDATE placed SET country_id = 1 WHERE id = 1;
SELECT id, country_id, phone, phone_extension, mobile, mobile_extension FROM placed ORDER BY id;
-- The extension of a number goes with it, and stays where the number does.
UPDATE placed SET phone = '+49 30 123456' WHERE id = 6;
UPDATE placed SET mobile = '678 999 8213', country_id = NULL WHERE id = 4;
SELECT id, phone, phone_extension, mobile, mobile_extension FROM placed WHERE id IN (4, 6) ORDER BY id;
UPDATE placed SET mobile = '+1 678 999 8213' WHERE id = 4;
UPDATE placed SET phone_extension = '78' WHERE id = 6;
SELECT id, phone, phone_extension, mobile, mobile_extension FROM placed WHERE id IN (4, 6) ORDER BY id;
UPDATE placed SET phone = '+49 30 7654321', phone_extension = '1' WHERE id = 6;
SELECT id, phone, phone_extension FROM placed WHERE id = 6;
UPDATE placed SET phone = NULL WHERE id = 6;
SELECT id, phone, phone_extension FROM placed WHERE id = 6;
-- What was written before a code was known is not what was counted.
UPDATE countries SET code = 'GB' WHERE id = 3;
SELECT count(*) FROM verify_phone_counts('placed');
DELETE FROM placed WHERE id = 2;
SELECT count(*) FROM verify_phone_counts('placed');
-- Without a path, a region that is named is that of leads without one.
CREATE TABLE named (campaign_id int, country_id int REFERENCES countries, phone text);
SELECT * FROM track_lead_phones('named', region_column => 'country_id.code', region => 'US');
INSERT INTO named VALUES (1, NULL, '678 999 8212'), (1, 1, '020 7946 0958'), (1, 4, '678 999 8212');
TABLE named;
-- Regions are looked up as the owner of the leads, in a table of that owner.
CREATE ROLE regress_beside;
GRANT USAGE ON SCHEMA beside TO regress_beside;
CREATE TABLE own_countries (id int PRIMARY KEY, code text);
INSERT INTO own_countries VALUES (1, 'GB');
CREATE TABLE owned (campaign_id int, country_id int REFERENCES own_countries, phone text);
ALTER TABLE owned OWNER TO regress_beside;
GRANT SELECT ON own_countries TO regress_beside;
SELECT track_lead_phones('owned', region_column => 'country_id.code');
ALTER TABLE own_countries OWNER TO regress_beside;
SELECT * FROM track_lead_phones('owned', region_column => 'country_id.code');
SET ROLE regress_beside;
INSERT INTO owned VALUES (1, 1, '020 7946 0958');
RESET ROLE;
-- Given away in two steps, nobody writes between them.
ALTER TABLE own_countries OWNER TO CURRENT_USER;
INSERT INTO owned VALUES (1, 1, '020 7946 0959');
SELECT * FROM verify_phone_counts('owned');
ALTER TABLE owned OWNER TO CURRENT_USER;
ALTER TABLE owned_phone_counts OWNER TO CURRENT_USER;
ALTER TABLE owned_phone_disqualifications OWNER TO CURRENT_USER;
ALTER TABLE owned_phone_suppressions OWNER TO CURRENT_USER;
ALTER TABLE owned_suppressed_phones OWNER TO CURRENT_USER;
INSERT INTO owned VALUES (1, 1, '020 7946 0959');
TABLE owned;
SELECT count(*) FROM verify_phone_counts('owned');

-- The table of regions is partitioned; the column has other keys; collations differ.
CREATE TABLE areas (id text COLLATE "C" PRIMARY KEY, code text) PARTITION BY LIST (id);
CREATE TABLE areas_1 PARTITION OF areas FOR VALUES IN ('b');
CREATE TABLE areas_2 PARTITION OF areas DEFAULT;
INSERT INTO areas VALUES ('b', 'GB'), ('d', 'DE');
CREATE TABLE a_note (id text COLLATE "C" PRIMARY KEY, note text, code int);
INSERT INTO a_note VALUES ('b'), ('d');
CREATE TABLE keyed (area text COLLATE "POSIX" REFERENCES areas, phone text, CONSTRAINT a_note FOREIGN KEY (area) REFERENCES a_note);
SELECT FROM track_lead_phones('keyed', campaign_column => NULL, region_column => 'area.code', in_place => false);
INSERT INTO keyed VALUES ('b', '020 7946 0958'), ('d', '030 123456');
SELECT area, phone_e164 FROM keyed ORDER BY area;
SELECT count(*), rebuild_phone_counts('keyed') FROM verify_phone_counts('keyed');
SELECT area, phone_e164 FROM keyed ORDER BY area;
ALTER TABLE areas ALTER code TYPE int USING 1;
ALTER TABLE areas ENABLE ROW LEVEL SECURITY;
ALTER TABLE areas FORCE ROW LEVEL SECURITY;
INSERT INTO keyed VALUES ('d', '030 123457');
-- Numbers in types of numbers: whole ones.
CREATE TABLE numeric_phones (id int, phone numeric(14, 2), mobile float8, fax bigint);
SELECT track_lead_phones('numeric_phones', campaign_column => NULL, phone_columns => '{phone}');
SELECT FROM track_lead_phones('numeric_phones', campaign_column => NULL, phone_columns => '{phone,mobile,fax}', in_place => false);
SET extra_float_digits = -10;
INSERT INTO numeric_phones VALUES (1, 6502530000, 6502530000, 6502530000), (2, 65025300, 65025300.5, 65025300), (3, -6502530000, -6502530000, -6502530000),
    (4, 'NaN', 'NaN', NULL), (5, 6502530000.5, 1e300, 0), (6, 442079460958, 442079460958, 16502530000);
SELECT id, phone_e164, mobile_e164, fax_e164 FROM numeric_phones ORDER BY id;
RESET extra_float_digits;
SELECT count(*) FROM verify_phone_counts('numeric_phones');
SELECT column_name, raw_value, reason FROM invalid_lead_phones('numeric_phones') ORDER BY column_name, raw_value COLLATE "C";
SELECT untrack_lead_phones('numeric_phones');
SELECT * FROM track_lead_phones('numeric_phones', campaign_column => NULL, phone_columns => '{phone,mobile,fax}', in_place => false);
SELECT id, phone_e164, mobile_e164, fax_e164 FROM numeric_phones ORDER BY id;
SELECT untrack_lead_phones('numeric_phones');
SELECT track_lead_phones('numeric_phones', campaign_column => NULL, phone_columns => '{phone,fax,mobile}', in_place => false, on_invalid => 'reject');
ALTER TABLE numeric_phones ALTER fax TYPE float4;
SELECT track_lead_phones('numeric_phones', campaign_column => NULL, phone_columns => '{fax}', in_place => false);
-- What is generated is not seen before the row is written.
CREATE TABLE generated (cc text, number text, phone text GENERATED ALWAYS AS (cc || number) STORED);
SELECT track_lead_phones('generated', campaign_column => NULL, in_place => false);
-- What is kept has room for it.
CREATE DOMAIN short AS text CHECK (length(VALUE) < 3);
CREATE TABLE roomy (phone text);
SELECT FROM track_lead_phones('roomy', campaign_column => NULL, in_place => false, keep_extensions => true);
ALTER TABLE roomy ALTER phone_e164 TYPE varchar(5);
ALTER TABLE roomy ALTER phone_extension TYPE varchar(2);
ALTER TABLE roomy ALTER phone_extension TYPE short;
ALTER TABLE roomy ALTER phone_e164 TYPE varchar(16), ALTER phone_extension TYPE varchar(20);
INSERT INTO roomy VALUES ('(650) 253-0000 x12');
TABLE roomy;

SELECT phone_extension('020 7946 0958 x12', 'GB'), phone_extension('678 999 8212'), phone_extension('tel:+1-678-999-8212;ext=0042'), phone_extension('n/a x12'), phone_extension(NULL);

-- Partitions and heirs.
CREATE TABLE parted (id int, year int, phone text, mobile varchar(12)) PARTITION BY LIST (year);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (id int, year int, phone text, mobile varchar(12));
INSERT INTO parted_2 VALUES (1, 2, '(678) 999-8212 x4', '650.253.0000'), (2, 2, '6502530000', 'no');
SELECT * FROM track_lead_phones('parted', campaign_column => 'year', in_place => false, keep_extensions => true);
INSERT INTO parted VALUES (3, 1, '(678) 999-8212', NULL), (4, 1, NULL, '678-999-8212');
SELECT * FROM parted_phone_counts ORDER BY year, phone;
ALTER TABLE parted_2 ADD phone_disqualified boolean NOT NULL DEFAULT false, ADD phone_e164 e164, ADD phone_extension text, ADD mobile_disqualified boolean NOT NULL DEFAULT false, ADD mobile_e164 e164, ADD mobile_extension text;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
SELECT id, phone, phone_e164, phone_extension, mobile, mobile_e164 FROM parted_2 ORDER BY id;
SELECT * FROM parted_phone_counts ORDER BY year, phone;
SELECT count(*) FROM verify_phone_counts('parted');
UPDATE parted SET year = 1 WHERE id = 1;
ALTER TABLE parted DETACH PARTITION parted_2;
SELECT * FROM parted_phone_counts ORDER BY year, phone;
SELECT count(*) FROM verify_phone_counts('parted');
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
SELECT count(*) FROM verify_phone_counts('parted');
DROP TABLE parted_2;
TRUNCATE parted_1;
SELECT count(*) FROM parted_phone_counts;
-- Backfill.
CREATE TABLE live (id int, phone varchar(20));
INSERT INTO live SELECT i, '(650) 253-00' || lpad((i % 50)::text, 2, '0') || ' x' || i FROM generate_series(1, 200) AS i;
SELECT * FROM track_lead_phones('live', campaign_column => NULL, in_place => false, keep_extensions => true, backfill => false);
INSERT INTO live VALUES (201, '650 253 0001'), (202, '650 253 0002');
UPDATE live SET phone = '650 253 0003' WHERE id = 3;
CALL disqualify_phone(NULL, '650 253 0001', leads => 'live');
SELECT * FROM live_phone_counts ORDER BY phone;
CALL backfill_lead_phones('live', 64);
SELECT count(*), count(phone_e164), count(phone_extension), count(*) FILTER (WHERE phone_disqualified) FROM live;
SELECT count(*), sum(lead_count), sum(phone_count), count(*) FILTER (WHERE disqualified) FROM live_phone_counts;
SELECT count(*) FROM verify_phone_counts('live');
CREATE INDEX ON live (phone_e164);

-- Lead tables keep extensions: of uploads, of leads that are inserted, and as people come again.
CREATE SCHEMA crm;
SET search_path = crm, public;
SELECT create_lead_tables('crm');
INSERT INTO campaigns (campaign_id, name) VALUES (1, 'one');
CREATE TEMPORARY TABLE staging (email text, phone text, mobile text);
INSERT INTO staging VALUES ('ann@x.example', '678 999 1001 x12', NULL), ('bob@x.example', '678 999 1002', '678 999 1003 ext. 3'), (NULL, '678 999 1004 x4', 'n/a x5'),
    ('cid@x.example', '678 999 1005 x1', NULL), ('CID@x.example', '678 999 1005 x2', NULL);
CALL upload_leads(1, 'staging', 'one.csv', leads => 'leads');
SELECT email, phone, phone_extension, mobile, mobile_extension FROM callable_leads ORDER BY lead_id;
TRUNCATE staging;
-- another extension, none, another number without, another number with the same one
INSERT INTO staging VALUES ('ann@x.example', '678 999 1001 x13', NULL), ('bob@x.example', NULL, '678 999 1003'), ('cid@x.example', '678 999 1006', NULL);
CALL upload_leads(1, 'staging', 'two.csv', leads => 'leads');
SELECT email, phone, phone_extension, mobile, mobile_extension FROM callable_leads ORDER BY lead_id;
INSERT INTO leads (campaign_id, email, phone) VALUES (1, 'ann@x.example', '678 999 1007 x13'), (1, 'dan@x.example', '678 999 1008 x8');
SELECT email, phone, phone_extension FROM callable_leads ORDER BY lead_id;
CALL disqualify_phone(1, '678 999 1003', leads => 'leads');
SELECT email, phone, mobile, mobile_extension FROM callable_leads WHERE email = 'bob@x.example';
SELECT count(*) FROM verify_phone_counts('contacts');
-- Their functions read these columns.
SELECT untrack_lead_phones('contacts');
SELECT track_lead_phones('contacts', campaign_column => NULL);
SELECT track_lead_phones('contacts', region_column => 'region', keep_extensions => true);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA crm CASCADE;
DROP SCHEMA beside CASCADE;
DROP ROLE regress_beside;
