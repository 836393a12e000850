//! The SQL functions on numbers: thin calls into `phone`. Their SQL declarations are in `sql/install/1_numbers.sql`.
//!
//! Arguments of type `text` are declared `&[u8]`: a text datum has the layout of a bytea, and its bytes need not be
//! UTF-8 (see `text`).

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::phone::{self, DefaultRegion, E164, Problem, Style};
use crate::{report, text};

/// A number on its way out, as a datum of the domain `e164`.
struct PhoneDatum(E164);

// SAFETY: box_into returns a text datum allocated in the caller's memory context.
unsafe impl BoxRet for PhoneDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: the datum is the function's result, and a text as its declaration says.
        unsafe { fcinfo.return_raw_datum(text_datum(&self.0)) }
    }
}

pgrx::impl_sql_translatable!(PhoneDatum, "text");

/// JSON on its way out, in the server's encoding.
pub(crate) struct Jsonb(pub(crate) serde_json::Value);

// SAFETY: box_into returns a jsonb datum allocated in the caller's memory context.
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        let json = text::to_server(&self.0.to_string());
        // SAFETY: jsonb_in reads a C string; valid JSON does not fail, and an error does not return.
        unsafe {
            let jsonb = pgrx::direct_function_call_as_datum(
                pg_sys::jsonb_in,
                &[Some(pg_sys::Datum::from(json.as_ptr()))],
            );
            match jsonb {
                Some(jsonb) => fcinfo.return_raw_datum(jsonb),
                None => fcinfo.return_null(),
            }
        }
    }
}

pgrx::impl_sql_translatable!(Jsonb, "jsonb");

/// A text datum of ASCII bytes, in the current memory context.
pub(crate) fn text_datum(ascii: &str) -> pg_sys::Datum {
    // SAFETY: the function copies `len` bytes.
    unsafe { pg_sys::cstring_to_text_with_len(ascii.as_ptr().cast(), ascii.len() as i32).into() }
}

fn region_from(code: &[u8]) -> DefaultRegion {
    core::str::from_utf8(code).map_or(DefaultRegion::NONE, DefaultRegion::from_code)
}

#[pg_extern(sql = false)]
fn normalize_phone(raw: &[u8], region: &[u8]) -> PhoneDatum {
    let raw = text::from_server(raw);
    match phone::normalize(&raw, region_from(region)) {
        Ok(number) => PhoneDatum(number),
        Err(problem) => report::not_a_phone_number(&raw, problem),
    }
}

#[pg_extern(sql = false)]
fn try_normalize_phone(raw: &[u8], region: &[u8]) -> Option<PhoneDatum> {
    phone::normalize(&text::from_server(raw), region_from(region))
        .ok()
        .map(PhoneDatum)
}

#[pg_extern(sql = false)]
fn phone_problem(raw: Option<&[u8]>, region: Option<&[u8]>) -> Option<&'static str> {
    let raw = raw?;
    let Some(region) = region else {
        return Some(Problem::UnknownRegion.code());
    };
    phone::normalize(&text::from_server(raw), region_from(region))
        .err()
        .map(Problem::code)
}

#[pg_extern(sql = false)]
fn phone_info(raw: &[u8], region: &[u8]) -> Result<Jsonb, serde_json::Error> {
    let description = phone::describe(&text::from_server(raw), region_from(region));
    serde_json::to_value(description).map(Jsonb)
}

#[pg_extern(sql = false)]
fn format_phone(number: &[u8], style: &[u8]) -> String {
    let style_name = text::from_server(style);
    match Style::from_name(&style_name) {
        Some(style) => phone::format(&text::from_server(number), style),
        None => report::unknown_style(&style_name),
    }
}

#[pg_extern(sql = false)]
fn phone_region(number: &[u8]) -> Option<&'static str> {
    phone::region_of(&text::from_server(number))
}

#[pg_extern(sql = false)]
fn phone_type(number: &[u8]) -> Option<&'static str> {
    phone::kind_of(&text::from_server(number))
}

#[pg_extern(sql = false)]
fn lead_phones_version() -> String {
    format!(
        "lead_phones {}, phone metadata {}",
        env!("CARGO_PKG_VERSION"),
        phone::METADATA_VERSION
    )
}
