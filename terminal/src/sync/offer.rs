//! Receipts shown to a centre that was restored: what it does not have is sent again, what nobody has is told.
use domain::ids::EnvelopeId;
use domain::wire::v1::OfferResponse;

use super::client::{Answer, offer_request};
use super::engine::{Engine, Pending, Step};
use super::transport::Request;
use crate::event::Event;
use crate::store::StoreError;

impl Engine {
    pub(super) fn begin_offer(&mut self, now_ms: i64) -> Result<Option<(Request, Pending)>, StoreError> {
        let Some(next) = self.store().next_offer()? else { return Ok(None) };
        fail::fail_point!("terminal::offer::before_exchange", |_| Err(StoreError::Full));
        Ok(Some((offer_request(next.document), Pending::Offer { now_ms, ids: next.ids })))
    }

    pub(super) fn finish_offer(
        &mut self,
        (now_ms, ids): (i64, &[EnvelopeId]),
        answer: Answer<OfferResponse>,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        match answer {
            Answer::Good(answer) => {
                // Of yet another centre: everything is shown once more.
                if !self.reached(now_ms, &answer.contact, step)?.0 {
                    let outcome = self.store().take_offer_answer(ids, &answer.lacking, now_ms)?;
                    if outcome.gone > 0 {
                        tracing::error!(
                            rows = outcome.gone,
                            "the restored centre lost submissions whose content was erased here: their receipts are all \
                             that is left"
                        );
                    }
                }
            }
            // An older centre cannot be asked, and one with another key does not know its receipts.
            Answer::Later { why, .. } if why.starts_with("404 ") => self.store().send_offers_again()?,
            Answer::Malformed(why) => {
                tracing::warn!(reason = %why, "the centre takes no receipts; what is still here is sent again");
                self.store().send_offers_again()?;
            }
            Answer::Later { retry_after_secs, reached, .. } => {
                self.failed(retry_after_secs, reached, step);
            }
            Answer::NotLetIn(why) => {
                tracing::error!(reason = %why, "the restored centre does not let this terminal in: it may have to be enrolled anew");
                self.slow_down(step);
            }
        }
        step.events.push(Event::Queue(self.store().queue_view()?));
        Ok(())
    }
}
