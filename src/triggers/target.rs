//! A tracked table as a target of deltas: writes counts, and mends marks.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::TriggerCall;
use super::columns::{Columns, NumberColumn};
use super::counts::Counts;
use super::deltas::{Delta, Deltas, SortedDeltas};
use super::settings::{CountAt, Settings};
use crate::owner::as_owner;
use crate::{report, sql};

/// A tracked table and its counts, as a statement found them: by their OIDs, and locked. Whatever the transaction itself does to them
/// has the deltas written first.
pub(super) struct Target {
    leads: pg_sys::Oid,
    owner: pg_sys::Oid,
    counts: Counts,
    /// Whether a transaction that reads the counts has its own changes written before.
    seen_by_reads: bool,
    numbers: Vec<NumberColumn>,
}

impl Target {
    /// An error where the counts are not as they were when the table was tracked. `leads` is the tracked table: the one that
    /// fires, or one above it.
    pub(super) fn new(
        call: &TriggerCall<'_>,
        settings: &Settings,
        columns: &Columns,
        leads: pg_sys::Oid,
    ) -> Self {
        Self {
            leads,
            owner: call.owner(),
            counts: Counts::resolve(call, settings, columns.campaign),
            seen_by_reads: settings.count_at == CountAt::Read,
            numbers: columns.numbers.clone(),
        }
    }

    pub(super) fn counts_oid(&self) -> pg_sys::Oid {
        self.counts.oid()
    }

    pub(super) fn is_seen_by_reads(&self) -> bool {
        self.seen_by_reads
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.leads, self.counts_oid()) == (other.leads, other.counts_oid())
    }

    /// Writes the deltas, in the order of campaign and number. Where the transaction goes on, an error if it would see what it must not.
    pub(super) fn apply(&self, deltas: Deltas, goes_on: bool) {
        let sorted = deltas.into_sorted(self.numbers.len());
        let deltas = &sorted.deltas;
        // SAFETY: hears of what others have committed, such as a schema that was renamed.
        unsafe { pg_sys::AcceptInvalidationMessages() };
        self.counts.check(self.owner);
        as_owner(self.owner, || {
            let parts = match sql::is_citus_loaded() {
                true => deltas
                    .chunk_by(|one, next| one.campaign == next.campaign)
                    .collect(),
                false => vec![&deltas[..]],
            };
            for deltas in parts {
                self.apply_sorted(&sorted, deltas);
                if goes_on && sql::has_one_snapshot() {
                    self.refuse_two_rows(&sorted, deltas);
                }
            }
        });
    }

    fn apply_sorted(&self, of: &SortedDeltas, deltas: &[Delta]) {
        let counts = &self.counts;
        counts.hold_slots(deltas);
        let mut disqualified = counts.add(of, deltas);
        counts.flag_everywhere(of, deltas, &mut disqualified);
        let shrunk: Vec<Delta> = deltas
            .iter()
            .filter(|delta| delta.leads <= 0)
            .cloned()
            .collect();
        counts.remove_unused(of, &shrunk);
        // The rows were marked as they were written, by what was committed then. Since, someone may have disqualified or
        // requalified a number; now that its row is locked, the answer stands.
        for (place, column) in self.numbers.iter().enumerate() {
            for mark in [true, false] {
                let wrong: Vec<Delta> = deltas
                    .iter()
                    .zip(&disqualified)
                    .filter(|(delta, disqualified)| {
                        let seen = if mark { delta.unset } else { delta.set };
                        **disqualified == mark && seen >> place & 1 == 1
                    })
                    .map(|(delta, _)| delta.clone())
                    .collect();
                counts.mark_leads(self.leads, column, mark, of, &wrong);
            }
        }
    }

    /// An error where the snapshot of the transaction shows an older row of a number beside the one that was written.
    fn refuse_two_rows(&self, of: &SortedDeltas, deltas: &[Delta]) {
        if self.counts.is_seen_twice(of, deltas) {
            report::fail(
                PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
                "could not serialize access due to concurrent update of phone counts".into(),
                "Another transaction has removed a number from the counts since the snapshot of this one."
                    .into(),
                "Try the transaction again.".into(),
            )
        }
    }
}
