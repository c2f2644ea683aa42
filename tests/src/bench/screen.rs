//! A virtual screen of 1280x800 with eyes that watch pixels and a finger that presses, over the X protocol itself.
//!
//! Refuses a real display: it looks at and touches only the Xvfb that it started.
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::centre::Centre;
use super::process::{Program, beside, pause, tied};
use crate::binaries::repository;

/// Pixels across and down.
pub const SIZE: (u16, u16) = (1280, 800);
/// A place inside the first button of the attract page, clear of its words.
pub const ON_BUTTON: (i16, i16) = (100, 735);
/// A place where nothing is to be pressed.
pub const ASIDE: (i16, i16) = (640, 20);
/// How long a pixel may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks while a program starts, so that watching costs it little.
const LOOK: Duration = Duration::from_millis(1);
/// Between two looks where parts of a millisecond count. Without a pause the eyes and Xvfb use up one core of the two
/// on which llvmpipe draws, and what is timed is the watching.
const CLOSE_LOOK: Duration = Duration::from_micros(250);

const BUTTON_PRESS: u8 = 4;
const BUTTON_RELEASE: u8 = 5;
const MOTION: u8 = 6;
const LEFT: u8 = 1;

/// The screen.
pub struct Screen {
    /// `:7`
    pub name: String,
    connection: RustConnection,
    root: u32,
    _server: Program,
}

impl Screen {
    /// Starts Xvfb on a number that it finds free itself.
    ///
    /// # Errors
    /// If it is missing or does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let mut command = tied(Path::new("Xvfb"));
        let (width, height) = SIZE;
        command.args(["-displayfd", "1", "-screen", "0", &format!("{width}x{height}x24")]);
        command.args(["-nolisten", "tcp", "-noreset"]);
        let log = folder.join("display.log");
        let mut server = Program::start("Xvfb", command, &log)?;
        let number = server.wait_for("its number", || {
            let text = std::fs::read_to_string(log.with_extension("out")).unwrap_or_default();
            Ok(text.strip_suffix('\n').map(|n| n.trim().to_owned()))
        })?;
        let name = format!(":{number}");
        let (connection, screen) = RustConnection::connect(Some(&name))?;
        let root = connection.setup().roots.get(screen).context("a screen")?.root;
        Ok(Self { name, connection, root, _server: server })
    }

    /// The colour of one pixel.
    ///
    /// # Errors
    /// If the screen is gone.
    pub fn pixel(&self, (x, y): (i16, i16)) -> Result<u32> {
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, 1, 1, !0)?.reply()?;
        let bytes = image.data.get(..4).context("a pixel has four bytes")?;
        Ok(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) & 0x00ff_ffff)
    }

    /// Waits until a pixel has another colour than this; gives the new one. Looks more often if `eager`.
    ///
    /// # Errors
    /// If it keeps its colour for half a minute.
    pub fn other_than(&self, at: (i16, i16), colour: u32, eager: bool) -> Result<u32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let now = self.pixel(at)?;
            if now != colour {
                return Ok(now);
            }
            pause(if eager { CLOSE_LOOK } else { LOOK });
        }
        bail!("the pixel at {at:?} stays {colour:06x}")
    }

    /// Waits until a pixel has kept one colour for a while; gives it.
    ///
    /// # Errors
    /// If it does not come to rest.
    pub fn at_rest(&self, at: (i16, i16), still: Duration) -> Result<u32> {
        let deadline = Instant::now() + PATIENCE;
        let (mut colour, mut since) = (self.pixel(at)?, Instant::now());
        while Instant::now() < deadline {
            pause(LOOK);
            let now = self.pixel(at)?;
            if now != colour {
                (colour, since) = (now, Instant::now());
            } else if since.elapsed() >= still {
                return Ok(colour);
            }
        }
        bail!("the pixel at {at:?} does not come to rest")
    }

    /// Moves the pointer.
    ///
    /// # Errors
    /// If the screen is gone; so do all below.
    pub fn point(&self, to: (i16, i16)) -> Result<()> {
        self.input(MOTION, 0, to)
    }

    /// Presses the left button where the pointer is.
    pub fn press(&self) -> Result<()> {
        self.input(BUTTON_PRESS, LEFT, (0, 0))
    }

    /// Lets the left button go.
    pub fn release(&self) -> Result<()> {
        self.input(BUTTON_RELEASE, LEFT, (0, 0))
    }

    fn input(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<()> {
        let root = if kind == MOTION { self.root } else { x11rb::NONE };
        self.connection.xtest_fake_input(kind, detail, 0, root, x, y, 0)?;
        Ok(self.connection.flush()?)
    }
}

/// A command of the real terminal on a screen, enrolled at a running centre.
///
/// # Errors
/// If it cannot be enrolled.
pub fn terminal(screen: &Screen, centre: &Centre, data: &Path) -> Result<Command> {
    let program = beside("terminal")?;
    let server = centre.url.clone();
    let with = |command: &mut Command| {
        command.args(["--server", &server, "--reader", "none", "--window", "1280x800"]);
        command.arg("--data").arg(data).arg("--assets").arg(repository().join("assets"));
        command.current_dir(repository());
    };
    if !data.exists() {
        let mut enrol = Command::new(&program);
        enrol.args(["enrol", "--code", &centre.enrol_code()?]);
        with(&mut enrol);
        let output = enrol.output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut command = on(screen, &program);
    command.arg("run");
    with(&mut command);
    Ok(command)
}

/// A command of the bare X client on a screen.
///
/// # Errors
/// If it is not built.
pub fn bare_client(screen: &Screen) -> Result<Command> {
    Ok(on(screen, &beside("floor-x")?))
}

fn on(screen: &Screen, program: &Path) -> Command {
    let mut command = tied(program);
    command.env("DISPLAY", &screen.name).env("LIBGL_ALWAYS_SOFTWARE", "1");
    command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    command
}
