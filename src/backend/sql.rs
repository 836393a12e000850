//! Running SQL from Rust: the one place that decides how a statement is planned, and what it sees.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_char;
use std::ptr;

use pgrx::FromDatum;
use pgrx::datum::DatumWithOid;
use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReportable;
use pgrx::spi::Spi;

use crate::backend::restore::OnDrop;
use crate::backend::{bound, text};
use crate::citus;

/// Statements kept per backend: a few for each tracked table that it writes.
const MAX_PLANS: usize = 256;

/// A plan of a statement, and what it was made for beside.
struct Plan {
    types: Vec<pg_sys::Oid>,
    /// The table that it is bound to.
    table: pg_sys::Oid,
    plan: pg_sys::SPIPlanPtr,
}

thread_local! {
    /// By statement.
    static PLANS: RefCell<HashMap<String, Vec<Plan>>> = RefCell::default();
    static RUNNING: Cell<u32> = const { Cell::new(0) };
}

/// As long as it lives, a statement is running. They nest, by way of triggers.
fn running() -> OnDrop<impl FnMut()> {
    RUNNING.set(RUNNING.get() + 1);
    OnDrop(|| RUNNING.set(RUNNING.get() - 1))
}

/// Whether the transaction has one snapshot for all its statements.
pub(crate) fn has_one_snapshot() -> bool {
    // SAFETY: reads backend state.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Runs the closure in a memory context of its own: what it builds for a statement goes when it returns.
pub(crate) fn in_own_memory<T>(run: impl FnOnce() -> T) -> T {
    let mut context = PgMemoryContexts::new("lead_phones");
    // SAFETY: callers return what is not in the memory of Postgres.
    unsafe { context.switch_to(|_| run()) }
}

/// A statement with its arguments. Its plan is kept, and generic (see `owner`): most statements write one row, and planning
/// would cost more than they do.
pub(crate) struct Statement<'a> {
    text: &'a str,
    args: &'a [DatumWithOid<'a>],
    table: pg_sys::Oid,
    sees_latest: bool,
    read_only: bool,
}

