use super::{company_key, domain_of, domains_above, email_key, email_of, trimmed};

#[test]
fn a_text_with_an_address_in_it_is_that_address() {
    for raw in [
        "john@kw.example",
        " JOHN@KW.Example\t",
        "<john@kw.example>",
        "John Smith <john@kw.example>",
        "John <john@kw.example> (work)",
        "\"Smith, John\" <john@kw.example>",
        "jane@other.example <john@kw.example>",
        "\"jane@other.example\" <john@kw.example>",
        "john@ kw.example",
        "john @ kw.example (work)",
        "mailto:john@kw.example?subject=hi",
        "'john@kw.example'",
        "john@kw.example,",
        "john@kw.example.",
        "john@kw.example; jane@other.example",
        "e-mail: john@kw.example",
        "john@kw.example\u{200b}",
        "\u{feff}jo\u{ad}hn@kw.example",
        "ｊｏｈｎ＠ｋｗ．ｅｘａｍｐｌｅ",
        "john@www.kw.example",
        "john@kw。example",
        "\"john\"@kw.example",
    ] {
        assert_eq!(email_key(raw).as_deref(), Some("john@kw.example"), "{raw}");
    }
    assert_eq!(
        email_key("john/sales@kw.example").as_deref(),
        Some("john/sales@kw.example")
    );
    assert_eq!(
        email_key("\"john smith\"@kw.example").as_deref(),
        Some("\"john smith\"@kw.example")
    );
    assert_eq!(
        email_key("\"john.doe\"@kw.example").as_deref(),
        Some("john.doe@kw.example")
    );
    assert_eq!(
        email_key("john\\.doe@kw.example").as_deref(),
        Some("john.doe@kw.example")
    );
    assert_eq!(
        email_key("j..s.@kw.example").as_deref(),
        Some("j..s.@kw.example")
    );
    assert_eq!(
        email_of(" J.Smith+x@KW.example\t").as_deref(),
        Some("J.Smith+x@KW.example")
    );
}

#[test]
fn spellings_of_one_address_are_one() {
    for (one, other) in [
        ("zoë@étoile.example", "ZOE\u{308}@E\u{301}TOILE.example"),
        ("a@étoile.example", "a@xn--toile-9ra.example"),
        ("νίκος@kw.example", "ΝΊΚΟΣ@kw.example"),
    ] {
        assert!(email_key(one).is_some(), "{one}");
        assert_eq!(email_key(one), email_key(other), "{one}");
    }
}

#[test]
fn what_is_nobodys_address() {
    for raw in [
        "",
        "n/a",
        "@",
        "a@b",
        "a@.c",
        "a@b.",
        "@b.c",
        "nobody at home",
        "a@192.168.0.1",
        "-@-.-",
        "a@-.c",
        "\u{200b}@\u{200b}",
    ] {
        assert_eq!(email_of(raw), None, "{raw}");
        assert_eq!(email_key(raw), None, "{raw}");
    }
}

#[test]
fn companies_are_compared_by_letters_and_digits() {
    for raw in [
        " Keller\u{a0} WILLIAMS\n",
        "Keller-Williams",
        "Keller Williams.",
        "ＫＥＬＬＥＲ williams",
        "Keller\u{200b}Williams",
    ] {
        assert_eq!(company_key(raw).as_deref(), Some("kellerwilliams"), "{raw}");
    }
    assert_eq!(company_key("E\u{301}COLE").as_deref(), Some("école"));
    assert_eq!(company_key("İŞ BANKASI").as_deref(), Some("işbankasi"));
    for (one, other) in [
        ("Όμιλος Αθηνών ΑΕ", "ΌΜΙΛΟΣ ΑΘΗΝΏΝ ΑΕ"),
        ("Hans Strauß", "HANS STRAUSS"),
        ("Aydın Işık", "AYDIN IŞIK"),
        ("ΐ", "Ϊ\u{301}"),
    ] {
        assert_eq!(company_key(one), company_key(other), "{one}");
    }
    assert_eq!(company_key("!!!").as_deref(), Some("!!!"));
    assert_eq!(company_key(" \t"), None);
}

