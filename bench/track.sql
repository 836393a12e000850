\set QUIET on
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION lead_phones;

-- Every lead has a phone, two in three a mobile; 1.67 unique numbers a lead. The same leads every time.
CREATE TABLE source AS
SELECT n AS id, (1 + n % 10)::int AS campaign_id,
       format((ARRAY['(678) 9%s-%s', '678-9%s-%s', '+1 678 9%s %s', '6789%s%s'])[1 + n % 4], lpad((n / 10000 % 100)::text, 2, '0'), lpad((n % 10000)::text, 4, '0')) AS phone,
       CASE WHEN n % 3 > 0 THEN format('(404) 2%s-%s', lpad((n / 10000 % 100)::text, 2, '0'), lpad((n % 10000)::text, 4, '0')) END AS mobile,
       'note'::text AS note
FROM generate_series(1, :leads) AS n;
CREATE TABLE more AS
SELECT id + 10000000 AS id, campaign_id, format('(305) 3%s-%s', lpad((id / 10000 % 100)::text, 2, '0'), lpad((id % 10000)::text, 4, '0')) AS phone, NULL::text AS mobile, note
FROM source WHERE id <= 61000;
VACUUM (ANALYZE) source;
VACUUM (ANALYZE) more;

-- What people write by hand.
\ir by_hand.sql

CREATE TABLE runs (kind text, work text, place int, round int, seconds float8);
CREATE PROCEDURE measure(rounds int) LANGUAGE plpgsql AS $$
DECLARE
    kinds text[] := ARRAY['untracked', 'floor', 'tracked', 'beside', 'one column', 'statement triggers', 'row triggers'];
    works text[] := ARRAY[
        'load into empty', 'INSERT INTO leads (id, campaign_id, phone, mobile, note) SELECT * FROM source',
        'the same again', 'INSERT INTO leads (id, campaign_id, phone, mobile, note) SELECT id + 20000000, campaign_id, phone, mobile, note FROM source',
        '+1k', 'INSERT INTO leads (id, campaign_id, phone, mobile, note) SELECT * FROM more WHERE id <= 10001000',
        '+10k', 'INSERT INTO leads (id, campaign_id, phone, mobile, note) SELECT * FROM more WHERE id > 10001000 AND id <= 10011000',
        '+50k', 'INSERT INTO leads (id, campaign_id, phone, mobile, note) SELECT * FROM more WHERE id > 10011000',
        '2,000 single rows', 'DO $d$ BEGIN FOR n IN 1 .. 2000 LOOP
            INSERT INTO leads (id, campaign_id, phone) VALUES (30000000 + n, 3, format(''(786) 555-%s'', lpad(n::text, 4, ''0''))); END LOOP; END $d$',
        'update note of all', 'UPDATE leads SET note = ''other''',
        'update every phone', 'UPDATE leads SET phone = mobile, mobile = phone',
        'delete all', 'DELETE FROM leads'];
    started timestamptz; kind text;
BEGIN
    FOR round IN 1 .. rounds LOOP
        FOREACH kind IN ARRAY kinds LOOP
            CALL prepare(kind);
            COMMIT;
            FOR place IN 1 .. cardinality(works) / 2 LOOP
                CONTINUE WHEN kind = 'floor' AND place > 1;
                -- minutes each, and no news
                CONTINUE WHEN kind = 'row triggers' AND place NOT IN (1, 2, 6);
                started := clock_timestamp();
                EXECUTE works[2 * place];
                IF kind = 'floor' THEN
                    DROP TABLE by_hand_counts;
                    CREATE TABLE by_hand_counts AS SELECT campaign_id, number AS phone, count(DISTINCT id) AS lead_count
                    FROM leads CROSS JOIN LATERAL (VALUES (phone), (mobile)) AS v (number) WHERE number IS NOT NULL GROUP BY 1, 2;
                    ALTER TABLE by_hand_counts ADD PRIMARY KEY (campaign_id, phone);
                END IF;
                COMMIT;
                INSERT INTO runs VALUES (kind, works[2 * place - 1], place, round, extract(epoch FROM clock_timestamp() - started));
                COMMIT;
            END LOOP;
            IF kind = ANY (tracked_kinds()) AND EXISTS (SELECT FROM verify_phone_counts('leads')) THEN
                RAISE EXCEPTION 'the counts are wrong';
            END IF;
        END LOOP;
    END LOOP;
END $$;
CALL measure(:rounds);

\echo 'seconds, median of' :rounds 'rounds;' :leads 'leads'
WITH medians AS (
    SELECT work, place, kind, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds FROM runs GROUP BY 1, 2, 3
)
SELECT work,
       round(max(seconds) FILTER (WHERE kind = 'untracked')::numeric, 3) AS untracked,
       round(max(seconds) FILTER (WHERE kind = 'floor')::numeric, 3) AS floor,
       round(max(seconds) FILTER (WHERE kind = 'tracked')::numeric, 3) AS tracked,
       round(max(seconds) FILTER (WHERE kind = 'beside')::numeric, 3) AS beside,
       round(max(seconds) FILTER (WHERE kind = 'one column')::numeric, 3) AS "one column, no campaign",
       round(max(seconds) FILTER (WHERE kind = 'statement triggers')::numeric, 3) AS "statement triggers",
       round(max(seconds) FILTER (WHERE kind = 'row triggers')::numeric, 3) AS "row triggers",
       round((max(seconds) FILTER (WHERE kind = 'tracked') / max(seconds) FILTER (WHERE kind = 'untracked'))::numeric, 2) AS "x untracked"
FROM medians GROUP BY work, place ORDER BY place;
WITH medians AS (
    SELECT work, place, kind, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds FROM runs GROUP BY 1, 2, 3
), works AS (
    SELECT work, place, max(seconds) FILTER (WHERE kind = 'tracked') AS tracked, max(seconds) FILTER (WHERE kind = 'untracked') AS untracked,
           max(seconds) FILTER (WHERE kind = 'floor') AS floor, max(seconds) FILTER (WHERE kind = 'statement triggers') AS statement_triggers
      FROM medians GROUP BY 1, 2
)
SELECT w.work, round(g.figure::numeric, 2) AS figure, g.unit, g.goal
  FROM works AS w CROSS JOIN LATERAL (VALUES
       ('load into empty', w.tracked / w.floor, '× the floor', '≤ 0.9'),
       ('the same again', w.statement_triggers / w.tracked, '× faster than statement triggers', '≥ 2'),
       ('2,000 single rows', (w.tracked - w.untracked) / 2000 * 1e6, 'µs more than untracked, each', '≤ 12'),
       ('update note of all', w.tracked / w.untracked, '× untracked', '≤ 1.10')) AS g (work, figure, unit, goal)
 WHERE g.work = w.work ORDER BY w.place;
