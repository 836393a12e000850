//! Actions on a tracked table that run as its owner, whoever asks: the procedures of `sql/install/4_disqualification.sql` and
//! the event triggers of `sql/install/5_partitions.sql`.

use pgrx::datum::DatumWithOid;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;
use pgrx::rel::PgRelation;
use pgrx::spi::SpiTupleTable;
use pgrx::{FromDatum, JsonB};

use crate::owner::as_owner_for_others;
use crate::sql::{self, Values};
use crate::{report, text};

/// The actions of the procedures: each is a function `lead_phones_<action>(leads regclass, arguments jsonb) RETURNS jsonb`.
const ACTIONS: [&str; 6] = [
    "disqualify",
    "requalify",
    "expire",
    "suppress",
    "unsuppress",
    METRICS,
];

/// The one action that writes nothing: it runs on a standby.
const METRICS: &str = "metrics";

/// Runs an action. The arguments, third of the SQL function, and the answer are jsonb that is passed on unread: a jsonb datum
/// has the layout of a bytea.
#[pg_extern(sql = false)]
fn lead_phones_as_owner(
    leads: pg_sys::Oid,
    action: &[u8],
    fcinfo: FunctionCallInfo,
) -> Option<Vec<u8>> {
    let known = ACTIONS.iter().find(|known| known.as_bytes() == action);
    let Some(action) = known else {
        report::fail(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!(
                "{} is not an action on a tracked table",
                report::shown(&text::from_server(action))
            ),
            "This function serves the procedures of lead_phones alone.".into(),
            "Use disqualify_phone(), requalify_phone() or expire_disqualifications().".into(),
        )
    };
    // SAFETY: Postgres's own call info.
    let schema = unsafe { extension_schema(fcinfo) };
    // SAFETY: the function is strict and has three arguments, of which the third is a jsonb.
    let arguments = unsafe { DatumWithOid::new(pg_getarg_datum(fcinfo, 2), pg_sys::JSONBOID) };
    run(&schema, leads, action, arguments)
}

/// The schema of the function that was called: all of the extension stands in it.
///
/// # Safety
/// `fcinfo` is what Postgres handed to the function.
pub(crate) unsafe fn extension_schema(fcinfo: FunctionCallInfo) -> String {
    // SAFETY: the caller's promise; Postgres calls a function with its look-up.
    unsafe {
        let namespace = pg_sys::get_func_namespace((*(*fcinfo).flinfo).fn_oid);
        text::name_from_server(pg_sys::get_namespace_name(namespace))
    }
}

/// Runs an action of a tracked table on tables that belong to it, or did; `are_created` where the command has just made them.
pub(crate) fn run_on_tables(
    schema: &str,
    leads: pg_sys::Oid,
    action: &str,
    tables: &[pg_sys::Oid],
    are_created: bool,
) {
    let tables: Vec<u32> = tables.iter().map(|table| table.to_u32()).collect();
    let arguments = JsonB(serde_json::json!({ "tables": tables, "created": are_created }));
    run(schema, leads, action, arguments.into());
}

fn run(
    schema: &str,
    leads: pg_sys::Oid,
    action: &str,
    arguments: DatumWithOid<'_>,
) -> Option<Vec<u8>> {
    let function = spi::quote_qualified_identifier(schema, &*format!("lead_phones_{action}"));
    // SAFETY: takes and keeps the lock until the end of the transaction, or fails.
    let relation =
        unsafe { PgRelation::with_lock(leads, pg_sys::AccessShareLock as pg_sys::LOCKMODE) };
    // SAFETY: an open relation has its pg_class row; the OID is one.
    let (owner, leads) = unsafe {
        (
            (*relation.rd_rel).relowner,
            DatumWithOid::new(leads, pg_sys::REGCLASSOID),
        )
    };
    as_owner_for_others(owner, || {
        let statement = format!("SELECT {function}($1, $2)");
        let args = [leads, arguments];
        let read = |rows: SpiTupleTable<'_>| {
            let answer = rows.first().get_datum_by_ordinal(1).ok().flatten()?;
            // SAFETY: the datum is a jsonb; it is copied before SPI frees it.
            unsafe { Vec::<u8>::from_datum(answer, false) }
        };
        if action == METRICS {
            sql::query(&statement, &args, read)
        } else {
            sql::execute(&statement, &args, read)
        }
    })
}

/// Asks a function of ours that reads catalogs and nothing else, as superuser: whoever writes or runs DDL needs no right on the
/// extension's schema. `call` is the function without its schema, with its arguments cast to the very types that it declares:
/// a function of another signature, which somebody else may have put there, must not be the better match. It sees what is
/// committed, as DDL does, at every isolation level.
pub(crate) fn look_up(
    schema: &str,
    columns: &str,
    call: &str,
    args: &[DatumWithOid<'_>],
) -> Vec<Values> {
    let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
    let schema = spi::quote_identifier(schema);
    let statement = format!("SELECT {columns} FROM {schema}.{call} AS found");
    as_owner_for_others(superuser, || sql::query_latest(&statement, args))
}

/// The table that a look-up finds.
pub(crate) fn look_up_table(
    schema: &str,
    call: &str,
    args: &[DatumWithOid<'_>],
) -> Option<pg_sys::Oid> {
    let found = look_up(schema, "found::pg_catalog.oid", call, args);
    table_in(found.first()?, 0)
}

/// The table in a column of a row that was looked up.
pub(crate) fn table_in(row: &Values, column: usize) -> Option<pg_sys::Oid> {
    let value = (*row.get(column)?)?;
    // SAFETY: a value of type oid.
    unsafe { pg_sys::Oid::from_datum(value, false) }
}
