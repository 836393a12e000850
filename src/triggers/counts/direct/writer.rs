//! Writing rows of the counts into their heap and indexes, without a statement.

use pgrx::pg_sys;

use super::Direct;
use crate::triggers::counts::heap::{Entered, Open};
use crate::triggers::counts::phone_datum;
use crate::triggers::counts::scan::Scan;
use crate::triggers::deltas::Delta;

/// So often somebody else may have written the row first.
const MAX_TRIES: u32 = 100;

/// After so many numbers in a row that had no row, the next one is inserted before it is looked for.
const MISSES: u32 = 8;

/// What happened to a row that was to be written.
enum Written {
    /// It was, and the number is disqualified, or not.
    Done(bool),
    /// Somebody else wrote it meanwhile.
    Again,
    /// It takes a statement.
    No,
}

/// Writes rows of the counts.
pub(super) struct Writer<'a> {
    direct: &'a Direct,
    /// Ends before the table is closed.
    scan: Option<Scan<'a>>,
    /// The primary key.
    key: Entered,
    table: Open,
}

impl<'a> Writer<'a> {
    pub(super) fn new(direct: &'a Direct) -> Self {
        let table = Open::table(direct.table);
        // SAFETY: an error where a publication wants a replica identity that the table lacks, as a statement has it; what was written so far
        // is seen, as a statement would see it.
        unsafe {
            pg_sys::CheckCmdReplicaIdentity(table.0, pg_sys::CmdType::CMD_UPDATE);
            pg_sys::CommandCounterIncrement();
        }
        Self {
            direct,
            scan: None,
            key: Entered::open(&direct.key),
            table,
        }
    }

    /// Adds a delta; says whether its number is disqualified. `None` where it takes a statement.
    pub(super) fn add(
        &mut self,
        campaign: pg_sys::Datum,
        delta: &Delta,
        by_column: &[i32],
    ) -> Option<bool> {
        pgrx::check_for_interrupts!();
        let phone = phone_datum(delta);
        let misses = &self.direct.misses;
        let is_new = misses.get() >= MISSES && delta.leads > 0;
        if is_new && self.insert(campaign, phone, delta, by_column) {
            return Some(false);
        }
        for _ in 0..MAX_TRIES {
            let written = if self.find(campaign, phone) {
                misses.set(0);
                self.update(delta, by_column)
            } else if !is_new && delta.leads > 0 && self.insert(campaign, phone, delta, by_column) {
                misses.set(misses.get() + 1);
                Written::Done(false)
            } else {
                Written::No
            };
            match written {
                Written::Done(disqualified) => return Some(disqualified),
                Written::Again => self.scan = None,
                Written::No => break,
            }
        }
        None
    }

    /// Whether there is a row of the number, as it is committed now, or as this transaction has made it before.
    fn find(&mut self, campaign: pg_sys::Datum, phone: pg_sys::Datum) -> bool {
        let index = &self.direct.key;
        let scan = self
            .scan
            .get_or_insert_with(|| Scan::begin(&self.table, index, pg_sys::RowExclusiveLock));
        scan.find(self.direct.key_of(index, campaign, phone))
    }

    /// Adds to the row that was found, or removes it where nothing is left of it.
    fn update(&self, delta: &Delta, by_column: &[i32]) -> Written {
        let (Some(scan), direct) = (&self.scan, self.direct) else {
            return Written::No;
        };
        let (mut values, mut nulls) = scan.row(direct.width);
        if nulls.contains(&true) {
            return Written::No;
        }
        let at = |attribute: i16| attribute as usize - 1;
        let disqualified = values[at(direct.disqualified)].value() != 0;
        let added = core::iter::once(&delta.leads).chain(by_column);
        let mut is_unused = delta.leads <= 0 && !disqualified;
        for (attribute, added) in direct.counts.iter().zip(added) {
            let count = values[at(*attribute)].value() as i64;
            // an overflow is for the statement to report
            let Some(count) = count.checked_add(i64::from(*added)) else {
                return Written::No;
            };
            is_unused &= count == 0;
            values[at(*attribute)] = count.into();
        }
        let old = scan.tid();
        let outcome = match is_unused {
            true => self.table.delete(old),
            false => {
                let (outcome, new) = self.table.update(old, &mut values, &mut nulls);
                if let Some(new) = new.filter(|_| outcome == pg_sys::TM_Result::TM_Ok) {
                    self.index(&values, new, disqualified);
                }
                outcome
            }
        };
        match outcome {
            pg_sys::TM_Result::TM_Ok => Written::Done(disqualified),
            pg_sys::TM_Result::TM_Updated | pg_sys::TM_Result::TM_Deleted => Written::Again,
            _ => Written::No,
        }
    }

    /// Has the indexes point to a new version of a row that is elsewhere than the old one.
    fn index(&self, values: &[pg_sys::Datum], new: pg_sys::ItemPointerData, disqualified: bool) {
        let direct = self.direct;
        let value = |attribute: i16| values[attribute as usize - 1];
        let campaign = direct.campaign.map_or(pg_sys::Datum::null(), value);
        let phone = value(direct.phone);
        let key = direct.key_of(&direct.key, campaign, phone);
        let check = pg_sys::IndexUniqueCheck::UNIQUE_CHECK_YES;
        self.key.enter(&self.table, key, new, check, true);
        if disqualified {
            let index = &direct.disqualified_key;
            let key = direct.key_of(index, campaign, phone);
            let check = pg_sys::IndexUniqueCheck::UNIQUE_CHECK_NO;
            Entered::open(index).enter(&self.table, key, new, check, true);
        }
    }

    /// Inserts a row, unless there is one.
    fn insert(
        &self,
        campaign: pg_sys::Datum,
        phone: pg_sys::Datum,
        delta: &Delta,
        by_column: &[i32],
    ) -> bool {
        let direct = self.direct;
        let mut values = vec![pg_sys::Datum::from(false); direct.width];
        let mut set = |attribute: i16, value| values[attribute as usize - 1] = value;
        if let Some(attribute) = direct.campaign {
            set(attribute, campaign);
        }
        set(direct.phone, phone);
        let counts = core::iter::once(&delta.leads).chain(by_column);
        for (attribute, count) in direct.counts.iter().zip(counts) {
            set(*attribute, i64::from(*count).into());
        }
        self.table.insert(&mut values, |tid| {
            let key = direct.key_of(&direct.key, campaign, phone);
            let check = pg_sys::IndexUniqueCheck::UNIQUE_CHECK_PARTIAL;
            self.key.enter(&self.table, key, tid, check, false)
        })
    }
}
