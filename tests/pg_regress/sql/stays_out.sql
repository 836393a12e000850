-- Who is out stays out: no upload, insert, edit, deletion, spelling or company brings anybody back.
\set SHOW_CONTEXT never
\pset null -
CREATE SCHEMA crm;
SET search_path = crm, public;
SET timezone = 'UTC';
SELECT create_lead_tables();
INSERT INTO campaigns (campaign_id, name) VALUES (1, 'one'), (2, 'two');
CREATE VIEW dialed AS SELECT campaign_id, name, phone FROM callable_leads ORDER BY campaign_id, lead_id;

-- Another company: a person does not leave one that is out by coming again with another.
INSERT INTO leads (campaign_id, name, email, company, phone) VALUES (1, 'Bob', 'bob@acme.example', 'Acme', '415 555 2601'), (1, 'Eve', 'eve@gmail.com', 'Acme', '415 555 2602');
SELECT account_id AS acme FROM accounts WHERE domain = 'acme.example' \gset
CALL disqualify_account(1, :acme, 'competitor');
CREATE TEMPORARY TABLE again (name text, email text, company text, website text, phone text);
INSERT INTO again VALUES ('Bob', 'bob@acme.example', NULL, 'https://www.linkedin.com/in/bob', '415 555 2601'), ('Eve', 'eve@gmail.com', 'Other', 'https://other.example', '415 555 2602'),
    ('New', 'new@other.example', 'Other', NULL, '415 555 2603');
CALL upload_leads(1, 'again') \gx
SELECT row_number, column_name, raw_value, reason FROM lead_upload_problems ORDER BY 1, 2;
INSERT INTO leads (campaign_id, name, email, company, website, phone) VALUES (1, 'Bob', 'BOB@acme.example', 'Third', 'third.example', '415 555 2601');
SELECT * FROM dialed;
SELECT c.name, a.name, a.domain FROM contacts AS c LEFT JOIN accounts AS a USING (campaign_id, account_id) ORDER BY contact_id;
-- by an edit, a new name of the company, or as somebody new
UPDATE contacts SET account_id = (SELECT account_id FROM accounts WHERE domain = 'other.example') WHERE name = 'Eve';
UPDATE contacts SET account_id = NULL, email = 'bob@gmail.com' WHERE name = 'Bob';
UPDATE accounts SET name = 'Nova', domain = 'HTTPS://WWW.Nova.example/' WHERE account_id = :acme;
SELECT domain FROM accounts WHERE account_id = :acme;
DELETE FROM contacts WHERE name <> 'New';
DELETE FROM accounts WHERE account_id = :acme;
INSERT INTO leads (campaign_id, name, email, company, phone) VALUES (1, 'Bob', 'bob@gmail.com', 'Fourth', '415 555 2601'), (1, 'Bob', 'bob@acme.example', NULL, '415 555 2601'),
    (1, 'Eve', 'EVE@gmail.com', NULL, '415 555 2602'), (1, 'Nat', NULL, 'nova', '415 555 2604'), (1, 'Ned', 'ned@mail.nova.example', 'Ned', '415 555 2605');
SELECT * FROM dialed;
-- a row of two companies, one of which is out
INSERT INTO leads (campaign_id, name, company, phone) VALUES (2, 'a', 'Beta', '415 555 2610'), (2, 'b', 'Beta Corp', '415 555 2611');
SELECT account_id AS beta FROM accounts WHERE name = 'Beta Corp' \gset
CALL disqualify_account(2, :beta);
TRUNCATE again;
INSERT INTO again VALUES ('c', 'c@beta.example', 'Beta', NULL, '415 555 2612'), ('d', 'd@beta.example', 'Beta Corp', NULL, '415 555 2613'), ('e', 'e@gmail.com', 'Delta', NULL, '415 555 2614'),
    ('e', 'e@gmail.com', 'beta-CORP', NULL, '415 555 2614'), ('e', 'e@gmail.com', 'Delta', NULL, '415 555 2614');
