-- What a table must be to be tracked, and to whom tables beside it belong.

CREATE FUNCTION @extschema@.lead_phones_note(relation regclass, purpose text, leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- Of which table it is: under whichever names both go, and wherever they are restored, it is taken up again, and by no other.
    EXECUTE format('COMMENT ON TABLE %s IS %L', relation, format('%s [%s of %s, %s/%s/%s]', CASE purpose
            WHEN 'counts' THEN 'every unique phone number of each campaign, kept by the triggers of lead_phones'
            WHEN 'disqualifications' THEN 'ledger of disqualified and requalified phone numbers; nothing is ever deleted from it'
            WHEN 'suppressions' THEN 'ledger of numbers that are disqualified in every campaign: what was said of them, by one call'
            ELSE 'ledger of numbers that are disqualified in every campaign; nothing is ever deleted from it' END,
        purpose, @extschema@.lead_phones_table_name(leads), leads::oid,
        (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()), (SELECT s.system_identifier FROM pg_control_system() AS s)));
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_note(regclass, text, regclass) IS
    'internal: says in the comment on counts or a ledger of which table it is';

CREATE FUNCTION @extschema@.lead_phones_of(relation regclass, OUT leads regclass, OUT purpose text, OUT leads_name text)
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    parts constant text[] := regexp_match(obj_description(relation, 'pg_class'), '\[(counts|disqualifications|suppressions|suppressed) of (.*), (\d+)/(\d+)/(\d+)\]$');
    names text[];
BEGIN
    purpose := parts[1];
    leads_name := parts[2];
    IF parts[4] = (SELECT d.oid::text FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
       AND parts[5] = (SELECT s.system_identifier::text FROM pg_control_system() AS s) THEN
        leads := (SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.oid::text = parts[3]);
        RETURN;
    END IF;
    -- Of a database that was restored, the name is left.
    names := parse_ident(parts[2]);
    leads := (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = names[1] AND c.relname = names[2]);
EXCEPTION WHEN invalid_parameter_value THEN
    -- a comment of somebody's own
    leads := NULL;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_of(regclass) IS
    'internal: the table of which counts or a ledger is, as its comment says, and as it was called; NULL where that is gone, or it does not say';

CREATE FUNCTION @extschema@.lead_phones_own(leads regclass, wanted text) RETURNS regclass
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT c.oid::regclass FROM pg_catalog.pg_description AS d
          JOIN pg_catalog.pg_class AS c ON c.oid = d.objoid AND c.relkind IN ('r', 'p')
          JOIN pg_catalog.pg_class AS l ON l.oid = lead_phones_own.leads AND l.relowner = c.relowner
         CROSS JOIN LATERAL @extschema@.lead_phones_of(c.oid::regclass) AS o
         WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0 AND d.description LIKE '%]' AND strpos(d.description, format('[%s of ', wanted)) > 0
           AND o.leads = lead_phones_own.leads AND o.purpose = wanted
         ORDER BY c.oid LIMIT 1);
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_own(regclass, text) IS
    'internal: the counts or a ledger that an earlier tracking of a table has left';

CREATE FUNCTION @extschema@.lead_phones_check_column(leads regclass, column_name name, parameter text, wanted text)
    RETURNS pg_attribute
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_kept constant boolean := wanted IN ('mark', 'extension', 'e164');
    attribute pg_catalog.pg_attribute;
    base oid;
    modifier integer;
BEGIN
    SELECT * INTO attribute FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = leads AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table "%" has no column "%"', leads, column_name
            USING ERRCODE = 'undefined_column',
                  DETAIL = format('The column is named by %s.', parameter),
                  HINT = format('Name one of its columns with %s => ''%s'': %s.', parameter, CASE parameter WHEN 'phone_columns' THEN '{...}' ELSE '...' END,
                      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                         FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = leads AND a.attnum > 0 AND NOT a.attisdropped));
    END IF;
    SELECT b.base_type, b.type_modifier INTO base, modifier
      FROM @extschema@.lead_phones_base_type(attribute.atttypid, attribute.atttypmod) AS b;
    IF (CASE wanted
           WHEN 'mark' THEN base <> 'bool'::regtype
           WHEN 'extension' THEN base <> 'text'::regtype
           WHEN 'e164' THEN attribute.atttypid <> '@extschema@.e164'::regtype
           WHEN 'reference' THEN false
           ELSE @extschema@.lead_phones_admits(base, wanted) IS NOT TRUE END) THEN
        RAISE EXCEPTION 'column "%" of table "%" is of type %', column_name, leads,
                format_type(attribute.atttypid, attribute.atttypmod)
            USING ERRCODE = CASE WHEN is_kept THEN 'duplicate_column' ELSE 'datatype_mismatch' END,
                  DETAIL = format(CASE WHEN is_kept THEN 'A column of that name is kept beside a column of numbers; it must be of %2$s.'
                      ELSE 'The column named by %1$s must be of %2$s, or of a domain over such a type.' END, parameter, CASE wanted
                      WHEN 'campaign' THEN 'a type with an order of its own, by a default B-tree operator class: no array, no composite type'
                      WHEN 'text' THEN 'a type of text'
                      WHEN 'number' THEN 'a type of text, or of numbers of 15 digits'
                      WHEN 'mark' THEN 'type boolean'
                      WHEN 'extension' THEN 'type text'
                      ELSE 'type e164' END),
                  HINT = CASE WHEN wanted = 'text' AND parameter = 'phone_columns' AND @extschema@.lead_phones_admits(base, 'number')
                      THEN 'Use in_place => false: the column stays as it is, and the number goes beside it.'
                      WHEN is_kept THEN 'Rename it.'
                      ELSE format('Change its type, or name another column with %s.', parameter) END;
    END IF;
    IF attribute.attgenerated <> '' THEN
        RAISE EXCEPTION 'column "%" of table "%" is generated', column_name, leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'The triggers of lead_phones must be able to write it, or to see it before the row is written.',
                  HINT = format('Name a column that is written, such as the one it is generated from, with %s.', parameter);
    END IF;
    -- "+" and 15 digits; a length counts 4 bytes of header in the modifier
    IF wanted = 'text' AND parameter = 'phone_columns' AND modifier - 4 BETWEEN 0 AND 15 THEN
        RAISE EXCEPTION 'column "%" of table "%" is too short for a phone number', column_name, leads
            USING ERRCODE = 'string_data_right_truncation',
                  DETAIL = format('It is of type %s; a number in E.164 has up to 16 characters.',
                      format_type(attribute.atttypid, attribute.atttypmod)),
                  HINT = format('Use in_place => false, which leaves the column as it is, or run ALTER TABLE %s ALTER COLUMN %I TYPE text.', leads, column_name);
    END IF;
    IF parameter = 'phone_columns' AND wanted IN ('text', 'number') AND octet_length(column_name::text || '_disqualified') > 63 THEN
        RAISE EXCEPTION 'the name of column "%" of table "%" is too long', column_name, leads
            USING ERRCODE = 'name_too_long',
                  DETAIL = 'A second column is named after it, with _disqualified at the end.',
                  HINT = 'Rename it to at most 50 bytes.';
    END IF;
    IF wanted = 'campaign'
       AND EXISTS (SELECT FROM pg_catalog.pg_collation AS c
                    WHERE c.oid = attribute.attcollation AND NOT c.collisdeterministic) THEN
        RAISE EXCEPTION 'column "%" of table "%" has a nondeterministic collation', column_name, leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Campaigns are told apart by their bytes.',
                  HINT = 'Give the column a deterministic collation.';
    END IF;
    RETURN attribute;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_column(regclass, name, text, text) IS
    'internal: an error where a column cannot serve as campaign, number (text where it is written, else number), region (text) or what is kept beside';

