#!/usr/bin/env bash
# Prints the path of a Python that has what a list of requirements asks for, in an environment of its own.
# Usage: python.sh [REQUIREMENTS]      those of the tests by default
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=${1:-tests/requirements.txt}
directory=$(dirname "$requirements")
venv=$PWD/target/venv_${directory//\//_}
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$venv/"
fi
printf '%s\n' "$venv/bin/python"
