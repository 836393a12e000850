#!/usr/bin/env bash
# Tracked tables on Citus: a throwaway coordinator and two workers. Not part of `make test`: it needs a Postgres that has Citus
# (13.2 was used; from its source, `./configure --without-libcurl && make install-extension`), and TCP on 127.0.0.1.
#
#   tests/citus.sh [PORT]      three ports from PORT on, 5500 by default
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/cluster.sh
port=${1:-5500}
[ -f "$("$PG_CONFIG" --sharedir)/extension/citus.control" ] || { echo 'this Postgres has no Citus' >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones_citus.XXXXXX")
chmod 0755 "$work"
if [ "$(id -u)" = 0 ]; then chown postgres "$work"; fi
clean_up() {
    for node in 0 1 2; do (cd / && cluster_run "$pg_bin/pg_ctl" -D "$work/$node" -s -m immediate stop 2>/dev/null) || true; done
    rm -rf "$work"
}
trap clean_up EXIT
run() { psql -X -q -v ON_ERROR_STOP=1 -h "$work" -U postgres -d postgres "$@"; }
unset RUST_BACKTRACE
for node in 0 1 2; do
    (cd / && cluster_run "$pg_bin/initdb" -D "$work/$node" -U postgres --auth=trust --no-sync >/dev/null)
    (cd / && cluster_run "$pg_bin/pg_ctl" -D "$work/$node" -w -s -l "$work/$node/server.log" \
        -o "-p $((port + node)) -c listen_addresses=127.0.0.1 -c unix_socket_directories='$work' -c fsync=off -c wal_level=logical \
            -c shared_preload_libraries=citus -c max_prepared_transactions=100 -c citus.shard_count=8" start)
    run -p $((port + node)) -c 'CREATE EXTENSION citus'
done
run -p "$port" -c "SELECT citus_set_coordinator_host('127.0.0.1', $port)" -c "SELECT citus_add_node('127.0.0.1', $((port + 1)))" \
    -c "SELECT citus_add_node('127.0.0.1', $((port + 2)))" >/dev/null
run -p "$port" -At -c 'SELECT citus_version()'
# what docs/scale-out.md says, the blocks ```sql citus
block() { awk -v want="$1" '/^```sql citus$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside && n == want' docs/scale-out.md; }
filled="INSERT INTO leads SELECT i % 9, i, '678 999 ' || 1000 + i % 50, NULL FROM generate_series(1, 500) AS i"
exact() {
    local differences
    differences=$(run -p "$port" -At -c "SELECT count(*) FROM verify_phone_counts('leads')" -c 'SELECT count(*) FROM pg_dist_shard' -c 'SELECT sum(lead_count) FROM campaign_phone_counts')
    [ "$differences" = $'0\n24\n500' ] || { printf '%s: %s\n' "$1" "$differences" >&2; exit 1; }
    run -p "$port" -c 'DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications'
}
run -p "$port" -c 'CREATE EXTENSION lead_phones'
block 1 | run -p "$port" -f - >/dev/null
run -p "$port" -c "$filled"
exact 'a new table, as documented'
run -p "$port" -c 'CREATE TABLE leads (campaign_id int, id bigint, phone text, mobile text, PRIMARY KEY (campaign_id, id))' \
    -c "SELECT track_lead_phones('leads')" -c "$filled" >/dev/null
block 2 | run -p "$port" -f - >/dev/null
exact 'a filled table, as documented'
run -p "$port" -c 'DROP EXTENSION lead_phones'
run -p "$port" -v coordinator="$port" -v worker=$((port + 1)) -v other=$((port + 2)) -f tests/citus.sql
