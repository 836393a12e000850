#!/usr/bin/env bash
# Tracked tables on Citus: a throwaway coordinator and two workers. Not part of `make test`: see tools/citus.sh for what it needs.
#
#   tests/citus.sh [PORT]      three ports from PORT on, 5500 by default
#   DIRECT=off tests/citus.sh  with counts that statements write; without DIRECT, both ways
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${DIRECT:-}" ]; then
    for direct in on off; do DIRECT=$direct tests/citus.sh "$@"; done
    exit
fi
. tools/cluster.sh
. tools/citus.sh
port=${1:-5500}
trap citus_stop EXIT
citus_start "$port" -c "lead_phones.direct_counts=$DIRECT"
run() { citus_psql "$@"; }
# what docs/scale-out.md says, the blocks ```sql citus
block() { awk -v want="$1" '/^```sql citus$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside && n == want' docs/scale-out.md; }
filled="INSERT INTO leads SELECT i % 9, i, '678 999 ' || 1000 + i % 50, NULL FROM generate_series(1, 500) AS i"
exact() {
    local differences
    differences=$(run -p "$port" -At -c "SELECT count(*) FROM verify_phone_counts('leads')" -c 'SELECT count(*) FROM pg_dist_shard' -c 'SELECT sum(lead_count) FROM campaign_phone_counts')
    [ "$differences" = $'0\n24\n500' ] || { printf '%s: %s\n' "$1" "$differences" >&2; exit 1; }
    run -p "$port" -c 'DROP TABLE leads, campaign_phone_counts, campaign_phone_disqualifications'
}
run -p "$port" -c 'CREATE EXTENSION lead_phones'
block 1 | run -p "$port" -f - >/dev/null
run -p "$port" -c "$filled"
exact 'a new table, as documented'
run -p "$port" -c 'CREATE TABLE leads (campaign_id int, id bigint, phone text, mobile text, PRIMARY KEY (campaign_id, id))' \
    -c "SELECT track_lead_phones('leads')" -c "$filled" >/dev/null
block 2 | run -p "$port" -f - >/dev/null
exact 'a filled table, as documented'
run -p "$port" -c 'CREATE SCHEMA tenant' -c 'SET search_path = tenant, public' \
    -c 'CREATE TABLE leads (campaign_id int, id bigint, phone text, mobile text, PRIMARY KEY (campaign_id, id))' \
    -c "SELECT track_lead_phones('leads')" -c "$filled" >/dev/null
block 3 | run -p "$port" -f - >/dev/null
tenant=$(run -p "$port" -At -c "SELECT count(*) FROM verify_phone_counts('tenant.leads')" -c 'SELECT sum(lead_count) FROM tenant.campaign_phone_counts')
[ "$tenant" = $'0\n500' ] || { echo "a schema, as documented: $tenant" >&2; exit 1; }
run -p "$port" -c 'DROP SCHEMA tenant CASCADE' 2>/dev/null
run -p "$port" -c 'CREATE SCHEMA crm'
block 4 | run -p "$port" -f - >/dev/null 2>&1
nodes=$(run -p "$port" -At -c "SELECT count(*), count(DISTINCT nodeport) FROM citus_shards WHERE table_name::text LIKE 'crm.%'")
[ "$nodes" = '20|1' ] || { echo "lead tables, as documented: $nodes" >&2; exit 1; }
run -p "$port" -c 'DROP SCHEMA crm CASCADE' 2>/dev/null
run -p "$port" -c 'DROP EXTENSION lead_phones'
# a dump of data alone, with triggers disabled, into distributed tables
run -p "$port" -c 'CREATE EXTENSION lead_phones' -c 'CREATE SCHEMA dumped' \
    -c 'CREATE TABLE dumped.leads (campaign_id int, id bigint, phone text, mobile text, PRIMARY KEY (campaign_id, id))' \
    -c "SELECT create_distributed_table('dumped.leads', 'campaign_id'), track_lead_phones('dumped.leads')" >/dev/null 2>&1
run -p "$port" -c "${filled/INTO leads/INTO dumped.leads}" -c "CALL disqualify_phone(7, '678 999 1017', leads => 'dumped.leads')" >/dev/null
"$pg_bin/pg_dump" -h "$citus_dir" -p "$port" -U postgres -d postgres --data-only --disable-triggers --schema=dumped >"$citus_dir/dump.sql"
run -p "$port" -c 'TRUNCATE dumped.leads, dumped.campaign_phone_counts, dumped.campaign_phone_disqualifications'
PGOPTIONS='-c session_preload_libraries=lead_phones' run -p "$port" -f "$citus_dir/dump.sql" >/dev/null
restored=$(run -p "$port" -At -c "SELECT count(*) FROM verify_phone_counts('dumped.leads')" -c 'SELECT sum(lead_count) FROM dumped.campaign_phone_counts' \
    -c "SELECT bool_and(t.tgenabled = 'O') FROM pg_trigger AS t WHERE t.tgrelid = 'dumped.leads'::regclass AND NOT t.tgisinternal")
