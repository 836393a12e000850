//! Hosts in a text, and domains as they are looked up.

/// The hosts in a text: what it begins with as a website, and each of its words that does.
pub(super) fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split_whitespace().skip(1).filter_map(host_of);
    host_of(text).into_iter().chain(words)
}

/// The host that a website begins with.
pub(super) fn host_of(text: &str) -> Option<&str> {
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

pub(super) fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// A host as domains are compared: as it is looked up, and without `www.`.
pub(super) fn canonical(host: &str) -> Option<String> {
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
pub(super) fn unicode(domain: String) -> String {
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
pub(super) fn is_public_suffix(domain: &str) -> bool {
    !domain.contains('.')
        || psl::suffix(domain.as_bytes()).is_some_and(|suffix| {
            suffix.as_bytes().len() == domain.len() && suffix.typ() == Some(psl::Type::Icann)
        })
}
