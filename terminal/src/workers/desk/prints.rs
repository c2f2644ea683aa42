//! The desk's part in printing: a wish becomes a row of the queue, and the printer's thread is rung for.
use domain::ids::EnvelopeId;
use domain::text::Language;

use super::Desk;
use crate::event::Event;
use crate::model::{PrintKind, PrintStep};
use crate::workers::EventSender;
use crate::workers::printer::PrintCall;

impl Desk {
    /// Puts the paper of a slip into the queue.
    pub(super) fn print(
        &self,
        (kind, envelope_id): (PrintKind, EnvelopeId),
        language: Language,
        events: &EventSender,
    ) {
        let now_ms = self.clock.now_ms();
        // Told before anybody else gets the store: a paper that ends meanwhile is told behind it, never before.
        let mut store = self.store();
        let queued = store.queue_print((kind, envelope_id), language, now_ms);
        let (kind, step) = queued.unwrap_or_else(|error| {
            tracing::error!(error = %error, "a paper could not be queued");
            (kind, PrintStep::Failed(None))
        });
        events.send(Event::Print { envelope_id, kind, step });
        drop(store);
        // A full bell rings already.
        let _ = self.printer.try_send(PrintCall::Look);
    }

    /// The citizen has left.
    pub(super) fn nobody_waits(&self) {
        if let Err(error) = self.store().nobody_waits() {
            tracing::error!(error = %error, "the print queue cannot be used");
        }
    }
}
