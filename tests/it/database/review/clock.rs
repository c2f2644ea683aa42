//! What the clock does by itself: one notice for all, its end, deemed acceptance, escalation, a holiday announced late.
use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, CaseState, StepState};
use domain::catalogue::{Catalogue, DayKind};
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::auth::role::Role;
use sync_server::refold_command::verify;
use sync_server::services::case_time::Due::{Deemed, Lapse, Notice, Over, Soon};
use sync_server::services::catalogue::publish;
use sync_server::services::clockwork::{self, Happened, TOGETHER};
use sync_server::services::review::Deed;
use sync_server::services::{cases, supplements, tasks};
use sync_server::store::{Tx, Value, fresh_in_memory, in_transaction};

use super::clicks::{ask, pass};
use super::on_both;
use super::stage::{DAY_MS, FIVE_DAYS, HOUR_MS, MINUTE_MS, Stage, TUESDAY_MS, parallel, person, single};

/// 24:00 of a day in China, its last millisecond.
fn end_of(day: &str) -> Result<i64> {
    let day: CivilDate = day.parse()?;
    let mut ms = TUESDAY_MS - 10 * HOUR_MS;
    while CivilDate::in_china(ms) < day {
        ms += DAY_MS;
    }
    Ok(ms + DAY_MS - 1)
}

fn is(happened: &[Happened], expected: &[Happened]) -> Result<()> {
    ensure!(happened == expected, "{happened:?} happened, and not {expected:?}");
    Ok(())
}

/// The newest catalogue once more as the next version, with these days off.
fn publish_with(stage: &mut Stage<'_>, holidays: &[&str]) -> Result<Catalogue> {
    let newest = stage.in_tx(|tx, context, _| context.shelf.newest(tx))?.context("a catalogue")?;
    let mut catalogue = newest.catalogue.clone();
    // Far away from versions that were made for another story.
    catalogue.version += 1_000;
    for day in holidays {
        catalogue.calendar.days.insert(day.parse()?, DayKind::Holiday);
    }
    let (now_ms, published) = (stage.now_ms, &catalogue);
    in_transaction(&mut *stage.driver, |tx| publish(tx, now_ms, published))?;
    Ok(catalogue)
}

/// A case that was accepted now, promised for five working days.
fn accepted(stage: &mut Stage<'_>) -> Result<EnvelopeId> {
    let id = stage.case(FIVE_DAYS, single()?)?;
    stage.click(&person(1, "a", &[Role::Reviewer]), &id, &Deed::Accept)?;
    Ok(id)
}

/// Every statement of the clock, whatever else lies in the store.
pub fn every_statement(stage: &mut Stage<'_>) -> Result<()> {
    let id = accepted(stage)?;
    publish_with(stage, &[])?;
    stage.tick(&id)?;
    break_case(stage, &id)?;
    stage.now_ms += 30 * DAY_MS;
    let failed = stage.in_tx(|tx, context, now_ms| Ok(clockwork::turn(tx, context, now_ms)?.failed))?;
    ensure!(failed.iter().any(|(of, _)| *of == id));
    stage.in_tx(|tx, context, _| {
        sync_server::services::refold::stretch(tx, &context.shelf, -1, 10).map(drop)
    })?;
    Ok(())
}

#[test]
fn one_notice_says_it_all_and_lapses_once() -> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        let (a, b) = (person(2, "a", &[Role::Reviewer]), person(3, "b", &[Role::Reviewer]));
        stage.click(&person(1, "desk", &[Role::Clerk]), &id, &Deed::Accept)?;
        stage.now_ms += 5 * MINUTE_MS;
        stage.click(&a, &id, &ask("a", 5))?;
        stage.now_ms += 15 * MINUTE_MS;
        stage.click(&b, &id, &ask("b", 8))?;
        stage.now_ms = TUESDAY_MS + 35 * MINUTE_MS - 1;
        is(&stage.tick(&id)?, &[])?;
        ensure!(!stage.current(&id)?.0.standing, "nobody was told yet");
        stage.now_ms += 1;
        is(&stage.tick(&id)?, &[Happened::Due(Notice)])?;
        is(&stage.tick(&id)?, &[])?;
        let due_ms = end_of("2026-12-04")?;
        let (row, view) = stage.current(&id)?;
        ensure!(view.supplement_due_ms == Some(due_ms) && row.standing, "the longest: eight working days");
        ensure!(stage.history(&id)?.iter().filter(|r| r.action.name() == "supplement_sent").count() == 1);
        // The promise would be over for long: the clock stands.
        stage.now_ms = due_ms;
        is(&stage.tick(&id)?, &[])?;
        stage.now_ms += 1;
        is(&stage.tick(&id)?, &[Happened::Due(Lapse)])?;
        is(&stage.tick(&id)?, &[])?;
        let (row, view) = stage.current(&id)?;
        ensure!(!row.standing && view.steps[1..].iter().all(|step| step.lapsed));
        ensure!(view.steps[1..].iter().all(|step| step.state == StepState::Ready));
        Ok(())
    })
}

