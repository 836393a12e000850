//! What another release of the metadata changes: which numbers become valid, invalid, or another region's or type's.
//!
//! Both automata are walked side by side, so every number is looked at, and none is missed as a sample would.

use std::collections::HashMap;

use super::{MAX_LEN, Plans};
use crate::phone::kind::Kind;

/// Numbers that change alike: a pattern of their digits behind the calling code, how many more digits follow, before and after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    digits: String,
    more: usize,
    from: String,
    to: String,
}

/// Of two states, by the digits that are still to come: what every such number was and is, where it is one thing for all of them.
type Outlook = [Option<(u16, u16)>; MAX_LEN + 1];

struct Comparison<'a> {
    old: &'a Plans,
    new: &'a Plans,
    known: HashMap<(u16, u16), Outlook>,
}

impl Comparison<'_> {
    fn outlook(&mut self, at: (u16, u16)) -> Outlook {
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let mut outlook = [None; MAX_LEN + 1];
        outlook[0] = Some((self.label(self.old, at.0), self.label(self.new, at.1)));
        if at == (0, 0) {
            outlook = [Some((0, 0)); MAX_LEN + 1];
        } else {
            let after: Vec<Outlook> = (0..10)
                .map(|digit| self.outlook(self.step(at, digit)))
                .collect();
            for more in 1..=MAX_LEN {
                let first = after[0][more - 1];
                outlook[more] = first.filter(|_| after.iter().all(|of| of[more - 1] == first));
            }
        }
        self.known.insert(at, outlook);
        outlook
    }

    fn label(&self, plans: &Plans, state: u16) -> u16 {
        plans.automaton.states[usize::from(state)].0
    }

    fn step(&self, at: (u16, u16), digit: usize) -> (u16, u16) {
        let next = |plans: &Plans, state: u16| plans.automaton.states[usize::from(state)].1[digit];
        (next(self.old, at.0), next(self.new, at.1))
    }

    /// The changes among the numbers with so many more digits. Digits after which the same changes come are one class.
    fn changes(&mut self, at: (u16, u16), more: usize) -> Vec<Change> {
        if let Some((old, new)) = self.outlook(at)[more] {
            let name = |plans: &Plans, label| written(plans.assignment(label));
            let (from, to) = (name(self.old, old), name(self.new, new));
            return if from == to {
                Vec::new()
            } else {
                vec![Change {
                    digits: String::new(),
                    more,
                    from,
                    to,
                }]
            };
        }
        let mut classes: Vec<(Vec<Change>, Vec<usize>)> = Vec::new();
        for digit in 0..10 {
            let changes = self.changes(self.step(at, digit), more - 1);
            match classes.iter_mut().find(|(known, _)| *known == changes) {
                Some((_, digits)) => digits.push(digit),
                None => classes.push((changes, vec![digit])),
            }
        }
        let with_digits = |(changes, digits): (Vec<Change>, Vec<usize>)| {
            let class = class(&digits);
            changes.into_iter().map(move |change| Change {
                digits: format!("{class}{}", change.digits),
                ..change
            })
        };
        classes.into_iter().flat_map(with_digits).collect()
    }
}

fn written(assignment: Option<(&str, Kind)>) -> String {
    match assignment {
        Some((region, kind)) => format!("{region} {}", kind.name()),
        None => "not valid".to_owned(),
    }
}

/// Digits as a class: `5`, `[2-4]`, `[0279]`.
fn class(digits: &[usize]) -> String {
    if let [digit] = digits {
        return digit.to_string();
    }
    let mut written = String::new();
    for run in digits.chunk_by(|one, next| one + 1 == *next) {
        match run {
            [first, .., last] if run.len() > 2 => written += &format!("{first}-{last}"),
            run => run.iter().for_each(|digit| written += &digit.to_string()),
        }
    }
    format!("[{written}]")
}

/// The changes as a table in Markdown.
fn table(old: &Plans, new: &Plans) -> String {
    let mut table =
        "| numbers | how many digits follow | was | is |\n|---|---|---|---|\n".to_owned();
    let start = |plans: &Plans, wanted: usize| {
        let code = plans.codes.iter().find(|code| code.code == wanted);
        code.map_or(0, |code| code.valid)
    };
    let mut codes: Vec<usize> = old
        .codes
        .iter()
        .chain(&new.codes)
        .map(|code| code.code)
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let mut comparison = Comparison {
        old,
        new,
        known: HashMap::new(),
    };
    for code in codes {
        let at = (start(old, code), start(new, code));
        for more in 1..=MAX_LEN {
            for change in comparison.changes(at, more) {
                table += &format!(
                    "| `+{code} {}` | {} | {} | {} |\n",
                    change.digits, change.more, change.from, change.to
                );
            }
        }
    }
    table
}

/// `OLD_METADATA=FILE cargo test --no-default-features the_changes -- --nocapture` prints the changes since that file's release.
#[test]
fn the_changes_since_a_release() {
    let new = Plans::new(super::METADATA);
    match std::env::var_os("OLD_METADATA") {
        Some(file) => println!(
            "{}",
            table(&Plans::new(&std::fs::read(file).unwrap()), &new)
        ),
        None => assert_eq!(
            table(&new, &new).lines().count(),
            2,
            "a release differs from itself"
        ),
    }
}

/// Two releases whose only region has other rules.
#[test]
fn numbers_that_change_are_listed_by_their_digits() {
    use prost::Message;
    use rlibphonenumber::{PhoneMetadata, PhoneMetadataCollection, PhoneNumberDesc};
    #[allow(deprecated)]
    let plans = |mobile: &str| {
        let desc = |pattern: &str| {
            Some(PhoneNumberDesc {
                national_number_pattern: Some(format!("^(?:{pattern})$")),
                ..PhoneNumberDesc::default()
            })
        };
        let region = PhoneMetadata {
            id: "XX".to_owned(),
            country_code: Some(999),
            general_desc: desc("\\d{4}"),
            fixed_line: desc("2\\d{3}"),
            mobile: desc(mobile),
            ..PhoneMetadata::default()
        };
        let collection = PhoneMetadataCollection {
            metadata: vec![region],
        };
        Plans::new(&collection.encode_to_vec())
    };
    assert_eq!(
        table(&plans("[3-5]\\d{3}"), &plans("(?:[45]\\d|2[18])\\d{2}")),
        "| numbers | how many digits follow | was | is |\n|---|---|---|---|\n\
         | `+999 2[18]` | 2 | XX fixed_line | XX fixed_line_or_mobile |\n\
         | `+999 3` | 3 | XX mobile | not valid |\n"
    );
}