CALL upload_leads(2, 'again') \gx
SELECT * FROM dialed WHERE campaign_id = 2;
CALL requalify_account(2, :beta);
SELECT name FROM dialed WHERE campaign_id = 2;
DELETE FROM contacts;

-- Spellings of addresses and domains.
CALL suppress_domains('{kw.example,étoile.example}'::text[]);
INSERT INTO leads (campaign_id, name, email, website, phone) SELECT 1, s.email || ' ' || s.website, s.email, s.website, '415 555 2620' FROM (VALUES
    ('john/sales@kw.example', ''), ('<john@kw.example>', ''), ('John Smith <js@kw.example>', ''), ('c@kw.example,', ''), (E'd@kw.example\u200b', ''), ('ｅ＠ｋｗ．ｅｘａｍｐｌｅ', ''),
    ('f@mail.kw.example', ''), ('g@xn--toile-9ra.example', ''), (E'h@e\u0301toile.example', ''), ('i@ÉTOILE.example (work)', ''), ('j@kw.example; j@gmail.com', ''), ('k@kw.example.', ''),
    ('l@gmail.com', 'http:/kw.example'), ('m@gmail.com', '(kw.example)'), ('n@gmail.com', 'HTTPS://WWW.KW.EXAMPLE:443/x'), ('o@gmail.com', 'shop.kw.example'), ('p@gmail.com', 'https://xn--toile-9ra.example'),
    ('q@notkw.example', ''), ('r@kw.example.org', '')) AS s (email, website);
SELECT name FROM dialed;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (2, 'moved', 'moved@free.example', '415 555 2621');
UPDATE accounts SET domain = 'KW.Example' WHERE domain = 'free.example';
SELECT count(*) FROM dialed WHERE campaign_id = 2;
CALL suppress_domains('{com,co.uk,kw.example}'::text[]);
DELETE FROM contacts;
-- one person, however the address is written
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Zoë', 'zoe@other.example', '415 555 2622');
SELECT contact_id AS zoe FROM contacts \gset
CALL disqualify_contact(1, :zoe);
INSERT INTO leads (campaign_id, name, email, phone) SELECT 1, 'Zoë', s, '415 555 2622' FROM unnest(ARRAY['ZOE@OTHER.EXAMPLE', 'Zoë <zoe@other.example>', 'mailto:zoe@other.example', E'zo\u00ade@other.example', 'zoe@www.other.example']) AS s;
SELECT count(*), count(DISTINCT contact_id) FROM leads;
SELECT * FROM dialed;

-- Deleted, and back: the entry holds the address; of who has none, name and number.
DELETE FROM contacts;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Zoë', 'zoe@other.example', '415 555 2623'), (1, 'Anon', NULL, '415 555 2624');
SELECT contact_id AS anon FROM contacts WHERE name = 'Anon' \gset
CALL disqualify_contact(1, :anon);
DELETE FROM contacts;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Zoë', 'zoe@other.example', '415 555 2623'), (1, 'ANON', 'n/a', '(415) 555-2624'), (1, 'Anon', NULL, '415 555 2625');
SELECT name, phone FROM dialed;
UPDATE contacts SET email = 'z@other.example' WHERE name = 'Zoë';
DELETE FROM contacts;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Zoë', 'z@other.example', '415 555 2623');
SELECT name, phone FROM dialed;
SELECT lift FROM lead_status((SELECT max(lead_id) FROM leads)) \gexec
SELECT name, phone FROM dialed;
SELECT contact_id AS zoe FROM contacts WHERE name = 'Zoë' \gset
CALL disqualify_contact(1, :zoe);
TRUNCATE contacts CASCADE;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Zoë', 'z@other.example', '415 555 2623');
SELECT name, phone FROM dialed;
SELECT contact_id AS zoe FROM contacts \gset
CALL requalify_contact(1, :zoe);
SELECT name, phone FROM dialed;
DELETE FROM contacts;

