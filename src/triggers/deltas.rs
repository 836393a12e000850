//! What a statement changes in the counts, gathered in memory: one delta for each campaign and number.

use std::collections::HashMap;

use super::campaign::Campaign;
use crate::phone::E164;

/// Marks seen on the rows that a statement wrote, for one number in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeenMarks {
    /// Some row is marked as disqualified.
    pub(crate) set: bool,
    /// Some row is not.
    pub(crate) unset: bool,
}

/// The change of one row of the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Sort key of the number.
    pub(crate) phone: u64,
    /// Index into the campaigns.
    pub(crate) campaign: u32,
    pub(crate) leads: i32,
    /// By column: phone, mobile.
    pub(crate) columns: [i32; 2],
    /// By column, on the rows as they are now.
    pub(crate) marks: [SeenMarks; 2],
}

/// A valid number of a lead, with its mark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeadNumber {
    pub(crate) phone: E164,
    pub(crate) mark: bool,
}

/// The deltas of a statement, or of several.
#[derive(Clone, Default)]
pub(crate) struct Deltas {
    campaigns: Vec<Campaign>,
    index: HashMap<Campaign, u32>,
    deltas: Vec<Delta>,
    size_of_campaigns: usize,
}

impl Deltas {
    /// A lead as it is now. Of `looked_at` columns the marks are to be compared with the counts.
    pub(crate) fn add(
        &mut self,
        campaign: &Campaign,
        numbers: [Option<LeadNumber>; 2],
        looked_at: [bool; 2],
    ) {
        self.push(campaign, numbers, 1, looked_at);
    }

    /// A lead as it was.
    pub(crate) fn subtract(&mut self, campaign: &Campaign, numbers: [Option<LeadNumber>; 2]) {
        self.push(campaign, numbers, -1, [false; 2]);
    }

    fn push(
        &mut self,
        campaign: &Campaign,
        numbers: [Option<LeadNumber>; 2],
        sign: i32,
        looked_at: [bool; 2],
    ) {
        let campaign = self.index_of(campaign);
        let delta = |column: usize, number: LeadNumber| {
            let mut delta = Delta {
                phone: number.phone.sort_key(),
                campaign,
                leads: sign,
                ..Delta::default()
            };
            delta.columns[column] = sign;
            if looked_at[column] {
                delta.marks[column] = SeenMarks {
                    set: number.mark,
                    unset: !number.mark,
                };
            }
            delta
        };
        match numbers {
            // A lead with the same number in both columns is one lead.
            [Some(phone), Some(mobile)] if phone.phone == mobile.phone => {
                let mut both = delta(0, phone);
                let mobile = delta(1, mobile);
                both.columns[1] = mobile.columns[1];
                both.marks[1] = mobile.marks[1];
                self.deltas.push(both);
            }
            [phone, mobile] => {
                self.deltas.extend(phone.map(|phone| delta(0, phone)));
                self.deltas.extend(mobile.map(|mobile| delta(1, mobile)));
            }
        }
    }

    /// Their memory, in units of one delta.
    pub(crate) fn size(&self) -> usize {
        self.deltas.len() + self.size_of_campaigns
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }

    /// Adds the deltas of another statement.
    pub(crate) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        let places: Vec<u32> = other
            .campaigns
            .iter()
            .map(|campaign| self.index_of(campaign))
            .collect();
        self.deltas
            .extend(other.deltas.into_iter().map(|delta| Delta {
                campaign: places[delta.campaign as usize],
                ..delta
            }));
    }

    fn index_of(&mut self, campaign: &Campaign) -> u32 {
        if let Some(last) = self.deltas.last()
            && self.campaigns[last.campaign as usize] == *campaign
        {
            return last.campaign;
        }
        if let Some(index) = self.index.get(campaign) {
            return *index;
        }
        let index = self.campaigns.len() as u32;
        // twice, with what a map needs
        self.size_of_campaigns += 3 + campaign.heap_size() / 16;
        self.campaigns.push(campaign.clone());
        self.index.insert(campaign.clone(), index);
        index
    }

    /// The campaigns, and one delta for each number that changes or was written, in the order of campaign and number: the one order in
    /// which every statement of every session locks rows of the counts.
    pub(crate) fn into_sorted(self) -> (Vec<Campaign>, Vec<Delta>) {
        let Self {
            campaigns,
            mut deltas,
            ..
        } = self;
        let mut order: Vec<u32> = (0..campaigns.len() as u32).collect();
        order.sort_unstable_by(|a, b| campaigns[*a as usize].cmp(&campaigns[*b as usize]));
        let mut rank = vec![0; order.len()];
        for (new, old) in (0..).zip(&order) {
            rank[*old as usize] = new;
        }
        for delta in &mut deltas {
            delta.campaign = rank[delta.campaign as usize];
        }
        deltas.sort_unstable_by_key(|delta| (delta.campaign, delta.phone));
        deltas.dedup_by(|next, first| {
            let same = (next.campaign, next.phone) == (first.campaign, first.phone);
            if same {
                first.leads += next.leads;
                for column in 0..2 {
                    first.columns[column] += next.columns[column];
                    first.marks[column].set |= next.marks[column].set;
                    first.marks[column].unset |= next.marks[column].unset;
                }
            }
            same
        });
        // A number that moved from lead to lead counts the same, but its marks are to be looked at.
        deltas.retain(|delta| {
            delta.leads != 0 || delta.columns != [0, 0] || delta.marks != [SeenMarks::default(); 2]
        });
        let campaigns = order
            .into_iter()
            .map(|old| campaigns[old as usize].clone())
            .collect();
        (campaigns, deltas)
    }
}
