#!/usr/bin/env bash
# Prints the path of the corpus, and makes it again when what makes it has changed. SEED= makes another.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=target/differential
made_of=$({ cat tests/differential/corpus.py; grep ^phonenumbers tests/requirements.txt; echo "${SEED:-}"; } | sha256sum | cut -c1-16)
corpus=$work/$made_of.tsv
if [ ! -f "$corpus" ]; then
    rm -rf "$work"
    mkdir -p "$work"
    python=$(tools/python.sh)
    "$python" tests/differential/corpus.py >"$work/corpus"
    mv "$work/corpus" "$corpus"
fi
printf '%s\n' "$PWD/$corpus"
