//! Whether the file of a certificate is genuine and in force on a day, by public keys and a list of those revoked: all
//! that whoever has no network has.
//!
//! Says the worst that is certain. Refuses to call anything good without a list that is in force, and to believe a byte
//! that the centre did not sign.
use serde::de::DeserializeOwned;

use super::list::{MAX_LIST_BYTES, RevocationList};
use super::{Certificate, MAX_CERTIFICATE_BYTES};
use crate::date::CivilDate;
use crate::envelope::{KeyRing, SignedDocument, SignedKind, VerifyError, verify_document};

/// A certificate that the centre signed, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it says.
    pub certificate: Certificate,
    /// Whether it is in force.
    pub verdict: Verdict,
}

/// What is known of a genuine certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 有效: in force, and on no list that is in force.
    Good,
    /// 已吊销, since this day. An old list says so as well: what is revoked stays so.
    Revoked(CivilDate),
    /// 未到期: its first day is still to come.
    NotYet,
    /// 已过期: its last day is over.
    Expired,
    /// It is genuine and in time; whether it was revoked is not known, for want of a list.
    NotKnown(ListFault),
}

/// Why a list says nothing of what does not stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFault {
    /// There is none.
    Missing,
    /// Nobody relies on it any more since this day.
    TooOld(CivilDate),
    /// It is signed with a key that is not known here.
    UnknownKey,
    /// It is none, or not what was signed.
    Altered,
}

/// A file is no certificate of a centre whose keys are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// It names a key that is not known here.
    #[error("it is signed with a key that is not known here")]
    UnknownKey,
    /// It is no whole certificate, or not what was signed.
    #[error("it is no whole certificate, or was altered")]
    Altered,
}

impl From<VerifyError> for NotGenuine {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::UnknownKey => Self::UnknownKey,
            VerifyError::MalformedKey | VerifyError::Mismatch => Self::Altered,
        }
    }
}

/// Judges the bytes of a certificate's file on a day, with those of a list if there is one.
///
/// # Errors
/// [`NotGenuine`] if the holder of no key of the ring signed it as a certificate.
pub fn judge(
    file: &[u8],
    list: Option<&[u8]>,
    ring: &KeyRing,
    today: CivilDate,
) -> Result<Judged, NotGenuine> {
    let certificate: Certificate = signed(file, MAX_CERTIFICATE_BYTES, SignedKind::Certificate, ring)?;
    let list = list
        .map(|list| signed::<RevocationList>(list, MAX_LIST_BYTES, SignedKind::RevokedCertificates, ring));
    let verdict = verdict(&certificate, list, today);
    Ok(Judged { certificate, verdict })
}

fn verdict(
    certificate: &Certificate,
    list: Option<Result<RevocationList, NotGenuine>>,
    today: CivilDate,
) -> Verdict {
    if let Some(Ok(list)) = &list
        && let Some(since) = list.revoked.get(&certificate.number)
    {
        return Verdict::Revoked(*since);
    }
    if certificate.valid_until.is_some_and(|last| last < today) {
        return Verdict::Expired;
    }
    if today < certificate.valid_from {
        return Verdict::NotYet;
    }
    match list {
        None => Verdict::NotKnown(ListFault::Missing),
        Some(Err(NotGenuine::UnknownKey)) => Verdict::NotKnown(ListFault::UnknownKey),
        Some(Err(NotGenuine::Altered)) => Verdict::NotKnown(ListFault::Altered),
        Some(Ok(list)) if list.good_until < today => Verdict::NotKnown(ListFault::TooOld(list.good_until)),
        Some(Ok(_)) => Verdict::Good,
    }
}

fn signed<T: DeserializeOwned>(
    file: &[u8],
    most: usize,
    kind: SignedKind,
    ring: &KeyRing,
) -> Result<T, NotGenuine> {
    if file.len() > most {
        return Err(NotGenuine::Altered);
    }
    let document: SignedDocument = serde_json::from_slice(file).map_err(|_| NotGenuine::Altered)?;
    let body = verify_document(kind, &document, ring)?;
    serde_json::from_slice(body).map_err(|_| NotGenuine::Altered)
}
