-- Lead tables: the ready-made model, in the user's schema. What was uploaded, whom it is about, and where they work.

CREATE FUNCTION @extschema@.lead_phones_domain(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_domain_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_domain(text) IS
    'internal: the Internet domain in a website or an e-mail address';

CREATE FUNCTION @extschema@.lead_phones_email(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 5
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_email_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_email(text) IS
    'internal: the e-mail address in a text, NULL where it has not the shape of one';

CREATE FUNCTION @extschema@.lead_phones_company_key(name text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 5
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_company_key_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_company_key(text) IS
    'internal: the name of a company as it is compared, in lower case and without spaces';

CREATE FUNCTION @extschema@.lead_phones_split() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_split_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_split() IS
    'trigger of leads: splits what is inserted out into contacts and accounts';

CREATE FUNCTION @extschema@.lead_phones_keep_uploaded() RETURNS trigger
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RAISE EXCEPTION 'lead % says what was uploaded, and cannot be edited', OLD.lead_id
        USING ERRCODE = 'feature_not_supported',
              DETAIL = 'Who a lead is about, and how he is reached, stands in contacts.',
              HINT = format('UPDATE %I.contacts SET ... WHERE campaign_id = %s AND contact_id = %s.',
                  TG_TABLE_SCHEMA, OLD.campaign_id, OLD.contact_id);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_uploaded() IS
    'trigger of leads: refuses to change what was uploaded';

-- A default as lead_phones_visible_table().
CREATE FUNCTION @extschema@.lead_phones_visible_leads() RETURNS regclass
    STABLE LANGUAGE sql
AS $function$
    SELECT @extschema@.lead_phones_only(@extschema@.lead_phones_visible(
        ARRAY(SELECT t.tgrelid::pg_catalog.regclass FROM pg_catalog.pg_trigger AS t
               WHERE t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND t.tgfoid
                     OPERATOR(pg_catalog.=) '@extschema@.lead_phones_split()'::pg_catalog.regprocedure::pg_catalog.oid),
        pg_catalog.current_schemas(false)), 'contacts'::pg_catalog.text)
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_leads() IS
    'internal: the leads of the one set of lead tables that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_model(leads regclass) RETURNS name
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name;
    foreign_table text;
BEGIN
    IF leads IS NULL THEN
        RAISE EXCEPTION 'leads must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Name one of the lead tables, or leave it out for those that search_path sees.';
    END IF;
    SELECT n.nspname INTO schema
      FROM pg_catalog.pg_class AS r
      JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'leads'
      JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure AND t.tgparentid = 0
     WHERE r.oid = lead_phones_model.leads;
    IF schema IS NULL THEN
        RAISE EXCEPTION 'there are no lead tables beside "%"', leads
            USING ERRCODE = 'undefined_table',
                  HINT = 'Run create_lead_tables(), or name the leads table with leads => ''schema.leads''.';
    END IF;
    -- What is done to one of these tables runs as its owner: he must own all that it touches.
    SELECT string_agg(w.name, ', ') INTO foreign_table
      FROM unnest('{leads,campaigns,accounts,contacts,free_mail_domains,lead_uploads,lead_upload_problems,
                    lead_disqualifications,campaign_phone_counts,campaign_phone_disqualifications,
                    callable_leads,lead_reasons,lead_ledger}'::text[]) AS w (name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname = schema AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v')
                          AND c.relowner = (SELECT l.relowner FROM pg_catalog.pg_class AS l
                                             WHERE l.relname = 'leads' AND l.relnamespace = n.oid));
    IF foreign_table IS NOT NULL THEN
        RAISE EXCEPTION 'the lead tables of schema "%" are not complete', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Missing, or of another owner than leads: %s.', foreign_table),
                  HINT = 'The tables that create_lead_tables() creates keep their names and have one owner.';
    END IF;
    RETURN schema;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_model(regclass) IS
    'internal: the schema of the lead tables that are meant: those beside a table, or the only ones';

CREATE FUNCTION @extschema@.create_lead_tables(schema name DEFAULT current_schema()) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    existing text;
    described record;
BEGIN
    IF schema IS NULL OR to_regnamespace(quote_ident(schema)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', coalesce(schema, '')
            USING ERRCODE = 'invalid_schema_name', HINT = 'Run CREATE SCHEMA before, or set search_path.';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = to_regclass(format('%I.leads', schema))
                  AND t.tgfoid = '@extschema@.lead_phones_split()'::regprocedure) THEN
        RAISE NOTICE 'schema "%" has lead tables already', schema;
        RETURN;
    END IF;
    SELECT string_agg(quote_ident(c.relname), ', ' ORDER BY c.relname) INTO existing FROM pg_catalog.pg_class AS c
     WHERE c.relnamespace = to_regnamespace(quote_ident(schema))
       AND c.relname IN ('campaigns', 'free_mail_domains', 'accounts', 'contacts', 'lead_uploads', 'lead_upload_problems', 'leads',
                         'lead_disqualifications', 'lead_ledger', 'lead_reasons', 'callable_leads',
                         'campaign_phone_counts', 'campaign_phone_disqualifications');
    IF existing IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" has relations of the names that lead tables need', schema
            USING ERRCODE = 'duplicate_table',
                  DETAIL = format('They are %s.', existing),
                  HINT = 'Create the lead tables in a schema of their own.';
    END IF;
    EXECUTE format($ddl$
        CREATE TABLE %1$I.campaigns (
            campaign_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
            name text NOT NULL,
            region text NOT NULL DEFAULT 'US',
            created_at timestamptz NOT NULL DEFAULT now());

        CREATE TABLE %1$I.free_mail_domains (domain text COLLATE "C" PRIMARY KEY CHECK (domain = lower(domain)));

        CREATE TABLE %1$I.accounts (
            campaign_id bigint NOT NULL REFERENCES %1$I.campaigns ON DELETE CASCADE,
            account_id bigint GENERATED BY DEFAULT AS IDENTITY,
            name text,
            name_key text COLLATE "C" GENERATED ALWAYS AS (@extschema@.lead_phones_company_key(name)) STORED,
            domain text COLLATE "C",
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (campaign_id, account_id));
        -- partial, so that the domain is no key: who gives an account its domain does not wait for those who add contacts to it
        CREATE UNIQUE INDEX accounts_domain_idx ON %1$I.accounts (campaign_id, domain) WHERE domain IS NOT NULL;
        CREATE UNIQUE INDEX accounts_name_without_domain_idx ON %1$I.accounts (campaign_id, name_key) WHERE domain IS NULL;
        CREATE INDEX accounts_name_idx ON %1$I.accounts (campaign_id, name_key);

        CREATE TABLE %1$I.contacts (
            campaign_id bigint NOT NULL REFERENCES %1$I.campaigns ON DELETE CASCADE,
            contact_id bigint GENERATED BY DEFAULT AS IDENTITY,
            account_id bigint,
            email text COLLATE "C",
            name text,
            title text,
            phone text,
            mobile text,
            region text NOT NULL DEFAULT 'US',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (campaign_id, contact_id),
            FOREIGN KEY (campaign_id, account_id) REFERENCES %1$I.accounts);
        CREATE UNIQUE INDEX contacts_email_idx ON %1$I.contacts (campaign_id, lower(email));
        CREATE INDEX contacts_account_idx ON %1$I.contacts (campaign_id, account_id);

        CREATE TABLE %1$I.lead_uploads (
            campaign_id bigint NOT NULL REFERENCES %1$I.campaigns ON DELETE CASCADE,
            upload_id bigint GENERATED BY DEFAULT AS IDENTITY,
            file_name text,
            uploaded_by text NOT NULL DEFAULT current_user,
            started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            finished_at timestamptz,
            columns jsonb,
            rows_in_file bigint,
            created bigint,
            updated bigint,
            duplicates_in_file bigint,
            refused bigint,
            invalid_phone bigint,
            invalid_mobile bigint,
            without_valid_number bigint,
            disqualified_on_arrival bigint,
            PRIMARY KEY (campaign_id, upload_id),
            CHECK (rows_in_file = created + updated + duplicates_in_file + refused));

        CREATE TABLE %1$I.lead_upload_problems (
            campaign_id bigint NOT NULL,
            upload_id bigint NOT NULL,
            row_number bigint NOT NULL,
            column_name text NOT NULL,
            raw_value text,
            reason text NOT NULL,
            PRIMARY KEY (campaign_id, upload_id, row_number, column_name),
            FOREIGN KEY (campaign_id, upload_id) REFERENCES %1$I.lead_uploads ON DELETE CASCADE);

        CREATE TABLE %1$I.leads (
            campaign_id bigint NOT NULL,
            lead_id bigint GENERATED BY DEFAULT AS IDENTITY,
            contact_id bigint,
            upload_id bigint,
            row_number bigint,
            email text,
            name text,
            title text,
            company text,
            website text,
            phone text,
            mobile text,
            custom jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (campaign_id, lead_id),
            FOREIGN KEY (campaign_id, contact_id) REFERENCES %1$I.contacts ON DELETE CASCADE);
        CREATE INDEX leads_contact_idx ON %1$I.leads (campaign_id, contact_id, lead_id);
        CREATE INDEX leads_lead_idx ON %1$I.leads (lead_id);

        CREATE TABLE %1$I.lead_disqualifications (
            entry bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
            campaign_id bigint,
            account_id bigint,
            contact_id bigint,
            domain text COLLATE "C",
            phone @extschema@.e164,
            source text NOT NULL,
            reason text,
            disqualified_by text NOT NULL,
            disqualified_at timestamptz NOT NULL,
            expires_at timestamptz,
            lifted_by text,
            lifted_at timestamptz,
            lift_reason text,
            CHECK (num_nonnulls(account_id, contact_id, domain, phone) = 1),
            CHECK (campaign_id IS NOT NULL OR num_nonnulls(domain, phone) = 1),
            CHECK (campaign_id IS NULL OR phone IS NULL));
        CREATE UNIQUE INDEX lead_disqualifications_account_idx ON %1$I.lead_disqualifications (campaign_id, account_id, source)
            WHERE lifted_at IS NULL AND account_id IS NOT NULL;
        CREATE UNIQUE INDEX lead_disqualifications_contact_idx ON %1$I.lead_disqualifications (campaign_id, contact_id, source)
            WHERE lifted_at IS NULL AND contact_id IS NOT NULL;
        CREATE UNIQUE INDEX lead_disqualifications_domain_idx ON %1$I.lead_disqualifications (domain, coalesce(campaign_id, 0), source)
            WHERE lifted_at IS NULL AND domain IS NOT NULL;
        CREATE UNIQUE INDEX lead_disqualifications_phone_idx ON %1$I.lead_disqualifications (phone, source)
            WHERE lifted_at IS NULL AND phone IS NOT NULL;
        CREATE INDEX lead_disqualifications_expires_at_idx ON %1$I.lead_disqualifications (expires_at)
            WHERE lifted_at IS NULL AND expires_at IS NOT NULL
        $ddl$, schema);
    EXECUTE format($dml$
        INSERT INTO %I.free_mail_domains (domain)
        SELECT unnest('{gmail.com,googlemail.com,yahoo.com,yahoo.co.uk,yahoo.ca,yahoo.fr,yahoo.de,yahoo.co.in,yahoo.com.br,ymail.com,
            rocketmail.com,hotmail.com,hotmail.co.uk,hotmail.fr,hotmail.de,outlook.com,outlook.de,outlook.fr,live.com,live.co.uk,msn.com,
            aol.com,aim.com,icloud.com,me.com,mac.com,proton.me,protonmail.com,pm.me,gmx.com,gmx.de,gmx.net,gmx.at,gmx.ch,web.de,
            t-online.de,freenet.de,mail.com,mail.ru,bk.ru,inbox.ru,list.ru,yandex.ru,yandex.com,qq.com,163.com,126.com,sina.com,foxmail.com,
            naver.com,hanmail.net,daum.net,orange.fr,wanadoo.fr,free.fr,laposte.net,sfr.fr,libero.it,virgilio.it,tiscali.it,alice.it,
            uol.com.br,bol.com.br,terra.com.br,rediffmail.com,zoho.com,fastmail.com,hey.com,tutanota.com,tuta.io,comcast.net,xfinity.com,
            verizon.net,att.net,sbcglobal.net,bellsouth.net,cox.net,charter.net,spectrum.net,earthlink.net,juno.com,optonline.net,
            btinternet.com,sky.com,virginmedia.com,ntlworld.com,talktalk.net,rogers.com,shaw.ca,sympatico.ca,telus.net,bigpond.com,
            optusnet.com.au,seznam.cz,wp.pl,o2.pl,onet.pl,interia.pl,ukr.net,telenet.be,skynet.be,ziggo.nl,kpnmail.nl,planet.nl,bluewin.ch}'::text[])
        $dml$, schema);
    PERFORM @extschema@.track_lead_phones(format('%I.contacts', schema)::regclass, region_column => 'region');
    EXECUTE format($ddl$
        CREATE TRIGGER lead_phones_split AFTER INSERT ON %1$I.leads REFERENCING NEW TABLE AS new_leads
            FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_split();
        CREATE TRIGGER lead_phones_keep_uploaded BEFORE UPDATE ON %1$I.leads FOR EACH ROW
            WHEN ((OLD.campaign_id, OLD.lead_id, OLD.email, OLD.name, OLD.title, OLD.company, OLD.website, OLD.phone, OLD.mobile)
                  IS DISTINCT FROM
                  (NEW.campaign_id, NEW.lead_id, NEW.email, NEW.name, NEW.title, NEW.company, NEW.website, NEW.phone, NEW.mobile))
            EXECUTE FUNCTION @extschema@.lead_phones_keep_uploaded()
        $ddl$, schema);
    PERFORM @extschema@.lead_phones_create_views(schema);
    FOR described IN
        SELECT * FROM (VALUES
            ('TABLE', 'campaigns', 'campaigns, and the region of numbers that are written without a country code in them'),
            ('TABLE', 'free_mail_domains', 'domains of e-mail providers and others that say nothing of a company; edit it as you need'),
            ('TABLE', 'accounts', 'companies: one row for each in a campaign'),
            ('COLUMN', 'accounts.name_key', 'the name as it is compared: in lower case, without spaces'),
            ('COLUMN', 'accounts.domain', 'the Internet domain that the company is known by'),
            ('TABLE', 'contacts', 'people: one row for each e-mail address in a campaign, or for a lead without one; tracked by lead_phones'),
            ('COLUMN', 'contacts.region', 'region of its numbers, where they are written without a country code'),
            ('TABLE', 'leads', 'what was uploaded, row by row, and which contact it is about'),
            ('COLUMN', 'leads.contact_id', 'the person; left NULL it is found, or made, by the e-mail address'),
            ('COLUMN', 'leads.upload_id', 'the upload that brought it, NULL for a lead that was inserted'),
            ('COLUMN', 'leads.row_number', 'its row in the file'),
            ('COLUMN', 'leads.custom', 'columns of the file that mean nothing to lead_phones'),
            ('TABLE', 'lead_uploads', 'receipts of uploads'),
            ('COLUMN', 'lead_uploads.columns', 'which column of the file was taken for which'),
            ('COLUMN', 'lead_uploads.created', 'rows that brought a new contact'),
            ('COLUMN', 'lead_uploads.updated', 'rows whose e-mail address was in the campaign already'),
            ('COLUMN', 'lead_uploads.duplicates_in_file', 'rows whose e-mail address came in an earlier row of the file'),
            ('COLUMN', 'lead_uploads.refused', 'rows that say nothing, and were left out'),
            ('COLUMN', 'lead_uploads.disqualified_on_arrival', 'rows with a number of which none may be called'),
            ('TABLE', 'lead_upload_problems', 'values of uploads that could not be used, and why'),
            ('TABLE', 'lead_disqualifications', 'ledger of disqualified accounts and contacts, suppressed domains, and numbers suppressed in all campaigns'),
            ('COLUMN', 'lead_disqualifications.campaign_id', 'NULL for all campaigns'),
            ('VIEW', 'lead_ledger', 'all disqualifications and suppressions, of numbers too, that stand or stood'),
            ('VIEW', 'lead_reasons', 'every reason why a lead may not be called'),
            ('VIEW', 'callable_leads', 'the leads that may be called, and by which numbers; each person once')) AS d (kind, name, comment)
    LOOP
        EXECUTE format('COMMENT ON %s %I.%s IS %L', described.kind, schema, described.name, described.comment);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION @extschema@.create_lead_tables(name) IS
    'creates tables of campaigns, accounts, contacts, leads and uploads in a schema, and tracks the numbers of the contacts';

CREATE FUNCTION @extschema@.lead_phones_standing() RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- An entry stands until it is lifted, or past its time; the marks of contacts follow when they are brought in line.
    SELECT 'd.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())'
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_standing() IS
    'internal: SQL of whether an entry "d" of a ledger stands';

CREATE FUNCTION @extschema@.lead_phones_known_campaign(schema name, campaign bigint, otherwise text) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    known boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.campaigns AS c WHERE c.campaign_id = $1)', schema) INTO known USING campaign;
    IF NOT known THEN
        RAISE EXCEPTION 'campaign % does not exist', campaign
            USING ERRCODE = otherwise, DETAIL = format('Table "%I.campaigns" has no such campaign_id.', schema),
                  HINT = 'Insert the campaign before its leads.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_campaign(name, bigint, text) IS
    'internal: raises an error by a name of its SQLSTATE unless the campaign exists';

