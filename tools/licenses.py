#!/usr/bin/env python3
"""Prints the licences of the crates that are linked into the library, with the texts that their authors ship.

    tools/licenses.py pg15
"""
import json
import pathlib
import subprocess
import sys

TEXTS = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE")

metadata = json.loads(subprocess.run(
    ["cargo", "metadata", "--locked", "--format-version=1", "--no-default-features", f"--features={sys.argv[1]}",
     "--filter-platform", next(line.split()[1] for line in subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines()
                               if line.startswith("host:"))],
    check=True, capture_output=True, text=True).stdout)
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
packages = {package["id"]: package for package in metadata["packages"]}


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


# what is linked: neither what only builds or tests, nor what expands macros
linked, queue = set(), [metadata["resolve"]["root"]]
while queue:
    node = queue.pop()
    if node in linked or is_macro(packages[node]):
        continue
    linked.add(node)
    queue += [dependency["pkg"] for dependency in nodes[node]["deps"] if any(kind["kind"] is None for kind in dependency["dep_kinds"])]
linked.discard(metadata["resolve"]["root"])

print("lead_phones contains these Rust crates.\n")
texts = {}
for package in sorted((packages[identity] for identity in linked), key=lambda package: (package["name"], package["version"])):
    if not package["license"]:
        sys.exit(f"{package['name']} does not say its licence")
    print(f"  {package['name']} {package['version']}: {package['license']}")
    directory = pathlib.Path(package["manifest_path"]).parent
    for file in sorted(directory.iterdir()):
        if file.is_file() and file.name.upper().startswith(TEXTS):
            texts.setdefault(file.read_text(errors="replace").strip(), []).append(f"{package['name']} {package['version']} ({file.name})")
for text, holders in sorted(texts.items(), key=lambda item: item[1]):
    print("\n" + "-" * 78 + "\n" + "\n".join(holders) + "\n\n" + text)
