-- The triggers of lead tables.

CREATE FUNCTION @extschema@.lead_phones_split() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_split_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_split() IS
    'trigger of leads: splits what is inserted out into contacts and accounts';

CREATE FUNCTION @extschema@.lead_phones_keep_out() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keep_out_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out() IS
    'trigger of contacts and accounts: who is disqualified stays so when the row is changed or deleted';

CREATE FUNCTION @extschema@.lead_phones_keep_out_before() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keep_out_before_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out_before() IS
    'trigger of accounts: what kept a company out outlives its row';

CREATE FUNCTION @extschema@.lead_phones_keep_uploaded() RETURNS trigger
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RAISE EXCEPTION 'lead % says what was uploaded, and cannot be edited', OLD.lead_id
        USING ERRCODE = 'feature_not_supported',
              DETAIL = 'Who a lead is about, and by which numbers, is in contacts.',
              HINT = format('UPDATE %I.contacts SET ... WHERE campaign_id = %s AND contact_id = %s.',
                  TG_TABLE_SCHEMA, OLD.campaign_id, OLD.contact_id);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_uploaded() IS
    'trigger of leads: refuses to change what was uploaded';

CREATE FUNCTION @extschema@.lead_phones_upload_step(leads regclass, step text, arguments jsonb) RETURNS jsonb
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_upload_step_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_upload_step(regclass, text, jsonb) IS
    'internal: runs a step of an upload as the owner of the lead tables, for a role that may insert leads';

CREATE FUNCTION @extschema@.lead_phones_write_domain() RETURNS trigger
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    NEW.domain := coalesce(@extschema@.lead_phones_domain(NEW.domain), NEW.domain);
    RETURN NEW;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_write_domain() IS
    'trigger of accounts: writes a domain in the one form in which it is compared';