-- a person known by name and number is known by each number, in whatever order they come
INSERT INTO leads (campaign_id, name, phone) VALUES (1, 'Duo', '415 555 2641');
SELECT contact_id AS duo FROM contacts WHERE name = 'Duo' \gset
INSERT INTO leads (campaign_id, name, phone, mobile) VALUES (1, 'Duo', '415 555 2642', '415 555 2643'), (1, 'Duo', '415 555 2642', '415 555 2641');
CALL disqualify_contact(1, :duo);
INSERT INTO leads (campaign_id, name, phone, mobile) VALUES (1, 'Duo', '415 555 2643', NULL), (1, 'Duo', '415 555 2644', '415 555 2641'), (1, 'Other', '415 555 2643', NULL);
INSERT INTO leads (campaign_id, name, phone) VALUES (1, 'Duo', '415 555 2642'), (1, 'Duo', '415 555 2644'), (1, 'Duo', '415 555 2645');
SELECT name, phone FROM dialed;
UPDATE contacts SET mobile = '415 555 2644' WHERE phone = '+14155552645';
DELETE FROM contacts WHERE mobile = '+14155552644';
INSERT INTO leads (campaign_id, name, phone) VALUES (1, 'Duo', '415 555 2645');
SELECT name, phone FROM dialed;
-- also when the person comes with an address, and then with another number
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Duo', 'duo@other.example', '415 555 2645');
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Duo', 'duo@other.example', '415 555 2646');
SELECT name, phone FROM dialed;
CALL requalify_contact(1, :duo);
SELECT count(*) FROM dialed WHERE name = 'Duo';
DELETE FROM contacts;

-- an entry against one row that holds for another is not replaced by one against that
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Ann', 'ann@other.example', '415 555 2651'), (1, 'Duo', NULL, '415 555 2652'), (1, 'Duo', NULL, '415 555 2652');
SELECT min(contact_id) AS duo, max(contact_id) AS second FROM contacts WHERE name = 'Duo' \gset
SELECT contact_id AS ann FROM contacts WHERE name = 'Ann' \gset
CALL disqualify_contact(1, :duo, 'never call');
UPDATE contacts SET phone = '415 555 2653' WHERE contact_id = :second;
CALL disqualify_contact(1, :second, 'busy', expires_at => '2001-01-01');
CALL disqualify_contact(1, :ann, 'never call');
DELETE FROM contacts WHERE contact_id = :ann;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Ann', 'ann@other.example', '415 555 2651');
UPDATE contacts SET email = 'ann@more.example' WHERE name = 'Ann';
SELECT contact_id AS ann FROM contacts WHERE name = 'Ann' \gset
CALL disqualify_contact(1, :ann, 'busy', expires_at => '2001-01-01');
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Ann', 'ann@other.example', '415 555 2651');
SELECT name, phone FROM dialed;
-- a company that goes together with its people; a row that becomes another
INSERT INTO leads (campaign_id, name, email, company, website, phone) VALUES (1, 'Eve', 'eve@gmail.com', 'Gone', NULL, '415 555 2654'), (1, 'Fay', 'fay@gmail.com', 'Kay Dub', 'gone.example', '415 555 2655'),
    (1, 'Gus', 'gus@gmail.com', 'Hidden', 'hidden.example', '415 555 2656'), (1, 'Ida', 'ida@kept.example', NULL, NULL, '415 555 2657');
SELECT account_id AS gone FROM accounts WHERE name = 'Gone' \gset
CALL disqualify_account(1, :gone);
CALL suppress_domains('{gone.example,hidden.example,kept.example}'::text[]);
WITH x AS (UPDATE accounts SET domain = 'shown.example' WHERE domain = 'hidden.example') UPDATE contacts SET account_id = NULL, email = 'g@gmail.com' WHERE name = 'Gus';
DELETE FROM leads WHERE name = 'Ida';
UPDATE contacts SET contact_id = -contact_id, campaign_id = 2, account_id = NULL, email = 'ida@gmail.com' WHERE name = 'Ida';
INSERT INTO leads (campaign_id, name, email, phone) VALUES (2, 'Ida', 'ida@gmail.com', '415 555 2657');
WITH x AS (DELETE FROM contacts WHERE campaign_id = 1) DELETE FROM accounts WHERE campaign_id = 1;
INSERT INTO leads (campaign_id, name, email, company, phone) VALUES (1, 'Eve', 'eve@gmail.com', NULL, '415 555 2654'), (1, 'Fay', 'fay@gmail.com', NULL, '415 555 2655'),
    (1, 'Gus', 'gus@gmail.com', NULL, '415 555 2656'), (1, 'Gus', 'g@gmail.com', NULL, '415 555 2656');
