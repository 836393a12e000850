#!/usr/bin/env bash
# All tests on each major version of Postgres: built, installed and run on trees of their own (tools/get_postgres.sh). Then pg_upgrade,
# from one to another of those that were asked for.
# Usage: matrix.sh [MAJOR...]
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 15 16 17 18
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
for pair in '15 17' '15 18'; do
    read -r old new <<<"$pair"
    [[ " $* " == *" $old "* && " $* " == *" $new "* ]] || continue
    if tests/pg_upgrade.sh "$old" "$new" >"$logs/$old-$new.log" 2>&1; then result=ok; else result=FAILED failed=1; fi
    printf '%-7s pg_upgrade from %s to %s (%s)\n' "$result" "$old" "$new" "$logs/$old-$new.log"
done
exit $failed
