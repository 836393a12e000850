//! Tables and columns that are dropped: members of a tree are taken out of its counts before they go; what a tracked table needs is not let go.
//!
//! A command names some objects, and takes others along. What it names is looked at before; what goes, the hook records as it goes, and
//! it is looked at when the command is over.

use core::ffi::{CStr, c_int, c_void};
use std::cell::RefCell;
use std::ptr;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::actions;
use crate::backend::list::elements;
use crate::backend::sql::Statement;
use crate::backend::{report, server, text};
use crate::citus;

// catalog/pg_inherits.h
unsafe extern "C-unwind" {
    fn has_superclass(relation: pg_sys::Oid) -> bool;
    fn has_subclass(relation: pg_sys::Oid) -> bool;
    // catalog/partition.h
    fn get_partition_parent(relation: pg_sys::Oid, even_if_detached: bool) -> pg_sys::Oid;
}

/// catalog/pg_constraint.h
const CONSTRAINT_RELATION_ID: pg_sys::Oid = pg_sys::Oid::from_u32(2606);

/// What a command drops.
#[derive(Default)]
struct Dropped {
    /// Members of trees that were taken out of the counts before.
    taken_off: Vec<pg_sys::Oid>,
    /// Tables that may be the counts or the ledger of a tracked one: their names, and the tables' owners.
    kept_tables: Vec<(String, pg_sys::Oid)>,
    /// Tables that were below others, and these.
    members: Vec<(pg_sys::Oid, pg_sys::Oid)>,
    /// Columns, and their tables. Another of that name may be there when the command is over.
    columns: Vec<(pg_sys::Oid, String)>,
    /// Tables that had a foreign key.
    referencing: Vec<pg_sys::Oid>,
}

thread_local! {
    static DROPPED: RefCell<Dropped> = RefCell::default();
}

static mut NEXT_OBJECT_ACCESS: pg_sys::object_access_hook_type = None;

pub(super) fn install() {
    // SAFETY: called once, when the library is loaded; the hook is chained as its documentation asks.
    unsafe {
        NEXT_OBJECT_ACCESS = pg_sys::object_access_hook;
        pg_sys::object_access_hook = Some(object_access);
        pg_sys::RegisterXactCallback(Some(transaction_ends), ptr::null_mut());
    }
}

/// What was recorded of a command that failed is of no account.
#[pg_guard]
unsafe extern "C-unwind" fn transaction_ends(_event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    DROPPED.take();
}

/// The hook. Has nothing to drop, so that an error of Postgres may jump over it.
unsafe extern "C-unwind" fn object_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    sub_object: c_int,
    arg: *mut c_void,
) {
    // SAFETY: Postgres's own arguments, passed on as they came.
    unsafe {
        if access == pg_sys::ObjectAccessType::OAT_DROP {
            match class {
                pg_sys::RelationRelationId => record(object, sub_object),
                CONSTRAINT_RELATION_ID => record_constraint(object),
                _ => {}
            }
        }
        if let Some(next) = NEXT_OBJECT_ACCESS {
            next(access, class, object, sub_object, arg);
        }
    }
}

/// Records a table, or a column of one, that is about to go. By look-ups in catalogs alone: they are half altered.
#[pg_guard]
unsafe extern "C-unwind" fn record(table: pg_sys::Oid, column: c_int) {
    // SAFETY: catalog look-ups of a table that is still there.
    unsafe {
        let kind = pg_sys::get_rel_relkind(table) as u8;
        if kind != pg_sys::RELKIND_RELATION && kind != pg_sys::RELKIND_PARTITIONED_TABLE
            || pg_sys::get_rel_persistence(table) as u8 == pg_sys::RELPERSISTENCE_TEMP
        {
            return;
        }
        let is_below = column == 0 && pg_sys::ffi::pg_guard_ffi_boundary(|| has_superclass(table));
        let parents = if is_below {
            parents_of(table)
        } else {
            Vec::new()
        };
        DROPPED.with_borrow_mut(|dropped| {
            if column != 0 {
                let name = pg_sys::get_attname(table, column as i16, true);
                if !name.is_null() {
                    dropped.columns.push((table, text::name_from_server(name)));
                }
                return;
            }
            if may_be_kept(table)
                && let Some(owner) = server::owner_of_table(table)
            {
                let name = text::name_from_server(pg_sys::get_rel_name(table));
                dropped.kept_tables.push((name, owner));
            }
            let members = parents.into_iter().map(|parent| (table, parent));
            dropped.members.extend(members);
        });
    }
}

