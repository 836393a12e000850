//! AFTER STATEMENT: gather what the statement changes in the counts. BEFORE TRUNCATE: change them at once.

use std::rc::Rc;

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
    let mut target = None;
    gather(call, &columns, |deltas| {
        let target =
            target.get_or_insert_with(|| Rc::new(Target::new(call, &settings, &columns, leads)));
        pending::keep(target, deltas);
    });
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
            action::look_up(
                &call.extension_schema(),
                "true",
                check,
                &[leads.into()],
                |_| (),
            );
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
    let found = action::look_up(
        &schema,
        "found",
        table,
        &[call.relation().rd_id.into()],
        |row| row.get(1),
    );
    found == [Some(true)]
}

/// Hands on what the statement changes, at once or in parts.
fn gather(call: &TriggerCall<'_>, columns: &Columns, mut keep: impl FnMut(Deltas)) {
    let mut deltas = Deltas::default();
    let last = columns.last_attribute();
    let (mut old_rows, mut new_rows) = (call.old_rows(), call.new_rows());
    let in_pairs = call.rows_come_in_pairs();
    loop {
        pgrx::check_for_interrupts!();
        let old = old_rows.as_mut().and_then(|rows| rows.next_row(last));
        let new = new_rows.as_mut().and_then(|rows| rows.next_row(last));
        match (&old, &new) {
            (None, None) => break,
            // A pair that says the same changes nothing, and is not read.
            (Some(old), Some(new))
                if in_pairs && columns.say_the_same(|at| old.get(at), |at| new.get(at)) =>
            {
                continue;
            }
            _ => {}
        }
        if let Some(row) = new.as_ref().filter(|row| columns.is_counted(row)) {
            refuse_later_changes(call, row, columns);
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
        if deltas.size() > pending::MAX_KEPT {
            keep(core::mem::take(&mut deltas));
        }
    }
    if !deltas.is_empty() {
        keep(deltas);
    }
}

/// An error where a trigger has changed the row after it was normalized: a valid number in another spelling could be counted but not
/// found, and nothing would ever lift the mark of a column that holds no number.
fn refuse_later_changes(call: &TriggerCall<'_>, row: &Row<'_>, columns: &Columns) {
    for column in &columns.numbers {
        let datum = row.get(column.number.attribute);
        // SAFETY: Columns::resolve() admits text and varchar here.
        let raw = datum.map(|datum| unsafe { datum_bytes(datum) });
        let is_marked = || {
            row.get(column.mark.attribute)
                .is_some_and(|mark| mark.value() != 0)
        };
        let written = match raw {
            Some(raw) if E164::from_text(raw).is_some() => continue,
            Some(raw)
                if functions::normalize(raw, columns.region_of_row(|at| row.get(at))).is_ok() =>
            {
                format!(
                    "column \"{}\" of table \"{}\" was given {} after its numbers were normalized",
                    column.name,
                    call.table_name(),
                    report::shown(&text::from_server(raw))
                )
            }
            _ if is_marked() => format!(
                "column \"{}\" of table \"{}\" was marked as disqualified, and holds no number",
                column.name,
                call.table_name()
            ),
            _ => continue,
        };
        report::fail(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            written,
            "A BEFORE ROW trigger that fires after zz_lead_phones_normalize wrote it, or that trigger is disabled."
                .into(),
            "Rename the other trigger so that its name sorts first, or enable the triggers of lead_phones."
                .into(),
        )
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
