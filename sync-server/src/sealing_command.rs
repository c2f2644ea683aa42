//! `sync-server sealing-keys`: the keys to which terminals seal, from the command line of the centre's own machine.
//!
//! A running server hears of everything through the store and the key folder: no restart is needed.
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use domain::envelope::Suite;
use domain::ids::KeyId;
use operator::exit::Exit;
use serde_json::{Value, json};

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::keys::Keys;
use crate::sealing_ring::{destroy_file, path_of};
use crate::services::sealing_keys::{self, KeyState, KeyStepError, KnownKey};
use crate::startup::{now_ms, random};
use crate::store::{Driver, in_transaction};

/// Who the audit rows say it was.
const ACTOR: &str = "operator";

/// What can be done with sealing keys.
#[derive(Debug, Subcommand)]
pub enum SealingJob {
    /// List the keys: id, suite, state, since when, whether the private half is there.
    #[command(after_help = "Examples:
  sync-server sealing-keys list
  sync-server sealing-keys list --json")]
    List(AsJson),
    /// Make a key and keep it ready. Nothing is sealed to it before it is put into force.
    #[command(
        after_help = "Suite 1 is HPKE with X25519 and ChaCha20-Poly1305, suite 2 SM2 with SM4-GCM and SM3.
Afterwards back the key folder up.

Examples:
  sync-server sealing-keys make --suite 2
  sync-server sealing-keys make --suite 1 --json"
    )]
    Make(Make),
    /// Put a key into force that was made; the one before of its suite is retired and opens on.
    #[command(
        after_help = "Terminals hear of it with their next heartbeat. What they sealed before opens as ever.

Examples:
  sync-server sealing-keys use 5f70bf18a0860070"
    )]
    Use(Named),
    /// Choose the suite in which forms are sealed that are begun from now on.
    #[command(after_help = "Examples:
  sync-server sealing-keys suite 2")]
    Suite(ChosenSuite),
    /// Destroy a retired key: what was sealed to it and is not opened yet will never be. Not before 90 days.
    #[command(
        after_help = "Remove it from the key backups too. A running server forgets it within ten minutes.

Examples:
  sync-server sealing-keys destroy 5f70bf18a0860070"
    )]
    Destroy(Destroy),
}

/// Whether the answer is for programs.
#[derive(Debug, Clone, Copy, Args)]
pub struct AsJson {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// A new key.
#[derive(Debug, Clone, Copy, Args)]
pub struct Make {
    /// Its suite: 1 or 2.
    #[arg(long, value_parser = read_suite)]
    suite: Suite,
    #[command(flatten)]
    answer: AsJson,
}

/// Which key.
#[derive(Debug, Clone, Args)]
pub struct Named {
    /// Its id.
    id: KeyId,
    #[command(flatten)]
    answer: AsJson,
}

/// A suite.
#[derive(Debug, Clone, Copy, Args)]
pub struct ChosenSuite {
    /// 1 or 2.
    #[arg(value_parser = read_suite)]
    suite: Suite,
    #[command(flatten)]
    answer: AsJson,
}

/// Which key goes.
#[derive(Debug, Clone, Args)]
pub struct Destroy {
    #[command(flatten)]
    named: Named,
    /// Also before its 90 days: terminals that were away lose what they still hold under it.
    #[arg(long)]
    early: bool,
}

fn read_suite(text: &str) -> Result<Suite, String> {
    let unknown = || "expected 1 or 2".to_owned();
    text.parse::<u8>().map_err(|_| unknown())?.try_into().map_err(|_| unknown())
}

/// Does the job and answers on standard output.
///
/// # Errors
/// What cannot be done, with its reason.
pub fn run(job: &SealingJob, config: &Config) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    let mut store = data.open_existing()?;
    let (store, folder) = (store.as_mut(), data.keys_path());
    match job {
        SealingJob::List(answer) => list(store, &folder, *answer),
        SealingJob::Make(args) => make(store, &folder, *args),
        SealingJob::Use(named) => {
            in_force(store, &folder, &named.id)?;
            list(store, &folder, named.answer)
        }
        SealingJob::Suite(chosen) => {
            in_transaction(store, |tx| sealing_keys::choose_suite(tx, now_ms(), ACTOR, chosen.suite))?;
            list(store, &folder, chosen.answer)
        }
        SealingJob::Destroy(args) => {
            destroy(store, &folder, args)?;
            list(store, &folder, args.named.answer)
        }
    }
}

fn make(store: &mut dyn Driver, folder: &Path, args: Make) -> anyhow::Result<Exit> {
    let keys = Keys::load(folder)?;
    // The file first: a key that the store names and that nobody has would look like a loss.
    let key = keys.sealing.make(args.suite, &mut random()?)?;
    in_transaction(store, |tx| sealing_keys::add(tx, now_ms(), ACTOR, &key))?;
    let (id, file) = (key.public().key_id(), path_of(folder, &key.public().key_id()));
    if args.answer.json {
        return say_json(&json!({ "id": id, "suite": args.suite, "file": file }));
    }
    say(&format!(
        "{id}\nIts private half is {}: back the key folder up, then `sync-server sealing-keys use {id}`\n",
        file.display()
    ))
}

fn in_force(store: &mut dyn Driver, folder: &Path, id: &KeyId) -> anyhow::Result<()> {
    let keys = Keys::load(folder)?;
    let there = keys.sealing.find(id)?;
    there.with_context(|| {
        format!("{} is not there: restore it from the key backup", path_of(folder, id).display())
    })?;
    Ok(in_transaction(store, |tx| sealing_keys::put_in_force(tx, now_ms(), ACTOR, id))?)
}

fn destroy(store: &mut dyn Driver, folder: &Path, args: &Destroy) -> anyhow::Result<()> {
    let (id, first) = (&args.named.id, Keys::load(folder)?.sealing.first().public().key_id());
    in_transaction(store, |tx| {
        sealing_keys::destroy(tx, now_ms(), ACTOR, (id, &first, args.early))?;
        Ok::<_, KeyStepError>(())
    })?;
    destroy_file(folder, id)?;
    Ok(())
}

fn list(store: &mut dyn Driver, folder: &Path, answer: AsJson) -> anyhow::Result<Exit> {
    let keys = Keys::load(folder)?;
    let (known, suite) = in_transaction(store, |tx| {
        Ok::<_, KeyStepError>((sealing_keys::all(tx)?, sealing_keys::suite(tx)?))
    })?;
    let rows: Vec<_> = known.iter().map(|key| (key, is_there(&keys, key))).collect();
    if answer.json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(key, there)| {
                json!({
                    "id": key.id, "suite": key.suite, "state": key.state.as_str(), "since_ms": key.since_ms,
                    "private": there,
                })
            })
            .collect();
        return say_json(&json!({ "suite": suite, "keys": rows }));
    }
    let mut text = format!("forms are sealed in suite {}\n", u8::from(suite));
    for (key, there) in rows {
        let since = domain::date::CivilDate::in_china(key.since_ms);
        let missing = if there || key.state == KeyState::Destroyed { "" } else { "  PRIVATE HALF MISSING" };
        let state = key.state.as_str();
        text.push_str(&format!(
            "{}  suite {}  {state:9}  since {since}{missing}\n",
            key.id,
            u8::from(key.suite)
        ));
    }
    say(&text)
}

/// Whether the private half is there and the right one.
fn is_there(keys: &Keys, key: &KnownKey) -> bool {
    keys.sealing.find(&key.id).is_ok_and(|found| found.is_some())
}