#[test]
fn a_supplement_that_comes_in_time_does_not_lapse() -> Result<()> {
    on_both(|stage| {
        let id = accepted(stage)?;
        stage.click(&person(1, "a", &[Role::Reviewer]), &id, &ask("a", 1))?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&id)?, &[Happened::Due(Notice)])?;
        stage.by_centre(&id, Action::supplement(id, &["phone"]))?;
        stage.now_ms = end_of("2026-11-25")? + 1;
        is(&stage.tick(&id)?, &[])?;
        ensure!(!stage.view(&id)?.steps[0].lapsed);
        Ok(())
    })
}

/// A supplement whose text came, and whose pages did not.
fn text_of_a_supplement(stage: &mut Stage<'_>, case: &EnvelopeId) -> Result<String> {
    let id = EnvelopeId::new(stage.now_ms, &mut ChaCha20Rng::seed_from_u64(9)).to_string();
    let blob = || Value::from(&[0_u8; 32][..]);
    stage.in_tx(|tx, _, now_ms| {
        let sql = "INSERT INTO envelope (server_seq, envelope_id, kind, refers_to, terminal, station, lineage, seq,
                       complete, disposition, digest, signature, header, ciphertext, device_time_ms, accepted_at_ms)
                   VALUES ($1, $2, 'supplement', $3, 'T-01', 'XN-CCB-CD-01', 'l', $1, 0, 'held', '', $4, $5, $6, $7, $7)";
        let seq = tx.query_int("SELECT COALESCE(MAX(server_seq), 0) + 900 FROM envelope", &[])?;
        let values = [seq.into(), id.as_str().into(), case.to_string().into(), blob(), blob(), blob(), now_ms.into()];
        Ok(tx.execute(sql, &values)?)
    })?;
    Ok(id)
}

#[test]
fn the_citizens_time_does_not_lapse_while_pages_of_a_supplement_are_on_their_way() -> Result<()> {
    on_both(|stage| {
        let id = accepted(stage)?;
        stage.click(&person(1, "a", &[Role::Reviewer]), &id, &ask("a", 1))?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&id)?, &[Happened::Due(Notice)])?;
        let waits = text_of_a_supplement(stage, &id)?;
        stage.now_ms = end_of("2026-11-25")? + 1;
        is(&stage.tick(&id)?, &[])?;
        ensure!(!stage.view(&id)?.steps[0].lapsed);
        stage.is_sound()?;
        // That it is looked at again in ten minutes is right, in a hundred years is not.
        let wake = |tx: &mut Tx<'_>, wake_ms: i64| {
            let sql = "UPDATE case_ SET wake_ms = $2 WHERE envelope_id = $1";
            Ok(tx.execute(sql, &[id.to_string().into(), wake_ms.into()])?)
        };
        let soon_ms = stage.current(&id)?.0.wake_ms.context("a time")?;
        stage.in_tx(|tx, _, _| wake(tx, soon_ms + 36_500 * DAY_MS))?;
        ensure!(stage.is_sound().is_err(), "nobody looks at it ever again");
        stage.in_tx(|tx, _, _| wake(tx, soon_ms))?;
        // Nobody is told before it is late, and then once.
        let told = |tx: &mut Tx<'_>| {
            let sql = "SELECT COUNT(*) FROM alarm WHERE kind = 'follow-up.waits' AND subject = $1";
            tx.query_int(sql, &[waits.as_str().into()])
        };
        let tell = |stage: &mut Stage<'_>| {
            stage.in_tx(|tx, _, now_ms| {
                let late = supplements::waiting_long(tx, now_ms)?;
                supplements::tell_of_waiting(tx, now_ms, &late)?;
                Ok((late.len(), told(tx)?))
            })
        };
        ensure!(tell(stage)? == (0, 0));
        stage.now_ms += 3 * DAY_MS;
        ensure!(tell(stage)? == (1, 1) && tell(stage)? == (0, 1));
        is(&stage.tick(&id)?, &[])?;
        // One that came too late holds up nothing.
        stage.in_tx(|tx, _, now_ms| {
            let sql = "UPDATE envelope SET accepted_at_ms = $2 WHERE envelope_id = $1";
            Ok(tx.execute(sql, &[waits.as_str().into(), now_ms.into()])?)
        })?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&id)?, &[Happened::Due(Lapse)])
    })
}

