#!/usr/bin/env python3
"""Texts and what Google's libphonenumber says of them, for the differential test: COPY text on standard output.

The answers come from PyPI's `phonenumbers`, Google's own port. The seed is fixed: the same version writes the same file;
SEED= in the environment makes another.
"""

import itertools
import multiprocessing
import os
import random
import sys

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.timezone import time_zones_for_number

SEED = int(os.environ.get("SEED") or "20260101")
MAX_E164_DIGITS = 15
MAX_TEXT = 250

TYPES = {
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
PARSE_PROBLEMS = {
    NumberParseException.INVALID_COUNTRY_CODE: "invalid_country_code",
    NumberParseException.NOT_A_NUMBER: "not_a_number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}
POSSIBLE_PROBLEMS = {
    ValidationResult.IS_POSSIBLE: "invalid_number",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "local_only",
    ValidationResult.INVALID_COUNTRY_CODE: "invalid_country_code",
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.INVALID_LENGTH: "invalid_length",
    ValidationResult.TOO_LONG: "too_long",
}
BLANK = set("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")


# What libphonenumber's patterns are made of: VALID_PUNCTUATION, the characters of extension labels and what case folding makes of them.
PUNCTUATION = "-xX\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d\uff0e\uff0f \u00a0\u00ad\u200b\u2060\u3000()\uff08\uff09\uff3b\uff3d.[]/~\u2053\u223c\uff5e"
LABELS = "extnsioXTNSIOanexo:.,;#\u0301\u00f3\u00d3\uff45\uff58\uff54\uff4e\uff25\uff38\uff34\uff2e\uff49\uff29\u0434\u043e\u0431\u0414\u041e\u0411\uff03\uff0e\u212a\u017f"
# Letters, numbers and marks that Unicode's categories and its alphabetic property see differently.
SPECIAL = sorted({*PUNCTUATION, *LABELS, *"\u24d0\U0001f170\u0345\u093e\u0903\u2160\u3007\u00b2\u02b0\u00aa\u0e33\ud7b0\ue000\ufffd_*+\uff0b\u200d\ufe0f\u20e3"})
# What the Rust tests `finds` and `second_opinion` hold.
WITNESSES = [
    (";phone-context=+1;tel:1", "US"), ("6789998212;phone-context=+1tel:", "US"), ("020 7946 0958\U0010ffff**", "NZ"),
    ("tel:+1-650-253-0000\\x)/x.\ufeff/ xa", "CR"), ("01511)123 45\u00a067#12", "US"), ("01,234567890", "AT"), ("12/x", "GB"),
    ("60x9#;~[;", "DO"), ("0" * 17, "KR"), ("4\n9029/x~3\n", "ES"), ("12;ext=2530000;phone-context=abc", None),
    ("(678) 999-8212", "US"), ("+1 678.999.8212", "US"), ("+44 7400 123456", "US"), ("030 123456", "DE"), ("02 3661 8300", "IT"),
    ("tel:+1-650-253-0000", "US"), ("n/a", "US"), ("+821523456789", "US"), ("+119495504932", None), ("+25100111112345", "ET"),
    ("+855 1800 123 456", "US"), ("+78091234567", "KZ"), ("0800 01 23 45", "IM"), ("010682845937", "CN"),
    ("+\u0661 \u0666\u0664\u0669-\u0662\u0663\u0661-\u0661\u0662\u0663\u0664", "TC"), ("(\u06f8\u06f6\u06f8) \u06f6\u06f1\u06f9-\u06f1\u06f2\u06f3\u06f4", "TT"),
    ("(\u096a\u096a\u0967) \u0969\u096d\u0966-\u0967\u0968\u0969\u096a", "BM"), ("(\u0e52\u0e56\u0e58) \u0e54\u0e50\u0e56-\u0e51\u0e52\u0e53\u0e54", "AG"),
    ("+\uff11 \uff12\uff10\uff11-\uff15\uff15\uff15-\uff10\uff11\uff12\uff13", "US"),
    ("(\U0001d7d3\U0001d7ce\U0001d7ce) \U0001d7d0\U0001d7d1\U0001d7d2-\U0001d7d3\U0001d7d4\U0001d7d5\U0001d7d6", "MS"),
    ("(500) 234-5678 ext. 12345678", "BB"), ("0900 123 456-5#", "NZ"), ("tel:+15002345678;isub=12345", "VI"),
    ("tel:0120211234;phone-context=example.com", "BJ"), ("01011234L", "FI"), ("(656)-B596.--482", "US"), ("650-253-0000" + "*" * 250, "US"),
]


def answer(text):
    """The row of one text: class, raw, region, then what the extension should say, as load.sql names it."""
    kind, raw, region = text
    row = [kind, raw, region or "ZZ"]
    if all(c.isspace() or c in BLANK for c in raw):
        return [*row, "empty", *[None] * 13]
    try:
        number = phonenumbers.parse(raw, region)
    except NumberParseException as error:
        problem = PARSE_PROBLEMS[error.error_type]
        if problem == "invalid_country_code" and region is None:
            problem = without_region(raw)
        return [*row, problem, *[None] * 13]
    parts = [str(number.country_code), phonenumbers.national_significant_number(number), number.extension or None]
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    problem = None
    if not phonenumbers.is_valid_number(number):
        problem = POSSIBLE_PROBLEMS[phonenumbers.is_possible_number_with_reason(number)]
    elif len(e164) > 1 + MAX_E164_DIGITS:
        # ITU-T E.164 has no such number.
        problem = "too_long"
    if problem:
        return [*row, problem, *parts, *[None] * 10]
    styles = (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966)
    whole = [phonenumbers.format_number(number, style) for style in styles]
    number.extension = None
    bare = [phonenumbers.format_number(number, style) for style in styles]
    zones = ",".join(zone for zone in time_zones_for_number(number) if zone != "Etc/Unknown") or None
    return [*row, None, *parts, e164, phonenumbers.region_code_for_number(number), TYPES[phonenumbers.number_type(number)], *bare, *whole, zones]


def without_region(raw):
    """Whether a region is what the text lacks: not where it names a country that does not exist."""
    if phonenumbers.phonenumberutil._build_national_number_for_parsing(raw).startswith(("+", "\uff0b")):
        return "invalid_country_code"
    try:
        phonenumbers.parse(raw, "US")
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            return "invalid_country_code"
    return "unknown_region"


def digits_of(text):
    return "".join(c for c in text if c.isdigit())


def in_script(text, zero):
    return "".join(chr(zero + int(c)) if c in "0123456789" else c for c in text)


def words(letters):
    """Digits as letters of a keypad, where they have some."""
    keypad = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}
    return "".join(keypad.get(c, c)[0] for c in letters)


# Each takes the number's national, international and E.164 form, its national digits, country code and random source.
STYLES = {
    "e164": lambda n, i, e, d, cc, r: e,
    "international": lambda n, i, e, d, cc, r: i,
    "national": lambda n, i, e, d, cc, r: n,
    "national digits": lambda n, i, e, d, cc, r: d,
    "rfc3966": lambda n, i, e, d, cc, r: f"tel:{e[:len(cc) + 1]}-{'-'.join(d[k:k + 3] for k in range(0, len(d), 3))}",
    "dots": lambda n, i, e, d, cc, r: i.replace(" ", ".").replace("-", "."),
    "slashes": lambda n, i, e, d, cc, r: n.replace(" ", "/"),
    "spaced": lambda n, i, e, d, cc, r: " ".join(e),
    "national zero in parentheses": lambda n, i, e, d, cc, r: f"+{cc} (0){d}",
    "brackets": lambda n, i, e, d, cc, r: f"[{n}]",
    "no-break spaces": lambda n, i, e, d, cc, r: i.replace(" ", "\u00a0"),
    "unicode dashes": lambda n, i, e, d, cc, r: n.replace("-", "\u2013").replace(" ", "\u2011"),
    "zero-width": lambda n, i, e, d, cc, r: "\u200b" + i.replace(" ", "\u2060 "),
    "full width": lambda n, i, e, d, cc, r: in_script(i, 0xFF10).replace("+", "\uff0b"),
    "arabic": lambda n, i, e, d, cc, r: in_script(n, 0x660),
    "devanagari": lambda n, i, e, d, cc, r: in_script(i, 0x966),
    "tel: national": lambda n, i, e, d, cc, r: f"tel:{n}",
    "phone-context": lambda n, i, e, d, cc, r: f"tel:{d};phone-context=+{cc}",
    "isub": lambda n, i, e, d, cc, r: f"tel:{e};isub=12345",
    "extension": lambda n, i, e, d, cc, r: n + r.choice([" x", " ext. ", " ext ", "#", " extn ", " int. ", ",", ",,", ";"]) + str(r.randint(1, 99999)),
    "rfc3966 extension": lambda n, i, e, d, cc, r: f"{i};ext={r.randint(1, 9999)}",
    "american extension": lambda n, i, e, d, cc, r: f"{n} - {r.randint(1, 999999)}#",
    "word before": lambda n, i, e, d, cc, r: r.choice(["Tel. ", "mobile: ", "(home) ", "Büro ", "Телефон "]) + n,
    "word after": lambda n, i, e, d, cc, r: n + r.choice([" (home)", " call me", " abc", " \u23ce", "\u200f", "***", " ;", " #"]),
    "two numbers": lambda n, i, e, d, cc, r: f"{n}{r.choice([' / ', ' /x', ', ', ' x1/x2', ' or '])}{n}",
    "two plus signs": lambda n, i, e, d, cc, r: f"+{e}",
    "00 prefix": lambda n, i, e, d, cc, r: f"00{cc}{d}",
    "011 prefix": lambda n, i, e, d, cc, r: f"011 {cc} {d}",
    "code without plus": lambda n, i, e, d, cc, r: f"{cc} {d}",
    "underscores": lambda n, i, e, d, cc, r: n.replace(" ", "_").replace("-", "_"),
    "commas": lambda n, i, e, d, cc, r: n.replace(" ", ",").replace("-", ","),
    "tildes": lambda n, i, e, d, cc, r: i.replace(" ", "~").replace("-", "~"),
    "x between": lambda n, i, e, d, cc, r: i.replace(" ", "x"),
    "letters": lambda n, i, e, d, cc, r: n[:-4] + words(n[-4:]),
    "one digit more": lambda n, i, e, d, cc, r: e + str(r.randint(0, 9)),
    "one digit less": lambda n, i, e, d, cc, r: n[:-1],
    "one digit other": lambda n, i, e, d, cc, r: "+" + cc + replaced(d, r),
    "one national digit other": lambda n, i, e, d, cc, r: replaced(d, r),
    "local part": lambda n, i, e, d, cc, r: d[-7:],
    "zero before": lambda n, i, e, d, cc, r: f"0{d}",
}


def replaced(digits, r):
    place = r.randrange(len(digits))
    return digits[:place] + str(r.randint(0, 9)) + digits[place + 1:]


def examples():
    """Every region's example number of every type, and those of no region."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for number_type in sorted(TYPES):
            number = phonenumbers.example_number_for_type(region, number_type)
            if number:
                yield region, number
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = phonenumbers.example_number_for_non_geo_entity(code)
        if number:
            yield None, number


def texts():
    r = random.Random(SEED)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    for region, number in examples():
        national, international, e164 = (
            phonenumbers.format_number(number, style)
            for style in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
        )
        digits = phonenumbers.national_significant_number(number)
        code = str(number.country_code)
        for name, style in STYLES.items():
            raw = style(national, international, e164, digits, code, r)
            yield f"example: {name}", raw, region
            if name in ("e164", "international", "national", "national digits", "011 prefix", "phone-context", "dots"):
                yield f"foreign, region US: {name}", raw, "US"
                yield f"foreign, no region: {name}", raw, None
                yield f"foreign, any region: {name}", raw, r.choice(regions)
    for _ in range(60000):
        area, exchange = r.randint(180, 999), r.randint(90, 999)
        line = r.randint(0, 9999)
        form = r.choice(["{}{:03}{:04}", "({}) {:03}-{:04}", "{}-{:03}-{:04}", "{}.{:03}.{:04}", "1{}{:03}{:04}", "+1 {} {:03} {:04}",
                         "1 ({}) {:03}-{:04}", "+1{}{:03}{:04}", "{} {:03} {:04} x12", "{}{:03}{:04}0", "{}{:03}-{:04}", " {}/{:03}/{:04}"])
        yield "near North America", form.format(area, exchange, line), r.choice(["US", "US", "US", "CA", "JM", "PR", "BS"])
    for _ in range(30000):
        code = r.choice(["", "+", "+", "00", "011"]) + str(r.randint(1, 999))
        yield "any digits", code + "".join(r.choices("0123456789", k=r.randint(0, 13))), r.choice(["US", *regions, None])
    noise = "0123456789" * 3 + "+-() ./x#;,*~[]e\t\n" * 2 + "abcdeéßжǅ\u00a0\u2013\u200b\uff10\uff0b\u0661\u0967²½Ⅷ☎\ufeff\u0301\U0001d7d8\U0010ffff"
    noise += PUNCTUATION + LABELS
    for _ in range(25000):
        yield "noise", "".join(r.choices(noise, k=r.randint(0, 24))), r.choice(["US", "DE", "BR", None, *regions])
    pieces = ["650-253-0000", "030 123456", "+1", "+49", "tel:", ";phone-context=", ";ext=", ";isub=", "x", " ext ", "/", "\\", "x", "#", " ",
              "12", "5", "+", "abc", "example.com", "(", ")", "~", ",", "\u00a0", "=", "2530000"]
    pieces += [*PUNCTUATION, *LABELS, "extensi\u00f3n", "anexo", "\u0434\u043e\u0431", "\uff45\uff58\uff54\uff4e", "int", "\uff49\uff4e\uff54"]
    for _ in range(20000):
        yield "fragments", "".join(r.choices(pieces, k=r.randint(1, 6))), r.choice(["US", "DE", "GB", None])
    for length, filler in itertools.product((40, MAX_TEXT - 12, MAX_TEXT - 11, MAX_TEXT, 1000), " -.(9+x*a"):
        for raw in (filler * length + "650-253-0000", "650-253-0000" + filler * length):
            yield "long", raw, "US"


    for c in SPECIAL:
        for raw in (f"650-253-0000{c}", f"650-253-0000,{c}", f"650{c}253-0000", f"12{c}", f"650-253-0000\U0010ffff{c}", f"650-253-0000{c}12",
                    f"{c}650-253-0000", f"650-253-00{c}{c}{c}", f"1-800-FLOW{c}RS", f"650-253-0000 e{c}t 5", f"+{c}1 650 253 0000", f"650-253-0000 ab{c}"):
            yield "special characters", raw, "US"
    for raw, region in WITNESSES:
        yield "witness", raw, region


def escaped(value):
    if value is None:
        return r"\N"
    for plain, code in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(plain, code)
    return value


def main():
    with multiprocessing.Pool() as pool:
        for row in pool.imap(answer, texts(), chunksize=2000):
            sys.stdout.write("\t".join(map(escaped, row)) + "\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    main()
