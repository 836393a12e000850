#!/usr/bin/env bash
# The Debian package on a clean Debian: a root directory with nothing but Postgres and what it needs, no Rust, in which apt installs the
# package, a cluster is started, and the README's quick start runs. `make package` first; as root. Of a version of Postgres that Debian 12
# does not have, the package's files are put into a tree of tools/get_postgres.sh.
# Usage: package.sh [MAJOR]      15, Debian 12's, by default
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh
major=${1:-15}
package=$(echo "$PWD"/target/packages/postgresql-"$major"-lead-phones_*.deb)
[ -f "$package" ] || { echo 'run make package first' >&2; exit 1; }
if [ "$major" != 15 ]; then
    PG_CONFIG=$(tools/get_postgres.sh "$major")
    export PG_CONFIG
    files=$(mktemp -d)
    trap 'rm -rf "$files"' EXIT
    dpkg-deb -x "$package" "$files"
    install -m 755 "$files/usr/lib/postgresql/$major/lib/lead_phones.so" "$("$PG_CONFIG" --pkglibdir)/"
    rm -f "$("$PG_CONFIG" --sharedir)"/extension/lead_phones*
    install -m 644 "$files/usr/share/postgresql/$major/extension"/* "$("$PG_CONFIG" --sharedir)/extension/"
    LD_LIBRARY_PATH=$("$PG_CONFIG" --libdir) tests/one.sh docs.py README.md
    echo "$(basename "$package") works on $("$PG_CONFIG" --version)"
    exit
fi
[ "$(id -u)" = 0 ] || { echo 'a root directory is made as root' >&2; exit 1; }
need 'command -v mmdebstrap' mmdebstrap
install_needed
root=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones_root.XXXXXX")
chmod 0755 "$root"
bin=/usr/lib/postgresql/$major/bin
in_root() { chroot "$root" "$@"; }
clean_up() {
    in_root runuser -u postgres -- "$bin/pg_ctl" -D /var/tmp/data -s -m immediate stop 2>/dev/null || true
    umount "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT
# with the settings of the machine's apt
aptconf=$(mktemp)
apt-config dump | grep -E '^Acquire::' >"$aptconf" || true
mmdebstrap --quiet --variant=apt --include="postgresql-$major" --aptopt="$aptconf" bookworm "$root" >/dev/null
rm -f "$aptconf"
mount -t proc proc "$root/proc"
cp "$package" "$root/tmp/lead_phones.deb"
in_root sh -c '! command -v cargo && ! command -v rustc'
in_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq /tmp/lead_phones.deb >/dev/null
in_root runuser -u postgres -- "$bin/initdb" -D /var/tmp/data -U postgres --auth=trust --no-sync >/dev/null
in_root runuser -u postgres -- "$bin/pg_ctl" -D /var/tmp/data -w -s -l /var/tmp/log \
    -o "-c listen_addresses='' -c unix_socket_directories=/tmp -c dynamic_shared_memory_type=mmap -c shared_preload_libraries=lead_phones" start
export PGHOST=$root/tmp PGUSER=postgres PGPORT=5432
python3 tests/docs.py README.md
in_root env DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq "postgresql-$major-lead-phones" >/dev/null
! find "$root/usr" -name 'lead_phones*' | grep . || { echo 'files are left behind' >&2; exit 1; }
echo "$(basename "$package") installs, works and goes on a clean Debian $(cat "$root/etc/debian_version")"
