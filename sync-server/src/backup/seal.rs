//! The sealed stream of a backup: pieces of 64 KiB under one random key, each bound to its place, to whether it is the
//! last one, and to the head of the file.
//!
//! ChaCha20-Poly1305 with a counter as nonce (the key is used for one file only). A piece that was altered, moved, left
//! out or cut off is noticed. Refuses to know what is inside.
use std::io::{self, Read, Write};

use domain::envelope::{DataKey, Digest, Nonce};
use zeroize::Zeroizing;

/// Bytes of a piece before sealing.
const PIECE: usize = 64 * 1024;
/// The tag that sealing adds.
const TAG: usize = 16;
const MORE: u8 = 0;
const LAST: u8 = 1;

/// Seals what is written to it. Without [`Sealer::finish`] the stream has no end and does not open.
pub(super) struct Sealer<W> {
    out: W,
    key: DataKey,
    bound_to: Digest,
    piece: Zeroizing<Vec<u8>>,
    place: u64,
}

impl<W: Write> Sealer<W> {
    pub(super) fn new(out: W, key: DataKey, bound_to: Digest) -> Self {
        Self { out, key, bound_to, piece: Zeroizing::new(Vec::with_capacity(PIECE)), place: 0 }
    }

    /// Writes the last piece and gives back where the stream went.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(LAST)?;
        Ok(self.out)
    }

    fn seal(&mut self, mark: u8) -> io::Result<()> {
        let sealed = self
            .key
            .encrypt(nonce(self.place), &self.piece, &bond(&self.bound_to, mark))
            .map_err(|e| io::Error::other(e.to_string()))?;
        let length = u32::try_from(sealed.len()).map_err(|e| io::Error::other(e.to_string()))?;
        self.out.write_all(&[mark])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.piece.clear();
        self.place += 1;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE {
            self.seal(MORE)?;
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Opens a stream that [`Sealer`] wrote; an error of kind `InvalidData` tells that it is not whole.
pub(super) struct Opener<R> {
    input: R,
    key: DataKey,
    bound_to: Digest,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    place: u64,
    ended: bool,
}

impl<R: Read> Opener<R> {
    pub(super) fn new(input: R, key: DataKey, bound_to: Digest) -> Self {
        Self { input, key, bound_to, piece: Zeroizing::default(), at: 0, place: 0, ended: false }
    }

    /// Whether everything was read, and nothing stands behind it.
    pub(super) fn is_at_end(&mut self) -> io::Result<bool> {
        let mut beyond = [0];
        Ok(self.ended && self.at == self.piece.len() && self.input.read(&mut beyond)? == 0)
    }

    fn open(&mut self) -> io::Result<()> {
        let mut head = [0; 5];
        self.input.read_exact(&mut head).map_err(cut_off)?;
        let [mark, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > PIECE + TAG {
            return Err(invalid("a piece is longer than any"));
        }
        let mut sealed = vec![0; length];
        self.input.read_exact(&mut sealed).map_err(cut_off)?;
        self.piece = self
            .key
            .decrypt(nonce(self.place), &sealed, &bond(&self.bound_to, mark))
            .map_err(|_| invalid("a piece was altered, or this is another key"))?;
        self.at = 0;
        self.place += 1;
        self.ended = mark == LAST;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.ended {
                return Ok(0);
            }
            self.open()?;
        }
        let taken = out.len().min(self.piece.len() - self.at);
        out[..taken].copy_from_slice(&self.piece[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

fn nonce(place: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&place.to_be_bytes());
    Nonce(nonce)
}

fn bond(bound_to: &Digest, mark: u8) -> [u8; 33] {
    let mut bond = [mark; 33];
    bond[..32].copy_from_slice(bound_to.as_bytes());
    bond
}

fn cut_off(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { invalid("the file was cut off") } else { error }
}

pub(super) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DataKey {
        DataKey::from_bytes([7; 32])
    }

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), key(), Digest::of(b"head"));
        sealer.write_all(text).expect("written");
        sealer.finish().expect("finished")
    }

    fn opened(bytes: &[u8], key: DataKey, head: &[u8]) -> io::Result<Vec<u8>> {
        let mut opener = Opener::new(bytes, key, Digest::of(head));
        let mut text = Vec::new();
        opener.read_to_end(&mut text)?;
        if opener.is_at_end()? { Ok(text) } else { Err(invalid("something stands behind the end")) }
    }

    #[test]
    fn streams_of_any_length_open_and_only_whole_ones() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let text: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let whole = sealed(&text);
            assert_eq!(opened(&whole, key(), b"head").expect("opens"), text, "{length}");
            assert!(opened(&whole, DataKey::from_bytes([8; 32]), b"head").is_err());
            assert!(opened(&whole, key(), b"other head").is_err());
            for cut in [0, 1, 4, whole.len() / 2, whole.len() - 1] {
                assert!(opened(&whole[..cut], key(), b"head").is_err(), "{length} cut at {cut}");
            }
            let mut longer = whole.clone();
            longer.push(0);
            assert!(opened(&longer, key(), b"head").is_err());
            for place in (0..whole.len()).step_by(1 + whole.len() / 50) {
                let mut altered = whole.clone();
                altered[place] ^= 1;
                assert!(opened(&altered, key(), b"head").is_err(), "{length} altered at {place}");
            }
        }
    }

    #[test]
    fn pieces_keep_their_order_and_none_can_be_left_out() {
        let whole = sealed(&vec![1; 3 * PIECE]);
        let piece = 5 + PIECE + TAG;
        assert!(opened(&whole[piece..], key(), b"head").is_err(), "the first one is missing");
        let mut turned = whole[piece..2 * piece].to_vec();
        turned.extend_from_slice(&whole[..piece]);
        turned.extend_from_slice(&whole[2 * piece..]);
        assert!(opened(&turned, key(), b"head").is_err(), "two are swapped");
        assert!(opened(&whole[..piece], key(), b"head").is_err(), "the rest is missing");
    }
}
