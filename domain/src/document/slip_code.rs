//! What the QR code of a slip says: the address of the slip's page, and after `#` who made it, when, and the
//! terminal's signature over all of it.
//!
//! ```text
//! https://jinban.example/slips/XN26112400100013?d=0123456789abcdef#T-01.1795541400000.<86 signs>
//! ```
//!
//! What is signed is the text itself up to the last dot, exactly as it stands in the code, so that nothing is put
//! together again for checking it. A browser never sends what stands after `#`: the centre needs the number and the
//! token only, and whoever has the terminal's public key needs no centre. Refuses to say anything of a person.
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::envelope::{
    Bytes, DeviceKey, Digest, KeyRing, PublicKey, Signature, SignedDocument, SignedKind, VerifyError,
    sign_document, verify_document,
};
use crate::ids::{CaseNo, TerminalId};

/// Signs of the token: the first 64 bits of the envelope's digest, in hexadecimal.
pub const TOKEN_SIGNS: usize = 16;
/// The longest text that is read as a code, in bytes.
pub const MAX_CODE_BYTES: usize = 400;

/// What a slip's code is made of.
#[derive(Debug, Clone, Copy)]
pub struct SlipFacts<'a> {
    /// Address of the people's listener, without a trailing slash.
    pub people_url: &'a str,
    /// The number on the slip.
    pub number: &'a CaseNo,
    /// Digest of the sealed envelope.
    pub digest: &'a Digest,
    /// On which terminal.
    pub terminal: &'a TerminalId,
    /// The device's clock, milliseconds since 1970.
    pub made_at_ms: i64,
}

/// The text of a slip's QR code, signed by the terminal.
pub fn slip_code(facts: &SlipFacts<'_>, key: &DeviceKey) -> String {
    let SlipFacts { people_url, number, digest, terminal, made_at_ms } = facts;
    let text = format!("{people_url}/slips/{number}?d={}#{terminal}.{made_at_ms}", digest.short());
    let signed = sign_document(SignedKind::SlipCode, text.into_bytes(), key);
    let signature = URL_SAFE_NO_PAD.encode(&signed.signature.0.0);
    format!("{}.{signature}", String::from_utf8_lossy(&signed.body.0))
}

/// A slip's code as somebody brings it: read, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipCode {
    /// The number on the slip.
    pub number: CaseNo,
    /// The first 64 bits of the envelope's digest, as [`TOKEN_SIGNS`] small hexadecimal signs.
    pub token: String,
    /// Which terminal it says it comes from.
    pub terminal: TerminalId,
    /// When it says it was made, by that terminal's clock, milliseconds since 1970.
    pub made_at_ms: i64,
    signed: String,
    signature: Signature,
}

/// A text is no code of a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the text of a slip's QR code")]
pub struct NoSlipCode;

impl SlipCode {
    /// Reads the text of a code.
    ///
    /// # Errors
    /// [`NoSlipCode`] if it has another shape, or is longer than [`MAX_CODE_BYTES`].
    pub fn read(text: &str) -> Result<Self, NoSlipCode> {
        if text.len() > MAX_CODE_BYTES {
            return Err(NoSlipCode);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(NoSlipCode)?;
        let (address, made) = signed.split_once('#').ok_or(NoSlipCode)?;
        let (_, slip) = address.rsplit_once("/slips/").ok_or(NoSlipCode)?;
        let (number, token) = slip.split_once("?d=").ok_or(NoSlipCode)?;
        let (terminal, made_at_ms) = made.rsplit_once('.').ok_or(NoSlipCode)?;
        let is_sign = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if token.len() != TOKEN_SIGNS || !token.bytes().all(is_sign) {
            return Err(NoSlipCode);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| NoSlipCode)?;
        Ok(Self {
            number: number.parse().map_err(|_| NoSlipCode)?,
            token: token.to_owned(),
            terminal: terminal.parse().map_err(|_| NoSlipCode)?,
            made_at_ms: made_at_ms.parse().map_err(|_| NoSlipCode)?,
            signed: signed.to_owned(),
            signature: Signature(Bytes(signature)),
        })
    }

    /// Checks that the holder of this key signed it.
    ///
    /// # Errors
    /// [`VerifyError`] if not.
    pub fn verify(&self, key: &PublicKey) -> Result<(), VerifyError> {
        let body = Bytes(self.signed.clone().into_bytes());
        let document = SignedDocument { body, key_id: key.key_id(), signature: self.signature.clone() };
        verify_document(SignedKind::SlipCode, &document, &KeyRing::new([key.clone()])).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::qr::QrCode;

    fn key() -> DeviceKey {
        DeviceKey::from_seed([7; 32])
    }

    fn code(people_url: &str) -> String {
        let number: CaseNo = "XN26112400100013".parse().expect("a number");
        let terminal: TerminalId = "T-01".parse().expect("a terminal");
        let digest = Digest::of(b"an envelope");
        let facts = SlipFacts {
            people_url,
            number: &number,
            digest: &digest,
            terminal: &terminal,
            made_at_ms: 1_795_541_400_123,
        };
        slip_code(&facts, &key())
    }

    #[test]
    fn a_code_says_what_it_was_made_of_and_who_signed() {
        let read = SlipCode::read(&code("https://jinban.example")).expect("a code");
        assert_eq!(read.number.as_str(), "XN26112400100013");
        assert_eq!(read.token, Digest::of(b"an envelope").short());
        assert_eq!((read.terminal.as_str(), read.made_at_ms), ("T-01", 1_795_541_400_123));
        assert_eq!(read.verify(&key().public()), Ok(()));
        let other = DeviceKey::from_seed([8; 32]).public();
        assert_eq!(read.verify(&other), Err(VerifyError::Mismatch));
    }

    #[test]
    fn it_fits_into_a_code_that_phones_read_from_a_screen() {
        for (people_url, version) in [
            ("http://127.0.0.1:8480", 9),
            ("https://jinban.example", 9),
            ("https://a-long-name.banshi.xining.gov.cn", 9),
        ] {
            let text = code(people_url);
            let modules = QrCode::new(&text).expect("fits").size;
            assert_eq!((modules - 17) / 4, version, "{} signs of {people_url}", text.len());
        }
        assert_eq!(code("https://jinban.example").len(), 170);
    }

    #[test]
    fn whatever_is_no_code_is_refused() {
        let whole = code("https://jinban.example");
        let long = format!("https://{}", whole.replace("https://", &"x".repeat(400)));
        let page = whole.split_once('#').expect("two parts").0;
        for text in ["", "#", ".", page, &whole[..whole.len() - 90], &long, &whole.replace("?d=", "?e=")] {
            assert_eq!(SlipCode::read(text), Err(NoSlipCode), "{text}");
        }
    }

    #[test]
    fn no_altered_sign_passes() {
        let whole = code("https://jinban.example");
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let passes = SlipCode::read(&text).is_ok_and(|read| read.verify(&key().public()).is_ok());
                assert!(!passes, "{text}");
            }
        }
    }
}
