//! 到访: when somebody was called to a window, when a form was begun, and when the slip was there, so that "from 70 to
//! 20 minutes" can be measured. A visit names the window and the clerk, never the person.
//!
//! A clerk has one open visit at most. Refuses words of its own for why nothing was handed in: a list has them, and no
//! sentence about anybody can get into it.
use std::collections::BTreeMap;

use domain::case::VisitKind;
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use rand_core::CryptoRng;

use crate::error::{ProblemCode, ServiceError};
use crate::services::audit;
use crate::store::{Row, StoreError, Tx, Value};

pub use super::sums::{Sum, Sums, sums};

/// The longest name of a window, in characters.
pub const MAX_WINDOW_CHARS: usize = 20;
/// Visits that are counted at once, at most: more than a city has in a month.
pub const MOST: u64 = 100_000;
/// Days that are counted at once, at most.
pub const MOST_DAYS: i64 = 92;
/// How long after its end a visit may go on: half an hour.
pub const SAME_PERSON_MS: i64 = 30 * 60_000;

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

/// The open visit of a clerk, unless it is of an earlier day: that one was forgotten.
pub fn open_today(tx: &mut Tx<'_>, now_ms: i64, clerk: &str) -> Result<Option<Visit>, StoreError> {
    Ok(open_of(tx, clerk)?.filter(|visit| is_of_today(visit.opened_at_ms, now_ms)))
}

/// An ended visit that may go on with one more matter of the same person: nobody waits longer than
/// [`SAME_PERSON_MS`] for that, and nobody until the next day.
///
/// # Errors
/// [`ServiceError`] `not-found`, also for a visit of anybody else.
pub fn going_on(tx: &mut Tx<'_>, now_ms: i64, clerk: &str, id: &str) -> Result<Option<Visit>, ServiceError> {
    Ok(Some(of_clerk(tx, clerk, id)?).filter(|visit| may_go_on(visit, now_ms)))
}

/// See [`going_on`].
pub fn may_go_on(visit: &Visit, now_ms: i64) -> bool {
    let soon = |ended_ms: i64| is_of_today(ended_ms, now_ms) && now_ms - ended_ms <= SAME_PERSON_MS;
    visit.finished_at_ms.is_some_and(soon)
}

fn is_of_today(at_ms: i64, now_ms: i64) -> bool {
    CivilDate::in_china(at_ms) == CivilDate::in_china(now_ms)
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

/// Ends what a clerk left open on an earlier day.
pub fn forget_old(tx: &mut Tx<'_>, now_ms: i64, clerk: &str) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM visit WHERE clerk = $1 AND ended = '' ORDER BY opened_at_ms, id LIMIT 100"
    );
    let open = tx.query(&sql, &[clerk.into()])?;
    let open = open.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for visit in open.iter().filter(|visit| !is_of_today(visit.opened_at_ms, now_ms)) {
        finish(tx, now_ms, visit, End::Forgotten)?;
    }
    Ok(())
}

/// Opens a visit, with the call or without one; a clerk who has an open one of this day keeps that, whoever clicks
/// twice too.
pub fn open(
    tx: &mut Tx<'_>,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    clerk: &str,
    (window, kind, called): (&str, VisitKind, bool),
) -> Result<Visit, StoreError> {
    forget_old(tx, now_ms, clerk)?;
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

/// A form was handed in: the visit is served, and its last slip is there now, whatever had ended it before.
pub fn served(tx: &mut Tx<'_>, now_ms: i64, visit: &Visit) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE visit SET finished_at_ms = $2, ended = $3 WHERE id = $1",
        &[visit.id.as_str().into(), now_ms.into(), End::Served.as_str().into()],
    )?;
    note(tx, now_ms, visit, "visit.finished")
}

/// The visit to which the case of a form belongs: the one in which it was begun, unless that is over and the clerk has
/// another one open, for then the person has come back.
///
/// # Errors
/// [`ServiceError`] `not-found`, also for a visit of anybody else.
pub fn of_form(tx: &mut Tx<'_>, now_ms: i64, clerk: &str, id: &str) -> Result<Visit, ServiceError> {
    let own = of_clerk(tx, clerk, id)?;
    if own.ended == End::Open && is_of_today(own.opened_at_ms, now_ms) {
        return Ok(own);
    }
    Ok(open_today(tx, now_ms, clerk)?.unwrap_or(own))
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

#[cfg(test)]
mod tests {
    use super::*;

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
