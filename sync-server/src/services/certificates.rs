//! Certificates of terminals: asked for with the device key, issued at enrolment and renewed before they end.
//!
//! A certificate only says which key a terminal has; whether the terminal may still send is looked up with each
//! request, so that nothing has to be called back. Refuses a request that the device key did not sign.
use domain::envelope::PublicKey;
use domain::ids::TerminalId;
use domain::wire::v1::Certified;

use super::terminals::{self, Terminal};
use super::{Context, audit};
use crate::authority::requested_key;
use crate::error::{ProblemCode, ServiceError};
use crate::store::Tx;

/// Checks that a certificate request is for this key and signed by it.
///
/// # Errors
/// [`ServiceError`] `certificate-request-malformed`.
pub fn check_request(csr: &[u8], key: &PublicKey) -> Result<(), ServiceError> {
    match requested_key(csr) {
        Ok(requested) if requested == *key => Ok(()),
        _ => Err(ProblemCode::CertificateRequestMalformed.into()),
    }
}

/// Issues a certificate for the key of a terminal and notes it.
///
/// # Errors
/// [`ServiceError`] if none can be made, or the store's.
pub fn issue(
    tx: &mut Tx<'_>,
    now_ms: i64,
    context: &Context,
    terminal: &Terminal,
) -> Result<Certified, ServiceError> {
    let certified = context.keys.authority.certify(&terminal.id, &terminal.public_key, now_ms);
    let certified = certified.map_err(|e| ServiceError::Inconsistent(format!("certificate: {e}")))?;
    tx.execute(
        "UPDATE terminal SET certificate_until_ms = $2 WHERE id = $1",
        &[terminal.id.as_str().into(), certified.expires_at_ms.into()],
    )?;
    let key = terminal.public_key.key_id();
    let event = audit::Event {
        actor: terminal.id.as_str(),
        event: "certificate.issued",
        subject: terminal.station.as_str(),
        object_digest: key.as_str(),
    };
    audit::append(tx, now_ms, event)?;
    Ok(certified)
}

/// Another certificate for an enrolled terminal. The signature of the request is the proof, so that a terminal whose
/// certificate has expired finds its way back by its device key.
///
/// # Errors
/// [`ServiceError`]: unknown, blocked, a request that does not hold, or the store's.
pub fn renew(
    tx: &mut Tx<'_>,
    now_ms: i64,
    context: &Context,
    (terminal, csr): (&TerminalId, &[u8]),
) -> Result<Certified, ServiceError> {
    let terminal = terminals::active(tx, terminal)?;
    check_request(csr, &terminal.public_key)?;
    issue(tx, now_ms, context, &terminal)
}
