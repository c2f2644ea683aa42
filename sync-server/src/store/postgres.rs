//! PostgreSQL behind [`Driver`]: only this file and its folder name the client library.
//!
//! A commit is durable (`synchronous_commit` is at least `on`). Each writing transaction first takes one advisory
//! lock, so that numbers given inside it follow the order of commits whoever else writes. A connection that was lost,
//! or on which nothing is heard, is made anew when the next transaction begins; inside a transaction a loss is an
//! error and nothing is repeated.
//!
//! Refuses to run inside an async task: each connection has a runtime of its own.
mod address;
mod errors;
mod session;
mod tls;
mod values;

use std::collections::HashMap;
use std::time::Duration;

use tokio_postgres::Statement;

use self::address::Address;
use self::errors::lost;
use self::session::Session;
use self::values::{borrowed, read};
use super::{Advice, Driver, Row, StoreError, Value};

/// Prepared statements kept per connection.
const STATEMENTS_KEPT: usize = 256;
/// The longest wait for a lock.
const LOCK_TIME: Duration = Duration::from_secs(5);
/// What every session of ours says first, besides its times. A stronger wish of the database's owner
/// (`remote_apply`) stays.
const SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false)
                           WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
                       SET timezone TO 'UTC'; SET client_encoding TO 'UTF8'";
/// What a session for reading says besides: also outside transactions it writes nothing.
const READ_ONLY: &str = "SET default_transaction_read_only TO on";
/// The advisory lock of all writers of a database: `jinban` in ASCII.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(117008086526318)";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Settings without which a commit would not survive a power cut, and their values that are enough.
const DURABLE: [(&str, &[&str]); 3] =
    [("fsync", &["on"]), ("full_page_writes", &["on"]), ("synchronous_commit", &["on", "remote_apply"])];

/// One connection, made anew when it is lost.
pub struct Postgres {
    address: Address,
    session: Option<Session>,
    statements: HashMap<String, Statement>,
    read_only: bool,
    /// Between begin and end: a lost connection must not be replaced, or the rest would be committed piece by piece.
    in_transaction: bool,
}

impl Postgres {
    /// Connects to a database, for instance `postgresql://jinban@127.0.0.1/jinban`.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the address cannot be understood, if this server is not let in there or cannot trust
    /// who answers; [`StoreError::Unreachable`] if nobody answers. So does the next.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, false)
    }

    /// Connects for reading only.
    pub fn open_read_only(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, true)
    }

    fn connect(url: &str, read_only: bool) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let statements = HashMap::new();
        let mut store = Self { address, session: None, statements, read_only, in_transaction: false };
        store.connected()?;
        Ok(store)
    }

    fn connected(&mut self) -> Result<&Session, StoreError> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            if self.in_transaction {
                return Err(lost());
            }
            self.forget();
            let session = Session::connect(&self.address)?;
            session.batch(&self.first_words(), self.address.connect)?;
            self.session = Some(session);
        }
        self.session.as_ref().ok_or(StoreError::Busy)
    }

    /// Times of the session are shorter than the silence after which it is given up: the database then says itself
    /// what takes too long, and ends by itself what was given up.
    fn first_words(&self) -> String {
        let silence = self.address.silence;
        let (statement, lock) = (silence * 3 / 4, LOCK_TIME.min(silence / 4));
        let read_only = if self.read_only { READ_ONLY } else { "" };
        format!(
            "{SESSION}; SET statement_timeout TO {}; SET lock_timeout TO {};
             SET idle_in_transaction_session_timeout TO {}; {read_only}",
            statement.as_millis(),
            lock.as_millis(),
            (silence * 3 / 2).as_millis(),
        )
    }

    fn forget(&mut self) {
        self.statements.clear();
        self.session = None;
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let limit = self.address.silence;
        let done = self.connected()?.batch(sql, limit);
        self.judged(done)
    }

    /// Begins a transaction; on a connection that turns out to be lost, once more on a new one. A beginning may wait
    /// for the lock and does nothing else, so half of the silence is enough to know.
    fn begin_with(&mut self, sql: &str) -> Result<(), StoreError> {
        self.in_transaction = false;
        let limit = self.address.silence / 2;
        let was_connected = self.session.is_some();
        let mut begun = self.connected().and_then(|s| s.batch(sql, limit));
        begun = self.judged(begun);
        if was_connected && matches!(begun, Err(StoreError::Unreachable(_))) {
            begun = self.connected().and_then(|s| s.batch(sql, limit));
            begun = self.judged(begun);
        }
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
        let limit = self.address.silence;
        let made = self.connected()?.prepare(sql, limit);
        let statement = self.judged(made)?;
        if self.statements.len() >= STATEMENTS_KEPT {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Lets a connection go that was lost.
    fn judged<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match result {
            // A refusal that was asked for, not a standby.
            Err(StoreError::Unreachable(source)) if self.read_only && errors::is_read_only(&*source) => {
                Err(StoreError::Failed(source))
            }
            Err(StoreError::Unreachable(_)) => {
                self.forget();
                result
            }
            other => other,
        }
    }

    fn setting(&mut self, sql: &str, name: &str) -> Result<String, StoreError> {
        let rows = self.query(sql, &[name.into()])?;
        rows.first().map_or(Ok("?"), |r| r.text(0)).map(str::to_owned)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }
}

