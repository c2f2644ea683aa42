//! The desk's part in drafts: keeping, offering, opening and erasing them, and looking after what is only kept for a
//! time. None of it ever stands in the way of a form.
use std::sync::Arc;

use domain::applicant::Applicant;
use domain::catalogue::Catalogue;
use domain::ids::ItemCode;
use zeroize::Zeroizing;

use super::{Desk, OpenForm, random};
use crate::event::{Event, Unfinished};
use crate::model::{DraftLine, OpenedForm, Outage, SNAPSHOT_FORM, Snapshot, Standing};
use crate::store::{DraftError, DraftRow, NewDraft, StoreError};
use crate::trusted_time::Reading;
use crate::workers::EventSender;

impl Desk {
    /// Time passes: what was kept for a time is erased after it, and the screen hears how current the catalogue is.
    pub(super) fn look_around(&mut self, events: &EventSender) {
        self.hold_reserve(events);
        if let Err(error) = self.try_look_around(events) {
            tracing::error!(error = %error, "the desk could not look after its drafts and catalogues");
        }
    }

    /// Holds room for what may be handed in, before somebody begins. While there is none, nobody begins.
    fn hold_reserve(&mut self, events: &EventSender) {
        // Whoever fills in a form has the room that was held before; a terminal that is not enrolled takes nothing.
        if self.open.is_some() || !matches!(self.store().identity(), Ok(Some(_))) {
            return;
        }
        let held = self.store().hold_reserve();
        let full = matches!(held, Err(StoreError::Full));
        if let Err(error) = held {
            tracing::error!(error = %error, "no room could be held for submissions");
        }
        if full != self.no_room {
            self.no_room = full;
            events.send(Event::Outage(full.then_some(Outage::StoreFull)));
        }
    }

    fn try_look_around(&self, events: &EventSender) -> Result<(), StoreError> {
        let lived_ms = self.tell_time(events)?;
        let mut store = self.store();
        let erased = store.erase_old_drafts(lived_ms, self.keep_ms())?;
        if erased > 0 {
            tracing::info!(drafts = erased, "drafts were erased after their time");
        }
        let days = self.catalogue.policies.retention.receipt_days;
        let purged = store.purge_receipts(lived_ms, days)?;
        if purged > 0 {
            tracing::info!(slips = purged, "slips and receipts were removed after their time");
        }
        let mut in_use = vec![self.catalogue.version];
        in_use.extend(self.open.as_ref().map(|open| open.catalogue.version));
        store.sweep_catalogues(&in_use)?;
        let swept = store.sweep_pages(self.open.as_ref().map(|open| open.envelope_id))?;
        if swept > 0 {
            tracing::info!(pages = swept, "files of pages that are of no use any more were removed");
        }
        Ok(())
    }

    /// The time that this terminal has lived; the model hears what follows from the time.
    fn tell_time(&self, events: &EventSender) -> Result<i64, StoreError> {
        let told = self.store().tell_time(Reading::of(self.clock.as_ref()))?;
        let standing = Standing { unconfirmed_ms: told.unconfirmed_ms, calendar_ms: told.calendar_ms };
        events.send(Event::Standing(standing));
        Ok(told.lived_ms)
    }

    fn keep_ms(&self) -> i64 {
        i64::from(self.catalogue.policies.draft_hours) * 3_600_000
    }

    /// Tells which drafts this person has here.
    pub(super) fn find_drafts(&self, of: Box<Applicant>, events: &EventSender) {
        match self.drafts_of(&of, events) {
            Ok(lines) => {
                events.send(Event::Drafts { of, lines });
            }
            Err(error) => tracing::error!(error = %error, "drafts could not be looked for"),
        }
    }

    fn drafts_of(&self, of: &Applicant, events: &EventSender) -> Result<Vec<DraftLine>, StoreError> {
        let lived_ms = self.tell_time(events)?;
        self.store().erase_old_drafts(lived_ms, self.keep_ms())?;
        let rows = self.store().drafts_of(&of.id_number)?;
        Ok(rows.into_iter().filter_map(|row| self.line(row, lived_ms)).collect())
    }

