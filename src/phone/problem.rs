//! Why a text is not a valid phone number.

use core::fmt;

/// The reason, under libphonenumber's own names where it has one (`NumberParseException.ErrorType`,
/// `PhoneNumberUtil.ValidationResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// Nothing but blank space.
    Empty,
    /// No phone number in the text.
    NotANumber,
    /// Written for a country calling code that does not exist.
    InvalidCountryCode,
    /// Written without a country code, and the region is `ZZ` or one the metadata does not know.
    UnknownRegion,
    /// Shorter than every number of its country.
    TooShort,
    /// Longer than every number of its country, than E.164's 15 digits, or than 250 characters of text.
    TooLong,
    /// Of a length between, which no number of its country has.
    InvalidLength,
    /// Complete only inside its area: the area code is missing.
    LocalOnly,
    /// Of a possible length, but in no range that its country documents as in use.
    InvalidNumber,
    /// The engine failed on this text: a defect to report.
    EngineFailure,
}

impl Problem {
    /// Every problem, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::NotANumber,
        Self::InvalidCountryCode,
        Self::UnknownRegion,
        Self::TooShort,
        Self::TooLong,
        Self::InvalidLength,
        Self::LocalOnly,
        Self::InvalidNumber,
        Self::EngineFailure,
    ];

    /// The stable code that `phone_problem()` returns.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotANumber => "not_a_number",
            Self::InvalidCountryCode => "invalid_country_code",
            Self::UnknownRegion => "unknown_region",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::InvalidLength => "invalid_length",
            Self::LocalOnly => "local_only",
            Self::InvalidNumber => "invalid_number",
            Self::EngineFailure => "engine_failure",
        }
    }
}

/// One sentence for a person.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "The text is empty.",
            Self::NotANumber => "There is no phone number in the text.",
            Self::InvalidCountryCode => "The country calling code does not exist.",
            Self::UnknownRegion => {
                "The number is written without a country code, and its region is not known."
            }
            Self::TooShort => "The number is too short for its country.",
            Self::TooLong => "The number is too long.",
            Self::InvalidLength => "No number of its country has this length.",
            Self::LocalOnly => "The area code is missing.",
            Self::InvalidNumber => "Its country documents no range of numbers that it is in.",
            Self::EngineFailure => "The phone number engine failed on this text.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct() {
        let codes: HashSet<_> = Problem::ALL.iter().map(|problem| problem.code()).collect();
        assert_eq!(codes.len(), Problem::ALL.len());
    }
}
