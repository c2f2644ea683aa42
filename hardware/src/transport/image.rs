//! Reading the card image by READ BINARY pseudo-APDUs: `FF B0 offHi offLo Le` over the linear 1,284 bytes.
//!
//! Some readers with a security module offer this instead of SAM_V frames: the reader does find, select and read
//! by itself. Refuses to take an ordinary card's memory for an ID card: the image's header must stand in front.
use zeroize::Zeroizing;

use super::{ApduChannel, TransportError};
use crate::id_card::{IMAGE_HEADER, IMAGE_LEN};

/// Most APDUs for one image: six blocks of 256 bytes, with room for a reader that gives shorter ones.
const MAX_APDUS: usize = 24;

/// Why the image could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The reader does not serve card images: it has no security module.
    #[error("the reader serves no card image")]
    NoModule,
    /// The card did not answer properly; the payload is the status word.
    #[error("the reader answered {0:04X}")]
    Status(u16),
    /// An answer without a status word, or more bytes than an image has.
    #[error("the reader's answer has an impossible length")]
    Length,
    /// No whole image within the greatest number of commands.
    #[error("the reader serves the image in too small pieces")]
    TooManyPieces,
    /// The bytes did not come through.
    #[error("the exchange failed")]
    Transport(#[source] TransportError),
}

/// Reads the whole image.
///
/// # Errors
/// [`ImageError`].
pub fn read_image(channel: &mut impl ApduChannel) -> Result<Zeroizing<Vec<u8>>, ImageError> {
    let mut image = Zeroizing::new(Vec::with_capacity(IMAGE_LEN));
    let mut le = 0;
    for _ in 0..MAX_APDUS {
        // `IMAGE_LEN` is far below 65,536, so the offset has two bytes.
        let [high, low] = u16::try_from(image.len()).map_err(|_| ImageError::Length)?.to_be_bytes();
        let answer = channel.transmit(&[0xFF, 0xB0, high, low, le]).map_err(ImageError::Transport)?;
        let Some((data, status)) = answer.split_last_chunk::<2>() else { return Err(ImageError::Length) };
        le = 0;
        match *status {
            [0x90, 0] | [0x62, 0x82] => append(&mut image, data)?,
            [0x6C, exact] => le = exact,
            // The reader met the card's own failure, not an unknown command.
            [0x64 | 0x65 | 0x6F, _] => return Err(ImageError::Status(u16::from_be_bytes(*status))),
            _ if image.is_empty() => return Err(ImageError::NoModule),
            _ => return Err(ImageError::Status(u16::from_be_bytes(*status))),
        }
        if image.len() == IMAGE_LEN {
            return Ok(image);
        }
    }
    Err(ImageError::TooManyPieces)
}

fn append(image: &mut Vec<u8>, data: &[u8]) -> Result<(), ImageError> {
    if image.len() + data.len() > IMAGE_LEN {
        return Err(ImageError::Length);
    }
    image.extend_from_slice(data);
    if image.len() >= IMAGE_HEADER.len() && !image.starts_with(&IMAGE_HEADER) {
        return Err(ImageError::NoModule);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that serves `memory` in pieces of `piece` bytes, answering `fault` at the n-th command.
    struct Fake {
        memory: Vec<u8>,
        piece: usize,
        fault: Option<(usize, Vec<u8>)>,
        commands: usize,
    }

    impl ApduChannel for Fake {
        fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.commands += 1;
            match &self.fault {
                Some((at, answer)) if *at == self.commands => return Ok(Zeroizing::new(answer.clone())),
                _ => {}
            }
            let offset = usize::from(u16::from_be_bytes([apdu[2], apdu[3]]));
            let le = if apdu[4] == 0 { 256 } else { usize::from(apdu[4]) };
            let end = (offset + le.min(self.piece)).min(self.memory.len());
            Ok(Zeroizing::new([&self.memory[offset..end], &[0x90, 0]].concat()))
        }
    }

    fn fake() -> Fake {
        let mut memory: Vec<u8> = (0..IMAGE_LEN).map(|i| i as u8).collect();
        memory[..4].copy_from_slice(&IMAGE_HEADER);
        Fake { memory, piece: 256, fault: None, commands: 0 }
    }

    #[test]
    fn an_image_takes_six_commands() {
        let mut reader = fake();
        assert_eq!(*read_image(&mut reader).expect("whole"), reader.memory);
        assert_eq!(reader.commands, 6);
    }

    #[test]
    fn smaller_pieces_and_an_exact_length_are_followed() {
        let mut reader = Fake { piece: 64, ..fake() };
        assert_eq!(*read_image(&mut reader).expect("whole"), reader.memory);
        let mut reader = Fake { fault: Some((6, vec![0x6C, 4])), ..fake() };
        assert_eq!(*read_image(&mut reader).expect("whole"), reader.memory);
        assert_eq!(reader.commands, 7);
    }

    #[test]
    fn faults_are_told_apart() {
        let foreign = Fake { memory: vec![0x04; 2048], ..fake() };
        let table = [
            ("unknown command", Fake { fault: Some((1, vec![0x6D, 0])), ..fake() }, ImageError::NoModule),
            ("ordinary reader", Fake { fault: Some((1, vec![0x63, 0])), ..fake() }, ImageError::NoModule),
            ("another card's memory", foreign, ImageError::NoModule),
            ("card failed", Fake { fault: Some((1, vec![0x6F, 0])), ..fake() }, ImageError::Status(0x6F00)),
            (
                "late failure",
                Fake { fault: Some((3, vec![0x69, 0x82])), ..fake() },
                ImageError::Status(0x6982),
            ),
            ("no status", Fake { fault: Some((2, vec![0x90])), ..fake() }, ImageError::Length),
            ("nothing at all", Fake { fault: Some((1, vec![])), ..fake() }, ImageError::Length),
            (
                "too long",
                Fake { fault: Some((6, [&[0; 256][..], &[0x90, 0]].concat())), ..fake() },
                ImageError::Length,
            ),
            ("no progress", Fake { piece: 0, ..fake() }, ImageError::TooManyPieces),
        ];
        for (name, mut reader, error) in table {
            assert_eq!(read_image(&mut reader).err(), Some(error), "{name}");
            assert!(reader.commands <= MAX_APDUS, "{name}");
        }
    }
}
