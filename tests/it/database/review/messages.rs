//! Messages to citizens: queued with what they tell, and states that only rise, on both databases.
use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, Outcome};
use domain::ids::EnvelopeId;
use sync_server::services::notifications::{self, IN_HAND_MS, Kind, Notification, State};

use super::on_both;
use super::stage::{DAY_MS, FIVE_DAYS, Stage, single};

fn of_case(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<Vec<Notification>> {
    Ok(stage.in_tx(|tx, _, _| Ok(notifications::of_case(tx, id)?))?)
}

fn rises(stage: &mut Stage<'_>, of: &Notification, state: State) -> Result<bool> {
    let told = (state, Some("M1"), "word");
    let of = (&of.envelope_id, of.version);
    Ok(stage.in_tx(|tx, _, now_ms| Ok(notifications::rise(tx, now_ms, of, told)?))?)
}

/// The life of messages, for the conformance suite as well.
pub fn messages(stage: &mut Stage<'_>) -> Result<()> {
    let id = stage.case(FIVE_DAYS, single()?)?;
    ensure!(of_case(stage, &id)?.is_empty(), "nothing to tell yet");
    stage.by_centre(&id, Action::Accepted { deemed: false })?;
    let first = of_case(stage, &id)?.pop().context("a message")?;
    ensure!((first.kind, first.state, first.tries) == (Kind::Accepted, State::Queued, 0), "{first:?}");

    // Due once, in hand for a while, then due again.
    let due = |stage: &mut Stage<'_>| -> Result<usize> {
        let due = stage.in_tx(|tx, _, now_ms| Ok(notifications::due(tx, now_ms, 1_000)?))?;
        Ok(due.iter().filter(|n| n.envelope_id == id).count())
    };
    ensure!(due(stage)? == 1);
    let claim = |stage: &mut Stage<'_>| -> Result<bool> {
        let of = first.clone();
        Ok(stage.in_tx(|tx, _, now_ms| Ok(notifications::claim(tx, now_ms, &of)?))?)
    };
    ensure!(claim(stage)? && !claim(stage)?, "one of two gets it");
    ensure!(due(stage)? == 0);
    stage.now_ms += IN_HAND_MS;
    ensure!(due(stage)? == 1);
    let next_ms = stage.now_ms + 1;
    stage.in_tx(|tx, _, now_ms| {
        Ok(notifications::put_off(tx, now_ms, (&id, first.version), (next_ms, "busy", true))?)
    })?;
    let waits = of_case(stage, &id)?.pop().context("a message")?;
    ensure!((waits.state, waits.tries, waits.next_ms) == (State::Queued, 1, Some(next_ms)), "{waits:?}");
    // Whoever saw it earlier changes nothing any more.
    let aside = |stage: &mut Stage<'_>, of: &Notification, to| -> Result<Notification> {
        stage.in_tx(|tx, _, now_ms| Ok(notifications::set_aside(tx, now_ms, of, to)?))?;
        of_case(stage, &id)?.pop().context("a message")
    };
    ensure!(aside(stage, &first, (State::Expired, None, ""))?.state == State::Queued);
    let later = (State::Queued, Some(next_ms + 1), "no_gateway");
    ensure!(aside(stage, &waits, later)?.next_ms == Some(next_ms + 1));
    ensure!(!stage.in_tx(|tx, _, _| Ok(notifications::is_overtaken(tx, &first)?))?);
    stage.now_ms += 2;
    let again = of_case(stage, &id)?.pop().context("a message")?;
    ensure!(stage.in_tx(|tx, _, now_ms| Ok(notifications::claim(tx, now_ms, &again)?))?);
    stage.in_tx(|tx, _, now_ms| {
        Ok(notifications::put_off(tx, now_ms, (&id, first.version), (next_ms, "down", false))?)
    })?;
    ensure!(of_case(stage, &id)?[0].tries == 1, "which was no try");

    only_rises(stage, &first)?;

    // What waits is overtaken by what comes after it.
    let other = stage.case(FIVE_DAYS, single()?)?;
    stage.by_centre(&other, Action::Accepted { deemed: false })?;
    let text = None;
    stage.by_centre(&other, Action::Completed { outcome: Some(Outcome::Withdrawn), text })?;
    let old = of_case(stage, &other)?.pop().context("the older one")?;
    ensure!(stage.in_tx(|tx, _, _| Ok(notifications::is_overtaken(tx, &old)?))?);
    let states: Vec<_> = of_case(stage, &other)?.iter().map(|n| (n.kind, n.state)).collect();
    ensure!(states == [(Kind::Completed, State::Queued), (Kind::Accepted, State::Overtaken)], "{states:?}");

    lists(stage, &other)
}

