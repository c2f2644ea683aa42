//! The two schemas of a form as the catalogue carries them: the format is described in `docs/forms.md`.
//!
//! A published version is kept for ever: a member that comes later has a default, and no member goes away.
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expr::{Expr, Type};
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

impl FormSpec {
    /// All groups in form order.
    pub fn groups(&self) -> impl Iterator<Item = &UiGroup> {
        self.pages.iter().flat_map(|page| &page.groups)
    }

    /// All fields in form order, those of repeat groups once.
    pub fn fields(&self) -> impl Iterator<Item = &UiField> {
        self.groups().flat_map(|group| &group.fields)
    }

    /// The label of what an answer's path names: a field, a field in a row (`children[2].name`), a repeat group.
    pub fn label(&self, path: &str) -> Option<&Text> {
        let key = path.rsplit('.').next().unwrap_or(path);
        let group = key.split('[').next().unwrap_or(key);
        let field = self.fields().find(|field| field.key == key).map(|field| &field.label);
        field.or_else(|| {
            self.groups().filter_map(|g| g.repeat.as_ref()).find(|r| r.key == group).map(|r| &r.label)
        })
    }
}

/// A page of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiPage {
    /// Its heading, a question or a short title.
    pub title: Text,
    /// Is shown only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<Expr>,
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
    /// Is shown only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<Expr>,
    /// Its fields are asked once for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The fields.
    pub fields: Vec<UiField>,
}

/// What makes a group repeat: its answers are an array of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// Key of the array in the schema's `properties`.
    pub key: String,
    /// What the rows are, such as 子女; also the name in messages.
    pub label: Text,
    /// Heading of a row; `{n}` stands for its number from 1.
    pub row: Text,
    /// The fewest rows; as many are there from the start.
    pub min: usize,
    /// The most rows.
    pub max: usize,
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
    /// Must be answered if this holds. Without a `show_if` of its own the field is also shown only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_if: Option<Expr>,
    /// Is shown only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<Expr>,
    /// The answer is this value: it is shown and never typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<Expr>,
    /// The answer until somebody gives another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Expr>,
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
    /// Needs a camera: drawn and validated, not taken in this version.
    Photo,
    /// Needs a scanner: drawn and validated, not taken in this version.
    Attachment,
}

impl Widget {
    /// The type that expressions see; `None` for answers that are no single value.
    pub fn value_type(self) -> Option<Type> {
        match self {
            Self::Text | Self::Enum | Self::Phone | Self::BankCard | Self::Region => Some(Type::Text),
            Self::Date | Self::Month => Some(Type::Date),
            Self::Number => Some(Type::Int),
            Self::Address | Self::Signature | Self::Photo | Self::Attachment => None,
        }
    }

    /// Whether this version can fill it in.
    pub fn supported(self) -> bool {
        !matches!(self, Self::Photo | Self::Attachment)
    }
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
