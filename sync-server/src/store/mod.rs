//! The centre's store: one SQL over a small synchronous driver, one writer, a few readers.
//!
//! Refuses to know services, HTTP or personal data: it moves values. Only `sqlite.rs` and
//! `postgres.rs` with its folder name a database library.
mod database;
mod driver;
mod group;
mod migrate;
mod postgres;
mod readers;
mod sqlite;
mod tables;
mod value;
mod writer;

pub use database::{Database, DatabaseError};
pub use driver::{Advice, Driver, StoreError, Tx, in_transaction};
pub use migrate::{MigrateError, SCHEMA_VERSION, fresh_in_memory, migrate, migrate_to, require_current};
pub use postgres::Postgres;
pub use readers::Readers;
pub use sqlite::{Sqlite, files as sqlite_files};
pub use tables::{BILL_COLUMNS, FACT_COLUMNS, TABLES, TASK_COLUMNS, Table};
pub use value::{Row, Value};
pub use writer::{WriteError, Writer};
