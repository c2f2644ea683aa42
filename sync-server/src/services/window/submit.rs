//! Handing in at a window: the form is sealed to the centre's own key, takes the next place in the centre's series and
//! goes through the same intake as what terminals send, all in one transaction with the end of its draft.
//!
//! The id was made when the form began: whoever sends it again finds the case that it made. Refuses to judge the content,
//! as intake does: the job that opens it judges.
use domain::case::Action;
use domain::envelope::{DataKey, Digest, MAX_PAYLOAD_BYTES, Suite};
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use domain::wire::v1::{BlobEntry, EnvelopeKind, Submission};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::envelope::{Outgoing, send};
use super::visits;
use super::{drafts, made_of};
use crate::auth::role::Role;
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, Actor};
use crate::services::{Context, sealing_keys};
use crate::store::{StoreError, Tx};

/// A form that is right, ready to be handed in.
#[derive(Clone)]
pub struct Filled {
    /// Made when the form began.
    pub id: EnvelopeId,
    /// Made when the form began.
    pub key: DataKey,
    /// The visit in which the form was begun.
    pub visit: String,
    /// Item or bundle.
    pub item: ItemCode,
    /// Version that the form came from.
    pub catalogue_version: u64,
    /// The scans and photos that the answers name; their bytes are kept.
    pub blobs: Vec<BlobEntry>,
    payload: Zeroizing<Vec<u8>>,
}

impl Filled {
    /// Puts what is handed in together.
    ///
    /// # Errors
    /// [`ServiceError`] `envelope-too-large` if the answers are larger than an envelope may be.
    pub fn new(
        draft: &drafts::Draft,
        key: DataKey,
        submission: &Submission,
        blobs: Vec<BlobEntry>,
    ) -> Result<Self, ServiceError> {
        let place = (&draft.item, draft.catalogue_version);
        let brought = Self::brought(draft.id, key, place, submission)?;
        Ok(Self { visit: draft.visit.clone(), blobs, ..brought })
    }

    /// Puts together what somebody brought elsewhere, without a visit here and without scans.
    ///
    /// # Errors
    /// As [`Filled::new`].
    pub fn brought(
        id: EnvelopeId,
        key: DataKey,
        (item, catalogue_version): (&ItemCode, u64),
        submission: &Submission,
    ) -> Result<Self, ServiceError> {
        let payload = serde_json::to_vec(submission)
            .map_err(|e| ServiceError::Inconsistent(format!("form {id}: {e}")))?;
        let payload = Zeroizing::new(payload);
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(ProblemCode::EnvelopeTooLarge.into());
        }
        let item = item.clone();
        Ok(Self { id, key, visit: String::new(), item, catalogue_version, blobs: Vec::new(), payload })
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    /// The number of the case.
    pub number: CaseNo,
    /// Pages that were put in and taken away again: their bytes are nobody's now.
    pub left_over: Vec<Digest>,
}

/// Hands a form in, or finds what it became before.
///
/// # Errors
/// [`ServiceError`]: `not-found` if the draft was thrown away, `sealing-key-missing`, `numbers-exhausted`, or the
/// store's; nothing was written then.
pub fn hand_in<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut R),
    clerk: &str,
    form: &Filled,
) -> Result<HandedIn, ServiceError> {
    let Some(mut left_over) = drafts::take_away(tx, clerk, &form.id)? else {
        let number = made_of(tx, clerk, &form.id)?.ok_or(ProblemCode::NotFound)?;
        return Ok(HandedIn { number, left_over: Vec::new() });
    };
    left_over.retain(|digest| form.blobs.iter().all(|blob| blob.digest != *digest));
    let (number, server_seq) = take(tx, context, (now_ms, rng), form)?;
    let visit = visits::of_form(tx, now_ms, clerk, &form.visit)?;
    let (row, view) = cases::current(tx, &form.id)?;
    let actor = Actor { id: clerk, role: Role::Window.as_str(), on_behalf_of: None, click: None };
    let action = Action::Answerable { clerk: clerk.to_owned(), visit: visit.kind };
    cases::add(tx, &context.shelf, now_ms, (&row, view), (actor, action))?;
    tx.execute(
        "INSERT INTO visit_case (envelope_id, visit, clerk, server_seq) VALUES ($1, $2, $3, $4)",
        &[form.id.to_string().into(), visit.id.as_str().into(), clerk.into(), server_seq.into()],
    )?;
    visits::served(tx, now_ms, &visit)?;
    Ok(HandedIn { number, left_over })
}

/// Opens a case of what somebody brought elsewhere, in the centre's series.
///
/// # Errors
/// [`ServiceError`] as [`hand_in`]; a second time for the same id is one.
pub fn take_in<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    now: (i64, &mut R),
    form: &Filled,
) -> Result<CaseNo, ServiceError> {
    Ok(take(tx, context, now, form)?.0)
}

/// Seals a form and takes it through intake; gives the number of its case and its place in the centre's order.
fn take<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    now: (i64, &mut R),
    form: &Filled,
) -> Result<(CaseNo, u64), ServiceError> {
    let outgoing = Outgoing {
        id: form.id,
        key: &form.key,
        kind: EnvelopeKind::Submission,
        refers_to: None,
        item: Some(&form.item),
        catalogue_version: Some(form.catalogue_version),
        blobs: &form.blobs,
        payload: &form.payload,
    };
    let receipt = send(tx, context, now, &outgoing)?;
    let wrong = || ServiceError::Inconsistent(format!("form {} has no number", form.id));
    Ok((receipt.number.ok_or_else(wrong)?, receipt.server_seq))
}

/// The suite of forms that are begun now, as a terminal would be told.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn suite(tx: &mut Tx<'_>, context: &Context, now_ms: i64) -> Result<Suite, StoreError> {
    let list = sealing_keys::list_after(tx, now_ms, 0, &context.keys.sealing)?;
    Ok(list.map_or(Suite::One, |list| list.suite))
}
