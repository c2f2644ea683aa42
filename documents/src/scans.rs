//! Scanned pages bound into one PDF: each as large as its picture at its resolution, or as A4 holds it. A JPEG's bytes
//! are embedded as they are; of a PNG the pixels are.
//!
//! Refuses to turn or shrink: that is done before, and nothing is lost here.
use std::sync::Arc;

use krilla::Document;
use krilla::geom::Size;
use krilla::image::Image;
use krilla::page::PageSettings;
use zeroize::Zeroizing;

use crate::DocumentError;

/// Pages of a document, at most.
pub const MAX_PAGES: usize = 100;
/// Bytes of all pages, at most: 50 MiB.
pub const MAX_BYTES: usize = 50 << 20;
/// Resolutions that a page may say it has, dots an inch.
pub const DPI: std::ops::RangeInclusive<u16> = 50..=1_200;
/// Points of an inch.
const POINTS: f32 = 72.0;
/// The long and the short side of A4, in points (210 x 297 mm).
const A4: (f32, f32) = (841.89, 595.28);
/// What a PNG file begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Longest side of a page that PDF readers take, in points.
const MAX_SIDE: f32 = 14_400.0;

/// A page: a JPEG or PNG file and the resolution it was scanned at.
#[derive(Clone)]
pub struct ScannedPage {
    /// The file's bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Dots an inch, within [`DPI`]; none if nobody knows: it is as large as A4, upright or across, holds it.
    pub dpi: Option<u16>,
}

impl std::fmt::Debug for ScannedPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScannedPage({} bytes, {:?} dpi)", self.bytes.len(), self.dpi)
    }
}

/// Binds pages into a PDF, in their order.
///
/// # Errors
/// [`DocumentError::Pages`] for none or more than [`MAX_PAGES`], [`DocumentError::TooLarge`] over [`MAX_BYTES`],
/// [`DocumentError::Picture`] with the number of a page that is no picture or has no sensible size.
pub fn pages(pages: Vec<ScannedPage>) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    if pages.is_empty() || pages.len() > MAX_PAGES {
        return Err(DocumentError::Pages(pages.len()));
    }
    let bytes = pages.iter().map(|page| page.bytes.len()).fold(0, usize::saturating_add);
    if bytes > MAX_BYTES {
        return Err(DocumentError::TooLarge);
    }
    let mut document = Document::new();
    for (at, page) in (1..).zip(pages) {
        add(&mut document, page).ok_or(DocumentError::Picture(at))?;
    }
    document.finish().map(Zeroizing::new).map_err(|_| DocumentError::Pdf)
}

fn add(document: &mut Document, page: ScannedPage) -> Option<()> {
    let read = if page.bytes.starts_with(PNG) { Image::from_png } else { Image::from_jpeg };
    let data: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(page.bytes);
    let image = read(data.into(), false).ok()?;
    let (width, height) = image.size();
    let side = |pixels: u32| u16::try_from(pixels).ok().filter(|pixels| *pixels > 0).map(f32::from);
    let (width, height) = (side(width)?, side(height)?);
    let scale = match page.dpi {
        Some(dpi) => DPI.contains(&dpi).then(|| POINTS / f32::from(dpi))?,
        None => (A4.0 / width.max(height)).min(A4.1 / width.min(height)),
    };
    let points = |side: f32| Some(side * scale).filter(|side| (1.0..=MAX_SIDE).contains(side));
    let size = Size::from_wh(points(width)?, points(height)?)?;
    let mut sheet = document.start_page_with(PageSettings::new(size));
    let mut surface = sheet.surface();
    surface.draw_image(image, size);
    surface.finish();
    sheet.finish();
    Some(())
}
