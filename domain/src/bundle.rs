//! 一件事一次办: several items of several departments as one matter. Data only.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::FailPolicy;
use crate::expr::Expr;
use crate::form::FormSpec;
use crate::ids::{ItemCode, UnitId};
use crate::item::{Certainty, Guide, Material, Period, Withdrawal, first_revision};
use crate::situation::{Resolution, SituationAnswers, Situations, same_name};
use crate::text::Text;

/// A bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Stable slug, `one.…`.
    pub code: ItemCode,
    /// Rises with each version of the catalogue in which anything else of the bundle changed.
    #[serde(default = "first_revision")]
    pub revision: u64,
    /// Official name.
    pub name: Text,
    /// Name for tiles.
    pub short_name: Text,
    /// Full pinyin of the official name, syllables separated by spaces.
    pub pinyin: String,
    /// Initials of the official name.
    pub pinyin_initials: String,
    /// Full pinyin of the short name.
    #[serde(default)]
    pub short_pinyin: String,
    /// What people say.
    pub synonyms: Vec<String>,
    /// Full pinyin of each synonym, in their order; may be empty.
    #[serde(default)]
    pub synonym_pinyin: Vec<String>,
    /// Headings and slips use `neutral_title` once opened.
    #[serde(default)]
    pub sensitive: bool,
    /// Title that names no cause, for sensitive bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neutral_title: Option<Text>,
    /// Leading department.
    pub lead_department: UnitId,
    /// All departments.
    pub departments: Vec<UnitId>,
    /// The step graph, in an order in which each step stands after what it depends on.
    pub steps: Vec<Step>,
    /// How sure it is what is said of the steps beyond the graph, and of the two lists below; none in bundles that say
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_certainty: Option<Certainty>,
    /// Fields that only the accepting desk needs: how to reach the citizen, the signature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub desk_only: Vec<String>,
    /// Steps that are done again if a field changes after they decided on it: ids by key of the field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reopened_by: BTreeMap<String, Vec<String>>,
    /// Member items.
    pub members: Vec<ItemCode>,
    /// One merged material set.
    pub materials: Vec<Material>,
    /// Published or sample figures, with their source.
    pub figures: serde_json::Value,
    /// A bank employee must be there.
    pub needs_staff: bool,
    /// What comes out.
    pub results: Vec<String>,
    /// What it stands on.
    pub basis: String,
    /// How sure the basis is.
    #[serde(default)]
    pub basis_certainty: Certainty,
    /// Promised time for the whole.
    pub promised: Period,
    /// The guide page.
    pub guide: Guide,
    /// One merged form.
    pub form: FormSpec,
    /// Situation questions, which also switch steps.
    #[serde(default, skip_serializing_if = "Situations::is_empty")]
    pub situations: Situations,
    /// Invented cases by which the steps are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample_cases: Vec<SampleCase>,
    /// It is no longer offered: what was begun may be finished for a time of grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

/// A node of the step graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique in the bundle.
    pub id: String,
    /// Its name.
    pub name: Text,
    /// Who does it.
    pub department: UnitId,
    /// Ids of the steps that must be done before.
    pub depends: Vec<String>,
    /// accept, share, review, pay, issue, mail, notify.
    pub kind: StepKind,
    /// The member item that is done by this step, where one step stands for one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemCode>,
    /// Who does it; none in bundles of before that could be said ([`StepKind::usually_done_by`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<DoneBy>,
    /// What its refusal does to the others; of the accepting step nothing is said, it is never refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<FailPolicy>,
    /// How many people must pass it one after another (逐级审批).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub levels: u8,
    /// A period of the law that must run before it may be passed and that nobody shortens (公示期).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statutory: Option<Period>,
    /// It is to be done only if this holds of the form's answers; what is not known does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Keys of the fields and repeat groups that it needs (最小必要); whoever does it sees no others. The accepting step
    /// says nothing: it sees all. Where nothing is said by another step it is of before, and sees all as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// Chinese names of the materials of the bundle's list that it needs, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub materials: Option<Vec<String>>,
}

