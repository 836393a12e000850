//! Reports: queries on a tracked table that run as its owner, for a role that may read it. To plan and run a query is to run what the owner of
//! its tables put there: predicates of indexes, views, policies. It runs as that owner, and not as the one who asks.

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::DatumWithOid;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::actions;
use crate::backend::owner::as_owner_for_others;
use crate::backend::sql::Statement;
use crate::backend::{report, text};

/// Each is a function `lead_phones_report_<name>(leads regclass, arguments jsonb)` that returns rows.
const REPORTS: [&str; 5] = [VERIFY, "quality", "shared", "invalid", "find"];

/// The one that sees what the transaction has just written.
const VERIFY: &str = "verify";

/// The rows of a report, handed over in a tuplestore: SQL sees a set, the function returns none itself.
struct RowSet;

// SAFETY: what the ReturnSetInfo says of the result is set before.
unsafe impl BoxRet for RowSet {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        fcinfo.return_null()
    }
}

pgrx::impl_sql_translatable!(RowSet, "record");

/// The rows of a report. The caller needs SELECT on each of the tables that are read, and must see all their rows.
#[pg_extern(sql = false)]
fn lead_phones_report(leads: pg_sys::Oid, name: &[u8], fcinfo: FunctionCallInfo) -> RowSet {
    let Some(name) = REPORTS.iter().find(|known| known.as_bytes() == name) else {
        report::fail(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!(
                "{} is not a report",
                report::shown(&text::from_server(name))
            ),
            "This function serves the reports of lead_phones alone.".into(),
            "Use verify_phone_counts(), lead_phone_quality() and so on.".into(),
        )
    };
    // SAFETY: Postgres's own call info; the function is strict, and its last argument a jsonb; the OID is one of a table.
    let (schema, arguments, table) = unsafe {
        (
            actions::extension_schema(fcinfo),
            DatumWithOid::new(pg_getarg_datum(fcinfo, 2), pg_sys::JSONBOID),
            DatumWithOid::new(leads, pg_sys::REGCLASSOID),
        )
    };
    let owner = actions::hold(leads);
    let call = "lead_phones_read_by_reports($1::pg_catalog.regclass)";
    let read: Vec<(Option<pg_sys::Oid>, Option<bool>)> = actions::look_up(
        &schema,
        "found.relation::pg_catalog.oid, found.is_ledger",
        call,
        &[leads.into()],
        |row| (row.get(1), row.get(2)),
    );
    let mut may_read_ledgers = true;
    for (table, is_ledger) in read {
        match table {
            Some(table) if is_ledger == Some(true) => may_read_ledgers &= is_readable(table),
            Some(table) => check_readable(table),
            None => {}
        }
    }
    let store = RowStore::new(fcinfo);
    let function =
        spi::quote_qualified_identifier(&*schema, &*format!("lead_phones_report_{name}"));
    as_owner_for_others(owner, || {
        let text = format!(
            "SELECT * FROM {function}($1, $2 OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('may_read_ledgers', $3))"
        );
        let args = [table, arguments, may_read_ledgers.into()];
        let statement = match *name {
            VERIFY => Statement::new(&text, &args),
            _ => Statement::new(&text, &args).read_only(),
        };
        statement.each(|row| store.put(row));
    });
    RowSet
}

/// Whether the caller may read a table, and sees all of its rows.
fn is_readable(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups of a table that a tracked one, which is held, needs.
    unsafe {
        let user = pg_sys::GetUserId();
        pg_sys::pg_class_aclcheck(table, user, pg_sys::ACL_SELECT as pg_sys::AclMode)
            == pg_sys::AclResult::ACLCHECK_OK
            && !hides_rows(table, user)
    }
}

/// Whether policies hide rows of a table from a role.
///
/// # Safety
/// `table` is a table that is held, or that one which is held needs.
unsafe fn hides_rows(table: pg_sys::Oid, user: pg_sys::Oid) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        pg_sys::check_enable_rls(table, user, true)
            == pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
    }
}

/// As Postgres refuses it: without the right, and where policies would hide rows.
pub(crate) fn check_readable(table: pg_sys::Oid) {
    actions::check_privilege(table, pg_sys::ACL_SELECT);
    // SAFETY: catalog look-ups of a table that is held.
    unsafe {
        if hides_rows(table, pg_sys::GetUserId()) {
            report::fail(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!(
                    "query would be affected by row-level security policy for table \"{}\"",
                    text::name_from_server(pg_sys::get_rel_name(table))
                ),
                "A report of some rows would be wrong.".into(),
                "Let the owner of the table ask, or a role with BYPASSRLS.".into(),
            )
        }
    }
}

/// Where the rows of a function that returns a set are put.
struct RowStore {
    store: *mut pg_sys::Tuplestorestate,
}

impl RowStore {
    /// An error where the function is not called in FROM.
    fn new(fcinfo: FunctionCallInfo) -> Self {
        // SAFETY: Postgres's own call info; its result info is NULL or a ReturnSetInfo, whose per-query memory outlasts the call.
        unsafe {
            let info = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let materialize = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            if info.is_null()
                || (*info).type_ != pg_sys::NodeTag::T_ReturnSetInfo
                || (*info).allowedModes & materialize as i32 == 0
                || (*info).expectedDesc.is_null()
            {
                report::fail(
                    PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                    "lead_phones_report() was called in a context that cannot accept a set".into(),
                    "This function serves the reports of lead_phones alone.".into(),
                    "Use verify_phone_counts(), lead_phone_quality() and so on.".into(),
                )
            }
            let before = pg_sys::MemoryContextSwitchTo((*(*info).econtext).ecxt_per_query_memory);
            let store = pg_sys::tuplestore_begin_heap(true, false, pg_sys::work_mem);
            (*info).returnMode = materialize;
            (*info).setResult = store;
            (*info).setDesc = pg_sys::CreateTupleDescCopy((*info).expectedDesc);
            pg_sys::MemoryContextSwitchTo(before);
            Self { store }
        }
    }

    fn put(&self, tuple: pg_sys::HeapTuple) {
        // SAFETY: the store copies the row, whose types the report's declaration and its caller agree on.
        unsafe { pg_sys::tuplestore_puttuple(self.store, tuple) }
    }
}
