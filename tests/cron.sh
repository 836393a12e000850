#!/usr/bin/env bash
# expire_disqualifications() under pg_cron, as the reference says to schedule it, on a cluster of its own. Takes up to a minute, the
# shortest interval of pg_cron. Needs the package postgresql-15-cron.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/cluster.sh
trap cluster_stop EXIT
CLUSTER_OPTIONS='-c shared_preload_libraries=pg_cron -c cron.use_background_workers=on -c cron.database_name=postgres'
cluster_start
run() { psql -X -q -v ON_ERROR_STOP=1 -At -d postgres "$@"; }
run <<'SQL' >/dev/null
CREATE EXTENSION pg_cron;
CREATE EXTENSION lead_phones;
CREATE SCHEMA crm;
SELECT create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'one');
INSERT INTO crm.leads (campaign_id, email, phone) VALUES (1, 'a@x.example', '678 999 8212'), (1, 'b@y.example', '678 999 8213');
CALL disqualify_phone(1, '678 999 8212', expires_at => now() + interval '1 second', leads => 'crm.leads');
CALL disqualify_phone(1, '678 999 8213', leads => 'crm.leads');
CALL suppress_domains(ARRAY['x.example'], expires_at => now() + interval '1 second', leads => 'crm.leads');
SQL
sed -n '/^```sql cron$/,/^```$/{/^```/!p}' docs/reference/*.md | run >/dev/null
for _ in $(seq 75); do
    sleep 1
    [ "$(run -c 'SELECT count(*) FROM cron.job_run_details WHERE status IN ($$succeeded$$, $$failed$$)')" = 0 ] || break
done
actual=$(run -c 'SELECT status FROM cron.job_run_details' -c 'SELECT phone, phone_disqualified FROM crm.contacts ORDER BY phone' \
    -c 'SELECT kind, subject, lift_reason, lifted_by FROM crm.lead_ledger ORDER BY subject')
expected='succeeded
+16789998212|f
+16789998213|t
phone|+16789998212|expired|postgres
phone|+16789998213||
domain|x.example|expired|postgres'
[ "$actual" = "$expected" ] || { printf 'expected:\n%s\nactual:\n%s\n' "$expected" "$actual" >&2; exit 1; }
