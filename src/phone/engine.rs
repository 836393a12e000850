//! The one seam to `rlibphonenumber`, with the guards it needs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberUtil, Region,
    ValidationError,
};

use super::{DefaultRegion, E164, Problem, nanp};

/// Google's limit on the text of a number (`MAX_INPUT_STRING_LENGTH`), in characters.
const MAX_TEXT_CHARS: usize = 250;

/// Parameters of RFC 3966 that the engine looks for.
const RFC3966_PREFIX: &str = "tel:";
const RFC3966_PHONE_CONTEXT: &str = ";phone-context=";

/// More leading zeros than this are not formatted by libphonenumber either.
const MAX_LEADING_ZEROS: usize = 10;

/// The valid number that the text spells.
///
/// # Errors
/// The [`Problem`], where there is none.
pub fn normalize(raw: &str, region: DefaultRegion) -> Result<E164, Problem> {
    nanp::normalize(raw, region).unwrap_or_else(|| normalize_by_engine(raw, region))
}

/// The same, without the fast path.
pub(super) fn normalize_by_engine(raw: &str, region: DefaultRegion) -> Result<E164, Problem> {
    Ok(valid(raw, region)?.1)
}

/// A valid number, as the engine and as we hold it.
pub(super) fn valid(raw: &str, region: DefaultRegion) -> Result<(PhoneNumber, E164), Problem> {
    let number = parse(raw, region)?;
    let e164 = validate(&number)?;
    Ok((number, e164))
}

/// What the text says, valid or not.
pub(super) fn parse(raw: &str, region: DefaultRegion) -> Result<PhoneNumber, Problem> {
    if raw.chars().all(is_blank) {
        return Err(Problem::Empty);
    }
    if raw.len() > MAX_TEXT_CHARS && raw.chars().nth(MAX_TEXT_CHARS).is_some() {
        return Err(Problem::TooLong);
    }
    // Past its phone context, "tel:" makes the engine slice backwards and panic; Google's finds no number there.
    if let (Some(prefix), Some(context)) =
        (raw.find(RFC3966_PREFIX), raw.find(RFC3966_PHONE_CONTEXT))
        && prefix > context
    {
        return Err(Problem::NotANumber);
    }
    with_engine(|engine| {
        let engine_region = region.as_engine_region();
        engine
            .parse(raw, engine_region)
            .map_err(|error| match error {
                ParseError::InvalidCountryCode if lacks_region(engine, raw, engine_region) => {
                    Problem::UnknownRegion
                }
                ParseError::InvalidCountryCode => Problem::InvalidCountryCode,
                ParseError::NotANumber(_) => Problem::NotANumber,
                ParseError::TooShortAfterIdd | ParseError::TooShortNsn => Problem::TooShort,
                ParseError::TooLongNsn => Problem::TooLong,
            })
    })?
}

/// The number in E.164, where it is valid.
pub(super) fn validate(number: &PhoneNumber) -> Result<E164, Problem> {
    with_engine(|engine| {
        if engine.is_valid_number(number) {
            return Ok(());
        }
        Err(match engine.is_possible_number_with_reason(number) {
            Ok(NumberLengthType::IsPossible) => Problem::InvalidNumber,
            Ok(NumberLengthType::IsPossibleLocalOnly) => Problem::LocalOnly,
            Err(ValidationError::InvalidCountryCode) => Problem::InvalidCountryCode,
            Err(ValidationError::TooShort) => Problem::TooShort,
            Err(ValidationError::InvalidLength) => Problem::InvalidLength,
            Err(ValidationError::TooLong) => Problem::TooLong,
        })
    })??;
    to_e164(number)
}

fn to_e164(number: &PhoneNumber) -> Result<E164, Problem> {
    let leading_zeros = if number.italian_leading_zero() {
        usize::try_from(number.number_of_leading_zeros())
            .unwrap_or(0)
            .min(MAX_LEADING_ZEROS)
    } else {
        0
    };
    u32::try_from(number.country_code)
        .ok()
        .and_then(|code| E164::from_parts(code, leading_zeros, number.national_number))
        .ok_or(Problem::TooLong)
}

/// Runs the engine; a panic inside it becomes a problem of this one text.
pub(super) fn with_engine<T>(run: impl FnOnce(&PhoneNumberUtil) -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(|| run(&PHONE_NUMBER_UTIL))).map_err(|_| Problem::EngineFailure)
}

