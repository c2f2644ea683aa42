//! Command line of the terminal program. Data goes to standard output, the log to standard error.
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use domain::enrolment::take_apart;
use operator::exit::{self as codes, Exit};
use operator::manual::{self, Shell};
use operator::output::{print, print_json};
use operator::private;
use operator::settings::{ConfigJob, Environment, Flags, Resolution, run_config_job};
use serde_json::json;

use crate::certificate_command::VerifyCertificate;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::queue_command::QueueJob;
use crate::store::{
    Fullness, KEY_REMEDY, KeyTrouble, Store, StoreError, count_aside, read_audit_heads, read_key_trouble,
    read_status, used_percent,
};
use crate::sync::EnrolError;
use crate::sync::catalogue_client::root_keys;
use crate::sync::http::HttpTransport;
use crate::sync::tls::Trust;
use crate::{certificate_command, doctor, dumps, exit, print_test, queue_command, supervisor, sync};

/// Rows that `status` shows at most.
const STATUS_ROWS: u32 = 1_000;

/// 近办终端: government services near home.
#[derive(Debug, Parser)]
#[command(name = "terminal", version, after_help = format!("{}

Examples:
  terminal enrol --server https://192.168.8.1:8470 --code EFTF-MWHF-G75T.7KQ2-0C9D-XM4R-1T5W-8B3N
  terminal run --server https://192.168.8.1:8470 --window 1920x1080
  terminal doctor
  terminal config show", codes::HELP))]
pub struct Cli {
    #[command(subcommand)]
    job: Option<Job>,
    #[command(flatten)]
    flags: Flags<Config>,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Show the window and keep it running (the default).
    #[command(after_help = "Examples:
  terminal run
  terminal run --config /etc/jinban/terminal.toml
  terminal run --window 1920x1080 --reader file:card.toml")]
    Run,
    /// The window process itself; started by `run`.
    #[command(hide = true)]
    Window,
    /// Make this machine a known terminal with a one-time code.
    #[command(
        after_help = "What stands after the dot is the fingerprint of the centre: nothing is sent to anybody else. Type or scan all
of it; spaces, hyphens, the dot and small letters do not matter.

Where the device key is lost for good, this machine becomes another terminal of the centre: once the centre has answered,
the old store is put aside whole (broken-TIME in the data folder), with what was not sent yet, and a new series begins.
If the key is found, put it back instead: everything goes on then.

Exit code 69 if the server cannot be asked: try again; the code stays good for 24 hours.

Examples:
  terminal enrol --code EFTF-MWHF-G75T.7KQ2-0C9D-XM4R-1T5W-8B3N
  terminal enrol --server https://192.168.8.1:8470 --code EFTF-MWHF-G75T.7KQ2-0C9D-XM4R-1T5W-8B3N --json"
    )]
    Enrol {
        /// The one-time code with the centre's fingerprint, from `sync-server enrol-code` or the console.
        #[arg(long)]
        code: String,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Trust a root that signs catalogues, as central IT handed it over; only if none is trusted yet.
    #[command(
        after_help = "Compare the printed ids with the record of the key ceremony. A terminal that trusts a root keeps it: newer
ones come signed by it.

Examples:
  terminal trust-root 1.root.json"
    )]
    TrustRoot {
        /// The file `1.root.json`.
        file: PathBuf,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// What waits on this machine; no personal data. Works beside a running terminal.
    #[command(after_help = "Examples:
  terminal status
  terminal status --json --data /var/lib/jinban/terminal")]
    Status {
        /// As JSON, with slips and receipts.
        #[arg(long)]
        json: bool,
    },
    /// What is not safe at the centre yet, row by row, and how it is sent again.
    #[command(
        subcommand,
        after_help = "Examples:
  terminal queue list
  terminal queue release XN26112400100013"
    )]
    Queue(QueueJob),
    /// Check clock, disk, store, keys, queue, catalogue, reader, printers, fonts and server, each with what to do.
    #[command(
        after_help = "Exit code 0 if all is well, 3 if somebody should look, 1 if the terminal does not work.

Examples:
  terminal doctor
  terminal doctor --json --reader none"
    )]
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a test page on each printer of the settings, and say how each took it.
    #[command(after_help = "Exit code 0 if every printer printed, 1 if one did not or none is named.

