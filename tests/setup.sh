#!/usr/bin/env bash
# Installs what the tests need beyond what building does (tools/setup.sh), where it is missing. Silent and quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh

need 'command -v node && command -v npm' nodejs npm
need 'command -v javac' default-jdk-headless
need '[ -f /usr/share/java/postgresql.jar ]' libpostgresql-jdbc-java
need 'command -v chromium && command -v chromedriver' chromium chromium-driver
install_needed

exporter=target/exporter
if [ ! -x "$exporter/usr/bin/prometheus-postgres-exporter" ]; then
    say 'fetching prometheus-postgres-exporter'
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    as_root apt-get update -qq
    (cd "$work" && apt-get download -qq prometheus-postgres-exporter 2>/dev/null)
    mkdir -p "$exporter"
    dpkg-deb -x "$work"/*.deb "$exporter"
fi

# One test needs it; where there is no such package, that test is left out.
if [ "${PG_CONFIG:-pg_config}" = pg_config ]; then
    for extension in pg_cron:cron plpgsql_check:plpgsql-check; do
        [ -f "$(pg_config --sharedir)/extension/${extension%:*}.control" ] && continue
        need false "postgresql-15-${extension#*:}"
        install_needed >/dev/null 2>&1 || say "there is no postgresql-15-${extension#*:}: going on without"
    done
fi
