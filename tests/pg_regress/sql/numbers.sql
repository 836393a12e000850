-- Numbers: normalize, problems, formats.
SELECT lead_phones_version() ~ '^lead_phones \d+\.\d+\.\d+, phone metadata \d+\.\d+\.\d+$' AS version;

-- The spellings of one number.
SELECT raw, normalize_phone(raw) FROM (VALUES
    ('1 678-999-8212'), ('(678)-999 8212'), ('678 999 8212'), ('+1 (678) 999-8212'), ('678.999.8212'),
    ('tel:+1-678-999-8212'), ('+1 678 999 8212 ext. 22'), ('６７８９９９８２１２'), (E'678\u00a0999\u00a08212'),
    ('call 678-999-8212'), ('+16789998212')) AS v (raw);

-- Regions, in any case; none and unknown ones read only numbers written with their country code.
SELECT raw, region, try_normalize_phone(raw, region), phone_problem(raw, region) FROM (VALUES
    ('030 123456', 'DE'), ('030 123456', 'de'), ('030 123456', 'US'), ('+49 30 123456', 'US'),
    ('020 7946 0958', 'GB'), ('06 6982', 'IT'),
    ('678 999 8212', 'ZZ'), ('+1 678 999 8212', 'ZZ'), ('678 999 8212', 'UK'), ('+1 678 999 8212', 'nowhere')) AS v (raw, region);

-- Every code of phone_problem.
SELECT left(raw, 20) AS raw, phone_problem(raw) FROM (VALUES
    (''), ('   '), ('n/a'), ('+999 12345678'), ('678 999'), ('678 999 8212 123456'), ('+65 612345678'), ('999 8212'),
    ('123 456 7890'), ('678 999 8212'), (repeat('9', 251))) AS v (raw);
SELECT phone_problem('678 999 8212', 'ZZ');

-- A valid number has no problem, and the other way round.
SELECT count(*) FROM (VALUES ('678 999 8212'), ('nonsense'), (''), ('+49 30 123456'), ('1')) AS v (raw)
 WHERE (try_normalize_phone(raw) IS NULL) IS DISTINCT FROM (phone_problem(raw) IS NOT NULL);

-- NULL in, NULL out; for phone_problem, NULL means valid, so an unknown region is a problem.
SELECT normalize_phone(NULL), try_normalize_phone(NULL), phone_problem(NULL), phone_info(NULL), format_phone(NULL),
       phone_region(NULL), phone_type(NULL);
SELECT normalize_phone('678 999 8212', NULL), try_normalize_phone('678 999 8212', NULL), phone_problem('678 999 8212', NULL);

-- Errors name the value, cut to a safe length and without control characters, and say what to do.
\set SHOW_CONTEXT never
SELECT normalize_phone('not a number');
\echo :SQLSTATE
SELECT normalize_phone('678 999 8212', 'ZZ');
\echo :SQLSTATE
SELECT normalize_phone(repeat('x', 1000));
\echo :SQLSTATE
SELECT normalize_phone(E'12\n\t34');
\echo :SQLSTATE
SELECT format_phone('+16789998212', 'pretty');
\echo :SQLSTATE
-- Google's engine would slice backwards here; the Rust port panics. The backend lives on.
SELECT try_normalize_phone(';phone-context=+1;tel:678-999-8212') IS NULL AS answered;

-- Formats, region, type.
SELECT style, format_phone('+16789998212', style) FROM unnest('{e164,international,national,rfc3966}'::text[]) AS style;
SELECT format_phone('+4930123456'), format_phone('+4930123456', 'national'), format_phone('+19999999999');
SELECT n AS phone, phone_region(n), phone_type(n)
  FROM unnest('{+16789998212,+18002345678,+447400123456,+4930123456,+80012345678,+19999999999}'::e164[]) AS n;
SELECT jsonb_pretty(phone_info('(678) 999-8212 x22'));
SELECT jsonb_pretty(phone_info('999-999-9999'));

-- The domain checks shape and nothing else.
SELECT '+12'::e164, '+123456789012345'::e164, '+19999999999'::e164;
SELECT raw FROM unnest('{"","+","+1","12","+012","+1234567890123456","+1 2","+12 "}'::text[]) AS raw
 WHERE raw ~ '^\+[1-9][0-9]{1,14}$';
SELECT '6789998212'::e164;
SELECT '+1234567890123456'::e164;
SELECT E'+12\n'::e164;
-- libphonenumber accepts longer numbers than E.164 has room for; they are too long.
SELECT try_normalize_phone('+234 80061902633186'), phone_problem('+234 80061902633186');

-- In an index, a generated column, and in order of collation "C".
CREATE TABLE numbers (raw text, phone e164 GENERATED ALWAYS AS (try_normalize_phone(raw)) STORED);
CREATE INDEX ON numbers (try_normalize_phone(raw));
INSERT INTO numbers VALUES ('678 999 8212'), ('+49 30 123456'), ('junk');
SELECT * FROM numbers ORDER BY phone;
DROP TABLE numbers;

-- Where a number may ring, and what the time is there.
SELECT phone, phone_time_zones(phone) FROM (VALUES ('+16789998212'), ('+14806521111'), ('+4930123456'), ('+80012345678'), ('+11234567890'), (NULL)) AS v (phone);
SELECT cardinality(phone_time_zones('+18002345678')) > 10 AS all_of_north_america;
SELECT callable_now('+16789998212', '2026-03-02 13:59:59+00') AS before_nine, callable_now('+16789998212', '2026-03-02 14:00+00') AS at_nine,
       callable_now('+16789998212', '2026-03-03 00:59+00') AS before_eight_pm, callable_now('+16789998212', '2026-03-03 01:00+00') AS at_eight_pm;
-- daylight saving time; several zones; over midnight; none
SELECT callable_now('+16789998212', '2026-07-02 13:00+00') AS summer,
       callable_now('+61491570156', '2026-03-02 00:30+00', '09:00', '20:00') AS perth_is_asleep,
       callable_now('+61491570156', '2026-03-02 02:30+00', "from" => '09:00', until => '20:00') AS all_awake,
       callable_now('+4930123456', '2026-03-02 23:30+00', '22:00', '02:00') AS at_night,
       callable_now('+4930123456', '2026-03-02 12:00+00', '22:00', '02:00') AS at_noon,
       callable_now('+80012345678') AS unknown;
