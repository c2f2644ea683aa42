//! A receipt printer: asked before, between bands and after, and believed only then.
//!
//! A strip goes out in bands, each a raster command of its own (`GS v 0`), so that a printer that runs out of paper in
//! mid-page is noticed while the rest is still here. After the cut stands `GS r`: its answer comes when all before it
//! was processed, and only a good status behind it counts as printed.
use std::time::{Duration, Instant};

use escpos::printer::Printer;
use escpos::utils::{Protocol, RealTimeStatusRequest};

use super::status::{Answer, QUESTIONS, is_held, trouble};
use super::wire::Wire;
use super::{PrintError, Printed, ReceiptPlace};
use crate::device::Trouble;

/// Rows of a band.
const BAND_ROWS: usize = 128;
/// Rows of the longest strip.
const MAX_ROWS: usize = 2_400;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(2);
/// Between two looks while it prints.
const GLANCE: Duration = Duration::from_millis(200);
/// How long a whole strip may take, from the connection to the last status, beside what a serial line needs for it.
const WHOLE_JOB: Duration = Duration::from_secs(40);
/// How long a look may take.
const LOOK: Duration = Duration::from_secs(6);
/// Answers that nobody asked for and that are read away, in bytes.
const MAX_LEFT_OVER: usize = 4_096;
/// Begin a question in real time.
const DLE: u8 = 0x10;
const EOT: u8 = 0x04;
/// Answered once all before it was processed.
const TELL_WHEN_PROCESSED: [u8; 3] = [0x1d, b'r', 1];

/// Rows of dots to print: eight a byte, the leftmost in the highest bit, 1 is black.
#[derive(Clone, Copy)]
pub struct Strip<'a> {
    /// Bytes of a row.
    pub bytes_per_row: usize,
    /// All rows.
    pub rows: &'a [u8],
}

/// A receipt printer; connected for each job anew, so that one that was switched off and on is simply there again.
#[derive(Debug, Clone)]
pub struct ReceiptPrinter {
    place: ReceiptPlace,
    /// See [`WHOLE_JOB`]; tests wait less.
    whole_job: Duration,
}

impl ReceiptPrinter {
    /// The printer at a place; nothing is opened yet.
    pub fn new(place: ReceiptPlace) -> Self {
        Self { place, whole_job: WHOLE_JOB }
    }

    /// Gives a strip up after so long instead of 40 s.
    pub fn with_patience(self, whole_job: Duration) -> Self {
        Self { whole_job, ..self }
    }

    /// Where it is.
    pub fn place(&self) -> &ReceiptPlace {
        &self.place
    }

    /// Asks how it is: nothing for well, or what is wrong, within six seconds.
    pub fn look(&self) -> Option<Trouble> {
        let asked = Wire::open(&self.place.port, Instant::now() + LOOK).and_then(|wire| Job::new(wire).ask());
        asked.unwrap_or_else(Some)
    }

    /// Prints a strip and cuts it.
    ///
    /// # Errors
    /// [`PrintError::Refused`] if it would not before anything was sent, [`PrintError::Broken`] if it failed then.
    pub fn print(&self, strip: Strip<'_>) -> Result<Printed, PrintError> {
        if strip.bytes_per_row == 0 || strip.rows.len() > strip.bytes_per_row * MAX_ROWS {
            return Err(PrintError::Refused(Trouble::Unsupported));
        }
        let until = Instant::now() + self.whole_job + self.place.port.line_time(strip.rows.len());
        let wire = Wire::open(&self.place.port, until).map_err(PrintError::Refused)?;
        let mut job = Job::new(wire);
        if let Some(trouble) = job.ask().map_err(PrintError::Refused)?
            && !trouble.still_works()
        {
            return Err(PrintError::Refused(trouble));
        }
        job.print(strip).map_err(PrintError::Broken)
    }

    /// Whether cut paper is still held; false where no sensor tells.
    ///
    /// # Errors
    /// What keeps it from answering.
    pub fn holds_paper(&self) -> Result<bool, Trouble> {
        if !self.place.holds {
            return Ok(false);
        }
        let wire = Wire::open(&self.place.port, Instant::now() + LOOK)?;
        let mut job = Job::new(wire);
        job.send(|printer| printer.real_time_status(RealTimeStatusRequest::Peeler).map(|_| ()))?;
        let [answer] = job.answers::<1>()?;
        is_held(answer)
    }
}

/// One connection.
struct Job {
    wire: Wire,
    printer: Printer<Wire>,
    /// All that was sent was processed.
    processed: bool,
}

impl Job {
    fn new(wire: Wire) -> Self {
        let printer = Printer::new(wire.clone(), Protocol::default(), None);
        Self { wire, printer, processed: false }
    }

