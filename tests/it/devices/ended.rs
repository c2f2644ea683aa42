//! However the virtual devices are ended, nothing that they started stays behind.
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::PROGRAM;

/// How long an end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process by its number and when it began (clock ticks since boot): a number may be used again.
type Process = (u32, String);

/// Its parent, and when it began; none if there is no such process, or nothing but its exit code.
fn about(pid: u32) -> Option<(u32, String)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets.
    let words: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let (state, parent, began) = (words.first()?, words.get(1)?, words.get(19)?);
    (!matches!(*state, "Z" | "X")).then_some((parent.parse().ok()?, (*began).to_owned()))
}

fn is_there((pid, began): &Process) -> bool {
    about(*pid).is_some_and(|(_, now)| now == *began)
}

/// All that a process started, and what these started.
fn below(root: u32) -> Result<Vec<Process>> {
    let pids = std::fs::read_dir("/proc")?.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    let all: BTreeMap<u32, (u32, String)> = pids.filter_map(|pid: u32| Some((pid, about(pid)?))).collect();
    let is_below = |pid: &u32| {
        let parents = std::iter::successors(Some(*pid), |pid| all.get(pid).map(|(parent, _)| *parent));
        // A number cannot be its own ancestor, but a list that was read while it changed could say so.
        parents.skip(1).take(64).any(|pid| pid == root)
    };
    Ok(all.iter().filter(|(pid, _)| is_below(pid)).map(|(pid, (_, began))| (*pid, began.clone())).collect())
}

fn until(mut holds: impl FnMut() -> Result<bool>) -> Result<bool> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if holds()? {
            return Ok(true);
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    holds()
}

/// The devices, up.
fn devices(folder: &Path) -> Result<Child> {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").arg("--folder").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its words")?).read_line(&mut line)?;
    ensure!(line.contains("panel"), "it says where its panel is: {line}");
    Ok(child)
}

#[test]
fn nothing_that_the_devices_started_outlives_them_however_they_end() -> Result<()> {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::KILL] {
        let folder = tempfile::tempdir()?;
        let mut child = devices(folder.path())?;
        let settings = std::fs::read_to_string(folder.path().join("terminal.toml"))?;
        let readers = settings.lines().find_map(|line| line.strip_prefix("readers = \""));
        let readers = Path::new(readers.context("a readers file")?.trim_end_matches('"')).to_owned();
        let started = below(child.id())?;
        ensure!(started.len() >= 4, "card service, bus, announcer and printer at least: {started:?}");
        kill_process(Pid::from_child(&child), signal)?;
        let ended = until(|| Ok(child.try_wait()?.is_some()))?;
        let left = |all: &[Process]| all.iter().filter(|process| is_there(process)).count();
        if signal == Signal::KILL {
            ensure!(until(|| Ok(left(&started) == 0))?, "the kernel ends them: {started:?}");
            continue;
        }
        if !ended {
            child.kill()?;
        }
        ensure!(ended && child.wait()?.success(), "{signal:?} ends it well");
        ensure!(left(&started) == 0, "{signal:?} leaves {} of {started:?}", left(&started));
        ensure!(!folder.path().join("devices.json").exists(), "nobody is led to a panel that is gone");
        ensure!(!readers.exists(), "its own folder is gone");
    }
    Ok(())
}
