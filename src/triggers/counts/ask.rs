//! Which numbers the counts call disqualified, as it is committed now: a mark that follows an older snapshot would stay.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;

use super::Counts;
use crate::backend::sql::Statement;
use crate::phone::E164;
use crate::triggers::campaign::Campaign;
use crate::triggers::columns::PerColumn;
use crate::triggers::deltas::{Delta, SortedDeltas};
use crate::triggers::reads;

impl Counts {
    /// Which of some numbers of a campaign are disqualified.
    pub(crate) fn are_disqualified(
        &self,
        campaign: &Campaign,
        phones: &PerColumn<Option<E164>>,
    ) -> PerColumn<bool> {
        let mut args = vec![self.campaign_argument(campaign)];
        args.extend(phones.iter().flatten().map(|phone| self.phone(*phone)));
        // Each by equality: an index is then read for the number, whatever the statistics say of how many are disqualified.
        let one = |place: usize| {
            format!(
                "SELECT c.phone::pg_catalog.text FROM {} AS c WHERE {} \
                 AND c.phone OPERATOR(pg_catalog.=) ${place} AND c.disqualified",
                self.table(),
                self.is_of("$1"),
            )
        };
        let each: Vec<String> = (2..=args.len()).map(one).collect();
        let statement = each.join(" UNION ALL ");
        let found: Vec<Option<E164>> = reads::without_writing(|| {
            Statement::new(&statement, &args)
                .on(self.oid)
                .on_latest()
                .rows(|rows| rows.map(|row| E164::from_text(row.get::<&[u8]>(1)?)))
        });
        phones.map(|phone| phone.is_some() && found.contains(&phone))
    }

    /// The disqualified numbers of a campaign, or of all, with their campaigns; `None` where there are more than the limit.
    pub(crate) fn disqualified(
        &self,
        of: Option<&Campaign>,
        limit: u32,
    ) -> Option<Vec<(Campaign, u64)>> {
        // The order is that of the index on disqualified numbers, which so is read whatever the statistics say.
        let statement = format!(
            "SELECT c.phone::pg_catalog.text, {campaign} FROM {} AS c WHERE {}c.disqualified ORDER BY {} LIMIT {}",
            self.table(),
            of.map_or(String::new(), |_| format!("{} AND ", self.is_of("$1"))),
            self.key_of("c"),
            limit + 1,
            campaign = self.campaign_of("c"),
        );
        let args: Vec<DatumWithOid<'_>> = of
            .map(|campaign| self.campaign_argument(campaign))
            .into_iter()
            .collect();
        let all = reads::without_writing(|| {
            Statement::new(&statement, &args)
                .on(self.oid)
                .on_latest()
                .rows(|rows| rows.map(|row| self.number(row.datum(2), row.get(1))))
        });
        (all.len() <= limit as usize).then(|| all.into_iter().flatten().collect())
    }

    /// A number and its campaign, as a statement returns them.
    pub(super) fn number(
        &self,
        campaign: Option<pg_sys::Datum>,
        phone: Option<&[u8]>,
    ) -> Option<(Campaign, u64)> {
        let phone = E164::from_text(phone?)?.sort_key();
        Some((self.campaign.read(campaign?), phone))
    }

    /// Which of some deltas' numbers are disqualified.
    pub(super) fn disqualified_among(&self, of: &SortedDeltas, deltas: &[Delta]) -> Vec<bool> {
        let statement = format!(
            "SELECT k.place FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS k (campaign, phone, place) \
             JOIN {} AS c ON {} AND c.phone OPERATOR(pg_catalog.=) k.phone WHERE c.disqualified",
            self.table(),
            self.is_of("k.campaign")
        );
        let keys = self.keys(of, deltas);
        let (statement, args) = self.on_one_shard(&statement, keys, of, deltas);
        let statement = Statement::new(&statement, &args).on(self.oid).on_latest();
        flags(statement, deltas.len())
    }

    /// Whether the transaction sees two rows of one of the deltas' numbers: an older one that somebody has removed since its snapshot, and its
    /// own.
    pub(crate) fn is_seen_twice(&self, of: &SortedDeltas, deltas: &[Delta]) -> bool {
        let statement = format!(
            "SELECT FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (campaign, phone) \
             JOIN {} AS c ON {} AND c.phone OPERATOR(pg_catalog.=) k.phone \
             GROUP BY {} HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
            self.table(),
            self.is_of("k.campaign"),
            self.key_of("c"),
        );
        let keys = self.keys(of, deltas);
        let (statement, args) = self.on_one_shard(&statement, keys, of, deltas);
        Statement::new(&statement, &args)
            .on(self.oid)
            .rows(|rows| !rows.is_empty())
    }

    /// Whether no lead is counted, whatever the transaction's snapshot sees.
    pub(crate) fn is_clear(&self) -> bool {
        let counted = format!(
            "SELECT FROM {} AS c WHERE c.lead_count OPERATOR(pg_catalog.>) 0 LIMIT 1",
            self.table()
        );
        Statement::new(&counted, &[])
            .on(self.oid)
            .on_latest()
            .rows(|rows| rows.is_empty())
    }

    /// The campaigns, by index, that have counts.
    pub(super) fn counted_among(&self, campaigns: &[Campaign]) -> Vec<bool> {
        let statement = format!(
            "SELECT k.place FROM pg_catalog.unnest($1) WITH ORDINALITY AS k (campaign, place) \
             CROSS JOIN LATERAL (SELECT FROM {} AS c WHERE {} ORDER BY {} LIMIT 1) AS c",
            self.table(),
            self.is_of("k.campaign"),
            self.key_of("c"),
        );
        let datums: Vec<pg_sys::Datum> = campaigns
            .iter()
            .map(|campaign| self.campaign.datum(campaign))
            .collect();
        let args = [self.campaign_array(datums)];
        flags(
            Statement::new(&statement, &args).on(self.oid),
            campaigns.len(),
        )
    }
}

/// One flag for each place, from 1, set where the statement returns it.
fn flags(statement: Statement<'_>, count: usize) -> Vec<bool> {
    let mut flags = vec![false; count];
    for place in statement.rows(|rows| rows.map(|row| row.get::<i64>(1))) {
        let place = place.and_then(|place| usize::try_from(place - 1).ok());
        if let Some(flag) = place.and_then(|place| flags.get_mut(place)) {
            *flag = true;
        }
    }
    flags
}
