-- Calls: the gate, what comes of a call for all who share the number, limits, and who gets which lead.
\set SHOW_CONTEXT never
\pset null -
SET client_min_messages = warning;
CREATE SCHEMA crm;
SET search_path = crm, public;
SET timezone = 'UTC';
SELECT create_lead_tables();
INSERT INTO campaigns (campaign_id, name) VALUES (1, 'brokers'), (2, 'pets');
INSERT INTO leads (campaign_id, lead_id, email, name, company, phone, mobile) VALUES
    (1, 1, 'john@kw.example', 'John Smith', 'Keller Williams', '212-761-2846', '678-999-8212'),
    (1, 2, 'jrs@kwrealty.example', 'John R. Smith', 'KW Realty', NULL, '1 678 999 8212'),
    (1, 3, 'jane@kw.example', 'Jane Doe', 'Keller Williams', '212-761-2846', '832-723-4097'),
    (1, 4, 'hi@petshop.example', 'Jane''s husband', 'Petshop Supply', '832-723-4097', NULL),
    (1, 5, 'nobody@petshop.example', 'Nobody', 'Petshop Supply', 'n/a', NULL),
    (2, 6, 'john@kw.example', 'John Smith', 'Keller Williams', NULL, '678-999-8212');
SELECT setval('leads_lead_id_seq', 100) \g /dev/null
-- what a caller gets: an attempt, or why not, without the times
CREATE FUNCTION dial(lead bigint, phone text DEFAULT NULL, caller text DEFAULT 'ann') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    call_id bigint; allowed boolean; number e164; refusals jsonb;
BEGIN
    CALL start_call(lead, phone, caller, call_id => call_id, allowed => allowed, number => number, refusals => refusals);
    RETURN CASE WHEN allowed THEN format('call %s of %s', call_id, number)
        ELSE (SELECT string_agg(concat_ws(' ', r ->> 'number', r ->> 'kind', '(' || (r ->> 'reason') || ')', 'until ' || date_trunc('hour', (r ->> 'until')::timestamptz - now() + interval '5 min')), '; ')
                FROM jsonb_array_elements(refusals) AS r) END;