CREATE FUNCTION @extschema@.lead_phones_create_views(schema name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    standing constant text := @extschema@.lead_phones_standing();
BEGIN
    EXECUTE format($ddl$
        CREATE OR REPLACE VIEW %1$I.lead_ledger AS
        SELECT 'phone'::text AS kind, d.campaign_id, d.phone::text AS subject, d.source, d.reason, d.disqualified_by, d.disqualified_at,
               d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, %2$s AS stands
          FROM %1$I.campaign_phone_disqualifications AS d
         UNION ALL
        SELECT CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact'
                    WHEN d.domain IS NOT NULL THEN 'domain' ELSE 'phone' END,
               d.campaign_id, coalesce(d.account_id::text, d.contact_id::text, d.domain, d.phone::text), d.source, d.reason,
               d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, %2$s
          FROM %1$I.lead_disqualifications AS d
        $ddl$, schema, standing);

    EXECUTE format($ddl$
        CREATE OR REPLACE VIEW %1$I.callable_leads AS
        SELECT l.campaign_id, l.lead_id, l.contact_id, c.account_id, l.upload_id, c.email, c.name, c.title, n.phone, n.mobile
          FROM %1$I.leads AS l
          JOIN %1$I.contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
         CROSS JOIN LATERAL (
            SELECT @extschema@.try_normalize_phone(c.phone, c.region) AS phone,
                   @extschema@.try_normalize_phone(c.mobile, c.region) AS mobile) AS v
         CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT (c.phone_disqualified AND EXISTS (
                                SELECT FROM %1$I.campaign_phone_disqualifications AS d
                                 WHERE d.campaign_id = c.campaign_id AND d.phone = v.phone AND %2$s))
                         AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.phone = v.phone AND %2$s)
                        THEN v.phone END AS phone,
                   CASE WHEN NOT (c.mobile_disqualified AND EXISTS (
                                SELECT FROM %1$I.campaign_phone_disqualifications AS d
                                 WHERE d.campaign_id = c.campaign_id AND d.phone = v.mobile AND %2$s))
                         AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d WHERE d.phone = v.mobile AND %2$s)
                        THEN v.mobile END AS mobile) AS n
         WHERE (n.phone IS NOT NULL OR n.mobile IS NOT NULL)
           AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.account_id = c.account_id AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.lead_disqualifications AS d
                            WHERE d.domain = @extschema@.lead_phones_domain(c.email)
                              AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.accounts AS a JOIN %1$I.lead_disqualifications AS d ON d.domain = a.domain
                            WHERE a.campaign_id = c.campaign_id AND a.account_id = c.account_id
                              AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND %2$s)
           AND NOT EXISTS (SELECT FROM %1$I.leads AS earlier
                            WHERE earlier.campaign_id = l.campaign_id AND earlier.contact_id = l.contact_id
                              AND earlier.lead_id < l.lead_id)
        $ddl$, schema, standing);

    -- "leads" of a call are those of this schema, by the name that it has when it is asked: what lifts an entry is to be pasted.
    EXECUTE format($ddl$
        CREATE OR REPLACE VIEW %1$I.lead_reasons AS
        WITH people AS NOT MATERIALIZED (
            SELECT l.lead_id, l.campaign_id, l.contact_id, c.account_id, a.domain AS account_domain,
                   @extschema@.lead_phones_domain(c.email) AS email_domain,
                   @extschema@.try_normalize_phone(c.phone, c.region) AS phone,
                   @extschema@.try_normalize_phone(c.mobile, c.region) AS mobile
              FROM %1$I.leads AS l
              JOIN %1$I.contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
              LEFT JOIN %1$I.accounts AS a ON a.campaign_id = c.campaign_id AND a.account_id = c.account_id)
        SELECT p.lead_id, p.campaign_id, n.number AS blocks, 'phone'::text AS kind, d.phone::text AS subject, d.source, d.reason,
               d.disqualified_by, d.disqualified_at, d.expires_at,
               format('CALL @extschema@.requalify_phone(%%s, %%L, source => %%L, leads => %%L)', p.campaign_id, d.phone, d.source, @extschema@.lead_phones_table_name(%3$L)) AS lift
          FROM people AS p
         CROSS JOIN LATERAL (VALUES ('phone', p.phone), ('mobile', p.mobile)) AS n (number, value)
          JOIN %1$I.campaign_phone_disqualifications AS d ON d.campaign_id = p.campaign_id AND d.phone = n.value AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, n.number, 'phone', d.phone, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
               format('CALL @extschema@.unsuppress_phones(ARRAY[%%L], source => %%L, leads => %%L)', d.phone, d.source, @extschema@.lead_phones_table_name(%3$L))
          FROM people AS p
         CROSS JOIN LATERAL (VALUES ('phone', p.phone), ('mobile', p.mobile)) AS n (number, value)
          JOIN %1$I.lead_disqualifications AS d ON d.phone = n.value AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'contact', d.contact_id::text, d.source, d.reason, d.disqualified_by, d.disqualified_at,
               d.expires_at, format('CALL @extschema@.requalify_contact(%%s, %%s, source => %%L, leads => %%L)', d.campaign_id, d.contact_id, d.source, @extschema@.lead_phones_table_name(%3$L))
          FROM people AS p JOIN %1$I.lead_disqualifications AS d ON d.campaign_id = p.campaign_id AND d.contact_id = p.contact_id AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'account', d.account_id::text, d.source, d.reason, d.disqualified_by, d.disqualified_at,
               d.expires_at, format('CALL @extschema@.requalify_account(%%s, %%s, source => %%L, leads => %%L)', d.campaign_id, d.account_id, d.source, @extschema@.lead_phones_table_name(%3$L))
          FROM people AS p JOIN %1$I.lead_disqualifications AS d ON d.campaign_id = p.campaign_id AND d.account_id = p.account_id AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'domain', d.domain, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
               format('CALL @extschema@.unsuppress_domains(ARRAY[%%L]%%s, source => %%L, leads => %%L)', d.domain,
                   coalesce(', campaign => ' || d.campaign_id, ''), d.source, @extschema@.lead_phones_table_name(%3$L))
          FROM people AS p
         CROSS JOIN LATERAL (SELECT p.email_domain UNION SELECT p.account_domain) AS o (domain)
          JOIN %1$I.lead_disqualifications AS d ON d.domain = o.domain
               AND (d.campaign_id IS NULL OR d.campaign_id = p.campaign_id) AND %2$s
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'number', NULL, NULL, 'there is no valid number', NULL, NULL, NULL,
               format('UPDATE %%s SET phone = ... WHERE campaign_id = %%s AND contact_id = %%s', @extschema@.lead_phones_table_name(%4$L), p.campaign_id, p.contact_id)
          FROM people AS p WHERE p.phone IS NULL AND p.mobile IS NULL
         UNION ALL
        SELECT p.lead_id, p.campaign_id, 'lead', 'repeat', e.lead_id::text, NULL, 'the same person is called by an earlier lead',
               NULL, NULL, NULL, NULL
          FROM people AS p
         CROSS JOIN LATERAL (SELECT e.lead_id FROM %1$I.leads AS e
                              WHERE e.campaign_id = p.campaign_id AND e.contact_id = p.contact_id AND e.lead_id < p.lead_id
                              ORDER BY e.lead_id LIMIT 1) AS e
         UNION ALL
        SELECT l.lead_id, l.campaign_id, 'lead', 'contact', NULL, NULL, 'it was written while triggers were disabled, and has no contact',
               NULL, NULL, NULL,
               format('SELECT @extschema@.lead_phones_split_leads(%%L, ARRAY[%%s], ARRAY[%%s])', @extschema@.lead_phones_table_name(%3$L), l.campaign_id, l.lead_id)
          FROM %1$I.leads AS l WHERE l.contact_id IS NULL
        $ddl$, schema, standing, format('%I.leads', schema), format('%I.contacts', schema));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_views(name) IS 'internal: creates the views of lead tables';

