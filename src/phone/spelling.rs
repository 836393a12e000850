//! Reads the usual spellings of a number in one pass.
//!
//! libphonenumber first finds the number in the text: it drops what is before the first digit or plus sign and
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
    /// Whether a plus sign is before the digits.
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

/// What a character means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Digit(u8),
    Plus,
    /// libphonenumber's `VALID_PUNCTUATION`, without the signs that may begin an extension and without U+30FC, which is a
    /// letter too.
    Punctuation,
    /// Punctuation that leaves the character before it in force.
    Space,
    /// Punctuation; with an x behind it, a second number begins.
    Slash,
    /// May begin an extension.
    Label,
    /// May begin a parameter of RFC 3966.
    Semicolon,
    /// A letter without a meaning of its own.
    Letter,
    /// Dropped before and after a number.
    Other,
    /// Left to the engine.
    Unknown,
}

/// The meaning of each ASCII character.
const ASCII: [Mark; 128] = {
    let mut marks = [Mark::Other; 128];
    let mut at = 0;
    while at < marks.len() {
        marks[at] = match at as u8 {
            digit @ b'0'..=b'9' => Mark::Digit(digit - b'0'),
            b'+' => Mark::Plus,
            b'-' | b'.' | b'(' | b')' | b'[' | b']' => Mark::Punctuation,
            b' ' => Mark::Space,
            b'/' => Mark::Slash,
            b'e' | b'E' | b'x' | b'X' | b'#' => Mark::Label,
            b';' => Mark::Semicolon,
            b'a'..=b'z' | b'A'..=b'Z' => Mark::Letter,
            _ => Mark::Other,
        };
        at += 1;
    }
    marks
};

fn mark(c: char) -> Mark {
    let digit_from = |zero: char| Mark::Digit((u32::from(c) - u32::from(zero)) as u8);
    match c {
        '\0'..='\x7f' => ASCII[c as usize],
        '\u{ff10}'..='\u{ff19}' => digit_from('\u{ff10}'),
        '\u{660}'..='\u{669}' => digit_from('\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit_from('\u{6f0}'),
        '\u{ff0b}' => Mark::Plus,
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{ff0d}'..='\u{ff0f}'
        | '\u{a0}'
        | '\u{ad}'
        | '\u{200b}'
        | '\u{2060}'
        | '\u{3000}'
        | '\u{ff08}'
        | '\u{ff09}'
        | '\u{ff3b}'
        | '\u{ff3d}' => Mark::Punctuation,
        _ => Mark::Unknown,
    }
}

/// Reads the text, where it is spelled in a way that needs no engine.
pub(super) fn read(raw: &str) -> Option<Spelling> {
    let marks = raw.char_indices().map(|(at, c)| (at, mark(c)));
    read_marks(raw.as_bytes(), marks)
}

/// The same of bytes in any encoding that extends ASCII; where they are not ASCII, the text must be decoded first.
#[inline]
pub(super) fn read_ascii(raw: &[u8]) -> Option<Spelling> {
    read_plain(raw).or_else(|| {
        let marks = raw.iter().enumerate().map(|(at, byte)| {
            let mark = ASCII.get(usize::from(*byte)).copied();
            (at, mark.unwrap_or(Mark::Unknown))
        });
        read_marks(raw, marks)
    })
}

/// Whether the text is digits with punctuation between them, so that it has no extension.
pub(super) fn is_plain(raw: &[u8]) -> bool {
    read_plain(raw).is_some()
}

/// Digits with punctuation between them, perhaps a plus sign before: what most texts are. Without a branch for each
/// character, since which comes next cannot be foreseen.
#[inline]
fn read_plain(raw: &[u8]) -> Option<Spelling> {
    const DIGIT: u8 = 1;
    const PUNCTUATION: u8 = 2;
    const PLUS: u8 = 4;
    const MISPLACED: u8 = 8;
    const CLASSES: [u8; 256] = {
        let mut classes = [MISPLACED; 256];
        let mut at = 0;
        while at < ASCII.len() {
            classes[at] = match ASCII[at] {
                Mark::Digit(_) => DIGIT,
                Mark::Punctuation | Mark::Space | Mark::Slash => PUNCTUATION,
                Mark::Plus => PLUS,
                _ => MISPLACED,
            };
            at += 1;
        }
        classes
    };
    if raw.len() > MAX_DIGITS {
        return None;
    }
    let mut digits = [0; MAX_DIGITS];
    let mut len = 0;
    let mut seen = 0;
    for byte in raw {
        let class = CLASSES[usize::from(*byte)];
        // Never past the end: there are no more digits than bytes.
        digits[len] = byte.wrapping_sub(b'0');
        // A plus sign behind a digit, or a second one, is out of place.
        seen |= class | (class & seen & PLUS) << 1 | (class & PLUS & (seen << 2)) << 1;
        len += usize::from(class & DIGIT);
    }
    (seen & MISPLACED == 0 && len >= MIN_DIGITS).then_some(Spelling::Number(Dialed {
        plus: seen & PLUS != 0,
        digits,
        len,
    }))
}

#[inline(always)]
fn read_marks(raw: &[u8], marks: impl Iterator<Item = (usize, Mark)>) -> Option<Spelling> {
    if raw.len() > MAX_BYTES {
        return None;
    }
    let mut dialed = Dialed {
        plus: false,
        digits: [0; MAX_DIGITS],
        len: 0,
    };
    let mut inside = false;
    let mut behind = false;
    let mut after_slash = false;
    for (at, mark) in marks {
        match mark {
            Mark::Digit(digit) if !behind => {
                *dialed.digits.get_mut(dialed.len)? = digit;
                dialed.len += 1;
                inside = true;
                after_slash = false;
            }
            Mark::Space => {}
            Mark::Punctuation => after_slash = false,
            Mark::Slash => after_slash = true,
            Mark::Unknown => return None,
            Mark::Plus if !inside => {
                dialed.plus = true;
                inside = true;
            }
            Mark::Semicolon if !inside => return None,
            // What is before the number is dropped.
            _ if !inside => {}
            Mark::Label if !behind && !after_slash && is_extension(&raw[at..]) => break,
            Mark::Digit(_) | Mark::Plus | Mark::Label | Mark::Letter => return None,
            Mark::Semicolon | Mark::Other => behind = true,
        }
    }
    match (dialed.len, dialed.plus) {
        (0, false) => Some(Spelling::Nothing),
        (MIN_DIGITS.., _) => Some(Spelling::Number(dialed)),
        _ => None,
    }
}

/// Whether the text is an extension to its end: a label, perhaps a colon or a full stop, digits.
fn is_extension(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
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
    let rest = match &text[label_len..] {
        [b':' | b'.', rest @ ..] => rest,
        rest => rest,
    };
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b',' | b'-'))
        .count();
    let digits = &rest[blanks..];
    (1..=max_digits).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}
