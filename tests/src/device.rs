//! A terminal reduced to what the wire sees: a device key, a series, sealed envelopes. For tests of the centre.
mod enrolling;
mod sending;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use domain::applicant::IdentitySource;
use domain::date::CivilDate;
use domain::envelope::{
    BlobPlace, Bytes, DataKey, DeviceKey, KeyRing, Nonce, SealedBlob, SignedDocument, SignedKind, Suite,
    envelope_digest, request_digest, verify_document,
};
use domain::ids::{CaseNo, CounterState, EnvelopeId, Lineage};
use domain::situation::{AGENT, SituationAnswers};
use domain::wire::v1::{
    BatchResponse, BlobEntry, BlobKind, ChangesResponse, EnrolResponse, EnvelopeHeader, EnvelopeKind,
    EnvelopeUpload, Person, ReceiptBody, SIGNATURE_HEADER, Submission, TERMINAL_HEADER,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;
use sync_server::store::in_transaction;

pub use self::enrolling::{enrol_as, enrol_raw, enrol_showing};
pub use self::sending::{send_as, send_raw};
use crate::http::{self, Answer};
use crate::server::Server;
use crate::tls::Caller;

/// The station of most tests.
pub const STATION: &str = "XN-CCB-CD-01";
/// Version of the catalogue in `assets/catalogue`.
pub const CATALOGUE: u64 = 2;
/// The item of most tests.
pub const ITEM: &str = "hrss.flex-enroll";

/// JSON bodies.
pub const JSON: (&str, &str) = ("content-type", "application/json");

/// An enrolled device.
#[derive(Clone)]
pub struct Device {
    /// Its signing key.
    pub key: DeviceKey,
    /// What the centre said at enrolment.
    pub enrolled: EnrolResponse,
    /// Its series.
    pub lineage: Lineage,
    /// Last place taken in the series.
    pub seq: u64,
    /// Last number issued.
    pub counter: CounterState,
    rng: ChaCha20Rng,
}

impl Device {
    /// Enrols a device at [`STATION`]; `seed` makes its key and all its randomness.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn enrol(server: &Server, seed: u64) -> Result<Self> {
        let code = server.enrol_code(STATION)?;
        Self::enrol_with(server, &code, seed)
    }

    /// Enrols a device with a code.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn enrol_with(server: &Server, code: &str, seed: u64) -> Result<Self> {
        Self::enrol_through(seed, |key| enrol_raw(server, code, key)?.json())
    }

    /// Enrols a device through any call that takes its key.
    ///
    /// # Errors
    /// The call's.
    pub fn enrol_through(seed: u64, call: impl FnOnce(&DeviceKey) -> Result<EnrolResponse>) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = new_key(&mut rng);
        let enrolled = call(&key)?;
        let lineage = Lineage::new(&mut rng);
        Ok(Self { key, lineage, seq: 0, counter: enrolled.last_counter, enrolled, rng })
    }

    /// Goes on with other randomness: what a copy of a disk does when it lives on by itself.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = ChaCha20Rng::seed_from_u64(seed);
    }

    /// Begins another series: what a terminal does that hears of a place of its series which it never wrote.
    pub fn begin_lineage(&mut self) {
        self.lineage = Lineage::new(&mut self.rng);
        self.seq = 0;
    }

    /// A sealed submission of [`ITEM`], next in the series, with the next number.
    ///
    /// # Errors
    /// If it cannot be sealed.
    pub fn seal(&mut self, submission: &Submission) -> Result<EnvelopeUpload> {
        let plain = serde_json::to_vec(submission)?;
        self.seal_with(&plain, |_| {})
    }

    /// A sealed envelope with a changed header.
    ///
    /// # Errors
    /// If it cannot be sealed.
    pub fn seal_with(
        &mut self,
        plain: &[u8],
        change: impl FnOnce(&mut EnvelopeHeader),
    ) -> Result<EnvelopeUpload> {
        self.seal_keyed(|header, _, _| {
            change(header);
            Ok(plain.to_vec())
        })
    }

    /// A sealed envelope with pages, from 1 on, sealed under the same key.
    ///
    /// # Errors
    /// If it cannot be sealed.
    pub fn seal_with_pages(
        &mut self,
        plain: &[u8],
        pages: &[Vec<u8>],
    ) -> Result<(EnvelopeUpload, Vec<SealedBlob>)> {
        self.seal_naming(pages, |_, _| Ok(plain.to_vec()))
    }

    /// As [`Self::seal_with_pages`], with a content that may name the sealed pages, and a changed header.
    ///
    /// # Errors
    /// If it cannot be sealed.
    pub fn seal_naming(
        &mut self,
        pages: &[Vec<u8>],
        make: impl FnOnce(&mut EnvelopeHeader, &[SealedBlob]) -> Result<Vec<u8>>,
    ) -> Result<(EnvelopeUpload, Vec<SealedBlob>)> {
        let mut sealed = Vec::new();
        let upload = self.seal_keyed(|header, key, rng| {
            for (page, bytes) in (1..).zip(pages) {
                let blob = key.seal_blob(BlobPlace { envelope: header.envelope_id, page }, bytes, rng)?;
                let length = u64::try_from(blob.bytes.len())?;
                header.blobs.push(BlobEntry { digest: blob.digest, length, kind: BlobKind::Page, page });
                sealed.push(blob);
            }
            make(header, &sealed)
        })?;
        Ok((upload, sealed))
    }

    /// `make` completes the header and gives the content.
    fn seal_keyed(
        &mut self,
        make: impl FnOnce(&mut EnvelopeHeader, &DataKey, &mut ChaCha20Rng) -> Result<Vec<u8>>,
    ) -> Result<EnvelopeUpload> {
        let now_ms = now_ms();
        let envelope_id = EnvelopeId::new(now_ms, &mut self.rng);
        let data_key = DataKey::new(&mut self.rng);
        self.seq += 1;
        self.counter = self.counter.next(CivilDate::in_china(now_ms))?;
        let mut header = EnvelopeHeader {
            envelope_id,
            kind: EnvelopeKind::Submission,
            refers_to: None,
            terminal: self.enrolled.terminal.clone(),
            lineage: self.lineage,
            seq: self.seq,
            number: Some(CaseNo::issue(self.enrolled.issuer, self.counter)),
            item: Some(ITEM.parse()?),
            catalogue_version: Some(CATALOGUE),
            blobs: vec![],
            suite: Suite::One,
            key_id: self.enrolled.sealing_key.id.clone(),
            wrapped_key: data_key.wrap(&self.enrolled.sealing_key.key, envelope_id, &mut self.rng)?,
            nonce: Nonce::new(&mut self.rng),
            device_time_ms: now_ms,
            boot_time_ms: 1,
            server_offset_ms: Some(0),
        };
        let plain = make(&mut header, &data_key, &mut self.rng)?;
        let bytes = serde_json::to_vec(&header)?;
        let ciphertext = data_key.encrypt(header.nonce, &plain, &bytes)?;
        Ok(self.sign(bytes, ciphertext))
    }

    /// Digest and signature around header and content.
    pub fn sign(&self, header: Vec<u8>, ciphertext: Vec<u8>) -> EnvelopeUpload {
        let digest = envelope_digest(&header, &ciphertext);
        let signature = self.key.sign(&digest);
        EnvelopeUpload { header: Bytes(header), ciphertext: Bytes(ciphertext), digest, signature }
    }

    /// Sends envelopes, compressed, and reads the results.
    ///
    /// # Errors
    /// If the answer is not a batch response.
    pub fn send(&self, server: &Server, envelopes: &[EnvelopeUpload]) -> Result<BatchResponse> {
        let answer = match self.caller() {
            Some(caller) => send_as(&caller, server, envelopes)?,
            None => send_raw(server, envelopes)?,
        };
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        answer.json()
    }

    /// Asks for news.
    ///
    /// # Errors
    /// If the answer is not the news.
    pub fn changes(&self, server: &Server, after: u64, wait: u32) -> Result<ChangesResponse> {
        let path = format!("/api/v1/changes?after={after}&wait={wait}");
        let answer = self.signed_get(server, &path)?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        answer.json()
    }

    /// A signed GET.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn signed_get(&self, server: &Server, path: &str) -> Result<Answer> {
        self.signed_get_at(&server.terminals, path)
    }

    /// A signed GET at an address.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn signed_get_at(&self, base: &str, path: &str) -> Result<Answer> {
        self.signed_call(base, ("GET", path), &[], None)
    }

    /// Any call, signed over its method and address.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn signed_call(
        &self,
        base: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer> {
        let signature = self.signature(method, path)?;
        let own = [(TERMINAL_HEADER, self.enrolled.terminal.as_str()), (SIGNATURE_HEADER, &signature)];
        let all = [&own, headers].concat();
        match self.caller() {
            Some(caller) => http::call_as(&caller, base, (method, path), &all, body),
            None => http::call(base, method, path, &all, body),
        }
    }

    /// The header that signs a request without a body.
    ///
    /// # Errors
    /// If it is no text.
    pub fn signature(&self, method: &str, path: &str) -> Result<String> {
        let signature = serde_json::to_value(self.key.sign(&request_digest(method, path)))?;
        Ok(signature.as_str().context("a base64 text")?.to_owned())
    }

    /// Who it is on a connection over TLS; nobody if it was enrolled over plain HTTP.
    pub fn caller(&self) -> Option<Caller> {
        let certified = self.enrolled.certified.as_ref()?;
        let shows = Some((self.key.clone(), certified.certificate.0.clone()));
        Some(Caller { authority: certified.authority.0.clone(), shows })
    }

    /// Verifies a receipt with the keys given at enrolment.
    ///
    /// # Errors
    /// If it does not hold.
    pub fn verify(&self, receipt: &SignedDocument) -> Result<ReceiptBody> {
        let ring = KeyRing::new(self.enrolled.receipt_keys.iter().map(|k| k.key.clone()));
        Ok(serde_json::from_slice(verify_document(SignedKind::Receipt, receipt, &ring)?)?)
    }
}

