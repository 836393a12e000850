#!/usr/bin/env bash
# Audits the dependencies as deny.toml says: licences, sources, and published advisories, which it fetches.
# Usage: audit.sh [CHECK...]      advisories bans licenses sources by default
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/rust.sh
deny=target/deny/bin/cargo-deny
if [ ! -x "$deny" ]; then
    echo '== installing cargo-deny (some minutes, once)' >&2
    cargo install --quiet --locked cargo-deny --version 0.20.2 --root target/deny
fi
exec "$deny" check "$@"
