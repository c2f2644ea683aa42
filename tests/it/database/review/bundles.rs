//! Whole bundles of the sample catalogue, from submission to their results: by whom each step is done, what a refusal
//! means, a period of the law, levels of review, and what a changed answer opens again.
use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, CaseState, Outcome, Plan, StepState};
use domain::ids::{EnvelopeId, ItemCode};
use domain::item::{Period, PeriodUnit, Withdrawal};
use domain::situation::SituationAnswers;
use sync_server::auth::role::Role;
use sync_server::error::ProblemCode;
use sync_server::services::case_time::Due;
use sync_server::services::catalogue::publish;
use sync_server::services::clockwork::Happened;
use sync_server::services::review::Deed;
use sync_server::services::tasks;
use sync_server::store::in_transaction;

use super::clicks::{ask, pass};
use super::on_both;
use super::stage::{DAY_MS, FIVE_DAYS, HOUR_MS, MINUTE_MS, Stage, code, person, sample};

const REAL_ESTATE: &str = "one.realestate";
const DESK: &str = "政务服务中心(综合受理)";
const REGISTRY: &str = "自然资源(不动产)";

pub fn plan_of(code: &str, answers: &[(&str, &str)]) -> Result<Plan> {
    let (catalogue, code) = (sample()?, code.parse::<ItemCode>().ok().context("a code")?);
    let answers: SituationAnswers =
        answers.iter().map(|(q, a)| ((*q).to_owned(), [(*a).to_owned()].into())).collect();
    // As if the form said all on which a step depends.
    Ok(Plan::of(&catalogue, catalogue.entry(&code).context("an entry")?, &answers, &|_| true)?)
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

fn inbox(stage: &mut Stage<'_>, unit: &str) -> Result<usize> {
    let unit = unit.parse()?;
    Ok(stage.in_tx(|tx, _, _| Ok(tasks::page(tx, &unit, &tasks::Query::default())?.0.len()))?)
}

pub fn by(unit: &str, place: u64) -> sync_server::services::sessions::Caller {
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
        stage.by_centre(&id, Action::supplement(id, &["phone"]))?;
        stage.click(&by("住建", 3), &id, &pass("s3"))?;
        stage.click(&by("税务", 4), &id, &pass("s4"))?;
        ensure!(stage.current(&id)?.0.standing, "it waits for the tax");
        ensure!(stage.state(&id, "s5")? == StepState::Ready);
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
        ensure!(view.state == CaseState::Completed && view.outcome == Some(Outcome::Refused), "no deed");
        Ok(())
    })
}

#[test]
fn a_changed_field_is_decided_on_again_by_whoever_had_decided() -> Result<()> {
    on_both(|stage| {
        let plan = plan_of(REAL_ESTATE, &[("kind", "new"), ("owner", "no"), ("mail", "pick")])?;
        let id = stage.case(REAL_ESTATE, plan)?;
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
        stage.click(&by("住建", 3), &id, &pass("s3"))?;
        // The tax office asks for the price; the registry never saw it, the housing bureau decided on it.
        stage.click(&by("税务", 4), &id, &ask("s4", 5))?;
        stage.now_ms += HOUR_MS;
        stage.tick(&id)?;
        stage.by_centre(&id, Action::supplement(id, &["deal_price"]))?;
        let expected = "s1 passed, s2 passed, s3 ready, s4 waiting, s5 waiting, s6 waiting";
        ensure!(states(stage, &id)? == expected, "{}", states(stage, &id)?);
        ensure!(stage.names(&id)?.ends_with(&["supplement_received", "reopened"]));
        ensure!(inbox(stage, "住建")? == 1 && inbox(stage, "税务")? == 0);
        stage.click(&by("住建", 3), &id, &pass("s3"))?;
        ensure!(stage.state(&id, "s4")? == StepState::Ready, "the tax office judges the new price");
        // What nobody had decided on opens nothing.
        let before = stage.names(&id)?.len();
        stage.by_centre(&id, Action::supplement(id, &["phone", "mail_addr"]))?;
        ensure!(stage.names(&id)?.len() == before + 1);
        Ok(())
    })
}

