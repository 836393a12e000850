//! AFTER STATEMENT: gather what the statement changes in the counts. BEFORE TRUNCATE: change them at once.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Event, Row, TriggerCall};
use super::campaign::Campaign;
use super::columns::Columns;
use super::counts::Counts;
use super::deltas::{Deltas, LeadNumber};
use super::pending;
use super::settings::Settings;
use super::target::Target;
use crate::owner::as_owner;
use crate::phone::E164;
use crate::text::{self, datum_bytes};
use crate::{action, functions, report, sql};

pub(super) fn count(call: &TriggerCall<'_>) {
    let settings = call.settings();
    let leads = call.tracked_table(&settings);
    let columns = Columns::resolve(call, &settings);
    if call.event() == Event::Truncate {
        pending::write();
        truncate(call, &settings, &columns, leads);
        return;
    }
    let deltas = gather(call, &columns);
    if deltas.is_empty() {
        return;
    }
    pending::keep(Target::new(call, &settings, columns, leads), deltas);
}

/// Before TRUNCATE. All tables are locked already.
fn truncate(call: &TriggerCall<'_>, settings: &Settings, columns: &Columns, leads: pg_sys::Oid) {
    // Citus truncates the shards of a table after the table, whose trigger has done all; shards that were moved have it too.
    if sql::is_citus_loaded() && is_shard(call) {
        return;
    }
    if !settings.member && (call.is_partitioned() || !call.has_heirs()) {
        if call.is_partitioned() {
            let check = "lead_phones_check_detached($1::pg_catalog.regclass)";
            action::look_up(&call.extension_schema(), "true", check, &[leads.into()]);
        }
        let counts = Counts::resolve(call, settings, columns.campaign);
        as_owner(call.owner(), || counts.clear());
    } else if !call.is_partitioned() {
        // One of several tables. Where all are truncated, there is nothing left to take off.
        let counts = Counts::resolve(call, settings, columns.campaign);
        if as_owner(call.owner(), || counts.is_clear()) {
            return;
        }
        let table = [call.relation().rd_id];
        action::run_on_tables(&call.extension_schema(), leads, "truncate", &table, false);
    }
}

fn is_shard(call: &TriggerCall<'_>) -> bool {
    let schema = call.extension_schema();
    let table = "lead_phones_is_shard($1::pg_catalog.regclass)";
    let found = action::look_up(&schema, "found", table, &[call.relation().rd_id.into()]);
    matches!(found.first().map(Vec::as_slice), Some([Some(answer)]) if answer.value() != 0)
}

fn gather(call: &TriggerCall<'_>, columns: &Columns) -> Deltas {
    // Old and new rows come in the same order, so that each pair is one row. Where a row moves to a partition that has a
    // trigger which suppresses it, only the old one comes.
    gather_rows(call, columns, true)
        .or_else(|| gather_rows(call, columns, false))
        .unwrap_or_default()
}

/// `None` where rows should come in pairs, and do not.
fn gather_rows(call: &TriggerCall<'_>, columns: &Columns, in_pairs: bool) -> Option<Deltas> {
    let mut deltas = Deltas::default();
    let last = columns.last_attribute();
    let (mut old_rows, mut new_rows) = (call.old_rows(), call.new_rows());
    let in_pairs = in_pairs && old_rows.is_some() && new_rows.is_some();
    loop {
        let old = old_rows.as_mut().and_then(|rows| rows.next_row(last));
        let new = new_rows.as_mut().and_then(|rows| rows.next_row(last));
        match (&old, &new) {
            (None, None) => return Some(deltas),
            (None, _) | (_, None) if in_pairs => return None,
            // A pair that says the same changes nothing, and is not read.
            (Some(old), Some(new)) if in_pairs && columns.say_the_same(old, new) => continue,
            _ => {}
        }
        if let Some(row) = new.as_ref().filter(|row| columns.is_counted(row)) {
            refuse_raw_numbers(call, row, columns);
        }
        let old = old.and_then(|row| lead_of(&row, columns));
        let new = new.and_then(|row| lead_of(&row, columns));
        // A number that stays where it was, as it was marked, need not be looked at.
        let looked_at = match (&old, &new) {
            (Some((old_campaign, old)), Some((campaign, new)))
                if in_pairs && old_campaign == campaign =>
            {
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
        let raw = unsafe { datum_bytes(datum) };
        if E164::from_text(raw).is_some() {
            continue;
        }
        let region = columns.region_of_row(|attribute| row.get(attribute));
        if functions::normalize(raw, region).is_ok() {
            report::fail(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!(
                    "column \"{}\" of table \"{}\" was given {} after its numbers were normalized",
                    column.name,
                    call.table_name(),
                    report::shown(&text::from_server(raw))
                ),
                "A BEFORE ROW trigger that fires after zz_lead_phones_normalize wrote it, or that trigger is disabled."
                    .into(),
                "Rename the other trigger so that its name sorts first, or enable the triggers of lead_phones."
                    .into(),
            )
        }
    }
}

/// The campaign and the numbers of a row; `None` for a lead that is counted nowhere: of no campaign, or not backfilled.
fn lead_of(row: &Row<'_>, columns: &Columns) -> Option<(Campaign, [Option<LeadNumber>; 2])> {
    if !columns.is_counted(row) {
        return None;
    }
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
        let raw = unsafe { datum_bytes(datum) };
        let region = columns.region_of_row(|attribute| row.get(attribute));
        let phone = functions::normalize(raw, region).ok()?;
        let mark = row
            .get(column.mark.attribute)
            .is_some_and(|datum| datum.value() != 0);
        Some(LeadNumber { phone, mark })
    })
}
