#!/usr/bin/env python3
"""Drafts the upgrade script from a released version: what sql/install says now and the release did not.

    tools/draft_upgrade.py 0.2.0 >sql/lead_phones--0.2.0--0.3.0.sql

Functions, procedures and views that are gone are named at the end. What replacing does not do is for somebody to write: other signatures,
and views and tables in schemas of users. tests/upgrade.sh compares an upgraded database with a fresh one, object by object.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPLACEABLE = re.compile(r"CREATE (FUNCTION|PROCEDURE|VIEW) (\S+?)[\s(]")


def statements(script: str) -> list[str]:
    """The statements of a script, without what is between them."""
    found, lines, quote = [], [], None
    for line in script.splitlines():
        line = line.rstrip()
        if quote is None and not lines and (not line or line.startswith(("--", "/*", "*/")) or not line[0].isupper()):
            continue
        lines.append(line)
        for tag in re.findall(r"\$\w*\$", line):
            quote = tag if quote is None else None if tag == quote else quote
        if quote is None and line.endswith(";"):
            found.append("\n".join(lines))
            lines = []
    assert not lines, f"unended: {lines[0]}"
    return found


def without_comments(script: str) -> str:
    return re.sub(r"/\*.*?\*/", "", script, flags=re.S)


released = statements(without_comments((ROOT / f"sql/released/lead_phones--{sys.argv[1]}.sql").read_text()))
files = [ROOT / "src" / path for path in re.findall(r'"(\.\./sql/install/\S+\.sql)"', (ROOT / "src/install.rs").read_text())]
current = [statement for path in files for statement in statements(path.read_text())]
known = {match[2] for match in map(REPLACEABLE.match, released) if match}

for statement in current:
    if statement in released:
        continue
    match = REPLACEABLE.match(statement)
    if match and match[2] in known:
        statement = statement.replace("CREATE ", "CREATE OR REPLACE ", 1)
    print(statement if statement.startswith("COMMENT") else f"\n{statement}")
still = {match[2] for match in map(REPLACEABLE.match, current) if match}
for name in sorted(known - still):
    print(f"\n-- gone: {name}")
