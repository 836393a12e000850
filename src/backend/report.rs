//! The one seam from what went wrong to SQLSTATE, message, DETAIL and HINT.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::backend::text;
use crate::phone::{Problem, Style};

/// Most characters of a user's value that a message repeats.
const MAX_SHOWN_CHARS: usize = 64;

/// Fails the statement.
pub(crate) fn fail(code: PgSqlErrorCode, message: String, detail: String, hint: String) -> ! {
    // Messages are not converted: what the server's encoding may not have must not get into one.
    let sendable = |text: String| {
        if text.is_ascii() || text::server_encoding_is_utf8() {
            text
        } else {
            text.replace(|c: char| !c.is_ascii(), "?")
        }
    };
    ErrorReport::new(code, sendable(message), "lead_phones")
        .set_detail(sendable(detail))
        .set_hint(sendable(hint))
        .report(PgLogLevel::ERROR);
    unreachable!("an ERROR does not return")
}

/// A table was dropped while it was waited for.
pub(crate) fn table_is_gone(table: &str) -> ! {
    fail(
        PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
        format!("table \"{table}\" does not exist"),
        "It was dropped while this waited for it.".into(),
        "Name a table that is tracked; the view lead_phone_tables lists them.".into(),
    )
}

/// `normalize_phone()` found no valid number.
pub(crate) fn not_a_phone_number(raw: &str, region: &str, problem: Problem) -> ! {
    let region = region.trim();
    let is_unknown = matches!(problem, Problem::UnknownRegion)
        && !region.is_empty()
        && !region.eq_ignore_ascii_case("ZZ");
    fail(
        sqlstate(problem),
        format!("{} is not a valid phone number", shown(raw)),
        match is_unknown {
            true => format!(
                "The number is written without a country code, and {} is no region. ({})",
                shown(region),
                problem.code()
            ),
            false => detail(problem),
        },
        match is_unknown {
            true => "Name the region by its code of ISO 3166-1 alpha-2, such as US or GB.".into(),
            false => "Use try_normalize_phone() to get NULL instead of this error.".into(),
        },
    )
}

/// A tracked column rejects the value.
pub(crate) fn rejected_phone(column: &str, table: &str, raw: &str, problem: Problem) -> ! {
    fail(
        sqlstate(problem),
        format!(
            "column \"{column}\" of table \"{table}\" rejects {}, which is not a valid phone number",
            shown(raw)
        ),
        detail(problem),
        "Correct the number, or track the table with on_invalid => 'keep' or 'null'.".into(),
    )
}

/// `format_phone()` was asked for a style there is none of.
pub(crate) fn unknown_style(name: &str) -> ! {
    fail(
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("{} is not a style of phone numbers", shown(name)),
        "The name of a style is matched exactly.".into(),
        format!("Use one of: {}.", Style::NAMES),
    )
}

fn sqlstate(problem: Problem) -> PgSqlErrorCode {
    match problem {
        Problem::EngineFailure => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        _ => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
    }
}

fn detail(problem: Problem) -> String {
    format!("{problem} ({})", problem.code())
}

/// A value as a message shows it: quoted, cut, without control characters.
pub(crate) fn shown(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars().take(MAX_SHOWN_CHARS) {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    if value.chars().nth(MAX_SHOWN_CHARS).is_some() {
        out.push_str("...");
    }
    out.push('"');
    out
}
