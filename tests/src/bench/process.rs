//! Programs that a bench starts: the ones built beside it in the same profile, ended when their guard is dropped.
//!
//! Refuses to build: `cargo xtask bench` has done that, without failpoints.
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

/// How long a program may take to get ready or to end.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(2);

/// Path of a program that was built beside this one.
///
/// # Errors
/// If it is not there.
pub fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.parent().unwrap_or(Path::new(".")).join(name);
    if !path.exists() {
        bail!("{} is not there: run `cargo xtask bench`, which builds it", path.display());
    }
    Ok(path)
}

/// A command for a program that the kernel ends when this one dies, free of settings meant for another run.
pub fn tied(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("JINBAN_") {
            command.env_remove(name);
        }
    }
    command
}

/// A running program.
pub struct Program {
    child: Child,
    name: String,
}

impl Program {
    /// Starts a command; what it says goes to a log file beside its data.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let file = std::fs::File::options().create(true).append(true).open(log)?;
        command.stderr(file.try_clone()?);
        if command.get_args().any(|a| a == "-displayfd") {
            command.stdout(std::fs::File::create(log.with_extension("out"))?);
        } else {
            command.stdout(file);
        }
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a condition gives a value while the program runs.
    ///
    /// # Errors
    /// If the program ends, three minutes pass, or the condition fails.
    pub fn wait_for<T>(&mut self, what: &str, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = condition()? {
                return Ok(value);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before {what}", self.name);
            }
            if Instant::now() > deadline {
                bail!("{}: {what} did not come within {} s", self.name, PATIENCE.as_secs());
            }
            pause(LOOK);
        }
    }

    /// Waits for its end by itself; true if it ended well.
    ///
    /// # Errors
    /// If it does not end within three minutes.
    pub fn ended(&mut self) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            pause(LOOK);
        }
        bail!("{} did not end", self.name)
    }

    /// Asks it to end and waits until it is gone.
    ///
    /// # Errors
    /// If it had to be killed.
    pub fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        if self.ended().is_err() {
            self.child.kill()?;
            self.child.wait()?;
            bail!("{} had to be killed", self.name);
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// Lets time pass: between two looks at a condition, or while a running program is watched.
pub fn pause(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|l| !l.is_zero()) {
        std::thread::park_timeout(left);
    }
}
