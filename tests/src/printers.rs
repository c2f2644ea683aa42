//! A receipt printer that is none: a SIMULATOR on a TCP port that understands what this project sends, keeps the dots,
//! answers status questions, and fails on demand. It proves nothing of any real model.
//!
//! What it does not understand ends the connection and is kept as a complaint, so that a test can say that there was
//! none.
mod call;

use std::fs::File;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, ensure};

use call::talk;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// All is well.
    #[default]
    Well,
    /// The roll has ended.
    NoPaper,
    /// The roll will end soon.
    PaperLow,
    /// The cover is open.
    CoverOpen,
    /// The cutter is stuck.
    Jammed,
    /// Off line for no reason that it tells.
    Offline,
    /// Only a technician helps.
    Broken,
}

impl Condition {
    /// Answers to `DLE EOT` 1 to 4.
    fn answers(self) -> [u8; 4] {
        match self {
            Self::Well => [0x12; 4],
            Self::NoPaper => [0x1a, 0x32, 0x12, 0x72],
            Self::PaperLow => [0x12, 0x12, 0x12, 0x1e],
            Self::CoverOpen => [0x1a, 0x16, 0x12, 0x12],
            Self::Jammed => [0x1a, 0x52, 0x1a, 0x12],
            Self::Offline => [0x1a, 0x12, 0x12, 0x12],
            Self::Broken => [0x1a, 0x52, 0x32, 0x12],
        }
    }

    fn prints(self) -> bool {
        matches!(self, Self::Well | Self::PaperLow)
    }
}

/// What it does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// It works.
    #[default]
    Honest,
    /// Takes connections and never reads.
    NeverReads,
    /// Reads and never answers.
    Mute,
    /// Answers with bytes that mean nothing.
    Garbage,
    /// Answers without end.
    Chatter,
    /// Works, and never says that all was processed.
    NeverDone,
    /// Closes the connection after so many rows.
    ClosesAfter(usize),
    /// Stops reading after so many rows, and keeps the connection.
    StandsAfter(usize),
    /// Comes into this condition after so many rows.
    FailsAfter(usize, Condition),
}

/// Dots that were printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Dots {
    /// Bytes of a row.
    pub bytes_per_row: usize,
    /// All rows.
    pub rows: Vec<u8>,
}

impl std::fmt::Debug for Dots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dots({} bytes a row, {} rows)", self.bytes_per_row, self.count())
    }
}

impl Dots {
    /// How many rows.
    pub fn count(&self) -> usize {
        self.rows.len().checked_div(self.bytes_per_row).unwrap_or(0)
    }

    /// As a picture in a file, for other programs.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &std::path::Path) -> Result<()> {
        Ok(std::fs::write(path, self.png()?)?)
    }

    /// As a picture.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn png(&self) -> Result<Vec<u8>> {
        let width = u32::try_from(self.bytes_per_row * 8)?;
        let picture = image::GrayImage::from_fn(width, u32::try_from(self.count())?, |x, y| {
            let (x, y) = (x as usize, y as usize);
            let byte = self.rows.get(y * self.bytes_per_row + x / 8).copied().unwrap_or(0);
            image::Luma([if byte & (0x80 >> (x % 8)) == 0 { 255 } else { 0 }])
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }
}

#[derive(Default)]
struct State {
    condition: Condition,
    manner: Manner,
    /// Cut paper is held.
    holds: bool,
    held: bool,
    /// Of the strip that was not cut yet.
    open: Dots,
    /// Strips that were cut.
    strips: Vec<Dots>,
    /// Connections so far.
    calls: usize,
    /// What nobody understood.
    complaints: Vec<String>,
    ends: bool,
}

/// A running simulator; dropping ends it.
pub struct ReceiptSimulator {
    address: SocketAddr,
    state: Shared,
    /// None while its plug is pulled.
    listens: Option<JoinHandle<()>>,
}

/// The other end of a serial line (a pseudo terminal) with the same simulator behind it, for one connection.
pub struct SerialSimulator {
    /// As the terminal's settings name it.
    pub place: String,
    /// The simulator.
    pub printer: ReceiptSimulator,
}

