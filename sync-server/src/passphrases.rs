//! Passphrases of offline keys: from a file, line by line, or asked for at the console without showing them.
use std::path::Path;

use anyhow::{Context as _, ensure};
use publishing::files::read_if_there;
use publishing::key_file::Passphrase;
use zeroize::Zeroizing;

/// Bytes of a file of passphrases, at most.
const MOST_BYTES: u64 = 64 * 1024;

/// Where passphrases come from.
pub(crate) struct Passphrases(Option<std::vec::IntoIter<Zeroizing<String>>>);

impl Passphrases {
    /// From a file with one a line, or from the console.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn new(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self(None)) };
        let bytes = read_if_there(file, MOST_BYTES)?;
        let bytes = Zeroizing::new(bytes.with_context(|| format!("{} is not there", file.display()))?);
        let text = std::str::from_utf8(&bytes).context("passphrases are UTF-8")?;
        let lines: Vec<_> = text.lines().map(|line| Zeroizing::new(line.to_owned())).collect();
        Ok(Self(Some(lines.into_iter())))
    }

    /// The next one, for opening a key.
    ///
    /// # Errors
    /// If there is none, or it is too short.
    pub(crate) fn next(&mut self, what: &str) -> anyhow::Result<Passphrase> {
        let text = match &mut self.0 {
            Some(lines) => lines.next().with_context(|| format!("no line is left for {what}"))?,
            None => ask(&format!("passphrase of {what}: "))?,
        };
        Ok(Passphrase::new(text)?)
    }

    /// The next one, for a new key: asked for twice at the console.
    ///
    /// # Errors
    /// If there is none, it is too short, or the second is another one.
    pub(crate) fn next_new(&mut self, what: &str) -> anyhow::Result<Passphrase> {
        if self.0.is_some() {
            return self.next(what);
        }
        let text = ask(&format!("new passphrase of {what}: "))?;
        ensure!(*ask("once more: ")? == *text, "the two are not the same");
        Ok(Passphrase::new(text)?)
    }
}

fn ask(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    Ok(Zeroizing::new(rpassword::prompt_password(prompt).context("no console to ask for a passphrase at")?))
}
