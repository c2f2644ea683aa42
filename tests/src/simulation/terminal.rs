//! A terminal of a simulation: the real store on a simulated disk and the real sync engine, each life after the other.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::envelope::{DataKey, Digest};
use domain::form::Answers;
use domain::ids::{EnvelopeId, ServerEpoch};
use domain::wire::v1::BlobKind;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use terminal::clock::Clock as _;
use terminal::event::Event;
use terminal::store::{
    CapturedPage, DATABASE_FILE, NewSubmission, QueuedSlip, Store, SubmitError, count_aside,
};
use terminal::sync::transport::{Request, Response, Transport, TransportError, UploadAnswer, UploadCall};
use terminal::sync::{Engine, Tuning, enrol};

use super::citizen::application;
use super::clock::{MachineClock, Time};
use super::desk::{Printer, lay_card};
use super::disk::{Disk, End};
use super::form::answer_of;
use crate::device::ITEM;
use crate::history::{History, Op, PAGES_FOLDER, PagesOnDisk};

/// Every so many events the citizen looks at the slips.
const LOOKS_EVERY: u32 = 4;
/// A terminal asks for news as often as this in a simulation, and waits long: it is woken when its clock jumps.
const TUNING: Tuning = Tuning {
    backoff_base_ms: 1_000,
    backoff_cap_ms: 60_000,
    news_every_ms: 20 * 60_000,
    beat_every_ms: 2 * 3_600_000,
    longest_wait_ms: 3_600_000,
};

/// Engines of a simulation are asked in halves; nobody exchanges anything by this.
pub struct Nowhere;

impl Transport for Nowhere {
    fn upload(&mut self, _: &UploadCall) -> Result<UploadAnswer, TransportError> {
        Err(TransportError::Unreachable)
    }

    fn exchange(&mut self, _: &Request) -> Result<Response, TransportError> {
        Err(TransportError::Unreachable)
    }
}

/// What runs while a terminal is on.
pub struct Running {
    store: Arc<Mutex<Store>>,
    /// Its engine.
    pub engine: Engine,
}

impl Running {
    /// Its store.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps photographed pages of a form; those that the store takes.
    fn keep_pages(&self, form: (EnvelopeId, &DataKey), most: u8, rng: &mut ChaCha20Rng) -> Vec<CapturedPage> {
        if most > 0 {
            // As between two citizens: files whose content was erased go.
            let _ = self.store().sweep_pages(None);
        }
        let keep = |_| {
            let mut plain = vec![0; 40 + rng.next_u32() as usize % 400];
            rng.fill_bytes(&mut plain);
            self.store().keep_page(form, (BlobKind::Page, &plain), rng).ok()
        };
        (0..most).filter_map(keep).collect()
    }
}

/// A terminal.
pub struct SimulatedTerminal {
    /// Its name in logs and histories.
    pub name: String,
    /// Its place among all.
    pub place: usize,
    /// Its disk.
    pub disk: Disk,
    /// Its machine's clock.
    pub clock: Arc<MachineClock>,
    /// What runs, while it is on.
    pub running: Option<Running>,
    /// Raised whenever it is to be woken at another time; an older wake is void.
    pub turn: u64,
    /// The exchange whose answer is waited for.
    pub waits_for: Option<u64>,
    /// Exchanges so far.
    pub exchanges: u64,
    /// The newest exchange that arrived at the centre.
    pub arrived: u64,
    /// The catalogue that its citizens fill in.
    pub catalogue: u64,
    /// A copy of its disk, once there is one.
    pub copy: Option<PathBuf>,
    /// A bit of the next page turns.
    pub flips_next: bool,
    /// Its printer.
    pub printer: Printer,
    /// Its database after a bit of it turned, until the next start has seen it.
    pub damaged: Option<Vec<u8>>,
    /// Stores that lay aside at the last start.
    aside: usize,
    /// The first page of what was handed in last.
    pub captured: Option<Digest>,
    rng: ChaCha20Rng,
    handed_in: u32,
    events: u32,
    epoch: Option<ServerEpoch>,
}

/// What a citizen does besides handing in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Odd {
    /// The answers do not fit.
    pub bad: bool,
    /// Pressed twice.
    pub twice: bool,
    /// Filled in with this catalogue instead.
    pub catalogue: Option<u64>,
    /// So many pages are photographed.
    pub pages: u8,
    /// The card is lifted before this exchange, and laid down again.
    pub pulled_at: Option<u32>,
}