CREATE FUNCTION @extschema@.lead_phones_check_names(leads regclass, campaign_column name, phone_columns name[], in_place boolean, keep_extensions boolean)
    RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    of_counts constant name[] := '{phone,lead_count,disqualified,entry,source,reason,disqualified_by,disqualified_at,expires_at,lifted_by,lifted_at,lift_reason}';
    taken record;
BEGIN
    IF campaign_column = ANY (phone_columns) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be the campaign and a number', campaign_column, leads
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Numbers are written in E.164, and would be other campaigns then.',
                  HINT = 'Leave it out of phone_columns, or use campaign_column => NULL.';
    END IF;
    IF campaign_column = ANY (of_counts) OR EXISTS (SELECT FROM unnest(phone_columns) AS n WHERE n || '_count' = campaign_column) THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be the campaign', campaign_column, leads
            USING ERRCODE = 'duplicate_column',
                  DETAIL = 'Counts and ledger have the campaign under its name, beside a column of their own that is called so.',
                  HINT = 'Give the column another name.';
    END IF;
    SELECT n.name, k.column_name INTO taken FROM unnest(phone_columns) AS n (name)
     CROSS JOIN LATERAL (
        SELECT k.column_name FROM @extschema@.lead_phones_kept_columns(n.name, in_place, keep_extensions) AS k
         WHERE k.column_name = ANY (phone_columns || campaign_column)
         UNION ALL SELECT n.name || '_count' WHERE n.name || '_count' = ANY (of_counts)) AS k
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" cannot be tracked', taken.name, leads
            USING ERRCODE = 'duplicate_column',
                  DETAIL = format('A column "%s" would be kept for it, and there is one of that name with another meaning.', taken.column_name),
                  HINT = 'Give one of them another name.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_names(regclass, name, name[], boolean, boolean) IS
    'internal: an error where names of columns of a table and of what is kept for them are the same';

