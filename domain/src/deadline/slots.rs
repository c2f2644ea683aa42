//! Days and half days as whole numbers: in which one an instant lies, when it ends, which of them count.
//!
//! A slot is a day (days since 1970 in China) or half of one (twice that, and one more in the afternoon). Refuses to
//! know of periods: it only says what comes after what.
use super::days::{Day, Days};
use crate::catalogue::Calendar;
use crate::date::{CHINA_OFFSET_HOURS, CivilDate};

/// The most days that are walked from the start of a clock to its end (or to now); what lies behind is cut.
pub const MAX_DAYS_WALKED: i64 = 10_000;

pub(super) const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const OFFSET_MS: i64 = CHINA_OFFSET_HOURS as i64 * 60 * MINUTE_MS;
/// The first and the last millisecond of the years 1900 to 2999 in China.
const RANGE_MS: (i64, i64) = (-25_567 * DAY_MS - OFFSET_MS, 376_200 * DAY_MS - OFFSET_MS - 1);

/// An instant within the years that are counted.
pub(super) fn in_range(ms: i64) -> i64 {
    ms.clamp(RANGE_MS.0, RANGE_MS.1)
}

/// When an office works, in minutes of the day in China: from `begin` to `noon` and from `noon` to `end`. Central IT sets
/// it; half days end by it, and the share of a day that is used is counted in it. There is no break at noon: windows
/// are open then (延时服务).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfficeHours {
    begin: u16,
    noon: u16,
    end: u16,
}

impl OfficeHours {
    /// From minutes of the day; `None` unless `begin < noon < end` and the end lies before midnight.
    pub fn new(begin: u16, noon: u16, end: u16) -> Option<Self> {
        (begin < noon && noon < end && end < 24 * 60).then_some(Self { begin, noon, end })
    }
}

impl Default for OfficeHours {
    /// 09:00, 12:00 and 18:00.
    fn default() -> Self {
        Self { begin: 9 * 60, noon: 12 * 60, end: 18 * 60 }
    }
}

/// What a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// A day; it counts if it is a working day.
    Working,
    /// The morning or the afternoon of a day; it counts if the day is a working day.
    Half,
    /// A day; each counts.
    Natural,
}

/// The slots of one grain by one calendar.
#[derive(Clone, Copy)]
pub(super) struct Slots<'a> {
    pub(super) grain: Grain,
    pub(super) hours: OfficeHours,
    pub(super) calendar: &'a Calendar,
}

impl<'a> Slots<'a> {
    /// The slot in which an instant lies. Half days: outside of office hours the one before; those of a free day do not
    /// count, so that it makes no difference in which of them it lies.
    pub(super) fn slot(&self, ms: i64) -> i64 {
        let local = ms + OFFSET_MS;
        let day = local.div_euclid(DAY_MS);
        if self.grain != Grain::Half {
            return day;
        }
        let minute = local.rem_euclid(DAY_MS) / MINUTE_MS;
        match minute {
            m if m < i64::from(self.hours.begin) => 2 * day - 1,
            m if m < i64::from(self.hours.noon) => 2 * day,
            _ => 2 * day + 1,
        }
    }

    /// The day of a slot.
    pub(super) fn date(&self, slot: i64) -> CivilDate {
        date(self.day(slot))
    }

    /// The last moment of a slot: of a day its last millisecond, of a half day noon or the end of office hours.
    pub(super) fn end_ms(&self, slot: i64) -> i64 {
        match self.grain {
            Grain::Half => self.office_ms(slot).1,
            Grain::Working | Grain::Natural => midnight_ms(slot + 1) - 1,
        }
    }

    /// How much of a slot is over at an instant, from 0 to 1000: of working days and half days in office hours.
    pub(super) fn used_permille(&self, slot: i64, ms: i64) -> u64 {
        let (begin, end) = self.office_ms(slot);
        let used = (ms - begin).clamp(0, end - begin) * 1000 / (end - begin).max(1);
        used.unsigned_abs()
    }

    /// The slots behind one, as far as they are walked; those of `skipped` (first exclusive, last inclusive, ascending)
    /// do not count.
    pub(super) fn after(&self, slot: i64, skipped: &'a [(i64, i64)]) -> Walk<'a> {
        let last = slot + MAX_DAYS_WALKED * if self.grain == Grain::Half { 2 } else { 1 };
        Walk { slots: *self, days: Days::new(self.calendar), at: slot, last, skipped }
    }

    fn day(&self, slot: i64) -> i64 {
        if self.grain == Grain::Half { slot.div_euclid(2) } else { slot }
    }

    /// Between which instants the work of a slot is done.
    pub(super) fn office_ms(&self, slot: i64) -> (i64, i64) {
        let midnight = midnight_ms(self.day(slot));
        let at = |minute: u16| midnight + i64::from(minute) * MINUTE_MS;
        let hours = self.hours;
        match self.grain {
            Grain::Natural => (midnight, midnight + DAY_MS),
            Grain::Working => (at(hours.begin), at(hours.end)),
            Grain::Half if slot.rem_euclid(2) == 0 => (at(hours.begin), at(hours.noon)),
            Grain::Half => (at(hours.noon), at(hours.end)),
        }
    }
}

/// A slot on the way.
pub(super) struct Step {
    pub(super) slot: i64,
    /// Work is done in it: a time can end here.
    pub(super) works: bool,
    /// It is one of those that a time has: work is done and no pause covers it.
    pub(super) counts: bool,
    /// Whether work is done in it can still change.
    pub(super) expected: bool,
}

/// Slots one after another.
pub(super) struct Walk<'a> {
    slots: Slots<'a>,
    days: Days<'a>,
    at: i64,
    last: i64,
    skipped: &'a [(i64, i64)],
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.at >= self.last {
            return None;
        }
        self.at += 1;
        let slot = self.at;
        while let Some((&(_, last), rest)) = self.skipped.split_first()
            && last < slot
        {
            self.skipped = rest;
        }
        let skipped = self.skipped.first().is_some_and(|(first, _)| *first < slot);
        let day = match self.slots.grain {
            Grain::Natural => Day { works: true, announced: true },
            Grain::Working | Grain::Half => self.days.look(self.slots.date(slot)),
        };
        Some(Step { slot, works: day.works, counts: day.works && !skipped, expected: !day.announced })
    }
}

fn date(day: i64) -> CivilDate {
    CivilDate::in_china(0).plus_days(day)
}

/// When a day begins.
fn midnight_ms(day: i64) -> i64 {
    day * DAY_MS - OFFSET_MS
}
