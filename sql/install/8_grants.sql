-- Grants: what PUBLIC may not call. Everything else runs with no more rights than its caller has.

REVOKE ALL ON FUNCTION @extschema@.lead_phones_as_owner(regclass, text, jsonb) FROM PUBLIC;
REVOKE ALL ON PROCEDURE
    @extschema@.disqualify_phone(bigint, text, text, text, timestamptz, regclass, @extschema@.e164, bigint),
    @extschema@.disqualify_phone(uuid, text, text, text, timestamptz, regclass, @extschema@.e164, bigint),
    @extschema@.disqualify_phone(text, text, text, text, timestamptz, regclass, @extschema@.e164, bigint),
    @extschema@.requalify_phone(bigint, text, text, text, regclass, @extschema@.e164, bigint),
    @extschema@.requalify_phone(uuid, text, text, text, regclass, @extschema@.e164, bigint),
    @extschema@.requalify_phone(text, text, text, text, regclass, @extschema@.e164, bigint),
    @extschema@.expire_disqualifications(regclass, bigint, bigint)
    FROM PUBLIC;
GRANT SELECT ON @extschema@.lead_phone_tables TO PUBLIC;
