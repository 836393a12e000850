//! The time zones in which a number may ring, as libphonenumber's `PhoneNumberToTimeZonesMapper` says.

mod table;

use super::E164;
use super::describe::code_and_kind_of;
use super::kind::Kind;
use table::{LISTS, LONGEST_PREFIX, PREFIXES, ZONES};

/// Countries whose mobile numbers have an area (libphonenumber's `GEO_MOBILE_COUNTRIES`).
const GEOGRAPHICAL_MOBILE: [u16; 5] = [52, 54, 55, 62, 86];

/// The time zones of a valid number, by their names in the IANA time zone database, in libphonenumber's order. A number of no
/// area has those of its whole country. `None` for a number that is not valid, and where no zone is known.
pub fn time_zones_of(e164: &str) -> Option<impl Iterator<Item = &'static str>> {
    let number = E164::from_text(e164)?;
    let (calling_code, kind) = code_and_kind_of(&number)?;
    let is_geographical = match kind {
        Kind::FixedLine | Kind::FixedLineOrMobile => true,
        Kind::Mobile => GEOGRAPHICAL_MOBILE.contains(&calling_code),
        _ => false,
    };
    let list = if is_geographical {
        list_of_prefix(&number)?
    } else {
        list_of(u32::from(calling_code))?
    };
    let names = list
        .iter()
        .filter_map(|zone| ZONES.get(usize::from(*zone)).copied());
    (!list.is_empty()).then_some(names)
}

/// The list of the longest prefix of a number that has one.
fn list_of_prefix(number: &E164) -> Option<&'static [u16]> {
    let digits = &number.as_bytes()[1..];
    let digits = &digits[..digits.len().min(LONGEST_PREFIX)];
    let mut prefix = digits
        .iter()
        .fold(0, |value: u32, digit| value * 10 + u32::from(digit - b'0'));
    while prefix > 0 {
        if let Some(list) = list_of(prefix) {
            return Some(list);
        }
        prefix /= 10;
    }
    None
}

fn list_of(prefix: u32) -> Option<&'static [u16]> {
    let place = PREFIXES
        .binary_search_by_key(&prefix, |(known, _)| *known)
        .ok()?;
    LISTS.get(usize::from(PREFIXES[place].1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_areas_countries_and_none() {
        for (number, zones) in [
            ("+16789998212", "America/New_York"),
            ("+14806521111", "America/Phoenix"),
            ("+4930123456", "Europe/Berlin"),
            (
                "+447400123456",
                "Europe/Guernsey,Europe/Isle_of_Man,Europe/Jersey,Europe/London",
            ),
            ("+80012345678", ""),
            ("+11234567890", ""),
            ("n/a", ""),
        ] {
            let found: Vec<_> = time_zones_of(number).into_iter().flatten().collect();
            assert_eq!(found.join(","), zones, "{number}");
        }
        assert!(time_zones_of("+18002345678").is_some_and(|zones| zones.count() > 10));
    }

    #[test]
    fn prefixes_are_in_order_and_lists_are_there() {
        assert!(PREFIXES.is_sorted_by_key(|(prefix, _)| *prefix));
        assert!(
            PREFIXES
                .iter()
                .all(|(_, list)| usize::from(*list) < LISTS.len())
        );
        assert!(
            LISTS
                .iter()
                .all(|list| list.iter().all(|zone| usize::from(*zone) < ZONES.len()))
        );
    }
}
