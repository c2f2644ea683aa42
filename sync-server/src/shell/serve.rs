//! `sync-server serve`: opens the folder, binds both listeners, says so, and stops in order.
//!
//! Stop: no new connections, requests in hand are finished, the jobs and the writer are drained, exit.
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener as _;
use hardware::image::MARK_REMEDY;
use operator::findings::with_causes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use super::connections::Terms;
use super::figures::Figures;
use super::gate::Door;
use super::listener::CappedListener;
use super::tls::{Tls, TlsError};
use super::{App, Bells, Budgets, Callers, PHONES, connections};
use crate::admission::Admission;
use crate::bank_mark::BankMark;
use crate::blobs::{BlobError, BlobPlace, Blobs, PartialFiles};
use crate::carriers::Carriers;
use crate::centre::{Centre, Surroundings};
use crate::data_folder::DataFolder;
use crate::jobs::ticker::Ticker;
use crate::jobs::upkeep::UpkeepPlan;
use crate::jobs::{
    ApprovalPlan, Runner, approval, clockwork, notifier, partners, payments, rollout, signatures, upkeep,
};
use crate::routes;
use crate::services::catalogue::Shelf;
use crate::services::{Context, Durable};
use crate::sms::Gateway;
use crate::sms::smpp::{self, Smpp};
use crate::startup::{self, OpenedFolder, StartupError};
use crate::typefaces::Typefaces;
use crate::uploads::Uploads;

/// Reading connections beside the writer.
const READERS: usize = 4;
/// Requests in hand get this long after the signal to stop.
const STOP_TIME: Duration = Duration::from_secs(10);

/// What `serve` is told.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Store and keys.
    pub data: DataFolder,
    /// Folder that holds `catalogue/`.
    pub assets: PathBuf,
    /// Where pages and photos lie.
    pub blobs: BlobPlace,
    /// File of the bank's picture.
    pub mark: Option<PathBuf>,
    /// Address for terminals.
    pub terminals: SocketAddr,
    /// Names and addresses under which terminals reach this server over TLS; none for plain HTTP.
    pub tls_names: Option<Vec<String>>,
    /// Address for people.
    pub people: SocketAddr,
    /// Address under which people reach their listener.
    pub people_url: Option<String>,
    /// Written once both listeners accept.
    pub ready_file: Option<PathBuf>,
    /// People's pages may be reached from other machines.
    pub allow_public_people: bool,
    /// Address for figures; none for no figures.
    pub metrics: Option<SocketAddr>,
    /// Without the address for figures nothing is served at all.
    pub insist_on_metrics: bool,
    /// How many calls an address may make.
    pub budgets: Budgets,
    /// How many calls of terminals are let in a second.
    pub admitted_per_second: u32,
    /// A proxy on this machine stands before the people's listener and names callers.
    pub people_proxy: bool,
    /// The gateway of short messages; none for no messages.
    pub sms: Option<smpp::Account>,
    /// What is done by the clock.
    pub upkeep: UpkeepPlan,
}

