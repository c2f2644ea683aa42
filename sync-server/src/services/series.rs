//! 序列: does an envelope continue its terminal's series, or does it show that a disk was cloned?
//!
//! Gaps are counted and stop nothing. A fork never stops an envelope either: it is stored and receipted, its case
//! starts in 隔离, and people hear of it.
use domain::case::QuarantineReason;
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, StationId, TerminalId};
use domain::wire::v1::{EnvelopeHeader, SeriesNews};

use super::{audit, cases};
use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

/// How many other envelopes on one place are looked at, at most.
const MAX_SIBLINGS: u64 = 20;

/// A series as the centre saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesGap {
    /// Whose series.
    pub terminal: String,
    /// Which series.
    pub lineage: String,
    /// Places up to the highest one seen that never came.
    pub missing: u64,
}

/// What the place of a new envelope says of its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// It forks the series.
    pub fork: Option<QuarantineReason>,
    /// How far the series that the terminal writes now was seen, this envelope included.
    pub news: Option<SeriesNews>,
}

/// Notes the place of a new envelope, before it is stored.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    header: &EnvelopeHeader,
    digest: &Digest,
) -> Result<Noted, ServiceError> {
    let siblings = siblings(tx, header)?;
    let (state, highest_seq) = place(tx, header, now_ms, siblings.is_empty())?;
    let fork = fork(tx, now_ms, header, digest, (&siblings, &state))?;
    // Only the newest series of a terminal is ever active.
    let news = match (&fork, state.as_str()) {
        (None, "active") => Some(SeriesNews { lineage: header.lineage, highest_seq }),
        _ => news(tx, &header.terminal)?,
    };
    Ok(Noted { fork, news })
}

/// Whether an envelope forks its series, by its siblings and the state that the series had; marks it, if so.
fn fork(
    tx: &mut Tx<'_>,
    now_ms: i64,
    header: &EnvelopeHeader,
    digest: &Digest,
    (siblings, state): (&[EnvelopeId], &str),
) -> Result<Option<QuarantineReason>, ServiceError> {
    if !siblings.is_empty() {
        for sibling in siblings {
            cases::quarantine_if_open(tx, now_ms, sibling, QuarantineReason::SeriesFork)?;
        }
        mark_forked(tx, header, false)?;
        audit::raise_alarm(tx, now_ms, "series.fork", header.terminal.as_str(), Some(digest))?;
        return Ok(Some(QuarantineReason::SeriesFork));
    }
    match state {
        "active" => Ok(None),
        "forked" => {
            // Nobody knows which of two machines speaks here: what another of their series brings waits as well.
            mark_forked(tx, header, true)?;
            Ok(Some(QuarantineReason::SeriesFork))
        }
        // A superseded series speaks again: two of them are active at once.
        _ => {
            mark_forked(tx, header, true)?;
            audit::raise_alarm(tx, now_ms, "series.two-lineages", header.terminal.as_str(), Some(digest))?;
            Ok(Some(QuarantineReason::TwoLineages))
        }
    }
}

/// Series with gaps, for people who look after terminals.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn gaps(tx: &mut Tx<'_>) -> Result<Vec<SeriesGap>, StoreError> {
    let rows = tx.query(
        "SELECT terminal, lineage, highest_seq - seqs_seen FROM series
         WHERE highest_seq > seqs_seen ORDER BY terminal, place LIMIT 100",
        &[],
    )?;
    rows.iter()
        .map(|r| {
            Ok(SeriesGap { terminal: r.text(0)?.into(), lineage: r.text(1)?.into(), missing: r.uint(2)? })
        })
        .collect()
}

/// How far the series that a terminal writes now was seen; none if the terminal never sent anything.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn news(tx: &mut Tx<'_>, terminal: &TerminalId) -> Result<Option<SeriesNews>, StoreError> {
    let row = tx.query_first(
        "SELECT lineage, highest_seq FROM series WHERE terminal = $1 ORDER BY place DESC LIMIT 1",
        &[terminal.as_str().into()],
    )?;
    row.map(|r| Ok(SeriesNews { lineage: r.parsed(0)?, highest_seq: r.uint(1)? })).transpose()
}