/// A random device key.
pub fn new_key(rng: &mut ChaCha20Rng) -> DeviceKey {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    DeviceKey::from_seed(seed)
}

/// The invented courier's application for [`ITEM`], valid today.
pub fn courier() -> Submission {
    courier_at(now_ms())
}

/// The invented courier's application for [`ITEM`], valid on the day of a time.
pub fn courier_at(now_ms: i64) -> Submission {
    let today = CivilDate::in_china(now_ms).to_string();
    let points: Vec<_> = (0..40).map(|n| json!([n * 9, 100 + (n % 7) * 11, n * 20])).collect();
    let answers = json!({
        "phone": "13900139000",
        "hukou_region": "630102",
        "residence_addr": { "region": "630102", "detail": "样例路1号" },
        "base_level": "60%",
        "start_month": today[..7],
        "job_type": "网约配送",
        "sign": { "strokes": [points], "width": 800, "height": 300 },
    });
    Submission {
        applicant: Person {
            source: IdentitySource::Read,
            name: "样小川".into(),
            id_number: "639900199005201035".into(),
            sex: Some(1),
            birth: CivilDate::new(1990, 5, 20),
            address: None,
        },
        answers: answers.as_object().cloned().unwrap_or_default(),
        situation: Some(own_matter()),
    }
}