SELECT name, phone FROM dialed;
DELETE FROM contacts;
-- a corrected company takes no other with it that has its name
INSERT INTO leads (campaign_id, name, email, company, website, phone) VALUES (2, 'Ike', 'ike@gmail.com', 'n/a', 'ike.example', '415 555 2663'), (2, 'Jan', 'jan@gmail.com', 'N.A.', 'jan.example', '415 555 2664');
CALL suppress_domains('{ike.example}'::text[]);
UPDATE accounts SET name = 'Ike Inc', domain = 'www.ike.example' WHERE domain = 'ike.example';
SELECT name, phone FROM dialed;
DELETE FROM contacts;
-- capitals
INSERT INTO leads (campaign_id, name, phone) VALUES (1, 'Γιάννης Παπάς', '415 555 2658'), (1, 'Hans Strauß', '415 555 2659'), (1, 'Aydın Işık', '415 555 2660');
SELECT format('CALL disqualify_contact(1, %s)', contact_id) FROM contacts ORDER BY 1 \gexec
INSERT INTO leads (campaign_id, name, phone) VALUES (1, 'ΓΙΆΝΝΗΣ ΠΑΠΆΣ', '415 555 2658'), (1, 'HANS STRAUSS', '415 555 2659'), (1, 'AYDIN IŞIK', '415 555 2660');
-- several rows that become one person, of whom one is out
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Hans Strauss', 'hans@other.example', '415 555 2659'), (1, 'Hans Strauss', 'hans@other.example', '415 555 2661');
CREATE TEMPORARY TABLE same AS SELECT name, email, phone FROM (VALUES ('Aydın Işık', 'a@other.example', '415 555 2660'), ('Aydın Işık', 'a@other.example', '415 555 2662')) AS v (name, email, phone);
CALL upload_leads(1, 'same') \gx
SELECT name, phone FROM dialed;
DELETE FROM contacts;

-- who had no address comes with one; quotes and backslashes are no part of an address; odd hosts are below their domain
CALL suppress_domains('{quoted.example}'::text[], campaign => 1);
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'Anon', NULL, '415 555 2626'), (1, 'Doe', 'john.doe@other.example', '415 555 2627');
SELECT contact_id AS anon FROM contacts WHERE name = 'Anon' \gset
SELECT contact_id AS doe FROM contacts WHERE name = 'Doe' \gset
CALL disqualify_contact(1, :anon);
CALL disqualify_contact(1, :doe);
DELETE FROM contacts;
INSERT INTO leads (campaign_id, name, email, website, phone) VALUES (1, 'Anon', 'anon@other.example', NULL, '415 555 2626'), (1, 'Doe', '"john.doe"@other.example', NULL, '415 555 2628'),
    (1, 'Doe', 'john\.doe@OTHER.example', NULL, '415 555 2628'), (1, 'd1', '"x y"@quoted.example', NULL, '415 555 2628'), (1, 'd2', 'x@a_b.quoted.example', NULL, '415 555 2628'),
    (1, 'd3', 'x@[quoted.example]', NULL, '415 555 2628'), (1, 'd4', NULL, 'visit quoted.example', '415 555 2628'), (1, 'd5', NULL, 'http:quoted.example', '415 555 2628'),
    (1, 'Anon', 'other@other.example', NULL, '415 555 2629');
SELECT name, phone FROM dialed;
CALL unsuppress_domains('{quoted.example}'::text[], campaign => 1);
DELETE FROM contacts;

