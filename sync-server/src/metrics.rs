//! Figures of a running server for Prometheus: their names, their words and the places that count.
//!
//! Without a recorder each call is a look at one atomic. Labels are words of the program (patterns of routes,
//! outcomes); nothing that somebody sent becomes a label, so their number is bounded and no personal data gets in.
use std::time::Duration;

use domain::wire::v1::Outcome;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::store::SCHEMA_VERSION;

/// One figure: name, kind, unit if it has one, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Name, with the unit as its end.
    pub name: &'static str,
    /// How it is counted.
    pub kind: FigureKind,
    /// What it means and which labels it has.
    pub about: &'static str,
}

/// How a figure is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Seconds in buckets.
    Seconds,
    /// Sizes in buckets.
    Sizes,
}

const BUILD: &str = "jinban_build_info";
const START: &str = "jinban_start_time_seconds";
const REQUESTS: &str = "jinban_http_requests_total";
const REQUEST_TIME: &str = "jinban_http_request_seconds";
const ENVELOPES: &str = "jinban_envelopes_total";
const GROUP_SIZE: &str = "jinban_commit_group_size";
const COMMIT_TIME: &str = "jinban_commit_seconds";
const COMMIT_FAILURES: &str = "jinban_commit_failures_total";
const WRITER_WAITING: &str = "jinban_writer_waiting";
const WRITER_REFUSED: &str = "jinban_writer_refused_total";
const JOBS_WAITING: &str = "jinban_jobs_waiting";
const JOBS: &str = "jinban_jobs_total";
const STORE_BYTES: &str = "jinban_store_bytes";

/// All figures; the table in `docs/operations` is held against it by a test.
pub const FIGURES: &[Figure] = &[
    figure(BUILD, FigureKind::Gauge, "Always 1; labels version, schema and database name what runs."),
    figure(START, FigureKind::Gauge, "When the server started, in seconds since 1970."),
    figure(
        REQUESTS,
        FigureKind::Counter,
        "Requests answered, by listener, method, route (a pattern) and status.",
    ),
    figure(REQUEST_TIME, FigureKind::Seconds, "Time to answer a request, by listener and route (a pattern)."),
    figure(ENVELOPES, FigureKind::Counter, "Envelopes that came, by outcome."),
    figure(GROUP_SIZE, FigureKind::Sizes, "Pieces of work that shared one commit."),
    figure(COMMIT_TIME, FigureKind::Seconds, "Time of one group from its begin to the end of its commit."),
    figure(COMMIT_FAILURES, FigureKind::Counter, "Groups that could not be committed."),
    figure(WRITER_WAITING, FigureKind::Gauge, "Pieces of work that wait for the writer."),
    figure(
        WRITER_REFUSED,
        FigureKind::Counter,
        "Pieces of work that the full or stopping writer did not take.",
    ),
    figure(JOBS_WAITING, FigureKind::Gauge, "Submissions that wait to be opened."),
    figure(JOBS, FigureKind::Counter, "Submissions that the job took up, by outcome."),
    figure(STORE_BYTES, FigureKind::Gauge, "Size of the store in bytes."),
];

const fn figure(name: &'static str, kind: FigureKind, about: &'static str) -> Figure {
    Figure { name, kind, about }
}

/// Bounds of buckets: from a cached page to a long poll.
const SECONDS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];
/// Bounds of buckets: up to the writer's largest group.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Figures cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The bounds of the buckets are refused: a mistake of this program.
    #[error("the bounds of the buckets are refused")]
    Buckets(#[source] metrics_exporter_prometheus::BuildError),
    /// Figures are kept in this process already.
    #[error("figures are kept in this process already")]
    Twice,
}

