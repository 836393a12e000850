//! Which numbers are disqualified, as the rows of one statement ask.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys;

use super::campaign::Campaign;
use super::counts::Counts;
use crate::owner::as_owner;
use crate::phone::E164;

/// So many numbers of a campaign are looked up one by one; then all that are disqualified in it are read at once.
const MAX_LOOKUPS: u32 = 16;

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
    pub(super) fn is_disqualified(
        &mut self,
        owner: pg_sys::Oid,
        counts: &Counts,
        campaign: &Campaign,
        phone: E164,
    ) -> bool {
        if !self.campaigns.contains_key(campaign) {
            self.campaigns
                .insert(campaign.clone(), CampaignMarks::LookedUp(0));
        }
        let Some(marks) = self.campaigns.get_mut(campaign) else {
            return false;
        };
        match marks {
            CampaignMarks::LookedUp(lookups) if *lookups < MAX_LOOKUPS => {
                *lookups += 1;
                as_owner(owner, || counts.is_disqualified(campaign, phone))
            }
            CampaignMarks::LookedUp(_) => {
                let all = as_owner(owner, || counts.disqualified_in(campaign));
                let all: HashSet<u64> = all.into_iter().collect();
                let found = all.contains(&phone.sort_key());
                *marks = CampaignMarks::Read(all);
                found
            }
            CampaignMarks::Read(all) => all.contains(&phone.sort_key()),
        }
    }
}
