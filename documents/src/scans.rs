//! JPEG pages bound into one PDF: each page as large as its picture at its resolution, its bytes embedded as they are.
//!
//! Refuses to decode, turn or shrink: that is done before, and nothing is lost here.
use std::sync::Arc;

use krilla::Document;
use krilla::geom::Size;
use krilla::image::Image;
use krilla::page::PageSettings;
use zeroize::Zeroizing;

use crate::DocumentError;

/// Pages of a document, at most.
pub const MAX_PAGES: usize = 50;
/// Bytes of all pages, at most: 50 MiB.
pub const MAX_BYTES: usize = 50 << 20;
/// Resolutions that a page may say it has, dots an inch.
pub const DPI: std::ops::RangeInclusive<u16> = 50..=1_200;
/// Points of an inch.
const POINTS: f32 = 72.0;
/// Longest side of a page that PDF readers take, in points.
const MAX_SIDE: f32 = 14_400.0;

/// A page: a JPEG file and the resolution it was scanned at.
#[derive(Clone)]
pub struct JpegPage {
    /// The file's bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Dots an inch, within [`DPI`].
    pub dpi: u16,
}

impl std::fmt::Debug for JpegPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JpegPage({} bytes, {} dpi)", self.bytes.len(), self.dpi)
    }
}

/// Binds pages into a PDF, in their order.
///
/// # Errors
/// [`DocumentError::Pages`] for none or more than [`MAX_PAGES`], [`DocumentError::TooLarge`] over [`MAX_BYTES`],
/// [`DocumentError::Picture`] with the number of a page that is no JPEG or has no sensible size.
pub fn pages(pages: &[JpegPage]) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
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

fn add(document: &mut Document, page: &JpegPage) -> Option<()> {
    if !DPI.contains(&page.dpi) {
        return None;
    }
    let data: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(page.bytes.clone());
    let image = Image::from_jpeg(data.into(), false).ok()?;
    let (width, height) = image.size();
    let points = |pixels: u32| {
        let pixels = f32::from(u16::try_from(pixels).ok()?);
        let side = pixels * POINTS / f32::from(page.dpi);
        (1.0..=MAX_SIDE).contains(&side).then_some(side)
    };
    let size = Size::from_wh(points(width)?, points(height)?)?;
    let mut sheet = document.start_page_with(PageSettings::new(size));
    let mut surface = sheet.surface();
    surface.draw_image(image, size);
    surface.finish();
    sheet.finish();
    Some(())
}
