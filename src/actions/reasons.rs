//! Why a lead may not be called: one query on the view `lead_reasons`, by a plan that is kept.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::actions::lead_tables::Plans;
use crate::actions::{lead_tables, reports};
use crate::backend::owner::Restricted;
use crate::backend::sql::Statement;
use crate::{actions, citus};

/// `campaigns`, of which there is a lead of this number, and `reasons`, the rows of `lead_reasons`, as jsonb that is passed on unread: a jsonb
/// datum has the layout of a bytea. Runs as the owner, for a role that may read both.
#[pg_extern(sql = false)]
fn lead_phones_reasons_of(
    leads: Option<pg_sys::Oid>,
    lead: Option<i64>,
    campaign: Option<i64>,
    fcinfo: FunctionCallInfo,
) -> Option<Vec<u8>> {
    let (leads, lead) = (leads?, lead?);
    if citus::is_elsewhere(leads) {
        // SAFETY: Postgres's own call info.
        let schema = unsafe { actions::extension_schema(fcinfo) };
        let function = spi::quote_qualified_identifier(&*schema, "lead_phones_reasons_of");
        return citus::send(
            leads,
            citus::Sent::Read,
            &function,
            &[lead.into(), campaign.into()],
        );
    }
    let query = "SELECT jsonb_build_object( \
             'campaigns', (SELECT jsonb_agg(l.campaign_id ORDER BY l.campaign_id) FROM leads AS l \
                            WHERE l.lead_id = $1 AND l.campaign_id = coalesce($2, l.campaign_id)), \
             'reasons', (SELECT jsonb_agg(to_jsonb(r)) FROM lead_reasons AS r WHERE r.lead_id = $1 AND r.campaign_id = coalesce($2, r.campaign_id)))";
    read(leads, query, &[lead.into(), campaign.into()], fcinfo)
}

/// The same as an array for all campaigns, `None` where there is no such lead: for version 0.2.0 of the SQL.
#[pg_extern(sql = false)]
fn lead_phones_reasons(leads: pg_sys::Oid, lead: i64, fcinfo: FunctionCallInfo) -> Option<Vec<u8>> {
    let query = "SELECT coalesce((SELECT jsonb_agg(to_jsonb(r)) FROM lead_reasons AS r WHERE r.lead_id = $1), '[]') \
                 WHERE EXISTS (SELECT FROM leads AS l WHERE l.lead_id = $1)";
    read(leads, query, &[lead.into()], fcinfo)
}

fn read(
    leads: pg_sys::Oid,
    query: &str,
    args: &[DatumWithOid<'_>],
    fcinfo: FunctionCallInfo,
) -> Option<Vec<u8>> {
    let owner = actions::hold(leads);
    // SAFETY: Postgres's own call info.
    let schema = unsafe { actions::extension_schema(fcinfo) };
    [c"leads", c"lead_reasons"]
        .map(|name| lead_tables::table_of(&schema, leads, name))
        .into_iter()
        .for_each(reports::check_readable);
    lead_tables::as_owner(
        &schema,
        leads,
        owner,
        Restricted::ForOthers,
        Plans::Kept,
        || {
            Statement::new(query, args)
                .read_only()
                // a jsonb, copied before SPI frees it
                .rows(|rows| rows.first(|row| row.get(1)))
                .flatten()
        },
    )
}
