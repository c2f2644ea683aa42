//! An amount of money: whole fen, never negative, bounded.
use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in fen (1/100 yuan), at most [`Fen::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Fen(i64);

/// What is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FenError {
    /// Negative, or more than there can be.
    #[error("an amount is 0 to {} fen", Fen::MOST.0)]
    Range,
    /// Not written as yuan with at most two digits behind the point.
    #[error("an amount is written as yuan, such as 12 or 12.50")]
    Form,
}

impl Fen {
    /// Nothing.
    pub const NOTHING: Fen = Fen(0);
    /// Ten billion yuan: more than anything here costs, and far from where sums overflow.
    pub const MOST: Fen = Fen(1_000_000_000_000);

    /// An amount of so many fen.
    ///
    /// # Errors
    /// [`FenError::Range`].
    pub fn new(fen: i64) -> Result<Self, FenError> {
        if (0..=Self::MOST.0).contains(&fen) { Ok(Self(fen)) } else { Err(FenError::Range) }
    }

    /// Reads yuan as people write them: digits, and a point with one or two digits behind it.
    ///
    /// # Errors
    /// [`FenError`]
    pub fn from_yuan(text: &str) -> Result<Self, FenError> {
        let (yuan, behind) = text.trim().split_once('.').map_or((text.trim(), None), |(y, b)| (y, Some(b)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let behind = match behind {
            None => 0,
            Some(b) if digits(b) && b.len() <= 2 => {
                let n: i64 = b.parse().map_err(|_| FenError::Form)?;
                if b.len() == 1 { n * 10 } else { n }
            }
            Some(_) => return Err(FenError::Form),
        };
        if !digits(yuan) {
            return Err(FenError::Form);
        }
        let yuan: i64 = yuan.parse().map_err(|_| FenError::Range)?;
        Self::new(yuan.checked_mul(100).and_then(|fen| fen.checked_add(behind)).ok_or(FenError::Range)?)
    }

    /// How many fen.
    pub fn get(self) -> i64 {
        self.0
    }

    /// Whether it is none.
    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// Both together; none if that is more than there can be.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(|fen| Self::new(fen).ok())
    }

    /// What is left; none if there is less than that.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(|fen| Self::new(fen).ok())
    }
}

impl TryFrom<i64> for Fen {
    type Error = FenError;

    fn try_from(fen: i64) -> Result<Self, FenError> {
        Self::new(fen)
    }
}

impl From<Fen> for i64 {
    fn from(fen: Fen) -> i64 {
        fen.0
    }
}

/// In yuan, with two digits behind the point.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write_is_read_or_refused() {
        for (text, fen) in [("0", 0), ("12", 1200), ("12.5", 1250), (" 12.50 ", 1250), ("0.01", 1)] {
            assert_eq!(Fen::from_yuan(text).map(Fen::get), Ok(fen), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1.234", "-1", "+1", "1e3", "1,000", "０", "1 2", "NaN", "0x1"] {
            assert_eq!(Fen::from_yuan(text), Err(FenError::Form), "{text}");
        }
        for text in ["10000000000.01", "99999999999999999999", "92233720368547758"] {
            assert_eq!(Fen::from_yuan(text), Err(FenError::Range), "{text}");
        }
        assert!(serde_json::from_str::<Fen>("-1").is_err() && serde_json::from_str::<Fen>("1.5").is_err());
    }

    proptest! {
        #[test]
        fn sums_are_exact_or_refused(a in 0..=Fen::MOST.get(), b in 0..=Fen::MOST.get()) {
            let (a, b) = (Fen(a), Fen(b));
            prop_assert_eq!(a.plus(b).map(Fen::get), Some(a.0 + b.0).filter(|sum| *sum <= Fen::MOST.0));
            prop_assert_eq!(a.minus(b).map(Fen::get), Some(a.0 - b.0).filter(|left| *left >= 0));
            prop_assert_eq!(Fen::from_yuan(&a.to_string()), Ok(a));
        }
    }
}
