//! What the versions of Postgres spell differently, and what is in their caches.

use pgrx::pg_sys;
use pgrx::prelude::*;

/// The state of a query's fingerprint, as hooks get it.
#[cfg(not(feature = "pg19"))]
pub(crate) type JumbleState = *mut pg_sys::JumbleState;
#[cfg(feature = "pg19")]
pub(crate) type JumbleState = *const pg_sys::JumbleState;

/// Whether the user owns a table. An error where there is no such table.
pub(crate) fn is_owner_of_table(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups.
    unsafe {
        let user = pg_sys::GetUserId();
        #[cfg(feature = "pg15")]
        return pg_sys::pg_class_ownercheck(table, user);
        #[cfg(not(feature = "pg15"))]
        pg_sys::object_ownercheck(pg_sys::RelationRelationId, table, user)
    }
}

/// Whether the user owns a schema. An error where there is no such schema.
pub(crate) fn is_owner_of_schema(schema: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups.
    unsafe {
        let user = pg_sys::GetUserId();
        #[cfg(feature = "pg15")]
        return pg_sys::pg_namespace_ownercheck(schema, user);
        #[cfg(not(feature = "pg15"))]
        pg_sys::object_ownercheck(pg_sys::NamespaceRelationId, schema, user)
    }
}

/// Whether a role may use what is in the schema of a table.
pub(crate) fn may_use_schema_of(role: pg_sys::Oid, table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups.
    unsafe {
        let schema = pg_sys::get_rel_namespace(table);
        let usage = pg_sys::AclMode::from(pg_sys::ACL_USAGE);
        #[cfg(feature = "pg15")]
        let answer = pg_sys::pg_namespace_aclcheck(schema, role, usage);
        #[cfg(not(feature = "pg15"))]
        let answer = pg_sys::object_aclcheck(pg_sys::NamespaceRelationId, schema, role, usage);
        answer == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// The owner of a table; `None` where it is gone.
pub(crate) fn owner_of_table(table: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: a catalog look-up; the row is released once it was read.
    unsafe {
        let row = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, table.into());
        if row.is_null() {
            return None;
        }
        let class = pgrx::pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_class>(row);
        let owner = (*class).relowner;
        pg_sys::ReleaseSysCache(row);
        Some(owner)
    }
}

/// For SQL: the type under a domain; any other type, or what is none, as it is.
#[pg_extern(sql = false)]
fn lead_phones_base_type_of(type_id: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: catalog look-ups, the second of a type that there is.
    unsafe {
        match pg_sys::get_typtype(type_id) {
            0 => type_id,
            _ => pg_sys::getBaseType(type_id),
        }
    }
}
