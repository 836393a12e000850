//! What a trigger has to find before it can look at a row. It is kept by trigger, as long as nothing of it is altered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;

use super::call::TriggerCall;
use super::columns::Columns;
use super::counts::Counts;
use super::settings::Settings;
use super::watch::Watch;
use crate::backend::sql::Statement;

/// Triggers that are known at most.
const MAX_KNOWN: usize = 1000;

thread_local! {
    static KNOWN: RefCell<HashMap<pg_sys::Oid, Rc<Resolved>>> = RefCell::default();
}

/// Of one trigger of a tracked table, or of a table below one.
pub(super) struct Resolved {
    pub(super) settings: Settings,
    pub(super) extension_schema: String,
    pub(super) columns: Columns,
    /// The tracked table, once somebody has asked.
    leads: RefCell<Option<(pg_sys::Oid, Watch)>>,
    counts: RefCell<Option<Rc<Counts>>>,
    watch: Watch,
}

impl Resolved {
    /// An error that says what to do where a setting or a column is gone.
    pub(super) fn of(call: &TriggerCall<'_>) -> Rc<Self> {
        let trigger = call.trigger_oid();
        let known = KNOWN.with_borrow(|known| known.get(&trigger).cloned());
        if let Some(known) = known.filter(|known| known.watch.is_current()) {
            return known;
        }
        let mut watch = Watch::new();
        watch.add(call.relation().rd_id);
        let settings = call.settings();
        let resolved = Rc::new(Self {
            columns: Columns::resolve(call, &settings),
            settings,
            extension_schema: call.extension_schema(),
            leads: RefCell::default(),
            counts: RefCell::default(),
            watch,
        });
        KNOWN.with_borrow_mut(|known| {
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(trigger, Rc::clone(&resolved));
        });
        resolved
    }

    /// The tracked table: the one that fires, or the one that it belongs to.
    pub(super) fn leads(&self, call: &TriggerCall<'_>) -> pg_sys::Oid {
        if !self.settings.member {
            return call.relation().rd_id;
        }
        if let Some((leads, watch)) = &*self.leads.borrow()
            && watch.is_current()
        {
            return *leads;
        }
        let mut watch = Watch::new();
        for table in tables_above(call.relation().rd_id) {
            watch.add(table);
        }
        let leads = call.tracked_table(&self.settings);
        self.leads.replace(Some((leads, watch)));
        leads
    }

    /// The counts, locked.
    pub(super) fn counts(&self, call: &TriggerCall<'_>) -> Rc<Counts> {
        let known = self.counts.borrow().clone();
        if let Some(counts) = known.filter(|counts| counts.is_as_found()) {
            return counts;
        }
        let counts = Rc::new(Counts::resolve(call, &self.settings, self.columns.campaign));
        self.counts.replace(Some(Rc::clone(&counts)));
        counts
    }
}

/// The table, and all that it belongs to as partition or by inheritance.
fn tables_above(table: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    Statement::new(
        "WITH RECURSIVE above (table_id) AS (SELECT $1 UNION SELECT i.inhparent FROM above AS a \
         JOIN pg_catalog.pg_inherits AS i ON i.inhrelid OPERATOR(pg_catalog.=) a.table_id) SELECT a.table_id FROM above AS a",
        &[table.into()],
    )
    .on_latest()
    .rows(|rows| rows.map(|row| row.get(1)))
    .into_iter()
    .flatten()
    .collect()
}
