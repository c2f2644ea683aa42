//! What an operator may set for readers behind the smart-card service: which ones, and how to talk to them.
use std::time::Duration;

use crate::polled_reader::MIN_POLL;
use crate::presence::fits;
use crate::security_module::RETRIES;
use crate::trace::Trace;

/// Which way to the card is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Route {
    /// Control commands; if the reader knows none, the card image; then chip cards.
    #[default]
    Auto,
    /// SAM_V frames in control commands (`SCardControl`).
    Control,
    /// The card image by `FF B0` pseudo-APDUs.
    Image,
    /// SAM_V frames inside pseudo-APDUs.
    PassThrough,
    /// Chip cards only: social-security and staff cards.
    Contact,
}

/// Settings for the readers whose name fits; the default suits the simulator and readers that follow the common shape.
#[derive(Debug, Clone)]
pub struct PcscConfig {
    /// Only readers whose name fits are used: `*` for any characters, without regard to case; without `*` a part
    /// of the name suffices.
    pub reader_pattern: Option<String>,
    /// The way to the card.
    pub route: Route,
    /// Function number of the vendor's control command, before the system's own formula (libccid's escape: 1).
    pub control_function: u32,
    /// Bytes that the vendor wants in front of each frame.
    pub control_prefix: Vec<u8>,
    /// Class of the pseudo-APDU that carries frames.
    pub class: u8,
    /// Its instruction.
    pub instruction: u8,
    /// The slot says nothing of cards: the module is asked every so often whether one lies there.
    pub polled: Option<Duration>,
    /// How often a command that went wrong is repeated.
    pub retries: u8,
    /// Where exchanges are noted, without their data.
    pub trace: Trace,
}

impl Default for PcscConfig {
    fn default() -> Self {
        Self {
            reader_pattern: None,
            route: Route::Auto,
            control_function: 3500,
            control_prefix: Vec::new(),
            class: 0xFF,
            instruction: 0x00,
            polled: None,
            retries: RETRIES,
            trace: Trace::default(),
        }
    }
}

impl PcscConfig {
    /// Whether it is meant for a reader of this name.
    pub fn is_for(&self, reader: &str) -> bool {
        self.reader_pattern.as_ref().is_none_or(|pattern| fits(pattern, reader))
    }

    /// How often a polled reader is asked.
    pub fn poll(&self) -> Duration {
        self.polled.unwrap_or(MIN_POLL)
    }
}
