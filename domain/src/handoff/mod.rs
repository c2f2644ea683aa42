//! 异地代收转办: one region takes a matter in, another decides it, and both see the same course of it.
//!
//! Pure: instants come in as milliseconds since 1970. Both centres fold the same steps, each those that it took and those
//! that the other told it; a step is taken by one side only, so that neither can speak for the other. Refuses to know
//! persons, messages and keys. A decision has no words and no colour here: the accepting side has no place for a reason.
//!
//! | Chinese | here | who |
//! |---|---|---|
//! | 收件 | [`Step::Received`] | accepting |
//! | 形审 | [`Step::FormChecked`] | accepting |
//! | 核验 | [`Step::IdentityChecked`] | accepting |
//! | 已传 / 已寄 | [`Step::Sent`] | accepting |
//! | 属地签收 | [`Step::SignedFor`] | home |
//! | 受理, 退回补正, 不属本地 | [`Step::Accepted`], [`Step::Returned`], [`Step::NotOurs`] | home |
//! | 决定 | [`Step::Decided`] | home |
//! | 结果寄送 | [`Step::ResultSent`] | home |
//! | 签收 | [`Step::ResultReceived`] | accepting |
//! | 归档 | [`Step::Archived`] | accepting; home for itself |
mod adcode;
mod clocks;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use adcode::{Adcode, AdcodeError};
pub use clocks::{ABANDONED_MS, Clocks, TRANSFER, Times};

use crate::deadline::Pause;
use crate::ids::CaseNo;
use crate::item::CrossRegion;

/// How often a handoff can be sent, at most: the first time and after each return.
pub const MAX_ROUNDS: u16 = 20;

macro_rules! named {
    ($($ty:ident { $($variant:ident $name:literal,)* })*) => {$(
        impl $ty {
            /// All, in the order in which people read them.
            pub const ALL: &[$ty] = &[$(Self::$variant),*];

            /// The name used in JSON, tables and texts.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    )*};
}

/// 办理模式: how a matter of one region is done in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 全程网办: the citizen applies at the home region's own address; nothing is handed over.
    Online,
    /// 异地代收代办: taken in and checked here, decided there.
    HandIn,
    /// 多地联办: taken in once, and several regions decide their parts.
    Joint,
}

/// Which of the two centres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// 收件地: where the person stands.
    Accepting,
    /// 属地: where it is decided.
    Home,
}

/// How a result comes to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultWay {
    /// 邮寄
    Mail,
    /// 电子送达
    Electronic,
    /// 收件窗口打印
    Window,
}

/// Where a handoff stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffState {
    /// 收件
    Received,
    /// 形审
    FormChecked,
    /// 核验
    IdentityChecked,
    /// 已传
    Sent,
    /// 属地签收
    SignedFor,
    /// 受理
    Accepted,
    /// 退回补正
    Returned,
    /// 不属本地
    NotOurs,
    /// 决定
    Decided,
    /// 结果寄送
    ResultSent,
    /// 签收
    ResultReceived,
    /// 归档
    Archived,
}

named! {
    Mode { Online "online", HandIn "hand_in", Joint "joint", }
    Side { Accepting "accepting", Home "home", }
    ResultWay { Mail "mail", Electronic "electronic", Window "window", }
    HandoffState {
        Received "received",
        FormChecked "form_checked",
        IdentityChecked "identity_checked",
        Sent "sent",
        SignedFor "signed_for",
        Accepted "accepted",
        Returned "returned",
        NotOurs "not_ours",
        Decided "decided",
        ResultSent "result_sent",
        ResultReceived "result_received",
        Archived "archived",
    }
}

impl Mode {
    /// Whether this region hands something over in this mode.
    pub fn hands_over(self) -> bool {
        self != Self::Online
    }

    /// Modes that an item allows for people of another region, the usual one first; none if it is done here only.
    pub fn of(region: CrossRegion) -> &'static [Mode] {
        match region {
            CrossRegion::Nationwide | CrossRegion::Province => &[Self::HandIn, Self::Joint, Self::Online],
            CrossRegion::None => &[],
        }
    }
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Accepting => Self::Home,
            Self::Home => Self::Accepting,
        }
    }
}

