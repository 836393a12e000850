#!/usr/bin/env bash
# Takes the rules of every country from a release of Google's libphonenumber, as PyPI's `phonenumbers` carries it, without waiting for the
# engine's: the metadata, the numbering plans, time zones and states that are made from it, and the versions that name it. Prints which
# numbers change, as a table for the changelog.
# Usage: update_metadata.sh [VERSION]      the newest by default
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
. tools/rust.sh
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/check}
work=$(mktemp -d)
written=(src/phone/metadata.bin src/phone/mod.rs src/phone/plan/automaton.bin src/phone/plan/tables.rs src/phone/time_zones/table.rs
    src/phone/states/table.rs tests/requirements.txt docs/reference/*.md)
cp --parents "${written[@]}" "$work"
# what fails half way leaves everything as it was
trap '[ -n "${done:-}" ] || cp -r "$work"/src "$work"/tests "$work"/docs .; rm -rf "$work"' EXIT
version_file=src/phone/mod.rs
before=$(sed -nE 's/^pub const METADATA_VERSION: &str = "(.*)";/\1/p' "$version_file")
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "phonenumbers${1:+==$1}"
python=$work/venv/bin/python
version=$("$python" -c 'import phonenumbers; print(phonenumbers.__version__)')

generate() { # generate SCRIPT FILE: replaced when it is whole
    "$python" "$1" >"$work/made"
    cp "$work/made" "$2"
}
generate tools/metadata.py src/phone/metadata.bin
generate tools/time_zones.py src/phone/time_zones/table.rs
generate tools/states.py src/phone/states/table.rs
sed -i -E "s/^(pub const METADATA_VERSION: &str = \").*(\";)/\1$version\2/" "$version_file"
sed -i -E "s/^phonenumbers==.*/phonenumbers==$version/" tests/requirements.txt
sed -i "s/phone metadata $before/phone metadata $version/" docs/reference/*.md
log=$work/log
if ! UPDATE_PLAN_TABLES=1 cargo test --quiet --locked --no-default-features the_tables >"$log" 2>&1 ||
    ! OLD_METADATA=$work/src/phone/metadata.bin cargo test --quiet --locked --no-default-features the_changes -- --nocapture >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
done=1
printf 'Phone metadata of libphonenumber %s, where it was %s:\n\n' "$version" "$before"
sed -n 's/^[.]*|/|/p' "$log"
printf '\nWhat is left to do: the table into CHANGELOG.md; make test; git diff of the time zones and states.\n' >&2
