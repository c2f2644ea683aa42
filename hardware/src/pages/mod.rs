//! From a picture to a page: found on the table or cut by hand, straightened, levelled, judged, and written small enough.
//!
//! | module | what it does |
//! |---|---|
//! | [`Raster`] | pixels in memory, wiped when let go |
//! | [`find`](Found), `lines` | where the page lies |
//! | [`Corners`] | four corners, checked |
//! | `straighten` | the projective map |
//! | `light` | brightness of the paper, evened out |
//! | [`Scores`], [`Finding`] | what is wrong with it |
//! | `fit` | quality and size of the file |
//! | [`invented`] | drawn pages for tests and simulators |
//!
//! Bytes are decoded by [`crate::image`] only, bounded and without what a camera wrote beside the pixels. Refuses to
//! keep anything: pixels and files are wiped when they are let go.
mod corners;
mod find;
mod findings;
mod fit;
pub mod invented;
mod light;
mod lines;
mod raster;
mod straighten;

use zeroize::Zeroizing;

use crate::image::{ImageError, Policy, upright};

pub use corners::{Corners, CornersError, LEAST_AREA, Point};
pub use find::Found;
pub use findings::{Finding, Scores};
pub use raster::Raster;
pub use straighten::MAX_PIXELS;

/// Pixels of the longer side that scores are measured on.
const VIEW_SIDE: usize = 1_200;
/// Bytes of a page, at least, that a form may ask for.
pub const LEAST_BYTES: usize = 16 * 1024;

/// A picture does not become a page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It is no picture that is taken.
    #[error("the picture is not taken")]
    Image(#[from] ImageError),
    /// It does not fit into as few bytes.
    #[error("the page does not fit into the bytes that the form allows")]
    Size,
    /// It cannot be written.
    #[error("the page cannot be written")]
    Encode(#[from] jpeg_encoder::EncodingError),
}

/// What a page is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Bytes of its file, at most.
    pub max_bytes: usize,
    /// Whether it is paper, to be made white; a portrait stays as it is.
    pub is_paper: bool,
}

/// Which part of a picture is the page, and which side of it is up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Its corners.
    pub corners: Corners,
    /// Quarters that it is turned clockwise.
    pub quarters: u8,
}

impl Cut {
    /// The picture as it is.
    pub const WHOLE: Self = Self { corners: Corners::WHOLE, quarters: 0 };
}

/// A picture that was decoded and waits to be cut.
#[derive(Debug)]
pub struct Shot {
    picture: Raster,
    found: Option<Found>,
}

impl Shot {
    /// Decodes a picture within the policy's limits and upright; nothing is looked for: a scanner's page.
    ///
    /// # Errors
    /// [`PageError::Image`]
    pub fn scanned(bytes: &[u8], policy: &Policy) -> Result<Self, PageError> {
        let picture = upright(bytes, policy)?.into_rgb8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let picture = Raster::new(width, height, picture.into_raw());
        let picture = picture.ok_or(ImageError::Damaged("it has no pixels"))?;
        Ok(Self { picture, found: None })
    }

    /// Decodes a picture and looks for a page on a table: a camera's.
    ///
    /// # Errors
    /// [`PageError::Image`]
    pub fn photographed(bytes: &[u8], policy: &Policy) -> Result<Self, PageError> {
        let mut shot = Self::scanned(bytes, policy)?;
        shot.found = find::find(&shot.picture.reduced(VIEW_SIDE));
        Ok(shot)
    }

    /// The page's corners, if they were found.
    pub fn found(&self) -> Option<Found> {
        self.found
    }

    /// What is cut if nobody says otherwise: the page that was found, else the whole picture.
    pub fn cut(&self) -> Cut {
        self.found.map_or(Cut::WHOLE, |found| Cut { corners: found.corners, quarters: 0 })
    }

    /// The picture with its longer side at most so many pixels, to be shown.
    pub fn preview(&self, side: usize) -> Raster {
        self.picture.reduced(side)
    }

    /// Cuts the page out, straightens it, judges it and writes it.
    ///
    /// # Errors
    /// [`PageError::Size`] and [`PageError::Encode`]
    pub fn page(&self, cut: &Cut, wanted: &Wanted) -> Result<Page, PageError> {
        let (width, height) = cut.corners.size(self.picture.width(), self.picture.height());
        let mut page = straighten::straighten(&self.picture, &cut.corners.turned(cut.quarters));
        let view = page.reduced(VIEW_SIDE);
        let scores = Scores::of(&view, width.min(height) as u32);
        if wanted.is_paper {
            light::level(&mut page, &view);
        }
        let fitted = fit::fit(&page, wanted.max_bytes)?;
        Ok(Page {
            jpeg: fitted.jpeg,
            width: fitted.width,
            height: fitted.height,
            quality: fitted.quality,
            scores,
        })
    }
}

/// A page, ready to be sealed.
pub struct Page {
    /// The file, a JPEG without anything but its pixels.
    pub jpeg: Zeroizing<Vec<u8>>,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Quality that it was written with, of 100.
    pub quality: u8,
    /// What was measured on it.
    pub scores: Scores,
}

impl std::fmt::Debug for Page {
    /// Says how large it is; what it shows may be a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({}x{}, {} bytes)", self.width, self.height, self.jpeg.len())
    }
}

#[cfg(test)]
mod tests;
