//! A running terminal without its window: the model and the workers. The window and the tests drive this.
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::catalogue::Catalogue;
use hardware::device::Trouble;

use crate::assets::load_catalogue;
use crate::clock::{Clock, SystemClock};
use crate::command::Command;
use crate::config::Config;
use crate::devices::{Board, Supervisor};
use crate::equipment;
use crate::event::{CaptureJob, Event, Job, Take};
use crate::model::{Model, Outage, Screen};
use crate::store::{Store, StoreError};
use crate::sync::catalogue_client::{CatalogueClient, Staging, TufClient};
use crate::sync::http::HttpTransport;
use crate::sync::tls::Trust;
use crate::sync::transport::Transport;
use crate::sync::{Engine, Lane, Renewing, Tuning};
use crate::workers::{Devices, Parts, PrintShop, Renewal, Waker, Workers};

/// Between two ticks while somebody is here.
const TICK: Duration = Duration::from_secs(1);
/// While nobody is here and the page has a clock.
const SLOW_TICK: Duration = Duration::from_secs(10);
/// While the page shows nothing that time changes: every tick draws a frame.
const REST_TICK: Duration = Duration::from_secs(60);

/// A running terminal. Dropping it ends all workers.
pub struct Runtime {
    model: Model,
    events: Option<Receiver<Event>>,
    workers: Workers,
    clock: Arc<dyn Clock>,
    last_tick: Instant,
}

/// What a test or simulator puts in place of the real parts.
pub struct Outside {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The link to the centre; `None` uses HTTP to [`Config::server`].
    pub transport: Option<Box<dyn Transport>>,
    /// Where signed catalogues come from; `None` asks the same server, and nobody if `transport` stands in for it.
    pub catalogue: Option<Box<dyn CatalogueClient>>,
    /// How eager the sync is.
    pub tuning: Tuning,
    /// A program that stands before `scanimage` and makes it fail; `None` uses the real one.
    pub scanimage: Option<PathBuf>,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            transport: None,
            catalogue: None,
            tuning: Tuning::default(),
            scanimage: None,
        }
    }
}

impl Runtime {
    /// Starts a terminal. A missing reader, server or catalogue and an unusable store are states on the screen, not
    /// errors.
    pub fn start(config: &Config, waker: Box<dyn Fn() + Send + Sync>) -> Self {
        Self::start_with(config, waker, Outside::default())
    }

    /// Starts a terminal with other parts outside.
    pub fn start_with(config: &Config, waker: Box<dyn Fn() + Send + Sync>, outside: Outside) -> Self {
        let clock = outside.clock;
        let now_ms = clock.now_ms();
        let (mut store, mut outage) = match Store::open_or_put_aside(&config.data, now_ms) {
            Ok(store) => (Some(store), None),
            Err(error) => {
                tracing::error!(error = %error, "the store cannot be used");
                (None, Some(outage_of(&error)))
            }
        };
        let catalogue = Arc::new(choose_catalogue(config, store.as_mut(), now_ms));
        if outage.is_none() && catalogue.items.is_empty() {
            outage = Some(Outage::NoCatalogue);
        }
        let mut model = Model::new(Arc::clone(&catalogue), now_ms);
        let devices = Devices::of(config, outside.scanimage.as_deref());
        model.capture_devices = devices.there();
        begin(&mut model, store.as_mut(), outage);
        let board = Arc::new(Board::new(Arc::clone(&clock), equipment::kinds(config)));
        model.devices.list = board.view();
        let trust = store.as_mut().map_or(Trust::Nobody, |store| trust(store, &clock));
        let store = store.map(|s| Arc::new(Mutex::new(s)));
        // Whoever stands in for the link says by itself where catalogues come from.
        let real = outside.transport.is_none();
        let client = outside.catalogue.or_else(|| if real { catalogue_client(config, &trust) } else { None });
        let engine = |transport: Option<Box<dyn Transport>>, lane| {
            store.as_ref().zip(transport).map(|(store, transport)| {
                let engine = Engine::new(Arc::clone(store), transport, Arc::clone(&clock), seed());
                engine.with_tuning(outside.tuning).on_lane(lane).with_devices(Arc::clone(&board))
            })
        };
        // Whoever stands in for the link is asked by one engine, which does not wait.
        let (engine, listener) = match outside.transport {
            Some(transport) => (engine(Some(transport), Lane::All), None),
            None => {
                let sending = sending(config, &trust, store.as_ref(), &clock);
                (engine(sending, Lane::Send), engine(http(&config.server, &trust), Lane::News))
            }
        };
        let renewal = store.as_ref().zip(client).map(|(store, client)| Renewal {
            store: Arc::clone(store),
            client,
            staging: Staging::new(config.data.join("catalogue/staging")),
            clock: Arc::clone(&clock),
        });
        let around = (&catalogue, &clock, &board);
        let print_shop = store.as_ref().and_then(|store| PrintShop::of(config, store, around));
        let parts = Parts {
            store,
            print_shop,
            renewal,
            engine,
            listener,
            reader: equipment::reader(config, board.trace()),
            photos: equipment::photos(config),
            devices,
            supervisor: Supervisor::new(
                Arc::clone(&board),
                equipment::probes(config, outside.scanimage.as_deref()),
            ),
            board,
            catalogue,
            clock: Arc::clone(&clock),
            waker: Waker::from(waker),
        };
        let (workers, events) = Workers::start(parts);
        Self { model, events: Some(events), workers, clock, last_tick: Instant::now() }
    }

