//! A number as its country holds it.

use super::{Assignment, CallingCode, Length};
use crate::phone::spelling::MAX_DIGITS;
use crate::phone::{E164, Problem};

/// Room for what a transform rule adds.
pub(super) const MAX_ADDED: usize = 4;

/// National digits, as values.
#[derive(Clone, Copy)]
pub(super) struct National {
    digits: [u8; MAX_DIGITS + MAX_ADDED],
    len: usize,
}

impl National {
    pub(super) fn new(digits: &[u8]) -> Self {
        Self::concat([digits, &[], &[]])
    }

    pub(super) fn concat(parts: [&[u8]; 3]) -> Self {
        let mut national = Self {
            digits: [0; MAX_DIGITS + MAX_ADDED],
            len: 0,
        };
        for part in parts {
            let room = national.digits.iter_mut().skip(national.len);
            room.zip(part).for_each(|(room, digit)| *room = *digit);
            national.len = (national.len + part.len()).min(national.digits.len());
        }
        national
    }

    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.len]
    }
}

/// A number with its country, valid or not.
#[derive(Clone, Copy)]
pub(in crate::phone) struct Number {
    pub(super) calling_code: &'static CallingCode,
    pub(super) national: National,
}

impl Number {
    /// A number of national digits, as values; `None` where no country has the code.
    pub(in crate::phone) fn new(calling_code: u16, national: &[u8]) -> Option<Self> {
        Some(Self {
            calling_code: CallingCode::find(calling_code)?,
            national: National::new(national),
        })
    }

    pub(in crate::phone) fn calling_code(&self) -> u16 {
        self.calling_code.code
    }

    /// The national digits, as values.
    pub(in crate::phone) fn national(&self) -> &[u8] {
        self.national.digits()
    }

    /// Whom the number belongs to, where it is valid.
    pub(in crate::phone) fn assignment(&self) -> Option<Assignment> {
        self.calling_code.assignment(self.national())
    }

    /// The number in E.164, where it is valid.
    pub(in crate::phone) fn validate(&self) -> Result<E164, Problem> {
        self.calling_code.validate(self.national())
    }
}

impl CallingCode {
    /// The number of these national digits in E.164, where it is valid.
    pub(super) fn validate(&self, national: &[u8]) -> Result<E164, Problem> {
        if self.is_valid(national) {
            return E164::from_parts(self.code, national).ok_or(Problem::TooLong);
        }
        let lengths = self.main_region().map(|region| region.lengths);
        Err(match lengths.map(|lengths| lengths.test(national.len())) {
            Some(Length::Possible) => Problem::InvalidNumber,
            Some(Length::LocalOnly) => Problem::LocalOnly,
            Some(Length::TooShort) => Problem::TooShort,
            Some(Length::Invalid) => Problem::InvalidLength,
            Some(Length::TooLong) => Problem::TooLong,
            None => Problem::InvalidCountryCode,
        })
    }
}
