//! The keys to which terminals seal, as the centre offers them.
//!
//! Travels as a [`SignedDocument`](crate::envelope::SignedDocument), signed with the centre's receipt key, in the answers
//! to an enrolment and to heartbeats. Keys that are not offered any more open still what was sealed to them.
use serde::{Deserialize, Serialize};

use super::SealingKeyEntry;
use crate::envelope::Suite;

/// Keys that a list may name.
const MAX_KEYS: usize = 8;

/// Which keys are in force, and in which suite forms that are begun now are sealed; the newest number counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyList {
    /// Rises with every change.
    pub number: u64,
    /// When it was signed, milliseconds since 1970.
    pub issued_ms: i64,
    /// The suite of forms that are begun now. One that was begun before keeps its own: its pages are sealed already.
    pub suite: Suite,
    /// The key in force of each suite, at most one a suite.
    pub keys: Vec<SealingKeyEntry>,
}

impl SealingKeyList {
    /// The key in force of a suite.
    pub fn of_suite(&self, suite: Suite) -> Option<&SealingKeyEntry> {
        self.keys.iter().find(|key| key.suite == suite)
    }

    /// Whether everything in it agrees: each key bears its own id and stands alone for its suite, and the suite that is
    /// to be used has one.
    pub fn is_consistent(&self) -> bool {
        let alone = |at: usize, key: &SealingKeyEntry| self.keys[..at].iter().all(|k| k.suite != key.suite);
        self.keys.len() <= MAX_KEYS
            && self.keys.iter().enumerate().all(|(at, key)| key.key.key_id() == key.id && alone(at, key))
            && self.of_suite(self.suite).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::SealingKey;

    fn entry(suite: Suite, byte: u8) -> SealingKeyEntry {
        let key = SealingKey::from_secret(suite, [byte; 32]).expect("a key").public();
        SealingKeyEntry { id: key.key_id(), suite, key }
    }

    #[test]
    fn a_list_that_contradicts_itself_is_seen() {
        let list = |suite, keys| SealingKeyList { number: 1, issued_ms: 0, suite, keys };
        let (one, two) = (entry(Suite::One, 1), entry(Suite::Two, 2));
        assert!(list(Suite::One, vec![one.clone(), two.clone()]).is_consistent());
        assert!(list(Suite::Two, vec![two.clone()]).is_consistent());
        assert!(!list(Suite::Two, vec![one.clone()]).is_consistent(), "no key of the suite");
        assert!(!list(Suite::One, vec![one.clone(), entry(Suite::One, 3)]).is_consistent(), "two of a suite");
        let other_id = SealingKeyEntry { id: two.id, ..one };
        assert!(!list(Suite::One, vec![other_id]).is_consistent(), "another key's id");
    }
}
