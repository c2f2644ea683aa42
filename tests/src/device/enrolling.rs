//! The enrolment call of a device, as it is answered.
use anyhow::Result;
use domain::envelope::{DeviceKey, SignedDocument};
use domain::ids::TerminalId;
use domain::wire::v1::EnrolRequest;
use terminal::sync::tls::certificate_request;

use super::JSON;
use crate::http::{self, Answer};
use crate::server::Server;
use crate::tls::{Caller, authority_of};

/// The enrolment call as it is answered.
///
/// # Errors
/// If the server cannot be reached.
pub fn enrol_raw(server: &Server, code: &str, key: &DeviceKey) -> Result<Answer> {
    enrol_showing(server, code, key, None)
}

/// The enrolment call of a device that shows who it was here, as it is answered.
///
/// # Errors
/// If the server cannot be reached.
pub fn enrol_showing(
    server: &Server,
    code: &str,
    key: &DeviceKey,
    returning: Option<SignedDocument>,
) -> Result<Answer> {
    enrol_as(server, code, key, (None, returning))
}

/// The enrolment call of a device that says as what it is enrolled, and may show it, as it is answered.
///
/// # Errors
/// If the server cannot be reached.
pub fn enrol_as(
    server: &Server,
    code: &str,
    key: &DeviceKey,
    (terminal, returning): (Option<TerminalId>, Option<SignedDocument>),
) -> Result<Answer> {
    let secure = server.terminals.starts_with("https://");
    let csr = if secure { Some(certificate_request(key)?) } else { None };
    let (code, software) = (code.to_owned(), "test 0.1".to_owned());
    let request = EnrolRequest { code, public_key: key.public(), software, csr, terminal, returning };
    let body = serde_json::to_vec(&request)?;
    if !secure {
        return http::post(&server.terminals, "/api/v1/enrol", &[JSON], &body);
    }
    let caller = Caller { authority: authority_of(server)?.certificate().to_vec(), shows: None };
    http::call_as(&caller, &server.terminals, ("POST", "/api/v1/enrol"), &[JSON], Some(&body))
}
