//! 到访: when somebody was called to a window, when a form was begun, and when the slip was there, so that "from 70 to
//! 20 minutes" can be measured. A visit names the window and the clerk, never the person.
//!
//! A clerk has one open visit at most. Refuses words of its own for why nothing was handed in: a list has them, and no
//! sentence about anybody can get into it.
use std::collections::BTreeMap;

use domain::case::VisitKind;
use domain::date::{CivilDate, china_clock};
use domain::ids::EnvelopeId;
use rand_core::CryptoRng;

use crate::error::{ProblemCode, ServiceError};
use crate::services::audit;
use crate::store::{Row, StoreError, Tx, Value};

/// The longest name of a window, in characters.
pub const MAX_WINDOW_CHARS: usize = 20;
/// Visits that are counted at once, at most: more than a city has in a month.
pub const MOST: u64 = 100_000;
/// Days that are counted at once, at most.
pub const MOST_DAYS: i64 = 92;

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It did not end yet.
    Open,
    /// A form was handed in.
    Served,
    /// 材料不齐
    Papers,
    /// 不在窗口办
    Elsewhere,
    /// 只是咨询
    Advice,
    /// 人走了
    Left,
    /// Somebody forgot to end it: its times count nowhere.
    Forgotten,
}

impl End {
    /// What a clerk may say who ends a visit without a case.
    pub const REASONS: [End; 5] = [Self::Papers, Self::Elsewhere, Self::Advice, Self::Left, Self::Forgotten];

    /// The name used in tables, forms and texts; an open visit has none.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Served => "served",
            Self::Papers => "papers",
            Self::Elsewhere => "elsewhere",
            Self::Advice => "advice",
            Self::Left => "left",
            Self::Forgotten => "forgotten",
        }
    }

    /// The reason of this name.
    pub fn reason(name: &str) -> Option<Self> {
        Self::REASONS.into_iter().find(|end| end.as_str() == name)
    }

    fn stored(name: &str) -> Option<Self> {
        let named = [Self::Open, Self::Served].into_iter().chain(Self::REASONS);
        named.into_iter().find(|end| end.as_str() == name)
    }
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Its id.
    pub id: String,
    /// The window, as its clerk calls it.
    pub window: String,
    /// Id of the clerk's account.
    pub clerk: String,
    /// What it is for.
    pub kind: VisitKind,
    /// When it was first heard of, milliseconds since 1970; so are all below.
    pub opened_at_ms: i64,
    /// When the person was called; none if nobody had to be.
    pub called_at_ms: Option<i64>,
    /// When the first form was begun.
    pub started_at_ms: Option<i64>,
    /// When the last slip was there, or the clerk ended it.
    pub finished_at_ms: Option<i64>,
    /// How it ended.
    pub ended: End,
}

const COLUMNS: &str =
    "id, window_, clerk, kind, opened_at_ms, called_at_ms, started_at_ms, finished_at_ms, ended";

/// The name of a window as it is kept: without control characters and blanks around it; nothing if nothing is left or it
/// is too long.
pub fn window_named(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !c.is_control()).collect();
    let kept = kept.trim();
    (!kept.is_empty() && kept.chars().nth(MAX_WINDOW_CHARS).is_none()).then(|| kept.to_owned())
}

/// The visit of a clerk that did not end yet.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn open_of(tx: &mut Tx<'_>, clerk: &str) -> Result<Option<Visit>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM visit WHERE clerk = $1 AND ended = '' ORDER BY opened_at_ms DESC, id LIMIT 1"
    );
    tx.query_first(&sql, &[clerk.into()])?.map(|row| read(&row)).transpose()
}

/// A visit of this clerk.
///
/// # Errors
/// [`ServiceError`] `not-found`, also for a visit of anybody else.
pub fn of_clerk(tx: &mut Tx<'_>, clerk: &str, id: &str) -> Result<Visit, ServiceError> {
    let sql = format!("SELECT {COLUMNS} FROM visit WHERE id = $1 AND clerk = $2");
    let row = tx.query_first(&sql, &[id.into(), clerk.into()])?.ok_or(ProblemCode::NotFound)?;
    Ok(read(&row)?)
}

