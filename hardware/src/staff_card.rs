//! The staff card: an ISO 7816 card of our own with one record, the staff number.
//!
//! The number says who it claims to be and proves nothing: whoever copies the record copies the card. It is an event
//! for the terminal and never by itself a way in.
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::card_reader::ReadError;
use crate::iso7816::{Dialogue, RecordAddress};
use crate::transport::ApduChannel;

/// Name of the application: a name of no registry (F0), `JINBAN`, version 1.
pub const AID: [u8; 8] = [0xF0, b'J', b'I', b'N', b'B', b'A', b'N', 0x01];
/// Longest staff number.
pub const MAX_NUMBER_LEN: usize = 16;

/// A staff number: letters, digits and hyphens; redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct StaffNumber(String);

impl StaffNumber {
    /// The number in a record, without its padding; `None` if it breaks the rules.
    pub fn from_record(record: &[u8]) -> Option<Self> {
        let end = record.iter().rposition(|b| !matches!(b, 0x00 | 0xFF | b' ')).map_or(0, |at| at + 1);
        let text = record.get(..end)?;
        let good = (1..=MAX_NUMBER_LEN).contains(&text.len())
            && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        let text = std::str::from_utf8(text).ok().filter(|_| good)?;
        Some(Self(text.to_owned()))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StaffNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaffNumber(..)")
    }
}

/// Reads the card whose application has been selected.
///
/// # Errors
/// [`ReadError`]: `Damaged` if the record is no staff number.
pub fn read_application<C: ApduChannel>(dialogue: &mut Dialogue<'_, C>) -> Result<StaffNumber, ReadError> {
    let record = dialogue.read_record(RecordAddress::Number(1))?;
    StaffNumber::from_record(&record).ok_or(ReadError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_without_padding_and_others_are_refused() {
        let good: [(&[u8], &str); 4] = [
            (b"A-1007", "A-1007"),
            (b"1007\0\0", "1007"),
            (b"1007\xFF\xFF", "1007"),
            (b"1234567890abcdef  ", "1234567890abcdef"),
        ];
        for (record, number) in good {
            assert_eq!(StaffNumber::from_record(record).expect(number).as_str(), number);
        }
        for bad in [&b""[..], b"\0\0", b"12 34", b"12345678901234567", b"\xE5\xB7\xA5", b"\x0112"] {
            assert!(StaffNumber::from_record(bad).is_none(), "{bad:?}");
        }
        let number = StaffNumber::from_record(b"1007").expect("a number");
        assert_eq!(format!("{number:?}"), "StaffNumber(..)");
    }
}
