//! Texts of any content: nothing may panic, hang, or contradict itself.
//!
//! `LEAD_PHONES_FUZZ_SECONDS=600 cargo test --release --no-default-features --test fuzz -- --nocapture` for a long run, with
//! another seed each time; what it finds goes into `finds`.

#[path = "support/random.rs"]
mod random;

use std::time::{Duration, Instant};

use lead_phones::phone::{
    DefaultRegion, E164, Problem, Style, describe, format, kind_of, normalize, normalize_ascii,
    region_of,
};

use random::Random;

/// A text of Google's greatest length must not take longer; a hang, not a slow machine, is what this finds.
const LONGEST: Duration = Duration::from_millis(500);

const REGIONS: [&str; 12] = [
    "US", "ZZ", "DE", "AR", "BR", "IT", "JP", "KR", "GB", "CN", "BB", "",
];

/// What numbers and libphonenumber's patterns are made of.
const PIECES: [&str; 96] = [
    "650-253-0000",
    "+1",
    "+49",
    "030 123456",
    "tel:",
    "Tel:",
    ";phone-context=",
    ";ext=",
    ";isub=",
    "ext",
    "extensión",
    "x",
    "X",
    "#",
    "~",
    "int",
    "anexo",
    "доб",
    "ｅｘｔｎ",
    "/",
    "\\",
    ",",
    ",,",
    ";",
    "+",
    "＋",
    "*",
    "(",
    ")",
    "[",
    "]",
    " ",
    "\u{a0}",
    "\u{200b}",
    "\u{feff}",
    "-",
    "–",
    ".",
    "0",
    "00",
    "011",
    "15",
    "1234567",
    "9",
    "example.com",
    "=",
    "\n",
    "\t",
    "\0",
    "٠١٢",
    "१२३",
    "𝟘𝟙",
    "½",
    "GOOG",
    "o\u{301}",
    "\u{10ffff}",
    "\u{d7ff}",
    "ß",
    "‐",
    "‑",
    "‒",
    "—",
    "―",
    "−",
    "ー",
    "－",
    "．",
    "／",
    "\u{ad}",
    "\u{2060}",
    "\u{3000}",
    "（",
    "）",
    "［",
    "］",
    "⁓",
    "∼",
    "～",
    "：",
    "＃",
    "ｘ",
    "ｉｎｔ",
    "ext.",
    "extn:",
    "Ó",
    "ó",
    "ſ",
    "\u{212a}",
    "\u{24d0}",
    "\u{1f170}",
    "\u{345}",
    "\u{93e}",
    "Ⅷ",
    "k",
    "s",
    "ДОБ",
];

/// Texts that once were answered wrongly or made something panic, with the answers of Google's port when they were found.
#[test]
fn finds() {
    let finds = [
        (";phone-context=+1;tel:1", "US", Err(Problem::NotANumber)),
        (
            "6789998212;phone-context=+1tel:",
            "US",
            Err(Problem::NotANumber),
        ),
        ("020 7946 0958\u{10ffff}**", "NZ", Ok("+642079460958")),
        (
            "tel:+1-650-253-0000\\x)/x.\u{feff}/ xa",
            "CR",
            Ok("+16502530000"),
        ),
        ("01511)123 45\u{a0}67#12", "US", Err(Problem::TooLong)),
        ("01,234567890", "AT", Err(Problem::NotANumber)),
        ("12/x", "GB", Err(Problem::TooShort)),
        ("60x9#;~[;", "DO", Err(Problem::NotANumber)),
        ("00000000000000000", "KR", Err(Problem::TooLong)),
        ("4\n9029/x~3\n", "ES", Err(Problem::NotANumber)),
        (
            "12;ext=2530000;phone-context=abc",
            "ZZ",
            Err(Problem::NotANumber),
        ),
    ];
    for (raw, region, expected) in finds {
        let answer = normalize(raw, DefaultRegion::from_code(region));
        let answer = answer.map(|number| number.to_string());
        assert_eq!(
            answer.as_deref().map_err(|problem| *problem),
            expected,
            "{raw:?} in {region}"
        );
    }
}

