//! A card reader of a terminal over PC/SC: waits for cards, chooses the way to talk, recovers from a restart of
//! the service.
//!
//! It owns its connection and belongs to one thread, never the one that draws. A fault is a [`ReaderStatus`] or a
//! [`ReadError`], never a panic, and a reader without a security module ends in
//! [`ReadError::NoSecurityModule`], never in data.
use std::time::{Duration, Instant};

use crate::card_reader::{CardData, CardReader, ReadError, ReaderEvent, ReaderStatus};
use crate::chip_card::{self, NotRead};
use crate::module_read::{self, Bytes, Stopped};
use crate::pcsc_config::{PcscConfig, Route};
use crate::polled_reader::{OpenTransport, Opens};
use crate::presence::Presence;
use crate::samv_id::SamId;
use crate::security_module::{ModuleError, SecurityModule};
use crate::trace::Traced;
use crate::transport::image::{self, ImageError};
use crate::transport::pass_through::PassThrough;
use crate::transport::pcsc::{PcscCard, Service};
use crate::transport::{ApduChannel, TransportError};

/// First pause before the service is tried again; doubles with each failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Longest pause before the service is tried again.
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// How often a reader out of order is asked whether it is well again.
const RECHECK_EVERY: Duration = Duration::from_secs(5);
/// How long a failed read waits for the service to say that the card was lifted.
const LIFT_GRACE: Duration = Duration::from_millis(150);
/// How much later the service tells that a reader is gone than that its card is.
const GONE_GRACE: Duration = Duration::from_millis(200);

/// Readers behind the smart-card service.
pub struct PcscReader {
    configs: Vec<PcscConfig>,
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
    /// How many readers there are, and the most that there were at once: a reader that is plugged in again may have
    /// another name.
    there: (usize, usize),
}

impl PcscReader {
    /// A reader; connects when first used, so that it can be made while nothing is there.
    pub fn new(config: PcscConfig) -> Self {
        Self::with_configs(vec![config])
    }

    /// As [`PcscReader::new`], with settings for several kinds of readers: the first that fits a reader's name counts,
    /// and readers that none fits are not used. Polled ones are left to [`polled`].
    pub fn with_configs(configs: Vec<PcscConfig>) -> Self {
        Self {
            configs,
            service: None,
            fresh: false,
            next_try: Instant::now(),
            backoff: FIRST_BACKOFF,
            presence: Presence::default(),
            recheck: None,
            proven: None,
            sam_id: None,
            there: (0, 0),
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
                let configs = &self.configs;
                slots.retain(|slot| {
                    config_of(configs, &slot.name).is_some_and(|config| config.polled.is_none())
                });
                self.presence.see(&slots);
                self.there = (slots.len(), self.there.1.max(slots.len()));
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
            self.there.0 = 0;
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
        let Some(config) = config_of(&self.configs, name) else { return true };
        open_module(service, name, config)
            .is_ok_and(|transport| SecurityModule::new(transport).check().is_ok())
    }

    fn read_lying(&mut self, name: &str) -> Result<CardData, ReadError> {
        self.sam_id = None;
        let config = config_of(&self.configs, name).cloned().ok_or(ReadError::ReaderGone)?;
        match config.route {
            Route::Auto => self.read_somehow(name, &config),
            Route::Control | Route::PassThrough => self.read_by_module(name, &config, false).map_err(failed),
            Route::Image => read_image(&mut self.open_card(name, &config)?),
            // A chip card that does not wake up stands the wrong way round.
            Route::Contact => {
                let card = self.service()?.open_card(name).map_err(|error| match error {
                    TransportError::Unsupported => ReadError::LayAgain,
                    error => error.into(),
                })?;
                read_chip(&mut config.trace.over(name, card), ReadError::UnknownCard)
            }
        }
    }

    /// Tries all that a reader may offer: its module, the card image, chip cards.
    fn read_somehow(&mut self, name: &str, config: &PcscConfig) -> Result<CardData, ReadError> {
        match self.read_by_module(name, config, true) {
            Err(Stopped::Failed(ReadError::NoSecurityModule)) => {
                let mut card = self.open_card(name, config)?;
                match read_image(&mut card) {
                    Err(ReadError::NoSecurityModule) => read_chip(&mut card, ReadError::NoSecurityModule),
                    result => result,
                }
            }
            // The module has nothing to do with a chip card, which lies on the same reader.
            Err(Stopped::NoCard) => match self.service()?.open_card(name) {
                Ok(card) => match chip_card::read(&mut config.trace.over(name, card)) {
                    Err(NotRead::NoCard) => self.look_longer(name, config),
                    result => result.map_err(not_read),
                },
                Err(_) => self.look_longer(name, config),
            },
            Err(Stopped::Failed(error)) => Err(error),
            Ok(card) => Ok(card),
        }
    }

    /// No chip card lies there either: an ID card just laid down may need a moment in the field.
    fn look_longer(&mut self, name: &str, config: &PcscConfig) -> Result<CardData, ReadError> {
        self.read_by_module(name, config, false).map_err(failed)
    }

    fn service(&self) -> Result<&Service, ReadError> {
        self.service.as_ref().ok_or(ReadError::ReaderGone)
    }

    /// Opens a card for commands of its own. One that a plain reader cannot even wake up has no module that would.
    fn open_card(&self, name: &str, config: &PcscConfig) -> Result<Traced<PcscCard>, ReadError> {
        match self.service()?.open_card(name) {
            Err(TransportError::CardMute | TransportError::Unsupported) => Err(ReadError::NoSecurityModule),
            other => Ok(config.trace.over(name, other?)),
        }
    }

    /// `once` looks for the card but once.
    fn read_by_module(&mut self, name: &str, config: &PcscConfig, once: bool) -> Result<CardData, Stopped> {
        let service = self.service().map_err(Stopped::Failed)?;
        let transport = open_module(service, name, config).map_err(|error| Stopped::Failed(error.into()))?;
        let mut module = SecurityModule::new(transport).with_retries(config.retries);
        if once {
            module = module.with_one_look();
        }
        let proven = self.proven.as_deref() == Some(name);
        let health = module.check();
        match health {
            // Something answers, but not in the language of a security module.
            Err(ModuleError::Frame(_) | ModuleError::Transport(TransportError::Failed)) if !proven => {
                return Err(Stopped::Failed(ReadError::NoSecurityModule));
            }
            // A module that says it is ill is one too.
            Ok(()) | Err(ModuleError::Status(_)) => self.proven = Some(name.to_owned()),
            Err(_) => {}
        }
        health?;
        self.sam_id = module_read::number(&mut module);
        let bytes = module_read::read(&mut module)?;
        bytes.decode().map(CardData::IdCard).map_err(Stopped::Failed)
    }

    /// Whether the card was lifted, or the reader went away, during a failed read.
    fn after_failure(&mut self, error: ReadError) -> ReadError {
        let deadline = Instant::now() + LIFT_GRACE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.look(left);
            match self.presence.last() {
                ReaderStatus::ServiceOff | ReaderStatus::NoReader => return ReadError::ReaderGone,
                _ if self.presence.lifted() => {
                    return if self.goes_away() { ReadError::ReaderGone } else { ReadError::Removed };
                }
                _ => {}
            }
            if left.is_zero() {
                return error;
            }
        }
    }

