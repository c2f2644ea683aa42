//! What an error of PostgreSQL or of its client means to the store.
use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// The connection went away while a transaction was open.
pub(super) fn lost() -> StoreError {
    StoreError::Unreachable("the connection was lost inside a transaction".into())
}

/// Nothing was heard for this long.
pub(super) fn silent(limit: Duration) -> StoreError {
    StoreError::Unreachable(format!("it said nothing for {} s", limit.as_secs()).into())
}

/// No connection was made. What is neither the network nor the server's own word is a matter of the address: no TLS
/// there, a certificate that does not hold, a way of signing in that is not known.
pub(super) fn not_connected(error: Error) -> StoreError {
    match failed(error) {
        StoreError::Failed(source) => StoreError::Open(source),
        other => other,
    }
}

/// A statement or a transaction did not work.
pub(super) fn failed(error: Error) -> StoreError {
    let Some(code) = error.code().cloned() else {
        // A parameter of the wrong type is our mistake; anything else without a code is the network's.
        let network = error.is_closed() || error.source().is_none_or(is_network);
        let source = Box::new(error);
        return if network { StoreError::Unreachable(source) } else { StoreError::Failed(source) };
    };
    let source = Box::new(error);
    match code {
        SqlState::DISK_FULL => StoreError::Full,
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED
        | SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::OUT_OF_MEMORY => StoreError::Busy,
        SqlState::TOO_MANY_CONNECTIONS
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        // A standby, or a server that was made one: after a failover a new connection finds the other one.
        | SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unreachable(source),
        // Classes 08 and 57P: the connection or the whole server is going.
        code if code.code().starts_with("08") || code.code().starts_with("57P") => {
            StoreError::Unreachable(source)
        }
        // Class 53: out of something.
        code if code.code().starts_with("53") => StoreError::Busy,
        SqlState::INVALID_CATALOG_NAME
        | SqlState::INVALID_PASSWORD
        | SqlState::INVALID_AUTHORIZATION_SPECIFICATION
        | SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Open(source),
        // Class 23: a key, a reference or a missing value.
        code if code.code().starts_with("23") => StoreError::Constraint(source),
        _ => StoreError::Failed(source),
    }
}

/// Whether the database refuses to write.
pub(super) fn is_read_only(source: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = source.downcast_ref::<Error>();
    error.and_then(Error::code).is_some_and(|code| *code == SqlState::READ_ONLY_SQL_TRANSACTION)
}

/// An error of the operating system; TLS wraps its own words in the same type.
fn is_network(source: &(dyn std::error::Error + 'static)) -> bool {
    let system = source.downcast_ref::<io::Error>();
    system.is_some_and(|e| !e.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()))
}