/// Other envelopes that stand on the same place.
fn siblings(tx: &mut Tx<'_>, header: &EnvelopeHeader) -> Result<Vec<EnvelopeId>, StoreError> {
    let rows = tx.query(
        "SELECT envelope_id FROM envelope WHERE terminal = $1 AND lineage = $2 AND seq = $3 LIMIT $4",
        &[
            header.terminal.as_str().into(),
            header.lineage.to_string().into(),
            header.seq.into(),
            MAX_SIBLINGS.into(),
        ],
    )?;
    rows.iter().map(|r| r.parsed(0)).collect()
}

/// Ends the forks of a terminal: somebody found out which machine is the real one, and takes it into service again.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn end_forks(tx: &mut Tx<'_>, terminal: &TerminalId) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE series SET state = CASE WHEN place = (SELECT MAX(n.place) FROM series n WHERE n.terminal = $1)
             THEN 'active' ELSE 'superseded' END
         WHERE terminal = $1 AND state = 'forked'",
        &[terminal.as_str().into()],
    )?;
    Ok(())
}

/// Counts the place, opening the series if it is new; gives the state that the series had and its highest place. A new
/// series of a terminal whose series forked is one of two machines', and forked as well.
fn place(
    tx: &mut Tx<'_>,
    header: &EnvelopeHeader,
    now_ms: i64,
    new_place: bool,
) -> Result<(String, u64), StoreError> {
    let terminal = header.terminal.as_str();
    let lineage = header.lineage.to_string();
    let known = tx.query_first(
        "UPDATE series SET seqs_seen = seqs_seen + $3, changed_at_ms = $5,
             highest_seq = CASE WHEN highest_seq < $4 THEN $4 ELSE highest_seq END
         WHERE terminal = $1 AND lineage = $2 RETURNING state, highest_seq",
        &[terminal.into(), lineage.clone().into(), new_place.into(), header.seq.into(), now_ms.into()],
    )?;
    if let Some(row) = known {
        return Ok((row.text(0)?.to_owned(), row.uint(1)?));
    }
    tx.execute(
        "UPDATE series SET state = 'superseded' WHERE terminal = $1 AND state = 'active'",
        &[terminal.into()],
    )?;
    let counted = tx.query_first(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 'forked' THEN 1 ELSE 0 END), 0)
         FROM series WHERE terminal = $1",
        &[terminal.into()],
    )?;
    let (known, forked) =
        counted.map_or(Ok((0, 0)), |row| Ok::<_, StoreError>((row.uint(0)?, row.uint(1)?)))?;
    let state = if forked > 0 { "forked" } else { "active" };
    tx.execute(
        "INSERT INTO series (terminal, lineage, place, state, highest_seq, seqs_seen, changed_at_ms)
         VALUES ($1, $2, $3, $4, $5, 1, $6)",
        &[
            terminal.into(),
            lineage.into(),
            (known + 1).into(),
            state.into(),
            header.seq.into(),
            now_ms.into(),
        ],
    )?;
    Ok((state.to_owned(), header.seq))
}

/// Marks this series as forked, or all that are in use if two of them are active.
fn mark_forked(tx: &mut Tx<'_>, header: &EnvelopeHeader, also_active: bool) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE series SET state = 'forked'
         WHERE terminal = $1 AND (lineage = $2 OR ($3 = 1 AND state = 'active'))",
        &[header.terminal.as_str().into(), header.lineage.to_string().into(), also_active.into()],
    )?;
    Ok(())
}

/// How far one terminal's present series was seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SeriesEnd {
    /// The terminal.
    pub terminal: TerminalId,
    /// Where it stands.
    pub station: StationId,
    /// The highest place seen; 0 if it sent nothing yet.
    pub highest_seq: u64,
}

/// Terminals that are listed, at most.
const MAX_ENDS: u64 = 100_000;

/// How far each terminal was seen, by its id.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn ends(tx: &mut Tx<'_>) -> Result<Vec<SeriesEnd>, StoreError> {
    let rows = tx.query(
        "SELECT t.id, t.station, COALESCE((SELECT s.highest_seq FROM series s WHERE s.terminal = t.id
             ORDER BY s.place DESC LIMIT 1), 0)
         FROM terminal t ORDER BY t.id LIMIT $1",
        &[MAX_ENDS.into()],
    )?;
    rows.iter()
        .map(|r| Ok(SeriesEnd { terminal: r.parsed(0)?, station: r.parsed(1)?, highest_seq: r.uint(2)? }))
        .collect()
}
