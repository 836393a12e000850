//! Where the tracked columns stand in the rows of the table that fires, and how their values are read.

use core::ffi::{CStr, c_char};
use std::borrow::Cow;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::call::{Row, TriggerCall};
use super::campaign::{Campaign, CampaignColumn};
use super::settings::Settings;
use crate::phone::{DefaultRegion, E164};
use crate::text::{self, datum_bytes};
use crate::{functions, report};

/// Most columns of numbers that a table is tracked by.
pub(crate) const MAX_COLUMNS: usize = 8;

/// Something of each column of numbers, in their order; past the last column, of none.
pub(crate) type PerColumn<T> = [T; MAX_COLUMNS];

/// A column of the leads table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Attribute number, from 1.
    pub(crate) attribute: i16,
    /// Type, as declared.
    pub(crate) type_id: pg_sys::Oid,
    /// Type under the domain, or the type itself, and its modifier.
    pub(crate) base_type: pg_sys::Oid,
    modifier: i32,
    /// The modifier as declared.
    pub(crate) declared_modifier: i32,
    length: i16,
    by_value: bool,
    /// Whether it is of a type of numbers.
    is_numeric: bool,
    pub(crate) collation: pg_sys::Oid,
}

impl Column {
    /// Finds a column; `None` where there is none of the name.
    fn find(table: &pg_sys::RelationData, name: &str) -> Option<Self> {
        let server_name = text::to_server(name);
        let mut column = Self {
            attribute: 0,
            type_id: pg_sys::InvalidOid,
            base_type: pg_sys::InvalidOid,
            modifier: -1,
            declared_modifier: -1,
            length: 0,
            by_value: false,
            is_numeric: false,
            collation: pg_sys::InvalidOid,
        };
        // SAFETY: the description of an open relation; the attribute is one of its own; catalog look-ups.
        unsafe {
            let attribute = pg_sys::SPI_fnumber(table.rd_att, server_name.as_ptr());
            column.attribute = i16::try_from(attribute).ok().filter(|number| *number > 0)?;
            pg_sys::get_atttypetypmodcoll(
                table.rd_id,
                column.attribute,
                &mut column.type_id,
                &mut column.modifier,
                &mut column.collation,
            );
            column.declared_modifier = column.modifier;
            column.base_type = pg_sys::getBaseTypeAndTypmod(column.type_id, &mut column.modifier);
            pg_sys::get_typlenbyval(column.base_type, &mut column.length, &mut column.by_value);
        }
        column.is_numeric =
            !is_plain_text(column) && column.category() == pg_sys::TYPCATEGORY_NUMERIC as c_char;
        Some(column)
    }