#[test]
fn a_notice_goes_out_while_pages_are_on_their_way_and_what_never_comes_holds_up_no_case_for_ever()
-> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        stage.click(&person(1, "desk", &[Role::Clerk]), &id, &Deed::Accept)?;
        stage.click(&person(2, "a", &[Role::Reviewer]), &id, &ask("a", 1))?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&id)?, &[Happened::Due(Notice)])?;
        text_of_a_supplement(stage, &id)?;
        stage.now_ms = end_of("2026-11-25")? + 1;
        is(&stage.tick(&id)?, &[])?;
        stage.click(&person(3, "b", &[Role::Reviewer]), &id, &ask("b", 1))?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&id)?, &[Happened::Due(Notice)])?;
        stage.now_ms += 31 * DAY_MS;
        is(&stage.tick(&id)?, &[Happened::Due(Lapse)])
    })
}

#[test]
fn what_nobody_looked_at_counts_as_accepted_from_its_receipt() -> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        let asked = stage.case(FIVE_DAYS, parallel()?)?;
        let clerk = person(1, "desk", &[Role::Clerk]);
        stage.click(&clerk, &asked, &ask("desk", 1))?;
        let last_ms = end_of("2026-12-01")?;
        ensure!(stage.current(&id)?.0.due_ms == Some(last_ms), "five working days");
        stage.now_ms = last_ms;
        is(&stage.tick(&id)?, &[])?;
        stage.now_ms += 1;
        // What is accepted since its receipt is over by then as well.
        is(&stage.tick(&id)?, &[Happened::Due(Deemed), Happened::Due(Over)])?;
        is(&stage.tick(&id)?, &[])?;
        let view = stage.view(&id)?;
        ensure!(view.deemed && view.accepted_at_ms == Some(TUESDAY_MS) && view.state == CaseState::Accepted);
        ensure!(stage.state(&id, "a")? == StepState::Ready, "and the departments may begin");
        // Whoever asked in time has as long once more when the papers are back, and nothing is deemed.
        let (row, view) = stage.current(&asked)?;
        ensure!(view.state == CaseState::Submitted && row.standing, "the notice went out before");
        stage.by_centre(&asked, Action::supplement(asked, &["phone"]))?;
        ensure!(stage.current(&asked)?.0.due_ms == Some(end_of("2026-12-09")?));
        stage.now_ms = end_of("2026-12-20")?;
        is(&stage.tick(&asked)?, &[])?;
        Ok(())
    })
}

#[test]
fn it_is_told_once_that_the_last_day_comes_near_and_once_that_it_is_over() -> Result<()> {
    on_both(|stage| {
        let (id, late, waits) = (accepted(stage)?, accepted(stage)?, accepted(stage)?);
        let reviewer = person(1, "a", &[Role::Reviewer]);
        stage.click(&reviewer, &waits, &ask("a", 60))?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&waits)?, &[Happened::Due(Notice)])?;
        let last_ms = end_of("2026-12-01")?;
        ensure!(stage.current(&id)?.0.due_ms == Some(last_ms));
        // Three of five days are 60 %, three and a half 70 %.
        stage.now_ms = end_of("2026-11-29")?;
        is(&stage.tick(&id)?, &[])?;
        stage.now_ms = end_of("2026-11-30")?;
        is(&stage.tick(&id)?, &[Happened::Due(Soon)])?;
        is(&stage.tick(&id)?, &[])?;
        stage.now_ms = last_ms;
        is(&stage.tick(&id)?, &[])?;
        stage.now_ms += 1;
        is(&stage.tick(&id)?, &[Happened::Due(Over)])?;
        stage.now_ms += 5 * DAY_MS;
        is(&stage.tick(&id)?, &[])?;
        is(&stage.tick(&waits)?, &[])?;
        let escalated = |names: Vec<&str>| names.iter().filter(|name| **name == "escalated").count();
        ensure!(escalated(stage.names(&id)?) == 2 && escalated(stage.names(&late)?) == 2);
        ensure!(escalated(stage.names(&waits)?) == 0, "never while the clock stands");
        Ok(())
    })
}

