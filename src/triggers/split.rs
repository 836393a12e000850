//! AFTER STATEMENT on `leads`: hands the rows that were inserted to `lead_phones_split_leads()`, which splits them out into
//! contacts and accounts.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::{FromDatum, pg_sys};

use super::call::TriggerCall;
use crate::actions::lead_tables;
use crate::actions::lead_tables::Plans;
use crate::backend::owner::Restricted;
use crate::backend::report;
use crate::backend::sql::{self, Statement};
use crate::citus;

/// Leads that are split at a time.
const BATCH: usize = 10_000;

pub(super) fn split(call: &TriggerCall<'_>) {
    // What Citus copies has been split.
    if call.fills_shard() {
        return;
    }
    let [campaign, lead, contact] = [c"campaign_id", c"lead_id", c"contact_id"].map(|name| {
        let relation = call.relation().rd_id;
        // SAFETY: catalog look-ups; of a column that there is not, the type is InvalidOid.
        let (attribute, column_type) = unsafe {
            let attribute = pg_sys::get_attnum(relation, name.as_ptr());
            (attribute, pg_sys::get_atttype(relation, attribute))
        };
        if column_type != pg_sys::INT8OID {
            report::fail(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!(
                    "table \"{}\" has no bigint column \"{}\"",
                    call.table_name(),
                    name.to_string_lossy()
                ),
                "Leads are split out into contacts and accounts by it.".into(),
                "Let leads have the columns that create_lead_tables() gave it.".into(),
            )
        }
        attribute
    });
    let last = campaign.max(lead).max(contact);
    let Some(mut rows) = call.new_rows() else {
        return;
    };
    let (mut campaigns, mut leads) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next_row(last) {
        pgrx::check_for_interrupts!();
        // Who names the contact has split the lead himself.
        if row.get(contact).is_some() {
            continue;
        }
        // SAFETY: the columns are of type bigint, as was checked above.
        let id = |attribute| unsafe { i64::from_datum(row.get(attribute)?, false) };
        campaigns.extend(id(campaign));
        leads.extend(id(lead));
    }
    drop(rows);
    if leads.is_empty() {
        return;
    }
    let schema = call.extension_schema();
    let function = spi::quote_qualified_identifier(&*schema, "lead_phones_split_leads");
    let statement = format!("SELECT {function}($1::pg_catalog.regclass, $2, $3)");
    let table = citus::of_shard(call.relation().rd_id);
    lead_tables::as_owner(
        &schema,
        table,
        call.owner(),
        Restricted::No,
        Plans::Kept,
        || {
            if leads.len() > BATCH {
                (campaigns, leads) = in_order(&schema, &campaigns, &leads);
            }
            for (campaigns, leads) in campaigns.chunks(BATCH).zip(leads.chunks(BATCH)) {
                sql::in_own_memory(|| {
                    let args: [DatumWithOid<'_>; 3] = [
                        table.into(),
                        campaigns.to_vec().into(),
                        leads.to_vec().into(),
                    ];
                    Statement::new(&statement, &args).run();
                });
            }
        },
    );
}

/// The leads in the order of their addresses, in which everybody inserts people: from batch to batch too.
fn in_order(schema: &str, campaigns: &[i64], leads: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let function = spi::quote_qualified_identifier(schema, "lead_phones_email");
    let statement = format!(
        "SELECT l.campaign_id, l.lead_id FROM ROWS FROM (unnest($1), unnest($2)) AS k (campaign, lead) \
         JOIN leads AS l ON l.campaign_id = k.campaign AND l.lead_id = k.lead \
         ORDER BY l.campaign_id, lower({function}(l.email) COLLATE \"C\")"
    );
    let args: [DatumWithOid<'_>; 2] = [campaigns.to_vec().into(), leads.to_vec().into()];
    let ordered: Vec<Option<(i64, i64)>> = Statement::new(&statement, &args)
        .rows(|rows| rows.map(|row| Some((row.get(1)?, row.get(2)?))));
    ordered.into_iter().flatten().unzip()
}
