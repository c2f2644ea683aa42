//! 对账: the gateway's file of a day against what is here. Only compares; whoever runs it decides what follows.
//!
//! The file is CSV with the columns `kind` (`payment` or `refund`), `number`, `order`, `fen`, `currency` and `paid_at_ms`.
use domain::date::CivilDate;
use domain::money::{Fen, RefundState};
use serde::{Deserialize, Serialize};

use super::arrivals::{Arrival, Way};
use crate::store::{Row, StoreError, Tx};

/// The most bytes of a file.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// The most lines of a file.
const MAX_LINES: usize = 500_000;
/// Rows that are read at once.
const TOGETHER: u64 = 1_000;
const HOUR_MS: i64 = 3_600_000;

/// Of what a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money that came.
    Payment,
    /// Money that went back.
    Refund,
}

/// A line of the gateway's file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FileLine {
    /// Of what.
    pub kind: Kind,
    /// Number of the transaction, or of the refund.
    pub number: String,
    /// Number of the order.
    pub order: String,
    /// How much.
    pub fen: Fen,
    /// In which currency.
    pub currency: String,
    /// When, milliseconds since 1970.
    pub paid_at_ms: i64,
}

/// On which side something is missing or different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The gateway has it, this centre has not.
    MissingHere,
    /// This centre has it, the gateway's file has not.
    MissingThere,
    /// Both have it, with another order, amount or currency; or a refund is done there, and not here.
    Differs,
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// How.
    pub side: Side,
    /// Of what.
    pub kind: Kind,
    /// Its number.
    pub number: String,
    /// What this centre has.
    pub here: String,
    /// What the file has.
    pub there: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Payment => "payment",
            Kind::Refund => "refund",
        };
        let Self { number, here, there, .. } = self;
        match self.side {
            Side::MissingHere => write!(f, "{kind} {number} is missing here: the file has {there}"),
            Side::MissingThere => write!(f, "{kind} {number} is missing in the file: here is {here}"),
            Side::Differs => write!(f, "{kind} {number} differs: here is {here}, the file has {there}"),
        }
    }
}

impl FileLine {
    /// The payment that it tells of; none of a refund.
    pub fn arrival(&self) -> Option<Arrival> {
        (self.kind == Kind::Payment).then(|| Arrival {
            transaction: self.number.clone(),
            order: self.order.clone(),
            fen: self.fen,
            currency: self.currency.clone(),
            paid_at_ms: self.paid_at_ms,
            way: Way::File,
        })
    }

    fn told(&self) -> String {
        told(&self.order, self.fen.get(), &self.currency)
    }
}

fn told(order: &str, fen: i64, currency: &str) -> String {
    format!("{fen} fen {currency} for {order}")
}

/// Reads a file.
///
/// # Errors
/// What is wrong with it, with the number of the line.
pub fn read_file(bytes: &[u8]) -> Result<Vec<FileLine>, String> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut lines = Vec::new();
    for (place, line) in csv::Reader::from_reader(bytes).deserialize::<FileLine>().enumerate() {
        lines.push(line.map_err(|e| format!("line {}: {e}", place + 2))?);
        if lines.len() > MAX_LINES {
            return Err(format!("more than {MAX_LINES} lines"));
        }
    }
    let mut numbers: Vec<_> = lines.iter().map(|line| (line.kind, line.number.as_str())).collect();
    numbers.sort_unstable();
    match numbers.windows(2).find(|two| two.first() == two.last()) {
        Some(two) => Err(format!("{} stands twice", two.first().map_or("", |(_, number)| number))),
        None => Ok(lines),
    }
}

/// Compares a file with what is here of a day: every line of it, and all that was paid or refunded on that day.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn compare(tx: &mut Tx<'_>, day: CivilDate, lines: &[FileLine]) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    for line in lines {
        let (kind, number, there) = (line.kind, line.number.clone(), line.told());
        match here(tx, line)? {
            None => {
                found.push(Difference { side: Side::MissingHere, kind, number, here: String::new(), there });
            }
            Some(here) if here != there => {
                found.push(Difference { side: Side::Differs, kind, number, here, there });
            }
            Some(_) => {}
        }
    }
    let named = |kind: Kind| -> std::collections::BTreeSet<&str> {
        lines.iter().filter(|line| line.kind == kind).map(|line| line.number.as_str()).collect()
    };
    let since_ms = (CivilDate::in_china(0).days_to(day) * 24 - 8) * HOUR_MS;
    for kind in [Kind::Payment, Kind::Refund] {
        let there = named(kind);
        for (number, here) in of_day(tx, kind, since_ms)? {
            if !there.contains(number.as_str()) {
                found.push(Difference { side: Side::MissingThere, kind, number, here, there: String::new() });
            }
        }
    }
    Ok(found)
}

