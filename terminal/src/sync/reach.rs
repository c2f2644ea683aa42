//! Asking the server whether it is there and what time it is, for the doctor.
use domain::wire::v1::Contact;
use serde::Deserialize;

use super::client::{Answer, read_answer};
use super::transport::{Method, Request, Transport};

/// What a server that answers says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// Version of its program.
    pub version: String,
    /// Its clock, milliseconds since 1970.
    pub server_time_ms: i64,
}

/// The part of `GET /healthz` that is read here.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Health {
    version: String,
    contact: Contact,
}

/// Asks a server.
///
/// # Errors
/// Words for a technician, if it cannot be reached or is no sync server.
pub fn reach(transport: &mut dyn Transport) -> Result<Reachable, String> {
    let request = Request {
        method: Method::Get,
        path_and_query: "/healthz".to_owned(),
        headers: Vec::new(),
        body: None,
    };
    match read_answer::<Health>(transport.exchange(&request)) {
        Answer::Good(health) => {
            // Whoever answers may not be our server: its words are not trusted on a console.
            let version = health.version.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
            Ok(Reachable { version, server_time_ms: health.contact.server_time_ms })
        }
        Answer::Later { why, .. } | Answer::NotLetIn(why) | Answer::Malformed(why) => Err(why),
    }
}
