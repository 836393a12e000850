-- By what people and companies are known: addresses, domains, names.

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
