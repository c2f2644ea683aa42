//! Where the window appears: the display of the person who started the demo, or a virtual one (Xvfb) of its own.
//!
//! Refuses to take pictures of a real desktop: only the virtual screen is photographed.
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::screen_size::ScreenSize;
use crate::process::{Interrupt, Running, output, tied, wait_until};

const START_LIMIT: Duration = Duration::from_secs(20);

/// A display that programs can be sent to.
pub enum Display {
    /// The one that the environment names.
    Real,
    /// A virtual screen, gone when this is dropped.
    Virtual {
        /// `:7`
        name: String,
        /// The server behind it.
        _server: Running,
    },
}

impl Display {
    /// True if the environment names a display.
    pub fn is_there() -> bool {
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| std::env::var_os(v).is_some_and(|d| !d.is_empty()))
    }

    /// Starts a virtual screen on a number that the server itself finds free.
    ///
    /// # Errors
    /// If Xvfb is missing or does not come up.
    pub fn start(size: ScreenSize, scratch: &Path, logs: &Path, interrupt: &Interrupt) -> Result<Self> {
        let answer = scratch.join("display");
        let mut command = tied("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            &format!("{size}x24"),
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let file = File::create(&answer).context("cannot write the display's number")?;
        let mut server = Running::start_with("Xvfb", command, file, &logs.join("display.log"))?;
        let number = wait_until(START_LIMIT, interrupt, || {
            server.must_run()?;
            let text = std::fs::read_to_string(&answer).unwrap_or_default();
            Ok(text.strip_suffix('\n').map(|n| n.trim().to_owned()))
        })?;
        let Some(number) = number else { bail!("Xvfb did not come up{}", server.log_tail()) };
        Ok(Self::Virtual { name: format!(":{number}"), _server: server })
    }

    /// `:7` of a virtual screen.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Real => None,
            Self::Virtual { name, .. } => Some(name),
        }
    }

    /// Sends a program's window here.
    pub fn apply(&self, command: &mut Command) {
        if let Self::Virtual { name, .. } = self {
            command.env("DISPLAY", name).env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
            command.env("LIBGL_ALWAYS_SOFTWARE", "1");
        }
    }

    /// Saves a picture of the whole virtual screen.
    ///
    /// # Errors
    /// On a real display, or when the picture cannot be taken.
    pub fn photograph(&self, path: &Path) -> Result<()> {
        let name = self.name().context("pictures are only taken of a virtual screen")?;
        let mut command = Command::new("import");
        command.args(["-display", name, "-window", "root"]).arg(format!("png:{}", path.display()));
        output(command).map(|_| ())
    }
}
