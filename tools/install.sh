#!/usr/bin/env bash
# Builds the extension and installs it into the Postgres that pg_config (or PG_CONFIG=) names. What is running keeps the
# library it has loaded: files are replaced, never written over.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:$HOME/.cargo/bin
pg_config=$(command -v "${PG_CONFIG:-pg_config}")
major=$("$pg_config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
package=target/release/lead_phones-pg$major

# what an earlier version put there
rm -rf "$package"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cargo pgrx package --pg-config "$pg_config" --no-default-features --features "pg$major" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
as_owner_of() { # as_owner_of DIRECTORY COMMAND...
    local directory=$1; shift
    if [ -w "$directory" ]; then "$@"; else sudo "$@"; fi
}
libdir=$("$pg_config" --pkglibdir)
extension_dir=$("$pg_config" --sharedir)/extension
as_owner_of "$libdir" install -m 755 "$package$libdir/lead_phones.so" "$libdir/"
as_owner_of "$extension_dir" install -m 644 "$package$extension_dir"/lead_phones* sql/released/*.sql "$extension_dir/"
printf 'lead_phones is installed in Postgres %s (%s)\n' "$major" "$libdir"
