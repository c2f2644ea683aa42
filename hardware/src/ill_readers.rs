//! Readers that said that they are out of order, by their names, and when each is asked whether it is well again. Pure:
//! time comes in.
use std::time::{Duration, Instant};

/// The first pause between two questions to a reader that is ill; doubles with each answer that it is.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Most readers that are remembered; more than are watched.
const MAX_ILL: usize = 16;

#[derive(Debug)]
struct Ill {
    name: String,
    /// When it is to be asked; none: at once.
    ask_at: Option<Instant>,
    pause: Duration,
}

/// The readers that are ill.
#[derive(Debug, Default)]
pub(crate) struct IllReaders(Vec<Ill>);

impl IllReaders {
    /// A reader said that it is out of order.
    pub(crate) fn fell_ill(&mut self, name: &str, now: Instant) {
        self.remove(name);
        if self.0.len() < MAX_ILL {
            let (name, ask_at) = (name.to_owned(), now.checked_add(FIRST_PAUSE));
            self.0.push(Ill { name, ask_at, pause: FIRST_PAUSE });
        }
    }

    /// It was asked, and is ill still.
    pub(crate) fn still_ill(&mut self, name: &str, now: Instant) {
        if let Some(ill) = self.0.iter_mut().find(|ill| ill.name == name) {
            ill.ask_at = now.checked_add(ill.pause);
            ill.pause = (ill.pause * 2).min(MAX_PAUSE);
        }
    }

    /// Something happened at it, so the answer may be another one: the pauses begin anew.
    pub(crate) fn ask_now(&mut self, name: &str) {
        if let Some(ill) = self.0.iter_mut().find(|ill| ill.name == name) {
            (ill.ask_at, ill.pause) = (None, FIRST_PAUSE);
        }
    }

    /// It is well, or gone.
    pub(crate) fn remove(&mut self, name: &str) {
        self.keep(|other| other != name);
    }

    /// Forgets all others than these.
    pub(crate) fn keep(&mut self, these: impl Fn(&str) -> bool) {
        self.0.retain(|ill| these(&ill.name));
    }

    /// Whether this one is ill.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|ill| ill.name == name)
    }

    /// Whether none is.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that is to be asked next among those that may be asked, and when; none: at once.
    pub(crate) fn next(&self, may: impl Fn(&str) -> bool) -> Option<(&str, Option<Instant>)> {
        let next = self.0.iter().filter(|ill| may(&ill.name)).min_by_key(|ill| ill.ask_at)?;
        Some((&next.name, next.ask_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ill_reader_is_asked_soon_and_then_later_and_later() {
        let (mut ill, start) = (IllReaders::default(), Instant::now());
        ill.fell_ill("a", start);
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let (name, at) = ill.next(|_| true).expect("one is ill");
            assert_eq!(name, "a");
            let at = at.expect("a time");
            pauses.push((at - now).as_millis());
            now = at;
            ill.still_ill("a", now);
        }
        assert_eq!(pauses, [500, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        ill.ask_now("a");
        assert_eq!(ill.next(|_| true), Some(("a", None)), "at once");
        ill.still_ill("a", now);
        assert_eq!(ill.next(|_| true), Some(("a", Some(now + FIRST_PAUSE))), "and the pauses begin anew");
    }

    #[test]
    fn each_reader_is_ill_by_itself() {
        let (mut ill, now) = (IllReaders::default(), Instant::now());
        ill.fell_ill("a", now);
        ill.fell_ill("b", now + MAX_PAUSE);
        assert_eq!(ill.next(|_| true).map(|(name, _)| name), Some("a"));
        assert_eq!(ill.next(|name| name != "a").map(|(name, _)| name), Some("b"));
        ill.still_ill("c", now);
        ill.ask_now("c");
        assert!(ill.has("a") && ill.has("b") && !ill.has("c"));
        ill.remove("a");
        assert_eq!((ill.has("a"), ill.has("b"), ill.is_empty()), (false, true, false));
        ill.keep(|_| false);
        assert!(ill.is_empty() && ill.next(|_| true).is_none());
        (0..100).for_each(|n| ill.fell_ill(&n.to_string(), now));
        assert_eq!(ill.0.len(), MAX_ILL);
    }
}
