//! A source over HTTP/1.1 with JSON, at an address of this machine: one POST, one answer, bounded in time and size.
use serde::Deserialize;

use super::{Adapter, Request};
use crate::loopback;

/// Where it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// IP and port.
    pub address: String,
    /// Path, which begins with `/`.
    pub path: String,
}

impl Adapter for Http {
    fn ask(&self, request: &Request) -> Option<Vec<u8>> {
        self.post(&zeroize::Zeroizing::new(serde_json::to_vec(request).ok()?))
    }
}

impl Http {
    /// Sends a body of JSON and gives the body of the answer; nothing if there is none with status 200 in time.
    pub fn post(&self, body: &[u8]) -> Option<Vec<u8>> {
        loopback::post(&self.address, &self.path, &[], body).map(|answer| answer.body)
    }
}
