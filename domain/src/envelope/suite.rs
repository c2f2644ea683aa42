//! Which cipher suite an envelope uses.
use serde::{Deserialize, Serialize};

/// A cipher suite. Both bind the same data; whatever was sealed under either opens for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Suite {
    /// HPKE X25519 + HKDF-SHA256 + ChaCha20-Poly1305.
    One,
    /// The national suite: SM2 (GB/T 32918.4), SM3 (GB/T 32905), SM4-GCM (GB/T 32907, RFC 8998).
    Two,
}

impl Suite {
    /// Every suite, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];
}

impl TryFrom<u8> for Suite {
    type Error = String;
    fn try_from(n: u8) -> Result<Self, String> {
        Self::ALL.into_iter().find(|suite| u8::from(*suite) == n).ok_or_else(|| format!("unknown suite {n}"))
    }
}

impl From<Suite> for u8 {
    fn from(suite: Suite) -> u8 {
        match suite {
            Suite::One => 1,
            Suite::Two => 2,
        }
    }
}
