//! 中位数 and deciles of times, exact: from how many cases took how long.
//!
//! Nearest rank: the kth decile is the time that at least k tenths of the cases kept; it is the time of one of them, never
//! one in between. Refuses to say anything of too few.
use std::collections::BTreeMap;

/// Of fewer cases no median is said.
pub const FEW: u64 = 5;
/// Of fewer cases no decile is said.
pub const FEW_FOR_DECILES: u64 = 10;

/// How many cases took how long, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread(BTreeMap<i64, u64>);

impl Spread {
    /// Adds cases that took so long.
    pub fn add(&mut self, seconds: i64, cases: u64) {
        *self.0.entry(seconds).or_default() += cases;
    }

    /// How many cases there are.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The median, in seconds; none of too few cases.
    pub fn median(&self) -> Option<i64> {
        (self.count() >= FEW).then(|| self.rank(5)).flatten()
    }

    /// The deciles from the first to the ninth, in seconds; none of too few cases.
    pub fn deciles(&self) -> Option<[i64; 9]> {
        if self.count() < FEW_FOR_DECILES {
            return None;
        }
        let mut deciles = [0; 9];
        for (slot, tenths) in deciles.iter_mut().zip(1..) {
            *slot = self.rank(tenths)?;
        }
        Some(deciles)
    }

    /// How many cases took longer than so many seconds.
    pub fn longer_than(&self, seconds: i64) -> u64 {
        let longer = (std::ops::Bound::Excluded(seconds), std::ops::Bound::Unbounded);
        self.0.range(longer).map(|(_, cases)| cases).sum()
    }

    fn rank(&self, tenths: u64) -> Option<i64> {
        let place = (self.count() * tenths).div_ceil(10);
        let mut seen = 0;
        self.0.iter().find_map(|(seconds, cases)| {
            seen += cases;
            (seen >= place).then_some(*seconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[i64]) -> Spread {
        let mut spread = Spread::default();
        times.iter().for_each(|seconds| spread.add(*seconds, 1));
        spread
    }

    #[test]
    fn ranks_are_times_of_cases_and_few_say_nothing() {
        let table: [(&[i64], Option<i64>); 5] = [
            (&[], None),
            (&[1, 2, 3, 4], None),
            (&[5, 1, 4, 2, 3], Some(3)),
            (&[1, 2, 3, 4, 5, 6], Some(3)),
            (&[7, 7, 7, 7, 9], Some(7)),
        ];
        for (times, median) in table {
            assert_eq!(of(times).median(), median, "{times:?}");
            assert_eq!(of(times).deciles(), None, "{times:?}");
        }
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(of(&hundred).deciles(), Some([10, 20, 30, 40, 50, 60, 70, 80, 90]));
        assert_eq!(of(&hundred).longer_than(90), 10);
        let ten: Vec<i64> = (1..=10).rev().collect();
        assert_eq!(of(&ten).deciles(), Some([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    }

    #[test]
    fn it_is_what_sorting_gives() {
        // Another way to the same: sort all, take the place.
        let times: Vec<i64> = (0..997_i64).map(|n| (n * 7_919) % 613).collect();
        let mut sorted = times.clone();
        sorted.sort_unstable();
        let place = |tenths: usize| sorted[(997 * tenths).div_ceil(10) - 1];
        assert_eq!(of(&times).deciles(), Some(std::array::from_fn(|n| place(n + 1))));
        assert_eq!(of(&times).median(), Some(place(5)));
    }
}
