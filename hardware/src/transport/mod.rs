//! Moving bytes to a reader and back. A transport knows nothing of what the bytes say.
//!
//! [`Transport`] carries SAM_V frames, [`ApduChannel`] carries APDUs; both are implemented over PC/SC by
//! `transport::pcsc`, frames also by `transport::serial` (both feature `devices`), by `pass_through` inside APDUs, and by
//! scripted stand-ins in unit tests.
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub mod image;
pub mod pass_through;
#[cfg(feature = "devices")]
pub mod pcsc;
#[cfg(feature = "devices")]
pub mod serial;

/// Carries one SAM_V frame to the security module and brings its answer.
pub trait Transport {
    /// Sends `frame` and gives all bytes of the answer, as they came.
    ///
    /// `timeout` is what the module may take until the last byte of its answer. A transport whose lower layer cannot be
    /// interrupted (PC/SC) looks at it between two exchanges at most; the reader's driver then has the last word.
    ///
    /// # Errors
    /// [`TransportError`].
    fn exchange(&mut self, frame: &[u8], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError>;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn exchange(&mut self, frame: &[u8], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        (**self).exchange(frame, timeout)
    }
}

/// Carries one APDU to the card and brings its answer.
pub trait ApduChannel {
    /// Sends `apdu` and gives the answer with its two status bytes.
    ///
    /// # Errors
    /// [`TransportError`].
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError>;
}

/// A channel that carries nothing once its time is over: what asks a card in several ways has one time for all.
pub struct Until<C> {
    channel: C,
    end: Instant,
}

impl<C> Until<C> {
    /// The channel, until then.
    pub fn new(channel: C, end: Instant) -> Self {
        Self { channel, end }
    }
}

impl<C: ApduChannel> ApduChannel for Until<C> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        if Instant::now() >= self.end {
            return Err(TransportError::Failed);
        }
        self.channel.transmit(apdu)
    }
}

/// Why bytes did not come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The reader does not know this way of talking to it.
    #[error("the reader does not support this kind of exchange")]
    Unsupported,
    /// The card was lifted.
    #[error("the card was removed")]
    CardRemoved,
    /// The card lies there and does not answer.
    #[error("the card does not answer")]
    CardMute,
    /// Another program has the reader or the card for itself.
    #[error("another program uses the reader")]
    Busy,
    /// This user may not open the reader.
    #[error("this user may not open the reader")]
    Refused,
    /// The exchange failed on the way; it may be tried again.
    #[error("the exchange failed")]
    Failed,
    /// The reader was unplugged.
    #[error("the reader was unplugged")]
    ReaderGone,
    /// The smart-card service does not run any more.
    #[error("the smart-card service does not run")]
    ServiceGone,
}
