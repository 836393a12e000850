//! Trying what may fail, in a subtransaction.

use std::panic::AssertUnwindSafe;

use pgrx::PgTryBuilder;
use pgrx::pg_sys;
use pgrx::prelude::PgSqlErrorCode;

/// Runs the closure; `false`, with all that it did undone, where it met a unique violation. Any other error goes on.
pub(crate) fn unless_unique_violation(run: impl FnOnce()) -> bool {
    // SAFETY: as PL/pgSQL does for a block with an EXCEPTION clause: the memory context and the resource owner are those
    // from before, however the subtransaction ends.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        let restore = move || {
            pg_sys::CurrentMemoryContext = context;
            pg_sys::CurrentResourceOwner = owner;
        };
        pg_sys::BeginInternalSubTransaction(core::ptr::null());
        pg_sys::CurrentMemoryContext = context;
        PgTryBuilder::new(AssertUnwindSafe(|| {
            run();
            pg_sys::ReleaseCurrentSubTransaction();
            restore();
            true
        }))
        .catch_when(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, |_| {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            restore();
            false
        })
        .execute()
    }
}
