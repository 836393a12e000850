//! Event triggers: tables that come below a tracked one, and those that leave it, are taken into its counts and out of them.
//!
//! What a command did is read from its parse tree, and where a table stands from `pg_inherits`: never from the arguments of
//! triggers, which anybody can write. A name of the tree may mean another table when the command is over, so what left is
//! believed of its owner alone. Most commands are passed over without a look at the catalog.

use core::ffi::c_void;
use std::ptr;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::{action, report, server, sql};

// catalog/pg_inherits.h
unsafe extern "C-unwind" {
    fn has_superclass(relation: pg_sys::Oid) -> bool;
    fn has_subclass(relation: pg_sys::Oid) -> bool;
    // catalog/partition.h
    fn get_partition_parent(relation: pg_sys::Oid, even_if_detached: bool) -> pg_sys::Oid;
}

/// Event trigger on `ddl_command_end`.
#[pg_extern(sql = false)]
fn lead_phones_after_ddl(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info.
    let (tree, schema) = unsafe { (parse_tree(fcinfo), action::extension_schema(fcinfo)) };
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
        if let Some(root) = action::look_up_table(&schema, call, &args) {
            action::run_on_tables(&schema, root, "part", &[*table], false);
        }
    }
    for Move { table, parent, .. } in moves.iter().filter(|table| table.joined) {
        let call = "lead_phones_root_to_join($1::pg_catalog.regclass, $2::pg_catalog.regclass)";
        let args = [(*table).into(), (*parent).into()];
        if let Some(root) = action::look_up_table(&schema, call, &args) {
            let is_created = *parent == pg_sys::InvalidOid;
            action::run_on_tables(&schema, root, "join", &[*table], is_created);
        }
    }
}

