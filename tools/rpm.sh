#!/usr/bin/env bash
# Builds the RPM of a major version into target/packages, by rpmbuild and packaging/rpm/lead_phones.spec. Meant for systems with the
# packages of the PostgreSQL community; on Debian it shows that the spec builds, against the Postgres that pg_config (or PG_CONFIG=) names.
# Usage: rpm.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh
need 'command -v rpmbuild' rpm
install_needed
pg_config=$(command -v "${PG_CONFIG:-pg_config}")
major=$("$pg_config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
version=$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml | head -n 1)
work=$PWD/target/rpm
rm -rf "$work"
mkdir -p "$work/SOURCES" "$work/SPECS" target/packages
sed "s/@VERSION@/$version/" packaging/rpm/lead_phones.spec >"$work/SPECS/lead_phones.spec"
git ls-files -z | tar -cz --null -T - --transform "s|^|lead_phones-$version/|" -f "$work/SOURCES/lead_phones-$version.tar.gz"
# Debian's files are not in rpm's database
rpm -q "postgresql$major-devel" >/dev/null 2>&1 || nodeps=--nodeps
PG_CONFIG=$pg_config rpmbuild -bb ${nodeps:-} --define "_topdir $work" --define "pgmajorversion $major" \
    --define "pginstdir $(dirname "$("$pg_config" --bindir)")" --define "pgconfig $pg_config" "$work/SPECS/lead_phones.spec" >"$work/log" 2>&1 || { tail -50 "$work/log" >&2; exit 1; }
mv "$work"/RPMS/*/*.rpm target/packages/
ls target/packages/*.rpm
