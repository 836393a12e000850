#!/usr/bin/env bash
# Installs what building and testing need, where it is missing: system packages, Rust, cargo-pgrx at the version that
# Cargo.toml pins. Debian 12 and its derivatives; as root, or as a user with sudo. Silent and quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

. tools/packages.sh

pg_config=${PG_CONFIG:-pg_config}
need 'command -v cc' build-essential
need 'command -v curl' curl ca-certificates
need 'command -v git' git
need 'command -v pkg-config' pkg-config
need 'pkg-config --exists openssl' libssl-dev
need 'python3 -c "import venv, ensurepip"' python3 python3-venv
need 'command -v clang || ls /usr/lib/llvm-*/bin/clang' clang
need 'ls /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so* || ldconfig -p | grep -q libclang' libclang-dev
if [ "$pg_config" = pg_config ]; then
    need 'command -v pg_config && [ -x "$(pg_config --bindir)/initdb" ]' postgresql-15
    need 'command -v pg_config && [ -f "$(pg_config --includedir-server)/postgres.h" ]' postgresql-server-dev-15
fi
install_needed

. tools/rust.sh
rust_version=$(sed -nE 's/^rust-version = "([^"]+)".*/\1/p' Cargo.toml)
enough() { [ -n "$1" ] && printf '%s\n' "$rust_version" "$1" | sort -C -V; } # enough VERSION
version_of() { "$1" --version 2>/dev/null | sed -nE 's/^rustc ([0-9.]+).*/\1/p'; } # version_of RUSTC
new_enough() { enough "$(version_of "$1")"; }
link_rust() { # link_rust DIRECTORY: its tools come first on the PATH, and nothing else of it
    local tool
    mkdir -p target/rust/bin
    for tool in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do ln -sfn "$1/$tool" "target/rust/bin/$tool"; done
    say "Rust $(version_of "$1/rustc") of $1 is used: this needs $rust_version${first:+, and the first on the PATH is $first}"
}
if ! new_enough rustc; then
    rm -rf target/rust
    hash -r
    first=$(version_of rustc) || true
    if ! new_enough /usr/bin/rustc && command -v apt-cache >/dev/null; then
        # Debian 12 keeps a current Rust for its browsers, beside its own of 2022
        as_root apt-get update -qq
        if enough "$(apt-cache policy rustc-web | sed -nE 's/^ *Candidate: ([0-9.]+).*/\1/p')"; then
            packages+=(rustc-web cargo-web rustfmt-web rust-web-clippy)
            install_needed
        fi
    fi
    if ! new_enough rustc && ! new_enough /usr/bin/rustc; then
        say "installing Rust"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c rustfmt -c clippy
    fi
    hash -r
    if new_enough rustc; then :
    elif new_enough /usr/bin/rustc; then link_rust /usr/bin
    else link_rust "$HOME/.cargo/bin"; fi
fi

pgrx_version=$(sed -nE 's/^pgrx = \{ version = "=([^"]+)".*/\1/p' Cargo.toml)
if [ "$(cargo pgrx --version 2>/dev/null)" != "cargo-pgrx $pgrx_version" ]; then
    say "installing cargo-pgrx $pgrx_version (some minutes, once)"
    cargo install --quiet --locked cargo-pgrx --version "$pgrx_version"
fi

pg_config=$(command -v "$pg_config")
major=$("$pg_config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
pgrx_home=${PGRX_HOME:-$HOME/.pgrx}
if ! grep -qs "^pg$major *= *\"$pg_config\"" "$pgrx_home/config.toml"; then
    say "registering Postgres $major with cargo-pgrx"
    cargo pgrx init "--pg$major" "$pg_config" >/dev/null
fi
