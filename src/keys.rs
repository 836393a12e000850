//! What leads are matched by: e-mail addresses of people; domains and names of companies.

/// The longest text that is matched, in bytes: an entry of an index has to fit into a third of a page.
pub const MAX_KEY: usize = 1000;

/// The longest address, in bytes: 64 before the `@` and 255 after it (RFC 5321, 4.5.3.1).
const MAX_EMAIL: usize = 320;

/// The e-mail address in a text, without the blanks around it; `None` where the text has not the shape of one, or is longer than any. No
/// other rule of RFC 5321 is enforced: `n/a` must not be taken for somebody's address, and no address that works be refused.
#[must_use]
pub fn email_of(raw: &str) -> Option<&str> {
    let address = raw.trim();
    let (local, host) = address.split_once('@')?;
    let has_shape = address.len() <= MAX_EMAIL
        && !local.is_empty()
        && !host.contains('@')
        && !address.contains(char::is_whitespace)
        && host
            .split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty());
    has_shape.then_some(address)
}

/// The name of a company as it is compared: in lower case, without any space, the start of a very long one. `None` for a blank one.
#[must_use]
pub fn company_key(name: &str) -> Option<String> {
    let mut key = String::with_capacity(name.len().min(MAX_KEY));
    for character in name.chars().filter(|c| !c.is_whitespace()) {
        match character {
            // its lower case is two characters, of which Turkish encodings lack the second
            'İ' => key.push('i'),
            _ => key.extend(character.to_lowercase()),
        }
        if key.len() >= MAX_KEY {
            break;
        }
    }
    (!key.is_empty()).then_some(key)
}

/// The domain in a website or an e-mail address, in lower case and without `www.`; `None` where there is none.
///
/// Takes what people write into such columns: `https://www.kw.example/agents?id=1`, `kw.example:8080`, `John@KW.example`.
/// A host is labels of letters, digits and inner hyphens (RFC 1123, 2.1) and as in RFC 5890 also of other scripts; with one
/// label alone, or all of digits as in an IP address, it is nobody's domain.
#[must_use]
pub fn domain_of(raw: &str) -> Option<String> {
    let address = raw.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.trim_start_matches('/');
    let end = address.find(['/', '?', '#', '\\']);
    let address = &address[..end.unwrap_or(address.len())];
    let host = address.rsplit_once('@').map_or(address, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let host = host.trim().trim_end_matches('.').to_lowercase();
    let domain = host.strip_prefix("www.").unwrap_or(&host);
    let labels = || domain.split('.');
    let is_domain = domain.len() <= 253
        && labels().count() > 1
        && labels().all(is_label)
        && !labels().all(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    is_domain.then(|| domain.to_owned())
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::{company_key, domain_of, email_of};

    #[test]
    fn addresses_have_a_shape() {
        assert_eq!(
            email_of(" J.Smith+x@KW.example\t"),
            Some("J.Smith+x@KW.example")
        );
        assert_eq!(email_of("a@b.c"), Some("a@b.c"));
        for raw in [
            "", "n/a", "@", "a@b", "a@.c", "a@b.", "@b.c", "a b@c.d", "a@b@c.d", "a@b.c d",
        ] {
            assert_eq!(email_of(raw), None, "{raw}");
        }
    }

    #[test]
    fn companies_are_compared_without_case_and_spaces() {
        assert_eq!(
            company_key(" Keller\u{a0} WILLIAMS\n").as_deref(),
            Some("kellerwilliams")
        );
        assert_eq!(company_key("ÉCOLE").as_deref(), Some("école"));
        assert_eq!(company_key("İŞ BANKASI").as_deref(), Some("işbankasi"));
        assert_eq!(company_key(" \t"), None);
    }

    #[test]
    fn what_is_matched_fits_into_an_index() {
        assert_eq!(
            company_key(&"É ".repeat(5000)).map(|key| key.len()),
            Some(1000)
        );
        let address = |length: usize| format!("{}@b.example", "a".repeat(length - 10));
        assert!(email_of(&address(320)).is_some());
        assert!(email_of(&address(321)).is_none());
    }

    #[test]
    fn websites_and_addresses_have_a_domain() {
        for raw in [
            "kw.example",
            " WWW.KW.example. ",
            "https://www.kw.example/agents/john?x=a@b.c",
            "http://user:secret@kw.example:8080",
            "//kw.example#top",
            "John.Smith@KW.EXAMPLE",
            "kw.example?x",
        ] {
            assert_eq!(domain_of(raw).as_deref(), Some("kw.example"), "{raw}");
        }
        assert_eq!(
            domain_of("info@www2.kw.example").as_deref(),
            Some("www2.kw.example")
        );
        assert_eq!(
            domain_of("bücher.example").as_deref(),
            Some("bücher.example")
        );
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
            ".example",
            "-a.example",
            "a b.example",
            "www.",
            "www.example",
            "no website.",
        ] {
            assert_eq!(domain_of(raw), None, "{raw}");
        }
    }
}
