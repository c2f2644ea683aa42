//! 时限: when a promised or statutory time ends, how much of it is used, and what stood still in between.
//!
//! Pure: instants come in as milliseconds since 1970, days are those of China. Nothing is stored, so a holiday that is
//! announced late moves every open case by being counted again. Refuses to know cases, texts and what a pause is for.
//!
//! | rule | why |
//! |---|---|
//! | Working days: the day of the start does not count; the time ends with the Nth working day, at 24:00. | The law counts days, not office hours (行政许可法 art. 82, to confirm); an office may work late on the last day. |
//! | Make-up Saturdays and Sundays (调休) count; a Saturday on which windows are open does not. | Extended hours change when people are served, not what a working day is. Only the calendar says that. |
//! | Half days (tenths of a working day that are not whole days, rounded up to halves): mornings and afternoons of working days; the one of the start does not count. A half day ends at noon or at the end of the [`OfficeHours`]. | "Half a day" is a promise of office time: accepted on Monday at 10:00 it ends on Monday at 18:00, accepted on Friday at 15:00 on Monday at noon. |
//! | A start outside of office hours or on a free day counts as if it lay in the half day before. | Nobody was there to begin, and the half day that comes is whole. |
//! | Minutes: exact, also at night. | They are promised for what a machine decides. |
//! | Natural days: the day of the start does not count, ends at 24:00; a part of a day counts as a whole one. | As the civil code counts; publicity periods run over holidays. |
//! | At once (0 of any unit): ends with the day of the start, at 24:00; with the next working day if 0 working days are promised and it is none. All of the promise is used from the start. | A span of no length would be over as it begins; what comes in on a Sunday is not late on Monday at 0:00. |
//! | [`Pause`]s, counted in days or half days: one does not count if it lies behind the one in which a pause begins, up to the one in which it ends. A pause within one changes nothing. | The law leaves the time of a supplement or payment out. Begun days are the office's, the day on which the papers come back is a gift: simple, and the same for all. |
//! | Pauses count as their union, however they overlap; those before the start or behind the end change nothing; any number of rounds. | Supplement and payment may be waited for together; an office that is late is not made punctual by asking for more. |
//! | Nothing ends while it stands still: an end that lies in a pause moves to the end of the day (half day) in which the pause ends, or of the next working one. | On the last day the office lost what was left of it; without this a case would be over the moment the papers come back. |
//! | Minutes: the time of the union is left out to the millisecond. | As promised. |
//! | A pause that is open is taken to end now; [`Deadline::standing`] says so. | The earliest day that can still come true. |
//! | A year that is not announced, or not at all in the calendar, marks the end as [`expected`](Deadline::expected). | Its festivals are not known; the day can still move. |
//! | At most [`MAX_WORKING_DAYS`] days are counted and [`MAX_DAYS_WALKED`] walked; instants outside of the years 1900 to 2999 are taken as the first or last of them. | No input makes this slow or panic. |
mod clock;
mod days;
mod slots;
#[cfg(test)]
mod tests;

pub use clock::{Clock, Deadline, Pause, TimeLeft, Urgency};
pub use days::{Due, MAX_WORKING_DAYS, due, working_days_after, works_on};
pub use slots::{MAX_DAYS_WALKED, OfficeHours};

use crate::catalogue::Calendar;
use crate::item::{Period, PeriodUnit};

/// How long an office may take to say what is missing (一次性告知): five working days, 行政许可法 art. 32 (to confirm).
pub const NOTICE: Period = Period { tenths: 50, unit: PeriodUnit::WorkingDay };

/// The last moment at which an office can still say, once and completely, what is missing in an application that it
/// received at an instant (milliseconds since 1970). If it says nothing until then the application counts as accepted
/// **from its receipt on** (行政许可法 art. 32, to confirm): the clock of the decision then starts at `received_ms`,
/// not at this deadline.
pub fn deemed_accepted_on(received_ms: i64, calendar: &Calendar) -> Deadline {
    let clock = Clock { period: NOTICE, started_ms: received_ms, pauses: &[] };
    clock.deadline(received_ms, calendar, OfficeHours::default())
}

/// The later of two ends: one notice for what several departments ask, one end for steps that run side by side. It is
/// an expectation if either is, because the earlier one can still become the later; it stands if the later one stands.
pub fn longest(a: Deadline, b: Deadline) -> Deadline {
    let mut last = if (b.at_ms, b.date) > (a.at_ms, a.date) { b } else { a };
    last.expected = a.expected || b.expected;
    if a.at_ms == b.at_ms {
        last.standing = a.standing || b.standing;
    }
    last
}
