//! When somebody gets to a step: which stage it is in, and what so much office time later is.
use std::collections::BTreeMap;

use domain::case::CaseView;
use domain::catalogue::Calendar;
use domain::date::CivilDate;
use domain::deadline::works_on;

use super::shape::{MINUTE_MS, midnight_ms};

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// In which stage of deciding each step stands, from 1; what decides nothing stands where it waits.
pub fn stages(view: &CaseView) -> Vec<i64> {
    let mut of: BTreeMap<&str, i64> = BTreeMap::new();
    for planned in view.plan.steps() {
        let before = planned.depends.iter().filter_map(|id| of.get(id.as_str())).max().copied().unwrap_or(0);
        of.insert(&planned.id, before + i64::from(planned.kind.needs_department() && !planned.off));
    }
    view.plan.steps().iter().map(|planned| of.get(planned.id.as_str()).copied().unwrap_or(1)).collect()
}

/// So much office time after a moment: working days from nine to six.
pub fn in_office(at_ms: i64, ms: i64, calendar: &Calendar) -> i64 {
    let (mut left, mut date) = (ms.max(0), CivilDate::in_china(at_ms));
    for _ in 0..1_000 {
        let (begin, end) = (midnight_ms(date) + 9 * HOUR_MS, midnight_ms(date) + 18 * HOUR_MS);
        let from = begin.max(at_ms);
        if works_on(date, calendar) && from < end {
            if left < end - from {
                return from + left;
            }
            left -= end - from;
        }
        date = date.plus_days(1);
    }
    at_ms + ms
}
