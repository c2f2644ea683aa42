//! Handing in: sealing, numbering and storing in one transaction. Afterwards this terminal can send and not read.
use domain::date::CivilDate;
use domain::document::slip_code::{SlipFacts, slip_code};
use domain::envelope::{
    DataKey, Digest, MAX_PAYLOAD_BYTES, Nonce, SignedDocument, SignedKind, envelope_digest, sign_document,
};
use domain::form::Answers;
use domain::ids::{CaseNo, CounterState, EnvelopeId, ItemCode};
use domain::situation::SituationAnswers;
use domain::wire::v1::{BlobEntry, EnvelopeHeader, EnvelopeKind, Person, SlipBody, Submission};
use rand_core::CryptoRng;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use super::identity::{self, Identity};
use super::{Store, StoreError, device_key, drafts, pages, sealing_keys};

/// What is handed in. The data key is moved in and destroyed with it; so is that of a copy.
#[derive(Clone)]
pub struct NewSubmission<'a> {
    /// Made when the form started.
    pub envelope_id: EnvelopeId,
    /// Made when the form started.
    pub data_key: DataKey,
    /// Item or bundle.
    pub item: ItemCode,
    /// Version that the form came from.
    pub catalogue_version: u64,
    /// Who applies.
    pub person: Person,
    /// The answers.
    pub answers: &'a Answers,
    /// Answers to the situation questions, if any were asked.
    pub situation: Option<&'a SituationAnswers>,
    /// Device clock, milliseconds since 1970.
    pub now_ms: i64,
    /// Since boot, milliseconds.
    pub boot_ms: u64,
}

/// A submission that is safely on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedSlip {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// Digest of the sealed envelope.
    pub digest: Digest,
    /// The signed slip.
    pub slip: SignedDocument,
    /// What the QR code says.
    pub qr_url: String,
    /// When it was saved.
    pub saved_ms: i64,
}

/// A submission could not be saved; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// This terminal is not enrolled.
    #[error("the terminal is not enrolled")]
    NotEnrolled,
    /// No number is left for today.
    #[error("no case number is left for today")]
    NoNumberLeft,
    /// The answers are larger than an envelope may be.
    #[error("the answers are too large")]
    TooLarge,
    /// Sealing failed: the server's key is unusable.
    #[error("the content could not be sealed")]
    Sealing,
    /// The store refused.
    #[error("the submission could not be stored")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SubmitError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Store(e.into())
    }
}

