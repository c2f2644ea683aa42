//! The virtual devices: builds the `virtual-devices` program of the tests crate and runs it, and finds its panel.
//!
//! Refuses to know a device: the program does.
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{Interrupt, run_bounded, run_held};
use crate::progress::{self, Steps};
use crate::workspace;

/// A build from nothing on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The longest run of eight hours of use.
const SOAK_LIMIT: Duration = Duration::from_secs(10 * 60);
/// The longest that devices stay up by hand.
const SERVE_LIMIT: Duration = Duration::from_secs(24 * 3_600);

/// What is wanted of the devices.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Play hours of use with a real terminal instead: inserts, jams, restarts.
    #[arg(long)]
    soak: bool,
    /// How many hours are played.
    #[arg(long, default_value_t = 8, requires = "soak", value_parser = clap::value_parser!(u32).range(1..=48))]
    hours: u32,
    /// Port of the panel on this machine.
    #[arg(long, default_value_t = 8495)]
    port: u16,
    /// Give the figures of a soak as JSON on standard output.
    #[arg(long, requires = "soak")]
    json: bool,
}

/// Puts the devices up, or plays.
///
/// # Errors
/// If they do not come up, or the play ends badly.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<()> {
    let mut steps = Steps::new(2);
    let program = steps.run("build", || build(interrupt))?;
    if options.soak {
        let hours = options.hours.to_string();
        let mut command = program;
        command.args(["soak", "--hours", &hours]).args(options.json.then_some("--json"));
        steps.run("hours of use", || run_bounded(command, SOAK_LIMIT, interrupt))?;
        steps.finish("MEMORY FLAT, NO THREAD LEFT");
        return Ok(());
    }
    let folder = folder();
    progress::note(&format!(
        "panel: http://127.0.0.1:{}/ (cargo xtask panel); end with Ctrl-C\n\
         a terminal with these devices, in another shell:\n  \
         PCSCLITE_CSOCK_NAME=$(jq -r .pcsclite {folder}/devices.json) \
         PATH=$(jq -r .programs {folder}/devices.json):$PATH \
         cargo run --bin terminal -- run --config {folder}/terminal.toml --window 1280x800",
        options.port,
        folder = folder.display(),
    ));
    let mut command = program;
    command.arg("serve").arg("--folder").arg(&folder).args(["--panel", &options.port.to_string()]);
    steps.run("devices", || run_held(command, SERVE_LIMIT, interrupt))
}

/// Says where the panel is, and opens it if this machine has a browser to do so.
///
/// # Errors
/// If no devices are up.
pub fn panel() -> Result<()> {
    let about = folder().join("devices.json");
    let text = std::fs::read_to_string(&about)
        .context("no virtual devices are up: start them with `cargo xtask devices`")?;
    let about: serde_json::Value = serde_json::from_str(&text)?;
    let Some(address) = about["panel"].as_str() else { bail!("{text} names no panel") };
    progress::note(address);
    if std::env::var_os("DISPLAY").is_some() {
        // Without a browser the address is all there is.
        let _ = Command::new("xdg-open").arg(address).spawn();
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::target().join("devices")
}

/// The program, built.
fn build(interrupt: &Interrupt) -> Result<Command> {
    // The virtual reader is a library that pcscd loads, and the server a program that the play starts.
    run_bounded(workspace::cargo(&["build", "--quiet", "--workspace"]), BUILD_LIMIT, interrupt)?;
    Ok(Command::new(workspace::built("virtual-devices")))
}
