//! The counts as a plain table: numbers looked up, and added, through its indexes and its heap, without a statement.
//!
//! Most writes are one lead and its commit; to plan, bind and run statements would cost it more than what they do. Nothing of the owner's runs
//! here. Where anything of the owner's could (a trigger, a rule, a constraint, an index or a type), and wherever the table is not what
//! `track_lead_phones()` made it, statements do it, as the owner.
//!
//! A row is written as ON CONFLICT DO UPDATE does it at READ COMMITTED: the newest row of the key is updated, or one is inserted speculatively,
//! so that of two who insert the same number one sees the other. The one that is not first, and whatever else is rare, goes on by statement.

mod writer;

use core::cell::Cell;
use core::mem;

use pgrx::pg_sys;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

use self::writer::Writer;
use super::Counts;
use super::heap::{Attribute, Index, KeyColumn, MAX_KEYS, Open, has_rights, is_plain_heap, only};
use super::scan::Scan;
use crate::backend::sql;
use crate::backend::text::text_datum;
use crate::hashes;
use crate::phone::E164;
use crate::triggers::campaign::{Campaign, CampaignColumn};
use crate::triggers::columns::PerColumn;
use crate::triggers::deltas::{Delta, SortedDeltas};

static IS_WANTED: GucSetting<bool> = GucSetting::<bool>::new(true);

/// Defines the setting.
pub(in crate::triggers) fn install() {
    GucRegistry::define_bool_guc(
        c"lead_phones.direct_counts",
        c"Whether counts are looked up and written without statements, where their table allows it.",
        c"It makes writes cheaper, and changes nothing else.",
        &IS_WANTED,
        GucContext::Userset,
        GucFlags::default(),
    );
}

/// Where everything is in the counts.
pub(super) struct Direct {
    table: pg_sys::Oid,
    /// The primary key.
    key: Index,
    /// The index of numbers that are disqualified.
    disqualified_key: Index,
    campaign: Option<i16>,
    phone: i16,
    /// The counts: of leads, and by column of numbers.
    counts: Vec<i16>,
    disqualified: i16,
    /// Number of columns.
    width: usize,
    /// Numbers in a row that had no row.
    misses: Cell<u32>,
}

/// Whether a predicate is a column itself.
///
/// # Safety
/// A list of expressions, or NULL.
unsafe fn is_column(predicate: *const pg_sys::List, column: i16) -> bool {
    // SAFETY: the caller's promise; a node of a tag is of its type.
    unsafe {
        only(predicate).is_some_and(|node: *const pg_sys::Node| {
            (*node).type_ == pg_sys::NodeTag::T_Var
                && (*node.cast::<pg_sys::Var>()).varattno == column
        })
    }
}

/// The index by which numbers that are disqualified in every campaign are found: more than those, as an entry may be lifted as a whole.
pub(super) struct Suppressed {
    table: pg_sys::Oid,
    index: Index,
}

impl Suppressed {
    /// `None` where the table, which somebody holds, has no such index, or its owner may not read it.
    pub(super) fn find(oid: pg_sys::Oid, owner: pg_sys::Oid) -> Option<Self> {
        let number = Attribute::find(oid, "number")?;
        let lifted_at = Attribute::find(oid, "lifted_at")?.number;
        let table = Open::locked(oid, pg_sys::AccessShareLock);
        if number.type_id != pg_sys::INT8OID
            || !has_rights(oid, owner, pg_sys::ACL_SELECT)
            || !is_plain_heap(&table)
        {
            return None;
        }
        table.indexes().into_iter().find_map(|index| {
            let open = Open::index(index, pg_sys::AccessShareLock);
            let index = Index::read(&open, |attribute| {
                (attribute == number.number).then_some(KeyColumn::Phone)
            })?;
            // SAFETY: the index's own predicate; a node of a tag is of its type.
            let is_of_standing = unsafe {
                only(pg_sys::RelationGetIndexPredicate(open.0)).is_some_and(|node| {
                    let test = node.cast::<pg_sys::NullTest>();
                    (*node).type_ == pg_sys::NodeTag::T_NullTest
                        && (*test).nulltesttype == pg_sys::NullTestType::IS_NULL
                        && !(*test).argisrow
                        && (*(*test).arg.cast::<pg_sys::Node>()).type_ == pg_sys::NodeTag::T_Var
                        && (*(*test).arg.cast::<pg_sys::Var>()).varattno == lifted_at
                })
            };
            is_of_standing.then_some(Self { table: oid, index })
        })
    }

