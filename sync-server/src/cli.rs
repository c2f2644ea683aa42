//! Commands of `sync-server`. Answers go to standard output, the log to standard error; exit codes as in
//! `operator::exit`.
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use domain::enrolment::typed;
use domain::ids::StationId;
use operator::exit::{self as codes, Exit};
use operator::findings;
use operator::manual::{self, Shell};
use operator::private;
use operator::settings::{ConfigJob, Environment, Flags, Resolution, run_config_job};
use serde_json::json;

use crate::account_command::AccountJob;
use crate::answer::{say, say_json};
use crate::attachments_command::{self, AttachmentsJob};
use crate::backup_command::SafetyJob;
use crate::catalogue_tool::{self, CalendarCommand, Place, ToolCommand};
use crate::config::{Config, with_rules};
use crate::jobs::upkeep::UpkeepPlan;
use crate::keys::Keys;
use crate::move_command::{self, MoveStore};
use crate::publish_cli::{self, CatalogueCommand};
use crate::reconcile_command::{self, Reconcile};
use crate::rules_command::{self, RulesJob};
use crate::sample_data::{self, SampleJob};
use crate::sealing_command::{self, SealingJob};
use crate::services::{enrol, sealing_keys};
use crate::shell::{Budgets, ServeOptions, memory, serve};
use crate::startup;
use crate::store::{SCHEMA_VERSION, in_transaction};
use crate::verify_command::VerifyJob;
use crate::{account_command, backup_command, doctor, exit, verify_command};

/// The sync server of Jinban (近办): takes submissions from terminals, keeps cases, shows them to people.
#[derive(Debug, Parser)]
#[command(name = "sync-server", version, after_help = format!("{}

Examples:
  sync-server serve --data /var/lib/jinban/server
  sync-server enrol-code --station XN-CCB-CD-01
  sync-server doctor
  sync-server config show", codes::HELP))]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: Flags<Config>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve terminals and people until SIGTERM or Ctrl-C.
    #[command(
        after_help = "Exit code 69 if an address or the database cannot be had, 75 if another server works on the folder.

Examples:
  sync-server serve
  sync-server serve --config /etc/jinban/sync-server.toml
  sync-server serve --database postgresql://jinban@127.0.0.1/jinban --metrics off"
    )]
    Serve,
    /// Bring the store to this program's schema and take in the catalogue; the server must not run.
    #[command(after_help = "Exit code 75 if a server works on the folder: stop it first.

Examples:
  sync-server migrate
  sync-server migrate --data /var/lib/jinban/server --json")]
    Migrate(Answer),
    /// Make a one-time code, valid for 24 hours, that enrols a terminal of a station; the server may run.
    ///
    /// What stands after the dot is the fingerprint of this centre, by which the terminal knows it.
    #[command(after_help = "Examples:
  sync-server enrol-code --station XN-CCB-CD-01
  sync-server enrol-code --station XN-CCB-CD-01 --json")]
    EnrolCode(EnrolCode),
    /// Show the fingerprint of the authority that certifies terminals; it comes after the dot of every code.
    #[command(after_help = "Examples:
  sync-server authority
  sync-server authority --pem > authority.pem
  sync-server authority --json --data /var/lib/jinban/server")]
    Authority(ShowAuthority),
    /// Give out accounts to people, lock them, reset passwords; the server may run.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server account add admin --role admin
  sync-server account list"
    )]
    Account(AccountJob),
    /// Bring a store to another database and verify it there; the server must not run.
    #[command(
        after_help = "Afterwards name the new store with `database` in the settings file, or with --database.

Everybody on the machine can read the arguments of a process. An address with a password belongs into the settings
file or the environment: without --from the store is taken that the settings name, without --to that of `move_to`.

Examples:
  sync-server move-store --from sqlite:data/server/server.db --to postgresql://jinban@127.0.0.1/jinban
  sync-server move-store --config /etc/jinban/sync-server.toml
  JINBAN_MOVE_TO=\"$(cat /run/secrets/jinban-database)\" sync-server move-store --data /var/lib/jinban/server"
    )]
    MoveStore(MoveStore),
    #[command(flatten)]
    Safety(SafetyJob),
    /// Compare the payment gateway's file of a day with the payments and refunds that are here; reads only.
    #[command(
        after_help = "Exit code 1 if something does not agree. With --take the payments that are missing here are
taken; what fits no bill then waits at /payments.

Examples:
  sync-server reconcile 2026-11-30.csv --day 2026-11-30
  sync-server reconcile 2026-11-30.csv --day 2026-11-30 --take --json"
    )]
    Reconcile(Reconcile),
    #[command(flatten)]
    Verify(VerifyJob),
    #[command(flatten)]
    Sample(SampleJob),
    /// The keys to which terminals seal: make, put into force, choose the suite, destroy; the server may run.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server sealing-keys list
  sync-server sealing-keys make --suite 2"
    )]
    SealingKeys(SealingJob),
    /// Rule sets of automatic approval: check, replay over recorded cases, publish; the server may run.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server rules check new.json
  sync-server rules replay new.json --by wang
  sync-server rules publish new.json --by wang"
    )]
    Rules(RulesJob),
    /// Pages and photos that cases wait for: list them, or give up what a terminal has lost; the server may run.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server attachments list
  sync-server attachments give-up --number XN26112400100013"
    )]
    Attachments(AttachmentsJob),
    /// Check clock, disk, store, keys, catalogue and chain of audit rows, each with what to do; changes nothing.
    #[command(
        after_help = "Exit code 0 if all is well, 3 if somebody should look, 1 if the server does not work.