/// Whether a known region would have let the engine read the text: then the region is what is missing.
fn lacks_region(engine: &PhoneNumberUtil, raw: &str, region: Option<Region>) -> bool {
    region.is_none()
        && !matches!(
            engine.parse(raw, Some(Region::US)),
            Err(ParseError::InvalidCountryCode)
        )
}

/// Blank: Unicode white space, and the zero-width characters that come along when numbers are pasted.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: &str = "US";

    fn e164(raw: &str, region: &str) -> Result<String, Problem> {
        normalize(raw, DefaultRegion::from_code(region)).map(|number| number.to_string())
    }

    #[test]
    fn every_spelling_of_one_number() {
        for raw in [
            "1 678-999-8212",
            "(678)-999 8212",
            "678 999 8212",
            "+1 (678) 999-8212",
            "678.999.8212",
            "tel:+1-678-999-8212",
            "tel:678-999-8212;phone-context=+1",
            "+1 678 999 8212 ext. 22",
            "６７８９９９８２１２",
            "678\u{a0}999\u{a0}8212",
            "\u{200b}678 999 8212\u{200b}",
            "call 678-999-8212",
        ] {
            assert_eq!(e164(raw, US).as_deref(), Ok("+16789998212"), "{raw:?}");
        }
    }

    #[test]
    fn the_region_reads_national_numbers_only() {
        assert_eq!(e164("030 123456", "DE").as_deref(), Ok("+4930123456"));
        assert_eq!(e164("+49 30 123456", US).as_deref(), Ok("+4930123456"));
        assert_eq!(e164("+49 30 123456", "ZZ").as_deref(), Ok("+4930123456"));
        assert_eq!(e164("06 6982", "IT").as_deref(), Ok("+39066982"));
    }

    #[test]
    fn each_problem_has_its_name() {
        let cases = [
            ("", US, Problem::Empty),
            (" \u{a0}\t\u{200b}", US, Problem::Empty),
            ("n/a", US, Problem::NotANumber),
            ("no number here", US, Problem::NotANumber),
            ("+999 12345678", US, Problem::InvalidCountryCode),
            ("+999 12345678", "ZZ", Problem::InvalidCountryCode),
            ("678 999 8212", "ZZ", Problem::UnknownRegion),
            ("678 999 8212", "UK", Problem::UnknownRegion),
            ("678 999", US, Problem::TooShort),
            ("999 8212", US, Problem::LocalOnly),
            ("678 999 8212 123456", US, Problem::TooLong),
            ("+1 555 555 5555 5", US, Problem::TooLong),
            ("+65 612345678", US, Problem::InvalidLength),
            ("123 456 7890", US, Problem::InvalidNumber),
        ];
        for (raw, region, problem) in cases {
            assert_eq!(e164(raw, region), Err(problem), "{raw:?} in {region}");
        }
    }

    #[test]
    fn a_number_longer_than_e164_allows_is_too_long() {
        // libphonenumber's metadata accepts 14 digits after +234; ITU-T E.164 does not.
        assert_eq!(e164("+234 80061902633186", "NG"), Err(Problem::TooLong));
    }

    #[test]
    fn texts_beyond_googles_limit_are_not_read() {
        let padded = |len: usize| format!("{}6789998212", " ".repeat(len - 10));
        assert_eq!(e164(&padded(250), US).as_deref(), Ok("+16789998212"));
        assert_eq!(e164(&padded(251), US), Err(Problem::TooLong));
        assert_eq!(e164(&"9".repeat(1 << 20), US), Err(Problem::TooLong));
    }

    #[test]
    fn a_tel_prefix_past_its_context_is_answered() {
        for raw in [
            ";phone-context=+1;tel:678-999-8212",
            "678;phone-context=example.com;tel:",
            "6789998212;phone-context=+1tel:",
        ] {
            assert_eq!(e164(raw, US), Err(Problem::NotANumber), "{raw:?}");
        }
    }

    #[test]
    fn a_panic_inside_the_engine_is_a_problem_of_the_text() {
        let answer = with_engine(|engine| engine.parse(";phone-context=+1;tel:1", None));
        assert_eq!(answer.err(), Some(Problem::EngineFailure));
        assert_eq!(e164("678 999 8212", US).as_deref(), Ok("+16789998212"));
    }
}
