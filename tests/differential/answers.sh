#!/usr/bin/env bash
# Compares try_normalize_phone with a file of answers: tab-separated, with a header: class, raw, region (empty for none), number in
# E.164 (empty where it is not valid). Starts a throwaway cluster.
#
#   tests/differential/answers.sh FILE
set -euo pipefail
file=$(realpath "$1")
cd "$(dirname "$0")/../.."
. tools/cluster.sh
trap cluster_stop EXIT
cluster_start --encoding=UTF8 --locale=C.UTF-8
psql -X -q -v ON_ERROR_STOP=1 -d postgres -f <(cat <<'SQL'
CREATE EXTENSION lead_phones;
CREATE TABLE answers (class text, raw text NOT NULL, region text, e164 text);
\copy answers FROM pstdin WITH (FORMAT text, NULL '\N')
UPDATE answers SET region = coalesce(nullif(region, ''), 'ZZ'), e164 = nullif(e164, '');
SELECT regexp_replace(class, '[/-].*', '') AS class, count(*) AS texts, count(*) FILTER (WHERE try_normalize_phone(raw, region)::text IS DISTINCT FROM e164) AS differences
  FROM answers GROUP BY ROLLUP (regexp_replace(class, '[/-].*', '')) ORDER BY 1;
SELECT class, raw, region, e164 AS expected, try_normalize_phone(raw, region) AS got
  FROM answers WHERE try_normalize_phone(raw, region)::text IS DISTINCT FROM e164 LIMIT 20;
SQL
) < <(tail -n +2 "$file" | sed 's/\\/\\\\/g')
