//! Idempotent work after the COMMIT and by the clock: opening what was taken in and what refers to it, judging what rules decide, keeping signatures young,
//! letting a rollout go on or halt, what follows for cases from the clock alone, telling citizens, backups, erasing what is over its time.
//!
//! A job that is broken off leaves the case 收件 and is done again at the next start. Refuses to hold the writer
//! while it computes: it reads, computes, then writes a small transaction against the version it read.
pub mod approval;
pub mod clockwork;
pub mod follow_up;
pub mod notifier;
pub mod open_case;
pub mod partners;
pub mod payments;
pub mod rollout;
mod runner;
pub mod signatures;
pub mod ticker;
pub mod upkeep;

pub use approval::ApprovalPlan;
pub use follow_up::take_follow_ups;
pub use runner::{JobError, Runner, Waker, open_received, open_with_key};
