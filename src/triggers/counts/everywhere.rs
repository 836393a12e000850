//! Numbers that are disqualified in every campaign, also in later ones: each is entered once, in `suppressed_phones` beside the counts, as themselves or by
//! the keys of their hashes.
//!
//! Who disqualifies one looks for the rows of the counts that have it, and cannot see a row that somebody is just making, in a campaign that had not
//! the number. So both hold a lock, of one of some slots that numbers fall into: writers of counts a shared one, who disqualifies a number the
//! other. It is taken before any row of the counts. See `lead_phones_apply_everywhere()` in `sql/install/disqualification/everywhere.sql`.

use std::collections::HashSet;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::Counts;
use super::direct::Suppressed;
use crate::actions;
use crate::backend::sql::{self, Statement};
use crate::backend::{report, server, text};
use crate::citus::{self, Placement};
use crate::hashes;
use crate::phone::E164;
use crate::triggers::columns::PerColumn;
use crate::triggers::deltas::{Delta, SortedDeltas};
use crate::triggers::reads;
use crate::triggers::settings::Settings;
use crate::triggers::watch::Watch;

/// Takes a slot of the numbers of a table, until the transaction ends; whether it did. It is the lock of an object, since an advisory lock could
/// be taken by any role.
fn lock_slot(table: pg_sys::Oid, slot: u16, mode: u32, waits: bool) -> bool {
    // SAFETY: a tag of plain numbers; the lock goes with the transaction.
    unsafe {
        let tag = pg_sys::LOCKTAG {
            locktag_field1: pg_sys::MyDatabaseId.to_u32(),
            locktag_field2: pg_sys::RelationRelationId.to_u32(),
            locktag_field3: table.to_u32(),
            // of a column: what renames or comments on one takes these too, for a moment
            locktag_field4: slot + 1,
            locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
            locktag_lockmethodid: pg_sys::DEFAULT_LOCKMETHOD as u8,
        };
        pg_sys::LockAcquire(&tag, mode as pg_sys::LOCKMODE, false, !waits)
            != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
    }
}

/// For SQL, as the owner of the table: takes a slot alone, so that nobody writes counts of its numbers, or shares it with those who do.
#[pg_extern(sql = false)]
fn lead_phones_lock_slot(suppressed: pg_sys::Oid, slot: i32, shared: bool, waits: bool) -> bool {
    actions::hold_own(suppressed);
    let mode = match shared {
        true => pg_sys::ShareLock,
        false => pg_sys::ExclusiveLock,
    };
    lock_slot(suppressed, slot as u16, mode, waits)
}

/// Slots that numbers fall into.
const SLOTS: i64 = 64;

/// The two tables: numbers, and what was said of them.
pub(crate) struct Everywhere {
    /// The table by which numbers are locked: all nodes and versions know it by one name.
    slots_of: pg_sys::Oid,
    numbers: pg_sys::Oid,
    entries: pg_sys::Oid,
    /// Where numbers can be looked for without a statement.
    pub(super) suppressed: Option<Suppressed>,
}

impl Everywhere {
    /// The tables beside the counts; an error where they are somebody else's: who is disqualified would not be seen.
    pub(super) fn beside(
        counts: pg_sys::Oid,
        owner: pg_sys::Oid,
        settings: &Settings,
        watch: &mut Watch,
    ) -> Option<Self> {
        let placement = citus::of(counts);
        // A trigger on a shard of Citus may not look at tables that are elsewhere.
        if !matches!(placement, Placement::Here(_)) && citus::is_distributed(counts) {
            return None;
        }
        let mut find = |plain: &str| {
            let name = text::to_server(plain);
            // SAFETY: catalog look-ups; of what there is not they answer InvalidOid.
            let table = unsafe {
                pg_sys::get_relname_relid(name.as_ptr(), pg_sys::get_rel_namespace(counts))
            };
            if table == pg_sys::InvalidOid {
                if settings.has_suppressions {
                    report::fail(
                        PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
                        format!("the ledger \"{}.{plain}\" does not exist", settings.schema),
                        "It was renamed, moved or dropped after track_lead_phones(): which numbers are disqualified in every campaign would not be known."
                            .into(),
                        "Run untrack_lead_phones() on the leads table, then track_lead_phones().".into(),
                    )
                }
                return None;
            }
            watch.add(table);
            if server::owner_of_table(table) != Some(owner) {
                report::fail(
                    PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                    format!("the ledger {} belongs to another owner", text::table_name(table)),
                    "A leads table, the tables below it, its counts and its ledgers have one owner.".into(),
                    "Run ALTER TABLE ... OWNER TO on those that have another.".into(),
                )
            }
            Some(table)
        };
        let slots_of = find(&settings.suppressed)?;
        let entries = find(&settings.suppressions)?;
        // of a schema that is just being distributed, they may not be there yet
        let [numbers, entries] = match &placement {
            Placement::Here(shards) => [*shards.of.get(&slots_of)?, *shards.of.get(&entries)?],
            Placement::Plain | Placement::Elsewhere => [slots_of, entries],
        };
        Some(Self {
            slots_of,
            numbers,
            entries,
            suppressed: Suppressed::find(numbers, owner),
        })
    }

