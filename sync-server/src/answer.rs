//! What a command says: its answer on standard output, and that it went well.
use anyhow::Context as _;
use operator::exit::Exit;
use operator::output::{print, print_json};

/// Writes a text.
///
/// # Errors
/// If standard output cannot be written.
pub(crate) fn say(text: &str) -> anyhow::Result<Exit> {
    print(text).context("standard output")?;
    Ok(Exit::Ok)
}

/// Writes JSON.
///
/// # Errors
/// As [`say`].
pub(crate) fn say_json(value: &impl serde::Serialize) -> anyhow::Result<Exit> {
    print_json(value).context("standard output")?;
    Ok(Exit::Ok)
}
