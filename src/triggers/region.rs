//! The default region of each row of a statement: one for the table, of the row's own, or of what the row references.

use core::ffi::CStr;
use std::collections::HashMap;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::TriggerCall;
use super::campaign::operator_sql;
use super::columns::{Column, Columns};
use super::reads;
use super::resolved::Resolved;
use super::settings::Settings;
use crate::backend::list::elements;
use crate::backend::owner::as_owner;
use crate::backend::sql::Statement;
use crate::backend::{report, server, text};
use crate::phone::DefaultRegion;

/// Finds the region of a row.
#[derive(Default)]
pub(super) struct Regions {
    elsewhere: Option<Elsewhere>,
}

/// Regions in another table, that a column references by a foreign key.
struct Elsewhere {
    column: Column,
    owner: pg_sys::Oid,
    /// The region of a key.
    statement: String,
    /// Each key is looked up once in a statement.
    known: HashMap<Vec<u8>, DefaultRegion>,
}

impl Regions {
    /// An error where the foreign key is gone.
    pub(super) fn resolve(call: &TriggerCall<'_>, resolved: &Resolved) -> Self {
        let settings = &resolved.settings;
        let (Some(code), Some(column)) = (&settings.region_code, resolved.columns.region) else {
            return Self::default();
        };
        let leads = resolved.leads(call);
        let found = look_up_statement(leads, settings, code);
        if let Some((table, _)) = &found
            && server::owner_of_table(*table) != Some(call.owner())
        {
            report::fail(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!(
                    "table {} belongs to another owner than \"{}\"",
                    text::table_name(*table),
                    call.table_name()
                ),
                "Regions are looked up as the owner of the leads: what hangs on their table would run as that role."
                    .into(),
                "Run ALTER TABLE ... OWNER TO, or keep the region in a column of the leads.".into(),
            )
        }
        let (_, statement) = found.unwrap_or_else(|| {
            report::fail(
                PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
                format!(
                    "no foreign key leads from column \"{}\" of table \"{}\" to a column \"{code}\"",
                    settings.region_column.as_deref().unwrap_or_default(),
                    call.table_name()
                ),
                "It was dropped, or the column renamed, after track_lead_phones().".into(),
                call.retrack_hint(),
            )
        });
        Self {
            elsewhere: Some(Elsewhere {
                column,
                owner: call.owner(),
                statement,
                known: HashMap::new(),
            }),
        }
    }

    /// The region of a row.
    pub(super) fn of_row(
        &mut self,
        columns: &Columns,
        get: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> DefaultRegion {
        let Some(elsewhere) = &mut self.elsewhere else {
            return columns.region_in_row(get);
        };
        match get(elsewhere.column.attribute) {
            Some(key) => elsewhere.region_of(columns, key),
            None => columns.default_region,
        }
    }
}

impl Elsewhere {
    fn region_of(&mut self, columns: &Columns, key: pg_sys::Datum) -> DefaultRegion {
        // SAFETY: the datum is of the column's type.
        let name = unsafe { self.column.text(key) }.into_owned();
        if let Some(region) = self.known.get(&name) {
            return *region;
        }
        // SAFETY: as above; it lives as long as the trigger call.
        let args = [unsafe { DatumWithOid::new(key, self.column.base_type) }];
        let code: Option<String> = as_owner(self.owner, || {
            reads::without_writing(|| {
                Statement::new(&self.statement, &args)
                    .on_latest()
                    .rows(|rows| rows.first(|row| row.get(1)).flatten())
            })
        });
        let region = code.map_or(columns.default_region, |code| {
            columns.region_of_code(code.as_bytes())
        });
        self.known.insert(name, region);
        region
    }
}

/// Whether a table has a column of this name that is text.
fn has_text(table: pg_sys::Oid, column: &CStr) -> bool {
    let mut category = 0;
    let mut is_preferred = false;
    // SAFETY: catalog look-ups; of what there is not they answer 0.
    unsafe {
        let attribute = pg_sys::get_attnum(table, column.as_ptr());
        if attribute == 0 {
            return false;
        }
        let base_type = pg_sys::getBaseType(pg_sys::get_atttype(table, attribute));
        pg_sys::get_type_category_preferred(base_type, &mut category, &mut is_preferred);
    }
    category as u8 == pg_sys::TYPCATEGORY_STRING
}

/// Whether a foreign key to a partition is there by one to its partitioned table: `keys` are those of the same column.
fn is_part_of_another(key: pg_sys::Oid, keys: &[pg_sys::ForeignKeyCacheInfo]) -> bool {
    if keys.len() < 2 {
        return false;
    }
    // SAFETY: an oid is passed by value.
    let args = [unsafe { DatumWithOid::new(key, pg_sys::OIDOID) }];
    let whole: Option<pg_sys::Oid> = reads::without_writing(|| {
        Statement::new(
            "SELECT c.conparentid FROM pg_catalog.pg_constraint AS c WHERE c.oid OPERATOR(pg_catalog.=) $1",
            &args,
        )
        .rows(|rows| rows.first(|row| row.get(1)).flatten())
    });
    keys.iter().any(|other| Some(other.conoid) == whole)
}

/// The statement that finds a region by a key: of the table that the foreign key of one column references.
fn look_up_statement(
    leads: pg_sys::Oid,
    settings: &Settings,
    code: &str,
) -> Option<(pg_sys::Oid, String)> {
    let column = text::to_server(settings.region_column.as_deref()?);
    let code_name = text::to_server(code);
    // SAFETY: the table is tracked, and locked by the statement that writes to it; its keys are read before it is closed. An error does not return.
    let (table, key, operator) = unsafe {
        let relation = pg_sys::table_open(leads, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        let attribute = pg_sys::get_attnum(leads, column.as_ptr());
        let keys = pg_sys::RelationGetFKeyList(relation);
        // copies: a look-up below can have the cache read again
        let keys: Vec<_> = elements::<pg_sys::ForeignKeyCacheInfo>(keys)
            .map(|key| *key)
            .filter(|key| key.nkeys == 1 && key.conkey[0] == attribute)
            .collect();
        let found = keys
            .iter()
            .filter(|key| has_text(key.confrelid, &code_name))
            .find(|key| !is_part_of_another(key.conoid, &keys))
            .map(|key| (key.confrelid, key.confkey[0], key.conpfeqop[0]));
        pg_sys::table_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
        found?
    };
    // SAFETY: a catalog look-up of a column that there is; the name is palloc'd.
    let key = unsafe { text::name_from_server(pg_sys::get_attname(table, key, false)) };
    let operator = operator_sql(operator);
    let statement = format!(
        "SELECT r.{}::pg_catalog.text FROM {} AS r WHERE r.{} {operator} $1",
        spi::quote_identifier(code),
        text::table_name(table),
        spi::quote_identifier(key),
    );
    Some((table, statement))
}
