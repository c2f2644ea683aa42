//! What stands still: pauses of days, half days and minutes, at every place, in any number and order.
use super::*;

const MONDAY: &str = "2026-11-23 10:00";

/// From and until of pauses.
type Stretches = &'static [(&'static str, &'static str)];

#[test]
fn days_of_a_pause_do_not_count_but_the_first() {
    let table: [(&str, Stretches, &str); 15] = [
        ("none", &[], "2026-11-26 24:00"),
        ("within a day", &[("2026-11-24 09:00", "2026-11-24 17:00")], "2026-11-26 24:00"),
        ("over one night", &[("2026-11-24 17:00", "2026-11-25 09:00")], "2026-11-27 24:00"),
        ("over two nights and a weekend", &[("2026-11-24 17:00", "2026-11-26 09:00")], "2026-11-30 24:00"),
        ("over a weekend, back on Monday", &[("2026-11-26 09:00", "2026-11-30 09:00")], "2026-11-30 24:00"),
        ("back on Saturday", &[("2026-11-25 09:00", "2026-11-28 09:00")], "2026-11-30 24:00"),
        ("from the day of the start", &[("2026-11-23 11:00", "2026-11-24 11:00")], "2026-11-27 24:00"),
        ("before the start", &[("2026-11-16 11:00", "2026-11-20 11:00")], "2026-11-26 24:00"),
        ("over the start", &[("2026-11-16 11:00", "2026-11-24 11:00")], "2026-11-27 24:00"),
        ("behind the end", &[("2026-11-27 09:00", "2026-12-04 09:00")], "2026-11-26 24:00"),
        (
            "two rounds, the later first",
            &[("2026-11-26 09:00", "2026-11-27 09:00"), ("2026-11-23 11:00", "2026-11-24 11:00")],
            "2026-11-30 24:00",
        ),
        (
            "one in another",
            &[("2026-11-24 09:00", "2026-11-26 09:00"), ("2026-11-24 10:00", "2026-11-25 09:00")],
            "2026-11-30 24:00",
        ),
        (
            "overlapping: supplement and payment",
            &[("2026-11-24 09:00", "2026-11-25 10:00"), ("2026-11-25 09:00", "2026-11-26 09:00")],
            "2026-11-30 24:00",
        ),
        ("ends before it begins", &[("2026-11-26 09:00", "2026-11-24 09:00")], "2026-11-26 24:00"),
        ("ends as it begins", &[("2026-11-24 24:00", "2026-11-24 24:00")], "2026-11-26 24:00"),
    ];
    for (name, pauses, wanted) in table {
        let pauses: Vec<Pause> = pauses.iter().map(|(from, until)| pause(from, until)).collect();
        assert_eq!(ends(days(3), MONDAY, &pauses), wanted, "{name}");
    }
}

#[test]
fn every_round_moves_the_end_by_its_days() {
    // Each round asks on a working day and has the papers on the next: one day each.
    let wanted = ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01", "2026-12-02"];
    let mut pauses = Vec::new();
    for (round, wanted) in wanted.iter().enumerate() {
        assert_eq!(ends(days(2), MONDAY, &pauses), format!("{wanted} 24:00"), "{round} rounds");
        let last = wanted.parse::<CivilDate>().expect("a date");
        let next = working_days_after(last, 1, &calendar()).date;
        pauses.push(pause(&format!("{last} 16:00"), &format!("{next} 10:00")));
    }
}

#[test]
fn nothing_ends_while_it_stands_still() {
    let table = [
        // Asked on the last day: the rest of the day comes back on the day on which the papers do.
        (days(3), "2026-11-26 17:00", "2026-12-01 09:00", "2026-12-01 24:00"),
        // They come on a Saturday.
        (days(3), "2026-11-26 17:00", "2026-11-28 09:00", "2026-11-30 24:00"),
        (days(3), "2026-11-26 24:00", "2026-11-30 09:00", "2026-11-30 24:00"),
        (days(0), "2026-11-23 11:00", "2026-11-25 09:00", "2026-11-25 24:00"),
        (days(0), "2026-11-23 11:00", "2026-11-28 09:00", "2026-11-30 24:00"),
        (natural(3), "2026-11-26 17:00", "2026-11-28 09:00", "2026-11-28 24:00"),
        (tenths(5), "2026-11-23 17:00", "2026-11-24 10:00", "2026-11-24 12:00"),
        (tenths(5), "2026-11-23 17:00", "2026-11-23 19:00", "2026-11-24 12:00"),
        (tenths(5), "2026-11-23 17:00", "2026-11-23 17:59", "2026-11-23 18:00"),
        (minutes(60), "2026-11-23 11:00", "2026-11-23 12:00", "2026-11-23 12:00"),
    ];
    for (period, from, until, wanted) in table {
        assert_eq!(ends(period, MONDAY, &[pause(from, until)]), wanted, "{period:?} {from} {until}");
    }
}

#[test]
fn half_days_of_a_pause_do_not_count_but_the_first() {
    let table = [
        ("2026-11-23 10:30", "2026-11-23 11:30", "2026-11-24 18:00"),
        ("2026-11-23 10:30", "2026-11-23 14:00", "2026-11-25 12:00"),
        ("2026-11-23 14:00", "2026-11-24 10:00", "2026-11-25 12:00"),
        ("2026-11-23 14:00", "2026-11-24 15:00", "2026-11-25 18:00"),
        // The night is nobody's.
        ("2026-11-23 19:00", "2026-11-24 08:00", "2026-11-24 18:00"),
        ("2026-11-24 08:00", "2026-11-24 10:00", "2026-11-25 12:00"),
        ("2026-11-24 10:00", "2026-11-28 10:00", "2026-11-30 12:00"),
    ];
    for (from, until, wanted) in table {
        assert_eq!(ends(tenths(15), MONDAY, &[pause(from, until)]), wanted, "{from} {until}");
    }
}

