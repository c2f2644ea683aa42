//! 情形: a few questions before the form, whose answers choose materials, fields and steps, so that nothing is asked
//! that a person's case does not need.
//!
//! Data only, and one pure function ([`resolve()`]) over it. Refuses to judge a case: "I do not know" chooses nothing,
//! and the department decides.
mod apply;
mod resolve;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::ItemCode;
use crate::item::MaterialSource;
use crate::text::Text;

pub use apply::{Misfit, MisfitKind, NoForm, PATH_PREFIX, form_for, misfits};
pub use resolve::{ActiveStep, Resolution, questions, resolve};

/// Id of the question whose matter it is.
pub const AGENT: &str = "agent";
/// Ids of questions by which an item asks that itself.
const OWN_AGENT_IDS: [&str; 3] = [AGENT, "whom", "who"];

/// Answers of a person: ids of the chosen options by id of the question ([`Question::answer`]).
pub type SituationAnswers = BTreeMap<String, BTreeSet<String>>;

/// Situation questions of one item or bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Situations {
    /// Questions in the order in which they are asked.
    pub questions: Vec<Question>,
    /// Fields that have only these of their options from the start.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub presets: BTreeMap<String, Vec<String>>,
    /// Bundles: what is said if only the accepting step is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_nothing_left: Option<Text>,
}

/// One question with its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "shape::QuestionShape")]
pub struct Question {
    /// Unique in its item or bundle; stable, apart from the words.
    pub id: String,
    /// The question.
    pub text: Text,
    /// Several options may be chosen.
    #[serde(skip_serializing_if = "is_false")]
    pub multi: bool,
    /// Bundles: ids of the steps that this question switches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
    /// Fields, or repeat groups, for which this question stands: they are not asked again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaces_fields: Vec<String>,
    /// What can be chosen.
    pub options: Vec<Alternative>,
}

/// An option of a question, and what choosing it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "shape::AlternativeShape")]
pub struct Alternative {
    /// Unique in its question; stable, apart from the words.
    pub id: String,
    /// Its words.
    pub text: Text,
    /// Chinese names of materials that are needed then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adds_materials: Vec<String>,
    /// Fields that must be answered then, or repeat groups that must have a row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adds_fields: Vec<String>,
    /// Fields or repeat groups that are not asked then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drops_fields: Vec<String>,
    /// Fields that have only these of their options then.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub narrows_fields: BTreeMap<String, Vec<String>>,
    /// Bundles: steps that are to be done then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes_on: Vec<String>,
    /// Bundles: steps that are not; told for people, what counts is what is not on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes_off: Vec<String>,
    /// The matter ends here: there is no form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_with: Option<Ending>,
}

/// Why a matter cannot be done here, and the nearest way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "shape::EndingShape")]
pub struct Ending {
    /// What is so.
    pub message: Text,
    /// What to do instead.
    pub way: Text,
    /// Item or bundle to offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go: Option<ItemCode>,
}

/// Questions and materials that many items share (`situations.json`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommonSituations {
    /// Whose matter it is: asked first wherever somebody else may apply and the item has no such question itself.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "shape::agent")]
    pub agent: Option<Question>,
    /// What is said where nobody else may apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_proxy: Option<NotProxy>,
    /// Materials that only questions name, by Chinese name.
    pub materials: BTreeMap<String, ExtraMaterial>,
}

/// See [`CommonSituations::not_proxy`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "shape::NotProxyShape")]
pub struct NotProxy {
    /// What is so.
    pub text: Text,
    /// What to do instead.
    pub way: Text,
}

/// A material that stands in no list of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "shape::ExtraMaterialShape")]
pub struct ExtraMaterial {
    /// Where it comes from.
    pub source: MaterialSource,
    /// Its name in English.
    pub en: String,
    /// How it is given, may be empty.
    #[serde(skip_serializing_if = "nothing")]
    pub note: Text,
}

/// What answers and presets make of a form: applied by its plan and by its validation alike. Keys are those of fields;
/// `adds_fields` and `drops_fields` may also name a repeat group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adjustments {
    /// Asked for, and required, whatever their own rules say.
    pub adds_fields: BTreeSet<String>,
    /// Not asked; an answer to one of them is not looked at. A field that is also added is asked.
    pub drops_fields: BTreeSet<String>,
    /// Only these answers are left, as they are stored. If one is left it is set and not asked.
    pub narrows_fields: BTreeMap<String, Vec<String>>,
    /// The same from the start, whatever was answered: what is left is left by both.
    pub presets: BTreeMap<String, Vec<String>>,
}

impl Adjustments {
    /// Whether the form stays as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Question {
    /// The option with this id.
    pub fn option(&self, id: &str) -> Option<&Alternative> {
        self.options.iter().find(|option| option.id == id)
    }

    /// The answer to it: ids of options. Where several may be chosen, none is an answer too; elsewhere an empty
    /// choice is no answer.
    pub fn answer<'a>(&self, answers: &'a SituationAnswers) -> Option<&'a BTreeSet<String>> {
        answers.get(&self.id).filter(|ids| self.multi || !ids.is_empty())
    }

    /// Some answer to it changes the form.
    pub fn decides_fields(&self) -> bool {
        let changes = |option: &Alternative| {
            !option.adds_fields.is_empty()
                || !option.drops_fields.is_empty()
                || !option.narrows_fields.is_empty()
        };
        !self.replaces_fields.is_empty() || self.options.iter().any(changes)
    }
}

impl Situations {
    /// Nothing is asked and nothing preset.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether two names of a material are one: full-width and half-width brackets are the same sign.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    let fold = |sign: char| match sign {
        '（' => '(',
        '）' => ')',
        sign => sign,
    };
    one.chars().map(fold).eq(other.chars().map(fold))
}

fn is_false(value: &bool) -> bool {
    !value
}

fn nothing(text: &Text) -> bool {
    text.zh.is_empty() && text.en.is_empty()
}
