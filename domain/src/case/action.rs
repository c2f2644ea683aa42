//! What happens to a case, and the pure fold that turns actions into what the case is now.
//!
//! An action carries kinds and field keys, never a name, number or answer of a person: actions are shown on
//! consoles and outlive the content. Refuses to skip versions or to leave the allowed edges.
use serde::{Deserialize, Serialize};

use super::CaseState;
use crate::ids::CaseNo;

/// One thing that happened. Stored as JSON for ever, so variants and fields are only added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// 收件: stored and receipted at the centre; always the first.
    Received {
        /// The number of the case.
        number: CaseNo,
        /// The number on the slip, if that one was taken already (更正).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slip_number: Option<CaseNo>,
    },
    /// Opened, and valid against the catalogue version that it names.
    Submitted,
    /// 退回: opened, but the answers do not fit the form.
    Returned {
        /// Which fields, and what kind of error: no values.
        reasons: Vec<ReturnReason>,
    },
    /// 隔离: people have to look at it.
    Quarantined {
        /// Why.
        reason: QuarantineReason,
    },
    /// 受理
    Accepted,
    /// 办结
    Completed,
}

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

/// An action with its place in the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Version of the case after it: 1 for the first, without gaps.
    pub version: u64,
    /// When the centre committed it, milliseconds since 1970.
    pub at_ms: i64,
    /// What happened.
    pub action: Action,
}

/// What a case is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseView {
    /// Its number.
    pub number: CaseNo,
    /// The number on the slip, if it is another one.
    pub slip_number: Option<CaseNo>,
    /// Where it stands.
    pub state: CaseState,
    /// How many actions made it.
    pub version: u64,
    /// When it was received, milliseconds since 1970.
    pub received_at_ms: i64,
    /// When it last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
    /// Short reason of the present state (`series_fork`, or `field:kind` of the first error); empty if none.
    pub reason: String,
}

/// Actions that do not make a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// There is no action at all.
    #[error("a case has at least one action")]
    Empty,
    /// The first action is not that the case was received, or a later one is.
    #[error("a case begins with being received, once")]
    Beginning,
    /// A version is missing or stands twice.
    #[error("version {found} follows where {expected} should")]
    Version {
        /// What should have come.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The state machine has no such edge.
    #[error("a case never moves from {from:?} to {to:?}")]
    Edge {
        /// Where the case stood.
        from: CaseState,
        /// Where the action would move it.
        to: CaseState,
    },
}

impl Action {
    /// The state that the action leads to.
    pub fn state(&self) -> CaseState {
        match self {
            Self::Received { .. } => CaseState::Received,
            Self::Submitted => CaseState::Submitted,
            Self::Returned { .. } => CaseState::Returned,
            Self::Quarantined { .. } => CaseState::Quarantined,
            Self::Accepted => CaseState::Accepted,
            Self::Completed => CaseState::Completed,
        }
    }

    /// The name used in JSON and in tables.
    pub fn name(&self) -> &'static str {
        self.state().as_str()
    }

    fn reason(&self) -> String {
        match self {
            Self::Returned { reasons } => {
                reasons.first().map(|r| format!("{}:{}", r.field, r.kind)).unwrap_or_default()
            }
            Self::Quarantined { reason } => reason.as_str().to_owned(),
            _ => String::new(),
        }
    }
}

impl CaseView {
    /// The case that a first action makes.
    ///
    /// # Errors
    /// [`FoldError`] if it is not `Received` with version 1.
    pub fn begin(first: &Recorded) -> Result<Self, FoldError> {
        let Action::Received { number, slip_number } = &first.action else {
            return Err(FoldError::Beginning);
        };
        if first.version != 1 {
            return Err(FoldError::Version { expected: 1, found: first.version });
        }
        Ok(Self {
            number: number.clone(),
            slip_number: slip_number.clone(),
            state: CaseState::Received,
            version: 1,
            received_at_ms: first.at_ms,
            changed_at_ms: first.at_ms,
            reason: String::new(),
        })
    }

    /// Adds one more action; on an error the case is what it was.
    ///
    /// # Errors
    /// [`FoldError`] for a wrong version or an edge that does not exist.
    pub fn apply(&mut self, next: &Recorded) -> Result<(), FoldError> {
        if next.version != self.version + 1 {
            return Err(FoldError::Version { expected: self.version + 1, found: next.version });
        }
        let to = next.action.state();
        if to == CaseState::Received {
            return Err(FoldError::Beginning);
        }
        if !self.state.allows(to) {
            return Err(FoldError::Edge { from: self.state, to });
        }
        self.state = to;
        self.version = next.version;
        self.changed_at_ms = next.at_ms;
        self.reason = next.action.reason();
        Ok(())
    }
}

