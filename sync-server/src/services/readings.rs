//! Reads of the API for programs: a station's cases by cursor or one by one, and the catalogue as it was published.
//!
//! Refuses to show a case of another station: it looks like one that is not there. No personal data.
use domain::date::CHINA_OFFSET_HOURS;
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, StationId};
use domain::wire::v1::{CaseResource, CasesQuery};

use super::cases::{self, COLUMNS, CaseRow};
use super::catalogue::newest_version;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{StoreError, Tx};

/// A stretch of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// In the centre's order, oldest first.
    pub cases: Vec<CaseResource>,
    /// The cursor to ask with next; the caller's own if there was nothing.
    pub cursor: u64,
    /// More is there.
    pub more: bool,
}

/// Cases of a station after a cursor.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn cases_after(tx: &mut Tx<'_>, station: &StationId, query: CasesQuery) -> Result<Stretch, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM case_ WHERE station = $1 AND server_seq > $2 ORDER BY server_seq LIMIT $3"
    );
    let limit = u64::from(query.limit);
    let rows = tx.query(&sql, &[station.as_str().into(), query.after.into(), (limit + 1).into()])?;
    let mut found: Vec<_> = rows.iter().map(cases::read).collect::<Result<_, _>>()?;
    let more = found.len() as u64 > limit;
    found.truncate(query.limit as usize);
    let cursor = found.last().map_or(query.after, |c| c.server_seq);
    Ok(Stretch { cases: found.into_iter().map(resource).collect(), cursor, more })
}

/// One case of a station.
///
/// # Errors
/// [`ServiceError`]: `not-found` also for a case of another station, or the store's.
pub fn case_of(tx: &mut Tx<'_>, station: &StationId, id: &EnvelopeId) -> Result<CaseResource, ServiceError> {
    let case = cases::by_id(tx, id)?.filter(|c| c.station == *station);
    Ok(case.map(resource).ok_or(ProblemCode::NotFound)?)
}

/// Version and digest of a published catalogue: the newest one, or exactly this one.
///
/// # Errors
/// [`ServiceError`]: `not-found`, or the store's.
pub fn edition(tx: &mut Tx<'_>, version: Option<u64>) -> Result<(u64, Digest), ServiceError> {
    let version = match version {
        Some(version) => version,
        None => newest_version(tx)?.ok_or(ProblemCode::NotFound)?,
    };
    let sql = "SELECT digest FROM catalogue WHERE version = $1 LIMIT 1";
    let row = tx.query_first(sql, &[version.into()])?.ok_or(ProblemCode::NotFound)?;
    Ok((version, row.parsed(0)?))
}

/// The text of a published catalogue, whose SHA-256 is the digest.
///
/// # Errors
/// [`ServiceError`]: `not-found`, or the store's.
pub fn edition_text(tx: &mut Tx<'_>, version: u64) -> Result<String, ServiceError> {
    let sql = "SELECT document FROM catalogue WHERE version = $1 LIMIT 1";
    let row = tx.query_first(sql, &[version.into()])?.ok_or(ProblemCode::NotFound)?;
    Ok(row.text(0)?.to_owned())
}

fn resource(case: CaseRow) -> CaseResource {
    CaseResource {
        envelope_id: case.envelope_id,
        number: case.number,
        slip_number: case.slip_number,
        state: case.state,
        reason: Some(case.reason).filter(|r| !r.is_empty()),
        version: case.version,
        server_seq: case.server_seq,
        item: case.item,
        catalogue_version: Some(case.catalogue_version).filter(|v| *v > 0),
        station: case.station,
        terminal: case.terminal,
        received_at: rfc3339(case.received_at_ms),
        changed_at: rfc3339(case.changed_at_ms),
    }
}

/// An instant as RFC 3339 text with China's offset and milliseconds.
fn rfc3339(ms: i64) -> String {
    let instant = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(CHINA_OFFSET_HOURS));
    let local = zone.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S%.3f");
    format!("{local}+{CHINA_OFFSET_HOURS:02}:00")
}

#[cfg(test)]
mod tests {
    use domain::ids::{CaseNo, CounterState, Issuer};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::services::cases::{NewCase, begin};
    use crate::store::fresh_in_memory;

    #[test]
    fn times_have_their_offset() {
        assert_eq!(rfc3339(0), "1970-01-01T08:00:00.000+08:00");
        assert_eq!(rfc3339(1_795_500_000_123), "2026-11-24T14:00:00.123+08:00");
        assert_eq!(rfc3339(i64::MAX), rfc3339(0), "beyond the calendar");
    }

    #[test]
    fn a_station_sees_each_of_its_cases_once_and_no_other() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (here, there): (StationId, StationId) =
            ("XN-A".parse().expect("id"), "XN-B".parse().expect("id"));
        let date = "2026-11-24".parse().expect("date");
        let mut ids = vec![];
        for n in 1..=25_u16 {
            let envelope_id = EnvelopeId::new(0, &mut rng);
            ids.push(envelope_id);
            let new = NewCase {
                envelope_id,
                server_seq: u64::from(n),
                number: CaseNo::issue(Issuer::new(7).expect("in range"), CounterState { date, counter: n }),
                slip_number: None,
                item: None,
                catalogue_version: None,
                station: if n % 2 == 0 { &there } else { &here },
                terminal: &"T-01".parse().expect("id"),
            };
            begin(&mut tx, 0, &new).expect("begun");
        }
        let (mut query, mut seen) = (CasesQuery { after: 0, limit: 4 }, vec![]);
        loop {
            let stretch = cases_after(&mut tx, &here, query).expect("read");
            assert!(stretch.cases.len() <= 4);
            seen.extend(stretch.cases.iter().map(|c| c.server_seq));
            query.after = stretch.cursor;
            if !stretch.more {
                break;
            }
        }
        assert_eq!(seen, (1..=25).step_by(2).collect::<Vec<_>>());
        let end = cases_after(&mut tx, &here, query).expect("read");
        assert_eq!((end.cases.len(), end.cursor, end.more), (0, 25, false));
        assert_eq!(case_of(&mut tx, &here, &ids[0]).expect("its own").server_seq, 1);
        for id in [ids[1], EnvelopeId::new(0, &mut rng)] {
            let refused = case_of(&mut tx, &here, &id);
            assert!(matches!(refused, Err(ServiceError::Refused { code: ProblemCode::NotFound, .. })));
        }
    }
}