END $$;
CREATE FUNCTION hang_up(call bigint, disposition text, note text DEFAULT NULL, callback_at timestamptz DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CALL end_call(call, disposition, note, callback_at);
END $$;
CREATE VIEW callable AS SELECT lead_id, phone, mobile FROM callable_leads ORDER BY lead_id;
SELECT name, disqualifies, rests, everywhere, calls_back, is_attempt FROM dispositions ORDER BY name;
TABLE callable;

-- John's voicemail at Keller Williams has the number rest at KW Realty; in this campaign.
SELECT dial(1, 'mobile');
SELECT dial(2, caller => 'bob');
SELECT dial(6, caller => 'bob');
SELECT hang_up(1, 'Voicemail ', 'beep');
SELECT dial(2, caller => 'bob');
SELECT dial(6, caller => 'bob');
TABLE callable;
SELECT blocks, kind, subject, source, reason, lift FROM lead_status(2);
-- the person's other number
SELECT dial(1);
SELECT hang_up(3, 'no answer');
SELECT dial(3);
SELECT hang_up(4, 'connected');
SELECT hang_up(2, 'connected');
SELECT call_id, lead_id, number, caller, disposition, note, is_attempt, ended_at >= started_at AS has_ended FROM calls ORDER BY call_id;

-- Corrected: what followed is undone, exactly, and both are in the log.
SELECT hang_up(1, 'retired', 'so he says');
SELECT dial(2);
SELECT kind, source, reason, lift FROM lead_status(2);
SELECT hang_up(1, 'wrong number');
SELECT hang_up(1, 'not dialed');
SELECT dial(2, caller => 'bob');
SELECT hang_up(5, 'retired');
SELECT campaign_id, phone, source, reason, lifted_at IS NOT NULL AS is_lifted, lift_reason FROM campaign_phone_disqualifications ORDER BY entry;
SELECT outcome, call_id, disposition, note, disqualified, subject, entry, corrected_at IS NOT NULL AS is_corrected FROM call_outcomes ORDER BY outcome;
-- another entry is in force, and one of another call
CALL disqualify_phone(1, '678 999 8212', 'heard it elsewhere');
SELECT hang_up(1, 'retired');
SELECT hang_up(5, 'connected');
SELECT kind, source FROM lead_status(2) ORDER BY 2;
SELECT hang_up(1, 'not dialed');
SELECT kind, source FROM lead_status(2) ORDER BY 2;
CALL requalify_phone(1, '678 999 8212');
-- the source is that of calls
CALL disqualify_phone(1, '678 999 8212', 'by hand', source => 'disposition');
CALL disqualify_contact(1, 1, source => 'disposition');
SELECT count(*) FROM lead_status(2);

-- Everywhere; an account; a contact; of who has no company, the contact.
SELECT hang_up(5, 'do not call');
SELECT dial(6);
SELECT hang_up(5, 'connected');
TABLE callable;
INSERT INTO dispositions (name, disqualifies, description) VALUES ('company says no', 'account', 'our own'), ('person says no', 'contact', 'our own');
SELECT hang_up(5, 'company says no');
TABLE callable;
SELECT hang_up(4, 'person says no');
TABLE callable;
SELECT kind, source, reason, lift FROM lead_reasons WHERE lead_id IN (2, 3) AND blocks = 'lead' ORDER BY lead_id;
SELECT hang_up(5, 'connected');
SELECT hang_up(4, 'connected');
UPDATE contacts SET account_id = NULL WHERE name = 'Jane Doe';
SELECT hang_up(4, 'company says no');
SELECT disqualified FROM call_outcomes ORDER BY outcome DESC LIMIT 1;
SELECT hang_up(4, 'connected');
TABLE callable;
SELECT verify_phone_counts('contacts');

-- Exactly what the outcome itself has entered: not what another says of a company of the same name, nor what was lifted by hand.
INSERT INTO leads (campaign_id, lead_id, name, company, website, phone) VALUES (1, 20, 'East', 'Acme Corp', 'acme-east.example', '415 555 2601'), (1, 21, 'West', 'Acme Corp', 'acme-west.example', '415 555 2602');
SELECT dial(20) ~ '^call', dial(21) ~ '^call';
SELECT hang_up(call_id, 'company says no', name) FROM calls JOIN leads USING (campaign_id, lead_id) WHERE lead_id IN (20, 21) ORDER BY lead_id;
SELECT hang_up(call_id, 'connected') FROM calls WHERE lead_id = 21;
SELECT dial(20), dial(21);
SELECT hang_up(call_id, 'connected') FROM calls WHERE lead_id = 20;
SELECT dial(20) ~ '^call', dial(21) ~ '^call';
SELECT hang_up(max(call_id), 'retired') FROM calls WHERE lead_id = 20;
CALL requalify_phone(1, '415 555 2601');
SELECT dial(20) ~ '^call';
SELECT hang_up(max(call_id), 'retired') FROM calls WHERE lead_id = 20;
SELECT hang_up(max(call_id), 'connected') FROM calls WHERE lead_id = 20;
SELECT dial(20) ~ '^call';
-- of a campaign that is gone, a call can be ended
INSERT INTO campaigns (campaign_id, name) VALUES (3, 'short');
INSERT INTO leads (campaign_id, lead_id, name, phone) VALUES (3, 30, 'Last', '415 555 2630');
SELECT dial(30) ~ '^call';
DELETE FROM campaigns WHERE campaign_id = 3;
SELECT hang_up(max(call_id), 'retired') FROM calls WHERE lead_id = 30;
SELECT hang_up(max(call_id), 'connected') FROM calls WHERE lead_id = 30;
DELETE FROM leads WHERE lead_id >= 20;
DELETE FROM calls WHERE lead_id >= 20;
SELECT setval('calls_call_id_seq', 5) \g /dev/null

-- Call back: until then the number rests, for everybody; then it comes first.
SELECT hang_up(4, 'call back');
SELECT hang_up(4, 'connected', callback_at => '2030-01-01');
SELECT hang_up(4, 'call back', callback_at => 'infinity');
SELECT hang_up(4, 'call back', 'after lunch', now() + interval '3 hours');
-- a correction puts the lead off as the outcome does: another of its numbers is not given before
SELECT l.lead_id, l.due_at = k.callback_at AS is_as_corrected FROM calls AS k JOIN leads AS l USING (campaign_id, lead_id) WHERE k.call_id = 4;
SELECT dial(1, 'phone'), dial(4);
UPDATE call_outcomes SET callback_at = now(), rests_until = now() WHERE callback_at IS NOT NULL AND corrected_at IS NULL;
UPDATE leads SET due_at = now() WHERE lead_id = 3;
SELECT lead_id, phone, mobile, claimed_until - now() > '9 min' AS is_claimed FROM next_leads(1, 'bob');

-- Claims: nobody else gets the person or the number, nor calls it.
SELECT lead_id, phone, mobile FROM next_leads(1, 'ann', 5);
SELECT lead_id FROM next_leads(1, 'cid', 5);
SELECT dial(3, 'mobile', 'ann'), dial(4, caller => 'ann');
SELECT dial(3, 'mobile', 'bob');
SELECT count(*) FROM lead_claims WHERE lead_id = 3;
SELECT hang_up(6, 'busy');
-- a claim that runs out
UPDATE lead_claims SET claimed_until = now();
UPDATE leads SET due_at = now() WHERE lead_id = 2;
SELECT lead_id FROM next_leads(1, 'cid', 5);
-- who may be called again is given at once
UPDATE lead_claims SET claimed_until = now();
UPDATE leads SET due_at = now() WHERE lead_id = 2;
CALL disqualify_phone(1, '678 999 8212', leads => 'leads');
SELECT mobile FROM next_leads(1, 'cid', 5) WHERE mobile = '+16789998212';
CALL requalify_phone(1, '678 999 8212', leads => 'leads');
SELECT mobile FROM next_leads(1, 'cid', 5) WHERE mobile = '+16789998212';
UPDATE lead_claims SET claimed_until = now();
UPDATE leads SET due_at = now() WHERE lead_id = 2;
SELECT contact_id AS john FROM leads WHERE lead_id = 2 \gset
CALL disqualify_contact(1, :john);
SELECT lead_id FROM next_leads(1, 'cid', 5) WHERE lead_id = 2;
CALL requalify_contact(1, :john);
SELECT lead_id FROM next_leads(1, 'cid', 5) WHERE lead_id = 2;
-- orders
UPDATE lead_claims SET claimed_until = now();
UPDATE leads SET due_at = CASE WHEN lead_id IN (1, 2) THEN '-infinity'::timestamptz ELSE now() - interval '1 hour' * lead_id END;
UPDATE call_outcomes SET rests_until = NULL;
INSERT INTO leads (campaign_id, lead_id, name, phone) VALUES (1, 7, 'New', '832 723 4098');
CREATE FUNCTION in_order(wanted text) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    found bigint[];
BEGIN
    UPDATE campaigns SET call_order = wanted WHERE campaign_id = 1;
    found := ARRAY(SELECT lead_id FROM next_leads(1, 'dan', 10));
    RAISE SQLSTATE 'LP001';
EXCEPTION WHEN SQLSTATE 'LP001' THEN
    RETURN found;
END $$;
SELECT o, in_order(o) FROM unnest('{oldest,newest,retries}'::text[]) AS o;

-- Attempts: in 24 hours, in all; in a campaign, or in all of them; rest between them.
TRUNCATE calls, call_outcomes, lead_claims;
UPDATE leads SET due_at = '-infinity';
INSERT INTO calls (campaign_id, lead_id, contact_id, number, caller, started_by, started_at, ended_at, is_attempt)
SELECT 2, 6, 1, '+16789998212', 'ann', 'ann', now() - a, now() - a, a <> '2 hours' FROM unnest('{30 hours,20 hours,10 hours,2 hours}'::interval[]) AS a;
INSERT INTO call_rules (rule, attempts_in_24_hours) VALUES (101, 3);
SELECT dial(2);
DELETE FROM calls WHERE ended_at IS NULL;
UPDATE call_rules SET attempts_in_24_hours = 2 WHERE rule = 101;
SELECT dial(2), dial(1);
SELECT hang_up(max(call_id), 'connected') FROM calls;
SELECT kind, source, reason, lift FROM lead_status(2);
UPDATE call_rules SET campaign_id = 1 WHERE rule = 101;
SELECT dial(2), dial(6);
DELETE FROM calls WHERE ended_at IS NULL;
UPDATE call_rules SET campaign_id = 2, attempts_in_24_hours = NULL, attempts_in_all = 3 WHERE rule = 101;
SELECT dial(6), dial(2);
DELETE FROM calls WHERE ended_at IS NULL;
UPDATE call_rules SET campaign_id = NULL, attempts_in_all = NULL, rest = '12 hours' WHERE rule = 101;
SELECT dial(2);
DELETE FROM call_rules WHERE rule = 101;

-- Hours, where the number may ring and where the person is: both must allow. What is not known is refused.
SELECT region, state, attempts_in_24_hours, weekdays, opens, closes, is_on, source FROM call_rules ORDER BY rule;
-- a rule that allows no minute, of a region, a state
INSERT INTO call_rules (rule, region, state, opens, closes, source) VALUES (102, 'US', 'GA', '00:00', '00:00', 'Georgia is closed');
SELECT dial(2), dial(1, 'phone');
DELETE FROM calls WHERE ended_at IS NULL;
-- by the state of the person: by its code or name
UPDATE contacts SET state = 'georgia' WHERE name = 'Jane''s husband';
SELECT dial(4);
UPDATE contacts SET state = NULL WHERE name = 'Jane''s husband';
-- as a file says, and then a later row
CREATE TEMPORARY TABLE staging (email text, phone text, "State/Province" text, "Time Zone" text);
INSERT INTO staging VALUES ('hi@petshop.example', '832 723 4097', 'Texas', 'America/Chicago'), ('hi@petshop.example', '832 723 4097', ' Georgia ', NULL);
CALL upload_leads(1, 'staging') \g /dev/null
SELECT c.state, c.time_zone, l.custom FROM contacts AS c JOIN leads AS l USING (campaign_id, contact_id) WHERE c.email = 'hi@petshop.example' AND l.upload_id IS NOT NULL ORDER BY lead_id;
SELECT dial(4);
DELETE FROM leads WHERE upload_id IS NOT NULL;
UPDATE contacts SET state = NULL, time_zone = NULL WHERE name = 'Jane''s husband';
-- what is no state is none that is known: those of all of them
UPDATE contacts SET state = 'Ga., probably' WHERE name = 'Jane Doe';
SELECT regexp_replace(dial(3, 'mobile'), 'in .*', '...');
UPDATE contacts SET state = NULL WHERE name = 'Jane Doe';
SELECT lead_phones_states('+493012345678', 'Bayern', 'DE'), lead_phones_states('+16789998212', 'Fla.', 'US'), lead_phones_states('+17872345678', 'florida', NULL);
-- of an area that has no state, those of all of them
INSERT INTO leads (campaign_id, lead_id, name, phone) VALUES (1, 8, 'Toll free', '800 234 5678'), (1, 9, 'London', '+44 20 7946 0018');
SELECT regexp_replace(dial(8), 'in .*', '...'), dial(9);
DELETE FROM calls WHERE ended_at IS NULL;
UPDATE contacts SET state = 'GA' WHERE name = 'London';
SELECT dial(9);
UPDATE contacts SET state = NULL WHERE name = 'London';
-- hours and zones that disagree
UPDATE call_rules SET region = NULL, state = NULL, opens = '00:00', closes = '24:00', holidays = ARRAY[(clock_timestamp() AT TIME ZONE 'Pacific/Kiritimati')::date] WHERE rule = 102;
UPDATE contacts SET time_zone = 'Pacific/Kiritimati' WHERE name = 'London';
SELECT dial(9) LIKE '+442079460018 hours (not at this hour in Europe/London, Pacific/Kiritimati) until%';
SELECT z, lead_phones_is_open(z, '{1,2,3,4,5,6,7}'::integer[], '00:00'::time, '24:00'::time, '{}'::date[], now())
  FROM unnest('{UTC,America/Port-au-Prince,UTC-8,America/Chicago8,(UTC-08:00) Pacific Time,EST5EDT,localtime,Factory,right/UTC,a1b}'::text[]) AS z;
UPDATE contacts SET time_zone = 'Europe/Berlin,Europe/Oslo' WHERE name = 'London';
SELECT dial(9);
UPDATE contacts SET time_zone = 'Mars/Olympus' WHERE name = 'London';
SELECT dial(9);
SELECT lift FROM lead_status(9);
UPDATE contacts SET time_zone = NULL;
UPDATE call_rules SET holidays = '{2000-01-01}' WHERE rule = 102;
SELECT dial(9);
DELETE FROM calls WHERE ended_at IS NULL;
DELETE FROM call_rules WHERE rule = 102;
-- numbers of territories belong to the country, those of no country to all
SELECT n, lead_phones_call_regions(n) FROM unnest('{+17872345678,+13406421234,+16716465000,+80012345678,+442079460018,+16789998212}'::text[]) AS n;
-- wherever the clocks change
SELECT z, at, is_open, opens_at AT TIME ZONE z AS opens_at
  FROM (VALUES ('America/New_York', '2026-03-08 06:59Z'::timestamptz), ('America/New_York', '2026-03-08 07:00Z'), ('America/New_York', '2026-11-01 05:59Z'), ('America/New_York', '2026-11-01 06:59Z'),
               ('Australia/Lord_Howe', '2026-04-04 15:00Z'), ('Europe/Berlin', '2026-10-25 00:30Z'), ('Asia/Tehran', '2026-03-21 00:00Z')) AS t (z, at)
 CROSS JOIN LATERAL (SELECT lead_phones_is_open(z, '{1,2,3,4,5,6,7}'::integer[], '02:30'::time, '20:00'::time, '{}'::date[], at) AS is_open,
                            lead_phones_opens_at(z, '{1,2,3,4,5,6,7}'::integer[], '02:30'::time, '20:00'::time, '{}'::date[], at) AS opens_at) AS h;
SELECT lead_phones_is_open(NULL, NULL::integer[], NULL::time, NULL::time, NULL::date[], NULL::timestamptz), lead_phones_is_open('', '{1}'::integer[], NULL::time, NULL::time, '{}'::date[], now()), lead_phones_zones(NULL, NULL, NULL), lead_phones_states(NULL, NULL, NULL), lead_phones_call_regions(NULL);
SELECT lead_phones_opens_at('UTC', '{1,2,3,4,5,6,7}'::integer[], '00:00'::time, '00:00'::time, '{}'::date[], now());

-- Who is disqualified is not called, by whatever entry; nor who was disqualified just now.
SELECT account_id AS petshop FROM accounts WHERE campaign_id = 1 AND domain = 'petshop.example' \gset
CALL disqualify_account(1, :petshop);
CALL suppress_domains(ARRAY['kwrealty.example']);
SELECT dial(4), dial(2), dial(5);
SELECT lead_id FROM next_leads(1, 'ann', 100);

-- Mistakes.
SELECT dial(99);
SELECT dial(NULL);
SELECT dial(1, '212 555 1234');
SELECT dial(1, '(212) 761-2846', 'eve');
SELECT hang_up(12345, 'connected');
SELECT hang_up(NULL, 'connected');
SELECT hang_up((SELECT max(call_id) FROM calls), NULL);
SELECT hang_up((SELECT max(call_id) FROM calls), 'gone fishing');
SELECT * FROM next_leads(99);
SELECT * FROM next_leads(NULL);
SELECT * FROM next_leads(1, how_many => 0);
CALL start_call(1, leads => NULL);
CALL start_call(1, leads => 'pg_class');
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL start_call(3);
ROLLBACK;
BEGIN READ ONLY;
CALL start_call(3);
ROLLBACK;
INSERT INTO dispositions (name, disqualifies, everywhere) VALUES ('x', 'account', true);
INSERT INTO call_rules (state) VALUES ('FL');
INSERT INTO call_rules (region, state) VALUES ('US', 'Narnia');
INSERT INTO call_rules (region) VALUES ('UK');
INSERT INTO call_rules (region, state) VALUES ('US', '');
INSERT INTO call_rules (opens) VALUES ('09:00');
INSERT INTO call_rules (rest) VALUES ('300000 years');

-- A caller has three rights and no other.
CREATE ROLE regress_rep;
GRANT USAGE ON SCHEMA crm TO regress_rep;
SET ROLE regress_rep;
CALL start_call(3, 'mobile', 'rep', leads => 'crm.leads');
SELECT * FROM next_leads(1, 'rep', leads => 'crm.leads');
RESET ROLE;
-- nor by a procedure of the caller's own beside them
GRANT CREATE ON SCHEMA public TO regress_rep;
SET ROLE regress_rep;
CREATE PROCEDURE public.start_call() LANGUAGE sql AS 'SELECT';
GRANT EXECUTE ON PROCEDURE public.start_call() TO regress_rep;
CALL start_call(3, 'mobile', 'rep', leads => 'crm.leads');
DROP PROCEDURE public.start_call();
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_rep;
GRANT EXECUTE ON PROCEDURE start_call(bigint, text, text, regclass, bigint, boolean, e164, jsonb), end_call(bigint, text, text, timestamptz, regclass) TO regress_rep;
GRANT EXECUTE ON FUNCTION next_leads(bigint, text, integer, regclass) TO regress_rep;
DELETE FROM calls WHERE ended_at IS NULL;
DELETE FROM lead_claims;
SELECT setval('calls_call_id_seq', 1000) \g /dev/null
SET ROLE regress_rep;
CALL start_call(3, 'mobile', leads => 'crm.leads');
CALL end_call(1001, 'busy', leads => 'crm.leads');
SELECT lead_id FROM next_leads(1, 'rep', leads => 'crm.leads');
UPDATE calls SET note = 'never happened';
DELETE FROM calls;
SELECT count(*) FROM call_outcomes;
CALL disqualify_phone(1, '212 761 2846', leads => 'crm.contacts');
RESET ROLE;
SELECT caller, started_by, disposition FROM calls WHERE call_id = 1001;
SELECT verify_phone_counts('contacts');

DROP OWNED BY regress_rep;
DROP ROLE regress_rep;
DROP SCHEMA crm CASCADE;
