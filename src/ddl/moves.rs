//! Tables that come below a tracked one, and those that leave it, are taken into its counts and out of them.

use pgrx::pg_sys;

use super::find;
use crate::actions;
use crate::backend::list::elements;
use crate::backend::sql::Statement;

/// Follows an ALTER TABLE or a CREATE.
///
/// # Safety
/// `tree` is a statement, that has been executed.
pub(super) unsafe fn follow(tree: *mut pg_sys::Node, schema: &str) {
    // SAFETY: a node of a tag is of its type.
    let moves = unsafe {
        match (*tree).type_ {
            pg_sys::NodeTag::T_AlterTableStmt => moves_of(tree.cast()),
            // a CreateForeignTableStmt begins with a CreateStmt
            pg_sys::NodeTag::T_CreateStmt | pg_sys::NodeTag::T_CreateForeignTableStmt
                if !(*tree.cast::<pg_sys::CreateStmt>()).inhRelations.is_null() =>
            {
                created_tables()
            }
            pg_sys::NodeTag::T_CreateSchemaStmt
                if !(*tree.cast::<pg_sys::CreateSchemaStmt>())
                    .schemaElts
                    .is_null() =>
            {
                created_tables()
            }
            _ => return,
        }
    };
    // SAFETY: reads backend state.
    let user = unsafe { pg_sys::GetUserId() };
    // Those that left first: a table can leave one tree for another.
    for Move { table, parent, .. } in moves.iter().filter(|table| !table.joined) {
        let call = "lead_phones_root_left($1::pg_catalog.regclass, $2::pg_catalog.regclass, $3)";
        let args = [(*table).into(), (*parent).into(), user.into()];
        if let Some(root) = actions::look_up_table(schema, call, &args) {
            actions::run_on_tables(schema, root, "part", &[*table], false);
        }
    }
    for Move { table, parent, .. } in moves.iter().filter(|table| table.joined) {
        let call = "lead_phones_root_to_join($1::pg_catalog.regclass, $2::pg_catalog.regclass)";
        let args = [(*table).into(), (*parent).into()];
        if let Some(root) = actions::look_up_table(schema, call, &args) {
            let is_created = *parent == pg_sys::InvalidOid;
            actions::run_on_tables(schema, root, "join", &[*table], is_created);
        }
    }
}

/// A table that a command put below another, or took away from there.
struct Move {
    table: pg_sys::Oid,
    /// `InvalidOid` for a table that the command created.
    parent: pg_sys::Oid,
    joined: bool,
}

/// What an ALTER TABLE did.
///
/// # Safety
/// `statement` is one, that has been executed.
unsafe fn moves_of(statement: *const pg_sys::AlterTableStmt) -> Vec<Move> {
    use pg_sys::AlterTableType as Type;
    // SAFETY: the caller's promise; what `def` is for a subtype, gram.y says.
    unsafe {
        let altered = (*statement).relation;
        elements((*statement).cmds)
            .filter_map(|command: *mut pg_sys::AlterTableCmd| {
                let def = (*command).def;
                let (table, parent, joined) = match (*command).subtype {
                    Type::AT_AttachPartition => {
                        ((*def.cast::<pg_sys::PartitionCmd>()).name, altered, true)
                    }
                    Type::AT_DetachPartition | Type::AT_DetachPartitionFinalize => {
                        ((*def.cast::<pg_sys::PartitionCmd>()).name, altered, false)
                    }
                    Type::AT_AddInherit => (altered, def.cast(), true),
                    Type::AT_DropInherit => (altered, def.cast(), false),
                    _ => return None,
                };
                Some(Move {
                    table: find(table)?,
                    parent: find(parent)?,
                    joined,
                })
            })
            .collect()
    }
}

/// The tables below others that the command has created.
fn created_tables() -> Vec<Move> {
    let statement = "SELECT d.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS d \
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass \
         AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) d.objid) \
         AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) d.objid \
                        AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f}'))";
    let tables: Vec<Option<pg_sys::Oid>> =
        Statement::new(statement, &[]).rows(|rows| rows.map(|row| row.get(1)));
    let created = tables.into_iter().flatten().map(|table| Move {
        table,
        parent: pg_sys::InvalidOid,
        joined: true,
    });
    created.collect()
}
