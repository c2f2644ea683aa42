//! What both sides sign: HMAC-SHA256 with the shared key over one form of bytes, with a time stamp and a nonce.
//!
//! ```text
//! jinban/payment/1 LF what LF time stamp (ms since 1970) LF nonce LF SHA-256 of the body (hex) LF
//! ```
//!
//! `what` is `POST` and the path of a call, or `ANSWER` and the nonce of the call that is answered: neither passes for the
//! other. The same bytes come again when a call-back does; that a payment counts once is not left to the nonce.
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The field with the time stamp, milliseconds since 1970.
pub const TIMESTAMP: &str = "x-pay-timestamp";
/// The field with the nonce.
pub const NONCE: &str = "x-pay-nonce";
/// The field with the signature, in hex.
pub const SIGNATURE: &str = "x-pay-signature";
/// A message may be so much older or younger than our clock, in milliseconds.
pub const MAX_SKEW_MS: i64 = 5 * 60_000;
/// The longest nonce, in bytes.
const MAX_NONCE: usize = 64;

/// The three fields of a signed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Chosen by whoever signs.
    pub nonce: String,
    /// In hex.
    pub signature: String,
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// A field is missing, or is none.
    #[error("the message is not signed")]
    Unsigned,
    /// Another key, or other bytes.
    #[error("the signature is wrong")]
    Wrong,
    /// It was signed too long ago, or in the future.
    #[error("the time stamp is too far from the clock")]
    Old,
}

fn mac(key: &[u8; 32], what: &str, (at_ms, nonce): (i64, &str), body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    mac.update(format!("jinban/payment/1\n{what}\n{at_ms}\n{nonce}\n{digest}\n").as_bytes());
    mac
}

/// Signs a message.
pub fn sign(key: &[u8; 32], what: &str, (at_ms, nonce): (i64, &str), body: &[u8]) -> Signed {
    let tag = mac(key, what, (at_ms, nonce), body).finalize().into_bytes();
    let signature = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    Signed { at_ms, nonce: nonce.to_owned(), signature }
}

/// Whether a message can be believed; `field` gives its fields by name.
///
/// # Errors
/// [`Doubt`]: the signature is looked at before the time, so that only who has the key hears of a wrong clock.
pub fn believe<'m>(
    key: &[u8; 32],
    what: &str,
    field: impl Fn(&str) -> &'m str,
    (now_ms, body): (i64, &[u8]),
) -> Result<String, Doubt> {
    let (stamp, nonce, signature) = (field(TIMESTAMP), field(NONCE), field(SIGNATURE));
    let at_ms: i64 = stamp.parse().map_err(|_| Doubt::Unsigned)?;
    let plain = nonce.bytes().all(|b| b.is_ascii_alphanumeric()) && (8..=MAX_NONCE).contains(&nonce.len());
    let tag = unhex(signature).filter(|_| plain).ok_or(Doubt::Unsigned)?;
    mac(key, what, (at_ms, nonce), body).verify_slice(&tag).map_err(|_| Doubt::Wrong)?;
    if now_ms.saturating_sub(at_ms).saturating_abs() > MAX_SKEW_MS {
        return Err(Doubt::Old);
    }
    Ok(nonce.to_owned())
}

/// 32 bytes in hex; none if it is something else.
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, place) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(place..place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn said(signed: &Signed, what: &str, now_ms: i64, body: &[u8]) -> Result<String, Doubt> {
        let stamp = signed.at_ms.to_string();
        let field = |name: &str| match name {
            TIMESTAMP => stamp.as_str(),
            NONCE => signed.nonce.as_str(),
            _ => signed.signature.as_str(),
        };
        believe(&KEY, what, field, (now_ms, body))
    }

    #[test]
    fn only_what_was_signed_is_believed_and_not_for_long() {
        let signed = sign(&KEY, "POST /a", (1_000_000, "nonce123"), b"{}");
        assert_eq!(said(&signed, "POST /a", 1_000_000, b"{}"), Ok("nonce123".to_owned()));
        assert_eq!(said(&signed, "POST /a", 1_000_000 + MAX_SKEW_MS, b"{}"), Ok("nonce123".to_owned()));
        assert_eq!(said(&signed, "POST /a", 1_000_001 + MAX_SKEW_MS, b"{}"), Err(Doubt::Old));
        assert_eq!(said(&signed, "POST /a", 999_999 - MAX_SKEW_MS, b"{}"), Err(Doubt::Old));
        assert_eq!(said(&signed, "POST /b", 1_000_000, b"{}"), Err(Doubt::Wrong));
        assert_eq!(said(&signed, "POST /a", 1_000_000, b"{ }"), Err(Doubt::Wrong));
        for changed in [
            Signed { at_ms: 1_000_001, ..signed.clone() },
            Signed { nonce: "nonce124".into(), ..signed.clone() },
            sign(&[8; 32], "POST /a", (1_000_000, "nonce123"), b"{}"),
        ] {
            assert_eq!(said(&changed, "POST /a", 1_000_000, b"{}"), Err(Doubt::Wrong));
        }
        for changed in [
            Signed { nonce: "short".into(), ..signed.clone() },
            Signed { nonce: "with\nline12".into(), ..signed.clone() },
            Signed { signature: String::new(), ..signed.clone() },
            Signed { signature: "zz".repeat(32), ..signed.clone() },
            Signed { signature: "é".repeat(32), ..signed },
        ] {
            assert_eq!(said(&changed, "POST /a", 1_000_000, b"{}"), Err(Doubt::Unsigned));
        }
    }
}
