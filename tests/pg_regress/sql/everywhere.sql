-- Every campaign, those to come included: "take me off your lists".
\set SHOW_CONTEXT never
CREATE SCHEMA everywhere;
SET search_path = everywhere, public;
CREATE TABLE leads (id serial PRIMARY KEY, campaign_id text, phone text, mobile text, country text);
SELECT unique_numbers FROM track_lead_phones('leads', region_column => 'country');
INSERT INTO leads (campaign_id, phone, mobile) VALUES ('spring', '678 999 8212', '212 761 2846'), ('autumn', NULL, '+1 (678) 999-8212'), ('autumn', '212 761 2847', NULL);
CALL disqualify_phone(NULL, '678 999 8212', reason => 'take me off your lists');
SELECT campaign_id, phone_disqualified, mobile_disqualified FROM leads ORDER BY id;
SELECT * FROM campaign_phone_counts ORDER BY campaign_id, phone;
-- a campaign that is new, in one row and in many; also inside the transaction that writes
BEGIN;
INSERT INTO leads (campaign_id, phone) VALUES ('winter', '1-678-999-8212') RETURNING phone_disqualified;
INSERT INTO leads (campaign_id, phone) SELECT 'c' || i, CASE i % 100 WHEN 7 THEN '678 999 8212' ELSE '650 253 ' || to_char(i, 'FM0000') END FROM generate_series(1, 3000) AS i;
SELECT phone_disqualified, count(*) FROM leads WHERE campaign_id LIKE 'c%' GROUP BY 1 ORDER BY 1;
SELECT disqualified, count(*) FROM campaign_phone_counts WHERE campaign_id LIKE 'c%' GROUP BY 1 ORDER BY 1;
COMMIT;
SELECT phone_disqualified, count(*) FROM leads WHERE campaign_id LIKE 'c%' GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM verify_phone_counts('leads');
UPDATE leads SET phone = '678 999 8212' WHERE campaign_id = 'c1' RETURNING phone_disqualified;
-- an entry of a campaign and one of all are two
CALL disqualify_phone('autumn', '678 999 8212', source => 'caller');
CALL requalify_phone(NULL, '678 999 8212', reason => 'back');
SELECT campaign_id, phone_disqualified, mobile_disqualified FROM leads WHERE campaign_id IN ('spring', 'autumn', 'winter', 'c1') ORDER BY id;
CALL requalify_phone('autumn', '678 999 8212');
SELECT count(*) FROM leads WHERE phone_disqualified OR mobile_disqualified;
-- the longest of a source; sources; expiry
CALL disqualify_phone(NULL, '212 761 2846', source => 'a', expires_at => '2100-01-01');
CALL disqualify_phone(NULL, '212 761 2846', source => 'a', reason => 'shorter', expires_at => '2001-01-01');
CALL disqualify_phone(NULL, '212 761 2847', source => 'b', expires_at => '2001-01-01');
SELECT s.number, p.source, p.reason, extract(year FROM p.expires_at) AS until, s.lift_reason FROM suppressed_phones AS s JOIN phone_suppressions AS p USING (entry) ORDER BY entry, number;
CALL expire_disqualifications('leads');
SELECT campaign_id, phone_disqualified, mobile_disqualified FROM leads WHERE campaign_id IN ('spring', 'autumn') ORDER BY id;
CALL requalify_phone(NULL, '212 761 2846', source => 'b');
CALL requalify_phone(NULL, '212 761 2846', source => 'a');
SELECT count(*) FROM leads WHERE phone_disqualified OR mobile_disqualified;
-- readings of all regions that hold it
INSERT INTO leads (campaign_id, phone, country) VALUES ('mx', '55 1234 5678', 'MX');
CALL disqualify_phone(NULL, '55 1234 5678');
SELECT phone, phone_disqualified FROM leads WHERE campaign_id = 'mx';
-- rebuilt, untracked and taken up again, a partition that comes: they stay out
SELECT rebuild_phone_counts('leads');
SELECT count(*) FROM verify_phone_counts('leads');
SELECT untrack_lead_phones('leads');
INSERT INTO leads (campaign_id, phone) VALUES ('later', '+525512345678');
SELECT total_leads FROM track_lead_phones('leads', region_column => 'country');
SELECT phone_disqualified FROM leads WHERE phone = '+525512345678';
SELECT * FROM verify_phone_counts('leads');
-- only at READ COMMITTED
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL disqualify_phone(NULL, '678 999 8212');
ROLLBACK;
-- the ledger is not dropped, and not altered
DROP TABLE suppressed_phones;
DROP TABLE phone_suppressions;
ALTER TABLE suppressed_phones DROP COLUMN lifted_at;
ALTER TABLE suppressed_phones RENAME TO elsewhere;
SET client_min_messages = warning;
DROP SCHEMA everywhere CASCADE;

-- A setting that is called as one of Citus's makes nobody callable, and lets nobody drop a ledger: it must be Citus's own.
CREATE SCHEMA no_citus;
CREATE TABLE no_citus.leads (campaign_id int, phone text);
SELECT FROM track_lead_phones('no_citus.leads');
CALL disqualify_phone(NULL, '678 999 8212', leads => 'no_citus.leads');
\c -
SET client_min_messages = warning;
SET citus.enable_unsafe_triggers = 'x';
SET application_name = 'citus_internal';
INSERT INTO no_citus.leads VALUES (1, '678 999 8212') RETURNING *;
DROP TABLE no_citus.campaign_phone_disqualifications;
SELECT * FROM verify_phone_counts('no_citus.leads');
RESET application_name;
DROP SCHEMA no_citus CASCADE;
