//! One call of a trigger function, with what Postgres hands it.

use std::cell::RefCell;
use std::ptr;

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use super::settings::Settings;
use crate::backend::restore::OnDrop;
use crate::backend::{report, text};
use crate::{actions, citus};

/// What fired the trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Insert,
    Update,
    Delete,
    Truncate,
}

/// A trigger call. Lives no longer than the call.
pub(crate) struct TriggerCall<'call> {
    fcinfo: FunctionCallInfo,
    pub(crate) data: &'call pg_sys::TriggerData,
    trigger: &'call pg_sys::Trigger,
}

impl<'call> TriggerCall<'call> {
    /// Reads the call; an error where the function was not called by a trigger of the expected timing.
    ///
    /// # Safety
    /// `fcinfo` is what Postgres handed to the function, and `'call` ends with the call.
    pub(crate) unsafe fn new(fcinfo: FunctionCallInfo, name: &str, before_row: bool) -> Self {
        // SAFETY: the caller's promise; a context of node type T_TriggerData is a TriggerData, and its trigger is set.
        unsafe {
            let context = (*fcinfo).context;
            if !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData {
                let data = &*context.cast::<pg_sys::TriggerData>();
                let is = |flags: u32, wanted: u32| data.tg_event & flags == wanted;
                let row = is(pg_sys::TRIGGER_EVENT_ROW, pg_sys::TRIGGER_EVENT_ROW);
                let before = is(
                    pg_sys::TRIGGER_EVENT_TIMINGMASK,
                    pg_sys::TRIGGER_EVENT_BEFORE,
                );
                let truncate = is(pg_sys::TRIGGER_EVENT_OPMASK, pg_sys::TRIGGER_EVENT_TRUNCATE);
                if row == before_row && before == (before_row || truncate) {
                    return Self {
                        fcinfo,
                        data,
                        trigger: &*data.tg_trigger,
                    };
                }
            }
        }
        report::fail(
            PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
            format!("function \"{name}\" must be called by a trigger of lead_phones"),
            "It was called in another way, or by a trigger of another timing.".into(),
            "Put a table under care with track_lead_phones(); it creates the triggers.".into(),
        )
    }

