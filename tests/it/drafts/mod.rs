//! Drafts: what somebody filled in and did not hand in is there for the same card, for a day, and for nobody else.
mod clocks;
mod kills;
mod sealed;
mod story;
mod versions;

use std::path::Path;

use domain::envelope::DataKey;
use domain::ids::{EnvelopeId, ItemCode};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::store::{DraftError, NewDraft, Store};
use tests::centre::Centre;
use tests::device::CATALOGUE;
use tests::submission::COURIER_ID;

/// 2026-11-24 14:00 in China.
pub const NOW_MS: i64 = 1_795_500_000_000;
/// What a draft says in these tests.
pub const CONTENT: &[u8] = br#"{"phone":"13000000017"}"#;
/// The other person.
pub const ELDER_ID: &str = "639900194403150015";

pub fn item() -> ItemCode {
    "hrss.flex-enroll".parse().expect("a code")
}

/// A store of an enrolled terminal, with its own randomness.
pub struct Desk {
    pub store: Store,
    pub rng: ChaCha20Rng,
}

impl Desk {
    pub fn new(folder: &Path) -> Self {
        let mut store = Store::open(folder, NOW_MS).expect("open");
        store.save_enrolment(&Centre::default().enrolment().expect("sample")).expect("enrol");
        Self { store, rng: ChaCha20Rng::seed_from_u64(11) }
    }

    /// Keeps a draft of this person; gives its id and key.
    pub fn keep(&mut self, person: &str, lived_ms: i64) -> (EnvelopeId, DataKey) {
        self.keep_of(person, &item(), CATALOGUE, lived_ms)
    }

    pub fn keep_of(
        &mut self,
        person: &str,
        item: &ItemCode,
        version: u64,
        lived_ms: i64,
    ) -> (EnvelopeId, DataKey) {
        let id = EnvelopeId::new(NOW_MS, &mut self.rng);
        let key = DataKey::new(&mut self.rng);
        self.try_keep((id, &key), (person, item, version), CONTENT, lived_ms).expect("kept");
        (id, key)
    }

    pub fn try_keep(
        &mut self,
        (envelope_id, data_key): (EnvelopeId, &DataKey),
        (id_number, item, catalogue_version): (&str, &ItemCode, u64),
        content: &[u8],
        lived_ms: i64,
    ) -> Result<(), DraftError> {
        let new = NewDraft { envelope_id, data_key, id_number, item, catalogue_version, content };
        self.store.keep_draft(&new, lived_ms, &mut self.rng)
    }

    /// How many drafts the courier has.
    pub fn count(&self) -> usize {
        self.store.drafts_of(COURIER_ID).expect("drafts").len()
    }
}
