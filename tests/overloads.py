"""Functions of the names of internal ones, which a role that may create in the extension's schema could put there, are not called in their place: where an
argument is a literal without a type, or of one that has a cast, another signature is the better match, and would run as the role that runs the rule.

Connects as libpq's environment says, to a database of its own.
"""

import itertools
import os
import pathlib
import subprocess

import psycopg

ROOT = pathlib.Path(__file__).parent.parent
SUITES = ["tracking", "writes", "everywhere", "shapes", "beside", "partitions", "ddl", "backfill", "lead_tables", "stays_out", "calls", "reports"]
TEXT = 25
# with more arguments of other types, not every combination of them
MOST = 5

with psycopg.connect(autocommit=True) as connection:
    functions = connection.execute("""
        SELECT p.proname, p.proargtypes::oid[], p.pronamespace::regnamespace::text FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'lead_phones'
         WHERE p.proname LIKE 'lead\\_phones\\_%' AND p.prokind = 'f' AND p.pronargs > 0""").fetchall()
    types = dict(connection.execute("SELECT oid, format_type(oid, -1) FROM pg_type").fetchall())
    known = {(name, tuple(arguments)) for name, arguments, _ in functions}
    made = 0
    for name, arguments, schema in functions:
        others = [place for place, of_type in enumerate(arguments) if of_type != TEXT]
        sizes = range(1, len(others) + 1) if len(others) <= MOST else (1, len(others) - 1, len(others))
        for places in itertools.chain.from_iterable(itertools.combinations(others, size) for size in sizes):
            signature = tuple(TEXT if place in places else of_type for place, of_type in enumerate(arguments))
            if (name, signature) in known:
                continue
            known.add((name, signature))
            listed = ", ".join(types[of_type] for of_type in signature)
            connection.execute(f"CREATE FUNCTION {schema}.{name}({listed}) RETURNS text LANGUAGE plpgsql AS "
                               f"$$ BEGIN RAISE EXCEPTION 'planted {name}({listed})'; END $$")
            made += 1

subprocess.run([ROOT / "tests/pg_regress/run.sh", *SUITES], env=os.environ | {"DATABASE": os.environ["PGDATABASE"]}, stdout=subprocess.DEVNULL, check=False)
called = []
for suite in SUITES:
    result = (ROOT / f"target/regress/results/{suite}.out").read_text(errors="replace")
    assert "CREATE SCHEMA" in result or "CREATE TABLE" in result, suite
    called += [f"{suite}: {line}" for line in result.splitlines() if "planted lead_phones_" in line or "is not unique" in line]
assert not called, "\n".join(called)
print(f"{made} functions of {len(functions)} names; none was called by {len(SUITES)} suites")
