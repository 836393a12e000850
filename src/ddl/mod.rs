//! Event triggers: what DDL does to tracked tables is followed, or refused.
//!
//! What a command did is read from its parse tree, and what a table is below from `pg_inherits`: never from the arguments of
//! triggers alone, which anybody can write. A name of the tree may mean another table when the command is over, so what left is
//! believed of its owner alone. Most commands are passed over without a look at the catalog.

mod alters;
mod drops;
mod moves;
mod switch;

use std::cell::Cell;
use std::ptr;

use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::actions;
use crate::backend::report;
use crate::backend::restore::OnDrop;

pub(crate) use switch::allow as allow_switch_of_triggers;

thread_local! {
    static FOLLOWING: Cell<bool> = const { Cell::new(false) };
}

/// Has Postgres call us when objects are dropped.
pub(crate) fn install() {
    drops::install();
}

/// Event trigger on `ddl_command_end`, as 0.2.0 declares it, which lacks the functions that follow more.
#[pg_extern(sql = false)]
fn lead_phones_after_ddl(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info; the statement has been executed.
    unsafe { moves::follow(parse_tree(fcinfo), &actions::extension_schema(fcinfo)) }
}

/// Event trigger on `ddl_command_end`.
#[pg_extern(sql = false)]
fn lead_phones_follow_ddl(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info.
    let (tree, schema) = unsafe { (parse_tree(fcinfo), actions::extension_schema(fcinfo)) };
    // what this runs itself is no news
    if FOLLOWING.get() {
        return;
    }
    // SAFETY: the statement has been executed.
    unsafe {
        moves::follow(tree, &schema);
        alters::follow(tree, &schema);
    }
}

/// Event trigger on `ddl_command_start` of commands that drop tables. Also loads the library, so that its hook sees what they drop.
#[pg_extern(sql = false)]
fn lead_phones_before_drop(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info; the statement is about to be executed.
    unsafe {
        let (tree, schema) = (parse_tree(fcinfo), actions::extension_schema(fcinfo));
        drops::prepare(tree, &schema);
    }
}

/// Event trigger on `sql_drop`.
#[pg_extern(sql = false)]
fn lead_phones_after_drop(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info.
    let schema = unsafe {
        parse_tree(fcinfo);
        actions::extension_schema(fcinfo)
    };
    drops::check(&schema);
}

/// Runs an action on a tracked table that follows what a command did.
fn follow(schema: &str, leads: pg_sys::Oid, action: &str, arguments: serde_json::Value) {
    let before = FOLLOWING.replace(true);
    let _following = OnDrop(|| FOLLOWING.set(before));
    actions::run_with(schema, leads, action, arguments);
}

/// The statement that fired.
///
/// # Safety
/// `fcinfo` is what Postgres handed to the function.
unsafe fn parse_tree(fcinfo: FunctionCallInfo) -> *mut pg_sys::Node {
    // SAFETY: the caller's promise; a context of node type T_EventTriggerData is one.
    unsafe {
        let context = (*fcinfo).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_EventTriggerData {
            report::fail(
                PgSqlErrorCode::ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED,
                "an event trigger function of lead_phones was called by hand".into(),
                "It must be called by an event trigger.".into(),
                "The extension creates its event triggers.".into(),
            )
        }
        (*context.cast::<pg_sys::EventTriggerData>()).parsetree
    }
}

/// The table of a name.
///
/// # Safety
/// `name` is a RangeVar.
unsafe fn find(name: *mut pg_sys::RangeVar) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's promise.
    let table = unsafe {
        pg_sys::RangeVarGetRelidExtended(
            name,
            pg_sys::NoLock as pg_sys::LOCKMODE,
            pg_sys::RVROption::RVR_MISSING_OK,
            None,
            ptr::null_mut(),
        )
    };
    (table != pg_sys::InvalidOid).then_some(table)
}
