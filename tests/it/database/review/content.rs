//! What a terminal sealed: a submission as the envelope of a case that a stage makes.
use anyhow::{Context as _, Result, anyhow};
use domain::envelope::{DataKey, Nonce, Suite, envelope_digest};
use domain::ids::{CaseNo, EnvelopeId, ItemCode, Lineage};
use domain::wire::v1::{EnvelopeHeader, EnvelopeKind, Submission};
use rand_chacha::ChaCha20Rng;
use sync_server::services::Context;
use sync_server::store::Tx;

/// A sealed submission.
pub struct Content {
    lineage: Lineage,
    header: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Content {
    pub fn seal(
        context: &Context,
        (id, number, item): (EnvelopeId, &CaseNo, &ItemCode),
        (key, rng): (&DataKey, &mut ChaCha20Rng),
        (now_ms, submission): (i64, &Submission),
    ) -> Result<Self> {
        let sealing = context.keys.sealing.first().public();
        let nonce = Nonce::new(rng);
        let lineage = Lineage::new(rng);
        let header = EnvelopeHeader {
            envelope_id: id,
            kind: EnvelopeKind::Submission,
            refers_to: None,
            terminal: "T-01".parse()?,
            lineage,
            seq: 1,
            number: Some(number.clone()),
            item: Some(item.clone()),
            catalogue_version: Some(1),
            blobs: Vec::new(),
            suite: Suite::One,
            key_id: sealing.key_id(),
            wrapped_key: key.wrap(&sealing, id, rng)?,
            nonce,
            device_time_ms: now_ms,
            boot_time_ms: 1,
            server_offset_ms: Some(0),
        };
        let header = serde_json::to_vec(&header)?;
        let plain = serde_json::to_vec(submission)?;
        let ciphertext = key.encrypt(nonce, &plain, &header).map_err(|_| anyhow!("sealed"))?;
        Ok(Self { lineage, header, ciphertext })
    }

    pub fn write(&self, tx: &mut Tx<'_>, (id, seq): (&EnvelopeId, i64), now_ms: i64) -> Result<()> {
        let digest = envelope_digest(&self.header, &self.ciphertext).to_string();
        let written = tx.execute(
            "INSERT INTO envelope (server_seq, envelope_id, kind, terminal, station, lineage, seq, complete,
                 disposition, digest, signature, header, ciphertext, device_time_ms, accepted_at_ms)
             VALUES ($1, $2, 'submission', 'T-01', 'XN-CCB-CD-01', $3, 1, 1, 'case', $4, $5, $5, $6, $7, $7)",
            &[
                seq.into(),
                id.to_string().into(),
                self.lineage.to_string().into(),
                digest.into(),
                self.header.as_slice().into(),
                self.ciphertext.as_slice().into(),
                now_ms.into(),
            ],
        )?;
        (written == 1).then_some(()).context("written")
    }
}
