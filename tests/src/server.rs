//! The real sync server as a process: on free ports, in a folder of its own, stopped when dropped.
//!
//! Its end is part of every test: it stops with exit code 0, leaves no half-written file, and its log holds no
//! personal data that tests use.
mod commands;
mod store;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use sync_server::auth::role::Role;

use crate::binaries::{binary, repository};
use crate::http::Answer;
use crate::people::Person;

pub use commands::{command_in, command_with};
use store::story_database;

/// Start and stop may take this long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Names the database of stories: `postgresql` runs them on a real PostgreSQL, nothing or `sqlite` on SQLite.
pub const DATABASE_VARIABLE: &str = "JINBAN_TEST_DATABASE";

/// Names, numbers, phones and passwords that tests use; none may appear in a log, a page or an address.
pub const CANARIES: [&str; 4] = ["样小川", "639900199005201035", "13900139000", PASSWORD];

/// The password that people of stories choose.
pub const PASSWORD: &str = "Blue-lake-37";

/// A running server.
pub struct Server {
    /// Address of the terminals' listener.
    pub terminals: String,
    /// Address of the people's listener.
    pub people: String,
    /// Address of the figures, without a path; empty if none are served.
    pub metrics: String,
    data: DataDir,
    /// The address of its store, if it is not in the data folder.
    database: Option<String>,
    child: Option<Child>,
    log: Receiver<String>,
    seen: Vec<String>,
    /// Who looks at pages, once somebody does.
    console: OnceLock<Person>,
}

/// The data folder: its own temporary one, or one that the test keeps.
enum DataDir {
    Own(tempfile::TempDir),
    Kept(PathBuf),
}

