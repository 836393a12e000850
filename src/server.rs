//! What the versions of Postgres spell differently.

use pgrx::pg_sys;

/// Whether the user owns a table. An error where there is no such table.
pub(crate) fn is_owner_of_table(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups.
    unsafe {
        let user = pg_sys::GetUserId();
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::pg_class_ownercheck(table, user);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        pg_sys::object_ownercheck(pg_sys::RelationRelationId, table, user)
    }
}

/// Whether the user owns a schema. An error where there is no such schema.
pub(crate) fn is_owner_of_schema(schema: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups.
    unsafe {
        let user = pg_sys::GetUserId();
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::pg_namespace_ownercheck(schema, user);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        pg_sys::object_ownercheck(pg_sys::NamespaceRelationId, schema, user)
    }
}
