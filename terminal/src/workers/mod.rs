//! Threads beside the window: reader, desk, sync, news and catalogue. They talk through bounded channels and end when they are told.
mod catalogue;
mod desk;
mod reader;
mod sync;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::catalogue::Catalogue;
use hardware::card_reader::CardReader;

pub(crate) use catalogue::Renewal;

use crate::clock::Clock;
use crate::event::{Event, Job};
use crate::store::Store;
use crate::sync::Engine;
use crate::sync::transport::HangUp;

/// Events and jobs that wait at most.
const CHANNEL_SIZE: usize = 256;
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
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) waker: Waker,
}

/// The running workers; dropping ends them.
pub(crate) struct Workers {
    jobs: Option<SyncSender<Job>>,
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
            let (events, stop) = (events_out.clone(), Arc::clone(&stop));
            threads.extend(spawn("reader", &alive, move || reader::run(reader, &events, &stop)));
        }
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
        if let Some(store) = parts.store {
            let desk = desk::Desk::new(store, parts.catalogue, parts.clock, bell);
            threads.extend(spawn("desk", &alive, move || desk.run(&job_receiver, &events_out)));
        }
        (Self { jobs: Some(jobs), stop, threads, hang_up, running }, events)
    }

    /// Gives a job to the desk without ever waiting for it; false if it could not be taken (no desk, or it has more
    /// to do than a person can ask for).
    pub(crate) fn give(&self, job: Job) -> bool {
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
