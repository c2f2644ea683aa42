//! Devices of the terminal. Knows nothing of services, cases or HTTP; depends on `domain` for ID-number rules only.
//!
//! | module | what it holds |
//! |---|---|
//! | [`card_reader`] | what a terminal uses: the trait [`card_reader::CardReader`], its events, data and errors |
//! | [`samv`], [`id_card`] | pure codecs: frames of the security module, the text block on the chip |
//! | [`security_module`] | find, select and read over any transport, with the repeats |
//! | [`image`] | safe decoding of pictures, for both ends |
//! | [`transport`] | moves bytes; PC/SC with feature `devices` |
//! | [`PcscReader`] | a real reader through pcscd (feature `devices`) |
//! | [`FileReader`], [`card_file`] | simulator: a file is a card; sample cards of invented people as TOML |
pub mod card_file;
pub mod card_reader;
mod file_reader;
pub mod id_card;
pub mod image;
#[cfg(feature = "devices")]
mod pcsc_reader;
#[cfg(feature = "devices")]
mod presence;
pub mod samv;
pub mod security_module;
pub mod transport;

pub use file_reader::FileReader;
#[cfg(feature = "devices")]
pub use pcsc_reader::{PcscConfig, PcscReader, Route};
