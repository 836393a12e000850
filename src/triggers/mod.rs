//! The triggers of a tracked table. `track_lead_phones()` creates them; see `sql/install/tracking`.

mod call;
mod campaign;
mod column;
mod columns;
mod count;
mod counts;
mod deltas;
mod keep_out;
mod marks;
mod normalize;
mod pending;
mod reads;
mod region;
mod resolved;
mod settings;
mod split;
mod target;
mod watch;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::pg_sys;
use pgrx::pg_sys::FunctionCallInfo;
use pgrx::prelude::*;

use call::TriggerCall;
use settings::Settings;

use crate::backend::text;
use crate::functions::Jsonb;

/// Has Postgres call us when transactions end, and before statements that may look at the counts.
pub(crate) fn install() {
    pending::install();
    reads::install();
    watch::install();
    counts::install();
}

/// What a trigger function returns: the row to write, or nothing.
struct TriggerResult(pg_sys::Datum);

// SAFETY: a trigger's result is a HeapTuple pointer or 0, never SQL NULL.
unsafe impl BoxRet for TriggerResult {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

pgrx::impl_sql_translatable!(TriggerResult, "trigger");

#[pg_extern(sql = false)]
fn lead_phones_normalize(fcinfo: FunctionCallInfo) -> TriggerResult {
    // SAFETY: Postgres's own call info, used during the call.
    let call = unsafe { TriggerCall::new(fcinfo, "lead_phones_normalize", true) };
    let _local = call.enter();
    TriggerResult(pg_sys::Datum::from(normalize::normalize(&call)))
}

#[pg_extern(sql = false)]
fn lead_phones_count(fcinfo: FunctionCallInfo) -> TriggerResult {
    // SAFETY: Postgres's own call info, used during the call.
    let call = unsafe { TriggerCall::new(fcinfo, "lead_phones_count", false) };
    let _local = call.enter();
    count::count(&call);
    TriggerResult(pg_sys::Datum::null())
}

#[pg_extern(sql = false)]
fn lead_phones_split(fcinfo: FunctionCallInfo) -> TriggerResult {
    // SAFETY: Postgres's own call info, used during the call.
    let call = unsafe { TriggerCall::new(fcinfo, "lead_phones_split", false) };
    let _local = call.enter();
    split::split(&call);
    TriggerResult(pg_sys::Datum::null())
}

#[pg_extern(sql = false)]
fn lead_phones_keep_out(fcinfo: FunctionCallInfo) -> TriggerResult {
    // SAFETY: Postgres's own call info, used during the call.
    let call = unsafe { TriggerCall::new(fcinfo, "lead_phones_keep_out", false) };
    let _local = call.enter();
    keep_out::keep_out(&call);
    TriggerResult(pg_sys::Datum::null())
}

#[pg_extern(sql = false)]
fn lead_phones_keep_out_before(fcinfo: FunctionCallInfo) -> TriggerResult {
    // SAFETY: Postgres's own call info, used during the call.
    let call = unsafe { TriggerCall::new(fcinfo, "lead_phones_keep_out_before", true) };
    let _local = call.enter();
    TriggerResult(pg_sys::Datum::from(keep_out::keep_account(&call)))
}

/// Writes what the transaction has changed in the counts, for what compares them with the leads.
#[pg_extern(sql = false)]
fn lead_phones_write_counts() {
    pending::write();
}

/// The settings in `pg_trigger.tgargs`: each argument followed by a NUL byte.
#[pg_extern(sql = false)]
fn lead_phones_settings(trigger_args: &[u8]) -> Result<Option<Jsonb>, serde_json::Error> {
    let args: Vec<String> = trigger_args
        .split(|byte| *byte == 0)
        .map(|arg| text::from_server(arg).into_owned())
        .collect();
    Settings::from_args(&args)
        .ok()
        .map(|settings| serde_json::to_value(settings).map(Jsonb))
        .transpose()
}