/// The window at which a clerk sat last.
pub fn last_window(tx: &mut Tx<'_>, clerk: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT window_ FROM visit WHERE clerk = $1 ORDER BY opened_at_ms DESC, id LIMIT 1";
    tx.query_first(sql, &[clerk.into()])?.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Opens a visit, with the call or without one; a clerk who has an open one keeps that, whoever clicks twice too.
pub fn open(
    tx: &mut Tx<'_>,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    clerk: &str,
    (window, kind, called): (&str, VisitKind, bool),
) -> Result<Visit, StoreError> {
    if let Some(visit) = open_of(tx, clerk)? {
        return Ok(visit);
    }
    let visit = Visit {
        id: EnvelopeId::new(now_ms, rng).to_string(),
        window: window.to_owned(),
        clerk: clerk.to_owned(),
        kind,
        opened_at_ms: now_ms,
        called_at_ms: called.then_some(now_ms),
        started_at_ms: None,
        finished_at_ms: None,
        ended: End::Open,
    };
    tx.execute(
        "INSERT INTO visit (id, window_, clerk, kind, opened_at_ms, called_at_ms, ended)
         VALUES ($1, $2, $3, $4, $5, $6, '')",
        &[
            visit.id.as_str().into(),
            window.into(),
            clerk.into(),
            kind.as_str().into(),
            now_ms.into(),
            Value::from(visit.called_at_ms),
        ],
    )?;
    note(tx, now_ms, &visit, if called { "visit.called" } else { "visit.opened" })?;
    Ok(visit)
}

/// A form was begun. A visit that had ended goes on: the same person has one more matter.
pub fn start(tx: &mut Tx<'_>, now_ms: i64, visit: &Visit) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE visit SET started_at_ms = COALESCE(started_at_ms, $2), finished_at_ms = NULL, ended = ''
         WHERE id = $1",
        &[visit.id.as_str().into(), now_ms.into()],
    )?;
    note(tx, now_ms, visit, "visit.started")
}

/// A visit ends; one that has ended stays as it is.
pub fn finish(tx: &mut Tx<'_>, now_ms: i64, visit: &Visit, end: End) -> Result<(), StoreError> {
    let ended = tx.execute(
        "UPDATE visit SET finished_at_ms = $2, ended = $3 WHERE id = $1 AND ended = ''",
        &[visit.id.as_str().into(), now_ms.into(), end.as_str().into()],
    )?;
    if ended > 0 { note(tx, now_ms, visit, "visit.finished") } else { Ok(()) }
}

/// How many cases were opened in a visit.
pub fn cases_of(tx: &mut Tx<'_>, id: &str) -> Result<u64, StoreError> {
    let count = tx.query_int("SELECT COUNT(*) FROM visit_case WHERE visit = $1", &[id.into()])?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn note(tx: &mut Tx<'_>, now_ms: i64, visit: &Visit, event: &'static str) -> Result<(), StoreError> {
    audit::append(
        tx,
        now_ms,
        audit::Event { actor: &visit.clerk, event, subject: &visit.id, object_digest: "" },
    )
}

/// A visit with the numbers of its cases, as tables show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The visit.
    pub visit: Visit,
    /// Numbers of the cases that were opened in it.
    pub numbers: Vec<String>,
}

/// Visits that were opened on these days, in their order, [`MOST`] at most.
pub fn between(tx: &mut Tx<'_>, from_ms: i64, until_ms: i64) -> Result<Vec<Counted>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM visit WHERE opened_at_ms >= $1 AND opened_at_ms < $2
         ORDER BY opened_at_ms, id LIMIT $3"
    );
    let rows = tx.query(&sql, &[from_ms.into(), until_ms.into(), MOST.into()])?;
    let opened = tx.query(
        "SELECT vc.visit, c.number FROM visit_case vc JOIN case_ c ON c.envelope_id = vc.envelope_id
         JOIN visit v ON v.id = vc.visit WHERE v.opened_at_ms >= $1 AND v.opened_at_ms < $2
         ORDER BY vc.server_seq LIMIT $3",
        &[from_ms.into(), until_ms.into(), MOST.into()],
    )?;
    let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &opened {
        numbers.entry(row.text(0)?.to_owned()).or_default().push(row.text(1)?.to_owned());
    }
    let counted = |row: &Row| {
        let visit = read(row)?;
        let numbers = numbers.remove(&visit.id).unwrap_or_default();
        Ok(Counted { visit, numbers })
    };
    rows.iter().map(counted).collect()
}

fn read(row: &Row) -> Result<Visit, StoreError> {
    let stored = |what| StoreError::Stored { what };
    Ok(Visit {
        id: row.text(0)?.to_owned(),
        window: row.text(1)?.to_owned(),
        clerk: row.text(2)?.to_owned(),
        kind: VisitKind::from_name(row.text(3)?).ok_or(stored("kind of a visit"))?,
        opened_at_ms: row.int(4)?,
        called_at_ms: row.int_or_null(5)?,
        started_at_ms: row.int_or_null(6)?,
        finished_at_ms: row.int_or_null(7)?,
        ended: End::stored(row.text(8)?).ok_or(stored("end of a visit"))?,
    })
}

/// What visits came to: of an hour, a day, or all together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Visits.
    pub visits: u64,
    /// Those in which a form was handed in.
    pub served: u64,
    /// Those that ended otherwise.
    pub unserved: u64,
    /// Cases that were opened.
    pub cases: u64,
    /// Milliseconds from the first form to the last slip, of each visit that was served.
    filling: Vec<i64>,
    /// Milliseconds from the call to the last slip, of each visit that was served and called.
    whole: Vec<i64>,
}