    /// Puts commands together and sends them.
    fn send(
        &mut self,
        commands: impl FnOnce(&mut Printer<Wire>) -> escpos::errors::Result<()>,
    ) -> Result<(), Trouble> {
        let sent = commands(&mut self.printer).and_then(|()| self.printer.print().map(|_| ()));
        sent.map_err(|_| self.wire.trouble())
    }

    /// How the printer is; asked a second time if the answer is garbage.
    fn ask(&mut self) -> Result<Option<Trouble>, Trouble> {
        match self.ask_once() {
            Err(Trouble::Unsupported) => self.ask_once(),
            other => other,
        }
    }

    fn ask_once(&mut self) -> Result<Option<Trouble>, Trouble> {
        if self.wire.is_simulator() {
            return Ok(None);
        }
        self.drain()?;
        self.send(|printer| {
            for question in QUESTIONS {
                // The crate's own command sends a second number, which belongs to later questions only.
                let (number, _) = question.into();
                printer.custom(&[DLE, EOT, number])?;
            }
            Ok(())
        })?;
        trouble(self.answers::<4>()?)
    }

    /// Reads away what nobody asked for: dots of a picture may look like a question to a printer.
    fn drain(&mut self) -> Result<(), Trouble> {
        let mut buffer = [0; 256];
        let mut left_over = 0;
        while left_over < MAX_LEFT_OVER {
            match self.wire.receive(&mut buffer, Duration::ZERO)? {
                0 => return Ok(()),
                count => {
                    left_over += count;
                    self.note(buffer.get(..count).unwrap_or_default());
                }
            }
        }
        // It talks without end.
        Err(Trouble::Unsupported)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.processed |= bytes.iter().any(|byte| Answer::of(*byte) == Answer::Processed);
    }

    /// Waits for so many status bytes.
    fn answers<const N: usize>(&mut self) -> Result<[u8; N], Trouble> {
        let mut found = [0; N];
        let mut count = 0;
        let end = Instant::now() + ANSWER;
        while count < N {
            let left = end.saturating_duration_since(Instant::now());
            let mut buffer = [0; 16];
            let got = self.wire.receive(&mut buffer, left)?;
            if got == 0 {
                return Err(Trouble::Silent);
            }
            for byte in buffer.get(..got).unwrap_or_default() {
                match (Answer::of(*byte), found.get_mut(count)) {
                    (Answer::Status(byte), Some(place)) => {
                        *place = byte;
                        count += 1;
                    }
                    (Answer::Processed, _) => self.processed = true,
                    _ => return Err(Trouble::Unsupported),
                }
            }
        }
        Ok(found)
    }

    fn print(&mut self, strip: Strip<'_>) -> Result<Printed, Trouble> {
        self.send(|printer| printer.init().map(|_| ()))?;
        for band in strip.rows.chunks(strip.bytes_per_row * BAND_ROWS) {
            let command = raster(strip.bytes_per_row, band)?;
            self.send(|printer| printer.custom(&command).map(|_| ()))?;
            if let Some(trouble) = self.ask()?.filter(|trouble| !trouble.still_works()) {
                return Err(trouble);
            }
        }
        self.drain()?;
        self.processed = false;
        self.send(|printer| {
            printer.feeds(2)?.cut()?.custom(&TELL_WHEN_PROCESSED)?;
            Ok(())
        })?;
        self.finish()
    }

    /// Waits until all was processed, and then for a good word.
    fn finish(&mut self) -> Result<Printed, Trouble> {
        loop {
            let said = self.ask()?;
            if let Some(trouble) = said.filter(|trouble| !trouble.still_works()) {
                return Err(trouble);
            }
            if self.processed || self.wire.is_simulator() {
                // Asked once more: the word above may be older than the end of the paper.
                let last = self.ask()?;
                return match last.filter(|trouble| !trouble.still_works()) {
                    Some(trouble) => Err(trouble),
                    None => Ok(last),
                };
            }
            if self.wire.is_over() {
                return Err(Trouble::Silent);
            }
            let mut buffer = [0; 16];
            let got = self.wire.receive(&mut buffer, GLANCE)?;
            self.note(buffer.get(..got).unwrap_or_default());
        }
    }
}

/// `GS v 0`: a raster of so many bytes a row.
fn raster(bytes_per_row: usize, rows: &[u8]) -> Result<Vec<u8>, Trouble> {
    let word = |n: usize| u16::try_from(n).map(u16::to_le_bytes).map_err(|_| Trouble::Unsupported);
    let mut command = vec![0x1d, b'v', b'0', 0];
    command.extend(word(bytes_per_row)?);
    command.extend(word(rows.len() / bytes_per_row)?);
    command.extend_from_slice(rows);
    Ok(command)
}
