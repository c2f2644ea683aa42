//! How situation questions may stand in a file: as today, or as in the versions before, which are kept for ever.
//!
//! Before, a text was two fields (`text_zh`, `text_en`), an item had the bare list of its questions, and the common
//! question told in words when it applies.
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Alternative, Ending, ExtraMaterial, NotProxy, Question, Situations};
use crate::ids::ItemCode;
use crate::item::MaterialSource;
use crate::text::Text;

/// The text as today, or from its two fields.
fn either(text: Text, zh: String, en: String) -> Text {
    if text.zh.is_empty() && text.en.is_empty() { Text { zh, en } } else { text }
}

impl<'de> Deserialize<'de> for Situations {
    /// An object, the list of questions alone, or nothing.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Situations;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("situation questions")
            }
            fn visit_unit<E: Error>(self) -> Result<Situations, E> {
                Ok(Situations::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Situations, A::Error> {
                let mut situations = Situations::default();
                while let Some(question) = seq.next_element()? {
                    situations.questions.push(question);
                }
                Ok(situations)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Situations, A::Error> {
                let mut situations = Situations::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "questions" => situations.questions = map.next_value()?,
                        "presets" => situations.presets = map.next_value()?,
                        "if_nothing_left" => situations.if_nothing_left = map.next_value()?,
                        _ => {
                            const KNOWN: &[&str] = &["questions", "presets", "if_nothing_left"];
                            return Err(A::Error::unknown_field(&key, KNOWN));
                        }
                    }
                }
                Ok(situations)
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionShape {
    #[serde(default, rename = "applies_when")]
    _applies_when: Option<IgnoredAny>,
    #[serde(default, rename = "asked_first")]
    _asked_first: Option<IgnoredAny>,
    // The common question had none; for others an empty one is refused by the checks.
    #[serde(default)]
    id: String,
    #[serde(default)]
    text: Text,
    #[serde(default)]
    text_zh: String,
    #[serde(default)]
    text_en: String,
    #[serde(default)]
    multi: bool,
    #[serde(default)]
    controls: Vec<String>,
    #[serde(default)]
    replaces_fields: Vec<String>,
    options: Vec<Alternative>,
}

impl From<QuestionShape> for Question {
    fn from(shape: QuestionShape) -> Self {
        Self {
            id: shape.id,
            text: either(shape.text, shape.text_zh, shape.text_en),
            multi: shape.multi,
            controls: shape.controls,
            replaces_fields: shape.replaces_fields,
            options: shape.options,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlternativeShape {
    id: String,
    #[serde(default)]
    text: Text,
    #[serde(default)]
    text_zh: String,
    #[serde(default)]
    text_en: String,
    #[serde(default)]
    adds_materials: Vec<String>,
    #[serde(default)]
    adds_fields: Vec<String>,
    #[serde(default)]
    drops_fields: Vec<String>,
    #[serde(default)]
    narrows_fields: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    nodes_on: Vec<String>,
    #[serde(default)]
    nodes_off: Vec<String>,
    #[serde(default)]
    ends_with: Option<Ending>,
}

impl From<AlternativeShape> for Alternative {
    fn from(shape: AlternativeShape) -> Self {
        Self {
            id: shape.id,
            text: either(shape.text, shape.text_zh, shape.text_en),
            adds_materials: shape.adds_materials,
            adds_fields: shape.adds_fields,
            drops_fields: shape.drops_fields,
            narrows_fields: shape.narrows_fields,
            nodes_on: shape.nodes_on,
            nodes_off: shape.nodes_off,
            ends_with: shape.ends_with,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndingShape {
    #[serde(default)]
    message: Text,
    #[serde(default)]
    message_zh: String,
    #[serde(default)]
    message_en: String,
    #[serde(default)]
    way: Text,
    #[serde(default)]
    way_zh: String,
    #[serde(default)]
    way_en: String,
    #[serde(default)]
    go: Option<ItemCode>,
}

impl From<EndingShape> for Ending {
    fn from(shape: EndingShape) -> Self {
        Self {
            message: either(shape.message, shape.message_zh, shape.message_en),
            way: either(shape.way, shape.way_zh, shape.way_en),
            go: shape.go,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotProxyShape {
    #[serde(default, rename = "applies_when")]
    _applies_when: Option<IgnoredAny>,
    #[serde(default)]
    text: Text,
    #[serde(default)]
    text_zh: String,
    #[serde(default)]
    text_en: String,
    #[serde(default)]
    way: Text,
    #[serde(default)]
    way_zh: String,
    #[serde(default)]
    way_en: String,
}

impl From<NotProxyShape> for NotProxy {
    fn from(shape: NotProxyShape) -> Self {
        Self {
            text: either(shape.text, shape.text_zh, shape.text_en),
            way: either(shape.way, shape.way_zh, shape.way_en),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExtraMaterialShape {
    source: MaterialSource,
    #[serde(default, alias = "name_en")]
    en: String,
    #[serde(default)]
    note: Text,
    #[serde(default)]
    note_zh: String,
}

impl From<ExtraMaterialShape> for ExtraMaterial {
    fn from(shape: ExtraMaterialShape) -> Self {
        Self { source: shape.source, en: shape.en, note: either(shape.note, shape.note_zh, String::new()) }
    }
}

/// The common question; before, it had no id.
pub(super) fn agent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Question>, D::Error> {
    let mut question = Option::<Question>::deserialize(deserializer)?;
    if let Some(question) = question.as_mut().filter(|question| question.id.is_empty()) {
        question.id = super::AGENT.to_owned();
    }
    Ok(question)
}
