//! The finger of the story: taps and strokes through the X server, as a touch panel that emulates a mouse does.
use std::process::Command;

use anyhow::{Context, Result};

use super::accessibility::Area;
use crate::process::output;

/// Between press and release of a tap, and between the points of a stroke: at least two frames at 60 Hz, so that
/// the window sees every one of them.
const HOLD_SECS: &str = "0.05";

/// Sends pointer input to one virtual display.
pub struct Pointer {
    display: String,
}

impl Pointer {
    /// A pointer on this display.
    pub fn new(display: &str) -> Self {
        Self { display: display.to_owned() }
    }

    /// Taps the middle of an area.
    ///
    /// # Errors
    /// If xdotool fails.
    pub fn tap(&self, area: Area) -> Result<()> {
        let (x, y) = area.middle();
        let mut script = move_to(x, y);
        script.extend(
            ["sleep", HOLD_SECS, "mousedown", "1", "sleep", HOLD_SECS, "mouseup", "1"].map(String::from),
        );
        self.play(script).with_context(|| format!("cannot tap at {x},{y}"))
    }

    /// Draws one stroke through points given as shares (0 to 1) of an area.
    ///
    /// # Errors
    /// If xdotool fails.
    pub fn stroke(&self, area: Area, points: &[(f64, f64)]) -> Result<()> {
        let mut script = Vec::new();
        for (index, share) in points.iter().enumerate() {
            let (x, y) = area.at(*share);
            script.extend(move_to(x, y));
            script.extend(["sleep".to_owned(), HOLD_SECS.to_owned()]);
            if index == 0 {
                script.extend(["mousedown", "1", "sleep", HOLD_SECS].map(String::from));
            }
        }
        script.extend(["mouseup", "1"].map(String::from));
        self.play(script).context("cannot draw a stroke")
    }

    /// Moves the pointer into the corner, so that no picture shows anything hovered.
    ///
    /// # Errors
    /// If xdotool fails.
    pub fn rest(&self) -> Result<()> {
        self.play(move_to(0, 0)).context("cannot move the pointer away")
    }

    fn play(&self, script: Vec<String>) -> Result<()> {
        let mut command = Command::new("xdotool");
        command.env("DISPLAY", &self.display).args(script);
        output(command).map(|_| ())
    }
}

fn move_to(x: i32, y: i32) -> Vec<String> {
    vec!["mousemove".to_owned(), x.to_string(), y.to_string()]
}