CREATE FUNCTION @extschema@.lead_phones_check_table(leads regclass) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    class pg_catalog.pg_class;
    kind text;
    hint constant text := 'Track the table that holds the leads.';
BEGIN
    SELECT * INTO class FROM pg_catalog.pg_class AS c WHERE c.oid = leads;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table with OID % does not exist', leads::oid USING ERRCODE = 'undefined_table', HINT = hint;
    END IF;
    kind := CASE
        WHEN class.relkind = 'v' THEN 'a view'
        WHEN class.relkind = 'm' THEN 'a materialized view'
        WHEN class.relkind = 'f' THEN 'a foreign table'
        WHEN class.relkind = 'S' THEN 'a sequence'
        WHEN class.relkind = 'c' THEN 'a composite type'
        WHEN class.relkind IN ('i', 'I') THEN 'an index'
        WHEN class.relkind = 't' THEN 'a TOAST table'
        WHEN class.relpersistence = 't' THEN 'a temporary table'
        WHEN class.relpersistence = 'u' THEN 'an unlogged table'
    END;
    IF kind IS NOT NULL THEN
        RAISE EXCEPTION 'cannot track "%": it is %', leads, kind
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = CASE class.relpersistence WHEN 'u' THEN 'After a crash its leads would be gone, and their counts would not.'
                      ELSE 'Only tables can be tracked.' END,
                  HINT = CASE class.relpersistence WHEN 'u' THEN format('Run ALTER TABLE %s SET LOGGED before.', leads) ELSE hint END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = leads) THEN
        RAISE EXCEPTION 'cannot track "%": it is %', leads,
                CASE WHEN class.relispartition THEN 'a partition' ELSE 'a table that inherits from another' END
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'Writes to the table above it would not be counted.',
                  HINT = format('Track %s: that covers every table below it.',
                      (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                         FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = leads));
    END IF;
    IF NOT pg_has_role(class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table "%"', leads
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Tracking, recounting and backfilling write to the table and its triggers.',
                  HINT = 'Let its owner or a superuser do it.';
    END IF;
    IF NOT has_schema_privilege(class.relowner, '@extschema@'::regnamespace::oid, 'USAGE') THEN
        RAISE EXCEPTION 'the owner of table "%", "%", may not use schema "%"', leads, class.relowner::regrole, '@extschema@'::regnamespace
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'The functions of lead_phones are there, and what they do for the table runs as its owner.',
                  HINT = format('Run GRANT USAGE ON SCHEMA %s TO %s.', '@extschema@'::regnamespace, class.relowner::regrole);
    END IF;
    IF (SELECT o.purpose FROM @extschema@.lead_phones_of(leads) AS o) IS NOT NULL
       OR EXISTS (SELECT FROM @extschema@.lead_phone_tables AS t WHERE lead_phones_check_table.leads IN (t.counts, t.disqualifications, t.suppressions, t.suppressed)) THEN
        RAISE EXCEPTION 'table "%" is kept by lead_phones, and cannot be tracked', leads
            USING ERRCODE = 'wrong_object_type', DETAIL = 'It holds the counts, or a ledger, of a leads table.', HINT = hint;
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_table(regclass) IS
    'internal: an error where a relation cannot be tracked';

CREATE FUNCTION @extschema@.lead_phones_check_isolation() RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'leads cannot be counted at isolation level %', current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state',
                  DETAIL = 'The snapshot of the transaction may miss leads that are committed.',
                  HINT = 'Run it at READ COMMITTED, as in BEGIN ISOLATION LEVEL READ COMMITTED.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_isolation() IS
    'internal: an error where the transaction cannot see every committed lead';
