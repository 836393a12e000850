#!/usr/bin/env bash
# Runs a test that is a Python program, tests/NAME.py, in a database of its own with the extension, on a running cluster.
# Usage: python.sh NAME
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(tools/python.sh)
export PGDATABASE=$1
dropdb --if-exists "$PGDATABASE" 2>/dev/null
createdb "$PGDATABASE"
psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION lead_phones'
"$python" "tests/$1.py"
dropdb "$PGDATABASE"