fn text(random: &mut Random, before: &str) -> String {
    let mut bytes = Vec::new();
    match random.below(8) {
        // what came before, with a change
        0..3 if !before.is_empty() => {
            bytes.extend_from_slice(before.as_bytes());
            for _ in 0..=random.below(3) {
                let place = random
                    .below(bytes.len().max(1))
                    .min(bytes.len().saturating_sub(1));
                match random.below(4) {
                    0 => drop(bytes.drain(place..)),
                    1 => bytes[place] = random.below(256) as u8,
                    2 => {
                        let piece = PIECES[random.below(PIECES.len())];
                        drop(bytes.splice(place..place, piece.bytes()));
                    }
                    _ => bytes[place] = b'0' + random.below(10) as u8,
                }
                if bytes.is_empty() {
                    break;
                }
            }
        }
        // any bytes
        3 => bytes.extend((0..random.below(40)).map(|_| random.below(256) as u8)),
        // one piece, again and again
        4 if random.below(20) == 0 => {
            let piece = PIECES[random.below(PIECES.len())];
            bytes.extend_from_slice(piece.repeat(random.below(300)).as_bytes());
            bytes.extend_from_slice(b"650-253-0000");
        }
        _ => {
            for _ in 0..random.below(7) {
                match random.below(3) {
                    0 => bytes.extend((0..random.below(12)).map(|_| b'0' + random.below(10) as u8)),
                    _ => bytes.extend_from_slice(PIECES[random.below(PIECES.len())].as_bytes()),
                }
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn check(raw: &str, region: DefaultRegion, random: &mut Random) -> bool {
    let answer = normalize(raw, region);
    assert_ne!(answer, Err(Problem::EngineFailure));
    if let Some(ascii) = normalize_ascii(raw.as_bytes(), region) {
        assert_eq!(ascii, answer, "as bytes");
    }
    let described = describe(raw, region);
    assert_eq!(
        described.e164.as_deref(),
        answer.as_deref().ok(),
        "described"
    );
    assert_eq!(
        described.problem,
        answer.err().map(Problem::code),
        "described"
    );
    let Ok(number) = answer else {
        return false;
    };
    assert_eq!(E164::from_text(&*number), Some(number));
    assert_eq!(E164::from_sort_key(number.sort_key()), Some(number));
    let again = DefaultRegion::from_code(REGIONS[random.below(REGIONS.len())]);
    assert_eq!(normalize(&number, again), Ok(number), "normalized again");
    assert!(region_of(&number).is_some() && kind_of(&number).is_some());
    assert_eq!(
        normalize(&format(&number, Style::International), again),
        Ok(number),
        "written and read again"
    );
    true
}

#[test]
fn any_text_is_answered() {
    let seconds = std::env::var("LEAD_PHONES_FUZZ_SECONDS").ok();
    let seed = match &seconds {
        Some(_) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64,
        None => 0x9E37_79B9_7F4A_7C15,
    };
    println!("seed {seed}");
    let end = Duration::from_secs(seconds.map_or(2, |seconds| seconds.parse().unwrap()));
    let mut random = Random(seed | 1);
    let mut raw = String::new();
    let (mut texts, mut valid, mut slowest) = (0u64, 0u64, Duration::ZERO);
    let started = Instant::now();
    while started.elapsed() < end {
        raw = text(&mut random, &raw);
        let region = DefaultRegion::from_code(REGIONS[random.below(REGIONS.len())]);
        let begun = Instant::now();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            check(&raw, region, &mut random)
        }));
        match checked {
            Ok(is_valid) => valid += u64::from(is_valid),
            Err(_) => panic!("{raw:?} in {region:?}, seed {seed}"),
        }
        let mut took = begun.elapsed();
        // What the machine did meanwhile is not the text's fault; slow again and again is.
        for _ in 0..5 {
            if took < LONGEST {
                break;
            }
            let begun = Instant::now();
            check(&raw, region, &mut random);
            took = took.min(begun.elapsed());
        }
        slowest = slowest.max(took);
        assert!(took < LONGEST, "{raw:?} in {region:?} took {took:?}");
        texts += 1;
    }
    println!("{texts} texts, {valid} valid, slowest {slowest:?}");
    assert!(valid > 0);
}