    pub(crate) fn event(&self) -> Event {
        match self.data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => Event::Insert,
            pg_sys::TRIGGER_EVENT_UPDATE => Event::Update,
            pg_sys::TRIGGER_EVENT_DELETE => Event::Delete,
            _ => Event::Truncate,
        }
    }

    /// The settings in the trigger's arguments.
    pub(crate) fn settings(&self) -> Settings {
        let count = usize::try_from(self.trigger.tgnargs).unwrap_or(0);
        let args: Vec<String> = (0..count)
            // SAFETY: tgargs has tgnargs NUL-terminated strings.
            .map(|i| unsafe { text::name_from_server(*self.trigger.tgargs.add(i)) })
            .collect();
        Settings::from_args(&args).unwrap_or_else(|setting| {
            report::fail(
                PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                format!(
                    "a trigger of table \"{}\" has no valid setting \"{setting}\"",
                    self.table_name()
                ),
                "The triggers of lead_phones carry their settings as arguments.".into(),
                self.retrack_hint(),
            )
        })
    }

    pub(crate) fn relation(&self) -> &pg_sys::RelationData {
        // SAFETY: the relation that fired the trigger stays open during the call.
        unsafe { &*self.data.tg_relation }
    }

    /// Whether rows are put into a table that was created in this transaction.
    pub(crate) fn fills_new_table(&self) -> bool {
        self.event() == Event::Insert && self.relation().rd_createSubid != 0
    }

    /// As long as what it returns lives, the statements of the trigger of a shard see the shards beside it.
    pub(crate) fn enter(&self) -> Option<OnDrop<impl FnMut() + use<>>> {
        // One that is being made has not all of them beside it.
        (citus::is_loaded() && !self.fills_new_table()).then(|| citus::enter(self.relation().rd_id))
    }

    /// Whether Citus copies rows into a shard that it has just made.
    pub(crate) fn fills_shard(&self) -> bool {
        self.fills_new_table() && citus::is_loaded() && (citus::is_sent() || self.is_local_part())
    }

    /// Whether the table is a shard of Citus, or what distributing it has left of it here.
    pub(crate) fn is_local_part(&self) -> bool {
        if !citus::is_loaded() {
            return false;
        }
        let table = "lead_phones_is_local_part($1::pg_catalog.regclass)";
        let args = [self.relation().rd_id.into()];
        let schema = self.extension_schema();
        actions::look_up(&schema, "found", table, &args, |row| row.get(1)) == [Some(true)]
    }

    /// Reads a row of the table that fires.
    pub(crate) fn read(&self, tuple: pg_sys::HeapTuple, values: &mut Values) {
        let description = self.relation().rd_att;
        // SAFETY: the tuple is of this relation, and the arrays have an element for each of its attributes.
        unsafe {
            let width = (*description).natts as usize;
            values.datums.resize(width, pg_sys::Datum::null());
            values.nulls.resize(width, true);
            pg_sys::heap_deform_tuple(
                tuple,
                description,
                values.datums.as_mut_ptr(),
                values.nulls.as_mut_ptr(),
            );
        }
    }

    fn class(&self) -> &pg_sys::FormData_pg_class {
        // SAFETY: an open relation has its pg_class row.
        unsafe { &*self.relation().rd_rel }
    }

    pub(crate) fn trigger_oid(&self) -> pg_sys::Oid {
        self.trigger.tgoid
    }

    pub(crate) fn owner(&self) -> pg_sys::Oid {
        self.class().relowner
    }

    pub(crate) fn table_name(&self) -> String {
        // SAFETY: a NameData is NUL-terminated.
        unsafe { text::name_from_server(self.class().relname.data.as_ptr()) }
    }

    pub(crate) fn schema_name(&self) -> String {
        // SAFETY: the name is palloc'd or NULL.
        unsafe {
            let name = pg_sys::get_namespace_name(self.class().relnamespace);
            if name.is_null() {
                String::new()
            } else {
                text::name_from_server(name)
            }
        }
    }

    /// An error where the table was made a partition of a table that is not tracked: its triggers no longer see every write.
    pub(crate) fn refuse_partition(&self) {
        if self.class().relispartition && !self.trigger.tgisclone {
            report::fail(
                PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                format!("tracked table \"{}\" is a partition now", self.table_name()),
                "Writes to its partitioned table would not be counted.".into(),
                "Detach it, or run untrack_lead_phones() on it.".into(),
            )
        }
    }

    /// The tracked table that the firing one is, or belongs to.
    pub(crate) fn tracked_table(&self, settings: &Settings) -> pg_sys::Oid {
        if !settings.member {
            return self.relation().rd_id;
        }
        let root = actions::look_up_table(
            &self.extension_schema(),
            "lead_phones_root($1::pg_catalog.regclass)",
            &[self.relation().rd_id.into()],
        );
        root.unwrap_or_else(|| {
            let table = self.table_name();
            report::fail(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("table \"{table}\" has triggers of a tracked table that it does not belong to"),
                "It was detached while the event triggers of lead_phones were disabled.".into(),
                format!(
                    "Run untrack_lead_phones({}), and rebuild_phone_counts() on the table it belonged to.",
                    spi::quote_literal(spi::quote_qualified_identifier(self.schema_name(), table))
                ),
            )
        })
    }

    pub(crate) fn extension_schema(&self) -> String {
        // SAFETY: Postgres's own call info.
        unsafe { actions::extension_schema(self.fcinfo) }
    }

    pub(crate) fn is_partitioned(&self) -> bool {
        self.class().relkind as u8 == pg_sys::RELKIND_PARTITIONED_TABLE
    }

    /// Whether tables may inherit from it.
    pub(crate) fn has_heirs(&self) -> bool {
        self.class().relhassubclass
    }

    /// What to do when a setting names something that is gone.
    pub(crate) fn retrack_hint(&self) -> String {
        let leads = spi::quote_qualified_identifier(self.schema_name(), self.table_name());
        let leads = spi::quote_literal(leads);
        format!(
            "Run untrack_lead_phones({leads}), then track_lead_phones({leads}, ...) with the new names."
        )
    }

    /// The memory context that lives as long as the statement.
    pub(crate) fn statement_context(&self) -> pg_sys::MemoryContext {
        // SAFETY: Postgres calls a trigger function with its look-up.
        unsafe { (*(*self.fcinfo).flinfo).fn_mcxt }
    }

    /// State of type `T` that lives as long as the statement, made by `make` at its first use.
    pub(crate) fn statement_state<T>(&self, make: impl FnOnce() -> T) -> &RefCell<T> {
        // SAFETY: fn_extra is this function's own; it is NULL or holds the T that was put there for this trigger, which
        // is dropped with the memory context of the function look-up, at the end of the statement.
        unsafe {
            let flinfo = &mut *(*self.fcinfo).flinfo;
            if flinfo.fn_extra.is_null() {
                let state = RefCell::new(make());
                flinfo.fn_extra = PgMemoryContexts::For(flinfo.fn_mcxt)
                    .leak_and_drop_on_delete(state)
                    .cast();
            }
            &*flinfo.fn_extra.cast::<RefCell<T>>()
        }
    }

    /// Whether each new row has its old one, at the same place. Where a row moves to a partition that has a trigger which suppresses it, only
    /// the old one comes.
    pub(crate) fn rows_come_in_pairs(&self) -> bool {
        let (old, new) = (self.data.tg_oldtable, self.data.tg_newtable);
        // SAFETY: both live as long as the call.
        !old.is_null()
            && !new.is_null()
            && unsafe { pg_sys::tuplestore_tuple_count(old) == pg_sys::tuplestore_tuple_count(new) }
    }

    /// The rows of the statement as they were, where the trigger has them.
    pub(crate) fn old_rows(&self) -> Option<TransitionTable<'_>> {
        TransitionTable::new(self, self.data.tg_oldtable)
    }

    /// The rows of the statement as they are now, where the trigger has them.
    pub(crate) fn new_rows(&self) -> Option<TransitionTable<'_>> {
        TransitionTable::new(self, self.data.tg_newtable)
    }
}