impl Store {
    /// Seals, numbers and stores a submission. The same envelope id again gives the same slip and no second row.
    ///
    /// # Errors
    /// [`SubmitError`]; nothing was written then, and the answers are still the caller's.
    pub fn submit<R: CryptoRng>(
        &mut self,
        new: NewSubmission<'_>,
        rng: &mut R,
    ) -> Result<QueuedSlip, SubmitError> {
        let key = self.device_key.clone();
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(known) = stored_slip(&tx, new.envelope_id)?
            && !seals_again(&tx, new.envelope_id)?
        {
            return Ok(known);
        }
        fail::fail_point!("terminal::submit::after_begin", |_| Err(StoreError::Full.into()));
        let identity: Identity = identity::get(&tx, "identity")?.ok_or(SubmitError::NotEnrolled)?;
        let (seq, counter) = take_place(&tx, new.now_ms)?;
        fail::fail_point!("terminal::submit::after_place", |_| Err(StoreError::Full.into()));
        let number = CaseNo::issue(identity.issuer, counter);
        let blobs = pages::manifest(&tx, new.envelope_id, new.answers)?;
        pages::hand_in(&tx, &blobs)?;
        let sealed = seal(&tx, &identity, &new, (seq, &number, blobs), rng)?;
        let digest = envelope_digest(&sealed.header, &sealed.ciphertext);
        let signature = key.sign(&digest);
        let place = (sealed.lineage.as_str(), seq);
        let content = (&*sealed.header, &*sealed.ciphertext, digest.to_string(), &*signature.0.0);
        insert_outbox(&tx, &new, place, content)?;
        fail::fail_point!("terminal::submit::after_outbox", |_| Err(StoreError::Full.into()));
        let body = SlipBody {
            envelope_id: new.envelope_id,
            digest,
            number: number.clone(),
            item: new.item.clone(),
            station: identity.station.clone(),
            terminal: identity.terminal.clone(),
            made_at_ms: new.now_ms,
        };
        let body = serde_json::to_vec(&body).map_err(|_| StoreError::Value("slip"))?;
        let queued = QueuedSlip {
            envelope_id: new.envelope_id,
            qr_url: slip_code(
                &SlipFacts {
                    people_url: &identity.people_url,
                    number: &number,
                    digest: &digest,
                    terminal: &identity.terminal,
                    made_at_ms: new.now_ms,
                },
                &key,
            ),
            number,
            digest,
            slip: sign_document(SignedKind::Slip, body, &key),
            saved_ms: new.now_ms,
        };
        let person = device_key::person_hmac(&key, &new.person.id_number)?;
        insert_slip(&tx, &queued, &new.item, &person)?;
        let had_draft = drafts::erase_one(&tx, &key, (&new.person.id_number, &new.item))?;
        fail::fail_point!("terminal::submit::after_draft", |_| Err(StoreError::Full.into()));
        audit(&tx, new.now_ms, "submit", &new.envelope_id.to_string(), Some(&digest))?;
        fail::fail_point!("terminal::submit::before_commit", |_| Err(StoreError::Full.into()));
        tx.commit()?;
        fail::fail_point!("terminal::submit::after_commit");
        if had_draft {
            // It is saved whatever becomes of the log.
            let _ = self.forget_erased();
        }
        Ok(queued)
    }
}

struct Sealed {
    lineage: String,
    header: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// Takes the next place in the series and the next number; both are committed with the row.
fn take_place(tx: &Transaction<'_>, now_ms: i64) -> Result<(i64, CounterState), SubmitError> {
    let seq: i64 = identity::get(tx, "next_seq")?.ok_or(StoreError::Value("next_seq"))?;
    identity::put(tx, "next_seq", &(seq + step()))?;
    let last: CounterState = identity::get(tx, "counter")?.ok_or(SubmitError::NotEnrolled)?;
    let counter = last.next(CivilDate::in_china(now_ms)).map_err(|_| SubmitError::NoNumberLeft)?;
    identity::put(tx, "counter", &counter)?;
    Ok((seq, counter))
}

/// From one place in the series to the next. A planted fault leaves one out.
fn step() -> i64 {
    fail::fail_point!("planted::drop_seq", |_| 2);
    1
}

/// Whether what was saved is forgotten and sealed once more: never, but for a planted fault.
fn seals_again(tx: &Transaction<'_>, id: EnvelopeId) -> Result<bool, StoreError> {
    fail::fail_point!("planted::seal_twice", |_| {
        for table in ["receipt", "slip", "outbox"] {
            tx.execute(&format!("DELETE FROM {table} WHERE envelope_id = ?1"), [id.to_string()])?;
        }
        Ok(true)
    });
    let _ = (tx, id);
    Ok(false)
}

fn seal<R: CryptoRng>(
    tx: &Transaction<'_>,
    identity: &Identity,
    new: &NewSubmission<'_>,
    (seq, number, blobs): (i64, &CaseNo, Vec<BlobEntry>),
    rng: &mut R,
) -> Result<Sealed, SubmitError> {
    let lineage: domain::ids::Lineage = identity::get(tx, "lineage")?.ok_or(StoreError::Value("lineage"))?;
    let content = Submission {
        applicant: new.person.clone(),
        answers: new.answers.as_map().clone(),
        situation: new.situation.cloned(),
    };
    let payload = Zeroizing::new(serde_json::to_vec(&content).map_err(|_| StoreError::Value("submission"))?);
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(SubmitError::TooLarge);
    }
    let suite = new.data_key.suite();
    let sealing_key = sealing_keys::key_of(tx, identity, suite)?.ok_or(SubmitError::Sealing)?;
    let wrapped_key =
        new.data_key.wrap(&sealing_key.key, new.envelope_id, rng).map_err(|_| SubmitError::Sealing)?;
    let nonce = Nonce::new(rng);
    let header = EnvelopeHeader {
        envelope_id: new.envelope_id,
        kind: EnvelopeKind::Submission,
        refers_to: None,
        terminal: identity.terminal.clone(),
        lineage,
        seq: u64::try_from(seq).map_err(|_| StoreError::Value("next_seq"))?,
        number: Some(number.clone()),
        item: Some(new.item.clone()),
        catalogue_version: Some(new.catalogue_version),
        blobs,
        suite,
        key_id: sealing_key.id,
        wrapped_key,
        nonce,
        device_time_ms: new.now_ms,
        boot_time_ms: new.boot_ms,
        server_offset_ms: identity::get(tx, "server_offset_ms")?,
    };
    let header = serde_json::to_vec(&header).map_err(|_| StoreError::Value("header"))?;
    let ciphertext = new.data_key.encrypt(nonce, &payload, &header).map_err(|_| SubmitError::Sealing)?;
    Ok(Sealed { lineage: lineage.to_string(), header, ciphertext })
}

