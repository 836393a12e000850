//! Tables and indexes of Postgres by its own functions, without a statement: opened, searched, written.
//!
//! What is opened or begun here is ended when it is dropped, and after an error by the end of the transaction. Locks stay until then.

use core::{mem, ptr};

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;

use crate::backend::list::{elements, oids};
use crate::backend::{server, text};

/// Columns of a key: campaign, number.
pub(super) const MAX_KEYS: usize = 2;

/// An index on the key, and how its columns are compared.
pub(super) struct Index {
    pub(super) oid: pg_sys::Oid,
    /// One for each column: which it is, and how Postgres finds a value in it.
    pub(super) columns: Vec<(KeyColumn, pg_sys::ScanKeyData)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyColumn {
    Campaign,
    Phone,
}

impl Index {
    /// `None` where it is none of plain columns that are wanted, or compares them by what is not Postgres's own.
    pub(super) fn read(index: &Open, wanted: impl Fn(i16) -> Option<KeyColumn>) -> Option<Self> {
        // SAFETY: what an open index has; catalog look-ups.
        unsafe {
            let relation = &*index.0;
            let row = &*relation.rd_index;
            let length = usize::try_from(row.indnkeyatts).ok()?;
            let is_usual = row.indisvalid
                && row.indisready
                && row.indimmediate
                && !row.indisexclusion
                && !row.indcheckxmin
                && row.indnatts == row.indnkeyatts
                && length <= MAX_KEYS
                && (*relation.rd_rel).relam == pg_sys::BTREE_AM_OID
                && pg_sys::RelationGetIndexExpressions(index.0).is_null();
            if !is_usual {
                return None;
            }
            let mut columns = Vec::with_capacity(length);
            for place in 0..length {
                let attribute = *row.indkey.values.as_ptr().add(place);
                let column = wanted(attribute)?;
                let collation = *relation.rd_indcollation.add(place);
                if collation != Attribute::of(row.indrelid, attribute).collation {
                    return None;
                }
                let family = *relation.rd_opfamily.add(place);
                let input = *relation.rd_opcintype.add(place);
                let strategy = pg_sys::BTEqualStrategyNumber as i16;
                let operator = pg_sys::get_opfamily_member(family, input, input, strategy);
                let equals = pg_sys::get_opcode(operator);
                let is_own = |oid: pg_sys::Oid| {
                    oid != pg_sys::InvalidOid && oid.to_u32() < pg_sys::FirstNormalObjectId
                };
                if !is_own(family) || !is_own(equals) {
                    return None;
                }
                let mut key = mem::zeroed();
                // what the function keeps lives as long as the backend
                PgMemoryContexts::TopMemoryContext.switch_to(|_| {
                    pg_sys::ScanKeyEntryInitialize(
                        &mut key,
                        0,
                        place as i16 + 1,
                        strategy as u16,
                        pg_sys::InvalidOid,
                        collation,
                        equals,
                        pg_sys::Datum::null(),
                    );
                });
                columns.push((column, key));
            }
            Some(Self {
                oid: relation.rd_id,
                columns,
            })
        }
    }
}

/// The one expression of a list.
///
/// # Safety
/// A list of expressions, or NULL.
pub(super) unsafe fn only(list: *const pg_sys::List) -> Option<*const pg_sys::Node> {
    // SAFETY: the caller's promise.
    let mut nodes = unsafe { elements(list) };
    let first: *mut pg_sys::Node = nodes.next()?;
    nodes.next().is_none().then_some(first.cast_const())
}

/// Whether a role has rights on a table, and may use its schema.
pub(super) fn has_rights(oid: pg_sys::Oid, owner: pg_sys::Oid, needed: u32) -> bool {
    let needed = pg_sys::AclMode::from(needed);
    // SAFETY: a catalog look-up.
    let granted =
        unsafe { pg_sys::pg_class_aclmask(oid, owner, needed, pg_sys::AclMaskHow::ACLMASK_ALL) };
    granted == needed && server::may_use_schema_of(owner, oid)
}

/// Whether its rows are its own, and in a heap.
pub(super) fn is_plain_heap(table: &Open) -> bool {
    // SAFETY: an open table has its pg_class row.
    let class = unsafe { &*(*table.0).rd_rel };
    class.relkind as u8 == pg_sys::RELKIND_RELATION
        && class.relam == pg_sys::HEAP_TABLE_AM_OID
        && !class.relhassubclass
}

/// A column of a table.
pub(super) struct Attribute {
    pub(super) number: i16,
    pub(super) type_id: pg_sys::Oid,
    pub(super) modifier: i32,
    collation: pg_sys::Oid,
}

impl Attribute {
    pub(super) fn find(table: pg_sys::Oid, name: &str) -> Option<Self> {
        let name = text::to_server(name);
        // SAFETY: a catalog look-up; of what there is not it answers 0.
        let number = unsafe { pg_sys::get_attnum(table, name.as_ptr()) };
        (number > 0).then(|| Self::of(table, number))
    }

