//! 一件事一次办: several items of several departments as one matter. Data only.
use serde::{Deserialize, Serialize};

use crate::form::FormSpec;
use crate::ids::{ItemCode, UnitId};
use crate::item::{Guide, Material, Period};
use crate::text::Text;

/// A bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Stable slug, `one.…`.
    pub code: ItemCode,
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
    /// Promised time for the whole.
    pub promised: Period,
    /// The guide page.
    pub guide: Guide,
    /// One merged form.
    pub form: FormSpec,
    /// Situation questions and node rules, carried along for later.
    #[serde(default)]
    pub situations: serde_json::Value,
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
