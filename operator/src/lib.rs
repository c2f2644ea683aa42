//! What every program of Jinban offers whoever runs it: settings with their sources, exit codes, findings of a
//! doctor, a log, completions and manual pages.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mod@settings`] | one table of keys; file, environment and flags over it; every mistake with its place |
//! | [`exit`] | the exit codes, and nothing else that a script may rely on |
//! | [`findings`] | what a doctor found, each with a remedy; clock and disk, which both programs look at |
//! | [`log`] | where the log goes and how it looks |
//! | [`manual`] | completions for shells and manual pages |
//! | [`output`] | standard output, the one place for data |
//! | [`private`] | files and folders for their owner only |
//!
//! Refuses to know terminals, centres, items or cases: both programs stand on it, so it stands on neither.
pub mod exit;
pub mod findings;
pub mod log;
pub mod manual;
pub mod output;
pub mod private;
pub mod settings;
