//! What is written to the counts: deltas, in the order of campaign and number; and the marks of leads, where they differ from it.

use std::borrow::Cow;
use std::collections::HashSet;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{Counts, array, phone_datum, typed};
use crate::backend::sql::{self, Rows, Statement};
use crate::backend::{subtransaction, text};
use crate::citus;
use crate::triggers::campaign::Campaign;
use crate::triggers::columns::{NumberColumn, mark_column};
use crate::triggers::deltas::{Delta, SortedDeltas};

/// So few deltas are written one by one.
const FEW: usize = 4;

/// From so many deltas on, it is worth asking how to write them.
pub(crate) const MANY: usize = 1000;

impl Counts {
    /// Deltas that one statement is given at most: so many are unnested within the default `work_mem`.
    pub(super) const MAX_PER_STATEMENT: usize = 16_384;

    /// Adds deltas, which are sorted by campaign and number: rows are locked in the order of the primary key. Rows that no lead needs any more are
    /// removed, unless they are disqualified. Says which of the numbers are, which holds until the end of the transaction.
    pub(crate) fn add(&self, of: &SortedDeltas, deltas: &[Delta]) -> Vec<bool> {
        // Into a campaign that has no counts yet, a plain INSERT does, which costs less.
        let counted = if citus::plans() || deltas.len() < MANY {
            vec![true; of.campaigns().len()]
        } else {
            self.counted_among(of.campaigns())
        };
        let is_new = |delta: &Delta| delta.leads > 0 && !counted[delta.campaign as usize];
        let mut flags = Vec::with_capacity(deltas.len());
        for run in deltas.chunk_by(|one, next| is_new(one) == is_new(next)) {
            for run in run.chunks(Self::MAX_PER_STATEMENT) {
                flags.extend(sql::in_own_memory(|| {
                    if is_new(&run[0])
                        && run.len() >= MANY
                        && subtransaction::unless_unique_violation(|| self.insert(of, run))
                    {
                        return vec![false; run.len()];
                    }
                    let mut flags = self.add_directly(of, run);
                    let rest = &run[flags.len()..];
                    if !rest.is_empty() {
                        flags.extend(self.add_by_statement(of, rest));
                    }
                    flags
                }));
            }
        }
        flags
    }

    fn add_by_statement(&self, of: &SortedDeltas, deltas: &[Delta]) -> Vec<bool> {
        let flags = if deltas.len() <= FEW {
            let statement = self.upsertion_of_one();
            let each = deltas.iter();
            each.map(|delta| self.add_one(&statement, of, delta))
                .collect()
        } else {
            self.upsert(of, deltas)
        };
        let shrunk: Vec<Delta> = deltas
            .iter()
            .filter(|delta| delta.leads <= 0)
            .cloned()
            .collect();
        self.remove_unused(of, &shrunk);
        flags
    }

    fn insert(&self, of: &SortedDeltas, deltas: &[Delta]) {
        Statement::new(&self.insertion(), &self.rows(of, deltas))
            .on(self.oid)
            .run();
    }

    fn add_one(&self, statement: &str, of: &SortedDeltas, delta: &Delta) -> bool {
        let flag: Option<Option<bool>> = Statement::new(statement, &self.row(of, delta))
            .on(self.oid)
            .rows(|rows| rows.first(|row| row.get(1)));
        match flag {
            Some(flag) => flag == Some(true),
            // a trigger of the owner has suppressed the row
            None => self.disqualified_among(of, core::slice::from_ref(delta)) == [true],
        }
    }

    fn upsert(&self, of: &SortedDeltas, deltas: &[Delta]) -> Vec<bool> {
        let args = self.rows(of, deltas);
        if citus::plans() {
            let statement = format!("{}{}", self.insertion(), self.on_conflict());
            Statement::new(&statement, &args).on(self.oid).run();
            return self.disqualified_among(of, deltas);
        }
        // The disqualified ones, which are few, and how many rows were written. By number, not by place: a trigger of the owner may have
        // suppressed a row.
        let statement = format!(
            "WITH w AS ({}{} RETURNING c.disqualified, {}, c.phone) \
             SELECT n.written, d.campaign, d.phone::pg_catalog.text FROM (SELECT pg_catalog.count(*) FROM w) AS n (written) \
             LEFT JOIN w AS d (disqualified, campaign, phone) ON d.disqualified",
            self.insertion(),
            self.on_conflict(),
            self.campaign_of("c")
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
            return self.disqualified_among(of, deltas);
        }
        if out.is_empty() {
            return vec![false; deltas.len()];
        }
        let key = |delta: &Delta| (of.campaign(delta).clone(), delta.phone);
        deltas
            .iter()
            .map(|delta| out.contains(&key(delta)))
            .collect()
    }

