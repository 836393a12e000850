//! From dialed digits to a country calling code and a national number, as libphonenumber's `parseHelper` does it.

use super::number::National;
use super::{CallingCode, Length, Number, Region};
use crate::phone::spelling::Dialed;
use crate::phone::{E164, Problem};

/// Shortest and longest national number (`MIN_LENGTH_FOR_NSN`, `MAX_LENGTH_FOR_NSN`).
const MIN_NATIONAL: usize = 2;
const MAX_NATIONAL: usize = 17;
const MAX_CALLING_CODE: usize = 3;

/// The valid number that the digits are, as dialed in the region.
#[inline]
pub(in crate::phone) fn normalize(
    dialed: &Dialed,
    region: Option<&'static Region>,
) -> Result<E164, Problem> {
    match north_american(dialed, region) {
        Some((calling_code, national)) => calling_code.validate(national),
        None => parse(dialed, region)?.validate(),
    }
}

/// Reads the digits, as dialed in the region.
pub(in crate::phone) fn parse(
    dialed: &Dialed,
    region: Option<&'static Region>,
) -> Result<Number, Problem> {
    if region.is_none() && !dialed.plus {
        // What no region could read is the number's fault, not the region's.
        let us = Region::from_code(*b"US");
        return Err(match us.map(|us| split(dialed, Some(us))) {
            Some(Err(problem @ Problem::InvalidCountryCode)) => problem,
            _ => Problem::UnknownRegion,
        });
    }
    let (calling_code, national) = split(dialed, region)?;
    // Another country's number is read by the plan of its main region.
    let region = calling_code.map_or(region, CallingCode::main_region);
    let calling_code = calling_code.or_else(|| CallingCode::find(region?.calling_code));
    if national.digits().len() < MIN_NATIONAL {
        return Err(Problem::TooShort);
    }
    let (Some(region), Some(calling_code)) = (region, calling_code) else {
        return Err(Problem::InvalidCountryCode);
    };
    let stripped = strip_national_prefix(region, &national);
    // A prefix whose loss makes the number too short was none.
    let national = match region.lengths.test(stripped.digits().len()) {
        Length::LocalOnly | Length::TooShort | Length::Invalid => national,
        Length::Possible | Length::TooLong => stripped,
    };
    match national.digits().len() {
        ..MIN_NATIONAL => Err(Problem::TooShort),
        MIN_NATIONAL..=MAX_NATIONAL => Ok(Number {
            calling_code,
            national,
        }),
        _ => Err(Problem::TooLong),
    }
}

/// The short way for the numbers that are most of most lists: of the North American Numbering Plan, with its ten digits and
/// perhaps the country code 1. Nothing below would take off or add a digit: no area code starts with the national prefix
/// 1, and the rules of its regions speak of seven digits.
fn north_american<'a>(
    dialed: &'a Dialed,
    region: Option<&'static Region>,
) -> Option<(&'static CallingCode, &'a [u8])> {
    const CODE: u16 = 1;
    let national = match (dialed.plus, dialed.digits()) {
        (false, national @ [2..=9, _, _, _, _, _, _, _, _, _]) => national,
        (_, [1, national @ ..]) if matches!(national, [2..=9, _, _, _, _, _, _, _, _, _]) => {
            national
        }
        _ => return None,
    };
    if !dialed.plus && region?.calling_code != CODE {
        return None;
    }
    Some((CallingCode::find(CODE)?, national))
}

