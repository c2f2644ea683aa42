//! `start`: from exec to the first pixel of the terminal under Xvfb with llvmpipe, and its memory, beside a bare X
//! client.
//!
//! The terminal is enrolled at a running sync server and has no card reader; its memory is that of the supervisor
//! and all its children once the attract page has stood for a while.
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use tests::bench::centre::Centre;
use tests::bench::process::{Program, pause};
use tests::bench::row::Row;
use tests::bench::screen::{ON_BUTTON, Screen, bare_client, terminal};
use tests::bench::stats::{in_turns, median};
use tests::bench::usage;

/// How long a page stands before memory is counted.
const SETTLED: Duration = Duration::from_secs(2);
/// One start with everything around it.
const LONGEST: Duration = Duration::from_secs(60);

/// What one start gave.
struct Start {
    seconds: f64,
    mib: f64,
}

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 2 } else { 7 };
    let folder = tempfile::tempdir()?;
    let centre = Centre::start(folder.path(), 0)?;
    let screen = Screen::start(folder.path())?;
    let data = folder.path().join("terminal");
    // Once before the clock counts: the first start after a build reads programs and fonts from the disk.
    start(&screen, terminal(&screen, &centre, &data)?, folder.path())?;
    let real = |_| start(&screen, terminal(&screen, &centre, &data)?, folder.path());
    let floor = |_| start(&screen, bare_client(&screen)?, folder.path());
    let (real, floor) = in_turns(rounds, real, floor)?;
    let middle = |side: &[Start], of: fn(&Start) -> f64| median(&side.iter().map(of).collect::<Vec<_>>());
    let seconds = |s: &Start| s.seconds;
    Row::beside("start.first_pixel", middle(&real, seconds), "s", middle(&floor, seconds)).tell()?;
    let mib = |s: &Start| s.mib;
    Row::beside("start.memory", middle(&real, mib), "MiB", middle(&floor, mib)).tell()
}

fn start(screen: &Screen, command: Command, folder: &Path) -> Result<Start> {
    let empty = screen.pixel(ON_BUTTON)?;
    let started = Instant::now();
    let mut program = Program::start("the window", command, &folder.join("window.log"))?;
    screen.other_than(ON_BUTTON, empty, false)?;
    let seconds = started.elapsed().as_secs_f64();
    pause(SETTLED);
    let mib = usage::pss_mib(program.pid())?;
    program.stop()?;
    // The next one begins on an empty screen.
    while screen.pixel(ON_BUTTON)? != empty {
        screen.at_rest(ON_BUTTON, SETTLED / 20)?;
        anyhow::ensure!(started.elapsed() < LONGEST, "the window stays on the screen");
    }
    Ok(Start { seconds, mib })
}
