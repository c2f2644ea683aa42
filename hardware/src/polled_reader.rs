//! A reader that tells nothing by itself: it is asked whether a card lies there, again and again.
//!
//! So it is with modules on serial lines, and with PC/SC readers whose slot never changes. A card that was read is
//! not found again by such a module; whether it still lies there is asked by command 30 03. A line that fails is
//! opened anew with growing pauses. It belongs to one thread; a fault is a [`ReaderStatus`] or a [`ReadError`].
use std::time::{Duration, Instant};

use crate::card_reader::{CardData, CardReader, ReadError, ReaderEvent, ReaderStatus};
use crate::module_read::{self, Stopped};
use crate::samv_id::SamId;
use crate::security_module::{ModuleError, READ_WITHIN, SecurityModule};
use crate::transport::{Transport, TransportError};

/// Shortest pause between two questions; modules want at least this.
pub const MIN_POLL: Duration = Duration::from_millis(300);
/// First pause before a line that failed is opened again; doubles with each failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(300);
/// Longest pause before a line that failed is opened again.
const MAX_BACKOFF: Duration = Duration::from_secs(3);
/// So many questions in a row without an answer mean that the reader is gone.
const MAX_SILENT: u8 = 2;

/// A line to a module, open or not.
pub type OpenTransport = Box<dyn Transport + Send>;

/// Opens the line to a reader, as often as need be.
pub trait Opens: Send {
    /// Opens the line.
    ///
    /// # Errors
    /// [`TransportError`]; `ServiceGone` if what would open it does not run.
    fn open(&mut self) -> Result<OpenTransport, TransportError>;
}

impl<F: FnMut() -> Result<OpenTransport, TransportError> + Send> Opens for F {
    fn open(&mut self) -> Result<OpenTransport, TransportError> {
        self()
    }
}

/// What lies in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Nothing,
    /// A card that the module finds whenever it is asked.
    Unread,
    /// A card that the module has read.
    Read,
}

/// A reader that is polled.
pub struct PolledReader {
    opens: Box<dyn Opens>,
    poll: Duration,
    retries: u8,
    module: Option<SecurityModule<OpenTransport>>,
    next: Instant,
    backoff: Duration,
    silent: u8,
    field: Field,
    last: ReaderStatus,
    /// It was there, or an operator says that it is: that it is not there is a loss.
    expected: bool,
    sam_id: Option<SamId>,
}

impl PolledReader {
    /// A reader that is asked every `poll` (at least [`MIN_POLL`]), each command repeated at most `retries` times;
    /// opens its line when first used.
    pub fn new(opens: impl Opens + 'static, poll: Duration, retries: u8) -> Self {
        Self {
            opens: Box::new(opens),
            poll: poll.max(MIN_POLL),
            retries,
            module: None,
            next: Instant::now(),
            backoff: FIRST_BACKOFF,
            silent: 0,
            field: Field::Nothing,
            last: ReaderStatus::Unknown,
            expected: false,
            sam_id: None,
        }
    }

    /// The same, missed also if it was never there: somebody named the very port.
    #[must_use]
    pub fn expected(self) -> Self {
        Self { expected: true, ..self }
    }

    /// Looks once; gives what it is now.
    fn look(&mut self) -> ReaderStatus {
        self.next = Instant::now() + self.poll;
        if self.module.is_none()
            && let Err(status) = self.open()
        {
            return status;
        }
        match self.ask() {
            Ok(status) => {
                self.silent = 0;
                status
            }
            // Only a technician helps; it is asked on, for it may be well again.
            Err(ModuleError::Status(_)) => {
                self.field = Field::Nothing;
                ReaderStatus::OutOfOrder
            }
            Err(
                ModuleError::Transport(TransportError::Failed)
                | ModuleError::Frame(_)
                | ModuleError::Short(_),
            ) if self.silent + 1 < MAX_SILENT => {
                self.silent += 1;
                self.last
            }
            Err(_) => self.close(),
        }
    }

    /// Opens the line and asks whether a module in good health answers.
    fn open(&mut self) -> Result<(), ReaderStatus> {
        let opened = self.opens.open();
        let opened = opened.map_err(|error| match error {
            TransportError::ServiceGone => ReaderStatus::ServiceOff,
            TransportError::Busy => ReaderStatus::Busy,
            TransportError::Refused => ReaderStatus::OutOfOrder,
            _ => ReaderStatus::NoReader,
        });
        let checked = opened.and_then(|transport| {
            let mut module = SecurityModule::new(transport).with_retries(self.retries);
            match module.check() {
                Ok(()) => Ok(module),
                Err(ModuleError::Status(_)) => Err(ReaderStatus::OutOfOrder),
                Err(_) => Err(ReaderStatus::NoReader),
            }
        });
        match checked {
            Ok(module) => {
                self.module = Some(module);
                self.field = Field::Nothing;
                self.silent = 0;
                self.backoff = FIRST_BACKOFF;
                Ok(())
            }
            Err(status) => {
                self.next = Instant::now() + self.backoff;
                self.backoff = (self.backoff * 2).min(MAX_BACKOFF);
                Err(status)
            }
        }
    }

