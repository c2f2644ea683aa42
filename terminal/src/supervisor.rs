//! The supervisor: starts the window process and starts it again when it dies; ends when the window is closed.
//!
//! It holds nothing but the child: a crash of the window never takes the queue with it.
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use operator::exit::Exit;
use operator::settings::Settings as _;
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::config::Config;

/// Tells the window process whose child it is.
const SUPERVISOR_VARIABLE: &str = "JINBAN_SUPERVISOR_PID";
/// A window that lived at least this long is started again at once.
const HEALTHY: Duration = Duration::from_secs(10);
/// First and longest pause before the next start of a window that keeps dying.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long the window may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Runs until the window is closed (0) or a signal says so.
///
/// # Errors
/// If the window process cannot be started at all.
pub(crate) fn run(config: &Config) -> anyhow::Result<Exit> {
    let mut signals = Signals::new([SIGCHLD, SIGINT, SIGTERM]).context("signals")?;
    let mut deaths = 0u32;
    loop {
        let started = Instant::now();
        let mut child = start_window(config)?;
        match watch(&mut child, &mut signals)? {
            Ended::Told => return Ok(Exit::Ok),
            Ended::Itself(status) if status.success() => return Ok(Exit::Ok),
            Ended::Itself(status) => tracing::error!(%status, "the window process died and is started again"),
        }
        deaths = if started.elapsed() >= HEALTHY { 0 } else { deaths.saturating_add(1) };
        if deaths > 1 && pause(deaths, &mut signals) {
            return Ok(Exit::Ok);
        }
    }
}

/// Called by the window process: it ends with its supervisor.
///
/// # Errors
/// If the system refuses, or the supervisor is gone already.
pub(crate) fn end_with_parent() -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM)).context("parent death signal")?;
    // It may have died before the first line took effect. By its number, since orphans go to a foster parent that
    // is not always the first process, and a supervisor may be the first process of a container.
    let parent = getppid().map(|p| p.as_raw_nonzero().to_string());
    let supervisor = std::env::var(SUPERVISOR_VARIABLE).ok();
    anyhow::ensure!(supervisor.is_none() || supervisor == parent, "the supervisor is gone");
    Ok(())
}

enum Ended {
    Told,
    Itself(ExitStatus),
}

fn start_window(config: &Config) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("own program file")?;
    // The settings as they were understood here: a file changed meanwhile does not change a running terminal.
    let child = Command::new(program)
        .arg("window")
        .args(config.to_flags())
        .env(SUPERVISOR_VARIABLE, std::process::id().to_string())
        .spawn()
        .context("the window process")?;
    tracing::info!(window.pid = child.id(), "the window process runs");
    Ok(child)
}

fn watch(child: &mut Child, signals: &mut Signals) -> anyhow::Result<Ended> {
    if let Some(status) = child.try_wait().context("wait")? {
        return Ok(Ended::Itself(status));
    }
    for signal in signals.forever() {
        if signal == SIGCHLD {
            if let Some(status) = child.try_wait().context("wait")? {
                return Ok(Ended::Itself(status));
            }
        } else {
            end(child);
            return Ok(Ended::Told);
        }
    }
    Ok(Ended::Told)
}

fn end(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let until = Instant::now() + END_WITHIN;
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits before the next start; true if a signal says to end.
fn pause(deaths: u32, signals: &mut Signals) -> bool {
    let span = FIRST_PAUSE.saturating_mul(1 << deaths.min(6)).min(LONGEST_PAUSE);
    let until = Instant::now() + span;
    while Instant::now() < until {
        if signals.pending().any(|s| s != SIGCHLD) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
