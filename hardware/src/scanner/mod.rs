//! Scanners: one page from the glass or a batch from the feeder, through SANE's program `scanimage`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Scanner`] | what a terminal uses |
//! | [`ScanError`], [`SaneStatus`] | every way to fail, and what each means for the device |
//! | `options` | which sources, colours and resolutions a device names, and which of them is meant |
//! | [`SaneScanner`] | the program's arguments and surroundings |
//! | `batch` | pages through named pipes |
//!
//! A program and not a library: a back end that crashes or hangs takes a process with it and not the terminal. Pages
//! come through named pipes, since `scanimage` writes a batch to files and nothing may lie on the disk in clear. Refuses
//! a shell, every back end but the configured one, and to decode what it reads: that is [`crate::pages`].
#[cfg(feature = "devices")]
mod batch;
#[cfg(feature = "devices")]
mod options;
#[cfg(feature = "devices")]
mod sane;
mod status;

use zeroize::Zeroizing;

#[cfg(feature = "devices")]
pub use sane::{Listed, MAX_DEVICES, SaneConfig, SaneScanner};
pub use status::{SaneStatus, ScanError};

/// Pages of one batch, at most.
pub const MAX_PAGES: u16 = 20;

/// Letters of a device's name, at most.
const MAX_NAME: usize = 200;

/// Whether a text can be the name of a device of SANE: its back end, a colon, and whatever the back end likes.
pub fn is_device(name: &str) -> bool {
    let Some((back_end, rest)) = name.split_once(':') else { return false };
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let starts = back_end.starts_with(|c: char| c.is_ascii_alphanumeric());
    let plain = name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    plain && starts && back_end.chars().all(letter) && !rest.is_empty()
}

/// Where the paper lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// On the glass: one page.
    Glass,
    /// In the feeder: one page after the other until it is empty.
    Feeder,
}

/// How fine and in which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanOrder {
    /// Where the paper lies.
    pub source: Source,
    /// Pixels an inch; the nearest one that the device has.
    pub dpi: u16,
    /// Whether in colour; otherwise grey.
    pub color: bool,
    /// Pages, at most; never more than [`MAX_PAGES`], and one from the glass.
    pub pages: u16,
}

/// What a scan says while it runs.
pub enum Heard {
    /// Nothing new: asks only whether to go on. At least ten times a second.
    Nothing,
    /// How far a page is, in percent.
    Progress {
        /// Which page, from 1.
        page: u16,
        /// 0 to 100.
        percent: u8,
    },
    /// A page is complete: a JPEG as the device gave it, not looked at yet.
    Page(Zeroizing<Vec<u8>>),
}

impl std::fmt::Debug for Heard {
    /// Says how large a page is and not what is on it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Progress { page, percent } => write!(f, "Progress({page}, {percent} %)"),
            Self::Page(bytes) => write!(f, "Page({} bytes)", bytes.len()),
        }
    }
}

/// Whether a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// It does.
    On,
    /// The citizen stopped it.
    Stop,
}

/// A scanner as a terminal sees it.
pub trait Scanner: Send {
    /// Looks whether the device is there.
    ///
    /// # Errors
    /// [`ScanError`]
    fn look(&mut self) -> Result<(), ScanError>;

    /// Scans. Every complete page is heard at once and counts, whatever happens to a later one; how many there were.
    /// The end of the feeder is no error if a page came before it.
    ///
    /// # Errors
    /// [`ScanError`]
    fn scan(&mut self, order: &ScanOrder, hear: &mut dyn FnMut(Heard) -> Go) -> Result<u16, ScanError>;
}

#[cfg(all(test, feature = "devices"))]
mod tests;