#[test]
fn a_refusal_does_to_the_others_what_its_step_says() -> Result<()> {
    on_both(|stage| {
        // All: no registration without its check.
        let plan = plan_of(REAL_ESTATE, &[("kind", "new"), ("owner", "no"), ("mail", "pick")])?;
        let id = stage.case(REAL_ESTATE, plan)?;
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        let refuse = |step: &str| Deed::Refuse { step: step.into(), basis: "0".into() };
        let view = stage.click(&by("住建", 3), &id, &refuse("s3"))?;
        ensure!(view.outcome == Some(Outcome::Refused) && inbox(stage, REGISTRY)? == 0, "at once");
        // Alone: a child without a home of its own goes to school all the same.
        let plan = plan_of("one.school", &[("hukou", "here"), ("home", "own"), ("level", "middle")])?;
        let id = stage.case("one.school", plan)?;
        stage.click(&by("教育", 6), &id, &Deed::Accept)?;
        stage.click(&by(REGISTRY, 2), &id, &refuse("s3"))?;
        stage.click(&by("公安", 7), &id, &pass("s2"))?;
        let view = stage.click(&by("教育", 6), &id, &pass("s6"))?;
        ensure!(view.outcome == Some(Outcome::Granted), "{}", states(stage, &id)?);
        // Partial: without a registered household no card for the child, but its vaccinations.
        let plan = plan_of(
            "one.newborn",
            &[("hukou", "here"), ("cover", "both"), ("bill", "no"), ("mail", "pick")],
        )?;
        let id = stage.case("one.newborn", plan)?;
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        stage.click(&by("卫健", 8), &id, &pass("s2"))?;
        stage.click(&by("公安", 7), &id, &refuse("s4"))?;
        let expected = "s1 passed, s2 passed, s3 ready, s4 refused, s5 blocked, s6 blocked";
        ensure!(states(stage, &id)? == expected, "{}", states(stage, &id)?);
        let view = stage.click(&by("卫健", 8), &id, &pass("s3"))?;
        ensure!(view.outcome == Some(Outcome::PartlyGranted));
        Ok(())
    })
}

#[test]
fn twenty_days_of_notice_are_waited_for_before_a_company_is_closed() -> Result<()> {
    on_both(|stage| {
        let plan = plan_of("one.ent-close", &[("debt", "no"), ("staff", "no"), ("seal", "no")])?;
        let id = stage.case("one.ent-close", plan)?;
        let market = by("市场监管", 1);
        stage.click(&market, &id, &Deed::Accept)?;
        stage.click(&by("税务", 4), &id, &pass("s2"))?;
        let early = code(stage.click(&market, &id, &pass("s5")));
        ensure!(early == Some(ProblemCode::TooEarly));
        stage.now_ms += 20 * DAY_MS;
        let early = code(stage.click(&market, &id, &pass("s5")));
        ensure!(early == Some(ProblemCode::TooEarly), "the twentieth day is not over");
        stage.now_ms += DAY_MS;
        stage.click(&market, &id, &pass("s5"))?;
        let view = stage.click(&market, &id, &pass("s6"))?;
        ensure!(view.outcome == Some(Outcome::Granted));
        Ok(())
    })
}

#[test]
fn two_people_pass_what_has_two_levels_and_a_department_posts_at_its_own_desk() -> Result<()> {
    on_both(|stage| {
        let plan = plan_of("one.drugstore", &[("device", "no"), ("food", "no"), ("pay", "yes")])?;
        let id = stage.case("one.drugstore", plan)?;
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        stage.click(&by("市场监管", 2), &id, &pass("s2"))?;
        ensure!(stage.state(&id, "s2")? == StepState::Ready, "the second level");
        ensure!(code(stage.click(&by("市场监管", 2), &id, &pass("s2"))).is_some());
        let view = stage.click(&by("市场监管", 3), &id, &pass("s2"))?;
        ensure!(view.outcome == Some(Outcome::Granted), "a system tells of the rest by itself");

        let plan = plan_of("one.ridehail", &[("use", "hire"), ("qual", "yes"), ("paper", "yes")])?;
        let id = stage.case("one.ridehail", plan)?;
        stage.click(&by(DESK, 1), &id, &Deed::Accept)?;
        stage.click(&by("公安(交管)", 4), &id, &pass("s2"))?;
        stage.click(&by("交通运输", 5), &id, &pass("s4"))?;
        stage.click(&by("交通运输", 5), &id, &pass("s5"))?;
        ensure!(inbox(stage, "交通运输")? == 1 && inbox(stage, DESK)? == 0, "it hands the permit out itself");
        let view = stage.click(&person(5, "交通运输", &[Role::Clerk]), &id, &pass("s6"))?;
        ensure!(view.outcome == Some(Outcome::Granted));
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
