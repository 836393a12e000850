//! Hearing that tables change: what was read from the catalogs of some of them holds until then, as in `ri_triggers.c`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::pg_guard;
use pgrx::pg_sys;

/// Tables that are watched at most.
const MAX_WATCHED: usize = 10_000;

thread_local! {
    /// How often anything that is watched may have changed.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    /// How often all tables may have changed, or a name of a schema.
    static CHANGES_OF_ALL: Cell<u64> = const { Cell::new(0) };
    /// How often each watched table has changed.
    static CHANGES_BY_TABLE: RefCell<HashMap<pg_sys::Oid, u64>> = RefCell::default();
}

/// What was read holds as long as this is current.
pub(super) struct Watch {
    /// Changes of anything, when this was found to be current.
    seen: Cell<u64>,
    of_all: u64,
    tables: Vec<(pg_sys::Oid, u64)>,
}

impl Watch {
    /// Begins before anything is read: names of schemas are watched from now on.
    pub(super) fn new() -> Self {
        Self {
            seen: Cell::new(CHANGES.get()),
            of_all: CHANGES_OF_ALL.get(),
            tables: Vec::new(),
        }
    }

    /// Watches a table too, from now on.
    pub(super) fn add(&mut self, table: pg_sys::Oid) {
        let changes = CHANGES_BY_TABLE.with_borrow_mut(|changes| {
            if changes.len() >= MAX_WATCHED {
                changes.clear();
                count_all();
            }
            *changes.entry(table).or_default()
        });
        self.tables.push((table, changes));
    }

    /// Whether nothing was heard of since.
    pub(super) fn is_current(&self) -> bool {
        let now = CHANGES.get();
        if self.seen.get() == now {
            return true;
        }
        let is_current = self.of_all == CHANGES_OF_ALL.get()
            && CHANGES_BY_TABLE.with_borrow(|changes| {
                self.tables
                    .iter()
                    .all(|(table, before)| changes.get(table) == Some(before))
            });
        if is_current {
            self.seen.set(now);
        }
        is_current
    }
}

fn count_all() {
    CHANGES.set(CHANGES.get() + 1);
    CHANGES_OF_ALL.set(CHANGES_OF_ALL.get() + 1);
}

/// Has Postgres tell us.
pub(super) fn install() {
    // SAFETY: called once, when the library is loaded.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(table_changes), pg_sys::Datum::null());
        for cache in [
            pg_sys::SysCacheIdentifier::NAMESPACEOID,
            pg_sys::SysCacheIdentifier::AUTHOID,
            pg_sys::SysCacheIdentifier::AUTHMEMMEMROLE,
            // the owner of the database is a member of pg_database_owner
            pg_sys::SysCacheIdentifier::DATABASEOID,
        ] {
            let cache = cache as core::ffi::c_int;
            pg_sys::CacheRegisterSyscacheCallback(cache, Some(all_change), pg_sys::Datum::null());
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn table_changes(_arg: pg_sys::Datum, table: pg_sys::Oid) {
    if table == pg_sys::InvalidOid {
        count_all();
        return;
    }
    CHANGES_BY_TABLE.with_borrow_mut(|changes| {
        if let Some(count) = changes.get_mut(&table) {
            *count += 1;
            CHANGES.set(CHANGES.get() + 1);
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn all_change(
    _arg: pg_sys::Datum,
    _cache: core::ffi::c_int,
    _hash: pg_sys::uint32,
) {
    count_all();
}
