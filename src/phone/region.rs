//! The default region: where a number written without a country code belongs.

use core::fmt;

use super::plan::Region;

/// A region to read national numbers by, or none.
#[derive(Clone, Copy)]
pub struct DefaultRegion(pub(super) Option<&'static Region>);

impl DefaultRegion {
    /// No region: only numbers written with their country code are valid.
    pub const NONE: Self = Self(None);

    /// Reads an ISO 3166-1 alpha-2 code in any case, with or without blanks around it. `ZZ`, and what the metadata does not
    /// know, gives [`NONE`](Self::NONE).
    pub fn from_code(code: impl AsRef<[u8]>) -> Self {
        let &[first, second] = code.as_ref().trim_ascii() else {
            return Self::NONE;
        };
        Self(Region::from_code([
            first.to_ascii_uppercase(),
            second.to_ascii_uppercase(),
        ]))
    }

    /// The codes of all regions that the metadata knows.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Region::all().map(|region| region.code)
    }

    /// Whether the metadata knows the region.
    pub fn is_known(self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for DefaultRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DefaultRegion({})",
            self.0.map_or("ZZ", |region| region.code)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::DefaultRegion;

    #[test]
    fn codes_are_read_in_any_case() {
        for code in ["US", "us", "uS", "XK", "AC", "us ", "\tUS"] {
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
