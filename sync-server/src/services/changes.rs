//! News for stations: written in the transaction of what it tells, read by cursor.
use domain::ids::StationId;
use domain::wire::v1::{Change, ChangeNews};

use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

/// News in one answer, at most.
const MAX_CHANGES: usize = 200;
/// The station that stands for all.
const ALL_STATIONS: &str = "*";

/// What a station has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Oldest first, at most 200.
    pub changes: Vec<Change>,
    /// The cursor to ask with next.
    pub cursor: u64,
    /// More is waiting.
    pub more: bool,
}

/// Announces news to one station, or to all of them.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn announce(tx: &mut Tx<'_>, station: Option<&StationId>, news: &ChangeNews) -> Result<(), ServiceError> {
    let cursor = tx.take_next_in("change_", "cursor_")?;
    let body = serde_json::to_string(news).map_err(|_| StoreError::Stored { what: "piece of news" })?;
    let station = station.map_or(ALL_STATIONS, StationId::as_str);
    tx.execute(
        "INSERT INTO change_ (cursor_, station, body) VALUES ($1, $2, $3)",
        &[cursor.into(), station.into(), body.into()],
    )?;
    Ok(())
}

/// The cursor of the newest piece of news.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn highest(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    Ok(tx.next_in("change_", "cursor_")? - 1)
}

/// Whom news after a cursor touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// These stations.
    Some(Vec<StationId>),
    /// All of them, or too many to name.
    All,
}

/// Whom the news after a cursor touches.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn touched_after(tx: &mut Tx<'_>, after: u64) -> Result<Touched, StoreError> {
    let sql = "SELECT DISTINCT station FROM change_ WHERE cursor_ > $1 ORDER BY station LIMIT $2";
    let rows = tx.query(sql, &[after.into(), (MAX_CHANGES as u64 + 1).into()])?;
    if rows.len() > MAX_CHANGES || rows.iter().any(|row| row.text(0).is_ok_and(|s| s == ALL_STATIONS)) {
        return Ok(Touched::All);
    }
    Ok(Touched::Some(rows.iter().map(|row| row.parsed(0)).collect::<Result<_, _>>()?))
}

/// News of a station after a cursor. A cursor from the future (the centre was restored) is brought back.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn after(tx: &mut Tx<'_>, station: &StationId, after: u64) -> Result<News, ServiceError> {
    let highest = highest(tx)?;
    let after = after.min(highest);
    // Each half walks its own part of the index.
    let rows = tx.query(
        "SELECT cursor_, body FROM change_ WHERE station IN ($2, $3) AND cursor_ > $1 ORDER BY cursor_ LIMIT $4",
        &[after.into(), station.as_str().into(), ALL_STATIONS.into(), (MAX_CHANGES as u64 + 1).into()],
    )?;
    let more = rows.len() > MAX_CHANGES;
    let mut changes = Vec::with_capacity(rows.len().min(MAX_CHANGES));
    for row in rows.iter().take(MAX_CHANGES) {
        let news = serde_json::from_str(row.text(1)?).unwrap_or(ChangeNews::Unknown);
        changes.push(Change { cursor: row.uint(0)?, news });
    }
    // With nothing left, the cursor moves past the news of other stations.
    let cursor = if more { changes.last().map_or(after, |c| c.cursor) } else { highest };
    Ok(News { changes, cursor, more })
}

#[cfg(test)]
mod tests {
    use domain::envelope::Digest;

    use super::*;
    use crate::store::fresh_in_memory;

    #[test]
    fn a_station_sees_its_own_news_and_those_for_all_in_order_and_once() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let here: StationId = "XN-A".parse().expect("id");
        let there: StationId = "XN-B".parse().expect("id");
        let version = |v| ChangeNews::Catalogue { version: v, digest: Digest::of(b"") };
        for v in 0..450 {
            let station = if v == 0 {
                None
            } else if v % 2 == 0 {
                Some(&there)
            } else {
                Some(&here)
            };
            announce(&mut tx, station, &version(v)).expect("announced");
        }
        let (mut cursor, mut seen) = (0, vec![]);
        loop {
            let news = after(&mut tx, &here, cursor).expect("read");
            assert!(news.changes.len() <= MAX_CHANGES);
            seen.extend(news.changes);
            cursor = news.cursor;
            if !news.more {
                break;
            }
        }
        assert_eq!(seen.len(), 226);
        assert!(seen.is_sorted_by(|a, b| a.cursor < b.cursor));
        assert_eq!(cursor, 450);
        assert_eq!(touched_after(&mut tx, 0).expect("read"), Touched::All);
        assert_eq!(touched_after(&mut tx, 449).expect("read"), Touched::Some(vec![here.clone()]));
        assert_eq!(touched_after(&mut tx, 448).expect("read"), Touched::Some(vec![here.clone(), there]));
        assert_eq!(touched_after(&mut tx, 450).expect("read"), Touched::Some(vec![]));
        assert_eq!(
            after(&mut tx, &here, 9_999).expect("read"),
            News { changes: vec![], cursor: 450, more: false }
        );
    }
}
