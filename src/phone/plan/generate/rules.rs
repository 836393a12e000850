//! Whom a number belongs to, as libphonenumber decides it.

use rlibphonenumber::{PhoneMetadata, PhoneNumberDesc};

use super::MAX_LEN;
use super::automaton::Automaton;
use super::pattern::{Dfa, Dfas, unwrapped};
use crate::phone::kind::Kind;

/// `PhoneNumberDesc`: a pattern, and the lengths it is asked for; no lengths are all lengths.
struct Desc {
    dfa: usize,
    lengths: Vec<i32>,
}

/// What decides whom a number belongs to.
pub(super) struct Rules {
    general: Desc,
    leading_digits: Option<usize>,
    kinds: Vec<(Kind, Desc)>,
    same_mobile_and_fixed_line: bool,
}

impl Rules {
    // The engine keeps these fields to itself once they are loaded; here they are read from its file.
    #[allow(deprecated)]
    pub(super) fn new(metadata: &PhoneMetadata, dfas: &mut Dfas) -> Self {
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

    /// Adds the general pattern; 1 is the label of what fits it.
    pub(super) fn add_general(&self, automaton: &mut Automaton, dfas: &Dfas) -> u16 {
        let general = &dfas.made[self.general.dfa];
        automaton.add(&[general], &|_, at| u16::from(general.accepts[at[0]]))
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

/// The valid numbers of the regions that share a calling code (`getRegionCodeForNumber`, `isValidNumber`).
pub(super) fn add_valid_numbers(
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
