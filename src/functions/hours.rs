//! Hours in which people may be called, by the clocks of where they may be. Their SQL declarations are in `sql/install/numbers`.
//!
//! Time zones are those of the server. Where one is not known, nobody can say whether it is the hour: so is the answer.

use core::ffi::c_int;

use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::backend::text::{self, ServerText};
use crate::phone;

/// Days that are looked at for the next opening: more than holidays in a row.
const DAYS_AHEAD: i32 = 60;

const DAY: i64 = 86_400_000_000;

/// Minutes by which clocks are turned back, wherever they are.
const TURNS_BACK: [i64; 3] = [30, 60, 120];

/// Seconds between the epochs of Unix and of Postgres, 1970 and 2000.
const EPOCH: i64 = 946_684_800;

/// A time zone of the server.
#[derive(Clone, Copy)]
struct Zone(*mut pg_sys::pg_tz);

/// What a clock and a calendar on the wall say.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Local {
    /// Days since 2000-01-01, as Postgres counts.
    date: i32,
    /// Microseconds since midnight.
    time: i64,
}

impl Zone {
    fn named(name: &str) -> Option<Self> {
        if !is_zone_name(name) {
            return None;
        }
        let name = text::to_server(name);
        // SAFETY: looks a zone up, or loads it; NULL where there is none. Postgres keeps it for good.
        let zone = unsafe { pg_sys::pg_tzset(name.as_ptr()) };
        (!zone.is_null()).then_some(Self(zone))
    }

    fn local(self, at: i64) -> Option<Local> {
        let mut tm = pg_sys::pg_tm::default();
        let (mut offset, mut fraction): (c_int, pg_sys::fsec_t) = (0, 0);
        // SAFETY: writes to these alone; it fails where the time is out of range.
        let is_out_of_range = unsafe {
            pg_sys::timestamp2tm(
                at,
                &mut offset,
                &mut tm,
                &mut fraction,
                core::ptr::null_mut(),
                self.0,
            )
        };
        if is_out_of_range != 0 {
            return None;
        }
        // SAFETY: arithmetic.
        let day = unsafe { pg_sys::date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) };
        let seconds = i64::from((tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec);
        Some(Local {
            date: day - pg_sys::POSTGRES_EPOCH_JDATE as i32,
            time: seconds * 1_000_000 + i64::from(fraction),
        })
    }

    /// When its clocks are changed next: a time at which they open may be skipped.
    fn next_change(self, at: i64) -> Option<i64> {
        let seconds = at.div_euclid(1_000_000) + EPOCH;
        let (mut before, mut after, mut is_before, mut is_after) = (0, 0, 0, 0);
        let mut change = 0;
        // SAFETY: writes to these alone, and reads the zone.
        let found = unsafe {
            pg_sys::pg_next_dst_boundary(
                &seconds,
                &mut before,
                &mut is_before,
                &mut change,
                &mut after,
                &mut is_after,
                self.0,
            )
        };
        (found == 1).then_some((change - EPOCH) * 1_000_000)
    }

    /// When it is so late there. A time that the clocks skip is that after it, as much later.
    fn instant(self, local: Local) -> i64 {
        let mut tm = pg_sys::pg_tm::default();
        let seconds = (local.time / 1_000_000) as i32;
        (tm.tm_hour, tm.tm_min, tm.tm_sec) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        // SAFETY: arithmetic, and reads the zone.
        let offset = unsafe {
            pg_sys::j2date(
                local.date + pg_sys::POSTGRES_EPOCH_JDATE as i32,
                &mut tm.tm_year,
                &mut tm.tm_mon,
                &mut tm.tm_mday,
            );
            pg_sys::DetermineTimeZoneOffset(&mut tm, self.0)
        };
        i64::from(local.date) * DAY + local.time + i64::from(offset) * 1_000_000
    }
}

