//! An E.164 number as a value: `+` and 2 to 15 digits, the first not 0.

use core::fmt;
use core::ops::Deref;

/// Most digits of a number: country code and national number together (ITU-T E.164, 6.2.1).
const MAX_DIGITS: usize = 15;
const MIN_DIGITS: usize = 2;

/// A phone number in E.164 shape, held without allocation. The shape says nothing about validity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct E164 {
    len: u8,
    text: [u8; MAX_DIGITS + 1],
}

impl E164 {
    /// Reads text that already has the shape; `None` for anything else.
    pub fn from_text(text: impl AsRef<[u8]>) -> Option<Self> {
        let digits = text.as_ref().strip_prefix(b"+")?;
        Self::from_digits(digits.iter().copied())
    }

    /// Puts a number together: country calling code, digits of the national number as values. `None` where that is not 2
    /// to 15 digits.
    pub(super) fn from_parts(country_code: u16, national: &[u8]) -> Option<Self> {
        let mut text = [0u8; MAX_DIGITS + 1];
        text[0] = b'+';
        let mut len = 1;
        for upto in [100, 10, 1].map(|place| country_code / place) {
            if upto > 0 {
                text[len] = b'0' + (upto % 10) as u8;
                len += 1;
            }
        }
        let country_len = len;
        for (place, digit) in text.get_mut(len..)?.iter_mut().zip(national) {
            *place = b'0' + digit;
            len += 1;
        }
        (country_len > 1 && len == country_len + national.len() && len > MIN_DIGITS).then_some(
            Self {
                len: len as u8,
                text,
            },
        )
    }

    fn from_digits(digits: impl Iterator<Item = u8>) -> Option<Self> {
        let mut text = [0u8; MAX_DIGITS + 1];
        text[0] = b'+';
        let mut len = 1;
        for digit in digits {
            if !digit.is_ascii_digit() || (len == 1 && digit == b'0') {
                return None;
            }
            *text.get_mut(len)? = digit;
            len += 1;
        }
        (len > MIN_DIGITS).then_some(Self {
            len: len as u8,
            text,
        })
    }

    /// The number as ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// The digits as an integer: no number begins with 0, and 15 digits fit.
    pub fn number(&self) -> i64 {
        let digits = &self.text[1..usize::from(self.len)];
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    }

    /// The digits packed four bits each, first digit highest: numbers in this order are in the order of their text in
    /// collation "C", the order of every index on an `e164` column.
    pub fn sort_key(&self) -> u64 {
        let mut key = 0;
        for place in 1..=MAX_DIGITS {
            // 1 to 10 for a digit, 0 past the end, so that a prefix sorts before what it begins.
            let nibble = match self.text[place] {
                0 => 0,
                digit => u64::from(digit - b'0') + 1,
            };
            key = key << 4 | nibble;
        }
        key
    }

    /// The number of a [`sort_key`](Self::sort_key).
    pub fn from_sort_key(key: u64) -> Option<Self> {
        let nibbles = (0..MAX_DIGITS)
            .map(|place| (key >> (4 * (MAX_DIGITS - 1 - place)) & 0xf) as u8)
            .take_while(|nibble| *nibble != 0);
        Self::from_digits(nibbles.map(|nibble| nibble - 1 + b'0'))
    }
}

impl Deref for E164 {
    type Target = str;

    fn deref(&self) -> &str {
        // The bytes are ASCII by construction; an empty string is the answer that cannot happen.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E164({})", &**self)
    }
}

#[cfg(test)]
mod tests {
    use super::E164;

    #[test]
    fn shape_is_plus_and_two_to_fifteen_digits() {
        for text in ["+12", "+16789998212", "+123456789012345"] {
            assert_eq!(E164::from_text(text).as_deref(), Some(text));
        }
        for text in [
            "",
            "+",
            "+1",
            "12",
            "+012",
            "+1234567890123456",
            "+1 2",
            "+1٢",
            " +12",
            "+12 ",
            "++12",
        ] {
            assert_eq!(E164::from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn parts_keep_the_leading_zeros_of_the_national_number() {
        let text = |code, national: &[u8]| E164::from_parts(code, national).map(|n| n.to_string());
        assert_eq!(text(1, &[6, 7, 8]), Some("+1678".into()));
        assert_eq!(text(39, &[0, 2, 3, 6]), Some("+390236".into()));
        assert_eq!(text(234, &[8; 12]), Some("+234888888888888".into()));
        assert_eq!(text(234, &[8; 13]), None, "16 digits");
        assert_eq!(text(0, &[0, 1]), None);
    }

    #[test]
    fn sort_keys_order_as_text_and_come_back() {
        let mut texts = vec![
            "+4930123456",
            "+12",
            "+123",
            "+16789998212",
            "+1678999821",
            "+999999999999999",
            "+10",
            "+100",
        ];
        let key = |text: &&str| E164::from_text(text).map(|n| n.sort_key());
        let mut by_key = texts.clone();
        by_key.sort_by_key(key);
        texts.sort_unstable();
        assert_eq!(by_key, texts);
        for text in texts {
            assert_eq!(
                E164::from_sort_key(key(&text).unwrap()).as_deref(),
                Some(text)
            );
        }
        assert_eq!(E164::from_sort_key(0), None);
    }
}
