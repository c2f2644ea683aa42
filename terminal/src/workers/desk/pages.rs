//! The desk's part in pages: it alone holds the data key of the open form, so it seals them.
//!
//! Refuses a page of another form than the open one: that visit is over.
use domain::envelope::Digest;
use domain::ids::EnvelopeId;

use super::{Desk, random};
use crate::event::{Event, KeptPage, NewPage};
use crate::store::{PageError, StoreError};
use crate::workers::EventSender;

impl Desk {
    /// Seals a page of the open form and keeps it.
    pub(super) fn keep_page(&mut self, new: &NewPage, events: &EventSender) {
        let envelope_id = new.envelope_id;
        match self.try_keep_page(new) {
            Ok(Some(kept)) => {
                events.send(Event::PageKept(Box::new(kept)));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %error, "a page could not be kept");
                events.send(Event::PageRefused { envelope_id, key: key_of(&error) });
            }
        }
    }

    fn try_keep_page(&self, new: &NewPage) -> Result<Option<KeptPage>, PageError> {
        let open = self.open.as_ref().filter(|open| open.envelope_id == new.envelope_id);
        let Some(open) = open else { return Ok(None) };
        let mut rng = random().ok_or(PageError::Sealing)?;
        let form = (open.envelope_id, &open.data_key);
        let kept = self.store().keep_page(form, (new.kind.clone(), &new.page.jpeg), &mut rng)?;
        Ok(Some(KeptPage {
            envelope_id: new.envelope_id,
            key: new.key.clone(),
            hash: kept.digest.to_string(),
            bytes: kept.bytes,
            findings: new.page.findings.clone(),
        }))
    }

    /// Forgets a page of the open form; one that stays by mistake goes at the next look around.
    pub(super) fn drop_page(&self, envelope_id: EnvelopeId, hash: &str) {
        let Ok(digest) = hash.parse::<Digest>() else { return };
        let dropped = self.store().drop_page(envelope_id, &digest);
        if let Err(error) = dropped {
            tracing::error!(error = %error, "a page could not be removed; it goes later");
        }
    }
}

/// Key of the words `capture.failed.{key}`.
fn key_of(error: &PageError) -> &'static str {
    match error {
        PageError::Size => "size",
        PageError::TooMany => "too_many",
        PageError::NoRoom | PageError::Store(StoreError::Full) => "no_room",
        PageError::Sealing | PageError::Store(_) => "store",
    }
}
