#!/usr/bin/env bash
# All tests on each major version of Postgres: built, installed and run on trees of their own (tools/get_postgres.sh).
# Usage: matrix.sh [MAJOR...]
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 14 15 16 17 18
logs=target/matrix
mkdir -p "$logs"
failed=0
for major in "$@"; do
    begun=$SECONDS
    if pg_config=$(tools/get_postgres.sh "$major") && PG_CONFIG=$pg_config make --no-print-directory install >"$logs/$major.log" 2>&1 &&
        # the server's own libpq, not the system's
        LD_LIBRARY_PATH=$("$pg_config" --libdir) PG_CONFIG=$pg_config tests/run.sh >>"$logs/$major.log" 2>&1; then
        result=ok
    else
        result=FAILED
        failed=1
    fi
    printf '%-7s Postgres %s: %s, %s s (%s)\n' "$result" "$major" "$(tail -n 1 "$logs/$major.log")" $((SECONDS - begun)) "$logs/$major.log"
done
exit $failed
