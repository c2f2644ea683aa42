//! `terminal verify-certificate`: whether the file of a certificate is genuine and in force, without a network: by the keys
//! that this terminal was enrolled with, and a list of those revoked that somebody brought along.
//!
//! Says whose it is with masks only: the machine stands in a hall. Refuses to say "good" without a list that is in force.
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::certificate::list::MAX_LIST_BYTES;
use domain::certificate::{Judged, ListFault, MAX_CERTIFICATE_BYTES, NotGenuine, Verdict, judge};
use domain::date::CivilDate;
use operator::exit::Exit;
use operator::output::{print, print_json};
use serde_json::{Value, json};

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::store::read_state;

/// What is verified.
#[derive(Debug, Args)]
pub(crate) struct VerifyCertificate {
    /// The signed file of a certificate.
    file: PathBuf,
    /// The signed list of revoked certificates, as the centre gives it at /certificates/revoked.
    #[arg(long)]
    list: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// If a file cannot be read, or this machine is no enrolled terminal; that a certificate is not good is no error but the
/// exit code.
pub(crate) fn run(args: &VerifyCertificate, config: &Config) -> anyhow::Result<Exit> {
    let state =
        read_state(&config.data).with_context(|| format!("the store in {}", config.data.display()))?;
    let identity = state.identity.context("this machine is not enrolled: it knows no keys of a centre")?;
    let file = read(&args.file, MAX_CERTIFICATE_BYTES)?;
    let list = args.list.as_deref().map(|list| read(list, MAX_LIST_BYTES)).transpose()?;
    let today = CivilDate::in_china(SystemClock.now_ms());
    let judged = judge(&file, list.as_deref(), &identity.receipt_ring(), today);
    if args.json { print_json(&as_json(&judged)) } else { print(&in_words(&judged)) }
        .context("standard output")?;
    Ok(exit_of(&judged))
}

/// The bytes of a file, and one more than are taken if it is longer: what is too long verifies as nothing.
fn read(file: &Path, most: usize) -> anyhow::Result<Vec<u8>> {
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    opened.take(most).read_to_end(&mut bytes).with_context(|| file.display().to_string())?;
    Ok(bytes)
}

fn exit_of(judged: &Result<Judged, NotGenuine>) -> Exit {
    match judged.as_ref().map(|judged| judged.verdict) {
        Ok(Verdict::Good) => Exit::Ok,
        Ok(Verdict::NotKnown(_)) => Exit::Degraded,
        Ok(Verdict::Revoked(_) | Verdict::NotYet | Verdict::Expired) | Err(_) => Exit::Failure,
    }
}

/// Stable name of a verdict, and the day that belongs to it.
fn name(verdict: Verdict) -> (&'static str, Option<CivilDate>) {
    match verdict {
        Verdict::Good => ("good", None),
        Verdict::Revoked(since) => ("revoked", Some(since)),
        Verdict::NotYet => ("not_yet", None),
        Verdict::Expired => ("expired", None),
        Verdict::NotKnown(ListFault::Missing) => ("list_missing", None),
        Verdict::NotKnown(ListFault::TooOld(day)) => ("list_too_old", Some(day)),
        Verdict::NotKnown(ListFault::UnknownKey) => ("list_unknown_key", None),
        Verdict::NotKnown(ListFault::Altered) => ("list_altered", None),
    }
}

fn as_json(judged: &Result<Judged, NotGenuine>) -> Value {
    let Judged { certificate: c, verdict } = match judged {
        Ok(judged) => judged,
        Err(not) => {
            let verdict = if *not == NotGenuine::UnknownKey { "unknown_key" } else { "altered" };
            return json!({ "genuine": false, "verdict": verdict, "why": not.to_string() });
        }
    };
    let (verdict, day) = name(*verdict);
    json!({
        "genuine": true, "verdict": verdict, "day": day, "number": c.number, "title": c.title,
        "holder": c.holder.masked_name(), "id_number": c.holder.masked_id_number(), "unit": c.unit,
        "valid_from": c.valid_from, "valid_until": c.valid_until, "sample": c.sample,
    })
}

fn in_words(judged: &Result<Judged, NotGenuine>) -> String {
    let Judged { certificate: c, verdict } = match judged {
        Ok(judged) => judged,
        Err(not) => return format!("NOT GENUINE: {not}\n"),
    };
    let said = match verdict {
        Verdict::Good => "GOOD: genuine, in force, and not revoked".to_owned(),
        Verdict::Revoked(since) => format!("REVOKED since {since}: genuine, and not good any more"),
        Verdict::NotYet => "NOT YET: genuine, and its first day is still to come".to_owned(),
        Verdict::Expired => "EXPIRED: genuine, and its last day is over".to_owned(),
        Verdict::NotKnown(fault) => format!("NOT KNOWN: genuine and in time, but {}", list_words(*fault)),
    };
    let until = c.valid_until.map_or_else(|| "without end".to_owned(), |last| format!("until {last}"));
    let sample = if c.sample { "\nSAMPLE DATA: it proves nothing to anybody" } else { "" };
    format!(
        "{said}\n{} {}\nholder {} {}\nissued by {}, good from {} {until}{sample}\n",
        c.title,
        c.number,
        c.holder.masked_name(),
        c.holder.masked_id_number(),
        c.unit,
        c.valid_from,
    )
}

fn list_words(fault: ListFault) -> String {
    match fault {
        ListFault::Missing => "without --list nobody knows whether it was revoked".to_owned(),
        ListFault::TooOld(day) => format!("the list was good until {day}: get a new one"),
        ListFault::UnknownKey => "the list is signed with a key that is not known here".to_owned(),
        ListFault::Altered => "the list is no whole list, or was altered".to_owned(),
    }
}
