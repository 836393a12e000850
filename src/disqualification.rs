//! The hand-over from the procedures of `sql/install/4_disqualification.sql` to the owner of the leads table.

use pgrx::JsonB;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;
use pgrx::rel::PgRelation;

use crate::owner::as_owner;
use crate::{report, sql, text};

/// Runs `lead_phones_<action>(leads, arguments)` as the owner of `leads`.
#[pg_extern(sql = false)]
fn lead_phones_as_owner(
    leads: pg_sys::Oid,
    action: &str,
    arguments: JsonB,
    fcinfo: FunctionCallInfo,
) -> Option<JsonB> {
    if !["disqualify", "requalify", "expire"].contains(&action) {
        report::fail(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!(
                "{} is not an action on a tracked table",
                report::shown(action)
            ),
            "This function serves the procedures of lead_phones alone.".into(),
            "Use disqualify_phone(), requalify_phone() or expire_disqualifications().".into(),
        )
    }
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
    as_owner(owner, || {
        // SAFETY: an OID is passed as the regclass that it is.
        let leads = unsafe { DatumWithOid::new(leads, pg_sys::REGCLASSOID) };
        sql::execute(
            &format!("SELECT {function}($1, $2)"),
            &[leads, arguments.into()],
            |rows| rows.first().get_one::<JsonB>().ok().flatten(),
        )
    })
}
