//! What there is to say about a number: formats, region, type.

use rlibphonenumber::PhoneNumberFormat;
use serde::Serialize;

use super::kind::Kind;
use super::normalize::read;
use super::plan::{Assignment, Number};
use super::{DefaultRegion, E164, Problem, engine, spelling};

/// How to write a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `+16789998212`
    E164,
    /// `+1 678-999-8212` (ITU-T E.123)
    International,
    /// `(678) 999-8212`
    National,
    /// `tel:+1-678-999-8212` (RFC 3966)
    Rfc3966,
}

impl Style {
    /// The names that [`from_name`](Self::from_name) reads.
    pub const NAMES: &'static str = "e164, international, national, rfc3966";

    /// The style of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "e164" => Self::E164,
            "international" => Self::International,
            "national" => Self::National,
            "rfc3966" => Self::Rfc3966,
            _ => return None,
        })
    }
}

/// All that is known of a text. What an invalid number does not have is `None`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The number in E.164.
    pub e164: Option<String>,
    /// The country calling code.
    pub country_code: Option<u16>,
    /// The national significant number, with its leading zeros.
    pub national_number: Option<String>,
    /// ISO 3166-1 alpha-2, or `001` for a number of no country.
    pub region: Option<&'static str>,
    /// As [`kind_of`] names it.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    /// The extension, which E.164 has no room for.
    pub extension: Option<String>,
    /// [`Style::National`], with the extension.
    pub national: Option<String>,
    /// [`Style::International`], with the extension.
    pub international: Option<String>,
    /// [`Style::Rfc3966`], with the extension.
    pub rfc3966: Option<String>,
    /// Whether the number is valid.
    pub valid: bool,
    /// [`Problem::code`], where it is not.
    pub problem: Option<&'static str>,
}

/// The extension beside the valid number that the text spells, as digits; `None` where there is none.
pub fn extension(raw: &str, region: DefaultRegion) -> Option<String> {
    if spelling::is_plain(raw.as_bytes()) {
        return None;
    }
    // By the engine: only it keeps the extension.
    let (number, extension) = engine::parse(raw, region).ok()?;
    number.validate().ok()?;
    extension
}

/// Describes the number that the text spells.
pub fn describe(raw: &str, region: DefaultRegion) -> Description {
    // By the engine, whatever the spelling: only it keeps the extension.
    engine::parse(raw, region)
        .map(|(number, extension)| describe_number(&number, extension))
        .unwrap_or_else(|problem| Description {
            problem: Some(problem.code()),
            ..Description::default()
        })
}

fn describe_number(number: &Number, extension: Option<String>) -> Description {
    let valid = number
        .validate()
        .and_then(|e164| describe_valid(number, e164, extension.as_deref()))
        .unwrap_or_else(|problem| Description {
            problem: Some(problem.code()),
            ..Description::default()
        });
    Description {
        country_code: Some(number.calling_code()),
        national_number: Some(digits_text(number.national())),
        extension,
        ..valid
    }
}

fn describe_valid(
    number: &Number,
    e164: E164,
    extension: Option<&str>,
) -> Result<Description, Problem> {
    let style = |style| engine::write(number, extension, style).map(Some);
    let assignment = number.assignment();
    Ok(Description {
        e164: Some(e164.to_string()),
        region: assignment.map(region_name),
        kind: assignment.map(kind_name),
        national: style(PhoneNumberFormat::National)?,
        international: style(PhoneNumberFormat::International)?,
        rfc3966: style(PhoneNumberFormat::RFC3966)?,
        valid: true,
        ..Description::default()
    })
}

/// Writes a number in a style. One that is not valid any more stays as it is.
pub fn format(e164: &str, style: Style) -> String {
    let style = match style {
        Style::E164 => None,
        Style::International => Some(PhoneNumberFormat::International),
        Style::National => Some(PhoneNumberFormat::National),
        Style::Rfc3966 => Some(PhoneNumberFormat::RFC3966),
    };
    style
        .and_then(|style| {
            let number = read_e164(e164).filter(|number| number.validate().is_ok())?;
            engine::write(&number, None, style).ok()
        })
        .unwrap_or_else(|| e164.to_owned())
}

