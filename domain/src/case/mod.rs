//! 办件: a case is the fold of its append-only actions; no row is ever changed to say something else.
//!
//! Refuses to know who may act or how actions are stored: the server's services decide that.
mod action;
mod billing;
mod fold;
mod outcome;
pub mod plan;
mod reasons;
mod step;
mod view;
mod visit;

use serde::{Deserialize, Serialize};

pub use action::{Action, Flaw, Recorded, Want};
pub use billing::{Billed, BilledState};
pub use fold::{FoldError, fold};
pub use plan::{FailPolicy, MAX_STEPS, ONLY_STEP, Plan, PlanError, PlannedStep};
pub use reasons::{Outcome, QuarantineReason, ReturnReason};
pub use step::{StepState, StepView};
pub use view::{Asked, CaseView, SupplementView, Wanted};
pub use visit::{Answerable, VisitKind};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// 收件: stored and receipted, content not looked at yet.
    Received,
    /// 待受理: content opened and valid.
    Submitted,
    /// 退回: the content does not fit its form; the citizen is told what to do.
    Returned,
    /// 隔离: cannot be opened or belongs to a forked series; people look at it.
    Quarantined,
    /// 受理: accepted by the department, the clock runs.
    Accepted,
    /// 办结: decided.
    Completed,
}

/// The four marks (四个标记) that a citizen sees, kept apart: only receipts and case news move them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// 已保存本机
    Saved,
    /// 已送达中心
    Delivered,
    /// 部门已受理
    Accepted,
    /// 已办结
    Completed,
}

impl Mark {
    /// All marks in order.
    pub const ALL: [Mark; 4] = [Mark::Saved, Mark::Delivered, Mark::Accepted, Mark::Completed];
}

impl CaseState {
    /// All states, in the order of work lists.
    pub const ALL: [CaseState; 6] =
        [Self::Received, Self::Submitted, Self::Returned, Self::Quarantined, Self::Accepted, Self::Completed];

    /// Whether departments have it before them: it was opened, and is not closed.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Submitted | Self::Accepted)
    }

    /// The highest mark that this state stands for.
    pub fn mark(self) -> Mark {
        match self {
            Self::Received | Self::Submitted | Self::Returned | Self::Quarantined => Mark::Delivered,
            Self::Accepted => Mark::Accepted,
            Self::Completed => Mark::Completed,
        }
    }

    /// Whether a case may move from this state to `next`. Returned and completed are final: a citizen who tries
    /// again makes a new case, so no mark is ever taken back. What waited in quarantine for a key may turn out to be
    /// unreadable in another way: it stays there for that reason.
    pub fn allows(self, next: Self) -> bool {
        match self {
            Self::Received => matches!(next, Self::Submitted | Self::Returned | Self::Quarantined),
            Self::Submitted => {
                matches!(next, Self::Accepted | Self::Returned | Self::Quarantined | Self::Completed)
            }
            Self::Quarantined => matches!(next, Self::Submitted | Self::Returned | Self::Quarantined),
            Self::Accepted => matches!(next, Self::Completed),
            Self::Returned | Self::Completed => false,
        }
    }

    /// The name used in JSON, in tables and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Quarantined => "quarantined",
            Self::Accepted => "accepted",
            Self::Completed => "completed",
        }
    }

    /// The state with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}
