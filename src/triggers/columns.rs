//! Where the tracked columns stand in the rows of the table that fires.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Row, TriggerCall};
use super::settings::Settings;
use crate::phone::DefaultRegion;
use crate::report;
use crate::text::{self, datum_bytes};

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

impl Column {
    /// Whether two values are the same, byte by byte.
    ///
    /// # Safety
    /// The datums are of the column's type, which [`Columns::resolve`] admitted.
    unsafe fn is_same(self, one: pg_sys::Datum, other: pg_sys::Datum) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            match self.base_type {
                pg_sys::TEXTOID | pg_sys::VARCHAROID | pg_sys::BPCHAROID => {
                    datum_bytes(one) == datum_bytes(other)
                }
                pg_sys::UUIDOID => {
                    *one.cast_mut_ptr::<[u8; 16]>() == *other.cast_mut_ptr::<[u8; 16]>()
                }
                _ => one.value() == other.value(),
            }
        }
    }
}

/// What a column is for, and so of which types it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Campaign,
    Number,
    Region,
    Mark,
}

impl Kind {
    fn admits(self, base_type: pg_sys::Oid) -> bool {
        use pg_sys::{BOOLOID, BPCHAROID, INT2OID, INT4OID, INT8OID, TEXTOID, UUIDOID, VARCHAROID};
        let types: &[pg_sys::Oid] = match self {
            Self::Campaign => &[INT2OID, INT4OID, INT8OID, UUIDOID, TEXTOID, VARCHAROID],
            Self::Number => &[TEXTOID, VARCHAROID],
            Self::Region => &[TEXTOID, VARCHAROID, BPCHAROID],
            Self::Mark => &[BOOLOID],
        };
        types.contains(&base_type)
    }
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
            number: find(call, name, Kind::Number),
            mark: find(call, &mark_column(name), Kind::Mark),
        };
        Self {
            campaign: find(call, &settings.campaign_column, Kind::Campaign),
            numbers: [
                number(&settings.phone_column),
                number(&settings.mobile_column),
            ],
            region: settings
                .region_column
                .as_ref()
                .map(|name| find(call, name, Kind::Region)),
            default_region: DefaultRegion::from_code(&settings.region),
        }
    }

    /// All of them.
    fn all(&self) -> impl Iterator<Item = &Column> {
        let numbers = self.numbers.iter();
        numbers
            .flat_map(|column| [&column.number, &column.mark])
            .chain([&self.campaign])
            .chain(&self.region)
    }

    /// The last attribute that the triggers read.
    pub(crate) fn last_attribute(&self) -> i16 {
        let attributes = self.all().map(|column| column.attribute);
        attributes.max().unwrap_or(0)
    }

    /// Whether the row is counted: one that was there before the table was tracked has no mark until it is backfilled.
    pub(crate) fn is_counted(&self, row: &Row<'_>) -> bool {
        let [phone, _] = &self.numbers;
        row.get(phone.mark.attribute).is_some()
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

    /// The default region of a row: its own, where the table has a column of regions and the row a value in it.
    pub(crate) fn region_of_row(
        &self,
        get: impl Fn(i16) -> Option<pg_sys::Datum>,
    ) -> DefaultRegion {
        let own = self.region.and_then(|column| get(column.attribute));
        let Some(datum) = own else {
            return self.default_region;
        };
        // SAFETY: resolve() admits text, varchar and bpchar here.
        let code = text::from_server(unsafe { datum_bytes(datum) });
        // the white space that SQL's btrim() takes, so that a recount reads the same region
        match code.trim_matches(' ') {
            "" => self.default_region,
            code => DefaultRegion::from_code(code),
        }
    }
}

/// The column that marks a column of numbers as disqualified.
pub(crate) fn mark_column(number_column: &str) -> String {
    format!("{number_column}_disqualified")
}

fn find(call: &TriggerCall<'_>, name: &str, kind: Kind) -> Column {
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
    // SAFETY: a catalog look-up.
    let base_type = unsafe { pg_sys::getBaseType(type_id) };
    if !kind.admits(base_type) {
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
    Column {
        attribute,
        type_id,
        base_type,
    }
}
