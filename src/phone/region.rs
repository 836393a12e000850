//! The default region: where a number written without a country code belongs.

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

/// A region to read national numbers by, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRegion(Option<Region>);

impl DefaultRegion {
    /// No region: only numbers written with their country code are valid.
    pub const NONE: Self = Self(None);

    /// Reads an ISO 3166-1 alpha-2 code in any case. `ZZ` and codes the metadata does not know give [`NONE`](Self::NONE).
    pub fn from_code(code: &str) -> Self {
        let &[first, second] = code.as_bytes() else {
            return Self::NONE;
        };
        if !(first.is_ascii_alphabetic() && second.is_ascii_alphabetic()) {
            return Self::NONE;
        }
        let upper = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
        let region = core::str::from_utf8(&upper)
            .ok()
            .and_then(|code| Region::from_code(code).ok())
            .filter(|region| {
                PHONE_NUMBER_UTIL
                    .get_country_code_for_region(*region)
                    .is_some()
            });
        Self(region)
    }

    /// Whether the metadata knows the region.
    pub fn is_known(self) -> bool {
        self.0.is_some()
    }

    pub(super) fn as_engine_region(self) -> Option<Region> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::DefaultRegion;

    #[test]
    fn codes_are_read_in_any_case() {
        for code in ["US", "us", "uS", "XK", "AC"] {
            assert!(DefaultRegion::from_code(code).is_known(), "{code}");
        }
    }

    #[test]
    fn unknown_codes_are_no_region() {
        for code in [
            "",
            "U",
            "USA",
            "ZZ",
            "zz",
            "XX",
            "UK",
            "001",
            "U ",
            "ÜS",
            "é",
            "1",
            "\u{0}\u{0}",
        ] {
            assert_eq!(
                DefaultRegion::from_code(code),
                DefaultRegion::NONE,
                "{code:?}"
            );
        }
    }
}
