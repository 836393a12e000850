#!/usr/bin/env bash
# Prints the path of a Python that has what tests/requirements.txt asks for, in an environment of the project's own.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/target/venv
if ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt >&2
    cp tests/requirements.txt "$venv/"
fi
printf '%s\n' "$venv/bin/python"
