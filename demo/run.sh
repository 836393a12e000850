#!/usr/bin/env bash
# The demo on a throwaway cluster. --keep leaves the cluster running, --psql opens psql on it, --stop ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/cluster.sh
state=target/demo-cluster

# the cluster that an earlier run left; sets cluster_dir
running() { [ -f "$state" ] && cluster_dir=$(cat "$state") && [ -S "$cluster_dir/socket/.s.PGSQL.5432" ]; }

case ${1:-} in
    --psql)
        running || { echo 'No demo cluster is running. Start one with: make demo KEEP=1' >&2; exit 1; }
        exec psql -h "$cluster_dir/socket" -U postgres -d demo ;;
    --stop)
        if running; then cluster_stop; fi
        rm -f "$state"
        exit ;;
esac

if [ "${1:-}" = --keep ] && running; then
    echo 'A demo cluster is running already: make psql opens psql on it, make demo-stop ends it.' >&2
    exit 1
fi
trap cluster_stop EXIT
cluster_start
psql -X -q -d postgres -c 'CREATE DATABASE demo'
PGTZ=UTC psql -X -d demo -f demo/demo.sql
if [ "${1:-}" = --keep ]; then
    echo "$cluster_dir" >"$state"
    trap - EXIT
    printf '\nThe cluster is left running, in %s.\n  make psql       opens psql on it\n  make demo-stop  ends it\n' "$cluster_dir"
else
    printf '\nThe cluster is gone. To play on:  make demo KEEP=1  and then  make psql\n'
fi
