//! The number of a security module: 16 bytes to the form that is printed on it.
//!
//! | bytes | what |
//! |---|---|
//! | 0, 2 | two parts of two digits each, seen as little-endian pairs |
//! | 4..8 | date `YYYYMMDD`, little endian |
//! | 8..12, 12..16 | two numbers, little endian, filled up to ten digits as the vendors' libraries do |
//!
//! It names a device, not a person, and may stand in logs.
use std::fmt;

/// Bytes in an answer to the question for the number.
const LEN: usize = 16;

/// The number of a security module; prints as `05.03-20160318-0000000001-0000000001`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SamId([u8; LEN]);

impl SamId {
    /// The number in the data of an answer; `None` if there are not 16 bytes.
    pub fn from_data(data: &[u8]) -> Option<Self> {
        data.try_into().ok().map(Self)
    }
}

impl fmt::Display for SamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |at: usize| (0..4).rev().fold(0_u32, |n, i| n << 8 | u32::from(self.0[at + i]));
        let (first, second) = (self.0[0], self.0[2]);
        write!(f, "{first:02}.{second:02}-{:08}-{:010}-{:010}", number(4), number(8), number(12))
    }
}

impl fmt::Debug for SamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_become_the_printed_number() {
        let data = [5, 0, 3, 0, 0x3E, 0x9F, 0x33, 0x01, 0x15, 0xCD, 0x5B, 0x07, 0xFF, 0xFF, 0xFF, 0xFF];
        let id = SamId::from_data(&data).expect("16 bytes");
        assert_eq!(id.to_string(), "05.03-20160318-0123456789-4294967295");
        assert_eq!(format!("{id:?}"), id.to_string());
    }

    #[test]
    fn other_lengths_are_no_number() {
        for len in [0, 15, 17, 1284] {
            assert_eq!(SamId::from_data(&vec![1; len]), None, "{len}");
        }
    }
}