-- All campaigns and one, each for itself; no unknown one; the longest of a source.
INSERT INTO campaigns (campaign_id, name) VALUES (0, 'zero');
INSERT INTO leads (campaign_id, name, email, phone) VALUES (0, 'zero', 'a@scope.example', '415 555 2630'), (1, 'one', 'a@scope.example', '415 555 2630');
CALL suppress_domains('{scope.example}'::text[], campaign => 0);
SELECT name FROM dialed;
CALL suppress_domains('{scope.example}'::text[]);
SELECT name FROM dialed;
CALL unsuppress_domains('{scope.example}'::text[], campaign => 0);
SELECT name FROM dialed;
CALL unsuppress_domains('{scope.example}'::text[]);
SELECT name FROM dialed;
CALL suppress_domains('{scope.example}'::text[], campaign => 99);
CALL unsuppress_domains('{scope.example}'::text[], campaign => 99);
CALL suppress_phones('{415 555 2630}'::text[], campaign => 99);
CALL suppress_domains('{scope.example}'::text[], reason => 'first');
CALL suppress_domains('{scope.example}'::text[], reason => 'shorter', expires_at => now() + interval '1 hour');
SELECT reason, expires_at FROM lead_ledger WHERE subject = 'scope.example' AND stands;
CALL suppress_phones('{415 555 2630}'::text[], campaign => 1, reason => 'first', expires_at => '2100-01-01');
CALL suppress_phones('{415 555 2630}'::text[], campaign => 1, reason => 'shorter', expires_at => '2099-01-01');
CALL disqualify_phone(1, '415 555 2630', source => 'suppression list', reason => 'longer', expires_at => '2101-01-01', leads => 'leads');
SELECT reason, expires_at FROM lead_ledger WHERE subject = '+14155552630' AND campaign_id = 1 AND stands;

-- Regions: a number without a country code is read as the campaign reads it, and as each lead that holds it.
INSERT INTO campaigns (campaign_id, name, region) VALUES (52, 'Mexico', 'mx '), (53, 'Spain', 'ES');
INSERT INTO leads (campaign_id, name, email, phone) VALUES (52, 'Mexican', 'm@region.example', '55 1234 5678');
CREATE TEMPORARY TABLE foreigners (name text, email text, phone text, country text, "Region" text);
INSERT INTO foreigners VALUES ('American', 'a@region.example', '(551) 234-5678', 'us', 'IN'), ('Briton', 'b@region.example', '(678) 999-8212', 'GB', 'CA');
CALL upload_leads(52, 'foreigners') \gx
SELECT name, phone, region FROM contacts WHERE campaign_id = 52 ORDER BY contact_id;
SELECT custom FROM leads WHERE upload_id IS NOT NULL AND campaign_id = 52 ORDER BY lead_id;
CALL disqualify_phone(52, '55 1234 5678', leads => 'leads');
SELECT name, phone FROM dialed WHERE campaign_id = 52;
CALL requalify_phone(52, '55 1234 5678', leads => 'leads');
SELECT name, phone FROM dialed WHERE campaign_id = 52;
CALL requalify_phone(52, '55 1234 5678', region => 'US', leads => 'leads');
CALL disqualify_phone(52, '55 1234 5678', region => 'us', leads => 'leads');
SELECT name, phone FROM dialed WHERE campaign_id = 52;
CALL suppress_phones('{55 1234 5678}'::text[], campaign => 52);
CALL suppress_phones('{(678) 999-8212}'::text[], campaign => 53);
SELECT name, phone FROM dialed WHERE campaign_id = 52;
CALL disqualify_phone(52, '12', leads => 'leads');
-- what the row's own region calls invalid is read by no other
UPDATE foreigners SET phone = '020 7946 0958', country = 'US' WHERE name = 'Briton';
INSERT INTO foreigners VALUES ('Twice', 't@region.example', NULL, 'GB'), ('Twice', 't@region.example', '020 7946 0958', 'US');
CALL upload_leads(52, 'foreigners') \gx
SELECT name, phone, region FROM contacts WHERE campaign_id = 52 ORDER BY contact_id;
SELECT name, phone FROM dialed WHERE campaign_id = 52;

