//! The shard of distributed counts that lies beside a shard of leads, on the same node: a plain table.

use pgrx::pg_sys;

use crate::backend::sql::Statement;
use crate::backend::text;
use crate::citus::{self, Placement};

/// The table in which the rows of counts are, as far as `leads` fires for them: the counts themselves, or their shard. `None` where that is not
/// on this node.
pub(super) fn table_of(counts: pg_sys::Oid, leads: pg_sys::Oid) -> Option<pg_sys::Oid> {
    if let Placement::Here(shards) = citus::of(counts) {
        return shards.of.get(&counts).copied();
    }
    if !citus::is_distributed(counts) {
        return Some(counts);
    }
    // Names of shards end in their number; those of the shards of colocated tables that belong together are told by Citus.
    let name = Statement::new(
        "SELECT n.parts[pg_catalog.cardinality(n.parts)] FROM pg_catalog.pg_dist_shard AS l \
         CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.get_colocated_shard_array(l.shardid)) AS o (shardid) \
         JOIN pg_catalog.pg_dist_shard AS c ON c.shardid OPERATOR(pg_catalog.=) o.shardid AND c.logicalrelid::pg_catalog.oid OPERATOR(pg_catalog.=) $1 \
         CROSS JOIN LATERAL pg_catalog.parse_ident(pg_catalog.shard_name(c.logicalrelid, c.shardid)) AS n (parts) \
         WHERE l.shardid OPERATOR(pg_catalog.=) pg_catalog.substring($2, '_([0-9]+)$')::pg_catalog.int8",
        &[counts.into(), name_of(leads)?.into()],
    )
    .rows(|rows| rows.first(|row| row.get::<String>(1)).flatten())?;
    let name = text::to_server(&name);
    // SAFETY: catalog look-ups; of what there is not they answer InvalidOid.
    let shard =
        unsafe { pg_sys::get_relname_relid(name.as_ptr(), pg_sys::get_rel_namespace(counts)) };
    (shard != pg_sys::InvalidOid).then_some(shard)
}

fn name_of(table: pg_sys::Oid) -> Option<String> {
    // SAFETY: a catalog look-up; the name is palloc'd, or NULL.
    unsafe {
        let name = pg_sys::get_rel_name(table);
        (!name.is_null()).then(|| text::name_from_server(name))
    }
}
