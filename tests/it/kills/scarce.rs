//! No room on the disk, no memory: a clear error, nothing half-written, nothing lost, and on it goes with room again.
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use tests::history::{History, Op};
use tests::storm::scarce::{Attempt, DiskReport, Kind, NAME, judge};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kill-storm");
/// Mounts a small disk that only the child sees, and becomes the child.
const ENTER: &str = "mount -t tmpfs -o size=24m tmpfs \"$1\" && exec \"$2\" disk \"$3\" \"$1\" \"$4\"";

fn on_a_small_disk(kind: &str, rounds: u32) -> Result<DiskReport> {
    let mount = tempfile::tempdir()?;
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "sh", "-c", ENTER, "sh"]).arg(mount.path());
    let output = command.args([PROGRAM, kind, &rounds.to_string()]).env("RUST_BACKTRACE", "0").output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "kill-storm disk {kind}: {said}");
    serde_json::from_slice(&output.stdout).context(said)
}

#[test]
fn a_full_disk_of_the_terminal_says_so_and_loses_nothing() -> Result<()> {
    let report = on_a_small_disk("terminal", 5)?;
    let reasons: Vec<&str> = report.refused.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["disk_full"], "{report:?}");
    assert!(report.refused["disk_full"] >= 20 && report.full_at.len() >= 6 && report.kept > 20, "{report:?}");
    assert!(report.openings >= 8, "{report:?}");
    Ok(())
}

#[test]
fn a_full_disk_of_the_centre_says_so_and_loses_nothing() -> Result<()> {
    let report = on_a_small_disk("centre", 5)?;
    let reasons: Vec<&str> = report.refused.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["storage-full"], "{report:?}");
    assert!(report.refused["storage-full"] >= 20 && report.full_at.len() >= 6, "{report:?}");
    assert!(report.kept > 20 && report.openings >= 8, "{report:?}");
    Ok(())
}

/// A child whose memory is taken away.
struct Starved {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<std::process::ChildStdout>,
}

