CREATE EXTENSION lead_phones;
CREATE TABLE leads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, campaign_id int, phone text, mobile text, note text);
SELECT unique_numbers FROM track_lead_phones('leads') \g /dev/null
-- few numbers, so that all clients meet at them
CREATE FUNCTION number(n int) RETURNS text IMMUTABLE LANGUAGE sql RETURN format('(678) 999-%s', 1000 + n);
INSERT INTO leads (campaign_id, phone, mobile) SELECT 1 + n % 3, number(n % 40), number((n * 7) % 40) FROM generate_series(1, 2000) AS n;