fn insert_outbox(
    tx: &Transaction<'_>,
    new: &NewSubmission<'_>,
    (lineage, seq): (&str, i64),
    (header, ciphertext, digest, signature): (&[u8], &[u8], String, &[u8]),
) -> Result<(), SubmitError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO outbox (envelope_id, lineage, seq, kind, header, ciphertext, digest, signature, state, created_ms)
         VALUES (?1, ?2, ?3, 'submission', ?4, ?5, ?6, ?7, 'queued', ?8)",
    )?;
    let id = new.envelope_id.to_string();
    statement.execute((id, lineage, seq, header, ciphertext, digest, signature, new.now_ms))?;
    Ok(())
}

fn insert_slip(
    tx: &Transaction<'_>,
    queued: &QueuedSlip,
    item: &ItemCode,
    person: &[u8; 32],
) -> Result<(), SubmitError> {
    let document = serde_json::to_string(&queued.slip).map_err(|_| StoreError::Value("slip"))?;
    let mut statement = tx.prepare_cached(
        "INSERT INTO slip (envelope_id, number, item, person_hmac, document, qr_url, saved_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute((
        queued.envelope_id.to_string(),
        queued.number.as_str(),
        item.as_str(),
        &person[..],
        document,
        &queued.qr_url,
        queued.saved_ms,
    ))?;
    Ok(())
}

fn stored_slip(connection: &Connection, id: EnvelopeId) -> Result<Option<QueuedSlip>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.number, o.digest, s.document, s.qr_url, s.saved_ms
         FROM slip s JOIN outbox o ON o.envelope_id = s.envelope_id WHERE s.envelope_id = ?1",
    )?;
    let row: Option<(String, String, String, String, i64)> = statement
        .query_row([id.to_string()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
        .optional()?;
    let Some((number, digest, document, qr_url, saved_ms)) = row else { return Ok(None) };
    Ok(Some(QueuedSlip {
        envelope_id: id,
        number: number.parse().map_err(|_| StoreError::Value("number"))?,
        digest: digest.parse().map_err(|_| StoreError::Value("digest"))?,
        slip: serde_json::from_str(&document).map_err(|_| StoreError::Value("slip"))?,
        qr_url,
        saved_ms,
    }))
}

/// Adds an audit row: ids and digests only.
pub(super) fn audit(
    connection: &Connection,
    at_ms: i64,
    action: &str,
    subject: &str,
    digest: Option<&Digest>,
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached("INSERT INTO audit (at_ms, action, subject, digest) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute((at_ms, action, subject, digest.map(Digest::to_string)))?;
    Ok(())
}
