//! Handing in what was asked for: sealed to the centre's own key, at the next place of the centre's own series, through
//! the one way in. The id was made when the form began, so that whoever sends it again finds what it became.
use domain::envelope::{DataKey, MAX_PAYLOAD_BYTES};
use domain::ids::{CaseNo, EnvelopeId};
use domain::wire::v1::{BlobEntry, EnvelopeKind, Person, Supplement};
use rand_core::CryptoRng;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{NotAsked, may};
use crate::error::{ProblemCode, ServiceError};
use crate::services::window::{Outgoing, PLACE, send};
use crate::services::{Context, audit, cases, receipt};
use crate::store::{StoreError, Tx};

/// A supplement that is right, ready to be handed in. Never printed.
#[derive(Clone)]
pub struct Bringing {
    /// Made when the form began.
    pub id: EnvelopeId,
    /// The key of its content and pages.
    pub key: DataKey,
    /// The case.
    pub case: EnvelopeId,
    /// Pages and photos; their bytes are kept.
    pub blobs: Vec<BlobEntry>,
    payload: Zeroizing<Vec<u8>>,
}

impl Bringing {
    /// Puts what is handed in together.
    ///
    /// # Errors
    /// [`ServiceError`] `envelope-too-large` if the answers are larger than an envelope may be.
    pub fn new(
        (id, key): (EnvelopeId, DataKey),
        case: EnvelopeId,
        (applicant, answers): (Person, Map<String, Value>),
        blobs: Vec<BlobEntry>,
    ) -> Result<Self, ServiceError> {
        let payload = serde_json::to_vec(&Supplement { applicant, answers })
            .map_err(|e| ServiceError::Inconsistent(format!("supplement {id}: {e}")))?;
        let payload = Zeroizing::new(payload);
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(ProblemCode::EnvelopeTooLarge.into());
        }
        Ok(Self { id, key, case, blobs, payload })
    }
}

/// A supplement that was handed in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    /// The case.
    pub case: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The centre's receipt number.
    pub server_seq: u64,
    /// How many pages and photos.
    pub pages: u64,
}

/// What was handed in under this id before; none if nothing was.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn handed_in(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<HandedIn>, StoreError> {
    let sql = "SELECT c.envelope_id, c.number, e.accepted_at_ms, e.server_seq,
                   (SELECT COUNT(*) FROM blob_ b WHERE b.envelope_id = e.envelope_id) AS pages
               FROM envelope e JOIN case_ c ON c.envelope_id = e.refers_to
               WHERE e.envelope_id = $1 AND e.kind = 'supplement' AND e.terminal = $2";
    let row = tx.query_first(sql, &[id.to_string().into(), PLACE.into()])?;
    row.map(|row| {
        Ok(HandedIn {
            case: row.parsed(0)?,
            number: row.parsed(1)?,
            at_ms: row.int(2)?,
            server_seq: row.uint(3)?,
            pages: row.uint(4)?,
        })
    })
    .transpose()
}

/// Whether anything was handed in here for a case, whatever became of it.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn was_handed_in(tx: &mut Tx<'_>, case: &EnvelopeId) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM envelope WHERE refers_to = $1 AND kind = 'supplement' AND terminal = $2";
    Ok(tx.query_int(sql, &[case.to_string().into(), PLACE.into()])? > 0)
}

/// Hands it in, unless it was, or the case waits for nothing any more. `actor` stands in the audit.
///
/// # Errors
/// [`ServiceError`]: `malformed-request` for the id of something else, `sealing-key-missing`, or the store's; nothing was
/// written then.
pub fn hand_in<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut R),
    (actor, of): (&str, &Bringing),
) -> Result<Result<HandedIn, NotAsked>, ServiceError> {
    let wrong = || ServiceError::Inconsistent(format!("supplement {} was not kept", of.id));
    if let Some(before) = handed_in(tx, &of.id)? {
        let own = before.case == of.case;
        return if own { Ok(Ok(before)) } else { Err(ProblemCode::MalformedRequest.into()) };
    }
    if receipt::stored(tx, &of.id)?.is_some() {
        return Err(ProblemCode::MalformedRequest.into());
    }
    let (row, view) = cases::current(tx, &of.case)?;
    if let Err(why) = may(tx, &row, &view)? {
        return Ok(Err(why));
    }
    let outgoing = Outgoing {
        id: of.id,
        key: &of.key,
        kind: EnvelopeKind::Supplement,
        refers_to: Some(of.case),
        item: None,
        catalogue_version: None,
        blobs: &of.blobs,
        payload: &of.payload,
    };
    send(tx, context, (now_ms, rng), &outgoing)?;
    let (subject, digest) = (of.id.to_string(), "");
    let event = "supplement.handed-in";
    audit::append(tx, now_ms, audit::Event { actor, event, subject: &subject, object_digest: digest })?;
    Ok(Ok(handed_in(tx, &of.id)?.ok_or_else(wrong)?))
}
