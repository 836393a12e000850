//! A tracked table as a target of deltas: writes counts, and mends marks.

use std::rc::Rc;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::TriggerCall;
use super::columns::NumberColumn;
use super::counts::{Counts, MANY};
use super::deltas::{Delta, Deltas, SortedDeltas};
use super::resolved::Resolved;
use super::settings::CountAt;
use crate::actions;
use crate::backend::owner::as_owner;
use crate::backend::{report, sql};
use crate::citus;
use crate::phone::E164;

/// A tracked table and its counts, as a statement found them: by their OIDs, and locked. Whatever the transaction itself does to them
/// has the deltas written first.
pub(super) struct Target {
    leads: pg_sys::Oid,
    owner: pg_sys::Oid,
    counts: Rc<Counts>,
    /// Whether a transaction that reads the counts has its own changes written before.
    seen_by_reads: bool,
    resolved: Rc<Resolved>,
}

impl Target {
    /// An error where the counts are not as they were when the table was tracked. `leads` is the tracked table: the one that
    /// fires, or one above it.
    pub(super) fn new(call: &TriggerCall<'_>, resolved: &Rc<Resolved>, leads: pg_sys::Oid) -> Self {
        Self {
            leads,
            owner: call.owner(),
            counts: resolved.counts(call),
            seen_by_reads: resolved.settings.count_at == CountAt::Read,
            resolved: Rc::clone(resolved),
        }
    }

    fn numbers(&self) -> &[NumberColumn] {
        &self.resolved.columns.numbers
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
        let sorted = deltas.into_sorted(self.numbers().len());
        let deltas = &sorted.deltas;
        // SAFETY: hears of what others have committed, such as a schema that was renamed.
        unsafe { pg_sys::AcceptInvalidationMessages() };
        self.counts.check(self.owner);
        self.counts.hold_slots(deltas);
        // Of many it is asked first whether they are better written by a statement.
        let few = if deltas.len() < MANY {
            &deltas[..]
        } else {
            &[]
        };
        let disqualified = self.counts.add_directly(&sorted, few);
        let is_right =
            |(delta, disqualified): (&Delta, &bool)| delta.marked_wrongly(*disqualified) == 0;
        let phones = || {
            few.iter()
                .filter_map(|delta| E164::from_sort_key(delta.phone))
        };
        // nothing is left that takes a statement
        if disqualified.len() == deltas.len()
            && deltas.iter().zip(&disqualified).all(is_right)
            && !(self.counts.knows_everywhere() && self.counts.may_be_out_everywhere(phones()))
        {
            return;
        }
        as_owner(self.owner, || {
            let is_citus = citus::plans();
            let mut known = disqualified.into_iter();
            for deltas in deltas.chunk_by(|one, next| !is_citus || one.campaign == next.campaign) {
                let known = known.by_ref().take(deltas.len()).collect();
                self.apply_sorted(&sorted, deltas, known, goes_on);
            }
        });
    }

    /// Of the first deltas it is known what their numbers are: they are written.
    fn apply_sorted(
        &self,
        of: &SortedDeltas,
        deltas: &[Delta],
        mut disqualified: Vec<bool>,
        goes_on: bool,
    ) {
        let counts = &self.counts;
        let rest = &deltas[disqualified.len()..];
        disqualified.extend(counts.add(of, rest));
        counts.flag_everywhere(of, deltas, &mut disqualified);
        // The rows were marked as they were written, by what was committed then. Since, someone may have disqualified or
        // requalified a number; now that its row is locked, the answer holds.
        let mut unmarked = 0;
        for (place, column) in self.numbers().iter().enumerate() {
            for mark in [true, false] {
                let wrong: Vec<Delta> = deltas
                    .iter()
                    .zip(&disqualified)
                    .filter(|(delta, disqualified)| {
                        **disqualified == mark && delta.marked_wrongly(mark) >> place & 1 == 1
                    })
                    .map(|(delta, _)| delta.clone())
                    .collect();
                unmarked += counts.mark_leads(self.leads, column, mark, of, &wrong);
            }
        }
        if unmarked > 0 {
            let check = "lead_phones_check_marked($1::pg_catalog.regclass, $2::pg_catalog.int8)";
            let args = [self.leads.into(), unmarked.into()];
            actions::look_up(
                &self.resolved.extension_schema,
                "true",
                check,
                &args,
                |_| (),
            );
        }
        if goes_on && sql::has_one_snapshot() {
            self.refuse_two_rows(of, deltas);
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
