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

/// What a terminal brings that wants to come back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    /// Its request.
    pub request: &'a EnrolRequest,
    /// What it signed.
    pub document: &'a SignedDocument,
    /// The digest of the code in the request.
    pub code: &'a Digest,
    /// The station that the code is for.
    pub station: &'a StationId,
}

/// Enrols a forgotten terminal under its own id, and with its own issuer unless somebody has that by now.
///
/// # Errors
/// [`ServiceError`]: `return-not-proven`, `key-enrolled-elsewhere` for the code of another station,
/// `terminal-id-taken`, or as a new enrolment.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    now_ms: i64,
    context: &Context,
    shown: &Shown<'_>,
) -> Result<Terminal, ServiceError> {
    let said = proven(context, shown).ok_or(ProblemCode::ReturnNotProven)?;
    if said.station != *shown.station {
        return Err(ProblemCode::KeyEnrolledElsewhere.into());
    }
    if terminals::by_id(tx, &said.terminal)?.is_some() {
        return Err(ProblemCode::TerminalIdTaken.into());
    }
    let all = terminals::all(tx)?;
    let free = gap::is_a_terminals(said.issuer) && all.iter().all(|other| other.issuer != said.issuer);
    let issuer = if free { said.issuer } else { free_issuer(tx, shown.station)? };
    let terminal = Terminal {
        id: said.terminal,
        station: said.station,
        public_key: shown.request.public_key.clone(),
        issuer,
        active: true,
    };
    insert(tx, now_ms, &terminal, &shown.request.software)?;
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
fn proven(context: &Context, shown: &Shown<'_>) -> Option<Returning> {
    let key = &shown.request.public_key;
    let body = verify_document(SignedKind::Return, shown.document, &KeyRing::new([key.clone()])).ok()?;
    let said: Returning = serde_json::from_slice(body).ok()?;
    let (terminal, certified) = context.keys.authority.certified(&said.certificate.0)?;
    let holds = terminal == said.terminal && certified == *key;
    (holds && code_digest(&said.code).ok()? == *shown.code).then_some(said)
}
