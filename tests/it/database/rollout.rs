//! The part of the conformance suite about rollouts, heartbeats and withdrawals.
use anyhow::{Context as _, Result, ensure};
use domain::catalogue::Policies;
use domain::wire::v1::{ActivationFailure, FailureKind, Heartbeat};
use sync_server::services::clock_guard;
use sync_server::services::rollout::{self, Begin, Heard, Reason, State, Step, board};
use sync_server::store::{Driver, in_transaction};

/// A version that goes to one terminal, fails there, is tried again, and goes back.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let reason = Reason::typed("试一试").context("a reason")?;
    in_transaction(driver, |tx| -> Result<()> {
        ensure!(rollout::settle(tx, now_ms, 2)? && !rollout::settle(tx, now_ms, 2)?);
        let begin = Begin {
            version: 3,
            way_back: Some(4),
            rings: Policies::default().rollout,
            back_by_itself: false,
            pilots: vec!["T-02".parse()?],
        };
        rollout::may_begin(tx, 3)?;
        ensure!(rollout::begin(tx, now_ms, "operator", &begin)?);
        let begun = rollout::latest(tx)?.context("a rollout")?;
        ensure!(board::terminals(tx, begun.id)?.len() == 2 && board::counts(tx, &begun)?.len() == 3);
        let beat = |number, catalogue, tries| -> Result<Heartbeat> {
            let failure = ActivationFailure { version: 3, kind: FailureKind::Damaged, tries };
            Ok(Heartbeat {
                terminal: "T-02".parse()?,
                number,
                catalogue,
                failures: vec![failure],
                order: 1,
                sealing_keys: 0,
                program: "0.1\u{7}".into(),
                queued: 1,
                oldest_ms: Some(now_ms),
                parked: 0,
                disk_free: Some(u64::MAX),
                disk_percent: Some(95),
                aside: Some(1),
                clock_offset_ms: None,
                devices: Vec::new(),
            })
        };
        ensure!(rollout::hear(tx, now_ms, &beat(5, 2, 1)?)? == Heard::New { moved: true });
        ensure!(rollout::hear(tx, now_ms, &beat(5, 3, 1)?)? == Heard::Old);
        ensure!(clock_guard::heard(tx, 0)?.is_empty(), "it says nothing of its clock");
        ensure!(clock_guard::judge(tx, now_ms)? == clock_guard::Verdict::Plausible);
        let halted = rollout::latest(tx)?.context("a rollout")?;
        ensure!(halted.course.state == State::Halted && !rollout::is_due(tx, now_ms)?);
        let on = (halted.id, halted.changed_ms);
        rollout::take_step(tx, now_ms, ("A-0001", Step::GoOn), on, &reason)?;
        ensure!(!rollout::is_due(tx, now_ms)? && !rollout::advance(tx, now_ms)?);
        ensure!(rollout::hear(tx, now_ms, &beat(6, 3, 1)?)? == Heard::New { moved: true });
        let on = rollout::latest(tx)?.context("a rollout")?;
        let on = (on.id, on.changed_ms);
        rollout::take_step(tx, now_ms, ("A-0001", Step::RollBack), on, &reason)?;
        let order = rollout::order_for(tx, &"T-02".parse()?, (0, now_ms))?.context("an order")?;
        ensure!(order.run == Some(4) && order.number == rollout::number(tx)?);
        ensure!(board::steps(tx, on.0)?.len() == 5 && board::earlier(tx, on.0)?.len() == 1);
        ensure!(rollout::by_id(tx, 1)?.is_some());
        let item = "hrss.flex-enroll".parse()?;
        rollout::withdraw(tx, now_ms, "operator", (&item, true), &reason)?;
        ensure!(rollout::withdrawn(tx)?.len() == 1);
        Ok(rollout::restore(tx, now_ms, "operator", &item)?)
    })
}
