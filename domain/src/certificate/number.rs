//! 证照编号, and the token beside it.
//!
//! A number follows from the case and from how many certificates the case has: it needs no counter of its own, no two
//! cases ever have the same, and a centre that was restored gives the same case the same number again.
use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::ids::{CaseNo, IdError, iso7064_mod11_10};

/// Certificates of one case, at most: what two digits tell apart.
pub const MAX_OF_CASE: u8 = 99;
/// Signs of a token: 64 bits in hexadecimal.
const TOKEN_SIGNS: usize = 16;
/// Digits of a number behind its letters.
const DIGITS: usize = 16;

/// The letters before the digits of a certificate's number.
const LETTERS: &str = "ZZ";

/// Two letters, the 13 digits of a case number, two digits that count within the case, and a check digit (ISO 7064 MOD
/// 11,10 over the 15 digits); none behind [`MAX_OF_CASE`].
pub(crate) fn of_case(letters: &str, case: &CaseNo, place: u8) -> Option<String> {
    if !(1..=MAX_OF_CASE).contains(&place) {
        return None;
    }
    let digits = format!("{}{place:02}", case.as_str().get(2..15)?);
    let check = iso7064_mod11_10(digits.bytes().map(|b| b - b'0'));
    Some(format!("{letters}{digits}{check}"))
}

/// Such a number as somebody typed it, with spaces and in small letters; none if it is not one.
pub(crate) fn typed(letters: &str, text: &str) -> Option<String> {
    if text.len() > 40 {
        return None;
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let digits = text.strip_prefix(letters)?;
    if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (counted, check) = digits.split_at(DIGITS - 1);
    let right = iso7064_mod11_10(counted.bytes().map(|b| b - b'0')).to_string();
    (check == right).then_some(text)
}

/// The groups in which such a number is shown and read aloud.
pub(crate) fn groups(number: &str) -> [&str; 5] {
    [&number[..4], &number[4..8], &number[8..12], &number[12..16], &number[16..]]
}

/// 证照编号: `ZZ`, the 13 digits of the case number, two digits that count within the case, and a check digit (ISO 7064
/// MOD 11,10 over the 15 digits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CertificateNo(String);

impl CertificateNo {
    /// The number of the `place`th certificate of a case, from 1; none behind [`MAX_OF_CASE`].
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
}

impl FromStr for CertificateNo {
    type Err = IdError;

    /// Accepts spaces between groups and lower case, as people type it.
    fn from_str(s: &str) -> Result<Self, IdError> {
        typed(LETTERS, s).map(Self).ok_or(IdError { kind: "certificate number" })
    }
}

impl fmt::Display for CertificateNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CertificateNo {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What opens the public page of a certificate beside its number: 64 random bits as small hexadecimal digits. Never
/// printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CertificateToken(String);

impl CertificateToken {
    /// A new one.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut random = [0; TOKEN_SIGNS / 2];
        rng.fill_bytes(&mut random);
        Self(random.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// As it stands in the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CertificateToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateToken(..)")
    }
}

impl FromStr for CertificateToken {
    type Err = IdError;

    fn from_str(s: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if s.len() == TOKEN_SIGNS && s.bytes().all(plain) {
            Ok(Self(s.to_owned()))
        } else {
            Err(IdError { kind: "certificate token" })
        }
    }
}

impl<'de> Deserialize<'de> for CertificateToken {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
