//! What holds for any clock, calendar and moment.
use proptest::prelude::*;

use super::*;
use crate::catalogue::YearCertainty;

/// Hours from 2026-01-01: half a year, so that pauses, starts and festivals meet.
const HOURS: std::ops::Range<i64> = 0..24 * 180;

fn instant() -> impl Strategy<Value = i64> {
    (HOURS, 0i64..3_600_000).prop_map(|(hour, ms)| at("2026-01-01 00:00") + hour * 3_600_000 + ms)
}

fn period() -> impl Strategy<Value = Period> {
    let unit =
        prop_oneof![Just(PeriodUnit::Minute), Just(PeriodUnit::WorkingDay), Just(PeriodUnit::NaturalDay)];
    (prop_oneof![0u32..60, (0u32..20).prop_map(|n| n * 10), 0u32..200_000], unit).prop_map(
        |(tenths, unit)| {
            let few = if unit == PeriodUnit::Minute { tenths } else { tenths % 400 };
            Period { tenths: few, unit }
        },
    )
}

fn ended() -> impl Strategy<Value = Pause> {
    (instant(), 0i64..10 * DAY_MS).prop_map(|(from_ms, n)| Pause { from_ms, until_ms: Some(from_ms + n) })
}

fn any_pause() -> impl Strategy<Value = Pause> {
    prop_oneof![4 => ended(), 1 => instant().prop_map(|from_ms| Pause { from_ms, until_ms: None })]
}

fn pauses() -> impl Strategy<Value = Vec<Pause>> {
    proptest::collection::vec(any_pause(), 0..6)
}

/// Anything, with a liking for the ends.
fn wild() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0), instant(), -(1i64 << 48)..1 << 48]
}

/// Days of 2026 and 2027 that are free or not, and how sure each year is: these do not change with a further holiday.
fn any_calendar() -> impl Strategy<Value = Calendar> {
    let day = (0i64..730, any::<bool>());
    let sure = prop_oneof![Just(YearCertainty::Published), Just(YearCertainty::Expected)];
    (proptest::collection::vec(day, 0..60), sure.clone(), sure).prop_map(|(days, this, next)| {
        let kind = |free| if free { DayKind::Holiday } else { DayKind::Workday };
        let days = days.into_iter().map(|(n, free)| (date("2026-01-01").plus_days(n), kind(free)));
        Calendar { years: [(2026, this), (2027, next)].into(), days: days.collect() }
    })
}

fn end(period: Period, started_ms: i64, pauses: &[Pause], now: i64, calendar: &Calendar) -> Deadline {
    Clock { period, started_ms, pauses }.deadline(now, calendar, OfficeHours::default())
}

