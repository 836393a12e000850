-- Grants: what PUBLIC may not call. Everything else runs with no more rights than its caller has.

REVOKE ALL ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb), @extschema@.lead_phone_metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.lead_phone_metrics() TO pg_monitor;
REVOKE ALL ON PROCEDURE
    @extschema@.disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint),
    @extschema@.disqualify_phone(uuid, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint),
    @extschema@.disqualify_phone(text, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint),
    @extschema@.requalify_phone(bigint, text, text, text, regclass, text, @extschema@.e164, bigint),
    @extschema@.requalify_phone(uuid, text, text, text, regclass, text, @extschema@.e164, bigint),
    @extschema@.requalify_phone(text, text, text, text, regclass, text, @extschema@.e164, bigint),
    @extschema@.expire_disqualifications(regclass, bigint, bigint),
    @extschema@.disqualify_account(bigint, bigint, text, text, timestamptz, regclass, bigint),
    @extschema@.requalify_account(bigint, bigint, text, text, regclass, bigint),
    @extschema@.disqualify_contact(bigint, bigint, text, text, timestamptz, regclass, bigint),
    @extschema@.requalify_contact(bigint, bigint, text, text, regclass, bigint),
    @extschema@.suppress_phones(text[], bigint, text, text, timestamptz, text, text, regclass, bigint, bigint),
    @extschema@.unsuppress_phones(text[], bigint, text, text, text, text, regclass, bigint),
    @extschema@.suppress_domains(text[], bigint, text, text, timestamptz, regclass, bigint, bigint),
    @extschema@.unsuppress_domains(text[], bigint, text, text, regclass, bigint),
    @extschema@.sync_suppressed_values(text, text[], text, text, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint)
    FROM PUBLIC;
GRANT SELECT ON @extschema@.lead_phone_tables TO PUBLIC;
