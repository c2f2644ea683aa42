//! Other commands of the server's binary, run to their end.
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Result, anyhow};

use crate::binaries::{binary, repository};

/// Runs a command of the binary on a folder and waits for its end.
///
/// # Errors
/// If the process cannot be started.
pub fn command_in(data: &Path, arguments: &[&str]) -> Result<Output> {
    command_with(data, arguments, &[])
}

/// As [`command_in`], with environment variables.
///
/// # Errors
/// If the process cannot be started.
pub fn command_with(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let (name, rest) = arguments.split_first().ok_or_else(|| anyhow!("a command"))?;
    Ok(Command::new(binary("sync-server"))
        .arg(name)
        .arg("--data")
        .arg(data)
        .args(rest)
        .envs(variables.iter().copied())
        .current_dir(repository())
        .env_remove("JINBAN_LOG")
        .stdin(Stdio::null())
        .output()?)
}
