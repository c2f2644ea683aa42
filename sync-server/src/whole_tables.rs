//! Rows of whole tables, in an order that both databases share, with a digest over every value: what a move and a backup
//! stand on.
//!
//! Refuses to know what the rows mean. Names of tables and columns are written in the program, or were checked to be
//! plain names.
use domain::envelope::Digest;

use crate::store::{StoreError, Table, Tx, Value};

/// Rows read in one go.
const STRETCH: u64 = 200;

/// What a walk over a table found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Walked {
    /// Rows.
    pub(crate) rows: u64,
    /// Digest over all of them in order, each value with its type.
    pub(crate) digest: Digest,
}

impl Walked {
    /// Before the first row of a table.
    pub(crate) fn none_of(table: &str) -> Self {
        Self { rows: 0, digest: Digest::of(table.as_bytes()) }
    }

    /// After one more row.
    pub(crate) fn count(&mut self, row: &[Value]) {
        self.rows += 1;
        let mut text = self.digest.as_bytes().to_vec();
        write_row(row, &mut text);
        self.digest = Digest::of(&text);
    }
}

/// Goes over a table in stretches and digests every value with its type.
///
/// # Errors
/// The error of `each`, or the store's.
pub(crate) fn walk<E: From<StoreError>>(
    tx: &mut Tx<'_>,
    table: &Table,
    each: &mut dyn FnMut(&[Value]) -> Result<(), E>,
) -> Result<Walked, E> {
    let mut walked = Walked::none_of(table.name);
    let columns = table.columns.join(", ");
    let places: Vec<_> = table.key.iter().filter_map(|k| table.columns.iter().position(|c| c == k)).collect();
    let mut last: Option<Vec<Value>> = None;
    loop {
        let (sql, parameters) = stretch(table, &columns, last.as_deref());
        let found = tx.query(&sql, &parameters)?;
        for row in &found {
            each(&row.0)?;
            walked.count(&row.0);
        }
        let Some(end) = found.last() else { return Ok(walked) };
        last = Some(places.iter().filter_map(|p| end.0.get(*p).cloned()).collect());
    }
}

/// The next rows after a key: `(a > $1) OR (a = $1 AND b > $2) …`, which both databases understand alike.
fn stretch(table: &Table, columns: &str, after: Option<&[Value]>) -> (String, Vec<Value>) {
    let mut parameters = after.map(<[Value]>::to_vec).unwrap_or_default();
    let beyond: Vec<_> = (0..parameters.len())
        .map(|n| {
            let same = (0..n).map(|m| format!("{} = ${} AND ", table.key[m], m + 1));
            format!("({}{} > ${})", same.collect::<String>(), table.key[n], n + 1)
        })
        .collect();
    let condition = if beyond.is_empty() { String::new() } else { format!("WHERE {}", beyond.join(" OR ")) };
    parameters.push(STRETCH.into());
    let order = table.key.join(", ");
    let sql = format!(
        "SELECT {columns} FROM {} {condition} ORDER BY {order} LIMIT ${}",
        table.name,
        parameters.len()
    );
    (sql, parameters)
}

/// Puts a row into a table.
///
/// # Errors
/// [`StoreError`] as the database says.
pub(crate) fn insert<C: AsRef<str>>(
    tx: &mut Tx<'_>,
    (table, columns): (&str, &[C]),
    row: &[Value],
) -> Result<(), StoreError> {
    let places: Vec<_> = (1..=row.len()).map(|n| format!("${n}")).collect();
    let columns: Vec<_> = columns.iter().map(AsRef::as_ref).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
    tx.execute(&sql, row).map(|_| ())
}

/// A row as bytes: each value as its type, its length and what it is.
pub(crate) fn write_row(row: &[Value], out: &mut Vec<u8>) {
    for value in row {
        let number;
        let (kind, bytes): (u8, &[u8]) = match value {
            Value::Null => (0, &[]),
            Value::Int(n) => {
                number = n.to_be_bytes();
                (1, &number)
            }
            Value::Text(s) => (2, s.as_bytes()),
            Value::Blob(b) => (3, b),
        };
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    }
}

/// The row that [`write_row`] wrote; none for anything else.
pub(crate) fn read_row(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut row = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        row.push(match kind {
            0 if length == 0 => Value::Null,
            1 => Value::Int(i64::from_be_bytes(value.try_into().ok()?)),
            2 => Value::Text(String::from_utf8(value.to_vec()).ok()?),
            3 => Value::Blob(value.to_vec()),
            _ => return None,
        });
        bytes = rest;
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let row = [Value::Null, i64::MIN.into(), "办件".into(), Value::Blob(vec![0, 255]), "".into()];
        let mut bytes = Vec::new();
        write_row(&row, &mut bytes);
        assert_eq!(read_row(&bytes).as_deref(), Some(&row[..]));
        for cut in 1..bytes.len() {
            // Cut between two values it is a shorter row; anywhere else it is none.
            assert!(read_row(&bytes[..cut]).is_none_or(|shorter| shorter.len() < row.len()), "{cut}");
        }
        assert!(read_row(&[7, 0, 0, 0, 0, 0, 0, 0, 0]).is_none());
        assert!(read_row(&[2, 255, 255, 255, 255, 255, 255, 255, 255]).is_none());
    }
}