#[test]
fn a_clock_that_was_away_tells_only_that_it_is_over() -> Result<()> {
    on_both(|stage| {
        let id = accepted(stage)?;
        stage.now_ms = end_of("2026-12-01")? + 1;
        is(&stage.tick(&id)?, &[Happened::Due(Over)])?;
        is(&stage.tick(&id)?, &[])
    })
}

#[test]
fn a_holiday_that_is_announced_late_moves_open_cases_once() -> Result<()> {
    on_both(|stage| {
        let reviewer = person(1, "a", &[Role::Reviewer]);
        let closed = accepted(stage)?;
        stage.click(&reviewer, &closed, &pass("a"))?;
        let submitted = stage.case(FIVE_DAYS, single()?)?;
        let mut open = Vec::new();
        for _ in 0..TOGETHER + 5 {
            open.push(accepted(stage)?);
        }
        stage.tick(&closed)?;
        let first = stage.in_tx(|tx, _, _| Ok(clockwork::followed(tx)?))?.context("a version")?;
        let (before, after) = (end_of("2026-12-01")?, end_of("2026-12-02")?);
        let version = publish_with(stage, &["2026-11-27"])?.version;
        stage.now_ms += HOUR_MS;
        // The centre ends in the middle: what is moved stays moved, the rest follows.
        let done = stage.in_tx(clockwork::follow_catalogue)?.done.len();
        ensure!(done as u64 == TOGETHER && stage.in_tx(|tx, _, _| Ok(clockwork::is_behind(tx)?))?);
        let meanwhile = verify(&mut *stage.driver, &mut |_| {})?;
        ensure!(meanwhile.without_times && meanwhile.differences == 0, "{:?}", meanwhile.told);
        stage.context.shelf = Default::default();
        stage.tick(&closed)?;
        for id in open.iter().chain([&submitted]) {
            let moved: Vec<_> = stage
                .history(id)?
                .into_iter()
                .filter(|recorded| recorded.action.name() == "due_moved")
                .map(|recorded| recorded.action)
                .collect();
            ensure!(moved == [Action::DueMoved { from_ms: before, to_ms: after }], "{moved:?}");
            ensure!(stage.current(id)?.0.due_ms == Some(after));
            let tasks = stage.in_tx(|tx, _, _| Ok(tasks::stored(tx, id)?))?;
            ensure!(tasks.iter().all(|task| task.contains(&Value::Int(after))));
            let sql = "SELECT COUNT(*) FROM audit WHERE event = 'case.due_moved' AND subject = $1";
            ensure!(stage.in_tx(|tx, _, _| Ok(tx.query_int(sql, &[id.to_string().into()])?))? == 1);
        }
        ensure!(!stage.names(&closed)?.contains(&"due_moved"), "what is closed stays");
        ensure!(stage.in_tx(|tx, _, _| Ok(clockwork::followed(tx)?))? == Some(version) && version > first);
        stage.is_sound()?;
        // The same calendar again moves nothing, and neither does another look.
        let again = publish_with(stage, &[])?.version;
        let stretch = stage.in_tx(clockwork::follow_catalogue)?;
        ensure!(!stretch.more && stretch.done.is_empty(), "not a case was looked at");
        ensure!(stage.in_tx(|tx, _, _| Ok(clockwork::followed(tx)?))? == Some(again));
        ensure!(!stage.in_tx(|tx, _, now_ms| clockwork::is_due(tx, now_ms))?);
        Ok(())
    })
}

