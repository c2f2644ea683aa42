//! Statements that are planned once for a connection and kept: planning anew took a seventh of the time of a store's
//! life. Refuses nothing; `PRAGMA` and scripts go past it.
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Params, Result, Row};

/// Statements kept for a connection: more than the store has.
const KEPT: usize = 192;

/// Keeps statements from now on, planned without regard to the values that they get: otherwise some are planned anew
/// at each use.
pub(super) fn keep(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(KEPT);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// What a connection does with statements that it keeps. What was bound to one is forgotten after its use.
pub(super) trait Kept {
    /// As `execute`.
    fn execute_kept(&self, sql: &str, params: impl Params) -> Result<usize>;
    /// As `query_row`.
    fn row_kept<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T>;
}

impl Kept for Connection {
    fn execute_kept(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare_cached(sql)?.execute(params)
    }

    fn row_kept<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare_cached(sql)?.query_row(params, read)
    }
}
