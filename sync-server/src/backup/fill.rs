//! Rows of a backup into an empty store, counted on the way and compared with what is there afterwards.
use std::io::Read;

use super::BackupError;
use super::file::{Head, Reader, Record, Summary, TableHead, damaged};
use super::seal::invalid;
use crate::services::audit;
use crate::store::{Driver, SCHEMA_VERSION, StoreError, TABLES, Tx, Value};
use crate::whole_tables::{Walked, insert, walk};

/// Brings all rows into the store in the transaction that has begun; gives what the backup says of itself. What came
/// differently than it says is an error.
pub(super) fn fill<R: Read>(tx: &mut Tx<'_>, backup: &mut Reader<R>) -> Result<Summary, BackupError> {
    let mut filled: Vec<(String, Walked)> = Vec::new();
    let mut table: Option<TableHead> = None;
    loop {
        match backup.next()? {
            Record::Table(next) => {
                check_names(&next)?;
                filled.push((next.name.clone(), Walked::none_of(&next.name)));
                table = Some(next);
            }
            Record::Row(row) => {
                let (Some(table), Some((_, walked))) = (&table, filled.last_mut()) else {
                    return Err(damaged(invalid("a row stands before its table")));
                };
                if row.len() != table.columns.len() {
                    return Err(damaged(invalid("a row does not fit its table")));
                }
                insert(tx, (&table.name, &table.columns), &row)?;
                walked.count(&row);
            }
            Record::End(summary) if summary.tables == filled => return Ok(summary),
            Record::End(_) => return Err(damaged(invalid("rows are missing"))),
        }
    }
}

/// Empties all tables of what a restore that was broken off left.
pub(super) fn clear(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    TABLES
        .iter()
        .rev()
        .try_for_each(|table| tx.execute(&format!("DELETE FROM {}", table.name), &[]).map(|_| ()))
}

/// Names go into statements: nothing but the plain names that this program gives tables and columns.
fn check_names(table: &TableHead) -> Result<(), BackupError> {
    let plain = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let fits = std::iter::once(&table.name).chain(&table.columns).all(plain) && !table.columns.is_empty();
    if fits { Ok(()) } else { Err(damaged(invalid("a table has a name that none has"))) }
}

/// Compares what the store holds with what the backup says: every row of every table, the audit chain, the marks of the
/// head.
pub(super) fn compare(tx: &mut Tx<'_>, head: &Head, summary: &Summary) -> Result<(), BackupError> {
    let differs = |what: String| Err(BackupError::Differs { what });
    if head.schema == SCHEMA_VERSION {
        for table in TABLES {
            let said = summary.tables.iter().find(|(name, _)| name == table.name).map(|(_, walked)| walked);
            let there = walk(tx, table, &mut |_: &[Value]| Ok::<_, StoreError>(()))?;
            if said != Some(&there) {
                return differs(format!("table {}", table.name));
            }
        }
    }
    match audit::verify_all(tx)? {
        Ok(last) if last == head.audit_seq => {}
        Ok(last) => return differs(format!("the audit chain ends at row {last}")),
        Err(row) => return differs(format!("the audit chain breaks at row {row}")),
    }
    let highest = tx.query_int("SELECT COALESCE(MAX(server_seq), 0) FROM envelope", &[])?;
    if u64::try_from(highest).ok() != Some(head.server_seq) {
        return differs(format!("the last envelope is {highest}"));
    }
    Ok(())
}

/// What the database itself says of what it holds.
pub(super) fn check_sound(store: &mut dyn Driver) -> Result<(), BackupError> {
    match store.check()?.into_iter().next() {
        None => Ok(()),
        Some(what) => Err(BackupError::Differs { what }),
    }
}
