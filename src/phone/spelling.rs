//! Reads the usual spellings of a number in one pass.
//!
//! libphonenumber first finds the number in the text: it drops what stands before the first digit or plus sign and
//! after the last, cuts off an extension, keeps the digits of the rest. For the texts admitted here that is all it
//! does, and it is done here without regular expressions. Every other text (letters inside the number, parameters of
//! RFC 3966, several numbers) is left to the engine.

/// Most digits that are read; longer than any number with its prefixes.
pub(super) const MAX_DIGITS: usize = 24;
/// With fewer digits, libphonenumber has rules of its own on what looks like a number.
const MIN_DIGITS: usize = 3;
/// Longest text that is read, in bytes: short of the engine's limit of 250 characters.
const MAX_BYTES: usize = 250;
/// Most digits of an extension after a word, and after a sign that could mean something else.
const MAX_EXTENSION: usize = 20;
const MAX_AMBIGUOUS_EXTENSION: usize = 9;

/// The number in a text, its punctuation dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialed {
    /// Whether a plus sign stands before the digits.
    pub(super) plus: bool,
    digits: [u8; MAX_DIGITS],
    len: usize,
}

impl Dialed {
    /// The digits, as values.
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.len]
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// The digits of a number.
    Number(Dialed),
    /// A text without a number.
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the number.
    Before,
    /// In the number.
    Inside,
    /// After its last digit, past a character that cannot stand inside a number.
    Behind,
}

/// Reads the text, where it is spelled in a way that needs no engine.
pub(super) fn read(raw: &str) -> Option<Spelling> {
    if raw.len() > MAX_BYTES {
        return None;
    }
    let mut dialed = Dialed {
        plus: false,
        digits: [0; MAX_DIGITS],
        len: 0,
    };
    let mut place = Place::Before;
    let mut after_slash = false;
    for (at, c) in raw.char_indices() {
        match (place, c) {
            (Place::Before | Place::Inside, c) if digit(c).is_some() => {
                *dialed.digits.get_mut(dialed.len)? = digit(c)?;
                dialed.len += 1;
                place = Place::Inside;
                after_slash = false;
            }
            (Place::Before, '+' | '\u{ff0b}') => {
                dialed.plus = true;
                place = Place::Inside;
            }
            // A semicolon may begin a parameter.
            (Place::Before, c) if (c.is_ascii() && c != ';') || is_punctuation(c) => {}
            (Place::Inside, ' ') => {}
            (Place::Inside, '/') => after_slash = true,
            (Place::Inside, c) if is_punctuation(c) => after_slash = false,
            // After a slash, an x begins a second number.
            (Place::Inside, 'e' | 'E' | 'x' | 'X' | '#') if !after_slash => {
                if !is_extension(&raw[at..]) {
                    return None;
                }
                break;
            }
            (Place::Inside | Place::Behind, c) if ends_number(c) => place = Place::Behind,
            _ => return None,
        }
    }
    match (dialed.len, dialed.plus) {
        (0, false) => Some(Spelling::Nothing),
        (MIN_DIGITS.., _) => Some(Spelling::Number(dialed)),
        _ => None,
    }
}

/// The value of a decimal digit, in the scripts that are read here.
fn digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => return Some(c as u8 - b'0'),
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(zero)).ok()
}

/// libphonenumber's `VALID_PUNCTUATION`, without the signs that may begin an extension.
fn is_punctuation(c: char) -> bool {
    matches!(
        c,
        '-' | '.' | '(' | ')' | '[' | ']'
            | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff0d}'..='\u{ff0f}'
            | '\u{a0}' | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{3000}'
            | '\u{ff08}' | '\u{ff09}' | '\u{ff3b}' | '\u{ff3d}'
    )
}

/// What is dropped after the last digit.
fn ends_number(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '#' | '+')
}

/// Whether the text is an extension to its end: a label, perhaps a colon or a full stop, digits.
fn is_extension(text: &str) -> bool {
    let text = text.trim_end_matches(' ').as_bytes();
    let (label_len, max_digits) = match text {
        [b'x' | b'X' | b'#', next, ..] if !next.is_ascii_alphabetic() => {
            (1, MAX_AMBIGUOUS_EXTENSION)
        }
        _ => match text
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count()
        {
            len @ (3 | 4 | 9)
                if ["ext", "extn", "extension"]
                    .iter()
                    .any(|label| text[..len].eq_ignore_ascii_case(label.as_bytes())) =>
            {
                (len, MAX_EXTENSION)
            }
            _ => return false,
        },
    };
    let rest = &text[label_len..];
    let rest = match rest {
        [b':' | b'.', rest @ ..] => rest,
        _ => rest,
    };
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b',' | b'-'))
        .count();
    let digits = &rest[blanks..];
    (1..=max_digits).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}
