//! A tracked table as a target of deltas: writes counts, and mends marks.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::TriggerCall;
use super::campaign::Campaign;
use super::columns::{Columns, NumberColumn};
use super::counts::Counts;
use super::deltas::{Delta, Deltas, SeenMarks};
use super::settings::{CountAt, Settings};
use crate::owner::as_owner;
use crate::{sql, text};

/// A tracked table and its counts, as a statement found them: whatever could change them has the deltas written first.
pub(super) struct Target {
    leads_oid: pg_sys::Oid,
    /// Its name, qualified and quoted.
    leads: String,
    owner: pg_sys::Oid,
    counts: Counts,
    /// Whether a transaction that reads the counts has its own changes written before.
    seen_by_reads: bool,
    numbers: [NumberColumn; 2],
}

impl Target {
    /// An error where the counts are not as they were when the table was tracked. `leads` is the tracked table: the one that
    /// fires, or one above it.
    pub(super) fn new(
        call: &TriggerCall<'_>,
        settings: &Settings,
        columns: Columns,
        leads: pg_sys::Oid,
    ) -> Self {
        // SAFETY: catalog look-ups of a table that is locked, itself or by way of one below it.
        let (schema, table) = unsafe {
            (
                text::name_from_server(pg_sys::get_namespace_name(pg_sys::get_rel_namespace(
                    leads,
                ))),
                text::name_from_server(pg_sys::get_rel_name(leads)),
            )
        };
        Self {
            leads_oid: leads,
            leads: spi::quote_qualified_identifier(schema, table),
            owner: call.owner(),
            counts: Counts::resolve(call, settings, columns.campaign),
            seen_by_reads: settings.count_at == CountAt::Read,
            numbers: columns.numbers,
        }
    }

    pub(super) fn counts_oid(&self) -> pg_sys::Oid {
        self.counts.oid()
    }

    pub(super) fn is_seen_by_reads(&self) -> bool {
        self.seen_by_reads
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.leads_oid, self.counts_oid()) == (other.leads_oid, other.counts_oid())
    }

    /// Writes the deltas, in the order of campaign and number.
    pub(super) fn apply(&self, deltas: Deltas) {
        let (campaigns, deltas) = deltas.into_sorted();
        as_owner(self.owner, || {
            if sql::is_citus_loaded() {
                let by_campaign = deltas.chunk_by(|one, next| one.campaign == next.campaign);
                by_campaign.for_each(|deltas| self.apply_sorted(&campaigns, deltas));
            } else {
                self.apply_sorted(&campaigns, &deltas);
            }
        });
    }

    fn apply_sorted(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        let counts = &self.counts;
        let disqualified = counts.add(campaigns, deltas);
        let shrunk: Vec<Delta> = deltas
            .iter()
            .filter(|delta| delta.leads <= 0)
            .cloned()
            .collect();
        counts.remove_unused(campaigns, &shrunk);
        if deltas
            .iter()
            .all(|delta| delta.marks == [SeenMarks::default(); 2])
        {
            return;
        }
        // The rows were marked as they were written, by what was committed then. Since, someone may have disqualified or
        // requalified a number; now that its row is locked, the answer stands.
        let disqualified =
            disqualified.unwrap_or_else(|| counts.disqualified_among(campaigns, deltas));
        for (place, column) in self.numbers.iter().enumerate() {
            for mark in [true, false] {
                let wrong: Vec<Delta> = deltas
                    .iter()
                    .zip(&disqualified)
                    .filter(|(delta, disqualified)| {
                        let seen = delta.marks[place];
                        **disqualified == mark && if mark { seen.unset } else { seen.set }
                    })
                    .map(|(delta, _)| delta.clone())
                    .collect();
                counts.mark_leads(&self.leads, column, mark, campaigns, &wrong);
            }
        }
    }
}
