//! A card reader of a terminal over PC/SC: waits for cards, chooses the way to talk, recovers from a restart of
//! the service.
//!
//! It owns its connection and belongs to one thread, never the one that draws. A fault is a [`ReaderStatus`] or a
//! [`ReadError`], never a panic, and a reader without a security module ends in
//! [`ReadError::NoSecurityModule`], never in data.
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::card_reader::{CardData, CardReader, IdCard, ReadError, ReaderEvent, ReaderStatus};
use crate::id_card;
use crate::presence::{Presence, fits};
use crate::samv_id::SamId;
use crate::security_module::{ModuleError, SecurityModule};
use crate::transport::TransportError;
use crate::transport::image::{self, ImageError};
use crate::transport::pcsc::Service;

/// First pause before the service is tried again; doubles with each failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Longest pause before the service is tried again.
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// How often a reader out of order is asked whether it is well again.
const RECHECK_EVERY: Duration = Duration::from_secs(5);
/// How long a failed read waits for the service to say that the card was lifted.
const LIFT_GRACE: Duration = Duration::from_millis(150);

/// Which way to the security module is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Route {
    /// Control commands; if the reader knows none, the card image.
    #[default]
    Auto,
    /// SAM_V frames in control commands (`SCardControl`).
    Control,
    /// The card image by `FF B0` pseudo-APDUs.
    Image,
}

/// What an operator may set; the default suits the simulator and readers that follow the common shape.
#[derive(Debug, Clone)]
pub struct PcscConfig {
    /// Only readers whose name fits are used: `*` for any characters, without regard to case; without `*` a part
    /// of the name suffices.
    pub reader_pattern: Option<String>,
    /// The way to the security module.
    pub route: Route,
    /// Function number of the vendor's control command, before the system's own formula (libccid's escape: 1).
    pub control_function: u32,
    /// Bytes that the vendor wants in front of each frame.
    pub control_prefix: Vec<u8>,
}

impl Default for PcscConfig {
    fn default() -> Self {
        Self { reader_pattern: None, route: Route::Auto, control_function: 3500, control_prefix: Vec::new() }
    }
}

/// Readers with a security module behind the smart-card service.
pub struct PcscReader {
    config: PcscConfig,
    service: Option<Service>,
    /// The service was opened and not looked at yet: the first look must not wait.
    fresh: bool,
    next_try: Instant,
    backoff: Duration,
    presence: Presence,
    /// When the reader said that it is out of order, the time of the next question.
    recheck: Option<Instant>,
    /// The reader whose security module has answered: from then on a broken answer is a fault of the line.
    proven: Option<String>,
    /// The number of the module that read last.
    sam_id: Option<SamId>,
}

/// What came from a card; wiped when dropped.
struct Bytes {
    image: Zeroizing<Vec<u8>>,
    newest_address: Option<Zeroizing<Vec<u8>>>,
}

impl Bytes {
    fn decode(&self) -> Result<IdCard, ReadError> {
        let mut card = id_card::decode(&self.image)?;
        let newest = self.newest_address.as_ref().and_then(|data| id_card::newest_address(data));
        if let Some(newest) = newest {
            card.move_to(newest);
        }
        Ok(card)
    }
}

impl PcscReader {
    /// A reader; connects when first used, so that it can be made while nothing is there.
    pub fn new(config: PcscConfig) -> Self {
        Self {
            config,
            service: None,
            fresh: false,
            next_try: Instant::now(),
            backoff: FIRST_BACKOFF,
            presence: Presence::default(),
            recheck: None,
            proven: None,
            sam_id: None,
        }
    }

    /// Looks at the readers once, waiting for a change at most `max`.
    fn look(&mut self, max: Duration) {
        if !self.ensure_service(max) {
            return;
        }
        let Some(service) = &mut self.service else { return };
        let max = match self.recheck {
            _ if self.fresh => Duration::ZERO,
            Some(at) => max.min(at.saturating_duration_since(Instant::now())),
            None => max,
        };
        match service.wait(max) {
            Ok(mut slots) => {
                self.fresh = false;
                self.backoff = FIRST_BACKOFF;
                if let Some(pattern) = &self.config.reader_pattern {
                    slots.retain(|slot| fits(pattern, &slot.name));
                }
                self.presence.see(&slots);
            }
            Err(error) => self.lose_service(error),
        }
    }

