//! SQLite behind [`Driver`]: the only file that names `rusqlite`.
//!
//! The file is for its owner only, and so are those that SQLite makes beside it with the same mode.
//!
//! WAL with `synchronous=FULL`: what was answered survives a power cut. SQLite treats `$1` as a *name* that gets
//! the next free number at its first appearance, so parameters out of order would be swapped; they are rewritten
//! to `?1` before a statement is prepared.
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator::private;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};

use super::{Driver, Row, StoreError, Value};

/// How long a statement waits for another process, such as `enrol-code` beside a running server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection: more than the product has.
const STATEMENTS_KEPT: usize = 128;
/// Pages of the log after which a commit also brings them into the file: 16 MiB, so that pages which every commit
/// touches are written back once for many commits.
const LOG_PAGES: i64 = 4_000;
/// Memory for pages of a reading connection, as SQLite takes it: KiB, negative.
const READERS_CACHE: i64 = -512;
/// Rewritten statements kept per connection; beyond, all are forgotten and rewritten at their next use.
const TEXTS_KEPT: usize = 256;

/// One connection.
pub struct Sqlite {
    connection: Connection,
    /// Statements as SQLite takes them, by how they are written in the program.
    texts: HashMap<String, String>,
}

impl Sqlite {
    /// Opens a store for writing; makes the file if it is missing.
    ///
    /// # Errors
    /// [`StoreError`] if the file is not a database or cannot be made; so do all below.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // One that is there is not opened here: closing it again would end the locks of this process's connections. What
        // cannot be made or closed SQLite tells, or the doctor.
        let _ = private::open(OpenOptions::new().write(true).create_new(true), path);
        for file in files(path) {
            let _ = private::close(&file);
        }
        let connection = Connection::open(path).map_err(opening)?;
        Self::prepare(connection, true)
    }

    /// Opens an existing store for reading only.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::prepare(Connection::open_with_flags(path, flags).map_err(opening)?, false)
    }

    /// A store in memory, for tests and simulations.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory().map_err(opening)?, false)
    }

    fn prepare(connection: Connection, writes: bool) -> Result<Self, StoreError> {
        connection.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        if writes {
            connection.pragma_update(None, "journal_mode", "WAL").map_err(opening)?;
            connection.pragma_update(None, "synchronous", "FULL").map_err(opening)?;
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(opening)?;
            // What was erased shall not linger in free pages.
            connection.pragma_update(None, "secure_delete", true).map_err(opening)?;
        } else {
            connection.pragma_update(None, "cache_size", READERS_CACHE).map_err(opening)?;
        }
        // A plan does not depend on the values of parameters; otherwise some statements are prepared anew at each use.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(opening)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(opening)?;
        connection.pragma_update(None, "trusted_schema", false).map_err(opening)?;
        Ok(Self { connection, texts: HashMap::new() })
    }

    fn prepared(&mut self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        if !self.texts.contains_key(sql) {
            if self.texts.len() >= TEXTS_KEPT {
                self.texts.clear();
            }
            self.texts.insert(sql.to_owned(), numbered(sql));
        }
        let text = self.texts.get(sql).map_or(sql, String::as_str);
        self.connection.prepare_cached(text).map_err(failed)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(failed)
    }

    /// A statement of transactions.
    fn step(&mut self, sql: &str) -> Result<(), StoreError> {
        self.prepared(sql)?.execute([]).map(|_| ()).map_err(failed)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(s) => ValueRef::Text(s.as_bytes()),
            Self::Blob(b) => ValueRef::Blob(b),
        }))
    }
}

impl Driver for Sqlite {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.prepared(sql)?;
        let changed = statement.execute(rusqlite::params_from_iter(parameters)).map_err(failed)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.prepared(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(rusqlite::params_from_iter(parameters)).map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            let values = (0..columns).map(|c| value_of(c, row.get_ref(c).map_err(failed)?));
            rows.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(rows)
    }

