//! The list of cases as staff see it: a saved query is a URL, a page is a stretch before a cursor.
//!
//! Reads the projection only. Refuses to list without a limit.
use domain::case::CaseState;
use domain::ids::{CaseNo, ItemCode, StationId};

use super::cases::{COLUMNS, CaseRow, read};
use super::tally::Tally;
use crate::store::{StoreError, Tx, Value};

/// Cases on a page.
pub const PAGE: u64 = 50;
/// Item codes that one text may stand for, at most.
const MAX_ITEMS: usize = 60;
/// Digits of the last group of a number.
pub const END_DIGITS: usize = 4;
/// Digits of the day at the beginning of a number.
const DAY_DIGITS: usize = 6;
/// A condition that no case fits.
const NOTHING: &str = "1 = 0";

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
    /// Some digits of a number: its end (four and more), or its beginning (six and more).
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

/// One page. What few cases fit is gathered by index and sorted; where many do, the newest cases are walked through,
/// which meets enough of them soon.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn page(tx: &mut Tx<'_>, query: &Query) -> Result<Page, StoreError> {
    let mut conditions = Conditions::of(query, query.state);
    if let Some(before) = query.before {
        conditions.and("server_seq < {}", before.into());
    }
    let narrow = query.station.is_some() || query.text.is_some();
    let gathered = narrow && (conditions.is_by_number() || few(tx, &conditions)?);
    let wheres = if gathered { conditions.gathered() } else { conditions.walked() };
    let mut values = conditions.values;
    values.push((PAGE + 1).into());
    let sql =
        format!("SELECT {COLUMNS} FROM case_ {wheres} ORDER BY server_seq DESC LIMIT ${}", values.len());
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
pub fn counts(tx: &mut Tx<'_>, query: &Query) -> Result<Vec<(CaseState, Tally)>, StoreError> {
    CaseState::ALL
        .into_iter()
        .map(|state| {
            let conditions = Conditions::of(query, Some(state));
            let wheres = if conditions.is_by_number() { conditions.gathered() } else { conditions.plain() };
            let sql =
                format!("SELECT COUNT(*) FROM (SELECT 1 FROM case_ {wheres} LIMIT {}) AS t", Tally::LIMIT);
            let count = tx.query_first(&sql, &conditions.values)?.map_or(Ok(0), |row| row.uint(0))?;
            Ok((state, Tally::new(count)))
        })
        .collect()
}

/// Whether no more cases fit than are sorted quickly.
fn few(tx: &mut Tx<'_>, conditions: &Conditions) -> Result<bool, StoreError> {
    let wheres = conditions.plain();
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM case_ {wheres} LIMIT {}) AS t", Tally::LIMIT);
    let count = tx.query_first(&sql, &conditions.values)?.map_or(Ok(0), |row| row.uint(0))?;
    Ok(Tally::new(count).exact().is_some())
}

/// Stations by name, for the filter and for lists.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn stations(tx: &mut Tx<'_>) -> Result<Vec<(StationId, String, String)>, StoreError> {
    let rows = tx.query("SELECT id, name, district FROM station ORDER BY number LIMIT 1000", &[])?;
    rows.iter().map(|r| Ok((r.parsed(0)?, r.text(1)?.to_owned(), r.text(2)?.to_owned()))).collect()
}

/// Conditions of a query. Column names are the program's own; what was typed is always a parameter.
#[derive(Default)]
struct Conditions {
    values: Vec<Value>,
    /// All must hold.
    all: Vec<String>,
    /// One must hold, each by an index of its own; none if the query has no number.
    numbers: Vec<String>,
    /// Of the items; beside `all`, because walking must not go by their index.
    items: Option<String>,
}

impl Conditions {
    fn of(query: &Query, state: Option<CaseState>) -> Self {
        let mut own = Self::default();
        if let Some(station) = &query.station {
            own.and("station = {}", station.as_str().into());
        }
        if let Some(state) = state {
            own.and("state = {}", state.as_str().into());
        }
        match &query.text {
            None => {}
            Some(TextQuery::Number(number)) => {
                let n = own.parameter(number.as_str().into());
                own.numbers = vec![format!("number = {n}"), format!("slip_number = {n}")];
            }
            Some(TextQuery::Digits(digits)) => own.numbers = own.digits(digits),
            Some(TextQuery::Items(items)) => {
                let codes = items.iter().take(MAX_ITEMS).map(|i| own.parameter(i.as_str().into()));
                own.items = Some(codes.collect::<Vec<_>>().join(", "));
            }
        }
        own
    }

