//! Paper: words and pictures laid out as the bitmap of a receipt printer or as a PDF.
//!
//! | module | what it holds |
//! |---|---|
//! | [`typeface`] | fonts given as bytes: how wide words are, where lines break, which sign has no glyph |
//! | [`bitmap`] | black dots on white paper |
//! | [`paper`] | what stands on a slip, whatever it is printed on |
//! | [`mod@receipt`] | a slip for a roll of paper, as a bitmap |
//! | [`mod@acknowledgement`] | a slip for an A4 page, as a PDF whose text can be selected |
//! | [`mod@certificate`] | a certificate for an A4 page, as a PDF that archives take (PDF/A) |
//! | [`scans`] | scanned pages bound into one PDF, nothing of them lost |
//!
//! Pure: no files, no clock, no words of its own. Refuses what is larger than paper can be.
pub mod acknowledgement;
pub mod bitmap;
pub mod certificate;
mod line_break;
pub mod paper;
mod pdf;
pub mod receipt;
pub mod scans;
#[cfg(test)]
mod tests;
pub mod typeface;

pub use acknowledgement::acknowledgement;
pub use bitmap::Bitmap;
pub use certificate::{CertificatePaper, Moment, Seal, certificate};
pub use paper::{Fact, Paper};
pub use receipt::{RollWidth, receipt};
pub use scans::{ScannedPage, pages};
pub use typeface::{FontBytes, Typeface};

/// A document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are no font, or have no such face.
    #[error("this is no font that can be used")]
    Font,
    /// There is more than fits on the paper.
    #[error("there is more than fits on the paper")]
    TooLong,
    /// The text of the code does not fit into a QR code.
    #[error("the text is too long for a QR code")]
    Code,
    /// There are no pages, or more than [`scans::MAX_PAGES`].
    #[error("there are {0} pages")]
    Pages(usize),
    /// All pages together are larger than [`scans::MAX_BYTES`].
    #[error("the pages are larger than {} MiB", scans::MAX_BYTES >> 20)]
    TooLarge,
    /// The bytes of this page (from 1) are no picture that a page can be made of.
    #[error("page {0} is no picture that can be used")]
    Picture(usize),
    /// The library that writes PDF files refused.
    #[error("the PDF could not be written")]
    Pdf,
}
