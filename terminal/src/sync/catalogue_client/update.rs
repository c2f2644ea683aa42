//! One update from beginning to end: look, remember, fetch, put into force. Each step is kept before the next begins,
//! so that it may be cut anywhere and is simply done again.
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CatalogueClient, FetchError, LookError, StageError, Staging};
use crate::store::{Store, StoreError};

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// This terminal trusts no root yet: nothing is asked.
    NoRoot,
    /// The newest version is in force already.
    Nothing,
    /// This version is in force from now on.
    Activated(u64),
}

/// An update broke off; the catalogue that was in force still is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Looking for news.
    #[error(transparent)]
    Look(#[from] LookError),
    /// Fetching.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Reading what was staged.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UpdateError {
    /// Whether somebody should look; a link that is down is ordinary.
    pub fn is_alarm(&self) -> bool {
        match self {
            Self::Look(e) => e.is_alarm(),
            Self::Fetch(FetchError::Link(_) | FetchError::Answer(_) | FetchError::Unfinished) => false,
            Self::Fetch(_) | Self::Stage(_) | Self::Store(_) => true,
        }
    }
}

/// Brings the newest version that is published, up to `at_most`, into force. The store is locked for moments only.
///
/// # Errors
/// [`UpdateError`], noted in the store if somebody should look.
pub fn update(
    store: &Mutex<Store>,
    client: &mut dyn CatalogueClient,
    staging: &Staging,
    at_most: u64,
    now_ms: i64,
) -> Result<Updated, UpdateError> {
    let done = try_update(store, client, staging, (at_most, now_ms));
    match &done {
        Ok(Updated::NoRoot | Updated::Activated(_)) => {}
        Ok(Updated::Nothing) => locked(store).end_catalogue_trouble()?,
        Err(e) if e.is_alarm() => {
            tracing::error!(error = e as &dyn std::error::Error, "the catalogue could not be renewed");
            locked(store).note_catalogue_trouble(&words(e), now_ms)?;
        }
        Err(e) => tracing::warn!(error = e as &dyn std::error::Error, "no news of the catalogue"),
    }
    done
}

fn try_update(
    store: &Mutex<Store>,
    client: &mut dyn CatalogueClient,
    staging: &Staging,
    (at_most, now_ms): (u64, i64),
) -> Result<Updated, UpdateError> {
    let (trust, authenticated_ms) = {
        let store = locked(store);
        let Some(trust) = store.catalogue_trust()? else { return Ok(Updated::NoRoot) };
        (trust, store.authenticated_ms()?)
    };
    let published = client.look(&trust, authenticated_ms)?;
    let in_force = {
        let mut store = locked(store);
        store.keep_catalogue_trust(&published.trust, published.confirmed_ms)?;
        match store.newest_catalogue() {
            Ok(newest) => newest.map_or(0, |c| c.version),
            // Every kept version is damaged: the newest one mends its own.
            Err(StoreError::Value(_)) => 0,
            Err(e) => return Err(e.into()),
        }
    };
    let newest = published.offers.iter().rev().find(|o| o.version <= at_most);
    let Some(offer) = newest.filter(|o| o.version > in_force) else {
        staging.sweep(None)?;
        return Ok(Updated::Nothing);
    };
    staging.sweep(Some(offer))?;
    if !staging.is_whole(offer) {
        client.fetch(offer, staging)?;
    }
    let document = staging.open(offer)?;
    locked(store).activate_catalogue(&document, now_ms)?;
    staging.sweep(None)?;
    tracing::info!(catalogue.version = offer.version, "a catalogue version is in force");
    Ok(Updated::Activated(offer.version))
}

fn locked(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its causes.
fn words(error: &UpdateError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(e) = cause {
        words = format!("{words}: {e}");
        cause = e.source();
    }
    words
}
