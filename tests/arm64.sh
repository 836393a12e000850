#!/usr/bin/env bash
# The library for arm64, on an amd64 Debian 12: cross-compiled against the headers of Debian's arm64 server, loaded by that server under
# emulation, and asked for numbers. A single-user server is all that emulation runs here: initdb starts programs, which it does not.
# Not part of `make test`: it installs a cross compiler and an emulator. As root.
# Usage: arm64.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh
need 'command -v mmdebstrap' mmdebstrap
need 'command -v aarch64-linux-gnu-gcc' gcc-aarch64-linux-gnu libc6-dev-arm64-cross
need 'command -v qemu-aarch64-static' qemu-user-static
need '[ "$(/usr/bin/rustc --version | cut -d. -f2)" -ge 96 ]' rustc-web cargo-web
install_needed
root=$PWD/target/arm64/root
target=aarch64-unknown-linux-gnu
if [ ! -d "$root" ]; then
    say 'fetching the arm64 server and standard library'
    mkdir -p target/arm64
    apt-config dump | grep -E '^Acquire::' >target/arm64/apt.conf || true
    cat >target/arm64/sources.list <<'LIST'
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian-security bookworm-security main
LIST
    mmdebstrap --quiet --variant=extract --architectures=arm64 --aptopt=target/arm64/apt.conf \
        --include=postgresql-15,postgresql-server-dev-15,libstd-rust-web-dev,libc6-dev,tzdata bookworm "$root" target/arm64/sources.list
fi
# what the headers of arm64 are asked by
pg_config=$PWD/target/arm64/pg_config
cat >"$pg_config" <<PG_CONFIG
#!/bin/sh
case \$1 in
    --includedir*) /usr/bin/pg_config "\$1" | sed "s|^|$root|" ;;
    *) exec /usr/bin/pg_config "\$@" ;;
esac
PG_CONFIG
chmod +x "$pg_config"
say 'compiling for arm64'
PATH=/usr/bin:$PATH PGRX_PG_CONFIG_PATH=$pg_config RUSTFLAGS="-L $root/usr/lib/rustlib/$target/lib" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu="--target=aarch64-linux-gnu --sysroot=$root" \
    cargo build --quiet --release --locked --lib --target "$target" --target-dir target/arm64/build --no-default-features --features pg15
library=target/arm64/build/$target/release/liblead_phones.so
lib=$(pg_config --pkglibdir)
install -m 755 "$library" "$root$lib/lead_phones.so"
install -m 644 "$(pg_config --sharedir)"/extension/lead_phones* "$root$(pg_config --sharedir)/extension/"

# A data directory of amd64 has the same layout. The emulator finds the server's files below -L.
work=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones_arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT
chown postgres "$work"
chmod -R a+rX target/arm64/root
bin=$(pg_config --bindir)
in_work() { (cd "$work" && runuser -u postgres -- "$@"); }
in_work "$bin/initdb" -D "$work/data" -U postgres --no-sync --locale=C --encoding=UTF8 >/dev/null
answer=$(in_work qemu-aarch64-static -L "$root" "$root$bin/postgres" --single -D "$work/data" -c shared_memory_type=mmap postgres 2>"$work/log" <<'SQL' || true
CREATE EXTENSION lead_phones;
CREATE TABLE leads (campaign_id int, phone text, mobile text);
SELECT track_lead_phones('leads');
INSERT INTO leads VALUES (42, '(678)-999 8212', '212 761 2846'), (42, '1 678-999-8212 x5', 'n/a'), (42, '678-999-GOOG', NULL);
DO $$ BEGIN EXECUTE $x$CALL disqualify_phone(42, '678 999 8212')$x$; END $$;
SELECT phone, lead_count, disqualified FROM campaign_phone_counts ORDER BY phone;
SELECT count(*) AS wrong FROM verify_phone_counts('leads');
SQL
)
printf '%s\n' "$answer" | grep -E 'phone = |lead_count = |disqualified = |wrong = ' || { tail -20 "$work/log" >&2; exit 1; }
[ "$(printf '%s\n' "$answer" | grep -cE 'phone = "\+16789998212"|lead_count = "2"|disqualified = "t"|wrong = "0"')" = 4 ] || { tail -20 "$work/log" >&2; exit 1; }
echo 'the library runs on arm64'
