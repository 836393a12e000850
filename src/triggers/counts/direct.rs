//! The counts as a plain table: numbers looked up, and few added, through its indexes and its heap, without a statement.
//!
//! Most writes are one lead and its commit; to plan, bind and run statements would cost it more than what they do. Nothing of the owner's runs
//! here. Where anything of his could (a trigger, a rule, a constraint, an index or a type of his own), and wherever the table is not what
//! `track_lead_phones()` made it, statements do it, as the owner.
//!
//! A row is written as ON CONFLICT DO UPDATE does it at READ COMMITTED: the newest row of the key is updated, or one is inserted speculatively,
//! so that of two who insert the same number one sees the other. Whoever is not first, and whatever else is rare, goes on by statement.

use core::cell::Cell;
use core::{mem, ptr};

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

use super::{Counts, phone_datum};
use crate::phone::E164;
use crate::text::{self, text_datum};
use crate::triggers::campaign::{Campaign, CampaignColumn};
use crate::triggers::columns::PerColumn;
use crate::triggers::deltas::{Delta, SortedDeltas};
use crate::{hashes, server, sql};

/// Columns of a key: campaign, number.
const MAX_KEYS: usize = 2;

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
        c"It makes writes of few leads cheaper, and changes nothing else.",
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

/// An index on the key, and how its columns are compared.
struct Index {
    oid: pg_sys::Oid,
    /// One for each column: which it is, and how Postgres finds a value in it.
    columns: Vec<(KeyColumn, pg_sys::ScanKeyData)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyColumn {
    Campaign,
    Phone,
}

impl Index {
    /// `None` where it is none of plain columns that are wanted, or compares them by what is not Postgres's own.
    fn read(index: &Open, wanted: impl Fn(i16) -> Option<KeyColumn>) -> Option<Self> {
        // SAFETY: what an open index has; catalog look-ups.
        unsafe {
            let relation = &*index.0;
            let row = &*relation.rd_index;
            let length = usize::try_from(row.indnkeyatts).ok()?;
            let is_usual = row.indisvalid
                && row.indisready
                && row.indimmediate
                && !row.indisexclusion
                && !row.indcheckxmin
                && row.indnatts == row.indnkeyatts
                && length <= MAX_KEYS
                && (*relation.rd_rel).relam == pg_sys::BTREE_AM_OID
                && pg_sys::RelationGetIndexExpressions(index.0).is_null();
            if !is_usual {
                return None;
            }
            let mut columns = Vec::with_capacity(length);
            for place in 0..length {
                let attribute = *row.indkey.values.as_ptr().add(place);
                let column = wanted(attribute)?;
                let collation = *relation.rd_indcollation.add(place);
                if collation != Attribute::of(row.indrelid, attribute).collation {
                    return None;
                }
                let family = *relation.rd_opfamily.add(place);
                let input = *relation.rd_opcintype.add(place);
                let strategy = pg_sys::BTEqualStrategyNumber as i16;
                let operator = pg_sys::get_opfamily_member(family, input, input, strategy);
                let equals = pg_sys::get_opcode(operator);
                let is_own = |oid: pg_sys::Oid| {
                    oid != pg_sys::InvalidOid && oid.to_u32() < pg_sys::FirstNormalObjectId
                };
                if !is_own(family) || !is_own(equals) {
                    return None;
                }
                let mut key = mem::zeroed();
                // what the function keeps lives as long as the backend
                PgMemoryContexts::TopMemoryContext.switch_to(|_| {
                    pg_sys::ScanKeyEntryInitialize(
                        &mut key,
                        0,
                        place as i16 + 1,
                        strategy as u16,
                        pg_sys::InvalidOid,
                        collation,
                        equals,
                        pg_sys::Datum::null(),
                    );
                });
                columns.push((column, key));
            }
            Some(Self {
                oid: relation.rd_id,
                columns,
            })
        }
    }
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

/// The one expression of a list.
///
/// # Safety
/// A list of expressions, or NULL.
unsafe fn only(list: *const pg_sys::List) -> Option<*const pg_sys::Node> {
    // SAFETY: the caller's promise.
    unsafe {
        let list = list.as_ref().filter(|list| list.length == 1)?;
        Some((*list.elements).ptr_value.cast())
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
    fn has_any(&self, keys: impl Iterator<Item = i64>) -> bool {
        let table = Open::locked(self.table, pg_sys::AccessShareLock);
        // SAFETY: what this command has changed so far is seen too, as a statement would see it.
        unsafe { pg_sys::CommandCounterIncrement() };
        let mut scan = Scan::begin(&table, &self.index, pg_sys::AccessShareLock);
        keys.into_iter()
            .any(|key| scan.find([key.into(), pg_sys::Datum::null()]))
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
        if !has_rights(oid, owner, WRITING) || !is_plain(&Open::table(oid)) {
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
                        .filter(|column| column.holds(campaign))?
                        .number,
                ),
                None => None,
            },
            phone: Attribute::find(oid, "phone")?.number,
            counts: counts
                .map(|name| column(name, pg_sys::INT8OID))
                .collect::<Option<_>>()?,
            disqualified: column("disqualified", pg_sys::BOOLOID)?,
            width: 0,
            misses: Cell::new(0),
        };
        let table = Open::table(oid);
        found.width = table.width();
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

fn has_rights(oid: pg_sys::Oid, owner: pg_sys::Oid, needed: u32) -> bool {
    let needed = pg_sys::AclMode::from(needed);
    // SAFETY: a catalog look-up.
    let granted =
        unsafe { pg_sys::pg_class_aclmask(oid, owner, needed, pg_sys::AclMaskHow::ACLMASK_ALL) };
    granted == needed && server::may_use_schema_of(owner, oid)
}

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

/// Whether its rows are its own, and in a heap.
fn is_plain_heap(table: &Open) -> bool {
    // SAFETY: an open table has its pg_class row.
    let class = unsafe { &*(*table.0).rd_rel };
    class.relkind as u8 == pg_sys::RELKIND_RELATION
        && class.relam == pg_sys::HEAP_TABLE_AM_OID
        && !class.relhassubclass
}

/// A column of the counts.
struct Attribute {
    number: i16,
    type_id: pg_sys::Oid,
    modifier: i32,
    collation: pg_sys::Oid,
}

impl Attribute {
    fn find(table: pg_sys::Oid, name: &str) -> Option<Self> {
        let name = text::to_server(name);
        // SAFETY: a catalog look-up; of what there is not it answers 0.
        let number = unsafe { pg_sys::get_attnum(table, name.as_ptr()) };
        (number > 0).then(|| Self::of(table, number))
    }

    /// A column that there is.
    fn of(table: pg_sys::Oid, number: i16) -> Self {
        let mut found = Self {
            number,
            type_id: pg_sys::InvalidOid,
            modifier: -1,
            collation: pg_sys::InvalidOid,
        };
        // SAFETY: a catalog look-up.
        unsafe {
            pg_sys::get_atttypetypmodcoll(
                table,
                number,
                &mut found.type_id,
                &mut found.modifier,
                &mut found.collation,
            );
        }
        found
    }

    /// Whether the campaign of a lead needs no conversion and no check to stand in it.
    fn holds(&self, campaign: &CampaignColumn) -> bool {
        campaign.column().is_some_and(|column| {
            (self.type_id, self.modifier) == (column.type_id, column.declared_modifier)
                || self.type_id == column.base_type && self.modifier == -1
        })
    }
}

/// An open table or index. Its lock stays until the transaction ends.
struct Open(pg_sys::Relation);

impl Open {
    /// A table that is locked already.
    fn table(oid: pg_sys::Oid) -> Self {
        Self::locked(oid, pg_sys::NoLock)
    }

    fn locked(oid: pg_sys::Oid, lock: u32) -> Self {
        // SAFETY: an error where there is none.
        Self(unsafe { pg_sys::table_open(oid, lock as pg_sys::LOCKMODE) })
    }

    fn index(oid: pg_sys::Oid, lock: u32) -> Self {
        // SAFETY: as above.
        Self(unsafe { pg_sys::index_open(oid, lock as pg_sys::LOCKMODE) })
    }

    fn width(&self) -> usize {
        // SAFETY: an open table has a description.
        unsafe { (*(*self.0).rd_att).natts as usize }
    }

    /// Whether the default of a boolean column is false.
    fn is_false_by_default(&self, column: i16) -> bool {
        // SAFETY: an open table has a description, with as many defaults as it says; an expression of a tag is of its type.
        unsafe {
            let Some(more) = (*(*self.0).rd_att).constr.as_ref() else {
                return false;
            };
            (0..usize::from(more.num_defval))
                .map(|place| &*more.defval.add(place))
                .find(|default| default.adnum == column)
                .is_some_and(|default| {
                    let node = pg_sys::stringToNode(default.adbin).cast::<pg_sys::Node>();
                    let value = node.cast::<pg_sys::Const>();
                    (*node).type_ == pg_sys::NodeTag::T_Const
                        && !(*value).constisnull
                        && (*value).constvalue.value() == 0
                })
        }
    }

    fn indexes(&self) -> Vec<pg_sys::Oid> {
        // SAFETY: the list is a copy.
        unsafe {
            let list = pg_sys::RelationGetIndexList(self.0);
            let length = list.as_ref().map_or(0, |list| list.length as usize);
            (0..length)
                .map(|place| (*(*list).elements.add(place)).oid_value)
                .collect()
        }
    }

    /// Updates a row. Where the new version needs entries of its own in the indexes, says where it stands.
    fn update(
        &self,
        mut old: pg_sys::ItemPointerData,
        values: &mut [pg_sys::Datum],
        nulls: &mut [bool],
    ) -> (pg_sys::TM_Result::Type, Option<pg_sys::ItemPointerData>) {
        let mut failure = pg_sys::TM_FailureData::default();
        let mut lock = 0;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let mut indexes = 0;
        // SAFETY: the row was found in the table, and has as many values as it; the tuple is a copy of them.
        unsafe {
            let new =
                pg_sys::heap_form_tuple((*self.0).rd_att, values.as_mut_ptr(), nulls.as_mut_ptr());
            let outcome = pg_sys::heap_update(
                self.0,
                &mut old,
                new,
                pg_sys::GetCurrentCommandId(true),
                ptr::null_mut(),
                true,
                &mut failure,
                &mut lock,
                #[cfg(not(any(feature = "pg14", feature = "pg15")))]
                &mut indexes,
            );
            let is_heap_only =
                u32::from((*(*new).t_data).t_infomask2) & pg_sys::HEAP_ONLY_TUPLE != 0;
            (outcome, (!is_heap_only).then_some((*new).t_self))
        }
    }

    fn delete(&self, mut old: pg_sys::ItemPointerData) -> pg_sys::TM_Result::Type {
        let mut failure = pg_sys::TM_FailureData::default();
        // SAFETY: the row was found in the table.
        unsafe {
            pg_sys::CheckCmdReplicaIdentity(self.0, pg_sys::CmdType::CMD_DELETE);
            pg_sys::heap_delete(
                self.0,
                &mut old,
                pg_sys::GetCurrentCommandId(true),
                ptr::null_mut(),
                true,
                &mut failure,
                false,
            )
        }
    }

    /// Inserts a row, and takes it back where `enter` says that there is another.
    fn insert(
        &self,
        values: &mut [pg_sys::Datum],
        enter: impl FnOnce(pg_sys::ItemPointerData) -> bool,
    ) -> bool {
        /// The offset by which a tuple says that it is speculative: `SpecTokenOffsetNumber` of `htup_details.h`.
        const SPECULATIVE: u16 = 0xfffe;
        let mut nulls = vec![false; values.len()];
        // SAFETY: the row has as many values as the table; the token is released as it was taken, after an error by the end of the
        // transaction.
        unsafe {
            let tuple =
                pg_sys::heap_form_tuple((*self.0).rd_att, values.as_mut_ptr(), nulls.as_mut_ptr());
            let transaction = pg_sys::GetCurrentTransactionId();
            let token = pg_sys::SpeculativeInsertionLockAcquire(transaction);
            (*(*tuple).t_data).t_ctid = pg_sys::ItemPointerData {
                ip_blkid: pg_sys::BlockIdData {
                    bi_hi: (token >> 16) as u16,
                    bi_lo: token as u16,
                },
                ip_posid: SPECULATIVE,
            };
            pg_sys::heap_insert(
                self.0,
                tuple,
                pg_sys::GetCurrentCommandId(true),
                pg_sys::HEAP_INSERT_SPECULATIVE as i32,
                ptr::null_mut(),
            );
            let mut tid = (*tuple).t_self;
            let is_first = enter(tid);
            match is_first {
                true => pg_sys::heap_finish_speculative(self.0, &mut tid),
                false => pg_sys::heap_abort_speculative(self.0, &mut tid),
            }
            pg_sys::SpeculativeInsertionLockRelease(transaction);
            is_first
        }
    }
}

/// An index that is written.
struct Entered {
    index: Open,
    info: *mut pg_sys::IndexInfo,
}

impl Entered {
    fn open(index: &Index) -> Self {
        let index = Open::index(index.oid, pg_sys::RowExclusiveLock);
        // SAFETY: the index is open; what is built goes with the memory of the write.
        let info = unsafe { pg_sys::BuildIndexInfo(index.0) };
        Self { index, info }
    }

    /// Has the index point to a row; says whether it is the only one of its key, where that is asked.
    fn enter(
        &self,
        table: &Open,
        mut key: [pg_sys::Datum; MAX_KEYS],
        mut tid: pg_sys::ItemPointerData,
        check: pg_sys::IndexUniqueCheck::Type,
        is_unchanged: bool,
    ) -> bool {
        // SAFETY: the index is the table's, and has as many keys, none of them NULL.
        unsafe {
            pg_sys::index_insert(
                self.index.0,
                key.as_mut_ptr(),
                [false; MAX_KEYS].as_mut_ptr(),
                &mut tid,
                table.0,
                check,
                is_unchanged,
                self.info,
            )
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // After an error, the transaction closes it.
        if !std::thread::panicking() {
            // SAFETY: opened above, closed once.
            unsafe { pg_sys::relation_close(self.0, pg_sys::NoLock as pg_sys::LOCKMODE) };
        }
    }
}

/// A search for one key after the other, in what was committed as it began and what this transaction has written before.
struct Scan<'a> {
    of: &'a Index,
    _index: Open,
    snapshot: pg_sys::Snapshot,
    scan: pg_sys::IndexScanDesc,
    table: pg_sys::Relation,
    /// Made when there is a row to be read.
    slot: *mut pg_sys::TupleTableSlot,
}

impl<'a> Scan<'a> {
    fn begin(table: &Open, of: &'a Index, lock: u32) -> Self {
        let index = Open::index(of.oid, lock);
        // SAFETY: the index is the table's; all is ended below.
        unsafe {
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
            let scan = pg_sys::index_beginscan(
                table.0,
                index.0,
                snapshot,
                #[cfg(feature = "pg18")]
                ptr::null_mut(),
                of.columns.len() as i32,
                0,
            );
            Self {
                of,
                _index: index,
                snapshot,
                scan,
                table: table.0,
                slot: ptr::null_mut(),
            }
        }
    }

    /// Whether there is a row of a key.
    fn find(&mut self, key: [pg_sys::Datum; MAX_KEYS]) -> bool {
        // SAFETY: an entry for each column of the index; what is passed by reference lives as long as the search.
        unsafe {
            let mut keys: [pg_sys::ScanKeyData; MAX_KEYS] = mem::zeroed();
            for (place, (_, column)) in self.of.columns.iter().enumerate() {
                keys[place] = *column;
                keys[place].sk_argument = key[place];
            }
            pg_sys::index_rescan(
                self.scan,
                keys.as_mut_ptr(),
                self.of.columns.len() as i32,
                ptr::null_mut(),
                0,
            );
            while !pg_sys::index_getnext_tid(self.scan, pg_sys::ScanDirection::ForwardScanDirection)
                .is_null()
            {
                if self.slot.is_null() {
                    self.slot = pg_sys::table_slot_create(self.table, ptr::null_mut());
                }
                if pg_sys::index_fetch_heap(self.scan, self.slot) {
                    return true;
                }
            }
            false
        }
    }

    /// Values and nulls of the row that was found, as long as no other is looked for.
    fn row(&self, width: usize) -> (Vec<pg_sys::Datum>, Vec<bool>) {
        // SAFETY: the slot holds the row, which has as many columns.
        unsafe {
            pg_sys::slot_getsomeattrs_int(self.slot, width as i32);
            let slot = &*self.slot;
            (
                core::slice::from_raw_parts(slot.tts_values, width).to_vec(),
                core::slice::from_raw_parts(slot.tts_isnull, width).to_vec(),
            )
        }
    }

    /// Where the row stands that was found.
    fn tid(&self) -> pg_sys::ItemPointerData {
        // SAFETY: the slot holds the row.
        unsafe { (*self.slot).tts_tid }
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        // After an error, the transaction ends it.
        if !std::thread::panicking() {
            // SAFETY: begun above, ended once.
            unsafe {
                pg_sys::index_endscan(self.scan);
                if !self.slot.is_null() {
                    pg_sys::ExecDropSingleTupleTableSlot(self.slot);
                }
                pg_sys::UnregisterSnapshot(self.snapshot);
            }
        }
    }
}
