//! The bank's own picture on people's pages: read once at the start, through the safe decoder, served from memory.
//!
//! Refuses to keep the server from starting: without a picture, or with one that is not taken, pages show none.
use std::path::Path;

use domain::envelope::Digest;
use hardware::image::{Cleaned, ImageFileError, Policy, clean_file};

/// How high it stands on pages, in CSS pixels: as high as the product's own mark.
const HEIGHT: u32 = 24;
/// How wide it stands there at most.
const MOST_WIDE: u32 = 60;

/// The picture, written anew, and what pages need to show it.
#[derive(Debug)]
pub struct BankMark {
    picture: Cleaned,
    /// Its entity tag, with the quotes.
    pub tag: String,
    /// What the style sheet gets so that heads of pages show it.
    pub style: String,
}

impl BankMark {
    /// Reads a picture.
    ///
    /// # Errors
    /// [`ImageFileError`] if it is missing or not taken.
    pub fn read(file: &Path) -> Result<Self, ImageFileError> {
        let picture = clean_file(file, &Policy::MARK)?;
        let tag = format!("\"{}\"", Digest::of(&picture.bytes));
        let style = style(picture.width, picture.height);
        Ok(Self { picture, tag, style })
    }

    /// The file that is served.
    pub fn bytes(&self) -> &[u8] {
        &self.picture.bytes
    }

    /// Its media type.
    pub fn media_type(&self) -> &'static str {
        self.picture.format.media_type()
    }

    /// Width and height in words.
    pub fn size(&self) -> String {
        format!("{}x{} pixels", self.picture.width, self.picture.height)
    }
}

/// The picture stands behind the product's name, or behind its mark where a page's title stands instead of the name.
/// Banks draw their marks for white paper, so a dark page gives it a white plate.
fn style(width: u32, height: u32) -> String {
    let wide = (HEIGHT * width).div_ceil(height.max(1)).clamp(1, MOST_WIDE);
    format!(
        "
.logo::after, .brand::after, .mt::before {{ content: \"\"; flex: none; width: {wide}px; height: {HEIGHT}px; \
         background: url(\"/static/bank-mark\") center / contain no-repeat; }}
.logo {{ width: auto; min-width: 180px; }}
.mt > img {{ order: -2; }}
.mt::before {{ order: -1; }}
@media (prefers-color-scheme: dark) {{ .logo::after, .brand::after, .mt::before {{ box-shadow: 0 0 0 2px #FFFFFF; \
         background-color: #FFFFFF; }} }}
"
    )
}
