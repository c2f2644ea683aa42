//! A private pcscd with the simulated reader in it, in a mount namespace of its own: for tests and demonstrations.
//!
//! Nothing of the machine is changed: the daemon sees its own `/run`, and what it puts there lies in the
//! caller's directory. Clients find it by `PCSCLITE_CSOCK_NAME` = [`Daemon::client_socket`]. Needs root, or
//! unprivileged user namespaces. It ends with the process that started it, even a killed one.
use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use crate::control::{Control, ControlError};
use crate::{LIBRARY_FILE, VPCD_LIBRARY, reader_conf, vpcd_conf};

/// How long the daemon may take to start or to end.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How often it is looked at while it starts or ends.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Longest path of a Unix socket.
const MAX_SOCKET_PATH: usize = 100;
/// Most bytes of the daemon's log that an error tells.
const MAX_LOG_LEN: usize = 2000;

/// Most simulated readers in one daemon.
const MAX_READERS: usize = 4;

/// Puts the directory `$1` in the place of `/run/pcscd` for this process only, then becomes pcscd.
const ENTER: &str = "mount -t tmpfs tmpfs /run && mkdir /run/pcscd && mount --bind \"$1\" /run/pcscd \
                     && exec setpriv --pdeathsig KILL pcscd --foreground --config \"$2\"";

/// Why there is no private daemon.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The directory's path is too long for a socket in it.
    #[error("the path {0} is too long for a socket")]
    PathTooLong(PathBuf),
    /// The library of the simulated reader is not there: build the package `virtual-reader`.
    #[error("there is no {LIBRARY_FILE} at {0}")]
    NoLibrary(PathBuf),
    /// A file or process could not be made.
    #[error("cannot start a private pcscd")]
    Start(#[source] io::Error),
    /// The daemon ended or did not become ready in time; the payload is the end of its log.
    #[error("the private pcscd did not start: {0}")]
    NotReady(String),
}

/// A running private pcscd; dropping it ends it.
#[derive(Debug)]
pub struct Daemon {
    directory: PathBuf,
    readers: usize,
    child: Option<Child>,
}

impl Daemon {
    /// Starts a pcscd that keeps everything in `directory` (not below `/run`) and loads `library` as one simulated
    /// reader. Returns when clients can connect and the reader answers.
    ///
    /// # Errors
    /// [`DaemonError`].
    pub fn start(directory: &Path, library: &Path) -> Result<Self, DaemonError> {
        Self::start_readers(directory, library, 1)
    }

    /// As [`Daemon::start`], with several readers, at least one and at most four.
    ///
    /// # Errors
    /// [`DaemonError`].
    pub fn start_readers(directory: &Path, library: &Path, readers: usize) -> Result<Self, DaemonError> {
        let library = library.canonicalize().map_err(|_| DaemonError::NoLibrary(library.to_path_buf()))?;
        let readers = readers.clamp(1, MAX_READERS);
        let mut daemon = Self::prepare(directory, readers)?;
        for number in 0..readers {
            let conf = reader_conf(&library, &daemon.control_socket_of(number));
            std::fs::write(daemon.conf().join(format!("reader-{number}")), conf)
                .map_err(DaemonError::Start)?;
        }
        daemon.restart()?;
        Ok(daemon)
    }

    /// Starts a pcscd with the virtual reader vpcd, which takes cards at this port ([`crate::vpcd`]), and no other.
    ///
    /// # Errors
    /// [`DaemonError`]; `NoLibrary` without the package vsmartcard-vpcd.
    pub fn start_vpcd(directory: &Path, port: u16) -> Result<Self, DaemonError> {
        if !Path::new(VPCD_LIBRARY).exists() {
            return Err(DaemonError::NoLibrary(VPCD_LIBRARY.into()));
        }
        let mut daemon = Self::prepare(directory, 0)?;
        std::fs::write(daemon.conf().join("vpcd"), vpcd_conf(port)).map_err(DaemonError::Start)?;
        daemon.restart()?;
        Ok(daemon)
    }

    /// The directories of a daemon that does not run yet.
    fn prepare(directory: &Path, readers: usize) -> Result<Self, DaemonError> {
        if directory.as_os_str().len() + "/run/pcscd.comm".len() > MAX_SOCKET_PATH {
            return Err(DaemonError::PathTooLong(directory.to_path_buf()));
        }
        let daemon = Self { directory: directory.to_path_buf(), readers, child: None };
        std::fs::create_dir_all(daemon.run()).map_err(DaemonError::Start)?;
        std::fs::create_dir_all(daemon.conf()).map_err(DaemonError::Start)?;
        Ok(daemon)
    }

