//! `config check` and `config show`: what the settings come to, where each value comes from, and what is wrong.
use std::io;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::{Key, Kind, Resolution, Row, Settings};
use crate::exit::Exit;
use crate::output::{print, print_json};

/// What `config` can be asked.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigJob {
    /// Look at file, environment and flags, and tell every mistake; starts nothing.
    #[command(after_help = "Exit code 0 if all is well, 78 if there is a mistake.

Examples:
  {bin} config check
  {bin} config check --config /etc/jinban/{bin}.toml --json")]
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Every key with its value and source; secrets are hidden. The text can be used as a settings file.
    #[command(after_help = "Examples:
  {bin} config show
  {bin} config show --json --config /etc/jinban/{bin}.toml")]
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct ShownKey<'a> {
    key: &'a str,
    value: serde_json::Value,
    source: &'a str,
    default: &'a str,
    variable: String,
    flag: String,
    about: &'a str,
}

/// Answers on standard output; [`Exit::Configuration`] if there is a mistake.
///
/// # Errors
/// If standard output cannot be written.
pub fn run<S: Settings>(job: &ConfigJob, resolution: &Resolution<S>) -> io::Result<Exit> {
    match job {
        ConfigJob::Check { json: true } => print_json(&json!({
            "ok": resolution.mistakes.is_empty(),
            "file": resolution.file,
            "mistakes": resolution.mistakes,
            "notes": resolution.notes,
        }))?,
        ConfigJob::Check { json: false } => print(&checked(resolution))?,
        ConfigJob::Show { json: true } => {
            let shown: Vec<_> = resolution.rows.iter().zip(S::KEYS).map(|(r, k)| shown_key(r, k)).collect();
            print_json(&json!({
                "file": resolution.file, "settings": shown, "mistakes": resolution.mistakes,
            }))?;
        }
        ConfigJob::Show { json: false } => print(&shown_text::<S>(resolution))?,
    }
    Ok(if resolution.mistakes.is_empty() { Exit::Ok } else { Exit::Configuration })
}

fn checked<S>(resolution: &Resolution<S>) -> String {
    let file = resolution.file.as_ref().map_or("no settings file".to_owned(), |f| f.display().to_string());
    let mut lines = vec![match resolution.mistakes.len() {
        0 => format!("ok: {file}, environment and flags"),
        1 => "1 mistake:".to_owned(),
        n => format!("{n} mistakes:"),
    }];
    lines.extend(resolution.mistakes.iter().map(ToString::to_string));
    lines.extend(resolution.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n") + "\n"
}

fn shown_key<'a>(row: &'a Row, key: &'a Key) -> ShownKey<'a> {
    let value = match key.kind {
        Kind::Switch => json!(row.value == "true"),
        Kind::Text if row.value.is_empty() => serde_json::Value::Null,
        Kind::Text => json!(row.value),
    };
    ShownKey {
        key: row.key,
        value,
        source: &row.source,
        default: key.default,
        variable: key.variable(),
        flag: format!("--{}", key.flag()),
        about: key.about.trim(),
    }
}

pub(super) fn shown_text<S: Settings>(resolution: &Resolution<S>) -> String {
    let lines: Vec<(String, &str)> = resolution
        .rows
        .iter()
        .zip(S::KEYS)
        .map(|(row, key)| {
            let value = match key.kind {
                Kind::Switch => row.value.clone(),
                Kind::Text => toml::Value::from(row.value.as_str()).to_string(),
            };
            (format!("{} = {value}", row.key), row.source.as_str())
        })
        .collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let mut text = lines.iter().fold(String::new(), |mut text, (line, source)| {
        let pad = " ".repeat(width.saturating_sub(line.chars().count()));
        text.push_str(&format!("{line}{pad}  # {source}\n"));
        text
    });
    for mistake in &resolution.mistakes {
        text.push_str(&format!("# wrong: {mistake}\n"));
    }
    text
}
