//! The clock of a case: from its start over its pauses to its end. The rules and their reasons stand in
//! [the module above](super).
use super::days::MAX_WORKING_DAYS;
use super::slots::{Grain, MINUTE_MS, OfficeHours, Slots, in_range};
use crate::catalogue::Calendar;
use crate::date::CivilDate;
use crate::item::{Period, PeriodUnit};

/// From this share of the promise on a case is marked, in thousandths.
const SOON_PERMILLE: u32 = 700;
/// The whole promise, in thousandths.
const WHOLE_PERMILLE: u32 = 1000;

/// A stretch in which a clock stands still (补正, 缴费), in milliseconds since 1970. One that ends before it begins is
/// none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// When it began.
    pub from_ms: i64,
    /// When it ended; none while the clock still stands.
    pub until_ms: Option<i64>,
}

/// The 时限 of a case: how long, since when, and what stood still.
#[derive(Debug, Clone, Copy)]
pub struct Clock<'a> {
    /// How long.
    pub period: Period,
    /// Since when, in milliseconds since 1970: the acceptance (受理), not the submission.
    pub started_ms: i64,
    /// What stood still, in any order.
    pub pauses: &'a [Pause],
}

/// When a time ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The last moment that is in time, in milliseconds since 1970; it lies on `date`. Of a day this is its last
    /// millisecond, shown as 24:00.
    pub at_ms: i64,
    /// The last day.
    pub date: CivilDate,
    /// Not all the days in between are announced: shown as 预计.
    pub expected: bool,
    /// The clock stands still now: the end is that which would come true if it went on now.
    pub standing: bool,
}

/// How long there still is, for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLeft {
    /// Working days behind today, up to the last one.
    WorkingDays(u32),
    /// Natural days behind today, up to the last one.
    NaturalDays(u32),
    /// Half working days behind the present one, up to the last one.
    HalfDays(u32),
    /// The time ends today, or was promised in minutes. A begun minute is a whole one.
    HoursMinutes {
        /// Hours; may be more than a day has.
        hours: u32,
        /// Minutes behind them, up to 59.
        minutes: u32,
    },
    /// Over by so much time, nights and holidays with it, pauses behind the end without. A begun minute is none.
    Over {
        /// Days of 24 hours.
        days: u32,
        /// Hours behind them, up to 23.
        hours: u32,
        /// Minutes behind them, up to 59.
        minutes: u32,
    },
}

/// How a case is marked in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Less than 70 % of the promise is used.
    Plain,
    /// From 70 % on.
    Soon,
    /// More than the promise is used.
    Over,
    /// The clock stands still.
    Standing,
}

impl Urgency {
    /// By the used share of the promise in thousandths ([`Clock::used_permille`]) and whether the clock stands still
    /// ([`Deadline::standing`]). A case that is over stays so while it waits: asking for more does not hide it.
    pub fn of(used_permille: u32, standing: bool) -> Self {
        match used_permille {
            used if used > WHOLE_PERMILLE => Self::Over,
            _ if standing => Self::Standing,
            used if used >= SOON_PERMILLE => Self::Soon,
            _ => Self::Plain,
        }
    }
}

/// How a period is counted.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// In milliseconds, more than none.
    Exact(i64),
    /// In days or half days; none is the day of the start itself, or the next on which work is done.
    Slots(Grain, u32),
}

impl Measure {
    fn of(period: Period) -> Self {
        let days = period.tenths.div_ceil(10).min(MAX_WORKING_DAYS);
        match period.unit {
            PeriodUnit::Minute if period.tenths > 0 => {
                Self::Exact(i64::from(period.tenths) * (MINUTE_MS / 10))
            }
            PeriodUnit::WorkingDay if period.tenths.is_multiple_of(10) => Self::Slots(Grain::Working, days),
            PeriodUnit::WorkingDay => {
                Self::Slots(Grain::Half, period.tenths.div_ceil(5).min(2 * MAX_WORKING_DAYS))
            }
            PeriodUnit::NaturalDay | PeriodUnit::Minute => Self::Slots(Grain::Natural, days),
        }
    }
}

