//! A store that is as full as one after years: the invented cases of `sync-server sample-data`, copied until so many are
//! open and so many are closed, on either database.
//!
//! A copy has a number, actions, tasks and figures of its own. Refuses to copy what is sealed: a copy's content does not
//! open, so case pages are measured on the originals.
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use domain::date::CivilDate;
use domain::ids::{CaseNo, CounterState, Issuer};
use sync_server::store::{Database, Driver, StoreError, Tx, in_transaction};

/// Cases of the store as far as they are told apart here.
const OPEN: &str = "state IN ('received', 'submitted', 'accepted', 'returned')";
/// Numbers of one issuer and day.
const NUMBERS: usize = 9_999;
/// An issuer that no station of the sample has.
const ISSUER: u16 = 100;
/// Rows of one statement.
const TOGETHER: usize = 250;
/// Where the part of an id begins that a copy has of its own, and its signs.
const OWN: std::ops::Range<usize> = 24..30;

/// How many cases to have at least.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Not ended.
    pub open: usize,
    /// Ended.
    pub closed: usize,
}

/// Fills a store that sample data were loaded into; gives how many cases it has then.
///
/// # Errors
/// If the store refuses, or has no cases of both kinds to copy.
pub fn fill(database: &Database, wanted: Wanted) -> Result<u64> {
    let mut store = database.open()?;
    let store = store.as_mut();
    for (is_open, wanted) in [(true, wanted.open), (false, wanted.closed)] {
        let originals = originals(store, is_open)?;
        let times = wanted.div_ceil(originals.len().max(1)).saturating_sub(1);
        anyhow::ensure!(!originals.is_empty(), "no cases to copy");
        let first = if is_open { 0 } else { 100 * NUMBERS };
        copy(store, &originals, times, first)?;
    }
    let analyze = |store: &mut dyn Driver| store.run_script("ANALYZE");
    if matches!(database, Database::Postgres(_)) {
        // PostgreSQL does it by itself within a minute.
        analyze(store)?;
    }
    let count = in_transaction(store, |tx| -> Result<i64, StoreError> {
        tx.query_int("SELECT COUNT(*) FROM case_", &[])
    })?;
    Ok(u64::try_from(count)?)
}

fn originals(store: &mut dyn Driver, is_open: bool) -> Result<Vec<String>> {
    let condition = if is_open { OPEN.to_owned() } else { format!("NOT {OPEN}") };
    let sql = format!("SELECT envelope_id FROM case_ WHERE {condition} ORDER BY envelope_id");
    let rows = in_transaction(store, |tx| tx.query(&sql, &[]))?;
    Ok(rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, _>>()?)
}

/// Makes so many copies of each; their numbers begin at this place.
fn copy(store: &mut dyn Driver, originals: &[String], times: usize, first: usize) -> Result<()> {
    store.run_script(
        "CREATE TABLE bench_copy (place BIGINT PRIMARY KEY, old TEXT NOT NULL, new TEXT NOT NULL, number TEXT NOT NULL)",
    )?;
    let all: Vec<(usize, &String)> =
        originals.iter().flat_map(|old| (1..=times).map(move |time| (time, old))).collect();
    for (part, copies) in all.chunks(TOGETHER * 40).enumerate() {
        in_transaction(store, |tx| {
            for (row, copies) in copies.chunks(TOGETHER).enumerate() {
                let place = first + part * TOGETHER * 40 + row * TOGETHER;
                name(tx, copies, place)?;
            }
            Ok::<_, StoreError>(())
        })?;
    }
    let tables: [(&str, &[(&str, &str)]); 6] = [
        ("case_", &[("server_seq", "b.place + b.top + 1"), ("number", "b.number"), ("slip_number", "NULL")]),
        (
            "envelope",
            &[
                ("server_seq", "b.place + b.top + 1"),
                ("number", "b.number"),
                ("terminal", "t.terminal || '-copy'"),
                ("seq", "b.place + b.top + 1"),
                ("digest", "b.new"),
            ],
        ),
        ("action", &[("click", "NULL")]),
        ("task", &[]),
        ("case_fact", &[]),
        ("case_key", &[]),
    ];
    let top = in_transaction(store, |tx| tx.query_int("SELECT MAX(server_seq) FROM case_", &[]))?;
    for (table, own) in tables {
        let columns = columns(table)?;
        let values: Vec<String> = columns.iter().map(|column| value(column, own)).collect();
        let sql = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM (SELECT place, old, new, number, CAST($1 AS BIGINT) AS top
                 FROM bench_copy ORDER BY new) AS b JOIN {table} t ON t.envelope_id = b.old",
            columns.join(", "),
            values.join(", ")
        );
        in_transaction(store, |tx| tx.execute(&sql, &[top.into()])).with_context(|| table.to_owned())?;
    }
    Ok(store.run_script("DROP TABLE bench_copy")?)
}

/// Names copies: ids and numbers, of a day for each full counter.
fn name(tx: &mut Tx<'_>, copies: &[(usize, &String)], first: usize) -> Result<(), StoreError> {
    let wrong = || StoreError::Stored { what: "the number of a copy" };
    let start: CivilDate = "2020-01-01".parse().map_err(|_| wrong())?;
    let issuer = Issuer::new(ISSUER).ok_or_else(wrong)?;
    let mut sql = String::from("INSERT INTO bench_copy (place, old, new, number) VALUES ");
    for (n, (time, old)) in copies.iter().enumerate() {
        let place = first + n;
        let date = start.plus_days(i64::try_from(place / NUMBERS).map_err(|_| wrong())?);
        let counter = u16::try_from(place % NUMBERS + 1).map_err(|_| wrong())?;
        let number = CaseNo::issue(issuer, CounterState { date, counter });
        let (head, tail) = (&old[..OWN.start], &old[OWN.end..]);
        let sign = if n == 0 { "" } else { ", " };
        let _ = write!(sql, "{sign}({place}, '{old}', '{head}{time:06x}{tail}', '{number}')");
    }
    tx.execute(&sql, &[]).map(|_| ())
}

/// Columns of a table, in its order.
fn columns(table: &str) -> Result<Vec<&'static str>> {
    let found = sync_server::store::TABLES.iter().find(|known| known.name == table);
    Ok(found.with_context(|| format!("no table {table}"))?.columns.to_vec())
}

/// What a copy has in a column.
fn value(column: &str, own: &[(&str, &str)]) -> String {
    match own.iter().find(|(name, _)| *name == column) {
        Some((_, value)) => (*value).to_owned(),
        None if column == "envelope_id" => "b.new".to_owned(),
        None => format!("t.{column}"),
    }
}
