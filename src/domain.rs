//! The Internet domain of a company: of its website, or of somebody's e-mail address.

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
    use super::domain_of;

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
