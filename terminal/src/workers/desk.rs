//! The desk: does what the model asks of the store, one job after another. It alone holds the data key of an open
//! form.
mod drafts;
mod pages;
mod prints;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::applicant::Applicant;
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::form::{Facts, Form};
use domain::ids::EnvelopeId;
use domain::situation::form_for;
use domain::wire::v1::Person;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::EventSender;
use super::printer::PrintCall;
use crate::clock::Clock;
use crate::event::{Draft, Event, Job};
use crate::model::{Marks, SlipView};
use crate::store::{NewSubmission, QueuedSlip, Store, StoreError, SubmitError};

/// How often the desk looks after what is kept for a time, when nobody gives it work.
const LOOK_AROUND: Duration = Duration::from_secs(60);

/// Id, key and catalogue of the form that is open.
struct OpenForm {
    envelope_id: EnvelopeId,
    data_key: DataKey,
    catalogue: Arc<Catalogue>,
}

pub(super) struct Desk {
    store: Arc<Mutex<Store>>,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
    bell: SyncSender<()>,
    printer: SyncSender<PrintCall>,
    open: Option<OpenForm>,
    /// There was no room for the reserve at the last look, and the model was told.
    no_room: bool,
}

impl Desk {
    pub(super) fn new(
        store: Arc<Mutex<Store>>,
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
        (bell, printer): (SyncSender<()>, SyncSender<PrintCall>),
    ) -> Self {
        Self { store, catalogue, clock, bell, printer, open: None, no_room: false }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>, events: &EventSender) {
        self.report_queue(events);
        self.look_around(events);
        loop {
            let job = match jobs.recv_timeout(LOOK_AROUND) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.look_around(events);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match job {
                Job::StartForm => self.start_form(events),
                Job::Submit(draft) => self.submit(&draft, events),
                Job::LoadCases(applicant) => self.load_cases(applicant, events),
                // The assistance issue tells a bank employee; here it is on the screen and in the log.
                Job::CallStaff => tracing::info!("a citizen calls for staff"),
                Job::Print { kind, envelope_id, language } => {
                    self.print((kind, envelope_id), language, events);
                }
                Job::UseCatalogue(catalogue) => {
                    let _ = self.printer.try_send(PrintCall::UseCatalogue(Arc::clone(&catalogue)));
                    self.catalogue = catalogue;
                    self.look_around(events);
                }
                Job::FindDrafts(applicant) => self.find_drafts(applicant, events),
                Job::KeepDraft(unfinished) => self.keep_draft(&unfinished, events),
                Job::OpenDraft { applicant, item } => self.open_draft(&applicant, item, events),
                Job::EraseDraft { applicant, item } => self.erase_draft(&applicant, &item),
                Job::KeepPage(new) => self.keep_page(&new, events),
                Job::DropPage(envelope_id, hash) => self.drop_page(envelope_id, &hash),
                // They have threads of their own.
                Job::Capture(_) | Job::CheckDevices | Job::WatchDevices(_) => {}
                Job::Wipe => {
                    self.open = None;
                    self.nobody_waits();
                    self.look_around(events);
                }
            }
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_form(&self) -> Option<OpenForm> {
        let mut rng = random()?;
        Some(OpenForm {
            envelope_id: EnvelopeId::new(self.clock.now_ms(), &mut rng),
            data_key: DataKey::random(self.store().sealing_suite().ok()?, &mut rng),
            catalogue: Arc::clone(&self.catalogue),
        })
    }

    fn start_form(&mut self, events: &EventSender) {
        self.open = self.open_form();
        if let Some(open) = &self.open {
            events.send(Event::FormStarted { envelope_id: open.envelope_id });
        }
    }

    fn submit(&mut self, draft: &Draft, events: &EventSender) {
        match self.try_submit(draft) {
            Ok(slip) => {
                // The row is committed: the data key goes, the slip may be shown.
                self.open = None;
                fail::fail_point!("terminal::desk::before_slip");
                events.send(Event::Queued(Box::new(slip_view(slip, draft))));
                fail::fail_point!("terminal::desk::after_slip");
                self.report_queue(events);
                // A full bell rings already.
                let _ = self.bell.try_send(());
            }
            Err(key) => {
                events.send(Event::SubmitFailed { key });
            }
        }
    }

    fn try_submit(&mut self, draft: &Draft) -> Result<QueuedSlip, &'static str> {
        let now_ms = self.clock.now_ms();
        let open = self.open.as_ref().ok_or("seal")?;
        let entry = open.catalogue.entry(&draft.item).ok_or("content")?;
        let form = Form::compile(entry.form()).map_err(|_| "content")?;
        let form = form_for(&self.catalogue, entry, &form, Some(&draft.situation)).map_err(|_| "content")?;
        let facts = Facts::of_applicant(&draft.applicant, CivilDate::in_china(now_ms));
        let errors = form.validate_with(&draft.answers, &facts);
        if draft.catalogue_version != open.catalogue.version || !errors.is_empty() {
            return Err("content");
        }
        let mut rng = random().ok_or("seal")?;
        let new = NewSubmission {
            envelope_id: open.envelope_id,
            data_key: open.data_key.clone(),
            item: draft.item.clone(),
            catalogue_version: draft.catalogue_version,
            person: person(&draft.applicant),
            answers: &draft.answers,
            situation: Some(&draft.situation),
            now_ms,
            boot_ms: self.clock.boot_ms(),
        };
        let result = self.save(&new, &mut rng);
        result.map_err(|error| {
            tracing::error!(error = %error, "a submission could not be saved");
            error_key(&error)
        })
    }

    /// Saves; a full disk gets the room that is held for this.
    fn save(&self, new: &NewSubmission<'_>, rng: &mut ChaCha20Rng) -> Result<QueuedSlip, SubmitError> {
        let mut store = self.store();
        match store.submit(new.clone(), rng) {
            Err(SubmitError::Store(StoreError::Full)) if store.let_reserve_go() => {
                tracing::warn!("the disk is full: the reserve was used to save a submission");
                store.submit(new.clone(), rng)
            }
            other => other,
        }
    }

    fn load_cases(&self, applicant: Box<Applicant>, events: &EventSender) {
        let cases = self.store().my_slips(&applicant.id_number);
        match cases {
            Ok(cases) => {
                events.send(Event::Cases { applicant, cases });
            }
            Err(error) => tracing::error!(error = %error, "own cases could not be loaded"),
        }
    }

    fn report_queue(&self, events: &EventSender) {
        let queue = self.store().queue_view();
        match queue {
            Ok(queue) => {
                events.send(Event::Queue(queue));
            }
            Err(error) => tracing::error!(error = %error, "the queue could not be counted"),
        }
    }
}

fn random() -> Option<ChaCha20Rng> {
    let mut seed = [0; 32];
    match getrandom::fill(&mut seed) {
        Ok(()) => Some(ChaCha20Rng::from_seed(seed)),
        Err(error) => {
            tracing::error!(error = %error, "the system gives no randomness");
            None
        }
    }
}

fn person(applicant: &Applicant) -> Person {
    Person {
        source: applicant.source,
        name: applicant.name.clone(),
        id_number: applicant.id_number.clone(),
        sex: Some(applicant.sex),
        birth: applicant.birth,
        address: Some(applicant.address.clone()),
    }
}

fn slip_view(slip: QueuedSlip, draft: &Draft) -> SlipView {
    SlipView {
        envelope_id: slip.envelope_id,
        number: slip.number,
        corrected_from: None,
        item: draft.item.clone(),
        masked_name: String::new(),
        qr_url: slip.qr_url,
        marks: Marks { saved_ms: Some(slip.saved_ms), ..Marks::default() },
        state: None,
    }
}

/// Key of the words `submit.error.{key}`.
fn error_key(error: &SubmitError) -> &'static str {
    match error {
        SubmitError::NotEnrolled => "not_enrolled",
        SubmitError::NoNumberLeft => "no_number_left",
        SubmitError::TooLarge => "too_large",
        SubmitError::Sealing => "seal",
        SubmitError::Store(StoreError::Full) => "disk_full",
        SubmitError::Store(_) => "store",
    }
}
