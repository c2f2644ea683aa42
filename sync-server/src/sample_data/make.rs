//! Invented people and what they hand in, sealed as a terminal seals it.
//!
//! ID numbers are of the region 639900, which there is not, with a right check digit. Refuses real names: all surnames
//! are none.
use domain::applicant::IdentitySource;
use domain::date::CivilDate;
use domain::envelope::{DataKey, DeviceKey, Nonce, Suite, envelope_digest};
use domain::ids::{CaseNo, EnvelopeId, ItemCode, Lineage, StationId, TerminalId};
use domain::situation::SituationAnswers;
use domain::wire::v1::{EnvelopeHeader, EnvelopeKind, Person, Submission};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use super::shape::{Shape, below};
use crate::error::ServiceError;
use crate::services::cases::{self, NewCase};
use crate::services::{Context, case_key};
use crate::store::{StoreError, Tx};

/// The region of invented people.
const REGION: &str = "639900";
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// An invented person who is of age on a day.
pub fn person(shape: &Shape, today: CivilDate, rng: &mut ChaCha20Rng) -> Person {
    let of = |list: &[String], n: u32| list.get(n as usize).cloned().unwrap_or_default();
    let surname = of(&shape.surnames, below(rng, shape.surnames.len() as u32));
    let given = of(&shape.given, below(rng, shape.given.len() as u32));
    let years = 18 + below(rng, 62);
    let birth = today.plus_days(-i64::from(years * 365 + below(rng, 365) + 30));
    let (year, month, day) = birth.parts();
    let of_day = below(rng, 999) + 1;
    let digits = format!("{REGION}{year:04}{month:02}{day:02}{of_day:03}");
    let sum: u32 = digits.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = char::from(CHECKS[(sum % 11) as usize]);
    Person {
        source: IdentitySource::Typed,
        name: surname + &given,
        id_number: format!("{digits}{check}"),
        sex: Some(if of_day % 2 == 1 { 1 } else { 2 }),
        birth: Some(birth),
        address: None,
    }
}

/// A case that is handed in.
pub struct HandedIn<'a> {
    /// Its envelope.
    pub id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// What.
    pub item: &'a ItemCode,
    /// Of which catalogue version.
    pub catalogue_version: u64,
    /// Where.
    pub station: &'a StationId,
    /// Who.
    pub applicant: Person,
    /// In which situation.
    pub situation: Option<SituationAnswers>,
}

/// Stores it as a submission that came in: sealed envelope, key, case.
///
/// # Errors
/// [`ServiceError`] if it cannot be sealed, or the store fails.
pub fn hand_in(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut ChaCha20Rng),
    new: HandedIn<'_>,
) -> Result<(), ServiceError> {
    let failed = |what: &str| ServiceError::Inconsistent(format!("sample data: {what}"));
    let sealing = context.keys.sealing.first().public();
    let (key, nonce, lineage) = (DataKey::new(rng), Nonce::new(rng), Lineage::new(rng));
    let terminal: TerminalId = format!("T-{}", new.station)
        .parse()
        .or_else(|_| "T-SAMPLE".parse())
        .map_err(|_| failed("the terminal has no id"))?;
    let header = EnvelopeHeader {
        envelope_id: new.id,
        kind: EnvelopeKind::Submission,
        refers_to: None,
        terminal: terminal.clone(),
        lineage,
        seq: 1,
        number: Some(new.number.clone()),
        item: Some(new.item.clone()),
        catalogue_version: Some(new.catalogue_version),
        blobs: Vec::new(),
        suite: Suite::One,
        key_id: sealing.key_id(),
        wrapped_key: key.wrap(&sealing, new.id, rng).map_err(|_| failed("a key was not wrapped"))?,
        nonce,
        device_time_ms: now_ms,
        boot_time_ms: 1,
        server_offset_ms: Some(0),
    };
    let written = |_| failed("it was not written");
    let header = serde_json::to_vec(&header).map_err(written)?;
    let submission =
        Submission { applicant: new.applicant, answers: serde_json::Map::new(), situation: new.situation };
    let plain = serde_json::to_vec(&submission).map_err(written)?;
    let ciphertext = key.encrypt(nonce, &plain, &header).map_err(|_| failed("it was not sealed"))?;
    let digest = envelope_digest(&header, &ciphertext);
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let signature = DeviceKey::from_seed(seed).sign(&digest);
    let stored = Stored {
        id: &new.id,
        terminal: &terminal,
        station: new.station,
        lineage,
        number: &new.number,
        digest: digest.to_string(),
        signature: signature.0.0,
        header,
        ciphertext,
    };
    let server_seq = stored.write(tx, now_ms)?;
    let new = NewCase {
        envelope_id: new.id,
        server_seq,
        number: new.number,
        slip_number: None,
        item: Some(new.item),
        catalogue_version: Some(new.catalogue_version),
        station: new.station,
        terminal: &terminal,
    };
    cases::begin(tx, now_ms, &new)?;
    let wrapped = case_key::wrap(&key, (&new.envelope_id, now_ms), &context.keys, rng)
        .map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    wrapped.ok_or(StoreError::Stored { what: "key of a case" })?.keep(tx)
}

/// A sealed submission as the store has it.
struct Stored<'a> {
    id: &'a EnvelopeId,
    terminal: &'a TerminalId,
    station: &'a StationId,
    lineage: Lineage,
    number: &'a CaseNo,
    digest: String,
    signature: Vec<u8>,
    header: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Stored<'_> {
    /// Writes it; gives its place in the centre's order.
    fn write(self, tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
        let server_seq = tx.take_next_in("envelope", "server_seq")?;
        tx.execute(
            "INSERT INTO envelope (server_seq, envelope_id, kind, terminal, station, lineage, seq, number, complete,
                 disposition, digest, signature, header, ciphertext, device_time_ms, accepted_at_ms)
             VALUES ($1, $2, 'submission', $3, $4, $5, 1, $6, 1, 'case', $7, $8, $9, $10, $11, $11)",
            &[
                server_seq.into(),
                self.id.to_string().into(),
                self.terminal.as_str().into(),
                self.station.as_str().into(),
                self.lineage.to_string().into(),
                self.number.as_str().into(),
                self.digest.into(),
                self.signature.into(),
                self.header.into(),
                self.ciphertext.into(),
                now_ms.into(),
            ],
        )?;
        Ok(server_seq)
    }
}

#[cfg(test)]
mod tests {
    use domain::applicant::check_id_number;
    use rand_core::SeedableRng as _;

    use super::super::shape::shape;
    use super::*;

    #[test]
    fn people_are_of_no_region_and_their_numbers_are_right() {
        let shape = shape().expect("the file");
        let today: CivilDate = "2026-11-23".parse().expect("a date");
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for _ in 0..500 {
            let person = person(&shape, today, &mut rng);
            assert!(person.id_number.starts_with(REGION));
            assert_eq!(check_id_number(&person.id_number, Some(today)), Ok(()), "{}", person.id_number);
            assert!(person.birth.is_some_and(|birth| birth.full_years_to(today) >= 18));
            assert!(person.name.chars().count() >= 2);
        }
    }
}
