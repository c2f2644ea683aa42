//! PostgreSQL behind [`Driver`]: the only file that names `postgres`.
//!
//! A commit is durable (`synchronous_commit=on`). Each writing transaction first takes one advisory lock, so that
//! numbers given inside it follow the order of commits whoever else writes. A connection that was lost is made anew
//! when the next transaction begins; inside a transaction a loss is an error and nothing is repeated.
//!
//! Refuses to run inside an async task: the blocking client has a runtime of its own.
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use bytes::BytesMut;
use postgres::error::SqlState;
use postgres::types::{FromSql, IsNull, ToSql, Type};
use postgres::{Client, Config, NoTls, Statement};

use super::{Driver, Row, StoreError, Value};

/// Time for making a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Silence on the network after which a connection counts as lost.
const NETWORK_TIME: Duration = Duration::from_secs(20);
/// Prepared statements kept per connection.
const STATEMENTS_KEPT: usize = 256;
/// What every session of ours says first. Times are milliseconds: a statement, waiting for a lock, an idle transaction.
const SESSION: &str = "SET synchronous_commit TO on; SET statement_timeout TO 30000; SET lock_timeout TO 5000; \
                       SET idle_in_transaction_session_timeout TO 60000; SET timezone TO 'UTC'; \
                       SET client_encoding TO 'UTF8'";
/// The advisory lock of all writers of a database: `jinban` in ASCII.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(117008086526318)";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Settings without which a commit would not survive a power cut.
const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// One connection, made anew when it is lost.
pub struct Postgres {
    config: Config,
    client: Option<Client>,
    statements: HashMap<String, Statement>,
    /// Between begin and end: a lost connection must not be replaced, or the rest would be committed piece by piece.
    in_transaction: bool,
}

impl Postgres {
    /// Connects to a database, for instance `postgresql://jinban@127.0.0.1/jinban`.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the address cannot be understood, [`StoreError::Unreachable`] if nobody answers there.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let mut config = parse(url)?;
        config.connect_timeout(CONNECT_TIME).tcp_user_timeout(NETWORK_TIME).keepalives_idle(NETWORK_TIME);
        config.application_name("sync-server");
        let mut store = Self { config, client: None, statements: HashMap::new(), in_transaction: false };
        store.connected()?;
        Ok(store)
    }

    fn connected(&mut self) -> Result<&mut Client, StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            if self.in_transaction {
                return Err(lost());
            }
            self.statements.clear();
            let mut client = self.config.connect(NoTls).map_err(failed)?;
            client.batch_execute(SESSION).map_err(failed)?;
            self.client = Some(client);
        }
        self.client.as_mut().ok_or(StoreError::Busy)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = self.connected()?.batch_execute(sql).map_err(failed);
        self.forget_if_lost(done)
    }

    /// Begins a transaction; on a connection that turns out to be lost, once more on a new one.
    fn begin_with(&mut self, sql: &str) -> Result<(), StoreError> {
        self.in_transaction = false;
        let begun = match self.batch(sql) {
            Err(StoreError::Unreachable(_)) => self.batch(sql),
            other => other,
        };
        self.in_transaction = true;
        if begun.is_err() {
            // BEGIN itself may have worked, and only the lock not.
            self.rollback();
        }
        begun
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, StoreError> {
        // First, because a new connection knows none of the old one's statements.
        self.connected()?;
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let made = self.connected()?.prepare(sql).map_err(failed);
        let statement = self.forget_if_lost(made)?;
        if self.statements.len() >= STATEMENTS_KEPT {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn forget_if_lost<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(result, Err(StoreError::Unreachable(_))) {
            self.client = None;
            self.statements.clear();
        }
        result
    }
}

impl Driver for Postgres {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let statement = self.prepared(sql)?;
        let done = self.connected()?.execute(&statement, &borrowed(parameters)).map_err(failed);
        self.forget_if_lost(done)
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql)?;
        let found = self.connected()?.query(&statement, &borrowed(parameters)).map_err(failed);
        self.forget_if_lost(found)?.iter().map(read).collect()
    }

    fn run_script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.batch(&translated(sql))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.begin_with(BEGIN)
    }

    fn begin_read(&mut self) -> Result<(), StoreError> {
        self.begin_with(BEGIN_READ)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        // Never on a new connection: it would "commit" nothing, and say that all is well.
        // In a transaction that a failed statement has aborted, COMMIT alone would roll back and say that all is well.
        let done = self.batch("SELECT 1; COMMIT");
        self.in_transaction = false;
        done
    }

    fn rollback(&mut self) {
        if !std::mem::take(&mut self.in_transaction) {
            return;
        }
        if let Some(client) = self.client.as_mut()
            && client.batch_execute("ROLLBACK").is_err()
        {
            // The server rolls back by itself when the connection ends.
            self.client = None;
            self.statements.clear();
        }
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.batch("SAVEPOINT item")
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.batch("RELEASE SAVEPOINT item")
    }

    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.batch("ROLLBACK TO SAVEPOINT item; RELEASE SAVEPOINT item")
    }

    fn is_empty(&mut self) -> Result<bool, StoreError> {
        // Of every kind and in every schema: whatever is there belongs to somebody.
        let sql = "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'pg_catalog'
                   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' LIMIT 1";
        Ok(self.query(sql, &[])?.is_empty())
    }

    fn check(&mut self) -> Result<Vec<String>, StoreError> {
        let mut said = Vec::new();
        for name in DURABLE {
            let rows = self.query("SELECT current_setting($1)", &[name.into()])?;
            let value = rows.first().map_or(Ok("?"), |r| r.text(0))?;
            if value != "on" {
                said.push(format!("the setting {name} is {value}: a power cut would lose what was answered"));
            }
        }
        Ok(said)
    }

    fn size_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        let rows = self.query("SELECT pg_database_size(current_database())", &[])?;
        rows.first().map(|r| r.uint(0)).transpose()
    }
}

