//! The list of cases as staff see it: a saved query is a URL, a page is a stretch before a cursor.
//!
//! Reads the projection only. Refuses to list without a limit.
use domain::case::CaseState;
use domain::ids::{CaseNo, ItemCode, StationId};

use super::cases::{COLUMNS, CaseRow, read};
use crate::store::{StoreError, Tx, Value};

/// Cases on a page.
pub const PAGE: u64 = 50;
/// Item codes that one text may stand for, at most.
const MAX_ITEMS: usize = 60;

/// Which cases to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only in this state.
    pub state: Option<CaseState>,
    /// Only from this station.
    pub station: Option<StationId>,
    /// Only what this text finds.
    pub text: Option<TextQuery>,
    /// Only what came before this place in the centre's order.
    pub before: Option<u64>,
}

/// What a typed text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextQuery {
    /// A whole number, also one that was corrected.
    Number(CaseNo),
    /// Some digits of a number: its beginning or its end.
    Digits(String),
    /// Items whose name fits.
    Items(Vec<ItemCode>),
}

/// A page of cases, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most [`PAGE`].
    pub cases: Vec<CaseRow>,
    /// Where the next page begins, if there is one.
    pub next_before: Option<u64>,
}

/// One page.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn page(tx: &mut Tx<'_>, query: &Query) -> Result<Page, StoreError> {
    let (mut wheres, mut values) = conditions(query);
    if let Some(state) = query.state {
        values.push(state.as_str().into());
        wheres.push(format!("state = ${}", values.len()));
    }
    if let Some(before) = query.before {
        values.push(before.into());
        wheres.push(format!("server_seq < ${}", values.len()));
    }
    values.push((PAGE + 1).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM case_ {} ORDER BY server_seq DESC LIMIT ${}",
        joined(&wheres),
        values.len()
    );
    let mut cases: Vec<_> = tx.query(&sql, &values)?.iter().map(read).collect::<Result<_, _>>()?;
    let more = cases.len() as u64 > PAGE;
    cases.truncate(PAGE as usize);
    let next_before = cases.last().filter(|_| more).map(|c| c.server_seq);
    Ok(Page { cases, next_before })
}

/// How many cases of the query stand in each state; its own state and place are left aside.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn counts(tx: &mut Tx<'_>, query: &Query) -> Result<Vec<(CaseState, u64)>, StoreError> {
    let (wheres, values) = conditions(query);
    let sql = format!("SELECT state, COUNT(*) FROM case_ {} GROUP BY state ORDER BY state", joined(&wheres));
    let rows = tx.query(&sql, &values)?;
    let mut counts: Vec<_> = CaseState::ALL.iter().map(|s| (*s, 0)).collect();
    for row in &rows {
        let state = CaseState::from_name(row.text(0)?).ok_or(StoreError::Stored { what: "case state" })?;
        if let Some(slot) = counts.iter_mut().find(|(s, _)| *s == state) {
            slot.1 = row.uint(1)?;
        }
    }
    Ok(counts)
}

/// Stations by name, for the filter and for lists.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn stations(tx: &mut Tx<'_>) -> Result<Vec<(StationId, String, String)>, StoreError> {
    let rows = tx.query("SELECT id, name, district FROM station ORDER BY number LIMIT 1000", &[])?;
    rows.iter().map(|r| Ok((r.parsed(0)?, r.text(1)?.to_owned(), r.text(2)?.to_owned()))).collect()
}

