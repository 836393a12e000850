//! AFTER STATEMENT on `contacts` and `accounts`: who is disqualified stays disqualified, whatever becomes of the row. The rows of people and companies that
//! were changed or deleted go, as they were, to `lead_phones_keep_out_of_...()`, which adds to the entries of the ledger whom they mean.
//! New people who are known by name and number alone go to `lead_phones_keep_out_of_new_contacts()`: who is out by one number is by the other.
//! BEFORE ROW on `accounts`: what kept a company out holds for its row, which may go in the same statement as those of its people.

use pgrx::prelude::*;
use pgrx::{FromDatum, datum::DatumWithOid, pg_sys};
use serde_json::{Map, Value};

use super::call::{Event, Row, TriggerCall, Values};
use crate::actions::lead_tables;
use crate::actions::lead_tables::Plans;
use crate::backend::owner::Restricted;
use crate::backend::report;
use crate::backend::sql::{self, Statement};
use crate::backend::text::{self, datum_bytes};
use crate::{citus, functions, keys};

/// Rows that are handed over at a time.
const BATCH: usize = 10_000;

/// The columns that say who is meant: numbers of rows, and texts.
const CONTACTS: Identity = Identity {
    table: "contacts",
    ids: &[c"campaign_id", c"contact_id", c"account_id"],
    texts: &[c"email", c"name", c"phone", c"mobile", c"region"],
};
const ACCOUNTS: Identity = Identity {
    table: "accounts",
    ids: &[c"campaign_id", c"account_id"],
    texts: &[c"name", c"domain"],
};

struct Identity {
    table: &'static str,
    ids: &'static [&'static core::ffi::CStr],
    texts: &'static [&'static core::ffi::CStr],
}

impl Identity {
    /// The columns in the table that fires: the key first.
    fn columns(&self, call: &TriggerCall<'_>) -> Vec<Column> {
        let ids = self.ids.iter().map(|name| column(call, name, false));
        ids.chain(self.texts.iter().map(|name| column(call, name, true)))
            .collect()
    }
}

/// A column that is read.
struct Column {
    name: &'static core::ffi::CStr,
    attribute: i16,
    is_text: bool,
}

/// AFTER STATEMENT, and before TRUNCATE.
pub(super) fn keep_out(call: &TriggerCall<'_>) {
    // What Citus copies is what it was; what it truncates, it truncates by shards.
    if call.fills_shard()
        || call.event() == Event::Truncate && citus::is_kept_in_shard(call.relation().rd_id)
    {
        return;
    }
    // not by its name, which Citus gives a shard with a number
    // SAFETY: a catalog look-up; of a column that there is not it answers 0.
    let has_contacts =
        unsafe { pg_sys::get_attnum(call.relation().rd_id, c"contact_id".as_ptr()) } != 0;
    let identity = match has_contacts {
        false => ACCOUNTS,
        true => CONTACTS,
    };
    let (new, rows) = match call.event() {
        Event::Insert => ("new_", known_by_two_numbers(call)),
        _ => ("", changed(call, &identity)),
    };
    let arguments: Vec<Value> = match call.event() {
        Event::Truncate => vec![Value::Null],
        _ => rows.chunks(BATCH).map(|rows| rows.into()).collect(),
    };
    if arguments.is_empty() {
        return;
    }
    as_owner(call, refuse_older_snapshot);
    let function = format!("lead_phones_keep_out_of_{new}{}", identity.table);
    hand_over(call, &function, arguments);
}

