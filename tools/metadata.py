#!/usr/bin/env python3
"""Writes src/phone/metadata.bin, the rules of every country, from PyPI's `phonenumbers`, Google's own data: a `PhoneMetadataCollection` of
libphonenumber's phonemetadata.proto, as Google's build writes it and as the engine reads it. tools/update_metadata.sh calls this."""

import sys

from phonenumbers import COUNTRY_CODES_FOR_NON_GEO_REGIONS, SUPPORTED_REGIONS
from phonenumbers.phonemetadata import PhoneMetadata

# the fields' numbers in phonemetadata.proto
DESCRIPTIONS = {"general_desc": 1, "fixed_line": 2, "mobile": 3, "toll_free": 4, "premium_rate": 5, "shared_cost": 6, "personal_number": 7,
                "voip": 8, "pager": 21, "no_international_dialling": 24, "uan": 25, "voicemail": 28}
# a description without a pattern: no number has this length
NO_LENGTH = -1


def varint(value):
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number, value):
    """A field of a message; none where the value is None."""
    if value is None:
        return b""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    encoded = value if isinstance(value, bytes) else value.encode()
    return varint(number << 3 | 2) + varint(len(encoded)) + encoded


def pattern(expression):
    """A pattern of a whole text, as the engine wants it."""
    return None if expression is None else f"^(?:{expression})$"


def groups(text):
    """Python's `\\1` is `$1` elsewhere."""
    return None if text is None else text.replace("\\", "$")


def pattern_of(desc):
    return None if desc is None else desc.national_number_pattern


def description(number, desc, general):
    if pattern_of(desc) is None:
        return field(number, field(9, NO_LENGTH))
    lengths = () if desc is not general and desc.possible_length == general.possible_length else desc.possible_length
    return field(number, field(2, pattern(desc.national_number_pattern)) + field(6, desc.example_number)
                 + b"".join(field(9, length) for length in lengths) + b"".join(field(10, length) for length in desc.possible_length_local_only))


def number_format(number, form):
    return field(number, field(1, pattern(form.pattern)) + field(2, groups(form.format))
                 + b"".join(field(3, pattern(digits)) for digits in form.leading_digits_pattern)
                 + field(4, groups(form.national_prefix_formatting_rule)) + field(5, groups(form.domestic_carrier_code_formatting_rule))
                 + field(6, int(bool(form.national_prefix_optional_when_formatting))))


def encode(data):
    parts = {number: description(number, getattr(data, name), data.general_desc) for name, number in DESCRIPTIONS.items()}
    parts |= {9: field(9, data.id), 10: field(10, data.country_code), 11: field(11, pattern(data.international_prefix)),
              12: field(12, data.national_prefix), 13: field(13, data.preferred_extn_prefix), 15: field(15, pattern(data.national_prefix_for_parsing)),
              16: field(16, groups(data.national_prefix_transform_rule)), 17: field(17, data.preferred_international_prefix),
              18: field(18, int(pattern_of(data.mobile) is not None and pattern_of(data.mobile) == pattern_of(data.fixed_line))),
              19: b"".join(number_format(19, form) for form in data.number_format),
              20: b"".join(number_format(20, form) for form in data.intl_number_format),
              22: field(22, int(data.main_country_for_code) or None), 23: field(23, pattern(data.leading_digits)),
              32: field(32, int(data.mobile_number_portable_region) or None)}
    return b"".join(parts[number] for number in sorted(parts))


def main():
    every = [PhoneMetadata.metadata_for_region(region) for region in sorted(SUPPORTED_REGIONS)]
    every += [PhoneMetadata.metadata_for_nongeo_region(code) for code in sorted(COUNTRY_CODES_FOR_NON_GEO_REGIONS)]
    sys.stdout.buffer.write(b"".join(field(1, encode(data)) for data in every))


if __name__ == "__main__":
    main()
