//! What the window says of itself: a private accessibility bus, and the tree of named elements read over it.
//!
//! Refuses to act: the story reads names and places here and uses the [pointer](super::pointer) to act, so that
//! only what a finger can do is done.
use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
pub use atspi::Role;
use atspi::connection::AccessibilityConnection;
use atspi::proxy::accessible::{AccessibleProxy, ObjectRefExt};
use atspi::proxy::bus::{BusProxy, StatusProxy};
use atspi::proxy::proxy_ext::ProxyExt;
use atspi::zbus;
use atspi::{CoordType, ObjectRefOwned, State};
use tokio::runtime::Runtime;

use crate::process::{Interrupt, Running, tied, wait_until};

const START_LIMIT: Duration = Duration::from_secs(20);
/// One look at the whole tree may take this long.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// More elements than any screen has.
const MOST_ELEMENTS: usize = 2_000;
const LAUNCHERS: [&str; 2] =
    ["/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher"];

/// A session bus and an accessibility bus of our own; both end when this is dropped.
pub struct Bus {
    address: String,
    runtime_dir: String,
    // Dropped in this order: the launcher first, then the bus that it lives on.
    _launcher: Running,
    _daemon: Running,
}

impl Bus {
    /// Starts both.
    ///
    /// # Errors
    /// If a program is missing or does not come up.
    pub fn start(display: &str, scratch: &Path, logs: &Path, interrupt: &Interrupt) -> Result<Self> {
        let runtime_dir = scratch.join("runtime");
        std::fs::create_dir_all(&runtime_dir).context("cannot make a runtime folder")?;
        let mut command = tied("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let seat = |command: &mut Command| {
            command.env("DISPLAY", display).env("XDG_RUNTIME_DIR", &runtime_dir).env("HOME", scratch);
            command.env("GSETTINGS_BACKEND", "memory");
        };
        seat(&mut command);
        let log = logs.join("accessibility.log");
        let answer = scratch.join("bus");
        let file = File::create(&answer).context("cannot write the bus address")?;
        let mut daemon = Running::start_with("dbus-daemon", command, file, &log)?;
        let address = wait_until(START_LIMIT, interrupt, || {
            daemon.must_run()?;
            let text = std::fs::read_to_string(&answer).unwrap_or_default();
            Ok(text.strip_suffix('\n').map(str::to_owned))
        })?;
        let Some(address) = address else { bail!("dbus-daemon did not come up{}", daemon.log_tail()) };
        let launcher =
            LAUNCHERS.iter().find(|p| Path::new(p).exists()).context("at-spi2-core is not installed")?;
        let mut command = tied(launcher);
        command.arg("--launch-immediately").env("DBUS_SESSION_BUS_ADDRESS", &address);
        seat(&mut command);
        let launcher = Running::start("at-spi-bus-launcher", command, &log)?;
        let runtime_dir = runtime_dir.to_string_lossy().into_owned();
        Ok(Self { address, runtime_dir, _launcher: launcher, _daemon: daemon })
    }

    /// Lets a program's window speak on this bus.
    pub fn apply(&self, command: &mut Command) {
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).env("XDG_RUNTIME_DIR", &self.runtime_dir);
        command.env_remove("AT_SPI_BUS_ADDRESS").env_remove("NO_AT_BRIDGE");
    }
}

/// A place on the screen, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Pixels across.
    pub width: i32,
    /// Pixels down.
    pub height: i32,
}