/// Starts to keep figures in this process; what the handle renders is what `/metrics` answers.
///
/// # Errors
/// [`MetricsError`]; nothing is kept then.
pub fn start(database: &'static str, now_ms: i64) -> Result<PrometheusHandle, MetricsError> {
    let mut builder = PrometheusBuilder::new();
    for figure in FIGURES {
        let bounds = match figure.kind {
            FigureKind::Seconds => SECONDS,
            FigureKind::Sizes => SIZES,
            FigureKind::Counter | FigureKind::Gauge => continue,
        };
        let name = Matcher::Full(figure.name.to_owned());
        builder = builder.set_buckets_for_metric(name, bounds).map_err(MetricsError::Buckets)?;
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
    describe();
    let version = env!("CARGO_PKG_VERSION");
    gauge!(BUILD, "version" => version, "schema" => SCHEMA_VERSION.to_string(), "database" => database)
        .set(1.0);
    gauge!(START).set(now_ms as f64 / 1_000.0);
    gauge!(WRITER_WAITING).set(0.0);
    counter!(COMMIT_FAILURES).absolute(0);
    counter!(WRITER_REFUSED).absolute(0);
    for outcome in [Outcome::Accepted, Outcome::Duplicate, Outcome::Conflict, Outcome::Refused] {
        counter!(ENVELOPES, "outcome" => outcome_word(outcome)).absolute(0);
    }
    for job in [JobOutcome::Opened, JobOutcome::Overtaken, JobOutcome::Failed] {
        counter!(JOBS, "outcome" => job.word()).absolute(0);
    }
    Ok(handle)
}

fn describe() {
    for Figure { name, kind, about } in FIGURES.iter().copied() {
        match kind {
            FigureKind::Counter => describe_counter!(name, about),
            FigureKind::Gauge => describe_gauge!(name, about),
            FigureKind::Seconds => describe_histogram!(name, Unit::Seconds, about),
            FigureKind::Sizes => describe_histogram!(name, Unit::Count, about),
        }
    }
}

/// A request was answered. The route is a pattern of the program, never the address that was asked for.
pub fn request(listener: &'static str, method: &str, route: &str, status: u16, took: Duration) {
    let method = match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        // Anybody may invent methods.
        _ => "other",
    };
    counter!(
        REQUESTS,
        "listener" => listener, "method" => method, "route" => route.to_owned(), "status" => status.to_string()
    )
    .increment(1);
    histogram!(REQUEST_TIME, "listener" => listener, "route" => route.to_owned()).record(took.as_secs_f64());
}

/// An envelope was taken, or not.
pub fn envelope(outcome: Outcome) {
    counter!(ENVELOPES, "outcome" => outcome_word(outcome)).increment(1);
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Duplicate => "duplicate",
        Outcome::Conflict => "conflict",
        Outcome::Refused => "refused",
    }
}

/// A piece of work waits for the writer.
pub fn writer_waits() {
    gauge!(WRITER_WAITING).increment(1.0);
}

/// The writer took a piece of work up.
pub fn writer_took() {
    gauge!(WRITER_WAITING).decrement(1.0);
}

/// The writer did not take a piece of work.
pub fn writer_refused() {
    counter!(WRITER_REFUSED).increment(1);
}

/// A group was committed, or not.
pub fn group(size: usize, took: Duration, committed: bool) {
    histogram!(GROUP_SIZE).record(size as f64);
    histogram!(COMMIT_TIME).record(took.as_secs_f64());
    if !committed {
        counter!(COMMIT_FAILURES).increment(1);
    }
}

/// What became of a submission that the job took up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// It was opened, well or badly formed.
    Opened,
    /// Somebody else had changed it meanwhile.
    Overtaken,
    /// It could not be opened now and waits.
    Failed,
}

impl JobOutcome {
    fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Overtaken => "overtaken",
            Self::Failed => "failed",
        }
    }
}

/// A submission was taken up.
pub fn job(outcome: JobOutcome) {
    counter!(JOBS, "outcome" => outcome.word()).increment(1);
}

/// What is looked up when somebody asks for the figures.
pub fn looked_up(jobs_waiting: i64, store_bytes: Option<u64>) {
    gauge!(JOBS_WAITING).set(jobs_waiting as f64);
    if let Some(bytes) = store_bytes {
        gauge!(STORE_BYTES).set(bytes as f64);
    }
}
