//! On which node the lead tables of a schema are, and by which shards.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::backend::owner::as_owner_for_others;
use crate::backend::sql::Statement;
use crate::backend::{report, text};

/// The shards of this node: of each table of a schema one.
pub(crate) struct Shards {
    pub(crate) of: HashMap<pg_sys::Oid, pg_sys::Oid>,
    /// The number of one of them. Citus moves them together.
    pub(super) number: i64,
}

/// Where the tables of a schema are.
#[derive(Clone)]
pub(crate) enum Placement {
    /// Citus does not distribute the schema, or there are no lead tables in it.
    Plain,
    Here(Rc<Shards>),
    Elsewhere,
}

/// A row of what Citus knows of the tables of a schema.
struct Found {
    table: pg_sys::Oid,
    shard: Option<pg_sys::Oid>,
    number: i64,
    is_here: bool,
    /// Whether the columns of the shard are in the places of those of the table.
    is_alike: bool,
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
    if !super::is_loaded() || !super::has_catalog(c"pg_dist_schema") {
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
    let statement = "SELECT t.oid, p.shard::pg_catalog.oid, s.shardid, p.is_here, NOT EXISTS ( \
             (SELECT a.attnum, a.attname, a.atttypid FROM pg_catalog.pg_attribute AS a \
               WHERE a.attrelid OPERATOR(pg_catalog.=) t.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped) \
              EXCEPT \
             (SELECT a.attnum, a.attname, a.atttypid FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) p.shard::pg_catalog.oid)) \
         FROM pg_catalog.pg_dist_schema AS c \
         JOIN pg_catalog.pg_dist_partition AS d ON d.colocationid OPERATOR(pg_catalog.=) c.colocationid \
         JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) d.logicalrelid::pg_catalog.oid \
         JOIN pg_catalog.pg_dist_shard AS s ON s.logicalrelid OPERATOR(pg_catalog.=) d.logicalrelid \
        CROSS JOIN LATERAL ( \
            SELECT pg_catalog.to_regclass(pg_catalog.shard_name(d.logicalrelid, s.shardid)) AS shard, \
                   p.groupid OPERATOR(pg_catalog.=) (SELECT g.groupid FROM pg_catalog.pg_dist_local_group AS g) AS is_here \
              FROM pg_catalog.pg_dist_placement AS p WHERE p.shardid OPERATOR(pg_catalog.=) s.shardid) AS p \
         WHERE c.schemaid OPERATOR(pg_catalog.=) $1";
    let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
    let found: Vec<Option<Found>> = as_owner_for_others(superuser, || {
        Statement::new(statement, &[schema.into()])
            .on_latest()
            .rows(|rows| {
                rows.map(|row| {
                    Some(Found {
                        table: row.get(1)?,
                        shard: row.get(2),
                        number: row.get(3)?,
                        is_here: row.get(4)?,
                        is_alike: row.get(5)?,
                    })
                })
            })
    });
    // SAFETY: a catalog look-up; of what there is not it answers InvalidOid.
    let ledger =
        unsafe { pg_sys::get_relname_relid(c"lead_disqualification_subjects".as_ptr(), schema) };
    let found: Vec<Found> = found.into_iter().flatten().collect();
    // Other tables of a schema are reached by statements alone.
    if !found.iter().any(|found| found.table == ledger) {
        return Placement::Plain;
    }
    let here: Vec<&Found> = found.iter().filter(|found| found.is_here).collect();
    if let Some(changed) = here
        .iter()
        .find(|found| found.shard.is_some() && !found.is_alike)
    {
        report::fail(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!(
                "the columns of table {} are not where those of its shard are",
                text::table_name(changed.table)
            ),
            "A column of it was dropped, and Citus has created the shard without it since.".into(),
            "Dump the data of the lead tables, drop the schema, and restore them into lead tables that are created and distributed again."
                .into(),
        )
    }
    let Some(first) = here.first() else {
        return Placement::Elsewhere;
    };
    Placement::Here(Rc::new(Shards {
        number: first.number,
        of: here
            .iter()
            .filter_map(|found| Some((found.table, found.shard?)))
            .collect(),
    }))
}