impl HandoffState {
    /// Nothing can follow but the archive.
    pub fn is_over(self) -> bool {
        matches!(self, Self::NotOurs | Self::ResultReceived | Self::Archived)
    }

    /// Whether whoever took it in may still have to change what was handed over.
    pub fn needs_content(self) -> bool {
        matches!(
            self,
            Self::Received
                | Self::FormChecked
                | Self::IdentityChecked
                | Self::Sent
                | Self::SignedFor
                | Self::Returned
        )
    }
}

/// One step, as both centres write it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// 收件: somebody brought it.
    Received {
        /// How it is done.
        mode: Mode,
    },
    /// 形审: complete and of the form that the home region wants.
    FormChecked,
    /// 核验: the person is who the card says.
    IdentityChecked,
    /// 已传: it went to the home region.
    Sent {
        /// The how manieth time, from 1.
        round: u16,
        /// Catalogue version of the home region whose form it has.
        form_version: u64,
    },
    /// 属地签收: the home region has it.
    SignedFor,
    /// 受理: the home region opened a case; the legal time begins.
    Accepted {
        /// Its number there.
        number: CaseNo,
    },
    /// 退回补正: something is missing; the person is asked where it was taken in.
    Returned,
    /// 不属本地: another region decides it.
    NotOurs,
    /// 决定: decided, however.
    Decided,
    /// 结果寄送: the result is on its way.
    ResultSent {
        /// How.
        way: ResultWay,
    },
    /// 签收: the person has it.
    ResultReceived,
    /// 归档
    Archived,
}

impl Step {
    /// Where it leads.
    pub fn leads_to(&self) -> HandoffState {
        match self {
            Self::Received { .. } => HandoffState::Received,
            Self::FormChecked => HandoffState::FormChecked,
            Self::IdentityChecked => HandoffState::IdentityChecked,
            Self::Sent { .. } => HandoffState::Sent,
            Self::SignedFor => HandoffState::SignedFor,
            Self::Accepted { .. } => HandoffState::Accepted,
            Self::Returned => HandoffState::Returned,
            Self::NotOurs => HandoffState::NotOurs,
            Self::Decided => HandoffState::Decided,
            Self::ResultSent { .. } => HandoffState::ResultSent,
            Self::ResultReceived => HandoffState::ResultReceived,
            Self::Archived => HandoffState::Archived,
        }
    }

    /// Who takes it; each side archives for itself.
    pub fn is_of(&self, side: Side) -> bool {
        match self {
            Self::Received { .. }
            | Self::FormChecked
            | Self::IdentityChecked
            | Self::Sent { .. }
            | Self::ResultReceived => side == Side::Accepting,
            Self::SignedFor
            | Self::Accepted { .. }
            | Self::Returned
            | Self::NotOurs
            | Self::Decided
            | Self::ResultSent { .. } => side == Side::Home,
            Self::Archived => true,
        }
    }

    /// Whether the other centre is told of it: what was sent, and everything from then on but the archive.
    pub fn is_told(&self) -> bool {
        !matches!(self, Self::Received { .. } | Self::FormChecked | Self::IdentityChecked | Self::Archived)
    }
}

/// A step that does not follow, or is not this side's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a step that does not follow from where the handoff stands")]
pub struct Refused;

/// A handoff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    /// Where it stands.
    pub state: HandoffState,
    /// How it is done.
    pub mode: Mode,
    /// How many steps made it.
    pub version: u64,
    /// How often it was sent.
    pub round: u16,
    /// Catalogue version of the home region with which it was sent last; 0 before.
    pub form_version: u64,
    /// When it was taken in.
    pub received_at_ms: i64,
    /// When it last changed.
    pub changed_at_ms: i64,
    /// When the home region accepted it.
    pub accepted_at_ms: Option<i64>,
    /// When the home region said that it is not its own.
    pub refused_at_ms: Option<i64>,
    /// When it was decided.
    pub decided_at_ms: Option<i64>,
    /// When the transfer stood still because the person was asked for something.
    pub pauses: Vec<Pause>,
    /// The number of the home region's case.
    pub number: Option<CaseNo>,
    /// How the result comes.
    pub way: Option<ResultWay>,
}

