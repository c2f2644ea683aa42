//! What a page printer says of itself and of a job (IPP, RFC 8011): states, reasons, and what they mean here. Pure.
//!
//! Reasons are keywords such as `media-empty-error`; the part after the last hyphen says only how bad the printer
//! thinks it is. A reason that nobody knows counts only when the printer has stopped.
use ipp::prelude::{DelimiterTag, IppAttributes, IppRequestResponse, IppValue, StatusCode};

use crate::device::Trouble;

/// Reasons that are looked at.
const MAX_REASONS: usize = 64;

/// Reasons and what they mean, the worst first.
const REASONS: &[(&str, Trouble)] = &[
    ("cover-open", Trouble::CoverOpen),
    ("door-open", Trouble::CoverOpen),
    ("interlock-open", Trouble::CoverOpen),
    ("media-jam", Trouble::Jammed),
    ("media-empty", Trouble::NoPaper),
    ("media-needed", Trouble::NoPaper),
    ("input-tray-missing", Trouble::NoPaper),
    ("toner-empty", Trouble::OutOfOrder),
    ("marker-supply-empty", Trouble::OutOfOrder),
    ("marker-waste-full", Trouble::OutOfOrder),
    ("developer-empty", Trouble::OutOfOrder),
    ("fuser-over-temp", Trouble::OutOfOrder),
    ("opc-life-over", Trouble::OutOfOrder),
    ("paused", Trouble::ServiceOff),
    ("shutdown", Trouble::ServiceOff),
    ("connecting-to-device", Trouble::Silent),
    ("offline", Trouble::Silent),
    ("timed-out", Trouble::Silent),
    ("output-area-full", Trouble::Unclaimed),
    ("output-area-almost-full", Trouble::Unclaimed),
    ("media-low", Trouble::PaperLow),
];

/// States of a printer.
const STOPPED: i32 = 5;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits or is at work.
    Open,
    /// It is stopped in mid-work.
    Stopped,
    /// It was printed.
    Completed,
    /// It was given up.
    Ended,
}

impl JobState {
    /// Of the values of RFC 8011, 5.3.7; none for a value that is none.
    pub fn of(value: i32) -> Option<Self> {
        match value {
            3..=5 => Some(Self::Open),
            6 => Some(Self::Stopped),
            7 | 8 => Some(Self::Ended),
            9 => Some(Self::Completed),
            _ => None,
        }
    }
}

/// What is wrong with a printer, by its answer to Get-Printer-Attributes; none if it is well.
///
/// # Errors
/// [`Trouble::Unsupported`] if the answer says nothing of its state.
pub fn of_printer(answer: &IppAttributes) -> Result<Option<Trouble>, Trouble> {
    let state = integer(answer, DelimiterTag::PrinterAttributes, "printer-state");
    let state = state.ok_or(Trouble::Unsupported)?;
    let reasons = keywords(answer, DelimiterTag::PrinterAttributes, "printer-state-reasons");
    let known = worst(&reasons);
    let accepts = value(answer, DelimiterTag::PrinterAttributes, "printer-is-accepting-jobs");
    if matches!(accepts, Some(IppValue::Boolean(false))) {
        return Ok(Some(known.unwrap_or(Trouble::ServiceOff)));
    }
    // It stopped and does not say why.
    Ok(if state == STOPPED { Some(known.unwrap_or(Trouble::OutOfOrder)) } else { known })
}

/// The worst of some reasons.
pub fn worst(reasons: &[String]) -> Option<Trouble> {
    let plain = |reason: &str| {
        let ends = ["-error", "-warning", "-report"];
        ends.iter().find_map(|end| reason.strip_suffix(end)).unwrap_or(reason).to_owned()
    };
    let plain: Vec<String> = reasons.iter().map(|reason| plain(reason)).collect();
    REASONS.iter().find(|(name, _)| plain.iter().any(|reason| reason == name)).map(|(_, trouble)| *trouble)
}

/// What an answer's status means; good ones are nothing.
///
/// # Errors
/// What is wrong.
pub fn of_answer(answer: &IppRequestResponse) -> Result<(), Trouble> {
    match answer.header().status_code() {
        status if status.is_success() => Ok(()),
        StatusCode::ClientErrorNotFound => Err(Trouble::NotFound),
        StatusCode::ClientErrorDocumentFormatNotSupported => Err(Trouble::Unsupported),
        StatusCode::ServerErrorBusy => Err(Trouble::Busy),
        StatusCode::ServerErrorServiceUnavailable | StatusCode::ServerErrorNotAcceptingJobs => {
            Err(Trouble::ServiceOff)
        }
        _ => Err(Trouble::OutOfOrder),
    }
}

/// A number or enum of a group.
pub fn integer(answer: &IppAttributes, group: DelimiterTag, name: &str) -> Option<i32> {
    match value(answer, group, name)? {
        IppValue::Integer(number) | IppValue::Enum(number) => Some(*number),
        _ => None,
    }
}

/// One keyword or several of a group.
pub fn keywords(answer: &IppAttributes, group: DelimiterTag, name: &str) -> Vec<String> {
    let text = |value: &IppValue| match value {
        IppValue::Keyword(word) => Some(word.as_str().to_owned()),
        _ => None,
    };
    match value(answer, group, name) {
        Some(IppValue::Array(all)) => all.iter().take(MAX_REASONS).filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn value<'a>(answer: &'a IppAttributes, group: DelimiterTag, name: &str) -> Option<&'a IppValue> {
    answer.groups_of(group).find_map(|group| group.get(name)).map(|attribute| attribute.value())
}
