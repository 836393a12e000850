# A throwaway Citus cluster: a coordinator and two workers, with TCP on 127.0.0.1. To be sourced after tools/cluster.sh, by what is not part
# of `make test`: it needs a Postgres that has Citus (13.2 was used; from its source, `./configure --without-libcurl && make install-extension`).
#
#   citus_start PORT [options of postgres]   starts one, on three ports from PORT on
#   citus_stop                               stops it and removes its directory
#   citus_psql ARGUMENTS...                  psql; -p says on which node

citus_stop() {
    [ -n "${citus_dir:-}" ] || return 0
    for node in 0 1 2; do (cd / && cluster_run "$pg_bin/pg_ctl" -D "$citus_dir/$node" -s -m immediate stop 2>/dev/null) || true; done
    rm -rf "$citus_dir"
    citus_dir=
}

citus_psql() { psql -X -q -v ON_ERROR_STOP=1 -h "$citus_dir" -U postgres -d postgres "$@"; }

citus_start() {
    local port=$1 node
    [ -f "$("$PG_CONFIG" --sharedir)/extension/citus.control" ] || { echo 'this Postgres has no Citus' >&2; return 1; }
    citus_dir=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones_citus.XXXXXX")
    chmod 0755 "$citus_dir"
    if [ "$(id -u)" = 0 ]; then chown postgres "$citus_dir"; fi
    unset RUST_BACKTRACE
    for node in 0 1 2; do
        (cd / && cluster_run "$pg_bin/initdb" -D "$citus_dir/$node" -U postgres --auth=trust --no-sync >/dev/null)
        (cd / && cluster_run "$pg_bin/pg_ctl" -D "$citus_dir/$node" -w -s -l "$citus_dir/$node/server.log" \
            -o "-p $((port + node)) -c listen_addresses=127.0.0.1 -c unix_socket_directories='$citus_dir' -c fsync=off -c wal_level=logical \
                -c shared_preload_libraries=citus -c max_prepared_transactions=100 -c citus.shard_count=8 ${*:2}" start)
        citus_psql -p $((port + node)) -c 'CREATE EXTENSION citus'
    done
    citus_psql -p "$port" -c "SELECT citus_set_coordinator_host('127.0.0.1', $port)" -c "SELECT citus_add_node('127.0.0.1', $((port + 1)))" \
        -c "SELECT citus_add_node('127.0.0.1', $((port + 2)))" >/dev/null
    citus_psql -p "$port" -At -c 'SELECT citus_version()'
}
