//! A page as a JPEG of at most so many bytes: the quality is searched on some of its rows, then the page is written.
//!
//! Refuses to write a page that nobody could read, and to try for ever.
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zeroize::Zeroizing;

use super::PageError;
use super::raster::{Raster, luma};

/// Quality of a page with room enough, of 100.
const BEST: u8 = 85;
/// Quality below which text cannot be read.
const WORST: u8 = 30;
/// How often a page is written in full, at most; each time smaller.
const TRIES: usize = 5;
/// One stripe of this many is written to learn how large the page will be.
const SAMPLE: usize = 8;
/// Rows of a stripe: a whole block of JPEG.
const STRIPE: usize = 16;
/// Bytes of a JPEG's tables, about.
const TABLES: usize = 700;

/// A page written as a file.
pub(super) struct Fitted {
    pub(super) jpeg: Zeroizing<Vec<u8>>,
    pub(super) quality: u8,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Writes a page as a JPEG of at most `most` bytes, with as good a quality as fits; a page that does not fit at the
/// worst quality is made smaller.
///
/// # Errors
/// [`PageError::Size`] if it does not fit anyhow, [`PageError::Encode`] if it cannot be written.
pub(super) fn fit(page: &Raster, most: usize) -> Result<Fitted, PageError> {
    let mut smaller: Option<Raster> = None;
    let mut ceiling = BEST;
    for _ in 0..TRIES {
        let page = smaller.as_ref().unwrap_or(page);
        let quality = guess(page, most, ceiling)?;
        let jpeg = written(page, quality)?;
        if jpeg.len() <= most {
            return Ok(Fitted { jpeg, quality, width: page.width(), height: page.height() });
        }
        if quality > WORST {
            // The rows that were looked at have less on them than the others.
            ceiling = quality.saturating_sub(8).max(WORST);
        } else {
            // What is smaller has more on each pixel.
            let share = (most as f32 / jpeg.len() as f32).powf(0.7).clamp(0.2, 0.9);
            smaller = Some(page.reduced((page.width().max(page.height()) as f32 * share) as usize));
        }
    }
    Err(PageError::Size)
}

/// The best quality, at most `ceiling`, at which the page seems to fit.
fn guess(page: &Raster, most: usize, ceiling: u8) -> Result<u8, PageError> {
    // Nearly four bits for each pixel: text on paper never takes as much at this quality.
    if ceiling == BEST && most >= page.width() * page.height() / 2 {
        return Ok(ceiling);
    }
    let sample = sample(page);
    let share = page.height() as f32 / sample.height() as f32;
    let fits = |quality| -> Result<bool, PageError> {
        let bytes = written(&sample, quality)?.len().saturating_sub(TABLES) as f32;
        Ok(bytes * share * 1.03 + TABLES as f32 <= most as f32)
    };
    if fits(ceiling)? {
        return Ok(ceiling);
    }
    // `low` fits or is the worst, `high` does not fit: at most six halvings of 0 to 100.
    let (mut low, mut high) = (WORST, ceiling);
    while high.saturating_sub(low) > 2 {
        let middle = low + (high - low) / 2;
        if fits(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// One stripe out of eight.
fn sample(page: &Raster) -> Raster {
    let stripes = (0..page.height()).step_by(STRIPE * SAMPLE);
    let rows = stripes.flat_map(|y| y..(y + STRIPE).min(page.height()));
    let mut rgb = Vec::with_capacity(page.rgb().len() / SAMPLE + page.width() * STRIPE * 3);
    let mut height = 0;
    for y in rows {
        rgb.extend_from_slice(page.row(y));
        height += 1;
    }
    Raster::new(page.width(), height, rgb).unwrap_or_else(|| Raster::plain(1, 1, [0; 3]))
}

fn written(page: &Raster, quality: u8) -> Result<Zeroizing<Vec<u8>>, PageError> {
    let mut out = Zeroizing::new(Vec::new());
    let (Ok(width), Ok(height)) = (u16::try_from(page.width()), u16::try_from(page.height())) else {
        return Err(PageError::Size);
    };
    let mut encoder = Encoder::new(&mut *out, quality);
    // Colour is kept at half the resolution, as cameras do: ink is dark before it is coloured.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    if page.is_grey() {
        encoder.encode(&page.plane(luma).cells, width, height, ColorType::Luma)
    } else {
        encoder.encode(page.rgb(), width, height, ColorType::Rgb)
    }?;
    Ok(out)
}
