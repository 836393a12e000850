#!/usr/bin/env bash
# Replicas: a logical subscriber that has the extension and the triggers, and a physical standby, have the counts and marks of
# their source, counted once. Needs a running cluster with wal_level=logical (tests/run.sh starts one).
set -euo pipefail
pg_bin=$("${PG_CONFIG:-pg_config}" --bindir)
work=$(mktemp -d)
chmod 0755 "$work"
as_server() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
clean_up() {
    (cd / && as_server "$pg_bin/pg_ctl" -D "$work/standby" -s -m immediate stop 2>/dev/null) || true
    rm -rf "$work"
}
trap clean_up EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }
same() { # same WHAT EXPECTED ACTUAL
    if [ "$2" != "$3" ]; then printf '%s\nexpected: %s\nactual:   %s\n' "$1" "$2" "$3" >&2; exit 1; fi
}
state() { # state CONNECTION...
    run "$@" -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.leads AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)), sum(lead_count) FROM app.campaign_phone_counts AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.campaign_phone_disqualifications AS t" \
        -c "SELECT count(*) FROM verify_phone_counts('app.leads')"
}
writes() { # writes FIRST_ID
    run -d publisher -v first="$1" <<'SQL'
INSERT INTO app.leads SELECT i, i % 4, '678 999 ' || 1000 + i % 90, '678 999 ' || 1000 + i % 70 FROM generate_series(:first, :first + 999) AS i;
UPDATE app.leads SET mobile = phone WHERE id % 5 = 0;
DELETE FROM app.leads WHERE id % 7 = 0;
BEGIN;
INSERT INTO app.leads VALUES (:first + 5000, 1, '678 999 1003', NULL);
CALL disqualify_phone(1, '678 999 1003', leads => 'app.leads');
COMMIT;
CALL disqualify_phone(2, '678 999 1004', leads => 'app.leads');
CALL requalify_phone(2, '678 999 1004', leads => 'app.leads');
UPDATE app.leads SET campaign_id = 1 WHERE id % 11 = 0;
SQL
}

run -d postgres -c 'CREATE DATABASE publisher' -c 'CREATE DATABASE subscriber'
run -d publisher <<'SQL'
CREATE EXTENSION lead_phones;
CREATE SCHEMA app;
CREATE TABLE app.leads (id int, campaign_id int, phone text, mobile text, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE app.leads_0 PARTITION OF app.leads FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.leads_1 PARTITION OF app.leads FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT FROM track_lead_phones('app.leads');
-- all of them: a subscriber does not count what it is sent
CREATE PUBLICATION leads FOR TABLE app.leads, app.campaign_phone_counts, app.campaign_phone_disqualifications, app.phone_suppressions, app.suppressed_phones;
SQL
writes 1
pg_dump --schema-only --no-publications -d publisher | run -d subscriber >/dev/null
run -d publisher -c "SELECT pg_create_logical_replication_slot('leads', 'pgoutput')" >/dev/null
run -d subscriber -c "CREATE SUBSCRIPTION leads CONNECTION 'host=$PGHOST port=$PGPORT user=$PGUSER dbname=publisher' PUBLICATION leads WITH (create_slot = false, slot_name = leads)" 2>/dev/null
arrived() { # waits for the subscriber to have what the publisher has
    local until=$((SECONDS + 60)) position
    position=$(run -d publisher -c 'SELECT pg_current_wal_lsn()')
    while [ "$(run -d subscriber -c "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'")" != 0 ] ||
        [ "$(run -d publisher -c "SELECT confirmed_flush_lsn >= '$position' FROM pg_replication_slots WHERE slot_name = 'leads'")" != t ]; do
        if [ $SECONDS -gt $until ]; then echo 'the subscriber does not catch up' >&2; exit 1; fi
        sleep 0.2
    done
}
arrived
same 'copied to the subscriber' "$(state -d publisher)" "$(state -d subscriber)"
writes 10001
run -d publisher -c "CALL disqualify_phone(NULL, '678 999 1004', leads => 'app.leads')" -c "CALL disqualify_phone(NULL, '678 999 1005', leads => 'app.leads')" -c "CALL requalify_phone(NULL, '678 999 1005', leads => 'app.leads')" >/dev/null
arrived
same 'streamed to the subscriber' "$(state -d publisher)" "$(state -d subscriber)"
same 'nothing to verify' 0 "$(run -d subscriber -c "SELECT count(*) FROM verify_phone_counts('app.leads')")"
# made writable, it counts on
run -d subscriber -c 'DROP SUBSCRIPTION leads' 2>/dev/null
run -d subscriber -c "INSERT INTO app.leads VALUES (90000, 1, '678 999 1003', '678 999 5555'), (90001, 77, '678 999 1004', NULL)"
same 'arrives marked at the subscriber' t "$(run -d subscriber -c 'SELECT phone_disqualified FROM app.leads WHERE id = 90000')"
same 'in every campaign too' t "$(run -d subscriber -c 'SELECT phone_disqualified FROM app.leads WHERE id = 90001')"
same 'the subscriber counts on' 0 "$(run -d subscriber -c "SELECT count(*) FROM verify_phone_counts('app.leads')")"

mkdir "$work/standby"
if [ "$(id -u)" = 0 ]; then chown postgres "$work/standby"; fi
chmod 0700 "$work/standby"
(cd / && as_server "$pg_bin/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U "$PGUSER" -D "$work/standby" -R --checkpoint=fast)
mkdir "$work/socket"
if [ "$(id -u)" = 0 ]; then chown postgres "$work/socket"; fi
(cd / && as_server "$pg_bin/pg_ctl" -D "$work/standby" -w -s -l "$work/standby/server.log" \
    -o "-c unix_socket_directories=$work/socket -c listen_addresses='' -c fsync=off -c max_prepared_transactions=$(run -d publisher -c 'SHOW max_prepared_transactions')" start)
writes 20001
position=$(run -d publisher -c 'SELECT pg_current_wal_lsn()')
until=$((SECONDS + 60))
while [ "$(run -h "$work/socket" -d publisher -c "SELECT pg_last_wal_replay_lsn() >= '$position'")" != t ]; do
    if [ $SECONDS -gt $until ]; then echo 'the standby does not catch up' >&2; exit 1; fi
    sleep 0.2
done
same 'on the standby' "$(state -d publisher)" "$(state -h "$work/socket" -d publisher)"
metrics='SELECT unique_numbers, shared_numbers, disqualified_numbers, standing_entries FROM lead_phone_metrics() WHERE unique_numbers > 0'
same 'metrics on the standby' "$(run -d publisher -c "$metrics")" "$(run -h "$work/socket" -d publisher -c "$metrics")"
same 'metrics of one table' 1 "$(run -h "$work/socket" -d publisher -c "$metrics" | wc -l)"
(cd / && as_server "$pg_bin/pg_ctl" -D "$work/standby" -w -s promote)
run -h "$work/socket" -d publisher -c "INSERT INTO app.leads VALUES (90000, 1, '678 999 1003', NULL)"
same 'promoted, it counts on' '0 t' "$(run -h "$work/socket" -d publisher -c "SELECT count(*) FROM verify_phone_counts('app.leads')") $(run -h "$work/socket" -d publisher -c 'SELECT phone_disqualified FROM app.leads WHERE id = 90000')"
run -d postgres -c 'DROP DATABASE publisher' -c 'DROP DATABASE subscriber'