    /// None for a draft whose version is not here or does not have its item: it cannot be gone on with.
    fn line(&self, row: DraftRow, lived_ms: i64) -> Option<DraftLine> {
        let catalogue = self.version(row.catalogue_version)?;
        let title = catalogue.entry(&row.item)?.title().clone();
        let age_ms = lived_ms.saturating_sub(row.written_ms);
        let left_ms = self.keep_ms().saturating_sub(age_ms);
        Some(DraftLine { item: row.item, title, age_ms, left_ms })
    }

    fn version(&self, version: u64) -> Option<Arc<Catalogue>> {
        if version == self.catalogue.version {
            return Some(Arc::clone(&self.catalogue));
        }
        let open = self.open.as_ref().map(|open| &open.catalogue);
        if let Some(catalogue) = open.filter(|catalogue| catalogue.version == version) {
            return Some(Arc::clone(catalogue));
        }
        let document = self.store().kept_catalogue(version).ok().flatten()?;
        Catalogue::from_document(&document.json).ok().map(Arc::new)
    }

    /// Keeps the open form. A disk that is full is told on the screen and stops nothing.
    pub(super) fn keep_draft(&self, unfinished: &Unfinished, events: &EventSender) {
        let Some(open) = &self.open else { return };
        let kept = self.try_keep(open, unfinished, events);
        if let Err(error) = &kept {
            tracing::warn!(error = %error, "a form could not be kept as a draft; it goes on without");
        }
        let kept = kept.is_ok();
        events.send(Event::DraftKept { envelope_id: open.envelope_id, kept });
        if kept {
            self.find_drafts(Box::new(unfinished.applicant.clone()), events);
        }
    }

    fn try_keep(
        &self,
        open: &OpenForm,
        unfinished: &Unfinished,
        events: &EventSender,
    ) -> Result<(), DraftError> {
        let content = serde_json::to_vec(&unfinished.snapshot).map_err(|_| StoreError::Value("draft"))?;
        let content = Zeroizing::new(content);
        let mut rng = random().ok_or(StoreError::Value("randomness"))?;
        let lived_ms = self.tell_time(events)?;
        let new = NewDraft {
            envelope_id: open.envelope_id,
            data_key: &open.data_key,
            id_number: &unfinished.applicant.id_number,
            item: &unfinished.item,
            catalogue_version: open.catalogue.version,
            content: &content,
        };
        self.store().keep_draft(&new, lived_ms, &mut rng)
    }

    /// Opens a draft and goes on under its id and data key.
    pub(super) fn open_draft(&mut self, applicant: &Applicant, item: ItemCode, events: &EventSender) {
        match self.try_open(applicant, &item) {
            Ok((open, snapshot)) => {
                let opened = OpenedForm {
                    item,
                    envelope_id: open.envelope_id,
                    catalogue: Arc::clone(&open.catalogue),
                    snapshot,
                };
                self.open = Some(open);
                events.send(Event::DraftOpened(Box::new(opened)));
            }
            Err(error) => {
                tracing::error!(error = %error, "a draft could not be opened");
                self.erase_draft(applicant, &item);
                events.send(Event::DraftLost { item });
            }
        }
    }

    fn try_open(&self, applicant: &Applicant, item: &ItemCode) -> Result<(OpenForm, Snapshot), DraftError> {
        let opened = self.store().open_draft(&applicant.id_number, item)?;
        let snapshot: Snapshot =
            serde_json::from_slice(&opened.content).map_err(|_| StoreError::Value("draft"))?;
        if snapshot.form != SNAPSHOT_FORM {
            return Err(StoreError::Value("draft of another form").into());
        }
        let catalogue = self.version(opened.catalogue_version).ok_or(StoreError::Value("draft version"))?;
        let open = OpenForm { envelope_id: opened.envelope_id, data_key: opened.data_key, catalogue };
        Ok((open, snapshot))
    }

    /// Erases a draft that the person does not want any more.
    pub(super) fn erase_draft(&self, applicant: &Applicant, item: &ItemCode) {
        let erased = self.store().erase_draft(&applicant.id_number, item);
        if let Err(error) = erased {
            tracing::error!(error = %error, "a draft could not be erased; it goes after its time");
        }
    }
}
