//! The hand-over from the procedures of `sql/install/4_disqualification.sql` to the owner of the leads table.

use pgrx::FromDatum;
use pgrx::datum::DatumWithOid;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;
use pgrx::rel::PgRelation;

use crate::owner::as_owner;
use crate::{report, sql, text};

/// Runs `lead_phones_<action>(leads, arguments)` as the owner of `leads`. The arguments, third of the SQL function, and the
/// answer are jsonb that is passed on unread: a jsonb datum has the layout of a bytea.
#[pg_extern(sql = false)]
fn lead_phones_as_owner(
    leads: pg_sys::Oid,
    action: &[u8],
    fcinfo: FunctionCallInfo,
) -> Option<Vec<u8>> {
    let action = match action {
        b"disqualify" => "disqualify",
        b"requalify" => "requalify",
        b"expire" => "expire",
        other => report::fail(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!(
                "{} is not an action on a tracked table",
                report::shown(&text::from_server(other))
            ),
            "This function serves the procedures of lead_phones alone.".into(),
            "Use disqualify_phone(), requalify_phone() or expire_disqualifications().".into(),
        ),
    };
    // SAFETY: Postgres's own call info; the functions stand in the schema of this one.
    let schema = unsafe {
        let namespace = pg_sys::get_func_namespace((*(*fcinfo).flinfo).fn_oid);
        text::name_from_server(pg_sys::get_namespace_name(namespace))
    };
    let function = spi::quote_qualified_identifier(schema, format!("lead_phones_{action}"));
    // SAFETY: takes and keeps the lock until the end of the transaction, or fails.
    let relation =
        unsafe { PgRelation::with_lock(leads, pg_sys::AccessShareLock as pg_sys::LOCKMODE) };
    // SAFETY: an open relation has its pg_class row.
    let owner = unsafe { (*relation.rd_rel).relowner };
    // SAFETY: the function is strict and has three arguments, of which the third is a jsonb.
    let args = unsafe {
        [
            DatumWithOid::new(leads, pg_sys::REGCLASSOID),
            DatumWithOid::new(pg_getarg_datum(fcinfo, 2), pg_sys::JSONBOID),
        ]
    };
    as_owner(owner, || {
        sql::execute(&format!("SELECT {function}($1, $2)"), &args, |rows| {
            let answer = rows.first().get_datum_by_ordinal(1).ok().flatten()?;
            // SAFETY: the datum is a jsonb; it is copied before SPI frees it.
            unsafe { Vec::<u8>::from_datum(answer, false) }
        })
    })
}