    /// What is on the screen.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Does what somebody asked at the screen.
    pub fn send(&mut self, command: Command) {
        self.catch_up();
        let jobs = self.model.command(command);
        self.give(jobs);
    }

    /// Takes in what the workers reported and the clock; true if anything may have changed.
    pub fn pump(&mut self) -> bool {
        let mut changed = false;
        while let Some(event) = self.events.as_ref().and_then(|e| e.try_recv().ok()) {
            self.catch_up();
            self.apply(event);
            changed = true;
        }
        if self.last_tick.elapsed() >= self.tick_every() {
            self.tick();
            changed = true;
        }
        changed
    }

    /// Waits for the next event or tick, at most this long.
    pub fn wait(&mut self, most: Duration) {
        let span = self.next_wake().min(most);
        match self.events.as_ref().map(|e| e.recv_timeout(span)) {
            Some(Ok(event)) => {
                self.catch_up();
                self.apply(event);
            }
            Some(Err(RecvTimeoutError::Timeout)) if self.next_wake().is_zero() => self.tick(),
            _ => {}
        }
    }

    /// How long nothing happens if nobody touches anything: when to look again.
    pub fn next_wake(&self) -> Duration {
        self.tick_every().saturating_sub(self.last_tick.elapsed())
    }

    fn tick_every(&self) -> Duration {
        match (&self.model.session, &self.model.screen) {
            (Some(_), _) => TICK,
            // A new catalogue waits for this moment.
            (None, Screen::Attract) if self.model.next_catalogue.is_some() => TICK,
            (None, Screen::Attract) => REST_TICK,
            (None, _) => SLOW_TICK,
        }
    }

