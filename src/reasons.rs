//! Why a lead may not be called: one query on the view `lead_reasons`, by a plan that is kept.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::owner::as_owner_for_others;
use crate::sql::Statement;
use crate::{action, reports, text};

/// The rows of `lead_reasons` for one lead, as a jsonb array that is passed on unread: a jsonb datum has the layout of a bytea. `None`
/// where there is no such lead. Runs as the owner, for whoever may read both.
#[pg_extern(sql = false)]
fn lead_phones_reasons(leads: pg_sys::Oid, lead: i64) -> Option<Vec<u8>> {
    let owner = action::hold(leads);
    // SAFETY: catalog look-ups by OID; of a schema that there is not, the name is NULL.
    let (schema, view) = unsafe {
        let namespace = pg_sys::get_rel_namespace(leads);
        let schema = pg_sys::get_namespace_name(namespace);
        if schema.is_null() {
            return None;
        }
        let view = pg_sys::get_relname_relid(c"lead_reasons".as_ptr(), namespace);
        (spi::quote_identifier(text::name_from_server(schema)), view)
    };
    [leads, view].into_iter().for_each(reports::check_readable);
    let query = format!(
        "SELECT coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM {schema}.lead_reasons AS r \
                           WHERE r.lead_id OPERATOR(pg_catalog.=) $1), '[]') \
         WHERE EXISTS (SELECT FROM {schema}.leads AS l WHERE l.lead_id OPERATOR(pg_catalog.=) $1)"
    );
    as_owner_for_others(owner, || {
        Statement::new(&query, &[lead.into()])
            .read_only()
            // a jsonb, copied before SPI frees it
            .rows(|rows| rows.first(|row| row.get(1)))
            .flatten()
    })
}