type Split = (Option<&'static CallingCode>, National);

/// Takes the country calling code off, where there is one (`maybeExtractCountryCode`).
fn split(dialed: &Dialed, region: Option<&'static Region>) -> Result<Split, Problem> {
    if !dialed.plus {
        return split_dialed(dialed.digits(), region);
    }
    match split_international(dialed.digits()) {
        // A plus sign before something that is no country: perhaps it was only decoration.
        Err(Problem::InvalidCountryCode) => match split_dialed(dialed.digits(), region)? {
            (None, _) => Err(Problem::InvalidCountryCode),
            split => Ok(split),
        },
        split => split,
    }
}

/// Digits that start with a country calling code.
fn split_international(digits: &[u8]) -> Result<Split, Problem> {
    if digits.len() <= MIN_NATIONAL {
        return Err(Problem::TooShort);
    }
    if digits[0] == 0 {
        return Err(Problem::InvalidCountryCode);
    }
    let mut code = 0;
    for (place, digit) in digits.iter().take(MAX_CALLING_CODE).enumerate() {
        code = code * 10 + u16::from(*digit);
        if let Some(calling_code) = CallingCode::find(code) {
            return Ok((Some(calling_code), National::new(&digits[place + 1..])));
        }
    }
    Err(Problem::InvalidCountryCode)
}

/// Digits as dialed in the region: with its international prefix, with its own country calling code, or without.
fn split_dialed(digits: &[u8], region: Option<&'static Region>) -> Result<Split, Problem> {
    let national = National::new(digits);
    let Some(region) = region else {
        return Ok((None, national));
    };
    if let Some(prefix) = &region.international_prefix
        && let Some(found) = prefix.find(digits)
        && digits.get(found.len) != Some(&0)
    {
        return split_international(&digits[found.len..]);
    }
    if let Some(calling_code) = CallingCode::find(region.calling_code)
        && let Some(rest) = strip_calling_code(calling_code.code, digits)
    {
        let rest = strip_national_prefix(region, &National::new(rest));
        if (!region.matches(digits) && region.matches(rest.digits()))
            || region.lengths.test(digits.len()) == Length::TooLong
        {
            return Ok((Some(calling_code), rest));
        }
    }
    Ok((None, national))
}

fn strip_calling_code(code: u16, digits: &[u8]) -> Option<&[u8]> {
    let len = match code {
        ..10 => 1,
        10..100 => 2,
        _ => MAX_CALLING_CODE,
    };
    let (start, rest) = digits.split_at_checked(len)?;
    let value = start
        .iter()
        .fold(0, |value, digit| value * 10 + u16::from(*digit));
    (value == code).then_some(rest)
}

/// The number without its national prefix and carrier code (`maybeStripNationalPrefixAndCarrierCode`).
fn strip_national_prefix(region: &Region, national: &National) -> National {
    let digits = national.digits();
    let Some((prefix, found)) = region
        .national_prefix
        .as_ref()
        .filter(|_| !digits.is_empty())
        .and_then(|prefix| Some((prefix, prefix.find(digits)?)))
    else {
        return *national;
    };
    let rest = &digits[found.len..];
    // The last group decides.
    let dialed_group = found.group(prefix.groups, digits).is_some();
    let stripped = match prefix.transform {
        Some((added, group)) if dialed_group => {
            National::concat([added, found.group(group, digits).unwrap_or_default(), rest])
        }
        _ => National::new(rest),
    };
    // A number that fits must still fit without its prefix.
    if region.matches(digits) && !region.matches(stripped.digits()) {
        *national
    } else {
        stripped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::plan::REGIONS;
    use crate::phone::spelling;

    /// Every six digits, with and without country code, each in one of the plan's regions.
    #[test]
    fn the_short_way_leads_where_the_long_one_does() {
        let regions: Vec<&'static Region> = REGIONS
            .iter()
            .filter(|region| region.calling_code == 1)
            .collect();
        assert!(regions.len() > 20);
        let mut short = 0;
        for prefix in 0..1_000_000usize {
            let region = regions[(prefix + prefix / 1000) % regions.len()];
            let number = format!("{prefix:06}{:04}", (prefix * 7919) % 10_000);
            for raw in [number.clone(), format!("1{number}"), format!("+1{number}")] {
                let Some(spelling::Spelling::Number(dialed)) = spelling::read(&raw) else {
                    panic!("{raw}");
                };
                let Some((code, national)) = north_american(&dialed, Some(region)) else {
                    continue;
                };
                let long = parse(&dialed, Some(region)).unwrap();
                assert_eq!(
                    (code.code, national),
                    (long.calling_code.code, long.national.digits()),
                    "{raw} in {}",
                    region.code
                );
                short += 1;
            }
        }
        assert_eq!(short, 3 * 800_000);
    }
}
