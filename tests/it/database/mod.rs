//! Two databases, one behaviour: PostgreSQL and SQLite.
mod conformance;
mod driver;
mod moving;
