# A database with tables that are tracked, and what must be so after it was dumped, upgraded or moved. To be sourced.

run() { psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }
same() { # same WHAT EXPECTED ACTUAL
    if [ "$2" != "$3" ]; then
        printf '%s\n' "$1" >&2
        diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") >&2 || true
        exit 1
    fi
}

# A database with the extension, in a schema of its own, at a version or the newest.
create_tracked() { # create_tracked DATABASE [VERSION]
    PGOPTIONS='-c client_min_messages=warning' run -d postgres -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1"
    run -d "$1" -c 'CREATE SCHEMA phones' -c "CREATE EXTENSION lead_phones SCHEMA phones ${2:+VERSION '$2'}"
    local columns="phone_columns => '{Tél,mobile}'"
    if [ "${2:-}" = 0.2.0 ]; then columns="phone_column => 'Tél'"; fi
    run -d "$1" <<SQL >/dev/null
CREATE SCHEMA app;
CREATE TABLE app.leads (id serial PRIMARY KEY, campaign_id uuid, "Tél" text, mobile varchar(40), country char(2));
SELECT FROM phones.track_lead_phones('app.leads', $columns, region_column => 'country');
INSERT INTO app.leads (campaign_id, "Tél", mobile, country)
SELECT format('00000000-0000-0000-0000-00000000000%s', i % 3)::uuid, '650 253 ' || to_char(i % 150, 'FM0000'),
       CASE WHEN i % 7 = 0 THEN 'n/a' ELSE '030 12345' || i % 10 END, CASE WHEN i % 2 = 0 THEN 'DE' END
  FROM generate_series(1, 1000) AS i;
CALL phones.disqualify_phone('00000000-0000-0000-0000-000000000001'::uuid, '650 253 0001', 'retired', leads => 'app.leads');
CALL phones.disqualify_phone('00000000-0000-0000-0000-000000000002'::uuid, '+1 202 456 1111', 'on the list', leads => 'app.leads');
CALL phones.disqualify_phone('00000000-0000-0000-0000-000000000002'::uuid, '650 253 0002', 'mistake', leads => 'app.leads');
CALL phones.requalify_phone('00000000-0000-0000-0000-000000000002'::uuid, '650 253 0002', 'undone', leads => 'app.leads');
CREATE SCHEMA parts;
CREATE TABLE parts.leads (campaign_id int, phone text, mobile text) PARTITION BY LIST (campaign_id);
CREATE TABLE parts.leads_1 PARTITION OF parts.leads FOR VALUES IN (1);
SELECT FROM phones.track_lead_phones('parts.leads');
CREATE TABLE parts.leads_2 PARTITION OF parts.leads FOR VALUES IN (2);
INSERT INTO parts.leads SELECT 1 + i % 2, '650 253 ' || to_char(i % 15, 'FM0000') FROM generate_series(1, 100) AS i;
CREATE SCHEMA crm;
SELECT phones.create_lead_tables('crm');
INSERT INTO crm.campaigns (campaign_id, name) VALUES (1, 'one');
CREATE TEMPORARY TABLE staging AS SELECT format('p%s@company%s.example', i % 90, i % 9) AS email, '650 253 ' || to_char(i, 'FM0000') AS phone FROM generate_series(1, 100) AS i;
CALL phones.upload_leads(1, 'staging', 'a file', leads => 'crm.leads');
CALL phones.disqualify_contact(1, 1, 'asked', leads => 'crm.leads');
CALL phones.suppress_phones(ARRAY['650 253 0002'], leads => 'crm.leads');
SQL
}

# Everything that must stay as it is.
state() {
    run -d "$1" -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.leads AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.campaign_phone_counts AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM app.campaign_phone_disqualifications AS t" \
        -c "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'app.leads'::regclass ORDER BY tgname" \
        -c "SELECT leads, campaign_column, phone_column, mobile_column, region, region_column, on_invalid, count_at, counts, disqualifications
            FROM phones.lead_phone_tables ORDER BY leads::text" \
        -c "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'parts.leads%' ORDER BY tgrelid::regclass::text, tgname" \
        -c "SELECT regexp_replace(obj_description('app.campaign_phone_counts'::regclass, 'pg_class'), ' \[.*', '')" \
        -c "SELECT * FROM crm.lead_uploads" -c "SELECT * FROM crm.lead_ledger ORDER BY disqualified_at" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (SELECT campaign_id, lead_id, email, name, phone, mobile FROM crm.callable_leads) AS t" \
        -c "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM crm.accounts AS t" \
        -c "SELECT * FROM phones.lead_status(1, 'crm.leads')" -c "SELECT * FROM phones.verify_phone_counts('crm.contacts')"
}

# Writes still count, arrive marked, and are split.
goes_on() { # goes_on WHAT DATABASE
    same "$1: verified" '' "$(run -d "$2" -c "SELECT * FROM phones.verify_phone_counts('app.leads')")"
    same "$1: leads are split" 'p0|1' "$(run -d "$2" -c "INSERT INTO crm.leads (campaign_id, name, email) VALUES (1, 'p0', 'P0@company0.example')" \
        -c "SELECT c.name, count(*) FROM crm.leads AS l JOIN crm.contacts AS c USING (campaign_id, contact_id) WHERE l.upload_id IS NULL GROUP BY c.name")"
    # further writes still count, and still arrive marked
    same "$1: arrives marked" 't' "$(run -d "$2" -c "INSERT INTO app.leads (campaign_id, mobile)
        VALUES ('00000000-0000-0000-0000-000000000002', '202.456.1111') RETURNING mobile_disqualified")"
    same "$1: counts on" '1' "$(run -d "$2" -c "SELECT lead_count FROM app.campaign_phone_counts WHERE phone = '+12024561111'")"
    run -d "$2" -c "DELETE FROM app.leads WHERE id % 3 = 0" -c "UPDATE app.leads SET \"Tél\" = mobile WHERE id % 5 = 0"
    run -d "$2" -c "INSERT INTO parts.leads_1 VALUES (1, '202.456.1111')" -c "CREATE TABLE parts.leads_3 PARTITION OF parts.leads DEFAULT" \
        -c "INSERT INTO parts.leads_3 VALUES (3, '202.456.1111')" -c "DROP TABLE parts.leads_2"
    same "$1: partitions verified" '' "$(run -d "$2" -c "SELECT * FROM phones.verify_phone_counts('parts.leads')")"
    same "$1: partitions counted" '2' "$(run -d "$2" -c "SELECT count(*) FROM parts.campaign_phone_counts WHERE phone = '+12024561111'")"
    same "$1: verified after writes" '' "$(run -d "$2" -c "SELECT * FROM phones.verify_phone_counts('app.leads')")"
}
