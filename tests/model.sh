#!/usr/bin/env bash
# Random writes against a recount (model.py), on a running cluster with the extension installed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(tools/python.sh)
export PGDATABASE=model
dropdb --if-exists "$PGDATABASE" 2>/dev/null
createdb "$PGDATABASE"
psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION lead_phones'
"$python" tests/model.py
dropdb "$PGDATABASE"