#[test]
fn a_store_of_before_gets_its_times_and_nothing_happens_to_its_cases() -> Result<()> {
    on_both(|stage| {
        let (id, submitted) = (accepted(stage)?, stage.case(FIVE_DAYS, single()?)?);
        let names = stage.names(&id)?;
        stage.in_tx(|tx, _, _| {
            tx.execute("UPDATE case_ SET due_ms = NULL, wake_ms = NULL", &[])?;
            Ok(tx.execute("UPDATE task SET due_ms = $1", &[tasks::NO_DUE.into()])?)
        })?;
        stage.now_ms += HOUR_MS;
        is(&stage.tick(&id)?, &[])?;
        ensure!(stage.names(&id)? == names);
        for id in [&id, &submitted] {
            ensure!(stage.current(id)?.0.due_ms == Some(end_of("2026-12-01")?));
        }
        Ok(())
    })
}

/// Spoils what happened to a case, as a disk or a hand does.
fn break_case(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<()> {
    let sql = "UPDATE action SET body = 'nonsense' WHERE envelope_id = $1 AND version = 2";
    ensure!(stage.in_tx(|tx, _, _| Ok(tx.execute(sql, &[id.to_string().into()])?))? == 1);
    Ok(())
}

#[test]
fn one_bad_case_keeps_no_other_from_its_turn() -> Result<()> {
    let mut driver = fresh_in_memory()?;
    let mut stage = Stage::begin(&mut driver, TUESDAY_MS)?;
    let (bad, good) = (accepted(&mut stage)?, accepted(&mut stage)?);
    stage.tick(&good)?;
    break_case(&mut stage, &bad)?;
    stage.now_ms = end_of("2026-12-01")? + 1;
    let turn = |stage: &mut Stage<'_>| stage.in_tx(clockwork::turn);
    let stretch = turn(&mut stage)?;
    ensure!(stretch.done == [(good, Happened::Due(Over))]);
    ensure!(stretch.failed.len() == 1 && stretch.failed[0].0 == bad);
    ensure!(turn(&mut stage)?.failed.is_empty(), "and it is not asked again at once");
    stage.now_ms += HOUR_MS;
    ensure!(turn(&mut stage)?.failed.len() == 1);
    Ok(())
}

#[test]
fn what_is_due_is_found_without_looking_at_the_rest() -> Result<()> {
    let mut driver = fresh_in_memory()?;
    let mut stage = Stage::begin(&mut driver, TUESDAY_MS)?;
    accepted(&mut stage)?;
    for (sql, index) in [
        (
            "EXPLAIN QUERY PLAN SELECT envelope_id FROM case_ WHERE wake_ms <= $1 ORDER BY wake_ms, envelope_id LIMIT $2",
            "USING COVERING INDEX case_by_wake (wake_ms<?)",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT envelope_id, server_seq FROM case_ WHERE state = 'accepted' AND server_seq > $1
             ORDER BY server_seq LIMIT $2",
            "INDEX case_by_state (state=?",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT e.envelope_id FROM envelope e WHERE e.disposition = 'waiting'
             AND e.accepted_at_ms < $1 LIMIT $2",
            "INDEX envelope_that_waits",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT envelope_id FROM blob_ WHERE digest = $1 LIMIT $2",
            "INDEX blob_by_digest (digest=?",
        ),
    ] {
        let plan = stage.in_tx(|tx, _, _| Ok(tx.query(sql, &[1_i64.into(), 1_i64.into()])?))?;
        let told: Vec<_> = plan.iter().filter_map(|row| row.text(3).ok()).collect();
        ensure!(told.len() == 1 && told[0].contains(index), "{told:?}");
    }
    let closed =
        "SELECT COUNT(*) FROM case_ WHERE state IN ('completed', 'returned') AND wake_ms IS NOT NULL";
    let id = accepted(&mut stage)?;
    stage.click(&person(1, "a", &[Role::Reviewer]), &id, &pass("a"))?;
    ensure!(
        stage.in_tx(|tx, _, _| Ok(tx.query_int(closed, &[])?))? == 0,
        "what is closed is not in the index"
    );
    ensure!(cases::PROJECTED.contains(&"wake_ms"));
    Ok(())
}