impl Area {
    /// Its middle.
    pub fn middle(&self) -> (i32, i32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    /// A point given as shares of width and height.
    pub fn at(&self, (right, down): (f64, f64)) -> (i32, i32) {
        let share = |from: i32, length: i32, of: f64| from + (f64::from(length) * of).round() as i32;
        (share(self.x, self.width, right), share(self.y, self.height, down))
    }
}

/// One element that a screen reader would find.
#[derive(Debug, Clone)]
pub struct Element {
    /// What it is.
    pub role: Role,
    /// What it is called.
    pub name: String,
    /// Whether it can be used now.
    pub enabled: bool,
    /// Whether it is checked, pressed or selected.
    pub chosen: bool,
    /// Where it is.
    pub area: Area,
}

/// Reads trees; keeps one connection.
pub struct Reader {
    runtime: Runtime,
    connection: AccessibilityConnection,
}

impl Reader {
    /// Connects, and says that a screen reader is there, so that windows build their trees; to be done before there
    /// is a window.
    ///
    /// # Errors
    /// If the bus does not answer.
    pub fn connect(bus: &Bus, interrupt: &Interrupt) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the runtime that reads the accessibility bus")?;
        let mut last = None;
        let connection =
            wait_until(START_LIMIT, interrupt, || match runtime.block_on(within(connect(&bus.address))) {
                Ok(connection) => Ok(Some(connection)),
                Err(error) => {
                    last = Some(error);
                    Ok(None)
                }
            })?;
        match (connection, last) {
            (Some(connection), _) => Ok(Self { runtime, connection }),
            (None, Some(error)) => Err(error.context("the accessibility bus does not answer")),
            (None, None) => bail!("the accessibility bus does not answer"),
        }
    }

    /// All elements of all windows, in reading order. Empty while there is no window.
    ///
    /// # Errors
    /// If the bus is gone. A window that goes away meanwhile is no error: what was read counts.
    pub fn elements(&self) -> Result<Vec<Element>> {
        self.runtime.block_on(within(read_all(&self.connection)))
    }
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(READ_LIMIT, work).await.context("the accessibility bus took too long")?
}

async fn connect(address: &str) -> Result<AccessibilityConnection> {
    let session = zbus::connection::Builder::address(address)?.build().await?;
    let status = StatusProxy::new(&session).await?;
    status.set_is_enabled(true).await?;
    status.set_screen_reader_enabled(true).await?;
    let address = BusProxy::new(&session).await?.get_address().await?;
    Ok(AccessibilityConnection::from_address(address.as_str().try_into()?).await?)
}

async fn read_all(connection: &AccessibilityConnection) -> Result<Vec<Element>> {
    let root = connection.root_accessible_on_registry().await?;
    let mut waiting: VecDeque<ObjectRefOwned> = root.get_children().await?.into();
    let mut elements = Vec::new();
    while let Some(object) = waiting.pop_front() {
        if elements.len() >= MOST_ELEMENTS {
            bail!("the window has more than {MOST_ELEMENTS} elements");
        }
        // An element, or the whole window, may be gone by now.
        let Ok((element, children)) = read_one(connection, object).await else { continue };
        elements.extend(element);
        for child in children.into_iter().rev() {
            waiting.push_front(child);
        }
    }
    Ok(elements)
}

async fn read_one(
    connection: &AccessibilityConnection,
    object: ObjectRefOwned,
) -> Result<(Option<Element>, Vec<ObjectRefOwned>)> {
    let proxy = object.into_accessible_proxy(connection.connection()).await?;
    let children = proxy.get_children().await?;
    Ok((describe(&proxy).await.ok(), children))
}

async fn describe(proxy: &AccessibleProxy<'_>) -> Result<Element> {
    let name = proxy.name().await?;
    let role = proxy.get_role().await?;
    let states = proxy.get_state().await?;
    let (x, y, width, height) =
        proxy.proxies().await?.component().await?.get_extents(CoordType::Screen).await?;
    Ok(Element {
        role,
        name,
        enabled: states.contains(State::Enabled) || states.contains(State::Sensitive),
        chosen: [State::Checked, State::Pressed, State::Selected].iter().any(|s| states.contains(*s)),
        area: Area { x, y, width, height },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_pixels_of_the_screen() {
        let area = Area { x: 100, y: 50, width: 200, height: 80 };
        assert_eq!(area.middle(), (200, 90));
        assert_eq!(area.at((0.0, 1.0)), (100, 130));
        assert_eq!(area.at((0.25, 0.5)), (150, 90));
    }
}
