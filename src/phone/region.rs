//! The default region: where a number written without a country code belongs.

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

/// A region to read national numbers by, or none. Reading its code costs nothing; the engine is asked when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRegion(Option<[u8; 2]>);

/// The regions of the North American Numbering Plan (country calling code 1).
const NANP: [&[u8; 2]; 25] = [
    b"US", b"CA", b"AG", b"AI", b"AS", b"BB", b"BM", b"BS", b"DM", b"DO", b"GD", b"GU", b"JM",
    b"KN", b"KY", b"LC", b"MP", b"MS", b"PR", b"SX", b"TC", b"TT", b"VC", b"VG", b"VI",
];

impl DefaultRegion {
    /// No region: only numbers written with their country code are valid.
    pub const NONE: Self = Self(None);

    /// Reads an ISO 3166-1 alpha-2 code in any case. `ZZ`, and what is not two letters, gives [`NONE`](Self::NONE).
    pub fn from_code(code: &str) -> Self {
        let &[first, second] = code.as_bytes() else {
            return Self::NONE;
        };
        let code = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
        if code.iter().all(u8::is_ascii_uppercase) && code != *b"ZZ" {
            Self(Some(code))
        } else {
            Self::NONE
        }
    }

    /// Whether the metadata knows the region.
    pub fn is_known(self) -> bool {
        self.as_engine_region().is_some()
    }

    /// Whether the region's country calling code is 1.
    pub(super) fn is_nanp(self) -> bool {
        self.0.is_some_and(|code| NANP.contains(&&code))
    }

    /// The region, where the metadata knows it.
    pub(super) fn as_engine_region(self) -> Option<Region> {
        let code = self.0?;
        let region = Region::from_code(core::str::from_utf8(&code).ok()?).ok()?;
        PHONE_NUMBER_UTIL
            .get_country_code_for_region(region)
            .map(|_| region)
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
            assert!(!DefaultRegion::from_code(code).is_known(), "{code:?}");
        }
    }
}
