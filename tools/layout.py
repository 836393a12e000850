#!/usr/bin/env python3
"""Writes docs/layout.md: what is in each file of src and sql/install, by the first sentence of its header. With --check, says whether it is as written."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
ROOMS = {
    "src": "the library: its entry, and the order of the SQL",
    "src/phone": "numbers, in Rust without Postgres",
    "src/phone/plan": "the numbering plans of all countries, as an automaton",
    "src/phone/plan/generate": "making the automaton from libphonenumber's metadata",
    "src/phone/states": "states of area codes",
    "src/phone/time_zones": "time zones of numbers",
    "src/keys": "what people and companies are matched by",
    "src/backend": "what everything else uses of Postgres",
    "src/functions": "SQL functions on values",
    "src/triggers": "the triggers of tracked tables and lead tables",
    "src/triggers/counts": "what is asked of the counts, and written to them",
    "src/triggers/counts/direct": "the counts written without statements",
    "src/actions": "what runs as the owner of a table, whatever role asks",
    "src/ddl": "following DDL",
    "src/citus": "lead tables and tracked tables on Citus",
}


def said(path):
    lines = path.read_text().splitlines()
    mark = "//!" if path.suffix == ".rs" else "--"
    header = []
    for line in lines:
        if not line.startswith(mark):
            break
        header.append(line[len(mark):].strip())
    text = " ".join(header)
    if not text:
        return "its tests" if path.stem == "tests" else None
    return re.sub(r"\[`([^`]*)`\]", r"`\1`", re.split(r"(?<=[.;])\s", text)[0]).rstrip(".;").replace("|", "\\|")


def table(files):
    yield "| file | holds |"
    yield "|---|---|"
    for path in files:
        header = said(path)
        if header is None:
            sys.exit(f"{path.relative_to(ROOT)} does not say what it holds")
        yield f"| `{path.name}` | {header} |"


lines = ["# Layout", "", "What is in each file, by its first sentence. `tools/layout.py` writes this page; the tests compare it.", ""]
rust = [path for path in sorted((ROOT / "src").rglob("*.rs"))]
for room in sorted({path.parent for path in rust}):
    name = str(room.relative_to(ROOT))
    lines += [f"## `{name}`", "", f"{ROOMS[name][0].upper()}{ROOMS[name][1:]}.", "", *table(path for path in rust if path.parent == room), ""]
order = re.findall(r'"\.\./(sql/install/\S+\.sql)"', (ROOT / "src/install.rs").read_text())
rooms = list(dict.fromkeys(str(pathlib.PurePath(path).parent) for path in order))
for room in rooms:
    lines += [f"## `{room}`", "", *table(ROOT / path for path in order if str(pathlib.PurePath(path).parent) == room), ""]
page = "\n".join(lines).rstrip() + "\n"
target = ROOT / "docs/layout.md"
if "--check" in sys.argv:
    if page != target.read_text():
        sys.exit("docs/layout.md is not as the files say: run tools/layout.py")
else:
    target.write_text(page)
