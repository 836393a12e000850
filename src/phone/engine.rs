//! The one seam to `rlibphonenumber`, with the guards it needs: it reads the texts that `spelling` leaves, and writes
//! numbers in the formats of their countries. Loaded when first asked, never for a number spelled as usual.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use prost::Message;
use rlibphonenumber::{
    ParseError, PhoneMetadataCollection, PhoneNumber, PhoneNumberFormat, PhoneNumberUtil,
    Region as EngineRegion,
};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::plan::{Number, Region};
use super::{DefaultRegion, Problem};

/// libphonenumber's rules of every country, by its release [`METADATA_VERSION`](super::METADATA_VERSION): Google's
/// `PhoneMetadataCollection`, written by `tools/metadata.py`.
pub(super) static METADATA: &[u8] = include_bytes!("metadata.bin");

static ENGINE: LazyLock<Option<PhoneNumberUtil>> = LazyLock::new(|| {
    let metadata = PhoneMetadataCollection::decode(METADATA).ok()?;
    PhoneNumberUtil::new_for_metadata(metadata).ok()
});

/// Google's limit on the text of a number (`MAX_INPUT_STRING_LENGTH`), in characters.
const MAX_TEXT_CHARS: usize = 250;

/// Parameters of RFC 3966 that the engine looks for.
const RFC3966_PREFIX: &str = "tel:";
const RFC3966_PHONE_CONTEXT: &str = ";phone-context=";
const RFC3966_ISDN_SUBADDRESS: &str = ";isub=";

/// Loads the engine, and compiles what every text that it reads needs.
pub fn load_engine() {
    // Whatever it says of this text, it is loaded then.
    let _ = parse("tel:650-253-0000;ext=1", DefaultRegion::from_code("US"));
}

/// What a text says: the number, valid or not, and its extension.
pub(super) fn parse(raw: &str, region: DefaultRegion) -> Result<(Number, Option<String>), Problem> {
    if raw.chars().all(is_blank) {
        return Err(Problem::Empty);
    }
    if raw.len() > MAX_TEXT_CHARS && raw.chars().nth(MAX_TEXT_CHARS).is_some() {
        return Err(Problem::TooLong);
    }
    let raw = &*known_punctuation(raw);
    let (text, number) = cut(raw).ok_or(Problem::NotANumber)?;
    with_engine(|engine| {
        let text = viable(engine, &text, number).ok_or(Problem::NotANumber)?;
        let number = engine
            .parse(&*text, region.0.and_then(engine_region))
            .map_err(|error| match error {
                ParseError::InvalidCountryCode
                    if !region.is_known() && lacks_region(engine, &text, number) =>
                {
                    Problem::UnknownRegion
                }
                error => problem_of(error),
            })?;
        let national = national_digits(&number);
        let extension = number.extension.filter(|digits| !digits.is_empty());
        u16::try_from(number.country_code)
            .ok()
            .and_then(|code| Number::new(code, &national))
            .ok_or(Problem::InvalidCountryCode)
            .map(|number| (number, extension))
    })
    .unwrap_or_else(|failure| {
        Err(if is_reversed(raw) {
            Problem::NotANumber
        } else {
            failure
        })
    })
}

/// Whether "tel:" is past the phone context: the engine then slices backwards and panics, Google's finds no number.
fn is_reversed(raw: &str) -> bool {
    match (raw.find(RFC3966_PREFIX), raw.find(RFC3966_PHONE_CONTEXT)) {
        (Some(prefix), Some(context)) => prefix > context,
        _ => false,
    }
}

/// The national digits, as values, with every leading zero (the engine's own function keeps ten).
fn national_digits(number: &PhoneNumber) -> Vec<u8> {
    let zeros = if number.italian_leading_zero() {
        usize::try_from(number.number_of_leading_zeros()).unwrap_or(0)
    } else {
        0
    };
    let digits = number.national_number.to_string();
    core::iter::repeat_n(0, zeros)
        .chain(digits.bytes().map(|digit| digit - b'0'))
        .collect()
}