    /// Whether there has ever been a number: a look at the file, and at no row.
    fn is_empty(&self) -> bool {
        // SAFETY: opens the table, which an error reports as gone, and closes it; the lock stays until the transaction ends.
        unsafe {
            let table =
                pg_sys::table_open(self.numbers, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
            let blocks =
                pg_sys::RelationGetNumberOfBlocksInFork(table, pg_sys::ForkNumber::MAIN_FORKNUM);
            pg_sys::table_close(table, pg_sys::NoLock as pg_sys::LOCKMODE);
            blocks == 0
        }
    }

    /// SQL of the numbers `s` that are in force. Marks stay until an entry is lifted, also past its time.
    fn standing(&self) -> String {
        format!(
            "{} AS s JOIN {} AS p ON p.entry OPERATOR(pg_catalog.=) s.entry AND p.lifted_at IS NULL AND s.lifted_at IS NULL",
            text::table_name(self.numbers),
            text::table_name(self.entries)
        )
    }
}

impl Counts {
    /// Whether numbers may be disqualified in every campaign.
    pub(crate) fn knows_everywhere(&self) -> bool {
        self.everywhere
            .as_ref()
            .is_some_and(|everywhere| !everywhere.is_empty())
    }

    /// Which of some numbers are disqualified in every campaign, as it is committed now.
    pub(crate) fn are_out_everywhere(&self, phones: &PerColumn<Option<E164>>) -> PerColumn<bool> {
        let Some(everywhere) = &self.everywhere else {
            return PerColumn::default();
        };
        let statement = format!(
            "SELECT s.number FROM {} WHERE s.number OPERATOR(pg_catalog.=) ANY ($1)",
            everywhere.standing()
        );
        let keys = phones.map(|phone| phone.map(|phone| hashes::keys_of(&phone)));
        let asked: Vec<i64> = keys.iter().flatten().flatten().copied().collect();
        let found = self.read(&statement, &[asked.into()]);
        keys.map(|keys| keys.is_some_and(|keys| keys.iter().any(|key| found.contains(key))))
    }

    /// The keys of all numbers that are disqualified in every campaign; `None` where there are more than the limit.
    pub(crate) fn out_everywhere(&self, limit: u32) -> Option<HashSet<i64>> {
        let everywhere = self.everywhere.as_ref()?;
        let statement = format!(
            "SELECT s.number FROM {} LIMIT {}",
            everywhere.standing(),
            limit + 1
        );
        let all = self.read(&statement, &[]);
        (all.len() <= limit as usize).then(|| all.into_iter().collect())
    }

    fn read(&self, statement: &str, args: &[DatumWithOid<'_>]) -> Vec<i64> {
        reads::without_writing(|| {
            Statement::new(statement, args)
                .on_latest()
                .rows(|rows| rows.map(|row| row.get(1)))
                .into_iter()
                .flatten()
                .collect()
        })
    }

    /// Keeps numbers from being disqualified everywhere until the transaction ends.
    pub(crate) fn hold_slots(&self, deltas: &[Delta]) {
        let Some(everywhere) = &self.everywhere else {
            return;
        };
        let numbers = deltas
            .iter()
            .filter_map(|delta| E164::from_sort_key(delta.phone));
        let mut slots: Vec<i64> = numbers.map(|phone| phone.number() % SLOTS).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            lock_slot(everywhere.slots_of, slot as u16, pg_sys::ShareLock, true);
        }
    }

    /// Flags the rows of numbers that are disqualified everywhere, which have just been written: of a campaign that had them not, nobody has done so.
    pub(crate) fn flag_everywhere(&self, of: &SortedDeltas, deltas: &[Delta], flags: &mut [bool]) {
        let Some(everywhere) = self.everywhere.as_ref().filter(|_| self.knows_everywhere()) else {
            return;
        };
        let statement = format!(
            "UPDATE {} AS c SET disqualified = true FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) WITH ORDINALITY AS k (campaign, phone, hash, place) \
             WHERE {} AND c.phone OPERATOR(pg_catalog.=) k.phone AND NOT c.disqualified \
             AND EXISTS (SELECT FROM {} WHERE s.number OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.substr(k.phone, 2)::pg_catalog.int8, k.hash])) RETURNING k.place",
            self.table(),
            self.is_of("k.campaign"),
            everywhere.standing()
        );
        for (deltas, flags) in deltas
            .chunks(Self::MAX_PER_STATEMENT)
            .zip(flags.chunks_mut(Self::MAX_PER_STATEMENT))
        {
            sql::in_own_memory(|| {
                let hashes: Vec<Option<i64>> = deltas
                    .iter()
                    .map(|delta| E164::from_sort_key(delta.phone))
                    .map(|phone| phone.map(|phone| hashes::key_of(&phone)))
                    .collect();
                let [campaign, phone] = self.keys(of, deltas);
                let keys = [campaign, phone, hashes.into()];
                let places: Vec<Option<i64>> = Statement::new(&statement, &keys)
                    .on(self.oid)
                    .on_latest()
                    .rows(|rows| rows.map(|row| row.get(1)));
                for place in places.into_iter().flatten() {
                    if let Some(flag) = usize::try_from(place - 1)
                        .ok()
                        .and_then(|place| flags.get_mut(place))
                    {
                        *flag = true;
                    }
                }
            });
        }
    }
}
