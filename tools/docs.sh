#!/usr/bin/env bash
# Builds the documents as a book with search, into target/book. Installs mdBook into target/tools where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/rust.sh
version=0.4.52
mdbook=target/tools/bin/mdbook
if [ "$("$mdbook" --version 2>/dev/null)" != "mdbook v$version" ]; then
    cargo install mdbook --version "$version" --locked --no-default-features --features search --root target/tools
fi
"$mdbook" build docs --dest-dir "$PWD/target/book"
echo "the book is in target/book/index.html"
