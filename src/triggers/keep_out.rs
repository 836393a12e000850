//! AFTER STATEMENT on `contacts` and `accounts`: whoever is out stays out, whatever becomes of his row. The rows of people and companies that
//! were changed or deleted go, as they were, to `lead_phones_keep_out_of_...()`, which adds to the entries of the ledger whom they mean.
//! New people who are known by name and number alone go to `lead_phones_keep_out_of_new_contacts()`: who is out by one number is by the other.

use pgrx::prelude::*;
use pgrx::{FromDatum, datum::DatumWithOid, pg_sys};
use serde_json::{Map, Value};

use super::call::{Event, Row, TriggerCall};
use crate::lead_tables::Plans;
use crate::owner::Restricted;
use crate::sql::{self, Statement};
use crate::text::{self, datum_bytes};
use crate::{functions, keys, lead_tables, report};

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

/// A column that is read.
struct Column {
    name: &'static core::ffi::CStr,
    attribute: i16,
    is_text: bool,
}

pub(super) fn keep_out(call: &TriggerCall<'_>) {
    let identity = match &*call.table_name() {
        "accounts" => ACCOUNTS,
        _ => CONTACTS,
    };
    let rows = match call.event() {
        Event::Truncate => Vec::new(),
        Event::Insert => known_by_two_numbers(call),
        _ => changed(call, &identity),
    };
    if rows.is_empty() && call.event() != Event::Truncate {
        return;
    }
    let schema = call.extension_schema();
    let (new, holding) = match call.event() {
        Event::Insert => ("new_", HOLDING_FOR_NUMBERS),
        _ => (
            "",
            "SELECT FROM lead_disqualifications AS d WHERE d.lifted_at IS NULL LIMIT 1",
        ),
    };
    let function = format!("lead_phones_keep_out_of_{new}{}", identity.table);
    let function = spi::quote_qualified_identifier(&*schema, &*function);
    let table = call.relation().rd_id;
    lead_tables::as_owner(
        &schema,
        table,
        call.owner(),
        Restricted::No,
        Plans::Kept,
        || {
            if call.event() != Event::Insert {
                refuse_older_snapshot();
            }
            if Statement::new(holding, &[]).rows(|rows| rows.is_empty()) {
                return;
            }
            let statement = format!("SELECT {function}($1)");
            let run = |rows: Value| {
                sql::in_own_memory(|| {
                    let rows = functions::jsonb_datum(&rows).unwrap_or(pg_sys::Datum::null());
                    // SAFETY: a jsonb datum, or NULL for none.
                    let args = [unsafe { DatumWithOid::new(rows, pg_sys::JSONBOID) }];
                    Statement::new(&statement, &args).run();
                });
            };
            if call.event() == Event::Truncate {
                run(Value::Null);
            }
            for rows in rows.chunks(BATCH) {
                run(Value::from(rows.to_vec()));
            }
        },
    );
}

/// Entries that hold for people by name and number: there are few.
const HOLDING_FOR_NUMBERS: &str = "SELECT FROM lead_disqualification_subjects AS k WHERE k.subject >= 'person ' AND k.subject < 'person!' LIMIT 1";

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
            let address = email.value(&row);
            address.as_str().and_then(keys::email_key).is_some()
        };
        if is_set(&phone) && is_set(&mobile) && !is_addressed() {
            found.push(as_object(&row, [&campaign, &contact]));
        }
    }
    found
}

/// An error where the transaction has one snapshot, and somebody has been put out since: it would not see by what.
fn refuse_older_snapshot() {
    if !sql::has_one_snapshot() {
        return;
    }
    let entries = "SELECT count(*) FROM lead_disqualifications";
    let count =
        |statement: Statement<'_>| statement.rows(|rows| rows.first(|row| row.get::<i64>(1)));
    if count(Statement::new(entries, &[])) != count(Statement::new(entries, &[]).on_latest()) {
        report::fail(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            "could not serialize access due to concurrent update of lead_disqualifications".into(),
            "Somebody has put people or companies out since the snapshot of this transaction, which changes or deletes some."
                .into(),
            "Try the transaction again.".into(),
        )
    }
}

/// The rows of the statement that no longer say whom they meant, as they were.
fn changed(call: &TriggerCall<'_>, identity: &Identity) -> Vec<Value> {
    let ids = identity.ids.iter().map(|name| column(call, name, false));
    let columns: Vec<Column> = ids
        .chain(identity.texts.iter().map(|name| column(call, name, true)))
        .collect();
    let last = columns.iter().map(|column| column.attribute).max();
    let (Some(mut old_rows), Some(last)) = (call.old_rows(), last) else {
        return Vec::new();
    };
    let mut new_rows = call.new_rows().filter(|_| call.rows_come_in_pairs());
    let mut changed = Vec::new();
    while let Some(old) = old_rows.next_row(last) {
        pgrx::check_for_interrupts!();
        let new = new_rows.as_mut().and_then(|rows| rows.next_row(last));
        let says_the_same = |new: Row<'_>| {
            let mut columns = columns.iter();
            columns.all(|column| column.is_equal(&old, &new))
        };
        if !new.is_some_and(says_the_same) {
            changed.push(as_object(&old, &columns));
        }
    }
    changed
}

fn as_object<'a>(row: &Row<'_>, columns: impl IntoIterator<Item = &'a Column>) -> Value {
    let values = columns.into_iter().map(|column| {
        let name = column.name.to_string_lossy().into_owned();
        (name, column.value(row))
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

    fn value(&self, row: &Row<'_>) -> Value {
        let Some(datum) = row.get(self.attribute) else {
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
        (attribute, pg_sys::getBaseType(column_type))
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