/// Event trigger on `ddl_command_start` of commands that drop tables.
#[pg_extern(sql = false)]
fn lead_phones_before_drop(fcinfo: FunctionCallInfo) {
    // SAFETY: Postgres's own call info; a node of this tag is a DropStmt.
    let (named, schema) = unsafe {
        let tree = parse_tree(fcinfo);
        if (*tree).type_ != pg_sys::NodeTag::T_DropStmt {
            return;
        }
        (
            dropped_relations(&*tree.cast::<pg_sys::DropStmt>()),
            action::extension_schema(fcinfo),
        )
    };
    if named.is_empty() {
        return;
    }
    // SAFETY: reads backend state.
    let user = unsafe { pg_sys::GetUserId() };
    let call = "lead_phones_dropped_members($1::pg_catalog.regclass[], $2)";
    let columns = "found.root::pg_catalog.oid, found.member::pg_catalog.oid";
    let args = [named.into(), user.into()];
    let members: Vec<(pg_sys::Oid, pg_sys::Oid)> = action::look_up(&schema, columns, call, &args)
        .iter()
        .filter_map(|row| Some((action::table_in(row, 0)?, action::table_in(row, 1)?)))
        .collect();
    for members in members.chunk_by(|one, next| one.0 == next.0) {
        let tables: Vec<pg_sys::Oid> = members.iter().map(|(_, member)| *member).collect();
        action::run_on_tables(&schema, members[0].0, "drop", &tables, false);
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
    sql::execute(statement, &[], |rows| {
        rows.filter_map(|row| row.get(1).ok().flatten())
            .map(|table| Move {
                table,
                parent: pg_sys::InvalidOid,
                joined: true,
            })
            .collect()
    })
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

/// What a DROP TABLE or DROP SCHEMA names, where it exists: tables, and the tables in the schemas.
///
/// # Safety
/// The statement's tree is whole.
unsafe fn dropped_relations(statement: &pg_sys::DropStmt) -> Vec<pg_sys::Oid> {
    // SAFETY: the caller's promise; of tables the objects are lists of names, of schemas they are names.
    unsafe {
        match statement.removeType {
            pg_sys::ObjectType::OBJECT_TABLE => elements(statement.objects)
                .filter_map(|names| find_to_drop(pg_sys::makeRangeVarFromNameList(names)))
                // most tables have nothing to do with any other
                .filter(|table| is_in_tree(*table))
                .collect(),
            pg_sys::ObjectType::OBJECT_SCHEMA => elements(statement.objects)
                .map(|name| schema_named(name))
                .flat_map(tables_in)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The schema that a DROP SCHEMA names, locked as it does next; `InvalidOid` where there is none.
///
/// # Safety
/// `name` is a node of the statement.
unsafe fn schema_named(name: *mut pg_sys::Node) -> pg_sys::Oid {
    let mut relation = ptr::null_mut();
    // SAFETY: the caller's promise; of a schema no relation comes back.
    unsafe {
        pg_sys::get_object_address(
            pg_sys::ObjectType::OBJECT_SCHEMA,
            name,
            &mut relation,
            pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE,
            true,
        )
        .objectId
    }
}

/// Whether a table may stand below another, or above.
fn is_in_tree(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups; the guard lets an error of theirs unwind.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| has_superclass(table) || has_subclass(table)) }
}

/// The tables of a schema that stand below others. Without the right to drop the schema, the command fails by itself.
fn tables_in(namespace: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    let statement = "SELECT c.oid FROM pg_catalog.pg_class AS c \
         WHERE c.relnamespace OPERATOR(pg_catalog.=) $1 AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}') \
         AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid)";
    let args: [DatumWithOid<'_>; 1] = [namespace.into()];
    sql::execute(statement, &args, |rows| {
        rows.filter_map(|row| row.get(1).ok().flatten()).collect()
    })
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

/// The table of a name, locked as DROP TABLE locks it next: it cannot be renamed before that.
///
/// # Safety
/// `name` is a RangeVar.
unsafe fn find_to_drop(name: *mut pg_sys::RangeVar) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's promise; the callback takes no argument.
    let table = unsafe {
        pg_sys::RangeVarGetRelidExtended(
            name,
            pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE,
            pg_sys::RVROption::RVR_MISSING_OK,
            Some(before_drop_lock),
            ptr::null_mut(),
        )
    };
    (table != pg_sys::InvalidOid).then_some(table)
}

/// As Postgres's own callback of DROP TABLE: who may not drop a table may not lock it either, and the table above is locked first.
#[pg_guard]
unsafe extern "C-unwind" fn before_drop_lock(
    name: *const pg_sys::RangeVar,
    table: pg_sys::Oid,
    _table_before: pg_sys::Oid,
    _arg: *mut c_void,
) {
    // SAFETY: catalog look-ups of a table that may be gone; a lock, that lasts as long as the transaction.
    unsafe {
        let kind = pg_sys::get_rel_relkind(table);
        if kind == 0 {
            return;
        }
        if !server::is_owner_of_table(table)
            && !server::is_owner_of_schema(pg_sys::get_rel_namespace(table))
        {
            pg_sys::aclcheck_error(
                pg_sys::AclResult::ACLCHECK_NOT_OWNER,
                pg_sys::get_relkind_objtype(kind),
                (*name).relname,
            );
        }
        if pg_sys::get_rel_relispartition(table) {
            let parent = pg_sys::ffi::pg_guard_ffi_boundary(|| get_partition_parent(table, true));
            pg_sys::LockRelationOid(parent, pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE);
        }
    }
}

/// The elements of a list of nodes.
///
/// # Safety
/// `list` is NULL or a list of pointers to `T`.
unsafe fn elements<T>(list: *const pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's promise; a list has as many elements as its length says.
    let count = unsafe { list.as_ref() }.map_or(0, |list| list.length);
    (0..usize::try_from(count).unwrap_or(0)).map(move |place| {
        // SAFETY: as above; the place is below the length.
        unsafe { (*(*list).elements.add(place)).ptr_value.cast() }
    })
}
