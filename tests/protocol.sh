#!/usr/bin/env bash
# Values on the wire, in the text and in the binary protocol, as a client library sends and receives them.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(tools/python.sh)
export PGDATABASE=protocol
dropdb --if-exists "$PGDATABASE" 2>/dev/null
createdb "$PGDATABASE"
psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION lead_phones'
"$python" tests/protocol.py
dropdb "$PGDATABASE"