/// Folds the actions of one case, oldest first.
///
/// # Errors
/// [`FoldError`] if they do not make a case.
pub fn fold<'a>(actions: impl IntoIterator<Item = &'a Recorded>) -> Result<CaseView, FoldError> {
    let mut actions = actions.into_iter();
    let mut view = CaseView::begin(actions.next().ok_or(FoldError::Empty)?)?;
    actions.try_for_each(|a| view.apply(a))?;
    Ok(view)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::Mark;

    fn number() -> CaseNo {
        let date = "2026-11-24".parse().expect("a date");
        let state = crate::ids::CounterState { date, counter: 1 };
        CaseNo::issue(crate::ids::Issuer::new(1).expect("in range"), state)
    }

    fn received() -> Action {
        Action::Received { number: number(), slip_number: None }
    }

    fn recorded(version: u64, action: Action) -> Recorded {
        Recorded { version, at_ms: 1_000 * version as i64, action }
    }

    fn any_action() -> impl Strategy<Value = Action> {
        prop_oneof![
            1 => Just(received()),
            3 => Just(Action::Submitted),
            2 => Just(Action::Returned { reasons: vec![ReturnReason { field: "phone".into(), kind: "phone".into() }] }),
            2 => Just(Action::Quarantined { reason: QuarantineReason::SeriesFork }),
            3 => Just(Action::Accepted),
            3 => Just(Action::Completed),
        ]
    }

    #[test]
    fn the_straight_way_leads_to_completion() {
        let actions: Vec<_> = [received(), Action::Submitted, Action::Accepted, Action::Completed]
            .into_iter()
            .zip(1..)
            .map(|(a, v)| recorded(v, a))
            .collect();
        let view = fold(&actions).expect("a case");
        assert_eq!((view.state, view.version), (CaseState::Completed, 4));
        assert_eq!((view.received_at_ms, view.changed_at_ms), (1_000, 4_000));
    }

    #[test]
    fn broken_histories_are_refused() {
        use FoldError::{Beginning, Edge, Empty, Version};
        let r = |v, a| recorded(v, a);
        let table = [
            (vec![], Empty),
            (vec![r(1, Action::Submitted)], Beginning),
            (vec![r(2, received())], Version { expected: 1, found: 2 }),
            (vec![r(1, received()), r(2, received())], Beginning),
            (vec![r(1, received()), r(3, Action::Submitted)], Version { expected: 2, found: 3 }),
            (
                vec![r(1, received()), r(2, Action::Completed)],
                Edge { from: CaseState::Received, to: CaseState::Completed },
            ),
        ];
        for (actions, error) in table {
            assert_eq!(fold(&actions), Err(error));
        }
    }

    #[test]
    fn the_stored_form_of_an_action_is_fixed() {
        let table = [
            (Action::Submitted, r#"{"kind":"submitted"}"#.to_owned()),
            (
                Action::Quarantined { reason: QuarantineReason::SeriesFork },
                r#"{"kind":"quarantined","reason":"series_fork"}"#.to_owned(),
            ),
            (received(), format!(r#"{{"kind":"received","number":"{}"}}"#, number())),
        ];
        for (action, json) in table {
            assert_eq!(serde_json::to_string(&action).expect("json"), json);
            assert_eq!(serde_json::from_str::<Action>(&json).expect("read back"), action);
        }
    }

    #[test]
    fn every_state_has_its_name() {
        for state in CaseState::ALL {
            assert_eq!(CaseState::from_name(state.as_str()), Some(state));
            assert_eq!(serde_json::to_string(&state).expect("json"), format!("\"{}\"", state.as_str()));
        }
    }

    proptest! {
        #[test]
        fn a_mark_is_never_taken_back_and_a_refused_action_changes_nothing(
            steps in proptest::collection::vec((any_action(), 0u64..3), 0..40)
        ) {
            let mut view = CaseView::begin(&recorded(1, received())).expect("begins");
            let mut kept = vec![recorded(1, received())];
            let mut mark = Mark::Delivered;
            for (action, skip) in steps {
                let before = view.clone();
                let next = recorded(view.version + skip, action);
                match view.apply(&next) {
                    Ok(()) => {
                        prop_assert!(before.state.allows(view.state));
                        prop_assert_eq!(view.version, before.version + 1);
                        prop_assert!(view.state.mark() >= mark);
                        mark = view.state.mark();
                        kept.push(next);
                    }
                    Err(_) => prop_assert_eq!(&view, &before),
                }
            }
            prop_assert_eq!(fold(&kept), Ok(view));
        }
    }
}