impl SerialSimulator {
    /// Starts one.
    ///
    /// # Errors
    /// If the machine has no pseudo terminals.
    pub fn start() -> Result<Self> {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let printer = ReceiptSimulator::start()?;
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = ptsname(&master, Vec::new())?.into_string()?;
        // A line that nobody holds open is closed for its other end as well.
        let held = File::options().read(true).write(true).open(&slave)?;
        let master = File::from(master);
        let (writer, shared) = (master.try_clone()?, Arc::clone(&printer.state));
        std::thread::spawn(move || {
            talk(&master, &writer, &shared);
            drop(held);
        });
        Ok(Self { place: format!("serial:{slave}:115200"), printer })
    }
}

impl ReceiptSimulator {
    /// Starts one on a free port of this machine.
    ///
    /// # Errors
    /// If there is no port.
    pub fn start() -> Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts one at this address: where one was that was unplugged.
    ///
    /// # Errors
    /// If somebody else listens there.
    pub fn start_at(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let state: Shared = Arc::default();
        let shared = Arc::clone(&state);
        let listens = Some(std::thread::spawn(move || serve(&listener, &shared)));
        Ok(Self { address, state, listens })
    }

    /// Pulls its plug: nobody answers at its address. What it has printed is kept.
    pub fn unplug(&mut self) {
        let Some(listens) = self.listens.take() else { return };
        self.change(|state| state.ends = true);
        // The listener waits for a call.
        let _ = TcpStream::connect(self.address);
        let _ = listens.join();
    }

    /// Plugs it in again, at the same address.
    ///
    /// # Errors
    /// If somebody else listens there meanwhile.
    pub fn plug_in(&mut self) -> Result<()> {
        if self.listens.is_none() {
            let listener = TcpListener::bind(self.address)?;
            self.change(|state| (state.ends, state.open) = (false, Dots::default()));
            let shared = Arc::clone(&self.state);
            self.listens = Some(std::thread::spawn(move || serve(&listener, &shared)));
        }
        Ok(())
    }

    /// As the terminal's settings name it.
    pub fn place(&self) -> String {
        format!("tcp:{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.state.1.notify_all();
    }

    /// Puts it into a condition, and makes it honest.
    pub fn set(&self, condition: Condition) {
        self.change(|state| (state.condition, state.manner) = (condition, Manner::Honest));
    }

    /// Gives it a manner.
    pub fn behave(&self, manner: Manner) {
        self.change(|state| state.manner = manner);
    }

    /// From now on it holds what it has cut.
    pub fn hold_paper(&self) {
        self.change(|state| state.holds = true);
    }

    /// Somebody takes the paper.
    pub fn take_paper(&self) {
        self.change(|state| state.held = false);
    }

    /// Strips that were cut.
    pub fn strips(&self) -> Vec<Dots> {
        self.state().strips.clone()
    }

    /// Somebody throws them away.
    pub fn throw_away(&self) {
        self.change(|state| state.strips.clear());
    }

    /// What it did not understand.
    pub fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// Connections so far.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// Waits until so many rows of a strip that is not cut yet came, or so many strips were cut.
    ///
    /// # Errors
    /// If they do not come.
    pub fn wait_for(&self, rows: usize, strips: usize, most: Duration) -> Result<()> {
        let wanted = |state: &mut State| state.open.count() < rows || state.strips.len() < strips;
        let (state, _) = self
            .state
            .1
            .wait_timeout_while(self.state(), most, wanted)
            .unwrap_or_else(PoisonError::into_inner);
        let (got, cut) = (state.open.count(), state.strips.len());
        ensure!(got >= rows && cut >= strips, "{got} of {rows} rows, {cut} of {strips} strips came");
        Ok(())
    }
}

impl Drop for ReceiptSimulator {
    fn drop(&mut self) {
        self.unplug();
    }
}

type Shared = Arc<(Mutex<State>, Condvar)>;

fn serve(listener: &TcpListener, shared: &Shared) {
    for stream in listener.incoming().flatten() {
        let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ends {
            return;
        }
        state.calls += 1;
        drop(state);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            talk(&stream, &stream, &shared);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}
