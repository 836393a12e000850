//! Running the rules of lead tables: plain statements in functions of `sql/install`, which name the tables as they are called. They run as
//! the owner of the tables, and find them by the search_path: `pg_catalog` first, then the schema of the tables.

use core::ffi::c_int;
use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::datum::DatumWithOid;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::backend::owner::{self, KEPT_PLANS, Restricted};
use crate::backend::sql::Statement;
use crate::backend::{report, text};
use crate::{actions, citus};

/// What somebody may do who may insert leads: each is a function `lead_phones_<step>(arguments jsonb) RETURNS jsonb`.
const STEPS: [&str; 4] = [OPEN, "take_rows", "write_upload", "split_late"];

/// The one step that creates temporary tables, which Postgres allows in no restricted operation. It runs nothing of the owner's.
const OPEN: &str = "open_upload";

/// Runs a step of an upload, for a role that may insert leads. The arguments, third of the SQL function, and the answer are jsonb that is passed
/// on unread.
#[pg_extern(sql = false)]
fn lead_phones_upload_step(
    leads: pg_sys::Oid,
    step: &[u8],
    fcinfo: FunctionCallInfo,
) -> Option<Vec<u8>> {
    let Some(step) = STEPS.iter().find(|known| known.as_bytes() == step) else {
        report::fail(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!(
                "{} is not a step of an upload",
                report::shown(&text::from_server(step))
            ),
            "This function serves upload_leads() alone.".into(),
            "Use upload_leads().".into(),
        )
    };
    // SAFETY: Postgres's own call info; the function is strict and has three arguments, of which the third is a jsonb.
    let (schema, arguments) = unsafe {
        (
            actions::extension_schema(fcinfo),
            DatumWithOid::new(pg_getarg_datum(fcinfo, 2), pg_sys::JSONBOID),
        )
    };
    if citus::is_elsewhere_to_write(leads) {
        let function = spi::quote_qualified_identifier(&*schema, "lead_phones_upload_step");
        return citus::send(
            leads,
            citus::Sent::Write,
            &function,
            &[text::argument(step), arguments],
        );
    }
    let owner = actions::hold(leads);
    let table = table_of(&schema, leads, c"leads");
    actions::check_privilege(table, pg_sys::ACL_INSERT);
    let function = spi::quote_qualified_identifier(&*schema, &*format!("lead_phones_{step}"));
    let restricted = match *step {
        OPEN => Restricted::No,
        _ => Restricted::ForOthers,
    };
    as_owner(&schema, leads, owner, restricted, Plans::Custom, || {
        Statement::new(&format!("SELECT {function}($1)"), &[arguments])
            // a jsonb, copied before SPI frees it
            .rows(|rows| rows.first(|row| row.get(1)))
            .flatten()
    })
}

/// One of the lead tables, by its name; an error where it is gone.
pub(crate) fn table_of(
    extension_schema: &str,
    leads: pg_sys::Oid,
    name: &core::ffi::CStr,
) -> pg_sys::Oid {
    schema_of(extension_schema, leads);
    // SAFETY: catalog look-ups; of what there is not they answer InvalidOid.
    unsafe { pg_sys::get_relname_relid(name.as_ptr(), pg_sys::get_rel_namespace(leads)) }
}

thread_local! {
    /// Schemas of lead tables that were found to be complete and closed to others, by table. Forgotten when anything changes that was looked at.
    static CHECKED: RefCell<HashMap<pg_sys::Oid, String>> = RefCell::default();
}

/// Has Postgres say when catalogs change.
pub(crate) fn install() {
    use pg_sys::SysCacheIdentifier as Cache;
    let looked_at = [
        Cache::NAMESPACEOID,
        Cache::PROCOID,
        Cache::OPEROID,
        Cache::AUTHOID,
        Cache::AUTHMEMROLEMEM,
        Cache::DATABASEOID,
    ];
    // SAFETY: registers functions that live as long as the backend.
    unsafe {
        for cache in looked_at {
            pg_sys::CacheRegisterSyscacheCallback(
                cache as c_int,
                Some(forget_syscache),
                pg_sys::Datum::null(),
            );
        }
        pg_sys::CacheRegisterRelcacheCallback(Some(forget_relcache), pg_sys::Datum::null());
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn forget_syscache(_arg: pg_sys::Datum, _cache: c_int, _hash: u32) {
    CHECKED.with_borrow_mut(HashMap::clear);
    citus::forget();
}

#[pg_guard]
unsafe extern "C-unwind" fn forget_relcache(_arg: pg_sys::Datum, _relation: pg_sys::Oid) {
    CHECKED.with_borrow_mut(HashMap::clear);
    citus::forget();
}

/// The schema of the lead tables, quoted; an error where they are not complete, or others may put functions there.
fn schema_of(extension_schema: &str, leads: pg_sys::Oid) -> String {
    let leads = citus::of_shard(leads);
    // SAFETY: hears of what others have committed.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    if let Some(checked) = CHECKED.with_borrow(|checked| checked.get(&leads).cloned()) {
        return checked;
    }
    let schema = check(extension_schema, leads);
    CHECKED.with_borrow_mut(|checked| checked.insert(leads, schema.clone()));
    schema
}

fn check(extension_schema: &str, leads: pg_sys::Oid) -> String {
    let call = "lead_phones_model($1::pg_catalog.regclass)";
    let column = "pg_catalog.quote_ident(found)";
    let found = actions::look_up(extension_schema, column, call, &[leads.into()], |row| {
        row.get::<&[u8]>(1)
            .map(|name| text::from_server(name).into_owned())
    });
    found
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| report::table_is_gone(&text::table_name(leads)))
}

/// How its statements are planned.
pub(crate) enum Plans {
    /// Once, for few rows: also where the tables were empty then, each is found by an index.
    Kept,
    /// Again, for as many rows as there are.
    Custom,
}

/// Runs the closure as the owner of lead tables, with their schema in the search_path.
pub(crate) fn as_owner<T>(
    extension_schema: &str,
    leads: pg_sys::Oid,
    owner: pg_sys::Oid,
    restricted: Restricted,
    plans: Plans,
    run: impl FnOnce() -> T,
) -> T {
    if citus::is_elsewhere(leads) {
        report::fail(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            format!(
                "the lead tables of {} are on another node",
                text::table_name(leads)
            ),
            "Citus has placed them there, and their rules run beside them.".into(),
            "Use the procedures and functions of lead_phones, which go to that node by themselves."
                .into(),
        )
    }
    let _local = citus::enter(leads);
    // pg_catalog comes first where it is not named; objects are created in the schema that is.
    let path = format!("{}, pg_temp", schema_of(extension_schema, leads));
    let path = text::to_server(&path);
    let mut settings = vec![(c"search_path", &*path)];
    match plans {
        // A scan that cannot be avoided seems to cost so much that it would be compiled.
        Plans::Kept => settings.extend([KEPT_PLANS, (c"enable_seqscan", c"off"), (c"jit", c"off")]),
        // Not by force: so would be the checks of foreign keys, each time.
        Plans::Custom => {
            // SAFETY: as DISCARD PLANS does it; plans in use stay until they are done.
            unsafe { pg_sys::ResetPlanCache() };
            settings.extend([(c"plan_cache_mode", c"auto"), (c"enable_seqscan", c"on")]);
        }
    }
    if citus::is_local() {
        // Citus asks whether a shard is meant where something else than itself writes it.
        settings.push((c"citus.enable_manual_changes_to_shards", c"on"));
    }
    owner::switch(owner, restricted, &settings, run)
}
