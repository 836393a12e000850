//! Lists of Postgres.

use pgrx::pg_sys;

/// The elements of a list of nodes, as the parser makes them.
///
/// # Safety
/// `list` is NULL or a list of pointers to `T`.
pub(crate) unsafe fn elements<T>(list: *const pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's promise, for the cells too: each holds a pointer.
    unsafe { cells(list) }.map(|cell| unsafe { cell.ptr_value }.cast())
}

/// The elements of a list of OIDs.
///
/// # Safety
/// `list` is NULL or a list of OIDs.
pub(crate) unsafe fn oids(list: *const pg_sys::List) -> impl Iterator<Item = pg_sys::Oid> {
    // SAFETY: the caller's promise, for the cells too: each holds an OID.
    unsafe { cells(list) }.map(|cell| unsafe { cell.oid_value })
}

/// # Safety
/// `list` is NULL or a list.
unsafe fn cells(list: *const pg_sys::List) -> impl Iterator<Item = pg_sys::ListCell> {
    // SAFETY: the caller's promise; a list has as many elements as its length says.
    let count = unsafe { list.as_ref() }.map_or(0, |list| list.length);
    (0..usize::try_from(count).unwrap_or(0)).map(move |place| {
        // SAFETY: as above; the place is below the length.
        unsafe { *(*list).elements.add(place) }
    })
}
