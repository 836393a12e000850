//! Campaign keys: the values of the campaign column, of whichever type it is.

use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::columns::Column;
use crate::backend::text::{self, datum_bytes, text_datum};

/// How the values of a campaign column are read and told apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CampaignColumn {
    column: Option<Column>,
    order: TypeOrder,
}

impl CampaignColumn {
    /// Of a table that is one campaign.
    pub(crate) const WHOLE: Self = Self {
        column: None,
        order: TypeOrder::Whole,
    };

    /// `None` where the type of the column has no order, or is made of others.
    pub(crate) fn new(column: Column) -> Option<Self> {
        let order = match column.base_type {
            pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID => TypeOrder::Integer,
            pg_sys::UUIDOID => TypeOrder::Uuid,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => TypeOrder::Text,
            base_type => TypeOrder::Other(OtherOrder::of(base_type, column.collation)?),
        };
        Some(Self {
            column: Some(column),
            order,
        })
    }

    /// The column in the leads, where there is one.
    pub(crate) fn column(&self) -> Option<&Column> {
        self.column.as_ref()
    }

    /// The type of a campaign as an argument of a statement.
    pub(crate) fn base_type(&self) -> pg_sys::Oid {
        self.column
            .map_or(pg_sys::BOOLOID, |column| column.base_type)
    }

    /// Reads a datum of the campaign column.
    pub(crate) fn read(&self, datum: pg_sys::Datum) -> Campaign {
        let Some(column) = self.column else {
            return Campaign::Whole;
        };
        // SAFETY: the datum is of the column's base type, which has this order.
        unsafe {
            match self.order {
                TypeOrder::Whole => Campaign::Whole,
                TypeOrder::Integer => Campaign::Integer(match column.base_type {
                    pg_sys::INT2OID => i16::from_datum(datum, false).unwrap_or_default().into(),
                    pg_sys::INT4OID => i32::from_datum(datum, false).unwrap_or_default().into(),
                    _ => i64::from_datum(datum, false).unwrap_or_default(),
                }),
                TypeOrder::Uuid => Campaign::Uuid(*datum.cast_mut_ptr::<[u8; 16]>()),
                TypeOrder::Text => Campaign::Text(datum_bytes(datum).into()),
                TypeOrder::Other(order) => Campaign::Other(OtherValue {
                    value: order.keep(datum),
                    order,
                }),
            }
        }
    }

    /// The datum of a campaign, of the column's base type. It may borrow from the campaign.
    pub(crate) fn datum(&self, campaign: &Campaign) -> pg_sys::Datum {
        match campaign {
            Campaign::Whole => true.into(),
            // the value came from a column of this width
            Campaign::Integer(value) => match self.base_type() {
                pg_sys::INT2OID => pg_sys::Datum::from(*value as i16),
                pg_sys::INT4OID => pg_sys::Datum::from(*value as i32),
                _ => pg_sys::Datum::from(*value),
            },
            Campaign::Uuid(bytes) => pg_sys::Datum::from(bytes.as_ptr().cast_mut()),
            Campaign::Text(bytes) => text_datum(bytes),
            Campaign::Other(other) => other.datum(),
        }
    }

    /// SQL of the operator that tells two campaigns apart: of the default operator class, whatever `search_path` is.
    pub(crate) fn equals(&self) -> String {
        match self.order {
            TypeOrder::Other(order) => order.equals(),
            _ => "OPERATOR(pg_catalog.=)".into(),
        }
    }
}

/// The order of a type: that in which rows of the counts are locked.
#[derive(Clone, Copy, Debug)]
enum TypeOrder {
    Whole,
    Integer,
    Uuid,
    Text,
    Other(OtherOrder),
}

/// A campaign, in the order in which rows of the counts are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Campaign {
    /// The whole table.
    Whole,
    /// smallint, integer, bigint
    Integer(i64),
    /// uuid
    Uuid([u8; 16]),
    /// text, varchar: its bytes in the server encoding
    Text(Box<[u8]>),
    /// Any other type that has an order.
    Other(OtherValue),
}

impl Campaign {
    /// Bytes that it has beside its own.
    pub(crate) fn heap_size(&self) -> usize {
        match self {
            Self::Whole | Self::Integer(_) | Self::Uuid(_) => 0,
            Self::Text(bytes) => bytes.len(),
            Self::Other(other) => match &other.value {
                Kept::ByValue(_) => 0,
                Kept::Image(words) => size_of_val(&**words),
            },
        }
    }
}

/// The default B-tree operator class of a type, by which its values are compared: two that differ in their bytes may be equal, as
/// 1.0 and 1.00.
#[derive(Clone, Copy, Debug)]
struct OtherOrder {
    collation: pg_sys::Oid,
    /// Postgres keeps the entry as long as the session lives.
    entry: *mut pg_sys::TypeCacheEntry,
}

