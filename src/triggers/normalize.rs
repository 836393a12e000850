//! BEFORE ROW: write numbers in E.164, and mark those that are disqualified.

use core::ffi::c_void;
use core::mem::take;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ptr;
use std::rc::Rc;

use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::call::{Event, TriggerCall, Values};
use super::columns::{Column, MAX_COLUMNS, NumberColumn, PerColumn};
use super::counts::Counts;
use super::marks::Marks;
use super::region::Regions;
use super::resolved::Resolved;
use super::settings::OnInvalid;
use crate::backend::report;
use crate::backend::text::{self, text_datum};
use crate::functions;
use crate::phone::{DefaultRegion, E164, Problem};

/// What a statement needs to know for each of its rows.
struct Statement {
    resolved: Rc<Resolved>,
    regions: Regions,
    /// Found when a row is to be marked.
    counts: OnceCell<Rc<Counts>>,
    marks: Marks,
    /// Postgres's cache for checks of a domain, by column of numbers.
    domain_checks: PerColumn<*mut c_void>,
    /// The row as it was, and as it is to be: their memory is used again for the next one.
    old: Values,
    new: Values,
}

/// New values for some columns of a row.
#[derive(Default)]
struct Changes {
    attributes: Vec<i32>,
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
}

impl Changes {
    fn set(&mut self, column: Column, value: Option<pg_sys::Datum>) {
        self.attributes.push(column.attribute.into());
        self.values.push(value.unwrap_or(pg_sys::Datum::null()));
        self.nulls.push(value.is_none());
    }
}

pub(super) fn normalize(call: &TriggerCall<'_>) -> pg_sys::HeapTuple {
    let state = call.statement_state(|| {
        call.refuse_partition();
        let resolved = Resolved::of(call);
        Statement {
            regions: Regions::resolve(call, &resolved),
            resolved,
            counts: OnceCell::new(),
            marks: Marks::default(),
            domain_checks: [ptr::null_mut(); MAX_COLUMNS],
            old: Values::default(),
            new: Values::default(),
        }
    });
    let statement = &mut *state.borrow_mut();
    let is_update = call.event() == Event::Update;
    let tuple = match is_update {
        true => call.data.tg_newtuple,
        false => call.data.tg_trigtuple,
    };
    let (mut old, mut new) = (take(&mut statement.old), take(&mut statement.new));
    call.read(tuple, &mut new);
    if is_update {
        call.read(call.data.tg_trigtuple, &mut old);
    }
    let mut changes = Changes::default();
    // Most updates are of other columns.
    let columns = &statement.resolved.columns;
    if !is_update || !columns.say_the_same(|at| old.get(at), |at| new.get(at)) {
        let old = is_update.then_some(&old);
        let numbers = normalize_numbers(call, statement, old, &new, &mut changes);
        mark_numbers(call, statement, &new, &numbers, &mut changes);
    }
    (statement.old, statement.new) = (old, new);
    if changes.attributes.is_empty() {
        return tuple;
    }
    // SAFETY: the arrays have one element for each attribute, of the attribute's type; the tuple is of this relation.
    unsafe {
        pg_sys::heap_modify_tuple_by_cols(
            tuple,
            call.relation().rd_att,
            changes.attributes.len() as i32,
            changes.attributes.as_mut_ptr(),
            changes.values.as_mut_ptr(),
            changes.nulls.as_mut_ptr(),
        )
    }
}

