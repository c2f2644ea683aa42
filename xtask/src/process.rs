//! Programs that a command starts, and their certain end: each is stopped, waited for and gone when its guard is
//! dropped, and is ended by the kernel if this program is killed.
//!
//! Refuses to leave a process behind and to wait without a limit.
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

/// How long a program may take to end after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(6);
/// How often conditions are looked at.
const POLL: Duration = Duration::from_millis(25);
/// Lines of a log that an error repeats.
const LOG_TAIL_LINES: usize = 8;

/// Whether somebody asked this command to stop (Ctrl-C, SIGTERM, a closed shell).
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for the signals from now on.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub fn watch() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
        {
            signal_hook::flag::register(signal, Arc::clone(&flag)).context("cannot watch for signals")?;
        }
        Ok(Self(flag))
    }

    /// True once a signal came.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// An error once a signal came, so that everything unwinds and is cleaned up.
    ///
    /// # Errors
    /// "stopped".
    pub fn check(&self) -> Result<()> {
        if self.came() { bail!("stopped by a signal") } else { Ok(()) }
    }
}

/// Looks at `condition` until it gives a value, `limit` passes (`None`) or a signal comes (an error).
///
/// # Errors
/// An error of the condition, or the signal.
pub fn wait_until<T>(
    limit: Duration,
    interrupt: &Interrupt,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + limit;
    loop {
        interrupt.check()?;
        if let Some(value) = condition()? {
            return Ok(Some(value));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// Runs a command to its end, with its output shown, at most `limit`; then it and its children are killed.
///
/// # Errors
/// Cannot start, ended badly, ran too long, or a signal came.
pub fn run_bounded(mut command: Command, limit: Duration, interrupt: &Interrupt) -> Result<()> {
    command.stdin(Stdio::null());
    run_shown(command, limit, interrupt)
}

/// As [`run_bounded`], for a program that ends with its standard input: that is held open until then.
///
/// # Errors
/// As [`run_bounded`].
pub fn run_held(mut command: Command, limit: Duration, interrupt: &Interrupt) -> Result<()> {
    command.stdin(Stdio::piped());
    run_shown(command, limit, interrupt)
}

fn run_shown(mut command: Command, limit: Duration, interrupt: &Interrupt) -> Result<()> {
    let name = display(&command);
    command.process_group(0);
    let child = command.spawn().with_context(|| format!("cannot start `{name}`"))?;
    let mut running = Running { name: name.clone(), child, log: None, ended: None };
    match wait_until(limit, interrupt, || running.exited())? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`{name}` {}", how_it_ended(status)),
        None => bail!("`{name}` did not end within {} s", limit.as_secs()),
    }
}

/// Runs a short command and gives what it wrote to standard output.
///
/// # Errors
/// Cannot start, or ended badly (with what it wrote to standard error).
pub fn output(mut command: Command) -> Result<String> {
    let name = display(&command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{name}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` {}: {}", how_it_ended(output.status), said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{name}` wrote something that is no text"))
}

/// A command whose process ends when this program dies, however that happens.
pub fn tied(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program.as_ref());
    command
}

/// A running program; dropping it stops it.
pub struct Running {
    name: String,
    child: Child,
    log: Option<PathBuf>,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Starts `command` in a process group of its own; standard output and error go to `log`.
    ///
    /// # Errors
    /// If it cannot be started or the log cannot be written.
    pub fn start(name: &str, command: Command, log: &Path) -> Result<Self> {
        let file = open_log(log)?;
        Self::start_with(name, command, file.try_clone().context("cannot share a log file")?, log)
    }

    /// As [`Running::start`], with standard output in a file of its own.
    ///
    /// # Errors
    /// If it cannot be started or a file cannot be written.
    pub fn start_with(name: &str, mut command: Command, answers: File, log: &Path) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(answers).stderr(open_log(log)?).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child, log: Some(log.to_owned()), ended: None })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// If the process cannot be asked.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().with_context(|| format!("cannot ask after {}", self.name))?;
        }
        Ok(self.ended)
    }

    /// An error with the end of its log if it ended by itself.
    ///
    /// # Errors
    /// As said.
    pub fn must_run(&mut self) -> Result<()> {
        match self.exited()? {
            None => Ok(()),
            Some(status) => bail!("{} {}{}", self.name, how_it_ended(status), self.log_tail()),
        }
    }

    /// Where its log lies and how it ends, for an error message.
    pub fn log_tail(&self) -> String {
        self.log.as_deref().map(log_tail).unwrap_or_default()
    }

    /// Asks it to end, kills it if it does not, and waits until it is gone.
    pub fn stop(&mut self) {
        self.end(GRACE);
    }

    fn end(&mut self, grace: Duration) {
        let group = Pid::from_child(&self.child);
        if self.exited().ok().flatten().is_none() {
            // A signal to a process that ended just now is an error without meaning here.
            let _ = rustix::process::kill_process(group, Signal::TERM);
            let deadline = Instant::now() + grace;
            while self.exited().ok().flatten().is_none() && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
        }
        // Whatever the program left in its group goes with it.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Kills one process at once (SIGKILL).
///
/// # Errors
/// If there is no such process.
pub fn kill_now(pid: u32) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no process id")?;
    rustix::process::kill_process(pid, Signal::KILL).context("cannot kill the process")
}

