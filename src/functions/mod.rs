//! The SQL functions on numbers, and on what people and companies are matched by: thin calls into `phone` and `keys`. Their SQL
//! declarations are in `sql/install/numbers` and `lead_tables`.
//!
//! Arguments of type `text` are bytes in the server encoding, which need not be UTF-8 (see `text`).

mod hours;

use std::borrow::Cow;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::backend::report;
use crate::backend::text::{self, ServerText, text_datum};
use crate::phone::{self, DefaultRegion, E164, Problem, Style};
use crate::{hashes, keys};

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

/// Text on its way out, as bytes of the server's encoding.
struct BytesDatum(Vec<u8>);

// SAFETY: box_into returns a text datum allocated in the caller's memory context.
unsafe impl BoxRet for BytesDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: the datum is the function's result, and a text as its declaration says.
        unsafe { fcinfo.return_raw_datum(text_datum(&self.0)) }
    }
}

pgrx::impl_sql_translatable!(BytesDatum, "text");

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

/// The extension beside the valid number that a text in the server encoding spells.
pub(crate) fn extension(raw: &[u8], region: DefaultRegion) -> Option<String> {
    phone::extension(&text::from_server(raw), region)
}

#[pg_extern(sql = false)]
fn phone_extension(raw: ServerText, region: ServerText) -> Option<String> {
    extension(raw.0, DefaultRegion::from_code(region.0))
}

#[pg_extern(sql = false)]
fn normalize_phone(raw: ServerText, region: ServerText) -> PhoneDatum {
    match normalize(raw.0, DefaultRegion::from_code(region.0)) {
        Ok(number) => PhoneDatum(number),
        Err(problem) => report::not_a_phone_number(
            &text::from_server(raw.0),
            &text::from_server(region.0),
            problem,
        ),
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

/// A key as it can be stored: a domain that the server's encoding has no letters for in the form in which it is looked up, other letters that it
/// lacks by their numbers.
fn storable(key: String) -> TextDatum {
    let storable = |text: &str| text::try_to_server(text).is_some();
    if storable(&key) {
        return TextDatum(key);
    }
    let (local, domain) = key.rsplit_once('@').unwrap_or(("", &key));
    let host = keys::ascii(domain);
    let whole = match local {
        "" => host,
        local => format!("{local}@{host}"),
    };
    let letters = whole.chars().map(|letter| {
        let mut bytes = [0; 4];
        match letter.encode_utf8(&mut bytes) {
            known if storable(known) => known.to_owned(),
            _ => format!("{:x}", u32::from(letter)),
        }
    });
    TextDatum(letters.collect())
}

#[pg_extern(sql = false)]
fn lead_phones_domain(raw: ServerText) -> Option<TextDatum> {
    keys::domain_of(&whole(raw)?).map(storable)
}

#[pg_extern(sql = false)]
fn lead_phones_domains_above(raw: ServerText) -> Vec<String> {
    let raw = whole(raw);
    let domains = raw.map_or_else(Vec::new, |raw| keys::domains_above(&raw));
    domains
        .into_iter()
        .map(|domain| storable(domain).0)
        .collect()
}

#[pg_extern(sql = false)]
fn lead_phones_email(raw: ServerText) -> Option<TextDatum> {
    keys::email_of(&whole(raw)?).map(storable)
}

#[pg_extern(sql = false)]
fn lead_phones_email_key(raw: ServerText) -> Option<TextDatum> {
    keys::email_key(&whole(raw)?).map(storable)
}

#[pg_extern(sql = false)]
fn lead_phones_company_key(name: ServerText) -> Option<TextDatum> {
    let key = storable(keys::company_key(&whole(name)?)?);
    Some(TextDatum(keys::start_of(key.0)))
}

/// By what a person is meant in the ledger of lead tables, of whom these are known: row, address, name and numbers; row, name and
/// domain of the company; and the domains above. What follows from a row is also said of its campaign alone, where one is named.
#[pg_extern(sql = false)]
#[expect(
    clippy::too_many_arguments,
    reason = "the columns of a contact and of its account"
)]
fn lead_phones_subjects(
    campaign: Option<i64>,
    contact: Option<i64>,
    email: Option<ServerText>,
    name: Option<ServerText>,
    phone: Option<ServerText>,
    mobile: Option<ServerText>,
    account: Option<i64>,
    company_key: Option<ServerText>,
    domain: Option<ServerText>,
) -> Vec<String> {
    let of_row = |kind: &str, value: &str| {
        let everywhere = format!("{kind} {value}");
        let here = campaign.map(|campaign| format!("{everywhere} in campaign {campaign}"));
        [Some(everywhere), here].into_iter().flatten()
    };
    let text = |raw: Option<ServerText>| raw.and_then(whole).map(Cow::into_owned);
    let (email, domain) = (text(email), text(domain));
    let mut subjects = Vec::new();
    subjects.extend(
        contact
            .iter()
            .flat_map(|id| of_row("contact", &id.to_string())),
    );
    if let Some(key) = email.as_deref().and_then(keys::email_key) {
        subjects.extend(of_row("email", &storable(key).0));
    }
    let name = text(name).and_then(|name| keys::company_key(&name));
    let name = name.map_or(String::new(), |name| storable(name).0);
    for number in [phone, mobile].into_iter().filter_map(text) {
        subjects.extend(of_row("person", &format!("{name} {number}")));
    }
    subjects.extend(
        account
            .iter()
            .flat_map(|id| of_row("account", &id.to_string())),
    );
    subjects.extend(text(company_key).map(|key| format!("company {key}")));
    let texts = [email, domain].into_iter().flatten();
    let domains = texts.flat_map(|text| keys::domains_above(&text));
    subjects.extend(domains.map(|domain| format!("domain {}", storable(domain).0)));
    subjects
}

/// The bytes of a value without what surrounds it. Of a text that cannot be read, as it is.
#[pg_extern(sql = false)]
fn lead_phones_trimmed(raw: ServerText) -> Option<BytesDatum> {
    let start = text::from_server(raw.0);
    let shown = keys::trimmed(&start)?;
    Some(BytesDatum(match start {
        Cow::Borrowed(_) => shown.as_bytes().to_vec(),
        Cow::Owned(_) => raw.0.trim_ascii().to_vec(),
    }))
}

#[pg_extern(sql = false)]
fn lead_phones_keys(phone: ServerText) -> Vec<i64> {
    let phone = E164::from_text(phone.0);
    phone.map_or_else(Vec::new, |phone| hashes::keys_of(&phone).to_vec())
}

#[pg_extern(sql = false)]
fn lead_phones_key_from_hex(hash: ServerText) -> Option<i64> {
    hashes::key_from_hex(&text::from_server(hash.0))
}

#[pg_extern(sql = false)]
fn lead_phones_regions() -> Vec<&'static str> {
    DefaultRegion::codes().collect()
}

#[pg_extern(sql = false)]
fn lead_phones_version() -> String {
    format!(
        "lead_phones {}, phone metadata {}",
        env!("CARGO_PKG_VERSION"),
        phone::METADATA_VERSION
    )
}
