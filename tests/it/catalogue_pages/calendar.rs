//! Which open cases a change of the calendar moves, counted on a store of many cases.
use anyhow::{Context as _, Result};
use domain::case::{Action, CaseState};
use domain::catalogue::{Calendar, DayKind};
use domain::date::CivilDate;
use domain::ids::{CaseNo, CounterState, EnvelopeId, Issuer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::services::cases::{NewCase, act, begin};
use sync_server::services::catalogue::{Shelf, publish};
use sync_server::services::open_deadlines::{Effect, moved};
use sync_server::store::{Sqlite, Tx, fresh_in_memory, in_transaction};

use crate::catalogue::sample;

/// 2026-11-24 10:00 in China.
const START_MS: i64 = 1_795_485_600_000;
const DAY_MS: i64 = 86_400_000;

fn number(counter: u16) -> CaseNo {
    let date = "2026-11-24".parse().expect("a date");
    CaseNo::issue(Issuer::new(7).expect("in range"), CounterState { date, counter })
}

/// Puts a case into the store that came on a day and was led to a state.
fn put(db: &mut Sqlite, n: u16, (item, version): (&str, u64), days: i64, state: CaseState) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(n));
    let id = EnvelopeId::new(START_MS, &mut rng);
    let now_ms = START_MS + days * DAY_MS;
    let item = item.parse()?;
    let (station, terminal) = ("XN-CCB-CD-02".parse()?, "T-01".parse()?);
    let way = match state {
        CaseState::Submitted => vec![Action::submitted()],
        CaseState::Accepted => vec![Action::submitted(), Action::accepted()],
        CaseState::Completed => vec![Action::submitted(), Action::accepted(), Action::completed()],
        _ => Vec::new(),
    };
    in_transaction(db, |tx| {
        let new = NewCase {
            envelope_id: id,
            server_seq: u64::from(n),
            number: number(n),
            slip_number: None,
            item: Some(&item),
            catalogue_version: Some(version),
            station: &station,
            terminal: &terminal,
        };
        begin(tx, now_ms, &new)?;
        for (at, action) in way.iter().enumerate() {
            // Accepted one day after it came.
            act(tx, &Shelf::default(), now_ms + DAY_MS, (&id, at as u64 + 1), action.clone())?;
        }
        Ok::<_, sync_server::error::ServiceError>(())
    })?;
    Ok(())
}

fn effect(db: &mut Sqlite, change: impl FnOnce(&mut Calendar), most: usize) -> Result<Effect> {
    let (shelf, old) = (Shelf::default(), sample().calendar);
    let mut new = old.clone();
    change(&mut new);
    Ok(moved(&mut Tx::new(db), &shelf, (&old, &new), most)?)
}

fn day(text: &str) -> CivilDate {
    text.parse().expect("a date")
}

#[test]
fn a_new_holiday_moves_the_cases_whose_time_runs_over_it() -> Result<()> {
    let catalogue = sample();
    let version = catalogue.version;
    let (item, days) = catalogue
        .items
        .values()
        .filter(|item| item.promised.unit == domain::item::PeriodUnit::WorkingDay)
        .map(|item| (item.code.to_string(), item.promised.tenths.div_ceil(10)))
        .find(|(_, days)| *days == 5)
        .context("an item of five working days")?;
    let mut db = fresh_in_memory()?;
    in_transaction(&mut db, |tx| publish(tx, START_MS, &catalogue).map_err(anyhow::Error::from))?;
    let of = (item.as_str(), version);
    put(&mut db, 1, of, 0, CaseState::Submitted)?; // Tue 24 Nov, not accepted: due Tue 1 Dec
    put(&mut db, 2, of, 0, CaseState::Accepted)?; // accepted Wed 25 Nov: due Wed 2 Dec
    put(&mut db, 3, of, 0, CaseState::Completed)?;
    put(&mut db, 4, of, -20, CaseState::Accepted)?; // long due
    put(&mut db, 5, of, 0, CaseState::Received)?;
    put(&mut db, 6, (item.as_str(), 999), 0, CaseState::Accepted)?; // a version that is not here
    let holiday = |calendar: &mut Calendar| {
        calendar.days.insert(day("2026-11-30"), DayKind::Holiday);
    };
    let found = effect(&mut db, holiday, 100)?;
    assert_eq!(days, 5);
    assert_eq!((found.open, found.moved, found.unknown, found.cut), (5, 3, 1, false));
    let told: Vec<_> = found
        .rows
        .iter()
        .map(|m| (m.number.clone(), m.accepted, m.old.date.to_string(), m.new.date.to_string()))
        .collect();
    let row = |n, accepted, old: &str, new: &str| (number(n), accepted, old.to_owned(), new.to_owned());
    assert_eq!(
        told,
        [
            row(2, true, "2026-12-02", "2026-12-03"),
            row(1, false, "2026-12-01", "2026-12-02"),
            row(5, false, "2026-12-01", "2026-12-02"),
        ]
    );
    let workday = |calendar: &mut Calendar| {
        calendar.days.insert(day("2026-11-28"), DayKind::Workday);
    };
    let found = effect(&mut db, workday, 1)?;
    assert_eq!((found.moved, found.rows.len()), (3, 1), "counted, though only one is listed");
    assert_eq!(found.rows[0].new.date, day("2026-12-01"));
    let far = |calendar: &mut Calendar| {
        calendar.days.insert(day("2026-12-31"), DayKind::Holiday);
    };
    assert_eq!(effect(&mut db, far, 100)?.moved, 0);
    Ok(())
}

#[test]
fn many_cases_are_read_stretch_by_stretch() -> Result<()> {
    let catalogue = sample();
    let code = catalogue.home_items[0].to_string();
    let mut db = fresh_in_memory()?;
    in_transaction(&mut db, |tx| publish(tx, START_MS, &catalogue).map_err(anyhow::Error::from))?;
    for n in 1..=4_100 {
        put(&mut db, n, (&code, catalogue.version), 0, CaseState::Received)?;
    }
    let none = effect(&mut db, |_| {}, 100)?;
    assert_eq!((none.open, none.moved, none.unknown), (4_100, 0, 0));
    Ok(())
}
