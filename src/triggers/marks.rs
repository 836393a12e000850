//! Which numbers are disqualified, as the rows of one statement ask.
//!
//! A number is looked up when it is asked for. Where many are, it pays to read all that are disqualified at once; but a campaign can
//! have as many of these as a registry, of which the statement asks for few. So no reading may cost more than the look-ups
//! that came before it: it is tried, up to a limit, each time that these have doubled.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use pgrx::pg_sys;

use super::campaign::Campaign;
use super::columns::PerColumn;
use super::counts::Counts;
use crate::backend::owner::as_owner;
use crate::phone::E164;
use crate::{citus, hashes};

/// After so many look-ups, reading is tried first.
const FIRST_READING: u32 = 8;

/// Numbers that are read in the time of a look-up.
const READ_PER_LOOKUP: u32 = 32;

/// Numbers that are read at most, up to the next power of two.
const MAX_READ: u32 = 500_000;

/// Campaigns that are remembered at most.
const MAX_CAMPAIGNS: usize = 100_000;

/// What a statement has asked so far.
#[derive(Default)]
pub(super) struct Marks {
    /// Of all campaigns.
    table: Asked<(Campaign, u64)>,
    campaigns: HashMap<Campaign, Asked<(Campaign, u64)>>,
    /// Whether numbers may be disqualified in every campaign, and which.
    knows_everywhere: Option<bool>,
    everywhere: Asked<i64>,
}

/// The numbers of a campaign, or of all, as far as they were asked for.
struct Asked<K> {
    lookups: u32,
    /// Look-ups after which reading was tried last.
    tried: u32,
    /// All that are disqualified, once they were read.
    all: Option<HashSet<K>>,
}

impl<K> Default for Asked<K> {
    fn default() -> Self {
        Self {
            lookups: 0,
            tried: 0,
            all: None,
        }
    }
}

impl<K: Eq + Hash> Asked<K> {
    /// Which of some numbers are disqualified, where that is known, or worth reading now.
    fn among<const N: usize>(
        &mut self,
        phones: &PerColumn<Option<E164>>,
        keys: impl Fn(E164) -> [K; N],
        read: impl FnOnce(u32) -> Option<HashSet<K>>,
    ) -> Option<PerColumn<bool>> {
        if self.all.is_none() && self.lookups >= FIRST_READING.max(2 * self.tried) {
            self.tried = self.lookups;
            // one plan for each power of two
            let limit = self.lookups.saturating_mul(READ_PER_LOOKUP).min(MAX_READ);
            self.all = read(limit.next_power_of_two());
        }
        let all = self.all.as_ref()?;
        Some(phones.map(|phone| {
            phone.is_some_and(|phone| keys(phone).iter().any(|key| all.contains(key)))
        }))
    }
}

impl Marks {
    /// Asks as the owner of the leads table, where it has to ask.
    pub(super) fn are_disqualified(
        &mut self,
        owner: pg_sys::Oid,
        counts: &Counts,
        campaign: &Campaign,
        phones: &PerColumn<Option<E164>>,
    ) -> PerColumn<bool> {
        let here = self.are_disqualified_here(owner, counts, campaign, phones);
        let everywhere = self.are_out_everywhere(owner, counts, phones);
        core::array::from_fn(|place| here[place] || everywhere[place])
    }

    fn are_out_everywhere(
        &mut self,
        owner: pg_sys::Oid,
        counts: &Counts,
        phones: &PerColumn<Option<E164>>,
    ) -> PerColumn<bool> {
        if !*self
            .knows_everywhere
            .get_or_insert_with(|| counts.knows_everywhere())
        {
            return PerColumn::default();
        }
        let read = |limit| as_owner(owner, || counts.out_everywhere(limit));
        if let Some(known) = self
            .everywhere
            .among(phones, |phone| hashes::keys_of(&phone), read)
        {
            return known;
        }
        self.everywhere.lookups += 1;
        if !counts.may_be_out_everywhere(phones.iter().flatten().copied()) {
            return PerColumn::default();
        }
        as_owner(owner, || counts.are_out_everywhere(phones))
    }

    fn are_disqualified_here(
        &mut self,
        owner: pg_sys::Oid,
        counts: &Counts,
        campaign: &Campaign,
        phones: &PerColumn<Option<E164>>,
    ) -> PerColumn<bool> {
        let look_up = || {
            counts
                .are_disqualified_directly(campaign, phones)
                .unwrap_or_else(|| as_owner(owner, || counts.are_disqualified(campaign, phones)))
        };
        // most statements end here
        if self.table.lookups < FIRST_READING {
            self.table.lookups += 1;
            return look_up();
        }
        let key = |phone: E164| [(campaign.clone(), phone.sort_key())];
        let read = |of, limit| {
            let all = as_owner(owner, || counts.disqualified(of, limit));
            all.map(|all| all.into_iter().collect())
        };
        // A trigger on a shard of Citus may not look at others.
        if !citus::plans()
            && let Some(known) = self.table.among(phones, key, |limit| read(None, limit))
        {
            return known;
        }
        if self.campaigns.len() >= MAX_CAMPAIGNS {
            self.campaigns.clear();
        }
        let asked = match self.campaigns.get_mut(campaign) {
            Some(asked) => asked,
            None => self.campaigns.entry(campaign.clone()).or_default(),
        };
        if let Some(known) = asked.among(phones, key, |limit| read(Some(campaign), limit)) {
            return known;
        }
        self.table.lookups += 1;
        asked.lookups += 1;
        look_up()
    }
}
