//! Three truths: what is known to hold, what is known not to, and what nobody knows yet.
//!
//! The tables are Kleene's strong logic. Its one property that the engine rests on: when something unknown becomes
//! known, no truth and no falsehood turns round. Refuses a conversion to `bool`: whoever asks must say of which of
//! the three.
use serde::{Deserialize, Serialize};

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It does not.
    False,
    /// Nobody knows: a fact is missing, its source is down, or nothing can be worked out from it.
    Unknown,
    /// It does.
    True,
}

impl Truth {
    /// All three, from false to true.
    pub const ALL: [Self; 3] = [Self::False, Self::Unknown, Self::True];

    /// The truth of what was worked out, `None` being unknown.
    pub fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    /// Both: the lesser of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One of them: the greater of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The contrary; the contrary of unknown is unknown.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}
