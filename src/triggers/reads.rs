//! A transaction that reads the counts sees what it wrote, whichever way it looks; unless the table is tracked with
//! `count_at=commit`.
//!
//! One rule: what commands before a query have changed in the counts is written before it reads them, and where its snapshot is older
//! than that, it gets a newer one. All queries come through the executor, also those of CREATE TABLE AS, REFRESH, COPY of a query, cursors and functions.
//! COPY of the table itself does not.

use core::ffi::{c_char, c_int};
use std::cell::{Cell, RefCell};

use pgrx::pg_guard;
use pgrx::pg_sys;

use super::pending;
use super::target::Target;
use crate::backend::restore::OnDrop;
use crate::backend::sql;
use crate::ddl;

/// Counts that this transaction has written before its end.
struct Written {
    counts: pg_sys::Oid,
    /// The first command that it came from.
    changed: pg_sys::CommandId,
    /// The command that sees it.
    seen: pg_sys::CommandId,
}

/// So many of them are told apart.
const MAX_WRITTEN: usize = 64;

thread_local! {
    static WRITTEN: RefCell<Vec<Written>> = const { RefCell::new(Vec::new()) };
    static LOOKING: Cell<u32> = const { Cell::new(0) };
}

/// Looks at something in the counts that deltas do not change, without writing them before.
pub(super) fn without_writing<T>(look: impl FnOnce() -> T) -> T {
    LOOKING.set(LOOKING.get() + 1);
    let _looking = OnDrop(|| LOOKING.set(LOOKING.get() - 1));
    look()
}

/// The transaction has ended.
pub(super) fn forget() {
    WRITTEN.with_borrow_mut(Vec::clear);
}

/// Writes what is kept, where a read should see it.
fn write_seen() {
    let counts = pending::write_of(Target::is_seen_by_reads, true);
    // SAFETY: what was written is to be seen by the commands that follow.
    let seen = unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::GetCurrentCommandId(false)
    };
    WRITTEN.with_borrow_mut(|written| {
        written.extend(counts.into_iter().map(|(counts, changed)| Written {
            counts,
            changed,
            seen,
        }));
        if written.len() > MAX_WRITTEN {
            let oldest = written.remove(0);
            match written.iter_mut().find(|one| one.counts == oldest.counts) {
                Some(next) => next.changed = oldest.changed,
                None => written.push(oldest),
            }
        }
    });
}

/// Whether the transaction has changed counts that a read should see.
fn is_concerned() -> bool {
    !WRITTEN.with_borrow(Vec::is_empty) || pending::keeps_any(Target::is_seen_by_reads)
}

/// Writes what commands before this one have changed in counts among some tables. Says whether a snapshot of that command lacks something of it.
fn write_for(command: pg_sys::CommandId, is_read: impl Fn(pg_sys::Oid) -> bool) -> bool {
    if pending::keeps_any_of(command, |target| {
        target.is_seen_by_reads() && is_read(target.counts_oid())
    }) {
        write_seen();
    }
    WRITTEN.with_borrow(|written| {
        let lacks = |one: &Written| one.changed < command && command < one.seen;
        written.iter().any(|one| lacks(one) && is_read(one.counts))
    })
}

/// Whether the transaction has written counts among some tables.
fn is_written(is_read: impl Fn(pg_sys::Oid) -> bool) -> bool {
    WRITTEN.with_borrow(|written| written.iter().any(|one| is_read(one.counts)))
}

/// Has Postgres call us before statements that may look at the counts.
pub(super) fn install() {
    // SAFETY: called once, when the library is loaded; hooks are chained as their documentation asks.
    unsafe {
        NEXT_EXECUTOR_START = pg_sys::ExecutorStart_hook;
        pg_sys::ExecutorStart_hook = Some(executor_start);
        NEXT_PROCESS_UTILITY = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(process_utility);
    }
}

static mut NEXT_EXECUTOR_START: pg_sys::ExecutorStart_hook_type = None;
static mut NEXT_PROCESS_UTILITY: pg_sys::ProcessUtility_hook_type = None;