-- Rows of nothing that anybody sees; nulls inside a value; a lead_id that repeats.
CREATE TEMPORARY TABLE blank (name text, phone text, extra jsonb);
INSERT INTO blank VALUES (E'\t', E'\u00a0', NULL), (E'\u200b', E' \r\n', '{"a": null}'), ('Nell', NULL, '{"a": null, "b": [null, {"c": null}]}'), ('Nil', NULL, 'null');
CALL upload_leads(53, 'blank') \gx
SELECT name, custom FROM leads WHERE campaign_id = 53 ORDER BY lead_id;
INSERT INTO leads (lead_id, campaign_id, name, phone) VALUES (7001, 1, 'x', '415 555 2640'), (7001, 2, 'y', '1');
SELECT kind FROM lead_status(7001);
SELECT kind FROM lead_status(7001, campaign => 1);
SELECT kind FROM lead_status(7001, campaign => 2);
SELECT kind FROM lead_status(7001, campaign => 3);

-- Lists as they are today: what is new is added, what is gone is lifted; of their source alone. A registry writes its numbers in two columns, or with a comma.
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 'l1', 'l1@list.example', '678 999 1001'), (2, 'l2', 'l2@list.example', '678 999 1002'), (2, 'l3', 'l3@list.example', '678 999 1003');
CREATE TABLE registry (area text, number text);
INSERT INTO registry VALUES ('678', '9991001'), ('678', '9991002'), ('678', '9991009'), ('678', '12');
CALL sync_suppressed_phones('registry', 'national', 'number', area_code_column => 'area');
SELECT name, phone_disqualified FROM contacts WHERE email LIKE '%@list.example' ORDER BY name;
CALL suppress_phones('{678 999 1001}'::text[], source => 'own');
CREATE TABLE today (phone text);
INSERT INTO today VALUES ('678,9991002'), ('678,9991003'), ('678,9991009');
CALL sync_suppressed_phones('today', 'national');
SELECT name, phone_disqualified FROM contacts WHERE email LIKE '%@list.example' ORDER BY name;
CALL sync_suppressed_phones('today', 'national');
DELETE FROM today WHERE phone <> '678,9991002';
CALL sync_suppressed_phones('today', 'national');
CALL sync_suppressed_phones('today', 'national', force => true);
SELECT name, phone_disqualified FROM contacts WHERE email LIKE '%@list.example' ORDER BY name;
CREATE TABLE hosts (domain text);
INSERT INTO hosts VALUES ('list.example'), ('www.other.example'), ('nonsense');
CALL sync_suppressed_domains('hosts', 'law');
SELECT count(*) FROM callable_leads WHERE email LIKE '%@list.example';
UPDATE hosts SET domain = 'next.example' WHERE domain = 'list.example';
CALL sync_suppressed_domains('hosts', 'law');
SELECT name FROM callable_leads WHERE email LIKE '%@list.example' ORDER BY 1;
CALL sync_suppressed_domains('hosts', NULL);
-- what is no list
CALL sync_suppressed_phones('today', 'national', 'number');
CALL sync_suppressed_phones('suppressed_phones_number_idx', 'national', 'number');
CALL sync_suppressed_domains(0::oid::regclass, 'law');
CALL suppress_domains('{x.example}'::text[], source => repeat('x', 5000));
CALL disqualify_phone(1, '415 555 2630', source => repeat('x', 5000), leads => 'leads');
SELECT kind, source, list, added, kept, lifted, invalid, synced_by = current_user AS by_me FROM suppression_syncs ORDER BY sync;
-- Lists of hashes, of which nobody knows the numbers: SHA-256 over the number in E.164.
INSERT INTO leads (campaign_id, name, email, phone, mobile) VALUES (1, 'h1', 'h1@hash.example', '678 999 1101', '678 999 1102'), (2, 'h2', 'h2@hash.example', '678 999 1102', NULL);
CREATE TABLE hashed AS SELECT encode(sha256(convert_to('+1678999' || n, 'UTF8')), 'hex') AS phone FROM generate_series(1102, 1105) AS n;
UPDATE hashed SET phone = upper(phone) WHERE phone = encode(sha256('+16789991103'), 'hex');
CALL suppress_phones('hashed'::regclass, reason => 'customers of a partner', source => 'partner', hashed => 'sha256');
SELECT name, phone_disqualified, mobile_disqualified FROM contacts WHERE email LIKE '%@hash.example' ORDER BY name;
INSERT INTO leads (campaign_id, name, email, phone) VALUES (0, 'h3', 'h3@hash.example', '(678) 999-1103'), (0, 'h6', 'h6@hash.example', '678 999 1106');
UPDATE contacts SET mobile = '678 999 1104' WHERE name = 'h6';
SELECT name, phone_disqualified, mobile_disqualified FROM contacts WHERE email LIKE '%@hash.example' ORDER BY name;
SELECT campaign_id, phone, disqualified FROM campaign_phone_counts WHERE phone LIKE '+1678999110_' ORDER BY 1, 2;
SELECT name, phone FROM dialed WHERE name LIKE 'h_';
SELECT s.blocks, s.kind, s.subject, s.source, s.reason FROM leads AS l CROSS JOIN LATERAL lead_status(l.lead_id, campaign => l.campaign_id) AS s WHERE l.name = 'h2';
SELECT kind, campaign_id, subject, source, stands FROM lead_ledger WHERE source = 'partner' ORDER BY subject;
SELECT campaign, phone, disqualified, reason FROM find_phone('6789991103', 'leads');
SELECT * FROM verify_phone_counts('contacts');
-- lifted by its hash, or by the number itself
CALL unsuppress_phones(ARRAY[encode(sha256('+16789991102'), 'hex')], hashed => 'sha256');
SELECT name, phone FROM dialed WHERE name LIKE 'h_';
CALL requalify_phone(NULL::bigint, '678 999 1103', leads => 'leads');
SELECT name, phone FROM dialed WHERE name LIKE 'h_';
CALL sync_suppressed_phones('hashed', 'partner', hashed => 'sha256');
DELETE FROM hashed WHERE phone = encode(sha256('+16789991102'), 'hex');
CALL sync_suppressed_phones('hashed', 'partner', hashed => 'sha256');
SELECT name, phone FROM dialed WHERE name LIKE 'h_';
SELECT * FROM verify_phone_counts('contacts');
CALL suppress_phones('{678 999 1101}'::text[], hashed => 'sha256');
CALL suppress_phones('hashed'::regclass, campaign => 1, hashed => 'sha256');
CALL suppress_phones('hashed'::regclass, hashed => 'md5');

