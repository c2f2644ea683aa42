//! PC/SC: the service, its readers, and two ways to talk to one. The only file that names the `pcsc` crate.
//!
//! Every call may find the service gone; a [`Service`] that said [`TransportError::ServiceGone`] never recovers
//! and must be replaced by a new one. Decides nothing: which reader and which way is for `pcsc_reader`.
use std::ffi::{CStr, CString};
use std::time::Duration;

use pcsc::{Card, Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};
use zeroize::Zeroizing;

use super::{ApduChannel, Transport, TransportError};
use crate::atr;

/// Most readers that are watched; more are ignored.
const MAX_READERS: usize = 8;
/// Room for an answer to a control command: the longest SAM_V frame and a vendor's bytes around it.
const CONTROL_BUFFER_LEN: usize = 4096;

/// A reader and what lies on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The reader's name as the service gives it.
    pub name: String,
    /// Whether a card lies on it.
    pub card: bool,
    /// How many cards were laid down and lifted since the service started, modulo 65,536: shows that a card
    /// was changed for another between two looks. The service counts a moment after it has said that a card is there.
    pub changes: u32,
    /// Whether the card woke up and answered with bytes that are no answer to a reset. A card that does not wake up
    /// answers nothing, and that is none.
    pub garbage: bool,
}

/// A connection to the smart-card service.
pub struct Service {
    context: Context,
    /// One for each reader, and the one that reports plugged and unplugged readers at the end.
    states: Vec<ReaderState>,
}

impl Service {
    /// Connects to the service.
    ///
    /// # Errors
    /// [`TransportError::ServiceGone`] if it does not run.
    pub fn open() -> Result<Self, TransportError> {
        let context = Context::establish(Scope::User).map_err(|_| TransportError::ServiceGone)?;
        Ok(Self { context, states: vec![ReaderState::new(pcsc::PNP_NOTIFICATION(), State::UNAWARE)] })
    }

    /// Waits until something changes at a reader or among the readers, at most `max`; gives what there is now.
    /// A reader not seen before counts as a change.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn wait(&mut self, max: Duration) -> Result<Vec<Slot>, TransportError> {
        let changed = self.list_readers()?;
        let max = if changed { Duration::ZERO } else { max };
        match self.context.get_status_change(max, &mut self.states) {
            Ok(()) | Err(Error::Timeout) => {}
            // A reader was unplugged between the two calls: the next look finds out.
            Err(Error::UnknownReader | Error::ReaderUnavailable) => {}
            Err(error) => return Err(transport_error(error)),
        }
        self.states.iter_mut().for_each(ReaderState::sync_current_state);
        Ok(self.states[..self.states.len() - 1].iter().filter_map(slot).collect())
    }

    /// Opens the reader itself, whether a card lies on it or not, for control commands.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn open_control(&self, name: &str, code: u32, prefix: &[u8]) -> Result<PcscControl, TransportError> {
        let card = self.connect(name, ShareMode::Direct, Protocols::UNDEFINED)?;
        Ok(PcscControl { link: Link(Some(card)), code: pcsc::ctl_code(code.into()), prefix: prefix.to_vec() })
    }

    /// Opens the card on the reader for APDUs.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn open_card(&self, name: &str) -> Result<PcscCard, TransportError> {
        let card = self.connect(name, ShareMode::Shared, Protocols::ANY)?;
        Ok(PcscCard { link: Link(Some(card)) })
    }

    fn connect(&self, name: &str, mode: ShareMode, protocols: Protocols) -> Result<Card, TransportError> {
        let name = self.states.iter().map(ReaderState::name).find(|known| known.to_string_lossy() == name);
        let name = name.ok_or(TransportError::ReaderGone)?;
        self.context.connect(name, mode, protocols).map_err(transport_error)
    }

    /// Takes in new readers and forgets those gone; says whether there was any.
    fn list_readers(&mut self) -> Result<bool, TransportError> {
        let mut names: Vec<CString> = self.context.list_readers_owned().map_err(transport_error)?;
        names.truncate(MAX_READERS);
        let known =
            |state: &ReaderState| state.name() == pcsc::PNP_NOTIFICATION() || has(&names, state.name());
        let before = self.states.len();
        self.states.retain(known);
        let mut changed = before != self.states.len();
        for name in names {
            if !self.states.iter().any(|state| state.name() == name.as_c_str()) {
                let at = self.states.len() - 1;
                self.states.insert(at, ReaderState::new(name, State::UNAWARE));
                changed = true;
            }
        }
        Ok(changed)
    }
}

/// A reader opened for control commands; carries SAM_V frames behind a vendor's prefix.
///
/// PC/SC cannot interrupt a command: the reader's driver decides how long it waits.
pub struct PcscControl {
    link: Link,
    code: pcsc::ffi::DWORD,
    prefix: Vec<u8>,
}

impl Transport for PcscControl {
    fn exchange(&mut self, frame: &[u8], _timeout: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let request = [&self.prefix, frame].concat();
        let mut buffer = Zeroizing::new(vec![0; CONTROL_BUFFER_LEN]);
        let answer = self.link.card()?.control(self.code, &request, &mut buffer).map_err(transport_error)?;
        Ok(Zeroizing::new(answer.to_vec()))
    }
}

/// A card opened for APDUs.
pub struct PcscCard {
    link: Link,
}

impl ApduChannel for PcscCard {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let mut buffer = Zeroizing::new([0; pcsc::MAX_BUFFER_SIZE]);
        let answer = self.link.card()?.transmit(apdu, &mut buffer[..]).map_err(transport_error)?;
        Ok(Zeroizing::new(answer.to_vec()))
    }
}

/// A connection that leaves the card as it is when it ends; the crate's own `Drop` would reset it.
struct Link(Option<Card>);

impl Link {
    fn card(&self) -> Result<&Card, TransportError> {
        self.0.as_ref().ok_or(TransportError::Failed)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(card) = self.0.take()
            && let Err((card, _)) = card.disconnect(Disposition::LeaveCard)
        {
            // The service or reader is gone; there is nothing left to leave.
            drop(card);
        }
    }
}

fn has(names: &[CString], name: &CStr) -> bool {
    names.iter().any(|known| known.as_c_str() == name)
}

fn slot(state: &ReaderState) -> Option<Slot> {
    let seen = state.event_state();
    if seen.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE) {
        return None;
    }
    let name = state.name().to_string_lossy().into_owned();
    let card = seen.contains(State::PRESENT);
    let awake = card && !seen.contains(State::MUTE) && !state.atr().is_empty();
    Some(Slot { name, card, changes: state.event_count(), garbage: awake && !atr::is_sound(state.atr()) })
}

fn transport_error(error: Error) -> TransportError {
    match error {
        Error::NoService | Error::ServiceStopped | Error::CommError | Error::InvalidHandle => {
            TransportError::ServiceGone
        }
        Error::UnsupportedFeature | Error::InvalidValue | Error::InvalidParameter => {
            TransportError::Unsupported
        }
        Error::RemovedCard | Error::NoSmartcard => TransportError::CardRemoved,
        Error::UnresponsiveCard | Error::UnpoweredCard | Error::UnsupportedCard | Error::ProtoMismatch => {
            TransportError::CardMute
        }
        Error::SharingViolation => TransportError::Busy,
        Error::UnknownReader | Error::ReaderUnavailable | Error::NoReadersAvailable => {
            TransportError::ReaderGone
        }
        _ => TransportError::Failed,
    }
}
