//! Lets a rollout go on or halt by the clock, and tells terminals that wait of what another process did: commands of the
//! operator write to the same store.
use std::sync::Arc;
use std::time::Duration;

use super::ticker::Ticker;
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::services::changes::{self, Touched};
use crate::services::rollout;

/// Between two glances at what others wrote.
const GLANCE: Duration = Duration::from_millis(200);
/// Glances between two looks at the clock.
const LOOK_EVERY: u32 = 5;

/// The newest order and the newest piece of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Newest {
    order: u64,
    news: u64,
}

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>) -> std::io::Result<Ticker> {
    let (mut seen, mut turn, mut failing) = (Newest::default(), 0_u32, false);
    Ticker::start("rollout", move |_| {
        let glanced = glance(&centre, &mut seen, turn.is_multiple_of(LOOK_EVERY));
        // Told once, and not five times a second while a store is away.
        if let Some(e) = glanced.as_ref().err().filter(|_| !failing) {
            tracing::warn!(error = e as &dyn std::error::Error, "the rollout could not be looked at");
        }
        failing = glanced.is_err();
        turn = turn.wrapping_add(1);
        GLANCE
    })
}

fn glance(centre: &Centre, seen: &mut Newest, at_the_clock: bool) -> Result<(), ServiceError> {
    let now_ms = centre.now_ms();
    let before = *seen;
    let (newest, touched, due) = centre.read(|tx| {
        let newest = Newest { order: rollout::number(tx)?, news: changes::highest(tx)? };
        let touched = match () {
            () if newest.order != before.order => Touched::All,
            () if newest.news != before.news => changes::touched_after(tx, before.news)?,
            () => Touched::Some(Vec::new()),
        };
        Ok::<_, ServiceError>((newest, touched, at_the_clock && rollout::is_due(tx, now_ms)?))
    })?;
    *seen = newest;
    // Whoever was told already finds nothing new and goes on waiting.
    match touched {
        Touched::All => centre.ring_all(),
        Touched::Some(stations) => stations.iter().for_each(|station| centre.ring(station)),
    }
    if due {
        centre.advance_rollout()?;
    }
    Ok(())
}
