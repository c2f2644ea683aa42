//! What is durable: the newest verified backup, and up to which place in the centre's order everything is in one.
//!
//! Refuses to move back, and to say anything of another epoch.
use domain::ids::{EnvelopeId, ServerEpoch};
use serde::{Deserialize, Serialize};

use super::{audit, meta};
use crate::store::{StoreError, Tx};

const LAST_BACKUP: &str = "last_backup";
const DURABLE_UPTO: &str = "durable_upto";

/// A verified backup, as the store notes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// When its state was taken, milliseconds since 1970.
    pub made_at_ms: i64,
    /// Its id.
    pub id: EnvelopeId,
    /// The highest place in the centre's order that is inside.
    pub server_seq: u64,
    /// Epoch of the centre.
    pub epoch: ServerEpoch,
}

/// Notes a verified backup; with the files of all rows up to the place `upto` everything is safe.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn note(tx: &mut Tx<'_>, now_ms: i64, backup: &Backup, upto: u64) -> Result<(), StoreError> {
    if meta::known_epoch(tx)? != Some(backup.epoch) {
        return Ok(());
    }
    let text = serde_json::to_string(backup).map_err(|_| StoreError::Stored { what: "backup" })?;
    meta::replace(tx, LAST_BACKUP, &text)?;
    let upto = upto.min(backup.server_seq);
    if durable_upto(tx)?.unwrap_or(0) < upto {
        meta::replace(tx, DURABLE_UPTO, &upto.to_string())?;
    }
    let id = backup.id.to_string();
    let event = audit::Event { actor: "centre", event: "backup.verified", subject: &id, object_digest: "" };
    audit::append(tx, now_ms, event)
}

/// The newest verified backup of this store.
pub fn last(tx: &mut Tx<'_>) -> Result<Option<Backup>, StoreError> {
    let text = meta::get(tx, LAST_BACKUP)?;
    let read = |t: String| serde_json::from_str(&t).map_err(|_| StoreError::Stored { what: "backup" });
    text.map(read).transpose()
}

/// The place in the centre's order up to which everything is in a verified backup; none while there is no backup.
pub fn durable_upto(tx: &mut Tx<'_>) -> Result<Option<u64>, StoreError> {
    let text = meta::get(tx, DURABLE_UPTO)?;
    text.map(|t| t.parse().map_err(|_| StoreError::Stored { what: "durable place" })).transpose()
}

/// When the first envelope was taken, milliseconds since 1970; this time if there is none.
pub fn first_accepted_ms(tx: &mut Tx<'_>, otherwise_ms: i64) -> Result<i64, StoreError> {
    tx.query_int("SELECT COALESCE(MIN(accepted_at_ms), $1) FROM envelope", &[otherwise_ms.into()])
}

/// Forgets what was noted: a restored centre promises nothing before its own first backup.
pub fn forget(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    meta::remove(tx, LAST_BACKUP)?;
    meta::remove(tx, DURABLE_UPTO)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::store::fresh_in_memory;

    #[test]
    fn the_durable_place_only_rises_and_only_in_its_epoch() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let epoch = meta::epoch(&mut tx, &mut rng).expect("made");
        let backup = |server_seq, epoch| Backup {
            made_at_ms: 5,
            id: EnvelopeId::new(5, &mut ChaCha20Rng::seed_from_u64(server_seq)),
            server_seq,
            epoch,
        };
        assert_eq!(durable_upto(&mut tx).expect("read"), None);
        for (seq, of, durable, upto) in [
            (7, epoch, 0, None),
            (7, epoch, 5, Some(5)),
            (7, epoch, 7, Some(7)),
            (9, ServerEpoch::new(&mut rng), 9, Some(7)),
            (3, epoch, 3, Some(7)),
            (8, epoch, 9, Some(8)),
        ] {
            note(&mut tx, 6, &backup(seq, of), durable).expect("noted");
            assert_eq!(durable_upto(&mut tx).expect("read"), upto, "{seq}");
        }
        assert_eq!(last(&mut tx).expect("read"), Some(backup(8, epoch)));
        forget(&mut tx).expect("forgotten");
        assert_eq!((last(&mut tx).expect("read"), durable_upto(&mut tx).expect("read")), (None, None));
    }
}
