//! 两个时钟: how long the transfer takes, and how long the home region has by law. The second begins where the first ends.
use super::{Handoff, HandoffState};
use crate::catalogue::Calendar;
use crate::deadline::{Clock, Deadline, OfficeHours};
use crate::item::{Period, PeriodUnit};

/// How long the accepting side and the post may take until the home region accepts: one working day (sample; what the
/// regions agree on is data of the partner register).
pub const TRANSFER: Period = Period { tenths: 10, unit: PeriodUnit::WorkingDay };

/// The two times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// What the regions agreed on for the transfer.
    pub transfer: Period,
    /// What the law gives the home region.
    pub legal: Period,
}

/// How the two clocks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When the transfer has to be over; it stands while the person is asked for something.
    pub transfer: Deadline,
    /// How much of it is used, in thousandths.
    pub transfer_permille: u32,
    /// It is over: accepted, or not theirs.
    pub transferred: bool,
    /// When the decision is due; none before it was accepted.
    pub legal: Option<Deadline>,
    /// How much of that is used, in thousandths.
    pub legal_permille: u32,
}

impl Clocks {
    /// How both stand at `now_ms`. What is over is told as it was when it ended.
    pub fn of(self, handoff: &Handoff, now_ms: i64, calendar: &Calendar) -> Times {
        let hours = OfficeHours::default();
        let ended = handoff.accepted_at_ms.or(handoff.refused_at_ms);
        let at_ms = ended.unwrap_or(now_ms.max(handoff.changed_at_ms));
        let transfer =
            Clock { period: self.transfer, started_ms: handoff.received_at_ms, pauses: &handoff.pauses };
        let legal =
            handoff.accepted_at_ms.map(|started_ms| Clock { period: self.legal, started_ms, pauses: &[] });
        let legal_at = handoff.decided_at_ms.unwrap_or(now_ms.max(handoff.changed_at_ms));
        Times {
            transfer: transfer.deadline(at_ms, calendar, hours),
            transfer_permille: transfer.used_permille(at_ms, calendar, hours),
            transferred: ended.is_some(),
            legal: legal.map(|clock| clock.deadline(legal_at, calendar, hours)),
            legal_permille: legal.map_or(0, |clock| clock.used_permille(legal_at, calendar, hours)),
        }
    }
}

/// A handoff with which nobody went on for so long, in milliseconds, is put away: 180 days.
pub const ABANDONED_MS: i64 = 180 * 24 * 3_600 * 1_000;

impl Handoff {
    /// Whether nobody went on with it for so long that it may be put away as it stands. What is being decided is not: the
    /// case goes on, and the accepting side is to hear of it.
    pub fn is_abandoned(&self, now_ms: i64) -> bool {
        use HandoffState as S;
        !matches!(self.state, S::Accepted | S::Decided | S::Archived)
            && now_ms.saturating_sub(self.changed_at_ms) >= ABANDONED_MS
    }
}
