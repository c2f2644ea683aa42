//! `POST /api/v1/heartbeat`, and the rollout that goes on by it and by the clock.
use domain::envelope::{SignedDocument, SignedKind};
use domain::wire::v1::{Heartbeat, HeartbeatRequest, HeartbeatResponse};

use super::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::rollout::{self, Heard};
use crate::services::{audit_heads, receipt, sealing_keys, terminals};

/// Bytes of a heartbeat, at most.
const MAX_HEARTBEAT_BYTES: usize = 4_096;

impl Centre {
    /// `POST /api/v1/heartbeat`. Waits for the COMMIT.
    ///
    /// # Errors
    /// [`ServiceError`]: malformed, an unknown or blocked terminal, a wrong signature, or the store's.
    pub fn take_heartbeat(&self, request: &HeartbeatRequest) -> Result<HeartbeatResponse, ServiceError> {
        let heartbeat = heartbeat_in(&request.heartbeat)?;
        let sender = self.sender(&heartbeat.terminal, (SignedKind::Heartbeat, &request.heartbeat))?;
        let (now_ms, known, terminal) = (self.now_ms(), heartbeat.order, heartbeat.terminal.clone());
        let known_keys = heartbeat.sealing_keys;
        let heard = self.write(move |tx| {
            terminals::still_active(tx, &sender)?;
            rollout::hear(tx, now_ms, &heartbeat)
        })?;
        if heard == (Heard::New { moved: true }) {
            self.ring_all();
        }
        let own = &self.context.keys;
        let (order, keys, audit_head) = self.read(|tx| {
            let order = rollout::order_for(tx, &terminal, (known, now_ms))?;
            let keys = sealing_keys::list_after(tx, now_ms, known_keys, &own.sealing)?;
            Ok::<_, ServiceError>((order, keys, audit_heads::newest(tx)?))
        })?;
        Ok(HeartbeatResponse {
            order: order.map(|order| receipt::sign_order(&order, own)).transpose()?,
            sealing_keys: keys.map(|keys| receipt::sign_sealing_keys(&keys, own)).transpose()?,
            audit_head,
            contact: self.contact(),
        })
    }

    /// Lets a rollout go on or halt whose time has come; says whether it did.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub fn advance_rollout(&self) -> Result<bool, ServiceError> {
        let now_ms = self.now_ms();
        let moved = self.write(move |tx| rollout::advance(tx, now_ms))?;
        if moved {
            self.ring_all();
        }
        Ok(moved)
    }
}

/// The heartbeat in a document, not yet verified.
///
/// # Errors
/// [`ServiceError`] `malformed-request`.
pub fn heartbeat_in(document: &SignedDocument) -> Result<Heartbeat, ServiceError> {
    let malformed = |why: &str| ServiceError::refused(ProblemCode::MalformedRequest, why);
    if document.body.0.len() > MAX_HEARTBEAT_BYTES {
        return Err(malformed("the heartbeat is too long"));
    }
    serde_json::from_slice(&document.body.0).map_err(|_| malformed("the body is no heartbeat"))
}
