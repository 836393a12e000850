//! Which numbers are disqualified, as the rows of one statement ask.
//!
//! A number is looked up when it is asked for. Where many are, it pays to read all that are disqualified at once; but a campaign can
//! have as many of these as a registry, of which the statement asks for few. So no reading may cost more than the look-ups
//! that came before it: it is tried, up to a limit, each time that these have doubled.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys;

use super::campaign::Campaign;
use super::counts::Counts;
use crate::owner::as_owner;
use crate::phone::E164;

/// After so many look-ups, reading is tried first.
const FIRST_READING: u32 = 8;

/// Numbers that are read in the time of a look-up.
const READ_PER_LOOKUP: u32 = 32;

/// Numbers that are read at most: 16 MB.
const MAX_READ: u32 = 500_000;

/// Campaigns that are remembered at most.
const MAX_CAMPAIGNS: usize = 100_000;

/// What a statement has asked so far.
#[derive(Default)]
pub(super) struct Marks {
    /// Of all campaigns.
    table: Asked<(Campaign, u64)>,
    campaigns: HashMap<Campaign, Asked<u64>>,
}

/// The numbers of a campaign, or of all, as far as they were asked for.
struct Asked<T> {
    lookups: u32,
    next_reading: u32,
    /// All that are disqualified, once they were read.
    all: Option<HashSet<T>>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self {
            lookups: 0,
            next_reading: FIRST_READING,
            all: None,
        }
    }
}

impl<T: Eq + core::hash::Hash> Asked<T> {
    /// All that are disqualified, where that is known, or worth reading now.
    fn all(&mut self, read: impl FnOnce(u32) -> Option<Vec<T>>) -> Option<&HashSet<T>> {
        if self.all.is_none() && self.lookups >= self.next_reading {
            self.next_reading = self.lookups.saturating_mul(2);
            let limit = self.lookups.saturating_mul(READ_PER_LOOKUP).min(MAX_READ);
            // one plan for each power of two
            let limit = limit.next_power_of_two();
            self.all = read(limit).map(|all| all.into_iter().collect());
        }
        self.all.as_ref()
    }
}

impl Marks {
    /// Asks as the owner of the leads table, where it has to ask.
    pub(super) fn are_disqualified(
        &mut self,
        owner: pg_sys::Oid,
        counts: &Counts,
        campaign: &Campaign,
        phones: [Option<E164>; 2],
    ) -> [bool; 2] {
        let among = |is_out: &dyn Fn(u64) -> bool| {
            phones.map(|phone| phone.is_some_and(|phone| is_out(phone.sort_key())))
        };
        let read_all = |limit| as_owner(owner, || counts.disqualified(limit));
        if let Some(all) = self.table.all(read_all) {
            return among(&|phone| all.contains(&(campaign.clone(), phone)));
        }
        if self.campaigns.len() >= MAX_CAMPAIGNS {
            self.campaigns.clear();
        }
        let asked = match self.campaigns.get_mut(campaign) {
            Some(asked) => asked,
            None => self.campaigns.entry(campaign.clone()).or_default(),
        };
        let read_campaign = |limit| as_owner(owner, || counts.disqualified_in(campaign, limit));
        if let Some(all) = asked.all(read_campaign) {
            return among(&|phone| all.contains(&phone));
        }
        self.table.lookups += 1;
        asked.lookups += 1;
        as_owner(owner, || counts.are_disqualified(campaign, phones))
    }
}