impl SimulatedTerminal {
    /// A new one on a disk; it does not run yet.
    pub fn new(name: String, place: usize, disk: Disk, time: Arc<Time>, seed: u64) -> Self {
        Self {
            name,
            place,
            disk,
            clock: Arc::new(MachineClock::new(time)),
            running: None,
            turn: 0,
            waits_for: None,
            exchanges: 0,
            arrived: 0,
            catalogue: crate::device::CATALOGUE,
            copy: None,
            flips_next: false,
            printer: Printer::default(),
            damaged: None,
            aside: 0,
            captured: None,
            rng: ChaCha20Rng::seed_from_u64(seed),
            handed_in: 0,
            events: 0,
            epoch: None,
        }
    }

    /// Starts it, as its program does; whether a damaged store was put aside.
    ///
    /// # Errors
    /// If its store cannot be opened.
    pub fn start(&mut self) -> Result<bool> {
        let random = self.next_random();
        let mut store = Store::open_or_put_aside_with(self.disk.folder(), self.clock.now_ms(), random)?;
        store.doubt_prints()?;
        // No form is open at a start; what stays behind takes room and nothing else.
        let _ = store.sweep_pages(None);
        let store = Arc::new(Mutex::new(store));
        let clock = self.clock.clone();
        let engine = Engine::new(store.clone(), Box::new(Nowhere), clock, self.rng.next_u64());
        self.running = Some(Running { store, engine: engine.with_tuning(TUNING) });
        let aside = count_aside(self.disk.folder());
        Ok(aside > std::mem::replace(&mut self.aside, aside))
    }

