//! What a terminal sends, and what it gets for each envelope.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Contact, Problem, SeriesNews};
use crate::date::CivilDate;
use crate::envelope::{Bytes, Digest, Nonce, Signature, SignedDocument, Suite, WrappedKey};
use crate::ids::{CaseNo, EnvelopeId, ItemCode, KeyId, Lineage, StationId, TerminalId};
use crate::situation::SituationAnswers;

/// What an envelope carries. An unknown kind is stored and quarantined, never refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeKind {
    /// 申报: an application; makes a case.
    Submission,
    /// 补正: asked-for additions; refers to a submission.
    Supplement,
    /// 撤回: withdrawal; refers to a submission.
    Withdrawal,
    /// 评议: a rating.
    Rating,
    /// 办不成事: a stuck case told at the terminal.
    Problem,
    /// 呼叫: staff were called.
    Call,
    /// 预约: a booking wish.
    Booking,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// What a blob is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobKind {
    /// A scanned or photographed page.
    Page,
    /// A face or ID photo.
    Photo,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// A blob that belongs to the envelope; its bytes travel on their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlobEntry {
    /// SHA-256 of the encrypted blob.
    pub digest: Digest,
    /// Bytes of the encrypted blob.
    pub length: u64,
    /// What it is.
    pub kind: BlobKind,
    /// Page number, bound in the blob's associated data.
    pub page: u16,
}

/// The signed header of an envelope, in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeHeader {
    /// Made when the form or action started; what makes a send repeatable.
    pub envelope_id: EnvelopeId,
    /// What it carries.
    pub kind: EnvelopeKind,
    /// The envelope that this one is about (never a number).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refers_to: Option<EnvelopeId>,
    /// Who sent it.
    pub terminal: TerminalId,
    /// The series it belongs to.
    pub lineage: Lineage,
    /// Place in the series, from 1, without gaps.
    pub seq: u64,
    /// The case number that stands on the slip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<CaseNo>,
    /// Which item or bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemCode>,
    /// The catalogue version that the form came from; the server validates against exactly this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_version: Option<u64>,
    /// Blobs that belong to it.
    #[serde(default)]
    pub blobs: Vec<BlobEntry>,
    /// Cipher suite.
    pub suite: Suite,
    /// Which server key the data key is wrapped to.
    pub key_id: KeyId,
    /// The wrapped data key.
    pub wrapped_key: WrappedKey,
    /// Nonce of the payload.
    pub nonce: Nonce,
    /// The device's clock, milliseconds since 1970; never used for ordering.
    pub device_time_ms: i64,
    /// The device's time since boot, milliseconds.
    pub boot_time_ms: u64,
    /// Server time minus device time at the last contact, milliseconds; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_offset_ms: Option<i64>,
}

/// One envelope on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeUpload {
    /// The exact UTF-8 JSON bytes of the [`EnvelopeHeader`], 16 KiB at most.
    pub header: Bytes,
    /// The sealed payload, 128 KiB at most.
    pub ciphertext: Bytes,
    /// Digest over header and ciphertext.
    pub digest: Digest,
    /// The device's signature over the digest.
    pub signature: Signature,
}

/// `POST /api/v1/envelopes`: up to [`super::MAX_BATCH`] envelopes of one terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeBatch {
    /// The envelopes, in the order of their `seq`.
    #[cfg_attr(feature = "openapi", schema(max_items = 50))]
    pub envelopes: Vec<EnvelopeUpload>,
}

/// What became of one envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Stored now.
    Accepted,
    /// Stored before with the same digest; the receipt is the same.
    Duplicate,
    /// Stored before with another digest (409 on its own); never overwritten.
    Conflict,
    /// Malformed or not from an enrolled terminal; `problem` says why.
    Refused,
}

/// The server's answer to one envelope, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeResult {
    /// The digest as sent: says which envelope this answers even if its header could not be read.
    pub digest: Digest,
    /// What became of it.
    pub outcome: Outcome,
    /// Signed after COMMIT; present for accepted and duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SignedDocument>,
    /// Blobs that the server does not have yet.
    #[serde(default)]
    pub missing_blobs: Vec<Digest>,
    /// Why it was refused or is in conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Answer to a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchResponse {
    /// A result for each envelope, in order.
    pub results: Vec<EnvelopeResult>,
    /// How far the server saw this terminal's series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesNews>,
    /// What every response carries.
    pub contact: Contact,
}

/// Body of a slip (凭条). No ID number, no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipBody {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// Digest of the sealed envelope.
    pub digest: Digest,
    /// The number shown.
    pub number: CaseNo,
    /// Item or bundle.
    pub item: ItemCode,
    /// Where it was handed in.
    pub station: StationId,
    /// On which terminal.
    pub terminal: TerminalId,
    /// The device's clock, milliseconds since 1970.
    pub made_at_ms: i64,
}

/// Body of a receipt (回执): a pure function of the stored row, so that a replay gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptBody {
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Digest as stored; equals the slip's.
    pub digest: Digest,
    /// The server's own order.
    pub server_seq: u64,
    /// When the server committed it, milliseconds since 1970.
    pub accepted_at_ms: i64,
    /// The case number: another one than the slip's if two numbers collided (更正).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<CaseNo>,
    /// Text and all blobs are there.
    pub complete: bool,
}

/// Plaintext of a submission: sealed before it touches a disk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Who applies.
    pub applicant: Person,
    /// Answers by field key, as the form's JSON Schema describes them.
    pub answers: Map<String, Value>,
    /// Answers to the situation questions: ids of the chosen options by id of the question. They decide which form
    /// the answers belong to ([`crate::situation::form_for`]). Absent in what a program sent that asked none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub situation: Option<SituationAnswers>,
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Submission({} answers)", self.answers.len())
    }
}

/// The person as the card says, or as typed: `source` tells which.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `read` from a card by a reader with a security module, or `typed`.
    pub source: crate::applicant::IdentitySource,
    /// Name exactly as on the card's chip.
    pub name: String,
    /// ID number.
    pub id_number: String,
    /// Code of the sex on the card (ISO 5218: 1 male, 2 female).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<u8>,
    /// Birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<CivilDate>,
    /// Address on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({:?}, ..)", self.source)
    }
}
