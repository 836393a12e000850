#!/usr/bin/env bash
# Upgrades: what was released works with the new library as it is, and after ALTER EXTENSION UPDATE is what a fresh install is,
# object by object, with its data as they were.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/support/tracked.sh

objects() { # every object of the extension as it is defined, with its comment and grants
    run -d "$1" <<'SQL'
SELECT pg_describe_object(d.classid, d.objid, d.objsubid), coalesce(obj_description(d.objid, c.relname), '-'),
       CASE d.classid WHEN 'pg_proc'::regclass THEN (SELECT pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '-') FROM pg_proc AS p WHERE p.oid = d.objid)
            WHEN 'pg_class'::regclass THEN (SELECT pg_get_viewdef(v.oid) || coalesce(v.relacl::text, '-') FROM pg_class AS v WHERE v.oid = d.objid)
            WHEN 'pg_event_trigger'::regclass THEN (SELECT concat_ws(' ', e.evtevent, e.evtfoid::regproc, e.evtenabled, e.evttags) FROM pg_event_trigger AS e WHERE e.oid = d.objid)
            WHEN 'pg_type'::regclass THEN (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') || (SELECT concat_ws(' ', t.typbasetype::regtype, t.typcollation::regcollation, t.typacl) FROM pg_type AS t WHERE t.oid = d.objid)
                                             FROM pg_constraint AS k WHERE k.contypid = d.objid)
       END
  FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
  JOIN pg_class AS c ON c.oid = d.classid
 WHERE e.extname = 'lead_phones' AND d.deptype = 'e' ORDER BY 1;
SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
 WHERE c.relname = 'lead_phone_tables' ORDER BY a.attnum;
SELECT pg_describe_object(i.classoid, i.objoid, i.objsubid), i.initprivs FROM pg_init_privs AS i
 WHERE i.privtype = 'e' AND pg_describe_object(i.classoid, i.objoid, i.objsubid) ~ 'phones' ORDER BY 1;
SQL
}
# everything else: tables, views, triggers, grants and comments of a role that tracks
schema() { pg_dump --schema-only -d "$1" | sed -E '/^\\(un)?restrict /d; s/ \[(counts|disqualifications|suppressions|suppressed) of .*\]//'; }

current=$(run -d postgres -c "SELECT default_version FROM pg_available_extensions WHERE name = 'lead_phones'")
create_tracked fresh
[ "$(objects fresh | wc -l)" -gt 1000 ] || { echo 'the objects of the extension are not seen' >&2; exit 1; }
for released in sql/released/lead_phones--*.sql; do
    version=${released##*--}
    version=${version%.sql}
    create_tracked older "$version"
    # before the UPDATE: all that the release does, by the library of today
    goes_on "$version with the new library" older
    run -d postgres -c 'CREATE DATABASE older_regress'
    run -d older_regress -c "CREATE EXTENSION lead_phones VERSION '$version'"
    # but for the suites of what DDL does, which it does not follow
    DATABASE=older_regress tests/pg_regress/run.sh numbers containers
    DATABASE=older_regress INPUT=released/$version tests/pg_regress/run.sh tracking writes disqualification encodings pending own_reads partitions backfill lead_tables
    run -d postgres -c 'DROP DATABASE older_regress'
    # and after
    create_tracked older "$version"
    before=$(state older)
    run -d older -c 'ALTER EXTENSION lead_phones UPDATE'
    same "$version to $current" "$current" "$(run -d older -c "SELECT extversion FROM pg_extension WHERE extname = 'lead_phones'")"
    same "$version to $current: data" "$(grep -v '^CREATE TRIGGER' <<<"$before")" "$(state older | grep -v '^CREATE TRIGGER')"
    same "$version to $current: objects" "$(objects fresh)" "$(objects older)"
    same "$version to $current: tracked tables" "$(schema fresh)" "$(schema older)"
    goes_on "$version to $current" older
done
run -d postgres -c 'DROP DATABASE fresh' -c 'DROP DATABASE older'
