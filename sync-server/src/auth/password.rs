//! Passwords as people type them, what makes one good enough, and generated ones. Never printed; wiped when dropped.
//!
//! The rules: 10 to 128 characters and not too plain (GB/T 22239-2019 §8.1.4.1 asks for complexity). Refuses to
//! forbid characters that people can type, and to cut a long one.
use std::collections::BTreeSet;
use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::names::SignInName;
use crate::services::enrol::random_signs;

/// Fewest characters.
pub const MIN_CHARS: usize = 10;
/// Most characters.
pub const MAX_CHARS: usize = 128;
/// Bytes of any typed password that is looked at: whatever is longer is none of ours.
const MAX_BYTES: usize = 4 * MAX_CHARS;
/// From this length on a password need not be a mixture.
const LONG_CHARS: usize = 16;
/// Fewest different characters.
const MIN_DIFFERENT: usize = 5;
/// Signs of a generated password: 80 random bits.
const GENERATED_SIGNS: usize = 16;

/// A password, typed or generated.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// What somebody typed.
    pub fn typed(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A new one in groups of four, to be written down once and changed at the first sign-in.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(Zeroizing::new(random_signs(rng, GENERATED_SIGNS)))
    }

    /// The bytes to be hashed; nothing for a text that is too long to be anybody's password.
    pub fn bytes(&self) -> Option<&[u8]> {
        (self.0.len() <= MAX_BYTES).then_some(self.0.as_bytes())
    }

    /// The text, to be shown once to whoever hands it on.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it may become the password of the account with this name.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn judge(&self, name: &SignInName) -> Result<(), PasswordMistake> {
        let lower = Zeroizing::new(self.0.to_lowercase());
        let count = self.0.chars().count();
        let different = self.0.chars().collect::<BTreeSet<_>>().len();
        if self.0.chars().any(char::is_control) {
            Err(PasswordMistake::Control)
        } else if count < MIN_CHARS {
            Err(PasswordMistake::TooShort)
        } else if count > MAX_CHARS {
            Err(PasswordMistake::TooLong)
        } else if lower.contains(name.as_str()) {
            Err(PasswordMistake::HasName)
        } else if different < MIN_DIFFERENT || is_run(&lower) || (count < LONG_CHARS && kinds(&self.0) < 3) {
            Err(PasswordMistake::TooPlain)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a text cannot become somebody's password. Words for people are under `account_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordMistake {
    /// Too few characters.
    #[error("a password has at least {MIN_CHARS} characters")]
    TooShort,
    /// Too many.
    #[error("a password has at most {MAX_CHARS} characters")]
    TooLong,
    /// A character that nobody can type, such as a line end.
    #[error("a password has no control characters")]
    Control,
    /// The sign-in name is part of it.
    #[error("a password does not contain the sign-in name")]
    HasName,
    /// One sign again and again, a run such as 1234567890, or a short one of too few kinds of signs.
    #[error(
        "too plain: mix three of small letters, capitals, digits and other signs, or take {LONG_CHARS} characters"
    )]
    TooPlain,
    /// The same as before.
    #[error("the new password is the old one")]
    Same,
    /// Typed twice, and not the same.
    #[error("the two new passwords are not the same")]
    NotRepeated,
}

impl PasswordMistake {
    /// The key of its words.
    pub fn key(self) -> &'static str {
        match self {
            Self::TooShort => "password_short",
            Self::TooLong => "password_long",
            Self::Control => "password_control",
            Self::HasName => "password_name",
            Self::TooPlain => "password_plain",
            Self::Same => "password_same",
            Self::NotRepeated => "password_twice",
        }
    }
}

/// Small letters, capitals, digits, anything else: how many of the four there are.
fn kinds(text: &str) -> usize {
    let kind = |c: char| match c {
        c if c.is_lowercase() => 0_u8,
        c if c.is_uppercase() => 1,
        c if c.is_numeric() => 2,
        _ => 3,
    };
    text.chars().map(kind).collect::<BTreeSet<_>>().len()
}

/// Every sign follows the one before by the same step, as in `abcdefghij` or `9876543210`.
fn is_run(text: &str) -> bool {
    let signs: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let mut steps = signs.windows(2).map(|pair| pair[1] - pair[0]);
    let first = steps.next();
    steps.filter(|step| Some(*step) == first).count() + 3 >= signs.len()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn good_ones_pass_and_each_rule_has_a_password_that_breaks_it() {
        let name: SignInName = "zhang".parse().expect("a name");
        let long = "Ab1".repeat(43);
        let table = [
            ("Blue-lake-37", Ok(())),
            ("four quiet words here", Ok(())),
            ("高原的湖水是蓝的而且很深很远呢", Err(PasswordMistake::TooPlain)),
            ("高原的湖水是蓝的而且很深很远呢！", Ok(())),
            ("湖水Blue37很深很远", Ok(())),
            ("", Err(PasswordMistake::TooShort)),
            ("Ab1-Ab1-A", Err(PasswordMistake::TooShort)),
            (long.as_str(), Err(PasswordMistake::TooLong)),
            ("Blue-lake\n37", Err(PasswordMistake::Control)),
            ("Blue-ZHANG-37", Err(PasswordMistake::HasName)),
            ("bluelakedeep", Err(PasswordMistake::TooPlain)),
            ("aaaaaaaaaaaaaaaaaaaa", Err(PasswordMistake::TooPlain)),
            ("1234567890", Err(PasswordMistake::TooPlain)),
            ("abcdefghijklmnopqrstuvwxyz", Err(PasswordMistake::TooPlain)),
            ("aB1aB1aB1aB1", Err(PasswordMistake::TooPlain)),
        ];
        for (text, expected) in table {
            assert_eq!(Password::typed(text).judge(&name), expected, "{text}");
        }
    }

    #[test]
    fn generated_ones_are_good_different_and_readable() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let name: SignInName = "zhang".parse().expect("a name");
        let mut seen = BTreeSet::new();
        for _ in 0..200 {
            let password = Password::generate(&mut rng);
            assert_eq!(password.judge(&name), Ok(()), "{}", password.reveal());
            assert_eq!(password.reveal().len(), 19);
            assert!(!password.reveal().contains(['I', 'L', 'O', 'U']));
            assert!(seen.insert(password.reveal().to_owned()));
        }
    }

    #[test]
    fn it_is_never_printed_and_a_huge_one_is_nobodys() {
        let password = Password::typed("Blue-lake-37");
        assert_eq!(format!("{password:?}"), "Password(..)");
        assert!(password.bytes().is_some());
        assert_eq!(Password::typed("x".repeat(10_000_000)).bytes(), None);
    }
}
