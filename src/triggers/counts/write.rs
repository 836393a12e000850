//! What is written to the counts: deltas, in the order of campaign and number; and the marks of leads, where they differ from it.

use std::borrow::Cow;
use std::collections::HashSet;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{Counts, array, phone_datum, typed};
use crate::sql::{self, Rows, Statement};
use crate::triggers::campaign::Campaign;
use crate::triggers::columns::{NumberColumn, mark_column};
use crate::triggers::deltas::Delta;
use crate::{subtransaction, text};

/// So few deltas are written one by one.
const FEW: usize = 4;

/// From so many deltas on, it is worth asking how to write them.
const MANY: usize = 1000;

impl Counts {
    /// Deltas that one statement is given at most: so many are unnested within the default `work_mem`.
    pub(super) const MAX_PER_STATEMENT: usize = 16_384;

    /// Adds deltas, which are sorted by campaign and number: rows are locked in the order of the primary key. Says which of their numbers
    /// are disqualified, which holds until the end of the transaction.
    pub(crate) fn add(&self, campaigns: &[Campaign], deltas: &[Delta]) -> Vec<bool> {
        if !sql::is_citus_loaded() && deltas.len() <= FEW {
            let statement = self.upsertion_of_one();
            return deltas
                .iter()
                .map(|delta| self.add_one(&statement, campaigns, delta))
                .collect();
        }
        // Into a campaign that has no counts yet, a plain INSERT does, which costs less.
        let counted = if sql::is_citus_loaded() || deltas.len() < MANY {
            vec![true; campaigns.len()]
        } else {
            self.counted_among(campaigns)
        };
        let is_new = |delta: &Delta| delta.leads > 0 && !counted[delta.campaign as usize];
        let mut flags = Vec::with_capacity(deltas.len());
        for run in deltas.chunk_by(|one, next| is_new(one) == is_new(next)) {
            for run in run.chunks(Self::MAX_PER_STATEMENT) {
                flags.extend(sql::in_own_memory(|| {
                    if is_new(&run[0])
                        && run.len() >= MANY
                        && subtransaction::unless_unique_violation(|| self.insert(campaigns, run))
                    {
                        return vec![false; run.len()];
                    }
                    self.upsert(campaigns, run)
                }));
            }
        }
        flags
    }

    fn insert(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        Statement::new(&self.insertion(), &self.rows(campaigns, deltas))
            .on(self.oid)
            .run();
    }

    fn add_one(&self, statement: &str, campaigns: &[Campaign], delta: &Delta) -> bool {
        let flag: Option<Option<bool>> = Statement::new(statement, &self.row(campaigns, delta))
            .on(self.oid)
            .rows(|rows| rows.first(|row| row.get(1)));
        match flag {
            Some(flag) => flag == Some(true),
            // a trigger of the owner has suppressed the row
            None => self.disqualified_among(campaigns, core::slice::from_ref(delta)) == [true],
        }
    }

