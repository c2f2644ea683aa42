//! Names of accounts: the id that other rows point to, and the name that somebody types to sign in.
use std::fmt;
use std::str::FromStr;

/// Longest sign-in name, in characters.
pub const MAX_NAME_CHARS: usize = 32;
/// Digits of an id, at least.
const ID_DIGITS: usize = 4;

/// An account as audit rows and addresses name it, such as `A-0001`: never given to another person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// The id of the account at this place, from 1.
    pub fn at(place: u64) -> Self {
        Self(format!("A-{place:0ID_DIGITS$}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no id or no sign-in name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sign-in name has 2 to {MAX_NAME_CHARS} letters, digits, dots, lines or underscores and begins with a letter"
)]
pub struct NameError;

impl FromStr for AccountId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let digits = text.strip_prefix("A-").ok_or(NameError)?;
        let fits = (ID_DIGITS..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError) }
    }
}

/// What somebody types to sign in, such as `zhang.san`: small letters. Printed by pages only, never by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignInName(String);

impl SignInName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SignInName {
    type Err = NameError;

    /// Reads it as people type it: capitals, wide letters of a Chinese keyboard and blanks around it do not matter.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = folded(text);
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let fits = (2..=MAX_NAME_CHARS).contains(&name.chars().count())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(letters);
        if fits { Ok(Self(name)) } else { Err(NameError) }
    }
}

impl fmt::Debug for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInName(..)")
    }
}

/// A typed name in the form in which names are compared; also of a text that is no name.
pub fn folded(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    };
    let text: String = text.chars().take(4 * MAX_NAME_CHARS).map(narrow).collect();
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_type_them() {
        for (typed, name) in [("Zhang.San", "zhang.san"), ("  li-4_x ", "li-4_x"), ("ｗａｎｇ５", "wang5")]
        {
            assert_eq!(typed.parse::<SignInName>().map(|n| n.0).as_deref(), Ok(name));
        }
        let long = "a".repeat(33);
        for bad in ["", "a", "1a", ".ab", "a b", "张三", "a\0b", "a'--", "a/b", "a%", &long] {
            assert!(bad.parse::<SignInName>().is_err(), "{bad:?}");
        }
        assert!(folded(&"é".repeat(1_000_000)).len() < 1_000);
    }

    #[test]
    fn ids_are_short_and_odd_ones_are_none() {
        assert_eq!(AccountId::at(7).to_string(), "A-0007");
        for good in ["A-0001", "A-12345"] {
            assert_eq!(good.parse::<AccountId>().map(|i| i.0).as_deref(), Ok(good));
        }
        for bad in ["", "A-", "A-001", "a-0001", "A-00x1", "A-0001 ", "A-1234567890123456789"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", "zhang".parse::<SignInName>()), "Ok(SignInName(..))");
    }
}
