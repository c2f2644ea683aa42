//! Bills as lists: of a case, and of all that somebody may see.
use domain::ids::EnvelopeId;
use domain::money::{Fen, RefundState, Why};

use super::rows::{BillRow, columns, fold, read};
use crate::error::ServiceError;
use crate::store::{StoreError, Tx, Value};

/// Bills on a page.
pub const PAGE: u64 = 50;
/// Bills of one case that are read, at most.
const MOST_OF_CASE: u64 = 100;

/// Which bills are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// Those for which a person has to do something.
    #[default]
    Needs,
    /// Those that wait to be paid.
    Open,
    /// Those of which money is to go back.
    Refunds,
    /// All.
    All,
}

impl Shown {
    /// All, in the order of the page.
    pub const ALL: [Shown; 4] = [Self::Needs, Self::Open, Self::Refunds, Self::All];

    /// The name used in addresses and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Needs => "needs",
            Self::Open => "open",
            Self::Refunds => "refunds",
            Self::All => "all",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shown| shown.as_str() == name)
    }

    fn condition(self) -> &'static str {
        match self {
            Self::Needs => "needs = 1",
            Self::Open => "state = 'open'",
            Self::Refunds => "owed_fen > 0",
            Self::All => "place > 0",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub shown: Shown,
    /// Only bills of this unit; all where none is named.
    pub unit: Option<String>,
    /// The number of a bill or of a case, whole; empty for all.
    pub search: String,
    /// Only those before this place.
    pub before: Option<u64>,
}

/// A page of bills, the newest first, and where the next one begins.
pub type Listed = (Vec<BillRow>, Option<u64>);

/// How many there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// For which a person has to do something.
    pub needs: u64,
    /// That wait to be paid.
    pub open: u64,
    /// Of which money is to go back.
    pub refunds: u64,
}

/// A page of bills.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn page(tx: &mut Tx<'_>, query: &Query) -> Result<Listed, StoreError> {
    let mut values: Vec<Value> = Vec::new();
    let mut wheres = query.shown.condition().to_owned();
    let mut and = |text: &str, value: Value| {
        values.push(value);
        wheres.push_str(&text.replace('?', &format!("${}", values.len())));
    };
    if let Some(unit) = &query.unit {
        and(" AND unit = ?", unit.as_str().into());
    }
    if !query.search.is_empty() {
        and(" AND (number = ? OR case_number = ?)", query.search.as_str().into());
    }
    if let Some(place) = query.before {
        and(" AND place < ?", place.into());
    }
    and(" ORDER BY place DESC LIMIT ?", (PAGE + 1).into());
    let sql = format!("SELECT {} FROM bill WHERE {wheres}", columns());
    let mut bills: Vec<_> = tx.query(&sql, &values)?.iter().map(read).collect::<Result<_, _>>()?;
    let more = bills.len() as u64 > PAGE;
    bills.truncate(PAGE as usize);
    let next = bills.last().filter(|_| more).map(|bill| bill.place);
    Ok((bills, next))
}

/// How many there are.
///
/// # Errors
/// [`StoreError`]
pub fn counts(tx: &mut Tx<'_>, unit: Option<&str>) -> Result<Counts, StoreError> {
    let mut count = |shown: Shown| count(tx, shown, unit);
    Ok(Counts { needs: count(Shown::Needs)?, open: count(Shown::Open)?, refunds: count(Shown::Refunds)? })
}

/// How many there are for which a person has to do something: the one count that every page has.
///
/// # Errors
/// [`StoreError`]
pub fn needs(tx: &mut Tx<'_>, unit: Option<&str>) -> Result<u64, StoreError> {
    count(tx, Shown::Needs, unit)
}

fn count(tx: &mut Tx<'_>, shown: Shown, unit: Option<&str>) -> Result<u64, StoreError> {
    let of_unit = if unit.is_some() { " AND unit = $1" } else { "" };
    let sql = format!("SELECT COUNT(*) FROM bill WHERE {}{of_unit}", shown.condition());
    let values: Vec<Value> = unit.iter().map(|unit| (*unit).into()).collect();
    tx.query_int(&sql, &values).map(|n| u64::try_from(n).unwrap_or(0))
}

/// The bills of a case, the oldest first.
///
/// # Errors
/// [`StoreError`]
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<BillRow>, StoreError> {
    let sql = format!("SELECT {} FROM bill WHERE envelope_id = $1 ORDER BY place LIMIT $2", columns());
    let rows = tx.query(&sql, &[id.to_string().into(), MOST_OF_CASE.into()])?;
    rows.iter().map(read).collect()
}

/// Order and currency that the payment of a stray named.
///
/// # Errors
/// [`StoreError`]
pub fn named_by(tx: &mut Tx<'_>, stray: &str) -> Result<Option<(String, String)>, StoreError> {
    let sql = "SELECT order_no, currency FROM payment WHERE bill = $1 ORDER BY transaction_no";
    let row = tx.query_first(sql, &[stray.into()])?;
    row.map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).transpose()
}

/// What goes back of a bill, where each stands, and why.
///
/// # Errors
/// [`ServiceError`] if its events make no bill, or the store fails.
pub fn refunds_of(tx: &mut Tx<'_>, number: &str) -> Result<Vec<(Fen, RefundState, Why)>, ServiceError> {
    Ok(fold(tx, number)?.refunds.iter().map(|refund| (refund.fen, refund.state, refund.why)).collect())
}
