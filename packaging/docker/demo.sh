#!/usr/bin/env bash
# What the image runs when its database is new: the demo, and the role of the exporter.
set -euo pipefail
cd /
PGTZ=UTC psql -X -q -v ON_ERROR_STOP=1 -U postgres -d demo -f /demo/demo.sql
psql -X -q -v ON_ERROR_STOP=1 -U postgres -d demo <<'SQL'
CREATE ROLE exporter LOGIN PASSWORD 'exporter' IN ROLE pg_monitor;
SQL