proptest! {
    #[test]
    fn a_further_pause_never_moves_the_end_forward(
        period in period(), start in instant(), pauses in pauses(), more in any_pause(), now in instant(),
        calendar in any_calendar()
    ) {
        let before = end(period, start, &pauses, now, &calendar);
        let mut with = pauses.clone();
        with.push(more);
        let after = end(period, start, &with, now, &calendar);
        prop_assert!(after.at_ms >= before.at_ms && after.date >= before.date, "{before:?} {after:?}");
        prop_assert!(after.standing || !before.standing);
    }

    #[test]
    fn pauses_are_as_their_union(
        period in period(), start in instant(), pauses in pauses(), now in instant(), cut in 0u32..1000,
        calendar in any_calendar()
    ) {
        // Cut each in two that overlap or touch, in the other order.
        let pieces: Vec<Pause> = pauses.iter().rev().flat_map(|pause| {
            let Some(until) = pause.until_ms else { return [*pause, *pause] };
            let middle = pause.from_ms + (until - pause.from_ms) * i64::from(cut) / 1000;
            let first = Pause { from_ms: pause.from_ms, until_ms: Some((middle + i64::from(cut % 3)).min(until)) };
            [Pause { from_ms: middle, until_ms: Some(until) }, first]
        }).collect();
        let whole = Clock { period, started_ms: start, pauses: &pauses };
        let cut = Clock { period, started_ms: start, pauses: &pieces };
        let hours = OfficeHours::default();
        prop_assert_eq!(whole.deadline(now, &calendar, hours), cut.deadline(now, &calendar, hours));
        prop_assert_eq!(whole.used_permille(now, &calendar, hours), cut.used_permille(now, &calendar, hours));
        prop_assert_eq!(whole.left(now, &calendar, hours), cut.left(now, &calendar, hours));
    }

    #[test]
    fn a_further_holiday_never_moves_the_end_forward(
        period in period(), start in instant(), pauses in pauses(), now in instant(), calendar in any_calendar(),
        free in proptest::collection::vec(0i64..730, 1..10)
    ) {
        let before = end(period, start, &pauses, now, &calendar);
        let mut later = calendar;
        later.days.extend(free.iter().map(|n| (date("2026-01-01").plus_days(*n), DayKind::Holiday)));
        let after = end(period, start, &pauses, now, &later);
        prop_assert!(after.at_ms >= before.at_ms, "{before:?} {after:?}");
    }

    #[test]
    fn a_later_start_never_ends_earlier(
        period in period(), start in instant(), later in 0i64..3 * DAY_MS, pauses in pauses(), now in instant(),
        calendar in any_calendar()
    ) {
        let first = end(period, start, &pauses, now, &calendar);
        let second = end(period, start + later, &pauses, now, &calendar);
        prop_assert!(second.at_ms >= first.at_ms, "{first:?} {second:?}");
    }

    #[test]
    fn the_used_share_never_falls_and_is_over_behind_the_end_only(
        period in period(), start in instant(), pauses in pauses(), calendar in any_calendar(),
        mut moments in proptest::collection::vec(instant(), 2..20)
    ) {
        moments.sort_unstable();
        let clock = Clock { period, started_ms: start, pauses: &pauses };
        let hours = OfficeHours::default();
        let mut before = 0;
        for now in moments {
            let used = clock.used_permille(now, &calendar, hours);
            let end = clock.deadline(now, &calendar, hours);
            prop_assert!(used >= before, "{before} {used}");
            prop_assert_eq!(used > 1000, now > end.at_ms);
            let over = matches!(clock.left(now, &calendar, hours), TimeLeft::Over { .. });
            prop_assert_eq!(over, now > end.at_ms);
            prop_assert!(end.at_ms >= start && end.date == CivilDate::in_china(end.at_ms));
            before = used;
        }
    }

    #[test]
    fn without_pauses_days_end_as_they_are_due(
        tenths in 0u32..25_000, start in instant(), calendar in any_calendar(), natural in any::<bool>()
    ) {
        let unit = if natural { PeriodUnit::NaturalDay } else { PeriodUnit::WorkingDay };
        let whole = Period { tenths: tenths.min(20_000) / 10 * 10, unit };
        let day = CivilDate::in_china(start);
        // What is promised at once on a free day is the one difference.
        prop_assume!(tenths >= 10 || natural || works_on(day, &calendar));
        let end = end(whole, start, &[], start, &calendar);
        let due = due(day, whole, &calendar);
        prop_assert_eq!((end.date, end.expected), (due.date, due.expected));
    }

    #[test]
    fn no_input_panics(
        tenths in any::<u32>(), unit in 0usize..3, start in wild(), now in wild(), small in any_calendar(),
        instants in proptest::collection::vec((wild(), proptest::option::of(wild())), 0..6),
        office in (any::<u16>(), any::<u16>(), any::<u16>())
    ) {
        let unit = [PeriodUnit::Minute, PeriodUnit::WorkingDay, PeriodUnit::NaturalDay][unit];
        let pauses: Vec<Pause> =
            instants.into_iter().map(|(from_ms, until_ms)| Pause { from_ms, until_ms }).collect();
        let hours = OfficeHours::new(office.0 % 1440, office.1 % 1440, office.2 % 1440).unwrap_or_default();
        for period in [Period { tenths, unit }, Period { tenths: tenths % 100, unit }] {
            let clock = Clock { period, started_ms: start, pauses: &pauses };
            let end = clock.deadline(now, &small, hours);
            prop_assert_eq!(end.date, CivilDate::in_china(end.at_ms));
            let _ = (clock.used_permille(now, &small, hours), clock.left(now, &small, hours));
        }
        prop_assert_eq!(longest(deemed_accepted_on(start, &small), deemed_accepted_on(now, &small)),
            longest(deemed_accepted_on(now, &small), deemed_accepted_on(start, &small)));
    }
}

#[test]
fn the_ends_of_time_and_of_the_calendar_end() {
    let free = (0..20_000).map(|n| (date("2026-01-01").plus_days(n), DayKind::Holiday)).collect();
    let free = Calendar::of_days(free);
    let from = at("2026-11-23 10:00");
    let cut = CivilDate::in_china(from).plus_days(MAX_DAYS_WALKED);
    for period in [days(3), tenths(15), days(u32::MAX / 10)] {
        let end = end(period, from, &[], from, &free);
        assert_eq!((end.date, end.expected), (cut, true), "{period:?}");
    }
    let table = [(i64::MIN, "1900-01-01"), (i64::MAX, "2999-12-31")];
    for (ms, day) in table {
        let end = end(natural(0), ms, &[], ms, &free);
        assert_eq!(end.date.to_string(), day);
    }
    // As many rounds as a day has minutes.
    let rounds: Vec<Pause> = (0..1440)
        .map(|n| Pause { from_ms: from + n * 60_000, until_ms: Some(from + n * 60_000 + 30_000) })
        .collect();
    let end = end(minutes(10), from, &rounds, from + DAY_MS, &calendar());
    // The twentieth half minute ends as the next pause begins.
    assert_eq!(end.at_ms, from + 20 * 60_000 + 30_000);
}
