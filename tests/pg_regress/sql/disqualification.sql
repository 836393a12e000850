-- Disqualification: the scenario of the README, and the ledger.
\set SHOW_CONTEXT never
CREATE TABLE leads (id integer PRIMARY KEY, campaign_id bigint, name text, email text, account text, phone text, mobile text);
SELECT * FROM track_lead_phones('leads');
INSERT INTO leads VALUES
    (1, 42, 'John Smith', 'john@kw.example', 'Keller Williams', '+1-212-761-2846', '+1-678-999-8212'),
    (2, 42, 'John R. Smith', 'jrs@kwrealty.example', 'KW Realty', NULL, '+1-678-999-8212'),
    (3, 42, 'Jane Doe', 'jane@kw.example', 'Keller Williams', '+1-212-761-2846', '+1-832-723-4097'),
    (4, 42, 'Jane''s husband', 'hi@petshop.example', 'Petshop Supply', '+1-832-723-4097', NULL),
    (5, 43, 'John Smith', 'john@kw.example', 'Keller Williams', '+1-212-761-2846', '+1-678-999-8212');
CREATE VIEW marked AS
    SELECT campaign_id, id, name, phone_disqualified AS p, mobile_disqualified AS m FROM leads
     WHERE phone_disqualified OR mobile_disqualified ORDER BY id;
CREATE VIEW ledger AS
    SELECT campaign_id, phone, entry, source, reason, disqualified_by = current_user AS by_me,
           disqualified_at <= clock_timestamp() AS at, expires_at IS NOT NULL AS expires,
           lifted_by = current_user AS lifted_by_me, lift_reason
      FROM campaign_phone_disqualifications ORDER BY campaign_id, phone, entry;

-- John retires: the number is disqualified on both leads, in this campaign and in no other.
CALL disqualify_phone(42, '678 999 8212', reason => 'retired');
TABLE marked;
TABLE ledger;
SELECT * FROM verify_phone_counts('leads');

-- Again: nothing changes.
CALL disqualify_phone(42, '(678) 999-8212', 'retired');
TABLE ledger;

-- A lead uploaded next week arrives marked, in whichever column; so does an edit; and a lead that moves away loses the mark.
INSERT INTO leads VALUES (6, 42, 'J. Smith', NULL, NULL, '1 678.999.8212', NULL) RETURNING phone, phone_disqualified;
UPDATE leads SET phone = '678 999 8212' WHERE id = 4 RETURNING phone, phone_disqualified;
UPDATE leads SET phone = '832 723 4097' WHERE id = 4 RETURNING phone, phone_disqualified;
UPDATE leads SET campaign_id = 43 WHERE id = 6 RETURNING phone, phone_disqualified;
UPDATE leads SET campaign_id = 42 WHERE id = 6 RETURNING phone, phone_disqualified;
-- The marks are the ledger's, not the application's.
UPDATE leads SET phone_disqualified = true, mobile_disqualified = false WHERE campaign_id = 42;
TABLE marked;
SELECT * FROM verify_phone_counts('leads');

-- Two sources are independent: lifting one leaves the other.
CALL disqualify_phone(42, '678 999 8212', 'on the list', source => 'do-not-call list');
CALL requalify_phone(42, '678 999 8212', 'was a mistake', source => 'manual');
TABLE marked;
CALL requalify_phone(42, '678 999 8212', 'list corrected', source => 'do-not-call list');
TABLE marked;
TABLE ledger;
SELECT * FROM verify_phone_counts('leads');
-- Nothing is in force: nothing to lift.
CALL requalify_phone(42, '678 999 8212');

-- The same source with another reason or time: the old entry is replaced, and stays in the ledger.
CALL disqualify_phone(42, '678 999 8212', 'wrong person');
CALL disqualify_phone(42, '678 999 8212', 'asked not to be called', expires_at => now() + interval '1 year');
CALL requalify_phone(42, '678 999 8212');
SELECT entry, reason, expires, lift_reason FROM ledger WHERE entry > 2;

-- A number that no lead holds yet is found by the later upload; one that no lead holds any more stays while it is disqualified.
CALL disqualify_phone(42, '650 253 0000');
SELECT * FROM campaign_phone_counts WHERE phone = '+16502530000';
INSERT INTO leads VALUES (7, 42, 'Later', NULL, NULL, NULL, '650 253 0000') RETURNING mobile_disqualified;
DELETE FROM leads WHERE id = 7;
SELECT * FROM campaign_phone_counts WHERE phone = '+16502530000';
CALL requalify_phone(42, '650 253 0000');
SELECT * FROM campaign_phone_counts WHERE phone = '+16502530000';
SELECT * FROM verify_phone_counts('leads');

-- Past its time, an entry is lifted by expire_disqualifications().
CALL disqualify_phone(42, '832 723 4097', expires_at => now() - interval '1 second');
TABLE marked;
CALL expire_disqualifications();
TABLE marked;
SELECT lift_reason FROM ledger WHERE phone = '+18327234097';
SELECT * FROM verify_phone_counts('leads');

-- Tracking and counting again keep disqualifications.
CALL disqualify_phone(42, '832 723 4097');
SELECT untrack_lead_phones('leads');
DROP TABLE campaign_phone_counts;
SELECT * FROM track_lead_phones('leads');
TABLE marked;
SELECT rebuild_phone_counts('leads');
SELECT * FROM verify_phone_counts('leads');

-- Roles: EXECUTE on the procedures is all that a caller needs, and gives nothing else; an uploader needs INSERT alone.
CREATE ROLE regress_caller;
CREATE ROLE regress_uploader;
GRANT USAGE ON SCHEMA public TO regress_caller, regress_uploader;
GRANT INSERT ON leads TO regress_uploader;
SET ROLE regress_uploader;
INSERT INTO leads (id, campaign_id, phone) VALUES (100, 42, '832.723.4097');
SELECT * FROM campaign_phone_counts;
UPDATE campaign_phone_counts SET disqualified = false;
CALL disqualify_phone(42, '832 723 4097');
SELECT lead_phones_as_owner('leads', 'disqualify', '{"campaign": "42", "phone": "+16502530000", "source": "x"}');
RESET ROLE;
GRANT EXECUTE ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) TO regress_caller;
SET ROLE regress_caller;
CALL disqualify_phone(42, '212 761 2846', 'moved');
SELECT * FROM leads;
SELECT * FROM campaign_phone_disqualifications;
CALL requalify_phone(42, '212 761 2846');
RESET ROLE;
SELECT disqualified_by, reason FROM campaign_phone_disqualifications WHERE phone = '+12127612846';
SELECT phone_disqualified FROM leads WHERE id = 100;
SELECT * FROM verify_phone_counts('leads');
DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications CASCADE;
REVOKE ALL ON PROCEDURE disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, e164, bigint) FROM regress_caller;
REVOKE ALL ON SCHEMA public FROM regress_caller, regress_uploader;
DROP ROLE regress_caller, regress_uploader;
