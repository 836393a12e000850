-- What the report is drawn from: two tracked tables, one of a hostile name, and every chart with something in it.
CREATE TABLE leads (id serial PRIMARY KEY, campaign_id int, phone text, mobile text);
INSERT INTO leads (campaign_id, phone, mobile)
SELECT 1 + i % 20 * (i % 3), '(678) 999-' || to_char(1000 + i % (40 + i % 17), 'FM0000'), CASE i % 9 WHEN 0 THEN 'n/a' WHEN 1 THEN '555' WHEN 2 THEN '020 7946 0958' WHEN 3 THEN '+49 30 123456' WHEN 4 THEN '800 234 5678' END
  FROM generate_series(1, 3000) AS i;
SELECT FROM track_lead_phones('leads');
CALL disqualify_phone(1, '678 999 1003', source => 'litigators');
CALL disqualify_phone(1, '678 999 1004');
CALL requalify_phone(1, '678 999 1004');
CREATE SCHEMA "<b>$x$</b>";
CREATE TABLE "<b>$x$</b>"."le""ads" (campaign_id text, phone text, mobile text);
SELECT FROM track_lead_phones('"<b>$x$</b>"."le""ads"');
INSERT INTO "<b>$x$</b>"."le""ads" VALUES ('<script>alert(1)</script> & $\frac{', '678 999 8212', '<img src=x onerror=alert(1)>'), (NULL, NULL, 'x');
-- Without campaigns, with columns of other names, and numbers beside.
CREATE TABLE people ("<i>tel</i>" text NOT NULL DEFAULT '', fax numeric, work_phone text);
SELECT FROM track_lead_phones('people', campaign_column => NULL, phone_columns => '{"<i>tel</i>",fax,work_phone}', in_place => false);
INSERT INTO people SELECT '678 999 100' || i % 10, 6789991000 + i % 3, 'n/a' FROM generate_series(1, 30) AS i;
CALL disqualify_phone(NULL, '678 999 1001', leads => 'people');
-- and calls
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'one');
INSERT INTO crm.leads (campaign_id, name, phone) VALUES (1, 'John', '678 999 8212');
CALL start_call(1, leads => 'crm.leads');
CALL end_call(1, 'voicemail', leads => 'crm.leads');
