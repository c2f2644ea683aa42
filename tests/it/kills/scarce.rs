//! No room on the disk, no memory: a clear error, nothing half-written, nothing lost, and on it goes with room again.
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use tests::storm::dump::sound_dump;
use tests::storm::scarce::{Attempt, DiskReport, Kind, file};

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
    fn start(kind: &str, folder: &std::path::Path) -> Result<Self> {
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

/// Where the first refusal comes, to a KiB.
fn first_refusal(kind: &str, name: Kind) -> Result<i64> {
    let folder = tempfile::tempdir()?;
    let mut starved = Starved::start(kind, folder.path())?;
    starved.attempt(0)?;
    let mut limit = 2_048 * 1_024;
    while matches!(starved.attempt(limit)?, Attempt::Kept(..)) {
        limit -= 8 * 1_024;
        ensure!(limit > 0, "{name:?} needs no memory at all");
    }
    Ok(limit)
}

fn sweep(kind: &str, name: Kind) -> Result<(u32, u32)> {
    const STEP: i64 = 512;
    const REFUSALS: u32 = 80;
    let table = if name == Kind::Terminal { "outbox|" } else { "envelope|" };
    let start = first_refusal(kind, name)? + 24 * 1_024;
    let folder = tempfile::tempdir()?;
    let mut starved = Starved::start(kind, folder.path())?;
    let (mut kept, mut refused) = (Vec::new(), 0);
    // Downwards, because a process can only lower its limit.
    for limit in (0..).map(|n| start - n * STEP).take_while(|limit| *limit > 0) {
        if refused >= REFUSALS {
            break;
        }
        match starved.attempt(limit)? {
            Attempt::Kept(id, digest) => kept.push((id, digest)),
            Attempt::Refused(why) => {
                ensure!(!why.is_empty(), "{limit} bytes: no reason");
                refused += 1;
            }
        }
        let all = sound_dump(&file(name, folder.path())).with_context(|| format!("{limit} bytes"))?;
        let rows = all.lines().filter(|l| l.starts_with(table)).count();
        for (id, digest) in &kept {
            let (id, digest) = (id.to_string(), digest.to_string());
            let has = |l: &&str| l.starts_with(table) && l.contains(&id) && l.contains(&digest);
            ensure!(all.lines().filter(has).count() == 1, "{id} was lost or doubled at {limit} bytes");
        }
        ensure!(rows >= kept.len() && rows <= kept.len() + 1, "{rows} rows for {} promises", kept.len());
    }
    drop(starved);
    let mut fed = Starved::start(kind, folder.path())?;
    let Attempt::Kept(..) = fed.attempt(0)? else { bail!("with memory again it takes nothing") };
    Ok((u32::try_from(kept.len())?, refused))
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
