//! What leads are matched by: e-mail addresses of people; domains and names of companies.
//!
//! People write them in many ways, and whoever is out must be recognized in each. So a text is first brought to the form that Unicode calls
//! compatible (NFKC, UAX #15), without what nobody sees; domains are compared as they are looked up (UTS #46).

use std::borrow::Cow;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The longest text that is matched, in bytes: an entry of an index has to fit into a third of a page.
const MAX_KEY: usize = 1000;

/// The longest address, in bytes: 64 before the `@` and 255 after it (RFC 5321, 4.5.3.1).
const MAX_EMAIL: usize = 320;

/// Characters of a text that are looked at: nobody's address comes later.
const MAX_TEXT: usize = 2000;

/// The first e-mail address in a text, as it is written there: `John <john@kw.example> (work)` has one. `None` where there is none, or where
/// it is longer than any: `n/a` must not be taken for somebody's address.
#[must_use]
pub fn email_of(raw: &str) -> Option<String> {
    let text = visible(raw);
    let address = addresses(&text).next()?;
    Some(format!("{}@{}", address.local, address.host))
}

/// The address in a text as it is compared: in lower case, and its domain as [`domain_of`] gives it.
#[must_use]
pub fn email_key(raw: &str) -> Option<String> {
    let text = visible(raw);
    let address = addresses(&text).next()?;
    Some(format!(
        "{}@{}",
        folded(&unquoted(address.local)),
        unicode(address.domain)
    ))
}

/// The name of a company as it is compared: its letters and digits in lower case, the start of a very long one. `None` for a blank one.
#[must_use]
pub fn company_key(name: &str) -> Option<String> {
    let name = folded(&visible(name));
    let mut key: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    if key.is_empty() {
        // a name of signs alone
        key = name.chars().filter(|c| !c.is_whitespace()).collect();
    }
    let key = start_of(key);
    (!key.is_empty()).then_some(key)
}

/// The domain in a website or an e-mail address, in lower case, in Unicode and without `www.`; `None` where there is none.
///
/// Takes what people write into such columns: `https://www.kw.example/agents?id=1`, `(kw.example:8080)`, `John <John@KW.example>`. With one
/// label alone, as a public suffix such as `co.uk`, or all of digits as in an IP address, it is nobody's domain.
#[must_use]
pub fn domain_of(raw: &str) -> Option<String> {
    let text = visible(raw);
    host_of(&text)
        .and_then(canonical)
        .or_else(|| addresses(&text).next().map(|address| address.domain))
        .or_else(|| hosts(&text).find_map(canonical))
        .filter(|domain| !is_public_suffix(domain))
        .map(unicode)
}

/// The domains by which the person or company of a text is meant: each that is in it, and those above. An entry against a domain holds for all
/// that is below it.
#[must_use]
pub fn domains_above(raw: &str) -> Vec<String> {
    let text = visible(raw);
    let hosts = hosts(&text).filter_map(canonical);
    let mut domains: Vec<String> = Vec::new();
    for domain in hosts.chain(addresses(&text).map(|address| address.domain)) {
        let mut rest = Some(domain.as_str());
        while let Some(parent) = rest.filter(|parent| !is_public_suffix(parent)) {
            if !domains.iter().any(|known| known == parent) {
                domains.push(parent.to_owned());
            }
            rest = parent.split_once('.').map(|(_, rest)| rest);
        }
    }
    domains.into_iter().map(unicode).collect()
}

/// A value of a file without what surrounds it; `None` where nobody sees anything in it.
#[must_use]
pub fn trimmed(raw: &str) -> Option<&str> {
    let text = raw.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    (!text.is_empty()).then_some(text)
}

/// As much of a text as is matched.
#[must_use]
pub fn start_of(mut key: String) -> String {
    while key.len() > MAX_KEY {
        key.pop();
    }
    key
}

/// A text as it is seen: compatible characters for one another, without those that are not shown.
fn visible(raw: &str) -> Cow<'_, str> {
    if raw.len() <= MAX_TEXT && raw.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(raw);
    }
    let shown = raw
        .chars()
        .take(MAX_TEXT)
        .nfkc()
        .filter(|c| !is_invisible(*c));
    Cow::Owned(
        shown
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect(),
    )
}

fn is_invisible(c: char) -> bool {
    c.general_category() == GeneralCategory::Format
        // Default_Ignorable_Code_Point of other categories
        || matches!(c, '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
                       | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// A text as it is compared without regard to case: small letters of what their capitals are, so that `ß` is `SS`, a sigma at the end is any
/// sigma, and a Turkish `ı` is what `I` is.
fn folded(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        // the small letter of İ is two characters, of which Turkish encodings lack the second
        false => text
            .replace('İ', "i")
            .chars()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfc()
            .collect(),
    }
}

/// An address as it is written in a text, and its domain as it is looked up.
struct Address<'text> {
    local: &'text str,
    host: &'text str,
    domain: String,
}

