//! E-mail addresses in a text.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::hosts::canonical;

/// The longest address, in bytes: 64 before the `@` and 255 after it (RFC 5321, 4.5.3.1).
const MAX_EMAIL: usize = 320;

/// An address as it is written in a text, and its domain as it is looked up.
pub(super) struct Address<'text> {
    pub(super) local: &'text str,
    pub(super) host: &'text str,
    pub(super) domain: String,
    /// Whether it is in angle brackets: then what is before it is a name (RFC 5322, 3.4), even if that looks like an address.
    pub(super) is_mailbox: bool,
}

/// The address that a text gives: the one in angle brackets, else the first.
pub(super) fn address(text: &str) -> Option<Address<'_>> {
    addresses(text)
        .find(|address| address.is_mailbox)
        .or_else(|| addresses(text).next())
}

/// The addresses in a text.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = Address<'_>> {
    text.match_indices('@').filter_map(|(at, _)| {
        // people put blanks around the sign
        let before = text[..at].trim_end();
        let local = local_part(before);
        // an address literal has brackets (RFC 5321, 4.1.3); people put names into them
        let host = text[at + 1..].trim_start().trim_start_matches(['[', '-']);
        let end = host.find(|c: char| {
            !(c.is_alphanumeric() || is_mark(c) || matches!(c, '.' | '-' | '_' | '。'))
        });
        let (host, after) = host.split_at(end.unwrap_or(host.len()));
        let host = host.trim_end_matches(['.', '-', '。']);
        let domain = canonical(host)?;
        let is_mailbox = after.starts_with('>')
            && before
                .strip_suffix(local)
                .is_some_and(|before| before.ends_with('<'));
        let is_address = local.len() + host.len() < MAX_EMAIL && is_local_part(&unquoted(local));
        is_address.then_some(Address {
            local,
            host,
            domain,
            is_mailbox,
        })
    })
}

/// Whether it can be before the `@`: dots in a row, or at the end, are used where RFC 5322 knows none.
pub(super) fn is_local_part(local: &str) -> bool {
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
pub(super) fn local_part(before: &str) -> &str {
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
pub(super) fn unquoted(local: &str) -> Cow<'_, str> {
    let inner = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let plain = inner.unwrap_or(local).replace('\\', "");
    match plain.chars().all(is_local) {
        true => Cow::Owned(plain),
        false => Cow::Borrowed(local),
    }
}

/// Whether it can be in a local part that is not quoted.
pub(super) fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || is_mark(c)
}

/// A combining mark, as letters of some scripts have them.
pub(super) fn is_mark(c: char) -> bool {
    use GeneralCategory::{NonspacingMark, SpacingMark};
    !c.is_ascii() && matches!(c.general_category(), NonspacingMark | SpacingMark)
}
