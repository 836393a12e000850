//! A column of the leads table: its type, and how its values are read.

use core::ffi::{CStr, c_char};
use std::borrow::Cow;

use pgrx::FromDatum;
use pgrx::pg_sys;

use crate::backend::text::{self, datum_bytes};
use crate::phone::E164;

/// A column of the leads table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Attribute number, from 1.
    pub(crate) attribute: i16,
    /// Type, as declared.
    pub(crate) type_id: pg_sys::Oid,
    /// Type under the domain, or the type itself, and its modifier.
    pub(crate) base_type: pg_sys::Oid,
    pub(super) modifier: i32,
    /// The modifier as declared.
    pub(crate) declared_modifier: i32,
    pub(super) length: i16,
    pub(super) by_value: bool,
    /// Whether it is of a type of numbers.
    pub(super) is_numeric: bool,
    pub(crate) collation: pg_sys::Oid,
}

impl Column {
    /// Finds a column; `None` where there is none of the name.
    pub(super) fn find(table: &pg_sys::RelationData, name: &str) -> Option<Self> {
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
    pub(super) unsafe fn is_same(self, one: pg_sys::Datum, other: pg_sys::Datum) -> bool {
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
    pub(super) fn is_text(self) -> bool {
        is_plain_text(self)
            || self.category() == pg_sys::TYPCATEGORY_STRING as c_char
                && self.base_type != pg_sys::CHAROID
    }

    /// Whether values of the type are text or numbers.
    pub(super) fn has_text(self) -> bool {
        // float4 has 6 digits, and how money is written is the session's
        self.is_text()
            || self.is_numeric && !matches!(self.base_type, pg_sys::FLOAT4OID | pg_sys::MONEYOID)
    }

    pub(super) fn category(self) -> c_char {
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

pub(super) fn is_plain_text(column: Column) -> bool {
    matches!(column.base_type, pg_sys::TEXTOID | pg_sys::VARCHAROID)
}
