//! Settings of a program: one table of keys, and values from file, environment and flags over its defaults.
//!
//! A program writes its table once, with [`settings!`](crate::settings!). Out of it come the typed struct, the
//! flags, the names of the environment, the file's keys, `config show`, `config check` and the table in
//! `docs/operations`, so that they cannot drift apart.
//!
//! Refuses to guess: an unknown key, a wrong type, an unreadable file or a value that is not of its form is a
//! [`Mistake`] that names its place, and a program with a mistake does not start. All values are looked at, also
//! those that a later layer covers.
mod file;
mod flags;
mod layers;
mod mistake;
mod report;
#[cfg(test)]
mod tests;
mod value;

use std::ffi::OsString;

pub use clap::ValueHint as Hint;
pub use flags::Flags;
pub use layers::{Environment, Resolution, Row};
pub use mistake::{Mistake, Mistakes};
pub use report::{ConfigJob, run as run_config_job};
pub use value::{Address, Kind, Setting, redacted_url};

/// Names of environment variables begin with this.
pub const PREFIX: &str = "JINBAN_";

/// One key of a program's settings.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the file; parts of a nested one are joined by dots.
    pub name: &'static str,
    /// What it sets, in one sentence or two.
    pub about: &'static str,
    /// The value without file, environment and flags; empty for none.
    pub default: &'static str,
    /// Text or a switch.
    pub kind: Kind,
    /// What a shell may complete.
    pub hint: Hint,
    /// What a value must look like.
    pub expected: &'static str,
    /// A value without its secrets, or nothing if it is not of its form.
    pub check: fn(&str) -> Option<String>,
    /// Values hold secrets: a wrong one is never repeated.
    pub secret: bool,
}

impl Key {
    /// Its environment variable: `people_url` is `JINBAN_PEOPLE_URL`, nested `a.b` is `JINBAN_A__B`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase().replace('.', "__"))
    }

    /// Its flag without the dashes: `people_url` is `people-url`.
    pub fn flag(&self) -> String {
        self.name.replace(['_', '.'], "-")
    }
}

/// The settings of one program; made by [`settings!`](crate::settings!).
pub trait Settings: Sized {
    /// The program's name.
    const PROGRAM: &'static str;
    /// All keys, in the order in which they are shown.
    const KEYS: &'static [Key];

    /// The settings out of texts that were checked; nothing if one of them is not of its form after all.
    fn build(text: impl Fn(&str) -> String) -> Option<Self>;

    /// Each key with its value as text, secrets included.
    fn texts(&self) -> Vec<(&'static str, String)>;

    /// The file that is read if none is named and it is there.
    fn default_file() -> String {
        format!("{}.toml", Self::PROGRAM)
    }

    /// Flags that say the same and let no file be read; for a child process.
    fn to_flags(&self) -> Vec<OsString> {
        let mut flags = vec![OsString::from("--config=")];
        let texts = self.texts();
        flags.extend(Self::KEYS.iter().filter_map(|key| {
            let (_, text) = texts.iter().find(|(name, _)| *name == key.name)?;
            Some(OsString::from(format!("--{}={text}", key.flag())))
        }));
        flags
    }
}

/// Writes the settings of a program: a struct whose fields are its keys, with documentation, type and default.
///
/// ```
/// operator::settings! {
///     /// Settings of the lamp.
///     pub struct LampSettings for "lamp" {
///         /// Folder of the wicks.
///         wicks: std::path::PathBuf = "wicks",
///         /// Whether it burns.
///         lit: bool = "false",
///     }
/// }
/// # use operator::settings::Settings as _;
/// assert_eq!(LampSettings::KEYS[0].variable(), "JINBAN_WICKS");
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$about:meta])*
        $visible:vis struct $name:ident for $program:literal {
            $( $(#[doc = $doc:literal])+ $key:ident : $type:ty = $default:expr, )+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $visible struct $name {
            $( $(#[doc = $doc])+ pub $key: $type, )+
        }

        impl $crate::settings::Settings for $name {
            const PROGRAM: &'static str = $program;
            const KEYS: &'static [$crate::settings::Key] = &[ $( $crate::settings::Key {
                name: stringify!($key),
                about: concat!($($doc),+),
                default: $default,
                kind: <$type as $crate::settings::Setting>::KIND,
                hint: <$type as $crate::settings::Setting>::HINT,
                expected: <$type as $crate::settings::Setting>::EXPECTED,
                check: |text| {
                    <$type as $crate::settings::Setting>::read(text)
                        .map(|value| $crate::settings::Setting::shown(&value))
                },
                secret: <$type as $crate::settings::Setting>::SECRET,
            } ),+ ];

            fn build(text: impl Fn(&str) -> String) -> Option<Self> {
                Some(Self {
                    $( $key: <$type as $crate::settings::Setting>::read(&text(stringify!($key)))?, )+
                })
            }

            fn texts(&self) -> Vec<(&'static str, String)> {
                vec![ $( (stringify!($key), $crate::settings::Setting::text(&self.$key)) ),+ ]
            }
        }
    };
}
