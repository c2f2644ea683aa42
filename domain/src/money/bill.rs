//! 缴费单: one bill with all that was paid on it and all that goes back, as the fold of its events.
//!
//! | what comes | what becomes of it |
//! |---|---|
//! | less than is left | it is kept; the bill stays open with the rest |
//! | more than is left | what was left is kept, the surplus goes back |
//! | on a bill that is paid | it goes back |
//! | after the bill lapsed | it goes back, unless the case still waits for it and it is enough |
//! | on a bill that was cancelled | it goes back |
//! | on no bill | it is kept as a stray until somebody gives it back |
use serde::{Deserialize, Serialize};

use super::Fen;
use super::event::{BillEvent, Stray};

/// Payments on one bill, at most; further ones are strays.
pub const MAX_PAYMENTS: usize = 100;
/// Tries of one refund before a person has to look.
pub const MAX_TRIES: u32 = 8;
/// The longest number of a transaction, in bytes.
const MAX_TRANSACTION: usize = 64;

/// Where a bill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillState {
    /// 待缴费
    Open,
    /// 已缴费
    Paid,
    /// 已逾期
    Lapsed,
    /// 已取消
    Cancelled,
    /// 已退费: it was paid, and all of it goes back.
    GivenBack,
    /// 无主款项: a payment that fits no bill.
    Stray,
}

impl BillState {
    /// All, in the order of lists.
    pub const ALL: [BillState; 6] =
        [Self::Open, Self::Stray, Self::Paid, Self::Lapsed, Self::Cancelled, Self::GivenBack];

    /// The name used in tables, texts and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Lapsed => "lapsed",
            Self::Cancelled => "cancelled",
            Self::GivenBack => "given_back",
            Self::Stray => "stray",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A payment that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The gateway's number of it.
    pub transaction: String,
    /// How much came.
    pub fen: Fen,
    /// How much of it is kept.
    pub kept: Fen,
    /// When by the gateway, milliseconds since 1970.
    pub paid_at_ms: i64,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// More came than was left.
    Over,
    /// It was paid already.
    Double,
    /// It came after the bill had lapsed.
    Late,
    /// The bill lapsed with a part of it.
    Lapsed,
    /// The bill was cancelled.
    Cancelled,
    /// What was paid for does not happen, or it was a stray.
    GivenBack,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// It is to be done, or tried again.
    Owed,
    /// It was done.
    Done,
    /// It failed too often: a person has to look.
    Stuck,
}

impl RefundState {
    /// The name used in tables and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Done => "done",
            Self::Stuck => "stuck",
        }
    }
}

/// Money that goes back, by the transaction that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Which one of the bill, from 1.
    pub number: u16,
    /// Of which payment.
    pub transaction: String,
    /// Which one of that payment, from 1: with it the gateway knows the refund.
    pub turn: u16,
    /// How much.
    pub fen: Fen,
    /// Why.
    pub why: Why,
    /// Where it stands.
    pub state: RefundState,
    /// Tries that failed since a person last looked.
    pub tries: u32,
}

/// What a bill is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// How many events made it.
    pub version: u64,
    /// Where it stands.
    pub state: BillState,
    /// How much it asks for; nothing of a stray.
    pub fen: Fen,
    /// Last moment to pay, milliseconds since 1970; 0 of a stray.
    pub due_ms: i64,
    /// Why it is a stray.
    pub stray: Option<Stray>,
    /// What came.
    pub payments: Vec<Payment>,
    /// What goes back.
    pub refunds: Vec<Refund>,
}

/// Events that do not make a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// The first event opens no bill, or a later one does.
    #[error("a bill begins with being opened, once")]
    Beginning,
    /// It asks for nothing.
    #[error("a bill asks for something")]
    Nothing,
    /// The event does not fit where the bill stands.
    #[error("the event does not fit a bill that is {0:?}")]
    Misfit(BillState),
    /// A payment of nothing, or without a usable number.
    #[error("a payment has a number and an amount")]
    Payment,
    /// The same transaction came before.
    #[error("that transaction was counted already")]
    Twice,
    /// More payments, or more money, than a bill takes.
    #[error("the bill takes no more payments")]
    Full,
    /// There is no such refund, or it is done.
    #[error("no such refund is open")]
    Refund,
}

