//! `sync-server account`: accounts from the command line of the centre's own machine, while the server runs or not.
//!
//! Whoever may run it on the data folder is believed. A password is read from standard input or generated and printed
//! once; it is never an argument, which `ps` would show.
use std::io::Read as _;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use operator::exit::Exit;
use operator::output::{print, print_json};
use rand_core::Rng as _;
use serde_json::{Value, json};

use crate::auth::hashing::{Argon2id, Hash as _, SALT_BYTES};
use crate::auth::names::SignInName;
use crate::auth::password::Password;
use crate::auth::role::{Role, Roles};
use crate::config::Config;
use crate::services::accounts::{self, Account, Filter, Outcome};
use crate::services::profile::{Mistake, Profile};
use crate::startup::{now_ms, random};
use crate::store::{Driver, Tx, in_transaction};

/// Who the audit rows say it was.
const ACTOR: &str = "operator";
/// Bytes of standard input that are read for a password.
const MAX_INPUT_BYTES: u64 = 4 * 1024;
/// Pages of accounts that a list has, at most.
const MAX_PAGES: usize = 2_000;

/// Accounts of the people who work at the centre.
#[derive(Debug, Subcommand)]
pub enum AccountJob {
    /// Make an account; its password must be changed at the first sign-in.
    #[command(after_help = "Without --password-stdin a password is generated and printed once.

Examples:
  sync-server account add admin --role admin
  sync-server account add zhang.san --role clerk --role inspector
  sync-server account add li.si --role reviewer --password-stdin")]
    Add(Add),
    /// List accounts: id, sign-in name, roles, state.
    #[command(after_help = "Examples:
  sync-server account list
  sync-server account list --json")]
    List(AsJson),
    /// Lock an account: its sessions end at once, and nobody signs in with it.
    #[command(after_help = "Examples:
  sync-server account lock zhang.san")]
    Lock(Named),
    /// Unlock an account.
    #[command(after_help = "Examples:
  sync-server account unlock zhang.san")]
    Unlock(Named),
    /// Give an account another password, which must be changed at the next sign-in; its sessions end.
    #[command(after_help = "Without --password-stdin a password is generated and printed once.

Examples:
  sync-server account reset zhang.san
  sync-server account reset zhang.san --password-stdin")]
    Reset(Reset),
    /// Give an account other roles; its sessions end.
    #[command(after_help = "Examples:
  sync-server account roles zhang.san --role clerk --role reviewer")]
    Roles(NewRoles),
}

/// Whether the answer is for programs.
#[derive(Debug, Clone, Copy, Args)]
pub struct AsJson {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Which account.
#[derive(Debug, Args)]
pub struct Named {
    /// Sign-in name.
    name: SignInName,
    #[command(flatten)]
    answer: AsJson,
}

/// Where a password comes from.
#[derive(Debug, Clone, Copy, Args)]
pub struct PasswordFrom {
    /// Read the password from standard input, one line, instead of generating one.
    #[arg(long)]
    password_stdin: bool,
}

/// A new account.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    named: Named,
    /// A role: clerk, reviewer, inspector, editor, checker, operator, admin; may be given several times.
    #[arg(long = "role", required = true)]
    roles: Vec<Role>,
    /// The name by which other people know the owner; without it the sign-in name.
    #[arg(long)]
    display: Option<String>,
    /// The unit that the owner works for.
    #[arg(long, default_value = "")]
    unit: String,
    #[command(flatten)]
    from: PasswordFrom,
}

/// Another password.
#[derive(Debug, Args)]
pub struct Reset {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    from: PasswordFrom,
}

/// Other roles.
#[derive(Debug, Args)]
pub struct NewRoles {
    #[command(flatten)]
    named: Named,
    /// A role that the account shall have; may be given several times.
    #[arg(long = "role", required = true)]
    roles: Vec<Role>,
}

/// Does the job and answers on standard output.
///
/// # Errors
/// What cannot be done, with its reason; nothing is changed then.
pub fn run(job: &AccountJob, config: &Config) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().open_existing()?;
    let store = store.as_mut();
    match job {
        AccountJob::Add(args) => add(store, args),
        AccountJob::List(answer) => list(store, *answer),
        AccountJob::Lock(args) => lock(store, args, true),
        AccountJob::Unlock(args) => lock(store, args, false),
        AccountJob::Reset(args) => reset(store, args),
        AccountJob::Roles(args) => roles(store, args),
    }
}

fn add(store: &mut dyn Driver, args: &Add) -> anyhow::Result<Exit> {
    let name = &args.named.name;
    let display = args.display.as_deref().unwrap_or(name.as_str());
    let profile = Profile::read(display, &args.unit, Roles::of(&args.roles));
    let profile = profile.map_err(|mistakes| anyhow::anyhow!(all(&mistakes)))?;
    let (password, hash) = password(args.from, name)?;
    let account = write(store, |tx| accounts::add(tx, now_ms(), ACTOR, (name, &profile), &hash))?;
    answer(args.named.answer, &account, password.as_ref())
}

