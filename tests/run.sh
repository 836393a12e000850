#!/usr/bin/env bash
# All tests, on a throwaway cluster of their own. The extension must be installed: `make test` sees to it.
set -uo pipefail
cd "$(dirname "$0")/.."
. tools/cluster.sh
. tools/rust.sh
trap cluster_stop EXIT

passed=0
failed=0
check() { # check NAME COMMAND...
    local name=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$name"
    else
        failed=$((failed + 1))
        cat "$log"
        printf 'FAILED  %s\n' "$name"
    fi
    rm -f "$log"
}

check 'pure core (cargo test)' env CARGO_TARGET_DIR=target/check cargo test --quiet --locked --no-default-features
CLUSTER_OPTIONS='-c wal_level=logical'
cluster_start || exit 1
check 'behaviour and races (pg_regress, isolation)' tests/pg_regress/run.sh
check "differences from Google's libphonenumber" tests/differential/run.sh
check 'text and binary protocol' tests/python.sh protocol
check 'random writes against a recount' tests/python.sh model
check 'random uploads against a model' tests/python.sh lead_model
check 'calls against a model' tests/python.sh call_model
check 'functions that others plant beside ours' tests/python.sh overloads
check 'who is out stays out, under hostile writes' tests/python.sh law
if [ -f "$("$PG_CONFIG" --sharedir)/extension/plpgsql_check.control" ]; then
    check 'plpgsql_check of every function' tests/plpgsql_check.sh
else
    printf 'left out  plpgsql_check: there is none for this Postgres\n'
fi
check 'many clients on the same numbers' bench/soak 10
check 'many callers on the same leads' bench/callers 10
check 'applications: psycopg, SQLAlchemy, Django, node-postgres, JDBC, tokio-postgres' tests/clients/run.sh
check 'metrics for Prometheus and Grafana' tests/python.sh monitoring
check 'report in a browser' tests/python.sh report
if [ -f "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ]; then
    check 'expiry under pg_cron' tests/cron.sh
else
    printf 'left out  expiry under pg_cron: there is no pg_cron for this Postgres\n'
fi
check 'dump and restore' tests/dump_restore.sh
check 'upgrade from released versions' tests/upgrade.sh
check 'subscriber and standby' tests/replication.sh
check 'SQL of README and docs' python3 tests/docs.py
check 'sentences of the documents' python3 tests/sentences.py
check 'links of the documents' python3 tests/links.py
check 'layout as the files say' tools/layout.py --check
check 'pictures as they are drawn' tools/pictures.py --check
check 'demo' demo/run.sh

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
