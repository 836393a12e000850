//! The statements on `campaign_phone_counts`.

use core::ffi::{CStr, c_char};
use std::borrow::Cow;
use std::collections::HashSet;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::rel::PgRelation;
use pgrx::spi::SpiTupleTable;

use super::call::TriggerCall;
use super::campaign::Campaign;
use super::columns::{Column, NumberColumn};
use super::deltas::Delta;
use super::pending;
use super::settings::Settings;
use crate::functions::text_datum;
use crate::phone::E164;
use crate::{report, sql, subtransaction, text};

/// So few deltas are written one by one.
const FEW: usize = 4;

/// From so many deltas on, it is worth asking how to write them.
const MANY: usize = 1000;

/// Deltas that one statement is given at most: so many are unnested within the default `work_mem`.
const MAX_PER_STATEMENT: usize = 16_384;

/// The counts table of a tracked table.
pub(crate) struct Counts {
    oid: pg_sys::Oid,
    /// Its name, qualified and quoted.
    table: String,
    /// The campaign column's name, quoted; the leads table has the same.
    campaign_name: String,
    campaign: Column,
    /// Type of an array of numbers: of the domain, so that no element is checked again.
    phones_type: pg_sys::Oid,
    phone_type: pg_sys::Oid,
}

impl Counts {
    /// Finds the table; an error that says what to do where it is gone.
    pub(crate) fn resolve(call: &TriggerCall<'_>, settings: &Settings, campaign: Column) -> Self {
        let schema = text::to_server(&settings.schema);
        let table = text::to_server(&settings.counts);
        // SAFETY: catalog look-ups by name; they answer InvalidOid for what there is not.
        let relation = unsafe {
            let namespace = pg_sys::get_namespace_oid(schema.as_ptr(), true);
            pg_sys::get_relname_relid(table.as_ptr(), namespace)
        };
        let named = format!(
            "the phone counts \"{}.{}\" of table \"{}\"",
            settings.schema,
            settings.counts,
            call.table_name()
        );
        if relation == pg_sys::InvalidOid {
            report::fail(
                PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
                format!("{named} do not exist"),
                "The counts or their schema were renamed, moved or dropped after track_lead_phones()."
                    .into(),
                call.retrack_hint(),
            )
        }
        // SAFETY: takes and keeps the lock until the end of the transaction, or fails; an open relation has its
        // pg_class row.
        let owner = unsafe {
            let relation =
                PgRelation::with_lock(relation, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
            (*relation.rd_rel).relowner
        };
        // What hangs on the counts would run as the owner of the leads: it must be his own.
        if owner != call.owner() {
            report::fail(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("{named} belong to another owner"),
                "A leads table, its counts and its disqualifications have one owner.".into(),
                format!(
                    "Run ALTER TABLE ... OWNER TO on \"{}.{}\" and \"{}.{}\".",
                    settings.schema, settings.counts, settings.schema, settings.disqualifications
                ),
            )
        }
        let campaign_name = text::to_server(&settings.campaign_column);
        // SAFETY: catalog look-ups; of a column that there is not, the type is InvalidOid.
        let (phone_type, phone_base, campaign_base) = unsafe {
            let type_of = |name: &CStr| {
                let attribute = pg_sys::get_attnum(relation, name.as_ptr());
                pg_sys::get_atttype(relation, attribute)
            };
            let base_of = |type_id| match type_id {
                pg_sys::InvalidOid => pg_sys::InvalidOid,
                type_id => pg_sys::getBaseType(type_id),
            };
            let phone_type = type_of(c"phone");
            (
                phone_type,
                base_of(phone_type),
                base_of(type_of(&campaign_name)),
            )
        };
        if phone_base != pg_sys::TEXTOID || campaign_base != campaign.base_type {
            report::fail(
                PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
                format!("{named} have columns of other types"),
                "The counts or the campaign column were altered after track_lead_phones().".into(),
                call.retrack_hint(),
            )
        }
        Self {
            oid: relation,
            table: spi::quote_qualified_identifier(&settings.schema, &settings.counts),
            campaign_name: spi::quote_identifier(&settings.campaign_column),
            campaign,
            // SAFETY: a catalog look-up.
            phones_type: unsafe { pg_sys::get_array_type(phone_type) },
            phone_type,
        }
    }

    pub(crate) fn oid(&self) -> pg_sys::Oid {
        self.oid
    }

    /// Which of some numbers of a campaign are disqualified.
    pub(crate) fn are_disqualified(
        &self,
        campaign: &Campaign,
        phones: [Option<E164>; 2],
    ) -> [bool; 2] {
        let Self {
            table,
            campaign_name,
            ..
        } = self;
        let statement = format!(
            "SELECT c.phone::pg_catalog.text FROM {table} AS c WHERE c.{campaign_name} OPERATOR(pg_catalog.=) $1 \
             AND c.phone OPERATOR(pg_catalog.=) ANY (ARRAY[$2, $3]) AND c.disqualified"
        );
        // Of one number, the same twice.
        let [first, second] = phones;
        let (Some(one), Some(other)) = (first.or(second), second.or(first)) else {
            return [false; 2];
        };
        let phone = |phone: E164| typed(text_datum(phone.as_bytes()), self.phone_type);
        let args = [
            typed(campaign.to_datum(self.campaign), self.campaign.base_type),
            phone(one),
            phone(other),
        ];
        let found: Vec<E164> =
            pending::without_writing(|| sql::execute(&statement, &args, numbers));
        phones.map(|phone| phone.is_some_and(|phone| found.contains(&phone)))
    }

    /// The sort keys of all disqualified numbers of a campaign.
    pub(crate) fn disqualified_in(&self, campaign: &Campaign) -> Vec<u64> {
        let Self {
            table,
            campaign_name,
            ..
        } = self;
        let statement = format!(
            "SELECT c.phone::pg_catalog.text FROM {table} AS c \
             WHERE c.{campaign_name} OPERATOR(pg_catalog.=) $1 AND c.disqualified"
        );
        let args = [typed(
            campaign.to_datum(self.campaign),
            self.campaign.base_type,
        )];
        let found = pending::without_writing(|| sql::execute(&statement, &args, numbers));
        found.iter().map(E164::sort_key).collect()
    }

    /// Adds deltas, which are sorted by campaign and number: rows are locked in the order of the primary key. Of few, says which
    /// of their numbers are disqualified.
    pub(crate) fn add(&self, campaigns: &[Campaign], deltas: &[Delta]) -> Option<Vec<bool>> {
        if sql::is_citus_loaded() {
            self.upsert_many(campaigns, deltas);
            return None;
        }
        if deltas.len() <= FEW {
            let statement = self.upsertion_of_one();
            let flags = deltas.iter().map(|delta| {
                sql::execute(&statement, &self.row(campaigns, delta), |rows| {
                    rows.first().get::<bool>(1).ok().flatten() == Some(true)
                })
            });
            return Some(flags.collect());
        }
        if deltas.len() < MANY {
            let statement = format!("{} RETURNING c.disqualified", self.upsertion());
            return Some(sql::execute(
                &statement,
                &self.rows(campaigns, deltas),
                |rows| {
                    rows.map(|row| row.get::<bool>(1).ok().flatten() == Some(true))
                        .collect()
                },
            ));
        }
        // Into a campaign that has no counts yet, a plain INSERT does, which costs less.
        let counted = self.counted_among(campaigns);
        let is_new = |delta: &Delta| delta.leads > 0 && !counted.contains(&delta.campaign);
        for run in deltas.chunk_by(|one, next| is_new(one) == is_new(next)) {
            for run in run.chunks(MAX_PER_STATEMENT) {
                sql::in_own_memory(|| {
                    let inserted = is_new(&run[0])
                        && run.len() >= MANY
                        && subtransaction::unless_unique_violation(|| self.insert(campaigns, run));
                    if !inserted {
                        sql::run(&self.upsertion(), &self.rows(campaigns, run));
                    }
                });
            }
        }
        None
    }

    fn upsert_many(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        let statement = self.upsertion();
        for deltas in deltas.chunks(MAX_PER_STATEMENT) {
            sql::in_own_memory(|| sql::run(&statement, &self.rows(campaigns, deltas)));
        }
    }

    fn insert(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        sql::run(&self.insertion(), &self.rows(campaigns, deltas));
    }

    fn upsertion(&self) -> String {
        self.insertion() + &self.on_conflict()
    }

    /// The same for one row of scalars: less to set up, where there are few.
    fn upsertion_of_one(&self) -> String {
        format!(
            "{} VALUES ($1, $2, $3, $4, $5){} RETURNING c.disqualified",
            self.insert_into(),
            self.on_conflict()
        )
    }

    fn on_conflict(&self) -> String {
        format!(
            " ON CONFLICT ({}, phone) DO UPDATE SET \
             lead_count = c.lead_count OPERATOR(pg_catalog.+) EXCLUDED.lead_count, \
             phone_count = c.phone_count OPERATOR(pg_catalog.+) EXCLUDED.phone_count, \
             mobile_count = c.mobile_count OPERATOR(pg_catalog.+) EXCLUDED.mobile_count",
            self.campaign_name
        )
    }

    fn insertion(&self) -> String {
        format!(
            "{} SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), \
             pg_catalog.unnest($4), pg_catalog.unnest($5)) AS k",
            self.insert_into()
        )
    }

    fn insert_into(&self) -> String {
        let Self {
            table,
            campaign_name,
            ..
        } = self;
        format!(
            "INSERT INTO {table} AS c ({campaign_name}, phone, lead_count, phone_count, mobile_count)"
        )
    }

    /// One delta as scalars.
    fn row(&self, campaigns: &[Campaign], delta: &Delta) -> [DatumWithOid<'static>; 5] {
        let campaign = campaigns[delta.campaign as usize].to_datum(self.campaign);
        [
            typed(campaign, self.campaign.base_type),
            typed(phone_datum(delta), self.phone_type),
            i64::from(delta.leads).into(),
            i64::from(delta.columns[0]).into(),
            i64::from(delta.columns[1]).into(),
        ]
    }

    /// The deltas as rows: five arrays, side by side.
    fn rows(&self, campaigns: &[Campaign], deltas: &[Delta]) -> [DatumWithOid<'static>; 5] {
        let [campaigns, phones] = self.keys(campaigns, deltas);
        let counts = |count: fn(&Delta) -> i32| {
            let counts = deltas.iter().map(|delta| i64::from(count(delta)).into());
            typed(
                array(counts.collect(), pg_sys::INT8OID),
                pg_sys::INT8ARRAYOID,
            )
        };
        [
            campaigns,
            phones,
            counts(|delta| delta.leads),
            counts(|delta| delta.columns[0]),
            counts(|delta| delta.columns[1]),
        ]
    }

    /// The campaigns, by index, that have counts.
    fn counted_among(&self, campaigns: &[Campaign]) -> HashSet<u32> {
        let Self {
            table,
            campaign_name,
            ..
        } = self;
        let statement = format!(
            "SELECT k.place FROM pg_catalog.unnest($1) WITH ORDINALITY AS k (campaign, place) \
             WHERE EXISTS (SELECT FROM {table} AS c WHERE c.{campaign_name} OPERATOR(pg_catalog.=) k.campaign)"
        );
        let campaigns = campaigns.iter().map(|key| key.to_datum(self.campaign));
        let campaigns = self.campaign_array(campaigns.collect());
        sql::execute(&statement, &[campaigns], |rows| {
            rows.filter_map(|row| row.get::<i64>(1).ok().flatten())
                .filter_map(|place| u32::try_from(place - 1).ok())
                .collect()
        })
    }

    /// Removes the rows of numbers that no lead holds any more, unless they are disqualified.
    pub(crate) fn remove_unused(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        let Self {
            table,
            campaign_name,
            ..
        } = self;
        let statement = format!(
            "DELETE FROM {table} AS c USING ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone) \
             WHERE c.{campaign_name} OPERATOR(pg_catalog.=) k.campaign AND c.phone OPERATOR(pg_catalog.=) k.phone \
             AND c.lead_count OPERATOR(pg_catalog.=) 0 AND c.phone_count OPERATOR(pg_catalog.=) 0 \
             AND c.mobile_count OPERATOR(pg_catalog.=) 0 AND NOT c.disqualified"
        );
        for deltas in deltas.chunks(MAX_PER_STATEMENT) {
            sql::in_own_memory(|| {
                let keys = self.keys(campaigns, deltas);
                let (statement, args) = self.on_one_shard(&statement, keys, campaigns, deltas);
                sql::run(&statement, &args);
            });
        }
    }

    /// A statement on counts `c` with the arguments `$1` and `$2`, and under Citus the campaign, which must be one, as a condition of
    /// its own: a trigger on a shard may not look at others.
    fn on_one_shard<'s>(
        &self,
        statement: &'s str,
        keys: [DatumWithOid<'static>; 2],
        campaigns: &[Campaign],
        deltas: &[Delta],
    ) -> (Cow<'s, str>, Vec<DatumWithOid<'static>>) {
        let mut args = Vec::from(keys);
        let (true, Some(delta)) = (sql::is_citus_loaded(), deltas.first()) else {
            return (Cow::Borrowed(statement), args);
        };
        let campaign = campaigns[delta.campaign as usize].to_datum(self.campaign);
        args.push(typed(campaign, self.campaign.base_type));
        let condition = format!(" AND c.{} OPERATOR(pg_catalog.=) $3", self.campaign_name);
        (Cow::Owned(format!("{statement}{condition}")), args)
    }

    /// Which of the deltas' numbers are disqualified. To be asked once their rows are locked by [`add`](Self::add): then the
    /// answer holds until the end of the transaction.
    pub(crate) fn disqualified_among(&self, campaigns: &[Campaign], deltas: &[Delta]) -> Vec<bool> {
        let mut disqualified = vec![false; deltas.len()];
        if deltas.len() < MANY {
            for place in self.look_up_disqualified(campaigns, deltas) {
                if let Some(flag) = disqualified.get_mut(place) {
                    *flag = true;
                }
            }
            return disqualified;
        }
        // For many numbers of few campaigns: all that are disqualified in each.
        let mut flags = disqualified.iter_mut();
        for run in deltas.chunk_by(|one, next| one.campaign == next.campaign) {
            let all = self.disqualified_in(&campaigns[run[0].campaign as usize]);
            let all: HashSet<u64> = all.into_iter().collect();
            for (delta, flag) in run.iter().zip(&mut flags) {
                *flag = all.contains(&delta.phone);
            }
        }
        disqualified
    }

    fn look_up_disqualified(&self, campaigns: &[Campaign], deltas: &[Delta]) -> Vec<usize> {
        let Self {
            table,
            campaign_name,
            ..
        } = self;
        let statement = format!(
            "SELECT k.place FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS k (campaign, phone, place) \
             JOIN {table} AS c ON c.{campaign_name} OPERATOR(pg_catalog.=) k.campaign \
             AND c.phone OPERATOR(pg_catalog.=) k.phone WHERE c.disqualified"
        );
        let keys = self.keys(campaigns, deltas);
        let (statement, args) = self.on_one_shard(&statement, keys, campaigns, deltas);
        sql::execute(&statement, &args, |rows| {
            rows.filter_map(|row| row.get::<i64>(1).ok().flatten())
                .filter_map(|place| usize::try_from(place - 1).ok())
                .collect()
        })
    }

    /// Sets the marks of the leads that hold these numbers in a column.
    pub(crate) fn mark_leads(
        &self,
        leads: &str,
        column: &NumberColumn,
        mark: bool,
        campaigns: &[Campaign],
        deltas: &[Delta],
    ) {
        let campaign_name = &self.campaign_name;
        let number_name = spi::quote_identifier(&column.name);
        let mark_name = spi::quote_identifier(super::columns::mark_column(&column.name));
        let statement = format!(
            "UPDATE {leads} AS l SET {mark_name} = $3 FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone) \
             WHERE l.{campaign_name} OPERATOR(pg_catalog.=) k.campaign \
             AND l.{number_name} OPERATOR(pg_catalog.=) k.phone AND l.{mark_name} IS DISTINCT FROM $3"
        );
        for deltas in deltas.chunks(MAX_PER_STATEMENT) {
            sql::in_own_memory(|| {
                let [campaigns, phones] = self.keys(campaigns, deltas);
                // As text, not as the domain: the comparison takes the collation of the column, and so its index.
                let phones = match phones.datum() {
                    Some(phones) => typed(phones.sans_lifetime(), pg_sys::TEXTARRAYOID),
                    None => phones,
                };
                sql::run(&statement, &[campaigns, phones, mark.into()]);
            });
        }
    }

    /// TRUNCATE took every lead, also those that the transaction's snapshot does not see.
    pub(crate) fn clear(&self) {
        let table = &self.table;
        sql::run_on_latest(&format!(
            "DELETE FROM {table} AS c WHERE NOT c.disqualified"
        ));
        sql::run_on_latest(&format!(
            "UPDATE {table} AS c SET lead_count = 0, phone_count = 0, mobile_count = 0 \
             WHERE c.lead_count OPERATOR(pg_catalog.<>) 0"
        ));
    }

    /// Whether no lead is counted, whatever the transaction's snapshot sees.
    pub(crate) fn is_clear(&self) -> bool {
        let table = &self.table;
        let counted = format!(
            "SELECT true FROM {table} AS c WHERE c.lead_count OPERATOR(pg_catalog.>) 0 LIMIT 1"
        );
        sql::query_latest(&counted, &[]).is_empty()
    }

    fn campaign_array(&self, campaigns: Vec<pg_sys::Datum>) -> DatumWithOid<'static> {
        let element_type = self.campaign.base_type;
        // SAFETY: a catalog look-up.
        let array_type = unsafe { pg_sys::get_array_type(element_type) };
        typed(array(campaigns, element_type), array_type)
    }

    /// The keys of the deltas as two arrays, side by side.
    fn keys(&self, campaigns: &[Campaign], deltas: &[Delta]) -> [DatumWithOid<'static>; 2] {
        let campaigns: Vec<pg_sys::Datum> = campaigns
            .iter()
            .map(|campaign| campaign.to_datum(self.campaign))
            .collect();
        let (campaigns, phones): (Vec<_>, Vec<_>) = deltas
            .iter()
            .map(|delta| (campaigns[delta.campaign as usize], phone_datum(delta)))
            .unzip();
        [
            self.campaign_array(campaigns),
            typed(array(phones, self.phone_type), self.phones_type),
        ]
    }
}

/// The number of a delta.
fn phone_datum(delta: &Delta) -> pg_sys::Datum {
    let phone = E164::from_sort_key(delta.phone);
    phone.map_or(pg_sys::Datum::null(), |phone| text_datum(phone.as_bytes()))
}

/// The numbers that a statement returned.
fn numbers(rows: SpiTupleTable<'_>) -> Vec<E164> {
    rows.filter_map(|row| row.get::<&str>(1).ok().flatten())
        .filter_map(E164::from_text)
        .collect()
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
    let mut align = 0 as c_char;
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