    fn upsert(&self, campaigns: &[Campaign], deltas: &[Delta]) -> Vec<bool> {
        let args = self.rows(campaigns, deltas);
        if sql::is_citus_loaded() {
            let statement = format!("{}{}", self.insertion(), self.on_conflict());
            Statement::new(&statement, &args).on(self.oid).run();
            return self.disqualified_among(campaigns, deltas);
        }
        // The disqualified ones, which are few, and how many rows were written. By number, not by place: a trigger of the owner may have
        // suppressed a row.
        let statement = format!(
            "WITH w AS ({}{} RETURNING c.disqualified, c.{}, c.phone) \
             SELECT n.written, d.campaign, d.phone::pg_catalog.text FROM (SELECT pg_catalog.count(*) FROM w) AS n (written) \
             LEFT JOIN w AS d (disqualified, campaign, phone) ON d.disqualified",
            self.insertion(),
            self.on_conflict(),
            self.campaign_name()
        );
        let read = |rows: Rows<'_>| {
            let written: Option<i64> = rows.first(|row| row.get(1)).flatten();
            let out = rows.map(|row| self.number(row.datum(2), row.get(3)));
            (
                written,
                out.into_iter()
                    .flatten()
                    .collect::<HashSet<(Campaign, u64)>>(),
            )
        };
        let (written, out) = Statement::new(&statement, &args).on(self.oid).rows(read);
        if written != i64::try_from(deltas.len()).ok() {
            return self.disqualified_among(campaigns, deltas);
        }
        if out.is_empty() {
            return vec![false; deltas.len()];
        }
        let key = |delta: &Delta| (campaigns[delta.campaign as usize].clone(), delta.phone);
        deltas
            .iter()
            .map(|delta| out.contains(&key(delta)))
            .collect()
    }

    /// The statement for one row of scalars: less to set up, where there are few.
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
            self.campaign_name()
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
        format!(
            "INSERT INTO {} AS c ({}, phone, lead_count, phone_count, mobile_count)",
            self.table(),
            self.campaign_name()
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

    /// The keys of the deltas as two arrays, side by side.
    pub(super) fn keys(
        &self,
        campaigns: &[Campaign],
        deltas: &[Delta],
    ) -> [DatumWithOid<'static>; 2] {
        let (campaigns, phones): (Vec<_>, Vec<_>) = deltas
            .iter()
            .map(|delta| {
                let campaign = &campaigns[delta.campaign as usize];
                (campaign.to_datum(self.campaign), phone_datum(delta))
            })
            .unzip();
        [
            self.campaign_array(campaigns),
            typed(array(phones, self.phone_type), self.phones_type),
        ]
    }

    /// Removes the rows of numbers that no lead holds any more, unless they are disqualified.
    pub(crate) fn remove_unused(&self, campaigns: &[Campaign], deltas: &[Delta]) {
        if deltas.is_empty() {
            return;
        }
        let statement = format!(
            "DELETE FROM {} AS c USING ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone) \
             WHERE c.{} OPERATOR(pg_catalog.=) k.campaign AND c.phone OPERATOR(pg_catalog.=) k.phone \
             AND c.lead_count OPERATOR(pg_catalog.=) 0 AND c.phone_count OPERATOR(pg_catalog.=) 0 \
             AND c.mobile_count OPERATOR(pg_catalog.=) 0 AND NOT c.disqualified",
            self.table(),
            self.campaign_name()
        );
        for deltas in deltas.chunks(Self::MAX_PER_STATEMENT) {
            sql::in_own_memory(|| {
                let keys = self.keys(campaigns, deltas);
                let (statement, args) = self.on_one_shard(&statement, keys, campaigns, deltas);
                Statement::new(&statement, &args).on(self.oid).run();
            });
        }
    }

    /// A statement on counts `c` with the arguments `$1` and `$2`, and under Citus the campaign, which must be one, as a condition of
    /// its own: a trigger on a shard may not look at others.
    pub(super) fn on_one_shard<'s>(
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
        // before what groups the rows, if anything does
        let (before, after) =
            statement.split_at(statement.find(" GROUP BY").unwrap_or(statement.len()));
        let glue = if before.contains(" WHERE ") {
            "AND"
        } else {
            "WHERE"
        };
        let column = self.campaign_name();
        (
            Cow::Owned(format!(
                "{before} {glue} c.{column} OPERATOR(pg_catalog.=) $3{after}"
            )),
            args,
        )
    }

    /// Sets the marks of the leads that hold these numbers in a column.
    pub(crate) fn mark_leads(
        &self,
        leads: pg_sys::Oid,
        column: &NumberColumn,
        mark: bool,
        campaigns: &[Campaign],
        deltas: &[Delta],
    ) {
        if deltas.is_empty() {
            return;
        }
        let table = text::table_name(leads);
        let campaign_name = self.campaign_name();
        let number_name = spi::quote_identifier(&column.name);
        let mark_name = spi::quote_identifier(mark_column(&column.name));
        let statement = format!(
            "UPDATE {table} AS l SET {mark_name} = $3 FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone) \
             WHERE l.{campaign_name} OPERATOR(pg_catalog.=) k.campaign \
             AND l.{number_name} OPERATOR(pg_catalog.=) k.phone AND l.{mark_name} IS DISTINCT FROM $3"
        );
        for deltas in deltas.chunks(Self::MAX_PER_STATEMENT) {
            sql::in_own_memory(|| {
                let [campaigns, phones] = self.keys(campaigns, deltas);
                // As text, not as the domain: the comparison takes the collation of the column, and so its index.
                let phones = match phones.datum() {
                    Some(phones) => typed(phones.sans_lifetime(), pg_sys::TEXTARRAYOID),
                    None => phones,
                };
                let args = [campaigns, phones, mark.into()];
                Statement::new(&statement, &args).on(leads).run();
            });
        }
    }

    /// TRUNCATE took every lead, also those that the transaction's snapshot does not see.
    pub(crate) fn clear(&self) {
        let table = self.table();
        for statement in [
            format!("DELETE FROM {table} AS c WHERE NOT c.disqualified"),
            format!(
                "UPDATE {table} AS c SET lead_count = 0, phone_count = 0, mobile_count = 0 \
                 WHERE c.lead_count OPERATOR(pg_catalog.<>) 0"
            ),
        ] {
            Statement::new(&statement, &[])
                .on(self.oid)
                .on_latest()
                .run();
        }
    }
}