    /// The statement for one row of scalars: less to set up, where there are few.
    fn upsertion_of_one(&self) -> String {
        let values: Vec<String> = self.arguments().map(|at| format!("${at}")).collect();
        format!(
            "{} VALUES ({}){} RETURNING c.disqualified",
            self.insert_into(),
            values.join(", "),
            self.on_conflict()
        )
    }

    fn on_conflict(&self) -> String {
        let sums: Vec<String> = self
            .all_counts()
            .map(|count| format!("{count} = c.{count} OPERATOR(pg_catalog.+) EXCLUDED.{count}"))
            .collect();
        format!(
            " ON CONFLICT ({}) DO UPDATE SET {}",
            self.key_of(""),
            sums.join(", ")
        )
    }

    fn insertion(&self) -> String {
        let arrays: Vec<String> = self
            .arguments()
            .map(|at| format!("pg_catalog.unnest(${at})"))
            .collect();
        format!(
            "{} SELECT * FROM ROWS FROM ({}) AS k",
            self.insert_into(),
            arrays.join(", ")
        )
    }

    fn insert_into(&self) -> String {
        let counts: Vec<&str> = self.all_counts().collect();
        format!(
            "INSERT INTO {} AS c ({}, {})",
            self.table(),
            self.key_of(""),
            counts.join(", ")
        )
    }

    /// The columns of the counts that count leads: all, and by column of numbers.
    fn all_counts(&self) -> impl Iterator<Item = &str> {
        core::iter::once("lead_count").chain(self.count_columns.iter().map(String::as_str))
    }

    /// The places of the arguments of which a row is made: campaign, number, counts. Where the whole table is one campaign, the first is not used.
    fn arguments(&self) -> impl Iterator<Item = usize> {
        let first = match self.campaign_column {
            Some(_) => 1,
            None => 2,
        };
        first..=self.count_columns.len() + 3
    }