    /// The socket for clients: set `PCSCLITE_CSOCK_NAME` to it before the first PC/SC call of a process. It stays
    /// the same when the daemon is restarted.
    pub fn client_socket(&self) -> PathBuf {
        self.run().join("pcscd.comm")
    }

    /// The control socket of the (first) simulated reader.
    pub fn control_socket(&self) -> PathBuf {
        self.control_socket_of(0)
    }

    /// The control socket of a simulated reader, counted from 0.
    pub fn control_socket_of(&self, number: usize) -> PathBuf {
        self.directory.join(format!("reader{number}.sock"))
    }

    /// A new connection to the control socket of the (first) simulated reader.
    ///
    /// # Errors
    /// [`ControlError::Connect`].
    pub fn control(&self) -> Result<Control, ControlError> {
        Control::connect(&self.control_socket())
    }

    /// The daemon's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills the daemon (`kill -9`) and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; then there is only its state to collect.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the daemon again, killing it first if it runs. The reader is then as new.
    ///
    /// # Errors
    /// [`DaemonError`].
    pub fn restart(&mut self) -> Result<(), DaemonError> {
        self.kill();
        // A killed daemon leaves these behind; a new one would take the second for a running daemon's.
        for stale in ["pcscd.comm", "pcscd.pid"] {
            let _ = std::fs::remove_file(self.run().join(stale));
        }
        let log = File::create(self.log()).map_err(DaemonError::Start)?;
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command.args(["--mount", "sh", "-c", ENTER, "sh"]).arg(self.run()).arg(self.conf());
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(DaemonError::Start)?).stderr(log);
        self.child = Some(spawn_for_process(command).map_err(DaemonError::Start)?);
        self.wait_ready()
    }

    fn wait_ready(&mut self) -> Result<(), DaemonError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let ready = UnixStream::connect(self.client_socket()).is_ok()
                && (0..self.readers).all(|number| self.answers(number));
            if ready {
                return Ok(());
            }
            let ended = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || Instant::now() > deadline {
                self.kill();
                return Err(DaemonError::NotReady(self.log_end()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn answers(&self, number: usize) -> bool {
        Control::connect(&self.control_socket_of(number)).is_ok_and(|mut control| control.status().is_ok())
    }

    fn log_end(&self) -> String {
        let log = std::fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(MAX_LOG_LEN)..]).trim().to_owned()
    }

    fn run(&self) -> PathBuf {
        self.directory.join("run")
    }

    fn conf(&self) -> PathBuf {
        self.directory.join("conf")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("pcscd.log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The library that cargo built for the running program or test: beside it, in `deps` or one directory up; the
/// newest of them.
///
/// # Errors
/// [`DaemonError::NoLibrary`] if there is none.
pub fn find_library() -> Result<PathBuf, DaemonError> {
    let program = std::env::current_exe().map_err(DaemonError::Start)?;
    let beside = program.parent().unwrap_or(Path::new("/"));
    let above = beside.parent().unwrap_or(Path::new("/"));
    [beside.to_path_buf(), beside.join("deps"), above.to_path_buf()]
        .into_iter()
        .map(|place| place.join(LIBRARY_FILE))
        .filter_map(|path| Some((std::fs::metadata(&path).ok()?.modified().ok()?, path)))
        .max()
        .map(|(_, path)| path)
        .ok_or_else(|| DaemonError::NoLibrary(beside.join(LIBRARY_FILE)))
}

/// Starts a child from a thread that lives as long as this process.
///
/// `PR_SET_PDEATHSIG` fires when the *thread* that started the child ends, and a test's thread ends with the test.
///
/// # Errors
/// As [`Command::spawn`].
pub fn spawn_for_process(command: Command) -> io::Result<Child> {
    type Request = (Command, SyncSender<io::Result<Child>>);
    static KEEPER: OnceLock<Sender<Request>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (requests, incoming) = channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in incoming {
                // Whoever asked waits for the answer; if it is gone, the child ends with its handle's owner: nobody.
                let _ = answer.send(command.spawn());
            }
        });
        requests
    });
    let (answer, result) = sync_channel(1);
    keeper
        .send((command, answer))
        .map_err(|_| io::Error::other("the thread that starts children has ended"))?;
    result.recv().map_err(|_| io::Error::other("the thread that starts children has ended"))?
}
