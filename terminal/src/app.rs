//! The window.
use crate::config::Config;

/// Opens the window.
///
/// # Errors
/// Always, until the window is built.
pub fn run_window(_config: &Config) -> anyhow::Result<()> {
    anyhow::bail!("no window yet")
}
