//! The counts as a plain table: numbers looked up, and added, through its indexes and its heap, without a statement.
//!
//! Most writes are one lead and its commit; to plan, bind and run statements would cost it more than what they do. Nothing of the owner's runs
//! here. Where anything of his could (a trigger, a rule, a constraint, an index or a type of his own), and wherever the table is not what
//! `track_lead_phones()` made it, statements do it, as the owner.
//!
//! A row is written as ON CONFLICT DO UPDATE does it at READ COMMITTED: the newest row of the key is updated, or one is inserted speculatively,
//! so that of two who insert the same number one sees the other. Whoever is not first, and whatever else is rare, goes on by statement.

use core::cell::Cell;
use core::mem;

use pgrx::pg_sys;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

use super::heap::{
    Attribute, Entered, Index, KeyColumn, MAX_KEYS, Open, Scan, has_rights, is_plain_heap, only,
};
use super::{Counts, phone_datum};
use crate::phone::E164;
use crate::text::text_datum;
use crate::triggers::campaign::{Campaign, CampaignColumn};
use crate::triggers::columns::PerColumn;
use crate::triggers::deltas::{Delta, SortedDeltas};
use crate::{hashes, sql};

/// So often somebody else may have written the row first.
const MAX_TRIES: u32 = 100;

/// After so many numbers in a row that had no row, the next one is inserted before it is looked for.
const MISSES: u32 = 8;

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

/// Where everything stands in the counts.
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

/// The index by which numbers that are out in every campaign are found: more than those, as an entry may be lifted as a whole.
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

    /// What an index is, and whether it is the primary key; `None` where it is neither that nor the one of disqualified numbers.
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
    /// Whether some of a few numbers may be out in every campaign: where not, no statement has to ask.
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

/// What happened to a row that was to be written.
enum Written {
    /// It was, and the number is disqualified, or not.
    Done(bool),
    /// Somebody else wrote it meanwhile.
    Again,
    /// It takes a statement.
    No,
}

/// Writes rows of the counts.
struct Writer<'a> {
    direct: &'a Direct,
    /// Ends before the table is closed.
    scan: Option<Scan<'a>>,
    /// The primary key.
    key: Entered,
    table: Open,
}

impl<'a> Writer<'a> {
    fn new(direct: &'a Direct) -> Self {
        let table = Open::table(direct.table);
        // SAFETY: an error where a publication wants a replica identity that the table lacks, as a statement has it; what was written so far
        // is seen, as a statement would see it.
        unsafe {
            pg_sys::CheckCmdReplicaIdentity(table.0, pg_sys::CmdType::CMD_UPDATE);
            pg_sys::CommandCounterIncrement();
        }
        Self {
            direct,
            scan: None,
            key: Entered::open(&direct.key),
            table,
        }
    }

    /// Adds a delta; says whether its number is disqualified. `None` where it takes a statement.
    fn add(&mut self, campaign: pg_sys::Datum, delta: &Delta, by_column: &[i32]) -> Option<bool> {
        pgrx::check_for_interrupts!();
        let phone = phone_datum(delta);
        let misses = &self.direct.misses;
        let is_new = misses.get() >= MISSES && delta.leads > 0;
        if is_new && self.insert(campaign, phone, delta, by_column) {
            return Some(false);
        }
        for _ in 0..MAX_TRIES {
            let written = if self.find(campaign, phone) {
                misses.set(0);
                self.update(delta, by_column)
            } else if !is_new && delta.leads > 0 && self.insert(campaign, phone, delta, by_column) {
                misses.set(misses.get() + 1);
                Written::Done(false)
            } else {
                Written::No
            };
            match written {
                Written::Done(disqualified) => return Some(disqualified),
                Written::Again => self.scan = None,
                Written::No => break,
            }
        }
        None
    }

    /// Whether there is a row of the number, as it is committed now, or as this transaction has made it before.
    fn find(&mut self, campaign: pg_sys::Datum, phone: pg_sys::Datum) -> bool {
        let index = &self.direct.key;
        let scan = self
            .scan
            .get_or_insert_with(|| Scan::begin(&self.table, index, pg_sys::RowExclusiveLock));
        scan.find(self.direct.key_of(index, campaign, phone))
    }

