//! 办理环节: what is to be done for a case, by whom and in which order; fixed when the case is opened, so that neither a
//! new catalogue nor a changed department moves a running case.
//!
//! Refuses to know how a plan follows from a catalogue's answers (`resolve` does) and how far it has come (`step`).
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bundle::StepKind;
use crate::catalogue::{Catalogue, Entry};
use crate::ids::{ItemCode, UnitId};
use crate::item::Period;
use crate::situation::{SituationAnswers, resolve};

/// Most steps of a case.
pub const MAX_STEPS: usize = 64;
/// Most levels of review of one step.
pub const MAX_LEVELS: u8 = 5;
/// The id of the only step of an item.
pub const ONLY_STEP: &str = "review";
/// Longest id of a step, in bytes.
const MAX_ID: usize = 40;

/// What a refused step does to the others (整件不予, 其余照办).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailPolicy {
    /// Only what comes after it is not done; the rest goes on.
    #[default]
    Partial,
    /// The whole case is refused.
    All,
}

impl FailPolicy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Unique in the plan.
    pub id: String,
    /// Who does it.
    pub unit: UnitId,
    /// What kind of work it is.
    pub kind: StepKind,
    /// Ids of the steps that must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
    /// The item that is decided by it, where one step stands for one item of a bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemCode>,
    /// How many people must pass it one after another (逐级审批), at least 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub levels: u8,
    /// What its refusal does to the others.
    #[serde(default, skip_serializing_if = "FailPolicy::is_default")]
    pub fail: FailPolicy,
    /// A period of the law that must run before it may be passed (公告期), counted from when it could begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statutory: Option<Period>,
}

fn one() -> u8 {
    1
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(levels: &u8) -> bool {
    *levels == 1
}

/// The steps of a case, each after what it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan(Vec<PlannedStep>);

/// A plan that nobody could follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No step, or more than [`MAX_STEPS`].
    #[error("a plan has 1 to {MAX_STEPS} steps, this one has {0}")]
    Count(usize),
    /// An id that is empty, too long, or stands twice.
    #[error("{0:?} is no id of one step")]
    Id(String),
    /// A step depends on one that does not stand before it: unknown, itself, or a cycle.
    #[error("step {step} depends on {on}, which does not stand before it")]
    Depends {
        /// The step.
        step: String,
        /// What it names.
        on: String,
    },
    /// No level of review, or more than [`MAX_LEVELS`].
    #[error("step {0} has no sensible number of levels")]
    Levels(String),
    /// Nothing is to be done but accepting.
    #[error("no step decides anything")]
    NothingToDo,
}

impl Plan {
    /// A plan of these steps.
    ///
    /// # Errors
    /// [`PlanError`]: each step must stand after all that it depends on, so a cycle cannot be written.
    pub fn new(steps: Vec<PlannedStep>) -> Result<Self, PlanError> {
        if steps.is_empty() || steps.len() > MAX_STEPS {
            return Err(PlanError::Count(steps.len()));
        }
        let mut before = BTreeSet::new();
        for step in &steps {
            if let Some(on) = step.depends.iter().find(|on| !before.contains(on.as_str())) {
                return Err(PlanError::Depends { step: step.id.clone(), on: on.clone() });
            }
            if step.levels == 0 || step.levels > MAX_LEVELS {
                return Err(PlanError::Levels(step.id.clone()));
            }
            if step.id.trim().is_empty() || step.id.len() > MAX_ID || !before.insert(step.id.as_str()) {
                return Err(PlanError::Id(step.id.clone()));
            }
        }
        if steps.iter().all(|step| step.kind == StepKind::Accept) {
            return Err(PlanError::NothingToDo);
        }
        Ok(Self(steps))
    }