#[test]
fn minutes_stand_still_to_the_millisecond() {
    let start = at(MONDAY);
    let second = |n: i64| start + n * 1000;
    let table: [(&[(i64, i64)], i64); 7] = [
        (&[], 120),
        (&[(10, 20)], 130),
        (&[(30, 40), (10, 20)], 140),
        (&[(10, 40), (20, 30), (35, 50)], 160),
        (&[(-50, -10)], 120),
        (&[(-50, 10)], 130),
        (&[(121, 500)], 120),
    ];
    for (pauses, wanted) in table {
        let pauses: Vec<Pause> = pauses
            .iter()
            .map(|(from, until)| Pause { from_ms: second(*from), until_ms: Some(second(*until) + 1) })
            .collect();
        let within = pauses.iter().filter(|p| p.from_ms < second(120) && p.until_ms > Some(start)).count();
        // Each piece of the union stands one millisecond longer.
        let pieces = if wanted == 160 { 1 } else { within as i64 };
        let clock = Clock { period: minutes(2), started_ms: start, pauses: &pauses };
        let end = clock.deadline(at("2026-12-31 12:00"), &calendar(), OfficeHours::default());
        assert_eq!(end.at_ms, second(wanted) + pieces, "{pauses:?}");
    }
}

#[test]
fn an_open_pause_is_taken_to_end_now() {
    let open = [pause("2026-11-24 15:00", "-")];
    let table = [
        (days(3), "2026-11-24 14:59", "2026-11-26 24:00", false),
        (days(3), "2026-11-24 15:00", "2026-11-26 24:00", true),
        (days(3), "2026-11-24 23:00", "2026-11-26 24:00", true),
        (days(3), "2026-11-25 00:00", "2026-11-27 24:00", true),
        (days(3), "2026-11-29 12:00", "2026-12-01 24:00", true),
        (tenths(25), "2026-11-24 17:00", "2026-11-25 18:00", true),
        (tenths(25), "2026-11-25 10:00", "2026-11-26 12:00", true),
        (minutes(2_880), "2026-11-24 16:00", "2026-11-25 11:00", true),
    ];
    for (period, now, wanted, standing) in table {
        let end = ends_as_of(period, MONDAY, &open, at(now));
        assert_eq!((written(end.at_ms).as_str(), end.standing), (wanted, standing), "{period:?} at {now}");
    }
    // Known now, ended later: it stands at that moment.
    let ended = [pause("2026-11-24 15:00", "2026-11-25 15:00")];
    for (now, standing) in [("2026-11-25 14:59", true), ("2026-11-25 15:00", false)] {
        assert_eq!(ends_as_of(days(3), MONDAY, &ended, at(now)).standing, standing, "{now}");
    }
}

#[test]
fn what_is_used_and_left_waits_with_the_clock() {
    let open = [pause("2026-11-24 15:00", "-")];
    let clock = Clock { period: days(2), started_ms: at(MONDAY), pauses: &open };
    let hours = OfficeHours::default();
    // The day on which the pause begins is used up; then nothing is until it ends.
    for now in ["2026-11-24 18:00", "2026-11-25 12:00", "2026-12-09 12:00"] {
        assert_eq!(clock.used_permille(at(now), &calendar(), hours), 500, "{now}");
        assert_eq!(clock.left(at(now), &calendar(), hours), TimeLeft::WorkingDays(1), "{now}");
    }
    let ended = [pause("2026-11-24 15:00", "2026-11-26 15:00")];
    let clock = Clock { pauses: &ended, ..clock };
    let table = [
        ("2026-11-26 24:00", 500),
        ("2026-11-27 13:30", 750),
        ("2026-11-27 24:00", 1000),
        ("2026-11-28 00:00", 1001),
    ];
    for (now, wanted) in table {
        assert_eq!(clock.used_permille(at(now), &calendar(), hours), wanted, "{now}");
    }
    // Late, and then it waits: it stays as late as it was.
    let late = [pause("2026-11-26 02:00", "-")];
    let clock = Clock { pauses: &late, ..clock };
    for now in ["2026-11-26 02:00", "2026-12-09 12:00"] {
        let over = TimeLeft::Over { days: 0, hours: 2, minutes: 0 };
        assert_eq!(clock.left(at(now), &calendar(), hours), over, "{now}");
        let used = clock.used_permille(at(now), &calendar(), hours);
        let end = clock.deadline(at(now), &calendar(), hours);
        assert_eq!((end.standing, Urgency::of(used, end.standing)), (true, Urgency::Over), "{now}");
    }
    let minutes =
        Clock { period: minutes(20), started_ms: at(MONDAY), pauses: &[pause("2026-11-23 10:10", "-")] };
    assert_eq!(minutes.used_permille(at("2026-11-30 10:00"), &calendar(), hours), 500);
    assert_eq!(
        minutes.left(at("2026-11-30 10:00"), &calendar(), hours),
        TimeLeft::HoursMinutes { hours: 0, minutes: 10 }
    );
}
