//! What happens to a bill: its events, whose stored form never changes.
use serde::{Deserialize, Serialize};

use super::Fen;
use crate::ids::{CaseNo, ItemCode};

/// One thing that happened to a bill. Stored as JSON for ever, so variants and fields are only added. Names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BillEvent {
    /// 开单: always the first, or [`BillEvent::Strayed`] is.
    Opened {
        /// For which case.
        case: CaseNo,
        /// For which step of it.
        step: String,
        /// For which item or bundle.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemCode>,
        /// How much.
        fen: Fen,
        /// On what ground of the law.
        basis: String,
        /// Last moment to pay, milliseconds since 1970.
        due_ms: i64,
    },
    /// A payment came that fits no bill; it follows.
    Strayed {
        /// Why.
        why: Stray,
    },
    /// 到账: somebody paid.
    Arrived {
        /// The gateway's number of it.
        transaction: String,
        /// How much.
        fen: Fen,
        /// When by the gateway, milliseconds since 1970.
        paid_at_ms: i64,
        /// The case still waits for it although the bill lapsed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        still_wanted: bool,
    },
    /// 逾期: nobody paid in time.
    Lapsed,
    /// 取消: the office does not ask for it any more, or the case is over.
    Cancelled,
    /// 退费: what was paid for does not happen, or a stray is sent back.
    GivenBack,
    /// The gateway did a refund.
    RefundDone {
        /// Which one, from 1.
        refund: u16,
    },
    /// A try of a refund failed.
    RefundFailed {
        /// Which one.
        refund: u16,
    },
    /// A person has it tried again.
    RefundRetried {
        /// Which one.
        refund: u16,
    },
}

/// Why a payment fits no bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stray {
    /// No bill has that number.
    Unknown,
    /// It is in another currency.
    Currency,
    /// The bill takes no more payments.
    Full,
}

impl Stray {
    /// The name used in texts and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Currency => "currency",
            Self::Full => "full",
        }
    }
}
