-- The procedures for calls.

CREATE FUNCTION @extschema@.lead_phones_call_step(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    required constant text := CASE action WHEN 'start_call' THEN 'lead' WHEN 'end_call' THEN 'call' ELSE 'campaign' END;
BEGIN
    IF arguments ->> required IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE required WHEN 'call' THEN 'call_id' ELSE required END
            USING ERRCODE = 'null_value_not_allowed', HINT = CASE required WHEN 'lead' THEN 'Name its lead_id, as callable_leads and next_leads() have it.'
                WHEN 'call' THEN 'Name the call_id that start_call() returned.' ELSE 'Name the campaign whose leads are to be called.' END;
    END IF;
    -- whether they are complete, and closed to others, is remembered where they are used (src/actions/lead_tables.rs)
    leads := coalesce((SELECT l.oid FROM pg_catalog.pg_class AS n JOIN pg_catalog.pg_class AS l ON l.relnamespace = n.relnamespace AND l.relname = 'leads'
                        WHERE n.oid = lead_phones_call_step.leads), format('%I.leads', @extschema@.lead_phones_model(leads))::regclass);
    RETURN @extschema@.lead_phones_as_owner(leads, action, arguments || jsonb_build_object('by', @extschema@.lead_phones_caller(),
        'caller', coalesce(nullif(btrim(arguments ->> 'caller'), ''), @extschema@.lead_phones_caller())));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_step(regclass, text, jsonb) IS
    'internal: checks the arguments of what callers do and runs it';

CREATE PROCEDURE @extschema@.start_call(
    lead bigint,
    phone text DEFAULT NULL,
    caller text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT call_id bigint DEFAULT NULL,
    INOUT allowed boolean DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT refusals jsonb DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'start_call', jsonb_build_object('lead', lead, 'phone', phone, 'caller', caller));
BEGIN
    call_id := answer ->> 'call_id';
    allowed := answer ->> 'allowed';
    number := answer ->> 'number';
    refusals := answer -> 'refusals';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.start_call(bigint, text, text, regclass, bigint, boolean, @extschema@.e164, jsonb) IS
    'asks whether a lead may be called now, and logs the call; otherwise returns every reason why not, and when it ends. Example: CALL start_call(1, caller => ''ann'')';

CREATE PROCEDURE @extschema@.end_call(
    call_id bigint,
    disposition text DEFAULT NULL,
    note text DEFAULT NULL,
    callback_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads())
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    PERFORM @extschema@.lead_phones_run(leads, 'end_call', jsonb_build_object('call', call_id, 'disposition', disposition, 'note', note,
        'callback_at', callback_at));
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.end_call(bigint, text, text, timestamptz, regclass) IS
    'records the outcome of a call, with its effect on the number, the contact or the account; called again, it corrects the outcome. Example: CALL end_call(1, ''voicemail'')';
