//! Tells other regions what they are to hear, on a thread of its own, so that one that does not answer holds up nobody here.
//!
//! Looks for cases that ended, then sends what is due, one message at a time; what gets no receipt waits longer each time.
//! Once an hour it asks again for what the others may have forgotten, and puts away what is not to be kept any longer.
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use operator::findings::with_causes;

use super::ticker::Ticker;
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::partners::{Place, Register, send};
use crate::services::handoff::{self, Own};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// After a look that the store refused, or with a register that cannot be read.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two turns of what has time.
const TURN: Duration = Duration::from_secs(3_600);

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>, place: Place) -> std::io::Result<Ticker> {
    let (mut said, mut turned) = (String::new(), Instant::now());
    Ticker::start("partners", move |stop| {
        let mut looked = look(&centre, &place, stop);
        if looked.is_ok() && turned.elapsed() >= TURN {
            turned = Instant::now();
            looked = tend(&centre).map_err(|e| with_causes(&e));
        }
        let now = looked.err().unwrap_or_default();
        if now != said && !now.is_empty() {
            tracing::error!("other regions are not told: {now}; it is tried again");
        }
        let pause = if now.is_empty() { LOOK } else { PAUSE };
        said = now;
        pause
    })
}

fn look(centre: &Arc<Centre>, place: &Place, stop: &AtomicBool) -> Result<(), String> {
    let Some(register) = place.read().map_err(|e| with_causes(&e))? else { return Ok(()) };
    let own = centre.context().keys.receipt.public();
    let register = Arc::new(register.of(&own).map_err(|e| with_causes(&e))?);
    tell_decisions(centre, &register).map_err(|e| with_causes(&e))?;
    send_due(centre, &register, stop).map_err(|e| with_causes(&e))
}

/// Writes down that cases were decided, each in a transaction of its own.
fn tell_decisions(centre: &Arc<Centre>, register: &Arc<Register>) -> Result<(), ServiceError> {
    for id in centre.read(|tx| Ok::<_, ServiceError>(handoff::decided_ones(tx)?))? {
        let (here, register, now_ms, rng) =
            (centre.clone(), register.clone(), centre.now_ms(), centre.random());
        let told = centre.write(move |tx| {
            let own = Own { context: here.context(), register: &register };
            handoff::tell_decided(tx, own, (now_ms, &mut rng.clone()), &id)
        });
        if let Err(e) = told {
            tracing::warn!(handoff = %id, error = &e as &dyn std::error::Error, "a decision is not told yet");
        }
    }
    Ok(())
}

/// Asks again, and puts away what was kept long enough. Each in a transaction of its own: one that fails holds up none.
fn tend(centre: &Arc<Centre>) -> Result<(), ServiceError> {
    let now_ms = centre.now_ms();
    centre.write(move |tx| Ok(handoff::ask_again(tx, now_ms)?))?;
    for id in centre.read(|tx| Ok::<_, ServiceError>(handoff::kept_too_long(tx, now_ms)?))? {
        centre.write(move |tx| Ok(handoff::put_away(tx, &id)?))?;
    }
    for id in centre.read(|tx| Ok::<_, ServiceError>(handoff::abandoned(tx, now_ms)?))? {
        if let Err(e) = centre.write(move |tx| handoff::drop_abandoned(tx, now_ms, &id)) {
            tracing::warn!(handoff = %id, error = &e as &dyn std::error::Error, "a handoff is not put away yet");
        }
    }
    Ok(())
}

fn send_due(centre: &Arc<Centre>, register: &Register, stop: &AtomicBool) -> Result<(), ServiceError> {
    let due = centre.read(|tx| handoff::due(tx, centre.now_ms()))?;
    // Whoever did not answer just now is not asked again for the next message of the same look.
    let mut silent = BTreeSet::new();
    for message in due {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let partner = register.partners.iter().find(|p| p.adcode.as_str() == message.partner);
        let receipt = match partner {
            Some(partner) if !silent.contains(&message.partner) => {
                let sent = send(partner, (&message.id, message.document.clone()));
                if let Err(e) = &sent {
                    silent.insert(message.partner.clone());
                    if message.tries == 0 {
                        let region = message.partner.as_str();
                        tracing::warn!(region, message = %message.id, "another region did not sign for it: {e}");
                    }
                }
                sent.ok()
            }
            _ => None,
        };
        let (now_ms, rng) = (centre.now_ms(), centre.random());
        centre.write(move |tx| {
            Ok(handoff::answered(tx, (now_ms, &mut rng.clone()), &message, receipt.as_ref())?)
        })?;
    }
    Ok(())
}