    /// Whether two values are the same, byte by byte.
    ///
    /// # Safety
    /// The datums are of the column's type.
    unsafe fn is_same(self, one: pg_sys::Datum, other: pg_sys::Datum) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            self.by_value && one.value() == other.value()
                || !self.by_value && self.image(one) == self.image(other)
        }
    }

    /// The bytes of a value that is passed by reference.
    ///
    /// # Safety
    /// The datum is of the column's type, which is passed by reference, and `'a` does not outlive its memory.
    pub(crate) unsafe fn image<'a>(self, datum: pg_sys::Datum) -> &'a [u8] {
        // SAFETY: the caller's promise; a type of no fixed length is a varlena (-1) or a C string (-2).
        unsafe {
            match usize::try_from(self.length) {
                Ok(length) => core::slice::from_raw_parts(datum.cast_mut_ptr(), length),
                Err(_) if self.length == -1 => datum_bytes(datum),
                Err(_) => CStr::from_ptr(datum.cast_mut_ptr()).to_bytes(),
            }
        }
    }

    /// What the value says as text, in the server encoding: what its type puts out.
    ///
    /// # Safety
    /// The datum is of the column's type, and `'a` does not outlive its memory.
    pub(crate) unsafe fn text<'a>(self, datum: pg_sys::Datum) -> Cow<'a, [u8]> {
        // SAFETY: the caller's promise; an output function returns a C string.
        unsafe {
            match self.base_type {
                pg_sys::TEXTOID | pg_sys::VARCHAROID => Cow::Borrowed(datum_bytes(datum)),
                pg_sys::BPCHAROID => Cow::Borrowed(datum_bytes(datum).trim_ascii_end()),
                // exact up to 15 digits, whatever extra_float_digits says
                pg_sys::FLOAT8OID => {
                    let value = f64::from_datum(datum, false).unwrap_or_default();
                    Cow::Owned(value.to_string().into_bytes())
                }
                base_type => {
                    let mut output = pg_sys::InvalidOid;
                    let mut is_varlena = false;
                    pg_sys::getTypeOutputInfo(base_type, &mut output, &mut is_varlena);
                    let text = pg_sys::OidOutputFunctionCall(output, datum);
                    let text = CStr::from_ptr(text).to_bytes();
                    // 6502530000.00 is 6502530000
                    Cow::Owned(match base_type {
                        pg_sys::NUMERICOID => without_scale(text).to_vec(),
                        _ => text.to_vec(),
                    })
                }
            }
        }
    }

    /// The text from which a number is read, of what the value says: -1 and 0.5 have digits that are no number.
    pub(super) fn spelled(self, text: &[u8]) -> &[u8] {
        if self.is_numeric && !text.iter().all(u8::is_ascii_digit) {
            b"-"
        } else {
            text
        }
    }

    /// A number as a value of the column.
    pub(super) fn value_of(self, phone: E164) -> pg_sys::Datum {
        match self.base_type {
            pg_sys::TEXTOID | pg_sys::VARCHAROID => text::text_datum(phone.as_bytes()),
            base_type => {
                let text = text::to_server(&phone);
                let mut input = pg_sys::InvalidOid;
                let mut parameter = pg_sys::InvalidOid;
                // SAFETY: a catalog look-up; an input function reads a C string.
                unsafe {
                    pg_sys::getTypeInputInfo(base_type, &mut input, &mut parameter);
                    pg_sys::OidInputFunctionCall(
                        input,
                        text.as_ptr().cast_mut(),
                        parameter,
                        self.modifier,
                    )
                }
            }
        }
    }

    /// Whether values of the type are text, and can hold a number in E.164.
    fn is_text(self) -> bool {
        is_plain_text(self)
            || self.category() == pg_sys::TYPCATEGORY_STRING as c_char
                && self.base_type != pg_sys::CHAROID
    }

    /// Whether values of the type are text or numbers.
    fn has_text(self) -> bool {
        // float4 has 6 digits, and how money is written is the session's
        self.is_text()
            || self.is_numeric && !matches!(self.base_type, pg_sys::FLOAT4OID | pg_sys::MONEYOID)
    }

    fn category(self) -> c_char {
        let mut category = 0;
        let mut is_preferred = false;
        // SAFETY: a catalog look-up.
        unsafe {
            pg_sys::get_type_category_preferred(self.base_type, &mut category, &mut is_preferred);
        }
        category
    }
}

/// A decimal without the zeros at the end of its fraction.
fn without_scale(text: &[u8]) -> &[u8] {
    if !text.contains(&b'.') {
        return text;
    }
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    let text = &text[..text.len() - zeros];
    text.strip_suffix(b".").unwrap_or(text)
}

/// A column of numbers, and those that are kept beside it.
#[derive(Clone, Debug)]
pub(crate) struct NumberColumn {
    pub(crate) name: String,
    pub(crate) number: Column,
    pub(crate) mark: Column,
    /// Where the number does not stand in its own column.
    pub(crate) e164: Option<Column>,
    pub(crate) extension: Option<Column>,
}

impl NumberColumn {
    /// The column in which the number stands in E.164.
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

    /// The number that is counted of a column: what stands in E.164, as the trigger wrote it.
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

    /// The default region of a row, as far as it stands in the row itself: what another table says may have changed since the row was written.
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

    /// Whether the region of a row stands in the row.
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

fn is_plain_text(column: Column) -> bool {
    matches!(column.base_type, pg_sys::TEXTOID | pg_sys::VARCHAROID)
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
