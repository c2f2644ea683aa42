//! The end of the audit chain, signed once a day: whoever keeps such a head can tell later that rows before it were cut
//! off or written anew.
//!
//! Terminals keep them too, where nobody at the centre reaches them.
use domain::date::CivilDate;
use domain::envelope::{Digest, KeyRing, SignedDocument, SignedKind, sign_document, verify_document};
use domain::ids::ServerEpoch;
use domain::wire::v1::AuditHead;

use super::{audit, meta};
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// Heads that are read in one go.
const STRETCH: u64 = 1_000;

/// What a head says against the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The chain goes through it.
    Holds,
    /// The chain has another row there.
    Rewritten,
    /// The chain ends before it.
    CutOff,
    /// It is of an earlier epoch and stands behind what the restored backup held: that was lost with the restore.
    LostByRestore,
    /// Its signature does not hold, or it cannot be read.
    Forged,
}

/// Signs the end of the chain if no head was signed on this day yet; says whether it did. An empty chain has no end.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn sign_today(tx: &mut Tx<'_>, now_ms: i64, keys: &Keys) -> Result<bool, ServiceError> {
    let Some(epoch) = meta::known_epoch(tx)? else { return Ok(false) };
    let day = CivilDate::in_china(now_ms).to_string();
    let sql = "SELECT COUNT(*) FROM audit_head WHERE epoch = $1 AND day_ = $2";
    if tx.query_int(sql, &[epoch.to_string().into(), day.clone().into()])? > 0 {
        return Ok(false);
    }
    let Some((seq, hash)) = audit::last(tx)? else { return Ok(false) };
    let head = AuditHead { epoch, day: CivilDate::in_china(now_ms), seq, hash, signed_at_ms: now_ms };
    let body = serde_json::to_vec(&head).map_err(|_| StoreError::Stored { what: "audit head" })?;
    let document = sign_document(SignedKind::AuditHead, body, &keys.receipt);
    let text = serde_json::to_string(&document).map_err(|_| StoreError::Stored { what: "audit head" })?;
    tx.execute(
        "INSERT INTO audit_head (epoch, day_, seq, document) VALUES ($1, $2, $3, $4)
         ON CONFLICT (epoch, day_) DO NOTHING",
        &[epoch.to_string().into(), day.into(), seq.into(), text.into()],
    )?;
    Ok(true)
}

/// The newest head of this epoch.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn newest(tx: &mut Tx<'_>) -> Result<Option<SignedDocument>, StoreError> {
    let Some(epoch) = meta::known_epoch(tx)? else { return Ok(None) };
    let sql = "SELECT document FROM audit_head WHERE epoch = $1 ORDER BY day_ DESC LIMIT 1";
    let row = tx.query_first(sql, &[epoch.to_string().into()])?;
    row.map(|r| read(r.text(0)?)).transpose()
}

/// All heads that the centre keeps, oldest first.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn kept(tx: &mut Tx<'_>) -> Result<Vec<SignedDocument>, StoreError> {
    let mut all = Vec::new();
    let (mut epoch, mut day) = (String::new(), String::new());
    loop {
        let rows = tx.query(
            "SELECT epoch, day_, document FROM audit_head
             WHERE epoch > $1 OR (epoch = $1 AND day_ > $2) ORDER BY epoch, day_ LIMIT $3",
            &[epoch.clone().into(), day.clone().into(), STRETCH.into()],
        )?;
        let Some(last) = rows.last() else { return Ok(all) };
        (epoch, day) = (last.text(0)?.to_owned(), last.text(1)?.to_owned());
        for row in &rows {
            all.push(read(row.text(2)?)?);
        }
    }
}

/// Holds a head against the chain, which was checked to be whole before.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn judge(tx: &mut Tx<'_>, document: &SignedDocument, keys: &KeyRing) -> Result<Verdict, StoreError> {
    let Ok(body) = verify_document(SignedKind::AuditHead, document, keys) else { return Ok(Verdict::Forged) };
    let Ok(head) = serde_json::from_slice::<AuditHead>(body) else { return Ok(Verdict::Forged) };
    let there: Option<Digest> = audit::hash_at(tx, head.seq)?;
    let ended: Option<u64> = ended_at(tx, &head.epoch)?;
    Ok(match (there, ended) {
        (_, Some(ended)) if head.seq > ended => Verdict::LostByRestore,
        (Some(hash), _) if hash == head.hash => Verdict::Holds,
        (Some(_), _) => Verdict::Rewritten,
        (None, _) => Verdict::CutOff,
    })
}

/// Where the chain of an earlier epoch ended when the centre was restored.
fn ended_at(tx: &mut Tx<'_>, epoch: &ServerEpoch) -> Result<Option<u64>, StoreError> {
    let text = meta::get(tx, &meta::ended_name(epoch))?;
    text.map(|t| t.parse().map_err(|_| StoreError::Stored { what: "end of an epoch" })).transpose()
}

fn read(text: &str) -> Result<SignedDocument, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Stored { what: "audit head" })
}