    /// Connects to the service if need be; waits at most `max` if it is not yet time to try again.
    fn ensure_service(&mut self, max: Duration) -> bool {
        if self.service.is_some() {
            return true;
        }
        let early = self.next_try.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            std::thread::sleep(early.min(max));
            return false;
        }
        match Service::open() {
            Ok(service) => {
                self.service = Some(service);
                self.fresh = true;
                true
            }
            Err(error) => {
                self.lose_service(error);
                false
            }
        }
    }

    fn lose_service(&mut self, error: TransportError) {
        self.service = None;
        self.next_try = Instant::now() + self.backoff;
        self.backoff = (self.backoff * 2).min(MAX_BACKOFF);
        if error == TransportError::ServiceGone {
            self.presence.service_off();
        }
    }

    /// What to tell of a status: while the reader is out of order, "empty" is only told once it is well again.
    fn told(&mut self, status: ReaderStatus) -> Option<ReaderStatus> {
        match status {
            ReaderStatus::Empty if self.recheck.is_some() => {
                self.recheck = Some(Instant::now());
                None
            }
            ReaderStatus::Empty | ReaderStatus::OutOfOrder | ReaderStatus::Unknown => Some(status),
            ReaderStatus::Card | ReaderStatus::NoReader | ReaderStatus::ServiceOff => {
                self.recheck = None;
                Some(status)
            }
        }
    }

    /// Asks a reader out of order whether it is well again, when it is time and no card lies there.
    fn recheck(&mut self) {
        let due = self.recheck.is_some_and(|at| at <= Instant::now());
        if !due {
            return;
        }
        self.recheck = Some(Instant::now() + RECHECK_EVERY);
        if self.presence.last() == ReaderStatus::Empty && self.is_well() {
            self.recheck = None;
            self.presence.tell(ReaderStatus::Empty);
        }
    }

    fn is_well(&self) -> bool {
        let (Some(service), Some(name)) = (&self.service, &self.proven) else { return true };
        let config = &self.config;
        service
            .open_control(name, config.control_function, &config.control_prefix)
            .is_ok_and(|transport| SecurityModule::new(transport).check().is_ok())
    }

    fn read_bytes(&mut self, name: &str) -> Result<Bytes, ReadError> {
        self.sam_id = None;
        if self.config.route != Route::Image {
            match self.read_by_control(name) {
                Err(ReadError::NoSecurityModule) if self.config.route == Route::Auto => {}
                result => return result,
            }
        }
        let service = self.service.as_ref().ok_or(ReadError::ReaderGone)?;
        let mut card = match service.open_card(name) {
            // A card that a plain reader cannot even wake up: there is no module that would.
            Err(TransportError::CardMute | TransportError::Unsupported) => {
                return Err(ReadError::NoSecurityModule);
            }
            other => other?,
        };
        let image = image::read_image(&mut card).map_err(|error| match error {
            ImageError::NoModule => ReadError::NoSecurityModule,
            ImageError::Transport(error) => error.into(),
            ImageError::Status(_) | ImageError::Length | ImageError::TooManyPieces => ReadError::LayAgain,
        })?;
        Ok(Bytes { image, newest_address: None })
    }

    fn read_by_control(&mut self, name: &str) -> Result<Bytes, ReadError> {
        let service = self.service.as_ref().ok_or(ReadError::ReaderGone)?;
        let config = &self.config;
        let transport = service.open_control(name, config.control_function, &config.control_prefix)?;
        let mut module = SecurityModule::new(transport);
        let proven = self.proven.as_deref() == Some(name);
        let health = module.check();
        match health {
            // Something answers, but not in the language of a security module.
            Err(ModuleError::Frame(_) | ModuleError::Transport(TransportError::Failed)) if !proven => {
                return Err(ReadError::NoSecurityModule);
            }
            // A module that says it is ill is one too.
            Ok(()) | Err(ModuleError::Status(_)) => self.proven = Some(name.to_owned()),
            Err(_) => {}
        }
        health?;
        // A module that does not tell its number reads all the same.
        self.sam_id = module.sam_id().ok();
        let image = module.read_image()?;
        // Nor does a read fail for want of an address that most cards do not have; a card lifted now is told so.
        let newest_address = match module.newest_address() {
            Err(ModuleError::Transport(TransportError::CardRemoved)) => return Err(ReadError::Removed),
            other => other.unwrap_or(None),
        };
        Ok(Bytes { image, newest_address })
    }

    /// Whether the card was lifted, or the reader went away, during a failed read.
    fn after_failure(&mut self, error: ReadError) -> ReadError {
        let deadline = Instant::now() + LIFT_GRACE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.look(left);
            match self.presence.last() {
                ReaderStatus::ServiceOff | ReaderStatus::NoReader => return ReadError::ReaderGone,
                _ if self.presence.lifted() => return ReadError::Removed,
                _ => {}
            }
            if left.is_zero() {
                return error;
            }
        }
    }
}

impl CardReader for PcscReader {
    fn wait_event(&mut self, max: Duration) -> ReaderEvent {
        let deadline = Instant::now() + max;
        loop {
            while let Some(status) = self.presence.next() {
                if let Some(status) = self.told(status) {
                    return ReaderEvent::Status(status);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.look(left);
            self.recheck();
            if left.is_zero() && self.presence.is_quiet() {
                return ReaderEvent::Nothing;
            }
        }
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        self.look(Duration::ZERO);
        if self.service.is_none() {
            return Err(ReadError::ReaderGone);
        }
        let name =
            self.presence.active().filter(|_| !self.presence.lifted()).ok_or(ReadError::Removed)?.to_owned();
        let result = self.read_bytes(&name).and_then(|bytes| Ok(CardData::IdCard(bytes.decode()?)));
        match result {
            Err(ReadError::OutOfOrder) => {
                self.recheck = Some(Instant::now() + RECHECK_EVERY);
                self.presence.tell(ReaderStatus::OutOfOrder);
                result
            }
            Err(error @ (ReadError::LayAgain | ReadError::ReaderGone | ReadError::NoSecurityModule)) => {
                Err(self.after_failure(error))
            }
            other => other,
        }
    }

    fn sam_id(&self) -> Option<SamId> {
        self.sam_id
    }
}
