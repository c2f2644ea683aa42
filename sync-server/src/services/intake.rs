//! 收件: the centre judges the envelope only (signature, digest, lineage, seq, size), stores it and gives a receipt.
//!
//! A well-formed envelope from an enrolled terminal is always stored; what is inside is looked at by a job after
//! the COMMIT. Refuses nothing for its content, and never overwrites.
use std::sync::Arc;

use domain::date::CivilDate;
use domain::envelope::{Digest, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, envelope_digest};
use domain::ids::{CaseNo, CounterState, Issuer, StationId, TerminalId};
use domain::wire::v1::{EnvelopeHeader, EnvelopeKind, EnvelopeUpload, Outcome, ReceiptBody, SeriesNews};

use super::enrol::{FIRST_CENTRE_ISSUER, last_counter, note_counter};
use super::terminals::{Sender, Terminal};
use super::{audit, blobs, cases, receipt, series, terminals};
use crate::error::{ProblemCode, ServiceError};
use crate::store::{StoreError, Tx, Value};

/// The longest name of an envelope's kind.
const MAX_KIND_BYTES: usize = 40;

/// An envelope whose bytes, digest and signature hold.
#[derive(Debug, Clone)]
pub struct Checked {
    header: EnvelopeHeader,
    upload: EnvelopeUpload,
    sender: Arc<Sender>,
}

impl Checked {
    /// Who signed it.
    pub fn terminal(&self) -> &TerminalId {
        &self.sender.id
    }
}

/// What became of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Accepted, duplicate or conflict.
    pub outcome: Outcome,
    /// What the receipt says; none for a conflict.
    pub receipt: Option<ReceiptBody>,
    /// Blobs that are not there yet.
    pub missing_blobs: Vec<Digest>,
    /// The station that has news now.
    pub station: StationId,
    /// Who sent it.
    pub terminal: TerminalId,
    /// How far the series that its terminal writes now was seen.
    pub series: Option<SeriesNews>,
}

/// Reads the header of an envelope, if the envelope is not too large.
///
/// # Errors
/// [`ServiceError`]: `envelope-too-large` or `envelope-malformed`.
pub fn header(upload: &EnvelopeUpload) -> Result<EnvelopeHeader, ServiceError> {
    if upload.header.0.len() > MAX_HEADER_BYTES || upload.ciphertext.0.len() > MAX_PAYLOAD_BYTES {
        return Err(ProblemCode::EnvelopeTooLarge.into());
    }
    let header = parse_header(&upload.header.0)?;
    blobs::judge(&header)?;
    Ok(header)
}

/// Checks digest and signature of an envelope. `sender` is what is known of the terminal that its header names.
///
/// # Errors
/// [`ServiceError`]: `digest-mismatch`, `signature-invalid`, or why there is no such terminal.
pub fn check(
    header: EnvelopeHeader,
    upload: EnvelopeUpload,
    sender: impl FnOnce(&TerminalId) -> Result<Arc<Sender>, ServiceError>,
) -> Result<Checked, ServiceError> {
    if envelope_digest(&upload.header.0, &upload.ciphertext.0) != upload.digest {
        return Err(ProblemCode::DigestMismatch.into());
    }
    let sender = sender(&header.terminal)?;
    sender.check(&upload.digest, &upload.signature)?;
    Ok(Checked { header, upload, sender })
}

/// Stores a checked envelope, or finds what was stored before.
///
/// # Errors
/// [`ServiceError`] if the terminal was blocked meanwhile, or the store's. A conflict is no error.
pub fn take(tx: &mut Tx<'_>, now_ms: i64, checked: &Checked) -> Result<Taken, ServiceError> {
    let terminal = terminals::still_active(tx, &checked.sender)?;
    take_from(tx, now_ms, checked, terminal)
}

/// Stores an envelope that the centre made itself: the same way in, but for the question whether its terminal may send.
///
/// # Errors
/// [`ServiceError`] as for the envelope of a terminal.
pub(super) fn take_own(
    tx: &mut Tx<'_>,
    now_ms: i64,
    place: &Terminal,
    (made, upload): (EnvelopeHeader, EnvelopeUpload),
) -> Result<Taken, ServiceError> {
    let read = header(&upload)?;
    if read != made {
        return Err(ServiceError::Inconsistent("an envelope that does not say what it should".into()));
    }
    let sender = Arc::new(Sender::new(place.clone())?);
    let checked = check(read, upload, |_| Ok(sender))?;
    take_from(tx, now_ms, &checked, place.clone())
}

