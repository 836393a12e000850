//! Generates the tables from the metadata that the engine carries, and compares them with those checked in.
//!
//! `UPDATE_PLAN_TABLES=1 cargo test --no-default-features plan` writes them.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use prost::Message;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use rlibphonenumber::{PhoneMetadata, PhoneMetadataCollection, PhoneNumberDesc};

use super::automaton::WORDS;
use super::number::MAX_ADDED;
use super::prefix::{GROUPS, Op};
use crate::phone::kind::Kind;

/// Longest national number.
const MAX_LEN: usize = 17;

/// The metadata file inside the engine's own package.
fn metadata() -> PhoneMetadataCollection {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let found = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", &target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let packages: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let manifest = packages["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "rlibphonenumber")
        .and_then(|package| package["manifest_path"].as_str())
        .unwrap();
    let file = Path::new(manifest).with_file_name("src/generated/metadata/metadata.bin");
    PhoneMetadataCollection::decode(&*std::fs::read(file).unwrap()).unwrap()
}

/// A pattern as a program. What the metadata does not use is refused.
fn compile(pattern: &str) -> Vec<Op> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .unwrap();
    let mut program = Vec::new();
    emit(&hir, &mut program);
    program.push(Op::Match);
    program
}

fn emit(hir: &Hir, program: &mut Vec<Op>) {
    let digit_bit = |byte: u8| 1u16 << byte.checked_sub(b'0').filter(|digit| *digit < 10).unwrap();
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            program.extend(literal.0.iter().map(|byte| Op::Digit(digit_bit(*byte))));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let bytes = class
                .ranges()
                .iter()
                .flat_map(|range| range.start()..=range.end());
            program.push(Op::Digit(
                bytes.map(digit_bit).fold(0, |set, bit| set | bit),
            ));
        }
        HirKind::Look(Look::End) => program.push(Op::End),
        HirKind::Repetition(repetition) => {
            assert!(repetition.greedy, "{hir}");
            let max = repetition.max.unwrap();
            (0..repetition.min).for_each(|_| emit(&repetition.sub, program));
            let tries: Vec<usize> = (repetition.min..max)
                .map(|_| {
                    program.push(Op::Match);
                    let at = program.len() - 1;
                    emit(&repetition.sub, program);
                    at
                })
                .collect();
            let end = program.len() as u16;
            tries.iter().for_each(|at| program[*at] = Op::Try(end));
        }
        HirKind::Capture(capture) => {
            let group = u8::try_from(capture.index - 1).unwrap();
            assert!(usize::from(group) < GROUPS, "{hir}");
            program.push(Op::Open(group));
            emit(&capture.sub, program);
            program.push(Op::Close(group));
        }
        HirKind::Concat(parts) => parts.iter().for_each(|part| emit(part, program)),
        HirKind::Alternation(branches) => {
            let mut jumps = Vec::new();
            for (place, branch) in branches.iter().enumerate() {
                if place + 1 == branches.len() {
                    emit(branch, program);
                    break;
                }
                let at = program.len();
                program.push(Op::Match);
                emit(branch, program);
                jumps.push(program.len());
                program.push(Op::Match);
                program[at] = Op::Try(program.len() as u16);
            }
            let end = program.len() as u16;
            jumps.iter().for_each(|at| program[*at] = Op::Jump(end));
        }
        _ => panic!("not in the metadata so far: {hir}"),
    }
}

/// A pattern of the metadata file, which wraps it in `^(?:` and `)$`.
fn unwrapped(pattern: Option<&str>) -> Option<&str> {
    let pattern = pattern.filter(|pattern| !pattern.is_empty())?;
    Some(
        pattern
            .strip_prefix("^(?:")
            .unwrap()
            .strip_suffix(")$")
            .unwrap(),
    )
}

/// A deterministic automaton of one pattern. State 0 is dead, state 1 starts.
struct Dfa {
    next: Vec<[usize; 10]>,
    accepts: Vec<bool>,
}

