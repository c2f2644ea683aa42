//! 办理结果: certificates (证照) as they are stored: issued with the action that grants a step, revoked by a leader or
//! with what takes the grant back, looked after by whoever holds one.
//!
//! The signed certificate lies sealed under the data key of its case, so that it is erased with the case; what remains
//! says that a number was given out and whether it is revoked. Refuses to issue anything for what was not granted.
mod issue;
mod public;
mod revoke;
mod titles;

use domain::certificate::{Certificate, CertificateNo};
use domain::date::CivilDate;
use domain::envelope::{DataKey, Nonce, SignedDocument};
use domain::ids::{EnvelopeId, UnitId};

pub use issue::issue_granted;
pub use public::{PublicView, find_public, revoked_list};
pub use revoke::{revoke, take_back};
pub use titles::{Given, given_by};

use super::audit;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx};

/// Certificates of one case that are read, at most: as many as have a number.
const MAX_OF_CASE: u64 = domain::certificate::number::MAX_OF_CASE as u64;

/// Why a certificate is not good any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A leader revoked it, with words.
    Leader,
    /// Its step is done again, because an answer changed on which it had decided.
    Reopened,
    /// The case ended without being granted.
    NotGranted,
}

impl Why {
    /// All.
    pub const ALL: [Why; 3] = [Self::Leader, Self::Reopened, Self::NotGranted];

    /// Its name in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Reopened => "reopened",
            Self::NotGranted => "not_granted",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }
}

/// That a certificate is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Since when, milliseconds since 1970.
    pub at_ms: i64,
    /// Id of the account, or `centre`.
    pub by: String,
    /// Why.
    pub why: Why,
}

/// A certificate without what is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its number.
    pub number: CertificateNo,
    /// Its case.
    pub envelope_id: EnvelopeId,
    /// The step that granted it.
    pub step: String,
    /// What it is.
    pub title: String,
    /// The unit that issued it.
    pub unit: UnitId,
    /// First day on which it is good.
    pub valid_from: CivilDate,
    /// Last day on which it is good; none is 长期.
    pub valid_until: Option<CivilDate>,
    /// When it was issued, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// That it is revoked, if it is.
    pub revoked: Option<Revoked>,
}

/// A certificate with its sealed parts. Never printed.
pub struct Stored {
    /// What is not sealed.
    pub issued: Issued,
    token_hash: Vec<u8>,
    sealed: (Vec<u8>, Vec<u8>),
    said: (Vec<u8>, Vec<u8>),
}

const COLUMNS: &str = "number, envelope_id, step, title, unit, valid_from, valid_until, issued_at_ms, revoked_at_ms, \
                       revoked_by, why, token_hash, nonce, sealed, said_nonce, said";

/// The certificates of a case, in the order in which they were issued.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM certificate WHERE envelope_id = $1 ORDER BY version LIMIT $2");
    let rows = tx.query(&sql, &[id.to_string().into(), MAX_OF_CASE.into()])?;
    rows.iter().map(read).collect()
}

/// The certificate with this number.
///
/// # Errors
/// [`StoreError`] if the store fails.
fn by_number(tx: &mut Tx<'_>, number: &CertificateNo) -> Result<Option<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM certificate WHERE number = $1");
    tx.query_first(&sql, &[number.as_str().into()])?.map(|row| read(&row)).transpose()
}

impl Stored {
    /// The signed document and what it says; none once the case is erased. Computes only.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open any more.
    pub fn open(&self, key: &DataKey) -> Result<Option<(SignedDocument, Certificate)>, ServiceError> {
        let wrong =
            || ServiceError::Inconsistent(format!("certificate {}: it does not open", self.issued.number));
        let Some(plain) = self.opened(key, &self.sealed, "certificate")? else { return Ok(None) };
        let document: SignedDocument = serde_json::from_slice(&plain).map_err(|_| wrong())?;
        let certificate = serde_json::from_slice(&document.body.0).map_err(|_| wrong())?;
        Ok(Some((document, certificate)))
    }

