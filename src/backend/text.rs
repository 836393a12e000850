//! The seam between the server's encoding and Rust's UTF-8.
//!
//! Text reaches Rust as bytes in the server encoding, which is UTF-8 in most databases, anything in the rest, and not
//! checked at all under `SQL_ASCII`. Reading raises no error, whatever the bytes.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::{DatumWithOid, FromDatum};
use pgrx::{pg_sys, varlena};

use crate::backend::report;

/// A text argument: its bytes, in the server encoding. Unlike pgrx's own types, it calls nothing to look at a text that is
/// not toasted.
#[derive(Clone, Copy)]
pub(crate) struct ServerText<'a>(pub(crate) &'a [u8]);

impl<'a> FromDatum for ServerText<'a> {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the datum is a text, as the caller promises and the function's SQL declaration says; its bytes live as
        // long as the call.
        Some(Self(unsafe { datum_bytes(datum) }))
    }
}

/// The bytes of a text datum, detoasted where needed. Calls nothing where not.
///
/// # Safety
/// The datum is a text (or varchar, or bpchar), and `'a` does not outlive its memory.
pub(crate) unsafe fn datum_bytes<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut text = datum.cast_mut_ptr::<pg_sys::varlena>();
        if varlena::varatt_is_1b_e(text) || varlena::varatt_is_4b_c(text) {
            text = pg_sys::pg_detoast_datum_packed(text);
        }
        let len = varlena::varsize_any_exhdr(text);
        core::slice::from_raw_parts(varlena::vardata_any(text).cast::<u8>(), len)
    }
}

// SAFETY: unboxes a text through FromDatum, and only one that is not NULL.
unsafe impl<'fcx> ArgAbi<'fcx> for ServerText<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise; the argument is not NULL.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(Self(&[]))
    }
}

pgrx::impl_sql_translatable!(ServerText<'_>, "text");

/// Most characters that anything reads, of a text that must be converted: more than Google's limit of 250.
const MAX_CHARS: usize = 256;

/// Bytes of the server encoding as UTF-8. What cannot be converted becomes U+FFFD, and of a long text that must be
/// converted only the start is: nobody reads more, and the copy of a large one could exhaust the memory.
pub(crate) fn from_server(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = core::str::from_utf8(bytes)
        && (text.is_ascii() || server_encoding_is_utf8())
    {
        return Cow::Borrowed(text);
    }
    let start = start(bytes);
    // SAFETY: GetDatabaseEncoding reads a backend-wide setting.
    let encoding = unsafe { pg_sys::GetDatabaseEncoding() };
    if server_encoding_is_sql_ascii() || server_encoding_is_utf8() {
        return String::from_utf8_lossy(start);
    }
    Cow::Owned(convert(start, encoding))
}

/// What is read of a text: so many characters, behind so many of the blanks before them that a text of blanks and
/// one of blanks and something else are told apart.
fn start(bytes: &[u8]) -> &[u8] {
    /// No character of a server encoding has more bytes.
    const MAX_CHAR_BYTES: usize = 4;
    let blanks = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let bytes = &bytes[blanks.saturating_sub(MAX_CHARS)..];
    &bytes[..bytes.len().min(2 * MAX_CHARS * MAX_CHAR_BYTES)]
}

/// A name from a Postgres C string.
///
/// # Safety
/// `text` points to a NUL-terminated string.
pub(crate) unsafe fn name_from_server(text: *const core::ffi::c_char) -> String {
    // SAFETY: the caller's promise.
    from_server(unsafe { CStr::from_ptr(text) }.to_bytes()).into_owned()
}

/// The name that a table has now, qualified and quoted; an error where it is gone.
pub(crate) fn table_name(table: pg_sys::Oid) -> String {
    // SAFETY: catalog look-ups by OID; what there is not has no name.
    unsafe {
        let name = pg_sys::get_rel_name(table);
        let schema = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(table));
        if name.is_null() || schema.is_null() {
            report::table_is_gone(&format!("with OID {}", table.to_u32()))
        }
        pgrx::spi::quote_qualified_identifier(name_from_server(schema), name_from_server(name))
    }
}

/// UTF-8 as a C string of the server encoding, for names and SQL.
pub(crate) fn to_server(text: &str) -> CString {
    let bytes = text.replace('\0', "");
    if bytes.is_ascii() || server_encoding_is_utf8() {
        return CString::new(bytes).unwrap_or_default();
    }
    // SAFETY: pg_any_to_server reads `len` bytes and returns either its argument or a palloc'd NUL-terminated copy;
    // the argument is NUL-terminated and lives to the end of the block.
    unsafe {
        let utf8 = CString::new(bytes).unwrap_or_default();
        let len = utf8.as_bytes().len() as c_int;
        let converted =
            pg_sys::pg_any_to_server(utf8.as_ptr(), len, pg_sys::pg_enc::PG_UTF8 as c_int);
        CStr::from_ptr(converted).to_owned()
    }
}

/// A text as an argument of a statement.
pub(crate) fn argument(text: &str) -> DatumWithOid<'static> {
    let datum = text_datum(to_server(text).as_bytes());
    // SAFETY: a text datum, in the memory context of the caller.
    unsafe { DatumWithOid::new(datum, pg_sys::TEXTOID) }
}

