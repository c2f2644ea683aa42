//! A draft, how far it is, who made and checked what, and why something is not possible.
use domain::ids::ItemCode;
use domain::item::Item;

use super::{MAX_CONTENT_BYTES, MAX_NOTE_CHARS};
use crate::auth::names::AccountId;

/// How far a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DraftState {
    /// Somebody works on it.
    Editing,
    /// It waits for a checker.
    Ready,
    /// A checker approved it: it goes into the next version.
    Approved,
}

impl DraftState {
    /// All states, in their order.
    pub const ALL: [Self; 3] = [Self::Editing, Self::Ready, Self::Approved];

    /// The stable name, as in the store and in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Editing => "editing",
            Self::Ready => "ready",
            Self::Approved => "approved",
        }
    }
}

impl std::str::FromStr for DraftState {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or(())
    }
}

/// The draft of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The item.
    pub code: ItemCode,
    /// The catalogue version that it was made from.
    pub base_version: u64,
    /// The item as it would be, JSON.
    pub content: String,
    /// Raised by each change; a change names the one it was made from.
    pub version: u64,
    /// How far it is.
    pub state: DraftState,
    /// Everybody who changed it.
    pub makers: Vec<AccountId>,
    /// Who changed it last.
    pub editor: AccountId,
    /// Why it is made, as its editor says.
    pub note: String,
    /// Who approved it or sent it back.
    pub checker: Option<AccountId>,
    /// Why it was sent back.
    pub reason: String,
    /// When it was begun, milliseconds since 1970.
    pub begun_at_ms: i64,
    /// When it was changed last, milliseconds since 1970.
    pub changed_at_ms: i64,
}

impl Draft {
    /// The item as it would be; none if a newer program wrote it.
    pub fn item(&self) -> Option<Item> {
        serde_json::from_str(&self.content).ok()
    }
}

/// Who made and checked a content, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Who made it.
    pub editor: AccountId,
    /// Who checked it.
    pub checker: AccountId,
    /// Why, as its editor said.
    pub note: String,
}

/// What was asked for is not possible. Words for people are under `edit_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Somebody else changed or removed the draft meanwhile.
    #[error("the draft was changed meanwhile")]
    Changed,
    /// There is no draft.
    #[error("there is no draft of this item")]
    Unknown,
    /// Nobody checks what he made.
    #[error("whoever changed a draft does not check it")]
    OwnWork,
    /// The draft is not in the state for this.
    #[error("the draft is in another state")]
    WrongState,
    /// No note or reason, one that is too long or that holds control characters.
    #[error("a note has 1 to {MAX_NOTE_CHARS} characters")]
    Note,
    /// The content is too large.
    #[error("the content has more than {MAX_CONTENT_BYTES} bytes")]
    TooLarge,
    /// Too many drafts, or too many people on one.
    #[error("too many drafts, or too many people on one")]
    TooMany,
    /// Nothing is approved.
    #[error("nothing is approved")]
    NothingApproved,
    /// A draft was made from a version that is not the newest any more, and the item is another there.
    #[error("a draft was made from an older content of its item")]
    Outdated,
    /// The version would not pass the checks.
    #[error("the version would not pass the checks")]
    Unfit,
}

impl EditError {
    /// The key of its words.
    pub fn key(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unknown => "unknown",
            Self::OwnWork => "own_work",
            Self::WrongState => "wrong_state",
            Self::Note => "note",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::NothingApproved => "nothing_approved",
            Self::Outdated => "outdated",
            Self::Unfit => "unfit",
        }
    }
}
