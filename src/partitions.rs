//! Before DROP TABLE: the leads of a partition are taken out of the counts while they are still there.

use std::ptr;

use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::{action, report, sql};

/// Event trigger on `ddl_command_start` of DROP TABLE.
#[pg_extern(sql = false)]
fn lead_phones_before_drop(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info; a context of node type T_EventTriggerData is one, with the statement's tree.
    let (schema, tables) = unsafe {
        let context = (*fcinfo).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_EventTriggerData {
            report::fail(
                PgSqlErrorCode::ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED,
                "function \"lead_phones_before_drop\" must be called by an event trigger".into(),
                "It was called in another way.".into(),
                "The extension creates the event trigger.".into(),
            )
        }
        let tree = (*context.cast::<pg_sys::EventTriggerData>()).parsetree;
        (action::extension_schema(fcinfo), dropped_tables(tree))
    };
    if sql::is_citus_loaded() {
        return;
    }
    let roots = format!(
        "SELECT {}(c.oid)::pg_catalog.oid FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) $1 \
         AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid) \
         AND pg_catalog.pg_has_role(c.relowner, 'USAGE')",
        spi::quote_qualified_identifier(&*schema, "lead_phones_root")
    );
    for table in tables {
        let root = sql::execute(&roots, &[table.into()], |rows| {
            rows.first().get::<pg_sys::Oid>(1).ok().flatten()
        });
        if let Some(root) = root
            && root != table
        {
            action::part(&schema, root, table, true);
        }
    }
}

/// The tables that a DROP TABLE names, where they exist.
///
/// # Safety
/// `tree` is a statement.
unsafe fn dropped_tables(tree: *mut pg_sys::Node) -> Vec<pg_sys::Oid> {
    // SAFETY: the caller's promise; a node of this tag is a DropStmt, whose objects are lists of names.
    unsafe {
        if (*tree).type_ != pg_sys::NodeTag::T_DropStmt {
            return Vec::new();
        }
        let objects = (*tree.cast::<pg_sys::DropStmt>()).objects;
        if objects.is_null() {
            return Vec::new();
        }
        let count = usize::try_from((*objects).length).unwrap_or(0);
        (0..count)
            .map(|place| {
                let names = (*(*objects).elements.add(place)).ptr_value;
                pg_sys::RangeVarGetRelidExtended(
                    pg_sys::makeRangeVarFromNameList(names.cast()),
                    pg_sys::NoLock as pg_sys::LOCKMODE,
                    pg_sys::RVROption::RVR_MISSING_OK,
                    None,
                    ptr::null_mut(),
                )
            })
            .filter(|table| *table != pg_sys::InvalidOid)
            .collect()
    }
}
