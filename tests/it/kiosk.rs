//! A terminal as it stands in the hall: a real pcscd with the simulated reader, people who walk away, a window that
//! dies.
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hardware::card_file;
use hardware::card_reader::{ReadError, ReaderStatus};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use terminal::clock::ManualClock;
use terminal::command::Command;
use terminal::config::{Config, ReaderChoice};
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, Look, Model, Screen, TextSize};
use terminal::runtime::Outside;
use terminal::store::Store;
use tests::binaries::{binary, repository};
use tests::centre::Centre;
use tests::device::now_ms;
use tests::pcscd::Pcscd;
use tests::visit::{self, PATIENCE};

/// A server that nobody runs.
const NOBODY: &str = "http://127.0.0.1:9";

/// An enrolled terminal that has no link.
fn enrolled(data: &Path) -> Result<Config> {
    Store::open(data, now_ms())?.save_enrolment(&Centre::default().enrolment()?)?;
    Ok(visit::config(data, NOBODY))
}

fn image(name: &str) -> Result<Vec<u8>> {
    Ok(card_file::load_image(&repository().join("assets/cards").join(format!("{name}.toml")))?.to_vec())
}

fn card(model: &Model) -> Option<CardStep> {
    model.session.as_ref().map(|s| s.card)
}

#[test]
fn a_card_pulled_away_is_asked_for_again_and_then_read_over_pcsc() -> Result<()> {
    let data = tempfile::tempdir()?;
    let config = Config { reader: ReaderChoice::Pcsc, ..enrolled(data.path())? };
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let mut terminal = visit::start(&config);
    ensure!(terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty));
    visit::search(&mut terminal)?;
    visit::begin(&mut terminal)?;
    hand.remove_mid_read()?;
    hand.insert(&image("courier")?)?;
    let asked = terminal.wait_until(PATIENCE, |m| {
        card(m) == Some(CardStep::Failed(ReadError::Removed)) && m.reader == ReaderStatus::Empty
    });
    ensure!(asked, "the card page says {:?}", card(terminal.model()));
    hand.insert(&image("courier")?)?;
    ensure!(terminal.wait_until(PATIENCE, |m| card(m) == Some(CardStep::Done)));
    terminal.command(Command::Continue);
    visit::fill(&mut terminal)?;
    let slip = visit::submit(&mut terminal)?;
    assert!(slip.masked_name.starts_with("样*") && slip.masked_name != "样小川", "{}", slip.masked_name);
    // Lifting a contactless card ends nothing.
    hand.remove()?;
    ensure!(terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty));
    assert_eq!(terminal.model().screen, Screen::Slip);
    drop(terminal);
    Ok(())
}

#[test]
fn a_person_who_walks_away_leaves_nothing_on_the_screen() -> Result<()> {
    let data = tempfile::tempdir()?;
    let config = enrolled(data.path())?;
    let clock = Arc::new(ManualClock::at(now_ms()));
    let outside = Outside { clock: clock.clone(), ..Outside::default() };
    let mut terminal = HeadlessTerminal::start_with(&config, outside);
    visit::search(&mut terminal)?;
    visit::identify(&mut terminal, data.path())?;
    terminal.command(Command::Answer { key: "phone".to_owned(), value: visit::PHONE.into() });
    terminal.command(Command::SetHighContrast(true));
    clock.advance(61_000);
    ensure!(terminal.wait_until(PATIENCE, |m| m.idle.seconds_left.is_some()), "no countdown");
    assert!(terminal.model().session.is_some(), "nobody loses anything during the countdown");
    clock.advance(20_000);
    ensure!(terminal.wait_until(PATIENCE, |m| m.screen == Screen::Attract), "nothing ended");
    let model = terminal.model();
    assert!(model.session.is_none() && model.history.is_empty());
    assert_eq!((model.search.query.as_str(), model.look), ("", Look::default()));
    // The next person finds no trace, and an empty list of cases.
    visit::lift(data.path())?;
    ensure!(terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty));
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::MyCases);
    visit::lay(data.path(), "elder")?;
    ensure!(terminal.wait_until(PATIENCE, |m| card(m) == Some(CardStep::Done)));
    terminal.command(Command::Continue);
    let listed = |m: &Model| m.session.as_ref().and_then(|s| s.cases.as_ref()).map(Vec::len);
    ensure!(terminal.wait_until(PATIENCE, |m| listed(m) == Some(0)));
    Ok(())
}

#[test]
fn closing_does_not_wait_for_a_link_that_does_not_answer() -> Result<()> {
    let data = tempfile::tempdir()?;
    enrolled(data.path())?;
    // It takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let terminal = visit::start(&visit::config(data.path(), &format!("http://{}", silent.local_addr()?)));
    let _connection = silent.accept()?;
    let started = Instant::now();
    drop(terminal);
    assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
    Ok(())
}

/// `terminal run` on a machine without a display, so that its window dies again and again.
struct Supervisor {
    child: Child,
    log: Receiver<String>,
}

impl Supervisor {
    fn start(data: &Path) -> Result<Self> {
        let mut child = Process::new(binary("terminal"))
            .args(["run", "--reader", "none", "--server", NOBODY, "--window", "1280x800", "--data"])
            .arg(data)
            .arg("--assets")
            .arg(repository().join("assets"))
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .env_remove("JINBAN_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stderr.take().context("a pipe")?).lines();
        let (sender, log) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(Self { child, log })
    }

    /// Process id of the next window that is started.
    fn next_window(&self) -> Result<Pid> {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.log.recv_timeout(end.saturating_duration_since(Instant::now()))?;
            let Ok(entry) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            if let Some(pid) = entry["window.pid"].as_i64() {
                return Pid::from_raw(i32::try_from(pid)?).context("a process id");
            }
        }
    }

    /// Waits until nobody writes to the log any more: supervisor and window are gone.
    fn log_ends(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => bail!("somebody still holds the log"),
            }
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_window_that_dies_is_started_again_until_the_supervisor_is_told_to_end() -> Result<()> {
    let data = tempfile::tempdir()?;
    enrolled(data.path())?;
    let mut supervisor = Supervisor::start(data.path())?;
    let windows = [supervisor.next_window()?, supervisor.next_window()?, supervisor.next_window()?];
    assert!(windows[0] != windows[1] && windows[1] != windows[2]);
    let own = Pid::from_raw(i32::try_from(supervisor.child.id())?).context("a process id")?;
    kill_process(own, Signal::TERM)?;
    let status = supervisor.child.wait()?;
    assert!(status.success(), "{status}");
    supervisor.log_ends()?;
    assert!(test_kill_process(windows[2]).is_err(), "the last window is still there");
    Ok(())
}

#[test]
fn no_window_outlives_its_supervisor() -> Result<()> {
    let data = tempfile::tempdir()?;
    enrolled(data.path())?;
    let mut supervisor = Supervisor::start(data.path())?;
    supervisor.next_window()?;
    supervisor.child.kill()?;
    supervisor.child.wait()?;
    supervisor.log_ends()
}
