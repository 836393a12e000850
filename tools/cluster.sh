# A throwaway Postgres cluster: a data directory and a unix socket of its own, under an unprivileged user. Nothing
# listens on TCP, so no port can clash. To be sourced; the caller sets PG_CONFIG where pg_config is not the one on the PATH.
#
#   cluster_start [initdb options]   starts one, and sets PGHOST and PGUSER for it
#   cluster_stop                     stops it and removes its directory
#   cluster_run COMMAND...           runs a command as the cluster's user

: "${PG_CONFIG:=pg_config}"
pg_bin=$("$PG_CONFIG" --bindir)
# psql and pg_dump of the same version
PATH=$pg_bin:$PATH

cluster_run() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

cluster_start() {
    cluster_dir=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones.XXXXXX")
    chmod 0755 "$cluster_dir"
    mkdir "$cluster_dir/socket"
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$cluster_dir"; fi
    chmod 0700 "$cluster_dir/socket"
    (
        cd /
        # errors look the same everywhere, also where a server is started with it
        export RUST_BACKTRACE=1
        cluster_run "$pg_bin/initdb" -D "$cluster_dir/data" -U postgres --auth=trust --no-sync "$@" >"$cluster_dir/initdb.log" 2>&1 ||
            { cat "$cluster_dir/initdb.log" >&2; exit 1; }
        cluster_run "$pg_bin/pg_ctl" -D "$cluster_dir/data" -w -s -l "$cluster_dir/data/server.log" \
            -o "-c listen_addresses='' -c unix_socket_directories='$cluster_dir/socket' -c fsync=off -c max_prepared_transactions=4 ${CLUSTER_OPTIONS:-}" start
    ) || { cat "$cluster_dir/data/server.log" >&2; return 1; }
    export PGHOST=$cluster_dir/socket PGUSER=postgres PGPORT=5432
    unset PGDATABASE PGSERVICE PGPASSWORD
}

cluster_stop() {
    if [ -n "${cluster_dir:-}" ] && [ -d "$cluster_dir" ]; then
        (cd / && cluster_run "$pg_bin/pg_ctl" -D "$cluster_dir/data" -s -m immediate stop) || true
        rm -rf "$cluster_dir"
    fi
    cluster_dir=
}