CREATE FUNCTION @extschema@.lead_phones_reasons(leads regclass, lead bigint) RETURNS jsonb
    STABLE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_reasons_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_reasons(regclass, bigint) IS
    'internal: the rows of lead_reasons for a lead, NULL where there is no such lead';

CREATE FUNCTION @extschema@.lead_status(lead bigint, leads regclass DEFAULT @extschema@.lead_phones_visible_leads())
    RETURNS TABLE (
        blocks text,
        kind text,
        subject text,
        source text,
        reason text,
        disqualified_by text,
        disqualified_at timestamptz,
        expires_at timestamptz,
        lift text)
    STABLE ROWS 2 LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    schema name := @extschema@.lead_phones_model(leads);
    reasons jsonb;
BEGIN
    IF lead IS NULL THEN
        RAISE EXCEPTION 'lead must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Name its lead_id.';
    END IF;
    reasons := @extschema@.lead_phones_reasons(format('%I.leads', schema)::regclass, lead);
    IF reasons IS NULL THEN
        RAISE EXCEPTION 'lead % does not exist', lead
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.leads" has no such lead_id.', schema),
                  HINT = 'Name the lead_id of a lead.';
    END IF;
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(reasons) AS r (
        blocks text, kind text, subject text, source text, reason text, disqualified_by text, disqualified_at timestamptz,
        expires_at timestamptz, lift text);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_status(bigint, regclass) IS
    'every reason why a lead, or one of its numbers, may not be called; none when it may be';
