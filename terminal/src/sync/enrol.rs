//! Enrolment: a one-time code and the device's public key become a known terminal.
use domain::wire::v1::tuf::TUF_METADATA;
use domain::wire::v1::{EnrolRequest, EnrolResponse};

use super::catalogue_client::root_keys;
use super::client::{Answer, read_answer};
use super::transport::{Method, Request, Transport};
use crate::store::{Identity, Store, StoreError};

/// The longest code that is sent.
const MAX_CODE_CHARS: usize = 64;

/// Enrolment failed; nothing changed on this terminal.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// This data folder belongs to an enrolled terminal already.
    #[error("this terminal is enrolled already")]
    AlreadyEnrolled,
    /// The code is empty or too long.
    #[error("the code is empty or too long")]
    Code,
    /// The server refused the code; the payload is its problem code.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The server could not be asked.
    #[error("the server could not be asked: {0}")]
    Unreachable(String),
    /// The answer could not be stored.
    #[error("the answer could not be stored")]
    Store(#[from] StoreError),
}

/// Enrols this terminal and keeps what the server answers.
///
/// # Errors
/// [`EnrolError`]
pub fn enrol(store: &mut Store, transport: &mut dyn Transport, code: &str) -> Result<Identity, EnrolError> {
    let code = code.trim();
    if code.is_empty() || code.chars().count() > MAX_CODE_CHARS {
        return Err(EnrolError::Code);
    }
    if store.identity()?.is_some() {
        return Err(EnrolError::AlreadyEnrolled);
    }
    let request = EnrolRequest {
        code: code.to_owned(),
        public_key: store.device_key().public(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
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
            let identity = store.save_enrolment(&answer)?;
            if let Some(Err(error)) = answer.order.as_ref().map(|order| store.take_order(order)) {
                // It comes again with the first news.
                tracing::warn!(error = &error as &dyn std::error::Error, "the first order is refused");
            }
            begin_trust(store, transport)?;
            Ok(identity)
        }
        Answer::NotLetIn(why) | Answer::Malformed(why) => Err(EnrolError::Refused(why)),
        Answer::Later { why, .. } => Err(EnrolError::Unreachable(why)),
    }
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