/// Conditions of station and text. Column names are the program's own; what was typed is always a parameter.
fn conditions(query: &Query) -> (Vec<String>, Vec<Value>) {
    let (mut wheres, mut values) = (Vec::new(), Vec::new());
    let mut parameter = |value: Value| {
        values.push(value);
        values.len()
    };
    if let Some(station) = &query.station {
        wheres.push(format!("station = ${}", parameter(station.as_str().into())));
    }
    match &query.text {
        None => {}
        Some(TextQuery::Number(number)) => {
            let n = parameter(number.as_str().into());
            wheres.push(format!("(number = ${n} OR slip_number = ${n})"));
        }
        Some(TextQuery::Digits(digits)) => {
            let digits: String = digits.chars().filter(char::is_ascii_digit).take(14).collect();
            let begins = parameter(format!("XN{digits}%").into());
            let ends = parameter(format!("%{digits}").into());
            wheres.push(format!("(number LIKE ${begins} OR number LIKE ${ends})"));
        }
        Some(TextQuery::Items(items)) => {
            let places: Vec<_> =
                items.iter().take(MAX_ITEMS).map(|i| format!("${}", parameter(i.as_str().into()))).collect();
            // No item fits: nothing is found, which is not the same as no condition.
            let none = String::from("1 = 0");
            wheres.push(if places.is_empty() { none } else { format!("item IN ({})", places.join(", ")) });
        }
    }
    (wheres, values)
}

fn joined(wheres: &[String]) -> String {
    if wheres.is_empty() { String::new() } else { format!("WHERE {}", wheres.join(" AND ")) }
}

#[cfg(test)]
mod tests {
    use domain::ids::{CounterState, EnvelopeId, Issuer};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::services::cases::{NewCase, begin};
    use crate::store::fresh_in_memory;

    fn numbered(counter: u16) -> CaseNo {
        let date = "2026-11-24".parse().expect("date");
        CaseNo::issue(Issuer::new(7).expect("in range"), CounterState { date, counter })
    }

    fn fill(tx: &mut Tx<'_>, count: u16) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (a, b): (StationId, StationId) = ("XN-A".parse().expect("id"), "XN-B".parse().expect("id"));
        let item = "hrss.flex-enroll".parse().expect("code");
        let terminal = "T-01".parse().expect("id");
        for n in 1..=count {
            let new = NewCase {
                envelope_id: EnvelopeId::new(0, &mut rng),
                server_seq: u64::from(n),
                number: numbered(n),
                slip_number: None,
                item: Some(&item),
                catalogue_version: Some(1),
                station: if n % 2 == 0 { &a } else { &b },
                terminal: &terminal,
            };
            begin(tx, i64::from(n), &new).expect("begun");
        }
    }

    #[test]
    fn pages_show_every_case_once_newest_first() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        fill(&mut tx, 120);
        let mut query = Query::default();
        let mut seen = vec![];
        loop {
            let found = page(&mut tx, &query).expect("page");
            seen.extend(found.cases.iter().map(|c| c.server_seq));
            query.before = found.next_before;
            if query.before.is_none() {
                break;
            }
        }
        assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
        let counts = counts(&mut tx, &query).expect("counts");
        assert_eq!(counts[0], (CaseState::Received, 120));
    }

    #[test]
    fn filters_narrow_and_odd_texts_find_nothing() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        fill(&mut tx, 30);
        let number = numbered(12);
        let table = [
            (TextQuery::Number(number.clone()), 1),
            (TextQuery::Digits(number.as_str()[12..].into()), 1),
            (TextQuery::Digits("261124".into()), 30),
            (TextQuery::Digits("%' OR 1=1 --".into()), 0),
            (TextQuery::Items(vec!["hrss.flex-enroll".parse().expect("code")]), 30),
            (TextQuery::Items(vec![]), 0),
        ];
        for (text, count) in table {
            let query = Query { text: Some(text.clone()), ..Query::default() };
            assert_eq!(page(&mut tx, &query).expect("page").cases.len(), count, "{text:?}");
        }
        let here =
            Query { station: "XN-A".parse().ok(), state: Some(CaseState::Received), ..Query::default() };
        assert_eq!(page(&mut tx, &here).expect("page").cases.len(), 15);
        let none = Query { state: Some(CaseState::Completed), ..Query::default() };
        assert_eq!(page(&mut tx, &none).expect("page").cases.len(), 0);
    }
}
