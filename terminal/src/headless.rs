//! A terminal without a window, for stories: the same model and workers, driven by commands and conditions.
use std::time::{Duration, Instant};

use crate::command::Command;
use crate::config::Config;
use crate::model::Model;
use crate::runtime::{Outside, Runtime};

/// A running terminal without a window.
pub struct HeadlessTerminal {
    runtime: Runtime,
}

impl HeadlessTerminal {
    /// Starts one.
    pub fn start(config: &Config) -> Self {
        Self::start_with(config, Outside::default())
    }

    /// Starts one with other parts outside.
    pub fn start_with(config: &Config, outside: Outside) -> Self {
        Self { runtime: Runtime::start_with(config, Box::new(|| {}), outside) }
    }

    /// What a window would show.
    pub fn model(&self) -> &Model {
        self.runtime.model()
    }

    /// Does what somebody asked.
    pub fn command(&mut self, command: Command) {
        self.runtime.send(command);
    }

    /// Waits until the model is as wanted; false after `most`.
    pub fn wait_until(&mut self, most: Duration, wanted: impl Fn(&Model) -> bool) -> bool {
        let end = Instant::now() + most;
        loop {
            self.runtime.pump();
            if wanted(self.runtime.model()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.runtime.wait(left);
        }
    }
}