/// The region of a valid number: ISO 3166-1 alpha-2, or `001` where it belongs to no country.
pub fn region_of(e164: &str) -> Option<&'static str> {
    assignment_of(e164).map(region_name)
}

/// The type of a valid number, under libphonenumber's names in lower case.
pub fn kind_of(e164: &str) -> Option<&'static str> {
    assignment_of(e164).map(kind_name)
}

/// The country calling code and the type of a valid number.
pub(super) fn code_and_kind_of(e164: &str) -> Option<(u16, Kind)> {
    let number = read_e164(e164)?;
    Some((number.calling_code(), assignment(&number)?.kind))
}

fn assignment_of(e164: &str) -> Option<Assignment> {
    assignment(&read_e164(e164)?)
}

fn assignment(number: &Number) -> Option<Assignment> {
    // Nothing that E.164 has no room for belongs to anyone.
    E164::from_parts(number.calling_code(), number.national())?;
    number.assignment()
}

fn read_e164(e164: &str) -> Option<Number> {
    read(e164, DefaultRegion::NONE)?.ok()
}

fn region_name(assignment: Assignment) -> &'static str {
    assignment.region.code
}

fn kind_name(assignment: Assignment) -> &'static str {
    assignment.kind.name()
}

fn digits_text(values: &[u8]) -> String {
    values
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_of_a_number() {
        let write = |name| format("+16789998212", Style::from_name(name).unwrap());
        assert_eq!(write("e164"), "+16789998212");
        assert_eq!(write("international"), "+1 678-999-8212");
        assert_eq!(write("national"), "(678) 999-8212");
        assert_eq!(write("rfc3966"), "tel:+1-678-999-8212");
        assert_eq!(Style::from_name("National"), None);
        assert!(
            Style::NAMES
                .split(", ")
                .all(|name| Style::from_name(name).is_some())
        );
    }

    #[test]
    fn a_number_that_is_not_valid_stays_as_it_is() {
        assert_eq!(format("+19999999999", Style::National), "+19999999999");
        assert_eq!(region_of("+19999999999"), None);
        assert_eq!(kind_of("+19999999999"), None);
    }

    #[test]
    fn regions_and_types() {
        let about = |number| (region_of(number).unwrap(), kind_of(number).unwrap());
        assert_eq!(about("+16789998212"), ("US", "fixed_line_or_mobile"));
        assert_eq!(about("+14165550123").0, "CA");
        assert_eq!(about("+447400123456"), ("GB", "mobile"));
        assert_eq!(about("+4930123456"), ("DE", "fixed_line"));
        assert_eq!(about("+18002345678"), ("US", "toll_free"));
        assert_eq!(about("+80012345678"), ("001", "toll_free"));
    }

    #[test]
    fn a_description_is_whole() {
        let described = describe("(678) 999-8212 x22", DefaultRegion::from_code("US"));
        assert_eq!(
            serde_json::to_value(described).unwrap(),
            serde_json::json!({
                "e164": "+16789998212", "country_code": 1, "national_number": "6789998212", "region": "US",
                "type": "fixed_line_or_mobile", "extension": "22", "national": "(678) 999-8212 ext. 22",
                "international": "+1 678-999-8212 ext. 22", "rfc3966": "tel:+1-678-999-8212;ext=22",
                "valid": true, "problem": null
            })
        );
    }

    #[test]
    fn an_invalid_number_says_what_it_can() {
        let described = describe("999-999-9999", DefaultRegion::from_code("US"));
        assert_eq!(described.country_code, Some(1));
        assert_eq!(described.national_number.as_deref(), Some("9999999999"));
        assert_eq!((described.e164, described.region), (None, None));
        assert_eq!(
            (described.valid, described.problem),
            (false, Some("invalid_number"))
        );
    }
}
