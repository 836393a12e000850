//! States of the United States and provinces of Canada: which has an area code, as libphonenumber's geocoding says, and the time zones there.

mod table;

use super::E164;
use table::{AREAS, STATES};

/// The state in which a number of the North American plan was given out, by its code (ISO 3166-2, after the country's). `None` for numbers of
/// no area, of an area code that several states share, and of other plans.
pub fn state_of(e164: &str) -> Option<&'static str> {
    let number = E164::from_text(e164)?;
    let area = number.as_bytes().strip_prefix(b"+1")?.get(..3)?;
    let area = area
        .iter()
        .fold(0, |value: u16, digit| value * 10 + u16::from(digit - b'0'));
    let place = AREAS
        .binary_search_by_key(&area, |(known, _)| *known)
        .ok()?;
    Some(AREAS[place].1)
}

/// The code of a state that is written as its code or its name, in any case.
pub fn state_code(raw: &str) -> Option<&'static str> {
    let raw = raw.trim();
    let (code, ..) = STATES
        .iter()
        .find(|(code, name, _)| code.eq_ignore_ascii_case(raw) || name.eq_ignore_ascii_case(raw))?;
    Some(code)
}

/// The time zones of a state, by its code and their names in the IANA time zone database.
pub fn zones_of_state(code: &str) -> Option<&'static [&'static str]> {
    let (_, _, zones) = STATES.iter().find(|(known, ..)| *known == code)?;
    Some(zones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_numbers() {
        for (number, state) in [
            ("+16789998212", Some("GA")),
            ("+13055551234", Some("FL")),
            ("+12125551234", Some("NY")),
            ("+14165551234", Some("ON")),
            // Nova Scotia and Prince Edward Island
            ("+19025551234", None),
            ("+17872345678", Some("PR")),
            ("+18005551234", None),
            ("+447400123456", None),
            ("+12", None),
            ("n/a", None),
        ] {
            assert_eq!(state_of(number), state, "{number}");
        }
    }

    #[test]
    fn states_as_people_write_them() {
        for (raw, state) in [
            ("FL", Some("FL")),
            (" fl ", Some("FL")),
            ("florida", Some("FL")),
            ("District of Columbia", Some("DC")),
            ("Bavaria", None),
            ("", None),
        ] {
            assert_eq!(state_code(raw), state, "{raw}");
        }
        assert_eq!(
            zones_of_state("FL"),
            Some(&["America/Chicago", "America/New_York"][..])
        );
        assert_eq!(zones_of_state("XX"), None);
    }

    #[test]
    fn areas_are_in_order_and_states_are_whole() {
        assert!(AREAS.is_sorted_by_key(|(area, _)| *area));
        for (_, state) in AREAS {
            assert!(zones_of_state(state).is_some_and(|zones| !zones.is_empty()));
        }
    }
}
