//! Sample submissions for store and sync tests; invented people only.
use domain::applicant::IdentitySource;
use domain::envelope::DataKey;
use domain::form::Answers;
use domain::ids::EnvelopeId;
use domain::wire::v1::Person;
use rand_chacha::ChaCha20Rng;
use serde_json::json;
use terminal::store::{NewSubmission, QueuedSlip, Store, SubmitError};

/// ID number of the courier (样例).
pub const COURIER_ID: &str = "639900199005201035";
/// An answer that must never be found on a disk in clear.
pub const SECRET_PHONE: &str = "13000000017";

/// The courier as a reader gives him.
pub fn courier() -> Person {
    Person {
        source: IdentitySource::Read,
        name: "样例骑手".to_owned(),
        id_number: COURIER_ID.to_owned(),
        sex: Some(1),
        birth: "1990-05-20".parse().ok(),
        address: Some("样例省样例市样例路1号".to_owned()),
    }
}

/// Some answers.
pub fn answers() -> Answers {
    let mut answers = Answers::default();
    answers.set("phone", json!(SECRET_PHONE));
    answers
}

/// Hands in a submission of this person with this id.
///
/// # Errors
/// What the store answers.
pub fn submit_as(
    store: &mut Store,
    person: Person,
    envelope_id: EnvelopeId,
    now_ms: i64,
    rng: &mut ChaCha20Rng,
) -> Result<QueuedSlip, SubmitError> {
    let answers = answers();
    let new = NewSubmission {
        envelope_id,
        data_key: DataKey::new(rng),
        item: "hrss.flex-enroll".parse().map_err(|_| SubmitError::Sealing)?,
        catalogue_version: crate::device::CATALOGUE,
        person,
        answers: &answers,
        situation: None,
        now_ms,
        boot_ms: 1,
    };
    store.submit(new, rng)
}
