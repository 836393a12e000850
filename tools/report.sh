#!/usr/bin/env bash
# The quality of a database's phone data as one HTML page (tools/report/report.py). Connects as libpq's environment says.
# Usage: report.sh FILE [--numbers]
set -euo pipefail
tools=$(cd "$(dirname "$0")" && pwd)
exec "$("$tools/python.sh" tools/report/requirements.txt)" "$tools/report/report.py" "$@"
