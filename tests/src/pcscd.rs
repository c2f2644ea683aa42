//! A real pcscd for a test, with the simulated reader in it, in a mount namespace of its own.
//!
//! libpcsclite remembers the first socket it was told for the whole process, so one test at a time has the daemon:
//! [`Pcscd::lock`] waits for its turn and starts a fresh one under the path that is the same for all. Without root
//! and without user namespaces one shared reader is used under a file lock, and that is said aloud; with `CI` set
//! it is a failure.
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use anyhow::{Context, bail};
use virtual_reader::control::Control;
use virtual_reader::daemon::{Daemon, find_library};

/// Names the control socket of a simulated reader in the machine's own pcscd, for machines that allow nothing else.
pub const SHARED_READER_VARIABLE: &str = "JINBAN_VIRTUAL_READER";

static TURN: Mutex<()> = Mutex::new(());
static SET_SOCKET: Once = Once::new();

/// The daemon and its one reader, for the holder alone. Dropping it ends the daemon and removes its directory.
#[derive(Debug)]
pub struct Pcscd {
    place: Place,
    // Behind `place`: the daemon must be gone before the next holder starts one.
    _turn: MutexGuard<'static, ()>,
}

#[derive(Debug)]
enum Place {
    Private { daemon: Daemon, _directory: Directory },
    Shared { control: PathBuf, _lock: File },
}

/// Removed when dropped.
#[derive(Debug)]
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Pcscd {
    /// Waits for this test's turn and starts the daemon.
    ///
    /// # Errors
    /// If the machine allows neither a private daemon nor names a shared reader.
    pub fn lock() -> anyhow::Result<Self> {
        Self::lock_with_readers(1)
    }

    /// As [`Pcscd::lock`], with several simulated readers in the daemon.
    ///
    /// # Errors
    /// As [`Pcscd::lock`]; the machine's own daemon has one reader only.
    pub fn lock_with_readers(readers: usize) -> anyhow::Result<Self> {
        // A test that failed with the lock held has ended its daemon all the same.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let several = |directory: &Path| {
            let library = find_library().context("looking for the simulated reader's library")?;
            Ok(Daemon::start_readers(directory, &library, readers)?)
        };
        let place = match start_private(several) {
            Ok(place) => place,
            Err(error) if std::env::var_os("CI").is_some() => {
                return Err(error.context("no private pcscd, and CI allows no other"));
            }
            Err(error) if readers > 1 => return Err(error.context("several readers need a private pcscd")),
            Err(error) => share(&error)?,
        };
        Ok(Self { place, _turn: turn })
    }

    /// Waits for this test's turn and starts a daemon with the virtual reader vpcd in it, and no other; gives the port
    /// at which it takes cards. It listens on all addresses while the test runs, as it always does.
    ///
    /// # Errors
    /// If the machine allows no private daemon, or has no vpcd.
    pub fn lock_vpcd() -> anyhow::Result<(Self, u16)> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let port = free_ports()?;
        let place = start_private(|directory| Ok(Daemon::start_vpcd(directory, port)?))?;
        Ok((Self { place, _turn: turn }, port))
    }

    /// A new connection to the control socket of the simulated reader.
    ///
    /// # Errors
    /// If the daemon does not run.
    pub fn control(&self) -> anyhow::Result<Control> {
        let path = match &self.place {
            Place::Private { daemon, .. } => &daemon.control_socket(),
            Place::Shared { control, .. } => control,
        };
        Control::connect(path).context("connecting to the simulated reader")
    }

    /// A new connection to the control socket of one of several simulated readers, counted from 0.
    ///
    /// # Errors
    /// If the daemon does not run or has no such reader.
    pub fn control_of(&self, number: usize) -> anyhow::Result<Control> {
        match &self.place {
            Place::Private { daemon, .. } => Ok(Control::connect(&daemon.control_socket_of(number))?),
            Place::Shared { .. } => bail!("the shared pcscd has one simulated reader"),
        }
    }

    /// The daemon's socket for child processes (`PCSCLITE_CSOCK_NAME`); none if the reader is shared.
    pub fn client_socket(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Private { daemon, .. } => Some(daemon.client_socket()),
            Place::Shared { .. } => None,
        }
    }

    /// Kills the daemon (`kill -9`).
    ///
    /// # Errors
    /// If it is the machine's own.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.private()?.kill();
        Ok(())
    }

    /// Starts the daemon again, with no card on the reader.
    ///
    /// # Errors
    /// If it is the machine's own, or does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.private()?.restart().context("restarting pcscd")
    }

    fn private(&mut self) -> anyhow::Result<&mut Daemon> {
        match &mut self.place {
            Place::Private { daemon, .. } => Ok(daemon),
            Place::Shared { .. } => bail!("the shared pcscd must not be killed; run this test as root"),
        }
    }
}

/// A port that is free together with the next: vpcd has two slots.
fn free_ports() -> anyhow::Result<u16> {
    use std::net::{Ipv4Addr, TcpListener};
    for _ in 0..50 {
        let first = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        let port = first.local_addr()?.port();
        let next = port.checked_add(1).map(|next| TcpListener::bind((Ipv4Addr::UNSPECIFIED, next)));
        if let Some(Ok(_)) = next {
            return Ok(port);
        }
    }
    bail!("no two ports in a row are free")
}

fn start_private(start: impl FnOnce(&Path) -> anyhow::Result<Daemon>) -> anyhow::Result<Place> {
    let directory = Directory(std::env::temp_dir().join(format!("jinban-pcscd-{}", std::process::id())));
    std::fs::create_dir_all(&directory.0).context("making a directory for pcscd")?;
    let daemon = start(&directory.0)?;
    use_service(&daemon.client_socket());
    Ok(Place::Private { daemon, _directory: directory })
}

/// Makes this process find the smart-card service at this socket: the first one counts, for as long as it lives.
pub fn use_service(socket: &Path) {
    SET_SOCKET.call_once(|| {
        // SAFETY: this happens once in the process, before its first PC/SC call: nothing in this crate talks to
        // PC/SC without holding a `Pcscd` or having called this first. Rust code that reads the environment meanwhile
        // shares the standard library's lock; glibc never frees an environment that C code may be reading.
        unsafe { std::env::set_var("PCSCLITE_CSOCK_NAME", socket) };
    });
}

fn share(why: &anyhow::Error) -> anyhow::Result<Place> {
    let Some(control) = std::env::var_os(SHARED_READER_VARIABLE).map(PathBuf::from) else {
        bail!(
            "{why:#}; run the tests as root, or name a simulated reader's control socket in {SHARED_READER_VARIABLE}"
        );
    };
    eprintln!("NO PRIVATE PCSCD ({why:#}): sharing the machine's own, one test at a time");
    let lock = File::create(lock_path(&control)).context("opening the lock of the shared reader")?;
    lock.lock().context("locking the shared reader")?;
    Control::connect(&control)
        .and_then(|mut control| control.reset())
        .context("resetting the shared reader")?;
    Ok(Place::Shared { control, _lock: lock })
}

/// One lock for all processes that name the same reader.
fn lock_path(control: &Path) -> PathBuf {
    let name: String = control.as_os_str().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    std::env::temp_dir().join(format!("jinban-reader-{}.lock", &name[name.len().saturating_sub(64)..]))
}
