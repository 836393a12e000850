#!/usr/bin/env bash
# Builds the extension and installs it into the Postgres that pg_config (or PG_CONFIG=) names. What is running keeps the
# library it has loaded: files are replaced, never written over.
set -euo pipefail
cd "$(dirname "$0")/.."
pg_config=$(command -v "${PG_CONFIG:-pg_config}")
package=$(tools/build.sh)
as_owner_of() { # as_owner_of DIRECTORY COMMAND...
    local directory=$1; shift
    if [ -w "$directory" ]; then "$@"; else sudo "$@"; fi
}
libdir=$("$pg_config" --pkglibdir)
extension_dir=$("$pg_config" --sharedir)/extension
as_owner_of "$libdir" install -m 755 "$package$libdir/lead_phones.so" "$libdir/"
as_owner_of "$extension_dir" install -m 644 "$package$extension_dir"/lead_phones* "$extension_dir/"
printf 'lead_phones is installed in %s (%s)\n' "$("$pg_config" --version)" "$libdir"
