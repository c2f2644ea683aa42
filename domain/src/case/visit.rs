//! 首位接待: who opened a case at a window for the person who stood there, and in which kind of visit.
//!
//! Whoever did stays answerable for it. Refuses to know windows, times and people: a visit is the centre's.
use serde::{Deserialize, Serialize};

use super::{CaseState, CaseView};

/// What a visit to a window is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VisitKind {
    /// 窗口办理: the person applies.
    Window,
    /// 帮办代办: somebody of the staff fills in for a person who cannot.
    Assisted,
    /// 异地代收: accepted here, decided elsewhere.
    CrossRegion,
}

impl VisitKind {
    /// All, in the order of forms.
    pub const ALL: [VisitKind; 3] = [Self::Window, Self::Assisted, Self::CrossRegion];

    /// The name used in JSON, tables, forms and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Assisted => "assisted",
            Self::CrossRegion => "cross_region",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who is answerable for a case since its first minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerable {
    /// Id of the account.
    pub clerk: String,
    /// In which kind of visit.
    pub kind: VisitKind,
}

impl CaseView {
    /// Somebody is answerable from the beginning or not at all: nobody becomes so afterwards, and nobody ceases to be.
    pub(super) fn becomes_answerable(&mut self, clerk: &str, kind: VisitKind) -> Option<()> {
        if self.version != 2 || self.state != CaseState::Received {
            return None;
        }
        self.answerable = Some(Answerable { clerk: clerk.to_owned(), kind });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Action, FoldError, Plan, Recorded, fold};
    use crate::ids::{CaseNo, CounterState, Issuer};

    fn history(actions: Vec<Action>) -> Vec<Recorded> {
        let date = "2026-11-24".parse().expect("a date");
        let number = CaseNo::issue(Issuer::new(900).expect("in range"), CounterState { date, counter: 1 });
        let received = Action::Received { number, slip_number: None };
        let all = std::iter::once(received).chain(actions);
        (1..).zip(all).map(|(version, action)| Recorded { version, at_ms: 5, action }).collect()
    }

    fn opened() -> Action {
        Action::Answerable { clerk: "A-0003".into(), visit: VisitKind::Assisted }
    }

    #[test]
    fn whoever_opened_it_is_answerable_for_ever() {
        let plain = fold(&history(vec![Action::submitted()])).expect("a case");
        assert_eq!(plain.answerable, None, "a terminal's case is nobody's");
        let view = fold(&history(vec![opened(), Action::submitted(), Action::accepted()])).expect("a case");
        let whole = Answerable { clerk: "A-0003".into(), kind: VisitKind::Assisted };
        assert_eq!((view.answerable, view.state), (Some(whole), CaseState::Accepted));
    }

    #[test]
    fn nobody_becomes_answerable_later_or_twice() {
        for actions in [
            vec![opened(), opened()],
            vec![Action::submitted(), opened()],
            vec![Action::Submitted { plan: Plan::default() }, Action::accepted(), opened()],
        ] {
            assert!(matches!(fold(&history(actions)), Err(FoldError::Misfit { .. })));
        }
    }

    #[test]
    fn kinds_read_back_and_an_action_is_stored_by_its_names() {
        for kind in VisitKind::ALL {
            assert_eq!(VisitKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(VisitKind::from_name("Window"), None);
        let stored = r#"{"kind":"answerable","clerk":"A-0003","visit":"assisted"}"#;
        assert_eq!(serde_json::to_string(&opened()).ok().as_deref(), Some(stored));
        assert_eq!(serde_json::from_str::<Action>(stored).ok(), Some(opened()));
    }
}
