//! Use cases by the field's words: plain functions on a transaction, with the time passed in.
//!
//! Refuses to know HTTP, threads and clocks, so that a simulator runs the same code. Nothing here commits.
pub mod accounts;
pub mod approval;
pub mod attachments;
pub mod audit;
pub mod audit_heads;
pub mod blobs;
pub mod case_key;
pub mod case_story;
pub mod case_text;
pub mod case_time;
pub mod cases;
pub mod catalogue;
pub mod certificates;
pub mod changes;
pub mod citizen_cases;
pub mod clock_guard;
pub mod clockwork;
pub mod contact;
pub mod content;
pub mod durability;
pub mod editing;
pub mod enrol;
pub mod envelopes;
pub mod erasure;
pub mod filled;
pub mod handoff;
pub mod intake;
pub mod item_history;
pub mod meta;
pub mod money;
pub mod notifications;
pub mod offers;
pub mod open_deadlines;
pub mod parcels;
pub mod person_key;
pub mod profile;
pub mod progress;
pub mod readings;
pub mod receipt;
pub mod refold;
pub mod results;
pub mod review;
pub mod rollout;
pub mod sealing_keys;
pub mod series;
pub mod sessions;
pub mod sign_in_failures;
pub mod slips;
pub mod standing;
pub mod statistics;
pub mod submission_form;
pub mod supplementing;
pub mod supplements;
pub mod tally;
pub mod tasks;
pub mod terminal_steps;
pub mod terminals;
pub mod time_left;
pub mod unseal;
pub mod uploads;
pub mod window;
pub mod work_list;

use std::sync::atomic::{AtomicU64, Ordering};

use domain::ids::ServerEpoch;
use domain::wire::v1::Contact;

use crate::keys::Keys;
use catalogue::Shelf;

/// What every service of one centre shares: it does not change while the centre runs.
#[derive(Debug)]
pub struct Context {
    /// The private keys.
    pub keys: Keys,
    /// Changes when the centre was restored from a backup.
    pub epoch: ServerEpoch,
    /// Address of the people's listener, for QR codes on slips, without a trailing slash.
    pub people_url: String,
    /// Catalogue versions, read once.
    pub shelf: Shelf,
    /// Up to which place in the centre's order everything is in a verified backup.
    pub durable: Durable,
}

/// A place in the centre's order, as far as this process knows it; places begin at 1.
#[derive(Debug, Default)]
pub struct Durable(AtomicU64);

impl Durable {
    /// What the store says.
    pub fn set(&self, upto: Option<u64>) {
        self.0.store(upto.unwrap_or(0), Ordering::Release);
    }

    /// What is told; none while there is no backup.
    pub fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|upto| *upto > 0)
    }
}

impl Context {
    /// What every response carries, but for the span over which contacts are spread: whoever admits them knows it.
    pub fn contact(&self, now_ms: i64) -> Contact {
        Contact {
            server_epoch: self.epoch,
            server_time_ms: now_ms,
            durable_upto: self.durable.get(),
            spread_ms: 0,
            retry_after_ms: None,
        }
    }
}
