//! The procedures run with the rights of their callers, and end here. What they do is done as the owner of the tables: for a role that may act as that
//! owner, or was granted EXECUTE on the procedure. That PUBLIC may call it says nothing of whose tables.

use std::cell::Cell;

use pgrx::datum::DatumWithOid;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::{self, FunctionCallInfo};
use pgrx::prelude::*;

use crate::backend::owner::{Restricted, SEARCH_PATH, switch};
use crate::backend::restore::OnDrop;
use crate::backend::sql::Statement;
use crate::backend::{report, text};
use crate::{actions, citus};

/// What a procedure runs: `lead_phones_<function>(leads regclass, action text, arguments jsonb) RETURNS jsonb`.
struct Procedure {
    name: &'static str,
    /// The procedure that is granted.
    granted: &'static str,
    function: &'static str,
    action: &'static str,
    /// What is disqualified, of lead tables: no caller says otherwise.
    kind: Option<&'static str>,
}

const fn of_numbers(name: &'static str, action: &'static str) -> Procedure {
    Procedure {
        name,
        granted: name,
        function: "call",
        action,
        kind: None,
    }
}

const fn of_lead_tables(
    name: &'static str,
    granted: &'static str,
    action: &'static str,
    kind: &'static str,
) -> Procedure {
    Procedure {
        name,
        granted,
        function: "call_suppression",
        action,
        kind: Some(kind),
    }
}

const fn of_calls(name: &'static str) -> Procedure {
    Procedure {
        name,
        granted: name,
        function: "call_step",
        action: name,
        kind: None,
    }
}

const PROCEDURES: [Procedure; 16] = [
    of_numbers("disqualify_phone", "disqualify"),
    of_numbers("requalify_phone", "requalify"),
    of_numbers("expire_disqualifications", "expire"),
    of_lead_tables(
        "disqualify_account",
        "disqualify_account",
        "suppress",
        "account",
    ),
    of_lead_tables(
        "requalify_account",
        "requalify_account",
        "unsuppress",
        "account",
    ),
    of_lead_tables(
        "disqualify_contact",
        "disqualify_contact",
        "suppress",
        "contact",
    ),
    of_lead_tables(
        "requalify_contact",
        "requalify_contact",
        "unsuppress",
        "contact",
    ),
    of_lead_tables("suppress_phones", "suppress_phones", "suppress", "phone"),
    of_lead_tables(
        "unsuppress_phones",
        "unsuppress_phones",
        "unsuppress",
        "phone",
    ),
    of_lead_tables("suppress_domains", "suppress_domains", "suppress", "domain"),
    of_lead_tables(
        "unsuppress_domains",
        "unsuppress_domains",
        "unsuppress",
        "domain",
    ),
    of_lead_tables(
        "sync_phones",
        "sync_suppressed_values",
        "sync_phones",
        "phone",
    ),
    of_lead_tables(
        "sync_domains",
        "sync_suppressed_values",
        "sync_domains",
        "domain",
    ),
    of_calls("start_call"),
    of_calls("end_call"),
    of_calls("next_leads"),
];

/// Who has called which procedure.
#[derive(Clone, Copy)]
struct Call {
    caller: pg_sys::Oid,
    procedure: &'static Procedure,
}

thread_local! {
    static CALL: Cell<Option<Call>> = const { Cell::new(None) };
}

/// Runs a procedure for its caller. Which table is meant is found by name as a superuser; what is done to it is checked by
/// [`check_caller`]. The arguments, third of the SQL function, and the answer are jsonb that is passed on unread.
#[pg_extern(sql = false)]
fn lead_phones_run(
    leads: Option<pg_sys::Oid>,
    procedure: Option<&[u8]>,
    fcinfo: FunctionCallInfo,
) -> Option<Vec<u8>> {
    static KNOWN: &[Procedure] = &PROCEDURES;
    let known = KNOWN
        .iter()
        .find(|known| Some(known.name.as_bytes()) == procedure);
    let Some(procedure) = known else {
        report::fail(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!(
                "{} is not a procedure of lead_phones",
                report::shown(&text::from_server(procedure.unwrap_or_default()))
            ),
            "This function serves the procedures of lead_phones alone.".into(),
            "Use disqualify_phone(), or another of them.".into(),
        )
    };
    // SAFETY: Postgres's own call info; the third argument is a jsonb; reads backend state.
    let (schema, arguments, caller) = unsafe {
        (
            actions::extension_schema(fcinfo),
            DatumWithOid::new(pg_getarg_datum(fcinfo, 2), pg_sys::JSONBOID),
            pg_sys::GetUserId(),
        )
    };
    if let Some(leads) = leads.filter(|leads| citus::is_elsewhere_to_write(*leads)) {
        let function = spi::quote_qualified_identifier(&*schema, "lead_phones_run");
        return citus::send(
            leads,
            citus::Sent::Write,
            &function,
            &[text::argument(procedure.name), arguments],
        );
    }
    // SAFETY: the OID of a table, or NULL.
    let table = unsafe { DatumWithOid::new(leads.into_datum(), pg_sys::REGCLASSOID) };
    let before = CALL.replace(Some(Call { caller, procedure }));
    let _call = OnDrop(|| CALL.set(before));
    let function =
        spi::quote_qualified_identifier(&*schema, &*format!("lead_phones_{}", procedure.function));
    let statement = match procedure.kind {
        Some(_) => format!(
            "SELECT {function}($1, $2, $3 OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('kind', $4))"
        ),
        None => format!("SELECT {function}($1, $2, $3)"),
    };
    let mut args = vec![table, text::argument(procedure.action), arguments];
    args.extend(procedure.kind.map(text::argument));
    let superuser = pg_sys::Oid::from_u32(pg_sys::BOOTSTRAP_SUPERUSERID);
    switch(
        superuser,
        Restricted::No,
        // campaigns are passed as text
        &[
            (c"search_path", SEARCH_PATH),
            (c"datestyle", c"ISO, YMD"),
            (c"intervalstyle", c"postgres"),
            (c"extra_float_digits", c"1"),
        ],
        || {
            Statement::new(&statement, &args)
                // a jsonb, copied before SPI frees it
                .rows(|rows| rows.first(|row| row.get(1)))
                .flatten()
        },
    )
}

/// Before something is done as an owner: an error where a procedure is called by a role that may not act as the owner, and was not granted it. What the
/// extension does by itself has no such caller.
pub(crate) fn check_caller(schema: &str, owner: pg_sys::Oid) {
    let Some(Call { caller, procedure }) = CALL.get() else {
        return;
    };
    // SAFETY: catalog look-ups.
    if unsafe { pg_sys::superuser_arg(caller) || pg_sys::has_privs_of_role(caller, owner) } {
        return;
    }
    let args = [text::argument(procedure.granted), caller.into()];
    let call = "lead_phones_refusal($1::pg_catalog.name, $2)";
    let refusal: Vec<Option<String>> =
        actions::look_up(schema, "found", call, &args, |row| row.get(1));
    if let Some(hint) = refusal.into_iter().flatten().next() {
        report::fail(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("permission denied for procedure {}", procedure.granted),
            "The tables are somebody else's, and the procedure was not granted.".into(),
            hint,
        )
    }
}
