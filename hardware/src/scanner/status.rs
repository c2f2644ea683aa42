//! How a scan can fail: SANE's status codes (`sane.h`, SANE Standard 1.06, section 4.2.7), which `scanimage` gives as its
//! exit code, the words that it says where the code is 1 for everything, and what the terminal itself finds.
use std::io;
use std::time::Duration;

use crate::device::Trouble;
#[cfg(feature = "devices")]
use crate::process::ProcessError;

/// What SANE says of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaneStatus {
    /// The operation is not supported.
    Unsupported,
    /// It was cancelled.
    Cancelled,
    /// The device is busy.
    Busy,
    /// A value is not taken.
    Invalid,
    /// The data ended too early.
    EndOfData,
    /// Paper is jammed in the feeder.
    Jammed,
    /// The feeder is empty.
    NoDocuments,
    /// The cover is open.
    CoverOpen,
    /// Talking to the device failed.
    Io,
    /// Memory ran out.
    NoMemory,
    /// This program may not use the device.
    Denied,
    /// There is no such device: it could not be opened.
    NoDevice,
}

/// How the program says it.
#[cfg(feature = "devices")]
impl SaneStatus {
    /// With the code of `sane.h`; none for success and for codes that it does not have.
    pub(super) fn of_code(code: i32) -> Option<Self> {
        Some(match code {
            1 => Self::Unsupported,
            2 => Self::Cancelled,
            3 => Self::Busy,
            4 => Self::Invalid,
            5 => Self::EndOfData,
            6 => Self::Jammed,
            7 => Self::NoDocuments,
            8 => Self::CoverOpen,
            9 => Self::Io,
            10 => Self::NoMemory,
            11 => Self::Denied,
            _ => return None,
        })
    }

    /// From the exit code and the last words of the program. Its code 1 says nothing: the words are heard first then.
    pub(super) fn of_exit(code: i32, said: &str) -> Option<Self> {
        if code != 1 {
            return Self::of_code(code);
        }
        let spoken = || Self::WORDS.iter().find(|(words, _)| said.contains(words)).map(|(_, status)| *status);
        let unopened = said.contains("open of device") || said.contains("no SANE devices found");
        match spoken() {
            // A device that is not there cannot be opened, and each back end says so in other words.
            Some(Self::Invalid | Self::Io | Self::Unsupported) | None if unopened => Some(Self::NoDevice),
            None if said.contains("too few scanlines") => Some(Self::EndOfData),
            status => Some(status.unwrap_or(Self::Unsupported)),
        }
    }
}

impl SaneStatus {
    /// The words of `sane_strstatus`, in the language of `LC_ALL=C`.
    const WORDS: [(&str, Self); 11] = [
        ("Operation not supported", Self::Unsupported),
        ("Operation was canceled", Self::Cancelled),
        ("Device busy", Self::Busy),
        ("Invalid argument", Self::Invalid),
        ("End of file reached", Self::EndOfData),
        ("Document feeder jammed", Self::Jammed),
        ("Document feeder out of documents", Self::NoDocuments),
        ("Scanner cover is open", Self::CoverOpen),
        ("Error during device I/O", Self::Io),
        ("Out of memory", Self::NoMemory),
        ("Access to resource has been denied", Self::Denied),
    ];

    /// What it means for the device; none if nothing is wrong with it.
    pub fn trouble(self) -> Option<Trouble> {
        Some(match self {
            Self::Cancelled => return None,
            Self::Unsupported | Self::Invalid => Trouble::Unsupported,
            Self::Busy => Trouble::Busy,
            Self::Jammed => Trouble::Jammed,
            Self::NoDocuments => Trouble::NoPaper,
            Self::CoverOpen => Trouble::CoverOpen,
            // A cable that came loose shows like this.
            Self::EndOfData | Self::Io => Trouble::Silent,
            Self::NoMemory | Self::Denied => Trouble::OutOfOrder,
            Self::NoDevice => Trouble::NotFound,
        })
    }

    /// What a technician does about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Cancelled => "scan again",
            Self::Unsupported | Self::Invalid => {
                "look with `scanimage -A` which sources, modes and resolutions the device names, and report them"
            }
            Self::Busy => "close the other program that uses the scanner, or switch the scanner off and on",
            Self::Jammed => "open the feeder, take the paper out and put it in again",
            Self::NoDocuments => "put paper into the feeder",
            Self::CoverOpen => "close the cover",
            Self::EndOfData | Self::Io => "check power and cable, switch the scanner off and on",
            Self::NoMemory => "look which program uses up the memory",
            Self::Denied => {
                "let the terminal's user use the scanner: on Debian it belongs into the group `scanner`"
            }
            Self::NoDevice => {
                "check power and cable, and that `scanner` names the device as `scanimage -L` lists it"
            }
        }
    }
}

