//! What leads are matched by: e-mail addresses of people; domains and names of companies.
//!
//! People write them in many ways, and somebody who is suppressed must be recognized in each. So a text is first brought to the form that Unicode calls
//! compatible (NFKC, UAX #15), without what nobody sees; domains are compared as they are looked up (UTS #46).

mod addresses;
mod hosts;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use addresses::{address, addresses, unquoted};
pub use hosts::ascii;
use hosts::{canonical, host_of, hosts, is_public_suffix, unicode};

/// The longest text that is matched, in bytes: an entry of an index has to fit into a third of a page.
const MAX_KEY: usize = 1000;

/// Characters of a text that are looked at: nobody's address comes later.
const MAX_TEXT: usize = 2000;

/// The e-mail address in a text, as it is written there: `John <john@kw.example> (work)` has one. Of several it is the one in angle brackets, or the
/// first. `None` where there is none, or where it is longer than any: `n/a` must not be taken for somebody's address.
#[must_use]
pub fn email_of(raw: &str) -> Option<String> {
    let text = visible(raw);
    let address = address(&text)?;
    Some(format!("{}@{}", address.local, address.host))
}

/// The address in a text as it is compared: in lower case, and its domain as [`domain_of`] gives it.
#[must_use]
pub fn email_key(raw: &str) -> Option<String> {
    let text = visible(raw);
    let address = address(&text)?;
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
        .or_else(|| address(&text).map(|address| address.domain))
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
