"""Runs the programs of docs/clients.md as they are there, each in a database of its own that belongs to a role with no other right, and
compares what each prints with what the document shows. Connects as libpq's environment says."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import sys
import threading

import psycopg

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
WORK = ROOT / "target/clients"
# kept between runs: what was downloaded and built
NODE, RUST = WORK / "node_modules", WORK / "cargo"

document = (ROOT / "docs/clients.md").read_text()
blocks = re.compile(r"^```(\S+)(?: (setup|file)=(\S+))?\n(.*?)^```$", re.M | re.S)
_, _, preface, *sections, uploads, tools = re.split(r"^## ", document, flags=re.M)
setup = {name: text for _, kind, name, text in blocks.findall(preface) if kind == "setup"}
(expected,) = [text for language, _, _, text in blocks.findall(preface) if language == "text"]


def node(directory):
    if not (NODE / ".package-lock.json").exists() or (NODE / "lock").read_text() != (HERE / "node/package-lock.json").read_text():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, WORK)
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=WORK, check=True)
        shutil.copy(HERE / "node/package-lock.json", NODE / "lock")
    return ["node", "app.mjs"]


def rust(directory):
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(HERE / "rust" / name, directory)
    return ["cargo", "run", "--quiet", "--locked", "--target-dir", RUST]


PROGRAMS = {
    "psycopg 3": lambda directory: [sys.executable, "app.py"],
    "SQLAlchemy and Alembic": lambda directory: [sys.executable, "app.py"],
    "Django": lambda directory: [sys.executable, "app.py"],
    "node-postgres": node,
    "JDBC": lambda directory: ["java", "-cp", "/usr/share/java/postgresql.jar", "App.java"],
    "Rust, tokio-postgres": rust,
}
# compare models with a database in which tables are tracked, and migrate these
TOOLS = {
    "Alembic": lambda directory: [sys.executable, "check.py"],
    "Django": lambda directory: [sys.executable, "check.py"],
    "drizzle-kit": lambda directory: node(directory) and [NODE / ".bin/drizzle-kit", "push", "--config", "drizzle.config.mjs"],
    "TypeORM": lambda directory: node(directory) and ["node", "check.mjs"],
    "Sequelize": lambda directory: node(directory) and ["node", "check.mjs"],
    "Knex": lambda directory: node(directory) and ["node", "check.mjs"],
}
# their migrations make the table
MIGRATE = {"SQLAlchemy and Alembic", "Django"}


@contextlib.contextmanager
def relay():
    """A port of 127.0.0.1 that leads to the server's socket: JDBC speaks TCP only."""
    listener = socket.create_server(("127.0.0.1", 0))
    path = f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}"

    def carry(client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(path)
            ways = {client: server, server: client}
            while True:
                for source in select.select(list(ways), [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    ways[source].sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=carry, args=listener.accept()[:1], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]


def unpack(section, directory):
    """Writes the files of a section, and returns what it shows as printed."""
    shutil.rmtree(directory, ignore_errors=True)
    shown = []
    for language, kind, file, text in blocks.findall(section):
        if language == "text":
            shown.append(text)
            continue
        assert kind == "file", (section, kind)
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text(text)
        if file.endswith(".py") and "/" in file:
            (directory / file).with_name("__init__.py").touch()
    return shown


def execute(statements, **connection):
    with psycopg.connect(autocommit=True, **connection) as client:
        for statement in statements:
            client.execute(statement)


found = {section.split("\n", 1)[0]: section for section in sections}
assert found.keys() == PROGRAMS.keys(), found.keys() ^ PROGRAMS.keys()
execute(["DROP ROLE IF EXISTS app", "CREATE ROLE app LOGIN"], dbname="postgres")
failed = 0
with relay() as port:
    for name, section in found.items():
        database = "client"
        execute([f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} OWNER app"], dbname="postgres")
        execute([setup["superuser"], "GRANT ALL ON SCHEMA public TO app"], dbname=database)
        if name not in MIGRATE:
            execute([setup["app"]], dbname=database, user="app")
        directory = WORK / re.sub(r"\W+", "_", name.lower())
        unpack(section, directory)
        environment = os.environ | {"PGUSER": "app", "PGDATABASE": database, "JDBC_URL": f"jdbc:postgresql://127.0.0.1:{port}/{database}?user=app",
                                    "PYTHONDONTWRITEBYTECODE": "1"}
        program = subprocess.run(PROGRAMS[name](directory), cwd=directory, env=environment, capture_output=True, text=True)
        wrong = 0
        if program.returncode == 0:
            with psycopg.connect(dbname=database) as client:
                wrong = client.execute("SELECT count(*) FROM verify_phone_counts('leads')").fetchone()[0]
        good = program.returncode == 0 and program.stdout == expected and wrong == 0
        print("ok     " if good else "FAILED ", name)
        if not good:
            failed += 1
            print(program.stdout, program.stderr[-3000:], f"{wrong} counts are wrong" if wrong else "", sep="\n")
        execute([f"DROP DATABASE {database}"], dbname="postgres")
# a file of leads into lead tables
preface, *subsections = re.split(r"^### ", uploads, flags=re.M)
(setup_of_uploads,) = [text for _, kind, name, text in blocks.findall(preface) if kind == "setup"]
for section in subsections:
    name = section.split("\n", 1)[0]
    execute(["DROP DATABASE IF EXISTS client", "CREATE DATABASE client OWNER app"], dbname="postgres")
    execute([setup["superuser"], "GRANT ALL ON SCHEMA public TO app"], dbname="client")
    execute([setup_of_uploads], dbname="client", user="app")
    directory = WORK / ("upload_" + re.sub(r"\W+", "_", name.lower()))
    (shown,) = unpack(section + "".join(f"```{language} file={file}\n{text}```\n" if kind == "file" else f"```text\n{text}```\n"
                                        for language, kind, file, text in blocks.findall(preface) if kind != "setup"), directory)
    environment = os.environ | {"PGUSER": "app", "PGDATABASE": "client", "PYTHONDONTWRITEBYTECODE": "1"}
    program = subprocess.run(PROGRAMS[name](directory), cwd=directory, env=environment, capture_output=True, text=True)
    good = program.returncode == 0 and program.stdout == shown
    print("ok     " if good else "FAILED ", "upload:", name)
    if not good:
        failed += 1
        print(program.stdout, program.stderr[-3000:], sep="\n")
    execute(["DROP DATABASE client"], dbname="postgres")
# what lead_phones has made must be there when they are done, and right
LEFT = """
    SELECT (SELECT count(*) FROM pg_trigger WHERE tgname ~ 'lead_phones') = 12
       AND (SELECT count(*) FROM pg_tables WHERE tablename ~ '(phone_counts|phone_disqualifications|phone_suppressions|suppressed_phones)$') = 8
       AND (SELECT count(*) FROM pg_indexes WHERE indexname ~ '^(leads|people)_.*(phone|mobile)[^_]*(_e164)?_idx$') = 3
       AND NOT EXISTS (SELECT FROM phones.verify_phone_counts('leads')) AND NOT EXISTS (SELECT FROM phones.verify_phone_counts('people'))"""
preface, *subsections = re.split(r"^### ", tools, flags=re.M)
found = {section.split("\n", 1)[0]: section for section in subsections}
assert found.keys() == TOOLS.keys(), found.keys() ^ TOOLS.keys()
(setup_of_tools,) = [text for _, kind, name, text in blocks.findall(preface) if name == "tools"]
for name, section in found.items():
    execute(["DROP DATABASE IF EXISTS client", "CREATE DATABASE client OWNER app"], dbname="postgres")
    execute(["CREATE SCHEMA phones", "CREATE EXTENSION lead_phones SCHEMA phones", "GRANT USAGE ON SCHEMA phones TO app", "GRANT ALL ON SCHEMA public TO app"],
            dbname="client")
    execute([setup_of_tools], dbname="client", user="app")
    directory = WORK / ("tool_" + re.sub(r"\W+", "_", name.lower()))
    shown = "".join(unpack(section, directory))
    environment = os.environ | {"PGUSER": "app", "PGDATABASE": "client", "PYTHONDONTWRITEBYTECODE": "1", "NODE_PATH": str(NODE)}
    program = subprocess.run(TOOLS[name](directory), cwd=directory, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    with psycopg.connect(dbname="client") as client:
        left = client.execute(LEFT).fetchone()[0]
    good = program.returncode == 0 and shown in program.stdout and left
    print("ok     " if good else "FAILED ", "schema tool:", name)
    if not good:
        failed += 1
        print(program.stdout, program.stderr[-3000:], "" if left else "what lead_phones has made is not all there, or not right", sep="\n")
    execute(["DROP DATABASE client"], dbname="postgres")
execute(["DROP ROLE app"], dbname="postgres")
sys.exit(failed > 0)
