//! The two schemas of a form as the catalogue carries them.
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::Text;

/// JSON Schema 2020-12 of the answers, and how to ask for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormSpec {
    /// JSON Schema 2020-12: an object, `additionalProperties: false`.
    pub schema: Value,
    /// Pages in order.
    pub pages: Vec<UiPage>,
}

/// A page of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiPage {
    /// Its heading, a question or a short title.
    pub title: Text,
    /// Groups of fields.
    pub groups: Vec<UiGroup>,
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiGroup {
    /// Heading of the group, may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// The fields.
    pub fields: Vec<UiField>,
}

/// A field: its key in the schema and how it is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiField {
    /// Key in the schema's `properties`; stable, apart from the label.
    pub key: String,
    /// How it is entered.
    pub widget: Widget,
    /// Its label.
    pub label: Text,
    /// A question for elder mode; absent means the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Text>,
    /// One line of help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Text>,
    /// Choices of an enum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Must be answered whenever it is visible.
    #[serde(default)]
    pub required: bool,
    /// Must be answered (and is shown) only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_if: Option<Rule>,
    /// Is shown only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<Rule>,
    /// How it is masked where others may look, such as `keep 3+4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// What the card offers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Prefill>,
}

/// A choice of an enum field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Value stored and sent.
    pub value: String,
    /// Words shown.
    pub label: Text,
}

/// How a field is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Widget {
    Text,
    Enum,
    Date,
    /// A date of month precision, `YYYY-MM`.
    Month,
    Number,
    Phone,
    BankCard,
    Address,
    Region,
    Signature,
    /// Needs a camera: not in this version.
    Photo,
    /// Needs a scanner: not in this version.
    Attachment,
}

impl Widget {
    /// Whether this version can fill it in.
    pub fn supported(self) -> bool {
        !matches!(self, Self::Photo | Self::Attachment)
    }
}

/// A condition on another answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Key of the other field.
    pub field: String,
    /// It holds if the answer is one of these.
    pub one_of: Vec<String>,
}

/// What of the card a field can be filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// Offer 同身份证地址: a button that copies the card's address.
    OfferCardAddress,
    /// The region that the ID number's first six digits name.
    IdRegion,
}