    fn close(&mut self) -> ReaderStatus {
        self.module = None;
        self.field = Field::Nothing;
        self.next = Instant::now() + FIRST_BACKOFF;
        ReaderStatus::NoReader
    }

    /// Whether a card lies there. A card that was changed for another between two questions is lifted first.
    fn ask(&mut self) -> Result<ReaderStatus, ModuleError> {
        let Some(module) = &mut self.module else { return Ok(ReaderStatus::NoReader) };
        let field = match self.field {
            Field::Read if module.still_there()? => Field::Read,
            Field::Read => Field::Nothing,
            Field::Unread | Field::Nothing if module.finds_card()? => Field::Unread,
            // The module may have read it although its answer did not come through.
            Field::Unread if module.still_there()? => Field::Unread,
            Field::Unread | Field::Nothing => Field::Nothing,
        };
        if self.field == Field::Read && field == Field::Nothing {
            // Another one may lie there already: it is looked for without a pause.
            self.next = Instant::now();
        }
        self.field = field;
        Ok(if field == Field::Nothing { ReaderStatus::Empty } else { ReaderStatus::Card })
    }

    fn until(&mut self, end: Option<Instant>) {
        if let Some(module) = &mut self.module {
            module.until(end);
        }
    }

    fn read_card(&mut self) -> Result<CardData, ReadError> {
        let module = self.module.as_mut().ok_or(ReadError::ReaderGone)?;
        let bytes = module_read::read(module).map_err(|stopped| match stopped {
            Stopped::NoCard => ReadError::LayAgain,
            Stopped::Failed(ReadError::NoSecurityModule) => ReadError::ReaderGone,
            Stopped::Failed(error) => error,
        })?;
        self.sam_id = module_read::number(module);
        self.field = Field::Read;
        Ok(CardData::IdCard(bytes.decode()?))
    }

    /// Whether the card was lifted, or the reader went away, during a failed read.
    fn after_failure(&mut self, error: ReadError) -> ReadError {
        if self.module.as_ref().is_some_and(SecurityModule::is_late) {
            // Nothing can be asked any more; the next wait does.
            return error;
        }
        // Its event comes with the next wait.
        match self.look() {
            ReaderStatus::Empty => {
                self.next = Instant::now();
                ReadError::Removed
            }
            ReaderStatus::NoReader | ReaderStatus::ServiceOff | ReaderStatus::Busy => ReadError::ReaderGone,
            _ => error,
        }
    }
}

impl CardReader for PolledReader {
    fn wait_event(&mut self, max: Duration) -> ReaderEvent {
        let end = Instant::now() + max;
        loop {
            let now = Instant::now();
            if self.next <= now {
                let status = self.look();
                if status != self.last {
                    self.last = status;
                    self.expected |= is_there(status);
                    return ReaderEvent::Status(status);
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return ReaderEvent::Nothing;
            }
            std::thread::sleep(left.min(self.next.saturating_duration_since(Instant::now())));
        }
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        if self.field == Field::Nothing {
            return Err(if self.module.is_some() { ReadError::Removed } else { ReadError::ReaderGone });
        }
        // One time for the read and for the look behind a failed one.
        self.until(Some(Instant::now() + READ_WITHIN));
        let result = match self.read_card() {
            Err(error @ (ReadError::LayAgain | ReadError::Removed | ReadError::ReaderGone)) => {
                Err(self.after_failure(error))
            }
            other => other,
        };
        self.until(None);
        result
    }

    fn sam_id(&self) -> Option<SamId> {
        self.sam_id
    }

    fn misses(&self) -> bool {
        match self.last {
            ReaderStatus::OutOfOrder => true,
            ReaderStatus::NoReader | ReaderStatus::ServiceOff | ReaderStatus::Busy => self.expected,
            ReaderStatus::Unknown | ReaderStatus::Empty | ReaderStatus::Card => false,
        }
    }
}

/// Whether such a status means that there is a reader.
fn is_there(status: ReaderStatus) -> bool {
    use ReaderStatus::{Busy, Card, Empty, OutOfOrder};
    matches!(status, Empty | Card | OutOfOrder | Busy)
}

#[cfg(test)]
#[path = "polled_reader_tests.rs"]
mod tests;
