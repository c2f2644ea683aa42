//! Which terminals there are, and whether a request was signed by one of them.
use domain::envelope::{Bytes, Digest, PublicKey, Signature};
use domain::ids::{Issuer, StationId, TerminalId};

use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx};

/// An enrolled terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its id.
    pub id: TerminalId,
    /// Where it stands.
    pub station: StationId,
    /// Its key.
    pub public_key: PublicKey,
    /// Issuer of its numbers.
    pub issuer: Issuer,
    /// It may still send.
    pub active: bool,
}

const COLUMNS: &str = "id, station, public_key, issuer, status";

/// The terminal with this id that may send.
///
/// # Errors
/// [`ServiceError`]: `terminal-unknown`, `terminal-blocked`, or the store's.
pub fn active(tx: &mut Tx<'_>, id: &TerminalId) -> Result<Terminal, ServiceError> {
    let sql = format!("SELECT {COLUMNS} FROM terminal WHERE id = $1");
    let row = tx.query_first(&sql, &[id.as_str().into()])?.ok_or(ProblemCode::TerminalUnknown)?;
    let terminal = read(&row)?;
    if terminal.active { Ok(terminal) } else { Err(ProblemCode::TerminalBlocked.into()) }
}

/// The terminal with this key, if it is enrolled.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn with_key(tx: &mut Tx<'_>, key: &PublicKey) -> Result<Option<Terminal>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM terminal WHERE public_key = $1");
    tx.query_first(&sql, &[key.0.0.as_slice().into()])?.map(|row| read(&row)).transpose()
}

/// The terminal that signed a digest.
///
/// # Errors
/// [`ServiceError`]: unknown, blocked, or `signature-invalid`.
pub fn signed_by(
    tx: &mut Tx<'_>,
    id: &TerminalId,
    digest: &Digest,
    signature: &Signature,
) -> Result<Terminal, ServiceError> {
    let terminal = active(tx, id)?;
    terminal.public_key.verify(digest, signature).map_err(|_| ProblemCode::SignatureInvalid)?;
    Ok(terminal)
}

fn read(row: &Row) -> Result<Terminal, StoreError> {
    let issuer = u16::try_from(row.int(3)?).ok().and_then(Issuer::new);
    Ok(Terminal {
        id: row.parsed(0)?,
        station: row.parsed(1)?,
        public_key: PublicKey(Bytes(row.blob(2)?.to_vec())),
        issuer: issuer.ok_or(StoreError::Stored { what: "issuer" })?,
        active: row.text(4)? == "active",
    })
}
