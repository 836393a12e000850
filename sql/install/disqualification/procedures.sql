-- The procedures for numbers. They run with the rights of their caller; src/actions/procedures.rs.

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign bigint,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(bigint, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint) IS
    'disqualifies a number: marks every lead of a campaign, or of every campaign (NULL), that has it in any column, now and at later writes. Example: CALL disqualify_phone(42, ''678 999 8212'', reason => ''retired'')';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign uuid,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(uuid, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint) IS
    'disqualifies a number where campaigns are UUIDs: marks every lead of a campaign that has it in any column, now and at later writes. Example: CALL disqualify_phone(''6b3e6f0a-0d3c-4a9e-9a53-2a52a0f0c1de''::uuid, ''678 999 8212'', leads => ''patients'')';

CREATE PROCEDURE @extschema@.disqualify_phone(
    campaign text,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_marked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'expires_at', expires_at, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_marked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_phone(text, text, text, text, timestamptz, regclass, text, @extschema@.e164, bigint) IS
    'disqualifies a number where campaigns are texts: marks every lead of a campaign that has it in any column, now and at later writes. Example: CALL disqualify_phone(''spring''::text, ''678 999 8212'', leads => ''donors'')';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign bigint,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(bigint, text, text, text, regclass, text, @extschema@.e164, bigint) IS
    'lifts the disqualification of a number by a source, or by all; leads are unmarked when no other is in force. Example: CALL requalify_phone(42, ''678 999 8212'')';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign uuid,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(uuid, text, text, text, regclass, text, @extschema@.e164, bigint) IS
    'lifts the disqualification of a number where campaigns are UUIDs, by a source, or by all; leads are unmarked when no other is in force. Example: CALL requalify_phone(''6b3e6f0a-0d3c-4a9e-9a53-2a52a0f0c1de''::uuid, ''678 999 8212'', leads => ''patients'')';

CREATE PROCEDURE @extschema@.requalify_phone(
    campaign text,
    phone text,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_table(),
    region text DEFAULT NULL,
    INOUT number @extschema@.e164 DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_phone', jsonb_build_object(
        'campaign', campaign::text, 'phone', phone, 'reason', reason, 'source', source, 'region', region));
BEGIN
    number := answer ->> 'number';
    leads_unmarked := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_phone(text, text, text, text, regclass, text, @extschema@.e164, bigint) IS
    'lifts the disqualification of a number where campaigns are texts, by a source, or by all; leads are unmarked when no other is in force. Example: CALL requalify_phone(''spring''::text, ''678 999 8212'', leads => ''donors'')';

CREATE PROCEDURE @extschema@.expire_disqualifications(
    leads regclass DEFAULT NULL,
    INOUT entries_lifted bigint DEFAULT NULL,
    INOUT leads_unmarked bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    own_lock_timeout constant text := current_setting('lock_timeout');
    refusal text;
    tracked regclass;
    answer jsonb;
BEGIN
    IF leads IS NOT NULL THEN
        answer := @extschema@.lead_phones_run(leads, 'expire_disqualifications', '{}'::jsonb);
        entries_lifted := answer ->> 'entries';
        leads_unmarked := answer ->> 'leads';
        RETURN;
    END IF;
    entries_lifted := 0;
    leads_unmarked := 0;
    -- Without a grant, one's own.
    refusal := CASE WHEN (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user) THEN NULL
                    ELSE @extschema@.lead_phones_refusal('expire_disqualifications'::name, (SELECT u.oid FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)) END;
    IF refusal IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.leads
                                            WHERE pg_has_role(c.relowner, 'USAGE')) THEN
        RAISE EXCEPTION 'permission denied for procedure expire_disqualifications'
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'No tracked table is the caller''s, and the procedure was not granted.', HINT = refusal;
    END IF;
    FOR tracked IN
        SELECT t.leads FROM @extschema@.lead_phone_tables AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.leads
         WHERE refusal IS NULL OR pg_has_role(c.relowner, 'USAGE') ORDER BY t.leads::oid
    LOOP
        -- One table that is broken, or locked, must not keep the others from it.
        BEGIN
            IF own_lock_timeout = '0' THEN
                PERFORM set_config('lock_timeout', '10s', true);
            END IF;
            -- Without waiting for leads: the numbers of the tables before are locked by now.
            answer := @extschema@.lead_phones_run(tracked, 'expire_disqualifications', '{"all": true}'::jsonb);
            PERFORM set_config('lock_timeout', own_lock_timeout, true);
            entries_lifted := entries_lifted + (answer ->> 'entries')::bigint;
            leads_unmarked := leads_unmarked + (answer ->> 'leads')::bigint;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'disqualifications of table "%" were not expired: %', tracked, SQLERRM USING ERRCODE = SQLSTATE;
        END;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.expire_disqualifications(regclass, bigint, bigint) IS
    'lifts the disqualifications past their expires_at and unmarks the leads that no other holds; of all tracked tables, unless one is named. Example: CALL expire_disqualifications()';