impl Dfa {
    /// Subset construction.
    fn new(pattern: &str) -> Self {
        let program = compile(pattern);
        let closure = |starts: &mut dyn Iterator<Item = usize>| {
            let mut reached = Vec::new();
            let mut work: Vec<usize> = starts.collect();
            while let Some(at) = work.pop() {
                if reached.contains(&at) {
                    continue;
                }
                reached.push(at);
                match program[at] {
                    Op::Try(otherwise) => work.extend([at + 1, usize::from(otherwise)]),
                    Op::Jump(to) => work.push(usize::from(to)),
                    Op::Open(_) | Op::Close(_) => work.push(at + 1),
                    Op::Digit(_) | Op::Match => {}
                    Op::End => panic!("{pattern}"),
                }
            }
            reached.retain(|at| matches!(program[*at], Op::Digit(_) | Op::Match));
            reached.sort_unstable();
            reached
        };
        let mut sets = vec![Vec::new(), closure(&mut std::iter::once(0))];
        let mut ids = HashMap::from([(sets[0].clone(), 0), (sets[1].clone(), 1)]);
        let mut dfa = Self {
            next: vec![[0; 10]],
            accepts: vec![false],
        };
        while dfa.next.len() < sets.len() {
            let set = sets[dfa.next.len()].clone();
            dfa.accepts
                .push(set.iter().any(|at| program[*at] == Op::Match));
            dfa.next.push(std::array::from_fn(|digit| {
                let target = closure(&mut set.iter().filter_map(|at| match program[*at] {
                    Op::Digit(digits) if digits >> digit & 1 == 1 => Some(at + 1),
                    _ => None,
                }));
                *ids.entry(target.clone()).or_insert_with(|| {
                    sets.push(target);
                    sets.len() - 1
                })
            }));
        }
        dfa
    }
}

/// The automaton of all patterns: each state once.
struct Automaton {
    states: Vec<(u16, [u16; 10])>,
    ids: HashMap<(u16, [u16; 10]), u16>,
}

impl Automaton {
    fn new() -> Self {
        let dead = (0, [0; 10]);
        Self {
            states: vec![dead],
            ids: HashMap::from([(dead, 0)]),
        }
    }

    fn state(&mut self, label: u16, next: [u16; 10]) -> u16 {
        let states = &mut self.states;
        *self.ids.entry((label, next)).or_insert_with(|| {
            states.push((label, next));
            u16::try_from(states.len() - 1).unwrap()
        })
    }

    /// Adds the product of some automata; `label` tells what a number is, by its length and their states.
    fn add(&mut self, dfas: &[&Dfa], label: &dyn Fn(usize, &[usize]) -> u16) -> u16 {
        self.add_from(&mut HashMap::new(), 0, vec![1; dfas.len()], dfas, label)
    }

    fn add_from(
        &mut self,
        known: &mut HashMap<(usize, Vec<usize>), u16>,
        len: usize,
        at: Vec<usize>,
        dfas: &[&Dfa],
        label: &dyn Fn(usize, &[usize]) -> u16,
    ) -> u16 {
        if len > MAX_LEN || at.iter().all(|state| *state == 0) {
            return 0;
        }
        if let Some(state) = known.get(&(len, at.clone())) {
            return *state;
        }
        let next = std::array::from_fn(|digit| {
            let after = at
                .iter()
                .zip(dfas)
                .map(|(state, dfa)| dfa.next[*state][digit]);
            self.add_from(known, len + 1, after.collect(), dfas, label)
        });
        let state = self.state(label(len, &at), next);
        known.insert((len, at), state);
        state
    }
}

/// The automata of patterns, each made once and known by its place.
#[derive(Default)]
struct Dfas {
    made: Vec<Dfa>,
    places: HashMap<String, usize>,
}

impl Dfas {
    fn place(&mut self, pattern: &str) -> usize {
        *self.places.entry(pattern.to_owned()).or_insert_with(|| {
            self.made.push(Dfa::new(pattern));
            self.made.len() - 1
        })
    }
}

/// `PhoneNumberDesc`: a pattern, and the lengths it is asked for; no lengths are all lengths.
struct Desc {
    dfa: usize,
    lengths: Vec<i32>,
}

/// What decides whom a number belongs to.
struct Rules {
    general: Desc,
    leading_digits: Option<usize>,
    kinds: Vec<(Kind, Desc)>,
    same_mobile_and_fixed_line: bool,
}

impl Rules {
    // The engine keeps these fields to itself once they are loaded; here they are read from its file.
    #[allow(deprecated)]
    fn new(metadata: &PhoneMetadata, dfas: &mut Dfas) -> Self {
        let mut desc = |desc: &Option<PhoneNumberDesc>| {
            let desc = desc.as_ref()?;
            Some(Desc {
                dfa: dfas.place(unwrapped(desc.national_number_pattern.as_deref())?),
                lengths: desc.possible_length.clone(),
            })
        };
        // In the order of libphonenumber's getNumberTypeHelper.
        let kinds = [
            (Kind::PremiumRate, &metadata.premium_rate),
            (Kind::TollFree, &metadata.toll_free),
            (Kind::SharedCost, &metadata.shared_cost),
            (Kind::Voip, &metadata.voip),
            (Kind::PersonalNumber, &metadata.personal_number),
            (Kind::Pager, &metadata.pager),
            (Kind::Uan, &metadata.uan),
            (Kind::Voicemail, &metadata.voicemail),
            (Kind::FixedLine, &metadata.fixed_line),
            (Kind::Mobile, &metadata.mobile),
        ];
        Self {
            general: desc(&metadata.general_desc).unwrap(),
            kinds: kinds
                .into_iter()
                .filter_map(|(kind, of)| Some((kind, desc(of)?)))
                .collect(),
            // Only the start of the number is asked for.
            leading_digits: unwrapped(metadata.leading_digits.as_deref())
                .map(|digits| dfas.place(&format!("(?:{digits})\\d{{0,{MAX_LEN}}}"))),
            same_mobile_and_fixed_line: metadata.same_mobile_and_fixed_line_pattern(),
        }
    }

