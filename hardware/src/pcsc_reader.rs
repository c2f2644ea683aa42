//! A card reader of a terminal over PC/SC: waits for cards, chooses the way to talk, recovers from a restart of
//! the service.
//!
//! It owns its connection and belongs to one thread, never the one that draws. A fault is a [`ReaderStatus`] or a
//! [`ReadError`], never a panic, and a reader without a security module ends in
//! [`ReadError::NoSecurityModule`], never in data.
use std::time::{Duration, Instant};

use crate::card_reader::{CardData, CardReader, ReadError, ReaderEvent, ReaderStatus};
use crate::chip_card::{self, NotRead};
use crate::head_count::HeadCount;
use crate::module_read::{self, Stopped};
use crate::pcsc_config::{PcscConfig, Route};
use crate::pcsc_lines::{config_of, failed, not_read, open_module, read_chip, read_image};
use crate::presence::Presence;
use crate::samv_id::SamId;
use crate::security_module::{ModuleError, READ_WITHIN, SecurityModule};
use crate::trace::Traced;
use crate::transport::pcsc::{PcscCard, Service};
use crate::transport::{TransportError, Until};

/// First pause before the service is tried again; doubles with each failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Longest pause before the service is tried again.
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// How long a failed read waits for the service to say that the card was lifted.
const LIFT_GRACE: Duration = Duration::from_millis(150);
/// How much later the service tells that a reader is gone than that its card is.
const GONE_GRACE: Duration = Duration::from_millis(200);
/// Most readers whose modules are remembered; more than are watched.
const MAX_PROVEN: usize = 16;

/// Readers behind the smart-card service.
pub struct PcscReader {
    configs: Vec<PcscConfig>,
    /// There are readers besides those of the service.
    beside_others: bool,
    service: Option<Service>,
    /// The service was opened and not looked at yet: the first look must not wait.
    fresh: bool,
    next_try: Instant,
    backoff: Duration,
    presence: Presence,
    /// The readers whose security module has answered: from then on a broken answer is a fault of the line.
    proven: Vec<String>,
    /// The number of the module that read last.
    sam_id: Option<SamId>,
    /// When the read that runs, or ran last, is to be over.
    end: Instant,
    heads: HeadCount,
}

impl PcscReader {
    /// A reader; connects when first used, so that it can be made while nothing is there.
    pub fn new(config: PcscConfig) -> Self {
        Self::with_configs(vec![config])
    }

    /// As [`PcscReader::new`], with settings for several kinds of readers: the first that fits a reader's name counts,
    /// and readers that none fits are not used. Polled ones are left to [`crate::polled`].
    pub fn with_configs(configs: Vec<PcscConfig>) -> Self {
        Self {
            configs,
            beside_others: false,
            service: None,
            fresh: false,
            next_try: Instant::now(),
            backoff: FIRST_BACKOFF,
            presence: Presence::default(),
            proven: Vec::new(),
            sam_id: None,
            end: Instant::now(),
            heads: HeadCount::default(),
        }
    }

    /// The same, as one of several: then a card that lies there from the start and cannot be read is taken for a part of
    /// the reader even on the only reader of the service, for it would keep the others from serving.
    #[must_use]
    pub fn beside_others(self, others: bool) -> Self {
        Self { beside_others: others, ..self }
    }

