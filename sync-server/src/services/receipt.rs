//! 回执: a pure function of the stored row and the receipt key. A replay gives the same bytes while the row is
//! unchanged; Ed25519 is deterministic. The same key signs what is ordered to terminals.
use domain::envelope::{Digest, SignedDocument, SignedKind, sign_document};
use domain::ids::EnvelopeId;
use domain::wire::v1::{Order, ReceiptBody, SealingKeyList};

use crate::error::ServiceError;
use crate::keys::Keys;
use crate::store::{Row, StoreError, Tx};

/// What a receipt says, read from the stored row. What `intake::take` says of a row that it writes is the same.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn stored(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<ReceiptBody>, StoreError> {
    let sql = "SELECT envelope_id, digest, server_seq, accepted_at_ms, number, complete
               FROM envelope WHERE envelope_id = $1";
    tx.query_first(sql, &[id.to_string().into()])?.map(|row| read(&row)).transpose()
}

/// Signs a receipt. To be called only once the row is committed.
///
/// # Errors
/// [`ServiceError`] if the body cannot be written as JSON, which no stored row causes.
pub fn sign(body: &ReceiptBody, keys: &Keys) -> Result<SignedDocument, ServiceError> {
    let bytes = serde_json::to_vec(body).map_err(|_| StoreError::Stored { what: "receipt" })?;
    Ok(sign_document(SignedKind::Receipt, bytes, &keys.receipt))
}

/// Signs an order to a terminal with the same key, under its own label.
///
/// # Errors
/// [`ServiceError`] if the body cannot be written as JSON, which no stored row causes.
pub fn sign_order(order: &Order, keys: &Keys) -> Result<SignedDocument, ServiceError> {
    let bytes = serde_json::to_vec(order).map_err(|_| StoreError::Stored { what: "order" })?;
    Ok(sign_document(SignedKind::Order, bytes, &keys.receipt))
}

/// Signs a list of sealing keys with the same key, under its own label.
///
/// # Errors
/// [`ServiceError`] if the body cannot be written as JSON, which no stored row causes.
pub fn sign_sealing_keys(list: &SealingKeyList, keys: &Keys) -> Result<SignedDocument, ServiceError> {
    let bytes = serde_json::to_vec(list).map_err(|_| StoreError::Stored { what: "sealing keys" })?;
    Ok(sign_document(SignedKind::SealingKeys, bytes, &keys.receipt))
}

fn read(row: &Row) -> Result<ReceiptBody, StoreError> {
    let number = row.text_or_null(4)?.map(str::parse).transpose();
    Ok(ReceiptBody {
        envelope_id: row.parsed(0)?,
        digest: row.parsed::<Digest>(1)?,
        server_seq: row.uint(2)?,
        accepted_at_ms: row.int(3)?,
        number: number.map_err(|_| StoreError::Stored { what: "case number" })?,
        complete: row.int(5)? != 0,
    })
}
