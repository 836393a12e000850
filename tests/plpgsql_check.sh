#!/usr/bin/env bash
# Has plpgsql_check read every function in PL/pgSQL, on a running cluster.
set -euo pipefail
cd "$(dirname "$0")/.."
database=lead_phones_plpgsql_check
dropdb --if-exists "$database" 2>/dev/null
createdb "$database"
psql -X -q -v ON_ERROR_STOP=1 -d "$database" -c 'CREATE EXTENSION lead_phones'
found=$(psql -X -q -At -v ON_ERROR_STOP=1 -d "$database" -f tests/plpgsql_check.sql)
dropdb "$database"
if [ -n "$found" ]; then
    printf '%s\n' "$found"
    exit 1
fi
