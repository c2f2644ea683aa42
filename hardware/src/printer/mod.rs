//! Printers: slips on a roll (ESC/POS) and A4 pages (IPP).
//!
//! | module | what it holds |
//! |---|---|
//! | [`place`] | where a printer is, as a technician writes it into the settings |
//! | [`status`] | pure: what a receipt printer's status bytes mean |
//! | [`receipt`] | prints a bitmap in bands, and believes it only when the status after it is good |
//! | [`reasons`] | pure: what a page printer's reasons and states mean |
//! | [`page`] | prints a PDF over IPP and follows the job to its end |
//! | `wire`, `http`, `answer` | bytes with a time limit on each wait, one HTTP call over them, an IPP answer out of it |
//!
//! Refuses to say "printed" on hope: [`PrintError`] tells whether anything may lie in the tray. Every wait, answer and
//! job has a limit, so that a printer that accepts and never reads holds up nothing but its own thread.
mod answer;
mod http;
pub mod page;
pub mod place;
pub mod reasons;
pub mod receipt;
pub mod status;
#[cfg(test)]
mod tests;
mod wire;

use crate::device::Trouble;

pub use page::PagePrinter;
pub use place::{PageAddress, ReceiptPlace, ReceiptPort, Roll};
pub use receipt::{ReceiptPrinter, Strip};

/// A paper was not printed, or nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// The printer was asked before and would not; nothing was sent to it.
    #[error("nothing was printed: {0}")]
    Refused(Trouble),
    /// It failed after something was sent: nothing, half of it or all of it may have been printed.
    #[error("it may have been printed: {0}")]
    Broken(Trouble),
}

impl PrintError {
    /// Why.
    pub fn trouble(self) -> Trouble {
        match self {
            Self::Refused(trouble) | Self::Broken(trouble) => trouble,
        }
    }
}

/// A paper was printed; perhaps the printer warns (paper low).
pub type Printed = Option<Trouble>;