    fn dfas(&self) -> impl Iterator<Item = usize> {
        let descs = self.kinds.iter().map(|(_, desc)| desc.dfa);
        descs.chain([self.general.dfa]).chain(self.leading_digits)
    }

    /// libphonenumber's `getNumberTypeHelper`.
    fn kind(&self, len: usize, accepted: &dyn Fn(usize) -> bool) -> Option<Kind> {
        let fits = |desc: &Desc| {
            (desc.lengths.is_empty() || desc.lengths.contains(&(len as i32))) && accepted(desc.dfa)
        };
        if !fits(&self.general) {
            return None;
        }
        let fitting: Vec<Kind> = self
            .kinds
            .iter()
            .filter(|(_, desc)| fits(desc))
            .map(|(kind, _)| *kind)
            .collect();
        match fitting[..] {
            [Kind::FixedLine, Kind::Mobile] => Some(Kind::FixedLineOrMobile),
            [Kind::FixedLine] if self.same_mobile_and_fixed_line => Some(Kind::FixedLineOrMobile),
            [Kind::Mobile] if self.same_mobile_and_fixed_line => None,
            _ => fitting.first().copied(),
        }
    }
}

/// The two files: the automaton and the tables.
#[allow(deprecated)]
fn generate() -> (Vec<u8>, String) {
    let metadata = metadata().metadata;
    let mut dfas = Dfas::default();
    let rules: Vec<Rules> = metadata
        .iter()
        .map(|metadata| Rules::new(metadata, &mut dfas))
        .collect();
    let mut automaton = Automaton::new();
    let mut regions = String::new();
    let mut region_index = vec![u8::MAX; 26 * 26];
    let mut sharing: Vec<Vec<usize>> = vec![Vec::new(); 1000];
    for (place, (metadata, rules)) in metadata.iter().zip(&rules).enumerate() {
        let general = automaton.add(&[&dfas.made[rules.general.dfa]], &|_, at| {
            u16::from(dfas.made[rules.general.dfa].accepts[at[0]])
        });
        write_region(&mut regions, metadata, general);
        if let [first, second] = metadata.id.as_bytes() {
            region_index[usize::from(first - b'A') * 26 + usize::from(second - b'A')] =
                table_index(place);
        }
        let sharing = &mut sharing[metadata.country_code() as usize];
        sharing.insert(
            if metadata.main_country_for_code() {
                0
            } else {
                sharing.len()
            },
            place,
        );
    }
    let mut codes = String::new();
    let mut code_index = vec![u8::MAX; 1000];
    for (count, (code, sharing)) in sharing
        .iter()
        .enumerate()
        .filter(|(_, sharing)| !sharing.is_empty())
        .enumerate()
    {
        code_index[code] = table_index(count);
        let valid = add_valid_numbers(&mut automaton, &dfas, &rules, sharing);
        writeln!(
            codes,
            "    CallingCode {{ code: {code}, main_region: {}, valid: State({valid}) }},",
            sharing[0]
        )
        .unwrap();
    }
    let states = automaton.states.iter().flat_map(|(label, next)| {
        let mut words = [0; WORDS];
        words[0] = *label;
        words[1..=10].copy_from_slice(next);
        words.into_iter().flat_map(u16::to_le_bytes)
    });
    let tables = format!(
        "//! Regions and country calling codes. Generated, as `automaton.bin` is, by `generate.rs`.\n\n\
         use super::automaton::State;\n\
         use super::prefix::{{Op, Prefix}};\n\
         use super::{{CallingCode, Lengths, Region}};\n\
         use Op::{{Close, Digit, End, Jump, Match, Open, Try}};\n\n\
         #[rustfmt::skip]\n\
         pub(super) static REGIONS: [Region; {}] = [\n{regions}];\n\n\
         /// The region of two letters, 26 to the row; 255 for none.\n\
         #[rustfmt::skip]\n\
         pub(super) static REGION_INDEX: [u8; 676] = {region_index:?};\n\n\
         #[rustfmt::skip]\n\
         pub(super) static CALLING_CODES: [CallingCode; {}] = [\n{codes}];\n\n\
         /// Where a country calling code stands; 255 for none.\n\
         #[rustfmt::skip]\n\
         pub(super) static CALLING_CODE_INDEX: [u8; 1000] = {code_index:?};\n",
        metadata.len(),
        codes.lines().count(),
    );
    (states.collect(), tables)
}