impl std::fmt::Display for SaneStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoDevice => "there is no such device",
            other => Self::WORDS.iter().find(|(_, status)| status == other).map_or("", |(words, _)| *words),
        })
    }
}

/// A scan failed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The device or its back end says so.
    #[error("{0}")]
    Status(SaneStatus),
    /// The citizen stopped it.
    #[error("it was stopped")]
    Stopped,
    /// `scanimage` cannot be started.
    #[error("the program scanimage cannot be started")]
    Program(#[source] io::Error),
    /// It ended in a way that it never ends by itself, as when a back end crashes.
    #[error("the program scanimage broke off")]
    BrokeOff,
    /// Nothing was heard of it for so long.
    #[error("the scanner was silent for {} seconds", .0.as_secs())]
    Silent(Duration),
    /// It gives more than a page can be.
    #[error("the scanner gives more than {0} bytes")]
    TooMuch(usize),
    /// Settings name no device that may be asked.
    #[error("{0:?} names no device of SANE")]
    Name(String),
    /// The folder for pipes and settings cannot be made.
    #[error("the folder for the scanner's pipes cannot be used")]
    Folder(#[source] io::Error),
    /// Pipes cannot be read.
    #[error("the scanner's pipes cannot be read")]
    Pipe(#[source] io::Error),
}

#[cfg(feature = "devices")]
impl From<ProcessError> for ScanError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Program(e) => Self::Program(e),
            ProcessError::BrokeOff => Self::BrokeOff,
            ProcessError::Silent(within) => Self::Silent(within),
            ProcessError::TooMuch(most) => Self::TooMuch(most),
            ProcessError::Pipe(e) => Self::Pipe(e),
        }
    }
}

impl ScanError {
    /// What it means for the device; none if the citizen stopped it.
    pub fn trouble(&self) -> Option<Trouble> {
        Some(match self {
            Self::Status(status) => return status.trouble(),
            Self::Stopped => return None,
            Self::Program(_) => Trouble::ServiceOff,
            Self::BrokeOff | Self::Silent(_) => Trouble::Silent,
            Self::TooMuch(_) => Trouble::Unsupported,
            Self::Name(_) => Trouble::NotFound,
            Self::Folder(_) | Self::Pipe(_) => Trouble::OutOfOrder,
        })
    }

    /// What a technician does about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Status(status) => status.remedy(),
            Self::Stopped => "scan again",
            Self::Program(_) => "install the package sane-utils (`cargo xtask setup` names it)",
            Self::BrokeOff | Self::Silent(_) => SaneStatus::Io.remedy(),
            Self::TooMuch(_) => SaneStatus::Unsupported.remedy(),
            Self::Name(_) => SaneStatus::NoDevice.remedy(),
            Self::Folder(_) | Self::Pipe(_) => {
                "make room in the data folder and let the terminal write there"
            }
        }
    }
}

#[cfg(all(test, feature = "devices"))]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_every_word_has_a_meaning_and_a_remedy() {
        for code in 1..=11 {
            let status = SaneStatus::of_code(code).expect("a status");
            assert!(!status.to_string().is_empty() && !status.remedy().is_empty());
            assert_eq!(status.trouble().is_none(), status == SaneStatus::Cancelled);
            // The words alone say the same, where the code says nothing.
            let said = format!("scanimage: sane_start: {status}");
            assert_eq!(SaneStatus::of_exit(1, &said), Some(status));
        }
        assert_eq!(SaneStatus::of_code(0), None);
        assert_eq!(SaneStatus::of_code(12), None);
    }

    #[test]
    fn what_cannot_be_opened_is_not_there_unless_it_is_busy_or_denied() {
        use SaneStatus::*;
        let table = [
            ("Invalid argument", NoDevice),
            ("Error during device I/O", NoDevice),
            ("Device busy", Busy),
            ("Access to resource has been denied", Denied),
            ("", NoDevice),
        ];
        for (words, status) in table {
            let said = format!("scanimage: open of device test:9 failed: {words}");
            assert_eq!(SaneStatus::of_exit(1, &said), Some(status), "{words}");
        }
        assert_eq!(SaneStatus::of_exit(1, "Application transferred too few scanlines"), Some(EndOfData));
        assert_eq!(SaneStatus::of_exit(1, "usage"), Some(Unsupported));
        assert_eq!(SaneStatus::of_exit(139, ""), None);
    }
}
