//! Actions on a tracked table that run as its owner, whatever role asks: the procedures of `sql/install/disqualification` and
//! the event triggers of `sql/install/ddl`.

pub(crate) mod lead_tables;
mod procedures;
mod reasons;
pub(crate) mod reports;
use pgrx::datum::DatumWithOid;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::actions::lead_tables::Plans;
use crate::backend::owner::{Restricted, as_owner_for_others};
use crate::backend::sql::{SqlRow, Statement};
use crate::backend::{report, server, text};
use crate::{citus, functions};

/// The actions of the procedures: each is a function `lead_phones_<action>(leads regclass, arguments jsonb) RETURNS jsonb`.
const ACTIONS: [&str; 5] = ["disqualify", "requalify", "expire", "rebuild", METRICS];

/// The actions on lead tables: each is a function `lead_phones_<action>(leads regclass, arguments jsonb) RETURNS jsonb` too, and names the
/// tables as they are called.
const LEAD_TABLE_ACTIONS: [&str; 9] = [
    "suppress",
    "unsuppress",
    "sync_phones",
    "sync_domains",
    "expire_entries",
    "start_call",
    "end_call",
    "next_leads",
    "call_again",
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
    let mut actions = ACTIONS.iter().chain(&LEAD_TABLE_ACTIONS);
    let known = actions.find(|known| known.as_bytes() == action);
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

/// The schema of the function that was called: all of the extension is in it.
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
    let arguments = serde_json::json!({ "tables": tables, "created": are_created });
    run_with(schema, leads, action, arguments);
}

/// Runs an action of a tracked table as its owner, whatever role asks.
pub(crate) fn run_with(
    schema: &str,
    leads: pg_sys::Oid,
    action: &str,
    arguments: serde_json::Value,
) {
    let arguments = functions::jsonb_datum(&arguments).unwrap_or(pg_sys::Datum::null());
    // SAFETY: a jsonb datum, in the memory context of the caller.
    let arguments = unsafe { DatumWithOid::new(arguments, pg_sys::JSONBOID) };
    run(schema, leads, action, arguments);
}

fn run(
    schema: &str,
    leads: pg_sys::Oid,
    action: &str,
    arguments: DatumWithOid<'_>,
) -> Option<Vec<u8>> {
    let function = spi::quote_qualified_identifier(schema, &*format!("lead_phones_{action}"));
    let owner = hold(leads);
    procedures::check_caller(schema, owner);
    let _local = citus::enter(leads);
    // SAFETY: the OID of a table.
    let table = unsafe { DatumWithOid::new(leads, pg_sys::REGCLASSOID) };
    let call = || {
        let text = format!("SELECT {function}($1, $2)");
        let args = [table, arguments];
        let statement = match action {
            METRICS => Statement::new(&text, &args).read_only(),
            _ => Statement::new(&text, &args),
        };
        // a jsonb, copied before SPI frees it
        statement
            .rows(|rows| rows.first(|row| row.get(1)))
            .flatten()
    };
    match LEAD_TABLE_ACTIONS.contains(&action) {
        true => lead_tables::as_owner(
            schema,
            leads,
            owner,
            Restricted::ForOthers,
            Plans::Kept,
            call,
        ),
        false => as_owner_for_others(owner, call),
    }
}

/// Asks a function of ours that reads catalogs and nothing else, as superuser: a role that writes or runs DDL needs no right on the
/// extension's schema. `call` is the function without its schema, with its arguments cast to the very types that it declares:
/// a function of another signature, which somebody else may have put there, must not be the better match. It sees what is
/// committed, as DDL does, at every isolation level.
pub(crate) fn look_up<T>(
    schema: &str,
    columns: &str,
    call: &str,
    args: &[DatumWithOid<'_>],
    read: impl FnMut(&SqlRow<'_>) -> T,
) -> Vec<T> {
    let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
    let schema = spi::quote_identifier(schema);
    let statement = format!("SELECT {columns} FROM {schema}.{call} AS found");
    as_owner_for_others(superuser, || {
        Statement::new(&statement, args)
            .on_latest()
            .rows(|rows| rows.map(read))
    })
}

/// The table that a look-up finds.
pub(crate) fn look_up_table(
    schema: &str,
    call: &str,
    args: &[DatumWithOid<'_>],
) -> Option<pg_sys::Oid> {
    let found = look_up(schema, "found::pg_catalog.oid", call, args, |row| {
        row.get(1)
    });
    found.first().copied().flatten()
}

/// Keeps tables from being altered or dropped until the transaction ends; an error where one is gone, or belongs to somebody else.
#[pg_extern(sql = false)]
fn lead_phones_hold(tables: pgrx::Array<'_, pg_sys::Oid>) {
    tables.iter().flatten().for_each(hold_own);
}

/// The same, by the lock that a write takes. Who tracks or recounts a table locks it, and then its counts: so must those who mark leads, and from
/// the start, since who holds a weaker lock is waited for.
#[pg_extern(sql = false)]
fn lead_phones_hold_to_write(table: pg_sys::Oid) {
    // SAFETY: an error in a transaction that may write nothing.
    unsafe { pg_sys::PreventCommandIfReadOnly(c"UPDATE".as_ptr()) };
    hold_in_mode(table, pg_sys::RowExclusiveLock);
    check_owned(table);
}

/// Keeps a table from being altered or dropped until the transaction ends; an error where it is gone, or belongs to somebody else.
pub(crate) fn hold_own(table: pg_sys::Oid) {
    hold(table);
    check_owned(table);
}

fn check_owned(table: pg_sys::Oid) {
    if !server::is_owner_of_table(table) {
        report::fail(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of table \"{}\"", text::table_name(table)),
            "Tracking, recounting and backfilling write to the table and its triggers.".into(),
            "Let its owner or a superuser do it.".into(),
        )
    }
}

/// Keeps a table from being altered or dropped until the transaction ends; says who owns it.
pub(crate) fn hold(table: pg_sys::Oid) -> pg_sys::Oid {
    hold_in_mode(table, pg_sys::AccessShareLock)
}

fn hold_in_mode(table: pg_sys::Oid, mode: u32) -> pg_sys::Oid {
    let name = text::table_name(table);
    // SAFETY: takes the lock, also of a table that is gone by then.
    unsafe { pg_sys::LockRelationOid(table, mode as pg_sys::LOCKMODE) };
    server::owner_of_table(table).unwrap_or_else(|| report::table_is_gone(&name))
}

/// As Postgres refuses it: an error without the right on the table.
pub(crate) fn check_privilege(table: pg_sys::Oid, privilege: u32) {
    // SAFETY: catalog look-ups of a table that is held.
    unsafe {
        let user = pg_sys::GetUserId();
        let result = pg_sys::pg_class_aclcheck(table, user, privilege as pg_sys::AclMode);
        if result != pg_sys::AclResult::ACLCHECK_OK {
            let kind = pg_sys::get_relkind_objtype(pg_sys::get_rel_relkind(table));
            pg_sys::aclcheck_error(result, kind, pg_sys::get_rel_name(table));
        }
    }
}
