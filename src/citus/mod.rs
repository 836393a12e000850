//! Lead tables that Citus distributes: as a schema, each table is one shard, and all stand on one node.
//!
//! Their rules are plain statements over many tables. On the node of the shards they run as on any server: while they do, the planner is given the
//! shards in place of the tables ([`local`]). From another node they are sent there ([`send`]).

mod local;
mod placement;

use std::cell::OnceCell;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

pub(crate) use self::local::{enter, install, is_local};
pub(crate) use self::placement::{Placement, forget, of};
use crate::backend::sql::Statement;
use crate::backend::text;

/// The table of one row beside distributed lead tables: a statement that names it goes to their node.
const NODE: &core::ffi::CStr = c"lead_node";

/// Whether the tables beside this one are on another node.
pub(crate) fn is_elsewhere(table: pg_sys::Oid) -> bool {
    matches!(of(table), Placement::Elsewhere)
}

/// Asks the node of distributed lead tables to call a function, within this transaction and as the same role. The name of the table comes first
/// among its arguments. The answer is a jsonb, passed on unread.
pub(crate) fn send(
    leads: pg_sys::Oid,
    function: &str,
    args: &[DatumWithOid<'_>],
) -> Option<Vec<u8>> {
    let name = text::table_name(leads);
    // SAFETY: catalog look-ups; of what there is not they answer InvalidOid.
    let node =
        unsafe { pg_sys::get_relname_relid(NODE.as_ptr(), pg_sys::get_rel_namespace(leads)) };
    let arguments: String = (1..=args.len())
        .map(|place| format!(", ${place}"))
        .collect();
    // The lock of the row has Citus begin a transaction there, whatever this one is.
    let statement = format!(
        "SELECT {function}({}::pg_catalog.regclass{arguments}) FROM (SELECT FROM {} FOR KEY SHARE) AS node",
        spi::quote_literal(&name),
        text::table_name(node)
    );
    Statement::new(&statement, args)
        .rows(|rows| rows.first(|row| row.get(1)))
        .flatten()
}

/// Whether the rows of a table beside distributed lead tables are in a shard, and not in itself.
pub(crate) fn is_kept_in_shard(table: pg_sys::Oid) -> bool {
    match of(table) {
        Placement::Plain => false,
        Placement::Here(shards) => shards.contains_key(&table),
        Placement::Elsewhere => true,
    }
}

/// The table that a shard beside distributed lead tables is of; any other as it is. SQL is told of tables: Citus hides shards from most sessions.
pub(crate) fn of_shard(shard: pg_sys::Oid) -> pg_sys::Oid {
    match of(shard) {
        Placement::Here(shards) => shards
            .iter()
            .find_map(|(table, of)| (*of == shard).then_some(*table))
            .unwrap_or(shard),
        Placement::Plain | Placement::Elsewhere => shard,
    }
}

/// For SQL: whether statements are planned for the shards of this node, and see no distributed table.
#[pg_extern(sql = false)]
fn lead_phones_is_local() -> bool {
    is_local()
}

/// For SQL: whether the tables beside this one are on another node.
#[pg_extern(sql = false)]
fn lead_phones_is_elsewhere(table: pg_sys::Oid) -> bool {
    is_elsewhere(table)
}

/// Whether statements are planned by Citus, which distributes no generic plans, and not for the shards of this node.
pub(crate) fn plans() -> bool {
    is_loaded() && !is_local()
}

/// Whether the server runs Citus, which cannot distribute a generic plan, and ends transactions in its own way. It comes with
/// the server's start or not at all, so a backend asks once.
pub(crate) fn is_loaded() -> bool {
    thread_local! {
        static LOADED: OnceCell<bool> = const { OnceCell::new() };
    }
    LOADED.with(|loaded| {
        *loaded.get_or_init(|| {
            let setting = c"citus.enable_unsafe_triggers".as_ptr();
            // Anybody can set a name that no library has defined: that is a placeholder.
            // SAFETY: looks a setting up by its name; NULL where there is none.
            unsafe {
                !pg_sys::GetConfigOption(setting, true, false).is_null()
                    && pg_sys::GetConfigOptionFlags(setting, true) as u32
                        & pg_sys::GUC_CUSTOM_PLACEHOLDER
                        == 0
            }
        })
    })
}

/// Whether this database has a catalog of that name, which an extension such as Citus brings.
pub(crate) fn has_catalog(name: &core::ffi::CStr) -> bool {
    let schema = pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE);
    // SAFETY: a catalog look-up; of what there is not it answers InvalidOid.
    unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema) != pg_sys::InvalidOid }
}

/// Whether Citus sent what runs from another node, which has checked it.
pub(crate) fn is_sent() -> bool {
    // SAFETY: looks a setting up by its name; it is read before anything can change it.
    is_loaded()
        && unsafe {
            let name = pg_sys::GetConfigOption(c"application_name".as_ptr(), true, false);
            !name.is_null()
                && core::ffi::CStr::from_ptr(name)
                    .to_bytes()
                    .starts_with(b"citus_internal")
        }
}
