#!/usr/bin/env bash
# Runs the pg_regress suites and the isolation specs on the running throwaway cluster (tools/cluster.sh).
# Usage: run.sh [suite...]; without suites, all. With DATABASE=, in a database that has the extension, at whichever version; with INPUT=, suites
# of another folder: released/VERSION has those of which a released version answers otherwise.
set -euo pipefail
cd "$(dirname "$0")"
pgxs=$("${PG_CONFIG:-pg_config}" --pgxs)
tools=$(dirname "$(dirname "$pgxs")")/test
bindir=$("${PG_CONFIG:-pg_config}" --bindir)
out=../../target/regress
mkdir -p "$out/isolation"
rm -f "$out"/regression.diffs "$out"/isolation/regression.diffs
failed=0

# 00_install creates the extension for those that follow
existing=()
if [ -n "${DATABASE:-}" ]; then suites=("$@") existing=(--use-existing); elif [ $# -gt 0 ]; then suites=(00_install "$@"); else suites=(00_install numbers tracking writes disqualification everywhere shapes beside retracked direct bad_input drift hostile trust encodings turkish containers pending own_reads partitions ddl backfill scale_out roles lead_tables stays_out calls reports edges examples); fi
# from Postgres 16 on, pg_regress looks for expected files elsewhere, unless it is said
expected=()
if "$tools/regress/pg_regress" --help | grep -q -e --expecteddir; then expected=(--expecteddir="${INPUT:-.}"); fi
"$tools/regress/pg_regress" --bindir="$bindir" "${expected[@]}" --inputdir="${INPUT:-.}" --outputdir="$out" --dlpath=. \
    --dbname="${DATABASE:-lead_phones_regress}" --encoding=UTF8 --no-locale "${existing[@]}" "${suites[@]}" || failed=1
if [ $# = 0 ]; then
    "$tools/isolation/pg_isolation_regress" --bindir="$bindir" --inputdir=. --outputdir="$out/isolation" --dlpath=. \
        --dbname=lead_phones_isolation --encoding=UTF8 --no-locale --load-extension=lead_phones \
        upload_and_disqualify two_uploads edits_and_disqualify new_campaign partitions_and_uploads reads_of_counts lead_uploads repeatable_read counts_meanwhile locked_tables expiry_and_uploads everywhere_and_uploads put_out_meanwhile callers || failed=1
fi
for diffs in "$out"/regression.diffs "$out"/isolation/regression.diffs; do
    if [ -s "$diffs" ]; then cat "$diffs"; fi
done
exit $failed
