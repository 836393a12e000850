//! AFTER STATEMENT: keep the counts.

use pgrx::prelude::*;

use super::call::{Event, Row, TriggerCall, text_bytes};
use super::campaign::Campaign;
use super::columns::Columns;
use super::counts::Counts;
use super::deltas::{Delta, Deltas, LeadNumber, SeenMarks};
use crate::owner::as_owner;
use crate::phone::{self, E164};
use crate::{report, text};

/// Rows of the counts written by one statement at most: their arrays stay far below Postgres's limit of 1 GB.
const MAX_DELTAS_PER_STATEMENT: usize = 1_000_000;

pub(super) fn count(call: &TriggerCall<'_>) {
    let settings = call.settings();
    let columns = Columns::resolve(call, &settings);
    if call.event() == Event::Truncate {
        let counts = Counts::resolve(call, &settings, columns.campaign);
        as_owner(call.owner(), || counts.clear());
        return;
    }
    let (campaigns, deltas) = gather(call, &columns).into_sorted();
    if deltas.is_empty() {
        return;
    }
    let counts = Counts::resolve(call, &settings, columns.campaign);
    as_owner(call.owner(), || {
        for deltas in deltas.chunks(MAX_DELTAS_PER_STATEMENT) {
            apply(call, &columns, &counts, &campaigns, deltas);
        }
    });
}

fn apply(
    call: &TriggerCall<'_>,
    columns: &Columns,
    counts: &Counts,
    campaigns: &[Campaign],
    deltas: &[Delta],
) {
    counts.add(campaigns, deltas);
    let shrunk: Vec<Delta> = deltas
        .iter()
        .filter(|delta| delta.leads < 0)
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
    let mut disqualified = vec![false; deltas.len()];
    for place in counts.disqualified_among(campaigns, deltas) {
        if let Some(flag) = disqualified.get_mut(place) {
            *flag = true;
        }
    }
    let leads = spi::quote_qualified_identifier(call.schema_name(), call.table_name());
    for (place, column) in columns.numbers.iter().enumerate() {
        for mark in [true, false] {
            let mut wrong = deltas
                .iter()
                .zip(&disqualified)
                .filter(|(delta, disqualified)| {
                    let seen = delta.marks[place];
                    **disqualified == mark && if mark { seen.unset } else { seen.set }
                })
                .map(|(delta, _)| delta)
                .peekable();
            if wrong.peek().is_some() {
                counts.mark_leads(&leads, column, mark, campaigns, wrong);
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
        if let Some((campaign, numbers)) = old.and_then(|row| lead_of(&row, columns)) {
            deltas.subtract(&campaign, numbers);
        }
        if let Some(row) = &new {
            refuse_raw_numbers(call, row, columns);
        }
        if let Some((campaign, numbers)) = new.and_then(|row| lead_of(&row, columns)) {
            deltas.add(&campaign, numbers);
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
        let bytes = unsafe { text_bytes(datum) };
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
        let raw = text::from_server(unsafe { text_bytes(datum) });
        let region = columns.region_of_row(|attribute| row.get(attribute));
        let phone = phone::normalize(&raw, region).ok()?;
        let mark = row
            .get(column.mark.attribute)
            .is_some_and(|datum| datum.value() != 0);
        Some(LeadNumber { phone, mark })
    })
}
