//! Heartbeats: how this terminal is, told from time to time, and at once when its catalogue changed; and the orders that
//! come back.
use domain::envelope::SignedDocument;
use domain::wire::v1::HeartbeatResponse;

use super::client::{Answer, heartbeat_request};
use super::engine::{Engine, Pending, Step};
use super::transport::Request;
use crate::event::Event;
use crate::store::{Activations, Store, StoreError};

/// A centre that takes no heartbeats, or not from here, is asked again after so many turns.
const LONG_TURNS: i64 = 60;
/// A heartbeat that was shed comes again as late as after so many failures.
const SHED_FAILURES: u32 = 6;

/// What was told last, and when the next one is due.
#[derive(Debug, Default)]
pub(super) struct Beats {
    told: Option<Activations>,
    next_ms: i64,
}

impl Engine {
    /// When the next heartbeat is due: now, if there is something new of the catalogue to tell.
    pub(super) fn next_beat_ms(&self, store: &Store, now_ms: i64) -> Result<i64, StoreError> {
        let furthest = now_ms.saturating_add(self.tuning.beat_every_ms.saturating_mul(LONG_TURNS));
        let next_ms = if self.beats.next_ms > furthest { 0 } else { self.beats.next_ms };
        let news = self.beats.told.is_some() && self.beats.told != Some(store.activations()?);
        Ok(if news { next_ms.min(now_ms) } else { next_ms })
    }

    pub(super) fn begin_beat(&mut self, now_ms: i64) -> Result<Option<(Request, Pending)>, StoreError> {
        let devices = self.devices.as_ref().map(|board| board.reports()).unwrap_or_default();
        let (document, telling) = {
            let mut store = self.store();
            (store.heartbeat(now_ms, devices)?, store.activations()?)
        };
        Ok(document.map(|document| (heartbeat_request(document), Pending::Beat { now_ms, telling })))
    }

    pub(super) fn finish_beat(
        &mut self,
        (now_ms, telling): (i64, Activations),
        answer: Answer<HeartbeatResponse>,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let (told, turns) = match answer {
            Answer::Good(heard) => {
                self.reached(now_ms, &heard.contact, step)?;
                self.take_order(heard.order.as_ref(), step);
                self.take_sealing_keys(heard.sealing_keys.as_ref());
                self.take_audit_head(heard.audit_head.as_ref(), now_ms);
                (Some(telling), 1)
            }
            // An older centre.
            Answer::Later { why, .. } if why.starts_with("404 ") => (Some(telling), LONG_TURNS),
            // The centre is there and has more urgent things to do: what else waits here is not put off.
            Answer::Later { retry_after_secs: Some(secs), reached: true, .. } => {
                let wait_ms = self.jittered_ms(SHED_FAILURES, Some(secs));
                self.beats.next_ms = now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
                return Ok(());
            }
            Answer::Later { retry_after_secs, reached, .. } => {
                self.failed(retry_after_secs, reached, step);
                return Ok(());
            }
            Answer::NotLetIn(why) | Answer::Malformed(why) => {
                tracing::warn!(reason = %why, "the centre does not hear this terminal");
                (Some(telling), LONG_TURNS)
            }
        };
        self.beats.told = told;
        self.beats.next_ms = now_ms.saturating_add(self.tuning.beat_every_ms.saturating_mul(turns));
        Ok(())
    }

    /// Keeps the end of the centre's audit chain. One that does not hold changes nothing.
    fn take_audit_head(&self, head: Option<&SignedDocument>, now_ms: i64) {
        let Some(head) = head else { return };
        if let Err(error) = self.store().take_audit_head(head, now_ms) {
            tracing::error!(error = &error as &dyn std::error::Error, "an audit head is refused");
        }
    }

    /// Keeps a list of sealing keys that is newer than the one before. One that does not hold changes nothing.
    fn take_sealing_keys(&self, keys: Option<&SignedDocument>) {
        let Some(keys) = keys else { return };
        if let Err(error) = self.store().take_sealing_keys(keys) {
            tracing::error!(error = &error as &dyn std::error::Error, "a list of sealing keys is refused");
        }
    }

    /// Keeps an order that is newer than the one before. One that does not hold changes nothing.
    pub(super) fn take_order(&self, order: Option<&SignedDocument>, step: &mut Step) {
        let Some(order) = order else { return };
        let (taken, withdrawn) = {
            let mut store = self.store();
            (store.take_order(order), store.withdrawn_items().unwrap_or_default())
        };
        match taken {
            Ok(true) => {
                step.events.push(Event::Withdrawn(withdrawn));
                self.ring_catalogue();
            }
            Ok(false) => {}
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "an order is refused"),
        }
    }
}
