//! 办理环节: what is to be done for a case, by whom and in which order; fixed when the case is opened, so that neither a
//! new catalogue nor a changed department moves a running case.
//!
//! Refuses to know how a plan follows from a catalogue's answers (`resolve` does) and how far it has come (`step`).
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::bundle::{Bundle, DoneBy, StepKind, is_one, one};
use crate::catalogue::{Catalogue, Entry};
use crate::expr::Expr;
use crate::ids::{ItemCode, UnitId};
use crate::item::Period;
use crate::situation::{ActiveStep, SituationAnswers, resolve};

/// Most steps of a case.
pub const MAX_STEPS: usize = 64;
/// Most levels of review of one step.
pub const MAX_LEVELS: u8 = 5;
/// The id of the only step of an item.
pub const ONLY_STEP: &str = "review";
/// Most keys that a step sees, or is reopened by.
pub const MAX_KEYS: usize = 400;
/// Longest id of a step, in bytes.
const MAX_ID: usize = 40;

/// What a refused step does to the others, and to the result of the whole (整件不予, 其余照办).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailPolicy {
    /// Only what comes after it is not done; the rest goes on.
    #[default]
    Partial,
    /// The whole case is refused.
    All,
    /// Nothing: what comes after it is done all the same. The result is granted in part, or in full if the step grants
    /// nothing itself ([`StepKind::grants`]).
    Alone,
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
    /// Who does it, where the catalogue says so ([`PlannedStep::done_by`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<DoneBy>,
    /// Its condition did not hold when the case was opened: it begins as not needed, and may be switched on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// Keys of fields and materials that it needs; whoever does it sees no others. None: nothing was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sees: Option<BTreeSet<String>>,
    /// Keys of fields: if one changes after it decided, it is done again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reopened_by: BTreeSet<String>,
}

impl PlannedStep {
    /// A step that waits for nothing, of which nothing else is said.
    pub fn new(id: impl Into<String>, unit: UnitId, kind: StepKind) -> Self {
        Self {
            id: id.into(),
            unit,
            kind,
            depends: Vec::new(),
            item: None,
            levels: 1,
            fail: FailPolicy::default(),
            statutory: None,
            by: None,
            off: false,
            sees: None,
            reopened_by: BTreeSet::new(),
        }
    }

    /// Who does it.
    pub fn done_by(&self) -> DoneBy {
        self.by.unwrap_or_else(|| self.kind.usually_done_by())
    }