    /// One delta as scalars.
    fn row(&self, of: &SortedDeltas, delta: &Delta) -> Vec<DatumWithOid<'static>> {
        let mut row = vec![
            self.campaign_argument(of.campaign(delta)),
            typed(phone_datum(delta), self.phone_type),
            i64::from(delta.leads).into(),
        ];
        row.extend(
            of.by_column(delta)
                .iter()
                .map(|count| i64::from(*count).into()),
        );
        row
    }

    /// The deltas as rows: arrays, side by side.
    fn rows(&self, of: &SortedDeltas, deltas: &[Delta]) -> Vec<DatumWithOid<'static>> {
        let counts = |count: &dyn Fn(&Delta) -> i32| {
            let counts = deltas.iter().map(|delta| i64::from(count(delta)).into());
            typed(
                array(counts.collect(), pg_sys::INT8OID),
                pg_sys::INT8ARRAYOID,
            )
        };
        let mut rows = Vec::from(self.keys(of, deltas));
        rows.push(counts(&|delta| delta.leads));
        let columns = 0..self.count_columns.len();
        rows.extend(columns.map(|place| counts(&|delta| of.by_column(delta)[place])));
        rows
    }

    /// The keys of the deltas as two arrays, side by side.
    pub(super) fn keys(&self, of: &SortedDeltas, deltas: &[Delta]) -> [DatumWithOid<'static>; 2] {
        let (campaigns, phones): (Vec<_>, Vec<_>) = deltas
            .iter()
            .map(|delta| {
                let campaign = self.campaign.datum(of.campaign(delta));
                (campaign, phone_datum(delta))
            })
            .unzip();
        [
            self.campaign_array(campaigns),
            typed(array(phones, self.phone_type), self.phones_type),
        ]
    }

    fn remove_unused(&self, of: &SortedDeltas, deltas: &[Delta]) {
        if deltas.is_empty() {
            return;
        }
        let are_zero: Vec<String> = self
            .all_counts()
            .map(|count| format!("c.{count} OPERATOR(pg_catalog.=) 0"))
            .collect();
        let statement = format!(
            "DELETE FROM {} AS c USING ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone) \
             WHERE {} AND c.phone OPERATOR(pg_catalog.=) k.phone AND {} AND NOT c.disqualified",
            self.table(),
            self.is_of("k.campaign"),
            are_zero.join(" AND "),
        );
        let keys = self.keys(of, deltas);
        let (statement, args) = self.on_one_shard(&statement, keys, of, deltas);
        Statement::new(&statement, &args).on(self.oid).run();
    }

    /// A statement on counts `c` with the arguments `$1` and `$2`, and under Citus the campaign, which must be one, as a condition of
    /// its own: a trigger on a shard may not look at others.
    pub(super) fn on_one_shard<'s>(
        &self,
        statement: &'s str,
        keys: [DatumWithOid<'static>; 2],
        of: &SortedDeltas,
        deltas: &[Delta],
    ) -> (Cow<'s, str>, Vec<DatumWithOid<'static>>) {
        let mut args = Vec::from(keys);
        let (true, Some(delta)) = (citus::plans(), deltas.first()) else {
            return (Cow::Borrowed(statement), args);
        };
        args.push(self.campaign_argument(of.campaign(delta)));
        // before what groups the rows, if anything does
        let (before, after) =
            statement.split_at(statement.find(" GROUP BY").unwrap_or(statement.len()));
        let glue = if before.contains(" WHERE ") {
            "AND"
        } else {
            "WHERE"
        };
        (
            Cow::Owned(format!("{before} {glue} {}{after}", self.is_of("$3"))),
            args,
        )
    }

    /// Sets the marks of the leads that hold these numbers in a column. Says how many did not take theirs: triggers and rules of the
    /// application can keep an UPDATE from a lead.
    pub(crate) fn mark_leads(
        &self,
        leads: pg_sys::Oid,
        column: &NumberColumn,
        mark: bool,
        of: &SortedDeltas,
        deltas: &[Delta],
    ) -> i64 {
        if deltas.is_empty() {
            return 0;
        }
        let table = text::table_name(leads);
        let mark_name = spi::quote_identifier(mark_column(&column.name));
        let keys =
            "ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone)";
        let are_wrong = format!(
            "{} {} k.campaign AND {} OPERATOR(pg_catalog.=) k.phone AND l.{mark_name} IS DISTINCT FROM $3",
            self.campaign_of("l"),
            self.equals(),
            column.stored_name(),
        );
        let update =
            format!("UPDATE {table} AS l SET {mark_name} = $3 FROM {keys} WHERE {are_wrong}");
        let left =
            format!("SELECT pg_catalog.count(*) FROM {table} AS l, {keys} WHERE {are_wrong}");
        let chunks = deltas.chunks(Self::MAX_PER_STATEMENT);
        chunks
            .map(|deltas| {
                sql::in_own_memory(|| {
                    let [campaigns, phones] = self.keys(of, deltas);
                    // As text, not as the domain: the comparison takes the collation of the column, and so its index.
                    let phones = match phones.datum() {
                        Some(phones) => typed(phones.sans_lifetime(), pg_sys::TEXTARRAYOID),
                        None => phones,
                    };
                    let args = [campaigns, phones, mark.into()];
                    Statement::new(&update, &args).on(leads).run();
                    Statement::new(&left, &args)
                        .on(leads)
                        .rows(|rows| rows.first(|row| row.get::<i64>(1)))
                        .flatten()
                        .unwrap_or(0)
                })
            })
            .sum()
    }

    /// TRUNCATE took every lead, also those that the transaction's snapshot does not see.
    pub(crate) fn clear(&self) {
        let table = self.table();
        let zeros: Vec<String> = self
            .all_counts()
            .map(|count| format!("{count} = 0"))
            .collect();
        for statement in [
            format!("DELETE FROM {table} AS c WHERE NOT c.disqualified"),
            format!(
                "UPDATE {table} AS c SET {} WHERE c.lead_count OPERATOR(pg_catalog.<>) 0",
                zeros.join(", ")
            ),
        ] {
            Statement::new(&statement, &[])
                .on(self.oid)
                .on_latest()
                .run();
        }
    }
}
