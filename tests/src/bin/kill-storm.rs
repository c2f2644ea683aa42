//! The program of the kill storm: it runs the storm, and is itself the terminals and servers that are killed.
//!
//! Exit codes: 0 clean (or the child did its part), 1 something was broken or went wrong, 2 wrong usage.
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use rustix::process::{Signal, set_parent_process_death_signal};
use tests::storm::points::Plan;
use tests::storm::scarce::{Kind, disk, memory};
use tests::storm::starved::starve;
use tests::storm::terminal::{Life, live};
use tests::storm::{Options, Report, run};

#[derive(Debug, Parser)]
#[command(
    name = "kill-storm",
    about = "Kills servers and terminals while they work, and checks that nothing is lost"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run a storm and check it.
    Storm(StormArguments),
    /// One life of a terminal.
    #[command(hide = true)]
    Terminal(LifeArguments),
    /// One command of the server.
    #[command(hide = true)]
    Server {
        /// What happens at a named point.
        #[arg(long)]
        plan: Option<Plan>,
        /// The server's own command line.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// A store whose memory is taken away, limit by limit from standard input.
    #[command(hide = true)]
    Memory {
        /// `terminal` or `centre`.
        kind: Kind,
        /// Its folder.
        folder: PathBuf,
    },
    /// A store in a process without memory.
    #[command(hide = true)]
    Starve {
        /// `terminal` or `centre`.
        kind: Kind,
        /// Its folder.
        folder: PathBuf,
        /// Where it writes down what happened.
        history: PathBuf,
        /// Bytes that it still gets.
        left: usize,
    },
    /// A store on a small disk that is filled up.
    #[command(hide = true)]
    Disk {
        /// `terminal` or `centre`.
        kind: Kind,
        /// Where the small disk is mounted.
        mount: PathBuf,
        /// How often every number of free pages is tried.
        rounds: u32,
    },
}

#[derive(Debug, Args)]
struct StormArguments {
    /// Kills of servers, and as many of terminals.
    #[arg(long, default_value_t = 1_000)]
    kills: u32,
    /// Servers side by side, each with its own store.
    #[arg(long, default_value_t = 2)]
    stores: u32,
    /// Terminals of each server.
    #[arg(long, default_value_t = 2)]
    terminals: u32,
    /// Makes all choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of an interrupted storm to go on with (or its file storm.json).
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// The longest time.
    #[arg(long, default_value_t = 25)]
    minutes: u64,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct LifeArguments {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    server: String,
    #[arg(long)]
    name: String,
    #[arg(long)]
    history: PathBuf,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    code: Option<String>,
    /// Enrol again, although the terminal is enrolled.
    #[arg(long)]
    again: bool,
    #[arg(long)]
    submissions: u32,
    #[arg(long, default_value_t = 0)]
    pages: u32,
    #[arg(long)]
    visit: bool,
    #[arg(long)]
    patience_ms: u64,
    #[arg(long)]
    must_settle: bool,
    #[arg(long)]
    plan: Option<Plan>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Storm(arguments) => storm(arguments),
        Task::Terminal(arguments) => terminal(arguments).map(|()| ExitCode::SUCCESS),
        Task::Server { plan, command } => server(plan, &command),
        Task::Memory { kind, folder } => memory(kind, &folder).map(|()| ExitCode::SUCCESS),
        Task::Starve { kind, folder, history, left } => {
            starve(kind, &folder, &history, left).map(|()| ExitCode::SUCCESS)
        }
        Task::Disk { kind, mount, rounds } => disk(kind, &mount, rounds).and_then(|report| {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
            Ok(ExitCode::SUCCESS)
        }),
    };
    done.unwrap_or_else(|e| {
        eprintln!("{e:#}");
        ExitCode::FAILURE
    })
}

fn storm(arguments: StormArguments) -> Result<ExitCode> {
    let (folder, kept) = match arguments.resume {
        Some(path) if path.is_file() => (path.parent().context("a folder")?.to_owned(), true),
        Some(path) => (path, true),
        None => (tempfile::Builder::new().prefix("kill-storm-").tempdir()?.keep(), false),
    };
    let options = Options {
        program: std::env::current_exe()?,
        folder: folder.clone(),
        seed: arguments.seed,
        stores: arguments.stores,
        terminals: arguments.terminals,
        kills: arguments.kills,
        most: Duration::from_secs(arguments.minutes * 60),
        show: true,
    };
    eprintln!("seed {}, stores and state in {}", arguments.seed, folder.display());
    let report = run(&options)?;
    let text = if arguments.json { serde_json::to_string_pretty(&report)? } else { words(&report) };
    writeln!(std::io::stdout(), "{text}")?;
    if !report.is_clean() {
        eprintln!("the stores are kept in {}", folder.display());
        return Ok(ExitCode::FAILURE);
    }
    if !kept {
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn words(r: &Report) -> String {
    let verdict = if r.is_clean() { "CLEAN" } else { "NOT CLEAN" };
    let mut text = format!(
        "{verdict}: {} server kills, {} terminal kills at {} points; {} submissions, {} acknowledged, {} \
         envelopes and {} pages at the centres, lost {}, doubled {}, rules broken {}; {:.1} min, seed {}",
        r.server_kills,
        r.terminal_kills,
        r.hits.len(),
        r.submissions,
        r.acknowledged,
        r.stored,
        r.pages,
        r.lost,
        r.doubled,
        r.broken,
        r.minutes,
        r.seed
    );
    if !r.missed.is_empty() {
        text.push_str(&format!("\npoints never hit: {}", r.missed.join(", ")));
    }
    text + "\n" + &r.complaints
}

/// A child ends with the thread that started it.
fn be_a_child(plan: Option<Plan>) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    plan.map_or(Ok(()), Plan::arm)
}

fn terminal(arguments: LifeArguments) -> Result<()> {
    be_a_child(arguments.plan)?;
    live(&Life {
        data: arguments.data,
        server: arguments.server,
        name: arguments.name,
        history: arguments.history,
        seed: arguments.seed,
        code: arguments.code,
        again: arguments.again,
        submissions: arguments.submissions,
        pages: arguments.pages,
        visit: arguments.visit,
        patience: Duration::from_millis(arguments.patience_ms),
        must_settle: arguments.must_settle,
    })
}

fn server(plan: Option<Plan>, command: &[String]) -> Result<ExitCode> {
    be_a_child(plan)?;
    let words = std::iter::once("sync-server").chain(command.iter().map(String::as_str));
    Ok(sync_server::cli::run(sync_server::cli::Cli::try_parse_from(words)?).into())
}
