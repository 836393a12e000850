//! The fast path for numbers of the North American Numbering Plan (+1), the bulk of most lists.
//!
//! A strict grammar decides which texts may take it: digits, space and `-.()`, perhaps a `+` before the first digit, at
//! most 32 bytes, read with a default region of the plan, and of ten digits, or eleven with the country code. To such a
//! text libphonenumber does nothing but drop the punctuation and ask whether the national number is valid, and that is a
//! table look-up: the first six digits decide for all but a few prefixes. Every other text takes the engine, and so do
//! those prefixes. The table is generated from the engine, and a test generates it anew.

use super::nanp_table::{AREAS, MIXED, ROWS};
use super::{DefaultRegion, E164, Problem};

/// Longest text that is looked at.
const MAX_BYTES: usize = 32;

/// The answer of the engine, where the grammar admits the text; `None` where the engine must be asked.
pub(super) fn normalize(raw: &str, region: DefaultRegion) -> Option<Result<E164, Problem>> {
    if raw.len() > MAX_BYTES || !region.is_nanp() {
        return None;
    }
    let mut digits = [0u8; 11];
    let mut len = 0;
    let mut plus = false;
    for byte in raw.bytes() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(len)? = byte - b'0';
                len += 1;
            }
            b' ' | b'-' | b'.' | b'(' | b')' => {}
            b'+' if len == 0 && !plus => plus = true,
            _ => return None,
        }
    }
    let national: &[u8; 10] = match (len, plus, digits[0]) {
        (10, false, _) => digits[..10].try_into().ok()?,
        (11, _, 1) => digits[1..].try_into().ok()?,
        _ => return None,
    };
    // A leading 0 or 1 is a prefix to the engine.
    if national[0] < 2 {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, d| sum * 10 + u32::from(*d));
    let (area, exchange) = (number(&national[..3]), number(&national[3..6]));
    if MIXED.contains(&(area * 1000 + exchange)) {
        return None;
    }
    let row = ROWS[usize::from(AREAS[area as usize])];
    let valid = row[exchange as usize / 8] >> (exchange % 8) & 1 == 1;
    Some(if valid {
        E164::from_nanp(national).ok_or(Problem::InvalidNumber)
    } else {
        Err(Problem::InvalidNumber)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::engine;
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber};
    use std::fmt::Write;

    const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/phone/nanp_table.rs");

    fn is_valid(national_number: u64) -> bool {
        let number = PhoneNumber {
            country_code: 1,
            national_number,
            ..PhoneNumber::default()
        };
        PHONE_NUMBER_UTIL.is_valid_number(&number)
    }

    /// Line numbers that tell whether a prefix decides: every digit in every place.
    const LINES: [u64; 11] = [
        0, 1111, 2222, 3333, 4444, 5555, 6666, 7777, 8888, 9999, 4321,
    ];

    /// The exchange codes of an area code that are valid, and the prefixes that do not decide.
    fn area_row(area: u64) -> ([u8; 125], Vec<u64>) {
        let mut row = [0u8; 125];
        let mut mixed = Vec::new();
        for exchange in 0..1000u64 {
            let prefix = area * 1000 + exchange;
            let valid = LINES
                .iter()
                .filter(|line| is_valid(prefix * 10_000 + **line))
                .count();
            if valid == LINES.len() {
                row[exchange as usize / 8] |= 1 << (exchange % 8);
            } else if valid > 0 {
                mixed.push(prefix);
            }
        }
        (row, mixed)
    }

    /// The table, from the engine: every prefix of six digits.
    fn generate() -> String {
        let [low, high] = [200..600, 600..1000u64]
            .map(|areas| std::thread::spawn(move || areas.map(area_row).collect::<Vec<_>>()));
        let walked = low.join().unwrap().into_iter().chain(high.join().unwrap());
        let mut rows: Vec<[u8; 125]> = vec![[0; 125]];
        let mut areas = vec![0usize; 200];
        let mut mixed = Vec::new();
        for (row, undecided) in walked {
            mixed.extend(undecided);
            areas.push(
                rows.iter()
                    .position(|known| *known == row)
                    .unwrap_or_else(|| {
                        rows.push(row);
                        rows.len() - 1
                    }),
            );
        }
        let mut out = String::from(
            "//! Which numbers of the North American Numbering Plan are valid. Generated from the engine by the test\n\
             //! `the_table_is_the_engines`; `UPDATE_NANP_TABLE=1` lets it write this file.\n\n\
             /// Prefixes of six digits that do not decide.\n",
        );
        writeln!(
            out,
            "pub(super) const MIXED: [u32; {}] = {mixed:?};\n",
            mixed.len()
        )
        .unwrap();
        out.push_str("/// Row of each area code.\n#[rustfmt::skip]\n");
        writeln!(out, "pub(super) static AREAS: [u8; 1000] = {areas:?};\n").unwrap();
        out.push_str("/// Valid exchange codes, a bit for each.\n#[rustfmt::skip]\n");
        writeln!(
            out,
            "pub(super) static ROWS: [[u8; 125]; {}] = [",
            rows.len()
        )
        .unwrap();
        for row in rows {
            writeln!(out, "    {row:?},").unwrap();
        }
        out.push_str("];\n");
        out
    }

    #[test]
    fn the_table_is_the_engines() {
        let generated = generate();
        if std::env::var_os("UPDATE_NANP_TABLE").is_some() {
            std::fs::write(TABLE, &generated).unwrap();
        }
        let checked_in = std::fs::read_to_string(TABLE).unwrap();
        assert!(
            generated == checked_in,
            "run with UPDATE_NANP_TABLE=1 and look at the difference"
        );
    }

    #[test]
    fn the_plans_regions_are_the_engines() {
        for first in 'A'..='Z' {
            for second in 'A'..='Z' {
                let code = format!("{first}{second}");
                let region = DefaultRegion::from_code(&code);
                let expected = region
                    .as_engine_region()
                    .is_some_and(|region| PHONE_NUMBER_UTIL.is_nanpa_country(region));
                assert_eq!(region.is_nanp(), expected, "{code}");
            }
        }
    }

    /// Random texts of the grammar, with the number of digits that are looked at and some around it.
    #[test]
    fn random_texts_of_the_grammar_get_the_engines_answer() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let regions = ["US", "CA", "JM", "BS", "PR", "BB", "DO", "TT"];
        let mut answered = 0;
        for round in 0..200_000 {
            let mut text = String::new();
            let wanted = [10, 10, 10, 11, 11, 9, 12, 7][random(8) as usize];
            if random(4) == 0 {
                text.push_str(["+", "+ ", "(+", "++", "-+"][random(5) as usize]);
            }
            for place in 0..wanted {
                for _ in 0..random(3) / 2 * (1 + random(2)) {
                    text.push([' ', '-', '.', '(', ')', '+'][(random(61) / 12) as usize]);
                }
                let digit = match (place, wanted) {
                    (0, 11 | 12) => 1,
                    _ if random(3) == 0 => [2, 6, 8, 7, 4][random(5) as usize],
                    _ => random(10),
                };
                text.push(char::from(b'0' + digit as u8));
            }
            if random(8) == 0 {
                text.push([' ', ')', '-', '.'][random(4) as usize]);
            }
            let region = DefaultRegion::from_code(regions[round % regions.len()]);
            if let Some(fast) = normalize(&text, region) {
                answered += 1;
                assert_eq!(fast, engine::normalize_by_engine(&text, region), "{text:?}");
            }
        }
        assert!(answered > 50_000, "{answered}");
    }

    #[test]
    fn prefixes_that_do_not_decide_take_the_engine() {
        let us = DefaultRegion::from_code("US");
        for prefix in MIXED {
            assert_eq!(normalize(&format!("{prefix}5555"), us), None);
        }
        assert_eq!(normalize("+49 30 123456", us), None);
        assert_eq!(
            normalize("678 999 8212", DefaultRegion::from_code("DE")),
            None
        );
    }
}