/// Texts as an argument of a statement.
pub(crate) fn array_argument(texts: &[&str]) -> DatumWithOid<'static> {
    let mut datums: Vec<pg_sys::Datum> = texts
        .iter()
        .map(|text| text_datum(to_server(text).as_bytes()))
        .collect();
    // SAFETY: copies the elements, which are texts, into an array in the memory context of the caller.
    unsafe {
        let array = pg_sys::construct_array(
            datums.as_mut_ptr(),
            datums.len() as c_int,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as core::ffi::c_char,
        );
        DatumWithOid::new(pg_sys::Datum::from(array), pg_sys::TEXTARRAYOID)
    }
}

/// A text datum of bytes in the server's encoding, in the current memory context.
pub(crate) fn text_datum(content: &[u8]) -> pg_sys::Datum {
    let size = pg_sys::VARHDRSZ + content.len();
    // SAFETY: the allocation has room for the header and the bytes.
    unsafe {
        let text = pg_sys::palloc(size).cast::<pg_sys::varlena>();
        pgrx::set_varsize_4b(text, size as i32);
        let bytes = text.byte_add(pg_sys::VARHDRSZ).cast::<u8>();
        bytes.copy_from_nonoverlapping(content.as_ptr(), content.len());
        text.into()
    }
}

/// UTF-8 in the server encoding; `None` where that lacks a character.
pub(crate) fn try_to_server(text: &str) -> Option<CString> {
    if text.is_ascii() || server_encoding_is_utf8() || server_encoding_is_sql_ascii() {
        return Some(to_server(text));
    }
    let utf8 = pg_sys::pg_enc::PG_UTF8 as c_int;
    // SAFETY: reads a backend-wide setting, and looks the conversion up in the catalog.
    let (encoding, function) = unsafe {
        let encoding = pg_sys::GetDatabaseEncoding();
        (encoding, pg_sys::FindDefaultConversionProc(utf8, encoding))
    };
    let mut buffer = vec![0u8; text.len() * MAX_GROWTH + 1];
    let taken = convert_start(function, text.as_bytes(), utf8, encoding, &mut buffer);
    if taken < text.len() {
        return None;
    }
    CStr::from_bytes_until_nul(&buffer).ok().map(CStr::to_owned)
}

/// No conversion makes a byte longer than this (`MAX_CONVERSION_GROWTH`).
const MAX_GROWTH: usize = 4;

/// Whether the server keeps bytes as they come, which are UTF-8 as a rule.
fn server_encoding_is_sql_ascii() -> bool {
    // SAFETY: GetDatabaseEncoding reads a backend-wide setting.
    unsafe { pg_sys::GetDatabaseEncoding() == pg_sys::pg_enc::PG_SQL_ASCII as c_int }
}

/// Whether a message can hold text of any script as it is.
pub(crate) fn server_encoding_is_utf8() -> bool {
    // SAFETY: GetDatabaseEncoding reads a backend-wide setting.
    unsafe { pg_sys::GetDatabaseEncoding() == pg_sys::pg_enc::PG_UTF8 as c_int }
}

/// Converts with the server's own conversion, without its errors.
fn convert(bytes: &[u8], encoding: c_int) -> String {
    let utf8 = pg_sys::pg_enc::PG_UTF8 as c_int;
    // SAFETY: looks the conversion up in the catalog.
    let function = unsafe { pg_sys::FindDefaultConversionProc(encoding, utf8) };
    let mut buffer = vec![0u8; bytes.len() * MAX_GROWTH + 1];
    let mut text = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let taken = convert_start(function, rest, encoding, utf8, &mut buffer);
        let converted = buffer.split(|byte| *byte == 0).next().unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(converted));
        rest = &rest[taken..];
        if !rest.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            rest = &rest[char_len(rest, encoding).min(rest.len())..];
        }
    }
    text
}

/// Writes the start of the text that can be converted, and a NUL, into the buffer. Returns how many bytes that were. Without a
/// conversion function, ASCII can be.
fn convert_start(
    function: pg_sys::Oid,
    bytes: &[u8],
    from: c_int,
    to: c_int,
    buffer: &mut [u8],
) -> usize {
    if function == pg_sys::InvalidOid {
        let ascii = bytes.iter().take_while(|byte| byte.is_ascii()).count();
        buffer[..ascii].copy_from_slice(&bytes[..ascii]);
        buffer[ascii] = 0;
        return ascii;
    }
    // SAFETY: the source is read up to its length, the destination written up to its room, NUL included; with noError
    // the conversion stops at what it cannot convert and returns how many source bytes it took.
    let taken = unsafe {
        pg_sys::pg_do_encoding_conversion_buf(
            function,
            from,
            to,
            bytes.as_ptr().cast_mut(),
            bytes.len() as c_int,
            buffer.as_mut_ptr(),
            buffer.len() as c_int,
            true,
        )
    };
    usize::try_from(taken).unwrap_or(0).min(bytes.len())
}

/// Bytes of the first character.
fn char_len(bytes: &[u8], encoding: c_int) -> usize {
    let mut first = [0u8; 8];
    let len = bytes.len().min(4);
    first[..len].copy_from_slice(&bytes[..len]);
    // SAFETY: looks at the first bytes of one character, for which the copy has room.
    let len = unsafe { pg_sys::pg_encoding_mblen(encoding, first.as_ptr().cast()) };
    usize::try_from(len).unwrap_or(1).max(1)
}