fn list(store: &mut dyn Driver, form: AsJson) -> anyhow::Result<Exit> {
    let mut filter = Filter::default();
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let (page, next) = in_transaction(store, |tx| accounts::list(tx, &filter))?;
        found.extend(page);
        let Some(after) = next else { break };
        filter.after = after;
    }
    if form.json {
        print_json(&found.iter().map(|account| told(account, None)).collect::<Vec<_>>())
    } else {
        print(&found.iter().map(line).collect::<String>())
    }
    .context("standard output")?;
    Ok(Exit::Ok)
}

fn lock(store: &mut dyn Driver, args: &Named, locked: bool) -> anyhow::Result<Exit> {
    let account = write(store, |tx| match accounts::by_name(tx, &args.name)? {
        Some(account) => accounts::set_locked(tx, now_ms(), ACTOR, &account.id, locked),
        None => Ok(Err(Mistake::Unknown)),
    })?;
    answer(args.answer, &account, None)
}

fn reset(store: &mut dyn Driver, args: &Reset) -> anyhow::Result<Exit> {
    let name = &args.named.name;
    let (password, hash) = password(args.from, name)?;
    let account = write(store, |tx| {
        let Some(account) = accounts::by_name(tx, name)? else { return Ok(Err(Mistake::Unknown)) };
        let set = accounts::set_password(tx, now_ms(), ACTOR, &account.id, (&hash, true))?;
        Ok(set.map(|()| Account { must_change: true, ..account }))
    })?;
    answer(args.named.answer, &account, password.as_ref())
}

fn roles(store: &mut dyn Driver, args: &NewRoles) -> anyhow::Result<Exit> {
    let account = write(store, |tx| {
        let Some(account) = accounts::by_name(tx, &args.named.name)? else {
            return Ok(Err(Mistake::Unknown));
        };
        let unit = account.unit.as_ref().map_or("", |unit| unit.as_str());
        match Profile::read(&account.display, unit, Roles::of(&args.roles)) {
            Ok(profile) => accounts::change(tx, now_ms(), ACTOR, (&account.id, account.version), &profile),
            Err(mistakes) => Ok(Err(mistakes.first().copied().unwrap_or(Mistake::NoRole))),
        }
    })?;
    answer(args.named.answer, &account, None)
}

/// Writes in one transaction; what cannot be done is an error.
fn write<T>(store: &mut dyn Driver, work: impl FnOnce(&mut Tx<'_>) -> Outcome<T>) -> anyhow::Result<T> {
    let done = in_transaction(store, work).context("the store could not be written")?;
    done.map_err(|mistake| anyhow::anyhow!("nothing was changed: {mistake}"))
}

/// A password and its hash; the password only if it was generated and must be printed.
fn password(from: PasswordFrom, name: &SignInName) -> anyhow::Result<(Option<Password>, String)> {
    let mut rng = random()?;
    let password = if from.password_stdin { typed()? } else { Password::generate(&mut rng) };
    password.judge(name).map_err(|mistake| anyhow::anyhow!("nothing was changed: {mistake}"))?;
    let mut salt = [0; SALT_BYTES];
    rng.fill_bytes(&mut salt);
    let hash = Argon2id.make(&password, &salt)?;
    Ok(((!from.password_stdin).then_some(password), hash))
}

fn typed() -> anyhow::Result<Password> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let input = std::io::stdin().lock();
    input.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes).context("standard input cannot be read")?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        bail!("nothing was changed: standard input is longer than a password");
    }
    let text =
        std::str::from_utf8(&bytes).context("nothing was changed: standard input is no text in UTF-8")?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    Ok(Password::typed(line.strip_suffix('\r').unwrap_or(line)))
}

fn answer(form: AsJson, account: &Account, generated: Option<&Password>) -> anyhow::Result<Exit> {
    if form.json {
        print_json(&told(account, generated))
    } else {
        let password = generated.map(|p| format!("{}\n", p.reveal())).unwrap_or_default();
        print(&(line(account) + &password))
    }
    .context("standard output")?;
    Ok(Exit::Ok)
}

fn told(account: &Account, generated: Option<&Password>) -> Value {
    let mut told = json!({
        "id": account.id.as_str(),
        "name": account.name.as_str(),
        "display": account.display,
        "unit": account.unit,
        "roles": account.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
        "locked": account.locked,
        "must_change_password": account.must_change,
        "signed_in_at_ms": account.signed_in_at_ms,
    });
    if let Some(password) = generated {
        told["password"] = password.reveal().into();
    }
    told
}

fn line(account: &Account) -> String {
    let roles = account.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(",");
    let state = match (account.locked, account.must_change) {
        (true, _) => "locked",
        (false, true) => "first password",
        (false, false) => "active",
    };
    format!("{}  {}  {roles}  {state}\n", account.id, account.name.as_str())
}

fn all(mistakes: &[Mistake]) -> String {
    let said: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    format!("nothing was changed: {}", said.join("; "))
}
