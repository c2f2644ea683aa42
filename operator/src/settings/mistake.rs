//! A mistake in the settings, with its place and what would be right.
use std::fmt;

use serde::Serialize;

use super::value::redacted_url;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, PartialOrd, Ord)]
pub struct Mistake {
    /// Where: a file with its line, `environment NAME` or `flag --name`.
    pub place: String,
    /// Which key; none if the file as a whole cannot be read.
    pub key: Option<String>,
    /// What is wrong and what would be right, without secrets.
    pub said: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}: {key}: {}", self.place, self.said),
            None => write!(f, "{}: {}", self.place, self.said),
        }
    }
}

/// All mistakes in the settings: nothing was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings are wrong:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for Mistakes {}

/// A text of unknown origin, short, without control characters and without the secrets of a URL, for an error text.
pub(super) fn quoted(text: &str) -> String {
    const MOST_CHARS: usize = 60;
    let text = redacted_url(text);
    let cut = text.chars().count() > MOST_CHARS;
    let start: String = text.chars().take(MOST_CHARS).flat_map(char::escape_debug).collect();
    format!("`{start}{}`", if cut { "…" } else { "" })
}