    fn run_script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.batch(sql)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.step("BEGIN IMMEDIATE")
    }

    fn begin_read(&mut self) -> Result<(), StoreError> {
        self.step("BEGIN DEFERRED")
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.step("COMMIT")
    }

    fn rollback(&mut self) {
        // Fails only when there is no transaction any more, which is what is wanted.
        let _ = self.step("ROLLBACK");
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.step("SAVEPOINT item")
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.step("RELEASE item")
    }

    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.batch("ROLLBACK TO item; RELEASE item")
    }

    fn is_empty(&mut self) -> Result<bool, StoreError> {
        Ok(self.query("SELECT 1 FROM sqlite_master LIMIT 1", &[])?.is_empty())
    }

    fn check(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = self.query("PRAGMA integrity_check(20)", &[])?;
        let said: Result<Vec<_>, _> = rows.iter().map(|r| r.text(0).map(str::to_owned)).collect();
        let broken_keys = self.query("PRAGMA foreign_key_check", &[])?.len();
        let mut said: Vec<_> = said?.into_iter().filter(|s| s != "ok").collect();
        if broken_keys > 0 {
            said.push(format!("{broken_keys} rows refer to rows that are not there"));
        }
        Ok(said)
    }

    fn forget_erased(&mut self, _tables: &[&str]) -> Result<(), StoreError> {
        // Pages of the file were overwritten; older ones stand in the log. A reader beside may put it off.
        self.query("PRAGMA wal_checkpoint(TRUNCATE)", &[]).map(|_| ())
    }

    fn size_bytes(&mut self) -> Result<Option<u64>, StoreError> {
        let mut number = |sql| match self.query(sql, &[])?.first() {
            Some(row) => row.uint(0),
            None => Ok(0),
        };
        Ok(Some(number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?)))
    }
}

/// The files of a store: the database, and what SQLite makes beside it.
pub fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

fn value_of(column: usize, value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(n) => Ok(Value::Int(n)),
        ValueRef::Text(t) => String::from_utf8(t.to_vec())
            .map(Value::Text)
            .map_err(|_| StoreError::Shape { column, wanted: "UTF-8" }),
        ValueRef::Blob(b) => Ok(Value::Blob(b.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Shape { column, wanted: "one of the four types" }),
    }
}

/// Rewrites `$n` to `?n` outside of quoted texts.
fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quoted = false;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        quoted ^= c == '\'';
        let parameter = c == '$' && !quoted && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if parameter { '?' } else { c });
    }
    out
}

fn opening(error: rusqlite::Error) -> StoreError {
    match failed(error) {
        StoreError::Failed(source) => StoreError::Open(source),
        other => other,
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    // No room even for the index of the log: SQLite calls that an I/O error.
    if error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        return StoreError::Full;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::ConstraintViolation) => StoreError::Constraint(Box::new(error)),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::CannotOpen) => {
            StoreError::Open(Box::new(error))
        }
        _ => StoreError::Failed(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tx;

    #[test]
    fn parameters_out_of_order_are_not_swapped() {
        let mut db = Sqlite::open_in_memory().expect("in memory");
        let rows = db.query("SELECT $2, $1, $2", &[Value::Int(1), Value::Int(2)]).expect("query");
        assert_eq!(rows, [Row(vec![Value::Int(2), Value::Int(1), Value::Int(2)])]);
    }

    #[test]
    fn a_dollar_in_a_text_stays() {
        assert_eq!(numbered("SELECT '$1 ''$2', $3"), "SELECT '$1 ''$2', ?3");
    }

    #[test]
    fn all_four_types_come_back() {
        let mut db = Sqlite::open_in_memory().expect("in memory");
        let values = vec![Value::Null, Value::Int(i64::MIN), Value::from("办件"), Value::from(vec![0, 255])];
        assert_eq!(db.query("SELECT $1, $2, $3, $4", &values).expect("query"), [Row(values)]);
        assert!(db.query("SELECT 1.5", &[]).is_err(), "no floats");
    }

    #[test]
    fn a_savepoint_undoes_one_item_only() {
        let mut db = Sqlite::open_in_memory().expect("in memory");
        db.run_script("CREATE TABLE t (n BIGINT)").expect("script");
        db.begin().expect("begin");
        for n in 1..=3 {
            db.savepoint().expect("savepoint");
            db.execute("INSERT INTO t (n) VALUES ($1)", &[Value::Int(n)]).expect("insert");
            if n == 2 { db.rollback_to_savepoint() } else { db.release() }.expect("end of item");
        }
        db.commit().expect("commit");
        assert_eq!(Tx::new(&mut db).query_int("SELECT SUM(n) FROM t", &[]).ok(), Some(4));
    }
}
