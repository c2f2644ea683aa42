//! Lets the clock do its part for cases every half minute: notices, lapses, deemed acceptance, escalation, moved calendars.
//! What is done, and to which cases, `services::clockwork` says.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ticker::Ticker;
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::services::clock_guard::{self, Verdict};
use crate::services::clockwork::{self, Stretch};
use crate::store::Tx;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(30);

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>) -> std::io::Result<Ticker> {
    Ticker::start("clockwork", move |stop| {
        match look(&centre, stop) {
            Ok(0) => {}
            Ok(cases) => tracing::info!(cases, "the clock went on with cases"),
            Err(e) => tracing::error!(
                error = &e as &dyn std::error::Error,
                "the clock could not go on with cases; it tries again"
            ),
        }
        LOOK
    })
}

/// Does what is due, stretch by stretch; says how often something happened to a case.
///
/// # Errors
/// [`ServiceError`] if the store fails; what was done stays done, the rest comes with the next look.
pub fn look(centre: &Arc<Centre>, stop: &AtomicBool) -> Result<usize, ServiceError> {
    let now_ms = centre.now_ms();
    // A clock that is not believed ends no citizen's time and accepts nothing (`upkeep` says so).
    let is_due = |tx: &mut Tx<'_>| {
        let believed = clock_guard::judge(tx, now_ms)? == Verdict::Plausible;
        Ok::<_, ServiceError>(believed && clockwork::is_due(tx, now_ms)?)
    };
    if !centre.read(is_due)? {
        return Ok(0);
    }
    let mut done = 0;
    // First whether the last moments are the right ones.
    for part in [clockwork::follow_catalogue, clockwork::turn] {
        loop {
            let here = centre.clone();
            // Terminals that wait are told by the look at what others wrote (`rollout`).
            let stretch = centre.write(move |tx| part(tx, here.context(), now_ms))?;
            tell(&stretch);
            done += stretch.done.len();
            if !stretch.more || stop.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    Ok(done)
}

fn tell(stretch: &Stretch) {
    for (id, why) in &stretch.failed {
        tracing::error!(case = %id, "the clock cannot go on with a case: {why}; see `sync-server verify`");
    }
}
