//! `calendar due`: the golden vectors through the real program, years that nobody knows, hours of a station.
use anyhow::Result;
use serde_json::{Value, json};

use super::Desk;

#[test]
fn working_days_are_those_of_the_golden_vectors() -> Result<()> {
    let desk = Desk(tempfile::tempdir()?);
    for (from, days, due, weekday) in [
        ("2026-02-12", 5, "2026-02-26", 4),
        ("2026-02-13", 1, "2026-02-14", 6),
        ("2026-09-30", 3, "2026-10-10", 6),
        ("2026-09-17", 15, "2026-10-14", 3),
        ("2025-09-30", 5, "2025-10-14", 2),
        ("2023-04-21", 3, "2023-04-25", 2),
    ] {
        let said = desk.does(&format!("calendar due --from {from} --days {days} --json"))?;
        let answer: Value = serde_json::from_str(&said)?;
        assert_eq!((&answer["due"], &answer["weekday"]), (&json!(due), &json!(weekday)), "{from} + {days}");
        assert_eq!((&answer["expected"], &answer["working_day"]), (&json!(false), &json!(true)), "{from}");
    }
    assert_eq!(desk.does("calendar due --from 2026-09-30 --days 3")?, "2026-10-10 Saturday, working day\n");
    Ok(())
}

#[test]
fn a_year_that_is_not_announced_is_marked() -> Result<()> {
    let desk = Desk(tempfile::tempdir()?);
    let said = desk.does("calendar due --from 2026-12-24 --days 20")?;
    assert!(said.contains("预计") && said.starts_with("2027-01-"), "{said}");
    assert!(!desk.does("calendar due --from 2026-12-01 --days 20")?.contains("预计"));
    let said = desk.does("calendar due --from 2026-12-01 --days 60 --unit natural_day --json")?;
    let answer: Value = serde_json::from_str(&said)?;
    assert_eq!((&answer["due"], &answer["expected"]), (&json!("2027-01-30"), &json!(true)));
    Ok(())
}

#[test]
fn halves_and_natural_days_are_counted_as_they_are_meant() -> Result<()> {
    let desk = Desk(tempfile::tempdir()?);
    for (unit, days, due) in [
        ("half", 0, "2026-09-30"),
        ("half", 1, "2026-10-08"),
        ("half", 2, "2026-10-08"),
        ("half", 3, "2026-10-09"),
        ("natural_day", 3, "2026-10-03"),
    ] {
        let said = desk.does(&format!("calendar due --from 2026-09-30 --days {days} --unit {unit}"))?;
        assert!(said.starts_with(due), "{unit} {days}: {said}");
    }
    let said = desk.does("calendar due --from 2026-09-30 --days 3 --unit natural_day")?;
    assert_eq!(said, "2026-10-03 Saturday, no working day\n");
    Ok(())
}

#[test]
fn the_hours_of_a_station_and_the_next_open_day_are_told() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("migrate")?;
    let due = |days: u32, unit: &str| {
        desk.does(&format!(
            "calendar due --from 2026-09-30 --days {days} --unit {unit} --station XN-CCB-CD-01 --catalogue version:2"
        ))
    };
    let (open, closed) = (due(3, "working_day")?, due(3, "natural_day")?);
    assert!(open.contains("\nXN-CCB-CD-01 open 09:00-"), "{open}");
    assert!(closed.contains("\nXN-CCB-CD-01 closed; next open 2026-10-08 09:00-"), "{closed}");
    let said = desk.refuses("calendar due --from 2026-09-30 --days 3 --station XN-NOWHERE-01")?;
    assert!(said.contains("no station XN-NOWHERE-01"), "{said}");
    Ok(())
}

#[test]
fn what_is_no_day_or_number_is_wrong_usage() -> Result<()> {
    let desk = Desk(tempfile::tempdir()?);
    for wrong in [
        "--from 2026-02-30 --days 1",
        "--from tomorrow --days 1",
        "--from 2026-01-01 --days -1",
        "--from 2026-01-01 --days 2001",
        "--from 2026-01-01 --days 1 --unit week",
        "--from 2026-01-01",
    ] {
        assert_eq!(desk.says(&format!("calendar due {wrong}"))?.0, 2, "{wrong}");
    }
    assert!(desk.refuses("calendar due --from 2026-01-01 --days 1 --catalogue nowhere")?.contains("nowhere"));
    Ok(())
}
