//! Lists of nodes, as the parser of Postgres makes them.

use pgrx::pg_sys;

/// The elements of a list of nodes.
///
/// # Safety
/// `list` is NULL or a list of pointers to `T`.
pub(crate) unsafe fn elements<T>(list: *const pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's promise; a list has as many elements as its length says.
    let count = unsafe { list.as_ref() }.map_or(0, |list| list.length);
    (0..usize::try_from(count).unwrap_or(0)).map(move |place| {
        // SAFETY: as above; the place is below the length.
        unsafe { (*(*list).elements.add(place)).ptr_value.cast() }
    })
}