/// Name and last lines of a log, for an error message.
pub fn log_tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_TAIL_LINES);
    let mut tail = format!("; see {}", log.display());
    for line in lines.iter().skip(from) {
        tail.push_str("\n    | ");
        tail.extend(line.chars().take(300));
    }
    tail
}

fn open_log(log: &Path) -> Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write the log {}", log.display()))
}

fn display(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

fn how_it_ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_alive(pid: u32) -> bool {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        pid.is_some_and(|p| rustix::process::test_kill_process(p).is_ok())
    }

    fn idle() -> Interrupt {
        Interrupt(Arc::new(AtomicBool::new(false)))
    }

    fn shell(script: &str) -> Command {
        let mut command = tied("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_dropped_guard_takes_the_whole_group_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let pids = dir.path().join("pids");
        let script = format!("sleep 600 & echo $! > {}; wait", pids.display());
        let running = Running::start("sleeper", shell(&script), &dir.path().join("log")).unwrap();
        let own = running.pid();
        let child = wait_until(Duration::from_secs(10), &idle(), || {
            Ok(std::fs::read_to_string(&pids).ok().and_then(|t| t.trim().parse::<u32>().ok()))
        });
        let child = child.unwrap().unwrap();
        drop(running);
        assert!(!is_alive(own));
        // The orphan is reaped by init, which may take a moment.
        let gone = wait_until(Duration::from_secs(10), &idle(), || Ok(is_gone(child).then_some(())));
        assert!(gone.unwrap().is_some());
    }

    fn is_gone(pid: u32) -> bool {
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Err(_) => true,
            Ok(stat) => stat.contains(") Z "),
        }
    }

    #[test]
    fn a_program_that_ended_is_reported_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("broken.log");
        let mut running = Running::start("broken", shell("echo no disk >&2; exit 3"), &log).unwrap();
        let error =
            wait_until(Duration::from_secs(10), &idle(), || Ok(running.must_run().err())).unwrap().unwrap();
        let text = error.to_string();
        assert!(
            text.contains("ended with code 3") && text.contains("no disk") && text.contains("broken.log"),
            "{text}"
        );
    }

    #[test]
    fn a_program_that_ends_with_its_input_lives_as_long_as_it_is_held() {
        let interrupt = idle();
        let within = Duration::from_millis(500);
        assert!(run_bounded(Command::new("cat"), within, &interrupt).is_ok(), "it has no input");
        let held = run_held(Command::new("cat"), within, &interrupt);
        assert!(held.is_err_and(|e| e.to_string().contains("did not end")), "it is held");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let error = run_bounded(shell("sleep 600"), Duration::from_millis(200), &idle()).unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }

    #[test]
    fn a_signal_ends_every_wait() {
        let interrupt = Interrupt(Arc::new(AtomicBool::new(true)));
        let outcome = wait_until(Duration::from_secs(60), &interrupt, || Ok(None::<()>));
        assert!(outcome.unwrap_err().to_string().contains("signal"));
    }
}
