//! `sync-server verify`: whether every case is what its actions say.
use operator::exit::Exit;
use serde_json::json;

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::error::ServiceError;
use crate::services::catalogue::Shelf;
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
    /// Times that are moving to another calendar were not compared.
    pub without_times: bool,
}

/// Looks at every case and answers on standard output.
///
/// # Errors
/// If the store cannot be read; that something differs is no error but the exit code.
pub fn run(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().read_existing()?;
    let report = verify(store.as_mut(), &mut |cases| tracing::info!(cases, "cases are looked at"))?;
    if as_json {
        say_json(&json!({
            "cases": report.cases,
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
        let Some(last) = last else { return Ok(report) };
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
