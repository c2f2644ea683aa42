//! Who may send bytes of an upload now: so many at once, no station more than its share, and when all places are taken
//! the stations take turns. The flood of one station never starves another.
//!
//! Refuses to let more callers of one station wait than a station has use for: they are told to come again.
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::StationId;
use tokio::sync::oneshot;

/// Uploads of which bytes are taken at once.
const PLACES: usize = 32;
/// Places of one station, at most.
const SHARE: usize = 8;
/// Callers of one station that wait, at most.
const MAX_WAITING: usize = 16;
/// How long a caller waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// No turn can be had now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTurn;

/// The places and who waits for them.
pub struct Turns {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    places: usize,
    share: usize,
    waiting: usize,
    wait: Duration,
}

#[derive(Default)]
struct State {
    taken: BTreeMap<StationId, usize>,
    waiting: BTreeMap<StationId, VecDeque<oneshot::Sender<Turn>>>,
    /// Who had the last turn: the one behind it is next.
    last: Option<StationId>,
}

/// A place; free again when dropped.
pub struct Turn {
    turns: Option<Arc<Turns>>,
    station: StationId,
}

impl Default for Turns {
    fn default() -> Self {
        Self::with(Limits { places: PLACES, share: SHARE, waiting: MAX_WAITING, wait: LONGEST_WAIT })
    }
}

impl Turns {
    fn with(limits: Limits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn of a station.
    ///
    /// # Errors
    /// [`NoTurn`] if too many of the station wait already, or no place came free in time.
    pub async fn enter(self: &Arc<Self>, station: &StationId) -> Result<Turn, NoTurn> {
        let turn = {
            let mut state = self.state();
            if state.may_enter(self.limits, station) {
                return Ok(state.give(self, station.clone()));
            }
            let queue = state.waiting.entry(station.clone()).or_default();
            queue.retain(|caller| !caller.is_closed());
            if queue.len() >= self.limits.waiting {
                return Err(NoTurn);
            }
            let (called, turn) = oneshot::channel();
            queue.push_back(called);
            turn
        };
        // A turn that comes after the end of the wait falls back to the others when its message is dropped.
        match tokio::time::timeout(self.limits.wait, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(NoTurn),
        }
    }

    /// Gives free places to those who wait, station by station.
    fn call_next(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            let Some(station) = state.next(self.limits) else { return };
            let Some(caller) = state.waiting.get_mut(&station).and_then(VecDeque::pop_front) else { return };
            state.waiting.retain(|_, queue| !queue.is_empty());
            let turn = state.give(self, station);
            drop(state);
            if let Err(mut unheard) = caller.send(turn) {
                // Its caller went away: the next one is called here, not by the drop.
                unheard.leave();
            }
        }
    }
}

impl State {
    fn used(&self) -> usize {
        self.taken.values().sum()
    }

    fn has_room(&self, limits: Limits, station: &StationId) -> bool {
        self.used() < limits.places && self.taken.get(station).copied().unwrap_or(0) < limits.share
    }

    /// Nobody passes those of its own station who wait already.
    fn may_enter(&self, limits: Limits, station: &StationId) -> bool {
        self.has_room(limits, station) && !self.waiting.contains_key(station)
    }

    fn give(&mut self, turns: &Arc<Turns>, station: StationId) -> Turn {
        *self.taken.entry(station.clone()).or_default() += 1;
        self.last = Some(station.clone());
        Turn { turns: Some(turns.clone()), station }
    }

    /// The next station that waits and has room, behind the one that had the last turn.
    fn next(&self, limits: Limits) -> Option<StationId> {
        let waiting = || self.waiting.keys().filter(|station| self.has_room(limits, station));
        let behind = self.last.as_ref().and_then(|last| waiting().find(|station| *station > last));
        behind.or_else(|| waiting().next()).cloned()
    }
}

impl Turn {
    /// Gives the place back; who waits is not called yet.
    fn leave(&mut self) -> Option<Arc<Turns>> {
        let turns = self.turns.take()?;
        {
            let mut state = turns.state();
            if let Some(taken) = state.taken.get_mut(&self.station) {
                *taken = taken.saturating_sub(1);
            }
            state.taken.retain(|_, taken| *taken > 0);
        }
        Some(turns)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.leave() {
            turns.call_next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(name: &str) -> StationId {
        name.parse().expect("an id")
    }

    fn turns(places: usize, share: usize, waiting: usize, wait_ms: u64) -> Arc<Turns> {
        Arc::new(Turns::with(Limits { places, share, waiting, wait: Duration::from_millis(wait_ms) }))
    }

    #[tokio::test]
    async fn the_flood_of_one_station_never_starves_another() {
        let turns = turns(4, 3, 200, 60_000);
        let (loud, quiet) = (station("XN-A"), station("XN-B"));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(turns.enter(&loud).await.expect("free"));
        }
        let flood: Vec<_> = (0..100)
            .map(|_| {
                let (turns, loud) = (turns.clone(), loud.clone());
                tokio::spawn(async move { turns.enter(&loud).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        // A place is left for others, whatever waits.
        let own = turns.enter(&quiet).await.expect("at once");
        let (all, other) = (turns.clone(), quiet.clone());
        let second = tokio::spawn(async move { all.enter(&other).await });
        tokio::task::yield_now().await;
        assert!(!second.is_finished(), "all places are taken");
        // The first place that comes free goes to the station whose turn it is, not to the hundred before it.
        drop(held.pop());
        let second = second.await.expect("ends").expect("its turn");
        assert_eq!(turns.state().taken.get(&quiet), Some(&2));
        drop((own, second, held));
        for caller in flood {
            assert_eq!(caller.await.expect("ends"), Ok(()), "the flood is served, too");
        }
        assert_eq!(turns.state().used(), 0, "all places are given back");
        assert!(turns.state().waiting.is_empty());
    }

    #[tokio::test]
    async fn who_waits_too_long_or_behind_too_many_hears_so_and_leaves_no_trace() {
        let turns = turns(1, 1, 2, 50);
        let here = station("XN-A");
        let held = turns.enter(&here).await.expect("free");
        let wait = || {
            let (turns, here) = (turns.clone(), here.clone());
            tokio::spawn(async move { turns.enter(&here).await.map(drop) })
        };
        let (first, second) = (wait(), wait());
        tokio::task::yield_now().await;
        assert_eq!(turns.enter(&here).await.map(drop), Err(NoTurn), "too many wait");
        assert_eq!(first.await.expect("ends"), Err(NoTurn), "after its time");
        assert_eq!(second.await.expect("ends"), Err(NoTurn));
        drop(held);
        assert_eq!(turns.state().used(), 0, "a turn for nobody falls back");
        assert!(turns.enter(&here).await.is_ok());
    }
}