/// The text for the engine, and the number in it.
fn cut(raw: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(context) = raw.find(RFC3966_PHONE_CONTEXT) else {
        let (number, second) = extract(raw)?;
        // At a second number the engine shall cut too, and not trim what is before; it would also cut at a line feed,
        // with which there is no number.
        let text = if second && number.contains('\n') {
            return None;
        } else if second {
            Cow::Owned(format!("{number}/x"))
        } else {
            Cow::Borrowed(number)
        };
        return Some((text, number));
    };
    let start = raw.find(RFC3966_PREFIX);
    let start = start.map_or(0, |start| start + RFC3966_PREFIX.len());
    // Nothing where the prefix comes last.
    let number = raw.get(start..context).unwrap_or_default();
    // A context that is a number comes before the number.
    let value = &raw[context + RFC3966_PHONE_CONTEXT.len()..];
    Some((
        Cow::Borrowed(raw),
        if value.starts_with('+') {
            value
        } else {
            number
        },
    ))
}

/// The number in a text, as Google's `extractPossibleNumber` cuts it out, and whether a second number follows. The engine
/// cuts by itself, but at the last of several second numbers instead of the first, and does not trim every character that
/// is neither letter nor digit.
fn extract(raw: &str) -> Option<(&str, bool)> {
    let start = raw.find(|c: char| is_digit(c) || matches!(c, '+' | '\u{ff0b}'))?;
    let number = raw[start..].trim_end_matches(|c| !is_letter_or_number(c) && c != '#');
    let second = number.match_indices(['/', '\\']).find_map(|(at, slash)| {
        let behind = number[at + slash.len()..].trim_start_matches(' ');
        behind.starts_with('x').then_some(at)
    });
    Some(match second {
        Some(at) => (&number[..at], true),
        None => (number, false),
    })
}

/// Whether Google's `isViablePhoneNumber` may take what the engine takes: two digits alone, or three and more with what may
/// are around them; the engine also two and an extension. A plus sign before the number leaves it only the second choice.
fn is_viable(engine: &PhoneNumberUtil, number: &str) -> bool {
    let digits = number.chars().take(3).take_while(|c| is_digit(*c)).count();
    digits != 2
        || number.chars().nth(2).is_none()
        || engine.is_viable_phone_number(format!("+{number}"))
}

/// The text without the full-width tilde: the engine does not know it as punctuation, Google's does.
fn known_punctuation(raw: &str) -> Cow<'_, str> {
    const TILDE: char = '\u{ff5e}';
    if raw.is_ascii() || !raw.contains(TILDE) {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(raw.replace(TILDE, "~"))
    }
}

/// The text, where its number is viable, with the letters that the engine does not know where case makes no difference: U+212A
/// is a `k` then, and U+017F an `s`.
fn viable<'a>(engine: &PhoneNumberUtil, text: &'a str, number: &str) -> Option<Cow<'a, str>> {
    const K: char = '\u{212a}';
    const S: char = '\u{17f}';
    /// May be wherever a letter may, and is not one of a keypad.
    const LETTER: &str = "\u{30fc}";
    let number = number
        .split(RFC3966_ISDN_SUBADDRESS)
        .next()
        .unwrap_or_default();
    if number.is_ascii() || !number.contains([K, S]) {
        return is_viable(engine, number).then_some(Cow::Borrowed(text));
    }
    let folded = number.replace(K, "k").replace(S, "s");
    if !is_viable(engine, &folded) || !engine.is_viable_phone_number(folded) {
        return None;
    }
    // In a number of at least three letters U+017F is one of a keypad.
    let letters = number.chars().filter(char::is_ascii_alphabetic).count();
    let s = if letters < 3 { LETTER } else { "s" };
    let (before, context) = text.split_at(text.find(RFC3966_PHONE_CONTEXT).unwrap_or(text.len()));
    let before = before.replace(K, LETTER).replace(S, s);
    Some(Cow::Owned(before + context))
}

/// Whether the character is of Unicode's categories L or N; fewer than the standard library's alphanumeric ones.
fn is_letter_or_number(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
        )
}

