-- What normalize_phone says, and NULL for its error.
CREATE FUNCTION normalize_or_fail(raw text, region text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN normalize_phone(raw, region);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END
$$;

-- One row for each answer that differs from the reference.
CREATE TABLE differences AS
WITH ours AS MATERIALIZED (
    SELECT *, try_normalize_phone(raw, region) AS number, phone_info(raw, region) AS info FROM corpus
)
SELECT class, raw, region, what, expected, got
FROM ours
CROSS JOIN LATERAL (VALUES
    ('try_normalize_phone', e164, number::text),
    ('normalize_phone', e164, normalize_or_fail(raw, region)),
    ('phone_problem', problem, phone_problem(raw, region)),
    ('phone_region', phone_region, phone_region(number)),
    ('phone_type', phone_type, phone_type(number)),
    ('phone_time_zones', time_zones, array_to_string(phone_time_zones(number), ',')),
    ('format_phone e164', e164, format_phone(number, 'e164')),
    ('format_phone national', national, format_phone(number, 'national')),
    ('format_phone international', international, format_phone(number, 'international')),
    ('format_phone rfc3966', rfc3966, format_phone(number, 'rfc3966')),
    ('phone_info e164', e164, info ->> 'e164'),
    ('phone_info valid', (problem IS NULL)::text, info ->> 'valid'),
    ('phone_info country_code', country_code, info ->> 'country_code'),
    ('phone_info national_number', national_number, info ->> 'national_number'),
    ('phone_info problem', problem, info ->> 'problem'),
    ('phone_info region', phone_region, info ->> 'region'),
    ('phone_info type', phone_type, info ->> 'type'),
    ('phone_info national', national_extension, info ->> 'national'),
    ('phone_info international', international_extension, info ->> 'international'),
    ('phone_info rfc3966', rfc3966_extension, info ->> 'rfc3966'),
    ('phone_info extension', extension, info ->> 'extension')
) AS answers (what, expected, got)
WHERE expected IS DISTINCT FROM got;

-- Every time zone that a number can have is one that the server knows.
INSERT INTO differences
SELECT 'time zone', NULL, NULL, name, 'known', 'unknown' FROM (SELECT DISTINCT unnest(string_to_array(time_zones, ',')) AS name FROM corpus) AS z
 WHERE name NOT IN (SELECT name FROM pg_timezone_names);

\pset footer off
SELECT regexp_replace(class, ':.*', '') AS class, count(*) AS texts, count(e164) AS valid,
       count(DISTINCT region) AS regions,
       (SELECT count(*) FROM differences AS d WHERE regexp_replace(d.class, ':.*', '') = regexp_replace(corpus.class, ':.*', '')) AS differences
FROM corpus GROUP BY 1, 5 ORDER BY 1;
SELECT what, class, count(*), min(format('%s in %s: expected %s, got %s', quote_literal(raw), region, expected, got)) AS example
FROM differences GROUP BY what, class ORDER BY what, count(*) DESC LIMIT 60;
