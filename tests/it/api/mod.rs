//! The API as other programs meet it: described to the letter, bounded, and unshaken by whatever is sent to it.
mod description;
mod hostile;
mod limits;
mod problems;
mod reads;

use anyhow::{Context as _, Result};

/// Compares a text with its file in the repository; `UPDATE_SNAPSHOTS=1` writes the file anew.
fn same_as_file(file: &str, text: &str) -> Result<()> {
    let path = tests::binaries::repository().join(file);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text)?;
    }
    let stored = std::fs::read_to_string(&path).with_context(|| file.to_owned())?;
    let first_other = stored.lines().zip(text.lines()).position(|(a, b)| a != b);
    anyhow::ensure!(
        stored == text,
        "{file} differs from line {:?} on; UPDATE_SNAPSHOTS=1 writes it anew: read the difference before you commit it",
        first_other.map(|n| n + 1)
    );
    Ok(())
}
