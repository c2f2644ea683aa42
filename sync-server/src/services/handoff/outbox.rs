//! 发件箱: what is to be told to other centres. A message is written in the transaction of its step, sent in the order of
//! its handoff, again and again, and done with once the other centre has signed for exactly its bytes.
use domain::envelope::{Digest, SignedDocument, SignedKind, sign_document};
use domain::ids::EnvelopeId;
use domain::wire::v1::{
    MAX_PARTNER_SEQ, PARTNER_VERSION, PartnerContent, PartnerMessage, PartnerOutcome, PartnerReceipt,
    PartnerSaid, PartnerSealed, SealedFor,
};
use rand_core::{CryptoRng, Rng};

use super::{Own, Row};
use crate::error::{ProblemCode, ServiceError};
use crate::services::audit;
use crate::store::{StoreError, Tx, Value};

/// Messages of one look, at most.
const STRETCH: u64 = 20;
/// The first pause after a failure, and the longest.
const PAUSE_MS: (u64, u64) = (500, 60_000);

/// Seals something for the partner of a handoff, as part of the message that will have this id.
///
/// # Errors
/// [`ServiceError`] `partner-unknown`, or if the partner's key is none.
pub fn seal_for<R: CryptoRng>(
    own: Own<'_>,
    (row, id): (&Row, EnvelopeId),
    content: &PartnerContent,
    rng: &mut R,
) -> Result<PartnerSealed, ServiceError> {
    let partner = own.partner(row)?;
    let place =
        SealedFor { message: id, handoff: row.id, from: &own.register.own.adcode, to: &partner.adcode };
    PartnerSealed::seal(content, place, &partner.sealing_key, rng)
        .map_err(|e| ServiceError::Inconsistent(format!("handoff {}: {e}", row.id)))
}

/// Writes a message, to be sent at once.
pub(super) fn put<R: CryptoRng>(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (now_ms, _): (i64, &mut R),
    row: &Row,
    (id, said): (EnvelopeId, PartnerSaid),
) -> Result<EnvelopeId, ServiceError> {
    let partner = own.partner(row)?.adcode.clone();
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM partner_message WHERE handoff = $1 AND direction = 'out'";
    let last = tx.query_int(sql, &[row.id.to_string().into()])?;
    let seq = u32::try_from(last + 1).ok().filter(|seq| *seq <= MAX_PARTNER_SEQ);
    let message = PartnerMessage {
        v: PARTNER_VERSION,
        id,
        handoff: row.id,
        from: own.register.own.adcode.clone(),
        to: partner.clone(),
        seq: seq.ok_or(ProblemCode::TooLarge)?,
        in_reply_to: super::inbox::newest(tx, &row.id)?,
        made_at_ms: now_ms,
        said,
    };
    let wrong = |what: String| ServiceError::Inconsistent(format!("handoff {}: {what}", row.id));
    let bytes = message.to_bytes().map_err(|e| wrong(e.to_string()))?;
    PartnerMessage::read(&bytes).map_err(|_| ServiceError::from(ProblemCode::TooLarge))?;
    let digest = Digest::of(&bytes).to_string();
    let document = sign_document(SignedKind::PartnerMessage, bytes, &own.context.keys.receipt);
    let document = serde_json::to_string(&document).map_err(|e| wrong(e.to_string()))?;
    tx.execute(
        "INSERT INTO partner_message (id, handoff, partner, direction, seq, state, digest, document, tries, next_ms, at_ms)
         VALUES ($1, $2, $3, 'out', $4, 'waiting', $5, $6, 0, $7, $7)",
        &[
            id.to_string().into(),
            row.id.to_string().into(),
            partner.as_str().into(),
            i64::from(message.seq).into(),
            digest.into(),
            document.into(),
            now_ms.into(),
        ],
    )?;
    Ok(id)
}

/// A message whose turn it is.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its id.
    pub id: EnvelopeId,
    /// Its handoff.
    pub handoff: EnvelopeId,
    /// Code of the partner.
    pub partner: String,
    /// It, signed.
    pub document: SignedDocument,
    /// How often it was tried in vain.
    pub tries: u32,
}

