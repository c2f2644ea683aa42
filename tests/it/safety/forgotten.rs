//! A terminal that was enrolled after the last backup: the restored centre has forgotten it, and takes it back with all that
//! it has; nobody else gets its id or its numbers meanwhile.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::store::{Identity, QueuedSlip, Store, read_status};
use tests::binaries::binary;
use tests::device::{STATION, now_ms};
use tests::server::Server;
use tests::storm::points::{Action, Plan, named};
use tests::storm::process::{End, Process};
use tests::submission::{courier, submit_as};
use tests::visit;

use super::{PATIENCE, Safe, answer, copy_keys, envelopes};

/// A centre that was restored from a backup, and a terminal that came after it.
struct Scene {
    server: Server,
    folder: tempfile::TempDir,
    /// Who the terminal was at the centre before.
    before: Identity,
    /// What it took while there was no centre.
    waiting: QueuedSlip,
}

fn secure(data: &Path) -> Result<Server> {
    Server::start_with_default_metrics(data, &["--metrics", "127.0.0.1:0", "--terminals-tls=true"])
}

fn identity(data: &Path) -> Result<Identity> {
    Store::open(data, now_ms())?.identity()?.context("enrolled")
}

fn rows(data: &Path) -> Result<BTreeSet<(String, String)>> {
    Ok(read_status(data, 1_000)?.into_iter().map(|r| (r.envelope_id, r.digest)).collect())
}

impl Scene {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (data, new) = (folder.path().join("data"), folder.path().join("new"));
        let (known, forgotten) = (folder.path().join("known"), folder.path().join("t"));
        let mut server = secure(&data)?;
        visit::enrol(&server, &known)?;
        let safe = Safe::of(&server)?;
        let (file, _) = safe.back_up(&server)?;
        visit::enrol(&server, &forgotten)?;
        let before = identity(&forgotten)?;
        assert_eq!(life(&forgotten, &server, None, &["--submissions=2", "--must-settle"])?, Some(End::Done));
        copy_keys(&data, &new)?;
        server.kill()?;
        std::fs::remove_dir_all(&data)?;
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let (mut store, id) = (Store::open(&forgotten, now_ms())?, EnvelopeId::new(now_ms(), &mut rng));
        let waiting = submit_as(&mut store, courier(), id, now_ms(), &mut rng)?;
        drop(store);
        let file = file.to_str().context("a path")?;
        answer(&new, None, &["restore", "--from", file, "--key", &safe.key])?;
        let server = secure(&new)?;
        Ok(Self { server, folder, before, waiting })
    }

    fn terminal(&self) -> PathBuf {
        self.folder.path().join("t")
    }

    fn enrol(&self, code: &str) -> Result<Output> {
        let mut terminal = Command::new(binary("terminal"));
        terminal.args(["enrol", "--json", "--server", &self.server.terminals, "--code", code, "--data"]);
        Ok(terminal.arg(self.terminal()).output()?)
    }

    /// Everything that both terminals took is at the centre once, under the numbers that were printed.
    fn assert_all_once(&self, others: &[PathBuf]) -> Result<()> {
        let mut made = rows(&self.terminal())?;
        for other in others {
            made.extend(rows(other)?);
        }
        assert_eq!(envelopes(&self.server.database()?)?, made, "nothing lost, nothing that nobody made");
        let all = self.server.number("SELECT COUNT(*) FROM envelope")?;
        let numbers = "SELECT COUNT(DISTINCT number) FROM case_ WHERE slip_number IS NULL";
        assert_eq!((all, self.server.number(numbers)?), (i64::try_from(made.len())?, all), "nothing twice");
        let forks = "SELECT COUNT(*) FROM series WHERE state <> 'active'";
        let alarms = "SELECT COUNT(*) FROM alarm WHERE kind IN ('number.collision', 'submission.lost')";
        assert_eq!((self.server.number(forks)?, self.server.number(alarms)?), (0, 0));
        Ok(())
    }
}

