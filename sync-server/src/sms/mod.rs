//! 短信网关: the way to a gateway of short messages, and what it says of them.
//!
//! Refuses to know cases: whoever hands a message over says to whom it goes and what it says.
mod receipt;
pub mod smpp;

use std::time::Duration;

use crate::services::contact::Mobile;

/// A gateway that takes short messages.
pub trait Gateway: Send {
    /// Hands a message over; gives the gateway's name for it.
    ///
    /// # Errors
    /// [`SendError`].
    fn send(&mut self, to: &Mobile, text: &str) -> Result<String, SendError>;

    /// What the gateway has said of earlier messages; waits for it this long, at most.
    ///
    /// # Errors
    /// [`SendError::Down`] if it cannot be reached.
    fn reports(&mut self, wait: Duration) -> Result<Vec<Report>, SendError>;
}

/// A message was not taken. Never has the number or the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The gateway cannot be reached; it did not get the message.
    #[error("the gateway cannot be reached: {0}")]
    Down(String),
    /// The gateway broke off, and nobody knows whether it took the message.
    #[error("the gateway broke off: {0}")]
    Unknown(String),
    /// The gateway has no room now: its status.
    #[error("the gateway has no room now: {0}")]
    Busy(String),
    /// The gateway will never take it: its status.
    #[error("the gateway refused the message: {0}")]
    Refused(String),
}

/// What a gateway says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The gateway's name for it.
    pub id: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is on the phone.
    Delivered,
    /// It will not be: the gateway's word for why.
    Undelivered(String),
    /// It is still on its way.
    OnItsWay,
}