impl<'a> Statement<'a> {
    pub(crate) fn new(text: &'a str, args: &'a [DatumWithOid<'a>]) -> Self {
        Self {
            text,
            args,
            table: pg_sys::InvalidOid,
            sees_latest: false,
            read_only: false,
        }
    }

    /// Of this table: an error where its name has come to mean another.
    pub(crate) fn on(self, table: pg_sys::Oid) -> Self {
        Self { table, ..self }
    }

    /// Sees what is committed now, whatever the snapshot of the transaction: as foreign keys do.
    pub(crate) fn on_latest(self) -> Self {
        Self {
            sees_latest: true,
            ..self
        }
    }

    /// Writes nothing, so that it can run on a standby.
    pub(crate) fn read_only(self) -> Self {
        Self {
            read_only: true,
            ..self
        }
    }

    /// Runs it for its effect.
    pub(crate) fn run(self) {
        self.rows(|_| ());
    }

    /// Runs it, and hands its rows to `read`.
    pub(crate) fn rows<T>(self, read: impl FnOnce(Rows<'_>) -> T) -> T {
        let _running = running();
        Spi::connect_mut(|_| {
            let bound = bound::to(self.table, self.text);
            let status = self.execute();
            drop(bound);
            Spi::check_status(status).unwrap_or_report();
            // SAFETY: what the statement left; NULL where it returns no rows. It is freed when SPI is left.
            let rows = unsafe {
                Rows {
                    table: pg_sys::SPI_tuptable.as_ref(),
                    count: pg_sys::SPI_processed as usize,
                }
            };
            read(rows)
        })
    }

    /// Runs it, and hands each of its rows to `read`, of which it holds no more than some at a time.
    pub(crate) fn each(self, mut read: impl FnMut(pg_sys::HeapTuple)) {
        const ROWS: i64 = 1000;
        let _running = running();
        Spi::connect_mut(|_| {
            let (mut types, mut values, nulls) = self.arguments();
            let plan = self.plan(&mut types);
            // SAFETY: SPI is connected; the arrays have an element for each argument; an error does not return. Each batch is read before it
            // is freed.
            unsafe {
                let name = ptr::null();
                let portal = pg_sys::SPI_cursor_open(
                    name,
                    plan,
                    values.as_mut_ptr(),
                    nulls.as_ptr(),
                    self.read_only,
                );
                loop {
                    pg_sys::SPI_cursor_fetch(portal, true, ROWS);
                    let count = pg_sys::SPI_processed as usize;
                    (0..count).for_each(|row| read(*(*pg_sys::SPI_tuptable).vals.add(row)));
                    pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable);
                    if count == 0 {
                        break;
                    }
                }
                pg_sys::SPI_cursor_close(portal);
            }
        });
    }

    /// Types, values and nulls of the arguments, as SPI takes them.
    fn arguments(&self) -> (Vec<pg_sys::Oid>, Vec<pg_sys::Datum>, Vec<c_char>) {
        let types = self.args.iter().map(DatumWithOid::oid).collect();
        let datums = self
            .args
            .iter()
            .map(|arg| arg.datum().map(|datum| datum.sans_lifetime()));
        let (values, nulls) = datums
            .map(|datum| match datum {
                Some(datum) => (datum, b' ' as c_char),
                None => (pg_sys::Datum::null(), b'n' as c_char),
            })
            .unzip();
        (types, values, nulls)
    }

    fn execute(&self) -> i32 {
        let (mut types, mut values, nulls) = self.arguments();
        let sees_latest = self.sees_latest && has_one_snapshot();
        let count = self.args.len() as i32;
        // SAFETY: SPI is connected; the arrays have an element for each argument; an error does not return.
        unsafe {
            if citus::plans() && !sees_latest {
                let text = text::to_server(self.text);
                return pg_sys::SPI_execute_with_args(
                    text.as_ptr(),
                    count,
                    types.as_mut_ptr(),
                    values.as_mut_ptr(),
                    nulls.as_ptr(),
                    self.read_only,
                    0,
                );
            }
            let plan = self.plan(&mut types);
            let snapshot = if sees_latest {
                pg_sys::GetLatestSnapshot()
            } else {
                ptr::null_mut()
            };
            pg_sys::SPI_execute_snapshot(
                plan,
                values.as_mut_ptr(),
                nulls.as_ptr(),
                snapshot,
                ptr::null_mut(),
                self.read_only,
                true,
                0,
            )
        }
    }

    /// The plan, prepared where there is none yet; under Citus for this once.
    fn plan(&self, types: &mut [pg_sys::Oid]) -> pg_sys::SPIPlanPtr {
        let known = PLANS.with_borrow(|plans| {
            let mut plans = plans.get(self.text)?.iter();
            let is_same = |known: &&Plan| known.table == self.table && known.types == types;
            plans.find(is_same).map(|known| known.plan)
        });
        if let (Some(plan), false) = (known, citus::plans()) {
            return plan;
        }
        let text = text::to_server(self.text);
        // SAFETY: SPI is connected; a plan that is kept lives until it is freed.
        let plan = unsafe {
            let plan = pg_sys::SPI_prepare(text.as_ptr(), types.len() as i32, types.as_mut_ptr());
            if plan.is_null() {
                Spi::check_status(pg_sys::SPI_result).unwrap_or_report();
            }
            if citus::plans() {
                return plan;
            }
            pg_sys::SPI_keepplan(plan);
            plan
        };
        PLANS.with_borrow_mut(|plans| {
            // The plans of statements around this one are in use.
            let count: usize = plans.values().map(Vec::len).sum();
            if count >= MAX_PLANS && RUNNING.get() == 1 {
                for plan in plans.drain().flat_map(|(_, plans)| plans) {
                    // SAFETY: kept above, freed once, and used by nobody.
                    unsafe { pg_sys::SPI_freeplan(plan.plan) };
                }
            }
            plans.entry(self.text.to_owned()).or_default().push(Plan {
                types: types.to_vec(),
                table: self.table,
                plan,
            });
        });
        plan
    }
}

/// The rows that a statement returned, as long as SPI is connected.
pub(crate) struct Rows<'spi> {
    table: Option<&'spi pg_sys::SPITupleTable>,
    count: usize,
}

impl Rows<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each row as what `read` makes of it.
    pub(crate) fn map<T>(&self, mut read: impl FnMut(&SqlRow<'_>) -> T) -> Vec<T> {
        self.table.map_or_else(Vec::new, |table| {
            (0..self.count)
                // SAFETY: the table has as many rows as were processed.
                .map(|row| unsafe { *table.vals.add(row) })
                .map(|tuple| read(&SqlRow { table, tuple }))
                .collect()
        })
    }

    /// The first row.
    pub(crate) fn first<T>(&self, read: impl FnOnce(&SqlRow<'_>) -> T) -> Option<T> {
        let table = self.table.filter(|_| self.count > 0)?;
        // SAFETY: there is a row.
        let tuple = unsafe { *table.vals };
        Some(read(&SqlRow { table, tuple }))
    }
}

/// One row that a statement returned.
pub(crate) struct SqlRow<'spi> {
    table: &'spi pg_sys::SPITupleTable,
    tuple: pg_sys::HeapTuple,
}

impl SqlRow<'_> {
    /// The datum of a column, from 1; it lives as long as the row.
    pub(crate) fn datum(&self, column: i32) -> Option<pg_sys::Datum> {
        let mut is_null = false;
        // SAFETY: the row is of the table; of a column that there is not, the value is NULL.
        let value =
            unsafe { pg_sys::SPI_getbinval(self.tuple, self.table.tupdesc, column, &mut is_null) };
        (!is_null).then_some(value)
    }

    /// The value of a column, from 1, which must be of the type.
    pub(crate) fn get<T: FromDatum>(&self, column: i32) -> Option<T> {
        // SAFETY: callers ask for the type that they select; what is passed by reference is copied or used at once.
        self.datum(column)
            .and_then(|datum| unsafe { T::from_datum(datum, false) })
    }
}
