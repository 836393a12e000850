#!/usr/bin/env bash
# The suites of lead tables on Citus: the same statements as on one server, the tables distributed by distribute_lead_tables(). Not part of
# `make test`: see tools/citus.sh for what it needs.
#
#   tests/citus_lead_tables.sh [PORT [SUITE...]]   three ports from PORT on, 5500 by default
#
# The answers are those of one server (tests/pg_regress/expected), but for what is in tests/citus/SUITE.diff: a view is read with the rights of its
# reader on the tables; statements that the suites write for themselves and Citus refuses (a subquery in VALUES, volatile functions in UPDATE), and
# what follows from them; what Citus says of tables that are created in the schema.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/cluster.sh
. tools/citus.sh
port=${1:-5500}
suites=("${@:2}")
if [ ${#suites[@]} = 0 ]; then suites=(lead_tables stays_out calls); fi
out=target/citus
mkdir -p "$out"
trap citus_stop EXIT
citus_start "$port" -c timezone=America/Los_Angeles -c datestyle=postgres,mdy -c intervalstyle=postgres_verbose >/dev/null
# One node, so that one sequence gives all numbers, which the suites name.
citus_psql -p "$port" -c "SELECT citus_remove_node('127.0.0.1', $((port + 1))), citus_remove_node('127.0.0.1', $((port + 2)))" \
    -c "SELECT citus_set_node_property('127.0.0.1', $port, 'shouldhaveshards', true)" >/dev/null
failed=0
# Without what Citus says of its own work, and the numbers of shards.
as_on_one_server() {
    sed -e '/distribute_lead_tables(); -- citus$/,+5d' | grep -v -e '-- citus$' -e '^while executing command on ' |
        sed -E 's/ +/ /g; s/-{2,}/--/g; s/ $//; s/_10[0-9]{4}\b//'
}
for suite in "${suites[@]}"; do
    citus_psql -p "$port" -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION IF NOT EXISTS lead_phones' \
        -c 'SET citus.enable_ddl_propagation = on' >/dev/null
    awk '{ print }
        /^SELECT create_lead_tables\(\);/ && !done { done = 1; print "SET client_min_messages = error; -- citus"; print "SELECT distribute_lead_tables(); -- citus"; print "RESET client_min_messages; -- citus" }' \
        "tests/pg_regress/sql/$suite.sql" | sed -E 's/^(DROP SCHEMA crm CASCADE;)$/SET client_min_messages = error; -- citus\n\1/' >"$out/$suite.sql"
    PGOPTIONS='-c client_min_messages=notice' psql -X -a -q -v HIDE_TABLEAM=on -h "$citus_dir" -U postgres -d postgres -p "$port" \
        <"$out/$suite.sql" >"$out/$suite.out" 2>&1 || true
    diff <(as_on_one_server <"tests/pg_regress/expected/$suite.out") <(as_on_one_server <"$out/$suite.out") | grep '^[<>]' >"$out/$suite.diff" || true
    if diff -q "$out/$suite.diff" "tests/citus/$suite.diff" >/dev/null; then
        echo "$suite: as on one server"
    else
        echo "$suite: other answers than expected, see $out/$suite.diff"
        failed=1
    fi
done
exit $failed
