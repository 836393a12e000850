//! The planner's hook: statements of the rules of lead tables are planned for the shards of this node, by Postgres and not by Citus.
//!
//! A shard has the columns of its table, in the same places, as `placement` has made sure: Citus does the same to plan for a shard of its own node. The hook
//! runs before that of Citus, which must be loaded first.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::rc::Rc;

use pgrx::pg_guard;
use pgrx::pg_sys;

use super::placement::{self, Placement, Shards};
#[cfg(not(feature = "pg15"))]
use crate::backend::list::elements;
use crate::backend::restore::OnDrop;

thread_local! {
    static ENTERED: RefCell<Option<Rc<Shards>>> = const { RefCell::new(None) };
}

/// As long as what it returns lives, statements see the shards of this node in place of the tables beside this one, if Citus distributes these.
pub(crate) fn enter(table: pg_sys::Oid) -> OnDrop<impl FnMut()> {
    let entered = match placement::of(table) {
        Placement::Here(shards) => Some(shards),
        Placement::Plain | Placement::Elsewhere => None,
    };
    let mut before = ENTERED.replace(entered);
    OnDrop(move || {
        ENTERED.replace(before.take());
    })
}

/// Whether statements are planned for the shards of this node.
pub(crate) fn is_local() -> bool {
    ENTERED.with_borrow(Option::is_some)
}

static mut NEXT_PLANNER: pg_sys::planner_hook_type = None;

/// Has Postgres call us when it plans a statement.
pub(crate) fn install() {
    // SAFETY: called once, when the library is loaded; the hook is chained as its documentation asks.
    unsafe {
        NEXT_PLANNER = pg_sys::planner_hook;
        pg_sys::planner_hook = Some(planner);
    }
}

// Postgres's own, without pgrx's guard, which every statement would pass: an error jumps over the hook, which has nothing to drop.
unsafe extern "C-unwind" {
    fn standard_planner(
        query: *mut pg_sys::Query,
        text: *const c_char,
        options: c_int,
        params: pg_sys::ParamListInfo,
        #[cfg(feature = "pg19")] explain: *mut pg_sys::ExplainState,
    ) -> *mut pg_sys::PlannedStmt;
}

/// The hook. Has nothing to drop, so that an error of Postgres may jump over it.
unsafe extern "C-unwind" fn planner(
    query: *mut pg_sys::Query,
    text: *const c_char,
    options: c_int,
    params: pg_sys::ParamListInfo,
    #[cfg(feature = "pg19")] explain: *mut pg_sys::ExplainState,
) -> *mut pg_sys::PlannedStmt {
    // SAFETY: Postgres's own arguments, passed on as they came; the query is the planner's to change. The functions that were inlined by us change
    // the plan as those that are by Postgres do.
    unsafe {
        // most statements are nobody's rules, and pass no guard
        let inlined = match is_local() {
            true => before_planner(query, params),
            false => core::ptr::null_mut(),
        };
        let plan = NEXT_PLANNER.unwrap_or(standard_planner)(
            query,
            text,
            options,
            params,
            #[cfg(feature = "pg19")]
            explain,
        );
        (*plan).invalItems = pg_sys::list_concat((*plan).invalItems, inlined);
        plan
    }
}

/// Has the query see shards; what it depends on beside its tables.
#[pg_guard]
unsafe extern "C-unwind" fn before_planner(
    query: *mut pg_sys::Query,
    params: pg_sys::ParamListInfo,
) -> *mut pg_sys::List {
    let Some(shards) = ENTERED.with_borrow(Clone::clone) else {
        return core::ptr::null_mut();
    };
    // SAFETY: Postgres's own query; nodes are zeroed, but for their tags, as makeNode() makes them. What is walked with outlives the walk.
    unsafe {
        let planner =
            pg_sys::palloc0(size_of::<pg_sys::PlannerGlobal>()).cast::<pg_sys::PlannerGlobal>();
        (*planner).type_ = pg_sys::NodeTag::T_PlannerGlobal;
        (*planner).boundParams = params;
        let mut walk = Walk {
            shards: &shards,
            planner,
        };
        see_shards(query.cast(), (&raw mut walk).cast());
        (*planner).invalItems
    }
}

struct Walk<'a> {
    shards: &'a Shards,
    planner: *mut pg_sys::PlannerGlobal,
}

/// Puts shards in place of their tables, in a query and all below it. SQL functions in FROM are inlined before: by the time that Postgres does so,
/// nobody is called.
#[pg_guard]
unsafe extern "C-unwind" fn see_shards(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: nodes are of the types that their tags say; Postgres passes the context on as it came.
    unsafe {
        if node.is_null() {
            return false;
        }
        let walk = &*context.cast::<Walk<'_>>();
        match (*node).type_ {
            pg_sys::NodeTag::T_RangeTblEntry => {
                let entry = &mut *node.cast::<pg_sys::RangeTblEntry>();
                if let Some(shard) = walk.shards.of.get(&entry.relid) {
                    pg_sys::LockRelationOid(*shard, entry.rellockmode);
                    entry.relid = *shard;
                }
                false
            }
            pg_sys::NodeTag::T_Query => {
                let query = node.cast::<pg_sys::Query>();
                let level =
                    pg_sys::palloc0(size_of::<pg_sys::PlannerInfo>()).cast::<pg_sys::PlannerInfo>();
                (*level).type_ = pg_sys::NodeTag::T_PlannerInfo;
                (*level).parse = query;
                (*level).glob = walk.planner;
                pg_sys::preprocess_function_rtes(level);
                #[cfg(not(feature = "pg15"))]
                for permission in elements::<pg_sys::RTEPermissionInfo>((*query).rteperminfos) {
                    if let Some(shard) = walk.shards.of.get(&(*permission).relid) {
                        (*permission).relid = *shard;
                    }
                }
                let flags = pg_sys::QTW_EXAMINE_RTES_BEFORE as c_int;
                pg_sys::query_tree_walker(query, Some(see_shards), context, flags)
            }
            _ => pg_sys::expression_tree_walker(node, Some(see_shards), context),
        }
    }
}