#[test]
fn what_is_matched_fits_into_an_index() {
    assert_eq!(
        company_key(&"É ".repeat(5000)).map(|key| key.len()),
        Some(1000)
    );
    let address = |length: usize| format!("{}@b.example", "a".repeat(length));
    assert!(email_of(&address(64)).is_some());
    assert!(email_of(&address(65)).is_none());
}

#[test]
fn websites_and_addresses_have_a_domain() {
    for raw in [
        "kw.example",
        " WWW.KW.example. ",
        "https://www.kw.example/agents/john?x=a@b.c",
        "http://user:secret@kw.example:8080",
        "//kw.example#top",
        "http:/kw.example",
        "https:\\\\kw.example",
        "(kw.example)",
        "kw.example, other.example",
        "kw.example/a@b.c",
        "John.Smith@KW.EXAMPLE",
        "john/sales@kw.example",
        "John <john@kw.example>",
        "kw.example?x",
        "ｋｗ．ｅｘａｍｐｌｅ",
        "kw.example\u{200b}",
        "\"john.doe\"@kw.example",
    ] {
        assert_eq!(domain_of(raw).as_deref(), Some("kw.example"), "{raw}");
    }
    assert_eq!(
        domain_of("info@www2.kw.example").as_deref(),
        Some("www2.kw.example")
    );
    for raw in [
        "bücher.example",
        "BU\u{308}CHER.example",
        "xn--bcher-kva.example",
        "http://XN--BCHER-KVA.example",
    ] {
        assert_eq!(domain_of(raw).as_deref(), Some("bücher.example"), "{raw}");
    }
}

#[test]
fn what_is_no_domain() {
    for raw in [
        "",
        " ",
        "n/a",
        "-",
        "none",
        "localhost",
        "john@",
        "@",
        "http://",
        "192.168.0.1",
        "a..b",
        "-.example",
        "www.",
        "no website.",
        "com",
        "co.uk",
        "https://co.uk/",
    ] {
        assert_eq!(domain_of(raw), None, "{raw}");
    }
}

#[test]
fn what_nobody_sees_is_no_value() {
    for raw in ["", " \t\r\n", "\u{a0}\u{2003}", "\u{200b}\u{feff}", "\u{0}"] {
        assert_eq!(trimmed(raw), None, "{raw:?}");
    }
    assert_eq!(trimmed("\u{a0} a b\t\u{200b}"), Some("a b"));
}

#[test]
fn a_domain_is_below_others() {
    assert_eq!(
        domains_above("john@mail.kw.example"),
        ["mail.kw.example", "kw.example"]
    );
    assert_eq!(
        domains_above("https://a.b.acme.co.uk/x"),
        ["a.b.acme.co.uk", "b.acme.co.uk", "acme.co.uk"]
    );
    assert_eq!(
        domains_above("me@acme.github.io"),
        ["acme.github.io", "github.io"]
    );
    assert_eq!(
        domains_above("a@x.example; b@y.example"),
        ["x.example", "y.example"]
    );
    assert_eq!(
        domains_above("https://foo_x.kw.example/"),
        ["foo_x.kw.example", "kw.example"]
    );
    for raw in [
        "x@a.kw.example",
        "x@[a.kw.example]",
        "-a.kw.example",
        "http:a.kw.example",
        "HTTPS:a.kw.example/x",
        "visit a.kw.example",
        "our shop: https://a.kw.example/",
    ] {
        assert_eq!(domains_above(raw), ["a.kw.example", "kw.example"], "{raw}");
    }
    assert_eq!(
        domains_above("a-.kw.example"),
        ["a-.kw.example", "kw.example"]
    );
    assert!(domains_above("n/a").is_empty());
}