/// The server cannot start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder cannot be used.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// TLS for terminals cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Without TLS only this machine may reach the terminals' listener.
    #[error(
        "without TLS --terminals must be a loopback address, not {0}: leave --terminals-tls on, or use a loopback address"
    )]
    PlainTerminals(SocketAddr),
    /// Passwords would travel in clear.
    #[error(
        "people's pages are plain HTTP, so --people must be a loopback address behind a TLS proxy, not {0}; \
         --allow-public-people overrides this"
    )]
    PublicPeople(SocketAddr),
    /// A listener cannot be bound.
    #[error("cannot listen on {address}; another program may use the port, name another with {flag}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// The flag that names it.
        flag: &'static str,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Something of the operating system failed.
    #[error("{what}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// [`ServeError`] if it cannot start.
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    if !options.people.ip().is_loopback() && !options.allow_public_people {
        return Err(ServeError::PublicPeople(options.people));
    }
    if options.tls_names.is_none() && !options.terminals.ip().is_loopback() {
        return Err(ServeError::PlainTerminals(options.terminals));
    }
    let _lock = options.data.lock()?;
    let system = |what| move |source| ServeError::System { what, source };
    let mut terminate = signal(SignalKind::terminate()).map_err(system("signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("signals"))?;
    let terminals = bind(options.terminals, "--terminals").await?;
    let people = bind(options.people, "--people").await?;
    let kind = options.data.database().kind();
    let figures = Figures::bind(options.metrics, options.insist_on_metrics, kind).await?;
    let addresses = Addresses {
        terminals: terminals.local_addr().map_err(system("address of the listener"))?,
        people: people.local_addr().map_err(system("address of the listener"))?,
        metrics: figures.as_ref().map(Figures::address),
    };
    // Off the async threads: a database client may have a runtime of its own.
    let told = options.clone();
    let opened = tokio::task::spawn_blocking(move || open_app(&told, addresses.people)).await;
    let (app, runner) = opened
        .map_err(|e| ServeError::System { what: "opening the store broke off", source: e.into() })?
        .map_err(|e| *e)?;
    super::memory::give_back();
    let figures = figures.map(|f| f.serve(app.centre.clone()));
    let tls = options.tls_names.clone().map(|names| Tls::new(app.centre.clone(), names)).transpose()?;
    let jobs = start_jobs(&app, &options).map_err(system("threads"))?;
    let served = serve_until(&app, [(terminals, tls), (people, None)], async {
        announce(&options, addresses).map_err(system("the ready file cannot be written"))?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
    .await;
    figures.into_iter().flatten().for_each(|task| task.abort());
    // Always, and off the async threads, for the same reason.
    let drained = tokio::task::spawn_blocking(move || end_jobs(jobs, runner, &app));
    if tokio::time::timeout(STOP_TIME, drained).await.is_err() {
        tracing::warn!("the store does not answer; what was not committed is not acknowledged");
    }
    if let Some(path) = &options.ready_file {
        let _ = std::fs::remove_file(path);
    }
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// What works by the clock; first whoever talks with the gateway of messages.
type Jobs = [Ticker; 8];

fn start_jobs(app: &App, options: &ServeOptions) -> std::io::Result<Jobs> {
    let centre = || app.centre.clone();
    let gateway = options.sms.clone().map(|account| Box::new(Smpp::new(account)) as Box<dyn Gateway>);
    let plan = ApprovalPlan { data: options.data.path().to_owned(), rules: options.assets.join("rules") };
    Ok([
        notifier::start(centre(), gateway)?,
        signatures::start(app.signed.clone(), options.data.online_keys())?,
        rollout::start(centre())?,
        upkeep::start(centre(), options.upkeep.clone())?,
        clockwork::start(centre())?,
        approval::start(centre(), plan)?,
        payments::start(centre(), app.gateway.to_path_buf())?,
        partners::start(centre(), app.partners.clone())?,
    ])
}

fn end_jobs([mut notifier, mut others @ ..]: Jobs, runner: Runner, app: &App) {
    // First: what the gateway took is noted while the store still takes notes.
    notifier.end();
    others.iter_mut().for_each(Ticker::end);
    drop(notifier);
    runner.stop();
    app.centre.stop();
    // Last: a store that does not answer lets go of them only now.
    drop(others);
}

/// Serves both listeners until `end` says why to stop; requests in hand are finished.
async fn serve_until(
    app: &App,
    [(terminals, tls), (people, _)]: [(CappedListener, Option<Tls>); 2],
    end: impl Future<Output = Result<(), ServeError>>,
) -> Result<(), ServeError> {
    let stopping = watch::Sender::new(false);
    let on = |listener, router, tls| {
        let mut stopping = stopping.subscribe();
        let until = async move {
            let _ = stopping.wait_for(|s| *s).await;
        };
        tokio::spawn(connections::serve(listener, router, Terms { tls, ..Terms::PLAIN }, until))
    };
    let serving =
        [on(terminals, routes::terminals(app.clone()), tls), on(people, routes::people(app.clone()), None)];
    let ended = end.await;
    tracing::info!("stopping: requests in hand are finished");
    stopping.send_replace(true);
    app.bells.stop();
    let finished = async {
        for task in serving {
            let _ = task.await;
        }
    };
    if tokio::time::timeout(STOP_TIME, finished).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut");
    }
    ended
}

async fn bind(address: SocketAddr, flag: &'static str) -> Result<CappedListener, ServeError> {
    CappedListener::bind(address).await.map_err(|source| ServeError::Bind { address, flag, source })
}

fn open_app(options: &ServeOptions, people: SocketAddr) -> Result<(App, Runner), Box<ServeError>> {
    let startup = |e: StartupError| Box::new(ServeError::from(e));
    let opened = startup::open(&options.data, &options.assets, startup::now_ms()).map_err(startup)?;
    let OpenedFolder { store, keys, epoch, catalogue, .. } = opened;
    let shelf = Shelf::default();
    shelf.put(catalogue);
    let people_url = options.people_url.clone().unwrap_or_else(|| format!("http://{people}"));
    let context = Context {
        keys,
        epoch,
        people_url: people_url.trim_end_matches('/').to_owned(),
        shelf,
        durable: Durable::default(),
    };
    let readers = (0..READERS).map(|_| options.data.reader()).collect::<Result<_, _>>().map_err(startup)?;
    let seed = startup::random().map_err(startup)?;
    let surroundings = Box::new(Machine { seed: std::sync::Mutex::new(seed) });
    let thread = |source| Box::new(ServeError::System { what: "threads", source });
    let centre = Centre::with_threads(store, readers, context, surroundings).map_err(thread)?;
    let centre = Arc::new(centre);
    centre.admit_by(Admission::new(options.admitted_per_second)).map_err(|e| startup(e.into()))?;
    // Before the first answer; a store that fails here is told by whatever asks it next.
    let _ = upkeep::look(&centre);
    let runner = Runner::start(centre.clone()).map_err(thread)?;
    let bells = Arc::new(Bells::new(runner.waker()));
    centre.set_bell(Box::new(super::bells::SharedBells(bells.clone())));
    let callers = Arc::new(Callers::new(options.budgets));
    let door = Arc::new(Door { behind_proxy: options.people_proxy, ..Door::default() });
    let mark = options.mark.as_deref().and_then(bank_mark);
    let uploads = open_uploads(options, &centre).map_err(startup)?;
    let turns = Arc::default();
    let signed = options.data.signed();
    let typefaces = Arc::new(Typefaces::new(&options.assets));
    let carriers = Arc::new(Carriers::new(options.data.path()));
    let gateway = Arc::from(options.data.path().join(crate::gateway::FILE));
    let partners = crate::partners::Place::in_folder(options.data.path());
    let app = App {
        centre,
        bells,
        callers,
        door,
        signed,
        uploads,
        turns,
        phones: Arc::new(Semaphore::new(PHONES)),
        mark,
        typefaces,
        carriers,
        gateway,
        partners,
    };
    Ok((app, runner))
}

/// Pages and photos; what earlier runs left of uploads that are no more is removed.
fn open_uploads(options: &ServeOptions, centre: &Centre) -> Result<Arc<Uploads>, StartupError> {
    let blobs = Blobs::open(&options.blobs)?;
    let partial = PartialFiles::open(options.data.partial()).map_err(BlobError::from)?;
    let uploads = Arc::new(Uploads::new(blobs, partial));
    match uploads.sweep(centre) {
        Ok(0) => {}
        Ok(removed) => {
            tracing::info!(uploads = removed, "files of uploads that are no more were removed")
        }
        // What stays behind takes room and nothing else: no reason not to serve.
        Err(e) => tracing::warn!(error = with_causes(&e), "old uploads stay until the next start"),
    }
    Ok(uploads)
}

/// The bank's picture; one that cannot be used is told and left out.
fn bank_mark(file: &Path) -> Option<Arc<BankMark>> {
    let read = BankMark::read(file).inspect_err(|e| {
        tracing::warn!(error = with_causes(e), remedy = MARK_REMEDY, "the bank's mark is not shown")
    });
    read.ok().map(Arc::new)
}

/// Clock and randomness of the machine.
struct Machine {
    seed: std::sync::Mutex<ChaCha20Rng>,
}

impl Surroundings for Machine {
    fn now_ms(&self) -> i64 {
        startup::now_ms()
    }

    fn random(&self) -> ChaCha20Rng {
        let mut parent = self.seed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        ChaCha20Rng::from_rng(&mut *parent)
    }
}

/// Where the server listens.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    terminals: SocketAddr,
    people: SocketAddr,
    metrics: Option<SocketAddr>,
}

fn announce(options: &ServeOptions, addresses: Addresses) -> std::io::Result<()> {
    let scheme = if options.tls_names.is_some() { "https" } else { "http" };
    let terminals = format!("{scheme}://{}", addresses.terminals);
    let people = format!("http://{}", addresses.people);
    let metrics = addresses.metrics.map(|address| format!("http://{address}/metrics"));
    if let Some(path) = &options.ready_file {
        let ready = json!({
            "terminals": terminals, "people": people, "metrics": metrics, "pid": std::process::id(),
        });
        write_whole(path, &ready.to_string())?;
    }
    tracing::info!(
        listen.terminals = terminals,
        listen.people = people,
        listen.metrics = metrics.as_deref().unwrap_or("off"),
        "ready: {terminals} for terminals, {people} for people"
    );
    Ok(())
}

/// Writes a file so that nobody ever reads half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}
