//! `ingest`: how many submissions a second the real server acknowledges durably, beside the floor.
//!
//! Both sides get the same bytes from the same client over connections that stay open, one envelope a request: the
//! server over TLS with the devices' certificates, as terminals call it, the floor over plain HTTP.
//! Opening the submissions is a job after the COMMIT: it runs beside the load as it does in a branch, the processor
//! time of its thread is accounted apart, and a round begins only when nothing waits to be opened.
use std::time::Instant;

use anyhow::{Result, ensure};
use tests::bench::centre::{Centre, Packing, created, floor, taken};
use tests::bench::client::{self, Client, Outcome};
use tests::bench::process::Program;
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, median, percentile};
use tests::bench::usage;

/// Clients of the throughput rounds.
const CLIENTS: usize = 32;
/// Clients of the memory row.
const MANY_CLIENTS: usize = 64;
/// Terminals of the city, and what each of them holds after some hours without a link.
const FLEET: (usize, Packing) = (49, Packing::Queue(20));
/// Name of the thread that opens submissions.
const JOBS: &str = "jobs";

/// How much is measured.
struct Size {
    rounds: usize,
    each: usize,
}

struct Bench {
    centre: Centre,
    floor: Program,
    floor_url: String,
    not_good: usize,
    accepted: usize,
    opened_a_second: Vec<f64>,
}

/// One side of a round.
struct Round {
    outcome: Outcome,
    cpu_ms: f64,
    jobs_cpu_ms: f64,
}

impl Round {
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    fn cpu_each(&self) -> f64 {
        (self.cpu_ms - self.jobs_cpu_ms) / self.outcome.latencies_ms.len() as f64
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Size { rounds: 5, each: 300 },
        ["--quick"] => Size { rounds: 2, each: 60 },
        // One long round, for a profiler.
        ["--each", each] => Size { rounds: 1, each: each.parse()? },
        _ => anyhow::bail!("--quick, or --each REQUESTS"),
    };
    let folder = tempfile::tempdir()?;
    let (floor, floor_url) = floor(folder.path())?;
    let centre = Centre::start(folder.path(), MANY_CLIENTS)?;
    let mut bench = Bench { centre, floor, floor_url, not_good: 0, accepted: 0, opened_a_second: Vec::new() };
    let idle = [usage::pss_mib(bench.centre.program.pid())?, usage::pss_mib(bench.floor.pid())?];
    let empty_bytes = bench.centre.look.store_bytes()?;

    let plain = bench.rounds(CLIENTS, &size, Packing::Plain)?;
    tell_load(&plain)?;
    let one = bench.rounds(1, &Size { rounds: size.rounds, each: size.each * 2 }, Packing::Plain)?;
    tell(&one, "ingest.p50_1_client", "ms", |r| percentile(&r.outcome.latencies_ms, 0.5))?;
    let packed = bench.rounds(CLIENTS, &Size { rounds: 2, each: size.each / 2 }, Packing::Zstd)?;
    tell(&packed, "ingest.throughput_zstd", "1/s", |r| r.outcome.throughput())?;
    tell(&packed, "ingest.cpu_zstd", "ms", Round::cpu_each)?;
    bench.tell_memory(idle, &size)?;
    bench.tell_push(size.rounds)?;

    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let each = (bench.centre.look.store_bytes()? - empty_bytes) / bench.accepted as f64;
    Row::alone("ingest.disk_per_submission", each, "B").tell()?;
    Row::alone("ingest.opened", median(&bench.opened_a_second), "1/s").tell()?;
    #[allow(clippy::cast_precision_loss)]
    Row::alone("ingest.not_2xx", bench.not_good as f64, "").tell()?;
    let cases = bench.centre.look.cases()?;
    ensure!(cases == (0, bench.accepted as u64), "{cases:?} cases, {} were accepted", bench.accepted);
    bench.centre.program.stop()
}

impl Bench {
    /// Both sides in turns with the same requests, sealed before the clock starts.
    fn rounds(&mut self, clients: usize, size: &Size, packing: Packing) -> Result<(Vec<Round>, Vec<Round>)> {
        let loads: Result<Vec<_>> =
            (0..size.rounds).map(|_| self.centre.seal(clients, size.each, packing)).collect();
        let loads = loads?;
        let (floor_pid, floor_url) = (self.floor.pid(), self.floor_url.clone());
        let on_floor = |n: usize| round(floor_pid, &floor_url, &loads[n], created);
        let (real, floor) = in_turns(size.rounds, |n| self.real_round(&loads[n], packing), on_floor)?;
        Ok((real, floor))
    }

