-- The procedures for accounts, contacts, domains and lists.

CREATE PROCEDURE @extschema@.sync_suppressed_values(
    kind text,
    subjects text[],
    source text,
    list text,
    reason text,
    region text,
    force boolean,
    hashed text,
    leads regclass,
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, CASE kind WHEN 'phone' THEN 'sync_phones' ELSE 'sync_domains' END, jsonb_build_object(
        'subjects', @extschema@.lead_phones_elements(subjects), 'reason', reason, 'source', source, 'list', list, 'region', region,
        'force', coalesce(force, false), 'hashed', hashed));
BEGIN
    added := answer ->> 'added';
    kept := answer ->> 'kept';
    lifted := answer ->> 'lifted';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_values(text, text[], text, text, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint) IS
    'internal: takes a list over, whose values were read with the rights of the caller';

CREATE PROCEDURE @extschema@.sync_suppressed_phones(
    list regclass,
    source text,
    column_name name DEFAULT 'phone',
    area_code_column name DEFAULT NULL,
    reason text DEFAULT NULL,
    region text DEFAULT NULL,
    force boolean DEFAULT false,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    phones text[];
BEGIN
    IF area_code_column IS NULL THEN
        phones := @extschema@.lead_phones_values(list, column_name);
    ELSE
        PERFORM @extschema@.lead_phones_values(list, column_name) WHERE list IS NULL;
        PERFORM @extschema@.lead_phones_check_list(list, c) FROM unnest(ARRAY[column_name, area_code_column]) AS c;
        EXECUTE format('SELECT coalesce(array_agg(concat_ws('' '', %s, %s)), ''{}'') FROM %s AS l WHERE l.%I IS NOT NULL',
            @extschema@.lead_phones_value_of(list, area_code_column), @extschema@.lead_phones_value_of(list, column_name), list, column_name) INTO phones;
    END IF;
    CALL @extschema@.sync_suppressed_values('phone', phones, source, list::text, reason, region, force, hashed, leads, added, kept, lifted, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_phones(regclass, text, name, name, text, text, boolean, text, regclass, bigint, bigint, bigint, bigint) IS
    'disqualifies, in every campaign, the numbers of a list as it is today: adds what is new in it, lifts what is gone from it; entries of other sources are kept. Example: CALL sync_suppressed_phones(''do_not_call'', ''national registry'')';

CREATE PROCEDURE @extschema@.sync_suppressed_domains(
    list regclass,
    source text,
    column_name name DEFAULT 'domain',
    reason text DEFAULT NULL,
    force boolean DEFAULT false,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT added bigint DEFAULT NULL,
    INOUT kept bigint DEFAULT NULL,
    INOUT lifted bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.sync_suppressed_values('domain', @extschema@.lead_phones_values(list, column_name), source, list::text, reason, NULL, force, NULL, leads,
        added, kept, lifted, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.sync_suppressed_domains(regclass, text, name, text, boolean, regclass, bigint, bigint, bigint, bigint) IS
    'disqualifies, in every campaign, the domains of a list as it is today: adds what is new in it, lifts what is gone from it; entries of other sources are kept. Example: CALL sync_suppressed_domains(''competitors'', ''sales'')';

CREATE PROCEDURE @extschema@.disqualify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_account', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_account(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'disqualifies a company: no lead of the account may be called, now or later; other people who share the numbers may. Example: CALL disqualify_account(42, 1, reason => ''is a customer'')';

CREATE PROCEDURE @extschema@.requalify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_account', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_account(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of an account by a source, or by all. Example: CALL requalify_account(42, 1)';

CREATE PROCEDURE @extschema@.disqualify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'disqualify_contact', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_contact(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'disqualifies a person: no lead of the contact may be called, now or later; other people who share the numbers may. Example: CALL disqualify_contact(42, 1, reason => ''asked not to be called'')';

CREATE PROCEDURE @extschema@.requalify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'requalify_contact', jsonb_build_object(
        'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_contact(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of a contact by a source, or by all. Example: CALL requalify_contact(42, 1)';

CREATE PROCEDURE @extschema@.suppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'suppress_phones', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source,
        'expires_at', expires_at, 'region', region, 'hashed', hashed));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(text[], bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) IS
    'disqualifies a list of numbers in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_phones(''{678 999 8212, 212 761 2846}''::text[], reason => ''do not call'')';

CREATE PROCEDURE @extschema@.suppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, region, hashed, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(regclass, name, bigint, text, text, timestamptz, text, text, regclass, bigint, bigint) IS
    'disqualifies the numbers in a column of a table in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_phones(''do_not_call'', ''phone'', 42)';

CREATE PROCEDURE @extschema@.unsuppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'unsuppress_phones', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source, 'region', region, 'hashed', hashed));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(text[], bigint, text, text, text, text, regclass, bigint) IS
    'lifts the suppression of a list of numbers in a campaign, or that in every campaign. Example: CALL unsuppress_phones(''{678 999 8212}''::text[])';

CREATE PROCEDURE @extschema@.suppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'suppress_domains', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(text[], bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'disqualifies the companies and e-mail addresses of a list of domains in a campaign, or in every campaign, now and at later uploads. Example: CALL suppress_domains(''{kw.example}''::text[], 42)';

CREATE PROCEDURE @extschema@.suppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(regclass, name, bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'disqualifies the companies and e-mail addresses of the domains in a column of a table, in a campaign, or in every campaign. Example: CALL suppress_domains(''competitors''::regclass, ''domain'')';

CREATE PROCEDURE @extschema@.unsuppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_run(leads, 'unsuppress_domains', jsonb_build_object(
        'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(text[], bigint, text, text, regclass, bigint) IS
    'lifts the suppression of a list of domains in a campaign, or that in every campaign. Example: CALL unsuppress_domains(''{kw.example}''::text[], 42)';

CREATE PROCEDURE @extschema@.unsuppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT NULL,
    hashed text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, region, hashed, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(regclass, name, bigint, text, text, text, text, regclass, bigint) IS
    'lifts the suppression of the numbers in a column of a table, in a campaign, or that in every campaign. Example: CALL unsuppress_phones(''do_not_call'', ''phone'', 42)';

CREATE PROCEDURE @extschema@.unsuppress_domains(
    list regclass,
    column_name name DEFAULT 'domain',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_domains(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(regclass, name, bigint, text, text, regclass, bigint) IS
    'lifts the suppression of the domains in a column of a table, in a campaign, or that in every campaign. Example: CALL unsuppress_domains(''competitors''::regclass, ''domain'')';
