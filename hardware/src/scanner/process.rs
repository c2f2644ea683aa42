//! A program in a process group of its own: it and all that it started end with this value. Its pipes are read without
//! waiting, and never more than was allowed.
//!
//! Refuses a shell and the terminal's environment: only what is named is passed on.
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use zeroize::{Zeroize as _, Zeroizing};

use super::ScanError;
use crate::child::end_group;

/// How long one look at the pipes waits.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// One end of a pipe, and what came out of it.
pub(super) struct Stream {
    file: Option<File>,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    most: usize,
}

impl Stream {
    /// Reads from here, at most `most` bytes.
    pub(super) fn new(end: OwnedFd, most: usize) -> io::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&end)?;
        rustix::fs::fcntl_setfl(&end, flags | OFlags::NONBLOCK)?;
        Ok(Self { file: Some(end.into()), bytes: Zeroizing::new(Vec::new()), most })
    }

    /// Whether nothing more will come.
    pub(super) fn is_at_end(&self) -> bool {
        self.file.is_none()
    }

    /// What came, and begins anew.
    pub(super) fn take(&mut self) -> Zeroizing<Vec<u8>> {
        std::mem::replace(&mut self.bytes, Zeroizing::new(Vec::new()))
    }

    /// Reads what is there. Whoever calls knows that something is, or that the other end was closed.
    fn read(&mut self) -> Result<(), ScanError> {
        let mut chunk = Zeroizing::new([0; CHUNK]);
        while let Some(file) = &mut self.file {
            match file.read(&mut *chunk) {
                Ok(0) => self.file = None,
                Ok(count) if self.bytes.len() + count > self.most => {
                    return Err(ScanError::TooMuch(self.most));
                }
                Ok(count) => self.push(&chunk[..count]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(ScanError::Pipe(e)),
            }
        }
        Ok(())
    }

    /// Grows by hand: what a vector leaves behind when it moves would not be wiped.
    fn push(&mut self, chunk: &[u8]) {
        if self.bytes.capacity() - self.bytes.len() < chunk.len() {
            let room =
                (2 * self.bytes.capacity()).max(self.bytes.len() + chunk.len()).min(self.most.max(CHUNK));
            let mut larger = Vec::with_capacity(room.max(self.bytes.len() + chunk.len()));
            larger.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            self.bytes = Zeroizing::new(larger);
        }
        self.bytes.extend_from_slice(chunk);
    }
}

/// Waits for any of these, at most `wait`, and reads what is there; whether there was anything.
pub(super) fn read_any(streams: &mut [&mut Stream], wait: Duration) -> Result<bool, ScanError> {
    let open: Vec<usize> = (0..streams.len()).filter(|at| !streams[*at].is_at_end()).collect();
    let ready: Vec<usize> = {
        let files = open.iter().filter_map(|at| streams[*at].file.as_ref());
        let mut waiting: Vec<PollFd<'_>> = files.map(|file| PollFd::new(file, PollFlags::IN)).collect();
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut waiting, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(ScanError::Pipe(e.into())),
        }
        open.iter().zip(&waiting).filter(|(_, fd)| !fd.revents().is_empty()).map(|(at, _)| *at).collect()
    };
    for at in &ready {
        streams[*at].read()?;
    }
    Ok(!ready.is_empty())
}

/// A running program.
pub(super) struct Process {
    child: Child,
    /// What it says.
    pub(super) out: Stream,
    /// What it complains of.
    pub(super) err: Stream,
}

impl Process {
    /// Starts a program without input, whose two outputs are read: at most so many bytes of each at once.
    pub(super) fn start(command: &mut Command, most: usize) -> Result<Self, ScanError> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn().map_err(ScanError::Program)?;
        let pipes = (child.stdout.take(), child.stderr.take());
        let (Some(out), Some(err)) = pipes else {
            end_group(&mut child);
            return Err(ScanError::BrokeOff);
        };
        match (Stream::new(out.into(), most), Stream::new(err.into(), most)) {
            (Ok(out), Ok(err)) => Ok(Self { child, out, err }),
            (Err(e), _) | (_, Err(e)) => {
                end_group(&mut child);
                Err(ScanError::Pipe(e))
            }
        }
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, ScanError> {
        self.child.try_wait().map_err(ScanError::Pipe)
    }

    /// Its exit code; a signal is none.
    pub(super) fn code(status: ExitStatus) -> Result<i32, ScanError> {
        status.code().ok_or(ScanError::BrokeOff)
    }

    /// Waits for its end, at most `within`: its exit code. What it said is in [`Self::out`] and [`Self::err`].
    pub(super) fn finish(&mut self, within: Duration) -> Result<i32, ScanError> {
        let started = Instant::now();
        loop {
            read_any(&mut [&mut self.out, &mut self.err], LOOK)?;
            if let Some(status) = self.ended()? {
                while read_any(&mut [&mut self.out, &mut self.err], Duration::ZERO)? {}
                return Self::code(status);
            }
            if started.elapsed() > within {
                return Err(ScanError::Silent(within));
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}
