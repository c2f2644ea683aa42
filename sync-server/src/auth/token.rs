//! What a browser holds while somebody is signed in: 256 random bits. The store keeps only their digest.
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::envelope::Digest;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Signs of the text: 32 bytes in base 64 without padding.
const TEXT_LEN: usize = 43;

/// A token. Never printed.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// A new one.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// As it travels in the cookie.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_ref()))
    }

    /// What the store knows it by.
    pub fn key(&self) -> SessionKey {
        SessionKey(Digest::of(&[b"jinban/session/1", self.0.as_slice()].concat()).to_string())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct TokenError;

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if text.len() != TEXT_LEN {
            return Err(TokenError);
        }
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?);
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| TokenError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// The digest of a token: names a session in the store, and opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey(String);

impl SessionKey {
    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn a_token_reads_back_and_its_key_gives_nothing_away() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (one, other) = (Token::new(&mut rng), Token::new(&mut rng));
        let text = one.to_text();
        assert_eq!(text.len(), TEXT_LEN);
        assert_eq!(text.parse::<Token>().map(|t| t.key()), Ok(one.key()));
        assert_ne!(one.key(), other.key());
        assert_eq!(one.key().as_str().len(), 64);
        assert!(!one.key().as_str().contains(text.as_str()) && format!("{one:?}") == "Token(..)");
    }

    #[test]
    fn odd_texts_are_no_tokens() {
        let long = "A".repeat(44);
        let padded = format!("{}=", "A".repeat(42));
        for bad in ["", "A", &long, &padded, &"%".repeat(43), &"é".repeat(43)] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
    }
}
