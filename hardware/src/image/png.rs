//! The structure of a PNG file (ISO/IEC 15948): chunks of length, name, data, checksum.
//!
//! Keeps the four chunks that pixels need. Refuses to look into compressed data.
use image::metadata::Orientation;

use super::{ImageError, Outline};

/// How every PNG begins.
pub(super) const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What pixels need; `tRNS` is their transparency.
const NEEDED: [&[u8; 4]; 5] = [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"];
/// What says that there are several pictures (APNG).
const SEVERAL: [&[u8; 4]; 3] = [b"acTL", b"fcTL", b"fdAT"];
/// Length, name and checksum of a chunk.
const FRAME: usize = 12;

/// Reads the structure; `check` hears the size as soon as it is known.
pub(super) fn outline(
    bytes: &[u8],
    check: &dyn Fn(u32, u32) -> Result<(), ImageError>,
) -> Result<Outline, ImageError> {
    let mut rest = bytes.get(MAGIC.len()..).unwrap_or_default();
    let (width, height) = size(rest)?;
    check(width, height)?;
    let mut bare = MAGIC.to_vec();
    let mut pixels = false;
    loop {
        let (name, whole) = chunk(rest)?;
        if SEVERAL.contains(&name) {
            return Err(ImageError::Several);
        }
        if name == b"IHDR" && bare.len() > MAGIC.len() {
            return Err(ImageError::Damaged("a second header"));
        }
        if NEEDED.contains(&name) {
            bare.extend_from_slice(whole);
        } else if name[0].is_ascii_uppercase() {
            return Err(ImageError::Unsupported("an unknown chunk that matters"));
        }
        pixels |= name == b"IDAT";
        rest = &rest[whole.len()..];
        if name == b"IEND" {
            break;
        }
    }
    if !pixels {
        return Err(ImageError::Damaged("it has no pixels"));
    }
    Ok(Outline { width, height, orientation: Orientation::NoTransforms, bare, tail: rest.len() })
}

/// Width and height of the first chunk, which must be the header.
fn size(rest: &[u8]) -> Result<(u32, u32), ImageError> {
    let head = rest.first_chunk::<16>().ok_or(ImageError::Damaged("it breaks off in its header"))?;
    if head[..8] != *b"\0\0\0\x0dIHDR" {
        return Err(ImageError::Damaged("it does not begin with its header"));
    }
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    Ok((number(8), number(12)))
}

/// Name and whole of the first chunk.
fn chunk(rest: &[u8]) -> Result<(&[u8; 4], &[u8]), ImageError> {
    const CUT: ImageError = ImageError::Damaged("it breaks off before its end");
    let length = rest.first_chunk::<4>().map(|n| u32::from_be_bytes(*n)).ok_or(CUT)?;
    let length = usize::try_from(length).map_err(|_| CUT)?.checked_add(FRAME).ok_or(CUT)?;
    let whole = rest.get(..length).ok_or(CUT)?;
    let name = whole[4..].first_chunk::<4>().ok_or(CUT)?;
    Ok((name, whole))
}
