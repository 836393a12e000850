//! BEFORE ROW: write numbers in E.164, and mark those that are disqualified.

use core::ffi::c_void;
use std::cell::OnceCell;
use std::ptr;

use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::call::{Event, TriggerCall};
use super::campaign::Campaign;
use super::columns::{Column, Columns, NumberColumn};
use super::counts::Counts;
use super::marks::Marks;
use super::settings::{OnInvalid, Settings};
use crate::functions;
use crate::phone::E164;
use crate::report;
use crate::text::{self, datum_bytes, text_datum};

/// What a statement needs to know for each of its rows.
struct Statement {
    settings: Settings,
    columns: Columns,
    /// Found when a row is to be marked.
    counts: OnceCell<Counts>,
    marks: Marks,
    /// Postgres's cache for checks of a domain, by column of numbers.
    domain_checks: [*mut c_void; 2],
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
        let settings = call.settings();
        Statement {
            columns: Columns::resolve(call, &settings),
            settings,
            counts: OnceCell::new(),
            marks: Marks::default(),
            domain_checks: [ptr::null_mut(); 2],
        }
    });
    let statement = &mut *state.borrow_mut();
    let tuple = match call.event() {
        Event::Update => {
            let (old, new) = (call.data.tg_trigtuple, call.data.tg_newtuple);
            // Most updates are of other columns.
            if statement.columns.say_the_same(
                |number| call.attribute(old, number),
                |number| call.attribute(new, number),
            ) {
                return new;
            }
            new
        }
        _ => call.data.tg_trigtuple,
    };
    let mut changes = Changes::default();
    let numbers = normalize_numbers(call, statement, tuple, &mut changes);
    mark_numbers(call, statement, tuple, numbers, &mut changes);
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
    tuple: pg_sys::HeapTuple,
    changes: &mut Changes,
) -> [Option<E164>; 2] {
    let columns = &statement.columns;
    let mut valid = [None; 2];
    for (place, column) in columns.numbers.iter().enumerate() {
        let Some(datum) = call.attribute(tuple, column.number.attribute) else {
            continue;
        };
        // SAFETY: Columns::resolve() admits text and varchar here.
        let bytes = unsafe { datum_bytes(datum) };
        let region = columns.region_of_row(|number| call.attribute(tuple, number));
        let new_value = match functions::normalize(bytes, region) {
            Ok(phone) => {
                valid[place] = Some(phone);
                if bytes == phone.as_bytes() {
                    continue;
                }
                Some(text_datum(phone.as_bytes()))
            }
            Err(problem) => match statement.settings.on_invalid {
                OnInvalid::Keep => continue,
                OnInvalid::Null => None,
                OnInvalid::Reject => {
                    let raw = text::from_server(bytes);
                    report::rejected_phone(&column.name, &call.table_name(), &raw, problem)
                }
            },
        };
        let cache = &mut statement.domain_checks[place];
        check_domain(call, column, new_value, cache);
        changes.set(column.number, new_value);
    }
    valid
}

/// Marks each number of the row as the counts say.
fn mark_numbers(
    call: &TriggerCall<'_>,
    statement: &mut Statement,
    tuple: pg_sys::HeapTuple,
    numbers: [Option<E164>; 2],
    changes: &mut Changes,
) {
    let Statement {
        settings,
        columns,
        counts,
        marks,
        ..
    } = statement;
    let campaign = call
        .attribute(tuple, columns.campaign.attribute)
        .map(|datum| Campaign::read(datum, columns.campaign));
    let disqualified = match campaign {
        Some(campaign) if numbers != [None; 2] => {
            let counts = counts.get_or_init(|| Counts::resolve(call, settings, columns.campaign));
            marks.are_disqualified(call.owner(), counts, &campaign, numbers)
        }
        _ => [false; 2],
    };
    for (column, disqualified) in columns.numbers.iter().zip(disqualified) {
        let marked = call
            .attribute(tuple, column.mark.attribute)
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
