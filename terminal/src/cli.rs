//! Command line of the terminal program.
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Settings};
use crate::store::{Store, read_status};
use crate::sync::http::HttpTransport;
use crate::{doctor, supervisor, sync};

/// Rows that `status` shows at most.
const STATUS_ROWS: u32 = 1_000;

/// 近办终端: government services near home.
#[derive(Debug, Parser)]
#[command(
    name = "terminal",
    version,
    after_help = "Examples:
  terminal enrol --server http://127.0.0.1:8470 --code ABCD-EFGH
  terminal run --server http://127.0.0.1:8470 --window 1920x1080
  terminal status --json"
)]
pub struct Cli {
    #[command(subcommand)]
    job: Option<Job>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Show the window and keep it running (the default).
    Run,
    /// The window process itself; started by `run`.
    #[command(hide = true)]
    Window,
    /// Make this machine a known terminal with a one-time code.
    Enrol {
        /// The one-time code from `sync-server enrol-code`.
        #[arg(long)]
        code: String,
    },
    /// What waits on this machine; no personal data. Works beside a running terminal.
    Status {
        /// As JSON, with slips and receipts.
        #[arg(long)]
        json: bool,
    },
    /// Check store, catalogue, reader, fonts and server, each with what to do.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Flags {
    /// Settings file (TOML); environment and flags win over it.
    #[arg(long, global = true, env = "JINBAN_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of the store and the device key.
    #[arg(long, global = true, env = "JINBAN_DATA")]
    data: Option<PathBuf>,
    /// Folder of catalogue, texts and icons.
    #[arg(long, global = true, env = "JINBAN_ASSETS")]
    assets: Option<PathBuf>,
    /// The server's terminal listener, such as http://127.0.0.1:8470.
    #[arg(long, global = true, env = "JINBAN_SERVER")]
    server: Option<String>,
    /// pcsc, file:PATH (simulator) or none.
    #[arg(long, global = true, env = "JINBAN_READER")]
    reader: Option<String>,
    /// fullscreen, or a size such as 1920x1080.
    #[arg(long, global = true, env = "JINBAN_WINDOW")]
    window: Option<String>,
}

impl Cli {
    /// The settings that flags, environment and file come to.
    ///
    /// # Errors
    /// If the file or a value is not usable.
    pub fn config(self) -> anyhow::Result<Config> {
        self.flags.resolve()
    }
}

impl Flags {
    fn resolve(self) -> anyhow::Result<Config> {
        let file = self.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
        let flags = Settings {
            data: self.data,
            assets: self.assets,
            server: self.server,
            reader: self.reader,
            window: self.window,
        };
        Ok(flags.over(file).resolve()?)
    }
}

/// Logs to stderr: text at a console, JSON otherwise; level from `RUST_LOG`, `info` without it.
pub fn start_logging() {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.init() } else { builder.json().init() }
}

/// Does what the command line says.
///
/// # Errors
/// Whatever stops it, with its causes.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = cli.flags.resolve()?;
    match cli.job.unwrap_or(Job::Run) {
        Job::Run => supervisor::run(&config),
        Job::Window => {
            supervisor::end_with_parent()?;
            crate::app::run_window(&config)?;
            Ok(ExitCode::SUCCESS)
        }
        Job::Enrol { code } => enrol(&config, &code),
        Job::Status { json } => status(&config, json),
        Job::Doctor { json } => doctor::run(&config, json),
    }
}

fn enrol(config: &Config, code: &str) -> anyhow::Result<ExitCode> {
    let mut store = Store::open(&config.data, SystemClock.now_ms())?;
    let mut transport = HttpTransport::new(&config.server).context("the server's address")?;
    let identity = sync::enrol(&mut store, &mut transport, code)?;
    print(&format!("terminal {} at station {}\n", identity.terminal, identity.station))
}

fn status(config: &Config, as_json: bool) -> anyhow::Result<ExitCode> {
    let rows = read_status(&config.data, STATUS_ROWS)?;
    if as_json {
        let count = |state: &str| rows.iter().filter(|r| r.state == state).count();
        let summary = json!({
            "waiting": count("queued"), "delivered": count("delivered"),
            "quarantined": count("quarantined"), "conflict": count("conflict"),
            "oldest_waiting_ms": rows.iter().filter(|r| r.state == "queued").map(|r| r.saved_ms).min(),
            "rows": rows,
        });
        return print(&(serde_json::to_string_pretty(&summary)? + "\n"));
    }
    let mut text = format!("{} submissions on this machine\n", rows.len());
    for row in &rows {
        let number = row.number.as_deref().unwrap_or("-");
        let why = row.reason.as_deref().or(row.last_error.as_deref()).unwrap_or("");
        text.push_str(&format!("{number}  seq {}  {}  tries {}  {why}\n", row.seq, row.state, row.attempts));
    }
    print(&text)
}

/// Writes to standard output, the one place for data.
pub(crate) fn print(text: &str) -> anyhow::Result<ExitCode> {
    std::io::stdout().write_all(text.as_bytes()).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