impl Starved {
    fn start(kind: &str, folder: &Path) -> Result<Self> {
        let mut child = Command::new(PROGRAM)
            .args(["memory", kind])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().context("a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("a pipe")?);
        Ok(Self { child, orders, answers })
    }

    /// One more try at this limit, in bytes; 0 for none.
    fn attempt(&mut self, limit: i64) -> Result<Attempt> {
        writeln!(self.orders, "{limit}")?;
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "the child ended at a limit of {limit} bytes");
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the first refusal comes, to 8 KiB; walked from a limit that holds back nothing, however large the schema grows.
fn first_refusal(kind: &str, name: Kind) -> Result<i64> {
    const PLENTY: i64 = 8 * 1_024 * 1_024;
    let folder = tempfile::tempdir()?;
    let mut starved = Starved::start(kind, folder.path())?;
    starved.attempt(0)?;
    let mut limit = PLENTY;
    while matches!(starved.attempt(limit)?, Attempt::Kept(..)) {
        limit -= 8 * 1_024;
        ensure!(limit > 0, "{name:?} needs no memory at all");
    }
    ensure!(limit < PLENTY, "{name:?} needs more than {PLENTY} bytes: begin with more");
    Ok(limit)
}

fn sweep(kind: &str, name: Kind) -> Result<(usize, usize)> {
    const STEP: i64 = 512;
    const REFUSALS: usize = 80;
    // A process that never had memory reads the schema under the limit as well.
    let start = first_refusal(kind, name)? + 256 * 1_024;
    let folder = tempfile::tempdir()?;
    let mut starved = Starved::start(kind, folder.path())?;
    let mut history = History::default();
    let refused = |history: &History| history.count(|op| matches!(op, Op::Refused { .. }));
    // Downwards, because a process can only lower its limit.
    for limit in (0..).map(|n| start - n * STEP).take_while(|limit| *limit > 0) {
        if refused(&history) >= REFUSALS {
            break;
        }
        let attempt = starved.attempt(limit)?;
        ensure!(attempt.refusal() != Some(""), "{limit} bytes: no reason");
        let (Attempt::Kept(id, ..) | Attempt::Refused(id, _)) = &attempt;
        history.note(NAME, Op::Created { id: *id });
        attempt.ops(name).into_iter().for_each(|op| history.note(NAME, op));
        judge(name, folder.path(), &history).with_context(|| format!("{limit} bytes"))?;
    }
    drop(starved);
    let mut fed = Starved::start(kind, folder.path())?;
    let Attempt::Kept(..) = fed.attempt(0)? else { bail!("with memory again it takes nothing") };
    Ok((history.count(|op| matches!(op, Op::Slip { .. })), refused(&history)))
}

#[test]
fn a_terminal_without_memory_refuses_and_loses_nothing() -> Result<()> {
    let (kept, refused) = sweep("terminal", Kind::Terminal)?;
    assert!(kept >= 5 && refused >= 80, "{kept} kept, {refused} refused");
    Ok(())
}

#[test]
fn a_centre_without_memory_refuses_and_loses_nothing() -> Result<()> {
    let (kept, refused) = sweep("centre", Kind::Centre)?;
    assert!(kept >= 5 && refused >= 80, "{kept} kept, {refused} refused");
    Ok(())
}

/// What the children without memory came to.
#[derive(Debug, Default)]
struct Ends {
    aborted: usize,
    refused: usize,
    kept: usize,
}

/// Children that still get ever more bytes, one after another on the same store; each leaves it clean, however it ends.
fn starve(kind: &str, name: Kind, steps: impl Iterator<Item = usize>) -> Result<Ends> {
    const ABORT: i32 = 6;
    let folder = tempfile::tempdir()?;
    let (store, path) = (folder.path().join("store"), folder.path().join("t.history"));
    let life = |left: usize| -> Result<std::process::Output> {
        let mut child = Command::new(PROGRAM);
        child.args(["starve", kind]).args([&store, &path]).arg(left.to_string());
        // One heap for all threads, so that what one has taken no other has left.
        Ok(child.env("MALLOC_ARENA_MAX", "1").output()?)
    };
    let history = || -> Result<History> {
        let mut history = History::default();
        history.load(&path)?;
        Ok(history)
    };
    let (mut ends, mut children) = (Ends::default(), 0);
    for left in steps {
        children += 1;
        let ended = life(left)?;
        let said = String::from_utf8_lossy(&ended.stderr);
        match (ended.status.signal(), ended.status.code()) {
            (Some(ABORT), _) if said.contains("memory allocation of") => ends.aborted += 1,
            (None, Some(0)) => {}
            other => bail!("{left} bytes: {other:?}: {said}"),
        }
        judge(name, &store, &history()?).with_context(|| format!("{left} bytes: {said}"))?;
    }
    let slips = || -> Result<usize> { Ok(history()?.count(|op| matches!(op, Op::Slip { .. }))) };
    // Each child saved one before its memory was taken.
    ends.kept = slips()? - children;
    ends.refused = history()?.count(|op| matches!(op, Op::Refused { .. }));
    ensure!(life(64 * 1_024 * 1_024)?.status.success(), "with memory again it takes nothing");
    judge(name, &store, &history()?)?;
    ensure!(slips()? == children + ends.kept + 2, "two more with memory");
    Ok(ends)
}

#[test]
fn a_terminal_that_aborts_for_want_of_memory_leaves_a_sound_store() -> Result<()> {
    let ends = starve("terminal", Kind::Terminal, (0..48).map(|n| n * 2_048))?;
    assert!(ends.aborted >= 10 && ends.kept >= 3, "{ends:?}");
    Ok(())
}

#[test]
fn a_centre_that_aborts_for_want_of_memory_leaves_a_sound_store() -> Result<()> {
    let ends = starve("centre", Kind::Centre, (0..32).map(|n| n * 4_096))?;
    assert!(ends.aborted >= 10 && ends.kept >= 3, "{ends:?}");
    Ok(())
}
