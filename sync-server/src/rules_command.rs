//! `sync-server rules`: rule sets of automatic approval, from the command line of the centre's own machine.
//!
//! Check, replay over recorded cases, publish, list. A running server judges cases that are opened from then on by what
//! is published; no restart is needed. Refuses to publish what nobody replayed against the version in force.
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::catalogue::Catalogue;
use domain::rules::{MAX_RULE_SET_BYTES, Outcome, OutcomeKind, ReplayReport, RuleSet, RuleSide, replay};
use operator::exit::Exit;
use serde_json::json;

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::services::approval::{last_facts, rule_sets};
use crate::services::catalogue::Shelf;
use crate::startup::now_ms;
use crate::store::{Driver, Tx, in_transaction};

/// Cases of a replay, at most.
const MAX_CASES: u64 = 20_000;
/// Cases that are told in words, at most; JSON has all that the report names.
const TOLD: usize = 50;
/// The longest name of whoever does it.
const MAX_NAME: usize = 60;

/// What can be done with rule sets.
#[derive(Debug, Subcommand)]
pub enum RulesJob {
    /// Check a rule set, and whether it fits the newest catalogue; changes nothing, the server may run.
    #[command(after_help = "Exit code 1 if there is a mistake; each is told with its place.

Examples:
  sync-server rules check assets/rules/one.ent-open.json")]
    Check(Named),
    /// Replay a rule set over the last cases that were judged, against the version in force, and report what differs.
    #[command(after_help = "That it was replayed is noted; without that it cannot be published.

Examples:
  sync-server rules replay new.json --by wang
  sync-server rules replay new.json --by wang --last 5000 --json")]
    Replay(Replay),
    /// Publish a rule set: cases that are opened from now on are judged by it; the server may run.
    #[command(
        after_help = "The first version of an item is published without a replay: there is nothing to compare with.

Examples:
  sync-server rules publish new.json --by wang"
    )]
    Publish(Publish),
    /// List the published versions: item, step, version, digest, who and when.
    #[command(after_help = "Examples:
  sync-server rules list
  sync-server rules list --json")]
    List(AsJson),
}

/// Whether the answer is for programs.
#[derive(Debug, Clone, Copy, Args)]
pub struct AsJson {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// A file.
#[derive(Debug, Args)]
pub struct Named {
    /// The rule set.
    file: PathBuf,
    #[command(flatten)]
    answer: AsJson,
}

/// A replay.
#[derive(Debug, Args)]
pub struct Replay {
    /// The rule set.
    file: PathBuf,
    /// Who does it; stands in the audit.
    #[arg(long)]
    by: String,
    /// Over so many of the last cases.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=MAX_CASES))]
    last: u64,
    #[command(flatten)]
    answer: AsJson,
}

/// A publication.
#[derive(Debug, Args)]
pub struct Publish {
    /// The rule set.
    file: PathBuf,
    /// Who does it; stands in the audit.
    #[arg(long)]
    by: String,
    #[command(flatten)]
    answer: AsJson,
}

/// Runs one of the commands.
///
/// # Errors
/// Whatever it runs into; mistakes of a rule set are no error of `check` but its exit code.
pub fn run(job: &RulesJob, config: &Config) -> anyhow::Result<Exit> {
    match job {
        RulesJob::Check(named) => check(config, named),
        RulesJob::Replay(args) => run_replay(config, args),
        RulesJob::Publish(args) => publish(config, args),
        RulesJob::List(answer) => list(config, *answer),
    }
}

/// Reads a rule set, or says what is wrong with it.
fn read(path: &Path) -> anyhow::Result<Result<RuleSet, Vec<String>>> {
    let named = || path.display().to_string();
    let length = std::fs::metadata(path).with_context(named)?.len();
    if length > MAX_RULE_SET_BYTES as u64 {
        return Ok(Err(vec![format!("more than {MAX_RULE_SET_BYTES} bytes")]));
    }
    let text = std::fs::read(path).with_context(named)?;
    Ok(RuleSet::parse(&text).map_err(|errors| errors.iter().map(ToString::to_string).collect()))
}

fn sound(path: &Path) -> anyhow::Result<RuleSet> {
    match read(path)? {
        Ok(set) => Ok(set),
        Err(errors) => bail!("{} has mistakes:\n{}", path.display(), errors.join("\n")),
    }
}

fn newest(store: &mut dyn Driver) -> anyhow::Result<Arc<crate::services::catalogue::Volume>> {
    let volume = reading(store, |tx| Shelf::default().newest(tx))?;
    volume.context("the centre has no catalogue yet: run `sync-server migrate`")
}

fn reading<T>(
    store: &mut dyn Driver,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    store.begin_read()?;
    let read = work(&mut Tx::new(store));
    store.rollback();
    read
}

fn check(config: &Config, named: &Named) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().read_existing()?;
    let catalogue = newest(store.as_mut())?;
    let found = read(&named.file)?;
    let wrong = match &found {
        Ok(set) => rule_sets::misfits(set, &catalogue.catalogue),
        Err(errors) => errors.clone(),
    };
    let set = found.ok().map(|set| set.reference());
    if named.answer.json {
        say_json(&json!({ "set": set, "mistakes": wrong }))?;
    } else if let (true, Some(set)) = (wrong.is_empty(), set) {
        say(&format!("{} {} version {}: no mistakes\n", set.entry, set.step, set.version))?;
    } else {
        say(&wrong.iter().map(|line| format!("{line}\n")).collect::<String>())?;
    }
    Ok(if wrong.is_empty() { Exit::Ok } else { Exit::Failure })
}