/// A life of a terminal.
fn life(data: &Path, server: &Server, plan: Option<Plan>, more: &[&str]) -> Result<Option<End>> {
    let mut arguments: Vec<String> = ["terminal", "--name=t", "--seed=5"].map(str::to_owned).into();
    arguments.extend([
        format!("--server={}", server.terminals),
        format!("--data={}", data.display()),
        format!("--history={}", data.with_extension("history").display()),
    ]);
    arguments.extend(more.iter().map(|&word| word.to_owned()));
    if !more.iter().any(|word| word.starts_with("--patience-ms")) {
        arguments.push("--patience-ms=60000".to_owned());
    }
    let program = Path::new(env!("CARGO_BIN_EXE_kill-storm"));
    Process::start(program, plan, &arguments, &data.with_extension("log"))?.wait(PATIENCE)
}

#[test]
fn a_terminal_that_the_restored_centre_has_forgotten_comes_back_with_all_that_it_has() -> Result<()> {
    let scene = Scene::new()?;
    let (server, data) = (&scene.server, scene.terminal());
    // It is refused, and keeps what it has.
    assert_eq!(life(&data, server, None, &["--submissions=0", "--patience-ms=2000"])?, Some(End::Done));
    let waits = read_status(&data, 10)?.into_iter().find(|r| r.state == "queued").context("a row waits")?;
    ensure!(waits.last_error.as_deref().is_some_and(|e| e.contains("terminal-unknown")), "{waits:?}");
    let verify = || server.command(&["verify-slip", &scene.waiting.qr_url]);
    ensure!(!verify()?.status.success(), "nobody knows its key");
    // Another machine gets neither its id nor its numbers.
    let third = scene.folder.path().join("third");
    visit::enrol(server, &third)?;
    let other = identity(&third)?;
    ensure!(other.terminal != scene.before.terminal && other.issuer != scene.before.issuer, "{other:?}");
    let place = other.terminal.as_str().strip_prefix("T-").and_then(|n| n.parse::<u32>().ok());
    ensure!(place.is_some_and(|n| n > 50) && other.issuer.get() > 98, "{other:?}");
    assert_eq!(life(&third, server, None, &["--submissions=1", "--must-settle"])?, Some(End::Done));
    // With a new code it is who it was.
    let (lineage, counter) = {
        let store = Store::open(&data, now_ms())?;
        (store.lineage()?, store.counter()?)
    };
    let back = scene.enrol(&server.typed_code(STATION)?)?;
    ensure!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    let after = identity(&data)?;
    assert_eq!(Identity { certified: None, ..after }, Identity { certified: None, ..scene.before.clone() });
    let store = Store::open(&data, now_ms())?;
    assert_eq!((store.lineage()?, store.counter()?), (lineage, counter));
    drop(store);
    assert_eq!(life(&data, server, None, &["--submissions=1", "--must-settle"])?, Some(End::Done));
    assert_eq!(rows(&data)?.len(), 4);
    scene.assert_all_once(&[third])?;
    let said = verify()?;
    let words = String::from_utf8_lossy(&said.stdout).into_owned();
    ensure!(said.status.success() && words.contains("GENUINE slip") && words.contains("T-02"), "{words}");
    // Once is enough.
    let again = scene.enrol(&server.typed_code(STATION)?)?;
    ensure!(String::from_utf8_lossy(&again.stderr).contains("enrolled already"), "{again:?}");
    assert_eq!(server.number("SELECT COUNT(*) FROM enrol_code WHERE used_by IS NULL")?, 1);
    Ok(())
}

#[test]
fn a_return_killed_at_any_step_is_ended_by_the_same_command() -> Result<()> {
    let scene = Scene::new()?;
    let (server, data) = (&scene.server, scene.terminal());
    let code = format!("--code={}", server.typed_code(STATION)?);
    for name in ["terminal::enrol::before_exchange", "terminal::return::before_commit"] {
        let plan = Plan { point: named(name)?, nth: 1, action: Action::Kill(0) };
        let ended = life(&data, server, Some(plan), &["--again", &code, "--submissions=0"])?;
        assert_eq!(ended, Some(End::Killed), "{name}");
        assert_eq!(identity(&data)?, scene.before, "{name}");
    }
    let known = "SELECT COUNT(*) FROM terminal WHERE id = 'T-02'";
    assert_eq!(server.number(known)?, 1, "the centre had answered");
    let ended = life(&data, server, None, &["--again", &code, "--submissions=1", "--must-settle"])?;
    assert_eq!(ended, Some(End::Done));
    ensure!(identity(&data)?.certified != scene.before.certified, "the answer is kept");
    scene.assert_all_once(&[])
}