/// Writes the numbers of the row in E.164; returns the valid ones.
fn normalize_numbers(
    call: &TriggerCall<'_>,
    statement: &mut Statement,
    old: Option<&Values>,
    row: &Values,
    changes: &mut Changes,
) -> PerColumn<Option<E164>> {
    let Statement {
        resolved,
        regions,
        domain_checks,
        ..
    } = statement;
    let Resolved {
        settings, columns, ..
    } = &**resolved;
    let get = |attribute| row.get(attribute);
    let mut valid = PerColumn::default();
    let mut region_of_row = None;
    for (place, column) in columns.numbers.iter().enumerate() {
        // SAFETY: the datum is of the column's type.
        let raw = get(column.number.attribute).map(|datum| unsafe { column.number.text(datum) });
        let Some(raw) = raw else {
            keep_beside(column, old, row, None, None, changes);
            continue;
        };
        let region = *region_of_row.get_or_insert_with(|| regions.of_row(columns, get));
        let spelled = column.number.spelled(&raw);
        let found = functions::normalize(spelled, region);
        let phone = found.ok();
        valid[place] = phone;
        keep_beside(column, old, row, phone, Some((spelled, region)), changes);
        let new_value = match found {
            _ if matches!(found, Err(Problem::Empty)) => continue,
            Err(problem) if settings.on_invalid == OnInvalid::Reject => {
                let raw = text::from_server(&raw);
                report::rejected_phone(&column.name, &call.table_name(), &raw, problem)
            }
            _ if column.e164.is_some() => continue,
            Ok(phone) if *raw == *phone.as_bytes() => continue,
            Ok(phone) => Some(column.number.value_of(phone)),
            Err(_) if settings.on_invalid == OnInvalid::Null => None,
            Err(_) => continue,
        };
        check_domain(call, column, new_value, &mut domain_checks[place]);
        changes.set(column.number, new_value);
    }
    valid
}

/// Writes what is kept beside a column of numbers: the number, where the column is left as it is, and the extension.
fn keep_beside(
    column: &NumberColumn,
    old: Option<&Values>,
    row: &Values,
    phone: Option<E164>,
    spelled: Option<(&[u8], DefaultRegion)>,
    changes: &mut Changes,
) {
    fn text_of(row: &Values, column: Column) -> Option<Cow<'_, [u8]>> {
        let datum = row.get(column.attribute);
        // SAFETY: the datum is of the column's type, and lives as long as the row.
        datum.map(|datum| unsafe { column.text(datum) })
    }
    let mut write = |column: Column, value: Option<&[u8]>| {
        if text_of(row, column).as_deref() != value {
            changes.set(column, value.map(text_datum));
        }
    };
    if let Some(e164) = column.e164 {
        write(e164, phone.as_ref().map(|phone| phone.as_bytes()));
    }
    let Some(extension) = column.extension else {
        return;
    };
    let found = phone
        .zip(spelled)
        .and_then(|(_, (raw, region))| functions::extension(raw, region));
    if column.e164.is_some() || found.is_some() {
        write(extension, found.as_ref().map(String::as_bytes));
        return;
    }
    // In place, the text that had the extension is gone. It goes with its number, unless the application has written another.
    let Some(old) = old else {
        return;
    };
    let old_phone = text_of(old, column.number).and_then(|raw| E164::from_text(&*raw));
    if old_phone != phone && text_of(old, extension) == text_of(row, extension) {
        write(extension, None);
    }
}

/// Marks each number of the row as the counts say.
fn mark_numbers(
    call: &TriggerCall<'_>,
    statement: &mut Statement,
    row: &Values,
    numbers: &PerColumn<Option<E164>>,
    changes: &mut Changes,
) {
    let Statement {
        resolved,
        counts,
        marks,
        ..
    } = statement;
    let columns = &resolved.columns;
    let campaign = columns.campaign_of(|attribute| row.get(attribute));
    let disqualified = match campaign {
        Some(campaign) if numbers.iter().any(Option::is_some) => {
            let counts = counts.get_or_init(|| resolved.counts(call));
            marks.are_disqualified(call.owner(), counts, &campaign, numbers)
        }
        _ => PerColumn::default(),
    };
    for (column, disqualified) in columns.numbers.iter().zip(disqualified) {
        let marked = row
            .get(column.mark.attribute)
            // SAFETY: Columns::resolve() admits boolean here.
            .and_then(|datum| unsafe { bool::from_datum(datum, false) });
        if marked != Some(disqualified) {
            changes.set(column.mark, disqualified.into_datum());
        }
    }
}

/// Postgres checked the raw text against the column's domain; the new value must pass too.
fn check_domain(
    call: &TriggerCall<'_>,
    column: &NumberColumn,
    value: Option<pg_sys::Datum>,
    cache: &mut *mut c_void,
) {
    let Column {
        type_id, base_type, ..
    } = column.number;
    if type_id == base_type {
        return;
    }
    // SAFETY: the value is of the domain's base type; the cache lives in the statement's memory context.
    unsafe {
        pg_sys::domain_check(
            value.unwrap_or(pg_sys::Datum::null()),
            value.is_none(),
            type_id,
            cache,
            call.statement_context(),
        );
    }
}