    fn parameter(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// `{}` stands for the place of the value.
    fn and(&mut self, text: &str, value: Value) {
        let place = self.parameter(value);
        self.all.push(text.replace("{}", &place));
    }

    /// The last group of a number is what people read aloud, the first six digits are a day: both have an index. Fewer
    /// than four digits find nothing, because they would find everything.
    fn digits(&mut self, digits: &str) -> Vec<String> {
        let digits: String = digits.chars().filter(char::is_ascii_digit).take(14).collect();
        let mut arms = Vec::new();
        if let Some(at) = digits.len().checked_sub(END_DIGITS) {
            let (end, whole) =
                (self.parameter(digits[at..].into()), self.parameter(format!("%{digits}").into()));
            arms.push(format!("substr(number, 13) = {end} AND number LIKE {whole}"));
        }
        if digits.len() >= DAY_DIGITS {
            // Of one length: whatever the database sorts by, digits sort alike.
            let from = self.parameter(format!("XN{digits:0<14}").into());
            let to = self.parameter(format!("XN{digits:9<14}").into());
            arms.push(format!("number BETWEEN {from} AND {to}"));
        }
        if arms.is_empty() { vec![NOTHING.to_owned()] } else { arms }
    }

    fn is_by_number(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// As the database likes.
    fn plain(&self) -> String {
        let items = self.items.iter().map(|codes| within("item", codes));
        joined(&self.all.iter().cloned().chain(items).collect::<Vec<_>>())
    }

    /// From the newest case on: an expression has no index.
    fn walked(&self) -> String {
        let items = self.items.iter().map(|codes| within("item || ''", codes));
        joined(&self.all.iter().cloned().chain(items).collect::<Vec<_>>())
    }

    /// By what is found through the indexes.
    fn gathered(&self) -> String {
        let arms = if self.numbers.is_empty() {
            vec![self.plain()]
        } else {
            let arm = |number: &String| joined(&[std::slice::from_ref(number), self.all.as_slice()].concat());
            self.numbers.iter().map(arm).collect()
        };
        let or = " UNION SELECT server_seq FROM case_ ";
        format!("WHERE server_seq IN (SELECT server_seq FROM case_ {})", arms.join(or))
    }
}

/// No item fits: nothing is found, which is not the same as no condition.
fn within(column: &str, codes: &str) -> String {
    if codes.is_empty() { NOTHING.to_owned() } else { format!("{column} IN ({codes})") }
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
        assert_eq!(counts[0], (CaseState::Received, Tally::new(120)));
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
            (TextQuery::Digits(number.as_str()[10..].into()), 1),
            (TextQuery::Digits(number.as_str()[13..].into()), 0),
            (TextQuery::Digits("261124".into()), 30),
            (TextQuery::Digits("2611240".into()), 30),
            (TextQuery::Digits("261125".into()), 0),
            (TextQuery::Digits(String::new()), 0),
            (TextQuery::Digits("%' OR 1=1 --".into()), 0),
            (TextQuery::Items(vec!["hrss.flex-enroll".parse().expect("code")]), 30),
            (TextQuery::Items(vec![]), 0),
        ];
        for (text, count) in table {
            let query = Query { text: Some(text.clone()), ..Query::default() };
            assert_eq!(page(&mut tx, &query).expect("page").cases.len(), count, "{text:?}");
            let counted: Tally = counts(&mut tx, &query).expect("counts").into_iter().map(|(_, n)| n).sum();
            assert_eq!(counted, Tally::new(count as u64), "{text:?}");
        }
        let here =
            Query { station: "XN-A".parse().ok(), state: Some(CaseState::Received), ..Query::default() };
        assert_eq!(page(&mut tx, &here).expect("page").cases.len(), 15);
        let none = Query { state: Some(CaseState::Completed), ..Query::default() };
        assert_eq!(page(&mut tx, &none).expect("page").cases.len(), 0);
    }
}