    fn of_bundle(bundle: &Bundle, active: &ActiveStep<'_>, holds: &dyn Fn(&Expr) -> bool) -> Self {
        let step = active.step;
        Self {
            depends: active.depends.iter().map(|id| (*id).to_owned()).collect(),
            item: step.item.clone(),
            levels: step.levels,
            fail: step.fail.unwrap_or_default(),
            statutory: step.statutory,
            by: step.by,
            off: step.when.as_ref().is_some_and(|rule| !holds(rule)),
            sees: bundle.needs(step),
            reopened_by: bundle.reopens(&step.id),
            ..Self::new(&step.id, step.department.clone(), step.kind)
        }
    }
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
    /// It sees more than [`MAX_KEYS`] keys, or is reopened by more.
    #[error("step {0} names more than {MAX_KEYS} keys")]
    Keys(String),
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
            if step.sees.as_ref().is_some_and(|sees| sees.len() > MAX_KEYS)
                || step.reopened_by.len() > MAX_KEYS
            {
                return Err(PlanError::Keys(step.id.clone()));
            }
            if step.id.trim().is_empty() || step.id.len() > MAX_ID || !before.insert(step.id.as_str()) {
                return Err(PlanError::Id(step.id.clone()));
            }
        }
        if steps.iter().all(|step| step.kind == StepKind::Accept || step.off) {
            return Err(PlanError::NothingToDo);
        }
        Ok(Self(steps))
    }

    /// The plan of an item or bundle for somebody who answered its questions so and filled in a form of which these
    /// conditions of steps hold.
    ///
    /// An item has one step, done by its department. A bundle has the steps that the answers leave, each with what it
    /// depends on among them. A step whose condition does not hold is in the plan as well, switched off.
    ///
    /// # Errors
    /// [`PlanError`] if the answers leave nothing to be done, or the catalogue's graph is none.
    pub fn of(
        catalogue: &Catalogue,
        entry: Entry<'_>,
        answers: &SituationAnswers,
        holds: &dyn Fn(&Expr) -> bool,
    ) -> Result<Self, PlanError> {
        let steps = match entry {
            Entry::Item(item) => vec![PlannedStep {
                fail: FailPolicy::All,
                ..PlannedStep::new(ONLY_STEP, item.department.clone(), StepKind::Review)
            }],
            Entry::Bundle(bundle) => {
                let resolution = resolve(catalogue, entry, answers);
                let mut steps: Vec<PlannedStep> = Vec::new();
                let mut behind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
                for active in &resolution.steps {
                    let mut step = PlannedStep::of_bundle(bundle, active, holds);
                    // What is not needed counts as done: whoever comes after it waits for what comes before it, too.
                    for id in &active.depends {
                        for before in behind.get(id).into_iter().flatten() {
                            if !step.depends.contains(before) {
                                step.depends.push(before.clone());
                            }
                        }
                    }
                    if active.step.when.is_some() {
                        behind.insert(&active.step.id, step.depends.clone());
                    }
                    steps.push(step);
                }
                steps
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

    fn step(id: &str, depends: &[&str]) -> PlannedStep {
        PlannedStep {
            depends: depends.iter().map(|d| (*d).to_owned()).collect(),
            ..PlannedStep::new(id, "人社".parse().expect("a unit"), StepKind::Review)
        }
    }

    fn keys(count: usize) -> BTreeSet<String> {
        (0..count).map(|n| n.to_string()).collect()
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
            (vec![PlannedStep { levels: 6, ..step("a", &[]) }], PlanError::Levels("a".into())),
            (
                vec![PlannedStep { sees: Some(keys(MAX_KEYS + 1)), ..step("a", &[]) }],
                PlanError::Keys("a".into()),
            ),
            (
                vec![PlannedStep { reopened_by: keys(MAX_KEYS + 1), ..step("a", &[]) }],
                PlanError::Keys("a".into()),
            ),
            (vec![PlannedStep { kind: StepKind::Accept, ..step("a", &[]) }], PlanError::NothingToDo),
            (vec![PlannedStep { off: true, ..step("a", &[]) }], PlanError::NothingToDo),
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
        let full = PlannedStep {
            by: Some(DoneBy::Post),
            fail: FailPolicy::Alone,
            off: true,
            sees: Some(keys(2)),
            reopened_by: keys(1),
            ..step("mail", &["review"])
        };
        let plan = Plan::new(vec![step("review", &[]), full]).expect("a plan");
        let json = concat!(
            r#"[{"id":"review","unit":"人社","kind":"review"},"#,
            r#"{"id":"mail","unit":"人社","kind":"review","depends":["review"],"fail":"alone","by":"post","#,
            r#""off":true,"sees":["0","1"],"reopened_by":["0"]}]"#,
        );
        assert_eq!(serde_json::to_string(&plan).expect("json"), json);
        assert_eq!(serde_json::from_str::<Plan>(json).expect("read back"), plan);
    }

    #[test]
    fn who_does_a_step_is_what_the_catalogue_says_and_else_what_is_usual() {
        let table = [
            (StepKind::Accept, DoneBy::Department),
            (StepKind::Share, DoneBy::Department),
            (StepKind::Review, DoneBy::Department),
            (StepKind::Issue, DoneBy::Department),
            (StepKind::Pay, DoneBy::Applicant),
            (StepKind::Mail, DoneBy::Post),
            (StepKind::Notify, DoneBy::System),
        ];
        for (kind, usual) in table {
            let step = PlannedStep { kind, ..step("a", &[]) };
            assert_eq!(step.done_by(), usual);
            assert!(kind.may_be_done_by(usual));
            let said = PlannedStep { by: Some(DoneBy::Department), ..step };
            assert_eq!(said.done_by(), DoneBy::Department);
        }
        assert!(StepKind::Mail.may_be_done_by(DoneBy::Department));
        assert!(!StepKind::Pay.may_be_done_by(DoneBy::Department));
        assert!(!StepKind::Review.may_be_done_by(DoneBy::System));
    }
}
