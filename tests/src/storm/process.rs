//! Processes of a storm: lives of a terminal and of the server, each a child of the thread that started it.
//!
//! A child dies with its thread (parent death signal), is waited for, and is killed when its guard is dropped.
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::points::Plan;
use crate::binaries::repository;
use crate::device::STATION;

/// How often a child is looked at.
const GLANCE: Duration = Duration::from_millis(2);
/// The longest start of a server on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running child; dropping it kills it.
pub struct Process {
    child: Child,
    log: PathBuf,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By SIGKILL.
    Killed,
    /// By itself, well.
    Done,
}

impl Process {
    /// Starts `kill-storm` with these arguments; its log is appended to a file.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(program: &Path, plan: Option<Plan>, arguments: &[String], log: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg(arguments.first().context("a subcommand")?);
        if let Some(plan) = plan {
            command.arg("--plan").arg(plan.to_string());
        }
        let errors = File::options().create(true).append(true).open(log)?;
        let child = command
            .args(&arguments[1..])
            .current_dir(repository())
            .env_remove("JINBAN_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .with_context(|| program.display().to_string())?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// If it ended badly; with the end of its log.
    pub fn ended(&mut self) -> Result<Option<End>> {
        self.child.try_wait()?.map(|s| self.judge(s)).transpose()
    }

    /// Waits for its end, at most this long; none if it still runs.
    ///
    /// # Errors
    /// As [`Process::ended`].
    pub fn wait(&mut self, most: Duration) -> Result<Option<End>> {
        let end = Instant::now() + most;
        loop {
            if let Some(ended) = self.ended()? {
                return Ok(Some(ended));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            std::thread::park_timeout(left.min(GLANCE));
        }
    }

    /// Kills it (`kill -9`) and waits until it is gone.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn judge(&self, status: ExitStatus) -> Result<End> {
        match (status.success(), status.signal()) {
            (true, _) => Ok(End::Done),
            (_, Some(9)) => Ok(End::Killed),
            _ => {
                let text = std::fs::read_to_string(&self.log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().rev().take(12).collect();
                let tail: Vec<&str> = lines.into_iter().rev().collect();
                bail!("a process ended with {status}; {}:\n{}", self.log.display(), tail.join("\n"))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server's folder, and how its lives are started.
pub struct ServerFolder {
    /// The `kill-storm` program.
    pub program: PathBuf,
    /// Its data folder.
    pub data: PathBuf,
}

impl ServerFolder {
    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    fn ready(&self) -> PathBuf {
        self.data.with_extension("ready")
    }

    /// Starts a life, armed or not; the second part is the terminals' address, if it came up alive.
    ///
    /// # Errors
    /// If it can neither start nor was killed at its point.
    pub fn start(&self, plan: Option<Plan>) -> Result<(Process, Option<String>)> {
        let ready = self.ready();
        let _ = std::fs::remove_file(&ready);
        let words = ["server", "--", "serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0"];
        let mut arguments: Vec<String> = words.map(str::to_owned).to_vec();
        arguments.extend(["--metrics", "off", "--log", "warn"].map(str::to_owned));
        arguments.extend(["--data".to_owned(), self.data.display().to_string()]);
        arguments.extend(["--ready-file".to_owned(), ready.display().to_string()]);
        let mut process = Process::start(&self.program, plan, &arguments, &self.log())?;
        let end = Instant::now() + START;
        while Instant::now() < end {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                let ready: Value = serde_json::from_str(&text)?;
                return Ok((process, Some(ready["terminals"].as_str().context("an address")?.to_owned())));
            }
            match process.wait(GLANCE)? {
                Some(End::Killed) => return Ok((process, None)),
                Some(End::Done) => bail!("the server ended before it was ready"),
                None => {}
            }
        }
        bail!("the server did not get ready; see {}", self.log().display())
    }

    /// Runs a command of the server on its data, such as `backup`, with what happens at a point.
    ///
    /// # Errors
    /// If it cannot be started; how it ended is the caller's to judge.
    pub fn command(&self, plan: Option<Plan>, name: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command.arg("server");
        if let Some(plan) = plan {
            command.arg("--plan").arg(plan.to_string());
        }
        command.args(["--", name, "--data"]).arg(&self.data).args(arguments);
        Ok(command.current_dir(repository()).env_remove("JINBAN_LOG").output()?)
    }

    /// Makes a key of suite 2, puts it into force and chooses its suite, as an operator does.
    ///
    /// # Errors
    /// If a command fails.
    pub fn seal_in_suite_two(&self) -> Result<()> {
        let said = |arguments: &[&str]| -> Result<Value> {
            let output = self.command(None, "sealing-keys", arguments)?;
            serde_json::from_slice(&output.stdout)
                .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let made = said(&["make", "--suite", "2", "--json"])?;
        said(&["use", made["id"].as_str().context("an id")?, "--json"])?;
        said(&["suite", "2", "--json"])?;
        Ok(())
    }

    /// A one-time code for the station of all tests, with the fingerprint of the authority.
    ///
    /// # Errors
    /// If the command fails.
    pub fn enrol_code(&self) -> Result<String> {
        let output = self.command(None, "enrol-code", &["--json", "--station", STATION])?;
        let answer: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok(answer["typed"].as_str().context("a code")?.to_owned())
    }
}
