#!/usr/bin/env bash
# pg_upgrade of a tracked cluster from one major version of Postgres to another, and pg_dump from one to the other: with the extension
# at its newest version, and at one that is updated afterwards. On trees of their own (tools/get_postgres.sh).
# Usage: pg_upgrade.sh OLD NEW
set -euo pipefail
cd "$(dirname "$0")/.."
for major in "$1" "$2"; do
    PG_CONFIG=$(tools/get_postgres.sh "$major") make --no-print-directory install >/dev/null
done
old=$("$(tools/get_postgres.sh "$1")" --bindir)
new=$("$(tools/get_postgres.sh "$2")" --bindir)
PG_CONFIG=$new/pg_config
. tools/cluster.sh
. tests/support/tracked.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones_upgrade.XXXXXX")
chmod 0755 "$work"
mkdir "$work/socket"
if [ "$(id -u)" = 0 ]; then chown -R postgres "$work"; fi
unset RUST_BACKTRACE
as_server() { (cd "$work" && cluster_run "$@"); }
start() { as_server "$1/pg_ctl" -D "$2" -w -s -l "$work/server.log" -o "-c listen_addresses='' -c unix_socket_directories='$work/socket' -c fsync=off" start; }
stop() { as_server "$1/pg_ctl" -D "$2" -w -s stop; }
clean_up() {
    as_server "$old/pg_ctl" -D "$work/old" -s -m immediate stop 2>/dev/null || true
    as_server "$new/pg_ctl" -D "$work/new" -s -m immediate stop 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
export PGHOST=$work/socket PGUSER=postgres PGPORT=5432
for side in old new; do
    # 18 has checksums unless told otherwise, and pg_upgrade wants them the same
    as_server "${!side}/initdb" -D "$work/$side" -U postgres --auth=trust --no-sync --data-checksums --encoding=UTF8 --locale=C >/dev/null
done

start "$old" "$work/old"
create_tracked newest
create_tracked older 0.2.0
newest=$(state newest)
older=$(state older)
pg_dump -Fc -d newest -f "$work/newest.dump"
stop "$old" "$work/old"
as_server "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/old" -D "$work/new" -U postgres -s "$work/socket" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
start "$new" "$work/new"
same 'pg_upgrade: the same state' "$newest" "$(state newest)"
same 'pg_upgrade, released version: the same state' "$older" "$(state older)"
goes_on 'pg_upgrade' newest
run -d older -c 'ALTER EXTENSION lead_phones UPDATE'
same 'pg_upgrade, then UPDATE: the same state' "$(grep -v '^CREATE TRIGGER' <<<"$older")" "$(state older | grep -v '^CREATE TRIGGER')"
goes_on 'pg_upgrade, then UPDATE' older
run -d postgres -c 'CREATE DATABASE restored'
pg_restore -d restored --exit-on-error "$work/newest.dump"
same 'pg_dump: the same state' "$newest" "$(state restored)"
goes_on 'pg_dump' restored
echo "a tracked cluster of Postgres $1 was upgraded to $2"
