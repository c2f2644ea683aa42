//! Enrolment: a one-time code and the device's public key become a known terminal with a certificate.
//!
//! A terminal that is enrolled shows its centre who it is. A centre that was restored and has forgotten it takes it back
//! as the same, with series, numbers and rows; one that knows it says so, and uses no code.
use domain::enrolment::{Fingerprint, take_apart};
use domain::envelope::{PublicKey, SignedDocument, SignedKind, sign_document};
use domain::wire::v1::tuf::TUF_METADATA;
use domain::wire::v1::{EnrolRequest, EnrolResponse, Returning};

use super::catalogue_client::root_keys;
use super::client::{Answer, read_answer};
use super::tls::{certificate_request, key_of};
use super::transport::{Method, Request, Transport};
use crate::key_store::KeyStoreError;
use crate::store::{Identity, Store, StoreError};

/// What a centre answers that knows this terminal as it is.
const KNOWN: &str = "409 terminal-known";
/// What a centre answers that knows this device under another id.
const OTHERWISE: &str = "409 enrolled-otherwise";

/// Enrolment failed; nothing changed on this terminal.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// This data folder belongs to a terminal that this centre knows; or nobody could be asked, because the code came
    /// without the fingerprint of the centre.
    #[error("this terminal is enrolled already")]
    AlreadyEnrolled,
    /// The code cannot be one.
    #[error(
        "the code cannot be one: 12 letters and digits, and after a dot the 20 of the centre's fingerprint"
    )]
    Code,
    /// The code names a centre, and the address can show none. The code was told to nobody.
    #[error(
        "the code names its centre, and over http:// nobody can show who they are: use the https:// address of the centre; \
         nothing was sent (for a trial on this machine, with a server without TLS, type the 12 signs before the dot only)"
    )]
    Unproven,
    /// The server refused the code; the payload is its problem code.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The device key does not sign.
    #[error(transparent)]
    Key(#[from] KeyStoreError),
    /// The certificate in the answer is not for this key, or not of the centre whose fingerprint was typed.
    #[error("the centre's answer brings a certificate that does not fit")]
    Certificate,
    /// The centre knows this device under another id.
    #[error("the centre knows this device as another terminal: enrol it with a new folder (--data)")]
    OtherTerminal,
    /// The server could not be asked.
    #[error("the server could not be asked: {0}")]
    Unreachable(String),
    /// The answer could not be stored.
    #[error("the answer could not be stored")]
    Store(#[from] StoreError),
}

/// Enrols this terminal and keeps what the server answers. `code` is what was typed; if it names a centre, a certificate
/// is asked for, and the answer must bring one of that centre.
///
/// # Errors
/// [`EnrolError`]
pub fn enrol(store: &mut Store, transport: &mut dyn Transport, code: &str) -> Result<Identity, EnrolError> {
    let (code, centre) = take_apart(code).ok_or(EnrolError::Code)?;
    let known = store.identity()?;
    let returning = match &known {
        Some(known) if !is_new(known, centre.as_ref()) => {
            let shown = shown(store, known, (&code, centre.as_ref()));
            Some(shown.ok_or(EnrolError::AlreadyEnrolled)?)
        }
        _ => None,
    };
    let returns = returning.is_some();
    let request = EnrolRequest {
        code,
        terminal: known.as_ref().map(|known| known.terminal.clone()),
        returning,
        public_key: store.device_key().public(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        csr: centre.as_ref().map(|_| certificate_request(store.key_store().as_ref())).transpose()?,
    };
    let body = serde_json::to_vec(&request).map_err(|_| EnrolError::Code)?;
    let request = Request {
        method: Method::Post,
        path_and_query: "/api/v1/enrol".to_owned(),
        headers: Vec::new(),
        body: Some(body),
    };
    fail::fail_point!("terminal::enrol::before_exchange", |_| Err(EnrolError::Store(StoreError::Full)));
    match read_answer::<EnrolResponse>(transport.exchange(&request)) {
        Answer::Good(answer) => {
            if centre.as_ref().is_some_and(|centre| !fits(&answer, centre, &store.device_key().public())) {
                return Err(EnrolError::Certificate);
            }
            let identity = match known {
                None => store.save_enrolment(&answer)?,
                Some(known) if known.terminal != answer.terminal => return Err(EnrolError::OtherTerminal),
                Some(_) => store.save_return(&answer)?,
            };
            if let Some(Err(error)) = answer.order.as_ref().map(|order| store.take_order(order)) {
                // It comes again with the first news.
                tracing::warn!(error = &error as &dyn std::error::Error, "the first order is refused");
            }
            if let Some(Err(error)) = answer.sealing_keys.as_ref().map(|keys| store.take_sealing_keys(keys)) {
                // They come again with the first heartbeat.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the first sealing keys are refused"
                );
            }
            begin_trust(store, transport)?;
            Ok(identity)
        }
        Answer::Malformed(why) if returns && why == KNOWN => Err(EnrolError::AlreadyEnrolled),
        Answer::Malformed(why) if why == OTHERWISE => Err(EnrolError::OtherTerminal),
        Answer::NotLetIn(why) | Answer::Malformed(why) => Err(EnrolError::Refused(why)),
        Answer::Later { why, .. } => Err(EnrolError::Unreachable(why)),
    }
}

/// Whether a centre is typed that an enrolled terminal does not trust yet: it was enrolled before there were
/// certificates, or the centre has another authority now.
fn is_new(known: &Identity, centre: Option<&Fingerprint>) -> bool {
    let trusted = known.certified.as_ref().and_then(|certified| key_of(&certified.authority.0));
    centre.is_some_and(|centre| trusted.is_none_or(|trusted| Fingerprint::of(&trusted) != *centre))
}

/// What an enrolled terminal shows the centre that it trusts; nothing if the code names none, or it has no certificate to
/// show.
fn shown(
    store: &Store,
    known: &Identity,
    (code, centre): (&str, Option<&Fingerprint>),
) -> Option<SignedDocument> {
    centre?;
    let said = Returning {
        code: code.to_owned(),
        terminal: known.terminal.clone(),
        station: known.station.clone(),
        issuer: known.issuer,
        certificate: known.certified.as_ref()?.certificate.clone(),
    };
    Some(sign_document(SignedKind::Return, serde_json::to_vec(&said).ok()?, store.device_key()))
}

/// Whether the answer brings a certificate for this key, of the centre that was typed.
fn fits(answer: &EnrolResponse, centre: &Fingerprint, own: &PublicKey) -> bool {
    let Some(certified) = &answer.certified else { return false };
    let authority = key_of(&certified.authority.0);
    let of_centre = authority.is_some_and(|authority| Fingerprint::of(&authority) == *centre);
    of_centre && key_of(&certified.certificate.0).as_ref() == Some(own)
}

/// Takes the centre's first root, on the same faith as its other keys. Without one, or over a link that breaks now, a
/// technician can bring it later.
fn begin_trust(store: &mut Store, transport: &mut dyn Transport) -> Result<(), StoreError> {
    let request = Request {
        method: Method::Get,
        path_and_query: format!("{TUF_METADATA}1.root.json"),
        headers: Vec::new(),
        body: None,
    };
    let answer = transport.exchange(&request).ok().filter(|a| a.status == 200);
    let root = answer.and_then(|a| String::from_utf8(a.body).ok()).filter(|text| root_keys(text).is_ok());
    match root {
        Some(root) => store.begin_catalogue_trust(&root).map(|_| ()),
        None => {
            tracing::info!("the centre signs no catalogues yet");
            Ok(())
        }
    }
}
