#!/usr/bin/env bash
# The programs of docs/clients.md, on a running cluster.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p target/clients
exec "$(tools/python.sh)" tests/clients/run.py
