//! How far a step of a case has come: its states, and which action may follow which.
//!
//! Refuses to look at other steps: the fold does.
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::plan::PlannedStep;
use crate::ids::UnitId;

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// 待前置: something must be done before.
    Waiting,
    /// 待签收: it can begin, and nobody has it.
    Ready,
    /// 审核中: somebody has it.
    Taken,
    /// 退回补正: it waits for the citizen.
    Supplement,
    /// 征询中: it waits for another unit's opinion.
    Consulting,
    /// 通过
    Passed,
    /// 不予
    Refused,
    /// 不需办理: its condition does not hold, or the whole case ended.
    Skipped,
    /// 未办: a step before it was refused.
    Blocked,
}

impl StepState {
    /// All, in the order of lists.
    pub const ALL: [StepState; 9] = [
        Self::Ready,
        Self::Taken,
        Self::Consulting,
        Self::Supplement,
        Self::Waiting,
        Self::Passed,
        Self::Refused,
        Self::Blocked,
        Self::Skipped,
    ];

    /// The name used in JSON, in tables and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Taken => "taken",
            Self::Supplement => "supplement",
            Self::Consulting => "consulting",
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Blocked => "blocked",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether something is still to be done.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Ready | Self::Taken | Self::Supplement | Self::Consulting)
    }

    /// Whether the unit can do something now.
    pub fn is_workable(self) -> bool {
        matches!(self, Self::Ready | Self::Taken)
    }

    /// Whether what comes after may begin.
    pub fn lets_on(self) -> bool {
        matches!(self, Self::Passed | Self::Skipped)
    }
}

/// A step as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepView {
    /// As in the plan.
    pub id: String,
    /// Who does it now; another unit than in the plan after 转办.
    pub unit: UnitId,
    /// Where it stands.
    pub state: StepState,
    /// The account that has it.
    pub holder: Option<String>,
    /// Accounts that passed it, one a level.
    pub passed_by: Vec<String>,
    /// How often a supplement was asked for.
    pub rounds: u16,
    /// The last supplement did not come in time.
    pub lapsed: bool,
    /// The unit whose opinion is waited for.
    pub consulted: Option<UnitId>,
    /// Accounts that must not do it.
    pub recused: Vec<String>,
    /// Version of the case after the last action that touched it; what whoever acts on the step must have seen.
    pub version: u64,
    /// Version of the case when it was last decided on, by one of its levels; 0 if it never was. What came later was not
    /// decided on.
    pub decided_version: u64,
    /// Since when it stands there, milliseconds since 1970.
    pub since_ms: i64,
    /// When it could begin, milliseconds since 1970.
    pub ready_at_ms: Option<i64>,
}

impl StepView {
    /// A step at the time at which the case was opened.
    pub(super) fn new(planned: &PlannedStep) -> Self {
        Self {
            id: planned.id.clone(),
            unit: planned.unit.clone(),
            state: if planned.off { StepState::Skipped } else { StepState::Waiting },
            holder: None,
            passed_by: Vec::new(),
            rounds: 0,
            lapsed: false,
            consulted: None,
            recused: Vec::new(),
            version: 0,
            decided_version: 0,
            since_ms: 0,
            ready_at_ms: None,
        }
    }

    /// Goes on by an action that is about this step alone; says whether the action may follow.
    pub(super) fn go_on(&mut self, action: &Action, levels: u8) -> bool {
        use StepState::{Consulting, Passed, Ready, Refused, Skipped, Supplement, Taken};
        let workable = self.state.is_workable();
        match action {
            Action::Taken { holder, .. } if self.state == Ready && self.may(holder) => {
                self.hold(Taken, Some(holder));
            }
            Action::Assigned { holder, .. } if workable && self.may(holder) => self.hold(Taken, Some(holder)),
            Action::Released { .. } if self.state == Taken => self.hold(Ready, None),
            Action::Transferred { unit, .. } if workable && *unit != self.unit => {
                self.unit = unit.clone();
                self.passed_by.clear();
                self.hold(Ready, None);
            }
            Action::Recused { holder, .. } if workable && !self.recused.contains(holder) => {
                self.recused.push(holder.clone());
                if self.holder.as_ref() == Some(holder) {
                    self.hold(Ready, None);
                }
            }
            Action::SupplementAsked { .. } if workable => {
                self.rounds = self.rounds.saturating_add(1);
                self.state = Supplement;
            }
            Action::ConsultAsked { unit, .. } if self.state == Taken && *unit != self.unit => {
                self.state = Consulting;
                self.consulted = Some(unit.clone());
            }
            Action::ConsultAnswered { .. } if self.state == Consulting => {
                self.state = Taken;
                self.consulted = None;
            }
            Action::Passed { by, .. } if workable && self.may(by) && self.may_hold(by) => {
                self.passed_by.push(by.clone());
                let last = self.passed_by.len() >= usize::from(levels);
                self.hold(if last { Passed } else { Ready }, None);
            }
            Action::Refused { by, .. } if workable && self.may(by) && self.may_hold(by) => {
                self.hold(Refused, None)
            }
            Action::Skipped { .. } if self.state.is_open() => self.hold(Skipped, None),
            // What was passed by one level of several is decided in part.
            Action::Reopened { .. } if matches!(self.state, Passed | Refused | Skipped) => self.again(),
            Action::Reopened { .. } if workable && !self.passed_by.is_empty() => self.again(),
            Action::Judged { .. } if self.state.is_open() => {}
            Action::Noted { .. } => {}
            _ => return false,
        }
        true
    }

    /// Whether this account may do something here: it did not recuse itself, and passed no level before.
    pub fn may(&self, account: &str) -> bool {
        !self.recused.iter().chain(&self.passed_by).any(|other| other == account)
    }

    fn may_hold(&self, account: &str) -> bool {
        self.holder.as_ref().is_none_or(|holder| holder == account)
    }

    /// To be done again from the beginning, once what comes before it is done.
    pub(super) fn again(&mut self) {
        self.passed_by.clear();
        self.lapsed = false;
        self.ready_at_ms = None;
        self.hold(StepState::Waiting, None);
    }

    /// The citizen's turn is over, with a supplement or without.
    pub(super) fn come_back(&mut self, lapsed: bool) {
        self.lapsed = lapsed;
        self.state = if self.holder.is_some() { StepState::Taken } else { StepState::Ready };
    }

    pub(super) fn hold(&mut self, state: StepState, holder: Option<&String>) {
        self.state = state;
        self.holder = holder.cloned();
        self.consulted = None;
    }
}
