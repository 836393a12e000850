#!/usr/bin/env bash
# Builds Debian packages postgresql-NN-lead-phones, and the archive for PGXN, into target/packages. For each MAJOR by Debian's server where
# it is installed, else by a tree of tools/get_postgres.sh.
# Usage: package.sh [MAJOR...]      that of pg_config by default
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh
need 'command -v dpkg-buildpackage && command -v dh' debhelper dpkg-dev
need 'command -v lintian' lintian
need 'command -v zip' zip
install_needed
. tools/rust.sh
[ $# -gt 0 ] || set -- "$("${PG_CONFIG:-pg_config}" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')"
version=$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
export SOURCE_DATE_EPOCH
out=target/packages
rm -rf "$out"
mkdir -p "$out"

for major in "$@"; do
    debian=/usr/lib/postgresql/$major
    export PG_CONFIG=$debian/bin/pg_config PACKAGE=postgresql-$major-lead-phones SOURCE=$PWD
    if [ ! -f "$PG_CONFIG" ] || [ ! -f "$("$PG_CONFIG" --includedir-server)/postgres.h" ]; then
        PG_CONFIG=$(tools/get_postgres.sh "$major")
        tools/setup.sh
    fi
    built=$(tools/build.sh)
    work=target/package-$major
    rm -rf "$work"
    mkdir -p "$work/built$debian/lib" "$work/built/usr/share/postgresql/$major/extension" "$work/debian/source"
    # where Debian's server looks, whichever it was built by
    cp "$built$("$PG_CONFIG" --pkglibdir)/lead_phones.so" "$work/built$debian/lib/"
    cp "$built$("$PG_CONFIG" --sharedir)"/extension/* "$work/built/usr/share/postgresql/$major/extension/"
    chmod -R u=rwX,go=rX "$work/built"
    tools/licenses.py "pg$major" >"$work/third_party_licenses.txt"
    cp packaging/debian/rules packaging/debian/copyright "$work/debian/"
    # built against the headers of a minor version, the library may use what an older one does not have
    minor=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9.]+).*/\1/')
    sed "s/@MAJOR@/$major/g; s/@MINOR@/$minor/g" packaging/debian/control.in >"$work/debian/control"
    echo '3.0 (native)' >"$work/debian/source/format"
    printf 'lead-phones (%s) unstable; urgency=medium\n\n  * Release %s; see changelog.gz.\n\n -- %s  %s\n' "$version" "$version" \
        "$(sed -nE 's/^Maintainer: //p' packaging/debian/control.in)" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" >"$work/debian/changelog"
    (cd "$work" && BUILT=$PWD/built dpkg-buildpackage --build=binary --no-sign >build.log 2>&1) || { cat "$work/build.log" >&2; exit 1; }
    mv target/"${PACKAGE}_${version}_"*.deb "$out/"
    rm -f target/lead-phones_* target/"$PACKAGE"-dbgsym_*
    lintian --fail-on error "$out/$PACKAGE"_*.deb
done

# The archive for PGXN: the source, under a directory of its name, with META.json.
sed "s/@VERSION@/$version/g" packaging/META.json.in >"$out/META.json"
meta=target/pgxn/bin/pgxn_meta
[ -x "$meta" ] || { say 'installing pgxn_meta'; cargo install --quiet --locked pgxn_meta --version 0.7.0 --root target/pgxn; }
"$meta" "$out/META.json" >&2
name=lead_phones-$version
mkdir "$out/$name"
git ls-files -z | xargs -0 cp --parents -t "$out/$name"
mv "$out/META.json" "$out/$name/"
find "$out/$name" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$out" && find "$name" -type f | LC_ALL=C sort | TZ=UTC zip -q -X -@ "$name.zip")
rm -rf "${out:?}/$name"
ls -l "$out" | awk 'NR > 1 { printf "%s  %.1f MB\n", $NF, $5 / 1e6 }'
