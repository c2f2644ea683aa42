//! Threads beside the window: reader, capture, desk, printer, sync, news, catalogue and devices. They talk through
//! bounded channels and end when they are told.
mod capture;
mod catalogue;
mod desk;
mod devices;
pub(crate) mod printer;
mod reader;
mod sync;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::catalogue::Catalogue;
use hardware::card_reader::CardReader;
use hardware::photo::PhotoDecoder;

pub(crate) use capture::Devices;
use capture::Orders;
pub(crate) use catalogue::Renewal;
pub(crate) use printer::PrintShop;

use crate::clock::Clock;
use crate::devices::{Board, Supervisor};
use crate::event::{CaptureJob, Event, Job};
use crate::store::Store;
use crate::sync::Engine;
use crate::sync::transport::HangUp;

/// Events and jobs that wait at most.
const CHANNEL_SIZE: usize = 256;
/// Calls for the printer's thread that wait at most.
const PRINT_CALLS: usize = 8;
/// How long the end of the threads is waited for.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What wakes the window when an event waits.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Sends events to the model and wakes the window.
#[derive(Clone)]
pub(crate) struct EventSender {
    sender: SyncSender<Event>,
    waker: Waker,
}

impl EventSender {
    /// Sends; false if the window is gone.
    pub(crate) fn send(&self, event: Event) -> bool {
        let sent = self.sender.send(event).is_ok();
        (self.waker)();
        sent
    }
}

/// What the workers need.
pub(crate) struct Parts {
    pub(crate) store: Option<Arc<Mutex<Store>>>,
    pub(crate) engine: Option<Engine>,
    /// A second engine, which waits at the centre for news.
    pub(crate) listener: Option<Engine>,
    pub(crate) renewal: Option<Renewal>,
    pub(crate) reader: Option<Box<dyn CardReader>>,
    pub(crate) photos: Box<dyn PhotoDecoder>,
    /// Where all threads note how their devices are, and who looks after them.
    pub(crate) board: Arc<Board>,
    pub(crate) supervisor: Supervisor,
    /// None without a printer.
    pub(crate) print_shop: Option<PrintShop>,
    pub(crate) devices: Devices,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) waker: Waker,
}

/// The running workers; dropping ends them.
pub(crate) struct Workers {
    jobs: Option<SyncSender<Job>>,
    board: Arc<Board>,
    /// Asks the supervisor for a round now.
    device_bell: SyncSender<()>,
    /// Orders for scanner and camera; none if there are neither.
    capture: Option<Orders>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// Breaks off the wait for news.
    hang_up: Option<HangUp>,
    /// Closed when the last thread has ended.
    running: Receiver<()>,
}

