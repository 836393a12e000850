#!/usr/bin/env bash
# A tracked database, dumped and restored, has the same counts, marks and ledger, and goes on counting. In every format
# of pg_dump, and data alone, with the extension in a schema of its own.
set -euo pipefail
. "$(dirname "$0")/support/tracked.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

create_tracked dumped
# a table in another shape: no campaign, numbers and extensions beside what was typed, regions in another table
run -d dumped <<'SQL' >/dev/null
CREATE TABLE app.countries (id int PRIMARY KEY, code text);
INSERT INTO app.countries VALUES (1, 'GB'), (2, 'DE');
CREATE TABLE app.people (id serial PRIMARY KEY, country_id int REFERENCES app.countries, phone varchar(30), fax numeric);
SELECT FROM phones.track_lead_phones('app.people', campaign_column => NULL, phone_columns => '{phone,fax}', region_column => 'country_id.code',
    in_place => false, keep_extensions => true);
INSERT INTO app.people (country_id, phone, fax) SELECT 1 + i % 2, '030 12345' || i % 20 || ' x' || i, 2079460958 + i % 5 FROM generate_series(1, 100) AS i;
CALL phones.disqualify_phone(NULL, '+49 30 123451', leads => 'app.people');
CALL phones.disqualify_phone(NULL, '+44 20 7946 0958', leads => 'app.people');
SQL
people() {
    run -d "$1" -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.people AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.people_phone_counts AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.people_phone_disqualifications AS t" \
        -c "SELECT * FROM phones.verify_phone_counts('app.people')" -c "SELECT * FROM phones.lead_phone_tables WHERE leads = 'app.people'::regclass" \
        -c "BEGIN" -c "INSERT INTO app.people (country_id, phone) VALUES (2, '030 123451 x7') RETURNING phone, phone_e164, phone_extension, phone_disqualified" \
        -c "SELECT lead_count FROM app.people_phone_counts WHERE phone = '+4930123451'" -c "ROLLBACK"
}
before=$(state dumped)
people_before=$(people dumped)
same 'beside: arrives marked' '030 123451 x7|+4930123451|7|t' "$(grep x7 <<<"$people_before")"
same 'nothing to verify' '' "$(run -d dumped -c "SELECT * FROM phones.verify_phone_counts('app.leads')")"

for format in plain custom directory data-only; do
    run -d postgres -c 'DROP DATABASE IF EXISTS restored' -c 'CREATE DATABASE restored'
    case $format in
        plain) pg_dump -Fp -d dumped | run -d restored >/dev/null ;;
        custom) pg_dump -Fc -d dumped -f "$work/custom" && pg_restore -d restored --exit-on-error "$work/custom" ;;
        directory) pg_dump -Fd -d dumped -f "$work/directory" && pg_restore -j 2 -d restored --exit-on-error "$work/directory" ;;
        # into tables that are there, and tracked
        data-only)
            pg_dump --schema-only -d dumped | run -d restored >/dev/null
            pg_restore -d restored --data-only --disable-triggers --exit-on-error "$work/custom"
            ;;
    esac
    same "$format: the same state" "$before" "$(state restored)"
    same "$format: the same state beside" "$people_before" "$(people restored)"
    goes_on "$format" restored
done

# A role that may not create the extension restores what a superuser prepared, and owns it.
run -d postgres -c 'CREATE ROLE restorer LOGIN' -c 'DROP DATABASE restored' -c 'CREATE DATABASE restored OWNER restorer'
run -d restored -c 'CREATE SCHEMA phones' -c 'CREATE EXTENSION lead_phones SCHEMA phones' -c 'GRANT USAGE ON SCHEMA phones TO restorer'
pg_restore --list "$work/custom" | grep -v -e ' EXTENSION ' -e ' SCHEMA - phones ' >"$work/list"
pg_restore -U restorer -d restored --no-owner --exit-on-error --use-list "$work/list" "$work/custom"
same 'a role: the same state' "$before" "$(state restored)"
same 'a role: the same state beside' "$people_before" "$(people restored)"
same 'a role: owns the counts' restorer "$(run -d restored -c "SELECT tableowner FROM pg_tables WHERE tablename = 'campaign_phone_counts' AND schemaname = 'app'")"
PGUSER=restorer goes_on 'a role' restored

# Where nobody created it, tools that go on after errors leave marks and no triggers. The query of docs/operations.md finds the tables; tracked
# again, they keep their marks and their ledger.
run -d postgres -c 'DROP DATABASE restored' -c 'CREATE DATABASE restored OWNER restorer'
pg_restore -U restorer -d restored --no-owner "$work/custom" 2>/dev/null && same 'a restore without the extension' 'errors' 'none'
find_untracked=$(awk '/^```/ { if (query ~ /AS untracked/) print query; query = ""; next } { query = query $0 "\n" }' docs/operations.md)
same 'without the extension: found' 'app.leads|{Tél_disqualified,mobile_disqualified}' "$(run -d restored -c "$find_untracked" | grep '^app')"
run -d restored -c 'CREATE SCHEMA IF NOT EXISTS phones' -c 'CREATE EXTENSION lead_phones SCHEMA phones' -c 'GRANT USAGE ON SCHEMA phones TO restorer'
run -U restorer -d restored -c "SELECT FROM phones.track_lead_phones('app.leads', phone_columns => '{Tél,mobile}', region_column => 'country')" >/dev/null
same 'without the extension: verified' '' "$(run -d restored -c "SELECT * FROM phones.verify_phone_counts('app.leads')")"
same 'without the extension: marked' "$(run -d dumped -c "SELECT id, mobile_disqualified, \"Tél_disqualified\" FROM app.leads ORDER BY id")" \
    "$(run -d restored -c "SELECT id, mobile_disqualified, \"Tél_disqualified\" FROM app.leads ORDER BY id")"
run -d postgres -c 'DROP DATABASE dumped' -c 'DROP DATABASE restored' -c 'DROP ROLE restorer'
