//! The words on the screens, by their keys in `assets/text/zh-CN.toml`: elements are found by what people read.
//!
//! Refuses to guess: an unknown key is an error that names it.
use std::path::Path;

use anyhow::{Context, Result};

use super::phrase::Phrase;

/// All words of one language.
pub struct Words(toml::Table);

impl Words {
    /// Reads a words file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(Self(text.parse()?))
    }

    /// The words of a key, with gaps where something is filled in.
    ///
    /// # Errors
    /// If there are none.
    pub fn phrase(&self, key: &str) -> Result<Phrase> {
        self.get(key).map(Phrase::template)
    }

    /// The words of a key such as `attract.start`.
    ///
    /// # Errors
    /// If there are none.
    pub fn get(&self, key: &str) -> Result<&str> {
        let mut table = &self.0;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            match table.get(part) {
                Some(toml::Value::Table(inner)) => table = inner,
                Some(toml::Value::String(words)) if parts.peek().is_none() => return Ok(words),
                _ => break,
            }
        }
        anyhow::bail!("there are no words for \"{key}\" in assets/text/zh-CN.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_key_and_missing_ones_are_named() {
        let words = Words::parse("[attract]\nstart = \"go\"\n[form.error]\nmissing = \"?\"\n").unwrap();
        assert_eq!(words.get("attract.start").unwrap(), "go");
        assert_eq!(words.get("form.error.missing").unwrap(), "?");
        for unknown in ["attract", "attract.stop", "attract.start.more", ""] {
            assert!(words.get(unknown).unwrap_err().to_string().contains(unknown));
        }
    }
}
