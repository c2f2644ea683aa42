//! A whole bundle of the sample catalogue, from submission to its result.
use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, CaseState, Outcome, Plan, StepState};
use domain::ids::{EnvelopeId, ItemCode};
use domain::item::{Period, PeriodUnit, Withdrawal};
use domain::situation::SituationAnswers;
use sync_server::auth::role::Role;
use sync_server::services::case_time::Due;
use sync_server::services::catalogue::publish;
use sync_server::services::clockwork::Happened;
use sync_server::services::review::Deed;
use sync_server::services::tasks;
use sync_server::store::in_transaction;

use super::clicks::{ask, pass};
use super::on_both;
use super::stage::{FIVE_DAYS, HOUR_MS, MINUTE_MS, Stage, person, sample};

const REAL_ESTATE: &str = "one.realestate";
const DESK: &str = "政务服务中心(综合受理)";
const REGISTRY: &str = "自然资源(不动产)";

fn plan_of(code: &str, answers: &[(&str, &str)]) -> Result<Plan> {
    let (catalogue, code) = (sample()?, code.parse::<ItemCode>().ok().context("a code")?);
    let answers: SituationAnswers =
        answers.iter().map(|(q, a)| ((*q).to_owned(), [(*a).to_owned()].into())).collect();
    Ok(Plan::of(&catalogue, catalogue.entry(&code).context("an entry")?, &answers)?)
}

fn states(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<String> {
    let view = stage.view(id)?;
    Ok(view
        .steps
        .iter()
        .map(|step| format!("{} {}", step.id, step.state.as_str()))
        .collect::<Vec<_>>()
        .join(", "))
}

fn by(unit: &str, place: u64) -> sync_server::services::sessions::Caller {
    person(place, unit, &[Role::Clerk, Role::Reviewer])
}

#[test]
fn real_estate_goes_from_the_desk_to_the_post() -> Result<()> {
    on_both(|stage| {
        let plan = plan_of(REAL_ESTATE, &[("kind", "new"), ("owner", "no"), ("mail", "post")])?;
        let id = stage.case(REAL_ESTATE, plan)?;
        let expected = "s1 ready, s2 waiting, s3 waiting, s4 waiting, s5 waiting, s6 waiting, s7 waiting";
        ensure!(states(stage, &id)? == expected, "{}", states(stage, &id)?);
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        let expected = "s1 passed, s2 ready, s3 ready, s4 waiting, s5 waiting, s6 waiting, s7 waiting";
        ensure!(states(stage, &id)? == expected, "{}", states(stage, &id)?);
        // Twenty minutes are promised; the housing bureau asks for something after ten of them.
        stage.now_ms += 10 * MINUTE_MS;
        stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
        stage.click(&by("住建", 3), &id, &ask("s3", 5))?;
        stage.now_ms += 4 * MINUTE_MS;
        ensure!(stage.tick(&id)? == [Happened::Due(Due::Soon)]);
        stage.now_ms += 6 * MINUTE_MS;
        ensure!(stage.tick(&id)?.is_empty(), "twenty minutes are not over yet");
        stage.now_ms += 20 * MINUTE_MS;
        ensure!(stage.tick(&id)?.len() == 2, "over, and the citizen is told");
        stage.now_ms += 20 * HOUR_MS;
        stage.by_centre(&id, Action::supplement(id))?;
        stage.click(&by("住建", 3), &id, &pass("s3"))?;
        stage.click(&by("税务", 4), &id, &pass("s4"))?;
        ensure!(stage.current(&id)?.0.standing, "it waits for the tax");
        ensure!(stage.state(&id, "s5")? == StepState::Ready);
        let inbox = |stage: &mut Stage<'_>, unit: &str| -> Result<usize> {
            let unit = unit.parse()?;
            Ok(stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &tasks::Query::default())?.0.len()))?)
        };
        ensure!(inbox(stage, DESK)? == 1, "the desk books that it was paid");
        stage.click(&person(1, DESK, &[Role::Clerk]), &id, &pass("s5"))?;
        ensure!(inbox(stage, DESK)? == 0 && !stage.current(&id)?.0.standing);
        stage.click(&by(REGISTRY, 2), &id, &pass("s6"))?;
        let view = stage.click(&by("邮政", 5), &id, &pass("s7"))?;
        ensure!((view.state, view.outcome) == (CaseState::Completed, Some(Outcome::Granted)));
        ensure!(view.pauses.len() == 2 && view.steps.iter().all(|step| step.state == StepState::Passed));
        ensure!(stage.tick(&id)?.is_empty());
        Ok(())
    })
}

