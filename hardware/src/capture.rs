//! What was captured from a reader, to a card: SAM_V frames as they went over the line, an image, or a text block.
//!
//! Which of them it is shows in the bytes themselves. Fingerprints in a capture are passed over and dropped, and
//! no error contains what a card says. Pure.
use zeroize::Zeroizing;

use crate::card_reader::IdCard;
use crate::id_card::{self, IMAGE_HEADER, IMAGE_LEN, IdCardError, PHOTO_LEN, TEXT_LEN};
use crate::samv::{FrameError, PREAMBLE, Parser, Sw3};

/// Most bytes of a capture that are looked at; the longest frame has 2,321.
pub const MAX_CAPTURE_LEN: usize = 64 * 1024;
/// Bytes of status in front of an answer's data.
const STATUS_LEN: usize = 3;
/// Length of the header of an image with fingerprints: a third length follows the two.
const FINGERPRINT_HEADER_LEN: usize = IMAGE_HEADER.len() + 2;

/// Why a capture holds no card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// More bytes than [`MAX_CAPTURE_LEN`].
    #[error("the capture is longer than {MAX_CAPTURE_LEN} bytes")]
    TooLong,
    /// Neither a frame nor an image nor a text block; the payload is how many bytes there are.
    #[error(
        "{0} bytes are neither a SAM_V frame (AA AA AA 96 69 …) nor an image (1284, from 01 00 04 00) nor a text block \
         (256)"
    )]
    Unknown(usize),
    /// There is a beginning of a frame, and no whole frame.
    #[error("the captured frame is broken")]
    Frame(#[source] FrameError),
    /// The module answered that it has no card to give.
    #[error("the captured answer carries no card: the module says {0:?} ({byte:02X})", byte = .0.byte())]
    Status(Sw3),
    /// The frames carry something else; the payload is the longest data's length.
    #[error("the captured frames carry no card image (longest data: {0} bytes)")]
    NoImage(usize),
    /// The card itself breaks the rules.
    #[error("the captured card cannot be read")]
    Card(#[source] IdCardError),
}

/// The card in a capture: one or more SAM_V frames with anything around them, an image of [`IMAGE_LEN`] bytes
/// (fingerprints may lie behind it), or a text block of [`TEXT_LEN`] bytes. Its number is not judged; [`id_card::number_is_valid`] tells.
///
/// # Errors
/// [`CaptureError`].
pub fn decode(bytes: &[u8]) -> Result<IdCard, CaptureError> {
    if bytes.len() > MAX_CAPTURE_LEN {
        return Err(CaptureError::TooLong);
    }
    if bytes.starts_with(&IMAGE_HEADER) && bytes.len() != TEXT_LEN {
        let image = image(bytes).ok_or(CaptureError::Card(IdCardError::Length(bytes.len())))?;
        return id_card::parse(&image).map_err(CaptureError::Card);
    }
    if bytes.windows(PREAMBLE.len()).any(|window| window == PREAMBLE) {
        return from_frames(bytes);
    }
    match <&[u8; TEXT_LEN]>::try_from(bytes) {
        Ok(text) => id_card::parse_text(text).map_err(CaptureError::Card),
        Err(_) => Err(CaptureError::Unknown(bytes.len())),
    }
}

/// The first card in a run of frames, requests and answers as they come.
fn from_frames(bytes: &[u8]) -> Result<IdCard, CaptureError> {
    let mut fault = None;
    let mut refused = None;
    let mut longest = None;
    for frame in Parser::default().feed(bytes) {
        let body = match frame {
            Ok(body) => body,
            Err(error) => {
                fault.get_or_insert(error);
                continue;
            }
        };
        // A request has two bytes, an answer at least three.
        let Some((status, data)) = body.split_at_checked(STATUS_LEN) else { continue };
        match Sw3::from(status[2]) {
            Sw3::Done => {
                if let Some(image) = image(data) {
                    return id_card::parse(&image).map_err(CaptureError::Card);
                }
                longest = longest.max(Some(data.len()));
            }
            Sw3::Found => {}
            other => refused = Some(other),
        }
    }
    Err(match (refused, longest, fault) {
        (Some(sw3), ..) => CaptureError::Status(sw3),
        (None, _, Some(error)) => CaptureError::Frame(error),
        (None, Some(longest), None) => CaptureError::NoImage(longest),
        (None, None, None) => CaptureError::Frame(FrameError::Incomplete),
    })
}

/// The image in the data of an answer, with the fingerprints dropped; `None` if it is no image.
fn image(data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let rest = data.strip_prefix(&IMAGE_HEADER)?;
    if data.len() == IMAGE_LEN {
        return Some(Zeroizing::new(data.to_vec()));
    }
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let fingerprints = usize::from(u16::from_be_bytes(*length));
    if data.len() != FINGERPRINT_HEADER_LEN + TEXT_LEN + PHOTO_LEN + fingerprints {
        return None;
    }
    let mut image = Zeroizing::new(Vec::with_capacity(IMAGE_LEN));
    image.extend_from_slice(&IMAGE_HEADER);
    image.extend_from_slice(&rest[..TEXT_LEN + PHOTO_LEN]);
    Some(image)
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
