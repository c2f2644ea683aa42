//! What a terminal sends reaches the centre once, is receipted, and survives: against the real process.
mod bad_input;
mod blocked;
mod durability;
mod enrolment;
mod heartbeats;
pub mod in_process;
mod opening;
mod receipts;
mod series;
mod trouble;