/// Whether it can be the name of a place in the IANA time zone database. Postgres also reads rules of POSIX, such as `UTC-8`, in which the sign
/// means the opposite of what people mean by it.
fn is_zone_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || "/_-".contains(c);
    matches!(name, "UTC" | "GMT")
        || name.contains('/') && name.chars().all(is_letter) && !name.starts_with("right/")
}

/// The hours of a rule.
struct Hours {
    /// Days of the week that it is about, by ISO 8601: Monday is 1.
    weekdays: Vec<i32>,
    opens: i64,
    closes: i64,
    holidays: Vec<i32>,
}

impl Hours {
    fn is_about(&self, date: i32) -> bool {
        // 2000-01-01 was a Saturday
        self.weekdays.contains(&((date + 5).rem_euclid(7) + 1))
    }

    fn allow(&self, local: Local) -> bool {
        !self.holidays.contains(&local.date)
            && (!self.is_about(local.date) || self.opens <= local.time && local.time < self.closes)
    }

    fn allow_everywhere(&self, zones: &[Zone], at: i64) -> Option<bool> {
        let mut all = true;
        for zone in zones {
            all &= self.allow(zone.local(at)?);
        }
        Some(all)
    }

    /// The first time after `at` at which they allow a call in all zones.
    fn next_opening(&self, zones: &[Zone], at: i64) -> Option<i64> {
        let mut openings: Vec<i64> = Vec::new();
        for zone in zones {
            let today = zone.local(at)?.date;
            for date in today..=today + DAYS_AHEAD {
                let time = match self.is_about(date) {
                    true => self.opens,
                    false => 0,
                };
                let local = Local { date, time };
                let opening = zone.instant(local);
                // of a time that comes twice, the first
                let earlier = TURNS_BACK.map(|minutes| opening - minutes * 60_000_000);
                let earlier = earlier
                    .into_iter()
                    .filter(|instant| zone.local(*instant) == Some(local));
                openings.extend(earlier.chain([opening]).filter(|instant| *instant > at));
            }
        }
        openings.extend(zones.iter().filter_map(|zone| zone.next_change(at)));
        openings.sort_unstable();
        openings
            .into_iter()
            .find(|opening| self.allow_everywhere(zones, *opening) == Some(true))
    }
}

/// Names that are joined by commas. `None` where there is none, or one that the server does not know.
fn zones(names: Option<ServerText<'_>>) -> Option<Vec<Zone>> {
    let names = text::from_server(names?.0);
    names.split(',').map(Zone::named).collect()
}

/// Times of day come as Postgres has them, in microseconds: pgrx takes 24:00 for 00:00.
fn hours(
    weekdays: Option<pgrx::Array<'_, i32>>,
    opens: Option<i64>,
    closes: Option<i64>,
    holidays: Option<pgrx::Array<'_, Date>>,
) -> Hours {
    let (opens, closes) = match (opens, closes) {
        (Some(opens), Some(closes)) => (opens, closes),
        _ => (0, DAY),
    };
    Hours {
        weekdays: weekdays
            .iter()
            .flat_map(pgrx::Array::iter)
            .flatten()
            .collect(),
        opens,
        closes,
        holidays: holidays
            .iter()
            .flat_map(pgrx::Array::iter)
            .flatten()
            .map(pg_sys::DateADT::from)
            .collect(),
    }
}

/// Whether the hours of a rule allow a call in all of the time zones; `None` where one is not known.
#[pg_extern(sql = false)]
fn lead_phones_is_open(
    zone_names: Option<ServerText>,
    weekdays: Option<pgrx::Array<'_, i32>>,
    opens: Option<i64>,
    closes: Option<i64>,
    holidays: Option<pgrx::Array<'_, Date>>,
    at: Option<TimestampWithTimeZone>,
) -> Option<bool> {
    hours(weekdays, opens, closes, holidays).allow_everywhere(&zones(zone_names)?, at?.into())
}