/// The valid numbers of the regions that share a calling code (`getRegionCodeForNumber`, `isValidNumber`).
fn add_valid_numbers(
    automaton: &mut Automaton,
    dfas: &Dfas,
    rules: &[Rules],
    sharing: &[usize],
) -> u16 {
    let mut used: Vec<usize> = sharing
        .iter()
        .flat_map(|region| rules[*region].dfas())
        .collect();
    used.sort_unstable();
    used.dedup();
    let made: Vec<&Dfa> = used.iter().map(|place| &dfas.made[*place]).collect();
    automaton.add(&made, &|len, at| {
        let accepted = |dfa: usize| {
            let place = used.binary_search(&dfa).unwrap();
            made[place].accepts[at[place]]
        };
        for region in sharing {
            let kind = rules[*region].kind(len, &accepted);
            let leads = rules[*region].leading_digits.is_some_and(accepted);
            if sharing.len() == 1 || leads || kind.is_some() {
                return kind.map_or(0, |kind| {
                    let kind = Kind::ALL.iter().position(|known| *known == kind).unwrap();
                    (1 + region * Kind::ALL.len() + kind) as u16
                });
            }
        }
        0
    })
}

fn write_region(out: &mut String, metadata: &PhoneMetadata, general: u16) {
    let prefix = |pattern: Option<&str>, transform: &str| {
        let Some(pattern) = unwrapped(pattern) else {
            return "None".to_owned();
        };
        let transform = (!transform.is_empty()).then(|| {
            let (added, group) = transform.split_once('$').unwrap();
            let added: Vec<u8> = added.bytes().map(|digit| digit - b'0').collect();
            assert!(added.len() <= MAX_ADDED, "{transform}");
            (added, group.parse::<usize>().unwrap())
        });
        let transform = transform.map_or("None".to_owned(), |(added, group)| {
            format!("Some((&{added:?}, {group}))")
        });
        let program = compile(pattern);
        let groups = program.iter().map(|op| match op {
            Op::Open(group) => group + 1,
            _ => 0,
        });
        let groups = groups.max().unwrap();
        format!(
            "Some(Prefix {{ program: &{program:?}, groups: {groups}, transform: {transform} }})"
        )
    };
    let lengths = |lengths: &[i32]| {
        lengths
            .iter()
            .filter(|len| **len > 0)
            .fold(0u32, |set, len| set | 1 << len)
    };
    #[allow(deprecated)]
    let desc = metadata.general_desc.as_ref().unwrap();
    #[allow(deprecated)]
    let (international, national) = (
        prefix(metadata.international_prefix.as_deref(), ""),
        prefix(
            metadata.national_prefix_for_parsing.as_deref(),
            metadata.national_prefix_transform_rule(),
        ),
    );
    writeln!(
        out,
        "    Region {{ code: {:?}, calling_code: {}, general: State({general}), lengths: Lengths {{ possible: {:#x}, \
         local_only: {:#x} }},\n        international_prefix: {international},\n        national_prefix: {national} }},",
        metadata.id,
        metadata.country_code(),
        lengths(&desc.possible_length),
        lengths(&desc.possible_length_local_only),
    )
    .unwrap();
}

/// An index that fits its table of bytes, where 255 stands for none.
fn table_index(index: usize) -> u8 {
    u8::try_from(index)
        .ok()
        .filter(|index| *index != u8::MAX)
        .unwrap()
}

fn checked_in(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/phone/plan")
        .join(name)
}

#[test]
fn the_tables_are_the_engines() {
    let (automaton, tables) = generate();
    if std::env::var_os("UPDATE_PLAN_TABLES").is_some() {
        std::fs::write(checked_in("automaton.bin"), &automaton).unwrap();
        std::fs::write(checked_in("tables.rs"), &tables).unwrap();
    }
    assert!(
        automaton == std::fs::read(checked_in("automaton.bin")).unwrap()
            && tables == std::fs::read_to_string(checked_in("tables.rs")).unwrap(),
        "run with UPDATE_PLAN_TABLES=1 and look at the difference"
    );
}
