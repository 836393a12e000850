"""postgres_exporter, as Debian ships it, scrapes a tracked database with monitoring/postgres_exporter.yaml, as a role that may read no
table; and the Grafana dashboard asks for what is there."""

import json
import math
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

import psycopg

ROOT = pathlib.Path(__file__).parent.parent
MONITORING = ROOT / "monitoring"
# unpacked by tests/setup.sh: as an installed package it would run as a service
EXPORTER = ROOT / "target/exporter/usr/bin/prometheus-postgres-exporter"

with psycopg.connect(autocommit=True) as connection:
    connection.execute("""
        CREATE TABLE leads (campaign_id int, phone text, mobile text);
        SELECT FROM track_lead_phones('leads');
        INSERT INTO leads VALUES (1, '678 999 8212', NULL), (1, NULL, '678 999 8212'), (2, '212 761 2846', 'n/a');
        CALL disqualify_phone(1, '678 999 8212', expires_at => now() - interval '1 hour');
        CALL disqualify_phone(2, '212 761 2846');
        CALL disqualify_phone(2, '404 200 0001');
        CREATE SCHEMA crm;
        SELECT create_lead_tables('crm');
        INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'one');
        CREATE TABLE staging (email text, phone text);
        INSERT INTO staging VALUES ('a@x.example', '678 999 8212'), ('b@x.example', '212'), (NULL, NULL);
        CALL upload_leads(1, 'staging', leads => 'crm.leads');
        INSERT INTO crm.call_rules (attempts_in_24_hours) VALUES (1);
        CALL start_call(1, leads => 'crm.leads');
        CALL end_call(1, 'voicemail', leads => 'crm.leads');
        ANALYZE;
        DROP ROLE IF EXISTS lead_phones_exporter;
        CREATE ROLE lead_phones_exporter LOGIN IN ROLE pg_monitor""")


def scrape():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user=lead_phones_exporter dbname={os.environ['PGDATABASE']} sslmode=disable"
    exporter = subprocess.Popen(
        [EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--disable-default-metrics", "--disable-settings-metrics",
         # a query of the exporter's own, which Postgres 17 does not know any more
         "--no-collector.bgwriter",
         f"--extend.query-path={MONITORING / 'postgres_exporter.yaml'}"],
        env=os.environ | {"DATA_SOURCE_NAME": source}, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                    return answer.read().decode()
            except urllib.error.URLError:
                time.sleep(0.1)
        raise AssertionError("the exporter does not listen")
    finally:
        exporter.terminate()
        said = exporter.communicate()[1]
        assert "level=error" not in said, said


found = {}
for name, labels, value in re.findall(r"^(lead_phones\w*)\{(.*)\} (\S+)$", scrape(), re.M):
    labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
    found[name, labels.get("table_name", labels.get("version"))] = float(value)


def expect(table, **values):
    for name, value in values.items():
        actual = found[f"lead_phones_{name}", table]
        assert actual == value or math.isnan(value) and math.isnan(actual), (table, name, value, actual)


expect("leads", estimated_leads=3, unique_numbers=2, shared_numbers=1, disqualified_numbers=2, standing_entries=3, overdue_entries=1, uploads=math.nan)
expect("contacts", estimated_leads=2, unique_numbers=1, shared_numbers=0, disqualified_numbers=0, standing_entries=0, overdue_entries=0, uploads=1,
       uploaded_rows=3, refused_rows=1, invalid_numbers=1, resting_numbers=1, numbers_at_cap=1, by_disposition_calls=1)
assert abs(time.time() - found["lead_phones_last_upload_seconds", "contacts"]) < 600
assert [value for (name, _), value in found.items() if name == "lead_phones_extension_update_pending"] == [0]

dashboard = json.loads((MONITORING / "grafana_dashboard.json").read_text())
variables = {variable["name"] for variable in dashboard["templating"]["list"]}
assert set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"]))) == variables, variables
asked = set()
for panel in dashboard["panels"]:
    for target in panel["targets"]:
        asked |= set(re.findall(r"lead_phones_\w+", target["expr"]))
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= {"schema_name", "table_name", "disposition"}
known = {name for name, _ in found}
assert asked == known, asked ^ known
assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
with psycopg.connect(autocommit=True) as connection:
    connection.execute("DROP ROLE lead_phones_exporter")
print(f"{len(found)} samples of {len(known)} metrics; the dashboard asks for {len(asked)} of them")
