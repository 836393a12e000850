//! What a transaction has changed in the counts, and when it is written.
//!
//! Statements keep their deltas in a log; they are written once, at the end of the transaction, in the order of campaign and
//! number. Two transactions that touch the same numbers in opposite order thus lock rows of the counts in the same order,
//! and cannot deadlock on them. A transaction that reads the counts has its own deltas written before: see `reads`.

use core::ffi::{c_int, c_void};
use std::cell::RefCell;
use std::rc::Rc;

use pgrx::pg_guard;
use pgrx::pg_sys;

use super::deltas::Deltas;
use super::target::Target;
use crate::backend::restore::OnDrop;
use crate::citus;

/// So many numbers are kept: 64 MB. Beyond, they are written at once.
pub(super) const MAX_KEPT: usize = 4_000_000;

/// Deltas that a statement has kept.
struct Kept {
    target: Rc<Target>,
    deltas: Deltas,
    /// The first command that they come from: a snapshot from before does not show it.
    command: pg_sys::CommandId,
    /// Nesting of the savepoint that they were kept in: its rollback forgets them.
    depth: c_int,
    /// Nesting of the deeper savepoint that they were written in: its rollback brings them back.
    written: Option<c_int>,
}

thread_local! {
    static LOG: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the deltas until the transaction ends, or reads the counts.
pub(super) fn keep(target: &Rc<Target>, deltas: Deltas) {
    let depth = depth();
    let size = LOG.with_borrow_mut(|log| {
        let mut of_this_depth = log.iter_mut().rev().take_while(|kept| kept.depth == depth);
        match of_this_depth.find(|kept| kept.written.is_none() && kept.target.is_same(target)) {
            Some(kept) => kept.deltas.append(deltas),
            None => log.push(Kept {
                target: Rc::clone(target),
                deltas,
                // SAFETY: reads backend state, and has the next command be another.
                command: unsafe { pg_sys::GetCurrentCommandId(true) },
                depth,
                written: None,
            }),
        }
        let unwritten = log.iter().filter(|kept| kept.written.is_none());
        unwritten.map(|kept| kept.deltas.size()).sum::<usize>()
    });
    // Citus runs a commit protocol of its own at the end of a transaction.
    if size > MAX_KEPT || citus::is_loaded() {
        write();
    }
}

/// Writes all that is kept, locking rows of the counts in their order; the transaction goes on.
pub(super) fn write() {
    write_of(|_| true, true);
}

/// Writes what is kept of some targets; says which counts were written, and the first command that it came from.
pub(super) fn write_of(
    is_due: impl Fn(&Target) -> bool,
    goes_on: bool,
) -> Vec<(pg_sys::Oid, pg_sys::CommandId)> {
    let mut due = take(is_due);
    // One order of tables for all.
    due.sort_by_key(|(target, ..)| target.counts_oid().to_u32());
    let _permitted = permit_writing();
    let mut written = Vec::new();
    let mut due = due.into_iter().peekable();
    while let Some((target, mut deltas, mut command)) = due.next() {
        while let Some((_, more, other)) = due.next_if(|(next, ..)| next.is_same(&target)) {
            deltas.append(more);
            command = command.min(other);
        }
        target.apply(deltas, goes_on);
        written.push((target.counts_oid(), command));
    }
    written
}

/// Takes what is to be written. What this savepoint has not kept itself stays in the log.
fn take(is_due: impl Fn(&Target) -> bool) -> Vec<(Rc<Target>, Deltas, pg_sys::CommandId)> {
    let depth = depth();
    let mut due = Vec::new();
    LOG.with_borrow_mut(|log| {
        log.retain_mut(|kept| {
            if kept.written.is_some() || !is_due(&kept.target) {
                return true;
            }
            let is_outer = kept.depth < depth;
            let deltas = if is_outer {
                kept.written = Some(depth);
                kept.deltas.clone()
            } else {
                core::mem::take(&mut kept.deltas)
            };
            due.push((Rc::clone(&kept.target), deltas, kept.command));
            is_outer
        });
    });
    due
}

/// Whether something is kept of a target.
pub(super) fn keeps_any(is_wanted: impl Fn(&Target) -> bool) -> bool {
    keeps_any_of(pg_sys::InvalidCommandId, is_wanted)
}

/// The same, of what commands before this one have changed.
pub(super) fn keeps_any_of(
    command: pg_sys::CommandId,
    is_wanted: impl Fn(&Target) -> bool,
) -> bool {
    LOG.with_borrow(|log| {
        log.iter()
            .any(|kept| kept.written.is_none() && kept.command < command && is_wanted(&kept.target))
    })
}

fn depth() -> c_int {
    // SAFETY: reads backend state.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// As long as what it returns lives, counts can be written though the transaction was set READ ONLY since: the leads were written before.
fn permit_writing() -> OnDrop<impl FnMut()> {
    // SAFETY: backend state, that is put back.
    unsafe {
        let before = pg_sys::XactReadOnly;
        pg_sys::XactReadOnly = false;
        OnDrop(move || pg_sys::XactReadOnly = before)
    }
}

/// As long as what it returns lives, a transaction at REPEATABLE READ goes on at READ COMMITTED. Counts are sums: to add needs no snapshot,
/// and a write must not fail at COMMIT because somebody else has counted the same number. At SERIALIZABLE it stays: the detection of
/// write skew needs the one snapshot.
fn count_without_snapshot() -> OnDrop<impl FnMut()> {
    // SAFETY: backend state, that is put back.
    unsafe {
        let before = pg_sys::XactIsoLevel;
        if before == pg_sys::XACT_REPEATABLE_READ as c_int {
            pg_sys::XactIsoLevel = pg_sys::XACT_READ_COMMITTED as c_int;
        }
        OnDrop(move || pg_sys::XactIsoLevel = before)
    }
}

/// Has Postgres call us when transactions and savepoints end.
pub(super) fn install() {
    // SAFETY: called once, when the library is loaded.
    unsafe {
        pg_sys::RegisterXactCallback(Some(transaction_ends), core::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(savepoint_ends), core::ptr::null_mut());
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_ends(event: pg_sys::XactEvent::Type, _arg: *mut c_void) {
    use pg_sys::XactEvent as Event;
    match event {
        Event::XACT_EVENT_PRE_COMMIT | Event::XACT_EVENT_PRE_PREPARE => {
            if !keeps_any(|_| true) {
                return;
            }
            // SAFETY: the transaction is still in progress, and takes its own snapshot first where it has but one.
            unsafe { pg_sys::GetTransactionSnapshot() };
            let _level = count_without_snapshot();
            // Deferred triggers have had their turn; those of the counts are fired here, and may write leads again.
            while keeps_any(|_| true) {
                // SAFETY: the transaction is still in progress, and has no active snapshot.
                unsafe {
                    pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
                    write_of(|_| true, false);
                    pg_sys::PopActiveSnapshot();
                    pg_sys::AfterTriggerFireDeferred();
                }
            }
        }
        Event::XACT_EVENT_ABORT | Event::XACT_EVENT_COMMIT | Event::XACT_EVENT_PREPARE => {
            LOG.with_borrow_mut(Vec::clear);
            super::reads::forget();
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
    let ending = depth();
    LOG.with_borrow_mut(|log| match event {
        // What it kept and wrote is now the outer one's.
        Event::SUBXACT_EVENT_COMMIT_SUB => {
            log.retain_mut(|kept| {
                kept.depth = kept.depth.min(ending - 1);
                kept.written = kept.written.map(|written| written.min(ending - 1));
                kept.written.is_none_or(|written| written > kept.depth)
            });
            // One entry, however many savepoints a transaction had.
            while let [.., first, next] = &mut log[..]
                && (first.depth, first.written, next.written) == (next.depth, None, None)
                && first.target.is_same(&next.target)
            {
                first.deltas.append(core::mem::take(&mut next.deltas));
                log.pop();
            }
        }
        // What it kept is forgotten, and what it wrote is not written.
        Event::SUBXACT_EVENT_ABORT_SUB => log.retain_mut(|kept| {
            kept.written = kept.written.filter(|written| *written < ending);
            kept.depth < ending
        }),
        _ => {}
    });
}
