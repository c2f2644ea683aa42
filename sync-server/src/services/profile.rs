//! What an administrator says about somebody, read with all its mistakes at once.
use domain::ids::UnitId;

use crate::auth::names::NameError;
use crate::auth::password::PasswordMistake;
use crate::auth::role::Roles;

/// Longest name by which other people know somebody, in characters.
pub const MAX_DISPLAY_CHARS: usize = 20;
/// Longest name of a unit, in characters.
pub const MAX_UNIT_CHARS: usize = 20;

/// What an administrator says about somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name by which other people know the owner.
    pub display: String,
    /// The unit.
    pub unit: Option<UnitId>,
    /// The roles.
    pub roles: Roles,
}

/// What was asked for cannot be done. Words for people are under `account_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Not a sign-in name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Somebody has this sign-in name.
    #[error("another account has this sign-in name")]
    NameTaken,
    /// No name, a name that is too long, or one with control characters.
    #[error("a person's name has 1 to {MAX_DISPLAY_CHARS} characters")]
    Display,
    /// A unit that is too long or has control characters.
    #[error("the name of a unit has at most {MAX_UNIT_CHARS} characters")]
    Unit,
    /// Nobody can do anything without a role.
    #[error("an account needs at least one role")]
    NoRole,
    /// One person cannot make and check.
    #[error("the same person cannot be editor and checker")]
    RolesConflict,
    /// Nobody would be left to give out accounts.
    #[error("this is the last administrator who can sign in: make another one first")]
    LastAdmin,
    /// Somebody else changed it meanwhile.
    #[error("the account was changed meanwhile")]
    Changed,
    /// There is none with this name or id.
    #[error("there is no such account")]
    Unknown,
    /// A password that may not be used.
    #[error(transparent)]
    Password(#[from] PasswordMistake),
}

impl Mistake {
    /// The key of its words.
    pub fn key(self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::NameTaken => "name_taken",
            Self::Display => "display",
            Self::Unit => "unit",
            Self::NoRole => "no_role",
            Self::RolesConflict => "roles_conflict",
            Self::LastAdmin => "last_admin",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
            Self::Password(mistake) => mistake.key(),
        }
    }
}

impl Profile {
    /// Reads what was typed.
    ///
    /// # Errors
    /// Every [`Mistake`] in it.
    pub fn read(display: &str, unit: &str, roles: Roles) -> Result<Self, Vec<Mistake>> {
        let fits =
            |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        let (display, unit) = (display.trim(), unit.trim());
        let mut mistakes = Vec::new();
        if display.is_empty() || !fits(display, MAX_DISPLAY_CHARS) {
            mistakes.push(Mistake::Display);
        }
        let read = if unit.is_empty() { None } else { unit.parse().ok() };
        if !fits(unit, MAX_UNIT_CHARS) || (read.is_none() && !unit.is_empty()) {
            mistakes.push(Mistake::Unit);
        }
        if roles.is_empty() {
            mistakes.push(Mistake::NoRole);
        }
        if roles.conflicts() {
            mistakes.push(Mistake::RolesConflict);
        }
        if mistakes.is_empty() {
            Ok(Self { display: display.to_owned(), unit: read, roles })
        } else {
            Err(mistakes)
        }
    }

    /// The unit as the store keeps it: empty for none.
    pub fn stored_unit(&self) -> &str {
        self.unit.as_ref().map_or("", UnitId::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::role::Role;

    #[test]
    fn every_mistake_has_words_for_people_and_for_the_command_line() {
        let words = crate::words::Words(domain::text::Language::ZhCn);
        let passwords = [
            PasswordMistake::TooShort,
            PasswordMistake::TooLong,
            PasswordMistake::Control,
            PasswordMistake::HasName,
            PasswordMistake::TooPlain,
            PasswordMistake::Same,
            PasswordMistake::NotRepeated,
        ];
        let all = [
            Mistake::Name(NameError),
            Mistake::NameTaken,
            Mistake::Display,
            Mistake::Unit,
            Mistake::NoRole,
            Mistake::RolesConflict,
            Mistake::LastAdmin,
            Mistake::Changed,
            Mistake::Unknown,
        ];
        for mistake in all.into_iter().chain(passwords.map(Mistake::Password)) {
            let key = format!("account_error.{}", mistake.key());
            assert_ne!(words.t(&key), key, "{mistake:?}");
            assert!(mistake.to_string().len() > 10, "{mistake:?}");
        }
    }

    #[test]
    fn what_was_typed_is_read_with_all_its_mistakes() {
        let long = "长".repeat(21);
        let table: [(&str, &str, &[Role], &[Mistake]); 7] = [
            (" 样例员 ", " ", &[Role::Clerk], &[]),
            ("", "", &[], &[Mistake::Display, Mistake::NoRole]),
            (&long, &long, &[Role::Clerk], &[Mistake::Display, Mistake::Unit]),
            ("a\nb", "人社\u{7}局", &[Role::Clerk], &[Mistake::Display, Mistake::Unit]),
            ("甲", "人社", &[Role::Editor, Role::Checker], &[Mistake::RolesConflict]),
            ("甲", "人社", Role::ALL, &[Mistake::RolesConflict]),
            ("<b>", "' OR 1=1 --", &[Role::Clerk], &[]),
        ];
        for (display, unit, roles, mistakes) in table {
            let read = Profile::read(display, unit, Roles::of(roles));
            assert_eq!(read.err().unwrap_or_default(), mistakes, "{display:?} {unit:?}");
        }
    }
}
