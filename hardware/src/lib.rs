//! Devices of the terminal. Knows nothing of services, cases or HTTP; depends on `domain` for ID-number rules only.
//!
//! | module | what it holds |
//! |---|---|
//! | [`card_reader`] | what a terminal uses: the trait [`card_reader::CardReader`], its events, data and errors |
//! | [`samv`], [`samv_id`], [`id_card`] | pure codecs: frames and number of the security module, the text on the chip |
//! | [`capture`] | what was captured from a reader (frames, an image, a text block) to a card |
//! | [`security_module`] | find, select and read over any transport, with the repeats |
//! | [`image`] | safe decoding of pictures, for both ends |
//! | [`pages`] | from a picture to a page: found, straightened, judged, written small enough |
//! | [`scanner`] | pages from glass or feeder through SANE (feature `devices`) |
//! | [`camera`] | frames of a camera; a folder of pictures in its place |
//! | [`device`], [`health`] | kinds, states and troubles that all devices share, and how one fares over time |
//! | [`trace`] | what was said to readers, without any data, for technicians |
//! | [`iso7816`] | commands and status words of chip cards |
//! | [`chip_card`], [`social_security`], [`staff_card`] | which chip card it is, and what it says |
//! | [`transport`] | moves bytes; PC/SC and serial lines with feature `devices` |
//! | [`PcscReader`] | readers through pcscd (feature `devices`) |
//! | [`PolledReader`] | a reader that is asked whether a card lies there, such as one on a serial line |
//! | [`ReaderSet`], [`readers_file`] | all readers of a terminal as one; what an operator says of each |
//! | [`photo`] | the photo of an ID card by an external program |
//! | [`FileReader`], [`card_file`] | simulator: a file is a card; sample cards of invented people as TOML |
//! | [`simulated_card`] | simulator: a chip card that answers APDUs |
//! | `printer` | slips over ESC/POS, pages over IPP (feature `devices`) |
//! | [`card_tool`] | the technicians' program `card-tool` |
#[cfg(feature = "devices")]
mod atr;
pub mod camera;
pub mod capture;
pub mod card_file;
pub mod card_reader;
pub mod card_tool;
#[cfg(feature = "devices")]
mod child;
pub mod chip_card;
pub mod device;
#[cfg(all(test, feature = "devices"))]
mod faults;
mod file_reader;
#[cfg(feature = "devices")]
mod head_count;
pub mod health;
pub mod id_card;
#[cfg(feature = "devices")]
mod ill_readers;
pub mod image;
pub mod iso7816;
mod module_read;
pub mod pages;
#[cfg(feature = "devices")]
mod pcsc_config;
#[cfg(feature = "devices")]
mod pcsc_lines;
#[cfg(feature = "devices")]
mod pcsc_reader;
#[cfg(feature = "devices")]
pub mod photo;
mod polled_reader;
#[cfg(feature = "devices")]
mod presence;
#[cfg(feature = "devices")]
pub mod printer;
#[cfg(feature = "devices")]
mod process;
#[cfg(feature = "devices")]
mod reader_set;
#[cfg(feature = "devices")]
pub mod readers_file;
pub mod samv;
pub mod samv_id;
pub mod scanner;
pub mod security_module;
pub mod simulated_card;
pub mod social_security;
pub mod staff_card;
pub mod trace;
pub mod transport;

pub use file_reader::FileReader;
#[cfg(feature = "devices")]
pub use pcsc_config::{PcscConfig, Route};
#[cfg(feature = "devices")]
pub use pcsc_lines::polled;
#[cfg(feature = "devices")]
pub use pcsc_reader::PcscReader;
pub use polled_reader::{MIN_POLL, OpenTransport, Opens, PolledReader};
#[cfg(feature = "devices")]
pub use reader_set::ReaderSet;
