//! Searching a table of Postgres by an index, without a statement.

use core::{mem, ptr};

use pgrx::pg_sys;

use super::heap::{Index, MAX_KEYS, Open};

/// A search for one key after the other, in what was committed as it began and what this transaction has written before.
pub(super) struct Scan<'a> {
    of: &'a Index,
    _index: Open,
    snapshot: pg_sys::Snapshot,
    scan: pg_sys::IndexScanDesc,
    table: pg_sys::Relation,
    /// Made when there is a row to be read.
    slot: *mut pg_sys::TupleTableSlot,
}

impl<'a> Scan<'a> {
    pub(super) fn begin(table: &Open, of: &'a Index, lock: u32) -> Self {
        let index = Open::index(of.oid, lock);
        // SAFETY: the index is the table's; all is ended below.
        unsafe {
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
            let scan = pg_sys::index_beginscan(
                table.0,
                index.0,
                snapshot,
                #[cfg(any(feature = "pg18", feature = "pg19"))]
                ptr::null_mut(),
                of.columns.len() as i32,
                0,
                #[cfg(feature = "pg19")]
                pg_sys::ScanOptions::SO_NONE,
            );
            Self {
                of,
                _index: index,
                snapshot,
                scan,
                table: table.0,
                slot: ptr::null_mut(),
            }
        }
    }

    /// Whether there is a row of a key.
    pub(super) fn find(&mut self, key: [pg_sys::Datum; MAX_KEYS]) -> bool {
        // SAFETY: an entry for each column of the index; what is passed by reference lives as long as the search.
        unsafe {
            let mut keys: [pg_sys::ScanKeyData; MAX_KEYS] = mem::zeroed();
            for (place, (_, column)) in self.of.columns.iter().enumerate() {
                keys[place] = *column;
                keys[place].sk_argument = key[place];
            }
            pg_sys::index_rescan(
                self.scan,
                keys.as_mut_ptr(),
                self.of.columns.len() as i32,
                ptr::null_mut(),
                0,
            );
            while !pg_sys::index_getnext_tid(self.scan, pg_sys::ScanDirection::ForwardScanDirection)
                .is_null()
            {
                if self.slot.is_null() {
                    self.slot = pg_sys::table_slot_create(self.table, ptr::null_mut());
                }
                if pg_sys::index_fetch_heap(self.scan, self.slot) {
                    return true;
                }
            }
            false
        }
    }

    /// Values and nulls of the row that was found, as long as no other is looked for.
    pub(super) fn row(&self, width: usize) -> (Vec<pg_sys::Datum>, Vec<bool>) {
        // SAFETY: the slot holds the row, which has as many columns.
        unsafe {
            pg_sys::slot_getsomeattrs_int(self.slot, width as i32);
            let slot = &*self.slot;
            (
                core::slice::from_raw_parts(slot.tts_values, width).to_vec(),
                core::slice::from_raw_parts(slot.tts_isnull, width).to_vec(),
            )
        }
    }

    /// Where the row is that was found.
    pub(super) fn tid(&self) -> pg_sys::ItemPointerData {
        // SAFETY: the slot holds the row.
        unsafe { (*self.slot).tts_tid }
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        // After an error, the transaction ends it.
        if !std::thread::panicking() {
            // SAFETY: begun above, ended once.
            unsafe {
                pg_sys::index_endscan(self.scan);
                if !self.slot.is_null() {
                    pg_sys::ExecDropSingleTupleTableSlot(self.slot);
                }
                pg_sys::UnregisterSnapshot(self.snapshot);
            }
        }
    }
}
