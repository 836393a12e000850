#!/usr/bin/env bash
# Compares the extension, through SQL, with Google's libphonenumber: PyPI's phonenumbers on more than 200,000 texts of a
# fixed seed. Needs a running cluster (PGHOST) with the extension installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
requirements=tests/requirements.txt
grep -q "METADATA_VERSION: &str = \"$(sed -n 's/^phonenumbers==//p' "$requirements")\"" src/phone/mod.rs ||
    { echo "$requirements is not of the engine's metadata version" >&2; exit 1; }
corpus=$(tests/differential/corpus.sh)
for table in time_zones states; do
    "$(tools/python.sh)" "tools/$table.py" | cmp - "src/phone/$table/table.rs" ||
        { echo "src/phone/$table/table.rs is not what tools/$table.py writes" >&2; exit 1; }
done

export PGDATABASE=differential
dropdb --if-exists "$PGDATABASE" 2>/dev/null
createdb --encoding=UTF8 --locale=C.UTF-8 --template=template0 "$PGDATABASE"
psql -X -q -v ON_ERROR_STOP=1 -f tests/differential/load.sql <"$corpus"
psql -X -q -v ON_ERROR_STOP=1 -f tests/differential/compare.sql
differences=$(psql -X -A -t -c 'SELECT count(*) FROM differences')
rows=$(psql -X -A -t -c 'SELECT count(*) FROM corpus')
echo "$rows texts, $differences differences"
[ "$differences" = 0 ] && [ "$rows" -gt 200000 ]
