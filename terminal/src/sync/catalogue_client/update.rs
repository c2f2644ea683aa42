//! One update from beginning to end: look, remember, fetch, put into force. Each step is kept before the next begins,
//! so that it may be cut anywhere and is simply done again.
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::catalogue::{Catalogue, Offer as Offered};
use domain::ids::StationId;
use domain::wire::v1::FailureKind;

use super::{CatalogueClient, FetchError, LookError, Offer, StageError, Staging};
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
    /// This terminal cannot serve with it.
    #[error("this terminal cannot serve with the catalogue: {}", .0.as_str())]
    Unfit(FailureKind),
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
            Self::Fetch(_) | Self::Stage(_) | Self::Unfit(_) | Self::Store(_) => true,
        }
    }

    /// Why the version that was to come cannot be put into force; none if it simply did not come.
    fn failure(&self) -> Option<FailureKind> {
        let of_stage = |e: &StageError| match e {
            StageError::Full => FailureKind::DiskFull,
            StageError::Damaged => FailureKind::Damaged,
            StageError::NotUnderstood(_) => FailureKind::NotUnderstood,
            StageError::Io(_) => FailureKind::Other,
        };
        match self {
            Self::Look(_)
            | Self::Fetch(FetchError::Link(_) | FetchError::Answer(_) | FetchError::Unfinished) => None,
            Self::Fetch(FetchError::TooLong) => Some(FailureKind::Damaged),
            Self::Fetch(FetchError::Stage(e)) | Self::Stage(e) => Some(of_stage(e)),
            Self::Unfit(kind) => Some(*kind),
            Self::Store(StoreError::Full) => Some(FailureKind::DiskFull),
            Self::Store(_) => Some(FailureKind::Other),
        }
    }
}

/// Brings the newest version that is published, up to `at_most`, into force, unless this terminal could not serve with
/// it. The store is locked for moments only.
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
    let brought = bring(store, client, staging, (offer, now_ms));
    if let Some(kind) = brought.as_ref().err().and_then(UpdateError::failure) {
        locked(store).note_activation_failure(offer.version, kind)?;
    }
    brought?;
    staging.sweep(None)?;
    tracing::info!(catalogue.version = offer.version, "a catalogue version is in force");
    Ok(Updated::Activated(offer.version))
}

/// Fetches a version and puts it into force.
fn bring(
    store: &Mutex<Store>,
    client: &mut dyn CatalogueClient,
    staging: &Staging,
    (offer, now_ms): (&Offer, i64),
) -> Result<(), UpdateError> {
    staging.sweep(Some(offer))?;
    if !staging.is_whole(offer) {
        client.fetch(offer, staging)?;
    }
    let (catalogue, document) = staging.read(offer)?;
    let station = locked(store).identity()?.map(|identity| identity.station);
    if let Some(station) = &station {
        check(&catalogue, station).map_err(UpdateError::Unfit)?;
    }
    let mut store = locked(store);
    store.activate_catalogue(&document, now_ms)?;
    Ok(store.note_running_catalogue(document.version)?)
}

/// Whether a terminal could serve with a catalogue where it stands.
fn check(catalogue: &Catalogue, station: &StationId) -> Result<(), FailureKind> {
    let station = catalogue.stations.get(station).ok_or(FailureKind::StationMissing)?;
    let offered = catalogue.entries().any(|entry| station.offer(entry) != Offered::None);
    if offered { Ok(()) } else { Err(FailureKind::NothingOffered) }
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
