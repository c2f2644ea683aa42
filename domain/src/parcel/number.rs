//! 送达件编号: follows from the case and from how many parcels the case has, as the number of a certificate does.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::certificate::number::{groups, of_case, typed};
use crate::ids::{CaseNo, IdError};

/// The letters before the digits.
const LETTERS: &str = "JP";

/// `JP`, the 13 digits of the case number, two digits that count within the case, and a check digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ParcelNo(String);

impl ParcelNo {
    /// The number of the `place`th parcel of a case, from 1; none behind 99.
    pub fn of(case: &CaseNo, place: u8) -> Option<Self> {
        of_case(LETTERS, case, place).map(Self)
    }

    /// The number as text, 18 signs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The groups in which it is shown and read aloud.
    pub fn groups(&self) -> [&str; 5] {
        groups(&self.0)
    }

    /// The name of the order of a round, as a carrier has it: the same round is the same order, however often it is sent.
    pub fn order(&self, round: u16) -> String {
        format!("{}-{round}", self.0)
    }

    /// The parcel and the round that an order names.
    pub fn of_order(order: &str) -> Option<(Self, u16)> {
        let (number, round) = order.rsplit_once('-')?;
        let plain = !round.is_empty() && round.len() <= 3 && round.bytes().all(|b| b.is_ascii_digit());
        Some((number.parse().ok()?, round.parse().ok().filter(|_| plain)?))
    }
}

impl FromStr for ParcelNo {
    type Err = IdError;

    /// Accepts spaces between groups and lower case, as people type it.
    fn from_str(s: &str) -> Result<Self, IdError> {
        typed(LETTERS, s).map(Self).ok_or(IdError { kind: "parcel number" })
    }
}

impl fmt::Display for ParcelNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ParcelNo {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