fn take_from(
    tx: &mut Tx<'_>,
    now_ms: i64,
    checked: &Checked,
    terminal: Terminal,
) -> Result<Taken, ServiceError> {
    let Checked { header, upload, .. } = checked;
    let (outcome, receipt, series) = match receipt::stored(tx, &header.envelope_id)? {
        None => {
            let (receipt, news) = store(tx, now_ms, checked, &terminal)?;
            (Outcome::Accepted, Some(receipt), news)
        }
        Some(stored) if stored.digest == upload.digest => {
            (Outcome::Duplicate, Some(stored), series::news(tx, &terminal.id)?)
        }
        Some(_) => {
            let subject = header.envelope_id.to_string();
            audit::raise_alarm(tx, now_ms, "envelope.conflict", &subject, Some(&upload.digest))?;
            (Outcome::Conflict, None, series::news(tx, &terminal.id)?)
        }
    };
    let awaits = !header.blobs.is_empty() && outcome != Outcome::Conflict;
    let missing_blobs = if awaits { blobs::missing(tx, &header.envelope_id)? } else { Vec::new() };
    let Terminal { id, station, .. } = terminal;
    Ok(Taken { outcome, receipt, missing_blobs, station, terminal: id, series })
}

/// Stores a new envelope with its place, its case and its audit rows; gives what its receipt says.
fn store(
    tx: &mut Tx<'_>,
    now_ms: i64,
    checked: &Checked,
    terminal: &Terminal,
) -> Result<(ReceiptBody, Option<SeriesNews>), ServiceError> {
    let Checked { header, upload, .. } = checked;
    let station = &terminal.station;
    let series::Noted { fork, news } = series::note(tx, now_ms, header, &upload.digest)?;
    let (number, slip_number) = number_of(tx, now_ms, header, terminal)?;
    fail::fail_point!("server::intake::before_insert", |_| Err(StoreError::Full.into()));
    let server_seq = tx.take_next_in("envelope", "server_seq")?;
    let disposition = disposition(tx, header)?;
    insert(tx, now_ms, checked, &Place { server_seq, number: number.as_ref(), disposition, station })?;
    blobs::expect(tx, header)?;
    fail::fail_point!("server::intake::after_insert", |_| Err(StoreError::Full.into()));
    let receipt = ReceiptBody {
        envelope_id: header.envelope_id,
        digest: upload.digest,
        server_seq,
        accepted_at_ms: now_ms,
        number: number.clone(),
        complete: header.blobs.is_empty(),
    };
    if let (EnvelopeKind::Submission, Some(number)) = (&header.kind, number) {
        let new = cases::NewCase {
            envelope_id: header.envelope_id,
            server_seq,
            number,
            slip_number,
            item: header.item.as_ref(),
            catalogue_version: header.catalogue_version,
            station,
            terminal: &terminal.id,
        };
        cases::begin(tx, now_ms, &new)?;
        if let Some(reason) = fork {
            cases::quarantine_if_open(tx, now_ms, &header.envelope_id, reason)?;
        }
    }
    fail::fail_point!("server::intake::after_case", |_| Err(StoreError::Full.into()));
    end_waiting(tx, header)?;
    Ok((receipt, news))
}

fn parse_header(bytes: &[u8]) -> Result<EnvelopeHeader, ServiceError> {
    let malformed = |why: &str| ServiceError::refused(ProblemCode::EnvelopeMalformed, why);
    let header: EnvelopeHeader = serde_json::from_slice(bytes).map_err(|e| {
        malformed(&format!("the header cannot be read at line {} column {}", e.line(), e.column()))
    })?;
    if header.seq == 0 || i64::try_from(header.seq).is_err() {
        return Err(malformed("seq begins at 1 and fits 63 bits"));
    }
    if header.catalogue_version.is_some_and(|v| i64::try_from(v).is_err()) {
        return Err(malformed("the catalogue version does not fit 63 bits"));
    }
    let word =
        |s: &str| s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    match &header.kind {
        EnvelopeKind::Other(kind) if kind.is_empty() || kind.len() > MAX_KIND_BYTES || !word(kind) => {
            Err(malformed("the kind is not a short word"))
        }
        _ => Ok(header),
    }
}

/// The number of the case, and the slip's if that one is taken (更正). Only submissions have one.
fn number_of(
    tx: &mut Tx<'_>,
    now_ms: i64,
    header: &EnvelopeHeader,
    terminal: &Terminal,
) -> Result<(Option<CaseNo>, Option<CaseNo>), ServiceError> {
    if header.kind != EnvelopeKind::Submission {
        return Ok((None, None));
    }
    if let Some(number) = &header.number {
        if let Some((issuer, used)) = parts_of(number).filter(|(issuer, _)| *issuer == terminal.issuer) {
            note_counter(tx, issuer, used)?;
        }
        if is_free(tx, number)? {
            return Ok((Some(number.clone()), None));
        }
        audit::raise_alarm(tx, now_ms, "number.collision", number.as_str(), None)?;
    }
    Ok((Some(issue_here(tx, now_ms)?), header.number.clone()))
}