/// One level of review, as nearly everywhere.
pub(crate) fn one() -> u8 {
    1
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn is_one(levels: &u8) -> bool {
    *levels == 1
}

impl Bundle {
    /// Whether anything is said of its steps beyond the graph. One of before says nothing.
    pub fn is_authored(&self) -> bool {
        let says = |step: &Step| {
            step.by.is_some() || step.fail.is_some() || step.fields.is_some() || step.materials.is_some()
        };
        self.steps_certainty.is_some()
            || !self.desk_only.is_empty()
            || !self.reopened_by.is_empty()
            || self.steps.iter().any(says)
    }

    /// The place of a material of its list, by its Chinese name.
    pub fn material(&self, name: &str) -> Option<usize> {
        self.materials.iter().position(|material| same_name(&material.name.zh, name))
    }

    /// What a step needs, as keys of fields, of repeat groups and of materials (`material.N`); none if it does not say.
    pub fn needs(&self, step: &Step) -> Option<BTreeSet<String>> {
        if step.fields.is_none() && step.materials.is_none() {
            return None;
        }
        let materials = step.materials.iter().flatten().filter_map(|name| self.material(name));
        let materials = materials.map(|place| format!("material.{place}"));
        Some(step.fields.iter().flatten().cloned().chain(materials).collect())
    }

    /// Keys of the fields whose later change reopens a step.
    pub fn reopens(&self, step: &str) -> BTreeSet<String> {
        let named = |steps: &Vec<String>| steps.iter().any(|id| id == step);
        self.reopened_by.iter().filter(|(_, steps)| named(steps)).map(|(key, _)| key.clone()).collect()
    }
}

/// 样例情形: an invented person's answers, and the steps that must come of them. The check of a catalogue holds the
/// bundle to it, and people run it on the bundle's page before they publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleCase {
    /// Unique in the bundle.
    pub id: String,
    /// Who comes, in a few words.
    pub name: Text,
    /// What this person answers.
    pub answers: SituationAnswers,
    /// Ids of the steps to be done, in the bundle's order; none where the matter ends before the form.
    pub steps: Vec<String>,
}

impl SampleCase {
    /// Ids of the steps that a resolution has to be done: none where the matter ends or nothing is left of it.
    pub fn outcome<'a>(resolution: &'a Resolution<'_>) -> Vec<&'a str> {
        if resolution.ended.is_some() || resolution.nothing_left.is_some() {
            return Vec::new();
        }
        resolution.steps.iter().map(|on| on.step.id.as_str()).collect()
    }

    /// Whether a resolution of its answers is what it expects.
    pub fn holds(&self, resolution: &Resolution<'_>) -> bool {
        resolution.refused.is_empty() && Self::outcome(resolution) == self.steps
    }
}

/// Steps by when they can begin: each stage waits for steps of the stages before it only, and its steps go side by
/// side. Each step is given with its id and with what it depends on, and stands behind that; what is not there counts
/// as done.
pub fn stages<'a, D: Iterator<Item = &'a str>, T>(
    steps: impl IntoIterator<Item = (&'a str, D, T)>,
) -> Vec<Vec<T>> {
    let mut stage_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut stages: Vec<Vec<T>> = Vec::new();
    for (id, depends, step) in steps {
        let before = depends.filter_map(|id| stage_of.get(id)).max();
        let stage = before.map_or(0, |stage| stage + 1);
        stage_of.insert(id, stage);
        if stage == stages.len() {
            stages.push(Vec::new());
        }
        if let Some(steps) = stages.get_mut(stage) {
            steps.push(step);
        }
    }
    stages
}

/// Kind of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum StepKind {
    Accept,
    Share,
    Review,
    Pay,
    Issue,
    Mail,
    Notify,
}

impl StepKind {
    /// Whether one of the bundle's departments must do it; accepting, paying, posting and telling may be done by
    /// others (a desk, the applicant, the post).
    pub fn needs_department(self) -> bool {
        matches!(self, Self::Share | Self::Review | Self::Issue)
    }

    /// Whether the citizen gets something by it: a check, a payment, a parcel and a message grant nothing themselves.
    pub fn grants(self) -> bool {
        matches!(self, Self::Review | Self::Issue)
    }

    /// Who does it where nobody says so, as in catalogues and plans of before.
    pub fn usually_done_by(self) -> DoneBy {
        match self {
            Self::Accept | Self::Share | Self::Review | Self::Issue => DoneBy::Department,
            Self::Pay => DoneBy::Applicant,
            Self::Mail => DoneBy::Post,
            Self::Notify => DoneBy::System,
        }
    }

    /// Whether a step of this kind can be done so: only a department decides, only the citizen pays.
    pub fn may_be_done_by(self, by: DoneBy) -> bool {
        let own_desk = by == DoneBy::Department && matches!(self, Self::Mail | Self::Notify);
        by == self.usually_done_by() || own_desk
    }
}

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneBy {
    /// A department at its desk: the step stands in its inbox.
    Department,
    /// The citizen: the clock stands meanwhile.
    Applicant,
    /// The post.
    Post,
    /// A system tells by itself.
    System,
}