/// Answers to the only situation question of [`ITEM`]: it is the person's own matter.
pub fn own_matter() -> SituationAnswers {
    SituationAnswers::from([(AGENT.to_owned(), BTreeSet::from(["self".to_owned()]))])
}

/// The machine's clock, milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits, through the news of its station, until a case is in a state; gives the version it has then.
///
/// # Errors
/// If that does not happen within a minute.
pub fn wait_for_state(
    device: &Device,
    server: &Server,
    id: EnvelopeId,
    state: domain::case::CaseState,
) -> Result<u64> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let mut cursor = 0;
    let mut seen = Vec::new();
    while std::time::Instant::now() < deadline {
        let news = device.changes(server, cursor, 20)?;
        cursor = news.cursor;
        for change in news.changes {
            if let domain::wire::v1::ChangeNews::Case(case) = change.news
                && case.envelope_id == id
            {
                if case.state == state {
                    return Ok(case.version);
                }
                seen.push(case.state);
            }
        }
    }
    anyhow::bail!("never {state:?}, only {seen:?}")
}

/// The header inside an upload.
///
/// # Errors
/// If it is not a header.
pub fn header_of(upload: &EnvelopeUpload) -> Result<EnvelopeHeader> {
    Ok(serde_json::from_slice(&upload.header.0)?)
}

/// Changes the status of a terminal as another process on the same store does: the running server hears nothing of it.
///
/// # Errors
/// If the store cannot be opened, or has no such terminal.
pub fn set_status(server: &Server, device: &Device, status: &str) -> Result<()> {
    let mut store = server.database()?.open()?;
    let changed = in_transaction(store.as_mut(), |tx| {
        let id = device.enrolled.terminal.as_str();
        tx.execute("UPDATE terminal SET status = $2 WHERE id = $1", &[id.into(), status.into()])
    })?;
    ensure!(changed == 1, "{changed} terminals");
    Ok(())
}
