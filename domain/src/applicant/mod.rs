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

pub use id_number::{
    birth_of_id_number, check_id_number, id_number_kind, region_of_id_number, sex_of_id_number,
};
pub use mask::{mask_address, mask_bank_card, mask_id_public, mask_id_staff, mask_name, mask_phone};
pub use name::fold_name;

use crate::date::CivilDate;
use crate::item::AcceptedCard;

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
    /// Name exactly as on the chip (PUA code points kept); the English one if there is no Chinese one.
    pub name: String,
    /// ID number.
    pub id_number: String,
    /// ISO 5218 code: 1 male, 2 female, 0 or 9 unknown.
    pub sex: u8,
    /// Ethnic group code, two digits; empty on cards that have none.
    pub nation: String,
    /// Birth date.
    #[zeroize(skip)]
    pub birth: Option<CivilDate>,
    /// Address on the card; empty on cards that have none.
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

/// Whose number it is; the cards of the four kinds carry one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdNumberKind {
    /// 公民身份号码.
    Resident,
    /// 港澳台居民居住证.
    HongKongMacaoTaiwan,
    /// 外国人永久居留身份证 of 2017, 15 signs.
    Foreigner2017,
    /// 外国人永久居留身份证 of 2023, 18 digits that begin with 9.
    Foreigner2023,
}

impl IdNumberKind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Resident, Self::HongKongMacaoTaiwan, Self::Foreigner2017, Self::Foreigner2023];

    /// A stable name for files and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::HongKongMacaoTaiwan => "hong_kong_macao_taiwan",
            Self::Foreigner2017 => "foreigner_2017",
            Self::Foreigner2023 => "foreigner_2023",
        }
    }

    /// As which card a catalogue's item accepts it, or not.
    pub const fn accepted_card(self) -> AcceptedCard {
        match self {
            Self::Resident => AcceptedCard::Idcard,
            Self::HongKongMacaoTaiwan => AcceptedCard::HmtRp,
            Self::Foreigner2017 | Self::Foreigner2023 => AcceptedCard::Fpr,
        }
    }
}

/// Why a text is not the number of an ID card of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdNumberError {
    /// Not 18 characters, nor 15 that begin with a capital letter; the payload is how many there are.
    #[error(
        "an ID number has 18 characters (a foreigner's of 2017 has 15, with three letters first), not {0}"
    )]
    Length(usize),
    /// A character that has no place there.
    #[error("an ID number has digits only, and perhaps an X at the end (or three capital letters first)")]
    Character,
    /// The birthday does not exist or lies in the future.
    #[error("the birthday in the ID number does not exist")]
    Birthday,
    /// The check digit is wrong.
    #[error("the check digit of the ID number is wrong")]
    CheckDigit,
}
