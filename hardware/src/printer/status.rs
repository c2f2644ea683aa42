//! What the status bytes of a receipt printer mean (ESC/POS `DLE EOT n`, `GS r 1`). Pure.
//!
//! A real-time answer has bits 1 and 4 set and bits 0 and 7 clear; the answer to `GS r`, which comes only when all
//! before it was processed, has bits 4 and 7 clear. So both can be told apart in one stream. Whatever is neither is
//! garbage and is told as such: a printer whose answers nobody understands is not trusted with a slip.
//!
//! Source: Epson's ESC/POS reference, through the crate `escpos`.
use std::collections::HashMap;

use escpos::utils::{RealTimeStatusRequest as Request, RealTimeStatusResponse as Response};

use crate::device::Trouble;

/// What is asked, in this order: printer, why off line, which error, paper.
pub const QUESTIONS: [Request; 4] =
    [Request::Printer, Request::OfflineCause, Request::ErrorCause, Request::RollPaperSensor];

/// A byte that a printer sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To one of the [`QUESTIONS`].
    Status(u8),
    /// To `GS r`: all that was sent before was processed.
    Processed,
    /// Neither.
    Garbage,
}

impl Answer {
    /// Tells what a byte is.
    pub fn of(byte: u8) -> Self {
        match byte {
            _ if byte & 0b1001_0011 == 0b0001_0010 => Self::Status(byte),
            _ if byte & 0b1001_0000 == 0 => Self::Processed,
            _ => Self::Garbage,
        }
    }
}

/// What the four answers say: the worst of it, or that all is well.
///
/// # Errors
/// [`Trouble::Unsupported`] if one of them is no status byte.
pub fn trouble(answers: [u8; 4]) -> Result<Option<Trouble>, Trouble> {
    let mut said: HashMap<Response, bool> = HashMap::new();
    for (question, answer) in QUESTIONS.into_iter().zip(answers) {
        said.extend(Response::parse(question, answer).map_err(|_| Trouble::Unsupported)?);
    }
    let is = |response| said.get(&response).copied().unwrap_or(false);
    let found = [
        (!is(Response::CoverClosed), Trouble::CoverOpen),
        (!is(Response::RollPaperEndSensorPaperPresent), Trouble::NoPaper),
        (is(Response::PrintingStopsDueToPaperEnd), Trouble::NoPaper),
        (is(Response::AutocutterErrorOccurred), Trouble::Jammed),
        (is(Response::RecoverableErrorOccurred), Trouble::Jammed),
        (is(Response::UnrecoverableErrorOccurred), Trouble::OutOfOrder),
        // The head is too hot, or the voltage was off for a moment: it mends itself.
        (is(Response::AutoRecoverableErrorOccurred), Trouble::Busy),
        (is(Response::ErrorOccurred), Trouble::OutOfOrder),
        // Somebody feeds paper, or it is just switched on.
        (!is(Response::Online), Trouble::Busy),
        (!is(Response::RollPaperNearEndSensorPaperAdequate), Trouble::PaperLow),
    ];
    Ok(found.into_iter().find(|(wrong, _)| *wrong).map(|(_, trouble)| trouble))
}

/// Whether cut paper is still held, by the answer to `DLE EOT 8 3`.
///
/// # Errors
/// [`Trouble::Unsupported`] if it is no status byte.
pub fn is_held(answer: u8) -> Result<bool, Trouble> {
    let said = Response::parse(Request::Peeler, answer).map_err(|_| Trouble::Unsupported)?;
    let is = |response| said.get(&response).copied().unwrap_or(false);
    Ok(is(Response::WaitingForLabelToBeRemoved) && is(Response::PaperPresentInLabelPeelingDetector))
}
