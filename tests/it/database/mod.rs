//! Two databases, one behaviour: PostgreSQL and SQLite.
mod away;
mod conformance;
mod cuts;
mod driver;
mod moving;
mod silence;
