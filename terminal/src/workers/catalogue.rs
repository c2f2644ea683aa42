//! The catalogue thread: looks for signed news from time to time, and when the sync thread hears of some.
//!
//! Apart from the sync thread, so that a large download over a bad link never holds up a submission.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::catalogue::Catalogue;

use super::EventSender;
use super::sync::wait;
use crate::clock::Clock;
use crate::event::Event;
use crate::model::NewCatalogue;
use crate::store::Store;
use crate::sync::catalogue_client::{CatalogueClient, Staging, UpdateError, Updated, update};

/// Between two looks without news.
const LOOK_AGAIN: Duration = Duration::from_secs(15 * 60);
/// The centre lists a version a moment after it tells of it.
const LOOK_SOON: Duration = Duration::from_millis(250);
/// Looks in a row after news, at most.
const SOON_TRIES: u32 = 20;

/// What the thread works with.
pub(crate) struct Renewal {
    pub(crate) store: Arc<Mutex<Store>>,
    pub(crate) client: Box<dyn CatalogueClient>,
    pub(crate) staging: Staging,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Looks until it is told to stop; `sync` is woken when there is something to tell the centre.
pub(super) fn run(
    mut renewal: Renewal,
    (bell, sync): (&Receiver<()>, &SyncSender<()>),
    events: &EventSender,
    stop: &AtomicBool,
) {
    let mut soon = 0;
    while !stop.load(Ordering::SeqCst) {
        let Renewal { store, client, staging, clock } = &mut renewal;
        let limit = limit(store);
        // How an error is told and noted stands in `update`.
        let done = update(store, client.as_mut(), staging, limit, clock.now_ms());
        if matches!(done, Ok(Updated::Activated(_))) || done.as_ref().is_err_and(UpdateError::is_alarm) {
            // A full bell rings already.
            let _ = sync.try_send(());
        }
        if matches!(done, Ok(Updated::Activated(_))) {
            soon = 0;
            if let Some(new) = in_force(store)
                && !events.send(Event::Catalogue(Box::new(new)))
            {
                return;
            }
        }
        // What was ordered is in force: nothing is about to be listed.
        if is_reached(store, limit) {
            soon = 0;
        }
        let span = if soon > 0 { LOOK_SOON } else { LOOK_AGAIN };
        soon = if wait(span, bell, stop) { SOON_TRIES } else { u32::saturating_sub(soon, 1) };
    }
}

/// The highest version that may be taken now. A store that cannot say allows nothing new.
fn limit(store: &Mutex<Store>) -> u64 {
    store.lock().unwrap_or_else(PoisonError::into_inner).catalogue_limit().unwrap_or(0)
}

fn is_reached(store: &Mutex<Store>, limit: u64) -> bool {
    let store = store.lock().unwrap_or_else(PoisonError::into_inner);
    store.activations().is_ok_and(|a| a.running >= limit)
}

fn in_force(store: &Mutex<Store>) -> Option<NewCatalogue> {
    let document = store.lock().unwrap_or_else(PoisonError::into_inner).newest_catalogue().ok().flatten()?;
    Some(NewCatalogue::new(Arc::new(Catalogue::from_document(&document.json).ok()?)))
}