[ "$restored" = $'0\n500\nt' ] || { echo "a dump without triggers: $restored" >&2; exit 1; }
run -p "$port" -c 'DROP SCHEMA dumped CASCADE' -c 'DROP EXTENSION lead_phones' 2>/dev/null
run -p "$port" -v coordinator="$port" -v worker=$((port + 1)) -v other=$((port + 2)) -f tests/citus.sql
# Lead tables move to the other node, and are used from every node.
run -p "$port" <<'SQL'
SET client_min_messages = warning;
CREATE SCHEMA relocated;
SELECT create_lead_tables('relocated'), distribute_lead_tables('relocated') \g /dev/null
INSERT INTO relocated.campaigns (campaign_id, name) VALUES (1, 'spring');
INSERT INTO relocated.leads (campaign_id, lead_id, email, phone) SELECT 1, i, 'p' || i || '@x.example', '678 999 ' || 1000 + i FROM generate_series(1, 20) AS i;
SQL
for round in 1 2; do
    for node in "$port" $((port + 1)) $((port + 2)); do
        lead=$((4 * round + node - port))
        called=$(run -p "$node" -At -F ' ' -c "CALL disqualify_phone(1, '678 999 $((1010 + lead))', leads => 'relocated.leads')" \
            -c "CALL start_call($lead, leads => 'relocated.leads')" -c "SELECT count(*) FROM lead_status($lead, leads => 'relocated.leads')" | cut -d' ' -f 2 | tr '\n' ' ')
        [ "$called" = '1 t 1 ' ] || { echo "lead tables from node $node: $called" >&2; exit 1; }
    done
    run -p "$port" >/dev/null <<'SQL'
SELECT s.shardid, s.nodename, s.nodeport, o.node_name, o.node_port FROM citus_shards AS s
  JOIN (SELECT nodename AS node_name, nodeport AS node_port FROM pg_dist_node WHERE groupid <> 0) AS o ON o.node_port <> s.nodeport
 WHERE s.table_name = 'relocated.leads'::regclass \gset
SELECT citus_move_shard_placement(:shardid, :'nodename', :nodeport, :'node_name', :node_port, 'block_writes');
CALL exact('relocated.contacts', 'lead tables, moved');
SQL
done
# a call that is not ended yet is waited for, from wherever it came
for node in "$port" "$(run -p "$port" -At -c "SELECT nodeport FROM citus_shards WHERE table_name = 'relocated.leads'::regclass")"; do
    run -p "$node" -c BEGIN -c "CALL suppress_phones('{678 999 1014}'::text[], leads => 'relocated.leads')" -c 'SELECT pg_sleep(2)' -c COMMIT >/dev/null &
    sleep 1
    run -p "$port" -c "SELECT citus_move_shard_placement(s.shardid, s.nodename, s.nodeport, s.nodename, 2 * $port + 3 - s.nodeport, 'block_writes') FROM citus_shards AS s WHERE s.table_name = 'relocated.leads'::regclass" >/dev/null
    wait $!
    kept=$(run -p "$port" -At -c 'SELECT count(*) FROM relocated.suppressed_phones')
    [ "$kept" != 0 ] || { echo 'a suppression was lost by a move' >&2; exit 1; }
    run -p "$port" -c "CALL unsuppress_phones('{678 999 1014}'::text[], leads => 'relocated.leads')" -c 'DELETE FROM relocated.suppressed_phones' >/dev/null
done
moved=$(run -p "$port" -At -c 'SELECT count(*) FROM relocated.calls' -c "SELECT count(*) FROM relocated.callable_leads" -c 'SELECT nodeport FROM citus_shards WHERE table_name = $$relocated.leads$$::regclass')
[ "${moved%$'\n'*}" = $'6\n8' ] || { echo "lead tables, moved twice: $moved" >&2; exit 1; }
# Shards on the coordinator, whose triggers see the client's own text: a filled table is counted once there too, whatever is before.
run -p "$port" -c "SELECT citus_set_node_property('127.0.0.1', $port, 'shouldhaveshards', true)" >/dev/null
run -p "$port" <<'SQL'
CREATE SCHEMA here;
SET search_path = here, public;
SET client_min_messages = warning;
CREATE TABLE log (what text);
CREATE TABLE leads (campaign_id int, id int, phone text, mobile text, PRIMARY KEY (campaign_id, id));
SELECT track_lead_phones('leads') \g /dev/null
INSERT INTO leads SELECT i % 40, i, '678 999 ' || 1000 + i % 50, NULL FROM generate_series(1, 300) AS i;
SET citus.enable_unsafe_triggers = on;
SELECT create_distributed_table('campaign_phone_counts', 'campaign_id', colocate_with => 'none') \g /dev/null
SELECT create_distributed_table('campaign_phone_disqualifications', 'campaign_id', colocate_with => 'campaign_phone_counts') \g /dev/null
INSERT INTO log VALUES ('x')\; SELECT create_distributed_table('leads', 'campaign_id', colocate_with => 'campaign_phone_counts') \g /dev/null
CALL exact('leads', 'shards on the coordinator');
CALL written_to('leads');
CALL exact('leads', 'written to');
SQL
