//! `campaign_phone_counts` of a tracked table: finding it. What is asked of it and written to it is in the files below.

mod ask;
mod direct;
mod everywhere;
mod heap;
mod scan;
mod shard;
mod write;

use core::ffi::CStr;
use std::cell::{Ref, RefCell};

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use self::direct::Direct;
pub(super) use self::direct::install;
use self::everywhere::Everywhere;
pub(super) use self::write::MANY;
use super::call::TriggerCall;
use super::campaign::{Campaign, CampaignColumn};
use super::deltas::Delta;
use super::settings::Settings;
use super::watch::Watch;
use crate::backend::text::{self, text_datum};
use crate::backend::{report, server};
use crate::citus;
use crate::phone::E164;

/// The counts table of a tracked table, locked as it is written, until the transaction ends: nobody drops or alters it before that,
/// or hangs a trigger on it.
pub(crate) struct Counts {
    oid: pg_sys::Oid,
    /// Its name when it was last checked, qualified and quoted. Where that has come to mean another, a statement fails.
    name: RefCell<String>,
    /// Name of the campaign column, if there is one; the leads table has the same.
    campaign_column: Option<String>,
    campaign: CampaignColumn,
    /// The columns that count leads by column of numbers, quoted.
    count_columns: Vec<String>,
    phone_type: pg_sys::Oid,
    /// Type of an array of numbers: of the domain, so that no element is checked again.
    phones_type: pg_sys::Oid,
    /// Numbers that are disqualified in every campaign; none where the table was tracked before there were such.
    everywhere: Option<Everywhere>,
    /// Where they can be written without statements.
    direct: Option<Direct>,
    /// Holds as long as none of these tables changes.
    watch: Watch,
}

impl Counts {
    /// Finds the table; an error that says what to do where it is gone.
    pub(crate) fn resolve(
        call: &TriggerCall<'_>,
        settings: &Settings,
        campaign: CampaignColumn,
    ) -> Self {
        let mut watch = Watch::new();
        let oid = find(settings).unwrap_or_else(|| {
            report::fail(
                PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
                format!(
                    "the phone counts \"{}.{}\" of table \"{}\" do not exist",
                    settings.schema,
                    settings.counts,
                    call.table_name()
                ),
                match citus::is_loaded() {
                    true => "They were renamed, moved or dropped after track_lead_phones(), or Citus distributes the table before them.",
                    false => "The counts or their schema were renamed, moved or dropped after track_lead_phones().",
                }
                .into(),
                match citus::is_sent() {
                    true => "Distribute the counts and the ledger before the leads, beside each other; docs/scale-out.md has the statements.".into(),
                    false => call.retrack_hint(),
                },
            )
        });
        watch.add(oid);
        let phone_type = type_of(oid, c"phone");
        let everywhere = Everywhere::beside(oid, call.owner(), settings, &mut watch);
        let mut counts = Self {
            oid,
            name: RefCell::default(),
            campaign_column: settings.campaign_column.clone(),
            campaign,
            count_columns: settings
                .count_columns
                .iter()
                .map(spi::quote_identifier)
                .collect(),
            phone_type,
            // SAFETY: a catalog look-up; of no type it is InvalidOid.
            phones_type: unsafe { pg_sys::get_array_type(phone_type) },
            everywhere,
            direct: None,
            watch,
        };
        counts.look(call.owner());
        counts.direct = shard::table_of(oid, call.relation().rd_id).and_then(|table| {
            lock(table);
            counts.watch.add(table);
            Direct::find(
                table,
                call.owner(),
                &campaign,
                settings.campaign_column.as_deref(),
                &settings.count_columns,
            )
        });
        counts
    }

    /// Locks the table, and says whether it is what it was when it was found.
    pub(super) fn is_as_found(&self) -> bool {
        lock(self.oid);
        if let Some(direct) = &self.direct
            && direct.table() != self.oid
        {
            lock(direct.table());
        }
        self.watch.is_current()
    }

    pub(crate) fn oid(&self) -> pg_sys::Oid {
        self.oid
    }

    /// An error where the table is not what its name, its owner and its columns made it when it was found.
    pub(crate) fn check(&self, owner_of_leads: pg_sys::Oid) {
        if !self.watch.is_current() {
            self.look(owner_of_leads);
        }
    }

    fn look(&self, owner_of_leads: pg_sys::Oid) {
        self.name.replace(text::table_name(self.oid));
        // What hangs on the counts would run as the owner of the leads: it must be that owner's.
        if server::owner_of_table(self.oid) != Some(owner_of_leads) {
            report::fail(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("the phone counts {} belong to another owner", self.table()),
                "A leads table, the tables below it, its counts and its disqualifications have one owner."
                    .into(),
                "Run ALTER TABLE ... OWNER TO on those that have another.".into(),
            )
        }
        let base_of = |type_id| match type_id {
            pg_sys::InvalidOid => pg_sys::InvalidOid,
            // SAFETY: a catalog look-up.
            type_id => unsafe { pg_sys::getBaseType(type_id) },
        };
        let is_of_campaign_type = self.campaign_column.as_ref().is_none_or(|name| {
            base_of(type_of(self.oid, &text::to_server(name))) == self.campaign.base_type()
        });
        if type_of(self.oid, c"phone") != self.phone_type
            || base_of(self.phone_type) != pg_sys::TEXTOID
            || !is_of_campaign_type
        {
            report::fail(
                PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
                format!(
                    "the phone counts {} have columns of other types",
                    self.table()
                ),
                "The counts or the campaign column were altered after track_lead_phones().".into(),
                "Run untrack_lead_phones() on the leads table, then track_lead_phones().".into(),
            )
        }
    }

