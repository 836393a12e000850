//! Statements that are bound to a table, whatever its name has come to mean.
//!
//! SQL names tables, and a name can change hands between its look-up and the parse of the statement: by a schema that is renamed,
//! which no lock on a table prevents. What the statement of another table would run, it would run as the owner of the leads. So
//! the hook looks at what a bound statement was resolved to, before it is planned.

use std::cell::RefCell;
use std::ffi::{CStr, CString};

use pgrx::pg_guard;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::backend::list::elements;
use crate::backend::restore::OnDrop;
use crate::backend::{report, server, text};

thread_local! {
    static BOUND: RefCell<Option<(pg_sys::Oid, CString)>> = const { RefCell::new(None) };
}

static mut NEXT_POST_PARSE_ANALYZE: pg_sys::post_parse_analyze_hook_type = None;

/// Has Postgres call us when a statement is resolved.
pub(crate) fn install() {
    // SAFETY: called once, when the library is loaded; the hook is chained as its documentation asks.
    unsafe {
        NEXT_POST_PARSE_ANALYZE = pg_sys::post_parse_analyze_hook;
        pg_sys::post_parse_analyze_hook = Some(post_parse_analyze);
    }
}

/// Binds a statement to a table, or to none where that is `InvalidOid`, as long as what it returns lives.
pub(crate) fn to(table: pg_sys::Oid, statement: &str) -> OnDrop<impl FnMut()> {
    let bound = (table != pg_sys::InvalidOid).then(|| (table, text::to_server(statement)));
    let mut before = BOUND.replace(bound);
    OnDrop(move || {
        BOUND.replace(before.take());
    })
}

/// The hook. Has nothing to drop, so that an error of Postgres may jump over it.
unsafe extern "C-unwind" fn post_parse_analyze(
    parse_state: *mut pg_sys::ParseState,
    query: *mut pg_sys::Query,
    jumble_state: server::JumbleState,
) {
    // SAFETY: Postgres's own arguments, passed on as they came.
    unsafe {
        check(parse_state, query);
        if let Some(next) = NEXT_POST_PARSE_ANALYZE {
            next(parse_state, query, jumble_state);
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn check(parse_state: *mut pg_sys::ParseState, query: *mut pg_sys::Query) {
    let is_another = BOUND.with_borrow(|bound| {
        bound.as_ref().is_some_and(|(table, statement)| {
            // SAFETY: Postgres's own parse state; its source text is NULL or NUL-terminated.
            let source = unsafe { (*parse_state).p_sourcetext };
            // What triggers of the bound statement run is not bound.
            // SAFETY: as above.
            !source.is_null()
                && unsafe { CStr::from_ptr(source) } == statement.as_c_str()
                // SAFETY: Postgres's own query; its range table is a list of RangeTblEntry.
                && !unsafe { names_table(query, *table) }
        })
    });
    if is_another {
        report::fail(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            "a table of lead_phones was renamed while it was written".into(),
            "Its schema was renamed, and another table has its name now.".into(),
            "Try the transaction again.".into(),
        )
    }
}

/// Whether a query names a table: in its own range table, or in that of a subquery in FROM or WITH.
///
/// # Safety
/// The query is NULL or whole.
unsafe fn names_table(query: *const pg_sys::Query, table: pg_sys::Oid) -> bool {
    // SAFETY: the caller's promise; lists of the parser have the element types that parsenodes.h says.
    unsafe {
        let Some(query) = query.as_ref() else {
            return false;
        };
        elements(query.rtable).any(|entry: *mut pg_sys::RangeTblEntry| {
            (*entry).relid == table || names_table((*entry).subquery, table)
        }) || elements(query.cteList)
            .any(|with: *mut pg_sys::CommonTableExpr| names_table((*with).ctequery.cast(), table))
    }
}
