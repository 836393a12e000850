-- Lead tables: the ready-made model, in the user's schema. What was uploaded, whom it is about, and where they work.

CREATE FUNCTION @extschema@.lead_phones_domain(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_domain_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_domain(text) IS
    'internal: the Internet domain in a website or an e-mail address';

CREATE FUNCTION @extschema@.lead_phones_domains_above(raw text) RETURNS text[]
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_domains_above_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_domains_above(text) IS
    'internal: the domains in a website or an e-mail address, and those that they are below';

CREATE FUNCTION @extschema@.lead_phones_email(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_email_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_email(text) IS
    'internal: the e-mail address in a text, NULL where there is none';

CREATE FUNCTION @extschema@.lead_phones_email_key(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_email_key_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_email_key(text) IS
    'internal: the e-mail address in a text as it is compared';

CREATE FUNCTION @extschema@.lead_phones_company_key(name text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 10
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_company_key_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_company_key(text) IS
    'internal: the name of a company as it is compared: its letters and digits in lower case';

CREATE FUNCTION @extschema@.lead_phones_trimmed(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_trimmed_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_trimmed(text) IS
    'internal: a value without the blanks and invisible characters around it, NULL where there is nothing else';

CREATE FUNCTION @extschema@.lead_phones_subjects(
    campaign bigint, contact bigint, email text, name text, phone text, mobile text, account bigint, company_key text, domain text) RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 20
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_subjects_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_subjects(bigint, bigint, text, text, text, text, bigint, text, text) IS
    'internal: by what a person, or a company, is meant in the ledger of lead tables';

CREATE FUNCTION @extschema@.lead_phones_split() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_split_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_split() IS
    'trigger of leads: splits what is inserted out into contacts and accounts';

CREATE FUNCTION @extschema@.lead_phones_keep_out() RETURNS trigger
    VOLATILE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keep_out_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keep_out() IS
    'trigger of contacts and accounts: whoever is out stays out when his row is changed or deleted';

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
              DETAIL = 'Who a lead is about, and how he is reached, stands in contacts.',
              HINT = format('UPDATE %I.contacts SET ... WHERE campaign_id = %s AND contact_id = %s.',
                  TG_TABLE_SCHEMA, OLD.campaign_id, OLD.contact_id);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_keep_uploaded() IS
    'trigger of leads: refuses to change what was uploaded';

CREATE FUNCTION @extschema@.lead_phones_upload_step(leads regclass, step text, arguments jsonb) RETURNS jsonb
    VOLATILE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_upload_step_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_upload_step(regclass, text, jsonb) IS
    'internal: runs a step of an upload as the owner of the lead tables, for whoever may insert leads';

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

-- A default as lead_phones_visible_table().
CREATE FUNCTION @extschema@.lead_phones_visible_leads() RETURNS regclass
    STABLE LANGUAGE sql
AS $function$
    SELECT @extschema@.lead_phones_only(CASE
               -- What Citus sends to a node comes without the search_path.
               WHEN v.seen OPERATOR(pg_catalog.=) '{}'::pg_catalog.regclass[]
                    AND pg_catalog.starts_with(pg_catalog.current_setting('application_name'), 'citus_internal') THEN v.known
               ELSE v.seen END, 'contacts'::pg_catalog.text)
      FROM (SELECT k.known, @extschema@.lead_phones_visible(k.known, pg_catalog.current_schemas(false)) AS seen
              FROM (SELECT ARRAY(
                        SELECT t.tgrelid::pg_catalog.regclass FROM pg_catalog.pg_trigger AS t
                         -- and not of a shard, whose triggers have other names
                         WHERE t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND t.tgname OPERATOR(pg_catalog.=) 'lead_phones_split' AND t.tgfoid
                               OPERATOR(pg_catalog.=) '@extschema@.lead_phones_split()'::pg_catalog.regprocedure::pg_catalog.oid) AS known) AS k) AS v
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_visible_leads() IS
    'internal: the leads of the one set of lead tables that the search_path of the caller sees';

CREATE FUNCTION @extschema@.lead_phones_check_schema(schema name, owner oid) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    stranger text;
    planted text;
BEGIN
    -- The rules of lead tables run as their owner, and look functions and operators up in this schema. Whoever can put one there, or has,
    -- would run as him.
    SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END INTO stranger
      FROM pg_catalog.pg_namespace AS n
      LEFT JOIN pg_catalog.pg_database AS b ON b.datname = current_database()
     CROSS JOIN LATERAL (
        SELECT n.nspowner AS grantee
         UNION ALL
        SELECT a.grantee FROM aclexplode(n.nspacl) AS a WHERE a.privilege_type = 'CREATE') AS g
     WHERE n.nspname = schema
       AND (g.grantee = 0 OR NOT pg_has_role(CASE pg_get_userbyid(g.grantee) WHEN 'pg_database_owner' THEN b.datdba ELSE g.grantee END, owner, 'MEMBER'))
     LIMIT 1;
    IF stranger IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" of lead tables is open to %', schema, stranger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Who may create objects there could run them as %s, the owner of the tables.', pg_get_userbyid(owner)),
                  HINT = format('Run REVOKE CREATE ON SCHEMA %I FROM %s, or let one role own schema and tables.', schema,
                      CASE stranger WHEN 'PUBLIC' THEN stranger ELSE quote_ident(stranger) END);
    END IF;
    SELECT pg_describe_object(d.classid, d.objid, 0) INTO planted
      FROM pg_catalog.pg_namespace AS n
      JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
      LEFT JOIN pg_catalog.pg_proc AS p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
      LEFT JOIN pg_catalog.pg_operator AS o ON d.classid = 'pg_catalog.pg_operator'::regclass AND o.oid = d.objid
     WHERE n.nspname = schema AND NOT pg_has_role(coalesce(p.proowner, o.oprowner), owner, 'MEMBER')
     LIMIT 1;
    IF planted IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" of lead tables has a % of somebody else', schema, planted
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It could be run as %s, the owner of the tables.', pg_get_userbyid(owner)),
                  HINT = 'Drop it, or let one role own what is in the schema.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_schema(name, oid) IS
    'internal: an error where somebody but the owner of lead tables can put functions into their schema, or has';

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
    PERFORM @extschema@.lead_phones_check_placement(schema);
    -- What is done to one of these tables runs as its owner: he must own all that it touches.
    SELECT string_agg(w.name, ', ') INTO foreign_table
      FROM unnest('{leads,campaigns,accounts,contacts,free_mail_domains,lead_uploads,lead_upload_problems,
                    lead_disqualifications,lead_disqualification_subjects,campaign_phone_counts,campaign_phone_disqualifications,
                    phone_suppressions,suppressed_phones,suppression_syncs,dispositions,calls,call_outcomes,lead_claims,call_rules,
                    account_disqualifications,contact_disqualifications,call_refusals,callable_leads,lead_reasons,lead_ledger}'::text[]) AS w (name)
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
    PERFORM @extschema@.lead_phones_check_schema(schema, (SELECT l.relowner FROM pg_catalog.pg_class AS l WHERE l.oid = leads));
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
    propagates constant text := current_setting('citus.enable_ddl_propagation', true);
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
                         'lead_disqualifications', 'lead_disqualification_subjects', 'suppression_syncs', 'lead_ledger', 'lead_reasons', 'callable_leads',
                         'account_disqualifications', 'contact_disqualifications', 'dispositions', 'calls', 'call_outcomes', 'lead_claims',
                         'call_rules', 'call_refusals',
                         'campaign_phone_counts', 'campaign_phone_disqualifications');
    IF existing IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" has relations of the names that lead tables need', schema
            USING ERRCODE = 'duplicate_table',
                  DETAIL = format('They are %s.', existing),
                  HINT = 'Create the lead tables in a schema of their own.';
    END IF;
    PERFORM @extschema@.lead_phones_check_schema(schema, (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user));
    -- pg_catalog comes first where it is not named; objects are created in the schema that is.
    PERFORM set_config('search_path', format('%I, pg_temp', schema), true);
    CREATE TABLE campaigns (
        campaign_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        region text NOT NULL DEFAULT 'US',
        created_at timestamptz NOT NULL DEFAULT now());

    CREATE TABLE free_mail_domains (domain text COLLATE "C" PRIMARY KEY CHECK (domain = lower(domain)));

    CREATE TABLE accounts (
        campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
        account_id bigint GENERATED BY DEFAULT AS IDENTITY,
        name text,
        name_key text COLLATE "C" GENERATED ALWAYS AS (@extschema@.lead_phones_company_key(name)) STORED,
        domain text COLLATE "C",
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (campaign_id, account_id));
    -- partial, so that the domain is no key: who gives an account its domain does not wait for those who add contacts to it
    CREATE UNIQUE INDEX accounts_domain_idx ON accounts (campaign_id, domain) WHERE domain IS NOT NULL;
    CREATE UNIQUE INDEX accounts_name_without_domain_idx ON accounts (campaign_id, name_key) WHERE domain IS NULL;
    CREATE INDEX accounts_name_idx ON accounts (campaign_id, name_key);

    CREATE TABLE contacts (
        campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
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
        FOREIGN KEY (campaign_id, account_id) REFERENCES accounts);
    CREATE INDEX contacts_account_idx ON contacts (campaign_id, account_id);

    CREATE TABLE lead_uploads (
        campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
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

    CREATE TABLE lead_upload_problems (
        campaign_id bigint NOT NULL,
        upload_id bigint NOT NULL,
        row_number bigint NOT NULL,
        column_name text NOT NULL,
        raw_value text,
        reason text NOT NULL,
        PRIMARY KEY (campaign_id, upload_id, row_number, column_name),
        FOREIGN KEY (campaign_id, upload_id) REFERENCES lead_uploads ON DELETE CASCADE);

    CREATE TABLE leads (
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
        FOREIGN KEY (campaign_id, contact_id) REFERENCES contacts ON DELETE CASCADE);
    CREATE INDEX leads_contact_idx ON leads (campaign_id, contact_id, lead_id);
    CREATE INDEX leads_lead_idx ON leads (lead_id);

    CREATE TABLE lead_disqualifications (
        entry bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        campaign_id bigint,
        account_id bigint,
        contact_id bigint,
        domain text COLLATE "C",
        source text NOT NULL,
        reason text,
        disqualified_by text NOT NULL,
        disqualified_at timestamptz NOT NULL,
        expires_at timestamptz,
        lifted_by text,
        lifted_at timestamptz,
        lift_reason text,
        CONSTRAINT lead_disqualifications_one_subject CHECK (num_nonnulls(account_id, contact_id, domain) = 1),
        CONSTRAINT lead_disqualifications_campaign CHECK (campaign_id IS NOT NULL OR domain IS NOT NULL));
    CREATE UNIQUE INDEX lead_disqualifications_account_idx ON lead_disqualifications (campaign_id, account_id, source)
        WHERE lifted_at IS NULL AND account_id IS NOT NULL;
    CREATE UNIQUE INDEX lead_disqualifications_contact_idx ON lead_disqualifications (campaign_id, contact_id, source)
        WHERE lifted_at IS NULL AND contact_id IS NOT NULL;
    CREATE INDEX lead_disqualifications_expires_at_idx ON lead_disqualifications (expires_at)
        WHERE lifted_at IS NULL AND expires_at IS NOT NULL;

    PERFORM @extschema@.track_lead_phones('contacts'::regclass, region_column => 'region', keep_extensions => true);
    CREATE TRIGGER lead_phones_split AFTER INSERT ON leads REFERENCING NEW TABLE AS new_leads
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_split();
    CREATE TRIGGER lead_phones_keep_uploaded BEFORE UPDATE ON leads FOR EACH ROW
        WHEN ((OLD.campaign_id, OLD.lead_id, OLD.email, OLD.name, OLD.title, OLD.company, OLD.website, OLD.phone, OLD.mobile)
              IS DISTINCT FROM
              (NEW.campaign_id, NEW.lead_id, NEW.email, NEW.name, NEW.title, NEW.company, NEW.website, NEW.phone, NEW.mobile))
        EXECUTE FUNCTION @extschema@.lead_phones_keep_uploaded();
    -- Citus would say of each view that it is not on the workers: neither are the tables, as yet.
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    END IF;
    PERFORM @extschema@.lead_phones_create_rules();
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        PERFORM set_config('citus.enable_ddl_propagation', propagates, true);
    END IF;
    COMMENT ON TABLE campaigns IS 'campaigns, and the region of numbers that are written without a country code in them';
    COMMENT ON TABLE free_mail_domains IS 'domains of e-mail providers and others that say nothing of a company; edit it as you need';
    COMMENT ON TABLE accounts IS 'companies: one row for each in a campaign';
    COMMENT ON COLUMN accounts.name_key IS 'the name as it is compared: its letters and digits, in lower case';
    COMMENT ON COLUMN accounts.domain IS 'the Internet domain that the company is known by';
    COMMENT ON TABLE contacts IS 'people: one row for each e-mail address in a campaign, or for a lead without one; tracked by lead_phones';
    COMMENT ON COLUMN contacts.region IS 'region of its numbers, where they are written without a country code';
    COMMENT ON TABLE leads IS 'what was uploaded, row by row, and which contact it is about';
    COMMENT ON COLUMN leads.contact_id IS 'the person; left NULL it is found, or made, by the e-mail address';
    COMMENT ON COLUMN leads.upload_id IS 'the upload that brought it, NULL for a lead that was inserted';
    COMMENT ON COLUMN leads.row_number IS 'its row in the file';
    COMMENT ON COLUMN leads.custom IS 'columns of the file that mean nothing to lead_phones';
    COMMENT ON TABLE lead_uploads IS 'receipts of uploads';
    COMMENT ON COLUMN lead_uploads.columns IS 'which column of the file was taken for which';
    COMMENT ON COLUMN lead_uploads.created IS 'rows that brought a new contact';
    COMMENT ON COLUMN lead_uploads.updated IS 'rows whose e-mail address was in the campaign already';
    COMMENT ON COLUMN lead_uploads.duplicates_in_file IS 'rows whose e-mail address came in an earlier row of the file';
    COMMENT ON COLUMN lead_uploads.refused IS 'rows that say nothing, and were left out';
    COMMENT ON COLUMN lead_uploads.disqualified_on_arrival IS 'rows with a number of which none may be called';
    COMMENT ON TABLE lead_upload_problems IS 'values of uploads that could not be used, and why';
    COMMENT ON TABLE lead_disqualifications IS 'ledger of disqualified accounts and contacts, and suppressed domains';
    COMMENT ON COLUMN lead_disqualifications.campaign_id IS 'NULL for all campaigns';
END
$function$;
COMMENT ON FUNCTION @extschema@.create_lead_tables(name) IS
    'creates tables of campaigns, accounts, contacts, leads, uploads and calls in a schema, and tracks the numbers of the contacts. Example: SELECT create_lead_tables(''crm'')';

CREATE FUNCTION @extschema@.lead_phones_create_rules() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    -- What version 0.3.0 added to the lead tables of 0.2.0: new ones get it here as well.
    CREATE UNIQUE INDEX contacts_email_idx ON contacts (campaign_id, @extschema@.lead_phones_email_key(email));
    CREATE UNIQUE INDEX lead_disqualifications_domain_idx ON lead_disqualifications (domain, source)
        WHERE lifted_at IS NULL AND domain IS NOT NULL AND campaign_id IS NULL;
    CREATE UNIQUE INDEX lead_disqualifications_campaign_domain_idx ON lead_disqualifications (campaign_id, domain, source)
        WHERE lifted_at IS NULL AND domain IS NOT NULL;
    CREATE TABLE lead_disqualification_subjects (
        subject text COLLATE "C" NOT NULL,
        entry bigint NOT NULL REFERENCES lead_disqualifications ON DELETE CASCADE,
        PRIMARY KEY (subject, entry));
    CREATE INDEX lead_disqualification_subjects_entry_idx ON lead_disqualification_subjects (entry);
    CREATE TABLE suppression_syncs (
        sync bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        source text NOT NULL,
        list text NOT NULL,
        synced_by text NOT NULL,
        synced_at timestamptz NOT NULL,
        added bigint NOT NULL,
        kept bigint NOT NULL,
        lifted bigint NOT NULL,
        invalid bigint NOT NULL);
    COMMENT ON TABLE suppression_syncs IS 'receipts of lists that were taken over: when, by whom, and what changed';
    COMMENT ON TABLE lead_disqualification_subjects IS 'whom an entry of lead_disqualifications holds for: it means people and companies, and outlives their rows';
    COMMENT ON COLUMN lead_disqualification_subjects.subject IS 'account, contact, company, domain, email or person, and which';
    INSERT INTO free_mail_domains (domain)
    SELECT unnest('{gmail.com,googlemail.com,yahoo.com,yahoo.co.uk,yahoo.ca,yahoo.fr,yahoo.de,yahoo.co.in,yahoo.com.br,ymail.com,
        rocketmail.com,hotmail.com,hotmail.co.uk,hotmail.fr,hotmail.de,outlook.com,outlook.de,outlook.fr,live.com,live.co.uk,msn.com,
        aol.com,aim.com,icloud.com,me.com,mac.com,proton.me,protonmail.com,pm.me,gmx.com,gmx.de,gmx.net,gmx.at,gmx.ch,web.de,
        t-online.de,freenet.de,mail.com,mail.ru,bk.ru,inbox.ru,list.ru,yandex.ru,yandex.com,qq.com,163.com,126.com,sina.com,foxmail.com,
        naver.com,hanmail.net,daum.net,orange.fr,wanadoo.fr,free.fr,laposte.net,sfr.fr,libero.it,virgilio.it,tiscali.it,alice.it,
        uol.com.br,bol.com.br,terra.com.br,rediffmail.com,zoho.com,fastmail.com,hey.com,tutanota.com,tuta.io,comcast.net,xfinity.com,
        verizon.net,att.net,sbcglobal.net,bellsouth.net,cox.net,charter.net,spectrum.net,earthlink.net,juno.com,optonline.net,
        btinternet.com,sky.com,virginmedia.com,ntlworld.com,talktalk.net,rogers.com,shaw.ca,sympatico.ca,telus.net,bigpond.com,
        optusnet.com.au,seznam.cz,wp.pl,o2.pl,onet.pl,interia.pl,ukr.net,telenet.be,skynet.be,ziggo.nl,kpnmail.nl,planet.nl,bluewin.ch,
        facebook.com,fb.com,instagram.com,linkedin.com,lnkd.in,twitter.com,x.com,t.co,youtube.com,youtu.be,tiktok.com,pinterest.com,pin.it,snapchat.com,
        threads.net,bsky.app,mastodon.social,reddit.com,vk.com,ok.ru,weibo.com,xing.com,whatsapp.com,wa.me,t.me,telegram.me,telegram.org,line.me,skype.com,
        discord.com,discord.gg,medium.com,substack.com,tumblr.com,quora.com,github.com,gitlab.com,yelp.com,tripadvisor.com,google.com,goo.gl,g.page,g.co,bing.com,
        apple.com,apps.apple.com,wikipedia.org,crunchbase.com,angel.co,glassdoor.com,indeed.com,zoominfo.com,calendly.com,eventbrite.com,meetup.com,etsy.com,
        ebay.com,amazon.com,bit.ly,tinyurl.com,ow.ly,buff.ly,is.gd,rebrand.ly,lnk.bio,linktr.ee,beacons.ai,about.me,carrd.co,wixsite.com,wordpress.com,
        blogspot.com,weebly.com,squarespace.com,godaddysites.com,webflow.io,notion.site,sites.google.com,herokuapp.com,netlify.app,vercel.app,github.io}'::text[])
    ON CONFLICT DO NOTHING;
    CREATE TRIGGER lead_phones_keep_out_insert AFTER INSERT ON contacts REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_keep_out_update AFTER UPDATE ON contacts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_keep_out_delete AFTER DELETE ON contacts REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_keep_out_truncate BEFORE TRUNCATE ON contacts
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    CREATE TRIGGER lead_phones_write_domain BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW
        WHEN (NEW.domain IS NOT NULL) EXECUTE FUNCTION @extschema@.lead_phones_write_domain();
    CREATE TRIGGER lead_phones_keep_out_before BEFORE UPDATE OR DELETE ON accounts
        FOR EACH ROW EXECUTE FUNCTION @extschema@.lead_phones_keep_out_before();
    CREATE TRIGGER lead_phones_keep_out_update AFTER UPDATE ON accounts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.lead_phones_keep_out();
    PERFORM @extschema@.lead_phones_create_calls();
    PERFORM @extschema@.lead_phones_create_call_views();
    PERFORM @extschema@.lead_phones_create_views();
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_rules() IS 'internal: creates what keeps those out who are: the indexes, triggers and views of lead tables';

CREATE FUNCTION @extschema@.lead_phones_known_campaign(campaign bigint, otherwise text) RETURNS void
    STABLE LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM campaigns AS c WHERE c.campaign_id = campaign) THEN
        RAISE EXCEPTION 'campaign % does not exist', campaign
            USING ERRCODE = otherwise, DETAIL = format('Table "%I.campaigns" has no such campaign_id.', current_schema()),
                  HINT = 'Insert the campaign before its leads.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_known_campaign(bigint, text) IS
    'internal: raises an error by a name of its SQLSTATE unless the campaign exists';

CREATE FUNCTION @extschema@.lead_phones_create_views() RETURNS void
    VOLATILE LANGUAGE plpgsql
AS $function$
BEGIN
    CREATE OR REPLACE VIEW lead_ledger AS
    SELECT 'phone'::text AS kind, d.campaign_id, d.phone::text AS subject, d.source, d.reason, d.disqualified_by, d.disqualified_at,
           d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now()) AS stands
      FROM campaign_phone_disqualifications AS d
     UNION ALL
    -- of a number that is known by its hash, the start of that
    SELECT 'phone', NULL, CASE WHEN s.number > 0 THEN '+' || s.number ELSE 'sha256 ' || lpad(to_hex(~s.number >> 3), 15, '0') END, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at, coalesce(s.lifted_by, d.lifted_by),
           coalesce(s.lifted_at, d.lifted_at), coalesce(s.lift_reason, d.lift_reason), s.lifted_at IS NULL AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
      FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
     UNION ALL
    SELECT CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact' ELSE 'domain' END,
           d.campaign_id, coalesce(d.account_id::text, d.contact_id::text, d.domain), d.source, d.reason,
           d.disqualified_by, d.disqualified_at, d.expires_at, d.lifted_by, d.lifted_at, d.lift_reason, d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
      FROM lead_disqualifications AS d;

    -- What blocks a company, and what blocks a person or a number, is here and nowhere else. An entry stands until it is lifted, or past its
    -- time; the marks of contacts follow when they are brought in line.
    CREATE OR REPLACE VIEW account_disqualifications AS
    SELECT a.campaign_id, a.account_id, d.entry, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
      FROM accounts AS a
     CROSS JOIN LATERAL (
        SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k
         WHERE k.subject = ANY (@extschema@.lead_phones_subjects(a.campaign_id, NULL::bigint, NULL, NULL, NULL, NULL, a.account_id, a.name_key, a.domain))) AS k
      JOIN lead_disqualifications AS d ON d.entry = k.entry AND (d.campaign_id IS NULL OR d.campaign_id = a.campaign_id) AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now());

    CREATE OR REPLACE VIEW contact_disqualifications AS
    SELECT c.campaign_id, c.contact_id, 'lead'::text AS blocks,
           CASE WHEN d.account_id IS NOT NULL THEN 'account' WHEN d.contact_id IS NOT NULL THEN 'contact' ELSE 'domain' END AS kind,
           coalesce(d.account_id::text, d.contact_id::text, d.domain) AS subject, d.campaign_id AS in_campaign, d.entry, d.source, d.reason,
           d.disqualified_by, d.disqualified_at, d.expires_at
      FROM contacts AS c
      LEFT JOIN accounts AS a ON a.campaign_id = c.campaign_id AND a.account_id = c.account_id
     CROSS JOIN LATERAL (
        SELECT DISTINCT k.entry FROM lead_disqualification_subjects AS k
         WHERE k.subject = ANY (@extschema@.lead_phones_subjects(c.campaign_id, c.contact_id, c.email, c.name,
            @extschema@.try_normalize_phone(c.phone, c.region), @extschema@.try_normalize_phone(c.mobile, c.region), a.account_id, a.name_key, a.domain))) AS k
      JOIN lead_disqualifications AS d ON d.entry = k.entry AND (d.campaign_id IS NULL OR d.campaign_id = c.campaign_id) AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
     UNION ALL
    SELECT c.campaign_id, c.contact_id, n.blocks, 'phone', n.number::text, d.campaign_id, NULL, d.source, d.reason, d.disqualified_by, d.disqualified_at,
           d.expires_at
      FROM contacts AS c
     CROSS JOIN LATERAL (VALUES ('phone', @extschema@.try_normalize_phone(c.phone, c.region), c.phone_disqualified),
                                ('mobile', @extschema@.try_normalize_phone(c.mobile, c.region), c.mobile_disqualified)) AS n (blocks, number, is_marked)
     CROSS JOIN LATERAL (
        SELECT d.campaign_id, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
          FROM campaign_phone_disqualifications AS d
         WHERE d.campaign_id = c.campaign_id AND d.phone = n.number AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
         UNION ALL
        SELECT NULL, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at
          FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
         WHERE s.number = ANY (@extschema@.lead_phones_keys(n.number)) AND s.lifted_at IS NULL AND d.lifted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now())
         UNION ALL
        -- The mark of an entry that was made since this transaction began to read: out, where it is not one that has expired.
        SELECT c.campaign_id, NULL, 'it is marked, by an entry that this transaction does not see', NULL, NULL, NULL
         WHERE n.is_marked AND n.number IS NOT NULL
           AND NOT EXISTS (SELECT FROM campaign_phone_disqualifications AS d
                            WHERE d.campaign_id = c.campaign_id AND d.phone = n.number AND d.lifted_at IS NULL)
           AND NOT EXISTS (SELECT FROM suppressed_phones AS s JOIN phone_suppressions AS d ON d.entry = s.entry
                            WHERE s.number = ANY (@extschema@.lead_phones_keys(n.number)) AND s.lifted_at IS NULL AND d.lifted_at IS NULL)) AS d;

    CREATE OR REPLACE VIEW callable_leads AS
    SELECT l.campaign_id, l.lead_id, l.contact_id, c.account_id, l.upload_id, c.email, c.name, c.title, n.phone, n.mobile,
           CASE WHEN n.phone IS NOT NULL THEN c.phone_extension END AS phone_extension,
           CASE WHEN n.mobile IS NOT NULL THEN c.mobile_extension END AS mobile_extension
      FROM leads AS l
      JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(d.blocks = 'lead'), false) AS lead, coalesce(bool_or(d.blocks = 'phone'), false) AS phone,
               coalesce(bool_or(d.blocks = 'mobile'), false) AS mobile
          FROM (SELECT d.blocks FROM contact_disqualifications AS d WHERE d.campaign_id = c.campaign_id AND d.contact_id = c.contact_id
                 UNION ALL
                SELECT r.blocks FROM call_refusals AS r WHERE r.campaign_id = c.campaign_id AND r.contact_id = c.contact_id) AS d) AS is_out
     CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT is_out.phone THEN @extschema@.try_normalize_phone(c.phone, c.region) END AS phone,
               CASE WHEN NOT is_out.mobile THEN @extschema@.try_normalize_phone(c.mobile, c.region) END AS mobile) AS n
     WHERE (n.phone IS NOT NULL OR n.mobile IS NOT NULL) AND NOT is_out.lead
       AND NOT EXISTS (SELECT FROM leads AS earlier
                        WHERE earlier.campaign_id = l.campaign_id AND earlier.contact_id = l.contact_id AND earlier.lead_id < l.lead_id);

    -- "leads" of a call are those of this schema, by the name that it has when it is asked: what lifts an entry is to be pasted.
    CREATE OR REPLACE VIEW lead_reasons AS
    SELECT l.lead_id, l.campaign_id, d.blocks, d.kind, d.subject, d.source, d.reason, d.disqualified_by, d.disqualified_at, d.expires_at,
           CASE WHEN d.source IS NOT NULL THEN format(CASE
               WHEN d.kind = 'phone' AND d.in_campaign IS NOT NULL THEN
                   'CALL @extschema@.requalify_phone(%1$s, %2$L, source => %3$L, leads => %4$L)'
               WHEN d.kind = 'phone' THEN 'CALL @extschema@.unsuppress_phones(ARRAY[%2$L], source => %3$L, leads => %4$L)'
               WHEN d.kind = 'domain' AND d.in_campaign IS NOT NULL THEN
                   'CALL @extschema@.unsuppress_domains(ARRAY[%2$L], campaign => %1$s, source => %3$L, leads => %4$L)'
               WHEN d.kind = 'domain' THEN 'CALL @extschema@.unsuppress_domains(ARRAY[%2$L], source => %3$L, leads => %4$L)'
               WHEN d.kind = 'account' THEN 'CALL @extschema@.requalify_account(%1$s, %2$s, source => %3$L, leads => %4$L)'
               ELSE 'CALL @extschema@.requalify_contact(%1$s, %2$s, source => %3$L, leads => %4$L)' END,
               d.in_campaign, d.subject, d.source, @extschema@.lead_phones_table_name('leads'::regclass)) END AS lift
      FROM leads AS l
     CROSS JOIN LATERAL (
        SELECT d.* FROM contact_disqualifications AS d WHERE d.campaign_id = l.campaign_id AND d.contact_id = l.contact_id OFFSET 0) AS d
     UNION ALL
    -- corrected, an outcome no longer holds; a call is ended
    SELECT l.lead_id, l.campaign_id, r.blocks, r.kind, r.number, r.source, r.reason, r.by_whom, r.since, r.until,
           CASE WHEN r.call_id IS NOT NULL THEN format('CALL @extschema@.end_call(%s, %L, leads => %L)', r.call_id,
                    (SELECT min(d.name) FROM dispositions AS d WHERE d.disqualifies IS NULL AND d.rests IS NULL AND NOT d.calls_back),
                    @extschema@.lead_phones_table_name('leads'::regclass))
                WHEN r.kind = 'hours' AND r.until IS NULL THEN format('UPDATE %s SET time_zone = ... WHERE campaign_id = %s AND contact_id = %s',
                    @extschema@.lead_phones_table_name('contacts'::regclass), r.campaign_id, r.contact_id)
                ELSE format('UPDATE %s SET is_on = false WHERE rule = %s', @extschema@.lead_phones_table_name('call_rules'::regclass), r.rule) END
      FROM leads AS l
     CROSS JOIN LATERAL (
        SELECT r.* FROM call_refusals AS r WHERE r.campaign_id = l.campaign_id AND r.contact_id = l.contact_id OFFSET 0) AS r
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'number', NULL, NULL, 'there is no valid number', NULL, NULL, NULL,
           format('UPDATE %s SET phone = ... WHERE campaign_id = %s AND contact_id = %s', @extschema@.lead_phones_table_name('contacts'::regclass),
               c.campaign_id, c.contact_id)
      FROM leads AS l
      JOIN contacts AS c ON c.campaign_id = l.campaign_id AND c.contact_id = l.contact_id
     WHERE @extschema@.try_normalize_phone(c.phone, c.region) IS NULL AND @extschema@.try_normalize_phone(c.mobile, c.region) IS NULL
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'repeat', e.lead_id::text, NULL, 'the same person is called by an earlier lead',
           NULL, NULL, NULL, NULL
      FROM leads AS l
     CROSS JOIN LATERAL (SELECT e.lead_id FROM leads AS e
                          WHERE e.campaign_id = l.campaign_id AND e.contact_id = l.contact_id AND e.lead_id < l.lead_id
                          ORDER BY e.lead_id LIMIT 1) AS e
     UNION ALL
    SELECT l.lead_id, l.campaign_id, 'lead', 'contact', NULL, NULL, 'it was written while triggers were disabled, and has no contact',
           NULL, NULL, NULL,
           format('SELECT @extschema@.lead_phones_upload_step(%L::regclass, ''split_late'', ''{"campaign": %s, "lead": %s}''::jsonb)',
               @extschema@.lead_phones_table_name('leads'::regclass), l.campaign_id, l.lead_id)
      FROM leads AS l WHERE l.contact_id IS NULL;

    COMMENT ON VIEW account_disqualifications IS 'every entry that keeps the people of an account from being called';
    COMMENT ON VIEW contact_disqualifications IS 'every entry that keeps a contact, or one of its numbers, from being called';
    COMMENT ON VIEW lead_ledger IS 'all disqualifications and suppressions, of numbers too, that stand or stood';
    COMMENT ON VIEW lead_reasons IS 'every reason why a lead may not be called now';
    COMMENT ON VIEW callable_leads IS 'the leads that may be called now, and by which numbers; each person once';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_create_views() IS 'internal: creates the views of lead tables';