    /// SQL of the operator that tells campaigns apart, by the name that it has now.
    fn equals(&self) -> String {
        self.campaign.equals()
    }

    fn table(&self) -> Ref<'_, String> {
        self.name.borrow()
    }

    /// SQL of the campaign of a row of counts, or of leads.
    fn campaign_of(&self, row: &str) -> String {
        match &self.campaign_column {
            Some(name) => format!("{row}.{}", spi::quote_identifier(name)),
            None => "true".into(),
        }
    }

    /// SQL that says whether counts `c` are of a campaign.
    fn is_of(&self, campaign: &str) -> String {
        format!("{} {} {campaign}", self.campaign_of("c"), self.equals())
    }

    /// The columns of the primary key, in its order; of a row, if one is named.
    fn key_of(&self, row: &str) -> String {
        let phone = match row {
            "" => "phone".into(),
            row => format!("{row}.phone"),
        };
        match &self.campaign_column {
            Some(name) if row.is_empty() => format!("{}, {phone}", spi::quote_identifier(name)),
            Some(_) => format!("{}, {phone}", self.campaign_of(row)),
            None => phone,
        }
    }

    fn campaign_argument(&self, campaign: &Campaign) -> DatumWithOid<'static> {
        typed(self.campaign.datum(campaign), self.campaign.base_type())
    }

    fn campaign_array(&self, campaigns: Vec<pg_sys::Datum>) -> DatumWithOid<'static> {
        let element_type = self.campaign.base_type();
        // SAFETY: a catalog look-up.
        let array_type = unsafe { pg_sys::get_array_type(element_type) };
        typed(array(campaigns, element_type), array_type)
    }

    fn phone(&self, phone: E164) -> DatumWithOid<'static> {
        typed(text_datum(phone.as_bytes()), self.phone_type)
    }
}

/// Locks a table as it is written, until the transaction ends.
fn lock(table: pg_sys::Oid) {
    // SAFETY: takes the lock, also of a table that is gone by then.
    unsafe { pg_sys::LockRelationOid(table, pg_sys::RowExclusiveLock as pg_sys::LOCKMODE) };
}

/// The table that the settings name, locked.
fn find(settings: &Settings) -> Option<pg_sys::Oid> {
    let schema = text::to_server(&settings.schema);
    let table = text::to_server(&settings.counts);
    // SAFETY: catalog look-ups by name; they answer InvalidOid for what there is not.
    let look_up = || unsafe {
        let namespace = pg_sys::get_namespace_oid(schema.as_ptr(), true);
        pg_sys::get_relname_relid(table.as_ptr(), namespace)
    };
    let mut found = look_up();
    while found != pg_sys::InvalidOid {
        lock(found);
        // The session that was waited for may have put another in its place.
        let now = look_up();
        if now == found {
            return Some(found);
        }
        found = now;
    }
    None
}

/// The type of a column; `InvalidOid` where there is none.
fn type_of(table: pg_sys::Oid, column: &CStr) -> pg_sys::Oid {
    // SAFETY: catalog look-ups.
    unsafe { pg_sys::get_atttype(table, pg_sys::get_attnum(table, column.as_ptr())) }
}

/// The number of a delta.
fn phone_datum(delta: &Delta) -> pg_sys::Datum {
    let phone = E164::from_sort_key(delta.phone);
    phone.map_or(pg_sys::Datum::null(), |phone| text_datum(phone.as_bytes()))
}

/// An argument of a statement.
fn typed(datum: pg_sys::Datum, type_id: pg_sys::Oid) -> DatumWithOid<'static> {
    // SAFETY: callers pair a datum with its own type; it lives in the memory context of the trigger call, which outlasts
    // the statement.
    unsafe { DatumWithOid::new(datum, type_id) }
}

/// An array of datums of a type.
fn array(mut elements: Vec<pg_sys::Datum>, element_type: pg_sys::Oid) -> pg_sys::Datum {
    let mut length = 0i16;
    let mut by_value = false;
    let mut align = 0;
    // SAFETY: construct_array copies the elements, which are of the type whose storage is looked up.
    unsafe {
        pg_sys::get_typlenbyvalalign(element_type, &mut length, &mut by_value, &mut align);
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as i32,
            element_type,
            length.into(),
            by_value,
            align,
        )
        .into()
    }
}
