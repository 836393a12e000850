//! Running SQL from Rust: the one place that decides how a statement is planned.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
use std::ptr;
use std::rc::Rc;

use pgrx::datum::DatumWithOid;
use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys::panic::ErrorReportable;
use pgrx::pg_sys::{self, PgOid};
use pgrx::spi::{OwnedPreparedStatement, Spi, SpiTupleTable};

use crate::text;

/// Statements kept per backend: a few for each tracked table that it writes.
const MAX_PLANS: usize = 256;

/// A statement and the types of its arguments: tables of the same name can differ in the type of a campaign.
type PlanKey = (String, Vec<pg_sys::Oid>);

thread_local! {
    static PLANS: RefCell<HashMap<PlanKey, Rc<OwnedPreparedStatement>>> = RefCell::default();
}

/// Whether the server runs Citus, which cannot distribute a generic plan, and ends transactions in its own way. It comes with
/// the server's start or not at all, so a backend asks once.
pub(crate) fn is_citus_loaded() -> bool {
    thread_local! {
        static LOADED: OnceCell<bool> = const { OnceCell::new() };
    }
    LOADED.with(|loaded| {
        *loaded.get_or_init(|| {
            let setting = c"citus.enable_unsafe_triggers".as_ptr();
            // SAFETY: looks a setting up by its name; NULL where there is none.
            unsafe { !pg_sys::GetConfigOption(setting, true, false).is_null() }
        })
    })
}

/// Executes a statement, and hands its rows to `read`. Its plan is cached, and generic (see `owner`): most statements write
/// one row, and planning would cost more than they do.
pub(crate) fn execute<T>(
    statement: &str,
    args: &[DatumWithOid<'_>],
    read: impl FnOnce(SpiTupleTable<'_>) -> T,
) -> T {
    Spi::connect_mut(|client| {
        if is_citus_loaded() {
            let statement = text::to_server(statement);
            return read(client.update(&*statement, None, args).unwrap_or_report());
        }
        let plan = cached_plan(statement, args, |statement, types| {
            client
                .prepare_mut(statement, types)
                .unwrap_or_report()
                .keep()
        });
        read(client.update(&**plan, None, args).unwrap_or_report())
    })
}

/// The plan of a statement for arguments of these types, prepared where there is none yet.
fn cached_plan(
    statement: &str,
    args: &[DatumWithOid<'_>],
    prepare: impl FnOnce(&CStr, &[PgOid]) -> OwnedPreparedStatement,
) -> Rc<OwnedPreparedStatement> {
    let key: PlanKey = (
        statement.to_owned(),
        args.iter().map(|arg| arg.oid()).collect(),
    );
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&key).cloned()) {
        return plan;
    }
    let types: Vec<PgOid> = key.1.iter().copied().map(PgOid::from).collect();
    let plan = Rc::new(prepare(&text::to_server(statement), &types));
    PLANS.with_borrow_mut(|plans| {
        if plans.len() >= MAX_PLANS {
            plans.clear();
        }
        plans.insert(key, Rc::clone(&plan));
    });
    plan
}

/// Runs the closure in a memory context of its own: what it builds for a statement goes when it returns.
pub(crate) fn in_own_memory(run: impl FnOnce()) {
    let mut context = PgMemoryContexts::new("lead_phones");
    // SAFETY: the closure returns nothing.
    unsafe { context.switch_to(|_| run()) }
}

/// Executes a query that writes nothing, so that it can run on a standby. Its plan is cached.
pub(crate) fn query<T>(
    query: &str,
    args: &[DatumWithOid<'_>],
    read: impl FnOnce(SpiTupleTable<'_>) -> T,
) -> T {
    Spi::connect(|client| {
        if is_citus_loaded() {
            let query = text::to_server(query);
            return read(client.select(&*query, None, args).unwrap_or_report());
        }
        let plan = cached_plan(query, args, |query, types| {
            client.prepare(query, types).unwrap_or_report().keep()
        });
        read(client.select(&**plan, None, args).unwrap_or_report())
    })
}

/// Executes a statement for its effect.
pub(crate) fn run(statement: &str, args: &[DatumWithOid<'_>]) {
    execute(statement, args, |_| ());
}

/// The values of a row, none of which is a pointer.
pub(crate) type Values = Vec<Option<pg_sys::Datum>>;

/// Executes a statement for its effect on what is committed now, whatever the snapshot of the transaction: as foreign keys do.
pub(crate) fn run_on_latest(statement: &str) {
    on_latest(statement, &[], false);
}

/// The rows that a query finds in what is committed now, whatever the snapshot of the transaction. Its columns are of types that
/// are passed by value.
pub(crate) fn query_latest(query: &str, args: &[DatumWithOid<'_>]) -> Vec<Values> {
    // SAFETY: reads backend state.
    if unsafe { pg_sys::XactIsoLevel } >= pg_sys::XACT_REPEATABLE_READ as i32 {
        return on_latest(query, args, true);
    }
    execute(query, args, |_| found_values())
}

/// The rows that SPI has just found.
fn found_values() -> Vec<Values> {
    // SAFETY: what the last statement left; NULL where it returns no rows.
    unsafe {
        let Some(table) = pg_sys::SPI_tuptable.as_ref() else {
            return Vec::new();
        };
        let columns = (*table.tupdesc).natts;
        (0..pg_sys::SPI_processed as usize)
            .map(|row| {
                let row = *table.vals.add(row);
                (1..=columns)
                    .map(|column| {
                        let mut is_null = false;
                        let value = pg_sys::SPI_getbinval(row, table.tupdesc, column, &mut is_null);
                        (!is_null).then_some(value)
                    })
                    .collect()
            })
            .collect()
    }
}

fn on_latest(statement: &str, args: &[DatumWithOid<'_>], read_only: bool) -> Vec<Values> {
    Spi::connect_mut(|_| {
        let statement = text::to_server(statement);
        let mut types: Vec<pg_sys::Oid> = args.iter().map(|arg| arg.oid()).collect();
        let mut values: Vec<pg_sys::Datum> = args
            .iter()
            .map(|arg| {
                arg.datum()
                    .map_or(pg_sys::Datum::null(), |datum| datum.sans_lifetime())
            })
            .collect();
        // SAFETY: SPI is connected; the plan is freed with SPI; none of the arguments is NULL; an error does not return.
        let status = unsafe {
            let plan =
                pg_sys::SPI_prepare(statement.as_ptr(), args.len() as i32, types.as_mut_ptr());
            pg_sys::SPI_execute_snapshot(
                plan,
                values.as_mut_ptr(),
                ptr::null(),
                pg_sys::GetLatestSnapshot(),
                ptr::null_mut(),
                read_only,
                true,
                0,
            )
        };
        Spi::check_status(status).unwrap_or_report();
        found_values()
    })
}