impl Handoff {
    /// Begins one that somebody brought.
    pub fn begin(mode: Mode, at_ms: i64) -> Self {
        Self {
            state: HandoffState::Received,
            mode,
            version: 1,
            round: 0,
            form_version: 0,
            received_at_ms: at_ms,
            changed_at_ms: at_ms,
            accepted_at_ms: None,
            refused_at_ms: None,
            decided_at_ms: None,
            pauses: Vec::new(),
            number: None,
            way: None,
        }
    }

    /// Folds steps as they were written down, the first of which is [`Step::Received`].
    ///
    /// # Errors
    /// [`Refused`] if they are none of one handoff.
    pub fn fold<'a>(steps: impl IntoIterator<Item = (Side, &'a Step, i64)>) -> Result<Self, Refused> {
        let mut steps = steps.into_iter();
        let Some((Side::Accepting, Step::Received { mode }, at_ms)) = steps.next() else {
            return Err(Refused);
        };
        let mut handoff = Self::begin(*mode, at_ms);
        for (side, step, at_ms) in steps {
            handoff.take(side, step, at_ms)?;
        }
        Ok(handoff)
    }

    /// Whether a side may take a step now.
    pub fn may(&self, side: Side, step: &Step) -> bool {
        use HandoffState as S;
        let follows = match step {
            Step::Received { .. } => false,
            Step::FormChecked => matches!(self.state, S::Received | S::Returned),
            Step::IdentityChecked => self.state == S::FormChecked,
            Step::Sent { round, .. } => {
                self.state == S::IdentityChecked && *round == self.round + 1 && *round <= MAX_ROUNDS
            }
            Step::SignedFor => self.state == S::Sent,
            Step::Accepted { .. } => self.state == S::SignedFor,
            Step::Returned => self.state == S::SignedFor && self.round < MAX_ROUNDS,
            // Seen on the list already: nobody has to sign for what belongs elsewhere.
            Step::NotOurs => matches!(self.state, S::Sent | S::SignedFor),
            Step::Decided => self.state == S::Accepted,
            Step::ResultSent { .. } => self.state == S::Decided,
            Step::ResultReceived => self.state == S::ResultSent,
            Step::Archived => self.state.is_over() && self.state != S::Archived,
        };
        follows && step.is_of(side)
    }

    /// Takes a step. An instant before the last one counts as that: two machines' clocks differ. What nobody goes on with
    /// ([`Handoff::is_abandoned`]) can be archived as it stands.
    ///
    /// # Errors
    /// [`Refused`]; nothing changed then.
    pub fn take(&mut self, side: Side, step: &Step, at_ms: i64) -> Result<(), Refused> {
        let put_away = *step == Step::Archived && self.is_abandoned(at_ms);
        if !put_away && !self.may(side, step) {
            return Err(Refused);
        }
        let at_ms = at_ms.max(self.changed_at_ms);
        match step {
            Step::Sent { round, form_version } => {
                (self.round, self.form_version) = (*round, *form_version);
                self.end_pause(at_ms);
            }
            Step::Returned => self.pauses.push(Pause { from_ms: at_ms, until_ms: None }),
            Step::Accepted { number } => {
                (self.accepted_at_ms, self.number) = (Some(at_ms), Some(number.clone()));
            }
            Step::NotOurs => self.refused_at_ms = Some(at_ms),
            Step::Decided => self.decided_at_ms = Some(at_ms),
            Step::ResultSent { way } => self.way = Some(*way),
            _ => {}
        }
        (self.state, self.changed_at_ms, self.version) = (step.leads_to(), at_ms, self.version + 1);
        Ok(())
    }

    fn end_pause(&mut self, at_ms: i64) {
        if let Some(pause) = self.pauses.last_mut().filter(|pause| pause.until_ms.is_none()) {
            pause.until_ms = Some(at_ms);
        }
    }
}
