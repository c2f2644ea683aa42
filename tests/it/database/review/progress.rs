//! How far a case has come for the holder of its slip: what a refusal takes away still comes later, and what is closed has
//! no steps.
use anyhow::{Context as _, Result, ensure};
use domain::bundle::StepKind;
use domain::case::{CaseState, FailPolicy, Plan, StepState};
use domain::ids::EnvelopeId;
use sync_server::auth::role::Role;
use sync_server::services::progress::{self, Standing};
use sync_server::services::review::Deed;

use super::clicks::pass;
use super::on_both;
use super::stage::{FIVE_DAYS, Stage, person, step};

fn told(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<Vec<(String, Standing)>> {
    let progress = stage.in_tx(|tx, context, _| progress::of(tx, context, id, true))?;
    Ok(progress.context("a plan")?.steps.into_iter().map(|step| (step.id, step.standing)).collect())
}

#[test]
fn what_falls_away_with_a_refusal_still_comes_later_and_a_closed_case_has_no_steps() -> Result<()> {
    on_both(|stage| {
        let partial = |fail, step| domain::case::PlannedStep { fail, ..step };
        let plan = Plan::new(vec![
            partial(FailPolicy::Partial, step("a", StepKind::Review, &[])),
            step("b", StepKind::Review, &["a"]),
            step("c", StepKind::Review, &[]),
        ])?;
        let id = stage.case(FIVE_DAYS, plan)?;
        let by = |unit: &str, place| person(place, unit, &[Role::Reviewer]);
        stage.click(&by("a", 1), &id, &Deed::Accept)?;
        let before = told(stage, &id)?;
        let refuse = Deed::Refuse { step: "a".into(), basis: "0".into() };
        stage.click(&by("a", 1), &id, &refuse)?;
        ensure!(stage.state(&id, "b")? == StepState::Blocked, "otherwise this shows nothing");
        let after = told(stage, &id)?;
        let b = |told: &[(String, Standing)]| told.iter().find(|(id, _)| id == "b").map(|(_, s)| *s);
        ensure!(b(&before) == Some(Standing::Later) && b(&after) == b(&before), "{before:?} {after:?}");
        ensure!(after.first().map(|(_, s)| *s) == Some(Standing::Over), "{after:?}");
        stage.click(&by("c", 2), &id, &pass("c"))?;
        ensure!(stage.current(&id)?.0.state == CaseState::Completed);
        ensure!(told(stage, &id)?.is_empty());
        Ok(())
    })
}
