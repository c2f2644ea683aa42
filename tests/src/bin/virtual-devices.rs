//! The virtual devices of a terminal, started together.
//!
//! `virtual-devices serve --folder DIR [--panel PORT]` puts them up with a page of buttons and stays until its standard
//! input ends or somebody ends it (SIGINT, SIGTERM, SIGHUP); then all that it started ends before it does.
//! `virtual-devices soak [--hours N] [--json]` plays hours of use with a real terminal and says what came of it.
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use operator::settings::Setting as _;
use serde_json::json;
use terminal::config::{
    CameraChoice, Config, PagePrinterChoice, ReaderChoice, ReceiptPrinterChoice, ScannerChoice,
};
use tests::binaries::repository;
use tests::devices::panel::Panel;
use tests::devices::{Desk, soak};
use tests::server::Server;
use tests::visit;
use tokio::signal::unix::{Signal, SignalKind, signal};

// As the terminal has it: what it frees is wiped, and memory is measured.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Put up the devices and a page of buttons.
    Serve {
        /// Where settings for a terminal are written, and what the devices need.
        #[arg(long)]
        folder: PathBuf,
        /// Port of the page on this machine; 0 takes a free one.
        #[arg(long, default_value_t = 0)]
        panel: u16,
    },
    /// Play hours of use.
    Soak {
        /// How many hours.
        #[arg(long, default_value_t = 8)]
        hours: u32,
        /// Give the figures as JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().job {
        Job::Serve { folder, panel } => serve(&folder, panel),
        Job::Soak { hours, json } => run_soak(hours, json),
    }
}

fn cards() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(repository().join("assets/cards"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn serve(folder: &std::path::Path, port: u16) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // From here on nobody ends this between two devices.
    let ends = runtime.block_on(async { Ends::listen() })?;
    let place = soak::short_folder()?;
    let desk = Desk::start(place.path())?;
    desk.write_readers()?;
    std::fs::create_dir_all(folder)?;
    let settings = folder.join("terminal.toml");
    std::fs::write(&settings, desk.settings())?;
    let service = desk.card_service();
    let programs = desk.scanimage().parent().map(std::path::Path::to_owned);
    let panel = Panel::new(desk, &cards()?);
    let about = folder.join("devices.json");
    let served = runtime.block_on(async {
        let ready = |address: std::net::SocketAddr| {
            let text = json!({
                "panel": format!("http://{address}/"), "settings": settings, "pcsclite": service,
                "programs": programs,
            });
            // Read by `cargo xtask panel`; without it the line below says the same.
            let _ = std::fs::write(&about, text.to_string());
            let _ = writeln!(std::io::stdout(), "{text}");
        };
        tokio::select! {
            served = panel.serve(port, ready) => served,
            () = ends.wait() => Ok(()),
        }
    });
    let _ = std::fs::remove_file(about);
    // The page's tasks hold the desk: with them it goes, and every device with it, the printer before its bus.
    drop(runtime);
    drop(place);
    served
}

/// What ends the devices.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Ends {
    /// Listens from now on.
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Until somebody ends this, or whoever started this is gone.
    async fn wait(mut self) {
        let (told, end) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drop(told);
        });
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = end => {}
        }
    }
}

fn run_soak(hours: u32, as_json: bool) -> Result<()> {
    let place = soak::short_folder()?;
    let mut desk = Desk::start(place.path())?;
    // Before the first call of this process to the service, and before there are threads that could read it.
    tests::pcscd::use_service(&desk.card_service());
    let server = Server::start()?;
    let data = tempfile::tempdir()?;
    visit::enrol(&server, data.path())?;
    let config = Config {
        reader: ReaderChoice::Pcsc,
        receipt_printer: ReceiptPrinterChoice::read(&desk.receipt().place()).context("the roll's place")?,
        page_printer: PagePrinterChoice::read(&desk.page_place()?).context("the page printer's place")?,
        scanner: ScannerChoice::Sane("test:0".to_owned()),
        camera: CameraChoice::File(desk.camera()),
        ..visit::config(data.path(), &server.terminals)
    };
    let say = |hour| {
        let _ = writeln!(std::io::stderr(), "hour {hour} of {hours}");
    };
    let soaked = soak::soak(&mut desk, &config, hours, say)?;
    let text = serde_json::to_string(&soaked)?;
    if as_json {
        writeln!(std::io::stdout(), "{text}")?;
    } else {
        writeln!(
            std::io::stdout(),
            "{} hours in {} s: {} visits, {} slips, {} on paper ({} on A4), {} pages taken, {} troubles; \
             memory {} -> {} KiB, threads {} -> {}",
            soaked.hours,
            soaked.secs,
            soaked.visits,
            soaked.slips,
            soaked.printed,
            soaked.on_a4,
            soaked.pages,
            soaked.troubles,
            soaked.warm_kib,
            soaked.end_kib,
            soaked.threads.0,
            soaked.threads.1
        )?;
    }
    soaked.judge()
}