impl Clock<'_> {
    /// When the time ends, as it looks at `now_ms` (milliseconds since 1970).
    pub fn deadline(&self, now_ms: i64, calendar: &Calendar, hours: OfficeHours) -> Deadline {
        let run = Run::of(self, now_ms);
        match Measure::of(self.period) {
            Measure::Exact(length) => run.exact_end(length),
            Measure::Slots(grain, count) => run.slot_end(&Slots { grain, hours, calendar }, count).0,
        }
    }

    /// How much of the promise is used at `now_ms`, in thousandths, pauses left out: at most 1000 while it is in time, more
    /// when it is over. Days count by the office hours that have passed of them, and the day of the start not at all.
    /// Never falls while time goes on.
    pub fn used_permille(&self, now_ms: i64, calendar: &Calendar, hours: OfficeHours) -> u32 {
        let run = Run::of(self, now_ms);
        if run.now < run.started {
            return 0;
        }
        let (end, used) = match Measure::of(self.period) {
            Measure::Exact(length) => {
                let active = i128::from(run.active(run.started, run.now));
                (run.exact_end(length), active * i128::from(WHOLE_PERMILLE) / i128::from(length))
            }
            Measure::Slots(grain, count) => {
                let slots = Slots { grain, hours, calendar };
                let passed = i128::from(run.passed_permille(&slots));
                // At once: all of it is used from the start.
                let at_once = if count == 0 { i128::from(WHOLE_PERMILLE) } else { 0 };
                (run.slot_end(&slots, count).0, at_once + passed / i128::from(count.max(1)))
            }
        };
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        if run.now > end.at_ms { used.max(WHOLE_PERMILLE + 1) } else { used.min(WHOLE_PERMILLE) }
    }

    /// How much time was used from the start until an instant, pauses left out, in milliseconds: by the clock of what is
    /// promised, so that the two can be compared. Minutes and natural days run on at night; of working days, and of half
    /// ones, only office hours count. The day of the start counts here from its first minute on.
    pub fn used_ms(&self, until_ms: i64, calendar: &Calendar, hours: OfficeHours) -> i64 {
        let run = Run::of(self, until_ms);
        let until = run.now.max(run.started);
        match Measure::of(self.period) {
            Measure::Exact(_) | Measure::Slots(Grain::Natural, _) => run.active(run.started, until),
            Measure::Slots(..) => {
                let slots = Slots { grain: Grain::Working, hours, calendar };
                let (first, last) = (slots.slot(run.started), slots.slot(until));
                let days = slots.after(first - 1, &[]).take_while(|step| step.slot <= last);
                let office = days.filter(|step| step.works).map(|step| {
                    let (begin, end) = slots.office_ms(step.slot);
                    let (from, to) = (begin.max(run.started), end.min(until));
                    if from < to { run.active(from, to) } else { 0 }
                });
                office.sum()
            }
        }
    }

    /// The first moment from `from_ms` on (milliseconds since 1970) at which 70 % of the promise is used; the
    /// end of the promise if no moment before it is. For a clock that does not stand.
    pub fn soon_ms(&self, from_ms: i64, calendar: &Calendar, hours: OfficeHours) -> i64 {
        let is_soon = |at_ms| self.used_permille(at_ms, calendar, hours) >= SOON_PERMILLE;
        let (mut before, mut at) = (from_ms, self.deadline(from_ms, calendar, hours).at_ms);
        if is_soon(before) {
            return before;
        }
        // What is used never falls.
        while at.saturating_sub(before) > 1 {
            let middle = before + (at - before) / 2;
            *(if is_soon(middle) { &mut at } else { &mut before }) = middle;
        }
        at
    }

    /// How long there still is at `now_ms`, pauses left out. A clock that has not started yet has all of its time.
    pub fn left(&self, now_ms: i64, calendar: &Calendar, hours: OfficeHours) -> TimeLeft {
        let run = Run::of(self, now_ms);
        let now = run.now.max(run.started);
        match Measure::of(self.period) {
            Measure::Exact(length) => {
                let end = run.exact_end(length);
                if now > end.at_ms {
                    return run.over(end.at_ms);
                }
                hours_minutes(length - run.active(run.started, now))
            }
            Measure::Slots(grain, count) => {
                let slots = Slots { grain, hours, calendar };
                let (end, last) = run.slot_end(&slots, count);
                if now > end.at_ms {
                    return run.over(end.at_ms);
                }
                if end.date == CivilDate::in_china(now) {
                    return hours_minutes(end.at_ms - now);
                }
                let skipped = run.skipped(&slots);
                let counted = slots.after(slots.slot(now), &skipped).take_while(|step| step.slot <= last);
                let ahead = counted.filter(|step| step.counts).count().max(1);
                let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
                match grain {
                    Grain::Working => TimeLeft::WorkingDays(ahead),
                    Grain::Half => TimeLeft::HalfDays(ahead),
                    Grain::Natural => TimeLeft::NaturalDays(ahead),
                }
            }
        }
    }
}

