//! Signed catalogues: what a terminal takes, what it refuses, and that the catalogue in force goes on serving.
mod applied;
mod attacks;
mod ceremony;
mod flips;
mod from_the_editor;
pub(crate) mod office;
mod repeated;
mod rollout;
mod served;
mod trouble;

use std::sync::Mutex;

use anyhow::{Context as _, Result};
use terminal::store::{CatalogueStanding, Store};
use terminal::sync::catalogue_client::{Staging, TufClient, UpdateError, Updated, update};
use tests::signed::{Mirror, NOW_MS, Publisher};

/// A publisher, a mirror of it, and a terminal that trusts root 1.
struct Rig {
    folder: tempfile::TempDir,
    publisher: Publisher,
    mirror: Mirror,
    client: TufClient,
    store: Mutex<Store>,
}

impl Rig {
    /// Catalogue 2 is published; the terminal has taken nothing yet.
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let publisher = Publisher::new(&folder.path().join("tuf"), 1, NOW_MS)?;
        publisher.publish(2, NOW_MS)?;
        let mirror = Mirror::of(&publisher)?;
        let mut store = Store::open(&folder.path().join("terminal"), NOW_MS)?;
        assert!(store.begin_catalogue_trust(&publisher.first_root()?)?);
        let client = TufClient::new(Box::new(mirror.clone()), folder.path().join("look"))?;
        Ok(Self { publisher, mirror, client, store: Mutex::new(store), folder })
    }

    /// The same, and the terminal has taken catalogue 2.
    fn ready() -> Result<Self> {
        let mut rig = Self::new()?;
        assert_eq!(rig.update()?, Updated::Activated(2));
        Ok(rig)
    }

    fn staging(&self) -> Staging {
        Staging::new(self.folder.path().join("staging"))
    }

    fn update(&mut self) -> Result<Updated, UpdateError> {
        let staging = self.staging();
        update(&self.store, &mut self.client, &staging, u64::MAX, NOW_MS)
    }

    /// Publishes a version and lets the mirror follow.
    fn publish(&mut self, version: u64, now_ms: i64) -> Result<()> {
        self.publisher.publish(version, now_ms)?;
        self.mirror.follow(&self.publisher)
    }

    fn in_force(&self) -> Result<u64> {
        Ok(self.store.lock().expect("the store").newest_catalogue()?.context("a catalogue")?.version)
    }

    fn standing(&self) -> Result<CatalogueStanding> {
        Ok(self.store.lock().expect("the store").catalogue_standing()?)
    }

    /// The update is refused as an alarm, and catalogue 2 goes on serving.
    #[track_caller]
    fn refuses(&mut self, words: &str) -> Result<()> {
        let error = self.update().expect_err("it is refused");
        let mut said = format!("{error:?} {error}");
        said.push_str(&self.standing()?.trouble.unwrap_or_default());
        assert!(error.is_alarm(), "{said}");
        assert!(said.to_lowercase().contains(words), "{words:?} is not said: {said}");
        assert_eq!(self.in_force()?, 2, "the catalogue in force goes on serving");
        Ok(())
    }

    /// Afterwards an honest mirror is believed again.
    #[track_caller]
    fn heals(&mut self, version: u64) -> Result<()> {
        let next = Publisher::publish(&self.publisher, version, NOW_MS + 1_000);
        next.and_then(|()| self.mirror.follow(&self.publisher))?;
        self.mirror.state().stranger = None;
        assert_eq!(self.update()?, Updated::Activated(version));
        assert_eq!(self.standing()?.trouble, None);
        Ok(())
    }
}