    fn real_round(&mut self, load: &[Client], packing: Packing) -> Result<Round> {
        let pid = self.centre.program.pid();
        let round = round(pid, &self.centre.url, load, taken(packing))?;
        self.not_good += round.outcome.not_good;
        self.accepted += (round.outcome.latencies_ms.len() - round.outcome.not_good) * packing.together();
        self.wait_until_opened()?;
        Ok(round)
    }

    /// Waits until every case is opened, and notes how fast that went once the load was over.
    fn wait_until_opened(&mut self) -> Result<()> {
        let (waiting, _) = self.centre.look.cases()?;
        let started = Instant::now();
        let centre = &mut self.centre;
        let (program, look) = (&mut centre.program, &centre.look);
        program.wait_for("the end of opening", || Ok((look.cases()?.0 == 0).then_some(())))?;
        if waiting >= 200 {
            #[allow(clippy::cast_precision_loss)] // far below 2^52
            self.opened_a_second.push(waiting as f64 / started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// All terminals bring their queues at once, each in one batch, over connections that are open.
    fn tell_push(&mut self, rounds: usize) -> Result<()> {
        let (terminals, queue) = FLEET;
        let mut seconds = Vec::new();
        for _ in 0..rounds {
            let load = self.centre.seal(terminals, 1, queue)?;
            seconds.push(self.real_round(&load, queue)?.outcome.seconds);
        }
        Row::alone("ingest.push_49_of_20", median(&seconds), "s").tell()
    }

    fn tell_memory(&mut self, idle: [f64; 2], size: &Size) -> Result<()> {
        let load = self.centre.seal(MANY_CLIENTS, size.each / 2, Packing::Plain)?;
        let real_pid = self.centre.program.pid();
        let real = most_memory(real_pid, || self.real_round(&load, Packing::Plain).map(|_| ()))?;
        let floor_pid = self.floor.pid();
        let url = self.floor_url.clone();
        let floor = most_memory(floor_pid, || client::run(&url, &load, created).map(|_| ()))?;
        Row::beside("ingest.memory_idle", idle[0], "MiB", idle[1]).tell()?;
        Row::beside("ingest.memory_64_clients", real, "MiB", floor).tell()
    }
}

fn round(pid: u32, url: &str, load: &[Client], good: fn(u16, &[u8]) -> bool) -> Result<Round> {
    let before = (usage::cpu_ms(pid)?, usage::cpu_ms_of_threads(pid, JOBS)?);
    let outcome = client::run(url, load, good)?;
    let cpu_ms = usage::cpu_ms(pid)? - before.0;
    let jobs_cpu_ms = usage::cpu_ms_of_threads(pid, JOBS)? - before.1;
    Ok(Round { outcome, cpu_ms, jobs_cpu_ms })
}

/// The most memory of a process while some work runs, in MiB.
fn most_memory(pid: u32, work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let watch = move || -> Result<f64> {
        let mut most = usage::pss_mib(pid)?;
        let look = std::time::Duration::from_millis(20);
        while ended.recv_timeout(look) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            most = most.max(usage::pss_mib(pid)?);
        }
        Ok(most)
    };
    let watcher = std::thread::spawn(watch);
    let outcome = work();
    drop(done);
    let most = watcher.join().map_err(|_| anyhow::anyhow!("the watcher broke off"))??;
    outcome.map(|()| most)
}

fn tell_load(rounds: &(Vec<Round>, Vec<Round>)) -> Result<()> {
    tell(rounds, "ingest.throughput", "1/s", |r| r.outcome.throughput())?;
    tell(rounds, "ingest.p50_32_clients", "ms", |r| percentile(&r.outcome.latencies_ms, 0.5))?;
    tell(rounds, "ingest.p99_32_clients", "ms", |r| percentile(&r.outcome.latencies_ms, 0.99))?;
    tell(rounds, "ingest.cpu", "ms", Round::cpu_each)?;
    let jobs: Vec<f64> = rounds.0.iter().map(|r| r.jobs_cpu_ms / (r.outcome.seconds * 1e3)).collect();
    Row::alone("ingest.cores_of_opening_during_load", median(&jobs), "").tell()
}

/// A row of the medians over the rounds of both sides.
fn tell(rounds: &(Vec<Round>, Vec<Round>), name: &str, unit: &str, of: impl Fn(&Round) -> f64) -> Result<()> {
    let middle = |side: &[Round]| median(&side.iter().map(&of).collect::<Vec<_>>());
    Row::beside(name, middle(&rounds.0), unit, middle(&rounds.1)).tell()
}
