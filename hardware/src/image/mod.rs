//! Safe images: what a scanner, a camera or a stranger sends becomes pixels of bounded size and is written anew.
//!
//! The header is read before anything is decoded; what is not needed for the pixels (text, profiles, places where a
//! photo was taken, previews, whatever follows the end) never reaches the decoder and never leaves. Used by both ends.
//! Refuses animations, more than one picture in a file, and every format but PNG and JPEG.
mod file;
mod jpeg;
mod png;
mod shrink;

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

pub use file::{ImageFileError, MARK_REMEDY, clean_file};

/// How good a JPEG is written, of 100.
const JPEG_QUALITY: u8 = 85;

/// What an image may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Bytes of the file, at most.
    pub max_bytes: usize,
    /// Pixels of the longer side, at most.
    pub max_side: u32,
    /// Pixels in all, at most. Decoding takes three to four bytes for each.
    pub max_pixels: u64,
    /// Pixels of the longer side of what is written, at most: a larger picture is made smaller.
    pub written_side: u32,
    /// Whether something may stand behind the picture's end and is left behind: cameras put previews there. Otherwise
    /// the file is refused.
    pub takes_tail: bool,
}

impl Policy {
    /// A scanned page: A4 at 400 dpi fits.
    pub const PAGE: Self = Self {
        max_bytes: 12 * 1024 * 1024,
        max_side: 8_000,
        max_pixels: 16_000_000,
        written_side: 8_000,
        takes_tail: true,
    };
    /// A portrait or a photo of a document.
    pub const PHOTO: Self = Self {
        max_bytes: 6 * 1024 * 1024,
        max_side: 5_000,
        max_pixels: 12_500_000,
        written_side: 5_000,
        takes_tail: true,
    };
    /// The mark of an organisation, shown a finger wide: somebody drew it, so nothing else belongs into the file.
    pub const MARK: Self = Self {
        max_bytes: 1024 * 1024,
        max_side: 4_096,
        max_pixels: 4_194_304,
        written_side: 256,
        takes_tail: false,
    };
}

/// A file format that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

impl Format {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    fn codec(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
        }
    }
}

/// An image written anew, upright, without anything but its pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format, the same as it came in.
    pub format: Format,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Cleaned {
    /// Its pixels row by row, four bytes each: red, green, blue, and how opaque (not multiplied into the colours).
    ///
    /// # Errors
    /// [`ImageError`] if the bytes were not written by [`clean`].
    pub fn rgba(&self) -> Result<Vec<u8>, ImageError> {
        let pixels = u64::from(self.width) * u64::from(self.height);
        let picture = decode(&self.bytes, self.format, (self.width, self.height), pixels)?;
        Ok(picture.into_rgba8().into_raw())
    }
}

impl std::fmt::Debug for Cleaned {
    /// Says how large it is; what it shows may be a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Cleaned({} {}x{}, {} bytes)",
            self.format.media_type(),
            self.width,
            self.height,
            self.bytes.len()
        )
    }
}