#[test]
fn steps_that_the_answers_take_away_are_not_there() -> Result<()> {
    on_both(|stage| {
        let plan = plan_of(REAL_ESTATE, &[("kind", "rename"), ("owner", "no"), ("mail", "pick")])?;
        let id = stage.case(REAL_ESTATE, plan)?;
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        ensure!(states(stage, &id)? == "s1 passed, s2 ready, s6 waiting", "{}", states(stage, &id)?);
        stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
        let refuse = Deed::Refuse { step: "s6".into(), basis: "0".into() };
        let view = stage.click(&by(REGISTRY, 2), &id, &refuse)?;
        ensure!(view.state == CaseState::Completed && view.outcome == Some(Outcome::PartlyGranted));
        Ok(())
    })
}

#[test]
fn steps_that_only_tell_somebody_pass_by_themselves() -> Result<()> {
    on_both(|stage| {
        use domain::bundle::StepKind::{Notify, Review};
        let plan = Plan::new(vec![
            super::stage::step("first", Notify, &[]),
            super::stage::step("a", Review, &["first"]),
            super::stage::step("last", Notify, &["a"]),
        ])?;
        let id = stage.case(FIVE_DAYS, plan)?;
        ensure!(stage.state(&id, "first")? == StepState::Ready, "nobody is told before it is accepted");
        stage.click(&by("first", 1), &id, &Deed::Accept)?;
        ensure!(states(stage, &id)? == "first passed, a ready, last waiting", "{}", states(stage, &id)?);
        let view = stage.click(&by("a", 2), &id, &pass("a"))?;
        ensure!(view.outcome == Some(Outcome::Granted));
        let names = stage.names(&id)?;
        ensure!(names.ends_with(&["passed", "passed", "completed"]), "{names:?}");
        Ok(())
    })
}

#[test]
fn what_was_withdrawn_meanwhile_is_finished_with_its_own_version() -> Result<()> {
    on_both(|stage| {
        let (bundle, item) =
            (plan_of(REAL_ESTATE, &[("kind", "rename"), ("mail", "pick")])?, plan_of(FIVE_DAYS, &[])?);
        let bundle = stage.case(REAL_ESTATE, bundle)?;
        let item = stage.case(FIVE_DAYS, item)?;
        let due_ms = stage.current(&item)?.0.due_ms;
        let mut next = sample()?;
        next.version += 1;
        let (real_estate, five_days): (ItemCode, ItemCode) =
            (REAL_ESTATE.parse().ok().context("a code")?, FIVE_DAYS.parse().ok().context("a code")?);
        let gone = |reason: &domain::text::Text| -> Result<Option<Withdrawal>> {
            Ok(Some(Withdrawal { since: "2026-11-24".parse()?, reason: reason.clone(), instead: None }))
        };
        let short = Period { tenths: 10, unit: PeriodUnit::WorkingDay };
        let changed = next.bundles.get_mut(&real_estate).context("a bundle")?;
        (changed.promised, changed.withdrawn) = (short, gone(&changed.name)?);
        let changed = next.items.get_mut(&five_days).context("an item")?;
        (changed.promised, changed.withdrawn) = (short, gone(&changed.name)?);
        let now_ms = stage.now_ms;
        in_transaction(&mut *stage.driver, |tx| publish(tx, now_ms, &next))?;
        stage.now_ms += MINUTE_MS;
        ensure!(stage.tick(&item)?.is_empty());
        stage.click(&by(DESK, 1), &bundle, &Deed::Accept)?;
        let row = stage.current(&bundle)?.0;
        ensure!(row.due_ms == Some(stage.now_ms + 20 * MINUTE_MS), "as its own version promises");
        stage.click(&by(REGISTRY, 2), &bundle, &pass("s2"))?;
        ensure!(stage.click(&by(REGISTRY, 2), &bundle, &pass("s6"))?.outcome == Some(Outcome::Granted));
        stage.click(&by("残联", 3), &item, &Deed::Accept)?;
        ensure!(stage.current(&item)?.0.due_ms == due_ms, "five days, and not one");
        ensure!(stage.click(&by("残联", 3), &item, &pass("review"))?.outcome == Some(Outcome::Granted));
        Ok(())
    })
}