    /// Whether there is any of some keys, as it is committed now.
    fn has_any(&self, mut keys: impl Iterator<Item = i64>) -> bool {
        let table = Open::locked(self.table, pg_sys::AccessShareLock);
        // SAFETY: what this command has changed so far is seen too, as a statement would see it.
        unsafe { pg_sys::CommandCounterIncrement() };
        let mut scan = Scan::begin(&table, &self.index, pg_sys::AccessShareLock);
        keys.any(|key| scan.find([key.into(), pg_sys::Datum::null()]))
    }
}

impl Direct {
    /// `None` where the table, which is locked, is not a plain one.
    pub(super) fn find(
        oid: pg_sys::Oid,
        owner: pg_sys::Oid,
        campaign: &CampaignColumn,
        campaign_column: Option<&str>,
        count_columns: &[String],
    ) -> Option<Self> {
        let table = Open::table(oid);
        if !has_rights(oid, owner, WRITING) || !is_plain(&table) {
            return None;
        }
        let column = |name: &str, type_id| {
            let found = Attribute::find(oid, name)?;
            (found.type_id == type_id).then_some(found.number)
        };
        let counts = core::iter::once("lead_count").chain(count_columns.iter().map(String::as_str));
        let no_index = || Index {
            oid: pg_sys::InvalidOid,
            columns: Vec::new(),
        };
        let mut found = Self {
            table: oid,
            key: no_index(),
            disqualified_key: no_index(),
            campaign: match campaign_column {
                Some(name) => Some(
                    Attribute::find(oid, name)
                        .filter(|column| holds(column, campaign))?
                        .number,
                ),
                None => None,
            },
            phone: Attribute::find(oid, "phone")?.number,
            counts: counts
                .map(|name| column(name, pg_sys::INT8OID))
                .collect::<Option<_>>()?,
            disqualified: column("disqualified", pg_sys::BOOLOID)?,
            width: table.width(),
            misses: Cell::new(0),
        };
        (found.is_all_of(&table) && found.find_indexes(&table)).then_some(found)
    }

    /// Whether its columns are all that the table has, dropped ones too, each once; and a new row is not disqualified.
    fn is_all_of(&self, table: &Open) -> bool {
        let mut columns = self.counts.clone();
        columns.extend([self.phone, self.disqualified]);
        columns.extend(self.campaign);
        columns.sort_unstable();
        (1..).zip(&columns).all(|(place, column)| *column == place)
            && columns.len() == self.width
            && table.is_false_by_default(self.disqualified)
    }

    /// False where they are not those two.
    fn find_indexes(&mut self, table: &Open) -> bool {
        for oid in table.indexes() {
            let index = self.read_index(&Open::index(oid, pg_sys::AccessShareLock));
            let (place, index) = match index {
                Some((true, index)) => (&mut self.key, index),
                Some((false, index)) => (&mut self.disqualified_key, index),
                None => return false,
            };
            if !mem::replace(place, index).columns.is_empty() {
                return false;
            }
        }
        !self.key.columns.is_empty() && !self.disqualified_key.columns.is_empty()
    }

    /// What an index is, and whether it is the primary key; `None` where it is neither that nor the index of disqualified numbers.
    fn read_index(&self, index: &Open) -> Option<(bool, Index)> {
        let found = Index::read(index, |attribute| match attribute {
            _ if attribute == self.phone => Some(KeyColumn::Phone),
            _ if Some(attribute) == self.campaign => Some(KeyColumn::Campaign),
            _ => None,
        })?;
        // SAFETY: what an open index has.
        let (row, predicate) = unsafe {
            (
                &*(*index.0).rd_index,
                pg_sys::RelationGetIndexPredicate(index.0),
            )
        };
        let is_key = row.indisprimary && predicate.is_null();
        // SAFETY: the index's own.
        let is_of_disqualified =
            || !row.indisunique && unsafe { is_column(predicate, self.disqualified) };
        let has = |wanted| {
            found
                .columns
                .iter()
                .filter(|(column, _)| *column == wanted)
                .count()
        };
        let is_whole = has(KeyColumn::Phone) == 1
            && has(KeyColumn::Campaign) == usize::from(self.campaign.is_some());
        (is_whole && (is_key || is_of_disqualified())).then_some((is_key, found))
    }

