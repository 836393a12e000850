-- Numbers: the domain, and what is asked of one number.

CREATE DOMAIN @extschema@.e164 AS text COLLATE "C"
    CONSTRAINT e164_shape CHECK (VALUE OPERATOR(pg_catalog.~) '^\+[1-9][0-9]{1,14}$');
COMMENT ON DOMAIN @extschema@.e164 IS
    'a phone number in E.164: + and 2 to 15 digits, the first not 0. It checks the shape, not whether the number is valid. Example: SELECT ''+16789998212''::e164';

CREATE FUNCTION @extschema@.normalize_phone(raw text, region text DEFAULT 'US') RETURNS @extschema@.e164
    IMMUTABLE STRICT PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'normalize_phone_wrapper';
COMMENT ON FUNCTION @extschema@.normalize_phone(text, text) IS
    'the valid number that a text spells, in E.164; an error (22023) where there is none. Example: SELECT normalize_phone(''(678) 999-8212'')';

CREATE FUNCTION @extschema@.try_normalize_phone(raw text, region text DEFAULT 'US') RETURNS @extschema@.e164
    IMMUTABLE STRICT PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'try_normalize_phone_wrapper';
COMMENT ON FUNCTION @extschema@.try_normalize_phone(text, text) IS
    'the valid number that a text spells, in E.164; NULL where there is none. Example: SELECT try_normalize_phone(''020 7946 0018'', ''GB'')';

-- Not STRICT: NULL means "valid" here, so that a number whose region is NULL must not give NULL.
CREATE FUNCTION @extschema@.phone_problem(raw text, region text DEFAULT 'US') RETURNS text
    IMMUTABLE PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_problem_wrapper';
COMMENT ON FUNCTION @extschema@.phone_problem(text, text) IS
    'why a text is not a valid phone number, as a code; NULL where it is one. Example: SELECT phone_problem(''678 999 821'')';

CREATE FUNCTION @extschema@.phone_extension(raw text, region text DEFAULT 'US') RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 5
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_extension_wrapper';
COMMENT ON FUNCTION @extschema@.phone_extension(text, text) IS
    'the extension beside the number that a text spells, for which E.164 has no room; NULL where there is none. Example: SELECT phone_extension(''678 999 8212 ext. 5'')';

CREATE FUNCTION @extschema@.phone_info(raw text, region text DEFAULT 'US') RETURNS jsonb
    IMMUTABLE STRICT PARALLEL SAFE COST 120
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_info_wrapper';
COMMENT ON FUNCTION @extschema@.phone_info(text, text) IS
    'everything known of the number that a text spells. Example: SELECT phone_info(''678 999 8212'')';

CREATE FUNCTION @extschema@.format_phone(phone @extschema@.e164, style text DEFAULT 'international') RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 30
    LANGUAGE c AS 'MODULE_PATHNAME', 'format_phone_wrapper';
COMMENT ON FUNCTION @extschema@.format_phone(@extschema@.e164, text) IS
    'a number as people write it: e164, international, national or rfc3966. Example: SELECT format_phone(''+16789998212'', ''national'')';

CREATE FUNCTION @extschema@.phone_region(phone @extschema@.e164) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_region_wrapper';
COMMENT ON FUNCTION @extschema@.phone_region(@extschema@.e164) IS
    'the region of a number: ISO 3166-1 alpha-2, or 001 for a number of no country; NULL where it is not valid. Example: SELECT phone_region(''+16789998212'')';

CREATE FUNCTION @extschema@.phone_type(phone @extschema@.e164) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 2
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_type_wrapper';
COMMENT ON FUNCTION @extschema@.phone_type(@extschema@.e164) IS
    'the type of a number: mobile, fixed_line, fixed_line_or_mobile, toll_free, ...; NULL where it is not valid. Example: SELECT phone_type(''+18005550100'')';

CREATE FUNCTION @extschema@.phone_time_zones(phone @extschema@.e164) RETURNS text[]
    IMMUTABLE STRICT PARALLEL SAFE COST 5
    LANGUAGE c AS 'MODULE_PATHNAME', 'phone_time_zones_wrapper';
