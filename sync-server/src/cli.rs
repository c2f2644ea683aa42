//! Commands of `sync-server`. Answers go to stdout, logs to stderr; exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 degraded (`doctor`).
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use domain::ids::StationId;
use serde_json::json;

use crate::data_folder::DataFolder;
use crate::services::enrol;
use crate::shell::{ServeOptions, serve};
use crate::startup;
use crate::store::{Database, SCHEMA_VERSION, in_transaction};
use crate::{doctor, move_store};

/// The sync server of Jinban (近办): takes submissions from terminals, keeps cases, shows them to people.
#[derive(Debug, Parser)]
#[command(
    name = "sync-server",
    version,
    after_help = "Example:\n  sync-server serve --data ./data/server\n  \
    sync-server enrol-code --station XN-CCB-CD-01"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve terminals and people until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Bring the store to this program's schema and take in the catalogue; the server must not run.
    Migrate(Folders),
    /// Make a one-time code, valid for 24 hours, that enrols a terminal of a station; the server may run.
    EnrolCode(EnrolCode),
    /// Bring a store to another database and verify it there; the server must not run.
    MoveStore(MoveStore),
    /// Check store, keys, catalogue, disk and chain of audit rows; changes nothing.
    Doctor(Doctor),
}

#[derive(Debug, Args)]
struct Folders {
    /// Folder of store and keys.
    #[arg(long, env = "JINBAN_DATA", default_value = "./data/server")]
    data: PathBuf,
    /// Where the store lies: sqlite:PATH or postgresql://USER:PASSWORD@HOST/NAME; by default server.db in the
    /// data folder.
    #[arg(long, env = "JINBAN_DATABASE", hide_env_values = true)]
    database: Option<Database>,
    /// Folder that holds `catalogue/`.
    #[arg(long, env = "JINBAN_ASSETS", default_value = "./assets")]
    assets: PathBuf,
}

impl Folders {
    fn data(&self) -> DataFolder {
        DataFolder::new(self.data.clone(), self.database.clone())
    }
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    folders: Folders,
    /// Address for terminals; port 0 takes a free one.
    #[arg(long, env = "JINBAN_TERMINALS", default_value = "127.0.0.1:8470")]
    terminals: SocketAddr,
    /// Address for people; loopback only, because there is no sign-in yet.
    #[arg(long, env = "JINBAN_PEOPLE", default_value = "127.0.0.1:8480")]
    people: SocketAddr,
    /// Address under which people reach their listener, for QR codes; by default the listener's own.
    #[arg(long, env = "JINBAN_PEOPLE_URL")]
    people_url: Option<String>,
    /// File to be written with both addresses once the server accepts.
    #[arg(long, env = "JINBAN_READY_FILE")]
    ready_file: Option<PathBuf>,
    /// Let people's pages be reached from other machines although there is no sign-in.
    #[arg(long, env = "JINBAN_ALLOW_PUBLIC_PEOPLE")]
    allow_public_people: bool,
}

#[derive(Debug, Args)]
struct EnrolCode {
    /// Station as in the catalogue, such as XN-CCB-CD-01.
    #[arg(long)]
    station: StationId,
    /// Folder of store and keys.
    #[arg(long, env = "JINBAN_DATA", default_value = "./data/server")]
    data: PathBuf,
    /// Where the store lies, if it is not in the data folder.
    #[arg(long, env = "JINBAN_DATABASE", hide_env_values = true)]
    database: Option<Database>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sync-server move-store --data ./data/server --from sqlite:./data/server/server.db \\\n    \
    --to postgresql://jinban@127.0.0.1/jinban\n\nAfterwards name the new store with --database on every command."
)]
struct MoveStore {
    /// Folder of the keys, which stay where they are.
    #[arg(long, env = "JINBAN_DATA", default_value = "./data/server")]
    data: PathBuf,
    /// Where the store lies now.
    #[arg(long)]
    from: Database,
    /// Where it shall lie: an empty database.
    #[arg(long)]
    to: Database,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Doctor {
    #[command(flatten)]
    folders: Folders,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command and gives the exit code of the process.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Serve(args) => run_serve(args).map(|()| 0),
        Command::Migrate(folders) => run_migrate(&folders).map(|()| 0),
        Command::EnrolCode(args) => run_enrol_code(&args).map(|()| 0),
        Command::MoveStore(args) => run_move_store(&args).map(|()| 0),
        Command::Doctor(args) => run_doctor(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            tracing::error!(error = format!("{e:#}"), "{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_serve(args: Serve) -> anyhow::Result<()> {
    let options = ServeOptions {
        data: args.folders.data(),
        assets: args.folders.assets,
        terminals: args.terminals,
        people: args.people,
        people_url: args.people_url,
        ready_file: args.ready_file,
        allow_public_people: args.allow_public_people,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(64)
        .enable_all()
        .build()
        .context("the async runtime")?;
    Ok(runtime.block_on(serve(options))?)
}

fn run_migrate(folders: &Folders) -> anyhow::Result<()> {
    let data = folders.data();
    let _lock = data.lock()?;
    let opened = startup::open(&data, &folders.assets, startup::now_ms())?;
    say(&format!("schema {SCHEMA_VERSION}, catalogue {}", opened.catalogue_version))
}

fn run_enrol_code(args: &EnrolCode) -> anyhow::Result<()> {
    let mut store = DataFolder::new(args.data.clone(), args.database.clone()).open_existing()?;
    let mut rng = startup::random()?;
    let code =
        in_transaction(store.as_mut(), |tx| enrol::make_code(tx, startup::now_ms(), &args.station, &mut rng))
            .with_context(|| format!("no code for station {}", args.station))?;
    if args.json {
        let answer = json!({
            "code": code.code, "station": args.station, "expires_at_ms": code.expires_at_ms,
        });
        return say(&answer.to_string());
    }
    say(&code.code)
}

fn run_move_store(args: &MoveStore) -> anyhow::Result<()> {
    // Held until the end: a server that writes meanwhile would be left behind.
    let _lock = DataFolder::new(args.data.clone(), None).lock()?;
    let moved = move_store::run(&args.from, &args.to, startup::now_ms(), &mut |table, rows| {
        tracing::info!(table, rows, "copied and verified");
    })?;
    if args.json {
        return say(&serde_json::to_string(&moved).context("the outcome as JSON")?);
    }
    say(&format!("{} rows in {} tables are at {} and verified", moved.rows, moved.tables, args.to))?;
    say("Name it with --database (or JINBAN_DATABASE) on every command from now on.")
}

fn run_doctor(args: &Doctor) -> anyhow::Result<u8> {
    let data = args.folders.data();
    let findings = doctor::examine(&data, &args.folders.assets);
    if args.json {
        say(&serde_json::to_string(&findings).context("findings as JSON")?)?;
    } else {
        for f in &findings {
            let advice = if f.advice.is_empty() { String::new() } else { format!("\n      {}", f.advice) };
            say(&format!("{:<5} {:<10} {}{advice}", f.level.as_str(), f.subject, f.said))?;
        }
    }
    Ok(doctor::exit_code(&findings))
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("stdout")
}
