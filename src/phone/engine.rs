//! The one seam to `rlibphonenumber`, with the guards it needs: it reads the texts that `spelling` leaves, and writes
//! numbers in the formats of their countries. Loaded when first asked, never for a number spelled as usual.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rlibphonenumber::{
    PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberUtil,
    Region as EngineRegion, get_national_significant_number_owned,
};

use super::plan::{Number, Region};
use super::{DefaultRegion, Problem};

/// Google's limit on the text of a number (`MAX_INPUT_STRING_LENGTH`), in characters.
const MAX_TEXT_CHARS: usize = 250;

/// Parameters of RFC 3966 that the engine looks for.
const RFC3966_PREFIX: &str = "tel:";
const RFC3966_PHONE_CONTEXT: &str = ";phone-context=";

/// What a text says: the number, valid or not, and its extension.
pub(super) fn parse(raw: &str, region: DefaultRegion) -> Result<(Number, Option<String>), Problem> {
    if raw.chars().all(is_blank) {
        return Err(Problem::Empty);
    }
    if raw.len() > MAX_TEXT_CHARS && raw.chars().nth(MAX_TEXT_CHARS).is_some() {
        return Err(Problem::TooLong);
    }
    let raw = match raw.find(RFC3966_PHONE_CONTEXT) {
        // Past its phone context, "tel:" makes the engine slice backwards and panic; Google's finds no number there.
        Some(context)
            if raw
                .find(RFC3966_PREFIX)
                .is_some_and(|prefix| prefix > context) =>
        {
            return Err(Problem::NotANumber);
        }
        Some(_) => Cow::Borrowed(raw),
        None => extract(raw).ok_or(Problem::NotANumber)?,
    };
    with_engine(|engine| {
        let number = engine
            .parse(&*raw, region.0.and_then(engine_region))
            .map_err(|error| match error {
                ParseError::InvalidCountryCode if lacks_region(engine, &raw, region) => {
                    Problem::UnknownRegion
                }
                ParseError::InvalidCountryCode => Problem::InvalidCountryCode,
                ParseError::NotANumber(_) => Problem::NotANumber,
                ParseError::TooShortAfterIdd | ParseError::TooShortNsn => Problem::TooShort,
                ParseError::TooLongNsn => Problem::TooLong,
            })?;
        let national: Vec<u8> = get_national_significant_number_owned(&number)
            .bytes()
            .map(|digit| digit.wrapping_sub(b'0'))
            .collect();
        let extension = number.extension.filter(|digits| !digits.is_empty());
        u16::try_from(number.country_code)
            .ok()
            .and_then(|code| Number::new(code, &national))
            .ok_or(Problem::InvalidCountryCode)
            .map(|number| (number, extension))
    })?
}

/// The number in a text, as Google's `extractPossibleNumber` cuts it out. The engine cuts by itself, but at the last
/// of several second numbers instead of the first, and not past every character that is neither letter nor digit.
fn extract(raw: &str) -> Option<Cow<'_, str>> {
    let start = raw.find(|c: char| c.is_numeric() || matches!(c, '+' | '\u{ff0b}'))?;
    let number = raw[start..].trim_end_matches(|c: char| !c.is_alphanumeric() && c != '#');
    let second = number.match_indices(['/', '\\']).find_map(|(at, slash)| {
        let behind = number[at + slash.len()..].trim_start_matches(' ');
        behind.starts_with('x').then_some(at)
    });
    Some(match second {
        // The engine cuts here too, and must not trim what stands before.
        Some(at) => Cow::Owned(format!("{}/x", &number[..at])),
        None => Cow::Borrowed(number),
    })
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
    catch_unwind(AssertUnwindSafe(|| run(&PHONE_NUMBER_UTIL))).map_err(|_| Problem::EngineFailure)
}

fn engine_region(region: &Region) -> Option<EngineRegion> {
    EngineRegion::from_code(region.code).ok()
}

/// Whether a known region would have let the engine read the text: then the region is what is missing.
fn lacks_region(engine: &PhoneNumberUtil, raw: &str, region: DefaultRegion) -> bool {
    !region.is_known()
        && !matches!(
            engine.parse(raw, Some(EngineRegion::US)),
            Err(ParseError::InvalidCountryCode)
        )
}

/// Blank: Unicode white space, and the zero-width characters that come along when numbers are pasted.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\0')
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
        for (raw, number) in [
            ("tel: 650 253 0000", "650 253 0000"),
            ("650 253 0000 x302/x2303", "650 253 0000 x302/x"),
            ("650\\ x1/ x2", "650/x"),
            ("650 253 0000 (/x", "650 253 0000 (/x"),
            ("650 253 0000\u{10ffff}**", "650 253 0000"),
            ("650 253 0000#)", "650 253 0000#"),
        ] {
            assert_eq!(extract(raw).as_deref(), Some(number), "{raw:?}");
        }
        assert_eq!(extract("n/a"), None);
    }
}
