//! `terminal doctor`: what a technician needs to know, each finding with what to do.
use std::path::Path;
use std::process::ExitCode;

use hardware::card_reader::{CardReader as _, ReaderEvent, ReaderStatus};
use hardware::{PcscConfig, PcscReader};
use serde::Serialize;

use crate::assets::load_catalogue;
use crate::cli::print;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, ReaderChoice};
use crate::store::{DATABASE_FILE, read_status};
use crate::sync::http::HttpTransport;
use crate::sync::transport::{Method, Request, Transport as _};

/// Exit code when the terminal works but something needs attention.
const DEGRADED: u8 = 3;

#[derive(Debug, Serialize)]
struct Finding {
    part: &'static str,
    good: bool,
    found: String,
    remedy: &'static str,
}

/// Runs all checks and prints them; exit code 0 if all are good, 3 otherwise.
///
/// # Errors
/// Only if standard output cannot be written.
pub(crate) fn run(config: &Config, as_json: bool) -> anyhow::Result<ExitCode> {
    let findings = [
        store(&config.data),
        catalogue(&config.assets),
        reader(&config.reader),
        fonts(),
        server(config),
        clock(),
    ];
    let text = if as_json {
        serde_json::to_string_pretty(&findings)? + "\n"
    } else {
        findings.iter().fold(String::new(), |mut text, f| {
            let mark = if f.good { "ok  " } else { "LOOK" };
            text.push_str(&format!("{mark}  {}: {}\n", f.part, f.found));
            if !f.good {
                text.push_str(&format!("      {}\n", f.remedy));
            }
            text
        })
    };
    print(&text)?;
    Ok(if findings.iter().all(|f| f.good) { ExitCode::SUCCESS } else { ExitCode::from(DEGRADED) })
}

fn finding<T: ToString, E: ToString>(
    part: &'static str,
    result: Result<T, E>,
    remedy: &'static str,
) -> Finding {
    let good = result.is_ok();
    let found = result.map_or_else(|e| e.to_string(), |t| t.to_string());
    Finding { part, good, found, remedy }
}

fn store(data: &Path) -> Finding {
    let remedy = "A damaged or newer database is never overwritten. Keep the folder, call central IT, and enrol the \
                  terminal with a new data folder; what was not sent yet can be recovered from the old one.";
    if !data.join(DATABASE_FILE).exists() {
        return finding(
            "store",
            Err::<String, _>("there is none yet"),
            "Run `terminal enrol` with a one-time code.",
        );
    }
    let rows = read_status(data, 1_000).map(|rows| {
        let waiting = rows.iter().filter(|r| r.state == "queued").count();
        format!("sound, {} submissions, {waiting} waiting", rows.len())
    });
    finding("store", rows, remedy)
}

fn catalogue(assets: &Path) -> Finding {
    let loaded = load_catalogue(assets).map(|c| {
        format!(
            "version {}, {} items, {} bundles ({})",
            c.version,
            c.items.len(),
            c.bundles.len(),
            c.data_label
        )
    });
    finding(
        "catalogue",
        loaded,
        "Give the folder with --assets, and mend the file, item and field named here.",
    )
}

fn reader(choice: &ReaderChoice) -> Finding {
    let status = match choice {
        ReaderChoice::None => return finding("reader", Ok::<_, String>("none, as configured"), ""),
        ReaderChoice::File(path) => {
            return finding("reader", Ok::<_, String>(format!("simulator at {}", path.display())), "");
        }
        ReaderChoice::Pcsc => {
            let mut reader = PcscReader::new(PcscConfig::default());
            match reader.wait_event(std::time::Duration::from_secs(2)) {
                ReaderEvent::Status(status) => status,
                ReaderEvent::Nothing => ReaderStatus::Unknown,
            }
        }
    };
    let good = matches!(status, ReaderStatus::Empty | ReaderStatus::Card);
    let found = if good { Ok(format!("{status:?}")) } else { Err(format!("{status:?}")) };
    finding("reader", found, "Start pcscd and plug in the reader; the terminal finds both by itself.")
}

fn fonts() -> Finding {
    let font = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
    let found = if Path::new(font).exists() { Ok(font) } else { Err("Noto Sans CJK is not installed") };
    finding("fonts", found, "Install fonts-noto-cjk and fonts-hanazono.")
}

fn server(config: &Config) -> Finding {
    let request = Request {
        method: Method::Get,
        path_and_query: "/healthz".to_owned(),
        headers: Vec::new(),
        body: None,
    };
    let answer = HttpTransport::new(&config.server).and_then(|mut t| t.exchange(&request));
    let found = answer.map_err(|e| e.to_string()).and_then(|r| {
        if r.status == 200 && r.content_type == "application/json" {
            Ok(format!("{} answers", config.server))
        } else {
            Err(format!("{} answers with status {}", config.server, r.status))
        }
    });
    finding(
        "server",
        found,
        "Submissions are kept and sent later. Check the address, the cable and the centre.",
    )
}

fn clock() -> Finding {
    // Anything before this program was written is a dead clock battery.
    let now_ms = SystemClock.now_ms();
    let found = if now_ms > 1_790_000_000_000 { Ok("plausible") } else { Err("long ago") };
    finding("clock", found, "Set the clock or let it be set from the network.")
}
