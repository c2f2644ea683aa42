//! A terminal that a restored centre has forgotten comes back as who it was: with its device key, the certificate that
//! this centre's authority gave it, and a new code.
//!
//! The authority's key lies outside of the store and outlives it, so that what it signed proves terminal and key. The
//! code is what people decide: a terminal that was taken out of service after the backup does not come back by itself.
//! Refuses whatever does not hold together, without using the code.
use domain::envelope::{Digest, KeyRing, SignedDocument, SignedKind, verify_document};
use domain::ids::StationId;
use domain::wire::v1::{EnrolRequest, Returning};

use super::super::terminals::{self, Terminal};
use super::super::{Context, audit};
use super::{code_digest, free_issuer, gap, insert};
use crate::error::{ProblemCode, ServiceError};
use crate::store::Tx;

/// Enrols a forgotten terminal under its own id, and with its own issuer unless somebody has that by now.
///
/// # Errors
/// [`ServiceError`]: `key-enrolled-elsewhere` for the code of another station, `terminal-id-taken`, or as a new enrolment.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    now_ms: i64,
    said: Returning,
    (station, request): (&StationId, &EnrolRequest),
) -> Result<Terminal, ServiceError> {
    if said.station != *station {
        return Err(ProblemCode::KeyEnrolledElsewhere.into());
    }
    if terminals::by_id(tx, &said.terminal)?.is_some() {
        return Err(ProblemCode::TerminalIdTaken.into());
    }
    let all = terminals::all(tx)?;
    let free = gap::is_a_terminals(said.issuer) && all.iter().all(|other| other.issuer != said.issuer);
    let issuer = if free { said.issuer } else { free_issuer(tx, station)? };
    let terminal = Terminal {
        id: said.terminal,
        station: said.station,
        public_key: request.public_key.clone(),
        issuer,
        active: true,
    };
    insert(tx, now_ms, &terminal, &request.software)?;
    let key = terminal.public_key.key_id();
    let event = audit::Event {
        actor: terminal.id.as_str(),
        event: "terminal.returned",
        subject: terminal.station.as_str(),
        object_digest: key.as_str(),
    };
    audit::append(tx, now_ms, event)?;
    Ok(terminal)
}

/// What the terminal says of itself, if its key signed it for this code, and if the certificate is this centre's, for
/// this terminal and this key.
pub(super) fn proven(
    context: &Context,
    (request, document): (&EnrolRequest, &SignedDocument),
    code: &Digest,
) -> Option<Returning> {
    let key = &request.public_key;
    let body = verify_document(SignedKind::Return, document, &KeyRing::new([key.clone()])).ok()?;
    let said: Returning = serde_json::from_slice(body).ok()?;
    let (terminal, certified) = context.keys.authority.certified(&said.certificate.0)?;
    let holds = terminal == said.terminal && certified == *key;
    (holds && code_digest(&said.code).ok()? == *code).then_some(said)
}

/// Whether somebody who wants to return is known here just as it says. One that was given another issuer, and did not
/// hear it because the answer was lost, must be told: its old numbers are somebody else's.
///
/// # Errors
/// [`ServiceError`]: `enrolled-otherwise` if it is known under another id.
pub(super) fn is_as_it_says(
    context: &Context,
    request: &EnrolRequest,
    code: &Digest,
    known: &Terminal,
) -> Result<bool, ServiceError> {
    let Some(document) = &request.returning else { return Ok(false) };
    match proven(context, (request, document), code) {
        Some(said) if said.terminal != known.id => Err(ProblemCode::EnrolledOtherwise.into()),
        said => Ok(said.is_none_or(|said| said.issuer == known.issuer)),
    }
}
