#!/usr/bin/env bash
# Builds the extension for the Postgres that pg_config (or PG_CONFIG=) names, and prints the directory that it was put into, as a tree from /
# on. The same source gives the same bytes wherever it is built: paths of the machine are left out of the library.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/rust.sh
pg_config=$(command -v "${PG_CONFIG:-pg_config}")
major=$("$pg_config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
target=${CARGO_TARGET_DIR:-target}
package=$target/release/lead_phones-pg$major

# what an earlier version put there
rm -rf "$package"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export RUSTFLAGS="--remap-path-prefix=$PWD=/lead_phones --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$(rustc --print sysroot)=/rust"
if ! cargo pgrx package --pg-config "$pg_config" --no-default-features --features "pg$major" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
install -m 644 sql/released/*.sql "$package$("$pg_config" --sharedir)/extension/"
printf '%s\n' "$package"