/// The values of a row, as long as that is there.
#[derive(Default)]
pub(crate) struct Values {
    datums: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
}

impl Values {
    /// The value of an attribute, `None` for NULL.
    pub(crate) fn get(&self, attribute: i16) -> Option<pg_sys::Datum> {
        let index = usize::try_from(attribute - 1).ok()?;
        match self.nulls.get(index) {
            Some(false) => self.datums.get(index).copied(),
            _ => None,
        }
    }
}

/// A cursor over a transition table, read directly: no SQL names it, so that it works wherever the trigger fires.
pub(crate) struct TransitionTable<'call> {
    store: *mut pg_sys::Tuplestorestate,
    slot: &'call mut pg_sys::TupleTableSlot,
}

impl<'call> TransitionTable<'call> {
    fn new(call: &'call TriggerCall<'_>, store: *mut pg_sys::Tuplestorestate) -> Option<Self> {
        if store.is_null() {
            return None;
        }
        // SAFETY: the store lives as long as the call; a read pointer of our own leaves those of other triggers alone. Nobody else reads
        // before the call is over.
        unsafe {
            let read_pointer =
                pg_sys::tuplestore_alloc_read_pointer(store, pg_sys::EXEC_FLAG_REWIND as i32);
            pg_sys::tuplestore_select_read_pointer(store, read_pointer);
            pg_sys::tuplestore_rescan(store);
            let slot = pg_sys::MakeSingleTupleTableSlot(
                call.relation().rd_att,
                ptr::addr_of!(pg_sys::TTSOpsMinimalTuple),
            );
            Some(Self {
                store,
                slot: &mut *slot,
            })
        }
    }

    /// The next row, with its attributes up to `last_attribute` read.
    pub(crate) fn next_row(&mut self, last_attribute: i16) -> Option<Row<'_>> {
        // SAFETY: store and slot are valid as long as `self`; the slot keeps the row until the next call.
        unsafe {
            if !pg_sys::tuplestore_gettupleslot(self.store, true, false, self.slot) {
                return None;
            }
            if self.slot.tts_nvalid < last_attribute {
                pg_sys::slot_getsomeattrs_int(self.slot, last_attribute.into());
            }
        }
        Some(Row { slot: self.slot })
    }
}

impl Drop for TransitionTable<'_> {
    fn drop(&mut self) {
        // After an error the slot goes with its memory context.
        if !std::thread::panicking() {
            // SAFETY: made by MakeSingleTupleTableSlot, dropped once.
            unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) };
        }
    }
}

/// One row of a transition table.
pub(crate) struct Row<'row> {
    slot: &'row pg_sys::TupleTableSlot,
}

impl Row<'_> {
    /// The value of an attribute that was read, `None` for NULL.
    pub(crate) fn get(&self, attribute: i16) -> Option<pg_sys::Datum> {
        let index = usize::try_from(attribute - 1).ok()?;
        debug_assert!(attribute <= self.slot.tts_nvalid);
        // SAFETY: next_row() read the attributes up to here.
        unsafe { (!*self.slot.tts_isnull.add(index)).then(|| *self.slot.tts_values.add(index)) }
    }
}