COMMENT ON FUNCTION @extschema@.phone_time_zones(@extschema@.e164) IS
    'the time zones in which a number may ring, by their IANA names; NULL where none is known. Example: SELECT phone_time_zones(''+16789998212'')';

-- Not IMMUTABLE: the time zones of the server change, and the default of "at" is now.
CREATE FUNCTION @extschema@.callable_now(
    phone @extschema@.e164,
    at timestamptz DEFAULT now(),
    "from" time DEFAULT '09:00',
    until time DEFAULT '20:00')
    RETURNS boolean
    STABLE STRICT PARALLEL SAFE COST 20 LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    -- in every zone that is possible; with "from" after "until", over midnight
    SELECT bool_and(CASE WHEN "from" <= until THEN l.clock >= "from" AND l.clock < until
                         ELSE l.clock >= "from" OR l.clock < until END)
      FROM unnest(@extschema@.phone_time_zones(phone)) AS z (name)
     CROSS JOIN LATERAL (SELECT (at AT TIME ZONE z.name)::time) AS l (clock)
$function$;
COMMENT ON FUNCTION @extschema@.callable_now(@extschema@.e164, timestamptz, time, time) IS
    'whether it is between two times of day wherever a number may ring; NULL where its time zone is not known. Example: SELECT callable_now(''+16789998212'', now(), ''09:00'', ''20:00'')';

CREATE FUNCTION @extschema@.lead_phones_version() RETURNS text
    IMMUTABLE PARALLEL SAFE COST 1
    LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_version_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_version() IS
    'the version of the library and of its phone metadata. Example: SELECT lead_phones_version()';

CREATE FUNCTION @extschema@.lead_phones_keys(phone text) RETURNS bigint[]
    IMMUTABLE STRICT PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_keys_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_keys(text) IS
    'internal: what a number is entered as in suppressed_phones: itself, or its hash';

CREATE FUNCTION @extschema@.lead_phones_key_from_hex(hash text) RETURNS bigint
    IMMUTABLE STRICT PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_key_from_hex_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_key_from_hex(text) IS
    'internal: what a number is entered as in suppressed_phones of which a list has the SHA-256; NULL where that is none';

CREATE FUNCTION @extschema@.lead_phones_clock() RETURNS timestamptz
    STABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_clock_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_clock() IS
    'internal: the time now, and not when the statement began';

CREATE FUNCTION @extschema@.lead_phones_state_code(raw text) RETURNS text
    IMMUTABLE STRICT PARALLEL SAFE COST 5 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_state_code_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_state_code(text) IS
    'internal: the code of a state of the United States or Canada that is written as its code or its name';

CREATE FUNCTION @extschema@.lead_phones_call_regions(phone text) RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 5 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_call_regions_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_call_regions(text) IS
    'internal: the region of a number, and the country that it belongs to; none where that is not known';

CREATE FUNCTION @extschema@.lead_phones_states(phone text, state text, region text) RETURNS text[]
    IMMUTABLE PARALLEL SAFE COST 5 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_states_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_states(text, text, text) IS
    'internal: the state of the area of a number, and that of who has it; none where nobody knows';

CREATE FUNCTION @extschema@.lead_phones_zones(phone text, state text, time_zone text) RETURNS text
    IMMUTABLE PARALLEL SAFE COST 10 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_zones_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_zones(text, text, text) IS
    'internal: the time zones of a number and of who has it, with commas between; empty where none is known';

CREATE FUNCTION @extschema@.lead_phones_is_open(
    zones text, weekdays integer[], opens time, closes time, holidays date[], at timestamptz) RETURNS boolean
    STABLE PARALLEL SAFE COST 20 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_open_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_open(text, integer[], time, time, date[], timestamptz) IS
    'internal: whether the hours of a rule allow a call in all of the time zones; NULL where one is not known';

CREATE FUNCTION @extschema@.lead_phones_opens_at(
    zones text, weekdays integer[], opens time, closes time, holidays date[], at timestamptz) RETURNS timestamptz
    STABLE PARALLEL SAFE COST 1000 LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_opens_at_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_opens_at(text, integer[], time, time, date[], timestamptz) IS
    'internal: when the hours of a rule allow a call next; NULL where they do not, or a time zone is not known';
