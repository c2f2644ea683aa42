//! Why a case stands where it stands: kinds and field keys, whose words lie in `assets/text`.
use serde::{Deserialize, Serialize};

/// Why a field sent the case back: its key and the kind of error, whose words lie in `assets/text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnReason {
    /// Path of the field in the answers, such as `phone` or `children[2].name`; of a situation question
    /// `situation.home`; `-` of what the form does not have.
    pub field: String,
    /// Name of the error kind, such as `phone_length`.
    pub kind: String,
}

/// Why a case is in 隔离.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// Two envelopes on one place of a terminal's series: a cloned disk.
    SeriesFork,
    /// Two series of one terminal are active at once.
    TwoLineages,
    /// The data key cannot be unwrapped, or the content was altered.
    CannotOpen,
    /// It was sealed to a key that the centre does not hold.
    UnknownKey,
    /// The content is not what its kind says.
    Malformed,
    /// The centre does not have the catalogue version that it names.
    UnknownCatalogue,
    /// The catalogue version that it names does not have the item.
    UnknownItem,
    /// The centre itself failed while opening it.
    Internal,
}

impl QuarantineReason {
    /// The name used in JSON and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SeriesFork => "series_fork",
            Self::TwoLineages => "two_lineages",
            Self::CannotOpen => "cannot_open",
            Self::UnknownKey => "unknown_key",
            Self::Malformed => "malformed",
            Self::UnknownCatalogue => "unknown_catalogue",
            Self::UnknownItem => "unknown_item",
            Self::Internal => "internal",
        }
    }
}

/// 办理结果: with what a case is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 准予: everything that was to be done is done.
    Granted,
    /// 部分准予: some of a bundle.
    PartlyGranted,
    /// 不予
    Refused,
    /// 不予受理: never accepted.
    Declined,
    /// 撤回: the applicant took it back.
    Withdrawn,
    /// 终止: it cannot be gone on with.
    Terminated,
}

impl Outcome {
    /// All, in the order of lists.
    pub const ALL: [Outcome; 6] = [
        Self::Granted,
        Self::PartlyGranted,
        Self::Refused,
        Self::Declined,
        Self::Withdrawn,
        Self::Terminated,
    ];

    /// The name used in JSON, in tables and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::PartlyGranted => "partly_granted",
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Terminated => "terminated",
        }
    }

    /// The outcome with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Whether it follows from the steps; the others are decided about the whole case.
    pub fn follows_from_steps(self) -> bool {
        matches!(self, Self::Granted | Self::PartlyGranted | Self::Refused)
    }
}
