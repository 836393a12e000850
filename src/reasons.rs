//! Why a lead may not be called: one query on the view `lead_reasons`, by a plan that is kept.

use pgrx::FromDatum;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::{sql, text};

/// The rows of a view of lead tables for one lead, as a jsonb array that is passed on unread: a jsonb datum has the layout of a
/// bytea. Runs with the rights of the caller.
#[pg_extern(sql = false)]
fn lead_phones_reasons(reasons: pg_sys::Oid, lead: i64) -> Option<Vec<u8>> {
    // SAFETY: catalog look-ups by OID; NULL names become an empty string, of which there is no view.
    let view = unsafe {
        let schema = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(reasons));
        let name = pg_sys::get_rel_name(reasons);
        if schema.is_null() || name.is_null() {
            return None;
        }
        spi::quote_qualified_identifier(
            text::name_from_server(schema),
            text::name_from_server(name),
        )
    };
    let query = format!(
        "SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM {view} AS r WHERE r.lead_id OPERATOR(pg_catalog.=) $1"
    );
    sql::query(&query, &[lead.into()], |rows| {
        let found = rows.first().get_datum_by_ordinal(1).ok().flatten()?;
        // SAFETY: the datum is a jsonb; it is copied before SPI frees it.
        unsafe { Vec::<u8>::from_datum(found, false) }
    })
}
