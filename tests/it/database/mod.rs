//! Two databases, one behaviour: PostgreSQL and SQLite.
mod away;
mod conformance;
mod driver;
mod moving;
mod people;