Examples:
  sync-server doctor
  sync-server doctor --json --data /var/lib/jinban/server"
    )]
    Doctor(Answer),
    /// Check the settings, or show where each of them comes from.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server config check
  sync-server config show --json"
    )]
    Config(ConfigJob),
    /// Catalogues: checking, comparing and building them, the keys that speak for them, signing, publishing.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server catalogue check assets/catalogue
  sync-server catalogue keys status
  sync-server catalogue publish stick/v2"
    )]
    Catalogue(CatalogueJob),
    /// The calendar of working days: when a time ends.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server calendar due --from 2026-09-30 --days 3"
    )]
    Calendar(CalendarCommand),
    /// Print the description of the API (OpenAPI 3.1, JSON), as the server serves it at `/openapi.json`.
    #[command(after_help = "Examples:
  sync-server openapi > openapi.json")]
    Openapi,
    /// Completions for a shell, to standard output.
    #[command(after_help = "Examples:
  sync-server completions bash > /usr/share/bash-completion/completions/sync-server
  sync-server completions zsh > /usr/local/share/zsh/site-functions/_sync-server")]
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Write manual pages into a folder.
    #[command(after_help = "Examples:
  sync-server man /usr/local/share/man/man1")]
    Man {
        /// The folder; it is made if it is not there.
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum CatalogueJob {
    #[command(flatten)]
    Signed(CatalogueCommand),
    #[command(flatten)]
    Tool(ToolCommand),
}

#[derive(Debug, Clone, Copy, Args)]
struct Answer {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Args)]
struct ShowAuthority {
    /// Its certificate instead, for programs that must trust it (PEM).
    #[arg(long, conflicts_with = "json")]
    pem: bool,
    /// What another region needs in its `partners.json` instead: the public keys of this centre (JSON).
    #[arg(long, conflicts_with_all = ["json", "pem"])]
    partner: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct EnrolCode {
    /// Station as in the catalogue, such as XN-CCB-CD-01.
    #[arg(long)]
    station: StationId,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// What flags and these variables come to, with the settings file that they name.
    pub fn resolve(&self, environment: &Environment) -> Resolution<Config> {
        with_rules(self.flags.resolve(environment))
    }
}

/// Runs a command and gives the exit code of the process; an error is logged with its causes.
pub fn run(cli: Cli) -> Exit {
    let resolution = cli.resolve(&Environment::of_process());
    operator::log::start(&resolution.log);
    perform(cli.command, resolution).unwrap_or_else(|e| {
        tracing::error!(error = format!("{e:#}"), "{e:#}");
        exit::of(&e)
    })
}

fn perform(command: Command, resolution: Resolution<Config>) -> anyhow::Result<Exit> {
    match command {
        Command::Config(job) => return run_config_job(&job, &resolution).context("standard output"),
        Command::Completions { shell } => {
            return say(&manual::completions(manual::command::<Cli>(), shell));
        }
        Command::Man { folder } => return write_manual(&folder),
        Command::Openapi => return say(crate::openapi::document()),
        _ => {}
    }
    for note in &resolution.notes {
        tracing::warn!("{note}");
    }
    let config = resolution.into_settings()?;
    if matches!(
        command,
        Command::Serve
            | Command::Migrate(_)
            | Command::MoveStore(_)
            | Command::Safety(_)
            | Command::SealingKeys(_)
            | Command::Rules(_)
            | Command::Sample(_)
    ) {
        private::from_now_on();
    }
    match command {
        Command::Migrate(answer) => run_migrate(&config, answer),
        Command::EnrolCode(args) => run_enrol_code(&config, &args),
        Command::Authority(show) => run_authority(&config, show),
        Command::Account(job) => account_command::run(&job, &config),
        Command::MoveStore(args) => move_command::run(&args, &config),
        Command::Safety(job) => backup_command::run(&job, &config),
        Command::Sample(job) => sample_data::run(&job, &config),
        Command::Reconcile(args) => reconcile_command::run(&args, &config),
        Command::Verify(job) => verify_command::run(&job, &config),
        Command::Attachments(job) => attachments_command::run(&job, &config),
        Command::SealingKeys(job) => sealing_command::run(&job, &config),
        Command::Rules(job) => rules_command::run(&job, &config),
        Command::Doctor(answer) => run_doctor(&config, answer),
        Command::Catalogue(CatalogueJob::Tool(command)) => {
            let (data, assets) = (&config.data_folder(), config.assets.as_path());
            catalogue_tool::run(&command, Place { data, assets })
        }
        Command::Calendar(command) => {
            let (data, assets) = (&config.data_folder(), config.assets.as_path());
            catalogue_tool::run_calendar(&command, Place { data, assets })
        }
        Command::Catalogue(CatalogueJob::Signed(command)) => {
            match publish_cli::run(&command, &config.data_folder())? {
                publish_cli::Answer::Text(text) => say(&text),
                publish_cli::Answer::Json(value) => say_json(&value),
            }
        }
        Command::Serve
        | Command::Config(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Openapi => run_serve(&config),
    }
}

fn run_serve(config: &Config) -> anyhow::Result<Exit> {
    let options = ServeOptions {
        data: config.data_folder(),
        blobs: config.blob_place().map_err(startup::StartupError::from)?,
        assets: config.assets.clone(),
        mark: config.mark.clone(),
        terminals: config.terminals.0,
        tls_names: config.tls_names(),
        people: config.people.0,
        people_url: config.people_url.as_ref().map(|url| url.to_string()),
        ready_file: config.ready_file.clone(),
        allow_public_people: config.allow_public_people,
        budgets: Budgets::per_minute(config.calls_per_minute.0, config.enrolments_per_minute.0),
        admitted_per_second: config.admitted_per_second.0,
        metrics: config.metrics.0,
        people_proxy: config.people_proxy,
        insist_on_metrics: !config.metrics.is_default(),
        sms: config.sms_account().map_err(anyhow::Error::msg)?,
        upkeep: UpkeepPlan {
            data: config.data_folder(),
            blobs: config.blob_place()?,
            backups: config.backup.clone(),
            every_hours: config.backup_every_hours.0,
            journal: config.erasure_journal(),
        },
    };
    for (listener, address) in config.open_to_all() {
        tracing::warn!(
            "--{listener} {address} is open to every network of this machine: name the address in the network that is \
             meant, or let a firewall keep the others out"
        );
    }
    if config.lacks_names() {
        tracing::warn!("{}", doctor::NO_NAMES);
    }
    memory::share_arenas();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(64)
        .enable_all()
        .build()
        .context("the async runtime")?;
    let served = runtime.block_on(serve(options));
    // A database that hangs must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(5));
    served?;
    Ok(Exit::Ok)
}

fn run_migrate(config: &Config, answer: Answer) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    let _lock = data.lock()?;
    let version = startup::open(&data, &config.assets, startup::now_ms())?.catalogue_version;
    if answer.json {
        return say_json(&json!({ "schema": SCHEMA_VERSION, "catalogue": version }));
    }
    say(&format!("schema {SCHEMA_VERSION}, catalogue {version}\n"))
}

fn run_enrol_code(config: &Config, args: &EnrolCode) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    let mut store = data.open_existing()?;
    let authority = Keys::load_authority(&data.keys_path())?;
    let mut rng = startup::random()?;
    let code =
        in_transaction(store.as_mut(), |tx| enrol::make_code(tx, startup::now_ms(), &args.station, &mut rng))
            .with_context(|| format!("no code for station {}", args.station))?;
    if args.json {
        return say_json(&json!({
            "code": code.code, "fingerprint": authority.fingerprint().to_string(),
            "typed": typed(&code.code, authority.fingerprint()),
            "station": args.station, "expires_at_ms": code.expires_at_ms,
        }));
    }
    say(&format!("{}\n", typed(&code.code, authority.fingerprint())))
}

