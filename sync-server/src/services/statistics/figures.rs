//! The figures of a page: how many cases, how they ended, how long they took, where and when they came in.
//!
//! Each is one statement over one stretch of the key, grouped by the database. Refuses periods without an end: whoever
//! asks bounds them ([`super::MAX_DAYS`]).
use std::collections::{BTreeMap, BTreeSet};

use super::spread::Spread;
use super::{Filter, facts};
use crate::store::{StoreError, Tx};

/// Days of one point of the course.
pub const FORTNIGHT: i64 = 14;

/// How many cases stand or ended how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were opened.
    pub all: u64,
    /// Decided: granted, granted in part, or refused.
    pub decided: u64,
    /// Not decided yet.
    pub open: u64,
    /// Decided without a supplement.
    pub first_time: u64,
    /// Decided after a supplement.
    pub supplemented: u64,
    /// How often those were asked, in all.
    pub rounds: u64,
    /// Over the promised time, decided or not.
    pub overdue: u64,
    /// In no time and no share, by the name of how they ended.
    pub excluded: BTreeMap<String, u64>,
}

impl Counts {
    /// Those of which a share is said: decided and open.
    pub fn counted(&self) -> u64 {
        self.decided + self.open
    }

    fn add(&mut self, (state, overdue): (&str, bool), (cases, rounds, supplemented): (u64, u64, bool)) {
        self.all += cases;
        if facts::EXCLUDED.contains(&state) {
            *self.excluded.entry(state.to_owned()).or_default() += cases;
            return;
        }
        self.overdue += if overdue { cases } else { 0 };
        match (state == facts::OPEN, supplemented) {
            (true, _) => self.open += cases,
            (false, true) => {
                self.decided += cases;
                self.supplemented += cases;
                self.rounds += rounds;
            }
            (false, false) => {
                self.decided += cases;
                self.first_time += cases;
            }
        }
    }
}

/// What is said of one item, bundle or station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// How many.
    pub counts: Counts,
    /// How long, by the clock of the promise; of several clocks nothing, for their times are never ranked together.
    pub used: Spread,
    /// By which clocks: of another version of the catalogue something else may have been promised.
    pub clocks: BTreeSet<String>,
}

impl Line {
    /// The clock, if it is one.
    pub fn clock(&self) -> Option<&str> {
        self.clocks.first().filter(|_| !self.is_mixed()).map(String::as_str)
    }

    /// Whether times of several clocks stand in it.
    pub fn is_mixed(&self) -> bool {
        self.clocks.len() > 1
    }
}

/// By what lines are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Item or bundle.
    Item,
    /// Where it was handed in.
    Station,
}

impl By {
    fn column(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Station => "station",
        }
    }
}

/// Lines by the code of an item or the id of a station.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn lines(tx: &mut Tx<'_>, filter: &Filter, by: By) -> Result<BTreeMap<String, Line>, StoreError> {
    let (condition, values) = filter.condition();
    let column = by.column();
    let sql = format!(
        "SELECT f.{column}, f.state, f.overdue, CASE WHEN f.rounds > 0 THEN 1 ELSE 0 END, COUNT(*),
             CAST(SUM(f.rounds) AS BIGINT) FROM case_fact f WHERE {condition}
         GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    );
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    for row in &tx.query(&sql, &values)? {
        let line = lines.entry(row.text(0)?.to_owned()).or_default();
        let many = (row.uint(4)?, row.uint(5)?, row.int(3)? != 0);
        line.counts.add((row.text(1)?, row.int(2)? != 0), many);
    }
    let sql = format!(
        "SELECT f.{column}, f.used_s, f.clock, COUNT(*) FROM case_fact f
         WHERE {condition} AND f.used_s IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    for row in &tx.query(&sql, &values)? {
        let line = lines.entry(row.text(0)?.to_owned()).or_default();
        line.used.add(row.int(1)?, row.uint(3)?);
        line.clocks.insert(row.text(2)?.to_owned());
    }
    for line in lines.values_mut().filter(|line| line.is_mixed()) {
        line.used = Spread::default();
    }
    Ok(lines)
}

/// How long it took by the wall, pauses, nights and holidays with it.
pub fn wall(tx: &mut Tx<'_>, filter: &Filter) -> Result<Spread, StoreError> {
    let (condition, values) = filter.condition();
    let sql = format!(
        "SELECT f.wall_s, COUNT(*) FROM case_fact f WHERE {condition} AND f.wall_s IS NOT NULL
         GROUP BY 1 ORDER BY 1"
    );
    let mut spread = Spread::default();
    for row in &tx.query(&sql, &values)? {
        spread.add(row.int(0)?, row.uint(1)?);
    }
    Ok(spread)
}

/// How many came in, by the hour of the day.
pub fn hours(tx: &mut Tx<'_>, filter: &Filter) -> Result<BTreeMap<i64, u64>, StoreError> {
    let (condition, values) = filter.condition();
    let sql = format!("SELECT f.hour_, COUNT(*) FROM case_fact f WHERE {condition} GROUP BY 1 ORDER BY 1");
    tx.query(&sql, &values)?.iter().map(|row| Ok((row.int(0)?, row.uint(1)?))).collect()
}

/// How many came in and how long they took, by fortnights from the first day on, each with its first day (days since
/// 1970 in China). Times are those of one item by one clock: otherwise there are none.
pub fn course(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<(i64, u64, Spread)>, StoreError> {
    let (condition, mut values) = filter.condition();
    values.extend([facts::day(filter.from).into(), FORTNIGHT.into()]);
    let (first, length) = (values.len() - 1, values.len());
    // Of several items no time is told, and the groups stay few.
    let one = filter.item.is_some() || filter.no_item;
    let used = if one { "f.used_s" } else { "CAST(NULL AS BIGINT)" };
    let sql = format!(
        "SELECT (f.day_ - ${first}) / ${length}, {used}, f.clock, COUNT(*) FROM case_fact f WHERE {condition}
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    let mut course: BTreeMap<i64, (u64, Spread)> = BTreeMap::new();
    let mut clocks = BTreeSet::new();
    for row in &tx.query(&sql, &values)? {
        let point = course.entry(row.int(0)?).or_default();
        point.0 += row.uint(3)?;
        if let Some(seconds) = row.int_or_null(1)? {
            point.1.add(seconds, row.uint(3)?);
            clocks.insert(row.text(2)?.to_owned());
        }
    }
    // A curve that changes its clock says nothing.
    if clocks.len() > 1 {
        course.values_mut().for_each(|point| point.1 = Spread::default());
    }
    let day = |n: i64| facts::day(filter.from) + n * FORTNIGHT;
    Ok(course.into_iter().map(|(n, (cases, spread))| (day(n), cases, spread)).collect())
}
