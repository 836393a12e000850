//! Generates the tables from the metadata, and compares them with those checked in.
//!
//! `UPDATE_PLAN_TABLES=1 cargo test --no-default-features the_tables` writes them; `tools/update_metadata.sh` calls it.

mod automaton;
mod changes;
mod pattern;
mod rules;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use prost::Message;
use rlibphonenumber::{PhoneMetadata, PhoneMetadataCollection};

use self::automaton::Automaton;
use self::pattern::{Dfas, compile, unwrapped};
use self::rules::{Rules, add_valid_numbers};
use super::automaton::WORDS;
use super::number::MAX_ADDED;
use super::prefix::Op;
use crate::phone::engine::METADATA;
use crate::phone::kind::Kind;

/// Longest national number.
const MAX_LEN: usize = 17;

/// The numbering plans of a release: the automaton, and where to enter it.
struct Plans {
    metadata: Vec<PhoneMetadata>,
    automaton: Automaton,
    /// By region: the start of its general pattern.
    general: Vec<u16>,
    codes: Vec<Code>,
}

/// A country calling code.
struct Code {
    code: usize,
    /// The regions that share it, the main one first.
    sharing: Vec<usize>,
    /// The start of the valid numbers.
    valid: u16,
}

impl Plans {
    fn new(file: &[u8]) -> Self {
        let metadata = PhoneMetadataCollection::decode(file).unwrap().metadata;
        let mut dfas = Dfas::default();
        let rules: Vec<Rules> = metadata
            .iter()
            .map(|metadata| Rules::new(metadata, &mut dfas))
            .collect();
        let mut automaton = Automaton::new();
        let mut sharing: Vec<Vec<usize>> = vec![Vec::new(); 1000];
        let mut general = Vec::new();
        for (place, (metadata, rules)) in metadata.iter().zip(&rules).enumerate() {
            general.push(rules.add_general(&mut automaton, &dfas));
            let sharing = &mut sharing[metadata.country_code() as usize];
            let at = if metadata.main_country_for_code() {
                0
            } else {
                sharing.len()
            };
            sharing.insert(at, place);
        }
        let codes = sharing
            .into_iter()
            .enumerate()
            .filter(|(_, sharing)| !sharing.is_empty())
            .map(|(code, sharing)| Code {
                code,
                valid: add_valid_numbers(&mut automaton, &dfas, &rules, &sharing),
                sharing,
            })
            .collect();
        Self {
            metadata,
            automaton,
            general,
            codes,
        }
    }

    /// What a label of a valid number says: the region, and the type.
    fn assignment(&self, label: u16) -> Option<(&str, Kind)> {
        let place = usize::from(label.checked_sub(1)?);
        let (region, kind) = (place / Kind::ALL.len(), place % Kind::ALL.len());
        Some((&self.metadata[region].id, Kind::ALL[kind]))
    }

    /// The two files: the automaton and the tables.
    fn files(&self) -> (Vec<u8>, String) {
        let mut regions = String::new();
        let mut region_index = vec![u8::MAX; 26 * 26];
        for (place, (metadata, general)) in self.metadata.iter().zip(&self.general).enumerate() {
            write_region(&mut regions, metadata, *general);
            if let [first, second] = metadata.id.as_bytes() {
                region_index[usize::from(first - b'A') * 26 + usize::from(second - b'A')] =
                    table_index(place);
            }
        }
        let mut codes = String::new();
        let mut code_index = vec![u8::MAX; 1000];
        for (count, code) in self.codes.iter().enumerate() {
            code_index[code.code] = table_index(count);
            writeln!(
                codes,
                "    CallingCode {{ code: {}, main_region: {}, valid: State({}) }},",
                code.code, code.sharing[0], code.valid
            )
            .unwrap();
        }
        let states = self.automaton.states.iter().flat_map(|(label, next)| {
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
             /// Where a country calling code is; 255 for none.\n\
             #[rustfmt::skip]\n\
             pub(super) static CALLING_CODE_INDEX: [u8; 1000] = {code_index:?};\n",
            self.metadata.len(),
            self.codes.len(),
        );
        (states.collect(), tables)
    }
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

/// An index that fits its table of bytes, where 255 means none.
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
fn the_tables_are_those_of_the_metadata() {
    let (automaton, tables) = Plans::new(METADATA).files();
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
