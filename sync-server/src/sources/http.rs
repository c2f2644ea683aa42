//! A source over HTTP/1.1 with JSON, at an address of this machine: one POST, one answer, bounded in time and size.
//!
//! Follows no redirect, knows no proxy but the one that it is sent to, and refuses pieces (`chunked`) and everything but 200.
use serde::Deserialize;

use super::{Adapter, MAX_ANSWER_BYTES, Request};
use crate::loopback_http::{Ask, exchange};

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
        let body = zeroize::Zeroizing::new(serde_json::to_vec(request).ok()?);
        let ask = Ask { method: "POST", path: &self.path, body: &body, most: MAX_ANSWER_BYTES };
        let (status, answer) = exchange(self.address.parse().ok()?, ask)?;
        Some(answer).filter(|_| status == 200)
    }
}
