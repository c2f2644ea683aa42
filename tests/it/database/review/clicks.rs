//! Clicks: one is one action, an old page is refused, units side by side do not hinder each other.
use anyhow::{Context as _, Result, ensure};
use domain::bundle::StepKind;
use domain::case::{CaseState, Flaw, Outcome, Plan, PlannedStep, StepState, Want};
use domain::item::{Period, PeriodUnit};
use sync_server::auth::role::Role;
use sync_server::error::ProblemCode;
use sync_server::services::review::{Click, Deed, MAX_SUPPLEMENT_DAYS, MAX_WANTS};
use sync_server::services::tally::Tally;
use sync_server::services::tasks::{self, NO_DUE, PAGE, Query};

use super::on_both;
use super::stage::{DAY_MS, FIVE_DAYS, Stage, code, parallel, person, single, step};

pub fn ask(step: &str, days: u16) -> Deed {
    let wants = vec![Want { key: "phone".into(), flaw: Flaw::Unclear }];
    Deed::AskSupplement { step: step.into(), wants, days }
}

pub fn pass(step: &str) -> Deed {
    Deed::Pass { step: step.into() }
}

fn take(step: &str) -> Deed {
    Deed::Take { step: step.into() }
}

/// Several identical clicks, in transactions of their own, are one action; whoever else clicks does something else.
pub fn one_click_is_one_action(stage: &mut Stage<'_>) -> Result<()> {
    let (clerk, other) = (person(1, "desk", &[Role::Clerk]), person(2, "desk", &[Role::Leader]));
    let id = stage.case(FIVE_DAYS, parallel()?)?;
    let seen = stage.view(&id)?.version;
    let click = Click { name: "one", seen, text: "" };
    for _ in 0..3 {
        let view = stage.click_seen((&clerk, &id), &click, &Deed::Accept)?;
        ensure!((view.version, view.state) == (seen + 1, CaseState::Accepted));
    }
    // The same name from somebody else is another click, on a page that is old by now.
    let late = stage.click_seen((&other, &id), &click, &Deed::Withdraw);
    ensure!(code(late) == Some(ProblemCode::CaseChanged));
    // A click that was done does nothing else, and nothing to another case.
    let view = stage.click_seen((&clerk, &id), &click, &Deed::Withdraw)?;
    ensure!(view.version == seen + 1 && view.outcome.is_none());
    let second = stage.case(FIVE_DAYS, parallel()?)?;
    let strange = stage.click_seen((&clerk, &second), &click, &Deed::Accept);
    ensure!(code(strange) == Some(ProblemCode::MalformedRequest));
    let long = "x".repeat(65);
    for name in ["", "a b", "a/b", "一", long.as_str()] {
        let nameless = stage.click_seen((&clerk, &second), &Click { name, ..click }, &Deed::Accept);
        ensure!(code(nameless) == Some(ProblemCode::MalformedRequest), "{name}");
    }
    let noted = Deed::Note { step: None, mentions: vec!["A-0002".into()] };
    let (a, b) = (Click { name: "two", seen: 0, text: "甲" }, Click { name: "two", seen: 0, text: "乙" });
    ensure!(stage.click_seen((&clerk, &id), &a, &noted)?.version == seen + 2);
    ensure!(stage.click_seen((&other, &id), &b, &noted)?.version == seen + 3);
    ensure!(stage.texts(&id)?.into_values().collect::<Vec<_>>() == ["甲", "乙"]);
    Ok(())
}

/// Inboxes by unit, holder, state and page.
pub fn inbox(stage: &mut Stage<'_>) -> Result<()> {
    let unit = "a".parse()?;
    let reviewer = person(3, "a", &[Role::Reviewer]);
    let mut ids = Vec::new();
    for _ in 0..=PAGE {
        ids.push(stage.case(FIVE_DAYS, single()?)?);
    }
    stage.click(&reviewer, &ids[0], &take("a"))?;
    let mine = Query { holder: Some("A-0003".into()), ..Query::default() };
    let free = Query { state: Some(StepState::Ready), ..Query::default() };
    let (tasks, next) = stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &Query::default())?))?;
    ensure!(tasks.len() as u64 == PAGE && tasks.iter().all(|task| task.due_ms != NO_DUE));
    let rest = Query { after: Some(next.context("a second page")?), ..Query::default() };
    let (more, _) = stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &rest)?))?;
    ensure!(!more.is_empty() && more.iter().all(|task| !tasks.contains(task)));
    let (own, _) = stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &mine)?))?;
    ensure!(own.len() == 1 && own[0].envelope_id == ids[0]);
    let both = Query { after: Some((0, ids[0])), state: Some(StepState::Taken), ..mine };
    ensure!(stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &both)?))?.0.len() == 1);
    let (ready, _) = stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &free)?))?;
    ensure!(ready.iter().all(|task| task.state == StepState::Ready && task.envelope_id != ids[0]));
    let (counts, over) = stage.in_tx(|tx, _, now_ms| Ok(tasks::counts(tx, &unit, now_ms)?))?;
    ensure!(over.is_zero() && counts.contains(&(StepState::Taken, 1)), "{counts:?}");
    let later = stage.now_ms + 30 * DAY_MS;
    let (_, over) = stage.in_tx(|tx, _, _| Ok(tasks::counts(tx, &unit, later)?))?;
    ensure!(over > Tally::new(PAGE));
    Ok(())
}