fn who(by: &str) -> anyhow::Result<&str> {
    let plain = !by.trim().is_empty() && by.chars().count() <= MAX_NAME && !by.chars().any(char::is_control);
    if plain { Ok(by.trim()) } else { bail!("--by is a name of 1 to {MAX_NAME} characters") }
}

fn fitting(set: &RuleSet, catalogue: &Catalogue) -> anyhow::Result<()> {
    let wrong = rule_sets::misfits(set, catalogue);
    if wrong.is_empty() { Ok(()) } else { bail!("it does not fit the catalogue:\n{}", wrong.join("\n")) }
}

fn run_replay(config: &Config, args: &Replay) -> anyhow::Result<Exit> {
    let by = who(&args.by)?.to_owned();
    let data = config.data_folder();
    let new = sound(&args.file)?;
    let mut store = data.open_existing()?;
    fitting(&new, &newest(store.as_mut())?.catalogue)?;
    let keys = Keys::load(&data.keys_path())?;
    let named = new.reference();
    let (old, cases) = reading(store.as_mut(), |tx| {
        let old = rule_sets::newest(tx, &named.entry, &named.step)?;
        Ok((old, last_facts(tx, &keys, (&named.entry, &named.step), args.last)?))
    })?;
    let Some(old) = old else {
        bail!("no rule set of {} {} is in force: there is nothing to compare with", named.entry, named.step)
    };
    let report = replay(&old, &new, cases.iter().map(|(number, facts)| (number.clone(), facts)));
    let counts = (report.cases, report.decided_otherwise());
    in_transaction(store.as_mut(), |tx| rule_sets::note_replay(tx, now_ms(), (&new, &old), counts, &by))?;
    if args.answer.json { say_json(&serde_json::to_value(&report)?) } else { say(&in_words(&report)) }
}

fn in_words(report: &ReplayReport) -> String {
    let ReplayReport { old, new, cases, same, other_reasons, .. } = report;
    let mut text = format!(
        "{} {}: version {} against version {}, which is in force\n\
         {cases} cases replayed: {same} come out the same, {other_reasons} the same for other reasons, {} otherwise\n",
        new.entry,
        new.step,
        new.version,
        old.version,
        report.decided_otherwise()
    );
    for moved in &report.moved {
        text.push_str(&format!("  {} to {}: {}\n", kind(moved.from), kind(moved.to), moved.cases));
    }
    for case in report.changed.iter().take(TOLD) {
        let first = case.first.as_ref().map_or_else(String::new, |first| {
            format!(
                "; first differs {}: {}, now {}",
                first.rule,
                side(first.before.as_ref()),
                side(first.after.as_ref())
            )
        });
        text.push_str(&format!("  {}: {} to {}{first}\n", case.case, outcome(&case.from), outcome(&case.to)));
    }
    let rest = (report.changed.len().saturating_sub(TOLD)) as u64 + report.unnamed;
    if rest > 0 {
        text.push_str(&format!("  and {rest} more; --json names them\n"));
    }
    text
}

fn kind(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Approve => "approved",
        OutcomeKind::Manual => "a person",
        OutcomeKind::ManualRefusalProposed => "a person, refusal proposed",
        OutcomeKind::NeedsFacts => "needs facts",
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    kind(outcome.kind())
}

fn side(side: Option<&RuleSide>) -> String {
    side.map_or_else(|| "not there".into(), |side| format!("{:?}", side.did).to_lowercase())
}

fn publish(config: &Config, args: &Publish) -> anyhow::Result<Exit> {
    let by = who(&args.by)?.to_owned();
    let set = sound(&args.file)?;
    let mut store = config.data_folder().open_existing()?;
    let catalogue = newest(store.as_mut())?;
    let new = in_transaction(store.as_mut(), |tx| {
        rule_sets::publish(tx, now_ms(), (&set, &catalogue.catalogue), &by)
    })?;
    let named = set.reference();
    if args.answer.json {
        return say_json(&json!({ "set": named, "new": new }));
    }
    let told = if new { "published" } else { "was published already" };
    say(&format!("{} {} version {} {told}\n", named.entry, named.step, named.version))
}

fn list(config: &Config, answer: AsJson) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().read_existing()?;
    let all = reading(store.as_mut(), |tx| Ok(rule_sets::all(tx)?))?;
    if answer.json {
        return say_json(&serde_json::to_value(&all)?);
    }
    let line = |set: &rule_sets::Published| {
        format!(
            "{} {} version {} {} by {} on {}\n",
            set.entry,
            set.step,
            set.version,
            set.digest.get(..12).unwrap_or_default(),
            set.by,
            domain::date::CivilDate::in_china(set.at_ms)
        )
    };
    say(&all.iter().map(line).collect::<String>())
}
