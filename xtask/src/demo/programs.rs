//! The real programs of a demo: card reader service, sync server and terminal, with their logs and their certain
//! end.
//!
//! Refuses to know what is shown: it starts, stops and asks; the story acts.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use virtual_reader::LIBRARY_FILE;
use virtual_reader::daemon::{Daemon, find_library};

use super::accessibility::Bus;
use super::database::Database;
use super::display::Display;
use super::screen_size::ScreenSize;
use crate::process::{Interrupt, Running, output, tied, wait_until};
use crate::{progress, workspace};

/// Where the first terminal of the demo stands (a sample station of the catalogue).
const STATION: &str = "XN-CCB-CD-01";
/// Names the control socket of a virtual reader in the machine's own pcscd, where no private one can be started.
const SHARED_READER_VARIABLE: &str = "JINBAN_VIRTUAL_READER";
const START_LIMIT: Duration = Duration::from_secs(60);
/// Any free port.
const ANY: &str = "127.0.0.1:0";

/// The card reader service with the virtual reader in it.
pub enum ReaderService {
    /// Our own pcscd, in its own corner of the file system.
    Private(Daemon),
    /// The machine's pcscd, in which somebody installed the virtual reader.
    Shared(PathBuf),
}

impl ReaderService {
    /// Starts a private service, or takes the one that the environment names.
    ///
    /// # Errors
    /// If neither is possible.
    pub fn start(scratch: &Path) -> Result<Self> {
        let library = find_library().context("the virtual reader is not built")?;
        let folder = scratch.join("pcscd");
        std::fs::create_dir_all(&folder).context("cannot make a folder for pcscd")?;
        // A copy: cargo may build the library anew while pcscd has it loaded.
        let copy = folder.join(LIBRARY_FILE);
        std::fs::copy(&library, &copy).context("cannot copy the virtual reader's library")?;
        match (Daemon::start(&folder, &copy), std::env::var_os(SHARED_READER_VARIABLE)) {
            (Ok(daemon), _) => Ok(Self::Private(daemon)),
            (Err(error), Some(control)) => {
                progress::note(&format!("no private pcscd ({error}): using the reader in the machine's own"));
                Ok(Self::Shared(PathBuf::from(control)))
            }
            (Err(error), None) => Err(error).context(format!(
                "no private pcscd; run this as root, or name the control socket of a virtual reader in the \
                 machine's own pcscd in {SHARED_READER_VARIABLE}"
            )),
        }
    }

    /// Where cards are laid down.
    pub fn control_socket(&self) -> PathBuf {
        match self {
            Self::Private(daemon) => daemon.control_socket(),
            Self::Shared(control) => control.clone(),
        }
    }

    fn apply(&self, command: &mut Command) {
        match self {
            Self::Private(daemon) => command.env("PCSCLITE_CSOCK_NAME", daemon.client_socket()),
            Self::Shared(_) => command.env_remove("PCSCLITE_CSOCK_NAME"),
        };
    }
}

/// What the server writes once it accepts.
#[derive(Debug, Clone, Deserialize)]
pub struct Addresses {
    /// For terminals.
    pub terminals: String,
    /// For people.
    pub people: String,
}

/// The sync server on its data folder; it can be stopped and started again at the same addresses.
pub struct Server {
    data: PathBuf,
    database: Option<String>,
    log: PathBuf,
    addresses: Addresses,
    running: Option<Running>,
}

impl Server {
    /// Starts it on free ports.
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn start(database: &Database, scratch: &Path, logs: &Path, interrupt: &Interrupt) -> Result<Self> {
        let addresses = Addresses { terminals: String::new(), people: String::new() };
        let (data, log) = (scratch.join("server"), logs.join("server.log"));
        let database = database.address().map(str::to_owned);
        let mut server = Self { data, database, log, addresses, running: None };
        server.serve(ANY.to_owned(), ANY.to_owned(), interrupt)?;
        Ok(server)
    }

    /// Where it is reached.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// A one-time code for a new terminal.
    ///
    /// # Errors
    /// If the server's program says so.
    pub fn enrol_code(&self) -> Result<String> {
        let answer = self.ask(&["enrol-code", "--station", STATION])?;
        Ok(answer["typed"].as_str().context("enrol-code gave no code")?.to_owned())
    }

    /// Runs a command of the server's program on its store.
    ///
    /// # Errors
    /// If the program says so.
    pub fn ask(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let mut command = program("sync-server");
        command.args(arguments).args(["--json", "--data"]).arg(&self.data);
        command.args(self.database.iter().flat_map(|d| ["--database", d]));
        serde_json::from_str(&output(command)?).with_context(|| format!("{arguments:?}: not JSON"))
    }

    /// Stops it in order (SIGTERM).
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// If it does not get ready, or somebody took its ports meanwhile.
    pub fn start_again(&mut self, interrupt: &Interrupt) -> Result<()> {
        let bare = |address: &str| address.split_once("://").map_or(address, |(_, bare)| bare).to_owned();
        self.serve(bare(&self.addresses.terminals), bare(&self.addresses.people), interrupt)
    }