    /// What the leader wrote who revoked it.
    ///
    /// # Errors
    /// As [`Stored::open`].
    pub fn said(&self, key: &DataKey) -> Result<Option<String>, ServiceError> {
        let plain = self.opened(key, &self.said, "reason")?;
        Ok(plain.map(|plain| String::from_utf8_lossy(&plain).into_owned()))
    }

    fn opened(
        &self,
        key: &DataKey,
        (nonce, sealed): &(Vec<u8>, Vec<u8>),
        what: &str,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        if sealed.is_empty() {
            return Ok(None);
        }
        let wrong =
            || ServiceError::Inconsistent(format!("certificate {}: it does not open", self.issued.number));
        let nonce = nonce.as_slice().try_into().map_err(|_| wrong())?;
        let plain = key.decrypt(Nonce(nonce), sealed, &bound_to(&self.issued.number, what));
        plain.map(|plain| Some(plain.to_vec())).map_err(|_| wrong())
    }
}

/// Notes that somebody is about to see a certificate in full.
///
/// # Errors
/// [`StoreError`] if the store fails: then nobody sees it.
pub fn note_seen(
    tx: &mut Tx<'_>,
    now_ms: i64,
    by: &str,
    (number, id): (&CertificateNo, &EnvelopeId),
) -> Result<(), StoreError> {
    note(tx, now_ms, (by, "certificate.seen"), (number, id))
}

/// An audit row about a certificate: of its case, with the digest of its number.
fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, event): (&str, &str),
    (number, id): (&CertificateNo, &EnvelopeId),
) -> Result<(), StoreError> {
    let digest = domain::envelope::Digest::of(number.as_str().as_bytes()).to_string();
    let subject = id.to_string();
    audit::append(tx, now_ms, audit::Event { actor, event, subject: &subject, object_digest: &digest })
}

/// Sealed bytes open for their certificate and their purpose only.
fn bound_to(number: &CertificateNo, what: &str) -> Vec<u8> {
    format!("jinban {what} v1 {number}").into_bytes()
}

fn sealed(
    key: &DataKey,
    rng: &mut dyn rand_core::CryptoRng,
    plain: &[u8],
    (number, what): (&CertificateNo, &str),
) -> Result<(Nonce, Vec<u8>), ServiceError> {
    let nonce = Nonce::new(rng);
    let sealed = key.encrypt(nonce, plain, &bound_to(number, what));
    let sealed = sealed.map_err(|e| ServiceError::Inconsistent(format!("certificate {number}: {e}")))?;
    Ok((nonce, sealed))
}

fn read(row: &Row) -> Result<Stored, StoreError> {
    let wrong = || StoreError::Stored { what: "certificate" };
    let revoked = match row.int_or_null(8)? {
        Some(at_ms) => {
            let why = row.text_or_null(10)?.and_then(Why::from_name).ok_or_else(wrong)?;
            Some(Revoked { at_ms, by: row.text_or_null(9)?.unwrap_or_default().to_owned(), why })
        }
        None => None,
    };
    let valid_until = row.text_or_null(6)?.map(|day| day.parse().map_err(|_| wrong())).transpose()?;
    Ok(Stored {
        issued: Issued {
            number: row.parsed(0)?,
            envelope_id: row.parsed(1)?,
            step: row.text(2)?.to_owned(),
            title: row.text(3)?.to_owned(),
            unit: row.parsed(4)?,
            valid_from: row.parsed(5)?,
            valid_until,
            issued_at_ms: row.int(7)?,
            revoked,
        },
        token_hash: row.blob(11)?.to_vec(),
        sealed: (row.blob(12)?.to_vec(), row.blob(13)?.to_vec()),
        said: (row.blob(14)?.to_vec(), row.blob(15)?.to_vec()),
    })
}

/// The certificate of a case that a number names.
///
/// # Errors
/// [`ServiceError`] `not-found` if the case has none with it, or the store's.
pub fn of_case_numbered(
    tx: &mut Tx<'_>,
    id: &EnvelopeId,
    number: &CertificateNo,
) -> Result<Stored, ServiceError> {
    let found = by_number(tx, number)?.filter(|stored| stored.issued.envelope_id == *id);
    Ok(found.ok_or(ProblemCode::NotFound)?)
}