    /// A column that there is.
    fn of(table: pg_sys::Oid, number: i16) -> Self {
        let mut found = Self {
            number,
            type_id: pg_sys::InvalidOid,
            modifier: -1,
            collation: pg_sys::InvalidOid,
        };
        // SAFETY: a catalog look-up.
        unsafe {
            pg_sys::get_atttypetypmodcoll(
                table,
                number,
                &mut found.type_id,
                &mut found.modifier,
                &mut found.collation,
            );
        }
        found
    }
}

/// An open table or index. Its lock stays until the transaction ends.
pub(super) struct Open(pub(super) pg_sys::Relation);

impl Open {
    /// A table that is locked already.
    pub(super) fn table(oid: pg_sys::Oid) -> Self {
        Self::locked(oid, pg_sys::NoLock)
    }

    pub(super) fn locked(oid: pg_sys::Oid, lock: u32) -> Self {
        // SAFETY: an error where there is none.
        Self(unsafe { pg_sys::table_open(oid, lock as pg_sys::LOCKMODE) })
    }

    pub(super) fn index(oid: pg_sys::Oid, lock: u32) -> Self {
        // SAFETY: as above.
        Self(unsafe { pg_sys::index_open(oid, lock as pg_sys::LOCKMODE) })
    }

    pub(super) fn width(&self) -> usize {
        // SAFETY: an open table has a description.
        unsafe { (*(*self.0).rd_att).natts as usize }
    }

    /// Whether the default of a boolean column is false.
    pub(super) fn is_false_by_default(&self, column: i16) -> bool {
        // SAFETY: an open table has a description, with as many defaults as it says; an expression of a tag is of its type.
        unsafe {
            let Some(more) = (*(*self.0).rd_att).constr.as_ref() else {
                return false;
            };
            (0..usize::from(more.num_defval))
                .map(|place| &*more.defval.add(place))
                .find(|default| default.adnum == column)
                .is_some_and(|default| {
                    let node = pg_sys::stringToNode(default.adbin).cast::<pg_sys::Node>();
                    let value = node.cast::<pg_sys::Const>();
                    (*node).type_ == pg_sys::NodeTag::T_Const
                        && !(*value).constisnull
                        && (*value).constvalue.value() == 0
                })
        }
    }

    pub(super) fn indexes(&self) -> Vec<pg_sys::Oid> {
        // SAFETY: the list is a copy, of OIDs.
        unsafe { oids(pg_sys::RelationGetIndexList(self.0)).collect() }
    }

    /// Updates a row. Where the new version needs entries of its own in the indexes, says where it is.
    pub(super) fn update(
        &self,
        mut old: pg_sys::ItemPointerData,
        values: &mut [pg_sys::Datum],
        nulls: &mut [bool],
    ) -> (pg_sys::TM_Result::Type, Option<pg_sys::ItemPointerData>) {
        let mut failure = pg_sys::TM_FailureData::default();
        let mut lock = 0;
        #[cfg(not(feature = "pg15"))]
        let mut indexes = 0;
        // SAFETY: the row was found in the table, and has as many values as it; the tuple is a copy of them.
        unsafe {
            let new =
                pg_sys::heap_form_tuple((*self.0).rd_att, values.as_mut_ptr(), nulls.as_mut_ptr());
            let outcome = pg_sys::heap_update(
                self.0,
                &mut old,
                new,
                pg_sys::GetCurrentCommandId(true),
                #[cfg(feature = "pg19")]
                0,
                ptr::null_mut(),
                true,
                &mut failure,
                &mut lock,
                #[cfg(not(feature = "pg15"))]
                &mut indexes,
            );
            let is_heap_only =
                u32::from((*(*new).t_data).t_infomask2) & pg_sys::HEAP_ONLY_TUPLE != 0;
            (outcome, (!is_heap_only).then_some((*new).t_self))
        }
    }