-- What a list names is out for as long as it does, whatever ended before.
INSERT INTO leads (campaign_id, name, email, phone) VALUES (1, 's1', 's1@synced.example', '678 999 1120'), (1, 's2', 's2@gmail.com', '678 999 1121');
CALL suppress_domains('{synced.example}'::text[], source => 'today', expires_at => '2001-01-01');
CALL suppress_phones('{678 999 1121}'::text[], source => 'today', expires_at => '2001-01-01');
SELECT name FROM dialed WHERE name LIKE 's_';
CREATE TEMPORARY TABLE today AS SELECT 'synced.example' AS domain, '678 999 1121' AS phone;
CALL sync_suppressed_domains('today', 'today');
CALL sync_suppressed_phones('today', 'today');
CALL sync_suppressed_domains('today', 'today');
CALL sync_suppressed_phones('today', 'today');
SELECT name FROM dialed WHERE name LIKE 's_';

-- Who has a number like this?
SELECT campaign, phone, lead ? 'contact_id' AS lead, column_name, disqualified, reason FROM find_phone('9991002', 'leads');
SELECT campaign, phone, column_name, disqualified, reason FROM find_phone('(678) 999-1001', 'contacts');
SELECT * FROM find_phone('12', 'leads');

SELECT * FROM verify_phone_counts('contacts');
SET client_min_messages = warning;
DROP SCHEMA crm CASCADE;
