//! What a technician types to enrol a terminal: a one-time code, and the fingerprint of the centre that gave it out.
//!
//! Both are one text, `EFTF-MWHF-G75T.7KQ2-0C9D-XM4R-1T5W-8B3N`, which a scanner types as well. The code lets the
//! terminal in at the centre; the fingerprint tells the terminal which centre is the right one before it sends the
//! code. Refuses a fingerprint that is not whole.
use std::fmt;

use crate::envelope::{Digest, PublicKey};
use crate::signs;

/// Signs of a one-time code: 60 random bits, so that guessing is hopeless within a day.
pub const CODE_SIGNS: usize = 12;
/// Signs of a fingerprint: 100 bits of a hash, so that nobody finds another key with the same.
const FINGERPRINT_SIGNS: usize = 20;

/// Names the authority of a centre: 100 bits of the SHA-256 of its public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// The fingerprint of an authority's key.
    pub fn of(authority: &PublicKey) -> Self {
        let digest = Digest::of(&[b"jinban/authority/1", authority.0.0.as_slice()].concat());
        let text = signs::grouped(&digest.as_bytes()[..FINGERPRINT_SIGNS]);
        Self(signs::read(&text, FINGERPRINT_SIGNS).unwrap_or_default())
    }

    /// The fingerprint that somebody typed; nothing if it is not a whole one.
    pub fn read(text: &str) -> Option<Self> {
        signs::read(text, FINGERPRINT_SIGNS).filter(|s| s.len() == FINGERPRINT_SIGNS).map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, sign) in self.0.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*sign))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A code with the fingerprint of its centre, as it is typed.
pub fn typed(code: &str, centre: &Fingerprint) -> String {
    format!("{code}.{centre}")
}

/// Takes apart what was typed: the code, and the fingerprint if there is one. The dot between them may be missing.
/// Nothing if it is neither a code nor a code with a whole fingerprint.
pub fn take_apart(text: &str) -> Option<(String, Option<Fingerprint>)> {
    let signs = signs::read(text, CODE_SIGNS + FINGERPRINT_SIGNS)?;
    let (code, rest) = signs.split_at_checked(CODE_SIGNS)?;
    let centre = match rest.len() {
        0 => None,
        FINGERPRINT_SIGNS => Some(Fingerprint(rest.to_vec())),
        _ => return None,
    };
    Some((String::from_utf8_lossy(code).into_owned(), centre))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::DeviceKey;

    #[test]
    fn a_code_is_taken_apart_as_people_type_it() {
        let centre = Fingerprint::of(&DeviceKey::from_seed([1; 32]).public());
        let other = Fingerprint::of(&DeviceKey::from_seed([2; 32]).public());
        assert_ne!(centre, other);
        let whole = typed("EFTF-MWHF-G75T", &centre);
        assert_eq!(whole.len(), 14 + 1 + 24);
        let expected = Some(("EFTFMWHFG75T".to_owned(), Some(centre.clone())));
        assert_eq!(take_apart(&whole), expected);
        assert_eq!(take_apart(&whole.to_lowercase().replace(['.', '-'], " ")), expected);
        assert_eq!(take_apart(" eftf mwhf g75t "), Some(("EFTFMWHFG75T".to_owned(), None)));
        assert_eq!(Fingerprint::read(&centre.to_string()), Some(centre));
        for bad in
            ["", "EFTF-MWHF-G75", &whole[..whole.len() - 1], &format!("{whole}0"), "EFTF-MWHF-G75T.7KQ2"]
        {
            assert_eq!(take_apart(bad), None, "{bad}");
        }
        assert_eq!(Fingerprint::read("7KQ2"), None);
    }
}
