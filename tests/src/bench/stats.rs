//! Statistics of a bench: percentiles, medians, and two sides measured in turns.
//!
//! Refuses to average: one slow moment of the machine would speak for all the others.
use std::time::{Duration, Instant};

use anyhow::Result;

/// The value that a share of all values does not exceed (nearest rank); 0 without values.
///
/// `share` is from 0 to 1: 0.5 is the median, 0.99 the 99th percentile.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// Runs two sides in turns (A B, B A, A B, …), so that whatever else the machine does meets both alike; gives the
/// outcomes of each, in the order of the rounds.
///
/// # Errors
/// The first error of either side.
pub fn in_turns<A, B>(
    rounds: usize,
    mut a: impl FnMut(usize) -> Result<A>,
    mut b: impl FnMut(usize) -> Result<B>,
) -> Result<(Vec<A>, Vec<B>)> {
    let (mut of_a, mut of_b) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..rounds {
        if round % 2 == 0 {
            of_a.push(a(round)?);
            of_b.push(b(round)?);
        } else {
            of_b.push(b(round)?);
            of_a.push(a(round)?);
        }
    }
    Ok((of_a, of_b))
}

/// Microseconds that one call of some work takes: the median of `samples` runs, each long enough for the clock.
pub fn micros_a_call(samples: usize, mut work: impl FnMut()) -> f64 {
    let calls = calls_for(Duration::from_millis(2), &mut work);
    let timed: Vec<f64> = (0..samples.max(1))
        .map(|_| {
            let started = Instant::now();
            (0..calls).for_each(|_| work());
            started.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
        })
        .collect();
    median(&timed)
}

/// How many calls take at least this long.
fn calls_for(least: Duration, work: &mut impl FnMut()) -> u32 {
    let mut calls = 1_u32;
    loop {
        let started = Instant::now();
        (0..calls).for_each(|_| work());
        if started.elapsed() >= least || calls >= 1 << 24 {
            return calls;
        }
        calls *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        for (share, wanted) in
            [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (7.0, 100.0)]
        {
            assert!((percentile(&values, share) - wanted).abs() < f64::EPSILON, "{share}");
        }
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(percentile(&[], 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn both_sides_take_turns_and_neither_is_always_first() {
        let order = std::cell::RefCell::new(String::new());
        let side = |name: char| {
            let order = &order;
            move |round: usize| {
                order.borrow_mut().push(name);
                Ok(round)
            }
        };
        let (a, b) = in_turns(3, side('a'), side('b')).expect("both sides ran");
        assert_eq!((a, b), (vec![0, 1, 2], vec![0, 1, 2]));
        assert_eq!(*order.borrow(), "abbaab");
        let fails_later =
            |round: usize| if round == 0 { Ok(()) } else { Err(anyhow::anyhow!("round {round}")) };
        let failed = in_turns(3, |_| Ok(()), fails_later);
        assert_eq!(failed.expect_err("the second round failed").to_string(), "round 1");
    }
}
