//! What whoever runs the programs relies on: settings, exit codes, help, doctor, figures, documents.
mod exits;
mod figures;
mod help;
mod settings;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::Result;
use serde_json::Value;
use tests::binaries::{binary, repository};

/// Both programs.
pub const PROGRAMS: [&str; 2] = ["terminal", "sync-server"];

/// Runs a program in a folder, with no settings but these arguments and variables.
pub fn run(program: &str, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let mut command = Command::new(binary(program));
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("JINBAN_")) {
        command.env_remove(name);
    }
    let output = command
        .args(arguments)
        .envs(variables.iter().copied())
        .env("JINBAN_ASSETS", repository().canonicalize()?.join("assets"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()?;
    Ok(output)
}

/// Standard output as JSON.
pub fn json_of(output: &Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout)
        .map_err(|e| anyhow::anyhow!("{e}: {} {}", text(&output.stdout), text(&output.stderr)))
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
