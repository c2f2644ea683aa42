//! Signs that people type: digits and letters that nobody misreads, in groups of four.
//!
//! The alphabet is that of Crockford's base 32: without I, L, O and U. Refuses every other sign.

/// The 32 signs; each stands for five bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Signs of a group.
const GROUP: usize = 4;

/// The lowest five bits of each byte as signs, in groups of four.
pub fn grouped(bytes: &[u8]) -> String {
    let signs: Vec<u8> = bytes.iter().map(|b| ALPHABET[usize::from(b % 32)]).collect();
    signs.chunks(GROUP).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// Reads what somebody typed: spaces, hyphens and dots where people put them, small letters, O for 0, I and L for 1.
/// Nothing if there is any other sign, or more than `most` of them.
pub fn read(text: &str, most: usize) -> Option<Vec<u8>> {
    let mut signs = Vec::new();
    for byte in text.bytes().filter(|b| !b" -.".contains(b)) {
        let sign = match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        if signs.len() == most || !ALPHABET.contains(&sign) {
            return None;
        }
        signs.push(sign);
    }
    Some(signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_read_as_people_type_them() {
        assert_eq!(grouped(&[0, 1, 31, 32, 10, 255]), "01Z0-AZ");
        assert_eq!(read("0l-zo. Az", 6).as_deref(), Some(&b"01Z0AZ"[..]));
        assert_eq!(read("", 6), Some(Vec::new()));
        for bad in ["U", "0/1", "０", "0123456", "零"] {
            assert_eq!(read(bad, 6), None, "{bad}");
        }
    }
}
