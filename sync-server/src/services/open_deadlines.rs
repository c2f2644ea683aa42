//! 时限 of open cases: which last days a change of the working-day calendar moves.
//!
//! No last day is stored: it follows from the day on which the case was accepted (while it is not, from the day on
//! which it came in), the time that the named catalogue version promises, and the calendar. Refuses to write.
use std::collections::BTreeMap;

use domain::case::CaseState;
use domain::catalogue::{Calendar, Entry};
use domain::date::CivilDate;
use domain::deadline::{Due, due};
use domain::ids::{CaseNo, ItemCode};
use domain::item::{Period, PeriodUnit};

use super::catalogue::Shelf;
use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

/// Cases that are looked at, at most; more are said not to be.
pub const MAX_CASES: u64 = 200_000;
/// Cases read at once.
const STRETCH: u64 = 2_000;
/// States in which a promised time runs, or is about to.
const OPEN: [CaseState; 3] = [CaseState::Accepted, CaseState::Submitted, CaseState::Received];

/// A case whose last day moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its number.
    pub number: CaseNo,
    /// Item or bundle.
    pub item: ItemCode,
    /// It was accepted: its time runs. Otherwise the days are counted as if it were accepted on the day it came.
    pub accepted: bool,
    /// The last day by the present calendar.
    pub old: Due,
    /// The last day by the other one.
    pub new: Due,
}

/// What another calendar does to open cases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Open cases that were looked at.
    pub open: u64,
    /// Those whose last day moves.
    pub moved: u64,
    /// The first of them: accepted ones first, in the order in which they came.
    pub rows: Vec<Moved>,
    /// Open cases whose item or catalogue version is not known here: nothing can be said of them.
    pub unknown: u64,
    /// There are more than [`MAX_CASES`].
    pub cut: bool,
}

/// An open case as it is read.
struct Open {
    server_seq: u64,
    number: CaseNo,
    item: Option<ItemCode>,
    version: u64,
    since: CivilDate,
}

/// Compares two calendars over all open cases; gives at most `most_rows` of those that move.
///
/// # Errors
/// [`ServiceError`] if the store fails or a catalogue version cannot be read.
pub fn moved(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    (old, new): (&Calendar, &Calendar),
    most_rows: usize,
) -> Result<Effect, ServiceError> {
    let mut effect = Effect::default();
    let mut promises = Promises { shelf, known: BTreeMap::new() };
    let mut days: BTreeMap<(u32, u8, CivilDate), (Due, Due)> = BTreeMap::new();
    for state in OPEN {
        let mut after = None;
        loop {
            let stretch = stretch(tx, state, after)?;
            for case in &stretch {
                if effect.open == MAX_CASES {
                    effect.cut = true;
                    return Ok(effect);
                }
                effect.open += 1;
                let Some((item, promised)) = promises.of(tx, case)? else {
                    effect.unknown += 1;
                    continue;
                };
                let (old, new) = *days
                    .entry((promised.tenths, unit(promised), case.since))
                    .or_insert_with(|| (due(case.since, promised, old), due(case.since, promised, new)));
                if old != new {
                    effect.moved += 1;
                    if effect.rows.len() < most_rows {
                        let accepted = state == CaseState::Accepted;
                        effect.rows.push(Moved { number: case.number.clone(), item, accepted, old, new });
                    }
                }
            }
            after = stretch.last().map(|case| case.server_seq);
            if (stretch.len() as u64) < STRETCH {
                break;
            }
        }
    }
    Ok(effect)
}

/// Cases of a state after a place in the centre's order.
fn stretch(tx: &mut Tx<'_>, state: CaseState, after: Option<u64>) -> Result<Vec<Open>, StoreError> {
    let rows = tx.query(
        "SELECT server_seq, number, item, catalogue_version, received_at_ms, accepted_at_ms FROM case_
         WHERE state = $1 AND server_seq > $2 ORDER BY server_seq LIMIT $3",
        &[
            state.as_str().into(),
            after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX)).into(),
            STRETCH.into(),
        ],
    )?;
    rows.iter()
        .map(|row| {
            let since_ms = row.int_or_null(5)?.map_or_else(|| row.int(4), Ok)?;
            Ok(Open {
                server_seq: row.uint(0)?,
                number: row.parsed(1)?,
                item: row.text(2)?.parse().ok(),
                version: row.uint(3)?,
                since: CivilDate::in_china(since_ms),
            })
        })
        .collect()
}

/// Promised times by catalogue version and item, each looked up once.
struct Promises<'s> {
    shelf: &'s Shelf,
    known: BTreeMap<(u64, ItemCode), Option<Period>>,
}

impl Promises<'_> {
    fn of(&mut self, tx: &mut Tx<'_>, case: &Open) -> Result<Option<(ItemCode, Period)>, ServiceError> {
        let Some(item) = case.item.clone() else { return Ok(None) };
        let key = (case.version, item.clone());
        let promised = match self.known.get(&key) {
            Some(known) => *known,
            None => {
                let volume = self.shelf.get(tx, case.version)?;
                let promised = volume.and_then(|v| v.catalogue.entry(&item).map(promised));
                self.known.insert(key, promised);
                promised
            }
        };
        Ok(promised.map(|promised| (item, promised)))
    }
}

fn promised(entry: Entry<'_>) -> Period {
    match entry {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    }
}

fn unit(period: Period) -> u8 {
    match period.unit {
        PeriodUnit::Minute => 0,
        PeriodUnit::WorkingDay => 1,
        PeriodUnit::NaturalDay => 2,
    }
}