    /// Whether the reader, or the service, is gone as well: the service may tell first that the card is.
    fn goes_away(&mut self) -> bool {
        let deadline = Instant::now() + GONE_GRACE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.look(left);
            let gone = matches!(self.presence.last(), ReaderStatus::ServiceOff | ReaderStatus::NoReader);
            if gone || left.is_zero() {
                return gone;
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
            if self.presence.take_second() {
                return ReaderEvent::Second;
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
        let result = match self.read_lying(&name) {
            result @ Err(ReadError::OutOfOrder) => {
                self.recheck = Some(Instant::now() + RECHECK_EVERY);
                self.presence.tell(ReaderStatus::OutOfOrder);
                result
            }
            Err(
                error @ (ReadError::Removed
                | ReadError::LayAgain
                | ReadError::ReaderGone
                | ReadError::NoSecurityModule),
            ) => Err(self.after_failure(error)),
            other => other,
        };
        if matches!(result, Err(ReadError::UnknownCard | ReadError::LayAgain | ReadError::NoSecurityModule)) {
            self.presence.set_aside();
        }
        result
    }

    fn sam_id(&self) -> Option<SamId> {
        self.sam_id
    }

    fn misses(&self) -> bool {
        self.there.0 < self.there.1 || self.recheck.is_some()
    }
}

/// The first settings that are for a reader.
fn config_of<'a>(configs: &'a [PcscConfig], name: &str) -> Option<&'a PcscConfig> {
    configs.iter().find(|config| config.is_for(name))
}

/// The line to a module, in whichever of the two ways.
fn open_module(service: &Service, name: &str, config: &PcscConfig) -> Result<OpenTransport, TransportError> {
    if config.route == Route::PassThrough {
        let card = service.open_card(name)?;
        let line = PassThrough::new(card, config.class, config.instruction);
        return Ok(Box::new(config.trace.over(name, line)));
    }
    let line = service.open_control(name, config.control_function, &config.control_prefix)?;
    Ok(Box::new(config.trace.over(name, line)))
}

fn read_image(card: &mut impl ApduChannel) -> Result<CardData, ReadError> {
    let image = image::read_image(card).map_err(|error| match error {
        ImageError::NoModule => ReadError::NoSecurityModule,
        ImageError::Transport(error) => error.into(),
        ImageError::Status(_) | ImageError::Length | ImageError::TooManyPieces => ReadError::LayAgain,
    })?;
    Bytes::of_image(image).decode().map(CardData::IdCard)
}

/// Reads a chip card; `none` is what it means that nothing here speaks ISO 7816.
fn read_chip(card: &mut impl ApduChannel, none: ReadError) -> Result<CardData, ReadError> {
    chip_card::read(card).map_err(|error| if error == NotRead::NoCard { none } else { not_read(error) })
}

fn not_read(error: NotRead) -> ReadError {
    match error {
        NotRead::NoCard | NotRead::Unknown => ReadError::UnknownCard,
        NotRead::Failed(error) => error,
    }
}

fn failed(stopped: Stopped) -> ReadError {
    match stopped {
        Stopped::NoCard => ReadError::LayAgain,
        Stopped::Failed(error) => error,
    }
}

/// The way to the module of a reader behind the service whose slot says nothing of cards, for a
/// [`crate::PolledReader`].
pub fn polled(config: PcscConfig) -> impl Opens {
    move || {
        let mut service = Service::open()?;
        let slots = service.wait(Duration::ZERO)?;
        let slot = slots.iter().find(|slot| config.is_for(&slot.name)).ok_or(TransportError::ReaderGone)?;
        open_module(&service, &slot.name, &config)
    }
}