    /// The plan of an item or bundle for somebody who answered its questions so.
    ///
    /// An item has one step, done by its department. A bundle has the steps that the answers leave, each with what it
    /// depends on among them.
    ///
    /// # Errors
    /// [`PlanError`] if the answers leave nothing to be done, or the catalogue's graph is none.
    pub fn of(
        catalogue: &Catalogue,
        entry: Entry<'_>,
        answers: &SituationAnswers,
    ) -> Result<Self, PlanError> {
        let steps = match entry {
            Entry::Item(item) => vec![PlannedStep {
                id: ONLY_STEP.to_owned(),
                unit: item.department.clone(),
                kind: StepKind::Review,
                depends: Vec::new(),
                item: None,
                levels: 1,
                fail: FailPolicy::All,
                statutory: None,
            }],
            Entry::Bundle(_) => {
                let resolution = resolve(catalogue, entry, answers);
                let step = |active: &crate::situation::ActiveStep<'_>| PlannedStep {
                    id: active.step.id.clone(),
                    unit: active.step.department.clone(),
                    kind: active.step.kind,
                    depends: active.depends.iter().map(|id| (*id).to_owned()).collect(),
                    item: active.step.item.clone(),
                    levels: 1,
                    fail: FailPolicy::default(),
                    statutory: None,
                };
                resolution.steps.iter().map(step).collect()
            }
        };
        Self::new(steps)
    }

    /// The steps in their order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.0
    }

    /// Whether nothing is planned: a case of before there were plans.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&PlannedStep> {
        self.0.iter().find(|step| step.id == id)
    }

    /// Whether accepting is a step of its own, done by a desk.
    pub fn has_desk(&self) -> bool {
        self.0.iter().any(|step| step.kind == StepKind::Accept)
    }

    /// Ids of the steps that come after one, however far.
    pub fn followers(&self, id: &str) -> BTreeSet<&str> {
        let mut after = BTreeSet::new();
        for step in &self.0 {
            if step.depends.iter().any(|on| on == id || after.contains(on.as_str())) {
                after.insert(step.id.as_str());
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn step(id: &str, depends: &[&str]) -> PlannedStep {
        PlannedStep {
            id: id.to_owned(),
            unit: "人社".parse().expect("a unit"),
            kind: StepKind::Review,
            depends: depends.iter().map(|d| (*d).to_owned()).collect(),
            item: None,
            levels: 1,
            fail: FailPolicy::Partial,
            statutory: None,
        }
    }

    #[test]
    fn only_graphs_without_cycles_are_plans() {
        let depends = |step: &str, on: &str| PlanError::Depends { step: step.into(), on: on.into() };
        let table = [
            (vec![], PlanError::Count(0)),
            (vec![step("a", &["a"])], depends("a", "a")),
            (vec![step("a", &["b"]), step("b", &["a"])], depends("a", "b")),
            (vec![step("a", &["x"])], depends("a", "x")),
            (vec![step("a", &[]), step("a", &[])], PlanError::Id("a".into())),
            (vec![step(" ", &[])], PlanError::Id(" ".into())),
            (vec![PlannedStep { levels: 0, ..step("a", &[]) }], PlanError::Levels("a".into())),
            (vec![PlannedStep { kind: StepKind::Accept, ..step("a", &[]) }], PlanError::NothingToDo),
            ((0..65).map(|n| step(&n.to_string(), &[])).collect(), PlanError::Count(65)),
        ];
        for (steps, error) in table {
            assert_eq!(Plan::new(steps), Err(error));
        }
    }

    #[test]
    fn followers_are_found_however_far() {
        let plan = Plan::new(vec![step("a", &[]), step("b", &["a"]), step("c", &["b"]), step("d", &[])])
            .expect("a plan");
        assert_eq!(plan.followers("a"), BTreeSet::from(["b", "c"]));
        assert!(plan.followers("c").is_empty() && plan.followers("x").is_empty());
    }

    #[test]
    fn the_stored_form_of_a_plan_is_fixed_and_short() {
        let plan = Plan::new(vec![step("review", &[])]).expect("a plan");
        let json = r#"[{"id":"review","unit":"人社","kind":"review"}]"#;
        assert_eq!(serde_json::to_string(&plan).expect("json"), json);
        assert_eq!(serde_json::from_str::<Plan>(json).expect("read back"), plan);
    }
}
