//! Running SQL for a user as the owner of the table, as foreign keys do.
//!
//! An application role that may only write leads needs no right on the counts, and gets none. The owner of a table can
//! do nothing through its triggers that he could not do without them.

use core::ffi::{CStr, c_int};

use pgrx::pg_sys;

use crate::citus;

/// What every statement of the extension resolves unqualified names by.
pub(crate) const SEARCH_PATH: &CStr = c"pg_catalog, pg_temp";

/// A statement is planned once for all its arguments.
pub(crate) const KEPT_PLANS: (&CStr, &CStr) = (c"plan_cache_mode", c"force_generic_plan");

/// Runs the closure as `owner`, with a pinned `search_path`. What the owner's code sets goes when it returns: it would be in force in whatever
/// called, which can be a function of somebody else. An error inside ends both with the (sub)transaction.
pub(crate) fn as_owner<T>(owner: pg_sys::Oid, run: impl FnOnce() -> T) -> T {
    switch(
        owner,
        Restricted::No,
        &[(c"search_path", SEARCH_PATH), KEPT_PLANS],
        run,
    )
}

/// The same for what someone else asks for than the owner: what the owner's triggers defer would run as that someone, and is refused. As
/// CREATE INDEX and REFRESH MATERIALIZED VIEW do it.
pub(crate) fn as_owner_for_others<T>(owner: pg_sys::Oid, run: impl FnOnce() -> T) -> T {
    switch(
        owner,
        Restricted::ForOthers,
        &[(c"search_path", SEARCH_PATH), KEPT_PLANS],
        run,
    )
}

/// Whether what runs as the owner may leave something behind for the session: deferred triggers, temporary tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restricted {
    No,
    /// Not in the session of somebody else.
    ForOthers,
}

/// Runs the closure as `owner`, with some settings.
pub(crate) fn switch<T>(
    owner: pg_sys::Oid,
    restricted: Restricted,
    settings: &[(&CStr, &CStr)],
    run: impl FnOnce() -> T,
) -> T {
    // SAFETY: reads backend state.
    let is_own = unsafe { pg_sys::GetOuterUserId() } == owner;
    let restriction = match restricted == Restricted::No || is_own {
        true => 0,
        false => pg_sys::SECURITY_RESTRICTED_OPERATION as c_int,
    };
    let mut caller = pg_sys::InvalidOid;
    let mut context: c_int = 0;
    // SAFETY: plain backend calls; an abort restores user and settings by itself (AbortSubTransaction).
    let nest_level = unsafe {
        pg_sys::GetUserIdAndSecContext(&mut caller, &mut context);
        pg_sys::SetUserIdAndSecContext(
            owner,
            context
                | restriction
                | pg_sys::SECURITY_LOCAL_USERID_CHANGE as c_int
                | pg_sys::SECURITY_NOFORCE_RLS as c_int,
        );
        pg_sys::NewGUCNestLevel()
    };
    // Citus cannot distribute a generic plan.
    let settings = settings
        .iter()
        .filter(|setting| **setting != KEPT_PLANS || !citus::plans());
    for (setting, value) in settings {
        set_locally(setting, value);
    }
    let result = run();
    // SAFETY: what was saved above.
    unsafe {
        pg_sys::AtEOXact_GUC(false, nest_level);
        pg_sys::SetUserIdAndSecContext(caller, context);
    }
    result
}

fn set_locally(setting: &CStr, value: &CStr) {
    // SAFETY: sets until the end of the nest level; an error does not return.
    unsafe {
        pg_sys::set_config_option(
            setting.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
