//! The call with a batch of envelopes, as it is answered.
use anyhow::Result;
use domain::wire::v1::{EnvelopeBatch, EnvelopeUpload};

use super::JSON;
use crate::http::{self, Answer};
use crate::server::Server;
use crate::tls::Caller;

/// A batch as it is answered.
///
/// # Errors
/// If the server cannot be reached.
pub fn send_raw(server: &Server, envelopes: &[EnvelopeUpload]) -> Result<Answer> {
    http::post(&server.terminals, ENVELOPES, &PACKED_JSON, &packed(envelopes)?)
}

/// A batch over TLS as it is answered.
///
/// # Errors
/// If the server cannot be reached.
pub fn send_as(caller: &Caller, server: &Server, envelopes: &[EnvelopeUpload]) -> Result<Answer> {
    http::call_as(caller, &server.terminals, ("POST", ENVELOPES), &PACKED_JSON, Some(&packed(envelopes)?))
}

const ENVELOPES: &str = "/api/v1/envelopes";
const PACKED_JSON: [(&str, &str); 2] = [JSON, ("content-encoding", "zstd")];

fn packed(envelopes: &[EnvelopeUpload]) -> Result<Vec<u8>> {
    let batch = serde_json::to_vec(&EnvelopeBatch { envelopes: envelopes.to_vec() })?;
    Ok(zstd::encode_all(batch.as_slice(), 3)?)
}
