//! Everything that the page of a case shows, read in one transaction for a caller who has a part in it.
use std::collections::BTreeSet;
use std::sync::Arc;

use domain::case::{CaseView, StepView};
use domain::catalogue::{Catalogue, Entry};
use domain::ids::{CaseNo, UnitId};
use domain::item::Period;
use domain::money::{Fee, bases};
use domain::rules::RuleSet;

use super::next;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::services::accounts::{self, Account};
use crate::services::approval::{self, Automatic, Look};
use crate::services::case_story::{self, Story};
use crate::services::catalogue::Volume;
use crate::services::content::{self, Content, Found};
use crate::services::progress::Paying;
use crate::services::results::{self, Stored};
use crate::services::sessions::Caller;
use crate::services::time_left::{self, Running};
use crate::services::{Context, case_time, work_list};
use crate::store::Tx;

/// Units to choose from, at most.
const MAX_UNITS: usize = 100;

/// See the module. Never printed: it has what people answered and wrote.
pub struct Gathered {
    /// The case, and how much of it the caller may see.
    pub found: Found,
    /// What the caller may see.
    pub content: Content,
    /// What happened.
    pub story: Story,
    /// What it gave.
    pub certificates: Vec<Stored>,
    /// Steps that rules judge, each with its rule set.
    pub automatic: Vec<(Automatic, Arc<RuleSet>)>,
    /// What was asked to be paid for it.
    pub bills: Vec<Paying>,
    /// Looks into data sources for it.
    pub looks: Vec<Look>,
    /// The time that runs.
    pub running: Option<Running>,
    /// The time that is promised.
    pub promised: Option<Period>,
    /// Address of the next case that the caller can work at.
    pub next: Option<String>,
    /// Units that can be asked or given a step.
    pub units: Vec<UnitId>,
    /// People of the caller's unit.
    pub colleagues: Vec<Account>,
    /// The caller.
    pub caller: Caller,
    /// The caller's unit.
    pub unit: UnitId,
    /// Where it was handed in.
    pub station: String,
    /// The newest catalogue, whose regions and units count.
    pub newest: Option<Arc<Volume>>,
    /// Around the page.
    pub frame: Frame,
    /// The notice of sample data.
    pub sample: Option<String>,
    /// The present time, milliseconds since 1970.
    pub now_ms: i64,
}

/// Reads it.
///
/// # Errors
/// As [`content::find`] and [`Found::open`].
pub fn gather(
    tx: &mut Tx<'_>,
    context: &Context,
    number: &CaseNo,
    (caller, now_ms): (&Caller, i64),
) -> Result<Gathered, ServiceError> {
    let unit = caller.unit.clone().ok_or(ProblemCode::UnitNeeded)?;
    let found = content::find(tx, context, number, caller)?;
    let content = found.open(&context.keys)?;
    let id = found.row.envelope_id;
    let newest = context.shelf.newest(tx)?;
    let station = work_list::stations(tx)?.into_iter().find(|(id, ..)| *id == found.row.station);
    let certificates = results::of_case(tx, &id)?;
    let mut story = case_story::of(tx, &content.key, &id)?;
    story.learn(tx, certificates.iter().filter_map(|c| c.issued.revoked.as_ref()).map(|r| r.by.as_str()))?;
    Ok(Gathered {
        automatic: approval::with_sets(tx, &id, found.row.item.as_ref())?,
        looks: approval::looks_of_case(tx, &id)?,
        bills: Paying::of_case(tx, &id)?,
        story,
        certificates,
        running: time_left::of(tx, &context.shelf, (&found.row, &found.view), now_ms)?,
        promised: case_time::promised(tx, &context.shelf, &found.row)?,
        next: next::after(tx, (caller, &unit), (&id, found.row.due_ms))?,
        units: newest.as_deref().map(|v| units(&v.catalogue)).unwrap_or_default(),
        colleagues: accounts::of_unit(tx, &unit)?,
        station: station.map_or_else(|| found.row.station.to_string(), |(_, name, _)| name),
        frame: frame(tx, caller, now_ms, Here::Desk)?,
        sample: newest.as_deref().and_then(|v| sample(&v.catalogue)),
        caller: caller.clone(),
        newest,
        unit,
        content,
        found,
        now_ms,
    })
}

/// Departments of items and of steps: whoever can have a part in a case.
fn units(catalogue: &Catalogue) -> Vec<UnitId> {
    let items = catalogue.items.values().map(|item| &item.department);
    let steps = catalogue.bundles.values().flat_map(|bundle| &bundle.steps).map(|step| &step.department);
    let all: BTreeSet<_> = items.chain(steps).cloned().collect();
    all.into_iter().take(MAX_UNITS).collect()
}

impl Gathered {
    /// What the case is now.
    pub fn view(&self) -> &CaseView {
        &self.found.view
    }

    /// The catalogue of the case.
    pub fn catalogue(&self) -> Option<&Catalogue> {
        self.found.volume.as_deref().map(|v| &v.catalogue)
    }

    /// The item or bundle.
    pub fn entry(&self) -> Option<Entry<'_>> {
        self.catalogue().zip(self.found.row.item.as_ref()).and_then(|(c, code)| c.entry(code))
    }

    /// The name of a step.
    pub fn step_name(&self, id: &str) -> String {
        super::step_called(self.catalogue(), self.found.row.item.as_ref(), self.view(), id)
    }

    /// The step of the caller's that a page is about: the one that is asked for, or the first that something can be
    /// done with, or the first one.
    pub fn step(&self, asked: &str) -> Option<&StepView> {
        let view = self.view();
        let mine =
            |step: &&StepView| view.books(&self.unit, step) || step.consulted.as_ref() == Some(&self.unit);
        let steps = || self.view().steps.iter().filter(mine);
        let asked_for = steps().find(|step| step.id == asked);
        let to_do = || steps().find(|step| step.state.is_workable() || step.consulted.is_some());
        asked_for.or_else(to_do).or_else(|| steps().next())
    }

    /// The legal bases of what a step decides.
    pub fn bases(&self, step: &str) -> Vec<String> {
        bases(self.catalogue(), self.entry(), self.view().plan.step(step))
    }

    /// What a step costs.
    pub fn fee(&self, step: &str) -> Option<Fee> {
        let (catalogue, entry) = self.catalogue().zip(self.entry())?;
        Fee::of(catalogue, entry, self.view().plan.step(step)?)
    }
}