impl Bill {
    /// The bill that a first event makes.
    ///
    /// # Errors
    /// [`BillError`] if it opens none.
    pub fn begin(first: &BillEvent) -> Result<Self, BillError> {
        let (state, fen, due_ms, stray) = match first {
            BillEvent::Opened { fen, .. } if fen.is_nothing() => return Err(BillError::Nothing),
            BillEvent::Opened { fen, due_ms, .. } => (BillState::Open, *fen, *due_ms, None),
            BillEvent::Strayed { why } => (BillState::Stray, Fen::NOTHING, 0, Some(*why)),
            _ => return Err(BillError::Beginning),
        };
        Ok(Self { version: 1, state, fen, due_ms, stray, payments: Vec::new(), refunds: Vec::new() })
    }

    /// Folds the events of one bill, oldest first.
    ///
    /// # Errors
    /// [`BillError`] if they do not make a bill.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a BillEvent>) -> Result<Self, BillError> {
        let mut events = events.into_iter();
        let mut bill = Self::begin(events.next().ok_or(BillError::Beginning)?)?;
        events.try_for_each(|event| bill.apply(event))?;
        Ok(bill)
    }

    /// Adds one more event; on an error the bill is what it was.
    ///
    /// # Errors
    /// [`BillError`]
    pub fn apply(&mut self, event: &BillEvent) -> Result<(), BillError> {
        let mut after = self.clone();
        after.go_on(event)?;
        after.version += 1;
        *self = after;
        Ok(())
    }

    fn go_on(&mut self, event: &BillEvent) -> Result<(), BillError> {
        match event {
            BillEvent::Opened { .. } | BillEvent::Strayed { .. } => return Err(BillError::Beginning),
            BillEvent::Arrived { transaction, fen, paid_at_ms, still_wanted } => {
                self.arrive((transaction, *fen), *paid_at_ms, *still_wanted)?;
            }
            BillEvent::Lapsed => self.end((BillState::Open, BillState::Lapsed), Why::Lapsed)?,
            BillEvent::Cancelled => self.end((BillState::Open, BillState::Cancelled), Why::Cancelled)?,
            BillEvent::GivenBack if self.state == BillState::Stray => {
                self.end((BillState::Stray, BillState::GivenBack), Why::GivenBack)?;
            }
            BillEvent::GivenBack => self.end((BillState::Paid, BillState::GivenBack), Why::GivenBack)?,
            BillEvent::RefundDone { refund } => {
                self.open_refund(*refund)?.state = RefundState::Done;
            }
            BillEvent::RefundFailed { refund } => {
                let refund = self.open_refund(*refund)?;
                refund.tries = refund.tries.saturating_add(1);
                if refund.tries >= MAX_TRIES {
                    refund.state = RefundState::Stuck;
                }
            }
            BillEvent::RefundRetried { refund } => {
                let refund = self.open_refund(*refund)?;
                (refund.state, refund.tries) = (RefundState::Owed, 0);
            }
        }
        Ok(())
    }

    fn arrive(
        &mut self,
        (transaction, fen): (&str, Fen),
        paid_at_ms: i64,
        still_wanted: bool,
    ) -> Result<(), BillError> {
        let plain = transaction.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fen.is_nothing() || transaction.is_empty() || transaction.len() > MAX_TRANSACTION || !plain {
            return Err(BillError::Payment);
        }
        if self.payments.iter().any(|payment| payment.transaction == transaction) {
            return Err(BillError::Twice);
        }
        let fits = self.payments.len() < MAX_PAYMENTS && self.received().plus(fen).is_some();
        if !fits || (self.state == BillState::Stray && !self.payments.is_empty()) {
            return Err(BillError::Full);
        }
        let left = self.left();
        let (kept, why) = match self.state {
            BillState::Open => (left.min(fen), Why::Over),
            BillState::Stray => (fen, Why::Over),
            BillState::Lapsed if still_wanted && fen >= left => (left, Why::Over),
            BillState::Lapsed => (Fen::NOTHING, Why::Late),
            BillState::Paid | BillState::GivenBack => (Fen::NOTHING, Why::Double),
            BillState::Cancelled => (Fen::NOTHING, Why::Cancelled),
        };
        let surplus = fen.minus(kept).ok_or(BillError::Full)?;
        self.payments.push(Payment { transaction: transaction.to_owned(), fen, kept, paid_at_ms });
        self.give_back(transaction.to_owned(), surplus, why)?;
        let waits = matches!(self.state, BillState::Open | BillState::Lapsed);
        if waits && !kept.is_nothing() && self.left().is_nothing() {
            self.state = BillState::Paid;
        }
        Ok(())
    }

    /// The bill is over: what was kept goes back.
    fn end(&mut self, (from, to): (BillState, BillState), why: Why) -> Result<(), BillError> {
        if self.state != from {
            return Err(BillError::Misfit(self.state));
        }
        self.state = to;
        for place in 0..self.payments.len() {
            let Some(payment) = self.payments.get_mut(place) else { break };
            let (transaction, kept) = (payment.transaction.clone(), payment.kept);
            payment.kept = Fen::NOTHING;
            self.give_back(transaction, kept, why)?;
        }
        Ok(())
    }

    fn give_back(&mut self, transaction: String, fen: Fen, why: Why) -> Result<(), BillError> {
        if fen.is_nothing() {
            return Ok(());
        }
        let number = u16::try_from(self.refunds.len() + 1).map_err(|_| BillError::Full)?;
        let before = self.refunds.iter().filter(|refund| refund.transaction == transaction).count();
        let turn = u16::try_from(before + 1).map_err(|_| BillError::Full)?;
        let (state, tries) = (RefundState::Owed, 0);
        self.refunds.push(Refund { number, transaction, turn, fen, why, state, tries });
        Ok(())
    }

    fn open_refund(&mut self, number: u16) -> Result<&mut Refund, BillError> {
        let open = |refund: &&mut Refund| refund.number == number && refund.state != RefundState::Done;
        self.refunds.iter_mut().find(open).ok_or(BillError::Refund)
    }

    /// All that came.
    pub fn received(&self) -> Fen {
        sum(self.payments.iter().map(|payment| payment.fen))
    }

    /// What of it is kept.
    pub fn kept(&self) -> Fen {
        sum(self.payments.iter().map(|payment| payment.kept))
    }

    /// What went back.
    pub fn refunded(&self) -> Fen {
        sum(self.refunds.iter().filter(|r| r.state == RefundState::Done).map(|r| r.fen))
    }

    /// What is still to go back.
    pub fn owed(&self) -> Fen {
        sum(self.refunds.iter().filter(|r| r.state != RefundState::Done).map(|r| r.fen))
    }

    /// What is still to be paid, whether or not anybody waits for it.
    pub fn left(&self) -> Fen {
        self.fen.minus(self.kept()).unwrap_or_default()
    }

    /// Whether nobody but a person can go on: a stray, or a refund that failed too often.
    pub fn needs_somebody(&self) -> bool {
        self.state == BillState::Stray || self.refunds.iter().any(|r| r.state == RefundState::Stuck)
    }

    /// The refund with this number.
    pub fn refund(&self, number: u16) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.number == number)
    }
}

/// Sums of what one bill took: it takes no more than there can be ([`BillError::Full`]).
fn sum(parts: impl Iterator<Item = Fen>) -> Fen {
    parts.fold(Fen::NOTHING, |sum, fen| sum.plus(fen).unwrap_or(Fen::MOST))
}

#[cfg(test)]
#[path = "bill_tests.rs"]
mod tests;
