//! Our own reading against the engine's: everything that is not asked of the engine must be its answer.
//!
//! `LEAD_PHONES_ROUNDS` sets the number of random texts, for a longer run.

use rlibphonenumber::{
    NumberLengthType, ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberType,
    Region as EngineRegion, ValidationError,
};

use super::engine::{engine, lacks_region, problem_of};
use super::kind::Kind;
use super::normalize::{normalize, normalize_ascii, read};
use super::plan::Number;
use super::{DefaultRegion, Problem};

#[path = "../../tests/support/random.rs"]
mod random;
use random::Random;

/// Everything there is to compare: the number, whom it belongs to, or the problem.
type Answer = Result<(String, &'static str, Kind), Problem>;

fn ours(read: Result<Number, Problem>) -> Answer {
    let number = read?;
    let e164 = number.validate()?.to_string();
    let assignment = number.assignment().unwrap();
    Ok((e164, assignment.region.code, assignment.kind))
}

/// The engine's answer, by its own regular expressions.
fn engines(raw: &str, region: Option<EngineRegion>) -> Answer {
    let engine = engine();
    let number = engine.parse(raw, region).map_err(|error| match error {
        ParseError::InvalidCountryCode
            if region.is_none() && lacks_region(engine, raw, from_start(raw)) =>
        {
            Problem::UnknownRegion
        }
        error => problem_of(error),
    })?;
    engines_validity(&number)
}

/// The text from its first digit or plus sign on.
fn from_start(raw: &str) -> &str {
    raw.trim_start_matches(|c: char| !c.is_numeric() && !"+\u{ff0b}".contains(c))
}

fn engines_validity(number: &PhoneNumber) -> Answer {
    let engine = engine();
    if !engine.is_valid_number(number) {
        return Err(match engine.is_possible_number_with_reason(number) {
            Ok(NumberLengthType::IsPossible) => Problem::InvalidNumber,
            Ok(NumberLengthType::IsPossibleLocalOnly) => Problem::LocalOnly,
            Err(ValidationError::InvalidCountryCode) => Problem::InvalidCountryCode,
            Err(ValidationError::TooShort) => Problem::TooShort,
            Err(ValidationError::InvalidLength) => Problem::InvalidLength,
            Err(ValidationError::TooLong) => Problem::TooLong,
        });
    }
    let e164 = engine.format(number, PhoneNumberFormat::E164).into_owned();
    if e164.len() > 16 {
        return Err(Problem::TooLong);
    }
    let region = engine.get_region_for_number(number).unwrap();
    let kind = match engine.get_number_type(number) {
        PhoneNumberType::FixedLine => Kind::FixedLine,
        PhoneNumberType::Mobile => Kind::Mobile,
        PhoneNumberType::FixedLineOrMobile => Kind::FixedLineOrMobile,
        PhoneNumberType::TollFree => Kind::TollFree,
        PhoneNumberType::PremiumRate => Kind::PremiumRate,
        PhoneNumberType::SharedCost => Kind::SharedCost,
        PhoneNumberType::VoIP => Kind::Voip,
        PhoneNumberType::PersonalNumber => Kind::PersonalNumber,
        PhoneNumberType::Pager => Kind::Pager,
        PhoneNumberType::UAN => Kind::Uan,
        PhoneNumberType::VoiceMail => Kind::Voicemail,
        PhoneNumberType::Unknown => panic!("valid, but of no type: {number:?}"),
    };
    let code = DefaultRegion::from_code(&*region.as_region_str())
        .0
        .map_or("001", |region| region.code);
    Ok((e164, code, kind))
}

impl Random {
    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

fn rounds(default: usize) -> usize {
    std::env::var("LEAD_PHONES_ROUNDS").map_or(default, |rounds| rounds.parse().unwrap())
}

/// The metadata's examples: region, country calling code, national number.
fn examples() -> Vec<(EngineRegion, String, String)> {
    let engine = engine();
    let mut regions: Vec<EngineRegion> = engine.get_supported_regions().collect();
    regions.sort_by_key(|region| region.as_region_str());
    let mut examples = Vec::new();
    for region in regions {
        let kinds = engine.get_supported_types_for_region(region).unwrap();
        for kind in kinds {
            if let Ok(number) = engine.get_example_number_for_type_and_region(region, kind) {
                let national = rlibphonenumber::get_national_significant_number_owned(&number);
                examples.push((region, number.country_code.to_string(), national));
            }
        }
    }
    examples.sort_by(|a, b| (a.0.as_region_str(), &a.2).cmp(&(b.0.as_region_str(), &b.2)));
    examples
}

/// A text around an example: perhaps with other digits, prefixes, punctuation, an extension, words around it.
fn spell(random: &mut Random, code: &str, national: &str) -> String {
    let mut digits = national.as_bytes().to_vec();
    for _ in 0..random.below(8).saturating_sub(4) {
        let place = random.below(digits.len());
        match random.below(6) {
            0 => digits.insert(place, b'0' + random.below(10) as u8),
            1 if digits.len() > 2 => drop(digits.remove(place)),
            _ => digits[place] = b'0' + random.below(10) as u8,
        }
    }
    let prefix = random.pick(&[
        "", "", "", "", "", "", "", "", "", "0", "1", "8", "00", "011", "0011", "06", "015", "010",
        "810",
    ]);
    let country = match random.below(6) {
        0..3 => "",
        3 => code,
        _ => &format!("+{code}"),
    };
    let national = String::from_utf8(digits).unwrap();
    let dialed = if random.one_in(2) {
        format!("{prefix}{country}{national}")
    } else {
        format!("{country}{prefix}{national}")
    };
    let mut text =
        String::from(random.pick(&["", "", "", " ", "(", "tel: ", "Mobil ", "\u{200b}"]));
    for c in dialed.chars() {
        match c {
            '0'..='9' if random.one_in(400) => {
                text.extend(char::from_u32(0xff10 + c as u32 - '0' as u32));
            }
            _ => text.push(c),
        }
        if random.one_in(5) {
            text.push_str(random.pick(&[
                " ", "-", ".", "/", "(", ")", " - ", "  ", "[", "]", "\u{a0}", "\u{2013}", " ",
                "-", ".", " ", "-", ".", "\u{2010}", "\u{2012}", "\u{2015}", "\u{2212}",
                "\u{ff0d}", "\u{ff0e}", "\u{ff0f}", "\u{ad}", "\u{200b}", "\u{2060}", "\u{3000}",
                "\u{ff08}", "\u{ff09}", "\u{ff3b}", "\u{ff3d}",
            ]));
        }
        if random.one_in(150) {
            text.push_str(random.pick(&[
                "+", "x", "\n", "~", "*", "a", "\u{661}", ",", "\u{30fc}", "\u{2053}", "\u{ff03}",
                "e", "#",
            ]));
        }
    }
    text.push_str(random.pick(&[
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        " ",
        ")",
        ".",
        "\n",
        " x5",
        " ext. 123",
        "#12",
        "x 1234567890",
        " ext 5 ",
        " extn:12",
        "/x5",
        ";",
        " (home)",
        ",,5",
        "\u{10ffff}",
        "***",
        ",\u{30fc}",
        "\u{2060}",
        "\u{ff0d}",
        " #",
    ]));
    text
}

#[test]
fn random_spellings_get_the_engines_answer() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let examples = examples();
    let mut counts = [0; 3];
    for _ in 0..rounds(40_000) {
        let (region, code, national) = &examples[random.below(examples.len())];
        let text = spell(&mut random, code, national);
        let region = match random.below(8) {
            0 => EngineRegion::US,
            1 => examples[random.below(examples.len())].0,
            2 => {
                compare(&text, None, &mut counts);
                continue;
            }
            _ => *region,
        };
        compare(&text, Some(region), &mut counts);
    }
    let [engine, valid, invalid] = counts;
    println!("left to the engine {engine}, valid {valid}, invalid {invalid}");
    assert!(
        engine < valid + invalid && valid * 5 > invalid,
        "{counts:?}"
    );
}

/// Compares one text, and counts it: left to the engine, valid, not valid.
fn compare(text: &str, region: Option<EngineRegion>, counts: &mut [usize; 3]) {
    let default = region.map_or(DefaultRegion::NONE, |region| {
        DefaultRegion::from_code(&*region.as_region_str())
    });
    let Some(read) = read(text, default) else {
        counts[0] += 1;
        return;
    };
    let ours = ours(read);
    let e164 = ours.clone().map(|(e164, ..)| e164);
    let ascii = normalize_ascii(text.as_bytes(), default);
    for normalized in ascii.into_iter().chain([normalize(text, default)]) {
        let normalized = normalized.map(|e164| e164.to_string());
        assert_eq!(normalized, e164, "{text:?} in {region:?}");
    }
    counts[if ours.is_ok() { 1 } else { 2 }] += 1;
    assert_eq!(ours, engines(text, region), "{text:?} in {region:?}");
}

/// Every prefix of six digits in the North American Numbering Plan, one line number each.
#[test]
fn the_north_american_plan_is_the_engines() {
    let mut valid = 0;
    for prefix in 0..1_000_000u64 {
        let line = (prefix * 7919) % 10_000;
        let national_number = prefix * 10_000 + line;
        let expected = engines_validity(&PhoneNumber {
            country_code: 1,
            national_number,
            ..PhoneNumber::default()
        });
        let digits: Vec<u8> = national_number
            .to_string()
            .bytes()
            .map(|digit| digit - b'0')
            .collect();
        let answer = ours(Number::new(1, &digits).ok_or(Problem::InvalidCountryCode));
        valid += usize::from(answer.is_ok());
        assert_eq!(answer, expected, "{national_number}");
    }
    assert!(valid > 300_000, "{valid}");
}
