//! On which node the lead tables of a schema are, and by which shards.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;

use crate::backend::owner::as_owner_for_others;
use crate::backend::sql::Statement;

/// The shard of each table.
pub(crate) type Shards = HashMap<pg_sys::Oid, pg_sys::Oid>;

/// Where the tables of a schema are.
#[derive(Clone)]
pub(crate) enum Placement {
    /// Citus does not distribute the schema.
    Plain,
    Here(Rc<Shards>),
    Elsewhere,
}

thread_local! {
    /// By schema.
    static KNOWN: RefCell<HashMap<pg_sys::Oid, Placement>> = RefCell::default();
}

/// Called when anything changes that was looked at: Citus says so of a table whose shard moves.
pub(crate) fn forget() {
    KNOWN.with_borrow_mut(HashMap::clear);
}

/// Where the tables of the schema of a table are, or of a shard.
pub(crate) fn of(table: pg_sys::Oid) -> Placement {
    if !super::is_loaded() || !super::has_catalog(c"pg_dist_partition") {
        return Placement::Plain;
    }
    // SAFETY: hears of what others have committed; a catalog look-up.
    let schema = unsafe {
        pg_sys::AcceptInvalidationMessages();
        pg_sys::get_rel_namespace(table)
    };
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&schema).cloned()) {
        return known;
    }
    let found = look(schema);
    KNOWN.with_borrow_mut(|known| known.insert(schema, found.clone()));
    found
}

fn look(schema: pg_sys::Oid) -> Placement {
    // "s" is what citus_schemas shows: one shard for each table, and all together
    let statement = "SELECT d.logicalrelid::pg_catalog.oid, pg_catalog.to_regclass(pg_catalog.shard_name(d.logicalrelid, s.shardid))::pg_catalog.oid, \
             p.groupid OPERATOR(pg_catalog.=) (SELECT g.groupid FROM pg_catalog.pg_dist_local_group AS g) \
         FROM pg_catalog.pg_dist_schema AS c \
         JOIN pg_catalog.pg_dist_partition AS d ON d.colocationid OPERATOR(pg_catalog.=) c.colocationid \
         JOIN pg_catalog.pg_dist_shard AS s ON s.logicalrelid OPERATOR(pg_catalog.=) d.logicalrelid \
         JOIN pg_catalog.pg_dist_placement AS p ON p.shardid OPERATOR(pg_catalog.=) s.shardid \
         WHERE c.schemaid OPERATOR(pg_catalog.=) $1";
    let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
    let found: Vec<(pg_sys::Oid, Option<pg_sys::Oid>, bool)> =
        as_owner_for_others(superuser, || {
            Statement::new(statement, &[schema.into()])
                .on_latest()
                .rows(|rows| {
                    rows.map(|row| Some((row.get(1)?, row.get(2), row.get(3)?)))
                        .into_iter()
                        .flatten()
                        .collect()
                })
        });
    // SAFETY: a catalog look-up; of what there is not it answers InvalidOid.
    let node = unsafe { pg_sys::get_relname_relid(super::NODE.as_ptr(), schema) };
    // Other tables of a schema are reached by statements alone.
    if !found.iter().any(|(table, ..)| *table == node) {
        return Placement::Plain;
    }
    let shards = found
        .into_iter()
        .filter(|(.., is_here)| *is_here)
        .filter_map(|(table, shard, _)| Some((table, shard?)));
    let shards: Shards = shards.collect();
    match shards.is_empty() {
        true => Placement::Elsewhere,
        false => Placement::Here(Rc::new(shards)),
    }
}