/// Whether the character is a decimal digit of any script (`Nd`).
fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || c.general_category() == GeneralCategory::DecimalNumber
}

/// Writes a number in a style. What the engine cannot write is a problem of this one number.
pub(super) fn write(
    number: &Number,
    extension: Option<&str>,
    style: PhoneNumberFormat,
) -> Result<String, Problem> {
    let national = number.national();
    let zeros = national
        .iter()
        .take_while(|digit| **digit == 0)
        .count()
        .min(national.len().saturating_sub(1));
    let written = PhoneNumber {
        country_code: i32::from(number.calling_code()),
        national_number: national.iter().fold(0, |value: u64, digit| {
            value.wrapping_mul(10).wrapping_add(u64::from(*digit))
        }),
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: i32::try_from(zeros).ok().filter(|zeros| *zeros > 1),
        extension: extension.map(str::to_owned),
        ..PhoneNumber::default()
    };
    with_engine(|engine| engine.format(&written, style).into_owned())
}

/// Runs the engine; a panic inside it becomes a problem of this one text.
fn with_engine<T>(run: impl FnOnce(&PhoneNumberUtil) -> T) -> Result<T, Problem> {
    let engine = ENGINE.as_ref().ok_or(Problem::EngineFailure)?;
    catch_unwind(AssertUnwindSafe(|| run(engine))).map_err(|_| Problem::EngineFailure)
}

fn engine_region(region: &Region) -> Option<EngineRegion> {
    EngineRegion::from_code(region.code).ok()
}

pub(super) fn problem_of(error: ParseError) -> Problem {
    match error {
        ParseError::InvalidCountryCode => Problem::InvalidCountryCode,
        ParseError::NotANumber(_) => Problem::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => Problem::TooShort,
        ParseError::TooLongNsn => Problem::TooLong,
    }
}

/// Whether a known region would have let the engine read the number: then the region is what is missing.
pub(super) fn lacks_region(engine: &PhoneNumberUtil, text: &str, number: &str) -> bool {
    !number.starts_with(['+', '\u{ff0b}'])
        && !matches!(
            engine.parse(text, Some(EngineRegion::US)),
            Err(ParseError::InvalidCountryCode)
        )
}

/// Blank: Unicode white space, and the zero-width characters that come along when numbers are pasted.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\0')
}

/// The engine itself, for tests.
#[cfg(test)]
pub(super) fn engine() -> &'static PhoneNumberUtil {
    ENGINE.as_ref().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_the_engine_is_a_problem_of_the_text() {
        let answer = with_engine(|engine| engine.parse(";phone-context=+1;tel:1", None));
        assert_eq!(answer.err(), Some(Problem::EngineFailure));
        assert!(parse("650-253-GOOG", DefaultRegion::from_code("US")).is_ok());
    }

    #[test]
    fn the_number_ends_at_the_first_second_number() {
        for (raw, number, second) in [
            ("tel: 650 253 0000", "650 253 0000", false),
            ("650 253 0000 x302/x2303", "650 253 0000 x302", true),
            ("650\\ x1/ x2", "650", true),
            ("650 253 0000 (/x", "650 253 0000 (", true),
            ("650 253 0000\u{10ffff}**", "650 253 0000", false),
            ("650 253 0000#)", "650 253 0000#", false),
            ("650 253 0000\u{10ffff}\u{24d0}", "650 253 0000", false),
            ("650 253 0000,\u{30fc}", "650 253 0000,\u{30fc}", false),
        ] {
            assert_eq!(extract(raw), Some((number, second)), "{raw:?}");
        }
        assert_eq!(extract("n/a"), None);
    }

    #[test]
    fn two_digits_are_a_number_alone_and_not_with_an_extension() {
        for (number, viable) in [
            ("12", true),
            ("1 2", true),
            ("12 x3", true),
            ("12 3", true),
            ("12 3 x4", true),
            ("12,345", false),
            ("12 ext 5", false),
            ("12~3 GO", true),
            ("१२,३", false),
        ] {
            assert_eq!(is_viable(engine(), number), viable, "{number:?}");
        }
    }
}
