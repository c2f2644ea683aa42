//! The settings of data sources: a file `sources.json` in the data folder, read again whenever something is asked.
//!
//! Without it the samples beside the sample rules count, all of which are simulators; they are used with a sample
//! catalogue only.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::Adapter;
use super::http::Http;
use super::simulated::Simulated;
use crate::loopback;

/// The most bytes of the file.
pub const MAX_SETTINGS_BYTES: u64 = 256 << 10;
/// The most sources.
const MAX_SOURCES: usize = 100;
/// The longest purpose or basis, in characters.
const MAX_WORDS: usize = 200;
/// How long a source may take, at most and where nothing is said, in milliseconds.
const LIMIT_MS: (u64, u64) = (20_000, 3_000);

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    /// It is no such file.
    #[error("{0}")]
    Wrong(String),
}

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcesFile {
    /// `sample` or `official`.
    #[serde(default)]
    pub data_label: String,
    /// Sources by name.
    pub sources: BTreeMap<String, SourceSettings>,
}

/// One source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// What it is asked for, in words.
    pub purpose: String,
    /// On what ground, with the article.
    pub basis: String,
    /// Answers of the form that it needs.
    #[serde(default)]
    pub sends: Vec<String>,
    /// How long it may take, in milliseconds.
    #[serde(default = "usual_limit")]
    pub limit_ms: u64,
    /// How it is reached.
    #[serde(flatten)]
    pub kind: Kind,
}

/// How a source is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// By a simulator, which says so wherever it is shown.
    Simulated(Simulated),
    /// By HTTP with JSON, at an address of this machine: a proxy there speaks TLS to the source.
    Http(Http),
}

fn usual_limit() -> u64 {
    LIMIT_MS.1
}

impl SourceSettings {
    /// Whether nobody real answers.
    pub fn is_simulated(&self) -> bool {
        matches!(self.kind, Kind::Simulated(_))
    }

    pub(super) fn adapter(&self) -> Arc<dyn Adapter> {
        match &self.kind {
            Kind::Simulated(simulated) => Arc::new(simulated.clone()),
            Kind::Http(http) => Arc::new(http.clone()),
        }
    }
}

impl SourcesFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`SettingsError`] with the place of the first mistake.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let length = std::fs::metadata(path)?.len();
        if length > MAX_SETTINGS_BYTES {
            return Err(SettingsError::Wrong(format!("more than {MAX_SETTINGS_BYTES} bytes")));
        }
        Self::parse(&std::fs::read(path)?)
    }

    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// As [`SourcesFile::read`].
    pub fn parse(json: &[u8]) -> Result<Self, SettingsError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let file: Self = serde_path_to_error::deserialize(&mut reader)
            .map_err(|e| SettingsError::Wrong(format!("{}: {}", e.path(), e.inner())))?;
        let wrong = |at: &str, why: &str| Err(SettingsError::Wrong(format!("sources.{at}: {why}")));
        if file.sources.len() > MAX_SOURCES {
            return wrong("", "too many");
        }
        for (name, source) in &file.sources {
            let words = [&source.purpose, &source.basis];
            if words.iter().any(|w| w.trim().is_empty() || w.chars().count() > MAX_WORDS) {
                return wrong(name, "purpose and basis are 1 to 200 characters");
            }
            if source.limit_ms == 0 || source.limit_ms > LIMIT_MS.0 {
                return wrong(name, "limit_ms is from 1 to 20000");
            }
            if let Kind::Http(http) = &source.kind
                && loopback::local(&http.address).is_none()
            {
                return wrong(name, "address is IP and port of this machine: a TLS proxy there goes on");
            }
        }
        Ok(file)
    }
}