/// A clock as it looks at one moment.
struct Run {
    started: i64,
    now: i64,
    standing: bool,
    /// The union of the pauses behind the start, ascending, apart from each other: from, until (exclusive).
    pauses: Vec<(i64, i64)>,
}

impl Run {
    fn of(clock: &Clock<'_>, now_ms: i64) -> Self {
        let (started, now) = (in_range(clock.started_ms), in_range(now_ms));
        let covers = |pause: &Pause| pause.from_ms <= now && pause.until_ms.is_none_or(|until| until > now);
        let standing = now >= started && clock.pauses.iter().any(covers);
        let mut pieces: Vec<(i64, i64)> = clock
            .pauses
            .iter()
            .map(|pause| (in_range(pause.from_ms).max(started), in_range(pause.until_ms.unwrap_or(now))))
            .filter(|(from, until)| from < until)
            .collect();
        pieces.sort_unstable();
        let mut pauses: Vec<(i64, i64)> = Vec::with_capacity(pieces.len());
        for (from, until) in pieces {
            match pauses.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => pauses.push((from, until)),
            }
        }
        Self { started, now, standing, pauses }
    }

    /// The time between two instants in which the clock ran.
    fn active(&self, from: i64, until: i64) -> i64 {
        let stood: i64 = self.pauses.iter().map(|(a, b)| (*b.min(&until) - *a.max(&from)).max(0)).sum();
        until - from - stood
    }

    fn stands_at(&self, ms: i64) -> bool {
        let next = self.pauses.partition_point(|(_, until)| *until <= ms);
        self.pauses.get(next).is_some_and(|(from, _)| *from <= ms)
    }

    fn exact_end(&self, length: i64) -> Deadline {
        let (mut at, mut left) = (self.started, length);
        for (from, until) in &self.pauses {
            let runs = from - at;
            if left < runs {
                break;
            }
            left -= runs;
            at = *until;
        }
        let at_ms = at + left;
        Deadline { at_ms, date: CivilDate::in_china(at_ms), expected: false, standing: self.standing }
    }

    /// The slots that pauses take away: behind the first, up to the last.
    fn skipped(&self, slots: &Slots<'_>) -> Vec<(i64, i64)> {
        self.pauses.iter().map(|(from, until)| (slots.slot(*from), slots.slot(*until))).collect()
    }

    /// The end after so many slots, and the slot with which it ends.
    fn slot_end(&self, slots: &Slots<'_>, count: u32) -> (Deadline, i64) {
        let skipped = self.skipped(slots);
        let start = slots.slot(self.started);
        // At once: the slot of the start is the first in which it can end.
        let before = start - i64::from(count == 0);
        let mut end = (before, false);
        let mut left = count;
        let mut walk = slots.after(before, &skipped);
        loop {
            let Some(step) = walk.next() else {
                // So far away that nothing is known of it.
                end.1 = true;
                break;
            };
            end = (step.slot, end.1 || (step.expected && step.slot > start));
            left -= u32::from(left > 0 && step.counts);
            if left == 0 && step.works && !self.stands_at(slots.end_ms(step.slot)) {
                break;
            }
        }
        let (last, expected) = end;
        let (at_ms, date) = (slots.end_ms(last), slots.date(last));
        (Deadline { at_ms, date, expected, standing: self.standing }, last)
    }

    /// The sum of what has passed of the slots that count, in thousandths of one.
    fn passed_permille(&self, slots: &Slots<'_>) -> u64 {
        let skipped = self.skipped(slots);
        let present = slots.slot(self.now);
        let walk = slots.after(slots.slot(self.started), &skipped).take_while(|step| step.slot <= present);
        walk.filter(|step| step.counts).map(|step| slots.used_permille(step.slot, self.now)).sum()
    }

    fn over(&self, end: i64) -> TimeLeft {
        let minutes = self.active(end, self.now) / MINUTE_MS;
        let (days, hours, minutes) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
        TimeLeft::Over { days: number(days), hours: number(hours), minutes: number(minutes) }
    }
}

fn hours_minutes(ms: i64) -> TimeLeft {
    let minutes = (ms + MINUTE_MS - 1) / MINUTE_MS;
    TimeLeft::HoursMinutes { hours: number(minutes / 60), minutes: number(minutes % 60) }
}

fn number(n: i64) -> u32 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX)
}