fn only_rises(stage: &mut Stage<'_>, first: &Notification) -> Result<()> {
    // States only rise, whatever is said in whatever order.
    for (to, rose) in [
        (State::Sent, true),
        (State::Sending, false),
        (State::Queued, false),
        (State::Sent, false),
        (State::Failed, true),
        (State::Sent, false),
        (State::Expired, false),
        (State::Delivered, true),
        (State::Failed, false),
        (State::Overtaken, false),
    ] {
        ensure!(rises(stage, first, to)? == rose, "{to:?}");
    }
    ensure!(stage.in_tx(|tx, _, now_ms| Ok(notifications::report(
        tx,
        now_ms,
        "M1",
        (State::Failed, "late")
    )?))?);
    ensure!(!stage.in_tx(|tx, _, now_ms| Ok(notifications::report(
        tx,
        now_ms,
        "M0",
        (State::Failed, "")
    )?))?);
    let of = (&first.envelope_id, first.version);
    ensure!(!stage.in_tx(|tx, _, now_ms| Ok(notifications::again(tx, now_ms, of)?))?, "it arrived");
    ensure!(of_case(stage, &first.envelope_id)?[0].state == State::Delivered);
    Ok(())
}

fn lists(stage: &mut Stage<'_>, waiting: &EnvelopeId) -> Result<()> {
    let counts = stage.in_tx(|tx, _, now_ms| Ok(notifications::counts(tx, now_ms)?))?;
    let of = |state| counts.iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| *n);
    ensure!(of(State::Delivered) == 1 && of(State::Queued) > 0, "{counts:?}");
    ensure!(stage.in_tx(|tx, _, _| Ok(notifications::failed(tx)?))? == of(State::Failed));
    let oldest = stage.in_tx(|tx, _, _| Ok(notifications::oldest_waiting_ms(tx)?))?;
    ensure!(oldest.is_some_and(|at_ms| at_ms <= stage.now_ms));
    // Every message once, page after page, the newest first.
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let (found, next) = stage.in_tx(|tx, _, _| Ok(notifications::list(tx, None, after.as_ref())?))?;
        seen.extend(found.into_iter().map(|(n, _)| (n.queued_at_ms, n.envelope_id, n.version)));
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    // Other stories played long ago; counts are those of a month.
    let month_ms = stage.now_ms - 30 * DAY_MS;
    let all: u64 = counts.iter().map(|(_, n)| n).sum();
    let lately = seen.iter().filter(|(at_ms, ..)| *at_ms > month_ms).count();
    ensure!(lately as u64 == all, "{lately} of {all}");
    ensure!(seen.windows(2).all(|pair| pair[0] > pair[1]), "in order");
    let (queued, _) = stage.in_tx(|tx, _, _| Ok(notifications::list(tx, Some(State::Queued), None)?))?;
    ensure!(queued.iter().all(|(n, _)| n.state == State::Queued));
    ensure!(queued.iter().any(|(n, _)| n.envelope_id == *waiting));
    // What is over is forgotten in time, what waits is not.
    stage.now_ms += 500 * DAY_MS;
    let forgotten = stage.in_tx(|tx, _, now_ms| Ok(notifications::trim(tx, now_ms)?))?;
    ensure!(forgotten > 0);
    ensure!(of_case(stage, waiting)?.len() == 1);
    stage.now_ms -= 500 * DAY_MS;
    Ok(())
}

#[test]
fn messages_are_queued_with_what_they_tell_and_only_rise() -> Result<()> {
    on_both(messages)
}
