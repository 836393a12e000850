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
# with the pages of the top level, which link into docs
source=target/book_source
rm -rf "$source"
cp -r docs "$source"
for page in CONTRIBUTING CHANGELOG; do
    sed 's#](docs/#](#g' "$page.md" >"$source/$page.md"
    printf -- '- [%s](%s.md)\n' "$(sed -n '1s/^# //p' "$page.md")" "$page" >>"$source/SUMMARY.md"
done
# mdBook calls a README index
sed -i -E 's#\]\(\.\./(CONTRIBUTING|CHANGELOG)\.md#](\1.md#g; s#\]\(reference/README\.md\)#](reference/index.html)#g' "$source"/*.md
"$mdbook" build "$source" --dest-dir "$PWD/target/book"
echo "the book is in target/book/index.html"
