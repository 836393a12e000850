#!/usr/bin/env bash
# One of the tests, on a throwaway cluster of its own: tests/one.sh pg_regress/run.sh numbers, tests/one.sh python.sh model.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/cluster.sh
trap cluster_stop EXIT
CLUSTER_OPTIONS='-c wal_level=logical'
cluster_start
test=$1
shift
case $test in *.py) python3 "tests/$test" "$@" ;; *) "tests/$test" "$@" ;; esac