Examples:
  terminal print-test
  terminal print-test --receipt-printer tcp:192.168.1.50:9100 --page-printer none --json")]
    PrintTest {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say whether a certificate is genuine and in force; without a network, by the centre's keys that this terminal has.
    #[command(
        after_help = "The day is that of this machine's clock. A list is good for 14 days; a newer one comes from the centre's pages at
/certificates/revoked. What is revoked stays so, however old the list.

Exit code 0 if it is genuine, in force and on no list that is in force; 1 if it is not genuine, revoked, expired or not
good yet; 3 if it is genuine and in time, and the list is missing, too old or not genuine.

Examples:
  terminal verify-certificate ZZ2611240010001010.json --list revoked.json
  terminal verify-certificate ZZ2611240010001010.json --list revoked.json --json"
    )]
    VerifyCertificate(VerifyCertificate),
    /// Check the settings, or show where each of them comes from.
    #[command(
        subcommand,
        after_help = "Examples:
  terminal config check
  terminal config show --json"
    )]
    Config(ConfigJob),
    /// Completions for a shell, to standard output.
    #[command(after_help = "Examples:
  terminal completions bash > /usr/share/bash-completion/completions/terminal
  terminal completions fish > ~/.config/fish/completions/terminal.fish")]
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Write manual pages into a folder.
    #[command(after_help = "Examples:
  terminal man /usr/local/share/man/man1")]
    Man {
        /// The folder; it is made if it is not there.
        folder: PathBuf,
    },
}

impl Cli {
    /// What flags and these variables come to, with the settings file that they name.
    pub fn resolve(&self, environment: &Environment) -> Resolution<Config> {
        self.flags.resolve(environment)
    }
}

/// Does what the command line says and gives the exit code; an error is logged with its causes.
pub fn run(cli: Cli) -> Exit {
    let resolution = cli.resolve(&Environment::of_process());
    operator::log::start(&resolution.log);
    perform(cli.job.unwrap_or(Job::Run), resolution).unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        exit::of(&error)
    })
}

fn perform(job: Job, resolution: Resolution<Config>) -> anyhow::Result<Exit> {
    let job = match job {
        Job::Config(job) => return Ok(run_config_job(&job, &resolution)?),
        Job::Completions { shell } => {
            print(&manual::completions(manual::command::<Cli>(), shell)).context("standard output")?;
            return Ok(Exit::Ok);
        }
        Job::Man { folder } => return write_manual(&folder),
        job => job,
    };
    for note in &resolution.notes {
        tracing::warn!("{note}");
    }
    let config = resolution.into_settings()?;
    // What is made from here on is made in the data folder.
    private::from_now_on();
    match job {
        Job::Window => {
            dumps::keep_out()?;
            supervisor::end_with_parent()?;
            crate::app::run_window(&config)?;
            Ok(Exit::Ok)
        }
        Job::Enrol { code, json } => enrol(&config, &code, json),
        Job::TrustRoot { file, json } => trust_root(&config, &file, json),
        Job::Queue(job) => queue_command::run(&job, &config),
        Job::Status { json } => status(&config, json),
        Job::Doctor { json } => doctor::run(&config, json),
        Job::PrintTest { json } => print_test::run(&config, json),
        Job::VerifyCertificate(args) => certificate_command::run(&args, &config),
        Job::Run | Job::Config(_) | Job::Completions { .. } | Job::Man { .. } => supervisor::run(&config),
    }
}

fn write_manual(folder: &std::path::Path) -> anyhow::Result<Exit> {
    let pages = manual::write_pages(manual::command::<Cli>(), folder)
        .with_context(|| format!("manual pages in {}", folder.display()))?;
    let list: String = pages.iter().map(|page| format!("{}\n", page.display())).collect();
    print(&list).context("standard output")?;
    Ok(Exit::Ok)
}

