//! Why the crate `phonenumber` is not the engine: the classes of texts in which it differs from Google's libphonenumber,
//! each with a witness. Our answers here are those of
//! Google's port at METADATA_VERSION, and are to be looked at when that changes.

use lead_phones::phone::{DefaultRegion, normalize};
use phonenumber::Mode;

fn ours(raw: &str, region: &str) -> String {
    normalize(raw, DefaultRegion::from_code(region)).map_or(String::new(), |e164| e164.to_string())
}

fn theirs(raw: &str, region: &str) -> String {
    phonenumber::parse(region.parse().ok(), raw)
        .ok()
        .filter(phonenumber::PhoneNumber::is_valid)
        .map_or(String::new(), |number| {
            number.format().mode(Mode::E164).to_string()
        })
}

#[test]
fn usual_spellings_are_read_alike() {
    for (raw, region) in [
        ("(678) 999-8212", "US"),
        ("+1 678.999.8212", "US"),
        ("+44 7400 123456", "US"),
        ("030 123456", "DE"),
        ("02 3661 8300", "IT"),
        ("tel:+1-650-253-0000", "US"),
        ("n/a", "US"),
    ] {
        assert_eq!(theirs(raw, region), ours(raw, region), "{raw} in {region}");
    }
}

#[test]
fn it_differs_in_these_classes() {
    // class, text, region, Google's answer and ours, its answer; an empty answer is "not valid"
    let classes = [
        (
            "a country code like a national prefix",
            "+821523456789",
            "US",
            "+821523456789",
            "+82523456789",
        ),
        (
            "a foreign number with the default region's code in it",
            "+119495504932",
            "ZZ",
            "+19495504932",
            "",
        ),
        (
            "zeros after the country code",
            "+25100111112345",
            "ET",
            "",
            "+251111112345",
        ),
        (
            "a foreign toll-free number in region US",
            "+855 1800 123 456",
            "US",
            "+8551800123456",
            "+855800123456",
        ),
        (
            "a country code shared by several regions",
            "+78091234567",
            "KZ",
            "+78091234567",
            "",
        ),
        (
            "a number of another region of the same code",
            "0800 01 23 45",
            "IM",
            "",
            "+44800012345",
        ),
        (
            "an unassigned range",
            "010682845937",
            "CN",
            "",
            "+8610682845937",
        ),
        ("Arabic digits", "+١ ٦٤٩-٢٣١-١٢٣٤", "TC", "+16492311234", ""),
        ("Persian digits", "(۸۶۸) ۶۱۹-۱۲۳۴", "TT", "+18686191234", ""),
        (
            "Devanagari digits",
            "(४४१) ३७०-१२३४",
            "BM",
            "+14413701234",
            "",
        ),
        ("Thai digits", "(๒๖๘) ๔๐๖-๑๒๓๔", "AG", "+12684061234", ""),
        (
            "full-width digits",
            "+１ ２０１-５５５-０１２３",
            "US",
            "+12015550123",
            "",
        ),
        (
            "mathematical digits",
            "(𝟓𝟎𝟎) 𝟐𝟑𝟒-𝟓𝟔𝟕𝟖",
            "MS",
            "+15002345678",
            "",
        ),
        (
            "a long extension",
            "(500) 234-5678 ext. 12345678",
            "BB",
            "+15002345678",
            "",
        ),
        (
            "an American extension",
            "0900 123 456-5#",
            "NZ",
            "+64900123456",
            "",
        ),
        (
            "an ISDN subaddress",
            "tel:+15002345678;isub=12345",
            "VI",
            "+15002345678",
            "",
        ),
        (
            "a domain as phone context",
            "tel:0120211234;phone-context=example.com",
            "BJ",
            "+2290120211234",
            "",
        ),
        (
            "one letter after the number",
            "01011234L",
            "FI",
            "+3581011234",
            "+35810112345",
        ),
        (
            "few letters inside the number",
            "(656)-B596.--482",
            "US",
            "",
            "+16562596482",
        ),
    ];
    for (class, raw, region, expected, other) in classes {
        assert_eq!(ours(raw, region), expected, "{class}");
        assert_eq!(theirs(raw, region), other, "{class}");
        assert_ne!(expected, other, "{class}");
    }
    let long = format!("650-253-0000{}", "*".repeat(250));
    assert_eq!(
        (&*ours(&long, "US"), &*theirs(&long, "US")),
        ("", "+16502530000"),
        "beyond Google's limit of 250 characters"
    );
}
