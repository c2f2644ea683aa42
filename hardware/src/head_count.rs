//! How many readers the service has, and whether there were more: one that was unplugged is missed, by number, for a
//! reader that is plugged in again may have another name. Pure: time comes in.
//!
//! While a reader is plugged in again the service may list it twice for a moment. The first reader is believed at
//! once; that there are more than ever before is believed when it has been so for [`STAYS`]. What was believed is not
//! forgotten: a reader that nobody uses any more is missed until the terminal starts anew.
use std::time::{Duration, Instant};

/// How long there must be more readers than ever before for that to count.
pub(crate) const STAYS: Duration = Duration::from_secs(3);

/// Readers now and before.
#[derive(Debug, Default)]
pub(crate) struct HeadCount {
    now: usize,
    /// The most that were there together.
    most: usize,
    /// There are more than ever before: how many at least, and since when.
    more: Option<(usize, Instant)>,
}

impl HeadCount {
    /// So many are there.
    pub(crate) fn see(&mut self, count: usize, at: Instant) {
        self.now = count;
        self.most = self.most.max(count.min(1));
        if count <= self.most {
            self.more = None;
            return;
        }
        let (least, since) = self.more.map_or((count, at), |(least, since)| (least.min(count), since));
        if at.saturating_duration_since(since) < STAYS {
            self.more = Some((least, since));
            return;
        }
        self.most = least;
        self.more = (count > least).then_some((count, at));
    }

    /// There is no service, and so no reader.
    pub(crate) fn none(&mut self) {
        (self.now, self.more) = (0, None);
    }

    /// Whether there were more.
    pub(crate) fn misses(&self) -> bool {
        self.now < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After each look, at so many milliseconds and with so many readers, whether one is missed.
    fn look(count: &mut HeadCount, start: Instant, steps: &[(u64, usize, bool)]) {
        for (ms, readers, misses) in steps {
            count.see(*readers, start + Duration::from_millis(*ms));
            assert_eq!(count.misses(), *misses, "{readers} at {ms} ms");
        }
    }

    #[test]
    fn a_reader_that_was_there_is_missed_until_it_is_back() {
        let (mut count, start) = (HeadCount::default(), Instant::now());
        look(&mut count, start, &[(0, 0, false), (1, 1, false), (2, 0, true), (3, 1, false)]);
        look(&mut count, start, &[(4, 2, false), (3_004, 2, false), (3_005, 1, true), (9_000, 2, false)]);
        count.none();
        assert!(count.misses());
    }

    #[test]
    fn a_reader_that_is_listed_twice_for_a_moment_is_one_reader() {
        let (mut count, start) = (HeadCount::default(), Instant::now());
        let twice = [(0, 1, false), (10, 2, false), (2_900, 2, false), (2_910, 1, false), (60_000, 1, false)];
        look(&mut count, start, &twice);
        // Once more, and all day.
        look(
            &mut count,
            start,
            &[(70_000, 2, false), (71_000, 1, false), (74_000, 2, false), (75_000, 1, false)],
        );
        // Two readers, one of which is listed twice for a moment while the second settles.
        look(
            &mut count,
            start,
            &[(80_000, 3, false), (80_100, 2, false), (83_000, 2, false), (83_001, 1, true)],
        );
        look(&mut count, start, &[(83_002, 2, false)]);
    }
}
