"""Sends and receives numbers in the text and in the binary protocol. Connects as libpq's environment says."""

import psycopg
from psycopg import errors
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.string import TextBinaryLoader, TextLoader

SPELLINGS = {
    ("(678) 999-8212", "US"): "+16789998212",
    ("678\u00a0999\u00a08212", "US"): "+16789998212",
    ("٠٣٠ ١٢٣٤٥٦", "DE"): "+4930123456",
    ("+44 7400 123456", "ZZ"): "+447400123456",
    ("n/a", "US"): None,
    ("", "US"): None,
}
LONG = "6" * (1 << 20)


def functions(connection, binary):
    def one(query, *values):
        return connection.execute(query, values, binary=binary).fetchone()[0]

    # %b sends a parameter in the binary, %t in the text format
    for placeholder in ("%b", "%t"):
        for (raw, region), e164 in SPELLINGS.items():
            assert one(f"SELECT try_normalize_phone({placeholder}, {placeholder})", raw, region) == e164, raw
        assert one(f"SELECT phone_problem({placeholder})", LONG) == "too_long"
        assert one(f"SELECT phone_info({placeholder})", "678 999 8212 x5")["extension"] == "5"
        assert one(f"SELECT format_phone({placeholder}::e164, {placeholder})", "+16789998212", "national") == "(678) 999-8212"
        assert one(f"SELECT try_normalize_phone({placeholder})", None) is None
        numbers = one(f"SELECT array_agg(try_normalize_phone(raw) ORDER BY n) FROM unnest({placeholder}::text[]) WITH ORDINALITY AS t (raw, n)",
                      ["678 999 8212", "n/a", None, "+49 30 123456"])
        assert numbers == ["+16789998212", None, None, "+4930123456"], numbers
        assert one(f"SELECT {placeholder}::e164[]", ["+16789998212"]) == ["+16789998212"]
        try:
            with connection.transaction():
                one(f"SELECT normalize_phone({placeholder})", "123")
        except errors.InvalidParameterValue as error:
            assert error.diag.sqlstate == "22023" and "123" in error.diag.message_primary, error
        else:
            raise AssertionError("normalize_phone took 123")


def copies(connection, binary):
    """COPY in the format, both ways, into a column of the domain and through the triggers of a tracked table."""
    form = "BINARY" if binary else "TEXT"
    connection.execute("CREATE TABLE numbers (phone e164, note text)")
    with connection.cursor().copy(f"COPY numbers FROM STDIN (FORMAT {form})") as copy:
        copy.set_types(["text", "text"])
        copy.write_row(("+16789998212", "a"))
        copy.write_row((None, "b"))
    with connection.cursor().copy(f"COPY numbers TO STDOUT (FORMAT {form})") as copy:
        copy.set_types(["text", "text"])
        assert list(copy.rows()) == [("+16789998212", "a"), (None, "b")]
    try:
        with connection.transaction(), connection.cursor().copy(f"COPY numbers FROM STDIN (FORMAT {form})") as copy:
            copy.set_types(["text", "text"])
            copy.write_row(("678 999 8212", "c"))
    except errors.CheckViolation as error:
        assert error.diag.constraint_name == "e164_shape", error
    else:
        raise AssertionError("the domain took a raw spelling")
    connection.execute("CREATE TABLE leads (id int8 PRIMARY KEY, campaign_id int8, phone text, mobile text)")
    connection.execute("SELECT track_lead_phones('leads')")
    with connection.cursor().copy(f"COPY leads (id, campaign_id, phone, mobile) FROM STDIN (FORMAT {form})") as copy:
        copy.set_types(["int8", "int8", "text", "text"])
        copy.write_row((1, 7, "678 999 8212", "(678) 999-8212"))
        copy.write_row((2, 7, "n/a", "+49 30 123456"))
    counts = connection.execute("SELECT phone, lead_count FROM campaign_phone_counts ORDER BY phone", binary=binary).fetchall()
    assert counts == [("+16789998212", 1), ("+4930123456", 1)], counts
    assert connection.execute("SELECT count(*) FROM verify_phone_counts('leads')").fetchone() == (0,)


def composites(connection, binary):
    connection.execute("CREATE TYPE person AS (name text, phone e164)")
    register_composite(CompositeInfo.fetch(connection, "person"), connection)
    person = connection.execute("SELECT ROW('Ada', normalize_phone('678 999 8212'))::person", binary=binary).fetchone()[0]
    assert (person.name, person.phone) == ("Ada", "+16789998212"), person
    people = connection.execute("SELECT (p).phone FROM unnest(%s::person[]) AS p", ([person],), binary=binary).fetchall()
    assert people == [("+16789998212",)], people


def main():
    for binary in (False, True):
        with psycopg.connect() as connection:
            # a value of the domain comes as a text; an array of them, and a field, under the domain's own type
            info = TypeInfo.fetch(connection, "e164")
            info.register(connection)
            connection.adapters.register_loader(info.oid, TextLoader)
            connection.adapters.register_loader(info.oid, TextBinaryLoader)
            for check in (functions, copies, composites):
                check(connection, binary)
            connection.rollback()
    print("text and binary protocol agree")


if __name__ == "__main__":
    main()
