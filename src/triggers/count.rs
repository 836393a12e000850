//! AFTER STATEMENT: keep the counts.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Event, Row, TriggerCall};
use super::campaign::Campaign;
use super::columns::{Columns, NumberColumn};
use super::counts::Counts;
use super::deltas::{Delta, Deltas, LeadNumber, SeenMarks};
use super::pending;
use crate::owner::as_owner;
use crate::phone::{self, E164};
use crate::report;
use crate::text::{self, datum_bytes};

pub(super) fn count(call: &TriggerCall<'_>) {
    let settings = call.settings();
    let columns = Columns::resolve(call, &settings);
    if call.event() == Event::Truncate {
        let counts = Counts::resolve(call, &settings, columns.campaign);
        pending::write();
        as_owner(call.owner(), || counts.clear());
        return;
    }
    let deltas = gather(call, &columns);
    if deltas.is_empty() {
        return;
    }
    let target = Target {
        leads_oid: call.relation().rd_id,
        leads: spi::quote_qualified_identifier(call.schema_name(), call.table_name()),
        owner: call.owner(),
        counts: Counts::resolve(call, &settings, columns.campaign),
        numbers: columns.numbers,
    };
    pending::keep(target, deltas);
}

/// A tracked table and its counts, as a statement found them: whatever could change them has the deltas written first.
pub(super) struct Target {
    leads_oid: pg_sys::Oid,
    /// Its name, qualified and quoted.
    leads: String,
    owner: pg_sys::Oid,
    counts: Counts,
    numbers: [NumberColumn; 2],
}

impl Target {
    pub(super) fn counts_oid(&self) -> pg_sys::Oid {
        self.counts.oid()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.leads_oid, self.counts_oid()) == (other.leads_oid, other.counts_oid())
    }

    /// Writes the deltas, in the order of campaign and number.
    pub(super) fn apply(&self, deltas: Deltas) {
        let (campaigns, deltas) = deltas.into_sorted();
        as_owner(self.owner, || self.apply_sorted(&campaigns, &deltas));
    }

    fn apply_sorted(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        let counts = &self.counts;
        counts.add(campaigns, deltas);
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
        let disqualified = counts.disqualified_among(campaigns, deltas);
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

fn gather(call: &TriggerCall<'_>, columns: &Columns) -> Deltas {
    let mut deltas = Deltas::default();
    let last = columns.last_attribute();
    let (mut old_rows, mut new_rows) = (call.old_rows(), call.new_rows());
    loop {
        let old = old_rows.as_mut().and_then(|rows| rows.next_row(last));
        let new = new_rows.as_mut().and_then(|rows| rows.next_row(last));
        if old.is_none() && new.is_none() {
            return deltas;
        }
        // Old and new rows come in the same order. A pair that says the same changes nothing, and is not read.
        if let (Some(old), Some(new)) = (&old, &new)
            && columns.say_the_same(old, new)
        {
            continue;
        }
        if let Some(row) = &new {
            refuse_raw_numbers(call, row, columns);
        }
        let old = old.and_then(|row| lead_of(&row, columns));
        let new = new.and_then(|row| lead_of(&row, columns));
        // A number that stays where it was, as it was marked, need not be looked at.
        let looked_at = match (&old, &new) {
            (Some((old_campaign, old)), Some((campaign, new))) if old_campaign == campaign => {
                [old[0] != new[0], old[1] != new[1]]
            }
            _ => [true; 2],
        };
        if let Some((campaign, numbers)) = old {
            deltas.subtract(&campaign, numbers);
        }
        if let Some((campaign, numbers)) = new {
            deltas.add(&campaign, numbers, looked_at);
        }
    }
}

/// An error where a valid number was written in another spelling after the row was normalized: the number could be counted
/// but not found.
fn refuse_raw_numbers(call: &TriggerCall<'_>, row: &Row<'_>, columns: &Columns) {
    for column in &columns.numbers {
        let Some(datum) = row.get(column.number.attribute) else {
            continue;
        };
        // SAFETY: Columns::resolve() admits text and varchar here.
        let bytes = unsafe { datum_bytes(datum) };
        let raw = text::from_server(bytes);
        if E164::from_text(&raw).is_some() {
            continue;
        }
        let region = columns.region_of_row(|attribute| row.get(attribute));
        if phone::normalize(&raw, region).is_ok() {
            report::fail(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!(
                    "column \"{}\" of table \"{}\" was given {} after its numbers were normalized",
                    column.name,
                    call.table_name(),
                    report::shown(&raw)
                ),
                "A BEFORE ROW trigger that fires after zz_lead_phones_normalize wrote it, or that trigger is disabled."
                    .into(),
                "Rename the other trigger so that its name sorts first, or enable the triggers of lead_phones."
                    .into(),
            )
        }
    }
}

/// The campaign and the numbers of a row; `None` for a lead of no campaign, which is counted nowhere.
fn lead_of(row: &Row<'_>, columns: &Columns) -> Option<(Campaign, [Option<LeadNumber>; 2])> {
    let campaign = row.get(columns.campaign.attribute)?;
    Some((
        Campaign::read(campaign, columns.campaign),
        numbers_of(row, columns),
    ))
}

/// The valid numbers of a row, by column.
fn numbers_of(row: &Row<'_>, columns: &Columns) -> [Option<LeadNumber>; 2] {
    columns.numbers.each_ref().map(|column| {
        let datum = row.get(column.number.attribute)?;
        // SAFETY: Columns::resolve() admits text and varchar here.
        let raw = text::from_server(unsafe { datum_bytes(datum) });
        let region = columns.region_of_row(|attribute| row.get(attribute));
        let phone = phone::normalize(&raw, region).ok()?;
        let mark = row
            .get(column.mark.attribute)
            .is_some_and(|datum| datum.value() != 0);
        Some(LeadNumber { phone, mark })
    })
}
