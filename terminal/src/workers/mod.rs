//! Threads beside the window: reader, desk and sync. They talk through bounded channels and end when they are told.
mod desk;
mod reader;
mod sync;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use domain::catalogue::Catalogue;
use hardware::card_reader::CardReader;

use crate::clock::Clock;
use crate::event::{Event, Job};
use crate::store::Store;
use crate::sync::Engine;

/// Events and jobs that wait at most.
const CHANNEL_SIZE: usize = 256;

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
}

impl Workers {
    /// Starts the threads.
    pub(crate) fn start(parts: Parts) -> (Self, Receiver<Event>) {
        let (event_sender, events) = sync_channel(CHANNEL_SIZE);
        let (jobs, job_receiver) = sync_channel(CHANNEL_SIZE);
        let (bell, bell_receiver) = sync_channel(1);
        let events_out = EventSender { sender: event_sender, waker: parts.waker };
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        if let Some(reader) = parts.reader {
            let (events, stop) = (events_out.clone(), Arc::clone(&stop));
            threads.extend(spawn("reader", move || reader::run(reader, &events, &stop)));
        }
        if let Some(engine) = parts.engine {
            let (events, stop) = (events_out.clone(), Arc::clone(&stop));
            threads.extend(spawn("sync", move || sync::run(engine, &bell_receiver, &events, &stop)));
        }
        if let Some(store) = parts.store {
            let desk = desk::Desk::new(store, parts.catalogue, parts.clock, bell);
            threads.extend(spawn("desk", move || desk.run(&job_receiver, &events_out)));
        }
        (Self { jobs: Some(jobs), stop, threads }, events)
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

    /// Tells all threads to end and waits for them. The event receiver must be dropped before.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker ended by a panic");
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(thread) => Some(thread),
        Err(error) => {
            tracing::error!(error = %error, worker = name, "a worker could not be started");
            None
        }
    }
}
