//! What a transaction has changed in the counts and not yet written.
//!
//! Statements gather their deltas here; they are written once, at the end of the transaction, in the order of campaign and
//! number. Two transactions that touch the same numbers in opposite order thus lock rows of the counts in the same order,
//! and cannot deadlock on them. A transaction that reads the counts has its own deltas written first, so that it sees what
//! it wrote; unless the table is tracked with `count_at=commit`.

use core::ffi::{c_char, c_int, c_void};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pgrx::pg_guard;
use pgrx::pg_sys;

use super::deltas::Deltas;
use super::target::Target;
use crate::sql;

/// So many numbers are kept from statement to statement: 128 MB. Beyond, they are written at once.
const MAX_KEPT: usize = 4_000_000;

/// The deltas of one tracked table.
struct Entry {
    target: Rc<Target>,
    deltas: Deltas,
}

/// What one level of a transaction, a savepoint, has gathered.
#[derive(Default)]
struct Level {
    depth: c_int,
    entries: Vec<Entry>,
    /// Entries of outer levels that were written inside this one: lost with it, if it is rolled back.
    written: Vec<(c_int, Entry)>,
}

thread_local! {
    static LEVELS: RefCell<Vec<Level>> = const { RefCell::new(Vec::new()) };
    static LOOKING: Cell<u32> = const { Cell::new(0) };
}

/// Looks at something in the counts that deltas do not change, without writing them before.
pub(super) fn without_writing<T>(look: impl FnOnce() -> T) -> T {
    struct Looking;
    impl Drop for Looking {
        fn drop(&mut self) {
            LOOKING.set(LOOKING.get() - 1);
        }
    }
    LOOKING.set(LOOKING.get() + 1);
    let _looking = Looking;
    look()
}

/// Keeps the deltas until the transaction ends, or reads the counts.
pub(super) fn keep(target: Target, deltas: Deltas) {
    let kept = LEVELS.with_borrow_mut(|levels| {
        level(levels, depth()).keep(Entry {
            target: Rc::new(target),
            deltas,
        });
        kept(levels)
    });
    // Citus runs a commit protocol of its own at the end of a transaction.
    if kept > MAX_KEPT || sql::is_citus_loaded() {
        write();
    }
}

/// Writes what is kept, locking rows of the counts in their order.
pub(crate) fn write() {
    write_of(|_| true);
}

/// Writes what is kept of some targets.
fn write_of(is_due: impl Fn(&Target) -> bool) {
    // What an error rolls back is put back by the rollback of the level that it is written in.
    let mut entries: Vec<(Rc<Target>, Deltas)> = LEVELS.with_borrow_mut(|levels| {
        let depth = depth();
        let mut taken = Vec::new();
        let mut outer = Vec::new();
        for level in levels.iter_mut() {
            for entry in core::mem::take(&mut level.entries) {
                if !is_due(&entry.target) {
                    level.entries.push(entry);
                    continue;
                }
                if level.depth < depth {
                    let copy = Entry {
                        target: Rc::clone(&entry.target),
                        deltas: entry.deltas.clone(),
                    };
                    outer.push((level.depth, copy));
                }
                taken.push((entry.target, entry.deltas));
            }
        }
        if !outer.is_empty() {
            level(levels, depth).written.extend(outer);
        }
        taken
    });
    // One order of tables for all.
    entries.sort_by_key(|(target, _)| u32::from(target.counts_oid()));
    let mut entries = entries.into_iter().peekable();
    while let Some((target, mut deltas)) = entries.next() {
        while let Some((_, more)) = entries.next_if(|(next, _)| next.is_same(&target)) {
            deltas.append(more);
        }
        target.apply(deltas);
    }
}

/// Whether anything is kept.
fn is_empty() -> bool {
    LEVELS.with_borrow(|levels| levels.iter().all(|level| level.entries.is_empty()))
}

fn kept(levels: &[Level]) -> usize {
    let entries = levels.iter().flat_map(|level| &level.entries);
    entries.map(|entry| entry.deltas.len()).sum()
}

