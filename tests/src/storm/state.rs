//! How far a storm is, kept in a file so that it can go on after an interruption.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Options;
use super::lane::Lane;

/// Name of the file in the storm's folder.
const FILE: &str = "storm.json";

/// The state of one lane.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LaneState {
    /// Kills of the server.
    pub server: u32,
    /// Kills of terminals.
    pub terminal: u32,
    /// Starts of the server.
    pub server_tries: u32,
    /// Lives of terminals.
    pub terminal_tries: u32,
    /// Kills by point.
    pub hits: BTreeMap<String, u32>,
}

/// The state of a storm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// Its seed.
    pub seed: u64,
    /// Servers side by side.
    pub stores: u32,
    /// Terminals of each.
    pub terminals: u32,
    /// Kills of each kind.
    pub kills: u32,
    /// Minutes that it ran.
    pub minutes: f64,
    /// Its lanes.
    pub lanes: Vec<LaneState>,
}

impl State {
    /// The state in the storm's folder, or a new one.
    ///
    /// # Errors
    /// If there is one that cannot be read.
    pub fn load_or_new(options: &Options) -> Result<Self> {
        match std::fs::read(options.folder.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).context(FILE),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                seed: options.seed,
                stores: options.stores.max(1),
                terminals: options.terminals.max(1),
                kills: options.kills,
                minutes: 0.0,
                lanes: Vec::new(),
            }),
            Err(e) => Err(e).context(FILE),
        }
    }

    pub(super) fn with(&self, lanes: &[Lane], ran: Duration) -> Self {
        let lanes = lanes.iter().map(|lane| LaneState {
            server: lane.counts.server.load(Ordering::SeqCst),
            terminal: lane.counts.terminal.load(Ordering::SeqCst),
            server_tries: lane.counts.server_tries.load(Ordering::SeqCst),
            terminal_tries: lane.counts.terminal_tries.load(Ordering::SeqCst),
            hits: lane.counts.hits.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        });
        Self { lanes: lanes.collect(), minutes: self.minutes + ran.as_secs_f64() / 60.0, ..self.clone() }
    }

    /// Writes it, so that nobody ever reads half of it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let new = folder.join("storm.new");
        std::fs::write(&new, serde_json::to_vec_pretty(self)?)?;
        Ok(std::fs::rename(new, folder.join(FILE))?)
    }
}
