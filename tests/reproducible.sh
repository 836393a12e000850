#!/usr/bin/env bash
# Two builds of the same source, in directories of different names and without anything kept between them, give the same bytes.
# Some minutes. Usage: reproducible.sh
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/lead_phones_twice.XXXXXX")
trap 'rm -rf "$work"' EXIT
for place in one another/place; do
    mkdir -p "$work/$place"
    git ls-files -z | xargs -0 cp --parents -t "$work/$place"
    (cd "$work/$place" && CARGO_TARGET_DIR=$PWD/target tools/build.sh >/dev/null)
    (cd "$work/$place"/target/release/lead_phones-pg* && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2) >"$work/$place.sums"
done
diff "$work/one.sums" "$work/another/place.sums"
cat "$work/one.sums"