// Postgres's own, without pgrx's guard, which every statement would pass: an error jumps over the hooks, which have nothing to drop.
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
        if !is_concerned()
            || flags as u32 & pg_sys::EXEC_FLAG_EXPLAIN_ONLY != 0
            || LOOKING.get() != 0
            || pg_sys::IsInParallelMode()
        {
            return;
        }
        let query = &mut *query;
        let relations = (*query.plannedstmt).relationOids;
        let command = (*query.snapshot).curcid;
        if write_for(command, |counts| pg_sys::list_member_oid(relations, counts)) {
            renew_snapshot(query);
        }
        // Nothing reads counts but a query of them, and functions that are not Postgres's own.
        let reads = |counts| pg_sys::list_member_oid(relations, counts);
        if !(*query.plannedstmt).invalItems.is_null() || is_written(reads) {
            run_serially(query);
        }
    }
}

/// Gives the query a snapshot that sees what was written: a new one, as the writing may have waited for others to
/// commit; or in a transaction with one snapshot, that one.
fn renew_snapshot(query: &mut pg_sys::QueryDesc) {
    // SAFETY: the new snapshot replaces the query's registered one, which others may hold as well.
    unsafe {
        let snapshot = if sql::has_one_snapshot() {
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

/// Parallel workers know nothing of what this backend keeps, and have the snapshot of the statement around the query. So where there is
/// something to know, the query is left to this backend: its Gather nodes run their plans themselves.
fn run_serially(query: &mut pg_sys::QueryDesc) {
    // SAFETY: the plan may be a cached one, of which this query gets its own top; it lives in the memory that the query itself
    // was made in.
    unsafe {
        if !(*query.plannedstmt).parallelModeNeeded {
            return;
        }
        let plan = pg_sys::palloc(size_of::<pg_sys::PlannedStmt>()).cast::<pg_sys::PlannedStmt>();
        plan.copy_from_nonoverlapping(query.plannedstmt, 1);
        (*plan).parallelModeNeeded = false;
        query.plannedstmt = plan;
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
    // SAFETY: Postgres's own arguments, passed on as they came; the snapshot that was pushed is popped.
    unsafe {
        let is_snapshot_pushed = before_process_utility(statement);
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
        if is_snapshot_pushed {
            pg_sys::PopActiveSnapshot();
        }
    }
}

/// Says whether it has pushed a snapshot for the statement.
#[pg_guard]
unsafe extern "C-unwind" fn before_process_utility(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: Postgres's own statement.
    unsafe { ddl::allow_switch_of_triggers((*statement).utilityStmt) };
    if !is_concerned() && !pending::keeps_any(|_| true) {
        return false;
    }
    // SAFETY: Postgres's own statement.
    match unsafe { use_of_tables((*statement).utilityStmt) } {
        Use::None => false,
        Use::Copy(table) => {
            // SAFETY: reads backend state; the command before this one is the last that it sees.
            let command = unsafe { pg_sys::GetCurrentCommandId(false) };
            let is_lacking = write_for(command, |counts| counts == table);
            if is_lacking {
                push_new_snapshot();
            }
            is_lacking
        }
        Use::Any => {
            pending::write();
            false
        }
    }
}

/// As [`renew_snapshot`], for what looks at tables by the active snapshot.
fn push_new_snapshot() {
    // SAFETY: a utility statement that reads a table runs with an active snapshot.
    unsafe {
        if sql::has_one_snapshot() {
            pg_sys::PushCopiedSnapshot(pg_sys::GetActiveSnapshot());
            pg_sys::UpdateActiveSnapshotCommandId();
        } else {
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
    }
}

/// What a utility statement may do to tables by itself. What it runs in turn comes to the executor.
enum Use {
    None,
    /// Copies out this table.
    Copy(pg_sys::Oid),
    Any,
}

unsafe fn use_of_tables(statement: *const pg_sys::Node) -> Use {
    use pg_sys::NodeTag;
    // SAFETY: the caller's statement.
    match unsafe { (*statement).type_ } {
        NodeTag::T_CopyStmt => {
            // SAFETY: a node of this tag is a CopyStmt; its relation is NULL where it copies a query.
            unsafe {
                let copy = &*statement.cast::<pg_sys::CopyStmt>();
                if copy.is_from || copy.relation.is_null() {
                    return Use::None;
                }
                Use::Copy(pg_sys::RangeVarGetRelidExtended(
                    copy.relation,
                    pg_sys::NoLock as pg_sys::LOCKMODE,
                    pg_sys::RVROption::RVR_MISSING_OK,
                    None,
                    core::ptr::null_mut(),
                ))
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
        | NodeTag::T_CreateTableAsStmt
        | NodeTag::T_RefreshMatViewStmt
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
