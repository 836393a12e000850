//! Campaign keys: the values of the campaign column, of whichever type it is.

use pgrx::pg_sys::{self, BuiltinOid};
use pgrx::{FromDatum, IntoDatum};

use super::columns::Column;
use crate::text::datum_bytes;

/// A campaign, in the order in which rows of the counts are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Campaign {
    /// smallint, integer, bigint
    Integer(i64),
    /// uuid
    Uuid([u8; 16]),
    /// text, varchar: its bytes in the server encoding
    Text(Box<[u8]>),
}

impl Campaign {
    /// Reads a datum of the campaign column.
    pub(crate) fn read(datum: pg_sys::Datum, column: Column) -> Self {
        // SAFETY: the datum is of the column's base type; Columns::resolve() admits these and text and varchar.
        unsafe {
            match BuiltinOid::try_from(column.base_type) {
                Ok(BuiltinOid::INT2OID) => {
                    Self::Integer(i16::from_datum(datum, false).unwrap_or_default().into())
                }
                Ok(BuiltinOid::INT4OID) => {
                    Self::Integer(i32::from_datum(datum, false).unwrap_or_default().into())
                }
                Ok(BuiltinOid::INT8OID) => {
                    Self::Integer(i64::from_datum(datum, false).unwrap_or_default())
                }
                Ok(BuiltinOid::UUIDOID) => Self::Uuid(*datum.cast_mut_ptr::<[u8; 16]>()),
                _ => Self::Text(datum_bytes(datum).into()),
            }
        }
    }

    /// Bytes that it has beside its own.
    pub(crate) fn heap_size(&self) -> usize {
        match self {
            Self::Integer(_) | Self::Uuid(_) => 0,
            Self::Text(bytes) => bytes.len(),
        }
    }

    /// The datum of the column's base type. It may borrow from `self`.
    pub(crate) fn to_datum(&self, column: Column) -> pg_sys::Datum {
        match self {
            // the value came from a column of this width
            Self::Integer(value) => match BuiltinOid::try_from(column.base_type) {
                Ok(BuiltinOid::INT2OID) => pg_sys::Datum::from(*value as i16),
                Ok(BuiltinOid::INT4OID) => pg_sys::Datum::from(*value as i32),
                _ => pg_sys::Datum::from(*value),
            },
            Self::Uuid(bytes) => pg_sys::Datum::from(bytes.as_ptr().cast_mut()),
            // a bytea has the layout of a text
            Self::Text(bytes) => (**bytes).into_datum().unwrap_or(pg_sys::Datum::null()),
        }
    }
}
