//! The SQL functions on numbers, and on what people and companies are matched by: thin calls into `phone` and `keys`. Their SQL
//! declarations are in `sql/install/1_numbers.sql` and `8_lead_tables.sql`.
//!
//! Arguments of type `text` are bytes in the server encoding, which need not be UTF-8 (see `text`).

use std::borrow::Cow;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::phone::{self, DefaultRegion, E164, Problem, Style};
use crate::text::{self, ServerText, text_datum};
use crate::{keys, report};

/// A number on its way out, as a datum of the domain `e164`.
struct PhoneDatum(E164);

// SAFETY: box_into returns a text datum allocated in the caller's memory context.
unsafe impl BoxRet for PhoneDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: the datum is the function's result, and a text as its declaration says.
        unsafe { fcinfo.return_raw_datum(text_datum(self.0.as_bytes())) }
    }
}

pgrx::impl_sql_translatable!(PhoneDatum, "text");

/// Text on its way out, in the server's encoding.
struct TextDatum(String);

// SAFETY: box_into returns a text datum allocated in the caller's memory context.
unsafe impl BoxRet for TextDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        let text = text::to_server(&self.0);
        // SAFETY: the datum is the function's result, and a text as its declaration says.
        unsafe { fcinfo.return_raw_datum(text_datum(text.as_bytes())) }
    }
}

pgrx::impl_sql_translatable!(TextDatum, "text");

/// JSON on its way out, in the server's encoding.
pub(crate) struct Jsonb(pub(crate) serde_json::Value);

// SAFETY: box_into returns a jsonb datum allocated in the caller's memory context.
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        let jsonb = jsonb_datum(&self.0);
        // SAFETY: the datum is the function's result, and a jsonb as its declaration says.
        unsafe {
            match jsonb {
                Some(jsonb) => fcinfo.return_raw_datum(jsonb),
                None => fcinfo.return_null(),
            }
        }
    }
}

/// A jsonb datum in the current memory context.
pub(crate) fn jsonb_datum(value: &serde_json::Value) -> Option<pg_sys::Datum> {
    let json = text::to_server(&value.to_string());
    // SAFETY: jsonb_in reads a C string; valid JSON does not fail, and an error does not return.
    unsafe {
        pgrx::direct_function_call_as_datum(
            pg_sys::jsonb_in,
            &[Some(pg_sys::Datum::from(json.as_ptr()))],
        )
    }
}

pgrx::impl_sql_translatable!(Jsonb, "jsonb");

/// The valid number that a text in the server encoding spells. Decodes the text only where that is needed.
pub(crate) fn normalize(raw: &[u8], region: DefaultRegion) -> Result<E164, Problem> {
    phone::normalize_ascii(raw, region)
        .unwrap_or_else(|| phone::normalize(&text::from_server(raw), region))
}

#[pg_extern(sql = false)]
fn normalize_phone(raw: ServerText, region: ServerText) -> PhoneDatum {
    match normalize(raw.0, DefaultRegion::from_code(region.0)) {
        Ok(number) => PhoneDatum(number),
        Err(problem) => report::not_a_phone_number(&text::from_server(raw.0), problem),
    }
}

#[pg_extern(sql = false)]
fn try_normalize_phone(raw: ServerText, region: ServerText) -> Option<PhoneDatum> {
    let number = normalize(raw.0, DefaultRegion::from_code(region.0));
    number.ok().map(PhoneDatum)
}

#[pg_extern(sql = false)]
fn phone_problem(raw: Option<ServerText>, region: Option<ServerText>) -> Option<&'static str> {
    let raw = raw?;
    let Some(region) = region else {
        return Some(Problem::UnknownRegion.code());
    };
    let number = normalize(raw.0, DefaultRegion::from_code(region.0));
    number.err().map(Problem::code)
}

#[pg_extern(sql = false)]
fn phone_info(raw: ServerText, region: ServerText) -> Result<Jsonb, serde_json::Error> {
    let region = DefaultRegion::from_code(region.0);
    let description = phone::describe(&text::from_server(raw.0), region);
    serde_json::to_value(description).map(Jsonb)
}

#[pg_extern(sql = false)]
fn format_phone(number: ServerText, style: ServerText) -> String {
    let style_name = text::from_server(style.0);
    match Style::from_name(&style_name) {
        Some(style) => phone::format(&text::from_server(number.0), style),
        None => report::unknown_style(&style_name),
    }
}

#[pg_extern(sql = false)]
fn phone_region(number: ServerText) -> Option<&'static str> {
    phone::region_of(&text::from_server(number.0))
}

#[pg_extern(sql = false)]
fn phone_type(number: ServerText) -> Option<&'static str> {
    phone::kind_of(&text::from_server(number.0))
}

#[pg_extern(sql = false)]
fn phone_time_zones(number: ServerText) -> Option<Vec<&'static str>> {
    phone::time_zones_of(&text::from_server(number.0)).map(Iterator::collect)
}

/// A text that something is matched by. `None` where it has bytes that are no characters: two such texts would look the same.
fn whole(raw: ServerText<'_>) -> Option<Cow<'_, str>> {
    let text = text::from_server(raw.0);
    (!text.contains(char::REPLACEMENT_CHARACTER)).then_some(text)
}

#[pg_extern(sql = false)]
fn lead_phones_domain(raw: ServerText) -> Option<TextDatum> {
    keys::domain_of(&whole(raw)?).map(TextDatum)
}

#[pg_extern(sql = false)]
fn lead_phones_email(raw: ServerText) -> Option<TextDatum> {
    keys::email_of(&whole(raw)?).map(|email| TextDatum(email.to_owned()))
}

#[pg_extern(sql = false)]
fn lead_phones_company_key(name: ServerText) -> Option<TextDatum> {
    let name = whole(name)?;
    let key = keys::company_key(&name)?;
    if text::try_to_server(&key).is_some() {
        return Some(TextDatum(key));
    }
    // Of a letter that the server's encoding has in upper case alone, that.
    let letters = name.chars().filter_map(|letter| {
        let lower = keys::company_key(letter.encode_utf8(&mut [0; 4]))?;
        Some(match text::try_to_server(&lower) {
            Some(_) => lower,
            None => letter.to_string(),
        })
    });
    Some(TextDatum(letters.take(keys::MAX_KEY / 2).collect()))
}

#[pg_extern(sql = false)]
fn lead_phones_version() -> String {
    format!(
        "lead_phones {}, phone metadata {}",
        env!("CARGO_PKG_VERSION"),
        phone::METADATA_VERSION
    )
}
