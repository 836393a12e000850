//! Tracked tables that are altered: renames and changes of type are followed, what cannot be is refused.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{drops, find, follow as run};
use crate::actions;
use crate::backend::list::elements;
use crate::backend::sql::Statement;
use crate::backend::{report, server, text};

/// Follows an ALTER.
///
/// # Safety
/// `tree` is a statement, that has been executed.
pub(super) unsafe fn follow(tree: *mut pg_sys::Node, schema: &str) {
    use pg_sys::NodeTag;
    // SAFETY: a node of a tag is of its type.
    unsafe {
        match (*tree).type_ {
            NodeTag::T_AlterTableStmt => follow_alter(&*tree.cast(), schema),
            NodeTag::T_RenameStmt => follow_rename(&*tree.cast(), schema),
            NodeTag::T_AlterObjectSchemaStmt => {
                let statement = &*tree.cast::<pg_sys::AlterObjectSchemaStmt>();
                if statement.objectType == pg_sys::ObjectType::OBJECT_TABLE {
                    for table in altered_objects() {
                        if let Some(name) = name_of(table) {
                            refuse_lost(schema, table, &name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// What an ALTER TABLE did beside moving the table.
///
/// # Safety
/// The statement's tree is whole.
unsafe fn follow_alter(statement: &pg_sys::AlterTableStmt, schema: &str) {
    use pg_sys::AlterTableType as Type;
    // SAFETY: the caller's promise; what `def` is for a subtype, gram.y says.
    unsafe {
        let mut is_checked = false;
        let mut retyped = Vec::new();
        for command in elements::<pg_sys::AlterTableCmd>(statement.cmds) {
            match (*command).subtype {
                Type::AT_AlterColumnType => {
                    let definition = (*command).def.cast::<pg_sys::ColumnDef>();
                    let is_computed = !(*definition).raw_default.is_null();
                    retyped.push((text::name_from_server((*command).name), is_computed));
                }
                Type::AT_SetUnLogged
                | Type::AT_EnableRowSecurity
                | Type::AT_ForceRowSecurity
                | Type::AT_DropConstraint => {
                    is_checked = true;
                }
                _ => {}
            }
        }
        if !is_checked && retyped.is_empty() {
            return;
        }
        let Some(table) = find(statement.relation) else {
            return;
        };
        let computed: Vec<&str> = retyped
            .iter()
            .filter(|(_, is_computed)| *is_computed)
            .map(|(name, _)| name.as_str())
            .collect();
        let call = "lead_phones_altered_root($1::pg_catalog.regclass, $2::pg_catalog.text[])";
        let args: [DatumWithOid<'_>; 2] = [table.into(), text::array_argument(&computed)];
        let Some(root) = actions::look_up_table(schema, call, &args) else {
            return;
        };
        let columns: Vec<_> = retyped
            .iter()
            .map(|(name, is_computed)| serde_json::json!({"name": name, "computed": is_computed}))
            .collect();
        run(
            schema,
            root,
            "alter",
            serde_json::json!({ "columns": columns }),
        );
    }
}

/// # Safety
/// The statement's tree is whole.
unsafe fn follow_rename(statement: &pg_sys::RenameStmt, schema: &str) {
    use pg_sys::ObjectType as Type;
    // SAFETY: the caller's promise; a rename of a column or schema has the old name, any has the new one.
    unsafe {
        let new_name = text::name_from_server(statement.newname);
        match statement.renameType {
            // any of these words does for a table too
            Type::OBJECT_TABLE
            | Type::OBJECT_FOREIGN_TABLE
            | Type::OBJECT_VIEW
            | Type::OBJECT_MATVIEW
            | Type::OBJECT_INDEX
            | Type::OBJECT_SEQUENCE => {
                let old_name = text::name_from_server((*statement.relation).relname);
                for table in altered_objects() {
                    refuse_lost(schema, table, &old_name);
                }
            }
            Type::OBJECT_COLUMN | Type::OBJECT_ATTRIBUTE => {
                let old_name = text::name_from_server(statement.subname);
                let call = "lead_phones_renamed_root($1::pg_catalog.regclass, $2::pg_catalog.name)";
                for table in altered_objects() {
                    let args: [DatumWithOid<'_>; 2] = [table.into(), text::argument(&old_name)];
                    if let Some(root) = actions::look_up_table(schema, call, &args) {
                        let names = serde_json::json!({"old": old_name, "new": new_name});
                        run(schema, root, "rename_column", names);
                    }
                }
            }
            Type::OBJECT_SCHEMA => {
                let old_name = text::name_from_server(statement.subname);
                if new_name == schema {
                    report::fail(
                        PgSqlErrorCode::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
                        format!(
                            "schema \"{old_name}\" cannot be renamed: extension lead_phones is in it"
                        ),
                        "The functions of lead_phones name each other with that schema.".into(),
                        "Create the extension in a schema that keeps its name.".into(),
                    )
                }
                let call = "lead_phones_roots_in($1::pg_catalog.name, $2::pg_catalog.name)";
                let args: [DatumWithOid<'_>; 2] =
                    [text::argument(&old_name), text::argument(&new_name)];
                let roots: Vec<Option<pg_sys::Oid>> =
                    actions::look_up(schema, "found::pg_catalog.oid", call, &args, |row| {
                        row.get(1)
                    });
                for root in roots.into_iter().flatten() {
                    run(
                        schema,
                        root,
                        "rename_schema",
                        serde_json::json!({ "new": new_name }),
                    );
                }
            }
            _ => {}
        }
    }
}

/// An error where a table that a tracked one needs has no longer the name or the schema that it had.
fn refuse_lost(schema: &str, table: pg_sys::Oid, old_name: &str) {
    if drops::may_be_kept(table)
        && let Some(owner) = server::owner_of_table(table)
    {
        drops::refuse_missing(schema, old_name, owner, "renamed or moved");
    }
}

fn name_of(table: pg_sys::Oid) -> Option<String> {
    // SAFETY: a catalog look-up; of what there is not, the name is NULL.
    unsafe {
        let name = pg_sys::get_rel_name(table);
        (!name.is_null()).then(|| text::name_from_server(name))
    }
}

/// The tables that the command has altered, by their OIDs: its own words may mean others by now.
fn altered_objects() -> Vec<pg_sys::Oid> {
    let statement = "SELECT d.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS d \
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass";
    let tables: Vec<Option<pg_sys::Oid>> =
        Statement::new(statement, &[]).rows(|rows| rows.map(|row| row.get(1)));
    tables.into_iter().flatten().collect()
}