impl Workers {
    /// Starts the threads.
    pub(crate) fn start(parts: Parts) -> (Self, Receiver<Event>) {
        let (event_sender, events) = sync_channel(CHANNEL_SIZE);
        let (jobs, job_receiver) = sync_channel(CHANNEL_SIZE);
        let (bell, bell_receiver) = sync_channel(1);
        let events_out = EventSender { sender: event_sender, waker: parts.waker };
        let stop = Arc::new(AtomicBool::new(false));
        let (alive, running) = sync_channel(0);
        let mut threads = Vec::new();
        if let Some(reader) = parts.reader {
            let (events, stop, board) = (events_out.clone(), Arc::clone(&stop), Arc::clone(&parts.board));
            threads.extend(spawn("reader", &alive, move || {
                reader::run(reader, parts.photos.as_ref(), (&events, &board), &stop);
            }));
        }
        let (device_bell, device_rung) = sync_channel(1);
        {
            let (supervisor, events, stop) = (parts.supervisor, events_out.clone(), Arc::clone(&stop));
            threads.extend(spawn("devices", &alive, move || {
                devices::run(supervisor, &device_rung, &events, &stop);
            }));
        }
        let capture = parts.devices.there().any().then(|| {
            let (capture, orders, round) = Orders::new();
            let (devices, events, board) = (parts.devices, events_out.clone(), Arc::clone(&parts.board));
            threads.extend(spawn("capture", &alive, move || {
                capture::run(devices, &orders, &round, (&events, &board));
            }));
            capture
        });
        let (catalogue_bell, catalogue_rung) = sync_channel(1);
        if let Some(renewal) = parts.renewal {
            let (events, stop, sync) = (events_out.clone(), Arc::clone(&stop), bell.clone());
            threads.extend(spawn("catalogue", &alive, move || {
                catalogue::run(renewal, (&catalogue_rung, &sync), &events, &stop);
            }));
        }
        let hang_up = parts.listener.as_ref().and_then(Engine::hang_up);
        if let Some(listener) = parts.listener {
            let listener = listener.with_catalogue_bell(catalogue_bell.clone());
            let (events, stop) = (events_out.clone(), Arc::clone(&stop));
            threads.extend(spawn("news", &alive, move || {
                // Nobody rings here: it is woken by the centre.
                let (_never, unrung) = sync_channel(1);
                sync::run(listener, &unrung, &events, &stop);
            }));
        }
        if let Some(engine) = parts.engine {
            let engine = engine.with_catalogue_bell(catalogue_bell);
            let (events, stop) = (events_out.clone(), Arc::clone(&stop));
            threads.extend(spawn("sync", &alive, move || sync::run(engine, &bell_receiver, &events, &stop)));
        }
        let (print_bell, print_calls) = sync_channel(PRINT_CALLS);
        if let Some(shop) = parts.print_shop {
            let (events, stop) = (events_out.clone(), Arc::clone(&stop));
            threads
                .extend(spawn("printer", &alive, move || printer::run(shop, &print_calls, &events, &stop)));
        }
        if let Some(store) = parts.store {
            let desk = desk::Desk::new(store, parts.catalogue, parts.clock, (bell, print_bell));
            threads.extend(spawn("desk", &alive, move || desk.run(&job_receiver, &events_out)));
        }
        let workers = Self {
            jobs: Some(jobs),
            board: parts.board,
            device_bell,
            capture,
            stop,
            threads,
            hang_up,
            running,
        };
        (workers, events)
    }

    /// Gives a job to the desk, or to the supervisor of the devices, without ever waiting for it; false if it could not be taken (no desk, or it has more
    /// to do than a person can ask for).
    pub(crate) fn give(&self, job: Job) -> bool {
        match job {
            Job::CheckDevices => self.board.check_all_soon(),
            Job::WatchDevices(on) => self.board.watch_trace(on),
            Job::Capture(job) => return self.capture.as_ref().is_some_and(|capture| capture.give(job)),
            job => return self.give_to_desk(job),
        }
        // A full bell rings already.
        let _ = self.device_bell.try_send(());
        true
    }

    fn give_to_desk(&self, job: Job) -> bool {
        // The visit is over: no picture of it stays.
        if let (Job::Wipe, Some(capture)) = (&job, &self.capture) {
            capture.give(CaptureJob::Stop);
        }
        let given = self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok());
        if !given {
            tracing::warn!("the desk took no job");
        }
        given
    }

    /// Tells all threads to end and waits for them, but not for a link that does not answer: that thread is left to
    /// end by itself (a send is repeatable). The event receiver must be dropped before.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.jobs = None;
        self.capture = None;
        if let Some(hang_up) = self.hang_up.take() {
            hang_up();
        }
        // Nothing is ever sent: this returns early when the last thread is gone.
        let all_ended = self.running.recv_timeout(END_WITHIN) == Err(RecvTimeoutError::Disconnected);
        for thread in self.threads.drain(..) {
            if !all_ended && !thread.is_finished() {
                tracing::warn!(
                    worker = thread.thread().name(),
                    "a worker still waits for its device or the link"
                );
            } else if thread.join().is_err() {
                tracing::error!("a worker ended by a panic");
            }
        }
    }
}

fn spawn(name: &str, alive: &SyncSender<()>, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let alive = alive.clone();
    let work = move || {
        // Dropped at the end of the thread, also by a panic.
        let _alive = alive;
        work();
    };
    match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(thread) => Some(thread),
        Err(error) => {
            tracing::error!(error = %error, worker = name, "a worker could not be started");
            None
        }
    }
}
