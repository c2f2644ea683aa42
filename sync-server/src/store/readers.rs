//! A few reading connections, lent out one at a time; each use sees one state of the store.
//!
//! Refuses to wait for ever: when all are out for too long, the caller hears that the store is busy.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Driver, StoreError, Tx};

/// How long a reader waits for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// How long [`Readers::close`] waits for connections in use.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// The pool.
pub struct Readers {
    pool: Mutex<Pool>,
    returned: Condvar,
}

struct Pool {
    idle: Vec<Box<dyn Driver>>,
    /// Connections in use.
    lent: usize,
    closed: bool,
}

impl Readers {
    /// A pool of these connections.
    pub fn new(connections: Vec<Box<dyn Driver>>) -> Self {
        Self {
            pool: Mutex::new(Pool { idle: connections, lent: 0, closed: false }),
            returned: Condvar::new(),
        }
    }

    /// Reads in one transaction, which sees everything that was committed before it began.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if no connection comes free, or the error of the work.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut lent = self.lend()?;
        let driver = lent.driver.as_mut().ok_or(StoreError::Busy)?.as_mut();
        driver.begin_read()?;
        let result = work(&mut Tx::new(driver));
        driver.rollback();
        result
    }

    /// Closes all connections, those in use as soon as they come back, on the thread that brings them: a client with
    /// a runtime of its own must not end on an async one. Later readers hear that the store is busy. Waits for those in
    /// use, a little: somebody may still read for a caller that has gone, and the writer is to close its connection last.
    pub fn close(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        pool.idle.clear();
        let _all_back = self.returned.wait_timeout_while(pool, CLOSE_WAIT, |p| p.lent > 0);
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let (mut pool, _) = self
            .returned
            .wait_timeout_while(self.lock(), WAIT, |p| p.idle.is_empty() && !p.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let driver = pool.idle.pop().ok_or(StoreError::Busy)?;
        pool.lent += 1;
        Ok(Lent { pool: self, driver: Some(driver) })
    }
}

/// A connection that goes back to the pool whatever happens, also in a panic.
struct Lent<'a> {
    pool: &'a Readers,
    driver: Option<Box<dyn Driver>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(mut driver) = self.driver.take() {
            driver.rollback();
            let mut pool = self.pool.lock();
            if pool.closed {
                // Closed before it counts as back.
                drop(pool);
                drop(driver);
                pool = self.pool.lock();
            } else {
                pool.idle.push(driver);
            }
            pool.lent = pool.lent.saturating_sub(1);
            self.pool.returned.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sqlite;

    #[test]
    fn a_connection_comes_back_after_an_error_and_after_a_panic() {
        let pool = Readers::new(vec![Box::new(Sqlite::open_in_memory().expect("in memory"))]);
        let failed: Result<i64, StoreError> = pool.read(|tx| tx.query_int("SELECT nothing", &[]));
        assert!(failed.is_err());
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _: Result<(), StoreError> = pool.read(|_| panic!("in a reader"));
        }));
        assert!(panicked.is_err());
        let read: Result<i64, StoreError> = pool.read(|tx| tx.query_int("SELECT 7", &[]));
        assert_eq!(read.ok(), Some(7));
        pool.close();
        let late: Result<i64, StoreError> = pool.read(|tx| tx.query_int("SELECT 9", &[]));
        assert!(matches!(late, Err(StoreError::Busy)));
    }

    #[test]
    fn closing_waits_for_a_connection_in_use() {
        let pool = Readers::new(vec![Box::new(Sqlite::open_in_memory().expect("in memory"))]);
        let (begun_in, begun) = std::sync::mpsc::channel();
        let read = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                pool.read(|tx| {
                    let _ = begun_in.send(());
                    // The other thread closes meanwhile; a statement goes on to its end.
                    while !pool.lock().closed {
                        std::thread::yield_now();
                    }
                    let seven = tx.query_int("SELECT 7", &[]);
                    read.store(true, std::sync::atomic::Ordering::Release);
                    seven
                })
            });
            begun.recv().expect("the reader began");
            pool.close();
            assert!(read.load(std::sync::atomic::Ordering::Acquire), "closed only after the reading");
            assert_eq!(pool.lock().lent, 0);
            assert_eq!(reader.join().expect("no panic").ok(), Some(7));
        });
    }
}
