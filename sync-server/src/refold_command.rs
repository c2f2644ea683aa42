//! `sync-server verify`: whether every case is what its actions say, and every stored decision of a machine what its rule set
//! gives of the recorded facts.
use operator::exit::Exit;
use serde_json::json;

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::services::approval;
use crate::services::catalogue::Shelf;
use crate::services::money;
use crate::services::refold::{self, Checked, Difference};
use crate::store::{Driver, Tx};

/// Differences that are told, at most; further ones are counted.
const TOLD: usize = 100;
/// Cases between two words of how far it has come.
const PROGRESS: u64 = 50_000;

/// What was found in all.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases looked at.
    pub cases: u64,
    /// Differences in all.
    pub differences: u64,
    /// The first of them, at most 100.
    pub told: Vec<Difference>,
    /// Decisions of machines that were held against their facts.
    pub judgements: u64,
    /// Times that are moving to another calendar were not compared.
    pub without_times: bool,
}

/// Looks at every case and answers on standard output.
///
/// # Errors
/// If the store cannot be read; that something differs is no error but the exit code.
pub fn run(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().read_existing()?;
    let mut report = verify(store.as_mut(), &mut |cases| tracing::info!(cases, "cases are looked at"))?;
    if any_judged(store.as_mut())? {
        confirm(store.as_mut(), &Keys::load(&config.data_folder().keys_path())?, &mut report)?;
    }
    if as_json {
        say_json(&json!({
            "cases": report.cases,
            "judgements": report.judgements,
            "differences": report.differences,
            "told": report.told,
            "times_compared": !report.without_times,
        }))?;
    } else {
        let mut text: String = report.told.iter().map(|difference| format!("{difference}\n")).collect();
        text.push_str(&summary(&report));
        say(&text)?;
    }
    Ok(if report.differences == 0 { Exit::Ok } else { Exit::Failure })
}

fn summary(report: &Report) -> String {
    let mut text = match report.differences {
        0 => format!("{} cases: each is what its actions say\n", report.cases),
        n => format!("{} cases: {n} differences\n", report.cases),
    };
    if report.judgements > 0 {
        text.push_str(&format!("{} decisions by rules were made again of their facts\n", report.judgements));
    }
    if report.without_times {
        text.push_str(
            "last moments were not compared: they are moving to the newest calendar, ask again later\n",
        );
    }
    text
}

/// Looks at every case of a store, each stretch in a transaction of its own; `progress` hears how many it were so far.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn verify(store: &mut dyn Driver, progress: &mut dyn FnMut(u64)) -> Result<Report, ServiceError> {
    let (shelf, mut report, mut after) = (Shelf::default(), Report::default(), -1);
    loop {
        store.begin_read()?;
        let checked = refold::stretch(&mut Tx::new(store), &shelf, after, refold::STRETCH);
        store.rollback();
        let Checked { cases, last, without_times, differences } = checked?;
        let Some(last) = last else {
            look_at_strays(store, &mut report)?;
            return Ok(report);
        };
        after = last;
        let before = report.cases;
        report.cases += cases;
        report.without_times |= without_times;
        report.differences += differences.len() as u64;
        let room = TOLD.saturating_sub(report.told.len());
        report.told.extend(differences.into_iter().take(room));
        if before / PROGRESS != report.cases / PROGRESS {
            progress(report.cases);
        }
    }
}

/// Looks at the payments that fit no bill: they belong to no case.
fn look_at_strays(store: &mut dyn Driver, report: &mut Report) -> Result<(), ServiceError> {
    let mut after = 0;
    loop {
        store.begin_read()?;
        let checked = money::check_strays(&mut Tx::new(store), after, refold::STRETCH);
        store.rollback();
        let (last, odd) = checked?;
        report.differences += odd.len() as u64;
        let room = TOLD.saturating_sub(report.told.len());
        report.told.extend(odd.into_iter().take(room).map(|(place, stored, folded)| Difference {
            envelope_id: String::new(),
            number: String::new(),
            place,
            stored,
            folded,
        }));
        let Some(last) = last else { return Ok(()) };
        after = last;
    }
}

/// Whether a machine ever judged anything here: only then keys are needed.
fn any_judged(store: &mut dyn Driver) -> Result<bool, ServiceError> {
    store.begin_read()?;
    let any = approval::any_judged(&mut Tx::new(store));
    store.rollback();
    Ok(any?)
}

/// Makes every stored decision again of its version and its facts, and adds to a report which is another one.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn confirm(store: &mut dyn Driver, keys: &Keys, report: &mut Report) -> Result<(), ServiceError> {
    let mut after = None;
    loop {
        store.begin_read()?;
        let checked = approval::unconfirmed(&mut Tx::new(store), keys, after, refold::STRETCH);
        store.rollback();
        let approval::Checked { judgements, last, wrong } = checked?;
        if last.is_none() {
            return Ok(());
        }
        after = last;
        report.judgements += judgements;
        report.differences += wrong.len() as u64;
        let room = TOLD.saturating_sub(report.told.len());
        report.told.extend(wrong.into_iter().take(room).map(|(id, version, why)| Difference {
            envelope_id: id.to_string(),
            number: String::new(),
            place: format!("judgement {version}"),
            stored: why,
            folded: "the decision of the action".into(),
        }));
    }
}