impl Server {
    /// Starts a server in a fresh folder.
    ///
    /// # Errors
    /// If it does not get ready; the error holds its log.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server in a fresh folder with further arguments.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with(arguments: &[&str]) -> Result<Self> {
        Self::spawn(DataDir::Own(tempfile::tempdir()?), story_database()?, arguments)
    }

    /// Starts a server in a fresh folder whose listener for terminals speaks TLS.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_secure(arguments: &[&str]) -> Result<Self> {
        Self::start_with(&[&["--terminals-tls=true"], arguments].concat())
    }

    /// Starts a server on the store at an address.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_on(data: &Path, database: &str) -> Result<Self> {
        Self::spawn(DataDir::Kept(data.to_owned()), Some(database.to_owned()), &[])
    }

    /// Starts a server on SQLite in a folder that outlives it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_in(data: &Path) -> Result<Self> {
        Self::spawn(DataDir::Kept(data.to_owned()), None, &[])
    }

    /// Starts a server on SQLite in a folder that outlives it, with the default address for figures unless the
    /// arguments name another.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with_default_metrics(data: &Path, arguments: &[&str]) -> Result<Self> {
        Self::launch(DataDir::Kept(data.to_owned()), None, arguments)
    }

    fn spawn(data: DataDir, database: Option<String>, arguments: &[&str]) -> Result<Self> {
        Self::launch(data, database, &[&["--metrics", "127.0.0.1:0"], arguments].concat())
    }

    fn launch(data: DataDir, database: Option<String>, arguments: &[&str]) -> Result<Self> {
        let secure = arguments.iter().any(|argument| argument.starts_with("--terminals-tls"));
        let mut child = Command::new(binary("sync-server"))
            .args(["serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0"])
            .arg("--data")
            .arg(data.path())
            .arg("--ready-file")
            .arg(data.path().join("ready.json"))
            .args(database.iter().flat_map(|d| ["--database", d]))
            // Most stories look at bytes on the wire, or cut them: plain, unless a story is of TLS.
            .args(if secure { &[][..] } else { &["--terminals-tls=false"] })
            .args(arguments)
            .current_dir(repository())
            .env_remove("JINBAN_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("a pipe")?;
        let (lines, log) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            terminals: String::new(),
            people: String::new(),
            metrics: String::new(),
            data,
            database,
            child: Some(child),
            log,
            seen: Vec::new(),
            console: OnceLock::new(),
        };
        server.wait_for_log("ready:")?;
        let ready: Value = serde_json::from_slice(&std::fs::read(server.data().join("ready.json"))?)?;
        server.terminals = ready["terminals"].as_str().context("terminals")?.to_owned();
        server.people = ready["people"].as_str().context("people")?.to_owned();
        let metrics = ready["metrics"].as_str().unwrap_or_default();
        server.metrics = metrics.trim_end_matches("/metrics").to_owned();
        Ok(server)
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Runs another command of the binary on the same folder.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub fn command(&self, arguments: &[&str]) -> Result<Output> {
        let mut arguments = arguments.to_vec();
        arguments.extend(self.database.iter().flat_map(|d| ["--database", d]));
        command_in(self.data(), &arguments)
    }

    /// A one-time code for a station, from the command line, while the server runs.
    ///
    /// # Errors
    /// If the command fails.
    pub fn enrol_code(&self, station: &str) -> Result<String> {
        self.code_as("code", station)
    }

    /// As [`Server::enrol_code`], with the fingerprint of the centre: what a technician types.
    ///
    /// # Errors
    /// If the command fails.
    pub fn typed_code(&self, station: &str) -> Result<String> {
        self.code_as("typed", station)
    }

    fn code_as(&self, field: &str, station: &str) -> Result<String> {
        let output = self.command(&["enrol-code", "--station", station, "--json"])?;
        let answer: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok(answer[field].as_str().context("a code")?.to_owned())
    }

    /// Somebody who may open every page; made when it is needed first.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn console(&self) -> Result<&Person> {
        if let Some(person) = self.console.get() {
            return Ok(person);
        }
        let person = self.person(&[Role::Reviewer, Role::Operator, Role::Admin])?;
        Ok(self.console.get_or_init(|| person))
    }

    /// A page of the people's listener, as the one who may open every page sees it.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn page(&self, path: &str) -> Result<Answer> {
        self.page_of(self.console()?, path)
    }

    /// Waits until the log has a line with this text; lines are JSON objects.
    ///
    /// # Errors
    /// After the server's end or a minute; the error holds the log.
    pub fn wait_for_log(&mut self, text: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        if self.seen.iter().any(|l| l.contains(text)) {
            return Ok(());
        }
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let found = line.contains(text);
                    self.seen.push(line);
                    if found {
                        return Ok(());
                    }
                }
                Err(e) => bail!("{e} before `{text}`; log:\n{}", self.seen.join("\n")),
            }
        }
    }

    /// Ends the process at once, as a power cut of the process would.
    ///
    /// # Errors
    /// If it cannot be ended.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts again in the same folder, on other ports.
    ///
    /// # Errors
    /// As [`Server::start`], and if it did not stop cleanly before.
    pub fn restart(mut self) -> Result<Self> {
        self.stop()?;
        self.again()
    }

    /// Kills it (`kill -9`) and starts again in the same folder, on other ports.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn kill_and_restart(mut self) -> Result<Self> {
        self.kill()?;
        self.again()
    }

    fn again(mut self) -> Result<Self> {
        let kept = DataDir::Kept(self.data().to_owned());
        let data = std::mem::replace(&mut self.data, kept);
        let tls = if self.terminals.starts_with("https://") { &["--terminals-tls=true"][..] } else { &[] };
        Self::spawn(data, self.database.clone(), tls)
    }

    /// Stops in order and checks what is left behind.
    ///
    /// # Errors
    /// If it does not end with exit code 0, leaves half-written files, or logged personal data.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    child.wait()?;
                    bail!("the server did not stop; log:\n{}", self.seen.join("\n"));
                }
            }
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}; log:\n{}", self.seen.join("\n"));
        }
        self.nothing_left_behind()
    }

    fn nothing_left_behind(&self) -> Result<()> {
        for entry in std::fs::read_dir(self.data())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if ![
                "server.db",
                "server.lock",
                "keys",
                "tuf",
                "blobs",
                "uploads",
                "backup.pub",
                "erasures.journal",
                "carriers.json",
                "payments.json",
                "partners.json",
            ]
            .contains(&name.as_str())
            {
                bail!("{name} was left behind");
            }
        }
        for line in &self.seen {
            if let Some(canary) = CANARIES.iter().find(|c| line.contains(*c)) {
                bail!("the log shows {canary}: {line}");
            }
            serde_json::from_str::<Value>(line).with_context(|| format!("not a JSON log line: {line}"))?;
        }
        Ok(())
    }
}

impl DataDir {
    fn path(&self) -> &Path {
        match self {
            Self::Own(dir) => dir.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let result = self.stop();
        if !std::thread::panicking() {
            assert!(result.is_ok(), "{:?}", result.err());
        }
    }
}
