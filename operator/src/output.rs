//! Standard output: data only. What a program has to say about itself goes to the log on standard error.
use std::io::{self, Write as _};

use serde::Serialize;

/// Writes text and makes sure that it is out.
///
/// # Errors
/// The operating system's: a full disk, a reader that went away.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a value as JSON for people and programs, with a line end.
///
/// # Errors
/// As [`print`]; a value that is no JSON is [`io::ErrorKind::InvalidData`].
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    print(&(text + "\n"))
}