/// Messages that are due: of each handoff the first that waits.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn due(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<Due>, ServiceError> {
    let rows = tx.query(
        "SELECT o.id, o.handoff, o.partner, o.document, o.tries FROM partner_message o
         WHERE o.state = 'waiting' AND o.document <> '' AND o.next_ms <= $1 AND NOT EXISTS (SELECT 1 FROM partner_message p
             WHERE p.handoff = o.handoff AND p.direction = 'out' AND p.state = 'waiting' AND p.seq < o.seq)
         ORDER BY o.next_ms, o.id LIMIT $2",
        &[now_ms.into(), STRETCH.into()],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        let id: EnvelopeId = row.parsed(0)?;
        let document = serde_json::from_str(row.text(3)?)
            .map_err(|_| ServiceError::Inconsistent(format!("message {id} cannot be read")))?;
        let tries = u32::try_from(row.int(4)?).unwrap_or(u32::MAX);
        found.push(Due { id, handoff: row.parsed(1)?, partner: row.text(2)?.to_owned(), document, tries });
    }
    Ok(found)
}

/// What a partner answered, or nothing that counts.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn answered<R: Rng>(
    tx: &mut Tx<'_>,
    (now_ms, rng): (i64, &mut R),
    due: &Due,
    receipt: Option<&PartnerReceipt>,
) -> Result<(), StoreError> {
    let id: Value = due.id.to_string().into();
    match receipt.map(|receipt| receipt.outcome) {
        Some(PartnerOutcome::Taken | PartnerOutcome::Duplicate) => {
            tx.execute("UPDATE partner_message SET state = 'confirmed' WHERE id = $1", &[id])?;
            let sql = "SELECT COUNT(*) FROM handoff WHERE id = $1 AND state NOT IN
                       ('received', 'form_checked', 'identity_checked', 'sent', 'signed_for', 'returned')
                       AND (side = 'home' OR (state <> 'not_ours' AND sealed IS NULL))";
            if tx.query_int(sql, &[due.handoff.to_string().into()])? > 0 {
                super::content::wipe(tx, &due.handoff)?;
            }
            return Ok(());
        }
        Some(PartnerOutcome::Early) => {
            // It has forgotten earlier ones: those whose bytes are still here go again.
            let expected = receipt.map_or(1, |receipt| receipt.expected);
            tx.execute(
                "UPDATE partner_message SET state = 'waiting', next_ms = $3 WHERE handoff = $1 AND direction = 'out'
                 AND seq >= $2 AND document <> ''",
                &[due.handoff.to_string().into(), i64::from(expected).into(), now_ms.into()],
            )?;
        }
        Some(PartnerOutcome::Conflict) => {
            let handoff = due.handoff.to_string();
            if !audit::is_raised(tx, "partner.conflict", &handoff)? {
                audit::raise_alarm(tx, now_ms, "partner.conflict", &handoff, None)?;
            }
        }
        None => {}
    }
    let tries = due.tries.saturating_add(1);
    let next_ms = now_ms.saturating_add(pause_ms(tries, rng));
    tx.execute(
        "UPDATE partner_message SET tries = $2, next_ms = $3 WHERE id = $1 AND state = 'waiting'",
        &[id, i64::from(tries).into(), next_ms.into()],
    )?;
    Ok(())
}

/// Full jitter, as the queue of a terminal has it: anything up to the base doubled with each failure, capped.
fn pause_ms<R: Rng>(tries: u32, rng: &mut R) -> i64 {
    let (base, most) = PAUSE_MS;
    let ceiling = base.saturating_mul(1 << tries.min(20)).min(most);
    i64::try_from(rng.next_u64() % ceiling + 1).unwrap_or(1)
}

/// How many messages of a handoff wait for the other centre, and how often the first of them was tried.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn waits_for(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT COUNT(*), COALESCE(MAX(tries), 0) FROM partner_message WHERE handoff = $1 AND state = 'waiting'";
    let row = tx.query_first(sql, &[id.to_string().into()])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.uint(0)?, row.uint(1)?)))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn pauses_grow_spread_and_stay_bounded() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for tries in [0, 1, 5, 20, u32::MAX] {
            let all: Vec<_> = (0..200).map(|_| pause_ms(tries, &mut rng)).collect();
            assert!(all.iter().all(|ms| (1..=60_000).contains(ms)), "{tries}");
            assert!(all.iter().any(|ms| *ms != all[0]), "{tries}");
        }
    }
}
