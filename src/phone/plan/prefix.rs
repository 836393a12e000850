//! What is dialed before a number: international and national prefixes, carrier codes.
//!
//! Their patterns capture groups, and which alternative wins matters; so they are small programs for a backtracking
//! matcher, whose order of trying is that of the regular expressions.

/// Most groups of a pattern.
pub(super) const GROUPS: usize = 2;

/// A pattern at the start of the digits.
#[derive(Debug)]
pub(super) struct Prefix {
    pub(super) program: &'static [Op],
    /// How many groups it has.
    pub(super) groups: usize,
    /// What takes the place of the prefix when its group was dialed: digits, then the group of this number.
    pub(super) transform: Option<(&'static [u8], usize)>,
}

/// A step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// One digit of a set, a bit for each.
    Digit(u16),
    /// Go on here, and if that fails, there.
    Try(u16),
    /// Go on there.
    Jump(u16),
    /// A group starts.
    Open(u8),
    /// A group ends.
    Close(u8),
    /// No digit is left.
    End,
    /// The prefix has matched.
    Match,
}

/// A prefix in a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    /// Digits of the whole prefix.
    pub(super) len: usize,
    opened: [usize; GROUPS],
    groups: [Option<(usize, usize)>; GROUPS],
}

impl Match {
    /// The digits of a group, counted from 1, where it took part.
    pub(super) fn group<'a>(&self, number: usize, digits: &'a [u8]) -> Option<&'a [u8]> {
        let (start, end) = (*self.groups.get(number.checked_sub(1)?)?)?;
        digits.get(start..end)
    }
}

impl Prefix {
    /// The prefix at the start of the digits.
    pub(super) fn find(&self, digits: &[u8]) -> Option<Match> {
        self.run(0, Match::default(), digits)
    }

    fn run(&self, mut at: usize, mut found: Match, digits: &[u8]) -> Option<Match> {
        loop {
            match *self.program.get(at)? {
                Op::Digit(set) => {
                    if set >> digits.get(found.len)? & 1 == 0 {
                        return None;
                    }
                    found.len += 1;
                    at += 1;
                }
                Op::Try(otherwise) => {
                    if let matched @ Some(_) = self.run(at + 1, found, digits) {
                        return matched;
                    }
                    at = usize::from(otherwise);
                }
                Op::Jump(to) => at = usize::from(to),
                Op::Open(group) => {
                    *found.opened.get_mut(usize::from(group))? = found.len;
                    at += 1;
                }
                Op::Close(group) => {
                    let group = usize::from(group);
                    *found.groups.get_mut(group)? = Some((*found.opened.get(group)?, found.len));
                    at += 1;
                }
                Op::End => {
                    if found.len < digits.len() {
                        return None;
                    }
                    at += 1;
                }
                Op::Match => return Some(found),
            }
        }
    }
}
