//! A driver that turns the numbers of all parameters round and writes down what happens.
use std::sync::{Arc, Mutex, PoisonError};

use sync_server::store::{Driver, Row, StoreError, Value};

/// A statement as the product wrote it, and what it gave.
pub(super) type Entry = (String, Result<Vec<Row>, String>);
pub(super) type Transcript = Arc<Mutex<Vec<Entry>>>;

/// Turns parameters round and writes down what happens.
pub(super) struct Turned {
    pub(super) inner: Box<dyn Driver>,
    pub(super) transcript: Transcript,
}

impl Turned {
    fn note(&self, sql: &str, outcome: Result<Vec<Row>, String>) {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner).push((sql.to_owned(), outcome));
    }
}

/// A statement with the numbers of its parameters turned round.
pub(super) fn turned(sql: &str, count: usize) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = rest[at + 1..at + 1 + digits].parse().unwrap_or(0);
        out.push_str(&rest[..at]);
        out.push_str(&format!("${}", count + 1 - number));
        rest = &rest[at + 1 + digits..];
    }
    out + rest
}

fn kind_of(error: &StoreError) -> String {
    match error {
        StoreError::Constraint(_) => "constraint".into(),
        StoreError::Failed(_) => "failed".into(),
        other => format!("{other:?}"),
    }
}

impl Driver for Turned {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let backwards: Vec<_> = parameters.iter().rev().cloned().collect();
        let result = self.inner.execute(&turned(sql, parameters.len()), &backwards);
        let told = result.as_ref().map(|n| vec![Row(vec![Value::from(*n)])]).map_err(kind_of);
        self.note(sql, told);
        result
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let backwards: Vec<_> = parameters.iter().rev().cloned().collect();
        let result = self.inner.query(&turned(sql, parameters.len()), &backwards);
        self.note(sql, result.as_ref().map(Clone::clone).map_err(kind_of));
        result
    }

    fn run_script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.inner.run_script(sql)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.inner.begin()
    }

    fn begin_read(&mut self) -> Result<(), StoreError> {
        self.inner.begin_read()
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.inner.commit()
    }

    fn rollback(&mut self) {
        self.inner.rollback();
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.inner.savepoint()
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.inner.release()
    }

    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.inner.rollback_to_savepoint()
    }

    fn is_empty(&mut self) -> Result<bool, StoreError> {
        self.inner.is_empty()
    }

    fn check(&mut self) -> Result<Vec<String>, StoreError> {
        self.inner.check()
    }
}