impl OtherOrder {
    fn of(base_type: pg_sys::Oid, collation: pg_sys::Oid) -> Option<Self> {
        let flags = pg_sys::TYPECACHE_EQ_OPR
            | pg_sys::TYPECACHE_CMP_PROC_FINFO
            | pg_sys::TYPECACHE_HASH_PROC_FINFO;
        // SAFETY: catalog look-ups; an entry of the cache is never freed.
        unsafe {
            let kind = pg_sys::get_typtype(base_type) as u8;
            let is_array = pg_sys::get_element_type(base_type) != pg_sys::InvalidOid;
            if !matches!(kind, pg_sys::TYPTYPE_BASE | pg_sys::TYPTYPE_ENUM) || is_array {
                return None;
            }
            let entry = pg_sys::lookup_type_cache(base_type, flags as i32);
            let has_order = (*entry).eq_opr != pg_sys::InvalidOid
                && (*entry).cmp_proc_finfo.fn_oid != pg_sys::InvalidOid;
            has_order.then_some(Self { collation, entry })
        }
    }

    /// A copy of a value.
    ///
    /// # Safety
    /// The datum is of the type.
    unsafe fn keep(&self, datum: pg_sys::Datum) -> Kept {
        // SAFETY: the caller's promise; a value of a base type is by value, of a length, or a varlena.
        unsafe {
            let entry = &*self.entry;
            if entry.typbyval {
                return Kept::ByValue(datum);
            }
            let (start, length) = match usize::try_from(entry.typlen) {
                Ok(length) => (datum.cast_mut_ptr::<u8>(), length),
                Err(_) => {
                    let value = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
                    (value.cast(), pgrx::varlena::varsize_any(value))
                }
            };
            // whole words, as the types want them aligned
            let mut words = vec![0u64; length.div_ceil(size_of::<u64>())].into_boxed_slice();
            words
                .as_mut_ptr()
                .cast::<u8>()
                .copy_from_nonoverlapping(start, length);
            Kept::Image(words)
        }
    }

    fn equals(&self) -> String {
        // SAFETY: Postgres keeps the entry.
        operator_sql(unsafe { (*self.entry).eq_opr })
    }
}

/// SQL of an operator, whatever `search_path` is.
pub(super) fn operator_sql(operator: pg_sys::Oid) -> String {
    // SAFETY: catalog look-ups of an operator that is there as long as what uses it; names are palloc'd.
    let (schema, name) = unsafe {
        (
            text::name_from_server(pg_sys::get_namespace_name(operator_namespace(operator))),
            text::name_from_server(pg_sys::get_opname(operator)),
        )
    };
    format!("OPERATOR({}.{name})", spi::quote_identifier(schema))
}

/// The schema of an operator.
fn operator_namespace(operator: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: a catalog look-up; the row is released once it was read.
    unsafe {
        let row =
            pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::OPEROID as i32, operator.into());
        if row.is_null() {
            return pg_sys::InvalidOid;
        }
        let operator = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_operator>(row);
        let namespace = (*operator).oprnamespace;
        pg_sys::ReleaseSysCache(row);
        namespace
    }
}

/// A value of a type with an order.
#[derive(Clone, Debug)]
pub(crate) struct OtherValue {
    value: Kept,
    order: OtherOrder,
}

#[derive(Clone, Debug)]
enum Kept {
    ByValue(pg_sys::Datum),
    Image(Box<[u64]>),
}

impl OtherValue {
    fn datum(&self) -> pg_sys::Datum {
        match &self.value {
            Kept::ByValue(datum) => *datum,
            Kept::Image(words) => pg_sys::Datum::from(words.as_ptr().cast_mut()),
        }
    }
}

impl Ord for OtherValue {
    fn cmp(&self, other: &Self) -> Ordering {
        // SAFETY: the comparison function of the type, on two of its values.
        let order = unsafe {
            pg_sys::FunctionCall2Coll(
                &mut (*self.order.entry).cmp_proc_finfo,
                self.order.collation,
                self.datum(),
                other.datum(),
            )
        };
        (order.value() as i32).cmp(&0)
    }
}

impl PartialOrd for OtherValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OtherValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OtherValue {}

impl Hash for OtherValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // SAFETY: the hash function of the type, where it has one, on one of its values.
        unsafe {
            let function = &mut (*self.order.entry).hash_proc_finfo;
            if function.fn_oid != pg_sys::InvalidOid {
                let hash = pg_sys::FunctionCall1Coll(function, self.order.collation, self.datum());
                state.write_u32(hash.value() as u32);
            }
        }
    }
}
