//! One group of the writer in one transaction: plain if all pieces are good, with a savepoint around each if one is bad.
//!
//! Refuses to answer: that is the writer's business, after the COMMIT.
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::writer::Guard;
use super::{Driver, StoreError, Tx, WriteError};

/// A queued piece of work, its types forgotten.
pub(super) trait Piece: Send {
    /// Does the work; says whether it is to be kept.
    fn work(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers: the outcome of the work, or the reason why nothing was written.
    fn finish(&mut self, failure: Option<WriteError>);
}

/// Runs a group in one transaction; gives for each piece why it was not written, if so.
pub(super) fn commit(
    driver: &mut dyn Driver,
    guard: Guard,
    group: &mut [Box<dyn Piece>],
) -> Vec<Option<WriteError>> {
    let mut failures: Vec<_> = group.iter().map(|_| None).collect();
    let result = begin(driver, guard).and_then(|()| {
        if !run_plain(driver, group) {
            driver.rollback();
            begin(driver, guard)?;
            for (piece, failure) in group.iter_mut().zip(&mut failures) {
                *failure = run_piece(driver, piece.as_mut())?;
            }
        }
        fail::fail_point!("server::writer::before_commit", |_| Err(StoreError::Full));
        driver.commit()
    });
    if let Err(e) = result {
        driver.rollback();
        tracing::error!(
            error = &e as &dyn std::error::Error,
            group = group.len(),
            "a group was not committed"
        );
        let full = matches!(e, StoreError::Full);
        return group
            .iter()
            .map(|_| Some(if full { WriteError::Full } else { WriteError::NotCommitted }))
            .collect();
    }
    failures
}

fn begin(driver: &mut dyn Driver, guard: Guard) -> Result<(), StoreError> {
    driver.begin()?;
    guard(&mut Tx::new(driver))?;
    fail::fail_point!("server::writer::after_begin", |_| Err(StoreError::Full));
    Ok(())
}

/// Runs the pieces one after the other; false if one of them was bad, or broke off.
fn run_plain(driver: &mut dyn Driver, group: &mut [Box<dyn Piece>]) -> bool {
    let mut tx = Tx::new(driver);
    let all = AssertUnwindSafe(|| group.iter_mut().all(|piece| piece.work(&mut tx)));
    catch_unwind(all).unwrap_or(false)
}

/// Runs a piece so that it alone is undone if it is bad.
fn run_piece(driver: &mut dyn Driver, piece: &mut dyn Piece) -> Result<Option<WriteError>, StoreError> {
    driver.savepoint()?;
    match catch_unwind(AssertUnwindSafe(|| piece.work(&mut Tx::new(driver)))) {
        Ok(true) => driver.release().map(|()| None),
        Ok(false) => driver.rollback_to_savepoint().map(|()| None),
        Err(_) => driver.rollback_to_savepoint().map(|()| Some(WriteError::BrokeOff)),
    }
}
