//! AFTER STATEMENT on `leads`: hands the rows that were inserted to `lead_phones_split_leads()`, which splits them out into
//! contacts and accounts.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::{FromDatum, pg_sys};

use super::call::TriggerCall;
use crate::owner::as_owner;
use crate::{report, sql};

/// Leads that are split at a time.
const BATCH: usize = 10_000;

pub(super) fn split(call: &TriggerCall<'_>) {
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
    let function =
        spi::quote_qualified_identifier(&*call.extension_schema(), "lead_phones_split_leads");
    let statement = format!("SELECT {function}($1::pg_catalog.regclass, $2, $3)");
    as_owner(call.owner(), || {
        for (campaigns, leads) in campaigns.chunks(BATCH).zip(leads.chunks(BATCH)) {
            sql::in_own_memory(|| {
                let args: [DatumWithOid<'_>; 3] = [
                    call.relation().rd_id.into(),
                    campaigns.to_vec().into(),
                    leads.to_vec().into(),
                ];
                sql::run(&statement, &args);
            });
        }
    });
}
