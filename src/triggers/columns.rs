//! Where the tracked columns stand in the rows of the table that fires.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Row, TriggerCall, text_bytes};
use super::campaign::Campaign;
use super::settings::Settings;
use crate::phone::DefaultRegion;
use crate::{report, text};

/// A column of the leads table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Attribute number, from 1.
    pub(crate) attribute: i16,
    /// Type, as declared.
    pub(crate) type_id: pg_sys::Oid,
    /// Type under the domain, or the type itself.
    pub(crate) base_type: pg_sys::Oid,
}

/// A column of numbers, and the one that marks it.
#[derive(Clone, Debug)]
pub(crate) struct NumberColumn {
    pub(crate) name: String,
    pub(crate) number: Column,
    pub(crate) mark: Column,
}

/// The columns that the triggers read and write.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) campaign: Column,
    /// `phone`, then `mobile`.
    pub(crate) numbers: [NumberColumn; 2],
    region: Option<Column>,
    default_region: DefaultRegion,
}

impl Columns {
    /// Finds the columns; an error that says what to do where one is gone.
    pub(crate) fn resolve(call: &TriggerCall<'_>, settings: &Settings) -> Self {
        let number = |name: &str| NumberColumn {
            name: name.to_owned(),
            number: find(call, name),
            mark: find(call, &mark_column(name)),
        };
        Self {
            campaign: find(call, &settings.campaign_column),
            numbers: [
                number(&settings.phone_column),
                number(&settings.mobile_column),
            ],
            region: settings.region_column.as_ref().map(|name| find(call, name)),
            default_region: DefaultRegion::from_code(&settings.region),
        }
    }

    /// The last attribute that the triggers read.
    pub(crate) fn last_attribute(&self) -> i16 {
        let [phone, mobile] = &self.numbers;
        [
            Some(&self.campaign),
            Some(&phone.number),
            Some(&phone.mark),
            Some(&mobile.number),
            Some(&mobile.mark),
            self.region.as_ref(),
        ]
        .into_iter()
        .flatten()
        .map(|column| column.attribute)
        .max()
        .unwrap_or(0)
    }

    /// Whether two rows have the same campaign, numbers and region, byte by byte.
    pub(crate) fn say_the_same(&self, one: &Row<'_>, other: &Row<'_>) -> bool {
        let [phone, mobile] = &self.numbers;
        let texts = [
            Some(&phone.number),
            Some(&mobile.number),
            self.region.as_ref(),
        ];
        let same_text = |column: &Column| {
            match (one.get(column.attribute), other.get(column.attribute)) {
                (None, None) => true,
                // SAFETY: tracking a table checks that these columns are text, varchar or bpchar.
                (Some(one), Some(other)) => unsafe { text_bytes(one) == text_bytes(other) },
                _ => false,
            }
        };
        texts.into_iter().flatten().all(same_text) && {
            let campaign = |row: &Row<'_>| {
                row.get(self.campaign.attribute)
                    .map(|datum| Campaign::read(datum, self.campaign))
            };
            campaign(one) == campaign(other)
        }
    }

    /// The default region of a row: its own, where the table has a column of regions and the row a value in it.
    pub(crate) fn region_of_row(
        &self,
        get: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> DefaultRegion {
        let own = self.region.and_then(|column| get(column.attribute));
        let Some(datum) = own else {
            return self.default_region;
        };
        // SAFETY: tracking a table checks that the column of regions is text, varchar or bpchar.
        let code = text::from_server(unsafe { text_bytes(datum) });
        match code.trim() {
            "" => self.default_region,
            code => DefaultRegion::from_code(code),
        }
    }
}

/// The column that marks a column of numbers as disqualified.
pub(crate) fn mark_column(number_column: &str) -> String {
    format!("{number_column}_disqualified")
}

fn find(call: &TriggerCall<'_>, name: &str) -> Column {
    let description = call.relation().rd_att;
    let server_name = text::to_server(name);
    // SAFETY: an open relation has its tuple description.
    let attribute = unsafe { pg_sys::SPI_fnumber(description, server_name.as_ptr()) };
    let Some(attribute) = i16::try_from(attribute).ok().filter(|number| *number > 0) else {
        report::fail(
            PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
            format!(
                "table \"{}\" is tracked by a column \"{name}\" that it does not have",
                call.table_name()
            ),
            "The column was renamed or dropped after track_lead_phones().".into(),
            call.retrack_hint(),
        )
    };
    // SAFETY: as above.
    let type_id = unsafe { pg_sys::SPI_gettypeid(description, attribute.into()) };
    Column {
        attribute,
        type_id,
        // SAFETY: a catalog look-up.
        base_type: unsafe { pg_sys::getBaseType(type_id) },
    }
}
