//! Numbers that are known by their hashes alone: lists are passed around this way, and show nobody's numbers.
//!
//! A hash is compared by its first 63 bits, as a negative integer beside the numbers themselves, which are positive. Of ten million numbers and as
//! many hashes, two agree by chance once in a hundred thousand lists; then the number is disqualified.

use sha2::{Digest, Sha256};

use crate::phone::E164;

/// What a number may be entered as: itself, and its hash.
#[must_use]
pub fn keys_of(number: &E164) -> [i64; 2] {
    [number.number(), key_of(number)]
}

/// The key of the hash of a number, over its text in E.164.
#[must_use]
pub fn key_of(number: &E164) -> i64 {
    let hash = Sha256::digest(number.as_bytes());
    key(hash.iter().take(8))
}

/// The key of a hash as lists have it: 64 hexadecimal digits of SHA-256; `None` for any other text.
#[must_use]
pub fn key_from_hex(text: &str) -> Option<i64> {
    let text = text.trim();
    // as Postgres shows a bytea
    let digits = text.strip_prefix("\\x").unwrap_or(text);
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let first = u64::from_str_radix(digits.get(..16)?, 16).ok()?;
    Some(key(first.to_be_bytes().iter()))
}

fn key<'byte>(first: impl Iterator<Item = &'byte u8>) -> i64 {
    let bits = first.fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    !((bits >> 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::{key_from_hex, keys_of};
    use crate::phone::E164;

    #[test]
    fn a_number_has_the_key_of_its_hash() {
        let number = E164::from_text("+16789998212").expect("a number");
        let [itself, hashed] = keys_of(&number);
        assert_eq!(itself, 16_789_998_212);
        assert!(hashed < 0);
        // printf +16789998212 | sha256sum
        let hash = "dd7b2098c594f9d54e57878db49685aa5aaa9a27d20d543e84688ee6e7b2ffde";
        assert_eq!(key_from_hex(hash), Some(hashed));
        let shown = format!(" \\x{}\n", hash.to_uppercase());
        assert_eq!(key_from_hex(&shown), Some(hashed));
    }

    #[test]
    fn what_is_no_hash() {
        for text in [
            "",
            "+16789998212",
            &"g".repeat(64),
            &"a".repeat(63),
            &"é".repeat(32),
            &"a".repeat(65),
        ] {
            assert_eq!(key_from_hex(text), None, "{text}");
        }
    }
}
