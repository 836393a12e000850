\set QUIET on
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION lead_phones;

-- The usual recipes, as found in applications: North American numbers only.
CREATE FUNCTION recipe_plpgsql(raw text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    digits text := regexp_replace(raw, '[^0-9]', '', 'g');
BEGIN
    IF length(digits) = 10 THEN
        RETURN '+1' || digits;
    ELSIF length(digits) = 11 AND left(digits, 1) = '1' THEN
        RETURN '+' || digits;
    ELSIF left(ltrim(raw), 1) = '+' AND length(digits) BETWEEN 8 AND 15 THEN
        RETURN '+' || digits;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION recipe_sql(raw text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN regexp_replace(raw, '[^0-9]', '', 'g') ~ '^[2-9][0-9]{9}$' THEN '+1' || regexp_replace(raw, '[^0-9]', '', 'g')
        WHEN regexp_replace(raw, '[^0-9]', '', 'g') ~ '^1[2-9][0-9]{9}$' THEN '+' || regexp_replace(raw, '[^0-9]', '', 'g')
        WHEN raw ~ '^ *\+' THEN '+' || regexp_replace(raw, '[^0-9]', '', 'g')
    END
$$;

-- The same texts every time. Area codes are valid ones, exchange and line random.
CREATE TABLE us (raw text);
CREATE TABLE world (raw text);
CREATE TABLE junk (raw text);
SELECT setseed(0.42) \g /dev/null
INSERT INTO us
SELECT format((ARRAY['(%s) %s-%s', '%s-%s-%s', '%s.%s.%s', '%s%s%s', '+1 %s %s %s', '1-%s-%s-%s', '1 (%s) %s-%s', '+1%s%s%s'])[1 + n % 8],
              (ARRAY[212, 310, 415, 678, 713, 801, 917, 305])[1 + (random() * 7)::int],
              200 + (random() * 799)::int, lpad((random() * 9999)::int::text, 4, '0'))
FROM generate_series(1, 1000000) AS n;
INSERT INTO world
SELECT format((ARRAY['+44 7400 %s%s', '+49 (0)1512 %s%s7', '+33 6 12 %s %s', '+61 412-%s-%s', '+91 81%s %s67', '+55 (11) 96%s-%s',
                     '+52 55 3%s %s', '+81-90-1%s-%s', '+86 131 %s %s98', '+39 312.%s.%s', '+34 612 %s%s', '+7 (912) %s-%s9'])[1 + n % 12],
              lpad((random() * 999)::int::text, 3, '0'),
              (ARRAY[lpad((random() * 999)::int::text, 3, '0'), lpad((random() * 9999)::int::text, 4, '0')])
                  [1 + ((n % 12) IN (5, 6, 9, 7))::int])
FROM generate_series(1, 1000000) AS n;
INSERT INTO junk
SELECT (ARRAY['n/a', 'unknown', '-', '', '12345', '000-000-0000', 'call me', '555-1212', 'see notes', '99999999999999999999',
              'john@example.com', 'x' || n, '+' || n, '1234567890', 'none given ' || n, '(' || n || ')'])[1 + n % 16]
FROM generate_series(1, 1000000) AS n;
VACUUM (ANALYZE) us;
VACUUM (ANALYZE) world;
VACUUM (ANALYZE) junk;

CREATE TABLE runs (kind text, workers int, call text, round int, seconds float8, answers bigint);
CREATE PROCEDURE measure(rounds int) LANGUAGE plpgsql AS $$
DECLARE
    calls text[] := ARRAY['upper(raw)', 'try_normalize_phone(raw)', 'recipe_sql(raw)', 'recipe_plpgsql(raw)'];
    kind text; call text; workers int; started timestamptz; answers bigint;
BEGIN
    -- round 0 warms caches and is not counted
    FOR round IN 0 .. rounds LOOP
        FOREACH kind IN ARRAY ARRAY['us', 'world', 'junk'] LOOP
            FOREACH workers IN ARRAY ARRAY[0, 2] LOOP
                PERFORM set_config('max_parallel_workers_per_gather', workers::text, false);
                FOREACH call IN ARRAY calls LOOP
                    started := clock_timestamp();
                    EXECUTE format('SELECT count(%s) FROM %I', call, kind) INTO answers;
                    INSERT INTO runs VALUES (kind, workers, call, round, extract(epoch FROM clock_timestamp() - started), answers);
                END LOOP;
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CALL measure(:rounds);

\echo 'seconds for count(call) over one million rows, median of' :rounds 'rounds'
WITH medians AS (
    SELECT kind, workers, call, answers, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds
    FROM runs WHERE round > 0 GROUP BY kind, workers, call, answers
)
SELECT CASE kind WHEN 'us' THEN 'US styles' WHEN 'world' THEN '12 countries' ELSE kind END AS texts,
       workers, call, round(seconds::numeric, 3) AS seconds,
       round((seconds / max(seconds) FILTER (WHERE call = 'upper(raw)') OVER w)::numeric, 2) AS "x upper", answers AS "not NULL"
FROM medians
WINDOW w AS (PARTITION BY kind, workers)
ORDER BY kind = 'junk', kind = 'world', workers, array_position(ARRAY['upper(raw)', 'try_normalize_phone(raw)'], call), call;
