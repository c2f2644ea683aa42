//! Files of secrets that settings name: a name and its secret, a line each, for nobody else to read.
//!
//! Refuses a file that others may read, and says which setting names it.
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// Longest file, in bytes.
const MAX_BYTES: u64 = 4_096;

/// Reads a name and its secret.
///
/// # Errors
/// What is wrong with the file, with the name of the setting.
pub fn name_and_secret(setting: &str, path: &Path) -> Result<(String, Zeroizing<String>), String> {
    let wrong = |why: &str| format!("{setting} {}: {why}", path.display());
    let file = fs::File::open(path).map_err(|e| wrong(&e.to_string()))?;
    let mode = file.metadata().map_err(|e| wrong(&e.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(wrong("others may read it: chmod 600"));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|e| wrong(&e.to_string()))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next(), lines.next()) {
        (Some(name), Some(secret), None) => Ok((name.to_owned(), Zeroizing::new(secret.to_owned()))),
        _ => Err(wrong("expected two lines, the name and its secret")),
    }
}
