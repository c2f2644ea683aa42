//! How eager an engine is, what it does of the sync, and how one is set up.
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::engine::Engine;
use super::transport::HangUp;
use crate::devices::Board;

/// How eager the engine is, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// First back-off ceiling.
    pub backoff_base_ms: u64,
    /// Largest back-off ceiling.
    pub backoff_cap_ms: u64,
    /// Between two looks for news.
    pub news_every_ms: i64,
    /// Between two heartbeats; what changes with the catalogue is told at once.
    pub beat_every_ms: i64,
    /// The longest wait between two looks, so that a changed clock does no harm.
    pub longest_wait_ms: i64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            backoff_base_ms: 1_000,
            backoff_cap_ms: 60_000,
            news_every_ms: 5_000,
            beat_every_ms: 60_000,
            longest_wait_ms: 5_000,
        }
    }
}

/// What an engine does. Waiting at the centre for news must not hold up a submission, so a real terminal has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Everything, one after the other, without waiting at the centre.
    All,
    /// Sends rows and heartbeats.
    Send,
    /// Waits at the centre for news.
    News,
}

impl Engine {
    /// The same engine, which rings this bell at news of the catalogue.
    #[must_use]
    pub fn with_catalogue_bell(mut self, bell: SyncSender<()>) -> Self {
        self.catalogue_bell = Some(bell);
        self
    }

    /// The same engine for one lane only.
    #[must_use]
    pub fn on_lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// What breaks off its waiting at the centre, if it waits there.
    pub fn hang_up(&self) -> Option<HangUp> {
        self.transport.hang_up().filter(|_| self.lane == Lane::News)
    }

    /// The same engine, more or less eager.
    #[must_use]
    pub fn with_tuning(mut self, tuning: Tuning) -> Self {
        self.tuning = tuning;
        self
    }

    /// The same engine, whose heartbeats tell how the devices of this board are.
    #[must_use]
    pub fn with_devices(mut self, board: Arc<Board>) -> Self {
        self.devices = Some(board);
        self
    }
}
