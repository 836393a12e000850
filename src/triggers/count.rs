//! AFTER STATEMENT: gather what the statement changes in the counts. BEFORE TRUNCATE: change them at once.

use std::rc::Rc;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Event, Row, TriggerCall};
use super::campaign::Campaign;
use super::columns::Columns;
use super::deltas::{ColumnSet, Deltas, LeadNumber, LeadNumbers};
use super::pending;
use super::resolved::Resolved;
use super::target::Target;
use crate::backend::owner::as_owner;
use crate::backend::{report, text};
use crate::phone::E164;
use crate::{actions, functions};

pub(super) fn count(call: &TriggerCall<'_>) {
    let resolved = Resolved::of(call);
    let leads = resolved.leads(call);
    if call.event() == Event::Truncate {
        pending::write();
        truncate(call, &resolved, leads);
        return;
    }
    // Citus copies the rows of a table into the shards that it makes as it distributes it, and the rows of the counts as well. Of its
    // several connections to a node, not every one knows yet that the table is a shard.
    if call.fills_shard() {
        let nothing = serde_json::json!({});
        actions::run_with(&call.extension_schema(), leads, "count_shard", nothing);
        return;
    }
    let mut target = None;
    gather(call, &resolved.columns, |deltas| {
        let target = target.get_or_insert_with(|| Rc::new(Target::new(call, &resolved, leads)));
        pending::keep(target, deltas);
    });
}

/// Before TRUNCATE. All tables are locked already.
fn truncate(call: &TriggerCall<'_>, resolved: &Resolved, leads: pg_sys::Oid) {
    // Citus truncates the shards of a table after the table, whose trigger has done all; shards that were moved have it too. What
    // distributing the table left on the coordinator is in no count.
    if call.is_local_part() {
        return;
    }
    if !resolved.settings.member && (call.is_partitioned() || !call.has_heirs()) {
        if call.is_partitioned() {
            let check = "lead_phones_check_detached($1::pg_catalog.regclass)";
            actions::look_up(
                &call.extension_schema(),
                "true",
                check,
                &[leads.into()],
                |_| (),
            );
        }
        let counts = resolved.counts(call);
        as_owner(call.owner(), || counts.clear());
    } else if !call.is_partitioned() {
        // One of several tables. Where all are truncated, there is nothing left to take off.
        let counts = resolved.counts(call);
        if as_owner(call.owner(), || counts.is_clear()) {
            return;
        }
        let table = [call.relation().rd_id];
        actions::run_on_tables(&call.extension_schema(), leads, "truncate", &table, false);
    }
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
                let changed = old.iter().zip(new).map(|(old, new)| old != new);
                changed
                    .rev()
                    .fold(0, |set, changed| set << 1 | ColumnSet::from(changed))
            }
            _ => ColumnSet::MAX,
        };
        if let Some((campaign, numbers)) = old {
            deltas.subtract(&campaign, &numbers);
        }
        if let Some((campaign, numbers)) = new {
            deltas.add(&campaign, &numbers, looked_at);
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
        // SAFETY: the datum is of the column's type.
        let raw = datum.map(|datum| unsafe { column.number.text(datum) });
        let spells = || {
            let region = columns.region_in_row(|at| row.get(at));
            functions::normalize(column.number.spelled(raw.as_ref()?), region).ok()
        };
        let is_marked = || {
            row.get(column.mark.attribute)
                .is_some_and(|mark| mark.value() != 0)
        };
        let stored = match column.e164 {
            // What it spells is beside it, as far as the row itself tells.
            Some(_) => {
                let stored = columns.number_of(column, |at| row.get(at));
                let is_right = !columns.has_region_in_row() || stored == spells();
                is_right.then_some(stored)
            }
            None => match raw.as_ref().and_then(E164::from_text) {
                Some(stored) => Some(Some(stored)),
                None => spells().is_none().then_some(None),
            },
        };
        let written = match stored {
            Some(Some(_)) => continue,
            None => format!(
                "column \"{}\" of table \"{}\" was given {} after its numbers were normalized",
                column.name,
                call.table_name(),
                report::shown(&text::from_server(&raw.unwrap_or_default()))
            ),
            Some(None) if is_marked() => format!(
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
fn lead_of(row: &Row<'_>, columns: &Columns) -> Option<(Campaign, LeadNumbers)> {
    if !columns.is_counted(row) {
        return None;
    }
    let campaign = columns.campaign_of(|at| row.get(at))?;
    Some((campaign, numbers_of(row, columns)))
}

/// The valid numbers of a row, by column.
fn numbers_of(row: &Row<'_>, columns: &Columns) -> LeadNumbers {
    let mut numbers = LeadNumbers::default();
    for (number, column) in numbers.iter_mut().zip(&columns.numbers) {
        *number = columns.number_of(column, |at| row.get(at)).map(|phone| {
            let mark = row
                .get(column.mark.attribute)
                .is_some_and(|datum| datum.value() != 0);
            LeadNumber { phone, mark }
        });
    }
    numbers
}
