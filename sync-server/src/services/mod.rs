//! Use cases by the field's words: plain functions on a transaction, with the time passed in.
//!
//! Refuses to know HTTP, threads and clocks, so that a simulator runs the same code. Nothing here commits.
pub mod accounts;
pub mod attachments;
pub mod audit;
pub mod blobs;
pub mod cases;
pub mod catalogue;
pub mod changes;
pub mod editing;
pub mod enrol;
pub mod envelopes;
pub mod intake;
pub mod item_history;
pub mod meta;
pub mod open_deadlines;
pub mod profile;
pub mod readings;
pub mod receipt;
pub mod rollout;
pub mod series;
pub mod sessions;
pub mod sign_in_failures;
pub mod slips;
pub mod terminals;
pub mod uploads;
pub mod work_list;

use domain::ids::ServerEpoch;
use domain::wire::v1::Contact;

use crate::keys::Keys;
use catalogue::Shelf;

/// The next contact of a terminal should be spread over this span, in milliseconds.
const SPREAD_MS: u64 = 2_000;

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
}

impl Context {
    /// What every response carries. There is no verified backup yet, so nothing is promised to be durable.
    pub fn contact(&self, now_ms: i64) -> Contact {
        Contact {
            server_epoch: self.epoch,
            server_time_ms: now_ms,
            durable_upto: None,
            spread_ms: SPREAD_MS,
            retry_after_ms: None,
        }
    }
}
