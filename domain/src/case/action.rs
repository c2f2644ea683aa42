//! What happens to a case: the actions, whose stored form never changes.
//!
//! An action carries kinds, ids and field keys, never a name, number, answer or word of a person: actions are shown on
//! consoles and outlive the content. What people write lies sealed beside them under the case's data key; the action
//! has its digest. Refuses to judge: the fold does.
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::{CaseState, Outcome, QuarantineReason, ReturnReason, VisitKind};
use crate::envelope::Digest;
use crate::ids::{CaseNo, EnvelopeId, UnitId};
use crate::money::Fen;
use crate::rules::Decision;

/// One thing that happened. Stored as JSON for ever, so variants and fields are only added.
///
/// `step` names a step of the plan; `by`, `holder` and `to` are ids of accounts; `text` is the digest of the sealed text
/// that belongs to the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Action {
    /// 收件: stored and receipted at the centre; always the first.
    Received {
        /// The number of the case.
        number: CaseNo,
        /// The number on the slip, if that one was taken already (更正).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slip_number: Option<CaseNo>,
    },
    /// 待受理: opened, and valid against the catalogue version that it names.
    Submitted {
        /// What is to be done; empty in cases of before there were plans.
        #[serde(default, skip_serializing_if = "Plan::is_empty")]
        plan: Plan,
    },
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
    /// 受理: the clock runs.
    Accepted {
        /// Nobody looked at it in time: it counts as accepted from its receipt (行政许可法 art. 32).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deemed: bool,
    },
    /// 签收: somebody of the unit takes the step.
    Taken { step: String, holder: String },
    /// 分派: somebody is given the step.
    Assigned { step: String, holder: String },
    /// 放回: whoever held the step holds it no longer.
    Released { step: String },
    /// 转办: another unit does the step.
    Transferred {
        step: String,
        unit: UnitId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// 回避: this person must not do the step.
    Recused { step: String, holder: String },
    /// 退回补正: a list of all that is missing (一次性告知), for one step.
    SupplementAsked {
        step: String,
        /// What is missing.
        wants: Vec<Want>,
        /// Working days that the citizen has.
        days: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// The notice with all that was asked for in the merge window goes out; the clock stands.
    SupplementSent {
        /// Last moment for the citizen, milliseconds since 1970.
        due_ms: i64,
    },
    /// The citizen's supplement came.
    SupplementReceived {
        /// The envelope that brought it.
        envelope: EnvelopeId,
        /// Keys of what was asked for and is in it: the new answers take the place of the old ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<String>,
        /// What is in it and does not fit the form: the old answers stay. No values.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unfit: Vec<ReturnReason>,
    },
    /// The time for the supplement is over without one.
    SupplementLapsed,
    /// 征询: another unit is asked.
    ConsultAsked {
        step: String,
        unit: UnitId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// The other unit answered.
    ConsultAnswered {
        step: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// 通过, by one level of review.
    Passed {
        step: String,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// 不予, with its basis in law.
    Refused {
        step: String,
        by: String,
        /// Which of the item's legal bases.
        basis: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// The step is not needed any more: its condition no longer holds.
    Skipped { step: String },
    /// A shared field changed after the step was done: it and what comes after it is done again.
    Reopened {
        step: String,
        /// Key of the field.
        field: String,
    },
    /// 自动审批: what a rule set says of a step. Changes nothing by itself: what follows is an action of its own.
    Judged {
        step: String,
        /// Names and truths, no values.
        decision: Box<Decision>,
        /// Digest of the sealed facts that it rests on; they lie beside the action.
        facts: Digest,
        /// Nobody waits any longer for what is missing: a person decides.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
    },
    /// 开具缴费单: something is to be paid for the step; the clock stands until it is, or the bill ends.
    Billed {
        step: String,
        /// The number of the bill.
        bill: String,
        /// How much.
        fen: Fen,
        /// On what ground of the law.
        basis: String,
        /// Last moment to pay, milliseconds since 1970.
        due_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// 已缴费: all of the bill was paid.
    BillPaid { step: String, bill: String },
    /// 缴费逾期: the bill was not paid in time.
    BillLapsed { step: String, bill: String },
    /// 取消缴费单: the office does not ask for it any more.
    BillCancelled {
        step: String,
        bill: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
    /// A note of staff; changes nothing.
    Noted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        text: Digest,
        /// Ids of the accounts that are named in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<String>,
    },
    /// The last day comes near, or is over.
    Escalated { over: bool },
    /// A change of the working-day calendar moved the last moment.
    DueMoved { from_ms: i64, to_ms: i64 },
    /// 首位接待: a clerk opened it at a window and stays answerable for it.
    Answerable {
        /// Id of the account.
        clerk: String,
        /// What the visit was for.
        visit: VisitKind,
    },
    /// 办结
    Completed {
        /// With what; none in cases of before there were plans.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Digest>,
    },
}

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Want {
    /// Key of a field of the form, or `material.N` for the Nth material of the list (from 0).
    pub key: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a field or material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// 缺少: it is not there.
    Missing,
    /// 看不清: it cannot be read.
    Unclear,
    /// 不符: it does not fit the rest, or the rule.
    Unfit,
    /// 过期: it is too old.
    Expired,
}

impl Flaw {
    /// All, in the order of forms.
    pub const ALL: [Flaw; 4] = [Self::Missing, Self::Unclear, Self::Unfit, Self::Expired];

    /// The name used in JSON, forms and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unclear => "unclear",
            Self::Unfit => "unfit",
            Self::Expired => "expired",
        }
    }

    /// The flaw with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flaw| flaw.as_str() == name)
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

impl Action {
    /// Opened and valid, with nothing planned: as cases were opened before there were plans.
    pub fn submitted() -> Self {
        Self::Submitted { plan: Plan::default() }
    }

    /// Accepted by somebody.
    pub fn accepted() -> Self {
        Self::Accepted { deemed: false }
    }

    /// Completed without an outcome, as cases were before there were plans.
    pub fn completed() -> Self {
        Self::Completed { outcome: None, text: None }
    }

    /// A supplement that brought these fields and materials, and all of them fit.
    pub fn supplement(envelope: EnvelopeId, keys: &[&str]) -> Self {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Self::SupplementReceived { envelope, keys, unfit: Vec::new() }
    }

    /// The state that the action leads to; none if the case stays where it is.
    pub fn state(&self) -> Option<CaseState> {
        match self {
            Self::Received { .. } => Some(CaseState::Received),
            Self::Submitted { .. } => Some(CaseState::Submitted),
            Self::Returned { .. } => Some(CaseState::Returned),
            Self::Quarantined { .. } => Some(CaseState::Quarantined),
            Self::Accepted { .. } => Some(CaseState::Accepted),
            Self::Completed { .. } => Some(CaseState::Completed),
            _ => None,
        }
    }

    /// The name used in JSON and in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "received",
            Self::Submitted { .. } => "submitted",
            Self::Returned { .. } => "returned",
            Self::Quarantined { .. } => "quarantined",
            Self::Accepted { .. } => "accepted",
            Self::Taken { .. } => "taken",
            Self::Assigned { .. } => "assigned",
            Self::Released { .. } => "released",
            Self::Transferred { .. } => "transferred",
            Self::Recused { .. } => "recused",
            Self::SupplementAsked { .. } => "supplement_asked",
            Self::SupplementSent { .. } => "supplement_sent",
            Self::SupplementReceived { .. } => "supplement_received",
            Self::SupplementLapsed => "supplement_lapsed",
            Self::ConsultAsked { .. } => "consult_asked",
            Self::ConsultAnswered { .. } => "consult_answered",
            Self::Passed { .. } => "passed",
            Self::Refused { .. } => "refused",
            Self::Skipped { .. } => "skipped",
            Self::Reopened { .. } => "reopened",
            Self::Judged { .. } => "judged",
            Self::Billed { .. } => "billed",
            Self::BillPaid { .. } => "bill_paid",
            Self::BillLapsed { .. } => "bill_lapsed",
            Self::BillCancelled { .. } => "bill_cancelled",
            Self::Noted { .. } => "noted",
            Self::Escalated { .. } => "escalated",
            Self::DueMoved { .. } => "due_moved",
            Self::Answerable { .. } => "answerable",
            Self::Completed { .. } => "completed",
        }
    }

    /// The step that it is about.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::Taken { step, .. }
            | Self::Assigned { step, .. }
            | Self::Released { step }
            | Self::Transferred { step, .. }
            | Self::Recused { step, .. }
            | Self::SupplementAsked { step, .. }
            | Self::ConsultAsked { step, .. }
            | Self::ConsultAnswered { step, .. }
            | Self::Passed { step, .. }
            | Self::Refused { step, .. }
            | Self::Skipped { step }
            | Self::Judged { step, .. }
            | Self::Billed { step, .. }
            | Self::BillPaid { step, .. }
            | Self::BillLapsed { step, .. }
            | Self::BillCancelled { step, .. }
            | Self::Reopened { step, .. } => Some(step),
            Self::Noted { step, .. } => step.as_deref(),
            _ => None,
        }
    }

    /// The digest of the sealed text that belongs to it.
    pub fn text(&self) -> Option<&Digest> {
        match self {
            Self::Transferred { text, .. }
            | Self::SupplementAsked { text, .. }
            | Self::ConsultAsked { text, .. }
            | Self::ConsultAnswered { text, .. }
            | Self::Passed { text, .. }
            | Self::Refused { text, .. }
            | Self::Billed { text, .. }
            | Self::BillCancelled { text, .. }
            | Self::Completed { text, .. } => text.as_ref(),
            Self::Noted { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Short reason of the state that it leads to.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Returned { reasons } => {
                reasons.first().map(|r| format!("{}:{}", r.field, r.kind)).unwrap_or_default()
            }
            Self::Quarantined { reason } => reason.as_str().to_owned(),
            _ => String::new(),
        }
    }
}
