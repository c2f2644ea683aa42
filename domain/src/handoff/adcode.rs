//! 行政区划代码: which region, by the six digits of GB/T 2260.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A region's code: six digits. Retired codes are codes, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Adcode(String);

/// A text that is no region's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not six digits")]
pub struct AdcodeError;

impl Adcode {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Adcode {
    type Err = AdcodeError;

    fn from_str(text: &str) -> Result<Self, AdcodeError> {
        let sound = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        if sound { Ok(Self(text.to_owned())) } else { Err(AdcodeError) }
    }
}

impl TryFrom<String> for Adcode {
    type Error = AdcodeError;

    fn try_from(text: String) -> Result<Self, AdcodeError> {
        text.parse()
    }
}

impl From<Adcode> for String {
    fn from(code: Adcode) -> Self {
        code.0
    }
}

impl fmt::Display for Adcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