/// BEFORE ROW on accounts: people are found by the row of their company, which may be changed or deleted together with theirs.
pub(super) fn keep_account(call: &TriggerCall<'_>) -> pg_sys::HeapTuple {
    let (old, new) = (call.data.tg_trigtuple, call.data.tg_newtuple);
    let state = call.statement_state(|| (ACCOUNTS.columns(call), false));
    let (columns, is_checked) = &mut *state.borrow_mut();
    let read = |tuple| {
        let mut values = Values::default();
        call.read(tuple, &mut values);
        as_object(|at| values.get(at), &*columns)
    };
    let account = read(old);
    let (kept, is_the_same) = match call.event() {
        Event::Update => (new, read(new) == account),
        _ => (old, false),
    };
    if !is_the_same {
        if !core::mem::replace(is_checked, true) {
            as_owner(call, refuse_older_snapshot);
        }
        hand_over(call, "lead_phones_keep_out_of_account", vec![account]);
    }
    kept
}

/// Calls the function once with each of the arguments, as the owner, where anybody is out.
fn hand_over(call: &TriggerCall<'_>, function: &str, arguments: Vec<Value>) {
    let schema = call.extension_schema();
    let function = spi::quote_qualified_identifier(&*schema, function);
    let holding = match call.event() {
        Event::Insert => {
            let is_held = "lead_phones_is_anybody_held";
            format!(
                "SELECT WHERE {}()",
                spi::quote_qualified_identifier(&*schema, is_held)
            )
        }
        _ => "SELECT FROM lead_disqualifications AS d WHERE d.lifted_at IS NULL LIMIT 1".into(),
    };
    as_owner(call, || {
        if Statement::new(&holding, &[]).rows(|rows| rows.is_empty()) {
            return;
        }
        let statement = format!("SELECT {function}($1)");
        for argument in arguments {
            sql::in_own_memory(|| {
                let argument = functions::jsonb_datum(&argument).unwrap_or(pg_sys::Datum::null());
                // SAFETY: a jsonb datum, or NULL for none.
                let args = [unsafe { DatumWithOid::new(argument, pg_sys::JSONBOID) }];
                Statement::new(&statement, &args).run();
            });
        }
    });
}

fn as_owner(call: &TriggerCall<'_>, run: impl FnOnce()) {
    let (schema, table) = (call.extension_schema(), call.relation().rd_id);
    lead_tables::as_owner(
        &schema,
        table,
        call.owner(),
        Restricted::No,
        Plans::Kept,
        run,
    );
}

/// The new people who have no address, and two numbers.
fn known_by_two_numbers(call: &TriggerCall<'_>) -> Vec<Value> {
    let [campaign, contact] = [c"campaign_id", c"contact_id"].map(|name| column(call, name, false));
    let [email, phone, mobile] =
        [c"email", c"phone", c"mobile"].map(|name| column(call, name, true));
    let columns = [&campaign, &contact, &email, &phone, &mobile];
    let last = columns.map(|column| column.attribute).into_iter().max();
    let (Some(mut rows), Some(last)) = (call.new_rows(), last) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next_row(last) {
        pgrx::check_for_interrupts!();
        let is_set = |column: &Column| row.get(column.attribute).is_some();
        let is_addressed = || {
            let address = email.read(row.get(email.attribute));
            address.as_str().and_then(keys::email_key).is_some()
        };
        if is_set(&phone) && is_set(&mobile) && !is_addressed() {
            found.push(as_object(|at| row.get(at), [&campaign, &contact]));
        }
    }
    found
}

/// An error where the transaction has one snapshot, and somebody has been put out since, or known by another word: it would not see by what.
fn refuse_older_snapshot() {
    if !sql::has_one_snapshot() {
        return;
    }
    let entries = "SELECT count(*) FROM lead_disqualification_subjects";
    let count =
        |statement: Statement<'_>| statement.rows(|rows| rows.first(|row| row.get::<i64>(1)));
    if count(Statement::new(entries, &[])) != count(Statement::new(entries, &[]).on_latest()) {
        report::fail(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            "could not serialize access due to concurrent update of lead_disqualifications".into(),
            "Somebody has put people or companies out since the snapshot of this transaction, which writes some."
                .into(),
            "Try the transaction again.".into(),
        )
    }
}