#[test]
fn one_click_is_one_action_on_both() -> Result<()> {
    on_both(one_click_is_one_action)
}

#[test]
fn inboxes_are_read_page_by_page_on_both() -> Result<()> {
    on_both(inbox)
}

#[test]
fn an_old_page_is_refused_and_units_side_by_side_do_not_make_it_old() -> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        stage.click(&person(1, "desk", &[Role::Clerk]), &id, &Deed::Accept)?;
        let (a, b) = (person(2, "a", &[Role::Reviewer]), person(3, "b", &[Role::Reviewer]));
        let seen = stage.view(&id)?.step("b").context("b")?.version;
        // Everything that a does, and a note, leaves b's page as it was.
        stage.click(&a, &id, &take("a"))?;
        stage.click(&b, &id, &Deed::Note { step: Some("b".into()), mentions: vec![] })?;
        stage.click(&a, &id, &pass("a"))?;
        let click = Click { name: "b1", seen, text: "" };
        ensure!(stage.click_seen((&b, &id), &click, &take("b"))?.state == CaseState::Accepted);
        // What was seen before somebody took it is old.
        let again = stage.click_seen((&b, &id), &Click { name: "b2", ..click }, &pass("b"));
        ensure!(code(again) == Some(ProblemCode::CaseChanged));
        ensure!(stage.click(&b, &id, &pass("b"))?.outcome == Some(Outcome::Granted), "it follows by itself");
        let late = stage.click(&b, &id, &pass("b"));
        ensure!(code(late) == Some(ProblemCode::CaseChanged), "what is completed is over");
        Ok(())
    })
}

#[test]
fn words_are_needed_where_nothing_else_says_why() -> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        let clerk = person(1, "desk", &[Role::Clerk]);
        for text in ["", " \n ", "\u{7}"] {
            let silent = stage.click_with(&clerk, &id, (&Deed::Decline, text));
            ensure!(code(silent) == Some(ProblemCode::MalformedRequest));
        }
        let long = stage.click_with(&clerk, &id, (&Deed::Decline, "长".repeat(2_001).as_str()));
        ensure!(code(long) == Some(ProblemCode::TooLarge));
        for (wants, days) in [(0, 5), (MAX_WANTS + 1, 5), (1, 0), (1, MAX_SUPPLEMENT_DAYS + 1)] {
            let wants = vec![Want { key: "phone".into(), flaw: Flaw::Missing }; wants];
            let deed = Deed::AskSupplement { step: "desk".into(), wants, days };
            ensure!(code(stage.click(&clerk, &id, &deed)) == Some(ProblemCode::MalformedRequest));
        }
        let view = stage.click_with(&clerk, &id, (&Deed::Decline, "材料不属实"))?;
        ensure!((view.state, view.outcome) == (CaseState::Completed, Some(Outcome::Declined)));
        ensure!(stage.texts(&id)?.into_values().collect::<Vec<_>>() == ["材料不属实"]);
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        let view = stage.click(&clerk, &id, &Deed::Withdraw)?;
        ensure!((view.state, view.outcome) == (CaseState::Completed, Some(Outcome::Withdrawn)));
        ensure!(view.steps.iter().all(|step| step.state == StepState::Skipped));
        Ok(())
    })
}

#[test]
fn whoever_asks_a_second_time_is_a_leader() -> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, single()?)?;
        let (reviewer, leader) = (person(1, "a", &[Role::Reviewer]), person(2, "a", &[Role::Leader]));
        stage.click(&reviewer, &id, &Deed::Accept)?;
        stage.click(&reviewer, &id, &ask("a", 5))?;
        let early = stage.click(&reviewer, &id, &ask("a", 5));
        ensure!(code(early).is_some(), "it waits for the citizen");
        let came = domain::case::Action::supplement(id, &["phone"]);
        stage.now_ms += DAY_MS;
        stage.tick(&id)?;
        stage.by_centre(&id, came)?;
        ensure!(stage.state(&id, "a")? == StepState::Ready);
        ensure!(code(stage.click(&reviewer, &id, &ask("a", 5))) == Some(ProblemCode::RoleNeeded));
        ensure!(stage.click(&leader, &id, &ask("a", 5))?.step("a").context("a")?.rounds == 2);
        Ok(())
    })
}