    /// An error if it ended by itself.
    ///
    /// # Errors
    /// As said.
    pub fn must_run(&mut self) -> Result<()> {
        self.running.as_mut().map_or(Ok(()), Running::must_run)
    }

    fn serve(&mut self, terminals: String, people: String, interrupt: &Interrupt) -> Result<()> {
        let ready = self.data.with_extension("ready");
        let _ = std::fs::remove_file(&ready);
        let mut command = tied(workspace::built("sync-server"));
        clean(&mut command);
        command.args(["serve", "--terminals", &terminals, "--people", &people, "--data"]).arg(&self.data);
        command.arg("--assets").arg(workspace::assets("")).arg("--ready-file").arg(&ready);
        command.args(self.database.iter().flat_map(|d| ["--database", d]));
        let mut running = Running::start("sync-server", command, &self.log)?;
        let addresses = wait_until(START_LIMIT, interrupt, || {
            running.must_run()?;
            Ok(std::fs::read(&ready).ok().and_then(|text| serde_json::from_slice(&text).ok()))
        })?;
        let Some(addresses) = addresses else { bail!("sync-server did not get ready{}", running.log_tail()) };
        self.addresses = addresses;
        self.running = Some(running);
        Ok(())
    }
}

/// The terminal: its supervisor, which keeps the window process alive.
pub struct Terminal {
    data: PathBuf,
    supervisor: Running,
}

/// Where a terminal's window, reader and server are.
pub struct Surroundings<'a> {
    /// For its data.
    pub scratch: &'a Path,
    /// For its log.
    pub logs: &'a Path,
    /// Card reader service.
    pub reader: &'a ReaderService,
    /// Where the window appears.
    pub display: &'a Display,
    /// Who reads the window's tree.
    pub bus: Option<&'a Bus>,
    /// How large the window is.
    pub size: ScreenSize,
}

impl Terminal {
    /// Makes it known to the server with a one-time code and opens its window.
    ///
    /// # Errors
    /// If either does not work.
    pub fn start(around: &Surroundings<'_>, server: &Server) -> Result<Self> {
        let data = around.scratch.join("terminal");
        let address = &server.addresses().terminals;
        let mut enrol = program("terminal");
        enrol.args(["enrol", "--server", address, "--code", &server.enrol_code()?]);
        folders(&mut enrol, &data);
        output(enrol).context("the terminal could not be enrolled")?;
        let mut run = tied(workspace::built("terminal"));
        clean(&mut run);
        run.args(["run", "--server", address, "--reader", "pcsc", "--window", &around.size.to_string()]);
        folders(&mut run, &data);
        around.reader.apply(&mut run);
        around.display.apply(&mut run);
        if let Some(bus) = around.bus {
            bus.apply(&mut run);
        }
        let supervisor = Running::start("terminal", run, &around.logs.join("terminal.log"))?;
        Ok(Self { data, supervisor })
    }

    /// What waits on the machine, as `terminal status --json` tells it.
    ///
    /// # Errors
    /// If the terminal's program says so.
    pub fn status(&self) -> Result<serde_json::Value> {
        let mut command = program("terminal");
        command.args(["status", "--json"]);
        folders(&mut command, &self.data);
        serde_json::from_str(&output(command)?).context("terminal status: not JSON")
    }

    /// Process id of the window process, if there is one now.
    pub fn window_pid(&self) -> Option<u32> {
        child_of(self.supervisor.pid())
    }

    /// An error if the supervisor ended.
    ///
    /// # Errors
    /// As said.
    pub fn must_run(&mut self) -> Result<()> {
        self.supervisor.must_run()
    }

    /// True if the supervisor ended well: somebody closed the window.
    ///
    /// # Errors
    /// If it ended badly.
    pub fn closed(&mut self) -> Result<bool> {
        match self.supervisor.exited()? {
            Some(status) if status.success() => Ok(true),
            _ => self.must_run().map(|()| false),
        }
    }
}

fn folders(command: &mut Command, data: &Path) {
    command.arg("--data").arg(data).arg("--assets").arg(workspace::assets(""));
}

/// What a program says of its version.
///
/// # Errors
/// If it cannot be asked.
pub fn version(name: &str) -> Result<String> {
    let mut command = program(name);
    command.arg("--version");
    output(command).map(|text| text.trim().to_owned())
}

/// A short job of one of the programs.
fn program(name: &str) -> Command {
    let mut command = Command::new(workspace::built(name));
    clean(&mut command);
    command
}

/// The programs see only what they are told here, not what the shell has set for another run.
fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("JINBAN_") {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace::root());
}

/// The first process whose parent is `parent`.
fn child_of(parent: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").ok()?;
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.into_iter().find(|pid| parent_of(*pid) == Some(parent))
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent …`; the name may hold anything, also brackets.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_and_children_are_found() {
        assert_eq!(parent_of(std::process::id()), std::os::unix::process::parent_id().into());
        let dir = tempfile::tempdir().unwrap();
        let mut command = tied("sleep");
        command.arg("600");
        let running = Running::start("sleep", command, &dir.path().join("log")).unwrap();
        assert_eq!(parent_of(running.pid()), Some(std::process::id()));
        assert_eq!(child_of(running.pid()), None);
    }
}