    /// Looks at the readers once, waiting for a change at most `max`.
    fn look(&mut self, max: Duration) {
        if !self.ensure_service(max) {
            return;
        }
        let Some(service) = &mut self.service else { return };
        match service.wait(if self.fresh { Duration::ZERO } else { max }) {
            Ok(mut slots) => {
                self.fresh = false;
                self.backoff = FIRST_BACKOFF;
                let configs = &self.configs;
                slots.retain(|slot| {
                    config_of(configs, &slot.name).is_some_and(|config| config.polled.is_none())
                });
                self.presence.see(&slots);
                self.heads.see(slots.len(), Instant::now());
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
            self.heads.none();
        }
    }

    /// How long nobody is to be asked whether it is well again.
    fn until_question(&self) -> Duration {
        match self.presence.next_question() {
            Some((_, at)) if self.service.is_some() => {
                at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
            }
            _ => Duration::MAX,
        }
    }

    /// Asks the reader out of order whose turn it is whether it is well again.
    fn ask_the_ill(&mut self) {
        let Some((name, at)) = self.presence.next_question() else { return };
        let Some(service) = &self.service else { return };
        if at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        let name = name.to_owned();
        let is_well = config_of(&self.configs, &name).is_none_or(|config| {
            open_module(service, &name, config)
                .is_ok_and(|transport| SecurityModule::new(transport).check().is_ok())
        });
        if is_well {
            self.presence.well_again(&name);
        } else {
            self.presence.still_ill(&name, Instant::now());
        }
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
                read_chip(&mut self.traced(name, &config, card), ReadError::UnknownCard)
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
                Ok(card) => match chip_card::read(&mut self.traced(name, config, card)) {
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
    fn open_card(&self, name: &str, config: &PcscConfig) -> Result<Until<Traced<PcscCard>>, ReadError> {
        match self.service()?.open_card(name) {
            Err(TransportError::CardMute | TransportError::Unsupported) => Err(ReadError::NoSecurityModule),
            other => Ok(self.traced(name, config, other?)),
        }
    }

    /// The card for as long as the read may take.
    fn traced(&self, name: &str, config: &PcscConfig, card: PcscCard) -> Until<Traced<PcscCard>> {
        Until::new(config.trace.over(name, card), self.end)
    }

    /// `once` looks for the card but once.
    fn read_by_module(&mut self, name: &str, config: &PcscConfig, once: bool) -> Result<CardData, Stopped> {
        let service = self.service().map_err(Stopped::Failed)?;
        let transport = open_module(service, name, config).map_err(|error| Stopped::Failed(error.into()))?;
        let mut module = SecurityModule::new(transport).with_retries(config.retries);
        if once {
            module = module.with_one_look();
        }
        let proven = self.proven.iter().any(|other| other == name);
        module.until(Some(self.end));
        let health = module.check();
        match health {
            // Something answers, but not in the language of a security module.
            Err(ModuleError::Frame(_) | ModuleError::Transport(TransportError::Failed)) if !proven => {
                return Err(Stopped::Failed(ReadError::NoSecurityModule));
            }
            // A module that says it is ill is one too.
            Ok(()) | Err(ModuleError::Status(_)) if !proven && self.proven.len() < MAX_PROVEN => {
                self.proven.push(name.to_owned());
            }
            _ => {}
        }
        health?;
        self.presence.well_again(name);
        let bytes = module_read::read(&mut module)?;
        self.sam_id = module_read::number(&mut module);
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

    /// What woke up and answers the reset with garbage is no card of ours, and says nothing of the reader. Not so where
    /// chips are read by their contacts alone: dirty ones, or a card that stands askew, answer like that as well.
    fn in_other_words(&self, name: &str, error: ReadError) -> ReadError {
        let by_contact = config_of(&self.configs, name).is_some_and(|config| config.route == Route::Contact);
        match error {
            ReadError::LayAgain | ReadError::NoSecurityModule
                if !by_contact && self.presence.is_garbage(name) =>
            {
                ReadError::UnknownCard
            }
            other => other,
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
            if let Some(status) = self.presence.next() {
                return ReaderEvent::Status(status);
            }
            if self.presence.take_second() {
                return ReaderEvent::Second;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.look(left.min(self.until_question()));
            self.ask_the_ill();
            if left.is_zero() && self.presence.is_quiet() {
                return ReaderEvent::Nothing;
            }
        }
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        self.look(Duration::ZERO);
        self.end = Instant::now() + READ_WITHIN;
        if self.service.is_none() {
            return Err(ReadError::ReaderGone);
        }
        let Some(name) = self.presence.active().filter(|_| !self.presence.lifted()).map(str::to_owned) else {
            let ill = self.presence.last() == ReaderStatus::OutOfOrder;
            return Err(if ill { ReadError::OutOfOrder } else { ReadError::Removed });
        };
        let result = match self.read_lying(&name) {
            result @ Err(ReadError::OutOfOrder) => {
                self.presence.fell_ill(&name, Instant::now());
                result
            }
            Err(
                error @ (ReadError::Removed
                | ReadError::LayAgain
                | ReadError::ReaderGone
                | ReadError::NoSecurityModule),
            ) => {
                let error = self.after_failure(error);
                Err(self.in_other_words(&name, error))
            }
            other => other,
        };
        if matches!(result, Err(ReadError::UnknownCard | ReadError::LayAgain | ReadError::NoSecurityModule)) {
            self.presence.set_aside(self.beside_others);
        }
        result
    }

    fn sam_id(&self) -> Option<SamId> {
        self.sam_id
    }

    fn misses(&self) -> bool {
        self.heads.misses() || self.presence.misses()
    }
}