impl Driver for Postgres {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let statement = self.prepared(sql)?;
        let limit = self.address.silence;
        let done = self.connected()?.execute(&statement, &borrowed(parameters), limit);
        self.judged(done)
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql)?;
        let limit = self.address.silence;
        let found = self.connected()?.query(&statement, &borrowed(parameters), limit);
        self.judged(found)?.iter().map(read).collect()
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
        if let Some(session) = self.session.as_ref()
            && session.batch("ROLLBACK", self.address.silence).is_err()
        {
            // The server rolls back by itself when the connection ends.
            self.forget();
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
        for (name, enough) in DURABLE {
            let value = self.setting("SELECT current_setting($1)", name)?;
            if !enough.contains(&value.as_str()) {
                said.push(format!("the setting {name} is {value}: a power cut would lose what was answered"));
            }
        }
        Ok(said)
    }

    fn advice(&mut self) -> Result<Vec<Advice>, StoreError> {
        let mut advice = Vec::new();
        let encrypted = "SELECT COUNT(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
        let encrypted = self.query(encrypted, &[])?.first().map_or(Ok(0), |r| r.int(0))? > 0;
        if !self.address.is_local() && !encrypted {
            advice.push(Advice {
                found: "the database is on another machine and the connection is not encrypted".to_owned(),
                remedy: "turn on ssl in PostgreSQL and add sslrootcert=FILE to the address".to_owned(),
            });
        } else if !self.address.is_local() && self.address.root.is_none() {
            advice.push(Advice {
                found: "the connection is encrypted, and who answers is not verified".to_owned(),
                remedy: "add sslrootcert=FILE to the address: the certificate that signed the database's"
                    .to_owned(),
            });
        }
        // What the session had before it raised its own: other programs have no better.
        let commit =
            self.setting("SELECT reset_val FROM pg_settings WHERE name = $1", "synchronous_commit")?;
        if !["on", "remote_apply"].contains(&commit.as_str()) {
            advice.push(Advice {
                found: format!(
                    "synchronous_commit is {commit} in the database; this server turns it on for itself"
                ),
                remedy: "set synchronous_commit = on in postgresql.conf, or see who turned it off".to_owned(),
            });
        }
        Ok(advice)
    }

    fn forget_erased(&mut self, tables: &[&str]) -> Result<(), StoreError> {
        // Each alone: VACUUM runs in no transaction.
        tables.iter().try_for_each(|table| self.run_script(&format!("VACUUM {table}")))
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
    Ok(Address::parse(url)?.shown())
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
    fn nobody_at_the_address_is_an_error_that_says_so() {
        let result = Postgres::open("postgresql://nobody@127.0.0.1:1/x").map(|_| ());
        assert!(matches!(result, Err(StoreError::Unreachable(_))));
    }
}
