//! 分批发布: a catalogue version goes to one terminal, then to ten, then to all; it stops by itself where terminals fail,
//! and goes back to what was signed beforehand.
//!
//! | file | what it holds |
//! |---|---|
//! | `course` | the rules, pure: when a ring is done, when it halts, which step may follow which, what a terminal runs |
//! | `rings` | which terminal is in which ring |
//! | `rows` | rollouts as they are stored |
//! | `steps` | beginning, going on, and what people do |
//! | `heartbeats` | what terminals say |
//! | `orders` | what each terminal is told |
//! | `withdrawals` | items that are taken away at once |
//! | `board` | what people see |
//!
//! Refuses to publish: a version is listed by its signatures only. An order chooses among what is listed.
pub mod board;
mod course;
mod heartbeats;
mod orders;
mod rings;
mod rows;
mod steps;
mod withdrawals;

#[cfg(test)]
mod tests;

pub use course::{Count, Course, Outcome, State, Step, Told, Why};
pub use heartbeats::{Heard, hear};
pub use orders::{number, order_for};
pub use rows::{Rollout, by_id, latest};
pub use steps::{Begin, Reason, StepError, advance, begin, is_due, may_begin, no_pilots, settle, take_step};
pub use withdrawals::{WithdrawError, Withdrawal, restore, withdraw, withdrawn};
