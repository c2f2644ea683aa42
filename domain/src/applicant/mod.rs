//! 申请人: ID-number rules, the person on a card, masked texts for a public screen.
//!
//! Personal data print redacted: `Debug` never shows a name or number. Refuses to tell whether a person is who the
//! number says: a right check digit proves nothing about identity.
mod id_number;
mod mask;
mod name;

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use id_number::{birth_of_id_number, check_id_number, sex_of_id_number};
pub use mask::{mask_address, mask_bank_card, mask_id_public, mask_id_staff, mask_name, mask_phone};
pub use name::fold_name;

use crate::date::CivilDate;

/// Whether an identity was read by a reader with a security module, or typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentitySource {
    /// Read from the chip.
    Read,
    /// Typed by a person; never shown as read.
    Typed,
}

/// The person who applies, as the card says.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Applicant {
    /// How we know.
    #[zeroize(skip)]
    pub source: IdentitySource,
    /// Name exactly as on the chip (PUA code points kept).
    pub name: String,
    /// ID number.
    pub id_number: String,
    /// ISO 5218 code: 1 male, 2 female, 0 or 9 unknown.
    pub sex: u8,
    /// Ethnic group code, two digits.
    pub nation: String,
    /// Birth date.
    #[zeroize(skip)]
    pub birth: Option<CivilDate>,
    /// Address on the card.
    pub address: String,
    /// Last day of validity; `None` is 长期.
    #[zeroize(skip)]
    pub valid_to: Option<CivilDate>,
}

impl fmt::Debug for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Applicant({:?}, ..)", self.source)
    }
}

/// Why a text is not an ID number of a resident (GB 11643).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdNumberError {
    /// Not 18 characters; the payload is how many there are.
    #[error("an ID number has 18 characters, not {0}")]
    Length(usize),
    /// A character that is neither a digit nor a last X.
    #[error("an ID number has digits only, and perhaps an X at the end")]
    Character,
    /// The birthday does not exist or lies in the future.
    #[error("the birthday in the ID number does not exist")]
    Birthday,
    /// The check digit is wrong.
    #[error("the check digit of the ID number is wrong")]
    CheckDigit,
}