    /// The values of a key, in the order of an index.
    fn key_of(
        &self,
        index: &Index,
        campaign: pg_sys::Datum,
        phone: pg_sys::Datum,
    ) -> [pg_sys::Datum; MAX_KEYS] {
        let value = |column: &(KeyColumn, _)| match column.0 {
            KeyColumn::Campaign => campaign,
            KeyColumn::Phone => phone,
        };
        let mut key = [pg_sys::Datum::null(); MAX_KEYS];
        key.iter_mut()
            .zip(&index.columns)
            .for_each(|(key, column)| *key = value(column));
        key
    }

    /// The counts, or the shard of theirs.
    pub(super) fn table(&self) -> pg_sys::Oid {
        self.table
    }

    /// Which of some numbers of a campaign are disqualified, as it is committed now.
    fn are_disqualified(
        &self,
        campaign: pg_sys::Datum,
        phones: &PerColumn<Option<E164>>,
    ) -> PerColumn<bool> {
        let table = Open::table(self.table);
        // SAFETY: what this command has changed so far is seen too, as a statement would see it.
        unsafe { pg_sys::CommandCounterIncrement() };
        let index = &self.disqualified_key;
        let mut scan = Scan::begin(&table, index, pg_sys::AccessShareLock);
        phones.map(|phone| {
            phone.is_some_and(|phone| {
                scan.find(self.key_of(index, campaign, text_datum(phone.as_bytes())))
            })
        })
    }
}

impl Counts {
    /// Whether some of a few numbers may be disqualified in every campaign: where not, no statement has to ask.
    pub(crate) fn may_be_out_everywhere(&self, phones: impl Iterator<Item = E164>) -> bool {
        let suppressed = self
            .everywhere
            .as_ref()
            .and_then(|everywhere| everywhere.suppressed.as_ref())
            .filter(|_| IS_WANTED.get() && self.watch.is_current());
        suppressed.is_none_or(|suppressed| {
            suppressed.has_any(phones.flat_map(|phone| hashes::keys_of(&phone)))
        })
    }

    fn direct(&self) -> Option<&Direct> {
        let direct = self.direct.as_ref()?;
        (IS_WANTED.get() && self.watch.is_current()).then_some(direct)
    }

    /// Which of some numbers of a campaign are disqualified, as it is committed now; `None` where that takes a statement.
    pub(crate) fn are_disqualified_directly(
        &self,
        campaign: &Campaign,
        phones: &PerColumn<Option<E164>>,
    ) -> Option<PerColumn<bool>> {
        let direct = self.direct()?;
        Some(direct.are_disqualified(self.campaign.datum(campaign), phones))
    }

    /// Adds the first of some deltas, as far as it takes no statement, and removes rows that no lead needs any more. Says of each whether its
    /// number is disqualified, which holds until the end of the transaction.
    pub(crate) fn add_directly(&self, of: &SortedDeltas, deltas: &[Delta]) -> Vec<bool> {
        match self.direct() {
            Some(direct) if !deltas.is_empty() && !sql::has_one_snapshot() => {
                sql::in_own_memory(|| {
                    let mut writer = Writer::new(direct);
                    let campaign = |delta| self.campaign.datum(of.campaign(delta));
                    let flags = deltas
                        .iter()
                        .map_while(|delta| writer.add(campaign(delta), delta, of.by_column(delta)))
                        .collect();
                    // SAFETY: what was written is seen by what follows.
                    unsafe { pg_sys::CommandCounterIncrement() };
                    flags
                })
            }
            _ => Vec::new(),
        }
    }
}

/// What the owner of the leads needs to read and write the counts, as the owner's statements would.
const WRITING: u32 =
    pg_sys::ACL_SELECT | pg_sys::ACL_INSERT | pg_sys::ACL_UPDATE | pg_sys::ACL_DELETE;

/// Whether nothing but the row itself has a part in a write.
fn is_plain(table: &Open) -> bool {
    // SAFETY: what an open table has.
    unsafe {
        let relation = &*table.0;
        relation.trigdesc.is_null()
            && relation.rd_rules.is_null()
            && !(*relation.rd_rel).relispartition
            && is_plain_heap(table)
            && (*relation.rd_att)
                .constr
                .as_ref()
                .is_none_or(|more| more.num_check == 0 && !more.has_generated_stored)
    }
}

/// Whether the campaign of a lead needs no conversion and no check to be stored in it.
fn holds(found: &Attribute, campaign: &CampaignColumn) -> bool {
    campaign.column().is_some_and(|column| {
        (found.type_id, found.modifier) == (column.type_id, column.declared_modifier)
            || found.type_id == column.base_type && found.modifier == -1
    })
}
