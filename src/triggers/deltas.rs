//! What a statement changes in the counts, gathered in memory: one entry for each number of each row, and when they are written, one
//! delta for each campaign and number.

use std::collections::HashMap;

use super::campaign::Campaign;
use super::columns::PerColumn;
use crate::phone::E164;

/// So many campaigns are looked for one by one.
const FEW_CAMPAIGNS: usize = 8;

/// A set of columns of numbers, by their places.
pub(crate) type ColumnSet = u8;

/// What one row changes of one number.
#[derive(Clone, Copy)]
struct Change {
    /// Sort key of the number.
    phone: u64,
    /// Index into the campaigns.
    campaign: u32,
    /// 1 for a row as it is now, -1 for a row as it was.
    sign: i8,
    /// The columns that hold the number.
    columns: ColumnSet,
    /// Of the columns that are looked at: those that are marked as disqualified, and those that are not.
    set: ColumnSet,
    unset: ColumnSet,
}

/// The change of one row of the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Sort key of the number.
    pub(crate) phone: u64,
    /// Index into the campaigns.
    pub(crate) campaign: u32,
    pub(crate) leads: i32,
    /// Place of the changes by column.
    index: u32,
    /// Columns in which a row that was written is marked as disqualified.
    pub(crate) set: ColumnSet,
    /// Columns in which a row that was written is not.
    pub(crate) unset: ColumnSet,
}

impl Delta {
    /// The columns in which a row that was written is marked otherwise than the number is.
    pub(crate) fn marked_wrongly(&self, disqualified: bool) -> ColumnSet {
        if disqualified { self.unset } else { self.set }
    }
}

/// A valid number of a lead, with its mark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeadNumber {
    pub(crate) phone: E164,
    pub(crate) mark: bool,
}

/// The numbers of a lead, by column.
pub(crate) type LeadNumbers = PerColumn<Option<LeadNumber>>;

/// The changes of a statement, or of several.
#[derive(Clone, Default)]
pub(crate) struct Deltas {
    campaigns: Vec<Campaign>,
    /// Where each of them is, once they are many.
    index: HashMap<Campaign, u32>,
    changes: Vec<Change>,
    size_of_campaigns: usize,
}

impl Deltas {
    /// A lead as it is now. Of `looked_at` columns the marks are to be compared with the counts.
    pub(crate) fn add(&mut self, campaign: &Campaign, numbers: &LeadNumbers, looked_at: ColumnSet) {
        self.push(campaign, numbers, 1, looked_at);
    }

    /// A lead as it was.
    pub(crate) fn subtract(&mut self, campaign: &Campaign, numbers: &LeadNumbers) {
        self.push(campaign, numbers, -1, 0);
    }

    fn push(&mut self, campaign: &Campaign, numbers: &LeadNumbers, sign: i8, looked_at: ColumnSet) {
        let campaign = self.index_of(campaign);
        let first = self.changes.len();
        for (place, number) in numbers.iter().enumerate() {
            let Some(LeadNumber { phone, mark }) = number else {
                continue;
            };
            let phone = phone.sort_key();
            let column = 1 << place;
            let (set, unset) = match mark {
                true => (column & looked_at, 0),
                false => (0, column & looked_at),
            };
            // A lead with the same number in several columns is one lead.
            match self.changes[first..]
                .iter_mut()
                .find(|change| change.phone == phone)
            {
                Some(change) => {
                    change.columns |= column;
                    change.set |= set;
                    change.unset |= unset;
                }
                None => self.changes.push(Change {
                    phone,
                    campaign,
                    sign,
                    columns: column,
                    set,
                    unset,
                }),
            }
        }
    }

    /// Their memory, in units of one change.
    pub(crate) fn size(&self) -> usize {
        self.changes.len() + self.size_of_campaigns
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds the changes of another statement.
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
        self.changes
            .extend(other.changes.into_iter().map(|change| Change {
                campaign: places[change.campaign as usize],
                ..change
            }));
    }

    fn index_of(&mut self, campaign: &Campaign) -> u32 {
        if let Some(last) = self.changes.last()
            && self.campaigns[last.campaign as usize] == *campaign
        {
            return last.campaign;
        }
        let known = match self.index.is_empty() {
            true => self
                .campaigns
                .iter()
                .position(|known| known == campaign)
                .map(|index| index as u32),
            false => self.index.get(campaign).copied(),
        };
        if let Some(index) = known {
            return index;
        }
        let index = self.campaigns.len() as u32;
        // twice, with what a map needs
        self.size_of_campaigns += 3 + campaign.heap_size() / 8;
        self.campaigns.push(campaign.clone());
        if !self.index.is_empty() {
            self.index.insert(campaign.clone(), index);
        } else if self.campaigns.len() > FEW_CAMPAIGNS {
            self.index = self.campaigns.iter().cloned().zip(0..).collect();
        }
        index
    }

    /// One delta for each number that changes or was written, in the order of campaign and number: the one order in which every statement of
    /// every session locks rows of the counts.
    pub(crate) fn into_sorted(self, columns: usize) -> SortedDeltas {
        let Self {
            campaigns,
            mut changes,
            ..
        } = self;
        let mut order: Vec<u32> = (0..campaigns.len() as u32).collect();
        order.sort_unstable_by(|a, b| campaigns[*a as usize].cmp(&campaigns[*b as usize]));
        let mut rank = vec![0; order.len()];
        for (new, old) in (0..).zip(&order) {
            rank[*old as usize] = new;
        }
        for change in &mut changes {
            change.campaign = rank[change.campaign as usize];
        }
        let key = |change: &Change| (change.campaign, change.phone);
        changes.sort_unstable_by_key(key);
        let mut sorted = SortedDeltas {
            campaigns: order
                .into_iter()
                .map(|old| campaigns[old as usize].clone())
                .collect(),
            deltas: Vec::new(),
            by_column: Vec::new(),
            columns,
        };
        for same in changes.chunk_by(|one, next| key(one) == key(next)) {
            sorted.push(same);
        }
        sorted
    }
}

/// Deltas in the order in which they are written.
pub(crate) struct SortedDeltas {
    campaigns: Vec<Campaign>,
    pub(crate) deltas: Vec<Delta>,
    by_column: Vec<i32>,
    columns: usize,
}

impl SortedDeltas {
    /// Adds the changes of one number.
    fn push(&mut self, changes: &[Change]) {
        let Some(first) = changes.first() else {
            return;
        };
        let start = self.by_column.len();
        self.by_column.resize(start + self.columns, 0);
        let by_column = &mut self.by_column[start..];
        let mut delta = Delta {
            phone: first.phone,
            campaign: first.campaign,
            leads: 0,
            index: start as u32,
            set: 0,
            unset: 0,
        };
        for change in changes {
            delta.leads += i32::from(change.sign);
            delta.set |= change.set;
            delta.unset |= change.unset;
            for (place, count) in by_column.iter_mut().enumerate() {
                *count += i32::from(change.sign) * i32::from(change.columns >> place & 1);
            }
        }
        // A number that moved from lead to lead counts the same, but its marks are to be looked at.
        if delta.leads == 0 && delta.set | delta.unset == 0 && by_column.iter().all(|n| *n == 0) {
            self.by_column.truncate(start);
            return;
        }
        self.deltas.push(delta);
    }

    pub(crate) fn campaign(&self, delta: &Delta) -> &Campaign {
        &self.campaigns[delta.campaign as usize]
    }

    pub(crate) fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }

    /// The changes by column.
    pub(crate) fn by_column(&self, delta: &Delta) -> &[i32] {
        &self.by_column[delta.index as usize..][..self.columns]
    }
}
