//! Which numbers are disqualified, as the rows of one statement ask.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys;

use super::campaign::Campaign;
use super::counts::Counts;
use crate::owner::as_owner;
use crate::phone::E164;

/// The numbers of so many leads of a campaign are looked up; then all that are disqualified in it are read at once.
const MAX_LOOKUPS: u32 = 8;

/// What a statement has asked so far.
#[derive(Default)]
pub(super) struct Marks {
    campaigns: HashMap<Campaign, CampaignMarks>,
}

enum CampaignMarks {
    LookedUp(u32),
    Read(HashSet<u64>),
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
        if phones == [None; 2] {
            return [false; 2];
        }
        if !self.campaigns.contains_key(campaign) {
            self.campaigns
                .insert(campaign.clone(), CampaignMarks::LookedUp(0));
        }
        let Some(marks) = self.campaigns.get_mut(campaign) else {
            return [false; 2];
        };
        match marks {
            CampaignMarks::LookedUp(lookups) if *lookups < MAX_LOOKUPS => {
                *lookups += 1;
                return as_owner(owner, || counts.are_disqualified(campaign, phones));
            }
            CampaignMarks::LookedUp(_) => {
                let all = as_owner(owner, || counts.disqualified_in(campaign));
                *marks = CampaignMarks::Read(all.into_iter().collect());
            }
            CampaignMarks::Read(_) => {}
        }
        let CampaignMarks::Read(all) = marks else {
            return [false; 2];
        };
        phones.map(|phone| phone.is_some_and(|phone| all.contains(&phone.sort_key())))
    }
}
