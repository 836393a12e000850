#!/usr/bin/env bash
# Runs the SQL blocks of README.md in one database, in order, and compares what the last one says with what the README
# shows: a block ```sql is run; the block ```text after it is its output.
set -euo pipefail
cd "$(dirname "$0")/.."
psql -X -q -d postgres -c 'DROP DATABASE IF EXISTS readme' -c 'CREATE DATABASE readme'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v dir="$work" '
    /^```sql$/  { n++; out = sprintf("%s/%03d.sql", dir, n); next }
    /^```text$/ { out = sprintf("%s/%03d.expected", dir, n); next }
    /^```/      { out = ""; next }
    out != ""   { print > out }
' README.md
blocks=0
for block in "$work"/*.sql; do
    psql -X -q -v ON_ERROR_STOP=1 -d readme -f "$block" 2>&1 | sed 's/ *$//' >"${block%.sql}.actual"
    if [ -f "${block%.sql}.expected" ]; then
        diff -uB "${block%.sql}.expected" "${block%.sql}.actual" || { echo "README.md: block $block says something else" >&2; exit 1; }
    fi
    blocks=$((blocks + 1))
done
[ "$blocks" -ge 3 ] || { echo "README.md has no quick start" >&2; exit 1; }
psql -X -q -d postgres -c 'DROP DATABASE readme'