impl Sum {
    /// One visit more.
    fn add(&mut self, counted: &Counted) {
        let Counted { visit, numbers } = counted;
        self.visits += 1;
        self.cases += numbers.len() as u64;
        match visit.ended {
            End::Open => {}
            End::Served => self.served += 1,
            _ => self.unserved += 1,
        }
        let Some(finished) = visit.finished_at_ms.filter(|_| visit.ended == End::Served) else { return };
        let since = |begun: Option<i64>| begun.map(|begun| (finished - begun).max(0));
        self.filling.extend(since(visit.started_at_ms));
        self.whole.extend(since(visit.called_at_ms));
    }

    /// The median of the times from the first form to the last slip, in milliseconds.
    pub fn filling_ms(&self) -> Option<i64> {
        median(&self.filling)
    }

    /// The median of the times from the call to the last slip, in milliseconds.
    pub fn whole_ms(&self) -> Option<i64> {
        median(&self.whole)
    }
}

/// The middle one, or what lies between the two in the middle.
fn median(times: &[i64]) -> Option<i64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let upper = *times.get(times.len() / 2)?;
    if times.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *times.get(times.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2)
}

/// Sums of visits by day and hour in China, by day, and of all.
#[derive(Debug, Default)]
pub struct Sums {
    /// By day and hour.
    pub hours: BTreeMap<(CivilDate, u8), Sum>,
    /// By day.
    pub days: BTreeMap<CivilDate, Sum>,
    /// All.
    pub all: Sum,
}

/// Sums visits by the hour in which they were opened.
pub fn sums(visits: &[Counted]) -> Sums {
    let mut sums = Sums::default();
    for counted in visits {
        let at_ms = counted.visit.opened_at_ms;
        let (day, (hour, _)) = (CivilDate::in_china(at_ms), china_clock(at_ms));
        let hour = u8::try_from(hour).unwrap_or_default();
        sums.hours.entry((day, hour)).or_default().add(counted);
        sums.days.entry(day).or_default().add(counted);
        sums.all.add(counted);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24 09:00 in China.
    const NINE: i64 = 1_795_482_000_000;
    const MINUTE: i64 = 60_000;

    fn visit(opened: i64, called: Option<i64>, times: Option<(i64, i64)>, ended: End) -> Counted {
        let at = |minutes: i64| NINE + minutes * MINUTE;
        let visit = Visit {
            id: opened.to_string(),
            window: "3".into(),
            clerk: "A-0001".into(),
            kind: VisitKind::Window,
            opened_at_ms: at(opened),
            called_at_ms: called.map(at),
            started_at_ms: times.map(|(started, _)| at(started)),
            finished_at_ms: times.map(|(_, finished)| at(finished)),
            ended,
        };
        Counted { visit, numbers: if ended == End::Served { vec!["n".into()] } else { Vec::new() } }
    }

    #[test]
    fn visits_are_summed_by_the_hour_of_china_and_only_those_served_count_their_times() {
        let all = [
            visit(0, Some(0), Some((5, 20)), End::Served),
            visit(10, None, Some((10, 20)), End::Served),
            visit(59, Some(59), Some((60, 500)), End::Left),
            visit(60, Some(60), Some((62, 100)), End::Served),
            visit(61, Some(61), Some((62, 900)), End::Forgotten),
            visit(24 * 60, Some(24 * 60), None, End::Open),
        ];
        let sums = sums(&all);
        let hours: Vec<_> = sums.hours.iter().map(|((d, h), sum)| (d.to_string(), *h, sum.visits)).collect();
        let of = |day: &str, hour, visits| (day.to_owned(), hour, visits);
        assert_eq!(hours, [of("2026-11-24", 9, 3), of("2026-11-24", 10, 2), of("2026-11-25", 9, 1)]);
        let all = &sums.all;
        assert_eq!((all.visits, all.served, all.unserved, all.cases), (6, 3, 2, 3));
        assert_eq!(all.filling_ms(), Some(15 * MINUTE), "of 10, 15 and 38");
        assert_eq!(all.whole_ms(), Some(30 * MINUTE), "of 20 and 40");
        assert_eq!(sums.days.len(), 2);
        let open = &sums.hours[&("2026-11-25".parse().expect("a day"), 9)];
        assert_eq!((open.filling_ms(), open.whole_ms(), open.unserved), (None, None, 0));
    }

    #[test]
    fn a_clock_that_went_back_makes_no_negative_time() {
        let sums = sums(&[visit(0, Some(0), Some((5, -20)), End::Served)]);
        assert_eq!((sums.all.filling_ms(), sums.all.whole_ms()), (Some(0), Some(0)));
    }

    #[test]
    fn names_of_windows_are_bounded_and_reasons_read_back() {
        assert_eq!(window_named(" A\u{7}3 ").as_deref(), Some("A3"));
        assert_eq!((window_named(" \n"), window_named(&"x".repeat(21))), (None, None));
        assert!(window_named(&"x".repeat(20)).is_some());
        for end in End::REASONS {
            assert_eq!((End::reason(end.as_str()), End::stored(end.as_str())), (Some(end), Some(end)));
        }
        assert_eq!(
            (End::reason(""), End::reason("served"), End::stored("served")),
            (None, None, Some(End::Served))
        );
    }
}