    /// Adds to the row that was found, or removes it where nothing is left of it.
    fn update(&self, delta: &Delta, by_column: &[i32]) -> Written {
        let (Some(scan), direct) = (&self.scan, self.direct) else {
            return Written::No;
        };
        let (mut values, mut nulls) = scan.row(direct.width);
        if nulls.contains(&true) {
            return Written::No;
        }
        let at = |attribute: i16| attribute as usize - 1;
        let disqualified = values[at(direct.disqualified)].value() != 0;
        let added = core::iter::once(&delta.leads).chain(by_column);
        let mut is_unused = delta.leads <= 0 && !disqualified;
        for (attribute, added) in direct.counts.iter().zip(added) {
            let count = values[at(*attribute)].value() as i64;
            // an overflow is for the statement to report
            let Some(count) = count.checked_add(i64::from(*added)) else {
                return Written::No;
            };
            is_unused &= count == 0;
            values[at(*attribute)] = count.into();
        }
        let old = scan.tid();
        let outcome = match is_unused {
            true => self.table.delete(old),
            false => {
                let (outcome, new) = self.table.update(old, &mut values, &mut nulls);
                if let Some(new) = new.filter(|_| outcome == pg_sys::TM_Result::TM_Ok) {
                    self.index(&values, new, disqualified);
                }
                outcome
            }
        };
        match outcome {
            pg_sys::TM_Result::TM_Ok => Written::Done(disqualified),
            pg_sys::TM_Result::TM_Updated | pg_sys::TM_Result::TM_Deleted => Written::Again,
            _ => Written::No,
        }
    }

    /// Has the indexes point to a new version of a row that stands elsewhere than the old one.
    fn index(&self, values: &[pg_sys::Datum], new: pg_sys::ItemPointerData, disqualified: bool) {
        let direct = self.direct;
        let value = |attribute: i16| values[attribute as usize - 1];
        let campaign = direct.campaign.map_or(pg_sys::Datum::null(), value);
        let phone = value(direct.phone);
        let key = direct.key_of(&direct.key, campaign, phone);
        let check = pg_sys::IndexUniqueCheck::UNIQUE_CHECK_YES;
        self.key.enter(&self.table, key, new, check, true);
        if disqualified {
            let index = &direct.disqualified_key;
            let key = direct.key_of(index, campaign, phone);
            let check = pg_sys::IndexUniqueCheck::UNIQUE_CHECK_NO;
            Entered::open(index).enter(&self.table, key, new, check, true);
        }
    }

    /// Inserts a row, unless there is one.
    fn insert(
        &self,
        campaign: pg_sys::Datum,
        phone: pg_sys::Datum,
        delta: &Delta,
        by_column: &[i32],
    ) -> bool {
        let direct = self.direct;
        let mut values = vec![pg_sys::Datum::from(false); direct.width];
        let mut set = |attribute: i16, value| values[attribute as usize - 1] = value;
        if let Some(attribute) = direct.campaign {
            set(attribute, campaign);
        }
        set(direct.phone, phone);
        let counts = core::iter::once(&delta.leads).chain(by_column);
        for (attribute, count) in direct.counts.iter().zip(counts) {
            set(*attribute, i64::from(*count).into());
        }
        self.table.insert(&mut values, |tid| {
            let key = direct.key_of(&direct.key, campaign, phone);
            let check = pg_sys::IndexUniqueCheck::UNIQUE_CHECK_PARTIAL;
            self.key.enter(&self.table, key, tid, check, false)
        })
    }
}

/// What the owner of the leads needs to read and write the counts, as his statements would.
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

/// Whether the campaign of a lead needs no conversion and no check to stand in it.
fn holds(found: &Attribute, campaign: &CampaignColumn) -> bool {
    campaign.column().is_some_and(|column| {
        (found.type_id, found.modifier) == (column.type_id, column.declared_modifier)
            || found.type_id == column.base_type && found.modifier == -1
    })
}
