//! The social-security card: its records to fields, and the dialogue that reads them.
//!
//! | module | what it holds |
//! |---|---|
//! | `records` | the files' records: tag, length, value (pure) |
//! | `dialogue` | which files and records are asked for, and in which way |
//!
//! The second file may want a PIN. None is ever sent: what it keeps stays unread then, and the person is asked for
//! the ID card.
mod dialogue;
mod records;

use zeroize::{Zeroize, ZeroizeOnDrop};

pub use dialogue::{AID, read_application};
pub use records::{RecordError, take_in};

/// Fields of a social-security card as they stand on the chip; redacted in `Debug`, wiped when dropped. What the card
/// does not have, or does not give, is empty.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SocialSecurityCard {
    /// The 16 bytes of the card's identification code, hexadecimal.
    pub card_code: String,
    /// Code of the region whose fund issued it, six digits: the first three bytes of the code.
    pub area: String,
    /// Kind of card, one character.
    pub card_kind: String,
    /// Version of the specification, such as `3.00`.
    pub version: String,
    /// First day `YYYYMMDD`.
    pub valid_from: String,
    /// Last day `YYYYMMDD`.
    pub valid_to: String,
    /// The number printed on the card.
    pub card_number: String,
    /// Social-security number, which is the ID number.
    pub id_number: String,
    /// Name as on the chip: GBK, private-use code points kept; at most 15 characters.
    pub name: String,
    /// What tag 4E holds, believed to be what a name of 30 bytes has no room for. Never joined to the name: where it
    /// is not empty the name counts as not whole.
    pub name_extension: String,
    /// ISO 5218 code; 0 if the card does not tell.
    pub sex: u8,
    /// Ethnic group code, two digits.
    pub nation: String,
    /// Code of the birthplace's region, six digits.
    pub birthplace: String,
    /// Birth date `YYYYMMDD`.
    pub birth: String,
    /// The card keeps the holder's file behind a PIN or another card: it was left alone.
    pub holder_locked: bool,
}

impl SocialSecurityCard {
    /// Whether it says whole who the holder is: number and name, neither cut.
    pub fn identifies(&self) -> bool {
        !self.id_number.is_empty() && !self.name.is_empty() && self.name_extension.is_empty()
    }
}

impl std::fmt::Debug for SocialSecurityCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SocialSecurityCard(..)")
    }
}

#[cfg(test)]
mod tests;
