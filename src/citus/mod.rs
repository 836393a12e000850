//! Lead tables that Citus distributes: as a schema, each table is one shard, and all are on one node.
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
use crate::actions;
use crate::backend::owner::{Restricted, SEARCH_PATH, as_owner_for_others, switch};
use crate::backend::sql::Statement;
use crate::backend::{report, server, text};

/// The table beside distributed lead tables by which statements are sent to their node. It is empty, and belongs to a superuser: a session that sends one
/// plans it.
const NODE: &core::ffi::CStr = c"lead_node";

/// Whether the tables beside this one are on another node. Where they are on this one, Citus does not move them before the transaction ends: what is written
/// here by the rules is no write of its own, which it would wait for.
pub(crate) fn is_elsewhere_to_write(table: pg_sys::Oid) -> bool {
    let mut locked = None;
    loop {
        match of(table) {
            Placement::Plain => return false,
            Placement::Elsewhere => return true,
            // who sent it has locked them
            Placement::Here(_) if is_sent() => return false,
            Placement::Here(shards) if locked == Some(shards.number) => return false,
            Placement::Here(shards) => {
                let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
                let lock = "SELECT pg_catalog.lock_shard_metadata($1, ARRAY[$2])";
                let args = [(pg_sys::ShareLock as i32).into(), shards.number.into()];
                as_owner_for_others(superuser, || Statement::new(lock, &args).run());
                locked = Some(shards.number);
                forget();
            }
        }
    }
}

/// The same, to read.
pub(crate) fn is_elsewhere(table: pg_sys::Oid) -> bool {
    matches!(of(table), Placement::Elsewhere)
}

/// What is asked of another node.
pub(crate) enum Sent {
    /// Citus takes it for a write: it begins a transaction there, and an error of its COMMIT is one of this transaction.
    Write,
    Read,
}

/// Asks the node of distributed lead tables to call a function, within this transaction and as the same role. The name of the table comes first
/// among its arguments. The answer is a jsonb, passed on unread.
pub(crate) fn send(
    leads: pg_sys::Oid,
    sent: Sent,
    function: &str,
    args: &[DatumWithOid<'_>],
) -> Option<Vec<u8>> {
    let name = text::table_name(leads);
    // SAFETY: catalog look-ups; of what there is not they answer InvalidOid.
    let (node, is_trusted) = unsafe {
        let node = pg_sys::get_relname_relid(NODE.as_ptr(), pg_sys::get_rel_namespace(leads));
        let owner = server::owner_of_table(node);
        (
            node,
            owner.is_some_and(|owner| pg_sys::superuser_arg(owner)),
        )
    };
    if !is_trusted {
        report::fail(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("nothing says on which node the lead tables of {name} are"),
            "Table lead_node beside them is missing, or belongs to somebody who is no superuser."
                .into(),
            "Drop it, if it is there, and run distribute_lead_tables() on the coordinator.".into(),
        )
    }
    let node = text::table_name(node);
    let arguments: String = (1..=args.len())
        .map(|place| format!(", ${place}"))
        .collect();
    let call = format!(
        "SELECT {function}({}::pg_catalog.regclass{arguments})",
        spi::quote_literal(&name)
    );
    let statement = match sent {
        Sent::Write => {
            format!("WITH node AS (UPDATE {node} AS n SET note = NULL RETURNING 1) {call}")
        }
        Sent::Read => format!("{call} FROM (SELECT pg_catalog.count(*) FROM {node} AS n) AS node"),
    };
    Statement::new(&statement, args)
        .rows(|rows| rows.first(|row| row.get(1)))
        .flatten()
}

/// Whether the rows of a table beside distributed lead tables are in a shard, and not in itself.
pub(crate) fn is_kept_in_shard(table: pg_sys::Oid) -> bool {
    match of(table) {
        Placement::Plain => false,
        Placement::Here(shards) => shards.of.contains_key(&table),
        Placement::Elsewhere => true,
    }
}

/// The table that a shard beside distributed lead tables is of; any other as it is. SQL gets the name of the table: Citus hides shards from most sessions.
pub(crate) fn of_shard(shard: pg_sys::Oid) -> pg_sys::Oid {
    match of(shard) {
        Placement::Here(shards) => shards
            .of
            .iter()
            .find_map(|(table, of)| (*of == shard).then_some(*table))
            .unwrap_or(shard),
        Placement::Plain | Placement::Elsewhere => shard,
    }
}

/// For SQL: creates the table by which statements are sent to the node of lead tables, for their owner. It belongs to a superuser.
#[pg_extern(sql = false)]
fn lead_phones_add_node(leads: pg_sys::Oid, fcinfo: pg_sys::FunctionCallInfo) {
    // SAFETY: Postgres's own call info.
    let extension_schema = unsafe { actions::extension_schema(fcinfo) };
    actions::hold_own(leads);
    let leads = actions::lead_tables::table_of(&extension_schema, leads, c"leads");
    // SAFETY: a catalog look-up; a table that is held has a schema.
    let schema = unsafe {
        text::name_from_server(pg_sys::get_namespace_name(pg_sys::get_rel_namespace(leads)))
    };
    let node = spi::quote_qualified_identifier(&*schema, "lead_node");
    let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
    let settings = [(c"search_path", SEARCH_PATH)];
    switch(superuser, Restricted::No, &settings, || {
        for statement in [
            format!("CREATE TABLE {node} (note pg_catalog.text)"),
            format!(
                "COMMENT ON TABLE {node} IS 'empty, on the node of the lead tables: what is sent there names it'"
            ),
            format!("GRANT SELECT, UPDATE (note) ON {node} TO PUBLIC"),
            format!(
                "SELECT pg_catalog.create_distributed_table({}, NULL, colocate_with => {})",
                spi::quote_literal(&node),
                spi::quote_literal(text::table_name(leads))
            ),
        ] {
            Statement::new(&statement, &[]).run();
        }
    });
}

/// For SQL: whether statements are planned for the shards of this node, and see no distributed table.
#[pg_extern(sql = false)]
fn lead_phones_is_local() -> bool {
    is_local()
}

/// For SQL: whether Citus distributes a table, as statements see it.
#[pg_extern(sql = false)]
fn lead_phones_is_distributed(table: Option<pg_sys::Oid>) -> bool {
    !is_local() && table.is_some_and(is_distributed)
}

/// For SQL: whether Citus sent what runs from another node.
#[pg_extern(sql = false)]
fn lead_phones_is_sent() -> bool {
    is_sent()
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

/// Whether Citus distributes a table. One that it only knows of, since a reference table is near, is a local one.
pub(crate) fn is_distributed(table: pg_sys::Oid) -> bool {
    is_loaded()
        && has_catalog(c"pg_dist_partition")
        && Statement::new(
            "SELECT FROM pg_catalog.pg_dist_partition AS d WHERE d.logicalrelid::pg_catalog.oid OPERATOR(pg_catalog.=) $1 \
             AND (d.partmethod OPERATOR(pg_catalog.<>) 'n' OR d.repmodel OPERATOR(pg_catalog.=) 't' OR d.colocationid OPERATOR(pg_catalog.<>) 0)",
            &[table.into()],
        )
        .rows(|rows| !rows.is_empty())
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