/// When they allow it next; `None` where they do not for long, or a zone is not known.
#[pg_extern(sql = false)]
fn lead_phones_opens_at(
    zone_names: Option<ServerText>,
    weekdays: Option<pgrx::Array<'_, i32>>,
    opens: Option<i64>,
    closes: Option<i64>,
    holidays: Option<pgrx::Array<'_, Date>>,
    at: Option<TimestampWithTimeZone>,
) -> Option<TimestampWithTimeZone> {
    let hours = hours(weekdays, opens, closes, holidays);
    let opening = hours.next_opening(&zones(zone_names)?, at?.into())?;
    TimestampWithTimeZone::try_from(opening).ok()
}

/// The time now, and not when the transaction or statement began: what waits for a lock is late.
#[pg_extern(sql = false)]
fn lead_phones_clock() -> Option<TimestampWithTimeZone> {
    // SAFETY: asks the system's clock.
    TimestampWithTimeZone::try_from(unsafe { pg_sys::GetCurrentTimestamp() }).ok()
}

/// Where a person with a number may be: the time zones of the number, and the person's own, or those of the person's state. Joined by commas; empty where none is known.
#[pg_extern(sql = false)]
fn lead_phones_zones(
    number: Option<ServerText>,
    state: Option<ServerText>,
    time_zone: Option<ServerText>,
) -> String {
    let number = number
        .map(|number| text::from_server(number.0))
        .unwrap_or_default();
    let own = time_zone.map(|zone| text::from_server(zone.0));
    let state = state.map(|state| text::from_server(state.0));
    let own = own.as_deref().map(str::trim).filter(|own| !own.is_empty());
    let of_state = || {
        let code = phone::state_code(state.as_deref()?)?;
        phone::zones_of_state(code)
    };
    let mut names: Vec<&str> = phone::time_zones_of(&number)
        .into_iter()
        .flatten()
        .collect();
    match (own, own.is_none().then(of_state).flatten()) {
        // a comma would make several of it, which no place has
        (Some(own), _) => names.push(if own.contains(',') { "?" } else { own }),
        (None, Some(zones)) => names.extend(zones),
        (None, None) => (),
    }
    names.sort_unstable();
    names.dedup();
    names.join(",")
}

/// The states that are meant by a number and by what a contact says: both, where they are known. None where what the contact says of a state, in a country
/// whose states are known, is none of them.
#[pg_extern(sql = false)]
fn lead_phones_states(
    number: Option<ServerText>,
    state: Option<ServerText>,
    region: Option<ServerText>,
) -> Vec<String> {
    let of_number = number.and_then(|number| phone::state_of(&text::from_server(number.0)));
    let raw = state.map(|state| text::from_server(state.0));
    let raw = raw.as_deref().map(str::trim).filter(|raw| !raw.is_empty());
    let own = raw.and_then(phone::state_code);
    let region = region.map(|region| text::from_server(region.0).trim().to_uppercase());
    let is_known = region.is_none_or(|region| matches!(&*region, "US" | "CA"));
    match (raw, own) {
        (Some(_), None) if is_known => Vec::new(),
        (Some(raw), None) => of_number
            .map(str::to_owned)
            .into_iter()
            .chain([raw.to_uppercase()])
            .collect(),
        _ => [of_number, own]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
    }
}

/// The region of a number, and the country that it belongs to.
#[pg_extern(sql = false)]
fn lead_phones_call_regions(number: Option<ServerText>) -> Vec<&'static str> {
    let region = number.and_then(|number| phone::region_of(&text::from_server(number.0)));
    match region {
        Some(territory @ ("PR" | "VI" | "GU" | "AS" | "MP")) => vec![territory, "US"],
        // of no country
        None | Some("001") => Vec::new(),
        Some(region) => vec![region],
    }
}

#[pg_extern(sql = false)]
fn lead_phones_state_code(raw: ServerText) -> Option<&'static str> {
    phone::state_code(&text::from_server(raw.0))
}
