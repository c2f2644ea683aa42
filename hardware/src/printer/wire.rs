//! A line to a printer: a network connection, a device file, a serial port or a USB interface.
//!
//! Every wait has an end. Refuses to know what the bytes say. The crate `escpos` writes through it; its own drivers are
//! used for USB only, since those for network and files may wait for ever or take a name.
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use escpos::driver::{Driver, NativeUsbDriver};
use escpos::errors::PrinterError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::place::{ReceiptPort, SIMULATOR_END};
use crate::device::Trouble;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long the other end may take nothing while there is something to send.
const WRITE: Duration = Duration::from_secs(5);

/// A line, shared with whatever writes through it.
#[derive(Clone)]
pub(super) struct Wire {
    line: Line,
    /// The whole job ends then.
    until: Instant,
    /// Why the last call failed: the crate's errors are texts.
    trouble: Arc<Mutex<Option<Trouble>>>,
}

#[derive(Clone)]
enum Line {
    /// Never blocks: waited for with `poll`.
    Descriptor(Arc<OwnedFd>),
    /// An ordinary file: nobody answers.
    Simulator(Arc<OwnedFd>),
    /// Has its own limit of five seconds a call.
    Usb(NativeUsbDriver),
}

impl Wire {
    /// Opens a receipt printer's line for a job that ends at `until`.
    pub(super) fn open(port: &ReceiptPort, until: Instant) -> Result<Self, Trouble> {
        let line = match port {
            ReceiptPort::Tcp(address) => return Self::connect(*address, until),
            ReceiptPort::File(path) => open_file(path)?,
            ReceiptPort::Serial(path, baud) => open_serial(path, *baud)?,
            ReceiptPort::Usb(vendor, product) => {
                let driver =
                    NativeUsbDriver::open(*vendor, *product).map_err(|error| of_usb(&error.to_string()))?;
                Line::Usb(driver)
            }
        };
        Ok(Self::over(line, until))
    }

    /// Connects to an address for a job that ends at `until`.
    pub(super) fn connect(address: SocketAddr, until: Instant) -> Result<Self, Trouble> {
        let most = CONNECT.min(until.saturating_duration_since(Instant::now())).max(Duration::from_millis(1));
        // Nothing answers there: that is what a pulled cable and a printer without power look like.
        let stream = TcpStream::connect_timeout(&address, most).map_err(|_| Trouble::NotFound)?;
        stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).map_err(|e| of_io(&e))?;
        Ok(Self::over(Line::Descriptor(Arc::new(stream.into())), until))
    }

    fn over(line: Line, until: Instant) -> Self {
        Self { line, until, trouble: Arc::default() }
    }

    /// Nobody is there who could answer.
    pub(super) fn is_simulator(&self) -> bool {
        matches!(self.line, Line::Simulator(_))
    }

    /// Why the last call failed.
    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(Trouble::OutOfOrder)
    }

    /// Sends all of it.
    pub(super) fn send(&self, data: &[u8]) -> Result<(), Trouble> {
        match &self.line {
            Line::Descriptor(fd) | Line::Simulator(fd) => send_all(fd, data, self.until),
            Line::Usb(driver) => driver.write(data).map_err(|_| Trouble::Silent),
        }
    }

    /// What comes until `most` is over: nothing at all if nothing comes, an error once the other end is gone.
    pub(super) fn receive(&self, buffer: &mut [u8], most: Duration) -> Result<usize, Trouble> {
        match &self.line {
            Line::Descriptor(fd) => receive_some(fd, buffer, self.until.min(Instant::now() + most)),
            Line::Simulator(_) => Ok(0),
            // It waits five seconds whatever is asked for; nothing within them is no answer.
            Line::Usb(driver) => Ok(driver.read(buffer).unwrap_or(0)),
        }
    }

    /// The job's time is over.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

impl Driver for Wire {
    fn name(&self) -> String {
        "wire".to_owned()
    }

