-- Ways out: accounts and contacts that are disqualified, suppressed domains, and numbers that are suppressed in all campaigns.
-- Numbers of one campaign stand in campaign_phone_disqualifications, whoever disqualifies them; see 4_disqualification.sql.

CREATE FUNCTION @extschema@.lead_phones_key(kind text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE kind
        WHEN 'account' THEN 'd.campaign_id = $1 AND d.account_id = k.subject::bigint'
        WHEN 'contact' THEN 'd.campaign_id = $1 AND d.contact_id = k.subject::bigint'
        WHEN 'domain' THEN 'd.campaign_id IS NOT DISTINCT FROM $1 AND d.domain = k.subject COLLATE "C"'
        WHEN 'phone' THEN 'd.campaign_id IS NULL AND d.phone = k.subject COLLATE "C"' END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_key(text) IS
    'internal: SQL of which entries "d" of lead_disqualifications are about a subject "k"';

CREATE FUNCTION @extschema@.lead_phones_suppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name := @extschema@.lead_phones_model(leads);
    kind text := arguments ->> 'kind';
    campaign bigint := arguments ->> 'campaign';
    subjects text[] := ARRAY(SELECT DISTINCT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s ORDER BY s);
    expires_at timestamptz := arguments ->> 'expires_at';
    key constant text := @extschema@.lead_phones_key(kind);
    known boolean;
    out_now bigint;
BEGIN
    IF kind IN ('account', 'contact') THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.%2$ss AS k WHERE k.campaign_id = $1 AND k.%2$s_id = $2)', schema, kind)
           INTO known USING campaign, subjects[1]::bigint;
        IF NOT known THEN
            RAISE EXCEPTION '% % of campaign % does not exist', kind, subjects[1], campaign
                USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.%ss" has no such row.', schema, kind),
                      HINT = format('Name the campaign, and the %s_id of the %s.', kind, kind);
        END IF;
    END IF;
    IF kind = 'phone' AND campaign IS NOT NULL THEN
        IF cardinality(subjects) > 0 THEN
            PERFORM @extschema@.lead_phones_disqualify(leads, arguments);
        END IF;
        RETURN jsonb_build_object('subjects', cardinality(subjects));
    END IF;
    EXECUTE format($dml$
        UPDATE %1$I.lead_disqualifications AS d SET lifted_by = $5, lifted_at = clock_timestamp(), lift_reason = 'replaced'
          FROM unnest($2) AS k (subject)
         WHERE %2$s AND d.lifted_at IS NULL AND d.source = $3 AND (d.reason, d.expires_at) IS DISTINCT FROM ($4, $6)$dml$, schema, key)
      USING campaign, subjects, arguments ->> 'source', arguments ->> 'reason', arguments ->> 'by', expires_at;
    EXECUTE format($dml$
        INSERT INTO %1$I.lead_disqualifications AS d (campaign_id, %3$s, source, reason, disqualified_by, disqualified_at, expires_at)
        SELECT $1, k.subject::%4$s, $3, $4, $5, clock_timestamp(), $6 FROM unnest($2) AS k (subject)
         WHERE NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE %2$s AND d.lifted_at IS NULL AND d.source = $3)
         ORDER BY k.subject
        ON CONFLICT DO NOTHING$dml$, schema, key,
        CASE WHEN kind IN ('account', 'contact') THEN kind || '_id' ELSE kind END,
        CASE kind WHEN 'phone' THEN '@extschema@.e164' WHEN 'domain' THEN 'text' ELSE 'bigint' END)
      USING campaign, subjects, arguments ->> 'source', arguments ->> 'reason', arguments ->> 'by', expires_at;
    IF kind IN ('account', 'contact') THEN
        EXECUTE format('SELECT count(*) FROM %1$I.leads AS l JOIN %1$I.contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
                         WHERE c.campaign_id = $1 AND c.%2$s_id = $2', schema, kind)
           INTO out_now USING campaign, subjects[1]::bigint;
    END IF;
    RETURN jsonb_build_object('subjects', cardinality(subjects), 'leads', out_now);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_suppress(regclass, jsonb) IS
    'internal: disqualifies an account or a contact, or suppresses domains or numbers, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_unsuppress(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name := @extschema@.lead_phones_model(leads);
    campaign bigint := arguments ->> 'campaign';
    subjects text[] := ARRAY(SELECT DISTINCT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s ORDER BY s);
    lifted bigint := 0;
BEGIN
    IF arguments ->> 'kind' = 'phone' AND campaign IS NOT NULL THEN
        IF cardinality(subjects) > 0 THEN
            lifted := @extschema@.lead_phones_requalify(leads, arguments) ->> 'entries';
        END IF;
    ELSE
        EXECUTE format($dml$
            UPDATE %1$I.lead_disqualifications AS d SET lifted_by = $4, lifted_at = clock_timestamp(), lift_reason = $5
              FROM unnest($2) AS k (subject)
             WHERE %2$s AND d.lifted_at IS NULL AND d.source = coalesce($3, d.source)$dml$,
            schema, @extschema@.lead_phones_key(arguments ->> 'kind'))
          USING campaign, subjects, arguments ->> 'source', arguments ->> 'by', arguments ->> 'reason';
        GET DIAGNOSTICS lifted = ROW_COUNT;
    END IF;
    RETURN jsonb_build_object('entries', lifted);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_unsuppress(regclass, jsonb) IS
    'internal: lifts what lead_phones_suppress did, as whoever calls';

CREATE FUNCTION @extschema@.lead_phones_beside(leads regclass, table_name name) RETURNS regclass
    STABLE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT d.oid::regclass FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_class AS d ON d.relnamespace = c.relnamespace
     WHERE c.oid = leads AND c.relname = 'contacts' AND d.relname = table_name AND d.relkind IN ('r', 'p') AND d.relowner = c.relowner
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_beside(regclass, name) IS
    'internal: the table of lead tables that stands beside tracked contacts; NULL beside another table';

CREATE FUNCTION @extschema@.lead_phones_expire_others(leads regclass, by_whom text) RETURNS bigint
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    others constant regclass := @extschema@.lead_phones_beside(leads, 'lead_disqualifications');
    lifted bigint;
BEGIN
    IF others IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('UPDATE %s AS d SET lifted_by = $1, lifted_at = $2, lift_reason = ''expired'' WHERE d.lifted_at IS NULL AND d.expires_at <= $2',
        others) USING by_whom, clock_timestamp();
    GET DIAGNOSTICS lifted = ROW_COUNT;
    RETURN lifted;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_expire_others(regclass, text) IS
    'internal: lifts the entries of lead_disqualifications that are past their time';

CREATE FUNCTION @extschema@.lead_phones_call_suppression(leads regclass, action text, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    kind text := arguments ->> 'kind';
    raw text[];
    subjects text[];
    schema name;
BEGIN
    IF jsonb_typeof(arguments -> 'subjects') IS DISTINCT FROM 'array' OR arguments -> 'subjects' = '[null]'
       OR kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL
       OR action = 'suppress' AND arguments ->> 'source' IS NULL
       OR kind = 'phone' AND arguments ->> 'region' IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE
                WHEN kind = 'phone' AND arguments ->> 'region' IS NULL THEN 'region'
                WHEN action = 'suppress' AND arguments ->> 'source' IS NULL THEN 'source'
                WHEN kind IN ('account', 'contact') AND arguments ->> 'campaign' IS NULL THEN 'campaign'
                WHEN kind IN ('account', 'contact') THEN kind ELSE kind || 's' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'See the reference of the procedure for what it needs.';
    END IF;
    schema := @extschema@.lead_phones_model(leads);
    leads := format('%I.contacts', schema)::regclass;
    IF kind IN ('phone', 'domain') THEN
        raw := ARRAY(SELECT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s WHERE btrim(s) <> '');
        SELECT array_agg(n.subject) FILTER (WHERE n.subject IS NOT NULL), array_agg(n.raw) FILTER (WHERE n.subject IS NULL)
          INTO subjects, raw
          FROM (SELECT r AS raw, CASE kind
                    WHEN 'phone' THEN @extschema@.try_normalize_phone(r, arguments ->> 'region')::text
                    ELSE @extschema@.lead_phones_domain(r) END AS subject FROM unnest(raw) AS r) AS n;
        IF raw IS NOT NULL THEN
            RAISE WARNING '% of the %s are not valid, and left out', cardinality(raw), kind
                USING DETAIL = format('One is "%s".', left(raw[1], 64)),
                      HINT = CASE kind WHEN 'phone' THEN 'Write numbers with their country code, or name their region with region => ''...''.'
                          ELSE 'Write domains as in kw.example.' END;
        END IF;
    ELSE
        subjects := ARRAY(SELECT s FROM jsonb_array_elements_text(arguments -> 'subjects') AS s);
    END IF;
    RETURN jsonb_build_object('invalid', coalesce(cardinality(raw), 0)) || @extschema@.lead_phones_as_owner(leads, action,
        arguments || jsonb_build_object('subjects', coalesce(subjects, '{}'), 'by', @extschema@.lead_phones_caller()));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_call_suppression(regclass, text, jsonb) IS
    'internal: checks the arguments of a procedure of lead tables and runs it';

CREATE FUNCTION @extschema@.lead_phones_elements(list text[]) RETURNS jsonb
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN list IS NULL THEN 'null'::jsonb ELSE to_jsonb(ARRAY(SELECT e FROM unnest(list) AS e)) END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_elements(text[]) IS 'internal: the elements of a list, of however many dimensions';

CREATE FUNCTION @extschema@.lead_phones_values(list regclass, column_name name) RETURNS text[]
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    known text[];
BEGIN
    IF list IS NULL OR column_name IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN list IS NULL THEN 'list' ELSE 'column_name' END
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a table, and its column of numbers or domains.';
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(l.%I::text), ''{}'') FROM %s AS l WHERE l.%1$I IS NOT NULL', column_name, list) INTO known;
    RETURN known;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_values(regclass, name) IS
    'internal: what a column of a list says, with the rights of the caller';

CREATE PROCEDURE @extschema@.disqualify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'suppress', jsonb_build_object(
        'kind', 'account', 'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_account(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'no lead of the account may be called, now or later; its numbers on others may';

CREATE PROCEDURE @extschema@.requalify_account(
    campaign bigint,
    account bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'unsuppress', jsonb_build_object(
        'kind', 'account', 'campaign', campaign, 'subjects', jsonb_build_array(account), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_account(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of the account by a source, or by all';

CREATE PROCEDURE @extschema@.disqualify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT 'manual',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT leads_out bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'suppress', jsonb_build_object(
        'kind', 'contact', 'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    leads_out := answer ->> 'leads';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.disqualify_contact(bigint, bigint, text, text, timestamptz, regclass, bigint) IS
    'no lead of the contact may be called, now or later; its numbers on others may';

CREATE PROCEDURE @extschema@.requalify_contact(
    campaign bigint,
    contact bigint,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'unsuppress', jsonb_build_object(
        'kind', 'contact', 'campaign', campaign, 'subjects', jsonb_build_array(contact), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.requalify_contact(bigint, bigint, text, text, regclass, bigint) IS
    'lifts the disqualification of the contact by a source, or by all';

CREATE PROCEDURE @extschema@.suppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT 'US',
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'suppress', jsonb_build_object(
        'kind', 'phone', 'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source,
        'expires_at', expires_at, 'region', region));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(text[], bigint, text, text, timestamptz, text, regclass, bigint, bigint) IS
    'numbers are out in a campaign, or in all, now and at later uploads';

CREATE PROCEDURE @extschema@.suppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    region text DEFAULT 'US',
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.suppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, expires_at, region, leads, suppressed, invalid);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_phones(regclass, name, bigint, text, text, timestamptz, text, regclass, bigint, bigint) IS
    'the same, from a column of a table';

CREATE PROCEDURE @extschema@.unsuppress_phones(
    phones text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT 'US',
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'unsuppress', jsonb_build_object(
        'kind', 'phone', 'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(phones), 'reason', reason, 'source', source, 'region', region));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(text[], bigint, text, text, text, regclass, bigint) IS
    'lifts the suppression of phones in a campaign, or that in all campaigns';

CREATE PROCEDURE @extschema@.suppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT 'suppression list',
    expires_at timestamptz DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT suppressed bigint DEFAULT NULL,
    INOUT invalid bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'suppress', jsonb_build_object(
        'kind', 'domain', 'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source,
        'expires_at', expires_at));
BEGIN
    suppressed := answer ->> 'subjects';
    invalid := answer ->> 'invalid';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.suppress_domains(text[], bigint, text, text, timestamptz, regclass, bigint, bigint) IS
    'domains of companies and of e-mail addresses are out in a campaign, or in all, now and at later uploads';

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
    'the same, from a column of a table';

CREATE PROCEDURE @extschema@.unsuppress_domains(
    domains text[],
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $procedure$
DECLARE
    answer jsonb := @extschema@.lead_phones_call_suppression(leads, 'unsuppress', jsonb_build_object(
        'kind', 'domain', 'campaign', campaign, 'subjects', @extschema@.lead_phones_elements(domains), 'reason', reason, 'source', source));
BEGIN
    entries_lifted := answer ->> 'entries';
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_domains(text[], bigint, text, text, regclass, bigint) IS
    'lifts the suppression of domains in a campaign, or that in all campaigns';

CREATE PROCEDURE @extschema@.unsuppress_phones(
    list regclass,
    column_name name DEFAULT 'phone',
    campaign bigint DEFAULT NULL,
    reason text DEFAULT NULL,
    source text DEFAULT NULL,
    region text DEFAULT 'US',
    leads regclass DEFAULT @extschema@.lead_phones_visible_leads(),
    INOUT entries_lifted bigint DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $procedure$
BEGIN
    CALL @extschema@.unsuppress_phones(@extschema@.lead_phones_values(list, column_name), campaign, reason, source, region, leads, entries_lifted);
END
$procedure$;
COMMENT ON PROCEDURE @extschema@.unsuppress_phones(regclass, name, bigint, text, text, text, regclass, bigint) IS
    'the same, from a column of a table';

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
    'the same, from a column of a table';
