//! The small synchronous driver that services stand on. SQLite has one, PostgreSQL the other.
//!
//! Statements are written with `$1…`. A service receives a [`Tx`], which cannot begin or commit: that is the
//! writer's business alone.
use std::any::Any;

use super::{Row, Value};

/// A statement or a transaction did not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database longer than a writer waits, or all readers are out.
    #[error("the store is busy")]
    Busy,
    /// No room on the disk.
    #[error("the disk of the store is full")]
    Full,
    /// A unique or foreign key does not hold.
    #[error("a constraint of the store does not hold")]
    Constraint(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A column does not have the type that the program expects.
    #[error("column {column} is not {wanted}")]
    Shape {
        /// Which column, from 0.
        column: usize,
        /// What was expected.
        wanted: &'static str,
    },
    /// A stored text does not read back as what it was written from.
    #[error("a stored {what} cannot be read back")]
    Stored {
        /// What it should be.
        what: &'static str,
    },
    /// The file cannot be opened as a store.
    #[error("the store cannot be opened")]
    Open(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store was moved elsewhere; what is here is only what it was then.
    #[error("the store was moved elsewhere")]
    Moved,
    /// The database does not answer, or went away: whether the last statement took effect is not known.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else that the database says.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Something about a database that works and should be otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What was seen.
    pub found: String,
    /// What to do.
    pub remedy: String,
}

/// What a database must be able to do.
pub trait Driver: Send {
    /// Runs a statement with `$1…` parameters; gives the number of rows it changed.
    ///
    /// # Errors
    /// [`StoreError`] as the database says; so do all below.
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError>;
    /// Runs a query and gives all its rows: every query has a `LIMIT` or a unique key.
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError>;
    /// Runs a migration: several statements without parameters.
    fn run_script(&mut self, sql: &str) -> Result<(), StoreError>;
    /// Begins a transaction that will write: waits for the lock now, not at the first write.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Begins a transaction that sees one state of the store and writes nothing.
    fn begin_read(&mut self) -> Result<(), StoreError>;
    /// Commits; on success the rows survive a power cut.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Gives up the transaction, if there is one.
    fn rollback(&mut self);
    /// Marks a point inside the transaction.
    fn savepoint(&mut self) -> Result<(), StoreError>;
    /// Keeps what was done since the point.
    fn release(&mut self) -> Result<(), StoreError>;
    /// Undoes what was done since the point.
    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError>;
    /// Whether there is no table at all yet.
    fn is_empty(&mut self) -> Result<bool, StoreError>;
    /// Names of mistakes that the database finds in itself; empty if it is sound.
    fn check(&mut self) -> Result<Vec<String>, StoreError>;
    /// What works and should be otherwise; empty if nothing is to be said.
    fn advice(&mut self) -> Result<Vec<Advice>, StoreError> {
        Ok(Vec::new())
    }
    /// Lets go of what rows of these tables held before they were changed or deleted, as far as the database can.
    fn forget_erased(&mut self, _tables: &[&str]) -> Result<(), StoreError> {
        Ok(())
    }
    /// Room that the database takes, in bytes; none if it cannot tell.
    fn size_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}

/// One transaction, as a service sees it, or the part of one that is undone as a whole.
pub struct Tx<'a> {
    driver: &'a mut dyn Driver,
    memory: Vec<Box<dyn Any>>,
}

/// Numbers that were taken in a transaction, by table.
#[derive(Default)]
struct Taken(Vec<(&'static str, u64)>);

impl<'a> Tx<'a> {
    /// A view of a driver on which a transaction has begun.
    pub fn new(driver: &'a mut dyn Driver) -> Self {
        Self { driver, memory: Vec::new() }
    }

    /// What a service remembers until the end of this transaction, one value a type. All writers of a store wait for
    /// each other, so that what was read or written in a writing transaction stays true until its end.
    pub fn memory<T: Any + Default>(&mut self) -> &mut T {
        let at = self.memory.iter().position(|kept| kept.is::<T>()).unwrap_or_else(|| {
            self.memory.push(Box::new(T::default()));
            self.memory.len() - 1
        });
        self.memory[at].downcast_mut().unwrap_or_else(|| unreachable!("found by its type"))
    }

    /// See [`Driver::execute`].
    ///
    /// # Errors
    /// [`StoreError`] as the database says; so do all below.
    pub fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        self.driver.execute(sql, parameters)
    }

    /// See [`Driver::query`].
    pub fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.driver.query(sql, parameters)
    }

    /// The first row of a query, if there is one.
    pub fn query_first(&mut self, sql: &str, parameters: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.driver.query(sql, parameters)?.into_iter().next())
    }

    /// See [`Driver::size_bytes`].
    pub fn size_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        self.driver.size_bytes()
    }

    /// The one whole number that a query gives, such as a count.
    pub fn query_int(&mut self, sql: &str, parameters: &[Value]) -> Result<i64, StoreError> {
        match self.query_first(sql, parameters)? {
            Some(row) => row.int(0),
            None => Err(StoreError::Shape { column: 0, wanted: "one row" }),
        }
    }

    /// Takes the next number of a column: sequences without gaps, in commit order. Whoever takes it writes a row with
    /// it in this transaction, or gives the transaction up.
    ///
    /// The store is asked once a transaction.
    pub fn take_next_in(&mut self, table: &'static str, column: &'static str) -> Result<u64, StoreError> {
        let known = self.memory::<Taken>().0.iter().position(|(name, _)| *name == table);
        let Some(at) = known else {
            let next = self.next_in(table, column)?;
            self.memory::<Taken>().0.push((table, next));
            return Ok(next);
        };
        let (_, last) = &mut self.memory::<Taken>().0[at];
        *last += 1;
        Ok(*last)
    }

    /// One more than the highest number of a column. The names are written in the program, never taken from input.
    pub fn next_in(&mut self, table: &'static str, column: &'static str) -> Result<u64, StoreError> {
        let highest = self.query_int(&format!("SELECT COALESCE(MAX({column}), 0) FROM {table}"), &[])?;
        Ok(u64::try_from(highest).unwrap_or(0) + 1)
    }
}

/// Runs one piece of work in its own transaction: commits on success, rolls back on an error.
///
/// # Errors
/// The error of the work, or of the store.
pub fn in_transaction<T, E: From<StoreError>>(
    driver: &mut dyn Driver,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    driver.begin()?;
    match work(&mut Tx::new(driver)) {
        Ok(value) => match driver.commit() {
            Ok(()) => Ok(value),
            Err(e) => {
                driver.rollback();
                Err(e.into())
            }
        },
        Err(e) => {
            driver.rollback();
            Err(e)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sqlite;

    #[test]
    fn numbers_of_a_transaction_follow_those_of_the_store_and_are_read_once() {
        let mut db = Sqlite::open_in_memory().expect("in memory");
        db.run_script("CREATE TABLE t (n BIGINT); INSERT INTO t VALUES (6)").expect("script");
        let mut tx = Tx::new(&mut db);
        assert_eq!(tx.take_next_in("t", "n").ok(), Some(7));
        assert_eq!(tx.take_next_in("t", "n").ok(), Some(8), "although nobody wrote the row of 7");
        assert_eq!(tx.next_in("t", "n").ok(), Some(7), "as the store has it");
        *tx.memory::<i64>() += 5;
        *tx.memory::<u8>() += 1;
        assert_eq!((*tx.memory::<i64>(), *tx.memory::<u8>()), (5, 1));
        let mut next = Tx::new(&mut db);
        assert_eq!((next.take_next_in("t", "n").ok(), *next.memory::<i64>()), (Some(7), 0), "forgotten");
    }
}