CREATE FUNCTION @extschema@.lead_phones_reasons_of(leads regclass, lead bigint, campaign bigint) RETURNS jsonb
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_reasons_of_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_reasons_of(regclass, bigint, bigint) IS
    'internal: the rows of lead_reasons for a lead, and its campaign';

CREATE FUNCTION @extschema@.lead_status(
    lead bigint, leads regclass DEFAULT @extschema@.lead_phones_visible_leads(), campaign bigint DEFAULT NULL)
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
    answer jsonb;
    campaigns bigint;
BEGIN
    IF leads IS NULL THEN
        PERFORM @extschema@.lead_phones_model(leads);
    END IF;
    IF lead IS NULL THEN
        RAISE EXCEPTION 'lead must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Name its lead_id.';
    END IF;
    answer := @extschema@.lead_phones_reasons_of(leads, lead, campaign);
    campaigns := coalesce(jsonb_array_length(nullif(answer -> 'campaigns', 'null')), 0);
    IF campaigns = 0 THEN
        RAISE EXCEPTION 'lead % does not exist', lead
            USING ERRCODE = 'no_data_found', DETAIL = format('Table "%I.leads" has no such lead_id%s.', @extschema@.lead_phones_model(leads), ' in campaign ' || campaign),
                  HINT = 'Name the lead_id of a lead.';
    ELSIF campaigns > 1 THEN
        RAISE EXCEPTION 'there is a lead % in % campaigns', lead, campaigns
            USING ERRCODE = 'cardinality_violation', DETAIL = format('They are %s.', answer -> 'campaigns'),
                  HINT = format('Name the campaign, as in lead_status(%s, campaign => %s).', lead, answer -> 'campaigns' -> 0);
    END IF;
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(coalesce(nullif(answer -> 'reasons', 'null'), '[]')) AS r (
        blocks text, kind text, subject text, source text, reason text, disqualified_by text, disqualified_at timestamptz,
        expires_at timestamptz, lift text);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_status(bigint, regclass, bigint) IS
    'every reason why a lead, or one of its numbers, may not be called; none when it may be. Example: SELECT blocks, kind, reason, lift FROM lead_status(1)';