    /// Something happens after a rest: what it starts must not begin in the past.
    fn catch_up(&mut self) {
        if self.last_tick.elapsed() >= TICK {
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.last_tick = Instant::now();
        let now_ms = self.clock.now_ms();
        self.apply(Event::Tick { now_ms });
    }

    fn apply(&mut self, event: Event) {
        let jobs = self.model.event(event);
        self.give(jobs);
    }

    /// What is not taken and somebody waits for is told at once; the answers are still there.
    fn give(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            let refusal = refusal(&job);
            if !self.workers.give(job)
                && let Some(refusal) = refusal
            {
                self.model.event(refusal);
            }
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Without a receiver no worker can wait at a full channel.
        self.events = None;
        self.workers.stop();
    }
}

/// What is told when nobody takes a job that somebody waits for.
fn refusal(job: &Job) -> Option<Event> {
    Some(match job {
        Job::Submit(_) => Event::SubmitFailed { key: "store" },
        Job::KeepPage(new) => Event::PageRefused { envelope_id: new.envelope_id, key: "store" },
        Job::Capture(CaptureJob::Take(Take { ticket, .. }) | CaptureJob::Cut { ticket, .. }) => {
            Event::TakingEnded { ticket: *ticket, failed: Some(Trouble::Busy.name()) }
        }
        _ => return None,
    })
}

/// Where this terminal stands, and whether it can take anything.
fn begin(model: &mut Model, store: Option<&mut Store>, outage: Option<Outage>) {
    let mut outage = outage;
    match store.as_ref().map(|store| store.identity()) {
        Some(Ok(Some(identity))) => {
            model.station = model.catalogue.stations.get(&identity.station).cloned();
            model.people_url = identity.people_url;
        }
        Some(Ok(None)) => outage = outage.or(Some(Outage::NotEnrolled)),
        Some(Err(_)) => outage = outage.or(Some(Outage::StoreCorrupt)),
        None => {}
    }
    model.outage = outage;
    if outage.is_some() {
        model.screen = Screen::OutOfService;
    }
    if let Some(store) = store {
        note_running(store, model);
    }
}

/// Notes which version serves, for heartbeats, and shows what the centre withdrew.
fn note_running(store: &mut Store, model: &mut Model) {
    let noted = store.note_running_catalogue(model.catalogue.version);
    match noted.and_then(|()| store.withdrawn_items()) {
        Ok(withdrawn) => model.withdraw(withdrawn),
        Err(error) => tracing::error!(error = %error, "the store says nothing of orders"),
    }
}

fn outage_of(error: &StoreError) -> Outage {
    match error {
        StoreError::Newer { .. } => Outage::StoreNewer,
        StoreError::Corrupt | StoreError::Value(_) => Outage::StoreCorrupt,
        StoreError::Key(_) => Outage::KeyLost,
        // Its words say: full, or cannot be written.
        StoreError::Full | StoreError::Io(_) | StoreError::Database(_) => Outage::StoreFull,
    }
}

/// The newest of the catalogue in the store and the one in the assets folder, which is kept in the store as well.
fn choose_catalogue(config: &Config, store: Option<&mut Store>, now_ms: i64) -> Catalogue {
    let shipped = load_catalogue(&config.assets)
        .inspect_err(
            |error| tracing::error!(error = %error, "the catalogue in the assets folder cannot be used"),
        )
        .ok();
    let Some(store) = store else { return shipped.unwrap_or_else(Model::empty_catalogue) };
    let newest = store.newest_catalogue().ok().flatten().map_or(0, |stored| stored.version);
    if let Some(catalogue) = shipped.as_ref().filter(|shipped| shipped.version >= newest)
        && let Err(error) = store.keep_catalogue(&catalogue.to_document(), now_ms)
    {
        tracing::error!(error = %error, "the catalogue could not be kept");
    }
    let stored = store.newest_catalogue().ok().flatten();
    match (shipped, stored) {
        (Some(shipped), Some(stored)) if stored.digest == shipped.to_document().digest => shipped,
        (shipped, Some(stored)) => match Catalogue::from_document(&stored.json) {
            Ok(catalogue) => catalogue,
            Err(_) => shipped.unwrap_or_else(Model::empty_catalogue),
        },
        (shipped, None) => shipped.unwrap_or_else(Model::empty_catalogue),
    }
}

/// Whom the links trust. A store that fails now is told when it is used.
fn trust(store: &mut Store, clock: &Arc<dyn Clock>) -> Trust {
    Trust::of(store, clock).unwrap_or_else(|error| {
        tracing::error!(error = %error, "the store says nothing of the centre");
        Trust::Nobody
    })
}

/// The link of the lane that sends. It renews the certificate for all links, since it is never long without a call.
fn sending(
    config: &Config,
    trust: &Trust,
    store: Option<&Arc<Mutex<Store>>>,
    clock: &Arc<dyn Clock>,
) -> Option<Box<dyn Transport>> {
    let link = http(&config.server, trust)?;
    let (Trust::Pinned(credentials), Some(store)) = (trust, store) else { return Some(link) };
    Some(Box::new(Renewing::new(link, credentials.clone(), Arc::clone(store), Arc::clone(clock))))
}

fn http(server: &str, trust: &Trust) -> Option<Box<dyn Transport>> {
    match HttpTransport::new(server, trust) {
        Ok(transport) => Some(Box::new(transport)),
        Err(error) => {
            tracing::error!(error = %error, "nothing will be sent");
            None
        }
    }
}

fn catalogue_client(config: &Config, trust: &Trust) -> Option<Box<dyn CatalogueClient>> {
    match TufClient::new(http(&config.server, trust)?, config.data.join("catalogue/look")) {
        Ok(client) => Some(Box::new(client)),
        Err(error) => {
            tracing::error!(error = %error, "no catalogue will be fetched");
            None
        }
    }
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("the system gives no randomness for the back-off");
    }
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use operator::log::LogFilter;
    use operator::settings::Setting as _;

    use super::*;
    use crate::clock::ManualClock;
    use crate::config::{
        CameraChoice, PagePrinterChoice, ReaderChoice, ReceiptPrinterChoice, ScannerChoice, ServerUrl,
        WindowSize,
    };
    use crate::model::TextSize;

    #[test]
    fn a_page_without_a_clock_rests_for_a_minute_and_a_visit_after_it_begins_now() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().join("data"),
            assets: std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets"),
            server: ServerUrl::read("http://127.0.0.1:9").unwrap(),
            reader: ReaderChoice::None,
            readers: None,
            photo_decoder: None,
            receipt_printer: ReceiptPrinterChoice(None),
            page_printer: PagePrinterChoice(None),
            scanner: ScannerChoice::None,
            camera: CameraChoice::None,
            mark: None,
            window: WindowSize::Fullscreen,
            log: LogFilter::default(),
        };
        let clock = Arc::new(ManualClock::at(1_800_000_000_000));
        let outside = Outside { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Outside::default() };
        let mut runtime = Runtime::start_with(&config, Box::new(|| {}), outside);
        assert!(runtime.next_wake() <= SLOW_TICK, "a page with a clock");
        runtime.model.outage = None;
        runtime.model.screen = Screen::Attract;
        assert!(runtime.next_wake() > REST_TICK / 2);
        clock.advance(50_000);
        runtime.last_tick -= TICK * 50;
        runtime.send(Command::Start(TextSize::Normal));
        assert_eq!(runtime.model.now_ms, clock.now_ms());
        assert_eq!(runtime.model.session.as_ref().map(|s| s.started_ms), Some(clock.now_ms()));
        assert!(runtime.next_wake() <= TICK);
    }
}