fn run_authority(config: &Config, show: ShowAuthority) -> anyhow::Result<Exit> {
    if show.partner {
        let data = config.data_folder();
        let mut store = data.open_existing()?;
        let keys = Keys::load(&data.keys_path())?;
        let list = in_transaction(store.as_mut(), |tx| {
            sealing_keys::list_after(tx, startup::now_ms(), 0, &keys.sealing)
        })?;
        // The one in force, as terminals have it.
        let chosen = list.and_then(|list| {
            let suite = list.suite;
            list.keys.into_iter().find(|key| key.suite == suite)
        });
        let sealing_key = chosen.map_or_else(|| keys.sealing.first().public(), |chosen| chosen.key);
        return say_json(&json!({ "signing_key": keys.receipt.public(), "sealing_key": sealing_key }));
    }
    let authority = Keys::load_authority(&config.data_folder().keys_path())?;
    if show.pem {
        return say(&authority.to_pem());
    }
    if show.json {
        return say_json(&json!({ "fingerprint": authority.fingerprint().to_string() }));
    }
    say(&format!("{}\n", authority.fingerprint()))
}

fn run_doctor(config: &Config, answer: Answer) -> anyhow::Result<Exit> {
    let found = doctor::examine(config);
    if answer.json {
        say_json(&found)?
    } else {
        say(&findings::render(&found))?
    };
    Ok(findings::exit(&found))
}

fn write_manual(folder: &Path) -> anyhow::Result<Exit> {
    let pages = manual::write_pages(manual::command::<Cli>(), folder)
        .with_context(|| format!("manual pages in {}", folder.display()))?;
    say(&pages.iter().map(|page| format!("{}\n", page.display())).collect::<String>())
}