    pub(super) fn delete(&self, mut old: pg_sys::ItemPointerData) -> pg_sys::TM_Result::Type {
        let mut failure = pg_sys::TM_FailureData::default();
        // SAFETY: the row was found in the table.
        unsafe {
            pg_sys::CheckCmdReplicaIdentity(self.0, pg_sys::CmdType::CMD_DELETE);
            pg_sys::heap_delete(
                self.0,
                &mut old,
                pg_sys::GetCurrentCommandId(true),
                #[cfg(feature = "pg19")]
                0,
                ptr::null_mut(),
                true,
                &mut failure,
                #[cfg(not(feature = "pg19"))]
                false,
            )
        }
    }

    /// Inserts a row, and takes it back where `enter` says that there is another.
    pub(super) fn insert(
        &self,
        values: &mut [pg_sys::Datum],
        enter: impl FnOnce(pg_sys::ItemPointerData) -> bool,
    ) -> bool {
        /// The offset by which a tuple says that it is speculative: `SpecTokenOffsetNumber` of `htup_details.h`.
        const SPECULATIVE: u16 = 0xfffe;
        let mut nulls = vec![false; values.len()];
        // SAFETY: the row has as many values as the table; the token is released as it was taken, after an error by the end of the
        // transaction.
        unsafe {
            let tuple =
                pg_sys::heap_form_tuple((*self.0).rd_att, values.as_mut_ptr(), nulls.as_mut_ptr());
            let transaction = pg_sys::GetCurrentTransactionId();
            let token = pg_sys::SpeculativeInsertionLockAcquire(transaction);
            (*(*tuple).t_data).t_ctid = pg_sys::ItemPointerData {
                ip_blkid: pg_sys::BlockIdData {
                    bi_hi: (token >> 16) as u16,
                    bi_lo: token as u16,
                },
                ip_posid: SPECULATIVE,
            };
            pg_sys::heap_insert(
                self.0,
                tuple,
                pg_sys::GetCurrentCommandId(true),
                pg_sys::HEAP_INSERT_SPECULATIVE as _,
                ptr::null_mut(),
            );
            let mut tid = (*tuple).t_self;
            let is_first = enter(tid);
            match is_first {
                true => pg_sys::heap_finish_speculative(self.0, &mut tid),
                false => pg_sys::heap_abort_speculative(self.0, &mut tid),
            }
            pg_sys::SpeculativeInsertionLockRelease(transaction);
            is_first
        }
    }
}

/// An index that is written.
pub(super) struct Entered {
    index: Open,
    info: *mut pg_sys::IndexInfo,
}

impl Entered {
    pub(super) fn open(index: &Index) -> Self {
        let index = Open::index(index.oid, pg_sys::RowExclusiveLock);
        // SAFETY: the index is open; what is built goes with the memory of the write.
        let info = unsafe { pg_sys::BuildIndexInfo(index.0) };
        Self { index, info }
    }

    /// Has the index point to a row; says whether it is the only one of its key, where that is asked.
    pub(super) fn enter(
        &self,
        table: &Open,
        mut key: [pg_sys::Datum; MAX_KEYS],
        mut tid: pg_sys::ItemPointerData,
        check: pg_sys::IndexUniqueCheck::Type,
        is_unchanged: bool,
    ) -> bool {
        // SAFETY: the index is the table's, and has as many keys, none of them NULL.
        unsafe {
            pg_sys::index_insert(
                self.index.0,
                key.as_mut_ptr(),
                [false; MAX_KEYS].as_mut_ptr(),
                &mut tid,
                table.0,
                check,
                is_unchanged,
                self.info,
            )
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // After an error, the transaction closes it.
        if !std::thread::panicking() {
            // SAFETY: opened above, closed once.
            unsafe { pg_sys::relation_close(self.0, pg_sys::NoLock as pg_sys::LOCKMODE) };
        }
    }
}
