-- Grants: what PUBLIC may not call. Everything else runs with no more rights than its caller has.

REVOKE ALL ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb), @extschema@.lead_phone_metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.lead_phone_metrics() TO pg_monitor;
GRANT SELECT ON @extschema@.lead_phone_tables TO PUBLIC;
