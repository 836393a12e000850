//! From text to a valid number.

use super::engine;
use super::plan::{self, Number};
use super::spelling::{self, Spelling};
use super::{DefaultRegion, E164, Problem};

/// The valid number that the text spells.
///
/// # Errors
/// The [`Problem`], where there is none.
pub fn normalize(raw: &str, region: DefaultRegion) -> Result<E164, Problem> {
    match spelling::read(raw) {
        Some(Spelling::Number(dialed)) => plan::normalize(&dialed, region.0),
        Some(Spelling::Nothing) => Err(nothing(raw)),
        None => engine::parse(raw, region)?.0.validate(),
    }
}

/// The same of bytes in any encoding that extends ASCII; `None` where they must be decoded first.
pub fn normalize_ascii(raw: &[u8], region: DefaultRegion) -> Option<Result<E164, Problem>> {
    match spelling::read_ascii(raw)? {
        Spelling::Number(dialed) => Some(plan::normalize(&dialed, region.0)),
        // Why it is none is not urgent.
        Spelling::Nothing => None,
    }
}

/// The number in a text that is spelled as usual, valid or not; `None` where the engine must be asked.
pub(super) fn read(raw: &str, region: DefaultRegion) -> Option<Result<Number, Problem>> {
    let spelling = spelling::read_ascii(raw.as_bytes()).or_else(|| spelling::read(raw))?;
    Some(match spelling {
        Spelling::Number(dialed) => plan::parse(&dialed, region.0),
        Spelling::Nothing => Err(nothing(raw)),
    })
}

fn nothing(raw: &str) -> Problem {
    if raw.chars().all(engine::is_blank) {
        Problem::Empty
    } else {
        Problem::NotANumber
    }
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
}