    fn next_random(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.rng.next_u64())
    }

    /// Enrols it with a code, over this transport.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn enrol(&mut self, code: &str, transport: &mut dyn Transport) -> Result<()> {
        let running = self.running.as_ref().context("it runs")?;
        enrol(&mut running.store(), transport, code)?;
        self.epoch = running.store().server_epoch()?;
        Ok(())
    }

    /// Stops it as an operator does: nothing is waited for.
    pub fn stop(&mut self) {
        self.running = None;
        self.waits_for = None;
    }

    /// Ends it as told; says how many writes were lost.
    ///
    /// # Errors
    /// If its files cannot be read or written.
    pub fn end(&mut self, end: End) -> Result<usize> {
        self.disk.die();
        self.stop();
        self.clock.restart();
        self.disk.revive(end)
    }

    /// A citizen hands in one application; says what became of it, if the terminal is on and can seal.
    ///
    /// # Errors
    /// If a card was read as another one.
    pub fn hand_in(
        &mut self,
        odd: Odd,
        history: &mut History,
    ) -> Result<Option<Result<QueuedSlip, SubmitError>>> {
        let now_ms = self.clock.now_ms();
        let mut rng = self.next_random();
        let Some(running) = self.running.as_ref() else { return Ok(None) };
        self.handed_in += 1;
        let mut application = application(now_ms, self.place, self.handed_in);
        lay_card(&mut application.applicant, odd.pulled_at)?;
        let id = EnvelopeId::new(now_ms, &mut rng);
        history.note_at(&self.name, now_ms, Op::Created { id });
        let Ok(suite) = running.store().sealing_suite() else { return Ok(None) };
        let data_key = DataKey::random(suite, &mut rng);
        let pages = running.keep_pages((id, &data_key), odd.pages, &mut rng);
        self.captured = pages.first().map(|p| p.digest);
        let mut answers = if odd.bad { Answers::default() } else { Answers::from_map(application.answers) };
        if !pages.is_empty() {
            let (field, value) = answer_of(&pages);
            answers.set(field, value);
            let digests = pages.iter().map(|p| p.digest).collect();
            history.note_at(&self.name, now_ms, Op::Pages { id, digests });
        }
        let catalogue_version = odd.catalogue.unwrap_or(self.catalogue);
        let press = |rng: &mut ChaCha20Rng| {
            let new = NewSubmission {
                envelope_id: id,
                data_key: data_key.clone(),
                item: ITEM.parse().map_err(|_| SubmitError::Sealing)?,
                catalogue_version,
                person: application.applicant.clone(),
                answers: &answers,
                situation: application.situation.as_ref(),
                now_ms,
                boot_ms: self.clock.boot_ms(),
            };
            running.store().submit(new, rng)
        };
        let mut saved = press(&mut rng);
        self.note_slip(&saved, id, history);
        if (odd.twice || saved.is_err()) && !self.disk.is_dead() {
            saved = press(&mut rng);
            self.note_slip(&saved, id, history);
        }
        Ok(Some(saved))
    }

    /// What a citizen sees after pressing; nothing if the terminal ended meanwhile.
    fn note_slip(&self, saved: &Result<QueuedSlip, SubmitError>, id: EnvelopeId, history: &mut History) {
        let op = match saved {
            _ if self.disk.is_dead() => return,
            Ok(slip) => Op::Slip { id, number: slip.number.clone(), digest: slip.digest },
            Err(e) => Op::Refused { id, why: e.to_string() },
        };
        history.note_at(&self.name, self.clock.now_ms(), op);
    }

    /// Takes what its engine reports into the history.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn hear(&mut self, events: Vec<Event>, history: &mut History) -> Result<()> {
        let Some(running) = &self.running else { return Ok(()) };
        let now_ms = self.clock.now_ms();
        let epoch = running.store().server_epoch()?;
        if epoch != self.epoch {
            self.epoch = epoch;
            history.note_at(&self.name, now_ms, Op::NewEpoch);
        }
        let mut look = false;
        for event in events {
            match event {
                Event::Delivered { envelope_id, .. } => {
                    history.note_at(&self.name, now_ms, Op::Acked { id: envelope_id });
                }
                Event::CaseChanged { .. } => {}
                _ => continue,
            }
            self.events += 1;
            look |= self.events.is_multiple_of(LOOKS_EVERY);
        }
        if look {
            let person = application(now_ms, self.place, self.handed_in).applicant.id_number;
            for line in running.store().my_slips(&person)? {
                let m = &line.marks;
                let marks = [m.saved_ms, m.delivered_ms, m.accepted_ms, m.completed_ms];
                let marks = u8::try_from(marks.iter().flatten().count())?;
                let (number, state): (_, Option<CaseState>) = (line.number, line.state);
                history.note_at(&self.name, now_ms, Op::Seen { number, state, marks });
            }
        }
        Ok(())
    }

    /// Rows that wait; none if it is off or cannot be asked.
    pub fn waiting(&self) -> Option<u64> {
        Some(self.running.as_ref()?.store().queue_view().ok()?.waiting)
    }

    /// Pages that wait to be sent, but for those that wait for a person. None if it is off.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn pages_waiting(&self) -> Result<Option<usize>> {
        let Some(running) = &self.running else { return Ok(None) };
        if running.store().next_page_ms(self.clock.now_ms())?.is_none() {
            return Ok(Some(0));
        }
        let pages = PagesOnDisk::read(&self.name, self.disk.folder())?;
        Ok(Some(pages.waiting().filter(|page| !page.needs_a_person()).count()))
    }

    /// Whether it is enrolled; none while it is off.
    pub fn is_enrolled(&self) -> Option<bool> {
        Some(self.running.as_ref()?.store().identity().is_ok_and(|identity| identity.is_some()))
    }

    /// Copies its disk: the store and the pages as they lie there, and its key.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn copy_to(&self, folder: &Path) -> Result<()> {
        self.disk.copy_to(DATABASE_FILE, folder)?;
        replace_pages(self.disk.folder(), folder)?;
        let key = terminal::store::KEY_FILE;
        std::fs::copy(self.disk.folder().join(key), folder.join(key)).context("the key")?;
        Ok(())
    }

    /// Sets its store back to its copy; it does not run meanwhile. False if there is none.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn set_back(&mut self) -> Result<bool> {
        let Some(copy) = self.copy.take() else { return Ok(false) };
        self.stop();
        self.disk.restore_from(DATABASE_FILE, &copy)?;
        replace_pages(&copy, self.disk.folder())?;
        Ok(true)
    }

    /// Goes on as the copy of another one: same people, other randomness.
    pub fn follow(&mut self, other: &Self) {
        self.handed_in = other.handed_in;
        self.epoch = other.epoch;
        self.catalogue = other.catalogue;
    }
}

/// Has a data folder hold the files of pages that another one holds, and no others.
fn replace_pages(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (from.join(PAGES_FOLDER), to.join(PAGES_FOLDER));
    if to.exists() {
        std::fs::remove_dir_all(&to)?;
    }
    if !from.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&to)?;
    for entry in std::fs::read_dir(&from)? {
        let name = entry?.file_name();
        std::fs::copy(from.join(&name), to.join(&name))?;
    }
    Ok(())
}