#[test]
fn a_period_of_the_law_is_waited_for() -> Result<()> {
    on_both(|stage| {
        let period = Period { tenths: 50, unit: PeriodUnit::NaturalDay };
        let plan = vec![
            PlannedStep { statutory: Some(period), ..step("a", StepKind::Review, &[]) },
            PlannedStep { statutory: Some(period), ..step("b", StepKind::Notify, &[]) },
        ];
        let id = stage.case(FIVE_DAYS, Plan::new(plan)?)?;
        let reviewer = person(1, "a", &[Role::Reviewer]);
        stage.click(&reviewer, &id, &Deed::Accept)?;
        // It ends with the fifth day behind today, at 24:00; today 10:00 is over by then.
        for (at_ms, expected) in [(0, Some(ProblemCode::TooEarly)), (5 * DAY_MS, Some(ProblemCode::TooEarly))]
        {
            stage.now_ms += at_ms;
            ensure!(code(stage.click(&reviewer, &id, &pass("a"))) == expected);
        }
        stage.now_ms += DAY_MS;
        stage.click(&reviewer, &id, &pass("a"))?;
        ensure!(stage.state(&id, "b")? == StepState::Ready, "a notice with a period is somebody's work");
        Ok(())
    })
}

#[test]
fn every_deed_does_what_it_says_and_who_did_it_is_kept() -> Result<()> {
    on_both(|stage| {
        let id = stage.case(FIVE_DAYS, parallel()?)?;
        let clerk = person(1, "desk", &[Role::Clerk]);
        let (one, two) = (person(2, "a", &[Role::Reviewer]), person(3, "a", &[Role::Reviewer]));
        let (leader, asked) = (person(4, "a", &[Role::Leader]), person(5, "z", &[Role::Leader]));
        let step = || "a".to_owned();
        let unit = || "z".parse();
        stage.click(&clerk, &id, &take("desk"))?;
        stage.click(&clerk, &id, &Deed::Release { step: "desk".into() })?;
        stage.click(&clerk, &id, &Deed::Accept)?;
        stage.click(&one, &id, &take("a"))?;
        ensure!(code(stage.click(&two, &id, &pass("a"))) == Some(ProblemCode::CaseChanged), "another has it");
        stage.click(&one, &id, &Deed::Recuse { step: step() })?;
        ensure!(code(stage.click(&one, &id, &take("a"))) == Some(ProblemCode::CaseChanged), "for good");
        stage.click(&leader, &id, &Deed::Assign { step: step(), to: "A-0003".into() })?;
        stage.click(&two, &id, &Deed::Consult { step: step(), unit: unit()? })?;
        ensure!(
            code(stage.click(&two, &id, &pass("a"))) == Some(ProblemCode::CaseChanged),
            "it is waited for"
        );
        stage.click(&asked, &id, &Deed::Answer { step: step() })?;
        stage.click(&two, &id, &Deed::Release { step: step() })?;
        stage.click(&two, &id, &Deed::Transfer { step: step(), unit: unit()? })?;
        ensure!(code(stage.click(&two, &id, &take("a"))) == Some(ProblemCode::UnitNeeded));
        stage.click(&asked, &id, &Deed::Refuse { step: step(), basis: "0".into() })?;
        let reviewer = person(6, "b", &[Role::Reviewer]);
        let view = stage.click(&reviewer, &id, &pass("b"))?;
        ensure!(view.outcome == Some(Outcome::PartlyGranted));
        let other = stage.case(FIVE_DAYS, parallel()?)?;
        let boss = person(7, "desk", &[Role::Leader]);
        ensure!(code(stage.click(&clerk, &other, &Deed::Terminate)) == Some(ProblemCode::RoleNeeded));
        ensure!(stage.click(&boss, &other, &Deed::Terminate)?.outcome == Some(Outcome::Terminated));
        let sql =
            "SELECT kind, actor, role, on_behalf_of, click FROM action WHERE envelope_id = $1 AND version > 2
                   ORDER BY version";
        let rows = stage.in_tx(|tx, _, _| Ok(tx.query(sql, &[id.to_string().into()])?))?;
        let mut told = Vec::new();
        for row in &rows {
            let unit = row.text_or_null(3)?.unwrap_or("-");
            told.push(format!("{} {} {} {unit}", row.text(0)?, row.text(1)?, row.text(2)?));
            ensure!(row.text_or_null(4)?.is_some() == (row.text(1)? != "centre"));
        }
        let expected = [
            "taken A-0001 clerk desk",
            "released A-0001 clerk desk",
            "accepted A-0001 clerk desk",
            "taken A-0002 reviewer a",
            "recused A-0002 reviewer a",
            "assigned A-0004 leader a",
            "consult_asked A-0003 reviewer a",
            "consult_answered A-0005 leader z",
            "released A-0003 reviewer a",
            "transferred A-0003 reviewer a",
            "refused A-0005 leader z",
            "passed A-0006 reviewer b",
            "completed centre centre -",
        ];
        ensure!(told == expected, "{told:#?}");
        Ok(())
    })
}
