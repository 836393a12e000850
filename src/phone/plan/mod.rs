//! The numbering plans of the world: what libphonenumber's metadata says of digits, as tables.
//!
//! The patterns of the metadata are regular expressions over digits; compiled at run time, they cost megabytes in every
//! backend and milliseconds at the first number of each country. Here they are one automaton and a few small programs,
//! generated from the metadata (`generate`; a test generates them again and compares). They
//! lie in the read-only part of the library: nothing is built when a backend starts, and all backends share them.

mod automaton;
mod dialing;
#[cfg(test)]
mod generate;
mod number;
mod prefix;
mod tables;

pub(super) use dialing::{normalize, parse};
pub(super) use number::Number;

use super::kind::Kind;
use automaton::State;
use prefix::Prefix;
use tables::{CALLING_CODE_INDEX, CALLING_CODES, REGION_INDEX, REGIONS};

/// A region of the metadata: a country, or one of the plans that belong to no country.
#[derive(Debug)]
pub(super) struct Region {
    /// ISO 3166-1 alpha-2, or `001`.
    pub(super) code: &'static str,
    calling_code: u16,
    /// Where the automaton of its general pattern starts.
    general: State,
    lengths: Lengths,
    /// What is dialed before a number of another country.
    international_prefix: Option<Prefix>,
    /// What is dialed before a number of this country.
    national_prefix: Option<Prefix>,
}

/// Lengths of the national number, a bit for each.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    possible: u32,
    local_only: u32,
}

/// libphonenumber's `ValidationResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Possible,
    LocalOnly,
    TooShort,
    Invalid,
    TooLong,
}

/// A country calling code.
#[derive(Debug)]
struct CallingCode {
    code: u16,
    /// The main region of those that share the code.
    main_region: u8,
    /// Where the automaton of its valid numbers starts.
    valid: State,
}

/// Whom a valid number belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assignment {
    pub(super) region: &'static Region,
    pub(super) kind: Kind,
}

impl Region {
    /// The region of an upper-case ISO 3166-1 alpha-2 code.
    pub(super) fn from_code(code: [u8; 2]) -> Option<&'static Self> {
        let place = |letter: u8| letter.checked_sub(b'A').filter(|place| *place < 26);
        let index = usize::from(place(code[0])?) * 26 + usize::from(place(code[1])?);
        REGIONS.get(usize::from(*REGION_INDEX.get(index)?))
    }

    /// All that have a code of their own: `001` is of numbers of no region.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        REGIONS.iter().filter(|region| region.code.len() == 2)
    }

    /// Whether the number fits the region's general pattern.
    fn matches(&self, national: &[u8]) -> bool {
        self.general.walk(national).label() != 0
    }
}

impl Lengths {
    /// libphonenumber's `testNumberLength`.
    fn test(self, len: usize) -> Length {
        let bit = u32::try_from(len)
            .ok()
            .and_then(|len| 1u32.checked_shl(len));
        let Some(bit) = bit else {
            return Length::TooLong;
        };
        if self.possible == 0 {
            Length::Invalid
        } else if self.local_only & bit != 0 {
            Length::LocalOnly
        } else if self.possible & bit != 0 {
            Length::Possible
        } else if bit < self.possible & self.possible.wrapping_neg() {
            Length::TooShort
        } else if bit > self.possible {
            Length::TooLong
        } else {
            Length::Invalid
        }
    }
}

impl CallingCode {
    fn find(code: u16) -> Option<&'static Self> {
        let index = *CALLING_CODE_INDEX.get(usize::from(code))?;
        CALLING_CODES.get(usize::from(index))
    }

    fn main_region(&self) -> Option<&'static Region> {
        REGIONS.get(usize::from(self.main_region))
    }

    fn is_valid(&self, national: &[u8]) -> bool {
        self.valid.walk(national).label() != 0
    }

    fn assignment(&self, national: &[u8]) -> Option<Assignment> {
        let label = self.valid.walk(national).label().checked_sub(1)?;
        let (region, kind) = (
            usize::from(label) / Kind::ALL.len(),
            usize::from(label) % Kind::ALL.len(),
        );
        Some(Assignment {
            region: REGIONS.get(region)?,
            kind: *Kind::ALL.get(kind)?,
        })
    }
}