/// The address without the password, for people and logs.
///
/// # Errors
/// [`StoreError::Open`] if it cannot be understood; the error does not repeat it.
pub fn without_password(url: &str) -> Result<String, StoreError> {
    let config = parse(url)?;
    let host = config.get_hosts().first().map_or_else(String::new, |h| match h {
        postgres::config::Host::Tcp(name) => name.clone(),
        postgres::config::Host::Unix(path) => path.display().to_string(),
    });
    let port = config.get_ports().first().map_or_else(String::new, |p| format!(":{p}"));
    let user = config.get_user().map_or_else(String::new, |u| format!("{u}@"));
    let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
    Ok(format!("postgresql://{user}{host}{port}/{name}"))
}

fn parse(url: &str) -> Result<Config, StoreError> {
    let config: Config = url.parse().map_err(|e| StoreError::Open(Box::new(e)))?;
    if config.get_hosts().is_empty() {
        return Err(StoreError::Open("the address of the database names no host".into()));
    }
    Ok(config)
}

/// The migrations are one text for both databases; these are the words that PostgreSQL says otherwise, or not at all.
/// Texts are compared byte by byte, as SQLite does, whatever the locale of the database.
fn translated(sql: &str) -> String {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = sql.split_inclusive(|c| !part_of_word(c));
    words
        .map(|word| {
            let name = word.trim_end_matches(|c| !part_of_word(c));
            let end = &word[name.len()..];
            match name {
                "BLOB" => format!("BYTEA{end}"),
                "TEXT" => format!("TEXT COLLATE \"C\"{end}"),
                "INTEGER" => format!("BIGINT{end}"),
                "WITHOUT" | "ROWID" => end.to_owned(),
                _ => word.to_owned(),
            }
        })
        .collect()
}

fn borrowed(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|v| v as &(dyn ToSql + Sync)).collect()
}

fn read(row: &postgres::Row) -> Result<Row, StoreError> {
    let value = |column| {
        row.try_get::<_, Value>(column)
            .map_err(|_| StoreError::Shape { column, wanted: "one of the four types" })
    };
    Ok(Row((0..row.len()).map(value).collect::<Result<_, _>>()?))
}

type Conversion = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Conversion> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            // A parameter that stands beside a literal such as `1` is taken for a shorter whole number.
            Self::Int(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Self::Int(n) if *ty == Type::INT8 => n.to_sql(ty, out),
            Self::Text(s) if <&str as ToSql>::accepts(ty) => s.as_str().to_sql(ty, out),
            Self::Blob(b) if *ty == Type::BYTEA => b.as_slice().to_sql(ty, out),
            other => Err(format!("{other:?} for a parameter of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Conversion> {
        match *ty {
            Type::INT8 => Ok(Self::Int(i64::from_sql(ty, raw)?)),
            Type::INT4 => Ok(Self::Int(i32::from_sql(ty, raw)?.into())),
            Type::BYTEA => Ok(Self::Blob(raw.to_vec())),
            _ => Ok(Self::Text(String::from_sql(ty, raw)?)),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Conversion> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BYTEA) || <String as FromSql>::accepts(ty)
    }
}

fn lost() -> StoreError {
    StoreError::Unreachable("the connection was lost inside a transaction".into())
}

fn failed(error: postgres::Error) -> StoreError {
    let Some(code) = error.code().cloned() else {
        // A parameter of the wrong type is our mistake; anything else without a code is the network's.
        let ours = error.source().is_some_and(|s| !s.is::<std::io::Error>()) && !error.is_closed();
        let source = Box::new(error);
        return if ours { StoreError::Failed(source) } else { StoreError::Unreachable(source) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_types_are_replaced() {
        let sql = "-- BLOBS\nCREATE TABLE t (a BLOB NOT NULL,\n b BLOB, ab\u{76ee} TEXT PRIMARY KEY, TEXTS BIGINT, \
             n INTEGER) WITHOUT ROWID;";
        let expected = "-- BLOBS\nCREATE TABLE t (a BYTEA NOT NULL,\n b BYTEA, ab\u{76ee} TEXT COLLATE \"C\" PRIMARY KEY, \
                        TEXTS BIGINT, n BIGINT)  ;";
        assert_eq!(translated(sql), expected);
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url = "postgresql://clerk:secret@db.example:5433/jinban?connect_timeout=3";
        assert_eq!(without_password(url).ok().as_deref(), Some("postgresql://clerk@db.example:5433/jinban"));
        for bad in ["postgresql://", "postgresql:///x", "postgresql://u:secret@h:port/x", "nonsense"] {
            let error = without_password(bad).err().map(|e| format!("{e} {e:?}")).unwrap_or_default();
            assert!(!error.is_empty() && !error.contains("secret"), "{bad}: {error}");
        }
    }

    #[test]
    fn nobody_at_the_address_is_an_error_that_says_so() {
        let result = Postgres::open("postgresql://nobody@127.0.0.1:1/x").map(|_| ());
        assert!(matches!(result, Err(StoreError::Unreachable(_))));
    }
}