/// The rows of the statement that no longer say whom they meant, as they were.
fn changed(call: &TriggerCall<'_>, identity: &Identity) -> Vec<Value> {
    let columns = identity.columns(call);
    let last = columns.iter().map(|column| column.attribute).max();
    let (Some(mut old_rows), Some(last)) = (call.old_rows(), last) else {
        return Vec::new();
    };
    let mut new_rows = call.new_rows().filter(|_| call.rows_come_in_pairs());
    let mut changed = Vec::new();
    while let Some(old) = old_rows.next_row(last) {
        pgrx::check_for_interrupts!();
        let new = new_rows.as_mut().and_then(|rows| rows.next_row(last));
        let says_the_same = |new: &Row<'_>| {
            let mut columns = columns.iter();
            columns.all(|column| column.is_equal(&old, new))
        };
        if !new.as_ref().is_some_and(says_the_same) {
            let mut was = as_object(|at| old.get(at), &columns);
            // the row as it is now, where its key is another
            if let (Some(new), Some(was)) = (&new, was.as_object_mut()) {
                for column in &columns[..2] {
                    let name = format!("new_{}", column.name.to_string_lossy());
                    was.insert(name, column.read(new.get(column.attribute)));
                }
            }
            changed.push(was);
        }
    }
    changed
}

/// A row as JSON, from its attributes by number.
fn as_object<'a>(
    get: impl Fn(i16) -> Option<pg_sys::Datum>,
    columns: impl IntoIterator<Item = &'a Column>,
) -> Value {
    let values = columns.into_iter().map(|column| {
        let name = column.name.to_string_lossy().into_owned();
        (name, column.read(get(column.attribute)))
    });
    Value::Object(values.collect::<Map<_, _>>())
}

impl Column {
    fn is_equal(&self, old: &Row<'_>, new: &Row<'_>) -> bool {
        match (old.get(self.attribute), new.get(self.attribute)) {
            // SAFETY: column() admits texts here.
            (Some(old), Some(new)) if self.is_text => unsafe {
                datum_bytes(old) == datum_bytes(new)
            },
            (old, new) => old.map(|datum| datum.value()) == new.map(|datum| datum.value()),
        }
    }

    fn read(&self, datum: Option<pg_sys::Datum>) -> Value {
        let Some(datum) = datum else {
            return Value::Null;
        };
        // SAFETY: column() admits texts and bigint.
        unsafe {
            match self.is_text {
                true => text::from_server(datum_bytes(datum)).into(),
                false => i64::from_datum(datum, false).into(),
            }
        }
    }
}

fn column(call: &TriggerCall<'_>, name: &'static core::ffi::CStr, is_text: bool) -> Column {
    let relation = call.relation().rd_id;
    let (mut category, mut is_preferred) = (0, false);
    // SAFETY: catalog look-ups; of a column that there is not, the type is InvalidOid.
    let (attribute, column_type) = unsafe {
        let attribute = pg_sys::get_attnum(relation, name.as_ptr());
        let column_type = pg_sys::get_atttype(relation, attribute);
        if column_type != pg_sys::InvalidOid {
            pg_sys::get_type_category_preferred(column_type, &mut category, &mut is_preferred);
        }
        let base_type = match column_type {
            pg_sys::InvalidOid => column_type,
            _ => pg_sys::getBaseType(column_type),
        };
        (attribute, base_type)
    };
    let is_right = match is_text {
        true => category as u8 == b'S' && column_type != pg_sys::NAMEOID,
        false => column_type == pg_sys::INT8OID,
    };
    if !is_right {
        report::fail(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!(
                "table \"{}\" has no {} column \"{}\"",
                call.table_name(),
                if is_text { "text" } else { "bigint" },
                name.to_string_lossy()
            ),
            "It says who is meant by an entry of the ledger.".into(),
            "Let the lead tables have the columns that create_lead_tables() gave them.".into(),
        )
    }
    Column {
        name,
        attribute,
        is_text,
    }
}
