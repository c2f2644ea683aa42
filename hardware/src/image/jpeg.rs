//! The structure of a JPEG file (ITU-T T.81): segments that begin with a marker, and scans between them.
//!
//! Keeps what pixels need, reads the orientation that a camera wrote, and counts scans: each of a progressive image
//! costs the decoder a pass over all pixels. Refuses to look into the scans.
use image::metadata::Orientation;

use super::{ImageError, Outline};

/// How every JPEG begins.
pub(super) const MAGIC: &[u8] = b"\xff\xd8\xff";
/// Scans of one image, at most; encoders write ten or so.
const MAX_SCANS: usize = 40;
/// What an EXIF segment begins with.
const EXIF: &[u8] = b"Exif\0\0";

/// Reads the structure; `check` hears the size as soon as it is known.
pub(super) fn outline(
    bytes: &[u8],
    check: &dyn Fn(u32, u32) -> Result<(), ImageError>,
) -> Result<Outline, ImageError> {
    let mut found = Outline {
        width: 0,
        height: 0,
        orientation: Orientation::NoTransforms,
        bare: vec![0xff, 0xd8],
        tail: 0,
    };
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut scans = 0;
    loop {
        let (marker, after) = marker(rest)?;
        rest = after;
        match marker {
            // End of image: whatever follows never reaches the decoder.
            0xd9 => break,
            // Restart markers and TEM have no length.
            0x01 | 0xd0..=0xd7 => continue,
            0xd8 => return Err(ImageError::Several),
            _ => {}
        }
        let segment = segment(rest)?;
        rest = &rest[segment.len()..];
        match marker {
            0xc0..=0xc2 => {
                if found.width > 0 {
                    return Err(ImageError::Several);
                }
                (found.width, found.height) = size(segment)?;
                check(found.width, found.height)?;
            }
            0xc3 | 0xc5..=0xcb | 0xcd..=0xcf => {
                return Err(ImageError::Unsupported("lossless or arithmetic JPEG"));
            }
            0xe1 => {
                if let Some(exif) = segment[2..].strip_prefix(EXIF) {
                    found.orientation =
                        Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms);
                }
                continue;
            }
            // Tables, and the one application segment that says how colours are coded (Adobe).
            0xc4 | 0xdb | 0xdd | 0xee => {}
            0xda => scans += 1,
            // Other application segments, comments, and what nobody uses.
            _ => continue,
        }
        if scans > MAX_SCANS {
            return Err(ImageError::Unsupported("a JPEG of very many scans"));
        }
        found.bare.extend_from_slice(&[0xff, marker]);
        found.bare.extend_from_slice(segment);
        if marker == 0xda {
            if found.width == 0 {
                return Err(ImageError::Damaged("pixels before the header"));
            }
            let length = scan_length(rest);
            found.bare.extend_from_slice(&rest[..length]);
            rest = &rest[length..];
        }
    }
    if scans == 0 {
        return Err(ImageError::Damaged("it has no pixels"));
    }
    found.bare.extend_from_slice(&[0xff, 0xd9]);
    found.tail = rest.len();
    Ok(found)
}

const CUT: ImageError = ImageError::Damaged("it breaks off before its end");

/// The next marker and what follows it. Any number of `FF` may stand before it.
fn marker(rest: &[u8]) -> Result<(u8, &[u8]), ImageError> {
    let Some((0xff, mut rest)) = rest.split_first().map(|(first, rest)| (*first, rest)) else {
        return Err(if rest.is_empty() {
            CUT
        } else {
            ImageError::Damaged("something stands between its parts")
        });
    };
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != 0xff {
            return Ok((*first, after));
        }
    }
    Err(CUT)
}

/// A segment with its two bytes of length.
fn segment(rest: &[u8]) -> Result<&[u8], ImageError> {
    let length = rest.first_chunk::<2>().map(|n| u16::from_be_bytes(*n)).ok_or(CUT)?;
    if length < 2 {
        return Err(ImageError::Damaged("a segment shorter than its own length"));
    }
    rest.get(..usize::from(length)).ok_or(CUT)
}

/// Width and height of a frame header.
fn size(segment: &[u8]) -> Result<(u32, u32), ImageError> {
    let head = segment.first_chunk::<8>().ok_or(CUT)?;
    if head[2] != 8 {
        return Err(ImageError::Unsupported("a JPEG of other than 8 bits"));
    }
    let number = |at: usize| u32::from(u16::from_be_bytes([head[at], head[at + 1]]));
    Ok((number(5), number(3)))
}

/// Bytes up to the next marker that is neither a stuffed byte nor a restart.
fn scan_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(two) = rest.get(at..at + 2) {
        match two {
            [0xff, 0x00 | 0xd0..=0xd7] => at += 2,
            [0xff, 0xff] => at += 1,
            [0xff, _] => return at,
            _ => at += 1,
        }
    }
    rest.len()
}
