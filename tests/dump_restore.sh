#!/usr/bin/env bash
# A tracked database, dumped and restored, has the same counts, marks and ledger, and goes on counting. In every format
# of pg_dump, and data alone, with the extension in a schema of its own.
set -euo pipefail
. "$(dirname "$0")/support/tracked.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

create_tracked dumped
before=$(state dumped)
same 'nothing to verify' '' "$(run -d dumped -c "SELECT * FROM phones.verify_phone_counts('app.leads')")"

for format in plain custom directory data-only; do
    run -d postgres -c 'DROP DATABASE IF EXISTS restored' -c 'CREATE DATABASE restored'
    case $format in
        plain) pg_dump -Fp -d dumped | run -d restored >/dev/null ;;
        custom) pg_dump -Fc -d dumped -f "$work/custom" && pg_restore -d restored --exit-on-error "$work/custom" ;;
        directory) pg_dump -Fd -d dumped -f "$work/directory" && pg_restore -j 2 -d restored --exit-on-error "$work/directory" ;;
        # into tables that are there, and tracked
        data-only)
            pg_dump --schema-only -d dumped | run -d restored >/dev/null
            pg_restore -d restored --data-only --disable-triggers --exit-on-error "$work/custom"
            ;;
    esac
    same "$format: the same state" "$before" "$(state restored)"
    goes_on "$format" restored
done
run -d postgres -c 'DROP DATABASE dumped' -c 'DROP DATABASE restored'
