//! Who waits for news, by station: only the stations touched are woken; an order touches all.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::StationId;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::centre::Bell;
use crate::jobs::Waker;

/// Callers that may wait at once; further ones are answered at once.
const MAX_WAITERS: usize = 2_000;

/// The bells of all stations.
pub struct Bells {
    stations: Mutex<BTreeMap<StationId, watch::Sender<u64>>>,
    waiting: AtomicUsize,
    stopping: watch::Sender<bool>,
    jobs: Waker,
}

/// A caller that listens for the news of one station from the moment it was made.
pub struct Waiter {
    news: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    bells: Arc<Bells>,
}

impl Bells {
    /// Bells that also wake the job thread.
    pub fn new(jobs: Waker) -> Self {
        let stopping = watch::Sender::new(false);
        Self { stations: Mutex::default(), waiting: AtomicUsize::new(0), stopping, jobs }
    }

    /// Begins to listen.
    pub fn waiter(self: &Arc<Self>, station: &StationId) -> Waiter {
        let mut stations = self.stations.lock().unwrap_or_else(PoisonError::into_inner);
        let news = stations.entry(station.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe();
        Waiter { news, stopping: self.stopping.subscribe(), bells: self.clone() }
    }

    /// Lets all that wait go, now and from now on.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

/// The bells as the centre knows them.
pub struct SharedBells(pub Arc<Bells>);

impl Bell for SharedBells {
    fn envelopes_stored(&self) {
        self.0.jobs.wake();
    }

    fn news(&self, station: &StationId) {
        let stations = self.0.stations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = stations.get(station) {
            bell.send_modify(|n| *n += 1);
        }
    }

    fn news_for_all(&self) {
        let stations = self.0.stations.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in stations.values() {
            bell.send_modify(|n| *n += 1);
        }
    }
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// There is news, as far as the bell knows.
    News,
    /// The time is over, or the server stops.
    Over,
    /// Too many wait: it ended at once.
    NoPlace,
}

impl Waiter {
    /// Waits for news, the end of the time, or the server's stop.
    pub async fn wait(&mut self, until: Instant) -> Woken {
        let Some(_place) = Place::take(&self.bells) else { return Woken::NoPlace };
        tokio::select! {
            _ = self.news.changed() => Woken::News,
            _ = self.stopping.wait_for(|s| *s) => Woken::Over,
            () = tokio::time::sleep_until(until) => Woken::Over,
        }
    }
}

/// One of the places to wait; given back when the caller leaves, however it leaves.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(bells: &'a Bells) -> Option<Self> {
        let place = Self(&bells.waiting);
        // A refused caller gives its place back as it leaves.
        (bells.waiting.fetch_add(1, Ordering::AcqRel) < MAX_WAITERS).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn bells() -> Arc<Bells> {
        Arc::new(Bells::new(Waker::none()))
    }

    #[tokio::test]
    async fn news_between_listening_and_waiting_are_heard_by_that_station_only() {
        let bells = bells();
        let (here, there) = ("XN-A".parse().expect("id"), "XN-B".parse().expect("id"));
        let (mut a, mut b) = (bells.waiter(&here), bells.waiter(&there));
        SharedBells(bells.clone()).news(&here);
        let long = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(a.wait(long).await, Woken::News);
        let b_woke = tokio::time::timeout(Duration::from_millis(50), b.wait(long)).await.is_ok();
        assert!(!b_woke);
        assert_eq!(bells.waiting.load(Ordering::Acquire), 0, "places are given back");
        SharedBells(bells.clone()).news_for_all();
        assert_eq!((a.wait(long).await, b.wait(long).await), (Woken::News, Woken::News));
        bells.stop();
        assert_eq!(b.wait(long).await, Woken::Over);
    }

    #[tokio::test]
    async fn beyond_the_cap_nobody_waits() {
        let bells = bells();
        bells.waiting.store(MAX_WAITERS, Ordering::Release);
        let here = "XN-A".parse().expect("id");
        let long = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(bells.waiter(&here).wait(long).await, Woken::NoPlace);
        assert_eq!(bells.waiting.load(Ordering::Acquire), MAX_WAITERS);
    }
}
