CREATE EXTENSION lead_phones;
CREATE TABLE corpus (
    class text, raw text, region text, problem text, country_code text, national_number text, extension text,
    e164 text, phone_region text, phone_type text, national text, international text, rfc3966 text,
    national_extension text, international_extension text, rfc3966_extension text, time_zones text
);
\copy corpus FROM pstdin
ANALYZE corpus;
