//! Two databases, one behaviour: PostgreSQL and SQLite.
mod away;
mod conformance;
mod cuts;
mod doctor;
mod drafts;
mod driver;
mod moving;
mod people;
mod rollout;
mod safety;
mod silence;
mod sound;
mod terminals;
mod tls;
mod together;
mod upgrade;
mod uploads;
