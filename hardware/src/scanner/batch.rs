//! One run of `scanimage` that gives pages: each through a named pipe of its own, heard as soon as the program says that
//! it is complete.
//!
//! Refuses a page that the program did not call complete, and one over the bound.
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use zeroize::Zeroizing;

use super::{Go, Heard, SaneStatus, ScanError};
use crate::process::{LOOK, Process, Stream, read_any};

/// Bytes of a page, at most: what [`crate::image::Policy::PAGE`] takes.
const MAX_PAGE_BYTES: usize = crate::image::Policy::PAGE.max_bytes;
/// Bytes that the program may say between two looks.
pub(super) const MAX_SAID: usize = 64 * 1024;
/// Bytes of its complaints that are kept for the end.
const KEPT: usize = 4 * 1024;

/// Makes the named pipes for so many pages. `scanimage` writes a page to `N.jpg.part` and renames it.
pub(super) fn pipes(folder: &Path, pages: u16) -> Result<(), ScanError> {
    for page in 1..=pages {
        let path = folder.join(format!("{page}.jpg.part"));
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).map_err(|e| ScanError::Folder(e.into()))?;
    }
    Ok(())
}

/// A run.
pub(super) struct Batch<'a> {
    folder: &'a Path,
    pages: u16,
    process: Process,
    /// The pipe that is read, and its page.
    page: Option<(u16, Stream)>,
    /// Pages that came and were not called complete yet.
    came: VecDeque<(u16, Zeroizing<Vec<u8>>)>,
    complete: u16,
    percent: u8,
    complaints: String,
}

impl<'a> Batch<'a> {
    /// Starts the program; its pipes are there.
    pub(super) fn start(command: &mut Command, folder: &'a Path, pages: u16) -> Result<Self, ScanError> {
        let page = Some((1, open(folder, 1)?));
        let process = Process::start(command, MAX_SAID)?;
        Ok(Self {
            folder,
            pages,
            process,
            page,
            came: VecDeque::new(),
            complete: 0,
            percent: 0,
            complaints: String::new(),
        })
    }

    /// Reads until the program ends or nothing was heard of it for `silence`; how many pages were complete.
    pub(super) fn run(
        mut self,
        silence: Duration,
        hear: &mut dyn FnMut(Heard) -> Go,
    ) -> Result<u16, ScanError> {
        let mut heard = Instant::now();
        loop {
            if self.look(LOOK, hear)? {
                heard = Instant::now();
            }
            if hear(Heard::Nothing) == Go::Stop {
                return Err(ScanError::Stopped);
            }
            if let Some(status) = self.process.ended()? {
                while self.look(Duration::ZERO, hear)? {}
                return self.end(Process::code(status)?);
            }
            if heard.elapsed() > silence {
                return Err(ScanError::Silent(silence));
            }
        }
    }

    /// Looks at all pipes once; whether anything was there.
    fn look(&mut self, wait: Duration, hear: &mut dyn FnMut(Heard) -> Go) -> Result<bool, ScanError> {
        let mut streams = vec![&mut self.process.out, &mut self.process.err];
        streams.extend(self.page.as_mut().map(|(_, stream)| stream));
        let any = read_any(&mut streams, wait)?;
        if let Some((number, stream)) = self.page.take_if(|(_, stream)| stream.is_at_end()) {
            let mut stream = stream;
            self.came.push_back((number, stream.take()));
            let next = number + 1;
            self.page = if next <= self.pages { Some((next, open(self.folder, next)?)) } else { None };
        }
        let mut stop = false;
        for line in lines(&mut self.process.err, &['\r', '\n']) {
            stop |= self.complain(&line, hear) == Go::Stop;
        }
        for line in lines(&mut self.process.out, &['\n']) {
            stop |= self.completed(&line, hear) == Go::Stop;
        }
        if stop { Err(ScanError::Stopped) } else { Ok(any) }
    }

    /// `Progress: 53.4%`, or something to be kept.
    fn complain(&mut self, line: &str, hear: &mut dyn FnMut(Heard) -> Go) -> Go {
        let percent = line.trim().strip_prefix("Progress: ").and_then(|rest| rest.split(['.', '%']).next());
        match percent.and_then(|digits| digits.parse::<u8>().ok()) {
            Some(percent) if percent.min(100) != self.percent => {
                self.percent = percent.min(100);
                hear(Heard::Progress { page: self.complete + 1, percent: self.percent })
            }
            Some(_) => Go::On,
            None => {
                if self.complaints.len() + line.len() < KEPT {
                    self.complaints.push_str(line);
                    self.complaints.push('\n');
                }
                Go::On
            }
        }
    }

    /// The name of a file that is complete.
    fn completed(&mut self, line: &str, hear: &mut dyn FnMut(Heard) -> Go) -> Go {
        let name = Path::new(line.trim()).file_stem().and_then(|name| name.to_str());
        let Some(number) = name.and_then(|name| name.parse::<u16>().ok()) else { return Go::On };
        while let Some((came, bytes)) = self.came.pop_front() {
            if came == number && !bytes.is_empty() {
                self.complete += 1;
                return hear(Heard::Page(bytes));
            }
        }
        Go::On
    }

    fn end(self, code: i32) -> Result<u16, ScanError> {
        match SaneStatus::of_exit(code, &self.complaints) {
            None if code == 0 && self.complete > 0 => Ok(self.complete),
            // The feeder is empty: all of it was scanned.
            Some(SaneStatus::NoDocuments) if self.complete > 0 => Ok(self.complete),
            None if code == 0 => Err(ScanError::Status(SaneStatus::EndOfData)),
            Some(status) => Err(ScanError::Status(status)),
            None => Err(ScanError::BrokeOff),
        }
    }
}

/// The reading end of a page's pipe: it can be opened before anybody writes.
fn open(folder: &Path, page: u16) -> Result<Stream, ScanError> {
    let path = folder.join(format!("{page}.jpg.part"));
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(ScanError::Folder)?;
    Stream::new(file.into(), MAX_PAGE_BYTES).map_err(ScanError::Pipe)
}

/// Takes all whole lines; a last one without an end too, once nothing more will come.
fn lines(stream: &mut Stream, ends: &[char]) -> Vec<String> {
    let is_end = |byte: &u8| ends.contains(&char::from(*byte));
    let whole = match stream.bytes.iter().rposition(is_end) {
        Some(at) => at + 1,
        // A line that long is none.
        None if stream.is_at_end() || stream.bytes.len() > MAX_SAID / 2 => stream.bytes.len(),
        None => 0,
    };
    let text = String::from_utf8_lossy(&stream.bytes[..whole]).into_owned();
    stream.bytes.drain(..whole);
    text.split(ends).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
