//! Why a lead may not be called: one query on the view `lead_reasons`, by a plan that is kept.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::sql::Statement;
use crate::text;

/// The rows of `lead_reasons` for one lead, as a jsonb array that is passed on unread: a jsonb datum has the layout of a bytea. `None`
/// where there is no such lead. Runs with the rights of the caller.
#[pg_extern(sql = false)]
fn lead_phones_reasons(leads: pg_sys::Oid, lead: i64) -> Option<Vec<u8>> {
    // SAFETY: catalog look-ups by OID; of a schema that there is not, the name is NULL.
    let schema = unsafe {
        let schema = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(leads));
        if schema.is_null() {
            return None;
        }
        spi::quote_identifier(text::name_from_server(schema))
    };
    let query = format!(
        "SELECT coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM {schema}.lead_reasons AS r \
                           WHERE r.lead_id OPERATOR(pg_catalog.=) $1), '[]') \
         WHERE EXISTS (SELECT FROM {schema}.leads AS l WHERE l.lead_id OPERATOR(pg_catalog.=) $1)"
    );
    Statement::new(&query, &[lead.into()])
        .read_only()
        // a jsonb, copied before SPI frees it
        .rows(|rows| rows.first(|row| row.get(1)))
        .flatten()
}
