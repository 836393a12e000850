"""Runs the SQL of documents as a reader would, and compares what it says with what they show. Needs psql, and a running cluster.
Usage: docs.py [DOCUMENT...]      all by default

In each document, in a database of its own that has the extension, in order:
- ```sql is run; ```text after it is what psql prints;
- `SELECT ...;   -- value` on one line must give that value;
- <!-- sql ... --> is set-up that a reader does not see;
- ```sql NAME is run by tests/NAME.sh, which has what the block needs.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
BLOCK = re.compile(r"^```(sql|text)(?: (\w+))?\n(.*?)^```$|^<!-- sql\n(.*?)^-->$", re.M | re.S)
VALUE = re.compile(r"^(SELECT .*;) +-- (.*)$", re.M)


def psql(*arguments, text=""):
    # as a terminal shows it: a NOTICE before the rows
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def said(text):
    """Lines that count: psql pads them, and ends with an empty one."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def fail(document, text, *reasons):
    line = document.read_text()[:document.read_text().index(text)].count("\n") + 1
    print(f"{document.relative_to(ROOT)}:{line}", *reasons, sep="\n", file=sys.stderr)
    sys.exit(1)


REFERENCE = ROOT / "docs/reference"


def in_order(path):
    """The documents of a folder; those of the reference as its first page lists them: they go on in one database."""
    if not path.is_dir():
        return [path]
    pages = [REFERENCE / page for page in re.findall(r"^- \[.*?\]\((\w+\.md)\)", (REFERENCE / "README.md").read_text(), re.M)]
    return pages if path == REFERENCE else [page for each in sorted(path.iterdir()) if each.is_dir() or each.suffix == ".md" for page in in_order(each)]


named = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or [ROOT / "README.md", ROOT / "docs"]
documents = [document for path in named for document in in_order(path)]
run = values = 0
before = None
for document in documents:
    blocks = BLOCK.findall(document.read_text())
    if not any(language == "sql" or hidden for language, _, _, hidden in blocks) or "```sql setup=" in document.read_text():
        continue  # clients.md is run by tests/clients
    if not document.parent == before == REFERENCE:
        psql("-d", "postgres", "-c", "DROP DATABASE IF EXISTS mydb", "-c", "CREATE DATABASE mydb")
        if "CREATE EXTENSION lead_phones" not in blocks[0][2]:
            psql("-d", "mydb", "-c", "CREATE EXTENSION lead_phones")
    before = document.parent
    printed = None
    for language, place, text, hidden in blocks:
        if language == "text":
            if printed is not None and said(printed) != said(text):
                fail(document, text, "psql prints:", printed)
            printed = None
        elif place:
            if f"```sql {place}" not in (ROOT / f"tests/{place}.sh").read_text():
                fail(document, text, f"tests/{place}.sh does not run it")
        else:
            status, printed = psql("-d", "mydb", text=text or hidden)
            if status:
                fail(document, text or hidden, printed)
            run += 1
            for statement, value in VALUE.findall(text):
                _, answer = psql("-At", "-d", "mydb", "-c", statement)
                expected = {"NULL": "", "true": "t", "false": "f"}.get(value.split(":")[0], value)
                if answer.strip() != expected:
                    fail(document, statement, f"gives: {answer}")
                values += 1
psql("-d", "postgres", "-c", "DROP DATABASE mydb")
if not run:
    sys.exit("no SQL was found")
print(f"{run} blocks, {values} values")
