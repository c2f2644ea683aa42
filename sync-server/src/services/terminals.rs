//! Which terminals there are, and whether a request was signed by one of them.
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::envelope::{Bytes, Digest, PublicKey, Signature, Verifier};
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

/// Keys of terminals that are kept ready, at most: more than a province has. Beyond, all are forgotten.
const MAX_SENDERS: usize = 10_000;

/// A terminal whose signatures can be checked without the store.
#[derive(Debug)]
pub struct Sender {
    /// Its id.
    pub id: TerminalId,
    /// Its key, as the store has it.
    pub public_key: PublicKey,
    verifier: Verifier,
}

impl Sender {
    /// A terminal with its key read.
    ///
    /// # Errors
    /// [`ServiceError`] `signature-invalid` if its key is none, which enrolment does not let in.
    pub fn new(terminal: Terminal) -> Result<Self, ServiceError> {
        let verifier = terminal.public_key.verifier().map_err(|_| ProblemCode::SignatureInvalid)?;
        Ok(Self { id: terminal.id, public_key: terminal.public_key, verifier })
    }

    /// Checks that it signed a digest.
    ///
    /// # Errors
    /// [`ServiceError`] `signature-invalid`.
    pub fn check(&self, digest: &Digest, signature: &Signature) -> Result<(), ServiceError> {
        self.verifier.verify(digest, signature).map_err(|_| ProblemCode::SignatureInvalid.into())
    }
}

/// Terminals that sent something lately, so that a signature is checked without asking the store. Whether a terminal
/// may still send is not kept here: that is looked up in the transaction that writes.
#[derive(Debug, Default)]
pub struct Senders(RwLock<HashMap<TerminalId, Arc<Sender>>>);

impl Senders {
    /// The terminal, if it is known here.
    pub fn get(&self, id: &TerminalId) -> Option<Arc<Sender>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Keeps a terminal that the store just said may send.
    pub fn keep(&self, sender: Arc<Sender>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SENDERS {
            known.clear();
        }
        known.insert(sender.id.clone(), sender);
    }

    /// Forgets all: terminals were changed, or one of them may not be what it was.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

const BY_ID: &str = "SELECT id, station, public_key, issuer, status FROM terminal WHERE id = $1";
const BY_KEY: &str = "SELECT id, station, public_key, issuer, status FROM terminal WHERE public_key = $1";

/// The terminal with this id, whether it may send or not.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn by_id(tx: &mut Tx<'_>, id: &TerminalId) -> Result<Option<Terminal>, StoreError> {
    tx.query_first(BY_ID, &[id.as_str().into()])?.map(|row| read(&row)).transpose()
}

/// The terminal with this id that may send.
///
/// # Errors
/// [`ServiceError`]: `terminal-unknown`, `terminal-blocked`, or the store's.
pub fn active(tx: &mut Tx<'_>, id: &TerminalId) -> Result<Terminal, ServiceError> {
    let terminal = by_id(tx, id)?.ok_or(ProblemCode::TerminalUnknown)?;
    if terminal.active { Ok(terminal) } else { Err(ProblemCode::TerminalBlocked.into()) }
}

/// All terminals, whether they may send or not, in the order of their ids: fewer than a thousand.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Terminal>, StoreError> {
    let sql = "SELECT id, station, public_key, issuer, status FROM terminal ORDER BY id LIMIT 1000";
    tx.query(sql, &[])?.iter().map(read).collect()
}

/// How many terminals may send.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn active_ones(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let count = tx.query_int("SELECT COUNT(*) FROM terminal WHERE status = 'active'", &[])?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The terminal that signed an envelope, as the store has it now: it may still send, and its key is still the one that
/// the signature was checked with.
///
/// # Errors
/// [`ServiceError`]: `terminal-unknown`, `terminal-blocked`, `signature-invalid`, or the store's.
pub fn still_active(tx: &mut Tx<'_>, sender: &Sender) -> Result<Terminal, ServiceError> {
    let terminal = active(tx, &sender.id)?;
    if terminal.public_key == sender.public_key {
        Ok(terminal)
    } else {
        Err(ProblemCode::SignatureInvalid.into())
    }
}

/// The terminal with this key, if it is enrolled.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn with_key(tx: &mut Tx<'_>, key: &PublicKey) -> Result<Option<Terminal>, StoreError> {
    tx.query_first(BY_KEY, &[key.0.0.as_slice().into()])?.map(|row| read(&row)).transpose()
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