fn depth() -> c_int {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// The level of a depth; levels stand in the order of their depths.
fn level(levels: &mut Vec<Level>, depth: c_int) -> &mut Level {
    let place = levels.partition_point(|level| level.depth < depth);
    if levels.get(place).is_none_or(|level| level.depth != depth) {
        let level = Level {
            depth,
            ..Level::default()
        };
        levels.insert(place, level);
    }
    &mut levels[place]
}

impl Level {
    fn keep(&mut self, entry: Entry) {
        match self.entries.last_mut() {
            Some(last) if last.target.is_same(&entry.target) => last.deltas.append(entry.deltas),
            _ => self.entries.push(entry),
        }
    }
}

/// Has Postgres call us when transactions end, and before statements that may look at the counts.
pub(crate) fn install() {
    // SAFETY: called once, when the library is loaded; hooks are chained as their documentation asks.
    unsafe {
        pg_sys::RegisterXactCallback(Some(transaction_ends), core::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(savepoint_ends), core::ptr::null_mut());
        NEXT_EXECUTOR_START = pg_sys::ExecutorStart_hook;
        pg_sys::ExecutorStart_hook = Some(executor_start);
        NEXT_PROCESS_UTILITY = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(process_utility);
    }
}

static mut NEXT_EXECUTOR_START: pg_sys::ExecutorStart_hook_type = None;
static mut NEXT_PROCESS_UTILITY: pg_sys::ProcessUtility_hook_type = None;

#[pg_guard]
unsafe extern "C-unwind" fn transaction_ends(event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    use pg_sys::XactEvent as Event;
    match event {
        Event::XACT_EVENT_PRE_COMMIT | Event::XACT_EVENT_PRE_PREPARE => {
            // Deferred triggers have had their turn; those of the counts are fired here, and may write leads again.
            while !is_empty() {
                // SAFETY: the transaction is still in progress, and has no active snapshot.
                unsafe {
                    pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
                    write();
                    pg_sys::PopActiveSnapshot();
                    pg_sys::AfterTriggerFireDeferred();
                }
            }
        }
        Event::XACT_EVENT_ABORT | Event::XACT_EVENT_COMMIT | Event::XACT_EVENT_PREPARE => {
            LEVELS.with_borrow_mut(Vec::clear);
        }
        _ => {}
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn savepoint_ends(
    event: pg_sys::SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _outer: pg_sys::SubTransactionId,
    _arg: *mut c_void,
) {
    use pg_sys::SubXactEvent as Event;
    LEVELS.with_borrow_mut(|levels| {
        let depth = depth();
        if levels.last().is_none_or(|level| level.depth < depth) {
            return;
        }
        let ended = match event {
            Event::SUBXACT_EVENT_COMMIT_SUB | Event::SUBXACT_EVENT_ABORT_SUB => levels.pop(),
            _ => None,
        };
        let Some(Level {
            entries, written, ..
        }) = ended
        else {
            return;
        };
        if event == Event::SUBXACT_EVENT_COMMIT_SUB {
            let outer = level(levels, depth - 1);
            for entry in entries {
                outer.keep(entry);
            }
            let written = written
                .into_iter()
                .filter(|(origin, _)| *origin < depth - 1);
            outer.written.extend(written);
        } else {
            for (origin, entry) in written {
                level(levels, origin).keep(entry);
            }
        }
    });
}

// Postgres's own, without pgrx's guard: an error that passes through it loses the names of constraint, table and column.
unsafe extern "C-unwind" {
    fn standard_ExecutorStart(query: *mut pg_sys::QueryDesc, flags: c_int);
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        query: *const c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        params: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        receiver: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// The hook. Has nothing to drop, so that an error of Postgres may jump over it.
unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: Postgres's own arguments, passed on as they came.
    unsafe {
        before_executor_start(query, flags);
        NEXT_EXECUTOR_START.unwrap_or(standard_ExecutorStart)(query, flags);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn before_executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: Postgres's own query, before its execution starts.
    unsafe {
        if !is_empty()
            && flags as u32 & pg_sys::EXEC_FLAG_EXPLAIN_ONLY == 0
            && LOOKING.get() == 0
            && !pg_sys::IsInParallelMode()
            && is_about_counts((*query).plannedstmt)
        {
            write_of(Target::is_seen_by_reads);
            show_own_writes(&mut *query);
        }
    }
}

/// Whether a statement looks at counts of which deltas are kept, and seen by reads.
unsafe fn is_about_counts(statement: *const pg_sys::PlannedStmt) -> bool {
    // SAFETY: the caller's statement; its list of relations is NULL or a list of OIDs.
    let relations = unsafe { (*statement).relationOids };
    LEVELS.with_borrow(|levels| {
        let mut entries = levels.iter().flat_map(|level| &level.entries);
        // SAFETY: as above.
        entries.any(|Entry { target, .. }| unsafe {
            target.is_seen_by_reads() && pg_sys::list_member_oid(relations, target.counts_oid())
        })
    })
}

/// Gives the query a snapshot that sees what was just written: a new one, as the writing may have waited for others to
/// commit; or in a transaction with one snapshot, that one.
fn show_own_writes(query: &mut pg_sys::QueryDesc) {
    // SAFETY: the new snapshot replaces the query's registered one, which others may hold as well.
    unsafe {
        pg_sys::CommandCounterIncrement();
        let snapshot = if pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as c_int {
            pg_sys::PushCopiedSnapshot(query.snapshot);
            pg_sys::UpdateActiveSnapshotCommandId();
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetActiveSnapshot());
            pg_sys::PopActiveSnapshot();
            snapshot
        } else {
            pg_sys::RegisterSnapshot(pg_sys::GetTransactionSnapshot())
        };
        pg_sys::UnregisterSnapshot(query.snapshot);
        query.snapshot = snapshot;
    }
}

/// The hook. Has nothing to drop, so that an error of Postgres may jump over it.
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    query: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    params: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: Postgres's own arguments, passed on as they came.
    unsafe {
        before_process_utility(statement);
        NEXT_PROCESS_UTILITY.unwrap_or(standard_ProcessUtility)(
            statement,
            query,
            read_only_tree,
            context,
            params,
            environment,
            receiver,
            completion,
        );
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn before_process_utility(statement: *mut pg_sys::PlannedStmt) {
    if is_empty() {
        return;
    }
    // SAFETY: Postgres's own statement.
    match unsafe { use_of_tables((*statement).utilityStmt) } {
        Use::None => {}
        Use::Read => write_of(Target::is_seen_by_reads),
        Use::Any => write(),
    }
}

/// What a utility statement may do to tables by itself.
enum Use {
    None,
    Read,
    Any,
}

/// What it runs in turn comes to the executor.
unsafe fn use_of_tables(statement: *const pg_sys::Node) -> Use {
    use pg_sys::NodeTag;
    // SAFETY: the caller's statement.
    match unsafe { (*statement).type_ } {
        NodeTag::T_CopyStmt => {
            // SAFETY: a node of this tag is a CopyStmt.
            if unsafe { (*statement.cast::<pg_sys::CopyStmt>()).is_from } {
                Use::None
            } else {
                Use::Read
            }
        }
        NodeTag::T_TransactionStmt
        | NodeTag::T_CallStmt
        | NodeTag::T_DoStmt
        | NodeTag::T_ExplainStmt
        | NodeTag::T_PrepareStmt
        | NodeTag::T_ExecuteStmt
        | NodeTag::T_DeallocateStmt
        | NodeTag::T_DeclareCursorStmt
        | NodeTag::T_FetchStmt
        | NodeTag::T_ClosePortalStmt
        | NodeTag::T_VariableSetStmt
        | NodeTag::T_VariableShowStmt
        | NodeTag::T_NotifyStmt
        | NodeTag::T_ListenStmt
        | NodeTag::T_UnlistenStmt
        | NodeTag::T_ConstraintsSetStmt
        | NodeTag::T_LockStmt => Use::None,
        _ => Use::Any,
    }
}