fn enrol(config: &Config, code: &str, as_json: bool) -> anyhow::Result<Exit> {
    let (plain, centre) = take_apart(code).ok_or(EnrolError::Code)?;
    // The centre is trusted by the fingerprint that comes with the code. On this machine, over plain HTTP, there is
    // nobody to trust and no certificate to ask for.
    let (code, trust) = match centre {
        Some(_) if !config.server.starts_with("https://") => return Err(EnrolError::Unproven.into()),
        Some(centre) => (code, Trust::Centre(centre)),
        None => (plain.as_str(), Trust::Nobody),
    };
    let now_ms = SystemClock.now_ms();
    let (mut store, lost) = match Store::open_or_put_aside(&config.data, now_ms) {
        Err(StoreError::Key(trouble)) => (Store::open_beside(&config.data, now_ms)?, Some(trouble)),
        store => (store?, None),
    };
    if let Some(trouble) = lost {
        tracing::warn!(
            reason = %trouble,
            "the device key is lost: once the centre has answered, the old store is put aside whole and this machine \
             becomes another terminal"
        );
    }
    let mut transport = HttpTransport::new(&config.server, &trust).context("the server's address")?;
    let identity = match store.identity()? {
        // A try before was answered by the centre, and cut off then.
        Some(answered) if lost.is_some() => answered,
        _ => sync::enrol(&mut store, &mut transport, code)?,
    };
    let aside = match lost {
        Some(_) => Some(store.take_place(&config.data, now_ms)?),
        None => None,
    };
    if as_json {
        print_json(&json!({ "terminal": identity.terminal, "station": identity.station, "aside": aside }))
    } else {
        let old = aside.map(|place| {
            format!("the old store lies in {}: keep it, what was not sent yet is in it\n", place.display())
        });
        let old = old.unwrap_or_default();
        print(&format!("terminal {} at station {}\n{old}", identity.terminal, identity.station))
    }
    .context("standard output")?;
    Ok(Exit::Ok)
}

fn trust_root(config: &Config, file: &std::path::Path, as_json: bool) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let keys = root_keys(&text).with_context(|| format!("{} is no root", file.display()))?;
    let mut store = Store::open(&config.data, SystemClock.now_ms())?;
    let began = store.begin_catalogue_trust(&text)?;
    anyhow::ensure!(began, "a root is trusted already: it is kept, and newer ones come signed by it");
    if as_json {
        print_json(&json!({ "root_keys": keys }))
    } else {
        print(&format!("trusted; compare the ids of the root keys:\n{}\n", keys.join("\n")))
    }
    .context("standard output")?;
    Ok(Exit::Ok)
}

fn status(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let rows = read_status(&config.data, STATUS_ROWS)
        .with_context(|| format!("the store in {}", config.data.display()))?;
    let lost = read_key_trouble(&config.data)?;
    let exit = if lost.is_some() { Exit::Failure } else { Exit::Ok };
    if as_json {
        let count = |state: &str| rows.iter().filter(|r| r.state == state).count();
        let summary = json!({
            "waiting": count("queued"), "delivered": count("delivered"),
            "quarantined": count("quarantined"), "conflict": count("conflict"),
            "oldest_waiting_ms": rows.iter().filter(|r| r.state == "queued").map(|r| r.saved_ms).min(),
            "disk_percent": used_percent(&config.data),
            "stores_aside": count_aside(&config.data),
            "key_trouble": lost.as_ref().map(KeyTrouble::to_string),
            "rows": rows,
            "audit_heads": read_audit_heads(&config.data)?,
        });
        print_json(&summary).context("standard output")?;
        return Ok(exit);
    }
    let mut text = format!("{} submissions on this machine\n", rows.len());
    if let Some(trouble) = lost {
        text.push_str(&format!("FAIL {trouble}: {KEY_REMEDY}\n"));
    }
    if let Some(percent) = used_percent(&config.data).filter(|p| Fullness::of(*p) != Fullness::Roomy) {
        text.push_str(&format!("LOOK the disk is {percent} % taken; from 95 on only text is taken\n"));
    }
    if count_aside(&config.data) > 0 {
        text.push_str(
            "LOOK an old store lies aside: keep it and call central IT, what was not sent is in it\n",
        );
    }
    for row in &rows {
        let number = row.number.as_deref().unwrap_or("-");
        let why = row.reason.as_deref().or(row.last_error.as_deref()).unwrap_or("");
        let pages = match row.pages {
            0 => String::new(),
            n => format!("  pages {}/{n} {}", row.pages_sent, row.page_error.as_deref().unwrap_or("")),
        };
        text.push_str(&format!(
            "{number}  seq {}  {}  tries {}  {why}{pages}\n",
            row.seq, row.state, row.attempts
        ));
    }
    print(&text).context("standard output")?;
    Ok(exit)
}