    fn write(&self, data: &[u8]) -> Result<(), PrinterError> {
        self.send(data).map_err(|trouble| {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
            PrinterError::Io(trouble.to_string())
        })
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize, PrinterError> {
        self.receive(buf, WRITE).map_err(|trouble| PrinterError::Io(trouble.to_string()))
    }

    fn flush(&self) -> Result<(), PrinterError> {
        Ok(())
    }
}

/// A character device, or an ordinary file whose name says that it may be written to. What else a setting leads to by
/// mistake is not even opened. A device is had for the job alone: bytes of two programs make no slip.
fn open_file(path: &Path) -> Result<Line, Trouble> {
    let kind = std::fs::metadata(path).map_err(|e| of_io(&e))?.file_type();
    let simulator = kind.is_file() && path.as_os_str().as_bytes().ends_with(SIMULATOR_END.as_bytes());
    if !kind.is_char_device() && !simulator {
        return Err(Trouble::Unsupported);
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
        .map_err(|e| of_io(&e))?;
    let fd = Arc::new(OwnedFd::from(file));
    if !simulator {
        // As readers' ports are held: the system keeps nobody but this out where the superuser asks.
        flock(&fd, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            Errno::AGAIN => Trouble::Busy,
            errno => of_errno(errno),
        })?;
    }
    Ok(if simulator { Line::Simulator(fd) } else { Line::Descriptor(fd) })
}

fn open_serial(path: &Path, baud: u32) -> Result<Line, Trouble> {
    let line = open_file(path)?;
    let Line::Descriptor(fd) = &line else { return Err(Trouble::NotFound) };
    let mut settings = tcgetattr(fd.as_fd()).map_err(|_| Trouble::NotFound)?;
    settings.make_raw();
    settings.set_speed(baud).map_err(|_| Trouble::Unsupported)?;
    tcsetattr(fd.as_fd(), OptionalActions::Now, &settings).map_err(|_| Trouble::Unsupported)?;
    Ok(line)
}

fn send_all(fd: &OwnedFd, mut data: &[u8], until: Instant) -> Result<(), Trouble> {
    while !data.is_empty() {
        match rustix::io::write(fd, data) {
            Ok(0) => return Err(Trouble::NotFound),
            Ok(count) => data = data.get(count..).unwrap_or_default(),
            Err(Errno::AGAIN) => {
                if !wait_for(fd, PollFlags::OUT, until.min(Instant::now() + WRITE))? {
                    return Err(Trouble::Silent);
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(of_errno(errno)),
        }
    }
    Ok(())
}

fn receive_some(fd: &OwnedFd, buffer: &mut [u8], until: Instant) -> Result<usize, Trouble> {
    loop {
        if !wait_for(fd, PollFlags::IN, until)? {
            return Ok(0);
        }
        match rustix::io::read(fd, &mut *buffer) {
            Ok(0) => return Err(Trouble::NotFound),
            Ok(count) => return Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(of_errno(errno)),
        }
    }
}

/// Waits until something can be done; false when the time is over.
fn wait_for(fd: &OwnedFd, what: PollFlags, until: Instant) -> Result<bool, Trouble> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(fd, what)], Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(of_errno(errno)),
        }
    }
}

fn of_io(error: &std::io::Error) -> Trouble {
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::ResourceBusy, _) => Trouble::Busy,
        (ErrorKind::TimedOut, _) => Trouble::Silent,
        (ErrorKind::PermissionDenied, _) => Trouble::OutOfOrder,
        _ => Trouble::NotFound,
    }
}

/// The driver tells in words only why it did not open; by far the most often nothing is plugged in.
pub(super) fn of_usb(words: &str) -> Trouble {
    if words.contains("busy") { Trouble::Busy } else { Trouble::NotFound }
}

fn of_errno(errno: Errno) -> Trouble {
    of_io(&errno.into())
}