/// Records the table of a foreign key that is about to go.
#[pg_guard]
unsafe extern "C-unwind" fn record_constraint(constraint: pg_sys::Oid) {
    let statement = "SELECT c.conrelid FROM pg_catalog.pg_constraint AS c WHERE c.oid OPERATOR(pg_catalog.=) $1 AND c.contype OPERATOR(pg_catalog.=) 'f'";
    let args: [DatumWithOid<'_>; 1] = [constraint.into()];
    let table: Option<Option<pg_sys::Oid>> = Statement::new(statement, &args)
        .read_only()
        .rows(|rows| rows.first(|row| row.get(1)));
    DROPPED.with_borrow_mut(|dropped| dropped.referencing.extend(table.flatten()));
}

/// Whether a table can be counts or a ledger: these have one of two columns.
pub(super) fn may_be_kept(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups.
    let has = |name: &CStr| unsafe { pg_sys::get_attnum(table, name.as_ptr()) != 0 };
    has(c"phone") || has(c"entry")
}

fn parents_of(table: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    let statement = "SELECT i.inhparent FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) $1";
    let args: [DatumWithOid<'_>; 1] = [table.into()];
    let parents: Vec<Option<pg_sys::Oid>> = Statement::new(statement, &args)
        .read_only()
        .rows(|rows| rows.map(|row| row.get(1)));
    parents.into_iter().flatten().collect()
}

/// The command has dropped what it drops.
pub(super) fn check(schema: &str) {
    let dropped = DROPPED.take();
    for (name, owner) in dropped.kept_tables {
        refuse_missing(schema, &name, owner, "dropped");
    }
    for (table, column) in dropped.columns {
        let call = "lead_phones_check_dropped($1::pg_catalog.regclass, $2::pg_catalog.name)";
        let args: [DatumWithOid<'_>; 2] = [table.into(), text::argument(&column)];
        actions::look_up(schema, "true", call, &args, |_| ());
    }
    for table in dropped.referencing {
        let call = "lead_phones_check_path($1::pg_catalog.regclass)";
        actions::look_up(schema, "true", call, &[table.into()], |_| ());
    }
    // What was taken along by something else has not been taken off.
    let mut recounted = Vec::new();
    for (member, parent) in dropped.members {
        if dropped.taken_off.contains(&member) {
            continue;
        }
        let call = "lead_phones_root($1::pg_catalog.regclass)";
        if let Some(root) = actions::look_up_table(schema, call, &[parent.into()])
            && !recounted.contains(&root)
        {
            super::follow(schema, root, "recount", serde_json::json!({}));
            recounted.push(root);
        }
    }
}

/// An error where a tracked table needs the counts or the ledger that were of this name.
pub(super) fn refuse_missing(schema: &str, name: &str, owner: pg_sys::Oid, done: &str) {
    // The workers are told of one table after the other, and by nobody on the coordinator.
    if citus::is_sent() && is_worker() {
        return;
    }
    let call = "lead_phones_missing($1::pg_catalog.name, $2)";
    let args: [DatumWithOid<'_>; 2] = [text::argument(name), owner.into()];
    let Some(leads) = actions::look_up_table(schema, call, &args) else {
        return;
    };
    let leads = text::table_name(leads);
    report::fail(
        PgSqlErrorCode::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
        format!("table \"{name}\" cannot be {done}: tracked table \"{leads}\" needs it"),
        "It holds the counts or the disqualifications of that table; without them, nobody would know who must not be called."
            .into(),
        format!(
            "Run untrack_lead_phones({}) before.",
            spi::quote_literal(&leads)
        ),
    )
}

/// Whether Citus has this database as a node with shards, which its coordinator governs.
fn is_worker() -> bool {
    let others =
        "SELECT FROM pg_catalog.pg_dist_local_group AS g WHERE g.groupid OPERATOR(pg_catalog.<>) 0";
    citus::has_catalog(c"pg_dist_local_group")
        && Statement::new(others, &[]).rows(|rows| !rows.is_empty())
}

/// Before a command that may drop tables. Takes members that it names out of the counts, while their leads can be read.
///
/// # Safety
/// `tree` is a statement.
pub(super) unsafe fn prepare(tree: *mut pg_sys::Node, schema: &str) {
    DROPPED.take();
    // SAFETY: a node of this tag is a DropStmt.
    let named = unsafe {
        if (*tree).type_ != pg_sys::NodeTag::T_DropStmt {
            return;
        }
        dropped_relations(&*tree.cast::<pg_sys::DropStmt>())
    };
    if named.is_empty() {
        return;
    }
    // SAFETY: reads backend state.
    let user = unsafe { pg_sys::GetUserId() };
    let call = "lead_phones_dropped_members($1::pg_catalog.regclass[], $2)";
    let columns = "found.root::pg_catalog.oid, found.member::pg_catalog.oid";
    let args = [named.into(), user.into()];
    let members: Vec<(pg_sys::Oid, pg_sys::Oid)> =
        actions::look_up(schema, columns, call, &args, |row| {
            Some((row.get(1)?, row.get(2)?))
        })
        .into_iter()
        .flatten()
        .collect();
    for members in members.chunk_by(|one, next| one.0 == next.0) {
        let tables: Vec<pg_sys::Oid> = members.iter().map(|(_, member)| *member).collect();
        actions::run_on_tables(schema, members[0].0, "drop", &tables, false);
        DROPPED.with_borrow_mut(|dropped| dropped.taken_off.extend(tables));
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

/// Whether a table may be below another, or above.
fn is_in_tree(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups; the guard lets an error of theirs unwind.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| has_superclass(table) || has_subclass(table)) }
}

/// The tables of a schema that are below others. Without the right to drop the schema, the command fails by itself.
fn tables_in(namespace: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    let statement = "SELECT c.oid FROM pg_catalog.pg_class AS c \
         WHERE c.relnamespace OPERATOR(pg_catalog.=) $1 AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}') \
         AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid)";
    let args: [DatumWithOid<'_>; 1] = [namespace.into()];
    let tables: Vec<Option<pg_sys::Oid>> =
        Statement::new(statement, &args).rows(|rows| rows.map(|row| row.get(1)));
    tables.into_iter().flatten().collect()
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