/// What is here of the thing that a line tells of. A refund that is not done here differs: the file says that it was.
fn here(tx: &mut Tx<'_>, line: &FileLine) -> Result<Option<String>, StoreError> {
    let done = RefundState::Done.as_str();
    let sql = match line.kind {
        Kind::Payment => "SELECT order_no, fen, currency, 'done' FROM payment WHERE transaction_no = $1",
        Kind::Refund => {
            "SELECT p.order_no, r.fen, p.currency, r.state FROM refund r
             JOIN payment p ON p.transaction_no = r.transaction_no WHERE r.number = $1"
        }
    };
    let row = tx.query_first(sql, &[line.number.as_str().into()])?;
    let here = |row: Row| -> Result<String, StoreError> {
        let told = told(row.text(0)?, row.int(1)?, row.text(2)?);
        let state = row.text(3)?;
        Ok(if state == done { told } else { format!("{told}, {state} and not done") })
    };
    row.map(here).transpose()
}

fn of_day(tx: &mut Tx<'_>, kind: Kind, since_ms: i64) -> Result<Vec<(String, String)>, StoreError> {
    let until_ms = since_ms.saturating_add(24 * HOUR_MS);
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let rows = match kind {
            Kind::Payment => tx.query(
                "SELECT transaction_no, order_no, fen, currency FROM payment
                 WHERE paid_at_ms >= $1 AND paid_at_ms < $2 AND transaction_no > $3
                 ORDER BY transaction_no LIMIT $4",
                &[since_ms.into(), until_ms.into(), after.as_str().into(), TOGETHER.into()],
            )?,
            Kind::Refund => tx.query(
                "SELECT r.number, p.order_no, r.fen, p.currency FROM refund r
                 JOIN payment p ON p.transaction_no = r.transaction_no
                 WHERE r.done_at_ms >= $1 AND r.done_at_ms < $2 AND r.state = $3 AND r.number > $4
                 ORDER BY r.number LIMIT $5",
                &[
                    since_ms.into(),
                    until_ms.into(),
                    RefundState::Done.as_str().into(),
                    after.as_str().into(),
                    TOGETHER.into(),
                ],
            )?,
        };
        let Some(last) = rows.last() else { return Ok(all) };
        after = last.text(0)?.to_owned();
        let row = |row: &Row| Ok((row.text(0)?.to_owned(), told(row.text(1)?, row.int(2)?, row.text(3)?)));
        all.extend(rows.iter().map(row).collect::<Result<Vec<_>, StoreError>>()?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_a_day_is_told_with_its_line() {
        let head = "kind,number,order,fen,currency,paid_at_ms\n";
        let good = format!("\u{feff}{head}payment,t1,JF1,1000,CNY,5\nrefund,t1R1,JF1,400,CNY,6\n");
        assert_eq!(read_file(good.as_bytes()).map(|lines| lines.len()), Ok(2));
        assert_eq!(read_file(head.as_bytes()), Ok(Vec::new()));
        for (lines, told) in [
            ("payment,t1,JF1,10.5,CNY,5\n", "line 2"),
            ("payment,t1,JF1,-1,CNY,5\n", "line 2"),
            ("gift,t1,JF1,1,CNY,5\n", "line 2"),
            ("payment,t1,JF1,1,CNY,5\npayment,t1,JF1\n", "line 3"),
            ("payment,t1,JF1,1,CNY,5\npayment,t1,JF1,1,CNY,5\n", "t1 stands twice"),
        ] {
            let why = read_file(format!("{head}{lines}").as_bytes()).err().unwrap_or_default();
            assert!(why.contains(told), "{why}");
        }
        assert!(read_file(b"<html>502</html>\n<p>").is_err());
    }
}