/// A number of the centre's own issuers, 900 to 999. Collisions are rare: a few steps find a free one.
fn issue_here(tx: &mut Tx<'_>, now_ms: i64) -> Result<CaseNo, ServiceError> {
    let today = CivilDate::in_china(now_ms);
    for issuer in (FIRST_CENTRE_ISSUER..=999).filter_map(Issuer::new) {
        let mut state = last_counter(tx, issuer, today)?;
        while let Ok(next) = state.next(today) {
            state = next;
            let number = CaseNo::issue(issuer, state);
            if is_free(tx, &number)? {
                note_counter(tx, issuer, state)?;
                return Ok(number);
            }
        }
    }
    Err(ProblemCode::NumbersExhausted.into())
}

fn is_free(tx: &mut Tx<'_>, number: &CaseNo) -> Result<bool, StoreError> {
    Ok(tx.query_int("SELECT COUNT(*) FROM case_ WHERE number = $1", &[number.as_str().into()])? == 0)
}

/// Notes that a number was given out, so that nobody else gets it.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn note_used(tx: &mut Tx<'_>, number: &CaseNo) -> Result<(), StoreError> {
    parts_of(number).map_or(Ok(()), |(issuer, used)| note_counter(tx, issuer, used))
}

/// Issuer and counter inside a number.
fn parts_of(number: &CaseNo) -> Option<(Issuer, CounterState)> {
    let digits = number.as_str().get(2..15)?;
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u16>().ok();
    let date = CivilDate::new(
        2_000 + i16::try_from(part(0..2)?).ok()?,
        i8::try_from(part(2..4)?).ok()?,
        i8::try_from(part(4..6)?).ok()?,
    )?;
    Some((Issuer::new(part(6..9)?)?, CounterState { date, counter: part(9..13)? }))
}

/// What is to be done with an envelope: `case`, `waiting` for what it refers to, `held` for a later handler, or
/// `quarantined` because its kind is unknown.
fn disposition(tx: &mut Tx<'_>, header: &EnvelopeHeader) -> Result<&'static str, StoreError> {
    match (&header.kind, &header.refers_to) {
        (EnvelopeKind::Other(_), _) => Ok("quarantined"),
        (EnvelopeKind::Submission, _) => Ok("case"),
        (_, Some(other)) if receipt::stored(tx, other)?.is_none() => Ok("waiting"),
        _ => Ok("held"),
    }
}

/// What waited for this envelope waits no longer.
fn end_waiting(tx: &mut Tx<'_>, header: &EnvelopeHeader) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE envelope SET disposition = 'held' WHERE refers_to = $1 AND disposition = 'waiting'",
        &[header.envelope_id.to_string().into()],
    )?;
    Ok(())
}

struct Place<'a> {
    server_seq: u64,
    number: Option<&'a CaseNo>,
    disposition: &'static str,
    station: &'a StationId,
}

fn insert(tx: &mut Tx<'_>, now_ms: i64, checked: &Checked, place: &Place<'_>) -> Result<(), ServiceError> {
    let Checked { header, upload, .. } = checked;
    let id = header.envelope_id.to_string();
    let digest = upload.digest.to_string();
    tx.execute(
        "INSERT INTO envelope (server_seq, envelope_id, kind, refers_to, terminal, station, lineage, seq, number,
             complete, disposition, digest, signature, header, ciphertext, device_time_ms, accepted_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        &[
            place.server_seq.into(),
            id.clone().into(),
            kind_name(&header.kind).into(),
            Value::from(header.refers_to.map(|r| r.to_string())),
            header.terminal.as_str().into(),
            place.station.as_str().into(),
            header.lineage.to_string().into(),
            header.seq.into(),
            Value::from(place.number.map(CaseNo::as_str)),
            header.blobs.is_empty().into(),
            place.disposition.into(),
            digest.clone().into(),
            upload.signature.0.0.as_slice().into(),
            upload.header.0.as_slice().into(),
            upload.ciphertext.0.as_slice().into(),
            header.device_time_ms.into(),
            now_ms.into(),
        ],
    )?;
    if place.disposition == "quarantined" {
        audit::raise_alarm(tx, now_ms, "envelope.unknown-kind", &id, Some(&upload.digest))?;
    }
    let event = audit::Event {
        actor: header.terminal.as_str(),
        event: "envelope.stored",
        subject: &id,
        object_digest: &digest,
    };
    Ok(audit::append(tx, now_ms, event)?)
}

fn kind_name(kind: &EnvelopeKind) -> &str {
    match kind {
        EnvelopeKind::Submission => "submission",
        EnvelopeKind::Supplement => "supplement",
        EnvelopeKind::Withdrawal => "withdrawal",
        EnvelopeKind::Rating => "rating",
        EnvelopeKind::Problem => "problem",
        EnvelopeKind::Call => "call",
        EnvelopeKind::Booking => "booking",
        EnvelopeKind::Other(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_and_counter_are_read_from_a_number() {
        let date = "2026-11-24".parse().expect("date");
        let state = CounterState { date, counter: 137 };
        let issuer = Issuer::new(13).expect("in range");
        assert_eq!(parts_of(&CaseNo::issue(issuer, state)), Some((issuer, state)));
    }
}
