//! Where the tracked columns are in the rows of the table that fires, and how their values are read.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Row, TriggerCall};
use super::campaign::{Campaign, CampaignColumn};
pub(crate) use super::column::Column;
use super::column::is_plain_text;
use super::settings::Settings;
use crate::backend::report;
use crate::backend::text;
use crate::functions;
use crate::phone::{DefaultRegion, E164};

/// Most columns of numbers that a table is tracked by.
pub(crate) const MAX_COLUMNS: usize = 8;

/// Something of each column of numbers, in their order; past the last column, of none.
pub(crate) type PerColumn<T> = [T; MAX_COLUMNS];

/// A column of numbers, and those that are kept beside it.
#[derive(Clone, Debug)]
pub(crate) struct NumberColumn {
    pub(crate) name: String,
    pub(crate) number: Column,
    pub(crate) mark: Column,
    /// Where the number is not in its own column.
    pub(crate) e164: Option<Column>,
    pub(crate) extension: Option<Column>,
}

impl NumberColumn {
    /// The column that has the number in E.164.
    pub(crate) fn stored(&self) -> Column {
        self.e164.unwrap_or(self.number)
    }

    /// SQL of that column of a lead `l`, as its index has it.
    pub(crate) fn stored_name(&self) -> String {
        let name = match self.e164 {
            Some(_) => format!("l.{}", spi::quote_identifier(e164_column(&self.name))),
            None => format!("l.{}", spi::quote_identifier(&self.name)),
        };
        match self.stored().base_type {
            pg_sys::TEXTOID | pg_sys::VARCHAROID => name,
            _ => format!("{name}::pg_catalog.text"),
        }
    }
}

/// The columns that the triggers read and write.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) campaign: CampaignColumn,
    pub(crate) numbers: Vec<NumberColumn>,
    /// The column of regions, or the one that references a table of them.
    pub(crate) region: Option<Column>,
    is_region_elsewhere: bool,
    pub(crate) default_region: DefaultRegion,
    in_place: bool,
}

impl Columns {
    /// Finds the columns; an error that says what to do where one is gone.
    pub(crate) fn resolve(call: &TriggerCall<'_>, settings: &Settings) -> Self {
        let in_place = settings.in_place;
        let is_region_elsewhere = settings.region_code.is_some();
        let number = |name: &String| NumberColumn {
            name: name.clone(),
            number: find(call, name, |column| {
                column.is_text() || !in_place && column.has_text()
            }),
            mark: find(call, &mark_column(name), is_flag),
            e164: (!in_place).then(|| find(call, &e164_column(name), is_plain_text)),
            extension: settings
                .keep_extensions
                .then(|| find(call, &extension_column(name), is_plain_text)),
        };
        Self {
            campaign: match &settings.campaign_column {
                Some(name) => {
                    let column = find(call, name, |column| CampaignColumn::new(column).is_some());
                    CampaignColumn::new(column).unwrap_or(CampaignColumn::WHOLE)
                }
                None => CampaignColumn::WHOLE,
            },
            numbers: settings.phone_columns.iter().map(number).collect(),
            region: settings
                .region_column
                .as_ref()
                .map(|name| find(call, name, |column| is_region_elsewhere || column.is_text())),
            is_region_elsewhere,
            default_region: DefaultRegion::from_code(&settings.region),
            in_place,
        }
    }

    /// All of them.
    fn all(&self) -> impl Iterator<Item = &Column> {
        let numbers = self.numbers.iter();
        numbers
            .flat_map(|column| {
                [&column.number, &column.mark]
                    .into_iter()
                    .chain(&column.e164)
                    .chain(&column.extension)
            })
            .chain(self.campaign.column())
            .chain(&self.region)
    }

    /// The last attribute that the triggers read.
    pub(crate) fn last_attribute(&self) -> i16 {
        let attributes = self.all().map(|column| column.attribute);
        attributes.max().unwrap_or(0)
    }

    /// Whether the row is counted: one that was there before the table was tracked has no mark until it is backfilled.
    pub(crate) fn is_counted(&self, row: &Row<'_>) -> bool {
        let first = self.numbers.first();
        first.is_some_and(|column| row.get(column.mark.attribute).is_some())
    }

    /// Whether two rows have the same campaign, numbers, marks and region, byte by byte.
    pub(crate) fn say_the_same(
        &self,
        one: impl Fn(i16) -> Option<pg_sys::Datum>,
        other: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> bool {
        self.all().all(|column| {
            match (one(column.attribute), other(column.attribute)) {
                (None, None) => true,
                // SAFETY: both are of the column's type.
                (Some(one), Some(other)) => unsafe { column.is_same(one, other) },
                _ => false,
            }
        })
    }

    /// The campaign of a row; `None` where it has none.
    pub(crate) fn campaign_of(
        &self,
        get: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> Option<Campaign> {
        match self.campaign.column() {
            Some(column) => get(column.attribute).map(|datum| self.campaign.read(datum)),
            None => Some(Campaign::Whole),
        }
    }

    /// The number that is counted of a column: what is stored in E.164, as the trigger wrote it.
    pub(crate) fn number_of(
        &self,
        column: &NumberColumn,
        get: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> Option<E164> {
        let stored = column.stored();
        let datum = get(stored.attribute)?;
        // SAFETY: the datum is of the column's type.
        let raw = unsafe { stored.text(datum) };
        if !self.in_place {
            return E164::from_text(&*raw);
        }
        functions::normalize(&raw, self.region_in_row(get)).ok()
    }

    /// The default region of a row, as far as it is in the row itself: what another table says may have changed since the row was written.
    pub(crate) fn region_in_row(
        &self,
        get: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> DefaultRegion {
        if self.is_region_elsewhere {
            return DefaultRegion::NONE;
        }
        let own = self
            .region
            .and_then(|column| Some((column, get(column.attribute)?)));
        let Some((column, datum)) = own else {
            return self.default_region;
        };
        // SAFETY: the datum is of the column's type.
        self.region_of_code(&unsafe { column.text(datum) })
    }

    /// The region of a code, or the default one where it is blank.
    pub(crate) fn region_of_code(&self, code: &[u8]) -> DefaultRegion {
        let code = text::from_server(code);
        // the white space that SQL's btrim() takes, so that a recount reads the same region
        match code.trim_matches(' ') {
            "" => self.default_region,
            code => DefaultRegion::from_code(code),
        }
    }

    /// Whether the region of a row is in the row.
    pub(crate) fn has_region_in_row(&self) -> bool {
        !self.is_region_elsewhere
    }
}

/// The column that marks a column of numbers as disqualified.
pub(crate) fn mark_column(number_column: &str) -> String {
    format!("{number_column}_disqualified")
}

/// The column of the counts that says how many leads have a number in a column.
pub(crate) fn count_column(number_column: &str) -> String {
    format!("{number_column}_count")
}

fn e164_column(number_column: &str) -> String {
    format!("{number_column}_e164")
}

fn extension_column(number_column: &str) -> String {
    format!("{number_column}_extension")
}

fn is_flag(column: Column) -> bool {
    column.base_type == pg_sys::BOOLOID
}

fn find(call: &TriggerCall<'_>, name: &str, admits: impl Fn(Column) -> bool) -> Column {
    let Some(column) = Column::find(call.relation(), name) else {
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
    if !admits(column) {
        report::fail(
            PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
            format!(
                "column \"{name}\" of table \"{}\" is of a type that cannot be tracked",
                call.table_name()
            ),
            "The column was replaced after track_lead_phones(), or the trigger was created by hand."
                .into(),
            call.retrack_hint(),
        )
    }
    column
}
