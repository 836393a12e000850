//! `ALTER TABLE … DISABLE TRIGGER` of a tracked table that Citus distributes, as pg_dump writes it with `--disable-triggers`. Citus refuses
//! it where triggers are not switched on for it, and a restore that goes on after errors would count every lead twice.

use pgrx::pg_sys;

use crate::backend::list::elements;
use crate::backend::text;
use crate::citus;

/// Lets Citus switch the triggers of a tracked table on or off, on its shards as well, for the rest of the transaction. Called before the
/// statement is, by a hook that comes before that of Citus.
///
/// # Safety
/// `statement` is the parse tree of a utility statement.
pub(crate) unsafe fn allow(statement: *mut pg_sys::Node) {
    // SAFETY: a node of this tag is an AlterTableStmt, and its commands are AlterTableCmds.
    unsafe {
        if (*statement).type_ != pg_sys::NodeTag::T_AlterTableStmt || !citus::is_loaded() {
            return;
        }
        let statement = &*statement.cast::<pg_sys::AlterTableStmt>();
        let switches = |command: *mut pg_sys::AlterTableCmd| {
            use pg_sys::AlterTableType::*;
            // not ALWAYS and REPLICA: shards that are moved would be counted twice
            [
                AT_EnableTrig,
                AT_DisableTrig,
                AT_EnableTrigAll,
                AT_DisableTrigAll,
                AT_EnableTrigUser,
                AT_DisableTrigUser,
            ]
            .contains(&(*command).subtype)
        };
        if elements::<pg_sys::AlterTableCmd>(statement.cmds).all(switches)
            && super::find(statement.relation).is_some_and(is_kept)
        {
            pg_sys::set_config_option(
                c"citus.enable_unsafe_triggers".as_ptr(),
                c"on".as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_LOCAL,
                true,
                0,
                false,
            );
        }
    }
}

/// Whether a table is tracked, which its triggers tell, or the counts or the ledger of such a one, as its comment says.
fn is_kept(table: pg_sys::Oid) -> bool {
    let trigger = c"zz_lead_phones_normalize_insert".as_ptr();
    // SAFETY: catalog look-ups; a comment is NUL-terminated, or NULL.
    unsafe {
        if pg_sys::get_trigger_oid(table, trigger, true) != pg_sys::InvalidOid {
            return true;
        }
        let comment = pg_sys::GetComment(table, pg_sys::RelationRelationId, 0);
        if comment.is_null() {
            return false;
        }
        let comment = text::name_from_server(comment);
        ["[counts of ", "[disqualifications of "]
            .iter()
            .any(|noted| comment.contains(noted))
    }
}