/// A file is not an image that is taken.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Nothing there.
    #[error("the file is empty")]
    Empty,
    /// More bytes than the policy takes.
    #[error("the file has {bytes} bytes; at most {most} are taken")]
    TooManyBytes {
        /// Its size.
        bytes: usize,
        /// The policy's limit.
        most: usize,
    },
    /// Neither PNG nor JPEG.
    #[error("neither a PNG nor a JPEG file")]
    UnknownFormat,
    /// Its header names more pixels than the policy takes; nothing was decoded.
    #[error("the image has {width}x{height} pixels; that is more than is taken")]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// Something else stands behind the picture, such as an archive.
    #[error("{0} bytes of something else stand behind the picture's end")]
    Tail(usize),
    /// More than one picture in the file.
    #[error("the file is an animation or holds several pictures")]
    Several,
    /// A kind of PNG or JPEG that is not taken.
    #[error("a kind of image that is not taken: {0}")]
    Unsupported(&'static str),
    /// The file breaks off or does not fit together.
    #[error("the image is damaged: {0}")]
    Damaged(&'static str),
    /// The pixels cannot be decoded.
    #[error("the image cannot be decoded")]
    Decode(#[source] image::ImageError),
    /// The pixels cannot be written.
    #[error("the image cannot be written")]
    Encode(#[source] image::ImageError),
}

/// What is known of a file from its structure, and the part of it that the decoder sees.
struct Outline {
    width: u32,
    height: u32,
    orientation: Orientation,
    /// The file without what is not needed for the pixels.
    bare: Vec<u8>,
    /// Bytes behind the picture's end.
    tail: usize,
}

/// Checks a file, decodes it within limits and writes it anew.
///
/// # Errors
/// [`ImageError`]; for a file that is too large in any way, before anything is decoded.
pub fn clean(bytes: &[u8], policy: &Policy) -> Result<Cleaned, ImageError> {
    let (picture, format) = read(bytes, policy)?;
    let picture = shrink::to_fit(picture, policy.written_side);
    let bytes = encode(&picture, format)?;
    Ok(Cleaned { bytes, format, width: picture.width(), height: picture.height() })
}

/// Checks a file and decodes it within limits: its pixels, upright.
///
/// # Errors
/// [`ImageError`]; for a file that is too large in any way, before anything is decoded.
pub(crate) fn upright(bytes: &[u8], policy: &Policy) -> Result<DynamicImage, ImageError> {
    Ok(read(bytes, policy)?.0)
}

fn read(bytes: &[u8], policy: &Policy) -> Result<(DynamicImage, Format), ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if bytes.len() > policy.max_bytes {
        return Err(ImageError::TooManyBytes { bytes: bytes.len(), most: policy.max_bytes });
    }
    let check = |width, height| within(width, height, policy);
    let (format, outline) = if bytes.starts_with(png::MAGIC) {
        (Format::Png, png::outline(bytes, &check)?)
    } else if bytes.starts_with(jpeg::MAGIC) {
        (Format::Jpeg, jpeg::outline(bytes, &check)?)
    } else {
        return Err(ImageError::UnknownFormat);
    };
    if outline.tail > 0 && !policy.takes_tail {
        return Err(ImageError::Tail(outline.tail));
    }
    let size = (outline.width, outline.height);
    let mut picture = plain(decode(&outline.bare, format, size, policy.max_pixels)?, format);
    picture.apply_orientation(outline.orientation);
    Ok((picture, format))
}

/// Called as soon as the header was read.
fn within(width: u32, height: u32, policy: &Policy) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Damaged("it has no pixels"));
    }
    let pixels = u64::from(width) * u64::from(height);
    if width > policy.max_side || height > policy.max_side || pixels > policy.max_pixels {
        return Err(ImageError::TooLarge { width, height });
    }
    Ok(())
}

/// Decodes a file whose header names this size.
fn decode(
    bytes: &[u8],
    format: Format,
    (width, height): (u32, u32),
    max_pixels: u64,
) -> Result<DynamicImage, ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(width);
    limits.max_image_height = Some(height);
    // Eight bytes a pixel: 16 bits in each of four channels, and what the decoder needs beside it.
    limits.max_alloc = Some(max_pixels.saturating_mul(8).saturating_add(1024 * 1024));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    reader.limits(limits);
    let picture = reader.decode().map_err(ImageError::Decode)?;
    if (picture.width(), picture.height()) != (width, height) {
        return Err(ImageError::Damaged("header and pixels differ"));
    }
    Ok(picture)
}

/// Eight bits a channel; a JPEG has no transparency.
fn plain(picture: DynamicImage, format: Format) -> DynamicImage {
    match (picture.color().has_color(), picture.color().has_alpha() && format == Format::Png) {
        (_, true) => DynamicImage::ImageRgba8(picture.into_rgba8()),
        (true, false) => DynamicImage::ImageRgb8(picture.into_rgb8()),
        (false, false) => DynamicImage::ImageLuma8(picture.into_luma8()),
    }
}

fn encode(picture: &DynamicImage, format: Format) -> Result<Vec<u8>, ImageError> {
    let mut out = Vec::new();
    match format {
        Format::Png => picture.write_to(&mut Cursor::new(&mut out), ImageFormat::Png),
        Format::Jpeg => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)),
    }
    .map_err(ImageError::Encode)?;
    Ok(out)
}