/// The addresses in a text.
fn addresses(text: &str) -> impl Iterator<Item = Address<'_>> {
    text.match_indices('@').filter_map(|(at, _)| {
        let local = local_part(&text[..at]);
        // an address literal has brackets (RFC 5321, 4.1.3); people put names into them
        let host = text[at + 1..].trim_start_matches(['[', '-']);
        let end = host.find(|c: char| {
            !(c.is_alphanumeric() || is_mark(c) || matches!(c, '.' | '-' | '_' | '。'))
        });
        let host = host[..end.unwrap_or(host.len())].trim_end_matches(['.', '-', '。']);
        let domain = canonical(host)?;
        let is_address = local.len() + host.len() < MAX_EMAIL && is_local_part(&unquoted(local));
        is_address.then_some(Address {
            local,
            host,
            domain,
        })
    })
}

/// Whether it can stand before the `@`: dots in a row, or at the end, are used where RFC 5322 knows none.
fn is_local_part(local: &str) -> bool {
    let options = Options::default().without_domain_literal();
    let is_address = |local: &str| {
        EmailAddress::parse_with_options(&format!("{local}@kw.example"), options).is_ok()
    };
    is_address(local)
        || !local.starts_with('"')
            && local.contains('.')
            && is_address(
                &local
                    .split('.')
                    .filter(|atom| !atom.is_empty())
                    .collect::<Vec<_>>()
                    .join("."),
            )
}

/// What belongs to an address at the end of the text before its `@` (RFC 5322, 3.4.1: a quoted string, or atoms and dots).
fn local_part(before: &str) -> &str {
    if let Some(inner) = before.strip_suffix('"')
        && let Some(start) = inner.rfind('"')
    {
        return &before[start..];
    }
    // a backslash quotes what follows
    let is_part = |c: char| c == '\\' || is_local(c);
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last();
    let local = start.map_or("", |(start, _)| &before[start..]);
    // quotes that somebody put around it
    local.trim_start_matches(['\'', '`', '.'])
}

/// A local part without quotes that it does not need (RFC 5322, 3.2.4: they are no part of it).
fn unquoted(local: &str) -> Cow<'_, str> {
    let inner = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let plain = inner.unwrap_or(local).replace('\\', "");
    match plain.chars().all(is_local) {
        true => Cow::Owned(plain),
        false => Cow::Borrowed(local),
    }
}

/// Whether it can stand in a local part that is not quoted.
fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || is_mark(c)
}

/// A combining mark, as letters of some scripts have them.
fn is_mark(c: char) -> bool {
    use GeneralCategory::{NonspacingMark, SpacingMark};
    !c.is_ascii() && matches!(c.general_category(), NonspacingMark | SpacingMark)
}

/// The hosts in a text: what it begins with as a website, and each of its words that does.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split_whitespace().skip(1).filter_map(host_of);
    host_of(text).into_iter().chain(words)
}

/// The host that a website begins with.
fn host_of(text: &str) -> Option<&str> {
    let is_around = |c: char| c.is_whitespace() || "<>()[]{}\"'`,;:.!*-".contains(c);
    let text = text.trim_matches(is_around);
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) if rest.starts_with(['/', '\\']) || is_web(scheme) => {
            (Some(scheme), rest)
        }
        _ => (None, text),
    };
    if scheme.is_some_and(|scheme| {
        !scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    }) {
        return None;
    }
    let rest = rest.trim_start_matches(['/', '\\']);
    let end = rest.find(|c: char| c.is_whitespace() || "/?#\\<>()[]{}\"',;".contains(c));
    let authority = &rest[..end.unwrap_or(rest.len())];
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if scheme.is_some() => host,
        // an address, and no website
        Some(_) => return None,
        None if scheme.is_none() && rest[authority.len()..].starts_with("\"@") => return None,
        None => authority,
    };
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty()).then_some(host)
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// A host as domains are compared: as it is looked up, and without `www.`.
fn canonical(host: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(host.trim_end_matches(['.', '。'])).ok()?;
    let domain = ascii
        .strip_prefix("www.")
        .filter(|rest| rest.contains('.'))
        .unwrap_or(&ascii);
    // looked up, and found, are also names that RFC 1123 knows not: `_x.kw.example`, `x-.kw.example`
    let is_label = |label: &str| {
        label.bytes().any(|b| b.is_ascii_alphanumeric())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let is_domain = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !domain
            .rsplit('.')
            .next()?
            .bytes()
            .all(|b| b.is_ascii_digit());
    is_domain.then(|| domain.to_owned())
}

/// A domain as it is shown, and stored.
fn unicode(domain: String) -> String {
    match domain.contains("xn--") {
        true => idna::domain_to_unicode(&domain).0,
        false => domain,
    }
}

/// A domain in the form in which it is looked up.
#[must_use]
pub fn ascii(domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned())
}

/// Whether registries hand out domains below this one (the ICANN section of the Public Suffix List): it is nobody's own.
fn is_public_suffix(domain: &str) -> bool {
    !domain.contains('.')
        || psl::suffix(domain.as_bytes()).is_some_and(|suffix| {
            suffix.as_bytes().len() == domain.len() && suffix.typ() == Some(psl::Type::Icann)
        })
}

#[cfg(test)]
mod tests {
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
}
