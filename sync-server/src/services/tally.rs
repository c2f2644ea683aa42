//! How many rows a list has, counted no further than anybody reads: a page over a million cases must not count them.
use std::fmt;
use std::iter::Sum;

/// A number of rows, exact up to [`Tally::MOST`]. Whatever is beyond it prints as `10000+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tally(u64);

impl Tally {
    /// Up to here it is exact.
    pub const MOST: u64 = 10_000;
    /// Rows that whoever counts asks for, at most: one more tells that there are more.
    pub const LIMIT: u64 = Self::MOST + 1;

    /// So many rows were found with a limit of [`Tally::LIMIT`].
    pub fn new(rows: u64) -> Self {
        Self(rows.min(Self::LIMIT))
    }

    /// There is none.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The number, if it is exact.
    pub fn exact(self) -> Option<u64> {
        (self.0 <= Self::MOST).then_some(self.0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact() {
            Some(rows) => write!(f, "{rows}"),
            None => write!(f, "{}+", Self::MOST),
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self::new(all.fold(0, |sum, tally| sum.saturating_add(tally.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_bound_says_so_and_sums_do_too() {
        assert_eq!(Tally::new(10_000).to_string(), "10000");
        assert_eq!(Tally::new(10_001).to_string(), "10000+");
        assert_eq!(Tally::new(u64::MAX), Tally::new(10_001));
        let sum: Tally = [Tally::new(9_000), Tally::new(1_000)].into_iter().sum();
        assert_eq!(sum.exact(), Some(10_000));
        let more: Tally = [Tally::new(9_000), Tally::new(1_001)].into_iter().sum();
        assert_eq!((more.exact(), more.to_string().as_str()), (None, "10000+"));
        assert!(Tally::default().is_zero() && !more.is_zero());
    }
}
