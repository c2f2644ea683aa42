//! The signature of a call-back: `t=MILLISECONDS,v1=HEX`, an HMAC-SHA256 over `MILLISECONDS.BODY` with the carrier's secret.
//!
//! It is good for five minutes, so that a call that somebody wrote down cannot be sent again next week; the id of the message
//! settles what comes twice within them.
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::keys::Seed;

/// The header.
pub const HEADER: &str = "jinban-signature";
/// How far the carrier's clock may be off, and how old a call may be, in milliseconds.
pub const WINDOW_MS: i64 = 5 * 60_000;

fn mac(secret: &Seed, at: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_ref())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// The header's value for a body; for whoever calls back.
pub fn sign(secret: &Seed, at_ms: i64, body: &[u8]) -> String {
    let tag = mac(secret, &at_ms.to_string(), body).finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_ms},v1={hex}")
}

/// Whether a call-back is of whoever has the secret, and young enough.
pub fn holds(secret: &Seed, header: &str, now_ms: i64, body: &[u8]) -> bool {
    let parts = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
    let Some((at, hex)) = parts.filter(|(at, hex)| at.len() <= 15 && hex.len() == 64 && hex.is_ascii())
    else {
        return false;
    };
    let tag: Option<Vec<u8>> =
        (0..32).map(|n| u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok()).collect();
    let young =
        at.parse::<i64>().is_ok_and(|at_ms| now_ms.saturating_sub(at_ms).saturating_abs() <= WINDOW_MS);
    // Compared in the same time, wherever the first wrong byte is.
    tag.is_some_and(|tag| mac(secret, at, body).verify_slice(&tag).is_ok()) && young
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_the_bytes_and_the_moment_hold() {
        let (secret, other) = (Seed::new([7; 32]), Seed::new([8; 32]));
        let header = sign(&secret, 1_000_000_000, b"{}");
        let late = 1_000_000_000 + WINDOW_MS;
        assert!(holds(&secret, &header, 1_000_000_000, b"{}") && holds(&secret, &header, late, b"{}"));
        assert!(
            !holds(&secret, &header, late + 1, b"{}")
                && !holds(&secret, &header, 1_000_000_000 - WINDOW_MS - 1, b"{}")
        );
        assert!(
            !holds(&other, &header, 1_000_000_000, b"{}") && !holds(&secret, &header, 1_000_000_000, b"{ }")
        );
        let moved = header.replace("t=1000000000", "t=1000000001");
        let wrong = [
            "",
            "t=,v1=",
            "t=1,v1=zz",
            &moved,
            &header[..header.len() - 1],
            "v1=1,t=1",
            &format!("{header}0"),
        ];
        for header in wrong {
            assert!(!holds(&secret, header, 1_000_000_000, b"{}"), "{header}");
        }
        let signs = format!("t=1000000000,v1={}", "é".repeat(32));
        assert!(!holds(&secret, &signs, 1_000_000_000, b"{}"));
    }
}
